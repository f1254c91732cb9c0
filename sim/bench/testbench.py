# SPDX-License-Identifier: BSD-2-Clause
"""The cocotb testbench: one for every unit, told what to do by a plan beside the simulation.

It runs inside the simulator. :mod:`macaw.sim.bench.runner` writes the plan (pins, packed operands
and expected results) and reads the verdict that each test leaves.

Inputs are driven at the falling edge of the clock and everything is sampled just before the
rising edge, so that neither simulator has a race, and outputs may depend on inputs of the same
clock.
"""

from __future__ import annotations

import json
import os
import random
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import Timer

from macaw.sim.bench.pauses import EDGE, Watch, longest

PERIOD = 2  # ns
RESET_CLOCKS = 4
PATIENCE = 5000  # clocks without progress before a stream counts as stuck


def _integers(words: np.ndarray) -> list[int]:
    """Rows of 64-bit words, low word first, as Python integers."""
    if words.shape[1] == 1:
        return words[:, 0].tolist()
    size = words.shape[1] * 8
    data = np.ascontiguousarray(words).astype("<u8").tobytes()
    return [int.from_bytes(data[i : i + size], "little") for i in range(0, len(data), size)]


class Plan:
    """What to drive and what to expect; see :func:`macaw.sim.bench.runner.write_plan`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pins: dict[str, Any] = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        with np.load(folder / "plan.npz") as arrays:
            inputs = [_integers(arrays[f"in_{name}"]) for name in self.pins["inputs"]]
            outputs = [_integers(arrays[f"out_{name}"]) for name in self.pins["outputs"]]
            self.ends: list[bool] = arrays["ends"].astype(bool).tolist()
        self.rows: list[tuple[int, ...]] = list(zip(*inputs, strict=True))
        widths = self.pins["output_widths"]
        texts = [
            [f"{value:0{width}b}" for value in column]
            for column, width in zip(outputs, widths, strict=True)
        ]
        self.expected: list[tuple[str, ...]] = list(zip(*texts, strict=True))


class Failed(AssertionError):
    """The module gave something other than the plan expects."""


class Scoreboard:
    """Compares results with the plan, in order, and leaves the first difference in a file."""

    def __init__(self, plan: Plan, test: str) -> None:
        self.plan = plan
        self.test = test
        self.results = 0

    def take(self, values: tuple[str, ...]) -> None:
        """Accept the next result, as binary text of each output."""
        if self.results >= len(self.plan.expected):
            self.fail("a result too many", values)
        if values != self.plan.expected[self.results]:
            bad = any(set(text) - {"0", "1"} for text in values)
            self.fail("an output is X or Z" if bad else "", values)
        self.results += 1

    def fail(self, problem: str, values: tuple[str, ...] | None = None) -> None:
        """Write the verdict for the runner and end the test."""
        verdict = {"test": self.test, "row": self.results, "problem": problem, "got": values}
        (self.plan.folder / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
        raise Failed(f"result {self.results}: {problem or 'wrong value'} {values}")

    def close(self) -> None:
        """The test is over: every expected result must have come."""
        if self.results != len(self.plan.expected):
            self.fail(f"{self.results} results, {len(self.plan.expected)} expected")


Pauses = Callable[[random.Random, int], Iterator[bool]]


def never(_: random.Random, latency: int) -> Iterator[bool]:
    """No pauses at all."""
    while True:
        yield False


def at_random(share: float) -> Pauses:
    """A pause at each clock with this probability."""

    def pauses(source: random.Random, latency: int) -> Iterator[bool]:
        while True:
            yield source.random() < share

    return pauses


def in_bursts(source: random.Random, latency: int) -> Iterator[bool]:
    """Pauses and runs without one, of one clock or more; some outlast the pipeline."""
    most = longest(latency)
    while True:
        yield from [True] * source.randint(1, most)
        yield from [False] * source.randint(1, most)


PATTERNS: dict[str, tuple[Pauses, Pauses]] = {
    # name: pauses of the source, of the sink
    "steady": (never, never),
    "random": (at_random(0.4), at_random(0.4)),
    "bursts": (in_bursts, in_bursts),
    "always_ready": (at_random(0.5), never),
    "slow_consumer": (never, at_random(0.8)),
    "reset_midway": (at_random(0.2), at_random(0.2)),
}


class Bench:
    """The pins of the module under test, by role, and its clock."""

    def __init__(self, dut: Any, plan: Plan, test: str) -> None:
        pins = plan.pins
        self.plan = plan
        self.scoreboard = Scoreboard(plan, test)
        self.random = random.Random(f"{pins['seed']} {test}")
        self.inputs = [getattr(dut, name) for name in pins["inputs"]]
        self.outputs = [getattr(dut, name) for name in pins["outputs"]]
        self.clock = self._pin(dut, "clock")
        self.reset = self._pin(dut, "reset")
        self.valid_in = self._pin(dut, "valid_in")
        self.ready_in = self._pin(dut, "ready_in")
        self.valid_out = self._pin(dut, "valid_out")
        self.ready_out = self._pin(dut, "ready_out")
        self.latency: int = pins["latency"]
        self.interval: int = max(1, pins["interval"])
        self.level: int = pins["reset_level"]
        self.registered: bool = pins["registered"]
        self.waits: bool = pins["waits"]
        self.junk = len(plan.rows)
        self.watch = Watch(self.latency)
        self.gaps = self.stalls = False

    def _pin(self, dut: Any, role: str) -> Any:
        name = self.plan.pins[role]
        return getattr(dut, name) if name else None

    def drive(self, row: tuple[int, ...]) -> None:
        """Set the data inputs."""
        for pin, value in zip(self.inputs, row, strict=True):
            pin.value = value

    def sample(self) -> tuple[str, ...]:
        """The data outputs, in binary."""
        return tuple([str(pin.value) for pin in self.outputs])

    def known(self, values: tuple[str, ...]) -> None:
        """Outputs that nobody looks at must not be X either."""
        for text in values:
            if "X" in text or "Z" in text:
                self.scoreboard.fail("an idle output is X or Z after reset", values)

    def bit(self, pin: Any) -> bool:
        """A handshake output, which must be 0 or 1."""
        text = str(pin.value)
        if text not in ("0", "1"):
            self.scoreboard.fail(f"{pin._name} is {text} after reset")
        return text == "1"

    def some_row(self) -> tuple[int, ...]:
        """Operands that are not offered: any of the plan, to be ignored by the module."""
        return self.plan.rows[self.random.randrange(self.junk)]

    async def start(self) -> None:
        """Idle inputs, a running clock, and a reset."""
        if self.clock is None:
            return
        self.drive(self.plan.rows[0])
        if self.valid_in is not None:
            self.valid_in.value = 0
        if self.ready_out is not None:
            self.ready_out.value = 0
        Clock(self.clock, PERIOD, unit="ns", impl="gpi").start(start_high=False)
        await self.pulse_reset()

    async def pulse_reset(self) -> None:
        """Hold reset for some clocks. Ends at a falling edge."""
        falling = self.clock.falling_edge
        await falling
        if self.reset is not None:
            self.reset.value = self.level
            # What a memory's read register had when the power came on, which nothing sets, has to
            # leave the pipeline.
            for _ in range(max(RESET_CLOCKS, self.latency + 1 if self.waits else 0)):
                await falling
            if self.valid_out is not None and self.bit(self.valid_out):
                self.scoreboard.fail("o_valid is high in reset")
            self.reset.value = 1 - self.level

    async def combinational(self) -> None:
        """Operands, some time, results."""
        settle = Timer(1, unit="ns")
        take, sample = self.scoreboard.take, self.sample
        for row in self.plan.rows:
            self.drive(row)
            await settle
            take(sample())

    async def fixed(self, count: int | None = None) -> None:
        """One beat each interval; its result ``latency`` clocks later."""
        falling, rising = self.clock.falling_edge, self.clock.rising_edge
        take, sample, drive = self.scoreboard.take, self.sample, self.drive
        due: deque[bool] = deque([False] * self.latency)
        rows, ends = self.plan.rows[:count], self.plan.ends
        filler = self.plan.rows[-1]  # ends a sequence, so that nothing of it is left
        for index in range(len(rows) + -(-self.latency // self.interval)):
            drive(rows[index] if index < len(rows) else filler)
            due.append(index < len(rows) and ends[index])
            due.extend([False] * (self.interval - 1))
            for _ in range(self.interval):
                await rising
                if due.popleft():
                    take(sample())
                elif index * self.interval >= self.latency:
                    self.known(sample())
                await falling

    async def valid(self, gaps: Iterator[bool], count: int | None = None) -> None:
        """Beats with gaps; a result exactly ``latency`` clocks after the beat it ends with.

        Where results wait for the end of a row they come when they come.
        """
        falling, rising = self.clock.falling_edge, self.clock.rising_edge
        rows, ends = self.plan.rows[:count], self.plan.ends
        due: deque[bool] = deque([False] * self.latency)
        sent = pause = drained = 0
        while drained < self.latency + 8:
            left = sent < len(rows) and pause <= 0
            offer = left and not self.gap(gaps, sent, len(rows))
            if left:
                self.offer(offer, True, sent, len(rows))
            self.drive(rows[sent] if offer else self.some_row())
            self.valid_in.value = int(offer)
            due.append(offer and ends[sent])
            await rising
            if self.bit(self.valid_out) != due.popleft() and not self.waits:
                self.scoreboard.fail("o_valid is not `latency` clocks after its operands")
            elif str(self.valid_out.value) == "1":
                self.scoreboard.take(self.sample())
            else:
                self.known(self.sample())
            await falling
            sent += offer
            pause = self.interval - 1 if offer else pause - 1
            drained += sent == len(rows)
        self.valid_in.value = 0

    async def stream(
        self, gaps: Iterator[bool], stalls: Iterator[bool], count: int | None = None
    ) -> None:
        """Beats and results each taken when valid and ready are both high."""
        falling, rising = self.clock.falling_edge, self.clock.rising_edge
        settle = Timer(PERIOD / 8, unit="ns")
        rows = self.plan.rows[:count]
        sent = drained = still = 0
        offered = False
        held: tuple[str, ...] | None = None
        while drained < 2 * self.latency + 16:
            left = sent < len(rows)
            if not offered:
                offered = left and not self.gap(gaps, sent, len(rows))
                self.drive(rows[sent] if offered else self.some_row())
            self.valid_in.value = int(offered)
            ready = not next(stalls)
            # At times the reader waits for a result: what waits for the reader then is stuck.
            if self.stalls and left and sent % 32 >= 24:
                ready = ready and held is not None
            at = self.scoreboard.results
            edge = at == 0, at == len(self.plan.expected) - 1
            if ready and self.stalls and any(edge) and self.watch.waited < EDGE:
                self.ready_out.value = 1
                await settle
                ready = str(self.valid_out.value) != "1"
            early = None
            if self.registered:
                self.ready_out.value = int(not ready)
                await settle
                early = self.bit(self.ready_in)
            self.ready_out.value = int(ready)
            await rising
            if early not in (None, self.bit(self.ready_in)):
                self.scoreboard.fail("i_ready depends on o_ready within the clock")
            taken = self.bit(self.ready_in) and offered
            valid = self.bit(self.valid_out)
            if left:
                self.offer(offered, taken, sent, len(rows))
            self.watch.sink(
                valid=valid, ready=ready, first=edge[0], final=edge[1], gap=left and not offered
            )
            if held is not None:
                if not valid:
                    self.scoreboard.fail("o_valid fell while o_ready was low")
                if self.sample() != held:
                    self.scoreboard.fail("the result changed while o_ready was low")
            held = self.sample() if valid and not ready else None
            if valid and ready:
                self.scoreboard.take(self.sample())
            elif not valid:
                self.known(self.sample())
            await falling
            still = 0 if taken or (valid and ready) else still + 1
            if still > PATIENCE:
                self.scoreboard.fail(f"stuck: nothing moved for {PATIENCE} clocks")
            if taken:
                sent, offered = sent + 1, False
            drained = 0 if sent < len(rows) or valid else drained + ready
        self.valid_in.value = 0
        self.ready_out.value = 0

    def gap(self, gaps: Iterator[bool], sent: int, count: int) -> bool:
        """Whether the source pauses: by its pattern, and at the first and the last operand."""
        edge = self.gaps and sent in (0, count - 1) and self.watch.gap < EDGE
        return next(gaps) or edge

    def offer(self, offered: bool, taken: bool, sent: int, count: int) -> None:
        """Tell the watch what the source does while operand ``sent`` is its next one."""
        self.watch.source(
            offered=offered,
            taken=taken,
            first=sent == 0,
            final=sent == count - 1,
            last=self.plan.ends[sent],
        )

    async def run(self, pattern: str, count: int | None = None) -> None:
        """Move the plan's first ``count`` rows (all of them for None) through the module."""
        gaps, stalls = (pauses(self.random, self.latency) for pauses in PATTERNS[pattern])
        self.gaps, self.stalls = (pauses is not never for pauses in PATTERNS[pattern])
        self.watch = Watch(self.latency)
        if self.clock is None:
            await self.combinational()
        elif self.ready_out is not None:
            await self.stream(gaps, stalls, count)
        elif self.valid_in is not None:
            await self.valid(gaps, count)
        else:
            await self.fixed(count)


@cocotb.test()
@cocotb.parametrize(pattern=[cocotb.Param(name, name=name) for name in PATTERNS])
async def vectors(dut: Any, pattern: str) -> None:
    """Every row of the plan gives the expected result, in order, under this pattern of pauses."""
    bench = Bench(dut, Plan(Path(os.environ["MACAW_PLAN"])), pattern)
    await bench.start()
    if pattern == "reset_midway":
        # leave work in flight, and half a sum in an accumulator, then start again
        task = cocotb.start_soon(bench.run(pattern))
        await Timer(PERIOD * (len(bench.plan.rows) // 3 + 7), unit="ns")
        task.cancel()
        bench.scoreboard.results = 0
        if bench.valid_in is not None:
            bench.valid_in.value = 0
        await bench.pulse_reset()
    await bench.run(pattern)
    bench.scoreboard.close()
    text = json.dumps(bench.watch.counts)
    (bench.plan.folder / f"paused_{pattern}.json").write_text(text, encoding="utf-8")
