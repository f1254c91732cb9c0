# SPDX-License-Identifier: BSD-2-Clause
"""What is proven: units, implementations, and how many vectors each of them gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from macaw.golden.arithmetic.block_rules import Order, ScaleRule
from macaw.golden.arithmetic.dyadic import Profile
from macaw.golden.formats import FORMATS, POWERS, Float
from macaw.golden.formats import format as format_of
from macaw.golden.formats.block import BLOCKS
from macaw.golden.units import ExponentPredictor, Unit, unit

from ...layers import LayerPipeline
from ...stimulus.draw import exhaustive_bits
from ..random.gates import ORDER
from .integers import REQUANTIZE, integers, small_integers

STAGES: tuple[dict[str, Any], ...] = (
    {"stages": 0},
    {"stages": 1},
    {"stages": 3},
    {"frequency": 100.0},
)
FLOWS: tuple[dict[str, Any], ...] = (
    {"flow": "valid"},
    {"flow": "stream"},
    {"bus": "axis"},
)
# combinational, and in a pipeline under stalls
BLOCK_CHOICES: tuple[dict[str, Any], ...] = ({"stages": 0}, {"stages": 3, "flow": "stream"})
COCOTB = ("icarus", "verilator")

BULK = 10_000_000
FEWER = 1_000_000
COCOTB_VECTORS = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One unit in one or more implementations, to be proven in one simulator.

    ``vectors=None`` is every combination of operand codes. Of ``simulator="lint"`` the modules
    are not simulated, but read by linters.
    """

    name: str
    unit: Unit
    implementations: tuple[dict[str, Any], ...]
    vectors: int | None
    simulator: str
    stalls: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class RandomCase:
    """The ``number``-th unit drawn at random, which is known when it is drawn: that takes a while.

    Those of few input bits are run exhaustively.
    """

    number: int
    seed: int = 2026
    vectors: int = 12_000
    simulator: str = "bulk"

    @property
    def name(self) -> str:
        """The name of the check."""
        return f"rtl/random/bulk/{self.number:04}"


RANDOM = 2_240
"""Units drawn at random: 40 times every kind, or 120 times."""


# Every name that gates take, those of weights without a multiplier included; fp64 is too wide.
REGISTERED: tuple[str, ...] = tuple(
    name for name, fmt in (FORMATS | POWERS).items() if fmt.width <= 32
)
FORMATS_8: tuple[str, ...] = tuple(name for name in REGISTERED if format_of(name).width <= 8)

# fma and dot with ten million vectors at every choice of stages
LARGE: dict[str, Unit] = {
    "fma_fp32": unit("fma", a="fp32", out="fp32"),
    "fma_fp16": unit("fma", a="fp16", out="fp16"),
    "fma_bf16": unit("fma", a="bf16", out="bf16"),
    "fma_e4m3_e5m2_fp32": unit("fma", a="e4m3", b="e5m2", out="fp32"),
    "dot8_e4m3_exact": unit("dot", a="e4m3", out="fp32", lanes=8),
    "dot8_fp16_exact": unit("dot", a="fp16", out="fp32", lanes=8),
    "dot8_bf16_aligned": unit("dot", a="bf16", out="fp32", lanes=8, accumulation="aligned(24)"),
    "dot8_int4_fp16": unit("dot", a="int4", b="fp16", out="fp16", lanes=8),
}

ACCUMULATORS: dict[str, Unit] = {
    "e4m3_exact": unit("mac", a="e4m3", out="fp32"),
    "e4m3_exact_4_lanes": unit("mac", a="e4m3", out="fp32", lanes=4),
    "e5m2_exact": unit("mac", a="e5m2", out="bf16", terms=256),
    "fp16_exact": unit("mac", a="fp16", out="fp32"),
    "e2m1_exact_8_lanes": unit("mac", a="e2m1", out="fp16", lanes=8),
    "int8_wrap": unit("mac", a="int8", acc="int16", out="int16", overflow="wrap"),
    "int8_saturate": unit("mac", a="int8", acc="int16", out="int16", overflow="saturate"),
    "int8_int32": unit("mac", a="int8", acc="int32", out="int32", lanes=4),
    "e4m3_fp32": unit("mac", a="e4m3", acc="fp32", out="fp32"),
    "bf16_fp32": unit("mac", a="bf16", acc="fp32", out="bf16"),
    "fp16_fp16": unit("mac", a="fp16", acc="fp16", out="fp16"),
    "e5m2_fp16_rtz": unit("mac", a="e5m2", acc="fp16", out="fp16", rounding="rtz"),
    "e4m3_bf16_sr": unit("mac", a="e4m3", acc="bf16", out="bf16", rounding="sr"),
    "e2m1_fp16_2_lanes_rdn": unit("mac", a="e2m1", acc="fp16", out="fp16", lanes=2, rounding="rdn"),
    "fp16_fp32_4_contexts": unit("mac", a="fp16", acc="fp32", out="fp32", contexts=4),
}

