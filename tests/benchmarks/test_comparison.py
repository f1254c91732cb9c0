# SPDX-License-Identifier: BSD-2-Clause
"""How long a comparison takes: the command, both runs, and what is shown of them."""

import sys
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.speed import comparison
from docs.pages.synthesis import sweeps
from macaw.golden.errors import MacawError
from macaw.synth import work


def test_there_are_twelve_pairs_and_each_is_built():
    assert len({work.pair(pair).name for pair in comparison.PAIRS}) == 12
    assert all("*" in pair for pair in comparison.PAIRS)


def test_the_command(tmp_path: Path):
    words = comparison.command(["int2*int4"], "ihp", 1000, tmp_path)
    assert words[:5] == ["compare", "int2*int4", "--target", "asic", "--energy"]
    assert words[-4:] == ["--liberty", "ihp", "--vectors", "1000"]
    assert "--liberty" not in comparison.command(["int2*int4"], None, None, tmp_path)


def test_both_runs_are_recorded_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    options = [
        "--pairs",
        "int2*int2",
        "ternary*fp64",
        "--vectors",
        "100",
        "--output",
        str(tmp_path),
    ]
    monkeypatch.setattr(sys, "argv", ["comparison", *options])
    assert comparison.main() == 0
    made = results.read("comparison", tmp_path)
    for cache in comparison.AIM:
        run = made[cache]
        assert (run["rows"], run["priced"], run["with_energy"]) == (2, 1, 1)
        assert run["seconds"] > 0
        assert [*run["errors"]] == ["ternary:fp64 on asic"]
    assert made["full"]["processor_seconds"] < made["empty"]["processor_seconds"]
    text = sweeps.compared(made)
    assert "1 of 2" in text
    assert "On `asic`: `int2*int2`, `ternary*fp64`.\n- ternary:fp64 on asic: " in text


def test_a_run_that_breaks_is_said(tmp_path: Path):
    with pytest.raises(MacawError, match=r"macaw compare, exit code 2: .*nothing"):
        comparison.timed(comparison.command(["nothing"], None, 1, tmp_path), tmp_path)


def test_a_kept_cache_is_timed_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    runs: list[Path] = []

    def timed(words: list[str], folder: Path) -> dict[str, int]:
        runs.append(folder)
        (folder / "cache").mkdir(parents=True, exist_ok=True)
        return {"seconds": len(runs)}

    monkeypatch.setattr(comparison, "timed", timed)
    kept = tmp_path / "kept"
    first = comparison.measured(["int2*int2"], None, 100, kept, {})
    again = comparison.measured(["int2*int2"], None, 100, kept, first)
    assert runs == [kept] * 3
    assert (again["empty"]["seconds"], again["full"]["seconds"]) == (1, 3)
    with pytest.raises(MacawError, match="has a cache, but no record of the run that filled it"):
        comparison.measured(["int2*int4"], None, 100, kept, first)
