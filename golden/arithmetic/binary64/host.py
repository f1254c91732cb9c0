# SPDX-License-Identifier: BSD-2-Clause
"""What the host computes in the very format that is wanted, to nearest even.

IEEE 754-2019 4.3 and 5.4.1: one operation of a host's format is its exact result rounded once, and
fp64, fp32 and fp16 are such. (numpy has fp16 by way of float32, harmlessly: a product of two has 22
bits and no exponent beyond float32's, and ``2 * 11 + 2 <= 24`` for sums, see :mod:`.sums`.)

bf16 and its kin, whose codes are the upper bits of float32's, go by way of float32 too. A *sum* of
formats of p bits with ``2 * p + 2 <= 24`` rounds there as the exact one does, as both terms are
multiples of the format's quantum. A *product* with ``3 * p <= 24`` is a float32 wherever it counts:
it has 2 * p bits, and if the first of them is no less than half of the quantum, ``2**-(126 + p)``,
the last is no less than ``2**-149``. Below that the format has zero, and so it has of the float32.

A NaN has the format's own code, whatever the host's is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...formats.scalar import FORMATS, Float, Format
from .float32 import DROP, round_upper, upper_part

_HOST = {
    FORMATS["fp64"]: np.dtype(np.float64),
    FORMATS["fp32"]: np.dtype(np.float32),
    FORMATS["fp16"]: np.dtype(np.float16),
}
_CODES = {dtype: fmt.code_dtype for fmt, dtype in _HOST.items()}
_SINGLE = np.dtype(np.float32)
_DIGITS = 24
_PIECE = 1 << 16
_INFINITE_HALF, _HALVES = (np.array(n, np.uint16) for n in (0x7C00, 0x7FFF))

Kernel = Callable[..., None]
"""Takes arrays of one axis, and sets the last of them."""


def host_dtype(fmt: Format) -> np.dtype | None:
    """Return the dtype of the host that is the format, or None."""
    return _HOST.get(fmt)  # type: ignore[call-overload]


def in_pieces(kernel: Kernel, dtype: np.dtype, *arrays: np.ndarray) -> np.ndarray:
    """Return what a kernel makes of arrays of one shape, piece by piece; numpy says nothing."""
    shape, size = arrays[0].shape, arrays[0].size
    if len(shape) != 1:
        return in_pieces(kernel, dtype, *[array.reshape(-1) for array in arrays]).reshape(shape)
    result = np.empty(size, dtype)
    with np.errstate(all="ignore"):
        if size <= _PIECE:
            kernel(*arrays, result)
            return result
        for start in range(0, size, _PIECE):
            piece = slice(start, start + _PIECE)
            kernel(*[array[piece] for array in arrays], result[piece])
    return result


def set_nan(values: np.ndarray, codes: np.ndarray, nan: int) -> None:
    """Set the codes of floats, which are their own, to ``nan`` where they are none."""
    if codes.itemsize == 2:  # numpy compares no fp16 in a hurry
        unordered = (codes & _HALVES) > _INFINITE_HALF
    else:
        unordered = values != values
    if np.count_nonzero(unordered):
        codes[unordered] = nan


def cast(fmt: Format, source: np.dtype) -> Kernel | None:
    """Return what encodes floats of the host to nearest even, with overflow to infinity.

    None where the host does not round to ``fmt``.
    """
    if source not in _CODES or not isinstance(fmt, Float):
        return None
    dtype, nan = host_dtype(fmt), fmt.nan_code
    assert nan is not None
    if dtype is None:
        return _to_upper(fmt, source) if upper_part(fmt) else None

    def by_host(values: np.ndarray, codes: np.ndarray) -> None:
        made = codes.view(dtype)
        np.copyto(made, values, casting="same_kind")
        set_nan(made, codes, nan)

    return by_host


def _to_upper(fmt: Float, source: np.dtype) -> Kernel:
    def by_float32(values: np.ndarray, codes: np.ndarray) -> None:
        near = values.astype(_SINGLE, copy=False)
        round_upper(near, fmt, codes, values if source.itemsize > 4 else None)

    return by_float32


def operation(fmt: Format, ufunc: np.ufunc) -> Kernel | None:
    """Return what ``ufunc`` makes of codes of ``fmt``, in codes of it; None if it is not decided.

    ``ufunc`` is ``multiply``, ``add`` or ``subtract``.
    """
    if not isinstance(fmt, Float):
        return None
    dtype, nan = host_dtype(fmt), fmt.nan_code
    if dtype is None:
        bits = 3 * fmt.precision if ufunc is np.multiply else 2 * fmt.precision + 2
        return _by_float32(fmt, ufunc) if upper_part(fmt) and bits <= _DIGITS else None
    assert nan is not None

    def by_host(a: np.ndarray, b: np.ndarray, codes: np.ndarray) -> None:
        made = codes.view(dtype)
        ufunc(a.view(dtype), b.view(dtype), made)
        set_nan(made, codes, nan)

    return by_host


def _by_float32(fmt: Float, ufunc: np.ufunc) -> Kernel:
    def by_float32(a: np.ndarray, b: np.ndarray, codes: np.ndarray) -> None:
        round_upper(ufunc(wide(a, fmt), wide(b, fmt)), fmt, codes)

    return by_float32


def wide(codes: np.ndarray, fmt: Float) -> np.ndarray:
    """Return the float32 of codes that are the upper part of theirs."""
    bits = codes.astype(np.uint32)
    np.left_shift(bits, DROP[32 - fmt.width].by, bits)
    return bits.view(_SINGLE)


def widen(codes: np.ndarray, values: np.ndarray, fmt: Float) -> None:
    """Set float64 ``values`` to those of codes that are the upper part of float32's."""
    values[...] = wide(codes, fmt)
