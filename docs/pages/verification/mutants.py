# SPDX-License-Identifier: BSD-2-Clause
"""The tables of mutants in docs/verification.md: what kills them, and why nothing can."""

from collections import Counter

from macaw.sim.proof.mutants.judge import Entry
from macaw.sim.proof.mutants.listed import draws, listed

from ..markdown import table

COLUMNS = ("units", "tests", "equivalent")


def counts() -> str:
    """Listed mutations of each folder: how many lived at first, and what is known of all now."""
    rooms: dict[str, Counter[str]] = {}
    for entry in listed():
        for room in (entry.mutation.file.rpartition("/")[0], "in all"):
            rooms.setdefault(room, Counter()).update([_column(entry), *["lived"] * entry.lived])
    rooms["in all"] = rooms.pop("in all")
    rows = []
    for room, n in rooms.items():
        name = room if room == "in all" else f"`{room}`"
        tried = sum(n[column] for column in COLUMNS)
        rows.append([name, *map(str, (tried, n["lived"], *(n[column] for column in COLUMNS)))])
    head = ["sources", "mutants", "lived at first", "killed by units", "by tests", "equivalent"]
    return table(head, rows)


def drawn() -> str:
    """Those that were drawn at random: what became of them before anything was done about it."""
    rows = [
        [f"`{each.room}`", str(each.seed), str(each.listed)]
        + [str(n) for n in (each.tried, each.killed, each.equivalent, each.survived)]
        for each in draws()
    ]
    head = ["sources", "seed", "listed then", "tried", "killed", "equivalent", "survived"]
    return table(head, rows) if rows else "None yet."


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
