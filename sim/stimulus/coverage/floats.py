# SPDX-License-Identifier: BSD-2-Clause
"""Bins of units that round a product, a quotient, a root or a sum once.

They follow from the operands' classes, from where the exact value lies among the results, and from
the leading bits of the terms of a sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from macaw.golden.arithmetic.accumulation.steps import exact as exact_sum
from macaw.golden.arithmetic.exact import Exact, unpack
from macaw.golden.arithmetic.projection import Split
from macaw.golden.arithmetic.quotients import divide, square_root
from macaw.golden.arithmetic.sums import add_terms, products, scaled_parts
from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.formats.choices import Overflow
from macaw.golden.units import Operand, Unit

from ...bench.interface import Codes
from .bins import Bin
from .fixed import FixedPlace, FixedResults
from .operands import classed, crosses
from .reach import Reach, at_least, at_most, reason_of
from .results import Results
from .sums import Facts, distances
from .values import Place, lacks

ELEMENTWISE = ("mul", "add", "fma", "cast", "div", "sqrt")
SUMS = ("dot", "block-dot")
BESIDE = ("rm", "random", "last", "end")
"""Inputs that no value is made of."""


class OneRounding:
    """What units of :data:`ELEMENTWISE` or :data:`SUMS` ask of vectors, and what they reach."""

    unit: Any
    out: Any
    numbers: dict[str, Operand]

    def __init__(self, unit: Unit, accumulator: Reach | None = None) -> None:
        self.unit = unit
        self.accumulator = accumulator
        self.begins = accumulator is not None
        self.out = self.unit.out
        self.numbers = {n: o for n, o in unit.ports.inputs.items() if n not in BESIDE}
        self.bins = tuple(self._bins())

    def _bins(self) -> Iterator[Bin]:
        raise NotImplementedError

    def values(self, codes: Codes) -> tuple[Exact | Split, list[Exact] | None, Exact | None]:
        """The exact values, before they are rounded; the products of sums, and their addends."""
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
        return exact, terms, addend

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
        return self.product.plus(self.accumulator or Reach.of(self.added), self.count)

    def lacking(self, name: str, wanted: str) -> str:
        """Why an operand is of no such class."""
        if found := lacks(self.numbers[name].format, wanted):
            return found
        return self._never(wanted) if name == "c" and self.accumulator is not None else ""

    def _never(self, wanted: str) -> str:
        """Why sums are never of a class that the accumulator's format has."""
        fmt, kept = self.numbers["c"].format, self.accumulator
        assert kept is not None
        if wanted == "subnormal" and isinstance(fmt, Float):
            return reason_of((at_least(kept.least), kept.least >= Fraction(2) ** fmt.emin))
        others = [o.format for name, o in self.numbers.items() if name != "c"]
        infinite = any(each.has_inf for each in others)
        small = kept.largest < Fraction(fmt.max)
        saturates = self.unit.overflow is Overflow.SATURATE
        if wanted == "infinity":
            return reason_of(
                ("overflow=saturate: results are finite", saturates),
                (at_most(kept.largest), small and not infinite),
            )
        nan = infinite or any(each.has_nan for each in others)
        return reason_of(("no operand is a NaN", wanted == "NaN" and small and not nan))


class Floats(OneRounding, Results):
    """Bins of such a unit with results in a float."""

    @staticmethod
    def take(unit: Any) -> bool:
        """Whether the unit is one of these."""
        return _rounds_once(unit) and isinstance(unit.out, Float)

    def facts(self, codes: Codes, results: Codes) -> Facts:
        """What the bins are asked about."""
        exact, terms, addend = self.values(codes)
        assert isinstance(exact, Exact)
        one = terms[0] if terms and len(terms) == 1 and addend is not None else None
        if one is not None and len(one.shape) == 1:
            one = one.reshape((*one.shape, 1)).scaled(np.zeros((1, 1), np.int64))
        return Facts(
            place=Place(exact=exact, codes=results["r"], fmt=self.out),
            classes=classed(self.numbers, codes),
            products=one,
            addend=addend,
        )

    def _bins(self) -> Iterator[Bin]:
        yield from crosses(self.numbers, self.count, self.lacking)
        yield from self.rounded()
        if self.added is not None:
            factors = [self.numbers[name].format for name in ("a", "b") if name in self.numbers]
            elements = Reach.of(factors[0]) * Reach.of(factors[-1])
            yield from distances(
                self.unit,
                self.product,
                self.accumulator or Reach.of(self.added),
                self.count,
                self.reach,
                elements,
            )


@dataclass(frozen=True, kw_only=True)
class FixedFacts:
    """What the bins of a unit with results in fixed point ask of some operations."""

    place: FixedPlace
    classes: dict[str, np.ndarray]


class ToFixed(OneRounding, FixedResults):
    """Bins of such a unit with results in fixed point."""

    @staticmethod
    def take(unit: Any) -> bool:
        """Whether the unit is one of these."""
        return _rounds_once(unit) and isinstance(unit.out, Fixed)

    def facts(self, codes: Codes, results: Codes) -> FixedFacts:
        """What the bins are asked about."""
        exact, _, _ = self.values(codes)
        place = FixedPlace(exact=exact, fmt=self.out)
        return FixedFacts(place=place, classes=classed(self.numbers, codes))

    def _bins(self) -> Iterator[Bin]:
        yield from crosses(self.numbers, self.count, self.lacking)
        yield from self.rounded()


def _rounds_once(unit: Any) -> bool:
    """Whether a unit rounds one exact value of numbers in binary."""
    if unit.kind not in (*ELEMENTWISE, *SUMS):
        return False
    formats = [o.format for o in unit.ports.inputs.values()]
    numbers = all(isinstance(fmt, Float | Fixed) for fmt in formats)
    exact = getattr(unit, "accumulation", "exact") == "exact" and not unit.stateful
    zeros = unit.kind in SUMS and bool(unit.factors.zeros)
    return numbers and exact and getattr(unit, "product", None) is None and not zeros
