# SPDX-License-Identifier: BSD-2-Clause
"""What a multiply-accumulate in Flexpoint costs, beside floats and integers at equal work.

The area of all, and with `--clock` the clock of one lane on ecp5, without registers and with the
fewest stages for 100 MHz, minutes of place and route for each. Rows that are not asked for stay, as
long as their gates are what they were. Each figure goes through macaw's cache.

Example: python -m benchmarks.cost.flex --cases flex16+5,int16 --clock
"""

import argparse
from typing import Any

from macaw.golden.errors import MacawError
from macaw.golden.units import Unit, unit

from .. import results, start
from ..stopwatch import stopwatch
from .measure import area, clock, digest

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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", help="names of formats, with commas; default all")
    parser.add_argument("--lanes", default=",".join(map(str, LANES)))
    parser.add_argument("--clock", action="store_true", help="also the clock of one lane")
    parser.add_argument("--only-clock", action="store_true", help="no areas")
    results.add_output(parser)
    options = parser.parse_args()
    progress = stopwatch()
    wanted = options.cases.split(",") if options.cases else list(FORMATS)
    unknown = set(wanted) - set(FORMATS)
    if unknown:
        raise MacawError(f"cases: {sorted(unknown)[0]!r} is none of {', '.join(FORMATS)}")
    lanes = [int(word) for word in options.lanes.split(",")]
    work = [(name, count, "area") for count in lanes for name in wanted if not options.only_clock]
    if options.clock or options.only_clock:
        work += [(name, 1, "clock") for name in wanted if name in CLOCKED]
    for name, count, what in work:
        row = measure(name, count, what, progress)
        old = results.read("flex", options.output, {"rows": []})
        results.write("flex", {"rows": merged(old["rows"], row)}, options.output)
        progress(f"{what} {name}, {count} a clock")
    return 0


if __name__ == "__main__":
    start(main)
