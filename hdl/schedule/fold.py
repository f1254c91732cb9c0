# SPDX-License-Identifier: BSD-2-Clause
"""Lanes or digits that take turns: gates for some of them, used over several clocks."""

from collections.abc import Callable, Sequence
from typing import cast

from amaranth.hdl import Array, Const, Mux, Signal, Value

from .scheduler import Scheduler
from .state import loop
from .wire import Wire

__all__ = ["Fold"]


class Fold:
    """A part of a datapath that works through its lanes in ``count`` turns, a clock each.

    It begins behind everything that is there when it is made; if it waits, when :meth:`iterate` is
    called. What comes from before is held for all turns, by itself; lanes come from :meth:`take`,
    and :meth:`collect` puts results side by side. Operations must be ``count`` clocks apart or
    more. With one turn it is nothing.
    """

    def __init__(self, p: Scheduler, count: int, *, waits: bool = False):
        self.p = p
        self.count = count
        p.turns = max(p.turns, count)
        self._begins: Value = Const(1, 1)
        self._begun: int | None = None
        if count > 1 and not waits:
            self._begin()

    def _begin(self) -> None:
        self._begins = self.p.hold_from(self.p.last_stage + 1)
        self._begun = self.p.last_stage

    @property
    def _stage(self) -> int:
        """Where the turns are."""
        assert self._begun is not None
        return self._begun

    def take(self, words: Sequence[Wire]) -> list[Wire]:
        """The lanes of this turn: the first ones, then the next, as many in each turn."""
        p, size = self.p, len(words) // self.count
        if self.count == 1:
            return list(words)
        held: list[Value] = [p.at(word, self._stage - 1) for word in words]
        registers = [p.register(value, self._stage, name="turn", update=False) for value in held]
        for number, (register, value) in enumerate(zip(registers, held, strict=True)):
            following = number + size
            if following < len(words):
                value = Mux(self._begins, value, registers[following])
                p.update(register, value)
            else:
                p.update(register, value, self._begins)
        return [
            Wire(p, register, self._stage, p.delays.register, word.low, word.high, "turn")
            for register, word in zip(registers[:size], words, strict=False)
        ]

    def collect(self, words: Sequence[Wire]) -> list[Wire]:
        """The results of all turns, in the order of the lanes."""
        p = self.p
        if self.count == 1:
            return list(words)
        stage = max(word.stage for word in words)
        now = [p.at(word, stage) for word in words]
        time = max(word.time if word.stage == stage else p.delays.register for word in words)
        groups = [now]
        for later in range(1, self.count):
            groups.append([p.register(v, stage + later, name="turned") for v in groups[-1]])
        ready = stage + self.count - 1
        p.last_stage = max(p.last_stage, ready)
        return [
            Wire(p, value, ready, time, word.low, word.high, "turned")
            for group in reversed(groups)
            for value, word in zip(group, words, strict=True)
        ]

    def choose(self, words: Sequence[Wire]) -> list[Wire]:
        """The lanes of this turn as :meth:`take` has them, picked from where they are held."""
        p, size = self.p, len(words) // self.count
        if self.count == 1:
            return list(words)
        stage = self._stage
        held = [p.at(word, stage) for word in words]
        left = Signal(range(self.count), name=p.labels.signal("turns", stage, register=True))
        turn = Signal(range(self.count), name=p.labels.signal("turn", stage))
        p.registers += len(left)
        p.module.d.comb += turn.eq(Mux(self._first(stage), 0, left))
        p.update(left, (turn + 1)[: len(left)])
        lanes = []
        for lane in range(size):
            value = Signal.like(held[lane], name=p.labels.signal("turn_lane", stage))
            p.module.d.comb += value.eq(Array(held[lane::size])[turn])
            time = p.delays.register + len(turn) * p.delays.choice(len(value))
            high = max(word.high for word in words)
            lanes.append(Wire(p, value, stage, time, 0, high, "turn"))
        return lanes

    def iterate(
        self,
        initial: Sequence[Wire | int],
        step: Callable[..., Sequence[Wire]],
        goes_on: Callable[..., Wire] | None = None,
    ) -> list[Wire]:
        """What ``step`` has made of ``initial`` in all turns but the last, when that one comes.

        A step takes the patterns of one clock and gives those of the next, in one clock. In place
        of a pattern that may begin as anything there is its number of bits. They stay as they are
        where ``goes_on`` of them is 0. There are two turns or more.
        """
        if self._begun is None:
            self._begin()
        p, stage = self.p, self._stage
        state: list[Wire] = []
        started: list[Value | None] = []
        for word in initial:
            start = None if isinstance(word, int) else p.at(word, stage - 1)
            shape = Signal(word) if isinstance(word, int) else start
            assert shape is not None
            register = p.register(shape, stage, name="turn", update=False)
            high = (1 << len(register)) - 1
            state.append(Wire(p, register, stage, p.delays.register, 0, high, "turn"))
            started.append(start)
        with loop(p, *state):
            following = step(*state)
            going = None if goes_on is None else goes_on(*state)
        when = None if going is None else self._begins | p.at(going, stage)
        for word, start, result in zip(state, started, following, strict=True):
            value = p.at(result, stage)
            register = cast(Signal, word.value)
            p.update(register, value if start is None else Mux(self._begins, start, value), when)
        ready = stage + self.count - 1
        p.last_stage = max(p.last_stage, ready)
        p.valid_by_turns()
        return [Wire(p, w.value, ready, w.time, w.low, w.high, "turned") for w in state]

    def total(self, word: Wire) -> Wire:
        """The sum over all turns of an unsigned word."""
        high = word.high * self.count
        return self._gather(word, high, lambda held, now: held + now, self.p.delays.adder)

    def largest(self, word: Wire) -> Wire:
        """The largest of all turns' unsigned words."""
        delays = self.p.delays
        return self._gather(
            word,
            word.high,
            lambda held, now: Mux(held < now, now, held),
            lambda width: delays.adder(width) + delays.choice(width),
        )

    def later(self, word: Wire) -> Wire:
        """What is held for all turns, as it is in the last one, beside :meth:`total`."""
        if self.count == 1 or word.constant is not None:
            return word
        stage = max(word.stage, self._stage)
        value = self.p.at(word, stage)
        time = word.time if stage == word.stage else self.p.delays.register
        stage += self.count - 1
        self.p.last_stage = max(self.p.last_stage, stage)
        return Wire(self.p, value, stage, time, word.low, word.high, word.name)

    def _first(self, stage: int) -> Value:
        """1 in the first turn of what is in ``stage``."""
        valid = self.p.valid(stage)
        # A trial of the scheduler has none.
        return Const(1, 1) if valid is None else valid

    def _gather(
        self,
        word: Wire,
        high: int,
        join: Callable[[Value, Value], Value],
        delay: Callable[[int], float],
    ) -> Wire:
        p = self.p
        if self.count == 1:
            return word
        width = high.bit_length()
        own = delay(width) + p.delays.choice(1)
        late = p.late(word.time + own)
        stage = word.stage + late
        time = (p.delays.register if late else word.time) + own
        p.slowest = max(p.slowest, p.delays.register + own)
        held = Signal(width, name=p.labels.signal("turns_before", stage, register=True))
        p.registers += width
        value = Signal(width, name=p.labels.signal("turns_until", stage))
        before = Mux(self._first(stage), 0, held)
        p.module.d.comb += value.eq(join(before, p.at(word, stage))[:width])
        p.update(held, value)
        p.last_stage = max(p.last_stage, stage + self.count - 1)
        return Wire(p, value, stage + self.count - 1, time, 0, high, "turns")
