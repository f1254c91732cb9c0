# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for requantisation in Python's integers and fractions, to be checked by eye.

The two TensorFlow Lite profiles follow the C++ definitions of gemmlowp's fixedpoint.h and
TensorFlow Lite's common.h step by step, with C's truncating division and 32-bit operands; where
those overflow or assert, nothing is defined and the functions say so by an assertion of their own.
"""

import math
from fractions import Fraction

INT32 = 2**31


def saturating_rounding_doubling_high_mul(a, b):
    """gemmlowp's: ``round(a * b / 2**31)`` for 32-bit a and b."""
    assert -INT32 <= a < INT32
    assert -INT32 <= b < INT32
    if a == b == -INT32:
        return INT32 - 1
    product = a * b
    nudge = 2**30 if product >= 0 else 1 - 2**30
    total = product + nudge
    return abs(total) // 2**31 * (1 if total >= 0 else -1)


def rounding_divide_by_pot(x, exponent):
    """gemmlowp's: ``x / 2**exponent`` to nearest, ties away from zero."""
    assert -INT32 <= x < INT32
    assert 0 <= exponent <= 31
    mask = 2**exponent - 1
    remainder = x & mask
    threshold = (mask >> 1) + (1 if x < 0 else 0)
    return (x >> exponent) + (1 if remainder > threshold else 0)


def tflite_double(x, multiplier, shift):
    """MultiplyByQuantizedMultiplier with two roundings."""
    left, right = max(shift, 0), max(-shift, 0)
    high = saturating_rounding_doubling_high_mul(x * 2**left, multiplier)
    return rounding_divide_by_pot(high, right)


def tflite_single(x, multiplier, shift):
    """MultiplyByQuantizedMultiplier with TFLITE_SINGLE_ROUNDING."""
    assert multiplier >= 0
    assert -31 <= shift <= 30
    total = 31 - shift
    return (x * multiplier + 2 ** (total - 1)) >> total


def tflite_add(a, b, multipliers, shifts, rounding=tflite_double, left=20):
    """TensorFlow Lite's ADD of two integers less their zero points, before that of the result:
    the branches are rounded, then their sum."""
    assert all(shift <= 0 for shift in shifts)
    total = 0
    for x, multiplier, shift in zip((a, b), multipliers[:2], shifts[:2], strict=True):
        x = x * 2**left
        assert -INT32 <= x < INT32
        total += rounding(x, multiplier, shift)
    return rounding(total, multipliers[2], shifts[2])


def tflite_add_scaling(a_scale, b_scale, out_scale, left=20):
    """The multipliers and shifts that TensorFlow Lite gives :func:`tflite_add` for real scales."""
    twice = 2 * max(a_scale, b_scale)
    multipliers, shifts = [], []
    for real in (a_scale / twice, b_scale / twice, twice / (2**left * out_scale)):
        significand, shift = math.frexp(real)
        multiplier = math.floor(Fraction(significand) * 2**31 + Fraction(1, 2))
        if multiplier == 2**31:
            multiplier, shift = 2**30, shift + 1
        assert shift <= 0
        small = shift < -31
        multipliers.append(0 if small else multiplier)
        shifts.append(0 if small else shift)
    return tuple(multipliers), tuple(shifts)


def exact(x, multiplier, shift, bits=31):
    """The number that is rounded."""
    return x * multiplier * Fraction(2) ** (shift - bits)


def rounded(value, ties):
    """A fraction to an integer: to nearest with ties ``up``, ``even``, ``away``; or ``drop``."""
    floor = math.floor(value)
    rest = value - floor
    if ties == "drop" or rest == 0:
        return floor
    if rest != Fraction(1, 2):
        return floor + (rest > Fraction(1, 2))
    return floor + {"up": 1, "even": floor % 2, "away": int(value > 0)}[ties]


TIES = {"hawq": "even", "truncate": "drop", "half_up": "up", "half_away": "away"}
"""Profiles of one rounding. Those of TensorFlow Lite are above; beyond what it defines, they are
the fractions that :func:`requantize` says."""


def scaled(x, multiplier, shift, profile, bits=31):
    """The rounded integer, before zero point and saturation; for all operands."""
    shift = min(max(shift, -32), 31)
    if profile == "tflite_double":
        once = rounded(exact(x, multiplier, max(shift, 0), bits), "up")
        return rounded(once * Fraction(2) ** min(shift, 0), "away")
    return rounded(exact(x, multiplier, shift, bits), TIES.get(profile, "up"))


def limits(fmt):
    """(least, largest) integer of results."""
    high = 2 ** (fmt.width - fmt.signed) - 1
    return ((-high if fmt.symmetric else -high - 1) if fmt.signed else 0), high


def saturated(value, fmt):
    """``value`` within the range of a format."""
    low, high = limits(fmt)
    return min(max(value, low), high)


def requantize(x, multiplier, shift, profile, fmt, zero_point=0, bits=31):
    """The whole of it, one element."""
    return saturated(scaled(x, multiplier, shift, profile, bits) + zero_point, fmt)