# the block formats that most hardware has, with ten million blocks each
BLOCKS_LARGE: dict[str, Unit] = {
    f"{kind}_{name}": unit(f"block-{kind}", a=name, out="fp32")
    for kind in ("dot", "mac")
    for name in ("mxfp4", "mxfp8-e4m3", "mxint8", "nvfp4")
}


def _blocks() -> Iterator[tuple[str, Unit]]:
    """Every other block format, mixed ones, several beats per block, several blocks per beat."""
    done = {spec.parameters["a"] for spec in BLOCKS_LARGE.values()}
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


def _conversions() -> Iterator[tuple[str, Unit]]:
    """Quantisers, their inverses, and Hadamard transforms."""
    for name, fmt in BLOCKS.items():
        size: Any = {"size": 8 if fmt.power_of_two else 4}
        quantise = {"out": name, **size}
        parameter, words = ("scale_rule", ScaleRule) if fmt.power_of_two else ("order", Order)
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
    for name in ("int8sym-k4-fp16", "e4m3-k4-fp32"):
        yield f"quantize_{name}", unit("block-quantize", a="bf16", out=name)
    yield "dequantize_sr", unit("block-dequantize", a="mxfp8-e5m2", out="fp16", rounding="sr")
    yield "hadamard_e4m3", unit("hadamard", a="e4m3", out="bf16", size=16, signs="te")
    yield "hadamard_fp16", unit("hadamard", a="fp16", out="fp16", size=8, rounding="rdn")
    yield "hadamard_int8", unit("hadamard", a="int8", out="int16", size=32)
    aligned = unit("hadamard", a="bf16", out="bf16", size=16, accumulation="aligned(16)")
    yield "hadamard_bf16_aligned", aligned


def _pipelines() -> Iterator[tuple[str, Unit]]:
    """Units in a row, with and without a memory."""
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


STREAM_CHOICES: tuple[dict[str, Any], ...] = (*BLOCK_CHOICES, {"frequency": 100.0, "flow": "valid"})

# with ten million beats at every choice
FLEX_LARGE: dict[str, Unit] = {
    f"mac_flex16_{lanes}_lanes": unit("flex-mac", a="flex16+5", lanes=lanes) for lanes in (1, 8, 32)
} | {"autoflex_flex16": unit("autoflex", out="flex16+5")}


def _flex() -> Iterator[tuple[str, Unit]]:
    """The other units of Flexpoint: widths, mixed formats, roundings, tiles."""
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


# integer functions of few operand bits, every code
FUNCTIONS_SMALL: dict[str, Unit] = {
    "isqrt_uint16": unit("isqrt", x="uint16"),
    "isqrt_ufx9.4": unit("isqrt", x="ufx9.4"),
    "exp2_fx16.10": unit("int-exp2", x="fx16.10"),
    "exp2_fx16.13": unit("int-exp2", x="fx16.13", precision=10),
    "exp2_ufx12.5": unit("int-exp2", x="ufx12.5", precision=8),
    "exp2_fx10.12": unit("int-exp2", x="fx10.12", precision=20),
    "exp2_fx16.11_e": unit("int-exp2", x="fx16.11", base="e"),
    "exp2_fx16.11_fp16": unit("int-exp2", x="fx16.11", out="fp16", base="e"),
    "exp2_fx16.12_ufx16.16": unit("int-exp2", x="fx16.12", out="ufx16.16", rounding="rtz"),
    "gelu_fx8.4": unit("int-gelu", x="fx8.4"),
    "gelu_int8_0.05": unit("int-gelu", x="int8", scale="0.05"),
    "gelu_int8_coarse": unit("int-gelu", x="int8", scale="1"),
    "gelu_int8_shift": unit("int-gelu", x="int8", scale="1/50", shift=4),
    "gelu_fx16.12": unit("int-gelu", x="fx16.12"),
    "softmax2_int8_0.05": unit("int-softmax", x="int8", scale="0.05", lanes=2),
    "softmax3_fx5.2": unit("int-softmax", x="fx5.2", out="fx8.7", lanes=3),
    "softmax1_fx8.4": unit("int-softmax", x="fx8.4", lanes=1),
    "softmax2_int8_int8": unit("int-softmax", x="int8", scale="0.05", out="int8", lanes=2),
    "softmax3_fx5.2_zero": unit("int-softmax", x="fx5.2", out="fx9.7", zero_point=-76, lanes=3),
    "layernorm1_int8": unit("int-layernorm", x="int8", lanes=1),
    "layernorm2_int8": unit("int-layernorm", x="int8", lanes=2),
    "layernorm3_uint5": unit("int-layernorm", x="uint5", out="int8", lanes=3, reciprocal=14),
    "layernorm4_int4_shift": unit("int-layernorm", x="int4", out="int16", lanes=4, shift=1),
}

