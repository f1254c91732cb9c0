# SPDX-License-Identifier: BSD-2-Clause
"""By whom a kind was judged: judges by check, results added up, and every kind with a price."""

import sys
from pathlib import Path

import pytest

from benchmarks.cost.kinds import ROWS
from benchmarks.cost.measure import parse
from benchmarks.studies import judged
from macaw.golden.units import UNITS
from macaw.sim.proof.ledger import Entry, Ledger
from macaw.sim.proof.prove import golden_checks


def test_every_kind_has_a_row_of_costs():
    kinds = [parse(row)[0].kind for row in ROWS]
    assert len(kinds) == len({*kinds})
    assert {*UNITS} - {*kinds} == {"pipeline"}


def test_judges():
    found: dict[str, set[str]] = {}
    for check in golden_checks():
        if check.kind in ("div", "table", "function", "softmax"):
            found.setdefault(check.kind, set()).add(judged.judge_of(check))
    assert found == {
        "div": {"MPFR", "SoftFloat", "reference"},
        "table": {"MPFR", "reference"},
        "function": {"MPFR", "reference"},
        "softmax": {"reference"},
    }


def test_results_are_added_up():
    def entry(name: str, vectors: int) -> Entry:
        return Entry(name=name, passed=True, vectors=vectors, seconds=1.0, detail="")

    entries = [entry("x", 5), entry("y", 7), entry("z", 1)]
    assert judged.tally(entries, {"x": "MPFR", "y": "MPFR", "z": "reference"}) == {
        "MPFR": [2, 12],
        "reference": [1, 1],
    }


def test_a_failure_is_counted_and_adds_no_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def failing(work, golden, ledger, *, jobs, again):
        names = [*golden, *(case.name for case in work)]
        for number, name in enumerate(names):
            full = f"golden/{name}" if name in golden else name
            passed = number > 0
            yield Entry(name=full, passed=passed, vectors=100, seconds=0.0, detail="")

    monkeypatch.setattr(judged, "prove", failing)
    made = judged.record("copy-sign", Ledger(tmp_path / "ledger.json"), 1)
    checks = sum(count for group in ("golden", "gates") for count, _ in made[group].values())
    results = sum(number for group in ("golden", "gates") for _, number in made[group].values())
    assert made["failed"] == 1
    assert made["units"] > 1
    assert results == 100 * checks > 0


def test_a_pattern_without_a_kind(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    monkeypatch.setattr(sys, "argv", ["judged", "--only", "nothing"])
    with pytest.raises(SystemExit, match="2"):
        judged.main()
    assert "--only nothing: no kind has such a name" in capsys.readouterr().err
