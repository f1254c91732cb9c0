# SPDX-License-Identifier: BSD-2-Clause
"""The tables of orders, of scale rules and of what they keep in docs/quantisation.md."""

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


RULES = {
    "amax": "amax",
    "mean": "`mean`",
    "median": "`median`",
    "mse": "`mse`",
    "wide": "`mse`, wide grid",
}


def rules(found: dict[str, Any]) -> str:
    """What each rule for the scale keeps of drawn numbers."""
    lines = [
        f"Made by `python -m benchmarks.studies.scale_rules --groups {found['groups']}`: signal "
        f"over error in dB, of {found['groups']} groups of each distribution. The wide grid is "
        f"`{found['grid']}`.",
        "",
        f"| numbers | format | {' | '.join(RULES.values())} |",
        f"|---|---|{'--:|' * len(RULES)}",
    ]
    for row in found["errors"]:
        kept = ["-" if row[rule] is None else f"{row[rule]:.2f}" for rule in RULES]
        lines.append(f"| {row['data']} | `{row['format']}` | {' | '.join(kept)} |")
    return "\n".join(lines)
