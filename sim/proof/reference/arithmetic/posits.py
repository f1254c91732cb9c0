# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for posits: what a string of bits means, and the nearest string of a number.

Posit Standard (2022), 3.2 and 4.1. A number is rounded to nearest as its bit string is: half way
between two posits is the one of a bit more that stands between them.
"""

from fractions import Fraction
from functools import lru_cache

INEXACT, UNDERFLOW, OVERFLOW, INVALID = 1, 2, 4, 8


def is_posit(fmt):
    """Whether ``fmt`` is a posit."""
    return hasattr(fmt, "nar")


def value(code, fmt):
    """Value of a code."""
    return meaning(code, fmt.width, fmt.exponent)


@lru_cache(maxsize=1 << 18)
def meaning(code, width, exponent_bits):
    """Value of a code of ``width`` bits."""
    if code == 0:
        return Fraction(0)
    if code == 2 ** (width - 1):
        return "nan"
    sign = -1 if code > 2 ** (width - 1) else 1
    r, e, fraction, ulp = taken_apart(sign * code % 2**width, width, exponent_bits)
    return sign * (1 + Fraction(fraction, ulp)) * Fraction(2) ** (r * 2**exponent_bits + e)


def taken_apart(code, width, exponent_bits):
    """Regime, exponent, fraction and ``2**bits`` of the fraction, of a positive code."""
    digits = f"{code:0{width}b}"[1:]
    run = len(digits) - len(digits.lstrip(digits[0]))
    r = run - 1 if digits[0] == "1" else -run
    rest = digits[run + 1 :]
    # Bits that are not there are zeros.
    e = rest[:exponent_bits].ljust(exponent_bits, "0")
    fraction = rest[exponent_bits:]
    return r, int(e or "0", 2), int(fraction or "0", 2), 2 ** len(fraction)


def field_exponent(code, fmt):
    """Exponent of a code's leading one; of zero and NaR it does not matter."""
    code = min(code, 2**fmt.width - code)
    if code % 2 ** (fmt.width - 1) == 0:
        return 0
    r, e, _, _ = taken_apart(code, fmt.width, fmt.exponent)
    return r * 2**fmt.exponent + e


def project(x, fmt, rounding, invalid=False):
    """Code and flags of a value, which has been found ``invalid`` or not."""
    assert rounding == "rne"
    flags = INVALID if invalid else 0
    nar = 2 ** (fmt.width - 1)
    if x in ("nan", "snan"):
        return nar, flags | (INVALID if x == "snan" else 0)
    if x in ("inf", "-inf"):
        return nar, INVALID
    x = Fraction(0) if x == "-0" else x
    if x == 0:
        return 0, flags
    code, more = nearest(abs(x), fmt)
    return (code if x > 0 else 2**fmt.width - code), flags | more


def nearest(x, fmt):
    """Code and flags of a positive number."""
    least, largest = 1, 2 ** (fmt.width - 1) - 1
    if x < value(least, fmt):
        return least, INEXACT | UNDERFLOW
    if x > value(largest, fmt):
        return largest, INEXACT | OVERFLOW
    below, above = least, largest
    while below < above:
        middle = (below + above + 1) // 2
        if value(middle, fmt) <= x:
            below = middle
        else:
            above = middle - 1
    if value(below, fmt) == x:
        return below, 0
    half = meaning(2 * below + 1, fmt.width + 1, fmt.exponent)
    up = x > half or (x == half and below % 2 == 1)
    return below + up, INEXACT
