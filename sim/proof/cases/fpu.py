# SPDX-License-Identifier: BSD-2-Clause
"""Floating-point units: all operations, and parts of them."""

from __future__ import annotations

from collections.abc import Iterator

from macaw.golden.formats import Float
from macaw.golden.units import Fpu, Unit, unit
from macaw.golden.units.fpu import FROM_INTEGER, FUSED, OPERATIONS, TO_INTEGER

from ..rules.parameters import Draw, Rules
from .case import (
    BLOCK_CHOICES,
    BULK,
    FEWER,
    MAPPED,
    STAGES,
    Case,
    every_code,
    everywhere,
    in_bulk,
    sample_in_cocotb,
)

FORMATS = ("fp32", "fp16", "bf16")
MOVES = "sgnj,sgnjn,sgnjx,min,max,eq,lt,le,class"
OF_TWO = ",".join(f"-{word}" for word in (*FUSED, *FROM_INTEGER))
OF_ONE = ",".join(("sqrt", "class", *TO_INTEGER))


def _format(draw: Draw) -> Float:
    exponent = draw.integer(2, 8)
    mantissa = draw.integer(1, min(draw.widest, 32) - 1 - exponent)
    usual = (1 << (exponent - 1)) - 1
    bias = draw.one(usual, usual, usual, draw.integer(1, 2 * usual))
    return Float(exponent=exponent, mantissa=mantissa, bias=bias)


def _operations(draw: Draw) -> str:
    words = draw.rng.sample(OPERATIONS, draw.one(1, 1, 2, 3, 5, 9))
    groups = ("all", "-div,-sqrt", OF_TWO, MOVES, ",".join(words), ",".join(f"-{w}" for w in words))
    return draw.one(*groups)


DIGITS = (
    {"digits": 1, "flow": "stream"},
    {"digits": 3, "stages": 5, "bus": "axis", "ready": "registered"},
)
"""Quotients and roots a digit a clock, and three at a time."""

RULES: Rules = {
    "a": _format,
    "integer": lambda draw: draw.one("int32", "int64", "int16", f"int{draw.integer(2, 64)}"),
    "operations": _operations,
    "rounding": lambda draw: draw.one(
        *("dynamic", "dynamic", "dynamic", "rne", "rna", "rtz", "rup", "rdn", "rod")
    ),
    "overflow": lambda draw: None,
}


def small() -> Iterator[tuple[str, Unit]]:
    """Of few bits: with all codes, operations and directions of rounding."""
    yield "fpu_of_two_e4m3", unit("fpu", a="e4m3ieee", operations=OF_TWO, integer="int10")
    yield "fpu_of_two_e5m2", unit("fpu", a="e5m2", operations=OF_TWO, tininess="before")
    yield "fpu_of_one_fp16", unit("fpu", a="fp16", operations=OF_ONE)
    yield "fpu_of_one_bf16", unit("fpu", a="bf16", operations=OF_ONE, integer="int64")
    fused = ",".join(("add", "mul", *FUSED))
    yield "fpu_fused_e2m2", unit("fpu", a="e2m2ieee", operations=fused)
    yield "fpu_fused_e3m2", unit("fpu", a="e3m2ieee", operations=fused, rounding="rdn")
    for word in FROM_INTEGER:
        yield (
            f"fpu_{word.replace('-', '_')}_e4m3",
            unit("fpu", a="e4m3ieee", operations=word, integer="int16"),
        )


def large() -> Iterator[tuple[str, Unit]]:
    """Of too many codes."""
    for name in FORMATS:
        yield f"fpu_{name}", unit("fpu", a=name)
    yield "fpu_fp32_int64", unit("fpu", a="fp32", integer="int64", operations="-div,-sqrt")
    yield "fpu_fp16_before", unit("fpu", a="fp16", tininess="before", rounding="rne")
    yield "fpu_bf16_moves", unit("fpu", a="bf16", operations=MOVES)
    yield "fpu_fp16_convert", unit("fpu", a="fp16", operations=(*TO_INTEGER, *FROM_INTEGER))
    yield "fpu_fp16_sums", unit("fpu", a="fp16", operations="add,sub,min,max")
    yield "fpu_bf16_products", unit("fpu", a="bf16", operations="mul,div")


def _divides(spec: Unit) -> bool:
    return isinstance(spec, Fpu) and bool({"div", "sqrt"} & {*spec.listed})


def cases() -> Iterator[Case]:
    """Few bits exhaustively, many with millions of vectors."""
    for name, spec in small():
        yield every_code("fpu", name, spec, BLOCK_CHOICES)
        if _divides(spec):
            yield every_code("fpu", f"{name}_digits", spec, DIGITS)
    for name in ("fpu_of_two_e5m2", "fpu_fused_e2m2"):
        yield in_bulk("mapped", name, dict(small())[name], MAPPED, None)
    for name, spec in large():
        yield in_bulk("mapped", name, spec, MAPPED, FEWER)
        whole = name.removeprefix("fpu_") in FORMATS
        choices = STAGES if whole else (*BLOCK_CHOICES, {"stages": 2})
        yield from everywhere("fpu", name, spec, choices, BULK if whole else FEWER)
        if _divides(spec):
            yield from everywhere("fpu", f"{name}_digits", spec, DIGITS, FEWER)


def sample() -> Iterator[Case]:
    """All operations of one format, in a pipeline under stalls."""
    spec, options = unit("fpu", a="fp16"), {"stages": 4, "flow": "stream"}
    yield in_bulk("fpu", "fpu_fp16", spec, (options,), 20_000)
    yield from sample_in_cocotb("fpu_fp16", spec, options)
