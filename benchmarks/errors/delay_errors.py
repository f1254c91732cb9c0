# SPDX-License-Identifier: BSD-2-Clause
"""How well the delay models predict: a unit of every kind, predicted beside measured.

From register to register: nanoseconds on ecp5, after place and route, and FO4 on asic.
Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.errors.delay_errors --only "fma*"
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from macaw.hdl import Implementation, build
from macaw.hdl.schedule.delays import FO4
from macaw.synth import run, source

from ..cost.kinds import ROWS as KINDS
from ..cost.measure import arguments, digest_of, parse, record
from ..cost.optimise import UNITS

STAGES = (0, 3)
TARGETS = ("asic", "ecp5")


def units() -> list[str]:
    """A unit of every kind whose operations do not take turns, and those of several formats."""
    return [row for row in dict.fromkeys((*KINDS, *UNITS)) if " --" not in row]


def measured(row: str, stages: int, target: str) -> dict[str, Any]:
    """A unit's clock period on one target, as the delay model has it and as it is."""
    spec, _ = parse(row)
    predicted = build(spec, Implementation(target=target, stages=stages)).estimate
    design = source.generate(spec, target=target, stages=stages)
    result = run(design, target)
    if target == "asic":
        predicted, period = predicted / FO4, result.delay_fo4
    else:
        period = 1e3 / result.fmax_mhz if result.fmax_mhz else None
    return {"design": digest_of(design.verilog), "predicted": predicted, "measured": period}


def rows() -> dict[str, dict[str, Callable[[], dict[str, Any]]]]:
    """Each row's name, and what measures it by target."""
    return {
        f"{row} --stages {stages}": {t: partial(measured, row, stages, t) for t in TARGETS}
        for row in units()
        for stages in STAGES
    }


def main() -> None:
    made = rows()
    record("delay_errors", tuple(made), arguments(__doc__).parse_args(), made.__getitem__)


if __name__ == "__main__":
    main()
