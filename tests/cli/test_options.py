# SPDX-License-Identifier: BSD-2-Clause
"""Parameters of units, and of how they are built, wherever a verb takes them."""

import dataclasses
import shlex

import click
import pytest
from command_line import Run, one_line

from macaw import cli
from macaw.hdl import Implementation


def test_implementation_as_option_or_as_parameter(run: Run) -> None:
    one = run("generate", "mul", "a=e2m1", "stages=1", "flow=valid", "-o", "-")
    other = run("generate", "mul", "a=e2m1", "--stages", "1", "--flow", "valid", "-o", "-")
    assert one.code == 0, one.err
    assert one.out == other.out
    assert "module mul_e2m1" in one.out


def test_every_implementation_field_is_an_option() -> None:
    options = {p.name for p in cli.cli.commands["generate"].params if isinstance(p, click.Option)}
    assert {field.name for field in dataclasses.fields(Implementation)} <= options


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ("generate fma a=e4m3 out=fp16 colour=red", "colour"),
        ("generate fma a=e4m3 out=fp16 stagse=3", "did you mean stages"),
        ("generate fma a=e4m3 out=fp16 roundin=rtz", "did you mean rounding"),
        ("generate fma e4m3", "name=value"),
        ("generate fma a=e4m3 a=e5m2", "twice"),
        ("generate fma a=e4m3 out=fp16 stages=2 --stages 3", "twice"),
        ("generate fma a=e4m3 out=fp16 stages=two", "integer"),
        ("generate fma a=e4m3 out=fp16 --stages two", "two"),
    ],
)
def test_bad_input(run: Run, arguments: str, fragment: str) -> None:
    one_line(run(*shlex.split(arguments)), fragment)
