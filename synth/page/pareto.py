# SPDX-License-Identifier: BSD-2-Clause
"""Which points no other one beats in two figures."""

from __future__ import annotations

import math
from collections.abc import Sequence


def front(points: Sequence[tuple[float | None, float | None]]) -> list[int]:
    """Indices of the points on the Pareto front where less is better, by the first figure.

    A point is on it unless another is no worse in both figures and better in one; equal points
    are on it together. Points that lack a figure (None, NaN) are not, and beat none.
    """
    known = [
        (x, y, index)
        for index, (x, y) in enumerate(points)
        if x is not None and y is not None and not math.isnan(x) and not math.isnan(y)
    ]
    found: list[int] = []
    least: tuple[float, float] | None = None
    for x, y, index in sorted(known):
        if least is None or y < least[1] or (x, y) == least:
            found.append(index)
            least = x, y
    return found
