# SPDX-License-Identifier: BSD-2-Clause
"""Gates of units in a row, with their memory, and of lanes that take turns."""

from typing import Any

import pytest

from macaw.golden import SpecError, unit
from macaw.hdl import generate
from macaw.sim import verify

INTEGER = "mac(a=int8, out=int32, lanes=2, acc=int32) | add(b=int32) | cast(out=int8)"


@pytest.mark.parametrize(
    ("parameters", "options"),
    [
        ({"stages": INTEGER}, {"stages": 4}),
        ({"stages": INTEGER, "channels": 6, "stored": "add_b"}, {}),
        ({"stages": INTEGER, "channels": 6, "stored": "add_b"}, {"stages": 3, "flow": "stream"}),
        ({"stages": INTEGER, "channels": 1, "stored": "add_b"}, {"bus": "axis"}),
        (
            {
                "stages": "mul(a=e3m2, out=fp16) | fma(b=e5m2, out=fp16)",
                "channels": 3,
                "stored": "fma_b",
            },
            {"stages": 2, "flow": "valid"},
        ),
    ],
    ids=lambda x: "_".join(str(v) for v in x.values())[-40:],
)
def test_bits_are_golden(parameters: dict[str, Any], options: dict[str, Any]):
    spec = unit("pipeline", **parameters)
    report = verify(spec, simulator="bulk", vectors=20_000, seed=3, **options)
    assert report.passed, str(report)


@pytest.mark.parametrize(
    ("parameters", "options"),
    [
        ({"a": "bf16", "out": "mxfp4", "size": 4}, {"fold": 2, "flow": "valid"}),
        ({"a": "bf16", "out": "mxint8", "size": 6}, {"fold": 3, "stages": 8, "flow": "stream"}),
        ({"a": "fp16", "out": "mxfp4", "size": 4, "rounding": "sr"}, {"fold": 4, "bus": "axis"}),
        ({"a": "bf16", "out": "ue5m3int4", "size": 2}, {"fold": 2, "stages": 6, "flow": "stream"}),
    ],
    ids=lambda x: "_".join(str(v) for v in x.values()),
)
def test_turns_give_the_same_bits(parameters: dict[str, Any], options: dict[str, Any]):
    spec = unit("block-quantize", **parameters)
    report = verify(spec, simulator="bulk", vectors=4000, seed=3, **options)
    assert report.passed, str(report)


def test_turns_are_told():
    spec = unit("block-quantize", a="bf16", out="mxfp4", size=4)
    design = generate(spec, fold=4, flow="valid")
    assert design.initiation_interval == 4 == design.metadata["initiation_interval"]
    assert design.latency == 4
    assert "one operation in 4 clocks" in design.verilog


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("block-quantize", {"fold": 2}, "fold=2: needs flow"),
        ("block-quantize", {"fold": 3, "flow": "valid"}, "fold=3: must divide the 4 lanes"),
        ("block-quantize", {"fold": 0, "flow": "valid"}, "fold=0: must be an integer from 1"),
        ("block-quantize", {"fold": 4, "stages": 2, "flow": "valid"}, "takes at least 4"),
        ("block-dequantize", {"fold": 2, "flow": "valid"}, "take no turns"),
    ],
)
def test_bad_folds(kind: str, options: dict[str, Any], message: str):
    parameters = {"a": "bf16", "out": "mxfp4"}
    if kind == "block-dequantize":
        parameters = {"a": "mxfp4", "out": "bf16"}
    with pytest.raises(SpecError, match=message):
        generate(unit(kind, size=4, **parameters), **options)
