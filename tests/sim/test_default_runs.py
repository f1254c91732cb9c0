# SPDX-License-Identifier: BSD-2-Clause
"""Default runs of a sample of the catalogue: their vectors hit every bin that the units have."""

import pytest

from macaw.golden.units import unit
from macaw.sim.stimulus import stimulus
from macaw.sim.stimulus.coverage import Tally

CATALOGUE = {
    "mul fp32": unit("mul", a="fp32"),
    "mul e4m3": unit("mul", a="e4m3"),
    "mul dlfloat16": unit("mul", a="dlfloat16"),
    "add bf16": unit("add", a="bf16"),
    "add fp32": unit("add", a="fp32"),
    "fma fp32": unit("fma", a="fp32", out="fp32"),
    "fma fp16": unit("fma", a="fp16", out="fp16"),
    "fma e5m2": unit("fma", a="e5m2", out="e5m2"),
    "fma mixed": unit("fma", a="e4m3", out="fp32"),
    "cast down": unit("cast", a="fp32", out="bf16"),
    "cast int": unit("cast", a="int32", out="fp32"),
    "div fp16": unit("div", a="fp16"),
    "sqrt fp32": unit("sqrt", a="fp32"),
    "dot e4m3": unit("dot", a="e4m3", out="fp32"),
    "dot e5m2": unit("dot", a="e5m2", out="fp16", lanes=8),
    "block-dot nvfp4": unit("block-dot", a="nvfp4", out="fp32"),
    "block-dot mxfp8": unit("block-dot", a="mxfp8-e4m3", out="fp32"),
    "requantize": unit("requantize"),
    "requantize twice": unit("requantize", profile="tflite_double", zero_point=True),
    "flex-mac": unit("flex-mac", a="flex16+5"),
    "mul to int": unit("mul", a="fp16", out="int8", flags=True),
    "mul fixed": unit("mul", a="fx16.8", out="fx16.8"),
    "add fixed": unit("add", a="fx16.8", out="fx8.2"),
    "fma to int": unit("fma", a="e4m3", c="e5m2", out="int8"),
    "cast to int": unit("cast", a="fp32", out="int32"),
    "cast from int": unit("cast", a="int32", out="fp16"),
    "dot int8": unit("dot", a="int8", out="int32", lanes=4),
    "dot to int": unit("dot", a="e4m3", out="fx16.4", lanes=4),
    "block-dot to int": unit("block-dot", a="mxint8", out="int32"),
    "mac int8": unit("mac", a="int8", out="int32", lanes=4),
    "mac fp16": unit("mac", a="fp16", out="fp32"),
    "mac e5m2": unit("mac", a="e5m2", out="fp16", acc="fp16", lanes=2),
    "mac e4m3": unit("mac", a="e4m3", out="fp32", acc="fp32", lanes=4),
    "block-mac mxfp8": unit("block-mac", a="mxfp8-e4m3", out="fp32", acc="exact"),
    "block-mac mxfp4": unit("block-mac", a="mxfp4", out="fp32"),
    "fpu e5m2": unit("fpu", a="e5m2"),
    "fpu fp16": unit("fpu", a="fp16"),
}
MORE = {"fpu": 100_000, "mac": 20_000, "block-mac": 100_000}
"""Vectors of kinds that have many bins, or few sequences for theirs; a default run has more."""


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_default_run_hits_every_bin_that_the_unit_has(name):
    spec = CATALOGUE[name]
    tally = Tally(spec)
    for codes in stimulus(spec, vectors=MORE.get(spec.kind, 10_000), seed=1):
        tally.add(codes)
    found = tally.coverage()
    assert [count.name for count in found.never] == []
    excused = [b.name for b, n in zip(tally.bins, tally.hits, strict=True) if n and b.reason]
    assert excused == []
    assert found.hit >= 10
