# SPDX-License-Identifier: BSD-2-Clause
"""What is left of an argument for a polynomial, and what its value is multiplied with.

Each reduction says it twice: in numpy for all operands, from which the coefficients are found, and
in gates. Where the two differ, the module is wrong, and its simulation with all operands finds it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from macaw.golden.formats import Fixed, Float, Format

from ..arithmetic.divide import normalised
from ..arithmetic.number import Number
from ..arithmetic.shift import at_least, shift_right
from ..schedule.scheduler import Scheduler
from ..schedule.table import lookup
from ..schedule.wire import Wire, cat
from .words import Scale

__all__ = ["REDUCTIONS", "Argument", "Points", "Reduction"]

_LN_2 = Fraction(20502116332347055, 29578301560405719)
"""The natural logarithm of 2, to 108 bits."""
_CHUNK = 4
"""Bits of a factor of a constant that cells of logic look up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Points:
    """Operands in numpy; arrays of one length.

    Attributes
    ----------
    place : ndarray of int64
        What the polynomial takes: the number of a region above the fraction.
    scale : Scale
        Of the value's word.
    base : ndarray of int64
        What is added to the polynomial.
    used : ndarray of bool
        False where the word does not matter.
    instead : ndarray of int64, optional
        Words that stand for the values where the polynomial's do not, -1 elsewhere.
    """

    place: np.ndarray
    scale: Scale
    base: np.ndarray
    used: np.ndarray
    instead: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Argument:
    """The same in gates.

    Attributes
    ----------
    place, sticky : Wire
    exponent : Wire
        ``last`` but for the constant ``offset``.
    offset : int
    sign : Wire
        Of the value, beside the word.
    base : Wire, optional
    instead : tuple of two Wires, optional
        Whether another word stands for the value, and that word.
    """

    place: Wire
    exponent: Wire
    offset: int
    sticky: Wire
    sign: Wire
    base: Wire | None = None
    instead: tuple[Wire, Wire] | None = None


