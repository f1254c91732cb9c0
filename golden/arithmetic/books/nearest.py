# SPDX-License-Identifier: BSD-2-Clause
"""Exact values to the codes of a book: where a value lies among the book's, and what it becomes.

A value is compared, exactly, with the values of the book, the points half way between two of them,
and zero. Between two of those marks, and on each of them, every rounding has one result: a table
has them all.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from ...formats.books import Book
from ...formats.choices import Flag, Rounding

_BEYOND = 1 << 20
"""More than any exponent."""
_TOP = 62
"""Place of the top bit of a significand that is compared."""
DIRECTIONS = tuple(each for each in Rounding if not (each.stochastic or each is Rounding.DYNAMIC))


@dataclass(frozen=True, slots=True)
class _Steps:
    """What values become.

    A place is twice the count of marks below the value, and one more if it lies on a mark.

    Attributes
    ----------
    exponents, significands : ndarray of int64
        The marks: keys as :func:`_keys` makes them, ascending.
    codes : ndarray, one row for each of :data:`DIRECTIONS`
        The result at every place; of zero that of the positive one.
    zero : int
        The place of zero.
    negative_zero : ndarray
        What becomes of a zero that is negative, in each direction.
    flags : ndarray of uint8
        At every place.
    """

    exponents: np.ndarray
    significands: np.ndarray
    codes: np.ndarray
    zero: int
    negative_zero: np.ndarray
    flags: np.ndarray


def nearest(
    book: Book,
    significand: np.ndarray,
    exponent: np.ndarray,
    negative: np.ndarray,
    rounding: Rounding,
    modes: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of numbers, and their flags INEXACT and OVERFLOW.

    ``significand`` has its top bit at place 62, or is 0; ``exponent`` is that of the top bit.
    ``modes`` are codes of the ``rm`` port, for ``Rounding.DYNAMIC``.
    """
    steps = _steps(book)
    high, low = _keys(significand, exponent, negative)
    place = _places(steps, high, low)
    zero = (significand == 0) & negative
    if modes is None:
        row = DIRECTIONS.index(rounding)
        codes = steps.codes[row].take(place)
        codes[zero] = steps.negative_zero[row]
    else:
        rows = np.array([DIRECTIONS.index(Rounding.from_code(code)) for code in range(8)])[modes]
        codes = steps.codes[rows, place]
        codes[zero] = steps.negative_zero[rows[zero]]
    return codes, steps.flags.take(place)


def _keys(
    significand: np.ndarray, exponent: np.ndarray, negative: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of integers that are ordered as the numbers are."""
    high = np.where(significand == 0, 0, exponent + _BEYOND)
    low = significand.view(np.int64)
    return np.where(negative, -high, high), np.where(negative, -low, low)


def _places(steps: _Steps, high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Return the place of each pair of :func:`_keys`."""
    count = len(steps.exponents)
    below = np.zeros(high.shape, np.int64)
    step = 1 << (count.bit_length() - 1)
    while step:
        # Whether one more `step` of marks is below.
        last = below + (step - 1)
        mark = np.minimum(last, count - 1)
        lies = (steps.exponents[mark] < high) | (
            (steps.exponents[mark] == high) & (steps.significands[mark] < low)
        )
        below += step * (lies & (last < count))
        step >>= 1
    mark = np.minimum(below, count - 1)
    on = (below < count) & (steps.exponents[mark] == high) & (steps.significands[mark] == low)
    return 2 * below + on


@functools.lru_cache(maxsize=32)
def _steps(book: Book) -> _Steps:
    values = [Fraction(value) for value in book.ordered]
    middles = [(low + high) / 2 for low, high in pairwise(values)]
    marks = sorted({*values, *middles, Fraction(0)})
    # One number for each place: the marks, and one between each two.
    beyond = abs(values[0]) + abs(values[-1]) + 1
    between = [(low + high) / 2 for low, high in pairwise([-beyond, *marks, beyond])]
    places = [each for pair in zip(between[:-1], marks, strict=True) for each in pair]
    places.append(between[-1])
    zero = 2 * marks.index(Fraction(0)) + 1
    # A zero of a book without one is as near as can be, on the side of its sign.
    sides = {sign: places[zero] if book.zero else places[zero + sign] for sign in (1, -1)}
    codes = [
        [
            _code(book, values, sides[1] if place == zero else x, x < 0, each)
            for place, x in enumerate(places)
        ]
        for each in DIRECTIONS
    ]
    flags = [
        np.uint8(0 if x in values else Flag.INEXACT)
        | np.uint8(0 if values[0] <= x <= values[-1] else Flag.OVERFLOW)
        for x in places
    ]
    split = [_mark(mark) for mark in marks]
    return _Steps(
        exponents=np.array([high for high, _ in split], np.int64),
        significands=np.array([low for _, low in split], np.int64),
        codes=np.array(codes, book.code_dtype),
        zero=zero,
        negative_zero=np.array(
            [_code(book, values, sides[-1], True, each) for each in DIRECTIONS], book.code_dtype
        ),
        flags=np.array(flags, np.uint8),
    )


def _mark(x: Fraction) -> tuple[int, int]:
    """The key of a mark, which has at most 63 significant bits."""
    if not x:
        return 0, 0
    sign = -1 if x < 0 else 1
    exponent = math.frexp(x)[1] - 1
    while abs(x) >= Fraction(2) ** (exponent + 1):
        exponent += 1  # frexp rounds: of a number just below a power of two that is one too many
    while abs(x) < Fraction(2) ** exponent:
        exponent -= 1
    scaled = abs(x) * Fraction(2) ** (_TOP - exponent)
    assert scaled.denominator == 1
    return sign * (exponent + _BEYOND), sign * scaled.numerator


def _code(
    book: Book, values: Sequence[Fraction], x: Fraction, negative: bool, rounding: Rounding
) -> int:
    """The code of ``x``: a value of the book, or between two, or beyond the ends."""
    below = [value for value in values if value <= x]
    above = [value for value in values if value >= x]
    if not below or not above or below[-1] == above[0]:
        return book.code(float(below[-1] if below else above[0]), negative=negative)
    low, high = below[-1], above[0]
    inner, outer = (high, low) if negative else (low, high)
    if low < 0 < high:
        # No zero lies between: of the two, the one with the sign is the one to stay with.
        inner = outer
    codes = {value: book.code(float(value), negative=negative) for value in (low, high)}
    nearer = inner if low == -high else min((low, high), key=abs)
    distance = (x - low) - (high - x)
    match rounding:
        case Rounding.RUP:
            chosen = high
        case Rounding.RDN:
            chosen = low
        case Rounding.RTZ:
            chosen = inner
        case Rounding.ROD:
            chosen = next(
                (
                    value
                    for value in (low, high)
                    if codes[value] % 2 > codes[low + high - value] % 2
                ),
                nearer,
            )
        case _ if distance:
            chosen = low if distance < 0 else high
        case Rounding.RNA:
            chosen = low + high - nearer
        case _:
            chosen = next(
                (
                    value
                    for value in (low, high)
                    if codes[value] % 2 < codes[low + high - value] % 2
                ),
                nearer,
            )
    return codes[chosen]
