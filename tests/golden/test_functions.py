# SPDX-License-Identifier: BSD-2-Clause
"""Integer-only functions: against exact scalar references, against MPFR and float64, at corners."""

import math
from fractions import Fraction
from typing import Any

import gmpy2
import numpy as np
import pytest

from macaw.golden import CodeError, SpecError, format, unit
from macaw.golden.arithmetic.exp2 import Exp2, LogarithmOfE, exp2
from macaw.golden.arithmetic.functions import (
    Exponential,
    Gelu,
    exponential,
    gelu,
    isqrt,
    layer_norm,
    softmax,
)
from macaw.sim.proof.reference.arithmetic import functions as reference

SCALES = ("1", "0.3", "1/16", "0.05", "0.0123", "1/300", "0.0001", "1/1000000")


def rows(seed: int, low: int, high: int, count: int, lanes: int) -> np.ndarray:
    """Rows of every kind: uniform, zero, constant, of both ends, close to one value."""
    rng = np.random.default_rng(seed)
    x = rng.integers(low, high + 1, (count, lanes))
    x[0], x[1], x[2] = 0, low, high
    x[3] = np.where(np.arange(lanes) % 2, low, high)
    x[4] = np.where(np.arange(lanes) == lanes - 1, low, high)
    x[5] = np.where(np.arange(lanes) == 0, high, low)
    x[6:20] = rng.integers(low, high + 1, (14, 1))
    x[20:60] = np.clip(x[20:60, :1] + rng.integers(-2, 3, (40, lanes)), low, high)
    return x


# Square root.


def test_isqrt():
    near = [k * k + d for k in (1, 2, 255, 46340, 3037000499, 2**32 - 1) for d in (-1, 0, 1)]
    x = np.array([0, *near, 2**53 - 1, 2**53 + 1, 2**63, 2**64 - 1], np.uint64)
    assert isqrt(x).tolist() == [reference.isqrt(int(v)) for v in x]
    assert isqrt(x).tolist() == [math.isqrt(int(v)) for v in x]
    every = np.arange(1 << 16)
    assert isqrt(every).tolist() == [math.isqrt(v) for v in range(1 << 16)]


def test_isqrt_of_random_squares():
    k = np.random.default_rng(1).integers(1, 1 << 32, 20_000, np.uint64)
    assert (isqrt(k * k) == k.astype(np.int64)).all()
    assert (isqrt(k * k - np.uint64(1)) == k.astype(np.int64) - 1).all()


# Powers of two.

POWERS = [
    (0, 8),
    (3, 15),
    (6, 24),
    (7, 4),
    (10, 15),
    (12, 24),
    (13, 4),
    (13, 15),
    (16, 10),
    (32, 24),
]


@pytest.mark.parametrize(("fraction", "precision"), POWERS)
def test_exp2_is_its_definition(fraction, precision):
    rng = np.random.default_rng(fraction)
    x = np.unique(np.r_[rng.integers(-(40 << fraction), 40 << fraction, 150), -1, 0, 1])
    significand, exponent = exp2(x, fraction=fraction, precision=precision)
    expected = [reference.exp2(int(v), fraction, precision) for v in x]
    assert list(zip(significand.tolist(), exponent.tolist(), strict=True)) == expected


@pytest.mark.parametrize(("fraction", "precision"), POWERS)
def test_exp2_against_mpfr(fraction, precision):
    """At most 0.75 of a last place off; 0.5 where it is looked up; exact for integers."""
    size = 1 << min(fraction, 12)
    x = np.unique(np.linspace(0, (1 << fraction) - 1, size).astype(np.int64))
    significand, exponent = exp2(x, fraction=fraction, precision=precision)
    with gmpy2.context(precision=120):
        for v, m, e in zip(x.tolist(), significand.tolist(), exponent.tolist(), strict=True):
            power = gmpy2.exp2(gmpy2.mpfr(v) / 2**fraction + precision)
            assert abs(m * 2**e - power) <= (0.5 if fraction <= 6 else 0.75), v
    values = significand * 2.0**exponent
    assert (np.diff(values) >= 0).all()
    assert significand[0] == 1 << precision
    assert exponent[0] == 0


