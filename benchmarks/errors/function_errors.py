# SPDX-License-Identifier: BSD-2-Clause
"""How near integer-only functions are to the real ones: largest errors of arrays of them.

Example: python -m benchmarks.errors.function_errors
"""

import argparse
import importlib
import math
from fractions import Fraction
from typing import Any

import numpy as np

from macaw.golden.arithmetic.exp2 import exp2
from macaw.golden.arithmetic.functions import exponential, gelu, layer_norm, softmax

from .. import results

SCALES = ("1/2", "1/8", "1/16", "0.0631", "0.05", "1/32", "1/128", "0.0001")
CURVES = ("gelu", "exponential", "softmax")
REACHES = (7, 127, 2047, 32767)
LANES = (8, 64, 768)
FRACTIONS = (6, 10, 12, 13, 16, 24)
PRECISIONS = (8, 12, 15, 24)


def curves(scale: str) -> list[float]:
    """Largest errors of GELU, of the exponential, and of softmax, at one scale."""
    step = float(Fraction(scale))
    reach = min(int(8 / step), 100_000)
    x = np.unique(np.linspace(-reach, reach, 20_001).astype(np.int64))
    r, worth = gelu(x, scale)
    value = x * step
    exact = value / 2 * (1 + np.vectorize(math.erf)(value / math.sqrt(2)))
    errors = [np.abs(r * float(worth) - exact).max()]
    x = -np.arange(min(int(12 / step) + 1, 100_000))
    r, worth = exponential(x, scale)
    errors.append(np.abs(r * float(worth) - np.exp(x * step)).max())
    rng, worst = np.random.default_rng(1), 0.0
    for lanes in (1, 2, 8, 64):
        for spread in (0.5, 2, 6):
            rows = np.rint(rng.normal(0, spread, (2000, lanes)) / step).astype(np.int64)
            exact = np.exp((rows - rows.max(-1, keepdims=True)) * step)
            exact /= exact.sum(-1, keepdims=True)
            got = softmax(rows, scale, out="ufx16.16") * 2.0**-16
            worst = max(worst, np.abs(got - exact).max())
    return [*errors, worst]


def norms(reach: int, lanes: int) -> float:
    """Largest error of normalised values, of uniform integers up to ``reach``."""
    x = np.random.default_rng(lanes).integers(-reach, reach + 1, (2000, lanes))
    x = x[x.std(-1) > 1]
    exact = (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True)
    r, scale = layer_norm(x)
    return float(np.abs(r * scale - exact).max())


def ulps(fraction: int, precision: int) -> float:
    """Largest error of a power of two in last places of its significand."""
    size = 1 << min(fraction, 16)
    x = np.unique(np.linspace(0, (1 << fraction) - 1, size).astype(np.int64))
    significand, exponent = exp2(x, fraction=fraction, precision=precision)
    worst = 0.0
    gmpy2: Any = importlib.import_module("gmpy2")  # has no types
    with gmpy2.context(precision=120):
        for v, m, e in zip(x.tolist(), significand.tolist(), exponent.tolist(), strict=True):
            power = gmpy2.exp2(gmpy2.mpfr(v) / 2**fraction + precision)
            worst = max(worst, float(abs(m * 2**e - power)))
    return worst


def measure() -> dict[str, Any]:
    """All figures."""
    return {
        "curves": [
            {"scale": scale} | dict(zip(CURVES, map(float, curves(scale)))) for scale in SCALES
        ],
        "norms": [
            {"reach": reach, "lanes": lanes, "error": norms(reach, lanes)}
            for reach in REACHES
            for lanes in LANES
        ],
        "powers": [
            {"fraction": fraction, "precision": precision, "error": ulps(fraction, precision)}
            for fraction in FRACTIONS
            for precision in PRECISIONS
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    results.add_output(parser)
    options = parser.parse_args()
    print(results.write("function_errors", measure(), options.output))


if __name__ == "__main__":
    main()
