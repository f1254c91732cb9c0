# SPDX-License-Identifier: BSD-2-Clause
"""The tables of mutants in docs/verification.md: what kills them, and why nothing can."""

from collections import Counter

from macaw.sim.proof.mutants.judge import Entry
from macaw.sim.proof.mutants.listed import listed

from ..markdown import table

COLUMNS = ("units", "tests", "equivalent")


def counts() -> str:
    """Listed mutations of each folder: killed by units, by tests, and equivalent."""
    rooms: dict[str, Counter[str]] = {}
    for entry in listed():
        for room in (entry.mutation.file.rpartition("/")[0], "in all"):
            rooms.setdefault(room, Counter())[_column(entry)] += 1
    rooms["in all"] = rooms.pop("in all")
    rows = []
    for room, n in rooms.items():
        name = room if room == "in all" else f"`{room}`"
        rows.append([name, str(sum(n.values())), *(str(n[column]) for column in COLUMNS)])
    return table(["sources", "mutants", "killed by units", "by tests", "equivalent"], rows)


def equivalents() -> str:
    """Those that change no result, and why."""
    rows = [
        [
            f"`{entry.mutation.file}`",
            _code(entry.mutation.old),
            _code(entry.mutation.new),
            entry.equivalent,
        ]
        for entry in listed()
        if entry.equivalent
    ]
    return table(["file", "text", "mutant", "why no result changes"], rows, left=4)


def _column(entry: Entry) -> str:
    return "units" if entry.unit else "tests" if entry.test else "equivalent"


def _code(text: str) -> str:
    """As code in a cell of a table, where a bar would end the cell."""
    words = " ".join(text.split()).replace("|", "\\|")
    return f"`{words}`"
