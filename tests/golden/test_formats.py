# SPDX-License-Identifier: BSD-2-Clause
"""Formats: the standards' own numbers, names, and what must not be built."""

import itertools
import pickle
import re
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from gfloat import decode_float
from gfloat.formats import format_info_p3109
from gfloat.types import Domain, Signedness

from macaw.golden import FORMATS, Fixed, Float, FormatError, format
from macaw.golden.formats import BOOKS, POSITS, POWERS, Book, Posit, Specials, Subnormals
from macaw.golden.formats.aliases import ALIASES, LEADS
from macaw.golden.formats.block import BLOCKS, Block
from macaw.golden.formats.block import format as any_format

# name, width, largest, least normal, least subnormal
RANGES = [
    ("fp64", 64, 1.7976931348623157e308, 2.0**-1022, 2.0**-1074),  # IEEE 754-2019 table 3.5
    ("fp32", 32, (2 - 2.0**-23) * 2.0**127, 2.0**-126, 2.0**-149),
    ("fp16", 16, 65504.0, 2.0**-14, 2.0**-24),
    ("bf16", 16, (2 - 2.0**-7) * 2.0**127, 2.0**-126, 2.0**-133),
    ("tf32", 19, (2 - 2.0**-10) * 2.0**127, 2.0**-126, 2.0**-136),
    ("e4m3", 8, 448.0, 2.0**-6, 2.0**-9),  # OCP OFP8 1.0 table 1
    ("e5m2", 8, 57344.0, 2.0**-14, 2.0**-16),
    ("e3m2", 6, 28.0, 2.0**-2, 2.0**-4),  # OCP MX 1.0 table 5
    ("e2m3", 6, 7.5, 1.0, 0.125),
    ("e2m1", 4, 6.0, 1.0, 0.5),
    ("e8m0", 8, 2.0**127, 2.0**-127, 2.0**-127),  # OCP MX 1.0, 5.4.1
    ("e4m3fnuz", 8, 240.0, 2.0**-7, 2.0**-10),  # ml_dtypes 0.6
    ("e5m2fnuz", 8, 57344.0, 2.0**-15, 2.0**-17),
    ("e4m3b11fnuz", 8, 30.0, 2.0**-10, 2.0**-13),
    ("e3m4", 8, 15.5, 2.0**-2, 2.0**-6),
    ("e4m3ieee", 8, 240.0, 2.0**-6, 2.0**-9),
    # DLFloat: 2**32 * (1 + 510/512); the code of 2**-31 is zero's
    ("dlfloat16", 16, 8573157376.0, (1 + 2.0**-9) * 2.0**-31, (1 + 2.0**-9) * 2.0**-31),
]

# name, infinity, canonical NaN
SPECIAL_CODES = [
    ("fp32", 0x7F800000, 0x7FC00000),
    ("fp16", 0x7C00, 0x7E00),
    ("bf16", 0x7F80, 0x7FC0),
    ("e4m3", None, 0x7F),
    ("e5m2", 0x7C, 0x7E),
    ("e4m3fnuz", None, 0x80),
    ("e8m0", None, 0xFF),
    ("e3m4", 0x70, 0x78),
    ("dlfloat16", None, 0x7FFF),
    ("e2m1", None, None),
]


@pytest.mark.parametrize(("name", "width", "largest", "normal", "subnormal"), RANGES)
def test_ranges_of_the_standards(name, width, largest, normal, subnormal):
    fmt: Any = format(name)
    assert (fmt.width, fmt.max) == (width, largest)
    assert (fmt.min_normal, fmt.min_subnormal) == (normal, subnormal)
    assert fmt.min == (-largest if fmt.signed else subnormal)
    assert fmt.decode(fmt.max_code) == largest
    assert fmt.decode(fmt.min_code) == subnormal


@pytest.mark.parametrize(("name", "infinity", "nan"), SPECIAL_CODES)
def test_codes_of_infinity_and_nan(name, infinity, nan):
    fmt: Any = format(name)
    assert (fmt.inf_code, fmt.nan_code) == (infinity, nan)
    assert (fmt.has_inf, fmt.has_nan) == (infinity is not None, nan is not None)


