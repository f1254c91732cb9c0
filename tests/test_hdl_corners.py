# SPDX-License-Identifier: BSD-2-Clause
"""Gates of formats in the grammar's corners, against values written out by hand."""

from typing import Any

import pytest
from amaranth.sim import Simulator

from macaw.golden import unit
from macaw.hdl import build

# Codes of operands, and of the result that they must have.
Rows = list[tuple[tuple[int, ...], int]]

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
]  # fmt: skip


@pytest.mark.parametrize(("kind", "parameters", "rows"), BY_HAND, ids=lambda x: str(x)[:50])
def test_corner(kind: str, parameters: dict[str, Any], rows: Rows):
    spec = unit(kind, **parameters)
    datapath: Any = build(spec)
    pins = [getattr(datapath, f"i_{name}") for name in spec.ports.inputs]
    got = []

    async def bench(context: Any) -> None:
        for operands, _ in rows:
            for pin, code in zip(pins, operands, strict=True):
                context.set(pin, code)
            await context.delay(1e-6)
            got.append(context.get(datapath.o_r))

    simulator = Simulator(datapath)
    simulator.add_testbench(bench)
    simulator.run()
    assert got == [result for _, result in rows]
