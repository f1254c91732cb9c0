# SPDX-License-Identifier: BSD-2-Clause
"""What a block dot product costs in each block format.

Area comes first, for all; `--clock` adds the fewest
register stages for 100 MHz on ecp5, minutes of place and route for each. Rows that are not asked
for stay, as long as their gates are what they were. Each figure goes through macaw's cache.

Example: python -m benchmarks.cost.block_dots --cases mxfp4,nvfp4 --clock
"""

import argparse
from dataclasses import replace
from typing import Any

from macaw.golden.errors import MacawError
from macaw.golden.formats.block import BLOCKS
from macaw.golden.formats.block import format as format_of
from macaw.golden.units import Unit, unit
from macaw.synth import jobs, source
from macaw.synth.work import BLOCK_LANES, candidates

from .. import positive, results, start
from ..stopwatch import stopwatch
from .measure import area, clock, digest

FIRST = ("mxfp4", "mxint8", "mxfp8-e4m3", "nvfp4")
"""Of the pipelined figures."""
SCALARS = ("bf16", "fp16", "e4m3", "int8")


def cases() -> dict[str, Unit]:
    """Return the unit of each row by its name: blocks of 16 in 16 lanes, all else in 32."""
    found: dict[str, Unit] = {}
    for name, fmt in BLOCKS.items():
        if fmt.tile > 1:  # a tile that 32 lanes do not fill; its rows make no difference here
            fmt = replace(fmt, size=BLOCK_LANES, tile=1)
        found[name] = unit("block-dot", a=fmt, out="fp32")
        if fmt.size is None:
            chunked = "chunk(auto,int32)"
            found[f"{name} int32"] = unit("block-dot", a=fmt, out="fp32", accumulation=chunked)
    return found | {name: _dot(name) for name in SCALARS}


def _dot(name: str) -> Unit:
    for spec in candidates(format_of(name), "dot", BLOCK_LANES):
        try:
            source.generate(spec, stages=0)
        except MacawError:
            continue
        return spec
    raise MacawError(f"{name}: no unit")


def measure(name: str, spec: Unit, what: str, progress: Any = None) -> dict[str, Any]:
    """One row of the JSON: ``what`` is 'area' or 'clock'; 'error' says why there is no more."""
    row: dict[str, Any] = {"case": name, "what": what}
    try:
        row["design"] = digest(spec)
        figures = (clock if what == "clock" else area)(name, spec, progress=progress)
    except MacawError as error:
        return row | {"error": " ".join(str(error).split())}
    return row | figures


def merged(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """``new`` rows, and those ``old`` ones that no new row replaces or shows to be out of date."""
    known = {(row["case"], row["what"]) for row in new}
    gates = {row["case"]: row.get("design") for row in new}
    kept = [
        row
        for row in old
        if (row["case"], row["what"]) not in known
        and row["design"] == gates.get(row["case"], row["design"])
    ]
    order = list(cases())
    rows = [row for row in [*kept, *new] if row["case"] in order]
    return sorted(rows, key=lambda row: (order.index(row["case"]), row["what"]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", help="names of formats, with commas; default all")
    parser.add_argument("--clock", action="store_true", help="also the fewest stages for 100 MHz")
    parser.add_argument("--jobs", type=positive, default=1)
    results.add_output(parser)
    options = parser.parse_args()
    progress = stopwatch()
    every = cases()
    wanted = options.cases.split(",") if options.cases else list(every)
    unknown = set(wanted) - set(every)
    if unknown:
        raise MacawError(f"cases: {sorted(unknown)[0]!r} is none of {', '.join(every)}")
    wanted.sort(key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    work = [(name, "area") for name in wanted]
    work += [(name, "clock") for name in wanted if options.clock and name in BLOCKS]

    def one(name: str, what: str) -> None:
        row = measure(name, every[name], what, progress)
        results.change(
            "block_dots",
            lambda old: {"rows": merged(old["rows"], [row])},
            options.output,
            {"rows": []},
        )

    todo = [
        jobs.Job(name=f"{name} {what}", function=one, arguments={"name": name, "what": what})
        for name, what in work
    ]
    jobs.run(todo, workers=options.jobs, progress=progress)
    return 0


if __name__ == "__main__":
    start(main)
