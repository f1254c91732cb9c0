# SPDX-License-Identifier: BSD-2-Clause
"""``macaw sweep``: a design space, point by point."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import click

from macaw.golden.errors import SpecError
from macaw.tools.command import FAILED, PASSED

from .options import AS_JSON
from .output import Bar, print_json, print_table

SHOWN = 40
"""Rows that a terminal gets."""

SHORT = ("format", "accumulator", "target", "lanes", "unit", "stages", "cost", "fmax_mhz",
         "period_fo4", "delay_ps", "rate", "area_per_mac", "energy_per_mac", "sqnr_gaussian",
         "status", "error")  # fmt: skip
"""Columns that it gets, of those with something in them, and those of a front."""

TEXT = ("format", "accumulator", "target", "unit", "status", "error")


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="FORMAT...")
@click.option("--target", "targets", multiple=True, help="May be repeated.  [default: asic]")
@click.option("--liberty", help="One more target: a Liberty file, or sky130, gf180, ihp.")
@click.option("--accumulator", help="Formats of sums: fp32,fp16.  [default: the format's own]")
@click.option("--lanes", help="Products per clock: 1,2,4-8.  [default: as compare has it]")
@click.option("--stages", help="Pipeline registers: 0-4.  [default: those of the best value]")
@click.option("--clock", help="In place of stages, the fewest for it: 30FO4,40FO4; 200MHz.")
@click.option("--unit", help="auto, fma, mac, dot: one or several.  [default: auto]")
@click.option("--optimise", help="balanced, area, delay: one or several.  [default: balanced]")
@click.option("--vectors", type=int, help="Prove each unit with so many.  [default: no proof]")
@click.option("--energy", is_flag=True, help="Of a multiply-accumulate, on libraries: simulated.")
@click.option("--operands", help="gaussian, heavy, uniform, sparse(SHARE).  [default: gaussian]")
@click.option("--accuracy/--no-accuracy", default=True, help="SQNR, too.  [default: accuracy]")
@click.option("--seed", type=int, help="Of vectors, data, place and route.  [default: 1]")
@click.option("--seeds", type=int, help="Of place and route: median and range.  [default: 1]")
@click.option("--timeout", type=float, help="Seconds that each tool may take.")
@click.option("--cache/--no-cache", default=True, help="Reuse and keep results.  [default: cache]")
@click.option("--workers", "--jobs", type=int, help="Processes.  [default: one per core]")
@click.option("--executor", default="local", show_default=True, help="local or dask.")
@click.option("--scheduler", help="Address of the Dask scheduler.")
@click.option("--most", type=int, help="Points that there may be.  [default: 10,000]")
@click.option("--pareto", help="FIGURE,FIGURE: columns; marks the points that no other beats.")
@click.option(
    "-o", "--output", "outputs", multiple=True,
    help="File .csv, .parquet, .html; repeatable.  [default: build/sweep.csv, build/sweep.html]",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only list the points, and which are kept already.")
@AS_JSON
def sweep(
    names: tuple[str, ...],
    targets: tuple[str, ...],
    outputs: tuple[str, ...],
    pareto: str | None,
    dry_run: bool,
    as_json: bool,
    executor: str,
    workers: int | None,
    scheduler: str | None,
    **options: Any,
) -> int:
    """Measure every point of a design space: a table with a row a point.

    FORMATs are what compare takes, with ranges and choices in quotes: 'e<2-5>m<1-4>',
    'int<2-8>*int8', 'e2m1-k<16,32>-<e8m0,ue4m3>', 'int8-><int16,int32>'. They go with all
    targets, accumulators, lanes, stages (or clocks). A point is what compare says of the format
    with these settings, unproven unless --vectors says otherwise. One that cannot be built has a
    row that says why. Exit code 1 if a tool or a proof failed.

    Each finished point is kept at once: after an interruption the same command measures what is
    left. --pareto names two columns, such as area_per_mac,sqnr_gaussian; macaw knows of which less
    is better and of which more.

    \b
    Examples:
      macaw sweep 'e<2-3>m1' 'int<3-4>' --lanes 1,2 --stages 0 --pareto area_per_mac,sqnr_gaussian
      macaw sweep 'e<2-5>m<1-4>' --lanes 1-4 --stages 0-3 --target asic --target ecp5 --dry-run
    """
    from macaw.synth.sweep import points, run, table

    settings = {name: value for name, value in options.items() if value is not None}
    if settings.get("vectors") is not None:
        settings["proof"] = True
    if "operands" in settings and not settings["energy"]:
        raise SpecError(f"operands={settings['operands']}: go with --energy only")
    judged = _judged(pareto)
    paths = [table.check(path) for path in outputs or ("build/sweep.csv", "build/sweep.html")]
    planned = points.plan(names, targets or ("asic",), **settings)
    if dry_run:
        _list(planned, as_json)
        return PASSED
    for path in paths:
        table.make_way(path)  # better refused now than after an hour
    with Bar("sweep") as progress:
        rows = run.measured(
            planned, progress=progress, kind=executor, workers=workers, scheduler=scheduler
        )
    made = run.Sweep(rows=tuple(rows), command=_command())
    if judged:
        made = made.pareto(*judged)
    for path in paths:
        made.write(path)
    if as_json:
        print_json(made.to_json())
    else:
        _show(made, [*judged])
        click.echo(f"\n{run.counted(made.rows)}; wrote {', '.join(map(str, paths))}")
    return PASSED if made.passed else FAILED


def _command() -> str:
    """What was typed, but for where it runs and what is shown of it."""
    context = click.get_current_context()
    told: list[str] = []
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if context.get_parameter_source(parameter.name or "") == _DEFAULT or not value:
            continue
        if isinstance(parameter, click.Argument):
            told += value
        elif parameter.name not in ("workers", "executor", "scheduler", "as_json"):
            for each in value if isinstance(value, tuple) else [value]:
                flag = parameter.opts[-1]
                told.append(flag if each is True else f"{flag}={each}")
    return shlex.join(["macaw", "sweep", *told])


_DEFAULT = click.core.ParameterSource.DEFAULT


def _judged(pareto: str | None) -> Sequence[str]:
    from macaw.synth import columns

    if pareto is None:
        return ()
    judged = [name.strip() for name in pareto.split(",")]
    if len(judged) != 2 or judged[0] == judged[1]:
        raise SpecError(f"pareto={pareto}: must be two figures, as area_per_mac,sqnr_gaussian")
    return [columns.figure(name).name for name in judged]


def _list(planned: Sequence[Any], as_json: bool) -> None:
    states = [
        "refused" if point.error else "kept" if point.how.cache and point.kept() else "to do"
        for point in planned
    ]
    listed = [
        {**point.asked, "state": state, "error": point.error}
        for point, state in zip(planned, states)
    ]
    if as_json:
        print_json({"points": len(planned), "rows": listed})
        return
    heads = ("format", "target", "lanes", "stages", "clock", "optimise", "state", "error")
    print_table(
        heads, [["" if row[h] is None else str(row[h]) for h in heads] for row in listed], left=8
    )
    counts = ", ".join(f"{states.count(each):,} {each}" for each in ("kept", "to do", "refused"))
    click.echo(f"\n{len(planned):,} points: {counts}")


def _show(made: Any, judged: Sequence[str]) -> None:
    from macaw.synth import columns

    rows = made.front() if judged else list(made.rows)
    heads = [name for name in SHORT if any(row[name] is not None for row in rows)]
    if made.count(columns.DONE) == len(made.rows):
        heads.remove("status")
    heads += [name for name in judged if name not in heads]
    if judged:
        click.echo(f"Pareto front of {' and '.join(judged)}, {len(rows):,} points:\n")
    left = sum(name in TEXT for name in heads)
    heads.sort(key=lambda name: name not in TEXT)
    print_table(heads, [[_text(row[name]) for name in heads] for row in rows[:SHOWN]], left=left)
    if len(rows) > SHOWN:
        click.echo(f"… and {len(rows) - SHOWN:,} more")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
