# SPDX-License-Identifier: BSD-2-Clause
"""What posits cost beside floats of as many bits: products, sums, fused ones.

Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.cost.posits --only "mul a=posit8*"
"""

from .measure import price_rows

FORMATS = {8: ("posit8", "e4m3"), 16: ("posit16", "fp16", "bf16")}
"""By bits: the posit of the standard, then the floats beside it."""
KINDS = ("mul", "add", "fma")


def row(kind: str, name: str) -> str:
    """A unit as the command line has it."""
    return f"{kind} a={name} out={name}"


ROWS = tuple(row(kind, name) for names in FORMATS.values() for kind in KINDS for name in names)


def main() -> None:
    price_rows("posits", ROWS, "ecp5-lut,asic", __doc__)


if __name__ == "__main__":
    main()
