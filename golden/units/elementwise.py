# SPDX-License-Identifier: BSD-2-Clause
"""Units with one result per element: products, sums, quotients, roots, conversions, rectifiers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

import numpy as np

from ..arithmetic.binary64.fused import fused
from ..arithmetic.binary64.host import Kernel, in_pieces, operation
from ..arithmetic.binary64.rounding import DIGITS, gradual
from ..arithmetic.binary64.sums import HostSum, Term
from ..arithmetic.codec import host_target, values_of
from ..arithmetic.exact import INF, NAN, Exact, kinds, unpack
from ..arithmetic.factors import Multiplying, multiplied
from ..arithmetic.operands import Operand
from ..arithmetic.projection import Direction, Split, check_tininess, resolve_nan
from ..arithmetic.quotients import divide, square_root
from ..arithmetic.sums import add_terms
from ..errors import SpecError
from ..formats.checks import check_boolean
from ..formats.choices import Flag, Nan, Rounding, Tininess
from ..formats.power_books import rounded
from ..formats.scalar import Fixed, Float, Format
from ..formats.texts import fraction
from .naming import named, product_words, rounding_words, word
from .specification import ROUNDING, UNSET, Ports, Unit
from .specification.counting import Counting


@dataclass(frozen=True, kw_only=True, slots=True)
class _Elementwise(Counting):
    """Units with one result per element, optional flags and selectable rounding."""

    flags: bool = False
    nan: Nan | None = None
    tininess: Tininess = Tininess.AFTER

    def _check_result(self) -> None:
        check_boolean("flags", self.flags)
        self._check_statistics()
        super(_Elementwise, self)._check_result()
        self._set("tininess", Tininess.parse(self.tininess, "tininess"))
        check_tininess(self._out, self.tininess, self.flags)
        self._set("nan", resolve_nan(self.nan, self._out))

    @property
    def parameters(self) -> dict[str, str | int | bool]:
        found = super(_Elementwise, self).parameters
        if not self.flags:
            del found["tininess"]
        return found

    @property
    def _factors(self) -> tuple[str, ...]:
        """Operands whose product joins :attr:`_addend`, if the unit is no more than that."""
        return ()

    @property
    def _addend(self) -> str | None:
        return None

    def _kernel(self) -> Kernel | None:
        """Return what host floats of the format of all decide in one operation, or a fused one."""
        host, names = _host_sum(self), [*self._factors, *([self._addend] if self._addend else [])]
        formats = {getattr(self, name) for name in (*names, "out")}
        usual = self.rounding is Rounding.RNE and self.overflow is None
        if host is None or not usual or len(names) < 2 or len(formats) > 1:
            return None
        if len(names) == 3:
            return fused(self._out)
        if self._addend is None:
            return operation(self._out, np.multiply)
        return operation(self._out, np.subtract if getattr(self, "subtract", False) else np.add)

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        plan = self.plan
        if "host" not in plan.found:
            plan.found["host"] = _host_sum(self)
        host = plan.found["host"]
        if host is None or not gradual():
            return self._by_integers(chunk)
        if plan.kernel is not None:
            return {"r": in_pieces(plan.kernel, self._out.code_dtype, *chunk.values())}
        with np.errstate(invalid="ignore", over="ignore", under="ignore"):
            factors = [values_of(chunk[name], getattr(self, name)) for name in self._factors]
            product = factors[0] if len(factors) == 1 else factors[0] * factors[1]
            addend = None
            if self._addend is not None:
                addend = values_of(chunk[self._addend], getattr(self, self._addend))
                if getattr(self, "subtract", False):
                    addend = -addend
            codes, left = host.evaluate(product, addend, Direction(self.rounding))
        if left is not None:
            rest = {name: array[left] for name, array in chunk.items()}
            codes[left] = self._by_integers(rest)["r"]
        return {"r": codes}

    def _by_integers(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return what integers decide."""
        direction = self._direction(chunk)
        return self._projected(self._exact(direction.down, **chunk), direction, self.overflow)


