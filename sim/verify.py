# SPDX-License-Identifier: BSD-2-Clause
"""The RTL of a unit against its golden model: :func:`verify`."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from macaw.golden.errors import MacawError, SpecError, check_whole
from macaw.golden.units import Fpu, Unit
from macaw.tools import simulators

from .bench import bulk
from .bench.interface import Codes, Interface
from .bench.runner import Simulation, Verdict, patterns_for
from .mismatch import Mismatch, replay_command, report
from .stimulus.boundaries import BOUNDARIES
from .stimulus.coverage import Coverage, Tally, paused
from .stimulus.draw import stimulus
from .stimulus.exhaustive import exhaustive as every_vector
from .stimulus.exhaustive import exhaustive_bits

if TYPE_CHECKING:
    from macaw.hdl import Design

DEFAULT_VECTORS = {"icarus": 10_000, "verilator": 10_000, "bulk": 1_000_000}
OF_AN_OPERATION = 5_000
"""Vectors at least, on average, of each operation of a unit that has several."""
WAVES_VECTORS = 1_000
STALLED_VECTORS = 2_000  # rows that each pattern of pauses gets under cocotb
COCOTB_CHUNK = 1 << 16
FEW_VECTORS, LONG_TEXT = 100_000, 500_000
"""Of so few vectors and so many characters the bulk runner's model is compiled as it is: making it
faster would take longer than it saves."""

Progress = Callable[[int, int], None]


def default_vectors(unit: Unit, simulator: str) -> int:
    """As many as are simulated where nothing is said: more for more operations."""
    operations = len(unit.listed) if isinstance(unit, Fpu) else 0
    return max(DEFAULT_VECTORS[simulator], OF_AN_OPERATION * operations)


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a verification did and found.

    Attributes
    ----------
    passed : bool
        Every result, bit for bit, was the golden model's, and the handshake was kept.
    name : str
        The module.
    vectors : int
        Operand rows moved through it, those under stalls included.
    simulator : str
        ``icarus`` and ``verilator`` (both under cocotb), or ``bulk``.
    seed : int
    seconds : float
        Wall time, building the simulation included.
    mismatch : Mismatch or None
        The first one.
    coverage : Coverage or None
        How often the operands hit each bin, if that was asked for.
    """

    passed: bool
    name: str
    vectors: int
    simulator: str
    seed: int
    seconds: float
    mismatch: Mismatch | None = None
    coverage: Coverage | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields as a dictionary that :mod:`json` can write."""
        found = {
            "passed": self.passed,
            "name": self.name,
            "vectors": self.vectors,
            "simulator": self.simulator,
            "seed": self.seed,
            "seconds": round(self.seconds, 3),
            "mismatch": self.mismatch.to_json() if self.mismatch else None,
        }
        return found | ({"coverage": self.coverage.to_json()} if self.coverage else {})

    def __str__(self) -> str:
        verdict = "passed" if self.passed else "FAILED"
        line = (
            f"{self.name}: {verdict}, {self.vectors} vectors in {self.seconds:.1f} s "
            f"({self.simulator}, seed {self.seed})"
        )
        more = [str(part) for part in (self.coverage, self.mismatch) if part is not None]
        return "\n".join([line, *more])


def verify(
    spec: Unit | Design,
    *,
    implementation: Any = None,
    simulator: str | None = None,
    vectors: int | None = None,
    seed: int | None = None,
    exhaustive: bool = False,
    waves: str | Path | None = None,
    stalls: bool = True,
    coverage: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Report:
    """Simulate the RTL of a unit and compare every result with ``spec.evaluate``.

    Parameters
    ----------
    spec : Unit or Design
        A unit is generated first, with ``implementation`` or ``options`` (stages, flow, ...). A
        design may be what a unit was mapped to: :func:`macaw.synth.mapped`.
    simulator : {"icarus", "verilator", "bulk"}, optional
        The first two run the cocotb testbench; ``bulk`` is compiled Verilator in this process,
        a hundred times faster. Default: the first that is installed.
    vectors : int, optional
        Default 10,000 under cocotb, 1,000,000 in bulk; 5,000 for each operation of an ``fpu``
        where these are more.
    seed : int, optional
        Default: a fresh one. It is in the report.
    exhaustive : bool
        Every combination of operand codes, in place of ``vectors``.
    waves : path, optional
        Record waveforms there: FST under Icarus, VCD under Verilator. 1,000 vectors by default.
    stalls : bool
        Also run with pauses of source and sink where the flow has them, and with a reset midway.
    coverage : bool
        Count how often the operands, and the pauses of source and sink, hit each bin of the unit
        (:mod:`macaw.sim.stimulus.coverage`), for which golden evaluates them once more.
    progress : callable, optional
        Called with (vectors done, vectors in all).

    Raises
    ------
    SpecError, ToolError, MacawError
        For wrong options; for a missing simulator. A mismatch is no error: see the report.
    """
    start = time.perf_counter()
    chosen = simulators.choose(simulator)
    if vectors is not None:
        check_whole("vectors", vectors, 1, 2**63 - 1)
    if waves is not None and not isinstance(waves, str | Path):
        raise SpecError(f"waves={waves!s:.60}: must be the name of a file")
    if waves is not None and chosen == "bulk":
        raise MacawError("waves: the bulk runner records none; choose icarus or verilator")
    if seed is not None:
        check_whole("seed", seed, 0, 2**63 - 1)
    design = design_of(spec, implementation, options)
    unit: Unit = design.spec
    seed = secrets.randbits(31) if seed is None else seed
    if exhaustive:
        total = 1 << exhaustive_bits(unit)
        chunk = COCOTB_CHUNK if chosen != "bulk" else 1 << 17
        chunks = every_vector(unit, chunk=chunk)
    else:
        total = vectors or (WAVES_VECTORS if waves else default_vectors(unit, chosen))
        chunks = stimulus(unit, vectors=total, seed=seed)
    tally = Tally(unit) if coverage else None
    if tally is not None:
        chunks = tally.watch(chunks)
    run = _Run(
        design=design,
        simulator=chosen,
        seed=seed,
        total=total,
        stalls=stalls,
        progress=progress or (lambda done, all_: None),
        replay=replay_command(
            unit,
            getattr(design, "implementation", None),
            simulator=chosen,
            vectors=total,
            seed=seed,
            exhaustive=exhaustive,
            stalls=stalls,
            more=getattr(design, "arguments", ()),
        ),
    )
    moved, mismatch = run.simulate(chunks, Path(waves) if waves is not None else None)
    found = None
    if tally is not None:
        # Without a clock only the bulk runner has pauses.
        pausing = stalls and (chosen == "bulk" or run.interface.clock is not None)
        sums = "last" in unit.ports.inputs
        pauses = paused(run.interface, run.paused, sums=sums, pausing=pausing)
        found = tally.coverage().beside(pauses)
    return Report(
        passed=mismatch is None,
        name=design.metadata["name"],
        vectors=moved,
        simulator=chosen,
        seed=seed,
        seconds=time.perf_counter() - start,
        mismatch=mismatch,
        coverage=found,
    )


def replay(design: Any, codes: Codes, *, command: str) -> Mismatch | None:
    """The mismatch that operands run into, with the first simulator found; None if there is none.

    ``command`` is what the report says runs into it again.

    Raises
    ------
    ToolError
        There is no simulator.
    """
    run = _Run(
        design=design,
        simulator=simulators.choose(None),
        seed=1,
        total=len(next(iter(codes.values()))),
        stalls=False,
        progress=lambda done, all_: None,
        replay=command,
    )
    return run.simulate(iter([codes]), None)[1]


def design_of(spec: Any, implementation: Any, options: dict[str, Any]) -> Design:
    """The module that is asked for: a design as it is, or of a unit, built in this way.

    Raises
    ------
    SpecError
        ``spec`` is neither; or is a design, and options are given too.
    """
    if not isinstance(spec, Unit):
        if implementation is not None or options:
            raise SpecError("a generated design has its implementation already")
        if not isinstance(getattr(spec, "spec", None), Unit):
            raise SpecError(f"unit={spec!s:.60}: must be a unit, as macaw.unit makes it")
        return spec
    from macaw.hdl import generate

    if implementation is not None:
        if options:
            raise SpecError("give implementation= or single options, not both")
        return generate(spec, implementation)
    return generate(spec, **options)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """One design in one simulator; ``paused`` has how often each event of pauses came."""

    design: Any
    simulator: str
    seed: int
    total: int
    stalls: bool
    progress: Progress
    replay: str
    paused: Counter[str] = field(default_factory=Counter)

    @property
    def unit(self) -> Unit:
        return self.design.spec

    @property
    def interface(self) -> Interface:
        return Interface.of(self.design.metadata, self.unit.ports)

    def simulate(self, chunks: Iterator[Codes], waves: Path | None) -> tuple[int, Mismatch | None]:
        """Rows moved, and the first mismatch."""
        return self.bulk(chunks) if self.simulator == "bulk" else self.cocotb(chunks, waves)

    def bulk(self, chunks: Iterator[Codes]) -> tuple[int, Mismatch | None]:
        quick = self.total <= FEW_VECTORS and len(self.design.verilog) >= LONG_TEXT
        with bulk.Model.of(self.design, seed=self.seed, quick=quick) as model:
            patterns = bulk.traffic_for(self.interface, stalls=self.stalls)
            tally = bulk.compare(
                self.unit,
                [model],
                at_least(len(patterns), chunks),
                seed=self.seed,
                stalls=self.stalls,
                progress=lambda done: self.progress(done, self.total),
            )
            self.paused.update(model.events())
        failure = tally.failures.get(0)
        if failure is None:
            return tally.vectors, None
        return tally.vectors, bulk_mismatch(self.unit, failure, seed=self.seed, replay=self.replay)

    def cocotb(self, chunks: Iterator[Codes], waves: Path | None) -> tuple[int, Mismatch | None]:
        simulation = Simulation(
            self.design.verilog, self.interface, self.simulator, waves=waves is not None
        )
        try:
            return self._cocotb(simulation, chunks, waves)
        finally:
            self.paused.update(simulation.paused)

    def _cocotb(
        self, simulation: Simulation, chunks: Iterator[Codes], waves: Path | None
    ) -> tuple[int, Mismatch | None]:
        patterns = patterns_for(self.interface, stalls=self.stalls)
        first = moved = 0
        for plain in _gathered(chunks, COCOTB_CHUNK):
            rows = len(next(iter(plain.values())))
            codes, expected = self._expected(plain)
            steady = patterns if waves is not None else patterns[:1]
            verdict = simulation.run(codes, expected, patterns=steady, seed=self.seed, waves=waves)
            moved += rows * len(steady)
            if verdict is None and first == 0 and waves is None and len(patterns) > 1:
                codes, expected = self._expected(_shortened(plain, STALLED_VECTORS))
                verdict = simulation.run(codes, expected, patterns=patterns[1:], seed=self.seed)
                moved += len(next(iter(codes.values()))) * (len(patterns) - 1)
            if verdict is not None:
                return moved, self._mismatch(verdict, codes, expected, first)
            first += rows
            self.progress(first, self.total)
            if waves is not None:
                break  # a second run would overwrite the first one's waves
        return moved, None

    def _expected(self, codes: Codes) -> tuple[Codes, Codes]:
        results = self.unit.evaluate(**codes)
        codes = self.interface.offered(codes, self.seed)
        return codes, self.interface.expected(codes, results)

    def _mismatch(self, verdict: Verdict, codes: Codes, expected: Codes, first: int) -> Mismatch:
        got = None
        if verdict.got is not None:
            got = {name: column[0] for name, column in verdict.got.items()}
        problem = verdict.problem
        if problem and verdict.text is not None and got is None:
            problem = f"{problem}: {' '.join(verdict.text)}"
        return report(
            self.unit,
            codes,
            expected,
            row=verdict.row,
            got=got,
            first=first,
            problem=problem,
            pattern=verdict.pattern,
            seed=self.seed,
            replay=self.replay,
        )


def at_least(count: int, chunks: Iterator[Codes]) -> Iterator[Codes]:
    """``chunks``, the longest one again until there are ``count``: for each pause pattern one."""
    longest: Codes = {}
    for chunk in chunks:
        longest = max(longest, chunk, key=lambda codes: len(next(iter(codes.values()), ())))
        count -= 1
        yield chunk
    for _ in range(count):
        yield longest


def _gathered(chunks: Iterator[Codes], rows: int) -> Iterator[Codes]:
    """Chunks put together until each has at least so many rows, to start the simulator less."""
    waiting: list[Codes] = []
    for codes in chunks:
        waiting.append(codes)
        if sum(len(next(iter(part.values()))) for part in waiting) >= rows:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def _joined(parts: list[Codes]) -> Codes:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _shortened(codes: Codes, rows: int) -> Codes:
    """The first rows, at most so many; a sum or tensor that they leave unfinished ends there."""
    short = {name: column[:rows].copy() for name, column in codes.items()}
    for name in BOUNDARIES:
        if name in short:
            short[name][-1] = 1
    return short


def bulk_mismatch(unit: Unit, failure: bulk.Failure, *, seed: int, replay: str) -> Mismatch:
    """The report of a bulk run's first wrong result."""
    rows = len(next(iter(failure.got.values())))
    got = None
    if failure.row < rows:
        got = {name: column[failure.row] for name, column in failure.got.items()}
    return report(
        unit,
        failure.codes,
        failure.expected,
        row=max(failure.row, 0),
        got=got,
        first=failure.first,
        problem=failure.problem or "",
        pattern="bulk",
        seed=seed,
        replay=replay,
    )
