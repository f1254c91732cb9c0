# SPDX-License-Identifier: BSD-2-Clause
"""Gates of units of rows: against golden, with rows of all lengths, and a beat in every clock."""

import warnings
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator

from macaw.golden import format, unit
from macaw.golden.units import RowUnit, Unit
from macaw.hdl import build, generate
from macaw.hdl.emit import write_bodies
from macaw.hdl.options.implementation import Implementation
from macaw.sim import verify
from macaw.sim.bench import bulk
from macaw.sim.stimulus import stimulus
from macaw.tools import simulators

SMALL: dict[str, Any] = {"a": "e4m3", "lanes": 2, "row": 8}
STREAM = Implementation(flow="stream")
BULK: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"kind": "rmsnorm", "a": "fp16", "row": 20, "eps": "1"}, {"stages": 9, "flow": "valid"}),
    (
        {"kind": "rmsnorm", "a": "bf16", "lanes": 3, "row": 5, "out": "fp32"},
        {"frequency": 60.0, "bus": "axis"},
    ),
    (
        {
            "kind": "rmsnorm",
            "lanes": 1,
            "row": 40,
            "bits": 8,
            "aligned": 8,
            "eps": "0.3",
            "out": "fx8.4",
        },
        {"stages": 3, "flow": "stream"},
    ),
    (
        {"kind": "rmsnorm", "a": "fp32", "row": 6, "eps": "1e-12", "rounding": "rup"},
        {"flow": "stream", "ready": "registered"},
    ),
    # No element is above eps's step: of rows that are one beat, and of exponents of one bit.
    (
        {"kind": "rmsnorm", "a": "e2m1", "lanes": 3, "row": 2, "eps": "1", "out": "fp16"},
        {"stages": 2},
    ),
    ({"kind": "rmsnorm", "a": "e1m2", "row": 9, "eps": "1"}, {"flow": "stream"}),
    # Elements of which a part alone is in the sums, and of which all is.
    ({"kind": "layernorm", "a": "fp32", "row": 20}, {"flow": "stream", "ready": "registered"}),
    (
        {"kind": "layernorm", "a": "fp16", "row": 16, "bits": 20, "aligned": 36, "rounding": "rdn"},
        {"frequency": 60.0, "flow": "stream"},
    ),
    (
        {"kind": "layernorm", "a": "bf16", "lanes": 3, "row": 5, "out": "fp32", "rounding": "rup"},
        {"frequency": 60.0, "bus": "axis"},
    ),
    (
        {"kind": "layernorm", "a": "fp16", "row": 40, "bits": 8, "aligned": 8, "out": "fx8.4"},
        {"stages": 9, "flow": "valid"},
    ),
    ({"kind": "layernorm", "lanes": 1, "row": 1, "eps": "1"}, {"stages": 12}),
    (
        {"kind": "layernorm", "a": "fp16", "row": 9, "weight": "fp16", "bias": "fp16"},
        {"flow": "stream"},
    ),
    (
        {"kind": "layernorm", "a": "fp32", "weight": "fp32", "bias": "fp32", "rounding": "rdn"},
        {"stages": 9, "flow": "valid"},
    ),
    ({"kind": "layernorm", "weight": "e5m2", "out": "int8", "row": 3}, {"stages": 4}),
    ({"kind": "layernorm", "bias": "bf16", "rounding": "rdn", "row": 5}, {}),
    ({"kind": "rmsnorm", "a": "fp16", "weight": "bf16", "row": 9}, {"flow": "stream"}),
    ({"kind": "rmsnorm", "a": "fp32", "weight": "fp32", "rounding": "rup"}, {"stages": 9}),
    (
        {"kind": "layernorm", "a": "e2m1", "lanes": 3, "row": 2, "eps": "1", "out": "fp16"},
        {"stages": 2},
    ),
    (
        {"kind": "int-softmax-rows", "x": "int8", "scale": "0.05", "out": "int8", "row": 20},
        {"flow": "stream", "ready": "registered"},
    ),
    ({"kind": "int-softmax-rows", "x": "fx6.2", "lanes": 3, "row": 2}, {"stages": 9}),
    (
        {"kind": "int-softmax-rows", "x": "uint8", "scale": "1/30", "lanes": 1, "row": 7},
        {"stages": 14, "flow": "valid"},
    ),
    ({"a": "fp16", "row": 20, "base": "2"}, {"stages": 9, "flow": "valid"}),
    ({"a": "bf16", "lanes": 3, "row": 5, "out": "fp32"}, {"frequency": 60.0, "bus": "axis"}),
    # Clipped at both ends, above alone, with the least gamma, and with the largest factor.
    ({"a": "fp16", "row": 5, "gamma": "-0.03", "zeta": "1.003"}, {"flow": "stream"}),
    ({"a": "bf16", "row": 5, "zeta": "1.9", "out": "fp32"}, {"stages": 9, "flow": "valid"}),
    ({"row": 4, "zeta": "2", "bits": 4, "rounding": "rdn"}, {"stages": 3}),
    ({"a": "fp32", "row": 3, "lanes": 1, "gamma": "-1/65536", "out": "ufx24.23"}, {}),
    ({"row": 4, "gamma": "-1", "zeta": "2", "rounding": "rup"}, {"flow": "stream"}),
    ({"row": 1, "rounding": "rup"}, {"stages": 12}),
    ({"lanes": 1, "row": 40, "bits": 4, "reach": 2}, {"stages": 3, "flow": "stream"}),
    ({"a": "e5m2", "out": "ufx8.8", "overflow": "wrap"}, {"flow": "stream", "ready": "registered"}),
]


