# SPDX-License-Identifier: BSD-2-Clause
"""Dyadic scales and requantisation: TensorFlow Lite's definitions, fractions, corners."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from macaw.golden import format
from macaw.golden.arithmetic.dyadic import (
    Dyadic,
    Profile,
    Ties,
    common_shift,
    dyadic,
    multipliers,
    requantize,
    requantize_real,
    round_shift,
)
from macaw.golden.errors import CodeError, SpecError
from macaw.sim.proof.reference.arithmetic import dyadic as reference

NAN = float("nan")
INT_MIN, INT_MAX = -(2**31), 2**31 - 1
X = [0, 1, -1, 2, -2, 3, -3, 127, -128, 128, -129, 255, 256, -256, 2**15, -(2**15), 2**30,
     2**30 - 1, -(2**30), -(2**30) - 1, INT_MAX, INT_MAX - 1, INT_MIN, INT_MIN + 1]  # fmt: skip
MULTIPLIERS = [2**30, 2**30 + 1, 3 * 2**29, 2**31 - 2, 2**31 - 1, 0x5A827999]


def draw(count, seed):
    """Operands of all magnitudes, half of the multipliers normalised, every shift."""
    rng = np.random.default_rng(seed)
    x = rng.integers(INT_MIN, INT_MAX, count, endpoint=True) >> rng.integers(0, 32, count)
    m = rng.integers(2**30, 2**31, count)
    m = np.where(rng.random(count) < 0.5, m, m >> rng.integers(0, 32, count))
    m = np.where(rng.random(count) < 0.3, m & -(1 << 25), m)  # ties
    return x, m, rng.integers(-32, 32, count)


def crossed():
    grid = np.meshgrid(X, [0, 1, *MULTIPLIERS], range(-31, 31), indexing="ij")
    return [axis.ravel() for axis in grid]


def expected(x, m, s, profile, out, zero=0, bits=31):
    every = zip(x.tolist(), m.tolist(), s.tolist(), strict=True)
    return [reference.requantize(*each, profile, out, zero, bits) for each in every]


# gemmlowp's own functions, by hand

CASES = [
    # x, multiplier, shift, double, single
    (1, 2**30, 0, 1, 1),  # 0.5 goes up
    (-1, 2**30, 0, 0, 0),  # -0.5 goes up
    (-3, 2**30, 0, -1, -1),
    (6, 2**30, -1, 2, 2),  # 1.5: 3, then a tie away from zero
    (-6, 2**30, -1, -2, -1),  # -1.5: away from zero, and up
    (5, 2**30, -1, 2, 1),  # 1.25: 3, then 1.5: rounded twice
    (100, 2**31 - 1, 0, 100, 100),
    (INT_MIN, 2**31 - 1, 0, -(2**31) + 1, -(2**31) + 1),
    (INT_MAX, 2**31 - 1, 0, 2**31 - 2, 2**31 - 2),
    (INT_MIN, 2**30, -31, -1, 0),  # -0.5: away, and up
    (3, 2**30, 5, 48, 48),
]


@pytest.mark.parametrize(("x", "m", "s", "double", "single"), CASES)
def test_worked_examples(x, m, s, double, single):
    assert requantize(x, m, s, profile="tflite_double", out="int32") == double
    assert requantize(x, m, s, profile="tflite_single", out="int32") == single
    assert reference.tflite_double(x, m, s) == double
    assert reference.tflite_single(x, m, s) == single


def test_tflite_double_is_gemmlowp_wherever_gemmlowp_is_defined():
    x, m, s = crossed()
    fits = (x << np.maximum(s, 0) >= INT_MIN) & (x << np.maximum(s, 0) <= INT_MAX)
    x, m, s = x[fits], m[fits], s[fits]
    got = requantize(x, m, s, profile="tflite_double", out="int32")
    every = zip(x.tolist(), m.tolist(), s.tolist(), strict=True)
    assert got.tolist() == [reference.tflite_double(*each) for each in every]
    x, m, s = draw(20_000, 1)
    fits = (s >= -31) & (s <= 31) & (np.abs(x) < 2.0 ** (31 - np.maximum(s, 0)))
    x, m, s = x[fits], m[fits], s[fits]
    got = requantize(x, m, s, profile="tflite_double", out="int32")
    every = zip(x.tolist(), m.tolist(), s.tolist(), strict=True)
    assert got.tolist() == [reference.tflite_double(*each) for each in every]


def test_tflite_single_is_tensorflow_lites():
    for x, m, s in (crossed(), draw(20_000, 2)):
        fits = (s >= -31) & (s <= 30)
        x, m, s = x[fits], m[fits], s[fits]
        got = requantize(x, m, s, profile="tflite_single", out="int32")
        every = zip(x.tolist(), m.tolist(), s.tolist(), strict=True)
        wanted = [min(max(reference.tflite_single(*each), INT_MIN), INT_MAX) for each in every]
        assert got.tolist() == wanted


def test_saturating_doubling_of_the_least_integer():
    assert reference.saturating_rounding_doubling_high_mul(INT_MIN, INT_MIN) == INT_MAX


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("out", ["int8", "uint8", "int4", "int8sym", "int16", "int32", "uint32"])
def test_against_fractions(profile, out):
    fmt = format(out)
    ends = [int(fmt.min_integer), int(fmt.max_integer)]
    for zero in (0, *ends):
        for x, m, s in (crossed(), draw(3000, 3)) if zero == 0 else (draw(1500, 4),):
            got = requantize(x, m, s, profile=profile, out=out, zero_point=zero)
            assert got.tolist() == expected(x, m, s, profile.value, fmt, zero)


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("bits", [2, 8, 15, 16, 24])
def test_narrow_multipliers(profile, bits):
    x, m, s = draw(3000, bits)
    x, m = x << np.int64(min(62 - bits - 31, 15)), m >> (31 - bits)
    got = requantize(x, m, s, profile=profile, out="int16", zero_point=-3, bits=bits)
    assert got.tolist() == expected(x, m, s, profile.value, format("int16"), -3, bits)


def test_ties_of_both_signs():
    x = np.array([-5, -3, -1, 1, 3, 5])  # times 1/2
    wanted = {
        "tflite_single": [-2, -1, 0, 1, 2, 3],
        "tflite_double": [-2, -1, 0, 1, 2, 3],
        "half_up": [-2, -1, 0, 1, 2, 3],
        "hawq": [-2, -2, 0, 0, 2, 2],
        "half_away": [-3, -2, -1, 1, 2, 3],
        "truncate": [-3, -2, -1, 0, 1, 2],
    }
    for profile, values in wanted.items():
        assert requantize(x, 2**30, 0, profile=profile).tolist() == values
    # two roundings: the tie is in the second one, and goes away from zero
    twice = requantize(2 * x, 2**30, -1, profile="tflite_double")
    assert twice.tolist() == [-3, -2, -1, 1, 2, 3]


def test_the_profiles_agree_but_for_ties_and_second_roundings():
    x, m, s = draw(50_000, 5)
    results = {p: requantize(x, m, s, profile=p, out="int32") for p in Profile}
    assert np.array_equal(results[Profile.HALF_UP], results[Profile.TFLITE_SINGLE])
    single, double = results[Profile.TFLITE_SINGLE], results[Profile.TFLITE_DOUBLE]
    assert np.array_equal(single[s >= 0], double[s >= 0])
    assert np.abs(single.astype(np.int64) - double).max() == 1
    away = results[Profile.HALF_AWAY].astype(np.int64)
    apart = away != single
    assert apart.any()
    assert (x[apart] < 0).all()


@pytest.mark.parametrize("ties", list(Ties))
def test_round_shift_by_nothing_and_by_all(ties):
    values = np.array([0, 5, -5, 2**62, -(2**62), 2**63 - 1, -(2**63) + 1])
    assert round_shift(values, 0, ties).tolist() == values.tolist()
    far = round_shift(values, 63, ties).tolist()
    assert far == [reference.rounded(Fraction(v, 2**63), ties.value) for v in values.tolist()]


def test_per_channel_multipliers_broadcast():
    x = np.arange(-60, 60).reshape(2, 20, 3) * 1000
    m, s = multipliers([0.5, 0.001, 0.0123])
    whole = requantize(x, m, s, zero_point=[0, 5, -7])
    for channel in range(3):
        part = requantize(x[..., channel], m[channel], s[channel], zero_point=[0, 5, -7][channel])
        assert np.array_equal(whole[..., channel], part)
    assert whole.dtype == np.int8


# multipliers from scales


@pytest.mark.parametrize(
    ("scale", "multiplier", "shift"),
    [
        (0.5, 2**30, 0),
        (1.0, 2**30, 1),
        (0.25, 2**30, -1),
        (0.75, 3 * 2**29, 0),
        (1 - 2.0**-33, 2**30, 1),  # rounds to 2**31, which is halved
        (2.0**-32, 2**30, -31),
        (0.0, 0, 0),
    ],
)
def test_multiplier_of_a_scale(scale, multiplier, shift):
    assert dyadic(scale) == Dyadic(multiplier=multiplier, shift=shift)
    assert dyadic(scale, choice="hawq") == Dyadic(multiplier=multiplier, shift=shift)


def test_multipliers_at_the_ends():
    assert dyadic(2.0**-33).multiplier == 0
    assert dyadic(2.0**-33, choice="hawq") == Dyadic(multiplier=2**30, shift=-32)
    assert dyadic(2.0**-40, choice="hawq").multiplier == 0
    assert dyadic(2.0**40) == Dyadic(multiplier=2**31 - 1, shift=30)
    with pytest.raises(SpecError, match=r"scale=1099511627776.0: must be below 2\*\*31"):
        dyadic(2.0**40, choice="hawq")
    wrong = (-0.5, Fraction(-1, 2), -1, NAN, float("inf"), "0.5", None, True, 1j, [1.0, 2.0])
    for bad in wrong:
        with pytest.raises(SpecError, match="must be a finite number from 0 on"):
            dyadic(bad)  # type: ignore[arg-type]
    for half in (0.5, Fraction(1, 2), np.float32(0.5), np.array(0.5)):
        assert dyadic(half) == Dyadic(multiplier=2**30, shift=0)  # type: ignore[arg-type]
    assert dyadic(2**70 + 1, choice="tflite") == Dyadic(multiplier=2**31 - 1, shift=30)


@given(st.floats(2.0**-31, 2.0**29), st.integers(2, 31))
def test_error_of_a_multiplier(scale, bits):
    for choice in ("tflite", "hawq"):
        found = dyadic(scale, bits=bits, choice=choice)
        assert 2 ** (bits - 1) <= found.multiplier < 2**bits
        error = abs(found.value - Fraction(scale))
        # one that is halved again has been rounded in the next binade
        assert error <= Fraction(2) ** (found.shift - bits - 1)
        assert error <= Fraction(scale) * Fraction(2) ** -bits


def test_common_shift():
    (first, second), shift = common_shift([0.75, 0.01])
    assert (first, shift) == (3 * 2**29, 0)
    assert abs(Fraction(second, 2**31) - Fraction(0.01)) <= Fraction(1, 2**32)


# ONNX, for comparison


def test_real_scales_round_in_fp32():
    assert requantize_real([3, 5, -3], 0.5).tolist() == [2, 2, -2]
    assert requantize_real([2**31 - 1, -(2**31)], 1e30, zero_point=5).tolist() == [127, -128]
    # 2**24 + 1 is no fp32 number
    assert requantize_real(2**24 + 1, 1.0, out="int32") == 2**24


# errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": 1.5}, "x: dtype float64 where integers are wanted"),
        ({"multiplier": -1}, "multiplier=-1: must be from 0 to 2147483647, 31 bits"),
        ({"multiplier": [1, 2**31]}, r"multiplier\[1\]=2147483648: must be from 0 to"),
        ({"x": 2**32}, r"x=4294967296: must not exceed 2\*\*31 in magnitude with bits=31"),
        ({"zero_point": 128}, "zero_point=128: must be from -128 to 127, in int8"),
        ({"shift": -40}, "shift=-40: must be from -32 to 31"),
        ({"shift": [0, 32]}, r"shift\[1\]=32: must be from -32 to 31"),
        ({"x": [1, 2], "shift": [0, 1, 2]}, "shapes do not broadcast"),
        ({"bits": 32}, "bits=32: must be an integer from 2 to 31"),
        ({"profile": "gemmlowp"}, "profile=gemmlowp: must be one of tflite_single"),
        ({"out": "fp16"}, "out=fp16: must be an integer format of at most 32 bits"),
    ],
)
def test_errors(arguments, message):
    wanted = {"x": 1, "multiplier": 2**30, "shift": 0} | arguments
    x, multiplier, shift = (wanted.pop(name) for name in ("x", "multiplier", "shift"))
    with pytest.raises((CodeError, SpecError), match=message):
        requantize(x, multiplier, shift, **wanted)


def test_errors_of_dyadic_numbers():
    with pytest.raises(
        SpecError, match="multiplier=2147483648: must be an integer from 0 to 2147483647"
    ):
        Dyadic(multiplier=2**31, shift=0)
    with pytest.raises(SpecError, match="shift=32: must be an integer from -32 to 31"):
        Dyadic(multiplier=1, shift=32)
