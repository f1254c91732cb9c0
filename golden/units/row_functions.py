# SPDX-License-Identifier: BSD-2-Clause
"""Units of integer-only functions of a row: softmax and layer normalisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.exp2 import MOST_BITS
from ..arithmetic.functions import (
    Exponential,
    Probability,
    check_layer_norm,
    check_softmax,
    layer_norm,
    least_shift,
    softmax,
)
from ..arithmetic.integers import codes_of, integers_of
from ..arithmetic.operands import Operand
from ..errors import SpecError
from ..formats.checks import check_format, check_integer
from ..formats.scalar import FORMATS, Fixed
from .conversions import LARGEST_BLOCK
from .functions import IntegerFunction, ScaledFunction, scale_words
from .naming import counted, identifier, named, signed, word
from .specification import UNSET, Ports, Unit

_PROBABILITY = Fixed(width=8, fraction=8, signed=False)
_INT32 = FORMATS["int32"]
_BITS, _RECIPROCAL = 16, 32


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
        check_softmax(self.constants, self.result, self.reciprocal, self.lanes)

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


def _softmax_words(spec: IntegerSoftmax) -> list[str]:
    words = scale_words(spec) + word("b", spec.bits, _BITS)
    words += word("r", spec.reciprocal, _RECIPROCAL)
    assert spec.zero_point is not None
    return words + word("z", signed(spec.zero_point), signed(Probability.usual(spec.out)))


def _layernorm_words(spec: IntegerLayerNorm) -> list[str]:
    reciprocal = max(_RECIPROCAL - 1, spec.fraction)
    return word("shift", spec.shift, spec._least_shift) + word("r", spec.reciprocal, reciprocal)


def _formats(spec: IntegerSoftmax | IntegerLayerNorm) -> list[str]:
    return [identifier(spec.x), identifier(spec.out)]


named(IntegerSoftmax, stem=counted("lanes"), formats=_formats, words=_softmax_words)
named(IntegerLayerNorm, stem=counted("lanes"), formats=_formats, words=_layernorm_words)
