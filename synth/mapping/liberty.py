# SPDX-License-Identifier: BSD-2-Clause
"""Liberty libraries: what is read of a file, in picoseconds and the library's own capacitances."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product

from macaw.golden.errors import MacawError


class LibertyError(MacawError):
    """A Liberty file that cannot be read or lacks what the flow needs."""


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


def _scaled(text: str, unit: str) -> float:
    """``1nW`` in watts, ``100mV`` in volts."""
    match = re.fullmatch(rf"([\d.]+)([munpf]?){unit}", text.replace(" ", ""), re.IGNORECASE)
    if match is None:
        raise LibertyError(f"Liberty: {text!r} is not understood as so many {unit}")
    power = {"": 0, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}[match[2].lower()]
    return float(match[1]) * 10.0**power


def _numbers(text: str) -> list[float]:
    return [float(word) for word in re.split(r"[\s,;]+", text) if word]


@dataclass(frozen=True, slots=True)
class Table:
    """Values over (slew, load), or over the two slews for a constraint."""

    slews: tuple[float, ...]
    loads: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]

    def __call__(self, slew: float, load: float) -> float:
        """Interpolated value: picoseconds, or picojoules."""
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


@dataclass(frozen=True, slots=True)
class Power:
    """Energy inside a cell when ``pin`` rises or falls, in picojoules over (slew, load).

    Of an output: because of the input ``related``. Of an input: by itself, over the slew alone.
    ``when`` is the state of the other pins in which it holds; empty: any.
    """

    pin: str
    related: str
    when: str
    rise: Table | None
    fall: Table | None


@dataclass(frozen=True, slots=True)
class State:
    """What a flip-flop keeps: names of the state and its inverse, and expressions of pins."""

    names: tuple[str, ...]
    clocked_on: str
    next_state: str
    clear: str
    preset: str


@dataclass(slots=True)
class LibertyCell:
    """What timing and power need of a cell; ``leakage`` in nanowatts, None if nothing is said."""

    name: str
    area: float
    inputs: dict[str, float]
    functions: dict[str, str]
    arcs: dict[str, list[Arc]]
    setup: dict[str, float]
    sequential: bool
    clock: str | None = None
    powers: list[Power] = field(default_factory=list)
    leakage: float | None = None
    state: State | None = None


class Library:
    """A Liberty library, in picoseconds and in its own unit of capacitance."""

    def __init__(self, text: str) -> None:
        self._group = parse(text)
        unit = self._group.attributes.get("time_unit", "1ns").replace(" ", "")
        match = re.fullmatch(r"([\d.]+)(ps|ns|us)", unit)
        if match is None:
            raise LibertyError(f"Liberty: time_unit {unit!r} is not understood")
        self.picoseconds = float(match[1]) * {"ps": 1.0, "ns": 1e3, "us": 1e6}[match[2]]
        kinds = ("lu_table_template", "power_lut_template")
        self._templates = {t.name: t for kind in kinds for t in self._group.all(kind)}
        self.name = self._group.name
        said = self._group.attributes
        number, _, farads = said.get("capacitive_load_unit", "1; pf").partition(";")
        self.picofarads = float(number) * (1e-3 if farads.strip().lower() == "ff" else 1.0)
        """Of one unit of capacitance."""
        self.volts = float(said.get("nom_voltage", 1))
        """Of the supply."""
        self.picojoules = self.picofarads * _scaled(said.get("voltage_unit", "1V"), "V") ** 2
        """Of one unit of internal energy: that of a unit of capacitance at a unit of voltage."""
        self._nanowatts = _scaled(said.get("leakage_power_unit", "1nW"), "W") * 1e9
        self.cells = {group.name: self._cell(group) for group in self._group.all("cell")}

    def _table(self, group: Group | None, unit: float | None = None) -> Table | None:
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
            tuple(tuple(value * (unit or scale) for value in row) for row in rows),
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
                for power in pin.all("internal_power"):
                    self._power(cell, name, power)
        if state is not None and state.kind == "ff":
            said = state.attributes
            kept = [said.get(name, "") for name in ("clocked_on", "next_state", "clear", "preset")]
            cell.state = State(state.names, *kept)
        cell.leakage = self._leakage(group)
        return cell

    def _power(self, cell: LibertyCell, name: str, power: Group) -> None:
        rise, fall, either = (
            self._table(power.first(kind), self.picojoules)
            for kind in ("rise_power", "fall_power", "power")
        )
        said = power.attributes
        for related in said.get("related_pin", "").split() or [""]:
            found = Power(name, related, said.get("when", ""), rise or either, fall or either)
            cell.powers.append(found)

    def _leakage(self, group: Group) -> float | None:
        """The cell's own figure; without one the mean of its states."""
        states = [leak.attributes.get("value") for leak in group.all("leakage_power")]
        known = [float(value) for value in states if value]
        if "cell_leakage_power" in group.attributes:
            known = [float(group.attributes["cell_leakage_power"])]
        return sum(known) / len(known) * self._nanowatts if known else None

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
