# SPDX-License-Identifier: BSD-2-Clause
"""``macaw synth``: the table of the parts, and the same as JSON."""

import json
from pathlib import Path

import pytest
from command_line import Run, one_line

from macaw.cli.synth import _told
from macaw.synth import Result


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


def test_energy_of_recorded_operands(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "conv.json"
    path.write_text(json.dumps({"a": [0, 7] * 50, "b": [3] * 100}))
    arguments = ("synth", "mul", "a=int3", "out=int6", "--data", str(path))
    (result,) = run(*arguments, "--energy", "--json").json
    assert result["operands"].startswith("conv.json ")
    assert result["operations"] == 100
    for more, said in (
        ((), "goes with --energy only"),
        (("--energy", "--operands", "heavy"), "in place of operands=heavy"),
        (("--energy", "--target", "ecp5"), "energy: target ecp5 is no library"),
    ):
        outcome = run(*arguments, *more)
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


def test_the_fewest_stages_for_a_clock(run: Run) -> None:
    arguments = ("synth", "add", "a=e2m1", "out=e4m3")
    (result,) = run(*arguments, "--clock", "25FO4", "--json").json  # which asic has alone
    assert (result["clock"], result["reached"], result["target"]) == ("25 FO4", True, "asic")
    assert result["delay_fo4"] <= 25
    assert result["stages"] == result["latency"] > 0
    fewer = str(result["stages"] - 1)
    (shorter,) = run(*arguments, "--stages", fewer, "--target", "asic", "--json").json
    assert shorter["delay_fo4"] > 25
    assert "clock" not in shorter
    outcome = run(*arguments, "--clock", "25FO4", "--energy")
    assert outcome.code == 0, outcome.err
    for words in ("reached            yes", "energy per operation", "clock              25 FO4"):
        assert words in outcome.out


def test_a_frequency_that_the_model_took_for_reached_is_told(run: Run) -> None:
    words = ("synth", "add", "a=e2m1", "--target", "ice40", "--frequency", "150")
    (result,) = run(*words, "--json").json
    assert (result["clock"], result["reached"]) == ("150 MHz", result["fmax_mhz"] >= 150)
    for clock, reached in ((149.9, False), (150.0, True)):
        found = Result(name="x", target="x", fmax_mhz=clock)
        assert _told(150.0, found) == {"clock": "150 MHz", "reached": reached}


def test_a_clock_that_is_not_reached(run: Run) -> None:
    outcome = run("synth", "copy-sign", "a=fp16", "--clock", "1FO4")
    assert outcome.code == 0, outcome.err
    assert "reached            not reached" in outcome.out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("--clock 150 --stages 2", "stages=2: clock=150 MHz decides the stages"),
        ("--clock 150 stages=0", "stages=0: clock=150 MHz decides the stages"),
        ("--clock 150 --frequency 9", "frequency=9.0: clock=150 MHz decides the stages"),
        ("--clock 150 --area-only", "clock=150: area_only leaves no clock to be reached"),
        ("--clock 150 --target asic", "clock=150 MHz: target asic takes FO4"),
        ("--clock 30FO4 --target ecp5", "clock=30 FO4: target ecp5 takes MHz or ps"),
        ("--clock 150 --target xilinx7", "clock=150 MHz: target xilinx7 gives area only, no clock"),
        ("--clock fast", "clock=fast: must be MHz"),
        ("--clock 0", "clock=0: must be from 0.001"),
    ],
)
def test_clocks_that_make_no_sense(run: Run, more: str, said: str) -> None:
    one_line(run("synth", "add", "a=int4", "out=int6", *more.split()), said)
