# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for integer-only functions, in Python's integers, to be checked by eye.

One number, or one row as a list, at a time. I-BERT's functions are written as its code has them,
with exact fractions where that has floats; what macaw does otherwise is marked.
"""

import functools
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from math import floor


def isqrt(x):
    """The largest integer whose square is not above x, by bisection."""
    low, high = 0, x + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle * middle <= x else (low, middle)
    return low


def nearest(x):
    """RNE to an integer."""
    return round(Fraction(x))


@functools.cache
def nearest_power(exponent, bits):
    """The integer nearest to ``2**exponent * 2**bits``, by decimals of 60 digits."""
    with localcontext(prec=60):
        power = Decimal(2) ** (Decimal(exponent.numerator) / exponent.denominator + bits)
        return int(power.quantize(1, ROUND_HALF_EVEN))


@functools.cache
def ln2():
    """ln 2 to 200 bits, by its series in halves."""
    return sum(Fraction(1, k * 2**k) for k in range(1, 210))


def exp2(x, fraction, precision):
    """(significand, exponent) of ``2**(x / 2**fraction)``: macaw's own definition."""
    n, f = divmod(x, 2**fraction)
    q = precision + 5
    if fraction <= 6:
        m = nearest_power(Fraction(f, 2**fraction), precision)
    else:
        if fraction <= 12:
            h = (fraction + 1) // 2
            upper, lower = divmod(f, 2 ** (fraction - h))
            t = nearest_power(Fraction(upper, 2**h), q)
            g = nearest_power(Fraction(lower, 2**fraction), q) - 2**q
        else:
            h = max(-((3 - precision) // 3), 1)
            s = fraction - h
            upper, lower = divmod(f, 2**s)
            t = nearest_power(Fraction(2 * upper + 1, 2 ** (h + 1)), q)
            c1, c2 = nearest(ln2() * 2 ** (q - h)), nearest(ln2() ** 2 / 2 * 2 ** (q - 2 * h))
            d = lower - 2 ** (s - 1)
            g = floor(Fraction(d * (c1 + floor(Fraction(d * c2, 2**s))), 2**s))
        total = t + floor(Fraction(floor(Fraction(t, 2**h)) * g, 2 ** (q - h)))
        m = nearest(Fraction(total, 2 ** (q - precision)))
    return (m // 2, n + 1) if m == 2 ** (precision + 1) else (m, n)


def times_log2e(x, fraction, integer, precision):
    """x * log2(e) with ``precision + 4`` fraction bits: macaw's own definition."""
    bits = precision + 5 + integer
    return nearest(Fraction(x * nearest(2**bits / ln2()), 2 ** (fraction + bits - precision - 4)))


def gelu(x, scale, shift):
    """(result, its scale); macaw: both with the opposite sign."""
    s = Fraction(scale) / Fraction("1.4142")
    a, b = Fraction("-0.2888"), Fraction("-1.769")
    b_int, c_int = floor(b / s), floor((1 / a) / s**2)
    sign = (x > 0) - (x < 0)
    y = sign * ((min(abs(x), -b_int) + b_int) ** 2 + c_int)
    y, s = floor(Fraction(y, 2**shift)), s**2 * a * 2**shift
    return -x * (y + floor(1 / s)), -Fraction(scale) * s / 2


def exponential(x, scale, bits):
    """exp of a number up to 0. macaw: powers of two, in place of a multiplier, bring it to bits."""
    s, n = Fraction(scale), 30
    a, b, c = Fraction("0.35815147"), Fraction("0.96963238"), Fraction(1)
    b_int, c_int, x0_int = floor(b / a / s), floor(c / a / s**2), floor(Fraction("-0.6931") / s)
    x = max(x, n * x0_int)
    q = floor(Fraction(x, x0_int))
    r = x - x0_int * q
    z = max(floor((r * (r + b_int) + c_int) * Fraction(2) ** (n - q)), 0)
    return floor(z / Fraction(2) ** (n + c_int.bit_length() - (bits - 1)))


def softmax(row, scale, out, bits, reciprocal, fraction=None, zero=0):
    """A row; macaw: a zero point is added, and the result saturates. ``fraction``: bits of a
    probability, those of the format unless it is of integers."""
    e = [exponential(x - max(row), scale, bits) for x in row]
    factor = floor(Fraction(2**reciprocal, sum(e)))
    fraction = out.fraction if fraction is None else fraction
    shifted = [floor(Fraction(z * factor, 2 ** (reciprocal - fraction))) for z in e]
    return [min(r + zero, out.max_integer) for r in shifted]


def layer_norm(row, shift, reciprocal, fraction):
    """A row, without weights and biases. macaw: a root of 0 is taken for 1."""
    mean = nearest(Fraction(sum(row), len(row)))
    y = [x - mean for x in row]
    var = sum(floor(Fraction(v, 2**shift)) ** 2 for v in y)
    std = max(isqrt(var), 1) * 2**shift
    factor = floor(Fraction(2**reciprocal, std))
    return [floor(Fraction(v * factor, 2 ** (reciprocal - fraction))) for v in y]
