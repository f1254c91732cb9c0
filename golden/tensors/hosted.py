# SPDX-License-Identifier: BSD-2-Clause
"""Matrix products whose sums float64 holds: exact by slices, or one product after the other.

Results are computed tile by tile, on several threads if there are (:mod:`.threads`), and in a tile
step by step; what a step does not decide, or what is not finite, is left to the unit itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..arithmetic.binary64 import slices
from ..arithmetic.binary64.rounding import Target, gradual
from ..arithmetic.binary64.slices import Slices
from ..arithmetic.binary64.stepwise import STEPWISE, suits
from ..arithmetic.binary64.sums import HostSum, Term
from ..arithmetic.codec import host_target, values_of
from ..arithmetic.exact import unpack
from ..arithmetic.operands import CHUNK
from ..arithmetic.projection import Direction, project
from ..formats.choices import Rounding
from ..formats.scalar import Format
from ..units.block_dots import BlockMac
from . import filtered, threads

_TILE, _WIDER, _COMPILED_TILE = (128, 256), (256, 256), (256, 512)
"""Rows and columns of results at a time: what a core's cache holds, in many arrays or in few."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Operand:
    """Elements of a matrix times their scales, rows of steps.

    Attributes
    ----------
    values : ndarray
        Float64 of shape (rows, steps, elements), 0 in rows that are not finite.
    finite : ndarray of bool
    term : Term
        Bounds on the values.
    """

    values: np.ndarray
    finite: np.ndarray
    term: Term

    @classmethod
    def of(
        cls,
        codes: np.ndarray,
        scales: np.ndarray | None,
        finite: np.ndarray,
        element: Format,
        scale: Format | None,
    ) -> Operand:
        """Multiply elements and scales."""
        term = Term.of(element)
        if scale is not None:
            term = term * Term.of(scale)
        flat = filtered.values(codes, scales, finite, element, scale)
        return cls(values=flat.reshape(codes.shape), finite=finite, term=term)


def product(spec: BlockMac, a: Operand, b: Operand, result: np.ndarray) -> np.ndarray | None:
    """Set the results of ``a @ b.T`` that float64 decides; return which, or None if it cannot.

    Every step of ``spec`` has the elements of a row of ``a`` and one of ``b``.
    """
    kind = spec.profile.kind
    exact = isinstance(spec.acc, str)
    acc, policy = (spec.out, spec.out_overflow) if exact else (spec.acc, spec.step_overflow)
    assert not isinstance(acc, str)
    target = host_target(acc, spec.rounding, policy, None)
    if target is None or target.whole or spec.multiplication is not None:
        return None
    if kind not in ("exact", "sequential"):
        return None
    if not (a.term.representable and b.term.representable and gradual()):
        return None
    if kind == "sequential":
        each = HostSum.of(a.term * b.term, Term.of(acc), target, spec.rounding)
        if each is None:
            return None
        sums = _Sequential(a, b, each, Direction(spec.rounding))
    else:
        sums = _Sliced.of(a, b, target, Direction(spec.rounding), exact)
    done = a.finite[:, None] & b.finite

    def tile(place: tuple[slice, slice]) -> None:
        with np.errstate(invalid="ignore"):  # of accumulators at infinity
            codes, decided = sums.evaluate(*place)
        done[place] &= decided
        result[place] = codes if exact else _read_out(codes, acc, spec)

    threads.each(tile, _tiles(result.shape, sums.tile))
    return done


def _tiles(shape: tuple[int, ...], tile: tuple[int, int]) -> list[tuple[slice, slice]]:
    rows, columns = tile
    return [
        (slice(top, top + rows), slice(left, left + columns))
        for top in range(0, shape[0], rows)
        for left in range(0, shape[1], columns)
    ]


def _read_out(codes: np.ndarray, acc: Format, spec: BlockMac) -> np.ndarray:
    if spec.out == acc:
        return codes
    flat = codes.reshape(-1)
    made = [
        project(
            unpack(flat[start : start + CHUNK], acc),
            spec.out,
            Direction(spec.rounding),
            spec.out_overflow,
        )[0]
        for start in range(0, flat.size, CHUNK)
    ]
    return np.concatenate(made).reshape(codes.shape)