@pytest.mark.parametrize("precision", [4, 10, 15, 24])
def test_natural_exponent_against_mpfr(precision):
    spec = unit("int-exp2", x="fx16.11", precision=precision, base="e")
    codes = np.arange(0, 1 << 16, 7, dtype=np.uint16)
    results = spec.evaluate(x=codes)
    exponent = spec.ports.outputs["exponent"].format.decode(results["exponent"])
    worst = 0.0
    with gmpy2.context(precision=120):
        for x, m, e in zip(
            format("fx16.11").decode(codes), results["r"].tolist(), exponent, strict=True
        ):
            exact = gmpy2.exp(gmpy2.mpfr(float(x))) * 2**precision / gmpy2.exp2(int(e))
            worst = max(worst, float(abs(m - exact)))
    assert worst <= 0.85


def test_logarithm_is_its_definition():
    factor = LogarithmOfE(fraction=11, integer=4, precision=15)
    x = np.random.default_rng(0).integers(-(1 << 15), 1 << 15, 200)
    assert factor(x).tolist() == [reference.times_log2e(int(v), 11, 4, 15) for v in x]


def test_exp2_to_formats():
    """Rounded once more: to a float of the same precision only where it is subnormal."""
    x = np.arange(1 << 12, dtype=np.uint16)
    plain = unit("int-exp2", x="fx12.7", precision=10)
    exponents = plain.ports.outputs["exponent"].format
    got = plain.evaluate(x=x)
    value = got["r"] * 2.0 ** (exponents.decode(got["exponent"]) - 10)
    for name in ("fp16", "ufx16.12", "e4m3"):
        expected = format(name).encode(value)
        assert (
            unit("int-exp2", x="fx12.7", precision=10, out=name).evaluate(x=x)["r"] == expected
        ).all()


# GELU.


@pytest.mark.parametrize("scale", SCALES)
def test_gelu_is_its_definition(scale):
    rng = np.random.default_rng(1)
    bound = Gelu.of(scale).bound
    x = np.r_[-bound - 1 : -bound + 2, bound - 1 : bound + 2, -3:4, rng.integers(-128, 128, 50)]
    x = np.r_[x, rng.integers(-2 * bound, 2 * bound + 1, 50)]
    for shift in (None, 14):
        r, step = gelu(x, scale, shift=shift)
        constants = Gelu.of(scale, shift)
        expected = [reference.gelu(int(v), scale, constants.shift) for v in x]
        assert r.tolist() == [v for v, _ in expected]
        assert step == expected[0][1] > 0
        assert np.abs(r).max() <= constants.largest(int(np.abs(x).max()))


def test_gelu_of_the_original_shift():
    """32-bit operands have 14 bits shifted out, as in I-BERT."""
    assert Gelu.of("0.0001").shift == 14
    assert Gelu.of("1/16").shift == 0


@pytest.mark.parametrize("scale", SCALES)
def test_gelu_against_float64(scale):
    """Within 0.019, the polynomial's own error, and a quarter of a step."""
    step = float(Fraction(scale))
    reach = min(int(8 / step), 100_000)
    x = np.unique(np.linspace(-reach, reach, 20_001).astype(np.int64))
    r, result_step = gelu(x, scale)
    value = x * step
    exact = value / 2 * (1 + np.vectorize(math.erf)(value / math.sqrt(2)))
    assert np.abs(r * float(result_step) - exact).max() <= 0.019 + step / 4


# Exponential and softmax.


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("bits", [6, 16, 31])
def test_exponential_is_its_definition(scale, bits):
    period = Exponential.of(scale).period
    x = -np.unique(np.r_[0:70, np.arange(40) * period, np.arange(40) * period + period - 1])
    r, _ = exponential(x, scale, bits=bits)
    assert r.tolist() == [reference.exponential(int(v), scale, bits) for v in x]
    assert r.max() < 1 << (bits - 1)


@pytest.mark.parametrize("scale", SCALES)
def test_exponential_against_float64(scale):
    """Within 0.002, the polynomial's own error, and 0.45 of a step."""
    step = float(Fraction(scale))
    x = -np.arange(min(int(12 / step) + 1, 100_000))
    r, result_step = exponential(x, scale)
    assert np.abs(r * float(result_step) - np.exp(x * step)).max() <= 0.002 + 0.45 * step


@pytest.mark.parametrize("scale", SCALES[:-1])
@pytest.mark.parametrize("lanes", [1, 2, 7, 16])
def test_softmax_is_its_definition(scale, lanes):
    x = rows(lanes, -128, 127, 100, lanes)
    for out, bits, reciprocal in (("ufx8.8", 16, 32), ("fx8.7", 12, 20), ("ufx17.16", 16, 40)):
        fmt: Any = format(out)
        r = softmax(x, scale, out=out, bits=bits, reciprocal=reciprocal)
        expected = [
            reference.softmax([int(v) for v in row], scale, fmt, bits, reciprocal) for row in x
        ]
        assert r.tolist() == expected


