# SPDX-License-Identifier: BSD-2-Clause
"""Products by L-Mul: by hand, against one integer addition, in sums; and what is refused."""

from typing import Any

import numpy as np
import pytest

import macaw
from macaw.golden.errors import SpecError
from macaw.golden.units import unit
from macaw.sim.proof.outsiders import scalars

FP32 = macaw.format("fp32")


def product(x: Any, y: Any, how: str, **formats: str) -> list[float]:
    formats = {"a": "e4m3", "out": "fp32"} | formats
    a = macaw.format(formats["a"])
    b = macaw.format(formats.get("b", formats["a"]))
    spec = unit("mul", product=how, **formats)
    return FP32.decode(spec.evaluate(a=a.encode(x), b=b.encode(y))["r"]).tolist()


@pytest.mark.parametrize(
    ("how", "want"),
    [
        # 1.5 * 1.75: 0.5 + 0.75 + 1/8 = 1.375 carries
        ("lmul", 2.75),
        ("lmul(literal)", 2.375),
        ("lmul(mitchell,1)", 3.5),
        ("lmul(mitchell,none)", 2.5),
        ("lmul(literal,none)", 2.25),
        ("exact", 2.625),
    ],
)
def test_by_hand(how: str, want: float):
    assert product([1.5, -3.0, 1.5], [1.75, 1.75, -0.4375], how) == [want, -2 * want, -want / 4]


def test_a_carry_of_two():
    """Long fractions under an offset of a half: the sum exceeds two."""
    x = 2 - 2.0**-7
    s = 2 * (1 - 2.0**-7) + 0.5
    assert product([x], [x], "lmul(mitchell,1)", a="bf16") == [4 * (s - 1)]
    assert product([x], [x], "lmul(literal,1)", a="bf16") == [1 + s]


@pytest.mark.parametrize(("bits", "offset"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (10, 4)])
def test_default_offset(bits: int, offset: int):
    """The paper's l(m)."""
    spec = unit("mul", a=f"e5m{bits}", product="lmul")
    assert spec.parameters["product"] == f"lmul(mitchell,{offset})"


def test_zeros_subnormals_infinities_nans():
    fmt = macaw.format("fp16")
    spec = unit("mul", a="fp16", out="fp16", product="lmul", flags=True)
    zero, small, one, infinity, nan = 0x0000, 0x03FF, 0x3C00, 0x7C00, 0x7D00
    minus = 0x8000
    cases = [
        (zero, one, zero, 0),
        (zero, one | minus, minus, 0),
        (small, one | minus, minus, 0),  # no hidden bit: a zero
        (infinity, one | minus, infinity | minus, 0),
        (infinity, zero, fmt.nan_code, 8),
        (infinity, small, fmt.nan_code, 8),
        (nan, zero, fmt.nan_code, 8),  # a signalling one
        (nan | 0x200, infinity, fmt.nan_code, 0),
    ]
    a, b, r, flags = (np.array(column, np.uint16) for column in zip(*cases))
    for x, y in ((a, b), (b, a)):
        found = spec.evaluate(a=x, b=y)
        assert found["r"].tolist() == r.tolist()
        assert found["flags"].tolist() == flags.tolist()


def test_results_round_underflow_and_overflow_as_exact_ones():
    spec = unit("mul", a="fp16", out="fp16", product="lmul", flags=True)
    big, least = 0x7BFF, 0x0400
    found = spec.evaluate(a=[big, least, least], b=[big, least, 0x3800])
    # overflow and inexact; underflow and inexact; (1 + 1/16) * 2**-15, a subnormal that is exact
    assert found["r"].tolist() == [0x7C00, 0, 0x0220]
    assert found["flags"].tolist() == [5, 3, 0]


@pytest.mark.parametrize("name", ["e4m3ftz", "e5m2ftz", "e3m4ftz", "e2m1ftz"])
def test_one_integer_addition(name: str):
    assert scalars.lmul_codes(name) > 200
    assert scalars.lmul_codes("e8m7ftz", 20_000) == 20_000


def test_operands_of_two_formats():
    """The longer fraction has the offset; a format without fraction only scales."""
    assert product([1.5], [1.0], "lmul", b="bf16") == [1.5625]
    assert product([1.5], [4.0], "lmul(mitchell,none)", b="e8m0") == [6.0]
    assert product([2.0], [4.0], "lmul", a="e8m0") == [8.0]
    assert product([2.0], [4.0], "lmul(literal)", a="e8m0") == [8.0]


