# SPDX-License-Identifier: BSD-2-Clause
"""Powers of e and 2, and what is made of one: a whole number and a fraction of powers of two."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from macaw.golden.formats import Fixed, Float, Format

from ..arithmetic.divide import normalised
from ..arithmetic.number import Number
from ..arithmetic.shift import at_least, shift_right
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .reductions import LN_2, Argument, Normalised, Points, Reduction, precision_of, scale_of, times

__all__ = ["REDUCTIONS"]


@dataclass(frozen=True, kw_only=True)
class Exponential(Reduction):
    """``exp``, ``exp2``: ``a * factor`` in fixed point, a whole part and a fraction of it.

    Attributes
    ----------
    fraction : int
        Bits of the fraction.
    """

    fraction: int

    @classmethod
    def settings(cls, name: str, a: Float, out: Format) -> Iterator[Reduction]:
        for more in range(2, 24, 2):
            for guard in (4, 6):
                yield cls(
                    name=name, a=a, out=out, guard=guard,
                    fraction=precision_of(out) + 3 + more,
                )  # fmt: skip

    @property
    def width(self) -> int:
        return self.fraction

    @property
    def bits(self) -> int:
        product = self.a.precision + self._cut + 1
        return max(super().bits, product, self._whole + self.fraction + 1)

    @property
    def _factor(self) -> Fraction:
        return Fraction(1) if self.name == "exp2" else 1 / LN_2

    @property
    def _cut(self) -> int:
        """Bits of the factor below the one that weighs 1."""
        return 0 if self.name == "exp2" else self.fraction + 3

    @property
    def _constant(self) -> int:
        return round(self._factor * (1 << self._cut))

    @property
    def _beyond(self) -> int:
        """From this power of two on, operands have results beyond the range, or none."""
        highest, lowest = _reach(self.out)
        need = max(highest + 1, 2 - lowest)
        return max(math.ceil(math.log2(need / float(self._factor))), 1)

    @property
    def _whole(self) -> int:
        """Bits of the whole part's magnitude."""
        return self._beyond + (self.name != "exp2")

    @property
    def _far(self) -> int:
        """Shifts to the right from which on nothing is left: results are beside a power of two."""
        return 1 << (self._beyond + precision_of(self.out)).bit_length()

    def _magnitudes(self, x: Normalised) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(magnitudes in fixed point, whether something is below, what is beyond)."""
        top = self.a.precision - 1
        beyond = x.exponent + top >= self._beyond
        gone = self._beyond - 1 - (x.exponent + top) >= self._far
        shift = np.where(beyond, 0, x.exponent - self._cut + self.fraction)
        product = x.significand * self._constant
        down = np.clip(-shift, 0, 63)
        found = (product << np.maximum(shift, 0)) >> down
        fell = ((product & ((np.int64(1) << down) - 1)) != 0) | gone
        whole = (1 << self._whole) - 1
        found = np.where(beyond, whole << self.fraction, np.where(gone, 0, found))
        return found, fell, beyond

    def points(self, x: Normalised) -> Points:
        found, fell, beyond = self._magnitudes(x)
        exact = self.name == "exp2"
        found = np.where(x.negative, -found if exact else ~found, found)
        if exact:
            # Below a negative number the next place counts.
            found = np.where(x.negative & fell, found - 1, found)
        place = found & ((1 << self.fraction) - 1)
        still = (place == 0) & ~fell & exact
        return Points(
            place=place,
            scale=scale_of((found >> self.fraction) - self.digits, 1 - still.astype(np.int64)),
            base=np.zeros_like(place),
            used=~beyond,
        )

    def argument(self, p: Scheduler, number: Number) -> Argument:
        word, fell = self._fixed(p, number)
        never = p.constant(0, 1)
        if self.name == "exp2":
            # -(word + fell) rounded down is the complement if something fell, else the negative.
            flipped = p.add(word ^ number.sign, number.sign & ~fell).bits(len(word) + 1)
            zero = ~word.any() & ~fell
            sign = number.sign & ~zero
            place = flipped[: self.fraction]
            sticky = place.any() | fell
        else:
            flipped, sign = word ^ number.sign, number.sign
            place = flipped[: self.fraction]
            sticky = p.constant(1, 1)
        whole = cat(flipped[self.fraction : self.fraction + self._whole], sign).as_signed()
        return Argument(
            place=p.name("place", place),
            exponent=p.name("whole", whole),
            offset=-self.digits,
            sticky=sticky,
            sign=never,
        )

    def _fixed(self, p: Scheduler, number: Number) -> tuple[Wire, Wire]:
        """(the magnitude in fixed point, whether something fell out of it)."""
        if number.quantum + self.a.precision - 1 >= self._beyond:
            # Of such large numbers only subnormal ones are not beyond, by their leading one.
            number = normalised(p, number)
        width = self._whole + self.fraction
        bias = number.offset + self.a.precision - 1
        with p.scope("reduce"):
            product = times(p, number.significand, self._constant)
            full = self.a.precision + self._cut + (self.name != "exp2")
            product = product.bits(full)
            beyond = at_least(p, number.exponent, self._beyond - bias)
            highest = self._beyond - 1 - bias
            amount = p.subtract(p.constant(highest), number.exponent)
            amount = amount.bits(max(highest.bit_length(), 1)).within(0, highest)
            gone = at_least(p, amount, self._far)
            near = amount.bits((self._far - 1).bit_length())
            word, fell = shift_right(p, product, near, width)
            word, fell = word & ~gone, fell | gone
            whole = word[self.fraction :] | beyond
            fraction = word[: self.fraction]
            word = p.name("product", cat(self._below(fraction, beyond), whole))
        return word, fell

    def _below(self, fraction: Wire, beyond: Wire) -> Wire:
        """The fraction, of which beyond the range nothing matters."""
        return fraction


def _reach(out: Format) -> tuple[int, int]:
    """Exponents above the largest and below the least number that rounding could see."""
    if isinstance(out, Float):
        return out.emax + 1, out.quantum - 2
    assert isinstance(out, Fixed)
    return out.width + 1, -out.fraction - 2


@dataclass(frozen=True, kw_only=True)
class Sigmoid(Exponential):
    """``2**-v / (1 + 2**-v)`` of ``v = |a| log2 e`` below zero, and its complement above.

    The whole part of v, up to ``most``, and the sign of the operand are the region.

    Attributes
    ----------
    most : int
    """

    most: int

    @classmethod
    def settings(cls, name: str, a: Float, out: Format) -> Iterator[Reduction]:
        for more in range(4, 24, 2):
            for bits in (4, 5):
                yield cls(
                    name=name, a=a, out=out, guard=4,
                    fraction=precision_of(out) + more, most=(1 << bits) - 1,
                )  # fmt: skip

    @property
    def leading(self) -> tuple[int, int] | None:
        return self.digits - 1, 1

    @property
    def _bits(self) -> int:
        return self.most.bit_length()

    def _below(self, fraction: Wire, beyond: Wire) -> Wire:
        # Above zero the last region goes on without an end.
        return fraction & ~beyond

    @property
    def regions(self) -> int:
        return 2 << self._bits

    def points(self, x: Normalised) -> Points:
        found, _, beyond = self._magnitudes(x)
        whole, place = found >> self.fraction, found & ((1 << self.fraction) - 1)
        region = np.minimum(whole, self.most) + (x.negative.astype(np.int64) << self._bits)
        return Points(
            place=place + (region << self.fraction),
            scale=scale_of(np.where(x.negative, -whole, 0) - self.digits, np.ones_like(place)),
            base=np.zeros_like(place),
            used=~(beyond & x.negative),
        )

    def argument(self, p: Scheduler, number: Number) -> Argument:
        word, _ = self._fixed(p, number)
        place, whole = word[: self.fraction], word[self.fraction :]
        far = at_least(p, whole, self.most)
        region = p.mux(far, p.constant(self.most, self._bits), whole.bits(self._bits))
        exponent = p.subtract(0, whole.bits(len(whole)) & number.sign)
        return Argument(
            place=p.name("place", cat(place, region, number.sign)),
            exponent=p.name("whole", exponent),
            offset=-self.digits,
            sticky=p.constant(1, 1),
            sign=p.constant(0, 1),
        )


REDUCTIONS: dict[str, type[Reduction]] = {
    "exp": Exponential,
    "exp2": Exponential,
    "sigmoid": Sigmoid,
}
"""By function."""
