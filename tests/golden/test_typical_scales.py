# SPDX-License-Identifier: BSD-2-Clause
"""Scales of the mean or the median: BitNet's ternary weights, signs, small integers."""

import numpy as np
import pytest

from macaw.golden import CodeError, SpecError, format, unit
from macaw.sim.proof.outsiders import blocks

NAMES = ("ternary-k32-fp32", "binary-k16-fp16", "uint1-k5-bf16", "int4sym-k7-fp32", "e2m1-k8-ue4m3")


@pytest.mark.parametrize("rule", ["mean", "median"])
@pytest.mark.parametrize("name", NAMES)
def test_fractions(name, rule):
    for order in ("paper", "ct", "exact"):
        assert blocks.by_fractions(name, 70, scale_rule=rule, order=order) >= 70


def test_ternary_weights_are_bitnets():
    """arXiv 2402.17764, equations 1 to 3: round and clip W over its mean magnitude."""
    weights = np.random.default_rng(1).standard_normal((64, 48)).astype(np.float32)
    q = format("ternary-tensor-fp32").quantize(weights, scale_rule="mean", order="ct")
    scale = np.float32(np.abs(weights).astype(np.float64).mean())
    assert float(format("fp32").decode(q.scales)) == pytest.approx(float(scale), rel=2**-23)
    gamma = format("fp32").decode(q.scales)
    wanted = np.clip(np.rint(weights / gamma), -1, 1)
    assert np.array_equal(q.dequantize(), wanted * gamma)
    assert {-1.0, 0.0, 1.0} == set(format("ternary").decode(q.elements).ravel().tolist())


def test_the_mean_and_the_median_by_hand():
    values = [1.0, -2.0, 3.0, 10.0]
    for rule, scale in (("mean", 4.0), ("median", 2.5)):
        q = format("ternary-k4-fp32").quantize(values, scale_rule=rule)
        assert format("fp32").decode(q.scales).tolist() == [scale]
    q = format("int4sym-k4-fp32").quantize(values, scale_rule="mean")
    assert format("fp32").decode(q.scales) == np.float32(4) / np.float32(np.sqrt(7.0))


def test_signs_have_their_mean_magnitude():
    """XNOR-Net and BiBERT: a zero counts as positive, a negative zero as negative."""
    q = format("binary-k4-fp32").quantize([0.5, -1.5, 0.0, -0.0], scale_rule="mean")
    assert q.dequantize().tolist() == [0.5, -0.5, 0.5, -0.5]


@pytest.mark.parametrize("name", NAMES)
def test_centred_values_by_fractions(name):
    for options in ({"order": "ct"}, {"scale_rule": "median", "rounding": "rdn"}):
        given = {"scale_rule": "mean", "centred": True, **options}
        assert blocks.by_fractions(name, 35, **given) >= 35


def test_bibert_centres_its_weights():
    """sign(W - mean W), and the mean magnitude of W as it is."""
    weights = np.random.default_rng(4).standard_normal((8, 64)).astype(np.float32) + np.float32(0.5)
    q = format("binary-k64-fp32").quantize(weights, scale_rule="mean", centred=True)
    signs = np.sign(weights - weights.mean(1, keepdims=True, dtype=np.float64))
    scales = format("fp32").decode(q.scales)
    assert np.array_equal(q.dequantize(), signs * scales)
    plain = format("binary-k64-fp32").quantize(weights, scale_rule="mean")
    assert np.array_equal(q.scales, plain.scales)
    assert not np.array_equal(q.elements, plain.elements)


def test_what_is_centred_by_hand():
    q = format("ternary-k4-fp32").quantize([3.0, 5.0, 4.0, 4.0], scale_rule="mean", centred=True)
    assert q.dequantize().tolist() == [0.0] * 4  # 1 of 4 rounds to 0
    q = format("binary-k2-fp32").quantize([1.0, 3.0], scale_rule="mean", centred=True)
    assert q.dequantize().tolist() == [-2.0, 2.0]


def test_centred_values_stay_finite():
    top = float(np.finfo(np.float32).max)
    values = [[top, -top, -top, -top], [0.0, 0.0, -0.0, np.nan]]
    q = format("binary-k4-fp32").quantize(values, scale_rule="mean", centred=True)
    assert q.dequantize()[0].tolist() == [top, -top, -top, -top]
    assert np.isnan(q.dequantize()[1]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"centred": True}, "centred=true: is for scale_rule=mean or median, not floor"),
        ({"centred": True, "scale_rule": "mse"}, "centred=true: is for scale_rule=mean or median"),
        ({"centred": 1, "scale_rule": "mean"}, "centred=1: must be true or false"),
    ],
)
def test_what_is_not_centred(options, message):
    with pytest.raises(SpecError, match=message):
        format("binary-k4-fp16").quantize(np.ones(4), **options)


def test_attention_is_one_where_it_is_positive():
    """BiBERT's {0, 1}: the sign, and 0 for what is not positive. Rounded up it is uint1."""
    codes = format("uint1").encode(np.array([-1.0, -0.0, 0.0, 1e-30, 0.3, 5.0]), rounding="rup")
    assert codes.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_takes_its_block(bad):
    q = format("ternary-k2-fp16").quantize([[1.0, bad], [2.0, 4.0]], scale_rule="mean")
    assert np.isnan(q.dequantize()[0]).all()
    assert q.dequantize()[1].tolist() == [3.0, 3.0]


def test_zeros_stay_zeros():
    for rule in ("mean", "median"):
        q = format("ternary-k4-fp16").quantize(np.zeros(4), scale_rule=rule)
        assert q.dequantize().tolist() == [0.0] * 4


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mxfp4", "scale_rule=mean: the scales of mxfp4 are powers of two; choose floor, ceil"),
        ("nvfp4", "scale_rule=mean: nvfp4 has a second scale, which follows from the largest"),
        ("uint4-k16-fp16-zuint4", "scale_rule=mean: .* has a zero point, which follows from"),
    ],
)
def test_formats_that_have_no_mean(name, message):
    with pytest.raises(SpecError, match=message):
        format(name).quantize(np.ones(32), scale_rule="mean")


def test_short_blocks_have_no_mean():
    with pytest.raises(CodeError, match="axis 0 of 5 is not whole blocks of 4, over which scale"):
        format("ternary-k4-fp16").quantize(np.ones(5), scale_rule="mean")
    with pytest.raises(CodeError, match=r"values: of an empty array of shape \(0,\) there is no"):
        format("ternary-tensor-fp16").quantize(np.ones(0), scale_rule="median")


def test_gates_find_the_largest_only():
    with pytest.raises(SpecError, match="scale_rule=mean: block-quantize has floor, ceil, rceil"):
        unit("block-quantize", a="bf16", out="ternary-k4-fp16", scale_rule="mean")
