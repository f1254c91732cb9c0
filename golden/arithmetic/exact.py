# SPDX-License-Identifier: BSD-2-Clause
"""Numbers that have not been rounded: unpacked operands, products, and sums of two.

Every array here is exact, or exact but for a last bit that is *jammed*: set if any bit below it
was set. Bits that are jammed lie so far below a result's last place that rounding cannot tell.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from operator import itemgetter

import numpy as np

from ..formats.scalar import Book, Fixed, Float, Format, Posit, Specials, Subnormals
from .posits import codec as posits

NAN, INF, INVALID = (np.uint8(1 << n) for n in range(3))
"""Bits of :attr:`Exact.kind`. INVALID: a signalling NaN, or the result of an invalid operation."""

ONE = np.uint64(1)
WINDOW = 62
"""Bits in which two terms are added; the sum has one more and stays below 2**63."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exact:
    """Arrays of values ``(-1)**negative * significand * 2**exponent``, and bounds on them.

    Attributes
    ----------
    significand : ndarray of uint64
        Not normalised; 0 for zero and never 0 for infinity and NaN.
    exponent : ndarray of int64, or int
    negative : ndarray of bool
    kind : ndarray of uint8, or None
        Bits NAN, INF and INVALID; never both NAN and INF. None if all values are finite.
    low, high : int
        Every finite value is a multiple of ``2**low`` and less than ``2**high`` in magnitude.
        No exponent is below ``low``, but for sums made by :func:`add`.
    bits : int
        Every significand is less than ``2**bits``.
    """

    significand: np.ndarray
    exponent: np.ndarray | int
    negative: np.ndarray
    kind: np.ndarray | None = None
    low: int
    high: int
    bits: int

    @classmethod
    def of_fixed(cls, magnitude: np.ndarray, negative: np.ndarray, fmt: Fixed) -> Exact:
        """Return values whose ``magnitude`` counts last places of ``fmt``."""
        low, high = -fmt.fraction, fmt.width - fmt.fraction
        return cls(
            significand=magnitude,
            exponent=low,
            negative=negative,
            low=low,
            high=high,
            bits=fmt.width,
        )

    @classmethod
    def of_integers(
        cls,
        integers: np.ndarray,
        exponent: np.ndarray | int,
        *,
        low: int,
        high: int,
        negative: np.ndarray,
        kind: np.ndarray | None,
    ) -> Exact:
        """Return int64 ``integers`` times ``2**exponent``.

        ``negative`` holds for zeros, and for infinities, of which an integer says nothing.
        """
        sign = np.where(integers == 0, negative, integers < 0)
        if kind is not None:
            sign = np.where(kind & INF, negative, sign)
        return cls(
            significand=np.abs(integers).view(np.uint64),
            exponent=exponent,
            negative=sign,
            kind=kind,
            low=low,
            high=high,
            bits=WINDOW + 1,
        )

    @classmethod
    def of_presence(cls, x: Exact) -> Exact:
        """Return ones where ``x`` is not zero, and zeros, of the same signs and kinds."""
        return cls(
            significand=(x.significand != 0).astype(np.uint64),
            exponent=0,
            negative=x.negative,
            kind=x.kind,
            low=0,
            high=1,
            bits=1,
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the arrays."""
        return self.significand.shape

    def arranged(self, arrange: Callable[[np.ndarray], np.ndarray]) -> Exact:
        """Return the values in other places: each of the arrays as ``arrange`` returns it."""
        exponent, kind = self.exponent, self.kind
        return Exact(
            significand=arrange(self.significand),
            exponent=exponent if isinstance(exponent, int) else arrange(exponent),
            negative=arrange(self.negative),
            kind=None if kind is None else arrange(kind),
            low=self.low,
            high=self.high,
            bits=self.bits,
        )

    def __getitem__(self, index) -> Exact:
        return self.arranged(itemgetter(index))

    def reshape(self, shape: tuple[int, ...]) -> Exact:
        """Return the values with other axes."""
        return self.arranged(lambda array: array.reshape(shape))

    @property
    def special(self) -> np.ndarray:
        """Where the values are NaN or infinite."""
        return (kinds(self) & (INF | NAN)) != 0

    def negate(self) -> Exact:
        """Return the values with the other sign, zeros included."""
        return replace(self, negative=~self.negative)

    def scaled(self, shift: int | np.integer | np.ndarray) -> Exact:
        """Return the values times ``2**shift``."""
        exponent, least, most = self.exponent + shift, shift, shift
        if not isinstance(shift, int):
            exponent = np.broadcast_to(np.asarray(exponent, np.int64), self.shape)
            least, most = int(np.min(shift)), int(np.max(shift))
        return replace(self, exponent=exponent, low=self.low + least, high=self.high + most)


def unpack(codes: np.ndarray, fmt: Format) -> Exact:
    """Return the values of unsigned integer ``codes`` of ``fmt``."""
    if fmt.width > 12:
        return _unpack(codes, fmt)
    return _table(fmt).arranged(lambda array: array.take(codes))


@functools.lru_cache(maxsize=64)
def _table(fmt: Format) -> Exact:
    return _unpack(np.arange(1 << fmt.width, dtype=fmt.code_dtype), fmt)


def _unpack(codes: np.ndarray, fmt: Format) -> Exact:
    if isinstance(fmt, Book):
        return _unpack_book(codes, fmt)
    if isinstance(fmt, Posit):
        return _unpack_posit(codes, fmt)
    codes = codes.astype(np.uint64)
    return _unpack_fixed(codes, fmt) if isinstance(fmt, Fixed) else _unpack_float(codes, fmt)


def _unpack_fixed(codes: np.ndarray, fmt: Fixed) -> Exact:
    if not fmt.signed:
        return Exact.of_fixed(codes, np.zeros(codes.shape, bool), fmt)
    negative = (codes >> np.uint64(fmt.width - 1)).astype(bool)
    mask = np.uint64((1 << fmt.width) - 1)
    magnitude = np.where(negative, (~codes + ONE) & mask, codes)
    return Exact.of_fixed(magnitude, negative, fmt)


def _unpack_float(codes: np.ndarray, fmt: Float) -> Exact:
    mantissa = fmt.mantissa
    magnitude_bits = fmt.exponent + mantissa
    magnitude = codes & np.uint64((1 << magnitude_bits) - 1)
    negative = (codes >> np.uint64(magnitude_bits)).astype(bool)
    field = (magnitude >> np.uint64(mantissa)).view(np.int64)
    fraction = magnitude & np.uint64((1 << mantissa) - 1)
    hidden = np.uint64(1 << mantissa)
    if fmt.subnormals is Subnormals.NONE:
        significand = fraction | hidden
        exponent = field - (fmt.bias + mantissa)
        if fmt.zero:
            significand *= magnitude != 0
    else:
        normal = field != 0
        significand = fraction + hidden * normal
        if fmt.subnormals is Subnormals.FLUSH:
            significand *= normal
        exponent = np.maximum(field, 1) - (fmt.bias + mantissa)
    kind = None
    if fmt.specials is Specials.IEEE:
        top = field == (1 << fmt.exponent) - 1
        nan = top & (fraction != 0)
        quiet = (fraction >> np.uint64(mantissa - 1)).astype(bool)
        kind = nan * NAN + (top & ~nan) * INF + (nan & ~quiet) * INVALID
    elif fmt.has_nan:
        nan = (codes if fmt.nan_for_negative_zero else magnitude) == fmt.nan_code
        kind = nan * NAN
        significand += nan & (significand == 0)
        if fmt.has_inf:
            kind |= (magnitude == fmt.inf_code) * INF
            # They may stand two binades above the largest number.
            exponent = np.minimum(exponent, fmt.emax - mantissa)
    return Exact(
        significand=significand,
        exponent=exponent,
        negative=negative,
        kind=kind,
        low=fmt.quantum,
        high=fmt.emax + 1,
        bits=fmt.precision,
    )


def _unpack_book(codes: np.ndarray, fmt: Book) -> Exact:
    numbers = [Fraction(value) for value in fmt.values]
    exponents = [
        fmt.quantum if fmt.uniform or not value else math.frexp(value)[1] - fmt.precision
        for value in fmt.values
    ]
    pairs = zip(numbers, exponents, strict=True)
    significands = [int(abs(number) / Fraction(2) ** exponent) for number, exponent in pairs]
    negative = [math.copysign(1.0, value) < 0 for value in fmt.values]
    return Exact(
        significand=np.array(significands, np.uint64)[codes],
        exponent=fmt.quantum if fmt.uniform else np.array(exponents, np.int64)[codes],
        negative=np.array(negative)[codes],
        low=min(exponents),
        high=fmt.emax + 1,
        bits=fmt.precision,
    )


def _unpack_posit(codes: np.ndarray, fmt: Posit) -> Exact:
    fields = posits.unpack(codes, fmt)
    return Exact(
        significand=fields.significand,
        exponent=fields.exponent,
        negative=fields.negative,
        kind=fields.nar * NAN,
        low=fmt.quantum - fmt.fraction,
        high=fmt.emax + 1,
        bits=fmt.precision,
    )


def multiply(x: Exact, y: Exact) -> Exact:
    """Return the exact products; ``x.bits + y.bits`` must be at most 64."""
    significand = x.significand * y.significand
    kind = None
    if x.kind is not None or y.kind is not None:
        kind = kinds(x) | kinds(y)
        nan = kind & NAN
        invalid = ((kind & INF) != 0) & (significand == 0)
        kind = kind & ~(nan << np.uint8(1))
        if invalid.any():
            # The zero is the other operand's: infinities and NaNs have significands.
            kind[invalid & (nan == 0)] = NAN | INVALID
    return Exact(
        significand=significand,
        exponent=x.exponent + y.exponent,
        negative=x.negative ^ y.negative,
        kind=kind,
        low=x.low + y.low,
        high=x.high + y.high,
        bits=x.bits + y.bits,
    )


def beside(x: Exact, y: Exact) -> Exact:
    """Return the values of ``x`` and, behind them on the last axis, those of ``y``."""

    def joined(of: Callable[[Exact], np.ndarray | int]) -> np.ndarray:
        return np.concatenate([np.broadcast_to(of(each), each.shape) for each in (x, y)], axis=-1)

    finite = x.kind is None and y.kind is None
    return Exact(
        significand=joined(lambda each: each.significand),
        exponent=joined(lambda each: each.exponent),
        negative=joined(lambda each: each.negative),
        kind=None if finite else joined(kinds),
        low=min(x.low, y.low),
        high=max(x.high, y.high),
        bits=max(x.bits, y.bits),
    )


def kinds(x: Exact) -> np.ndarray:
    """Return the kinds of ``x``: zeros where all are finite."""
    return np.zeros(x.negative.shape, np.uint8) if x.kind is None else x.kind


def masked(x: Exact, there: np.ndarray) -> Exact:
    """Return the values, +0 where they are not ``there``."""
    significand = np.where(there, x.significand, np.uint64(0))
    kind = None if x.kind is None else np.where(there, x.kind, np.uint8(0))
    return replace(x, significand=significand, negative=x.negative & there, kind=kind)


def halves(x: Exact) -> tuple[Exact, Exact]:
    """Return two terms of at most 32 bits, the upper and the lower, whose sum is ``x``."""
    upper, lower = x.significand >> np.uint64(32), x.significand & np.uint64(0xFFFFFFFF)
    bits = max(x.bits - 32, 1), min(x.bits, 32)
    return (
        replace(x, significand=upper, exponent=x.exponent + 32, kind=None, bits=bits[0]),
        replace(x, significand=lower, kind=None, bits=bits[1]),
    )


def bit_length(significand: np.ndarray) -> np.ndarray:
    """Return the bit lengths of uint64 values below 2**63, as int64; of 0 it is -1022."""
    # Clearing each bit below a set one keeps the top bit and stops float64 from rounding up.
    top = (significand & ~(significand >> ONE)).view(np.int64).astype(np.float64)
    length = top.view(np.int64)
    length >>= 52
    length -= 1022
    return length


def shift_right_jam(significand: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Shift uint64 values right by 0 to 63 bits (uint64), with a last bit that holds any lost."""
    shifted = significand >> amount
    shifted |= (shifted << amount) != significand
    return shifted


def zero_sign(x: Exact, y: Exact, down: bool | np.ndarray) -> np.ndarray:
    """Return the signs that sums of ``x`` and ``y`` have if they are zero. IEEE 754-2019 6.3."""
    both = x.negative & y.negative
    if down is False:
        return both
    return both | ((x.negative ^ y.negative) & down)


def add_kinds(x: Exact, y: Exact, negative: np.ndarray) -> np.ndarray | None:
    """Return the kinds of sums, and set ``negative`` where they are infinite."""
    if x.kind is None and y.kind is None:
        return None
    kx, ky = kinds(x), kinds(y)
    kind = kx | ky
    infinite = (kind & INF).astype(bool)
    if infinite.any():
        conflict = (kx & ky & INF).astype(bool) & (x.negative ^ y.negative)
        np.copyto(negative, np.where(kx & INF, x.negative, y.negative), where=infinite)
        kind |= (NAN | INVALID) * (conflict & ((kind & NAN) == 0))
        kind &= ~((kind & NAN) << np.uint8(1))
    return kind


def add_fits(x: Exact, y: Exact) -> bool:
    """Whether :func:`add` takes these terms."""
    return max(x.bits, y.bits) <= WINDOW - 2


def add(x: Exact, y: Exact, down: bool | np.ndarray) -> Exact:
    """Return ``x + y``, exact or jammed 60 bits or more below the sum's top bit.

    Both are normalised to the top of a window of 62 bits and the lesser one is shifted right.
    Significands have at most 60 bits, so that bits are lost only where the exponents differ by
    more than two, and then the subtraction cancels one bit at most.
    """
    xs, xe = _normalise(x)
    ys, ye = _normalise(y)
    exponent = np.maximum(xe, ye)
    xs = shift_right_jam(xs, np.minimum(exponent - xe, 63).view(np.uint64)).view(np.int64)
    ys = shift_right_jam(ys, np.minimum(exponent - ye, 63).view(np.uint64)).view(np.int64)
    total = xs * (1 - 2 * x.negative.view(np.int8)) + ys * (1 - 2 * y.negative.view(np.int8))
    negative = total < 0
    negative |= (total == 0) & zero_sign(x, y, down)
    kind = add_kinds(x, y, negative)
    return Exact(
        significand=np.abs(total).view(np.uint64),
        exponent=exponent,
        negative=negative,
        kind=kind,
        low=min(x.low, y.low),
        high=max(x.high, y.high) + 1,
        bits=WINDOW + 1,
    )


def _normalise(x: Exact) -> tuple[np.ndarray, np.ndarray]:
    length = bit_length(x.significand)
    shift = WINDOW - length
    # A zero has a shift above 1000: it stays zero, and its exponent falls below all others.
    exponent = x.exponent - shift
    exponent[length < 0] = -1 << 20
    return x.significand << shift.view(np.uint64), exponent