# and of many
FUNCTIONS_LARGE: dict[str, Unit] = {
    "isqrt_uint32": unit("isqrt", x="uint32"),
    "isqrt_uint63": unit("isqrt", x="uint63"),
    "exp2_fx24.16": unit("int-exp2", x="fx24.16"),
    "exp2_fx32.24": unit("int-exp2", x="fx32.24", precision=24),
    "exp2_fx24.16_bf16_sr": unit("int-exp2", x="fx24.16", out="bf16", base="e", rounding="sr"),
    "gelu_int32_0.0001": unit("int-gelu", x="int32", scale="0.0001"),
    "gelu_fx24.16": unit("int-gelu", x="fx24.16"),
    "softmax16_fx8.4": unit("int-softmax", x="fx8.4"),
    "softmax8_int8_0.05": unit("int-softmax", x="int8", scale="0.05", lanes=8, reciprocal=24),
    "softmax8_int8_int8": unit("int-softmax", x="int8", scale="0.05", out="int8", lanes=8),
    "softmax8_int16_int16": unit("int-softmax", x="int16", scale="1/2048", out="int16", lanes=8),
    "softmax8_fx16.10": unit("int-softmax", x="fx16.10", out="ufx16.16", lanes=8, reciprocal=40),
    "softmax5_uint8": unit("int-softmax", x="uint8", scale="1/30", out="ufx9.8", lanes=5, bits=8),
    "layernorm16_int8": unit("int-layernorm", x="int8"),
    "layernorm16_int8_int8": unit("int-layernorm", x="int8", out="int8", reciprocal=17),
    "layernorm6_int16": unit("int-layernorm", x="int16", out="int16", lanes=6),
    "layernorm8_uint12_shift": unit("int-layernorm", x="uint12", lanes=8, shift=5),
}

# combinational, in a pipeline under stalls, and at a clock
FUNCTION_CHOICES: tuple[dict[str, Any], ...] = (*BLOCK_CHOICES, {"frequency": 80.0})


ROUNDINGS = ("rna", "rtz", "rup", "rdn", "rod", "sr", "srb", "src")


