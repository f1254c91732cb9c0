# SPDX-License-Identifier: BSD-2-Clause
"""Requantisation, and what integer networks have around it: branches, pools, clamps."""

from __future__ import annotations

from collections.abc import Iterator

from macaw.golden.arithmetic.dyadic import BELOW_ONE, FORMS, LARGEST_SHIFT, LEAST_SHIFT
from macaw.golden.units import Unit, unit
from macaw.golden.units.requantize import FACTORS

from ..rules.parameters import Draw, Rule, Rules, by_type, hints, integers, within
from .case import BLOCK_CHOICES, BULK, FEWER, MAPPED, STAGES, Case, every_code, everywhere, in_bulk


def _multiplier(draw: Draw) -> int | None:
    return draw.maybe(lambda: draw.integer(0, (1 << draw.get("bits", 31)) - 1))


def _factor(name: str) -> Rule:
    """A multiplier or shift of a residual sum, where its form has it."""

    def rule(draw: Draw) -> int | None:
        form = draw.get("form", "separate")
        if name not in FACTORS[form]:
            return None
        if "shift" in name:
            low, high = BELOW_ONE if form == "tflite" else (LEAST_SHIFT, LARGEST_SHIFT)
            return draw.maybe(lambda: draw.integer(low, high))
        return _multiplier(draw)

    return rule


RULES: Rules = {
    "a": integers(16),
    "b": integers(16),
    "x": integers(61),
    "out": integers(32),
    ("clamp", "a"): integers(32),
    "bits": lambda draw: draw.one(31, 31, draw.integer(2, 31)),
    "multiplier": _multiplier,
    "shift": lambda draw: draw.maybe(lambda: draw.integer(LEAST_SHIFT, LARGEST_SHIFT)),
    "low": within("out"),
    "high": within("out"),
    "count": lambda draw: draw.maybe(lambda: draw.integer(1, draw.get("terms", 64))),
    "form": lambda draw: draw.rng.choice(FORMS),
    ("residual-add", "profile"): lambda draw: draw.maybe(
        lambda: by_type(hints(draw.cls)["profile"])(draw), 0.5
    ),
    ("residual-add", "branch"): lambda draw: (
        draw.fixed(integer=True) if draw.get("form", "separate") == "separate" else None
    ),
    **{("residual-add", name): _factor(name) for name in FACTORS["tflite"]},
}

PROFILES = ("tflite_single", "tflite_double", "hawq", "truncate", "half_up", "half_away")
LARGE: dict[str, Unit] = {
    **{name: unit("requantize", profile=name) for name in PROFILES},
    "tflite_double_zero_point": unit("requantize", profile="tflite_double", zero_point=True),
    "hawq_uint8_zero_point": unit("requantize", profile="hawq", out="uint8", zero_point=True),
}
"""With ten million vectors each: the space of their operands is the largest."""


def _others() -> Iterator[tuple[str, Unit]]:
    """Requantisation by other widths and fixed factors, sums of branches, pools, clamps."""
    for name, parameters in {
        "int20_16_bits": {"x": "int20", "bits": 16, "out": "int4", "profile": "hawq"},
        "uint16_15_bits": {"x": "uint16", "bits": 15, "out": "int16", "zero_point": True},
        "int48_15_bits": {"x": "int48", "bits": 15, "out": "int16", "profile": "tflite_double"},
        "int32": {"out": "int32", "profile": "half_away", "zero_point": True},
        "fixed": {"multiplier": 0x5A827999, "shift": -7, "profile": "hawq", "out": "int8sym"},
        "fixed_double": {"multiplier": 0x5A827999, "shift": -7, "profile": "tflite_double"},
        "fixed_shift": {"shift": -9, "profile": "tflite_double", "zero_point": True},
        "fixed_left": {"shift": 3, "profile": "tflite_double"},
        "fixed_multiplier": {"multiplier": 3 << 29, "x": "int16", "profile": "tflite_double"},
    }.items():
        yield f"requantize_{name}", unit("requantize", **parameters)
    for profile in PROFILES:
        zero = {"profile": profile, "zero_points": True}
        yield f"residual_{profile}", unit("residual-add", **zero)
        yield f"residual_single_{profile}", unit("residual-add", form="single", **zero)
        yield f"pool_{profile}", unit("average-pool", profile=profile)
    narrow = {"branch": "int10", "bits": 16, "out": "uint8"}
    yield "residual_narrow", unit("residual-add", a="uint8", b="int8", **narrow)
    fixed = {"a_multiplier": 3 << 29, "b_multiplier": 1 << 30, "a_shift": 0, "b_shift": -1}
    yield "residual_fixed", unit("residual-add", **fixed)
    for name, parameters in {
        "double": {"zero_points": True},
        "single": {"profile": "tflite_single", "zero_points": True},
        "int16": {"a": "int16", "zero_points": True},
        "narrow": {"a": "uint8", "b": "int5", "out": "uint6", "bits": 16},
        "fixed": {"a_multiplier": 1 << 30, "a_shift": 0, "shift": -18},
    }.items():
        yield f"residual_as_tflite_{name}", unit("residual-add", form="tflite", **parameters)
    yield "pool_49_4_lanes", unit("average-pool", count=49, lanes=4)
    yield "pool_uint8_9", unit("average-pool", a="uint8", out="int8", count=9)
    yield "clamp_int32_uint8", unit("clamp", a="int32", out="uint8")


def _small() -> Iterator[tuple[str, Unit]]:
    """What has few enough operands for all of them."""
    yield "clamp_int8", unit("clamp")
    yield "clamp_int8_uint4", unit("clamp", a="int8", out="uint4")
    yield "rectifier", unit("clamp", low=0, high=127)
    for name, shifts in {
        "branch": {"b_shift": -1, "shift": -18},
        "sum": {"a_shift": -2, "b_shift": 0},
    }.items():
        narrow = {"a": "int3", "out": "int4", "bits": 3}
        yield f"residual_as_tflite_{name}", unit("residual-add", form="tflite", **narrow, **shifts)
    for profile in PROFILES:
        # every shift beside narrow operands
        narrow = {"x": "int10", "bits": 6, "profile": profile}
        yield f"requantize_{profile}", unit("requantize", **narrow)


def cases() -> Iterator[Case]:
    """Every profile, combinational and under stalls; those of few bits exhaustively."""
    for name, spec in LARGE.items():
        choices = (*STAGES[::2], {"stages": 4, "flow": "stream"})
        yield from everywhere("requantize", name, spec, choices, BULK)
        yield in_bulk("mapped", name, spec, MAPPED, FEWER)
    for name, spec in _others():
        yield from everywhere("integer", name, spec, BLOCK_CHOICES, BULK)
    for name, spec in _small():
        yield every_code("integer", name, spec, STAGES[:2])


def sample() -> Iterator[Case]:
    """The large ones with few vectors, and a few of the others."""
    for name, spec in LARGE.items():
        options = {"stages": 2, "flow": "stream"}
        yield in_bulk("requantize", name, spec, (options,), 200_000)
    listed = dict(_others())
    for name, stages in {
        "requantize_fixed": 2,
        "residual_single_tflite_single": 0,
        "residual_single_hawq": 2,
        "residual_single_half_up": 0,
        "residual_fixed": 2,
        "pool_49_4_lanes": 0,
    }.items():
        yield in_bulk("integer", name, listed[name], ({"stages": stages},), 30_000)