def test_values_of_e2m1():
    """OCP MX 1.0: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives."""
    values = [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    assert format("e2m1").decode(range(16)).tolist() == [*values, *(-x for x in values)]


def fixed(name: str) -> Fixed:
    """A fixed-point format by name."""
    fmt = format(name)
    assert isinstance(fmt, Fixed)
    return fmt


def test_fixed_point():
    int8, mxint8, uint4 = (fixed(name) for name in ("int8", "fx8.6", "uint4"))
    assert (int8.min, int8.max, int8.finite_values) == (-128.0, 127.0, 256)
    assert (mxint8.min, mxint8.max, mxint8.epsilon) == (-2.0, 1.984375, 2.0**-6)
    assert format("ternary").decode([0, 1, 3]).tolist() == [0.0, 1.0, -1.0]
    assert (uint4.min_integer, uint4.max_integer) == (0, 15)
    assert fixed("int8sym").min_integer == -127


@pytest.mark.parametrize("name", [n for n, f in FORMATS.items() if f.width <= 16])
def test_finite_values_are_those_that_results_have(name):
    fmt = format(name)
    codes = np.arange(1 << fmt.width, dtype=fmt.code_dtype)
    values = fmt.decode(codes)
    kept = fmt.encode(values[np.isfinite(values)])
    assert np.unique(fmt.decode(kept)).size == fmt.finite_values


@pytest.mark.parametrize("name", FORMATS | POWERS | BOOKS | POSITS)
def test_registered_names_and_reprs_read_back(name):
    fmt = (FORMATS | POWERS | BOOKS | POSITS)[name]
    assert fmt.name == name
    assert format(name.upper()) is fmt
    assert eval(repr(fmt), globals() | {"Book": Book, "Posit": Posit}) == fmt
    assert pickle.loads(pickle.dumps(fmt)) == fmt


def test_every_spelling_reads_back():
    fields: Any = itertools.product(
        (2, 3, 4, 8), (0, 1, 3, 10), (None, 0, -3, 9), (True, False), Subnormals, Specials
    )
    count = 0
    for exponent, mantissa, bias, signed, subnormals, specials in fields:
        try:
            fmt = Float(
                exponent=exponent,
                mantissa=mantissa,
                bias=bias,
                signed=signed,
                subnormals=subnormals,
                specials=specials,
            )
        except FormatError:
            continue
        assert format(fmt.name) == fmt, fmt
        count += 1
    assert count > 400
    for width, fraction, signed in itertools.product((1, 2, 8, 64), (0, 7, 70), (True, False)):
        fmt = Fixed(width=width, fraction=fraction, signed=signed)
        assert format(fmt.name) == fmt


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("e4m3", {"exponent": 4, "mantissa": 3, "bias": 7, "specials": Specials.FN}),
        ("e4m3ftz", {"specials": Specials.FN, "subnormals": Subnormals.FLUSH}),
        ("e5m10", {"specials": Specials.IEEE, "bias": 15}),
        ("e3m3", {"specials": Specials.FINITE, "width": 7}),
        ("e4m3b11fnuz", {"bias": 11, "specials": Specials.FNUZ}),
        ("e4m3fnuz", {"bias": 8}),
        ("e3m2bn2", {"bias": -2}),
        ("ue4m3", {"signed": False, "width": 7, "specials": Specials.FN}),
        ("ue8m0", {"name": "e8m0"}),
        ("dlfloat16", {"subnormals": Subnormals.NONE, "bias": 31}),
        ("ufx9.12", {"width": 9, "fraction": 12, "signed": False}),
        ("int2sym", {"name": "ternary"}),
        ("float32", {"name": "fp32"}),
    ],
)
def test_grammar(name, fields):
    fmt = format(name)
    assert {field: getattr(fmt, field) for field in fields} == fields


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: format("fp33"), "unknown format 'fp33': did you mean fp32"),
        (lambda: format("e4m33x"), "unknown format"),
        (lambda: format(""), "unknown format"),
        (
            lambda: format(8),  # type: ignore[arg-type]
            "must be a name or a format",
        ),
        (lambda: format("e12m3"), "exponent=12: must be an integer from 0 to 11"),
        (lambda: format("e5m53"), "mantissa=53: must be an integer from 0 to 52"),
        (lambda: format("e11m3fn"), "within those of fp64"),
        (lambda: format("e8m0ieee"), "need a mantissa"),
        (lambda: format("e1m3ieee"), "exponent of 2 bits"),
        (lambda: format("ue4m3fnuz"), "fnuz needs a sign"),
        (lambda: format("e4m3nozero"), "without zero cannot have subnormals"),
        (lambda: format("e1m0fn"), "no code is left"),
        (lambda: format("int65"), "must be an integer from 1 to 64"),
        (lambda: format("int0"), "must be an integer from 1 to 64"),
        (lambda: format("fx8.200"), "fraction=200"),
        (lambda: format("uint8sym"), "symmetric"),
    ],
)
def test_what_cannot_be_built_says_why_in_one_line(build, message):
    with pytest.raises(FormatError, match=message) as caught:
        build()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", list(POWERS))
