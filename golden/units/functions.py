# SPDX-License-Identifier: BSD-2-Clause
"""Units of integer-only functions: square root, power of two, GELU, and of a row in one beat."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.exact import Exact
from ..arithmetic.exp2 import MOST_BITS, Exp2, LogarithmOfE
from ..arithmetic.functions import (
    Exponential,
    Gelu,
    Probability,
    check_layer_norm,
    check_softmax,
    isqrt,
    layer_norm,
    least_shift,
    rational,
    softmax,
)
from ..arithmetic.integers import codes_of, integers_of, reach
from ..arithmetic.operands import Operand
from ..errors import SpecError
from ..formats.checks import check_format, check_integer
from ..formats.choices import Rounding
from ..formats.scalar import FORMATS, Fixed, Float, Format
from .conversions import LARGEST_BLOCK
from .naming import alike, counted, identifier, named, rounding_words, signed, word
from .specification import UNSET, Ports, Unit

_PROBABILITY = Fixed(width=8, fraction=8, signed=False)
_INT32 = FORMATS["int32"]
_BITS, _RECIPROCAL = 16, 32


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


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegerSoftmax(ScaledFunction):
    """I-BERT's softmax of a row in integers, ``exp(x[i]) / sum(exp(x))``, saturating.

    The steps are those of :func:`macaw.golden.arithmetic.functions.softmax`: a result r is the
    probability ``(r - zero_point) * result_scale``.

    Parameters
    ----------
    x : Fixed
    out : Fixed
        By default ``ufx8.8``. Integer formats are as TensorFlow Lite and onnxruntime have them:
        ``int8`` with the scale 1/256 and the zero point -128, ``uint8`` with 1/256 and 0,
        ``int16`` with 1/32768 and 0.
    zero_point : int, optional
        The integer of ``out`` that a probability of 0 is. By default 0, but the least integer of
        signed integer formats of up to 8 bits. The values from there up must hold the
        probabilities from 0 to 1; those of an integer format are a power of two.
    lanes : int
        Values of a row, 1 to 4096.
    scale : str
        Value of a last place of x: a decimal or a fraction as ``1/20``, from 2^-26 to 1; by
        default that of the format, if it has fraction bits.
    bits : int
        Of the exponentials, sign included, 4 to 31; I-BERT's 16 by default.
    reciprocal : int
        Bits of the sum's reciprocal, up to 62; I-BERT's 32 by default. Fewer make the divider and
        the products smaller.
    """

    kind: ClassVar[str] = "int-softmax"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"x": "fx8.4", "out": "int8"},)

    x: Fixed = UNSET
    out: Fixed = _PROBABILITY
    zero_point: int | None = None
    lanes: int = 16
    scale: str = UNSET
    bits: int = _BITS
    reciprocal: int = _RECIPROCAL

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        fmt = self._operand()
        if fmt.width > MOST_BITS - 2:
            raise SpecError(f"x={fmt.name}: must have at most {MOST_BITS - 2} bits")
        self._set("out", check_format("out", self.out))
        check_integer("lanes", self.lanes, 1, LARGEST_BLOCK)
        self._check_scale()
        self._set("zero_point", Probability.of(self.out, self.zero_point).zero_point)
        check_softmax(self.constants, self.result, self.reciprocal, self._elements)

    @property
    def _elements(self) -> int:
        """Of the longest row."""
        return self.lanes

    @property
    def constants(self) -> Exponential:
        """The constants of the exponential, which follow from the scale."""
        return Exponential.of(self._step, self.bits)

    @property
    def result(self) -> Probability:
        """How the results are probabilities."""
        return Probability.of(self.out, self.zero_point)

    @property
    def result_scale(self) -> float:
        """Value of an integer step of the result."""
        return 2.0**-self.result.fraction

    @property
    def ports(self) -> Ports:
        return Ports(
            inputs={"x": Operand(format=self.x, lanes=self.lanes)},
            outputs={"r": Operand(format=self.out, lanes=self.lanes)},
        )

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        r = softmax(
            integers_of(chunk["x"], self.x),
            self._step,
            out=self.out,
            zero_point=self.zero_point,
            bits=self.bits,
            reciprocal=self.reciprocal,
        )
        return {"r": codes_of(r, self.out)}


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegerLayerNorm(IntegerFunction):
    """I-BERT's layer normalisation of a row in integers, ``(x[i] - mean) / deviation``.

    The steps are those of :func:`macaw.golden.arithmetic.functions.layer_norm`; ``r *
    result_scale`` is near the normalised value. No value of x needs a scale: the result does not
    depend on it.

    Parameters
    ----------
    x, out : Fixed
        ``out`` is signed, I-BERT's ``int32`` by default; its upper two bits are the sign and one.
    lanes : int
        Values of a row, 1 to 4096.
    shift : int, optional
        Bits that squares leave out, 0 to 31; by default as few as 62 bits of their sum allow.
    reciprocal : int, optional
        Bits of the deviation's reciprocal, from two less than ``out`` has to 60; I-BERT's 31 by
        default. Fewer make the divider and the products smaller.
    """

    kind: ClassVar[str] = "int-layernorm"

    x: Fixed = UNSET
    out: Fixed = _INT32  # type: ignore[assignment]
    lanes: int = 16
    shift: int | None = None
    reciprocal: int | None = None

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        fmt = self._operand()
        self._set("out", check_format("out", self.out))
        if not isinstance(self.out, Fixed) or not self.out.signed or self.out.width < 3:
            raise SpecError(f"out={self.out.name}: must be signed fixed point of 3 bits or more")
        check_integer("lanes", self.lanes, 1, LARGEST_BLOCK)
        if fmt.width > MOST_BITS - 2 - self.lanes.bit_length():
            raise SpecError(f"x={fmt.name}: the sum of {self.lanes} has more than {MOST_BITS} bits")
        if self.shift is None:
            self._set("shift", self._least_shift)
        if self.reciprocal is None:
            self._set("reciprocal", max(_RECIPROCAL - 1, self.fraction))
        assert self.shift is not None
        assert self.reciprocal is not None
        check_layer_norm(self.shift, self.reciprocal, self.fraction)
        if self.shift < self._least_shift:
            raise SpecError(
                f"shift={self.shift}: must be at least {self._least_shift} for {self.lanes} values "
                f"of {fmt.name}"
            )

    @property
    def _least_shift(self) -> int:
        return least_shift((1 << self.x.width) - 1, self.lanes)

    @property
    def fraction(self) -> int:
        """Bits of the result below one."""
        return self.out.width - 2

    @property
    def result_scale(self) -> float:
        """Value of an integer step of the result."""
        return self.lanes**0.5 * 2.0**-self.fraction

    @property
    def ports(self) -> Ports:
        return Ports(
            inputs={"x": Operand(format=self.x, lanes=self.lanes)},
            outputs={"r": Operand(format=self.out, lanes=self.lanes)},
        )

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        assert self.shift is not None
        assert self.reciprocal is not None
        x = integers_of(chunk["x"], self.x)
        r, _ = layer_norm(x, shift=self.shift, reciprocal=self.reciprocal, fraction=self.fraction)
        return {"r": codes_of(r, self.out)}


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


def softmax_words(spec: IntegerSoftmax) -> list[str]:
    """Return the words of a name for what is not usual of a softmax in integers."""
    words = scale_words(spec) + word("b", spec.bits, _BITS)
    words += word("r", spec.reciprocal, _RECIPROCAL)
    assert spec.zero_point is not None
    return words + word("z", signed(spec.zero_point), signed(Probability.usual(spec.out)))


def _layernorm_words(spec: IntegerLayerNorm) -> list[str]:
    reciprocal = max(_RECIPROCAL - 1, spec.fraction)
    return word("shift", spec.shift, spec._least_shift) + word("r", spec.reciprocal, reciprocal)


def operand_and_result(spec: IntegerSoftmax | IntegerLayerNorm) -> list[str]:
    """Return the words of a name for the formats of x and of the result."""
    return [identifier(spec.x), identifier(spec.out)]


named(IntegerFunction, formats=alike("x"))
named(
    IntegerExp2,
    formats=lambda spec: [identifier(fmt) for fmt in (spec.x, spec.out) if fmt is not None],
    words=_exp2_words,
)
named(ScaledFunction, words=scale_words)
named(IntegerGelu, words=_gelu_words)
named(IntegerSoftmax, stem=counted("lanes"), formats=operand_and_result, words=softmax_words)
named(IntegerLayerNorm, stem=counted("lanes"), formats=operand_and_result, words=_layernorm_words)
