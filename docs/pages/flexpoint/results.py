# SPDX-License-Identifier: BSD-2-Clause
"""docs/flexpoint-results.md: what a multiply-accumulate in Flexpoint costs."""

from typing import Any

from benchmarks.cost.flex import LANES
from benchmarks.cost.measure import MEGAHERTZ

from ..markdown import luts, number, table


def _areas(rows: list[dict[str, Any]], lanes: int) -> list[list[str]]:
    chosen = {r["case"]: r for r in rows if r["what"] == "area" and r["lanes"] == lanes}
    base = chosen.get("flex16+5")
    lines = []
    for name, row in chosen.items():
        logic = row["ecp5-lut"]["lut_equivalents"]
        gates = row["asic"]["gate_equivalents"]
        osu = (row.get("osu018") or {}).get("gate_equivalents")
        lines.append([
            name,
            f"`{row['kind']}`",
            luts(row["ecp5"]),
            number(logic / lanes),
            number(row["ecp5"]["ffs"]),
            number(gates / lanes),
            f"{gates / base['asic']['gate_equivalents']:.2f}" if base else "-",
            number(row["asic"]["delay_fo4"]),
            number(osu / lanes if osu else None),
        ])  # fmt: skip
    return lines


def _clocks(rows: list[dict[str, Any]]) -> list[list[str]]:
    return [
        [
            row["case"],
            number(row["alone"]["fmax_mhz"], 1),
            str(row["stages"]),
            number(row["routed"]["fmax_mhz"], 1),
            luts(row["ecp5"]),
            str(row["ecp5"]["ffs"]),
            number(row["asic"]["gate_equivalents"]),
            number(row["asic"]["delay_fo4"]),
        ]
        for row in rows
        if row["what"] == "clock"
    ]


def page(found: dict[str, Any]) -> str:
    """The Markdown page."""
    rows = found["rows"]
    whole = [row for row in rows if "error" not in row]
    tools = sorted({tool for row in whole for tool in row["ecp5"]["tools"]})
    head = ["format", "unit", "LUT", "LUT per MAC, no DSP", "FF", "GE per MAC", "of flex16+5",
            "FO4", "osu018 GE per MAC"]  # fmt: skip
    areas = "\n\n".join(
        f"### {lanes} a clock\n\n{table(head, _areas(whole, lanes), 2)}" for lanes in LANES
    )
    clocks = ["format", "MHz at 0 stages", "stages", "MHz", "LUT", "FF", "GE", "FO4"]
    clocked = _clocks(whole)
    failed = [
        f"- {r['case']}, {r['lanes']}, {r['what']}: {r['error']}" for r in rows if "error" in r
    ]
    return f"""<!-- SPDX-License-Identifier: BSD-2-Clause -->
<!-- Written by `make docs` from what benchmarks/cost/flex.py measured. -->
# What a multiply-accumulate in Flexpoint costs

Units that do the same number of multiply-accumulates a clock. `flex-mac` accumulates exactly, and
has the whole output stage: shift by the exponents, rounding, saturation, largest magnitude of the
tensor and overflow. `mac` of integers accumulates exactly too, and gives the sum as it is: bringing
it back to the operands' width is not in its price. `fma` and `dot` of floats add to an fp32 number
that is an operand: its register is not in their price, nor the conversion back. Sums of integers
and of Flexpoint hold 65536 products; the exact sum of bf16 is too wide for gates, and is
`aligned(32)`.

LUT is LUT4 + 2 * CCU2C of the bare unit after `synth_ecp5`; *no DSP* is `multiplier=lut`, which
also leaves wide LUTs out. GE (NAND2 gate equivalents) and FO4 are of macaw's logical-effort
library, register to register; osu018 is a 0.18 um library. Tools: {", ".join(tools)}.

## Area, combinational but for the accumulator

{areas}

## Clock on ECP5, one a clock

Without registers, and with the fewest stages for {MEGAHERTZ:g} MHz; placed and routed between
registers, seed 1.

{table(clocks, clocked) if clocked else "Not measured yet."}
{chr(10).join(["", "## Without figures", "", *failed, ""]) if failed else ""}"""
