# SPDX-License-Identifier: BSD-2-Clause
"""Sums of rows in units that follow the largest exponent so far, in steps of 8 places."""

from __future__ import annotations

import numpy as np

from .beats import Rows

__all__ = [
    "STEP",
    "WINDOW",
    "aligned_moments",
    "aligned_sums",
    "framed",
    "running_sums",
    "shifted",
]

STEP = 8
"""What the exponent of a sum is a multiple of."""
WINDOW = 44
"""Bits of an element of which the square is added up, too."""
_HALF = WINDOW // 2
_FAR = 62
"""Shifts to the right from which on nothing of a term is left."""


def aligned_sums(
    m: np.ndarray, n: np.ndarray, rows: Rows, *, width: int, aligned: int, least: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return (s, N) of each row: those of :func:`running_sums` in its last beat."""
    s, top = running_sums(m, n, rows, width=width, aligned=aligned, least=least)
    return s[rows.ends], top[rows.ends]


def running_sums(
    m: np.ndarray, n: np.ndarray, rows: Rows, *, width: int, aligned: int, least: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return (s, N) of each beat: its row so far is near ``s * 2**(N - aligned)``. Ours.

    N is the largest n so far, rounded down to a multiple of 8. A beat takes N to the larger of it
    and its own; s goes down by as many places as N goes up, and what falls out is lost, as it is
    of each element that is added.

    Parameters
    ----------
    m, n : ndarray of int64
        Shape (beats, lanes): elements ``m * 2**(n + 1 - width)``, m from 0 to ``2**width - 1``.
    rows : Rows
    width, aligned : int
    least : int
        What N begins with, a multiple of 8.
    """
    count = rows.starts.size
    total, top = np.zeros(count, np.int64), np.full(count, least, np.int64)
    s, tops = np.empty(len(m), np.int64), np.empty(len(m), np.int64)
    for active, beats in rows.turns():
        before, here = top[active], n[beats]
        now = np.maximum(before, here.max(axis=1) & -STEP)
        terms = framed(m[beats], here, now[:, None], width=width, aligned=aligned)
        total[active] = shifted(total[active], now - before) + terms.sum(axis=1)
        top[active] = now
        s[beats], tops[beats] = total[active], now
    return s, tops


def aligned_moments(
    m: np.ndarray,
    n: np.ndarray,
    negative: np.ndarray,
    rows: Rows,
    *,
    width: int,
    aligned: int,
    least: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (s, Q, N) of each row: of elements with signs and of their squares. Ours.

    N and s are those of :func:`aligned_sums`, with elements rounded toward zero and s rounded
    down. Q is the sum of the squares of what each element adds to s, in units of
    ``2**(2 (N - aligned))``, and goes down by twice as many places.

    Parameters
    ----------
    m, n, negative : ndarray of int64, and of bool
        Shape (beats, lanes): elements ``m * 2**(n + 1 - width)``, m from 0 to ``2**width - 1``,
        negated where ``negative``.
    rows : Rows
    width, aligned : int
        ``aligned + STEP`` is :data:`WINDOW` at most.
    least : int
        What N begins with, a multiple of 8.

    Returns
    -------
    tuple of ndarray
        Of int64, of Python's integers, and of int64.
    """
    count = rows.starts.size
    total, top = np.zeros(count, np.int64), np.full(count, least, np.int64)
    squares = np.zeros(count, object)
    for active, beats in rows.turns():
        before, here = top[active], n[beats]
        now = np.maximum(before, here.max(axis=1) & -STEP)
        size = framed(m[beats], here, now[:, None], width=width, aligned=aligned)
        terms = np.where(negative[beats], -size, size)
        total[active] = shifted(total[active], now - before) + terms.sum(axis=1)
        high, low = size >> _HALF, size & ((1 << _HALF) - 1)
        parts = (high * high, high * low, low * low)
        hh, hl, ll = (part.sum(axis=1).astype(object) for part in parts)
        moved = squares[active] >> (2 * (now - before)).astype(object)
        squares[active] = moved + (hh << 2 * _HALF) + (hl << (_HALF + 1)) + ll
        top[active] = now
    return total, squares, top


def framed(
    m: np.ndarray, n: np.ndarray, top: np.ndarray, *, width: int, aligned: int
) -> np.ndarray:
    """Return elements ``m * 2**(n + 1 - width)`` in units of ``2**(top - aligned)``, rounded down.

    n is below ``top + STEP``.
    """
    up = aligned + STEP - width
    return shifted(m << max(up, 0), top + STEP - 1 - n + max(-up, 0))


def shifted(word: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the words shifted to the right, however far."""
    return word >> np.minimum(places, _FAR)
