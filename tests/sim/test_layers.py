# SPDX-License-Identifier: BSD-2-Clause
"""Layers as beats of a pipeline: its golden model, and its gates, give the layer's integers."""

from dataclasses import replace

import numpy as np
import pytest

from macaw.golden import CodeError, SpecError, format, unit
from macaw.golden.arithmetic.dyadic import FORMS
from macaw.golden.tensors.integer_layers import Layer, clamp, export_residual, residual_add
from macaw.sim.bench.bulk import TRAFFIC
from macaw.sim.layers import LayerPipeline, LayerSimulation, PoolSimulation, Residual

RANDOM = np.random.default_rng(11)
ANY = -(2**7), 2**7


def layer(shape: tuple[int, ...], weight: str = "int8", **options) -> Layer:
    """Random weights of a format; multipliers that use the range of int8."""
    fmt = format(weight)
    codes = RANDOM.integers(0, 1 << fmt.width, shape)
    outputs = shape[0]
    return Layer(
        weight=fmt.decode(codes).astype(np.int16),
        bias=RANDOM.integers(-3000, 3000, outputs),
        multiplier=RANDOM.integers(2**30, 2**31, outputs),
        shift=RANDOM.integers(-9, -5, outputs),
        **options,
    )


def expected(pipeline: LayerPipeline, made: Layer, x: np.ndarray) -> np.ndarray:
    codes = pipeline.beats(made, x)
    return pipeline.results(made, x, pipeline.unit.evaluate(**codes)["r"])


@pytest.mark.parametrize("weight", ["int8", "int4", "ternary", "binary", "shift4", "power3"])
def test_dense_layers(weight: str):
    made = layer((5, 21), weight, x_zero=-7, zero_point=3, profile="tflite_double")
    x = RANDOM.integers(*ANY, (4, 21))
    pipeline = LayerPipeline(weight=weight, profile="tflite_double", lanes=4, channels=5)
    assert np.array_equal(expected(pipeline, made, x), made(x))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": "same", "low": -20},
        {"padding": "same", "stride": 2},
        {"padding": 1, "stride": (2, 1), "high": 50},
        {"padding": ((0, 2), (1, 0))},
        {"padding": "valid"},
    ],
)
def test_convolutions(options: dict):
    made = layer((3, 3, 2, 4), x_zero=-128, zero_point=-128, profile="hawq", **options)
    x = RANDOM.integers(*ANY, (2, 6, 5, 4))
    pipeline = LayerPipeline(profile="hawq", lanes=5, channels=4)
    assert np.array_equal(expected(pipeline, made, x), made(x))


@pytest.mark.parametrize("form", FORMS)
def test_gates_of_a_residual_layer(form: str):
    """A convolution and a dense layer through the same gates, with pauses."""
    convolution = layer((4, 3, 3, 4), padding="same", x_zero=5, zero_point=-3)
    x = RANDOM.integers(*ANY, (2, 4, 4, 4)).astype(np.int8)
    multiplier, shift = export_residual(0.03, 0.011, 0.027, form=form)
    residual = Residual(
        multiplier=multiplier, shift=shift, a_zero=-3, b_zero=5, zero_point=-128, low=-90
    )
    want = residual_add(
        convolution(x), x, multiplier, shift, a_zero=-3, b_zero=5, zero_point=-128, form=form
    )
    pipeline = LayerPipeline(residual=form, channels=4)
    gates = LayerSimulation.open(pipeline, flow="stream", stages=5)
    found = gates.run(convolution, x, x, residual, traffic=TRAFFIC[2])
    assert np.array_equal(found, clamp(want, -90))
    dense = layer((4, 9))
    flat, other = RANDOM.integers(*ANY, (6, 9)), RANDOM.integers(*ANY, (6, 4))
    whole = replace(residual, low=None)
    found = gates.run(dense, flat, other, whole, traffic=TRAFFIC[3])
    want = residual_add(
        dense(flat), other, multiplier, shift, a_zero=-3, b_zero=5, zero_point=-128, form=form
    )
    assert np.array_equal(found, want)
    # Each run writes its parameters, a beat for each output.
    assert gates.beats == 2 * (16 * 4 * 5) + 4 + 6 * 4 * 2 + 4


def test_layers_take_integers_in_range():
    pool = PoolSimulation(unit=unit("average-pool"), model=None)  # type: ignore[arg-type]
    with pytest.raises(CodeError, match=r"x\[0, 1, 0, 0\]=128: must be from -128 to 127, in int8"):
        pool.run(np.array([[[[1]], [[128]]]]), 1)
    with pytest.raises(CodeError, match=r"x: shape \(2,\): must be \(batch, height"):
        pool.run(np.array([1, 2]), 1)
    with pytest.raises(CodeError, match="x: dtype float64 where integers are wanted"):
        LayerPipeline().beats(layer((4, 3)), np.ones((1, 3)))
    with pytest.raises(CodeError, match=r"a\[4, 0\]=200: must be from -128 to 127, in int8"):
        LayerPipeline(lanes=3).beats(layer((4, 3)), np.full((1, 3), 200))


def test_gates_of_means():
    x = RANDOM.integers(*ANY, (3, 4, 6, 5)).astype(np.int8)
    found = PoolSimulation.open(4, flow="stream", stages=1).run(x, 2, traffic=TRAFFIC[1])
    for place in np.ndindex(found.shape):
        n, i, j, c = place
        total = int(x[n, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, c].sum())
        assert found[place] == (abs(total) + 2) // 4 * (1 if total > 0 else -1)


@pytest.mark.parametrize(
    ("options", "parameters", "message"),
    [
        ({"groups": 2}, {}, "groups=2, dilation=1: must be 1"),
        ({"profile": "hawq"}, {}, "profile=hawq: the pipeline has"),
        ({}, {"channels": 2}, "channels=2: the layer has 4 outputs"),
        ({"weight_zero": 1}, {}, "weight_zero: must be 0"),
        ({}, {"weight": "int4"}, "weight=int4: the layer has a weight of"),
        ({}, {"residual": "single"}, "residual=single: the pipeline takes another"),
    ],
)
def test_layers_that_do_not_fit(options: dict, parameters: dict, message: str):
    made = layer((4, 3, 3, 4), **options)
    with pytest.raises(SpecError, match=message):
        LayerPipeline(**parameters).beats(made, np.zeros((1, 4, 4, 4), np.int8))


def test_residuals_that_do_not_fit():
    made, x = layer((4, 4)), np.zeros((1, 4), np.int8)
    residual = Residual(multiplier=(1, 1), shift=(0, 0))
    with pytest.raises(SpecError, match="takes no other branch"):
        LayerPipeline().beats(made, x, x, residual)
    with pytest.raises(SpecError, match="residual=single has a_multiplier, b_multiplier, shift"):
        LayerPipeline(residual="single").beats(made, x, x, residual)
    with pytest.raises(SpecError, match="residual=double: must be one of"):
        LayerPipeline(residual="double")
