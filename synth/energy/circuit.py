# SPDX-License-Identifier: BSD-2-Clause
"""A mapped netlist with what its library says of it, as arrays that a simulator walks.

Delays are the library's at the pins' loads and the slews of static timing, one of a rise and one of
a fall for each output of a cell: the mean over the inputs that may cause it. Energies inside the
cells are tables over the state of their pins. Where a library tells an input's own energy by states
of the other pins, what it tells without one is for tools that have no states, and is not used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ..mapping.liberty import LibertyCell, LibertyError, Library, Power, Table, truth_table
from ..mapping.timing import FALL, RISE, Arrivals, arrivals, causes

MOST_PINS = 6
"""Of a cell, the bit that a flip-flop keeps included: its tables are words of 64 bits."""

LOW, HIGH = 0, 1
"""The nets of the constants."""

INPUT = 2


@dataclass(slots=True)
class Circuit:
    """The arrays; see ``simulator.cpp``, whose names these are.

    Attributes
    ----------
    nets : dict
        Net of Yosys' JSON -> number here.
    load : list of float
        Capacitance of each net, in picofarads.
    clock_load : float
        The same of the clock's net.
    inputs, outputs : dict
        Port -> where its bits are among the inputs' cells, and nets of the outputs.
    leakage : float or None
        Of all cells, in nanowatts.
    """

    nets: dict[Any, int]
    load: list[float]
    clock_load: float = 0.0
    leakage: float | None = None
    inputs: dict[str, range] = field(default_factory=dict)
    outputs: dict[str, list[int]] = field(default_factory=dict)
    pin_first: list[int] = field(default_factory=lambda: [0])
    pin_net: list[int] = field(default_factory=list)
    pin_energy: list[int] = field(default_factory=list)
    keeps: list[int] = field(default_factory=list)
    next: list[int] = field(default_factory=list)
    clear: list[int] = field(default_factory=list)
    preset: list[int] = field(default_factory=list)
    clock_energy: list[int] = field(default_factory=list)
    gate_first: list[int] = field(default_factory=lambda: [0])
    gate_net: list[int] = field(default_factory=list)
    gate_rise: list[int] = field(default_factory=list)
    gate_fall: list[int] = field(default_factory=list)
    gate_table: list[int] = field(default_factory=list)
    gate_energy: list[int] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)
    input_cell: list[int] = field(default_factory=list)


def circuit(module: dict[str, Any], library: Library, clock: str | None) -> Circuit:
    """The circuit of a mapped, flat module of Yosys' JSON, ``clock`` being its port's name.

    Raises :class:`LibertyError` for a cell that is not in the library, or that cannot be simulated.
    """
    timed = arrivals(module, library)
    clocked = set(module["ports"][clock]["bits"]) if clock else set[Any]()
    numbers: dict[Any, int] = {}
    nets = [bit for port in module["ports"].values() for bit in port["bits"]]
    nets += [bit for _, pins in timed.cells.values() for bits in pins.values() for bit in bits]
    for bit in nets:
        if not isinstance(bit, str) and bit not in clocked:
            numbers.setdefault(bit, len(numbers) + 2)
    loads = [0.0, 0.0] + [timed.load.get(bit, 0.0) * library.picofarads for bit in numbers]
    made = Circuit(numbers, loads)
    made.clock_load = sum(timed.load.get(bit, 0.0) for bit in clocked) * library.picofarads
    leaks = [cell.leakage for cell, _ in timed.cells.values()]
    made.leakage = None if None in leaks or not leaks else sum(leak or 0.0 for leak in leaks)
    launch = _launch(library, timed)
    for name, port in module["ports"].items():
        if port["direction"] == "output":
            made.outputs[name] = [_net(made, bit) for bit in port["bits"]]
        elif name != clock:
            first = len(made.input_cell)
            for bit in port["bits"]:
                made.input_cell.append(len(made.keeps))
                _cell(made, [], INPUT)
                _gate(made, numbers[bit], 0b10, launch, -1)
            made.inputs[name] = range(first, len(made.input_cell))
    for name, (cell, pins) in timed.cells.items():
        _add(made, name, cell, pins, library, timed, clocked)
    return made


def _launch(library: Library, timed: Arrivals) -> tuple[int, int]:
    """Picoseconds from the clock to an input, which a register of the library gives."""
    flip_flop = library.flip_flop
    if flip_flop is None:
        return 1, 1
    load = next(iter(library.inverter.inputs.values()))
    arcs = [arc for arcs in flip_flop.arcs.values() for arc in arcs]
    rise, fall = (
        max(t(0.0, load) for t in tables) for tables in zip(*((a.rise, a.fall) for a in arcs))
    )
    return max(1, round(rise)), max(1, round(fall))


def _net(made: Circuit, bit: Any) -> int:
    """The number of a net; an unknown constant is low."""
    return made.nets[bit] if not isinstance(bit, str) else HIGH if bit == "1" else LOW


def _cell(made: Circuit, nets: Sequence[int], keeps: int) -> None:
    made.pin_net += nets
    made.pin_first.append(len(made.pin_net))
    made.gate_first.append(made.gate_first[-1])
    made.keeps.append(keeps)
    for tables in (made.next, made.clear, made.preset):
        tables.append(0)
    made.clock_energy.append(-1)


def _gate(made: Circuit, net: int, table: int, delays: tuple[int, int], energy: int) -> None:
    """An output of the cell that was added last."""
    made.gate_net.append(net)
    made.gate_table.append(table)
    made.gate_rise.append(delays[RISE])
    made.gate_fall.append(delays[FALL])
    made.gate_energy.append(energy)
    made.gate_first[-1] += 1


def _add(
    made: Circuit,
    name: str,
    cell: LibertyCell,
    pins: dict[str, list[Any]],
    library: Library,
    timed: Arrivals,
    clocked: set[Any],
) -> None:
    """A cell of the netlist."""
    state = cell.state
    if cell.sequential and (state is None or state.clocked_on != cell.clock):
        raise LibertyError(f"energy: {name} is a {cell.name}, and no flip-flop of a rising edge")
    clock = cell.clock if state else None
    if clock is not None and pins[clock][0] not in clocked:
        raise LibertyError(f"energy: {name} ({cell.name}) has another clock than the module's")
    names = [pin for pin in cell.inputs if pin != clock]
    kept = [state.names[0]] if state else []
    if len(names) + len(kept) > MOST_PINS:
        raise LibertyError(f"energy: {cell.name} has {len(names)} inputs, of at most {MOST_PINS}")
    bits = [*names, *kept]
    _cell(made, [_net(made, pins.get(pin, ["x"])[0]) for pin in names], 1 if state else 0)
    aliases = _aliases(cell)
    if state is not None:
        made.next[-1] = _table(_renamed(state.next_state, aliases), bits, cell.name)
        made.clear[-1] = _table(_renamed(state.clear or "0", aliases), bits, cell.name)
        made.preset[-1] = _table(_renamed(state.preset or "0", aliases), bits, cell.name)
    slews = {pin: _slews(timed, pins.get(pin, ["x"])[0]) for pin in cell.inputs}
    by_pin: dict[tuple[str, str], list[Power]] = {}
    for power in cell.powers:
        by_pin.setdefault((power.pin, power.related), []).append(power)
    for pin in names:
        own = by_pin.get((pin, ""), [])
        own = [power for power in own if power.when] or own
        made.pin_energy.append(_energies(made, own, bits, slews[pin], 0.0, clock, aliases))
    if clock is not None:
        own = by_pin.get((clock, ""), [])
        own = [power for power in own if power.when] or own
        made.clock_energy[-1] = _energies(made, own, bits, (0.0, 0.0), 0.0, None, aliases)
    for output, function in cell.functions.items():
        net = pins.get(output, ["x"])[0]
        number = _net(made, net) if not isinstance(net, str) else _spare(made)
        load = timed.load.get(net, 0.0)
        offset = -1
        causing = [*names, clock] if state else names
        if any((output, pin) in by_pin or (output, "") in by_pin for pin in causing):
            offset = len(made.energies)
            for pin in causing:
                found = by_pin.get((output, pin or ""), by_pin.get((output, ""), []))
                mean = sum(slews.get(pin or "", (0.0, 0.0))) / 2 if pin != clock else 0.0
                _energies(made, found, bits, (mean, mean), load, clock, aliases, always=True)
        table = _table(_renamed(function, aliases), bits, cell.name)
        _gate(made, number, table, _delays(cell, output, pins, timed, load), offset)


def _spare(made: Circuit) -> int:
    """A net of its own for an output that nothing reads: it moves, and that costs."""
    made.load.append(0.0)
    return len(made.load) - 1


def _aliases(cell: LibertyCell) -> dict[str, str]:
    """What other names of a flip-flop's state mean: its inverse, and its outputs."""
    if cell.state is None:
        return {}
    state, *inverse = cell.state.names
    names = dict.fromkeys(inverse, f"!{state}")
    for output, function in cell.functions.items():
        names[output] = {state: state}.get(function, names.get(function, function))
    return names


