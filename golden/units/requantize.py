# SPDX-License-Identifier: BSD-2-Clause
"""Units that scale integers by dyadic numbers, and the clamp behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.dyadic import (
    BELOW_ONE,
    BITS,
    LARGEST_SHIFT,
    LEAST_SHIFT,
    Profile,
    branch_format,
    check_bits,
    check_out,
    left_shift,
    reciprocal,
    residual_profile,
    saturate,
    scale_products,
    scale_sum,
)
from ..arithmetic.integers import codes_of, integers_of, reach
from ..arithmetic.operands import Operand, Operands, rows
from ..arithmetic.streams import Stream
from ..errors import SpecError
from ..formats.checks import check_boolean, check_format, check_integer
from ..formats.scalar import Fixed
from .naming import alike, counted, identifier, named, signed, word
from .specification import Ports, Unit

SHIFT = Fixed(width=8)
"""Format of the operands that are shifts."""
FACTORS = {
    "separate": ("a_multiplier", "b_multiplier", "a_shift", "b_shift"),
    "single": ("a_multiplier", "b_multiplier", "shift"),
    "tflite": ("a_multiplier", "b_multiplier", "multiplier", "a_shift", "b_shift", "shift"),
}
"""Multipliers and shifts of the forms of a residual sum."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegerUnit(Unit):
    """Units of integers: what they round, they round by a profile."""

    dynamic: ClassVar[bool] = False
    rounds: ClassVar[bool] = False

    def _integer(self, name: str, most: int) -> Fixed:
        """Check the integer format of the parameter ``name``, of at most ``most`` bits."""
        fmt = check_format(name, getattr(self, name))
        if not isinstance(fmt, Fixed) or fmt.fraction or fmt.width > most:
            raise SpecError(f"{name}={fmt.name}: must be an integer format of at most {most} bits")
        self._set(name, fmt)
        return fmt


@dataclass(frozen=True, kw_only=True, slots=True)
class Scaled(IntegerUnit):
    """Units that scale by multipliers and shifts, each an operand or fixed."""

    profile: Profile = Profile.TFLITE_SINGLE
    bits: int = BITS

    def _check_scaling(self, *factors: str) -> None:
        """Check profile and bits, and what is fixed of the multipliers and shifts ``factors``."""
        self._set("profile", Profile.parse(self.profile, "profile"))
        check_bits(self.bits)
        self._set("out", check_out(getattr(self, "out")))  # noqa: B009
        for name in factors:
            if getattr(self, name) is not None:
                low, high = self._range(name)
                check_integer(name, getattr(self, name), low, high)

    def _range(self, name: str) -> tuple[int, int]:
        return (LEAST_SHIFT, LARGEST_SHIFT) if "shift" in name else (0, (1 << self.bits) - 1)

    def _scaling(self, *factors: str) -> dict[str, Operand]:
        """Those of the multipliers and shifts that are operands."""
        multiplier = Fixed(width=self.bits, signed=False)
        return {
            name: Operand(format=SHIFT if "shift" in name else multiplier)
            for name in factors
            if getattr(self, name) is None
        }

    def _factor(self, name: str, chunk: dict[str, np.ndarray]) -> np.ndarray:
        fixed = getattr(self, name)
        if fixed is not None:
            return np.int64(fixed)  # type: ignore[return-value]
        if "shift" in name:
            return integers_of(chunk[name], SHIFT)
        return chunk[name].astype(np.int64)

    def _results(self) -> dict[str, Operand]:
        return {"r": Operand(format=getattr(self, "out"))}  # noqa: B009


@dataclass(frozen=True, kw_only=True, slots=True)
class Requantize(Scaled):
    """Requantisation: ``r = saturate(round(x * multiplier * 2**(shift - bits)) + zero_point)``.

    The bits are those of :func:`macaw.golden.arithmetic.dyadic.requantize`. Multipliers of
    TensorFlow Lite and HAWQ lie in [2**30, 2**31), or are zero; shifts beyond -32 and 31 are taken
    as these.

    Parameters
    ----------
    x, out : Fixed
        Integer formats; together with the multiplier, x has at most 63 bits, and out at most 32.
    profile : Profile
        How the product is rounded.
    bits : int
        Width of the multiplier, 2 to 31.
    multiplier, shift : int, optional
        Fixed ones are no operands, and the gates shrink. ``shift`` is from -32 to 31.
    zero_point : bool
        Adds the operand ``zero_point``, of the format ``out``.
    """

    kind: ClassVar[str] = "requantize"

    x: Fixed = "int32"  # type: ignore[assignment]
    out: Fixed = "int8"  # type: ignore[assignment]
    multiplier: int | None = None
    shift: int | None = None
    zero_point: bool = False

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._check_scaling("multiplier", "shift")
        self._integer("x", 63 - self.bits - (not check_format("x", self.x).signed))
        check_boolean("zero_point", self.zero_point)

    @property
    def multiplied(self) -> tuple[str, ...]:
        return ("x", *(["multiplier"] if self.multiplier is None else []))

    @property
    def ports(self) -> Ports:
        zero = {"zero_point": Operand(format=self.out)} if self.zero_point else {}
        factors = self._scaling("multiplier", "shift")
        return Ports(inputs={"x": Operand(format=self.x)} | factors | zero, outputs=self._results())

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        product = integers_of(chunk["x"], self.x) * self._factor("multiplier", chunk)
        rounded = scale_products(product, self._factor("shift", chunk), self.profile, self.bits)
        zero = integers_of(chunk["zero_point"], self.out) if self.zero_point else 0
        return {"r": codes_of(saturate(rounded, self.out, zero), self.out)}