def _directed() -> Iterator[tuple[str, Unit]]:
    """Rounding modes, overflow policies, flags and odd formats."""
    for rounding in ROUNDINGS:
        yield f"fma_fp16_{rounding}", unit("fma", a="fp16", out="fp16", rounding=rounding)
        yield f"mul_e5m2_{rounding}", unit("mul", a="e5m2", rounding=rounding)
        yield f"add_e4m3_{rounding}", unit("add", a="e4m3", rounding=rounding)
        yield f"cast_fp32_e4m3_{rounding}", unit("cast", a="fp32", out="e4m3", rounding=rounding)
        yield f"cast_fp32_int8_{rounding}", unit("cast", a="fp32", out="int8", rounding=rounding)
        yield (
            f"cast_fp32_dlfloat16_{rounding}",
            unit("cast", a="fp32", out="dlfloat16", rounding=rounding, flags=True),
        )
    for kind in ("mul", "add", "fma"):
        for name in ("fp32", "fp16", "bf16", "e5m2"):
            yield (
                f"{kind}_{name}_dynamic_flags",
                unit(kind, a=name, out=name, rounding="dynamic", flags=True),
            )
    for a, out in (("fp32", "fp16"), ("fp16", "e5m2"), ("fp32", "int16"), ("int32", "fp32")):
        parameters: dict[str, Any] = {"rounding": "dynamic", "flags": True}
        yield f"cast_{a}_{out}_dynamic_flags", unit("cast", a=a, out=out, **parameters)
    for out in ("e5m2", "fp16", "e4m3", "e4m3fnuz", "ue4m3", "e2m1", "e8m0"):
        yield f"cast_fp32_{out}_saturate", unit("cast", a="fp32", out=out, overflow="saturate")
        if FORMATS[out].has_nan:
            yield (
                f"cast_fp32_{out}_nonfinite",
                unit("cast", a="fp32", out=out, overflow="nonfinite", flags=True),
            )
    for out, nan in (("e2m1", "negative_zero"), ("e3m2", "zero"), ("int8", "zero")):
        yield f"cast_fp16_{out}_{nan}", unit("cast", a="fp16", out=out, nan=nan, flags=True)
    yield "mul_fp16_ufx8.4_zero", unit("mul", a="fp16", out="ufx8.4", nan="zero")
    yield (
        "cast_fp32_dlfloat16_dynamic",
        unit("cast", a="fp32", out="dlfloat16", rounding="dynamic", flags=True),
    )
    yield "cast_int16_int8_wrap", unit("cast", a="int16", out="int8", overflow="wrap")
    yield "cast_fp16_uint8", unit("cast", a="fp16", out="uint8", flags=True)
    yield "cast_fp16_fp32", unit("cast", a="fp16", out="fp32", flags=True)
    yield "cast_bf16_tf32", unit("cast", a="bf16", out="tf32")
    yield "cast_tf32_dlfloat16", unit("cast", a="tf32", out="dlfloat16")
    yield "cast_fx8.6_e3m4", unit("cast", a="fx8.6", out="e3m4")
    yield "sub_fp32", unit("add", a="fp32", subtract=True, flags=True)
    yield "sub_e4m3", unit("add", a="e4m3", subtract=True)
    yield "add_fp16_fp32", unit("add", a="fp16", b="bf16", out="fp32")
    yield "add_int8_fp16", unit("add", a="int8", b="fp16", out="fp16")
    yield "mul_int8_int16", unit("mul", a="int8", out="int16")
    yield "mul_int4_fp16", unit("mul", a="int4", b="fp16", out="fp16")
    yield "mul_e8m0_e2m1", unit("mul", a="e8m0", b="e2m1", out="bf16")
    yield "mul_fx8.6_fx10.8", unit("mul", a="fx8.6", b="fx10.8", out="fx12.7", rounding="rna")
    yield "fma_int8_int32", unit("fma", a="int8", out="int32")
    yield "fma_dlfloat16", unit("fma", a="dlfloat16", out="dlfloat16")
    yield "fma_tf32_fp32", unit("fma", a="tf32", out="fp32")
    yield "fma_fp16ftz", unit("fma", a="e5m10ftz", out="e5m10ftz", flags=True)
    yield "fma_e4m3_fp16", unit("fma", a="e4m3", out="fp16")
    yield "fma_e5m2_saturate", unit("fma", a="e5m2", out="e5m2", overflow="saturate")
    yield "fma_e3m4_e6m9", unit("fma", a="e3m4", b="e6m9", out="e6m9")
    yield "dot4_int8_int32", unit("dot", a="int8", out="int32")
    yield "dot4_e2m1_fp16", unit("dot", a="e2m1", out="fp16")
    yield "dot2_fp16_rup", unit("dot", a="fp16", out="fp16", lanes=2, rounding="rup")
    yield (
        "dot4_fp32_aligned",
        unit("dot", a="fp32", out="fp32", accumulation="aligned(30)", rounding="rtz"),
    )
    yield (
        "dot16_e5m2_aligned",
        unit("dot", a="e5m2", out="bf16", lanes=16, accumulation="aligned(12)"),
    )


def _pairs(formats: tuple[str, ...]) -> Iterator[tuple[str, Unit]]:
    for name in formats:
        for kind in ("mul", "add"):
            yield f"{kind}_{name}", unit(kind, a=name)
    yield "fma_e2m1_e2m1_e4m3", unit("fma", a="e2m1", c="e4m3", out="e4m3")
    # Exponents that begin alike and end elsewhere, and a result that has every bit.
    yield "add_e3m2ieee_e3m2_e6m9", unit("add", a="e3m2ieee", b="e3m2", out="e6m9")
    yield "add_e3m4_e3m2_fp32", unit("add", a="e3m4", b="e3m2", out="fp32")


