# SPDX-License-Identifier: BSD-2-Clause
"""The codes of a format where arithmetic goes wrong."""

from __future__ import annotations

import numpy as np

from macaw.golden.formats import Book, Fixed, Float, Format, Posit, Specials
from macaw.golden.units import Operand, Unit

from .codes import mask

_Rng = np.random.Generator


def corners(fmt: Format) -> np.ndarray:
    """The codes of a format where arithmetic goes wrong; all codes of a format of up to 5 bits.

    Zeros, ones and their neighbours, both ends of the subnormals and of the normals, infinities,
    quiet and signalling NaNs, single bits and alternating bits.
    """
    span = 1 << fmt.width
    if fmt.width <= 5:
        return np.arange(span, dtype=fmt.code_dtype)
    half = span >> 1
    alternating = [span // 3, span * 2 // 3]
    if isinstance(fmt, Fixed):
        one = 1 << fmt.fraction if 0 <= fmt.fraction < fmt.width else 1
        near = [0, 1, 2, 3, one, one - 1, one + 1, half, half - 1, half + 1, half >> 1]
        codes = {c % span for n in near for c in (n, -n)} | set(alternating)
        return np.array(sorted(codes), fmt.code_dtype)
    if isinstance(fmt, Book):
        ordered = fmt.ordered
        middle = int(np.searchsorted(ordered, 0.0))
        near = {*range(3), *range(middle - 2, middle + 3), *range(len(ordered) - 3, len(ordered))}
        values = [ordered[i] for i in near if 0 <= i < len(ordered)]
        signs = (False, True)
        codes = {fmt.code(value, negative=negative) for value in values for negative in signs}
        return np.array(sorted(codes | {0, half, span - 1, *alternating}), fmt.code_dtype)
    if isinstance(fmt, Posit):
        one = half >> 1
        near = [0, 1, 2, 3, one - 1, one, one + 1, one >> 1, one + (one >> 1)]
        near += [half - 3, half - 2, half - 1, half, half - one // 4]
        codes = {c % span for n in near for c in (n, -n)} | set(alternating)
        return np.array(sorted(codes), fmt.code_dtype)
    one = min(max(fmt.bias, 0), (1 << fmt.exponent) - 1) << fmt.mantissa
    normal = 1 << fmt.mantissa
    largest = fmt.max_code
    magnitudes = {0, 1, 2, 3, normal >> 1, normal - 2, normal - 1, normal, normal + 1, 2 * normal}
    magnitudes |= {one - 1, one, one + 1, one + (normal >> 1), 2 * normal - 1, one + normal}
    magnitudes |= {largest - 1, largest, largest + 1, largest + 2, largest - normal}
    positive = half if fmt.signed else span
    magnitudes |= {positive - 1, positive - 2, *alternating}
    if fmt.specials is Specials.IEEE:
        magnitudes.add(largest + 1 + (normal >> 1))  # the quiet NaN beside the signalling one
    codes = {m % positive for m in magnitudes}
    if fmt.signed:
        codes |= {c + half for c in codes}
    return np.array(sorted(codes), fmt.code_dtype)


def corners_of(unit: Unit, name: str, operand: Operand) -> np.ndarray:
    """The corners of an operand's format, with those of the unit and their neighbours."""
    table = corners(operand.format)
    integers = unit.samples.get(name)
    if integers is None:
        return table
    near = integers.astype(np.uint64)[:, None] + np.array([-1, 0, 1], np.int64).view(np.uint64)
    codes = (near.ravel() & mask(operand.format)).astype(table.dtype)
    return np.union1d(table, codes)


def ends(fmt: Format) -> np.ndarray:
    """The codes of the least and of the largest number, shape (2,), as the format has codes."""
    if isinstance(fmt, Fixed):
        both = [fmt.min_integer % (1 << fmt.width), fmt.max_integer]
        return np.array(both, fmt.code_dtype)
    if isinstance(fmt, Float):
        both = [fmt.max_code, fmt.max_code + (1 << (fmt.width - 1) if fmt.signed else 0)]
        return np.array(both, fmt.code_dtype)
    table = corners(fmt)
    values = np.nan_to_num(fmt.decode(table), posinf=0.0, neginf=0.0)
    return table[[np.argmin(values), np.argmax(values)]].astype(fmt.code_dtype)


def classed(table: np.ndarray, fmt: Format) -> np.ndarray:
    """The codes of a table, a row for each class that it has: zeros, subnormals, normals,
    infinities, NaNs; short rows repeat."""
    if not isinstance(fmt, Float):
        return table[None, :]
    values = fmt.decode(table)
    size = np.abs(values)
    small = (size > 0) & (size < fmt.min_normal)
    kinds = (size == 0, small, (size >= fmt.min_normal) & np.isfinite(size), np.isinf(size))
    rows = [table[kind] for kind in (*kinds, np.isnan(values)) if kind.any()]
    longest = max(map(len, rows))
    return np.array([np.resize(row, longest) for row in rows])


def zeros_of(rng: _Rng, fmt: Format, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros, of a float that has them of both signs."""
    both = isinstance(fmt, Float) and fmt.negative_zero
    return (rng.integers(0, 1 + both, shape) << (fmt.width - 1)).astype(fmt.code_dtype)
