# SPDX-License-Identifier: BSD-2-Clause
"""``macaw verify``: the gates of a unit against its golden model."""

from __future__ import annotations

from typing import Any

import click

import macaw
from macaw.golden.errors import SpecError
from macaw.tools.command import FAILED, PASSED

from .options import AS_JSON, DELAYS, takes_a_unit, unit_and_implementation
from .output import Progress, print_json


@click.command()
@takes_a_unit
@DELAYS
@click.option("--netlist", help="Not the generated Verilog, but what this target makes of it.")
@click.option("--liberty", help="Liberty file of --netlist asic.")
@click.option("--sizing", is_flag=True, help="Of --netlist asic: as synth --sizing makes it.")
@click.option("--simulator", help="icarus, verilator, or bulk.  [default: the first found]")
@click.option(
    "--vectors", type=int, help="[default: 10,000, bulk 1,000,000; fpu at least 5,000 an operation]"
)
@click.option("--seed", type=int, help="[default: a fresh one, printed]")
@click.option("--exhaustive", is_flag=True, help="Every combination of operand codes.")
@click.option("--waves", help="Record waveforms in this file.")
@click.option("--stalls/--no-stalls", default=None, help="Also with pauses.  [default: stalls]")
@click.option("--coverage", is_flag=True, help="Also tell which bins the operands hit, which not.")
@click.option("--formal", is_flag=True, help="Prove it for all inputs, or say what is open.")
@click.option("--method", help="Of --formal: exhaustive, symfpu, or plain.  [default: as fits]")
@click.option("--largest", type=int, help="Of --formal: bits to enumerate, to 32.  [default: 24]")
@click.option("--limit", type=float, help="Of --formal: seconds.  [default: 600]")
@click.option("--jobs", type=int, help="Of --formal: cases at a time.  [default: one a core]")
@AS_JSON
def verify(
    unit: str,
    parameters: tuple[str, ...],
    netlist: str | None,
    liberty: str | None,
    sizing: bool,
    simulator: str | None,
    vectors: int | None,
    seed: int | None,
    exhaustive: bool,
    waves: str | None,
    stalls: bool | None,
    coverage: bool,
    formal: bool,
    method: str | None,
    largest: int | None,
    limit: float | None,
    jobs: int | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Simulate UNIT's gates and compare every result with the golden model.

    With --formal it is proven, refuted by operands that are simulated, or open: what is not
    proven is said. Interrupted, it goes on where it was when started again. With --netlist too,
    what the gates are mapped to is proven to equal them.

    With --coverage each bin of operands that matter is told, and how often it was hit, or why
    the unit cannot; the last line says which were never hit. That does not change the exit code:
    it is no fault of the gates.

    \b
    Examples:
      macaw verify mul a=e2m1 out=e4m3 --exhaustive
      macaw verify fma a=fp16 out=fp16 --stages 3 --flow stream --vectors 2000 --seed 1
      macaw verify mul a=e4m3ieee --formal
      macaw verify mul a=int8 out=int16 --netlist asic --simulator bulk
      macaw verify mul a=fp16 --formal --limit 3600 --jobs 2
      macaw verify add a=e4m3 --netlist ecp5 --formal
      macaw verify fma a=e5m2 out=e5m2 --vectors 10000 --coverage
    """
    mapped = {"netlist": netlist, "liberty": liberty, "sizing": sizing or None}
    simulated = {
        "simulator": simulator,
        "vectors": vectors,
        "seed": seed,
        "exhaustive": exhaustive or None,
        "waves": waves,
        "stalls": stalls,
        "coverage": coverage or None,
    }
    proven = {"method": method, "largest": largest, "limit": limit, "jobs": jobs}
    given = {n: value for n, value in (mapped | simulated | proven).items() if value is not None}
    wrong = next((name for name in given if name in (simulated if formal else proven)), None)
    if wrong is not None:
        only = "is of simulation, not of --formal" if formal else "needs --formal"
        raise SpecError(f"{wrong}={_word(given[wrong])}: {only}")
    spec, how = unit_and_implementation(unit, parameters, options)
    with Progress(f"{'prove' if formal else 'verify'} {spec.name}") as progress:
        run = macaw.prove if formal else macaw.verify
        report = run(spec, progress=progress, **given, **how)
    if as_json:
        print_json(report.to_json())
    else:
        click.echo(str(report))
    return PASSED if report.passed else FAILED


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
