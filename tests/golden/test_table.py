# SPDX-License-Identifier: BSD-2-Clause
"""Functions of few bits: every code against MPFR, and what is refused."""

from fractions import Fraction

import gmpy2
import numpy as np
import pytest

from macaw.golden import SpecError, unit
from macaw.golden.arithmetic.real import FUNCTIONS
from macaw.golden.arithmetic.real.enclosures import Arithmetic
from macaw.sim.proof.reference import table as reference

NAMES = (*FUNCTIONS, "power(3/2)", "power(-1/3)", "power(43/100)", "power(-2)")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("a", "out", "rounding"),
    [
        ("e4m3", "e4m3", "rne"),
        ("e5m2", "bf16", "rtz"),
        ("binary8p1se", "fp32", "rod"),
        ("nf4", "fx8.6", "rdn"),
        ("int4", "fp64", "rup"),
    ],
)
def test_each_result_is_the_nearest(name: str, a: str, out: str, rounding: str):
    spec = unit("table", a=a, out=out, function=name, rounding=rounding)
    codes = np.arange(1 << spec.a.width)[:: 3 if spec.a.width > 6 else 1]
    wanted = [reference.result(spec, int(code)) for code in codes]
    assert spec.evaluate(a=codes)["r"].tolist() == wanted


def test_limits_zeros_and_poles():
    def ends(name: str) -> list[str]:
        spec = unit("table", a="e5m2", out="e5m2", function=name)
        codes = spec.evaluate(a=[0xFC, 0x80, 0x00, 0x7C, 0x7F])["r"]
        return [f"{value:g}" for value in spec.out.decode(codes)]

    assert ends("exp") == ["0", "1", "1", "inf", "nan"]
    assert ends("log2") == ["nan", "-inf", "-inf", "inf", "nan"]
    assert ends("tanh") == ["-1", "-0", "0", "1", "nan"]
    assert ends("silu") == ["-0", "-0", "0", "inf", "nan"]
    assert ends("reciprocal") == ["-0", "-inf", "inf", "0", "nan"]
    assert ends("rsqrt") == ["nan", "-inf", "inf", "0", "nan"]
    assert ends("sqrt") == ["nan", "-0", "0", "inf", "nan"]
    assert ends("square") == ["inf", "0", "0", "inf", "nan"]
    assert ends("power(-1/2)") == ["-0", "-inf", "inf", "0", "nan"]


def test_what_a_format_without_nan_has_instead():
    kept = unit("table", a="e4m3", out="int8", function="log")
    zero = unit("table", a="e4m3", out="int8", function="log", nan="zero")
    assert kept.evaluate(a=[0xB8])["r"].tolist() == [127]
    assert zero.evaluate(a=[0xB8])["r"].tolist() == [0]


@pytest.mark.parametrize("digits", [6, 15, 40])
def test_intervals_hold_the_value(digits: int):
    a = Arithmetic(digits)
    for x in (Fraction(1, 3), Fraction(17, 8), Fraction(5), Fraction(1, 1 << 30)):
        t = a.number(x)
        with gmpy2.context(precision=600):
            exact = gmpy2.mpfr(gmpy2.mpq(x))
            pairs = [
                (a.exp(t), gmpy2.exp(exact)),
                (a.ln(t), gmpy2.log(exact)),
                (a.root(t), gmpy2.sqrt(exact)),
                (a.error_function(t), gmpy2.erf(exact)),
                (a.pi(), gmpy2.const_pi()),
            ]
            if x > 2:
                pairs.append((a.complementary_error_function(t), gmpy2.erfc(exact)))
            for found, value in pairs:
                low, high = (gmpy2.mpq(Fraction(end)) for end in (found.low, found.high))
                assert low < value < high
                assert high - low < abs(low) * Fraction(1, 10 ** (digits - 4))


def test_codes_are_looked_up():
    codes = [(7 * n + 3) % 64 for n in range(16)]
    spec = unit("table", a="int4", out="e3m2", function=codes)
    assert spec.evaluate(a=range(16))["r"].tolist() == codes
    assert unit(spec.kind, **spec.parameters) == spec
    assert unit("table", a="int4", out="e3m2", function=np.array(codes, ">u2")) == spec
    other = unit("table", a="int4", out="e3m2", function=codes[::-1])
    assert other.name != spec.name
    assert spec.name.startswith("table_codes")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"a": "fp16"}, "a=fp16: must have at most 10 bits"),
        ({"function": None}, "parameter function is missing"),
        ({"function": "sigmod"}, "function=sigmod: did you mean sigmoid"),
        ({"function": "power(0)"}, "must be from -16 to 16, not 0"),
        ({"function": "power(x)"}, r"function=power\(x\): must be a number"),
        ({"function": "power(1/0)"}, "must be a number"),
        ({"out": "int64"}, "out=int64: must have at most 60 bits"),
        ({"rounding": "sr"}, "rounding=sr: a table has one result for each code"),
        ({"rounding": "dynamic"}, "rounding=dynamic"),
        ({"function": [1, 2, 3]}, "3 codes: must be 256, one for each code of e4m3"),
        ({"function": [256] * 256}, "code 256 for 0: must be from 0 to 255, a code of e4m3"),
        ({"function": [-1] * 256}, "code -1 for 0"),
        ({"function": [0.5] * 256}, "must be a name, or a sequence of integers"),
        ({"function": [[1], [2, 3]]}, "must be a name, or a sequence of integers"),
        ({"function": "codes(00ff)"}, "must be 256 codes of 2 hexadecimal digits each"),
        ({"function": [0] * 256, "rounding": "rtz"}, "of codes there is nothing to round"),
    ],
)
def test_what_is_refused(parameters: dict, message: str):
    with pytest.raises(SpecError, match=message):
        unit("table", **{"a": "e4m3", "function": "exp"} | parameters)


def test_codes_of_a_text_that_are_out_of_range():
    with pytest.raises(SpecError, match="code 255 for 0: must be from 0 to 63, a code of e3m2"):
        unit("table", a="int4", out="e3m2", function=f"codes({'ff' * 16})")
