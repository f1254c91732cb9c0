# SPDX-License-Identifier: BSD-2-Clause
"""Code books whose values are powers: logarithmic numbers (LNS), and NUPES."""

from __future__ import annotations

import functools
import re
from fractions import Fraction

from ..errors import FormatError
from .books import WIDEST, Book
from .texts import fraction as number
from .texts import whole

DIGITS = 24
"""Significant bits of a value that is rounded to be one: those of float32."""
_STEEPEST = 8
"""The largest exponent of NUPES; the least value of 8 bits is then 2**-56."""

_LNS = re.compile(r"lns(?P<width>\d+)\.(?P<fraction>\d+)(?P<zero>nozero)?")
_NUPES = re.compile(r"nupes(?P<width>\d+)a(?P<power>\d+(?:\.\d+)?)")


def power_book(name: str) -> Book | None:
    """Return the code book that a name of the grammar means; None for other names.

    ``lns<width>.<fraction>[nozero]``: a sign, and the logarithm of the magnitude in units of
    ``2**-fraction``. The fields are those of a float of as many bits of exponent and mantissa,
    bias and zero included (``nosub``), and both have the same powers of two: a code of magnitude m
    is ``2**(m / 2**fraction - bias)``, zero where m is 0 (but with ``nozero``), and ``lns4.0`` is
    ``e3m0nosub``.

    ``nupes<width>a<power>`` (NUPES, arXiv 2308.05600): a sign, and an integer k of ``width - 1``
    bits, the value is ``(k / K)**power`` with K the largest k; the power has at most two decimals.

    A power that has no end in binary is the nearest number of 24 significant bits, the float32
    that a table in software would have; ties, which only rational powers have, to even. What is
    computed from values is exact: a product of two need not be the value of the logarithms' sum,
    but is nearest to it.

    Raises
    ------
    FormatError for a width, fraction or power that is out of range.
    """
    if match := _LNS.fullmatch(name):
        width, fraction = whole(match["width"]), whole(match["fraction"])
        return _logarithmic(name, width, fraction, not match["zero"])
    if match := _NUPES.fullmatch(name):
        return _power_function(name, whole(match["width"]), match["power"])
    return None


def logarithm_fraction(book: Book) -> int | None:
    """Return the bits of the logarithm's fraction of an LNS; None for another book."""
    match = _LNS.fullmatch(book.name)
    return int(match["fraction"]) if match and power_book(book.name) == book else None


@functools.lru_cache(maxsize=64)
def _logarithmic(name: str, width: int, fraction: int, zero: bool) -> Book:
    exponent = width - 1 - fraction
    if not (2 <= width <= WIDEST and exponent >= 1):
        raise FormatError(
            f"{name}: must be lns<w>.<f> with w from 2 to {WIDEST}, and f from 0 to w - 2"
        )
    one = ((1 << (exponent - 1)) - 1) << fraction
    steps = (Fraction(field - one, 1 << fraction) for field in range(1 << (width - 1)))
    magnitudes = [float(rounded_power(Fraction(2), step)) for step in steps]
    if zero:
        magnitudes[0] = 0.0
    return _with_both_signs(f"lns{width}.{fraction}{'' if zero else 'nozero'}", magnitudes)


@functools.lru_cache(maxsize=64)
def _power_function(name: str, width: int, text: str) -> Book:
    power = number(text) or Fraction(0)
    if not (2 <= width <= WIDEST and 0 < power <= _STEEPEST and (100 * power).denominator == 1):
        raise FormatError(
            f"{name}: must be nupes<w>a<power> with w from 2 to {WIDEST}, and a power of at most "
            f"two decimals above 0 and up to {_STEEPEST}"
        )
    last = (1 << (width - 1)) - 1
    ratios = (Fraction(k, last) for k in range(1, last + 1))
    magnitudes = [0.0, *(float(rounded_power(ratio, power)) for ratio in ratios)]
    above, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    spelled = f"{int(above)}.{decimals}" if decimals else f"{int(above)}"
    return _with_both_signs(f"nupes{width}a{spelled}", magnitudes)


def _with_both_signs(name: str, magnitudes: list[float]) -> Book:
    return Book(name=name, values=(*magnitudes, *(-magnitude for magnitude in magnitudes)))


def rounded_power(base: Fraction, power: Fraction, digits: int = DIGITS) -> Fraction:
    """Return the number of ``digits`` significant bits nearest to ``base**power``, ties to even.

    ``base`` is positive; the range of exponents has no end. By integers alone: the root of a
    scaled integer, rounded down, is exact or known not to be.
    """
    radicand, degree = base**power.numerator, power.denominator
    # The root lies between the powers of two on both sides of this one.
    size = (radicand.numerator.bit_length() - radicand.denominator.bit_length()) // degree
    places = digits + 3 - size
    scaled = radicand * Fraction(2) ** (degree * places)
    root = integer_root(scaled.numerator // scaled.denominator, degree)
    jammed = 2 * root + (root**degree != scaled)
    return rounded(jammed * Fraction(2) ** (-places - 1), digits)


def rounded(value: Fraction, digits: int = DIGITS) -> Fraction:
    """Return the number of ``digits`` significant bits nearest to ``value``, ties to even."""
    if not value:
        return value
    length = abs(value.numerator).bit_length() - value.denominator.bit_length()
    # The leading bit weighs 2**length, or half of it.
    ulp = Fraction(2) ** (length - digits + 1)
    if abs(value) < Fraction(2) ** length:
        ulp /= 2
    return round(value / ulp) * ulp


def integer_root(value: int, degree: int) -> int:
    """Return the root of an integer that is not negative, rounded down: Newton's iteration from
    above."""
    if value < 2 or degree == 1:
        return value
    guess = 1 << -(-value.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + value // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better
