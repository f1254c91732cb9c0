# SPDX-License-Identifier: BSD-2-Clause
"""How often the profiles of requantisation, and the forms of a residual sum, differ.

All figures are counts of drawn integers, so they are the same on every machine.

Example: python -m benchmarks.studies.requantisation --draws 1000000
"""

import argparse
from typing import Any

import numpy as np

from macaw.golden.arithmetic.dyadic import Profile, requantize, requantize_real
from macaw.golden.tensors.integer_layers import export_residual, residual_add

from .. import positive, results

DRAWS = 4_000_000
RATIOS = 64
"""Triples of scales that residual sums are drawn with."""
MULTIPLIERS = ("any", "8-bit", "power of two")
FORMS = separate, single, away, tflite = (
    ("separate", "hawq"),
    ("single", "hawq"),
    ("single", "half_away"),
    ("tflite", "tflite_double"),
)
PAIRS = (separate, single), (separate, tflite), (single, tflite), (away, tflite)


def draws(kind: str, count: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Accumulators and multipliers as layers have them: results of a spread of 40 counts."""
    scale = np.exp2(rng.uniform(-14, -4, count))
    bits = {"any": 31, "8-bit": 8, "power of two": 1}[kind]
    mantissa = np.rint(np.ldexp(rng.uniform(0.5, 1, count), bits))
    mantissa = np.minimum(mantissa, 2**bits - 1).astype(np.int64)
    shift = np.floor(np.log2(scale)).astype(np.int64)
    multiplier = mantissa << (31 - bits)
    real = np.ldexp(multiplier.astype(float), shift - 31)
    x = np.rint(rng.standard_normal(count) * 40 / real).astype(np.int64)
    return np.clip(x, -(2**31), 2**31 - 1), multiplier, shift


def profiles(count: int) -> list[dict[str, Any]]:
    """How many results of each profile are a count above, and below, those of tflite_single."""
    rows = []
    for number, kind in enumerate(MULTIPLIERS):
        rng = np.random.default_rng(number)
        x, multiplier, shift = draws(kind, count, rng)
        found = {p.value: requantize(x, multiplier, shift, profile=p) for p in Profile}
        real = np.ldexp(multiplier.astype(float), shift - 31).astype(np.float32)
        found["onnx (fp32)"] = requantize_real(x, real)
        base = found["tflite_single"].astype(int)
        for name, result in found.items():
            apart = result.astype(int) - base
            assert np.abs(apart).max() <= 1
            row = {"multiplier": kind, "profile": name, "count": count}
            rows.append(row | {"above": int((apart > 0).sum()), "below": int((apart < 0).sum())})
    return rows


def residuals(count: int) -> list[dict[str, Any]]:
    """How many results that one form of a sum gives another gives a count apart, by scales."""
    rows = []
    for scale in ("any", "power of two"):
        rng = np.random.default_rng(9)
        apart = dict.fromkeys(PAIRS, 0)
        for _ in range(RATIOS):
            exponents = rng.uniform(-6, -4, 3)
            scales = np.exp2(exponents if scale == "any" else np.rint(exponents)).tolist()
            a, b = rng.integers(-128, 128, (2, count // RATIOS))
            found = {}
            for form, profile in FORMS:
                factors = export_residual(*scales, form=form)
                result = residual_add(a, b, *factors, form=form, profile=profile)
                found[form, profile] = result.astype(int)
            for first, second in PAIRS:
                differences = np.abs(found[first] - found[second])
                assert differences.max() <= 1
                apart[first, second] += int(np.count_nonzero(differences))
        rows += [
            {
                "scales": scale,
                "forms": pair,
                "count": count // RATIOS * RATIOS,
                "differing": differing,
            }
            for pair, differing in apart.items()
        ]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=positive, default=DRAWS)
    results.add_output(parser)
    options = parser.parse_args()
    made = {"profiles": profiles(options.draws), "residuals": residuals(options.draws // 4)}
    print(results.write("requantisation", made, options.output))


if __name__ == "__main__":
    main()
