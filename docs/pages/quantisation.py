# SPDX-License-Identifier: BSD-2-Clause
"""The tables of orders and scale rules in docs/quantisation.md."""

from typing import Any

TITLES = {"order": "order", "scale_rule": "rule"}


def orders(found: dict[str, Any]) -> str:
    """Blocks that another order, or another rule, quantises to other bits."""
    lines = [
        f"Made by `python -m benchmarks.studies.orders --blocks {found['blocks']}`: Gaussian "
        f"tensors of {found['tensor']} blocks, {found['blocks']} blocks of 16 or as many elements "
        "of other sizes."
    ]
    for option, title in TITLES.items():
        lines += [
            "",
            f"| format | data | {title} | other scales | same scale, other elements |",
            "|---|---|---|--:|--:|",
        ]
        lines += [
            f"| `{row['format']}` | {row['data']} | `{row['choice']}` | {row['scales']} |"
            f" {row['elements']} |"
            for row in found["rows"]
            if row["option"] == option
        ]
    return "\n".join(lines)
