# SPDX-License-Identifier: BSD-2-Clause
"""docs/integers-floats.md and its picture: integers beside floats at equal throughput."""

from typing import Any

from .. import synthesis_results
from ..block_formats_study import PUBLISHED
from ..markdown import table
from . import sheet
from .sheet import PLACES, area, energy, library, ratio, refused, rows

Made = dict[str, Any]
UNIT = "mxfp8-e4m3"
"""What all is relative to."""
ENERGIES = {"mxint8": 0.63, "nvfp4": 0.55, "nvint4": 0.34}
"""That arXiv 2510.25602 states, of MXFP8's at equal throughput."""
AREAS = PUBLISHED["arXiv 2510.25602"]
PAIRS = (("mxint8", UNIT), ("mxint4", "mxfp4"), ("nvint4", "nvfp4"), ("int8", "bf16"))
"""An integer format, and the float that it is set against."""


def _targets(made: Made) -> list[str]:
    return [name for name in ("asic", "process") if UNIT in rows(made, name)]


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def claims(made: Made) -> str:
    """Shares of MXFP8's energy and area, the paper's and ours."""
    head = ["of MXFP8 (e4m3)", "the paper", *(PLACES[name] for name in _targets(made))]
    lines = []
    for what, figure, said in (("energy", energy, ENERGIES), ("area", area, AREAS)):
        for name in ENERGIES:
            ours = [rows(made, target) for target in _targets(made)]
            shares = [ratio(found, figure, name, UNIT) if name in found else None for found in ours]
            lines.append([f"{what} of {name}", f"{said[name]:.2f}", *map(_share, shares)])
    return table(head, lines)


def verdicts(made: Made) -> str:
    """For each pair whether the integer takes less."""
    lines = []
    for integer, other in PAIRS:
        for target in _targets(made):
            found = rows(made, target)
            if not {integer, other} <= {*found}:
                continue
            less = [ratio(found, figure, integer, other) for figure in (energy, area)]
            kept = found[integer]["sqnr"], found[other]["sqnr"]
            ahead = [kept[0][data] - kept[1][data] for data in ("gaussian", "heavy-tailed")]
            lines.append(
                f"- {integer} against {other} on {PLACES[target]}: {less[0]:.2f} of the energy, "
                f"{less[1]:.2f} of the area, SQNR {ahead[0]:+.1f} dB on normal and "
                f"{ahead[1]:+.1f} dB on heavy-tailed data."
            )
    return "\n".join(lines)


def costs(made: Made, target: str) -> str:
    """All figures of a target."""
    found = rows(made, target)
    process = target == "process"
    head = ["format", "bits", "lanes", "stages", "um2/MAC" if process else "GE/MAC", "of MXFP8"]
    head += ["pJ/MAC" if process else "inv/MAC", "of MXFP8", "without glitches", "clock's share"]
    lines = []
    for name, row in found.items():
        one = found[UNIT]
        still = row["energy_without_glitches"] / row["macs"]
        base = one["energy_without_glitches"] / one["macs"]
        spent = row["energy_of_clock"] / row["macs"] / energy(row)
        size = row["area_um2"] / row["macs"] if process else area(row)
        lines.append(
            [
                name + ("" if row["reached"] else " (not reached)"),
                f"{row['bits']:.4g}",
                str(row["macs"]),
                str(row["stages"]),
                f"{size:,.0f}",
                _share(area(row) / area(one)),
                f"{energy(row):.3g}" if process else f"{energy(row):,.0f}",
                _share(energy(row) / energy(one)),
                _share(still / base),
                f"{100 * spent:.0f} %",
            ]
        )
    return table(head, lines)


def kept(made: Made) -> str:
    """Signal-to-noise of the dot products of the units."""
    lines = [
        [name, row["unit"], *(f"{row['sqnr'][data]:.1f}" for data in ("gaussian", "heavy-tailed"))]
        for name, row in rows(made, _targets(made)[0]).items()
    ]
    return table(["format", "unit", "normal", "heavy-tailed"], lines, 2)


def drawing(made: Made) -> str:
    """SQNR over energy."""
    return sheet.drawing(made, _targets(made))


def page(made: Made, horowitz: Made) -> str:
    """The page."""
    settings = made["asic"]["settings"]
    clock = settings["clock"].replace("FO4", " FO4")
    parts = []
    for target in _targets(made):
        parts += [f"## On {PLACES[target]}", "", costs(made, target), ""]
    if "process" in _targets(made):
        parts += [f"The library: {library(made)}.", ""]
    missing = refused(made)
    if missing:
        parts += ["Without figures:", "", missing, ""]
    return f"""<!-- SPDX-License-Identifier: BSD-2-Clause -->
<!-- Written by `make docs` from what benchmarks/studies/price/integers_floats.py measured. -->
# Integers against floats at equal throughput

![Energy per multiply-accumulate against signal-to-noise ratio](images/integers-floats.svg)

What a multiply-accumulate costs in area and energy in formats of blocks and without, where all do
the same work in the same time: dot products of 32 lanes (of a block, where it is smaller), one a
clock, each with the fewest stages that are measured to reach {clock}, mapped for
{settings["optimise"]}. Sums are exact and rounded once, to fp32, or kept in int32 where both
factors are scalar integers; units with `aligned` in their names keep so many bits of a sum behind
its greatest term. Energy is that of gate-level simulation on normally distributed operands,
glitches counted ([how](synthesis.md#energy)), each result compared with the golden model's; wires
count nothing, and leakage is not in it. Made by `python -m
benchmarks.studies.price.integers_floats --targets asic FILE`, FILE being the Liberty file.

## What a paper says

"INT v.s. FP" (arXiv 2510.25602) states energies and areas of units at equal throughput, relative to
MXFP8's, whose exact datapath and process it does not share with this page: only ratios compare.

{claims(made)}

## Integer against float

{verdicts(made)}

{chr(10).join(parts)}
## What they keep

SQNR of dot products of 1024 elements in dB, by the golden model of the unit that is priced.

{kept(made)}

## Is the energy to be believed?

Energies of single operations beside those that Horowitz gave for 45 nm (ISSCC 2014), without
registers; where the ratios part, and why, is said in [synthesis.md](synthesis.md#energy).

{synthesis_results.energies(horowitz)}
"""
