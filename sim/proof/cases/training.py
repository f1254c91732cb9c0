# SPDX-License-Identifier: BSD-2-Clause
"""The exponent predictor of Autoflex, scales of losses, random words and units that make theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from macaw.golden.arithmetic.running.lfsr import PRIMITIVE, spell
from macaw.golden.formats import Float
from macaw.golden.units import ExponentPredictor, Unit, unit

from ..rules import formats as random_formats
from ..rules.parameters import Draw, Rules
from .case import (
    BLOCK_CHOICES,
    BULK,
    FEWER,
    FLOWS,
    STREAM_CHOICES,
    Case,
    everywhere,
    folds,
    in_bulk,
    sample_in_cocotb,
)


def _polynomial(draw: Draw) -> str:
    """A primitive one, or any: then the register may be back at its seed soon."""
    degree = draw.integer(2, 64)
    if draw.rng.random() < 0.6:
        return spell(PRIMITIVE[degree])
    return spell(1 << degree | 1 | draw.rng.getrandbits(degree))


def _float(draw: Draw) -> Float:
    return random_formats.floating(draw.rng, widest=draw.widest)


RULES: Rules = {
    "out": Draw.flex,
    "profile": lambda draw: draw.one("paper", "ngraph"),
    "precision": lambda draw: draw.integer(6, 20),
    "length": lambda draw: draw.integer(2, 8),
    "alpha": lambda draw: draw.maybe(lambda: draw.integer(1, 16)),
    "beta": lambda draw: draw.integer(0, 14),
    "gamma": lambda draw: draw.maybe(lambda: draw.integer(0, 1 << 18) / 65536),
    "rule": lambda draw: "largest" if draw.get("a") else draw.one("dynamic", "underflow"),
    "a": lambda draw: draw.maybe(lambda: _float(draw), 0.5),
    "growth_interval": lambda draw: draw.one(1, 2, 3, 8, 21),
    "growth": lambda draw: None if draw.get("a") else f"2^{draw.integer(1, 40)}",
    "backoff": lambda draw: f"2^-{draw.integer(1, 64)}",
    "lowest_scale": lambda draw: f"2^{draw.integer(-126, 0)}",
    "highest_scale": lambda draw: f"2^{draw.integer(16, 127)}",
    "init_scale": lambda draw: f"2^{draw.integer(0, 16)}",
    "allowed": lambda draw: draw.integer(0, 9) if draw.get("rule") == "underflow" else None,
    "margin": lambda draw: draw.integer(0, 9) if draw.get("a") else None,
    "bits": lambda draw: draw.integer(4, 12),
    "polynomial": _polynomial,
    "width": lambda draw: draw.integer(1, 16),
    "form": lambda draw: draw.one("fibonacci", "galois"),
    "seed": lambda draw: draw.integer(1, 1 << draw.integer(1, 32)),
    "steps": lambda draw: draw.maybe(lambda: draw.one(1, 2, 3, 8, 16, 24, 64), 0.7),
}

# with ten million beats at every choice
LARGE: dict[str, Unit] = {"autoflex_flex16": unit("autoflex", out="flex16+5")}


WORDS: dict[str, dict[str, Any]] = {
    "16": {},
    "32_galois": {"width": 32, "form": "galois", "seed": 0xDEADBEEF},
    "64": {"polynomial": 64, "width": 64, "steps": 1, "seed": 1 << 63},
    "3_one_step": {"polynomial": 3, "width": 3, "steps": 1},
    "8_lanes": {"width": 8, "lanes": 16, "polynomial": 31, "seed": 77},
    "5_lanes_galois": {"width": 5, "lanes": 3, "form": "galois", "polynomial": "x16+x5+x3+x2+1"},
}

SCALES: dict[str, dict[str, Any]] = {
    "dynamic": {},
    "dynamic_7": {"growth_interval": 7, "growth": 4, "backoff": "2^-3", "highest_scale": "2^24"},
    "underflow": {"rule": "underflow", "growth_interval": 3, "allowed": 100, "contexts": 5},
    "largest_fp16": {"rule": "largest", "a": "fp16", "growth_interval": 4},
    "largest_e4m3": {"rule": "largest", "a": "e4m3", "growth_interval": 1, "margin": 0},
    "largest_fp32": {"rule": "largest", "a": "fp32", "contexts": 3, "growth_interval": 5},
    "largest_e5m2_running": {"rule": "largest", "a": "e5m2", "growth_interval": 2, "running": True},
    "underflow_running": {
        "rule": "underflow",
        "growth_interval": 1,
        "contexts": 3,
        "running": True,
    },
}

ROUNDED: dict[str, tuple[str, dict[str, Any]]] = {
    "cast": ("cast", {"a": "fp32", "out": "bf16"}),
    "fma_src": ("fma", {"a": "e4m3", "out": "fp16", "rounding": "src", "random_seed": 9}),
    "mac": ("mac", {"a": "e5m2", "out": "bf16", "acc": "bf16", "random_bits": 8}),
    "block_quantize": ("block-quantize", {"a": "fp32", "out": "mxfp4", "size": 16}),
    "block_mac": ("block-mac", {"a": "mxfp4", "out": "bf16", "acc": "bf16", "lanes": 32}),
    "flex_add": ("flex-add", {"a": "flex16+5", "lanes": 4}),
}


def _predictors() -> Iterator[tuple[str, Unit]]:
    """Widths, contexts, lengths, and both profiles."""
    predictor: Any = {"out": "flex16+5"}
    for name, parameters in {
        "flex16_4_contexts": {"contexts": 4},
        "flex16_ngraph": {"profile": "ngraph", "precision": 8, "contexts": 3},
        "flex16_exact": {"precision": 20, "length": 6, "alpha": 5, "beta": 14},
        "flex12": {"out": "flex12+5", "length": 11, "alpha": 1, "gamma": 0.5},
        "flex8": {"out": "flex8+5", "precision": 6, "length": 32},
        "flex32": {"out": "flex32+8", "length": 2, "beta": 0},
        "flex2": {"out": "flex2+1", "length": 3, "profile": "ngraph"},
    }.items():
        yield f"autoflex_{name}", unit("autoflex", **(predictor | parameters))


def cases() -> Iterator[Case]:
    """All of them, combinational and under stalls, and with their history in turns."""
    for name, spec in LARGE.items():
        yield from everywhere("flex", name, spec, STREAM_CHOICES, BULK)
    for name, spec in _predictors():
        yield from everywhere("flex", name, spec, BLOCK_CHOICES, FEWER)
    for name, spec in (*LARGE.items(), *_predictors()):
        assert isinstance(spec, ExponentPredictor)
        yield from everywhere("fold", name, spec, folds(spec.length), FEWER)
    for name, parameters in SCALES.items():
        spec = unit("loss-scale", **parameters)
        choices = (*BLOCK_CHOICES, {"frequency": 60.0, "flow": "valid"})
        yield from everywhere("scales", f"loss_scale_{name}", spec, choices, FEWER)
    yield from _random()


def _random() -> Iterator[Case]:
    """Words in each flow; stochastic units with their words inside, also under stalls."""
    for name, parameters in WORDS.items():
        spec = unit("lfsr", **parameters)
        choices = (*BLOCK_CHOICES, *({"stages": 1, **flow} for flow in FLOWS))
        yield from everywhere("lfsr", f"lfsr_{name}", spec, choices, FEWER)
    for name, (kind, parameters) in ROUNDED.items():
        spec = unit(kind, **{"rounding": "sr", "random": "lfsr"} | parameters)
        choices = (*BLOCK_CHOICES, {"stages": 2, "bus": "axis"})
        yield from everywhere("lfsr", f"{name}_with_lfsr", spec, choices, FEWER)


def sample() -> Iterator[Case]:
    """A predictor of exact arithmetic, and a cast that makes its random words."""
    spec = dict(_predictors())["autoflex_flex16_exact"]
    yield in_bulk("flex", "autoflex_flex16_exact", spec, ({"stages": 0},), 30_000)
    spec = unit("cast", a="fp16", out="e4m3", rounding="sr", random="lfsr")
    yield from sample_in_cocotb("cast_with_lfsr", spec, {"stages": 2, "flow": "stream"})
