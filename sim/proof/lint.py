# SPDX-License-Identifier: BSD-2-Clause
"""Do Verilator and Icarus take generated files as they are, without a warning?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from macaw.tools import processes, simulators

LONGEST = 300  # seconds for one call of a tool


def complaints(designs: Sequence[Any]) -> list[str]:
    """What the tools say of modules, each alone and all below a module with a time scale.

    Parameters
    ----------
    designs : sequence of Design
        Of different names. Their files are read as ``write`` leaves them, by
        ``verilator --lint-only -Wall``, which has all warnings of Verilator without ``-Wall``,
        before and after a file that has a time scale, and by ``iverilog -Wall``; no warning is
        switched off.

    Returns
    -------
    list of str
        Lines of the tools' output, each once, none if all is well.

    Raises
    ------
    ToolError
        Verilator or Icarus is missing.
    """
    tool = simulators.verilator()
    simulators.icarus()
    verilator = [*tool.command, "--lint-only", "--quiet", "-Wall"]
    icarus = [str(processes.which("iverilog")), "-Wall", "-t", "null"]
    with processes.temporary_folder() as folder:
        for design in designs:
            design.write(folder)
        (folder / "board.v").write_text(board(designs), encoding="utf-8")
        files = [f"{design.name}.v" for design in designs]
        calls = [[file] for file in files] + [[*files, "board.v"], ["board.v", *files]]
        commands = [[*verilator, *sources] for sources in calls]
        commands += [[*icarus, file] for file in files]
        lines = [line for command in commands for line in _said(command, folder)]
    return list(dict.fromkeys(lines))


def board(designs: Sequence[Any]) -> str:
    """Verilog of a module ``board`` that has a time scale, the designs, and all their ports."""
    ports, instances = [], []
    for number, design in enumerate(designs):
        pins = []
        for port in design.metadata["ports"]:
            wire = f"u{number}_{port['name']}"
            ports.append(f"  {port['direction']} [{port['width'] - 1}:0] {wire}")
            pins.append(f".{port['name']}({wire})")
        instances.append(f"  {design.name} u{number} ({', '.join(pins)});\n")
    header = ",\n".join(ports)
    return f"`timescale 1ns/1ps\nmodule board (\n{header}\n);\n{''.join(instances)}endmodule\n"


def _said(command: list[str], folder: Path) -> list[str]:
    env = simulators.verilator().environment()
    done = processes.run(command, folder=folder, env=env, timeout=LONGEST)
    lines = [line for line in (done.errors + done.output).splitlines() if line.strip()]
    return lines or ([f"{command[0]}: exit status {done.status}"] if done.status else [])