def test_powers_of_two_without_mantissa(name):
    fmt = format(name)
    assert isinstance(fmt, Float)
    assert (fmt.name, format(fmt.name)) == (name, fmt)
    codes = np.arange(1 << fmt.width, dtype=np.uint8)
    largest = 2 ** (fmt.width - 1)
    exponents = [(0 if code == 0 else 2.0 ** (code - 1)) for code in range(largest)]
    if not fmt.zero:
        exponents = [2.0**code for code in range(largest)]
    assert fmt.decode(codes).tolist() == [*exponents, *(-value for value in exponents)]
    assert fmt.encode(fmt.decode(codes)).tolist() == codes.tolist()


def test_one_bit_is_a_sign():
    binary = format("binary")
    assert (binary.width, binary.min, binary.max, binary.finite_values) == (1, -1.0, 1.0, 2)
    values = np.array([0.0, 0.3, 7.0, -0.0, -1e-9, -5.0])
    assert binary.encode(values).tolist() == [0, 0, 0, 1, 1, 1]
    with pytest.raises(FormatError, match="a format without exponent has a sign and no more"):
        Float(exponent=0, mantissa=2)


# What the names elsewhere are by the dtypes of numpy and ml_dtypes: spellings without "_", and
# with f for float or fp, are found by themselves, these are not.
DTYPES = {
    "half": "float16",
    "single": "float32",
    "float": "float32",
    "double": "float64",
    "binary16": "float16",
    "binary32": "float32",
    "binary64": "float64",
    "bfloat": "bfloat16",
    "fp16alt": "bfloat16",
    "fp8alt": "float8_e4m3",
    "fp8_e4m3": "float8_e4m3fn",
    **dict.fromkeys(("float8e8m0", "f8_e8m0", "e8m0fnu", "ue8m0"), "float8_e8m0fnu"),
    **dict.fromkeys(("f6_e3m2", "fp6_e3m2"), "float6_e3m2fn"),
    **dict.fromkeys(("f6_e2m3", "fp6_e2m3"), "float6_e2m3fn"),
    **dict.fromkeys(("float4e2m1", "fp4_e2m1"), "float4_e2m1fn"),
    "binary8p3sf": "float8_e5m2fnuz",
    "binary8p4sf": "float8_e4m3fnuz",
}
WITHOUT_DTYPE = {"tfloat32", "tensorfloat32", "dlfloat"}


def folded(name: str) -> str:
    return re.sub("float|fp", "f", name.replace("_", ""))


def dtype_elsewhere(alias: str) -> np.dtype:
    names = ["float16", "float32", "float64", *(n for n in dir(ml_dtypes) if "float" in n)]
    name = DTYPES.get(alias) or {folded(n): n for n in names}[folded(alias)]
    return np.dtype(getattr(ml_dtypes, name, name))


@pytest.mark.parametrize(
    "alias",
    [
        alias
        for alias, name in ALIASES.items()
        if not isinstance(any_format(name), Block) and alias not in WITHOUT_DTYPE
    ],
)
def test_aliases_are_the_dtypes_of_others_code_for_code(alias):
    fmt, dtype = format(alias), dtype_elsewhere(alias)
    if fmt.width <= 16:
        codes = np.arange(1 << fmt.width, dtype=fmt.code_dtype)
    else:
        words = np.random.default_rng(1).integers(0, 1 << fmt.width, 50_000, np.uint64, False)
        codes = words.astype(fmt.code_dtype)
    with np.errstate(invalid="ignore"):
        values = codes.view(dtype).astype(np.float64)
    found = fmt.decode(codes)
    np.testing.assert_array_equal(found, values)
    numbers = ~np.isnan(values)
    assert (np.signbit(found) == np.signbit(values))[numbers].all()
    assert format(alias.upper()) == fmt
    assert fmt.name == ALIASES[alias]


def test_every_alias_stands_for_something_registered_or_spelled():
    for alias, name in ALIASES.items():
        assert any_format(alias).name == name
        assert alias not in FORMATS | POWERS | BOOKS | POSITS | BLOCKS
    assert not set(ALIASES) & set(LEADS)
    assert {alias for alias in ALIASES if ALIASES[alias] in ("tf32", "dlfloat16")} == WITHOUT_DTYPE


@pytest.mark.parametrize("module", ["torch", "ml_dtypes", "jnp", "jax.numpy", "onnx.TensorProto"])
def test_names_with_their_module(module):
    for name in ("float8_e4m3fnuz", "FLOAT8E4M3FNUZ", "int8"):
        assert format(f"{module}.{name}") == format(name)


