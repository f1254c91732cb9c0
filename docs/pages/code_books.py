# SPDX-License-Identifier: BSD-2-Clause
"""The tables of docs/code-books.md."""

from typing import Any

from benchmarks.cost.groups import weight
from benchmarks.studies.code_books import ELEMENTS, SIZES

from .markdown import number, table

NAMES = {"int4sym": "int4", "int5sym": "int5"}
"""What the hardware of an element is priced as, where that is not its own name."""
_FIRST = "nf4"
_PLAIN = ("e2m1", "int4sym", "int5sym")


def _kept(made: dict[str, Any]) -> dict[tuple[str, int, str], float]:
    return {(row["element"], row["size"], row["data"]): row["quantised"] for row in made["errors"]}


def _data(made: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(row["data"] for row in made["errors"]))


def errors(made: dict[str, Any]) -> str:
    """QSNR by element, block size and data."""
    kept, names = _kept(made), _data(made)
    bits = {(row["element"], row["size"]): row["bits"] for row in made["errors"]}
    rows = [
        [f"`{element}`", str(size), f"{bits[element, size]:.2f}"]
        + [number(kept[element, size, name], 1) for name in names]
        for size in SIZES
        for element in ELEMENTS
    ]
    return table(["element", "block", "bits", *names], rows)


def verdict(made: dict[str, Any], cost: dict[str, Any]) -> str:
    """How far nf4 is ahead of int4 and of e2m1, and how much dearer."""
    kept, names = _kept(made), _data(made)
    lines = []
    for other in _PLAIN:
        ahead = [kept[_FIRST, 64, name] - kept[other, 64, name] for name in names]
        gained = ", ".join(f"{name} {db:+.1f} dB" for name, db in zip(names, ahead, strict=True))
        gates, luts = (
            _figure(cost, _FIRST, what) / _figure(cost, NAMES.get(other, other), what)
            for what in ("asic", "ecp5-lut")
        )
        lines.append(
            f"- Against `{other}`, in blocks of 64: {gained}; its dot product with int8 has "
            f"{gates:.1f} times the gates, and {luts:.1f} times the LUTs."
        )
    return "\n".join(lines)


def _figure(cost: dict[str, Any], element: str, what: str) -> float:
    found = cost[weight(element)][what]["result"]
    return found["gate_equivalents" if what == "asic" else "lut_equivalents"]
