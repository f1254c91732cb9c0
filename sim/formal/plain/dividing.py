# SPDX-License-Identifier: BSD-2-Clause
"""Quantisation of blocks whose scale has a mantissa: operations that each round to fp32.

The formulas are those of :mod:`macaw.golden.tensors.quantized`. What each operation gives is a wire
with a name that the gates use as well, so that :mod:`macaw.sim.formal.chain` can go from one to the
next. A quotient is found digit by digit, as on paper; a product is one of integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from macaw.golden.formats import Float
from macaw.golden.formats.choices import Overflow, Rounding
from macaw.golden.units import Unit, unit

from ..cases import pairs
from .module import FP32, MODULE, Factor, Words, head
from .operands import lacks_for_elements, modes, operand
from .rounding import Magnitude, to_float

ORDERS = ("paper", "te", "torchao")
LEAST = {"modelopt": Fraction(1, 512), "torchao": Fraction(1, 64), "ct": Fraction(1, 8)}
FEW = 4
"""Digits of a factor up to which ABC decides a product at once."""
DIGITS = 27
"""Of a quotient, of which the first one or none may be zero: fp32 has 24, and two more say where
the rest lies."""


def refuses(unit: Unit) -> str:
    """Why there is no such description; empty if there is."""
    spec: Any = unit
    block, scale = spec.out, spec.out.scale
    if scale.signed or scale.has_inf or not scale.has_nan or not scale.zero:
        return f"has no blocks with scales of {scale.name}, only without sign, with a zero and NaN"
    if block.zero_point is not None:
        return f"has no {block.name}, only blocks without a zero point"
    if block.second_scale is not None and block.second_scale != FP32:
        return f"has no second scale of {block.second_scale.name}, only of fp32"
    if why := lacks_for_elements(unit, scale):
        return why
    if not spec.scale_rule.by_largest:
        return f"has no scale_rule={spec.scale_rule}"
    if str(spec.order) not in ORDERS:
        return f"has no order={spec.order}"
    if spec.statistics:
        return "has no statistics"
    return ""


@dataclass(kw_only=True, slots=True)
class _Text:
    """The lines of a description, and its words."""

    lines: list[str]
    modules: list[str] = field(default_factory=list)
    words: Words = field(default_factory=Words)

    def word(self, name: str, width: int, called: str = "") -> None:
        """Declare a word."""
        self.lines.append(f"wire [{width - 1}:0] {name};")
        self.words.called[name] = called or name

    def rounded(
        self, name: str, total: Magnitude, out: Float, how: Unit, pins: str, into: str
    ) -> None:
        """Round ``m * 2**s`` of the pins (m, s, negative, nan, inf)."""
        part = f"{MODULE}_{name}"
        ports = f"input [{total.width - 1}:0] m, input signed [31:0] s, input negative, nan, inf"
        self.modules += [
            f"module {part}({ports}, output reg [{out.width - 1}:0] o_r);",
            *modes(how),
            *to_float(how, out, total),
            "endmodule",
        ]
        self.lines.append(f"{part} {name}_rounded({pins}, {into});")

    def fp32(self, name: str, called: str = "") -> None:
        """Words of an fp32 code, its sign and the rest, and what it means."""
        called = called or name
        self.word(name, 31, called)
        self.word(f"{name}_negative", 1, f"{called}_sign")
        self.lines.append(f"wire [31:0] {name}_whole = {{{name}_negative, {name}}};")
        self.lines += operand(f"{name}_whole", FP32)

    def times(self, name: str, x: _Number, y: _Number, called: str = "") -> None:
        """``name`` is x times y."""
        a, b = x.name, y.name
        m, s = "m", "s"
        if x.factor and y.factor and min(x.width, y.width) > FEW:
            # Asked in cases, which have the leading one of each in a known place.
            m, s = "n", "t"
            self.words.products[name] = x.factor, y.factor
        self.lines += [
            f"wire {name}_nan = {a}_nan || {b}_nan || {a}_inf && {b}_m == 0"
            f" || {b}_inf && {a}_m == 0;",
            f"wire [{x.width + y.width - 1}:0] {name}_product = {a}_{m} * {b}_{m};",
            f"wire {name}_zero = {a}_m == 0 || {b}_m == 0;",
        ]
        total = Magnitude(
            width=x.width + y.width,
            weight=x.quantum + y.quantum,
            highest=x.highest + y.highest,
        )
        self.fp32(name, called)
        pins = (
            f"{name}_zero ? 0 : {name}_product, {a}_{s} + {b}_{s}, {a}_sign ^ {b}_sign,"
            f" {name}_nan, {a}_inf || {b}_inf"
        )
        self.rounded(name, total, FP32, _how(None), pins, f"{{{name}_negative, {name}}}")

    def over(self, name: str, x: _Number, y: _Number, overflow: Overflow | None = None) -> None:
        """``name`` is x over y."""
        a, b = x.name, y.name
        part = f"{MODULE}_{name}_digits"
        count = DIGITS + y.width - 1
        self.modules += list(_digits(part, x.width, y.width, count))
        self.lines += [
            f"wire {name}_nan = {a}_nan || {b}_nan || {a}_inf && {b}_inf"
            f" || {a}_m == 0 && {b}_m == 0;",
            f"wire [{DIGITS}:0] {name}_digits, {name}_m;",
            f"{part} {name}_divided({a}_n, {b}_n, {name}_digits);",
            f"assign {name}_m = {b}_inf ? 0 : {name}_digits;",
        ]
        # The dividend's digits begin in the place count - width + 1 above its own last one.
        weight = x.quantum + x.width - y.quantum - count - 1
        total = Magnitude(
            width=DIGITS + 1, weight=weight, highest=DIGITS + 1 + x.highest + y.highest
        )
        self.fp32(name)
        pins = (
            f"{name}_m, {a}_t - {b}_t, {a}_sign ^ {b}_sign, {name}_nan,"
            f" {a}_inf || {b}_m == 0 && !{name}_nan"
        )
        self.rounded(name, total, FP32, _how(overflow), pins, f"{{{name}_negative, {name}}}")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Number:
    """A number ``n * 2**(t + quantum)``, the leading one of n in its top place if it has one.

    It is below ``2**(highest + quantum)``, and its wires are the name's with _n, _t, _m, _sign,
    _nan and _inf.
    """

    name: str
    width: int
    quantum: int
    highest: int
    factor: Factor | None = None
    """Where it comes from, if it is a product's factor as cases understand it."""


