# SPDX-License-Identifier: BSD-2-Clause
"""The list of what is proven for all inputs: a sample of it, and what becomes of what is not."""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from benchmarks import results
from benchmarks.studies import proven as study
from docs.pages.verification import proven as pages
from macaw.golden.units import unit
from macaw.hdl import generate
from macaw.sim.formal import exhaustive, prove
from macaw.sim.proof import prove as proof
from macaw.sim.proof.formal import claim as module
from macaw.sim.proof.formal.claim import Claim, outcome
from macaw.sim.proof.formal.listed import claims
from macaw.tools import simulators, store

WITH_SIMULATOR = pytest.mark.skipif(
    "bulk" not in simulators.available(), reason="verilator is missing"
)
WRONG = Claim(name="formal/mul/wrong", units=(unit("mul", a="e2m1"),))


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    """What a test run before left must not decide."""
    monkeypatch.setattr(store, "_path", lambda digest: tmp_path / digest)


@pytest.fixture
def wrong_gates(monkeypatch):
    """Gates that round otherwise than what is claimed of them."""

    def other(spec, **how):
        return planted(generate(unit("mul", a="e2m1", rounding="rtz"), **how), spec)

    monkeypatch.setattr(module, "generate", other)
    monkeypatch.setattr(module, "write_bodies", lambda designs: None)


def planted(design, spec):
    return SimpleNamespace(
        spec=spec, implementation=None, metadata=design.metadata, verilog=design.verilog
    )


def listed(*arguments):
    done = CliRunner().invoke(proof.main, ["--list", "--only", "formal/*", *arguments])
    assert done.exit_code == 0
    return done.output.split()


def test_the_proof_lists_them_once():
    names = [claim.name for claim in claims()]
    assert listed() == names
    assert len({*names}) == len(names)
    assert {*listed("--sample")} < {*names}


@WITH_SIMULATOR
@pytest.mark.parametrize("name", ["mul/e2m1", "flags/e2m1", "subtract/e2m1"])
def test_a_sample_is_proven(name):
    chosen = next(claim for claim in claims() if claim.name == f"formal/{name}")
    _, entry = proof.run_claim(chosen)
    assert entry.passed, entry.detail
    assert entry.vectors == len(chosen.units) * len(chosen.implementations)
    assert not entry.open


@WITH_SIMULATOR
def test_stages_are_proven():
    (chosen,) = (claim for claim in claims() if claim.name == "formal/stages/mul/e2m1")
    few = Claim(name=chosen.name, units=chosen.units, implementations=chosen.implementations[-1:])
    found = outcome(few)
    assert found.verdict == "proven", found.detail
    assert found.proofs == 1


@WITH_SIMULATOR
def test_netlists_are_proven():
    found = outcome(
        Claim(
            name="formal/netlist/x",
            units=(unit("mul", a="e2m1"),),
            implementations=({"netlist": "asic"}, {}),
        )
    )
    assert found.verdict == "proven", found.detail
    assert found.proofs == 2


@WITH_SIMULATOR
def test_wrong_gates_fail(wrong_gates):
    _, entry = proof.run_claim(WRONG)
    assert entry.failed
    assert not entry.passed
    assert "expected" in entry.detail
    assert "FAILED" in proof.summary([entry])


@WITH_SIMULATOR
def test_what_is_built_together_is_judged(monkeypatch):
    """What is right is found later, what is wrong is not."""
    right = generate(unit("mul", a="e2m1"))
    wrong = planted(generate(unit("mul", a="e2m1", rounding="rtz")), right.spec)
    exhaustive.ahead([wrong, right])
    assert prove(wrong).verdict == "refuted"
    monkeypatch.setattr("macaw.sim.bench.bulk.compare", None)
    assert prove(right).verdict == "proven"


@WITH_SIMULATOR
def test_an_open_claim_fails_nothing_and_is_not_kept(tmp_path, monkeypatch):
    hard = unit("fma", a="fp32", out="fp32")
    left = Claim(name="formal/x/open", units=(hard,), method="symfpu", limit=0.5)
    monkeypatch.setattr(proof, "claims", lambda *, sample: (left,))
    ledger = tmp_path / "ledger.json"
    arguments = ["--only", "formal/*", "--jobs", "1", "--ledger", str(ledger)]
    done = CliRunner().invoke(proof.main, [*arguments, "--json"], standalone_mode=False)
    assert done.return_value == 0, done.output
    (entry,) = json.loads(done.stdout)
    assert entry["open"]
    assert not entry["passed"]
    assert "time limit" in entry["detail"]
    assert not ledger.exists()
    assert "1 open" in proof.summary([proof.Entry(**entry)])


def test_keys_change_with_a_claim_and_with_tools():
    keys = {module.sources_of(claim, tools) for claim in claims()[:2] for tools in ("1", "2")}
    assert len(keys) == 4


def test_each_claim_is_recorded():
    """As it is listed; what was not tried is recorded as that."""
    recorded = results.read("proven")["rows"]
    listed = [row for claim in claims() for row in study.untried(claim)]
    said = ("claim", "unit", "rounding", "bits", "how")
    assert [[r[k] for k in said] for r in recorded] == [[r[k] for k in said] for r in listed]
    assert not [row for row in recorded if row["verdict"] == "refuted"]


def test_the_page_says_what_is_open():
    found = {"tools": ["x 1"], "rows": [*study.untried(WRONG), *study.untried(WRONG)]}
    first, second = found["rows"]
    second |= {"rounding": "rtz", "verdict": "proven", "steps": [["exhaustive", "proven", 0.25]]}
    page = pages.page(found, {"rows": []})
    assert "| `mul a=e2m1` | exhaustive | 2^8 | *open* | 0.25 |" in page
    assert "| `mul a=e2m1` | rne | - | - | open | not tried |" in page
    assert "| in all | 2 | 1 | 0 | 0 | 0 | 0 | 1 | 0 | 0 |" in page
    first |= {"verdict": "refuted", "steps": [["plain", "refuted", 12.0]], "reason": ""}
    assert "*refuted*" in pages.page(found, {"rows": []})


@WITH_SIMULATOR
def test_a_record_keeps_what_is_not_chosen(tmp_path, monkeypatch, capsys):
    two = [Claim(name=f"formal/mul/{a}", units=(unit("mul", a=a),)) for a in ("e2m1", "int2")]
    monkeypatch.setattr(study, "claims", lambda: two)
    for only in ("formal/mul/int2", "formal/mul/e2m1"):
        monkeypatch.setattr("sys.argv", ["proven", "--only", only, "--output", str(tmp_path)])
        study.main()
        rows = results.read("proven", tmp_path)["rows"]
        assert len(rows) == 2
    assert [row["verdict"] for row in rows] == ["proven", "proven"]
    assert "formal/mul/int2: 1 of 1 proven" in capsys.readouterr().out
