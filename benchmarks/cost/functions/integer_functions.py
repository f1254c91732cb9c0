# SPDX-License-Identifier: BSD-2-Clause
"""What units of integer-only functions cost.

Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.cost.functions.integer_functions --only "int-gelu*"
"""

from ..measure import price_rows

ROWS: tuple[str, ...] = (
    "isqrt x=uint16",
    "isqrt x=uint32",
    "int-exp2 x=fx16.10 precision=8",
    "int-exp2 x=fx16.10",
    "int-exp2 x=fx24.16",
    "int-exp2 x=fx16.11 base=e out=fp16",
    "int-gelu x=fx8.4",
    "int-gelu x=fx16.12",
    "int-softmax x=fx8.4 lanes=8",
    "int-softmax x=fx8.4 lanes=8 reciprocal=24",
    "int-softmax x=fx8.4 lanes=8 reciprocal=24 --fold 8",
    "int-layernorm x=int8 lanes=8 out=int8 reciprocal=17",
    "int-layernorm x=int8 lanes=16",
    "int-layernorm x=int8 lanes=16 out=int8 reciprocal=17",
    "int-layernorm x=int8 lanes=16 out=int8 reciprocal=17 --fold 16",
)
"""Units as the command line has them."""


def main() -> None:
    price_rows("integer_functions", ROWS, "ecp5,asic,clock", __doc__)


if __name__ == "__main__":
    main()
