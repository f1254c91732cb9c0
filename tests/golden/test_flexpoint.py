# SPDX-License-Identifier: BSD-2-Clause
"""Flexpoint tensors: one exponent, exact integers, one rounding; arXiv 1711.02213."""

import itertools
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

from macaw.golden import CodeError, FlexTensor, SpecError, format
from macaw.golden.arithmetic.flex import aligned_sum, rescale
from macaw.sim.proof.reference.arithmetic import flexpoint

ROUNDINGS = ("rne", "rna", "rtz", "rup", "rdn", "rod", "sr", "srb", "src")
FORMATS = ("flex16+5", "flex8+5", "flex4+2", "flex12+6", "flex32+8", "flex2+1")


def widths(name):
    fmt = format(name)
    return fmt.element.width, fmt.scale.bias


def draw(name, shape, rng):
    """Mantissas of all sizes, the extremes among them."""
    width, _ = widths(name)
    whole = rng.integers(-(2 ** (width - 1)), 2 ** (width - 1), shape)
    small = whole >> rng.integers(0, width, shape)
    extreme = rng.choice([-(2 ** (width - 1)), 2 ** (width - 1) - 1, 0, 1, -1], shape)
    kind = rng.integers(0, 4, shape)
    return np.where(kind == 0, extreme, np.where(kind == 1, whole, small))


def tensor(name, shape, rng):
    return FlexTensor(
        mantissas=draw(name, shape, rng),
        exponent=-int(rng.integers(0, widths(name)[1] + 1)),
        format=name,
    )


def words(rounding, shape, rng, bits=16):
    if not rounding.startswith("sr"):
        return {"rounding": rounding}
    return {"rounding": rounding, "random": rng.integers(0, 1 << bits, shape), "random_bits": bits}


def word(options, index):
    return int(options["random"][index]) if "random" in options else 0


# ------------------------------------------------------------------------------------ by hand


def test_value_and_statistics():
    """3.5 steps of 2**-13, and the most negative mantissa of magnitude 2**15."""
    x = FlexTensor(mantissas=[[7, -32768], [0, 1]], exponent=-14)
    assert x.to_float().tolist() == [[7 * 2.0**-14, -2.0], [0.0, 2.0**-14]]
    assert (x.maximum, x.overflow, x.scale) == (32768, True, 17)
    assert x.mantissas.dtype == np.int16
    assert x.codes.tolist() == [[7, 0x8000], [0, 1]]
    assert FlexTensor.from_codes(x.codes, x.scale).to_float().tolist() == x.to_float().tolist()


@pytest.mark.parametrize(("mantissa", "overflow"), [(32766, False), (32767, True), (-32767, True)])
def test_overflow_is_the_largest_positive_mantissa(mantissa, overflow):
    assert FlexTensor(mantissas=[mantissa], exponent=0).overflow is overflow


def test_product_by_hand():
    """(3 * 5 - 2 * 4) * 2**-7 = 7 * 2**-7 is 1.75 * 2**-5, and 3.5 * 2**-6 ties to 4."""
    a = FlexTensor(mantissas=[[3, -2]], exponent=-4)
    b = FlexTensor(mantissas=[[5], [4]], exponent=-3)
    assert a.matmul(b, -7).mantissas.tolist() == [[7]]
    assert a.matmul(b, -6).mantissas.tolist() == [[4]]
    assert a.matmul(b, -5).mantissas.tolist() == [[2]]
    assert a.matmul(b, -4).mantissas.tolist() == [[1]]
    assert a.matmul(b, -19).mantissas.tolist() == [[7 << 12]]
    assert a.matmul(b, -20).mantissas.tolist() == [[32767]]


def test_elementwise_by_hand():
    """1.5 + 0.625 = 2.125 is 4.25 halves; 1.5 * 0.625 = 0.9375 is 7.5 eighths, a tie to 8."""
    a = FlexTensor(mantissas=[3], exponent=-1)
    b = FlexTensor(mantissas=[5], exponent=-3)
    assert a.add(b, -3).to_float().tolist() == [2.125]
    assert a.add(b, -1).to_float().tolist() == [2.0]
    assert a.multiply(b, -3).to_float().tolist() == [1.0]
    assert a.multiply(b, -4).to_float().tolist() == [0.9375]


def test_rounding_of_values():
    halves = np.array([0.5, 1.5, -0.5, -1.5, 2.5, 40000.0, -40000.0])
    x = FlexTensor.of(halves, 0)
    assert x.mantissas.tolist() == [0, 2, 0, -2, 2, 32767, -32768]
    assert FlexTensor.of(halves, 0, rounding="rtz").mantissas.tolist()[:5] == [0, 1, 0, -1, 2]


