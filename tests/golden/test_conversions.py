# SPDX-License-Identifier: BSD-2-Clause
"""Blocks in and out, and the Hadamard transform, as units: cases by hand, names, and refusals."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from macaw.golden import BLOCKS, CodeError, SpecError, format, unit
from macaw.golden.arithmetic.butterfly import TE_SIGNS
from macaw.golden.tensors.quantized import quantize
from macaw.golden.tensors.rotation import hadamard
from macaw.sim.proof.outsiders.check import by_reference

FP32, BF16, E2M1 = (format(name) for name in ("fp32", "bf16", "e2m1"))
ONE = FP32.encode(1.0)

NAMES = [
    ("block-quantize", {"a": "bf16", "out": "mxfp4"}, "block_quantize_bf16_mxfp4"),
    (
        "block-quantize",
        {"a": "fp32", "out": "mxint8", "size": 8, "scale_rule": "rceil", "rounding": "sr"},
        "block_quantize_fp32_mxint8_k8_rceil_sr",
    ),
    (
        "block-quantize",
        {"a": "bf16", "out": "nvfp4", "order": "torchao", "min_scale": "torchao"},
        "block_quantize_bf16_nvfp4_torchao_min_torchao",
    ),
    (
        "block-quantize",
        {"a": "bf16", "out": "nvfp4", "rounding": "sr"},
        "block_quantize_bf16_nvfp4_sr8",
    ),
    ("block-quantize", {"a": "fp16", "out": "dfp16"}, "block_quantize_fp16_dfp16"),
    ("block-dequantize", {"a": "nvfp4", "out": "bf16"}, "block_dequantize_nvfp4_bf16"),
    (
        "block-dequantize",
        {"a": "mxfp4", "out": "e5m2", "size": 4, "overflow": "saturate", "rounding": "rtz"},
        "block_dequantize_mxfp4_e5m2_k4_rtz_saturate",
    ),
    ("hadamard", {"a": "bf16"}, "hadamard16_bf16"),
    (
        "hadamard",
        {"a": "bf16", "out": "e4m3", "signs": "te", "accumulation": "aligned(20)"},
        "hadamard16_bf16_e4m3_sd7e8_aligned20",
    ),
]


@pytest.mark.parametrize(("kind", "parameters", "name"), NAMES, ids=lambda x: str(x)[:40])
def test_names_and_parameters_read_back(kind: str, parameters: dict[str, Any], name: str):
    spec = unit(kind, **parameters)
    assert (spec.name, spec.macs) == (name, 0)
    assert name.isidentifier()
    assert unit(kind, **spec.parameters) == spec
    words = {key: str(value).lower() for key, value in spec.parameters.items()}
    assert unit(kind, **words) == spec
    assert hash(spec) == hash(unit(kind, **spec.parameters))


@pytest.mark.parametrize(
    ("kind", "parameters", "message"),
    [
        ("block-quantize", {"a": "bf16"}, "parameter out is missing"),
        ("block-quantize", {"out": "mxfp4"}, "parameter a is missing"),
        ("block-quantize", {"a": "bf16", "out": "e4m3"}, "out=e4m3: must be a block format"),
        ("block-quantize", {"a": "int8", "out": "mxfp4"}, "a=int8: must be a float format"),
        ("block-quantize", {"a": "mxfp4", "out": "mxfp4"}, "a=mxfp4: must be a scalar format"),
        ("block-quantize", {"a": "bf16", "out": "mxfp4", "size": 0}, "size=0: must be an integer"),
        (
            "block-quantize",
            {"a": "bf16", "out": "mxfp4", "size": "x"},
            "size=x: must be an integer",
        ),
        ("block-quantize", {"a": "bf16", "out": "mxfp4", "order": "te"}, "order=te: the scales of"),
        ("block-quantize", {"a": "bf16", "out": "nvfp4", "scale_rule": "ceil"}, "scale_rule=ceil"),
        ("block-quantize", {"a": "fp64", "out": "nvfp4"}, "a=fp64: nvfp4 takes numbers that fp32"),
        (
            "block-quantize",
            {"a": "bf16", "out": "mxfp4", "overflow": "wrap"},
            "overflow=wrap: must be saturate",
        ),
        (
            "block-quantize",
            {"a": "bf16", "out": "mxfp4", "rounding": "dynamic"},
            "rounding=dynamic: block-quantize takes one fixed direction",
        ),
        ("block-dequantize", {"a": "bf16", "out": "bf16"}, "a=bf16: must be a block format"),
        ("block-dequantize", {"a": "mxfp4"}, "parameter out is missing"),
        ("block-dequantize", {"a": "fx64.0-k4-fp32", "out": "fp32"}, "more than 64 bits"),
        ("hadamard", {"a": "bf16", "size": 24}, "size=24: must be a power of two"),
        ("hadamard", {"a": "bf16", "size": 256}, "size=256: must be an integer from 2 to 128"),
        ("hadamard", {"a": "bf16", "signs": "mine"}, "signs=mine: must be one of none, te"),
        (
            "hadamard",
            {"a": "bf16", "size": 8, "signs": "te"},
            "signs=te: these are the signs of 16",
        ),
        ("hadamard", {"a": "bf16", "size": 2, "signs": 4}, "signs=4: must be an integer from 0 to"),
        ("hadamard", {"a": "bf16", "accumulation": "aligned(3)"}, "must be exact or aligned"),
    ],
)
def test_refusals(kind: str, parameters: dict[str, Any], message: str):
    with pytest.raises(SpecError) as error:
        unit(kind, **parameters)
    assert message in str(error.value)


def test_quantize_mxfp4_by_hand():
    """OCP MX 1.0, 6.3: amax 7 has the exponent 2, E2M1's emax is 2, so the scale is 1."""
    spec = unit("block-quantize", a="bf16", out="mxfp4", size=4)
    values = [[7.0, -2.5, 0.25, -0.0], [14.0, 3.5, -0.1, 1.0], [0.0, -0.0, 0.0, 0.0]]
    values.append([1.0, np.nan, 2.0, 3.0])
    values.append([-np.inf, 1.0, 2.0, 3.0])
    results = spec.evaluate(a=BF16.encode(np.array(values)))
    assert results["scale"].tolist() == [127, 128, 0, 255, 255]
    elements = E2M1.decode(results["r"][:2]).tolist()
    assert elements == [[6.0, -2.0, 0.0, 0.0], [6.0, 2.0, -0.0, 0.5]]
    assert results["r"][0, 3] == 0x8
    assert not results["r"][2:].any()


