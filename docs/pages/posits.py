# SPDX-License-Identifier: BSD-2-Clause
"""The tables of docs/posits.md."""

from typing import Any

from benchmarks.cost.posits import FORMATS, KINDS, row

from .markdown import number, table


def cost(found: dict[str, Any]) -> str:
    """Gate equivalents, delay and LUTs of each format's units."""
    head = ["format", *(f"`{kind}`: GE / FO4 / LUT" for kind in KINDS)]
    names = [name for group in FORMATS.values() for name in group]
    rows = [[f"`{name}`", *(_cell(found[row(kind, name)]) for kind in KINDS)] for name in names]
    return table(head, rows)


def errors(made: dict[str, Any]) -> str:
    """Signal to noise of dot products, in dB."""
    rows = [
        [f"`{name}`", *(number(db, 1) for db in found.values())]
        for name, found in made["errors"].items()
    ]
    return table(["format", *next(iter(made["errors"].values()))], rows)


def verdict(found: dict[str, Any]) -> str:
    """How much dearer a posit is than each float of its width."""
    lines = []
    for posit, *others in FORMATS.values():
        for other in others:
            ratios = "; ".join(
                f"`{kind}` " + " and ".join(_times(found, kind, posit, other)) for kind in KINDS
            )
            lines.append(f"- `{posit}` against `{other}`: {ratios}.")
    return "\n".join(lines)


def _times(found: dict[str, Any], kind: str, posit: str, other: str) -> list[str]:
    mine, theirs = (found[row(kind, name)]["asic"]["result"] for name in (posit, other))
    return [
        f"{mine[figure] / theirs[figure]:.2f} times the {what}"
        for figure, what in (("gate_equivalents", "gates"), ("delay_fo4", "delay"))
    ]


def _cell(figures: dict[str, Any]) -> str:
    asic, luts = figures["asic"]["result"], figures["ecp5-lut"]["result"]["lut_equivalents"]
    return f"{number(asic['gate_equivalents'])} / {number(asic['delay_fo4'])} / {number(luts)}"
