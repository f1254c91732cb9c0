# SPDX-License-Identifier: BSD-2-Clause
"""What `fma` costs, beside the best public hardware measured on the same flow.

Each figure goes through macaw's cache, so that an interrupted run continues where it stopped.

Example: python -m benchmarks.cost.fma --formats fp16,e5m2 --jobs 2
"""

import argparse
from dataclasses import dataclass
from typing import Any

import macaw
from macaw.golden.errors import MacawError
from macaw.synth import jobs, run, source, stages_for
from macaw.synth.mapping import targets

from .. import positive, results, start
from ..stopwatch import stopwatch
from .measure import MEGAHERTZ, OSU018

FORMATS = ("fp32", "fp16", "bf16", "e5m2")
STAGES = (0, 3, 6)
VARIANTS: dict[str, dict[str, Any]] = {
    "RNE": {},
    "all modes, flags": {"rounding": "dynamic", "flags": True},
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """A public unit, measured with Yosys 0.70 and nextpnr-ecp5 0.11.1 on the same flow."""

    origin: str
    format: str
    stages: int
    luts: int
    dsps: int
    ffs: int | None = None
    fmax: float | None = None
    gates: int | None = None
    picoseconds: int | None = None


# CVFPU (fpnew_fma, OpenHW Group) and HardFloat (Hauser, Berkeley): all rounding modes and flags,
# IEEE formats in and out. Gates and delay: osu018, pins to pins.
ANCHORS = (
    Anchor(origin="CVFPU", format="fp32", stages=0, luts=2853, dsps=4, fmax=16.2, gates=10345,
           picoseconds=18920),
    Anchor(origin="CVFPU", format="fp32", stages=3, luts=2828, dsps=4, ffs=266, fmax=29.7),
    Anchor(origin="CVFPU", format="fp16", stages=0, luts=1131, dsps=1, fmax=20.2, gates=3483,
           picoseconds=13953),
    Anchor(origin="CVFPU", format="fp16", stages=3, luts=1099, dsps=1, ffs=153, fmax=40.2),
    Anchor(origin="CVFPU", format="bf16", stages=0, luts=1044, dsps=1, gates=2401,
           picoseconds=13869),
    Anchor(origin="CVFPU", format="e5m2", stages=0, luts=498, dsps=1, fmax=25.7, gates=1052,
           picoseconds=10003),
    Anchor(origin="HardFloat", format="fp32", stages=0, luts=3675, dsps=4, fmax=15.6, gates=10657,
           picoseconds=19335),
    Anchor(origin="HardFloat", format="fp16", stages=0, luts=1547, dsps=1, fmax=18.4, gates=3601,
           picoseconds=14338),
    Anchor(origin="HardFloat", format="bf16", stages=0, luts=1103, dsps=1, fmax=20.3, gates=2683,
           picoseconds=13449),
)  # fmt: skip


def measure(fmt: str, variant: str, stages: int | None, progress: Any = None) -> dict[str, Any]:
    """All figures of one unit; ``stages=None``: the fewest that reach MEGAHERTZ on ecp5."""
    spec = macaw.unit("fma", a=fmt, out=fmt, **VARIANTS[variant])
    wanted = "fewest" if stages is None else str(stages)
    row: dict[str, Any] = {"format": fmt, "variant": variant, "wanted": wanted}
    ecp5 = targets.target("ecp5")
    try:
        if stages is None:
            stages, fpga = stages_for(spec, ecp5, MEGAHERTZ, progress=progress)
        else:
            design = source.generate(spec, stages=stages, target=ecp5.model)
            fpga = run(design, ecp5, progress=progress)
    except MacawError as error:
        return row | {"error": str(error)}
    row |= {"stages": stages, "ecp5": fpga.to_json()}
    asic = targets.target("asic")
    design = source.generate(spec, stages=stages, target=asic.model)
    row["asic"] = run(design, asic, progress=progress).to_json()
    if OSU018.exists():
        row["osu018"] = run(design, "asic", liberty=OSU018, progress=progress).to_json()
    return row


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--variants", default=",".join(v.replace(",", "") for v in VARIANTS))
    parser.add_argument("--no-fewest", action="store_true")
    parser.add_argument("--jobs", type=positive)
    results.add_output(parser)
    options = parser.parse_args()
    wanted = options.variants.split(",")
    stages = [*STAGES, *([] if options.no_fewest else [None])]
    progress = stopwatch()
    work = [
        jobs.Job(
            name=f"{fmt} {variant} {'fewest' if count is None else count}",
            function=measure,
            arguments={"fmt": fmt, "variant": variant, "stages": count, "progress": progress},
        )
        for fmt in options.formats.split(",")
        for variant in VARIANTS
        if variant.replace(",", "") in wanted
        for count in stages
    ]
    rows = jobs.run(work, workers=options.jobs, progress=progress)
    print(results.write("fma", {"rows": rows}, options.output))
    return 0


if __name__ == "__main__":
    start(main)
