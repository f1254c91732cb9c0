# SPDX-License-Identifier: BSD-2-Clause
"""Units that add products of integers, with zero points and an integer bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.dyadic import store
from ..arithmetic.integers import codes_of
from ..arithmetic.operands import Operand, Operands
from ..arithmetic.streams import Stream
from ..errors import SpecError
from ..formats.checks import check_boolean, check_integer
from ..formats.choices import Overflow
from ..formats.scalar import Book, Fixed, Format, Posit, Subnormals
from .naming import alike, counted, identifier, named, word
from .requantize import IntegerUnit, sums
from .specification import UNSET, Ports, Unit

_LANES = 4096
_WIDEST = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegerSum(IntegerUnit):
    """Base of the units that add products of integers.

    The sum of ``(a - a_zero) * (b - b_zero)`` and ``bias`` is exact. It goes into ``acc`` once:
    saturated, or modulo its width, which is what a register of that width holds after any order
    of additions.
    """

    a: Format = "int8"  # type: ignore[assignment]
    b: Format = UNSET
    acc: Fixed = "int32"  # type: ignore[assignment]
    lanes: int = 4
    parts: int = 1
    a_zero: bool = False
    b_zero: bool = False
    bias: bool = True
    wrap: bool = False

    def _check(self, terms: int) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, b="a")
        for name in "ab":
            self._check_factor(name)
        self._integer("acc", 32)
        check_integer("lanes", self.lanes, 1, _LANES)
        check_integer("parts", self.parts, 1, 8)
        for name in ("a_zero", "b_zero", "bias", "wrap"):
            check_boolean(name, getattr(self, name))
        for name in "ab":
            fmt = getattr(self, name)
            if getattr(self, f"{name}_zero") and not isinstance(fmt, Fixed):
                raise SpecError(f"{name}_zero=true: {name}={fmt.name} has no zero point")
        bound = terms * self.parts * (1 << (self._reach("a") + self._reach("b")))
        if bound >> 61:
            raise SpecError(f"a={self.a.name}, b={self.b.name}: sums must have at most 61 bits")

    def _check_factor(self, name: str) -> None:
        fmt: Format = getattr(self, name)
        if isinstance(fmt, Fixed):
            whole = fmt.fraction == 0 and fmt.width <= _WIDEST
        elif isinstance(fmt, Book | Posit):
            whole = False
        else:
            plain = fmt.mantissa == 0 and not fmt.has_nan and fmt.signed
            plain = plain and fmt.subnormals is Subnormals.NONE
            whole = plain and fmt.min_subnormal >= 1 and fmt.emax < _WIDEST
        if not whole:
            raise SpecError(
                f"{name}={fmt.name}: must be integers of at most {_WIDEST} bits, or powers of two "
                "from 1 on"
            )

    def _reach(self, name: str) -> int:
        fmt: Format = getattr(self, name)
        bits = fmt.width if isinstance(fmt, Fixed) else fmt.emax
        return bits + getattr(self, f"{name}_zero")

    @property
    def macs(self) -> int:
        return self.lanes

    @property
    def ports(self) -> Ports:
        inputs = {
            "a": Operand(format=self.a, lanes=self._count(1)),
            "b": Operand(format=self.b, lanes=self._count(self.parts)),
        }
        for name in "ab":
            if getattr(self, f"{name}_zero"):
                inputs[f"{name}_zero"] = Operand(format=getattr(self, name))
        if self.bias:
            inputs["bias"] = Operand(format=self.acc)
        return Ports(inputs=inputs | self._control(), outputs={"r": Operand(format=self.acc)})

    def _count(self, parts: int) -> int | None:
        return self.lanes * parts

    def _sum(self, chunk: dict[str, np.ndarray]) -> np.ndarray:
        """The sum of the products of each beat, int64."""
        count = len(chunk["a"])
        factors = []
        for name, fmt, parts in (("a", self.a, 1), ("b", self.b, self.parts)):
            value = _whole(chunk[name], fmt).reshape(count, self.lanes, parts).sum(axis=2)
            if getattr(self, f"{name}_zero"):
                value = value - _whole(chunk[f"{name}_zero"], fmt)[:, None]
            factors.append(value)
        return np.einsum("ij,ij->i", *factors)

    def _result(self, total: np.ndarray, chunk: dict[str, np.ndarray]) -> np.ndarray:
        if self.bias:
            total = total + _whole(chunk["bias"], self.acc)
        policy = Overflow.WRAP if self.wrap else Overflow.SATURATE
        return codes_of(store(total, self.acc, policy), self.acc)


@dataclass(frozen=True, kw_only=True, slots=True)
class IntDot(IntegerSum):
    """Integer dot product: ``r = saturate(bias + sum((a[i] - a_zero) * (b[i] - b_zero)))``.

    Parameters
    ----------
    a, b : Format
        Integers of at most 16 bits, or powers of two: ``binary``, ``shift<n>``, ``power<n>``
        (:data:`macaw.golden.formats.POWERS`), for which the gates have no multipliers. ``b``, the
        weights, defaults to ``a``.
    acc : Fixed
        Of bias and result: an integer format of at most 32 bits.
    lanes : int
        Products per result, 1 to 4096.
    parts : int
        A weight is the sum of so many neighbouring codes of ``b``: powers of two make weights of
        K powers of two. ``b_zero`` is subtracted from the sum.
    a_zero, b_zero : bool
        Adds an operand for the zero point, of the format ``a`` or ``b``.
    bias : bool
        Whether there is the operand ``bias``.
    wrap : bool
        The sum is taken modulo the width of ``acc`` in place of saturating.
    """

    kind: ClassVar[str] = "int-dot"

    def __post_init__(self) -> None:
        self._check(self.lanes)

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {"r": self._result(self._sum(chunk), chunk)}


@dataclass(frozen=True, kw_only=True, slots=True)
class IntMac(IntegerSum):
    """Integer multiply-accumulate over beats, until ``last``: ``r = saturate(bias + sum(a * b))``.

    Each beat adds ``lanes`` products of ``a - a_zero`` and ``b - b_zero``. The beat with
    ``last=1`` brings the bias and gives a result, and the next one starts from zero. The first
    axis of every array is the beat.

    Parameters
    ----------
    a, b, acc, parts, a_zero, b_zero, bias
        As of :class:`IntDot`.
    lanes : int
        Products per beat, 1 to 4096. With one lane ``a`` is a scalar, and ``b`` too without parts.
    terms : int
        Most products of a sequence, which the gates hold exactly. CodeError for longer ones.
    wrap : bool
        The sum is taken modulo the width of ``acc``: the accumulator has no more bits than that.
    """

    kind: ClassVar[str] = "int-mac"
    accumulates: ClassVar[bool] = True

    lanes: int = 1
    terms: int = 1024

    def __post_init__(self) -> None:
        check_integer("terms", self.terms, 1, 1 << 30)
        self._check(self.terms)
        if self.terms < self.lanes:
            raise SpecError(f"terms={self.terms}: must be at least lanes={self.lanes}")

    def _count(self, parts: int) -> int | None:
        return None if self.lanes * parts == 1 else self.lanes * parts

    def _control(self) -> dict[str, Operand]:
        return {"last": Operand(format=Fixed(width=1, signed=False))}

    def evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        """Like :meth:`Unit.evaluate`; ``r`` has one element per beat with ``last=1``."""
        operands = Operands.of(self.ports.inputs, codes, self.kind)
        operands.check_one_axis(self.kind, "the beats must be the only axis")
        stream = Stream.of(operands)
        stream.check(self.lanes, self.terms, self.kind)
        total = sums(self._sum(stream.arrays), stream)
        return {"r": self._result(total, stream.take(stream.ends))}


def _whole(codes: np.ndarray, fmt: Format) -> np.ndarray:
    """The integers that codes mean."""
    return fmt.decode(codes).astype(np.int64)


def _sum_words(spec: IntegerSum) -> list[str]:
    words = word("acc", identifier(spec.acc), "int32") + word("p", spec.parts, 1)
    words += ["azero"] * spec.a_zero + ["bzero"] * spec.b_zero
    return words + ["nobias"] * (not spec.bias) + ["wrap"] * spec.wrap


named(IntegerSum, formats=alike("a", "b"), words=_sum_words)
named(IntDot, stem=counted("lanes"))
named(
    IntMac,
    stem=counted("lanes", but=1),
    words=lambda spec: word("t", spec.terms, 1024) + _sum_words(spec),
)
