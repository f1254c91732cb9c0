# SPDX-License-Identifier: BSD-2-Clause
"""Proofs of units with a state: a beat from any state, against a machine that is written again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import macaw
from macaw.hdl import generate
from macaw.sim import verify
from macaw.sim.formal import prove
from macaw.sim.formal.plain import MODULE, machines
from macaw.tools import simulators, store

simulated = pytest.mark.skipif("bulk" not in simulators.available(), reason="verilator is missing")
MACHINES: list[tuple[str, dict[str, Any]]] = [
    ("flex-mac", {"a": "flex16+5", "lanes": 3, "terms": 100}),
    ("flex-mac", {"a": "flex8+3", "b": "flex6+4", "out": "flex7+5", "rounding": "rup"}),
    ("flex-mul", {"a": "flex8+3", "lanes": 2, "rounding": "rod"}),
    ("flex-add", {"a": "flex8+3", "b": "flex6+4", "lanes": 2, "rounding": "rna"}),
    ("int-mac", {"lanes": 2, "terms": 90, "acc": "int20"}),
    ("int-mac", {"a": "uint4", "b": "int3", "b_zero": True, "a_zero": True, "acc": "uint9"}),
    ("int-mac", {"a": "int6", "b": "uint5", "bias": False, "wrap": True, "acc": "int12"}),
]


def running(spec: Any, machine: machines.Machine) -> str:
    """A module with the registers of a machine and the machine."""
    inputs, outputs = spec.ports.inputs, spec.ports.outputs
    ports = ["input clk, rst"]
    ports += [f"input [{port.width - 1}:0] i_{name}" for name, port in inputs.items()]
    ports += [f"output [{port.width - 1}:0] o_{name}" for name, port in outputs.items()]
    names = ["rst", *(f"i_{name}" for name in inputs), *(f"o_{name}" for name in outputs)]
    pins = [f".{name}({name})" for name in names]
    lines = ["/* verilator lint_off PINMISSING */", f"module running({', '.join(ports)});"]
    for state in machine.states:
        name = state.name
        lines += [f"reg [{state.width - 1}:0] {name}; wire [{state.width - 1}:0] {name}_next;"]
        lines += [f"initial {name} = 0;"]
        lines += [f"always @(posedge clk) {name} <= {name}_next;"]
        pins += [f".s_{name}({name})", f".n_{name}({name}_next)"]
    return "\n".join([*lines, f"{MODULE} it({', '.join(pins)});", "endmodule", machine.verilog])


@simulated
@pytest.mark.parametrize(("kind", "parameters"), MACHINES)
def test_machines_are_the_golden_model(kind: str, parameters: dict[str, Any]) -> None:
    spec = macaw.unit(kind, **parameters)
    design: Any = SimpleNamespace(
        spec=spec,
        implementation=None,
        metadata=generate(spec, name="running").metadata,
        verilog=running(spec, machines.machine(spec)),
    )
    report = verify(design, simulator="bulk", seed=1, vectors=100_000)
    assert report.passed, report


@pytest.fixture
def empty_store(tmp_path, monkeypatch):
    """What a test run before left must not decide."""
    monkeypatch.setattr(store, "_path", lambda digest: tmp_path / digest)


@pytest.mark.usefixtures("empty_store")
@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("flex-mac", {"a": "flex8+3", "terms": 40}),
        ("flex-mac", {"a": "flex6+3", "lanes": 2, "terms": 6, "rounding": "rdn"}),
        ("flex-mul", {"a": "flex6+3", "b": "flex5+4", "lanes": 2}),
        ("flex-add", {"a": "flex4+2"}),
        ("int-mac", {"lanes": 2}),
        ("int-mac", {"a": "int4", "b": "uint5", "b_zero": True, "wrap": True, "acc": "int12"}),
    ],
)
def test_beats_are_proven(kind: str, parameters: dict[str, Any]) -> None:
    proof = prove(macaw.unit(kind, **parameters), limit=100)
    assert proof.passed, proof
    assert "any state" in proof.steps[0].claim


def planted(old: str, new: str, spec: Any) -> Any:
    design = generate(spec)
    assert old in design.verilog, design.verilog
    return SimpleNamespace(
        spec=spec,
        implementation=design.implementation,
        metadata=design.metadata,
        verilog=design.verilog.replace(old, new, 1),
    )


@simulated
@pytest.mark.usefixtures("empty_store")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        # The last beat, the end of a tensor, a scale, and what its largest magnitude is.
        ("accumulator_term_s0 & i_last;", "accumulator_term_s0 & i_end;"),
        ("statistics_largest_s0 <= statistics_choice_s0;", "statistics_largest_s0 <= 8'h00;"),
        ("i_r_scale };", "i_b_scale };"),
        ("= statistics_largest_s0 <", "= statistics_largest_s0 >"),
    ],
)
def test_planted_bugs_of_beats_are_refuted(old: str, new: str) -> None:
    wrong = planted(old, new, macaw.unit("flex-mac", a="flex8+3", terms=40))
    assert prove(wrong, limit=60).verdict == "refuted"


def test_what_begins_otherwise_than_a_reset_leaves_it_is_open() -> None:
    spec = macaw.unit("flex-mac", a="flex8+3", terms=40)
    wrong = planted("initial accumulator_s0 = 21'h000000", "initial accumulator_s0 = 21'h1", spec)
    proof = prove(wrong, limit=60)
    assert proof.verdict == "open"
    assert "accumulator begins with another number" in proof.steps[0].reason


def test_what_keeps_something_else_is_open() -> None:
    spec = macaw.unit("flex-mac", a="flex8+3", terms=40)
    more = "reg more_s0; always @(posedge clk) more_s0 <= i_last;"
    wrong = planted("always @(posedge clk)", f"{more} always @(posedge clk)", spec)
    wrong.verilog = wrong.verilog.replace("assign o_overflow =", "assign o_overflow = more_s0 ^", 1)
    proof = prove(wrong, limit=60)
    assert proof.verdict == "open"
    assert "it keeps accumulator, more, statistics_largest, not" in proof.steps[0].reason


@pytest.mark.parametrize(
    ("kind", "parameters", "options", "why"),
    [
        ("mac", {"a": "e4m3", "out": "fp16"}, {}, "has no mac, which keeps a state"),
        ("flex-mac", {"a": "flex8+3", "rounding": "sr"}, {}, "has no rounding=sr"),
        ("int-mac", {"a": "int4", "b": "power3"}, {}, "has no int-mac of"),
        ("int-mac", {"a": "int8", "b": "int4", "parts": 2}, {}, "has no parts=2"),
        ("flex-mac", {"a": "flex8+3"}, {"stages": 2}, "only gates without stages"),
        ("flex-mac", {"a": "flex8+3"}, {"method": "symfpu"}, "method=symfpu: must be plain"),
    ],
)
def test_what_is_not_asked_is_open(kind, parameters, options, why) -> None:
    proof = prove(macaw.unit(kind, **parameters), **options)
    assert proof.verdict == "open"
    assert why in proof.steps[0].reason
