# SPDX-License-Identifier: BSD-2-Clause
"""Fused multiply-add of bf16 and its kin (:func:`.float32.upper_part`), by way of float32.

Let x be ``a * b + c`` and s what float32 makes of it, by two roundings: a midpoint m of the format,
or zero, lies between the two only if s is m. For the product has twice the format's bits, at most
24, so that float32 holds it but for its range.

- In range it is exact, and its sum with c is rounded once; m is a float32.
- Below the least normal number it is rounded, to p. There, ``x < m`` says that the product is less
  than ``m - c``: a multiple of half the format's quantum, hence a float32 if it is as small as
  that. Then p is no more than it, nor is s more than m. Likewise if ``x > m``.
- Beyond the range p is infinite. So is x, for the format, unless c has the other sign.

So all is decided but where s is a midpoint or a zero that no factor is, or where it is not finite
though both factors are, and c has not the product's sign. There float64 holds the product, and a
sum rounded to odd (:mod:`.sums`).
"""

from __future__ import annotations

import numpy as np

from ...formats.scalar import Float, Format
from .float32 import DIGITS, Encode, upper_part
from .host import Kernel
from .scratch import FEW, Words
from .sums import add

_INFINITY = np.float32(np.inf)
_ZERO = np.array(0, np.uint32)


def fused(fmt: Format) -> Kernel | None:
    """Return what sets codes of ``a * b + c``, all of ``fmt``, to nearest even, or None."""
    if isinstance(fmt, Float) and upper_part(fmt) and 2 * fmt.precision <= DIGITS:
        return Fused(fmt)
    return None


class Fused(Encode):
    """Sets codes to those of ``a * b + c``, rounded once."""

    __slots__ = ("_code", "_infinity", "_magnitude", "_sign")

    def __init__(self, fmt: Float) -> None:
        super().__init__(fmt)
        sign = 1 << (fmt.width - 1)
        numbers = sign, sign - 1, fmt.max_code + 1, self._nan
        self._sign, self._magnitude, self._infinity, self._code = map(fmt.code_dtype.type, numbers)

    def __call__(self, a: np.ndarray, b: np.ndarray, c: np.ndarray, codes: np.ndarray) -> None:
        """Set ``codes`` to those of the results; of few, all by float64."""
        if codes.size <= FEW:
            self._by_float64(a, b, c, codes)
        else:
            self._POOL.use(codes.size, self._fuse, a, b, c, codes)

    def _fuse(
        self,
        a: np.ndarray,
        b: np.ndarray,
        c: np.ndarray,
        codes: np.ndarray,
        x: Words,
        y: Words,
        r: Words,
    ) -> None:
        self._read(a, x)
        self._read(b, y)
        np.multiply(x.near, y.near, r.near)
        self._read(c, x)
        np.add(r.near, x.near, r.near)
        up, below = x.bits, y.bits
        np.add(r.bits, self._half, up)
        open_ = np.equal(np.bitwise_and(up, self._below, below), _ZERO)
        np.right_shift(up, self._by, up)
        codes[...] = up
        finite = np.minimum.reduce(r.near) > -_INFINITY and np.maximum.reduce(r.near) < _INFINITY
        if not finite:
            np.copyto(codes, self._code, where=r.near != r.near)
            wide = ~np.isfinite(r.near)
            wide &= ((a ^ b ^ c) & self._sign) != 0
            wide &= (a & self._magnitude) < self._infinity
            wide &= (b & self._magnitude) < self._infinity
            open_ |= wide
        if np.minimum.reduce(r.bits) == 0:
            zero = r.bits == 0
            zero &= (a & self._magnitude) != 0
            zero &= (b & self._magnitude) != 0
            open_ |= zero
        if np.count_nonzero(open_):
            places = np.flatnonzero(open_)
            made = np.empty(places.size, codes.dtype)
            self._by_float64(a[places], b[places], c[places], made)
            codes[places] = made

    def _read(self, codes: np.ndarray, words: Words) -> None:
        words.bits[...] = codes
        np.left_shift(words.bits, self._by, words.bits)

    def _by_float64(self, a: np.ndarray, b: np.ndarray, c: np.ndarray, codes: np.ndarray) -> None:
        x, y, z = ((each.astype(np.uint32) << self._by).view(np.float32) for each in (a, b, c))
        total = add(np.multiply(x, y, dtype=np.float64), z.astype(np.float64))
        super().__call__(total, codes)
