# SPDX-License-Identifier: BSD-2-Clause
"""Sums of products of integers, in one beat and over many."""

from __future__ import annotations

from collections.abc import Iterator

from macaw.golden.formats import Format
from macaw.golden.units import Unit, unit

from ..rules import formats
from ..rules.parameters import Draw, Rules, integers
from .case import BLOCK_CHOICES, BULK, FEWER, MAPPED, STAGES, Case, every_code, everywhere, in_bulk


def _weight(draw: Draw) -> Format:
    """Integers, and all powers of two that are integers."""
    if draw.rng.random() < 0.6:
        return draw.fixed(integer=True, widest=16)
    while True:
        fmt = formats.floating(draw.rng, widest=6)
        if fmt.mantissa == 0 and not fmt.has_nan and fmt.min_subnormal >= 1:
            return fmt


RULES: Rules = {
    "a": _weight,
    "b": _weight,
    "acc": integers(32),
    "parts": lambda draw: draw.one(1, 1, 2, 3),
}

WEIGHTS = ("int8", "int4", "int2", "ternary", "binary", "shift4", "power4")


def _dots() -> Iterator[tuple[str, Unit]]:
    """Every weight format, with zero points and without, accumulators that wrap and saturate."""
    for name in WEIGHTS:
        zero = {"a_zero": True, "b_zero": "int" in name}
        yield f"dot_{name}", unit("int-dot", a="int8", b=name, **zero)
        yield f"mac_{name}_8_lanes", unit("int-mac", a="int8", b=name, lanes=8, **zero)
    for name, parameters in {
        "uint8_saturating": {"a": "uint8", "b": "int8", "acc": "int16", "a_zero": True},
        "uint8_int4": {"a": "uint8", "b": "int4", "acc": "int12", "lanes": 6, "b_zero": True},
        "two_powers": {"a": "int8", "b": "power4", "parts": 2, "a_zero": True},
        "shift3_int8": {"a": "shift3", "b": "int8", "b_zero": True, "bias": False},
        "shift2_shift4": {"a": "shift2", "b": "shift4", "acc": "int12"},
        "binary_both": {"a": "binary", "lanes": 64, "acc": "int8", "wrap": True},
        "int16": {"a": "int16", "a_zero": True, "b_zero": True, "lanes": 2},
    }.items():
        yield f"dot_{name}", unit("int-dot", **parameters)
    for name, parameters in {
        "int8": {"a": "int8", "a_zero": True},
        "int8_wrap": {"a": "int8", "acc": "int16", "wrap": True, "lanes": 4},
        "int8_saturate": {"a": "int8", "acc": "int16", "lanes": 2, "terms": 4096},
        "two_powers": {"a": "uint8", "b": "power3", "parts": 2, "lanes": 4, "a_zero": True},
        "binary": {"a": "binary", "lanes": 64, "acc": "int16", "terms": 8192},
    }.items():
        yield f"mac_{name}", unit("int-mac", **parameters)


def _small() -> Iterator[tuple[str, Unit]]:
    """What has few enough operands for all of them."""
    yield "dot2_int4", unit("int-dot", a="int4", lanes=2, acc="int6")
    yield "dot3_ternary", unit("int-dot", a="int4", b="ternary", lanes=3, acc="int6")
    yield "dot3_shift3", unit("int-dot", a="int4", b="shift3", lanes=3, bias=False)
    yield "dot12_binary", unit("int-dot", a="binary", lanes=12, bias=False, acc="int4")


def cases() -> Iterator[Case]:
    """All of them, combinational and under stalls; those of few bits exhaustively."""
    for name, spec in _dots():
        yield from everywhere("integer", name, spec, BLOCK_CHOICES, BULK)
        yield in_bulk("mapped", name, spec, MAPPED, FEWER)
    for name, spec in _small():
        yield every_code("integer", name, spec, STAGES[:2])


def sample() -> Iterator[Case]:
    """Every sixth."""
    for number, (name, spec) in enumerate(_dots()):
        if number % 6 == 0:
            yield in_bulk("integer", name, spec, ({"stages": number % 4},), 30_000)
