# SPDX-License-Identifier: BSD-2-Clause
"""What 8-bit floats of IEEE P3109 cost beside those of OCP and the fnuz ones.

Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.cost.small_floats --only "mul a=binary8p4*"
"""

from .measure import price_rows

FORMATS = (
    *("e4m3", "e4m3ieee", "e4m3fnuz", "binary8p4se", "binary8p4sf", "binary8p4ue", "binary8p4uf"),
    *("e5m2", "e5m2fnuz", "binary8p3se", "binary8p3ue", "binary8p1se"),
)
UNITS = ("cast a={} out=fp32", "cast a=fp32 out={}", "mul a={}", "add a={}", "fma a={} out=fp32")


def row(unit: str, name: str) -> str:
    """A unit as the command line has it."""
    return unit.format(name)


ROWS = tuple(row(unit, name) for unit in UNITS for name in FORMATS)


def main() -> None:
    price_rows("small_floats", ROWS, "ecp5-lut,asic", __doc__)


if __name__ == "__main__":
    main()