# Results of formats as TensorFlow Lite and onnxruntime have them, and others: what is a
# probability of 0, and how many steps one of 1 is.
PROBABILITIES: list[tuple[str, int | None, int, int]] = [
    ("int8", None, -128, 256),
    ("uint8", None, 0, 256),
    ("int16", None, 0, 1 << 15),
    ("int16", -(1 << 15), -(1 << 15), 1 << 16),
    ("int8", 0, 0, 128),
    ("int4", None, -8, 16),
    ("int8sym", None, 0, 128),
    ("fx8.8", -128, -128, 256),
    ("fx8.7", -5, -5, 128),
    ("ufx9.8", 3, 3, 256),
    ("fx8.7", None, 0, 128),
]


@pytest.mark.parametrize(("out", "given", "zero", "one"), PROBABILITIES)
def test_softmax_of_other_formats(out, given, zero, one):
    """A zero point and a scale are added to the definition, and nothing else."""
    fmt: Any = format(out)
    x = rows(5, -128, 127, 100, 6)
    r = softmax(x, "0.02", out=out, zero_point=given)
    fraction = one.bit_length() - 1
    expected = [
        reference.softmax([int(v) for v in row], "0.02", fmt, 16, 32, fraction, zero) for row in x
    ]
    assert r.tolist() == expected
    assert r.min() >= zero
    exact = np.exp((x - x.max(-1, keepdims=True)) * 0.02)
    exact /= exact.sum(-1, keepdims=True)
    assert np.abs((r - zero) / one - exact).max() <= 0.003 + 1.2 * 0.02 + 1 / one
    spec = unit("int-softmax", x="int8", scale="0.02", lanes=6, out=out, zero_point=given)
    assert spec.parameters["zero_point"] == zero
    assert getattr(spec, "result_scale") == 1 / one  # noqa: B009
    codes = spec.evaluate(x=x.astype(np.int8).view(np.uint8))["r"]
    assert (codes == r % (1 << fmt.width)).all()


def test_a_row_of_one_and_one_that_outweighs_the_others():
    """As LiteRT's and onnxruntime's kernels give them."""
    assert softmax([[5]], "1", out="int8").tolist() == [[127]]
    assert softmax([[127, -128, -128]], "1", out="int8").tolist() == [[127, -128, -128]]


@pytest.mark.parametrize(
    ("out", "zero_point", "message"),
    [
        ("fx8.8", None, "out=fx8.8, zero_point=0: cannot hold probabilities .* -128 or less"),
        ("fx8.7", 1, "out=fx8.7, zero_point=1: cannot hold probabilities .* 0 or less"),
        ("ufx8.9", None, "out=ufx8.9, .* out must have from 1 to 8 fraction bits"),
        (
            "int8",
            -127,
            "out=int8, zero_point=-127: has 255 values .* power of two, as with zero_po",
        ),
        ("int8sym", -127, "out=int8sym, zero_point=-127: has 255 values"),
        ("int8", 128, "zero_point=128: must be an integer from -128 to 127"),
        ("uint8", -1, "zero_point=-1: must be an integer from 0 to 255"),
        ("e4m3", None, "out=e4m3: must be fixed point, as ufx8.8, or an integer format"),
    ],
)
def test_results_that_hold_no_probability(out, zero_point, message):
    with pytest.raises(SpecError, match=message):
        softmax([[1, 2]], "0.1", out=out, zero_point=zero_point)
    with pytest.raises(SpecError, match=message):
        unit("int-softmax", x="fx8.4", out=out, zero_point=zero_point)


@pytest.mark.parametrize("scale", ["1/2", "1/8", "1/16", "0.05", "1/100", "0.0001"])
def test_softmax_against_float64(scale):
    """Within 0.003 and 1.2 steps of the operand, and a step of the result."""
    step, rng = float(Fraction(scale)), np.random.default_rng(1)
    for lanes in (1, 2, 8, 64):
        for spread in (0.5, 2, 6):
            x = np.rint(rng.normal(0, spread, (500, lanes)) / step).astype(np.int64)
            exact = np.exp((x - x.max(-1, keepdims=True)) * step)
            exact /= exact.sum(-1, keepdims=True)
            r = softmax(x, scale) / 256
            assert np.abs(r - exact).max() <= 0.003 + 1.2 * step + 1 / 256


