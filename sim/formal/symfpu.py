# SPDX-License-Identifier: BSD-2-Clause
"""Yosys' ``symfpu`` pass as a reference: IEEE 754 operations of any width, which others wrote.

It is the symbolic floating point of Brain, Schanda and Sun, "Building Better Bit-Blasting for
Floating-Point Problems" (TACAS 2019), which shares nothing with macaw. Only what both define is
compared: its NaN becomes macaw's canonical one.
"""

from __future__ import annotations

from typing import TypeGuard

from macaw.golden.formats import Float, Format
from macaw.golden.formats.choices import Rounding
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
_MODES = {
    Rounding.RNE: "RNE",
    Rounding.RNA: "RNA",
    Rounding.RUP: "RTP",
    Rounding.RDN: "RTN",
    Rounding.RTZ: "RTZ",
}

LEAST = 3
"""Bits of the mantissa below which the pass fails (in Yosys 0.70)."""


def refuses(unit: Unit) -> str:
    """Why the pass has no such operation; empty if it has."""
    if unit.kind not in _OPERATIONS:
        return f"has no {unit.kind}"
    formats = {operand.format for name, operand in unit.ports.inputs.items() if name in "abc"}
    formats.add(unit.ports.outputs["r"].format)
    if len(formats) > 1:
        return "has one format for operands and result"
    (fmt,) = formats
    if not _ieee(fmt):
        return f"has no {fmt.name}, only formats of IEEE 754's kind"
    if fmt.mantissa < LEAST:
        return f"takes significands of {LEAST} bits and more after the point, not {fmt.name}"
    if unit.rounding not in _MODES:
        return f"has no rounding={unit.rounding}"
    if unit.overflow is not None:
        return f"has no overflow={unit.overflow}"
    if getattr(unit, "product", None) not in (None, "exact"):
        return f"has no product={getattr(unit, 'product', None)}"
    if getattr(unit, "flags", False):
        return "does not tell signalling NaNs, and so not the flags of operations on them"
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
    operation, operands = _OPERATIONS[unit.kind]
    if getattr(unit, "subtract", False):
        operation = "sub"
    fmt = unit.ports.outputs["r"].format
    assert isinstance(fmt, Float)
    high, fraction = fmt.width - 1, fmt.mantissa
    wires = [f"input [{high}:0] i_{name}" for name in operands]
    pins = [f".{name}(i_{name})" for name in operands]
    pins += [f".{name}({fmt.width}'d0)" for name in "abc" if name not in operands]
    verilog = f"""\
module macaw_symfpu({", ".join(wires)}, output [{high}:0] o_r);
  wire [{high}:0] o;
  symfpu model({", ".join(pins)}, .rm(5'd0), .o(o));
  wire nan = &o[{high - 1}:{fraction}] & |o[{fraction - 1}:0];
  assign o_r = nan ? {fmt.width}'d{fmt.nan_code} : o;
endmodule
"""
    options = f"-eb {fmt.exponent} -sb {fraction + 1} -op {operation} -rm {_MODES[unit.rounding]}"
    # Its assertions are of its authors', on what it computes within.
    before = f"symfpu {options}\ndelete t:$assert"
    return Source(module="macaw_symfpu", verilog=verilog, before=before)
