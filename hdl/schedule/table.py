# SPDX-License-Identifier: BSD-2-Clause
"""Constants that are looked up: cells of logic and choices between them, or a memory."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amaranth.hdl import Const, Mux, Signal, Value, unsigned
from amaranth.lib.memory import Memory

from .labels import scoped
from .wire import Wire, shape_of

if TYPE_CHECKING:
    from .scheduler import Scheduler

__all__ = ["lookup"]

_CELL = 4
"""Bits of the index that one cell of logic takes."""


@scoped("table")
def lookup(p: "Scheduler", index: Wire, values: Sequence[int]) -> Wire:
    """``values[index]``; an index beyond their end gives the last one."""
    if index.constant is not None:
        return p.constant(values[min(index.constant, len(values) - 1)])
    # Those that the index reaches.
    values = values[: 1 << len(index)]
    low, high = min(values), max(values)
    if low == high:
        return p.constant(low)
    width = min(len(index), (len(values) - 1).bit_length())
    padded = [*values, *[values[-1]] * ((1 << width) - len(values))]
    if p.table == "ram" and width > _CELL:
        return _memory(p, index[:width], padded).within(low, high)
    found = _choose(p, index, padded, width).within(low, high)
    found.entries = index[:width], padded
    return found


def _memory(p: "Scheduler", index: Wire, values: Sequence[int]) -> Wire:
    """An entry of a memory that is never written, at the next clock edge."""
    shape = shape_of(min(values), max(values))
    patterns = [value % (1 << shape.width) for value in values]
    memory = Memory(shape=unsigned(shape.width), depth=len(values), init=patterns)
    setattr(memory, "_MustUse__used", True)  # noqa: B010  A trial of the scheduler drops it.
    stage = index.stage
    p.module.submodules[f"table{p.memories}_memory"] = memory
    p.memories += 1
    port = memory.read_port(domain=p.domain)
    p.module.d.comb += port.addr.eq(p.at(index, stage))
    if p.enable is not None:
        p.module.d.comb += port.en.eq(p.enable)
    p.last_stage = max(p.last_stage, stage + 1)
    entry = Signal(shape, name=p.labels.signal("entry", stage + 1))
    p.module.d.comb += entry.eq(port.data)
    time = p.delays.register + p.delays.choice(shape.width)
    p.slowest = max(p.slowest, time)
    return Wire(p, entry, stage + 1, time, min(values), max(values), "entry")


def _choose(p: "Scheduler", index: Wire, values: Sequence[int], width: int) -> Wire:
    low, high = min(values), max(values)
    if low == high:
        return p.constant(low)
    half = len(values) // 2
    if width > _CELL:
        upper = _choose(p, index, values[half:], width - 1)
        return p.mux(index[width - 1], upper, _choose(p, index, values[:half], width - 1))
    shape = shape_of(low, high)

    def tree(bits: Value, part: Sequence[int], level: int) -> Value:
        if level == 0:
            return Const(part[0], shape)
        middle = len(part) // 2
        upper, lower = (tree(bits, side, level - 1) for side in (part[middle:], part[:middle]))
        return Mux(bits[level - 1], upper, lower)

    return p.op(
        lambda bits: tree(bits, values, width),
        index[:width],
        delay=p.delays.reduction(1 << width) if width > 1 else p.delays.gate,
        low=low,
        high=high,
        name="entry",
    )
