# SPDX-License-Identifier: BSD-2-Clause
"""The tables of docs/machines.md."""

from typing import Any

from benchmarks.cost.machines import STEPS, row
from benchmarks.errors.machine_errors import COUNTS, DATA
from macaw.golden.arithmetic.accumulation.machines import COLUMNS, described

from .markdown import luts, number, table


def steps() -> str:
    """What each machine adds up."""
    rows = [[f"`{name.split(',')[0]}`", *rest] for name, *rest in described()]
    return table(list(COLUMNS), rows, len(COLUMNS))


def cost(found: dict[str, dict[str, Any]]) -> str:
    """Area and delay of each step, and how they are to those of the machine that leads it."""
    rows = []
    for step, profiles in STEPS.items():
        first = None
        for profile in profiles:
            if row(step, profile) not in found:
                continue
            figures = {
                what: made["result"] for what, made in found.get(row(step, profile), {}).items()
            }
            asic = figures.get("asic", {})
            gates = asic.get("gate_equivalents")
            first = first or gates
            ratio = f"{gates / first:.2f}" if gates and first else "-"
            cells = [luts(figures.get("ecp5")), number(gates), ratio, number(asic.get("delay_fo4"))]
            rows.append([f"`{step}`", f"`{profile}`", *cells])
    return table(["step, into fp32", "accumulation", "LUT", "GE", "ratio", "FO4"], rows, 2)


def errors(made: dict[str, Any]) -> str:
    """Errors of long sums, in units of 2**-24, half a last place of fp32."""
    by = {tuple(r[k] for k in ("format", "profile", "data", "products")): r for r in made["rows"]}
    pairs = list(dict.fromkeys((r["format"], r["profile"]) for r in made["rows"]))

    def cell(pair: tuple[str, str], data: str, count: int) -> str:
        found = by[*pair, data, count]
        return f"{found['error'] * 2**24:.3g}"

    rows = [
        [fmt, f"`{profile}`", *(cell((fmt, profile), data, n) for data in DATA for n in COUNTS)]
        for fmt, profile in pairs
    ]
    head = [f"{data}, {count}" for data in DATA for count in COUNTS]
    return table(["a, b", "accumulation", *head], rows, 2)
