# SPDX-License-Identifier: BSD-2-Clause
"""Smooth functions of a fraction in integers: a piecewise polynomial, and how far off it can be."""

from __future__ import annotations

import decimal
import functools
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from ..enclosures import pi

_DIGITS = 80
"""Of the decimals that coefficients are computed from."""
_TERMS = 40
"""Of a sine's series."""
_TAYLOR = Fraction(1, 4)
"""Last places that a piece's third derivative may make."""
_CUT = Fraction(1, 8)
"""Those that bits of the argument may make which the square leaves out."""

Series = Callable[[Decimal], tuple[Decimal, Decimal, Decimal]]
"""Value, slope, and half of the second derivative at a fraction."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """A function of a fraction f, in one or two regions.

    Attributes
    ----------
    name : str
    series : tuple of Series
        Of each region.
    bend : Fraction
        No less than half of the second derivative's magnitude.
    third : Fraction
        No less than the third derivative's magnitude.
    """

    name: str
    series: tuple[Series, ...]
    bend: Fraction
    third: Fraction


@dataclass(frozen=True, kw_only=True, slots=True)
class Kernel:
    """A curve in units of ``2**-bits``, of a fraction in units of ``2**-width``. Ours.

    The upper ``pieces`` bits of the fraction, above them the number of the region, select a
    polynomial of the others, t::

        r = (c0 + (c1 + (c2 * (t >> cut) >> drop)) * t) >> shift

    It is the Taylor polynomial in the middle of the piece. c0 (with half a unit of r added, and
    ``less`` units less), c1 and c2 are the nearest integers to its coefficients at ``t = 0`` times
    ``2**shift``, and c2 times ``2**(cut + drop)`` besides.

    Parameters
    ----------
    curve : str
        A name of :data:`CURVES`.
    bits, width, less : int
    """

    curve: str
    bits: int
    width: int
    less: int = 0

    @property
    def _curve(self) -> Curve:
        return CURVES[self.curve]

    @property
    def regions(self) -> int:
        """How many there are."""
        return len(self._curve.series)

    @property
    def pieces(self) -> int:
        """Bits of the fraction that number the pieces of a region, 1 at least."""
        found = 1
        while self._curve.third * Fraction(2) ** (self.bits - 3 * found) > 48 * _TAYLOR:
            found += 1
        return min(found, self.width)

    @property
    def rest(self) -> int:
        """Bits of t."""
        return self.width - self.pieces

    @property
    def shift(self) -> int:
        """Fraction bits of the polynomial."""
        return self.rest + 3

    @property
    def cut(self) -> int:
        """Bits of t that the square leaves out."""
        found = 0
        lost = self._curve.bend * Fraction(2) ** (self.bits - 2 * self.width + self.rest)
        while found < self.rest and lost * 2 ** (found + 1) <= _CUT:
            found += 1
        return found

    @property
    def drop(self) -> int:
        """Bits of the square's product that are left out."""
        return self.rest - self.cut

    @property
    def error(self) -> Fraction:
        """No less than the distance from the curve, in units of r.

        Of the rounding, the third derivative (``h**3 / 48`` of it with pieces of the width h), the
        bits cut off, those dropped, the coefficients' own rounding, and ``less``.
        """
        coefficients = Fraction(1, 2) * Fraction(1, 8) * 2 + Fraction(1, 1 << (self.shift + 1))
        taylor = self._curve.third * Fraction(2) ** (self.bits - 3 * self.pieces) / 48
        cut = self._curve.bend * Fraction(2) ** (self.bits - 2 * self.width + self.rest + self.cut)
        cut = cut if self.cut else Fraction(0)
        return self.less + Fraction(1, 2) + taylor + cut + Fraction(1, 8) + coefficients

    @property
    def coefficients(self) -> tuple[tuple[int, int, int], ...]:
        """(c0, c1, c2) of each piece."""
        return _coefficients(self)

    def __call__(self, place: np.ndarray) -> np.ndarray:
        """Return r of int64 fractions, with the number of the region above their bits."""
        c0, c1, c2 = _columns(self)
        piece, t = place >> self.rest, place & ((1 << self.rest) - 1)
        slope = c1[piece] + (c2[piece] * (t >> self.cut) >> self.drop)
        return (c0[piece] + slope * t) >> self.shift


