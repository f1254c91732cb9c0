# SPDX-License-Identifier: BSD-2-Clause
"""The pipeline scheduler: expressions are written once, registers put themselves in.

A datapath is written with :class:`Wire` values and the methods of :class:`Scheduler`. Each wire
knows the register stage in which it is valid, its arrival time within that stage, and the range
of integers that it can hold. An operation whose result would arrive later than the clock period
moves to the next stage; operands of earlier stages are delayed to match, each through one shared
chain of registers.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from typing import TypeVar

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, unsigned

from . import adders, multipliers, state
from .delays import DelayModel
from .labels import NAMED, OPERATION, Labels
from .queue import queue
from .wire import Wire, shape_of

__all__ = ["Scheduler", "Scratch"]

T = TypeVar("T")


class Scratch:
    """Takes the place of a module while the scheduler tries a clock period."""

    def __init__(self) -> None:
        self.d = self
        self.comb = self
        self.submodules = self

    def __getitem__(self, domain: str) -> "Scratch":
        return self

    def __setitem__(self, domain: str, statements: object) -> None:
        pass

    def __iadd__(self, statements: object) -> "Scratch":
        return self

    def If(self, condition: object) -> AbstractContextManager[None]:
        """Amaranth's ``m.If``."""
        return nullcontext()


@lru_cache(maxsize=1024)
def _placeholder(width: int, signed: bool) -> Signal:
    """Stands for all signals of a shape in a trial, of which nothing but shapes is kept."""
    return Signal(Shape(width, signed), name="trial")