def test_quantize_rules_by_hand():
    """amax 7: the next power of two is 8; 7 > 6, so rceil takes 2; 7 is 1.75 * 4 (even adds)."""
    codes = BF16.encode(np.array([7.0, 1.0]))
    for rule, scale in (("floor", 127), ("ceil", 128), ("rceil", 128), ("even", 128)):
        spec = unit("block-quantize", a="bf16", out="mxfp4", size=2, scale_rule=rule)
        assert spec.evaluate(a=codes)["scale"] == scale, rule


def test_quantize_nvfp4_by_hand():
    """Paper's order with encoding scale 1: amax 12 / 6 = 2, and 3 / 2 = 1.5."""
    spec = unit("block-quantize", a="bf16", out="nvfp4", size=4)
    codes = BF16.encode(np.array([12.0, 3.0, -2.0, 0.0]))
    results = spec.evaluate(a=codes, encode=ONE, decode=ONE)
    assert format("ue4m3").decode(results["scale"]) == 2.0
    assert E2M1.decode(results["r"]).tolist() == [6.0, 1.5, -1.0, 0.0]


@pytest.mark.parametrize("order", ["paper", "ct", "torchao", "te", "exact"])
def test_amax_over_a_largest_element_below_one(order: str):
    """Beyond fp32 it is infinite there: the scale is the largest, small as the tensor's may be."""
    spec = unit("block-quantize", a="bf16", out="fx7.6-k2-e5m2-fp32", size=2, order=order)
    codes = {
        "a": np.array([[0xFEFF, 0x7F7E]], np.uint16),
        "encode": np.array([0x02424C56], np.uint32),
        "decode": np.array([0x7CA8A5EA], np.uint32),
    }
    assert by_reference(spec, codes) == 1
    largest, found = format("e5m2").max_code, spec.evaluate(**codes)
    infinite = order in ("paper", "ct", "torchao")
    assert (found["scale"].tolist() == [largest]) == infinite
    assert (found["r"].tolist() == [[0, 0]]) == infinite


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.inf, np.nan])
@pytest.mark.parametrize("operand", ["encode", "decode"])
def test_tensor_scales_that_are_none(operand: str, wrong: float):
    spec = unit("block-quantize", a="bf16", out="nvfp4", size=2)
    tensor = {"encode": ONE, "decode": ONE, operand: FP32.encode(wrong)}
    results = spec.evaluate(a=BF16.encode(np.array([1.0, 2.0])), **tensor)
    assert results["scale"] == 0x7F
    assert not results["r"].any()


