# SPDX-License-Identifier: BSD-2-Clause
"""Running :mod:`macaw.sim.testbench` under Icarus or Verilator."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cocotb_tools
import numpy as np
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import VerilatorControlFile, get_runner

from macaw.golden.errors import ToolError
from macaw.sim import toolchain
from macaw.sim.bulk import digest
from macaw.sim.interface import Codes, Interface, pack, unpack

PATTERNS_OF_FLOW = {
    "none": ("steady", "reset_midway"),
    "valid": ("steady", "random", "bursts", "reset_midway"),
    "stream": ("steady", "random", "bursts", "always_ready", "slow_consumer", "reset_midway"),
}


def patterns_for(interface: Interface, *, stalls: bool = True) -> tuple[str, ...]:
    """The pause patterns that mean something for a module, ``steady`` first."""
    if not stalls or interface.clock is None:
        return ("steady",)
    patterns = PATTERNS_OF_FLOW[interface.flow]
    return patterns if interface.reset is not None else patterns[:-1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The first failure of a run.

    ``row`` numbers the results; ``got`` has its codes if there was a result without X;
    ``text`` is what the outputs showed, in binary.
    """

    pattern: str
    row: int
    problem: str
    got: Codes | None
    text: tuple[str, ...] | None


class Simulation:
    """A module built for cocotb in one simulator; any number of runs of it.

    Parameters
    ----------
    verilog : str
        Text of the module.
    interface : Interface
        Its pins.
    simulator : {"icarus", "verilator"}
    waves : bool
        Build so that runs can record waveforms.
    """

    def __init__(
        self, verilog: str, interface: Interface, simulator: str, *, waves: bool = False
    ) -> None:
        self.interface = interface
        self.simulator = simulator
        self.waves = waves
        key = digest(verilog, interface.module, simulator, str(waves), *self._versions())

        def build(folder: Path) -> None:
            source = folder / f"{interface.module}.v"
            source.write_text(verilog)
            sources: list[Any] = [source]
            if simulator == "verilator":
                control = folder / "pins.vlt"
                control.write_text(_pins(interface))
                sources.append(VerilatorControlFile(control))
            with self._environment():
                if simulator == "verilator":
                    _provide_runtime(folder, self._runtime())
                self._call(
                    get_runner(simulator).build,
                    folder / "build.log",
                    sources=sources,
                    hdl_toplevel=interface.module,
                    build_dir=folder,
                    timescale=("1ns", "1ps"),
                    always=True,
                    waves=waves,
                    build_args=[*_VERILATOR_ARGUMENTS, *_ONE_FILE]
                    if simulator == "verilator"
                    else [],
                )
            if simulator == "verilator":
                self._keep_runtime(folder)
                for path in folder.glob("V*"):
                    path.unlink()

        self.folder = toolchain.cached_folder(f"cocotb/{key}", build)

    def _versions(self) -> list[str]:
        if self.simulator == "icarus":
            return [toolchain.icarus(), cocotb_tools.__file__, str(_cocotb_version())]
        tool = toolchain.verilator()
        return [
            tool.version,
            str(tool.root),
            toolchain.compiler_version(),
            str(_cocotb_version()),
            cocotb_tools.__file__,  # the program is linked with libraries beside it
            *_VERILATOR_ARGUMENTS,
        ]

    @contextlib.contextmanager
    def _environment(self) -> Iterator[None]:
        """cocotb's runner reads ``os.environ``; give it ours and put the old one back."""
        old = dict(os.environ)
        if self.simulator == "verilator":
            os.environ.update(toolchain.verilator().environment())
        for name in ("WAVES", "GUI", "PYTEST_CURRENT_TEST", "COCOTB_TEST_FILTER"):
            os.environ.pop(name, None)  # they would change what the runner does
        logger = logging.getLogger("cocotb_tools")
        level = logger.level
        logging.disable(logging.ERROR)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
            logger.setLevel(level)
            os.environ.clear()
            os.environ.update(old)

    def _call(self, step: Any, log: Path, **arguments: Any) -> Any:
        try:
            return step(log_file=log, **arguments)
        except (SystemExit, RuntimeError) as error:
            text = log.read_text(errors="replace").splitlines() if log.is_file() else []
            first = next((line for line in text if "rror" in line), text[-1] if text else "")
            raise ToolError(f"{self.simulator}: {first or error}") from error

    def _runtime(self) -> Path:
        return toolchain.cache_folder() / f"verilated-vpi/{digest(*self._versions())}{self.waves}"

    def _keep_runtime(self, folder: Path) -> None:
        """Verilator's runtime is the same for every module: keep it for the next build."""

        def copy(target: Path) -> None:
            for path in folder.glob("verilated*.o"):
                shutil.copy(path, target)

        where = self._runtime()
        toolchain.cached_folder(str(where.relative_to(toolchain.cache_folder())), copy)

    def run(
        self,
        codes: Codes,
        expected: Codes,
        *,
        patterns: Sequence[str],
        seed: int,
        waves: Path | None = None,
    ) -> Verdict | None:
        """Drive ``codes`` under each pattern of pauses; None if all results were as expected.

        Raises
        ------
        ToolError
            The simulator ended without a verdict.
        """
        with tempfile.TemporaryDirectory(prefix="macaw-") as name:
            folder = Path(name)
            write_plan(folder, self.interface, codes, expected, seed)
            extra = {
                "MACAW_PLAN": str(folder),
                "COCOTB_TRUST_INERTIAL_WRITES": "1",  # inputs change at the falling edge only
                "COCOTB_LOG_LEVEL": "WARNING",
                "COCOTB_TEST_FILTER": rf"pattern=({'|'.join(patterns)})\b",
                "PYTHONWARNINGS": "ignore",
            }
            log = folder / "run.log"
            test_arguments: dict[str, Any] = {}
            if waves is not None:
                arguments = _waves_arguments(self.simulator, folder)
                test_arguments = {"waves": True, **arguments}
            results = folder / "results.xml"
            with self._environment(), contextlib.suppress(ToolError):
                self._call(
                    get_runner(self.simulator).test,
                    log,
                    test_module="macaw.sim.testbench",
                    hdl_toplevel=self.interface.module,
                    hdl_toplevel_lang="verilog",
                    build_dir=self.folder,
                    test_dir=folder,
                    results_xml=str(results),
                    seed=seed,
                    extra_env=extra,
                    timescale=("1ns", "1ps"),
                    **test_arguments,
                )
            if waves is not None:
                _keep_waves(folder, waves)
            verdict = folder / "verdict.json"
            if verdict.is_file():
                return self._verdict(json.loads(verdict.read_text()))
            try:
                tests, failed = get_results(results)
            except RuntimeError:
                raise ToolError(f"{self.simulator} ended early: {_last_line(log)}") from None
            if failed or tests != len(patterns):
                raise ToolError(f"{self.simulator}: the testbench failed: {_last_line(log)}")
            return None

    def _verdict(self, data: dict[str, Any]) -> Verdict:
        text, got = data["got"], None
        if text is not None and all(set(value) <= {"0", "1"} for value in text):
            got = {}
            for wire, value in zip(self.interface.outputs, text, strict=True):
                number = int(value, 2)
                words = [number >> shift & (2**64 - 1) for shift in range(0, wire.width, 64)]
                got.update(unpack(wire, np.array([words], np.uint64)))
        return Verdict(
            pattern=data["test"],
            row=data["row"],
            problem=data["problem"],
            got=got,
            text=None if text is None else tuple(text),
        )


