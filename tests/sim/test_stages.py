# SPDX-License-Identifier: BSD-2-Clause
"""Proofs of pipelines and streams: registers counted, handshakes, buses, buffers, resets."""

from types import SimpleNamespace

import pytest

import macaw
from macaw.hdl import generate
from macaw.sim.bench.interface import Interface, Pin
from macaw.sim.formal import prove, stages
from macaw.tools import simulators, store

pytestmark = pytest.mark.skipif("bulk" not in simulators.available(), reason="verilator is missing")


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    """What a test run before left must not decide."""
    monkeypatch.setattr(store, "_path", lambda digest: tmp_path / digest)


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("mul a=e3m2", {"stages": 2}),
        (
            "mul a=e3m2",
            {"stages": 1, "flow": "valid", "reset": "async", "reset_active": "low"},
        ),
        ("mul a=e3m2", {"stages": 3, "flow": "stream"}),
        ("mul a=e3m2", {"stages": 0, "flow": "stream"}),
        ("cast a=e3m2 out=int5", {"stages": 1, "bus": "axis"}),
        ("mul a=e2m1", {"stages": 0, "flow": "stream", "ready": "registered"}),
        (
            "add a=e2m1",
            {"stages": 2, "bus": "axis", "ready": "registered", "tlast": "on", "reset": "none"},
        ),
    ],
)
def test_pipelines_are_proven(text, how) -> None:
    proof = prove(unit_of(text), **how)
    assert proof.verdict == "proven", proof
    assert [step.method for step in proof.steps] == ["exhaustive", "stages"]


def unit_of(text: str):
    kind, *words = text.split()
    return macaw.unit(kind, **dict(word.split("=") for word in words))


AXIS = {"stages": 1, "bus": "axis"}
REGISTERED = {"stages": 1, "flow": "stream", "ready": "registered"}


@pytest.mark.parametrize(
    ("how", "old", "new"),
    [
        ({"stages": 2, "flow": "valid"}, "o_valid <= valid_s1;", "o_valid <= i_valid;"),
        ({"stages": 2}, "_s2 <= ", "_s2 <= ~ "),
        ({"stages": 2, "flow": "stream"}, "i_ready_term | o_ready", "i_ready_term & o_ready"),
        ({"stages": 2, "flow": "stream"}, "if (i_ready) o_valid", "if (o_ready) o_valid"),
        ({"stages": 2, "flow": "stream"}, "clk) if (i_ready) begin", "clk) begin"),
        # An operand from what is no bit of it, padding that is none, an end of another beat.
        (AXIS, "s_axis_tdata[13]", "s_axis_tdata[14]"),
        (AXIS, "m_axis_tdata = { 2'h0", "m_axis_tdata = { 2'h1"),
        (AXIS | {"tlast": "on"}, "m_axis_tlast <= s_axis_tlast", "m_axis_tlast <= s_axis_tvalid"),
        (AXIS, "if (s_axis_tready) begin", "if (m_axis_tready) begin"),
        # A place that is written when it is full, read when empty, not emptied, never full.
        (REGISTERED, "if (i_ready) skid_r", "if (o_ready) skid_r"),
        (REGISTERED, "o_r = i_ready ?", "o_r = o_ready ?"),
        (REGISTERED, "o_ready | i_ready_next_term;", "i_ready_next_term;"),
        (REGISTERED, "i_ready & i_ready_next_term_term", "i_ready | i_ready_next_term_term"),
        (REGISTERED, "valid_s1 | o_valid_term", "valid_s1 & i_ready"),
        (REGISTERED, "else if (i_ready) valid_s1", "else if (o_ready) valid_s1"),
        (REGISTERED, "if (i_ready) skid_r <= {", "if (i_ready) skid_r <= ~ {"),
        (REGISTERED, "if (rst) valid_s1 <= 1'h0", "if (rst) valid_s1 <= 1'h1"),
        (REGISTERED, "if (rst) i_ready <= 1'h1", "if (rst) i_ready <= 1'h0"),
    ],
)
def test_planted_bugs_of_pipelines_are_refuted(how, old, new) -> None:
    spec = macaw.unit("mul", a="e3m2")
    design = generate(spec, **how)
    assert old in design.verilog, design.verilog
    wrong = SimpleNamespace(
        spec=spec,
        implementation=design.implementation,
        metadata=design.metadata,
        verilog=design.verilog.replace(old, new, 1),
    )
    proof = prove(wrong)
    assert proof.verdict == "refuted", proof
    assert proof.steps[0].verdict == "proven"
    assert proof.mismatch is not None


@pytest.mark.parametrize(
    ("text", "how", "reason"),
    [
        ("sqrt a=e2m1", {"digits": 1, "stages": 4, "flow": "stream"}, "an operation in 4 clocks"),
    ],
)
def test_what_is_not_claimed_of_pipelines_is_open(text, how, reason) -> None:
    proof = prove(unit_of(text), **how)
    assert proof.verdict == "open"
    assert proof.steps[0].verdict == "proven"
    assert reason in proof.steps[1].reason


@pytest.mark.parametrize(
    ("result", "complaint"),
    [
        ("q + {q[2:0], q[3]}", ""),
        ("q + {i_a[3], q[2:0]}", "ways of [0, 1] registers meet"),
        ("i_a * 4'd5", "0 clocks after its operands, not 1"),
        ("q + kept", "comes back"),
        ("q + other", "depends on no operand"),
    ],
)
def test_every_bit_of_every_way_is_counted(result, complaint) -> None:
    text = f"""
        module dut(input clk, input [3:0] i_a, output [3:0] o_r);
          reg [3:0] q, kept;
          wire [3:0] other;
          always @(posedge clk) q <= i_a;
          always @(posedge clk) kept <= kept + i_a;
          assign o_r = {result};
        endmodule
    """
    pins = [Pin(name=name, width=4, fields=()) for name in ("i_a", "o_r")]
    names = dict.fromkeys(("reset", "valid_in", "ready_in", "valid_out", "ready_out"))
    interface = Interface(
        module="dut",
        inputs=(pins[0],),
        outputs=(pins[1],),
        clock="clk",
        reset_level=1,
        flow="none",
        latency=1,
        interval=1,
        **names,
    )
    net = stages.netlist(stages.running(text, interface), timeout=60)
    found = stages.unequal_ways(net, interface)
    assert complaint in found
    assert bool(found) is bool(complaint)
