# SPDX-License-Identifier: BSD-2-Clause
"""mul, add, fma and cast: IEEE's cases, flags, and every pair of small codes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from macaw.golden import Flag, Rounding, SpecError, format, unit
from macaw.sim.proof.outsiders import scalars
from macaw.sim.proof.reference import elementwise as reference

INVALID, OVERFLOW, UNDERFLOW, INEXACT = (
    int(f) for f in (Flag.INVALID, Flag.OVERFLOW, Flag.UNDERFLOW, Flag.INEXACT)
)
NAN, INF, NINF, SNAN = 0x7E00, 0x7C00, 0xFC00, 0x7D00
ONE, MAX, LEAST, ZERO, NZERO = 0x3C00, 0x7BFF, 0x0001, 0x0000, 0x8000

# a, b, c in fp16 -> a * b + c and flags; IEEE 754-2019 6.2, 6.3, 7.2 to 7.6
FMA = [
    (INF, ZERO, ONE, NAN, INVALID),
    (INF, ZERO, NAN, NAN, INVALID),  # implementation-defined in IEEE; RISC-V's rule
    (INF, ONE, NINF, NAN, INVALID),
    (INF, NAN, NINF, NAN, 0),
    (INF, ONE, INF, INF, 0),
    (SNAN, ONE, ONE, NAN, INVALID),
    (ONE, ONE, SNAN, NAN, INVALID),
    (0xFE01, ONE, ONE, NAN, 0),  # NaNs lose sign and payload
    (ONE, ONE, 0xBC00, ZERO, 0),
    (ZERO, 0xBC00, NZERO, NZERO, 0),
    (ZERO, ONE, NZERO, ZERO, 0),
    (MAX, MAX, ZERO, INF, OVERFLOW | INEXACT),
    (MAX, ONE, MAX, INF, OVERFLOW | INEXACT),
    (MAX, ONE, 0x4BFF, MAX, INEXACT),  # 65504 + 15.99
    (MAX, ONE, 0x4C00, INF, OVERFLOW | INEXACT),  # 65504 + 16
    (LEAST, 0x3800, ZERO, ZERO, UNDERFLOW | INEXACT),  # half of the least: tie to zero
    (0x0003, 0x3800, ZERO, 0x0002, UNDERFLOW | INEXACT),
    (0x0002, 0x3800, ZERO, LEAST, 0),  # exact results do not underflow
    (0x3BFF, 0x0400, ZERO, 0x0400, UNDERFLOW | INEXACT),  # 1 - 2**-11 fits in 11 bits: tiny
    (0x3C00, 0x3C00, LEAST, ONE, INEXACT),
]

# rounding, a, b -> a + b of fp16 where the exact sum is zero or overflows; IEEE 754-2019 6.3
SUMS = [
    ("rne", ONE, 0xBC00, ZERO),
    ("rdn", ONE, 0xBC00, NZERO),
    ("rdn", ZERO, ZERO, ZERO),
    ("rdn", ZERO, NZERO, NZERO),
    ("rup", NZERO, NZERO, NZERO),
    ("rtz", MAX, MAX, MAX),
    ("rod", MAX, MAX, MAX),
    ("rup", 0xFBFF, 0xFBFF, 0xFBFF),
    ("rdn", 0xFBFF, 0xFBFF, NINF),
]


@pytest.mark.parametrize(("a", "b", "c", "result", "flags"), FMA)
def test_fma_of_ieee(a, b, c, result, flags):
    got = unit("fma", a="fp16", out="fp16", flags=True).evaluate(a=a, b=b, c=c)
    assert (hex(got["r"]), got["flags"]) == (hex(result), flags)


@pytest.mark.parametrize(("rounding", "a", "b", "result"), SUMS)
def test_sums_of_ieee(rounding, a, b, result):
    assert unit("add", a="fp16", rounding=rounding).evaluate(a=a, b=b)["r"] == result
    dynamic = unit("add", a="fp16", rounding="dynamic")
    assert dynamic.evaluate(a=a, b=b, rm=Rounding(rounding).code)["r"] == result


@pytest.mark.parametrize(
    ("a", "out", "code", "result", "flags"),
    [
        ("fp32", "int8", 0x43000000, 0x7F, INVALID),  # 128: IEEE 754-2019 5.8
        ("fp32", "int8", 0xFF800000, 0x80, INVALID),
        ("fp32", "int8", 0x7FC00000, 0x7F, INVALID),
        ("fp32", "int8", 0x3FC00000, 0x02, INEXACT),
        ("fp32", "uint8", 0xBF800000, 0x00, INVALID),
        ("fp32", "uint8", 0xBE800000, 0x00, INEXACT),
        ("fp32", "e4m3", 0x7F800000, 0x7E, INVALID),  # an infinity that e4m3 cannot hold
        ("fp32", "e4m3", 0x44000000, 0x7E, OVERFLOW | INEXACT),
        ("fp32", "e2m1", 0x7FC00000, 0x7, INVALID),
        ("fp32", "e5m2ftz", 0x38000000, 0x00, UNDERFLOW | INEXACT),  # exact, and flushed
        ("int32", "fp32", 0x7FFFFFFF, 0x4F000000, INEXACT),
        ("int4", "e2m1", 0x8, 0xF, OVERFLOW | INEXACT),
        ("fp32", "ue4m3", 0xBF800000, 0x00, INVALID),
    ],
)
def test_conversions(a, out, code, result, flags):
    got = unit("cast", a=a, out=out, flags=True).evaluate(a=code)
    assert (got["r"], got["flags"]) == (result, flags)


@pytest.mark.parametrize("code", range(8))
def test_dynamic_rounding_is_each_static_one(code):
    rng = np.random.default_rng(code)
    fixed = unit("fma", a="e5m2", out="fp16", rounding=Rounding.from_code(code), flags=True)
    moving = unit("fma", a="e5m2", out="fp16", rounding="dynamic", flags=True)
    operands = {n: scalars.operands(p.format, 5000, rng) for n, p in fixed.ports.inputs.items()}
    want, got = fixed.evaluate(**operands), moving.evaluate(**operands, rm=code)
    assert all(np.array_equal(want[port], got[port]) for port in want)


SMALL = ["e4m3", "e5m2", "e3m4", "e4m3fnuz", "e2m3", "e2m1", "ue4m3", "int4", "e5m2ftz", "e8m0"]


@pytest.mark.parametrize("name", SMALL)
def test_every_product_and_sum_of_small_formats(name):
    """Products and sums of two such values are exact in float64, but for the sums of e8m0."""
    fmt = format(name)
    codes = np.arange(1 << fmt.width, dtype=fmt.code_dtype)
    values = fmt.decode(codes)
    with np.errstate(invalid="ignore"):
        products, sums = values[:, None] * values, values[:, None] + values
    got = unit("mul", a=name).evaluate(a=codes[:, None], b=codes)["r"]
    assert np.array_equal(got, fmt.encode(products))
    if name != "e8m0":
        got = unit("add", a=name).evaluate(a=codes[:, None], b=codes)["r"]
        assert np.array_equal(got, fmt.encode(sums))


def test_every_fma_of_e2m1():
    """All 16 * 16 * 256 cases of e2m1 * e2m1 + e4m3, against float64, where they are exact."""
    e2m1, e4m3 = format("e2m1"), format("e4m3")
    a, b, c = np.meshgrid(np.arange(16), np.arange(16), np.arange(256), indexing="ij")
    got = unit("fma", a="e2m1", out="e4m3").evaluate(a=a, b=b, c=c)["r"]
    exact = e2m1.decode(a) * e2m1.decode(b) + e4m3.decode(c)
    assert np.array_equal(got, e4m3.encode(exact))


@pytest.mark.parametrize("kind", ["mul", "add", "fma", "div", "sqrt"])
def test_fp64_against_the_machine(kind):
    """Wider than hardware is generated for, and wider than one word: limbs."""
    rng = np.random.default_rng(3)
    fmt = format("fp64")
    a, b = (scalars.operands(fmt, 20000, rng) for _ in range(2))
    with np.errstate(all="ignore"):
        if kind == "fma":
            minus_zero = 1 << 63  # changes no product, not even a zero
            got = unit("fma", a="fp64", out="fp64").evaluate(a=a, b=b, c=minus_zero)["r"]
            want = fmt.decode(a) * fmt.decode(b)
        elif kind == "sqrt":
            got = unit(kind, a="fp64").evaluate(a=a)["r"]
            want = np.sqrt(fmt.decode(a))
        else:
            got = unit(kind, a="fp64").evaluate(a=a, b=b)["r"]
            x, y = fmt.decode(a), fmt.decode(b)
            want = {"mul": np.multiply, "add": np.add, "div": np.divide}[kind](x, y)
    decoded = fmt.decode(got)
    assert np.array_equal(decoded, want, equal_nan=True)
    assert np.array_equal(np.signbit(decoded), np.signbit(want) & ~np.isnan(want))


def codes(name):
    """A strategy: codes of a format."""
    return st.integers(0, (1 << format(name).width) - 1)


@given(codes("fp32"), codes("fp32"), codes("fp32"), st.integers(0, 7))
def test_fma_symmetries(a, b, c, rm):
    """Factors commute; the opposite of everything gives the opposite of the mirrored mode."""
    spec = unit("fma", a="fp32", out="fp32", rounding="dynamic", flags=True)
    first, second = spec.evaluate(a=a, b=b, c=c, rm=rm), spec.evaluate(a=b, b=a, c=c, rm=rm)
    assert first == second
    sign = 1 << 31
    mirror = {2: 3, 3: 2}.get(rm, rm)
    other = spec.evaluate(a=a ^ sign, b=b, c=c ^ sign, rm=mirror)
    assert first["flags"] == other["flags"]
    if first["r"] != 0x7FC00000 and first["r"] & (sign - 1):
        assert first["r"] == other["r"] ^ sign


@given(codes("bf16"), codes("bf16"), codes("fp32"))
def test_fma_is_the_reference(a, b, c):
    spec = unit("fma", a="bf16", out="fp32", flags=True)
    got = spec.evaluate(a=a, b=b, c=c)
    assert (got["r"], got["flags"]) == reference.operation(spec, a=a, b=b, c=c)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("kind", ["cast", "mul", "add", "fma", "div", "sqrt"])
def test_random_formats_and_options_against_fractions(kind, seed):
    assert scalars.fractions_of_many(kind, 60, 40, 7 + seed) == 2400


@pytest.mark.parametrize("name", ["e3m2ieee", "e3m2", "e2m2fnuz", "ue3m2", "e3m2ftz"])
def test_every_quotient_and_root(name):
    """With flags: zeros, infinities and NaNs of every kind beside one another."""
    div = unit("div", a=name, flags=True, rounding="dynamic")
    root = unit("sqrt", a=name, flags=True, rounding="dynamic")
    every = np.arange(1 << div.a.width)
    a, b = (grid.ravel() for grid in np.meshgrid(every, every))
    for rm in range(8):
        got = div.evaluate(a=a, b=b, rm=rm)
        want = [reference.operation(div, a=x, b=y, rm=rm) for x, y in zip(a.tolist(), b.tolist())]
        assert list(zip(got["r"].tolist(), got["flags"].tolist(), strict=True)) == want
        got = root.evaluate(a=every, rm=rm)
        want = [reference.operation(root, a=x, rm=rm) for x in every.tolist()]
        assert list(zip(got["r"].tolist(), got["flags"].tolist(), strict=True)) == want


def test_what_is_divided_by_zero():
    """IEEE 754-2019 7.2, 7.3: a number over zero is a pole, zero and infinity over zero are not."""
    one, zero, minus, inf, nan, snan = 0x3C, 0x00, 0x80, 0x7C, 0x7E, 0x7D
    spec = unit("div", a="e5m2", flags=True)
    pairs = [(one, zero), (one, minus), (zero, zero), (inf, zero), (inf, inf), (nan, zero)]
    a, b = zip(*pairs, (snan, zero), (one, inf), strict=True)
    got = spec.evaluate(a=a, b=b)
    assert got["r"].tolist() == [inf, inf | 0x80, nan, inf, nan, nan, nan, zero]
    assert got["flags"].tolist() == [16, 16, 8, 0, 8, 0, 8, 0]
    roots = unit("sqrt", a="e5m2", flags=True).evaluate(
        a=[minus, one | 0x80, inf, inf | 0x80, 0x44]
    )
    assert roots["r"].tolist() == [minus, nan, inf, nan, 0x40]
    assert roots["flags"].tolist() == [0, 8, 0, 8, 0]


@pytest.mark.parametrize(
    ("slope", "code", "result"),
    [
        ("0", 0x3C00, 0x3C00),
        ("0", 0xBC00, 0x0000),
        ("0", 0x8000, 0x0000),
        ("0", 0xFC00, 0x0000),
        ("0", 0x7C00, 0x7C00),
        ("0", 0xFE00, 0x7E00),
        ("0.125", 0xBC00, 0xB000),
        ("0.125", 0x3C00, 0x3C00),
        ("0.125", 0x0001, 0x0001),
        ("0.125", 0x8000, 0x8000),
        ("0.125", 0xFC00, 0xFC00),
        ("0.125", 0x8004, 0x8000),
        ("1/8", 0x800C, 0x8002),
        ("1", 0xBC00, 0xBC00),
    ],
)
def test_rectifiers(slope, code, result):
    assert hex(unit("relu", a="fp16", slope=slope).evaluate(a=code)["r"]) == hex(result)


@pytest.mark.parametrize(
    ("slope", "message"),
    [
        ("0.01", "slope=0.01: must have at most 8 bits, as 41/4096"),
        ("0.2", "slope=0.2: must have at most 8 bits, as 205/1024"),
        ("257/512", "slope=257/512: must have at most 8 bits, as "),
        ("1e-9999", r"slope=1e-9999: must be 0, or from 2\*\*-64 to 1"),
        ("-1", "slope=-1: must be a number from 0 to 1"),
        ("2", "slope=2: must be a number from 0 to 1"),
        ("x", "slope=x: must be a number from 0 to 1"),
    ],
)
def test_slopes_that_are_none(slope, message):
    with pytest.raises(SpecError, match=message):
        unit("relu", a="fp16", slope=slope)


def test_a_sum_that_is_rounded_to_2_to_the_64_saturates():
    """The integer below is the largest of 64 bits: rounded up, it wraps to zero."""
    fma = unit("fma", a="fp32", c="fp32", out="int32", flags=True)
    a, c = format("fp32").encode([2.0**32]), format("fp32").encode([-0.5])
    results = fma.evaluate(a=a, b=a, c=c)
    assert results["r"].tolist() == [2**31 - 1]
    assert results["flags"].tolist() == [Flag.INVALID]