@pytest.mark.parametrize("carry", ["mitchell", "literal"])
def test_sums_add_the_products(carry: str):
    rng = np.random.default_rng(3)
    how = f"lmul({carry})"
    a, b = rng.integers(0, 126, (2, 50, 4)).astype(np.uint8)
    terms = unit("mul", a="e4m3", out="fp64", product=how).evaluate(a=a, b=b)["r"]
    want = FP32.encode(macaw.format("fp64").decode(terms).sum(-1))
    dot = unit("dot", a="e4m3", out="fp32", lanes=4, product=how).evaluate(a=a, b=b, c=0)["r"]
    mac = unit("mac", a="e4m3", out="fp32", lanes=4, product=how)
    assert dot.tolist() == want.tolist()
    assert mac.evaluate(a=a, b=b, last=1)["r"].tolist() == want.tolist()
    fma = unit("fma", a="e4m3", out="fp32", product=how)
    one = macaw.format("fp64").decode(terms[:, 0])
    got = FP32.decode(fma.evaluate(a=a[:, 0], b=b[:, 0], c=FP32.encode(1.0))["r"])
    assert got.tolist() == FP32.decode(FP32.encode(one + 1)).tolist()


def test_aligned_sums_take_the_exponent_of_the_product():
    """1.5 * 1.75 carries into the exponent, by ``mitchell``; the formula's stays in [1, 4)."""
    e4m3 = macaw.format("e4m3")
    a, b = e4m3.encode([1.5, 0.0]), e4m3.encode([1.75, 0.0])
    # 2.75 to 4 bits under 2: all of it; the addend is below 2 by 5 bits, or by 4
    for carry, want in (("mitchell", 2.75), ("literal", 2.4375)):
        spec = unit(
            "dot",
            a="e4m3",
            out="fp32",
            lanes=2,
            product=f"lmul({carry})",
            accumulation="aligned(4)",
        )
        got = FP32.decode(spec.evaluate(a=a, b=b, c=FP32.encode(2.0**-4))["r"])
        assert got == want


def test_matmul_and_blocks():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(3, 64)), rng.normal(size=(64, 2))
    for acc in ("fp32", "exact"):
        got = macaw.matmul(x, y, "mxfp8-e4m3", acc=acc, out="fp32", product="lmul")
        a = macaw.format("mxfp8-e4m3").quantize(x)
        b = macaw.format("mxfp8-e4m3").quantize(y.T)
        spec = unit("block-mac", a="mxfp8-e4m3", out="fp32", acc=acc, product="lmul")
        for row, column in np.ndindex(got.shape):
            want = spec.evaluate(
                a=a.elements[row].reshape(2, 32),
                b=b.elements[column].reshape(2, 32),
                a_scale=a.scales[row],
                b_scale=b.scales[column],
                last=[0, 1],
            )["r"]
            assert got[row, column] == want
        exact = macaw.matmul(x, y, "mxfp8-e4m3", acc=acc, out="fp32", product="exact")
        assert (exact != got).any()
        assert (exact == macaw.matmul(x, y, "mxfp8-e4m3", acc=acc, out="fp32")).all()


def test_products_of_64_bits_and_more_need_no_parts():
    spec = unit("dot", a="fp64", out="fp64", lanes=2, product="lmul", accumulation="sequential")
    one = macaw.format("fp64").encode(1.0)
    got = macaw.format("fp64").decode(spec.evaluate(a=[one, one], b=[one, one], c=0)["r"])
    assert got == 2.125


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"a": "e4m3", "product": "log"}, "product=log: must be exact, lmul, or lmul"),
        ({"a": "e4m3", "product": "lmul(mitchell,4)"}, "l=4 must be none, or from 1 to 3"),
        ({"a": "e4m3", "product": "lmul(literal,0)"}, "l=0 must be none, or from 1 to 3"),
        ({"a": "int8", "product": "lmul"}, "product=lmul: a=int8 must be a float"),
        ({"a": "bf16", "b": "int4", "product": "lmul"}, "product=lmul: b=int4 must be a float"),
        ({"a": "e8m0", "product": "lmul(mitchell,1)"}, "l=1 must be none: there is no fraction"),
    ],
)
def test_what_is_refused(parameters: dict[str, Any], message: str):
    with pytest.raises(SpecError) as caught:
        unit("mul", **parameters)
    assert message in str(caught.value)


def test_names():
    assert unit("mul", a="e4m3", product="exact") == unit("mul", a="e4m3")
    assert unit("mul", a="e4m3", product=" LMUL ").name == "mul_e4m3_lmul3"
    names = {
        unit(kind, a="e4m3", out="fp32", product=how).name
        for kind in ("mul", "fma", "dot", "mac", "block-dot", "block-mac")
        for how in ("exact", "lmul", "lmul(literal)", "lmul(literal,none)", "lmul(mitchell,2)")
    }
    assert len(names) == 30
