# SPDX-License-Identifier: BSD-2-Clause
"""Units of integer-only functions of a number: square root, power of two, GELU."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.exact import Exact
from ..arithmetic.exp2 import MOST_BITS, Exp2, LogarithmOfE
from ..arithmetic.functions import Gelu, isqrt, rational
from ..arithmetic.integers import codes_of, integers_of, reach
from ..arithmetic.operands import Operand
from ..errors import SpecError
from ..formats.checks import check_format, check_integer
from ..formats.choices import Rounding
from ..formats.scalar import Fixed, Float, Format
from .naming import alike, identifier, named, rounding_words, word
from .specification import UNSET, Ports, Unit


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegerFunction(Unit):
    """Units of one operand, a fixed-point number or a row of them."""

    dynamic: ClassVar[bool] = False
    rounds: ClassVar[bool] = False

    def _operand(self, signed: bool | None = None) -> Fixed:
        """Check the parameter ``x``; SpecError unless it is fixed point (and signed, or not)."""
        self._formats(x=None)
        fmt = getattr(self, "x")  # noqa: B009
        wanted = {None: "fixed point", True: "signed fixed point", False: "unsigned fixed point"}
        if not isinstance(fmt, Fixed) or signed not in (None, fmt.signed):
            raise SpecError(f"x={fmt.name}: must be {wanted[signed]}")
        return fmt

    @property
    def macs(self) -> int:
        return 0

    @property
    def multiplied(self) -> tuple[str, ...]:
        return ("x",)


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegerSquareRoot(IntegerFunction):
    """Integer square root: ``r = floor(sqrt(x))``.

    Parameters
    ----------
    x : Fixed
        Unsigned, with an even number of fraction bits; the root has half of its bits.
    """

    kind: ClassVar[str] = "isqrt"

    x: Fixed = UNSET

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        fmt = self._operand(signed=False)
        if fmt.fraction % 2:
            raise SpecError(f"x={fmt.name}: must have an even number of fraction bits")

    @property
    def _out(self) -> Fixed:
        width = (self.x.width + 1) // 2
        return Fixed(width=width, fraction=self.x.fraction // 2, signed=False)

    @property
    def ports(self) -> Ports:
        return Ports(inputs={"x": Operand(format=self.x)}, outputs={"r": Operand(format=self._out)})

    @property
    def samples(self) -> dict[str, np.ndarray]:
        """Integers: squares of small roots, of large ones, and of some between."""
        top = (1 << self._out.width) - 1
        roots = np.unique(np.linspace(0, top, 400).astype(np.uint64))
        squares = roots * roots
        return {"x": squares[squares <= self.x.max_integer]}

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {"r": codes_of(isqrt(chunk["x"]), self._out)}


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegerExp2(IntegerFunction):
    """Power of two of a fixed-point number: a significand and an exponent, or rounded to ``out``.

    Without ``out`` the results are ``r``, the significand m from 1 up to 2, and the integer
    ``exponent`` n; the power is near ``m * 2**n``, with an error of less than a last place of m
    (measured: 0.75; with ``base=e``: 0.85). With ``out`` that number is rounded to it once more.
    The bits are those of :class:`macaw.golden.arithmetic.exp2.Exp2`.

    Parameters
    ----------
    x : Fixed
        At most 32 bits.
    out : Format, optional
    precision : int
        Fraction bits of the significand, 4 to 24; by default those of a float ``out``, else 15.
    base : str
        ``2``, or ``e``: x is then multiplied by log2(e) first.
    rounding, overflow, random_bits
        Of the rounding to ``out``; without one there is no choice.
    """

    kind: ClassVar[str] = "int-exp2"
    rounds: ClassVar[bool] = True

    x: Fixed = UNSET
    out: Format | None = None
    precision: int | None = None
    base: str = "2"

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        fmt = self._operand()
        if fmt.width > 32 or fmt.fraction > 32:
            raise SpecError(f"x={fmt.name}: must have at most 32 bits")
        self._set("base", str(self.base).lower())
        if self.base not in ("2", "e"):
            raise SpecError(f"base={self.base}: must be one of 2, e")
        if self.out is not None:
            self._set("out", check_format("out", self.out))
        if self.precision is None:
            self._set("precision", self._usual_precision)
        check_integer("precision", self.precision, 4, 24)
        logarithm, ends = self.logarithm, reach(fmt)
        if logarithm is not None and max(map(abs, ends)) > logarithm.most:
            raise SpecError(
                f"x={fmt.name}: base=e with precision={self.precision} holds magnitudes up to "
                f"{logarithm.most} last places: give fewer bits above the point, or less precision"
            )
        if self.out is not None:
            self._check_result()
        elif self.rounding is not Rounding.RNE or self.overflow is not None:
            raise SpecError(f"rounding={self.rounding}: without out there is nothing to round")

    @property
    def _usual_precision(self) -> int:
        return min(max(self.out.mantissa, 4), 24) if isinstance(self.out, Float) else 15

    @property
    def logarithm(self) -> LogarithmOfE | None:
        """What x is multiplied by first, with ``base=e``."""
        assert self.precision is not None
        if self.base == "2":
            return None
        integer = max(self.x.width - self.x.fraction - self.x.signed, 0)
        return LogarithmOfE(fraction=self.x.fraction, integer=integer, precision=self.precision)

    @property
    def power(self) -> Exp2:
        """The power of two that is then taken."""
        assert self.precision is not None
        fraction = self.x.fraction if self.base == "2" else self.precision + 4
        return Exp2(fraction=fraction, precision=self.precision)

    @property
    def exponents(self) -> tuple[int, int]:
        """Least and largest exponent."""
        ends = np.array(reach(self.x))
        low, high = self._power(ends)[1].tolist()
        return low, high

    def _power(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logarithm = self.logarithm
        return self.power(x if logarithm is None else logarithm(x))

    @property
    def _significand(self) -> Fixed:
        assert self.precision is not None
        return Fixed(width=self.precision + 1, fraction=self.precision, signed=False)

    @property
    def _exponent(self) -> Fixed:
        low, high = self.exponents
        return Fixed(width=max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0) + 1)

    @property
    def _out(self) -> Format:
        return self._significand if self.out is None else self.out

    @property
    def ports(self) -> Ports:
        inputs = {"x": Operand(format=self.x)}
        if self.out is not None:
            return Ports(inputs=inputs | self._control(), outputs=self._results())
        outputs = self._results() | {"exponent": Operand(format=self._exponent)}
        return Ports(inputs=inputs, outputs=outputs)

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        if self.out is not None:
            return Unit._compute(self, chunk)
        significand, exponent = self._power(integers_of(chunk["x"], self.x))
        return {
            "r": codes_of(significand, self._significand),
            "exponent": codes_of(exponent, self._exponent),
        }

    def _exact(self, down: bool | np.ndarray, **codes: np.ndarray) -> Exact:
        assert self.precision is not None
        significand, exponent = self._power(integers_of(codes["x"], self.x))
        low, high = self.exponents
        return Exact(
            significand=significand.astype(np.uint64),
            exponent=exponent - self.precision,
            negative=np.zeros(significand.shape, bool),
            low=low - self.precision,
            high=high + 1,
            bits=self.precision + 1,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ScaledFunction(IntegerFunction):
    """Functions of an operand whose last place is worth a ``scale``."""

    def _check_scale(self) -> None:
        fmt: Fixed = getattr(self, "x")  # noqa: B009
        value = getattr(self, "scale")  # noqa: B009
        if value is None:
            if not fmt.fraction:
                raise SpecError(f"{self.kind}: parameter scale is missing; {fmt.name} has none")
            value = Fraction(1, 1 << fmt.fraction)
        self._set("scale", spell(rational("scale", value)))

    @property
    def _step(self) -> Fraction:
        return Fraction(getattr(self, "scale"))  # noqa: B009


def spell(scale: Fraction) -> str:
    """The scale as a decimal where that is exact and not longer than a fraction."""
    decimal, fraction = repr(float(scale)), str(scale)
    short = "e" not in decimal and Fraction(decimal) == scale and len(decimal) <= len(fraction)
    return decimal if short else fraction


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegerGelu(ScaledFunction):
    """I-BERT's GELU in integers: ``r * result_scale`` is near ``gelu(x * scale)``.

    The steps are those of :class:`macaw.golden.arithmetic.functions.Gelu`. The result keeps all of
    its bits; a ``requantize`` with the multiplier ``result_scale / s`` brings it to the scale s.

    Parameters
    ----------
    x : Fixed
        Signed.
    scale : str
        Value of a last place of x: a decimal or a fraction as ``1/20``, from 2^-26 to 1; by
        default that of the format, if it has fraction bits.
    shift : int, optional
        Bits that the error function leaves out, 0 to 14; by default it keeps 12.
    """

    kind: ClassVar[str] = "int-gelu"

    x: Fixed = UNSET
    scale: str = UNSET
    shift: int | None = None

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        fmt = self._operand(signed=True)
        self._check_scale()
        self._set("shift", Gelu.of(self._step, self.shift).shift)
        bits = self.constants.largest(1 << (fmt.width - 1)).bit_length()
        if bits > MOST_BITS:
            raise SpecError(
                f"scale={self.scale}: the result needs {bits} bits, at most {MOST_BITS}"
            )

    @property
    def constants(self) -> Gelu:
        """The constants that follow from the scale."""
        return Gelu.of(self._step, self.shift)

    @property
    def result_scale(self) -> float:
        """Value of a last place of the result."""
        return float(self.constants.result_scale)

    @property
    def _out(self) -> Fixed:
        return Fixed(width=self.constants.largest(1 << (self.x.width - 1)).bit_length() + 1)

    @property
    def ports(self) -> Ports:
        return Ports(inputs={"x": Operand(format=self.x)}, outputs={"r": Operand(format=self._out)})

    @property
    def samples(self) -> dict[str, np.ndarray]:
        """Integers: zero and the ends of the polynomial."""
        bound = self.constants.bound
        return {"x": np.array([n for n in (-bound, 0, bound) if abs(n) <= self.x.max_integer])}

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {"r": codes_of(self.constants(integers_of(chunk["x"], self.x)), self._out)}


def _exp2_words(spec: IntegerExp2) -> list[str]:
    words = [] if spec.base == "2" else ["e"]
    if spec.out is None or spec.precision != spec._usual_precision:
        words.append(f"p{spec.precision}")
    return words + (rounding_words(spec) if spec.out is not None else [])


def scale_words(spec: Any) -> list[str]:
    """Return the word of a name for a scale that is not the format's."""
    if Fraction(spec.scale) == Fraction(1, 1 << spec.x.fraction):
        return []
    return [scale_word("s", spec.scale)]


def scale_word(letters: str, value: str) -> str:
    """Return the word of a name for a decimal or a fraction."""
    return letters + value.replace(".", "p").replace("/", "_")


def _gelu_words(spec: IntegerGelu) -> list[str]:
    return scale_words(spec) + word("shift", spec.shift, Gelu.of(spec._step).shift)


named(IntegerFunction, formats=alike("x"))
named(
    IntegerExp2,
    formats=lambda spec: [identifier(fmt) for fmt in (spec.x, spec.out) if fmt is not None],
    words=_exp2_words,
)
named(ScaledFunction, words=scale_words)
named(IntegerGelu, words=_gelu_words)
