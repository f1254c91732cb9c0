# SPDX-License-Identifier: BSD-2-Clause
"""The table of 8-bit floats in docs/adding-a-format.md."""

from typing import Any

from benchmarks.cost.small_floats import FORMATS, UNITS, row

from .markdown import number, table


def cost(found: dict[str, Any]) -> str:
    """Gate equivalents and LUTs of each format's units."""
    head = ["format", *(f"`{unit.format('…')}`" for unit in UNITS)]
    rows = [[f"`{name}`", *(_cell(found[row(unit, name)]) for unit in UNITS)] for name in FORMATS]
    return table(head, rows)


def _cell(figures: dict[str, Any]) -> str:
    gates = figures["asic"]["result"]["gate_equivalents"]
    luts = figures["ecp5-lut"]["result"]["lut_equivalents"]
    return f"{number(gates)} / {number(luts)}"
