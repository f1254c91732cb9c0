# SPDX-License-Identifier: BSD-2-Clause
"""Tables in Markdown, and figures in them."""

from typing import Any


def table(head: list[str], rows: list[list[str]], left: int = 1) -> str:
    """A table whose first columns, ``left`` of them, are words: all else is to the right."""
    rule = ["---" if i < left else "--:" for i in range(len(head))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *rows])


def number(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def luts(found: dict[str, Any] | None) -> str:
    """LUT4 + 2 * CCU2C, and hard multipliers."""
    if not found:
        return "-"
    dsps = f" + {found['dsps']} DSP" if found["dsps"] else ""
    return f"{found['lut_equivalents']:.0f}{dsps}"
