# SPDX-License-Identifier: BSD-2-Clause
"""What verbs share of their arguments: options, and the unit that they are given."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Iterable
from typing import Any

import click

import macaw
from macaw.golden.errors import SpecError, did_you_mean

_IMPLEMENTATION = (
    click.option("--stages", type=int, help="Pipeline registers; 0 is combinational (default)."),
    click.option("--frequency", type=float, help="MHz to reach; decides the stages."),
    click.option("--flow", help="none, valid, or stream (valid/ready).  [default: none]"),
    click.option("--bus", help="axis: AXI4-Stream port names."),
    click.option("--ready", help="Of a stream: combinational, or registered (a skid buffer)."),
    click.option("--tlast", help="Of bus=axis, on results: auto, on, or off.  [default: auto]"),
    click.option("--reset", help="sync, async, or none.  [default: sync]"),
    click.option("--reset-active", help="high or low.  [default: high; with bus=axis low]"),
    click.option("--multiplier", help="auto, dsp, or lut.  [default: auto]"),
    click.option("--table", help="logic, or ram, which takes a stage.  [default: logic]"),
    click.option(
        "--optimise", help="What it is mapped for: balanced, area, or delay.  [default: balanced]"
    ),
    click.option("--widest-sum", type=int, help="Bits that an exact sum may have.  [default: 128]"),
    click.option(
        "--fold", type=int, help="Turns of the lanes, of units that have it.  [default: 1]"
    ),
    click.option("--digits", type=int, help="Of a quotient or root, a clock.  [default: all]"),
    click.option("--budgets", help="How long each stage may be beside others: 1,0.9,1."),
    click.option("--name", help="Name of the Verilog module."),
)
DELAYS = click.option("--target", help="Delay model for --frequency.  [default: ecp5]")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def takes_a_unit(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb a unit with its parameters, and an option for each field of ``Implementation``.

    :func:`unit_and_implementation` makes of them what they mean.
    """
    for option in reversed(_IMPLEMENTATION):
        command = option(command)
    command = click.argument("parameters", nargs=-1, metavar="[NAME=VALUE]...")(command)
    return click.argument("unit")(command)


def _pairs(items: Iterable[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise SpecError(f"{item!r} is no parameter: write name=value")
        if name in pairs:
            raise SpecError(f"{name} is given twice: {name}={pairs[name]} and {item}")
        pairs[name] = value
    return pairs


def _convert(name: str, text: str, hint: Any) -> Any:
    """``text`` of the command line as a value of the dataclass field ``name``."""
    kinds = typing.get_args(hint) or (hint,)
    try:
        if int in kinds:
            return int(text)
        if float in kinds:
            return float(text)
    except ValueError:
        what = "an integer" if int in kinds else "a number"
        raise SpecError(f"{name}={text}: must be {what}") from None
    return None if text == "none" and type(None) in kinds and str not in kinds else text


def unit_and_implementation(
    kind: str, items: Iterable[str], options: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Divide name=value pairs between the unit and its implementation, by the fields' names."""
    from macaw.golden.units import UNITS
    from macaw.hdl import Implementation

    pairs = _pairs(items)
    how = {field.name for field in dataclasses.fields(Implementation)}
    fields = dataclasses.fields(UNITS[kind]) if kind in UNITS else ()
    what = {field.name for field in fields if field.init}
    hints = typing.get_type_hints(Implementation)
    given = {name: value for name, value in options.items() if value is not None}
    for name in [name for name in pairs if name in how - what]:
        if name in given:
            raise SpecError(f"{name} is given twice: {name}={pairs[name]} and --{name}")
        given[name] = _convert(name, pairs.pop(name), hints[name])
    if kind in UNITS:
        for name in pairs.keys() - what:
            if hint := did_you_mean(name, what | how):
                raise SpecError(f"{kind} has no parameter {name!r}: {hint}")
    return macaw.unit(kind, **pairs), given
