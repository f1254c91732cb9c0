# SPDX-License-Identifier: BSD-2-Clause
"""What units are called; that no two share a name is asked of every kind in tests/hdl."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from macaw.golden import format, unit
from macaw.golden.units import UNITS
from macaw.golden.units import naming as module
from macaw.golden.units.elementwise import Mul
from macaw.golden.units.naming import abbreviated, digits, identifier, signed, word


@pytest.mark.parametrize(
    ("kind", "parameters", "name"),
    [
        ("fma", {"a": "e4m3", "out": "fp16"}, "fma_e4m3_fp16"),
        ("fma", {"a": "e4m3", "c": "fp32", "out": "fp16"}, "fma_e4m3_e4m3_fp32_fp16"),
        ("add", {"a": "bf16", "subtract": True, "rounding": "rtz"}, "sub_bf16_rtz"),
        ("cast", {"a": "fp32", "out": "int8", "rounding": "sr"}, "cast_fp32_int8_sr"),
        ("mac", {"a": "int8", "out": "int32", "lanes": 4}, "mac4_int8_int32"),
        ("int-mac", {"a": "int8", "terms": 64}, "int_mac_int8_t64"),
        ("requantize", {"shift": -3}, "requantize_int32_int8_sn3"),
        ("hadamard", {"a": "bf16", "signs": "te"}, "hadamard16_bf16_sd7e8"),
    ],
)
def test_names(kind, parameters, name):
    assert unit(kind, **parameters).name == name


def test_parameters_are_listed_operands_first():
    listed = list(unit("mul", a="e4m3").parameters)
    assert listed == ["a", "b", "out", "rounding", "overflow", "flags"]
    assert list(unit("dot", a="e4m3", out="fp16").parameters)[-2:] == ["accumulation", "rounding"]


def test_what_is_unknown_here_is_named_as_its_base():
    """A family that says nothing needs no line in this module."""

    @dataclass(frozen=True, kw_only=True, slots=True)
    class Square(Mul):
        kind: ClassVar[str] = "square-of"

    UNITS["square-of"] = Square
    try:
        assert Square(a=format("e4m3"), b=format("e5m2")).name == "square_of_e4m3_e5m2_e4m3"
    finally:
        del UNITS["square-of"]


def test_the_module_knows_no_kind():
    text = Path(module.__file__).read_text()
    assert not [kind for kind in UNITS if f'"{kind}"' in text]


def test_words():
    assert word("t", 64, 1024) == ["t64"]
    assert word("t", 1024, 1024) == []
    assert (signed(3), signed(-3)) == ("3", "n3")
    assert (digits(12.5), digits(-3), digits(1e-7)) == ("12p5", "m3", "0p0000001")
    assert identifier(format("fx8.4")) == "fx8p4"
    assert abbreviated("a_b_c", "what it is", 4).startswith("a_b_")
