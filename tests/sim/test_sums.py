# SPDX-License-Identifier: BSD-2-Clause
"""Proofs of dot products: sums as linear forms, and one sum for both sides."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import macaw
from macaw.golden.formats import Float, format
from macaw.sim.formal import prove
from macaw.sim.formal.cases import sums
from macaw.sim.formal.cases.graph import Circuit, Graph
from macaw.sim.formal.cases.linear import Form, Netlist, NoForm
from macaw.sim.formal.cases.numbers import Case, Class, Numbers
from macaw.sim.formal.cases.scaled import Scaling
from macaw.sim.formal.cases.values import Values, special_codes
from macaw.tools import simulators, store

WIDTH = 4
LANES = 3


class Module:
    """A flat netlist that grows: lanes of ``WIDTH`` bits of one port, and cells on them."""

    def __init__(self) -> None:
        self.bits = [*range(2, 2 + WIDTH * LANES)]
        self.cells: dict[str, Any] = {}
        self.count = 100

    def cell(self, kind: str, a: list, b: list, width: int, *, signed: bool = True) -> list[int]:
        out = [*range(self.count, self.count + width)]
        self.count += width
        flag = "1" if signed else "0"
        self.cells[f"gates.{len(self.cells)}"] = {
            "type": kind,
            "parameters": {"A_SIGNED": flag, "B_SIGNED": flag},
            "connections": {"A": a, "B": b, "Y": out},
        }
        return out

    def lane(self, number: int) -> list[int]:
        return self.bits[WIDTH * number : WIDTH * (number + 1)]

    def netlist(self) -> Netlist:
        ports = {"i_a": {"direction": "input", "bits": self.bits}}
        return Netlist({"cells": self.cells, "netnames": {}, "ports": ports}, {"i_a": WIDTH})

    def value(self, word: list, inputs: dict[int, int], *, signed: bool = True) -> int:
        """What a word is when the cells are worked out one by one."""
        known: dict[Any, int] = {"0": 0, "1": 1, **inputs}

        def number(bits: list, is_signed: bool) -> int:
            found = sum(known[bit] << place for place, bit in enumerate(bits))
            return found - (known[bits[-1]] << len(bits)) * is_signed

        for cell in self.cells.values():
            pins = cell["connections"]
            a, b = (number(pins[pin], cell["parameters"]["A_SIGNED"] == "1") for pin in "AB")
            total = {"$add": a + b, "$sub": a - b, "$xor": a ^ b}[cell["type"]]
            known |= {bit: total >> place & 1 for place, bit in enumerate(pins["Y"])}
        return number(word, signed)


def check(module: Module, word: list, *, signed: bool = True) -> Netlist:
    """Its form must be what a word is, for many inputs."""
    net = module.netlist()
    form = net.form(word, signed=signed)
    assert {net.lanes(bit).bit_count() for bit in form.bits} <= {1}
    rng = random.Random(5)
    for _ in range(200):
        inputs = {bit: rng.getrandbits(1) for bit in module.bits}
        assert _evaluated(form, inputs) == module.value(word, inputs, signed=signed)
    return net


def _evaluated(form: Form, inputs: dict[int, int]) -> int:
    return form.constant + sum(factor * inputs[bit] for bit, factor in form.bits.items())


def extended(word: list, width: int) -> list:
    return [*word, *word[-1:] * (width - len(word))]


def test_nested_sums_are_forms() -> None:
    module = Module()
    first = module.cell("$add", extended(module.lane(0), 5), extended(module.lane(1), 5), 5)
    check(module, first)
    shifted = ["0", *first]
    check(module, module.cell("$sub", shifted, ["1", *module.lane(2)], 8))


def test_a_carry_behind_a_one() -> None:
    module = Module()
    (into,) = module.lane(2)[:1]
    a, b = (extended(module.lane(lane), 5) for lane in (0, 1))
    total = module.cell("$add", ["1", *a], [into, *b], 6)
    check(module, extended(total[1:], 9))
    with pytest.raises(NoForm, match="last bits"):
        module.netlist().form(total[2:], signed=True)


def test_a_last_bit_beside_the_sum() -> None:
    module = Module()
    a, b = (extended(module.lane(lane), 5) for lane in (0, 1))
    total = module.cell("$add", a, b, 5)
    last = module.cell("$xor", a[:1], b[:1], 1)
    check(module, [*last, *total[1:]])


def test_a_sum_that_runs_over_breaks_a_bound() -> None:
    module = Module()
    total = module.cell("$add", module.lane(0), module.lane(1), WIDTH)
    net = module.netlist()
    net.form(total, signed=True)
    (bound,) = net.bounds
    assert bound.ends == (-8, 7)
    assert {_evaluated(bound.form, dict(zip(module.bits, bits, strict=False)))
            for bits in itertools.product((0, 1), repeat=2 * WIDTH)} >= {-16, 14}  # fmt: skip


def values_of(module: Module) -> Values:
    """Of two lanes whose bits go out as they came in."""
    bits = module.bits[: 2 * WIDTH]
    return Values(
        circuit=Circuit(
            inputs=tuple(("i_a", place) for place in range(len(bits))),
            ands=(),
            outputs={("leaves", place): 2 * place + 2 for place in range(len(bits))},
        ),
        leaves={bit: place for place, bit in enumerate(bits)},
        lanes={bit: place // WIDTH for place, bit in enumerate(bits)},
        formats={"i_a": format("int4")},
    )


@pytest.mark.parametrize(("width", "enough"), [(WIDTH, False), (WIDTH + 1, True)])
def test_that_a_sum_runs_over_is_seen(width: int, enough: bool) -> None:
    module = Module()
    a, b = (extended(module.lane(lane), width) for lane in (0, 1))
    total = module.cell("$add", a, b, width)
    net = module.netlist()
    net.form(total, signed=True)
    assert values_of(module).within(net.bounds) == enough


def test_sums_are_equal_but_for_zeros_behind_them() -> None:
    module = Module()
    a, b = (extended(module.lane(lane), 5) for lane in (0, 1))
    total, other = module.cell("$add", a, b, 5), module.cell("$sub", a, b, 5)
    net, values = module.netlist(), values_of(module)
    form, twice = net.form(total, signed=True), net.form(["0", *total], signed=True)
    assert values.factor(form, twice) == 2
    assert values.factor(twice, form) == Fraction(1, 2)
    assert values.factor(form, net.form(["1", *total], signed=True)) is None
    assert values.factor(form, net.form(other, signed=True)) is None


@pytest.mark.parametrize(
    ("chosen", "why"), [(slice(1, 2), "one bit"), (slice(0, 5, 2), "no number")]
)
def test_bits_of_a_sum_that_are_no_number(chosen: slice, why: str) -> None:
    module = Module()
    a, b = (extended(module.lane(lane), 5) for lane in (0, 1))
    total = module.cell("$add", a, b, 5)
    with pytest.raises(NoForm, match=why):
        module.netlist().form(total[chosen], signed=True)


def test_what_is_no_sum_of_several_lanes_has_no_form() -> None:
    module = Module()
    mixed = module.cell("$xor", module.lane(0), module.lane(1), WIDTH)
    with pytest.raises(NoForm, match="several lanes"):
        module.netlist().form(mixed, signed=True)


@pytest.mark.parametrize("name", ["e5m2", "e4m3", "e4m3fnuz", "e2m1", "int4"])
def test_special_codes_are_no_finite_numbers(name: str) -> None:
    fmt = format(name)
    values = fmt.decode(np.arange(1 << fmt.width))
    assert special_codes(fmt) == [*np.flatnonzero(~np.isfinite(values))]


simulated = pytest.mark.skipif("bulk" not in simulators.available(), reason="verilator is missing")


@pytest.fixture
def empty_store(tmp_path, monkeypatch):
    """What a test run before left must not decide."""
    monkeypatch.setattr(store, "_path", lambda digest: tmp_path / digest)
    monkeypatch.setattr(sums, "LEAST", 7)


@simulated
@pytest.mark.usefixtures("empty_store")
@pytest.mark.parametrize(
    "parameters",
    [
        {"a": "int8", "out": "int32", "lanes": 4},
        {"a": "int4", "b": "int8", "c": "int16", "out": "int8", "lanes": 8},
        {"a": "e2m1", "c": "e3m3ieee", "out": "e3m3ieee", "lanes": 8},
        {"a": "e3m3ieee", "b": "e4m3", "c": "e3m2", "out": "e4m3", "lanes": 3, "rounding": "rup"},
    ],
)
def test_dots_are_proven(parameters: dict) -> None:
    proof = prove(macaw.unit("dot", **parameters), method="plain")
    assert proof.verdict == "proven", proof
    assert "cases" in proof.steps[0].covered


@pytest.mark.parametrize(
    ("name", "low", "high"), [("e8m0", 240, 260), ("ue4m3", 10, 14), ("ue5m3", 10, 40)]
)
def test_cases_of_scales_are_all_operands(name: str, low: int, high: int) -> None:
    scale, addend = format(name), format("e3m2ieee")
    assert isinstance(scale, Float)
    assert isinstance(addend, Float)
    names = (*sums.SCALES, "i_c")
    numbers = sums.Scaled(fmt=addend, names=names, scale=scale, low=low, high=high)
    split = sums.Sums(
        numbers=numbers,
        names=dict.fromkeys(names, 8),
        formats={},
        shifts=(0, 0),
        widths=(4, 4),
        ends=(-8, 7),
    )
    cases = split.cases()
    rng = random.Random(3)
    top = (1 << scale.width) - 1
    some = {0, 1, 7, 8, top // 2, top - 8, top - 1, top}
    codes = [*itertools.product(some, some, range(1 << addend.width))]
    sample = rng.sample(codes, 300)

    def missed(some: Sequence[Case]) -> bool:
        return any(
            value(graph, wrong, dict(zip(names, each, strict=True)))
            for graph, wrong in split.uncovered(some)
            for each in sample
        )

    assert not missed(cases)
    assert len(cases) > 30
    # Without a case that has some of these operands, they are missed.
    one = next(
        case for case in reversed(cases) if any(held(numbers, case, each) for each in sample)
    )
    assert missed([case for case in cases if case != one])


def held(numbers: Numbers, case: Case, codes: Sequence[int]) -> bool:
    graph = Graph()
    operands = {name: graph.word(name, numbers.format(name).width) for name in numbers.names}
    kinds = {name: kind for name, kind in case.kinds.items() if name in operands}
    holds = numbers.holds(graph, replace(case, kinds=kinds), operands)
    return value(graph, holds, dict(zip(numbers.names, codes, strict=True)))


@pytest.mark.parametrize("shifts", [(0, 0), (2, 1)])
def test_products_of_sums_and_scales_are_what_may_be(shifts: tuple[int, int]) -> None:
    scaling, ends, most = Scaling(widths=(12, 11)), (-9, 8), 15
    rng = random.Random(7)
    for total, factor in [(-9, most), (8, most), *((rng.randint(*ends), rng.randint(0, most))
                                                   for _ in range(60))]:  # fmt: skip
        graph = Graph()
        number = graph.word("sum", 5)
        kinds: dict[str, Any] = dict.fromkeys(sums.SCALES, Class.NORMAL if factor else Class.ZERO)
        kinds["sum"] = Class.NORMAL if total else Class.ZERO
        ports, may = scaling.inputs(
            graph, Case(kinds=kinds), number, (ends[0] * most, ends[1] * most), shifts
        )
        inputs = {"sum": total, "scaled": total * factor}
        assert value(graph, may, inputs)
        for (name, word), shift in zip(ports.items(), shifts, strict=True):
            bits = [value(graph, literal, inputs) for literal in word]
            assert len(bits) == scaling.widths[name == "reference_scaled"]
            whole = sum(bit << place for place, bit in enumerate(bits)) - (bits[-1] << len(bits))
            assert whole == (total * factor) << shift


def test_sides_that_multiply_by_different_numbers_are_wrong() -> None:
    scaling = Scaling(widths=(8, 8))
    for kind, asked in ((Class.NORMAL, True), (Class.SPECIAL, False)):
        graph = Graph()
        names = ("gates_scale", "reference_scale")
        made = {(name, bit): x for name in names for bit, x in enumerate(graph.word(name, 3))}
        wrong = scaling.wrong(graph, Case(kinds=dict.fromkeys(sums.SCALES, kind)), made)
        for a, b in itertools.product(range(8), repeat=2):
            assert value(graph, wrong, dict(zip(names, (a, b), strict=True))) == (asked and a != b)


def value(graph: Graph, literal: int, inputs: dict[str, int]) -> bool:
    bits = {node: bool(inputs[name] >> bit & 1) for node, (name, bit) in graph.names.items()}
    return graph.values(bits)[literal >> 1] ^ bool(literal & 1)


SCALED: dict[str, Any] = {"c": "e4m3ieee", "out": "e4m3ieee", "size": 4}


@pytest.fixture
def some_cases(monkeypatch):
    """A dozen of those of scales, for their number."""
    cases = sums.Scaled.cases
    monkeypatch.setattr(sums.Scaled, "cases", lambda self: [*cases(self)][12::23])
    monkeypatch.setattr(sums, "uncovered", lambda *_: [])


@simulated
@pytest.mark.usefixtures("empty_store", "some_cases")
@pytest.mark.parametrize("blocks", ["mxfp4", "nvfp4"])
def test_block_dots_are_proven_with_their_sum_taken_out(blocks: str) -> None:
    proof = prove(macaw.unit("block-dot", a=blocks, **SCALED), method="plain")
    assert proof.verdict == "proven", proof
    assert "cases" in proof.steps[0].covered
