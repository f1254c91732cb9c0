# SPDX-License-Identifier: BSD-2-Clause
"""Rounding of float64 values to a shorter float format, by the bits of their codes.

Two facts make it the rounding of an exact value x that the float64 s stands for:

- s is x, or
- s is x *rounded to odd*: cut off toward zero, with a last bit that is set if anything was lost
  (:func:`macaw.golden.arithmetic.binary64.sums.add`). Where a format of p bits changes its result,
  at its values and at the midpoints between them, there are numbers of p + 1 bits. With
  ``p + 2 <= 53`` those have an even last bit in float64, so that an inexact s is none of them, and
  lies on the same side of each as x does. (Boldo and Melquiond, IEEE Trans. Computers 57(4), 2008.)

Codes of one sign are ordered as their values, and those of float64 continue those of a shorter
format: to drop bits of the one, with an addend as for any integer, is to round to the other. Below
the least normal number, where the codes of float64 have bits that the format lacks, the sum with a
float64 whose last place is the format's quantum has been rounded there, to nearest even. In a
format without subnormals, whose values end there, whatever is rounded to less than the least of
them is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ...formats.choices import Overflow, Rounding
from ...formats.scalar import FORMATS, Float, Format, Subnormals
from .host import Kernel, cast, in_pieces, set_nan

DIGITS = 53
"""Bits of a float64's significand."""
_SIGN = np.uint64(63)
_MAGNITUDE = np.uint64((1 << 63) - 1)
_INFINITE = np.uint64(0x7FF << 52)
_ONE = np.uint64(1)
_BIAS = 1023
_RANGE = 900
"""Exponents of results: far inside those of float64."""
_DIRECTIONS = {rounding for rounding in Rounding if not rounding.stochastic} - {Rounding.DYNAMIC}
_WHOLE = FORMATS["fp64"]
_LEAST = 5e-324
"""The least subnormal number."""


class Direction(Protocol):
    """How to round: see :class:`macaw.golden.arithmetic.projection.Direction`."""

    rounding: Rounding

    def addend(
        self, x: np.ndarray, drop: int, odd: np.ndarray, negative: np.ndarray
    ) -> np.ndarray | np.uint64:
        """Return what is added before ``drop`` bits are dropped."""
        ...


def gradual() -> bool:
    """Whether this thread has subnormal numbers: some libraries have the host flush them.

    It is one switch of the processor for all its floats, Python's and numpy's.
    """
    return _LEAST + _LEAST != 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A float format that float64 values are rounded to.

    Attributes
    ----------
    fmt : Float
    limit : int
        Code of the magnitudes that are out of range, in the direction ``rne``.
    nan : int
        Code of a NaN.
    """

    fmt: Float
    limit: int
    nan: int

    @classmethod
    def of(
        cls, fmt: Format, rounding: Rounding, overflow: Overflow | None, nan: int
    ) -> Target | None:
        """Return the target; None for what :meth:`round` does not do.

        ``overflow`` is resolved (:func:`macaw.golden.arithmetic.projection.resolve_overflow`).
        """
        if not isinstance(fmt, Float) or rounding not in _DIRECTIONS:
            return None
        if overflow is Overflow.SATURATE:
            limit = fmt.max_code
        elif fmt.has_inf and overflow in (None, Overflow.DIRECTED, Overflow.NONFINITE):
            limit = fmt.max_code + 1
        else:
            return None
        short = 1 <= fmt.mantissa <= DIGITS - 3 and fmt.zero
        near = fmt.quantum >= -_RANGE and fmt.emax <= _RANGE
        if (short and near) or (fmt == _WHOLE and limit > fmt.max_code):
            return cls(fmt=fmt, limit=limit, nan=nan)
        return None

    @property
    def whole(self) -> bool:
        """Whether it is float64 itself, to which exact values alone may be rounded."""
        return self.fmt == _WHOLE

    def round(
        self, values: np.ndarray, direction: Direction
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return codes of float64 ``values``, and the places of those that are not decided.

        Places are None where all are. Every other value is decided in the direction ``rne``; in
        the others not the numbers below the least normal one or beyond the largest one, and
        negative ones are not in a format without sign.
        """
        fmt, nearest = self.fmt, direction.rounding is Rounding.RNE
        if self.whole:
            codes = values.view(np.uint64).copy()
            set_nan(values, codes, self.nan)
            return codes, None
        if nearest and self.limit > fmt.max_code and (kernel := _cast(fmt)):
            return in_pieces(kernel, fmt.code_dtype, values), None
        return self._by_bits(values, direction, nearest)

    def _by_bits(
        self, values: np.ndarray, direction: Direction, nearest: bool
    ) -> tuple[np.ndarray, np.ndarray | None]:
        fmt = self.fmt
        drop = DIGITS - fmt.precision
        bits = values.view(np.uint64)
        magnitude = bits & _MAGNITUDE
        sign = bits >> _SIGN
        kept = magnitude >> np.uint64(drop)
        if nearest:
            rounded = magnitude + direction.addend(magnitude, drop, kept & _ONE, sign)
            rounded >>= np.uint64(drop)
        else:
            negative = sign.astype(bool)
            rounded = magnitude + direction.addend(magnitude, drop, kept & _ONE, negative)
            rounded >>= np.uint64(drop)
            if direction.rounding is Rounding.ROD:
                rounded |= (kept << np.uint64(drop)) != magnitude
        code = rounded.view(np.int64)
        code -= (_BIAS - fmt.bias) << fmt.mantissa
        gradual = fmt.subnormals is Subnormals.GRADUAL
        if gradual:
            small = magnitude < np.uint64((fmt.emin + _BIAS) << (DIGITS - 1))
        else:
            small = code < fmt.min_code
        left = None
        if np.count_nonzero(small):
            places = np.flatnonzero(small)
            below = np.abs(values[places])
            if nearest and gradual:
                origin = np.float64(2.0 ** (fmt.quantum + DIGITS - 1))
                code[places] = (below + origin).view(np.int64) - origin.view(np.int64)
            else:
                code[places] = 0
                left = None if nearest else places[below != 0]
        if nearest:
            np.minimum(code, self.limit, out=code)
        else:
            beyond = np.flatnonzero(code > fmt.max_code)
            code[beyond] = self.limit  # of an infinity, and a NaN is set below
            left = _joined(left, beyond[magnitude[beyond] < _INFINITE])
        if not fmt.signed:
            left = _joined(left, np.flatnonzero(sign.astype(bool) & (magnitude != 0)))
        else:
            if fmt.nan_for_negative_zero:
                sign *= code != 0
            sign <<= np.uint64(fmt.width - 1)
            code |= sign.view(np.int64)
        unordered = values != values
        if np.count_nonzero(unordered):
            code[unordered] = self.nan
        return code.astype(fmt.code_dtype), left


def _cast(fmt: Float) -> Kernel | None:
    found = fmt.remembered
    if "cast" not in found:
        found["cast"] = cast(fmt, np.dtype(np.float64))
    return found["cast"]  # type: ignore[no-any-return]


def _joined(first: np.ndarray | None, second: np.ndarray) -> np.ndarray | None:
    if not second.size:
        return first
    return second if first is None else np.union1d(first, second)
