# SPDX-License-Identifier: BSD-2-Clause
"""Sums and products of Flexpoint."""

from __future__ import annotations

from collections.abc import Iterator

from macaw.golden.units import Unit, unit

from ..rules.parameters import Draw, Rules
from .case import (
    BLOCK_CHOICES,
    BULK,
    FEWER,
    MAPPED,
    ROUNDINGS,
    STREAM_CHOICES,
    Case,
    everywhere,
    in_bulk,
)

RULES: Rules = {
    "a": Draw.flex,
    "b": Draw.flex,
    "out": Draw.flex,
    "rows": lambda draw: draw.integer(1, 3),
    "columns": lambda draw: draw.integer(1, 3),
}

# with ten million beats at every choice
LARGE: dict[str, Unit] = {
    f"mac_flex16_{lanes}_lanes": unit("flex-mac", a="flex16+5", lanes=lanes) for lanes in (1, 8, 32)
}


def _flex() -> Iterator[tuple[str, Unit]]:
    """Widths, mixed formats, roundings, tiles."""
    for kind in ("add", "mul"):
        for lanes in (1, 4):
            yield f"{kind}_flex16_{lanes}_lanes", unit(f"flex-{kind}", a="flex16+5", lanes=lanes)
        yield (
            f"{kind}_mixed",
            unit(f"flex-{kind}", a="flex8+3", b="flex12+5", out="flex9+4", lanes=3),
        )
    for rows, columns in ((2, 2), (4, 4), (1, 3)):
        spec = unit("flex-matmul", a="flex16+5", rows=rows, columns=columns)
        yield f"matmul_flex16_{rows}x{columns}", spec
    yield "matmul_flex8_sr", unit("flex-matmul", a="flex8+5", rows=2, columns=2, rounding="sr")
    for name in ("flex8+5", "flex12+5", "flex2+1", "flex24+8"):
        yield f"mac_{name}", unit("flex-mac", a=name, terms=1024)
    yield "mac_mixed", unit("flex-mac", a="flex8+5", b="flex16+5", out="flex12+6", lanes=3)
    for rounding in ROUNDINGS:
        for kind in ("mac", "add", "mul"):
            spec = unit(f"flex-{kind}", a="flex8+4", rounding=rounding)
            yield f"{kind}_flex8_{rounding}", spec


def cases() -> Iterator[Case]:
    """All of them, combinational and under stalls."""
    for name, spec in LARGE.items():
        yield from everywhere("flex", name, spec, STREAM_CHOICES, BULK)
        yield in_bulk("mapped", name, spec, MAPPED, FEWER)
    for name, spec in _flex():
        yield from everywhere("flex", name, spec, BLOCK_CHOICES, FEWER)


def sample() -> Iterator[Case]:
    """Every kind and half of the roundings."""
    listed = LARGE | dict(_flex())
    for name, stages in {
        "mac_flex16_1_lanes": 0,
        "add_flex16_4_lanes": 2,
        "matmul_flex16_2x2": 1,
        "mac_flex12+5": 0,
        "add_flex8_rna": 2,
        "mac_flex8_rup": 1,
        "mul_flex8_rdn": 0,
        "add_flex8_sr": 2,
        "mac_flex8_src": 1,
    }.items():
        yield in_bulk("flex", name, listed[name], ({"stages": stages},), 30_000)
