# SPDX-License-Identifier: BSD-2-Clause
"""What `div` and `sqrt` cost digit by digit, beside the best public hardware on the same flow.

Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.cost.quotients --formats fp16 --jobs 2
"""

import argparse
from dataclasses import dataclass
from typing import Any

import macaw
from macaw.synth import jobs, run, source
from macaw.synth.mapping import targets

from .. import results, start
from ..stopwatch import stopwatch

FORMATS = ("fp32", "fp16")
KINDS = ("div", "sqrt")
BUILDS = ((1, "valid"), (1, "stream"), (2, "valid"), (2, "stream"), (None, "none"))
"""Digits a clock, and the handshake; of all digits at once there are no registers.

HardFloat's results cannot be made to wait, as with ``valid``, and those of CVFPU can.
"""
ALL: dict[str, Any] = {"rounding": "dynamic", "flags": True}


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """A public unit with both operations, or with its port for them tied to one.

    All rounding modes and flags, IEEE formats in and out. ``luts`` and ``fmax`` are those of
    ``ecp5``, ``compact`` the LUTs of ``ecp5-compact``, ``gates`` and ``fo4`` those of ``asic``;
    ``clocks`` is from one operation to the next, of numbers that are not special.
    """

    origin: str
    format: str
    operations: str
    digits: int
    clocks: str
    luts: int
    compact: int
    ffs: int
    fmax: float
    gates: int
    fo4: float


ANCHORS: tuple[Anchor, ...] = ()


def measure(
    kind: str, fmt: str, digits: int | None, flow: str, progress: Any = None
) -> dict[str, Any]:
    """All figures of one unit, with the fewest registers."""
    spec = macaw.unit(kind, a=fmt, **ALL)
    options: dict[str, Any] = {} if digits is None else {"digits": digits}
    options["flow"] = flow
    row: dict[str, Any] = {"kind": kind, "format": fmt, "digits": digits, "flow": flow}
    for name in ("ecp5", "ecp5-compact", "asic"):
        target = targets.target(name)
        design = source.generate(spec, stages=0, target=target.model, **options)
        small = name == "ecp5-compact"
        row[name] = run(design, target, area_only=small, progress=progress).to_json()
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
            name=f"{kind} {fmt} {digits or 'all'} {flow}",
            function=measure,
            arguments={
                "kind": kind,
                "fmt": fmt,
                "digits": digits,
                "flow": flow,
                "progress": progress,
            },
        )
        for fmt in wanted
        for kind in KINDS
        for digits, flow in BUILDS
    ]
    found = results.read("quotients", options.output, {"rows": []})["rows"]
    kept = [row for row in found if row["format"] not in wanted]
    rows = [*kept, *jobs.run(work, workers=options.jobs, progress=progress)]
    rows.sort(key=lambda row: FORMATS.index(row["format"]) if row["format"] in FORMATS else 9)
    print(results.write("quotients", {"rows": rows}, options.output))
    return 0


if __name__ == "__main__":
    start(main)
