# SPDX-License-Identifier: BSD-2-Clause
"""Sine and cosine, of an angle in radians: the nearest quarter of a turn, and what is left."""

from __future__ import annotations

from fractions import Fraction

from .enclosures import Arithmetic, Interval, pi
from .magnitudes import NEARLY, Beside, Real

_DIGITS = 40
"""Of pi, beside those of the angle, with which a quarter is sought first."""


def sine(x: Fraction) -> Real:
    """``sin x`` of an angle that is not zero."""
    t = abs(x)
    if t < NEARLY:
        return x < 0, Beside(t, False)
    return _turned(t, 0, x < 0)


def cosine(x: Fraction) -> Real:
    """``cos x`` of an angle that is not zero."""
    t = abs(x)
    if t < NEARLY:
        return False, Beside(Fraction(1), False)
    return _turned(t, 1, False)


def _turned(t: Fraction, ahead: int, negative: bool) -> Real:
    """The sine of a positive angle and so many quarters ahead of it."""
    quarters, below = _nearest_quarter(t)
    odd = (quarters + ahead) % 2 == 1
    negative ^= (quarters + ahead) % 4 >= 2
    negative ^= below and not odd

    def bounds(a: Arithmetic) -> Interval:
        rest = _rest(a, t, quarters, below)
        return a.cosine(rest) if odd else a.sine(rest)

    return negative, bounds


def _nearest_quarter(t: Fraction) -> tuple[int, bool]:
    """(the nearest multiple of a quarter of a turn, whether the angle is below it)."""
    digits = _DIGITS + _length(t)
    while True:
        low, high = pi(digits)
        quarters = round(2 * t / low)
        ends = [2 * t - quarters * end for end in (low, high)]
        if round(2 * t / high) == quarters and (ends[0] < 0) == (ends[1] < 0):
            return quarters, ends[0] < 0
        digits *= 2


def _rest(a: Arithmetic, t: Fraction, quarters: int, below: bool) -> Interval:
    """The distance of an angle from so many quarters."""
    ends = (t - quarters * end / 2 for end in pi(a.digits + _length(t)))
    low, high = sorted(-end if below else end for end in ends)
    # Pi has at least as many digits as told the side.
    return Interval(a.number(max(low, Fraction(0))).low, a.number(high).high)


def _length(t: Fraction) -> int:
    """Decimal digits of the angle's whole part, and a few."""
    return len(str(int(t))) + 3
