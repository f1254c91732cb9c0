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
@click.option("--clock", help="200 or 200MHz, 50FO4, 5000ps: the fewest stages for it.")
@click.option("--retime", is_flag=True, help="Move registers by what is measured.")
@click.option("--sizing", is_flag=True, help="On libraries: copy registers and size cells, too.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of place and route.")
@click.option("--seeds", type=int, help="So many: median and range of the clock.  [default: 1]")
@click.option("--timeout", type=float, help="Seconds that each tool may take.")
@click.option("--breakdown", is_flag=True, help="Also by the parts of the arithmetic.")
@click.option("--energy", is_flag=True, help="Also of an operation, on libraries: simulated.")
@click.option("--operands", help="gaussian, heavy, uniform, sparse(SHARE).  [default: gaussian]")
@click.option("--data", help="A file of recorded operands in their place: .npz or .json.")
@click.option("--area-only", is_flag=True, help="No place and route: no timing on FPGAs.")
@click.option("--cache/--no-cache", default=True, help="Reuse results.  [default: cache]")
@AS_JSON
def synth(
    unit: str,
    parameters: tuple[str, ...],
    targets: tuple[str, ...],
    liberty: str | None,
    clock: str | None,
    seed: int,
    seeds: int | None,
    timeout: float | None,
    area_only: bool,
    retime: bool,
    sizing: bool,
    breakdown: bool,
    energy: bool,
    operands: str | None,
    data: str | None,
    cache: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure area and timing of UNIT on one target or several.

    With --clock it has the fewest pipeline stages that are measured to reach it, as compare has it;
    where it is "not reached", the result is the fastest pipeline that was found. With --retime
    the registers of one that nearly reaches it are moved first, and with --stages those of that
    pipeline: the slowest stage gets less time, up to 12 times, and the fastest result counts.

    With --sizing registers with many readers are copied after mapping, and cells exchanged for
    stronger and weaker ones, by their timing; --retime does so on libraries.

    \b
    Examples:
      macaw synth fma a=e4m3 out=fp16 --stages 3 --target ecp5
      macaw synth mul a=int8 out=int16 --target asic --json
      macaw synth mul a=e4m3 out=fp16 --stages 2 --target ecp5 --seeds 5
      macaw synth add a=fp16 out=fp16 --target asic --breakdown
      macaw synth add a=fp16 out=fp16 --target asic --clock 30FO4
      macaw synth add a=e2m1 --target asic --stages 2 --retime
      macaw synth add a=fp16 out=fp16 --target asic --optimise delay --sizing
      macaw synth mul a=int8 out=int16 --target asic --energy --operands heavy
      macaw synth int-mac a=int8 lanes=8 --energy --data conv3.npz
    """
    from macaw import synth as prices

    spec, how = unit_and_implementation(unit, parameters, options)
    more: dict[str, Any] = {"seed": seed, "area_only": area_only, "cache": cache}
    more |= {} if timeout is None else {"timeout": timeout}
    more |= {} if liberty is None else {"liberty": liberty}
    more |= {"sizing": True} if sizing else {}
    if operands is not None and not energy:
        raise SpecError(f"operands={operands}: go with --energy only")
    if data is not None and not energy:
        raise SpecError(f"data={data}: goes with --energy only")
    if data is not None and operands is not None:
        raise SpecError(f"data={data}: has the operands in place of operands={operands}")
    moving = {"energy": True, "operands": operands or "gaussian", "data": data} if energy else {}
    more["seeds"] = 1 if seeds is None else seeds
    results = []
    for target in targets or _default(clock, bool(liberty or energy)):
        with Progress(f"synth {spec.name} {target}") as progress:
            asked: dict[str, Any] = {}
            used: dict[str, Any] = how
            found = None
            if clock is not None:
                asked, found = _reached(spec, target, clock, retime, more, how, progress)
                used = how | {"stages": asked["stages"], "budgets": found.budgets or None}
            elif retime:
                found = _retimed(spec, target, more, how, progress)
                used = how | {"budgets": found.budgets or None}
            here = more | ({"sizing": True} if found is not None and found.sizing else {})
            if found is None or energy:
                found = macaw.synthesize(spec, target, progress=progress, **moving, **here, **used)
            if how.get("frequency") and found.fmax_mhz is not None:
                asked = _told(how["frequency"], found)
            result = asked | found.to_json()
            if breakdown:
                progress("mapping its parts one by one")
                single = {name: value for name, value in here.items() if name != "seeds"}
                parts = prices.breakdown(spec, target, progress=progress, **single, **used)
                result["breakdown"] = parts.to_json()
            results.append(result)
    if as_json:
        print_json(results)
        return
    for result in results:
        parts = result.pop("breakdown", None)
        for name, value in result.items():
            if name == "reached":
                value = "yes" if value else "not reached"
            if isinstance(value, tuple | list):
                numbers = all(isinstance(each, int | float) for each in value)
                value = (" " if numbers else "\n" + " " * 19).join(map(str, value))
            if value not in (None, ""):
                click.echo(f"{name.replace('_', ' '):18} {value}")
        click.echo()
        if parts is not None:
            heads, *rows = prices.Breakdown.from_json(parts).table()
            print_table(heads, rows)
            click.echo()


def _default(clock: str | None, library: bool) -> tuple[str, ...]:
    """The target that is not named: of a clock that only libraries have, asic."""
    from macaw.synth import TARGETS
    from macaw.synth.clock import clock as clock_of
    from macaw.synth.clock import units_of

    if library or (clock is not None and clock_of(clock).unit not in units_of(TARGETS["ecp5"])):
        return ("asic",)
    return ("ecp5",)


def _reached(
    spec: Any,
    target: str,
    clock: str,
    retime: bool,
    more: dict[str, Any],
    how: dict[str, Any],
    progress: Any,
) -> tuple[dict[str, Any], Any]:
    """The clock, whether it is reached and the stages, which JSON has first; and the result."""
    from macaw.synth import at_clock
    from macaw.synth.clock import clock as clock_of

    options = {name: value for name, value in more.items() if name != "liberty"}
    if options.pop("area_only"):
        raise SpecError(f"clock={clock}: area_only leaves no clock to be reached")
    where = {"liberty": more.get("liberty"), "options": options, "progress": progress}
    stages, result, reached = at_clock(spec, target, clock, retime=retime, **where, **how)
    return {"clock": str(clock_of(clock)), "reached": reached, "stages": stages}, result


def _told(frequency: float, result: Any) -> dict[str, Any]:
    """A frequency that was asked of the delay model, and whether it is measured."""
    from macaw.synth.clock import clock

    asked = clock(frequency)
    return {"clock": str(asked), "reached": asked.speed(result) >= 1}


def _retimed(
    spec: Any, target: str, more: dict[str, Any], how: dict[str, Any], progress: Any
) -> Any:
    """The pipeline with the registers where they are measured to be best."""
    from macaw.synth import retimed

    options = {name: value for name, value in more.items() if name != "liberty"}
    if not how.get("stages"):
        raise SpecError("retime: needs --stages from 1 on, or --clock")
    others = {name: value for name, value in how.items() if name != "stages"}
    where = {"liberty": more.get("liberty"), "options": options, "progress": progress}
    return retimed(spec, target, how["stages"], **where, **others)
