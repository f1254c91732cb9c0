# SPDX-License-Identifier: BSD-2-Clause
"""AXI4-Stream: ports, fields, ends of packets, and a ready that may come from a register."""

import json
import random
import re
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator
from cocotb_tools.check_results import get_results

from macaw.golden.errors import SpecError
from macaw.golden.units import unit
from macaw.hdl import Implementation, build, generate
from macaw.hdl.emit import write_bodies
from macaw.sim import verify
from macaw.sim.bench.bulk import Model, compare
from macaw.sim.bench.interface import Interface
from macaw.sim.bench.runner import Simulation
from macaw.sim.stimulus import stimulus
from macaw.tools import simulators

TO_12_BITS = unit("cast", a="fp16", out="int12")
SUM = unit("mac", a="int5", b="int8", acc="int20", out="int20")

SIMULATORS = [
    pytest.param(
        name,
        marks=[
            pytest.mark.skipif(name not in simulators.available(), reason=f"{name} is missing"),
            *([pytest.mark.slow] if name == "verilator" else []),
        ],
    )
    for name in ("icarus", "verilator")
]


def pins(design):
    return {port.name: port.metadata for port in design.component.port_list}


# What the JSON says.


def test_the_map_of_tdata():
    """Counted by hand: lanes side by side, fields in whole bytes."""
    made = pins(generate(unit("int-dot", a="int5", b="binary", acc="int12", lanes=3), bus="axis"))
    assert made["s_axis_tdata"]["width"] == 40
    assert made["s_axis_tdata"]["operand"] is None
    lanes = {"width": 15, "padded_width": 16, "format": "int5", "signed": True, "lanes": 3}
    weights = {"width": 3, "padded_width": 8, "format": "binary", "signed": True, "lanes": 3}
    whole = {"width": 12, "padded_width": 16, "format": "int12", "signed": True, "lanes": None}
    ignored = {"padding": "ignored"}
    assert made["s_axis_tdata"]["fields"] == [
        {"name": "a", "offset": 0, **lanes, **ignored},
        {"name": "b", "offset": 16, **weights, **ignored},
        {"name": "bias", "offset": 24, **whole, **ignored},
    ]
    assert made["m_axis_tdata"]["fields"] == [
        {"name": "r", "offset": 0, **whole, "padding": "sign"}
    ]
    flags = pins(generate(unit("mul", a="e4m3", out="e3m2", flags=True), bus="axis"))
    fields = flags["m_axis_tdata"]["fields"]
    assert [(f["name"], f["offset"], f["padded_width"], f["padding"]) for f in fields] == [
        ("r", 0, 8, "zero"),
        ("flags", 8, 8, "zero"),
    ]
    assert "fields" not in pins(generate(TO_12_BITS))["o_r"]


@pytest.mark.parametrize(
    ("spec", "options", "last"),
    [
        (TO_12_BITS, {}, ""),
        (TO_12_BITS, {"tlast": "on"}, "s m"),
        (SUM, {}, "s m"),
        (SUM, {"tlast": "on"}, "s m"),
        (SUM, {"tlast": "off"}, "s"),
        (unit("flex-add", a="flex8+5"), {}, "s m"),
    ],
    ids=str,
)
def test_ends_of_packets(spec, options, last):
    made = pins(generate(spec, bus="axis", **options))
    assert [name[0] for name in made if name.endswith("_tlast")] == last.split()


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["aclk", "aresetn"]),
        ({"reset": "async"}, ["aclk", "aresetn"]),
        ({"reset_active": "low"}, ["aclk", "aresetn"]),
        ({"reset": "none"}, ["aclk"]),
        ({"flow": "stream"}, ["aclk", "aresetn"]),
    ],
    ids=str,
)
def test_clock_and_reset(options, names):
    design = generate(TO_12_BITS, stages=1, bus="axis", **options)
    assert list(pins(design))[: len(names)] == names
    assert design.metadata["reset_active"] == "low"
    edge = "negedge aresetn" in design.verilog
    assert edge == (options.get("reset") == "async")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"bus": "axis", "reset_active": "high"},
            "reset_active=high: bus=axis has aresetn, which is",
        ),
        ({"bus": "axis", "flow": "valid"}, "flow=valid: bus=axis is a stream"),
        ({"tlast": "on"}, "tlast=on: needs bus=axis"),
        ({"tlast": "off", "flow": "stream"}, "tlast=off: needs bus=axis"),
        ({"tlast": "yes", "bus": "axis"}, "tlast=yes: must be one of auto, on, off"),
        ({"ready": "registered"}, "ready=registered: needs flow=stream or bus=axis"),
        ({"ready": "registered", "flow": "valid"}, "ready=registered: needs flow=stream"),
        (
            {"ready": "skid", "flow": "stream"},
            "ready=skid: must be one of combinational, registered",
        ),
    ],
    ids=str,
)
def test_what_contradicts_itself_is_refused(options, message):
    with pytest.raises(SpecError, match=message):
        Implementation(**options)


