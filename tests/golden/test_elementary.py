# SPDX-License-Identifier: BSD-2-Clause
"""Elementary functions of floats: the standard's special cases, and what is refused."""

import numpy as np
import pytest

from macaw.golden import format, unit
from macaw.golden.errors import SpecError
from macaw.sim.proof.outsiders.scalars import fractions

INF, NAN = 0x7F80, 0x7FC0


@pytest.mark.parametrize(
    ("function", "codes", "results"),
    [
        ("exp", [0, 0x8000, INF, 0xFF80, 0x7F81], [0x3F80, 0x3F80, INF, 0, NAN]),
        ("exp2", [0x4040, 0xC040, 0x4300, 0xC308], [0x4100, 0x3E00, INF, 0]),
        ("log", [0, 0x8000, INF, 0xBF80, 0x3F80], [0xFF80, 0xFF80, INF, NAN, 0]),
        ("log2", [0x4080, 0x3E80, 0x0001], [0x4000, 0xC000, 0xC305]),
        ("sin", [0, 0x8000, INF, 0xFF80, 1, 0x4049], [0, 0x8000, NAN, NAN, 1, 0x3A7E]),
        ("cos", [0, 0x8000, INF, 0xFF80, 1, 0xC049], [0x3F80, 0x3F80, NAN, NAN, 0x3F80, 0xBF80]),
        ("sigmoid", [0, INF, 0xFF80, 0xC2F0], [0x3F00, 0x3F80, 0, 0x0000]),
        ("tanh", [0, 0x8000, INF, 0xFF80, 0x0001], [0, 0x8000, 0x3F80, 0xBF80, 0x0001]),
        ("reciprocal", [0, 0x8000, INF, 0xFF80, 0xC000], [INF, 0xFF80, 0, 0x8000, 0xBF00]),
        ("rsqrt", [0, 0x8000, INF, 0xBF80, 0x4080], [INF, 0xFF80, 0, NAN, 0x3F00]),
    ],
)
def test_special_operands(function, codes, results):
    got = unit("function", a="bf16", function=function).evaluate(a=codes)["r"]
    assert [hex(code) for code in got] == [hex(code) for code in results]


@pytest.mark.parametrize("function", ["exp", "log2", "sin", "cos", "sigmoid", "rsqrt"])
def test_mpfr(function):
    assert fractions(unit("function", a="bf16", function=function, rounding="rup"), 500) == 500


def test_values_are_those_of_the_table():
    wide = unit("function", a="e5m4", out="fp16", function="tanh", rounding="rtz")
    table = unit("table", a="e5m4", out="fp16", function="tanh", rounding="rtz")
    codes = np.arange(1 << 10)
    assert (wide.evaluate(a=codes)["r"] == table.evaluate(a=codes)["r"]).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"a": "int8", "function": "exp"}, "a=int8: must be a float with a mantissa"),
        ({"a": "e8m0", "function": "exp"}, "a=e8m0: must be a float with a mantissa"),
        ({"a": "bf16", "function": "gelu"}, r"function=gelu: must be one of exp, exp2, log"),
        ({"a": "bf16", "function": "expp"}, "function=expp: .*exp"),
        ({"a": "bf16"}, "function: parameter function is missing"),
        ({"a": "bf16", "function": "exp", "rounding": "sr"}, "rounding=sr: a function has one"),
        ({"a": "bf16", "function": "exp", "out": "int8", "overflow": "wrap"}, "overflow=wrap: "),
        ({"a": "bf16", "function": "exp", "out": "nf4"}, "out=nf4: must be a float or fixed"),
        ({"a": "bf16", "function": "exp", "out": "fx61.9"}, "out=fx61.9: must have at most 60"),
    ],
)
def test_refused_in_a_line(parameters, message):
    with pytest.raises(SpecError, match=message):
        unit("function", **parameters)


def test_names_tell_function_and_formats():
    assert unit("function", a="bf16", function="exp2").name == "function_exp2_bf16"
    assert format("bf16") == unit("function", a="bf16", function="tanh").out
