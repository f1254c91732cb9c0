# SPDX-License-Identifier: BSD-2-Clause
"""What each rule for the scale of a group keeps of drawn numbers, in four bits and in ternary.

Groups of 128 with fp16 scales: by the largest magnitude, the mean and the median of magnitudes,
and the least squared error on two grids. Numbers are drawn by numpy in float64.

Example: python -m benchmarks.studies.scale_rules --groups 64
"""

import argparse
from typing import Any

import numpy as np

from macaw.golden.errors import MacawError
from macaw.golden.formats.block import Block
from macaw.golden.formats.block import format as format_of
from macaw.synth import accuracy

from .. import positive, results, start

FORMATS = (
    "int4sym-k128-fp16",
    "uint4-k128-fp16-zuint4",
    "e2m1-k128-fp16",
    "ternary-k128-fp16",
)
RULES: dict[str, dict[str, str]] = {
    "amax": {},
    "mean": {"scale_rule": "mean"},
    "median": {"scale_rule": "median"},
    "mse": {"scale_rule": "mse"},
    "wide": {"scale_rule": "mse", "grid": "geometric(1.25,0.03125,96)"},
}
DRAWS = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "Laplace": lambda rng, shape: rng.laplace(size=shape),
    "Student's t, 3": lambda rng, shape: rng.standard_t(3, shape),
}


def errors(groups: int, seed: int) -> list[dict[str, Any]]:
    """QSNR in dB of each format and rule, by distribution; none where a format has no such rule."""
    found = []
    for number, (name, draw) in enumerate(DRAWS.items()):
        values = draw(np.random.default_rng([seed, number]), (groups, 128))
        for spelled in FORMATS:
            block = format_of(spelled)
            assert isinstance(block, Block)
            row: dict[str, Any] = {"data": name, "format": spelled}
            for rule, options in RULES.items():
                typical = rule in ("mean", "median")
                kept = None
                if not (typical and block.zero_point is not None):
                    q = block.quantize(values, **options)
                    kept = accuracy.ratio(values, q.dequantize())
                row[rule] = kept
            found.append(row)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--groups", type=positive, default=4096, help="of 128, of each distribution"
    )
    parser.add_argument("--seed", type=int, default=1)
    results.add_output(parser)
    options = parser.parse_args()
    if options.groups < 1:
        raise MacawError(f"groups={options.groups}: must be 1 or more")
    made: dict[str, Any] = {"groups": options.groups, "seed": options.seed}
    made |= {"grid": RULES["wide"]["grid"], "errors": errors(options.groups, options.seed)}
    print(results.write("scale_rules", made, options.output))
    return 0


if __name__ == "__main__":
    start(main)
