# SPDX-License-Identifier: BSD-2-Clause
"""What `fma` costs; :mod:`.public.anchors` has the best public hardware beside it.

Each figure goes through macaw's cache, so that an interrupted run continues where it stopped.

Example: python -m benchmarks.cost.fma --formats fp16,e5m2 --jobs 2
"""

import argparse
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
