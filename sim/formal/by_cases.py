# SPDX-License-Identifier: BSD-2-Clause
"""A question in cases, each of which ABC decides alone."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from macaw.golden.formats import Float
from macaw.golden.units import Unit
from macaw.tools import processes, store, yosys

from . import miter
from .cases.graph import FALSE, Bit, Circuit, Graph
from .cases.numbers import Case, Numbers
from .cases.products import Factors
from .cases.split import Split
from .cases.sums import Lanes
from .proof import OPEN, PROVEN, REFUTED

REVISION = 1
"""Of what a case is, for keys of stored answers."""
TOGETHER = 8
"""Cases that one run of Yosys decides."""
LEAST = {"mul": 10, "add": 20, "fma": 10}
"""Bits of a format from which on a question is asked in cases: shorter ones are decided at once."""
LANES = ("dot", "block-dot")
"""Kinds whose sum of lanes is taken out."""


@dataclass(kw_only=True, slots=True)
class Asked:
    """What became of the cases: how many there are, are proven, and the first that is not.

    ``seconds`` are of deciding, one case after another, now or when it was stored.
    """

    total: int
    proven: int = 0
    verdict: str = PROVEN
    failed: Case | None = None
    seconds: float = 0.0
    inputs: dict[str, int] | None = None
    reason: str = ""

    @property
    def parts(self) -> str:
        """What was asked, in words."""
        return f"{self.total} cases"

    @property
    def why(self) -> str:
        """Why it is not proven."""
        return f"{self.reason}: {self.failed or 'whether the cases are all operands'}"

    def take(self, case: Case | None, answer: miter.Answer) -> None:
        """Count what was found of a case; None for what says that they are all operands."""
        self.seconds += answer.seconds
        if answer.verdict == PROVEN:
            self.proven += 1
        elif self.verdict == PROVEN or (self.verdict == OPEN and answer.verdict == REFUTED):
            self.failed, self.verdict = case, answer.verdict
            self.inputs, self.reason = answer.inputs, answer.reason
            if case is None and answer.verdict == REFUTED:
                self.verdict, self.reason, self.inputs = OPEN, "there are others", None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """A case as ABC gets it: a graph that must be constant, and the names of its inputs."""

    case: Case | None
    graph: Graph
    operands: dict[str, list[int]]
    data: bytes = b""
    names: tuple[Bit, ...] = ()
    key: str = ""


def ask(
    question: miter.Question,
    how: Factors | Lanes,
    *,
    until: float,
    progress: Callable[[int, int], None],
    jobs: int = 1,
    cache: bool = True,
) -> Asked | None:
    """Answer a question case by case; None where what that needs is not there.

    What was proven is kept, case by case.

    Raises
    ------
    ToolError
        Yosys is missing, or does not read the modules.
    """
    started = time.monotonic()
    tool = yosys.find("yosys", prefer="yowasp")
    with processes.temporary_folder() as folder:
        made = _graph(question, how, tool, folder, until - started)
        if made is None:
            return None
        circuit, split = made
        cases = list(split.cases())
        hidden = list(split.uncovered(cases))
        asked = Asked(total=len(hidden) + len(cases))
        parts = itertools.chain(
            (_part(None, *each, {}, tool) for each in hidden),
            (_part(case, *split.part(circuit, case), tool) for case in cases),
        )

        def unknown() -> Iterator[_Part]:
            for part in parts:
                kept = store.get(part.key, miter.Answer.from_json) if cache and part.data else None
                if kept is None and part.data:
                    yield part
                    continue
                asked.take(part.case, kept or miter.Answer(verdict=PROVEN, seconds=0.0))
                progress(asked.proven, asked.total)

        for part, answer in _answers(unknown(), tool, folder, until, jobs):
            if answer.verdict == PROVEN and cache:
                store.put(part.key, answer.to_json())
            asked.take(part.case, answer)
            progress(asked.proven, asked.total)
            if asked.verdict == REFUTED:
                break
    return asked


def _answers(
    parts: Iterator[_Part], tool: yosys.Tool, folder: Path, until: float, jobs: int
) -> Iterator[tuple[_Part, miter.Answer]]:
    """Of some cases at a time, in the order in which they are decided."""
    batches = iter(lambda: list(itertools.islice(parts, TOGETHER)), [])
    running: dict[Future[list[miter.Answer]], list[_Part]] = {}
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for number in itertools.count():
                if batch := next(batches, None):
                    place = folder / f"batch{number}"
                    place.mkdir()
                    running[pool.submit(_decide, batch, tool, place, until)] = batch
                if not running:
                    return
                if batch and len(running) <= jobs:
                    continue
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    yield from zip(running.pop(done), done.result(), strict=True)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            if running:
                processes.stop_all()


def of_unit(unit: Unit) -> Factors | Lanes | None:
    """What is taken out of both sides of the question of a unit; None of one that is not split."""
    names = {f"i_{name}": port for name, port in unit.ports.inputs.items()}
    if unit.kind in LANES:
        return Lanes(ports=names, out=unit.ports.outputs["r"].format)
    fmt = names["i_a"].format if unit.kind in LEAST else None
    if not isinstance(fmt, Float) or fmt.width < LEAST[unit.kind]:
        return None
    terms = tuple(name for name in names if name[2:] in "abc")
    return Factors(
        numbers=Numbers(fmt=fmt, names=terms, product=unit.kind != "add"),
        others={name: port.width for name, port in names.items() if name not in terms},
    )


def _graph(
    question: miter.Question,
    how: Factors | Lanes,
    tool: yosys.Tool,
    folder: Path,
    timeout: float,
) -> tuple[Circuit, Split] | None:
    """The miter without what is taken out of both sides, and how it is split."""
    miter.write(question, folder)
    read, mapped = miter.scripts(question)
    (folder / "read.ys").write_text(f"{read}write_json flat.json\n", encoding="utf-8")
    (folder / "map.ys").write_text(f"read_json cut.json\n{mapped}", encoding="utf-8")
    yosys.call(tool, ("-q", "-s", "read.ys"), folder=folder, timeout=timeout, what="proof")
    if not how.take(folder / "flat.json", folder / "cut.json"):
        return None
    yosys.call(tool, ("-q", "-s", "map.ys"), folder=folder, timeout=timeout, what="proof")
    circuit = Circuit.read((folder / "miter.aig").read_bytes())
    split = how.split(circuit)
    return (circuit, split) if split is not None else None


def _part(
    case: Case | None,
    graph: Graph,
    literal: int,
    operands: dict[str, list[int]],
    tool: yosys.Tool,
) -> _Part:
    if literal == FALSE:
        return _Part(case=case, graph=graph, operands=operands)
    data, names = graph.aiger(literal)
    key = store.key(
        formal_case=REVISION,
        graph=data.hex(),
        decide=miter.DECIDE,
        yosys=[tool.name.removeprefix("yowasp-"), tool.version],
    )
    return _Part(case=case, graph=graph, operands=operands, data=data, names=names, key=key)


def _decide(
    batch: Sequence[_Part], tool: yosys.Tool, folder: Path, until: float
) -> list[miter.Answer]:
    """Ask ABC about some cases, one after another."""
    lines = []
    for number, part in enumerate(batch):
        (folder / f"case{number}.aig").write_bytes(part.data)
        lines.append(
            f"read_aiger case{number}.aig; {miter.DECIDE}; write_status case{number}.txt; "
            f"write_cex case{number}.cex\n"
        )
    started = time.monotonic()
    if started < until:
        miter.ask(tool, folder, "".join(lines), timeout=until - started)
    share = (time.monotonic() - started) / len(batch)
    return [_answer(part, folder, number, share) for number, part in enumerate(batch)]


def _answer(part: _Part, folder: Path, number: int, seconds: float) -> miter.Answer:
    """What ABC left of a case in files."""
    status = folder / f"case{number}.txt"
    word = status.read_text(encoding="utf-8").split() if status.exists() else []
    if word[:1] == ["snl_UNSAT"]:
        return miter.Answer(verdict=PROVEN, seconds=seconds)
    if word[:1] != ["snl_SAT"]:
        reason = "ABC gave up" if word else "time limit"
        return miter.Answer(verdict=OPEN, seconds=seconds, reason=reason)
    bits = (folder / f"case{number}.cex").read_text(encoding="utf-8").split()[0]
    return miter.Answer(verdict=REFUTED, seconds=seconds, inputs=_codes(part, bits))


def _codes(part: _Part, bits: str) -> dict[str, int]:
    """The operands of a counterexample: what is not in it may be anything, here 0.

    Its product need not be that of its factors, so that it may be none: it has to be tried.
    """
    graph, operands = part.graph, part.operands
    known = {name: bit == "1" for name, bit in zip(part.names, bits, strict=False)}
    values = graph.values({node: known.get(name, False) for node, name in graph.names.items()})
    return {
        name: sum(bool(values[x >> 1] ^ (x & 1)) << place for place, x in enumerate(word))
        for name, word in operands.items()
    }
