# SPDX-License-Identifier: BSD-2-Clause
"""Gates of formats in the grammar's corners, against values written out by hand."""

from typing import Any

import pytest
from amaranth.sim import Simulator

from macaw.golden import SpecError, unit
from macaw.hdl import Implementation, build

# Codes of operands, and of the result, or results, that they must have.
Rows = list[tuple[tuple[int, ...], int | tuple[int, ...]]]

BY_HAND: list[tuple[str, dict[str, Any], Rows]] = [
    # 0x11 is -2**(1 - 7); the code of 2**-6 in e4m3 is 1 << 3. Field 0 is zero of either sign.
    ("cast", {"a": "e4m0ftz", "out": "e4m3"}, [((0x11,), 0x88), ((0x01,), 0x08), ((0x10,), 0x80)]),
    ("cast", {"a": "ue3m0ftz", "out": "int8"}, [((4,), 2), ((7,), 16), ((0,), 0)]),
    ("mul", {"a": "e3m0ftz", "b": "int4", "out": "int8"}, [((4, 3), 6), ((0xC, 3), 0xFA)]),
    ("add", {"a": "e3m0ftz", "b": "e3m0ftz", "out": "int8"}, [((5, 4), 6), ((7, 0xF), 0)]),
    # 1 and -1; a product of unlike signs is -1.
    ("mul", {"a": "binary", "out": "binary"},
     [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]),
    ("cast", {"a": "shift4", "out": "shift4"}, [((code,), code) for code in range(16)]),
    ("cast", {"a": "int4", "out": "shift2"}, [((0xF,), 2), ((0xE,), 3), ((1,), 0), ((2,), 1)]),
    # Of a format without zero the least negative number; NaN, which e4m3 has as 0x7f, is kept.
    ("cast", {"a": "e4m3", "out": "e3m0fnnosubnozero"},
     [((0xB8,), 0xB), ((0x7F,), 7), ((0x81,), 8)]),
    # There the sign bit alone is NaN: it is not lost, and no number has it.
    ("cast", {"a": "e4m3", "out": "e3m0fnuznosubnozero"},
     [((0x7F,), 8), ((0xFF,), 8), ((0xB8,), 0xC), ((0x81,), 0)]),
    # 2**-78 and 2**-140, of a word that is constant and still has to be shifted.
    ("cast", {"a": "e10m0", "out": "fp32"}, [((433,), 49 << 23), ((371,), 1 << 9)]),
    # 2**0, 2**1, 2**-1: a significand that is constant, and a result that may be subnormal.
    ("int-exp2", {"x": "int8", "out": "fp16"},
     [((0,), 0x3C00), ((1,), 0x4000), ((0xFF,), 0x3800), ((0xF1,), 0x0200)]),
    # An overflow is no underflow: 2**50 into a format that ends at 192.
    ("cast", {"a": "e8m0", "out": "e3m1b0", "flags": True}, [((177,), (0xF, 5)), ((127,), (1, 0))]),
    # Infinity times NaN is no invalid operation, times -0 it is.
    ("mul", {"a": "e5m2", "b": "e3m1fnuzftz", "out": "e5m2", "flags": True},
     [((0x7C, 0x10), (0x7E, 0)), ((0x7C, 0x11), (0x7E, 8)), ((0x7C, 0), (0x7E, 8))]),
    # 200 + 100 saturates, 50 + 20 does not: branches that have no sign, in a result that has one.
    ("residual-add", {"a": "uint8", "b": "uint8", "out": "int8", "branch": "uint8",
                      "a_multiplier": 1 << 30, "b_multiplier": 1 << 30},
     [((200, 100, 1, 1), 127), ((50, 20, 1, 1), 70), ((255, 1, 1, 1), 127)]),
    # exp(0.1) / (exp(0.1) + 1) is 134.4 / 256. The table of exponentials has 14 places, of which
    # differences of two bits reach four. The reciprocal is rounded down, a half is 127 / 256.
    ("int-softmax", {"x": "uint2", "lanes": 2, "scale": "0.05", "bits": 11},
     [((0b0010,), 0x7986), ((0b1000,), 0x8679), ((0,), 0x7F7F)]),
    # A sum that is zero has a sign, which says which of the two least values it becomes.
    ("add", {"a": "int4", "out": "binary", "rounding": "rdn"}, [((1, 0xF), 1), ((1, 0), 0)]),
    # The largest magnitude over the largest element, 63/64, is beyond fp32: an infinity.
    ("block-quantize", {"a": "bf16", "out": "fx7.6-k2-e5m2-fp32", "size": 2},
     [((0x7F7EFEFF, 0x02424C56, 0x7CA8A5EA), (0, 0x7B))]),
    ("hadamard", {"a": "e4m3", "out": "e3m0b3nosubnozero", "size": 2, "rounding": "rdn"},
     [((0x3838,), 0x84)]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "parameters", "rows"), BY_HAND, ids=lambda x: str(x)[:50])
def test_corner(kind: str, parameters: dict[str, Any], rows: Rows):
    spec = unit(kind, **parameters)
    component: Any = build(spec)
    pins = [getattr(component, f"i_{name}") for name in spec.ports.inputs]
    outputs = [getattr(component, f"o_{name}") for name in spec.ports.outputs]
    got = []

    async def bench(context: Any) -> None:
        for operands, _ in rows:
            for pin, code in zip(pins, operands, strict=True):
                context.set(pin, code)
            await context.delay(1e-6)
            results = [context.get(output) for output in outputs]
            got.append(tuple(results) if len(results) > 1 else results[0])

    simulator = Simulator(component)
    simulator.add_testbench(bench)
    simulator.run()
    assert got == [result for _, result in rows]


def test_stages_of_results_that_are_always_zero():
    """All numbers of a, of at most 2**-6 * sqrt(8), are below what the result has."""
    spec = unit(
        "hadamard",
        a="ue2m0b8finite",
        out="ue3m2b1finitenosub",
        size=8,
        accumulation="aligned(26)",
        signs=0,
    )
    assert build(spec, Implementation(stages=3)).latency == 3


def test_what_gates_refuse_they_refuse_of_a_stage():
    stages = "fma(a=uint2, b=e4m3, out=int8, overflow=wrap) | clamp(a=int8, out=int4)"
    with pytest.raises(SpecError, match="overflow=wrap: gates wrap sums of fixed-point operands"):
        build(unit("pipeline", stages=stages))


@pytest.mark.parametrize("kind", ["mac", "autoflex", "flex-add"])
def test_what_is_kept_begins_at_a_reset_or_at_a_handshake(kind: str):
    parameters = {"mac": {"a": "e2m1", "out": "fp16"}, "autoflex": {}}.get(kind, {"a": "flex8+5"})
    spec = unit(kind, **({"out": "flex8+5"} if kind == "autoflex" else parameters))
    with pytest.raises(SpecError, match=f"reset=none: {kind} keeps something from beat to beat"):
        build(spec, Implementation(reset="none"))
    build(spec, Implementation(reset="none", flow="valid"))
