# SPDX-License-Identifier: BSD-2-Clause
"""The pipeline scheduler: expressions are written once, registers put themselves in.

A datapath is written with :class:`Wire` values and the methods of :class:`Pipeline`. Each wire
knows the register stage in which it is valid, its arrival time within that stage, and the range
of integers that it can hold. An operation whose result would arrive later than the clock period
moves to the next stage; operands of earlier stages are delayed to match, each through one shared
chain of registers.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from operator import add, sub

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib.memory import Memory

from .delays import DelayModel
from .wire import Wire, cat, extend, shape_of

__all__ = ["Pipeline", "Scratch"]


_SMALL = 4
"""Bits of all operands, up to which a sum or product is a cell or two of logic each bit."""

_SHORT = 8
"""Bits of a sum, up to which cells that compress three words into two beat its carry chain."""


def _ripple(function: Callable[..., Value]) -> Callable[..., Value]:
    """``function``, a sum or difference of two patterns and maybe a carry, in gates."""
    negate = function is sub

    def add(x: Value, y: Value, *rest: Value) -> Value:
        carry: Value = Const(int(negate), 1) if not rest else rest[0][0]
        bits = []
        for p, q in zip(x, ~y if negate else y, strict=False):
            bits.append(p ^ q ^ carry)
            carry = (p & q) | (carry & (p ^ q))
        return Cat(*bits)

    return add


def _product(a: Value, b: Value) -> Value:
    """The product of two patterns of 2 bits, each bit a function of four."""
    both = a[0] & b[0]
    cross = (a[1] & b[0]) ^ (a[0] & b[1])
    return Cat(both, cross, a[1] & b[1] & ~both, a[1] & b[1] & both)


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


class Pipeline:
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
        multiplier: str = "auto",
    ):
        self.module = module
        self.delays = delays
        self.period = period
        self.domain = domain
        self.enable = enable
        self.multiplier = multiplier
        self.last_stage = 0
        self.slowest = 0.0
        self.registers = 0
        self.products: list[tuple[int, int]] = []
        self._steps = 0
        self._loop: range | None = None
        self._hold: tuple[int, Value] | None = None
        self._valid: list[Value | None] = [valid]

    # Sources and sinks.

    def input(self, value: Value, name: str = "") -> Wire:
        """An unsigned pattern that arrives at the start of stage 0."""
        high = (1 << len(value)) - 1
        return Wire(self, value, 0, self.delays.register, 0, high, name)

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
            chain.append(self.register(chain[-1], name=wire.name, when=when))
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
        *,
        name: str = "",
        reset: bool = False,
        when: Value | None = None,
        update: bool = True,
    ) -> Signal:
        """One register without reset (with ``reset``: cleared), held by the pipeline's enable.

        It takes ``value`` if ``when``; without ``update`` what it takes is left to the caller.
        """
        self._steps += 1
        held = Signal.like(value, name=f"{name or 'held'}_{self._steps}", reset_less=not reset)
        self.registers += len(held)
        if update:
            self.update(held, value, when)
        return held

    def update(self, target: Signal, value: Value, when: Value | None = None) -> None:
        """Clocked assignment under the pipeline's enable and the condition ``when``."""
        condition = self.enable
        if when is not None:
            condition = when if condition is None else condition & when
        if condition is None:
            self.module.d[self.domain] += target.eq(value)
        else:
            with self.module.If(condition):
                self.module.d[self.domain] += target.eq(value)

    def valid(self, stage: int) -> Value | None:
        """The valid bit that travels with the data, in ``stage``; None where there is none."""
        while len(self._valid) <= stage:
            last = self._valid[-1]
            self._valid.append(
                None if last is None else self.register(last, name="valid", reset=True)
            )
        return self._valid[stage]

    def name(self, name: str, wire: Wire) -> Wire:
        """Give a wire a named signal in the generated Verilog."""
        if wire.constant is not None or not len(wire):
            return wire
        named = Signal.like(wire.value, name=name)
        self.module.d.comb += named.eq(wire.value)
        result = Wire(self, named, wire.stage, wire.time, wire.low, wire.high, name)
        result.adder = wire.adder
        return result

    # The scheduler itself.

    def op(
        self,
        function: Callable[..., Value],
        *operands: Wire,
        delay: float,
        low: int | None = None,
        high: int | None = None,
        name: str = "step",
    ) -> Wire:
        """Apply ``function`` to the operands in the earliest stage in which it fits."""
        live = [w for w in operands if w.constant is None]
        stage = max((w.stage for w in live), default=0)
        start = max(
            (w.time if w.stage == stage else self.delays.register for w in live), default=0.0
        )
        own = self.delays.register + delay
        if live and self._loop is not None and stage < self._loop.start:
            stage, start = self._loop.start, self.delays.register
        late = live and start + delay > self.period and start > self.delays.register
        if late and (self._loop is None or stage + 1 in self._loop):
            stage, start = stage + 1, self.delays.register
            self.last_stage = max(self.last_stage, stage)
        if live and delay:
            self.slowest = max(self.slowest, own if self._loop is None else start + delay)
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
        self._steps += 1
        step = Signal(value.shape(), name=f"{name}_{self._steps}")
        self.module.d.comb += step.eq(value)
        return Wire(self, step, stage, start + delay, low, high)

    def free(
        self,
        function: Callable[..., Value],
        *operands: Wire,
        low: int | None = None,
        high: int | None = None,
    ) -> Wire:
        """Wiring: an operation without delay, which is never a reason for a register."""
        wire = self.op(function, *operands, delay=0.0, low=low, high=high)
        wire.adder = any(w.adder for w in operands)
        return wire

    def wire(self, value: "Wire | int") -> Wire:
        """``value``, made a constant wire if it is a number."""
        return self.constant(value) if isinstance(value, int) else value

    # State: what a beat leaves behind for the next one.

    def first(self, last: Wire, *beside: Wire) -> Wire:
        """1 in the first beat of a sequence; in the stage where ``beside`` are ready."""
        stage = max((w.stage for w in beside if w.constant is None), default=0)
        return _Loop(self, max(stage, last.stage), 1).first(last)

    def ends(self, last: Wire, beats: int) -> Wire:
        """1 in each ``beats``-th beat since the one after ``last``, and in that of ``last``."""
        if beats == 1:
            return self.constant(1, 1)
        stage = last.stage
        count = Signal(range(beats), name="beat")
        self.registers += len(count)
        end = Signal(name="end")
        self.module.d.comb += end.eq(self.at(last, stage) | (count == beats - 1))
        self.update(count, Mux(end, 0, count + 1)[: len(count)], self.valid(stage))
        time = self.delays.register + self.delays.reduction(len(count) + 1)
        return Wire(self, end, stage, time, 0, 1, "end")

    def accumulate(self, addend: Wire, first: Wire, width: int) -> Wire:
        """Running sum of ``addend`` in ``width`` bits since the beat marked ``first``.

        Cut into segments that fit the clock period. A segment's carry enters the next one a
        clock later, as do the addend's bits there, so the loop is never longer than a segment.
        """
        room = self.period - self.delays.register - self.delays.choice(1) - self.delays.add
        segment = width
        while segment > 4 and self.delays.adder(segment) - self.delays.add > room:
            segment = (segment + 1) // 2
        sums: list[Wire] = []
        carry: Wire | None = None
        stage = max(addend.stage, first.stage)
        if addend.time + self.delays.adder(segment) > self.period:
            stage += 1
        extended = addend.bits(width)
        for start in range(0, width, segment):
            part = extended[start : start + segment]
            size = len(part)
            held = Signal(size, name=f"accumulator_{start}", reset_less=True)
            self.registers += size
            into = Const(0, 1) if carry is None else self.at(carry, stage)
            kept = held & ~self.at(first, stage).replicate(size)
            total = Signal(size + 1, name=f"running_{start}")
            left, right = Cat(Const(1, 1), kept), Cat(into, self.at(part, stage))
            self.module.d.comb += total.eq((left + right)[1:])
            self.update(held, total[:size], self.valid(stage))
            time = self.delays.register + self.delays.choice(1) + self.delays.adder(size)
            self.slowest = max(self.slowest, time)
            sums.append(Wire(self, total[:size], stage, time, 0, (1 << size) - 1, "running"))
            carry = Wire(self, total[size], stage, time, 0, 1, "carry")
            self.last_stage = max(self.last_stage, stage)
            stage += 1
        return self.name("accumulated", cat(*sums)).as_signed()

    def gather(self, bit: Wire, first: Wire) -> Wire:
        """OR of ``bit`` over the beats since the one marked ``first``."""
        if bit.constant == 0:
            return bit
        stage = max(bit.stage, first.stage)
        held = Signal(name="seen", reset_less=True)
        self.registers += 1
        value = self.at(bit, stage) | (held & ~self.at(first, stage))
        self.update(held, value, self.valid(stage))
        return Wire(self, value, stage, self.delays.register + self.delays.gate, 0, 1, "seen")

    def memory(self, depth: int, write: Wire, address: Wire, data: Wire, name: str) -> Wire:
        """Word ``address`` of a memory; a beat with ``write`` stores ``data`` there and has it."""
        operands = [w for w in (write, address, data) if w.constant is None]
        stage = max(w.stage for w in operands)
        memory = Memory(shape=len(data), depth=depth, init=[])
        setattr(memory, "_MustUse__used", True)  # noqa: B010  A trial of the scheduler drops it.
        self.module.submodules[f"{name}_memory"] = memory
        self.registers += depth * len(data)
        enter, leave = memory.write_port(domain=self.domain), memory.read_port(domain="comb")
        enable = self.at(write, stage)
        for condition in (self.enable, self.valid(stage)):
            enable = enable if condition is None else enable & condition
        here = self.at(address, stage)[: len(leave.addr)]
        word = self.at(data, stage)
        self.module.d.comb += [
            enter.addr.eq(here),
            enter.data.eq(word),
            enter.en.eq(enable),
            leave.addr.eq(here),
        ]
        time = max(w.time if w.stage == stage else self.delays.register for w in operands)
        time += self.delays.choice(len(data)) * (1 + (depth - 1).bit_length() // 2)
        self.slowest = max(self.slowest, time)
        value = Signal(len(data), name=name)
        self.module.d.comb += value.eq(Mux(self.at(write, stage), word, leave.data))
        return Wire(self, value, stage, time, 0, (1 << len(data)) - 1, name)

    @contextmanager
    def loop(self, *inputs: Wire, contexts: int = 1) -> Iterator["_Loop"]:
        """A step whose result is its own operand ``contexts`` beats later.

        With one context it must end in the clock in which it begins; with more it may take as
        many clocks.
        """
        live = [w for w in inputs if w.constant is None]
        stage = max(w.stage for w in live)
        late = any(w.stage == stage and w.time > self.delays.register for w in live)
        if late and self.period != float("inf"):
            stage += 1
        self.last_stage = max(self.last_stage, stage)
        self._loop = range(stage, stage + contexts)
        try:
            yield _Loop(self, stage, contexts)
        finally:
            self._loop = None

    # Operations.

    def add(
        self, a: "Wire | int", b: "Wire | int", carry: Wire | None = None, *, many: bool = False
    ) -> Wire:
        """``a + b (+ carry)``, exact; ``many`` if it is a part of a sum of many words."""
        a, b = self.wire(a), self.wire(b)
        if carry is not None and carry.constant == 0:
            carry = None
        if carry is None:
            if a.constant is not None and b.constant is not None:
                return self.constant(a.constant + b.constant)
            if a.constant == 0:
                return b
            if b.constant == 0:
                return a
            return self._carry_chain(add, a.low + b.low, a.high + b.high, a, b, many=many)
        # One chain: the carry enters through a bit below the operands.
        return self._carry_chain(
            lambda x, y, c: (Cat(Const(1, 1), x) + Cat(c[0], y))[1:],
            a.low + b.low,
            a.high + b.high + 1,
            a,
            b,
            carry,
        )

    def subtract(self, a: "Wire | int", b: "Wire | int") -> Wire:
        """``a - b``, exact."""
        a, b = self.wire(a), self.wire(b)
        if b.constant is not None:
            return self.add(a, -b.constant)
        return self._carry_chain(sub, a.low - b.high, a.high - b.low, a, b)

    def _carry_chain(
        self,
        function: Callable[..., Value],
        low: int,
        high: int,
        a: Wire,
        b: Wire,
        *carry: Wire,
        many: bool = False,
    ) -> Wire:
        """A sum or difference, of patterns that are extended to the result's width.

        The emitted Verilog thus has no signed addition: Verilator 5.048 takes the 1 in
        ``$signed(x) + $signed({1'h0, bit})`` for -1.

        A tool that sees a sum of sums may compress all their words by full adders instead of
        giving each sum a carry chain; Yosys' ``alumacc`` does where nothing else reads the inner
        sum. That costs up to twice the area, so the lowest bit is written a second time, as what
        it is without a carry: it reads the inner sum, and stands in for that bit of this one.
        """
        shape = shape_of(low, high)
        stage = max(a.stage, b.stage)
        nested = any(w.adder and w.stage == stage for w in (a, b))
        wanted = self.delays.apart == "all" or (many and self.delays.apart == "sums")
        apart = wanted and nested and not carry and shape.width > _SHORT

        def extended(x: Value, y: Value, *rest: Value) -> Value:
            x, y = extend(x, shape.width), extend(y, shape.width)
            total = function(x, y, *rest)
            total = Cat(x[0] ^ y[0], total[1 : shape.width]) if apart else total[: shape.width]
            return total.as_signed() if shape.signed else total

        delay = self.delays.adder(shape.width)
        live = sum(len(w) for w in (a, b, *carry) if w.constant is None)
        if live <= _SMALL:
            # A carry chain would be larger than the logic of so few bits.
            function, delay = _ripple(function), self.delays.gate
        total = self.op(extended, a, b, *carry, delay=delay, low=low, high=high, name="sum")
        total.adder = live > _SMALL and not (carry or apart)
        return total

    def gate(
        self,
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
        return self.op(lambda x, y: function(x, y)[:width], a, b, delay=self.delays.gate + load)

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
        function: Callable[..., Value],
        a: "Wire | int",
        b: "Wire | int",
        kind: str = "add",
    ) -> Wire:
        """A single bit from two numbers; ``kind`` is the kind of its delay."""
        a, b = self.wire(a), self.wire(b)
        width = max(len(a), len(b))
        delay = self.delays.reduction(width) if kind == "reduce" else self.delays.adder(width)
        return self.op(function, a, b, delay=delay)

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
        return self.op(function, wire, delay=self.delays.reduction(len(wire)))

    def mux(self, select: Wire, then: "Wire | int", other: "Wire | int") -> Wire:
        """``then`` if ``select`` else ``other``; the range covers both."""
        then, other = self.wire(then), self.wire(other)
        if select.constant is not None:
            return then if select.constant else other
        if then.constant is not None and then.constant == other.constant:
            return then
        low, high = min(then.low, other.low), max(then.high, other.high)
        width = shape_of(low, high).width
        return self.op(
            lambda s, x, y: Mux(s, x, y), select, then, other,
            delay=self.delays.choice(width), low=low, high=high, name="choice",
        )  # fmt: skip

    def sum(
        self, terms: Sequence[Wire], carries: Sequence[Wire] = (), *, balanced: bool = False
    ) -> Wire:
        """The exact sum of many words, and of single bits at weight 1: a tree of adders.

        Words as wide as the sum of all narrower ones come last, so that one adder is that wide,
        unless the tree is to be ``balanced``: where each word is one bit wider, all would be last.
        """
        level = sorted(terms, key=lambda w: (w.stage, w.time))
        wide: list[Wire] = []
        while self.delays.apart != "none" and not balanced and len(level) > 2:
            rest = sorted(level, key=len)
            widest = rest.pop()
            if len(widest) < shape_of(sum(w.low for w in rest), sum(w.high for w in rest)).width:
                break
            level.remove(widest)
            wide.append(widest)
        spare = [c for c in carries if c.constant != 0]
        while len(level) > 1:
            pairs = []
            for x, y in zip(level[0::2], level[1::2], strict=False):
                carry = spare.pop() if spare else None
                pairs.append(self.add(x, y, carry, many=True))
            level = pairs + ([level[-1]] if len(level) % 2 else [])
        total = level[0]
        for word in reversed(wide):
            total = self.add(total, word, spare.pop() if spare else None, many=True)
        for carry in spare:
            total = self.add(total, carry)
        return total

    def multiply(self, a: Wire, b: Wire) -> Wire:
        """``a * b``, exact; split into tiles where one multiplier would be too slow or wide."""
        corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
        low, high = min(corners), max(corners)
        if low == high:
            return self.constant(low)
        if min(len(a), len(b)) == 1:
            bit, word = (a, b) if len(a) == 1 else (b, a)
            if not bit.signed:
                return self.mux(bit, word, 0)
        for x, y in ((a, b), (b, a)):
            if x.constant is not None and x.constant > 0 and x.constant.bit_count() == 1:
                return y.shifted_left(x.constant.bit_length() - 1)
        if len(a) < len(b):
            a, b = b, a
        if self._soft(len(a), len(b)):
            return self._multiply_soft(a, b, low, high)
        tile = self.delays.tile
        limit = max(tile) - (a.signed or b.signed) if tile else None
        delay = self.delays.product(len(a), len(b))
        too_wide = limit is not None and (len(a) > limit or len(b) > limit)
        too_slow = tile is None and self.delays.register + delay > self.period and len(a) > 2
        if too_wide or too_slow:
            cut = limit if too_wide and limit is not None else (len(a) + 1) // 2
            return self._multiply_split(a, b, cut).within(low, high)
        self.products.append((len(a), len(b)))
        wire = self.op(lambda x, y: x * y, a, b, delay=delay, low=low, high=high, name="product")
        if self.delays.product_registers and self._loop is None and self.period < float("inf"):
            wire.time = self.period
        return wire

    def _multiply_split(self, a: Wire, b: Wire, cut: int) -> Wire:
        """Both operands cut at ``cut``: low*low and high*high do not overlap, the rest is added."""

        def split(w: Wire) -> tuple[Wire, Wire | None]:
            if len(w) <= cut:
                return w, None
            top = w[cut:]
            return w[:cut], top.as_signed() if w.signed else top

        (a_low, a_high), (b_low, b_high) = split(a), split(b)
        parts = [(self.multiply(a_low, b_low), 0)]
        middle = []
        if a_high is not None:
            middle.append(self.multiply(a_high, b_low))
        if b_high is not None:
            middle.append(self.multiply(a_low, b_high))
        if a_high is not None and b_high is not None:
            parts.append((self.multiply(a_high, b_high), 2 * cut))
        base = parts[0][0]
        if len(parts) == 2 and base.low >= 0:
            top = parts[1][0]
            joined = cat(base.bits(2 * cut), top)
            if top.signed:
                joined = joined.as_signed()
            outer = joined
        else:
            outer = self.sum([w.shifted_left(s) for w, s in parts])
        inner = self.sum(middle)
        if outer.low >= 0 and len(outer) > cut:
            upper = self.add(outer[cut:], inner)
            result = cat(outer[:cut], upper)
            return result.as_signed() if upper.signed else result
        return self.add(outer, inner.shifted_left(cut))

    def hard(self, wa: int, wb: int) -> bool:
        """Whether a product of such widths goes to multipliers that the target has."""
        return self.delays.tile is not None and not self._soft(wa, wb)

    def _soft(self, wa: int, wb: int) -> bool:
        if self.multiplier == "dsp":
            return False
        if self.multiplier == "lut":
            return True
        return self.delays.tile is not None and wa * wb < self.delays.soft_limit

    def _multiply_soft(self, a: Wire, b: Wire, low: int, high: int) -> Wire:
        """Partial products of logic cells, so that no tool puts them into a hard multiplier."""
        if len(a) == len(b) == 2 and low >= 0:
            return self.op(_product, a, b, delay=self.delays.gate, low=low, high=high)
        rows = []
        for i in range(len(b)):
            row = self.mux(b[i], a, 0).shifted_left(i)
            negative = b.signed and i == len(b) - 1
            rows.append(0 - row if negative else row)
        return self.sum(rows, balanced=True).within(low, high)


class _Loop:
    """The state of a step that feeds itself, one for each context."""

    def __init__(self, pipeline: Pipeline, stage: int, contexts: int):
        self.pipeline = pipeline
        self.stage = stage
        self.contexts = contexts
        self._turn: Signal | None = None
        if contexts > 1:
            p = pipeline
            self._turn = Signal(range(contexts), name="context")
            p.registers += len(self._turn)
            following = Mux(self._turn == contexts - 1, 0, self._turn + 1)
            p.update(self._turn, following[: len(self._turn)], p.valid(stage))

    def state(self, width: int, name: str, init: int | None = None) -> Wire:
        """Registers of ``width`` bits that :meth:`close` will drive."""
        p = self.pipeline
        registers = [
            Signal(width, name=name, reset_less=init is None, init=init or 0)
            if self._turn is None
            else Signal(width, name=f"{name}_{i}", reset_less=init is None, init=init or 0)
            for i in range(self.contexts)
        ]
        p.registers += width * self.contexts
        time = p.delays.register
        value: Value = registers[0]
        if self._turn is not None:
            value = Signal(width, name=f"{name}_now")
            p.module.d.comb += value.eq(Array(registers)[self._turn])
            time += p.delays.choice(width) * len(self._turn)
        wire = Wire(p, value, self.stage, time, 0, (1 << width) - 1, name)
        self._registers = registers
        return wire

    def first(self, last: Wire, end: Wire | None = None) -> Wire:
        """1 from the beat after ``last`` until the first one with ``end``; by default that one."""
        wire = self.state(1, "first", init=1)
        following = last if end is None else self.pipeline.mux(end, last, wire)
        self.close(wire, following, self.stage)
        return wire

    def closed(self, state: Wire, value: Wire) -> Wire:
        """:meth:`close`, and ``value`` in the stage after: there the state's registers have it.

        Between operations they keep it, as :meth:`Pipeline.hold_from` wants it.
        """
        p = self.pipeline
        self.close(state, value)
        stage = value.stage + 1
        kept = p.at(value, stage) if self._turn is not None else self._registers[0]
        return Wire(p, kept, stage, p.delays.register, value.low, value.high, state.name)

    def close(self, state: Wire, value: Wire, stage: int | None = None) -> None:
        """Store ``value`` as what follows ``state``, which was made last, at each valid beat."""
        p = self.pipeline
        stage = value.stage if stage is None else stage
        stored, valid = p.at(value, stage), p.valid(stage)
        if self._turn is None:
            p.update(self._registers[0], stored, valid)
            return
        turn = Wire(p, self._turn, self.stage, 0.0, 0, self.contexts - 1, "context")
        now = p.at(turn, stage)
        for number, register in enumerate(self._registers):
            mine = now == number
            p.update(register, stored, mine if valid is None else valid & mine)
