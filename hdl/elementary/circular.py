# SPDX-License-Identifier: BSD-2-Clause
"""Sine and cosine: the quarter of a turn that an angle is in, and a binade of how far."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from macaw.golden.formats import Float, Format

from ..arithmetic.divide import normalised
from ..arithmetic.number import Number
from ..arithmetic.shift import at_least, leading_zeros, shift_left
from ..schedule.scheduler import Scheduler
from ..schedule.table import lookup
from ..schedule.wire import cat
from .reductions import Argument, Normalised, Points, Reduction, precision_of, scale_of
from .turns import two_over_pi

__all__ = ["REDUCTIONS"]

_MOST_PLACES = 60
"""Of a fraction: with its quarter, an integer of 64 bits."""
_CLOSE = 20
"""Bits of a quarter that are looked at to see how near to its ends operands come."""


@dataclass(frozen=True, kw_only=True)
class Circular(Reduction):
    """``sin``, ``cos``: of the distance from the last multiple of a quarter, or from the next.

    The operand's significand times the bits of ``2/pi`` that its exponent leaves gives the quarter
    and a fraction of it; what is above a whole turn is never made. The fraction's binade is the
    region. Operands below ``2**lowest`` have results just below themselves, or below 1.

    Attributes
    ----------
    lowest : int
    kept : int
        Bits of the fraction behind its leading one.
    deepest : int
        The most zeros above the leading one of an operand's fraction.
    """

    lowest: int
    kept: int
    deepest: int

    @classmethod
    def settings(cls, name: str, a: Float, out: Format) -> Iterator[Reduction]:
        # x - x**3/6 < sin x < x, and 1 - x**2/2 < cos x < 1
        lowest = -(max(precision_of(out), a.precision) + 3) // 2
        deepest = _deepest(a, lowest)
        for more in range(2, 20, 2):
            for guard in (3, 5):
                found = cls(
                    name=name, a=a, out=out, guard=guard,
                    lowest=lowest, kept=precision_of(out) + more, deepest=deepest,
                )  # fmt: skip
                if found._places <= _MOST_PLACES:
                    yield found

    @property
    def digits(self) -> int:
        return max(super().digits, self.a.precision)

    @property
    def width(self) -> int:
        return self.kept

    @property
    def _places(self) -> int:
        """Bits of the fraction: its leading one, what is kept, and one for what is cut off."""
        return self.deepest + self.kept + 2 + self._cut

    @property
    def _cut(self) -> int:
        """Bits of the fraction that the factor's error reaches."""
        return self.a.precision

    @property
    def leading(self) -> tuple[int, int] | None:
        return self.digits + 1, 1

    @property
    def regions(self) -> int:
        return min(self.deepest, 1 - self.lowest) + 1

    @property
    def _up(self) -> int:
        """Places that a significand is moved up to stand for a result just below itself."""
        return self.digits + 2 - self.a.precision

    def points(self, x: Normalised) -> Points:
        significand, exponent = _raw(self.a, x)
        # Modulo 2**64, which the bits that are looked at do not see.
        product = significand * _factors(self._places, exponent)
        quarter = (product >> self._places) + (self.name == "cos")
        fraction = product & ((1 << self._places) - 1)
        fraction = np.where(quarter & 1, ~fraction & ((1 << self._places) - 1), fraction)
        # A float64 of the first bits has their exponent.
        top = np.frexp((fraction >> max(self._places - 50, 0)).astype(np.float64))[1]
        zeros = np.minimum(min(self._places, 50) - top, self.deepest)
        moved = fraction << zeros
        place = (moved >> (self._places - 1 - self.kept)) & ((1 << self.kept) - 1)
        region = np.minimum(zeros, self.regions - 1)
        low = exponent + self.a.mantissa < self.lowest
        sine = self.name == "sin"
        if sine:
            near = (x.significand << self._up) - 1
            last = x.exponent - self._up
        else:
            near = np.full(place.shape, (1 << (self.digits + 2)) - 1)
            last = np.full(place.shape, -self.digits - 2)
        negative = (quarter & 2 != 0) & ~low
        return Points(
            place=place + (region << self.kept),
            scale=scale_of(
                np.where(low, last, -1 - zeros - self.digits),
                np.ones_like(place),
                negative ^ (x.negative & sine),
            ),
            base=np.zeros_like(place),
            used=~low,
            instead=np.where(low, near, -1),
        )

    def argument(self, p: Scheduler, number: Number) -> Argument:
        sine = self.name == "sin"
        low = ~at_least(p, number.exponent, self.lowest - self.a.mantissa - number.offset)
        with p.scope("reduce"):
            exponents = np.arange(number.exponent.high + 1) + number.offset
            factors = _factors(self._places, np.maximum(exponents, self.lowest - self.a.mantissa))
            factor = lookup(p, number.exponent, factors.tolist())
            product = p.multiply(factor, number.significand).bits(self._places + 2)
            odd = product[self._places] if sine else ~product[self._places]
            half = product[self._places + 1]
            if not sine:
                # One quarter ahead.
                half = half ^ product[self._places]
            cut = self._places - 1 - self.kept - self.deepest
            fraction = p.name("fraction", product[cut : self._places] ^ odd)
        with p.scope("normalise"):
            if self.deepest:
                zeros = leading_zeros(p, fraction[self.kept :]).within(0, self.deepest)
                moved, _ = shift_left(p, fraction, zeros, self.kept + 1)
            else:
                zeros, moved = p.constant(0), fraction
        place = moved[: self.kept]
        last = self.regions - 1
        region = zeros
        if self.deepest > last:
            region = p.mux(at_least(p, zeros, last), p.constant(last, last.bit_length()), zeros)
            region = region.bits(last.bit_length())
        offset = -1 - self.digits
        exponent = p.subtract(0, zeros)
        if sine:
            # Subnormal operands are as their results.
            tiny = number
            if self._subnormals_low and not self._below_normal:
                tiny = normalised(p, number)
            below = p.subtract(tiny.significand, 1).bits(len(tiny.significand))
            near = cat(p.constant((1 << self._up) - 1, self._up), below)
            other = p.add(tiny.exponent, tiny.offset - self._up - offset)
        else:
            near = p.constant((1 << (self.digits + 2)) - 1)
            other = p.constant(-1)
        sign = half & ~low
        return Argument(
            place=p.name("place", cat(place, region) if len(region) else place),
            exponent=p.name("exponent", p.mux(low, other, exponent)),
            offset=offset,
            sticky=p.constant(1, 1),
            sign=sign ^ number.sign if sine else sign,
            instead=(low, near) if low.constant != 0 else None,
        )

    @property
    def _subnormals_low(self) -> bool:
        return self.a.emin < self.lowest


