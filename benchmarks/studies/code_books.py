# SPDX-License-Identifier: BSD-2-Clause
"""What four bits keep of numbers: the code books nf4 and fp4bnb beside int4 and e2m1.

Blocks have an fp32 scale, which takes the greatest magnitude to the element's greatest value, as
QLoRA has them. Trained weights are those of studies.block_formats, and are left out where their
package is not there. What dot products of such weights cost is measured by cost.groups.

Example: python -m benchmarks.studies.code_books --rows 64
"""

import argparse
from typing import Any

import numpy as np

from macaw.golden.errors import MacawError
from macaw.golden.formats.block import Block
from macaw.golden.formats.block import format as format_of
from macaw.synth import accuracy

from .. import positive, results, start
from .block_formats import data

ELEMENTS = ("nf4", "fp4bnb", "nupes4a1.5", "lns4.1", "e2m1", "int4sym", "uint4", "int5sym")
"""``uint4`` has a zero point in each block; ``int5sym`` is what a fifth bit would bring."""
SIZES = (32, 64, 128)


def block(element: str, size: int) -> Block:
    """Elements that share an fp32 scale."""
    found = format_of(f"{element}-k{size}-fp32" + ("-zuint4" if element == "uint4" else ""))
    assert isinstance(found, Block)
    return found


def errors(rows: int, length: int, seed: int) -> list[dict[str, Any]]:
    """QSNR in dB of what becomes of numbers, and bits each, by data, element and block size."""
    found = []
    for name, numbers, _ in data(rows, length, seed):
        for element in ELEMENTS:
            for size in SIZES:
                fmt = block(element, size)
                kept = accuracy.ratio(numbers, fmt.quantize(numbers).dequantize())
                row = {"data": name, "numbers": int(np.size(numbers)), "element": element}
                found.append(row | {"size": size, "bits": fmt.bits, "quantised": kept})
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=positive, default=1024, help="of numbers, of each distribution"
    )
    parser.add_argument("--length", type=positive, default=1024)
    parser.add_argument("--seed", type=int, default=1)
    results.add_output(parser)
    options = parser.parse_args()
    if options.rows < 1 or options.length < 1:
        raise MacawError(f"rows={options.rows}, length={options.length}: must be 1 or more")
    size = (options.rows, options.length, options.seed)
    made: dict[str, Any] = {"rows": size[0], "length": size[1], "seed": size[2]}
    made |= {"errors": errors(*size)}
    print(results.write("code_books", made, options.output))
    return 0


if __name__ == "__main__":
    start(main)
