# SPDX-License-Identifier: BSD-2-Clause
"""Real numbers that rows are calculated with, in few bits."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, kw_only=True, slots=True)
class Constant:
    """The nearest ``significand * 2**exponent`` to a number, ties to even. Ours.

    Parameters
    ----------
    value : Fraction
        Above zero.
    bits : int
        The significand has 2 more.
    """

    value: Fraction
    bits: int

    @property
    def exponent(self) -> int:
        """Of the last place."""
        return self.highest - self.bits - 1

    @property
    def highest(self) -> int:
        """The exponent of the number's leading one."""
        n, d = self.value.numerator, self.value.denominator
        guess = n.bit_length() - d.bit_length()
        return guess if self.value >= Fraction(2) ** guess else guess - 1

    @property
    def significand(self) -> int:
        """From ``2**(bits + 1)`` to ``2**(bits + 2)``."""
        return round(self.value / Fraction(2) ** self.exponent)
