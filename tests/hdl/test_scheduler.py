# SPDX-License-Identifier: BSD-2-Clause
"""The scheduler and the shared pieces, simulated by Amaranth against Python's integers."""

import math
import random
import re
from collections.abc import Callable

import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from macaw.golden import unit
from macaw.hdl import Lfsr, Scheduler, Wire, generate
from macaw.hdl.arithmetic.shift import (
    anticipated,
    at_least,
    leading_zeros,
    shift_down,
    shift_left,
    shift_right,
    shift_to_digits,
    trailing_zeros,
)
from macaw.hdl.lfsr import TAPS, sequence
from macaw.hdl.schedule.delays import delay_model
from macaw.hdl.schedule.fold import Fold
from macaw.hdl.schedule.scheduler import Scratch
from macaw.hdl.schedule.wire import cat

Build = Callable[..., tuple[Wire, ...]]


def simulate(
    widths: tuple[int, ...],
    build: Build,
    vectors: list[tuple[int, ...]],
    period: float = math.inf,
    target: str = "ecp5",
) -> tuple[list[tuple[int, ...]], int]:
    """(results of ``build`` for each vector, latency)."""
    m = Module()
    inputs = [Signal(w, name=f"in{i}") for i, w in enumerate(widths)]
    p = Scheduler(m, delays=delay_model(*target.split()), period=period)
    wires = build(p, *(p.input(s) for s in inputs))
    latency = max(w.stage for w in wires)
    outputs = []
    for i, wire in enumerate(wires):
        out = Signal.like(wire.value, name=f"out{i}")
        m.d.comb += out.eq(p.at(wire, latency))
        outputs.append((out, wire))
    m.d.sync += Signal().eq(0)
    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    results = []

    async def bench(ctx):
        for cycle in range(len(vectors) + latency):
            for signal, value in zip(inputs, vectors[min(cycle, len(vectors) - 1)], strict=True):
                ctx.set(signal, value)
            await ctx.delay(1e-9)
            if cycle >= latency:
                got = tuple(ctx.get(out) for out, _ in outputs)
                for value, (_, wire) in zip(got, outputs, strict=True):
                    assert wire.low <= value <= wire.high, "the range of a wire is a promise"
                results.append(got)
            await ctx.tick()

    simulator.add_testbench(bench)
    simulator.run()
    return results, latency


def samples(*widths: int, count: int = 60) -> list[tuple[int, ...]]:
    rng = random.Random(str(widths))
    corners = [tuple(0 for _ in widths), tuple((1 << w) - 1 for w in widths)]
    return corners + [tuple(rng.getrandbits(w) for w in widths) for _ in range(count)]


@pytest.mark.parametrize("period", [math.inf, 9.0, 4.0, 2.0])
def test_arithmetic_is_exact_whatever_the_clock(period: float):
    def build(p: Scheduler, a: Wire, b: Wire, s: Wire):
        x, y = a.as_signed(), b
        product = p.multiply(x, y)
        total = p.sum([product, x, y, p.constant(-5)], [s])
        return product, total - 3, p.mux(s, x, y), x < y, cat(a, b), y.shifted_left(3)

    def model(a: int, b: int, s: int):
        x = a - (a >> 6 << 7)
        return x * b, x * b + x + b - 5 + s - 3, x if s else b, int(x < b), a | b << 7, b << 3

    vectors = samples(7, 9, 1)
    results, latency = simulate((7, 9, 1), build, vectors, period)
    assert results == [model(*v) for v in vectors]
    assert (latency > 0) == (period < math.inf)


def test_words_of_no_bits_put_together_have_none():
    p = Scheduler(Module(), delays=delay_model("ecp5"), period=math.inf)
    empty = p.constant(0, 0)
    assert len(cat(empty, empty)) == 0
    assert cat(empty, p.constant(3, 2), empty).constant == 3


def test_a_sum_has_more_single_bits_than_rows_of_adders():
    def build(p: Scheduler, *wires: Wire):
        return (p.sum([w.as_signed() for w in wires[:3]], wires[3:]),)

    vectors = samples(2, 3, 5, 1, 1, 1, 1, 1)
    results, _ = simulate((2, 3, 5, 1, 1, 1, 1, 1), build, vectors, 0.3, "asic delay")
    halves = (2, 4, 16, 0, 0, 0, 0, 0)
    assert results == [
        (sum((code ^ half) - half for code, half in zip(v, halves, strict=True)),) for v in vectors
    ]


