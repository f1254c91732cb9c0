# SPDX-License-Identifier: BSD-2-Clause
"""The search: the least reduction and polynomial with which every result is rounded right."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from macaw.golden import units
from macaw.golden.arithmetic.exact import Exact, bit_length, kinds, unpack
from macaw.golden.arithmetic.real import tabulated
from macaw.golden.errors import SpecError

from . import binades, circular, exponentials
from .pieces import Bounds, Pieces, search
from .reductions import Normalised, Points, Reduction
from .words import Result, allowed

_DEEPEST = 8
"""Bits of a fraction that at most number its pieces."""
_WIDEST = 56
"""Bits of words: with what is tried beside them, and twice that, they are integers of 64."""
_ENOUGH = 3
"""Reductions that are compared once one of them has a polynomial."""

REDUCTIONS: dict[str, type[Reduction]] = (
    exponentials.REDUCTIONS | binades.REDUCTIONS | circular.REDUCTIONS
)
"""By function."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What gates are made of."""

    reduction: Reduction
    pieces: Pieces

    @property
    def cost(self) -> float:
        """To choose one of two."""
        return self.pieces.cost + 2 * self.reduction.width + self.reduction.digits


@functools.lru_cache(maxsize=256)
def plan(spec: units.Function) -> Plan:
    """Return how a unit is built.

    Every finite operand is looked at. SpecError if no polynomial of the second degree does it.
    """
    operands, values, codes = _operands(spec)
    result = Result(spec.out, spec.rounding, spec.overflow)
    found: list[Plan] = []
    tried = 0
    for reduction in REDUCTIONS[spec.function].settings(spec.function, spec.a, spec.out):
        tried += bool(found)
        if tried >= _ENOUGH or reduction.bits > _WIDEST:
            break
        bounds = _bounds(reduction.points(operands), values, codes, result, reduction)
        if bounds is None:
            continue
        shapes = search(bounds, reduction.width, reduction.regions, _DEEPEST)
        found += [Plan(reduction, pieces) for pieces in shapes]
    if not found:
        raise SpecError(
            f"function={spec.function}: gates have no polynomial of the second degree for "
            f"{spec.a.name} to {spec.out.name}"
        )
    return min(found, key=lambda each: each.cost)


def _operands(spec: units.Function) -> tuple[Normalised, Exact, np.ndarray]:
    """(finite operands that are not zero and have a value, their values, their results)."""
    every = unpack(np.arange(1 << spec.a.width, dtype=spec.a.code_dtype), spec.a)
    values = tabulated(spec.function, spec.a)
    chosen = np.flatnonzero((kinds(every) == 0) & (every.significand != 0) & (kinds(values) == 0))
    exponent = np.broadcast_to(every.exponent, every.shape)[chosen]
    significand = every.significand[chosen]
    up = spec.a.precision - bit_length(significand).astype(np.int64)
    operands = Normalised(
        significand=significand.astype(np.int64) << up,
        exponent=exponent - up,
        negative=every.negative[chosen],
    )
    return operands, values[chosen], spec.contents[chosen]


def _bounds(
    points: Points, values: Exact, codes: np.ndarray, result: Result, reduction: Reduction
) -> Bounds | None:
    """What the polynomial may be at each place; None if the digits are too few."""
    if points.instead is not None:
        other = points.instead >= 0
        words, scale = points.instead[other], points.scale[other]
        if len(words) and (result.codes(words, scale) != codes[other]).any():
            return None
    low = np.full(points.place.shape, np.iinfo(np.int64).min >> 8)
    high = np.full(points.place.shape, np.iinfo(np.int64).max >> 8)
    used = points.used
    bits = reduction.digits + 2
    if used.any():
        found = allowed(values[used], codes[used], points.scale[used], result, bits)
        if found is None:
            return None
        low[used], high[used] = (end - points.base[used] for end in found)
    near = np.full(low.shape, np.nan)
    up = np.clip(values.exponent - points.scale.last, -1000, 900)
    exact = np.ldexp(values.significand.astype(np.float64), up)
    signed = np.where(values.negative ^ points.scale.negative, -exact, exact)
    near[used] = (signed - points.base)[used]
    if reduction.leading is not None:
        top, depth = reduction.leading
        low, high = np.maximum(low, 1 << (top - depth)), np.minimum(high, (2 << top) - 1)
    return Bounds.of(points.place, low, high, near)
