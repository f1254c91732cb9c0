# SPDX-License-Identifier: BSD-2-Clause
"""Functions of rows of any length, as streams."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.exact import Exact, masked, unpack
from ..arithmetic.functions import rational
from ..arithmetic.integers import codes_of, integers_of
from ..arithmetic.operands import Operand
from ..arithmetic.projection import Split
from ..arithmetic.rows.beats import Rows
from ..arithmetic.rows.clip import Clip
from ..arithmetic.rows.integers import IntegerSoftmax as RowIntegerSoftmax
from ..arithmetic.rows.norms import Epsilon
from ..arithmetic.rows.norms import LayerNorm as RowLayerNorm
from ..arithmetic.rows.norms import RmsNorm as RowRmsNorm
from ..arithmetic.rows.powers import PowerSum, Sum, merged
from ..arithmetic.rows.softmax import Softmax as RowSoftmax
from ..arithmetic.rows.sums import STEP, WINDOW
from ..arithmetic.sums import add_terms, products
from ..errors import SpecError
from ..formats.choices import Rounding
from ..formats.scalar import Fixed, Float
from ..formats.texts import fraction
from .functions import IntegerSoftmax, operand_and_result, scale_word, softmax_words, spell
from .naming import alike, counted, identifier, named, rounding_words, word
from .specification import ROUNDING, UNSET, Ports, Unit
from .specification.rows import (
    BIT,
    LANES,
    LONGEST_SUM,
    ROW,
    FloatRows,
    PowerRows,
    RowUnit,
    place_words,
    power_words,
)

_EPS, _LEAST_EPS = Fraction(1, 100_000), -64
_LEAST_GAMMA = -16
_WIDEST, _WIDEST_EXPONENT = 62, 32
_EXPONENT = Fixed(width=18)


@dataclass(frozen=True, kw_only=True, slots=True)
class Softmax(FloatRows, PowerRows):
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
    gamma, zeta : str
        Of a clipped softmax (arXiv 2306.12929), decimals or fractions as ``-0.03``, ``33/32``:
        ``clip((zeta - gamma) * softmax(a) + gamma, 0, 1)`` is what is rounded. gamma is 0, or from
        -1 to -2^-16, rounded to ``bits + 2`` bits; zeta is from 1 to 2. By default 0 and 1: that
        clips nothing.
    rounding : Rounding
        Of the results; one that is not stochastic.
    """

    kind: ClassVar[str] = "softmax"

    base: str = "e"
    bits: int | None = None
    aligned: int | None = None
    reach: int | None = None
    gamma: str = "0"
    zeta: str = "1"

    def __post_init__(self) -> None:
        FloatRows.__post_init__(self)
        self._check_powers(self.base, self.reach)
        gamma, zeta = fraction(str(self.gamma)), fraction(str(self.zeta))
        least = Fraction(2) ** _LEAST_GAMMA
        if gamma is None or not (gamma == 0 or least <= -gamma <= 1):
            allowed = f"0, or a number from -1 to -2^{_LEAST_GAMMA}, as -0.03 or -1/32"
            raise SpecError(f"gamma={self.gamma}: must be {allowed}")
        if zeta is None or not 1 <= zeta <= 2:
            raise SpecError(f"zeta={self.zeta}: must be a number from 1 to 2, as 1.03 or 33/32")
        self._set("gamma", spell(gamma))
        self._set("zeta", spell(zeta))

    @property
    def clip(self) -> Clip | None:
        """How results are clipped; None where they are not."""
        gamma, zeta = Fraction(self.gamma), Fraction(self.zeta)
        if (gamma, zeta) == (0, 1):
            return None
        return Clip(gamma=gamma, zeta=zeta, bits=self._places)

    @property
    def arithmetic(self) -> RowSoftmax:
        """The steps."""
        sums = self.power_sum
        return RowSoftmax(power=sums.power, aligned=sums.aligned, clip=self.clip)


