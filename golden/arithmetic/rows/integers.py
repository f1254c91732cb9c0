# SPDX-License-Identifier: BSD-2-Clause
"""Softmax of rows of integers, of any length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..functions import Exponential, Probability
from .beats import Rows


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegerSoftmax:
    """:func:`macaw.golden.arithmetic.functions.softmax` of what is present of each row.

    What is not present has the probability 0.

    Parameters
    ----------
    constants : Exponential
    result : Probability
    reciprocal : int
        Bits of the sum's reciprocal.
    """

    constants: Exponential
    result: Probability
    reciprocal: int

    def __call__(self, x: np.ndarray, present: np.ndarray, rows: Rows) -> np.ndarray:
        """Return integers of the result.

        Parameters
        ----------
        x : ndarray of int64
            Shape (beats, lanes).
        present : ndarray of bool
            Of the same shape.
        rows : Rows
            That the beats are divided into.
        """
        largest = np.where(present, x, np.iinfo(np.int64).min).max(axis=1)
        largest = rows.spread(np.maximum.reduceat(largest, rows.starts))[:, None]
        e = np.where(present, self.constants(np.where(present, x - largest, 0)), 0)
        total = rows.spread(np.add.reduceat(e.sum(axis=1), rows.starts))[:, None]
        return self.result.of_total(e, np.maximum(total, 1), self.reciprocal)
