# SPDX-License-Identifier: BSD-2-Clause
"""Rounding to the formats whose codes are the upper bits of float32's: bf16, tf32 and their kin.

A float64 x may go by way of the float32 s that is next to it, in half the memory. That is rounded
twice, but harmlessly where s is no midpoint of the format: x and s lie on the same side of every
float32, and all midpoints of the format, subnormal ones and the limit of its range too, are such.
Where s is one, x itself tells the side. (To nearest even.)

So half of a last place is added, and what is below is dropped: a midpoint becomes the upper code,
and that is one too many where x lies below, or is the midpoint itself and the code is odd. Of a
float32 that is x itself, where midpoints are many, its last place is added to all but one of half.

Codes of 16 bits are the upper halves of words: of few elements those are taken as they stand. There
the last place is not added but joined to the lower half, which makes more than half of what was a
half, and leaves all else on its side.
"""

from __future__ import annotations

import numpy as np

from ...formats.scalar import Float, Format, Specials, Subnormals
from .passes import PASSES
from .scratch import FEW, Pool, Words, halves, three

DIGITS = 24
"""Bits of a float32's significand."""
_WIDTH = 32
_ZERO, _ONE = (np.array(n, np.uint32) for n in range(2))
_and, _or, _add = np.bitwise_and, np.bitwise_or, np.add
_LAST, _TIE = (np.array(n, np.uint16) for n in (1, 0x8000))


def upper_part(fmt: Format) -> bool:
    """Whether codes are the upper bits of float32's, with fewer of the fraction."""
    return (
        isinstance(fmt, Float)
        and (fmt.exponent, fmt.bias, fmt.signed) == (8, 127, True)
        and fmt.specials is Specials.IEEE
        and fmt.subnormals is Subnormals.GRADUAL
        and fmt.mantissa < 23
    )


class _Upper:
    """A kernel whose codes are of a format (:func:`upper_part`), with what rounding to it takes."""

    __slots__ = ("_below", "_by", "_half", "_halves", "_less", "_nan")

    _POOL = Pool(three)

    def __init__(self, fmt: Float) -> None:
        drop = _WIDTH - fmt.width
        half = 1 << (drop - 1)
        numbers = drop, half, half - 1, 2 * half - 1
        self._by, self._half, self._less, self._below = (np.array(n, np.uint32) for n in numbers)
        assert fmt.nan_code is not None
        self._nan, self._halves = fmt.nan_code, fmt.width == _WIDTH // 2

    def _round(self, bits: np.ndarray, codes: np.ndarray, up: np.ndarray) -> None:
        """Set ``codes`` to those of float32 by their bits; ``up`` is to work in."""
        np.right_shift(bits, self._by, up)
        np.bitwise_and(up, _ONE, up)
        np.add(up, bits, up)
        np.add(up, self._less, up)
        np.right_shift(up, self._by, up)
        codes[...] = up

    def _round_near(self, values: np.ndarray, codes: np.ndarray, x: Words, y: Words) -> None:
        """Set ``codes`` to those of ``values``, which the float32 in ``x`` are next to.

        Of ``x`` nothing stays.
        """
        if self._halves and codes.size <= FEW and not np.count_nonzero(x.lower == _TIE):
            np.add(x.bits, self._half, x.bits)
            codes[...] = x.upper
            return
        up, below = y.bits, x.bits
        np.add(x.bits, self._half, up)
        ties = np.equal(np.bitwise_and(up, self._below, below), _ZERO)
        np.right_shift(up, self._by, up)
        codes[...] = up
        if np.count_nonzero(ties):
            places = np.flatnonzero(ties)
            exact = np.abs(values[places])
            middle = exact.astype(np.float32).astype(np.float64)
            odd = (codes[places] & 1).astype(bool)
            codes[places] -= (exact < middle) | (odd & (exact == middle))


def unordered(values: np.ndarray) -> np.ndarray | None:
    """Return where floats are NaN; None where none is.

    A sum of squares or a maximum is one if any of them is.
    """
    told = values.dot(values) if values.size <= FEW else np.maximum.reduce(values)
    return values != values if told != told else None


def unordered_of_few(values: np.ndarray) -> np.ndarray | None:
    """Return the same, of one float at least: where the greatest stands, or else a NaN."""
    most = values.item(values.argmax())
    return values != values if most != most else None


class Encode(_Upper):
    """Sets codes to those of float32 or float64 values."""

    __slots__ = ()

    def __call__(self, values: np.ndarray, codes: np.ndarray) -> None:
        """Set ``codes`` to those of ``values``."""
        if self._halves and codes.size > FEW and PASSES.encode(values, codes, self._nan):
            return
        self._POOL.use(codes.size, self._encode, values, codes)

    def _encode(self, values: np.ndarray, codes: np.ndarray, x: Words, y: Words, _: Words) -> None:
        if values.itemsize > 4:
            x.near[...] = values
            there = unordered(x.near)
            self._round_near(values, codes, x, y)
        else:
            near = values.astype(np.float32, copy=False)
            there = unordered(near)
            self._round(near.view(np.uint32), codes, x.bits)
        if there is not None:
            codes[there] = self._nan


class Operation(_Upper):
    """Sets codes to those of what ``ufunc`` makes of two operands' float32."""

    __slots__ = ("_pool", "_ufunc", "few")

    def __init__(self, fmt: Float, ufunc: np.ufunc) -> None:
        super().__init__(fmt)
        self._ufunc = ufunc
        self._pool = Pool(halves)
        self.few = self._few if self._halves else None

    def __call__(self, a: np.ndarray, b: np.ndarray, codes: np.ndarray) -> None:
        """Set ``codes`` to those of the results."""
        self._POOL.use(codes.size, self._many, a, b, codes)

    def _many(
        self, a: np.ndarray, b: np.ndarray, codes: np.ndarray, x: Words, y: Words, r: Words
    ) -> None:
        for operand, words in ((a, x), (b, y)):
            words.bits[...] = operand
            np.left_shift(words.bits, self._by, words.bits)
        self._ufunc(x.near, y.near, r.near)
        self._round(r.bits, codes, x.bits)
        if (there := unordered(r.near)) is not None:
            codes[there] = self._nan

    def _few(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the codes, upper halves of words, of at most :data:`FEW` results."""
        size, pool = a.size, self._pool
        scratch = pool.free.pop(size, None) or pool.made(size)
        upper_of_a, upper_of_b, x, y, near, bits, upper, lower, last = scratch
        upper_of_a[...] = a
        upper_of_b[...] = b
        self._ufunc(x, y, near)
        there = unordered_of_few(near)
        _and(upper, _LAST, last)
        _or(lower, last, lower)
        _add(bits, self._less, bits)
        codes = upper.copy()
        pool.free[size] = scratch
        if there is not None:
            codes[there] = self._nan
        return codes


class Decode(_Upper):
    """Sets float64 values to those of codes."""

    __slots__ = ()

    def __call__(self, codes: np.ndarray, values: np.ndarray) -> None:
        """Set ``values`` to those of ``codes``."""
        if self._halves and codes.size > FEW and PASSES.decode(codes, values):
            return
        self._POOL.use(codes.size, self._decode, codes, values)

    def at_once(self, codes: np.ndarray) -> np.ndarray | None:
        """Return the values of many codes, if one compiled pass gives them."""
        return PASSES.decoded(codes) if self._halves else None

    def _decode(self, codes: np.ndarray, values: np.ndarray, x: Words, *_: Words) -> None:
        x.bits[...] = codes
        np.left_shift(x.bits, self._by, x.bits)
        values[...] = x.near
