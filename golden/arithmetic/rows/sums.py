# SPDX-License-Identifier: BSD-2-Clause
"""Sums of rows in units that follow the largest exponent so far, in steps of 8 places."""

from __future__ import annotations

import numpy as np

from .beats import Rows

__all__ = ["STEP", "aligned_sums", "shifted"]

STEP = 8
"""What the exponent of a sum is a multiple of."""
_FAR = 62
"""Shifts to the right from which on nothing of a term is left."""


def aligned_sums(
    m: np.ndarray, n: np.ndarray, rows: Rows, *, width: int, aligned: int, least: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return (s, N) of each row: the sum is near ``s * 2**(N - aligned)``. Ours.

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
    up = aligned + STEP - width
    m, down = m << max(up, 0), max(-up, 0)
    for active, beats in rows.turns():
        before, here = top[active], n[beats]
        now = np.maximum(before, here.max(axis=1) & -STEP)
        terms = shifted(m[beats], now[:, None] + STEP - 1 - here + down)
        total[active] = shifted(total[active], now - before) + terms.sum(axis=1)
        top[active] = now
    return total, top


def shifted(word: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the words shifted to the right, however far."""
    return word >> np.minimum(places, _FAR)
