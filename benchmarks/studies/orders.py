# SPDX-License-Identifier: BSD-2-Clause
"""How often implementations of the same block format give different bits.

Quantises the same blocks by each order of operations (scales with a mantissa) and by each scale
rule (powers of two), and counts what differs. All figures are counts of bits, so they are the same
on every machine.

Example: python -m benchmarks.studies.orders --blocks 100000
"""

import argparse
from typing import Any

import ml_dtypes
import numpy as np

from macaw.golden import Block, format

from .. import positive, results

TENSOR = 8192
ORDERS = ("te", "torchao", "ct", "exact")
RULES = ("ceil", "rceil", "even")


def tensors(blocks: int, size: int, dtype: Any, seed: int):
    """Yield Gaussian tensors of ``TENSOR`` blocks."""
    for n, start in enumerate(range(0, blocks, TENSOR)):
        rng = np.random.default_rng([seed, n])
        x = rng.standard_normal((min(TENSOR, blocks - start), size), np.float32)
        yield x.astype(dtype)


def differences(name: str, key: str, choices: tuple[str, ...], blocks: int, dtype: Any):
    """Return for each choice the scales that differ from the default's, and the blocks where the
    scale is the same and an element is not."""
    block = format(name)
    assert isinstance(block, Block)
    count = {choice: [0, 0] for choice in choices}
    for x in tensors(blocks, block.size or 32, dtype, 1):
        base = block.quantize(x)
        for choice in choices:
            q = block.quantize(x, **{key: choice})
            scale = (q.scales != base.scales).reshape(-1)
            element = (q.elements != base.elements).any(1) & ~scale
            count[choice][0] += int(scale.sum())
            count[choice][1] += int(element.sum())
    return count


CASES = (
    ("order", ("nvfp4", "nvint4", "ue5m3fp4", "int4sym-k128-fp16"), ORDERS),
    ("scale_rule", ("mxfp8-e4m3", "mxfp6-e2m3", "mxfp4", "mxint8"), RULES),
)
"""Option, formats, and its choices beside the default."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=positive, default=8_000_000, help="of 16 elements")
    results.add_output(parser)
    options = parser.parse_args()
    made: dict[str, Any] = {"blocks": options.blocks, "tensor": TENSOR, "rows": []}
    for option, names, choices in CASES:
        for name in names:
            block = format(name)
            assert isinstance(block, Block)
            blocks = options.blocks * 16 // (block.size or 32)
            for shown, dtype in (("fp32", np.float32), ("bf16", ml_dtypes.bfloat16)):
                count = differences(name, option, choices, blocks, dtype)
                for choice, (scales, elements) in count.items():
                    row = {"option": option, "format": name, "data": shown, "choice": choice}
                    made["rows"].append(row | {"scales": scales, "elements": elements})
                    print(f"{option} {name} {shown} {choice}: {scales} {elements}", flush=True)
    print(results.write("orders", made, options.output))


if __name__ == "__main__":
    main()