@pytest.mark.parametrize("name", LEADS)
def test_names_that_mean_several_formats_or_none_say_what_to_write(name):
    with pytest.raises(FormatError) as caught:
        any_format(name)
    assert str(caught.value) == f"format {name!r}: {LEADS[name]}"
    # Whatever it names besides other people's projects can be written.
    words = set(re.findall(r"[a-z][a-z0-9.]*\d[a-z0-9.+-]*", LEADS[name]))
    formats = [any_format(word) for word in words - {"cdna3", "gfx950", *LEADS}]
    assert formats or name == "posit"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fp8", ["e4m3", "e5m2", "e4m3fnuz", "e5m2fnuz"]),
        ("fp6", ["e3m2", "e2m3"]),
        ("fp4", ["e2m1", "mxfp4", "nvfp4", "fp4bnb"]),
        ("hfp8", ["e4m3b11fnuz", "forward", "e5m2", "backward"]),
        ("mxfp6", ["mxfp6-e3m2", "mxfp6-e2m3"]),
        ("mxfp8", ["mxfp8-e4m3", "mxfp8-e5m2"]),
        ("binary8p9", ["precision from 1"]),
        ("binary8p8se", ["precision from 1 to less than its width"]),
        ("BINARY8P9UE", ["precision from 1 to its width"]),
        ("binary3p0uf", ["precision from 1"]),
        ("binary16p1se", ["exponent=15"]),
        ("binary8p3es", ["binary8p3se"]),
        ("bfloat61", ["bf16"]),
    ],
)
def test_leads(name, words):
    with pytest.raises(FormatError) as caught:
        any_format(name)
    assert [word for word in words if word not in str(caught.value)] == []


@pytest.mark.parametrize("domain", Domain)
@pytest.mark.parametrize("signedness", Signedness)
@pytest.mark.parametrize(
    ("width", "precision"), [(8, 3), (8, 4), (8, 1), (8, 7), (6, 3), (4, 2), (3, 1), (10, 6)]
)
def test_formats_of_p3109(width, precision, signedness, domain):
    sign = "s" if signedness is Signedness.Signed else "u"
    fmt = format(f"binary{width}p{precision}{sign}{'f' if domain is Domain.Finite else 'e'}")
    theirs = format_info_p3109(width, precision, signedness, domain)
    values = [decode_float(theirs, code).fval for code in range(1 << width)]
    np.testing.assert_array_equal(fmt.decode(range(1 << width)), values)
    assert format(fmt.name) == fmt


# K, P, signedness and domain; then P3109 v4.0's own numbers: bias 2^(K-P-1), unsigned 2^(K-P), the
# NaN, positive infinity and the largest finite value.
@pytest.mark.parametrize(
    ("name", "bias", "nan", "infinity", "largest"),
    [
        ("binary8p3se", 16, 0x80, 0x7F, 49152.0),
        ("binary8p4se", 8, 0x80, 0x7F, 224.0),
        ("binary8p3sf", 16, 0x80, None, 57344.0),
        ("binary8p1se", 64, 0x80, 0x7F, 2.0**62),
        ("binary8p3ue", 32, 0xFF, 0xFE, 1.25 * 2.0**31),
        ("binary8p8ue", 1, 0xFF, 0xFE, 253 / 128),
        ("binary8p1ue", 128, 0xFF, 0xFE, 2.0**125),
        ("binary8p8uf", 1, 0xFF, None, 254 / 128),
        ("binary3p1se", 2, 4, 3, 1.0),
        ("binary3p2se", 1, 4, 3, 1.0),
        ("binary3p3ue", 1, 7, 6, 1.25),
    ],
)
def test_codes_of_p3109(name, bias, nan, infinity, largest):
    fmt = format(name)
    assert (fmt.bias, fmt.nan_code, fmt.inf_code, fmt.max) == (bias, nan, infinity, largest)
    assert fmt.encode([np.nan, -0.0]).tolist() == [nan, 0]
    assert np.isnan(fmt.decode(nan))
    assert not fmt.negative_zero
    if infinity is not None:
        assert fmt.name == name
        assert fmt.decode(infinity) == np.inf
        assert fmt.encode(-np.inf) == (nan | infinity if fmt.signed else nan)


def test_spellings_of_extended_formats():
    assert format("BINARY8P3SE") is FORMATS["binary8p3se"]
    assert format("binary8p3") == format("binary8p3s") == FORMATS["binary8p3se"]
    assert format("e5m2ext") == format("binary8p3se")
    assert format("ue6m2b32ext").name == "binary8p3ue"
    assert format("e5m2b15ext").name == "e5m2b15ext"
    assert format("ue4m3extftz").name == "ue4m3extftz"
    assert format("binary12p5se").name == "binary12p5se"
    # no code would be left for a number
    for name in ("binary2p1se", "ue1m1ext", "e1m0ext"):
        with pytest.raises(FormatError, match="no code is left"):
            format(name)
