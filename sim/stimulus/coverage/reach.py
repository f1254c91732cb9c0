# SPDX-License-Identifier: BSD-2-Clause
"""What exact values a unit can have, by its formats, and how it is said why it has no others."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from macaw.golden.formats import Fixed, Format

from .values import extremes


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What exact values a unit can have.

    Attributes
    ----------
    low : int
        They are multiples of ``2**low``, if ``endless`` is not set.
    bits : int
        Digits of the longest, at most.
    least, largest : Fraction
        Bounds of the magnitudes that are not zero.
    endless : bool
        Quotients and roots have digits without end.
    """

    low: int
    bits: int
    least: Fraction
    largest: Fraction
    endless: bool = False

    @classmethod
    def of(cls, fmt: Format) -> Reach:
        """Those of the numbers of a format."""
        least, largest = extremes(fmt)
        bits = fmt.width if isinstance(fmt, Fixed) else fmt.precision
        return cls(low=fmt.quantum, bits=bits, least=least, largest=largest)

    def __mul__(self, other: Reach) -> Reach:
        return Reach(
            low=self.low + other.low,
            bits=self.bits + other.bits,
            least=self.least * other.least,
            largest=self.largest * other.largest,
        )

    def plus(self, other: Reach, count: int = 1) -> Reach:
        """Those of the sum of ``count`` of these and one other."""
        return self._sum(min(self.low, other.low), count * self.largest + other.largest)

    def times(self, count: int) -> Reach:
        """Those of the sum of up to ``count`` of these."""
        return self._sum(self.low, count * self.largest)

    def _sum(self, low: int, largest: Fraction) -> Reach:
        most = math.ceil(largest / Fraction(2) ** low).bit_length()
        return Reach(low=low, bits=most, least=Fraction(2) ** low, largest=largest)

    def over(self, other: Reach) -> Reach:
        """Those of quotients."""
        least, largest = self.least / other.largest, self.largest / other.least
        return Reach(low=-(1 << 20), bits=1 << 20, least=least, largest=largest, endless=True)

    def root(self) -> Reach:
        """Those of square roots, about."""
        least, largest = (Fraction(math.sqrt(x)) for x in (self.least, self.largest))
        return Reach(low=-(1 << 20), bits=1 << 20, least=least, largest=largest, endless=True)


def reason_of(*reasons: tuple[str, bool]) -> str:
    """The first text that holds and is not empty."""
    return next((text for text, holds in reasons if holds and text), "")


def span(low: int, high: int) -> str:
    """A range of numbers in words."""
    return str(low) if low == high else f"{low} or more" if high >= 1 << 19 else f"{low} to {high}"


def power(value: Fraction) -> int:
    """The exponent of the leading bit."""
    found = value.numerator.bit_length() - value.denominator.bit_length()
    return found if value >= Fraction(2) ** found else found - 1


def at_most(value: Fraction) -> str:
    """Why no value is larger."""
    return f"values are below 2^{power(value) + 1}"


def at_least(value: Fraction) -> str:
    """Why no value but zero is smaller."""
    return f"values that are not zero are 2^{power(value)} or more"