def test_softmax_corners():
    assert softmax(np.array([[5]]), "1/16").tolist() == [[255]]
    assert softmax(np.array([[127, -128, -128]]), "1").tolist() == [[255, 0, 0]]
    for n in (2, 4, 8):
        assert (softmax(np.full((1, n), -128), "0.05") >= 256 // n - 1).all()


# Layer normalisation.

NORMS = [(0, 31, 30), (2, 31, 30), (0, 17, 6), (1, 24, 14), (3, 40, 40)]


@pytest.mark.parametrize(("shift", "reciprocal", "fraction"), NORMS)
@pytest.mark.parametrize("lanes", [1, 2, 5, 16])
def test_layer_norm_is_its_definition(shift, reciprocal, fraction, lanes):
    x = rows(lanes, -128, 127, 150, lanes)
    r, scale = layer_norm(x, shift=shift, reciprocal=reciprocal, fraction=fraction)
    expected = [
        reference.layer_norm([int(v) for v in row], shift, reciprocal, fraction) for row in x
    ]
    assert r.tolist() == expected
    assert scale == math.sqrt(lanes) / 2**fraction
    assert (r >= -(2 << fraction)).all()
    assert (r < 2 << fraction).all()


@pytest.mark.parametrize("reach", [3, 127, 30_000])
@pytest.mark.parametrize("lanes", [4, 16, 768])
def test_layer_norm_against_float64(reach, lanes):
    """Rounded mean, floored root, floored reciprocal of a row of n with the deviation s:
    within (0.5 + |z| / sqrt(n)) / s * (1 + 1 / s) + |z| * s * sqrt(n) / 2**31."""
    x = np.random.default_rng(lanes).integers(-reach, reach + 1, (500, lanes))
    deviation = x.std(-1, keepdims=True)
    keep = deviation[:, 0] > 1
    x, deviation = x[keep], deviation[keep]
    exact = (x - x.mean(-1, keepdims=True)) / deviation
    r, scale = layer_norm(x)
    error = np.abs(r * scale - exact)
    bound = (0.5 + np.abs(exact) / math.sqrt(lanes)) / deviation * (1 + 1 / deviation)
    bound += np.abs(exact) * deviation * math.sqrt(lanes) / 2**31
    assert (error <= bound + 2 * scale).all()


def test_layer_norm_of_equal_values_is_zero():
    for value in (-128, 0, 127):
        r, _ = layer_norm(np.full((3, 16), value))
        assert not r.any()


# Bounds and errors.


def test_nothing_overflows_silently():
    with pytest.raises(CodeError, match=r"x: 4611686018427387904 has a result"):
        gelu(np.array([1 << 62]), "1/16")
    with pytest.raises(CodeError, match="shift=0: must be at least 4 for values 4294967295 apart"):
        layer_norm(np.array([[0, 2**32 - 1] * 8]))
    r, _ = layer_norm(np.array([[0, 2**32 - 1] * 8]), shift=4)
    assert r.tolist() == [reference.layer_norm([0, 2**32 - 1] * 8, 4, 31, 30)]
    with pytest.raises(CodeError, match="x: -9223372036854775808: must be from"):
        exp2(np.array([-(1 << 63)]), fraction=10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: isqrt(np.array([1.5])), "x: dtype float64 where integers are wanted"),
        (lambda: isqrt(np.array([4, -1])), "x: -1: must not be negative"),
        (lambda: exp2(np.array([1]), fraction=40), "fraction=40: must be an integer from 0 to 32"),
        (lambda: exp2(np.array([1]), fraction=4, precision=3), "precision=3: must be an integer"),
        (lambda: Exp2(fraction=4)(np.array([0.5])), "x: dtype float64 where integers are wanted"),
        (lambda: gelu(np.array([1]), "x"), "scale=x: must be a number, as 0.05 or 1/32"),
        (lambda: gelu(np.array([1]), 0), r"scale=0: must be from 2\^-26 to 1"),
        (lambda: gelu(np.array([1]), float("nan")), "scale=nan: must be a number"),
        (lambda: gelu(np.array([1]), "1/16", shift=15), "shift=15: must be an integer from 0"),
        (lambda: exponential(np.array([1]), "1/16"), "x: 1: must not be above 0"),
        (lambda: softmax(np.array(3), "1/16"), r"x: shape \(\): the last axis must have a value"),
        (lambda: softmax(np.ones((2, 0), int), "1/16"), r"x: shape \(2, 0\): the last axis"),
        (lambda: softmax(np.array([1]), "1/16", out="fp16"), "out=fp16: must be fixed point"),
        (lambda: softmax(np.array([1]), "1/16", reciprocal=14), "reciprocal=14: must be an"),
        (lambda: layer_norm(np.array([1]), reciprocal=29), "reciprocal=29: must be an integer"),
        (lambda: unit("isqrt", x="int8"), "x=int8: must be unsigned fixed point"),
        (lambda: unit("isqrt", x="ufx8.3"), "x=ufx8.3: must have an even number of fraction bits"),
        (lambda: unit("int-gelu", x="int8"), "int-gelu: parameter scale is missing; int8 has none"),
        (lambda: unit("int-gelu", x="uint8", scale=1), "x=uint8: must be signed fixed point"),
        (lambda: unit("int-exp2", x="fx16.8", rounding="rtz"), "rounding=rtz: without out there"),
        (lambda: unit("int-exp2", x="fx16.8", base="10"), "base=10: must be one of 2, e"),
        (lambda: unit("int-exp2", x="int64"), "x=int64: must have at most 32 bits"),
        (lambda: unit("int-softmax", x="fx8.4", lanes=0), "lanes=0: must be an integer from 1"),
        (lambda: unit("int-layernorm", x="int8", out="uint8"), "out=uint8: must be signed fixed"),
        (lambda: unit("int-layernorm", x="int40", shift=3), "shift=3: must be at least"),
    ],
)
def test_errors_say_what_is_allowed(call, message):
    with pytest.raises((CodeError, SpecError), match=message):
        call()


