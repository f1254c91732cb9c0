# SPDX-License-Identifier: BSD-2-Clause
"""Buffers between what enables registers and the registers, which ABC leaves out.

ABC maps the logic between registers. A net that many of their pins share is one output to it, with
one load, so that a gate of the smallest size would drive hundreds of enables. What follows mapping
in any flow puts a tree of buffers there; so does this, for nets of the registers' own pins. The
clock and asynchronous resets have trees of their own, which nobody counts.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from .liberty import LibertyCell, Library, truth_table
from .timing import free_nets

__all__ = ["buffers_of", "insert"]

INVERTERS = 16
"""Inputs of the smallest inverter that a net of registers' pins may have as its load."""
SLOWEST_FO4 = 2.0
"""Delay of a buffer with all that it drives."""

Sink = tuple[list[Any], float]
"""The connection of a pin, whose first bit is its net, and the pin's capacitance."""


def insert(module: dict[str, Any], library: Library) -> float:
    """Put buffers into a mapped, flat module of Yosys' JSON; returns their area.

    Nothing changes where no net is so large, or the library has no buffer.
    """
    inverter = library.inverter
    limit = INVERTERS * next(iter(inverter.inputs.values()))
    kinds = _buffers(library)
    nets: dict[int, list[Sink]] = defaultdict(list)
    for cell in module["cells"].values():
        kind = library.cells.get(cell["type"])
        if kind is None or not kind.sequential:
            continue
        for pin in kind.setup:
            connection = cell["connections"].get(pin, ["x"])
            if isinstance(connection[0], int):
                nets[connection[0]].append((connection, kind.inputs[pin]))
    free = free_nets(module)
    area = 0.0
    for net, sinks in nets.items():
        while kinds and len(sinks) > 1 and sum(load for _, load in sinks) > limit:
            before = len(sinks)
            sinks, more = _level(module, net, sinks, kinds, free)
            area += more
            if len(sinks) == before:
                break
    return area


def buffers_of(library: Library) -> list[LibertyCell]:
    """Cells with one input and one output, which is the same and is timed."""
    return [
        cell
        for cell in library.cells.values()
        if not cell.sequential and cell.arcs and len(cell.inputs) == len(cell.functions) == 1
        and truth_table(next(iter(cell.functions.values())), list(cell.inputs)) == "01"
    ]  # fmt: skip


def _buffers(library: Library) -> list[tuple[LibertyCell, float]]:
    """The buffers, each with what it drives in time."""
    found = [(cell, _capacity(cell, library)) for cell in buffers_of(library)]
    return [(cell, capacity) for cell, capacity in found if capacity > 0]


def _capacity(cell: LibertyCell, library: Library) -> float:
    """The load at which the delay is :data:`SLOWEST_FO4`, found by halving."""
    arc = next(iter(cell.arcs.values()))[0]
    own = next(iter(cell.inputs.values()))
    low, high = 0.0, 1000 * own

    def late(load: float) -> bool:
        return (arc.rise(0.0, load) + arc.fall(0.0, load)) / 2 > SLOWEST_FO4 * library.fo4_ps

    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if late(middle) else (middle, high)
    return low


def _level(
    module: dict[str, Any],
    net: int,
    sinks: list[Sink],
    kinds: list[tuple[LibertyCell, float]],
    free: Iterator[int],
) -> tuple[list[Sink], float]:
    """Buffers of the kind that takes the least area, for about as many pins each, and that area."""
    total = sum(load for _, load in sinks)

    def count(capacity: float) -> int:
        return min(math.ceil(total / capacity), len(sinks))

    kind, capacity = min(kinds, key=lambda k: (count(k[1]) * k[0].area, k[0].name))
    groups = count(capacity)
    ((pin, load),) = kind.inputs.items()
    (output,) = kind.functions
    found: list[Sink] = []
    for number in range(groups):
        bit = next(free)
        first, last = (n * len(sinks) // groups for n in (number, number + 1))
        for connection, _ in sinks[first:last]:
            connection[0] = bit
        connections = {pin: [net], output: [bit]}
        module["cells"][f"enable_buffer_{bit}"] = {
            "hide_name": 0,
            "type": kind.name,
            "parameters": {},
            "attributes": {},
            "port_directions": {pin: "input", output: "output"},
            "connections": connections,
        }
        found.append((connections[pin], load))
    return found, groups * kind.area
