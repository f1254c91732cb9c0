# SPDX-License-Identifier: BSD-2-Clause
"""Yosys' ``symfpu`` pass as a reference: IEEE 754 operations of any width, which others wrote.

It is the symbolic floating point of Brain, Schanda and Sun, "Building Better Bit-Blasting for
Floating-Point Problems" (TACAS 2019), which shares nothing with macaw. Only what both define is
compared: its NaN becomes macaw's canonical one, and that a signalling one is invalid is added.
"""

from __future__ import annotations

from typing import TypeGuard

from macaw.golden.formats import Float, Format
from macaw.golden.formats.choices import Rounding, Tininess
from macaw.golden.formats.scalar import Specials, Subnormals
from macaw.golden.units import Unit

from .miter import Source

_OPERATIONS = {
    "mul": ("mul", ("a", "b")),
    "add": ("add", ("a", "b")),
    "fma": ("muladd", ("a", "b", "c")),
    "div": ("div", ("a", "b")),
    "sqrt": ("sqrt", ("a",)),
}
_TESTS = ("compare", "minimum", "maximum", "classify")
_MODES = {
    Rounding.RNE: "RNE",
    Rounding.RNA: "RNA",
    Rounding.RUP: "RTP",
    Rounding.RDN: "RTN",
    Rounding.RTZ: "RTZ",
    Rounding.ROD: "RTZ",
    Rounding.DYNAMIC: "DYN",
}
"""The pass's. To odd is to zero, with a last bit that tells whether something is lost."""
_ORDER = ("RNE", "RNA", "RTP", "RTN", "RTZ")
"""Of the bits of its input."""

LEAST = 3
"""Bits of the mantissa below which the pass fails (in Yosys 0.70)."""


def refuses(unit: Unit) -> str:
    """Why the pass has no such operation; empty if it has."""
    if unit.kind not in (*_OPERATIONS, *_TESTS):
        return f"has no {unit.kind}"
    formats = {operand.format for name, operand in unit.ports.inputs.items() if name in "abc"}
    if unit.kind in _OPERATIONS:
        formats.add(unit.ports.outputs["r"].format)
    if len(formats) > 1:
        return "has one format for operands and result"
    (fmt,) = formats
    if not _ieee(fmt):
        return f"has no {fmt.name}, only formats of IEEE 754's kind"
    if fmt.mantissa < LEAST:
        return f"takes significands of {LEAST} bits and more after the point, not {fmt.name}"
    if unit.kind in _TESTS:
        return ""
    if unit.rounding not in _MODES:
        return f"has no rounding={unit.rounding}"
    if unit.overflow is not None:
        return f"has no overflow={unit.overflow}"
    if getattr(unit, "product", None) not in (None, "exact"):
        return f"has no product={getattr(unit, 'product', None)}"
    tininess = getattr(unit, "tininess", Tininess.AFTER)
    if getattr(unit, "flags", False) and tininess is not Tininess.AFTER:
        return f"has no tininess={tininess}"
    return ""


def _ieee(fmt: Format) -> TypeGuard[Float]:
    return (
        isinstance(fmt, Float)
        and fmt.specials is Specials.IEEE
        and fmt.subnormals is Subnormals.GRADUAL
        and fmt.signed
        and fmt.bias == (1 << (fmt.exponent - 1)) - 1
    )


def reference(unit: Unit) -> Source:
    """A module with the ports of the unit, of operations that :func:`refuses` lets pass."""
    makers = {"compare": _compared, "classify": _classified, "minimum": _chosen, "maximum": _chosen}
    make = makers.get(unit.kind, _computed)
    options, lines = make(unit)
    sides = {"input": unit.ports.inputs, "output": unit.ports.outputs}
    ports = [
        f"{side} [{port.format.width - 1}:0] {side[0]}_{name}"
        for side, found in sides.items()
        for name, port in found.items()
    ]
    fmt = unit.ports.inputs["a"].format
    assert isinstance(fmt, Float)
    size = f"-eb {fmt.exponent} -sb {fmt.mantissa + 1}"
    # Its assertions are of its authors', on what it computes within.
    return Source(
        module="macaw_symfpu",
        verilog="\n".join([f"module macaw_symfpu({', '.join(ports)});", *lines, "endmodule\n"]),
        before=f"symfpu {options} {size}\ndelete t:$assert",
    )


