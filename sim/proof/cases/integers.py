# SPDX-License-Identifier: BSD-2-Clause
"""Units of integers that are proven: their names and specifications."""

from __future__ import annotations

from collections.abc import Iterator

from macaw.golden.units import Unit, unit

PROFILES = ("tflite_single", "tflite_double", "hawq", "truncate", "half_up", "half_away")
REQUANTIZE: dict[str, Unit] = {
    **{name: unit("requantize", profile=name) for name in PROFILES},
    "tflite_double_zero_point": unit("requantize", profile="tflite_double", zero_point=True),
    "hawq_uint8_zero_point": unit("requantize", profile="hawq", out="uint8", zero_point=True),
}
"""With ten million vectors each: the space of their operands is the largest."""
WEIGHTS = ("int8", "int4", "int2", "ternary", "binary", "shift4", "power4")


def integers() -> Iterator[tuple[str, Unit]]:
    """Dot products and accumulations of every weight format, sums of branches, pools, clamps."""
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


def small_integers() -> Iterator[tuple[str, Unit]]:
    """What has few enough operands for all of them."""
    yield "clamp_int8", unit("clamp")
    yield "clamp_int8_uint4", unit("clamp", a="int8", out="uint4")
    yield "rectifier", unit("clamp", low=0, high=127)
    yield "dot2_int4", unit("int-dot", a="int4", lanes=2, acc="int6")
    yield "dot3_ternary", unit("int-dot", a="int4", b="ternary", lanes=3, acc="int6")
    yield "dot3_shift3", unit("int-dot", a="int4", b="shift3", lanes=3, bias=False)
    yield "dot12_binary", unit("int-dot", a="binary", lanes=12, bias=False, acc="int4")
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
