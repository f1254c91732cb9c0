# SPDX-License-Identifier: BSD-2-Clause
"""``macaw verify``: the gates of a unit against its golden model."""

from __future__ import annotations

from typing import Any

import click

import macaw
from macaw.tools.command import FAILED, PASSED

from .options import AS_JSON, DELAYS, takes_a_unit, unit_and_implementation
from .output import Progress, print_json


@click.command()
@takes_a_unit
@DELAYS
@click.option("--simulator", help="icarus, verilator, or bulk.  [default: the first found]")
@click.option("--vectors", type=int, help="[default: 10,000; bulk 1,000,000]")
@click.option("--seed", type=int, help="[default: a fresh one, printed]")
@click.option("--exhaustive", is_flag=True, help="Every combination of operand codes.")
@click.option("--waves", help="Record waveforms in this file.")
@click.option("--stalls/--no-stalls", default=True, help="Also with pauses.  [default: stalls]")
@AS_JSON
def verify(
    unit: str,
    parameters: tuple[str, ...],
    simulator: str | None,
    vectors: int | None,
    seed: int | None,
    exhaustive: bool,
    waves: str | None,
    stalls: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Simulate UNIT's gates and compare every result with the golden model.

    \b
    Examples:
      macaw verify mul a=e2m1 out=e4m3 --exhaustive
      macaw verify fma a=fp16 out=fp16 --stages 3 --flow stream --vectors 2000 --seed 1
    """
    spec, how = unit_and_implementation(unit, parameters, options)
    with Progress(f"verify {spec.name}") as progress:
        report = macaw.verify(
            spec,
            simulator=simulator,
            vectors=vectors,
            seed=seed,
            exhaustive=exhaustive,
            waves=waves,
            stalls=stalls,
            progress=progress,
            **how,
        )
    if as_json:
        print_json(report.to_json())
    else:
        click.echo(str(report))
    return PASSED if report.passed else FAILED
