# SPDX-License-Identifier: BSD-2-Clause
"""What `fpu` costs in a pipeline, beside CVFPU with the same operations on the same flow.

Figures that are not asked for stay. Each goes through macaw's cache. Example:
python -m benchmarks.cost.fpus --only "fpu a=fp32 operations=all --digits 2*"
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import macaw
from macaw.synth import run, source
from macaw.synth.mapping import targets

from .measure import arguments, record


@dataclass(frozen=True, kw_only=True, slots=True)
class Build:
    """A unit of fp32, as a stream. ``digits`` is 0 where there is nothing to find them of."""

    operations: str
    digits: int
    stages: int

    @property
    def row(self) -> str:
        """The unit as the command line has it."""
        turns = f" --digits {self.digits}" if self.digits else ""
        return f"fpu a=fp32 operations={self.operations}{turns} --stages {self.stages}"


BUILDS = (
    *(Build(operations="all", digits=1, stages=stages) for stages in (1, 2, 3)),
    Build(operations="all", digits=2, stages=2),
    Build(operations="-div,-sqrt", digits=0, stages=2),
)
TARGETS = ("ecp5-compact", "asic")


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """CVFPU of fp32 with its digits two at a time and ``registers`` in each of its parts.

    ``luts``, ``dsps`` and ``fmax`` are those of ``ecp5-compact``, ``gates``, ``ffs`` and ``fo4``
    those of ``asic``. Written down as they were measured once, on 2026-11-29, with Yosys 0.70 and
    nextpnr-ecp5 0.11.1. The revision was not recorded.
    """

    registers: int
    luts: int
    dsps: int
    fmax: float
    ffs: int
    gates: int
    fo4: float


ANCHORS = (
    Anchor(registers=0, luts=4881, dsps=4, fmax=15.9, ffs=258, gates=18530, fo4=215.5),
    Anchor(registers=1, luts=5200, dsps=4, fmax=28.8, ffs=559, gates=20833, fo4=135.5),
    Anchor(registers=2, luts=5239, dsps=4, fmax=27.5, ffs=828, gates=22831, fo4=136.8),
    Anchor(registers=3, luts=5286, dsps=4, fmax=29.3, ffs=1017, gates=24756, fo4=132.4),
)


def price(build: Build, name: str) -> dict[str, Any]:
    """Figures of one unit on one target."""
    target = targets.target(name)
    design = source.generate(
        macaw.unit("fpu", a="fp32", operations=build.operations),
        digits=build.digits or None,
        stages=build.stages,
        flow="stream",
        target=target.model,
    )
    return run(design, target).to_json()


def main() -> None:
    builds = {build.row: build for build in BUILDS}
    record(
        "fpus",
        tuple(builds),
        arguments(__doc__).parse_args(),
        lambda row: {name: partial(price, builds[row], name) for name in TARGETS},
    )


if __name__ == "__main__":
    main()
