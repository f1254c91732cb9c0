# SPDX-License-Identifier: BSD-2-Clause
"""``macaw choose``: a weight format for each layer of a network."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from macaw.golden.errors import SpecError
from macaw.tools.command import FAILED, PASSED, complain

from .options import AS_JSON
from .output import Progress, print_json, print_table

if TYPE_CHECKING:
    from macaw.synth.chooser import Costs


@click.command()
@click.argument("file")
@click.option(
    "--limit", "limits", multiple=True, help="FIGURE=NUMBER or FIGURE=SHARE%; repeatable."
)
@click.option("--minimise", help="Figure.  [default: the cost if sensitivity is limited, or it]")
@click.option("--cost", default="area", show_default=True, help="Figure that is paid.")
@click.option("--target", default="asic", show_default=True, help="On which areas are measured.")
@click.option("--clock", help="200MHz, 50FO4, 5000ps: areas with the fewest stages for it.")
@click.option("--activation", default="int8", show_default=True, help="Format of activations.")
@click.option("--plot", help="SVG file: the Pareto front of cost and sensitivity.")
@click.option("--points", type=click.IntRange(1), help="Of the front, about.  [default: all]")
@AS_JSON
def choose(
    file: str,
    limits: tuple[str, ...],
    minimise: str | None,
    cost: str,
    target: str,
    clock: str | None,
    activation: str,
    plot: str | None,
    points: int | None,
    as_json: bool,
) -> int:
    """Choose a weight format for each layer of the network that FILE describes.

    FILE is JSON: {"layers": [{"name": "conv1", "macs": 4608, "weights": 72, "formats": {"int8":
    0.0001, "int4": 0.02}}, ...]}, the formats with what each loses in this layer (sensitivity).
    Instead of that number an object may name more figures: {"sensitivity": 0.02, "latency": 7}.
    Activations are in the format of --activation, or, for "int4:int16", in int16.
    From "weights" follows the figure bits; from "macs" area: what it takes to do all of a layer's
    products each clock, by units that are measured, unless the figure area is given. With limits,
    the best assignment within them; without, all that no other beats (the Pareto front). Exit code
    1 if none is within the limits.

    With --clock areas are those of pipelines, each with the fewest stages that are measured to
    reach it, as compare has it. A format whose unit does not is "not reached", and not chosen.

    \b
    Examples:
      macaw choose layers.json --cost bits --limit sensitivity=0.05
      macaw choose layers.json --limit area=60% --target ecp5 --plot front.svg
    """
    from macaw.synth import chooser, front
    from macaw.synth import clock as clocks
    from macaw.synth.mapping import targets
    from macaw.synth.page import charts
    from macaw.tools import files

    try:
        data = json.loads(Path(file).read_text(encoding="utf-8"))
    except ValueError as error:
        raise SpecError(f"{file}: is not JSON: {error}") from None
    chooser.scipy()
    # All that can be wrong is found with any costs at all, before minutes go into measuring.
    unpriced = chooser.unpriced(data)
    problem = chooser.from_json(data, dict.fromkeys(unpriced, 1.0))
    bounds = dict(chooser.parse_limit(limit, problem) for limit in limits)
    figure = minimise or (cost if chooser.LOSS in bounds else chooser.LOSS)
    used = {*bounds, figure} if bounds else set()
    used |= {cost, chooser.LOSS} if plot or not bounds else set()
    for each in sorted(used):
        problem.largest(each)
    if plot and not Path(plot).absolute().parent.is_dir():
        raise SpecError(f"--plot {plot}: there is no such folder")
    if plot:
        files.check(Path(plot))
    at: Costs | None = None
    if clock is not None:
        clocks.clock(clock).check(targets.target(target))
        if not unpriced or "area" not in used:
            raise SpecError(f"clock={clock}: no area is measured that it would decide")
    if unpriced:
        costs = None
        if "area" in used:
            with Progress("choose") as progress:
                options = {"activation": activation, "progress": progress}
                if clock is None:
                    costs = chooser.mac_costs(unpriced, target, **options)
                else:
                    at = chooser.costs_at(clock, unpriced, target, **options)
                    costs, data = at.costs, chooser.without(data, at.missed)
        problem = chooser.from_json(data, costs)
        bounds = dict(chooser.parse_limit(limit, problem) for limit in limits)
    found = problem.front(cost, points=points) if plot or not bounds else []
    if plot:
        head = f"{len(found)} best assignments"
        made = charts.chart(front.plot(problem, found, cost, head))
        files.write(Path(plot), charts.picture([made]))
    if bounds:
        chosen = problem.solve(figure, bounds)
        if chosen is None:
            complain("no assignment is within the limits")
            return FAILED
        found = [chosen]
    if as_json:
        told = [each.to_json() for each in found]
        more = {} if at is None else {"clock": str(clocks.clock(clock)), **asdict(at)}
        more |= {"not_reached": more.pop("missed")} if at is not None else {}
        print_json(({"chosen": told[0]} if bounds else {"front": told}) | more)
    else:
        rows = [
            [*each.formats.values(), *(f"{value:.4g}" for value in each.totals.values())]
            for each in found
        ]
        print_table([*problem.layers, *problem.figures], rows, left=len(problem.layers))
        if at is not None:
            _stages(at, str(clocks.clock(clock)))
    return PASSED


def _stages(at: Costs, clock: str) -> None:
    """What each format's unit has, or that it does not reach the clock."""
    found = {name: f"{stages} stage{'s' * (stages != 1)}" for name, stages in at.stages.items()}
    found |= {name: f"not reached ({reached})" for name, reached in at.missed.items()}
    click.echo(f"\nat {clock}: {'; '.join(f'{name} {told}' for name, told in found.items())}")
