# SPDX-License-Identifier: BSD-2-Clause
"""Encoding and decoding: the standards' own cases, then properties."""

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from macaw.golden import FORMATS, CodeError, FormatError, SpecError, format
from macaw.sim.proof.reference.arithmetic import scalar as reference

NAN, INF = float("nan"), float("inf")
MODES = ("rne", "rna", "rtz", "rup", "rdn", "rod")

# OCP OFP8 1.0 5.2; ONNX technical note on float 8: value, saturating, otherwise
OFP8 = [
    ("e4m3", NAN, 0x7F, 0x7F),
    ("e4m3", INF, 0x7E, 0x7F),
    ("e4m3", -INF, 0xFE, 0x7F),
    ("e4m3", 464.0, 0x7E, 0x7E),  # a tie that goes to 448
    ("e4m3", 464.00003, 0x7E, 0x7F),
    ("e4m3", -1000.0, 0xFE, 0x7F),
    ("e5m2", INF, 0x7B, 0x7C),
    ("e5m2", -INF, 0xFB, 0xFC),
    ("e5m2", 61439.996, 0x7B, 0x7B),
    ("e5m2", 61440.0, 0x7B, 0x7C),
    ("e5m2", NAN, 0x7E, 0x7E),
    ("e2m1", 5.0, 0x6, None),  # tie to even: 4
    ("e2m1", 1e9, 0x7, None),
    ("e2m1", NAN, 0x7, None),  # no NaN: the largest positive value
    ("e4m3fnuz", NAN, 0x80, 0x80),
    ("e4m3fnuz", -0.0, 0x00, 0x00),
    ("e4m3fnuz", INF, 0x7F, 0x80),
    ("e8m0", 3.0, 0x80, 0x80),  # tie to the even code
    ("e8m0", 6.0, 0x82, 0x82),
    ("e8m0", 0.0, 0x00, 0x00),
    ("e8m0", -1.0, 0x00, 0xFF),
    ("ue4m3", -1.0, 0x00, 0x7F),
    ("dlfloat16", 2.0**-31, 0x0000, 0x0000),
    ("e5m2ftz", 2.0**-15, 0x00, 0x00),
]

# One value between two neighbours of every direction, IEEE 754-2019 4.3: 1.0625 and 1.1875 in
# e4m3 lie midway between 1, 1.125 and 1.25
DIRECTIONS = [
    ("rne", 1.0625, 1.0),
    ("rne", 1.1875, 1.25),
    ("rna", 1.0625, 1.125),
    ("rna", -1.0625, -1.125),
    ("rtz", -1.124, -1.0),
    ("rup", 1.001, 1.125),
    ("rup", -1.124, -1.0),
    ("rdn", 1.124, 1.0),
    ("rdn", -1.001, -1.125),
    ("rod", 1.001, 1.125),
    ("rod", 1.249, 1.125),
    ("rod", 1.25, 1.25),
]


@pytest.mark.parametrize(("name", "value", "saturated", "otherwise"), OFP8)
def test_overflow_policies(name, value, saturated, otherwise):
    fmt = format(name)
    assert fmt.encode(value, overflow="saturate") == saturated
    if otherwise is not None:
        assert fmt.encode(value, overflow="nonfinite") == otherwise


@pytest.mark.parametrize(("rounding", "value", "expected"), DIRECTIONS)
def test_directions(rounding, value, expected):
    fmt = format("e4m3")
    assert fmt.decode(fmt.encode(value, rounding=rounding)) == expected


@pytest.mark.parametrize(
    ("rounding", "positive", "negative"),
    [
        ("rne", 0x7C00, 0xFC00),
        ("rna", 0x7C00, 0xFC00),
        ("rtz", 0x7BFF, 0xFBFF),
        ("rod", 0x7BFF, 0xFBFF),
        ("rup", 0x7C00, 0xFBFF),
        ("rdn", 0x7BFF, 0xFC00),
    ],
)
def test_overflow_of_ieee_formats_depends_on_direction(rounding, positive, negative):
    """IEEE 754-2019 7.4."""
    codes = format("fp16").encode([1e9, -1e9], rounding=rounding)
    assert codes.tolist() == [positive, negative]


