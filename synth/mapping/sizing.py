# SPDX-License-Identifier: BSD-2-Clause
"""Registers copied and cells exchanged in a mapped netlist, by its static timing.

ABC maps the logic between registers and sees none of them: one with many readers is an input to
it, which a small inverter drives, so that it puts a tree of buffers there. Here the registers are
part of the netlist. Where the slowest paths are, a register that has the strength drives its
readers itself, one that has not is there several times, and cells give way to stronger or weaker
ones.

A buffer is a wire, a copy of a register holds what the register holds, and cells are exchanged for
those of the same function: the netlist computes what it did before.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

from . import stages, timing
from .buffers import buffers_of
from .editing import PORT, Edges, Edit, Netlist, Reader, Undo
from .liberty import LibertyCell, Library, truth_table

__all__ = ["fasten"]

STEP = 0.3
"""FO4 by which the slowest paths are to become faster, again and again."""
COPIES = 12
"""Registers in place of one, at most."""
FREE = 0.2
"""Area, in NAND2, that counts nothing beside what it gains."""
LEAST = 0.01
"""FO4 that a change gains at least, by what is near it."""
TRIES = 20
"""Changes that gain nothing, one after the other, after which the paths are as fast as they get."""
ROUNDING = 1e-6
"""Picoseconds."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """Of each cell the others that have its pins and its function; and which ones are buffers."""

    families: dict[str, list[LibertyCell]]
    buffers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Move:
    """What can be changed: picoseconds that late paths gain, more area, and the nets it is on."""

    key: tuple[Any, ...]
    gain: float
    area: float
    nets: frozenset[Any]
    edits: Callable[[], list[Edit]]


def fasten(module: dict[str, Any], library: Library) -> float:
    """Make the slowest paths of a mapped, flat module of Yosys' JSON faster; returns the area.

    What the area grows by, in the library's unit; negative where it shrinks. Nothing is changed
    that makes no path faster. LibertyError as of :func:`macaw.synth.mapping.timing.arrivals`.
    """
    netlist = Netlist(module, library)
    kinds, area = _kinds(library), netlist.area
    worst = max(netlist.ends(), default=0.0)
    while True:
        done = _faster(netlist, kinds, worst - STEP * library.fo4_ps)
        reached = max(netlist.ends(), default=0.0)
        if reached > worst - ROUNDING:
            for undo in reversed(done):
                netlist.revert(undo)
            return netlist.area - area
        worst = reached


def _faster(netlist: Netlist, kinds: Kinds, goal: float) -> list[Undo]:
    """Make paths that take more than ``goal`` picoseconds faster, as far as it goes; the changes.

    By many changes at once that touch nothing of one another, or half of them where they come to
    nothing together, and so on.
    """

    def lateness() -> float:
        return sum(max(0.0, end - goal) for end in netlist.ends())

    done: list[Undo] = []
    late, tried = lateness(), 0
    moves = _View(netlist, kinds, goal).moves()
    while moves and late > 0 and tried < TRIES:
        some = _disjoint(moves, netlist.library.nand2.area)
        while some:
            undo = netlist.apply([edit for move in some for edit in move.edits()])
            then = lateness()
            if then < late - ROUNDING:
                done.append(undo)
                late, tried = then, 0
                moves = _View(netlist, kinds, goal).moves()
                break
            netlist.revert(undo)
            if len(some) == 1:
                moves.remove(some[0])
                tried += 1
            some = some[: len(some) // 2]
    return done


class _View:
    """What may be changed in a netlist whose paths are to take ``goal`` picoseconds at most."""

    def __init__(self, netlist: Netlist, kinds: Kinds, goal: float) -> None:
        self.netlist, self.kinds, self.goal = netlist, kinds, goal
        self.cells, self.readers = netlist.cells, netlist.readers
        self.load, self.edges = netlist.load, netlist.edges
        self.required = netlist.required(goal)
        self._ends: dict[Any, float] = {}
        for net, setup in netlist.endpoints():
            self._ends[net] = max(setup, self._ends.get(net, 0.0))
        self._needs: dict[tuple[Reader, Any], Sequence[float]] = {}

    def needs(self, reader: Reader, net: Any) -> Sequence[float]:
        """When a net must have risen and fallen for one that reads it."""
        if (reader, net) not in self._needs:
            self._needs[reader, net] = self._needed(reader, net)
        return self._needs[reader, net]

    def _needed(self, reader: Reader, net: Any) -> Sequence[float]:
        if reader == PORT:
            return [self.goal - self._ends[net]] * 2
        name, pin = reader
        cell, _ = self.cells[name]
        found = [math.inf] * 2
        if cell.sequential:
            return [self.goal - cell.setup[pin]] * 2 if pin in cell.setup else found
        for output, out in self.netlist.outputs(name):
            for arc in cell.arcs[output]:
                if arc.pin == pin and out in self.required:
                    later = timing.before_pin(
                        arc, self.edges[net], self.required[out], self.load[out]
                    )
                    found = [min(pair) for pair in zip(found, later)]
        return found

    def lateness(self, net: Any, readers: Sequence[Reader], edges: Edges) -> float:
        """By how many picoseconds a net with these edges comes too late, over its readers."""
        found = 0.0
        for reader in readers:
            rise, fall = self.needs(reader, net)
            found += max(0.0, edges[0].time - rise, edges[1].time - fall)
        return found

    def change(self, net: Any, readers: Sequence[Reader], more: float) -> float:
        """What readers of a net gain when its load changes."""
        if isinstance(net, str) or net not in self.edges or not more:
            return 0.0
        return self.lateness(net, readers, self.edges[net]) - self.lateness(
            net, readers, self.netlist.driven(net, self.load[net] + more)
        )

    def moves(self) -> list[Move]:
        """What may make late paths faster."""
        least = LEAST * self.netlist.library.fo4_ps
        late = [net for net in self.required if self.is_late(net, self.required[net])]
        names = {self.netlist.drivers[net][0] for net in late if net in self.netlist.drivers}
        names |= {name for net in late for name, _ in self.readers[net] if name}
        found = (move for name in sorted(names) for move in self._of_cell(name))
        return [move for move in found if move.gain > least]

    def is_late(self, net: Any, needed: Sequence[float]) -> bool:
        return any(edge.time > need for edge, need in zip(self.edges[net], needed, strict=True))

    def _of_cell(self, name: str) -> Iterator[Move]:
        cell, pins = self.cells[name]
        for other in self.kinds.families.get(cell.name, ()):
            yield self._exchange(name, other)
        if cell.sequential:
            for output in cell.functions:
                for net in pins.get(output, ()):
                    if self.is_late(net, self.required[net]):
                        yield from self._copies(name, output, net)
        elif cell.name in self.kinds.buffers:
            yield from self._bypass(name)

    def _exchange(self, name: str, kind: LibertyCell) -> Move:
        """A stronger or weaker cell in place of one."""
        cell, pins = self.cells[name]
        gain, edges, nets = 0.0, dict[Any, Edges](), set[Any]()
        for pin, load in kind.inputs.items():
            net = pins.get(pin, ["x"])[0]
            if isinstance(net, str) or pin == cell.clock:
                continue
            nets.add(net)
            more = load - cell.inputs[pin]
            edges[net] = self.netlist.driven(net, self.load[net] + more)
            gain += self.change(net, [r for r in self.readers[net] if r[0] != name], more)
        for output in kind.functions:
            for net in pins.get(output, ()):
                nets.add(net)
                made = (
                    timing.launched(kind, output, self.load[net])
                    if kind.sequential
                    else timing.through(kind, kind.arcs[output], pins, edges, self.load[net], name)
                )
                gain += self.lateness(net, self.readers[net], self.edges[net])
                gain -= self.lateness(net, self.readers[net], made)
        edits: list[Edit] = [("kind", name, kind.name)]
        area = kind.area - cell.area
        return Move(("kind", name, kind.name), gain, area, frozenset(nets), lambda: edits)

    def _moves(self, reader: Reader) -> bool:
        """Whether a pin may read another net that is the same: no port, clock or reset."""
        if reader == PORT:
            return False
        cell, _ = self.cells[reader[0]]
        return not cell.sequential or reader[1] in cell.setup

    def _bypass(self, name: str) -> Iterator[Move]:
        """What a buffer drives, driven by what drives the buffer: all of it, or what is late."""
        cell, pins = self.cells[name]
        ((pin, own),) = cell.inputs.items()
        (output,) = cell.functions
        before, after = pins[pin][0], pins[output][0]
        cells = [reader for reader in self.readers[after] if self._moves(reader)]
        late = [reader for reader in cells if self.is_late(after, self.needs(reader, after))]
        others = [reader for reader in self.readers[before] if reader != (name, pin)]
        if isinstance(before, str):
            return
        for which, chosen in (("all", cells), ("late", late)):
            rest = [reader for reader in self.readers[after] if reader not in chosen]
            if not chosen or (which == "late" and len(late) == len(cells)):
                continue
            moved = self.netlist.capacitance(chosen)
            load = self.load[before] + moved - (0.0 if rest else own)
            made = self.netlist.driven(before, load)
            gain = self.lateness(before, others, self.edges[before])
            gain -= self.lateness(before, others, made)
            gain += self.lateness(after, self.readers[after], self.edges[after])
            gain -= self.lateness(after, chosen, made)
            if rest:
                left = self.load[after] - moved
                arcs = cell.arcs[output]
                slower = timing.through(cell, arcs, pins, {before: made}, left, name)
                gain -= self.lateness(after, rest, slower)
            edits: list[Edit] = [("pin", *reader, before) for reader in chosen]
            edits += [] if rest else [("gone", name)]
            yield Move(
                ("bypass", name, which),
                gain,
                0.0 if rest else -cell.area,
                frozenset((before, after)),
                lambda edits=edits: edits,
            )

    def _copies(self, name: str, output: str, net: Any) -> Iterator[Move]:
        """A register several times, each with some of what it drives through buffers now."""
        cell, pins = self.cells[name]
        leaves, buffers = self._leaves(net)
        # What it reads of itself stays with it, and with its copies.
        leaves = [leaf for leaf in leaves if leaf[0][0] != name]
        late = [leaf for leaf in leaves if self.is_late(leaf[1], self.needs(*leaf))]
        inputs = {
            pins[pin][0]: load
            for pin, load in cell.inputs.items()
            if pin in cell.setup and not isinstance(pins.get(pin, ["x"])[0], str)
        }
        for which, chosen in (("all", leaves), ("late", late)):
            if not chosen or (which == "late" and len(late) == len(leaves)):
                continue
            taken = {leaf[0] for leaf in chosen}
            # Innermost first: a buffer goes when all that it drives does.
            gone = dict[str, LibertyCell]()
            for buffer, after in reversed(buffers):
                if all(r in taken or r[0] in gone for r in self.readers[after]):
                    gone[buffer] = self.cells[buffer][0]
            stays = [r for r in self.readers[net] if r not in taken and r[0] not in gone]
            kept = self._load_of(net, stays)
            before = sum(self.lateness(on, [reader], self.edges[on]) for reader, on in chosen)
            before += self.lateness(net, stays, self.edges[net])
            for copies in range(1, COPIES + 1):
                groups, loads = self._groups(chosen, copies, kept)
                if copies > 1 and not groups[-1]:
                    break
                made = [timing.launched(cell, output, load) for load in loads]
                gain = before - self.lateness(net, stays, made[0])
                for group, edges in zip(groups, made, strict=True):
                    gain -= sum(self.lateness(on, [reader], edges) for reader, on in group)
                for each, load in inputs.items():
                    gain += self.change(each, self.readers[each], load * (copies - 1))
                nets = {net, *inputs, *(after for _, after in buffers)}
                area = cell.area * (copies - 1) - sum(each.area for each in gone.values())
                yield Move(
                    ("copies", name, output, copies, which),
                    gain,
                    area,
                    frozenset(nets),
                    partial(self._copied, name, output, net, groups, tuple(gone)),
                )

    def _leaves(self, net: Any) -> tuple[list[tuple[Reader, Any]], list[tuple[str, Any]]]:
        """What a net drives through buffers, and these, outermost first, each with its net."""
        leaves, buffers, left = [], [], [net]
        for at in left:
            for reader in self.readers[at]:
                if not self._moves(reader):
                    continue
                cell, pins = self.cells[reader[0]]
                if cell.name in self.kinds.buffers:
                    (output,) = cell.functions
                    buffers.append((reader[0], pins[output][0]))
                    left.append(pins[output][0])
                else:
                    leaves.append((reader, at))
        return leaves, buffers

    def _load_of(self, net: Any, readers: Sequence[Reader]) -> float:
        """The load of a net of which these readers are left; ports among them count."""
        gone = [r for r in self.readers[net] if r != PORT and r not in readers]
        return self.load[net] - self.netlist.capacitance(gone)

    def _groups(
        self, leaves: Sequence[tuple[Reader, Any]], count: int, kept: float
    ) -> tuple[list[list[tuple[Reader, Any]]], list[float]]:
        """Leaves in groups of about the same load, of which the first has so much already."""
        groups: list[list[tuple[Reader, Any]]] = [[] for _ in range(count)]
        loads = [kept] + [0.0] * (count - 1)
        sized = [(self.netlist.capacitance([leaf[0]]), leaf) for leaf in leaves]
        for load, leaf in sorted(sized, key=lambda each: -each[0]):
            least = loads.index(min(loads))
            groups[least].append(leaf)
            loads[least] += load
        return groups, loads

    def _copied(
        self,
        name: str,
        output: str,
        net: Any,
        groups: Sequence[Sequence[tuple[Reader, Any]]],
        gone: Sequence[str],
    ) -> list[Edit]:
        edits: list[Edit] = [("pin", *reader, net) for reader, _ in groups[0]]
        for group in groups[1:]:
            bit = next(self.netlist.fresh)
            copy = deepcopy(self.netlist.module["cells"][name])
            for other in self.cells[name][0].functions:
                copy["connections"].pop(other, None)
                copy.get("port_directions", {}).pop(other, None)
            copy["connections"][output] = [bit]
            copy.setdefault("port_directions", {})[output] = "output"
            edits.append(("new", f"{name}_copy{bit}", copy))
            edits += [("pin", *reader, bit) for reader, _ in group]
            edits += [("name", f"{called}_copy{bit}", bit) for called in self._called(net)]
        return edits + [("gone", buffer) for buffer in gone]

    def _called(self, net: Any) -> list[str]:
        """A name of a net that tells its stage, if it has one."""
        names = self.netlist.module.get("netnames", {}).items()
        found = [n for n, each in names if net in each["bits"] and stages.of_name(n) is not None]
        return found[:1]


def _disjoint(moves: list[Move], unit: float) -> list[Move]:
    """Moves that touch no net of one another, those first that gain most for their area."""
    chosen, nets = list[Move](), set[Any]()
    for move in sorted(moves, key=lambda m: (-m.gain / (max(m.area, 0.0) / unit + FREE), m.key)):
        if nets.isdisjoint(move.nets):
            chosen.append(move)
            nets |= move.nets
    return chosen


def _kinds(library: Library) -> Kinds:
    alike: dict[Any, list[LibertyCell]] = defaultdict(list)
    for cell in library.cells.values():
        if cell.arcs and cell.functions and (cell.state or not cell.sequential):
            pins = sorted(cell.inputs)
            tables = tuple(
                (out, text if cell.sequential else truth_table(text, pins))
                for out, text in sorted(cell.functions.items())
            )
            if all(table is not None for _, table in tables):
                alike[(tuple(pins), tables, str(cell.state))].append(cell)
    families = {
        cell.name: [other for other in family if other is not cell]
        for family in alike.values()
        for cell in family
    }
    return Kinds(families, frozenset(cell.name for cell in buffers_of(library)))
