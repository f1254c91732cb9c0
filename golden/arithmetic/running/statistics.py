# SPDX-License-Identifier: BSD-2-Clause
"""What became of the elements of a tensor: counts, and the largest magnitude. Ours.

An element *overflowed* if its operation raised overflow, invalid or division by zero, or if the
result is no finite number, or would be none if infinities did not saturate: what a training step is
left out for. Another one *underflowed* if its exact value was not zero and the result is.
"""

from __future__ import annotations

import numpy as np

from ...formats.choices import Flag
from ...formats.scalar import Fixed, Float

__all__ = ["statistics"]

_BAD = Flag.OVERFLOW | Flag.INVALID | Flag.DIVIDE_BY_ZERO


def statistics(
    r: np.ndarray,
    flags: np.ndarray,
    finite: np.ndarray,
    end: np.ndarray,
    fmt: Float,
    bits: int,
) -> dict[str, np.ndarray]:
    """Return ``overflows``, ``underflows`` and ``largest`` of each tensor, so far.

    Parameters
    ----------
    r, flags : ndarray
        Codes of ``fmt`` and :class:`Flag` of each element, shape (elements,).
    finite : ndarray of bool
        Whether it is a finite number where infinities that come in are kept.
    end : ndarray
        1 in the last element of a tensor.
    fmt : Float
    bits : int
        Of the counts, which stay at their largest value.

    Returns
    -------
    dict of ndarray, shape (elements,)
        Counts, and the code of the largest magnitude of the finite results, without a sign.
    """
    values = fmt.decode(r)
    bad = ((flags & int(_BAD)) != 0) | ~finite
    lost = ((flags & int(Flag.INEXACT)) != 0) & (values == 0) & ~bad
    tensor = np.cumsum(end != 0) - (end != 0)
    starts = np.flatnonzero(np.diff(tensor, prepend=-1))
    word = Fixed(width=bits, signed=False).code_dtype
    magnitude = fmt.width - 1 if fmt.signed else fmt.width
    found = {
        name: np.minimum(_counted(each, starts, tensor), (1 << bits) - 1).astype(word)
        for name, each in (("overflows", bad), ("underflows", lost))
    }
    size = np.where(np.isfinite(values), r.astype(np.int64) & ((1 << magnitude) - 1), 0)
    # A later tensor's elements are above all of those before.
    highest = np.maximum.accumulate(size + (tensor << magnitude)) & ((1 << magnitude) - 1)
    return found | {"largest": highest.astype(fmt.code_dtype)}


def _counted(bit: np.ndarray, starts: np.ndarray, tensor: np.ndarray) -> np.ndarray:
    total = np.cumsum(bit)
    return total - (total[starts] - bit[starts])[tensor]
