# SPDX-License-Identifier: BSD-2-Clause
"""What becomes of a mutant: killed, equivalent, or survived."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from macaw.golden.errors import MacawError
from macaw.hdl import generate
from macaw.tools import processes

from ...bench.interface import Interface
from ...formal import miter
from ...formal.proof import PROVEN, REFUTED
from . import mutated
from .mutations import ROOT, Mutation
from .spelling import read
from .used import Used

KILLED, EQUIVALENT, SURVIVED = "killed", "equivalent", "survived"

PATIENCE = 600.0
"""Seconds after which a mutant hangs, which is noticed too."""
TRIED = 16
"""Units that are looked at for one that a mutant makes different, and golden units."""
PROOF = 120.0
"""Seconds for the proof that a unit is the same."""
PROVEN_AT_MOST = 4
FIRST = 2
UNCHANGED = {"file": "", "source": "", "function": ""}
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}  # processes are forked: no threads before


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A mutation, and what is known of it.

    Attributes
    ----------
    mutation : Mutation
    unit : str
        The unit that it makes wrong, as :func:`.spelling.read` reads it.
    test : str
        The test that fails.
    equivalent : str
        Why no result can change.
    units : tuple of str
        Units that it makes different gates of, which are proven equal.
    lived : bool
        Whether it survived when it was tried first: what is said of it came later.
    """

    mutation: Mutation
    unit: str = ""
    test: str = ""
    equivalent: str = ""
    units: tuple[str, ...] = ()
    lived: bool = False

    @property
    def known(self) -> bool:
        """Whether anything is said of what becomes of it."""
        return bool(self.unit or self.test or self.equivalent)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What became of a mutant, by which unit, test or reason, and how that was seen."""

    mutation: Mutation
    verdict: str
    by: str
    how: str
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The fields as a dictionary that :mod:`json` can write."""
        return {
            **self.mutation.to_json(),
            "verdict": self.verdict,
            "by": self.by,
            "how": self.how,
            "seconds": round(self.seconds, 1),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """How hard is tried.

    Attributes
    ----------
    vectors : int
        Of each unit without registers, and in bulk; of golden against the reference a hundredth.
    compiled : int
        Units with registers that are run in bulk where all else finds nothing.
    quick : bool
        Whether nothing is compiled, nothing proven to be the same, and of tests of golden only the
        first :data:`FIRST` files are run.
    used : sequence of Used
        Which units run which lines, for mutants of which nothing is known.
    """

    vectors: int = 20_000
    compiled: int = 4
    quick: bool = False
    used: Sequence[Used] = field(default=())

    def judge(self, entries: Sequence[Entry]) -> list[Verdict]:
        """The verdicts on some mutants, one after another in processes of their own."""
        started = time.monotonic()
        found: dict[int, tuple[str, str, str]] = {}
        asked: dict[int, _Mutant] = {}
        for number, entry in enumerate(entries):
            try:
                asked[number] = _Mutant.of(entry.mutation)
            except (LookupError, OSError) as error:
                found[number] = SURVIVED, "", f"stale: {error}"
        tasks = {
            number: mutant.task(*call)
            for number, mutant in asked.items()
            if (call := self._call(entries[number])) is not None
        }
        answers = dict(zip(tasks, _run(list(tasks.values())), strict=True))
        killed = {n: _killer(tasks[n], a) for n, a in answers.items() if a["killed"]}
        _try_without(list(killed.values()))
        for number, mutant in asked.items():
            if number in killed:
                call, by, _ = killed[number]
                if why := _WITHOUT[call, by]:
                    found[number] = SURVIVED, "", f"{by} fails without it, too: {why}"
                else:
                    found[number] = KILLED, by, answers[number]["killed"]
            else:
                found[number] = self._alive(mutant, entries[number], answers.get(number))
        seconds = (time.monotonic() - started) / max(len(entries), 1)
        verdicts = []
        for number, entry in enumerate(entries):
            word, by, how = found[number]
            verdicts.append(
                Verdict(mutation=entry.mutation, verdict=word, by=by, how=how, seconds=seconds)
            )
        return verdicts

    def _call(self, entry: Entry) -> tuple[str, dict[str, Any]] | None:
        """What is to be called where the mutant lives."""
        if entry.equivalent:
            return None
        if entry.test:
            return "tests", _alone(entry.test)
        units = [[entry.unit, ""]] if entry.unit else self.units_of(entry.mutation)
        if not units:
            return None
        arguments: dict[str, Any] = {
            "units": units,
            "vectors": self.vectors,
            "seconds": 30.0 if self.quick else 120.0,
        }
        if entry.mutation.file.startswith("hdl"):
            quick = self.quick and not entry.known
            return "gates", arguments | {"compiled": 0 if quick else self.compiled}
        files = tests_of(entry.mutation.file)[: FIRST if self.quick else None]
        nodes = [] if entry.unit else [str(path) for path in files]
        rows = max(self.vectors // 100, 200)
        return "golden", arguments | {"vectors": rows, "nodes": nodes, "root": str(ROOT)}

    def _alive(
        self, mutant: _Mutant, entry: Entry, answer: dict[str, Any] | None
    ) -> tuple[str, str, str]:
        if answer is None and not entry.known:
            return SURVIVED, "", "no unit is known that runs it"
        if answer is None:
            proof = _prove(mutant, entry.units) if entry.units else ""
            if proof.startswith(REFUTED):
                return SURVIVED, "", proof
            return EQUIVALENT, entry.equivalent, proof or "reasoned"
        if entry.known:
            return SURVIVED, "", f"{entry.test or entry.unit} does not kill it"
        if entry.mutation.file.startswith("golden"):
            return SURVIVED, "", f"{answer['tried']} units and {answer['ran']} tests of golden"
        if not answer["differ"]:
            return SURVIVED, "", f"the same gates of {answer['same']} units"
        free = [] if self.quick else answer["free"][:PROVEN_AT_MOST]
        proof = _prove(mutant, free) if free else ""
        more = len(answer["differ"]) - len(answer["free"])
        if proof.startswith(PROVEN):
            return EQUIVALENT, ", ".join(free), proof + (f"; {more} with registers" if more else "")
        return SURVIVED, "", f"{proof or 'no proof'}: {', '.join(answer['differ'][:3])}"

    def units_of(self, change: Mutation) -> list[list[str]]:
        """Units that run the lines of a mutation, or any of its file if none does.

        Of different kinds first, and cheap ones before others.
        """
        lines = set(change.lines()) if change.where else set()
        found = [u for u in self.used if lines & set(u.lines.get(change.file, ()))]
        if not found:
            found = [u for u in self.used if change.file in u.lines]
        turns: dict[str, int] = {}
        order = []
        for number, each in enumerate(found):
            kind = each.unit.split(" ", 1)[0] + ("--" if " --" in each.unit else "")
            turns[kind] = turns.get(kind, -1) + 1
            order.append((turns[kind], number, each))
        return [[each.unit, each.netlist] for _, _, each in sorted(order, key=lambda t: t[:2])][
            :TRIED
        ]


def tests_of(file: str) -> list[Path]:
    """Files of tests of golden that import a file, or the room that it is in: the short ones first.

    A test of the same name as the file comes before all.
    """
    stem = Path(file).stem
    found = []
    for path in sorted((ROOT / "tests" / "golden").glob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        named = stem in path.stem
        if named or stem in text or "macaw.golden" in text:
            found.append((not named, stem not in text, len(text), path))
    return [path for *_, path in sorted(found)]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mutant:
    """A file with another source, and the function whose code that changes, if it is just one."""

    file: str
    source: str
    function: str

    @classmethod
    def of(cls, change: Mutation) -> _Mutant:
        return cls(file=str(ROOT / change.file), source=change.source(), function=change.function())

    def task(self, call: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """To call a function of :mod:`.checks` where this mutant lives."""
        return {
            "file": self.file,
            "source": self.source,
            "function": self.function,
            "call": call,
            "arguments": arguments,
            "patience": PATIENCE,
        }


_WITHOUT: dict[tuple[str, str], str] = {}
"""What kills the sources as they are, by call and unit: such a unit or test kills no mutant."""


def _killer(task: dict[str, Any], answer: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """What was called, which unit or test failed, and the task of it alone without a mutant."""
    units = [text for text, _ in task["arguments"].get("units", ())]
    by, call = answer["by"], task["call"]
    if "tests/" in by:
        call, alone = "tests", _alone(by)
    else:
        by = by if by in units else units[0]  # it cannot even be imported, or does not end
        alone = (
            task["arguments"]
            | {"units": [[by, ""]]}
            | ({"nodes": []} if "nodes" in task["arguments"] else {})
        )
    return call, by, task | {"call": call, "arguments": alone, **UNCHANGED}


def _alone(test: str) -> dict[str, Any]:
    return {"nodes": [test], "root": str(ROOT), "seconds": PATIENCE}


def _try_without(killers: Sequence[tuple[str, str, dict[str, Any]]]) -> None:
    """Try what killed without a mutant, once each."""
    new = {(call, by): task for call, by, task in killers if (call, by) not in _WITHOUT}
    for key, answer in zip(new, _run(list(new.values())), strict=True):
        _WITHOUT[key] = answer["killed"]


def _run(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What became of each task."""
    if not tasks:
        return []
    answers = []
    with processes.temporary_folder() as folder:
        (folder / "tasks.json").write_text(json.dumps(tasks), encoding="utf-8")
        command = (sys.executable, "-P", mutated.__file__)
        done = processes.run(command, folder=folder, env=processes.environment(**ENVIRONMENT))
        for number, task in enumerate(tasks):
            try:
                text = (folder / f"{number}.json").read_text(encoding="utf-8")
                answers.append(json.loads(text))
            except OSError:
                said = done.errors.strip().splitlines()[-1:] if done.status else []
                why = " ".join(["no answer", *said])
                answers.append({"killed": f"{why:.200}", "by": task["call"]})
    return answers


def gates_of(change: Mutation, unit: str, name: str) -> str:
    """The Verilog of a unit that a mutant of macaw makes, as a module ``name``.

    Raises
    ------
    LookupError
        The source has no such text any more, or a mutant makes no gates.
    """
    (answer,) = _run([_Mutant.of(change).task("netlist", {"unit": unit, "name": name})])
    if "verilog" not in answer:
        raise LookupError(answer["killed"])
    return answer["verilog"]


def _prove(mutant: _Mutant, units: Sequence[str]) -> str:
    """``proven``, ``refuted`` or ``open``, and of what: a mutant's gates are those of before."""
    same = 0
    for text in units:
        spec, options = read(text)
        (answer,) = _run([mutant.task("netlist", {"unit": text, "name": "macaw_gates"})])
        if "verilog" not in answer:
            return f"{REFUTED}: {answer['killed']}"
        design = generate(spec, **options, name="macaw_reference")
        if answer["verilog"].replace("macaw_gates", "macaw_reference") == design.body:
            same += 1
            continue
        interface = Interface.of(design.metadata, spec.ports)
        question = miter.Question(
            gates=miter.Source(module="macaw_gates", verilog=answer["verilog"]),
            reference=miter.Source(module="macaw_reference", verilog=design.body),
            inputs={pin.name: pin.width for pin in interface.inputs},
            outputs={pin.name: pin.width for pin in interface.outputs},
        )
        try:
            found = miter.decide(question, timeout=PROOF)
        except MacawError as error:
            return f"open: {error!s:.100}"
        if found.verdict != PROVEN:
            codes = " ".join(f"{k}={v:#x}" for k, v in (found.inputs or {}).items())
            return f"{found.verdict} {found.reason}{codes} of {text}"
    how = f", {same} of them the same Verilog" if same else ""
    return f"{PROVEN}: gates of {len(units)} units{how}"


def sampled(mutations: Sequence[Mutation], count: int, seed: int) -> list[Mutation]:
    """So many of them, the same ones for a seed, as far as they are there."""
    order = sorted(mutations)
    return random.Random(seed).sample(order, min(count, len(order)))
