# SPDX-License-Identifier: BSD-2-Clause
"""Functions of a row: in integers of one beat, of floats a stream of rows of any length."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.exact import Exact, unpack
from ..arithmetic.exp2 import MOST_BITS
from ..arithmetic.functions import (
    Exponential,
    Probability,
    check_layer_norm,
    check_softmax,
    layer_norm,
    least_shift,
    rational,
    softmax,
)
from ..arithmetic.integers import codes_of, integers_of
from ..arithmetic.operands import Operand, Operands
from ..arithmetic.projection import Direction, project
from ..arithmetic.rows.beats import Rows
from ..arithmetic.rows.norms import Epsilon
from ..arithmetic.rows.norms import RmsNorm as RowRmsNorm
from ..arithmetic.rows.powers import Power
from ..arithmetic.rows.softmax import Softmax as RowSoftmax
from ..arithmetic.rows.sums import STEP
from ..errors import SpecError
from ..formats.checks import check_format, check_integer
from ..formats.scalar import FORMATS, Fixed, Float, Format
from .conversions import LARGEST_BLOCK
from .functions import IntegerFunction, ScaledFunction, scale_word, scale_words, spell
from .naming import counted, identifier, named, rounding_words, signed, word
from .specification import ROUNDING, UNSET, Ports, Unit

_PROBABILITY = Fixed(width=8, fraction=8, signed=False)
_INT32 = FORMATS["int32"]
_BITS, _RECIPROCAL = 16, 32
_BIT = Fixed(width=1, signed=False)
_LANES, _ROW = 8, 1024
_LONGEST = 1 << 16
_MOST_PLACES, _REACH = 20, 16
_EPS, _LEAST_EPS = Fraction(1, 100_000), -64
_SUM = 62
"""Bits of a sum of floats."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class RowUnit(Unit):
    """Base of the units that take rows of floats.

    A beat has an element a lane. Those whose ``keep`` is 0 are not there, and their results are
    +0. The beat with ``end=1`` is a row's last one, and so is each beat that fills the memory: of
    a row that is longer, the rest is another row. There is a result for each beat; its ``end`` is
    1 where a row does end. The first axis of every array is the beat, and the last beat of the
    arrays ends a row.
    """

    dynamic: ClassVar[bool] = False
    waits: ClassVar[bool] = True

    a: Float = UNSET
    out: Format = UNSET
    lanes: int = _LANES
    row: int = _ROW

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, out="a")
        if not isinstance(self.a, Float) or self.a.width > 32:
            raise SpecError(f"a={self.a.name}: must be a float of at most 32 bits")
        check_integer("lanes", self.lanes, 1, 1024)
        check_integer("row", self.row, 1, _LONGEST)
        if self.rounding.stochastic:
            raise SpecError(f"rounding={self.rounding}: {self.kind} takes one fixed direction")
        self._check_result()

    @property
    def stateful(self) -> bool:
        """What a row has had outlives a beat."""
        return True

    @property
    def macs(self) -> int:
        return 0

    @property
    def beats(self) -> int:
        """Beats of the longest row."""
        return -(-self.row // self.lanes)

    @property
    def ports(self) -> Ports:
        end = Operand(format=_BIT)
        inputs = {
            "a": Operand(format=self.a, lanes=self.lanes),
            "keep": Operand(format=_BIT, lanes=self.lanes),
            "end": end,
        }
        return Ports(
            inputs=inputs, outputs={"r": Operand(format=self.out, lanes=self.lanes), "end": end}
        )

    @property
    def growth(self) -> int:
        """Bits that the longest row's sum has above those of an element."""
        return (self.beats * self.lanes - 1).bit_length()

    @property
    def _usual_bits(self) -> int:
        places = self.out.width if isinstance(self.out, Fixed) else self.out.precision
        return min(places + 4, _MOST_PLACES)

    @property
    def _places(self) -> int:
        bits = getattr(self, "bits")  # noqa: B009
        assert isinstance(bits, int)
        return bits

    @property
    def _usual_aligned(self) -> int:
        return self._places + self.growth

    def _check_places(self, least: int, most: int) -> None:
        """Set ``bits``, from ``least``, and ``aligned``, of which a sum has ``most`` at most."""
        given = getattr(self, "bits"), getattr(self, "aligned")  # noqa: B009
        bits = max(self._usual_bits, least) if given[0] is None else given[0]
        check_integer("bits", bits, least, _MOST_PLACES)
        self._set("bits", bits)
        aligned = self._usual_aligned if given[1] is None else given[1]
        check_integer("aligned", aligned, bits, most - STEP - self.growth)
        self._set("aligned", aligned)

    def evaluate(self, **codes: Any) -> dict[str, np.ndarray]:
        """Like :meth:`Unit.evaluate`; the first axis of all arrays is the beat."""
        operands = Operands.of(self.ports.inputs, codes, self.kind)
        operands.check_one_axis(self.kind, "must have one axis, the beats")
        arrays = operands.arrays
        rows = Rows.of(arrays["end"] != 0, self.beats)
        r = np.empty(arrays["a"].shape, self.out.code_dtype)
        for beats, part in rows.parts(self.lanes):
            x, present = unpack(arrays["a"][beats], self.a), arrays["keep"][beats] != 0
            exact = self._of_rows(x, present, part)
            r[beats] = project(exact, self.out, Direction(self.rounding), self.overflow)[0]
        end = np.zeros(operands.count, np.uint8)
        end[rows.ends] = 1
        return {"r": r, "end": end}

    def _of_rows(self, x: Exact, present: np.ndarray, rows: Rows) -> Exact:
        """Return the results of whole rows before they are rounded, shape (beats, lanes)."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True, slots=True)
class Softmax(RowUnit):
    """Softmax of rows of floats of any length: ``base**a[i] / sum(base**a)``, rounded once.

    The steps, which every bit follows from, are those of
    :class:`macaw.golden.arithmetic.rows.softmax.Softmax`. A row is known when it has ended: its
    results follow, a beat a clock, while the next row comes in.

    Parameters
    ----------
    a : Float
        Of at most 32 bits.
    out : Format
        By default ``a``.
    lanes : int
        Elements of a beat, 1 to 1024.
    row : int
        Elements of the longest row, 1 to 65536.
    base : str
        ``e`` or ``2``.
    bits : int, optional
        Fraction bits of powers and of the sum's reciprocal, 4 to 20; by default 4 more than the
        precision of ``out``, but 20 at most.
    aligned : int, optional
        Fraction bits of the sum, from ``bits``; by default so many more that the longest row
        loses no more by it than a last place of ``bits``.
    reach : int, optional
        Numbers of a magnitude of ``2**reach`` and more count as that, 1 to 16; by default 16.
    rounding : Rounding
        Of the results; one that is not stochastic.
    """

    kind: ClassVar[str] = "softmax"

    base: str = "e"
    bits: int | None = None
    aligned: int | None = None
    reach: int | None = None

    def __post_init__(self) -> None:
        RowUnit.__post_init__(self)
        base = str(self.base).strip().lower()
        if base not in ("e", "2"):
            raise SpecError(f"base={self.base}: must be e or 2")
        self._set("base", base)
        self._check_places(4, _SUM)
        reach = self._usual_reach if self.reach is None else self.reach
        check_integer("reach", reach, 1, _REACH)
        self._set("reach", min(reach, self._usual_reach))

    @property
    def _usual_reach(self) -> int:
        return max(min(self.a.emax + 1, _REACH), 1)

    @property
    def arithmetic(self) -> RowSoftmax:
        """The steps."""
        assert self.reach is not None
        assert self.aligned is not None
        power = Power(bits=self._places, natural=self.base == "e", reach=self.reach)
        return RowSoftmax(power=power, aligned=self.aligned)

    def _of_rows(self, x: Exact, present: np.ndarray, rows: Rows) -> Exact:
        return self.arithmetic(x, present, rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class RmsNorm(RowUnit):
    """Rows of floats by the root of their mean square: ``a[i] / sqrt(mean(a**2) + eps)``.

    The steps, which every bit follows from, are those of
    :class:`macaw.golden.arithmetic.rows.norms.RmsNorm`; each result is rounded once. A row is
    known when it has ended: its results follow, a beat a clock, while the next row comes in.

    Parameters
    ----------
    a : Float
        Of at most 32 bits.
    out : Format
        By default ``a``.
    lanes : int
        Elements of a beat, 1 to 1024.
    row : int
        Elements of the longest row, 1 to 65536.
    eps : str
        What is added to the mean: a decimal or a fraction as ``1e-6``, ``1/1024``, from 2^-64 to
        1, rounded to ``bits + 2`` bits; by default 1e-5.
    bits : int, optional
        Fraction bits of the root's reciprocal, 8 to 20; by default 4 more than the precision of
        ``out``, within these.
    aligned : int, optional
        Fraction bits of the sum, from ``bits``; by default so many more that the longest row
        loses no more by it than a last place of ``bits``.
    rounding : Rounding
        Of the results; one that is not stochastic.
    """

    kind: ClassVar[str] = "rmsnorm"

    eps: str = "1e-5"
    bits: int | None = None
    aligned: int | None = None

    def __post_init__(self) -> None:
        RowUnit.__post_init__(self)
        self._set("eps", spell(rational("eps", self.eps, _LEAST_EPS)))
        self._check_places(8, _SUM - 1)

    @property
    def arithmetic(self) -> RowRmsNorm:
        """The steps."""
        assert self.aligned is not None
        return RowRmsNorm(
            eps=Epsilon(value=Fraction(self.eps), bits=self._places),
            bits=self._places,
            aligned=self.aligned,
            precision=self.a.precision,
            emin=self.a.emin,
        )

    def _of_rows(self, x: Exact, present: np.ndarray, rows: Rows) -> Exact:
        return self.arithmetic(x, present, rows)


def _place_words(spec: Softmax | RmsNorm, least: int) -> list[str]:
    usual = max(spec._usual_bits, least)
    return word("b", spec.bits, usual) + word("s", spec.aligned, spec._usual_aligned)


def _row_words(spec: Softmax) -> list[str]:
    words = word("n", spec.row, _ROW) + word("base", spec.base, "e") + _place_words(spec, 4)
    return words + word("x", spec.reach, spec._usual_reach) + rounding_words(spec)


def _norm_words(spec: RmsNorm) -> list[str]:
    eps = [] if Fraction(spec.eps) == _EPS else [scale_word("e", spec.eps)]
    return word("n", spec.row, _ROW) + eps + _place_words(spec, 8) + rounding_words(spec)


named(RowUnit, stem=counted("lanes"), last=("row", *ROUNDING))
named(Softmax, words=_row_words, last=("row", "base", "bits", "aligned", "reach", *ROUNDING))
named(RmsNorm, words=_norm_words, last=("row", "eps", "bits", "aligned", *ROUNDING))
