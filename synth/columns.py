# SPDX-License-Identifier: BSD-2-Clause
"""The figures of a row, by columns: names as in ``compare``'s JSON, units, what is better."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from macaw.golden.errors import SpecError, did_you_mean
from macaw.golden.units import unit

from .accuracy import DISTRIBUTIONS
from .page.sheet import LESS, MORE, Column
from .row import Row, Settings

COLUMNS = (
    Column("format", str, "as compare names it: weight:activation->sums"),
    Column("weight", str, "its format"),
    Column("activation", str, "its format"),
    Column("accumulator", str, "format that sums are kept in"),
    Column("bits", float, "storage of a weight, its share of a scale included", "bit", LESS),
    Column("target", str, "of synthesis"),
    Column("optimise", str, "what it was mapped for"),
    Column("lanes", int, "products per clock that were asked for"),
    Column("clock", str, "that was asked for"),
    Column("reached", bool, "whether the clock is reached"),
    Column("unit", str, "name of what was built"),
    Column("stages", int, "register stages", "", LESS),
    Column("latency", int, "from operands to result", "clocks", LESS),
    Column("initiation_interval", int, "from operation to operation", "clocks", LESS),
    Column("macs", int, "multiply-accumulates of an operation"),
    Column("cost", float, "area of the unit", "cost_unit", LESS),
    Column("cost_unit", str, "of cost and area_per_mac"),
    Column("fmax_mhz", float, "clock", "MHz", MORE),
    Column("fmax_mhz_least", float, "clock of the slowest seed", "MHz", MORE),
    Column("fmax_mhz_most", float, "clock of the fastest seed", "MHz", MORE),
    Column("period_fo4", float, "period of the clock", "FO4", LESS),
    Column("delay_ps", float, "period of the clock", "ps", LESS),
    Column("rate", float, "multiply-accumulates", "rate_unit", MORE),
    Column("rate_unit", str, "per microsecond, or per 1000 FO4"),
    Column("area_per_mac", float, "area for one a clock", "cost_unit", LESS),
    Column("area_per_rate", float, "area for one in a unit of time", "cost_unit/rate_unit", LESS),
    Column("energy_per_mac", float, "glitches counted", "energy_unit", LESS),
    Column("energy_per_operation", float, "glitches counted", "energy_unit", LESS),
    Column("energy_without_glitches", float, "of an operation", "energy_unit", LESS),
    Column("energy_unit", str, "pJ, or transitions of an inverter"),
    Column("leakage_power", float, "of the unit", "nW", LESS),
    *(
        Column(f"sqnr_{name.replace('-', '_')}", float, f"of dot products, {name} data", "dB", MORE)
        for name in DISTRIBUTIONS
    ),
    Column("proven", int, "without a difference from the golden model", "vectors"),
    Column("luts", int, "look-up tables"),
    Column("lut_equivalents", float, "look-up tables and carries"),
    Column("ffs", int, "flip-flops"),
    Column("dsps", int, "hard multipliers"),
    Column("gate_equivalents", float, "area in two-input NANDs", "GE", LESS),
    Column("area_um2", float, "area of the cells", "um2", LESS),
    Column("library", str, "Liberty file"),
    Column("seed", int, "of place and route, the first"),
    Column("seeds", int, "of place and route: clocks are the median of so many"),
    Column("notes", str, "what went another way"),
    Column("status", str, "done; refused: no such unit is built; failed: a tool, or the proof"),
    Column("error", str, "why there are no figures"),
    Column("command", str, "that measures this unit alone"),
)
"""In their order."""

PARETO = Column("pareto", bool, "whether no other point of the target beats it in both figures")
"""Of a table whose front was asked for."""

DONE, REFUSED, FAILED = "done", "refused", "failed"


def figure(name: str) -> Column:
    """The column of a figure of which less or more is better; SpecError for any other name."""
    judged = {column.name: column for column in COLUMNS if column.better}
    if name not in judged:
        hint = did_you_mean(name, judged, f"must be of {', '.join(judged)}")
        raise SpecError(f"pareto={name}: is no figure; {hint}")
    return judged[name]


def figures(row: Row) -> dict[str, Any]:
    """The figures of what was measured, by column."""
    interval = row.result.get("initiation_interval", 1)
    area = row.cost * interval / row.macs
    found: dict[str, Any] = {**row.result, **asdict(row)}
    found |= {
        "initiation_interval": interval,
        "rate_unit": "1/us" if row.fmax_mhz is not None else "1/kFO4",
        "area_per_mac": area,
        "area_per_rate": row.cost / row.rate if row.rate else None,
        "notes": "; ".join(row.result.get("notes", ())) or None,
        "status": DONE,
    }
    return {column.name: found[column.name] for column in COLUMNS if column.name in found}


def command(row: Row, how: Settings, liberty: str | None) -> str:
    """The command that measures this unit alone."""
    from macaw.hdl.options import naming

    parameters = dict(row.parameters)
    spec = unit(parameters.pop("kind"), **parameters)
    rest = ["--stages", str(row.stages)]
    rest += [word for name, value in row.implementation.items() for word in (f"--{name}", value)]
    rest += ["--target", "asic" if liberty else row.target]
    rest += ["--liberty", liberty] if liberty else []
    routed = row.fmax_mhz is not None and not liberty
    rest += ["--seed", str(how.seed)] if routed else []
    rest += ["--seeds", str(how.seeds)] if routed and how.seeds > 1 else []
    rest += ["--energy", "--operands", how.operands] if row.energy_unit else []
    return naming.command("synth", spec, None, *rest)


def tidy(found: dict[str, Any]) -> dict[str, Any]:
    """A row with every column, in order; None where there is no figure, or none that is finite."""
    row = {column.name: found.get(column.name) for column in COLUMNS}
    for name, value in row.items():
        if isinstance(value, float) and not math.isfinite(value):
            row[name] = None
    return row
