# SPDX-License-Identifier: BSD-2-Clause
"""What a softmax divides by: sums of rows in one pass, and of parts of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from macaw.golden.formats import Fixed
from macaw.golden.units import Unit, unit

from ..rules import formats as random_formats
from ..rules.parameters import Draw, Rules
from .case import BUILDS, FEWER, STAGES, Case, Options, everywhere, in_bulk


def _aligned(draw: Draw) -> int | None:
    bits = draw.get("bits")
    return None if bits is None else draw.maybe(lambda: draw.integer(bits, bits + 16))


def _sum(draw: Draw) -> Fixed:
    width = draw.integer(1, 62)
    return Fixed(width=width, fraction=draw.integer(0, width), signed=False)


RULES: Rules = {
    ("softmax-sum", "a"): lambda draw: random_formats.floating(
        draw.rng, widest=min(draw.widest, 32)
    ),
    ("softmax-sum", "row"): lambda draw: draw.one(1, 2, 7, 16, 40),
    ("softmax-sum", "base"): lambda draw: draw.one("e", "e", "2"),
    ("softmax-sum", "bits"): lambda draw: draw.maybe(lambda: draw.integer(4, 20), 0.6),
    ("softmax-sum", "aligned"): _aligned,
    ("softmax-sum", "reach"): lambda draw: draw.maybe(lambda: draw.integer(1, 16), 0.4),
    ("softmax-merge", "a"): _sum,
    ("softmax-merge", "exponent"): lambda draw: Fixed(width=draw.integer(1, 32)),
}

SUM_CHOICES: tuple[Options, ...] = (
    {"flow": "stream"},
    {"stages": 6},
    {"stages": 4, "flow": "valid"},
    {"frequency": 60.0, "flow": "stream", "ready": "registered"},
    {"frequency": 60.0, "bus": "axis", "table": "ram"},
)


def sums() -> Iterator[tuple[str, Unit]]:
    """Formats, lanes that share a row and that have one each, exponents that never rise."""
    for name, parameters in {
        "fp16": {"lanes": 8, "row": 1024},
        "fp16_base2": {"base": "2", "lanes": 3, "row": 20},
        "bf16": {"a": "bf16", "lanes": 4, "row": 64},
        "fp32": {"a": "fp32", "row": 6},
        "e5m2_reach": {"a": "e5m2", "lanes": 1, "row": 5, "reach": 3, "bits": 4, "aligned": 5},
        "e4m3_beat": {"a": "e4m3", "row": 1},
        "e2m1": {"a": "e2m1"},
        # all but subnormal numbers are out of reach
        "e2m6bn16": {"a": "e2m6bn16", "row": 8},
    }.items():
        given: dict[str, Any] = {"a": "fp16", "lanes": 2, "row": 16} | parameters
        yield f"sum_{name}", unit("softmax-sum", **given)
    for a, exponent in (
        ("ufx43.25", "int18"),
        ("ufx62.44", "int32"),
        ("uint1", "int1"),
        ("ufx7.3", "int4"),
    ):
        yield f"merge_{a}_{exponent}", unit("softmax-merge", a=a, exponent=exponent)


def cases() -> Iterator[Case]:
    """In every flow."""
    for name, spec in sums():
        choices = SUM_CHOICES if spec.stateful else STAGES
        yield from everywhere("row_sums", name, spec, choices, FEWER)
    for build in BUILDS:
        spec = unit("softmax-sum", a="e4m3", lanes=2, row=8)
        label = "_".join(build.values())
        options = ({**build, "flow": "stream"},)
        yield in_bulk("row_sums", f"sum_e4m3_{label}", spec, options, 100_000)


def sample() -> Iterator[Case]:
    """A sum, and of two parts."""
    spec = unit("softmax-sum", a="fp16", lanes=2, row=16)
    yield in_bulk("row_sums", "sum_fp16", spec, SUM_CHOICES[:3], 20_000)
    spec = unit("softmax-merge", a="ufx43.25")
    yield in_bulk("row_sums", "merge", spec, STAGES[:2], 20_000)
