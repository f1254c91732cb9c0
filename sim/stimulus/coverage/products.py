# SPDX-License-Identifier: BSD-2-Clause
"""Products that no two significands have: why a result is never so near to another one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from macaw.golden.formats import Fixed, Float, Format

FEW = 15
"""Bits of the shorter significand of which every one is tried."""
WIDEST = 62


def longest(fmt: Format) -> int:
    """The largest significand, of a fixed point with a sign that of its least number."""
    if isinstance(fmt, Fixed):
        return -fmt.min_integer if fmt.signed else fmt.max_integer
    assert isinstance(fmt, Float)
    return (1 << fmt.precision) - 1


def no_product(unit: Any, span: Callable[[int], tuple[int, int]]) -> str:
    """Why no product of two significands is in a span, whatever their exponents.

    ``span`` says the least and the largest integer, in units of ``2**-n`` of a last place.
    """
    if unit.kind != "mul" or not all(isinstance(f, Fixed | Float) for f in (unit.a, unit.b)):
        return ""
    most, other = sorted((longest(unit.a), longest(unit.b)))
    if most.bit_length() > FEW or (most * other).bit_length() > WIDEST:
        return ""
    factors = np.arange(1, most + 1, dtype=np.int64)
    bits = (most * other).bit_length()
    low, high = span(0)
    # A product may end in more zeros than its significands have.
    spans = [(-(-low >> zeros), high >> zeros) for zeros in range(1, high.bit_length())]
    for low, high in (*spans, *map(span, range(bits + 1))):
        if low <= min(high, most * other):
            cofactor = np.minimum(high // factors, other)
            if (cofactor * factors >= low).any():
                return ""
    return "no two significands have such a product"


def length(fmt: Float) -> int:
    """Digits of the largest number, without the zeros that it ends in."""
    found = _significand(fmt)
    return (found // (found & -found)).bit_length()


def below_a_power(precision: int, finer: int) -> tuple[int, int]:
    """What is rounded up to a power of two by half a last place or less."""
    top = 1 << (precision + finer)
    return (top - (1 << finer) // 2 if finer else top), top - 1


def beyond_largest(fmt: Float, finer: int, low: int, high: int) -> tuple[int, int]:
    """What is above the largest number by halves of its last place: between two, or just one."""
    half, most = (1 << finer) / 2, _significand(fmt) << finer
    if low == high:
        return (most + int(low * half), most + int(low * half)) if finer else (1, 0)
    return most + math.floor(low * half) + 1, most + math.ceil(high * half) - 1


def _significand(fmt: Float) -> int:
    """That of the largest number."""
    return fmt.max_code & ((1 << fmt.mantissa) - 1) | 1 << fmt.mantissa
