# SPDX-License-Identifier: BSD-2-Clause
"""A comparison as text, and as the sheet that its page and its plots show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .breakdown import Breakdown
from .columns import COLUMNS, FAILED, figures, tidy
from .page.sheet import LESS, Column, Sheet

if TYPE_CHECKING:
    from .compare import Comparison
    from .row import Row, Settings

SHOWN = (
    "format", "bits", "target", "unit", "stages", "cost", "fmax_mhz", "fmax_mhz_least",
    "fmax_mhz_most", "clock_differs", "period_fo4", "reached", "latency", "rate", "cost_per_mac",
    "cost_per_rate", "cost_differs", "sqnr_gaussian", "sqnr_heavy_tailed", "proven",
    "energy_per_mac", "error",
)  # fmt: skip
"""Columns that a page shows at first."""

NONE = " (none)"
"""Behind a figure that differs from the reference's by less than seeds of place and route do."""

AXES, BESIDE = ("cost_per_rate", "sqnr_gaussian"), "sqnr_heavy_tailed"
"""Figures that plots show at first."""

RELATIVE = (
    "cost_per_mac", "cost_per_rate", "cost_per_rate_least", "cost_per_rate_most",
    "cost_differs", "clock_differs",
)  # fmt: skip
"""Fields of rows that are relative to the reference."""

