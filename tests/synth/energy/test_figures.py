# SPDX-License-Identifier: BSD-2-Clause
import numpy as np
import pytest

import macaw
from macaw.golden.errors import SpecError, ToolError
from macaw.golden.units import unit
from macaw.hdl import generate
from macaw.synth.energy import energy_of, stream
from macaw.synth.energy.figures import OPERATIONS, WARM_UP
from macaw.synth.mapping import library
from macaw.synth.mapping.liberty import LibertyError, Library

LIBRARY = Library(library.liberty(power=True))
ADD = unit("add", a="uint4", b="uint4", out="uint5")
METADATA = generate(ADD, stages=1, reset="none").metadata


def cell(kind, **pins):
    return {"type": kind, "connections": {name: [net] for name, net in pins.items()}}


def adder(last="XOR2_X1"):
    """Four bits rippling, and registers behind them: a on nets 10…, b 20…, c 30…, r 50…."""
    cells, carry = {}, "0"
    for i in range(4):
        a, b, x, s = 10 + i, 20 + i, 60 + i, 40 + i
        cells[f"x{i}"] = cell("XOR2_X1", A=a, B=b, Y=x)
        cells[f"s{i}"] = cell("XOR2_X1" if i < 3 else last, A=x, B=carry, Y=s)
        cells[f"g{i}"] = cell("NAND2_X1", A=a, B=b, Y=70 + i)
        cells[f"p{i}"] = cell("NAND2_X1", A=x, B=carry, Y=80 + i)
        cells[f"c{i}"] = cell("NAND2_X1", A=70 + i, B=80 + i, Y=31 + i)
        carry = 31 + i
    for i, net in enumerate([40, 41, 42, 43, 34]):
        cells[f"r{i}"] = cell("DFF", D=net, CK=9, Q=50 + i)
    ports = {
        "clk": ("input", [9]),
        "i_a": ("input", range(10, 14)),
        "i_b": ("input", range(20, 24)),
    }
    ports["o_r"] = ("output", range(50, 55))
    listed = {n: {"direction": way, "bits": list(bits)} for n, (way, bits) in ports.items()}
    return {"ports": listed, "cells": cells}


# In units of an inverter's gate, by hand from the efforts and parasitics of Sutherland et al.
NAND, NAND_OUT = 4 / 3, 2
XOR_PIN, XOR_OUT = 5 / 3 + 2, 7 / 3  # a NOR2 and an AOI21; the AOI21's own
XOR_INNER = 2 + 5 / 3  # the NOR2's own, and the AOI21's third input
D, D_INNER, Q_INNER = 1, 2, 15
CLOCK = 8  # inverters' transitions a clock and flip-flop: 3.5 + 3.5 inside, and the pin's two


def test_an_adder_of_four_bits_and_a_register_by_hand():
    codes = stream(ADD, "uniform", OPERATIONS)
    a, b = (codes[name].astype(int) for name in "ab")

    def bits(row):
        """Values of the nets after operands of a row, with what weighs on each and inside."""
        values, carry = [], 0
        for i in range(4):
            p, q = a[row] >> i & 1, b[row] >> i & 1
            x, g = p ^ q, 1 - (p & q)
            k = 1 - (x & carry)
            after = 1 - (g & k)
            pins = XOR_PIN + NAND
            first = i == 0  # its carry is a constant
            values += [
                (p, pins, 0),
                (q, pins, 0),
                (x, pins, XOR_OUT),
                (x ^ carry, D, XOR_OUT + D_INNER),
            ]
            values += [(g, NAND, NAND_OUT), (k, NAND, NAND_OUT)]
            load = XOR_PIN + NAND if i < 3 else D
            values += [(after, load, NAND_OUT + (0 if i < 3 else D_INNER))]
            assert not first or carry == 0
            carry = after
        assert carry == a[row] + b[row] >> 4
        # inside the XORs a NOR follows an input while the other one is low
        inner, carry = [], 0
        for i in range(4):
            p, q = a[row] >> i & 1, b[row] >> i & 1
            inner += [(p, q), (q, p), (p ^ q, carry), (carry, p ^ q)]
            carry = (p & q) | ((p ^ q) & carry)
        return values, inner

    total = 0.0
    before, held = bits(WARM_UP - 1), a[WARM_UP - 2] + b[WARM_UP - 2]
    for row in range(WARM_UP, OPERATIONS):
        values, inner = bits(row)
        for (now, load, own), (old, *_) in zip(values, before[0], strict=True):
            total += (load + own) / 2 * (now != old)
        for (now, other), (old, _) in zip(inner, before[1], strict=True):
            total += XOR_INNER / 2 * (now != old and not other)
        shown = a[row - 1] + b[row - 1]
        total += (D + Q_INNER) / 2 * int(shown ^ held).bit_count() + CLOCK * 5
        before, held = (values, inner), shown
    found = energy_of(adder(), LIBRARY, ADD, METADATA, "uniform", unit="inv")
    assert found.energy_without_glitches == pytest.approx(total / (OPERATIONS - WARM_UP), abs=0.01)
    assert found.energy_of_clock == CLOCK * 5
    assert found.energy_per_operation > found.energy_without_glitches
    assert found.operations == OPERATIONS
    assert found.leakage_power is None