def registered() -> dict[str, Unit]:
    """Every registered format as operand, as result, and as both, in ``cast`` and ``mul``.

    Casts to fp32, which holds nearly all; casts from bf16, which has the range, from fp16, which
    has the digits, and from e5m2 in every direction and with flags; products of two codes, and of
    a code and one of few values.
    """
    found: dict[str, Unit] = {}
    for name in REGISTERED:
        wide = ("fp32",) if format_of(name).width > 8 else ()
        for source in ("bf16", "fp16", *wide):
            found[f"cast_{source}_{name}"] = unit("cast", a=source, out=name)
        found[f"cast_{name}_fp32"] = unit("cast", a=name, out="fp32")
        found[f"cast_e5m2_{name}_dynamic_flags"] = unit(
            "cast", a="e5m2", out=name, rounding="dynamic", flags=True
        )
        found[f"mul_{name}"] = unit("mul", a=name, out=name)
        found[f"mul_{name}_fp32"] = unit("mul", a=name, out="fp32")
        found[f"mul_{name}_e2m1"] = unit("mul", a=name, b="e2m1", out=name)
    return found


def exhaustible(spec: Unit, bits: int) -> bool:
    """Whether all combinations of operand codes are no more than ``2**bits``."""
    return exhaustive_bits(spec) <= bits


def cases(*, sample: bool = False) -> list[Case | RandomCase]:
    """All checks of the RTL, or a sample of them that takes minutes."""
    found = list(_sample() if sample else _all())
    return [*found, *([] if sample else _lint(found))]


def _lint(found: list[Case | RandomCase]) -> Iterator[Case]:
    """Each listed unit once, in all implementations in which it is simulated."""
    simulated: dict[Unit, list[Case]] = {}
    for case in found:
        if isinstance(case, Case):
            simulated.setdefault(case.unit, []).append(case)
    for spec, of_unit in simulated.items():
        choices = [options for case in of_unit for options in case.implementations]
        yield Case(
            name=of_unit[0].name.replace("rtl/", "lint/", 1),
            unit=spec,
            implementations=tuple(c for i, c in enumerate(choices) if c not in choices[:i]),
            vectors=None,
            simulator="lint",
        )


