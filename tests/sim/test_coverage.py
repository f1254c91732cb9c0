# SPDX-License-Identifier: BSD-2-Clause
"""Coverage: bins are hit by what they say, and by nothing else."""

from fractions import Fraction

import numpy as np
import pytest

from macaw.golden.units import unit
from macaw.sim import verify
from macaw.sim.bench.pauses import EVENTS, Watch
from macaw.sim.stimulus import exhaustive, stimulus
from macaw.sim.stimulus.coverage import Tally, coverage


def hits(spec, *groups, **codes):
    """Names of the bins in some groups that are hit by one vector, or one sequence."""
    arrays = {
        name: np.atleast_1d(np.asarray(value, spec.ports.inputs[name].format.code_dtype))
        for name, value in codes.items()
    }
    found = coverage(spec, [arrays], search=False)
    return {count.name for count in found.counts if count.hits and count.group in groups}


def encoded(spec, **values):
    return {name: spec.ports.inputs[name].format.encode([v]) for name, v in values.items()}


FP16 = unit("add", a="fp16")
LAST = 2.0**-10  # of numbers from 1 to 2


@pytest.mark.parametrize(
    ("a", "b", "wanted"),
    [
        (1.0, 1.0, "exact"),
        (1.0, LAST / 4, "below a tie"),
        (1.0, LAST / 2, "tie, even"),
        (1.0 + LAST, LAST / 2, "tie, odd"),
        (1.0, LAST * 3 / 4, "above a tie"),
        (-1.0, -LAST * 3 / 4, "above a tie"),
    ],
)
def test_where_a_sum_lies_between_its_neighbours(a, b, wanted):
    assert hits(FP16, "rounding", **encoded(FP16, a=a, b=b)) == {f"rounding/{wanted}"}


def test_a_value_beside_a_tie():
    a, half = 1.0, LAST / 2
    above = half * (1 + LAST)
    assert hits(FP16, "rounding", **encoded(FP16, a=a, b=above)) == {
        "rounding/above a tie",
        "rounding/just above a tie",
    }
    below = half * (1 - LAST / 2)
    assert "rounding/just below a tie" in hits(FP16, "rounding", **encoded(FP16, a=a, b=below))


def test_a_carry_of_rounding():
    found = hits(FP16, "rounding", **encoded(FP16, a=2.0 - LAST, b=LAST / 2))
    assert found == {"rounding/carry", "rounding/tie, odd"}


@pytest.mark.parametrize(
    ("a", "b", "wanted"),
    [
        (1.0, -1.0, {"all"}),
        (1.75, -0.5, set()),
        (2.0, -1.0, {"1"}),
        (2.0, -1.5, {"2"}),
        (2.0, -1.9375, {"5 to 8"}),
        (2.0, -2 + 2.0**-9, {"9 to 16"}),
        (0.0, -1.0, set()),
        (1.0, 1.0, set()),
    ],
)
def test_bits_that_cancel(a, b, wanted):
    found = hits(FP16, "cancel", **encoded(FP16, a=a, b=b))
    assert found == {f"cancel/{depth}" for depth in wanted}


def test_thresholds_of_overflow_and_underflow():
    fma = unit("fma", a="fp16", out="fp16")
    largest = 65504.0
    for more, wanted in (
        (8, "below threshold"),
        (15.9921875, "below threshold"),
        (16, "threshold"),
        (24, "above threshold"),
        (32, "above threshold"),
    ):
        found = hits(fma, "overflow", **encoded(fma, a=1, b=more, c=largest))
        assert found - {"overflow/far"} == {f"overflow/{wanted}"}
    assert hits(fma, "overflow", **encoded(fma, a=1024, b=1024, c=0)) == {"overflow/far"}
    least = 2.0**-24
    for times, wanted in ((0.25, "below half"), (0.5, "half"), (0.75, "above half")):
        found = hits(fma, "underflow", **encoded(fma, a=least, b=times, c=0))
        assert found == {f"underflow/{wanted}"}
    assert hits(fma, "underflow", **encoded(fma, a=0, b=1, c=0)) == set()


