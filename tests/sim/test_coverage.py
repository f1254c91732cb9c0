# SPDX-License-Identifier: BSD-2-Clause
"""Coverage: bins are hit by what they say, and by nothing else."""

from fractions import Fraction

import numpy as np
import pytest

from macaw.golden.units import unit
from macaw.sim import verify
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
    assert reasons["overflow/threshold"] == "no two significands have such a product"
    assert reasons["rounding/tie, odd"] == "none of all 2^8 vectors"
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


# ---------------------------------------------------------------------------- fixed point


def fixed_bins(value, out):
    """The bins of a value that is rounded to a fixed point, from fractions."""
    places = abs(Fraction(value)) * 2**out.fraction
    whole, rest = divmod(places, 1)
    half, sign = Fraction(1, 2), "negative" if value < 0 else "positive"
    limit = -out.min_integer if value < 0 else out.max_integer
    found = set()
    which = "exact" if not rest else "below a tie" if rest < half else "above a tie"
    if rest == half:
        which = f"tie, {sign}, {'odd' if whole % 2 else 'even'}"
    if value and whole < limit:
        found.add(f"rounding/{which}")
        if not whole:
            found |= {"rounding/vanishes"} if rest else set()
    if not value:
        return found
    beyond = places - limit
    for name, here in (
        ("end", beyond == 0),
        ("below threshold", 0 < beyond < half),
        ("threshold", beyond == half),
        ("above threshold", half < beyond < 2),
        ("far", beyond >= 2),
    ):
        if here:
            found.add(f"range/{sign}, {name}")
    return found


@pytest.mark.parametrize(
    "spec",
    [
        unit("mul", a="fx5.3", b="fx4.2", out="fx4.1"),
        unit("add", a="fx6.3", b="ufx5.2", out="ufx4.1", rounding="rtz"),
        unit("fma", a="e2m1", b="int3", c="fx5.2", out="int3"),
        unit("cast", a="e3m3finite", out="fx4.2"),
    ],
    ids=lambda spec: spec.name,
)
def test_every_vector_hits_the_bins_of_fixed_point_that_fractions_say(spec):
    (codes,) = exhaustive(spec)
    values = {n: o.format.decode(codes[n]) for n, o in spec.ports.inputs.items()}
    exact = values["a"]
    if spec.kind in ("mul", "fma"):
        exact = exact * values["b"]
    if spec.kind in ("add", "fma"):
        exact = exact + values["c" if spec.kind == "fma" else "b"]
    counted = {}
    for value in exact:
        for name in fixed_bins(value, spec.out):
            counted[name] = counted.get(name, 0) + 1
    found = coverage(spec, [codes])
    groups = ("rounding", "range")
    assert {c.name: c.hits for c in found.counts if c.group in groups and c.hits} == counted
    assert not found.never
    assert not any(b.reason for b in Tally(spec).bins if counted.get(b.name))


# ---------------------------------------------------------------------------- streams


def test_sequences_and_carries_of_an_accumulator():
    spec = unit("mac", a="int8", out="int32")
    found = hits(spec, "sequence", "carry", a=[100, 3], b=[2, 20], last=[0, 1])
    assert found == {"sequence/two beats", "carry/into bit 8"}
    found = hits(spec, "sequence", "carry", a=[-1 % 256, 1], b=[1, 1], last=[0, 1])
    every = {each.name for each in Tally(spec).bins if each.name.startswith("carry/")}
    assert found == {"sequence/two beats", "sequence/turns", "sequence/zero", *every}
    assert hits(spec, "sequence", a=[5], b=[0], last=[1]) == {"sequence/one beat"}


def test_every_carry_of_a_stream_is_the_one_of_integers():
    spec = unit("mac", a="int8", b="uint8", out="int32", lanes=2, terms=60)
    (codes,) = stimulus(spec, vectors=3_000, seed=3)
    a, b = (spec.ports.inputs[n].format.decode(codes[n]).astype(int) for n in "ab")
    most = 60 * 128 * 255
    held, carries, far = 0, dict.fromkeys((8, 16), 0), 0
    for beat, last in zip((a * b).sum(1).tolist(), codes["last"], strict=True):
        into = [(held % 2**n + beat % 2**n) >> n for n in range(48)]
        for bit in carries:
            carries[bit] += into[bit]
        # From a place that a carry enters, sixteen that do not have two equal bits.
        passes = [(held ^ beat) >> n & 1 for n in range(48)]
        far += any(into[n] and all(passes[n : n + 16]) for n in range(most.bit_length() + 1 - 16))
        held = 0 if last else held + beat
    found = {c.name: c.hits for c in coverage(spec, [codes]).counts}
    assert {bit: found[f"carry/into bit {bit}"] for bit in carries} == carries
    assert found["carry/far"] == far > 0


def test_a_rounded_accumulator_is_the_addend_of_a_step():
    spec = unit("mac", a="fp16", out="fp16", acc="fp16")
    one, half = encoded(FP16, a=1.0)["a"], LAST / 2
    small = encoded(FP16, a=half)["a"]
    codes = {"a": np.concatenate([one, small]), "b": np.concatenate([one, one]), "last": [0, 1]}
    found = hits(spec, "rounding", "operands", **codes)
    assert "rounding/tie, even" in found
    assert "operands/a normal, accumulator normal" in found
    assert "operands/a normal, accumulator zero" in found
    reasons = {b.name: b.reason for b in Tally(unit("mac", a="e4m3", out="fp32", acc="fp32")).bins}
    assert "2^-18" in reasons["operands/a zero, accumulator subnormal"]
    assert reasons["result/infinity"]


def test_operations_of_a_unit_that_has_several():
    spec = unit("fpu", a="fp16")
    codes = encoded(FP16, a=1.0)["a"]
    tie = encoded(FP16, a=LAST / 2)["a"]
    given = {"a": codes, "b": tie, "c": codes, "op": [0], "rm": [0], "x": [0]}
    found = coverage(spec, [{n: np.atleast_1d(given[n]) for n in spec.ports.inputs}], search=False)
    hit = {c.name for c in found.counts if c.hits}
    assert {"operation/add", "add rounding/tie, even"} < hit
    assert not any(name.startswith(("mul ", "sub ", "operation/sub")) for name in hit)
