# SPDX-License-Identifier: BSD-2-Clause
"""Static timing of a mapped netlist against a Liberty library, register to register.

The netlist is what Yosys' ``write_json`` gives. Delays come from the library's look-up tables
(linear between the points, and beyond them); loads are the pins' capacitances, wires count
nothing. Inputs of the module are taken as outputs of flip-flops of the same library and outputs as
inputs of such, so that a combinational unit and a pipelined one are measured alike.

Why not ABC's ``stime``: it cannot see flip-flops, and a Yosys that has ABC linked in (every
WebAssembly build) loses what ABC prints.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .liberty import Arc, LibertyCell, LibertyError, Library

RISE, FALL = 0, 1


@dataclass(frozen=True, slots=True)
class Step:
    """A cell of a path: its name in the netlist, its type, and what it adds to the delay."""

    name: str
    cell: str
    picoseconds: float


@dataclass(frozen=True, slots=True)
class Path:
    """The slowest path: its delay register to register, the same without the registers' share,
    the cells along it, first to last, and the net where it begins."""

    picoseconds: float
    logic_picoseconds: float
    steps: tuple[Step, ...]
    start: Any

    @property
    def cells(self) -> tuple[str, ...]:
        """The types of the cells, first to last."""
        return tuple(step.cell for step in self.steps)


@dataclass(slots=True)
class Edge:
    """Arrival of one edge of a net: time, slew, and where it came from."""

    time: float
    slew: float
    launch: float
    source: tuple[Any, int, str] | None = None


@dataclass(frozen=True, slots=True)
class Arrivals:
    """A netlist, timed: when and how steeply each net rises and falls, and what loads it.

    Attributes
    ----------
    cells : dict
        Name -> the library's cell, and the nets of its pins.
    load : dict
        Net -> capacitance of the pins on it; an output port counts as a register's data pin.
    edges : dict
        Net -> its rise and its fall.
    endpoints : list of (net, picoseconds)
        Where paths end, and the setup time there.
    """

    cells: dict[str, tuple[LibertyCell, dict[str, list[Any]]]]
    load: dict[Any, float]
    edges: dict[Any, tuple[Edge, Edge]]
    endpoints: list[tuple[Any, float]]


def arrivals(module: dict[str, Any], library: Library) -> Arrivals:
    """Time a mapped, flat module of Yosys' JSON.

    Raises :class:`LibertyError` for a cell that the library lacks, or a combinational loop.
    """
    found = {
        name: (library.cells.get(cell["type"]), cell["connections"])
        for name, cell in module["cells"].items()
        if cell["type"] != "$scopeinfo"
    }
    missing = sorted(
        {module["cells"][name]["type"] for name, (cell, _) in found.items() if cell is None}
    )
    if missing:
        raise LibertyError(f"timing: cells that the library lacks: {', '.join(missing)}")
    cells = {name: (cell, pins) for name, (cell, pins) in found.items() if cell is not None}

    flip_flop = library.flip_flop
    data_load = (
        next((load for pin, load in flip_flop.inputs.items() if pin in flip_flop.setup), 0.0)
        if flip_flop
        else 0.0
    )
    data_setup = max(flip_flop.setup.values()) if flip_flop else 0.0

    load: dict[Any, float] = defaultdict(float)
    fanout: dict[Any, list[str]] = defaultdict(list)
    waiting: dict[str, int] = {}
    endpoints: list[tuple[Any, float]] = []
    ports = module["ports"].values()
    for port in ports:
        if port["direction"] == "output":
            for net in port["bits"]:
                load[net] += data_load
                endpoints.append((net, data_setup))
    for name, (cell, pins) in cells.items():
        arcs_from = {arc.pin for arcs in cell.arcs.values() for arc in arcs}
        waiting[name] = 0
        for pin, capacitance in cell.inputs.items():
            net = pins.get(pin, ["x"])[0]
            load[net] += capacitance
            if isinstance(net, str):
                continue
            if pin in cell.setup:
                endpoints.append((net, cell.setup[pin]))
            if not cell.sequential and pin in arcs_from:
                fanout[net].append(name)
                waiting[name] += 1

    arrival: dict[Any, tuple[Edge, Edge]] = {}
    ready: list[Any] = []

    def launch(net: Any, cell: LibertyCell | None, output: str | None) -> None:
        arrival[net] = launched(cell, output, load[net])
        ready.append(net)

    for port in ports:
        if port["direction"] == "input":
            for net in port["bits"]:
                launch(net, flip_flop, None)
    for name, (cell, pins) in cells.items():
        for output in cell.functions:
            for net in pins.get(output, []):
                if cell.sequential:
                    launch(net, cell, output)
                elif waiting[name] == 0:
                    # A constant, which some mappers buffer, is there from the start.
                    launch(net, None, None)
    while ready:
        net = ready.pop()
        for name in fanout[net]:
            waiting[name] -= 1
            if waiting[name] == 0:
                cell, pins = cells[name]
                for output, arcs in cell.arcs.items():
                    for out in pins.get(output, []):
                        arrival[out] = through(cell, arcs, pins, arrival, load[out], name)
                        ready.append(out)
    stuck = [n for n, count in waiting.items() if count > 0 and not cells[n][0].sequential]
    if stuck:
        raise LibertyError(f"timing: {len(stuck)} cells are part of, or behind, a loop: {stuck[0]}")
    return Arrivals(cells, load, arrival, endpoints)


def free_nets(module: Mapping[str, Any]) -> Iterator[int]:
    """Numbers for new nets of a module of Yosys' JSON; names may have some that nothing drives."""
    nets = [net for each in (*module["ports"].values(), *module.get("netnames", {}).values())
            for net in each["bits"]]  # fmt: skip
    for cell in module["cells"].values():
        nets += itertools.chain.from_iterable(cell["connections"].values())
    return itertools.count(max((net for net in nets if isinstance(net, int)), default=1) + 1)