def exact_bins(a, b, out):
    """The bins of a sum, from fractions."""
    x, y = Fraction(a), Fraction(b)
    total = x + y
    found = set()

    def power(value):
        value, exponent = abs(value), 0
        while value >= 2:
            value, exponent = value / 2, exponent + 1
        while value < 1:
            value, exponent = value * 2, exponent - 1
        return exponent

    if x and y:
        apart = power(y) - power(x)
        for name, low, high in (
            ("equal", 0, 0),
            ("addend 1 above", 1, 1),
            ("addend 1 below", -1, -1),
        ):
            if low <= apart <= high:
                found.add(f"align/{name}")
    if not total:
        return found | ({"cancel/all"} if x else set())
    lost = max(power(v) for v in (x, y) if v) - power(total)
    for low, high in ((1, 1), (2, 2), (3, 4), (5, 8)):
        if low <= lost <= high:
            found.add(f"cancel/{low}" if low == high else f"cancel/{low} to {high}")
    if lost < 0:
        found.add("sum/carry")
    size = abs(total)
    below = size < Fraction(out.min_normal)
    last = Fraction(2) ** (max(power(total), out.emin) - out.mantissa)
    cut = size // last
    if cut * last < Fraction(out.max):
        rest = size / last - cut
        half = Fraction(1, 2)
        which = (
            "exact"
            if not rest
            else f"tie, {'odd' if cut % 2 else 'even'}"
            if rest == half
            else "above a tie"
            if rest > half
            else "below a tie"
        )
        if not (below and which == "tie, even" and not cut):
            found.add(f"{'subnormal' if below else 'rounding'}/{which}")
        up = rest > half or (rest == half and cut % 2)
        if up and not below and cut + 1 == 2 << out.mantissa:
            found.add("rounding/carry")
        if up and below and cut + 1 == 1 << out.mantissa:
            found.add("subnormal/to normal")
    else:
        over = (size - Fraction(out.max)) / Fraction(2) ** (out.emax - out.mantissa)
        half = Fraction(1, 2)
        if 0 < over < half:
            found.add("overflow/below threshold")
        if over == half:
            found.add("overflow/threshold")
        if power(total) > out.emax:
            found.add("overflow/far")
    return found


def test_every_sum_of_small_floats_hits_the_bins_that_fractions_say():
    spec = unit("add", a="e3m2", b="e3m3finite", out="e2m2finite")
    (codes,) = exhaustive(spec)
    counted = dict.fromkeys((b.name for b in Tally(spec).bins), 0)
    a, b = spec.a.decode(codes["a"]), spec.b.decode(codes["b"])
    for x, y in zip(a, b, strict=True):
        for name in exact_bins(x, y, spec.out):
            counted[name] += 1
    found = coverage(spec, [codes])
    groups = ("rounding", "subnormal", "cancel")
    names = {c.name for c in found.counts if c.group in groups} | {
        "align/equal",
        "align/addend 1 above",
        "align/addend 1 below",
        "sum/carry",
        "overflow/below threshold",
        "overflow/threshold",
        "overflow/far",
    }
    names -= {"rounding/just below a tie", "rounding/just above a tie"}
    assert {c.name: c.hits for c in found.counts if c.name in names} == {
        name: counted[name] for name in names
    }
    assert not found.never


def test_operands_are_crossed_by_class_in_the_lane_that_has_both():
    dot = unit("dot", a="e5m2", out="fp32", lanes=2)
    one, infinity = 0x3C, 0x7C
    found = hits(dot, "operands", a=[[infinity, one]], b=[[one, 0]], c=[0])
    assert "operands/a infinity, b normal" in found
    assert "operands/a normal, b zero" in found
    assert "operands/a infinity, b zero" not in found


def test_requantisation():
    spec = unit("requantize")
    half = {"multiplier": 1 << 30, "shift": 0}  # x / 2
    assert "rounding/tie, positive, odd" in hits(spec, "rounding", x=[3], **half)
    assert "rounding/tie, positive, even" in hits(spec, "rounding", x=[5], **half)
    assert "rounding/tie, negative, even" in hits(spec, "rounding", x=[-3 % 2**32], **half)
    for x, wanted in ((254, "largest"), (255, "one above"), (258, "above")):
        assert hits(spec, "range", x=[x], **half) == {f"range/{wanted}"}
    for x, wanted in ((-256, "least"), (-258, "one below"), (-260, "below")):
        assert hits(spec, "range", x=[x % 2**32], **half) == {f"range/{wanted}"}
    assert hits(spec, "shift", x=[1], multiplier=1, shift=[0x80]) == {
        "shift/right",
        "shift/beyond least",
    }


