# SPDX-License-Identifier: BSD-2-Clause
"""What may kill a mutant: called where it lives, in a process of its own."""

from __future__ import annotations

import contextlib
import io
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from macaw.golden.errors import MacawError
from macaw.hdl import Design, generate
from macaw.hdl.emit import write_bodies

from ...bench import bulk
from ...bench.interface import Interface
from ...stimulus.draw import stimulus
from ...verify import at_least
from ..outsiders.check import ProofFailure, by_reference
from . import netlists
from .planes import NoPlanes
from .simulator import complaint, vectors_of
from .spelling import read

Answer = dict[str, Any]
"""``killed`` by what, empty if it lives, and ``by`` which unit or test; and what else was seen."""

BEATS = 400
"""Of a unit with registers, before anything is compiled."""
SEED = 15
TOGETHER = 2
"""Units whose models are built at once."""


def netlist(unit: str, name: str) -> Answer:
    """The Verilog of a unit, as a module ``name``; not a check, but what proofs need."""
    spec, options = read(unit)
    return {"verilog": generate(spec, **options, name=name).body}


def gates(units: list[list[str]], vectors: int, seconds: float, compiled: int = 4) -> Answer:
    """Units' gates against golden.

    ``units`` are texts, each with the digest of the netlist before, or without: those that are the
    same now are not simulated. Gates without registers get ``vectors``, or all where they are few;
    others fewer, and where nothing is found ``compiled`` of these are run in bulk. No more than
    ``seconds`` are spent on looking for units that differ.
    """
    until = time.monotonic() + seconds
    differ: list[str] = []
    free: list[str] = []
    left: list[tuple[str, Design]] = []
    same = 0
    for text, before in units:
        spec, options = read(text)
        try:
            design = generate(spec, **options)
            now = netlists.digest(design) if before else ""
        except Exception as error:  # whatever it is: before, there was none
            return {"killed": f"no gates: {type(error).__name__}: {error!s:.120}", "by": text}
        if before and now == before:
            same += 1
            continue
        clocked = design.component.clocked
        codes = vectors_of(spec, BEATS if clocked else vectors, SEED)
        try:
            killed = complaint(design, codes, SEED)
        except NoPlanes:
            killed = ""
        except Exception as error:
            killed = f"no netlist: {type(error).__name__}: {error!s:.120}"
        if killed:
            return {"killed": killed, "by": text, "same": same}
        differ.append(text)
        if clocked:
            left.append((text, design))
        else:
            free.append(text)
        if time.monotonic() > until:
            break
    for start in range(0, min(len(left), compiled), TOGETHER):
        part = left[start : min(start + TOGETHER, compiled)]
        if (answer := _in_bulk(part, vectors)) is not None:
            return answer | {"same": same}
    return {"killed": "", "by": "", "same": same, "differ": differ, "free": free}


def _in_bulk(units: list[tuple[str, Design]], vectors: int) -> Answer | None:
    """The first of a few units that ``vectors`` find wrong."""
    designs = [design for _, design in units]
    try:
        write_bodies(designs)
        interfaces = [Interface.of(design.metadata, design.spec.ports) for design in designs]
        modules = [(d.verilog, i) for d, i in zip(designs, interfaces, strict=True)]
        library = bulk.build_many(modules)
    except MacawError as error:
        return {"killed": f"no module: {error!s:.120}", "by": units[0][0]}
    try:
        for number, (text, design) in enumerate(units):
            with bulk.Model(library, interfaces[number], seed=SEED, number=number) as model:
                patterns = len(bulk.traffic_for(model.interface, stalls=True))
                chunk = max(vectors // 8, 512)
                chunks = stimulus(design.spec, vectors=vectors, seed=SEED, chunk=chunk)
                tally = bulk.compare(design.spec, [model], at_least(patterns, chunks), seed=SEED)
            if tally.failures:
                failure = tally.failures[0]
                why = failure.problem or f"result {failure.row} of a chunk"
                return {"killed": f"{why}, of {vectors} vectors, seed {SEED}", "by": text}
    finally:
        shutil.rmtree(library.parent, ignore_errors=True)
    return None


def golden(
    units: list[list[str]], vectors: int, seconds: float, nodes: list[str], root: str
) -> Answer:
    """Golden against the scalar reference, unit after unit, then tests for three times as long."""
    until = time.monotonic() + seconds
    tried = 0
    for text, _ in units:
        try:
            spec, _ = read(text)
            for codes in stimulus(spec, vectors=vectors, seed=SEED):
                by_reference(spec, codes)
        except ProofFailure as error:
            return {"killed": f"reference: {str(error)[-100:]}", "by": text}
        except Exception as error:
            return {"killed": f"{type(error).__name__}: {error!s:.120}", "by": text}
        tried += 1
        if time.monotonic() > until:
            break
    answer = tests(nodes, root, 3 * seconds) if nodes else {"killed": "", "by": "", "ran": 0}
    return answer | {"tried": tried}


def tests(nodes: list[str], root: str, seconds: float) -> Answer:
    """Tests, until the first that fails; none begins after ``seconds``. ``ran`` counts them."""
    import pytest

    until = time.monotonic() + seconds
    failed: list[str] = []
    ran: list[str] = []

    class Watch:
        """Notes the first failure, and ends the session when the time is over."""

        def pytest_runtest_logreport(self, report: Any) -> None:
            """Called for each phase of a test."""
            if report.failed:
                failed.append(report.nodeid)

        def pytest_runtest_teardown(self, item: Any) -> None:
            """Called after each test."""
            ran.append(item.nodeid)
            if time.monotonic() > until:
                item.session.shouldstop = "the time is over"

        def pytest_collectreport(self, report: Any) -> None:
            """Called for each file that is read."""
            if report.failed:
                failed.append(report.nodeid)

    scratch = str(Path("pytest").absolute())  # in the folder of this task, which ends with it
    with _in_folder(root), contextlib.redirect_stdout(io.StringIO()):
        options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", "--rootdir", root]
        options += ["--basetemp", scratch]
        code = pytest.main([*options, *nodes], plugins=[Watch()])
    if failed:
        return {"killed": "a test fails", "by": failed[0]}
    over = time.monotonic() > until
    killed = "" if code == 0 or over else f"pytest ended with {int(code)}"
    return {"killed": killed, "by": "", "ran": len(ran)}


@contextlib.contextmanager
def _in_folder(root: str) -> Iterator[None]:
    with contextlib.chdir(Path(root)):
        yield
