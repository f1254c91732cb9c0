# SPDX-License-Identifier: BSD-2-Clause
"""Nonlinear functions in integers alone: square root, GELU, softmax, layer normalisation.

GELU, softmax and layer normalisation are those of I-BERT (Kim et al. 2021, arXiv 2101.01321, and
its code): polynomials of second degree whose constants are integers that follow from the value of
one step of the operand, its *scale*. The original emulates its integers in float32; here each step
is the exact integer, and a constant is the floor of an exact rational number. What else differs is
said at each function. The integer power of two is ours.

Arrays are integers, not codes, and every step fits int64: what would not is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ..arrays import integers as integers_of
from ..errors import CodeError, SpecError
from ..formats.checks import check_integer
from ..formats.scalar import Fixed
from ..formats.scalar import format as scalar_format
from ..formats.texts import fraction
from .exp2 import MOST_BITS, integers
from .integers import reach

LEAST_SCALE = -26
"""Least value of a step: its inverse square is the constant of a polynomial."""

ERF_ROOT = Fraction("1.4142")
ERF = Fraction("-0.2888"), Fraction("-1.769")
"""I-BERT's GELU: erf(x / ERF_ROOT) is near sign(x) (a (min(|x| / ERF_ROOT, -b) + b)**2 + 1)."""

EXP = Fraction("0.35815147"), Fraction("0.96963238"), Fraction("0.6931")
"""I-BERT's exponential: exp(-p) is near a p**2 - b p + 1 for p from 0 to the third, its ln 2."""

ERF_BITS = 12
"""Bits that GELU's default shift leaves of its error function."""

MOST_SHIFT = 14
"""I-BERT's shift of that, for operands of 32 bits."""


def rational(name: str, value: Any, least: int = LEAST_SCALE) -> Fraction:
    """Return the positive scale that a number or a text as ``0.05``, ``1/32`` means, exactly.

    A float is the decimal that Python prints for it. SpecError names the parameter, of numbers
    that are not from ``2**least`` to 1, too.
    """
    try:
        value = repr(float(value)) if isinstance(value, float) else value
        number = fraction(value) if isinstance(value, str) else Fraction(value)
        if number is None:
            raise ValueError
        number = Fraction(int(number)) if isinstance(value, np.integer) else number
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        raise SpecError(f"{name}={value!s}: must be a number, as 0.05 or 1/32") from None
    if not Fraction(2) ** least <= number <= 1:
        raise SpecError(f"{name}={value!s}: must be from 2^{least} to 1")
    return number


def isqrt(x: Any) -> np.ndarray:
    """Return the largest integers whose squares are not above ``x``.

    Parameters
    ----------
    x : array_like of int
        From 0 to ``2**64 - 1``.

    Returns
    -------
    ndarray of int64

    Raises
    ------
    CodeError for negative numbers and for what is no integer.
    """
    array = integers_of("x", x)
    if array.dtype.kind == "i" and array.size and array.min() < 0:
        raise CodeError(f"x: {array.min()}: must not be negative")
    word = array.astype(np.uint64)
    # The float may be one off on either side; a root of 2**32 would have no square here.
    root = np.minimum(np.sqrt(word.astype(np.float64)), 2.0**32 - 1).astype(np.uint64)
    root = root - (root * root > word)
    root = root + (word - root * root > 2 * root)
    return root.astype(np.int64)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gelu:
    """Constants of I-BERT's GELU for an operand whose step is worth ``scale``.

    Its steps, in integers, with ``s' = scale / 1.4142`` and the polynomial's a and b::

        b = floor(-1.769 / s')    c = floor(1 / (a s'**2))        both negative
        erf = sign(x) * ((min(|x|, -b) + b)**2 + c)
        erf = floor(erf / 2**shift)
        r = -x * (erf + floor(1 / (a s'**2 2**shift)))

    The original's scales of erf and of the result are negative, because a is; r is its result with
    the sign turned, so that the value of a step, :attr:`result_scale`, is positive.

    Parameters
    ----------
    scale : Fraction
    shift : int
        Bits that erf leaves out, 0 to 14; :meth:`of` chooses.
    """

    scale: Fraction
    shift: int

    @classmethod
    def of(cls, scale: Any, shift: int | None = None) -> Gelu:
        """Check the parameters; by default 12 bits of erf are kept, at most 14 left out."""
        value = rational("scale", scale)
        if shift is None:
            bits = cls(scale=value, shift=0).ceiling.bit_length()
            shift = min(max(bits - ERF_BITS, 0), MOST_SHIFT)
        check_integer("shift", shift, 0, MOST_SHIFT)
        return cls(scale=value, shift=shift)

    @property
    def _square(self) -> Fraction:
        """Value of a step of erf before it is shifted, without its sign."""
        return -ERF[0] * (self.scale / ERF_ROOT) ** 2

    @property
    def bound(self) -> int:
        """-b: magnitudes beyond it have the error function's limit."""
        return -math.floor(ERF[1] / (self.scale / ERF_ROOT))

    @property
    def ceiling(self) -> int:
        """-c: the error function's limit, before it is shifted."""
        return -math.floor(-1 / self._square)

    @property
    def one(self) -> int:
        """1 in steps of the shifted error function."""
        return -math.floor(-1 / (self._square * 2**self.shift))

    @property
    def result_scale(self) -> Fraction:
        """Value of a step of the result."""
        return self.scale * self._square * 2**self.shift / 2

    def largest(self, magnitude: int) -> int:
        """A bound on the magnitudes of results."""
        return magnitude * (self.one + 1 + (self.ceiling >> self.shift))

    def __call__(self, x: Any) -> np.ndarray:
        """Return r as int64; CodeError if it would not fit."""
        x = integers("x", x, 1 << MOST_BITS)
        magnitude = int(np.abs(x).max(initial=0))
        if self.largest(magnitude).bit_length() > MOST_BITS:
            raise CodeError(f"x: {magnitude} has a result of more than {MOST_BITS} bits")
        inner = np.minimum(np.abs(x), self.bound) - self.bound
        erf = np.sign(x) * (inner * inner - self.ceiling)
        return -x * ((erf >> self.shift) - self.one)


