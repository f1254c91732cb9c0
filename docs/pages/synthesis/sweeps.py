# SPDX-License-Identifier: BSD-2-Clause
"""Tables of docs/synthesis.md about design spaces: the columns of a sweep."""

from macaw.synth.sweep.columns import COLUMNS, PARETO

from ..markdown import table


def columns() -> str:
    """Every column, its unit, and what is better; a unit may be in a column of its own."""
    units = {column.name for column in COLUMNS}
    rows = []
    for column in (*COLUMNS, PARETO):
        parts = [f"`{part}`" if part in units else part for part in column.unit.split("/")]
        rows.append([f"`{column.name}`", column.meaning, " per ".join(parts), column.better])
    return table(["column", "meaning", "unit", "better"], rows, left=4)
