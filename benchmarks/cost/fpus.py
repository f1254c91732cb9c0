# SPDX-License-Identifier: BSD-2-Clause
"""What `fpu` costs in a pipeline, beside CVFPU with the same operations on the same flow.

Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.cost.fpus --formats fp32 --jobs 2
"""

import argparse
from dataclasses import dataclass
from typing import Any

import macaw
from macaw.synth import jobs, run, source
from macaw.synth.mapping import targets

from .. import results, start
from ..stopwatch import stopwatch

FORMATS = ("fp32",)
BUILDS = (
    *(("all", 1, stages) for stages in (1, 2, 3)),
    ("all", 2, 2),
    ("-div,-sqrt", None, 2),
)
"""Operations, digits a clock, and stages; all are streams."""
TARGETS = ("ecp5-compact", "asic")


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """CVFPU of one format with its digits two at a time and ``registers`` in each of its parts.

    ``luts``, ``dsps`` and ``fmax`` are those of ``ecp5-compact``, ``gates``, ``ffs`` and ``fo4``
    those of ``asic``.
    """

    registers: int
    luts: int
    dsps: int
    fmax: float
    ffs: int
    gates: int
    fo4: float
    format: str = "fp32"


ANCHORS = (
    Anchor(registers=0, luts=4881, dsps=4, fmax=15.9, ffs=258, gates=18530, fo4=215.5),
    Anchor(registers=1, luts=5200, dsps=4, fmax=28.8, ffs=559, gates=20833, fo4=135.5),
    Anchor(registers=2, luts=5239, dsps=4, fmax=27.5, ffs=828, gates=22831, fo4=136.8),
    Anchor(registers=3, luts=5286, dsps=4, fmax=29.3, ffs=1017, gates=24756, fo4=132.4),
)


def measure(
    fmt: str, operations: str, digits: int | None, stages: int, progress: Any = None
) -> dict[str, Any]:
    """All figures of one unit."""
    spec = macaw.unit("fpu", a=fmt, operations=operations)
    options: dict[str, Any] = {} if digits is None else {"digits": digits}
    row: dict[str, Any] = {"format": fmt, "operations": operations, "digits": digits}
    row["stages"] = stages
    for name in TARGETS:
        target = targets.target(name)
        design = source.generate(spec, stages=stages, flow="stream", target=target.model, **options)
        row[name] = run(design, target, progress=progress).to_json()
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--jobs", type=int)
    results.add_output(parser)
    options = parser.parse_args()
    progress = stopwatch()
    wanted = options.formats.split(",")
    work = [
        jobs.Job(
            name=f"fpu {fmt} {operations} {digits or ''} {stages}",
            function=measure,
            arguments={
                "fmt": fmt,
                "operations": operations,
                "digits": digits,
                "stages": stages,
                "progress": progress,
            },
        )
        for fmt in wanted
        for operations, digits, stages in BUILDS
    ]
    found = results.read("fpus", options.output, {"rows": []})["rows"]
    kept = [row for row in found if row["format"] not in wanted]
    rows = [*kept, *jobs.run(work, workers=options.jobs, progress=progress)]
    rows.sort(key=lambda row: FORMATS.index(row["format"]) if row["format"] in FORMATS else 9)
    print(results.write("fpus", {"rows": rows}, options.output))
    return 0


if __name__ == "__main__":
    start(main)
