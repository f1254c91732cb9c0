# SPDX-License-Identifier: BSD-2-Clause
"""Gates of the units of integers: what they leave out, and that they give golden's bits."""

import re

import pytest
from simulated import simulated

from macaw.golden import format
from macaw.golden.units import unit
from macaw.hdl import Implementation, build, generate
from macaw.hdl.arithmetic.integers import ascending, at_most, integer, moved, saturate, wrap
from macaw.hdl.schedule.wire import cat
from macaw.sim import verify
from macaw.tools import simulators

BITS = [
    (unit("int-dot", a="uint8", b="int4", lanes=5, a_zero=True, b_zero=True), {"stages": 2}),
    (unit("int-dot", a="int8", b="power4", parts=2, acc="int12"), {"stages": 0}),
    (unit("int-mac", a="int8", b="binary", lanes=4, a_zero=True), {"stages": 1, "flow": "stream"}),
    (unit("requantize", profile="tflite_double", zero_point=True), {"stages": 3}),
    (unit("requantize", profile="hawq", x="uint17", bits=16, out="uint4"), {"stages": 0}),
    (unit("residual-add", profile="tflite_double", zero_points=True), {"stages": 2}),
    (unit("residual-add", form="tflite", zero_points=True), {"stages": 4, "flow": "stream"}),
    (unit("residual-add", form="tflite", profile="tflite_single", a="int16"), {"stages": 0}),
    (unit("average-pool", count=49, lanes=3), {"stages": 2, "flow": "valid"}),
]


@pytest.mark.parametrize(("spec", "options"), BITS, ids=lambda value: getattr(value, "name", ""))
def test_bits(spec, options):
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    report = verify(spec, simulator="bulk", vectors=30_000, seed=3, **options)
    assert report.passed, str(report)


@pytest.mark.parametrize("simulator", ["icarus", "verilator"])
def test_cocotb(simulator):
    if simulator not in simulators.available():
        pytest.skip(f"{simulator} is missing")
    for spec in (
        unit("int-mac", a="int8", b="ternary", lanes=4, a_zero=True),
        unit("residual-add", form="tflite", zero_points=True),
    ):
        report = verify(spec, simulator=simulator, vectors=800, seed=1, stages=2, flow="stream")
        assert report.passed, str(report)


@pytest.mark.parametrize(
    "weights", ["binary", "ternary", "int2", "shift2", "shift3", "shift4", "power2", "power4"]
)
@pytest.mark.parametrize("kind", ["int-dot", "int-mac"])
def test_no_multiplier_where_the_weights_need_none(kind, weights):
    spec = unit(kind, a="int8", b=weights, lanes=8)
    assert not re.search(r"\*(?!\))", _code(generate(spec, multiplier="dsp").verilog))
    assert re.search(r"\*(?!\))", _code(generate(unit(kind, a="int8"), multiplier="dsp").verilog))


def test_one_multiplier_for_a_zero_point_beside_narrow_weights():
    spec = unit("int-dot", a="int8", b="ternary", lanes=16, a_zero=True)
    assert len(re.findall(r" \* ", _code(generate(spec, multiplier="dsp").verilog))) == 1


def _code(verilog):
    return re.sub(r"//.*|/\*.*?\*/|\(\*.*?\*\)", "", verilog)


def test_fixed_parameters_are_no_ports():
    fixed = unit("requantize", multiplier=1 << 30, shift=-3)
    names = {port.name for port in build(fixed).port_list}
    assert names == {"i_x", "o_r"}
    whole = generate(unit("requantize")).verilog
    assert len(generate(fixed).verilog) < len(whole) / 2


def test_wrapping_accumulators_have_no_more_bits_than_their_format():
    exact = build(unit("int-mac", a="int8", acc="int16"), Implementation())
    wrapped = build(unit("int-mac", a="int8", acc="int16", wrap=True), Implementation())
    bits = [
        sum(int(n) + 1 for n in re.findall(r"reg \[(\d+):0\] \\?accumulator", text))
        for text in (generate(exact.spec).verilog, generate(wrapped.spec).verilog)
    ]
    assert bits == [26, 16]


@pytest.mark.parametrize("stages", range(1, 5))
def test_stages_before_and_behind_an_accumulator(stages):
    """The longest part may lie before the accumulator, which begins a clock of its own."""
    spec = unit("int-mac", a="int8", b="power4", lanes=4, parts=2, a_zero=True, wrap=True,
                acc="int16")  # fmt: skip
    assert generate(spec, stages=stages).metadata["latency"] == stages


@pytest.mark.parametrize("name", ["int4", "uint4", "int4sym", "int1", "uint1"])
def test_integers_saturate_and_wrap(name):
    fmt = format(name)
    totals = [code - (code >> 6 << 7) for code in range(128)]
    codes = simulated(lambda p, word: saturate(p, word.as_signed(), fmt), 7, range(128))
    held = [min(max(total, fmt.min_integer), fmt.max_integer) for total in totals]
    assert codes == [total % (1 << fmt.width) for total in held]
    codes = simulated(lambda p, word: saturate(p, word, fmt), 7, range(128))
    assert codes == [min(word, fmt.max_integer) for word in range(128)]
    codes = simulated(lambda p, word: wrap(word.as_signed(), fmt), 7, range(128))
    assert codes == [total % (1 << fmt.width) for total in totals]


@pytest.mark.parametrize("name", ["int3", "uint3"])
def test_integers_of_codes(name):
    fmt = format(name)
    values = [code - (code >> 2 << 3) * fmt.signed for code in range(8)]
    got = simulated(lambda p, word: integer(word, fmt).bits(8), 3, range(8))
    assert got == [value % 256 for value in values]
    got = simulated(lambda p, word: cat(*ascending(word, fmt)), 6, range(64))
    assert got == [
        sum((values[word >> up & 7] - min(values)) << up for up in (0, 3)) for word in range(64)
    ]


@pytest.mark.parametrize("zero", [-8, -4, -3, 0, 5])
def test_integers_moved_by_a_zero_point(zero):
    got = simulated(lambda p, word: moved(p, word, zero), 4, range(16))
    assert got == [(word + zero) % 16 for word in range(16)]


@pytest.mark.parametrize("most", [15, 16, 20, 31])
def test_integers_at_most(most):
    got = simulated(lambda p, word: at_most(word.within(0, 16), most, 5), 5, range(17))
    assert got == [min(word, most) for word in range(17)]


@pytest.mark.parametrize("stages", [5, 9])
@pytest.mark.parametrize("kind", ["int-mac", "int-dot"])
def test_an_addend_that_fills_its_stage_is_extended_in_the_next(kind: str, stages: int) -> None:
    spec = unit(kind, a="int1", lanes=2)
    report = verify(spec, optimise="delay", target="asic", stages=stages, vectors=1_000, seed=1)
    assert report.passed, report
