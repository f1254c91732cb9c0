# SPDX-License-Identifier: BSD-2-Clause
"""Beats that are divided into rows, each up to a beat that ends one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..operands import CHUNK


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of beats: where they begin, and how many beats they have.

    Attributes
    ----------
    starts, lengths : ndarray of int64
    """

    starts: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, end: np.ndarray, most: int) -> Rows:
        """Return the rows that ``end`` ends; one of more than ``most`` beats ends there."""
        ends = np.append(np.flatnonzero(end), end.size - 1)
        starts = np.append(0, ends[:-1] + 1)
        lengths = ends + 1 - starts
        whole, rest = np.divmod(lengths, most)
        parts = whole + (rest > 0)
        order = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
        starts = np.repeat(starts, parts) + order * most
        lengths = np.minimum(np.repeat(lengths, parts) - order * most, most)
        return cls(starts, lengths)

    @property
    def ends(self) -> np.ndarray:
        """The last beat of each."""
        return self.starts + self.lengths - 1

    def parts(self, lanes: int) -> Iterator[tuple[slice, Rows]]:
        """Yield runs of whole rows of about a chunk of elements: (their beats, the rows there)."""
        count = max(4 * CHUNK // lanes, 1)
        first = 0
        while first < self.starts.size:
            begin = int(self.starts[first])
            behind = int(np.searchsorted(self.starts, begin + count, "left"))
            last = max(behind - 1, first)
            beats = slice(begin, int(self.ends[last]) + 1)
            part = slice(first, last + 1)
            yield beats, Rows(self.starts[part] - begin, self.lengths[part])
            first = last + 1

    def turns(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield for each number of a beat in its row: (the rows that have it, those beats)."""
        order = np.argsort(-self.lengths, kind="stable")
        lengths = -self.lengths[order]
        for beat in range(int(self.lengths.max())):
            rows = order[: int(np.searchsorted(lengths, -beat))]
            yield rows, self.starts[rows] + beat

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return the value of each beat's row."""
        return np.repeat(values, self.lengths)
