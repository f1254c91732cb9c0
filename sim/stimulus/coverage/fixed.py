# SPDX-License-Identifier: BSD-2-Clause
"""Bins of results in fixed point: where exact values lie among them, and beyond their ends."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from macaw.golden.arithmetic.exact import INF, NAN, Exact
from macaw.golden.arithmetic.projection import Split, split
from macaw.golden.formats import Fixed, Float
from macaw.golden.units import Operand

from ..ends import ALL, factored
from .bins import Bin
from .reach import Reach, at_least, at_most, power, reason_of

_HALF = np.uint64(1 << 61)
"""Half of the last place in :attr:`Split.fraction`."""


@dataclass(frozen=True)
class FixedPlace:
    """Where exact values lie among the numbers of a fixed point: magnitudes cut at its last place.

    ``exact`` may be jammed.
    """

    exact: Exact | Split
    fmt: Fixed

    @cached_property
    def parts(self) -> Split:
        """Whole last places, and what is below them."""
        return self.exact if isinstance(self.exact, Split) else split(self.exact, self.fmt)

    @cached_property
    def finite(self) -> np.ndarray:
        """Where the value is neither infinite nor a NaN."""
        kind = self.parts.kind
        return np.ones(len(self.below), bool) if kind is None else kind & (NAN | INF) == 0

    def special(self, which: np.uint8) -> np.ndarray:
        """Where it is infinite, or a NaN."""
        kind = self.parts.kind
        return np.zeros(len(self.below), bool) if kind is None else kind & which != 0

    @property
    def below(self) -> np.ndarray:
        """What is below the last place, of which :data:`_HALF` is a half."""
        return self.parts.fraction

    @cached_property
    def compared(self) -> np.ndarray:
        """-1, 0 or 1 for less than a half, a half, and more."""
        return np.where(self.below > _HALF, 1, np.where(self.below < _HALF, -1, 0))

    @cached_property
    def nonzero(self) -> np.ndarray:
        """Where it is finite and not zero."""
        there = (self.parts.integer != 0) | (self.below != 0) | self.parts.beyond
        return self.finite & there

    @cached_property
    def limit(self) -> np.ndarray:
        """The largest magnitude of the value's sign."""
        low, high = np.uint64(-self.fmt.min_integer), np.uint64(self.fmt.max_integer)
        return np.where(self.parts.negative, low, high)

    @cached_property
    def inside(self) -> np.ndarray:
        """Where the value lies between two results."""
        return self.nonzero & ~self.parts.beyond & (self.parts.integer < self.limit)

    def beside(self, more: int) -> np.ndarray:
        """Where the value, cut, is so many last places above its limit; from 2 on at least."""
        whole, known = self.parts.integer, ~self.parts.beyond & self.nonzero
        if more < 2:
            return known & (whole == self.limit + np.uint64(more))
        return self.nonzero & (self.parts.beyond | (whole > self.limit + np.uint64(1)))


