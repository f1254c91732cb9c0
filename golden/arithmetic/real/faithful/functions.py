# SPDX-License-Identifier: BSD-2-Clause
"""Elementary functions of floats of any width up to 32: steps in integers, and their error."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np

from ....errors import SpecError
from ....formats.scalar import Float, Format
from ...exact import Exact, bit_length
from ...exp2 import ln2
from ..powers import Power
from .circular import Circular
from .kernels import Kernel
from .steps import ROOM, Faithful, Word

__all__ = ["FUNCTIONS", "Faithful", "faithful"]

_MOST = 24
"""Digits of operands and results."""


class OfPowers(Faithful):
    """Those that a power of e or 2 is made for."""

    @property
    def power(self) -> Power:
        """What brings an operand into fixed point."""
        natural = self.name != "exp2"
        need = max(self.out.emax + 2, 3 - self.out.quantum) * (ln2() if natural else 1)
        reach = min(max(math.ceil(math.log2(need)), 1), max(self.a.emax + 1, 1))
        return Power(bits=self.bits, natural=natural, reach=reach)

    @property
    def significand(self) -> Kernel:
        """That of powers of two."""
        return Kernel(curve="power", bits=self.bits, width=self.bits)

    @property
    def widest(self) -> int:
        return self.a.precision + self.power.factor.bit_length()

    @property
    def _short(self) -> Fraction:
        """No less than the relative error of a power, in units of ``2**-bits``."""
        # y is short by less than a unit, and by less than an eighth through its factor.
        return self.significand.error + Fraction(9, 8) * Fraction(7, 10)

    def _of(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(m, n): the power of two is ``m * 2**(n - bits)``."""
        return self.significand(y & ((1 << self.bits) - 1)), y >> self.bits


class Exponential(OfPowers):
    """``exp``, ``exp2``: ``m * 2**(n - B)``.

    ``y = floor(|a| log2(base) * 2**B)`` with the sign of a is that of
    :class:`~..powers.Power`; n is its floor, and m the :class:`Kernel` ``power`` of what is
    above that, in B bits. It is below ``2**(B + 1)``: the last fraction's power is 1.38 units below
    that, and less than so many off.
    """

    @property
    def _relative(self) -> Fraction:
        return self._short

    def _word(self, x: Exact) -> Word:
        m, n = self._of(self.power.scaled(x))
        return Word(word=m, exponent=n - self.bits, negative=np.zeros(m.shape, bool))


