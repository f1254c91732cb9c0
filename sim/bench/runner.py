# SPDX-License-Identifier: BSD-2-Clause
"""Running :mod:`macaw.sim.bench.testbench` under Icarus or Verilator."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cocotb_tools
import numpy as np
from cocotb_tools import config
from cocotb_tools.check_results import get_results
from find_libpython import find_libpython

from macaw.golden.errors import ToolError
from macaw.tools import files, processes, simulators

from .bulk import digest, includes, precompiled, runtime, verilated
from .interface import Codes, Interface, pack, unpack

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

    Attributes
    ----------
    paused : Counter
        How often each of :data:`.pauses.EVENTS` came, by its name, in all runs that passed.
    """

    def __init__(
        self, verilog: str, interface: Interface, simulator: str, *, waves: bool = False
    ) -> None:
        self.interface = interface
        self.simulator = simulator
        self.waves = waves
        self.paused: Counter[str] = Counter()
        key = digest(verilog, interface.module, simulator, str(waves), *self._versions())

        def build(folder: Path) -> None:
            source = f"{interface.module}.v"
            (folder / source).write_text(verilog, encoding="utf-8")
            make = self._build_icarus if simulator == "icarus" else self._build_verilator
            make(folder, source)

        program = "sim.vvp" if simulator == "icarus" else "simulate"
        self.program = simulators.cached_folder(f"cocotb/{key}", build, [program]) / program

    def _build_icarus(self, folder: Path, source: str) -> None:
        (folder / "cmds.f").write_text("+timescale+1ns/1ps\n", encoding="utf-8")
        tops, sources = ["-s", self.interface.module], [source]
        if self.waves:
            (folder / "waves.v").write_text(_DUMP % self.interface.module, encoding="utf-8")
            tops, sources = [*tops, "-s", "macaw_waves"], [source, "waves.v"]
        compiler = str(processes.which("iverilog"))
        command = [compiler, "-o", "sim.vvp", *tops, "-g2012", "-f", "cmds.f", *sources]
        simulators.run(command, folder=folder)

    def _build_verilator(self, folder: Path, source: str) -> None:
        tool = simulators.verilator()
        (folder / "pins.vlt").write_text(_pins(self.interface), encoding="utf-8")
        command = [*tool.command, *tool.options, "--cc", "--vpi"]
        command += ["--prefix", "Vtop", "--Mdir", "obj"]
        command += ["--top-module", self.interface.module, "--timescale", "1ns/1ps"]
        command += ["--trace"] if self.waves else []
        simulators.run(
            [*command, *_VERILATOR_ARGUMENTS, source, "pins.vlt"],
            folder=folder,
            env=tool.environment(),
        )
        verilated(folder, ["obj"])
        flags = [*_FLAGS, f"-DVM_TRACE={int(self.waves)}", f"-DVM_TRACE_VCD={int(self.waves)}"]
        names = ["verilated", "verilated_threads", "verilated_vpi"]
        names += ["verilated_vcd_c"] if self.waves else []
        main = config.share_dir / "lib" / "verilator" / "verilator.cpp"
        libraries = [f"-L{config.libs_dir}", f"-Wl,-rpath,{config.libs_dir}"]
        headers = ["verilated.h", "verilated_vpi.h"]
        command = [simulators.compiler(), *flags, *precompiled(headers, flags), *includes()]
        command += ["-Iobj", "-I.", "all.cpp", str(main)]
        command += [*runtime(names, flags), "-o", "simulate", *libraries]
        simulators.run([*command, "-lcocotbvpi_verilator", "-lpthread"], folder=folder)
        shutil.rmtree(folder / "obj")

    def _versions(self) -> list[str]:
        if self.simulator == "icarus":
            return [simulators.icarus(), cocotb_tools.__file__, str(_cocotb_version())]
        tool = simulators.verilator()
        return [
            tool.version,
            *tool.options,
            str(tool.root),
            simulators.compiler_version(),
            str(_cocotb_version()),
            cocotb_tools.__file__,  # the program is linked with libraries beside it
            *_VERILATOR_ARGUMENTS,
            *_FLAGS,
        ]

    def start(self, module: str, folder: Path, *, seed: int, **variables: str) -> None:
        """Run the tests of a Python module under cocotb, as the flow without its runner has it.

        ``variables`` are of the process's environment. ``results.xml`` and ``run.log`` are left in
        ``folder``.
        """
        own = {
            "GPI_USERS": f"{find_libpython()};{config.pygpi_entry_point()}",
            "PYGPI_PYTHON_BIN": sys.executable,
            "TOPLEVEL_LANG": "verilog",
            "COCOTB_TOPLEVEL": self.interface.module,
            "COCOTB_TEST_MODULES": module,
            "COCOTB_RANDOM_SEED": str(seed),
            "COCOTB_RESULTS_FILE": str(folder / "results.xml"),
            "COCOTB_LOG_LEVEL": "WARNING",
            "PYTHONWARNINGS": "ignore",
        }
        if self.simulator == "icarus":
            interface = config.lib_entry("vpi", "icarus")
            waves = "-fst" if self.waves else "-none"
            command = [str(processes.which("vvp")), "-m", interface, str(self.program), waves]
        else:
            command = [str(self.program), *(["--trace"] if self.waves else [])]
        env = processes.environment(**own, **variables)
        try:
            processes.run(command, folder=folder, env=env, log=folder / "run.log")
        except OSError as error:
            raise ToolError(f"{self.simulator} cannot be started: {error}") from None

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
        with processes.temporary_folder() as folder:
            write_plan(folder, self.interface, codes, expected, seed)
            self.start(
                "macaw.sim.bench.testbench",
                folder,
                seed=seed,
                COCOTB_TEST_FILTER=rf"pattern=({'|'.join(patterns)})\b",
                COCOTB_TRUST_INERTIAL_WRITES="1",  # inputs change while the clock is steady only
                MACAW_PLAN=str(folder),
            )
            if waves is not None:
                _keep_waves(folder, waves)
            verdict = folder / "verdict.json"
            if verdict.is_file():
                return self._verdict(json.loads(verdict.read_text(encoding="utf-8")))
            log = folder / "run.log"
            try:
                tests, failed = get_results(folder / "results.xml")
            except RuntimeError:
                raise ToolError(f"{self.simulator} ended early: {_last_line(log)}") from None
            if failed or tests != len(patterns):
                raise ToolError(f"{self.simulator}: the testbench failed: {_last_line(log)}")
            for path in folder.glob("paused_*.json"):
                self.paused.update(json.loads(path.read_text(encoding="utf-8")))
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
    "--no-timing",
    "--x-assign",
    "unique",
    "--x-initial",
    "unique",
]
_FLAGS = ["-Os", "-std=gnu++17", "-w"]  # and not VL_TIME_CONTEXT: cocotb's program keeps time

_DUMP = """module macaw_waves;
  initial begin
    $dumpfile("waves.fst");
    $dumpvars(0, %s);
  end
endmodule
"""


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


def _last_line(log: Path) -> str:
    lines = processes.text_of(log).strip().splitlines() if log.is_file() else []
    return next((line for line in reversed(lines) if "rror" in line), lines[-1] if lines else "")


def _keep_waves(folder: Path, target: Path) -> None:
    for name in ("waves.fst", "dump.vcd"):
        if (folder / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            with files.replacing(target) as draft:
                shutil.copyfile(folder / name, draft)


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
    plan |= {"registered": interface.registered, "waits": interface.waits}
    plan |= {"latency": interface.latency, "interval": interface.interval, "seed": seed}
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