@dataclass(frozen=True, kw_only=True, slots=True)
class Norm(FloatRows):
    """Base of those that divide rows of floats by a root that is known when a row has ended."""

    weight: Float | None = None
    eps: str = "1e-5"
    bits: int | None = None
    aligned: int | None = None

    def __post_init__(self) -> None:
        FloatRows.__post_init__(self)
        for name in ("weight", "bias"):
            if getattr(self, name, None) is not None:
                self._formats(**{name: None})
                fmt = getattr(self, name)
                if not isinstance(fmt, Float) or fmt.width > 32 or not fmt.zero:
                    raise SpecError(f"{name}={fmt.name}: must be a float of at most 32 bits with 0")
        self._set("eps", spell(rational("eps", self.eps, _LEAST_EPS)))
        self._check_places(8, self._most_aligned)

    @property
    def beside(self) -> tuple[str, ...]:
        names = ("weight", "bias")
        return tuple(name for name in names if getattr(self, name, None) is not None)

    def _finished(self, exact: Exact, present: np.ndarray, **beside: np.ndarray) -> Exact | Split:
        """Return ``exact * weight + bias`` of what there is of these; +0 of what is not present."""
        terms = {
            name: masked(unpack(codes, getattr(self, name)), present)
            for name, codes in beside.items()
        }
        product = products(exact, terms["weight"]) if "weight" in terms else [exact]
        down = self.rounding is Rounding.RDN
        return add_terms(product, terms.get("bias"), self.out, down)

    @property
    def _most_aligned(self) -> int:
        return LONGEST_SUM - 1 - self.growth

    @property
    def _steps(self) -> dict[str, Any]:
        """What the steps are made of."""
        return {
            "eps": Epsilon(value=Fraction(self.eps), bits=self._places),
            "bits": self._places,
            "aligned": self.aligned,
            "precision": self.a.precision,
            "emin": self.a.emin,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class RmsNorm(Norm):
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
    weight : Float, optional
        Of an operand with a number for each element, which its result is multiplied with before it
        is rounded: a layer's, at the element's place. By default there is none.
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

    @property
    def arithmetic(self) -> RowRmsNorm:
        """The steps."""
        return RowRmsNorm(**self._steps)


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerNorm(Norm):
    """Layer normalisation of rows of floats: ``(a[i] - mean(a)) / sqrt(variance(a) + eps)``.

    Ba, Kiros, Hinton 2016 (arXiv 1607.06450); the variance is the mean of squared differences.
    The steps, which every bit follows from, are those of
    :class:`macaw.golden.arithmetic.rows.norms.LayerNorm`; each result is rounded once. A row is
    known when it has ended: its results follow, a beat a clock, while the next row comes in.

    Parameters
    ----------
    a : Float
        Of at most 32 bits.
    out : Format
        By default ``a``.
    weight, bias : Float, optional
        Of operands with a number for each element, which its result is multiplied with, and which
        is added to that, before it is rounded: a layer's, at the element's place. By default there
        are none.
    lanes : int
        Elements of a beat, 1 to 1024.
    row : int
        Elements of the longest row, 1 to 65536.
    eps : str
        What is added to the variance: a decimal or a fraction as ``1e-6``, ``1/1024``, from 2^-64
        to 1, rounded to ``bits + 2`` bits; by default 1e-5.
    bits : int, optional
        Fraction bits of the root's reciprocal, and of differences from the mean, 8 to 20; by
        default 4 more than the precision of ``out``, within these.
    aligned : int, optional
        Fraction bits of the sum, of that of squares twice as many, from ``bits`` to 36; by default
        more than ``bits`` by half the bits of the longest row's number of elements.
    rounding : Rounding
        Of the results; one that is not stochastic.
    """

    kind: ClassVar[str] = "layernorm"

    bias: Float | None = None

    @property
    def _usual_aligned(self) -> int:
        return self._places + (self.growth + 1) // 2

    @property
    def _most_aligned(self) -> int:
        return WINDOW - STEP

    @property
    def arithmetic(self) -> RowLayerNorm:
        """The steps."""
        return RowLayerNorm(**self._steps, down=self.rounding is Rounding.RDN)


@dataclass(frozen=True, kw_only=True, slots=True)
class IntegerSoftmaxRows(RowUnit, IntegerSoftmax):
    """I-BERT's softmax in integers of rows of any length, ``exp(x[i]) / sum(exp(x))``.

    Its bits are those of ``int-softmax`` of what is kept of a row. Its largest value is known when
    a row has ended, and the sum when it has passed again: results follow, a beat a clock, while
    the next two rows are under way.

    Parameters
    ----------
    x : Fixed
    out : Fixed
        As in :class:`IntegerSoftmax`, by default ``ufx8.8``; ``int8`` is as TensorFlow Lite has it.
    zero_point : int, optional
        The integer of ``out`` that a probability of 0 is, and of what is not kept.
    lanes : int
        Elements of a beat, 1 to 1024.
    row : int
        Elements of the longest row, 1 to 65536.
    scale : str
        Value of a last place of x: a decimal or a fraction as ``1/20``, from 2^-26 to 1; by
        default that of the format, if it has fraction bits.
    bits : int
        Of the exponentials, sign included, 4 to 31; I-BERT's 16 by default.
    reciprocal : int
        Bits of the sum's reciprocal, up to 62; I-BERT's 32 by default.
    """

    kind: ClassVar[str] = "int-softmax-rows"
    examples: ClassVar[tuple[dict[str, Any], ...]] = ({"x": "fx8.4", "out": "int8"},)

    lanes: int = LANES
    row: int = ROW

    def __post_init__(self) -> None:
        self._check_row()
        IntegerSoftmax.__post_init__(self)

    @property
    def ports(self) -> Ports:
        return self._ports("x")

    @property
    def _elements(self) -> int:
        return self.elements

    @property
    def arithmetic(self) -> RowIntegerSoftmax:
        """The steps."""
        return RowIntegerSoftmax(
            constants=self.constants, result=self.result, reciprocal=self.reciprocal
        )

    def _of_rows(
        self, codes: np.ndarray, present: np.ndarray, rows: Rows, **beside: np.ndarray
    ) -> dict[str, np.ndarray]:
        r = self.arithmetic(integers_of(codes, self.x), present, rows)
        return {"r": codes_of(r, self.out)}


def _row_words(spec: Softmax) -> list[str]:
    words = power_words(spec)
    for name, usual in (("gamma", "0"), ("zeta", "1")):
        value = getattr(spec, name)
        words += [] if value == usual else [scale_word(name[0], value.removeprefix("-"))]
    return words + rounding_words(spec)


def _norm_words(spec: Norm) -> list[str]:
    eps = [] if Fraction(spec.eps) == _EPS else [scale_word("e", spec.eps)]
    words = [f"{name[0]}{identifier(getattr(spec, name))}" for name in spec.beside]
    words += word("n", spec.row, ROW) + eps + place_words(spec, 8)
    return words + rounding_words(spec)


named(RowUnit, stem=counted("lanes"), last=("row", *ROUNDING))
_OF_SOFTMAX = ("row", "base", "bits", "aligned", "reach", "gamma", "zeta")

named(Softmax, words=_row_words, last=(*_OF_SOFTMAX, *ROUNDING))
named(Norm, words=_norm_words, last=("weight", "bias", "row", "eps", "bits", "aligned", *ROUNDING))
named(
    IntegerSoftmaxRows,
    stem=counted("lanes"),
    formats=operand_and_result,
    words=lambda spec: word("n", spec.row, ROW) + softmax_words(spec),
    last=("row", "scale", "bits", "reciprocal"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SoftmaxSum(PowerRows):
    """The sum of a row so far, in one pass: ``r * 2**exponent`` is near ``sum(base**a)``.

    Online softmax's m and d, Milakov and Gimelshein 2018 (arXiv 1805.02867), of exponents: with
    each beat ``exponent`` is the largest so far, a multiple of 8, and ``r`` the sum in units of
    that. They are those of ``softmax``; in the beat with ``end=1`` they are the whole row's.
    Nothing waits, and no row is stored. ``nan`` is 1 where a row has had a NaN or plus infinity; a
    row of nothing but minus infinities has the sum 0. ``softmax-merge`` makes one sum of those of
    two parts of a row. The steps are those of
    :class:`macaw.golden.arithmetic.rows.powers.PowerSum`.

    Parameters
    ----------
    a : Float
        Of at most 32 bits.
    lanes : int
        Elements of a beat, 1 to 1024.
    row : int
        Elements of the longest row, 1 to 65536: one that is longer ends there.
    base : str
        ``e`` or ``2``.
    bits : int, optional
        Fraction bits of powers, 4 to 20; by default 4 more than the precision of ``a``, but 20 at
        most.
    aligned : int, optional
        Fraction bits of the sum, from ``bits``; by default so many more that the longest row
        loses no more by it than a last place of ``bits``.
    reach : int, optional
        Numbers of a magnitude of ``2**reach`` and more count as that, 1 to 16; by default 16.
    """

    kind: ClassVar[str] = "softmax-sum"
    rounds: ClassVar[bool] = False
    waits: ClassVar[bool] = False

    a: Float = UNSET
    lanes: int = LANES
    row: int = ROW
    base: str = "e"
    bits: int | None = None
    aligned: int | None = None
    reach: int | None = None

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None)
        self._check_row()
        self._check_powers(self.base, self.reach)

    @property
    def ports(self) -> Ports:
        sums = self.power_sum
        r = Fixed(width=sums.places(self.growth), fraction=sums.aligned, signed=False)
        outputs = {
            "r": Operand(format=r),
            "exponent": Operand(format=Fixed(width=sums.power.whole + 1)),
            "nan": Operand(format=BIT),
        }
        return self._ports("a", outputs)

    def _of_rows(
        self, codes: np.ndarray, present: np.ndarray, rows: Rows, **beside: np.ndarray
    ) -> dict[str, np.ndarray]:
        sums: PowerSum = self.power_sum
        return _codes(sums.running(sums.elements(unpack(codes, self.a), present), rows), self.ports)


@dataclass(frozen=True, kw_only=True, slots=True)
class SoftmaxMerge(Unit):
    """One sum of two parts of a row: r * 2**exponent = a * 2**a_exponent + b * 2**b_exponent.

    Of results of ``softmax-sum``, or of its own: ``exponent`` is the larger one, each sum goes down
    to it and is rounded down, and their sum saturates. ``nan`` is 1 where one of them is. What has
    the sum 0 and the least exponent is the sum of nothing: it changes nothing. The order of two
    parts does not matter; that of more of them does, by a last place for each. The steps are those
    of :func:`macaw.golden.arithmetic.rows.powers.merged`.

    Parameters
    ----------
    a : Fixed
        Of the sums, unsigned, of at most 62 bits.
    exponent : Fixed
        Of the exponents: signed integers of at most 32 bits; by default of 18 bits, those of the
        largest reach.
    """

    kind: ClassVar[str] = "softmax-merge"
    dynamic: ClassVar[bool] = False
    rounds: ClassVar[bool] = False

    a: Fixed = UNSET
    exponent: Fixed = _EXPONENT

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, exponent=None)
        if not isinstance(self.a, Fixed) or self.a.signed or self.a.width > _WIDEST:
            name, most = self.a.name, _WIDEST
            raise SpecError(f"a={name}: must be unsigned fixed point of at most {most} bits")
        fmt, most = self.exponent, _WIDEST_EXPONENT
        plain = isinstance(fmt, Fixed) and fmt.signed and not (fmt.fraction or fmt.symmetric)
        if not plain or fmt.width > most:
            raise SpecError(
                f"exponent={fmt.name}: must be a signed integer format of at most {most} bits"
            )

    @property
    def macs(self) -> int:
        return 0

    @property
    def _outputs(self) -> dict[str, Operand]:
        """Those of a sum."""
        return {
            "r": Operand(format=self.a),
            "exponent": Operand(format=self.exponent),
            "nan": Operand(format=BIT),
        }

    @property
    def ports(self) -> Ports:
        inputs = {
            letter if name == "r" else f"{letter}_{name}": port
            for letter in "ab"
            for name, port in self._outputs.items()
        }
        return Ports(inputs=inputs, outputs=self._outputs)

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        a, b = (
            Sum(
                s=integers_of(chunk[letter], self.a),
                exponent=integers_of(chunk[f"{letter}_exponent"], self.exponent),
                nan=chunk[f"{letter}_nan"] != 0,
            )
            for letter in "ab"
        )
        return _codes(merged(a, b, self.a.max_integer), self.ports)


def _codes(sums: Sum, ports: Ports) -> dict[str, np.ndarray]:
    """Return the codes of sums, by name."""
    found = {"r": sums.s, "exponent": sums.exponent, "nan": sums.nan}
    outputs: dict[str, Any] = {name: ports.outputs[name].format for name in found}
    return {name: codes_of(array, outputs[name]) for name, array in found.items()}


named(
    SoftmaxSum,
    words=power_words,
    last=("row", "base", "bits", "aligned", "reach"),
)
named(SoftmaxMerge, formats=alike("a", "exponent"), words=lambda spec: [], last=())
