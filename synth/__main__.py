# SPDX-License-Identifier: BSD-2-Clause
"""``python -m macaw.synth FILE.v``: price any Verilog module with macaw's flow."""

import json

import click

from macaw.tools.command import start

from .flow import TIMEOUT, from_verilog, run
from .mapping.targets import TARGETS


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--top", help="Module; default: the one that no other instantiates.")
@click.option("--target", "names", multiple=True, default=("ecp5",), help=", ".join(TARGETS))
@click.option("--liberty", type=click.Path(), help="Liberty library, with --target asic.")
@click.option("--clock", default="clk", show_default=True, help="Name of the clock port.")
@click.option("--multiplier", type=click.Choice(("auto", "dsp", "lut")))
@click.option("--area-only", is_flag=True, help="No place and route.")
@click.option("--seed", default=1, show_default=True)
@click.option("--timeout", default=TIMEOUT, show_default=True, help="Seconds per tool call.")
@click.option("--no-cache", is_flag=True)
@click.option("--json", "as_json", is_flag=True)
@click.option("--path", "show_path", is_flag=True, help="Print the critical path.")
def main(
    file: str,
    top: str | None,
    names: tuple[str, ...],
    liberty: str | None,
    clock: str,
    multiplier: str | None,
    area_only: bool,
    seed: int,
    timeout: float,
    no_cache: bool,
    as_json: bool,
    show_path: bool,
) -> None:
    """Area and timing of a module of FILE.

    Example: python -m macaw.synth fma.v --top fma_fp16 --target ecp5 --target asic
    """
    design = from_verilog(file, top, clock=clock)
    for name in names:
        result = run(
            design,
            name,
            liberty=liberty,
            multiplier=multiplier,
            area_only=area_only,
            cache=not no_cache,
            timeout=timeout,
            seed=seed,
            progress=lambda line: click.echo(f"macaw: {line}", err=True),
        )
        if as_json:
            click.echo(json.dumps(result.to_json(), indent=2))
            continue
        shown = {
            key: value
            for key, value in result.to_json().items()
            if value not in (None, []) and key not in ("critical_path", "tools", "name", "target")
        }
        click.echo(
            f"{result.name} {result.target}: "
            + ", ".join(f"{key} {value}" for key, value in shown.items())
        )
        if show_path:
            click.echo("\n".join(f"    {step}" for step in result.critical_path))


if __name__ == "__main__":
    start(main)
