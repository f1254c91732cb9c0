# SPDX-License-Identifier: BSD-2-Clause
"""Functions of wide floats: within what is proven of them, exact where they can be."""

import itertools
from decimal import Decimal
from typing import Any

import gmpy2
import numpy as np
import pytest

from macaw.golden import format, unit
from macaw.golden.arithmetic.real.faithful import FUNCTIONS
from macaw.golden.arithmetic.real.faithful.kernels import CURVES, Kernel
from macaw.golden.errors import SpecError
from macaw.sim.proof.outsiders.scalars import fractions

FP32 = format("fp32")
MPFR: dict[str, Any] = {
    "sigmoid": lambda x: 1 / (1 + gmpy2.exp(-x)),
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: 1 / gmpy2.sqrt(x),
}
NUMBERS: dict[str, Any] = {
    "power": lambda f, region: gmpy2.exp2(f),
    "reciprocal": lambda f, region: 1 / (1 + f),
    "root": lambda f, region: 1 / gmpy2.sqrt((1 + f) * 2**region),
    "log": lambda f, region: _by_less_one(gmpy2.log, f),
    "log2": lambda f, region: _by_less_one(gmpy2.log2, f),
    "sine": lambda f, region: _by_itself(gmpy2.sqrt(f)),
    "tangent": lambda f, region: gmpy2.tanh(f / 2) / (f / 2) if f else gmpy2.mpfr(1),
}


def _by_itself(y):
    half = gmpy2.const_pi() / 2
    return gmpy2.sin(half * y) / y if y else half


def _by_less_one(logarithm, f):
    m = 1 + f if 2 * f < 1 else (1 + f) / 2
    # The limit at 1: the derivative.
    return logarithm(m) / (m - 1) if m != 1 else 1 / (gmpy2.log(2) if logarithm(2) == 1 else 1)


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize(("bits", "width"), [(28, 28), (29, 23), (12, 12), (13, 10), (16, 5)])
def test_kernels_stay_within_their_error(curve, bits, width):
    kernel = Kernel(curve=curve, bits=bits, width=width)
    rng = np.random.default_rng(bits)
    first = np.arange(kernel.regions << kernel.pieces) << kernel.rest
    drawn = rng.integers(0, kernel.regions << width, 2000)
    places = np.unique(np.concatenate([first, first + (1 << kernel.rest) - 1, drawn]))
    worst = 0.0
    with gmpy2.context(precision=120):
        for place, got in zip(places.tolist(), kernel(places).tolist(), strict=True):
            region, part = divmod(place, 1 << width)
            exact = NUMBERS[curve](gmpy2.mpfr(part) / (1 << width), region) * 2**bits
            worst = max(worst, float(abs(got - exact)))
    assert 0.3 < worst < kernel.error


@pytest.mark.parametrize("curve", CURVES.values(), ids=lambda curve: curve.name)
def test_no_derivative_is_more_than_what_errors_are_counted_with(curve):
    step = Decimal(2) ** -12
    for series in curve.series:
        halves = [series(step * (2 * k + 1) / 2)[2] for k in range(1 << 12)]
        assert max(map(abs, halves)) <= curve.bend
        thirds = (2 * (b - a) / step for a, b in itertools.pairwise(halves))
        # But for the step from 3/2 to 3/4 of the logarithms, between two pieces.
        steep = sum(abs(third) > curve.third for third in thirds)
        assert steep <= (curve.name in ("log", "log2"))


