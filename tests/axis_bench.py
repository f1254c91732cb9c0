# SPDX-License-Identifier: BSD-2-Clause
"""Inside the simulator: cocotbext-axi's source and sink at the ports of a module.

The frames to send, and those that must come, are in the JSON file that AXIS_PLAN names.
"""

import itertools
import json
import os
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, with_timeout
from cocotbext.axi import AxiStreamBus, AxiStreamSink, AxiStreamSource


def pauses(seed, share):
    draw = random.Random(seed)
    return (draw.random() < share for _ in itertools.count())


@cocotb.test()
@cocotb.parametrize(gap=[0.0, 0.5], stall=[0.0, 0.7])
async def frames(dut, gap, stall):
    plan = json.loads(Path(os.environ["AXIS_PLAN"]).read_text())
    cocotb.start_soon(Clock(dut.aclk, 2, unit="ns").start())
    sides = []
    for side, prefix, share in ((AxiStreamSource, "s_axis", gap), (AxiStreamSink, "m_axis", stall)):
        bus = AxiStreamBus.from_prefix(dut, prefix)
        sides.append(side(bus, dut.aclk, dut.aresetn, reset_active_level=False))
        sides[-1].set_pause_generator(pauses(prefix, share))
    source, sink = sides
    dut.aresetn.value = 0
    await ClockCycles(dut.aclk, 4)
    dut.aresetn.value = 1
    for frame in plan["sent"]:
        await source.send(bytes(frame))
    for number, frame in enumerate(plan["expected"]):
        received = await with_timeout(sink.recv(), 100, "us")
        assert list(received.tdata) == frame, f"frame {number}"
    await ClockCycles(dut.aclk, 20)
    assert sink.empty(), "a frame too many"
