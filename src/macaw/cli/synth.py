# SPDX-License-Identifier: BSD-2-Clause
"""``macaw synth``: what a unit costs."""

from __future__ import annotations

from typing import Any

import click

import macaw
from macaw.golden.errors import SpecError

from .options import AS_JSON, takes_a_unit, unit_and_implementation
from .output import Progress, print_json, print_table


@click.command()
@takes_a_unit
@click.option("--target", "targets", multiple=True, help="May be repeated.  [default: ecp5; asic]")
@click.option("--liberty", help="In place of asic's own library: a file, or sky130, gf180, ihp.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of place and route.")
@click.option("--seeds", type=int, help="So many: median and range of the clock.  [default: 1]")
@click.option("--timeout", type=float, help="Seconds that each tool may take.")
@click.option("--breakdown", is_flag=True, help="Also by the parts of the arithmetic.")
@click.option("--energy", is_flag=True, help="Also of an operation, on libraries: simulated.")
@click.option("--operands", help="gaussian, heavy, uniform, sparse(SHARE).  [default: gaussian]")
@click.option("--area-only", is_flag=True, help="No place and route: no timing on FPGAs.")
@click.option("--cache/--no-cache", default=True, help="Reuse results.  [default: cache]")
@AS_JSON
def synth(
    unit: str,
    parameters: tuple[str, ...],
    targets: tuple[str, ...],
    liberty: str | None,
    seed: int,
    seeds: int | None,
    timeout: float | None,
    area_only: bool,
    breakdown: bool,
    energy: bool,
    operands: str | None,
    cache: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure area and timing of UNIT on one target or several.

    \b
    Examples:
      macaw synth fma a=e4m3 out=fp16 --stages 3 --target ecp5
      macaw synth mul a=int8 out=int16 --target asic --json
      macaw synth mul a=e4m3 out=fp16 --stages 2 --target ecp5 --seeds 5
      macaw synth add a=fp16 out=fp16 --target asic --breakdown
      macaw synth mul a=int8 out=int16 --target asic --energy --operands heavy
    """
    from macaw import synth as prices

    spec, how = unit_and_implementation(unit, parameters, options)
    more: dict[str, Any] = {"seed": seed, "area_only": area_only, "cache": cache}
    more |= {} if timeout is None else {"timeout": timeout}
    more |= {} if liberty is None else {"liberty": liberty}
    if operands is not None and not energy:
        raise SpecError(f"operands={operands}: go with --energy only")
    moving = {"energy": True, "operands": operands or "gaussian"} if energy else {}
    results = []
    for target in targets or (("asic",) if liberty or energy else ("ecp5",)):
        with Progress(f"synth {spec.name} {target}") as progress:
            result = macaw.synthesize(
                spec, target, progress=progress, seeds=1 if seeds is None else seeds,
                **moving, **more, **how,
            )  # fmt: skip
            result = result.to_json()
            if breakdown:
                progress("mapping its parts one by one")
                parts = prices.breakdown(spec, target, progress=progress, **more, **how)
                result["breakdown"] = parts.to_json()
            results.append(result)
    if as_json:
        print_json(results)
        return
    for result in results:
        parts = result.pop("breakdown", None)
        for name, value in result.items():
            if isinstance(value, tuple | list):
                value = ("\n" + " " * 19).join(map(str, value))
            if value not in (None, ""):
                click.echo(f"{name.replace('_', ' '):18} {value}")
        click.echo()
        if parts is not None:
            heads, *rows = prices.Breakdown.from_json(parts).table()
            print_table(heads, rows)
            click.echo()