def test_stochastic_rounding_by_its_words():
    """A quarter of a place has 4 of 16 words that carry: those from 12 on."""
    x = FlexTensor.of(np.full(16, 0.25), 0, rounding="sr", random=np.arange(16), random_bits=4)
    assert x.mantissas.tolist() == [0] * 12 + [1] * 4


def test_the_exponent_that_uses_all_bits():
    """0.7 lies in [2**-1, 2**0): 15 bits without the sign, so the last place is 2**-15."""
    assert FlexTensor.of([0.7]).exponent == -15
    assert FlexTensor.of([3.0]).mantissas.tolist() == [3 << 13]
    assert FlexTensor.of([0.0]).exponent == -31
    assert FlexTensor.of([1e9]).exponent == 0
    assert FlexTensor.of([0.7], format="flex8+5").exponent == -7


# ------------------------------------------------------------------------- against fractions


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_matmul_is_one_rounding_of_the_exact_sum(name, rounding):
    rng = np.random.default_rng([FORMATS.index(name), ROUNDINGS.index(rounding)])
    width, lowest = widths(name)
    for _ in range(12):
        m, k, n = rng.integers(1, 6, 3)
        a, b = tensor(name, (m, k), rng), tensor(name, (k, n), rng)
        near = a.exponent + b.exponent + int(rng.integers(0, 2 * width))
        exponent = int(np.clip(near, -lowest, 0))
        options = words(rounding, (m, n), rng)
        got = a.matmul(b, exponent, **options)
        for i, j in np.ndindex(m, n):
            total = flexpoint.dot(
                a.mantissas[i].tolist(), a.exponent, b.mantissas[:, j].tolist(), b.exponent
            )
            want = flexpoint.mantissa(total, exponent, width, rounding, word(options, (i, j)))
            assert got.mantissas[i, j] == want


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_elementwise_is_one_rounding_of_the_exact_value(name, rounding):
    rng = np.random.default_rng([7, FORMATS.index(name), ROUNDINGS.index(rounding)])
    width, lowest = widths(name)
    for _ in range(12):
        a, b = tensor(name, (3, 4), rng), tensor(name, (4,), rng)
        options = words(rounding, (3, 4), rng)
        for method, start, exact in (
            ("add", max(a.exponent, b.exponent), lambda x, y: x + y),
            ("multiply", a.exponent + b.exponent, lambda x, y: x * y),
        ):
            exponent = int(np.clip(start + int(rng.integers(-2, width + 2)), -lowest, 0))
            got = getattr(a, method)(b, exponent, **options)
            for i, j in np.ndindex(3, 4):
                x = flexpoint.value(int(a.mantissas[i, j]), a.exponent)
                y = flexpoint.value(int(b.mantissas[j]), b.exponent)
                want = flexpoint.mantissa(
                    exact(x, y), exponent, width, rounding, word(options, (i, j))
                )
                assert got.mantissas[i, j] == want


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_all_of_flex4(rounding):
    """Every pair of mantissas, under every exponent of the operands and the result of flex4+1."""
    rng = np.random.default_rng(3)
    every = np.arange(-8, 8)
    for ea, eb, er in itertools.product((-1, 0), repeat=3):
        a = FlexTensor(mantissas=every[:, None], exponent=ea, format="flex4+1")
        b = FlexTensor(mantissas=every[None], exponent=eb, format="flex4+1")
        options = words(rounding, (16, 16), rng, 3)
        total, product = a.add(b, er, **options), a.multiply(b, er, **options)
        for i, j in np.ndindex(16, 16):
            x, y = (flexpoint.value(int(every[n]), e) for n, e in ((i, ea), (j, eb)))
            for got, exact in ((total, x + y), (product, x * y)):
                want = flexpoint.mantissa(exact, er, 4, rounding, word(options, (i, j)), 3)
                assert got.mantissas[i, j] == want


@pytest.mark.parametrize("shift", range(-31, 32))
def test_all_products_of_flex8(shift):
    """Every integer of 16 bits brought to 8 bits by every shift that exponents can ask for."""
    integers = np.arange(-(2**15), 2**15)
    got = rescale(integers, shift, 0, "flex8+5")
    scaled = integers * 2.0**shift  # exact in float64
    assert np.array_equal(got, np.clip(np.rint(scaled), -128, 127))


