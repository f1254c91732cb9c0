# SPDX-License-Identifier: BSD-2-Clause
"""``macaw compare``: formats proven and priced side by side."""

from __future__ import annotations

import shlex
from typing import Any

import click

import macaw
from macaw.golden.errors import SpecError
from macaw.tools.command import FAILED, PASSED

from .options import AS_JSON
from .output import Progress, print_json


@click.command()
@click.argument("names", nargs=-1, metavar="[FORMAT]...")
@click.option("--target", "targets", multiple=True, help="May be repeated.  [default: ecp5, asic]")
@click.option("--liberty", help="One more target: a Liberty file, or sky130, gf180, ihp.")
@click.option("--reference", help="Format that ratios relate to.  [default: fp32, else the first]")
@click.option("--unit", help="auto, fma, mac, or dot.  [default: auto]")
@click.option("--lanes", type=int, help="Products per clock.  [default: 1; see above]")
@click.option("--vectors", type=int, help="That prove each unit.  [default: 1,000,000]")
@click.option("--proof/--no-proof", default=True, help="Simulate before pricing.  [default: proof]")
@click.option("--breakdown", is_flag=True, help="Area and path by the parts of each unit, too.")
@click.option("--energy", is_flag=True, help="Of a multiply-accumulate, on libraries: simulated.")
@click.option("--operands", help="gaussian, heavy, uniform, sparse(SHARE).  [default: gaussian]")
@click.option(
    "--optimise", help="balanced, area, or delay: what is mapped for.  [default: balanced]"
)
@click.option(
    "--clock", help="200 or 200MHz, 50FO4, 5000ps: the fewest stages for it.  [default: best value]"
)
@click.option("--stages", type=int, help="Of every pipeline.  [default: those of the best value]")
@click.option("--retime", is_flag=True, help="Move registers by what is measured.")
@click.option("--cache/--no-cache", default=True, help="Reuse results.  [default: cache]")
@click.option("--seed", type=int, help="Of vectors, data, place and route.  [default: 1]")
@click.option("--seeds", type=int, help="Of place and route: median and range.  [default: 1]")
@click.option("--workers", type=int, help="Parallel jobs.  [default: one per core]")
@click.option("--executor", help="local or dask.  [default: local]")
@click.option("--scheduler", help="Address of the Dask scheduler.")
@click.option("-o", "--output", default="build", show_default=True, help="Folder of the report.")
@AS_JSON
def compare(
    names: tuple[str, ...], targets: tuple[str, ...], output: str, as_json: bool, **options: Any
) -> int:
    """Prove and price FORMATs, scalar or block, at equal work: table, JSON, HTML.

    A format stands for both operands; int4:int8 is int4 weights by int8 activations, int4*int8 the
    same, with a row that says why where no unit takes it; ->int16 says what sums are kept in.
    Activations of binary, ternary, shift<n> and power<n>, which need no multiplier, are int8. With
    one of these among them all have 8 lanes. With a block format among them, all are dot products:
    of 32 lanes, or of the block where it is smaller. Exit code 1 if a unit failed its proof; the
    others are priced all the same.

    With --clock each has the fewest pipeline stages that are measured to reach it, in place of the
    pipeline with the best rate for its area; one that does not is "not reached", with the fastest
    that was found. FPGAs take MHz and ps, asic FO4, a Liberty file all three. With --stages all
    have so many. With --retime the registers of these pipelines, or of those that nearly reach the
    clock, are moved by what is measured. With --seeds clocks are medians of place and route, with
    their range; a cost per MAC/s that differs from the reference's by less than the seeds do is
    marked "none".

    \b
    Examples:
      macaw compare e4m3 int8 --target asic --vectors 100000 -o build
      macaw compare e2m1 int4 --target asic --clock 40FO4 --energy
    """
    settings = {name: value for name, value in options.items() if value is not None}
    flags = [f"--target={target}" for target in targets]
    if "operands" in settings and not settings["energy"]:
        raise SpecError(f"operands={settings['operands']}: go with --energy only")
    for name, value in settings.items():
        if name in ("breakdown", "energy", "retime"):
            flags += [f"--{name}"] if value else []
        elif isinstance(value, bool):
            flags += [] if value else [f"--no-{name}"]
        else:
            flags.append(f"--{name}={value}")
    command = shlex.join(["macaw", "compare", *names, *flags])
    from macaw.synth import Comparison

    Comparison.check(output, breakdown=settings["breakdown"])  # better now than after ten minutes
    with Progress("compare") as progress:
        comparison = macaw.compare(names, targets, progress=progress, command=command, **settings)
    paths = [str(path) for path in comparison.write(output)]
    if as_json:
        print_json(comparison.to_json())
    else:
        click.echo(comparison.table())
        click.echo(f"\nwrote {', '.join(paths)}")
    return PASSED if comparison.passed else FAILED
