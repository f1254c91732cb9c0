# SPDX-License-Identifier: BSD-2-Clause
"""What became of the elements of a tensor: counts, and the largest magnitude. Ours.

An element *overflowed* if its operation raised overflow, invalid or division by zero, or if the
exact value is no finite number, though infinities may saturate: what a training step is left out
for. Another one *underflowed* if its exact value was not zero and the result is. Where a result
takes several roundings, the operation is the last of them.

Of blocks an element overflowed if its scale is a NaN, if its value is no finite number, or if it
saturates under the largest scale: no scale could have held it. It *saturated* if it does so under
another one, as a rule for scales may have it, and underflowed if its value is not zero and the
element is. The largest magnitude is that of the values.
"""

from __future__ import annotations

import numpy as np

from ...formats.choices import Flag
from ...formats.scalar import Fixed, Float

__all__ = ["MARKS", "marked", "quantised", "statistics", "wrong"]

MARKS = {"overflows": 1, "underflows": 2, "saturations": 4}
"""What is counted, and its bit in the marks of an element."""

_BAD = Flag.OVERFLOW | Flag.INVALID | Flag.DIVIDE_BY_ZERO


def marked(special: np.ndarray, codes: np.ndarray, flags: np.ndarray, fmt: Float) -> np.ndarray:
    """Return what is to be counted of elements.

    Parameters
    ----------
    special : ndarray of bool
        Where the value before the rounding is no finite number.
    codes, flags : ndarray
        Codes of ``fmt``, and :class:`Flag`, behind it.
    fmt : Float

    Returns
    -------
    ndarray of uint8
        Sums of :data:`MARKS`.
    """
    values = fmt.decode(codes)
    bad = wrong(special, flags) | ~np.isfinite(values)
    lost = ((flags & int(Flag.INEXACT)) != 0) & (values == 0) & ~bad
    return bad * np.uint8(MARKS["overflows"]) | lost * np.uint8(MARKS["underflows"])


def wrong(special: np.ndarray, flags: np.ndarray) -> np.ndarray:
    """Where a value was no finite number, or the :class:`Flag` say that it had no result."""
    return ((flags & int(_BAD)) != 0) | special


def quantised(
    beyond: np.ndarray, lost: np.ndarray, over: np.ndarray, largest: np.ndarray
) -> np.ndarray:
    """Return what is to be counted of elements of blocks, sums of :data:`MARKS`.

    Parameters
    ----------
    beyond : ndarray of bool, shape (n, K)
        Where values have no element: their scale is a NaN, or they are no finite numbers.
    lost : ndarray of bool, shape (n, K)
        Where values are not zero, and the elements are.
    over : ndarray of bool, shape (n, K)
        Where elements saturated.
    largest : ndarray of bool, shape (n,)
        Where the scale is the largest one.
    """
    bad = beyond | (over & largest[:, None])
    marks = bad * np.uint8(MARKS["overflows"]) | (over & ~bad) * np.uint8(MARKS["saturations"])
    return marks | (lost & ~bad & ~over) * np.uint8(MARKS["underflows"])


def statistics(
    marks: np.ndarray,
    sizes: np.ndarray,
    end: np.ndarray,
    fmt: Float,
    counts: tuple[str, ...],
    bits: int,
) -> dict[str, np.ndarray]:
    """Return the counts and the largest magnitude of each tensor, so far.

    Parameters
    ----------
    marks : ndarray of uint8
        Of each element, shape (beats,) or (beats, lanes).
    sizes : ndarray
        Codes of ``fmt`` in that shape; their sign means nothing, and what is no finite number
        has no size.
    end : ndarray
        1 in the last beat of a tensor.
    fmt : Float
    counts : tuple of str
        Of :data:`MARKS`.
    bits : int
        Of the counts, which stay at their largest value.

    Returns
    -------
    dict of ndarray, shape (beats,)
        The counts, and ``largest``, a code of ``fmt`` without a sign.
    """
    tensor = np.cumsum(end != 0) - (end != 0)
    starts = np.flatnonzero(np.diff(tensor, prepend=-1))
    word, most = Fixed(width=bits, signed=False).code_dtype, (1 << bits) - 1
    magnitude = fmt.width - 1 if fmt.signed else fmt.width
    found = {}
    for name in counts:
        total = _counted(marks & MARKS[name], starts, tensor)
        found[name] = np.minimum(total, most).astype(word)
    size = np.where(np.isfinite(fmt.decode(sizes)), sizes.astype(np.int64), 0)
    size &= (1 << magnitude) - 1
    size = size.reshape(len(end), -1).max(1, initial=0) if size.ndim > 1 else size
    # By their ranks, so that a later tensor's elements are above all of those before.
    values, rank = np.unique(size, return_inverse=True)
    before = tensor * len(values)
    highest = values[np.maximum.accumulate(rank + before) - before]
    return found | {"largest": highest.astype(fmt.code_dtype)}


def _counted(marks: np.ndarray, starts: np.ndarray, tensor: np.ndarray) -> np.ndarray:
    each = np.count_nonzero(marks.reshape(len(tensor), -1), axis=1)
    total = np.cumsum(each)
    return total - (total[starts] - each[starts])[tensor]