def test_sums_beyond_64_bits():
    """flex32: 300 products of 2**62 are 75 * 2**64; and mixed signs that cancel."""
    ones = np.full((1, 300), -(2**31))
    a = FlexTensor(mantissas=ones, exponent=-255, format="flex32+8")
    b = FlexTensor(mantissas=ones.T, exponent=0, format="flex32+8")
    # 75 * 2**(64 - 255) in units of 2**-216, 2**-215, 2**-195 and 2**-184.
    assert a.matmul(b, -216).mantissas.tolist() == [[2**31 - 1]]
    assert a.matmul(b, -215).mantissas.tolist() == [[75 << 24]]
    assert a.matmul(b, -184).mantissas.tolist() == [[1]]
    assert a.matmul(b, -184, rounding="rtz").mantissas.tolist() == [[0]]
    assert a.matmul(b, -195).mantissas.tolist() == [[75 << 4]]
    rng = np.random.default_rng(11)
    wide = rng.integers(-(2**31), 2**31, (2, 40))
    c = FlexTensor(mantissas=np.concatenate([wide, -wide], 1), exponent=-20, format="flex32+8")
    d = FlexTensor(mantissas=np.concatenate([wide, wide], 1).T, exponent=-20, format="flex32+8")
    assert not c.matmul(d, -40).mantissas.any()


def test_rescale_of_pairs():
    """A pair (upper, lower) is upper * 2**32 + lower."""
    rng = np.random.default_rng(5)
    upper, lower = rng.integers(-(2**40), 2**40, 200), rng.integers(0, 2**32, 200)
    upper[:20] >>= 30
    lower[:10] = 0
    shifts = rng.integers(-72, -30, 200)
    for rounding in ROUNDINGS:
        options = words(rounding, 200, rng)
        got = rescale((upper, lower), shifts, 0, "flex16+5", **options)
        for n in range(200):
            exact = (int(upper[n]) * 2**32 + int(lower[n])) * Fraction(2) ** int(shifts[n])
            want = flexpoint.mantissa(exact, 0, 16, rounding, word(options, n))
            assert got[n] == want


def test_exponents_broadcast():
    """One call of the output stage serves many tensors, each with exponents of its own."""
    integers = np.array([[100, -75], [3, 7]])
    got = rescale(integers, [[-2], [0]], [[0], [-1]])
    assert got.tolist() == [[25, -19], [6, 14]]
    got = aligned_sum((integers, 1), ([[-2], [0]], -2), [[0], [-1]])
    assert got.tolist() == [[25, -18], [6, 14]]


def test_stochastic_rounding_is_fair():
    """Over all words of 8 bits the mean is the value, but for what lies below the words."""
    for quarter in range(-8, 9):
        values = np.full(256, quarter / 4)
        x = FlexTensor.of(values, 0, rounding="sr", random=np.arange(256), random_bits=8)
        assert x.mantissas.mean() == quarter / 4


# --------------------------------------------------------------------------------- everything


@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "int64", "int16"]
)
def test_sources(dtype):
    values = np.array([0, 1, 3, 24]).astype(getattr(ml_dtypes, dtype, dtype))
    assert FlexTensor.of(values, -3).mantissas.tolist() == [0, 8, 24, 192]


def test_integers_are_not_rounded_twice():
    """2**53 + 1 is no float64: its last bit decides a tie."""
    big = np.array([2**53 + 1])
    assert rescale(big, -54, 0).tolist() == [1]
    assert rescale(big - 1, -54, 0).tolist() == [0]


def test_axes():
    x = FlexTensor.of(np.arange(24.0).reshape(2, 3, 4), -2)
    w = FlexTensor.of(np.arange(8.0).reshape(4, 2), -2)
    y = x.matmul(w, -2)
    assert y.shape == (2, 3, 2)
    assert np.array_equal(y.to_float(), x.to_float() @ w.to_float())
    assert np.array_equal(x.reshape(6, 4).T.to_float(), np.arange(24.0).reshape(6, 4).T)
    words = np.arange(12).reshape(2, 3, 2)
    y = x.matmul(w, 0, rounding="sr", random=words)
    assert y.shape == (2, 3, 2)


def test_formats_may_differ():
    a = FlexTensor.of([[1.0, 2.0]], -4, "flex8+5")
    b = FlexTensor.of([[3.0], [0.5]], -10, "flex16+5")
    assert a.matmul(b, -3).format.name == "flex8+5"
    assert a.matmul(b, -8, format="flex12+4").to_float().tolist() == [[4.0]]


def test_long_sums_are_cut():
    """More products than one float64 sum may have: 2**21 + 1 of 2**30."""
    count = 2**21 + 1
    ones = np.full((1, count), -(2**15), np.int16)
    a = FlexTensor(mantissas=ones, exponent=-31)
    got = a.matmul(a.T, -25, rounding="rtz")
    assert got.mantissas.tolist() == [[count >> 7]]


