# SPDX-License-Identifier: BSD-2-Clause
"""Powers of e and of two of floats, as a significand and an exponent that nothing bounds."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..exact import Exact, bit_length
from ..exp2 import ln2, powers

_GUARD = 128
"""Bits of the powers of two that coefficients are computed from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Significand:
    """``2**(f / 2**bits)`` of a fraction f, with ``bits`` fraction bits. Ours.

    The upper ``pieces`` bits of f select a polynomial of the others, t::

        m = (c0 + (c1 + (c2 * (t >> cut) >> drop)) * t) >> shift

    It is the Taylor polynomial in the middle of the piece. c0 (with half a last place of m added),
    c1 and c2 are the nearest integers to its coefficients at ``t = 0`` times ``2**shift``, and c2
    times ``2**(cut + drop)`` besides. m is from ``2**bits`` to ``2**(bits + 1) - 1``.

    Parameters
    ----------
    bits : int
        4 to 20.
    """

    bits: int

    @property
    def pieces(self) -> int:
        """Bits of f that number the pieces: what Taylor leaves out is below 1/9 of a last place."""
        return max(-((3 - self.bits) // 3), 1)

    @property
    def width(self) -> int:
        """Bits of t."""
        return self.bits - self.pieces

    @property
    def shift(self) -> int:
        """Fraction bits of the polynomial."""
        return self.width + 3

    @property
    def cut(self) -> int:
        """Bits of t that the square leaves out."""
        return max(self.width - 9, 0)

    @property
    def drop(self) -> int:
        """Bits of the square's product that are left out."""
        return self.pieces + 7 - self.cut

    @property
    def coefficients(self) -> tuple[tuple[int, int, int], ...]:
        """(c0, c1, c2) of each piece."""
        return _coefficients(self)

    def __call__(self, fraction: np.ndarray) -> np.ndarray:
        """Return the significands of int64 fractions, from 0 to ``2**bits - 1``."""
        c0, c1, c2 = (np.array(column, np.int64) for column in zip(*self.coefficients, strict=True))
        piece, t = fraction >> self.width, fraction & ((1 << self.width) - 1)
        slope = c1[piece] + (c2[piece] * (t >> self.cut) >> self.drop)
        return (c0[piece] + slope * t) >> self.shift


@functools.cache
def _coefficients(m: Significand) -> tuple[tuple[int, int, int], ...]:
    one, half = Fraction(1, 1 << _GUARD), 1 << (m.width - 1)
    slope = ln2() / (1 << m.bits)
    found = []
    for power in powers(m.pieces, 1, _GUARD, 1 << m.pieces):
        # In last places of m, about the middle: a + b (t - half) + c (t - half)**2.
        a = power * one * (1 << m.bits)
        b, c = a * slope, a * slope**2 / 2
        at_zero = (a - half * b + half**2 * c + Fraction(1, 2), b - 2 * half * c)
        c0, c1 = (round(value * (1 << m.shift)) for value in at_zero)
        found.append((c0, c1, round(c * (1 << (m.shift + m.cut + m.drop)))))
    return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Power:
    """``base**x`` of a float x: ``m * 2**(n - bits)``. Ours.

    ``|x|``, or ``2**reach`` where that is less, is multiplied with the nearest number to log2(base)
    of ``bits + reach + 2`` fraction bits, and brought to ``bits`` fraction bits, rounded toward
    zero. With the sign of x that is y: n is its floor, and m the :class:`Significand` of what is
    above that.

    Parameters
    ----------
    bits : int
        4 to 20.
    natural : bool
        Of the base e, else 2.
    reach : int
        1 to 16.
    """

    bits: int
    natural: bool
    reach: int

    @property
    def cut(self) -> int:
        """Fraction bits of the logarithm."""
        return self.bits + self.reach + 2

    @property
    def factor(self) -> int:
        """log2(base) with these."""
        return round((1 / ln2() if self.natural else 1) * (1 << self.cut))

    @property
    def most(self) -> int:
        """The largest magnitude of y, in its last places."""
        return (self.factor << self.reach) >> (self.cut - self.bits)

    @property
    def whole(self) -> int:
        """n is from ``-2**whole`` to ``2**whole - 1``; at least 3."""
        return max((self.most >> self.bits).bit_length(), 3)

    def scaled(self, x: Exact) -> np.ndarray:
        """Return y of finite numbers in its last places, int64; of others anything."""
        beyond = bit_length(x.significand) + x.exponent > self.reach
        product = x.significand * np.uint64(self.factor)
        right = np.clip(self.cut - self.bits - x.exponent, 0, 63).astype(np.uint64)
        magnitude = np.where(beyond, self.most, (product >> right).view(np.int64))
        return np.where(x.negative, -magnitude, magnitude)

    def __call__(self, x: Exact) -> tuple[np.ndarray, np.ndarray]:
        """Return (m, n) of finite numbers, int64; of others anything."""
        y = self.scaled(x)
        m = Significand(bits=self.bits)(y & ((1 << self.bits) - 1))
        return m, y >> self.bits
