# SPDX-License-Identifier: BSD-2-Clause
"""Posits in gates: any widths as operands and as results."""

import random

import pytest
from in_bulk import differing

from macaw.golden import SpecError, unit
from macaw.golden.formats import POSITS
from macaw.golden.units import Unit
from macaw.hdl import build, generate
from macaw.sim.proof.rules.formats import posit as any_posit


def _units() -> list[Unit]:
    rng = random.Random(5)
    found = [unit("mul", a="posit8", flags=True), unit("add", a="posit8", flags=True)]
    found += [unit("cast", a=any_posit(rng), out=any_posit(rng), flags=True) for _ in range(6)]
    found += [unit("cast", a="posit3es0", out="posit4es3"), unit("cast", a="posit5es4", out="fp32")]
    found += [
        unit("fma", a=any_posit(rng), c=any_posit(rng), out=any_posit(rng), flags=True)
        for _ in range(3)
    ]
    return [
        *found,
        unit("cast", a="fp32", out="posit16", flags=True),
        unit("cast", a="int8", out="posit8", flags=True),
        unit("cast", a="posit16", out="e4m3", rounding="dynamic", flags=True),
        unit("fma", a="posit16", out="posit16"),
        unit("fma", a="e5m2", c="e5m2", out="posit5", flags=True),
        unit("add", a="posit8", b="fp16", out="posit12es1", subtract=True),
        unit("dot", a="posit8", out="posit8"),
        unit("dot", a="posit16", out="posit16", lanes=2, accumulation="sequential"),
        unit("dot", a="posit16", b="e4m3", out="fp16", lanes=2, accumulation="aligned(9)"),
        unit("mac", a="posit8", out="posit8", terms=400),
        unit("mac", a="posit16es1", acc="posit16", out="posit8", terms=400),
        unit("block-dot", a="mxint8", b="posit8", out="posit16", size=2),
    ]


def test_gates_agree_with_golden():
    assert differing(_units()) == []


def test_gates_take_those_of_the_standard():
    for name in POSITS:
        assert build(unit("mul", a=name)).port_list


def test_exact_sums_are_as_wide_as_posits_are():
    """From the least product to the largest, a bit for each doubling of terms, and a sign: places
    below the least product are none of the sum."""
    spec = unit("mac", a="posit16", out="posit16", terms=1 << 10)
    bits = 4 * POSITS["posit16"].emax + 2 + 10 + 1
    with pytest.raises(SpecError, match=f"acc=exact: the sum needs {bits} bits"):
        build(spec)
    assert generate(spec, widest_sum=bits).latency == 0