def _float(text: _Text, name: str, fmt: Float, *parts: tuple[str, int, int]) -> _Number:
    """The wires n and t of what :func:`operand` read, from these parts of a code."""
    width = fmt.mantissa + 1
    factor = Factor(fmt=fmt, parts=parts) if parts and pairs.understood(fmt) else None
    text.lines += [
        f"reg [{width - 1}:0] {name}_n;",
        f"reg signed [31:0] {name}_t;",
        "always @* begin",
        f"{name}_n = {name}_m; {name}_t = {name}_s;",
        f"repeat ({fmt.mantissa}) if (!{name}_n[{width - 1}]) begin",
        f"{name}_n = {name}_n << 1; {name}_t = {name}_t - 1;",
        "end",
        "end",
    ]
    return _Number(
        name=name,
        width=width,
        quantum=fmt.quantum,
        highest=width + (fmt.max_code >> fmt.mantissa),
        factor=factor,
    )


def _result(text: _Text, name: str) -> _Number:
    """An fp32 word."""
    return _float(text, f"{name}_whole", FP32, (name, 0, 31), (f"{name}_negative", 0, 1))


def _constant(text: _Text, name: str, value: Fraction) -> _Number:
    """A positive number that fp32 has."""
    numerator, denominator = value.numerator, value.denominator
    while numerator % 2 == 0:
        numerator //= 2
    width = numerator.bit_length()
    place = (value / numerator).numerator.bit_length() - denominator.bit_length()
    text.lines += [
        f"wire [{width - 1}:0] {name}_n = {numerator}, {name}_m = {numerator};",
        f"wire signed [31:0] {name}_t = 0, {name}_s = 0;",
        f"wire {name}_sign = 0, {name}_nan = 0, {name}_inf = 0;",
    ]
    return _Number(name=name, width=width, quantum=place, highest=width)


def _digits(module: str, wide: int, narrow: int, count: int) -> Iterator[str]:
    """Long division: each digit is 1 where the divisor is in what is left."""
    yield f"module {module}(input [{wide - 1}:0] a, input [{narrow - 1}:0] b,"
    yield f"output reg [{DIGITS}:0] r);"
    yield f"reg [{narrow - 1}:0] rest;"
    yield f"reg [{narrow}:0] trial;"
    yield f"reg [{narrow + 1}:0] less;"
    yield f"reg [{count - 1}:0] bits;"
    yield f"reg [{count - 1}:0] found;"
    yield "integer i;"
    yield "always @* begin"
    yield f"bits = a; bits = bits << {count - wide};"
    yield "rest = 0; found = 0;"
    yield f"for (i = {count - 1}; i >= 0; i = i - 1) begin"
    yield "trial = {rest, bits[i]};"
    yield "less = trial - b;"
    yield f"found[i] = !less[{narrow + 1}];"
    yield "rest = found[i] ? less : trial;"
    yield "end"
    yield f"r = {{found[{DIGITS - 1}:0], rest != 0}};"
    yield "end"
    yield "endmodule"


def _how(overflow: Overflow | None) -> Unit:
    """A conversion to nearest even."""
    return unit("cast", a="fp32", out="fp32", overflow=overflow)


