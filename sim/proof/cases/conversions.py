# SPDX-License-Identifier: BSD-2-Clause
"""Quantisers to blocks, their inverses, and Hadamard transforms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from macaw.golden.arithmetic.block_rules import Order, ScaleRule
from macaw.golden.formats.block import BLOCKS
from macaw.golden.units import Unit, unit

from ..rules.parameters import Draw, Rules
from .case import BLOCK_CHOICES, FEWER, MAPPED, Case, every_code, everywhere, folds, in_bulk


def _signs(draw: Draw) -> int | str:
    size = draw.get("size", 16)
    return draw.one(0, draw.integer(0, (1 << size) - 1), *(["te"] if size == 16 else []))


RULES: Rules = {
    ("hadamard", "size"): lambda draw: draw.one(2, 2, 4, 4, 8, 16),
    ("hadamard", "accumulation"): lambda draw: draw.one("exact", f"aligned({draw.integer(4, 48)})"),
    "signs": _signs,
    # What the unit refuses: scales that do not follow from the largest magnitude.
    ("block-quantize", "scale_rule"): lambda draw: draw.one(
        *(rule for rule in ScaleRule if rule.by_largest)
    ),
}


def _conversions() -> Iterator[tuple[str, Unit]]:
    """Quantisers, their inverses, and Hadamard transforms."""
    for name, fmt in BLOCKS.items():
        size: Any = {"size": 8 if fmt.power_of_two else 4}
        quantise = {"out": name, **size}
        rules = [rule for rule in ScaleRule if rule.by_largest]
        parameter, words = ("scale_rule", rules) if fmt.power_of_two else ("order", Order)
        for number, word in enumerate(words):
            source = ("bf16", "fp32", "fp16")[number % 3]
            spec = unit("block-quantize", a=source, **quantise, **{parameter: word})
            yield f"quantize_{source}_{name}_{word}", spec
        spec = unit("block-quantize", a="bf16", rounding="sr", **quantise)
        yield f"quantize_bf16_{name}_sr", spec
        for out in ("bf16", "fp32"):
            yield f"dequantize_{name}_{out}", unit("block-dequantize", a=name, out=out, size=8)
    for name in ("mxfp4", "mxfp8-e4m3", "mxint8", "nvfp4"):
        yield f"quantize_{name}_whole", unit("block-quantize", a="bf16", out=name)
    for least in ("modelopt", "torchao", "ct"):
        spec = unit("block-quantize", a="bf16", out="nvfp4", size=4, min_scale=least)
        yield f"quantize_nvfp4_least_{least}", spec
    for name in ("int8sym-k4-fp16", "e4m3-k4-fp32", "nf4-k8-fp32", "fp4bnb-k8-e8m0"):
        yield f"quantize_{name}", unit("block-quantize", a="bf16", out=name)
    for name, out in (
        ("uint4-k16-fp16-zuint4", "fp16"),
        ("uint4-k16-bf16-zuint4", "bf16"),
        ("uint8-k4-fp32-zuint8", "fp32"),
        ("fx6.2-k4-e4m3-zfx9.2", "e5m2"),
        ("uint2-k4-ue4m3-zint3", "int8"),
        ("uint4-k16-fp16-zfp16", "fp16"),
        ("uint4-k8-bf16-zbf16", "bf16"),
        ("fx6.2-k4-e4m3-zfp32", "int8"),
        ("uint4-k16-fp16-mfp16", "fp16"),
        ("int4-k8-bf16-mbf16", "bf16"),
        ("fx6.2-k4-ue5m3-me5m2", "fx9.2"),
    ):
        yield f"dequantize_{name}_{out}", unit("block-dequantize", a=name, out=out)
    yield "quantize_nf4_exact", unit("block-quantize", a="fp16", out="nf4-k4-fp32", order="exact")
    for name in ("nf4-k64-fp32", "fp4bnb-k8-e8m0"):
        yield f"dequantize_{name}", unit("block-dequantize", a=name, out="bf16")
    yield "dequantize_sr", unit("block-dequantize", a="mxfp8-e5m2", out="fp16", rounding="sr")
    yield "hadamard_e4m3", unit("hadamard", a="e4m3", out="bf16", size=16, signs="te")
    yield "hadamard_fp16", unit("hadamard", a="fp16", out="fp16", size=8, rounding="rdn")
    yield "hadamard_int8", unit("hadamard", a="int8", out="int16", size=32)
    aligned = unit("hadamard", a="bf16", out="bf16", size=16, accumulation="aligned(16)")
    yield "hadamard_bf16_aligned", aligned


GROUPS: dict[str, Unit] = {
    f"quantize_{source}_{name}": unit("block-quantize", a=source, out=name, **options)
    for source, name, options in (
        ("bf16", "uint4-k8-fp16-zuint4", {}),
        ("fp16", "int8-k4-fp32-zint8", {"order": "ct"}),
        ("e5m2", "uint3-k4-bf16-zint8", {"order": "te", "rounding": "rdn"}),
        ("fp16", "uint2-k4-e4m3-zuint2", {"order": "exact", "min_scale": "ct"}),
        ("ue5m3", "fx6.2-k4-ue5m3-zfx9.2", {"order": "torchao", "rounding": "sr"}),
        ("fp32", "uint8-k2-fp32-zuint4", {}),
        ("e4m3fnuz", "uint4-k4-fp16-zuint4", {"rounding": "rod"}),
        ("e6m1finitenosubnozero", "uint4-k4-fp16-zuint4", {}),
    )
}
"""Quantisers that find a zero point."""

EVERY_PAIR: dict[str, Unit] = {
    f"quantize_{name}_pair": unit("block-quantize", a=source, out=out, size=2, **options)
    for name, source, out, options in (
        ("e4m3", "e4m3", "uint4-k2-fp16-zuint4", {}),
        ("e5m2", "e5m2", "int3-k2-e4m3-zint4", {"order": "ct", "rounding": "rup"}),
        ("nozero", "e6m1finitenosubnozero", "uint4-k2-fp16-zuint4", {"order": "exact"}),
    )
}
"""Those of two values of 8 bits, of which all are taken."""


EVERY_VALUE: dict[str, Unit] = {
    f"dequantize_{name}_every": unit("block-dequantize", a=name, out=out, **options)
    for name, out, options in (
        ("uint2-k1-e4m3-ze4m3", "e5m2", {}),
        ("int3-k1-e3m2ieee-ze4m3", "e4m3", {"rounding": "rdn"}),
        ("uint2-k1-e5m2-me4m3", "e5m2", {}),
        ("int3-k1-e4m3-me3m2ieee", "e3m2", {"rounding": "rdn"}),
    )
}
"""Of one element and a zero point that is a float, of which all codes are taken."""


COUNTED: dict[str, Unit] = {
    name: unit("block-quantize", **parameters)
    for name, parameters in {
        "mxfp8": {"a": "bf16", "out": "mxfp8-e4m3", "size": 4, "statistics": 8},
        "mxfp4_rceil": {
            "a": "fp32",
            "out": "mxfp4",
            "size": 4,
            "statistics": 2,
            "scale_rule": "rceil",
        },
        "nvfp4": {"a": "fp32", "out": "nvfp4", "size": 4, "statistics": 16},
        "nvfp4_ct": {"a": "bf16", "out": "nvfp4", "size": 2, "statistics": 9, "order": "ct"},
        "exact": {
            "a": "fp16",
            "out": "e2m1-k4-ue4m3",
            "size": 4,
            "statistics": 9,
            "order": "exact",
        },
        "mxint8": {"a": "fp16", "out": "mxint8", "size": 4, "statistics": 32},
        "mxfp8_sr": {
            "a": "fp32",
            "out": "mxfp8-e5m2",
            "size": 4,
            "statistics": 12,
            "rounding": "sr",
            "random": "lfsr",
        },
        "no_nan": {"a": "bf16", "out": "flex16+5", "size": 2, "statistics": 9},
        "small_scales": {"a": "e5m2", "out": "e2m1-k4-e3m0", "size": 4, "statistics": 9},
    }.items()
}
"""Quantisers with statistics: powers of two and others, with a NaN and without, that end soon."""


def cases() -> Iterator[Case]:
    """All of them, combinational and under stalls; quantisers with lanes in turns besides."""
    for name, spec in EVERY_VALUE.items():
        yield every_code("convert", name, spec, BLOCK_CHOICES)
    for name, spec in EVERY_PAIR.items():
        yield every_code("convert", name, spec, BLOCK_CHOICES)
    for name, spec in COUNTED.items():
        choices = (*BLOCK_CHOICES, {"fold": 2, "flow": "stream"})
        yield from everywhere("statistics", name, spec, choices, FEWER)
    for name, spec in GROUPS.items():
        yield in_bulk("mapped", name, spec, MAPPED, FEWER // 4)
    for name, spec in (*_conversions(), *GROUPS.items()):
        yield from everywhere("convert", name, spec, BLOCK_CHOICES, FEWER)
        if spec.kind == "block-quantize":
            lanes = spec.ports.inputs["a"].lanes or 1
            yield from everywhere("fold", name, spec, folds(lanes), FEWER // 4)


def sample() -> Iterator[Case]:
    """Every ninth, two that find a zero point, and two that count."""
    for name, spec in [*COUNTED.items()][::5]:
        yield in_bulk("statistics", name, spec, ({"fold": 2, "flow": "stream"},), 20_000)
    for name, spec in [*GROUPS.items()][::4]:
        yield in_bulk("convert", name, spec, ({"stages": 2},), 30_000)
    for number, (name, spec) in enumerate(_conversions()):
        if number % 9 == 0:
            yield in_bulk("convert", name, spec, ({"stages": number % 3},), 30_000)
