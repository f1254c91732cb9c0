# SPDX-License-Identifier: BSD-2-Clause
"""Rounding in gates, over all operands and all random words."""

import pytest

from macaw.golden import SpecError
from macaw.golden.units import unit
from macaw.sim import verify
from macaw.tools import simulators

CHANCE = [
    {"kind": "cast", "a": "e5m2", "out": "e4m3", "random_bits": 3, "flags": True},
    {"kind": "cast", "a": "fx9.5", "out": "fx5.1", "random_bits": 3},
    {"kind": "add", "a": "e3m2", "out": "e2m1", "random_bits": 1, "flags": True},
    {"kind": "mul", "a": "e3m2", "out": "ufx5.1", "random_bits": 2},
]
DIRECTIONS = [
    {"kind": "cast", "a": "e6m3", "out": "e4m3nosub", "rounding": "dynamic", "flags": True},
    {"kind": "cast", "a": "e6m3", "out": "ue4m2nosub", "rounding": "dynamic", "flags": True},
    {"kind": "mul", "a": "e3m2", "out": "power3", "rounding": "rup"},
    {"kind": "mul", "a": "e3m2", "out": "e3m1fnuznosub", "rounding": "rdn"},
]
NANS = [
    {"kind": "cast", "a": "e5m2", "out": "e2m1", "nan": "negative_zero", "flags": True},
    {"kind": "mul", "a": "e5m2", "b": "e4m3", "out": "e3m2", "nan": "zero"},
    {"kind": "cast", "a": "e5m2", "out": "int4", "nan": "zero"},
]
ALL = [{**p, "rounding": r} for p in CHANCE for r in ("sr", "srb", "src")] + DIRECTIONS + NANS


@pytest.mark.parametrize("parameters", ALL, ids=lambda p: "_".join(map(str, p.values())))
def test_all_operands(parameters):
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    report = verify(unit(**parameters), simulator="bulk", exhaustive=True)
    assert report.passed, str(report)


def test_nan_is_refused_where_there_is_one():
    with pytest.raises(SpecError, match="nan=zero: e4m3 has a NaN"):
        unit("cast", a="fp16", out="e4m3", nan="zero")
    assert unit("cast", a="fp16", out="e2m1", nan="largest") == unit("cast", a="fp16", out="e2m1")