# What another's source and sink see.


def halves(values):
    """The nearest integers of 12 bits, ties to even, as 16 bits."""
    return np.clip(np.rint(values.astype(np.float64)), -2048, 2047).astype("<i2")


def packets_of_halves(draw):
    """Packets of fp16, and of what a processor reads from the results: int16."""
    sent, expected = [], []
    for length in (1, 2, 7, 60):
        values = np.array([draw.uniform(-3000, 3000) for _ in range(length)], "<f2")
        values[0] = -1.5
        sent.append(list(values.tobytes()))
        expected.append(list(halves(values).tobytes()))
    return sent, expected


def sums(draw):
    """Packets of products with noise in the padding of the first factor, and sums of 24 bits."""
    sent, expected = [], []
    for length in (1, 2, 30, 3, 1, 1):
        factors = [(draw.randint(-16, 15), draw.randint(-128, 127)) for _ in range(length)]
        factors[0] = (-16, 127) if length % 2 else (15, 127)
        noise = [draw.randrange(8) << 5 for _ in factors]
        pairs = zip(factors, noise, strict=True)
        sent.append([byte for (a, b), n in pairs for byte in (a & 31 | n, b & 255)])
        total = sum(a * b for a, b in factors)
        expected.append(list(struct.pack("<i", total)[:3]))
    return sent, expected


@pytest.mark.parametrize("simulator", SIMULATORS)
@pytest.mark.parametrize(
    ("spec", "options", "frames"),
    [
        (TO_12_BITS, {"stages": 2, "tlast": "on", "ready": "registered"}, packets_of_halves),
        (SUM, {"stages": 1}, sums),
        (SUM, {"stages": 2, "reset": "async", "ready": "registered"}, sums),
    ],
    ids=["pass", "sum", "sum_skid"],
)
def test_cocotbext_axi(spec, options, frames, simulator, tmp_path):
    design = generate(spec, bus="axis", **options)
    interface = Interface.of(design.metadata, spec.ports)
    simulation = Simulation(design.verilog, interface, simulator)
    sent, expected = frames(random.Random(7))
    (tmp_path / "plan.json").write_text(json.dumps({"sent": sent, "expected": expected}))
    simulation.start(
        "axis_bench",
        tmp_path,
        seed=1,
        PYTHONPATH=str(Path(__file__).parents[1]),
        AXIS_PLAN=str(tmp_path / "plan.json"),
    )
    ran, failed = get_results(tmp_path / "results.xml")
    assert (ran, failed) == (4, 0), (tmp_path / "run.log").read_text()[-3000:]


# What macaw's own benches see.


@pytest.mark.parametrize("simulator", SIMULATORS)
def test_registered_ready_loses_nothing_under_stalls(simulator):
    options: Any = {"stages": 2, "flow": "stream", "ready": "registered"}
    report = verify(SUM, simulator=simulator, vectors=1500, seed=1, **options)
    assert report.passed, str(report)


MORE = [
    (SUM, {"stages": 0, "bus": "axis"}),
    (unit("flex-mac", a="flex7+5", lanes=2), {"stages": 3, "bus": "axis", "ready": "registered"}),
    (unit("flex-add", a="flex7+5"), {"stages": 1, "bus": "axis", "ready": "registered"}),
    (
        unit("block-quantize", a="bf16", out="int5-k4-e8m0"),
        {"stages": 8, "fold": 4, "bus": "axis", "tlast": "on", "ready": "registered"},
    ),
    (
        unit("block-quantize", a="bf16", out="mxfp4", size=4),
        {"fold": 2, "bus": "axis", "tlast": "on"},
    ),
    (unit("autoflex", out="flex8+5", length=4), {"fold": 4, "bus": "axis", "ready": "registered"}),
    (unit("int-dot", a="int5", acc="int13", lanes=20), {"stages": 2, "bus": "axis", "tlast": "on"}),
]


@pytest.fixture(scope="module")
def models():
    """Everything that the bulk simulator runs here, as one library: by design, its model."""
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    designs = [generate(spec, **options) for spec, options in MORE]
    write_bodies(designs)
    designs += [wrapped(spec, text, **options) for spec, options, text, _ in WRONG.values()]
    made = Model.of_many(designs)
    yield list(zip(designs, made, strict=True))
    for model in made:
        model.close()


@pytest.mark.parametrize("number", range(len(MORE)), ids=lambda number: MORE[number][0].name)
def test_padding_and_ends_in_bulk(number, models):
    design, model = models[number]
    tally = compare(design.spec, [model], stimulus(design.spec, vectors=500_000, seed=1))
    assert tally.vectors > 400_000
    assert tally.failures == {}