def test_fixed_point_saturates_or_wraps():
    int8 = format("int8")
    assert int8.encode([127.5, -128.5, 1e30, -INF, NAN]).tolist() == [127, 128, 127, 128, 127]
    assert int8.encode([128, 129, -129, 512], overflow="wrap").tolist() == [128, 129, 127, 0]
    assert format("ternary").encode([-2.0, 2.0]).tolist() == [3, 1]
    assert format("fx8.6").encode([-2.0, 1.0, 0.0078125]).tolist() == [128, 64, 0]
    assert format("uint8").encode([-0.4, -0.6, 300.0]).tolist() == [0, 0, 255]


SMALL = [n for n, f in FORMATS.items() if f.width <= 16 and n != "ternary"]


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("rounding", MODES)
def test_every_code_encodes_back(name, rounding):
    fmt = format(name)
    values = fmt.decode(np.arange(1 << fmt.width, dtype=fmt.code_dtype))
    back = fmt.decode(fmt.encode(values, rounding=rounding))
    assert np.array_equal(back, values, equal_nan=True)
    assert np.array_equal(np.signbit(back), np.signbit(values) & ~np.isnan(values))


# Between zero and the least value of a format without subnormals: the neighbour on the side of the
# direction; to nearest and by chance it is zero, as in hardware that has no subnormals.
@pytest.mark.parametrize("name", ["dlfloat16", "e4m3nosub", "e4m2fnuznosub", "power3", "e3m0nosub"])
@pytest.mark.parametrize(
    ("rounding", "positive", "negative"),
    [
        ("rup", 1, 0),
        ("rdn", 0, 1),
        ("rod", 1, 1),
        ("rtz", 0, 0),
        ("rne", 0, 0),
        ("rna", 0, 0),
    ],
)
@pytest.mark.parametrize("part", [2.0**-40, 0.26, 0.74])
def test_directions_hold_below_the_least_value(name, rounding, positive, negative, part):
    fmt = format(name)
    least = fmt.min_normal
    got = fmt.decode(fmt.encode([part * least, -part * least], rounding=rounding))
    assert got.tolist() == [positive * least, -negative * least]
    many = np.full(1 << 22, part * least)  # enough of them for a table
    assert (fmt.decode(fmt.encode(many, rounding=rounding)) == positive * least).all()


def test_below_the_least_value_of_dlfloat16():
    fmt = format("dlfloat16")
    values = [0.998 * fmt.min_normal, -0.998 * fmt.min_normal]
    assert fmt.encode(values, rounding="rne").tolist() == [0, 0x8000]
    assert fmt.encode(values, rounding="rup").tolist() == [1, 0x8000]
    assert fmt.encode(values, rounding="rdn").tolist() == [0, 0x8001]
    # A name with ftz asks for zeros, in every direction, as processors' flush-to-zero modes do.
    least = format("e5m2ftz").min_normal
    for rounding in MODES:
        assert format("e5m2ftz").encode([0.75 * least], rounding=rounding) == 0


@pytest.mark.parametrize("name", ["e2m1", "e3m2", "e2m3", "int8", "int4", "ue3m2", "shift3"])
@pytest.mark.parametrize("count", [1, 1 << 17])
def test_nan_becomes_what_is_asked_for(name, count):
    fmt = format(name)
    values = np.full(count, np.nan, np.float32)
    zero = not name.startswith("shift")
    allowed = {"largest": fmt.max} | ({"zero": 0.0} if zero else {})
    if fmt.negative_zero:
        allowed["negative_zero"] = -0.0
    for nan in ("largest", "zero", "negative_zero"):
        if nan not in allowed:
            with pytest.raises(SpecError, match=f"nan={nan}: {fmt.name} has no such value; must"):
                fmt.encode(values, nan=nan)
            continue
        got = fmt.decode(fmt.encode(values, nan=nan))
        assert (got == allowed[nan]).all()
        assert (np.signbit(got) == np.signbit(allowed[nan])).all()
    assert np.array_equal(fmt.encode(values), fmt.encode(values, nan="largest"))


