# SPDX-License-Identifier: BSD-2-Clause
"""Unit specifications: parameters, names, ports, and what they refuse."""

import json
from typing import Any

import numpy as np
import pytest

from macaw import golden
from macaw.golden import (
    UNITS,
    Add,
    Cast,
    CodeError,
    Dot,
    Fma,
    Mac,
    Mul,
    Overflow,
    Rounding,
    SpecError,
    format,
    unit,
)

E4M3, E5M2, FP16, FP32 = (format(name) for name in ("e4m3", "e5m2", "fp16", "fp32"))

# unit, module name, multiply-accumulates
SPECS = [
    (Mul(a=E4M3), "mul_e4m3", 1),
    (Mul(a=E4M3, out=FP16), "mul_e4m3_fp16", 1),
    (Mul(a=E4M3, b=E5M2, out=FP16), "mul_e4m3_e5m2_fp16", 1),
    (Add(a=FP16, subtract=True, flags=True), "sub_fp16_flags", 0),
    (Fma(a=FP32, out=FP32), "fma_fp32", 1),
    (Fma(a=E4M3, out=FP32), "fma_e4m3_fp32", 1),
    (Fma(a=E4M3, b=E5M2, c=FP32, out=FP32), "fma_e4m3_e5m2_fp32", 1),
    (Fma(a=E4M3, c=FP32, out=FP16), "fma_e4m3_e4m3_fp32_fp16", 1),
    (Fma(a=FP16, out=FP16, rounding=Rounding.DYNAMIC), "fma_fp16_dynamic", 1),
    (Cast(a=FP32, out=E4M3, rounding=Rounding.SR), "cast_fp32_e4m3_sr", 0),
    (Cast(a=FP32, out=E4M3, overflow=Overflow.NONFINITE), "cast_fp32_e4m3_nonfinite", 0),
    (Cast(a=FP32, out=E4M3, overflow=Overflow.SATURATE), "cast_fp32_e4m3", 0),
    (Cast(a=FP32, out=format("fx8.6")), "cast_fp32_fx8p6", 0),
    (Dot(a=format("int4"), b=FP16, out=FP16, lanes=8), "dot8_int4_fp16_fp16", 8),
    (Dot(a=FP16, out=FP32, accumulation="aligned(24)"), "dot4_fp16_fp32_aligned24", 4),
    (Mac(a=E4M3, out=FP16), "mac_e4m3_fp16", 1),
    (Mac(a=E4M3, out=FP16, lanes=4, acc=FP32, terms=64), "mac4_e4m3_fp16_accfp32_t64", 4),
]


@pytest.mark.parametrize(("spec", "name", "macs"), SPECS, ids=lambda x: getattr(x, "name", ""))
def test_names_and_parameters_read_back(spec, name, macs):
    assert (spec.name, spec.macs) == (name, macs)
    assert name.isidentifier()
    assert unit(spec.kind, **json.loads(json.dumps(spec.parameters))) == spec
    words = {key: str(value).lower() for key, value in spec.parameters.items()}
    assert unit(spec.kind, **words) == spec
    assert eval(repr(spec), vars(golden) | vars(golden.formats)) == spec
    assert hash(spec) == hash(unit(spec.kind, **spec.parameters))


def test_ports():
    ports = Fma(a=E4M3, b=E5M2, out=FP32, rounding=Rounding.DYNAMIC, flags=True).ports
    assert {n: p.format.name for n, p in ports.inputs.items()} == {
        "a": "e4m3",
        "b": "e5m2",
        "c": "fp32",
        "rm": "uint3",
    }
    assert {n: p.width for n, p in ports.outputs.items()} == {"r": 32, "flags": 4}
    dot = Dot(a=E4M3, out=FP16, lanes=8, rounding=Rounding.SR, random_bits=11).ports
    assert {n: p.width for n, p in dot.inputs.items()} == {"a": 64, "b": 64, "c": 16, "random": 11}
    assert dot.inputs["a"].lanes == 8
    mac = Mac(a=E4M3, out=FP16).ports
    assert {n: (p.width, p.lanes) for n, p in mac.inputs.items()} == {
        "a": (8, None),
        "b": (8, None),
        "last": (1, None),
    }