@pytest.mark.parametrize(
    ("kind", "parameters", "name"),
    [
        ("isqrt", {"x": "ufx16.4"}, "isqrt_ufx16p4"),
        ("int-exp2", {"x": "fx12.7"}, "int_exp2_fx12p7_p15"),
        ("int-exp2", {"x": "fx12.7", "out": "bf16", "base": "e"}, "int_exp2_fx12p7_bf16_e"),
        ("int-gelu", {"x": "int8", "scale": 0.05}, "int_gelu_int8_s0p05"),
        ("int-gelu", {"x": "fx8.4", "shift": 3}, "int_gelu_fx8p4_shift3"),
        ("int-softmax", {"x": "int8", "scale": "1/24"}, "int_softmax16_int8_ufx8p8_s1_24"),
        ("int-softmax", {"x": "fx8.4", "bits": 12}, "int_softmax16_fx8p4_ufx8p8_b12"),
        ("int-softmax", {"x": "fx8.4", "out": "int8"}, "int_softmax16_fx8p4_int8"),
        (
            "int-softmax",
            {"x": "fx8.4", "out": "fx8.8", "zero_point": -128},
            "int_softmax16_fx8p4_fx8p8_zn128",
        ),
        ("int-layernorm", {"x": "int8", "lanes": 4}, "int_layernorm4_int8_int32"),
    ],
)
def test_names_and_parameters_read_back(kind, parameters, name):
    spec = unit(kind, **parameters)
    assert spec.name == name
    assert name.isidentifier()
    assert unit(kind, **spec.parameters) == spec
    assert unit(kind, **{n: str(v) for n, v in spec.parameters.items()}) == spec


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("isqrt", {"x": "uint7"}),
        ("int-gelu", {"x": "fx7.3"}),
        ("int-exp2", {"x": "ufx9.5"}),
        ("int-exp2", {"x": "fx5.9"}),
    ],
)
def test_results_fit_their_formats(kind, parameters):
    """Codes read back as the integers that the functions give."""
    spec = unit(kind, **parameters)
    fmt: Any = spec.ports.inputs["x"].format
    codes = np.arange(1 << fmt.width, dtype=fmt.code_dtype)
    x = np.ldexp(fmt.decode(codes), fmt.fraction).astype(np.int64)
    results = {
        name: np.ldexp(port.format.decode(code), port.format.fraction)
        for (name, port), code in zip(
            spec.ports.outputs.items(), spec.evaluate(x=codes).values(), strict=True
        )
    }
    if kind == "isqrt":
        assert (results["r"] == isqrt(x)).all()
    elif kind == "int-gelu":
        assert (results["r"] == gelu(x, Fraction(1, 8))[0]).all()
    else:
        significand, exponent = exp2(x, fraction=fmt.fraction)
        assert (results["r"] == significand).all()
        assert (results["exponent"] == exponent).all()
