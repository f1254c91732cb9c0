# SPDX-License-Identifier: BSD-2-Clause
"""A small network layer in integers: from real weights to what the hardware computes.

``python examples/integer_layer.py`` quantises a dense layer with a rectifier, 32 inputs to 8
outputs, as TensorFlow Lite does, compares it with the real one, and generates the pipeline that
such layers go through. With ``--simulate`` the layer goes through the gates too: the same integers.
"""

import argparse

import numpy as np

import macaw
from macaw.golden.tensors.integer_layers import Layer, export_layer
from macaw.sim.layers import LayerPipeline, LayerSimulation


def scale_of(values: np.ndarray) -> tuple[float, int]:
    """Scale and zero point that map a range of real values to int8's."""
    low, high = min(values.min(), 0.0), max(values.max(), 0.0)
    scale = float(high - low) / 255
    return scale, round(-128 - low / scale)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--simulate", action="store_true", help="the layer in gates too")
    options = parser.parse_args()

    rng = np.random.default_rng(1)
    x = rng.normal(size=(100, 32))
    weight, bias = rng.normal(size=(8, 32)) / 6, rng.normal(size=8) / 4
    real = np.maximum(x @ weight.T + bias, 0)

    # Activations: a scale and a zero point a tensor. Weights: symmetric, a scale an output.
    (x_scale, x_zero), (out_scale, out_zero) = scale_of(x), scale_of(real)
    weight_scale = np.abs(weight).max(axis=1) / 127
    made = export_layer(x_scale=x_scale, weight_scale=weight_scale, out_scale=out_scale, bias=bias)
    layer = Layer(
        weight=np.rint(weight / weight_scale[:, None]).astype(np.int8),
        bias=made.bias,
        multiplier=made.multiplier,
        shift=made.shift,
        x_zero=x_zero,
        zero_point=out_zero,
        low=out_zero,  # the rectifier
    )
    integers = np.clip(np.rint(x / x_scale) + x_zero, -128, 127).astype(np.int8)
    result = layer(integers)

    print("real    ", real[0].round(2))
    print("integers", ((result[0].astype(int) - out_zero) * out_scale).round(2))
    error = (result.astype(int) - out_zero) * out_scale - real
    print(f"largest error: {np.abs(error).max() / out_scale:.2f} steps of {out_scale:.4f}")

    pipeline = LayerPipeline(weight=macaw.format("int8"))
    design = macaw.generate(pipeline.unit, stages=6, flow="stream")
    print(f"{design.name}: {design.latency} clocks, {pipeline.lanes} products a clock")
    if options.simulate:
        gates = LayerSimulation.open(pipeline, stages=6, flow="stream").run(layer, integers)
        print("the gates give the same integers:", np.array_equal(gates, result))


if __name__ == "__main__":
    main()
