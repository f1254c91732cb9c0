# SPDX-License-Identifier: BSD-2-Clause
"""Sums in a fixed order, and of several quantisations of a row that of the least squared error."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

Attempt = Callable[[np.float32], tuple[tuple[np.ndarray, ...], np.ndarray]]
"""Of a factor: arrays of codes, first axis n, and the values (n, K) that they stand for."""


def tree_sum(values: np.ndarray) -> np.ndarray:
    """Return the sums (n,) of rows (n, K) of float64, rounded at each step, as a tree.

    A row is filled up with zeros to a power of two, and its upper half added to the lower until
    one is left.
    """
    count = values.shape[1]
    size = 1 << max(count - 1, 0).bit_length()
    total = np.zeros((len(values), size))
    total[:, :count] = values
    while size > 1:
        size //= 2
        total = total[:, :size] + total[:, size:]
    return total[:, 0]


def least_squares(
    values: np.ndarray, factors: Iterable[np.float32], attempt: Attempt
) -> tuple[np.ndarray, ...]:
    """Return the codes of the attempt with the least error, for each row; of equals the first.

    The error of a row is the :func:`tree_sum` of the squares of the differences between its
    ``values`` and what the codes stand for, differences and squares rounded to float64.
    """
    kept: tuple[np.ndarray, ...] = ()
    least = np.full(len(values), np.inf)
    for number, factor in enumerate(factors):
        codes, decoded = attempt(factor)
        error = tree_sum(np.square(values - decoded))
        if number == 0:
            kept, least = codes, error
            continue
        better = error < least
        least[better] = error[better]
        for old, new in zip(kept, codes, strict=True):
            old[better] = new[better]
    return kept


def fitted(
    values: np.ndarray, factors: Iterable[np.float32] | None, attempt: Attempt
) -> tuple[np.ndarray, ...]:
    """Return the codes of :func:`least_squares` of fp32 rows, or of the one attempt without factors
    to search."""
    if factors is None:
        codes, _ = attempt(np.float32(1))
        return codes
    return least_squares(values.astype(np.float64), factors, attempt)