def test_idle_operands_cost_the_clock_alone():
    codes = {name: np.full(200, 5, np.uint8) for name in "ab"}
    found = energy_of(adder(), LIBRARY, ADD, METADATA, codes, unit="inv")
    assert found.energy_per_operation == found.energy_without_glitches == CLOCK * 5
    assert found.operands == "codes"


def test_a_wrong_netlist_has_no_energy():
    with pytest.raises(ToolError, match="differs from the golden model: mismatch at vector 0"):
        energy_of(adder("XNOR2_X1"), LIBRARY, ADD, METADATA)


def test_a_library_without_power_tables_has_none_either():
    with pytest.raises(LibertyError, match="macaw_logical_effort has no power tables"):
        energy_of(adder(), Library(library.liberty()), ADD, METADATA)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _cache(shared, monkeypatch):
    monkeypatch.setenv("MACAW_CACHE", str(shared))


UNITS = {
    "a float": ("fma", {"a": "e2m1", "out": "e4m3"}, {"stages": 2}),
    "sums": ("int-mac", {"a": "int3", "b": "int3", "acc": "int12"}, {"flow": "valid"}),
    "contexts": ("mac", {"a": "e2m1", "acc": "e4m3", "out": "e4m3", "contexts": 2}, {"stages": 2}),
    "a stream": ("mul", {"a": "int3", "out": "int6"}, {"flow": "stream", "stages": 2}),
    "turns": (
        "block-quantize",
        {"a": "fp16", "out": "mxfp4", "size": 2},
        {"fold": 2, "flow": "valid"},
    ),
    "blocks": ("block-dot", {"a": "mxfp4", "out": "fp16", "size": 2}, {}),
    "a bus": ("add", {"a": "int3", "out": "int4"}, {"bus": "axis", "stages": 1}),
    "random bits": ("cast", {"a": "fp16", "out": "e2m1", "rounding": "sr", "random_bits": 4}, {}),
    "modes": ("cast", {"a": "e4m3", "out": "e2m1", "rounding": "dynamic"}, {"stages": 1}),
}


@pytest.mark.parametrize(("kind", "parameters", "how"), UNITS.values(), ids=UNITS)
def test_netlists_of_all_manners_give_golden_results(kind, parameters, how):
    spec = macaw.unit(kind, **parameters)
    result = macaw.synthesize(spec, "asic", energy=True, operands="uniform", **how)
    assert result.energy_unit == "inv"
    assert result.energy_per_operation is not None
    assert result.energy_without_glitches is not None
    assert result.energy_of_clock is not None
    assert result.energy_per_operation >= result.energy_without_glitches > result.energy_of_clock
    assert (result.energy_of_clock > 0) == bool(result.ffs)


def test_zeros_save_energy():
    spec = macaw.unit("mul", a="int4", out="int8")
    found = {
        operands: macaw.synthesize(spec, "asic", energy=True, operands=operands)
        for operands in ("gaussian", "sparse", "sparse(0.9)", "sparse(1)")
    }
    figures = [result.energy_per_operation for result in found.values()]
    assert figures == sorted(figures, key=lambda figure: -(figure or 0))
    assert [result.operands for result in found.values()] == list(found)
    again = macaw.synthesize(spec, "asic", energy=True, operands="sparse")
    assert again.cached
    assert again == found["sparse"]


@pytest.mark.parametrize(
    ("target", "more", "said"),
    [
        ("ecp5", {}, "energy: target ecp5 is no library"),
        ("asic", {"operands": "pink"}, "operands: 'pink' is none of gaussian, heavy"),
        ("asic", {"operands": "sparse(1.5)"}, "from 0 to 1"),
        ("asic", {"operands": "heavy(0.5)"}, "is none of"),
        ("asic", {"operands": 3}, "is none of"),
    ],
)
def test_what_is_refused(target, more, said):
    with pytest.raises(SpecError, match=said):
        macaw.synthesize(macaw.unit("mul", a="int4", out="int8"), target, energy=True, **more)


def test_a_module_alone_has_no_operation():
    design = generate(ADD)
    with pytest.raises(SpecError, match="energy: needs a unit"):
        macaw.synthesize(design, "asic", energy=True)
