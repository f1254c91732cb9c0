# SPDX-License-Identifier: BSD-2-Clause
"""Bins of units that round a product, a quotient, a root or a sum to a float, once.

They follow from the operands' classes, from where the exact value lies among the results, and from
the leading bits of the terms of a sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from macaw.golden.arithmetic.accumulation.steps import exact as exact_sum
from macaw.golden.arithmetic.exact import Exact, unpack
from macaw.golden.arithmetic.quotients import divide, square_root
from macaw.golden.arithmetic.sums import add_terms, products, scaled_parts
from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.formats.choices import Overflow, Rounding
from macaw.golden.units import Unit

from ...bench.interface import Codes
from .bins import Bin
from .values import CLASSES, NOWHERE, Place, classes, extremes, lacks, lead

ELEMENTWISE = ("mul", "add", "fma", "cast", "div", "sqrt")
SUMS = ("dot", "block-dot")
DEPTHS = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, 32), (33, 1 << 20))
"""Bits that cancel, from and to."""
NEAR = 8
"""A value is beside a tie if it lies within ``2**-NEAR`` of half a last place from it."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the bins of one unit ask of some operations.

    Attributes
    ----------
    place : Place
        Of the exact results.
    classes : dict of ndarray
        Classes of operands, shape (n, lanes).
    products, addend : Exact, optional
        The terms of a sum, of shape (n, K) and (n,).
    """

    place: Place
    classes: dict[str, np.ndarray]
    products: Exact | None = None
    addend: Exact | None = None

    @cached_property
    def leads(self) -> np.ndarray:
        """Leading bits of the products, shape (n, K)."""
        assert self.products is not None
        return lead(self.products)

    @cached_property
    def highest(self) -> np.ndarray:
        """That of the largest product."""
        return self.leads.max(1)

    @cached_property
    def last(self) -> np.ndarray:
        """That of the addend."""
        assert self.addend is not None
        return lead(self.addend)

    @cached_property
    def apart(self) -> np.ndarray:
        """How far the addend's leading bit lies above the products', where neither is zero."""
        both = self.place.finite & (self.last > NOWHERE) & (self.highest > NOWHERE)
        return np.where(both, self.last - self.highest, 1 << 20)

    @cached_property
    def spread(self) -> np.ndarray:
        """How far the leading bits of products of one sum lie apart, where two are not zero."""
        there = self.leads > NOWHERE
        least = np.where(there, self.leads, 1 << 20).min(1)
        some = self.place.finite & (there.sum(1) > 1)
        return np.where(some, self.highest - least, -1)

    @cached_property
    def lost(self) -> np.ndarray:
        """By how many bits a sum is shorter than its largest term; negative if it is longer."""
        most = np.maximum(self.highest, self.last)
        return np.where(self.place.nonzero, most - self.place.top, 0)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What exact values a unit can have.

    Attributes
    ----------
    low : int
        They are multiples of ``2**low``, if ``endless`` is not set.
    bits : int
        Digits of the longest, at most.
    least, largest : Fraction
        Bounds of the magnitudes that are not zero.
    endless : bool
        Quotients and roots have digits without end.
    """

    low: int
    bits: int
    least: Fraction
    largest: Fraction
    endless: bool = False

    @classmethod
    def of(cls, fmt: Format) -> Reach:
        """Those of the numbers of a format."""
        least, largest = extremes(fmt)
        bits = fmt.width if isinstance(fmt, Fixed) else fmt.precision
        return cls(low=fmt.quantum, bits=bits, least=least, largest=largest)

    def __mul__(self, other: Reach) -> Reach:
        return Reach(
            low=self.low + other.low,
            bits=self.bits + other.bits,
            least=self.least * other.least,
            largest=self.largest * other.largest,
        )

    def plus(self, other: Reach, count: int = 1) -> Reach:
        """Those of the sum of ``count`` of these and one other."""
        low, largest = min(self.low, other.low), count * self.largest + other.largest
        most = math.ceil(largest / Fraction(2) ** low).bit_length()
        return Reach(low=low, bits=most, least=Fraction(2) ** low, largest=largest)

    def over(self, other: Reach) -> Reach:
        """Those of quotients."""
        least, largest = self.least / other.largest, self.largest / other.least
        return Reach(low=-(1 << 20), bits=1 << 20, least=least, largest=largest, endless=True)

    def root(self) -> Reach:
        """Those of square roots, about."""
        least, largest = (Fraction(math.sqrt(x)) for x in (self.least, self.largest))
        return Reach(low=-(1 << 20), bits=1 << 20, least=least, largest=largest, endless=True)