@pytest.mark.parametrize("name", BLOCKS)
def test_quantize_is_that_of_arrays(name: str):
    """One block a row of a tensor, with that tensor's scales."""
    block = BLOCKS[name]
    values = np.random.default_rng(5).standard_t(3, (1, 24)).astype(np.float32)
    spec = unit("block-quantize", a="fp32", out=name, size=24)
    line = format(block.spelling.replace("tensor", "k24")) if block.size is None else block
    row = type(block)(
        element=line.element, scale=line.scale, size=24, second_scale=line.second_scale
    )
    whole = quantize(row, values)
    tensor = {}
    if block.second_scale is not None:
        largest = np.float32(block.element.max * block.scale.max)
        encode = largest / np.abs(values).max()
        tensor = {"encode": FP32.encode(encode), "decode": FP32.encode(np.float32(1) / encode)}
    results = spec.evaluate(a=values.view(np.uint32), **tensor)
    assert np.array_equal(results["r"], whole.elements)
    assert np.array_equal(results["scale"], whole.scales[:, 0])


def test_stochastic_words_decide():
    """0.75 lies halfway between 0.5 and 1: 8 bits of 128 and more round it up."""
    spec = unit("block-quantize", a="bf16", out="mxfp4", size=3, rounding="sr")
    codes = BF16.encode(np.array([4.0, 0.75, 0.75]))
    results = spec.evaluate(a=codes, random=np.array([255, 127, 128]))
    assert E2M1.decode(results["r"]).tolist() == [4.0, 0.5, 1.0]
    with pytest.raises(CodeError, match="operand random is missing"):
        spec.evaluate(a=codes)


def test_dequantize_by_hand():
    """OCP MX 1.0, 5: a NaN scale makes all values NaN; the least scale is 2**-127."""
    spec = unit("block-dequantize", a="mxfp4", out="fp32", size=4)
    codes = np.array([[1, 2, 7, 15]] * 4)
    results = spec.evaluate(a=codes, a_scale=np.array([127, 130, 0, 255]))
    values = FP32.decode(results["r"])
    assert values[0].tolist() == [0.5, 1.0, 6.0, -6.0]
    assert values[1].tolist() == [4.0, 8.0, 48.0, -48.0]
    assert values[2].tolist() == [v * 2.0**-127 for v in (0.5, 1.0, 6.0, -6.0)]
    assert np.isnan(values[3]).all()


def test_dequantize_rounds_once():
    """1.984375 * 1.125 = 2.232421875 lies between e4m3's 2.25 and 2."""
    spec = unit("block-dequantize", a="fx8.6sym-k1-ue4m3", out="e4m3", size=1)
    scale = format("ue4m3").encode(1.125)
    result = spec.evaluate(a=[[127]], a_scale=scale)["r"]
    assert format("e4m3").decode(result).tolist() == [[2.25]]


