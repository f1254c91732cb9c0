# SPDX-License-Identifier: BSD-2-Clause
"""Units that round nothing: order, the lesser and greater of two, class, and sign of a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..arithmetic.exact import INVALID, NAN, kinds, unpack
from ..arithmetic.integers import integers_of
from ..arithmetic.operands import Operand
from ..errors import SpecError
from ..formats.checks import check_boolean
from ..formats.choices import Flag
from ..formats.scalar import Fixed, Float, Format, Subnormals
from .naming import alike, named
from .specification import UNSET, Ports, Unit

_BIT = Fixed(width=1, signed=False)
_FLAGS = Fixed(width=4, signed=False)
OPERATIONS = ("copy", "negate", "xor")
"""What :class:`CopySign` makes of the sign of ``b``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Comparison(Unit):
    """Units of numbers of one format."""

    dynamic: ClassVar[bool] = False
    rounds: ClassVar[bool] = False

    a: Format = UNSET

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None)
        if not isinstance(self.a, self._takes()):
            raise SpecError(f"a={self.a.name}: must be a float or fixed-point format")

    @classmethod
    def _takes(cls) -> tuple[type, ...]:
        return Float, Fixed

    @property
    def macs(self) -> int:
        return 0

    @property
    def _pair(self) -> dict[str, Operand]:
        return {name: Operand(format=self.a) for name in "ab"}


@dataclass(frozen=True, slots=True)
class _Side:
    """What is compared of an operand: arrays of one length.

    Attributes
    ----------
    code : ndarray
        The number's own code, where the format flushes subnormals that of a zero.
    rank : ndarray of int64
        In the order of the numbers; both zeros are 0.
    negative, nan, signalling : ndarray of bool
    """

    code: np.ndarray
    rank: np.ndarray
    negative: np.ndarray
    nan: np.ndarray
    signalling: np.ndarray

    @classmethod
    def of(cls, codes: np.ndarray, fmt: Format) -> _Side:
        """Of the codes of a float or fixed-point format."""
        none = np.zeros(codes.shape, bool)
        if isinstance(fmt, Fixed):
            rank = integers_of(codes, fmt)
            if not fmt.signed and fmt.width == 64:
                rank = (codes.astype(np.uint64) ^ np.uint64(1 << 63)).view(np.int64)
            return cls(codes, rank, none, none, none)
        assert isinstance(fmt, Float)
        bits = np.uint64(fmt.exponent + fmt.mantissa)
        magnitude = codes.astype(np.uint64) & ((np.uint64(1) << bits) - np.uint64(1))
        negative = (codes.astype(np.uint64) >> bits).astype(bool)
        values = unpack(codes, fmt)
        kind = kinds(values)
        nan = (kind & NAN).astype(bool)
        own = codes
        if fmt.subnormals is Subnormals.FLUSH:
            zero = (values.significand == 0) & ~nan
            magnitude = np.where(zero, np.uint64(0), magnitude)
            sign = negative & ~(zero & bool(fmt.nan_for_negative_zero))
            own = (magnitude | (sign.astype(np.uint64) << bits)).astype(codes.dtype)
        rank = magnitude.view(np.int64) + (not fmt.zero)
        rank = np.where(negative, -rank, rank)
        return cls(own, rank, negative, nan, nan & ((kind & INVALID) != 0))


def _invalid(where: np.ndarray) -> np.ndarray:
    return where * np.uint8(Flag.INVALID)


