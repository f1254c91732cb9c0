# SPDX-License-Identifier: BSD-2-Clause
"""Millions of vectors a second: a Verilated module as a shared library, judged in numpy.

The library is called from a thread and holds no lock, so the stimulus and the golden results of
one chunk are computed while the simulation of the one before runs.
"""

from __future__ import annotations

import ctypes
import hashlib
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from macaw.golden.units import Unit
from macaw.tools import simulators

from . import harness
from .interface import Codes, Interface
from .interface import Field as PinField
from .pauses import EVENTS, longest

_FLAGS = ["-O2", "-fPIC", "-std=c++17", "-fvisibility=hidden", "-DVL_TIME_CONTEXT", "-w"]
_PROBLEMS = {
    1: "a result too many",
    2: "stuck: no operand taken and no result given for 100000 clocks",
    3: "o_valid is not `latency` clocks after its operands",
    4: "o_valid fell while o_ready was low",
    5: "the result changed while o_ready was low",
    6: "the padding beside a result is wrong",
    7: "i_ready depends on o_ready within the clock",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """How often each side pauses, and for how long at most; each that does so at all, also at the
    first and the last of a run.

    Attributes
    ----------
    gap, stall : float
        Share of the clocks without an operand (flow valid, stream), and with the result not
        accepted (stream); below 1.
    burst : int
        The longest pause, and the longest time without one, in clocks.
    """

    gap: float = 0.0
    stall: float = 0.0
    burst: int = 1


_HEADER = "runtime.h"

STEADY = Traffic()
LONG = 12
TRAFFIC = (
    STEADY,
    Traffic(gap=0.3, stall=0.3),
    Traffic(gap=0.5, stall=0.1, burst=LONG),
    Traffic(gap=0.1, stall=0.75, burst=4),
)


def traffic_for(interface: Interface, *, stalls: bool) -> tuple[Traffic, ...]:
    """The patterns that mean something for this flow: one with pauses that outlast the pipeline."""
    if interface.flow == "none" or not stalls:
        return STEADY_ONLY
    most = longest(interface.latency)
    return tuple(replace(t, burst=most) if t.burst == LONG else t for t in TRAFFIC)


STEADY_ONLY = (STEADY,)


def runtime(names: Sequence[str], flags: Sequence[str]) -> list[str]:
    """Object files of parts of Verilator's own runtime, compiled once for this machine."""
    tool = simulators.verilator()
    key = digest(tool.version, simulators.compiler_version(), *flags, *names)

    def build(folder: Path) -> None:
        for name in names:
            source = tool.root / "include" / f"{name}.cpp"
            simulators.run(
                [simulators.compiler(), *flags, *includes(), "-c", str(source), "-o", f"{name}.o"],
                folder=folder,
            )

    holds = [f"{name}.o" for name in names]
    folder = simulators.cached_folder(f"verilated/{key}", build, holds)
    return [str(folder / name) for name in holds]


def precompiled(names: Sequence[str], flags: Sequence[str]) -> list[str]:
    """Options for headers of Verilator's runtime that were compiled once for this machine.

    They are most of what a small model's compilation reads. No options where the compiler is not
    GCC, which alone takes such a header for what it is.
    """
    compiler = Path(simulators.compiler()).name
    if "g++" not in compiler or "clang" in compiler:
        return []
    tool = simulators.verilator()
    key = digest("header", tool.version, simulators.compiler_version(), *flags, *names)

    def build(folder: Path) -> None:
        text = "".join(f"#include <{name}>\n" for name in names)
        (folder / _HEADER).write_text(text, encoding="utf-8")
        command = [simulators.compiler(), *flags, *includes(), "-x", "c++-header", _HEADER]
        simulators.run([*command, "-o", f"{_HEADER}.gch"], folder=folder)

    folder = simulators.cached_folder(f"verilated/{key}", build, [_HEADER, f"{_HEADER}.gch"])
    return ["-include", str(folder / _HEADER)]


def includes() -> list[str]:
    """Compiler options that make Verilator's headers found."""
    include = simulators.verilator().root / "include"
    return [f"-I{include}", f"-I{include / 'vltstd'}"]


def verilated(folder: Path, parts: Sequence[str], more: str = "") -> None:
    """Leave ``all.cpp`` in ``folder``: all that Verilator made in ``parts``, and more."""
    # Verilator's guard against two precompiled headers does not concern plain inclusion.
    again = "#undef VL_PCH_INCLUDED\n"
    classes = [
        f"{part}/{path.name}" for part in parts for path in sorted((folder / part).glob("V*.cpp"))
    ]
    text = "".join(f'{again}#include "{name}"\n' for name in classes) + more
    (folder / "all.cpp").write_text(text, encoding="utf-8")


def digest(*parts: str) -> str:
    """A short content hash, for names in the cache."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def build(verilog: str, interface: Interface, *, quick: bool = False) -> Path:
    """The shared library for one module, from the cache if it was built before.

    ``quick`` compiles it without optimisation: of a large netlist and few vectors, most of the
    time is the compiler's.

    Takes one to some ten seconds. Nothing is left in the cache by an interrupted build.

    Raises
    ------
    ToolError
        Verilator or the compiler is missing, or refuses the module.
    """
    return build_many([(verilog, interface)], quick=quick)


def build_many(modules: Sequence[tuple[str, Interface]], *, quick: bool = False) -> Path:
    """Like :func:`build`, one library for several modules: ``Model(..., number=n)`` for the n-th.

    A small module takes a fifth of the time that it takes alone.
    """
    tool = simulators.verilator()
    # Many modules have few vectors each: there the compiler takes longer than what it saves.
    flags = ["-O0", *_FLAGS[1:]] if quick or len(modules) > 1 else _FLAGS
    text = harness.source([interface for _, interface in modules])
    verilogs = [verilog for verilog, _ in modules]
    tools = (tool.version, *tool.options, simulators.compiler_version())
    key = digest(*verilogs, text, *tools, *flags)

    def make(folder: Path) -> None:
        (folder / "harness.cpp").write_text(text, encoding="utf-8")
        for number, (verilog, interface) in enumerate(modules):
            (folder / f"module{number}.v").write_text(verilog, encoding="utf-8")
            verilate = [*tool.command, *tool.options, "--cc", "-O3"]
            verilate += ["--x-assign", "unique", "--x-initial", "unique", "--no-timing", "--quiet"]
            verilate += ["--top-module", interface.module, "--prefix", f"Vtop{number}"]
            verilate += ["--Mdir", f"obj{number}", f"module{number}.v"]
            simulators.run(verilate, folder=folder, env=tool.environment())
        parts = [f"obj{number}" for number in range(len(modules))]
        verilated(folder, parts, '#include "harness.cpp"\n')
        objects = runtime(("verilated", "verilated_threads"), _FLAGS)
        compile_ = [simulators.compiler(), *flags, *precompiled(["verilated.h"], flags)]
        compile_ += [*includes(), "-I."]
        compile_ += [f"-I{part}" for part in parts]
        if sys.platform != "darwin":
            compile_ += ["-Wl,-Bsymbolic"]
            if "g++" in Path(simulators.compiler()).name and "clang" not in simulators.compiler():
                compile_ += ["-fno-gnu-unique"]
        simulators.run(
            [*compile_, "-shared", "all.cpp", *objects, "-o", "model.so", "-lpthread"],
            folder=folder,
        )
        for part in parts:
            shutil.rmtree(folder / part)

    return simulators.cached_folder(f"bulk/{key}", make, ["model.so"]) / "model.so"


class Model:
    """A simulated module that takes and gives arrays of codes.

    Parameters
    ----------
    library : Path
        What :func:`build` returned.
    interface : Interface
        The pins it was built for.
    seed : int
        Of the registers' values before reset.
    number : int
        Of the module in a library of several.
    """

    def __init__(
        self, library: Path, interface: Interface, *, seed: int = 1, number: int = 0
    ) -> None:
        self.interface = interface
        self.seconds = 0.0
        self._paused = np.zeros(len(EVENTS), np.int64)
        functions = ctypes.CDLL(str(library))
        opened, self._run, self._close = (
            functions[f"macaw_{name}_{number}"] for name in ("open", "run", "close")
        )
        opened.restype = ctypes.c_void_p
        opened.argtypes = [ctypes.c_uint64]
        self._close.argtypes = [ctypes.c_void_p]
        pointers = ctypes.POINTER(ctypes.c_void_p)
        self._run.argtypes = [
            ctypes.c_void_p,
            pointers,
            ctypes.c_int64,
            pointers,
            ctypes.c_int64,
            *[ctypes.c_uint32] * 3,
            ctypes.c_uint64,
            ctypes.c_void_p,
            ctypes.POINTER(ctypes.c_int64),
        ]
        self._simulation = opened(seed)

    @classmethod
    def of(cls, design: Any, *, seed: int = 1, quick: bool = False) -> Model:
        """Build (or find) and open the model of a design (``.verilog .metadata .spec``).

        ``quick`` as of :func:`build`.
        """
        interface = Interface.of(design.metadata, design.spec.ports)
        return cls(build(design.verilog, interface, quick=quick), interface, seed=seed)

    @classmethod
    def of_many(cls, designs: Sequence[Any], *, seed: int = 1) -> list[Model]:
        """The models of designs, whatever their units, in one library."""
        interfaces = [Interface.of(design.metadata, design.spec.ports) for design in designs]
        verilogs = [design.verilog for design in designs]
        library = build_many(list(zip(verilogs, interfaces, strict=True)))
        return [
            cls(library, interface, seed=seed, number=number)
            for number, interface in enumerate(interfaces)
        ]

    def close(self) -> None:
        """Free the simulation."""
        if self._simulation:
            self._close(self._simulation)
            self._simulation = None

    def events(self) -> dict[str, int]:
        """How often each of :data:`.pauses.EVENTS` came in all runs, by its name."""
        return {each.name: int(n) for each, n in zip(EVENTS, self._paused, strict=True)}

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(
        self, codes: Codes, *, traffic: Traffic = STEADY, seed: int = 1
    ) -> tuple[Codes, str | None]:
        """Move rows of operands through the module.

        Parameters
        ----------
        codes : dict of name to array
            Shape (n,) or (n, lanes). Row i follows row i - 1 at the first clock that the flow and
            the pauses allow. An accumulating unit's last row must have ``last`` set.
        traffic : Traffic
            Pauses; all of them are drawn from ``seed``.

        Returns
        -------
        results, problem
            One row per result; and None, or what is wrong with the handshake in one line.
        """
        codes = self.interface.offered(codes, seed)
        rows = len(next(iter(codes.values())))
        sums = "last" in codes
        expected = int(np.count_nonzero(codes["last"])) if sums else rows
        capacity = rows if self.interface.flow == "none" else expected
        sources = [
            np.ascontiguousarray(codes[f.name], f.dtype) for f in _fields(self.interface.inputs)
        ]
        fields = _fields(self.interface.outputs)
        results = {
            f.name: np.zeros(capacity if f.lanes is None else (capacity, f.lanes), f.dtype)
            for f in fields
        }
        got = ctypes.c_int64(0)
        start = time.thread_time()
        status = self._run(
            self._simulation,
            _addresses(sources),
            rows,
            _addresses(list(results.values())),
            capacity,
            min(int(traffic.gap * 65536), 65000),
            min(int(traffic.stall * 65536), 65000),
            traffic.burst,
            seed & 0xFFFFFFFFFFFFFFFF,
            self._paused.ctypes.data,
            ctypes.byref(got),
        )
        self.seconds += time.thread_time() - start
        if sums and self.interface.flow == "none":
            ends = np.asarray(codes["last"]) != 0
            return {name: column[ends] for name, column in results.items()}, None
        problem = _PROBLEMS.get(status)
        count = got.value
        if problem is None and count != expected:
            problem = f"{count} results for {expected} operands"
        return {name: column[:count] for name, column in results.items()}, problem


def _fields(wires: Iterable[Any]) -> list[PinField]:
    return [f for wire in wires for f in wire.fields]


def _addresses(arrays: Sequence[np.ndarray]) -> Any:
    return (ctypes.c_void_p * max(1, len(arrays)))(*[a.ctypes.data for a in arrays])


_Running = tuple[Codes, Future[tuple[Codes, str | None]]]


def differing(expected: Codes, got: Codes) -> np.ndarray:
    """Rows, in order, where any result differs or is missing."""
    rows = max(len(next(iter(expected.values()))), len(next(iter(got.values()))))
    wrong = np.zeros(rows, bool)
    for name, wanted in expected.items():
        common = min(len(wanted), len(got[name]))
        wrong[common:] = True
        unequal = wanted[:common] != got[name][:common]
        wrong[:common] |= unequal if unequal.ndim == 1 else unequal.any(axis=1)
    return np.flatnonzero(wrong)


@dataclass(kw_only=True, slots=True)
class Failure:
    """The first wrong result of one model, with the chunk it is in.

    ``row`` numbers the results of the chunk; ``first`` the vectors that came before the chunk.
    """

    first: int
    row: int
    codes: Codes
    expected: Codes
    got: Codes
    problem: str | None


@dataclass(kw_only=True, slots=True)
class Tally:
    """What a run did and what failed in which model.

    ``seconds`` is wall time; ``stimulus``, ``golden``, ``simulation`` and ``compare`` are CPU
    seconds, the first two and the last in the calling thread.
    """

    vectors: int = 0
    seconds: float = 0.0
    stimulus: float = 0.0
    golden: float = 0.0
    simulation: float = 0.0
    compare: float = 0.0
    failures: dict[int, Failure] = field(default_factory=dict)


def compare(
    unit: Unit,
    models: Sequence[Model],
    chunks: Iterable[Codes],
    *,
    seed: int = 1,
    stalls: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Tally:
    """Move every chunk through every model and compare with ``unit.evaluate``.

    The golden results are computed once for all models, while these simulate in threads. A model
    that failed gets no more vectors; the run ends when none is left.

    Parameters
    ----------
    models : sequence of Model
        Implementations of the same unit.
    stalls : bool
        Alternate between the pause patterns of :data:`TRAFFIC`, chunk by chunk.
    progress : callable, optional
        Called with the number of vectors done, from this thread.
    """
    tally = Tally()
    start = time.perf_counter()
    before = sum(model.seconds for model in models)
    waiting: list[tuple[int, Codes, Codes, dict[int, _Running]]] = []

    def settle() -> None:
        first, plain, results, running = waiting.pop(0)
        for number, (codes, future) in running.items():
            got, problem = future.result()
            begin = time.thread_time()
            expected = models[number].interface.expected(codes, results)
            wrong = differing(expected, got)
            tally.compare += time.thread_time() - begin
            if (len(wrong) or problem) and number not in tally.failures:
                row = int(wrong[0]) if len(wrong) else len(next(iter(got.values()))) - 1
                tally.failures[number] = Failure(
                    first=first, row=row, codes=codes, expected=expected, got=got, problem=problem
                )
        tally.vectors = first + len(next(iter(plain.values())))
        if progress is not None:
            progress(tally.vectors)

    workers = [ThreadPoolExecutor(1) for _ in models]
    try:
        first = 0
        source = iter(chunks)
        for number in range(sys.maxsize):
            begin = time.thread_time()
            codes = next(source, None)
            tally.stimulus += time.thread_time() - begin
            if codes is None or len(tally.failures) == len(models):
                break
            running = {}
            for index, model in enumerate(models):
                if index not in tally.failures:
                    patterns = traffic_for(model.interface, stalls=stalls)
                    traffic = patterns[number % len(patterns)]
                    own = seed * 1000003 + number
                    offered = model.interface.offered(codes, own)
                    running[index] = (
                        offered,
                        workers[index].submit(model.run, offered, traffic=traffic, seed=own),
                    )
            begin = time.thread_time()
            expected = unit.evaluate(**codes)
            tally.golden += time.thread_time() - begin
            waiting.append((first, codes, expected, running))
            first += len(next(iter(codes.values())))
            if len(waiting) > 2:
                settle()
        while waiting:
            settle()
    finally:
        for worker in workers:
            worker.shutdown(wait=True, cancel_futures=True)
    tally.seconds = time.perf_counter() - start
    tally.simulation = sum(model.seconds for model in models) - before
    return tally
