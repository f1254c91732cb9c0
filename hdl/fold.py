# SPDX-License-Identifier: BSD-2-Clause
"""Lanes that take turns: gates for some of them, used over several clocks."""

from collections.abc import Sequence

from amaranth.hdl import Const, Mux, Value

from .pipeline import Pipeline
from .wire import Wire

__all__ = ["Fold"]


class Fold:
    """A part of a datapath that works through its lanes in ``count`` turns, a clock each.

    It begins behind everything that is there when it is made. What comes from before is held for
    all turns, by itself; lanes come from :meth:`take`, and :meth:`collect` puts results side by
    side. Operations must be ``count`` clocks apart or more. With one turn it is nothing.
    """

    def __init__(self, p: Pipeline, count: int):
        self.p = p
        self.count = count
        self._begins: Value = Const(1, 1)
        if count > 1:
            self._begins = p.hold_from(p.last_stage + 1)
            self._stage = p.last_stage

    def take(self, words: Sequence[Wire]) -> list[Wire]:
        """The lanes of this turn: the first ones, then the next, as many in each turn."""
        p, size = self.p, len(words) // self.count
        if self.count == 1:
            return list(words)
        held: list[Value] = [p.at(word, self._stage - 1) for word in words]
        registers = [p.register(value, name="turn", update=False) for value in held]
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
        for _ in range(self.count - 1):
            groups.append([p.register(value, name="turned") for value in groups[-1]])
        ready = stage + self.count - 1
        p.last_stage = max(p.last_stage, ready)
        return [
            Wire(p, value, ready, time, word.low, word.high, "turned")
            for group in reversed(groups)
            for value, word in zip(group, words, strict=True)
        ]