@pytest.mark.parametrize("optimise", ["area", "delay"])
def test_registers_go_where_what_is_mapped_for_needs_them(optimise: str):
    spec = unit("fma", a="fp16", out="fp16")
    usual = generate(spec, stages=3, target="asic")
    other = generate(spec, stages=3, target="asic", optimise=optimise)
    assert other.latency == usual.latency == 3
    registers = [
        re.findall(r"^ *reg .*", design.verilog, re.MULTILINE) for design in (usual, other)
    ]
    assert registers[0] != registers[1]
    target = {"area": "asic", "delay": "ecp5"}[optimise]
    at_once = [generate(spec, target=target, optimise=how).body for how in ("balanced", optimise)]
    assert at_once[0] == at_once[1].replace(f"_{optimise}", "")


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("target", ["ecp5", "asic", "asic area", "asic delay", "xilinx7"])
@pytest.mark.parametrize("period", [math.inf, 4.0, 0.3])
def test_sums_of_words_of_any_width(period: float, target: str, signed: bool):
    widths = (24, 9, 9, 30, 9, 9, 9, 1, 1)

    def build(p: Scheduler, *wires: Wire):
        *words, plus, one = wires
        words = [w.as_signed() for w in words] if signed else words
        total = p.sum(words, [plus, one])
        # Sums of sums outside of a sum of many words, and the negative of one.
        return total, 0 - total, words[0] - (words[1] + words[2]) + words[3]

    def model(*codes: int):
        half = [1 << (w - 1) if signed else 0 for w in widths[:-2]]
        words = [(code ^ h) - h for code, h in zip(codes, half, strict=False)]
        total = sum(words) + sum(codes[-2:])
        return total, -total, words[0] - (words[1] + words[2]) + words[3]

    vectors = samples(*widths)
    results, _ = simulate(widths, build, vectors, period, target)
    assert results == [model(*v) for v in vectors]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("multiplier", "target", "period"),
    [("auto", "ecp5", math.inf), ("lut", "ecp5", math.inf), ("auto", "asic delay", 0.3)],
)
@pytest.mark.parametrize("widths", [(1, 5), (3, 3), (8, 8), (24, 24), (19, 40)])
def test_products_of_any_width(
    widths: tuple[int, int], multiplier: str, target: str, period: float, signed: bool
):
    def build(p: Scheduler, a: Wire, b: Wire):
        p.multiplier = multiplier
        return (p.multiply(a.as_signed() if signed else a, b.as_signed() if signed else b),)

    def value(code: int, width: int) -> int:
        return code - (code >> (width - 1) << width) if signed else code

    vectors = samples(*widths)
    results, _ = simulate(widths, build, vectors, period, target)
    assert results == [(value(a, widths[0]) * value(b, widths[1]),) for a, b in vectors]


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8, 13])
def test_leading_zeros(width: int):
    vectors = [(v,) for v in range(1, 1 << width)]
    results, _ = simulate((width,), lambda p, a: (leading_zeros(p, a),), vectors)
    assert results == [(width - v.bit_length(),) for (v,) in vectors]


def test_leading_zeros_without_a_one_is_the_width_or_one_less():
    for width in (3, 4, 8, 11):
        results, _ = simulate((width,), lambda p, a: (leading_zeros(p, a),), [(0,)])
        assert results[0][0] in (width, width - 1)


@pytest.mark.parametrize("width", [1, 3, 4, 7])
def test_trailing_zeros(width: int):
    vectors = [(v,) for v in range(1, 1 << width)]
    results, _ = simulate((width,), lambda p, a: (trailing_zeros(p, a),), vectors)
    assert results == [((v & -v).bit_length() - 1,) for (v,) in vectors]


@pytest.mark.parametrize("width", [2, 3, 5])
def test_where_the_digits_of_a_sum_begin_is_anticipated_or_a_place_above_it(width: int):
    words = range(1 << width)
    vectors = [(a, b, carry) for a in words for b in words for carry in (0, 1)]
    found, _ = simulate((width, width, 1), lambda p, *words: (anticipated(p, *words),), vectors)
    some = 0
    for (a, b, carry), (ones,) in zip(vectors, found, strict=True):
        total = (a + b + carry) % (1 << width)
        magnitude = total if total < 1 << (width - 1) else (1 << width) - 1 - total
        above = ones.bit_length() - magnitude.bit_length()
        assert above in ((0, 1) if magnitude else (0,))
        some += above
    # Otherwise it would be a count of zeros, for which everything is carried.
    assert (some > 0) == (width > 2)