@pytest.mark.parametrize("bits", range(12, 29))
def test_no_significand_of_a_power_is_rounded_up_to_2(bits):
    kernel = Kernel(curve="power", bits=bits, width=bits)
    assert kernel.error < 1.38
    ends = np.arange(1 << bits)[-1 << 10 :], np.arange(1 << 10)
    got = kernel(np.concatenate(ends))
    assert got.max() < 2 << bits
    assert got.min() == 1 << bits


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(("a", "out"), [("fp32", "fp32"), ("e8m8", "fp32"), ("tf32", "bf16")])
@pytest.mark.parametrize("rounding", ["rne", "rup"])
def test_results_are_within_what_is_proven(function, a, out, rounding):
    spec = unit("function", a=a, out=out, function=function, rounding=rounding)
    rng = np.random.default_rng(len(function))
    parts = rng.normal(0, 1, 300), 1 + rng.normal(0, 1e-3, 200), rng.normal(0, 40, 300)
    x = np.concatenate(parts)
    codes = np.unique(spec.a.encode(np.abs(x) if function in ("log", "log2", "rsqrt") else x))
    got = spec.out.decode(spec.evaluate(a=codes)["r"])
    worst = 0.0
    with gmpy2.context(precision=200):
        for value, result in zip(spec.a.decode(codes).tolist(), got.tolist(), strict=True):
            exact = (MPFR.get(function) or getattr(gmpy2, function))(gmpy2.mpfr(value))
            exponent = gmpy2.get_exp(exact) - 1 if exact else spec.out.emin - 1
            if spec.out.emin <= exponent <= spec.out.emax and np.isfinite(result):
                last = gmpy2.mpfr(2) ** (exponent - spec.out.mantissa)
                worst = max(worst, float(abs(result - exact) / last))
    assert 0.3 < worst < spec.error < (1 if rounding == "rne" else 1.5)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_fractions_and_mpfr(function):
    spec = unit("function", a="fp32", out="tf32", function=function, rounding="rdn")
    assert fractions(spec, 200) == 200


@pytest.mark.parametrize(
    ("function", "operands", "results"),
    [
        ("exp", [0.0, -0.0, 1e-30], [1.0, 1.0, 1.0]),
        ("exp2", [-149.0, -3.0, 0.0, 10.0, 127.0], [2.0**-149, 0.125, 1.0, 1024.0, 2.0**127]),
        ("log", [1.0], [0.0]),
        ("log2", [2.0**-149, 0.5, 1.0, 8.0], [-149.0, -1.0, 0.0, 3.0]),
        ("sin", [2.0**-149, -(2.0**-30)], [2.0**-149, -(2.0**-30)]),
        ("cos", [0.0, -0.0, 2.0**-149, 2.0**-13], [1.0, 1.0, 1.0, 1.0]),
        ("sigmoid", [0.0, 100.0], [0.5, 1.0]),
        ("tanh", [2.0**-140, -1e-20, 30.0], [2.0**-140, np.float32(-1e-20), 1.0]),
        ("reciprocal", [2.0**-100, -4.0, 1.0], [2.0**100, -0.25, 1.0]),
        ("rsqrt", [2.0**-100, 4.0, 1.0], [2.0**50, 0.5, 1.0]),
    ],
)
def test_results_that_are_numbers_are_exact(function, operands, results):
    spec = unit("function", a="fp32", function=function)
    assert FP32.decode(spec.evaluate(a=FP32.encode(operands))["r"]).tolist() == results


@pytest.mark.parametrize(
    ("function", "results"),
    [
        ("exp", ["inf", "0.0", "nan"]),
        ("log", ["inf", "nan", "nan"]),
        ("sigmoid", ["1.0", "0.0", "nan"]),
        ("sin", ["nan", "nan", "nan"]),
        ("cos", ["nan", "nan", "nan"]),
        ("tanh", ["1.0", "-1.0", "nan"]),
        ("reciprocal", ["0.0", "-0.0", "nan"]),
        ("rsqrt", ["0.0", "nan", "nan"]),
    ],
)
def test_infinities_and_nan(function, results):
    spec = unit("function", a="fp32", function=function)
    codes = FP32.encode([np.inf, -np.inf, np.nan])
    assert [str(x) for x in FP32.decode(spec.evaluate(a=codes)["r"]).tolist()] == results


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"a": "e4m24", "function": "exp"}, "a=e4m24: must have a precision of at most 24"),
        ({"a": "fp32", "out": "int8", "function": "exp"}, "out=int8: of an operand of more than"),
        ({"a": "fp32", "out": "fp64", "function": "exp"}, "out=fp64: of an operand of more than"),
        ({"a": "fp64", "function": "exp"}, "a=fp64: must have at most 32 bits"),
        ({"a": "fp32", "out": "e11m23", "function": "exp"}, "out=e11m23: exp of fp32 has integers"),
    ],
)
def test_refused_in_a_line(parameters, message):
    with pytest.raises(SpecError, match=message):
        unit("function", **parameters)
