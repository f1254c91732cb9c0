# SPDX-License-Identifier: BSD-2-Clause
"""A magnitude that is rounded once: the last part of a second description of a sum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from macaw.golden.formats import Fixed, Float
from macaw.golden.formats.choices import Nan, Overflow
from macaw.golden.units import Unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Magnitude:
    """The wires m and s of the number ``m * 2**(s + weight)``, beside nan, inf and negative.

    ``width`` is that of m, and the number is below ``2**(highest + weight)``.
    """

    width: int
    weight: int
    highest: int


def _rounding(width: int) -> Iterator[str]:
    """kept, and what is added to it, of v at its place u, whose last bit is odd."""
    yield "half = v >> (u - 1);"
    yield f"rest = (v & (({width}'d1 << (u - 1)) - 1)) != 0;"
    yield "inexact = half || rest;"
    yield "more = rne && half && (rest || odd) || rna && half;"
    yield "more = more || inexact && (rup && !negative || rdn && negative);"


def _registers(width: int, result: int) -> Iterator[str]:
    yield f"reg [{width - 1}:0] v;"
    yield f"reg [{result - 1}:0] kept, result;"
    yield "reg half, rest, inexact, odd, more, over, below, tiny;"
    yield "reg signed [31:0] top, at, u;"
    yield "integer i;"


def to_float(unit: Unit, out: Float, total: Magnitude) -> Iterator[str]:
    """The result as a float."""
    # As far to the left as a result needs that is exact and has its last bit right of m's.
    pad = out.mantissa + 1
    width = total.width + pad
    least = out.quantum - total.weight
    result = (
        max(total.weight + total.highest - out.quantum, 1).bit_length()
        + out.mantissa
        + out.exponent
        + 2
    )
    magnitude = out.exponent + out.mantissa
    inf = out.max_code if out.inf_code is None else out.inf_code
    nan = _nan(unit, out)
    yield from _registers(width, result)
    yield "always @* begin"
    yield f"v = m; v = v << {pad};"
    yield "top = 0;"
    yield f"for (i = 0; i < {total.width}; i = i + 1) if (m[i]) top = i;"
    # The place of the result's last bit is that of the largest, or of all subnormal ones.
    yield f"at = top + $signed(s) - {out.mantissa} - ({least});"
    yield "at = at < 0 || m == 0 ? 0 : at;"
    yield f"u = at + ({least}) - $signed(s) + {pad};"
    yield f"u = u > {width + 1} ? {width + 1} : u;"
    yield f"result = at; result = (result << {out.mantissa}) + (v >> u);"
    # Without a zero the least number has the code 0, and no less is rounded to another one.
    low = int(not out.zero)
    yield f"odd = result[0] ^ {low};"
    yield from _rounding(width)
    yield "result = result + more;"
    yield f"tiny = {low} && result == 0;"
    yield f"result = tiny ? 0 : result - {low};"
    yield "if (rod && inexact && !tiny) result[0] = 1;"
    yield f"over = result > {out.max_code};"
    outside = str(inf) if out.has_inf else str(nan)
    kept = out.max_code if unit.overflow is Overflow.SATURATE else inf
    yield f"if (over) result = ({_beyond(unit, out)}) ? {outside} : {out.max_code};"
    yield f"if (inf) result = {kept};"
    # A number below zero that is rounded to none of an unsigned format.
    left = "result" if out.zero else "m"
    yield f"below = {int(not out.signed)} && negative && (inf || {left} != 0);"
    yield "if (below) result = 0;"
    signed = "negative"
    if out.nan_for_negative_zero:
        signed = "negative && result != 0"
    yield f"o_r = result[{magnitude - 1}:0];"
    if out.signed:
        yield f"o_r[{magnitude}] = {signed};"
    lost = []
    if not out.has_inf and unit.overflow is Overflow.NONFINITE:
        lost = ["(over || inf) && !below"]
    if not out.has_inf and unit.overflow is Overflow.DIRECTED:
        lost = [f"(over && ({_beyond(unit, out)}) || inf) && !below"]
    if unit.overflow is Overflow.DIRECTED:
        lost.append("below && (inf || !(rtz || rup))")
    elif unit.overflow not in (Overflow.SATURATE, Overflow.PROPAGATE):
        lost.append("below")
    yield f"if ({' || '.join(['nan', *lost])}) o_r = {nan};"
    yield "end"


def _beyond(unit: Unit, out: Float) -> str:
    """Whether what is larger than all numbers becomes something else than the largest one."""
    if unit.overflow in (None, Overflow.DIRECTED):
        away = ["rne", "rna", "(negative ? rdn : rup)"]
        if unit.overflow is not None and not (out.has_inf and out.max_code & 1):
            away.append("rod")
        return " || ".join(away)
    return str(int(unit.overflow is Overflow.NONFINITE))


def to_fixed(unit: Unit, out: Fixed, total: Magnitude) -> Iterator[str]:
    """The result as an integer or in fixed point."""
    place = -out.fraction - total.weight
    pad = max(0, 1 - place)
    width = max(total.highest + pad, place + pad + out.width) + 2
    highest, lowest = out.max_integer, -out.min_integer
    yield from _registers(width, width + 1)
    yield "always @* begin"
    yield f"v = m; v = v << (s + {pad});"
    yield f"u = {place + pad};"
    yield "result = v >> u;"
    yield "odd = result[0];"
    yield from _rounding(width)
    yield "result = result + more;"
    yield "if (rod && inexact) result[0] = 1;"
    yield f"over = result > (negative ? {width}'d{lowest} : {width}'d{highest}) || inf;"
    yield "o_r = negative ? -result : result;"
    wraps = "!inf" if unit.overflow is Overflow.WRAP else "1'b0"
    yield f"if (over && !({wraps})) o_r = negative ? -{width}'d{lowest} : {width}'d{highest};"
    yield f"if (nan) o_r = {out.width}'d{_nan(unit, out)};"
    yield "end"


def _nan(unit: Unit, out: Float | Fixed) -> int:
    """What a NaN is in ``out``, or becomes."""
    becomes = getattr(unit, "nan", None)
    if isinstance(out, Float) and out.nan_code is not None:
        return out.nan_code
    if becomes is Nan.ZERO:
        return 0
    if becomes is Nan.NEGATIVE_ZERO:
        return 1 << (out.width - 1)
    return out.max_code if isinstance(out, Float) else out.max_integer
