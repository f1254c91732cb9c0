# SPDX-License-Identifier: BSD-2-Clause
"""Bins of sums: how far terms lie apart, and what is left of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from macaw.golden.arithmetic.exact import Exact

from .bins import Bin
from .reach import Reach, power, reason_of, span
from .values import NOWHERE, Place, lacks, lead

DEPTHS = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (17, 32), (33, 1 << 20))
"""Bits that cancel, from and to."""


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


def distances(
    unit: Any, product: Reach, addend: Reach, count: int, reach: Reach, elements: Reach
) -> Iterator[Bin]:
    """Distances of the terms, bits that cancel, carries of the sum, and sums of zero.

    Parameters
    ----------
    unit : Unit
        With ``out`` in a float.
    product, addend, elements, reach : Reach
        Of one product, the addend, a product without scales, and of the sums.
    count : int
        Products of a sum.
    """
    ports = unit.ports.inputs
    if product.bits > 64:
        return
    top, bottom = power(product.largest), power(product.least)
    most, lowest = power(addend.largest) - bottom, power(addend.least) - top
    text = f"the leading bits lie from {lowest} to {most} apart"
    above, below = max(addend.bits, unit.out.precision), product.bits
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
        reason = reason_of((text, high < lowest or low > most))
        yield Bin(
            name=f"align/{name}",
            meaning=meaning or "leading bits one place apart",
            hits=_apart(low, high),
            reason=reason,
        )
    if count > 1:
        wide = top - bottom
        if unit.factors.groups == 1:
            # one scale moves all of them
            wide = power(elements.largest) - power(elements.least)
        for low, high in ((0, 0), *DEPTHS):
            yield Bin(
                name=f"spread/{span(low, high)}",
                meaning="places from the least product to the largest",
                hits=lambda f, low=low, high=high: (f.spread >= low) & (f.spread <= high),
                reason=reason_of((f"products lie at most {wide} places apart", wide < low)),
            )
    same = one_sign(unit)
    deep = max(addend.bits, product.bits - (unit.kind != "add"))
    if count > 1:
        deep = reach.bits - 1
    deep = min(deep, max(top, power(addend.largest)) - reach.low)
    if count > 1:
        # Products cancel one another, or all of them the addend, which is hardly larger then.
        cap = min(power(addend.largest), power(count * product.largest * Fraction(8, 7)))
        last = max(addend.low, cap - addend.bits + 1)
        deep = min(deep, max(top - reach.low, cap - min(product.low, last), 2))
    for low, high in DEPTHS:
        yield Bin(
            name=f"cancel/{span(low, high)}",
            meaning="leading bits that cancel",
            hits=lambda f, low=low, high=high: (f.lost >= low) & (f.lost <= high),
            reason=same or reason_of((f"at most {deep} bits can cancel", deep < low)),
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
    if count > 1:
        yield Bin(
            name="sum/zero products",
            meaning="all products zero, the addend not",
            hits=lambda f: f.place.nonzero & (f.highest <= NOWHERE),
            reason=lacks(ports["a"].format, "zero") and lacks(ports["b"].format, "zero"),
        )


def one_sign(unit: Any) -> str:
    """Why no two terms have different signs."""
    signs = any(o.format.signed for o in unit.ports.inputs.values())
    return "" if signs or getattr(unit, "subtract", False) else "no operand has a sign"


def _apart(low: int, high: int) -> Callable[[Facts], np.ndarray]:
    return lambda facts: (facts.apart >= low) & (facts.apart <= high)
