# SPDX-License-Identifier: BSD-2-Clause
"""The bits of 2/pi that an angle's exponent leaves of it: a window, moved."""

import functools

from ..arithmetic.shift import shift_left
from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.table import lookup
from ..schedule.wire import Wire

__all__ = ["two_over_pi", "window_of_two_over_pi"]

_CELL = 4
"""Bits of an exponent that windows are looked up by; the others move them."""
_FEW = 6
"""Bits of an exponent that each have a window of their own."""


@scoped("window")
def window_of_two_over_pi(
    p: Scheduler, exponent: Wire, offset: int, least: int, places: int
) -> Wire:
    """``2**(exponent + offset) * 2/pi`` modulo 4, rounded down to so many places.

    Of an exponent below ``least``, the offset added, it is anything.
    """
    width = exponent.high.bit_length()
    fine = max(width - _CELL, 0) if width > _FEW else 0
    more = (1 << fine) - 1
    rows = []
    for row in range((exponent.high >> fine) + 1):
        # Rows of nothing that matters are as the first one after them.
        first = max(row, (least - offset) >> fine) << fine
        word = two_over_pi(first + offset + places + more)
        rows.append(word & ((1 << (places + 2 + more)) - 1))
    wide = lookup(p, exponent[fine:], rows).bits(places + 2 + more)
    if not fine:
        return wide
    return shift_left(p, wide, exponent[:fine], places + 2)[0]


@functools.lru_cache(maxsize=512)
def two_over_pi(places: int) -> int:
    """The floor of ``2/pi * 2**places``."""
    more = 64
    one = 1 << (max(places, 0) + more)
    # Størmer's formula: pi/4 = 6 atan(1/8) + 2 atan(1/57) + atan(1/239).
    quarter = 6 * _inverse_tangent(8, one) + 2 * _inverse_tangent(57, one)
    quarter += _inverse_tangent(239, one)
    return ((one * one) // (2 * quarter)) >> (max(places, 0) + more - places)


def _inverse_tangent(n: int, one: int) -> int:
    total, term, k = 0, one // n, 0
    while term:
        total += -(term // (2 * k + 1)) if k % 2 else term // (2 * k + 1)
        term //= n * n
        k += 1
    return total
