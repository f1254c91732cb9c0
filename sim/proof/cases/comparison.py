# SPDX-License-Identifier: BSD-2-Clause
"""Order, class and sign of numbers."""

from __future__ import annotations

from collections.abc import Iterator

from macaw.golden.formats import Fixed, Float
from macaw.golden.units import Unit, unit
from macaw.golden.units.comparison import OPERATIONS

from ..rules import formats as random_formats
from ..rules.parameters import Draw, Rules
from .case import BLOCK_CHOICES, FEWER, Case, every_code, everywhere, in_bulk


def _format(draw: Draw) -> Float | Fixed:
    if draw.rng.random() < 0.2:
        return draw.fixed()
    return random_formats.floating(draw.rng, widest=draw.widest)


RULES: Rules = {
    ("compare", "a"): _format,
    ("minimum", "a"): _format,
    ("maximum", "a"): _format,
    ("classify", "a"): lambda draw: random_formats.floating(draw.rng, widest=draw.widest),
    ("copy-sign", "a"): lambda draw: random_formats.floating(draw.rng, widest=draw.widest),
    ("copy-sign", "operation"): lambda draw: draw.one(*OPERATIONS),
}
NAMES = ("e4m3", "e5m2", "e4m3fnuz", "e2m1", "ue4m3", "e8m0", "e4m3ftz", "binary8p3se", "int8")


def small() -> Iterator[tuple[str, Unit]]:
    """Of 8 bits, and classes of 16: with all codes."""
    for name in NAMES:
        flags = name != "int8"
        for kind in ("compare", "minimum", "maximum"):
            yield f"{kind}_{name}", unit(kind, a=name, flags=flags)
    for name in ("e4m3", "e5m2", "binary8p3se"):
        yield f"minimum_number_{name}", unit("minimum", a=name, number=True, flags=True)
        yield f"maximum_number_{name}", unit("maximum", a=name, number=True)
        yield f"compare_signaling_{name}", unit("compare", a=name, flags=True, signaling=True)
    for name in ("e5m2", "e4m3fnuz", "e4m3ftz", "e8m0", "fp16", "bf16", "binary8p4ue"):
        yield f"classify_{name}", unit("classify", a=name)
    for operation in OPERATIONS:
        yield f"sign_{operation}_e5m2", unit("copy-sign", a="e5m2", operation=operation)


def large() -> Iterator[tuple[str, Unit]]:
    """Of too many codes."""
    for name in ("fp32", "fp16", "int32"):
        yield f"compare_{name}", unit("compare", a=name, flags=True)
        yield f"minimum_{name}", unit("minimum", a=name)
    yield "maximum_number_fp32", unit("maximum", a="fp32", number=True, flags=True)
    yield "classify_fp32", unit("classify", a="fp32")


def cases() -> Iterator[Case]:
    """Few bits exhaustively, many with a million vectors."""
    for name, spec in small():
        yield every_code("comparison", name, spec, BLOCK_CHOICES)
    for name, spec in large():
        yield from everywhere("comparison", name, spec, (*BLOCK_CHOICES, {"stages": 2}), FEWER)


def sample() -> Iterator[Case]:
    """One of each kind, under stalls."""
    listed = dict(small())
    for name in ("compare_e5m2", "minimum_number_e4m3", "classify_bf16"):
        options = {"stages": 1, "flow": "stream"}
        yield in_bulk("comparison", name, listed[name], (options,), 3_000)
