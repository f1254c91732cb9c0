# SPDX-License-Identifier: BSD-2-Clause
"""The factors by which a search for a scale shrinks or grows the largest value of a block."""

from __future__ import annotations

import decimal
import functools
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from ...errors import SpecError
from ...formats.texts import fraction, whole

STEPS = 1024
"""Steps of the longest grid."""
_TOP = 64
"""The largest factor, and the reciprocal of the least."""
_NAME = re.compile(r"(linear|geometric)\(([^(),]+),([^(),]+),(\d+)\)")
_DIGITS = decimal.Context(prec=60)


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """Factors from ``start`` to ``end``, both among them, in ``steps`` steps; in this order.

    ``linear(start,end,steps)``: ``start + i (end - start) / steps``. ``geometric(…)``:
    ``start (end / start)**(i / steps)``. Each is rounded to fp32, once.

    - ``linear(1,0.21,79)``: GPTQ's ``mse`` and llm-compressor's ``maxshrink=0.8`` (their norm is
      the 2.4th power of errors);
    - ``linear(1,0.55,9)``: AWQ's clipping, 20 places down to a half;
    - ``linear(1,1.5,1)``: Transformer Engine's 4-over-6 for E2M1, which maps to 6 or to 4;
    - ``geometric``: LLM-FP4's search of a real-valued bias (arXiv 2310.16836). A bias b is a scale
      ``2**-b``, so equal steps of b, ``b (α + i (β - α) / n)``, are equal ratios of scales:
      ``geometric(2**(b (1 - α)), 2**(b (1 - β)), n)``.

    Parameters
    ----------
    kind : {"linear", "geometric"}
    start, end : Fraction
        From 1/64 to 64.
    steps : int
        1 to 1024.
    """

    kind: str
    start: Fraction
    end: Fraction
    steps: int

    @classmethod
    def parse(cls, value: Any, parameter: str = "grid") -> Grid:
        """Return the grid that a text means; SpecError if it means none."""
        if isinstance(value, Grid):
            return value
        found = _NAME.fullmatch(str(value).lower().replace(" ", ""))
        if found:
            start, end = (fraction(found[n]) or Fraction(0) for n in (2, 3))
            steps = whole(found[4])
            near = all(Fraction(1, _TOP) <= x <= _TOP for x in (start, end))
            if near and 1 <= steps <= STEPS:
                return cls(kind=found[1], start=start, end=end, steps=steps)
        raise SpecError(
            f"{parameter}={value!s}: must be linear(start,end,steps) or "
            f"geometric(start,end,steps), factors from 1/{_TOP} to {_TOP} in 1 to {STEPS} steps"
        )

    def __str__(self) -> str:
        ends = ",".join(_text(x) for x in (self.start, self.end))
        return f"{self.kind}({ends},{self.steps})"

    @property
    def factors(self) -> tuple[np.float32, ...]:
        """All of them, as fp32."""
        return _factors(self)


def _text(x: Fraction) -> str:
    """A decimal where it is one, else a fraction."""
    short = repr(float(x)).removesuffix(".0")
    return short if Fraction(short) == x else str(x)


@functools.cache
def _factors(grid: Grid) -> tuple[np.float32, ...]:
    start, end, steps = grid.start, grid.end, grid.steps
    if grid.kind == "linear":
        return tuple(nearest(start + i * (end - start) / steps) for i in range(steps + 1))
    first, last = (_DIGITS.divide(x.numerator, x.denominator) for x in (start, end))
    ratio = _DIGITS.ln(_DIGITS.divide(last, first))
    powers = (
        _DIGITS.exp(_DIGITS.divide(_DIGITS.multiply(ratio, i), steps)) for i in range(1, steps)
    )
    between = (nearest(Fraction(_DIGITS.multiply(first, power))) for power in powers)
    return (nearest(start), *between, nearest(end))


def nearest(x: Fraction) -> np.float32:
    """Return the fp32 number next to ``x``, which is normal; the even one of two."""
    about = np.float32(float(x))
    beside = (np.nextafter(about, np.float32(side)) for side in (0, np.inf))
    return min((about, *beside), key=lambda y: (abs(Fraction(float(y)) - x), y.view(np.uint32) & 1))