def test_two_roundings():
    spec = unit("requantize", profile="tflite_double")
    # 2.5 - 2**-31 is 3 by the first rounding, half of which is a tie.
    found = hits(spec, "twice", x=[5], multiplier=(1 << 30), shift=[0xFF])
    assert found == {"twice/first tie", "twice/tie by the first"}


def test_sums_of_flexpoint():
    spec = unit("flex-mac", a="flex16+5", terms=4)
    scales = {"a_scale": [31, 31], "b_scale": [31, 31], "r_scale": [31, 31]}
    found = hits(
        spec, "sum", "range", "tensor", a=[3, 0xFFFF], b=[1, 4], last=[0, 1], end=[0, 1], **scales
    )
    assert found == {"sum/two beats", "sum/turns", "tensor/one result"}
    found = hits(spec, "sum", "range", a=[1, 0x7FFF], b=[0, 1], last=[1, 1], end=[0, 1], **scales)
    assert found == {"sum/one beat", "range/largest"}
    scales["a_scale"] = [30, 30]
    found = hits(spec, "rounding", a=[3, 0], b=[1, 0], last=[1, 1], end=[0, 1], **scales)
    assert "rounding/tie, positive, odd" in found
    assert "rounding/tie, positive, even" not in found


def test_what_cannot_be_says_why_and_what_was_not_is_told():
    found = coverage(unit("mul", a="e2m1"), stimulus(unit("mul", a="e2m1"), vectors=300, seed=1))
    reasons = {count.name: count.reason for count in found.counts}
    assert reasons["result/infinity"] == "e2m1 has no infinities"
    assert reasons["overflow/threshold"] == "none of all 2^8 vectors"
    assert not found.never
    assert str(found).splitlines()[-1].endswith("0 never hit")
    spec = unit("mul", a="fp32")
    one = coverage(spec, [encoded(spec, a=1.0, b=1.0)])
    assert "result/infinity" in [count.name for count in one.never]
    assert "never" in str(one)
    assert one.to_json()["never"] == [count.name for count in one.never]


def test_a_unit_without_bins_says_so():
    spec = unit("isqrt", x="uint8")
    found = coverage(spec, stimulus(spec, vectors=10, seed=1))
    assert str(found) == f"coverage: no bins are stated for {spec.name}"
    assert not found.counts


def test_verify_counts_the_vectors_that_it_simulates():
    spec = unit("mul", a="e2m1")
    report = verify(spec, vectors=500, seed=3, coverage=True)
    assert report.passed
    assert report.coverage == coverage(spec, stimulus(spec, vectors=500, seed=3))
    assert report.to_json()["coverage"]["never"] == []
    assert str(report).splitlines()[-1] == str(report.coverage).splitlines()[-1]
    plain = verify(spec, vectors=500, seed=3)
    assert plain.coverage is None
    assert "coverage" not in plain.to_json()


# ---------------------------------------------------------------------------- pauses


def pauses(spec, **options):
    """Bins of pauses of a run: hits, and reasons."""
    report = verify(spec, seed=1, coverage=True, **options)
    assert report.passed
    return {c.name.partition("/")[2]: c for c in report.coverage.counts if c.group == "pauses"}


def watched(latency, source="", sink=""):
    """Events of a run in which source and sink do at each clock what a letter says.

    Source: ``.`` a gap, ``o`` an operand that moves on, ``O`` one that also ends a sequence, ``h``
    and ``H`` the same that are held. Sink: ``.`` there is no result, ``w`` one waits, ``W`` one
    waits beside a gap, ``t`` one is taken.
    """
    watch = Watch(latency)
    moved, count = 0, sum(letter in "oO" for letter in source)
    for letter in source:
        offered, taken, last = letter != ".", letter in "oO", letter in "OH"
        first, final = moved == 0, moved == count - 1
        watch.source(offered=offered, taken=taken, first=first, final=final, last=last)
        moved += taken
    given, count = 0, sink.count("t")
    for letter in sink:
        valid, ready, gap = letter != ".", letter == "t", letter == "W"
        watch.sink(valid=valid, ready=ready, first=given == 0, final=given == count - 1, gap=gap)
        given += ready
    return dict(watch.counts)


