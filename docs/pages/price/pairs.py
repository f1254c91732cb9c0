# SPDX-License-Identifier: BSD-2-Clause
"""docs/pairs.md and its picture: small weights by wider activations."""

from typing import Any

from benchmarks.studies.price.pairs import FORMATS, LANES, WIDE

from ..markdown import table
from . import sheet
from .sheet import PLACES, area, energy, library, ratio, refused, rows

Made = dict[str, Any]
CLAIMS = (
    ("int4", "int8", "HAWQ-V3: int4 infers up to 1.5 times as fast as int8 on a GPU"),
    ("int4:int8", "int8", "weights of four bits (W4A8), activations of eight"),
    ("e2m1:e4m3finite", "int4:int8", "ZeroQuant-FP: floats in the place of integers in W4A8"),
    ("e2m1", "int4", "FP4DiT: floats in the place of integers of four bits"),
    ("int2:fp16", "fp16", "decoupleQ: weights of two bits, activations fp16"),
    ("ternary", "fp16", "BitNet b1.58: energy of products and sums 71 times less than fp16's"),
    ("ternary", "int8", "the same against int8"),
    ("binary:binary", "fp32", "BiBERT: operations 56 times fewer than fp32's"),
)
"""One pair against another, and who says what of it."""


def _targets(made: Made) -> list[str]:
    return [name for name in ("asic", "process") if rows(made, name)]


def claims(made: Made) -> str:
    """How many times less each pair takes than what it is set against, if both are measured."""
    head = ["pair", "against", "who says what"]
    for target in _targets(made):
        head += [f"area, times less, {PLACES[target]}", "energy"]
    lines = []
    measured = [rows(made, target) for target in _targets(made)]
    for one, other, said in CLAIMS:
        if not any({one, other} <= {*found} for found in measured):
            continue
        line = [f"`{one}`", f"`{other}`", said]
        for target in _targets(made):
            found = rows(made, target)
            both = one in found and other in found
            line += [
                _times(ratio(found, figure, other, one)) if both else "-"
                for figure in (area, energy)
            ]
        lines.append(line)
    return table(head, lines, 3)


def _times(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def costs(made: Made, target: str) -> str:
    """All figures of a target."""
    process = target == "process"
    head = ["weight:activation", "unit", "bits", "stages", "um2/MAC" if process else "GE/MAC"]
    head += ["pJ/MAC" if process else "inv/MAC", "clock's share", "normal, dB", "heavy-tailed, dB"]
    lines = []
    for name, row in rows(made, target).items():
        size = row["area_um2"] / row["macs"] if process else area(row)
        spent = row["energy_of_clock"] / row["macs"] / energy(row)
        lines.append(
            [
                name + ("" if row["reached"] else " (not reached)"),
                f"`{row['unit']}`",
                f"{row['bits']:.4g}",
                str(row["stages"]),
                f"{size:,.0f}",
                f"{energy(row):.3g}" if process else f"{energy(row):,.0f}",
                f"{100 * spent:.0f} %",
                *(f"{row['sqnr'][data]:.1f}" for data in ("gaussian", "heavy-tailed")),
            ]
        )
    return table(head, lines, 2)


def drawing(made: Made) -> str:
    """SQNR over energy."""
    return sheet.drawing(made, _targets(made))


def page(made: Made) -> str:
    """The page."""
    settings = made["asic"]["settings"]
    clock = settings["clock"].replace("FO4", " FO4")
    targets = " ".join("FILE" if name == "process" else name for name in made)
    found = [row["format"] for row in made["asic"]["rows"]]
    how = f" --formats {' '.join(found)}" if found != [*FORMATS] else ""
    command = f"python -m benchmarks.studies.price.pairs --targets {targets}{how}"
    parts = []
    for target in _targets(made):
        parts += [f"## On {PLACES[target]}", "", costs(made, target), ""]
    if "process" in _targets(made):
        parts += [f"The library: {library(made)}.", ""]
    missing = refused(made)
    if missing:
        parts += ["Without figures:", "", missing, ""]
    return f"""<!-- SPDX-License-Identifier: BSD-2-Clause -->
<!-- Written by `make docs` from what benchmarks/studies/price/pairs.py measured. -->
# Small weights, wider activations

![Energy per multiply-accumulate against signal-to-noise ratio](images/pairs.svg)

Dot products of {LANES} lanes, one a clock, each with the fewest stages that are measured to reach
{clock}, mapped for {settings["optimise"]}; {", ".join(WIDE)} are fused multiply-adds, one a
product, at the same clock. `ternary` and `binary` alone are weights by int8. Integers are summed in
int32, floats exactly, with one rounding to fp32. Energy is that of gate-level simulation on
normally distributed operands, glitches counted ([how](synthesis.md#energy)), each result compared
with the golden model's. Made by

```sh
{command}
```

## Beside what papers say

What papers count is not what is measured here (inference on a GPU, numbers of operations, single
adders and multipliers), so this tells how much of a claim comes of the arithmetic.

{claims(made)}

SQNR is that of dot products of 1024 elements, each tensor scaled by a power of two, without
training: networks with weights of one or two bits are trained with these.

{chr(10).join(parts).rstrip()}
"""
