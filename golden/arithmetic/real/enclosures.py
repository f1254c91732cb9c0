# SPDX-License-Identifier: BSD-2-Clause
"""Arithmetic on intervals of decimals: what real functions are evaluated with.

The ends of every interval are rounded outwards, so that the value is between them whatever the
number of digits. Python's ``decimal`` rounds sums, products, quotients and square roots as it is
told, and exponentials and logarithms to the nearest decimal, of which the next one is a bound.
"""

from __future__ import annotations

import decimal
import functools
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

_WIDEST = 999_999
"""Decimal exponents: far beyond those of any format."""
_STEP = 50
"""Digits of pi are a multiple of this, so that few different ones are made."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Two decimals, and what lies between them."""

    low: Decimal
    high: Decimal


class Arithmetic:
    """Operations on intervals with ``digits`` digits. Factors and divisors are not negative."""

    def __init__(self, digits: int) -> None:
        self.digits = digits
        traps = [decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow]
        self._down, self._up, self._near = (
            decimal.Context(digits, rounding, -_WIDEST, _WIDEST, traps=traps)
            for rounding in (decimal.ROUND_FLOOR, decimal.ROUND_CEILING, decimal.ROUND_HALF_EVEN)
        )

    def number(self, x: Fraction | int) -> Interval:
        """``x``."""
        parts = Decimal(x.numerator), Decimal(x.denominator)
        return Interval(self._down.divide(*parts), self._up.divide(*parts))

    def add(self, x: Interval, y: Interval) -> Interval:
        """``x + y``."""
        return Interval(self._down.add(x.low, y.low), self._up.add(x.high, y.high))

    def subtract(self, x: Interval, y: Interval) -> Interval:
        """``x - y``."""
        return Interval(self._down.subtract(x.low, y.high), self._up.subtract(x.high, y.low))

    def multiply(self, x: Interval, y: Interval) -> Interval:
        """``x * y``."""
        return Interval(self._down.multiply(x.low, y.low), self._up.multiply(x.high, y.high))

    def divide(self, x: Interval, y: Interval) -> Interval:
        """``x / y``."""
        return Interval(self._down.divide(x.low, y.high), self._up.divide(x.high, y.low))

    def root(self, x: Interval) -> Interval:
        """The square root of ``x``, which is not negative."""
        return self._outwards(self._near.sqrt(x.low), self._near.sqrt(x.high))

    def exp(self, x: Interval) -> Interval:
        """``e**x``, of any x."""
        return self._outwards(self._near.exp(x.low), self._near.exp(x.high))

    def ln(self, x: Interval) -> Interval:
        """The natural logarithm of ``x``, which is positive."""
        return self._outwards(self._near.ln(x.low), self._near.ln(x.high))

    def _outwards(self, low: Decimal, high: Decimal) -> Interval:
        return Interval(self._near.next_minus(low), self._near.next_plus(high))

    def pi(self) -> Interval:
        """The ratio of a circle's circumference to its diameter, by Machin's formula."""
        low, high = pi(self.digits + 10)
        return Interval(self.number(low).low, self.number(high).high)

    def sine(self, t: Interval) -> Interval:
        """``sin t`` of t from 0 to 1."""
        return self._alternating(t, self.multiply(t, t), 1)

    def cosine(self, t: Interval) -> Interval:
        """``cos t`` of t from 0 to 1."""
        return self._alternating(self.number(1), self.multiply(t, t), 0)

    def _alternating(self, term: Interval, square: Interval, n: int) -> Interval:
        """``term - term * square / ((n + 1)(n + 2)) + …``, whose terms fall: x**n / n! of each."""
        sums = [self.number(0), self.number(0)]
        least = self._up.scaleb(term.high, -self.digits)
        side = 0
        while term.high > least:
            sums[side] = self.add(sums[side], term)
            term = self.divide(self.multiply(term, square), self.number((n + 1) * (n + 2)))
            side, n = 1 - side, n + 2
        total = self.subtract(*sums)
        # What is left out is less than its first term.
        return Interval(
            self._down.subtract(total.low, term.high), self._up.add(total.high, term.high)
        )

    def error_function(self, t: Interval) -> Interval:
        """``erf(t)`` of a positive t: ``2/sqrt(pi) exp(-t**2) sum (2 t**2)**n t / (2n + 1)!!``.

        No term is negative (Abramowitz and Stegun, 7.1.6).
        """
        square = self.multiply(t, t)
        twice = self.add(square, square)
        term = total = t
        n = 0
        while True:
            n += 1
            odd = self.number(2 * n + 1)
            term = self.divide(self.multiply(term, twice), odd)
            total = self.add(total, term)
            # From here on each term is less than half of the one before.
            small = term.high < self._up.scaleb(total.low, -self.digits)
            if small and 2 * twice.high < 2 * n + 3:
                break
        total = Interval(total.low, self._up.add(total.high, term.high))
        return self._scaled(total, square)

    def complementary_error_function(self, t: Interval) -> Interval:
        """``1 - erf(t)`` of t above 2: ``exp(-t**2)/sqrt(pi) / (t + 1/2/(t + 2/2/(t + 3/2/…)))``.

        It is between any two neighbouring convergents (Abramowitz and Stegun, 7.1.14).
        """
        square, terms = self.multiply(t, t), 16
        while True:
            first, second = self._convergent(t, terms), self._convergent(t, terms + 1)
            low, high = min(first.low, second.low), max(first.high, second.high)
            if self._up.subtract(high, low) < self._up.scaleb(low, 3 - self.digits):
                break
            terms *= 2
        half = self.number(Fraction(1, 2))
        return self._scaled(self.multiply(Interval(low, high), half), square)

    def _convergent(self, t: Interval, terms: int) -> Interval:
        below = t
        for k in range(terms, 0, -1):
            below = self.add(t, self.divide(self.number(Fraction(k, 2)), below))
        return self.divide(self.number(1), below)

    def _scaled(self, x: Interval, square: Interval) -> Interval:
        """``x * 2/sqrt(pi) * exp(-square)``."""
        factor = self.divide(self.number(2), self.root(self.pi()))
        return self.divide(self.multiply(x, factor), self.exp(square))


def pi(digits: int) -> tuple[Fraction, Fraction]:
    """Fractions below and above pi, less than a unit of the last of ``digits`` apart."""
    return _pi(-(-digits // _STEP) * _STEP)


@functools.lru_cache(maxsize=8)
def _pi(digits: int) -> tuple[Fraction, Fraction]:
    # A few more, of which the last ones are not known.
    digits += 10
    one = 10**digits
    found = 4 * (4 * _inverse_tangent(5, one) - _inverse_tangent(239, one))
    # Each term, of which there are fewer than digits, is floored twice.
    slack = 40 * digits
    return Fraction(found - slack, one), Fraction(found + slack, one)


def _inverse_tangent(n: int, one: int) -> int:
    """``one * arctan(1/n)``, but for a place or two for each term."""
    power = one // n
    total, k, square = power, 1, n * n
    while power:
        power //= square
        k += 2
        total += -(power // k) if k % 4 == 3 else power // k
    return total
