# SPDX-License-Identifier: BSD-2-Clause
"""Integer functions of one number: square root, powers, GELU."""

from __future__ import annotations

from collections.abc import Iterator

from macaw.golden.units import Unit, unit

from ..rules.parameters import Rules
from .case import BULK, FUNCTION_CHOICES, Case, every_code, everywhere, in_bulk, in_cocotb

RULES: Rules = {
    ("isqrt", "x"): lambda draw: draw.fixed(signed=False, widest=64),
    ("int-gelu", "x"): lambda draw: draw.fixed(signed=True),
    "shift": lambda draw: draw.maybe(lambda: draw.integer(0, 14)),
    "precision": lambda draw: draw.maybe(lambda: draw.integer(4, 24), 0.7),
    "base": lambda draw: draw.one("2", "e"),
}

# of few operand bits, every code
SMALL: dict[str, Unit] = {
    "isqrt_uint16": unit("isqrt", x="uint16"),
    "isqrt_ufx9.4": unit("isqrt", x="ufx9.4"),
    "exp2_fx16.10": unit("int-exp2", x="fx16.10"),
    "exp2_fx16.13": unit("int-exp2", x="fx16.13", precision=10),
    "exp2_ufx12.5": unit("int-exp2", x="ufx12.5", precision=8),
    "exp2_fx10.12": unit("int-exp2", x="fx10.12", precision=20),
    "exp2_fx16.11_e": unit("int-exp2", x="fx16.11", base="e"),
    "exp2_fx16.11_fp16": unit("int-exp2", x="fx16.11", out="fp16", base="e"),
    "exp2_fx16.12_ufx16.16": unit("int-exp2", x="fx16.12", out="ufx16.16", rounding="rtz"),
    "gelu_fx8.4": unit("int-gelu", x="fx8.4"),
    "gelu_int8_0.05": unit("int-gelu", x="int8", scale="0.05"),
    "gelu_int8_coarse": unit("int-gelu", x="int8", scale="1"),
    "gelu_int8_shift": unit("int-gelu", x="int8", scale="1/50", shift=4),
    "gelu_fx16.12": unit("int-gelu", x="fx16.12"),
}

# and of many
LARGE: dict[str, Unit] = {
    "isqrt_uint32": unit("isqrt", x="uint32"),
    "isqrt_uint63": unit("isqrt", x="uint63"),
    "exp2_fx24.16": unit("int-exp2", x="fx24.16"),
    "exp2_fx32.24": unit("int-exp2", x="fx32.24", precision=24),
    "exp2_fx24.16_bf16_sr": unit("int-exp2", x="fx24.16", out="bf16", base="e", rounding="sr"),
    "gelu_int32_0.0001": unit("int-gelu", x="int32", scale="0.0001"),
    "gelu_fx24.16": unit("int-gelu", x="fx24.16"),
}


def cases() -> Iterator[Case]:
    """Few bits exhaustively, many with ten million vectors."""
    for name, spec in SMALL.items():
        yield every_code("function", name, spec, FUNCTION_CHOICES)
        yield from in_cocotb("function", name, spec, FUNCTION_CHOICES)
    for name, spec in LARGE.items():
        yield from everywhere("function", name, spec, FUNCTION_CHOICES, BULK)


def sample() -> Iterator[Case]:
    """One of each kind, and a wide square root, under stalls."""
    listed = SMALL | LARGE
    for name in ("isqrt_uint16", "exp2_fx16.11_e", "gelu_int8_shift", "isqrt_uint63"):
        options = {"stages": 2, "flow": "stream"}
        yield in_bulk("function", name, listed[name], (options,), 30_000)
