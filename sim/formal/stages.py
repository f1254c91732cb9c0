# SPDX-License-Identifier: BSD-2-Clause
"""Pipelines against their gates in one clock, for all operands, pauses and stalls, without end.

No clocks are unrolled. That every way from operands to results leads through as many registers as
the latency is read from the netlist: then a result is the function of one operation's operands
that is left where registers are taken for wires, and a question about gates without registers.

A stream's registers all move together or not at all, at the clocks of ``i_ready``. Where that is
``o_ready`` or no valid result, an operation is taken, moved on and given away once: nothing is
lost, doubled or out of order, and the pipeline moves whenever its reader is ready.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from macaw.tools import processes, yosys

from ..bench.interface import Interface
from .miter import Source

_READ = """\
read_verilog -sv gates.v
hierarchy -check -top macaw_running
proc
flatten
opt_expr
opt_clean
opt_dff -nosdff
opt_expr
opt_clean
{mapped}simplemap
opt_clean
write_json gates.json
"""

# Models of cells are of any operators; what enables a register is to be of simple gates.
_MAPPED = """\
dffunmap -srst-only
techmap
opt -full -noff
aigmap
"""

_GATES = {"$_NOT_": ("A",), "$_AND_": ("A", "B"), "$_OR_": ("A", "B"), "$_XOR_": ("A", "B")}
_LOGIC = {
    "$_NOT_": lambda a: not a,
    "$_AND_": lambda a, b: a and b,
    "$_OR_": lambda a, b: a or b,
    "$_XOR_": lambda a, b: a != b,
}


def refuses(interface: Interface) -> str:
    """Why nothing is claimed of such a module's clocks; empty if something is."""
    if interface.interval != 1:
        return f"it takes an operation in {interface.interval} clocks"
    if interface.registered:
        return "ready=registered keeps operands in a skid buffer"
    fields = [field for pin in (*interface.inputs, *interface.outputs) for field in pin.fields]
    if len(fields) != len([*interface.inputs, *interface.outputs]) or any(
        field.offset or field.padding for field in fields
    ):
        return "a bus has its operands beside each other"
    return ""


def running(verilog: str, interface: Interface) -> Source:
    """The module out of reset, with valid where it has one, as ``macaw_running``."""
    pins = [(f"input [{pin.width - 1}:0]", pin.name) for pin in interface.inputs]
    pins += [(f"output [{pin.width - 1}:0]", pin.name) for pin in interface.outputs]
    pins += [("input", name) for name in (interface.clock, interface.valid_in) if name]
    pins += [("output", name) for name in (interface.valid_out, interface.ready_in) if name]
    pins += [("input", name) for name in (interface.ready_out,) if name]
    wires = [f".{name}({name})" for _, name in pins]
    if interface.reset is not None:
        wires.append(f".{interface.reset}(1'b{1 - interface.reset_level})")
    ports = ", ".join(f"{kind} {name}" for kind, name in pins)
    text = (
        f"module macaw_running({ports});\n{interface.module} it({', '.join(wires)});\nendmodule\n"
    )
    return Source(module="macaw_running", verilog=f"{verilog}\n{text}")


def at_once(gates: Any, interface: Interface) -> Source:
    """Gates without registers, with the valid of ``interface``, as ``macaw_at_once``."""
    pins = [(f"input [{pin.width - 1}:0]", pin.name) for pin in interface.inputs]
    pins += [(f"output [{pin.width - 1}:0]", pin.name) for pin in interface.outputs]
    wires = ", ".join(f".{name}({name})" for _, name in pins)
    lines = [f"{gates.metadata['name']} it({wires});"]
    if interface.valid_in and interface.valid_out:
        pins += [("input", interface.valid_in), ("output", interface.valid_out)]
        lines.append(f"assign {interface.valid_out} = {interface.valid_in};")
    ports = ", ".join(f"{kind} {name}" for kind, name in pins)
    text = "\n".join([f"module macaw_at_once({ports});", *lines, "endmodule", ""])
    return Source(module="macaw_at_once", verilog=f"{gates.verilog}\n{text}")


