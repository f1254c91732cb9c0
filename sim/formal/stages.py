# SPDX-License-Identifier: BSD-2-Clause
"""Pipelines against their gates in one clock, for all operands, pauses and stalls, without end.

No clocks are unrolled. That every way from operands to results leads through as many registers as
the latency is read from the netlist: then a result is the function of one operation's operands
that is left where registers are taken for wires, and a question about gates without registers.

A stream's registers all move together or not at all, at the clocks of ``i_ready``. Where that is
``o_ready`` or no valid result, an operation is taken, moved on and given away once: nothing is
lost, doubled or out of order, and the pipeline moves whenever its reader is ready. A valid result
depends on no ``o_ready`` within a clock, and stays as it is until it is taken, as AXI4-Stream
demands: what it is made of is in the registers, or in operands whose source has to do the same.

A stream whose ready is a register has a place behind the pipeline, :mod:`.buffer`. After a reset,
or at power-on without one, every register that ``o_valid`` depends on says that nothing is there.

A bus has operands beside each other. What is between them is an input of the question, of which
the gates in one clock see nothing, and results are compared with their padding.
"""

from __future__ import annotations

import re
import time
from typing import Any

from macaw.tools import processes, yosys

from ..bench.interface import MARK, Field, Interface, Pin
from . import buffer
from .miter import Source
from .netlist import Netlist

_READ = """\
read_verilog -sv gates.v
hierarchy -check -top {module}
proc
flatten
opt_expr
opt_clean
opt_dff -nosdff
opt_expr
opt_clean
{more}simplemap
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
# What a register is set to is then one of the things that it may move to.
_RESET = """\
dffunmap
opt_expr
opt_clean
"""


def refuses(interface: Interface) -> str:
    """Why nothing is claimed of such a module's clocks; empty if something is."""
    if interface.interval != 1:
        return f"it takes an operation in {interface.interval} clocks"
    if interface.pause:
        return "operations differ in how many clocks they take"
    if _marked(interface.outputs) and not _marked(interface.inputs):
        return "it says itself where a packet ends"
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


def at_once(gates: Any, interface: Interface, plain: Interface) -> Source:
    """Gates without registers with the pins of ``interface``, as ``macaw_at_once``.

    Parameters
    ----------
    gates : Design
        Without registers.
    plain : Interface
        Its own: a pin for each operand and result.
    """
    names = {field.name: pin.name for pin in plain.inputs for field in pin.fields}
    results = {field.name: pin for pin in plain.outputs for field in pin.fields}
    pins = [(f"input [{pin.width - 1}:0]", pin.name) for pin in interface.inputs]
    pins += [(f"output [{pin.width - 1}:0]", pin.name) for pin in interface.outputs]
    given = {field.name: f"{pin.name}[{field.end - 1}:{field.offset}]"
             for pin in interface.inputs for field in pin.fields}  # fmt: skip
    wires = [f".{name}({given[operand]})" for operand, name in names.items()]
    wires += [f".{pin.name}(of_{name})" for name, pin in results.items()]
    lines = [f"wire [{pin.width - 1}:0] of_{name};" for name, pin in results.items()]
    lines.append(f"{plain.module} it({', '.join(wires)});")
    for pin in interface.outputs:
        parts = [_padded(field, given) for field in reversed(pin.fields)]
        lines.append(f"assign {pin.name} = {{{', '.join(parts)}}};")
    if interface.valid_in and interface.valid_out:
        pins += [("input", interface.valid_in), ("output", interface.valid_out)]
        lines.append(f"assign {interface.valid_out} = {interface.valid_in};")
    ports = ", ".join(f"{kind} {name}" for kind, name in pins)
    text = "\n".join([f"module macaw_at_once({ports});", *lines, "endmodule", ""])
    return Source(module="macaw_at_once", verilog=f"{gates.verilog}\n{text}")


def _padded(field: Field, given: dict[str, str]) -> str:
    """A result's bits behind those of its padding, or the end of a packet as it came."""
    if field.name == MARK:
        return given[MARK]
    value = f"of_{field.name}"
    if not field.padding:
        return value
    bit = f"{value}[{field.end - field.offset - 1}]" if field.signed else "1'b0"
    return f"{{{field.padding}{{{bit}}}}}, {value}"


def _marked(pins: tuple[Pin, ...]) -> bool:
    return any(field.name == MARK for pin in pins for field in pin.fields)


def netlist(
    source: Source, *, timeout: float, mapped: bool = False, resets: bool = False
) -> Netlist:
    """The registers and gates of a module, read by Yosys.

    Parameters
    ----------
    mapped : bool
        The module is a netlist with the models of its cells.
    resets : bool
        What sets or enables a register becomes gates before it.

    Raises
    ------
    ToolError
        Yosys is missing or fails.
    """
    more = (_RESET if resets else "") + (_MAPPED if mapped else "")
    with processes.temporary_folder() as folder:
        script = _READ.format(module=source.module, more=more)
        (folder / "gates.v").write_text(source.verilog, encoding="utf-8")
        (folder / "read.ys").write_text(script, encoding="utf-8")
        tool = yosys.find("yosys", prefer="yowasp")
        yosys.call(tool, ("-q", "-s", "read.ys"), folder=folder, timeout=timeout, what="netlist")
        return Netlist.of(folder / "gates.json", source.module)