HEADS = (
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
"""Head and meaning of each column of the text."""

ENERGY = (
    "energy/MAC",
    "of a multiply-accumulate on a library, by simulation of the mapped netlist with glitches",
)
"""Of the column that comparisons with energy have besides."""


def columns(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """Head and meaning of the columns of a comparison."""
    found = [*HEADS]
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
    if comparison.settings.seeds > 1:
        how = f"; the median of {comparison.settings.seeds} seeds, and their range"
        none = "; (none): where its range and the reference's meet"
        more = {"clock": how + none, "cost per MAC/s": none}
        found = [(head, meaning + more.get(head, "")) for head, meaning in found]
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
        least, most = (row.result.get(f"fmax_mhz_{end}") for end in ("least", "most"))
        if least is not None:
            none = NONE if row.clock_differs is False else ""
            clock = f"{row.fmax_mhz:.0f} ({least:.0f}-{most:.0f}) MHz{none}"
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
        _number(row.cost_per_rate) + (NONE if row.cost_differs is False else ""),
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
    for name, *numbers in lines:
        aligned = [figure.rjust(width) for figure, width in zip(numbers, widths[1:])]
        text.append("  ".join([name.ljust(widths[0]), *aligned]))
    return "\n".join(text)


def sheet(comparison: Comparison) -> Sheet:
    """The comparison as a page shows it."""
    how = comparison.settings
    rows, breakdowns = [], {}
    for index, row in enumerate(comparison.rows):
        rows.append(_figures(row))
        if row.breakdown:
            breakdowns[index] = row.breakdown
    found = tuple(
        column
        for column in _columns(how.reference)
        if column.name in (*AXES, BESIDE) or any(row.get(column.name) is not None for row in rows)
    )
    names = {column.name for column in found}
    return Sheet(
        title="Number formats at equal work",
        about=_about(comparison),
        columns=found,
        rows=rows,
        shown=[name for name in SHOWN if name in names],
        axes=AXES,
        beside=BESIDE,
        reference=how.reference,
        labels=_labels(comparison),
        breakdowns=breakdowns,
        method=_method(how),
        command=comparison.command,
        data=comparison.to_json(),
    )


def _columns(reference: str) -> list[Column]:
    """Those of every row, and what is relative to the reference."""
    found = list(COLUMNS)
    after = 1 + [column.name for column in found].index("area_per_rate")
    one = "area for one multiply-accumulate"
    found[after:after] = [
        Column("cost_per_mac", float, f"{one} per clock", f"of {reference}'s", LESS),
        Column("cost_per_rate", float, f"{one} per second", f"of {reference}'s", LESS),
        Column("cost_per_rate_least", float, "of the seeds", f"of {reference}'s", LESS),
        Column("cost_per_rate_most", float, "of the seeds", f"of {reference}'s", LESS),
        Column("cost_differs", bool, f"from {reference}'s per second, by more than the seeds do"),
        Column("clock_differs", bool, f"from {reference}'s, by more than the seeds do"),
    ]
    return found


def _figures(row: Row) -> dict[str, Any]:
    if row.error is not None:
        return tidy(
            {"format": row.format, "target": row.target, "bits": row.bits, "status": FAILED}
            | {"error": row.error}
        )
    kept = {f"sqnr_{name.replace('-', '_')}": value for name, value in row.sqnr.items()}
    relative = {name: getattr(row, name) for name in RELATIVE}
    return tidy(figures(row) | kept) | relative


def _labels(comparison: Comparison) -> dict[int, str]:
    """With a clock that was asked for, each point tells its stages."""
    if comparison.settings.clock is None:
        return {}
    return {
        index: f"{row.format} ({row.stages}{'' if row.reached else ', not reached'})"
        for index, row in enumerate(comparison.rows)
        if row.error is None
    }


def _about(comparison: Comparison) -> str:
    how = comparison.settings
    if how.stages is not None:
        pipeline = "the register stages that were asked for"
    elif how.clock is None:
        pipeline = "the pipeline that serves it best on the target"
    else:
        pipeline = f"the fewest pipeline stages with which it reaches {how.clock} on the target"
    proof = (
        ", and its gates were simulated against the golden model before a price was put on it."
        if how.proof
        else ". The gates were not simulated for this page."
    )
    relative = f" Relative figures are to {how.reference}."
    return f"Each unit does {_lanes(comparison)} per clock, with {pipeline}{proof}{relative}"


def _lanes(comparison: Comparison) -> str:
    found = sorted({row.macs for row in comparison.rows if row.error is None}) or [1]
    if found == [1]:
        return "one multiply-accumulate"
    words = " or ".join([", ".join(map(str, found[:-1])), str(found[-1])][len(found) == 1 :])
    return f"{words} multiply-accumulates"


def _method(how: Settings) -> list[str]:
    hard = "hard blocks where they fit, which cost nothing here"
    paragraphs = [
        "Operands are in the format; sums in fp32 for floats and blocks, in int32 for integers of"
        " up to 8 bits. fma: r = a·b + c, rounded once a step. mac: an accumulator inside, exact"
        " for floats, rounded once at the end. dot, block_dot: the number in the name of products"
        " and an addend, rounded once; of blocks with their scales. On FPGAs cost counts logic"
        " cells (the larger of LUTs and flip-flops) with multipliers in"
        f" {'LUTs' if how.multiplier == 'lut' else hard}; the clock is nextpnr's after place and"
        " route, the unit between registers. On a library, area is in NAND2 gate equivalents and"
        " time in delays of an inverter that drives four (FO4), without wires.",
    ]
    if how.clock is not None:
        paragraphs.append(
            f"Stages for {how.clock} were sought by measurement, place and route with seed"
            f" {how.seed}, first in doubling steps and then by halves, which takes more stages to"
            " be no slower. Where it is not reached, the row is the fastest pipeline found."
        )
    if how.retime:
        paragraphs.append(
            "Registers were moved by measurement: the stage in which the slowest path began was"
            " given less of the clock's period, pipeline by pipeline, and the fastest counts. On"
            " libraries registers were copied and cells sized by their timing after mapping."
        )
    if how.seeds > 1:
        paragraphs.append(
            f"Place and route with {how.seeds} seeds, from {how.seed} on: the clock is the median."
            " Where the ranges of a format and of the reference meet, they differ by no more than"
            " the seeds do."
        )
    paragraphs.append(
        f"SQNR: {how.trial.pairs} dot products of {how.trial.length} elements, seed"
        f" {how.trial.seed}; each operand tensor of a scalar format is scaled by one power of two,"
        " the largest that overflows neither the format nor the accumulator; block formats have"
        " their scales."
    )
    return paragraphs
