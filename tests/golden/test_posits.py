# SPDX-License-Identifier: BSD-2-Clause
"""Posits: values of the standard, rounding of codes, ends, NaR, and units of any of them."""

import itertools
import random
from fractions import Fraction

import numpy as np
import pytest

from macaw.golden import CodeError, FormatError, SpecError, format, unit
from macaw.golden.formats import Posit
from macaw.golden.formats.block import format as any_format
from macaw.sim.mismatch import position
from macaw.sim.proof.outsiders import scalars as prove
from macaw.sim.proof.outsiders.check import as_value, by_reference
from macaw.sim.proof.reference.arithmetic import scalar as reference
from macaw.sim.proof.rules.formats import posit as any_posit
from macaw.sim.stimulus import stimulus

P8, P16 = format("posit8"), format("posit16")


@pytest.mark.parametrize(
    ("name", "code", "value"),
    [
        # Posit Standard (2022), table 1: minPos, maxPos, the neighbour above 1, pIntMax
        ("posit8", 0x01, 2.0**-24),
        ("posit8", 0x7F, 2.0**24),
        ("posit8", 0x41, 1.125),
        ("posit8", 0xC0, -1.0),
        ("posit16", 0x0001, 2.0**-56),
        ("posit16", 0x7FFF, 2.0**56),
        ("posit16", 0x4001, 1 + 2.0**-11),
        ("posit32", 0x7FFFFFFF, 2.0**120),
        ("posit32", 0x40000001, 1 + 2.0**-27),
        # Gustafson and Yonemoto (2017), figure 4: 16 bits, three of them the exponent's
        ("posit16es3", 0b0000110111011101, 477 * 2.0**-27),
        # half an exponent: what is cut off is zeros
        ("posit5", 0b00011, 2.0**-6),
        ("posit4es3", 0b0011, 2.0**-4),
    ],
)
def test_values_of_the_standard(name: str, code: int, value: float):
    fmt = format(name)
    assert fmt.decode(code) == value
    assert fmt.encode(value) == code
    assert fmt.encode(-value) == (1 << fmt.width) - code


@pytest.mark.parametrize("bits", range(3, 12))
@pytest.mark.parametrize("es", range(5))
def test_codes_round_where_the_posit_of_one_bit_more_is(bits: int, es: int):
    """Between two codes is one of a bit more: itself it goes to the even code, what is beside it
    to the nearer; beyond the ends it goes to the end, and nothing to zero."""
    fmt, wider = Posit(width=bits, exponent=es), Posit(width=bits + 1, exponent=es)
    codes = np.arange(1 << bits)
    values = fmt.decode(codes)
    assert (fmt.encode(values) == codes).all()
    assert np.isnan(values[fmt.nar])
    assert (np.diff(np.roll(values, fmt.nar)[1:]) > 0).all()
    half = wider.decode(2 * codes + 1)
    even = codes + codes % 2
    even[0], even[fmt.max_code], even[fmt.nar], even[-1] = 1, fmt.max_code, fmt.nar + 1, codes[-1]
    assert (fmt.encode(half) == even).all()
    inner = np.setdiff1d(codes, [0, fmt.max_code, fmt.nar, codes[-1]])
    above, below = np.nextafter(half, np.inf)[inner], np.nextafter(half, -np.inf)[inner]
    assert (fmt.encode(above) == inner + 1).all()
    assert (fmt.encode(below) == inner).all()


def test_ends_zero_and_what_is_no_number():
    numbers = [1e300, -1e300, 1e-300, -1e-300, 0.0, -0.0, np.inf, -np.inf, np.nan]
    want = [0x7F, 0x81, 0x01, 0xFF, 0, 0, 0x80, 0x80, 0x80]
    assert P8.encode(numbers).tolist() == want
    assert P8.encode([Fraction(1, 10**500), 10**500, -(10**500)]).tolist() == [1, 0x7F, 0x81]
    assert P8.encode_exact([1, -1, 0], [-5000, 5000, 3]).tolist() == [1, 0x81, 0]
    down = unit("cast", a="posit8", out="e4m3").evaluate(a=[0x80, 0x00, 0x7F, 0xFF])["r"]
    assert down.tolist() == [0x7F, 0x00, 0x7E, 0x80]
    integers = unit("cast", a="posit8", out="int8").evaluate(a=[0x80, 0x7F, 0x81])["r"]
    assert integers.tolist() == [127, 127, 128]


