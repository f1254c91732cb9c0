# SPDX-License-Identifier: BSD-2-Clause
"""The listed mutations: for each what kills it, or why nothing can.

They are in ``listed/``, a file for each room. A record has ``file``, ``in``, ``from``, ``to`` and
``nth`` of a mutation, and one of

- ``unit``: a unit, and how it is built, that comes out wrong;
- ``test``: a test that fails;
- ``equivalent``: why no result can change, and ``units`` whose gates it does change, which are
  proven to be equal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from macaw.tools import files

from .judge import EQUIVALENT, KILLED, Entry, Verdict
from .mutations import mutation

FOLDER = Path(__file__).parent / "listed"
ROOMS = ("hdl", "golden")


def listed() -> list[Entry]:
    """All entries, those of the gates first."""
    return [
        Entry(
            mutation=mutation(fields),
            unit=fields.get("unit", ""),
            test=fields.get("test", ""),
            equivalent=fields.get("equivalent", ""),
            units=tuple(fields.get("units", ())),
        )
        for room in ROOMS
        for fields in _records(room)
    ]


def record(verdicts: Iterable[Verdict]) -> int:
    """Add mutants of which it is known now what kills them to the lists; returns how many.

    So are those that are proven equivalent, with the proof for a reason. What survived is no entry
    before somebody says what is to kill it.
    """
    known = {entry.mutation for entry in listed()}
    added = 0
    new: dict[str, list[dict[str, Any]]] = {room: [] for room in ROOMS}
    for verdict in verdicts:
        if verdict.mutation in known:
            continue
        fields = verdict.mutation.to_json()
        if verdict.verdict == KILLED:
            fields["test" if verdict.by.startswith("tests/") else "unit"] = verdict.by
        elif verdict.verdict == EQUIVALENT:
            fields["equivalent"] = "the same results in every unit that it changes"
            fields["units"] = verdict.by.split(", ")
        else:
            continue
        new[verdict.mutation.file.partition("/")[0]].append(fields)
        added += 1
    for room, found in new.items():
        if found:
            _write(room, [*_records(room), *found])
    return added


def _records(room: str) -> list[dict[str, Any]]:
    path = FOLDER / f"{room}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def _write(room: str, records: list[dict[str, Any]]) -> None:
    """A record a line, by file and place: a difference of two versions shows which are new."""
    order = sorted(records, key=lambda each: (each["file"], each["in"], each["from"], each["to"]))
    lines = ",\n".join(f" {json.dumps(each, ensure_ascii=False)}" for each in order)
    files.write(FOLDER / f"{room}.json", f"[\n{lines}\n]\n")
