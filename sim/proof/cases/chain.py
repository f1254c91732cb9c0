# SPDX-License-Identifier: BSD-2-Clause
"""Units in a row, with and without a memory."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from macaw.golden.arithmetic.dyadic import Profile
from macaw.golden.errors import MacawError
from macaw.golden.formats import format as format_of
from macaw.golden.units import UNITS, Unit, unit
from macaw.golden.units.chain import Chain, pipeline

from ...layers import LayerPipeline
from ..rules.parameters import Parameters, parameters_of
from .case import BULK, STREAM_CHOICES, Case, everywhere


def draw(rng: random.Random, widest: int, draw_unit: Callable[..., Unit]) -> Unit:
    """Two or three units that go together; ``draw_unit`` draws one."""
    kinds = [kind for kind, cls in UNITS.items() if cls is not Chain]
    stages = [draw_unit(rng, rng.choice(kinds), widest=widest)]
    wanted = rng.choice((2, 2, 3))
    for _ in range(60):
        if len(stages) == wanted or "r" not in stages[-1].ports.outputs:
            break
        gives = stages[-1].ports.outputs["r"]
        kind = rng.choice(kinds)
        cls = UNITS[kind]
        names = parameters_of(cls)
        first = "a" if "a" in names else "x"
        given: Parameters = {first: gives.format.name}
        if gives.lanes is not None:
            given |= {name: gives.lanes for name in ("size", "lanes") if name in names}
        try:
            stage = draw_unit(rng, kind, widest=widest, given=given)
            pipeline(*stages, stage)
        except MacawError:
            continue
        stages.append(stage)
    memory: Parameters = {}
    later = [name for _, _, names in pipeline(*stages).links for name in names.values()]
    if later and rng.random() < 0.4:
        held = rng.sample(later, rng.randint(1, len(later)))
        memory = {"channels": rng.choice((1, 2, 5, 8)), "stored": ",".join(held)}
    return pipeline(*stages, **memory)


def _chains() -> Iterator[tuple[str, Unit]]:
    """Of floats, of integers, and the datapaths of layers."""
    integer = "mac(a=int8, out=int32, lanes=4, acc=int32) | add(b=int32, overflow=saturate)"
    for name, parameters in {
        "float": {"stages": "mul(a=e4m3, out=fp16) | add(b=fp16) | cast(out=e5m2, rounding=sr)"},
        "bias": {"stages": f"{integer} | cast(out=int8)", "channels": 16, "stored": "add_b"},
        "residual": {
            "stages": f"{integer} | cast(out=int8) | add(b=int8, overflow=saturate)",
            "channels": 1,
            "stored": "add_b",
        },
        "no_sums": {
            "stages": "mul(a=e5m2, out=fp16) | fma(b=fp16, out=fp16)",
            "channels": 5,
            "stored": "fma_b,fma_c",
        },
    }.items():
        yield name, unit("pipeline", **parameters)
    for layer in (
        LayerPipeline(lanes=4, profile=Profile.TFLITE_DOUBLE),
        LayerPipeline(weight=format_of("int4"), lanes=4, residual="single"),
        LayerPipeline(weight=format_of("power4"), residual="separate", profile=Profile.HAWQ),
    ):
        yield f"layer_{layer.weight.name}_{layer.residual or 'plain'}", layer.unit


def cases() -> Iterator[Case]:
    """All of them, combinational, under stalls, and at a clock."""
    for name, spec in _chains():
        yield from everywhere("pipeline", name, spec, STREAM_CHOICES, BULK)
