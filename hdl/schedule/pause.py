# SPDX-License-Identifier: BSD-2-Clause
"""A step that takes many clocks in one stage, in which everything else waits for it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from amaranth.hdl import Mux, Signal

from .state import loop
from .wire import Wire

if TYPE_CHECKING:
    from .scheduler import Scheduler

__all__ = ["repeated"]


def repeated(
    p: "Scheduler",
    starts: Wire,
    initial: Sequence[Wire],
    step: Callable[..., Sequence[Wire]],
    last: Callable[..., Wire],
    most: int,
    beside: Sequence[Wire] = (),
) -> list[Wire]:
    """What ``step`` makes of ``initial`` where ``starts`` is 1, until it was applied to ``last``.

    A clock for each time, ``most`` of them at most, in which no other register of the pipeline
    moves; where ``starts`` is 0 there are none, and what comes is that of some
    operation before. It begins when what is ``beside`` is there too.
    """
    live = [word for word in (starts, *initial, *beside) if word.constant is None]
    stage = max(word.stage for word in live) + 1
    p.last_stage = max(p.last_stage, stage)
    p.pause += most
    entering = [p.at(word, stage - 1) for word in initial]
    registers = [p.register(value, stage, name="turn", update=False) for value in entering]
    state = [
        Wire(p, register, stage, p.delays.register, 0, (1 << len(register)) - 1, "turn")
        for register in registers
    ]
    with loop(p, *state):
        following = step(*state)
        ends = last(*state)
    busy = Signal(name=p.labels.signal("busy", stage, register=True))
    p.registers += 1
    p.busy = busy if p.busy is None else p.busy | busy
    begins = p.at(starts, stage - 1)
    for condition in (p.valid(stage - 1), p.enable):
        begins = begins if condition is None else begins & condition
    more = Signal(name=p.labels.signal("more", stage))
    p.module.d.comb += more.eq(~p.at(ends, stage))
    p.module.d[p.domain] += busy.eq(Mux(busy, more, begins))
    with p.module.If(busy | begins):
        for register, value, result in zip(registers, entering, following, strict=True):
            p.module.d[p.domain] += register.eq(Mux(busy, p.at(result, stage), value))
    return state
