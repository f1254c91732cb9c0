# SPDX-License-Identifier: BSD-2-Clause
"""Floats and integers of three to eight bits: all splits, what each costs and what it keeps.

Cost is that of eight products a clock, their sum kept exactly: on FPGAs the area with as many
stages for all, on libraries area and energy with the fewest that reach one clock. What is kept: of
a trained network's digits (benchmarks/studies/digits_network.py), weights and activations of all
layers in the format, each tensor scaled by the factor of least squared error. docs/minifloats.md
asks whether the integer is often Pareto-optimal.

What is recorded of the network stays as long as it has the formats: training it goes another way in
the last bits on another machine. With ``-o`` and a new file all is made anew.

Example: python -m benchmarks.studies.price.minifloats --targets ecp5 gowin asic
"""

from collections.abc import Callable
from typing import Any

import numpy as np

import macaw
from macaw.golden import Format
from macaw.synth import TARGETS, jobs, run, work
from macaw.synth import accuracy as ratios
from macaw.synth.jobs import Job

from ... import results
from ...stopwatch import stopwatch
from ..digits_network import CONVOLUTIONS, Arrays, Network, accuracy, convolve, load, pool, train
from .rows import compared, options_of, record

WIDTHS = range(3, 9)
LANES = 8
CLOCK, STAGES = "60FO4", 2
STEPS = 24
"""Factors that are tried, each the fourth root of two above the one before."""


def floats(width: int) -> list[str]:
    """All splits of so many bits with a sign, without infinities and NaN."""
    names = (f"e{width - 1 - bits}m{bits}finite" for bits in range(width - 2, -1, -1))
    return [macaw.format(name).name for name in names]


FORMATS = tuple(name for width in WIDTHS for name in (f"int{width}", *floats(width)))


def factor_of(values: np.ndarray, fmt: Format) -> float:
    """What ``values`` are multiplied by for the least sum of squared errors in ``fmt``.

    From where the greatest magnitude becomes the greatest of the format on, so that it saturates.
    """
    whole: Any = fmt
    first = whole.max / float(np.max(np.abs(values)))
    factors = [first * 2 ** (step / 4) for step in range(STEPS)]
    losses = [
        np.sum((fmt.decode(fmt.encode(values * f, overflow="saturate")) / f - values) ** 2)
        for f in factors
    ]
    return factors[int(np.argmin(losses))]


def quantised(values: np.ndarray, fmt: Format, factor: float) -> np.ndarray:
    return fmt.decode(fmt.encode(values * factor, overflow="saturate")) / factor


def forward(
    network: Network, images: np.ndarray, before: Callable[[str, np.ndarray], np.ndarray]
) -> Any:
    """Logits of the network, ``before`` making of each layer's input what the layer gets."""

    def layer(name: str, x: np.ndarray) -> np.ndarray:
        weight, bias = network.layers[name]
        x = before(name, x)
        return (convolve(x, weight) if name in CONVOLUTIONS else x @ weight.T) + bias

    first = np.maximum(layer("conv1", images.astype(np.float64)), 0)
    second = np.maximum(layer("conv2", first) + first, 0)
    third = np.maximum(layer("conv3", pool(second, 2)), 0)
    fourth = np.maximum(layer("conv4", third), 0)
    return layer("dense", pool(fourth, 4).reshape(len(images), -1))


def kept(
    name: str, network: Network, calibration: np.ndarray, images: np.ndarray, labels: np.ndarray
) -> dict[str, Any]:
    """Accuracy with all layers in a format, and signal-to-noise of the logits in dB."""
    fmt: Any = macaw.format(name)
    taken: Arrays = {}

    def keep(layer: str, x: np.ndarray) -> np.ndarray:
        taken[layer] = x
        return x

    exact = forward(network, images, lambda _, x: x)
    forward(network, calibration, keep)
    factors = {layer: factor_of(x, fmt) for layer, x in taken.items()}
    weights = {n: quantised(w, fmt, factor_of(w, fmt)) for n, (w, _) in network.layers.items()}
    logits = forward(
        network.with_weights(weights), images, lambda layer, x: quantised(x, fmt, factors[layer])
    )
    return {
        "format": name,
        "accuracy": accuracy(logits, labels),
        "logits": float(ratios.ratio(exact, logits)),
    }


def network(formats: list[str], epochs: int) -> dict[str, Any]:
    """What the digits' network keeps in each format."""
    digits = load()
    trained = train(digits, epochs=epochs)
    exact = forward(trained, digits.test_images, lambda _, x: x)
    return {
        "images": len(digits.test_labels),
        "accuracy": accuracy(exact, digits.test_labels),
        "rows": [
            kept(name, trained, digits.images[:200], digits.test_images, digits.test_labels)
            for name in formats
        ],
    }


def area(name: str, target: str) -> dict[str, Any]:
    """Area alone of a format's unit on an FPGA, multipliers from logic cells."""
    spec = work.settle(name, "auto", LANES)
    made = run(spec, target, stages=STAGES, multiplier="lut", area_only=True)
    found = {"format": name, "bits": work.pair(name).bits, "unit": spec.name, "stages": STAGES}
    return found | {"macs": spec.macs, "cost": made.cost, "ffs": made.ffs}


def cost(options: Any, target: str) -> dict[str, Any]:
    """Rows on a target: of a comparison on libraries, areas on FPGAs."""
    if target not in TARGETS or TARGETS[target].liberty:
        settings = {"lanes": LANES, "reference": options.formats[0], "clock": CLOCK, "energy": True}
        return compared(options.formats, target, options.workers, **settings)
    listed = [
        Job(name=f"{name} on {target}", function=area, arguments={"name": name, "target": target})
        for name in options.formats
    ]
    rows = jobs.run(listed, workers=options.workers, progress=stopwatch())
    by_name = {row["format"]: row for row in rows}
    return {
        "settings": {"lanes": LANES, "stages": STAGES},
        "rows": [by_name[name] for name in options.formats],
    }


def with_network(made: dict[str, Any], formats: list[str], epochs: int) -> dict[str, Any]:
    """``made`` with what a network keeps in each of ``formats``, and in those it has already."""
    recorded = [row["format"] for row in made.get("network", {}).get("rows", [])]
    new = [name for name in formats if name not in recorded]
    return made | {"network": network([*recorded, *new], epochs)} if new else made


def main() -> None:
    options = options_of(__doc__, FORMATS, ("ecp5", "gowin", "asic"))
    made = with_network(results.read("minifloats", options.output, {}), options.formats, epochs=40)
    results.write("minifloats", made, options.output)
    record("minifloats", options, lambda target: cost(options, target))


if __name__ == "__main__":
    main()
