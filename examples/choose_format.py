# SPDX-License-Identifier: BSD-2-Clause
"""Which format for this tensor? The smallest that keeps as many dB as are asked for.

    python examples/choose_format.py                 # weights made up, with a few large ones
    python examples/choose_format.py w.npy --keep 30

Scalar formats of 8 bits and fewer get the power of two that suits the tensor best; block formats
have scales of their own, which their bits an element include.
"""

import argparse

import numpy as np

import macaw
from macaw.tensors.quantize import quantize, quantize_blocks

SCALAR = ("bf16", "int8", "e4m3", "e5m2", "int4")
BLOCK = ("mxint8", "mxfp8-e4m3", "mxfp6-e2m3", "mxfp4", "nvfp4", "nvint4")


def made_up() -> np.ndarray:
    """Weights as layers have them: normal, each row of a size of its own, some outliers."""
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(256, 256)) * rng.lognormal(sigma=0.7, size=(256, 1))
    weights[rng.random(weights.shape) < 1e-3] *= 20
    return weights


def best(values: np.ndarray, name: str) -> float:
    """Signal-to-noise ratio in dB at the best of the sensible powers of two."""
    fmt = macaw.format(name)
    least = np.floor(np.log2(np.abs(values).max() / fmt.max))
    scales = [1.0] if fmt.width > 8 else 2.0 ** np.arange(least - 5, least + 2)
    losses = (quantize(values, fmt, scale=float(s), overflow="saturate")[1] for s in scales)
    return max(loss.sqnr_db or np.inf for loss in losses)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", nargs="?", help="an array of two axes (.npy)")
    parser.add_argument("--keep", type=float, default=18.0, help="dB (default 18)")
    options = parser.parse_args()
    values = np.load(options.file) if options.file else made_up()
    found = [(float(macaw.format(name).width), best(values, name), name) for name in SCALAR]
    for name in BLOCK:
        _, loss = quantize_blocks(values, macaw.format(name))
        found.append((macaw.format(name).bits, loss.sqnr_db or np.inf, name))
    kept = [row for row in sorted(found) if row[1] >= options.keep]
    for bits, decibel, name in sorted(found):
        mark = "  <- take this" if kept and name == kept[0][2] else ""
        print(f"{name:12} {bits:6.2f} bits {decibel:6.1f} dB{mark}")
    if not kept:
        print(f"none of them keeps {options.keep:g} dB")


if __name__ == "__main__":
    main()