def wrapped(spec, text, **options):
    """A design whose ports pass through ``text``, which drives the outer from the inner ones."""
    inner = generate(spec, **options)
    metadata = inner.metadata
    ports = [(pin["name"], pin["direction"], pin["width"]) for pin in metadata["ports"]]
    declared = ", ".join(f"{way} [{width - 1}:0] {name}" for name, way, width in ports)
    wires = "".join(f"wire [{width - 1}:0] x_{name}; " for name, way, width in ports)
    joined = ", ".join(f".{name}(x_{name})" for name, _, _ in ports)
    given = dict(re.findall(r"(\w+) = ([^;]*);", text))
    assigns = ""
    for name, way, _ in ports:
        outer = f"assign {name} = {given.get(name, f'x_{name}')};"
        assigns += outer if way == "output" else f"assign x_{name} = {given.get(name, name)};"
    verilog = inner.verilog.replace(f"module {inner.name}(", "module inner(")
    verilog += f"module {inner.name}({declared}); {wires} inner u({joined}); {assigns} endmodule\n"
    return SimpleNamespace(
        spec=spec, verilog=verilog, metadata=metadata, implementation=inner.implementation
    )


SKID = {"stages": 1, "bus": "axis", "tlast": "on", "ready": "registered"}
WRONG: dict[str, Any] = {
    "nothing": (TO_12_BITS, SKID, "", None),
    "padding of zeros": (TO_12_BITS, SKID, "m_axis_tdata = x_m_axis_tdata & 16'h0fff;", ""),
    "padding of operands": (
        *(SUM, {"stages": 1, "bus": "axis"}),
        *("s_axis_tdata = s_axis_tdata ^ {15'h0, s_axis_tdata[7:5] == 5};", ""),
    ),
    "no end": (TO_12_BITS, SKID, "m_axis_tlast = 1'b0;", ""),
    "an end of each": (TO_12_BITS, SKID, "m_axis_tlast = 1'b1;", ""),
    "no end of a sum": (SUM, {"stages": 1, "bus": "axis"}, "m_axis_tlast = 1'b0;", ""),
    "ready of the sink": (
        *(TO_12_BITS, SKID, "s_axis_tready = x_s_axis_tready & m_axis_tready;"),
        "i_ready depends on o_ready",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_on_a_bus_is_found_in_bulk(case, models):
    design, model = models[len(MORE) + list(WRONG).index(case)]
    tally = compare(design.spec, [model], stimulus(design.spec, vectors=5000, seed=2))
    problem = WRONG[case][-1]
    assert (0 in tally.failures) == (problem is not None)
    assert problem is None or problem in (tally.failures[0].problem or "")


@pytest.mark.parametrize("case", list(WRONG)[1:])
def test_what_is_wrong_on_a_bus_is_found_under_cocotb(case):
    if "icarus" not in simulators.available():
        pytest.skip("icarus is missing")
    spec, options, text, problem = WRONG[case]
    report = verify(wrapped(spec, text, **options), simulator="icarus", vectors=300, seed=2)
    assert not report.passed, str(report)
    assert report.mismatch is not None
    assert problem in report.mismatch.problem
    assert "tlast" in str(report.mismatch) or case != "no end"


# Registers alone.


def run(spec, sink, **options):
    """What goes in and comes out at each clock, from a source that always offers."""
    component = build(spec, Implementation(flow="stream", **options))
    m = Module()
    m.submodules.unit = component
    m.d.sync += Signal().eq(0)
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    taken, given, bubbles = [], [], []

    async def bench(ctx):
        for clock, wanted in enumerate(sink):
            ctx.set(component.i_valid, 1)
            ctx.set(component.i_a, clock)
            seen = []
            for level in (not wanted, wanted):
                ctx.set(component.o_ready, level)
                seen.append(ctx.get(component.i_ready))
            bubbles.append((seen[0] != seen[1], not ctx.get(component.o_valid)))
            taken.extend([clock] if ctx.get(component.i_ready) else [])
            given.extend([ctx.get(component.o_r)] if wanted and ctx.get(component.o_valid) else [])
            await ctx.tick()

    simulator.add_testbench(bench)
    simulator.run()
    return taken, given, bubbles


@pytest.mark.parametrize("stages", [0, 1, 3])
@pytest.mark.parametrize("kind", ["combinational", "registered"])
def test_ready_and_throughput(kind, stages):
    """A source that always offers and any sink: from the first result on one each ready clock."""
    draw = random.Random(stages)
    ready = [draw.random() < (0.3, 0.9)[clock // 50 % 2] for clock in range(300)]
    spec = unit("cast", a="uint9", out="uint9")
    taken, given, seen = run(spec, ready, stages=stages, ready=kind)
    assert given == taken[: len(given)]
    assert len(taken) - len(given) <= stages + 1
    assert not any(empty for _, empty in seen[stages:]), "a bubble"
    assert len(given) == sum(ready[stages:])
    assert any(moved for moved, _ in seen) == (kind == "combinational")
