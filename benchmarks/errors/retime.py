# SPDX-License-Identifier: BSD-2-Clause
"""What moving registers by measurement is worth: pipelines of 3 stages, before and after.

On asic mapped for delay, between them with the registers where they were and the cells sized. On
FPGAs the search looks at the median of three seeds of place and route,
and both pipelines are then measured with nine others, so that luck that was chosen does not count.
Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.errors.retime --only "fma a=fp16*"
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from macaw.synth import retimed, run
from macaw.synth.mapping import targets

from ..cost.measure import arguments, parse, record

UNITS = (
    "fma a=fp32 out=fp32",
    "fma a=fp16 out=fp16",
    "fma a=bf16 out=bf16",
    "fma a=e4m3 out=fp16",
)
STAGES, SEEDS, OTHERS = 3, 3, 9
PLACES = ("asic", "ecp5", "ecp5dsp")
WHEN = ("before", "sized", "after")


def measured(row: str, target: str) -> dict[str, Any]:
    """A unit's pipeline where the delay model puts its registers, and where they are best."""
    spec, _ = parse(row)
    library = bool(targets.target(target).liberty)
    how: dict[str, Any] = {"optimise": "delay"} if library else {}
    options: dict[str, Any] = {**how, **({} if library else {"seeds": SEEDS})}
    after = retimed(spec, target, STAGES, options=options, **how)
    if not library:
        options = {"seed": 1 + SEEDS, "seeds": OTHERS}
    found = {"before": run(spec, target, stages=STAGES, **options)}
    if library:
        found["sized"] = run(spec, target, stages=STAGES, sizing=True, **options)
    moved = {"budgets": after.budgets or None, "sizing": library}
    found["after"] = run(spec, target, stages=STAGES, **moved, **options)
    return {when: result.to_json() for when, result in found.items()}


def figures(row: str) -> dict[str, Callable[[], dict[str, Any]]]:
    """What measures a row, by target."""
    return {target: partial(measured, row, target) for target in PLACES}


def main() -> None:
    record("retime", UNITS, arguments(__doc__).parse_args(), figures)


if __name__ == "__main__":
    main()
