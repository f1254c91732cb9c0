# SPDX-License-Identifier: BSD-2-Clause
"""Codes at random: uniform ones, and such as have an exponent, or lie beside others."""

from __future__ import annotations

import numpy as np

from macaw.golden.arithmetic.integers import codes_of
from macaw.golden.formats import Book, Fixed, Float, Format, Posit
from macaw.golden.units import Operand

_Rng = np.random.Generator


def shape_of(operand: Operand, count: int) -> tuple[int, ...]:
    """Shape of the codes of an operand."""
    return (count,) if operand.lanes is None else (count, operand.lanes)


def empty(operand: Operand, count: int) -> np.ndarray:
    """Codes of an operand, not yet written."""
    return np.empty(shape_of(operand, count), operand.format.code_dtype)


def uniform(rng: _Rng, operand: Operand, count: int) -> np.ndarray:
    """Any codes."""
    dtype = operand.format.code_dtype
    return rng.integers(
        0, (1 << operand.format.width) - 1, shape_of(operand, count), dtype, endpoint=True
    )


def exponents(fmt: Format) -> tuple[int, int]:
    """Exponents of the least and the largest non-zero magnitudes."""
    if isinstance(fmt, Fixed):
        return -fmt.fraction, max(fmt.width - 1 - fmt.signed, 0) - fmt.fraction
    return fmt.quantum, fmt.emax


def edges(formats: list[Format]) -> np.ndarray:
    """Exponents worth aiming at: the result's ends and its unit, and the addend's range."""
    edges: list[int] = []
    for fmt in formats:
        low, high = exponents(fmt)
        edges += [low, high]
        if isinstance(fmt, Float):
            edges += [fmt.emin, high, 0]
        if isinstance(fmt, Posit):
            edges += [0, 0]
    low, high = exponents(formats[-1])
    edges += list(np.linspace(low, high, len(edges)).astype(int))
    return np.array(edges)


def far(fmt: Format) -> int:
    """A distance that leaves the smaller term as a sticky bit only."""
    return (fmt.width if isinstance(fmt, Fixed) else fmt.precision - 1) + 3


def compose(
    rng: _Rng, fmt: Format, exponent: np.ndarray, shape: tuple[int, ...], *, ones: bool
) -> np.ndarray:
    """Codes whose magnitudes have these exponents (clipped), with dense or sparse significands."""
    bits = rng.integers(0, (1 << 62) - 1, shape, np.int64, endpoint=True)
    if fmt.width > 62:
        drop = np.clip(exponents(fmt)[1] - exponent, 0, 60)
        return ((bits >> drop) ^ -((bits >> 61) & 1)).astype(np.uint64) & mask(fmt)
    if isinstance(fmt, Book):
        low, high = exponents(fmt)
        exponent = np.clip(exponent, low - 2, high + 2)  # those of wide floats are beyond float64
        magnitude = np.ldexp(1.0 + (bits & ((1 << 52) - 1)) * 2.0**-52, exponent)
        return fmt.encode(np.where((bits >> 61) & 1, -magnitude, magnitude))
    mantissa_bits = fmt.width - 1 if isinstance(fmt, Fixed) else fmt.precision - 1
    fraction = bits & ((1 << mantissa_bits) - 1)
    if mantissa_bits:
        # every other vector keeps only its upper bits, at most those of one random length
        cut = (bits >> 53) & 63
        cut = np.where((bits >> 60) & 1, np.minimum(cut, mantissa_bits), 0)
        fraction = (fraction >> cut) << cut
        if ones:
            few = fraction & min(3, (1 << (mantissa_bits - 1)) - 1)
            fraction = np.where((bits >> 59) & 1, ((1 << mantissa_bits) - 1) ^ few, 0)
    negative = (bits >> 61) & 1
    if isinstance(fmt, Fixed):
        drop = np.clip(exponents(fmt)[1] - exponent, 0, max(fmt.width - 1, 0))
        magnitude = ((1 << mantissa_bits) | fraction) >> (drop + fmt.signed)
        code = np.where(negative, -magnitude, magnitude) if fmt.signed else magnitude
        return codes_of(code, fmt)
    if isinstance(fmt, Posit):
        exponent = np.clip(exponent, -fmt.emax - 2, fmt.emax + 2) - mantissa_bits
        magnitude = np.ldexp(((1 << mantissa_bits) | fraction) * 1.0, exponent)
        return fmt.encode(np.where(negative, -magnitude, magnitude))
    field = np.clip(exponent + fmt.bias, 0, (1 << fmt.exponent) - 1)
    code = (field << fmt.mantissa) | fraction
    if fmt.signed:
        code |= negative << (fmt.width - 1)
    return code.astype(fmt.code_dtype)


def negate(codes: np.ndarray, fmt: Format) -> np.ndarray:
    """Codes of the numbers with the other sign, where the format has it."""
    if isinstance(fmt, Float):
        return codes ^ codes.dtype.type(1 << (fmt.width - 1)) if fmt.signed else codes
    if isinstance(fmt, Book):
        return fmt.encode(-fmt.decode(codes))
    return (~codes.astype(np.uint64) + np.uint64(1) & mask(fmt)).astype(codes.dtype)


def positive(codes: np.ndarray, fmt: Fixed | Float) -> np.ndarray:
    """Codes of the magnitudes; of the least number of a fixed point, its own."""
    if not fmt.signed:
        return codes
    sign = codes.dtype.type(1 << (fmt.width - 1))
    if isinstance(fmt, Float):
        return codes & ~sign
    return np.where(codes & sign, negate(codes, fmt), codes)


def nudge(rng: _Rng, codes: np.ndarray, fmt: Format) -> np.ndarray:
    """Half of the codes as they are, the others one or two codes away, or a power of two."""
    shift = rng.integers(0, 8, codes.shape) - 4
    far = np.int64(1) << rng.integers(0, max(min(fmt.width - 2, 62), 1), codes.shape)
    shift = np.where(np.abs(shift) > 2, 0, shift)
    shift = np.where(rng.integers(0, 4, codes.shape) == 0, np.sign(shift) * far, shift)
    shift = shift.astype(np.uint64)
    return ((codes.astype(np.uint64) + shift) & mask(fmt)).astype(fmt.code_dtype)


def mask(fmt: Format) -> np.uint64:
    """All bits of a code set."""
    return np.uint64((1 << fmt.width) - 1)
