# SPDX-License-Identifier: BSD-2-Clause
"""Numbers in texts: those that are meant, and those that are too long for anything."""

from fractions import Fraction

import pytest

from macaw.golden import MacawError, unit
from macaw.golden.arithmetic.search.grid import Grid
from macaw.golden.formats.block import format
from macaw.golden.formats.texts import fraction, whole

NINES = "9" * 5000
"""More digits than Python makes an integer of."""
FAR = "1e999999999"
"""A power of ten that would take hours to write out."""


def test_numbers():
    assert whole("0042") == 42
    assert fraction("2.50") == Fraction(5, 2)
    assert fraction("-1/3") == Fraction(-1, 3)
    assert fraction("1e-4") == Fraction(1, 10_000)
    assert fraction("1e9999") == Fraction(10) ** 9999
    for text in ("", "x", "1/0", "1e10000", "1e-10000", FAR, "1" * 1001):
        assert fraction(text) is None


@pytest.mark.parametrize(
    "name",
    [
        *("int{}", "fx8.{}", "e{}m3", "e4m3b{}", "posit{}", "posit8es{}", "lns{}.1", "lns4.{}"),
        *("nupes{}a1", "nupes4a{}", "nupes4a1.{}", "binary{}p3se", "flex{}+5", "int4-k{}-fp16"),
        "int4-k4x{}-fp16",
    ],
)
def test_long_numbers_in_names_of_formats(name: str):
    with pytest.raises(MacawError) as caught:
        format(name.format(NINES))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("dot", {"a": "e4m3", "out": "fp16", "lanes": NINES}),
        ("dot", {"a": "e4m3", "out": "fp16", "accumulation": f"aligned({NINES})"}),
        ("mul", {"a": "e4m3", "product": f"lmul(mitchell,{NINES})"}),
        ("clamp", {"low": f"-{NINES}"}),
        ("table", {"a": "e4m3", "function": f"power({FAR})"}),
        ("table", {"a": "e4m3", "function": f"power({NINES})"}),
        ("table", {"a": "e4m3", "function": f"power(1/{NINES})"}),
        ("int-gelu", {"x": "int8", "scale": "1e-999999999"}),
        ("int-gelu", {"x": "int8", "scale": f"1/{NINES}"}),
    ],
)
def test_long_numbers_in_parameters(kind: str, parameters: dict):
    with pytest.raises(MacawError) as caught:
        unit(kind, **parameters)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("number", [FAR, NINES, f"1/{NINES}"])
def test_long_numbers_in_grids(number: str):
    for text in (f"linear({number},1,5)", f"linear(1,{number},5)", f"geometric(1,2,{NINES})"):
        with pytest.raises(MacawError, match="must be linear"):
            Grid.parse(text)
