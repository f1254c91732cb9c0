# SPDX-License-Identifier: BSD-2-Clause
"""Fixed-point codes as integers, in units of the last place, and back: two's complement."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..formats.scalar import Fixed


def integers_of(codes: np.ndarray, fmt: Fixed) -> np.ndarray:
    """Return the integers, int64, that codes of ``fmt`` mean; unsigned ones of up to 63 bits."""
    word = codes.astype(np.int64)
    if not fmt.signed:
        return word
    up = np.int64(64 - fmt.width)
    return (word << up) >> up


def codes_of(integers: Any, fmt: Fixed) -> np.ndarray:
    """Return the codes of integers of 64 bits, modulo the width of ``fmt``, in its code dtype."""
    word = np.asarray(integers).astype(np.int64).view(np.uint64)
    return (word & np.uint64((1 << fmt.width) - 1)).astype(fmt.code_dtype)


def reach(fmt: Fixed) -> tuple[int, int]:
    """Return the least and the largest integer that codes of ``fmt`` mean.

    Of a symmetric format the least is a code still, though no result is.
    """
    return (-(1 << (fmt.width - 1)) if fmt.signed else 0), fmt.max_integer


def integer_dtype(fmt: Fixed) -> np.dtype:
    """Return the smallest numpy dtype of the integers of ``fmt``."""
    return np.dtype(f"{'i' if fmt.signed else 'u'}{fmt.code_dtype.itemsize}")
