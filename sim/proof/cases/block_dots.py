# SPDX-License-Identifier: BSD-2-Clause
"""Sums of products of blocks, in one beat and over many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from macaw.golden.formats.block import BLOCKS
from macaw.golden.units import Unit, unit

from ..rules.machines import RULES
from .case import BLOCK_CHOICES, BULK, FEWER, Case, everywhere, in_bulk

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
        "mxfp4_1_lane": {"a": "mxfp4", "lanes": 1, "acc": "bf16", "rounding": "rdn"},
        "dfp16_pairs": {"a": "dfp16", "lanes": 8, "accumulation": "chunk(auto,int32)"},
        "tensor_core": {"a": "e5m2-k8-e8m0", "accumulation": "aligned(25,4,rtz)"},
    }.items():
        yield f"mac_{name}", unit("block-mac", **(mac | parameters))


def cases() -> Iterator[Case]:
    """Every block format, combinational and under stalls."""
    for name, spec in LARGE.items():
        yield from everywhere("blocks", name, spec, BLOCK_CHOICES, BULK)
    for name, spec in _blocks():
        yield from everywhere("blocks", name, spec, BLOCK_CHOICES, FEWER)
    for name, spec in MACHINES.items():
        yield from everywhere("machines", name, spec, BLOCK_CHOICES, FEWER)


def sample() -> Iterator[Case]:
    """Four of the large ones, and every fifth."""
    for number, (name, spec) in enumerate([*LARGE.items(), *_blocks()]):
        if number < 4 or number % 5 == 0:
            options = {"stages": 2, "flow": ("stream", "valid")[number % 2]}
            yield in_bulk("blocks", name, spec, (options,), 30_000)
