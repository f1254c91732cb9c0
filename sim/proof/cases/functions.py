# SPDX-License-Identifier: BSD-2-Clause
"""Integer functions: square root, powers, GELU, and of a row in one beat."""

from __future__ import annotations

from collections.abc import Iterator

from macaw.golden.units import Unit, unit

from ..rules.parameters import Rules, within
from .case import (
    BULK,
    FEWER,
    FUNCTION_CHOICES,
    Case,
    every_code,
    everywhere,
    folds,
    in_bulk,
    in_cocotb,
)

RULES: Rules = {
    ("isqrt", "x"): lambda draw: draw.fixed(signed=False, widest=64),
    ("int-gelu", "x"): lambda draw: draw.fixed(signed=True),
    ("int-gelu", "shift"): lambda draw: draw.maybe(lambda: draw.integer(0, 14)),
    ("int-layernorm", "shift"): lambda draw: draw.maybe(lambda: draw.integer(0, 31)),
    ("int-layernorm", "out"): lambda draw: draw.fixed(signed=True),
    "zero_point": within("out"),
    "bits": lambda draw: draw.integer(4, 31),
    "reciprocal": lambda draw: draw.maybe(lambda: draw.integer(8, 62), 0.5),
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
    "softmax2_int8_0.05": unit("int-softmax", x="int8", scale="0.05", lanes=2),
    "softmax3_fx5.2": unit("int-softmax", x="fx5.2", out="fx8.7", lanes=3),
    "softmax1_fx8.4": unit("int-softmax", x="fx8.4", lanes=1),
    "softmax2_int8_int8": unit("int-softmax", x="int8", scale="0.05", out="int8", lanes=2),
    "softmax3_fx5.2_zero": unit("int-softmax", x="fx5.2", out="fx9.7", zero_point=-76, lanes=3),
    "layernorm1_int8": unit("int-layernorm", x="int8", lanes=1),
    "layernorm2_int8": unit("int-layernorm", x="int8", lanes=2),
    "layernorm3_uint5": unit("int-layernorm", x="uint5", out="int8", lanes=3, reciprocal=14),
    "layernorm4_int4_shift": unit("int-layernorm", x="int4", out="int16", lanes=4, shift=1),
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

OF_ROWS: dict[str, Unit] = {
    "softmax16_fx8.4": unit("int-softmax", x="fx8.4"),
    "softmax8_int8_0.05": unit("int-softmax", x="int8", scale="0.05", lanes=8, reciprocal=24),
    "softmax8_int8_int8": unit("int-softmax", x="int8", scale="0.05", out="int8", lanes=8),
    "softmax8_int16_int16": unit("int-softmax", x="int16", scale="1/2048", out="int16", lanes=8),
    "softmax8_fx16.10": unit("int-softmax", x="fx16.10", out="ufx16.16", lanes=8, reciprocal=40),
    "softmax5_uint8": unit("int-softmax", x="uint8", scale="1/30", out="ufx9.8", lanes=5, bits=8),
    "layernorm16_int8": unit("int-layernorm", x="int8"),
    "layernorm16_int8_int8": unit("int-layernorm", x="int8", out="int8", reciprocal=17),
    "layernorm6_int16": unit("int-layernorm", x="int16", out="int16", lanes=6),
    "layernorm8_uint12_shift": unit("int-layernorm", x="uint12", lanes=8, shift=5),
}


def cases() -> Iterator[Case]:
    """Few bits exhaustively, many with ten million vectors, lanes in turns."""
    for name, spec in SMALL.items():
        yield every_code("function", name, spec, FUNCTION_CHOICES)
        yield from in_cocotb("function", name, spec, FUNCTION_CHOICES)
    for name, spec in (LARGE | OF_ROWS).items():
        yield from everywhere("function", name, spec, FUNCTION_CHOICES, BULK)
    for name, spec in OF_ROWS.items():
        choices = folds(spec.ports.inputs["x"].lanes or 1)
        yield from everywhere("function", f"{name}_fold", spec, choices, FEWER // 4)


def sample() -> Iterator[Case]:
    """Some of each kind, and a wide square root, under stalls."""
    listed = SMALL | LARGE | OF_ROWS
    names = ("isqrt_uint16", "exp2_fx16.11_e", "gelu_int8_shift", "isqrt_uint63")
    for name in (*names, "softmax3_fx5.2_zero", "softmax16_fx8.4", "layernorm16_int8"):
        options = {"stages": 2, "flow": "stream"}
        yield in_bulk("function", name, listed[name], (options,), 30_000)
