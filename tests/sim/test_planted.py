# SPDX-License-Identifier: BSD-2-Clause
"""Planted bugs: the list, a sample of it refuted, and what is no refutation."""

import dataclasses

import pytest
from click.testing import CliRunner

from benchmarks import results
from macaw.sim.formal.proof import PROVEN, REFUTED, Step
from macaw.sim.proof.mutants import planted
from macaw.sim.proof.mutants.planted import WAYS, Planted, listed, refuted, sampled, tried
from macaw.tools import simulators, store

WITH_SIMULATOR = pytest.mark.skipif(
    "bulk" not in simulators.available(), reason="verilator is missing"
)
QUICK = 8.0
"""Seconds, as recorded, of what is tried again here."""
BUGS = {bug.name: bug for bug in listed()}
ROWS = results.read("planted")["rows"]
SAMPLE = sampled(
    [BUGS[r["bug"]] for r in ROWS if r["bug"] in BUGS and r["seconds"] < QUICK], 1, seed=4
)


@pytest.fixture
def empty_store(tmp_path, monkeypatch):
    """What a test run before left must not decide."""
    monkeypatch.setattr(store, "_path", lambda digest: tmp_path / digest)


def test_every_way_has_bugs_and_each_was_tried():
    assert {bug.by for bug in BUGS.values()} == {*WAYS}
    assert len(BUGS) == len(listed())
    assert {row["bug"] for row in ROWS} == {*BUGS}, (
        "run python -m benchmarks.studies.formal.planted"
    )
    assert not [row["bug"] for row in ROWS if not row["refuted"]]


@WITH_SIMULATOR
@pytest.mark.usefixtures("empty_store")
@pytest.mark.parametrize("bug", SAMPLE, ids=lambda bug: bug.by)
def test_planted_bugs_are_refuted(bug):
    proof = bug.prove(jobs=1)
    assert refuted(bug, proof), proof
    assert proof.mismatch is not None
    assert proof.mismatch.got != proof.mismatch.expected
    assert proof.mismatch.replay.startswith("macaw verify ")
    assert "expected" in str(proof)


RIGHT = Planted(unit="mul a=e2m1", by="exhaustive", old="^", new="^")


@WITH_SIMULATOR
@pytest.mark.usefixtures("empty_store")
def test_what_is_no_bug_is_not_refuted():
    found = tried(RIGHT)
    assert not found.refuted
    assert found.said.split()[0] == PROVEN
    assert not tried(dataclasses.replace(RIGHT, old="no such text")).refuted


@WITH_SIMULATOR
@pytest.mark.usefixtures("empty_store")
def test_another_step_or_no_operands_are_no_refutation():
    bug = dataclasses.replace(RIGHT, new="|")
    proof = bug.prove()
    assert refuted(bug, proof)
    assert not refuted(dataclasses.replace(bug, by="symfpu"), proof)
    assert not refuted(bug, dataclasses.replace(proof, mismatch=None))
    step = Step(claim="", method="exhaustive", verdict=REFUTED, covered="1 of 2 cases")
    assert not refuted(bug, dataclasses.replace(proof, steps=(step,)))


@WITH_SIMULATOR
@pytest.mark.usefixtures("empty_store")
@pytest.mark.parametrize(("new", "status"), [("|", 0), ("^", 1)])
def test_the_command_says_what_is_not_refuted(new, status, monkeypatch):
    monkeypatch.setattr(planted, "listed", lambda: [dataclasses.replace(RIGHT, new=new)])
    done = CliRunner().invoke(planted.main, ["--only", "exhaustive*"], standalone_mode=False)
    assert done.return_value == status
    assert f"{WAYS['exhaustive'].title:28}{1:9}{1 - status:9}" in done.stdout
