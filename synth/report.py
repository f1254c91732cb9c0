# SPDX-License-Identifier: BSD-2-Clause
"""A comparison as text, as a self-contained HTML page, and as a picture.

The plot is SVG written by a template: the page needs no script and no network, and the same
picture goes into the README.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import jinja2

from .breakdown import Breakdown

if TYPE_CHECKING:
    from .compare import Comparison, Row

_WIDTH, _HEIGHT = 560, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 20, 46, 54

COLUMNS = (
    ("format", "number format"),
    ("bits", "storage per element, with its share of a block's scale"),
    ("unit", "what was built; one multiply-accumulate per clock and lane"),
    ("stages", "register stages of the best pipeline"),
    ("cost", "area of the unit"),
    ("clock", "register to register, placed and routed (FPGA) or by static timing (library)"),
    ("latency", "clocks from operands to result"),
    ("rate", "multiply-accumulates"),
    ("area/MAC", "relative to the reference: area for one multiply-accumulate per clock"),
    ("cost per MAC/s", "relative to the reference: area for one multiply-accumulate per second"),
    ("SQNR normal", "dB, dot products of normally distributed data"),
    ("SQNR heavy", "dB, dot products of Student-t data, 3 degrees of freedom"),
    ("proven", "vectors through the simulated gates, none different from the golden model"),
)
"""Head and meaning of each column."""

ENERGY = (
    "energy/MAC",
    "of a multiply-accumulate on a library, by simulation of the mapped netlist with glitches",
)
"""Of the column that comparisons with energy have besides."""


def columns(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """Head and meaning of the columns of a comparison."""
    found = [*COLUMNS]
    clock = comparison.settings.clock
    if comparison.settings.stages is not None:
        meanings = {"stages": "register stages, as asked for"}
        found = [(head, meanings.get(head, meaning)) for head, meaning in found]
    if clock is not None:
        meanings = {
            "stages": f"register stages, the fewest that reach {clock}; else of the fastest found",
            "rate": f"multiply-accumulates at {clock}; where it is not reached, at the clock found",
        }
        found = [(head, meanings.get(head, meaning)) for head, meaning in found]
        after = 1 + [head for head, _ in found].index("clock")
        found.insert(after, ("reached", f"whether the clock is {clock} or faster"))
    return (*found, ENERGY) if comparison.settings.energy else tuple(found)


def _number(value: float | None, digits: int = 3) -> str:
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def cells(row: Row, energy: bool = False) -> list[str]:
    """Text of a row, one per column, that of the energy too where there is one."""
    if row.error is not None:
        return [row.format, f"{row.bits:.4g}", row.error]
    if row.fmax_mhz is not None:
        clock, rate = f"{row.fmax_mhz:.0f} MHz", f"{_number(row.rate)} M/s"
    else:
        clock, rate = f"{_number(row.period_fo4)} FO4", f"{_number(row.rate)} /kFO4"
    return [
        row.format,
        f"{row.bits:.4g}",
        row.unit,
        str(row.stages),
        _number(row.cost),
        clock,
        *([] if row.reached is None else ["yes" if row.reached else "not reached"]),
        str(row.latency),
        rate,
        _number(row.cost_per_mac),
        _number(row.cost_per_rate),
        *(f"{_decibel(row.sqnr.get(name))}" for name in ("gaussian", "heavy-tailed")),
        f"{row.proven:,}" if row.proven else "not",
        *([f"{_number(row.energy_per_mac)} {row.energy_unit or ''}".strip()] if energy else []),
    ]


def _decibel(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "-"
    return "∞" if math.isinf(value) else f"{value:.1f}"


def table(comparison: Comparison) -> str:
    """Aligned columns, one block per target."""
    blocks = []
    for target in comparison.targets:
        rows = comparison.on(target)
        unit = next((row.cost_unit for row in rows if row.cost_unit), "")
        heads = [head for head, _ in columns(comparison)]
        lines = [heads, *(cells(row, comparison.settings.energy) for row in rows)]
        full = [line for line in lines if len(line) == len(heads)]
        widths = [max(len(line[i]) for line in full) for i in range(len(heads))]
        text = [f"{target}: cost in {unit}; relative to {comparison.settings.reference}"]
        if comparison.settings.clock is not None:
            text[0] += f"; fewest stages for {comparison.settings.clock}"
        for line in lines:
            cut = len(line) if len(line) == len(heads) else 2
            aligned = [
                word.ljust(width) if i in (0, 2) else word.rjust(width)
                for i, (word, width) in enumerate(zip(line[:cut], widths))
            ]
            text.append("  ".join([*aligned, *line[cut:]]).rstrip())
        blocks.append("\n".join(text))
        blocks += [_parts(row) for row in rows if row.breakdown]
    return "\n\n".join(blocks)


def _parts(row: Row) -> str:
    """The parts of a row's unit, in aligned columns."""
    lines = Breakdown.from_json(row.breakdown).table()
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = [f"{row.format} on {row.target}: the parts of {row.unit}, {row.stages} stages"]
    for name, *figures in lines:
        aligned = [figure.rjust(width) for figure, width in zip(figures, widths[1:])]
        text.append("  ".join([name.ljust(widths[0]), *aligned]))
    return "\n".join(text)


@dataclass(frozen=True, slots=True)
class _Point:
    name: str
    x: float
    y: float
    y_heavy: float
    title: str
    label_y: float = 0.0


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    steps = [m * 10.0**d for d in decades for m in (1, 2, 5)]
    return [step for step in steps if low * 0.999 <= step <= high * 1.001]


@dataclass(frozen=True, slots=True)
class Mark:
    """A format in a plot: its cost, and two signal-to-noise ratios in dB."""

    name: str
    cost: float
    first: float
    second: float
    title: str