@pytest.mark.parametrize("name", ["e2m1", "e3m2", "e2m3"])
def test_nan_as_ml_dtypes_has_it(name):
    fmt = format(name)
    values = np.array([np.nan, 1.0, -2.0, 1e9], np.float32)
    assert np.array_equal(
        fmt.encode(values, nan="negative_zero"), values.astype(fmt.dtype).view(np.uint8)
    )


@pytest.mark.parametrize(("rounding", "half"), [("sr", 0), ("srb", Fraction(1, 2)), ("src", None)])
@pytest.mark.parametrize("bits", [1, 3, 5])
@pytest.mark.parametrize("sign", [1, -1])
def test_stochastic_rounding_over_all_words(rounding, half, bits, sign):
    """P3109 4.7.4: of all words, as many round away as the fraction has in N bits."""
    words = np.arange(1 << bits)
    for n in range(1 << 8):
        v = Fraction(n, 1 << 8)
        exact = v * (1 << bits)
        expected = round(exact) if half is None else (exact + half) // 1
        for name, last in (("e4m3", 1 / 8), ("fx12.3", 1 / 8)):
            fmt = format(name)
            value = float(sign * (1 + v * Fraction(last)))
            codes = fmt.encode(
                np.full(len(words), value), rounding=rounding, random=words, random_bits=bits
            )
            away = np.abs(fmt.decode(codes)) > 1
            assert np.count_nonzero(away) == expected
            assert not np.any(away[:-1] & ~away[1:])  # it is the larger words that round away


@pytest.mark.parametrize("name", ["e4m3", "e5m2", "fp16", "bf16", "e2m1", "int8", "e4m3fnuz"])
def test_stochastic_rounding_is_fair(name):
    """Over all random words a value rounds away exactly as often as its fraction says."""
    fmt = format(name)
    words = np.arange(256, dtype=np.uint8)
    for sixteenths in range(16):
        value = 1.0 + fmt.epsilon * sixteenths / 16
        codes = fmt.encode(np.full(256, value), rounding="sr", random=words, random_bits=8)
        assert (fmt.decode(codes) > 1.0).sum() == 16 * sixteenths


def test_sources_of_every_dtype_agree():
    fmt = format("e4m3")
    values = np.array([0.0, -0.0, 1.0, 3.0, -448.0, 0.25, INF, NAN])
    want = fmt.encode(values)
    kinds = [np.float16, np.float32, ml_dtypes.bfloat16, ml_dtypes.float8_e5m2]
    for dtype in kinds:
        exact = values.astype(dtype).astype(np.float64)
        assert np.array_equal(fmt.encode(values.astype(dtype)), fmt.encode(exact)), dtype
    assert np.array_equal(fmt.encode(values.astype(ml_dtypes.float8_e4m3fn))[:6], want[:6])
    integers = np.array([0, 1, 3, -5])
    for dtype in (np.int8, np.int64, ml_dtypes.int4, object):
        assert np.array_equal(fmt.encode(integers.astype(dtype)), fmt.encode([0.0, 1, 3, -5]))
    with pytest.raises(CodeError, match="dtype bool: must be floats or integers"):
        fmt.encode([True, False])


def test_integers_are_taken_exactly():
    """Rounding 2**60 + 1 by way of float64 would lose what breaks the tie."""
    tie = (1 << 60) + (1 << 36)
    fp32 = format("fp32")
    assert fp32.encode([tie]) == fp32.encode([1 << 60])
    assert fp32.encode([tie + 1]) == fp32.encode([1 << 60]) + 1
    assert fp32.encode([tie + 1], rounding="rtz") == fp32.encode([1 << 60])
    wide = (1 << 100) + (1 << 76)
    assert fp32.encode([wide + 1]) == fp32.encode([wide]) + 1
    assert format("int8").encode([(1 << 100) + 5], overflow="wrap") == 5
    assert format("int8").encode([-(1 << 100) - 5], overflow="wrap") == 251
    assert format("uint64").encode(np.array([2**64 - 1], np.uint64)) == 2**64 - 1
    assert format("int64").encode([-(2**63)]) == 2**63
    third = format("e4m3").encode(np.array([Fraction(1, 3)]))
    assert format("e4m3").decode(third) == 0.34375


