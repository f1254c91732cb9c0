# SPDX-License-Identifier: BSD-2-Clause
"""The listed mutations: for each what kills it, or why nothing can.

They are in ``listed/``, a file for each room. A record has ``file``, ``in``, ``from``, ``to`` and
``nth`` of a mutation, and one of

- ``unit``: a unit, and how it is built, that comes out wrong;
- ``test``: a test that fails;
- ``equivalent``: why no result can change, and ``units`` whose gates it does change, which are
  proven to be equal.

``lived`` is set where nothing was known to kill it when it was tried first. ``draws.json`` has how
many of those that were drawn at random were killed then.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from macaw.tools import files

from .judge import EQUIVALENT, KILLED, SURVIVED, Entry, Verdict
from .mutations import mutation

FOLDER = Path(__file__).parent / "listed"
DRAWS = FOLDER / "draws.json"
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
            lived=fields.get("lived", False),
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """What became of mutants that were drawn at random, and not listed.

    Attributes
    ----------
    room : str
        Of whose sources.
    seed, tried : int
        Of the draw.
    listed : int
        Mutants of the room that were listed when it was made.
    killed, equivalent, survived : int
    """

    room: str
    seed: int
    tried: int
    listed: int
    killed: int
    equivalent: int
    survived: int


def draws() -> list[Draw]:
    """The draws that were recorded, the first ones first."""
    return [Draw(**fields) for fields in _read(DRAWS)]


def record_draw(room: str, seed: int, verdicts: Iterable[Verdict], known: int) -> None:
    """Keep how a draw of a room ended, of which ``known`` mutants are listed."""
    counts = Counter(each.verdict for each in verdicts)
    words = {"killed": KILLED, "equivalent": EQUIVALENT, "survived": SURVIVED}
    new = Draw(
        room=room,
        seed=seed,
        tried=counts.total(),
        listed=known,
        **{name: counts[word] for name, word in words.items()},
    )
    _lines(DRAWS, [*_read(DRAWS), asdict(new)])


def _records(room: str) -> list[dict[str, Any]]:
    return _read(FOLDER / f"{room}.json")


def _read(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def _write(room: str, records: list[dict[str, Any]]) -> None:
    """A record a line, by file and place: a difference of two versions shows which are new."""
    order = sorted(records, key=lambda each: (each["file"], each["in"], each["from"], each["to"]))
    _lines(FOLDER / f"{room}.json", order)


def _lines(path: Path, records: list[dict[str, Any]]) -> None:
    lines = ",\n".join(f" {json.dumps(each, ensure_ascii=False)}" for each in records)
    files.write(path, f"[\n{lines}\n]\n")
