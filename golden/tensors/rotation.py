# SPDX-License-Identifier: BSD-2-Clause
"""The Hadamard rotation that spreads outliers over a group before it is quantised."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..arrays import numbers, numbers_not_codes
from ..errors import CodeError, SpecError, check_axis


def hadamard(
    values: Any, size: int, *, signs: Any = None, axis: int = -1, inverse: bool = False
) -> np.ndarray:
    """Return ``x . (diag(signs) . H) / sqrt(size)`` for each group of ``size`` along ``axis``.

    H has Sylvester's order: its entry (i, j) is -1 to the number of ones in ``i & j``. The matrix
    is orthogonal, so rotating both operands of a dot product leaves it as it is; ``inverse``
    rotates back.

    Computed in float64, by additions in a butterfly and one multiplication by ``size**-0.5``. The
    sums are exact where 53 bits span a group's values and ``size``: for numbers of fp16 and of
    smaller ranges, and of fp32 that lie within ``2**(29 - log2 size)`` of each other. For
    sizes 4, 16 and 64 the factor is a power of two, for others it is the float64 nearest to
    ``size**-0.5``, and the product rounds once more.

    Parameters
    ----------
    values : array_like
        Floats, finite or not, or signed integers; each exact in float64. Padding is the caller's.
        Unsigned integers are codes: decode them first.
    size : int
        A power of two, 2 to 32768; it divides the axis.
    signs : array_like of 1 and -1, shape (size,), optional
        :data:`TE_SIGNS`, or drawn at random; default all 1.

    Returns
    -------
    ndarray of float64, shaped as ``values``

    Raises
    ------
    SpecError for a size or signs, CodeError for an array that does not fit.
    """
    if type(size) is not int or size.bit_count() != 1 or not 2 <= size <= 1 << 15:
        raise SpecError(f"size={size}: must be a power of two from 2 to 32768")
    vector = np.ones(size) if signs is None else numbers("signs", signs)
    if vector.shape != (size,):
        raise SpecError(f"signs: shape {vector.shape}: must be {size} numbers")
    if not np.isin(vector, (-1, 1)).all():
        raise SpecError("signs: must be 1 and -1")
    array = numbers_not_codes("values", values, "a format's decode").astype(np.float64)
    check_axis(axis, array.shape, CodeError)
    if array.shape[axis] % size:
        raise CodeError(f"axis {axis} of length {array.shape[axis]}: {size} must divide it")
    moved = np.moveaxis(array, axis, -1)
    groups = moved.reshape(-1, size)
    if not inverse:
        groups = groups * vector
    step = 1
    while step < size:
        x, y = np.moveaxis(groups.reshape(-1, size // (2 * step), 2, step), 2, 0)
        with np.errstate(invalid="ignore"):
            groups = np.stack([x + y, x - y], 2)
        step *= 2
    groups = groups.reshape(-1, size) * _factor(size)
    if inverse:
        groups *= vector
    return np.ascontiguousarray(np.moveaxis(groups.reshape(moved.shape), -1, axis))


def _factor(size: int) -> float:
    bits = size.bit_length() - 1
    return math.ldexp(math.sqrt(0.5) if bits % 2 else 1.0, -(bits // 2))
