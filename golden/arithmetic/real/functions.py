# SPDX-License-Identifier: BSD-2-Clause
"""The functions that units name: values of finite numbers, and of zeros and infinities.

Limits are those of IEEE 754-2019, 9.2.1, where it has the function: of an infinity the result is
the limit there, a zero keeps its sign where the function is odd, and a pole is an infinity.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from ...errors import SpecError, did_you_mean
from ...formats.power_books import integer_root
from ...formats.texts import fraction
from .circular import cosine, sine
from .enclosures import Arithmetic, Interval
from .magnitudes import NEARLY, Beside, Bounds, Magnitude, Real

_FAR = 1 << 16
"""Where exponentials are beyond the range of any format."""
_FAR_IN_SQUARES = 1 << 9
"""The same for exponentials of half the square."""
_LONG = 64
"""Arguments so large that an exponential of them is less than the last bit of 64."""
_MOST = 16
"""Exponents of a power."""
_PARTS = 1000
"""Denominators of the exponent of a power."""


HUGE, TINY = Fraction(2) ** _FAR, Fraction(1, 2**_FAR)
"""Beyond the range of every format."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """A function of one number.

    Attributes
    ----------
    name : str
    value : function
        Of a finite fraction that is not zero.
    zero : Fraction, Bounds or str
        Of a positive zero; ``inf``, ``-inf``: a pole.
    odd : bool
        Whether the sign of a zero becomes that of the result, its pole included.
    limits : tuple of Fraction or str
        At minus and plus infinity; a zero is written with its sign, ``-0``.
    meaning : str
        In a formula, for help.
    """

    name: str
    value: Callable[[Fraction], Real]
    zero: Fraction | Bounds | str
    odd: bool = False
    limits: tuple[Fraction | str, Fraction | str]
    meaning: str


def _log_of_two(a: Arithmetic) -> Interval:
    return a.ln(a.number(2))


def _exp_of(exponent: Fraction) -> Magnitude:
    """``e**exponent``."""
    if abs(exponent) > _FAR:
        return Beside(HUGE if exponent > 0 else TINY, exponent > 0)
    if abs(exponent) < NEARLY:
        return Beside(Fraction(1), exponent > 0)
    return lambda a: a.exp(a.number(exponent))


def _exp(x: Fraction) -> Real:
    return False, _exp_of(x)


def _exp2(x: Fraction) -> Real:
    if abs(x) > _FAR:
        return False, Beside(HUGE if x > 0 else TINY, x > 0)
    whole = math.floor(x)
    part, scale = x - whole, Fraction(2) ** whole
    if not part:
        return False, scale
    if part < NEARLY or 1 - part < NEARLY:
        more = part < NEARLY
        return False, Beside(scale if more else 2 * scale, more)
    return False, lambda a: a.multiply(
        a.exp(a.multiply(a.number(part), _log_of_two(a))), a.number(scale)
    )


def _log(x: Fraction) -> Real:
    if x < 0:
        return None
    if x == 1:
        return False, Fraction(0)
    return x < 1, lambda a: a.ln(a.number(max(x, 1 / x)))


def _log2(x: Fraction) -> Real:
    if x < 0:
        return None
    over = max(x, 1 / x)
    if over.denominator == 1 and over.numerator & (over.numerator - 1) == 0:
        return x < 1, Fraction(over.numerator.bit_length() - 1)
    return x < 1, lambda a: a.divide(a.ln(a.number(over)), _log_of_two(a))


def _one_plus_exp(a: Arithmetic, x: Fraction) -> Interval:
    return a.add(a.number(1), a.exp(a.number(x)))


def _sigmoid_of(x: Fraction) -> Magnitude:
    if x > _LONG:
        return Beside(Fraction(1), False)
    if abs(x) < NEARLY:
        return Beside(Fraction(1, 2), x > 0)
    if x < -_FAR:
        return Beside(TINY, False)
    return lambda a: a.divide(a.number(1), _one_plus_exp(a, -x))


def _sigmoid(x: Fraction) -> Real:
    return False, _sigmoid_of(x)


def _tanh(x: Fraction) -> Real:
    t = abs(x)
    if t > _LONG:
        return x < 0, Beside(Fraction(1), False)
    if t < NEARLY:
        return x < 0, Beside(t, False)

    def bounds(a: Arithmetic) -> Interval:
        less, one = a.exp(a.number(-2 * t)), a.number(1)
        return a.divide(a.subtract(one, less), a.add(one, less))

    return x < 0, bounds


def _silu(x: Fraction) -> Real:
    if x > _LONG:
        return False, Beside(x, False)
    if abs(x) < NEARLY:
        return x < 0, Beside(abs(x) / 2, x > 0)
    if x < -_FAR:
        return True, Beside(TINY, False)
    return x < 0, lambda a: a.divide(a.number(abs(x)), _one_plus_exp(a, -x))


def _softplus(x: Fraction) -> Real:
    if x > _LONG:
        return False, Beside(x, True)
    if x < -_FAR:
        return False, Beside(TINY, False)

    def bounds(a: Arithmetic) -> Interval:
        if x > -a.digits:
            return a.ln(_one_plus_exp(a, x))
        # u - u**2 / 2 < ln(1 + u) < u
        u = a.exp(a.number(x))
        return Interval(a.subtract(u, a.multiply(u, u)).low, u.high)

    return False, bounds


def _erf(x: Fraction) -> Real:
    t = abs(x)
    if t > 8:
        return x < 0, Beside(Fraction(1), False)
    return x < 0, lambda a: a.error_function(a.number(t))


def _gelu(x: Fraction) -> Real:
    if x > 16:
        return False, Beside(x, False)
    if abs(x) < NEARLY:
        return x < 0, Beside(abs(x) / 2, x > 0)
    if x < -_FAR_IN_SQUARES:
        return True, Beside(TINY, False)

    def bounds(a: Arithmetic) -> Interval:
        one, half = a.number(1), a.number(abs(x) / 2)
        t = a.divide(a.number(abs(x)), a.root(a.number(2)))
        if t.low > 2:
            tail = a.complementary_error_function(t)
        else:
            tail = a.subtract(one, a.error_function(t))
        return a.multiply(half, tail if x < 0 else a.subtract(a.add(one, one), tail))

    return x < 0, bounds


def _clipped(x: Fraction) -> Fraction:
    return min(max(x + 3, Fraction(0)), Fraction(6)) / 6


def _hard_sigmoid(x: Fraction) -> Real:
    return False, _clipped(x)


def _hard_swish(x: Fraction) -> Real:
    return x < 0, abs(x) * _clipped(x)


def _reciprocal(x: Fraction) -> Real:
    return x < 0, 1 / abs(x)


def _square(x: Fraction) -> Real:
    return False, x * x


def _root(x: Fraction, degree: int) -> Fraction | None:
    """The root of a positive number, if it is a fraction."""
    parts = []
    for part in (x.numerator, x.denominator):
        root = integer_root(part, degree)
        if root**degree != part:
            return None
        parts.append(root)
    return Fraction(*parts)


def _sqrt(x: Fraction) -> Real:
    return None if x < 0 else (False, _power_of(x, Fraction(1, 2)))


def _rsqrt(x: Fraction) -> Real:
    return None if x < 0 else (False, _power_of(x, Fraction(-1, 2)))


def _power_of(x: Fraction, exponent: Fraction) -> Magnitude:
    """``x**exponent`` of a positive x."""
    root = _root(x, exponent.denominator)
    if root is not None:
        return root**exponent.numerator
    if exponent.denominator == 2:
        return lambda a: a.root(a.number(x**exponent.numerator))
    return lambda a: a.exp(_signed_product(a, exponent, x))


def _signed_product(a: Arithmetic, exponent: Fraction, x: Fraction) -> Interval:
    """``exponent * ln(x)``."""
    over = max(x, 1 / x)
    product = a.multiply(a.number(abs(exponent)), a.ln(a.number(over)))
    negative = (exponent < 0) != (x < 1)
    return a.subtract(a.number(0), product) if negative else product


_ONE, _ZERO = Fraction(1), Fraction(0)
FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function(name="exp", value=_exp, zero=_ONE, limits=("0", "inf"), meaning="e^a"),
        Function(name="exp2", value=_exp2, zero=_ONE, limits=("0", "inf"), meaning="2^a"),
        Function(name="log", value=_log, zero="-inf", limits=("nan", "inf"), meaning="ln a"),
        Function(name="log2", value=_log2, zero="-inf", limits=("nan", "inf"), meaning="log2 a"),
        Function(
            name="sin", value=sine, zero=_ZERO, odd=True, limits=("nan", "nan"), meaning="sin a"
        ),
        Function(name="cos", value=cosine, zero=_ONE, limits=("nan", "nan"), meaning="cos a"),
        Function(
            name="sigmoid",
            value=_sigmoid,
            zero=Fraction(1, 2),
            limits=("0", _ONE),
            meaning="1 / (1 + e^-a)",
        ),
        Function(
            name="tanh", value=_tanh, zero=_ZERO, odd=True, limits=(-_ONE, _ONE), meaning="tanh a"
        ),
        Function(
            name="silu",
            value=_silu,
            zero=_ZERO,
            odd=True,
            limits=("-0", "inf"),
            meaning="a / (1 + e^-a)",
        ),
        Function(
            name="gelu",
            value=_gelu,
            zero=_ZERO,
            odd=True,
            limits=("-0", "inf"),
            meaning="a (1 + erf(a / sqrt 2)) / 2",
        ),
        Function(
            name="softplus",
            value=_softplus,
            zero=_log_of_two,
            limits=("0", "inf"),
            meaning="ln(1 + e^a)",
        ),
        Function(
            name="hard-swish",
            value=_hard_swish,
            zero=_ZERO,
            odd=True,
            limits=("-0", "inf"),
            meaning="a min(max(a + 3, 0), 6) / 6",
        ),
        Function(
            name="hard-sigmoid",
            value=_hard_sigmoid,
            zero=Fraction(1, 2),
            limits=("0", _ONE),
            meaning="min(max(a + 3, 0), 6) / 6",
        ),
        Function(
            name="reciprocal",
            value=_reciprocal,
            zero="inf",
            odd=True,
            limits=("-0", "0"),
            meaning="1 / a",
        ),
        Function(
            name="rsqrt",
            value=_rsqrt,
            zero="inf",
            odd=True,
            limits=("nan", "0"),
            meaning="1 / sqrt a",
        ),
        Function(
            name="sqrt", value=_sqrt, zero=_ZERO, odd=True, limits=("nan", "inf"), meaning="sqrt a"
        ),
        Function(name="square", value=_square, zero=_ZERO, limits=("inf", "inf"), meaning="a^2"),
        Function(
            name="erf", value=_erf, zero=_ZERO, odd=True, limits=(-_ONE, _ONE), meaning="erf a"
        ),
    )
}
"""The functions without a parameter, by name."""


def parse(text: str) -> Function:
    """The function that ``text`` names: one of :data:`FUNCTIONS`, or ``power(y)``.

    ``power(y)`` is ``|a|**y`` with the sign of ``a``: what a power quantiser's inverse is.

    Raises
    ------
    SpecError
        There is no such function, or its exponent is none.
    """
    name = text.strip().lower().replace("_", "-")
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    if name.startswith("power(") and name.endswith(")"):
        return power(name.removeprefix("power(").removesuffix(")"))
    known = [*FUNCTIONS, "power(y)"]
    hint = did_you_mean(name, known, f"must be one of {', '.join(known)}")
    raise SpecError(f"function={text}: {hint}")


def power(text: str) -> Function:
    """The function ``power(y)`` of an exponent that is a decimal or a fraction."""
    exponent = fraction(text)
    if exponent is None:
        raise SpecError(f"function=power({text}): must be a number, as 1.5 or 1/3")
    if not exponent or abs(exponent) > _MOST or exponent.denominator > _PARTS:
        raise SpecError(
            f"function=power({text}): must be from -{_MOST} to {_MOST}, not 0, and a fraction of "
            f"whole numbers below {_PARTS + 1}"
        )

    def value(x: Fraction) -> Real:
        return x < 0, _power_of(abs(x), exponent)

    if exponent > 0:
        zero, limits = _ZERO, ("-inf", "inf")
    else:
        zero, limits = "inf", ("-0", "0")
    name = f"power({exponent})"
    meaning = f"|a|^({exponent}), with the sign of a"
    return Function(name=name, value=value, zero=zero, odd=True, limits=limits, meaning=meaning)
