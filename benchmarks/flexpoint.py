# SPDX-License-Identifier: BSD-2-Clause
"""What a multiply-accumulate in Flexpoint costs, beside floats and integers at equal work.

Writes docs/flexpoint-results.md and .json: the area of all, and with `--clock` the clock of one
lane on ecp5, without registers and with the fewest stages for 100 MHz, minutes of place and route
for each. Rows that are not asked for stay, as long as their gates are what they were. Each figure
goes through macaw's cache.

Example: python benchmarks/flexpoint.py --cases flex16+5,int16 --clock
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from blocks import MEGAHERTZ, area, clock, digest, luts, number, table

from macaw.golden.errors import MacawError
from macaw.golden.units import Unit, unit

ROOT = Path(__file__).parents[1]
LANES = (1, 8, 32)
FLEX = ("flex16+5", "flex12+5", "flex8+5")
FLOATS = ("fp16", "bf16")
INTEGERS = {"int16": "int48", "int8": "int32"}
FORMATS = (*FLEX, *FLOATS, *INTEGERS)
CLOCKED = ("flex16+5", *FLOATS, *INTEGERS)


def spec(name: str, lanes: int) -> Unit:
    """The unit of a format that does ``lanes`` multiply-accumulates a clock."""
    if name in FLEX:
        return unit("flex-mac", a=name, lanes=lanes)
    if name in INTEGERS:
        return unit("mac", a=name, out=INTEGERS[name], terms=65536, lanes=lanes)
    if lanes == 1:
        return unit("fma", a=name, out="fp32", c="fp32")
    wide = {} if name == "fp16" else {"accumulation": "aligned(32)"}
    return unit("dot", a=name, out="fp32", lanes=lanes, **wide)


def measure(name: str, lanes: int, what: str, progress: Any = None) -> dict[str, Any]:
    """One row of the JSON; 'error' says why there is no more."""
    row: dict[str, Any] = {"case": name, "lanes": lanes, "what": what}
    chosen = spec(name, lanes)
    try:
        row["design"] = digest(chosen)
        figures = clock if what == "clock" else area
        return figures(name, chosen, progress=progress) | row
    except MacawError as error:
        return row | {"error": " ".join(str(error).split())}


def key(row: dict[str, Any]) -> tuple[str, int, str]:
    return row["case"], row["lanes"], row["what"]


def merged(old: list[dict[str, Any]], new: dict[str, Any]) -> list[dict[str, Any]]:
    """``old`` rows that are still of the same gates, and the new one, in the page's order."""
    kept = [row for row in old if key(row) != key(new)]
    kept = [row for row in kept if row.get("design") == digest(spec(row["case"], row["lanes"]))]
    order = {name: place for place, name in enumerate(FORMATS)}
    return sorted([*kept, new], key=lambda row: (row["lanes"], row["what"], order[row["case"]]))


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
            luts(row, "ecp5"),
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
            luts(row, "ecp5"),
            str(row["ecp5"]["ffs"]),
            number(row["asic"]["gate_equivalents"]),
            number(row["asic"]["delay_fo4"]),
        ]
        for row in rows
        if row["what"] == "clock"
    ]


def page(rows: list[dict[str, Any]]) -> str:
    """The Markdown page."""
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
<!-- Written by benchmarks/flexpoint.py; do not edit. -->
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", help="names of formats, with commas; default all")
    parser.add_argument("--lanes", default=",".join(map(str, LANES)))
    parser.add_argument("--clock", action="store_true", help="also the clock of one lane")
    parser.add_argument("--only-clock", action="store_true", help="no areas")
    parser.add_argument("--output", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    started = time.monotonic()

    def progress(text: str) -> None:
        print(f"{time.monotonic() - started:6.0f} s  {text}", file=sys.stderr, flush=True)

    wanted = options.cases.split(",") if options.cases else list(FORMATS)
    unknown = set(wanted) - set(FORMATS)
    if unknown:
        raise MacawError(f"cases: {sorted(unknown)[0]!r} is none of {', '.join(FORMATS)}")
    lanes = [int(word) for word in options.lanes.split(",")]
    work = [(name, count, "area") for count in lanes for name in wanted if not options.only_clock]
    if options.clock or options.only_clock:
        work += [(name, 1, "clock") for name in wanted if name in CLOCKED]
    file = options.output / "flexpoint-results.json"
    options.output.mkdir(parents=True, exist_ok=True)
    for name, count, what in work:
        row = measure(name, count, what, progress)
        old = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.exists() else []
        rows = merged(old, row)
        file.write_text(json.dumps({"rows": rows}, indent=1) + "\n", encoding="utf-8")
        file.with_suffix(".md").write_text(page(rows), encoding="utf-8")
    print(file.with_suffix(".md").read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MacawError as error:
        sys.exit(f"macaw: {error}")
