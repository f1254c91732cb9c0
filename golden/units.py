# SPDX-License-Identifier: BSD-2-Clause
"""Unit specifications: what a datapath computes, bit for bit.

A unit is a validated value. It names its operands and results (``ports``) and computes them
(``evaluate``); how gates do it is :mod:`macaw.hdl`'s matter.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from .errors import SpecError
from .formats import Fixed, Float, Format
from .formats import format as format_of
from .rounding import Overflow, Rounding

_UNSET: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Operand:
    """An operand or result: its format, and its number of lanes (the last axis of its arrays).

    ``lanes=None`` is a scalar: an array of any shape, one element per operation.
    """

    format: Format
    lanes: int | None = None

    @property
    def width(self) -> int:
        """Bits of all lanes."""
        return self.format.width * (self.lanes or 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """Operands that a unit takes and results that it gives, by name, in order."""

    inputs: dict[str, Operand]
    outputs: dict[str, Operand]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """Base of every unit specification.

    Attributes
    ----------
    kind : str
        Name in :data:`UNITS`.
    accumulates : bool
        True if the first axis of every array is time and a result belongs to several beats.
    dynamic : bool
        True if ``rounding=dynamic`` and ``flags`` are offered.
    """

    kind: ClassVar[str]
    accumulates: ClassVar[bool] = False
    dynamic: ClassVar[bool] = True

    rounding: Rounding = Rounding.RNE
    overflow: Overflow | None = None
    random_bits: int = 16

    def __post_init__(self) -> None:
        self._set("rounding", Rounding.parse(self.rounding, "rounding"))
        if isinstance(self.overflow, str):
            known = self.overflow.lower() != "default"
            self._set("overflow", Overflow.parse(self.overflow, "overflow") if known else None)
        if self.rounding is Rounding.DYNAMIC and not self.dynamic:
            raise SpecError(f"rounding=dynamic: {self.kind} takes one fixed direction")
        _integer("random_bits", self.random_bits, 1, 32)
        if self.rounding is not Rounding.SR:
            self._set("random_bits", 16)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _formats(self, **defaults: str | None) -> None:
        for name, default in defaults.items():
            value = getattr(self, name)
            if value is None and default is not None:
                value = getattr(self, default)
            if value is None:
                raise SpecError(f"{self.kind}: parameter {name} is missing")
            self._set(name, _format(name, value))

    @property
    def ports(self) -> Ports:
        """Operands and results with their formats."""
        raise NotImplementedError

    @property
    def macs(self) -> int:
        """Multiply-accumulates per operation; 0 for units that do not multiply."""
        return 1

    @property
    def parameters(self) -> dict[str, str | int | bool]:
        """JSON-able parameters: ``unit(self.kind, **self.parameters) == self``."""
        result: dict[str, str | int | bool] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "random_bits" and self.rounding is not Rounding.SR:
                continue
            if isinstance(value, Float | Fixed):
                result[item.name] = value.name
            elif isinstance(value, Rounding | Overflow):
                result[item.name] = value.value
            elif value is not None:
                result[item.name] = value
        order = [*self._order(), *result]
        return {name: result[name] for name in dict.fromkeys(order) if name in result}

    def _order(self) -> tuple[str, ...]:
        """Parameters that come first in listings and names."""
        own = [f.name for f in fields(self)]
        return tuple(own[len(fields(Unit)) :])

    @property
    def name(self) -> str:
        """Name of the module: kind, formats (trailing equal ones left out), then options."""
        return "_".join([self._stem(), *self._format_names(), *self._suffixes()])

    def _stem(self) -> str:
        return self.kind

    def _format_names(self) -> list[str]:
        names = [_identifier(getattr(self, n)) for n in ("a", "b", "c", "out") if hasattr(self, n)]
        if len(set(names)) == 1:
            return names[:1]
        if len(names) == 4:
            if names[2] == names[3]:
                names.pop(2)
            else:
                return names
        return names[:1] + names[2:] if len(names) == 3 and names[0] == names[1] else names

    def _suffixes(self) -> list[str]:
        result = []
        if self.rounding is Rounding.SR:
            result.append("sr" if self.random_bits == 16 else f"sr{self.random_bits}")
        elif self.rounding is not Rounding.RNE:
            result.append(self.rounding.value)
        if self.overflow is not None and self.overflow is not self._default_overflow:
            result.append(self.overflow.value)
        if getattr(self, "flags", False):
            result.append("flags")
        return result

    @property
    def _default_overflow(self) -> Overflow | None:
        return resolve_overflow(None, self._out)

    @property
    def _out(self) -> Format:
        return getattr(self, "out")  # noqa: B009

    def _control(self) -> dict[str, Operand]:
        if self.rounding is Rounding.SR:
            return {"random": Operand(format=Fixed(width=self.random_bits, signed=False))}
        if self.rounding is Rounding.DYNAMIC:
            return {"rm": Operand(format=Fixed(width=3, signed=False))}
        return {}

    def _results(self) -> dict[str, Operand]:
        outputs = {"r": Operand(format=self._out)}
        if getattr(self, "flags", False):
            outputs["flags"] = Operand(format=Fixed(width=4, signed=False))
        return outputs

    def evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        """Compute the results for arrays of operand codes.

        Parameters
        ----------
        **codes : array_like of unsigned integers
            One per input port. They broadcast like numpy; lanes are the last axis.

        Returns
        -------
        dict of ndarray
            One per output port, codes in the smallest unsigned dtype that holds the format.

        Raises
        ------
        CodeError for missing, surplus, empty or badly typed arrays and codes out of range.
        """
        from .evaluate import evaluate

        return evaluate(self, codes)


def _identifier(fmt: Format) -> str:
    return fmt.name.replace(".", "p")


def _format(name: str, value: Any) -> Format:
    try:
        return format_of(value)
    except ValueError as error:
        raise SpecError(f"{name}={value!s}: {error}") from None


def _integer(name: str, value: Any, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise SpecError(f"{name}={value!s}: must be an integer from {low} to {high}")


def _boolean(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise SpecError(f"{name}={value!s}: must be true or false")


def resolve_overflow(overflow: Overflow | None, fmt: Format) -> Overflow | None:
    """Return the policy that holds for results in ``fmt``; None is IEEE's rule.

    SpecError for ``wrap`` to a float, and ``nonfinite`` to a format of finite values only.
    """
    if overflow is None:
        return None if fmt.has_inf else Overflow.SATURATE
    if overflow is Overflow.WRAP and not isinstance(fmt, Fixed):
        raise SpecError(f"overflow=wrap: only fixed point wraps, not {fmt.name}")
    if overflow is Overflow.NONFINITE and not (fmt.has_inf or fmt.has_nan):
        raise SpecError(f"overflow=nonfinite: {fmt.name} has neither infinity nor NaN")
    return overflow


@dataclass(frozen=True, kw_only=True, slots=True)
class _Elementwise(Unit):
    """Units with one result per element, optional flags and selectable rounding."""

    flags: bool = False

    def _order(self) -> tuple[str, ...]:
        return tuple(f.name for f in fields(self))[len(fields(_Elementwise)) :]


@dataclass(frozen=True, kw_only=True, slots=True)
class Mul(_Elementwise):
    """Multiplication: ``r = round(a * b)``. IEEE 754-2019 5.4.1.

    Parameters
    ----------
    a, b, out : Format
        Operand formats and the result's; both default to ``a``.
    rounding : Rounding
    overflow : Overflow, optional
        None is IEEE's rule where ``out`` has infinities, and saturation elsewhere.
    flags : bool
        Adds the result ``flags`` (:class:`Flag`).
    random_bits : int
        Width of the random word of ``rounding=sr``, 1 to 32.
    """

    kind: ClassVar[str] = "mul"

    a: Format = _UNSET
    b: Format = _UNSET
    out: Format = _UNSET

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        _boolean("flags", self.flags)
        self._formats(a=None, b="a", out="a")
        self._set("overflow", resolve_overflow(self.overflow, self.out))

    @property
    def ports(self) -> Ports:
        """Operands and results with their formats."""
        inputs = {"a": Operand(format=self.a), "b": Operand(format=self.b)}
        return Ports(inputs=inputs | self._control(), outputs=self._results())


@dataclass(frozen=True, kw_only=True, slots=True)
class Add(_Elementwise):
    """Addition ``r = round(a + b)``, or ``round(a - b)`` if ``subtract``. IEEE 754-2019 5.4.1.

    Parameters
    ----------
    a, b, out : Format
        Operand formats and the result's; both default to ``a``.
    subtract : bool
    rounding, overflow, flags, random_bits
        As of :class:`Mul`.
    """

    kind: ClassVar[str] = "add"

    a: Format = _UNSET
    b: Format = _UNSET
    out: Format = _UNSET
    subtract: bool = False

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        _boolean("flags", self.flags)
        _boolean("subtract", self.subtract)
        self._formats(a=None, b="a", out="a")
        self._set("overflow", resolve_overflow(self.overflow, self.out))

    @property
    def macs(self) -> int:
        """Multiply-accumulates per operation."""
        return 0

    def _stem(self) -> str:
        return "sub" if self.subtract else "add"

    @property
    def ports(self) -> Ports:
        """Operands and results with their formats."""
        inputs = {"a": Operand(format=self.a), "b": Operand(format=self.b)}
        return Ports(inputs=inputs | self._control(), outputs=self._results())


@dataclass(frozen=True, kw_only=True, slots=True)
class Fma(_Elementwise):
    """Fused multiply-add: ``r = round(a * b + c)``, rounded once. IEEE 754-2019 5.4.1.

    Parameters
    ----------
    a, b, c, out : Format
        Operand formats and the result's; ``b`` defaults to ``a``, ``c`` to ``out``.
    rounding, overflow, flags, random_bits
        As of :class:`Mul`. Zero times infinity is invalid also if ``c`` is a NaN (RISC-V).
    """

    kind: ClassVar[str] = "fma"

    a: Format = _UNSET
    b: Format = _UNSET
    c: Format = _UNSET
    out: Format = _UNSET

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        _boolean("flags", self.flags)
        self._formats(a=None, b="a", out=None, c="out")
        self._set("overflow", resolve_overflow(self.overflow, self.out))

    @property
    def ports(self) -> Ports:
        """Operands and results with their formats."""
        inputs = {name: Operand(format=getattr(self, name)) for name in "abc"}
        return Ports(inputs=inputs | self._control(), outputs=self._results())


@dataclass(frozen=True, kw_only=True, slots=True)
class Cast(_Elementwise):
    """Conversion: ``r = round(a)`` in another format. IEEE 754-2019 5.4.2, 5.8.

    Parameters
    ----------
    a, out : Format
    rounding, overflow, flags, random_bits
        As of :class:`Mul`. A fixed-point result out of range is invalid, not overflow.
    """

    kind: ClassVar[str] = "cast"

    a: Format = _UNSET
    out: Format = _UNSET

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        _boolean("flags", self.flags)
        self._formats(a=None, out=None)
        self._set("overflow", resolve_overflow(self.overflow, self.out))

    @property
    def macs(self) -> int:
        """Multiply-accumulates per operation."""
        return 0

    @property
    def ports(self) -> Ports:
        """Operands and results with their formats."""
        inputs = {"a": Operand(format=self.a)} | self._control()
        return Ports(inputs=inputs, outputs=self._results())


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

    a: Format = _UNSET
    b: Format = _UNSET
    c: Format = _UNSET
    out: Format = _UNSET
    lanes: int = 4
    accumulation: str = "exact"

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, b="a", out=None, c="out")
        _integer("lanes", self.lanes, 1, _LANES)
        self._set("accumulation", str(self.accumulation).lower().replace(" ", ""))
        match = _ALIGNED.fullmatch(self.accumulation)
        if self.accumulation != "exact" and not (match and 4 <= int(match[1]) <= 256):
            raise SpecError(
                f"accumulation={self.accumulation}: must be exact or aligned(F), F from 4 to 256"
            )
        self._set("overflow", resolve_overflow(self.overflow, self.out))

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
    rounding, overflow, random_bits
        As of :class:`Mul`. They hold for each step and for the read-out, which takes the random
        word of the last beat; see :attr:`acc_overflow` and :attr:`out_overflow`.
    """

    kind: ClassVar[str] = "mac"
    accumulates: ClassVar[bool] = True
    dynamic: ClassVar[bool] = False

    a: Format = _UNSET
    b: Format = _UNSET
    out: Format = _UNSET
    lanes: int = 1
    acc: str | Format = "exact"
    terms: int = 1024

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, b="a", out=None)
        _integer("lanes", self.lanes, 1, _LANES)
        _integer("terms", self.terms, 1, 1 << 30)
        if self.terms < self.lanes:
            raise SpecError(f"terms={self.terms}: must be at least lanes={self.lanes}")
        if isinstance(self.acc, str) and self.acc.lower() == "exact":
            self._set("acc", "exact")
            self._set("overflow", resolve_overflow(self.overflow, self.out))
            return
        acc = _format("acc", self.acc)
        self._set("acc", acc)
        resolve_overflow(self.overflow, acc)

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
        acc = [] if isinstance(self.acc, str) else [f"acc{_identifier(self.acc)}"]
        terms = [] if self.terms == 1024 else [f"t{self.terms}"]
        return acc + terms + Unit._suffixes(self)

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


UNITS: dict[str, type[Unit]] = {cls.kind: cls for cls in (Mul, Add, Fma, Cast, Dot, Mac)}
"""Every kind of unit by name."""


def unit(kind: str, **parameters: Any) -> Unit:
    """Return the unit ``kind`` with ``parameters``: values, or strings as the command line has.

    SpecError for an unknown kind or parameter, and for a value that the parameter does not take.
    """
    if kind not in UNITS:
        raise SpecError(f"unknown unit {kind!r}: must be one of {', '.join(UNITS)}")
    cls = UNITS[kind]
    known = {f.name: f for f in fields(cls) if f.init}
    values = {}
    for name, value in parameters.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(known)}"
            raise SpecError(f"{kind} has no parameter {name!r}: {hint}")
        values[name] = _parse(name, value, known[name].default)
    return cls(**values)


def _parse(name: str, value: Any, default: Any) -> Any:
    if not isinstance(value, str):
        return value
    if isinstance(default, bool):
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        return words.get(value.lower(), value)
    if isinstance(default, int):
        return int(value) if re.fullmatch(r"-?\d+", value) else value
    return value