def _panel(comparison: Comparison, target: str) -> dict[str, Any]:
    """One plot of a comparison: cost per MAC/s against SQNR; of a clock the stages, too."""
    reference, clock = comparison.settings.reference, comparison.settings.clock
    marks = []
    for row in comparison.on(target):
        normal, heavy = (row.sqnr.get(name, math.nan) for name in ("gaussian", "heavy-tailed"))
        if row.error is None and row.cost_per_rate:
            title = (
                f"{row.format}: {_number(row.cost_per_rate)} of {reference}'s cost per MAC/s; "
                f"{normal:.1f} dB normal, {heavy:.1f} dB heavy-tailed"
            )
            name = row.format
            if clock is not None:
                found = f"{row.stages}" if row.reached else f"{row.stages}, not reached"
                name = f"{row.format} ({found})"
                title += f"; {clock} {'' if row.reached else 'not '}reached, {row.stages} stages"
            marks.append(Mark(name, float(row.cost_per_rate), normal, heavy, title))
    if clock is None:
        return panel(target, marks, f"area per MAC/s, relative to {reference}")
    title = f"area per MAC/s at {clock} (stages), relative to {reference}"
    return panel(f"{target}, {clock}", marks, title)


def panel(head: str, marks: Sequence[Mark], x_title: str) -> dict[str, Any]:
    """Coordinates of one plot: cost (logarithmic) against decibels; not of infinite marks."""
    shown = [mark for mark in marks if math.isfinite(mark.first) and math.isfinite(mark.second)]
    if not shown:
        return {"target": head, "points": [], "empty": True}
    low = min(mark.cost for mark in shown) / 1.5
    high = max(mark.cost for mark in shown) * 1.5
    values = [value for mark in shown for value in (mark.first, mark.second)]
    step = 10 if max(values) - min(values) <= 90 else 20
    bottom = math.floor(min(values) / step) * step
    top = math.ceil(max(values) / step + 0.2) * step

    def x_of(cost: float) -> float:
        share = math.log(cost / low) / math.log(high / low)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y_of(decibel: float) -> float:
        share = (decibel - bottom) / (top - bottom)
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)

    points = [
        _Point(mark.name, x_of(mark.cost), y_of(mark.first), y_of(mark.second), mark.title)
        for mark in shown
    ]
    return {
        "target": head,
        "points": points,
        "labels": _labels(points),
        "x_ticks": [(x_of(t), _number(t)) for t in _log_ticks(low, high)],
        "y_ticks": [(y_of(t), str(t)) for t in range(bottom, top + 1, step)],
        "x_title": x_title,
    }


def _labels(points: list[_Point]) -> list[tuple[float, float, str, str]]:
    """Where each name goes: beside its point, moved until it covers no other name."""
    placed: list[tuple[float, float, float, float]] = []
    labels = []
    for point in sorted(points, key=lambda p: (p.y, p.x)):
        wide = 7.2 * len(point.name)
        tries = [
            (side, point.y + shift)
            for shift in (4, -8, 16, -20, 28, 40)
            for side in ("start", "end")
        ]
        for side, y in tries:
            left = point.x + 9 if side == "start" else point.x - 9 - wide
            box = (left, y - 10, left + wide, y + 2)
            inside = left > _LEFT and box[2] < _WIDTH - 2
            if inside and not any(_overlap(box, other) for other in placed):
                break
        else:
            side, y = "start", point.y + 4
            box = (point.x + 9, y - 10, point.x + 9 + wide, y + 2)
        placed.append(box)
        labels.append((point.x + (9 if side == "start" else -9), y, side, point.name))
    return labels


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _render(name: str, **values: Any) -> str:
    folder = resources.files("macaw.synth")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string((folder / name).read_text(encoding="utf-8")).render(**values)


def svg(comparison: Comparison) -> str:
    """The plots of all targets side by side, as one picture."""
    return picture([_panel(comparison, target) for target in comparison.targets])


def picture(
    panels: Sequence[dict[str, Any]],
    legend: tuple[str, str] = ("normal data", "heavy-tailed (Student t, 3)"),
    y_title: str = "SQNR of a dot product, dB",
) -> str:
    """SVG of plots side by side; ``legend`` names the two marks of a format."""
    return _render(
        "compare.svg.j2",
        panels=panels,
        legend=legend,
        y_title=y_title,
        width=_WIDTH,
        height=_HEIGHT,
        left=_LEFT,
        right=_RIGHT,
        top=_TOP,
        bottom=_BOTTOM,
    )


def _lanes(comparison: Comparison) -> str:
    found = sorted({row.macs for row in comparison.rows if row.error is None}) or [1]
    if found == [1]:
        return "one multiply-accumulate"
    words = " or ".join([", ".join(map(str, found[:-1])), str(found[-1])][len(found) == 1 :])
    return f"{words} multiply-accumulates"


def html(comparison: Comparison) -> str:
    """The page."""
    return _render(
        "compare.html.j2",
        comparison=comparison,
        settings=comparison.settings,
        lanes=_lanes(comparison),
        columns=columns(comparison),
        blocks=[
            (
                target,
                next((r.cost_unit for r in comparison.on(target) if r.cost_unit), ""),
                [cells(row, comparison.settings.energy) for row in comparison.on(target)],
            )
            for target in comparison.targets
        ],
        parts=[
            (row, Breakdown.from_json(row.breakdown).table())
            for row in comparison.rows
            if row.breakdown
        ],
        picture=svg(comparison),
        data=json.dumps(comparison.to_json(), indent=1, ensure_ascii=False),
    )
