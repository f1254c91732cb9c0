# SPDX-License-Identifier: BSD-2-Clause
"""Functions of one operand, with a result for each of its codes: of few bits, and of floats."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.operands import Operand
from ..arithmetic.projection import Direction, project, resolve_nan
from ..arithmetic.real import parse, results
from ..arithmetic.real.faithful import Faithful, faithful
from ..errors import SpecError, did_you_mean
from ..formats.choices import Nan, Overflow, Rounding
from ..formats.scalar import Fixed, Float, Format
from .naming import abbreviated, named, operand_formats, rounding_words
from .specification import ROUNDING, UNSET, Ports, Unit

MOST_BITS = 10
"""Of an operand."""
WIDEST_FIXED = 60
"""Bits of fixed-point results."""
ELEMENTARY = (
    "exp", "exp2", "log", "log2", "sin", "cos", "sigmoid", "tanh", "reciprocal", "rsqrt",
)  # fmt: skip
"""The functions that :class:`Function` has; :class:`Table` has more."""
MOST_OF_FLOATS = 32
"""Bits of an operand of :class:`Function`."""
CORRECT = 16
"""Bits of an operand of which every result is the correctly rounded one."""
_NEAREST = (Rounding.RNE, Rounding.RNA)
_CODES = re.compile(r"codes\(([0-9a-f]+)\)")


@dataclass(frozen=True, kw_only=True, slots=True)
class _OfCodes(Unit):
    """Units with one result for each code of their operand."""

    dynamic: ClassVar[bool] = False

    a: Format = UNSET
    out: Format = UNSET
    function: str = UNSET
    nan: Nan | None = None

    def _check(self, most: int) -> None:
        """Check operand and result but for what they are, and that there is a function."""
        if self.a.width > most:
            raise SpecError(f"a={self.a.name}: must have at most {most} bits")
        if isinstance(self.out, Fixed) and self.out.width > WIDEST_FIXED:
            raise SpecError(f"out={self.out.name}: must have at most {WIDEST_FIXED} bits")
        if self.function is None:
            raise SpecError(f"{self.kind}: parameter function is missing")
        if self.rounding.stochastic:
            raise SpecError(f"rounding={self.rounding}: a {self.kind} has one result for each code")
        if self.overflow is Overflow.WRAP:
            raise SpecError(f"overflow=wrap: {self.kind} has functions without an end")

    def _check_result(self) -> None:
        super(_OfCodes, self)._check_result()
        self._set("nan", resolve_nan(self.nan, self.out))

    @property
    def contents(self) -> np.ndarray:
        """A code of ``out`` for each code of ``a``, in their order."""
        return results(self.function, self.a, self.out, self.rounding, self.overflow, self.nan)

    @property
    def macs(self) -> int:
        return 0

    @property
    def ports(self) -> Ports:
        return Ports(inputs={"a": Operand(format=self.a)}, outputs=self._results())

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {"r": self.contents.take(chunk["a"])}


@dataclass(frozen=True, kw_only=True, slots=True)
class Table(_OfCodes):
    """A function of one operand of few bits, from a table: ``r = round(function(a))``.

    Each result is the correctly rounded one. NaN and what is outside the function's domain become
    a NaN, infinities the function's limit, and a pole is an infinity: IEEE 754-2019, 9.2.

    Parameters
    ----------
    a : Format
        Of at most 10 bits.
    out : Format
        By default ``a``. Fixed point has at most 60 bits.
    function : str
        A name of :data:`macaw.golden.arithmetic.real.FUNCTIONS`; ``power(y)``, which is
        ``|a|**y`` with the sign of ``a``; or ``codes(…)``, the code of ``out`` for each code of
        ``a`` in as many hexadecimal digits as one needs. A sequence of integers is such codes.
    rounding : Rounding
        Of a function: one that is not stochastic.
    overflow : Overflow, optional
        None is IEEE's rule where ``out`` has infinities, and saturation elsewhere.
    nan : Nan, optional
        What a NaN becomes in a format without one; None is the largest positive value.
    """

    kind: ClassVar[str] = "table"
    examples: ClassVar[tuple[dict[str, Any], ...]] = tuple(
        {"a": a, "function": "sigmoid"} for a in ("e4m3", "fx8.4", "uint4", "e2m1", "e5m2", "nf4")
    )

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, out="a")
        self._check(MOST_BITS)
        self._set("function", self._settled(self.function))
        if self.codes is not None and (
            self.rounding is not Rounding.RNE or self.overflow is not None or self.nan is not None
        ):
            raise SpecError("function=codes(…): of codes there is nothing to round")
        if self.codes is None:
            self._check_result()

    def _settled(self, function: Any) -> str:
        """The function's name; of codes, all of them."""
        text = function.strip().lower() if isinstance(function, str) else None
        if text is not None and not text.startswith("codes("):
            return parse(text).name
        digits, count = -(-self.out.width // 4), 1 << self.a.width
        if text is None:
            codes = _integers(function)
        elif (found := _CODES.fullmatch(text)) and len(found[1]) == digits * count:
            codes = _digits(found[1], digits)
        else:
            raise SpecError(
                f"function=codes(…): must be {count} codes of {digits} hexadecimal digits each, "
                f"one for each code of {self.a.name}"
            )
        if len(codes) != count:
            raise SpecError(
                f"function: {len(codes)} codes: must be {count}, one for each code of {self.a.name}"
            )
        for number, code in enumerate(codes):
            if not 0 <= code < 1 << self.out.width:
                raise SpecError(
                    f"function: code {code} for {number}: must be from 0 to "
                    f"{(1 << self.out.width) - 1}, a code of {self.out.name}"
                )
        return f"codes({''.join(f'{code:0{digits}x}' for code in codes)})"

    @property
    def codes(self) -> list[int] | None:
        """The codes that ``function`` lists; None if it is a function by name."""
        found = _CODES.fullmatch(self.function)
        return None if found is None else _digits(found[1], -(-self.out.width // 4))

    @property
    def contents(self) -> np.ndarray:
        if self.codes is None:
            return super(Table, self).contents
        return _listed(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Function(_OfCodes):
    """An elementary function of a float: ``r = round(function(a))``.

    Of an operand of at most 16 bits each result is the correctly rounded one. Of a wider one it is
    less than a last place from it, by the steps in integers of
    :mod:`macaw.golden.arithmetic.real.faithful`; :attr:`error` says how far at most. NaN and what
    is outside the function's domain become a NaN, infinities the function's limit, and a pole is
    an infinity: IEEE 754-2019, 9.2.

    Parameters
    ----------
    a : Float
        Of at most 32 bits, with a mantissa.
    out : Float or Fixed
        By default ``a``. Fixed point has at most 60 bits. Of an ``a`` of more than 16 bits a float
        with a precision of at most 24.
    function : str
        One of exp, exp2, log, log2, sin, cos, sigmoid, tanh, reciprocal and rsqrt.
    rounding : Rounding
        One that is not stochastic.
    overflow : Overflow, optional
        None is IEEE's rule where ``out`` has infinities, and saturation elsewhere.
    nan : Nan, optional
        What a NaN becomes in a format without one; None is the largest positive value.
    """

    kind: ClassVar[str] = "function"
    examples: ClassVar[tuple[dict[str, Any], ...]] = tuple(
        {"a": a, "function": "exp"} for a in ("bf16", "e4m3", "fp16", "e5m2")
    )

    a: Float = UNSET
    out: Float | Fixed = UNSET

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, out="a")
        if not isinstance(self.a, Float) or not self.a.mantissa:
            raise SpecError(f"a={self.a.name}: must be a float with a mantissa")
        if not isinstance(self.out, Float | Fixed):
            raise SpecError(f"out={self.out.name}: must be a float or fixed point")
        self._check(MOST_OF_FLOATS)
        function = str(self.function).strip().lower()
        if function not in ELEMENTARY:
            hint = did_you_mean(function, ELEMENTARY, f"must be one of {', '.join(ELEMENTARY)}")
            raise SpecError(f"function={self.function}: {hint}")
        self._set("function", function)
        self._check_result()
        if self.a.width > CORRECT:
            faithful(function, self.a, self.out)

    @property
    def steps(self) -> Faithful | None:
        """How a result is made, or None where each is the correctly rounded one."""
        wide = self.a.width > CORRECT
        return faithful(self.function, self.a, self.out) if wide else None

    @property
    def error(self) -> Fraction:
        """In last places: no less than the distance of a normal result from its value."""
        rounded = Fraction(1, 2) if self.rounding in _NEAREST else Fraction(1)
        return rounded + (self.steps.error if self.steps else 0)

    @property
    def samples(self) -> dict[str, np.ndarray]:
        """Codes of the magnitudes where functions are neither flat nor out of range."""
        if self.steps is None:
            return {}
        magnitudes = np.exp2(np.arange(-16 * 14, 16 * 8) / 16)
        signs = (1, -1) if self.a.signed else (1,)
        return {"a": np.unique(np.concatenate([self.a.encode(s * magnitudes) for s in signs]))}

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        steps = self.steps
        if steps is None:
            return super(Function, self)._compute(chunk)
        direction = Direction(self.rounding)
        exact = steps(chunk["a"])
        return {"r": project(exact, self.out, direction, self.overflow, False, self.nan)[0]}


@functools.lru_cache(maxsize=256)
def _listed(spec: Table) -> np.ndarray:
    return np.array(spec.codes, spec.out.code_dtype)


def _digits(text: str, each: int) -> list[int]:
    return [int(text[i : i + each], 16) for i in range(0, len(text), each)]


def _integers(function: Any) -> list[int]:
    """The codes of a sequence of integers."""
    try:
        array = np.asarray(function)
    except ValueError:
        array = np.empty((0, 0))
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise SpecError(
            f"function={str(function)[:40]}: must be a name, or a sequence of integers, the codes"
        )
    return [int(code) for code in array]


def _function_word(spec: _OfCodes) -> str:
    if spec.function.startswith("codes("):
        return abbreviated("codes", spec.function, 8)
    word = spec.function.removesuffix(")").replace("power(", "power").replace("-", "_")
    return word.replace("power_", "powerm").replace("/", "_")


def _words(spec: _OfCodes) -> list[str]:
    return rounding_words(spec) + ([] if spec.nan is None else [f"nan_{spec.nan}"])


named(
    _OfCodes,
    formats=lambda spec: [_function_word(spec), *operand_formats(spec)],
    words=_words,
    last=(*ROUNDING, "nan"),
)
