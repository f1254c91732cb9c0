# SPDX-License-Identifier: BSD-2-Clause
"""The energy of an operation: what moved in a mapped netlist, weighed by its library.

Of a transition of a net: half the capacitance of the pins on it times the square of the supply's
voltage (wires count nothing). Inside the cells: what the library's power tables say. Of the clock:
its net, and the tables of the flip-flops' clock pins, each clock. Leakage is told apart.

Every result of the simulated netlist is compared with the golden model's: a netlist that differs
has no energy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from macaw.golden.errors import ToolError
from macaw.golden.units import Unit
from macaw.sim.bench.bulk import differing
from macaw.sim.bench.interface import Codes, Interface, pack, unpack
from macaw.sim.mismatch import report

from ..mapping.liberty import LibertyError, Library
from .circuit import Circuit, circuit
from .operands import stream
from .simulator import Switching, simulate

OPERATIONS = 2048
"""Operations that are simulated."""

WARM_UP = 64
"""Of them not counted, at the beginning."""

RESET_CLOCKS = 4
SEED = 1

INV = 1e-3
"""Picojoules that stand for a transition of an inverter in macaw's own library."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Energy:
    """Of one operation, in ``energy_unit``: ``pJ``, or ``inv``, transitions of an inverter.

    Attributes
    ----------
    energy_per_operation, energy_without_glitches : float
        With all transitions by the cells' delays, and with one a clock and net at most.
    energy_of_clock : float
        The share of the clock in both.
    leakage_power : float or None
        Of the unit, in nanowatts; None where the library says nothing.
    operands : str
        The stream of operands.
    operations : int
        That were simulated, each result being that of the golden model.
    """

    energy_per_operation: float
    energy_without_glitches: float
    energy_of_clock: float
    energy_unit: str
    leakage_power: float | None
    operands: str
    operations: int


def energy_of(
    netlist: dict[str, Any],
    library: Library,
    spec: Unit,
    metadata: Mapping[str, Any],
    operands: str | Codes = "gaussian",
    *,
    unit: str = "pJ",
) -> Energy:
    """Energy of an operation of ``spec``, whose gates are a flat module of Yosys' JSON.

    ``metadata`` is the design's, and ``unit`` is ``inv`` for macaw's own library. ``operands`` is
    the name of a stream, or codes of each operand, a row an operation.

    Raises :class:`LibertyError` for a library without power tables or a cell that cannot be
    simulated, :class:`SpecError` for an unknown stream, :class:`ToolError` for a netlist that
    differs from the golden model.
    """
    if not any(cell.powers for cell in library.cells.values()):
        raise LibertyError(f"energy: the Liberty file of {library.name} has no power tables")
    interface = Interface.of(metadata, spec.ports)
    clock = interface.clock if interface.clock in netlist["ports"] else None
    made = circuit(netlist, library, clock)
    named = isinstance(operands, str)
    codes = stream(spec, operands, OPERATIONS, SEED) if named else operands
    moved = run(made, interface, codes)
    judge(spec, interface, codes, moved, made)
    rows = len(next(iter(codes.values())))
    counted = rows - min(WARM_UP, rows // 2)
    picojoules = weigh(made, library, moved)
    scale, digits = (1 / INV, 2) if unit == "inv" else (1.0, 5)
    whole, once, of_clock = (round(value * scale / counted, digits) for value in picojoules)
    return Energy(
        energy_per_operation=whole,
        energy_without_glitches=once,
        energy_of_clock=of_clock,
        energy_unit=unit,
        leakage_power=made.leakage if made.leakage is None else round(made.leakage, 4),
        operands=operands if named else "codes",
        operations=rows,
    )


def run(made: Circuit, interface: Interface, codes: Codes) -> Switching:
    """Move rows of codes through a circuit at the unit's rate, valid and accepted always."""
    codes = interface.offered(codes, SEED)
    rows = len(next(iter(codes.values())))
    bits = np.zeros((rows, len(made.input_cell)), np.uint8)
    for pin in interface.inputs:
        if pin.name in made.inputs:
            words = pack(pin, codes).view(np.uint8)
            columns = np.unpackbits(words, axis=1, bitorder="little")[:, : pin.width]
            bits[:, list(made.inputs[pin.name])] = columns
    for name in (interface.valid_in, interface.ready_out):
        if name in made.inputs:
            bits[:, made.inputs[name]] = 1
    reset = interface.reset if interface.reset in made.inputs else None
    return simulate(
        made,
        bits,
        first=min(WARM_UP, rows // 2),
        interval=interface.interval,
        pause=interface.pause,
        ready=interface.ready_in if interface.ready_in in made.outputs else None,
        reset=(reset, interface.reset_level) if reset else None,
        reset_clocks=RESET_CLOCKS if reset else 0,
        drain=interface.drain + 4,
    )


def judge(spec: Unit, interface: Interface, codes: Codes, moved: Switching, made: Circuit) -> None:
    """Raise ToolError that shows the first result that is not the golden model's."""
    codes = interface.offered(codes, SEED)
    expected = interface.expected(
        codes, spec.evaluate(**{name: codes[name] for name in spec.ports.inputs})
    )
    got = results_of(interface, codes, moved, made)
    wrong = differing(expected, got)
    if len(wrong):
        row = int(wrong[0])
        count = len(next(iter(got.values())))
        shown = {name: array[row] for name, array in got.items()} if row < count else None
        mismatch = report(
            spec, codes, expected, row=row, got=shown, first=0, problem="", pattern="netlist",
            seed=SEED, replay=f"{spec.kind} --energy",
        )  # fmt: skip
        raise ToolError(
            f"{spec.name}: the mapped netlist differs from the golden model: {mismatch}"
        )


def results_of(interface: Interface, codes: Codes, moved: Switching, made: Circuit) -> Codes:
    """The results that came, in order: of each row, or of each that ends a sum."""
    column, first = {}, 0
    for name, nets in made.outputs.items():
        column[name] = moved.results[:, first : first + len(nets)]
        first += len(nets)
    reset = interface.reset in made.inputs
    begin = RESET_CLOCKS if reset else 0
    rows = len(next(iter(codes.values())))
    ends = np.asarray(codes["last"]) != 0 if "last" in codes else np.ones(rows, bool)
    if interface.flow == "none":
        starts = begin + np.searchsorted(moved.taken[begin:], np.arange(rows))
        clocks = starts[ends] + interface.latency
    else:
        valid = column[str(interface.valid_out)][:, 0] != 0
        valid[:begin] = False
        clocks = np.flatnonzero(valid)[: np.count_nonzero(ends)]
    found: Codes = {}
    for pin in interface.outputs:
        packed = np.packbits(column[pin.name][clocks], axis=1, bitorder="little")
        wide = -(-pin.width // 64) * 8
        padded = np.zeros((len(clocks), wide), np.uint8)
        padded[:, : packed.shape[1]] = packed
        found |= unpack(pin, padded.view(np.uint64))
    return found


def weigh(made: Circuit, library: Library, moved: Switching) -> tuple[float, float, float]:
    """Picojoules in all: with glitches, without, and the clock's share."""
    square = library.volts**2
    load = np.array(made.load) * square / 2
    clock = made.clock_load * square * moved.clocks + moved.clock
    whole = float(load @ moved.toggles) + moved.internal + clock
    once = float(load @ moved.settled) + moved.once + clock
    return whole, once, clock
