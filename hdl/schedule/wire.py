# SPDX-License-Identifier: BSD-2-Clause
"""Values of a datapath: what they can hold, in which stage they are valid, and how late."""

from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Const, Shape, Value, signed, unsigned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .scheduler import Scheduler

__all__ = ["Wire", "cat", "extend", "shape_of"]


def shape_of(low: int, high: int) -> Shape:
    """The narrowest shape of the integers from ``low`` to ``high``."""
    if low < 0:
        return signed(max((-low - 1).bit_length(), high.bit_length() if high > 0 else 0) + 1)
    return unsigned(high.bit_length())


def extend(value: Value, width: int) -> Value:
    """The two's complement pattern of a value in ``width`` bits."""
    shape = value.shape()
    if shape.width >= width:
        return value[:width]
    fill = (
        value[-1].replicate(width - shape.width) if shape.signed else Const(0, width - shape.width)
    )
    return Cat(value, fill)


class Wire:
    """A value of the datapath: an integer between ``low`` and ``high``, valid in one stage."""

    __slots__ = (
        "_delayed",
        "adder",
        "constant",
        "entries",
        "high",
        "low",
        "name",
        "pipeline",
        "rows",
        "scope",
        "stage",
        "time",
        "value",
    )

    def __init__(
        self,
        pipeline: "Scheduler",
        value: Value,
        stage: int,
        time: float,
        low: int,
        high: int,
        name: str = "",
    ):
        self.pipeline = pipeline
        self.value = value
        self.stage = stage
        self.time = time
        self.low = low
        self.high = high
        # What the registers that delay it are named after.
        self.name = name
        self.scope = pipeline.labels.scope
        self.constant: int | None = None
        # Whether synthesis may take the adder that this comes from into the next one.
        self.adder = False
        # Where it is a constant looked up: the index, and the constant for each of its patterns.
        self.entries: tuple[Wire, Sequence[int]] | None = None
        # Where it comes from an addition that a longer sum can do without: words of that sum.
        self.rows: tuple[Wire, ...] = ()
        self._delayed: list[Value] = [value]

    def __len__(self) -> int:
        return self.value.shape().width

    @property
    def signed(self) -> bool:
        """Whether the range has negative numbers; the pattern is then two's complement."""
        return self.low < 0

    @property
    def negative(self) -> "Wire":
        """1 if the value is below zero."""
        if self.low >= 0 or self.high < 0:
            return self.pipeline.constant(int(self.high < 0), 1)
        return self[len(self) - 1]

    # Arithmetic. Ranges follow the operands, so widths are never guessed.

    def __add__(self, other: "Wire | int") -> "Wire":
        return self.pipeline.add(self, other)

    __radd__ = __add__

    def __sub__(self, other: "Wire | int") -> "Wire":
        return self.pipeline.subtract(self, other)

    def __rsub__(self, other: int) -> "Wire":
        return self.pipeline.subtract(self.pipeline.constant(other), self)

    @property
    def complement(self) -> "Wire":
        """``-1 - self``: inverters and no carry."""
        if self.constant is not None:
            return self.pipeline.constant(-1 - self.constant)
        low, high = -1 - self.high, -1 - self.low
        shape = shape_of(low, high)

        def flip(a: Value) -> Value:
            flipped = (~extend(a, shape.width))[: shape.width]
            return flipped.as_signed() if shape.signed else flipped

        return self.pipeline.free(flip, self, low=low, high=high, name="not")

    # Bitwise: both operands as unsigned patterns of the same width.

    def __and__(self, other: "Wire") -> "Wire":
        return self.pipeline.gate("and", lambda a, b: a & b, self, other, neutral=1, absorbing=0)

    def __or__(self, other: "Wire") -> "Wire":
        return self.pipeline.gate("or", lambda a, b: a | b, self, other, neutral=0, absorbing=1)

    def __xor__(self, other: "Wire") -> "Wire":
        return self.pipeline.gate("xor", lambda a, b: a ^ b, self, other, neutral=0)

    def __invert__(self) -> "Wire":
        if self.constant is not None:
            return self.pipeline.constant(~self.constant & ((1 << len(self)) - 1), len(self))
        return self.pipeline.free(lambda a: (~a)[: len(self)], self, name="not")

    # Comparisons.

    def equals(self, other: "Wire | int") -> "Wire":
        """1 if the values are equal."""
        return self.pipeline.compare("equal", lambda a, b: a == b, self, other)

    def __lt__(self, other: "Wire | int") -> "Wire":
        return self.pipeline.less(self, other)

    def __le__(self, other: "Wire | int") -> "Wire":
        return ~self.pipeline.less(other, self)

    def __gt__(self, other: "Wire | int") -> "Wire":
        return self.pipeline.less(other, self)

    def __ge__(self, other: "Wire | int") -> "Wire":
        return ~self.pipeline.less(self, other)

    def any(self) -> "Wire":
        """1 if any bit is set."""
        return self.pipeline.reduce(lambda a: a.any(), self)

    def all(self) -> "Wire":
        """1 if every bit is set."""
        return self.pipeline.reduce(lambda a: a.all(), self, every=True)

    # Selections and re-interpretations cost nothing.

    def __getitem__(self, key: int | slice) -> "Wire":
        if self.constant is not None:
            bits = [(self.constant >> i) & 1 for i in range(len(self))]
            part = bits[key] if isinstance(key, slice) else [bits[key]]
            return self.pipeline.constant(sum(b << i for i, b in enumerate(part)), len(part))
        return self.pipeline.free(lambda a: a[key], self)

    def bits(self, width: int) -> "Wire":
        """The two's complement pattern in ``width`` bits: sign or zero extended, or cut."""
        if self.constant is not None:
            return self.pipeline.constant(self.constant & ((1 << width) - 1), width)
        return self.pipeline.free(lambda a: extend(a, width), self)

    def lanes(self, width: int) -> "list[Wire]":
        """The pattern cut into parts of ``width`` bits, the low ones first."""
        return [self[i : i + width] for i in range(0, len(self), width)]

    def as_signed(self) -> "Wire":
        """The same bits read as two's complement."""
        half = 1 << (len(self) - 1)
        if self.constant is not None:
            return self.pipeline.constant((self.constant + half) % (2 * half) - half)
        return self.pipeline.free(lambda a: a.as_signed(), self, low=-half, high=half - 1)

    def within(self, low: int, high: int) -> "Wire":
        """The same value, known to lie in ``[low, high]``; wider ranges are no promise."""
        low, high = max(low, self.low), min(high, self.high)
        if self.constant is not None or (low, high) == (self.low, self.high):
            return self
        shape = shape_of(low, high)

        def narrow(a: Value) -> Value:
            part = a[: shape.width]
            return part.as_signed() if shape.signed else part

        result = self.pipeline.free(narrow, self, low=low, high=high)
        result.rows = self.rows
        return result

    def shifted_left(self, amount: int) -> "Wire":
        """Multiplied by ``2**amount``, a constant: wiring only."""
        if amount == 0:
            return self
        if self.constant is not None:
            return self.pipeline.constant(self.constant << amount)

        def shift(a: Value) -> Value:
            moved = Cat(Const(0, amount), a)
            return moved.as_signed() if self.signed else moved

        return self.pipeline.free(shift, self, low=self.low << amount, high=self.high << amount)


def cat(*parts: Wire) -> Wire:
    """Concatenation, the first part in the low bits."""
    pipeline = parts[0].pipeline
    parts = tuple(w for w in parts if len(w))
    if all(w.constant is not None for w in parts):
        value, width = 0, 0
        for w in parts:
            value |= ((w.constant or 0) & ((1 << len(w)) - 1)) << width
            width += len(w)
        return pipeline.constant(value, width)
    return pipeline.free(lambda *values: Cat(*values), *parts)