def _raw(a: Float, x: Normalised) -> tuple[np.ndarray, np.ndarray]:
    """(significands, exponents) as the codes have them: subnormal ones are not normalised."""
    exponent = np.maximum(x.exponent, a.quantum)
    return x.significand >> (exponent - x.exponent), exponent


def _factors(places: int, exponents: np.ndarray) -> np.ndarray:
    """``2**exponent * 2/pi`` modulo 4, in so many places: int64."""
    unique, index = np.unique(exponents, return_inverse=True)
    first = places + int(unique.max())
    word = two_over_pi(first)
    mask = (1 << (places + 2)) - 1
    factors = [(word >> (first - places - e)) & mask for e in unique.tolist()]
    return np.array(factors, np.int64)[index.reshape(exponents.shape)]


@functools.lru_cache(maxsize=64)
def _deepest(a: Float, lowest: int) -> int:
    """The most zeros above the leading one of a fraction, whichever end it is measured from."""
    places = a.precision + _CLOSE + 2
    exponents = np.arange(max(lowest - a.mantissa, a.quantum), a.emax - a.mantissa + 1)
    if not len(exponents):
        return 0
    first = 1 if exponents[0] == a.quantum else 1 << a.mantissa
    least = 1 << places
    for exponent, factor in zip(exponents, _factors(places, exponents), strict=True):
        significands = np.arange(
            first if exponent == exponents[0] else 1 << a.mantissa, 2 << a.mantissa
        )
        fraction = (significands * factor) & ((1 << places) - 1)
        least = min(least, int(fraction.min()), int(((1 << places) - 1 - fraction).min()))
    return places - least.bit_length()


REDUCTIONS: dict[str, type[Reduction]] = {"sin": Circular, "cos": Circular}
"""By function."""
