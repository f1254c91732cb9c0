# SPDX-License-Identifier: BSD-2-Clause
"""dot and mac: sums that are rounded once, and the profiles that are not exact."""

from typing import Any

import numpy as np
import pytest

from macaw.golden import format, unit
from macaw.sim.proof.outsiders import scalars

FP16, FP32 = format("fp16"), format("fp32")


def dot(values_a, values_b, value_c, **parameters):
    """Evaluate a dot unit on values."""
    spec: Any = unit("dot", lanes=len(values_a), **parameters)
    codes = spec.evaluate(
        a=spec.a.encode(values_a), b=spec.b.encode(values_b), c=spec.c.encode(value_c)
    )
    return float(spec.out.decode(codes["r"]))


def test_cancellation_leaves_what_is_small():
    """2**30 - 2**30 + 2**-30: any rounding on the way would give zero."""
    assert (
        dot([2.0**15, -(2.0**15), 2.0**-14], [2.0**15, 2.0**15, 1], 2.0**-14, a="fp16", out="fp32")
        == 2.0**-13
    )
    big = 2.0**100
    assert dot([big, big, 1], [big, -big, 1], 3.0, a="bf16", out="fp32") == 4.0
    assert dot([big] * 2, [2.0**27, -(2.0**27)], -0.5, a="fp32", out="fp32") == -0.5


def test_one_rounding():
    """Sixteen halves of the last place sum to eight; rounded one by one they vanish."""
    ulp = 2.0**-10
    assert dot([1.0] * 16, [ulp / 2] * 16, 1.0, a="fp16", out="fp16") == 1.0 + 8 * ulp


@pytest.mark.parametrize("name", ["e4m3", "fp16", "bf16"])
def test_order_and_lane_count_do_not_matter(name):
    rng = np.random.default_rng(5)
    fmt = format(name)
    a, b = (scalars.operands(fmt, 8 * 2000, rng).reshape(-1, 8) for _ in range(2))
    c = scalars.operands(FP32, 2000, rng)
    spec = unit("dot", a=name, out="fp32", lanes=8)
    got = spec.evaluate(a=a, b=b, c=c)["r"]
    order = rng.permutation(8)
    assert np.array_equal(got, spec.evaluate(a=a[:, order], b=b[:, order], c=c)["r"])
    one = fmt.encode(1.0)
    wide = unit("dot", a=name, out="fp32", lanes=11)
    pad = np.zeros((2000, 3), fmt.code_dtype)
    more = wide.evaluate(a=np.hstack([a, pad]), b=np.hstack([b, pad + one]), c=c)["r"]
    zero = FP32.decode(got) == 0  # +0 joins a sum of nothing but -0
    assert np.array_equal(got[~zero], more[~zero])


# Terms, F and sum: each term loses what lies F bits below the largest exponent, toward zero.
ALIGNED = [
    ([1.0, 2.0**-4], 4, 1.0625),
    ([1.0, 2.0**-5], 4, 1.0),
    ([1.0, -(2.0**-5)], 4, 1.0),
    ([1.0, 2.0**-5, 2.0**-5], 4, 1.0),
    ([1.5, 0.09375], 4, 1.5625),
    ([-1.5, -0.09375], 4, -1.5625),
    ([8.0, -8.0, 0.25], 4, 0.0),
    ([8.0, -8.0, 0.5], 4, 0.5),
    ([0.0, 0.0, 2.0**-20], 4, 2.0**-20),
]


@pytest.mark.parametrize(("terms", "bits", "total"), ALIGNED)
def test_aligned_sums(terms, bits, total):
    ones = [1.0] * len(terms)
    got = dot(terms, ones, 0.0, a="bf16", out="fp32", accumulation=f"aligned({bits})")
    assert got == total


def test_alignment_uses_fields_and_not_values():
    """A product in [2, 4) keeps the exponent of its factors, as does a subnormal's."""
    assert dot([1.5], [1.5], 2.0**-4, a="bf16", out="fp32", accumulation="aligned(4)") == 2.3125
    least = 2.0**-24
    args = {"a": "fp16", "out": "fp32", "accumulation": "aligned(4)"}
    assert dot([least], [1.0], 0.0, **args) == 0.0
    assert dot([2.0**-14], [1.0], 0.0, **args) == 2.0**-14


def test_enough_bits_make_aligned_exact():
    rng = np.random.default_rng(2)
    a, b = (scalars.operands(FP16, 4000, rng).reshape(-1, 4) for _ in range(2))
    c = scalars.operands(FP16, 1000, rng)
    exact = unit("dot", a="fp16", out="fp16").evaluate(a=a, b=b, c=c)["r"]
    wide = unit("dot", a="fp16", out="fp16", accumulation="aligned(200)")
    assert np.array_equal(exact, wide.evaluate(a=a, b=b, c=c)["r"])


