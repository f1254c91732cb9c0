# SPDX-License-Identifier: BSD-2-Clause
"""Rounding to the formats whose codes are the upper bits of float32's: bf16, tf32 and their kin.

A float64 x may go by way of the float32 s that is next to it, in half the memory. That is rounded
twice, but harmlessly where s is no midpoint of the format: x and s lie on the same side of every
float32, and all midpoints of the format, subnormal ones and the limit of its range too, are such.
Where s is one, x itself tells the side. (To nearest even.)

So half of a last place is added, and what is below is dropped: a midpoint becomes the upper code,
and that is one too many where x lies below, or is the midpoint itself and the code is odd. Of a
float32 that is x itself, where midpoints are many, its last place is added to all but one of half.
"""

from __future__ import annotations

import numpy as np

from ...formats.scalar import Float, Format, Specials, Subnormals

_WIDTH = 32
_ZERO, _ONE = (np.array(n, np.uint32) for n in range(2))


def upper_part(fmt: Format) -> bool:
    """Whether codes are the upper bits of float32's, with fewer of the fraction."""
    return (
        isinstance(fmt, Float)
        and (fmt.exponent, fmt.bias, fmt.signed) == (8, 127, True)
        and fmt.specials is Specials.IEEE
        and fmt.subnormals is Subnormals.GRADUAL
        and fmt.mantissa < 23
    )


class _Drop:
    """Constants for so many bits that are dropped: their number, what to add to round, masks."""

    __slots__ = ("below", "by", "half", "less")

    def __init__(self, drop: int) -> None:
        half = 1 << (drop - 1)
        numbers = drop, half, half - 1, 2 * half - 1
        self.by, self.half, self.less, self.below = (np.array(n, np.uint32) for n in numbers)


DROP = {drop: _Drop(drop) for drop in range(1, 23)}


def round_upper(
    near: np.ndarray, fmt: Float, codes: np.ndarray, values: np.ndarray | None = None
) -> None:
    """Set ``codes`` to those in ``fmt`` (:func:`upper_part`) of float32, to nearest even.

    ``values`` are the float64 that they are next to, where they are not exact. All have one axis.
    """
    constants, bits = DROP[_WIDTH - fmt.width], near.view(np.uint32)
    if values is None:
        up = np.right_shift(bits, constants.by)
        np.bitwise_and(up, _ONE, up)
        np.add(up, bits, up)
        np.add(up, constants.less, up)
        np.right_shift(up, constants.by, up)
        codes[...] = up
    else:
        up = np.add(bits, constants.half)
        ties = np.equal(np.bitwise_and(up, constants.below), _ZERO)
        np.right_shift(up, constants.by, up)
        codes[...] = up
        if np.count_nonzero(ties):
            places = np.flatnonzero(ties)
            exact, middle = np.abs(values[places]), np.abs(near[places].astype(np.float64))
            odd = (codes[places] & 1).astype(bool)
            codes[places] -= (exact < middle) | (odd & (exact == middle))
    unordered = near != near
    if np.count_nonzero(unordered):
        codes[unordered] = fmt.nan_code
