# SPDX-License-Identifier: BSD-2-Clause
"""Quantisation of blocks whose scale is a power of two: the scale, and elements rounded once.

The exponent of the scale is that of the largest magnitude's leading one, as an integer; an element
is its value with this subtracted from its place, and rounded like any sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from macaw.golden.formats import Float
from macaw.golden.units import Unit

from . import dividing
from .module import MODULE, head
from .operands import lacks_for_elements, modes, operand
from .rounding import Magnitude, to_float

KINDS = ("block-quantize",)
ELEMENT = f"{MODULE}_element"
"""The module that rounds one element."""


def refuses(unit: Unit) -> str:
    """Why there is no such description; empty if there is."""
    spec: Any = unit
    block, scale = spec.out, spec.out.scale
    if not block.power_of_two:
        return dividing.refuses(unit)
    if not isinstance(scale, Float) or scale.signed:
        return f"has no blocks with scales of {scale.name}, only of floats without sign"
    if block.zero_point is not None or block.second_scale is not None or scale.has_inf:
        return f"has no {block.name}, only blocks with one scale"
    if why := lacks_for_elements(unit):
        return why
    if spec.statistics:
        return "has no statistics"
    return ""


def reference(unit: Unit) -> str:
    """The modules of a quantisation that :func:`refuses` lets pass."""
    spec: Any = unit
    if not spec.out.power_of_two:
        return dividing.reference(unit)
    a, scale, element = spec.a, spec.out.scale, spec.out.element
    lanes = range(spec.size)
    wrong = " || ".join(f"a{i}_nan || a{i}_inf" for i in lanes)
    least, most = int(scale.zero), scale.max_code
    wide = a.width - a.signed
    lines = [
        *head(unit),
        *(line for i in lanes for line in _lane(f"a{i}", a, i)),
        f"wire wrong = {wrong if scale.has_nan else chr(49) + chr(39) + 'b0'};",
        f"reg [{wide - 1}:0] largest;",
        f"reg [{a.mantissa}:0] m;",
        f"reg [{a.mantissa + 3}:0] n;",
        "reg signed [31:0] e, top, code;",
        "integer i;",
        "always @* begin",
        "largest = 0;",
        *(f"if ({_counts(spec, i)} && a{i}_code > largest) largest = a{i}_code;" for i in lanes),
        f"e = largest >> {a.mantissa};",
        f"m = {{e != 0, largest[{a.mantissa - 1}:0]}};" if a.mantissa else "m = e != 0;",
        f"e = (e != 0 ? e - 1 : 0) + ({a.quantum});",
        *_exponent(spec),
        f"code = top + {scale.bias - _power(element)};",
        f"if (code > {most}) code = {most};",
        f"if (code < {least}) code = {least};",
        f"o_scale = wrong ? {scale.nan_code or 0} : largest == 0 ? 0 : code;",
        "end",
        *(line for i in lanes for line in _element(spec, i)),
        "endmodule",
        *_rounds(unit),
    ]
    return "\n".join(lines) + "\n"


def _lane(name: str, fmt: Float, lane: int) -> Iterator[str]:
    yield f"wire [{fmt.width - 1}:0] {name} = i_a[{fmt.width * lane} +: {fmt.width}];"
    yield from operand(name, fmt)


def _counts(spec: Any, lane: int) -> str:
    """Whether a value is one that the scale is for."""
    return "1'b1" if spec.out.scale.has_nan else f"!a{lane}_nan && !a{lane}_inf"


def _power(element: Float) -> int:
    """The exponent of the largest power of two that an element can be."""
    return (element.max_code >> element.mantissa) - element.bias


def _exponent(spec: Any) -> Iterator[str]:
    """``top``, that of the largest magnitude as the rule has it."""
    a, element = spec.a, spec.out.element
    yield "top = 0;"
    yield "n = m;"
    if str(spec.scale_rule) == "even":
        # And half an element's last place, that of a number with this leading one.
        yield f"for (i = 0; i <= {a.mantissa}; i = i + 1) if (m[i]) top = i;"
        half = element.mantissa + 1
        yield f"n = ((m << {half}) + (1 << top)) >> {half};"
    yield f"for (i = 0; i <= {a.mantissa + 1}; i = i + 1) if (n[i]) top = i;"
    if str(spec.scale_rule) == "ceil":
        yield "top = top + (m != (1 << top));"
    if str(spec.scale_rule) == "rceil":
        # More than the largest element at this exponent; its digits are those of its code.
        fraction = element.max_code & ((1 << element.mantissa) - 1)
        digits = Fraction((1 << element.mantissa) + fraction, 1 << element.mantissa)
        yield f"top = top + (m * {digits.denominator} > {digits.numerator} << top);"
    yield "top = top + e;"


def _element(spec: Any, lane: int) -> Iterator[str]:
    x, width = f"a{lane}", spec.out.element.width
    yield f"wire [{width - 1}:0] {x}_r;"
    place = f"{x}_s + ({spec.a.quantum}) - (code - {spec.out.scale.bias})"
    specials = f"{x}_nan, {x}_inf"
    yield f"{ELEMENT} {x}_rounded({x}_m, {place}, {x}_sign, {specials}, {x}_r);"
    none = "wrong || largest == 0"
    if not spec.out.scale.has_nan:
        none = f"largest == 0 && !({x}_nan || {x}_inf)"
    yield f"always @* o_r[{width * lane} +: {width}] = ({none}) ? 0 : {x}_r;"


def _rounds(unit: Unit) -> Iterator[str]:
    """A module of the number ``m * 2**s``."""
    spec: Any = unit
    a, element = spec.a, spec.out.element
    ports = f"input [{a.mantissa}:0] m, input signed [31:0] s, input negative, nan, inf"
    yield f"module {ELEMENT}({ports}, output reg [{element.width - 1}:0] o_r);"
    yield from modes(unit)
    # Where the scale could not be larger, a value may be as large as any.
    highest = 2 + (a.max_code >> a.mantissa) + (spec.out.scale.max_code >> 0)
    total = Magnitude(width=a.mantissa + 1, weight=0, highest=highest)
    yield from to_float(unit, element, total)
    yield "endmodule"