class Sigmoid(OfPowers):
    """``p r`` below zero and ``r`` above, where p is ``e**-|a|`` and r is ``1 / (1 + p)``.

    p is ``m * 2**(n - B)`` as of :class:`Exponential`; r is the :class:`Kernel` ``reciprocal``, in
    ``B + 1`` bits, of p in B bits, rounded down and below 1.
    """

    @property
    def reciprocal(self) -> Kernel:
        """``1 / (1 + p)``."""
        return Kernel(curve="reciprocal", bits=self.bits + 1, width=self.bits)

    @property
    def _relative(self) -> Fraction:
        # r is above 1/2; 1 + p is off by that of p, and by a unit that is cut off.
        return self._short + (self._short + 1) + self.reciprocal.error

    def _parts(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(m, n, p in B bits, r) of ``e**-y``; y is not negative."""
        m, n = self._of(-y)
        p = np.minimum(m >> np.minimum(-n, 63), (1 << self.bits) - 1)
        return m, n, p, self.reciprocal(p)

    def _word(self, x: Exact) -> Word:
        y = self.power.scaled(replace(x, negative=np.zeros(x.shape, bool)))
        m, n, _, r = self._parts(y)
        word = np.where(x.negative, m, 1 << self.bits) * r
        exponent = np.where(x.negative, n, 0) - 2 * self.bits - 1
        return Word(word=word, exponent=exponent, negative=np.zeros(word.shape, bool))


class Tanh(Sigmoid):
    """``a h`` of magnitudes below 1/2, else ``(1 - p) / (1 + p)``, where p is ``e**(-2 |a|)``.

    h is the :class:`Kernel` ``tangent`` in B bits of ``2 |a|`` in B bits, rounded down; the rest is
    as of :class:`Sigmoid`.
    """

    @property
    def tangent(self) -> Kernel:
        """``tanh(f / 2) / (f / 2)``."""
        return Kernel(curve="tangent", bits=self.bits, width=self.bits)

    @property
    def _relative(self) -> Fraction:
        # p is below 3/8: of 1 - p, above 5/8, and of 1 + p; r is above 5/8.
        off = self._short * Fraction(3, 8) + 1
        large = off * Fraction(8, 5) + off + self.reciprocal.error * Fraction(8, 10)
        # h is above 12/13, and its slope below 1/6.
        small = (self.tangent.error + Fraction(1, 6)) * Fraction(13, 12)
        return max(large, small)

    def _word(self, x: Exact) -> Word:
        top = bit_length(x.significand).astype(np.int64) + x.exponent
        small = top < 0
        twice = replace(x, exponent=x.exponent + 1, negative=np.zeros(x.shape, bool))
        _, _, p, r = self._parts(self.power.scaled(twice))
        shift = np.clip(x.exponent + 1 + self.bits, -63, 63)
        place = x.significand.astype(np.int64) << np.maximum(np.where(small, shift, 0), 0)
        place = np.where(small, place >> np.maximum(-shift, 0), 0)
        h = self.tangent(place)
        word = np.where(small, x.significand.astype(np.int64) * h, ((1 << self.bits) - p) * r)
        exponent = np.where(small, x.exponent - self.bits, -2 * self.bits - 1)
        return Word(word=word, exponent=exponent, negative=x.negative)


class Reciprocal(Faithful):
    """``1 / a``: the :class:`Kernel` ``reciprocal`` of the fraction, in ``B + 1`` bits."""

    @property
    def kernel(self) -> Kernel:
        """Of the fraction behind the leading one."""
        return Kernel(curve="reciprocal", bits=self.bits + 1, width=self.a.mantissa)

    @property
    def _relative(self) -> Fraction:
        # In units of half of 2**-B, of words above 1/2.
        return self.kernel.error

    def _word(self, x: Exact) -> Word:
        fraction, exponent = self._normalised(x)
        return Word(
            word=self.kernel(fraction), exponent=-exponent - self.bits - 1, negative=x.negative
        )


class ReciprocalRoot(Faithful):
    """``1 / sqrt(a)``: the :class:`Kernel` ``root`` of the fraction, in ``B + 1`` bits.

    Its region 1 is that of odd exponents, whose significands count twice.
    """

    @property
    def kernel(self) -> Kernel:
        """Of the fraction behind the leading one."""
        return Kernel(curve="root", bits=self.bits + 1, width=self.a.mantissa)

    @property
    def _relative(self) -> Fraction:
        return self.kernel.error

    def _word(self, x: Exact) -> Word:
        fraction, exponent = self._normalised(x)
        word = self.kernel(fraction + ((exponent & 1) << self.a.mantissa))
        negative = np.zeros(word.shape, bool)
        return Word(word=word, exponent=-(exponent >> 1) - self.bits - 1, negative=negative)


class Logarithm(Faithful):
    """``log``, ``log2``: ``e log(2) + d g`` of ``a = m 2**e``, m from 3/4 to 3/2.

    d is ``m - 1``, exactly, and g the :class:`Kernel` ``log`` or ``log2`` in B bits: that of
    ``m - 1``, divided by it. log(2) has as many fraction bits as the product.
    """

    @property
    def kernel(self) -> Kernel:
        """Of the fraction behind the leading one."""
        return Kernel(curve=self.name, bits=self.bits, width=self.a.mantissa)

    @property
    def places(self) -> int:
        """Fraction bits of the sum."""
        return self.a.precision + self.bits

    @property
    def two(self) -> int:
        """The logarithm of 2 with these."""
        return round((ln2() if self.name == "log" else 1) * (1 << self.places))

    @property
    def _relative(self) -> Fraction:
        # g is above 4/5. Beside a whole part d is at most 1/2, and the sum above 2/5; its part of
        # log(2), of which half a unit is missing, is little to that.
        whole = (self.kernel.error / 2 + Fraction(1, 1 << self.a.precision)) * Fraction(5, 2)
        return max(self.kernel.error * Fraction(5, 4), whole)

    def _word(self, x: Exact) -> Word:
        fraction, exponent = self._normalised(x)
        upper = fraction >> (self.a.mantissa - 1)
        d = np.where(upper != 0, fraction - (1 << self.a.mantissa), 2 * fraction)
        word = (exponent + upper) * self.two + d * self.kernel(fraction)
        scale = np.full(word.shape, -self.places, np.int64)
        return Word(word=np.abs(word), exponent=scale, negative=word < 0)


FUNCTIONS: dict[str, type[Faithful]] = {
    "exp": Exponential,
    "exp2": Exponential,
    "log": Logarithm,
    "log2": Logarithm,
    "sin": Circular,
    "cos": Circular,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "reciprocal": Reciprocal,
    "rsqrt": ReciprocalRoot,
}
"""By name."""


def faithful(name: str, a: Float, out: Format) -> Faithful:
    """The steps of a function.

    Raises
    ------
    SpecError
        It has none for these formats.
    """
    if a.precision > _MOST:
        raise SpecError(f"a={a.name}: must have a precision of at most {_MOST}")
    if not isinstance(out, Float) or out.precision > _MOST:
        raise SpecError(
            f"out={out.name}: of an operand of more than 16 bits must be a float with a precision "
            f"of at most {_MOST}"
        )
    found = FUNCTIONS[name](name=name, a=a, out=out)
    if found.widest > ROOM:
        raise SpecError(
            f"out={out.name}: {name} of {a.name} has integers of {found.widest} bits on the way: "
            f"must be a format with which they have at most {ROOM}, of fewer digits or exponents"
        )
    return found
