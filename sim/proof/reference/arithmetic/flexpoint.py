# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for Flexpoint in fractions, to be checked by eye.

Koster et al., arXiv 1711.02213: values are ``mantissa * 2**exponent``; algorithms 1 and 2.
"""

import math
from fractions import Fraction

from .scalar import TWO, floor_log2, round_integer

DIGITS = 400
"""Bits of the square root in a prediction, below the last place of the variance."""


def mantissa(x, exponent, width, rounding="rne", word=0, bits=16):
    """The Fraction ``x`` in units of ``2**exponent``, rounded once and saturated."""
    scaled = Fraction(abs(x)) / TWO**exponent
    rounded = round_integer(scaled, lambda n: n % 2, x < 0, rounding, word, bits)
    signed = -rounded if x < 0 else rounded
    return min(max(signed, -(2 ** (width - 1))), 2 ** (width - 1) - 1)


def value(integer, exponent):
    """The number that a mantissa stands for."""
    return integer * TWO**exponent


def dot(a, a_exponent, b, b_exponent):
    """The exact sum of products of mantissas."""
    return sum(
        (value(x, a_exponent) * value(y, b_exponent) for x, y in zip(a, b, strict=True)),
        Fraction(0),
    )


def square_root(x):
    """The square root of a Fraction, to far below what float64 can tell."""
    return Fraction(math.isqrt(math.floor(x * 4**DIGITS)), 2**DIGITS)


def ceil_log2(x):
    """The least e with x <= 2**e."""
    return floor_log2(x) + (x > TWO ** floor_log2(x))


def predicted(history, exponent, width, profile, alpha, beta, gamma):
    """Exponent after a history of pairs (Gamma, exponent), before it is clamped."""
    f = [value(*pair) for pair in history]
    mean = sum(f) / len(f)
    deviation = square_root(sum((x - mean) ** 2 for x in f) / len(f))
    chi = Fraction(alpha) * (max(f) + Fraction(beta) * deviation + Fraction(gamma) * TWO**exponent)
    if chi == 0:
        return 0
    return ceil_log2(chi) - (width - 1) if profile == "paper" else floor_log2(chi) - (width - 2)


def adjusted(maxima, exponent, width, bits, profile, length, alpha, beta, gamma):
    """The exponents that a tensor is written with next, one for each of its ``maxima``."""
    history, result = [], []
    for maximum in maxima:
        if maximum >= 2 ** (width - 1) - 1:
            history, maximum = [], 2 * maximum
        history = [*history, (maximum, exponent)][-length:]
        exponent = predicted(history, exponent, width, profile, alpha, beta, gamma)
        exponent = min(max(exponent, 1 - 2**bits), 0)
        result.append(exponent)
    return result
