# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for the units of one operation: products, sums, quotients, roots, casts.

IEEE 754-2019; what macaw adds to it is in docs/arithmetic.md.
"""

import math
from fractions import Fraction

from .arithmetic.scalar import (
    TWO,
    direction,
    floor_log2,
    multiplied,
    negative,
    opposite,
    project,
    total,
    value,
)
from .arithmetic.statistics import element, told

KINDS = ("mul", "add", "fma", "cast", "div", "sqrt", "relu")
DIVIDE_BY_ZERO = 16
INFINITE, ZERO = ("inf", "-inf"), (0, "-0")
PLACES = 200


def quotient(a, b):
    """``a / b``, whether that is invalid, and whether a number is divided by zero."""
    if "snan" in (a, b) or "nan" in (a, b):
        return "nan", "snan" in (a, b), False
    sign = negative(a) != negative(b)
    infinite, zero = ([x in pair or x == pair[0] for x in (a, b)] for pair in (INFINITE, ZERO))
    if all(infinite) or all(zero):
        return "nan", True, False
    if infinite[0] or zero[1]:
        return "-inf" if sign else "inf", False, not infinite[0]
    if infinite[1] or zero[0]:
        return "-0" if sign else Fraction(0), False, False
    return a / b, False, False


def root(x):
    """Square root, and whether it is invalid: of irrational ones a fraction just below it."""
    if isinstance(x, str) or x <= 0:
        if x in ("-0", "inf", "nan") or x == 0:
            return x, False
        return "nan", True
    scale = TWO ** (2 * PLACES - 2 * (floor_log2(x) // 2))
    whole = math.isqrt(math.floor(x * scale))
    exact = whole * whole == x * scale
    # Between two neighbours of so many bits no format has a number, nor a half of two.
    return (whole + (0 if exact else Fraction(1, 3))) / TWO ** (PLACES - floor_log2(x) // 2), False


def rectified(x, slope):
    """A number or what is none; below zero times ``slope``."""
    if x in ("nan", "snan") or not negative(x):
        return x
    if not slope:
        return Fraction(0)
    return x if isinstance(x, str) else x * slope


def operation(spec, **codes):
    """Code and flags of one operation."""
    return judged(spec, **codes)[:2]


def judged(spec, **codes):
    """Code, flags and the exact value of one operation."""
    rounding, word = direction(spec, codes)
    down, invalid = rounding == "rdn", False
    a = value(codes["a"], spec.a)
    pole = False
    if spec.kind == "cast":
        x = a
    elif spec.kind == "relu":
        x = rectified(a, Fraction(spec.slope))
    elif spec.kind == "sqrt":
        x, invalid = root(a)
    elif spec.kind == "div":
        x, invalid, pole = quotient(a, value(codes["b"], spec.b))
    elif spec.kind == "mul":
        x, invalid, _ = multiplied(a, value(codes["b"], spec.b), spec)
    elif spec.kind == "add":
        b = value(codes["b"], spec.b)
        x, invalid = total([a, opposite(b) if spec.subtract else b], down)
    else:
        x, bad, _ = multiplied(a, value(codes["b"], spec.b), spec)
        x, invalid = total([x, value(codes["c"], spec.c)], down)
        invalid |= bad
    overflow = spec.overflow and str(spec.overflow)
    before = str(spec.tininess) == "before"
    found = project(
        x, spec.out, rounding, overflow, word, spec.random_bits, invalid, spec.nan, before
    )
    return found[0], found[1] | DIVIDE_BY_ZERO * pole, x


def evaluate(spec, beats):
    """The results of each beat, by name."""
    found = [judged(spec, **{n: c for n, c in beat.items() if n != "end"}) for beat in beats]
    results = [{"r": r, "flags": flags} if spec.flags else {"r": r} for r, flags, _ in found]
    if not spec.statistics:
        return results
    elements = [[element(spec, *each)] for each in found]
    counts = told(spec, elements, [beat["end"] for beat in beats])
    return [result | each for result, each in zip(results, counts, strict=True)]
