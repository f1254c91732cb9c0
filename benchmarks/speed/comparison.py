# SPDX-License-Identifier: BSD-2-Clause
"""How long `macaw compare` takes with energies: from an empty cache, and again from the full one.

Twelve pairs of weights by activations on ``asic``, and on a Liberty library where one is given, in
processes of their own; Yosys itself is compiled already, Verilator's runtime is not. Others may
work on the machine, so the load before each run is recorded, and processor seconds beside the
clock's.

Example: python -m benchmarks.speed.comparison --liberty ihp
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from macaw.golden.errors import MacawError
from macaw.synth import jobs
from macaw.synth.mapping import targets
from macaw.tools import yosys
from macaw.tools.command import FAILED, PASSED

from .. import positive, results, start
from ..stopwatch import stopwatch

PAIRS = (
    "int8*int8", "int4*int8", "int4*int4", "int2*int8", "ternary*int8", "binary*int8",
    "e4m3*e4m3", "e2m1*e4m3", "e5m2*e4m3", "int4*bf16", "int8*fp16", "e2m1*int8",
)  # fmt: skip
AIM = {"empty": 720.0, "full": 5.0}
"""Seconds, by what the cache holds."""


def command(pairs: list[str], liberty: str | None, vectors: int | None, folder: Path) -> list[str]:
    """The command line, behind ``macaw``."""
    words = ["compare", *pairs, "--target", "asic", "--energy", "--output", str(folder)]
    words += ["--liberty", liberty] if liberty else []
    return words + (["--vectors", str(vectors)] if vectors else [])


def timed(words: list[str], folder: Path) -> dict[str, Any]:
    """Seconds of one run and what became of its rows; MacawError if it breaks.

    ``folder`` has what is kept between runs, and gets the report.
    """
    load = os.getloadavg()[0]
    before = _processor()
    started = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-m", "macaw.cli", *words],
        env=os.environ | {"MACAW_CACHE": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    if run.returncode not in (PASSED, FAILED):
        last = run.stderr.strip().splitlines()[-1:] or ["it printed nothing"]
        raise MacawError(f"macaw compare, exit code {run.returncode}: {last[0]}")
    rows = results.read("compare", folder)["rows"]
    priced = [row for row in rows if not row["error"]]
    return {
        "seconds": round(seconds, 1),
        "processor_seconds": round(_processor() - before, 1),
        "load_before": round(load, 2),
        "rows": len(rows),
        "priced": len(priced),
        "with_energy": sum(row["energy_per_mac"] is not None for row in priced),
        "errors": {f"{row['format']} on {row['target']}": row["error"] for row in rows
                   if row["error"]},
    }  # fmt: skip


def _processor() -> float:
    """Seconds of processors that processes started here took, and those that they started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(
    pairs: list[str], liberty: str | None, vectors: int | None, kept: Path | None, before: Any
) -> dict[str, Any]:
    """Both runs, one after the other in one cache; of a cache that is ``kept``, if it has one, the
    second alone, and the first is what was recorded ``before``."""
    progress = stopwatch()
    with tempfile.TemporaryDirectory() as name:
        folder = kept or Path(name)
        words = command(pairs, liberty, vectors, folder)
        found: dict[str, Any] = {
            "machine": {"cores": jobs.cores(), "system": platform.system()},
            "pairs": pairs,
            "library": targets.target("asic", liberty).name if liberty else None,
            "vectors": vectors,
        }
        again = (folder / "cache").exists()
        if again:
            same = before and {**before, **found} == before
            if not same:
                raise MacawError(f"{folder}: has a cache, but no record of the run that filled it")
            found["empty"] = before["empty"]
        for cache in list(AIM)[again:]:
            found[cache] = timed(words, folder)
            progress(f"{cache} cache: {found[cache]['seconds']} s")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", nargs="+", default=[*PAIRS], metavar="PAIR")
    parser.add_argument("--liberty", help="one more target: a Liberty file, or a kit's name")
    parser.add_argument("--vectors", type=positive, help="that prove a unit (default: compare's)")
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="for the cache; if it has one, only the second run is timed",
    )
    results.add_output(parser)
    options = parser.parse_args()
    yosys.prepare(yosys.find("yosys"))
    before = results.read("comparison", options.output, {})
    found = measured(options.pairs, options.liberty, options.vectors, options.keep, before)
    results.write("comparison", found, options.output)
    return 0


if __name__ == "__main__":
    start(main)
