# SPDX-License-Identifier: BSD-2-Clause
"""A mapped netlist that is changed, its static timing kept up where a change reaches."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from . import timing
from .liberty import Library
from .timing import Arrivals, Edge

Reader = tuple[str, str]
"""A cell's name and its input pin; :data:`PORT` where a port of the module reads."""
PORT: Reader = ("", "")
Edges = tuple[Edge, Edge]
Edit = tuple[Any, ...]
"""``("kind", cell, type)``, ``("pin", cell, pin, net)``, ``("new", cell, what)``, ``("gone",
cell)``, ``("name", name, net)``, ``("unnamed", name)``."""

SAME = 1e-9
"""Picoseconds by which an arrival moves at least where what is behind it is timed anew."""


@dataclass(frozen=True, slots=True)
class Undo:
    """What takes a change back: edits, in reverse, and edges of nets as they were."""

    edits: list[Edit]
    edges: list[tuple[Any, Edges | None]]


class Netlist:
    """A mapped, flat module of Yosys' JSON, timed.

    Raises :class:`~macaw.synth.mapping.liberty.LibertyError` as
    :func:`macaw.synth.mapping.timing.arrivals` does.

    Attributes
    ----------
    cells : dict
        Name -> the library's cell, and the nets of its pins.
    load : dict
        Net -> capacitance of the pins on it.
    readers, drivers : dict
        Net -> the pins that it goes to, and the cell and output that drives it.
    edges : dict
        Net -> its rise and its fall.
    """

    def __init__(self, module: dict[str, Any], library: Library) -> None:
        self.module, self.library = module, library
        timed = timing.arrivals(module, library)
        self.cells, self.load, self.edges = timed.cells, timed.load, timed.edges
        self.readers: dict[Any, list[Reader]] = defaultdict(list)
        self.drivers: dict[Any, Reader] = {}
        for name in self.cells:
            self._connect(name)
        self._inputs = set[Any]()
        self._outputs = dict[Any, float]()
        flip_flop = library.flip_flop
        setup = max(flip_flop.setup.values()) if flip_flop else 0.0
        for port in module["ports"].values():
            for net in port["bits"]:
                if port["direction"] == "output":
                    self.readers[net].append(PORT)
                    self._outputs[net] = setup
                else:
                    self._inputs.add(net)
        self._order = {net: number for number, net in enumerate(self.edges)}
        self.fresh = timing.free_nets(module)
        """Numbers of new nets."""

    @property
    def area(self) -> float:
        """Of all cells, in the library's unit."""
        return sum(cell.area for cell, _ in self.cells.values())

    def inputs(self, name: str) -> list[tuple[str, Any]]:
        """A cell's input pins that are no constants, each with its net."""
        cell, pins = self.cells[name]
        nets = ((pin, pins.get(pin, ["x"])[0]) for pin in cell.inputs)
        return [(pin, net) for pin, net in nets if not isinstance(net, str)]

    def outputs(self, name: str) -> list[tuple[str, Any]]:
        """A cell's output pins that drive something, each with its net."""
        cell, pins = self.cells[name]
        return [(pin, net) for pin in cell.functions for net in pins.get(pin, ())]

    def capacitance(self, readers: Iterable[Reader]) -> float:
        """Of pins of cells."""
        return sum(self.cells[name][0].inputs[pin] for name, pin in readers)

    def endpoints(self) -> list[tuple[Any, float]]:
        """Where paths end, and the setup time there."""
        found = list(self._outputs.items())
        for cell, pins in self.cells.values():
            for pin, setup in cell.setup.items():
                net = pins.get(pin, ["x"])[0]
                if not isinstance(net, str):
                    found.append((net, setup))
        return found

    def ends(self) -> list[float]:
        """When the slowest path to each of them is over."""
        return [
            max(edge.time for edge in self.edges[net]) + setup
            for net, setup in self.endpoints()
            if net in self.edges
        ]

    def required(self, picoseconds: float) -> dict[Any, list[float]]:
        """When each net must have risen and fallen so that every path takes so long at most."""
        edges = {n: e for n, e in self.edges.items() if n in self.drivers or n in self._inputs}
        timed = Arrivals(self.cells, self.load, edges, self.endpoints())
        return timing.required(timed, picoseconds)

    def driven(self, net: Any, load: float) -> Edges:
        """The edges of a net if it had this load."""
        name, output = self.drivers.get(net, PORT)
        if not name:
            return timing.launched(self.library.flip_flop, None, load)
        cell, pins = self.cells[name]
        if cell.sequential:
            return timing.launched(cell, output, load)
        return timing.through(cell, cell.arcs[output], pins, self.edges, load, name)

    def apply(self, edits: Iterable[Edit]) -> Undo:
        """Change the module, and time anew what the change reaches."""
        back, touched = list[Edit](), set[Any]()
        for edit in edits:
            back.append(self._edit(edit, touched))
        return Undo(back, self._propagate(touched))

    def revert(self, undo: Undo) -> None:
        """Take a change back; the last one first."""
        for edit in reversed(undo.edits):
            self._edit(edit, set())
        for net, edges in reversed(undo.edges):
            if edges is None:
                del self.edges[net]
            else:
                self.edges[net] = edges

    def _edit(self, edit: Edit, touched: set[Any]) -> Edit:
        """Do it; returns what undoes it, and adds the nets that are to be timed anew."""
        what, name, *rest = edit
        cells: dict[str, Any] = self.module["cells"]
        if what == "name":
            bits = {"hide_name": 0, "bits": [rest[0]], "attributes": {}}
            self.module["netnames"][name] = bits
            return "unnamed", name
        if what == "unnamed":
            bits = self.module["netnames"].pop(name)["bits"]
            return "name", name, bits[0]
        if what == "new":
            cells[name] = rest[0]
            self._enter(name)
            touched |= {net for _, net in (*self.inputs(name), *self.outputs(name))}
            return "gone", name
        touched |= {net for _, net in self.inputs(name)}
        if what == "gone":
            self._leave(name)
            return "new", name, cells.pop(name)
        touched |= {net for _, net in self.outputs(name)}
        self._leave(name)
        if what == "kind":
            before = "kind", name, cells[name]["type"]
            cells[name]["type"] = rest[0]
        else:
            pin, net = rest
            before = "pin", name, pin, cells[name]["connections"][pin][0]
            cells[name]["connections"][pin] = [net]
            touched.add(net)
        self._enter(name)
        return before

    def _enter(self, name: str) -> None:
        cell = self.module["cells"][name]
        self.cells[name] = self.library.cells[cell["type"]], cell["connections"]
        self._connect(name)
        for pin, net in self.inputs(name):
            self.load[net] += self.cells[name][0].inputs[pin]

    def _connect(self, name: str) -> None:
        for pin, net in self.inputs(name):
            self.readers[net].append((name, pin))
        for output, net in self.outputs(name):
            self.drivers[net] = name, output

    def _leave(self, name: str) -> None:
        for pin, net in self.inputs(name):
            self.readers[net].remove((name, pin))
            self.load[net] -= self.cells[name][0].inputs[pin]
        for _, net in self.outputs(name):
            del self.drivers[net]
        del self.cells[name]

    def _propagate(self, nets: Iterable[Any]) -> list[tuple[Any, Edges | None]]:
        """Time nets anew, and what is behind those that come at another time; as they were."""
        before = list[tuple[Any, Edges | None]]()
        # In the order in which all was timed; only registers are new, before all others.
        heap = [(self._order.get(net, -1), net) for net in nets]
        heapq.heapify(heap)
        waiting = set(nets)
        while heap:
            _, net = heapq.heappop(heap)
            waiting.discard(net)
            if net not in self.drivers and net not in self._inputs:
                continue
            old, new = self.edges.get(net), self.driven(net, self.load[net])
            before.append((net, old))
            self.edges[net] = new
            if old is not None and not _differ(old, new):
                continue
            for name, _ in self.readers[net]:
                if name and not self.cells[name][0].sequential:
                    for _, out in self.outputs(name):
                        if out not in waiting:
                            waiting.add(out)
                            heapq.heappush(heap, (self._order.get(out, -1), out))
        return before


def _differ(old: Sequence[Edge], new: Sequence[Edge]) -> bool:
    return any(
        abs(a.time - b.time) > SAME or abs(a.slew - b.slew) > SAME
        for a, b in zip(old, new, strict=True)
    )
