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


def test_units_say_what_machines_add_up(run: Run) -> None:
    assert "tensor-core(hopper)" in run("units", "dot").out
    machines = run("units", "block-mac", "--json").json["machines"]
    hopper = [row for row in machines if row["profile"] == "tensor-core(hopper)"]
    (fp8,) = (row for row in hopper if row["a and b"] == "e4m3/e5m2")
    assert (fp8["products"], fp8["fraction bits"]) == ("32", "13")
    assert "machines" not in run("units", "mac", "--json").json


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ("units divide", "fma"),
    ],
)
def test_bad_input(run: Run, arguments: str, fragment: str) -> None:
    one_line(run(*shlex.split(arguments)), fragment)
