# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for functions of one operand: MPFR's bounds, and fractions made of them.

MPFR rounds exp, exp2, log, log2, sin, cos, tanh, erf and sqrt correctly, downwards and upwards:
between two neighbours of BITS bits there is no number that a format has, nor half way between two
of its.
"""

import importlib
from fractions import Fraction
from typing import Any

from .arithmetic import faithful
from .arithmetic.scalar import floor_log2, project, value

KINDS = ("table", "function")
gmpy2: Any = importlib.import_module("gmpy2")  # its stubs leave out what this needs
BITS = 400
CORRECT = 16
"""Bits of operands of which results are the correctly rounded ones."""
FAR = 70000
"""Of exponents: beyond all formats."""
SINGLE = ("exp", "exp2", "log", "log2", "sin", "cos", "tanh", "erf", "sqrt")


def bounds(name, low, high=None):
    """Bounds of an MPFR function of a number, or of a rising one between two of them."""
    ends = []
    for x, rounding in ((low, gmpy2.RoundDown), (low if high is None else high, gmpy2.RoundUp)):
        with gmpy2.context(precision=BITS, round=rounding):
            end = getattr(gmpy2, name)(gmpy2.mpfr(gmpy2.mpq(x)))
            ends.append(Fraction(*map(int, end.as_integer_ratio())))
    return ends


def exponential(name, x):
    """Bounds of a power of e or 2."""
    if abs(x) > FAR:
        return [Fraction(2) ** (FAR if x > 0 else -FAR)] * 2
    return bounds(name, x)


def sigmoid(x):
    """Bounds of 1 / (1 + e**-x)."""
    low, high = exponential("exp", -x)
    return [1 / (1 + high), 1 / (1 + low)]


def softplus(x):
    """Bounds of ln(1 + e**x), which is x + ln(1 + e**-x)."""
    less = bounds("log1p", *exponential("exp", -abs(x)))
    return [max(x, 0) + end for end in less]


def gelu(x):
    """Bounds of x (1 + erf(x / sqrt 2)) / 2, of the magnitude the lower one first."""
    if x < -600:
        return [-(Fraction(2) ** -FAR)] * 2
    if x > 600:
        return [x * (1 - Fraction(2) ** -FAR)] * 2
    low, high = sorted(abs(x) / end for end in bounds("sqrt", Fraction(2)))
    # erfc falls: a larger argument has the lower bound.
    tail = [bounds("erfc", high)[0] / 2, bounds("erfc", low)[1] / 2]
    return [x * (end if x < 0 else 1 - end) for end in tail]


def power(x, exponent):
    """Bounds of x**exponent of a positive x, or twice the number itself."""
    logs = bounds("log2", x)
    # The root of a number of few bits has as few, if it is a fraction.
    about = bounds("exp2", *(end / exponent.denominator for end in logs))[0]
    place = Fraction(2) ** (floor_log2(about) - 40)
    root = round(about / place) * place
    if root**exponent.denominator == x:
        return [root**exponent.numerator] * 2
    return bounds("exp2", *sorted(end * exponent for end in logs))


def function(name, x):
    """Two numbers on either side of f(x), or twice the number itself; None outside the domain."""
    if name in ("log", "log2", "sqrt", "rsqrt") and x < 0:
        return None
    clipped = min(max(x + 3, Fraction(0)), Fraction(6)) / 6
    if name in ("exp", "exp2"):
        low, high = exponential(name, x)
    elif name in SINGLE:
        low, high = bounds(name, x)
    elif name.startswith("power("):
        ends = power(abs(x), Fraction(name[6:-1]))
        low, high = ends if x > 0 else [-end for end in ends]
    else:
        low, high = {
            "sigmoid": sigmoid,
            "silu": lambda x: [x * end for end in sigmoid(x)],
            "softplus": softplus,
            "gelu": gelu,
            "hard-sigmoid": lambda x: [clipped] * 2,
            "hard-swish": lambda x: [x * clipped or ("-0" if x < 0 else 0)] * 2,
            "reciprocal": lambda x: [1 / x] * 2,
            "square": lambda x: [x * x] * 2,
            "rsqrt": lambda x: power(x, Fraction(-1, 2)),
        }[name](x)
    if name in SINGLE and low != high:
        # Not at an end: that may be a number of a format.
        return [(3 * low + high) / 4, (low + 3 * high) / 4]
    return [low, high]


ODD = ("sin", "tanh", "silu", "gelu", "hard-swish", "reciprocal", "rsqrt", "sqrt", "erf")
AT_ZERO = {
    "exp": 1,
    "exp2": 1,
    "log": "-inf",
    "log2": "-inf",
    "cos": 1,
    "sigmoid": Fraction(1, 2),
    "hard-sigmoid": Fraction(1, 2),
    "reciprocal": "inf",
    "rsqrt": "inf",
}
AT_MINUS_INFINITY = {
    "exp": 0,
    "exp2": 0,
    "sigmoid": 0,
    "hard-sigmoid": 0,
    "softplus": 0,
    "tanh": -1,
    "erf": -1,
    "silu": "-0",
    "gelu": "-0",
    "hard-swish": "-0",
    "reciprocal": "-0",
    "square": "inf",
}
AT_INFINITY = {
    "sin": "nan",
    "cos": "nan",
    "sigmoid": 1,
    "hard-sigmoid": 1,
    "tanh": 1,
    "erf": 1,
    "reciprocal": 0,
    "rsqrt": 0,
}


def special(name, x):
    """The function of a zero or of an infinity."""
    falls = name.startswith("power(-")
    rises = name.startswith("power(") and not falls
    if x == "inf":
        return 0 if falls else AT_INFINITY.get(name, "inf")
    if x == "-inf":
        return "-0" if falls else "-inf" if rises else AT_MINUS_INFINITY.get(name, "nan")
    if name == "softplus":
        return bounds("log", 2)[0]
    result = "inf" if falls else AT_ZERO.get(name, 0)
    if x == "-0" and (falls or rises or name in ODD):
        return {"inf": "-inf", 0: "-0"}[result]
    return result


def result(spec, code):
    """The code of one result."""
    digits = -(-spec.out.width // 4)
    if spec.function.startswith("codes("):
        return int(spec.function[6 + code * digits : 6 + (code + 1) * digits], 16)
    x = value(code, spec.a)
    if x in ("nan", "snan"):
        ends = ["nan"]
    elif isinstance(x, str) or x == 0:
        ends = [special(spec.function, x)]
    elif spec.a.width > CORRECT:
        outside = x < 0 and spec.function in ("log", "log2", "rsqrt")
        ends = ["nan" if outside else faithful.function(spec.function, spec, x)]
    else:
        ends = function(spec.function, x) or ["nan"]
    overflow = spec.overflow and str(spec.overflow)
    rounding = str(spec.rounding)
    ends = [Fraction(end) if isinstance(end, int) else end for end in ends]
    codes = {project(end, spec.out, rounding, overflow, becomes=spec.nan)[0] for end in ends}
    assert len(codes) == 1, (spec.function, x)
    return codes.pop()


def evaluate(spec, beats):
    """The results of each beat, by name."""
    return [{"r": result(spec, beat["a"])} for beat in beats]