@functools.cache
def _coefficients(kernel: Kernel) -> tuple[tuple[int, int, int], ...]:
    found = []
    with decimal.localcontext() as context:
        context.prec, context.rounding = _DIGITS, decimal.ROUND_HALF_EVEN
        half = Fraction(1 << kernel.rest, 2)
        count = 1 << kernel.pieces
        for series in kernel._curve.series:
            for piece in range(count):
                at = series(Decimal(2 * piece + 1) / (2 * count))
                # In units of r and of t, about the middle: a + b (t - half) + c (t - half)**2.
                unit = Fraction(2) ** kernel.bits
                place = Fraction(1, 1 << kernel.width)
                a, b, c = (Fraction(each) * unit * place**order for order, each in enumerate(at))
                c0 = a - half * b + half**2 * c + Fraction(1, 2) - kernel.less
                c1 = b - 2 * half * c
                one = 1 << kernel.shift
                c2 = round(c * one * (1 << (kernel.cut + kernel.drop)))
                found.append((round(c0 * one), round(c1 * one), c2))
    return tuple(found)


@functools.cache
def _columns(kernel: Kernel) -> tuple[np.ndarray, ...]:
    return tuple(np.array(c, np.int64) for c in zip(*kernel.coefficients, strict=True))


def _power(f: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    ln2 = Decimal(2).ln()
    value = (f * ln2).exp()
    return value, value * ln2, value * ln2 * ln2 / 2


def _reciprocal(f: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    value = 1 / (1 + f)
    return value, -(value**2), value**3


def _root(region: int) -> Series:
    def series(f: Decimal) -> tuple[Decimal, Decimal, Decimal]:
        value = 1 / ((1 + f) * (1 << region)).sqrt()
        slope = -value / (1 + f) / 2
        return value, slope, -3 * slope / (1 + f) / 4

    return series


def _logarithm(base: int | None) -> Series:
    def series(f: Decimal) -> tuple[Decimal, Decimal, Decimal]:
        step = 1 if 2 * f < 1 else Decimal(1) / 2
        m = 1 + f if step == 1 else (1 + f) / 2
        factor = 1 if base is None else 1 / Decimal(base).ln()
        value = m.ln() / (m - 1)
        slope = (1 / m - value) / (m - 1)
        second = (-1 / m**2 - 2 * slope) / (m - 1)
        return value * factor, slope * factor * step, second * factor * step * step / 2

    return series


def _tangent(f: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    x = f / 2
    less = (-f).exp()
    tangent = (1 - less) / (1 + less)
    value, square = tangent / x, 1 - tangent * tangent
    slope = (square - value) / x
    second = (-2 * tangent * square - 2 * slope) / x
    return value, slope / 2, second / 8


def _sine(f: Decimal) -> tuple[Decimal, Decimal, Decimal]:
    end = pi(_DIGITS)[0]
    half = Decimal(end.numerator) / Decimal(2 * end.denominator)
    value = slope = second = Decimal(0)
    # half - half**3 f / 3! + half**5 f**2 / 5! …, and its derivatives
    term = half
    for k in range(_TERMS):
        value += term * f**k
        slope += k * term * f ** max(k - 1, 0)
        second += k * (k - 1) * term * f ** max(k - 2, 0)
        term *= -(half**2) / ((2 * k + 2) * (2 * k + 3))
    return value, slope, second / 2


CURVES: dict[str, Curve] = {
    curve.name: curve
    for curve in (
        # 2**f: derivatives are powers of ln 2 < 0.6932 times at most 2.
        Curve(name="power", series=(_power,), bend=Fraction(1, 2), third=Fraction(2, 3)),
        # 1 / (1 + f)
        Curve(name="reciprocal", series=(_reciprocal,), bend=Fraction(1), third=Fraction(6)),
        # 1 / sqrt(1 + f), and of twice that
        Curve(
            name="root",
            series=(_root(0), _root(1)),
            bend=Fraction(3, 8),
            third=Fraction(15, 8),
        ),
        # ln(m) / (m - 1) of m = 1 + f, or half of it from 3/2 on. That is the integral of
        # 1 / (1 + s (m - 1)) over s from 0 to 1, whose derivatives are largest at m = 1.
        Curve(name="log", series=(_logarithm(None),), bend=Fraction(1, 3), third=Fraction(3, 2)),
        Curve(name="log2", series=(_logarithm(2),), bend=Fraction(1, 2), third=Fraction(13, 6)),
        # tanh(x) / x of x = f / 2: 1 - x**2/3 + 2 x**4/15 - 17 x**6/315 …, whose terms fall in
        # every derivative, so that none is beyond its first term.
        Curve(name="tangent", series=(_tangent,), bend=Fraction(1, 12), third=Fraction(1, 5)),
        # sin(pi/2 y) / y of f = y**2: pi/2 - (pi/2)**3 f / 6 + (pi/2)**5 f**2 / 120 …, whose terms
        # fall in every derivative.
        Curve(name="sine", series=(_sine,), bend=Fraction(2, 25), third=Fraction(1, 35)),
    )
}
"""By name."""