class Scheduler:
    """Collects a datapath into a module and places its registers.

    Parameters
    ----------
    module : Module
        Where registers and assignments go.
    delays : DelayModel
        Estimated delay of each operation.
    period : float
        Longest delay between registers, in ns; infinity makes the datapath combinational.
    domain : str or None
        Clock domain of the registers.
    enable : Value, optional
        Registers hold while this is 0 (back-pressure).
    valid : Value, optional
        Whether there are operands in stage 0.
    left : Value, optional
        Turns of the last operation that are still to come after this one.
    budgets : sequence of float
        What each stage has of the period, from stage 0 on; those without one have all of it.

    Attributes
    ----------
    waits : int
        Clocks that the first beat of the longest row waits for its end, beside the stages.
    pause : int
        Clocks that an operation may take in one stage besides, at most.
    busy : Value or None
        Whether one does: nothing else may move then.
    longest : float
        Nanoseconds that the longest way between registers takes, by the delay model.
    fits, over : float
        Any period from ``fits`` to below ``over`` would have given the same, register by register.
        None does if they are no range; infinity never is in one.
    """

    def __init__(
        self,
        module: Module,
        *,
        delays: DelayModel,
        period: float = float("inf"),
        domain: str = "sync",
        enable: Value | None = None,
        valid: Value | None = None,
        left: Value | None = None,
        multiplier: str = "auto",
        table: str = "logic",
        budgets: Sequence[float] = (),
    ):
        self.module = module
        self._trial = isinstance(module, Scratch)
        self.delays = delays
        self.period = period
        self.fits = 0.0
        self.over = float("inf")
        self.domain = domain
        self.enable = enable
        self.multiplier = multiplier
        self.table = table
        self.budgets = budgets
        self.memories = 0
        self.last_stage = 0
        self.turns = 1
        self.waits = 0
        self.pause = 0
        self.busy: Value | None = None
        self.slowest = 0.0
        self.longest = 0.0
        self.registers = 0
        self.products: list[tuple[int, int]] = []
        self.inputs: dict[str, Wire] = {}
        self.labels = Labels()
        self.looping: range | None = None
        self._hold: tuple[int, Value] | None = None
        self._left = left
        self._valid: list[Value | None] = [valid]

    # Sources and sinks.

    def input(self, value: Value, name: str = "") -> Wire:
        """An unsigned pattern that arrives at the start of stage 0."""
        high = (1 << len(value)) - 1
        wire = Wire(self, value, 0, self.delays.register, 0, high, name)
        self.inputs[name] = wire
        return wire

    def constant(self, value: int, width: int | None = None) -> Wire:
        """A number, or with ``width`` an unsigned pattern; ready in any stage."""
        shape = shape_of(value, value) if width is None else unsigned(width)
        wire = Wire(self, Const(value, shape), 0, 0.0, value, value)
        wire.constant = value
        return wire

    def at(self, wire: Wire, stage: int) -> Value:
        """The value of ``wire``, delayed by registers until ``stage``."""
        if wire.constant is not None:
            return wire.value
        if stage < wire.stage:
            raise AssertionError("a value cannot be used before it is there")
        chain = wire._delayed
        while len(chain) <= stage - wire.stage:
            when = None
            if self._hold is not None and wire.stage + len(chain) == self._hold[0]:
                when = self._hold[1]
            chain.append(
                self.register(
                    chain[-1], wire.stage + len(chain), name=wire.name, scope=wire.scope, when=when
                )
            )
            self.last_stage = max(self.last_stage, wire.stage + len(chain) - 1)
        return chain[stage - wire.stage]

    def hold_from(self, stage: int) -> Value:
        """Let ``stage`` keep what enters it until the next operation; 1 when that is there."""
        valid = self.valid(stage - 1)
        enters = Const(1, 1) if valid is None else valid
        self._hold = stage, enters
        self.last_stage = max(self.last_stage, stage)
        return enters

    def register(
        self,
        value: Value,
        stage: int,
        *,
        name: str,
        scope: tuple[str, ...] | None = None,
        reset: bool = False,
        when: Value | None = None,
        update: bool = True,
    ) -> Signal:
        """One register before ``stage``, without reset, held by the pipeline's enable.

        With ``reset`` it is cleared. It takes ``value`` if ``when``; without ``update`` what it
        takes is left to the caller.
        """
        if self._trial:
            shape = value.shape()
            self.registers += shape.width
            return _placeholder(shape.width, shape.signed)
        label = self.labels.signal(name, stage, scope=scope, register=True)
        held = Signal.like(value, name=label, reset_less=not reset)
        self.registers += len(held)
        if update:
            self.update(held, value, when)
        return held

    def update(
        self,
        target: Signal,
        value: Value,
        when: Value | None = None,
        clear: Value | None = None,
    ) -> None:
        """Clocked assignment under the pipeline's enable and the condition ``when``.

        Where ``clear`` is 1 then, the register begins anew. That stands apart from the value, so
        that tools find the flip-flops' reset in it.
        """
        if self._trial:
            return
        condition = self.enable
        if when is not None:
            condition = when if condition is None else condition & when
        if condition is None:
            self.module.d[self.domain] += target.eq(value)
        else:
            with self.module.If(condition):
                self.module.d[self.domain] += target.eq(value)
        if clear is not None:
            with self.module.If(clear if condition is None else condition & clear):
                self.module.d[self.domain] += target.eq(target.init)

    def valid(self, stage: int) -> Value | None:
        """The valid bit that travels with the data, in ``stage``; None where there is none."""
        while len(self._valid) <= stage:
            last = self._valid[-1]
            self._valid.append(
                None
                if last is None
                else self.register(last, len(self._valid), name="valid", scope=(), reset=True)
            )
        return self._valid[stage]

    def valid_where(self, operand: Wire) -> None:
        """Let beats in which an operand is 0 be none: they leave nothing, and have no results."""
        (valid,) = self._valid
        if valid is not None:
            self._valid = [valid & self.at(operand, 0)]

    def valid_by_turns(self) -> None:
        """Let the valid bit of the last turn come from the count of them.

        For operations of which nothing is in the stages between: no register there keeps it.
        """
        if self._left is None or len(self._valid) > self.turns:
            return
        self._valid += [None] * (self.turns - len(self._valid))
        last = self.register(self._left == 1, self.turns, name="valid", scope=(), reset=True)
        self._valid.append(last)

    def valid_from(self, stage: int, following: Value) -> None:
        """From ``stage`` on the valid bit is that which ``following`` was a clock before."""
        self.valid(stage - 1)
        valid = self.register(following, stage, name="valid", scope=(), reset=True)
        self._valid[stage:] = [valid]

    def scope(self, part: str) -> AbstractContextManager[None]:
        """What is written within belongs to ``part``, and is named after it."""
        return self.labels.within(part)

    def lanes(self, words: Iterable[T]) -> Iterator[T]:
        """The items of a loop, of which each is a part: ``lane0``, ``lane1`` …"""
        for number, word in enumerate(words):
            with self.scope(f"lane{number}"):
                yield word

    def name(self, name: str, wire: Wire) -> Wire:
        """Give a wire a named signal in the generated Verilog."""
        if wire.constant is not None or not len(wire):
            return wire
        named = self._step(wire.value, name, wire.stage, NAMED)
        result = Wire(self, named, wire.stage, wire.time, wire.low, wire.high, name)
        result.adder, result.entries = wire.adder, wire.entries
        result.rows = wire.rows
        # Both are delayed by the same registers.
        result._delayed += wire._delayed[1:]
        wire._delayed, wire.name, wire.scope = result._delayed, result.name, result.scope
        return result

    # The scheduler itself.

    def late(self, time: float, stage: int | None = None) -> bool:
        """Whether what ends at ``time`` is too late for the clock period, or a stage's share."""
        if stage is not None and stage < len(self.budgets):
            time /= self.budgets[stage]
        return self.decided(time > self.period, time)

    def decided(self, late: bool, time: float, about: float = 0.0) -> bool:
        """``late``, remembering that periods on this side of ``time`` decide the same.

        Those within ``about`` of it may decide otherwise, where the comparison is another one.
        Nothing else may come from the period, but by :meth:`follows_period`.
        """
        if late:
            self.over = min(self.over, time - about)
        else:
            self.fits = max(self.fits, time + about)
        return late

    def follows_period(self) -> None:
        """Remember that any other period may give anything else."""
        self.fits, self.over = float("inf"), 0.0

    def op(
        self,
        function: Callable[..., Value],
        *operands: Wire,
        delay: float,
        low: int | None = None,
        high: int | None = None,
        name: str,
    ) -> Wire:
        """Apply ``function`` to the operands in the earliest stage in which it fits."""
        live = [w for w in operands if w.constant is None]
        stage = max((w.stage for w in live), default=0)
        start = max(
            (w.time if w.stage == stage else self.delays.register for w in live), default=0.0
        )
        own = self.delays.register + delay
        if live and self.looping is not None and stage < self.looping.start:
            stage, start = self.looping.start, self.delays.register
        late = live and start > self.delays.register and self.late(start + delay, stage)
        if late and (self.looping is None or stage + 1 in self.looping):
            stage, start = stage + 1, self.delays.register
            self.last_stage = max(self.last_stage, stage)
        if live and delay:
            self.slowest = max(self.slowest, own if self.looping is None else start + delay)
        if live:
            self.longest = max(self.longest, start + delay)
        value = Value.cast(function(*(self.at(w, stage) for w in operands)))
        natural = value.shape()
        if low is None or high is None:
            bound = 1 << (natural.width - 1 if natural.signed else natural.width)
            low, high = (-bound if natural.signed else 0), bound - 1
        shape = shape_of(low, high)
        if shape.width < natural.width:
            value = value[: shape.width]
            value = value.as_signed() if shape.signed else value
        elif shape.signed and not natural.signed:
            value = value.as_signed()
        # Every step is a signal of its own: nested expressions would be written out again at each
        # use. The emitter removes the names that stand for nothing.
        step = self._step(value, name, stage, OPERATION if delay else {})
        return Wire(self, step, stage, start + delay, low, high, name)

    def _step(self, value: Value, name: str, stage: int, attrs: dict[str, int]) -> Signal:
        """A signal that is ``value``."""
        shape = value.shape()
        if self._trial:
            return _placeholder(shape.width, shape.signed)
        step = Signal(shape, name=self.labels.signal(name, stage), attrs=attrs)
        self.module.d.comb += step.eq(value)
        return step

    def free(
        self,
        function: Callable[..., Value],
        *operands: Wire,
        low: int | None = None,
        high: int | None = None,
        name: str | None = None,
    ) -> Wire:
        """Wiring: an operation without delay, which is never a reason for a register.

        Without a ``name`` it goes by that of its last operand which varies.
        """
        name = name or next(w.name for w in reversed(operands) if w.constant is None)
        wire = self.op(function, *operands, delay=0.0, low=low, high=high, name=name)
        wire.adder = any(w.adder for w in operands)
        return wire

    def wire(self, value: "Wire | int") -> Wire:
        """``value``, made a constant wire if it is a number."""
        return self.constant(value) if isinstance(value, int) else value

    # Operations.

    def gate(
        self,
        name: str,
        function: Callable[[Value, Value], Value],
        a: Wire,
        b: Wire,
        *,
        neutral: int,
        absorbing: int | None = None,
    ) -> Wire:
        """A bitwise function of two patterns of one width; a single bit is spread.

        ``neutral`` and ``absorbing`` are the bits that leave the other operand as it is, or
        decide the result.
        """
        width = max(len(a), len(b))
        if width == 1 and min(len(a), len(b)) == 0:
            # Spread over a pattern of no bits (a format without mantissa), nothing is left.
            return self.constant(0, 0)
        single = min(len(a), len(b)) == 1 and width > 1
        a, b = (
            (self.repeat(w, width) if len(w) == 1 else w.bits(width)) if width > 1 else w
            for w in (a, b)
        )
        for x, y in ((a, b), (b, a)):
            if x.constant is None:
                continue
            if y.constant is not None:
                pairs = ((x.constant >> i & 1) + (y.constant >> i & 1) for i in range(width))
                table = self._truth(neutral, absorbing)
                return self.constant(sum(table[n] << i for i, n in enumerate(pairs)), width)
            ones = (1 << width) - 1
            if x.constant == ones * neutral:
                return y
            if absorbing is not None and x.constant == ones * absorbing:
                return self.constant(x.constant, width)
        load = self.delays.choice(width) - self.delays.mux if single else 0.0
        delay = self.delays.gate + load
        return self.op(lambda x, y: function(x, y)[:width], a, b, delay=delay, name=name)

    @staticmethod
    def _truth(neutral: int, absorbing: int | None) -> tuple[int, int, int]:
        """The function of (0,0), (0,1), (1,1): and, or, exclusive or."""
        if absorbing is None:
            return 0, 1, 0
        return (0, 0, 1) if neutral else (0, 1, 1)

    def repeat(self, wire: Wire, count: int) -> Wire:
        """A single bit, ``count`` times."""
        if wire.constant is not None:
            return self.constant(wire.constant * ((1 << count) - 1), count)
        return self.free(lambda a: Cat(*[a[0]] * count), wire)

    def compare(
        self,
        name: str,
        function: Callable[..., Value],
        a: "Wire | int",
        b: "Wire | int",
    ) -> Wire:
        """A single bit from two numbers, ``less`` by a carry chain and ``equal`` without one."""
        a, b = self.wire(a), self.wire(b)
        width = max(len(a), len(b))
        kind = self.delays.reduction if name == "equal" else self.delays.comparison
        return self.op(function, a, b, delay=kind(width), name=name)

    def less(self, a: "Wire | int", b: "Wire | int") -> Wire:
        """1 if ``a < b``.

        Of signed operands it is the sign of their difference: Yosys' own signed comparison taps a
        carry chain at two bits, which costs ECP5 more cells and two more trips through the routing.
        """
        a, b = self.wire(a), self.wire(b)
        if a.high < b.low or b.high <= a.low:
            return self.constant(int(a.high < b.low), 1)  # whatever they are
        if a.constant is None and b.constant is None and (a.signed or b.signed):
            return self.subtract(a, b).negative
        return self.compare("less", lambda x, y: x < y, a, b)

    def reduce(self, function: Callable[[Value], Value], wire: Wire, every: bool = False) -> Wire:
        """A single bit from all bits of a word: AND if ``every``, else OR."""
        if len(wire) == 0:
            return self.constant(int(every), 1)
        if wire.constant is not None:
            ones = (1 << len(wire)) - 1
            return self.constant(
                int(wire.constant & ones == ones if every else wire.constant != 0), 1
            )
        if len(wire) == 1:
            return wire
        delay = self.delays.reduction(len(wire))
        return self.op(function, wire, delay=delay, name="all" if every else "any")

    def mux(
        self, select: Wire, then: "Wire | int", other: "Wire | int", name: str = "choice"
    ) -> Wire:
        """``then`` if ``select`` else ``other``; the range covers both."""
        then, other = self.wire(then), self.wire(other)
        if select.constant is not None:
            return then if select.constant else other
        if then.constant is not None and then.constant == other.constant:
            return then
        low, high = min(then.low, other.low), max(then.high, other.high)
        width = max(len(then), len(other))
        if not width:
            return then  # patterns of no bits, of a float that is a sign
        if low >= 0 and shape_of(low, high).width < width:
            # A constant pattern has zeros above its value that are a part of it.
            high = (1 << width) - 1
        return self.op(
            lambda s, x, y: Mux(s, x, y), select, then, other,
            delay=self.delays.choice(width), low=low, high=high, name=name,
        )  # fmt: skip

    # Arithmetic, and what a beat leaves behind for the next one: methods from files of their own.

    add = adders.add
    subtract = adders.subtract
    sum = adders.total
    multiply = multipliers.multiply
    hard = multipliers.hard
    shares = property(multipliers.shares)
    holds = multipliers.holds
    ends = state.ends
    accumulate = state.accumulate
    gather = state.gather
    memory = state.memory
    loop = state.loop
    queue = queue