@given(
    st.sampled_from(["e4m3", "e5m2", "e2m1", "fp16", "bf16", "fp32", "tf32", "int8", "fx8.6"]),
    st.sampled_from(MODES),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-200, 200),
)
def test_encode_exact_is_the_reference(name, rounding, significand, exponent):
    fmt = format(name)
    got = fmt.encode_exact(significand, exponent, rounding=rounding)
    value = Fraction(significand) * Fraction(2) ** exponent
    assert got == reference.project(value, fmt, rounding)[0]


@given(
    st.sampled_from(["e4m3", "e5m2", "e8m0", "fp16", "fp32", "int8", "e3m4", "dlfloat16"]),
    st.sampled_from(MODES),
    st.floats(allow_nan=False),
)
def test_encode_float64_is_the_reference(name, rounding, value):
    fmt = format(name)
    exact = {INF: "inf", -INF: "-inf"}.get(value) or (
        "-0" if value == 0 and np.signbit(value) else Fraction(value)
    )
    assert fmt.encode(value, rounding=rounding) == reference.project(exact, fmt, rounding)[0]


@given(st.sampled_from(["e4m3", "e2m1", "fp16", "int8"]), st.floats(width=32), st.floats(width=32))
def test_rounding_is_monotonic(name, x, y):
    fmt = format(name)
    if x <= y:
        low, high = fmt.decode(fmt.encode(np.array([x, y])))
        assert low <= high


def test_tables_and_arithmetic_agree():
    """Large float32 arrays go through a table; float64 ones never do."""
    rng = np.random.default_rng(1)
    bits = rng.integers(0, 1 << 32, 1 << 18, dtype=np.uint64).astype(np.uint32)
    values = bits.view(np.float32)
    with np.errstate(invalid="ignore"):
        wide = values.astype(np.float64)
    names = ("e4m3", "e5m2", "e2m1", "bf16", "int8", "e4m3fnuz", "e5m2ftz", "dlfloat16", "e8m5")
    for name in names:
        fmt = format(name)
        for rounding in MODES:
            narrow = fmt.encode(values, rounding=rounding)
            assert np.array_equal(narrow, fmt.encode(wide, rounding=rounding)), (name, rounding)


def test_shapes_and_dtypes():
    fmt = format("e4m3")
    assert fmt.encode(np.zeros((2, 3, 4))).shape == (2, 3, 4)
    assert fmt.encode(1.0).shape == ()
    assert fmt.encode([]).shape == (0,)
    assert format("tf32").encode([1.0]).dtype == np.uint32
    assert fmt.encode(np.arange(12.0).reshape(3, 4)[:, ::2]).tolist() == [
        fmt.encode([x, x + 2]).tolist() for x in (0.0, 4.0, 8.0)
    ]
    words = np.zeros((5, 1), np.uint16)
    assert fmt.encode([1.0, 2.0], rounding="sr", random=words).shape == (5, 2)