def test_mac_restarts_after_last():
    spec = unit("mac", a="int8", out="int32")
    got = spec.evaluate(a=[1, 2, 3, 4, 5, 6], b=[1] * 6, last=[0, 1, 1, 0, 0, 1])["r"]
    assert got.tolist() == [3, 3, 15]
    unfinished = spec.evaluate(a=[1, 2, 3], b=[1] * 3, last=[1, 0, 0])["r"]
    assert unfinished.tolist() == [1]
    assert spec.evaluate(a=[1, 2], b=[1, 1], last=[0, 0])["r"].tolist() == []


def test_mac_accumulators_differ_where_they_should():
    """1000 ones in bf16 rounded at each step stop at 256; exact they are 1000."""
    ones = np.full(1000, format("bf16").encode(1.0))
    last = np.arange(1000) == 999
    for acc, total in (("exact", 1000.0), ("bf16", 256.0), ("fp32", 1000.0), ("int16", 1000.0)):
        spec = unit("mac", a="bf16", out="fp32", acc=acc)
        assert FP32.decode(spec.evaluate(a=ones, b=ones, last=last)["r"]) == [total]


def test_integer_accumulators_wrap_or_saturate():
    a = np.full(4, 100, np.uint8)
    last = [0, 0, 0, 1]
    wrap = unit("mac", a="int8", out="int16", acc="int16", overflow="wrap")
    full = unit("mac", a="int8", out="int16", acc="int16")
    assert wrap.evaluate(a=a, b=a, last=last)["r"] == [40000 % 65536]
    assert full.evaluate(a=a, b=a, last=last)["r"] == [32767]


def test_exact_mac_is_one_long_dot():
    rng = np.random.default_rng(9)
    a, b = (scalars.operands(FP16, 64 * 50, rng) for _ in range(2))
    last = np.tile(np.arange(64) == 63, 50)
    got = unit("mac", a="fp16", out="fp16").evaluate(a=a, b=b, last=last)["r"]
    spec = unit("dot", a="fp16", out="fp16", lanes=64)
    want = spec.evaluate(a=a.reshape(50, 64), b=b.reshape(50, 64), c=0)["r"]
    assert np.array_equal(got, want)


@pytest.mark.parametrize("lanes", [1, 3])
def test_sequences_longer_than_a_piece_of_work(lanes):
    beats = 30_000
    rng = np.random.default_rng(lanes)
    shape = (beats, lanes) if lanes > 1 else (beats,)
    a, b = (rng.integers(0, 256, shape, dtype=np.uint8) for _ in range(2))
    last = np.zeros(beats, np.uint8)
    last[[5, 20_000, 29_998]] = 1
    spec = unit("mac", a="int8", out="int32", lanes=lanes, terms=1 << 20)
    got = spec.evaluate(a=a, b=b, last=last)["r"]
    products = a.view(np.int8).astype(np.int64) * b.view(np.int8)
    per_beat = products.reshape(beats, -1).sum(-1)
    want = np.add.reduceat(per_beat[:29_999], [0, 6, 20_001])
    assert got.view(np.int32).tolist() == want.tolist()
    wide = unit("mac", a="int8", out="fp64", lanes=lanes, terms=1 << 20)
    assert format("fp64").decode(wide.evaluate(a=a, b=b, last=last)["r"]).tolist() == want.tolist()


def test_infinities_in_a_stream():
    fp16 = FP16
    values = np.array([np.inf, -np.inf, np.inf, 1.0, 1.0, -np.inf, np.nan, 2.0])
    last = [0, 1, 0, 1, 1, 1, 1, 1]
    spec = unit("mac", a="fp16", out="fp16")
    got = fp16.decode(spec.evaluate(a=fp16.encode(values), b=fp16.encode(1.0), last=last)["r"])
    want = [np.nan, np.inf, 1.0, -np.inf, np.nan, 2.0]
    assert np.array_equal(got, want, equal_nan=True)


@pytest.mark.parametrize("kind", ["dot", "mac"])
def test_random_formats_and_options_against_fractions(kind):
    assert scalars.fractions_of_many(kind, 80, 40, 3) > 800


@pytest.mark.parametrize("parameters", scalars.PRODUCTS, ids=lambda p: unit(**p).name)
def test_common_sums_against_fractions(parameters):
    assert scalars.fractions(unit(**parameters), 400) > 100
