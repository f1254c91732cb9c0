# SPDX-License-Identifier: BSD-2-Clause
"""Products and sums of two terms in float64: exact, or rounded to odd, or harmlessly rounded.

A product of formats of p and q bits has p + q of them, and is a float64 if that is at most 53. A
sum is one if all its multiples of the lower quantum fit in 53 bits. Any other sum is rounded:

*Harmless double rounding.* Let A and B have at most p bits each, and one of them be a multiple of
the quantum of a format of p bits; let ``2 * p + 2 <= 53``. Then the float64 next to A + B rounds to
the same number of that format, to nearest even, as A + B does. (Figueroa, SIGNUM Newsletter 30(3),
1995.) For let the sum lie from 2**e to 2**(e+1), with h half its last place in the format, and be
no float64. Then one term, say B, has bits below ``2**(e - 52)``, and so is less than
``2**(e - 53 + p) <= h / 4``. A is at least 2**(e-1), has p bits, and so is a multiple of
``2**(e - p)``. Where the sum is normal, that is h, and A is an even multiple, as it lies in the
sum's binade; in the one below it would be a whole h or more from 2**e, which B does not bridge.
Where the sum is subnormal, B is no multiple of the quantum, so A is, an even multiple of h again.
No midpoint is then nearer to the sum, or to the float64 next to it, than h / 2.

*To odd.* For all else, and other directions, Knuth's two-sum gives what the rounding took away, and
the sum is rounded to odd (:mod:`.rounding`). Its six operations are exact: terms lie far inside
float64's range. An infinity or a NaN makes its rest a NaN, which takes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...formats.choices import Rounding
from ...formats.scalar import Fixed, Float, Format, Posit
from .rounding import DIGITS, Direction, Target

_RANGE = 900
"""Exponents of terms: far inside those of float64."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """Bounds on the values of a term: multiples of 2**low, below 2**high, of ``bits`` bits."""

    bits: int
    low: int
    high: int

    @classmethod
    def of(cls, fmt: Format) -> Term:
        """Return those of a format."""
        if isinstance(fmt, Fixed):
            return cls(bits=fmt.width, low=-fmt.fraction, high=fmt.width - fmt.fraction)
        if isinstance(fmt, Float):
            return cls(bits=fmt.precision, low=fmt.quantum, high=fmt.emax + 1)
        below = fmt.fraction if isinstance(fmt, Posit) else fmt.precision
        return cls(bits=fmt.precision, low=fmt.quantum - below, high=fmt.emax + 1)

    def __mul__(self, other: Term) -> Term:
        return Term(
            bits=self.bits + other.bits, low=self.low + other.low, high=self.high + other.high
        )

    @property
    def representable(self) -> bool:
        """Whether all values are float64."""
        return self.bits <= DIGITS and self.low >= -_RANGE and self.high <= _RANGE


@dataclass(frozen=True, kw_only=True, slots=True)
class HostSum:
    """``round(product + addend)`` in float64.

    Attributes
    ----------
    target : Target
    rounding : Rounding
    to_odd : bool
        Whether sums are rounded to odd; False where they are exact or harmlessly rounded.
    added : bool
    """

    target: Target
    rounding: Rounding
    to_odd: bool
    added: bool

    @classmethod
    def of(
        cls, product: Term, addend: Term | None, target: Target, rounding: Rounding
    ) -> HostSum | None:
        """Return how to add; None where a term is no float64."""
        if target.whole:
            return None
        if not product.representable or not (addend is None or addend.representable):
            return None
        to_odd = addend is not None and not (
            _fits(product, addend)
            or (rounding is Rounding.RNE and _harmless(product, addend, target.fmt))
        )
        return cls(target=target, rounding=rounding, to_odd=to_odd, added=addend is not None)

    @classmethod
    def of_one_operation(cls, target: Target, added: bool) -> HostSum:
        """Return what float64 itself does, as IEEE 754 has it: a result in fp64, to nearest even.

        Of two float64, by one multiplication or addition, or of one alone.
        """
        return cls(target=target, rounding=Rounding.RNE, to_odd=False, added=added)

    def evaluate(
        self, product: np.ndarray, addend: np.ndarray | None, direction: Direction
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the codes of sums, and the places of those that are not decided, or None."""
        if addend is None:
            return self.target.round(product, direction)
        total = self.total(product, addend)
        codes, left = self.target.round(total, direction)
        if self.rounding is Rounding.RDN:
            # An exact zero is negative there unless both terms are +0.
            zeros = np.flatnonzero(total == 0)
            if zeros.size:
                left = zeros if left is None else np.union1d(left, zeros)
        return codes, left

    def total(self, product: np.ndarray, addend: np.ndarray) -> np.ndarray:
        """Return float64 sums that round as the exact ones do."""
        return add(product, addend) if self.to_odd else product + addend


def _fits(x: Term, y: Term) -> bool:
    return max(x.high, y.high) + 1 - min(x.low, y.low) <= DIGITS


def _harmless(x: Term, y: Term, fmt: Float) -> bool:
    return (
        max(x.bits, y.bits) <= fmt.precision
        and 2 * fmt.precision + 2 <= DIGITS
        and max(x.low, y.low) >= fmt.quantum
    )


def two_sum(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return float64 ``x + y``, and what its rounding took away."""
    total = x + y
    back = total - x
    return total, (x - (total - back)) + (y - back)


def add(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return float64 ``x + y``, rounded to odd where it is inexact.

    numpy says what it thinks of infinities that meet; the caller wants that ignored.
    """
    total, rest = two_sum(x, y)
    bits = total.view(np.int64)
    inexact = np.abs(rest) > 0
    # Rounded away from zero, it is taken back: codes of one sign are ordered as magnitudes.
    beyond = (rest.view(np.int64) ^ bits) < 0
    beyond &= inexact
    bits -= beyond
    bits |= inexact
    return total
