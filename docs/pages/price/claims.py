# SPDX-License-Identifier: BSD-2-Clause
"""docs/claims.md and its picture: sentences of papers beside figures."""

from typing import Any

from benchmarks.studies.price.claims import (
    ACCUMULATIONS,
    BLOCKED,
    CHUNK,
    FLOATS,
    LANES,
    OPERAND,
    ORDERS,
    ROTATIONS,
    SCALES,
    SUM,
)
from macaw.synth.page import charts

from ..markdown import table
from .lines import lines
from .sheet import PLACES, Row

Made = dict[str, Any]
NAMES = dict(zip(ACCUMULATIONS, ("one by one", f"chunks of {CHUNK}", "exact"), strict=True))
DATA = {
    "positive": "uniform, mean and deviation one",
    "normal": "products of normal numbers",
}
HBFP = 8.5
"""Times the throughput of floating point at equal area, that its paper states at most."""


def _errors(made: Made) -> dict[tuple[str, str, int], float]:
    return {(row["data"], row["sum"], row["length"]): row["error"] for row in made["sums"]}


def _lengths(made: Made) -> list[int]:
    return sorted({row["length"] for row in made["sums"]})


def sums(made: Made) -> str:
    """Errors in per cent by length."""
    found = _errors(made)
    head = ["terms", *(f"{DATA[data]}: {NAMES[how]}" for data in DATA for how in ACCUMULATIONS)]
    rows = [
        [f"{n:,}", *(f"{100 * found[data, how, n]:.3g}" for data in DATA for how in ACCUMULATIONS)]
        for n in _lengths(made)
    ]
    return table(head, rows)


def swamped(made: Made) -> str:
    """What the longest sums lose."""
    found, longest = _errors(made), _lengths(made)[-1]
    one, chunked, exact = (found["positive", how, longest] for how in ACCUMULATIONS)
    return (
        f"Of {longest:,} positive terms the sum one by one is {100 * one:.3g} % off, in chunks of "
        f"{CHUNK} {100 * chunked:.2g} %, the exact one, rounded once, {100 * exact:.2g} %."
    )


def adders(made: Made) -> str:
    """What adds, on `asic`, and what a product costs with a second level once a chunk."""
    found: dict[str, Row] = made["adders"]
    second = found["second level"]
    rows = []
    for name, more in (("sequential", 0), ("sequential", 1), ("fp32", 0), ("exact", 0)):
        row = found[name]
        how = f"chunks of {CHUNK}" if more else {"sequential": NAMES["sequential"]}.get(name, name)
        area = row["gate_equivalents"] + more * second["gate_equivalents"]
        energy = row["energy_per_operation"] + more * second["energy_per_operation"] / CHUNK
        unit = f"`{row['unit']}`" + (f", `{second['unit']}`" if more else "")
        rows.append([how, unit, f"{area:,.0f}", f"{row['delay_fo4']:.0f}", f"{energy:,.0f}"])
    return table(["sum", "units", "GE", "FO4", "inv/MAC"], rows, 2)


def orders(made: Made) -> str:
    """Results of one dot product by the order of its terms."""
    rows = [
        [
            row["sum"],
            f"{row['different']} of {row['products']}",
            f"{row['results']:.1f}",
            f"{100 * row['spread']:.2g} %",
        ]
        for row in made["orders"]
    ]
    head = ["sum", "with several results", f"results of {ORDERS} orders", "furthest apart"]
    return table(head, rows)


def _kept(made: Made) -> dict[tuple[str, str, int], float]:
    return {(r["format"], r["data"], r["rotation"]): r["quantised"] for r in made["scales"]}


def _data(made: Made) -> list[str]:
    return list(dict.fromkeys(row["data"] for row in made["scales"]))


def scales(made: Made) -> str:
    """Signal-to-noise of quantisation by format, rotation and data."""
    found = _kept(made)
    head = ["format", "rotation", *_data(made)]
    rows = [
        [f"`{name}`", str(turn or "none"), *(f"{found[name, d, turn]:.1f}" for d in _data(made))]
        for name in SCALES
        for turn in ROTATIONS
    ]
    return table(head, rows, 2)