def test_flags():
    x = np.float32([0, -1, 1.01, 2**25, 2.0**-30, np.inf, np.nan]).view(np.uint32)
    flags = unit("cast", a="fp32", out="posit8", flags=True).evaluate(a=x)["flags"]
    assert flags.tolist() == [0, 0, 1, 5, 3, 8, 0]
    nar = unit("mul", a="posit8", flags=True).evaluate(a=[0x80, 0x80], b=[0, 0x40])
    assert (nar["r"].tolist(), nar["flags"].tolist()) == ([0x80, 0x80], [0, 0])


@pytest.mark.parametrize("name", prove.ANY_POSITS)
def test_fractions(name: str):
    if format(name).width <= 8:
        prove.decode_fractions(name)
    prove.encode_fractions(name, "rne", 600)


def test_posits_of_32_bits_against_fractions():
    rng = np.random.default_rng(3)
    x = np.ldexp(rng.normal(size=300), rng.integers(-200, 200, 300))
    for name in ("posit32", "posit32es0", "posit31es4", "posit24es1"):
        fmt = format(name)
        want = [reference.project(as_value(each), fmt, "rne")[0] for each in x.tolist()]
        assert fmt.encode(x).tolist() == want
        values = [reference.value(code, fmt) for code in want]
        assert fmt.decode(want).tolist() == [float(value) for value in values]


@pytest.mark.parametrize("seed", range(12))
def test_units_of_any_posits_against_fractions(seed: int):
    rng = random.Random(f"posits/{seed}")
    a, b, c, out = (any_posit(rng) for _ in range(4))
    specs = (
        unit("cast", a=a, out=rng.choice(("fp16", "int8", "nf4", "e4m3")), flags=True),
        unit("cast", a=rng.choice(("fp16", "int8", "nf4", "e5m2")), out=out, flags=True),
        unit("mul", a=a, b=b, out=out, flags=True),
        unit("add", a=a, b=b, out=out, flags=True),
        unit("fma", a=a, b="bf16", c=c, out=out, flags=True),
        unit("fma", a="fp16", b="int8", c=c, out=out, flags=True),
        unit("fma", a=a, b=b, c=c, out="fp16", rounding="dynamic", flags=True),
        unit("dot", a=a, b=b, out=out, lanes=3),
        unit("dot", a=a, b=b, c="fp32", out=out, lanes=2, accumulation="sequential"),
        unit("dot", a=a, b="e4m3", out="fp16", lanes=3, accumulation="aligned(9)"),
        unit("mac", a=a, out=out, terms=400),
        unit("mac", a=a, acc=c, out=out, terms=400),
        unit("block-dot", a="mxint8", b=b, out=out, size=2),
    )
    for spec in specs:
        (codes,) = stimulus(spec, vectors=20, seed=seed)
        assert by_reference(spec, codes) > 0