@pytest.mark.parametrize("name", BLOCKS)
def test_quantized_blocks_come_back(name: str):
    """What a block holds, it keeps: dequantised, and quantised again by the same scale."""
    block = BLOCKS[name]
    codes = np.arange(1 << min(block.element.width, 8), dtype=np.uint64)[None]
    spec = unit("block-dequantize", a=name, out="fp32", size=codes.shape[1])
    scale = block.scale.encode(1.0)
    values = FP32.decode(spec.evaluate(a=codes, a_scale=scale)["r"])
    expected = block.element.decode(codes.astype(block.element.code_dtype))
    assert np.array_equal(values, expected, equal_nan=True)


def test_hadamard_by_hand():
    """Sylvester's matrix of four, halved."""
    spec = unit("hadamard", a="bf16", size=4)
    result = BF16.decode(spec.evaluate(a=BF16.encode(np.array([1.0, 2.0, 3.0, 4.0])))["r"])
    assert result.tolist() == [5.0, -1.0, -2.0, 0.0]
    spec = unit("hadamard", a="bf16", size=4, signs=0b0010)
    result = BF16.decode(spec.evaluate(a=BF16.encode(np.array([1.0, 2.0, 3.0, 4.0])))["r"])
    assert result.tolist() == [3.0, 1.0, -4.0, 2.0]


def test_hadamard_specials_and_zeros():
    spec = unit("hadamard", a="fp16", size=2)
    fmt = spec.a
    rows = [[-0.0, -0.0], [-0.0, 0.0], [0.0, -0.0], [np.inf, 1.0], [np.inf, np.inf]]
    rows.append([np.nan, 1.0])
    result = fmt.decode(spec.evaluate(a=fmt.encode(np.array(rows)))["r"])
    assert np.signbit(result[:3]).tolist() == [[True, False], [False, True], [False, False]]
    assert result[3].tolist() == [np.inf, np.inf]
    assert result[4][0] == np.inf
    assert np.isnan(result[4][1])
    assert np.isnan(result[5]).all()


def test_hadamard_is_that_of_arrays():
    """Size 16 with Transformer Engine's signs: exact in fp32 where the values have few bits."""
    values = np.random.default_rng(2).integers(-100, 100, (50, 16)) / 8
    spec = unit("hadamard", a="fp32", size=16, signs="te")
    result = FP32.decode(spec.evaluate(a=FP32.encode(values))["r"])
    assert np.array_equal(result, hadamard(values, 16, signs=np.array(TE_SIGNS)))


@pytest.mark.parametrize(("a", "out", "size"), [("e5m2", "fp16", 8), ("fp32", "fp32", 4)])
@pytest.mark.parametrize("accumulation", ["exact", "aligned(9)"])
def test_hadamard_against_fractions(a: str, out: str, size: int, accumulation: str):
    spec = unit("hadamard", a=a, out=out, size=size, accumulation=accumulation, signs=5)
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 1 << spec.a.width, (100, size)).astype(spec.a.code_dtype)
    values = spec.a.decode(codes)
    keep = np.isfinite(values).all(1)
    codes, values = codes[keep], values[keep]
    got = spec.evaluate(a=codes)["r"]
    for row, results in zip(values, got, strict=True):
        terms = [Fraction(x) * (-1) ** (5 >> j & 1) for j, x in enumerate(row)]
        if accumulation != "exact" and any(terms):
            fields = [max(np.frexp(x)[1] - 1, spec.a.emin) for x in row if x]
            last = Fraction(2) ** int(max(fields) - 9)
            terms = [int(term / last) * last for term in terms]
        for i, code in enumerate(results):
            total = sum(t * (-1) ** (i & j).bit_count() for j, t in enumerate(terms))
            wanted = spec.out.encode(np.array([total / 2**spec.shift], object))
            if total:
                assert code == wanted[0]
            else:
                assert spec.out.decode(code) == 0
