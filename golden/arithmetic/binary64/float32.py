# SPDX-License-Identifier: BSD-2-Clause
"""Rounding to the formats whose codes are the upper bits of float32's: bf16, tf32 and their kin.

A float64 x may go by way of the float32 s that is next to it, in half the memory. That is rounded
twice, but harmlessly where s is no midpoint of the format: x and s lie on the same side of every
float32, and all midpoints of the format, subnormal ones and the limit of its range too, are such.
Where s is one, x itself tells the side, and s moves there by one code. (To nearest even.)
"""

from __future__ import annotations

import numpy as np

from ...formats.scalar import Float, Format, Specials, Subnormals

_WIDTH = 32
_MAGNITUDE = np.uint32(0x7FFFFFFF)
_INFINITY = np.uint32(0x7F800000)
_CHUNK = 8192


def upper_part(fmt: Format) -> bool:
    """Whether codes are the upper bits of float32's, with fewer of the fraction."""
    return (
        isinstance(fmt, Float)
        and (fmt.exponent, fmt.bias, fmt.signed) == (8, 127, True)
        and fmt.specials is Specials.IEEE
        and fmt.subnormals is Subnormals.GRADUAL
        and fmt.mantissa < 23
    )


def drop_bits(codes: np.ndarray, fmt: Float) -> np.ndarray:
    """Return the codes in ``fmt`` (:func:`upper_part`) of those of float32, to nearest even."""
    drop = np.uint32(_WIDTH - fmt.width)
    half = np.uint32((1 << (_WIDTH - fmt.width - 1)) - 1)
    flat = codes.reshape(-1)
    result = np.empty(flat.size, fmt.code_dtype)
    for start in range(0, flat.size, _CHUNK):
        piece = flat[start : start + _CHUNK]
        rounded = piece >> drop
        rounded &= np.uint32(1)
        rounded += piece
        rounded += half
        rounded >>= drop
        result[start : start + _CHUNK] = rounded
        nan = (piece & _MAGNITUDE) > _INFINITY
        if nan.any():
            result[start : start + _CHUNK][nan] = fmt.nan_code
    return result.reshape(codes.shape)


def from_float64(values: np.ndarray, fmt: Float) -> np.ndarray:
    """Return the codes in ``fmt`` (:func:`upper_part`) of float64 values, to nearest even."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        near = values.astype(np.float32)
    codes = near.view(np.uint32)
    ties = (codes & np.uint32((1 << (_WIDTH - fmt.width)) - 1)) == np.uint32(
        1 << (_WIDTH - fmt.width - 1)
    )
    if ties.any():
        places = np.flatnonzero(ties)
        magnitude, exact = np.abs(near[places].astype(np.float64)), np.abs(values[places])
        moved = codes[places]
        moved += exact > magnitude
        moved -= exact < magnitude
        codes[places] = moved
    return drop_bits(codes, fmt)