def unequal_ways(
    source: Source, interface: Interface, *, timeout: float, mapped: bool = False
) -> str:
    """What speaks against one latency of all ways through the module; empty if nothing does.

    ``mapped``: the module is a netlist with the models of its cells.

    Raises
    ------
    ToolError
        Yosys is missing or fails.
    """
    with processes.temporary_folder() as folder:
        script = _READ.format(mapped=_MAPPED if mapped else "")
        (folder / "gates.v").write_text(source.verilog, encoding="utf-8")
        (folder / "read.ys").write_text(script, encoding="utf-8")
        tool = yosys.find("yosys", prefer="yowasp")
        yosys.call(tool, ("-q", "-s", "read.ys"), folder=folder, timeout=timeout, what="netlist")
        return _Netlist.of(folder / "gates.json").complaint(interface)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Netlist:
    """For each bit what drives it, a type and the bits at its pins; the bits of ports by name.

    Registers and simple gates have pins of one bit, adders and multipliers of several.
    """

    drivers: dict[int, tuple[str, dict[str, list[Any]]]]
    ports: dict[str, list[Any]]

    @classmethod
    def of(cls, path: Path) -> _Netlist:
        module = json.loads(path.read_text(encoding="utf-8"))["modules"]["macaw_running"]
        drivers = {}
        for cell in module["cells"].values():
            pins = cell["connections"]
            for name, direction in cell["port_directions"].items():
                if direction == "output":
                    for bit in pins[name]:
                        drivers[bit] = cell["type"], pins
        ports = {name: port["bits"] for name, port in module["ports"].items()}
        return cls(drivers=drivers, ports=ports)

    def complaint(self, interface: Interface) -> str:
        registers = [(kind, pins) for kind, pins in self.drivers.values() if "Q" in pins]
        wanted = "$_DFFE_PP_" if interface.ready_in else "$_DFF_P_"
        if others := {kind for kind, _ in registers} - {wanted}:
            return f"it has registers {', '.join(sorted(others))}"
        if interface.ready_in:
            assert interface.valid_out is not None
            assert interface.ready_out is not None
            ready, valid = (
                self.ports[name][0] for name in (interface.ready_out, interface.valid_out)
            )
            moving = {pins["E"][0] for _, pins in registers} | set(self.ports[interface.ready_in])
            for known in ({ready: r, valid: v} for r in (False, True) for v in (False, True)):
                moves = known[ready] or not known[valid]
                if any(self._value(bit, known) is not moves for bit in moving):
                    return (
                        f"registers do not move where {interface.ready_out} is set or "
                        f"{interface.valid_out} is not"
                    )
        return self._latencies(interface)

    def _value(self, bit: Any, known: dict[Any, bool]) -> bool | None:
        if bit in known or isinstance(bit, str):
            return known.get(bit, bit == "1")
        type_, pins = self.drivers.get(bit, ("", {}))
        if type_ not in _GATES:
            return None
        values = [self._value(pins[name][0], known) for name in _GATES[type_]]
        return None if None in values else bool(_LOGIC[type_](*values))

    def _latencies(self, interface: Interface) -> str:
        """Count registers on the way to each bit; constants are there at all times."""
        inputs = [pin.name for pin in interface.inputs]
        inputs += [interface.valid_in] if interface.valid_in else []
        outputs = [pin.name for pin in interface.outputs]
        outputs += [interface.valid_out] if interface.valid_out else []
        stage: dict[Any, int | None] = {bit: 0 for name in inputs for bit in self.ports[name]}
        for name in outputs:
            for bit in self.ports[name]:
                waiting, open_ = [bit], set()
                while waiting:
                    this = waiting[-1]
                    if this in stage or isinstance(this, str):
                        waiting.pop()
                        continue
                    if this not in self.drivers:
                        return f"a bit of {name} depends on no operand"
                    _, pins = self.drivers[this]
                    register = "Q" in pins
                    ins = [bits for n, bits in pins.items() if n not in ("Y", "Q", "C", "E")]
                    sources = [source for bits in ins for source in bits]
                    left = [b for b in sources if b not in stage and not isinstance(b, str)]
                    if left:
                        if this in open_:
                            return "it keeps something: a way through it comes back"
                        open_.add(this)
                        waiting += left
                        continue
                    ways = (stage[b] for b in sources if not isinstance(b, str))
                    found = {way for way in ways if way is not None}
                    if len(found) > 1:
                        return f"ways of {sorted(found)} registers meet on the way to {name}"
                    at = found.pop() if found else None
                    stage[this] = at + register if at is not None else None
                    waiting.pop()
                at = None if isinstance(bit, str) else stage[bit]
                if at not in (None, interface.latency):
                    return f"{name} is {at} clocks after its operands, not {interface.latency}"
        return ""