def _renamed(expression: str, aliases: dict[str, str]) -> str:
    for name, meaning in aliases.items():
        expression = re.sub(rf"\b{re.escape(name)}\b", f"({meaning})", expression)
    return expression


@cache
def _rows(expression: str, bits: tuple[str, ...]) -> int | None:
    rows = truth_table(expression, list(reversed(bits)))  # the first bit counts fastest
    return None if rows is None else sum(1 << i for i, row in enumerate(rows) if row == "1")


def _table(expression: str, bits: Sequence[str], cell: str) -> int:
    table = _rows(expression, tuple(bits))
    if table is None:
        raise LibertyError(f"energy: {cell}: {expression!r} is no function of {', '.join(bits)}")
    return table


def _slews(timed: Arrivals, net: Any) -> tuple[float, float]:
    edges = timed.edges.get(net)
    return (edges[RISE].slew, edges[FALL].slew) if edges else (0.0, 0.0)


def _delays(
    cell: LibertyCell, output: str, pins: dict[str, list[Any]], timed: Arrivals, load: float
) -> tuple[int, int]:
    """Picoseconds of a rise and of a fall of an output, 1 at least."""
    found: tuple[list[float], list[float]] = ([], [])
    for arc in cell.arcs.get(output, []):
        slews = _slews(timed, pins.get(arc.pin, ["x"])[0])
        for edge, table in ((RISE, arc.rise), (FALL, arc.fall)):
            before = causes(arc, edge)
            found[edge].append(table(sum(slews[e] for e in before) / len(before), load))
    rise, fall = (max(1, round(sum(each) / len(each))) if each else 1 for each in found)
    return rise, fall


