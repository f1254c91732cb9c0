# SPDX-License-Identifier: BSD-2-Clause
"""Sums of low-bit arrays: by hand, errors that shrink, and products rounded once."""

import numpy as np
import pytest

from macaw.golden import CodeError, SpecError, format, matmul, multipoint, side_by_side


def test_what_is_left_is_quantised_again():
    block = format("int4sym-k4-fp32")
    first, second = multipoint([7.0, 3.5, -2.3, 1.0], block, 2)
    assert first.dequantize().tolist() == [7.0, 4.0, -2.0, 1.0]
    # Of the rest, [0, -0.5, -0.3, 0], the largest is 7 of the second scale.
    scale = float(format("fp32").decode(second.scales)[0])
    assert scale == np.float32(0.5) / np.float32(7)
    assert format("int4sym").decode(second.elements).tolist() == [0, -7, -4, 0]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("binary-k32-fp16", {"scale_rule": "mean"}),
        ("ternary-k32-fp16", {"scale_rule": "mean", "order": "ct"}),
        ("int4sym-k32-fp16", {"scale_rule": "mse"}),
        ("uint4-k32-fp16-zuint4", {}),
        ("mxfp4", {}),
        ("nvfp4", {}),
    ],
)
def test_every_point_is_that_of_the_rest(name, options):
    values = np.random.default_rng(1).standard_normal((4, 64))
    block, left, errors = format(name), values, [1.0]
    for q in multipoint(values, block, 3, **options):
        wanted = block.quantize(left, **options)
        assert np.array_equal(q.elements, wanted.elements)
        assert np.array_equal(q.scales, wanted.scales)
        left = left - wanted.dequantize()
        errors.append(float(np.square(left).mean()))
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("name", ["int4sym-k8-fp16", "uint4-k8-e4m3-zuint4", "e2m1-k8-e8m0"])
@pytest.mark.parametrize("axis", [-1, 0])
def test_a_product_with_the_sum_is_rounded_once(name, axis):
    rng, fp32 = np.random.default_rng(2), format("fp32")
    weights = rng.standard_normal((3, 16))
    x = rng.integers(-128, 128, (16, 5)).astype(float)
    points = multipoint(weights if axis else weights.T, format(name), 3, axis=axis)
    both = side_by_side(points)
    tiled = np.concatenate([x] * 3)
    if axis:
        got = matmul(both, tiled, format_b="int8", acc="exact", out="fp32")
        exact = np.sum([q.dequantize() for q in points], 0) @ x
    else:
        got = matmul(tiled.T, both, format_a="int8", acc="exact", out="fp32")
        exact = x.T @ np.sum([q.dequantize() for q in points], 0)
    assert np.array_equal(fp32.decode(got), exact.astype(np.float32))


def test_one_point_is_quantisation_and_what_is_not_finite_stays():
    block = format("int4-k2-fp16")
    (q,) = multipoint([1.0, 2.0], block, 1)
    assert q.dequantize().tolist() == block.quantize([1.0, 2.0]).dequantize().tolist()
    for each in multipoint([[np.inf, 1.0], [3.0, 0.0]], block, 2):
        assert np.isnan(each.dequantize()[0]).all()
        assert np.isfinite(each.dequantize()[1]).all()
    assert multipoint(np.zeros((0, 2)), block, 2)[1].shape == (0, 2)


@pytest.mark.parametrize("points", [0, 17, 2.0, True])
def test_how_many_points_there_are(points):
    with pytest.raises(SpecError, match=r"points=.*: must be an integer from 1 to 16"):
        multipoint([1.0], format("int4-k2-fp16"), points)


def test_what_does_not_stand_side_by_side():
    block = format("int4-k4-fp16")
    with pytest.raises(CodeError, match="points: there are none"):
        side_by_side(())
    mixed = (block.quantize(np.ones(4)), block.quantize(np.ones(8)))
    with pytest.raises(CodeError, match="points: must have one format, one axis and one shape"):
        side_by_side(mixed)
    for name, size in (("int4-k4-fp16", 6), ("nvfp4", 16), ("int4-tensor-fp16", 4)):
        with pytest.raises(CodeError, match=f"points: {name} along an axis of {size} has not"):
            side_by_side(multipoint(np.ones(size), format(name), 2))
