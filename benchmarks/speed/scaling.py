# SPDX-License-Identifier: BSD-2-Clause
"""How `macaw sweep` scales: the same points by one worker and by two, each from an empty cache.

Cheap points, on `asic`: small floats and integers, or pairs of integers, by what they are mapped
for, by stages. Workers are processes here, or those of a Dask cluster on this machine. Others may
work on the machine, so the load before each run is recorded, and runs take turns. Those that are
not asked for stay.

Example: python -m benchmarks.speed.scaling --points 60 --rounds 2 --executors local dask
"""

import argparse
import contextlib
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from macaw.synth import jobs
from macaw.synth.sweep import Point, plan
from macaw.synth.sweep.run import measured
from macaw.tools import yosys

from .. import positive, results
from ..stopwatch import stopwatch

MAPPED = "balanced,area,delay"
SPACES: dict[str, dict[str, Any]] = {
    "mixed": {
        "formats": ("e<2-5>m<1-4>", "int<2-8>"), "lanes": "2-3", "optimise": MAPPED,
        "stages": "0-7",
    },
    "integers": {
        "formats": ("int<1-4>*int<1-4>",), "lanes": "2", "optimise": MAPPED, "stages": "0-20",
    },
}  # fmt: skip
WORKERS = (1, 2)


def space(name: str, most: int) -> list[Point]:
    """The first points of one of the spaces, up to so many."""
    return plan(**SPACES[name])[:most]


@contextlib.contextmanager
def place(kind: str, workers: int) -> Iterator[dict[str, Any]]:
    """Where points are measured; a cluster is there before time begins to count."""
    if kind == "local":
        yield {"kind": kind, "workers": workers}
        return
    from distributed import LocalCluster

    made: Any = LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0"
    )
    with made as cluster:
        cluster.wait_for_workers(workers)
        yield {"kind": kind, "scheduler": cluster.scheduler_address}


def timed(name: str, points: Sequence[Point], kind: str, workers: int) -> dict[str, Any]:
    """Seconds for ``points``, from an empty cache; Yosys itself is compiled already."""
    before = os.environ.get("MACAW_CACHE")
    with tempfile.TemporaryDirectory() as cache:
        os.environ["MACAW_CACHE"] = cache
        try:
            with place(kind, workers) as where:
                load = os.getloadavg()[0]
                started = time.perf_counter()
                rows = measured(points, **where)
                seconds = time.perf_counter() - started
        finally:
            if before is None:
                del os.environ["MACAW_CACHE"]
            else:
                os.environ["MACAW_CACHE"] = before
    found: dict[str, Any] = {
        "space": name,
        "executor": kind,
        "workers": workers,
        "points": len(points),
    }
    found |= dict.fromkeys(("done", "refused", "failed"), 0)
    for row in rows:
        found[row["status"]] += 1
    return found | {"seconds": round(seconds, 1), "load_before": round(load, 2)}


def ratios(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Median seconds with one worker over those with two, of the same points and executor."""
    found = []
    for same in dict.fromkeys(map(_same, runs)):
        seconds = {
            workers: [
                run["seconds"] for run in runs if (_same(run), run["workers"]) == (same, workers)
            ]
            for workers in WORKERS
        }
        if all(seconds.values()):
            one, two = (statistics.median(seconds[workers]) for workers in WORKERS)
            told = dict(zip(_SAME, same))
            rounds = min(map(len, seconds.values()))
            found.append({**told, "rounds": rounds, "ratio": round(one / two, 2)})
    return found


_SAME = ("space", "executor", "points")


def _same(run: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(run[name] for name in _SAME)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--space", choices=SPACES, default="mixed", help="(default: mixed)")
    parser.add_argument("--points", type=positive, default=60, help="of the space (default: 60)")
    parser.add_argument("--rounds", type=positive, default=1, help="of each run (default: 1)")
    parser.add_argument("--executors", nargs="+", choices=jobs.EXECUTORS, default=["local"])
    parser.add_argument(
        "--workers", nargs="+", type=int, choices=WORKERS, default=WORKERS, help="(default: 1 2)"
    )
    results.add_output(parser)
    options = parser.parse_args()
    points = space(options.space, options.points)
    yosys.prepare(yosys.find("yosys"))
    made = results.read("scaling", options.output, {"runs": []})
    asked = {
        (options.space, kind, len(points), workers)
        for kind in options.executors
        for workers in options.workers
    }
    runs = [run for run in made["runs"] if (*_same(run), run["workers"]) not in asked]
    progress = stopwatch()
    for _ in range(options.rounds):
        for kind in options.executors:
            for workers in options.workers:
                runs.append(timed(options.space, points, kind, workers))
                progress(" ".join(f"{name}={value}" for name, value in runs[-1].items()))
                found = {
                    "machine": {"cores": jobs.cores(), "system": platform.system()},
                    "spaces": SPACES,
                    "ratios": ratios(runs),
                    "runs": runs,
                }
                results.write("scaling", found, Path(options.output))
    for ratio in ratios(runs):
        print(" ".join(f"{name}={value}" for name, value in ratio.items()))


if __name__ == "__main__":
    main()
