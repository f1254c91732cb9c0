# SPDX-License-Identifier: BSD-2-Clause
"""What an operation costs on recorded layers, beside operands that are drawn.

Layers of the digits' network (benchmarks/studies/digits_network.py), quantised to one format with a
scale a tensor: for each pixel of some images, and each output channel, the dot product in beats of
eight lanes, as an accumulator that keeps its sum takes them. ``--write`` keeps the codes, as files
for ``macaw synth … --energy --data``.

Example: python -m benchmarks.studies.price.layers --write build
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import macaw
from macaw.golden.units import Unit
from macaw.synth.energy import OPERANDS
from macaw.tools.processes import temporary_folder

from ... import positive, results
from ...stopwatch import stopwatch
from ..digits_network import Arrays, Network, load, patches, train
from .minifloats import factor_of, forward

LAYERS = ("conv2", "conv3", "conv4")
FORMATS = {"int8": "int-mac", "e4m3": "mac"}
"""And the unit that sums their products."""
LANES = 8
STAGES = 3
"""Of the pipeline: the longer paths are, the more glitches there are in what is told."""


def unit_of(name: str) -> Unit:
    """The accumulator that is priced."""
    out = {} if FORMATS[name] == "int-mac" else {"out": "fp32"}
    return macaw.unit(FORMATS[name], a=name, lanes=LANES, **out)


def recording(network: Network, images: np.ndarray, layer: str, name: str, count: int) -> Arrays:
    """Codes of a layer in a format: ``a`` activations, ``b`` weights, ``last`` ends a sum."""
    taken: Arrays = {}

    def keep(each: str, x: np.ndarray) -> np.ndarray:
        taken[each] = x
        return x

    forward(network, images, keep)
    fmt: Any = macaw.format(name)
    weight = network.layers[layer][0]
    weight = weight.reshape(len(weight), -1)
    rows = patches(taken[layer])
    rows = rows[np.abs(rows).max(axis=1) > 0]  # pixels in the middle of nothing teach nothing
    beats = rows.shape[1] // LANES
    sums = -(-count // beats)
    pixel, channel = np.divmod(np.arange(sums), len(weight))
    every = len(rows) // (int(pixel[-1]) + 1)
    a, b = (
        fmt.encode(values * factor_of(values, fmt), overflow="saturate")[chosen]
        for values, chosen in ((rows, pixel * every), (weight, channel))
    )
    last = np.arange(sums * beats) % beats == beats - 1
    shape = (sums * beats, LANES)
    return {"a": a.reshape(shape), "b": b.reshape(shape), "last": last.astype(np.uint8)}


def measure(codes: dict[tuple[str, str], Arrays], folder: Path) -> list[dict[str, Any]]:
    """Energy on each recording, and on the drawn streams."""
    found = []
    progress = stopwatch()
    for name in FORMATS:
        spec = unit_of(name)
        streams: dict[str, dict[str, Any]] = {each: {"operands": each} for each in OPERANDS}
        zeros = {}
        for layer in LAYERS:
            path = folder / f"{layer}-{name}.npz"
            arrays: Any = codes[layer, name]
            np.savez(path, **arrays)
            streams[layer] = {"data": path}
            zeros[layer] = float(np.mean(macaw.format(name).decode(arrays["a"]) == 0))
        for each, how in streams.items():
            made = macaw.synthesize(spec, "asic", energy=True, stages=STAGES, **how)
            found.append(
                {
                    "format": name,
                    "unit": spec.name,
                    "stream": each,
                    "zeros": zeros.get(each),
                    "macs": spec.macs,
                    "energy_per_operation": made.energy_per_operation,
                    "energy_without_glitches": made.energy_without_glitches,
                    "energy_of_clock": made.energy_of_clock,
                    "operations": made.operations,
                }
            )
            progress(f"{name}, {each}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=positive, default=2048, help="of each recording")
    parser.add_argument("--epochs", type=positive, default=40, help="of the network's training")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="keep the codes there")
    results.add_output(parser)
    options = parser.parse_args()
    digits = load()
    network = train(digits, epochs=options.epochs)
    codes = {
        (layer, name): recording(network, digits.test_images[:8], layer, name, options.operations)
        for layer in LAYERS
        for name in FORMATS
    }
    if options.write is not None:
        options.write.mkdir(parents=True, exist_ok=True)
        rows = measure(codes, options.write)
    else:
        with temporary_folder() as folder:
            rows = measure(codes, folder)
    print(results.write("layers", {"rows": rows}, options.output))


if __name__ == "__main__":
    main()
