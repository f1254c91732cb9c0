# SPDX-License-Identifier: BSD-2-Clause
"""The table of recorded operands in docs/synthesis.md."""

from typing import Any

from ..markdown import table


def energies(found: dict[str, Any]) -> str:
    """Energies of a multiply-accumulate by the stream of operands."""
    rows = []
    for row in found["rows"]:
        zeros = "" if row["zeros"] is None else f"{100 * row['zeros']:.0f} %"
        name = row["stream"] if row["zeros"] is None else f"recorded, {row['stream']}"
        figures = (row["energy_per_operation"], row["energy_without_glitches"])
        per_mac = [f"{value / row['macs']:,.0f}" for value in figures]
        rows.append([f"`{row['unit']}`", name, zeros, *per_mac])
    head = ["unit", "operands", "zeros among activations", "inv/MAC", "without glitches"]
    return table(head, rows, 2)
