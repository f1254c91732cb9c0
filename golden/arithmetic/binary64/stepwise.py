# SPDX-License-Identifier: BSD-2-Clause
"""Steps of many sums in fp32 at a time, in one compiled pass each, where numba is found.

A step adds exact terms to what is held and rounds that to fp32, to nearest even. numpy takes some
twenty passes for what :func:`.slices.add_up` and :func:`.sums.add` say; this has the same results.
It also holds no lock of Python's, so that threads have sums of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...formats.choices import Rounding
from ...formats.scalar import FORMATS
from . import compiled
from .compiled import Compiled
from .rounding import Target

LEAST, LEAST_BESIDE_SUMS = 1 << 27, 1 << 24
"""Roundings before the pass is made, and where sums are compiled."""


def suits(target: Target, rounding: Rounding) -> bool:
    """Whether the pass rounds as a step does: to fp32, to nearest even, beyond it to infinity."""
    nearest = rounding is Rounding.RNE and target.limit > target.fmt.max_code
    return nearest and target.fmt == FORMATS["fp32"]


class Stepwise(Compiled):
    """The compiled pass, made when enough roundings were asked for."""

    def __init__(self) -> None:
        super().__init__(_step, "void(f8[:,::1], f8[:,:,::1], b1[:,::1])")

    def least(self) -> int:
        """Roundings before it is made."""
        return LEAST_BESIDE_SUMS if compiled.SUMS.made else LEAST

    def add(self, held: np.ndarray, terms: np.ndarray, decided: np.ndarray) -> None:
        """Round ``held + sum(terms)`` to fp32, in place.

        Parameters
        ----------
        held : ndarray
            Of shape (rows, columns), float64: numbers of fp32, and its infinities.
        terms : ndarray
            Of shape (number, rows, columns), at least one, finite float64 that lie far inside the
            range.
        decided : ndarray of bool
            Of shape (rows, columns): made False where the sum is not, as more than two float64
            are left of it, or -0 was held.
        """
        assert self.made is not None
        self.made(held, terms, decided)


def _step(held: Any, terms: Any, decided: Any) -> None:
    """In plain Python too. Loops over columns have no branches, so that a processor does several
    of their turns at a time."""
    count, rows, columns = terms.shape
    total, rest = np.empty(columns), np.empty(columns)
    negative_zero = np.int64(-1 << 63)
    for row in range(rows):
        for at in range(columns):
            x, y = held[row, at], terms[0, row, at]
            decided[row, at] &= np.float64(x).view(np.int64) != negative_zero
            added = x + y
            back = added - x
            rest[at] = (x - (added - back)) + (y - back)
            total[at] = added
        for term in range(1, count):
            for at in range(columns):
                x, y = total[at], terms[term, row, at]
                added = x + y
                back = added - x
                error = (x - (added - back)) + (y - back)
                total[at] = added
                x = rest[at]
                added = x + error
                back = added - x
                decided[row, at] &= ((x - (added - back)) + (error - back)) == 0
                rest[at] = added
        if count > 1:
            for at in range(columns):
                x, y = total[at], rest[at]
                added = x + y
                back = added - x
                rest[at] = (x - (added - back)) + (y - back)
                total[at] = added
        for at in range(columns):  # to odd, and on to fp32
            error = rest[at]
            bits = np.float64(total[at]).view(np.int64)
            inexact = np.int64(abs(error) > 0)
            beyond = np.int64((np.float64(error).view(np.int64) ^ bits) < 0) & inexact
            odd = np.int64((bits - beyond) | inexact)
            held[row, at] = np.float32(odd.view(np.float64))


STEPWISE = Stepwise()