def test_bits_are_golden_s():
    """Under stalls, where the flow has them."""
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    designs = [
        generate(
            unit(**((SMALL if "x" not in more else {}) | {"kind": "softmax"} | more)), **options
        )
        for more, options in BULK
    ]
    write_bodies(designs)
    models = bulk.Model.of_many(designs)
    wrong = []
    for design, model in zip(designs, models, strict=True):
        with model:
            chunks = stimulus(design.spec, vectors=4_000, seed=3, chunk=1_000)
            if bulk.compare(design.spec, [model], chunks).failures:
                wrong.append(design.name)
    assert wrong == []


@pytest.mark.parametrize("a", ["e2m6bn16", "e2m6bn15", "e2m6bn16ftz"])
def test_a_softmax_of_operands_of_which_only_subnormal_ones_are_within_reach(a: str):
    spec = unit("softmax", a=a, out="fp16", lanes=2, row=8)
    assert verify(spec, simulator="bulk", vectors=3_000).passed


def test_a_variance_below_zero_is_none():
    """The row of tests/golden/test_norms.py; one that is drawn has none."""
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    parameters: dict[str, Any] = {"a": "fp32", "lanes": 1, "aligned": 8, "bits": 8, "row": 2}
    design = generate(unit("layernorm", eps="1", **parameters))
    values = [[-65535 / 256], [-256.0]] * 4
    a = format("fp32").encode(values)
    codes = {"a": a, "keep": np.ones_like(a), "end": np.tile([0, 1], 4).astype(np.uint8)}
    (model,) = bulk.Model.of_many([design])
    with model:
        assert not bulk.compare(design.spec, [model], [codes]).failures


def test_cocotb():
    if "icarus" not in simulators.available():
        pytest.skip("icarus is missing")
    spec = unit("softmax", **(SMALL | {"lanes": 1, "row": 3, "bits": 4}))
    report = verify(spec, simulator="icarus", vectors=100, seed=3, flow="valid")
    assert report.passed, str(report)


def test_what_memories_hold_before_the_reset_is_not_seen_after_it():
    if "icarus" not in simulators.available():
        pytest.skip("icarus is missing")
    spec = unit("int-softmax-rows", x="fx8.4", lanes=1, row=2)
    report = verify(spec, simulator="icarus", vectors=50, seed=3, flow="valid", stages=9)
    assert report.passed, str(report)


def small(kind: str, **parameters: Any) -> Unit:
    operand = {"x": "fx8.4"} if kind.startswith("int") else {"a": "e4m3"}
    return unit(kind, **({"lanes": 2, "row": 8} | operand | parameters))


KINDS = ("softmax", "rmsnorm", "layernorm", "int-softmax-rows")


@pytest.mark.parametrize("kind", KINDS)
def test_ports(kind: str):
    design = generate(small(kind), flow="stream")
    assert isinstance(design.spec, RowUnit)
    ports = {port["name"]: port["width"] for port in design.metadata["ports"]}
    assert ports == {
        "clk": 1,
        "rst": 1,
        "i_valid": 1,
        "i_ready": 1,
        f"i_{design.spec.operand}": 16,
        "i_keep": 2,
        "i_end": 1,
        "o_valid": 1,
        "o_ready": 1,
        "o_r": 16,
        "o_end": 1,
    }


def test_the_latency_is_that_of_the_longest_row():
    for row, beats in ((8, 4), (7, 4), (2, 1)):
        component = build(unit("softmax", **(SMALL | {"row": row})), Implementation(flow="valid"))
        assert component.latency == component.depth + beats
    assert generate(unit("softmax", **SMALL)).metadata["waits"] == 4
    assert generate(small("int-softmax-rows")).metadata["waits"] == 8
    assert "waits" not in generate(unit("mul", a="e2m1")).metadata


def clocks(kind: str, lengths: list[int], ready: list[bool]) -> tuple[int, int]:
    """(clocks until the last result, clocks in which no beat was taken) of rows without gaps."""
    component = build(small(kind), STREAM)
    ends = [n == length - 1 for length in lengths for n in range(length)]
    found = [0, 0]

    async def bench(ctx: Any) -> None:
        sent = got = 0
        ctx.set(component.i_keep, 3)
        while got < len(ends):
            ctx.set(component.o_ready, ready[found[0] % len(ready)])
            ctx.set(component.i_valid, sent < len(ends))
            ctx.set(component.i_end, sent < len(ends) and ends[sent])
            _, _, taken, valid = await ctx.tick().sample(component.i_ready, component.o_valid)
            found[0] += 1
            found[1] += sent < len(ends) and not taken
            got += valid and ready[(found[0] - 1) % len(ready)]
            sent += sent < len(ends) and taken

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        simulator = Simulator(component)
        simulator.add_clock(1e-6)
        simulator.add_testbench(bench)
        simulator.run_until(1e-3)
    return found[0], found[1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lengths", [[4] * 9, [1] * 30, [1, 4, 1, 1, 1, 1, 4, 2, 3, 4, 4, 1]])
def test_a_beat_enters_in_every_clock(kind: str, lengths: list[int]):
    """Whatever the rows are; and none waits longer than in the longest row."""
    latency = build(small(kind), STREAM).latency
    taken, refused = clocks(kind, lengths, [True])
    assert refused == 0
    assert taken <= sum(lengths) + latency


@pytest.mark.parametrize("kind", ["softmax", "int-softmax-rows"])
def test_full_rows_leave_without_a_gap(kind: str):
    latency = build(small(kind), STREAM).latency
    assert clocks(kind, [4] * 9, [True])[0] == 36 + latency
