# SPDX-License-Identifier: BSD-2-Clause
"""What elementary functions of floats cost, without registers.

Figures that are not asked for stay. Each goes through macaw's cache.

Example: python -m benchmarks.cost.functions.elementary --only "*function=tanh*"
"""

from macaw.golden.units.table import ELEMENTARY

from ..measure import price_rows

FORMATS = ("bf16", "fp16", "fp32")
MISSING = (("fp16", "sigmoid"),)
"""Without a polynomial of the second degree."""


def row(function: str, a: str) -> str:
    """A unit as the command line has it."""
    return f"function a={a} function={function}"


ROWS = tuple(
    row(function, a) for function in ELEMENTARY for a in FORMATS if (a, function) not in MISSING
)


def main() -> None:
    price_rows("elementary", ROWS, "ecp5,asic", __doc__)


if __name__ == "__main__":
    main()
