# SPDX-License-Identifier: BSD-2-Clause
"""Where arrays enter: what all functions take as one, whatever its byte order or layout.

An array is anything that ``numpy.asarray`` makes an array of numbers of: lists, scalars, arrays of
either byte order, strided, read-only, of a subclass (``matrix``, ``memmap``), or of ml_dtypes. A
masked array is taken as its data if nothing in it is masked; what is masked has no value, and is
an error. Booleans, complex numbers, texts, times, records and extended floats are no numbers here.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from .errors import CodeError, SpecError

NARROW = {"int2": np.int8, "int4": np.int8, "uint2": np.uint8, "uint4": np.uint8}
"""Integers of ml_dtypes, and what numpy has for them."""


def plain(name: str, values: Any) -> np.ndarray:
    """Return ``values`` as an ndarray of native byte order, of whatever dtype.

    The one place where arrays come in: no other function may ask numpy for one. What is native
    already is not copied.

    Raises
    ------
    CodeError for ragged lists, for masked elements, and for what numpy cannot make an array of.
    """
    if isinstance(values, np.ma.MaskedArray):
        masked = int(np.ma.count_masked(values))
        if masked:
            raise CodeError(
                f"{name}: {masked} of its elements are masked: .filled(0) gives them values"
            )
    try:
        array = np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if "inhomogeneous" in reason:
            reason = "its rows have different lengths"
        raise CodeError(f"{name}: not an array of numbers: {reason}") from None
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def numbers(name: str, values: Any) -> np.ndarray:
    """Return ``values`` as an array of floats or integers, those of ml_dtypes among them.

    CodeError for other dtypes, and as :func:`plain`.
    """
    array = plain(name, values)
    if not (is_float(array.dtype) or array.dtype.kind in "iu" or array.dtype.name in NARROW):
        raise CodeError(f"{name}: dtype {array.dtype}: must be floats or integers")
    return array


def numbers_not_codes(name: str, values: Any, remedy: str) -> np.ndarray:
    """Return ``values`` as :func:`numbers`; CodeError for unsigned integers, which are codes.

    ``remedy`` is what takes codes instead.
    """
    array = numbers(name, values)
    if array.dtype.kind == "u" or array.dtype.name in ("uint2", "uint4"):
        raise CodeError(
            f"{name}: dtype {array.dtype}: unsigned integers are codes, for {remedy}; values are "
            "floats or signed integers"
        )
    return array


def integers(name: str, values: Any) -> np.ndarray:
    """Return ``values`` as an array of integers in a dtype of numpy; CodeError for others."""
    array = plain(name, values)
    array = array.astype(NARROW.get(array.dtype.name, array.dtype), copy=False)
    if array.dtype.kind not in "iu":
        raise CodeError(f"{name}: dtype {array.dtype} where integers are wanted")
    return array


def truths(name: str, values: Any) -> np.ndarray:
    """Return an array of booleans; integers are true but for zero. CodeError for others."""
    array = plain(name, values)
    return array if array.dtype.kind == "b" else integers(name, array) != 0


def integer(name: str, value: Any) -> int:
    """Return one integer; CodeError for anything else."""
    array = integers(name, value)
    if array.ndim:
        raise CodeError(f"{name}: shape {array.shape} where one integer is wanted")
    return int(array)


def reals(name: str, values: Any, least: float = -math.inf) -> np.ndarray:
    """Return finite real parameters, as scales, in float64.

    CodeError for what is no number, and SpecError for NaN, infinities and what is below ``least``:
    it names the element.
    """
    array = numbers(name, values).astype(np.float64)
    wrong = ~(np.isfinite(array) & (array >= least))
    if wrong.any():
        raise SpecError(f"{element(name, array, wrong)}: must be a finite number{_from(least)}")
    return array


def real(name: str, value: Any, least: float = -math.inf) -> float:
    """Return one finite real parameter; SpecError for others, and for what is below ``least``."""
    try:
        array = np.float64(value) if isinstance(value, Fraction) else numbers(name, value)
        number = float(array) if array.ndim == 0 else math.nan
    except (CodeError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or number < least:
        raise SpecError(f"{name}={value!s}: must be a finite number{_from(least)}")
    return number


def positive(name: str, value: Any) -> float:
    """Return one finite real parameter above zero, as a scale; SpecError for others."""
    number = real(name, value)
    if number <= 0:
        raise SpecError(f"{name}={value!s}: must be a positive number")
    return number


def _from(least: float) -> str:
    return "" if least == -math.inf else f" from {least:g} on"


def element(name: str, array: np.ndarray, where: np.ndarray) -> str:
    """Return how errors name the first element of ``array`` that is in ``where``: ``x[1, 2]=3``."""
    at = tuple(int(n) for n in np.argwhere(where)[0])
    index = f"[{', '.join(map(str, at))}]" if at else ""
    return f"{name}{index}={array[at].item()}"


def common_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that arrays broadcast to; CodeError if they do not."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = ", ".join(str(shape) for shape in shapes)
        raise CodeError(f"shapes do not broadcast: {listed}") from None


def is_float(dtype: np.dtype) -> bool:
    """Whether a dtype is of floats of at most 64 bits, numpy's or those of ml_dtypes."""
    if dtype.kind == "f":
        return dtype.itemsize <= 8
    return dtype.kind == "V" and dtype.name.startswith(("bfloat", "float"))
