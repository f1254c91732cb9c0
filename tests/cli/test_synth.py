# SPDX-License-Identifier: BSD-2-Clause
"""``macaw synth``: what a unit costs."""

import shlex

import pytest
from command_line import Run, one_line


def test_synth_asic(run: Run) -> None:
    outcome = run("synth", "mul", "a=e2m1", "--target", "asic", "--json")
    assert outcome.code == 0, outcome.err
    (result,) = outcome.json
    assert result["gate_equivalents"] > 0


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ("synth mul a=e2m1 --target mars", "mars"),
        ("synth mul a=e2m1 --liberty none.lib", "none.lib"),
    ],
)
def test_bad_input(run: Run, arguments: str, fragment: str) -> None:
    one_line(run(*shlex.split(arguments)), fragment)
