# SPDX-License-Identifier: BSD-2-Clause
"""``macaw units``: what each unit takes."""

import shlex

import pytest
from command_line import Run, one_line

from macaw.golden import UNITS


def test_units(run: Run) -> None:
    assert set(run("units", "--json").json) == set(UNITS)


@pytest.mark.parametrize("name", UNITS)
def test_units_tells_of_each(run: Run, name: str) -> None:
    text = run("units", name).out
    assert text.startswith(f"{name}: ")
    assert "parameter" in text


def test_unit_parameters_are_derived(run: Run) -> None:
    parameters = {p["name"]: p for p in run("units", "fma", "--json").json["parameters"]}
    assert {n: parameters[n]["default"] for n in ("a", "b", "c", "out")} == {
        "a": "required",
        "b": "as a",
        "c": "as out",
        "out": "required",
    }
    assert "rtz" in parameters["rounding"]["allowed"]
    assert "stages" in run("units", "fma").out


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ("units divide", "fma"),
    ],
)
def test_bad_input(run: Run, arguments: str, fragment: str) -> None:
    one_line(run(*shlex.split(arguments)), fragment)
