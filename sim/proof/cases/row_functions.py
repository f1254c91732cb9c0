# SPDX-License-Identifier: BSD-2-Clause
"""Integer functions of a row: softmax and layer normalisation."""

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
    "zero_point": within("out"),
    "bits": lambda draw: draw.integer(4, 31),
    "reciprocal": lambda draw: draw.maybe(lambda: draw.integer(8, 62), 0.5),
    "shift": lambda draw: draw.maybe(lambda: draw.integer(0, 31)),
    ("int-layernorm", "out"): lambda draw: draw.fixed(signed=True),
}

# of few operand bits, every code
SMALL: dict[str, Unit] = {
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
    """Few bits exhaustively, many with ten million vectors, and with lanes in turns."""
    for name, spec in SMALL.items():
        yield every_code("function", name, spec, FUNCTION_CHOICES)
        yield from in_cocotb("function", name, spec, FUNCTION_CHOICES)
    for name, spec in LARGE.items():
        yield from everywhere("function", name, spec, FUNCTION_CHOICES, BULK)
        choices = folds(spec.ports.inputs["x"].lanes or 1)
        yield from everywhere("function", f"{name}_fold", spec, choices, FEWER // 4)


def sample() -> Iterator[Case]:
    """Both kinds, under stalls."""
    listed = SMALL | LARGE
    for name in ("softmax3_fx5.2_zero", "softmax16_fx8.4", "layernorm16_int8"):
        options = {"stages": 2, "flow": "stream"}
        yield in_bulk("function", name, listed[name], (options,), 30_000)
