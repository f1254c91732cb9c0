# SPDX-License-Identifier: BSD-2-Clause
"""What a beat leaves behind for the next: counters, accumulators, memories and loops."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from amaranth.hdl import Array, Cat, Const, Mux, Signal, Value
from amaranth.lib.memory import Memory

from .labels import scoped
from .wire import Wire, cat

if TYPE_CHECKING:
    from .scheduler import Scheduler

__all__ = ["Loop", "accumulate", "ends", "gather", "loop", "memory"]


@scoped("accumulator")
def ends(p: "Scheduler", last: Wire, beats: int) -> Wire:
    """1 in each ``beats``-th beat since the one after ``last``, and in that of ``last``."""
    if beats == 1:
        return p.constant(1, 1)
    stage = last.stage
    count = Signal(range(beats), name=p.labels.signal("beat", stage, register=True))
    p.registers += len(count)
    end = Signal(name=p.labels.signal("end", stage))
    p.module.d.comb += end.eq(p.at(last, stage) | (count == beats - 1))
    p.update(count, Mux(end, 0, count + 1)[: len(count)], p.valid(stage))
    time = p.delays.register + p.delays.reduction(len(count) + 1)
    return Wire(p, end, stage, time, 0, 1, "end")


@scoped("accumulator")
def accumulate(p: "Scheduler", addend: Wire, last: Wire, width: int) -> Wire:
    """Running sum of ``addend`` in ``width`` bits, which begins anew behind the beat ``last``.

    The registers are cleared there: nothing stands in the way of what they hold.

    Cut into segments that fit the clock period. A segment's carry enters the next one a
    clock later, as do the addend's bits there, so the loop is never longer than a segment.
    """
    room = p.period - p.delays.register - p.delays.add
    segment = width
    while segment > 4:
        added = p.delays.adder(segment)
        ends = p.delays.register + added
        if not p.decided(added - p.delays.add > room, ends, about=1e-6):
            break
        segment = (segment + 1) // 2
    sums: list[Wire] = []
    carry: Wire | None = None
    extended = addend.bits(width)  # in the next stage where the addend fills its own
    stage = max(extended.stage, last.stage)
    if p.late(extended.time + p.delays.adder(segment)):
        stage += 1
    for start in range(0, width, segment):
        part = extended[start : start + segment]
        size = len(part)
        label = p.labels.signal("accumulator", stage, register=True)
        held = Signal(size, name=label)
        p.registers += size
        into = Const(0, 1) if carry is None else p.at(carry, stage)
        total = Signal(size + 1, name=p.labels.signal("running", stage))
        left, right = Cat(Const(1, 1), held), Cat(into, p.at(part, stage))
        p.module.d.comb += total.eq((left + right)[1:])
        p.update(held, total[:size], p.valid(stage), p.at(last, stage))
        time = p.delays.register + p.delays.adder(size)
        p.slowest = max(p.slowest, time)
        sums.append(Wire(p, total[:size], stage, time, 0, (1 << size) - 1, "running"))
        carry = Wire(p, total[size], stage, time, 0, 1, "carry")
        p.last_stage = max(p.last_stage, stage)
        stage += 1
    return p.name("accumulated", cat(*sums)).as_signed()


@scoped("accumulator")
def gather(p: "Scheduler", bit: Wire, last: Wire) -> Wire:
    """OR of ``bit`` over the beats behind the one marked ``last``."""
    if bit.constant == 0:
        return bit
    stage = max(bit.stage, last.stage)
    held = Signal(name=p.labels.signal("seen", stage, register=True))
    p.registers += 1
    value = p.at(bit, stage) | held
    p.update(held, value, p.valid(stage), p.at(last, stage))
    return Wire(p, value, stage, p.delays.register + p.delays.gate, 0, 1, "seen")


def memory(p: "Scheduler", depth: int, write: Wire, address: Wire, data: Wire, name: str) -> Wire:
    """Word ``address`` of a memory; a beat with ``write`` stores ``data`` there and has it."""
    operands = [w for w in (write, address, data) if w.constant is None]
    stage = max(w.stage for w in operands)
    memory = Memory(shape=len(data), depth=depth, init=[])
    setattr(memory, "_MustUse__used", True)  # noqa: B010  A trial of the scheduler drops it.
    p.module.submodules[f"{name}_memory"] = memory
    p.registers += depth * len(data)
    enter, leave = memory.write_port(domain=p.domain), memory.read_port(domain="comb")
    enable = p.at(write, stage)
    for condition in (p.enable, p.valid(stage)):
        enable = enable if condition is None else enable & condition
    here = p.at(address, stage)[: len(leave.addr)]
    word = p.at(data, stage)
    p.module.d.comb += [
        enter.addr.eq(here),
        enter.data.eq(word),
        enter.en.eq(enable),
        leave.addr.eq(here),
    ]
    time = max(w.time if w.stage == stage else p.delays.register for w in operands)
    time += p.delays.choice(len(data)) * (1 + (depth - 1).bit_length() // 2)
    p.slowest = max(p.slowest, time)
    value = Signal(len(data), name=p.labels.signal(name, stage))
    p.module.d.comb += value.eq(Mux(p.at(write, stage), word, leave.data))
    return Wire(p, value, stage, time, 0, (1 << len(data)) - 1, name)


@contextmanager
def loop(p: "Scheduler", *inputs: Wire, contexts: int = 1) -> Iterator["Loop"]:
    """A step whose result is its own operand ``contexts`` beats later.

    With one context it must end in the clock in which it begins; with more it may take as
    many clocks.
    """
    live = [w for w in inputs if w.constant is None]
    stage = max(w.stage for w in live)
    late = any(w.stage == stage and w.time > p.delays.register for w in live)
    if late and p.period != float("inf"):
        stage += 1
    p.last_stage = max(p.last_stage, stage)
    p.looping = range(stage, stage + contexts)
    try:
        yield Loop(p, stage, contexts)
    finally:
        p.looping = None


class Loop:
    """The state of a step that feeds itself, one for each context."""

    def __init__(self, pipeline: "Scheduler", stage: int, contexts: int):
        self.pipeline = pipeline
        self.stage = stage
        self.contexts = contexts
        self._turn: Signal | None = None
        if contexts > 1:
            p = pipeline
            label = p.labels.signal("context", stage, register=True)
            self._turn = Signal(range(contexts), name=label)
            p.registers += len(self._turn)
            following = Mux(self._turn == contexts - 1, 0, self._turn + 1)
            p.update(self._turn, following[: len(self._turn)], p.valid(stage))

    def state(self, width: int, name: str, init: int | None = None) -> Wire:
        """Registers of ``width`` bits that :meth:`close` will drive."""
        p = self.pipeline
        registers = []
        for number in range(self.contexts):
            word = name if self._turn is None else f"{name}{number}"
            label = p.labels.signal(word, self.stage, register=True)
            registers.append(Signal(width, name=label, reset_less=init is None, init=init or 0))
        p.registers += width * self.contexts
        time = p.delays.register
        value: Value = registers[0]
        if self._turn is not None:
            value = Signal(width, name=p.labels.signal(f"{name}_now", self.stage))
            p.module.d.comb += value.eq(Array(registers)[self._turn])
            time += p.delays.choice(width) * len(self._turn)
        wire = Wire(p, value, self.stage, time, 0, (1 << width) - 1, name)
        self._registers = registers
        return wire

    def first(self, last: Wire) -> Wire:
        """1 in the beat behind one that was ``last``."""
        wire = self.state(1, "first", init=1)
        self.close(wire, last, self.stage)
        return wire

    def largest(self, word: Wire, last: Wire, name: str) -> tuple[Wire, Wire]:
        """(the largest ``word`` behind the beat marked ``last``, and what it was before)."""
        p = self.pipeline
        before = self.state(len(word), name, init=0)
        now = p.name("now", p.mux(before < word, word, before))
        self.close(before, now, clear=last)
        return now, before

    def closed(self, state: Wire, value: Wire) -> Wire:
        """:meth:`close`, and ``value`` in the stage after: there the state's registers have it.

        Between operations they keep it, as :meth:`Scheduler.hold_from` wants it.
        """
        p = self.pipeline
        self.close(state, value)
        stage = value.stage + 1
        kept = p.at(value, stage) if self._turn is not None else self._registers[0]
        return Wire(p, kept, stage, p.delays.register, value.low, value.high, state.name)

    def close(
        self, state: Wire, value: Wire, stage: int | None = None, clear: Wire | None = None
    ) -> None:
        """Store ``value`` as what follows ``state``, which was made last, at each valid beat.

        Behind one with ``clear``, the state is what it was made with.
        """
        p = self.pipeline
        stage = value.stage if stage is None else stage
        stored, valid = p.at(value, stage), p.valid(stage)
        anew = None if clear is None else p.at(clear, stage)
        if self._turn is None:
            p.update(self._registers[0], stored, valid, anew)
            return
        turn = Wire(p, self._turn, self.stage, 0.0, 0, self.contexts - 1, "context")
        now = p.at(turn, stage)
        for number, register in enumerate(self._registers):
            mine = now == number
            p.update(register, stored, mine if valid is None else valid & mine, anew)
