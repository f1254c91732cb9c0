# SPDX-License-Identifier: BSD-2-Clause
"""The butterfly of the Hadamard transform, of numbers and of marks on them."""

from collections.abc import Sequence

from ...schedule.labels import scoped
from ...schedule.scheduler import Scheduler
from ...schedule.wire import Wire

__all__ = ["butterfly", "butterfly_marks"]


@scoped("butterfly")
def butterfly(p: Scheduler, words: Sequence[Wire]) -> list[Wire]:
    """The sums ``sum_j (-1)**popcount(i & j) * words[j]``, exact, for every i."""
    result = list(words)
    step = 1
    while step < len(result):
        for i in range(len(result)):
            if not i & step:
                x, y = result[i], result[i + step]
                result[i], result[i + step] = p.add(x, y), p.subtract(x, y)
        step *= 2
    return result


def butterfly_marks(plus: Sequence[Wire], minus: Sequence[Wire]) -> list[tuple[Wire, Wire]]:
    """For every sum, whether one of its terms has the mark; a subtracted term's marks change."""
    result = list(zip(plus, minus, strict=True))
    step = 1
    while step < len(result):
        for i in range(len(result)):
            if not i & step:
                (x_plus, x_minus), (y_plus, y_minus) = result[i], result[i + step]
                result[i] = x_plus | y_plus, x_minus | y_minus
                result[i + step] = x_plus | y_minus, x_minus | y_plus
        step *= 2
    return result
