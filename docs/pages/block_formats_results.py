# SPDX-License-Identifier: BSD-2-Clause
"""docs/block-formats-results.md: what a block dot product costs, beside public designs."""

from typing import Any

from benchmarks.cost.groups import PAIRS, PRODUCTS, WEIGHTS, pair, weight
from benchmarks.cost.measure import MEGAHERTZ
from macaw.golden.formats.block import BLOCKS, Block

from . import anchors
from .markdown import luts, number, table


def _label(case: str) -> str:
    fmt = BLOCKS.get(case.removesuffix(" int32"))
    notes = []
    if isinstance(fmt, Block) and fmt.tile > 1:
        notes.append("blocks of 32")
    if case.endswith(" int32"):
        notes.append("`chunk(auto,int32)`")
    return case.removesuffix(" int32") + (f" ({', '.join(notes)})" if notes else "")


def _figures(row: dict[str, Any]) -> list[str]:
    osu = row.get("osu018") or {}
    return [
        _label(row["case"]) + (" *" if "aligned" in row.get("parameter accumulation", "") else ""),
        str(row["lanes"]),
        luts(row["ecp5"]),
        luts(row["ecp5-lut"]),
        number(row["ecp5-lut"]["lut_equivalents"] / row["lanes"]),
        number(row["asic"]["gate_equivalents"]),
        number(row["asic"]["gate_equivalents"] / row["lanes"]),
        number(row["asic"]["delay_fo4"]),
        number(osu.get("gate_equivalents")),
        number(osu.get("logic_ps")),
    ]


def page(found: dict[str, Any], public: dict[str, Any]) -> str:
    """The Markdown page."""
    rows = found["rows"]
    whole = [row for row in rows if "error" not in row]
    areas = {row["case"]: row for row in whole if row["what"] == "area"}
    tools = sorted({tool for row in whole for tool in row["ecp5"]["tools"]})
    head = ["format", "lanes", "LUT", "LUT, no DSP", "LUT per MAC", "GE", "GE per MAC", "FO4",
            "osu018 GE", "osu018 ps"]  # fmt: skip
    clocked = [
        [
            _label(row["case"]),
            number(row["alone"]["fmax_mhz"], 1),
            str(row["stages"]),
            number(row["routed"]["fmax_mhz"], 1),
            luts(row["ecp5"]),
            str(row["ecp5"]["ffs"]),
            number(row["asic"]["gate_equivalents"]),
            number(row["asic"]["delay_fo4"]),
        ]
        for row in whole
        if row["what"] == "clock"
    ]
    clocks = ["format", "MHz at 0 stages", "stages", "MHz", "LUT", "FF", "GE", "FO4"]
    failed = [f"- {_label(r['case'])}, {r['what']}: {r['error']}" for r in rows if "error" in r]
    return f"""<!-- SPDX-License-Identifier: BSD-2-Clause -->
<!-- Written by `make docs` from what benchmarks/cost/block_dots.py measured. -->
# What a block dot product costs

`block-dot`: the products of one pair of blocks, added exactly, times both scales, plus an fp32
addend, rounded once to fp32. 32 lanes, or 16 where blocks have 16 elements. Scalar formats: `dot`
of 32 lanes into fp32 (int32 for int8).

LUT is LUT4 + 2 * CCU2C of the bare unit after `synth_ecp5`; *no DSP* is `multiplier=lut`, which
also leaves wide LUTs out. GE (NAND2 gate equivalents) and FO4 are of macaw's logical-effort
library, register to register; osu018 is a 0.18 um library, its delay without registers and
without wires. Tools: {", ".join(tools)}.

## Combinational

{table(head, [_figures(row) for row in areas.values()])}

\\* The exact sum is too wide for gates: `aligned`, see [arithmetic.md](arithmetic.md).

## Beside public units

{anchors.beside(public, "block-dot", "block-mac")}

## Fewest stages for {MEGAHERTZ:g} MHz on ECP5

Placed and routed between registers, seed 1.

{table(clocks, clocked) if clocked else "Not measured yet."}
{chr(10).join(["", "## Without figures", "", *failed, ""]) if failed else ""}"""


def zero_points(found: dict[str, Any]) -> str:
    """Dot products of groups with and without zero points."""
    rows = [[f"`{a}`", f"`{b}`", *_priced(found[pair(a, b)])] for a, b in PAIRS]
    return table(["a", "b", *_PRICES], rows, 2)


def weights(found: dict[str, Any]) -> str:
    """Dot products of weights of four bits."""
    rows = [[f"`{name}`", *_priced(found[weight(name)])] for name in WEIGHTS]
    return table(["a", *_PRICES], rows)


def products(found: dict[str, Any]) -> str:
    """Products of two codes."""
    return table(["unit", *_PRICES], [[f"`{row}`", *_priced(found[row])] for row in PRODUCTS])


_PRICES = ["GE", "FO4", "LUT", "LUT, no DSP"]


def _priced(row: dict[str, Any]) -> list[str]:
    asic, ecp5, plain = (row[what]["result"] for what in ("asic", "ecp5", "ecp5-lut"))
    gates, delay = asic["gate_equivalents"], asic["delay_fo4"]
    return [number(gates), number(delay), luts(ecp5), luts(plain)]