def _host_sum(spec: _Elementwise) -> HostSum | None:
    """Return how float64 does what a unit does; None if it cannot."""
    told = spec.flags or spec.statistics
    if not spec._factors or told or getattr(spec, "product", None) is not None:
        return None
    target = host_target(spec._out, spec.rounding, spec.overflow, spec.nan)
    if target is None:
        return None
    terms = [Term.of(getattr(spec, name)) for name in spec._factors]
    product = terms[0] if len(terms) == 1 else terms[0] * terms[1]
    addend = None if spec._addend is None else Term.of(getattr(spec, spec._addend))
    operands = [*terms, *([] if addend is None else [addend])]
    if target.whole and spec.rounding is Rounding.RNE:
        one = len(operands) <= 2 and all(term.bits <= DIGITS for term in operands)
        return HostSum.of_one_operation(target, addend is not None) if one else None
    return HostSum.of(product, addend, target, spec.rounding)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Product(_Elementwise, Multiplying):
    """Those that multiply two operands."""

    a: Format = UNSET
    b: Format = UNSET
    product: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _OfOne(_Elementwise):
    """Those of one operand."""

    a: Format = UNSET
    out: Format = UNSET

    @property
    def macs(self) -> int:
        return 0

    @property
    def ports(self) -> Ports:
        inputs = {"a": Operand(format=self.a)} | self._control()
        return Ports(inputs=inputs, outputs=self._results())


@dataclass(frozen=True, kw_only=True, slots=True)
class Mul(_Product):
    """Multiplication: ``r = round(a * b)``. IEEE 754-2019 5.4.1.

    Parameters
    ----------
    a, b, out : Format
        Operand formats and the result's; both default to ``a``.
    product : str, optional
        ``lmul`` or ``lmul(carry[,l])`` is the approximate product of L-Mul, with a carry of
        ``mitchell`` or ``literal``: see :class:`macaw.golden.arithmetic.factors.Product`.
    rounding : Rounding
    overflow : Overflow, optional
        None is IEEE's rule where ``out`` has infinities, and saturation elsewhere.
    flags : bool
        Adds the result ``flags`` (:class:`Flag`).
    tininess : Tininess
        When a result counts as tiny, for the flag of underflow.
    nan : Nan, optional
        What a NaN becomes in a format without one; None is the largest positive value.
    statistics : int
        Bits of counts of overflows and underflows of a tensor of floats, which are results with its
        largest magnitude; 0 is none. See :mod:`macaw.golden.arithmetic.running.statistics`.
    random_bits : int
        Width of the random word of stochastic rounding, 1 to 32.
    """

    kind: ClassVar[str] = "mul"

    out: Format = UNSET

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, b="a", out="a")
        self._settle_product()
        self._check_result()

    @property
    def ports(self) -> Ports:
        inputs = {"a": Operand(format=self.a), "b": Operand(format=self.b)}
        return Ports(inputs=inputs | self._control(), outputs=self._results())

    @property
    def _factors(self) -> tuple[str, ...]:
        return ("a", "b")

    def _exact(self, down: bool | np.ndarray, **codes: np.ndarray) -> Exact | Split:
        product = multiplied(self.multiplication, codes, self.a, self.b)
        return add_terms(product, None, self.out, down)