TENSOR = FlexTensor(mantissas=[[1, 2]], exponent=-3)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: FlexTensor(mantissas=[1.5], exponent=0), CodeError, "dtype float64 where integ"),
        (lambda: FlexTensor(mantissas=[], exponent=0), CodeError, "mantissas: dtype float64"),
        (lambda: FlexTensor(mantissas=np.zeros((0, 3), int), exponent=0), CodeError, "an element"),
        (lambda: FlexTensor(mantissas=[[1], [2, 3]], exponent=0), CodeError, "not an array"),
        (lambda: FlexTensor(mantissas=[40000], exponent=0), CodeError, "40000 is out of range for"),
        (lambda: FlexTensor(mantissas=[-32769], exponent=0), CodeError, "-32769 is out of range"),
        (
            lambda: FlexTensor(mantissas=[1], exponent=1),
            SpecError,
            "exponent=1: must be an integer",
        ),
        (
            lambda: FlexTensor(mantissas=[1], exponent=-32),
            SpecError,
            "must be an integer from -31 to 0 for",
        ),
        (lambda: FlexTensor(mantissas=[1], exponent=-1.0), SpecError, "exponent=-1.0: must be an"),
        (lambda: FlexTensor(mantissas=[1], exponent=True), SpecError, "exponent=True"),
        (lambda: FlexTensor(mantissas=[1], exponent=0, format="bf16"), SpecError, "format=bf16"),
        (
            lambda: FlexTensor(mantissas=[1], exponent=0, format="dfp16"),
            SpecError,
            "must be a Flex",
        ),
        (lambda: FlexTensor(mantissas=[1], exponent=0, format="flex"), SpecError, "format=flex: u"),
        (lambda: FlexTensor.of([1.0, np.nan], -3), CodeError, "element 1 is a NaN or an infinity"),
        (lambda: FlexTensor.of(np.float16([-np.inf]), -3), CodeError, "element 0 is a NaN"),
        (lambda: FlexTensor.of(np.zeros((2, 0))), CodeError, r"shape \(2, 0\): a tensor has"),
        (lambda: FlexTensor.of(["x"]), CodeError, "dtype <U1: must be floats or integers"),
        (lambda: FlexTensor.of([Fraction(1)]), CodeError, "dtype object"),
        (lambda: FlexTensor.of([1.0], -40), SpecError, "exponent=-40"),
        (lambda: FlexTensor.of([1.0], 0, rounding="up"), SpecError, "rounding=up: must be one of"),
        (lambda: FlexTensor.of([1.0], 0, rounding="sr"), SpecError, "needs an array of random wor"),
        (lambda: FlexTensor.of([1.0], 0, random=[3]), SpecError, "takes no random words"),
        (
            lambda: FlexTensor.of([1.0], 0, rounding="sr", random=[1 << 16]),
            CodeError,
            "random: code 65536 is out of range",
        ),
        (
            lambda: FlexTensor.of([1.0], 0, rounding="sr", random=[0, 1]),
            CodeError,
            r"random: shape \(2,\) where the result has \(1,\)",
        ),
        (lambda: FlexTensor.from_codes([0x10000], 3), CodeError, "codes: code 65536 is out of ran"),
        (lambda: FlexTensor.from_codes([1], 32), CodeError, "scale: code 32 is out of range"),
        (lambda: TENSOR.matmul(TENSOR, 0), CodeError, r"shape \(1, 2\) where self has \(1, 2\)"),
        (lambda: TENSOR.matmul(TENSOR.T, 5), SpecError, "exponent=5: must be an integer from -31"),
        (lambda: TENSOR.reshape(2).matmul(TENSOR.T, 0), CodeError, "must be"),
        (
            lambda: TENSOR.add(FlexTensor(mantissas=[1, 2, 3], exponent=0), 0),
            CodeError,
            "shapes do not broadcast",
        ),
        (
            lambda: TENSOR.multiply(FlexTensor(mantissas=[1, 2, 3], exponent=0), 0),
            CodeError,
            "shapes do not broadcast",
        ),
        (lambda: rescale([1.0], 0, 0), CodeError, "integers: dtype float64"),
        (lambda: rescale([1], 0.5, 0), SpecError, "from_exponent=0.5"),
        (
            lambda: rescale([1], 5000, 0),
            SpecError,
            "from_exponent=5000: must be an integer from -4",
        ),
        (lambda: rescale([1], 0, [-32, 0]), SpecError, "exponent=-32"),
        (lambda: rescale([1, 2], [1, 2, 3], 0), CodeError, "shapes do not broadcast"),
        (lambda: rescale([1], 0, 0, rounding="dynamic"), SpecError, "a tensor takes one direction"),
    ],
)
def test_bad_input(call, error, text):
    with pytest.raises(error, match=text):
        call()
