# SPDX-License-Identifier: BSD-2-Clause
"""The tables of elementary functions in docs/functions.md."""

from typing import Any

from benchmarks.cost.functions.elementary import FORMATS, MISSING, row
from macaw.golden.units.table import ELEMENTARY

from ..markdown import number, table


def cost(found: dict[str, Any]) -> str:
    """Gates, delay, LUTs and multipliers by function and format."""
    head = ["function"]
    for name in FORMATS:
        head += [f"`{name}`: LUT", "DSP", "GE", "FO4"]
    rows = []
    for function in ELEMENTARY:
        cells = [f"`{function}`"]
        for name in FORMATS:
            known = (name, function) not in MISSING
            cells += _cells(found[row(function, name)]) if known else ["-"] * 4
        rows.append(cells)
    return table(head, rows)


def faithful(found: dict[str, Any]) -> str:
    """Errors of functions of fp32."""
    head = ["function", "largest error found", "proven to be below"]
    rows = [
        [f"`{row['function']}`", f"{row['largest']:.3f}", f"{row['bound']:.3f}"]
        for row in found["rows"]
    ]
    return table(head, rows)


def _cells(figures: dict[str, Any]) -> list[str]:
    ecp5, asic = figures["ecp5"]["result"], figures["asic"]["result"]
    return [
        number(ecp5["lut_equivalents"]),
        str(ecp5["dsps"]),
        number(asic["gate_equivalents"]),
        number(asic["delay_fo4"]),
    ]
