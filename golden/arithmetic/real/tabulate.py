# SPDX-License-Identifier: BSD-2-Clause
"""A function of every number of a format, exact or jammed: what rounding then needs."""

from __future__ import annotations

import functools
from fractions import Fraction
from typing import Any

import numpy as np

from ...formats.choices import Nan, Overflow, Rounding
from ...formats.scalar import Format
from ..exact import INF, INVALID, NAN, Exact, kinds, unpack
from ..projection import Direction, project
from .enclosures import Arithmetic
from .functions import parse
from .magnitudes import Beside, Magnitude

BITS = 62
"""Of significands, the last one jammed: formats of at most 60 bits are rounded to."""
_DIGITS = 28
"""What evaluation begins with; twice as many where they do not tell the bits."""


@functools.lru_cache(maxsize=64)
def tabulated(name: str, fmt: Format) -> Exact:
    """Return values of a function, one for each code of ``fmt``, in their order.

    Outside its domain the result is a NaN of an invalid operation.

    Parameters
    ----------
    name : str
        As :func:`~.functions.parse` takes it.
    fmt : Format
        At most 16 bits wide.
    """
    function = parse(name)
    values = unpack(np.arange(1 << fmt.width, dtype=fmt.code_dtype), fmt)
    exponents = np.broadcast_to(values.exponent, values.shape)
    rows = []
    known: dict[Fraction, tuple[Any, ...]] = {}
    for significand, exponent, negative, kind in zip(
        values.significand.tolist(),
        exponents.tolist(),
        values.negative.tolist(),
        kinds(values).tolist(),
        strict=True,
    ):
        if kind & NAN:
            rows.append((1, 0, negative, kind))
        elif kind & INF:
            rows.append(special(function.limits[0 if negative else 1]))
        elif not significand:
            row = special(function.zero)
            rows.append((*row[:2], row[2] ^ (negative and function.odd), row[3]))
        else:
            x = (-1 if negative else 1) * significand * Fraction(2) ** exponent
            if x not in known:
                real = function.value(x)
                known[x] = _nan() if real is None else (*truncated(real[1]), real[0], 0)
            rows.append(known[x])
    significands, exponent, negative, kind = zip(*rows, strict=True)
    found = np.array(kind, np.uint8)
    return Exact(
        significand=np.array(significands, np.uint64),
        exponent=np.array(exponent, np.int64),
        negative=np.array(negative, bool),
        kind=found if found.any() else None,
        low=min(exponent),
        high=max(e + s.bit_length() for s, e in zip(significands, exponent, strict=True)),
        bits=BITS,
    )


@functools.lru_cache(maxsize=256)
def results(
    name: str,
    fmt: Format,
    out: Format,
    rounding: Rounding,
    overflow: Overflow | None,
    nan: Nan | None,
) -> np.ndarray:
    """Return the codes in ``out`` of a function of each code of ``fmt``, in their order.

    What rounds, overflows and becomes of a NaN is as for
    :func:`~macaw.golden.arithmetic.projection.project`.
    """
    return project(tabulated(name, fmt), out, Direction(rounding), overflow, False, nan)[0]


def _nan() -> tuple[int, int, bool, int]:
    return 1, 0, False, int(NAN | INVALID)


def special(value: Any) -> tuple[int, int, bool, int]:
    """Return (significand, exponent, negative, kind) of a limit, as a function has it."""
    if not isinstance(value, str):
        if not isinstance(value, Fraction):
            return (*truncated(value), False, 0)
        return (*truncated(abs(value)), value < 0, 0)
    negative, word = value.startswith("-"), value.removeprefix("-")
    if word == "nan":
        return _nan()
    return (1, 0, negative, int(INF)) if word == "inf" else (0, 0, negative, 0)


def truncated(magnitude: Magnitude) -> tuple[int, int]:
    """(significand, exponent) of a magnitude that is not negative: 62 bits, the last one jammed."""
    if isinstance(magnitude, Fraction):
        return _jammed(magnitude)
    if isinstance(magnitude, Beside):
        significand, exponent = _jammed(magnitude.value)
        up = BITS - significand.bit_length()
        significand, exponent = significand << up, exponent - up
        # Below a power of two all bits are ones.
        return (significand | 1 if magnitude.more else significand - 1), exponent
    digits = _DIGITS
    while True:
        found = magnitude(Arithmetic(digits))
        if found.low > 0:
            low, high = (_jammed(Fraction(end)) for end in (found.low, found.high))
            # An irrational number is never at a place itself.
            if (low[0] | 1, low[1]) == (high[0] | 1, high[1]):
                return low[0] | 1, low[1]
        digits *= 2


def _jammed(value: Fraction) -> tuple[int, int]:
    if not value:
        return 0, 0
    numerator, denominator = value.numerator, value.denominator
    shift = BITS - numerator.bit_length() + denominator.bit_length()
    up, down = max(shift, 0), max(-shift, 0)
    significand, rest = divmod(numerator << up, denominator << down)
    if significand.bit_length() > BITS:
        rest |= significand & 1
        significand >>= 1
        shift -= 1
    significand |= rest != 0
    if not rest:
        # As few bits as there are: small numbers stay multiples of what they are made of.
        zeros = (significand & -significand).bit_length() - 1
        significand, shift = significand >> zeros, shift - zeros
    return significand, -shift
