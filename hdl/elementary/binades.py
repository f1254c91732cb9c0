# SPDX-License-Identifier: BSD-2-Clause
"""Functions of the fraction behind the leading one: a polynomial for each binade, or for all."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np

from macaw.golden.formats import Float, Format

from ..arithmetic.divide import normalised
from ..arithmetic.number import Number
from ..arithmetic.shift import at_least
from ..schedule.scheduler import Scheduler
from ..schedule.wire import cat
from .reductions import LN_2, Argument, Normalised, Points, Reduction, precision_of, scale_of, times

__all__ = ["REDUCTIONS"]


@dataclass(frozen=True, kw_only=True)
class ByBinade(Reduction):
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
class Reciprocal(ByBinade):
    """``1 / a``: half of 2 over the significand, which is in (1, 2]."""

    @property
    def leading(self) -> tuple[int, int] | None:
        return self.digits, 1

    def points(self, x: Normalised) -> Points:
        place, exponent = self._fractions(x)
        return Points(
            place=place,
            scale=scale_of(-exponent - self.digits, (place != 0).astype(np.int64), x.negative),
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
class ReciprocalRoot(ByBinade):
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
            scale=scale_of(
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
class Tanh(ByBinade):
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
        digits = max(precision_of(out), a.precision)
        lowest = -(digits + 2) // 2
        highest = math.ceil(math.log2((precision_of(out) + 3) * math.log(2) / 2))
        for guard in cls.guards:
            yield cls(
                name=name, a=a, out=out, guard=guard,
                lowest=lowest, highest=highest,
            )  # fmt: skip

    @property
    def digits(self) -> int:
        return max(super().digits, self.a.mantissa + 1)

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
            scale=scale_of(np.minimum(exponent, 0) - self.digits, np.ones_like(place), x.negative),
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
class Logarithm(ByBinade):
    """``log``, ``log2``: the exponent's part, and that of a significand from 3/4 to 3/2."""

    guards: ClassVar[tuple[int, ...]] = (3, 5, 8, 12)

    @property
    def digits(self) -> int:
        # Beside 1 a logarithm begins at the last place of the operand.
        return precision_of(self.out) + self.guard + self.a.mantissa

    @property
    def bits(self) -> int:
        return super().bits + self.a.exponent + self.a.mantissa.bit_length()

    @property
    def leading(self) -> tuple[int, int] | None:
        return None

    @property
    def _factor(self) -> Fraction:
        return Fraction(1) if self.name == "log2" else LN_2

    @property
    def _constant(self) -> int:
        return round(self._factor * (1 << self.digits))

    def points(self, x: Normalised) -> Points:
        place, exponent = self._fractions(x)
        exponent = exponent + (place >> (self.width - 1))
        exact = (place == 0) & ((exponent == 0) | (self.name == "log2"))
        return Points(
            place=place,
            scale=scale_of(
                np.full(place.shape, -self.digits, np.int64), 1 - exact.astype(np.int64)
            ),
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
    "tanh": Tanh,
    "reciprocal": Reciprocal,
    "rsqrt": ReciprocalRoot,
    "log": Logarithm,
    "log2": Logarithm,
}
"""By function."""
