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

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

from macaw.golden.errors import MacawError


class LibertyError(MacawError):
    """A Liberty file that cannot be read or lacks what the flow needs."""


# ---- Liberty ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Group:
    """A Liberty group: ``kind (name, ...) { attributes and groups }``."""

    kind: str
    names: tuple[str, ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)

    def all(self, kind: str) -> Iterator[Group]:
        """Its groups of one kind."""
        return (group for group in self.groups if group.kind == kind)

    def first(self, kind: str) -> Group | None:
        """Its first group of one kind, if any."""
        return next(self.all(kind), None)

    @property
    def name(self) -> str:
        """The first name in its parentheses."""
        return self.names[0] if self.names else ""


_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([{}();:,])|([^\s{}();:,"]+)', re.S)


def parse(text: str) -> Group:
    """The ``library`` group of a Liberty text."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S).replace("\\\n", " ").replace("\\\r\n", " ")
    tokens: list[str] = []
    for string, mark, word in _TOKEN.findall(text):
        tokens.append(mark or word or f'"{string}')
    root = Group("")
    stack, words, i = [root], list[str](), 0
    while i < len(tokens):
        token = tokens[i]
        if token == "(" and words:
            end = tokens.index(")", i)
            names = tuple(t.removeprefix('"') for t in tokens[i + 1 : end] if t != ",")
            if end + 1 < len(tokens) and tokens[end + 1] == "{":
                group = Group(words[-1], names)
                stack[-1].groups.append(group)
                stack.append(group)
                i, words = end + 1, []
            else:
                stack[-1].attributes[words[-1]] = "; ".join(names)
                i, words = end, []
        elif token == ":":
            end = i + 1
            while end < len(tokens) and tokens[end] not in (";", "}"):
                end += 1
            value = " ".join(t.removeprefix('"') for t in tokens[i + 1 : end])
            stack[-1].attributes[words[-1] if words else ""] = value
            words = []
            i = end - 1 if end < len(tokens) and tokens[end] == "}" else end
        elif token == "}":
            if len(stack) == 1:
                raise LibertyError("Liberty: a closing brace too many")
            stack.pop()
            words = []
        elif token != ";":
            words.append(token.removeprefix('"'))
        i += 1
    library = root.first("library")
    if library is None or len(stack) != 1:
        raise LibertyError("Liberty: no complete library group found")
    return library


def _numbers(text: str) -> list[float]:
    return [float(word) for word in re.split(r"[\s,;]+", text) if word]


@dataclass(frozen=True, slots=True)
class Table:
    """Values over (slew, load), or over the two slews for a constraint."""

    slews: tuple[float, ...]
    loads: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]

    def __call__(self, slew: float, load: float) -> float:
        """Interpolated value, in picoseconds."""
        i, x = _between(self.slews, slew)
        j, y = _between(self.loads, load)
        rows = self.values[i : i + 2]
        low, *rest = (row[j] + y * (row[j + 1] - row[j]) if y else row[j] for row in rows)
        return low + x * (rest[0] - low) if x and rest else low


def _between(axis: tuple[float, ...], value: float) -> tuple[int, float]:
    if len(axis) < 2:
        return 0, 0.0
    i = min(max(bisect_right(axis, value) - 1, 0), len(axis) - 2)
    return i, (value - axis[i]) / (axis[i + 1] - axis[i])


@dataclass(frozen=True, slots=True)
class Arc:
    """From an input pin to both output edges: delay and slew, and the input edges that count."""

    pin: str
    sense: str
    rise: Table
    fall: Table
    rise_slew: Table | None
    fall_slew: Table | None


@dataclass(slots=True)
class LibertyCell:
    """What timing needs of a cell."""

    name: str
    area: float
    inputs: dict[str, float]
    functions: dict[str, str]
    arcs: dict[str, list[Arc]]
    setup: dict[str, float]
    sequential: bool
    clock: str | None = None


class Library:
    """A Liberty library, in picoseconds and in its own unit of capacitance."""

    def __init__(self, text: str) -> None:
        self._group = parse(text)
        unit = self._group.attributes.get("time_unit", "1ns").replace(" ", "")
        match = re.fullmatch(r"([\d.]+)(ps|ns|us)", unit)
        if match is None:
            raise LibertyError(f"Liberty: time_unit {unit!r} is not understood")
        self.picoseconds = float(match[1]) * {"ps": 1.0, "ns": 1e3, "us": 1e6}[match[2]]
        self._templates = {t.name: t for t in self._group.all("lu_table_template")}
        self.cells = {group.name: self._cell(group) for group in self._group.all("cell")}

    def _table(self, group: Group | None) -> Table | None:
        if group is None or "values" not in group.attributes:
            return None
        template = self._templates.get(group.name)
        shared = template.attributes if template else {}
        rows = [_numbers(row) for row in group.attributes["values"].split(";")]
        first = _numbers(group.attributes.get("index_1", shared.get("index_1", "")))
        second = _numbers(group.attributes.get("index_2", shared.get("index_2", "")))
        scale = self.picoseconds
        variable = shared.get("variable_1", "")
        if len(rows) == 1 and not second and len(rows[0]) > 1:  # one variable only
            by_load = "capacitance" in variable
            rows = rows if by_load else [[value] for value in rows[0]]
            first, second = ([], first) if by_load else (first, [])
        elif len(rows) == 1 and first and second:  # values in one string
            rows = [rows[0][i : i + len(second)] for i in range(0, len(rows[0]), len(second))]
        elif "capacitance" in variable:
            rows, first, second = [list(column) for column in zip(*rows)], second, first
        return Table(
            tuple(value * scale for value in first) or (0.0,),
            tuple(second) or (0.0,),
            tuple(tuple(value * scale for value in row) for row in rows),
        )

    def _cell(self, group: Group) -> LibertyCell:
        state = group.first("ff") or group.first("latch") or group.first("ff_bank")
        cell = LibertyCell(
            group.name,
            float(group.attributes.get("area", 0)),
            {},
            {},
            defaultdict(list),
            {},
            state is not None,
            re.sub(r"\W", "", state.attributes.get("clocked_on", "")) if state else None,
        )
        for pin in group.all("pin"):
            for name in pin.names:
                if pin.attributes.get("direction") == "input":
                    cell.inputs[name] = float(pin.attributes.get("capacitance", 0))
                elif "function" in pin.attributes:
                    cell.functions[name] = pin.attributes["function"]
                for timing in pin.all("timing"):
                    self._timing(cell, name, timing)
        return cell

    def _timing(self, cell: LibertyCell, name: str, timing: Group) -> None:
        kind = timing.attributes.get("timing_type", "combinational")
        if kind.startswith("setup"):
            tables = [self._table(timing.first(k)) for k in ("rise_constraint", "fall_constraint")]
            worst = max((t(t.slews[0], t.loads[0]) for t in tables if t), default=0.0)
            cell.setup[name] = max(worst, cell.setup.get(name, 0.0))
        if kind not in ("combinational", "rising_edge", "falling_edge"):
            return
        rise, fall = self._table(timing.first("cell_rise")), self._table(timing.first("cell_fall"))
        if rise is None or fall is None:
            return
        sense = timing.attributes.get("timing_sense", "non_unate")
        slews = [self._table(timing.first(k)) for k in ("rise_transition", "fall_transition")]
        for pin in timing.attributes.get("related_pin", "").split():
            cell.arcs[name].append(Arc(pin, sense, rise, fall, slews[0], slews[1]))

    def smallest(self, table: str, inputs: int) -> LibertyCell:
        """The smallest cell of one output whose truth table is ``table``, input 0 fastest."""
        fits = [
            cell
            for cell in self.cells.values()
            if len(cell.inputs) == inputs
            and len(cell.functions) == 1
            and not cell.sequential
            and truth_table(next(iter(cell.functions.values())), list(cell.inputs)) == table
        ]
        if not fits:
            raise LibertyError(f"Liberty: no cell with {inputs} inputs and truth table {table}")
        return min(fits, key=lambda cell: (cell.area, cell.name))

    @cached_property
    def nand2(self) -> LibertyCell:
        """The cell whose area is one gate equivalent."""
        return self.smallest("1110", 2)

    @cached_property
    def inverter(self) -> LibertyCell:
        """The smallest inverter."""
        return self.smallest("10", 1)

    @cached_property
    def flip_flop(self) -> LibertyCell | None:
        """The smallest flip-flop of clock and one data pin, or None."""
        fits = [
            cell
            for cell in self.cells.values()
            if cell.sequential
            and cell.clock in cell.inputs
            and len(cell.inputs) == 2
            and cell.setup
            and cell.arcs
        ]
        return min(fits, key=lambda cell: (cell.area, cell.name), default=None)

    @cached_property
    def fo4_ps(self) -> float:
        """Delay of the smallest inverter that drives four of itself, after a chain of such (ps)."""
        cell = self.inverter
        load, (arc, *_) = next(iter(cell.inputs.values())), next(iter(cell.arcs.values()))
        rise = fall = 0.0
        for _ in range(8):  # until the slews settle
            rise, fall = (
                arc.rise_slew(fall, 4 * load) if arc.rise_slew else 0.0,
                arc.fall_slew(rise, 4 * load) if arc.fall_slew else 0.0,
            )
        return (arc.rise(fall, 4 * load) + arc.fall(rise, 4 * load)) / 2


class _Boolean:
    """Recursive descent over Liberty's Boolean grammar; gives a function of a pin valuation."""

    def __init__(self, text: str) -> None:
        self.tokens = re.findall(r"\w+|[!'&*+|^()]", text)

    def accept(self, *tokens: str) -> bool:
        if self.tokens and self.tokens[0] in tokens:
            self.tokens.pop(0)
            return True
        return False

    def disjunction(self, pins: dict[str, bool]) -> bool:
        value = self.conjunction(pins)
        while self.accept("+", "|"):
            value |= self.conjunction(pins)
        return value

    def conjunction(self, pins: dict[str, bool]) -> bool:
        value = self.exclusive(pins)
        while self.accept("&", "*") or (self.tokens and self.tokens[0] not in "+|)^"):
            value &= self.exclusive(pins)
        return value

    def exclusive(self, pins: dict[str, bool]) -> bool:
        value = self.operand(pins)
        while self.accept("^"):
            value ^= self.operand(pins)
        return value

    def operand(self, pins: dict[str, bool]) -> bool:
        if self.accept("!"):
            return not self.operand(pins)
        if self.accept("("):
            value = self.disjunction(pins)
            self.accept(")")
        else:
            token = self.tokens.pop(0)
            value = pins[token] if token in pins else bool(int(token))
        while self.accept("'"):
            value = not value
        return value


def truth_table(function: str, inputs: list[str]) -> str | None:
    """Of a Liberty Boolean expression: '1110' for a NAND of two; None when it is not one."""
    rows = ""
    for bits in product((False, True), repeat=len(inputs)):
        try:
            rows += str(int(_Boolean(function).disjunction(dict(zip(inputs, bits, strict=True)))))
        except (ValueError, IndexError):
            return None
    return rows


# ---- the netlist --------------------------------------------------------------------------------

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
    and the cells along it, first to last."""

    picoseconds: float
    logic_picoseconds: float
    steps: tuple[Step, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """The types of the cells, first to last."""
        return tuple(step.cell for step in self.steps)


@dataclass(slots=True)
class _Edge:
    """Arrival of one edge of a net: time, slew, and where it came from."""

    time: float
    slew: float
    launch: float
    source: tuple[Any, int, str] | None = None


def longest_path(module: dict[str, Any], library: Library) -> Path:
    """The slowest register-to-register path of a mapped, flat module of Yosys' JSON.

    Raises :class:`LibertyError` for a cell that the library lacks, or a combinational loop.
    """
    cells = {
        name: (library.cells.get(cell["type"]), cell["connections"])
        for name, cell in module["cells"].items()
        if cell["type"] != "$scopeinfo"
    }
    missing = sorted(
        {module["cells"][name]["type"] for name, (cell, _) in cells.items() if cell is None}
    )
    if missing:
        raise LibertyError(f"timing: cells that the library lacks: {', '.join(missing)}")

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
        assert cell is not None
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

    arrival: dict[Any, tuple[_Edge, _Edge]] = {}
    ready: list[Any] = []

    def launch(net: Any, cell: LibertyCell | None, output: str | None) -> None:
        """A net that a flip-flop drives."""
        if cell is None:
            arrival[net] = (_Edge(0.0, 0.0, 0.0), _Edge(0.0, 0.0, 0.0))
        else:
            arcs = cell.arcs[output or next(iter(cell.arcs))]
            slew, drives = 0.0, load[net]
            rise = max((arc.rise(slew, drives) for arc in arcs), default=0.0)
            fall = max((arc.fall(slew, drives) for arc in arcs), default=0.0)
            first = arcs[0] if arcs else None
            slews = [
                table(slew, drives) if table else 0.0
                for table in ((first.rise_slew, first.fall_slew) if first else (None, None))
            ]
            arrival[net] = (_Edge(rise, slews[0], rise), _Edge(fall, slews[1], fall))
        ready.append(net)

    for port in ports:
        if port["direction"] == "input":
            for net in port["bits"]:
                launch(net, flip_flop, None)
    for cell, pins in cells.values():
        assert cell is not None
        if cell.sequential:
            for output in cell.functions:
                for net in pins.get(output, []):
                    launch(net, cell, output)
    timed = 0
    while ready:
        net = ready.pop()
        for name in fanout[net]:
            waiting[name] -= 1
            if waiting[name] == 0:
                cell, pins = cells[name]
                assert cell is not None
                for output, arcs in cell.arcs.items():
                    for out in pins.get(output, []):
                        arrival[out] = _through(cell, arcs, pins, arrival, load[out], name)
                        ready.append(out)
                timed += 1
    stuck = [n for n, count in waiting.items() if count > 0 and not cells[n][0].sequential]  # type: ignore[union-attr]
    if stuck:
        raise LibertyError(f"timing: {len(stuck)} cells are part of, or behind, a loop: {stuck[0]}")

    worst, picoseconds, logic = None, 0.0, 0.0
    for net, setup in endpoints:
        for edge in arrival.get(net, ()):
            if edge.time + setup >= picoseconds:
                worst, picoseconds = (net, edge), edge.time + setup
                logic = edge.time - edge.launch
    trail: list[Step] = []
    edge = worst[1] if worst else None
    while edge is not None and edge.source is not None:
        net, which, name = edge.source
        before = arrival[net][which]
        cell = cells[name][0].name  # type: ignore[union-attr]
        trail.append(Step(name, cell, edge.time - before.time))
        edge = before
    return Path(picoseconds, logic, tuple(reversed(trail)))


def _through(
    cell: LibertyCell,
    arcs: list[Arc],
    pins: dict[str, list[Any]],
    arrival: dict[Any, tuple[_Edge, _Edge]],
    load: float,
    name: str,
) -> tuple[_Edge, _Edge]:
    """Both edges of a combinational cell's output."""
    best: list[_Edge | None] = [None, None]
    slews = [0.0, 0.0]
    for arc in arcs:
        net = pins.get(arc.pin, ["x"])[0]
        if net not in arrival:
            continue
        for out, delay, slew in ((RISE, arc.rise, arc.rise_slew), (FALL, arc.fall, arc.fall_slew)):
            causes = {
                "positive_unate": (out,),
                "negative_unate": (1 - out,),
            }.get(arc.sense, (RISE, FALL))
            for cause in causes:
                edge = arrival[net][cause]
                time = edge.time + delay(edge.slew, load)
                if slew is not None:
                    slews[out] = max(slews[out], slew(edge.slew, load))
                known = best[out]
                if known is None or time > known.time:
                    best[out] = _Edge(time, 0.0, edge.launch, (net, cause, name))
    constant = _Edge(0.0, 0.0, 0.0)
    rise, fall = (edge or constant for edge in best)
    rise.slew, fall.slew = slews
    return rise, fall