def _all() -> Iterator[Case | RandomCase]:
    for name, spec in _pairs(FORMATS_8):
        yield Case(
            name=f"rtl/exhaustive/bulk/{name}",
            unit=spec,
            implementations=STAGES,
            vectors=None,
            simulator="bulk",
        )
        for number, simulator in enumerate(COCOTB):
            yield Case(
                name=f"rtl/exhaustive/{simulator}/{name}",
                unit=spec,
                implementations=(STAGES[2 * number], STAGES[2 * number + 1])[:1],
                vectors=None,
                simulator=simulator,
                stalls=False,
            )
    for name, spec in registered().items():
        yield Case(
            name=f"rtl/registered/bulk/{name}",
            unit=spec,
            implementations=BLOCK_CHOICES,
            vectors=None if exhaustible(spec, 20) else FEWER,
            simulator="bulk",
        )
    for name, spec in LARGE.items():
        yield from _everywhere(f"large/{{}}/{name}", spec, STAGES, BULK)
    for name, spec in ACCUMULATORS.items():
        stages_of = _stages(spec)
        yield from _everywhere(f"mac/{{}}/{name}_none", spec, stages_of, FEWER)
        for flow in FLOWS:
            choices = tuple({**stages, **flow} for stages in stages_of)
            label = flow.get("bus") or flow["flow"]
            yield from _everywhere(f"mac/{{}}/{name}_{label}", spec, choices, FEWER)
    for name, spec in _directed():
        yield from _everywhere(f"options/{{}}/{name}", spec, STAGES, FEWER)
    for name in ("fma_fp16", "dot8_e4m3_exact", "fma_e4m3_e5m2_fp32"):
        for flow in FLOWS:
            choices = tuple({**stages, **flow} for stages in STAGES)
            label = flow.get("bus") or flow["flow"]
            yield from _everywhere(f"flow/{{}}/{name}_{label}", LARGE[name], choices, FEWER)
    for options in (
        {"reset": "async"},
        {"reset": "none"},
        {"reset_active": "low"},
        {"reset": "async", "reset_active": "low"},
        {"multiplier": "lut"},
        {"multiplier": "dsp"},
        {"ready": "registered"},
        {"bus": "axis", "tlast": "on"},
        {"bus": "axis", "ready": "registered"},
    ):
        label = "_".join(options.values())
        for name, spec in (
            ("fma_fp16", LARGE["fma_fp16"]),
            ("mac", ACCUMULATORS["e4m3_exact_4_lanes"]),
        ):
            choices = tuple({**stages, **options, "flow": "stream"} for stages in STAGES)
            yield from _everywhere(f"build/{{}}/{name}_{label}", spec, choices, FEWER)
    for name, spec in BLOCKS_LARGE.items():
        yield from _everywhere(f"blocks/{{}}/{name}", spec, BLOCK_CHOICES, BULK)
    for name, spec in _blocks():
        yield from _everywhere(f"blocks/{{}}/{name}", spec, BLOCK_CHOICES, FEWER)
    for name, spec in _conversions():
        yield from _everywhere(f"convert/{{}}/{name}", spec, BLOCK_CHOICES, FEWER)
        if spec.kind == "block-quantize":
            yield from _everywhere(f"fold/{{}}/{name}", spec, _folds(_lanes(spec)), FEWER // 4)
    for name, spec in FLEX_LARGE.items():
        yield from _everywhere(f"flex/{{}}/{name}", spec, STREAM_CHOICES, BULK)
    for name, spec in _flex():
        yield from _everywhere(f"flex/{{}}/{name}", spec, BLOCK_CHOICES, FEWER)
    for name, spec in (*FLEX_LARGE.items(), *_flex()):
        if isinstance(spec, ExponentPredictor):
            yield from _everywhere(f"fold/{{}}/{name}", spec, _folds(spec.length), FEWER)
    for name, spec in _pipelines():
        yield from _everywhere(f"pipeline/{{}}/{name}", spec, STREAM_CHOICES, BULK)
    for name, spec in REQUANTIZE.items():
        choices = (*STAGES[::2], {"stages": 4, "flow": "stream"})
        yield from _everywhere(f"requantize/{{}}/{name}", spec, choices, BULK)
    for name, spec in integers():
        yield from _everywhere(f"integer/{{}}/{name}", spec, BLOCK_CHOICES, BULK)
    for name, spec in small_integers():
        yield Case(
            name=f"rtl/integer/exhaustive/{name}",
            unit=spec,
            implementations=STAGES[:2],
            vectors=None,
            simulator="bulk",
        )
    for name, spec in FUNCTIONS_SMALL.items():
        yield Case(
            name=f"rtl/function/exhaustive/{name}",
            unit=spec,
            implementations=FUNCTION_CHOICES,
            vectors=None,
            simulator="bulk",
        )
        yield from list(_everywhere(f"function/{{}}/{name}", spec, FUNCTION_CHOICES, FEWER))[1:]
    for name, spec in FUNCTIONS_LARGE.items():
        yield from _everywhere(f"function/{{}}/{name}", spec, FUNCTION_CHOICES, BULK)
        if lanes := spec.ports.inputs["x"].lanes:
            yield from _everywhere(f"function/{{}}/{name}_fold", spec, _folds(lanes), FEWER // 4)
    yield from (RandomCase(number=number) for number in range(RANDOM))


def _lanes(spec: Unit) -> int:
    return spec.ports.inputs["a"].lanes or 1


def _folds(lanes: int) -> tuple[dict[str, Any], ...]:
    """The fewest turns without stalls, and as many as there are lanes in a pipeline with them."""
    fewest = next(count for count in range(2, lanes + 1) if lanes % count == 0)
    return {"fold": fewest, "flow": "valid"}, {"fold": lanes, "frequency": 50.0, "flow": "stream"}


def _stages(spec: Unit) -> tuple[dict[str, Any], ...]:
    """:data:`STAGES`, with a clock that an accumulator rounded at each beat can have."""
    rounded = isinstance(getattr(spec, "acc", None), Float)
    return (*STAGES[:3], {"frequency": 15.0}) if rounded else STAGES


def _everywhere(
    name: str, spec: Unit, choices: tuple[dict[str, Any], ...], vectors: int
) -> Iterator[Case]:
    """In bulk at all choices, and a sample of one choice, or two, on each cocotb simulator."""
    yield Case(
        name=f"rtl/{name.format('bulk')}",
        unit=spec,
        implementations=choices,
        vectors=vectors,
        simulator="bulk",
    )
    for number, simulator in enumerate(COCOTB):
        yield Case(
            name=f"rtl/{name.format(simulator)}",
            unit=spec,
            implementations=(choices[(2 + number) % len(choices)],),
            vectors=COCOTB_VECTORS,
            simulator=simulator,
        )


def _sample() -> Iterator[Case | RandomCase]:
    stages = ({"stages": 0}, {"frequency": 100.0})
    for name, spec in _pairs(("e4m3", "e5m2", "e3m2", "e2m1", "int4", "e4m3fnuz", "e8m0")):
        yield Case(
            name=f"rtl/exhaustive/bulk/{name}",
            unit=spec,
            implementations=({"stages": 1},),
            vectors=None,
            simulator="bulk",
        )
    for name, spec in LARGE.items():
        yield Case(
            name=f"rtl/large/bulk/{name}",
            unit=spec,
            implementations=stages,
            vectors=200_000,
            simulator="bulk",
        )
    for number, (name, spec) in enumerate(ACCUMULATORS.items()):
        flow = ({"flow": "none"}, *FLOWS)[number % 4]
        yield Case(
            name=f"rtl/mac/bulk/{name}",
            unit=spec,
            implementations=({"stages": 2, **flow},),
            vectors=100_000,
            simulator="bulk",
        )
    for number, (name, spec) in enumerate(_directed()):
        if number % 4 == 0:
            yield Case(
                name=f"rtl/options/bulk/{name}",
                unit=spec,
                implementations=({"stages": number % 3},),
                vectors=100_000,
                simulator="bulk",
            )
    for number, (name, spec) in enumerate([*BLOCKS_LARGE.items(), *_blocks()]):
        if number < 4 or number % 5 == 0:
            yield Case(
                name=f"rtl/blocks/bulk/{name}",
                unit=spec,
                implementations=({"stages": 2, "flow": ("stream", "valid")[number % 2]},),
                vectors=30_000,
                simulator="bulk",
            )
    for number, (name, spec) in enumerate(_conversions()):
        if number % 9 == 0:
            yield Case(
                name=f"rtl/convert/bulk/{name}",
                unit=spec,
                implementations=({"stages": number % 3},),
                vectors=30_000,
                simulator="bulk",
            )
    for number, (name, spec) in enumerate([*FLEX_LARGE.items(), *_flex()]):
        if number % 5 == 0:
            yield Case(
                name=f"rtl/flex/bulk/{name}",
                unit=spec,
                implementations=({"stages": number % 3},),
                vectors=30_000,
                simulator="bulk",
            )
    for name, spec in REQUANTIZE.items():
        yield Case(
            name=f"rtl/requantize/bulk/{name}",
            unit=spec,
            implementations=({"stages": 2, "flow": "stream"},),
            vectors=200_000,
            simulator="bulk",
        )
    for number, (name, spec) in enumerate(integers()):
        if number % 6 == 0:
            yield Case(
                name=f"rtl/integer/bulk/{name}",
                unit=spec,
                implementations=({"stages": number % 4},),
                vectors=30_000,
                simulator="bulk",
            )
    for number, (name, spec) in enumerate([*FUNCTIONS_SMALL.items(), *FUNCTIONS_LARGE.items()]):
        if number % 6 == 0:
            yield Case(
                name=f"rtl/function/bulk/{name}",
                unit=spec,
                implementations=({"stages": 2, "flow": ("stream", "valid")[number % 2]},),
                vectors=30_000,
                simulator="bulk",
            )
    yield from (RandomCase(number=number, vectors=4_000) for number in range(len(ORDER)))
    for simulator in COCOTB:
        for name, spec, options in (
            ("fma_fp16_stream", LARGE["fma_fp16"], {"stages": 3, "flow": "stream"}),
            ("fma_bf16_none", LARGE["fma_bf16"], {"stages": 0}),
            ("mac_axis", ACCUMULATORS["e4m3_exact_4_lanes"], {"frequency": 100.0, "bus": "axis"}),
        ):
            yield Case(
                name=f"rtl/sample/{simulator}/{name}",
                unit=spec,
                implementations=(options,),
                vectors=5_000,
                simulator=simulator,
            )