@dataclass(frozen=True, kw_only=True, slots=True)
class Add(_Elementwise):
    """Addition ``r = round(a + b)``, or ``round(a - b)`` if ``subtract``. IEEE 754-2019 5.4.1.

    Parameters
    ----------
    a, b, out : Format
        Operand formats and the result's; both default to ``a``.
    subtract : bool
    rounding, overflow, flags, tininess, nan, random_bits
        As of :class:`Mul`.
    """

    kind: ClassVar[str] = "add"

    a: Format = UNSET
    b: Format = UNSET
    out: Format = UNSET
    subtract: bool = False

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        check_boolean("subtract", self.subtract)
        self._formats(a=None, b="a", out="a")
        self._check_result()

    @property
    def macs(self) -> int:
        return 0

    @property
    def ports(self) -> Ports:
        inputs = {"a": Operand(format=self.a), "b": Operand(format=self.b)}
        return Ports(inputs=inputs | self._control(), outputs=self._results())

    @property
    def _factors(self) -> tuple[str, ...]:
        return ("a",)

    @property
    def _addend(self) -> str:
        return "b"

    def _exact(self, down: bool | np.ndarray, **codes: np.ndarray) -> Exact | Split:
        b = unpack(codes["b"], self.b)
        if self.subtract:
            b = b.negate()
        return add_terms([unpack(codes["a"], self.a)], b, self.out, down)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fma(_Product):
    """Fused multiply-add: ``r = round(a * b + c)``, rounded once. IEEE 754-2019 5.4.1.

    Parameters
    ----------
    a, b, c, out : Format
        Operand formats and the result's; ``b`` defaults to ``a``, ``c`` to ``out``.
    product, rounding, overflow, flags, tininess, nan, random_bits
        As of :class:`Mul`. Zero times infinity is invalid also if ``c`` is a NaN (RISC-V).
    """

    kind: ClassVar[str] = "fma"

    c: Format = UNSET
    out: Format = UNSET

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, b="a", out=None, c="out")
        self._settle_product()
        self._check_result()

    @property
    def ports(self) -> Ports:
        inputs = {name: Operand(format=getattr(self, name)) for name in "abc"}
        return Ports(inputs=inputs | self._control(), outputs=self._results())

    @property
    def _factors(self) -> tuple[str, ...]:
        return ("a", "b")

    @property
    def _addend(self) -> str:
        return "c"

    def _exact(self, down: bool | np.ndarray, **codes: np.ndarray) -> Exact | Split:
        product = multiplied(self.multiplication, codes, self.a, self.b)
        return add_terms(product, unpack(codes["c"], self.c), self.out, down)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cast(_OfOne):
    """Conversion: ``r = round(a)`` in another format. IEEE 754-2019 5.4.2, 5.8.

    Parameters
    ----------
    a, out : Format
    rounding, overflow, flags, tininess, nan, random_bits
        As of :class:`Mul`. A fixed-point result out of range is invalid, not overflow.
    """

    kind: ClassVar[str] = "cast"

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, out=None)
        self._check_result()

    @property
    def _factors(self) -> tuple[str, ...]:
        return ("a",)

    def _exact(self, down: bool | np.ndarray, **codes: np.ndarray) -> Exact | Split:
        return unpack(codes["a"], self.a)


@dataclass(frozen=True, kw_only=True, slots=True)
class Div(_Elementwise):
    """Division of floats: ``r = round(a / b)``. IEEE 754-2019 5.4.1.

    A finite number over zero is an infinity; zero over zero and infinity over infinity are NaN.

    Parameters
    ----------
    a, b, out : Float
        Operand formats and the result's; both default to ``a``.
    rounding, overflow, tininess, nan, random_bits
        As of :class:`Mul`.
    flags : bool
        Adds the result ``flags`` (:class:`Flag`), with DIVIDE_BY_ZERO.
    """

    kind: ClassVar[str] = "div"

    a: Float = UNSET
    b: Float = UNSET
    out: Float = UNSET

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, b="a", out="a")
        _check_floats(self, "a", "b", "out")
        self._check_result()

    @property
    def macs(self) -> int:
        return 0

    @property
    def multiplied(self) -> tuple[str, ...]:
        return ("a", "b")

    @property
    def ports(self) -> Ports:
        inputs = {"a": Operand(format=self.a), "b": Operand(format=self.b)}
        outputs = self._results()
        if self.flags:
            outputs["flags"] = Operand(format=Fixed(width=5, signed=False))
        return Ports(inputs=inputs | self._control(), outputs=outputs)

    def _by_integers(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        direction = self._direction(chunk)
        exact, pole = divide(unpack(chunk["a"], self.a), unpack(chunk["b"], self.b))
        poles = pole * np.uint8(Flag.DIVIDE_BY_ZERO)
        return self._projected(exact, direction, self.overflow, poles)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sqrt(_OfOne):
    """Square root of a float: ``r = round(sqrt(a))``. IEEE 754-2019 5.4.1.

    The root of -0 is -0, and that of any other negative number a NaN.

    Parameters
    ----------
    a, out : Float
        ``out`` defaults to ``a``.
    rounding, overflow, flags, tininess, nan, random_bits
        As of :class:`Mul`.
    """

    kind: ClassVar[str] = "sqrt"

    a: Float = UNSET
    out: Float = UNSET

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, out="a")
        _check_floats(self, "a", "out")
        self._check_result()

    def _exact(self, down: bool | np.ndarray, **codes: np.ndarray) -> Exact | Split:
        return square_root(unpack(codes["a"], self.a))


