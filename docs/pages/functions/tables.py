# SPDX-License-Identifier: BSD-2-Clause
"""The tables of docs/functions.md."""

from fractions import Fraction
from typing import Any

from benchmarks.cost.functions.tables import FORMATS, row
from macaw.golden.arithmetic.real import FUNCTIONS, Function

from ..markdown import number, table


def listed() -> str:
    """What each function is, and its limits."""
    rows = [
        [
            f"`{function.name}`",
            function.meaning.replace("|", "\\|"),
            _word(function.limits[0]),
            _zero(function),
            _word(function.limits[1]),
        ]
        for function in FUNCTIONS.values()
    ]
    return table(["function", "of a", "of −∞", "of ±0", "of ∞"], rows, 2)


def _zero(function: Function) -> str:
    if callable(function.zero):
        return "ln 2"
    word = _word(function.zero)
    return f"±{'0' if word == '+0' else word.removeprefix('+')}" if function.odd else word


def _word(value: Any) -> str:
    if isinstance(value, Fraction):
        return "+0" if value == 0 else str(value).replace("-", "−")
    return {"inf": "∞", "-inf": "−∞", "nan": "NaN", "0": "+0", "-0": "−0"}[value]


def cost(found: dict[str, Any]) -> str:
    """Gate equivalents and LUTs by function and formats."""
    head = ["function", *(f"`{a}` to `{out}`" for a, out in FORMATS)]
    rows = [
        [f"`{name}`", *(_cell(found[row(name, *formats)]) for formats in FORMATS)]
        for name in FUNCTIONS
    ]
    return table(head, rows)


def _cell(figures: dict[str, Any]) -> str:
    gates = figures["asic"]["result"]["gate_equivalents"]
    luts = figures["ecp5-lut"]["result"]["lut_equivalents"]
    return f"{number(gates)} / {number(luts)}"
