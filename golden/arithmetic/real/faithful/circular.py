# SPDX-License-Identifier: BSD-2-Clause
"""Sine and cosine of wide floats: a quarter of a turn, and what is left of the angle."""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy as np

from ....formats.scalar import Float
from ...exact import Exact, bit_length
from ..enclosures import pi
from .kernels import Kernel
from .steps import Faithful, Word

__all__ = ["Circular"]

_LIMB = 32
_LIMBS = 3
"""Of a factor; they hold the fraction of any operand of 11 exponent bits and 24 digits."""
_MASK = np.uint64((1 << _LIMB) - 1)


class Circular(Faithful):
    """``sin``, ``cos``: the sine of the distance to a whole number of quarters of a turn.

    The operand, ``M * 2**e``, is multiplied by ``2/pi``: M times those bits of it that weigh 2 to
    ``2**-P`` after a shift by e. Above the point that is the quarter, modulo 4, and one more for a
    cosine; below it a fraction, in odd quarters with all its bits turned: g, from 0 to 1. y is g in
    ``B + 1`` bits rounded down, w its ``B + 1`` bits from the leading one, and ``w h`` the sine: h
    is the :class:`Kernel` ``sine`` in ``B + 1`` bits of ``y**2``, rounded down to as many.

    As h is never above the curve, no sine is above 1.

    An operand below ``2**lowest``, by its exponent, has a sine just below itself, and a cosine just
    below 1. Of all others g has at most ``deepest`` zeros above its leading one: of a number times
    ``2/pi`` the whole numbers are best approached by the convergents of a continued fraction, one
    for each exponent.
    """

    @property
    def lowest(self) -> int:
        """Operands are small below two to it: the square's half is less than half of ``2**-B``."""
        return -(self.bits // 2)

    @property
    def deepest(self) -> int:
        """The most zeros above the leading one of a fraction."""
        return _deepest(self.a, self.lowest)

    @property
    def places(self) -> int:
        """P."""
        return self.deepest + self.a.precision + self.bits + 1

    @property
    def kernel(self) -> Kernel:
        """``sin(pi/2 y) / y`` of the square of y, and no more than that."""
        # Of its error and of what is cut off the square, less than two units.
        return Kernel(curve="sine", bits=self.bits + 1, width=self.bits + 1, less=2)

    @property
    def leading(self) -> int:
        """Index of a word's leading one, or one above it."""
        return 2 * self.bits + 2

    @property
    def widest(self) -> int:
        """Bits of a word."""
        return self.leading + 1

    @property
    def _relative(self) -> Fraction:
        # Of 2/pi less than 2**-P is missing: of g less than 2**-B of it, and as much through w.
        # h is above 7/5 where g is below 1/2. Above that the sine grows slower than g, 4/5 of it.
        h = self.kernel.error / 2
        products = Fraction(1, 128)
        return max(2 + h * Fraction(5, 7), 2 * Fraction(4, 5) + h) + products

    def _word(self, x: Exact) -> Word:
        sine = self.name == "sin"
        exponent = np.asarray(x.exponent, np.int64)
        low = exponent + self.a.mantissa < self.lowest
        quarter, upper, lower = self._turned(x.significand, exponent)
        quarter = quarter + np.uint64(not sine)
        odd = np.where(quarter & 1, ~np.uint64(0), np.uint64(0))
        upper, lower = upper ^ odd, lower ^ odd
        zeros = np.minimum(63 - bit_length(upper >> np.uint64(1)), self.deepest)
        zeros = np.where(low, 0, zeros)
        left = zeros.astype(np.uint64)
        moved = (upper << left) | (lower >> (63 - left) >> np.uint64(1))
        kept = self.bits + 1
        w, y = ((each >> np.uint64(64 - kept)).astype(np.int64) for each in (moved, upper))
        word = w * self.kernel(y * y >> kept)
        if sine:
            fraction, first = self._normalised(x)
            up = self.leading + 1 - self.a.precision
            near = (((1 << self.a.mantissa) + fraction) << up) - 1
            last = first - self.a.mantissa - up
        else:
            near, last = (1 << self.leading) - 1, -self.leading
        negative = (quarter & 2 != 0) & ~low
        return Word(
            word=np.where(low, near, word),
            exponent=np.where(low, last, -zeros - 2 * kept),
            negative=negative ^ (x.negative & sine),
        )

    def _turned(
        self, significand: np.ndarray, exponent: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(the quarter, the upper 64 bits of the fraction, those below at the top of a word)."""
        least = self.lowest - self.a.mantissa
        factors = _factors(self.places, least, self.a.emax - self.a.mantissa)
        rows = factors[np.clip(exponent - least, 0, len(factors) - 1)]
        carry, limbs = np.uint64(0), []
        for limb in range(_LIMBS):
            product = significand * rows[..., limb] + carry
            carry = product >> np.uint64(_LIMB)
            limbs.append(product & _MASK)
        bottom, middle, top = limbs
        upper = (top << np.uint64(34)) | (middle << np.uint64(2)) | (bottom >> np.uint64(30))
        return top >> np.uint64(30), upper, bottom << np.uint64(34)


@functools.lru_cache(maxsize=64)
def _factors(places: int, low: int, high: int) -> np.ndarray:
    """Limbs of ``2**e * 2/pi`` modulo 4 for each e, the lowest first, in so many places."""
    high = max(low, high)
    word, below = _two_over_pi(places + high), _LIMB * _LIMBS - 2 - places
    found = []
    for exponent in range(low, high + 1):
        factor = ((word >> (high - exponent)) & ((4 << places) - 1)) << below
        found.append([(factor >> (_LIMB * limb)) & int(_MASK) for limb in range(_LIMBS)])
    return np.array(found, np.uint64)


@functools.lru_cache(maxsize=64)
def _two_over_pi(places: int) -> int:
    """The floor of ``2/pi * 2**places``."""
    digits = max(places, 0) // 3 + 20
    while True:
        low, high = (int(2 / end * Fraction(2) ** places) for end in pi(digits))
        if low == high:
            return low
        digits *= 2


@functools.lru_cache(maxsize=256)
def _deepest(a: Float, lowest: int) -> int:
    """The most zeros above the leading one of a fraction, whichever end it is measured from."""
    # The least operand: normal numbers below 2**lowest are none, subnormal ones follow them.
    deepest = max(-(a.quantum if a.emin >= lowest else lowest), 1)
    places = 2 * a.precision + 64
    first, last = max(1 - a.precision, a.quantum), a.emax - a.mantissa
    word = _two_over_pi(places + max(last, first))
    for exponent in range(first, last + 1):
        factor = (word >> (last - exponent)) & ((1 << places) - 1)
        # Less a bit, so that no error of a fraction moves its leading one.
        least = _nearest(factor, places, 1 << a.precision) * 255 >> 8
        deepest = max(deepest, places - least.bit_length())
    return deepest


def _nearest(factor: int, places: int, end: int) -> int:
    """The least distance of ``factor * m`` from a multiple of ``2**places``, 0 < m < end.

    It is that of the last convergent's denominator, and what Euclid has left there.
    """
    far, near = 1 << places, factor
    before, denominator = 0, 1
    while True:
        quotient, rest = divmod(far, near)
        following = quotient * denominator + before
        if following >= end:
            return near
        far, near, before, denominator = near, rest, denominator, following
