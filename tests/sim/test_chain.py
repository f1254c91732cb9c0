# SPDX-License-Identifier: BSD-2-Clause
"""Questions in steps: each is small, and together they are the whole; no bug passes all of them."""

import itertools
from types import SimpleNamespace

import pytest

import macaw
from macaw.golden.formats import FORMATS, Float
from macaw.hdl import generate
from macaw.sim.bench.interface import Interface
from macaw.sim.formal import chain, miter, plain, prove
from macaw.sim.formal.cases.graph import Graph
from macaw.sim.formal.cases.numbers import Case, uncovered
from macaw.sim.formal.cases.pairs import Pair, understood
from macaw.sim.formal.plain.module import Words
from macaw.tools import simulators, store

pytestmark = pytest.mark.skipif("bulk" not in simulators.available(), reason="verilator is missing")

SMALL = macaw.unit("block-quantize", a="e4m3", out="ue5m3fp4", size=2)
LEAST = macaw.unit("block-quantize", a="e2m1", out="e2m1-k1-ue3m2fn", size=1)
STEPS = ["amax", "share", "scale", "reciprocal", "ratio0", "ratio1", "results"]


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    """What a test run before left must not decide."""
    monkeypatch.setattr(store, "_path", lambda digest: tmp_path / digest)


def question(spec, old: str = "", new: str = "") -> miter.Question:
    """Of the gates, with another text in the place of one."""
    design = generate(spec)
    interface = Interface.of(design.metadata, spec.ports)
    assert old in design.verilog
    gates = design.verilog.replace(old, new, 1)
    return miter.Question(
        gates=miter.Source(module=design.metadata["name"], verilog=gates),
        reference=miter.Source(module=plain.MODULE, verilog=plain.reference(spec)),
        inputs={pin.name: pin.width for pin in interface.inputs},
        outputs={pin.name: pin.width for pin in interface.outputs},
    )


def test_steps_go_from_word_to_word() -> None:
    made = chain.links(question(SMALL), plain.words(SMALL), 100)
    assert [link.name for link in made] == STEPS
    for link in made:
        assert link.question.inputs["i_a"] == 16
        assert link.question.inputs["w_scale"] == 8
    assert [*made[-1].question.outputs] == ["o_r", "o_scale"]
    # One digit of a factor more, and the product is asked in cases.
    wide = macaw.unit("block-quantize", a="bf16", out="nvfp4", size=1)
    made = chain.links(question(wide), plain.words(wide), 100)
    assert [link.name for link in made if link.how is not None] == ["wanted", "ratio0"]


def test_a_word_that_the_gates_do_not_name_is_not_cut() -> None:
    words = plain.words(SMALL)
    called = {name: f"{gates}_not" if name == "scale" else gates
              for name, gates in words.called.items()}  # fmt: skip
    made = chain.links(question(SMALL), Words(called=called, products=words.products), 100)
    assert [link.name for link in made] == [name for name in STEPS if name != "scale"]


@pytest.mark.parametrize("spec", [LEAST])
def test_a_quantisation_is_proven(spec) -> None:
    met = []
    proof = prove(spec, method="plain", progress=lambda *each: met.append(each))
    assert proof.verdict == "proven", proof
    assert proof.steps[0].covered == "all operand codes, in 5 steps of 5 cases"
    assert met == [(done, 5) for done in range(1, 6)]


BUGS = {
    "amax": ("scale_largest_less_s0 ? i_a[14:8] : i_a[6:0]", "i_a[6:0]"),
    "share": ("{ 1'h0, scale_amax_s0[6:4], scale_unpack_or_s0 }", "{ 1'h0, scale_amax_s0[6:3] }"),
    "scale": ("scale_normalise_significand_s0_2[0] & scale_round_or_s0_2", "1'h0"),
    "reciprocal": ("{ 1'h0, scale_s0[7:4], scale_unpack_or_s0_3 }", "{ 1'h0, scale_s0[7:3] }"),
    "ratio0": ("unpack_infinite_s0 & unpack_a_zero_s0", "unpack_infinite_s0"),
    "ratio1": ("* { unpack_a_any_s0_3, i_a[10:8] }", "* { 1'h1, i_a[10:8] }"),
    "results": ("lane0_normalise_significand_s0_2[0] & lane0_round_or_s0_2", "1'h0"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_bug_is_found_in_its_step(step: str) -> None:
    """Whatever words may be: some of them no operands give."""
    made = chain.links(question(SMALL, *BUGS[step]), plain.words(SMALL), 100)
    (link,) = (each for each in made if each.name == step)
    assert miter.decide(link.question, timeout=100).verdict == "refuted"


def planted(old: str, new: str) -> SimpleNamespace:
    design = generate(SMALL)
    assert old in design.verilog
    return SimpleNamespace(
        spec=SMALL,
        implementation=None,
        metadata=design.metadata,
        verilog=design.verilog.replace(old, new, 1),
    )


def test_operands_of_a_refuted_step_are_simulated() -> None:
    proof = prove(planted(*BUGS["amax"]), method="plain")
    assert proof.verdict == "refuted", proof
    assert proof.mismatch is not None
    assert proof.steps[0].covered == "0 of 7 steps"


def test_what_no_operands_reach_is_open() -> None:
    """A sixth of a number with four digits is never half way between two scales."""
    old, _ = BUGS["scale"]
    proof = prove(planted(old, "scale_normalise_significand_s0_2[0]"), method="plain")
    assert proof.verdict == "open", proof
    assert proof.mismatch is None
    assert proof.steps[0].covered == "2 of 7 steps"
    assert "simulation does not" in proof.steps[0].reason


def test_a_proof_without_time_is_open() -> None:
    proof = prove(SMALL, method="plain", limit=0.5)
    assert proof.verdict == "open"
    assert "time limit" in proof.steps[0].reason


def test_the_cases_of_two_factors_are_all_of_them() -> None:
    formats = macaw.format("e3m2ieee"), macaw.format("e2m3ieee")
    fmt = FORMATS["fp32"]
    assert isinstance(fmt, Float)
    a, b = formats
    assert isinstance(a, Float)
    assert isinstance(b, Float)
    pair = Pair(fmt=fmt, names=("x", "y"), formats=(a, b))
    assert understood(a)
    cases = [*pair.cases()]
    graph = Graph()
    words = {"x": graph.word("x", a.width), "y": graph.word("y", b.width)}
    holds = [pair.holds(graph, case, words) for case in cases]
    for x, y in itertools.product(range(1 << a.width), range(1 << b.width)):
        values = graph.values(
            {node: bool((x if name == "x" else y) >> bit & 1)
             for node, (name, bit) in graph.names.items()}
        )  # fmt: skip
        assert sum(bool(values[each >> 1] ^ (each & 1)) for each in holds) == 1, (x, y)
    assert len([*uncovered(pair, cases)]) == 1 + len({str(case) for case in cases})
    assert all(isinstance(case, Case) for case in cases)


def test_few_formats_are_understood() -> None:
    for name in ("fp32", "bf16", "fp16"):
        fmt = macaw.format(name)
        assert isinstance(fmt, Float)
        assert understood(fmt)
    for name in ("e4m3", "e8m0", "ue4m3", "e4m3fnuz"):
        fmt = macaw.format(name)
        assert isinstance(fmt, Float)
        assert not understood(fmt)
