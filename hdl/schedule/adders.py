# SPDX-License-Identifier: BSD-2-Clause
"""Sums and differences of a pipeline's wires, and the trees of many."""

from collections.abc import Callable, Sequence
from operator import add as plus
from operator import sub
from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Const, Value

from .wire import Wire, cat, extend, shape_of

if TYPE_CHECKING:
    from .scheduler import Scheduler

__all__ = ["add", "subtract", "total"]

_SMALL = 4
"""Bits of all operands, up to which a sum or product is a cell or two of logic each bit."""

_SHORT = 8
"""Bits of a sum, up to which cells that compress three words into two beat its carry chain."""


def add(
    p: "Scheduler",
    a: "Wire | int",
    b: "Wire | int",
    carry: Wire | None = None,
    *,
    many: bool = False,
) -> Wire:
    """``a + b (+ carry)``, exact; ``many`` if it is a part of a sum of many words."""
    a, b = p.wire(a), p.wire(b)
    if carry is not None and carry.constant == 0:
        carry = None
    if carry is None:
        if a.constant is not None and b.constant is not None:
            return p.constant(a.constant + b.constant)
        if a.constant == 0:
            return b
        if b.constant == 0:
            return a
        return _carry_chain(p, plus, a.low + b.low, a.high + b.high, a, b, many=many)
    # One chain: the carry enters through a bit below the operands.
    return _carry_chain(
        p,
        lambda x, y, c: (Cat(Const(1, 1), x) + Cat(c[0], y))[1:],
        a.low + b.low,
        a.high + b.high + 1,
        a,
        b,
        carry,
    )


def subtract(p: "Scheduler", a: "Wire | int", b: "Wire | int") -> Wire:
    """``a - b``, exact."""
    a, b = p.wire(a), p.wire(b)
    if b.constant is not None:
        return p.add(a, -b.constant)
    return _carry_chain(p, sub, a.low - b.high, a.high - b.low, a, b)


def total(
    p: "Scheduler", terms: Sequence[Wire], carries: Sequence[Wire] = (), *, balanced: bool = False
) -> Wire:
    """The exact sum of many words, and of single bits at weight 1: a tree of adders.

    Words as wide as the sum of all narrower ones come last, so that one adder is that wide,
    unless the tree is to be ``balanced``: where each word is one bit wider, all would be last.
    """
    if p.delays.compress is not None and len(terms) > 2:
        return _compressed(p, terms, carries)
    level = sorted(terms, key=lambda w: (w.stage, w.time))
    wide: list[Wire] = []
    while p.delays.apart != "none" and not balanced and len(level) > 2:
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
            pairs.append(p.add(x, y, carry, many=True))
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    found = level[0]
    for word in reversed(wide):
        found = p.add(found, word, spare.pop() if spare else None, many=True)
    for carry in spare:
        found = p.add(found, carry)
    return found


def _compressed(p: "Scheduler", terms: Sequence[Wire], carries: Sequence[Wire]) -> Wire:
    """The sum in rows of full adders, three words into two, and one addition at the end.

    A word's sign is not repeated over the width of the sum: complemented, it counts upwards from
    the lowest value of the word, and those of all words are one constant.
    """
    low = sum(w.low for w in terms)
    high = sum(w.high for w in terms) + len(carries)
    shape = shape_of(low, high)
    words, lowest = [], 0
    for term in terms:
        if term.constant is not None:
            lowest += term.constant
            continue
        size = len(term)
        if term.signed and size < shape.width:
            flipped = (~term[size - 1],) if size == 1 else (term[: size - 1], ~term[size - 1])
            lowest -= 1 << (size - 1)
            words.append(cat(*flipped))
        else:
            words.append(term.bits(size))
    if lowest:
        words.append(p.constant(lowest % (1 << shape.width), shape.width))
    bits = [bit for bit in carries if bit.constant != 0]
    while len(words) > 2:
        words.sort(key=lambda w: (w.stage, w.time))
        three = [w.bits(min(shape.width, max(map(len, words[:3])))) for w in words[:3]]
        delay = p.delays.compress or 0.0
        odd = p.op(lambda x, y, z: x ^ y ^ z, *three, delay=delay, name="sum")
        most = p.op(lambda x, y, z: (x & y) | (z & (x | y)), *three, delay=delay, name="carries")
        # The lowest place of what is carried is free.
        first = bits.pop() if bits else p.constant(0, 1)
        words = [*words[3:], odd, cat(first.bits(1), most)[: shape.width]]
    while len(words) < 2:
        words.append(p.constant(0, 1))
    rows = (*words, *bits)
    result = p.add(words[0], words[1], bits.pop().bits(1) if bits else None)
    for bit in bits:
        result = p.add(result, bit.bits(1))
    result = result.bits(shape.width)
    result = (result.as_signed() if shape.signed else result).within(low, high)
    if not any(term.signed for term in terms):
        # No row is above the sum, so none has lost a carry.
        result.rows = rows
    return result


def _carry_chain(
    p: "Scheduler",
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
    wanted = p.delays.apart == "all" or (many and p.delays.apart == "sums")
    apart = wanted and nested and not carry and shape.width > _SHORT

    def extended(x: Value, y: Value, *rest: Value) -> Value:
        x, y = extend(x, shape.width), extend(y, shape.width)
        value = function(x, y, *rest)
        value = Cat(x[0] ^ y[0], value[1 : shape.width]) if apart else value[: shape.width]
        return value.as_signed() if shape.signed else value

    delay = p.delays.adder(shape.width)
    live = sum(len(w) for w in (a, b, *carry) if w.constant is None)
    name = "difference" if function is sub else "sum"
    if live <= _SMALL:
        # A carry chain would be larger than the logic of so few bits.
        function, delay = _ripple(function), p.delays.gate
    wire = p.op(extended, a, b, *carry, delay=delay, low=low, high=high, name=name)
    wire.adder = live > _SMALL and not (carry or apart)
    return wire


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