def gelu(x: Any, scale: Any, *, shift: int | None = None) -> tuple[np.ndarray, Fraction]:
    """Return GELU of ``x * scale`` in integers, and the value of a step of them: :class:`Gelu`.

    Parameters
    ----------
    x : array_like of int
    scale : number or str
        Value of a step of x, from 2^-26 to 1.
    shift : int, optional
        Bits that the error function leaves out, 0 to 14.
    """
    constants = Gelu.of(scale, shift)
    return constants(x), constants.result_scale


@dataclass(frozen=True, kw_only=True, slots=True)
class Exponential:
    """Constants of I-BERT's exponential of numbers up to 0 whose step is worth ``scale``.

    Its steps, for x <= 0 and the polynomial ``a (p**2 + b p + c)``::

        x0 = floor(-0.6931 / scale)    b = floor(b / scale)    c = floor(c / scale**2)
        q = floor(x / x0)              p = x - x0 q
        r = floor((p (p + b) + c) 2**(n - q))

    The original has n = 30, bounds x by 30 x0, and brings r to 16 bits with a multiplier from a
    calibration. Here n is such that the exponential of 0 has ``bits`` bits, sign included: the
    same range but for a factor below 2, no multiplier, and no bound that could be seen.

    Parameters
    ----------
    scale : Fraction
    bits : int
        Of a signed result, 4 to 31; 16 in the original.
    """

    scale: Fraction
    bits: int = 16

    @classmethod
    def of(cls, scale: Any, bits: int = 16) -> Exponential:
        """Check the parameters."""
        check_integer("bits", bits, 4, 31)
        return cls(scale=rational("scale", scale), bits=bits)

    @property
    def period(self) -> int:
        """-x0: steps in which the exponential halves."""
        return -math.floor(-EXP[2] / self.scale)

    @property
    def linear(self) -> int:
        """b."""
        return math.floor(EXP[1] / EXP[0] / self.scale)

    @property
    def constant(self) -> int:
        """c: what the polynomial is at 0, its largest value."""
        return math.floor(1 / (EXP[0] * self.scale**2))

    @property
    def shift(self) -> int:
        """n."""
        return self.bits - 1 - self.constant.bit_length()

    @property
    def largest(self) -> int:
        """The exponential of 0."""
        up = self.shift
        return self.constant << up if up >= 0 else self.constant >> -up

    @property
    def result_scale(self) -> Fraction:
        """Value of a step of the result."""
        return EXP[0] * self.scale**2 / Fraction(2) ** self.shift

    def polynomial(self, distance: np.ndarray) -> np.ndarray:
        """Return ``p (p + b) + c`` for the distances ``-p`` from 0 to the period."""
        return distance * (distance - self.linear) + self.constant

    def __call__(self, x: Any) -> np.ndarray:
        """Return r as int64, for x up to 0."""
        x = integers("x", x, 1 << MOST_BITS)
        if x.max(initial=0) > 0:
            raise CodeError(f"x: {x.max()}: must not be above 0")
        q, distance = np.divmod(-x, self.period)
        r = self.polynomial(distance)
        # At most `bits` bits are left: a shift that takes all of them takes any more.
        q = np.minimum(q, MOST_BITS)
        up = self.shift
        return (r << up) >> q if up >= 0 else r >> np.minimum(q - up, MOST_BITS)