@pytest.mark.parametrize(
    ("source", "sink", "wanted"),
    [
        ("OOO", "ttt", {}),
        (".OOO", "", {"gap": 1, "gap, first": 1}),
        ("O..O.O", "", {"gap": 2, "gap, last": 1}),
        ("O...O.O", "", {"gap": 2, "long gap": 1, "gap, last": 1}),
        ("o.o.OO", "", {"gap": 2, "gap, inside": 2, "gap, end": 1}),
        ("OhoHHOO", "", {"held": 3, "held, end": 2}),
        ("OHO.hO", "", {"held": 2, "gap": 1, "gap, last": 1}),
        ("", ".wt.t.wwwtt", {"wait": 2, "wait, first": 1, "long wait": 1}),
        ("", "tWwt", {"wait": 1, "wait, last": 1, "both": 1}),
    ],
)
def test_events_of_pauses(source, sink, wanted):
    assert watched(2, source, sink) == wanted


SUMS = unit("mac", a="e4m3", out="fp16", lanes=1, terms=32)


@pytest.mark.parametrize("simulator", ["bulk", "icarus"])
@pytest.mark.parametrize("options", [{"stages": 3}, {"stages": 2, "ready": "registered"}])
def test_every_pause_that_matters_comes(simulator, options):
    found = pauses(SUMS, simulator=simulator, vectors=1_000, flow="stream", **options)
    assert list(found) == [each.name for each in EVENTS]
    assert [name for name, count in found.items() if not count.hits] == []


def test_pauses_outlast_a_long_pipeline():
    found = pauses(unit("mul", a="fp16"), simulator="bulk", vectors=4_000, stages=24, flow="stream")
    assert [name for name, count in found.items() if not count.hits] == []
    assert "gap, inside" not in found


def test_pauses_that_a_run_or_a_flow_has_not():
    spec = unit("mul", a="e4m3")
    given = {"simulator": "bulk", "vectors": 2_000}
    assert pauses(spec, **given) == {}
    assert list(pauses(spec, stages=1, flow="valid", **given)) == [
        "gap",
        "long gap",
        "gap, first",
        "gap, last",
    ]
    found = pauses(spec, stages=0, flow="stream", **given)
    assert [name for name, count in found.items() if not count.hits] == ["both"]
    assert found["both"].reason
    found = pauses(spec, stages=1, flow="stream", stalls=False, **given)
    assert {(c.hits, c.reason) for c in found.values()} == {(0, "a run without pauses")}


CATALOGUE = {
    "mul fp32": unit("mul", a="fp32"),
    "mul e4m3": unit("mul", a="e4m3"),
    "mul dlfloat16": unit("mul", a="dlfloat16"),
    "add bf16": unit("add", a="bf16"),
    "add fp32": unit("add", a="fp32"),
    "fma fp32": unit("fma", a="fp32", out="fp32"),
    "fma fp16": unit("fma", a="fp16", out="fp16"),
    "fma e5m2": unit("fma", a="e5m2", out="e5m2"),
    "fma mixed": unit("fma", a="e4m3", out="fp32"),
    "cast down": unit("cast", a="fp32", out="bf16"),
    "cast int": unit("cast", a="int32", out="fp32"),
    "div fp16": unit("div", a="fp16"),
    "sqrt fp32": unit("sqrt", a="fp32"),
    "dot e4m3": unit("dot", a="e4m3", out="fp32"),
    "dot e5m2": unit("dot", a="e5m2", out="fp16", lanes=8),
    "block-dot nvfp4": unit("block-dot", a="nvfp4", out="fp32"),
    "block-dot mxfp8": unit("block-dot", a="mxfp8-e4m3", out="fp32"),
    "requantize": unit("requantize"),
    "requantize twice": unit("requantize", profile="tflite_double", zero_point=True),
    "flex-mac": unit("flex-mac", a="flex16+5"),
}


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_default_run_hits_every_bin_that_the_unit_has(name):
    spec = CATALOGUE[name]
    tally = Tally(spec)
    for codes in stimulus(spec, vectors=10_000, seed=1):
        tally.add(codes)
    found = tally.coverage()
    assert [count.name for count in found.never] == []
    excused = [b.name for b, n in zip(tally.bins, tally.hits, strict=True) if n and b.reason]
    assert excused == []
    assert found.hit >= 10