def rotated(made: Made) -> str:
    """What the rotations give each of the two formats."""
    found = _kept(made)
    parts = []
    for name in ("nvfp4", "mxfp4"):
        best = {
            d: max(found[name, d, turn] for turn in ROTATIONS if turn) - found[name, d, 0]
            for d in _data(made)
        }
        said = ", ".join(f"{d} {value:+.1f} dB" for d, value in best.items())
        parts.append(f"- `{name}` gains by the best rotation: {said}.")
    for name, other in (("mxfp4", "e2m1-k32-fp32"), ("e2m1-k16-e8m0", "e2m1-k16-fp32")):
        lost = {d: found[name, d, 0] - found[other, d, 0] for d in _data(made)}
        said = ", ".join(f"{d} {value:+.1f} dB" for d, value in lost.items())
        parts.append(f"- Scales that are powers of two, `{name}` against `{other}`: {said}.")
    return "\n".join(parts)


def throughput(made: Made) -> str:
    """Multiply-accumulates in a unit of time and area, and how many times a float's HBFP8's are."""
    rows = []
    for target, found in made["throughput"].items():
        by_name: dict[str, Row] = {row["format"]: row for row in found["rows"]}
        blocked = by_name[BLOCKED]
        for name in (BLOCKED, *FLOATS):
            row = by_name.get(name)
            if row is None or "error" in row:
                continue
            times = blocked["rate"] / blocked["cost"] / (row["rate"] / row["cost"])
            clock = row["fmax_mhz"] if "fmax_mhz" in row else row["period_fo4"]
            unit = "MHz" if "fmax_mhz" in row else "FO4"
            rows.append(
                [
                    PLACES.get(target, target),
                    name,
                    f"`{row['unit']}`",
                    str(row["stages"]),
                    f"{row['cost'] / row['macs']:,.0f}",
                    f"{clock:.0f} {unit}",
                    f"{times:.1f}",
                ]
            )
    head = ["target", "format", "unit", "stages", "cells or GE per MAC", "clock", "HBFP8's, times"]
    return table(head, rows, 3)


def drawing(made: Made) -> str:
    """Errors over the number of terms."""
    found = _errors(made)
    panels = [
        lines(
            head,
            {
                NAMES[how]: [(n, 100 * found[data, how, n]) for n in _lengths(made)]
                for how in ACCUMULATIONS
            },
            "terms of a sum",
            "rms error, per cent",
            log=True,
        )
        for data, head in DATA.items()
    ]
    return charts.picture(panels)


def page(made: Made) -> str:
    """The page."""
    return f"""<!-- SPDX-License-Identifier: BSD-2-Clause -->
<!-- Written by `make docs` from what benchmarks/studies/price/claims.py measured. -->
# What papers say, and what comes of it here

Sentences that are quoted often, each beside figures of `python -m benchmarks.studies.price.claims`.
All sums are the golden model's, which are those of the gates; of {made["rows"]} dot products,
seed {made["seed"]}.

## Chunked sums, where sequential ones are swamped

> Chunks of 64 products are added in 16 bits as well as in 32. (Wang et al. 2018, and HFP8)

![Error of sums over their number of terms](images/claims.svg)

Operands in `{OPERAND}`, sums in `{SUM}`, as there: a term that is less than half an ulp of the sum
so far is lost, and of positive terms soon every one is. {swamped(made)}

Rms error in per cent of the exact sums' rms. The error of the exact one is that of its rounding, in
longer sums of one rounding in {LANES:,} terms, since a unit takes so many at most.

{sums(made)}

What adds, on `asic` without pipeline registers, energy by normally distributed operands; the second
level of chunks adds once in {CHUNK} products. The exact accumulator has room for 65,536 terms.

{adders(made)}

## One dot product in {ORDERS} orders

> The order of additions changes results, in bf16 so much that answers of a model change.
> (LayerCast: weights in bf16, sums in fp32)

{made["length"]:,} products of normally distributed factors in bf16, the same ones in {ORDERS}
orders, each added one by one; how far apart is told in per cent of the sums' rms.

{orders(made)}

## Rotations and scales of four-bit floats

> NVFP4's small group size neutralizes rotations, and MXFP4's power-of-two scales degrade
> accuracy. (MR-GPTQ, arXiv 2509.23202)

Signal-to-noise of quantisation in dB; all share `e2m1` as element, and differ in the size of a
block (`k`) and its scale. Rotations are random Hadamard matrices of that size along the axis of the
block; scales that are powers of two are those that saturate nothing.

{rotated(made)}

{scales(made)}

## Blocks against floats at equal area

> HBFP8 has up to {HBFP} times the throughput of floating point at equal area. (Drumond et al. 2018)

Multiply-accumulates in a unit of time and area, each unit with the pipeline that serves it best,
multipliers from logic cells: a dot product of a tile's row in HBFP8 with one rounding to fp32,
against fused multiply-adds, one a product, with sums in fp32. The last column is how many times
this row's throughput per area HBFP8 has.

{throughput(made)}
"""