def test_names_that_are_spelled():
    for name, es in (("posit8", 2), ("posit8es2", 2), ("POSIT8es0", 0), ("posit13es4", 4)):
        fmt = format(name)
        assert isinstance(fmt, Posit)
        assert fmt.exponent == es
        assert format(fmt.name) is fmt or format(fmt.name) == fmt
    assert format("posit8es2").name == "posit8"
    assert unit("mul", a="posit16es1").name == "mul_posit16es1"
    for fmt in (P8, P16, format("posit6es4"), format("posit3es3"), format("posit4es3")):
        assert fmt.decode(fmt.encode(1.0) + 1) == 1 + fmt.epsilon


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("posit2", "width=2: must be an integer from 3 to 32"),
        ("posit33", "width=33: must be an integer from 3 to 32"),
        ("posit8es5", "exponent=5: must be an integer from 0 to 4"),
        ("posit", "has no width: say posit8, posit16, posit32"),
        ("posit8-k32-e8m0", "element=posit8: a posit"),
    ],
)
def test_what_is_no_format(name: str, message: str):
    with pytest.raises(FormatError, match=message) as caught:
        any_format(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rounding", ["rna", "rtz", "rup", "rdn", "rod", "sr", "srb", "src"])
def test_other_roundings_are_refused(rounding: str):
    message = f"rounding={rounding}: posit8, a posit, is rounded by rne alone"
    words = {"random": np.zeros(1, np.uint16)} if rounding.startswith("s") else {}
    with pytest.raises(SpecError, match=message):
        P8.encode([0.3], rounding=rounding, **words)
    for parameters in (
        {"kind": "mul", "a": "posit8"},
        {"kind": "dot", "a": "fp16", "out": "posit8"},
        {"kind": "mac", "a": "posit8", "acc": "posit8", "out": "fp16"},
        {"kind": "mac", "a": "posit16", "acc": "fp16", "out": "posit8"},
        {"kind": "block-mac", "a": "mxfp4", "acc": "fp32", "out": "posit8"},
    ):
        with pytest.raises(SpecError, match=message):
            unit(**parameters, rounding=rounding)
    if rounding[0] != "s":
        with pytest.raises(SpecError, match=message):
            unit("dot", a="e4m3", out="fp16", accumulation="chunk(2,posit8)", rounding=rounding)


def test_other_choices_are_refused():
    with pytest.raises(SpecError, match="rounding=dynamic: posit8, a posit"):
        unit("mul", a="posit8", rounding="dynamic")
    for policy in ("wrap", "nonfinite", "directed"):
        with pytest.raises(SpecError, match=f"overflow={policy}: posit8, a posit, saturates"):
            unit("mul", a="posit8", overflow=policy)
    assert unit("mul", a="posit8", overflow="saturate") == unit("mul", a="posit8")
    with pytest.raises(SpecError, match="nan=zero: posit8 has a NaN"):
        unit("cast", a="fp16", out="posit8", nan="zero")
    with pytest.raises(SpecError, match="product=lmul: a=posit8 must be a float"):
        unit("mul", a="posit8", product="lmul")
    with pytest.raises(SpecError, match="a=posit8: must be integers"):
        unit("int-dot", a="posit8")
    with pytest.raises(CodeError, match="code 256 is out of range for posit8, 8 bits"):
        P8.decode([256])


def test_arrays():
    assert P8.encode(np.zeros((0, 3))).shape == (0, 3)
    x = np.array([[0.3, -0.7]], ">f4")
    assert P8.encode(x).tolist() == P8.encode(x.astype("<f8")).tolist()
    assert P8.encode(0.3).shape == ()
    many = np.random.default_rng(1).integers(0, 1 << 32, 40_000, np.uint32).view(np.float32)
    with np.errstate(invalid="ignore"):
        exact = many.astype(np.float64)
    assert (P8.encode(many) == P8.encode(exact)).all()


def test_distances_count_neighbours():
    order = [*range(0x81, 0x100), *range(0x80)]
    assert [position(P8, code) for code in order] == list(range(-127, 128))
    assert position(P8, P8.nar) is None


def test_sums_of_posits_are_exact():
    """The quire: products of the largest and of the least number, and what cancels."""
    spec = unit("mac", a="posit16", out="posit16")
    top, least, one = 0x7FFF, 0x0001, 0x4000
    minus = (1 << 16) - top
    a, b = [top, least, minus, one], [top, least, top, one]
    for count, want in ((3, least), (4, one)):
        last = [0] * (count - 1) + [1]
        assert spec.evaluate(a=a[:count], b=b[:count], last=last)["r"].tolist() == [want]
    pairs = itertools.product((top, minus, 0), repeat=2)
    for x, y in pairs:
        (total,) = spec.evaluate(a=[x, y], b=[one, one], last=[0, 1])["r"]
        assert total == P16.encode(P16.decode(x) + P16.decode(y))