def pipeline(
    verilog: str, interface: Interface, *, until: float, mapped: bool = False
) -> tuple[Source, Interface, str]:
    """What always moves or is a stream with one enable, its pins, and what speaks against it.

    ``until`` is a time of :func:`time.monotonic`; ``mapped`` as in :func:`netlist`.

    Raises
    ------
    ToolError
        Yosys is missing or fails.
    """

    def left() -> float:
        return max(until - time.monotonic(), 1.0)

    whole = Source(module=interface.module, verilog=verilog)
    source = running(verilog, interface)
    why = ""
    if interface.valid_out is not None:
        net = netlist(whole, timeout=left(), mapped=mapped, resets=True)
        why = begins_wrong(net, interface)
    if not why and interface.registered:
        why = buffer.unlike(netlist(source, timeout=left(), mapped=mapped), interface)
        if not why:
            source, interface = buffer.opened(source, interface, timeout=left())
    if not why:
        net = netlist(source, timeout=left(), mapped=mapped)
        why = unequal_ways(net, interface)
        if why and mapped and _may_be_opened(net, interface):
            source, interface = buffer.opened(source, interface, timeout=left())
            why = unequal_ways(netlist(source, timeout=left(), mapped=True), interface)
    return source, interface, why


def unequal_ways(net: Netlist, interface: Interface) -> str:
    """What speaks against one latency of all ways through a module; empty if nothing does."""
    wanted = "$_DFFE_PP_" if interface.ready_in else "$_DFF_P_"
    if others := {kind for kind, _ in net.registers.values()} - {wanted}:
        return f"it has registers {', '.join(sorted(others))}"
    if why := off_beat(net, interface):
        return why
    if interface.ready_in and (why := _apart(net, interface)):
        return why
    inputs = [pin.name for pin in interface.inputs]
    inputs += [interface.valid_in] if interface.valid_in else []
    outputs = [pin.name for pin in interface.outputs]
    outputs += [interface.valid_out] if interface.valid_out else []
    return net.latencies(inputs, outputs, interface.latency)


def _apart(net: Netlist, interface: Interface) -> str:
    """Whether a stream's registers move at other clocks than those of its ready; empty if not."""
    assert interface.ready_in is not None
    assert interface.valid_out is not None
    assert interface.ready_out is not None
    ready, valid = (net.ports[name][0] for name in (interface.ready_out, interface.valid_out))
    moving = {pins["E"][0] for _, pins in net.registers.values()}
    moving |= {*net.ports[interface.ready_in]}
    for known in ({ready: r, valid: v} for r in (False, True) for v in (False, True)):
        moves = known[ready] or not known[valid]
        if any(net.value(bit, known) is not moves for bit in moving):
            return (
                f"registers do not move where {interface.ready_out} is set or "
                f"{interface.valid_out} is not"
            )
    return ""


def _may_be_opened(net: Netlist, interface: Interface) -> bool:
    """Whether a netlist of simple gates looks at its ready only in what registers move to.

    They move where it is set, so that it is 1 for all that comes of it.
    """
    if interface.ready_in is None or {k for k, _ in net.registers.values()} != {"$_DFFE_PP_"}:
        return False
    outputs = [pin.name for pin in interface.outputs]
    outputs += [interface.valid_out] if interface.valid_out else []
    leaves = net.leaves(bit for name in outputs for bit in net.ports[name])
    known = {*net.registers} | {b for pin in interface.inputs for b in net.ports[pin.name]}
    return leaves <= known and not _apart(net, interface)


def off_beat(net: Netlist, interface: Interface) -> str:
    """Whether a register has another clock than that of the module; empty if none has."""
    clock = net.ports[interface.clock] if interface.clock else []
    if any(pins["C"] != clock for _, pins in net.registers.values()):
        return f"a register has another clock than {interface.clock}"
    return ""


_SET = re.compile(r"\$_DFF_P([NP])([01])_")


def begins_wrong(net: Netlist, interface: Interface) -> str:
    """What speaks against an empty pipeline after a reset, or at power-on if there is none.

    ``net`` is of the module as it was generated, as :func:`netlist` reads it with ``resets``.
    """
    if interface.valid_out is None:
        return ""
    ready = net.ports[interface.ready_in] if interface.ready_in else []
    reset = net.ports[interface.reset][0] if interface.reset else None
    waiting, seen = [*net.ports[interface.valid_out]], set[Any]()
    while waiting:
        for bit in net.leaves([waiting.pop()]) - seen:
            seen.add(bit)
            if bit not in net.registers:
                continue
            kind, pins = net.registers[bit]
            waiting += pins["D"]
            full = bit not in ready
            if reset is None:
                value = {"0": False, "1": True}.get(net.initial.get(bit, "x"))
            elif found := _SET.fullmatch(kind):
                level = net.value(pins["R"][0], {reset: bool(interface.reset_level)})
                value = found[2] == "1" if level is (found[1] == "P") else None
            else:
                value = net.value(pins["D"][0], {reset: bool(interface.reset_level)})
            if value is full or value is None:
                when = "at power-on" if reset is None else f"after {interface.reset}"
                return f"{interface.valid_out} depends on a register that is not empty {when}"
    return ""
