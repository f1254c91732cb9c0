# SPDX-License-Identifier: BSD-2-Clause
"""Proofs of pipelines and streams: registers counted, handshakes, buses, buffers, resets."""

import pytest

import macaw
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
