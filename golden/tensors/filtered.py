# SPDX-License-Identifier: BSD-2-Clause
"""Matrix products that float64 can decide: the code of an exact sum, from one that was rounded.

Where a product of two operands is exact in float64, the sum of K of them, in whatever order a
library adds, differs from the exact one by at most ``K * 2**-53`` times the sum of magnitudes, to
first order. If both ends of that interval have the same code, then so has the exact sum, for
every rounding is monotone. And where the terms are multiples of some power of two, and their
magnitudes add up to less than 2**53 times that, every partial sum is a float64: nothing was
rounded. What is not decided is left to the exact sum.
"""

from __future__ import annotations

import numpy as np

from ..formats.choices import Overflow, Rounding
from ..formats.scalar import FORMATS, Fixed, Float, Format

_DIGITS = 53
_RANGE = 480
"""Exponents of operands between which products and their sums stay in the range of float64."""


def product(
    a: np.ndarray,
    b: np.ndarray,
    out: Format,
    rounding: Rounding,
    overflow: Overflow | None,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the codes in ``out`` of ``a @ b.T`` and where they are decided.

    ``a`` (M, K) and ``b`` (N, K) are finite float64, with products of 53 bits or fewer. An exact
    sum of zero is +0, which the caller must want. None if the operands leave float64's range.
    """
    for array in (a, b):
        magnitude = np.abs(array)
        largest = magnitude.max(initial=0.0)
        least = np.min(magnitude, initial=1.0, where=magnitude > 0)
        if largest >= 2.0**_RANGE or least < 2.0**-_RANGE:
            return None
    total = a @ b.T
    # Twice what the products and sums of these magnitudes, themselves rounded, can be off by.
    bound = np.abs(a) @ np.abs(b).T
    last = _last_place(a)[:, None] + _last_place(b)
    exact = np.ldexp(bound, -last) < 2.0 ** (_DIGITS - 1)
    bound *= (a.shape[1] + 4) * 2.0 ** (1 - _DIGITS)
    bound[exact] = 0.0
    low, high = (_encode(total + side, out, rounding, overflow) for side in (-bound, bound))
    # Codes of two zeros: a sum of zeros only is exact, and +0.
    return low, (low == high) & ((bound == 0) | (total != 0))


def _last_place(rows: np.ndarray) -> np.ndarray:
    """Return for each row the exponent of a power of two that all of it are multiples of."""
    fraction, exponent = np.frexp(rows)
    integer = np.ldexp(fraction, _DIGITS).astype(np.int64)
    lowest = np.frexp((integer & -integer).astype(np.float64))[1]
    last = np.where(integer == 0, 0, exponent + lowest - 1 - _DIGITS)
    return last.min(axis=1, initial=0)


def _encode(
    values: np.ndarray, out: Format, rounding: Rounding, overflow: Overflow | None
) -> np.ndarray:
    values = values + 0.0  # no -0
    if out == FORMATS["fp32"] and rounding is Rounding.RNE and overflow is None:
        with np.errstate(over="ignore", under="ignore"):
            return values.astype(np.float32).view(np.uint32)
    return out.encode(values, rounding=rounding, overflow=overflow)


def significant_bits(element: Format, scale: Format | None) -> int:
    """Return bits that hold the significand of any element times its scale."""
    bits = element.width if isinstance(element, Fixed) else element.precision
    return bits + (scale.precision if isinstance(scale, Float) and scale.mantissa else 0)


def values(
    codes: np.ndarray,
    scales: np.ndarray | None,
    finite: np.ndarray,
    element: Format,
    scale: Format | None,
) -> np.ndarray:
    """Return elements times their scales as float64, (rows, K); 0 in rows that are not finite.

    ``codes`` are of shape (rows, steps, elements) and ``scales`` of (rows, steps, scales).
    """
    result = element.decode(codes)
    result[~finite] = 0.0
    if scales is not None and scale is not None:
        factors = scale.decode(scales)
        factors[~finite] = 0.0
        result *= np.repeat(factors, result.shape[-1] // factors.shape[-1], -1)
    return result.reshape(len(result), -1)
