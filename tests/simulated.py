# SPDX-License-Identifier: BSD-2-Clause
"""What a piece of gates gives, one word after another."""

from collections.abc import Callable, Iterable
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from macaw.hdl import DELAY_MODELS, Scheduler, Wire

__all__ = ["simulated"]


def simulated(
    function: Callable[[Scheduler, Any], Wire],
    width: int,
    inputs: Iterable[int],
    period: float = float("inf"),
) -> list[int]:
    """Results of a function of one word of ``width`` bits; with a period, in a pipeline."""
    m = Module()
    source = Signal(width)
    p = Scheduler(m, delays=DELAY_MODELS["ecp5"], period=period)
    wire = function(p, p.input(source))
    result = Signal(len(wire))
    m.d.comb += result.eq(wire.value)
    got: list[int] = []

    async def bench(context: Any) -> None:
        for clock, value in enumerate([*inputs, *[0] * wire.stage]):
            context.set(source, value)
            await context.delay(1e-7)
            if clock >= wire.stage:
                got.append(context.get(result))
            if wire.stage:
                await context.tick()

    simulator = Simulator(m)
    if wire.stage:
        simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return got
