# SPDX-License-Identifier: BSD-2-Clause
"""Curves, by default over the steps of a training, as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 470, 300, 58, 12, 34, 42


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """Points of a curve; ``steps``: constant between them; ``width`` in pixels."""

    x: Sequence[float]
    y: Sequence[float]
    colour: str
    name: str
    steps: bool = False
    width: float = 1.6


def panel(
    head: str,
    lines: Sequence[Line],
    y_title: str,
    ticks: Sequence[tuple[float, str]],
    x_title: str = "step",
) -> list[str]:
    """SVG of one plot; the ticks of the ordinate also bound it."""
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    right = max(max(line.x) for line in lines)
    low, high = ticks[0][0], ticks[-1][0]

    def at(x: float, y: float) -> str:
        share = (min(max(y, low), high) - low) / (high - low)
        return f"{_LEFT + width * x / right:.1f},{_TOP + height * (1 - share):.1f}"

    parts = [f'<text x="{_LEFT}" y="20" class="head">{head}</text>']
    for y, label in ticks:
        where = at(0, y).split(",")[1]
        parts.append(f'<path d="M{_LEFT},{where}h{width}" class="grid"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{where}" dy="4" class="y">{label}</text>')
    apart = 10 ** math.floor(math.log10(max(right, 1)))
    apart *= next(n for n in (0.2, 0.5, 1, 2) if right / (n * apart) <= 6)
    for n in range(int(right / apart) + 1):
        where = at(n * apart, low).split(",")[0]
        parts.append(
            f'<text x="{where}" y="{_HEIGHT - _BOTTOM + 16}" class="x">{n * apart:.0f}</text>'
        )
    parts.append(f'<text x="{_LEFT + width / 2}" y="{_HEIGHT - 8}" class="x">{x_title}</text>')
    middle = _TOP + height / 2
    parts.append(
        f'<text x="14" y="{middle}" class="x" transform="rotate(-90 14 {middle})">{y_title}</text>'
    )
    for line in lines:
        points = [at(x, y) for x, y in zip(line.x, line.y)]
        if line.steps:
            after = [at(x, y) for x, y in zip(line.x[1:], line.y)]
            points = [point for pair in zip(points, after) for point in pair] + points[-1:]
        parts.append(
            f'<polyline points="{" ".join(points)}" stroke="{line.colour}" '
            f'stroke-width="{line.width}">'
            f"<title>{line.name}</title></polyline>"
        )
    return parts


def picture(panels: Sequence[list[str]], columns: int, legend: Sequence[tuple[str, str]]) -> str:
    """Plots in rows of ``columns``, and names of colours below them."""
    rows = -(-len(panels) // columns)
    per_line = min(4, len(legend))
    foot = 20 * -(-len(legend) // per_line) + 12
    width, height = columns * _WIDTH, rows * _HEIGHT + foot
    parts = [
        "<!-- SPDX-License-Identifier: BSD-2-Clause -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        "<style>polyline{fill:none;stroke-linejoin:round}.grid{stroke:#ddd}.head{font-weight:bold}"
        ".y{text-anchor:end}.x{text-anchor:middle}</style>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for n, body in enumerate(panels):
        place = f"translate({n % columns * _WIDTH} {n // columns * _HEIGHT})"
        parts += [f'<g transform="{place}">', *body, "</g>"]
    for n, (name, colour) in enumerate(legend):
        x = _LEFT + n % per_line * (width - _LEFT) / per_line
        y = rows * _HEIGHT + 14 + n // per_line * 20
        parts.append(f'<path d="M{x:.0f},{y}h22" stroke="{colour}" stroke-width="2.5"/>')
        parts.append(f'<text x="{x + 28:.0f}" y="{y + 4}">{name}</text>')
    return "\n".join([*parts, "</svg>", ""])
