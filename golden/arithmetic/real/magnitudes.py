# SPDX-License-Identifier: BSD-2-Clause
"""What a real function is at a number: a fraction, beside one, or between bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from .enclosures import Arithmetic, Interval

NEARLY = Fraction(1, 1 << 80)
"""Arguments so small that only the first term of a series counts."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A magnitude so near to a fraction of few bits that only the side matters: more or less.

    The difference is below 2**-64 of it, but where the value stands for all that is beyond the
    range of every format.
    """

    value: Fraction
    more: bool


Bounds = Callable[[Arithmetic], Interval]
"""Of an irrational magnitude, by the arithmetic to evaluate it with."""
Magnitude = Fraction | Beside | Bounds
Real = tuple[bool, Magnitude] | None
"""Whether a value is negative, and its magnitude; None outside the domain."""
