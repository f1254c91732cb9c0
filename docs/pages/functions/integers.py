# SPDX-License-Identifier: BSD-2-Clause
"""The tables of docs/integer-functions.md."""

from typing import Any

from benchmarks.cost.functions.integer_functions import ROWS

from ..markdown import luts


def cost(found: dict[str, Any]) -> str:
    """Areas without registers, and what a clock is reached with."""
    lines = [
        "| `macaw synth …` | LUT | GE | FO4 | stages | LUT | FF | MHz |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in ROWS:
        figures = {what: part["result"] for what, part in found.get(row, {}).items()}
        flat, asic, clock = (figures.get(what) for what in ("ecp5", "asic", "clock"))
        cells = [
            luts(flat),
            f"{asic['gate_equivalents']:.0f}" if asic else "-",
            f"{asic['delay_fo4']:.0f}" if asic else "-",
            *([str(clock["latency"]), luts(clock), str(clock["ffs"]), f"{clock['fmax_mhz']:.0f}"]
              if clock else ["-"] * 4),
        ]  # fmt: skip
        lines.append(f"| `{row}` | {' | '.join(cells)} |")
    tools = sorted({t for parts in found.values() for p in parts.values()
                    for t in p["result"]["tools"]})  # fmt: skip
    return "\n".join([*lines, "", f"Tools: {', '.join(tools)}."])


def accuracy(found: dict[str, Any]) -> str:
    """Largest errors, against float64 and MPFR."""
    lines = ["| scale | GELU | exponential | softmax |", "|---|--:|--:|--:|"]
    for row in found["curves"]:
        cells = [f"{row[name]:.4f}" for name in ("gelu", "exponential", "softmax")]
        lines.append(f"| {row['scale']} | {' | '.join(cells)} |")
    lines += ["", "| values up to | 8 | 64 | 768 in a row |", "|---|--:|--:|--:|"]
    lines += _errors(found["norms"], "reach", ".2g")
    lines += ["", "| fraction bits of x | 8 | 12 | 15 | 24 bits of the significand |"]
    lines += ["|---|--:|--:|--:|--:|", *_errors(found["powers"], "fraction", ".3f")]
    return "\n".join(lines)


def _errors(rows: list[dict[str, Any]], key: str, form: str) -> list[str]:
    """A line for each value of ``key``."""
    lines: dict[Any, list[str]] = {}
    for row in rows:
        lines.setdefault(row[key], []).append(format(row["error"], form))
    return [f"| {value} | {' | '.join(cells)} |" for value, cells in lines.items()]