def _energies(
    made: Circuit,
    powers: Iterable[Power],
    bits: Sequence[str],
    slews: tuple[float, float],
    load: float,
    clock: str | None,
    aliases: dict[str, str],
    always: bool = False,
) -> int:
    """Add a table [state][rise, fall] to the energies, and return where it starts.

    -1 without anything to say, unless it must be there ``always``. Of states in which several hold
    the one with a condition counts; where the level of the clock is one, the mean of both levels.
    """
    powers = sorted(powers, key=lambda power: bool(power.when))
    if not powers and not always:
        return -1
    rows = [[0.0, 0.0] for _ in range(1 << len(bits))]
    levels = ("0", "1") if clock else ("",)
    for level in levels:
        here = [[0.0, 0.0] for _ in rows]
        for power in powers:
            names = aliases | ({clock: level} if clock else {})
            when = _rows(_renamed(power.when or "1", names), tuple(bits))
            values = [_value(t, s, load) for t, s in zip((power.rise, power.fall), slews)]
            for index, row in enumerate(here):
                if when is not None and when >> index & 1:
                    row[:] = values
        for row, more in zip(rows, here):
            row[:] = [a + b / len(levels) for a, b in zip(row, more)]
    offset = len(made.energies)
    made.energies += [value for row in rows for value in row]
    return offset


def _value(table: Table | None, slew: float, load: float) -> float:
    return table(slew, load) if table is not None else 0.0