@dataclass(frozen=True, kw_only=True, slots=True)
class Compare(_Comparison):
    """Comparison: whether ``a`` is ``less`` than ``b``, ``equal`` to it, or ``unordered``.

    IEEE 754-2019 5.11: zeros are equal whatever their signs, a NaN is unordered. RISC-V's flt and
    fle are with ``signaling``, feq is without.

    Parameters
    ----------
    a : Float or Fixed
        Of both operands.
    flags : bool
        Adds the result ``flags`` (:class:`Flag`): INVALID for a signalling NaN.
    signaling : bool
        Any NaN is invalid.
    """

    kind: ClassVar[str] = "compare"

    flags: bool = False
    signaling: bool = False

    def __post_init__(self) -> None:
        _Comparison.__post_init__(self)
        check_boolean("flags", self.flags)
        check_boolean("signaling", self.signaling)
        if self.signaling and not self.flags:
            raise SpecError("signaling=true: without flags=true nothing tells of it")

    @property
    def ports(self) -> Ports:
        outputs = {name: Operand(format=_BIT) for name in ("less", "equal", "unordered")}
        if self.flags:
            outputs["flags"] = Operand(format=_FLAGS)
        return Ports(inputs=self._pair, outputs=outputs)

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        a, b = (_Side.of(chunk[name], self.a) for name in "ab")
        unordered = a.nan | b.nan
        results = {
            "less": (a.rank < b.rank) & ~unordered,
            "equal": (a.rank == b.rank) & ~unordered,
            "unordered": unordered,
        }
        found = {name: array.astype(np.uint8) for name, array in results.items()}
        if self.flags:
            wrong = unordered if self.signaling else a.signalling | b.signalling
            found["flags"] = _invalid(wrong)
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Minimum(_Comparison):
    """The lesser of two numbers. IEEE 754-2019 9.6: -0 is less than +0.

    Parameters
    ----------
    a : Float or Fixed
        Of operands and result.
    flags : bool
        Adds the result ``flags`` (:class:`Flag`): INVALID for a signalling NaN.
    number : bool
        Of a number and a NaN the result is the number (minimumNumber, RISC-V's fmin), else a NaN.
    """

    kind: ClassVar[str] = "minimum"
    greater: ClassVar[bool] = False

    flags: bool = False
    number: bool = False

    def __post_init__(self) -> None:
        _Comparison.__post_init__(self)
        check_boolean("flags", self.flags)
        check_boolean("number", self.number)
        if self.number and not (isinstance(self.a, Float) and self.a.has_nan):
            raise SpecError(f"number=true: {self.a.name} has no NaN")

    @property
    def ports(self) -> Ports:
        outputs = {"r": Operand(format=self.a)}
        if self.flags:
            outputs["flags"] = Operand(format=_FLAGS)
        return Ports(inputs=self._pair, outputs=outputs)

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        a, b = (_Side.of(chunk[name], self.a) for name in "ab")
        less = (a.rank < b.rank) | ((a.rank == b.rank) & a.negative & ~b.negative)
        result = np.where(less ^ self.greater, a.code, b.code)
        if isinstance(self.a, Float) and self.a.has_nan:
            nothing = a.nan | b.nan
            if self.number:
                nothing = a.nan & b.nan
                result = np.where(a.nan, b.code, np.where(b.nan, a.code, result))
            result = np.where(nothing, np.uint64(self.a.nan_code or 0), result)
        found = {"r": result.astype(self.a.code_dtype)}
        if self.flags:
            found["flags"] = _invalid(a.signalling | b.signalling)
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Maximum(Minimum):
    """The greater of two numbers. IEEE 754-2019 9.6: +0 is greater than -0.

    Parameters
    ----------
    a, flags, number
        As of :class:`Minimum`; maximumNumber is RISC-V's fmax.
    """

    kind: ClassVar[str] = "maximum"
    greater: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Classify(_Comparison):
    """The class of a float, one bit of ten: IEEE 754-2019 5.7.2, in the order of RISC-V's fclass.

    From bit 0: minus infinity, negative normal, negative subnormal, -0, +0, positive subnormal,
    positive normal, infinity, signalling NaN, quiet NaN.

    Parameters
    ----------
    a : Float
    """

    kind: ClassVar[str] = "classify"

    @classmethod
    def _takes(cls) -> tuple[type, ...]:
        return (Float,)

    @property
    def ports(self) -> Ports:
        out = Fixed(width=10, signed=False)
        return Ports(inputs={"a": Operand(format=self.a)}, outputs={"r": Operand(format=out)})

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        fmt = self.a
        assert isinstance(fmt, Float)
        side, values = _Side.of(chunk["a"], fmt), unpack(chunk["a"], fmt)
        magnitude = np.abs(side.rank) - (not fmt.zero)
        infinite = ~side.nan & (magnitude == (-1 if fmt.inf_code is None else fmt.inf_code))
        subnormal = (magnitude < 1 << fmt.mantissa) & (fmt.subnormals is Subnormals.GRADUAL)
        place = np.where(subnormal, 2, 1)
        place = np.where(values.significand == 0, 3, place)
        place = np.where(infinite, 0, place)
        place = np.where(side.negative, place, 7 - place)
        place = np.where(side.nan, 9 - side.signalling.astype(np.int64), place)
        return {"r": (np.int64(1) << place).astype(np.uint16)}


@dataclass(frozen=True, kw_only=True, slots=True)
class CopySign(_Comparison):
    """The magnitude of ``a`` with a sign from ``b``: RISC-V's sign injection, IEEE's copySign.

    Bits alone are moved, of NaNs too (IEEE 754-2019 5.5.1).

    Parameters
    ----------
    a : Float
        With a sign, and with a negative zero.
    operation : str
        ``copy`` the sign of b, ``negate`` it, or ``xor`` it with that of a.
    """

    kind: ClassVar[str] = "copy-sign"

    operation: str = "copy"

    def __post_init__(self) -> None:
        _Comparison.__post_init__(self)
        fmt = self.a
        assert isinstance(fmt, Float)
        if not fmt.signed or fmt.nan_for_negative_zero:
            raise SpecError(f"a={fmt.name}: must have a sign, of zero too")
        self._set("operation", str(self.operation).lower())
        if self.operation not in OPERATIONS:
            raise SpecError(f"operation={self.operation}: must be one of {', '.join(OPERATIONS)}")

    @classmethod
    def _takes(cls) -> tuple[type, ...]:
        return (Float,)

    @property
    def ports(self) -> Ports:
        return Ports(inputs=self._pair, outputs={"r": Operand(format=self.a)})

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        dtype = self.a.code_dtype
        top = np.uint64(1 << (self.a.width - 1))
        a, b = (chunk[name].astype(np.uint64) for name in "ab")
        sign = {"copy": b, "negate": ~b, "xor": a ^ b}[self.operation] & top
        return {"r": ((a & ~top) | sign).astype(dtype)}


def _words(spec: Unit) -> list[str]:
    return [word for word in ("number", "flags", "signaling") if getattr(spec, word, False)]


named(_Comparison, formats=alike("a"), words=_words)
named(CopySign, words=lambda spec: [] if spec.operation == "copy" else [spec.operation])
