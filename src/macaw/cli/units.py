# SPDX-License-Identifier: BSD-2-Clause
"""``macaw units``: the units, or what one of them takes."""

from __future__ import annotations

import click

import macaw

from .options import AS_JSON
from .output import print_json, print_table


@click.command()
@click.argument("name", required=False)
@click.option("--markdown", is_flag=True, help="The list as a Markdown table.")
@AS_JSON
def units(name: str | None, markdown: bool, as_json: bool) -> None:
    """List the units, or show the parameters of one.

    \b
    Examples:
      macaw units
      macaw units dot
    """
    from macaw.golden.units import UNITS

    from . import catalogue
    from .parameters import parameters

    if name is None:
        listed = {kind: catalogue.summary(cls) for kind, cls in UNITS.items()}
        if as_json:
            print_json(listed)
        elif markdown:
            click.echo(catalogue.markdown(("unit", "computes"), listed.items(), left=2))
        else:
            print_table(("unit", "computes"), list(listed.items()), left=2)
        return
    if name not in UNITS:
        macaw.unit(name)  # raises, and says what there is
    from macaw.golden.arithmetic.accumulation.machines import COLUMNS, described
    from macaw.golden.units.dots import SumOfProducts
    from macaw.hdl import Implementation
    from macaw.hdl.units import DATAPATHS, limits

    cls = UNITS[name]
    what, how = parameters(cls), parameters(Implementation)
    offered = {"fold": DATAPATHS[cls].folds, "digits": DATAPATHS[cls].iterates}
    how = [p for p in how if offered.get(p["name"], True)]
    refused = limits(cls)
    machines = described() if issubclass(cls, SumOfProducts) else []
    if as_json:
        lists = {"parameters": what, "implementation": how, "gates_refuse": refused}
        if machines:
            lists["machines"] = [dict(zip(COLUMNS, row, strict=True)) for row in machines]
        print_json({"unit": name, "summary": catalogue.summary(cls), **lists})
        return
    columns = ("parameter", "default", "allowed")
    click.echo(f"{name}: {catalogue.documentation(cls)}\n")
    print_table(columns, [(p["name"], p["default"], p["allowed"]) for p in what], left=3)
    if machines:
        click.echo("\nMachines as accumulation, what a step of each is:\n")
        print_table(COLUMNS, machines, left=5)
    click.echo("\nImplementation (how, not what: it never changes a bit of the result):\n")
    print_table(columns, [(p["name"], p["default"], p["allowed"]) for p in how], left=3)
    if refused:
        click.echo(f"\nGates do not take: {'; '.join(refused)}.")
