# SPDX-License-Identifier: BSD-2-Clause
"""How often implementations of the same block format give different bits.

Quantises the same blocks by each order of operations (scales with a mantissa) and by each scale
rule (powers of two), counts what differs, and writes docs/quantisation.md. All figures are counts
of bits, so they are the same on every machine.

Example: python benchmarks/orders.py --blocks 100000
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from macaw.golden import Block, format

ROOT = Path(__file__).parents[1]
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


def main() -> None:
    """Count, print, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--blocks", type=int, default=8_000_000)
    arguments = parser.parse_args()
    lines = []
    for title, names, key, choices in (
        ("order", ("nvfp4", "nvint4", "ue5m3fp4", "int4sym-k128-fp16"), "order", ORDERS),
        ("rule", ("mxfp8-e4m3", "mxfp6-e2m3", "mxfp4", "mxint8"), "scale_rule", RULES),
    ):
        default = "order=paper" if key == "order" else "scale_rule=floor"
        lines += [
            f"| format | data | {title} | other scales | same scale, other elements |",
            "|---|---|---|--:|--:|",
        ]
        for name in names:
            block = format(name)
            assert isinstance(block, Block)
            blocks = arguments.blocks * 16 // (block.size or 32)
            for dtype in (np.float32, ml_dtypes.bfloat16):
                count = differences(name, key, choices, blocks, dtype)
                for choice, (scales, elements) in count.items():
                    shown = "bf16" if dtype is ml_dtypes.bfloat16 else "fp32"
                    lines.append(f"| `{name}` | {shown} | `{choice}` | {scales} | {elements} |")
                    sys.stdout.write(f"{lines[-1]} of {blocks}, beside {default}\n")
                    sys.stdout.flush()
        lines.append("")
    table = "\n".join(lines)
    path = ROOT / "docs" / "quantisation.md"
    page = path.read_text(encoding="utf-8")
    begin, end = "<!-- begin: orders -->\n", "<!-- end: orders -->"
    head, _, rest = page.partition(begin)
    _, _, tail = rest.partition(end)
    note = (
        f"Made by `python benchmarks/orders.py --blocks {arguments.blocks}`: Gaussian tensors of "
        f"{TENSOR} blocks, {arguments.blocks} blocks of 16 or as many elements of other sizes.\n\n"
    )
    path.write_text(f"{head}{begin}{note}{table.rstrip()}\n{end}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
