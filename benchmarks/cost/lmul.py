# SPDX-License-Identifier: BSD-2-Clause
"""What products by L-Mul cost beside exact ones, alone and in dot products.

Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.cost.lmul --only "mul a=e4m3*"
"""

from .measure import price_rows

WIDTHS = tuple(f"e8m{bits}ftz" for bits in range(1, 8))
"""As benchmarks.errors.product_errors has them, bf16 the last."""
FLUSHED = (*WIDTHS, "e5m10ftz", "e8m23ftz", "e4m3ftz", "e5m2ftz")
"""Without subnormals, saturating: where L-Mul is an addition of codes."""
GRADUAL = ("bf16", "fp16", "fp32", "e4m3", "e5m2")
SUMS = (
    "fma a=bf16",
    "fma a=e4m3",
    "dot a=e4m3 lanes=8",
    "dot a=bf16 lanes=8 accumulation=aligned(24)",
)
PRODUCTS = ("", " product=lmul", " product=lmul(literal)")
ROWS: tuple[str, ...] = (
    *(f"mul a={name} overflow=saturate{how}" for name in FLUSHED for how in PRODUCTS),
    *(f"mul a={name}{how}" for name in GRADUAL for how in PRODUCTS),
    *(f"{unit} out=fp32{how}" for unit in SUMS for how in PRODUCTS[:2]),
)
"""Units as the command line has them."""


def main() -> None:
    price_rows("lmul", ROWS, "ecp5,ecp5-lut,asic", __doc__)


if __name__ == "__main__":
    main()
