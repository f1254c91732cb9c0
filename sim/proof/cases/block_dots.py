# SPDX-License-Identifier: BSD-2-Clause
"""Sums of products of blocks, in one beat and over many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from macaw.golden.formats.block import BLOCKS
from macaw.golden.units import Unit, unit

from ..rules.machines import RULES
from .case import BLOCK_CHOICES, BULK, FEWER, MAPPED, Case, every_code, everywhere, in_bulk

__all__ = ["LARGE", "MACHINES", "RULES", "cases", "sample"]

# the block formats that most hardware has, with ten million blocks each
LARGE: dict[str, Unit] = {
    f"{kind}_{name}": unit(f"block-{kind}", a=name, out="fp32")
    for kind in ("dot", "mac")
    for name in ("mxfp4", "mxfp8-e4m3", "mxint8", "nvfp4")
}

_BLACKWELL: dict[str, Any] = {"out": "fp32", "accumulation": "tensor-core(blackwell)"}
MACHINES: dict[str, Unit] = {
    "dot_mxfp8_blackwell": unit("block-dot", a="mxfp8-e4m3", **_BLACKWELL),
    "dot_mxfp8_mxfp4_blackwell": unit("block-dot", a="mxfp8-e5m2", b="mxfp4", **_BLACKWELL),
    "dot_mxfp6_2_steps_blackwell": unit("block-dot", a="mxfp6-e3m2", size=64, **_BLACKWELL),
    "dot_mxfp4_blackwell": unit("block-dot", a="mxfp4", size=64, **_BLACKWELL),
    "dot_mxfp4_k16_blackwell": unit("block-dot", a="e2m1-k16-e8m0", size=64, **_BLACKWELL),
    "dot_nvfp4_blackwell": unit("block-dot", a="nvfp4", size=64, **_BLACKWELL),
    "dot_nvfp4_2_steps_blackwell": unit("block-dot", a="nvfp4", size=128, **_BLACKWELL),
    "mac_nvfp4_blackwell": unit("block-mac", a="nvfp4", lanes=64, **_BLACKWELL),
    "mac_e4m3_hopper": unit(
        "block-mac", a="e4m3", lanes=32, out="fp32", accumulation="tensor-core(hopper)"
    ),
    "mac_fp16_cdna3": unit("block-mac", a="fp16", lanes=8, out="fp32", accumulation="cdna3"),
    "mac_bf16_rvbna": unit("block-mac", a="bf16", lanes=4, out="fp32", accumulation="rvbna"),
}
"""Sums as machines make them, of blocks, and into a running accumulator."""


def _blocks() -> Iterator[tuple[str, Unit]]:
    """Every other block format, mixed ones, several beats per block, several blocks per beat."""
    done = {spec.parameters["a"] for spec in LARGE.values()}
    for name in BLOCKS:
        if name not in done:
            yield f"dot_{name}", unit("block-dot", a=name, out="fp32")
            yield f"mac_{name}", unit("block-mac", a=name, out="fp32")
    for name in ("mxfp4", "mxfp8-e4m3", "mxint8", "nvfp4", "hbfp8"):
        yield f"dot_{name}_4_lanes", unit("block-dot", a=name, out="fp32", lanes=4)
        yield f"mac_{name}_8_lanes", unit("block-mac", a=name, out="fp32", lanes=8)
    dot: Any = {"out": "fp32"}
    for name, parameters in {
        "mxfp8_mxfp4": {"a": "mxfp8-e4m3", "b": "mxfp4"},
        "int8_mxint4": {"a": "int8", "b": "mxint4"},
        "nvfp4_32": {"a": "nvfp4", "size": 32},
        "nvfp4_mxfp4": {
            "a": "nvfp4",
            "b": "mxfp4",
            "out": "bf16",
            "accumulation": "aligned(24)",
        },
        "nvfp4_rdn": {"a": "nvfp4", "rounding": "rdn"},
        "group_fp16": {"a": "int4sym-k16-fp16", "b": "int8", "out": "fp16"},
        "wide_scales": {"a": "int8-k4-fp32", "b": "int16-k4-fp32"},
        "wide_scales_and_elements": {"a": "fx28.27-k64-fp32", "size": 16},
        "bf16_scale": {"a": "e5m2-k4-bf16", "rounding": "rup"},
        "small_addend": {"a": "e2m1-k8-e8m0", "c": "e5m2", "out": "fp16", "rounding": "rtz"},
        "wide_addend": {"a": "e2m1-k8-e8m0", "c": "fp32", "out": "e4m3", "rounding": "sr"},
        "fixed": {"a": "mxint4", "c": "int32", "out": "int32", "size": 8},
        "sequential": {"a": "mxfp4", "size": 8, "accumulation": "sequential"},
        "hfp8": {
            "a": "e4m3b11fnuz-k16-e8m0",
            "out": "dlfloat16",
            "accumulation": "chunk(8,dlfloat16)",
        },
        "nf4_int8": {"a": "nf4-k64-fp32", "b": "int8"},
        "nf4_bf16_aligned": {"a": "nf4-k8-fp16", "b": "bf16", "accumulation": "aligned(24)"},
        "fp4bnb_nf4": {"a": "fp4bnb-k8-e8m0", "b": "nf4-k8-e8m0", "out": "bf16"},
        "dfp16_pairs": {"a": "dfp16", "size": 8, "accumulation": "chunk(auto,int32)"},
        "dfp16_wrap": {
            "a": "dfp16",
            "size": 8,
            "accumulation": "chunk(4,int32)",
            "overflow": "wrap",
        },
        "tensor_core": {"a": "mxfp8-e5m2", "size": 16, "accumulation": "aligned(25,8,rtz)"},
        "tensor_core_nvfp4": {"a": "nvfp4", "size": 32, "accumulation": "aligned(35)"},
        "lmul": {"a": "mxfp8-e4m3", "size": 8, "product": "lmul"},
        "lmul_aligned": {
            "a": "mxfp8-e5m2",
            "b": "mxfp6-e2m3",
            "size": 8,
            "product": "lmul(literal)",
            "accumulation": "aligned(24)",
        },
    }.items():
        yield f"dot_{name}", unit("block-dot", **(dot | parameters))
    mac: Any = {"out": "fp32"}
    for name, parameters in {
        "nvfp4_exact": {"a": "nvfp4", "acc": "exact"},
        "nvfp4_exact_4_lanes": {"a": "nvfp4", "acc": "exact", "lanes": 4},
        "nvfp4_exact_64_lanes": {"a": "nvfp4", "acc": "exact", "lanes": 64},
        "mxint8_bf16_4_contexts": {"a": "mxint8", "acc": "bf16", "contexts": 4},
        "mxfp4_sr": {"a": "mxfp4", "rounding": "sr"},
        "nf4_int8": {"a": "nf4-k8-fp32", "b": "int8"},
        "wide_scales": {"a": "int8-k4-fp32", "b": "int16-k4-fp32"},
        "mxfp4_1_lane": {"a": "mxfp4", "lanes": 1, "acc": "bf16", "rounding": "rdn"},
        "dfp16_pairs": {"a": "dfp16", "lanes": 8, "accumulation": "chunk(auto,int32)"},
        "tensor_core": {"a": "e5m2-k8-e8m0", "accumulation": "aligned(25,4,rtz)"},
    }.items():
        yield f"mac_{name}", unit("block-mac", **(mac | parameters))


def _groups() -> Iterator[tuple[str, Unit]]:
    """Groups with zero points: on one side, on both, of several beats, several a beat."""
    dot: Any = {"out": "fp32"}
    for name, parameters in {
        "gptq": {"a": "int8", "b": "uint4-k128-fp16-zuint4", "size": 32},
        "gptq_both": {"a": "uint8-k32-fp16-zuint8", "b": "uint4-k32-fp16-zuint4"},
        "4_lanes": {"a": "int8-tensor-fp32", "b": "uint4-k16-fp16-zuint4", "size": 16, "lanes": 4},
        "both_2_lanes": {"a": "uint4-k8-fp16-zuint4", "lanes": 2, "rounding": "rdn"},
        "two_groups": {"a": "int8-k16-e4m3-zint8", "b": "uint4-k8-e4m3-zuint4", "out": "bf16"},
        "onnx": {"a": "uint8-tensor-fp32-zuint8", "b": "int8sym-tensor-fp32", "size": 8},
        "fixed": {"a": "fx6.2-k8-ue5m3-zfx9.2", "b": "fx4.3", "rounding": "rup"},
        "e4m3": {"a": "e4m3", "b": "uint4-k16-fp16-zuint4"},
        "fp16": {"a": "fp16", "b": "uint4-k4-fp16-zuint4", "rounding": "sr"},
        "mxfp4": {"a": "mxfp4", "b": "uint2-k32-fp16-zint8", "size": 32},
        "aligned": {"a": "uint4-k16-fp16-zuint4", "accumulation": "aligned(24)"},
        "chunk": {"a": "uint4-k8-fp16-zuint4", "b": "int8", "accumulation": "chunk(4,int32)"},
        "sequential": {"a": "uint4-k4-fp16-zint6", "accumulation": "sequential", "out": "fp16"},
        "hqq": {"a": "int8", "b": "uint4-k64-fp16-zfp16", "size": 32},
        "hqq_4_lanes": {"a": "int8-k16-fp16", "b": "uint4-k16-fp16-zfp16", "lanes": 4},
        "float_e4m3": {"a": "e4m3", "b": "uint2-k8-ue4m3-ze5m2", "rounding": "rdn"},
        "float_two_groups": {"a": "fx5.2-k4-e4m3-ze4m3", "b": "int4", "out": "bf16", "size": 8},
        "q4_1": {"a": "int8-k32-fp16", "b": "q4_1"},
        "q4_1_8_lanes": {"a": "int8", "b": "q4_1", "lanes": 8},
        "decoupleq": {"a": "e5m2", "b": "uint2-k64-fp16-mfp16", "size": 16, "out": "fp16"},
        "minimum_two_groups": {"a": "uint3-k4-e4m3-me5m2", "b": "int4-k8-e4m3", "size": 8},
        "minimum_e4m3fnuz": {"a": "fx5.2-k4-e4m3-me4m3", "b": "e4m3fnuz", "rounding": "rdn"},
    }.items():
        yield f"dot_zero_{name}", unit("block-dot", **(dot | parameters))
    for name, parameters in {
        "gptq": {"a": "int8", "b": "uint4-k32-fp16-zuint4"},
        "exact_4_lanes": {"a": "uint4-k16-fp16-zuint4", "lanes": 4, "acc": "exact"},
        "two_groups": {"a": "uint4-k8-e4m3-zuint4", "lanes": 16, "acc": "bf16", "contexts": 2},
        "e4m3_exact": {"a": "e4m3", "b": "uint4-k8-ue4m3-zuint4", "acc": "exact"},
        "hqq_4_lanes": {"a": "int8", "b": "uint4-k16-fp16-zfp16", "lanes": 4},
        "q4_1": {"a": "int8-k32-e4m3", "b": "q4_1", "acc": "bf16", "rounding": "sr"},
        "minimum_exact": {"a": "e4m3", "b": "uint4-k8-ue4m3-me4m3", "acc": "exact", "lanes": 4},
        "float_exact": {"a": "uint2-k4-e4m3-ze4m3", "b": "int4", "acc": "exact", "lanes": 8},
    }.items():
        yield f"mac_zero_{name}", unit("block-mac", **(dot | parameters))


EVERY_CODE: dict[str, Unit] = {
    f"dot_zero_{name}": unit("block-dot", **parameters)
    for name, parameters in {
        "one": {"a": "int2", "b": "uint2-k2-e2m1fn-zuint2", "c": "e2m1", "out": "e4m3"},
        "one_rdn": {"a": "uint2-k2-e2m1fn-zint2", "b": "int1", "c": "e2m1", "out": "e3m2"},
        "both": {"a": "uint2-k1-e2m1fn-zint3", "c": "e2m0", "out": "e4m3"},
        "float": {"a": "e2m1fn", "b": "uint2-k1-e2m2fn-zuint2", "c": "e2m1", "out": "e5m2"},
        "e2m1": {"a": "uint2-k2-e2m1fn-ze2m1fn", "b": "int2", "c": "e2m1", "out": "e4m3"},
        "e2m1_rdn": {
            "a": "e2m1fn",
            "b": "int2-k1-e2m1fn-ze2m2ieee",
            "c": "e2m1",
            "out": "e5m2",
            "rounding": "rdn",
        },
        "minimum": {"a": "uint2-k2-e2m1fn-me2m2ieee", "b": "int2", "c": "e2m1", "out": "e5m2"},
        "minimum_rdn": {
            "a": "int2-k1-e2m1ieee-me2m1fn",
            "b": "e2m1fn-k1-e2m0fn",
            "c": "e2m1",
            "out": "e4m3",
            "rounding": "rdn",
        },
    }.items()
}
"""Small ones with zero points, of which all codes are taken."""


COUNTED: dict[str, Unit] = {
    "dot_mxfp4": unit("block-dot", a="mxfp4", out="e5m2", size=4, statistics=9),
    "dot_mxfp8_4_beats": unit("block-dot", a="mxfp8-e4m3", out="fp16", lanes=8, statistics=3),
    "dot_mxfp8_blackwell": unit("block-dot", a="mxfp8-e4m3", **_BLACKWELL, statistics=16),
    "mac_mxfp8": unit("block-mac", a="mxfp8-e4m3", out="e5m2", lanes=8, statistics=16),
    "mac_mxfp4_bf16": unit(
        "block-mac", a="mxfp4", out="bf16", acc="bf16", contexts=2, statistics=8
    ),
    "mac_mxfp4_exact": unit("block-mac", a="e2m1-k8-ue4m3", out="e4m3", acc="exact", statistics=8),
}
"""With statistics, of blocks in one beat and in several."""


def cases() -> Iterator[Case]:
    """Every block format, combinational and under stalls; groups with zero points besides."""
    for name, spec in _groups():
        yield from everywhere("blocks", name, spec, BLOCK_CHOICES, FEWER)
    for name, spec in EVERY_CODE.items():
        yield every_code("blocks", name, spec, BLOCK_CHOICES)
    for name, spec in LARGE.items():
        yield from everywhere("blocks", name, spec, BLOCK_CHOICES, BULK)
        yield in_bulk("mapped", name, spec, MAPPED, FEWER)
    for name, spec in _blocks():
        yield from everywhere("blocks", name, spec, BLOCK_CHOICES, FEWER)
    for name, spec in MACHINES.items():
        yield from everywhere("machines", name, spec, BLOCK_CHOICES, FEWER)
    for name, spec in COUNTED.items():
        yield from everywhere("statistics", name, spec, BLOCK_CHOICES, FEWER)


def sample() -> Iterator[Case]:
    """Four of the large ones, and every fifth; every fifth of those with zero points."""
    for number, (name, spec) in enumerate(_groups()):
        if number % 5 == 1:
            yield in_bulk("blocks", name, spec, ({"stages": 2, "flow": "stream"},), 30_000)
    for number, (name, spec) in enumerate([*LARGE.items(), *_blocks()]):
        if number < 4 or number % 5 == 0:
            options = {"stages": 2, "flow": ("stream", "valid")[number % 2]}
            yield in_bulk("blocks", name, spec, (options,), 30_000)
