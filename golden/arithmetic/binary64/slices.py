# SPDX-License-Identifier: BSD-2-Clause
"""Exact dot products by float64 matrix products, of operands cut into slices of short integers.

Cut each operand into slices that are whole numbers of at most w bits, times a power of two that a
vector shares; let ``2 * w + log2(K) <= 53``. Then every product of two slices, every partial sum of
K of those in whatever order a library adds, and so the result of a matrix product, is a whole
number of at most 53 bits times one power of two: nothing was rounded. The sum of the products of
all pairs of slices is the exact dot product. (Ozaki, Ogita, Oishi and Rump, Numerical Algorithms
59(1), 2012.) A fused multiply-add in the library changes nothing: what it rounds is exact too.

How many slices a vector takes follows from the distance between the largest and the least bit in
it. Those that would take more than :data:`MOST` are left to integers.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from .rounding import DIGITS
from .sums import add, two_sum

MOST = 3
"""Slices of an operand: those of 24 bits hold the fp16 of any vector in two."""
_ROWS = 1 << 17
"""Elements that are cut at a time."""
_FARTHEST = 400
"""Exponents of operands between which all slices and their products are far inside float64."""


def width(count: int) -> int:
    """Return the bits of a slice for dot products of ``count`` elements."""
    return (DIGITS - (count - 1).bit_length()) // 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Slices:
    """Vectors as sums of slices.

    Attributes
    ----------
    parts : list of ndarray
        Float64 of the shape of the vectors, which lie along the last axis.
    some : list of ndarray
        For each part, where a vector is not zero there.
    whole : ndarray
        Where the parts are all of a vector.
    """

    parts: list[np.ndarray]
    some: list[np.ndarray]
    whole: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray) -> Slices:
        """Cut finite float64 ``vectors``."""
        bits = width(vectors.shape[-1])
        flat = vectors.reshape(-1, vectors.shape[-1])
        parts: list[np.ndarray] = []
        some: list[np.ndarray] = []
        whole = np.ones(len(flat), bool)
        rows = max(_ROWS // flat.shape[-1], 1)
        for start in range(0, len(flat), rows):
            piece = slice(start, start + rows)
            rest = flat[piece]
            for index in range(MOST + 1):
                largest = np.abs(rest).max(-1)
                there = largest > 0
                if index == 0:
                    exponent = np.frexp(largest)[1]
                    whole[piece] = np.abs(exponent) <= _FARTHEST
                if not there.any():
                    break
                if index == MOST:
                    whole[piece] &= ~there
                    break
                if index == len(parts):
                    parts.append(np.zeros(flat.shape))
                    some.append(np.zeros(len(flat), bool))
                head = _head(rest, largest, bits)
                parts[index][piece], some[index][piece] = head, there
                rest = rest - head
        shape = vectors.shape[:-1]
        return cls(
            parts=[part.reshape(vectors.shape) for part in parts],
            some=[each.reshape(shape) for each in some],
            whole=whole.reshape(shape),
        )


def _head(vectors: np.ndarray, largest: np.ndarray, bits: int) -> np.ndarray:
    """Return each vector rounded to multiples of its largest element's power of two, ``bits`` down.

    That is the last place of the number that is added and taken away.
    """
    exponent = np.clip(np.frexp(largest)[1], -2 * _FARTHEST, _FARTHEST)
    shift = np.ldexp(1.5, exponent + (DIGITS - 1 - bits))[:, None]
    return (vectors + shift) - shift


def room(x: Slices, y: Slices, rows: slice, columns: slice) -> np.ndarray:
    """Return what :func:`products` of some rows with some columns has room in."""
    shape = len(x.whole[rows]), len(y.whole[columns])
    return np.empty((len(x.parts) * len(y.parts), *shape))


def products(
    x: Slices, y: Slices, rows: slice, columns: slice, step: int, space: np.ndarray
) -> np.ndarray:
    """Return float64 whose sums are the dot products of some rows, at one step, with columns.

    Of shape (number, rows, columns), a part of ``space``.
    """
    left = [
        p[rows, step] for p, some in zip(x.parts, x.some, strict=True) if some[rows, step].any()
    ]
    right = [
        p[columns, step].T
        for p, some in zip(y.parts, y.some, strict=True)
        if some[columns, step].any()
    ]
    pairs = list(itertools.product(left, right))
    for (a, b), term in zip(pairs, space, strict=False):
        np.matmul(a, b, out=term)
    return space[: len(pairs)]


def add_up(held: np.ndarray, terms: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return ``held + sum(terms)``, rounded to odd, and where it is not that (None: nowhere).

    Two-sums leave a sum and its errors, and those their sum and errors of their own. Where the
    latter are zero, the two sums are all there is.
    """
    if len(terms) == 0:
        return held, None
    if len(terms) == 1:
        return add(held, terms[0]), None
    total, rest = two_sum(held, terms[0])
    lost = np.zeros(held.shape, bool)
    for term in terms[1:]:
        total, error = two_sum(total, term)
        rest, least = two_sum(rest, error)
        lost |= least != 0
    return add(total, rest), lost
