# SPDX-License-Identifier: BSD-2-Clause
"""``macaw synth``: the table of the parts, and the same as JSON."""

import pytest
from command_line import Run, one_line


def test_breakdown_is_a_table_and_json(run: Run) -> None:
    arguments = (
        "synth",
        "add",
        "a=e4m3",
        "out=e4m3",
        "--target",
        "asic",
        "--breakdown",
        "--no-cache",
    )
    outcome = run(*arguments)
    assert outcome.code == 0, outcome.err
    for part in ("unpack_a", "order", "align", "normalise", "across the parts", "whole"):
        assert part in outcome.out
    (result,) = run(*arguments, "--json").json
    assert result["breakdown"]["whole"]["cost"] == result["gate_equivalents"]


def test_energy_is_told_and_is_json(run: Run) -> None:
    arguments = ("synth", "mul", "a=int3", "out=int6", "--energy")
    outcome = run(*arguments, "--operands", "heavy")
    assert outcome.code == 0, outcome.err
    for words in ("energy per operation", "energy without glitches", "inv", "heavy", "asic"):
        assert words in outcome.out
    (result,) = run(*arguments, "--json").json
    assert result["energy_per_operation"] > result["energy_without_glitches"] > 0
    assert result["operands"] == "gaussian"


def test_energy_is_of_libraries(run: Run) -> None:
    for more, said in (
        (("--energy", "--target", "ecp5"), "energy: target ecp5 is no library; take asic"),
        (("--operands", "heavy"), "operands=heavy: go with --energy only"),
        (("--energy", "--operands", "x"), "operands: 'x' is none of gaussian, heavy, uniform"),
    ):
        outcome = run("synth", "mul", "a=int3", "out=int6", *more)
        assert outcome.code == 2
        assert said in outcome.err
        assert outcome.err.count("\n") == 1


def test_several_seeds(run: Run) -> None:
    arguments = ("synth", "add", "a=int4", "out=int6", "--stages", "1", "--target", "ecp5")
    outcome = run(*arguments, "--seeds", "3")
    assert outcome.code == 0, outcome.err
    for words in ("fmax mhz ", "fmax mhz least", "fmax mhz most", "fmax mhz by seed"):
        assert words in outcome.out
    (result,) = run(*arguments, "--seeds", "3", "--json").json
    assert result["fmax_mhz"] == sorted(result["fmax_mhz_by_seed"])[1]
    assert result["fmax_mhz_least"] == min(result["fmax_mhz_by_seed"])
    (alone,) = run(*arguments, "--seed", "2", "--json").json
    assert alone["fmax_mhz"] == result["fmax_mhz_by_seed"][1]
    assert alone["fmax_mhz_by_seed"] == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("--seeds 0", "seeds=0: must be an integer from 1 to 100"),
        ("--seeds 1000", "seeds=1000: must be an integer from 1 to 100"),
        ("--seeds x", "'x' is not a valid integer"),
        ("--seeds 2 --seed 2147483647", "seed=2147483647: must be an integer from 0 to 2147483646"),
        ("--seeds 2 --seed -1", "seed=-1: must be an integer from 0"),
        ("--seeds 2 --target asic", "seeds=2: target asic: it has no place and route"),
        ("--seeds 2 --area-only", "seeds=2: target ecp5: area_only leaves place and route out"),
    ],
)
def test_seeds_that_make_no_sense(run: Run, more: str, said: str) -> None:
    one_line(run("synth", "add", "a=int4", "out=int6", *more.split()), said)
