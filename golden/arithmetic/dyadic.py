# SPDX-License-Identifier: BSD-2-Clause
"""Dyadic numbers ``b / 2**c`` in place of real scales, and requantisation by them.

An integer x stands for ``x * scale``. To bring it to another scale, integer-only inference
multiplies by ``multiplier * 2**(shift - bits)``, adds the zero point and saturates. How the
product is rounded is the *profile*, and deployments differ by one count for it.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..arrays import common_shape, element, integers, real, reals
from ..errors import CodeError, SpecError, check_whole
from ..formats.choices import Overflow, _Named
from ..formats.scalar import Fixed
from ..formats.scalar import format as format_of
from .integers import codes_of, integer_dtype, integers_of, reach

BITS = 31
"""Width of a multiplier, if nothing else is said."""
LEAST_SHIFT, LARGEST_SHIFT = -32, 31
"""Shifts beyond are taken as these: no multiplier in [2**30, 2**31) with a 32-bit operand and a
result of at most 16 bits can tell."""
FORMS = ("separate", "single", "tflite")
"""How sums of two branches of different scales are rounded."""
BELOW_ONE = -31, 0
"""Limits of the shifts of form tflite."""
LEFT = {8: 20, 16: 15}
"""Of form tflite, by the most bits of branches and results: the left shift of the branches."""
_FAR = (1 << 33) - 1
"""A magnitude that saturates every result, whatever its zero point."""


class Ties(enum.Enum):
    """Rounding of what a right shift drops: to nearest with ties up, to even or away from zero;
    or dropped, which rounds down."""

    UP = "up"
    EVEN = "even"
    AWAY = "away"
    DROP = "drop"


class Profile(_Named):
    """How ``x * multiplier * 2**(shift - bits)`` becomes an integer.

    ``tflite_single``: once, ties up (TensorFlow Lite with TFLITE_SINGLE_ROUNDING).
    ``tflite_double``: gemmlowp's and TensorFlow Lite's two roundings, by ``2**bits`` with ties up
    (SaturatingRoundingDoublingHighMul, after a left shift that is exact here), then by
    ``2**-shift`` with ties away from zero (RoundingDivideByPOT). ``hawq``: once, ties to even
    (HAWQ-V3, in exact integers where its code has float64). ``half_up``: as ``tflite_single``.
    ``half_away``: once, ties away from zero (TVM's TONEAREST, NVDLA). ``truncate``: an arithmetic
    shift, which rounds down.
    """

    TFLITE_SINGLE = "tflite_single"
    TFLITE_DOUBLE = "tflite_double"
    HAWQ = "hawq"
    TRUNCATE = "truncate"
    HALF_UP = "half_up"
    HALF_AWAY = "half_away"

    @property
    def ties(self) -> Ties:
        """Rounding of the last, or only, shift."""
        return {
            Profile.TFLITE_DOUBLE: Ties.AWAY,
            Profile.HAWQ: Ties.EVEN,
            Profile.TRUNCATE: Ties.DROP,
            Profile.HALF_AWAY: Ties.AWAY,
        }.get(self, Ties.UP)


class Choice(_Named):
    """How a multiplier is made from a real scale.

    The significand in [1/2, 1) times ``2**bits``, to nearest with ties away from zero; one that
    becomes ``2**bits`` is halved. They differ at the ends: ``tflite`` (QuantizeMultiplier) makes
    zero of scales below ``2**-32``, and caps those from ``2**30`` at the largest multiplier;
    ``hawq`` (batch_frexp) takes what the shifts reach.
    """

    TFLITE = "tflite"
    HAWQ = "hawq"


@dataclass(frozen=True, kw_only=True, slots=True)
class Dyadic:
    """The number ``multiplier * 2**(shift - bits)``; in ``b / 2**c``, b and c = bits - shift.

    Parameters
    ----------
    multiplier : int
        0 to ``2**bits - 1``.
    shift : int
        -32 to 31.
    bits : int
        2 to 31.
    """

    multiplier: int
    shift: int
    bits: int = BITS

    def __post_init__(self) -> None:
        check_bits(self.bits)
        check_whole("multiplier", self.multiplier, 0, (1 << self.bits) - 1)
        check_whole("shift", self.shift, LEAST_SHIFT, LARGEST_SHIFT)

    @property
    def value(self) -> Fraction:
        """The exact value."""
        return self.multiplier * Fraction(2) ** (self.shift - self.bits)

    def __float__(self) -> float:
        return math.ldexp(self.multiplier, self.shift - self.bits)


def dyadic(scale: float | Fraction, *, bits: int = BITS, choice: str | Choice = "tflite") -> Dyadic:
    """Return the dyadic number for a real scale, which is taken as the exact number that it is.

    The result is within ``2**(shift - bits - 1)`` of the scale, a relative error of at most
    ``2**-bits``, but at the ends (:class:`Choice`).

    Raises
    ------
    SpecError for a scale that is negative or no number, or beyond the shifts.
    """
    choice = Choice.parse(choice, "choice")
    check_bits(bits)
    exact = _exact("scale", scale)
    if exact == 0:
        return Dyadic(multiplier=0, shift=0, bits=bits)
    top, bottom = exact.as_integer_ratio()
    shift = top.bit_length() - bottom.bit_length()
    shift += top >= bottom << shift if shift >= 0 else top << -shift >= bottom
    exact *= Fraction(2) ** (bits - shift)
    multiplier = math.floor(exact + Fraction(1, 2))
    if multiplier == 1 << bits:
        multiplier, shift = multiplier // 2, shift + 1
    if choice is Choice.TFLITE:
        if shift < -31:
            return Dyadic(multiplier=0, shift=0, bits=bits)
        if shift > 30:
            return Dyadic(multiplier=(1 << bits) - 1, shift=30, bits=bits)
    if shift < LEAST_SHIFT:
        return Dyadic(multiplier=0, shift=0, bits=bits)
    if shift > LARGEST_SHIFT:
        raise SpecError(f"scale={float(scale)}: must be below 2**{LARGEST_SHIFT}")
    return Dyadic(multiplier=multiplier, shift=shift, bits=bits)


def _exact(name: str, scale: Any) -> Fraction:
    """Return a scale as the number that it is; SpecError for what is none from 0 on."""
    if isinstance(scale, bool) or not isinstance(scale, int | Fraction):
        scale = real(name, scale, 0.0)
    if scale < 0:
        raise SpecError(f"{name}={scale}: must be a finite number from 0 on")
    return Fraction(scale)


def multipliers(
    scales: Any, *, bits: int = BITS, choice: str | Choice = "tflite"
) -> tuple[np.ndarray, np.ndarray]:
    """Return (multipliers, shifts) for an array of scales, int64 and int8 of its shape.

    SpecError for scales that are no numbers from 0 on, CodeError for what is no array of them.
    """
    array = reals("scales", scales, 0.0)
    found = [dyadic(float(scale), bits=bits, choice=choice) for scale in array.ravel()]
    return (
        np.array([each.multiplier for each in found], np.int64).reshape(array.shape),
        np.array([each.shift for each in found], np.int8).reshape(array.shape),
    )


def common_shift(scales: Iterable[float | Fraction], *, bits: int = BITS) -> tuple[list[int], int]:
    """Return (multipliers, one shift) for several scales: that of the largest one.

    A scale that is ``2**-n`` of the largest keeps ``bits - n`` bits; each error is at most
    ``2**(shift - bits - 1)``.
    """
    alone = isinstance(scales, str) or (isinstance(scales, np.ndarray) and not scales.ndim)
    if alone or not isinstance(scales, Iterable):
        raise SpecError(f"scales={scales!s}: must be several numbers from 0 on")
    scales = [_exact("scales", scale) for scale in scales]
    check_bits(bits)
    shift = max((dyadic(scale, bits=bits, choice="hawq").shift for scale in scales), default=0)
    unit = Fraction(2) ** (bits - shift)
    found = [math.floor(scale * unit + Fraction(1, 2)) for scale in scales]
    return [min(each, (1 << bits) - 1) for each in found], shift


def reciprocal(count: int, *, bits: int = BITS) -> Dyadic:
    """Return ``1 / count`` rounded up, with a multiplier of ``bits`` bits.

    Sums below ``2**(bits - 2)`` in magnitude times this are rounded as their quotients by
    ``count``: by ``half_away`` all of them, by ``half_up`` and ``truncate`` those from zero on.
    (An error that is never toward zero leaves a tie where it was or moves it away; and it is less
    than the distance of any other quotient from a tie, ``1 / (2 * count)``.)
    """
    check_bits(bits)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count < 1 << 31:
        raise SpecError(f"count={count!s}: must be an integer from 1 to {(1 << 31) - 1}")
    shift = 1 - (count - 1).bit_length()
    multiplier = -((-1 << (bits - shift)) // count)
    if multiplier >> bits:
        multiplier, shift = multiplier // 2, shift + 1
    return Dyadic(multiplier=multiplier, shift=shift, bits=bits)


def check_bits(bits: int) -> None:
    """SpecError unless ``bits`` is a width that multipliers can have."""
    check_whole("bits", bits, 2, BITS)


def round_shift(value: np.ndarray, right: np.ndarray | int, ties: Ties) -> np.ndarray:
    """Return ``value * 2**-right`` rounded to integers; the one rounding of this family.

    Parameters
    ----------
    value : ndarray of int64
    right : ndarray of int64, or int
        0 to 63, broadcast to ``value``. By 63 all but -2**63 is less than half.
    """
    value, right = np.broadcast_arrays(value, np.asarray(right, np.int64))
    floor = value >> right
    if ties is Ties.DROP:
        return floor
    one = np.int64(1)
    rest = value - (floor << right)
    half = np.where(right > 0, one << np.maximum(right - 1, 0), np.iinfo(np.int64).max)
    tie = rest == half
    up = {Ties.UP: tie, Ties.EVEN: tie & ((floor & 1) == 1), Ties.AWAY: tie & (value >= 0)}[ties]
    return floor + ((rest > half) | up)


def scale_products(
    product: np.ndarray, shift: np.ndarray | int, profile: Profile, bits: int
) -> np.ndarray:
    """Return ``product * 2**(shift - bits)`` rounded by the profile, as int64.

    What is far beyond 32 bits stays beyond, and keeps its sign. Magnitudes must be below 2**63.
    """
    shift = np.clip(np.asarray(shift, np.int64), LEAST_SHIFT, LARGEST_SHIFT)
    right = bits - shift
    if profile is Profile.TFLITE_DOUBLE:
        once = round_shift(product, np.maximum(bits - np.maximum(shift, 0), 0), Ties.UP)
        result = round_shift(once, np.maximum(-shift, 0), Ties.AWAY)
    else:
        result = round_shift(product, np.maximum(right, 0), profile.ties)
    left = np.maximum(-right, 0)
    if not np.any(left):
        return result
    return np.where(left > 0, np.clip(result, -_FAR, _FAR) << left, result)


def scale_sum(
    products: Iterable[np.ndarray],
    shifts: Iterable[np.ndarray | int],
    multiplier: np.ndarray | int,
    shift: np.ndarray | int,
    *,
    left: int,
    profile: Profile,
    bits: int,
) -> np.ndarray:
    """Return a sum of two products as TensorFlow Lite's ADD rounds it, as int64.

    Each product is shifted left by ``left``, scaled and rounded; their sum, times ``multiplier``,
    is scaled by ``shift`` and rounded. Shifts beyond -31 and 0, which TensorFlow Lite does not
    have, are taken as these. Magnitudes stay below 2**63 with operands of the widths in
    :data:`LEFT` less their zero points.
    """
    first, second = (
        scale_products(product << left, np.clip(each, *BELOW_ONE), profile, bits)
        for product, each in zip(products, shifts, strict=True)
    )
    return scale_products((first + second) * multiplier, np.clip(shift, *BELOW_ONE), profile, bits)


def residual_profile(form: str, profile: str | Profile | None) -> Profile:
    """Return the profile of a residual sum, by default its form's; SpecError where they do not
    fit."""
    if not isinstance(form, str) or form not in FORMS:
        raise SpecError(f"form={form}: must be one of {', '.join(FORMS)}")
    tflite = form == "tflite"
    if profile is None:
        return Profile.TFLITE_DOUBLE if tflite else Profile.TFLITE_SINGLE
    found = Profile.parse(profile, "profile")
    if tflite and found not in (Profile.TFLITE_DOUBLE, Profile.TFLITE_SINGLE):
        raise SpecError(f"profile={found}: form=tflite has tflite_double or tflite_single")
    return found


def branch_format(out: Fixed, branch: str | Fixed | None = None) -> Fixed:
    """Return the integer format that separate branches of a residual sum saturate to: by default
    signed, of twice the bits of ``out``, at most 32. SpecError for another than of integers."""
    return Fixed(width=min(2 * out.width, 32)) if branch is None else check_out(branch, "branch")


def left_shift(out: Fixed) -> tuple[int, int]:
    """Return the most bits of branches of form tflite, and their left shift, by their result."""
    for width, left in LEFT.items():
        if out.width <= width:
            return width, left
    raise SpecError(f"out={out.name}: form=tflite has results of at most {max(LEFT)} bits")


def saturate(value: np.ndarray, out: Fixed, zero_point: Any = 0) -> np.ndarray:
    """Return ``value + zero_point`` within the range of ``out``, in the dtype of its integers."""
    total = np.clip(value, -_FAR * 2, _FAR * 2) + np.asarray(zero_point, np.int64)
    return np.clip(total, out.min_integer, out.max_integer).astype(integer_dtype(out))


def requantize(
    x: Any,
    multiplier: Any,
    shift: Any,
    *,
    profile: str | Profile = "tflite_single",
    out: str | Fixed = "int8",
    zero_point: Any = 0,
    bits: int = BITS,
) -> np.ndarray:
    """Return ``saturate(round(x * multiplier * 2**(shift - bits)) + zero_point)``.

    Parameters
    ----------
    x : array_like of integers
        Of any width, as long as no product has more than 62 bits and a sign.
    multiplier, shift, zero_point : array_like of integers
        Broadcast like numpy: per tensor, or per channel along an axis. Multipliers are 0 to
        ``2**bits - 1``, shifts -32 to 31 (the operand of the unit may lie beyond, and is taken as
        these); zero points lie in ``out``.
    profile : Profile
    out : Fixed
        Integers of at most 32 bits.
    bits : int

    Returns
    -------
    ndarray of the integers of ``out`` (not codes), in the smallest numpy dtype for them.

    Raises
    ------
    CodeError for arrays that are not integers, do not broadcast, or are out of these ranges;
    SpecError for parameters.
    """
    profile = Profile.parse(profile, "profile")
    fmt = check_out(out)
    check_bits(bits)
    x = check_magnitude("x", check_integers("x", x), 62 - bits, f" with bits={bits}")
    multiplier = check_multipliers("multiplier", multiplier, bits)
    shift = check_range("shift", check_integers("shift", shift), LEAST_SHIFT, LARGEST_SHIFT)
    zero_point = check_zero_point("zero_point", zero_point, fmt)
    common_shape(x.shape, multiplier.shape, shift.shape, zero_point.shape)
    rounded = scale_products(x * multiplier, shift, profile, bits)
    return saturate(rounded, fmt, zero_point)


def requantize_real(
    x: Any, scale: Any, *, out: str | Fixed = "int8", zero_point: Any = 0
) -> np.ndarray:
    """Return ``saturate(rint(x * scale) + zero_point)``: ONNX, whose scales are real.

    As onnxruntime does it: x is rounded to fp32, and its product with the fp32 ``scale`` once
    more. The product is then an integer to nearest, ties to even. There are no gates for this;
    it is here to be compared with. Arrays as in :func:`requantize`; scales are finite, from 0 on.
    """
    fmt = check_out(out)
    x, scale = check_integers("x", x), reals("scale", scale, 0.0)
    zero_point = check_zero_point("zero_point", zero_point, fmt)
    common_shape(x.shape, scale.shape, zero_point.shape)
    with np.errstate(over="ignore"):
        factor = scale.astype(np.float32)
        if np.isinf(factor).any():
            raise SpecError(f"{element('scale', scale, np.isinf(factor))}: is beyond fp32")
        product = x.astype(np.float32) * factor
    return saturate(np.rint(np.clip(product, -_FAR, _FAR)).astype(np.int64), fmt, zero_point)


def check_out(out: str | Fixed, name: str = "out") -> Fixed:
    """Return the integer format of at most 32 bits that ``out`` means; SpecError otherwise."""
    fmt = format_of(out)
    if not isinstance(fmt, Fixed) or fmt.fraction or fmt.width > 32:
        raise SpecError(f"{name}={fmt.name}: must be an integer format of at most 32 bits")
    return fmt


def check_integers(name: str, values: Any) -> np.ndarray:
    """Return ``values`` as int64; CodeError if they are not integers, or have more bits."""
    array = integers(name, values)
    if array.dtype.kind == "u" and array.size and int(array.max()) >> 63:
        raise CodeError(f"{name}: {int(array.max())} has more than 63 bits")
    return array.astype(np.int64)


def check_range(name: str, array: np.ndarray, low: int, high: int, why: str = "") -> np.ndarray:
    """Return ``array``; CodeError, which names the element, unless all lie from low to high."""
    wrong = (array < low) | (array > high)
    if wrong.any():
        raise CodeError(f"{element(name, array, wrong)}: must be from {low} to {high}{why}")
    return array


def check_magnitude(name: str, array: np.ndarray, bits: int, why: str = "") -> np.ndarray:
    """Return ``array``; CodeError unless no magnitude exceeds ``2**bits``."""
    wrong = (array < -(1 << bits)) | (array > 1 << bits)
    if wrong.any():
        bad = element(name, array, wrong)
        raise CodeError(f"{bad}: must not exceed 2**{bits} in magnitude{why}")
    return array


def check_multipliers(name: str, values: Any, bits: int) -> np.ndarray:
    """Return multipliers as int64; CodeError unless they are integers of so many bits."""
    return check_range(name, check_integers(name, values), 0, (1 << bits) - 1, f", {bits} bits")


def check_zero_point(name: str, values: Any, fmt: Fixed) -> np.ndarray:
    """Return zero points as int64; CodeError unless they are integers of their format."""
    return check_range(name, check_integers(name, values), *reach(fmt), f", in {fmt.name}")


def store(total: np.ndarray, fmt: Fixed, policy: Overflow) -> np.ndarray:
    """Return int64 sums in an integer format: wrapped, or saturated."""
    if policy is Overflow.SATURATE:
        return np.clip(total, fmt.min_integer, fmt.max_integer).astype(integer_dtype(fmt))
    if policy is not Overflow.WRAP:
        raise SpecError(f"overflow={policy}: must be one of wrap, saturate")
    return integers_of(codes_of(total, fmt), fmt).astype(integer_dtype(fmt))
