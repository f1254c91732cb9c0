# SPDX-License-Identifier: BSD-2-Clause
"""The place behind a stream whose ready is a register, where a result waits that was not taken.

Its ready is a register ``E``: the place is empty. Let ``v`` be whether there is a result at the end
of the pipeline, ``x`` what it is, ``h`` what the place holds, and ``r`` the reader's ready. It is
read from the netlist that

1. every other register moves at the clocks with ``E`` and at no others;
2. ``o_valid`` is ``v | ~E``, results are ``x`` where ``E`` is set and ``h`` where not;
3. ``E`` becomes ``r | (E & ~v)``, and ``h`` becomes ``x`` where ``E`` is set;
4. with 1 for ``E``, what is left is a pipeline that always moves: ``v`` and ``x`` depend on neither
   ``E``, ``h`` nor ``r``, and are those of an operation, as :mod:`.stages` shows.

By induction over clocks, with the invariant that ``h`` is the last result that left the pipeline,
not taken yet, where ``E`` is not set, and everything that left it was taken where ``E`` is set.
At a clock with ``E`` the pipeline moves and a result, if there is one, leaves it: it is taken, and
``E`` stays, or it goes to ``h``, and ``E`` does not. At one without, nothing moves, and ``h``
is taken, and ``E`` set again, or stays as it is. So each result is taken once, in order; what is
shown stays until then; whoever is ready ends the waiting; and no ready depends on another within a
clock. None of this depends on how wide results are or on what they say.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

from macaw.tools import processes, yosys

from ..bench.interface import Interface
from .miter import Source
from .netlist import Netlist

_OPEN = """\
read_verilog -sv gates.v
hierarchy -check -top {module}
proc
flatten
opt_expr
opt_clean
connect -set {ready} 1'1
opt_expr
opt_dff -nosdff
opt_expr
opt_clean
write_verilog -noattr open.v
"""


def unlike(net: Netlist, interface: Interface) -> str:
    """What speaks against 1 to 3; empty if nothing does."""
    assert interface.ready_in is not None
    assert interface.ready_out is not None
    assert interface.valid_out is not None
    empty, taken, valid = (
        net.ports[name][0]
        for name in (interface.ready_in, interface.ready_out, interface.valid_out)
    )
    registers = net.registers
    kind, pins = registers.pop(empty, ("", {}))
    if kind != "$_DFF_P_":
        return f"{interface.ready_in} is no register"
    if any(k != "$_DFFE_PP_" or p["E"] != [empty] for k, p in registers.values()):
        return f"registers do not move where {interface.ready_in} is set"
    left = net.leaves([valid, *pins["D"]]) - {empty, taken}
    if len(left) != 1:
        return f"{interface.valid_out} is not that of one place behind a pipeline"
    (inner,) = left
    for e, r, v in itertools.product((False, True), repeat=3):
        known = {empty: e, taken: r, inner: v}
        if net.value(valid, {empty: e, inner: v}) is not (v or not e):
            return f"{interface.valid_out} is not set where a result waits"
        if net.value(pins["D"][0], known) is not (r or (e and not v)):
            return f"{interface.ready_in} is not set where no result is kept waiting"
    for pin in interface.outputs:
        for bit in net.ports[pin.name]:
            if isinstance(bit, str):
                continue
            kind, pins = net.drivers.get(bit, ("", {}))
            chosen = kind == "$_MUX_" and pins["S"] == [empty]
            if not chosen or not _kept(net, pins["A"][0], pins["B"][0]):
                return f"{pin.name} is not what comes or what was kept of it"
    return ""


def _kept(net: Netlist, held: Any, comes: Any) -> bool:
    """Whether a bit is a register of what comes, or both are the same constant."""
    if isinstance(held, str):
        return held == comes
    return held in net.registers and net.drivers[held][1]["D"] == [comes]


def opened(source: Source, interface: Interface, *, timeout: float) -> tuple[Source, Interface]:
    """The pipeline alone: with 1 for its ready.

    Raises
    ------
    ToolError
        Yosys is missing or fails.
    """
    with processes.temporary_folder() as folder:
        script = _OPEN.format(module=source.module, ready=interface.ready_in)
        (folder / "gates.v").write_text(source.verilog, encoding="utf-8")
        (folder / "open.ys").write_text(script, encoding="utf-8")
        tool = yosys.find("yosys", prefer="yowasp")
        yosys.call(tool, ("-q", "-s", "open.ys"), folder=folder, timeout=timeout, what="netlist")
        text = (folder / "open.v").read_text(encoding="utf-8")
    moving = dataclasses.replace(interface, ready_in=None, ready_out=None, registered=False)
    return Source(module=source.module, verilog=text), moving
