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
from .float32 import DIGITS, Encode, Operation, unordered, unordered_of_few, upper_part
from .quiet import quietly
from .scratch import PIECE

_HOST = {
    FORMATS["fp64"]: np.dtype(np.float64),
    FORMATS["fp32"]: np.dtype(np.float32),
    FORMATS["fp16"]: np.dtype(np.float16),
}
_CODES = {dtype: fmt.code_dtype for fmt, dtype in _HOST.items()}
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
    if size <= PIECE:
        quietly(kernel, *arrays, result)
    else:
        quietly(_piece_by_piece, kernel, *arrays, result)
    return result


def _piece_by_piece(kernel: Kernel, *arrays: np.ndarray) -> None:
    for start in range(0, arrays[0].size, PIECE):
        kernel(*[array[start : start + PIECE] for array in arrays])


def set_nan(values: np.ndarray, codes: np.ndarray, nan: int) -> None:
    """Set the codes of floats, which are their own, to ``nan`` where they are none."""
    if codes.itemsize == 2:  # numpy compares no fp16 in a hurry
        there = (codes & _HALVES) > _INFINITE_HALF
        if np.count_nonzero(there):
            codes[there] = nan
    elif (there := unordered(values)) is not None:
        codes[there] = nan


def cast(fmt: Format, source: np.dtype) -> Kernel | None:
    """Return what encodes floats of the host to nearest even, with overflow to infinity.

    None where the host does not round to ``fmt``.
    """
    if source not in _CODES or not isinstance(fmt, Float):
        return None
    dtype, nan = host_dtype(fmt), fmt.nan_code
    assert nan is not None
    if dtype is None:
        return Encode(fmt) if upper_part(fmt) else None

    def by_host(values: np.ndarray, codes: np.ndarray) -> None:
        made = codes.view(dtype)
        np.copyto(made, values, casting="same_kind")
        set_nan(made, codes, nan)

    return by_host


def operation(fmt: Format, ufunc: np.ufunc) -> Kernel | None:
    """Return what ``ufunc`` makes of codes of ``fmt``, in codes of it; None if it is not decided.

    ``ufunc`` is ``multiply``, ``add`` or ``subtract``.
    """
    if not isinstance(fmt, Float):
        return None
    dtype, nan = host_dtype(fmt), fmt.nan_code
    if dtype is None:
        bits = 3 * fmt.precision if ufunc is np.multiply else 2 * fmt.precision + 2
        return Operation(fmt, ufunc) if upper_part(fmt) and bits <= DIGITS else None
    assert nan is not None

    return _OfHost(ufunc, dtype, nan)


class _OfHost:
    """Sets codes to those of what ``ufunc`` makes of two floats of the host's."""

    __slots__ = ("_dtype", "_nan", "_ufunc")

    def __init__(self, ufunc: np.ufunc, dtype: np.dtype, nan: int) -> None:
        self._ufunc, self._dtype, self._nan = ufunc, dtype, nan

    def __call__(self, a: np.ndarray, b: np.ndarray, codes: np.ndarray) -> None:
        """Set ``codes`` to those of the results."""
        made = codes.view(self._dtype)
        self._ufunc(a.view(self._dtype), b.view(self._dtype), made)
        set_nan(made, codes, self._nan)

    def few(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the codes of at most :data:`FEW` results."""
        made = self._ufunc(a.view(self._dtype), b.view(self._dtype))
        codes = made.view(a.dtype)
        if (there := unordered_of_few(made)) is not None:
            codes[there] = self._nan
        return codes
