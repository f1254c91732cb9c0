# SPDX-License-Identifier: BSD-2-Clause
"""What posits keep of dot products for what they cost, beside floats of as many bits.

Numbers are multiplied by a power of two: to where they lose least, of floats to where the greatest
one still fits. Products and sums are exact, and rounded once to fp32.

Example: python -m benchmarks.errors.posit_errors --pairs 32
"""

import argparse
from typing import Any

from macaw.golden.units import unit
from macaw.synth import accuracy

from .. import positive, results, start

FORMATS = ("posit8", "posit8es0", "e4m3", "e5m2", "posit16", "posit16es1", "fp16", "bf16")
LANES = 32


def errors(trial: accuracy.Trial) -> dict[str, dict[str, float]]:
    """Signal to noise of dot products in dB, by format and distribution."""
    return {
        name: {
            each: accuracy.sqnr(unit("dot", a=name, out="fp32", lanes=LANES), each, trial)
            for each in accuracy.DISTRIBUTIONS
        }
        for name in FORMATS
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    usual = accuracy.Trial()
    parser.add_argument("--pairs", type=positive, default=usual.pairs, help="of vectors")
    parser.add_argument("--length", type=positive, default=usual.length, help="of each vector")
    parser.add_argument("--seed", type=int, default=usual.seed)
    results.add_output(parser)
    options = parser.parse_args()
    trial = accuracy.Trial(pairs=options.pairs, length=options.length, seed=options.seed)
    made: dict[str, Any] = {"pairs": trial.pairs, "length": trial.length, "seed": trial.seed}
    print(results.write("posit_errors", made | {"errors": errors(trial)}, options.output))
    return 0


if __name__ == "__main__":
    start(main)