@dataclass(frozen=True, kw_only=True, slots=True)
class ResidualAdd(Scaled):
    """Sum of two branches of different scales, each with a multiplier and shift, saturated.

    ``separate``: ``r = saturate(A + B)`` of the branches ``A = saturate(round(a * Ma * 2**(sa -
    bits)), branch)`` and B, the same of b, as HAWQ-V3; a branch that its format holds is not
    changed by it. ``single``: ``r = saturate(round((a * Ma + b * Mb) * 2**(shift - bits)))``, with
    one shift. ``tflite``: ``r = saturate(round(sum * multiplier * 2**(shift - bits)))``, where
    ``sum`` is that of ``round(a * 2**left * Ma * 2**(sa - bits))`` and the same of b, with a left
    shift of 20, or 15 where ``out`` has more than 8 bits, as TensorFlow Lite's ADD; shifts beyond
    -31 and 0 are taken as these. Zero points are subtracted from a and b first, and added to the
    sum. The bits are those of :func:`macaw.golden.tensors.integer_layers.residual_add`.

    Parameters
    ----------
    a, b, out : Fixed
        Integer formats; ``b`` and ``out`` default to ``a``. Operands have at most 30 bits, or 62
        with the multiplier; of ``tflite`` at most 8, or 16 where ``out`` has more.
    form : "separate", "single" or "tflite"
    branch : Fixed, optional
        Of separate branches, which saturate to it: an integer format of at most 32 bits, by
        default signed, of twice the bits of ``out``.
    profile, bits
        As of :class:`Requantize`. By default the profile is ``tflite_single``; of ``tflite`` it is
        ``tflite_double``, or ``tflite_single``.
    a_multiplier, b_multiplier, a_shift, b_shift : int, optional
        Fixed ones are no operands. Shifts of ``tflite`` are -31 to 0.
    multiplier, shift : int, optional
        Of the sum, fixed: ``single`` has the shift, ``tflite`` both.
    zero_points : bool
        Adds the operands ``a_zero``, ``b_zero`` and ``zero_point``.
    """

    kind: ClassVar[str] = "residual-add"

    a: Fixed = "int8"  # type: ignore[assignment]
    b: Fixed = None  # type: ignore[assignment]
    out: Fixed = None  # type: ignore[assignment]
    form: str = "separate"
    branch: Fixed | None = None
    a_multiplier: int | None = None
    b_multiplier: int | None = None
    multiplier: int | None = None
    a_shift: int | None = None
    b_shift: int | None = None
    shift: int | None = None
    zero_points: bool = False
    profile: Profile = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, b="a", out="a")
        self._set("form", str(self.form).lower())
        self._set("out", check_out(self.out))
        self._set("profile", residual_profile(self.form, self.profile))
        for name in set(FACTORS["tflite"]) - set(self.factors):
            if getattr(self, name) is not None:
                raise SpecError(
                    f"{name}={getattr(self, name)}: form={self.form} has {', '.join(self.factors)}"
                )
        self._check_scaling(*self.factors)
        most = left_shift(self.out)[0] if self.form == "tflite" else min(30, 60 - self.bits)
        for name in "ab":
            self._integer(name, most)
        if self.form != "separate" and self.branch is not None:
            raise SpecError(f"branch={self.branch}: form={self.form} has no rounded branches")
        if self.form == "separate":
            if self.branch is not None:
                self._integer("branch", 32)
            self._set("branch", branch_format(self.out, self.branch))
        check_boolean("zero_points", self.zero_points)

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of the multipliers and shifts."""
        return FACTORS[self.form]

    @property
    def left_shift(self) -> int:
        """Of form tflite: that of the branches, by :data:`macaw.golden.arithmetic.dyadic.LEFT`."""
        return left_shift(self.out)[1]

    @property
    def macs(self) -> int:
        return 2

    @property
    def multiplied(self) -> tuple[str, ...]:
        return ("a", *(["a_multiplier"] if self.a_multiplier is None else []))

    def _range(self, name: str) -> tuple[int, int]:
        tflite = self.form == "tflite" and "shift" in name
        return BELOW_ONE if tflite else super(ResidualAdd, self)._range(name)

    @property
    def ports(self) -> Ports:
        inputs = {"a": Operand(format=self.a), "b": Operand(format=self.b)}
        inputs |= self._scaling(*self.factors)
        if self.zero_points:
            inputs |= {"a_zero": Operand(format=self.a), "b_zero": Operand(format=self.b)}
            inputs |= {"zero_point": Operand(format=self.out)}
        return Ports(inputs=inputs, outputs=self._results())

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        products, zero = [], 0
        for name, fmt in (("a", self.a), ("b", self.b)):
            value = integers_of(chunk[name], fmt)
            if self.zero_points:
                value = value - integers_of(chunk[f"{name}_zero"], fmt)
            products.append(value * self._factor(f"{name}_multiplier", chunk))
        if self.zero_points:
            zero = integers_of(chunk["zero_point"], self.out)
        if self.form == "single":
            shift = self._factor("shift", chunk)
            total = scale_products(products[0] + products[1], shift, self.profile, self.bits)
        elif self.form == "tflite":
            a_shift, b_shift, multiplier, shift = (
                self._factor(name, chunk) for name in ("a_shift", "b_shift", "multiplier", "shift")
            )
            total = scale_sum(
                products, (a_shift, b_shift), multiplier, shift,
                left=self.left_shift, profile=self.profile, bits=self.bits,
            )  # fmt: skip
        else:
            assert self.branch is not None
            total = np.zeros(len(products[0]), np.int64)
            for product, name in zip(products, ("a_shift", "b_shift"), strict=True):
                shift = self._factor(name, chunk)
                rounded = scale_products(product, shift, self.profile, self.bits)
                total += saturate(rounded, self.branch)
        return {"r": codes_of(saturate(total, self.out, zero), self.out)}


@dataclass(frozen=True, kw_only=True, slots=True)
class AveragePool(Scaled):
    """Mean over a stream of beats, until ``last``: ``r = saturate(round(sum(a) / n))``.

    The division is a multiplication by a dyadic reciprocal
    (:func:`macaw.golden.arithmetic.dyadic.reciprocal`), which ``half_away`` makes the rounded
    division of TensorFlow Lite. Each beat adds ``lanes`` values. The first axis of every array is
    the beat; multiplier and shift are those of the beat with ``last=1``.

    Parameters
    ----------
    a, out : Fixed
        Integer formats of at most 16 bits; ``out`` defaults to ``a``.
    lanes : int
        Values per beat, 1 to 4096. With one lane ``a`` is a scalar.
    terms : int
        Most values of a mean. CodeError for longer sequences.
    count : int, optional
        Fixes the reciprocal: that of ``count``. Otherwise it is two operands.
    profile, bits
        As of :class:`Requantize`.
    """

    kind: ClassVar[str] = "average-pool"
    accumulates: ClassVar[bool] = True

    a: Fixed = "int8"  # type: ignore[assignment]
    out: Fixed = None  # type: ignore[assignment]
    lanes: int = 1
    terms: int = 64
    count: int | None = None
    profile: Profile = Profile.HALF_AWAY

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, out="a")
        self._check_scaling()
        self._integer("a", 16)
        check_integer("lanes", self.lanes, 1, 4096)
        most = 1 << (60 - self.bits - self.a.width)
        check_integer("terms", self.terms, self.lanes, most)
        if self.count is not None:
            check_integer("count", self.count, 1, self.terms)

    @property
    def multiplier(self) -> int | None:
        """The multiplier, if it is fixed."""
        return None if self.count is None else reciprocal(self.count, bits=self.bits).multiplier

    @property
    def shift(self) -> int | None:
        """The shift, if it is fixed."""
        return None if self.count is None else reciprocal(self.count, bits=self.bits).shift

    @property
    def macs(self) -> int:
        return 0

    @property
    def multiplied(self) -> tuple[str, ...]:
        return ("a",)

    @property
    def ports(self) -> Ports:
        inputs = {"a": Operand(format=self.a, lanes=None if self.lanes == 1 else self.lanes)}
        inputs |= self._scaling("multiplier", "shift")
        last = {"last": Operand(format=Fixed(width=1, signed=False))}
        return Ports(inputs=inputs | last, outputs=self._results())

    def evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        """Like :meth:`Unit.evaluate`; ``r`` has one element per beat with ``last=1``."""
        operands = Operands.of(self.ports.inputs, codes, self.kind)
        operands.check_one_axis(self.kind, "the beats must be the only axis")
        stream = Stream.of(operands)
        stream.check(self.lanes, self.terms, self.kind)
        values = rows(integers_of(stream.arrays["a"], self.a))
        return {"r": self._means(sums(values.sum(axis=1), stream), stream.take(stream.ends))}

    def _means(self, total: np.ndarray, ends: dict[str, np.ndarray]) -> np.ndarray:
        product = total * self._factor("multiplier", ends)
        rounded = scale_products(product, self._factor("shift", ends), self.profile, self.bits)
        return codes_of(saturate(rounded, self.out), self.out)


@dataclass(frozen=True, kw_only=True, slots=True)
class Clamp(IntegerUnit):
    """Limits: ``r = min(max(a, low), high)``; a rectifier where ``low`` is the zero point.

    Parameters
    ----------
    a, out : Fixed
        Integer formats of at most 32 bits; ``out`` defaults to ``a``, and has to hold the limits.
    low, high : int, optional
        Fixed limits are no operands. Where the lower one is above, the result is ``high``.
    """

    kind: ClassVar[str] = "clamp"

    a: Fixed = "int8"  # type: ignore[assignment]
    out: Fixed = None  # type: ignore[assignment]
    low: int | None = None
    high: int | None = None

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, out="a")
        for name in ("a", "out"):
            self._integer(name, 32)
        for name in ("low", "high"):
            if getattr(self, name) is not None:
                check_integer(name, getattr(self, name), *reach(self.out))

    @property
    def macs(self) -> int:
        return 0

    @property
    def multiplied(self) -> tuple[str, ...]:
        return ("a",)

    @property
    def ports(self) -> Ports:
        limits = {
            name: Operand(format=self.out)
            for name in ("low", "high")
            if getattr(self, name) is None
        }
        outputs = {"r": Operand(format=self.out)}
        return Ports(inputs={"a": Operand(format=self.a)} | limits, outputs=outputs)

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        low, high = (
            integers_of(chunk[name], self.out) if fixed is None else fixed
            for name, fixed in (("low", self.low), ("high", self.high))
        )
        value = np.minimum(np.maximum(integers_of(chunk["a"], self.a), low), high)
        return {"r": codes_of(value, self.out)}


def sums(values: np.ndarray, stream: Stream) -> np.ndarray:
    """Return the sums of int64 ``values``, one per beat, over each sequence of a stream."""
    if not stream.ends.size:
        return np.zeros(0, np.int64)
    return np.add.reduceat(values, stream.starts)


def _scaling_words(spec: Scaled, usual: Profile, *factors: str) -> list[str]:
    words = word("", spec.profile.value, usual.value)
    words += [f"m{spec.bits}bits"] if spec.bits != BITS else []
    for name in factors:
        if getattr(spec, name) is not None:
            letters = "".join(part[0] for part in name.split("_"))
            words.append(f"{letters}{signed(getattr(spec, name))}")
    return words


def _requantize_words(spec: Requantize) -> list[str]:
    words = _scaling_words(spec, Profile.TFLITE_SINGLE, "multiplier", "shift")
    return words + ["zp"] * spec.zero_point


def _residual_words(spec: ResidualAdd) -> list[str]:
    words = word("", spec.form, "separate")
    if spec.branch not in (None, branch_format(spec.out)):
        words.append(identifier(spec.branch))
    words += _scaling_words(spec, residual_profile(spec.form, None), *spec.factors)
    return words + ["zp"] * spec.zero_points


def _pool_words(spec: AveragePool) -> list[str]:
    words = word("t", spec.terms, 64) + _scaling_words(spec, Profile.HALF_AWAY)
    return words + word("n", spec.count, None)


def _clamp_words(spec: Clamp) -> list[str]:
    limits = (("low", spec.low), ("high", spec.high))
    return [f"{name}{signed(value)}" for name, value in limits if value is not None]


named(Scaled, last=("profile", "bits"))
named(Requantize, formats=alike("x", "out"), words=_requantize_words)
named(ResidualAdd, formats=alike("a", "b", "out"), words=_residual_words)
named(AveragePool, stem=counted("lanes", but=1), formats=alike("a", "out"), words=_pool_words)
named(Clamp, formats=alike("a", "out"), words=_clamp_words)
