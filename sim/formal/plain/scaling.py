# SPDX-License-Identifier: BSD-2-Clause
"""Requantisation: an integer times a multiplier and a power of two, rounded by a profile.

The product is written with all the bits that any shift leaves behind its point, and cut there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from macaw.golden.units import Unit

from .module import head

KINDS = ("requantize",)
LEAST, LARGEST = -32, 31
"""Shifts beyond are taken as these."""


def refuses(unit: Unit) -> str:
    """Nothing: there is one of every profile, of fixed factors and of operands."""
    return ""


def reference(unit: Unit) -> str:
    """The module of a requantisation."""
    spec: Any = unit
    out = spec.out
    product = spec.x.width + spec.bits
    # Times any power of two, with a sign.
    width = product + LARGEST - LEAST + 3
    x = f"{{{{{product - spec.x.width}{{{_top(spec.x, 'i_x', spec.x.width)}}}}}, i_x}}"
    multiplier = spec.multiplier if spec.multiplier is not None else "i_multiplier"
    lines = [
        *head(unit),
        f"wire [{product - 1}:0] x = {x};",
        f"wire [{product - 1}:0] product = x * {multiplier};",
        f"wire signed [7:0] given = {'i_shift' if spec.shift is None else spec.shift};",
        f"wire signed [7:0] shift = given < {LEAST} ? {LEAST} : given > {LARGEST} ? {LARGEST} : "
        "given;",
        f"wire negative = {_top(spec.x, 'product', product)};",
        f"reg signed [{width - 1}:0] v, kept;",
        f"reg [{width - 1}:0] rest, half;",
        "always @* begin",
        f"v = {{{{{width - product}{{negative}}}}, product}};",
        *_rounded(spec, width),
        *([_added(out)] if spec.zero_point else []),
        f"if (kept > {out.max_integer}) o_r = {out.max_integer};",
        f"else if (kept < {out.min_integer}) o_r = {out.min_integer};",
        "else o_r = kept;",
        "end",
        "endmodule\n",
    ]
    return "\n".join(lines)


def _top(fmt: Any, name: str, width: int) -> str:
    return f"{name}[{width - 1}]" if fmt.signed else "1'b0"


def _added(out: Any) -> str:
    zero = "$signed(i_zero_point)" if out.signed else "$signed({1'b0, i_zero_point})"
    return f"kept = kept + {zero};"


def _rounded(spec: Any, width: int) -> Iterator[str]:
    """``kept``, the rounded number."""
    profile = str(spec.profile)
    if profile == "tflite_double":
        # By 2**bits, what a left shift gives first; ties up. Then by the rest; ties away.
        yield "v = v << (shift > 0 ? shift : 0);"
        yield from _cut(str(spec.bits), "1'b1", width)
        yield "if (shift < 0) begin"
        yield "v = kept;"
        yield from _cut("(-shift)", f"!v[{width - 1}]", width)
        yield "end"
        return
    yield f"v = v << (shift + {-LEAST});"
    ties = {"hawq": "kept[0]", "truncate": "", "half_away": "!negative"}.get(profile, "1'b1")
    yield from _cut(str(spec.bits - LEAST), ties, width)


def _cut(place: str, tie: str, width: int) -> Iterator[str]:
    """``v`` without its last ``place`` bits; where they are a half, more by one if ``tie``."""
    yield f"kept = v >>> {place};"
    if tie:
        yield f"half = {width}'d1 << ({place} - 1);"
        yield f"rest = v & (({width}'d1 << {place}) - 1);"
        yield f"if (rest > half || rest == half && {tie}) kept = kept + 1;"
