# SPDX-License-Identifier: BSD-2-Clause
"""What functions of few bits cost as tables in logic, without registers.

Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.cost.functions.tables --only "*function=tanh*"
"""

from macaw.golden.arithmetic.real import FUNCTIONS

from ..measure import price_rows

FORMATS = (
    ("e4m3", "e4m3"),
    ("e5m2", "e5m2"),
    ("fx8.4", "ufx8.8"),
    ("e4m3", "bf16"),
    ("e5m4", "e5m4"),
)
"""Of operand and result."""


def row(function: str, a: str, out: str) -> str:
    """A unit as the command line has it."""
    return f"table a={a} out={out} function={function}"


ROWS = tuple(row(function, *formats) for function in FUNCTIONS for formats in FORMATS)


def main() -> None:
    price_rows("tables", ROWS, "ecp5-lut,asic", __doc__)


if __name__ == "__main__":
    main()