def test_overflow_is_settled_once():
    assert Mul(a=E4M3).overflow is Overflow.SATURATE
    assert Mul(a=FP16).overflow is None
    assert Mul(a=E4M3, overflow=Overflow.SATURATE) == Mul(a=E4M3)
    mac: Any = unit("mac", a="int8", out="fp16", acc="int32", overflow="wrap")
    assert (mac.acc_overflow, mac.out_overflow) == (Overflow.WRAP, None)


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        (
            "fmaa",
            {},
            "unknown unit 'fmaa': must be one of mul, add, fma, cast, div, sqrt, ",
        ),
        ("fma", {"a": "e4m3"}, "parameter out is missing"),
        ("mul", {}, "parameter a is missing"),
        ("mul", {"a": "e4m4x"}, "a=e4m4x: unknown format"),
        ("fma", {"a": "e4m3", "oout": "fp16"}, "no parameter 'oout': did you mean out"),
        ("mul", {"a": "e4m3", "stages": 3}, "no parameter 'stages'"),
        ("mul", {"a": "e4m3", "rounding": "up"}, "rounding=up: must be one of rne, rna"),
        ("mul", {"a": "e4m3", "overflow": "clip"}, "overflow=clip: must be one of saturate"),
        ("mul", {"a": "e4m3", "overflow": 3}, "overflow=3: must be one of saturate"),
        ("mul", {"a": 8}, "a=8: format 8: must be a name or a format"),
        ("mul", {"a": "e4m3", "overflow": "wrap"}, "only fixed point wraps, not e4m3"),
        ("mul", {"a": "e2m1", "overflow": "nonfinite"}, "e2m1 has neither"),
        ("mul", {"a": "e4m3", "flags": "maybe"}, "flags=maybe: must be true or false"),
        ("cast", {"a": "fp32", "out": "e4m3", "rounding": "sr", "random_bits": 0}, "1 to 32"),
        ("cast", {"a": "fp32", "out": "fp64", "rounding": "sr"}, "at most 6 for fp64"),
        ("dot", {"a": "e4m3", "out": "fp16", "lanes": "0"}, "lanes=0: must be an integer from 1"),
        ("dot", {"a": "e4m3", "out": "fp16", "lanes": "x"}, "lanes=x: must be an integer"),
        ("dot", {"a": "e4m3", "out": "fp16", "lanes": 2.0}, "lanes=2.0: must be an integer"),
        (
            "dot",
            {"a": "e4m3", "out": "fp16", "accumulation": "aligned"},
            "must be exact, sequential",
        ),
        ("dot", {"a": "e4m3", "out": "fp16", "accumulation": "aligned(2)"}, "F from 4 to 256"),
        ("dot", {"a": "fp64", "out": "fp64", "accumulation": "aligned(60)"}, "too wide"),
        ("dot", {"a": "e4m3", "out": "fp16", "rounding": "dynamic"}, "takes one fixed direction"),
        ("dot", {"a": "e4m3", "out": "fp16", "flags": True}, "no parameter 'flags'"),
        ("mac", {"a": "e4m3", "out": "fp16", "acc": "wide"}, "acc=wide: unknown format"),
        ("mac", {"a": "e4m3", "out": "fp16", "acc": "fp32", "overflow": "wrap"}, "not fp32"),
        ("mac", {"a": "e4m3", "out": "fp16", "lanes": 8, "terms": 4}, "at least lanes=8"),
    ],
)
def test_bad_parameters_are_one_line(kind, parameters, message):
    with pytest.raises(SpecError, match=message.replace("(", r"\(").replace(")", r"\)")) as caught:
        unit(kind, **parameters)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ({"a": [1], "b": [1]}, "operand c is missing"),
        ({"a": [1], "b": [1], "c": [1], "d": [1]}, "no operand d; it has a, b, c"),
        ({"a": [256], "b": [1], "c": [1]}, "a: code 256 is out of range for e4m3, 8 bits"),
        ({"a": [-1], "b": [1], "c": [1]}, "a: code -1 is out of range"),
        ({"a": [1.0], "b": [1], "c": [1]}, "a: dtype float64"),
        ({"a": np.array([1], "f4"), "b": [1], "c": [1]}, "a: dtype float32"),
        ({"a": ["1"], "b": [1], "c": [1]}, "a: dtype <U1"),
        (
            {"a": [[1], [1, 2]], "b": [1], "c": [1]},
            "a: not an array of numbers: its rows have different lengths",
        ),
        ({"a": [], "b": [1], "c": [1]}, "a: dtype float64|a: empty array"),
        ({"a": np.zeros(0, np.uint8), "b": [1], "c": [1]}, "a: empty array"),
        ({"a": [1, 2], "b": [1, 2, 3], "c": [1]}, "shapes do not broadcast: a"),
    ],
)
def test_bad_codes_are_one_line(codes, message):
    with pytest.raises(CodeError, match=message) as caught:
        Fma(a=E4M3, out=FP16).evaluate(**codes)
    assert "\n" not in str(caught.value)


def test_bad_lanes_and_beats():
    dot = Dot(a=E4M3, out=FP16, lanes=4)
    with pytest.raises(CodeError, match="the last axis must have 4 lanes"):
        dot.evaluate(a=np.zeros((3, 5), np.uint8), b=np.zeros((3, 4), np.uint8), c=[0])
    mac = Mac(a=E4M3, out=FP16, terms=4)
    with pytest.raises(CodeError, match="the beats must be the only axis"):
        mac.evaluate(a=np.zeros((2, 2), np.uint8), b=[[0]], last=[[0]])
    with pytest.raises(CodeError, match="a sequence of 5 products exceeds terms=4"):
        mac.evaluate(a=np.zeros(5, np.uint8), b=[0], last=[0, 0, 0, 0, 1])


def test_evaluate_broadcasts_like_numpy():
    spec = Mul(a=E4M3)
    codes = np.arange(256, dtype=np.uint8)
    table = spec.evaluate(a=codes[:, None], b=codes)["r"]
    assert table.shape == (256, 256)
    assert table.dtype == np.uint8
    assert table[0x38].tolist()[:0x7F] == list(range(0x7F))  # times one
    assert np.array_equal(table, table.T)
    assert spec.evaluate(a=0x38, b=0x40)["r"] == 0x40
    dot = Dot(a=E4M3, out=FP16, lanes=3)
    result = dot.evaluate(a=np.zeros((5, 1, 3), np.uint8), b=[0, 0, 0], c=np.zeros(7, np.uint16))
    assert result["r"].shape == (5, 7)


def test_every_unit_is_documented_and_listed():
    assert {"mul", "add", "fma", "cast", "dot", "mac", "block-dot", "block-mac"} <= set(UNITS)
    for kind, cls in UNITS.items():
        assert cls.kind == kind
        assert "Parameters" in (cls.__doc__ or "")