def _computed(unit: Unit) -> tuple[str, list[str]]:
    """An operation with a rounded result; its NaN becomes macaw's."""
    operation, operands = _OPERATIONS[unit.kind]
    if getattr(unit, "subtract", False):
        operation = "sub"
    fmt = unit.ports.outputs["r"].format
    assert isinstance(fmt, Float)
    pins = [f".{name}(i_{name})" for name in operands]
    pins += [f".{name}({fmt.width}'d0)" for name in "abc" if name not in operands]
    pins += [f".{name}({name})" for name in ("o", "NV", "DZ", "OF", "UF", "NX", "rm")]
    odd, *modes = _directions(unit)
    last = f"{{{fmt.width - 1}'d0, NX & ({odd})}}"
    lines = [
        f"wire [{fmt.width - 1}:0] o;",
        f"wire [4:0] rm = {{{', '.join(modes[::-1])}}};",
        "wire NV, DZ, OF, UF, NX;",
        f"symfpu model({', '.join(pins)});",
        f"assign o_r = {_is('nan', 'o', fmt)} ? {fmt.width}'d{fmt.nan_code} : o | {last};",
    ]
    if "flags" in unit.ports.outputs:
        division = "DZ, " if unit.kind == "div" else ""
        invalid = " | ".join(["NV", *_signalling(unit, fmt)])
        if unit.kind == "fma":
            # IEEE 754-2019, 7.2 c, leaves open whether this is with a quiet NaN as addend.
            for x, y in (("i_a", "i_b"), ("i_b", "i_a")):
                invalid += f" | {_is('inf', x, fmt)} & ~|{y}[{fmt.width - 2}:0]"
        lines.append(f"assign o_flags = {{{division}{invalid}, OF, UF, NX}};")
    return f"-op {operation} -rm {_MODES[unit.rounding]}", lines


def _directions(unit: Unit) -> list[str]:
    """Whether it is rounded to odd, and whether in each of the pass's directions."""
    codes = {code: Rounding.from_code(code) for code in range(8)}
    if unit.rounding is not Rounding.DYNAMIC:
        codes = {0: unit.rounding}

    def some(found: list[int]) -> str:
        fixed = unit.rounding is not Rounding.DYNAMIC
        return " | ".join("1'b1" if fixed else f"i_rm == {code}" for code in found) or "1'b0"

    odd = [code for code, mode in codes.items() if mode is Rounding.ROD]
    each = ([code for code, mode in codes.items() if _MODES[mode] == name] for name in _ORDER)
    return [some(odd), *(some(found) for found in each)]


def _compared(unit: Unit) -> tuple[str, list[str]]:
    fmt = unit.ports.inputs["a"].format
    assert isinstance(fmt, Float)
    lines = [
        "symfpu model(.a(i_a), .b(i_b), .ieee754Equal(o_equal[0]), .lessThan(o_less[0]));",
        f"assign o_unordered = {_is('nan', 'i_a', fmt)} | {_is('nan', 'i_b', fmt)};",
    ]
    if "flags" in unit.ports.outputs:
        invalid = ["o_unordered"] if getattr(unit, "signaling", False) else _signalling(unit, fmt)
        lines.append(f"assign o_flags = {{{' | '.join(invalid)}, 3'd0}};")
    return "-compare", lines


def _chosen(unit: Unit) -> tuple[str, list[str]]:
    """The lesser or greater by the comparison: the pass leaves open which of two zeros."""
    fmt = unit.ports.inputs["a"].format
    assert isinstance(fmt, Float)
    a, b = (_is("nan", x, fmt) for x in ("i_a", "i_b"))
    nan = f"{fmt.width}'d{fmt.nan_code}"
    either, least = f"{a} | {b} ? {nan}", unit.kind == "minimum"
    if getattr(unit, "number", False):
        either = f"{a} & {b} ? {nan} : {a} ? i_b : {b} ? i_a"
    x, y, same = ("i_a", "i_b", "|") if least else ("i_b", "i_a", "&")
    lines = [
        "wire equal, less;",
        "symfpu model(.a(i_a), .b(i_b), .ieee754Equal(equal), .lessThan(less));",
        f"assign o_r = {either} : equal ? i_a {same} i_b : less ? {x} : {y};",
    ]
    if "flags" in unit.ports.outputs:
        lines.append(f"assign o_flags = {{{' | '.join(_signalling(unit, fmt))}, 3'd0}};")
    return "-compare", lines


def _classified(unit: Unit) -> tuple[str, list[str]]:
    fmt = unit.ports.inputs["a"].format
    assert isinstance(fmt, Float)
    names = ("Infinite", "Normal", "Subnormal", "Zero", "NaN", "Negative", "Positive")
    of_sign = [("Negative", each) for each in names[:4]]
    of_sign += [("Positive", each) for each in names[3::-1]]
    lines = [f"wire {', '.join(names)};"]
    lines.append(f"symfpu model(.a(i_a), {', '.join(f'.is{name}({name})' for name in names)});")
    lines += [f"assign o_r[{n}] = {x} & {y};" for n, (x, y) in enumerate(of_sign)]
    (signalling,) = _signalling(unit, fmt)
    lines.append(f"assign o_r[8] = {signalling};")
    lines.append("assign o_r[9] = NaN & ~o_r[8];")
    return "-classify", lines


def _is(what: str, x: str, fmt: Float) -> str:
    field, fraction = f"{x}[{fmt.width - 2}:{fmt.mantissa}]", f"{x}[{fmt.mantissa - 1}:0]"
    return f"(&{field} & {'|' if what == 'nan' else '~|'}{fraction})"


def _signalling(unit: Unit, fmt: Float) -> list[str]:
    """Which operands are NaNs that make any operation invalid: the pass has but one NaN."""
    names = [f"i_{name}" for name in unit.ports.inputs if name in "abc"]
    return [f"({_is('nan', x, fmt)} & ~{x}[{fmt.mantissa - 1}])" for x in names]
