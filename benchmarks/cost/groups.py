# SPDX-License-Identifier: BSD-2-Clause
"""What groups of weights cost in dot products: zero points, and elements out of a code book; and
what products of two codes do.

Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.cost.groups --only "dot a=nf4*"
"""

from .measure import price_rows

PAIRS = (
    ("int8-k32-fp16", "int4-k32-fp16"),
    ("int8-k32-fp16", "uint4-k32-fp16-zuint4"),
    ("uint8-k32-fp16-zuint8", "int4-k32-fp16"),
    ("uint8-k32-fp16-zuint8", "uint4-k32-fp16-zuint4"),
    ("int4-k32-fp16", "int4-k32-fp16"),
    ("uint4-k32-fp16-zuint4", "uint4-k32-fp16-zuint4"),
)
"""Blocks whose 32 products one unit adds up."""
WEIGHTS = ("int4", "e2m1", "nf4", "fp4bnb", "int5")
"""Of four bits and five, each with activations of int8 in eight lanes."""
PRODUCTS = (
    *(f"mul a={name} out=fp32" for name in ("int4", "e2m1", "nf4", "fp4bnb", "nupes4a1.5")),
    "mul a=lns4.1 out=fp32",
    "mul a=nf4 b=int4 out=fp32",
    "mul a=e2m1",
    "mul a=lns4.1",
    "mul a=e4m3",
    "mul a=lns8.3",
)
"""Of two codes, as the command line has them."""


def pair(a: str, b: str) -> str:
    """A unit as the command line has it."""
    return f"block-dot a={a} b={b} out=fp32"


def weight(name: str) -> str:
    """A unit as the command line has it."""
    return f"dot a={name} b=int8 out=fp32 lanes=8"


ROWS = (*(pair(a, b) for a, b in PAIRS), *map(weight, WEIGHTS), *PRODUCTS)


def main() -> None:
    price_rows("groups", ROWS, "ecp5,ecp5-lut,asic", __doc__)


if __name__ == "__main__":
    main()
