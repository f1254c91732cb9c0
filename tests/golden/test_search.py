# SPDX-License-Identifier: BSD-2-Clause
"""Scales of the least squared error: grids, searches by hand, and the fractions' judgement."""

from fractions import Fraction

import numpy as np
import pytest

from macaw.golden import SpecError, format, unit
from macaw.golden.arithmetic.search.grid import Grid, nearest
from macaw.golden.arithmetic.search.least_squares import least_squares, tree_sum
from macaw.sim.proof.outsiders import blocks
from macaw.sim.proof.reference.arithmetic.block_scales import factors

GPTQ = "linear(1,0.21,79)"


@pytest.mark.parametrize(
    "text",
    [
        GPTQ,
        "linear(1,0.55,9)",
        "linear(1,1.5,1)",
        "geometric(1.5,1/3,40)",
        "geometric(0.015625,64,7)",
    ],
)
def test_grids_read_back_and_are_those_of_fractions(text):
    grid = Grid.parse(f" {text.upper()} ")
    assert str(grid) == text
    assert Grid.parse(str(grid)) == Grid.parse(grid) == grid
    assert [Fraction(float(x)) for x in grid.factors] == [*factors(text)]
    assert len(grid.factors) == grid.steps + 1


def test_the_usual_grid_is_gptqs():
    """find_params of GPTQ: ``p = 1 - i / grid`` for i below ``maxshrink * grid``."""
    usual = [np.float32(1 - i / 100) for i in range(int(0.8 * 100))]
    assert [*Grid.parse(GPTQ).factors] == usual


def test_equal_steps_of_a_bias_are_equal_ratios_of_scales():
    """LLM-FP4: scales ``2**-b`` of biases ``b (α + i (β - α) / n)``, over that of b itself."""
    b, low, high, n = 6.0, 0.5, 1.5, 8
    biases = [b * (low + i * (high - low) / n) for i in range(n + 1)]
    grid = Grid.parse(f"geometric({2 ** (b - b * low)},{Fraction(2) ** -3},{n})")
    assert [*grid.factors] == pytest.approx([2 ** (b - each) for each in biases], rel=2**-23)


def test_fp32_is_rounded_to_once():
    tie = 1 + Fraction(1, 1 << 24)
    above = tie + Fraction(1, 1 << 80)
    assert (nearest(tie), nearest(above)) == (np.float32(1), np.float32(1 + 2**-23))
    assert nearest(tie + Fraction(1, 1 << 23)) == np.float32(1 + 2**-22)


@pytest.mark.parametrize(
    "bad",
    ["", "linear", "linear(1,2)", "linear(0,1,5)", "linear(1,65,5)", "linear(1,2,0)",
     "linear(1,2,1025)", "linear(x,2,3)", "linear(1,1/0,3)", "geometric(-1,1,3)", 7],
)  # fmt: skip
def test_what_is_no_grid(bad):
    with pytest.raises(SpecError, match=r"grid=.*: must be linear\(start,end,steps\) or geometric"):
        format("int4sym-k4-fp16").quantize(np.ones(4), scale_rule="mse", grid=bad)


@pytest.mark.parametrize("number", range(5))
def test_fractions(number):
    name = blocks.SEARCHED[number]
    options = [*blocks.search_options(name)]
    for each in (options[number], options[(number + 2) % len(options)]):
        assert blocks.by_fractions(name, 7, **each) >= 7


@pytest.mark.parametrize(
    ("values", "options", "elements", "scale"),
    [
        ([1.0, 2.0, 3.0, 7.0], {}, [1, 2, 3, 7], 1.0),
        # By a scale of 1 the last is off by 1, by one of 8/7 the others by 1/7.
        ([1.0, 1.0, 1.0, 8.0], {"grid": "linear(1,0.875,1)"}, [1, 1, 1, 7], 8 / 7),
        ([1.0] * 63 + [8.0], {"grid": "linear(1,0.875,1)"}, [1] * 63 + [7], 1.0),
        # Both are exact: the first is taken, and in the other order the other.
        ([2.0, 4.0, -6.0, 0.0], {"grid": "linear(7/6,7/3,1)"}, [2, 4, -6, 0], 1.0),
        ([2.0, 4.0, -6.0, 0.0], {"grid": "linear(7/3,7/6,1)"}, [1, 2, -3, 0], 2.0),
        ([0.0, 0.0], {}, [0, 0], 0.0),
    ],
)
def test_by_hand(values, options, elements, scale):
    block = format(f"int4sym-k{len(values)}-fp32")
    q = block.quantize(values, scale_rule="mse", order="exact", **options)
    assert block.element.decode(q.elements).tolist() == elements
    assert block.scale.decode(q.scales).tolist() == pytest.approx([scale], rel=2**-22)


