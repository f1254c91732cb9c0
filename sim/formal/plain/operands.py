# SPDX-License-Identifier: BSD-2-Clause
"""The operands of a second description as integers with a shift, and its directions of rounding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.formats.choices import Rounding
from macaw.golden.formats.scalar import Subnormals
from macaw.golden.units import Unit


def lacks(fmt: Format) -> str:
    """Why codes of a format are not read; empty if they are."""
    if isinstance(fmt, Fixed):
        return ""
    if not isinstance(fmt, Float) or not fmt.exponent:
        return f"has no {fmt.name}"
    if fmt.subnormals is not Subnormals.GRADUAL and fmt.zero:
        return f"has only formats with subnormals, not {fmt.name}"
    return ""


def lacks_for_elements(unit: Unit, *formats: Format) -> str:
    """Why what quantises to blocks of floats is not described: for its elements, the values, these
    formats, or the rounding; empty for nothing of these."""
    spec: Any = unit
    element = spec.out.element
    if not isinstance(element, Float) or not element.signed or not element.zero:
        return f"has no elements of {element.name}, only of floats with a sign and a zero"
    for fmt in (spec.a, *formats, element):
        if why := lacks(fmt):
            return why
    if not spec.a.zero:
        return f"has no values without a zero, as of {spec.a.name}"
    if unit.rounding.stochastic or unit.rounding is Rounding.DYNAMIC:
        return f"has no rounding={unit.rounding}"
    return ""


def modes(unit: Unit) -> Iterator[str]:
    """Which direction it is, a wire of each name."""
    for mode in ("rne", "rna", "rtz", "rup", "rdn", "rod"):
        chosen = "1'b0"
        if unit.rounding is Rounding.DYNAMIC:
            codes = [code for code in range(8) if Rounding.from_code(code) == mode]
            chosen = " | ".join(f"i_rm == {code}" for code in codes)
        elif unit.rounding == mode:
            chosen = "1'b1"
        yield f"wire {mode} = {chosen};"


def operand(x: str, fmt: Format) -> Iterator[str]:
    """Of the code ``x`` its wires sign, nan, inf, and the magnitude ``m * 2**s`` in quanta."""
    yield from _float(x, fmt) if isinstance(fmt, Float) else _fixed(x, fmt)


def _float(x: str, fmt: Float) -> Iterator[str]:
    magnitude = fmt.exponent + fmt.mantissa
    field = f"{x}_code[{magnitude - 1}:{fmt.mantissa}]"
    fraction = f", {x}_code[{fmt.mantissa - 1}:0]" if fmt.mantissa else ""
    infinite = f"{x}_code == {fmt.inf_code}" if fmt.has_inf else "1'b0"
    yield f"wire [{magnitude - 1}:0] {x}_code = {x};"
    yield f"wire {x}_sign = {f'{x}[{magnitude}]' if fmt.signed else '1' + chr(39) + 'b0'};"
    yield f"wire {x}_inf = {infinite};"
    if fmt.nan_for_negative_zero:
        yield f"wire {x}_nan = {x} == {fmt.nan_code};"
    else:
        yield f"wire {x}_nan = {x}_code > {fmt.max_code} && !{x}_inf;"
    normal = f"{field} != 0" if fmt.zero else "1'b1"
    yield f"wire [{fmt.mantissa}:0] {x}_m = {{{normal}{fraction}}};"
    yield f"wire [31:0] {x}_s = {field} == 0 ? 0 : {field} - {int(fmt.zero)};"


def _fixed(x: str, fmt: Format) -> Iterator[str]:
    assert isinstance(fmt, Fixed)
    yield f"wire {x}_sign = {f'{x}[{fmt.width - 1}]' if fmt.signed else '1' + chr(39) + 'b0'};"
    yield f"wire {x}_nan = 1'b0, {x}_inf = 1'b0;"
    yield f"wire [{fmt.width - 1}:0] {x}_m = {x}_sign ? -{x} : {x};"
    yield f"wire [31:0] {x}_s = 0;"