def exponential(x: Any, scale: Any, *, bits: int = 16) -> tuple[np.ndarray, Fraction]:
    """Return exp(``x * scale``), x up to 0, and the value of a step of it: :class:`Exponential`."""
    constants = Exponential.of(scale, bits)
    return constants(x), constants.result_scale


@dataclass(frozen=True, kw_only=True, slots=True)
class Probability:
    """How integers of ``out`` are probabilities: ``(r - zero_point) / 2**fraction``.

    All multiples of ``2**-fraction`` from 0 to below 1 are held; 1 saturates to the last of them.
    A format with fraction bits has its own, and by default the zero point 0. An integer format has
    as many fraction bits as fill it from its zero point up. By default that is the least integer
    of signed formats of up to 8 bits, and 0 of others: the quantisation that TensorFlow Lite
    demands of its results (kernels/activations.cc) and onnxruntime gives them, for int8 the scale
    1/256 and the zero point -128, for uint8 1/256 and 0, for int16 1/32768 and 0.

    Parameters
    ----------
    out : Fixed
    zero_point : int
    fraction : int
        At least 1.
    """

    out: Fixed
    zero_point: int
    fraction: int

    @classmethod
    def of(cls, out: Any, zero_point: int | None = None) -> Probability:
        """Check the parameters; SpecError for results that cannot hold a probability."""
        fmt = scalar_format(out)
        if not isinstance(fmt, Fixed):
            raise SpecError(f"out={fmt.name}: must be fixed point, as ufx8.8, or an integer format")
        least = reach(fmt)[0]
        usual = cls.usual(fmt)
        zero = usual if zero_point is None else zero_point
        check_integer("zero_point", zero, least, fmt.max_integer)
        steps = fmt.max_integer + 1 - zero
        fraction = fmt.fraction or steps.bit_length() - 1
        given = f"out={fmt.name}, zero_point={zero}"
        if not fmt.fraction and steps != 1 << fraction:
            raise SpecError(
                f"{given}: has {steps} values from there up, and an integer format must have a "
                f"power of two, as with zero_point={usual}"
            )
        if fraction < 1 or steps < 1 << fraction:
            most = fmt.max_integer + 1 - (1 << max(fraction, 1))
            remedy = f"zero_point must be {most} or less"
            if fraction < 1 or most < least:
                bits = (fmt.max_integer + 1 - least).bit_length() - 1
                remedy = f"out must have from 1 to {bits} fraction bits, or be an integer format"
            raise SpecError(f"{given}: cannot hold probabilities from 0 to 1: {remedy}")
        return cls(out=fmt, zero_point=zero, fraction=fraction)

    @staticmethod
    def usual(out: Fixed) -> int:
        """The zero point by default."""
        if not out.signed or out.fraction or out.symmetric or out.width > 8:
            return 0
        return reach(out)[0]

    @property
    def largest(self) -> int:
        """Steps of the largest result."""
        return self.out.max_integer - self.zero_point

    def of_total(self, e: np.ndarray, total: np.ndarray, reciprocal: int) -> np.ndarray:
        """Return ``e / total`` as integers of ``out``: :func:`softmax` has the steps."""
        factor = (1 << reciprocal) // total
        steps = np.minimum(e * factor >> (reciprocal - self.fraction), self.largest)
        return steps + self.zero_point


def softmax(
    x: Any,
    scale: Any,
    *,
    out: Any = "ufx8.8",
    zero_point: int | None = None,
    bits: int = 16,
    reciprocal: int = 32,
) -> np.ndarray:
    """Return I-BERT's softmax of ``x * scale`` along the last axis, as integers of ``out``.

    With e the :class:`Exponential` of ``x - max(x)``, and F the fraction bits of the results::

        factor = floor(2**reciprocal / sum(e))
        r = floor(e * factor / 2**(reciprocal - F)) + zero_point

    The original's result is 2**F where one value outweighs all others, which F bits do not hold;
    here the result saturates.

    Parameters
    ----------
    x : array_like of int, shape (..., n)
        Differences within a row are below ``2**62``.
    scale : number or str
        Value of a step of x, from 2^-26 to 1.
    out : Fixed or str
        Of the results; I-BERT's 8 bits are ``ufx8.8``, TensorFlow Lite's and onnxruntime's
        ``int8``.
    zero_point : int, optional
        The integer that a probability of 0 is: see :class:`Probability`, and its defaults.
    bits : int
        Of the exponentials, 4 to 31.
    reciprocal : int
        Bits of the sum's reciprocal, up to 62; at least those of the largest sum and of ``out``.

    Returns
    -------
    ndarray of int64, shaped as x

    Raises
    ------
    SpecError for results that cannot hold a probability, and other parameters; CodeError for
    arrays.
    """
    constants = Exponential.of(scale, bits)
    result = Probability.of(out, zero_point)
    x = integers("x", x, 1 << (MOST_BITS - 1))
    if x.ndim == 0 or x.shape[-1] == 0:
        raise CodeError(f"x: shape {x.shape}: the last axis must have a value")
    check_softmax(constants, result, reciprocal, x.shape[-1])
    e = constants(x - x.max(-1, keepdims=True))
    return result.of_total(e, e.sum(-1, keepdims=True), reciprocal)


