# SPDX-License-Identifier: BSD-2-Clause
"""``macaw generate``: the Verilog of a unit."""

from __future__ import annotations

from typing import Any

import click

import macaw

from .options import AS_JSON, DELAYS, takes_a_unit, unit_and_implementation
from .output import Progress, print_json


@click.command()
@takes_a_unit
@DELAYS
@click.option("-o", "--output", default=".", show_default=True, help="Folder; - prints Verilog.")
@AS_JSON
def generate(
    unit: str, parameters: tuple[str, ...], output: str, as_json: bool, **options: Any
) -> None:
    """Write Verilog for UNIT, with a JSON description and a FuseSoC core.

    \b
    Example:
      macaw generate fma a=e4m3 b=e5m2 out=fp32 --stages 3 --flow valid -o build
    """
    spec, how = unit_and_implementation(unit, parameters, options)
    with Progress("generate"):
        design = macaw.generate(spec, **how)
    if output == "-":
        click.echo(design.verilog, nl=False)
        return
    paths = [str(path) for path in design.write(output)]
    if as_json:
        print_json({**design.metadata, "files": paths})
        return
    clocks = "clock" if design.latency == 1 else "clocks"
    click.echo(f"{design.name}: latency {design.latency} {clocks}, {design.rate}")
    for path in paths:
        click.echo(f"  {path}")