def test_numpy_interchange():
    codes = np.arange(256, dtype=np.uint8)
    for name in ("e4m3", "e5m2", "e4m3fnuz", "e8m0", "int8"):
        fmt = format(name)
        array = fmt.to_numpy(codes)
        assert array.dtype == fmt.dtype
        values = fmt.decode(codes)
        assert np.array_equal(array.astype(np.float64), values, equal_nan=True)
        if fmt.has_nan:
            codes_back = fmt.encode(array)[~np.isnan(values)]
            assert np.array_equal(codes_back, codes[~np.isnan(values)])
    int4 = format("int4")
    assert int4.to_numpy(np.arange(16)).astype(int).tolist() == [*range(8), *range(-8, 0)]
    assert format("e4m2").dtype is None
    with pytest.raises(FormatError, match="neither numpy nor ml_dtypes"):
        format("e4m2").to_numpy([0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: f.encode("x"), CodeError, "dtype <U1"),
        (lambda f: f.encode([1j]), CodeError, "dtype complex128"),
        (lambda f: f.encode([None]), CodeError, "element 0 is a NoneType"),
        (lambda f: f.encode(1.0, rounding="up"), SpecError, "rounding=up: must be one of rne"),
        (lambda f: f.encode(1.0, rounding="dynamic"), SpecError, "takes one direction"),
        (lambda f: f.encode(1.0, overflow="clip"), SpecError, "overflow=clip: must be one of"),
        (lambda f: f.encode(1.0, overflow="wrap"), SpecError, "only fixed point wraps"),
        (lambda f: f.encode(1.0, rounding="sr"), SpecError, "needs an array of random words"),
        (lambda f: f.encode(1.0, random=[1]), SpecError, "takes no random words"),
        (
            lambda f: f.encode(1.0, rounding="sr", random=[256], random_bits=8),
            CodeError,
            "random: code 256 is out of range",
        ),
        (lambda f: f.encode([1, 2], rounding="sr", random=[1, 2, 3]), CodeError, "broadcast"),
        (lambda f: f.encode_exact([1.0], [0]), CodeError, "significand: dtype float64"),
        (lambda f: f.decode([256]), CodeError, "code 256 is out of range for e4m3, 8 bits"),
        (lambda f: f.decode([-1]), CodeError, "code -1"),
        (lambda f: f.decode([0.5]), CodeError, "unsigned integer codes"),
        (lambda f: format("e2m1").encode(1.0, overflow="nonfinite"), SpecError, "neither"),
        (
            lambda f: format("fp64").encode(1.0, rounding="sr", random=[0]),
            SpecError,
            "random_bits=16: must be at most 6 for fp64",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call(format("e4m3"))
    assert "\n" not in str(caught.value)


# IEEE P3109 v4.0, 4.7.5, of values above all, below all, and both infinities; "m" is the largest
# finite value of that side (0 for unsigned below), "i" infinity, "n" NaN.
P3109_SATURATION = [
    # saturation, roundings, signed and extended, unsigned and extended, signed and finite, unsigned
    ("saturate", "rne rna rtz rup rdn rod", "mmmm", "mmmm", "mmmm", "mmmm"),
    ("propagate", "rne rna rtz rup rdn rod", "mmii", "mmim", "mmmm", "mmmm"),
    ("directed", "rne rna", "iiii", "inin", "nnnn", "nnnn"),
    ("directed", "rtz", "mmii", "mmin", "mmnn", "mmnn"),
    ("directed", "rup", "imii", "imin", "nmnn", "nmnn"),
    ("directed", "rdn", "miii", "mnin", "mnnn", "mnnn"),
    ("directed", "rod", "iiii", "mnin", "nnnn", "nnnn"),
]


@pytest.mark.parametrize(("policy", "roundings", "se", "ue", "sf", "uf"), P3109_SATURATION)
def test_saturation_modes_of_p3109(policy, roundings, se, ue, sf, uf):
    for domain, outcomes in {"se": se, "ue": ue, "sf": sf, "uf": uf}.items():
        for name in (f"binary8p3{domain}", f"binary8p1{domain}", f"binary3p2{domain}"):
            fmt = format(name)
            largest = {"m": fmt.max, "i": np.inf, "n": np.nan}
            lowest = {"m": fmt.min, "i": -np.inf, "n": np.nan}
            sides = (largest, lowest, largest, lowest)
            want = [side[outcome] for side, outcome in zip(sides, outcomes, strict=True)]
            for rounding in roundings.split():
                values = [4 * fmt.max, -4 * fmt.max, np.inf, -np.inf]
                got = fmt.decode(fmt.encode(values, rounding=rounding, overflow=policy))
                np.testing.assert_array_equal(got, want, err_msg=f"{name} {rounding}")


def test_defaults_of_p3109():
    for name in ("binary8p3se", "binary8p3ue"):
        fmt = format(name)
        values = [1e30, -1e30, np.inf, -np.inf, np.nan, 1.1]
        for rounding in ("rne", "rtz", "rup", "rdn", "rod"):
            same = fmt.encode(values, rounding=rounding)
            assert (fmt.encode(values, rounding=rounding, overflow="directed") == same).all()
    saturated = format("binary8p3sf").encode([1e30, np.inf], overflow="propagate")
    assert saturated.tolist() == [0x7F, 0x7F]
    assert format("int8").encode([1e30, -np.inf], overflow="propagate").tolist() == [127, 128]
    with pytest.raises(SpecError, match="overflow=directed: e2m1 has neither infinity nor NaN"):
        format("e2m1").encode([1.0], overflow="directed")