def launched(cell: LibertyCell | None, output: str | None, load: float) -> tuple[Edge, Edge]:
    """Both edges of a net that a flip-flop drives with one of its outputs, None: the first.

    Without a ``cell`` it is a constant, which is there from the start.
    """
    if cell is None:
        return Edge(0.0, 0.0, 0.0), Edge(0.0, 0.0, 0.0)
    arcs = cell.arcs[output or next(iter(cell.arcs))]
    rise = max((arc.rise(0.0, load) for arc in arcs), default=0.0)
    fall = max((arc.fall(0.0, load) for arc in arcs), default=0.0)
    slews = [
        table(0.0, load) if table else 0.0
        for table in ((arcs[0].rise_slew, arcs[0].fall_slew) if arcs else (None, None))
    ]
    return Edge(rise, slews[0], rise), Edge(fall, slews[1], fall)


def required(timed: Arrivals, picoseconds: float) -> dict[Any, list[float]]:
    """When each net must have risen and fallen so that every path takes so long at most."""
    found = {net: [math.inf, math.inf] for net in timed.edges}
    for net, setup in timed.endpoints:
        if net in found:
            found[net] = [min(time, picoseconds - setup) for time in found[net]]
    # What drives a net came before it, so that backwards all that it drives is done.
    for net, edges in reversed(timed.edges.items()):
        name = next((edge.source[2] for edge in edges if edge.source), None)
        if name is None:
            continue
        cell, pins = timed.cells[name]
        output = next(pin for pin in cell.functions if net in pins.get(pin, ()))
        for arc in cell.arcs[output]:
            before = pins.get(arc.pin, ["x"])[0]
            if before in found:
                later = before_pin(arc, timed.edges[before], found[net], timed.load[net])
                found[before] = [min(pair) for pair in zip(found[before], later)]
    return found


def before_pin(
    arc: Arc, edges: tuple[Edge, Edge], needed: Sequence[float], load: float
) -> list[float]:
    """When an arc's input must rise and fall for its output to be there as ``needed``."""
    found = [math.inf, math.inf]
    for out, delay in ((RISE, arc.rise), (FALL, arc.fall)):
        for cause in causes(arc, out):
            found[cause] = min(found[cause], needed[out] - delay(edges[cause].slew, load))
    return found


def starts(timed: Arrivals) -> dict[Any, float]:
    """Picoseconds of the slowest path that begins at each net, register to register.

    Of the paths to an endpoint only the slowest counts: nets of which none is that are left out.
    """
    found: dict[Any, float] = {}
    begin: dict[tuple[Any, int], Any] = {}
    for net, setup in timed.endpoints:
        for which, edge in enumerate(timed.edges.get(net, ())):
            trail, at = [], (net, which)
            while at not in begin:
                trail.append(at)
                source = timed.edges[at[0]][at[1]].source
                if source is None:
                    begin[at] = at[0]
                else:
                    at = source[:2]
            begin |= dict.fromkeys(trail, begin[at])
            start = begin[at]
            found[start] = max(found.get(start, 0.0), edge.time + setup)
    return found


def longest_path(module: dict[str, Any], library: Library) -> Path:
    """The slowest register-to-register path of a mapped, flat module of Yosys' JSON.

    Raises :class:`LibertyError` as :func:`arrivals` does.
    """
    return slowest_of(arrivals(module, library))


def slowest_of(timed: Arrivals) -> Path:
    """The slowest path of a netlist that is timed."""
    worst, picoseconds, logic = None, 0.0, 0.0
    for net, setup in timed.endpoints:
        for edge in timed.edges.get(net, ()):
            if edge.time + setup >= picoseconds:
                worst, picoseconds = (net, edge), edge.time + setup
                logic = edge.time - edge.launch
    trail: list[Step] = []
    start, edge = worst or (None, None)
    while edge is not None and edge.source is not None:
        net, which, name = edge.source
        before = timed.edges[net][which]
        trail.append(Step(name, timed.cells[name][0].name, edge.time - before.time))
        start, edge = net, before
    return Path(picoseconds, logic, tuple(reversed(trail)), start)


def through(
    cell: LibertyCell,
    arcs: list[Arc],
    pins: dict[str, list[Any]],
    arrival: Mapping[Any, tuple[Edge, Edge]],
    load: float,
    name: str,
) -> tuple[Edge, Edge]:
    """Both edges of a combinational cell's output."""
    best: list[Edge | None] = [None, None]
    slews = [0.0, 0.0]
    for arc in arcs:
        net = pins.get(arc.pin, ["x"])[0]
        if net not in arrival:
            continue
        for out, delay, slew in ((RISE, arc.rise, arc.rise_slew), (FALL, arc.fall, arc.fall_slew)):
            for cause in causes(arc, out):
                edge = arrival[net][cause]
                time = edge.time + delay(edge.slew, load)
                if slew is not None:
                    slews[out] = max(slews[out], slew(edge.slew, load))
                known = best[out]
                if known is None or time > known.time:
                    best[out] = Edge(time, 0.0, edge.launch, (net, cause, name))
    constant = Edge(0.0, 0.0, 0.0)
    rise, fall = (edge or constant for edge in best)
    rise.slew, fall.slew = slews
    return rise, fall


def causes(arc: Arc, out: int) -> tuple[int, ...]:
    """The edges of an arc's input that may cause the edge ``out`` of its output."""
    one = {"positive_unate": (out,), "negative_unate": (1 - out,)}
    return one.get(arc.sense, (RISE, FALL))