def described(unit: Unit) -> _Text:
    """The description of a quantisation that :func:`refuses` lets pass."""
    spec: Any = unit
    a, scale, element = spec.a, spec.out.scale, spec.out.element
    order, second = str(spec.order), spec.out.second_scale is not None
    lanes = range(spec.size)
    text = _Text(lines=head(unit))
    lines = text.lines
    for i in lanes:
        lines.append(f"wire [{a.width - 1}:0] a{i} = i_a[{a.width * i} +: {a.width}];")
        lines += operand(f"a{i}", a)
    wrong = [f"a{i}_nan || a{i}_inf" for i in lanes]
    encode = decode = None
    if second:
        for name in ("encode", "decode"):
            lines.append(f"wire [31:0] {name} = i_{name};")
            lines += operand(name, FP32)
            wrong.append(f"{name}_sign || {name}_nan || {name}_inf || {name}_m == 0")
        encode = _float(text, "encode", FP32, ("i_encode", 0, 32))
        decode = _float(text, "decode", FP32, ("i_decode", 0, 32))
    lines.append(f"wire wrong = {' || '.join(wrong)};")
    wide = a.width - a.signed
    text.word("amax", wide)
    lines += [
        f"reg [{wide - 1}:0] greatest;",
        "always @* begin",
        "greatest = 0;",
        *(f"if (a{i}_code > greatest) greatest = a{i}_code;" for i in lanes),
        "end",
        "assign amax = greatest;",
        f"wire [{a.width - 1}:0] largest = amax;",
        *operand("largest", a),
    ]
    largest = _float(text, "largest", a, ("amax", 0, wide))
    top = Fraction(element.max)
    one = _constant(text, "one", Fraction(1))
    wanted = _wanted(text, spec, largest, encode, decode, top)
    # The scale.
    text.word("scale", scale.width)
    lines.append(f"wire [{scale.width - 1}:0] fitting;")
    to_scale = _cast("fp32", scale, Rounding.RNE)
    total = Magnitude(width=wanted.width, weight=wanted.quantum, highest=wanted.highest)
    x = wanted.name
    pins = f"{x}_m, {x}_s, {x}_sign, {x}_nan, {x}_inf"
    text.rounded("scale", total, scale, to_scale, pins, "fitting")
    lines.append(f"assign scale = {_least(spec)};")
    lines += operand("scale", scale)
    shared = _float(text, "scale", scale)
    # What values are multiplied with.
    if order == "torchao":
        text.over("reciprocal", encode or one, shared, Overflow.SATURATE)
    else:
        factor = shared
        if decode is not None:
            text.times("factor", shared, decode)
            factor = _result(text, "factor")
        text.over("reciprocal", one, factor, Overflow.SATURATE)
    by = _result(text, "reciprocal")
    to_element = _cast("fp32", element, unit.rounding)
    number = Magnitude(width=24, weight=FP32.quantum, highest=by.highest)
    for i in lanes:
        value = _float(text, f"a{i}", a, ("i_a", a.width * i, a.width))
        name = f"ratio{i}"
        text.times(name, value, by, f"lane{i}_ratio")
        x, width = f"{name}_whole", element.width
        lines.append(f"wire [{width - 1}:0] a{i}_r;")
        pins = f"{x}_m, {x}_s, {x}_sign, {x}_nan, {x}_inf"
        text.rounded(f"element{i}", number, element, to_element, pins, f"a{i}_r")
        lines.append(f"always @* o_r[{width * i} +: {width}] = wrong || scale == 0 ? 0 : a{i}_r;")
    lines.append(f"always @* o_scale = wrong ? {scale.nan_code} : scale;")
    lines.append("endmodule")
    return text


def _cast(a: str, out: Float, rounding: Rounding) -> Unit:
    return unit("cast", a=a, out=out, rounding=rounding, overflow=Overflow.SATURATE)


def _wanted(
    text: _Text, spec: Any, largest: _Number, encode: _Number | None, decode: _Number | None,
    top: Fraction,
) -> _Number:  # fmt: skip
    """The scale before it is rounded to its format."""
    if str(spec.order) == "te":
        inverse = _constant(text, "inverse", _rounded_inverse(top))
        if encode is not None:
            text.times("share", encode, inverse)
            inverse = _result(text, "share")
        text.times("wanted", largest, inverse)
        return _result(text, "wanted")
    text.over("share", largest, _constant(text, "top", top))
    share = _result(text, "share")
    if encode is None or decode is None:
        return share
    if str(spec.order) == "torchao":
        text.over("wanted", share, decode)
    else:
        text.times("wanted", share, encode)
    return _result(text, "wanted")


def _rounded_inverse(value: Fraction) -> Fraction:
    """1 over the value, in fp32."""
    return Fraction(float(np.float32(1) / np.float32(float(value))))


def _least(spec: Any) -> str:
    """The scale's code, no less than the least one."""
    name, scale = str(spec.min_scale), spec.out.scale
    if name == "none":
        return "fitting"
    code = int(scale.encode(float(LEAST[name]), overflow=Overflow.SATURATE))
    low = "fitting == 0" if name == "ct" else f"fitting < {code}"
    return f"({low}) ? {code} : fitting"


def reference(unit: Unit) -> str:
    """The modules of a quantisation that :func:`refuses` lets pass."""
    text = described(unit)
    return "\n".join([*text.lines, *text.modules]) + "\n"


def words(unit: Unit) -> Words:
    """The results of its operations."""
    return described(unit).words