_VERILATOR_ARGUMENTS = [
    "--no-public-flat-rw",  # what the runner asks for: twice the code to compile
    "-Wno-fatal",
    "-Wno-lint",
    "-Wno-style",
    "--no-timing",
    "--x-assign",
    "unique",
    "--x-initial",
    "unique",
]
# Several files would be compiled with a precompiled header, for which the PyPI wheel's makefile
# lacks the compiler's option.
_ONE_FILE = ["--output-split", "0"]


def _pins(interface: Interface) -> str:
    """Verilator control file that makes the ports, and nothing else, visible to cocotb."""
    roles = ("clock", "reset", "valid_in", "ready_in", "valid_out", "ready_out")
    names = [getattr(interface, role) for role in roles]
    names += [wire.name for wire in (*interface.inputs, *interface.outputs)]
    lines = [f'public_flat_rw -module "{interface.module}" -var "{name}"' for name in names if name]
    return "\n".join(["`verilator_config", *lines, ""])


def _cocotb_version() -> str:
    from importlib.metadata import version

    return version("cocotb") + sys.version


def _provide_runtime(folder: Path, kept: Path) -> None:
    if kept.is_dir():
        for path in kept.glob("*.o"):
            copy = shutil.copy(path, folder)
            later = time.time() + 3600  # than the makefile, which Verilator has yet to write
            os.utime(copy, (later, later))


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() if log.is_file() else []
    return next((line for line in reversed(lines) if "rror" in line), lines[-1] if lines else "")


def _waves_arguments(simulator: str, folder: Path) -> dict[str, Any]:
    if simulator == "icarus":
        return {"plusargs": [f"+dumpfile_path={folder / 'waves.fst'}"]}
    return {"test_args": ["--trace-file", str(folder / "waves.vcd")]}


def _keep_waves(folder: Path, target: Path) -> None:
    for name in ("waves.fst", "waves.vcd"):
        if (folder / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(folder / name, target)


def write_plan(
    folder: Path, interface: Interface, codes: Codes, expected: Codes, seed: int
) -> None:
    """Leave operands, expected results and pins in ``folder`` for the testbench.

    ``plan.npz`` has one uint64 array (rows, words) per data pin, ``in_<pin>`` and ``out_<pin>``,
    and ``ends``: which rows complete a result. ``plan.json`` has the pins by role.
    """
    rows = len(next(iter(codes.values())))
    noise = np.random.default_rng(seed)
    arrays = {f"in_{wire.name}": pack(wire, codes, noise) for wire in interface.inputs}
    arrays |= {f"out_{wire.name}": pack(wire, expected) for wire in interface.outputs}
    arrays["ends"] = np.asarray(codes["last"]) != 0 if "last" in codes else np.ones(rows, bool)
    np.savez(folder / "plan.npz", **arrays)  # type: ignore[arg-type]
    roles = ("clock", "reset", "reset_level", "valid_in", "ready_in", "valid_out", "ready_out")
    plan: dict[str, Any] = {role: getattr(interface, role) for role in roles}
    plan["inputs"] = [wire.name for wire in interface.inputs]
    plan["outputs"] = [wire.name for wire in interface.outputs]
    plan["output_widths"] = [wire.width for wire in interface.outputs]
    plan["registered"] = interface.registered
    plan |= {"latency": interface.latency, "interval": interface.interval, "seed": seed}
    (folder / "plan.json").write_text(json.dumps(plan))
