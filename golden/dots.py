# SPDX-License-Identifier: BSD-2-Clause
"""Units that add up products: dot products, and multiply-accumulate over a stream."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .errors import CodeError, SpecError
from .exact import Exact, multiply, unpack
from .formats import Fixed, Format
from .operands import Operand, Operands
from .project import Direction, Split, check_random, resolve_overflow
from .rounding import Overflow, Rounding
from .streams import Stream, accumulate_exact, accumulate_rounded
from .sums import add_aligned, add_lanes, alignment, column, products
from .unit import UNSET, Ports, Unit, check_format, check_integer, identifier

_ALIGNED = re.compile(r"aligned\((\d+)\)")
_LANES = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Dot(Unit):
    """Dot product with addend: ``r = round(c + sum(a[i] * b[i]))``, rounded once.

    Parameters
    ----------
    a, b, c, out : Format
        Operand formats and the result's; ``b`` defaults to ``a``, ``c`` to ``out``.
    lanes : int
        Products per result, 1 to 4096.
    accumulation : str
        ``exact``, or ``aligned(F)``: every term, the addend included, is aligned to the largest
        exponent among the terms and truncated toward zero to F fraction bits (4 to 256) before
        the exact sum; the datapath of tensor cores.
    rounding, overflow, random_bits
        As of :class:`Mul`.
    """

    kind: ClassVar[str] = "dot"
    dynamic: ClassVar[bool] = False

    a: Format = UNSET
    b: Format = UNSET
    c: Format = UNSET
    out: Format = UNSET
    lanes: int = 4
    accumulation: str = "exact"

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, b="a", out=None, c="out")
        check_integer("lanes", self.lanes, 1, _LANES)
        self._set("accumulation", str(self.accumulation).lower().replace(" ", ""))
        match = _ALIGNED.fullmatch(self.accumulation)
        if self.accumulation != "exact" and not (match and 4 <= int(match[1]) <= 256):
            raise SpecError(
                f"accumulation={self.accumulation}: must be exact or aligned(F), F from 4 to 256"
            )
        if match and self.a.width + self.b.width > 64:
            raise SpecError(
                f"accumulation={self.accumulation}: {self.a.name} times {self.b.name} is too wide"
            )
        self._check_result()

    @property
    def aligned_bits(self) -> int | None:
        """F of ``aligned(F)``; None if the sum is exact."""
        match = _ALIGNED.fullmatch(self.accumulation)
        return int(match[1]) if match else None

    @property
    def macs(self) -> int:
        """Multiply-accumulates per operation."""
        return self.lanes

    def _stem(self) -> str:
        return f"dot{self.lanes}"

    def _suffixes(self) -> list[str]:
        bits = self.aligned_bits
        aligned = [] if bits is None else [f"aligned{bits}"]
        return aligned + Unit._suffixes(self)

    @property
    def ports(self) -> Ports:
        """Operands and results with their formats."""
        inputs = {
            "a": Operand(format=self.a, lanes=self.lanes),
            "b": Operand(format=self.b, lanes=self.lanes),
            "c": Operand(format=self.c),
        }
        return Ports(inputs=inputs | self._control(), outputs=self._results())

    def _exact(self, down: bool | np.ndarray, **codes: np.ndarray) -> Exact | Split:
        a, b, c = (unpack(codes[name], getattr(self, name)) for name in "abc")
        bits = self.aligned_bits
        if bits is None:
            return add_lanes(products(a, b), c, self.out, down)
        tops = alignment(self.a) + alignment(self.b), alignment(self.c)
        return add_aligned(multiply(a, b), c, *tops, bits, self.out, down)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mac(Unit):
    """Multiply-accumulate over a stream of beats, until ``last``: ``r = round(sum(a * b))``.

    Each beat adds ``lanes`` products. The beat with ``last=1`` gives a result and the next one
    starts from zero. The first axis of every array is the beat; a sequence that the arrays leave
    unfinished gives nothing.

    Parameters
    ----------
    a, b, out : Format
        Operand formats and the result's; ``b`` defaults to ``a``.
    lanes : int
        Products per beat, 1 to 4096. With one lane ``a`` and ``b`` are scalars.
    acc : "exact" or Format
        Exact: no rounding before the read-out. A format: the exact sum of the accumulator and
        the beat's products is rounded to it at each beat, and at the read-out to ``out``.
    terms : int
        Most products of a sequence that ``acc="exact"`` must hold. CodeError for longer ones.
    contexts : int
        Independent accumulations, 1 to 64, that take the beats in turn: beat i belongs to
        context ``i % contexts``, and its ``last`` ends the sequence of that context alone. Gates
        can then spread the rounded step of an accumulator format over as many clocks.
    rounding, overflow, random_bits
        As of :class:`Mul`. They hold for each step and for the read-out, which takes the random
        word of the last beat; see :attr:`acc_overflow` and :attr:`out_overflow`.
    """

    kind: ClassVar[str] = "mac"
    accumulates: ClassVar[bool] = True
    dynamic: ClassVar[bool] = False

    a: Format = UNSET
    b: Format = UNSET
    out: Format = UNSET
    lanes: int = 1
    acc: str | Format = "exact"
    terms: int = 1024
    contexts: int = 1

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, b="a", out=None)
        check_integer("lanes", self.lanes, 1, _LANES)
        check_integer("terms", self.terms, 1, 1 << 30)
        if self.terms < self.lanes:
            raise SpecError(f"terms={self.terms}: must be at least lanes={self.lanes}")
        check_integer("contexts", self.contexts, 1, 64)
        if isinstance(self.acc, str) and self.acc.lower() == "exact":
            self._set("acc", "exact")
            if self.contexts != 1:
                raise SpecError(f"contexts={self.contexts}: acc=exact takes a beat a clock with 1")
            self._check_result()
            return
        acc = check_format("acc", self.acc)
        self._set("acc", acc)
        resolve_overflow(self.overflow, acc)
        if self.rounding is Rounding.SR:
            check_random(acc, self.random_bits)
            check_random(self.out, self.random_bits)

    @property
    def acc_overflow(self) -> Overflow | None:
        """Policy at each step, if ``acc`` is a format."""
        return resolve_overflow(self.overflow, self.out if isinstance(self.acc, str) else self.acc)

    @property
    def out_overflow(self) -> Overflow | None:
        """Policy at the read-out: the same, or the default of ``out`` if that cannot have it."""
        try:
            return resolve_overflow(self.overflow, self.out)
        except SpecError:
            return resolve_overflow(None, self.out)

    @property
    def macs(self) -> int:
        """Multiply-accumulates per operation."""
        return self.lanes

    @property
    def _default_overflow(self) -> Overflow | None:
        return resolve_overflow(None, self.out) if self.acc == "exact" else None

    def _stem(self) -> str:
        return "mac" if self.lanes == 1 else f"mac{self.lanes}"

    def _suffixes(self) -> list[str]:
        acc = [] if isinstance(self.acc, str) else [f"acc{identifier(self.acc)}"]
        terms = [] if self.terms == 1024 else [f"t{self.terms}"]
        contexts = [] if self.contexts == 1 else [f"x{self.contexts}"]
        return acc + terms + contexts + Unit._suffixes(self)

    @property
    def ports(self) -> Ports:
        """Operands and results with their formats."""
        lanes = None if self.lanes == 1 else self.lanes
        inputs = {
            "a": Operand(format=self.a, lanes=lanes),
            "b": Operand(format=self.b, lanes=lanes),
            "last": Operand(format=Fixed(width=1, signed=False)),
        }
        return Ports(inputs=inputs | self._control(), outputs=self._results())

    def evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        """Like :meth:`Unit.evaluate`; ``r`` has one element per beat with ``last=1``."""
        operands = Operands.of(self.ports.inputs, codes, self.kind)
        if len(operands.shape) != 1:
            raise CodeError(f"mac: shape {operands.shape}: the beats must be the only axis")
        stream = Stream.of(operands)
        if self.acc == "exact":
            stream.check(self.lanes, self.terms)
            return {"r": accumulate_exact(stream, self)}
        if self.contexts == 1:
            return {"r": accumulate_rounded(stream, self)}
        context = np.flatnonzero(operands.arrays["last"]) % self.contexts
        result = np.empty(context.size, self.out.code_dtype)
        for number in range(self.contexts):
            turns = operands.every(self.contexts, number)
            result[context == number] = accumulate_rounded(Stream.of(turns), self)
        return {"r": result}

    def products(self, a: np.ndarray, b: np.ndarray) -> list[Exact]:
        """Return the exact products of each beat, one row for each, lanes on the last axis."""
        result = products(unpack(a, self.a), unpack(b, self.b))
        return [column(term) for term in result] if self.lanes == 1 else result

    def direction(self, chunk: dict[str, np.ndarray]) -> Direction:
        """Return how the results of the beats ``chunk`` are rounded."""
        return self._direction(dict(chunk))