@pytest.mark.parametrize(("size", "width", "bits"), [(4, 9, 3), (4, 9, 6), (8, 8, 5), (6, 6, 2)])
def test_shift_down(size: int, width: int, bits: int):
    vectors = samples(size, bits, count=200)
    results, _ = simulate((size, bits), lambda p, a, n: (shift_down(p, a, n, width),), vectors)
    assert results == [((a << (width - size)) >> n,) for a, n in vectors]


@pytest.mark.parametrize(("width", "keep"), [(9, 4), (12, 12), (5, 8), (16, 3)])
def test_shift_left_keeps_the_top_and_a_sticky_bit(width: int, keep: int):
    bits = max(width, keep).bit_length()
    vectors = samples(width, bits, count=200)

    def model(word: int, amount: int):
        size = max(width, keep)
        shifted = (word << (size - width) << amount) & ((1 << size) - 1)
        return shifted >> (size - keep), int(shifted & ((1 << (size - keep)) - 1) != 0)

    results, _ = simulate((width, bits), lambda p, a, n: shift_left(p, a, n, keep), vectors)
    assert results == [model(*v) for v in vectors]


@pytest.mark.parametrize(("width", "keep"), [(2, 1), (9, 4), (12, 12), (5, 8), (16, 3), (37, 6)])
@pytest.mark.parametrize("bits", [1, 3, 7])
def test_shift_to_digits_goes_no_further_than_it_may(width: int, keep: int, bits: int):
    """Some words have their leading digit anywhere, some have none."""
    rng = random.Random(f"{width} {keep} {bits}")
    size = max(width, keep)
    vectors = []
    for _ in range(300):
        digits = rng.getrandbits(width) >> rng.randint(0, width)
        vectors.append((digits, rng.getrandbits(1), rng.getrandbits(bits)))
    vectors = [(d ^ (-n & ((1 << width) - 1)), n, m) for d, n, m in vectors]

    def model(word: int, negative: int, most: int):
        digits = word ^ (-negative & ((1 << width) - 1))
        zeros = min(width - digits.bit_length(), most)
        shifted = (word << (size - width) << zeros) & ((1 << size) - 1)
        below = int(shifted & ((1 << (size - keep)) - 1) != 0)
        return shifted >> (size - keep), below, zeros, int(digits != 0)

    for period, target in ((math.inf, "ecp5"), (4.0, "ecp5 area")):
        results, _ = simulate(
            (width, 1, bits),
            lambda p, a, n, m: shift_to_digits(p, a, n, m, keep),
            vectors,
            period,
            target,
        )
        for given, got in zip(vectors, results, strict=True):
            want = model(*given)
            if want[3]:
                assert got == want
            else:
                # How far nothing moves does not matter, as far as it may.
                assert got[2] <= given[2]
                assert got[3] == 0


@pytest.mark.parametrize(("size", "width", "bits"), [(4, 9, 3), (4, 9, 6), (8, 8, 5), (6, 3, 4)])
def test_shift_right_keeps_what_falls_out_as_sticky(size: int, width: int, bits: int):
    vectors = samples(size, bits, count=200)

    def model(word: int, amount: int):
        out = word << width >> amount >> size
        return out, int((word << 64 >> amount) & ((1 << (64 + size - width)) - 1) != 0)

    results, _ = simulate((size, bits), lambda p, a, n: shift_right(p, a, n, width), vectors)
    assert results == [model(*v) for v in vectors]


@pytest.mark.parametrize("signed", [False, True])
def test_at_least(signed: bool):
    for bound in range(-20, 20):
        vectors = [(v,) for v in range(16)]
        results, _ = simulate(
            (4,), lambda p, a, b=bound: (at_least(p, a.as_signed() if signed else a, b),), vectors
        )
        values = [v - (v >> 3 << 4) if signed else v for (v,) in vectors]
        assert results == [(int(v >= bound),) for v in values]


@pytest.mark.parametrize("signs", [(False, False), (True, True), (True, False), (False, True)])
@pytest.mark.parametrize("widths", [(3, 3), (2, 4), (4, 2)])
def test_comparisons_are_those_of_integers(widths: tuple[int, int], signs: tuple[bool, bool]):
    def build(p: Scheduler, *words: Wire) -> tuple[Wire, ...]:
        a, b = (w.as_signed() if s else w for w, s in zip(words, signs, strict=True))
        return a < b, a <= b, a > b, a >= b, a < 1, a >= 1, a.equals(b)

    vectors = [(a, b) for a in range(1 << widths[0]) for b in range(1 << widths[1])]
    results, _ = simulate(widths, build, vectors)
    for patterns, got in zip(vectors, results, strict=True):
        a, b = (
            x - (1 << w) * (s and x >> (w - 1))
            for x, w, s in zip(patterns, widths, signs, strict=True)
        )
        assert got == (a < b, a <= b, a > b, a >= b, a < 1, a >= 1, a == b)


