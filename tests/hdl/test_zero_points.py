# SPDX-License-Identifier: BSD-2-Clause
"""Gates for groups with zero points: their sums against golden, and what gates refuse."""

from typing import Any

import numpy as np
import pytest

from macaw.golden import SpecError, unit
from macaw.hdl import generate
from macaw.sim import verify
from macaw.sim.bench import bulk
from macaw.sim.proof.cases.block_dots import EVERY_CODE
from macaw.sim.proof.cases.conversions import EVERY_PAIR

GROUP = "uint4-k4-fp16-zuint4"
HQQ, Q4_1 = "uint4-k4-fp16-zfp16", "uint4-k4-fp16-mfp16"
UNITS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("block-dot", {"a": "int8", "b": GROUP, "out": "fp32"}, {}),
    (
        "block-dot",
        {"a": "uint3-k2-e4m3-zint5", "b": GROUP, "out": "bf16", "size": 8},
        {"stages": 3},
    ),
    ("block-dot", {"a": GROUP, "out": "fp32", "lanes": 2, "rounding": "rdn"}, {"flow": "stream"}),
    ("block-dot", {"a": "e4m3", "b": GROUP, "out": "fp32"}, {"stages": 1}),
    ("block-dot", {"a": GROUP, "out": "fp16", "accumulation": "aligned(12)"}, {}),
    ("block-dequantize", {"a": GROUP, "out": "fp16", "rounding": "rdn"}, {"stages": 2}),
    ("block-dequantize", {"a": "fx5.2-k2-e4m3-zfx7.2", "out": "int6"}, {"flow": "stream"}),
    ("block-quantize", {"a": "bf16", "out": "uint4-k2-fp16-zuint4"}, {"stages": 2}),
    (
        "block-quantize",
        {"a": "fp16", "out": "int6-k2-e5m2-zint8", "order": "ct", "rounding": "sr"},
        {"fold": 2, "flow": "valid"},
    ),
    (
        "block-quantize",
        {"a": "ue5m3", "out": "fx6.2-k2-ue5m3-zfx9.2", "order": "torchao", "rounding": "rdn"},
        {"flow": "stream"},
    ),
    ("block-mac", {"a": GROUP, "lanes": 2, "out": "fp32", "acc": "exact"}, {"stages": 2}),
    ("block-dot", {"a": "e4m3", "b": HQQ, "out": "bf16", "rounding": "rdn"}, {"stages": 2}),
    ("block-mac", {"a": "int8-k4-fp16", "b": Q4_1, "lanes": 2, "out": "fp32"}, {"flow": "stream"}),
    ("block-dequantize", {"a": HQQ, "out": "fp16", "rounding": "rdn"}, {"stages": 1}),
    (
        "block-mac",
        {"a": "int4", "b": "uint4-k4-e4m3-zuint4", "lanes": 8, "out": "bf16"},
        {"flow": "valid"},
    ),
]


def test_sums_of_several_beats_reach_their_largest():
    """All products as large as they can be, of either sign, in each of a block's beats."""
    blocks = {"a": "int2-k4-fp16", "b": "uint2-k4-fp16-zuint2", "out": "fp32"}
    spec = unit("block-dot", **blocks, size=4, lanes=1)
    design = generate(spec, flow="valid")
    ones = np.full(4, 0x3C00)
    inputs = {"a_scale": ones, "b_scale": ones, "c": np.zeros(4, int)}
    (model,) = bulk.Model.of_many([design])
    with model:
        for b, zero in ((3, 0), (0, 3)):
            codes = inputs | {
                "a": np.full((4, 1), 2),
                "b": np.full((4, 1), b),
                "b_zero": np.full(4, zero),
                "last": np.array([0, 0, 0, 1]),
            }
            operands = {name: codes[name] for name in spec.ports.inputs}
            assert spec.out.decode(spec.evaluate(**operands)["r"]) == (-24 if b else 24)
            assert bulk.compare(spec, [model], [operands]).failures == {}


@pytest.mark.parametrize(("kind", "parameters", "options"), UNITS, ids=lambda x: str(x)[:60])
def test_bits_are_golden(kind: str, parameters: dict[str, Any], options: dict[str, Any]):
    report = verify(unit(kind, **parameters), simulator="bulk", vectors=4000, seed=3, **options)
    assert report.passed, str(report)


@pytest.mark.parametrize("name", ["one_rdn", "e2m1_rdn", "minimum_rdn"])
def test_every_code_of_a_small_one(name: str):
    report = verify(EVERY_CODE[f"dot_zero_{name}"], simulator="bulk", exhaustive=True)
    assert report.passed, str(report)


@pytest.mark.parametrize("name", ["quantize_e4m3_pair", "quantize_nozero_pair"])
def test_every_pair_of_values(name: str):
    report = verify(EVERY_PAIR[name], simulator="bulk", exhaustive=True)
    assert report.passed, str(report)


def test_a_sum_that_is_too_wide_is_refused():
    spec = unit("block-dot", a="uint16-k4096-fp16-zuint16", out="fp32", lanes=1)
    with pytest.raises(SpecError, match=r"accumulation=exact: the sum .* needs 45 bits, .* 40"):
        generate(spec, widest_sum=40)
