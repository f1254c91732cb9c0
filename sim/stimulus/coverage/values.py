# SPDX-License-Identifier: BSD-2-Clause
"""What bins ask of values: their class, their leading bit, and where they lie among results."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from macaw.golden.arithmetic.exact import (
    INF,
    NAN,
    Exact,
    bit_length,
    kinds,
    shift_right_jam,
    unpack,
)
from macaw.golden.arithmetic.integers import integers_of
from macaw.golden.formats import Fixed, Float, Format, Subnormals

CLASSES = ("zero", "subnormal", "normal", "infinity", "NaN")
NOWHERE = -1 << 20
"""The leading bit of a zero."""

_TOP = np.uint64(62)


def classes(codes: np.ndarray, fmt: Format) -> np.ndarray:
    """Return for each code which of :data:`CLASSES` its value is in."""
    value = unpack(codes, fmt)
    found = np.where(value.significand == 0, 0, 2)
    if isinstance(fmt, Float) and fmt.subnormals is Subnormals.GRADUAL:
        small = (value.significand != 0) & (value.significand < np.uint64(1 << fmt.mantissa))
        found = np.where(small, 1, found)
    found = np.where(kinds(value) & INF, 3, found)
    return np.where(kinds(value) & NAN, 4, found)


def lacks(fmt: Format, wanted: str) -> str:
    """Return why a format has no value of a class; empty if it has."""
    floating = isinstance(fmt, Float)
    gradual = floating and fmt.subnormals is Subnormals.GRADUAL and fmt.mantissa > 0
    has = {
        "zero": fmt.zero if isinstance(fmt, Float) else True,
        "subnormal": gradual,
        "normal": True,
        "infinity": fmt.has_inf,
        "NaN": fmt.has_nan,
    }[wanted]
    plural = {"zero": "zero", "infinity": "infinities"}.get(wanted, f"{wanted}s")
    return "" if has else f"{fmt.name} has no {plural}"


def lead(x: Exact) -> np.ndarray:
    """Return the exponents of the leading bits, of zeros and specials :data:`NOWHERE`."""
    top = x.significand >> np.uint64(63)
    significand = np.where(top, x.significand >> np.uint64(1), x.significand)
    length = bit_length(significand) + top.astype(np.int64)
    there = (x.significand != 0) & ~x.special
    return np.where(there, np.asarray(x.exponent + length - 1), NOWHERE)


def extremes(fmt: Format) -> tuple[Fraction, Fraction]:
    """Return the least magnitude above zero, and the largest."""
    if isinstance(fmt, Fixed):
        unit = Fraction(2) ** -fmt.fraction
        return unit, unit * max(fmt.max_integer, -fmt.min_integer)
    if isinstance(fmt, Float):
        return Fraction(fmt.min_subnormal), Fraction(fmt.max)
    return Fraction(2) ** fmt.quantum, Fraction(fmt.max)


@dataclass(frozen=True)
class Place:
    """Where exact values lie among the numbers of a float format, and the results given for them.

    ``exact`` may be jammed, as those of :mod:`macaw.golden.arithmetic.exact` are.
    """

    exact: Exact
    codes: np.ndarray
    fmt: Float

    @cached_property
    def finite(self) -> np.ndarray:
        """Where the exact value is neither infinite nor a NaN."""
        return ~self.exact.special

    @cached_property
    def nonzero(self) -> np.ndarray:
        """Where it is finite, and not zero."""
        return self.finite & (self.exact.significand != 0)

    @cached_property
    def top(self) -> np.ndarray:
        """The exponent of its leading bit."""
        return lead(self.exact)

    @cached_property
    def _normal(self) -> np.ndarray:
        """Significands with the leading one in bit 62; of subnormals shifted as results are."""
        x = self.exact
        high = x.significand >> np.uint64(63)
        significand = shift_right_jam(x.significand, high)
        up = _TOP.astype(np.int64) + 1 - bit_length(significand)
        normal = significand << np.where(significand == 0, 0, up).view(np.uint64)
        if self.gradual:
            down = np.clip(self.fmt.emin - self.top, 0, 63)
            normal = shift_right_jam(normal, np.where(self.nonzero, down, 0).view(np.uint64))
        return normal

    @property
    def gradual(self) -> bool:
        """Whether the format has subnormal numbers."""
        return self.fmt.subnormals is Subnormals.GRADUAL

    @property
    def _drop(self) -> int:
        return 63 - self.fmt.precision

    @cached_property
    def cut(self) -> np.ndarray:
        """Codes of the magnitudes cut off at the last place, going on above the largest one."""
        fmt = self.fmt
        low = fmt.emin if self.gradual else fmt.emin - 2
        field = np.clip(self.top, low, fmt.emax + 2) + (fmt.bias - 1)
        return (field << fmt.mantissa) + (self._normal >> np.uint64(self._drop)).view(np.int64)

    @cached_property
    def rest(self) -> np.ndarray:
        """What is cut off, in units of which :attr:`half` are half of the last place."""
        rest = self._normal & np.uint64((1 << self._drop) - 1)
        return np.where(self.nonzero, rest, np.uint64(0)).view(np.int64)

    @property
    def half(self) -> int:
        """Half of the last place of a result."""
        return 1 << (self._drop - 1)

    @cached_property
    def inside(self) -> np.ndarray:
        """Where the value, cut off, is a number of the format below the largest."""
        low = 0 if self.gradual else self.fmt.min_code
        return self.nonzero & (self.cut < self.fmt.max_code) & (self.cut >= low)

    @cached_property
    def below_normal(self) -> np.ndarray:
        """Where the magnitude is less than that of the least normal number."""
        return self.nonzero & (self.top < self.fmt.emin)

    @cached_property
    def magnitude(self) -> np.ndarray:
        """Codes of the results without their sign."""
        fmt = self.fmt
        return self.codes.astype(np.int64) & ((1 << (fmt.exponent + fmt.mantissa)) - 1)

    @cached_property
    def negative(self) -> np.ndarray:
        """Where the result has a sign."""
        if not self.fmt.signed:
            return np.zeros(len(self.codes), bool)
        return ((self.codes.astype(np.int64) >> (self.fmt.width - 1)) & 1) == 1

    @cached_property
    def kind(self) -> np.ndarray:
        """Classes of the results."""
        return classes(self.codes, self.fmt)


def rounding_of(total: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ``total * 2**-right`` rounded down, and how what is left compares with a half.

    The last two are -1, 0 or 1 for less than, equal to and more than a half; and where nothing is
    left. ``right`` is clipped to 0 to 63.
    """
    right = np.clip(right, 0, 63)
    floor = total >> right
    rest = (total - (floor << right)).view(np.uint64)
    half = np.where(right > 0, np.uint64(1) << np.maximum(right - 1, 0).view(np.uint64), 0)
    half = half.astype(np.uint64)
    compared = np.where(rest > half, 1, np.where(rest < half, -1, 0))
    return floor, np.where(rest == 0, -1, compared), rest == 0


def signed(codes: np.ndarray, fmt: Fixed) -> np.ndarray:
    """Return integers as int64."""
    return np.asarray(integers_of(codes, fmt)).astype(np.int64)