def test_operands_of_one_operation_meet_in_one_stage():
    """A value that is used stages later is delayed through one shared chain."""

    def build(p: Scheduler, a: Wire, b: Wire):
        deep = p.sum([a, b, a, b, a, b, a])
        first, second = deep + b, deep - b
        assert p.registers > 0
        before = p.registers
        p.at(b, deep.stage)
        assert p.registers == before
        return first, second

    vectors = samples(16, 16)
    results, latency = simulate((16, 16), build, vectors, period=3.4)
    assert latency >= 2
    assert results == [(4 * a + 4 * b, 4 * a + 2 * b) for a, b in vectors]


@pytest.mark.parametrize("degree", sorted(TAPS))
def test_lfsr_gives_the_words_of_its_model(degree: int):
    dut = Lfsr(width=8, degree=degree, seed=5)
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    words = []

    async def bench(ctx):
        ctx.set(dut.advance, 1)
        for _ in range(50):
            words.append(ctx.get(dut.word))
            await ctx.tick()

    simulator.add_testbench(bench)
    simulator.run()
    assert words == sequence(width=8, degree=degree, seed=5, count=50)


def test_lfsr_runs_through_every_state_but_zero():
    bits = sequence(width=1, degree=15, seed=1, count=2 * (2**15 - 1))
    half = len(bits) // 2
    assert bits[:half] == bits[half:]
    windows = {tuple(bits[i : i + 15]) for i in range(half)}
    assert len(windows) == 2**15 - 1


def total_of_turns(p, x):
    return Fold(p, 2).total(x)


def in_a_loop(p, x):
    with p.loop(x) as loop:
        state = loop.state(len(x), "state")
        loop.close(state, state ^ x)
    return state


DECIDED: dict[str, tuple[str, int, Callable[..., Wire]]] = {
    "sums": ("ecp5", 6, lambda p, x: x + x + x),
    "product in pieces": ("asic", 6, lambda p, x: p.multiply(x, x[1:])),
    "product compressed": ("asic delay", 4, lambda p, x: p.multiply(x, x)),
    "product of cells": ("ice40", 5, lambda p, x: p.multiply(x, x)),
    "sum in segments": ("ecp5", 8, lambda p, x: p.accumulate(x.as_signed(), x[0], 40)),
    "sum over turns": ("ecp5", 6, lambda p, x: total_of_turns(p, x + 1)),
    "loop": ("ecp5", 6, lambda p, x: in_a_loop(p, x + x + x)),
}


def placed(target, width, build, period, module):
    """All that a clock period decides: each signal with its stage, and what is counted."""
    p = Scheduler(module, delays=delay_model(*target.split()), period=period)
    wire = build(p, p.input(Signal(width, name="x")))
    return p, (wire.stage, wire.time, p.last_stage, p.registers, tuple(p.products), p.slowest)


@pytest.mark.parametrize("name", DECIDED)
def test_periods_of_a_range_place_all_registers_alike(name):
    """From range to range up to the longest period, the ends of each and what is between."""
    target, width, build = DECIDED[name]
    period, found = 0.0, set()
    while period < math.inf:
        p, result = placed(target, width, build, period, Module())
        trial, same = placed(target, width, build, period, Scratch())
        assert (same, trial.fits, trial.over) == (result, p.fits, p.over)
        found.add(result)
        if not p.fits <= period < p.over:
            period += 3e-6  # too close to where a comparison is not exact
            continue
        last = min(math.nextafter(p.over, 0.0), 1e6)
        for other in (p.fits, (p.fits + last) / 2, last):
            again, alike = placed(target, width, build, other, Module())
            assert (alike, again.labels.places) == (result, p.labels.places)
        period = p.over
    assert len(found) > 1


def test_a_stage_that_ends_with_its_product_is_alike_for_no_other_period():
    for period in (2.0, 8.0, 50.0):
        p, _ = placed("ecp5dsp", 12, lambda p, x: p.multiply(x, x) + 1, period, Module())
        assert not p.fits < p.over
