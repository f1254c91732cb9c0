# SPDX-License-Identifier: BSD-2-Clause
"""Functions of few bits: a result for each code of the operand."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.operands import Operand
from ..arithmetic.projection import Direction, project, resolve_nan
from ..arithmetic.real import parse, tabulated
from ..errors import SpecError
from ..formats.choices import Nan, Overflow, Rounding
from ..formats.scalar import Fixed, Format
from .naming import abbreviated, named, operand_formats, rounding_words
from .specification import ROUNDING, UNSET, Ports, Unit

MOST_BITS = 10
"""Of an operand."""
WIDEST_FIXED = 60
"""Bits of fixed-point results."""
_CODES = re.compile(r"codes\(([0-9a-f]+)\)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Table(Unit):
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
    dynamic: ClassVar[bool] = False
    examples: ClassVar[tuple[dict[str, Any], ...]] = tuple(
        {"a": a, "function": "sigmoid"} for a in ("e4m3", "fx8.4", "uint4", "e2m1", "e5m2", "nf4")
    )

    a: Format = UNSET
    out: Format = UNSET
    function: str = UNSET
    nan: Nan | None = None

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, out="a")
        if self.a.width > MOST_BITS:
            raise SpecError(f"a={self.a.name}: must have at most {MOST_BITS} bits")
        if isinstance(self.out, Fixed) and self.out.width > WIDEST_FIXED:
            raise SpecError(f"out={self.out.name}: must have at most {WIDEST_FIXED} bits")
        if self.function is None:
            raise SpecError(f"{self.kind}: parameter function is missing")
        self._set("function", self._settled(self.function))
        if self.rounding.stochastic:
            raise SpecError(f"rounding={self.rounding}: a table has one result for each code")
        if self.overflow is Overflow.WRAP:
            raise SpecError(f"overflow=wrap: {self.kind} has functions without an end")
        if self.codes is not None and (
            self.rounding is not Rounding.RNE or self.overflow is not None or self.nan is not None
        ):
            raise SpecError("function=codes(…): of codes there is nothing to round")
        if self.codes is None:
            self._check_result()
            self._set("nan", resolve_nan(self.nan, self.out))

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
        """The table: a code of ``out`` for each code of ``a``, in their order."""
        return _contents(self)

    @property
    def macs(self) -> int:
        return 0

    @property
    def ports(self) -> Ports:
        return Ports(inputs={"a": Operand(format=self.a)}, outputs=self._results())

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {"r": self.contents.take(chunk["a"])}


@functools.lru_cache(maxsize=256)
def _contents(spec: Table) -> np.ndarray:
    codes = spec.codes
    if codes is not None:
        return np.array(codes, spec.out.code_dtype)
    values = tabulated(spec.function, spec.a)
    found, _ = project(values, spec.out, Direction(spec.rounding), spec.overflow, False, spec.nan)
    return found


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


def _function_word(spec: Table) -> str:
    if spec.codes is not None:
        return abbreviated("codes", spec.function, 8)
    word = spec.function.removesuffix(")").replace("power(", "power").replace("-", "_")
    return word.replace("power_", "powerm").replace("/", "_")


def _words(spec: Table) -> list[str]:
    return rounding_words(spec) + ([] if spec.nan is None else [f"nan_{spec.nan}"])


named(
    Table,
    formats=lambda spec: [_function_word(spec), *operand_formats(spec)],
    words=_words,
    last=(*ROUNDING, "nan"),
)
