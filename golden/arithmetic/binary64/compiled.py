# SPDX-License-Identifier: BSD-2-Clause
"""Exact sums of any float64 by compiled code, where numba is found (the extra ``fast``).

numpy is enough to be right, and has every sum without: by two-sums where those decide, by integers
elsewhere. Compiled, a Kulisch accumulator of 32-bit limbs decides all of them, in the same pass: it
gives the float64 that is the sum rounded to odd, which rounds on as the sum does
(:mod:`.rounding`). To compile takes seconds once, and to load what was compiled a part of one: so
it is done when so many sums were asked for that it pays.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

LEAST = 1 << 17
"""Sums before the kernel is made."""
_FIELD, _FRACTION, _HIDDEN = 0x7FF, (1 << 52) - 1, 1 << 52
_LIMB = (1 << 32) - 1
_BELOW = 2
"""Limbs of zero below the lowest, so that each limb that counts has two below it."""
_ABOVE = 5
"""Limbs that a term, a carry and a sign need above the one where it begins."""


class Compiled:
    """Compiled code, made when it was asked for often enough; None as long as there is none.

    Attributes
    ----------
    asked : int
        Results so far.
    made : callable or None
    """

    def __init__(self, function: Callable[..., None], types: str) -> None:
        self.asked, self._tried = 0, False
        self.made: Callable[..., None] | None = None
        self._source = function, types

    def least(self) -> int:
        """Results before it is made."""
        raise NotImplementedError

    def ready(self, count: int) -> bool:
        """Whether it is there, of which ``count`` results are to be asked."""
        if not self._tried:
            self.asked += count
            if self.asked >= self.least():
                self._tried, self.made = True, compiled(*self._source)
        return self.made is not None


class Sums(Compiled):
    """The kernel of exact sums."""

    def __init__(self) -> None:
        super().__init__(_sum, "void(f8[:,::1], i8[:,::1], i8, i8[::1], f8[::1], i8[::1])")

    def least(self) -> int:
        """Sums before it is made."""
        return LEAST

    def to_odd(self, terms: Sequence[np.ndarray], low: int, high: int) -> np.ndarray:
        """Return the sums of ``terms``, each of them n float64, rounded to odd.

        All are multiples of ``2**low`` or no numbers, and the sums are below ``2**high``; both are
        far inside the range of float64. Infinities and NaN add up as IEEE 754 has it; a sum of
        zero is +0, but for one of no other terms than -0.
        """
        assert self.made is not None
        rows = np.stack(terms, axis=-1)
        total = np.empty(len(rows))
        limbs = np.zeros(((high - low) >> 5) + _BELOW + _ABOVE, np.int64)
        self.made(rows, rows.view(np.int64), low, limbs, total, total.view(np.int64))
        return total


def compiled(function: Callable[..., None], types: str) -> Callable[..., None] | None:
    """Return a function compiled for ``types``; None where numba is not found, or fails."""
    try:
        numba: Any = importlib.import_module("numba")
        try:
            return numba.njit(types, cache=True, nogil=True)(function)
        except RuntimeError:  # no folder to keep it in
            return numba.njit(types, nogil=True)(function)
    except Exception:
        return None


def _sum(
    terms: np.ndarray,
    bits: np.ndarray,
    low: int,
    limbs: np.ndarray,
    total: np.ndarray,
    total_bits: np.ndarray,
) -> None:
    """Set ``total`` to the sums of rows; ``bits`` are the terms'. ``limbs`` are zero, and stay so.

    In plain Python, too, for numpy's integers of 64 bits.
    """
    rows, count = terms.shape
    for row in range(rows):
        first, last = len(limbs), -1
        finite, negative_zeros = True, True
        for lane in range(count):
            code = bits[row, lane]
            field, significand = (code >> 52) & _FIELD, code & _FRACTION
            if field == _FIELD:
                finite = False
                continue
            if field == 0 and significand == 0:
                negative_zeros = negative_zeros and code < 0
                continue
            negative_zeros = False
            if field == 0:
                field += 1
            else:
                significand |= _HIDDEN
            shift = field - 1075 - low
            if shift < 0:  # a multiple of 2**low: what goes is zero
                significand >>= -shift
                shift = 0
            at, up = (shift >> 5) + _BELOW, shift & 31
            lower, upper = (significand & _LIMB) << up, (significand >> 32) << up
            parts = lower & _LIMB, (lower >> 32) + (upper & _LIMB), upper >> 32
            sign = -1 if code < 0 else 1
            limbs[at] += sign * parts[0]
            limbs[at + 1] += sign * parts[1]
            limbs[at + 2] += sign * parts[2]
            first, last = min(first, at), max(last, at + 2)
        if not finite:
            value = terms[row, 0]
            for lane in range(1, count):
                value += terms[row, lane]
            total[row] = value
            for at in range(first, last + 1):
                limbs[at] = 0
            continue
        if last < 0:
            total[row] = -0.0 if negative_zeros else 0.0
            continue
        carry = 0
        for at in range(first, last + 1):
            carry += limbs[at]
            limbs[at] = carry & _LIMB
            carry >>= 32
        negative = carry < 0
        if negative:
            over = 1
            for at in range(first, last + 1):
                over += _LIMB - limbs[at]
                limbs[at] = over & _LIMB
                over >>= 32
            carry = -carry - 1 + over
        limbs[last + 1] = carry
        top = last + 1
        while top >= first and limbs[top] == 0:
            top -= 1
        if top < first:
            total[row] = 0.0
            continue
        head, length = limbs[top], 0
        while head >> length:
            length += 1
        # 53 bits from the top one on, of three limbs, and whether there is any other.
        significand = head << (53 - length)
        if length >= 21:
            significand |= limbs[top - 1] >> (length - 21)
            lost = limbs[top - 1] & ((1 << (length - 21)) - 1)
            lost |= limbs[top - 2]
        else:
            significand |= (limbs[top - 1] << (21 - length)) | (limbs[top - 2] >> (11 + length))
            lost = limbs[top - 2] & ((1 << (11 + length)) - 1)
        for at in range(first, top - 2):
            lost |= limbs[at]
        for at in range(first, last + 2):
            limbs[at] = 0
        exponent = 32 * (top - _BELOW) + low + length - 53
        code = (significand & _FRACTION) | ((exponent + 1075) << 52) | (lost != 0)
        total_bits[row] = -(1 << 63) | code if negative else code


SUMS = Sums()
