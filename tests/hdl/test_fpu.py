# SPDX-License-Identifier: BSD-2-Clause
"""Gates of the floating-point unit: all its operations, and what is not built is not there."""

from typing import Any

import pytest

from macaw.golden import SpecError, unit
from macaw.hdl import generate
from macaw.sim import verify


@pytest.mark.parametrize(
    ("parameters", "options"),
    [
        ({"a": "e5m6ieee"}, {"stages": 3, "flow": "stream"}),
        ({"a": "e5m2", "integer": "int10", "tininess": "before"}, {}),
        # 1 is the largest binade, the least one, and integers have fewer bits than significands
        ({"a": "e3m4b6ieee", "operations": "-div,-sqrt"}, {}),
        ({"a": "e4m12ieee", "integer": "int2", "operations": "-class"}, {}),
        # one path alone, or without the others
        ({"a": "e4m5ieee", "operations": "add,sub"}, {}),
        ({"a": "e4m3ieee", "operations": "mul,msub"}, {}),
        ({"a": "e4m5ieee", "operations": "add,mul,to-uint"}, {}),
        ({"a": "e4m5ieee", "operations": "sqrt,div,sgnjx"}, {"bus": "axis"}),
        ({"a": "bf16", "operations": "max,lt"}, {"flow": "valid"}),
    ],
    ids=lambda x: "_".join(str(v) for v in x.values()),
)
def test_bits_are_golden(parameters: dict[str, Any], options: dict[str, Any]):
    spec = unit("fpu", **parameters)
    report = verify(spec, simulator="bulk", vectors=6000, seed=3, **options)
    assert report.passed, str(report)


def test_one_multiplier_does_all_of_multiply_add():
    """And none is there where nothing is multiplied."""
    whole = generate(unit("fpu", a="fp16"))
    assert whole.component.multipliers == [(11, 11)]
    assert generate(unit("fpu", a="fp16", operations="add,sub,div")).component.multipliers == []


def test_digits_are_found_at_once():
    with pytest.raises(SpecError, match="digits=1: fpu has none to find one after another"):
        generate(unit("fpu", a="fp16"), digits=1, flow="valid")
