# SPDX-License-Identifier: BSD-2-Clause
"""Units with a state: one beat of the gates against one beat of a machine, from any state.

Registers are taken out: what they keep is an input, and what they take an output. If from states
that mean the same, and with the same operands, both give the same results and get to states that
mean the same, and a reset does so from any state, then so it is after every sequence of beats.
That registers begin as a reset leaves them is read from the netlist.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from macaw.tools import processes, yosys

from ..bench.interface import Interface
from . import miter, plain
from .plain.machines import Machine

GATES, REFERENCE = "macaw_beat", "macaw_machine"
_OPEN = "macaw_opened"
_READ = """\
read_verilog -sv gates.v
hierarchy -check -top {name}
proc
flatten
dffunmap
opt_clean
write_json gates.json
"""
_WRITE = """\
read_json opened.json
write_verilog -noattr opened.v
"""


class NoMachine(Exception):
    """The gates keep something that the machine does not, and what that is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Register:
    """A register of the gates: its name without its stage, its port, and what it begins with."""

    name: str
    port: str
    width: int
    begins: str


def question(
    design: Any, interface: Interface, machine: Machine, *, timeout: float
) -> miter.Question:
    """Whether a beat of a design without stages is one of a machine.

    Raises
    ------
    NoMachine
        It has other registers than the machine has numbers, or one begins otherwise.
    ToolError
        Yosys is missing or fails.
    """
    with processes.temporary_folder() as folder:
        verilog, registers = _opened(design, folder, timeout)
    found = {register.name: register for register in registers}
    wanted = {state.register for state in machine.states}
    if wanted != {*found} or len(found) != len(registers):
        raise NoMachine(f"it keeps {', '.join(sorted(found))}, not {', '.join(sorted(wanted))}")
    for state in machine.states:
        if state.begins is not None and found[state.register].begins != state.begins:
            raise NoMachine(
                f"{state.register} begins with another number than a reset leaves there"
            )
    data = {pin.name: pin.width for pin in interface.inputs}
    inputs = data | {"rst": 1}
    outputs = {pin.name: pin.width for pin in interface.outputs}
    states = {f"q_{each.name}": each.width for each in registers}
    nexts = {f"n_{state.name}": state.width for state in machine.states}
    made = {"counts": 1, "fits": 1}
    meant = [f"wire [{each.width - 1}:0] d_{each.name};" for each in registers]
    means = []
    for state in machine.states:
        left = f"wire [{state.width - 1}:0]"
        for word, side, lines in (("q", "s", means), ("d", "m", meant)):
            text = state.meaning.format(x=f"{word}_{state.register}")
            lines.append(f"{left} {side}_{state.name} = {text};")
        meant.append(f"assign n_{state.name} = m_{state.name};")
    ports = _ports(inputs | states, outputs | nexts)
    pins = [f".{name}({name})" for name in (*data, *outputs)]
    reset = "rst" if interface.reset_level else "~rst"
    pins += [f".{interface.reset}({reset})", f".{interface.clock}(1'b0)"]
    for each in registers:
        pins += [f".{each.port}_q(q_{each.name})", f".{each.port}_d(d_{each.name})"]
    gates = "\n".join([
        f"module {GATES}({ports});",
        *meant,
        f"{_OPEN} it({', '.join(pins)});",
        "endmodule\n",
    ])  # fmt: skip
    pins = [f".{name}({name})" for name in (*inputs, *outputs, *nexts, *made)]
    pins += [f".s_{state.name}(s_{state.name})" for state in machine.states]
    reference = "\n".join([
        f"module {REFERENCE}({_ports(inputs | states, outputs | nexts | made)});",
        *means,
        f"{plain.MODULE} it({', '.join(pins)});",
        "endmodule\n",
    ])  # fmt: skip
    return miter.Question(
        gates=miter.Source(module=GATES, verilog=f"{verilog}\n{gates}"),
        reference=miter.Source(module=REFERENCE, verilog=f"{machine.verilog}\n{reference}"),
        inputs=inputs | states,
        outputs=outputs | nexts,
        counts=tuple(outputs),
    )


def _ports(inputs: dict[str, int], outputs: dict[str, int]) -> str:
    ports = [f"input [{width - 1}:0] {name}" for name, width in inputs.items()]
    return ", ".join([*ports, *(f"output [{w - 1}:0] {name}" for name, w in outputs.items())])


def _opened(design: Any, folder: Path, timeout: float) -> tuple[str, list[_Register]]:
    """The gates with ports ``NAME_q`` and ``NAME_d`` in the place of each register."""
    tool = yosys.find("yosys", prefer="yowasp")
    name = design.metadata["name"]

    def run(script: str) -> None:
        (folder / "script.ys").write_text(script, encoding="utf-8")
        yosys.call(tool, ("-q", "-s", "script.ys"), folder=folder, timeout=timeout, what="proof")

    (folder / "gates.v").write_text(design.verilog, encoding="utf-8")
    run(_READ.format(name=name))
    read = json.loads((folder / "gates.json").read_text(encoding="utf-8"))
    module = read["modules"].pop(name)
    read["modules"] = {_OPEN: module}
    names = {tuple(net["bits"]): label for label, net in module["netnames"].items()
             if not net["hide_name"]}  # fmt: skip
    registers = []
    for cell, content in list(module["cells"].items()):
        if content["type"] != "$dff":
            continue
        pins = content["connections"]
        label = names.get(tuple(pins["Q"]))
        if label is None:
            raise NoMachine("it keeps a word without a name")
        del module["cells"][cell]
        port = label
        for side, bits, direction in (("q", pins["Q"], "input"), ("d", pins["D"], "output")):
            new = f"{port}_{side}"
            module["ports"][new] = {"direction": direction, "bits": bits}
            module["netnames"][new] = {"hide_name": 0, "bits": bits, "attributes": {}}
        short = re.sub(r"_s\d+$", "", label)
        begins = module["netnames"][label]["attributes"].pop("init", "")
        registers.append(_Register(name=short, port=port, width=len(pins["Q"]), begins=begins))
    (folder / "opened.json").write_text(json.dumps(read), encoding="utf-8")
    run(_WRITE)
    return (folder / "opened.v").read_text(encoding="utf-8"), registers