@dataclass(frozen=True, kw_only=True, slots=True)
class Relu(_OfOne):
    """Rectifier of a float, leaky or not: ``r = round(a)``, below zero ``round(slope * a)``.

    Without a slope it is maximum(a, +0) of IEEE 754-2019 9.6: of -0 and of minus infinity it is +0.
    With one, zeros and infinities keep their signs. A NaN stays one.

    Parameters
    ----------
    a, out : Float, Format
        ``out`` defaults to ``a``.
    slope : str
        0, or from 2**-64 to 1: a decimal or a fraction that is a whole number of at most 8 bits,
        shifted, as ``0.125`` or ``41/4096``.
    rounding, overflow, flags, tininess, nan, random_bits
        As of :class:`Mul`.
    """

    kind: ClassVar[str] = "relu"

    a: Float = UNSET
    slope: str = "0"

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, out="a")
        _check_floats(self, "a")
        slope = fraction(str(self.slope))
        if slope is None or not 0 <= slope <= 1:
            raise SpecError(f"slope={self.slope}: must be a number from 0 to 1, as 0.125 or 1/8")
        if slope and slope < _LEAST:
            raise SpecError(f"slope={self.slope}: must be 0, or from 2**-64 to 1")
        if slope.denominator & (slope.denominator - 1) or slope.numerator >> _SLOPE:
            near = rounded(slope, _SLOPE)
            raise SpecError(f"slope={self.slope}: must have at most {_SLOPE} bits, as {near}")
        self._set("slope", str(slope))
        self._check_result()

    @property
    def factor(self) -> tuple[int, int]:
        """The slope as (whole number, digits behind the point)."""
        slope = Fraction(self.slope)
        return slope.numerator, slope.denominator.bit_length() - 1

    def _exact(self, down: bool | np.ndarray, **codes: np.ndarray) -> Exact | Split:
        x = unpack(codes["a"], self.a)
        kind = kinds(x)
        below = x.negative & ((kind & NAN) == 0)
        number, digits = self.factor
        if not number:
            kind = np.where(below, kind & ~np.uint8(INF), kind)
            return replace(
                x,
                significand=np.where(below, np.uint64(0), x.significand),
                negative=x.negative & ~below,
                kind=kind if kind.any() else None,
            )
        return replace(
            x,
            significand=np.where(below, x.significand * np.uint64(number), x.significand),
            exponent=np.where(below, x.exponent - digits, x.exponent),
            low=x.low - digits,
            bits=x.bits + number.bit_length(),
        )


_SLOPE = 8
"""Bits of a slope: with those of fp64 a product has 61."""

_LEAST = Fraction(1, 1 << 64)
"""Slope that is not zero."""


def _check_floats(spec: Unit, *names: str) -> None:
    for name in names:
        fmt = getattr(spec, name)
        if not isinstance(fmt, Float):
            raise SpecError(f"{name}={fmt.name}: must be a float format")


_LAST = (*ROUNDING, "flags", "tininess", "nan", "statistics")


def _words(spec: _Elementwise) -> list[str]:
    words = rounding_words(spec)
    if spec.tininess is not Tininess.AFTER:
        words += [f"tiny_{spec.tininess}"]
    words += [] if spec.nan is None else [f"nan_{spec.nan}"]
    return words + word("stat", spec.statistics, 0)


named(_Elementwise, words=_words, last=_LAST)
named(_Product, words=lambda spec: product_words(spec) + _words(spec), last=("product", *_LAST))
named(
    Relu,
    words=lambda spec: (
        ([] if spec.slope == "0" else [f"slope{spec.slope.replace('/', '_')}"]) + _words(spec)
    ),
    last=_LAST,
)
named(Add, stem=lambda spec: "sub" if spec.subtract else "add")