class FixedResults:
    """Bins of a unit that rounds one exact value to a fixed point. Hits are asked of what has
    ``place``.

    Attributes
    ----------
    unit : Unit
    out : Fixed
    numbers : dict of str to Operand
        Those that the value is made of.
    reach : Reach
        What exact values there are.
    """

    unit: Any
    out: Fixed
    numbers: dict[str, Operand]

    @property
    def reach(self) -> Reach:
        """Of the exact results."""
        raise NotImplementedError

    def rounded(self) -> Iterator[Bin]:
        """All of them."""
        yield from self._rounding()
        for sign, word in ((False, "positive"), (True, "negative")):
            yield from self._end(sign, word)
        yield from self._specials()

    def _fraction(self, digits: int) -> str:
        """Why no value has so many digits below the last place."""
        low = self.reach.low
        text = f"values are multiples of 2^{low}"
        return reason_of((text, not self.reach.endless and low > -self.out.fraction - digits))

    def _sign(self, *, negative: bool) -> str:
        """Why there are no negative values."""
        signed = any(o.format.signed for o in self.numbers.values())
        if not negative or signed or getattr(self.unit, "subtract", False):
            return "a root is not negative" if negative and self.unit.kind == "sqrt" else ""
        return "no operand has a sign"

    def _rounding(self) -> Iterator[Bin]:
        last = Fraction(2) ** -self.out.fraction
        one, two = self._fraction(1), self._fraction(2)
        small = reason_of((at_least(self.reach.least), self.reach.least >= last)) or one
        wide = reason_of((at_most(self.reach.largest), self.reach.largest < last))
        wanted: list[tuple[str, str, Callable[[FixedPlace], np.ndarray], str]] = [
            ("exact", "nothing is cut off", lambda p: p.below == 0, wide),
            ("below a tie", "less than half", lambda p: (p.below > 0) & (p.compared < 0), two),
            ("above a tie", "more than half", lambda p: p.compared > 0, two),
            ("vanishes", "not zero, and less than a last place", _vanishes, small),
        ]
        for name, meaning, hits, reason in wanted:
            yield _bin("rounding", name, meaning, _inside(hits), reason)
        for negative, word in ((False, "positive"), (True, "negative")):
            for odd, digit in ((0, "even"), (1, "odd")):
                none = self._sign(negative=negative)
                if negative and not self.out.signed:
                    none = none or f"{self.out.name} has no negative integers"
                yield _bin(
                    "rounding",
                    f"tie, {word}, {digit}",
                    f"half, behind an {digit} integer",
                    _inside(_tie(odd, negative=negative)),
                    none or one,
                )

    def _end(self, negative: bool, word: str) -> Iterator[Bin]:
        """An end of the range, on either side."""
        out, most = self.out, self.reach.largest
        integer = -out.min_integer if negative else out.max_integer
        last = Fraction(2) ** -out.fraction
        limit = integer * last
        none = self._sign(negative=negative)
        text, one, two = at_most(most), self._fraction(1), self._fraction(2)
        named = f"{'-' if negative else ''}{integer}"
        exactly = functools.partial(self._none, negative=negative)
        wanted: list[tuple[str, str, Callable[[FixedPlace], np.ndarray], str]] = [
            (
                "end",
                f"the last integer, {named}",
                lambda p: p.beside(0) & (p.below == 0),
                reason_of((text, most < limit), ("zero has no sign", integer == 0))
                or exactly(limit, limit),
            ),
            (
                "below threshold",
                "beyond it by less than half",
                lambda p: p.beside(0) & (p.below > 0) & (p.compared < 0),
                reason_of((text, most <= limit)) or two or exactly(limit, limit + last / 2, False),
            ),
            (
                "threshold",
                "beyond it by half",
                lambda p: p.beside(0) & (p.compared == 0),
                reason_of((text, most < limit + last / 2))
                or one
                or exactly(limit + last / 2, limit + last / 2),
            ),
            (
                "above threshold",
                "beyond it by more, and less than two",
                lambda p: (p.beside(0) & (p.compared > 0)) | p.beside(1),
                reason_of((text, most <= limit + last / 2))
                or exactly(limit + last / 2, limit + 2 * last, False),
            ),
            (
                "far",
                "beyond it by two or more",
                lambda p: p.beside(2),
                reason_of((text, most < limit + 2 * last)),
            ),
        ]
        for name, meaning, hits, reason in wanted:
            yield _bin("range", f"{word}, {name}", meaning, _signed(hits, negative), none or reason)

    def _none(self, low: Fraction, high: Fraction, ends: bool = True, *, negative: bool) -> str:
        """Why no magnitude lies from ``low`` to ``high``, or between them without the ends."""
        if self.unit.kind == "cast" and isinstance(self.unit.a, Float):
            step = Fraction(2) ** max(power(low) - self.unit.a.mantissa, self.unit.a.quantum)
            least = (math.ceil(low / step) if ends else math.floor(low / step) + 1) * step
            none = least > high or (least == high and not ends)
            return reason_of((f"numbers as large as that are multiples of {step}", none))
        if self.unit.kind == "mul" and low == high and self.unit.b.width <= ALL:
            wanted = float(-low if negative else low)
            none = not len(factored(self.unit.a, self.unit.b, wanted))
            return reason_of(("no two operands have that product", none))
        return ""

    def _specials(self) -> Iterator[Bin]:
        formats = [o.format for o in self.numbers.values()]
        infinite = any(fmt.has_inf for fmt in formats) or self.unit.kind == "div"
        made = (infinite and len(formats) > 1) or self.unit.kind in ("div", "sqrt")
        none = "" if infinite else "no operand is infinite"
        yield _bin("result", "of infinity", "", lambda p: p.special(INF), none)
        none = "" if made or any(fmt.has_nan for fmt in formats) else "no operand is a NaN"
        yield _bin("result", "of NaN", "", lambda p: p.special(NAN), none)


def _bin(
    group: str, name: str, meaning: str, hits: Callable[[FixedPlace], np.ndarray], reason: str
) -> Bin:
    return Bin(
        name=f"{group}/{name}",
        meaning=meaning or name,
        hits=lambda facts: hits(facts.place),
        reason=reason,
    )


def _vanishes(place: FixedPlace) -> np.ndarray:
    return (place.parts.integer == 0) & (place.below > 0)


def _inside(hits: Callable[[FixedPlace], np.ndarray]) -> Callable[[FixedPlace], np.ndarray]:
    return lambda p: hits(p) & p.inside


def _signed(
    hits: Callable[[FixedPlace], np.ndarray], negative: bool
) -> Callable[[FixedPlace], np.ndarray]:
    return lambda p: hits(p) & p.finite & (p.parts.negative == negative)


def _tie(odd: int, *, negative: bool) -> Callable[[FixedPlace], np.ndarray]:
    def hits(place: FixedPlace) -> np.ndarray:
        digit = (place.parts.integer & np.uint64(1)) == odd
        return (place.compared == 0) & digit & (place.parts.negative == negative)

    return hits
