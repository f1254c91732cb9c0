# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for code books: values, and what numbers between them become, in fractions."""

import functools
import math
import re
from fractions import Fraction

INEXACT, OVERFLOW, INVALID = 1, 4, 8


def is_book(fmt):
    """Whether ``fmt`` is a code book."""
    return hasattr(fmt, "values")


def values(fmt):
    """The value of each code: of powers as the name says, of others as the book lists them."""
    return powers(fmt.name) or [
        "-0" if x == 0 and math.copysign(1, x) < 0 else Fraction(x) for x in fmt.values
    ]


@functools.cache
def powers(name):
    """Values of ``lns<w>.<f>[nozero]`` and ``nupes<w>a<power>``, None for other names."""
    if found := re.fullmatch(r"lns(\d+)\.(\d+)(nozero)?", name):
        width, fraction = int(found[1]), int(found[2])
        half, one = 1 << (width - 1), 2**fraction * (2 ** (width - 2 - fraction) - 1)
        sizes = [_single(Fraction(2), Fraction(m - one, 2**fraction)) for m in range(half)]
        sizes[0] = sizes[0] if found[3] else Fraction(0)
    elif found := re.fullmatch(r"nupes(\d+)a([\d.]+)", name):
        half = 1 << (int(found[1]) - 1)
        ratios = [Fraction(k, half - 1) for k in range(half)]
        sizes = [_single(ratio, Fraction(found[2])) for ratio in ratios]
    else:
        return None
    return [*sizes, *("-0" if size == 0 else -size for size in sizes)]


def _single(base, power):
    """The number of 24 significant bits nearest to ``base ** power``: by halving an interval."""
    if base == 0:
        return Fraction(0)
    exact = base**power.numerator
    low, exponent = 1 << 23, 0
    while (Fraction(2) ** exponent) ** power.denominator > exact:
        exponent -= 1
    while (Fraction(2) ** (exponent + 1)) ** power.denominator <= exact:
        exponent += 1
    ulp, high = Fraction(2) ** (exponent - 23), 1 << 24
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (middle, high) if (middle * ulp) ** power.denominator <= exact else (low, middle)
        )
    half = ((low + Fraction(1, 2)) * ulp) ** power.denominator
    return (high if half < exact or (half == exact and low % 2) else low) * ulp


def value(code, fmt):
    """Value of a code."""
    return values(fmt)[code]


def _numbers(fmt):
    """The values, -0 as 0."""
    return [Fraction(0) if x == "-0" else x for x in values(fmt)]


def field_exponent(code, fmt):
    """Exponent of the code's field: one for all where the values are a fixed point of 32 bits."""
    numbers = [abs(x) for x in _numbers(fmt)]
    top = _exponent(max(numbers))
    if all((x * Fraction(2) ** (31 - top)).denominator == 1 for x in numbers):
        return top
    return _exponent(numbers[code]) if numbers[code] else top


def _exponent(x):
    """Exponent of the top bit of a positive fraction."""
    n = 0
    while x >= 2:
        x, n = x / 2, n + 1
    while x < 1:
        x, n = x * 2, n - 1
    return n


def code_of(x, minus, fmt):
    """The first code whose value is ``x``; of zero the one of that sign, if there is one."""
    codes = [code for code, each in enumerate(_numbers(fmt)) if each == x]
    same = [code for code in codes if (value(code, fmt) == "-0") == (minus and x == 0)]
    return (same or codes)[0]


def project(x, fmt, rounding, invalid=False, becomes=None):
    """Code and flags of a value, which has been found ``invalid`` or not."""
    numbers = set(_numbers(fmt))
    low, high = min(numbers), max(numbers)
    if x in ("nan", "snan"):
        if becomes is not None and str(becomes) != "largest":
            return code_of(Fraction(0), str(becomes) == "negative_zero", fmt), INVALID
        return code_of(high, False, fmt), INVALID
    if x in ("inf", "-inf"):
        return code_of(high if x == "inf" else low, x == "-inf", fmt), INVALID
    minus = x == "-0" or (x != "-0" and x < 0)
    x = Fraction(0) if x == "-0" else x
    flags = INVALID if invalid else 0
    if x in numbers:
        return code_of(x, minus, fmt), flags
    if not low <= x <= high:
        return code_of(min(max(x, low), high), minus, fmt), flags | INEXACT | OVERFLOW
    below = max(each for each in numbers if each < x)
    above = min(each for each in numbers if each > x)
    odd = {each: code_of(each, minus, fmt) % 2 for each in (below, above)}

    def rather(wanted):
        """The one whose code is even or odd; if both are or none is, the one nearer to zero."""
        if odd[below] != odd[above]:
            return below if odd[below] == wanted else above
        if abs(below) != abs(above):
            return min(below, above, key=abs)
        return below if minus else above

    match rounding:
        case "rup":
            result = above
        case "rdn":
            result = below
        case "rtz" if below < 0 < above:
            result = below if minus else above
        case "rtz":
            result = above if minus else below
        case "rod":
            result = rather(1)
        case _:
            to_below, to_above = x - below, above - x
            if to_below != to_above:
                result = below if to_below < to_above else above
            elif below == -above:
                result = below if minus else above
            elif rounding == "rna":
                result = max(below, above, key=abs)
            else:
                result = rather(0)
    return code_of(result, minus, fmt), flags | INEXACT
