# SPDX-License-Identifier: BSD-2-Clause
"""Sums of several low-bit arrays, each with scales of its own: multipoint quantisation.

Liu et al., arXiv 2002.09049: a vector of weights is ``sum(s_i * q_i)``, found greedily. Each array
is what quantisation makes of what the ones before have left.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import numbers
from ..errors import CodeError, check_whole
from ..formats.block import Block
from .quantized import Quantized, quantize

__all__ = ["MOST", "multipoint", "side_by_side"]

MOST = 16
"""Arrays that a sum may have."""


def multipoint(values: Any, block: Block, points: int, **options: Any) -> tuple[Quantized, ...]:
    """Quantise ``values`` to ``points`` arrays, the values of which add up to nearly ``values``.

    The first is :func:`~.quantized.quantize` of the values as float64, the next of these less what
    the first stands for, rounded to float64, and so on.

    Parameters
    ----------
    values : array_like
        As :func:`~.quantized.quantize` takes them. Where a block is not finite all arrays have a
        NaN scale.
    points : int
        1 to 16.
    options
        Of :func:`~.quantized.quantize`, the same for each.

    Raises
    ------
    SpecError for ``points``, and what :func:`~.quantized.quantize` raises.
    """
    check_whole("points", points, 1, MOST)
    with np.errstate(all="ignore"):
        left = numbers("values", values).astype(np.float64)
        found = []
        for _ in range(points):
            found.append(quantize(block, left, **options))
            left = left - found[-1].dequantize()
    return tuple(found)


def side_by_side(points: tuple[Quantized, ...]) -> Quantized:
    """Return arrays as one, one behind the other along the axis of their blocks.

    A product with as many copies of the other operand is the product with their sum, rounded once:
    by :func:`~.matmul.matmul` with ``acc="exact"``, or in gates by ``block-dot`` and ``block-mac``.

    Raises
    ------
    CodeError where the arrays differ in format, axis or shape, have a second scale or one scale
    for all, or end in a part of a block.
    """
    if not points:
        raise CodeError("points: there are none")
    first = points[0]
    fmt, axis = first.format, first.axis
    for each in points:
        if (each.format, each.axis, each.shape) != (fmt, axis, first.shape):
            raise CodeError("points: must have one format, one axis and one shape")
    length = first.shape[axis]
    if fmt.second_scale is not None or fmt.size is None or length % fmt.size:
        raise CodeError(
            f"points: {fmt.name} along an axis of {length} has not whole blocks, each with its own "
            "scale alone"
        )

    def together(name: str) -> np.ndarray:
        return np.concatenate([getattr(each, name) for each in points], axis)

    return Quantized(
        format=fmt,
        elements=together("elements"),
        scales=together("scales"),
        zeros=None if first.zeros is None else together("zeros"),
        axis=axis,
    )
