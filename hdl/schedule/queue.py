# SPDX-License-Identifier: BSD-2-Clause
"""Beats that wait in a memory until what is known of their row, when it has ended, is there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amaranth.hdl import Mux, Signal, Value, unsigned
from amaranth.lib.memory import Memory

from .labels import scoped
from .wire import Wire, cat

if TYPE_CHECKING:
    from .scheduler import Scheduler

__all__ = ["queue"]


@scoped("queue")
def queue(
    p: "Scheduler",
    beat: Sequence[Wire],
    row: Sequence[Wire],
    end: Wire,
    beats: int,
    *,
    fixed: bool,
    part: str = "",
) -> tuple[list[Wire], list[Wire], Wire]:
    """(a beat's words, its row's words, whether it is the row's last), a beat a clock.

    A row has at most ``beats`` beats; its words are there in its last one's. They go into memories
    of their own, and a row comes out, beat by beat, as soon as its words are in. There is always
    room: a beat waits for the rest of its row, for what is made of it, and for the beats before it,
    of which one leaves in each clock in which one may come.

    What is in later stages than these belongs to the beats that come out: nothing from before may
    be used there. With ``fixed`` every clock is a beat, and each waits as long as the first of the
    longest row has to, ``beats`` clocks; of others, ``p.waits`` says so. ``part`` begins the names
    of the memories, where there is a queue before this one.
    """
    words, known = cat(*beat, end), cat(*row)
    enter, done = words.stage, max(known.stage, words.stage)
    there = done + 1
    depth = beats + (done - enter) + 1
    p.waits += beats
    p.last_stage = max(p.last_stage, there)
    p.slowest = max(p.slowest, p.delays.memory)

    def pointer(name: str, stage: int, step: Value | None) -> Signal:
        """An address that goes round the memory, a word further at each ``step``."""
        label = p.labels.signal(name, stage, register=True)
        address = Signal(range(depth), name=label)
        p.registers += len(address)
        p.update(address, Mux(address == depth - 1, 0, address + 1)[: len(address)], step)
        return address

    pushed, ended = p.valid(enter), p.valid(done)
    last = p.at(end, done)
    ended = last if ended is None else ended & last
    came, marked = pointer("came", enter, pushed), pointer("marked", done, ended)
    leave = Signal(name=p.labels.signal("leave", done))
    final = Signal(name=p.labels.signal("final", done))
    gone, closed = pointer("gone", done, leave), pointer("closed", done, leave & final)
    if fixed:
        label = p.labels.signal("wait", done, register=True)
        wait = Signal(range(depth), name=label, init=depth - 1)
        p.registers += len(wait)
        some = p.valid(enter)
        p.update(wait, Mux(wait == 0, 0, wait - 1)[: len(wait)], some)
        p.module.d.comb += leave.eq((wait == 0) if some is None else (wait == 0) & some)
    else:
        label = p.labels.signal("whole", done, register=True)
        whole = Signal(range(depth + 1), name=label)
        p.registers += len(whole)
        p.update(whole, (whole + ended - (leave & final))[: len(whole)])
        p.module.d.comb += leave.eq(whole != 0)
    ends = _read(p, f"{part}ends", depth, p.at(end, enter), came, pushed, gone, late=False)
    p.module.d.comb += final.eq(ends)
    beat_word = _read(p, f"{part}beats", depth, p.at(words, enter), came, pushed, gone, late=True)
    row_word = _read(p, f"{part}rows", depth, p.at(known, done), marked, ended, closed, late=True)
    p.valid_from(there, leave)

    def parts(word: Value, wires: Sequence[Wire]) -> list[Wire]:
        found, first = [], 0
        for wire in wires:
            part = word[first : first + len(wire)]
            part = part.as_signed() if wire.signed else part
            named = Signal(part.shape(), name=p.labels.signal(wire.name, there))
            p.module.d.comb += named.eq(part)
            time = p.delays.memory
            found.append(Wire(p, named, there, time, wire.low, wire.high, wire.name))
            first += len(wire)
        return found

    *beat_out, end_out = parts(beat_word, [*beat, end])
    return beat_out, parts(row_word, row), end_out


def _read(
    p: "Scheduler",
    name: str,
    depth: int,
    word: Value,
    into: Signal,
    when: Value | None,
    place: Signal,
    *,
    late: bool,
) -> Value:
    """What a memory, in which words are written one after another, has at a place.

    In the same clock, or ``late``, in the next one, as a block RAM has it.
    """
    memory = Memory(shape=unsigned(len(word)), depth=depth, init=[])
    setattr(memory, "_MustUse__used", True)  # noqa: B010  A trial of the scheduler drops it.
    p.module.submodules[f"{name}_memory"] = memory
    enable = p.enable
    if when is not None:
        enable = when if enable is None else enable & when
    port = memory.write_port(domain=p.domain)
    p.module.d.comb += [port.addr.eq(into), port.data.eq(word)]
    p.module.d.comb += port.en.eq(1 if enable is None else enable)
    read = memory.read_port(domain=p.domain if late else "comb")
    p.module.d.comb += read.addr.eq(place)
    if late and p.enable is not None:
        p.module.d.comb += read.en.eq(p.enable)
    return read.data
