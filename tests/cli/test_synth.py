# SPDX-License-Identifier: BSD-2-Clause
"""``macaw synth``: the table of the parts, and the same as JSON."""

from command_line import Run


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