class Floats:
    """Bins of a unit of :data:`ELEMENTWISE`, or of :data:`SUMS`, and what they ask of vectors."""

    def __init__(self, unit: Unit) -> None:
        self.unit: Any = unit
        self.out: Float = self.unit.out
        self.numbers = {
            n: o for n, o in unit.ports.inputs.items() if n not in ("rm", "random", "last", "end")
        }
        self.bins = tuple(self._bins())

    @staticmethod
    def take(unit: Any) -> bool:
        """Whether the unit is one of these."""
        if unit.kind not in (*ELEMENTWISE, *SUMS) or not isinstance(unit.out, Float):
            return False
        formats = [o.format for o in unit.ports.inputs.values()]
        numbers = all(isinstance(fmt, Float | Fixed) for fmt in formats)
        exact = getattr(unit, "accumulation", "exact") == "exact" and not unit.stateful
        zeros = unit.kind in SUMS and bool(unit.factors.zeros)
        return numbers and exact and getattr(unit, "product", None) is None and not zeros

    def facts(self, codes: Codes, results: Codes) -> Facts:
        """What the bins are asked about."""
        unit, terms, addend = self.unit, None, None
        numbers = {name: unpack(codes[name], o.format) for name, o in self.numbers.items()}
        if unit.kind in SUMS:
            parts, addend = unit.factors.terms(codes), numbers["c"]
            exact = exact_sum(parts, addend, self.out, False)
            if parts.scale is None:
                terms = parts.products
            elif parts.one.bits + parts.scale.bits <= 64:
                terms = scaled_parts(parts.one, parts.scale)
        elif unit.kind == "div":
            exact = divide(numbers["a"], numbers["b"])[0]
        elif unit.kind == "sqrt":
            exact = square_root(numbers["a"])
        elif unit.kind == "add":
            addend = numbers["b"].negate() if unit.subtract else numbers["b"]
            terms = [numbers["a"]]
            exact = add_terms(terms, addend, self.out, False)
        elif unit.kind == "cast":
            exact = numbers["a"]
        else:
            terms, addend = products(numbers["a"], numbers["b"]), numbers.get("c")
            exact = add_terms(terms, addend, self.out, False)
        assert isinstance(exact, Exact)
        one = terms[0] if terms and len(terms) == 1 and addend is not None else None
        if one is not None and len(one.shape) == 1:
            one = one.reshape((*one.shape, 1)).scaled(np.zeros((1, 1), np.int64))
        return Facts(
            place=Place(exact=exact, codes=results["r"], fmt=self.out),
            classes={
                name: classes(codes[name], o.format).reshape(len(codes[name]), -1)
                for name, o in self.numbers.items()
            },
            products=one,
            addend=addend,
        )

    @cached_property
    def product(self) -> Reach:
        """Of one product, or of what stands for it."""
        unit = self.unit
        formats = {name: Reach.of(o.format) for name, o in self.numbers.items()}
        if unit.kind in SUMS:
            found = formats["a"] * formats["b"]
            for name in unit.factors.scales:
                found = found * formats[f"{name}_scale"]
            return found
        if unit.kind == "div":
            return formats["a"].over(formats["b"])
        if unit.kind == "sqrt":
            return formats["a"].root()
        return formats["a"] * formats["b"] if unit.kind in ("mul", "fma") else formats["a"]

    @cached_property
    def added(self) -> Format | None:
        """The format of an addend."""
        name = {"add": "b"}.get(self.unit.kind, "c")
        return self.numbers[name].format if name in self.numbers else None

    @cached_property
    def count(self) -> int:
        """How many products a sum has."""
        return self.unit.factors.count if self.unit.kind in SUMS else 1

    @cached_property
    def reach(self) -> Reach:
        """Of the exact results."""
        if self.added is None:
            return self.product
        return self.product.plus(Reach.of(self.added), self.count)

    def _bins(self) -> Iterator[Bin]:
        yield from self._crosses()
        yield from self._results()
        yield from self._rounding()
        yield from self._ends()
        if self.added is not None:
            yield from self._sums(self.added)

    def _crosses(self) -> Iterator[Bin]:
        """Each class of each operand with each of the others', two at a time."""
        names = list(self.numbers)
        pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]] or [(names[0],) * 2]
        for a, b in pairs:
            for first in CLASSES:
                for second in CLASSES if a != b else (first,):
                    found = (self._lacks(a, first), self._lacks(b, second))
                    what = f"{a} {first}, {b} {second}" if a != b else f"{a} {first}"
                    yield Bin(
                        name=f"operands/{what}",
                        meaning="in one of the lanes" if self.count > 1 else "at once",
                        hits=_crossing(a, b, CLASSES.index(first), CLASSES.index(second)),
                        reason=found[0] or found[1],
                    )

    def _lacks(self, name: str, wanted: str) -> str:
        fmt = self.numbers[name].format
        return lacks(fmt, wanted)

    def _results(self) -> Iterator[Bin]:
        fmt, reach = self.out, self.reach
        tiny = Fraction(2) ** fmt.emin
        small = _first(
            (lacks(fmt, "subnormal"), True), (_at_least(reach.least), reach.least > tiny)
        )
        least, _ = extremes(fmt)
        negative = self._nonnegative()
        below = (_at_least(reach.least), reach.least >= 2 * tiny)
        largest = (_at_most(reach.largest), reach.largest < Fraction(fmt.max))
        zero = _first((lacks(fmt, "zero"), True))
        wanted: list[tuple[str, str, Callable[[Place], np.ndarray], str]] = [
            ("+0", "", lambda p: (p.kind == 0) & ~p.negative, zero),
            ("-0", "", lambda p: (p.kind == 0) & p.negative, self._no_negative_zero()),
            ("subnormal", "", lambda p: p.kind == 1, small),
            (
                "least",
                "the least number above zero",
                lambda p: (p.kind != 0) & (p.magnitude == fmt.min_code) & p.finite,
                _first((_at_least(reach.least), reach.least >= 2 * least)),
            ),
            (
                "largest subnormal",
                "",
                lambda p: (p.kind == 1) & (p.magnitude == (1 << fmt.mantissa) - 1),
                small,
            ),
            (
                "least normal",
                "",
                lambda p: (p.kind == 2) & (p.magnitude == max(fmt.min_code, 1 << fmt.mantissa)),
                _first(below),
            ),
            ("negative", "", lambda p: (p.kind == 2) & p.negative, negative),
            (
                "largest",
                "the largest number, of either sign",
                lambda p: (p.kind == 2) & (p.magnitude == fmt.max_code) & p.finite,
                _first(largest),
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
        formats = [o.format for o in self.numbers.values()]
        infinite = any(fmt.has_inf for fmt in formats)
        if wanted == "infinity":
            saturates = self.unit.overflow in (Overflow.SATURATE,)
            if saturates:
                return "overflow=saturate: results are finite"
            beyond = self.reach.largest >= Fraction(self.out.max) or self.unit.kind == "div"
            return "" if infinite or beyond else _at_most(self.reach.largest)
        made = self.unit.kind == "div" or (self.unit.kind == "sqrt" and self.unit.a.signed)
        if made or any(fmt.has_nan for fmt in formats):
            return ""
        several = infinite and len(formats) > 1
        return "" if several else "no operand is a NaN"

    def _rounding(self) -> Iterator[Bin]:
        """Where the exact value lies between its neighbours, among normal and subnormal numbers."""
        fmt, reach = self.out, self.reach
        tiny = Fraction(2) ** fmt.emin
        one, two = self._digits(1), self._digits(2)
        near = self._digits(NEAR + 2)
        theorem = self._no_ties()
        normal: list[tuple[str, str, Callable[[Place], np.ndarray], str]] = [
            ("exact", "nothing is cut off", lambda p: p.rest == 0, ""),
            ("below a tie", "less than half", lambda p: (p.rest > 0) & (p.rest < p.half), two),
            ("tie, even", "half, behind an even digit", _tie(0), theorem or one),
            ("tie, odd", "half, behind an odd digit", _tie(1), theorem or one),
            ("above a tie", "more than half", lambda p: p.rest > p.half, two),
            ("just below a tie", f"within 2^-{NEAR} of half", _beside(-1), near),
            ("just above a tie", f"within 2^-{NEAR} of half", _beside(1), near),
            ("carry", "a carry of rounding changes the exponent", _carry, one or self._no_carry()),
        ]
        for name, meaning, hits, reason in normal:
            yield Bin(
                name=f"rounding/{name}",
                meaning=meaning,
                hits=_of_place(_among(hits, below=False)),
                reason=reason,
            )
        none = _first(
            (lacks(fmt, "subnormal"), True), (_at_least(reach.least), reach.least >= tiny)
        )
        half = none or self._last(1)
        quarter = none or self._last(2)
        few = _first((f"{fmt.name} has no even subnormals", fmt.mantissa < 2))
        small: list[tuple[str, str, Callable[[Place], np.ndarray], str]] = [
            ("exact", "nothing is cut off", lambda p: p.rest == 0, none),
            ("below a tie", "less than half", lambda p: (p.rest > 0) & (p.rest < p.half), quarter),
            ("tie, even", "half, behind an even digit", _tie(0, zero=False), half or few),
            ("tie, odd", "half, behind an odd digit", _tie(1), half),
            ("above a tie", "more than half", lambda p: p.rest > p.half, quarter),
            ("to normal", "a carry of rounding makes it normal", _becomes_normal, half),
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
        return _first((f"values have at most {bits} digits", bits < most + more))

    def _last(self, more: int) -> str:
        """Why no digit stands so many places behind the last of all results."""
        low = self.reach.low
        text = f"values are multiples of 2^{low}"
        return _first((text, not self.reach.endless and low > self.out.quantum - more))

    def _no_ties(self) -> str:
        """Why quotients and roots are no ties."""
        unit, p = self.unit, self.out.precision
        if unit.kind == "div" and unit.a.precision <= p:
            return f"a quotient of {p + 1} digits has a dividend of as many"
        if unit.kind == "sqrt" and unit.a.precision <= 2 * p:
            return f"a root of {p + 1} digits has a square of {2 * p + 1} or more"
        return ""

    def _no_carry(self) -> str:
        """Why no quotient or root lies between the last significand and a power of two."""
        unit, p = self.unit, self.out.precision
        if unit.kind == "div" and unit.b.precision <= p:
            return "a quotient is a power of two, or away from it by its share of the divisor"
        nearest = unit.rounding in (Rounding.RNE, Rounding.RNA)
        if unit.kind == "sqrt" and nearest and unit.a.precision <= p:
            return "a root just below a power of two is nearer to the number below"
        return ""

    def _ends(self) -> Iterator[Bin]:
        """Overflow and underflow, on either side of their thresholds."""
        fmt, reach = self.out, self.reach
        largest, last = Fraction(fmt.max), Fraction(2) ** (fmt.emax - fmt.mantissa)
        under = (_at_most(reach.largest), reach.largest <= largest)
        coarse = self._coarse(fmt.emax - fmt.mantissa)
        least, _ = extremes(fmt)
        tie = self._no_ties()
        full = (fmt.max_code + 1) & ((1 << fmt.mantissa) - 1) == 0
        text = _at_least(reach.least)
        wanted: list[tuple[str, str, Callable[[Place], np.ndarray], str]] = [
            (
                "below threshold",
                "above the largest number by less than half of its last place",
                lambda p: (p.cut == fmt.max_code) & (p.rest > 0) & (p.rest < p.half),
                _first(under) or coarse or self._digits(2) or (self._no_carry() if full else ""),
            ),
            (
                "threshold",
                "above it by just half of its last place",
                lambda p: (p.cut == fmt.max_code) & (p.rest == p.half),
                _first((_at_most(reach.largest), reach.largest < largest + last / 2))
                or coarse
                or tie
                or self._digits(1),
            ),
            (
                "above threshold",
                "above it by more, up to twice its last place",
                lambda p: (
                    ((p.cut == fmt.max_code) & (p.rest > p.half)) | (p.cut == fmt.max_code + 1)
                ),
                _first((_at_most(reach.largest), reach.largest <= largest + last / 2)),
            ),
            (
                "far",
                "at least twice the power of two of the largest number",
                lambda p: p.top > fmt.emax,
                _first((_at_most(reach.largest), reach.largest < Fraction(2) ** (fmt.emax + 1))),
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
                _first((text, reach.least >= least / 2)),
            ),
            (
                "half",
                "just half of the least number",
                lambda p: _against(p, half) == 0,
                _first((text, reach.least > least / 2)),
            ),
            (
                "above half",
                "more than half of the least number, and less than it",
                lambda p: p.nonzero & (_against(p, half) > 0) & (p.top <= half),
                _first((text, reach.least >= least)) or self._last(2),
            ),
        ]
        for name, meaning, hits, reason in vanish:
            yield Bin(
                name=f"underflow/{name}", meaning=meaning, hits=_of_place(hits), reason=reason
            )

    def _coarse(self, last: int) -> str:
        """Why no value as large as the largest has digits behind its last one."""
        if self.added is not None or self.reach.endless:
            return _first((f"values are multiples of 2^{self.reach.low}", self.reach.low >= last))
        return ""

    def _sums(self, added: Format) -> Iterator[Bin]:
        """Distances of the terms, bits that cancel, carries of the sum, and sums of zero."""
        product, addend = self.product, Reach.of(added)
        if product.bits > 64:
            return
        top, bottom = _power(product.largest), _power(product.least)
        most, lowest = _power(addend.largest) - bottom, _power(addend.least) - top
        text = f"the leading bits lie from {lowest} to {most} apart"
        above, below = max(addend.bits, self.out.precision), product.bits
        distances = (
            ("equal", "leading bits in one place", 0, 0),
            ("addend 1 above", "", 1, 1),
            ("addend 1 below", "", -1, -1),
            ("addend above", f"by 2 to {above}", 2, above),
            ("addend below", f"by 2 to {below}", -below, -2),
            ("addend far above", "products behind the last place", above + 1, 1 << 19),
            ("addend far below", "behind the last place", -(1 << 19), -below - 1),
        )
        for name, meaning, low, high in distances:
            reason = _first((text, high < lowest or low > most))
            yield Bin(
                name=f"align/{name}",
                meaning=meaning or "leading bits one place apart",
                hits=_apart(low, high),
                reason=reason,
            )
        if self.count > 1:
            wide = top - bottom
            if self.unit.factors.groups == 1:
                # one scale moves all of them
                elements = Reach.of(self.numbers["a"].format) * Reach.of(self.numbers["b"].format)
                wide = _power(elements.largest) - _power(elements.least)
            for low, high in ((0, 0), *DEPTHS):
                yield Bin(
                    name=f"spread/{_span(low, high)}",
                    meaning="places from the least product to the largest",
                    hits=lambda f, low=low, high=high: (f.spread >= low) & (f.spread <= high),
                    reason=_first((f"products lie at most {wide} places apart", wide < low)),
                )
        same = self._one_sign()
        deep = max(addend.bits, product.bits - (self.unit.kind != "add"))
        if self.count > 1:
            deep = self.reach.bits - 1
        deep = min(deep, max(top, _power(addend.largest)) - self.reach.low)
        for low, high in DEPTHS:
            yield Bin(
                name=f"cancel/{_span(low, high)}",
                meaning="leading bits that cancel",
                hits=lambda f, low=low, high=high: (f.lost >= low) & (f.lost <= high),
                reason=same or _first((f"at most {deep} bits can cancel", deep < low)),
            )
        yield Bin(
            name="cancel/all",
            meaning="terms that are not zero, and a sum that is",
            hits=lambda f: (
                f.place.finite
                & (f.place.exact.significand == 0)
                & (np.maximum(f.highest, f.last) > NOWHERE)
            ),
            reason=same,
        )
        yield Bin(
            name="sum/carry",
            meaning="a digit more than the largest term",
            hits=lambda f: f.lost < 0,
        )
        if self.count > 1:
            yield Bin(
                name="sum/zero products",
                meaning="all products zero, the addend not",
                hits=lambda f: f.place.nonzero & (f.highest <= NOWHERE),
                reason=self._lacks("a", "zero") and self._lacks("b", "zero"),
            )

    def _one_sign(self) -> str:
        signs = any(o.format.signed for o in self.numbers.values())
        return "" if signs or getattr(self.unit, "subtract", False) else "no operand has a sign"


def _crossing(a: str, b: str, first: int, second: int) -> Callable[[Facts], np.ndarray]:
    def hits(facts: Facts) -> np.ndarray:
        x, y = facts.classes[a] == first, facts.classes[b] == second
        if x.shape[1] != y.shape[1] and min(x.shape[1], y.shape[1]) > 1:
            # a scale, and the elements of its block
            few, many = sorted((x, y), key=lambda each: each.shape[1])
            times = many.shape[1] // few.shape[1]
            return (np.repeat(few, times, axis=1) & many).any(1)
        return (x & y).any(1)

    return hits


def _of_place(hits: Callable[[Place], np.ndarray]) -> Callable[[Facts], np.ndarray]:
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


def _against(place: Place, power: int) -> np.ndarray:
    """Signs of the magnitudes that are not zero less ``2**power``; 1 for the others."""
    significand = place.exact.significand
    single = (significand & (significand - np.uint64(1))) == 0
    less = place.nonzero & (place.top < power)
    return np.where(less, -1, np.where(place.nonzero & (place.top == power) & single, 0, 1))


def _apart(low: int, high: int) -> Callable[[Facts], np.ndarray]:
    return lambda facts: (facts.apart >= low) & (facts.apart <= high)


def _first(*reasons: tuple[str, bool]) -> str:
    """The first text that holds and is not empty."""
    return next((text for text, holds in reasons if holds and text), "")


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} or more" if high >= 1 << 19 else f"{low} to {high}"


def _power(value: Fraction) -> int:
    """The exponent of the leading bit."""
    power = value.numerator.bit_length() - value.denominator.bit_length()
    return power if value >= Fraction(2) ** power else power - 1


def _at_most(value: Fraction) -> str:
    return f"values are below 2^{_power(value) + 1}"


def _at_least(value: Fraction) -> str:
    return f"values that are not zero are 2^{_power(value)} or more"
