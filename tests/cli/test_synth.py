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
