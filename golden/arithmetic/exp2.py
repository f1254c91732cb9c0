# SPDX-License-Identifier: BSD-2-Clause
"""Powers of two in integers: a table of significands, and a short polynomial between its places."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..arrays import integers as integers_of
from ..errors import CodeError
from ..formats.checks import check_integer

MOST_BITS = 62
"""Of an integer operand, and of every value on the way, beside the sign."""

_PLACES = 6
"""Bits that a table is looked up by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exp2:
    """Constants of ``2**x`` for x with ``fraction`` bits below the point. Ours.

    x is split into its floor n and its fraction f. The significand m of ``2**x = m * 2**n`` has
    ``precision`` fraction bits. Where f has up to 6 bits it is looked up: the nearest number to
    ``2**f``. Else it is, with ``q = precision + 5`` and in units of ``2**-q``, the nearest (RNE) to
    ``t + floor(floor(t / 2**h) * g / 2**(q - h))``. The h = ``table_bits`` upper bits of f select
    t; g stands for the others:

    - Up to 12 bits: t and ``1 + g`` are the nearest to ``2**f`` of the upper and of the lower bits.
    - More: t is the nearest to ``2**f`` in the middle of those f that have its upper bits, d what f
      is above that middle, in units of x, and
      ``g = floor(d * (c1 + floor(d * c2 / 2**s)) / 2**s)``, where s is the number of lower bits.
      c1 and c2 are the nearest to ln 2 and to its square's half with q - h and q - 2 h fraction
      bits.

    A significand that rounds to 2 is 1, and n one more.

    Parameters
    ----------
    fraction : int
        0 to 32.
    precision : int
        4 to 24.
    """

    fraction: int
    precision: int = 15

    def __post_init__(self) -> None:
        check_integer("fraction", self.fraction, 0, 32)
        check_integer("precision", self.precision, 4, 24)

    @property
    def guarded(self) -> int:
        """Fraction bits q of the table and of the interpolation."""
        return self.precision + 5

    @property
    def direct(self) -> bool:
        """Whether the table has every significand."""
        return self.low_bits == 0

    @property
    def table_bits(self) -> int:
        """Upper bits of f that select a place of the table."""
        if self.fraction <= _PLACES:
            return self.fraction
        if self.tabulated:
            return (self.fraction + 1) // 2
        # The cubic term that is left out is then below 2**(1 - q).
        return max(-((3 - self.precision) // 3), 1)

    @property
    def low_bits(self) -> int:
        """Lower bits of f; 0 if the table has them all."""
        return self.fraction - self.table_bits

    @property
    def tabulated(self) -> bool:
        """Whether there is no polynomial."""
        return self.fraction <= 2 * _PLACES

    @property
    def table(self) -> tuple[int, ...]:
        """Significands, with ``precision`` or ``guarded`` fraction bits."""
        places = 1 << self.table_bits
        if self.direct:
            return powers(self.table_bits, 0, self.precision, places)
        return powers(self.table_bits, int(not self.tabulated), self.guarded, places)

    @property
    def steps(self) -> tuple[int, ...]:
        """Each g that is looked up, with ``guarded`` fraction bits."""
        found = powers(self.fraction, 0, self.guarded, 1 << self.low_bits)
        return tuple(power - (1 << self.guarded) for power in found)

    @property
    def linear(self) -> int:
        """c1."""
        return _nearest(ln2() * 2 ** (self.guarded - self.table_bits))

    @property
    def quadratic(self) -> int:
        """c2."""
        return _nearest(ln2() ** 2 / 2 * 2 ** (self.guarded - 2 * self.table_bits))

    def __call__(self, x: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return (significands with ``precision`` fraction bits, exponents), both int64."""
        x = integers("x", x, 1 << MOST_BITS)
        exponent = x >> self.fraction
        f = x & ((1 << self.fraction) - 1)
        low = self.low_bits
        m = np.array(self.table, np.int64)[f >> low]
        if not self.direct:
            high, cut = self.table_bits, self.guarded - self.precision
            d = f & ((1 << low) - 1)
            if self.tabulated:
                g = np.array(self.steps, np.int64)[d]
            else:
                d = d - (1 << (low - 1))
                g = (d * (self.linear + (d * self.quadratic >> low))) >> low
            m = m + ((m >> high) * g >> (self.guarded - high))
            m = (m + (1 << (cut - 1)) - 1 + (m >> cut & 1)) >> cut
        over = m >> (self.precision + 1)
        return m >> over, exponent + over


@dataclass(frozen=True, kw_only=True, slots=True)
class LogarithmOfE:
    """Constants that turn a natural exponent into one of two: ``y = RNE(x * log2(e))``. Ours.

    The logarithm has ``bits`` fraction bits and y has ``precision + 4``, so that the error of y,
    for x of ``integer`` bits above the point, is less than 0.6 units of its last place.
    """

    fraction: int
    integer: int
    precision: int

    @property
    def bits(self) -> int:
        """Fraction bits of the logarithm."""
        return self.precision + 5 + self.integer

    @property
    def factor(self) -> int:
        """The nearest to log2(e) with these fraction bits."""
        return _nearest(2**self.bits / ln2())

    @property
    def cut(self) -> int:
        """Bits of the product that are rounded away; zeros are appended where negative."""
        return self.fraction + self.bits - (self.precision + 4)

    @property
    def most(self) -> int:
        """Largest magnitude of x, in its last places, that no step overflows on."""
        return (1 << MOST_BITS) // self.factor

    def __call__(self, x: Any) -> np.ndarray:
        """Return y, with ``precision + 4`` fraction bits."""
        y = integers("x", x, self.most) * self.factor
        return (y + (1 << (self.cut - 1)) - 1 + (y >> self.cut & 1)) >> self.cut


def exp2(x: Any, *, fraction: int, precision: int = 15) -> tuple[np.ndarray, np.ndarray]:
    """Return ``2**(x * 2**-fraction)`` as significands and exponents: :class:`Exp2`.

    Parameters
    ----------
    x : array_like of int
        Below ``2**62`` in magnitude.
    fraction, precision : int
        Bits below the point of x, 0 to 32, and of the significands, 4 to 24.

    Returns
    -------
    significand, exponent : ndarray of int64
        The power is near ``significand * 2**(exponent - precision)``; significands are from
        ``2**precision`` to ``2**(precision + 1) - 1``.
    """
    return Exp2(fraction=fraction, precision=precision)(x)


def integers(name: str, values: Any, bound: int) -> np.ndarray:
    """Return ``values`` as int64; CodeError unless of integers, of magnitudes up to ``bound``."""
    array = integers_of(name, values)
    if array.size:
        low, high = int(array.min()), int(array.max())
        if max(-low, high) > bound:
            bad = low if -low > high else high
            raise CodeError(f"{name}: {bad}: must be from {-bound} to {bound}")
    return array.astype(np.int64)


def _nearest(value: Fraction) -> int:
    return round(value)


@functools.cache
def ln2() -> Fraction:
    """Return ln 2 with an error below 2**-200: twice the inverse hyperbolic tangent of a third."""
    return sum((Fraction(2, (2 * k + 1) * 3 ** (2 * k + 1)) for k in range(64)), Fraction(0))


@functools.cache
def powers(bits: int, half: int, fraction: int, count: int) -> tuple[int, ...]:
    """Return ``2**((k + half / 2) / 2**bits)`` for the first ``count`` k, to the nearest."""
    guard = 160
    roots = [2 << guard]  # of 2: each has half of the exponent of the one before
    for _ in range(bits + 1):
        roots.append(math.isqrt(roots[-1] << guard))
    result = []
    for k in range(count):
        exponent, power = 2 * k + half, 1 << guard
        for place, root in enumerate(reversed(roots)):
            if exponent >> place & 1:
                power = power * root >> guard
        result.append(((power >> (guard - fraction - 1)) + 1) >> 1)
    return tuple(result)