class _Running:
    """Accumulators of a tile, from one rounding to the next."""

    def __init__(self, shape: tuple[int, int], target: Target, direction: Direction) -> None:
        self.target, self.direction = target, direction
        self.codes = np.zeros(shape, target.fmt.code_dtype)
        self.values = np.zeros(shape)
        self.decided: np.ndarray = np.ones(shape, bool)

    def round(self, total: np.ndarray, last: bool) -> None:
        """Take what the accumulators and the terms of a step add up to."""
        codes, left = self.target.round(total.reshape(-1), self.direction)
        if left is not None:
            self.decided.ravel()[left] = False
        if self.direction.rounding is Rounding.RDN:
            np.logical_and(self.decided, total != 0, out=self.decided)
        self.codes = codes.reshape(total.shape)
        if not last:
            self.values = values_of(self.codes, self.target.fmt)

    def leave_negative_zeros(self) -> None:
        """Zeros of products have signs that a matrix product does not tell: -0 needs them."""
        self.decided &= ~((self.values == 0) & np.signbit(self.values))

    def take(self, terms: np.ndarray, last: bool) -> None:
        """Add the terms of a step and round, in one compiled pass."""
        if len(terms):
            STEPWISE.add(self.values, terms, self.decided)
        else:
            self.leave_negative_zeros()
        if last:
            self.codes = self.values.astype(np.float32).view(self.codes.dtype)


class _Sliced:
    """Exact sums of each step, by :mod:`macaw.golden.arithmetic.binary64.slices`.

    ``tile`` is of how many rows and columns at a time.
    """

    def __init__(self, x: Slices, y: Slices, target: Target, direction: Direction) -> None:
        self.x, self.y, self.target, self.direction = x, y, target, direction
        rows, steps = x.whole.shape
        roundings = rows * len(y.whole) * steps
        self.compiled = suits(target, direction.rounding) and STEPWISE.ready(roundings)
        self.tile = _COMPILED_TILE if self.compiled else _WIDER

    @classmethod
    def of(
        cls, a: Operand, b: Operand, target: Target, direction: Direction, exact: bool
    ) -> _Sliced:
        """Cut both operands; all steps are one if nothing is rounded between them."""
        x, y = (
            each.values.reshape(len(each.values), 1, -1) if exact else each.values
            for each in (a, b)
        )
        return cls(Slices.of(x), Slices.of(y), target, direction)

    def evaluate(self, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray]:
        """Return the codes of a tile of results, and which of them are decided."""
        x, y = self.x.whole[rows], self.y.whole[columns]
        running = _Running((len(x), len(y)), self.target, self.direction)
        running.decided[...] = np.logical_and.outer(x.all(-1), y.all(-1))
        space = slices.room(self.x, self.y, rows, columns)
        steps = x.shape[1]
        for step in range(steps):
            terms = slices.products(self.x, self.y, rows, columns, step, space)
            if self.compiled:
                running.take(terms, step == steps - 1)
                continue
            running.leave_negative_zeros()
            total, lost = slices.add_up(running.values, terms)
            if lost is not None:
                running.decided &= ~lost
            running.round(total, step == steps - 1)
        return running.codes, running.decided


class _Sequential:
    """A rounding after each product."""

    tile = _TILE

    def __init__(self, a: Operand, b: Operand, each: HostSum, direction: Direction) -> None:
        self.a, self.b = (x.values.reshape(len(x.values), -1).T for x in (a, b))
        self.each, self.direction = each, direction

    def evaluate(self, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray]:
        """Return the codes of a tile of results, and which of them are decided."""
        left, right = self.a[:, rows], self.b[:, columns]
        running = _Running((left.shape[1], right.shape[1]), self.each.target, self.direction)
        for index, column in enumerate(left):
            product = np.multiply.outer(column, right[index])
            running.round(self.each.total(product, running.values), index == len(left) - 1)
        return running.codes, running.decided