@dataclass(frozen=True, kw_only=True)
class Reduction(ABC):
    """How the argument of one function is reduced.

    Attributes
    ----------
    name : str
        The function.
    a : Float
    out : Format
    guard : int
        Bits of a word below those of the result's precision.
    """

    name: str
    a: Float
    out: Format
    guard: int

    @classmethod
    @abstractmethod
    def settings(cls, name: str, a: Float, out: Format) -> Iterator[Reduction]:
        """Yield reductions of more and more digits."""

    @property
    def digits(self) -> int:
        """Bits of a word below the one that weighs 1."""
        return _precision(self.out) - 1 + self.guard

    @property
    @abstractmethod
    def width(self) -> int:
        """Bits of the fraction."""

    @property
    def bits(self) -> int:
        """Bits of the longest integer that stands for an operand or a value in numpy."""
        return self.digits + 2

    @property
    def regions(self) -> int:
        """How many regions there are."""
        return 1

    @property
    def leading(self) -> tuple[int, int] | None:
        """(index of the leading one of a word, how many places lower it may be)."""
        return self.digits, 0

    @abstractmethod
    def points(self, x: Normalised) -> Points:
        """The operands in numpy."""

    @abstractmethod
    def argument(self, p: Scheduler, number: Number) -> Argument:
        """The operand in gates, which is finite and not zero."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Normalised:
    """Finite operands that are not zero, in numpy: ``(-1)**negative * significand * 2**exponent``.

    The top bit of the significands, of the format's precision, is set.
    """

    significand: np.ndarray
    exponent: np.ndarray
    negative: np.ndarray


def _scale(last: np.ndarray, sticky: np.ndarray, negative: np.ndarray | bool = False) -> Scale:
    shape = last.shape
    return Scale(
        last=last,
        sticky=np.broadcast_to(sticky, shape).astype(np.int64),
        negative=np.broadcast_to(negative, shape),
    )


def _precision(fmt: Format) -> int:
    return fmt.precision if isinstance(fmt, Float) else fmt.width


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
                    fraction=_precision(out) + 3 + more,
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
        return Fraction(1) if self.name == "exp2" else 1 / _LN_2

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
        return 1 << (self._beyond + _precision(self.out)).bit_length()

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
            scale=_scale((found >> self.fraction) - self.digits, 1 - still.astype(np.int64)),
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


def times(p: Scheduler, word: Wire, constant: int) -> Wire:
    """A product with a constant, of a few bits of the other factor at a time."""
    if constant == 1:
        return word
    parts = []
    for first in range(0, len(word), _CHUNK):
        chunk = word[first : first + _CHUNK]
        table = [value * constant for value in range(1 << len(chunk))]
        parts.append(lookup(p, chunk, table).shifted_left(first))
    return p.sum(parts)


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
                    fraction=_precision(out) + more, most=(1 << bits) - 1,
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
            scale=_scale(np.where(x.negative, -whole, 0) - self.digits, np.ones_like(place)),
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


@dataclass(frozen=True, kw_only=True)
class _ByBinade(Reduction):
    """Those of the fraction behind the leading one."""

    guards: ClassVar[tuple[int, ...]] = (3, 4, 6, 8)

    @classmethod
    def settings(cls, name: str, a: Float, out: Format) -> Iterator[Reduction]:
        for guard in cls.guards:
            yield cls(name=name, a=a, out=out, guard=guard)

    @property
    def width(self) -> int:
        return self.a.mantissa

    def _fractions(self, x: Normalised) -> tuple[np.ndarray, np.ndarray]:
        """(fractions, exponents of the leading one)."""
        mask = (1 << self.a.mantissa) - 1
        return x.significand & mask, x.exponent + self.a.mantissa


@dataclass(frozen=True, kw_only=True)
class Reciprocal(_ByBinade):
    """``1 / a``: half of 2 over the significand, which is in (1, 2]."""

    @property
    def leading(self) -> tuple[int, int] | None:
        return self.digits, 1

    def points(self, x: Normalised) -> Points:
        place, exponent = self._fractions(x)
        return Points(
            place=place,
            scale=_scale(-exponent - self.digits, (place != 0).astype(np.int64), x.negative),
            base=np.zeros_like(place),
            used=np.ones(place.shape, bool),
        )

    def argument(self, p: Scheduler, number: Number) -> Argument:
        number = normalised(p, number)
        place = number.significand[: self.width]
        return Argument(
            place=place,
            exponent=p.subtract(0, number.exponent),
            offset=-number.offset - self.width - self.digits,
            sticky=place.any(),
            sign=number.sign,
        )


@dataclass(frozen=True, kw_only=True)
class ReciprocalRoot(_ByBinade):
    """``1 / sqrt a``: of the significand, or twice it where the exponent is odd."""

    @property
    def leading(self) -> tuple[int, int] | None:
        return self.digits, 1

    @property
    def regions(self) -> int:
        return 2

    def points(self, x: Normalised) -> Points:
        place, exponent = self._fractions(x)
        odd = exponent & 1
        return Points(
            place=place + (odd << self.width),
            scale=_scale(
                -(exponent >> 1) - self.digits, ((place != 0) | (odd != 0)).astype(np.int64)
            ),
            base=np.zeros_like(place),
            used=~x.negative,
        )

    def argument(self, p: Scheduler, number: Number) -> Argument:
        number = normalised(p, number)
        place = number.significand[: self.width]
        bias = number.offset + self.width
        field = p.add(number.exponent, bias & 1)
        odd, half = field[0], field[1:] if len(field) > 1 else p.constant(0)
        return Argument(
            place=p.name("place", cat(place, odd)),
            exponent=p.subtract(0, half),
            offset=-(bias >> 1) - self.digits,
            sticky=place.any() | odd,
            sign=p.constant(0, 1),
        )


@dataclass(frozen=True, kw_only=True)
class Tanh(_ByBinade):
    """``tanh a`` by binades; below the lowest of them it is the operand, but for a little.

    Attributes
    ----------
    lowest, highest : int
        Exponents; operands above have the same results as in the highest binade.
    """

    lowest: int
    highest: int

    @classmethod
    def settings(cls, name: str, a: Float, out: Format) -> Iterator[Reduction]:
        # x - x**3/3 < tanh x < x, and 1 - tanh x < 2 exp(-2x)
        digits = max(_precision(out), a.precision)
        lowest = -(digits + 2) // 2
        highest = math.ceil(math.log2((_precision(out) + 3) * math.log(2) / 2))
        for guard in cls.guards:
            yield cls(
                name=name, a=a, out=out, guard=guard,
                lowest=lowest, highest=highest,
            )  # fmt: skip

    @property
    def digits(self) -> int:
        return max(super().digits, self.a.mantissa + 1)

    @property
    def _below_normal(self) -> bool:
        """Whether results of the operands below the normal ones are none themselves."""
        return isinstance(self.out, Float) and self.out.emin >= self.a.emin

    @property
    def leading(self) -> tuple[int, int] | None:
        return self.digits, 1

    @property
    def regions(self) -> int:
        return self.highest - self.lowest + 1

    def points(self, x: Normalised) -> Points:
        place, exponent = self._fractions(x)
        region = np.clip(exponent, self.lowest, self.highest) - self.lowest
        low = exponent < self.lowest
        near = (x.significand << (self.digits - self.width)) - 1
        return Points(
            place=place + (region << self.width),
            scale=_scale(np.minimum(exponent, 0) - self.digits, np.ones_like(place), x.negative),
            base=np.zeros_like(place),
            used=~low,
            instead=np.where(low, near, -1),
        )

    def argument(self, p: Scheduler, number: Number) -> Argument:
        # Subnormal operands are no smaller than they look where their results are subnormal too.
        if self.a.emin > self.lowest or not self._below_normal:
            number = normalised(p, number)
        bias = number.offset + self.width
        field = number.exponent
        low = ~at_least(p, field, self.lowest - bias)
        high = at_least(p, field, self.highest - bias)
        count = (self.regions - 1).bit_length()
        region = p.subtract(field, self.lowest - bias).bits(count)
        region = p.mux(high, p.constant(self.regions - 1, count), region)
        one = at_least(p, field, -bias)
        exponent = p.mux(one, p.constant(-bias), field)
        # Just below the operand.
        up = self.digits - self.width
        word = p.subtract(number.significand, 1).bits(len(number.significand))
        return Argument(
            place=p.name("place", cat(number.significand[: self.width], region)),
            exponent=p.name("exponent", exponent),
            offset=bias - self.digits,
            sticky=p.constant(1, 1),
            sign=number.sign,
            instead=(low, cat(p.constant((1 << up) - 1, up), word)),
        )


@dataclass(frozen=True, kw_only=True)
class Logarithm(_ByBinade):
    """``log``, ``log2``: the exponent's part, and that of a significand from 3/4 to 3/2."""

    guards: ClassVar[tuple[int, ...]] = (3, 5, 8, 12)

    @property
    def digits(self) -> int:
        # Beside 1 a logarithm begins at the last place of the operand.
        return _precision(self.out) + self.guard + self.a.mantissa

    @property
    def bits(self) -> int:
        return super().bits + self.a.exponent + self.a.mantissa.bit_length()

    @property
    def leading(self) -> tuple[int, int] | None:
        return None

    @property
    def _factor(self) -> Fraction:
        return Fraction(1) if self.name == "log2" else _LN_2

    @property
    def _constant(self) -> int:
        return round(self._factor * (1 << self.digits))

    def points(self, x: Normalised) -> Points:
        place, exponent = self._fractions(x)
        exponent = exponent + (place >> (self.width - 1))
        exact = (place == 0) & ((exponent == 0) | (self.name == "log2"))
        return Points(
            place=place,
            scale=_scale(np.full(place.shape, -self.digits, np.int64), 1 - exact.astype(np.int64)),
            base=exponent * self._constant,
            used=~x.negative,
        )

    def argument(self, p: Scheduler, number: Number) -> Argument:
        number = normalised(p, number)
        place = number.significand[: self.width]
        exponent = p.add(number.exponent, number.offset + self.width, place[-1])
        if self.name == "log2":
            base = exponent.shifted_left(self.digits)
            sticky = place.any()
        else:
            bias = exponent.low
            raised = p.subtract(exponent, bias).within(0, exponent.high - bias)
            base = p.add(times(p, raised, self._constant), bias * self._constant)
            sticky = place.any() | exponent.any()
        never = p.constant(0, 1)
        return Argument(
            place=place,
            exponent=p.constant(0),
            offset=-self.digits,
            sticky=sticky,
            sign=never,
            base=p.name("base", base),
        )


REDUCTIONS: dict[str, type[Reduction]] = {
    "exp": Exponential,
    "exp2": Exponential,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "reciprocal": Reciprocal,
    "rsqrt": ReciprocalRoot,
    "log": Logarithm,
    "log2": Logarithm,
}
"""By function."""
