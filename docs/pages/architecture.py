# SPDX-License-Identifier: BSD-2-Clause
"""The picture of docs/architecture.md: each room above those that it uses."""

import itertools
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from ..rooms import ROOT, Graph, Room, arrows, modules_of, rooms_of

WIDTH, HEIGHT, LINES = 238, 66, 3
"""Of a box, and lines of its text."""
ACROSS, DOWN, LANE = 18, 34, 22
"""Between boxes, between rows, and beside an arrow that passes a row."""
BULGE = 46
"""Of arrows that run up."""
Point = tuple[float, float]


def ranks(graph: Graph) -> dict[str, int]:
    """A row for each room, from the ground up: above all that it uses, no lower than need be."""
    row: dict[str, int] = {}

    def lowest(room: str) -> int:
        if room not in row:
            row[room] = 0
            row[room] = 1 + max((lowest(used) for used in graph[room]), default=-1)
        return row[room]

    for room in graph:
        lowest(room)
    for room in sorted(graph, key=lambda room: (-row[room], room)):
        users = [user for user in graph if room in graph[user]]
        if users and len(graph[room]) <= len(users):  # its arrows get no longer
            row[room] = max(row[room], min(row[user] for user in users) - 1)
    return row


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Where boxes are and where arrows pass: rows of places, from the ground up.

    A place is a room, or the passage of an arrow (its ends, and its row).
    """

    rows: list[list[object]]
    links: list[tuple[object, object]]
    chains: dict[tuple[str, str], list[object]]
    x: dict[object, float]


def layout(graph: Graph) -> Layout:
    """Rows in an order in which few arrows cross, and places near what they are linked with."""
    row = ranks(graph)
    rows: list[list[object]] = [[] for _ in range(max(row.values()) + 1)]
    for room in sorted(graph, key=lambda room: room.split(".")):
        rows[row[room]].append(room)
    chains: dict[tuple[str, str], list[object]] = {}
    for user, targets in graph.items():
        for used in sorted(targets):
            passed = [(user, used, level) for level in range(row[user] - 1, row[used], -1)]
            chains[user, used] = [user, *passed, used]
            for place in passed:
                rows[place[2]].append(place)
    links = [link for chain in chains.values() for link in itertools.pairwise(chain)]
    near: dict[object, list[object]] = {place: [] for places in rows for place in places}
    for upper, lower in links:
        near[upper].append(lower)
        near[lower].append(upper)
    rows = _ordered(rows, links, near)
    return Layout(rows=rows, links=links, chains=chains, x=_placed(rows, near))


def _ordered(
    rows: list[list[object]],
    links: list[tuple[object, object]],
    near: dict[object, list[object]],
) -> list[list[object]]:
    """Each row by the middle of its neighbours in the row below, then above, and so on."""
    best, fewest = rows, _crossings(rows, links)
    rows = [[*places] for places in rows]
    for turn in range(40):
        levels = range(len(rows)) if turn % 2 == 0 else range(len(rows) - 1, -1, -1)
        for level in levels:
            beside = level - 1 if turn % 2 == 0 else level + 1
            if not 0 <= beside < len(rows):
                continue
            at = {place: i for i, place in enumerate(rows[beside])}
            old = {place: i for i, place in enumerate(rows[level])}

            def middle(place: object, at: dict = at, old: dict = old) -> float:
                found = [at[other] for other in near[place] if other in at]
                return sum(found) / len(found) if found else old[place]

            rows[level].sort(key=middle)
        now = _crossings(rows, links)
        if now < fewest:
            best, fewest = [[*places] for places in rows], now
    return best


def _crossings(rows: list[list[object]], links: list[tuple[object, object]]) -> int:
    at = {place: (level, i) for level, row in enumerate(rows) for i, place in enumerate(row)}
    pairs = [(at[upper], at[lower]) for upper, lower in links]
    return sum(
        a[0][0] == b[0][0] and (a[0][1] - b[0][1]) * (a[1][1] - b[1][1]) < 0
        for a, b in itertools.combinations(pairs, 2)
    )


def _placed(rows: list[list[object]], near: dict[object, list[object]]) -> dict[object, float]:
    """Middles of places from left to right; rows settle beside each other."""

    def half(place: object) -> float:
        return (WIDTH + ACROSS) / 2 if isinstance(place, str) else LANE / 2

    x = {place: 200.0 * i for row in rows for i, place in enumerate(row)}
    for _ in range(60):
        for row in rows:
            wanted = [
                sum(x[other] for other in near[place]) / len(near[place]) if near[place] else 0
                for place in row
            ]
            right, left = [*wanted], [*wanted]
            for i in range(1, len(row)):
                right[i] = max(right[i], right[i - 1] + half(row[i - 1]) + half(row[i]))
            for i in range(len(row) - 2, -1, -1):
                left[i] = min(left[i], left[i + 1] - half(row[i + 1]) - half(row[i]))
            x |= {place: (a + b) / 2 for place, a, b in zip(row, right, left, strict=True)}
    least = min(x[place] - half(place) for place in x)
    return {place: at - least for place, at in x.items()}


# ------------------------------------------------------------------------------------- picture

COLOURS = {
    "macaw.golden": "#fdf3d7",
    "macaw.hdl": "#e0edfb",
    "macaw.sim.proof": "#efe5f8",
    "macaw.sim": "#e2f3e4",
    "macaw.synth": "#fbe6df",
    "macaw": "#eef0f2",
}
"""Of rooms, by what their names begin with."""
STYLE = """<style>
  .ground { fill: #ffffff } .box { stroke: #8a949e } .name { fill: #12202e; font-weight: 600 }
  .text { fill: #3c4650; font-size: 11px } .arrow { stroke: #55606b; fill: none }
  .late { stroke-dasharray: 4 3 } .head { fill: #55606b }
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"
  orient="auto"><path class="head" d="M0 0L8 4L0 8Z"/></marker></defs>"""


def picture(root=ROOT) -> str:
    """The rooms of a checkout as SVG: each above what it uses, late imports that run up dashed."""
    modules = modules_of(root)
    rooms = rooms_of(modules, root)
    graph, upward = arrows(modules, rooms)
    plan = layout(graph)
    tall = len(plan.rows)
    y = {
        place: (tall - 1 - level) * (HEIGHT + DOWN) + DOWN / 2
        for level, row in enumerate(plan.rows)
        for place in row
    }
    width = max(plan.x[room] for room in rooms) + (WIDTH + ACROSS) / 2
    height = tall * (HEIGHT + DOWN)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
        f'width="{width:.0f}" height="{height}" font-family="system-ui, sans-serif" '
        'font-size="12.5" role="img" aria-label="the rooms of macaw, each above those it uses">',
        STYLE,
        '<rect class="ground" width="100%" height="100%"/>',
    ]
    ends = _ends(plan)
    for (user, used), chain in plan.chains.items():
        points = [(ends[user, used][0], y[user] + HEIGHT)]
        for place in chain[1:-1]:
            points += [(plan.x[place], y[place]), (plan.x[place], y[place] + HEIGHT)]
        points.append((ends[user, used][1], y[used] - 1))
        lines.append(f'<path class="arrow" marker-end="url(#head)" d="{_curve(points)}"/>')
    for room, targets in upward.items():
        for target in sorted(targets):
            from_, to = y[room] + HEIGHT / 2, y[target] + HEIGHT / 2
            start, end = plan.x[room] - WIDTH / 2, plan.x[target] - WIDTH / 2
            side = min(start, end) - BULGE
            path = f"M{start:.0f} {from_:.0f}C{side:.0f} {from_:.0f} {side:.0f} {to:.0f} "
            lines.append(
                f'<path class="arrow late" marker-end="url(#head)" d="{path}{end:.0f} {to:.0f}"/>'
            )
    for name, room in rooms.items():
        lines += _box(name, room, plan.x[name] - WIDTH / 2, y[name])
    return "\n".join([*lines, "</svg>", ""])


def _ends(plan: Layout) -> dict[tuple[str, str], Point]:
    """Where along their boxes arrows begin and end: side by side, in the order of where they go."""
    found: dict[tuple[str, str], list[float]] = {link: [0.0, 0.0] for link in plan.chains}
    for end, next_ in ((0, 1), (-1, -2)):
        rooms = {link[end] for link in plan.chains}
        for room in rooms:
            here = [link for link in plan.chains if link[end] == room]
            here.sort(key=lambda link: (plan.x[plan.chains[link][next_]], link))
            step = min(26, (WIDTH - 30) / len(here))
            for i, link in enumerate(here):
                found[link][end] = plan.x[room] + step * (i - (len(here) - 1) / 2)
    return {link: (both[0], both[1]) for link, both in found.items()}


def _curve(points: list[Point]) -> str:
    (x, y), *rest = points
    path = f"M{x:.0f} {y:.0f}"
    for i, (to, low) in enumerate(rest):
        bend = (low - y) / 2
        if i % 2:  # beside the boxes of a row
            path += f"V{low:.0f}"
        else:
            path += f"C{x:.0f} {y + bend:.0f} {to:.0f} {low - bend:.0f} {to:.0f} {low:.0f}"
        x, y = to, low
    return path


def _box(name: str, room: Room, x: float, y: float) -> Iterator[str]:
    colour = next(colour for start, colour in COLOURS.items() if name.startswith(start))
    files = f"{room.files} file" + ("s" if room.files != 1 else "")
    yield (
        f'<rect class="box" x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="5" '
        f'fill="{colour}"/>'
    )
    yield f'<text class="name" x="{x + 9:.0f}" y="{y + 17:.0f}">{escape(room.folder)}</text>'
    words = textwrap.wrap(f"{files}. {room.line}", 40, max_lines=LINES, placeholder=" …")
    for i, line in enumerate(words):
        yield f'<text class="text" x="{x + 9:.0f}" y="{y + 32 + 13 * i:.0f}">{escape(line)}</text>'
