# SPDX-License-Identifier: BSD-2-Clause
"""Quotients and square roots of unpacked floats, exact or jammed below 60 bits."""

from __future__ import annotations

import numpy as np

from .exact import INF, INVALID, NAN, ONE, WINDOW, Exact, bit_length, kinds

_DIGITS = 60
"""Of a quotient or root, the first one perhaps 0; a jammed one stands behind them."""
_ROOM = 63
"""Bits in which remainders are shifted."""


def _aligned(x: Exact, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Significands with the leading one in bit ``width - 1``, and exponents; zeros stay."""
    length = bit_length(x.significand)
    zero = length < 0
    shift = np.where(zero, 0, width - length)
    return x.significand << shift.view(np.uint64), x.exponent - shift


def divide(x: Exact, y: Exact) -> tuple[Exact, np.ndarray]:
    """Return ``x / y``, and where a finite number was divided by zero. IEEE 754-2019 5.4.1, 7.3.

    Significands have at most 53 bits.
    """
    width = max(x.bits, y.bits)
    (top, high), (bottom, low) = _aligned(x, width), _aligned(y, width)
    nothing = y.significand == 0
    bottom = np.where(nothing, ONE << np.uint64(width - 1), bottom)
    # The first digit, then as many at a time as remainders leave room for.
    quotient, rest = np.divmod(top, bottom)
    left = _DIGITS - 1
    while left:
        step = min(_ROOM - width, left)
        digits, rest = np.divmod(rest << np.uint64(step), bottom)
        quotient = (quotient << np.uint64(step)) | digits
        left -= step
    kx, ky = kinds(x), kinds(y)
    kind = kx | ky
    nan = (kind & NAN).astype(bool)
    infinite_x, infinite_y = (kx & INF).astype(bool), (ky & INF).astype(bool)
    zero_x = x.significand == 0
    invalid = ~nan & ((infinite_x & infinite_y) | (zero_x & nothing))
    pole = nothing & ~zero_x & ~infinite_x & ~nan
    kind = (kind & (NAN | INVALID)) | (INF * ((infinite_x | nothing) & ~nan & ~invalid))
    kind = kind | ((NAN | INVALID) * invalid)
    significand = (quotient << ONE) | (rest != 0)
    significand = np.where(infinite_y, np.uint64(0), significand)
    significand = np.where(kind & (NAN | INF), ONE, significand)
    exponent = high - low - _DIGITS
    found = Exact(
        significand=significand,
        exponent=exponent,
        negative=x.negative ^ y.negative,
        kind=kind if kind.any() else None,
        low=int(np.min(exponent, initial=0)),
        high=x.high - y.low + 1,
        bits=_DIGITS + 1,
    )
    return found, pole


def square_root(x: Exact) -> Exact:
    """Return the square roots of ``x``. IEEE 754-2019 5.4.1: that of -0 is -0.

    Significands have at most 53 bits.
    """
    length = bit_length(x.significand)
    zero = length < 0
    # The radicand's top two bits are the first to be brought down; its exponent is even.
    exponent = np.where(zero, 0, x.exponent + length)
    exponent += exponent & 1
    up = np.where(zero, 0, x.exponent + 64 - exponent)
    bits = x.significand << up.view(np.uint64)
    root = np.zeros(x.shape, np.uint64)
    rest = np.zeros(x.shape, np.uint64)
    two, three = np.uint64(2), np.uint64(3)
    for _ in range(_DIGITS):
        rest = (rest << two) | ((bits >> np.uint64(62)) & three)
        bits = bits << two
        trial = (root << two) | ONE
        fits = rest >= trial
        rest -= trial * fits
        root = (root << ONE) | fits
    kind = kinds(x)
    invalid = x.negative & ~zero & ((kind & NAN) == 0)
    kind = np.where(invalid, NAN | INVALID, kind).astype(np.uint8)
    significand = (root << ONE) | (rest != 0)
    significand = np.where(kind & (NAN | INF), ONE, significand)
    scale = exponent // 2 - _DIGITS - 1
    return Exact(
        significand=significand,
        exponent=scale,
        negative=x.negative,
        kind=kind if kind.any() else None,
        low=int(np.min(scale, initial=0)),
        high=(x.high + 1) // 2 + 1,
        bits=WINDOW,
    )
