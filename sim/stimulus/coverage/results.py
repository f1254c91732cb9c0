# SPDX-License-Identifier: BSD-2-Clause
"""Bins of results in a float: which there are, where exact values lie among them, and its ends."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.formats.choices import Overflow, Rounding
from macaw.golden.units import Operand

from .bins import Bin
from .products import below_a_power, beyond_largest, length, no_product
from .reach import Reach, at_least, at_most, power, reason_of
from .values import Place, extremes, lacks

NEAR = 8
"""A value is beside a tie if it lies within ``2**-NEAR`` of half a last place from it."""


class Results:
    """Bins of a unit that rounds one exact value to a float. Hits are asked of what has ``place``.

    Attributes
    ----------
    unit : Unit
    out : Float
    numbers : dict of str to Operand
        Those that the value is made of.
    added : Format or None
        Of an addend; None where there is none, or nothing but products.
    reach : Reach
        What exact values there are.
    begins : bool
        Whether the value is added to a positive zero.
    """

    unit: Any
    out: Float
    numbers: dict[str, Operand]
    begins = False

    @property
    def added(self) -> Format | None:
        """The format of an addend."""
        raise NotImplementedError

    @property
    def reach(self) -> Reach:
        """Of the exact results."""
        raise NotImplementedError

    def lacking(self, name: str, wanted: str) -> str:
        """Why an operand is of no such class."""
        return lacks(self.numbers[name].format, wanted)

    def rounded(self) -> Iterator[Bin]:
        """All of them."""
        yield from self._results()
        yield from self._rounding()
        yield from self._ends()

    def _results(self) -> Iterator[Bin]:
        fmt, reach = self.out, self.reach
        tiny = Fraction(2) ** fmt.emin
        small = reason_of(
            (lacks(fmt, "subnormal"), True), (at_least(reach.least), reach.least > tiny)
        )
        least, _ = extremes(fmt)
        negative = self._nonnegative()
        below = (at_least(reach.least), reach.least >= 2 * tiny)
        largest = (at_most(reach.largest), reach.largest < Fraction(fmt.max))
        zero = reason_of((lacks(fmt, "zero"), True))
        wanted: list[tuple[str, str, Callable[[Place], np.ndarray], str]] = [
            ("+0", "", lambda p: (p.kind == 0) & ~p.negative, zero),
            ("-0", "", lambda p: (p.kind == 0) & p.negative, self._no_negative_zero()),
            ("subnormal", "", lambda p: p.kind == 1, small),
            (
                "least",
                "the least number above zero",
                lambda p: (p.kind != 0) & (p.magnitude == fmt.min_code) & p.finite,
                reason_of((at_least(reach.least), reach.least >= 2 * least)),
            ),
            (
                "largest subnormal",
                "",
                lambda p: (p.kind == 1) & (p.magnitude == (1 << fmt.mantissa) - 1),
                small or self._last(0) or self._short(fmt.mantissa),
            ),
            (
                "least normal",
                "",
                lambda p: (p.kind == 2) & (p.magnitude == max(fmt.min_code, 1 << fmt.mantissa)),
                reason_of(below),
            ),
            ("negative", "", lambda p: (p.kind == 2) & p.negative, negative),
            (
                "largest",
                "the largest number, of either sign",
                lambda p: (p.kind == 2) & (p.magnitude == fmt.max_code) & p.finite,
                reason_of(largest) or (self._short(length(fmt)) if self._to_infinity() else ""),
            ),
            ("infinity", "", lambda p: p.kind == 3, self._without("infinity")),
            ("NaN", "", lambda p: p.kind == 4, self._without("NaN")),
        ]
        for name, meaning, hits, reason in wanted:
            yield Bin(
                name=f"result/{name}", meaning=meaning or name, hits=_of_place(hits), reason=reason
            )

    def _no_negative_zero(self) -> str:
        """Why no result is a negative zero."""
        fmt, unit = self.out, self.unit
        if not fmt.negative_zero:
            return f"{fmt.name} has no negative zero"
        if self.begins and unit.rounding is not Rounding.RDN:
            small = self.reach.least <= extremes(fmt)[0] / 2
            return self._nonnegative() if small else "a sum begins with +0"
        signs = [isinstance(o.format, Fixed) for o in self.numbers.values()]
        if unit.kind == "sqrt":
            return ""
        if unit.kind in ("cast", "add") and any(signs):
            small = unit.kind == "cast" or self.reach.least >= extremes(fmt)[0]
            return "integers have no negative zero" if small else ""
        return self._nonnegative()

    def _nonnegative(self) -> str:
        if not self.out.signed:
            return f"{self.out.name} has no sign"
        if self.unit.kind == "sqrt":
            return "a root is not negative"
        signed = any(o.format.signed for o in self.numbers.values())
        return "" if signed or getattr(self.unit, "subtract", False) else "no operand has a sign"

    def _without(self, wanted: str) -> str:
        """Why there is no such special result."""
        if found := lacks(self.out, wanted):
            return found
        infinite = any(not self.lacking(name, "infinity") for name in self.numbers)
        if wanted == "infinity":
            saturates = self.unit.overflow in (Overflow.SATURATE,)
            if saturates:
                return "overflow=saturate: results are finite"
            beyond = self.reach.largest >= Fraction(self.out.max) or self.unit.kind == "div"
            return "" if infinite or beyond else at_most(self.reach.largest)
        made = self.unit.kind == "div" or (self.unit.kind == "sqrt" and self.unit.a.signed)
        if made or any(not self.lacking(name, "NaN") for name in self.numbers):
            return ""
        several = infinite and len(self.numbers) > 1
        return "" if several else "no operand is a NaN"

    def _rounding(self) -> Iterator[Bin]:
        """Where the exact value lies between its neighbours, among normal and subnormal numbers."""
        fmt, reach = self.out, self.reach
        tiny = Fraction(2) ** fmt.emin
        one, two = self._digits(1), self._digits(2)
        near = self._digits(NEAR + 2) or self._apart()
        theorem = self._no_ties()
        normal: list[tuple[str, str, Callable[[Place], np.ndarray], str]] = [
            ("exact", "nothing is cut off", lambda p: p.rest == 0, ""),
            ("below a tie", "less than half", lambda p: (p.rest > 0) & (p.rest < p.half), two),
            ("tie, even", "half, behind an even digit", _tie(0), theorem or one),
            ("tie, odd", "half, behind an odd digit", _tie(1), theorem or one),
            ("above a tie", "more than half", lambda p: p.rest > p.half, two),
            ("just below a tie", f"within 2^-{NEAR} of half", _beside(-1), near),
            ("just above a tie", f"within 2^-{NEAR} of half", _beside(1), near),
            (
                "carry",
                "a carry of rounding changes the exponent",
                _carry,
                one or self._no_carry() or self._no_step() or self._no_carry_of_products(),
            ),
        ]
        for name, meaning, hits, reason in normal:
            yield Bin(
                name=f"rounding/{name}",
                meaning=meaning,
                hits=_of_place(_among(hits, below=False)),
                reason=reason,
            )
        none = reason_of(
            (lacks(fmt, "subnormal"), True), (at_least(reach.least), reach.least >= tiny)
        )
        half = none or self._last(1)
        quarter = none or self._last(2)
        few = reason_of((f"{fmt.name} has no even subnormals", fmt.mantissa < 2))
        small: list[tuple[str, str, Callable[[Place], np.ndarray], str]] = [
            ("exact", "nothing is cut off", lambda p: p.rest == 0, none),
            ("below a tie", "less than half", lambda p: (p.rest > 0) & (p.rest < p.half), quarter),
            ("tie, even", "half, behind an even digit", _tie(0, zero=False), half or few),
            ("tie, odd", "half, behind an odd digit", _tie(1), half),
            ("above a tie", "more than half", lambda p: p.rest > p.half, quarter),
            (
                "to normal",
                "a carry of rounding makes it normal",
                _becomes_normal,
                half or self._no_step() or self._short(fmt.mantissa + 1),
            ),
        ]
        for name, meaning, hits, reason in small:
            yield Bin(
                name=f"subnormal/{name}",
                meaning=meaning,
                hits=_of_place(_among(hits, below=True)),
                reason=reason,
            )

    def _digits(self, more: int) -> str:
        """Why no exact value has so many digits more than a result has."""
        most, bits = self.out.precision, self.reach.bits
        if not self.reach.endless:
            bits = min(bits, power(Fraction(self.out.max)) + 1 - self.reach.low)
        return reason_of((f"values have at most {bits} digits", bits < most + more))

    def _last(self, more: int) -> str:
        """Why no digit stands so many places behind the last of all results."""
        low = self.reach.low
        text = f"values are multiples of 2^{low}"
        return reason_of((text, not self.reach.endless and low > self.out.quantum - more))

    def _no_ties(self) -> str:
        """Why quotients and roots are no ties."""
        unit, p = self.unit, self.out.precision
        if unit.kind == "div" and unit.a.precision <= p:
            return f"a quotient of {p + 1} digits has a dividend of as many"
        if unit.kind == "sqrt" and unit.a.precision <= 2 * p:
            return f"a root of {p + 1} digits has a square of {2 * p + 1} or more"
        return ""

    def _apart(self) -> str:
        """Why quotients are not near to ties."""
        unit = self.unit
        few = unit.kind == "div" and max(unit.a.precision, unit.b.precision) <= NEAR
        return "a quotient is away from a tie by its share of the divisor" if few else ""

    def _no_carry(self) -> str:
        """Why no quotient or root lies between the last significand and a power of two."""
        unit, p = self.unit, self.out.precision
        if unit.kind == "div" and unit.b.precision <= p:
            return "a quotient is a power of two, or away from it by its share of the divisor"
        nearest = unit.rounding in (Rounding.RNE, Rounding.RNA)
        if unit.kind == "sqrt" and nearest and unit.a.precision <= p:
            return "a root just below a power of two is nearer to the number below"
        return ""

    def _no_step(self) -> str:
        """Why no rounding goes up to a power of two."""
        if self.unit.rounding is Rounding.RTZ:
            return "rtz goes up to no number"
        if self.unit.rounding is Rounding.ROD and self.out.mantissa:
            return "rod goes up to odd digits"
        return ""

    def _no_carry_of_products(self) -> str:
        """Why no product is just below a power of two."""
        return no_product(self.unit, lambda finer: below_a_power(self.out.precision, finer))

    def _to_infinity(self) -> bool:
        """Whether no larger value becomes the largest number."""
        nearest = self.unit.rounding in (Rounding.RNE, Rounding.RNA)
        return nearest and self.out.has_inf and self.unit.overflow is not Overflow.SATURATE

    def _short(self, digits: int) -> str:
        """Why no exact value has so many digits, of units in which nothing is added up."""
        bits = self.reach.bits
        exact = self.added is None and not self.begins and not self.reach.endless
        return reason_of((f"values have at most {bits} digits", exact and bits < digits))

    def _ends(self) -> Iterator[Bin]:
        """Overflow and underflow, on either side of their thresholds."""
        fmt, reach = self.out, self.reach
        largest, last = Fraction(fmt.max), Fraction(2) ** (fmt.emax - fmt.mantissa)
        under = (at_most(reach.largest), reach.largest <= largest)
        coarse = self._coarse(fmt.emax - fmt.mantissa)
        least, _ = extremes(fmt)
        tie = self._no_ties()
        full = (fmt.max_code + 1) & ((1 << fmt.mantissa) - 1) == 0
        text = at_least(reach.least)
        beyond = functools.partial(beyond_largest, fmt)
        wanted: list[tuple[str, str, Callable[[Place], np.ndarray], str]] = [
            (
                "below threshold",
                "above the largest number by less than half of its last place",
                lambda p: (p.cut == fmt.max_code) & (p.rest > 0) & (p.rest < p.half),
                reason_of(under)
                or coarse
                or self._digits(2)
                or (self._no_carry() if full else "")
                or no_product(self.unit, lambda finer: beyond(finer, 0, 1)),
            ),
            (
                "threshold",
                "above it by just half of its last place",
                lambda p: (p.cut == fmt.max_code) & (p.rest == p.half),
                reason_of((at_most(reach.largest), reach.largest < largest + last / 2))
                or coarse
                or tie
                or self._digits(1)
                or no_product(self.unit, lambda finer: beyond(finer, 1, 1)),
            ),
            (
                "above threshold",
                "above it by more, up to twice its last place",
                lambda p: (
                    ((p.cut == fmt.max_code) & (p.rest > p.half)) | (p.cut == fmt.max_code + 1)
                ),
                reason_of((at_most(reach.largest), reach.largest <= largest + last / 2))
                or no_product(self.unit, lambda finer: beyond(finer, 1, 4)),
            ),
            (
                "far",
                "at least twice the power of two of the largest number",
                lambda p: p.top > fmt.emax,
                reason_of((at_most(reach.largest), reach.largest < Fraction(2) ** (fmt.emax + 1))),
            ),
        ]
        for name, meaning, hits, reason in wanted:
            yield Bin(name=f"overflow/{name}", meaning=meaning, hits=_of_place(hits), reason=reason)
        half = int(math.log2(least)) - 1
        vanish: list[tuple[str, str, Callable[[Place], np.ndarray], str]] = [
            (
                "below half",
                "less than half of the least number",
                lambda p: _against(p, half) < 0,
                reason_of((text, reach.least >= least / 2)),
            ),
            (
                "half",
                "just half of the least number",
                lambda p: _against(p, half) == 0,
                reason_of((text, reach.least > least / 2)),
            ),
            (
                "above half",
                "more than half of the least number, and less than it",
                lambda p: p.nonzero & (_against(p, half) > 0) & (p.top <= half),
                reason_of((text, reach.least >= least)) or self._last(2),
            ),
        ]
        for name, meaning, hits, reason in vanish:
            yield Bin(
                name=f"underflow/{name}", meaning=meaning, hits=_of_place(hits), reason=reason
            )

    def _coarse(self, last: int) -> str:
        """Why no value as large as the largest has digits behind its last one."""
        if self.added is not None or self.reach.endless:
            return reason_of(
                (f"values are multiples of 2^{self.reach.low}", self.reach.low >= last)
            )
        return ""


def _of_place(hits: Callable[[Place], np.ndarray]) -> Callable[[Any], np.ndarray]:
    return lambda facts: hits(facts.place)


def _among(hits: Callable[[Place], np.ndarray], *, below: bool) -> Callable[[Place], np.ndarray]:
    return lambda p: hits(p) & p.inside & (p.below_normal == below)


def _tie(odd: int, *, zero: bool = True) -> Callable[[Place], np.ndarray]:
    return lambda p: (p.rest == p.half) & ((p.cut & 1) == odd) & (zero | (p.cut > 0))


def _beside(side: int) -> Callable[[Place], np.ndarray]:
    def hits(place: Place) -> np.ndarray:
        distance = (place.rest - place.half) * side
        return (distance > 0) & (distance <= place.half >> NEAR)

    return hits


def _carry(place: Place) -> np.ndarray:
    up = place.magnitude == place.cut + 1
    return up & ((place.magnitude & ((1 << place.fmt.mantissa) - 1)) == 0)


def _becomes_normal(place: Place) -> np.ndarray:
    least = 1 << place.fmt.mantissa
    return (place.cut == least - 1) & (place.magnitude == least)


def _against(place: Place, exponent: int) -> np.ndarray:
    """Signs of the magnitudes that are not zero less ``2**exponent``; 1 for the others."""
    significand = place.exact.significand
    single = (significand & (significand - np.uint64(1))) == 0
    less = place.nonzero & (place.top < exponent)
    return np.where(less, -1, np.where(place.nonzero & (place.top == exponent) & single, 0, 1))