def test_four_over_six():
    """E2M1 mapped to 4 has 3 where mapped to 6 it has a gap from 4 to 6: Transformer Engine."""
    options = {"scale_rule": "mse", "grid": "linear(1,1.5,1)", "order": "exact"}
    block = format("e2m1-k4-fp32")
    assert block.quantize([6.0, 5.0, 5.0, 5.0], **options).scales == format("fp32").encode(1.5)
    assert block.quantize([6.0, 4.0, 3.0, 0.5], **options).scales == format("fp32").encode(1.0)


@pytest.mark.parametrize(
    "name", ["int4sym-k128-fp16", "uint4-k128-fp16-zuint4", "e2m1-k128-fp16", "nvfp4"]
)
def test_no_block_is_worse_than_by_its_largest(name):
    values = np.random.default_rng(1).standard_t(3, (20, 128)).astype(np.float32)
    block = format(name)
    errors = []
    for options in ({}, {"scale_rule": "mse"}):
        error = (values - block.quantize(values, **options).dequantize()) ** 2
        errors.append(error.reshape(-1, block.size).sum(1))
    assert (errors[1] <= errors[0] * (1 + 2**-40)).all()
    assert errors[1].sum() < errors[0].sum()


def test_groups_shrink_from_both_ends():
    """GPTQ's search: lowest and largest value, and so the zero point, by the same factor."""
    values = np.append(np.random.default_rng(3).uniform(-1.5, 15.0, 1022), [30.0, -3.0])
    block = format("uint4-k1024-fp32-zuint4")
    q = block.quantize(values, scale_rule="mse", grid="linear(1,0.5,1)", order="ct")
    found = block.quantize(np.append(np.zeros(1022), [15.0, -1.5]), order="ct")
    assert q.scales == found.scales
    assert q.zeros is not None
    assert q.zeros.tolist() == [1]


def test_order_of_sums():
    values = np.random.default_rng(2).standard_normal((5, 6))
    tree = [((r[0] + r[4]) + r[2]) + ((r[1] + r[5]) + r[3]) for r in values]
    assert tree_sum(values).tolist() == tree
    assert tree_sum(np.zeros((2, 0))).tolist() == [0, 0]


def test_of_equal_errors_the_first_is_kept():
    def attempt(factor: np.float32):
        return (np.full(2, factor),), np.array([[factor, 0.0], [3.0, 0.0]])

    factors = np.array([2.0, 0.0, 1.0], np.float32)
    kept = least_squares(np.array([[1.0, 0.0], [3.0, 0.0]]), factors, attempt)
    assert kept[0].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
@pytest.mark.parametrize("name", ["int4-k2-fp16", "uint4-k2-fp16-zuint4"])
def test_what_is_not_finite_takes_its_block(name, bad):
    q = format(name).quantize([[1.0, bad], [2.0, 4.0]], scale_rule="mse")
    assert np.isnan(q.dequantize()[0]).all()
    assert np.isfinite(q.dequantize()[1]).all()


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0,)])
def test_nothing_is_searched(shape):
    assert format("int4-k4-fp16").quantize(np.zeros(shape), scale_rule="mse").shape == shape


def test_far_numbers_stay_finite():
    top = np.finfo(np.float32).max
    for name in ("int4sym-k2-fp32", "uint4-k2-fp32-zuint4"):
        q = format(name).quantize([[top, -top], [1e-45, 0.0]], scale_rule="mse")
        assert np.isfinite(q.dequantize()).all()
    short = format("int4sym-k4-fp16").quantize(np.ones(5), scale_rule="mse")
    assert short.dequantize().tolist() == pytest.approx([1.0] * 5, rel=2**-10)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mxfp4", {"scale_rule": "mse"}, "scale_rule=mse: the scales of mxfp4 are powers of two"),
        ("int4-k32-fp16", {"grid": GPTQ}, r"grid=linear\(1,0.21,79\): is for scale_rule=mse, not"),
    ],
)
def test_options_that_do_not_go_together(name, options, message):
    with pytest.raises(SpecError, match=message):
        format(name).quantize(np.ones(32), **options)


def test_gates_search_for_nothing():
    with pytest.raises(SpecError, match="scale_rule=mse: block-quantize has floor, ceil, rceil"):
        unit("block-quantize", a="bf16", out="int4-k4-fp16", scale_rule="mse")
