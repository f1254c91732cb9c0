# SPDX-License-Identifier: BSD-2-Clause
"""How often the exponent predictor in fixed point differs from the one in float64.

Open loop: both see the same histories.

Example: python -m benchmarks.studies.predictor_codes --steps 100000
"""

import argparse
from typing import Any

import numpy as np

from macaw.golden.tensors.autoflex import Autoflex
from macaw.golden.units import ExponentPredictor
from macaw.sim.stimulus.predictor import tensors

from .. import positive, results

PRECISIONS = (6, 8, 10, 12, 16, 20)


def predictor(**parameters: Any) -> ExponentPredictor:
    return ExponentPredictor(out="flex16+5", **parameters)  # type: ignore[arg-type]


def codes_in_float64(spec: ExponentPredictor, codes: dict[str, np.ndarray]) -> np.ndarray:
    """The codes that the predictor in float64 gives for the same histories."""
    other, result = Autoflex(spec.out, spec.profile), []
    top = 1 << (spec.out.element.width - 1)
    for maximum, scale, init, end in zip(*(c.tolist() for c in codes.values()), strict=True):
        other.exponent = scale - spec.out.scale.bias
        if init:
            other.initialise(min(maximum, top))
        else:
            other.update(min(maximum, top))
        result.append(other.scale)
        if end:
            other = Autoflex(spec.out, spec.profile)
    return np.array(result)


def agreement(steps: int) -> list[dict[str, Any]]:
    """Codes that differ by profile and precision, and the bound of the predictor's error."""
    rows = []
    for profile in ("paper", "ngraph"):
        codes = tensors(np.random.default_rng(1), predictor(profile=profile), steps)
        wanted = codes_in_float64(predictor(profile=profile), codes)
        for bits in PRECISIONS:
            spec = predictor(profile=profile, precision=bits)
            distance = np.abs(spec.evaluate(**codes)["r"].astype(int) - wanted)
            assert distance.max() <= 1
            row = {"profile": profile, "precision": bits, "bound": spec.predictor.bound}
            rows.append(row | {"steps": len(wanted), "differing": int(distance.sum())})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=positive, default=1_000_000)
    results.add_output(parser)
    options = parser.parse_args()
    print(results.write("predictor_codes", {"rows": agreement(options.steps)}, options.output))


if __name__ == "__main__":
    main()
