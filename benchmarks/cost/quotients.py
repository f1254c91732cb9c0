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

from .. import positive, results, start
from ..stopwatch import stopwatch

FORMATS = ("fp32", "fp16")
BOTH = "div, sqrt"
"""`fpu` with both, by one recurrence and with a handshake as stream alone."""
KINDS = ("div", "sqrt", BOTH)
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
    ``clocks`` is from operands to the result, of numbers that are not special.

    Written down as they were measured once, HardFloat (release 1 as Bespoke Silicon Group keeps
    it) on 2026-11-28 and 2026-11-29, CVFPU on 2026-11-29, with Yosys 0.70 and nextpnr-ecp5 0.11.1.
    The revisions were not recorded.
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


ANCHORS = (
    Anchor(origin="HardFloat", format="fp32", operations="div", digits=1, clocks="25-26",
           luts=1493, compact=1154, ffs=98, fmax=50.6, gates=3227, fo4=61.5),
    Anchor(origin="HardFloat", format="fp32", operations="sqrt", digits=1, clocks="24-25",
           luts=1248, compact=897, ffs=75, fmax=53.2, gates=2725, fo4=58.2),
    Anchor(origin="HardFloat", format="fp32", operations="div, sqrt", digits=1, clocks="24-26",
           luts=1642, compact=1243, ffs=100, fmax=50.3, gates=3453, fo4=62.4),
    Anchor(origin="HardFloat", format="fp32", operations="div", digits=2, clocks="14",
           luts=1847, compact=1342, ffs=98, fmax=48.7, gates=3587, fo4=89.9),
    Anchor(origin="HardFloat", format="fp32", operations="sqrt", digits=2, clocks="13",
           luts=1630, compact=1147, ffs=76, fmax=49.4, gates=3201, fo4=90.2),
    Anchor(origin="HardFloat", format="fp32", operations="div, sqrt", digits=2, clocks="13-14",
           luts=2240, compact=1480, ffs=100, fmax=48.8, gates=4084, fo4=92.6),
    Anchor(origin="CVFPU", format="fp32", operations="div", digits=2, clocks="13-17",
           luts=2645, compact=2051, ffs=251, fmax=57.8, gates=6387, fo4=45.8),
    Anchor(origin="CVFPU", format="fp32", operations="sqrt", digits=2, clocks="17",
           luts=2646, compact=2179, ffs=242, fmax=68.7, gates=6559, fo4=50.0),
    Anchor(origin="CVFPU", format="fp32", operations="div, sqrt", digits=2, clocks="13-17",
           luts=3091, compact=2203, ffs=255, fmax=58.6, gates=6987, fo4=48.4),
    Anchor(origin="HardFloat", format="fp16", operations="div", digits=1, clocks="12-13",
           luts=665, compact=540, ffs=55, fmax=61.3, gates=1678, fo4=40.7),
    Anchor(origin="HardFloat", format="fp16", operations="sqrt", digits=1, clocks="11-12",
           luts=550, compact=417, ffs=45, fmax=65.4, gates=1346, fo4=39.0),
    Anchor(origin="HardFloat", format="fp16", operations="div, sqrt", digits=1, clocks="11-13",
           luts=725, compact=595, ffs=57, fmax=62.6, gates=1759, fo4=39.9),
)  # fmt: skip


def measure(
    kind: str, format: str, digits: int | None, flow: str, progress: Any = None
) -> dict[str, Any]:
    """All figures of one unit, with the fewest registers; of rows for all digits the area alone."""
    if kind == BOTH:
        spec = macaw.unit("fpu", a=format, operations=kind)
    else:
        spec = macaw.unit(kind, a=format, **ALL)
    options: dict[str, Any] = {} if digits is None else {"digits": digits}
    options["flow"] = flow
    row: dict[str, Any] = {"kind": kind, "format": format, "digits": digits, "flow": flow}
    for name in ("ecp5", "ecp5-compact") if digits is None else ("ecp5", "ecp5-compact", "asic"):
        target = targets.target(name)
        design = source.generate(spec, stages=0, target=target.model, **options)
        small = digits is None or name == "ecp5-compact"
        row[name] = run(design, target, area_only=small, progress=progress).to_json()
    return row


def placed(rows: list[dict[str, Any]], new: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows with ``new`` in its place."""
    every = {name_of(row): row for row in [*rows, new]}
    order = {name_of(case): place for place, case in enumerate(cases())}
    return sorted(every.values(), key=lambda row: order.get(name_of(row), len(order)))


def name_of(row: dict[str, Any]) -> str:
    return f"{row['kind']} {row['format']} {row['digits'] or 'all'} {row['flow']}"


def cases() -> list[dict[str, Any]]:
    """What is measured, in the page's order."""
    return [
        {"kind": kind, "format": fmt, "digits": digits, "flow": flow}
        for fmt in FORMATS
        for kind in KINDS
        for digits, flow in BUILDS
        if kind != BOTH or flow == "stream"
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--jobs", type=positive)
    results.add_output(parser)
    options = parser.parse_args()
    wanted = options.formats.split(",")
    if wrong := [name for name in wanted if name not in FORMATS]:
        parser.error(f"--formats {','.join(wrong)}: must be of {', '.join(FORMATS)}")
    progress = stopwatch()

    def one(case: dict[str, Any]) -> None:
        row = measure(**case, progress=progress)
        results.change(
            "quotients",
            lambda old: {"rows": placed(old["rows"], row)},
            options.output,
            {"rows": []},
        )

    todo = [
        jobs.Job(name=name_of(case), function=one, arguments={"case": case})
        for case in cases()
        if case["format"] in wanted
    ]
    jobs.run(todo, workers=options.jobs, progress=progress)
    return 0


if __name__ == "__main__":
    start(main)