def check_softmax(constants: Exponential, result: Probability, reciprocal: int, lanes: int) -> None:
    """SpecError unless all values of a row of ``lanes`` fit their bits."""
    if constants.largest == 0:
        raise SpecError(f"bits={constants.bits}: too few for the exponential of 0")
    least = max(result.fraction, (constants.largest * lanes).bit_length())
    if least > MOST_BITS:
        raise SpecError(f"out={result.out.name}: must have at most {MOST_BITS} fraction bits")
    check_integer("reciprocal", reciprocal, least, MOST_BITS)


def layer_norm(
    x: Any, *, shift: int = 0, reciprocal: int = 31, fraction: int = 30
) -> tuple[np.ndarray, float]:
    """Return I-BERT's layer normalisation along the last axis, and the value of a step of it.

    For rows of n values::

        y = x - RNE(sum(x) / n)
        std = floor(sqrt(sum(floor(y / 2**shift)**2))) * 2**shift
        r = floor(y * floor(2**reciprocal / std) / 2**(reciprocal - fraction))

    A step of r is worth ``sqrt(n) / 2**fraction``. Weights and biases, which the original has in
    the scales and in a sum that follows, are left to a requantisation. Where all values are equal
    the original divides by zero; here the root is at least 1, and r is zero.

    Parameters
    ----------
    x : array_like of int, shape (..., n)
    shift : int
        Bits that squares leave out, so that their sum fits, 0 to 31.
    reciprocal : int
        Bits of the reciprocal, ``fraction`` to 60; 31 in the original.
    fraction : int
        Bits of the result below one; 30 in the original. Results are below ``2**(fraction + 1)``
        in magnitude, and up to ``2**fraction`` without a shift.

    Returns
    -------
    r : ndarray of int64, shaped as x
    scale : float

    Raises
    ------
    CodeError if the sum of squares would have more than 62 bits: it names the shift to use.
    """
    check_layer_norm(shift, reciprocal, fraction)
    x = integers("x", x, 1 << (MOST_BITS - 1))
    if x.ndim == 0 or x.shape[-1] == 0:
        raise CodeError(f"x: shape {x.shape}: the last axis must have a value")
    n = x.shape[-1]
    spread = int((x.max(-1) - x.min(-1)).max(initial=0))
    least = least_shift(spread, n)
    if shift < least:
        raise CodeError(f"shift={shift}: must be at least {least} for values {spread} apart")
    if (int(np.abs(x).max(initial=0)) * n).bit_length() > MOST_BITS:
        raise CodeError(f"x: the sum of {n} values has more than {MOST_BITS} bits")
    mean, rest = np.divmod(x.sum(-1, keepdims=True), n)
    y = x - (mean + ((2 * rest > n) | ((2 * rest == n) & (mean & 1 == 1))))
    root = isqrt(((y >> shift) ** 2).sum(-1, keepdims=True))
    factor = (1 << reciprocal) // (np.maximum(root, 1) << shift)
    return y * factor >> (reciprocal - fraction), math.sqrt(n) * 2.0**-fraction


def check_layer_norm(shift: int, reciprocal: int, fraction: int) -> None:
    """SpecError for parameters that :func:`layer_norm` does not take."""
    check_integer("shift", shift, 0, 31)
    check_integer("fraction", fraction, 0, MOST_BITS - 2)
    check_integer("reciprocal", reciprocal, fraction, MOST_BITS - 2)


def least_shift(spread: int, lanes: int) -> int:
    """The least shift with which the squares of values so far apart have a sum that fits."""
    shift = 0
    # A floor may be one further from zero than the value that it is of.
    while ((spread >> shift) + 1) ** 2 * lanes >> MOST_BITS:
        shift += 1
    return shift
