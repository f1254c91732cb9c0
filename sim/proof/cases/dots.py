# SPDX-License-Identifier: BSD-2-Clause
"""Sums of products, in one beat and over many."""

from __future__ import annotations

from collections.abc import Iterator

from macaw.golden.arithmetic.accumulation import MACHINES as MACHINE_SUMS
from macaw.golden.formats import Float, Posit
from macaw.golden.units import Unit, unit

from ..rules.machines import RULES
from .case import (
    BLOCK_CHOICES,
    BULK,
    FEWER,
    FLOWS,
    MAPPED,
    STAGES,
    Case,
    Options,
    everywhere,
    in_bulk,
    in_every_build,
    in_every_flow,
    sample_in_cocotb,
)

__all__ = ["ACCUMULATORS", "LARGE", "MACHINES", "RULES", "cases", "sample"]

# with ten million vectors at every choice of stages
LARGE: dict[str, Unit] = {
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
    "nf4_fp4bnb_4_lanes": unit("mac", a="nf4", b="fp4bnb", out="fp32", lanes=4),
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
    "e4m3_lmul_exact_4_lanes": unit("mac", a="e4m3", out="fp32", lanes=4, product="lmul"),
    "bf16_lmul_fp32": unit("mac", a="bf16", acc="fp32", out="fp32", product="lmul(literal)"),
    "posit8_exact": unit("mac", a="posit8", out="posit8"),
    "posit16es1_exact": unit("mac", a="posit16es1", out="posit16es1", terms=8),
    "posit8_posit16_4_lanes": unit("mac", a="posit8", acc="posit16", out="posit8", lanes=4),
    "posit16_posit32": unit("mac", a="posit16", acc="posit32", out="posit16"),
}


def _machines() -> Iterator[tuple[str, Unit]]:
    """What every machine adds up, into each result; mixed operands where it mixes them."""
    for machine, kinds in MACHINE_SUMS.items():
        for kind in kinds:
            if kind.scales:
                continue
            for number, out in enumerate(kind.results):
                # A step, and two; of tf32's 4 products also fewer than a step.
                lanes = kind.products or 8
                lanes = (lanes, 2 * lanes)[number] if lanes > 4 else (lanes, 3)[number]
                a, b = kind.operands[0], kind.operands[min(number, len(kind.operands) - 1)]
                parameters = {"a": a, "b": b, "out": out, "lanes": lanes}
                yield (
                    f"{a}_{b}_{out}_{_word(machine)}",
                    unit("dot", **parameters, accumulation=machine),
                )
    yield "bf16_2_steps_cdna3", unit("dot", a="bf16", out="fp32", lanes=16, accumulation="cdna3")
    rvbna = {"a": "e5m2", "b": "e4m3", "out": "fp32"}
    yield "e5m2_2_steps_rvbna", unit("dot", **rvbna, lanes=8, accumulation="rvbna(4)")
    fp8 = {"a": "e5m2fnuz", "b": "e4m3fnuz", "out": "fp32"}
    yield "e5m2fnuz_odd_cdna3", unit("dot", **fp8, lanes=5, accumulation="cdna3")


def _word(machine: str) -> str:
    return machine.removeprefix("tensor-core(").removesuffix(")")


MACHINES: dict[str, Unit] = dict(_machines())
"""Sums as machines make them, of operands without scales."""


def _directed() -> Iterator[tuple[str, Unit]]:
    """Results of other formats, rounding directions, sums that lose digits."""
    yield "dot4_int8_int32", unit("dot", a="int8", out="int32")
    yield "dot4_e2m1_fp16", unit("dot", a="e2m1", out="fp16")
    yield "dot8_nf4_int8", unit("dot", a="nf4", b="int8", out="fp32", lanes=8)
    yield (
        "dot4_fp4bnb_bf16_aligned",
        unit("dot", a="fp4bnb", b="bf16", out="fp32", accumulation="aligned(24)"),
    )
    yield "dot4_posit8", unit("dot", a="posit8", out="posit8")
    yield "dot4_posit8es1_int8", unit("dot", a="posit8es1", b="int8", out="posit16es1")
    posits = {"a": "posit16", "out": "posit16"}
    for accumulation in ("sequential", "aligned(24)", "aligned(12,2)", "chunk(2,posit32)"):
        spec = unit("dot", **posits, accumulation=accumulation)
        yield spec.name, spec
    for accumulation in ("sequential", "aligned(12,2)", "chunk(2,fp16)"):
        spec = unit("dot", a="e4m3", out="nf4", accumulation=accumulation)
        yield spec.name, spec
    yield (
        "dot4_posit8_fp32_aligned",
        unit("dot", a="posit8", b="bf16", out="fp32", accumulation="aligned(24)", rounding="rup"),
    )
    yield "dot2_fp16_rup", unit("dot", a="fp16", out="fp16", lanes=2, rounding="rup")
    yield (
        "dot4_fp32_aligned",
        unit("dot", a="fp32", out="fp32", accumulation="aligned(30)", rounding="rtz"),
    )
    for accumulation in ("exact", "sequential", "aligned(12)", "chunk(2,bf16)"):
        for a, b, carry in (("e4m3", "e5m10ftz", "mitchell"), ("e5m2", "e5m2", "literal")):
            spec = unit(
                "dot", a=a, b=b, out="fp32", product=f"lmul({carry})", accumulation=accumulation
            )
            yield spec.name, spec
    yield (
        "dot16_e5m2_aligned",
        unit("dot", a="e5m2", out="bf16", lanes=16, accumulation="aligned(12)"),
    )


def counted() -> dict[str, Unit]:
    """With statistics: each profile, whatever holds the sum, and policies that hide an infinity."""
    dot = {
        "e4m3_e5m2": {"a": "e4m3", "out": "e5m2"},
        "e5m2_e4m3_sequential": {"a": "e5m2", "out": "e4m3", "accumulation": "sequential"},
        "fp16_aligned": {"a": "fp16", "out": "fp16", "lanes": 8, "accumulation": "aligned(12,2)"},
        "bf16_e5m2_chunk": {"a": "bf16", "out": "e5m2", "accumulation": "chunk(2,fp16)"},
        "e5m2_hopper": {"a": "e5m2", "out": "fp16", "accumulation": "tensor-core(hopper)"},
        "fp16_cdna3": {"a": "fp16", "out": "fp32", "lanes": 8, "accumulation": "cdna3"},
        "e5m2_rvbna": {"a": "e5m2", "out": "fp32", "accumulation": "rvbna"},
        "e5m2_sr": {"a": "e5m2", "out": "e5m2", "lanes": 2, "rounding": "sr", "random": "lfsr"},
    }
    mac = {
        "e4m3_exact": {"a": "e4m3", "out": "e5m2"},
        "e4m3_e4m3": {"a": "e4m3", "out": "e4m3", "acc": "e4m3"},
        "e5m2_saturate": {"a": "e5m2", "out": "e5m2", "acc": "e5m2", "overflow": "saturate"},
        "fp16_fp32": {"a": "fp16", "out": "e5m2", "acc": "fp32", "contexts": 3, "lanes": 2},
    }
    found = {}
    for kind, units in (("dot", dot), ("mac", mac)):
        for number, (name, parameters) in enumerate(units.items()):
            spec = unit(kind, **parameters, statistics=(16, 3, 8, 32)[number % 4])
            found[f"{kind}_{name}"] = spec
    return found


def _stages(spec: Unit) -> tuple[Options, ...]:
    """:data:`STAGES`, with a clock that an accumulator rounded at each beat can have."""
    acc = getattr(spec, "acc", None)
    slow: Options = {"frequency": 12.0 if isinstance(acc, Posit) else 15.0}
    return (*STAGES[:3], slow) if isinstance(acc, Float | Posit) else STAGES


def cases() -> Iterator[Case]:
    """Sums of one beat at all stages, accumulators with every handshake."""
    for name, spec in LARGE.items():
        yield from everywhere("large", name, spec, STAGES, BULK)
    for name, spec in ACCUMULATORS.items():
        stages = _stages(spec)
        yield from everywhere("mac", f"{name}_none", spec, stages, FEWER)
        yield from in_every_flow("mac", name, spec, stages)
    for name, spec in _directed():
        yield from everywhere("options", name, spec, STAGES, FEWER)
    for name, spec in (LARGE | ACCUMULATORS).items():
        yield in_bulk("mapped", name, spec, MAPPED, FEWER)
    for name, spec in MACHINES.items():
        yield from everywhere("machines", name, spec, BLOCK_CHOICES, FEWER)
    yield from in_every_flow("flow", "dot8_e4m3_exact", LARGE["dot8_e4m3_exact"], STAGES)
    yield from in_every_build("mac", ACCUMULATORS["e4m3_exact_4_lanes"])
    for name, spec in counted().items():
        yield from everywhere("statistics", name, spec, BLOCK_CHOICES, FEWER)


def sample() -> Iterator[Case]:
    """All of them, with few vectors, and the handshakes in turn."""
    for name, spec in LARGE.items():
        yield in_bulk("large", name, spec, ({"stages": 0}, {"frequency": 100.0}), 200_000)
    for number, (name, spec) in enumerate(ACCUMULATORS.items()):
        flow = ({"flow": "none"}, *FLOWS)[number % 4]
        yield in_bulk("mac", name, spec, ({"stages": 2, **flow},), 100_000)
    spec = dict(_directed())["dot4_e2m1_fp16"]
    yield in_bulk("options", "dot4_e2m1_fp16", spec, ({"stages": 2},), 100_000)
    for name in ("bf16_bf16_fp32_ampere", "fp16_fp16_fp32_cdna3", "bf16_bf16_fp32_rvbna"):
        yield in_bulk("machines", name, MACHINES[name], ({"stages": 2},), 30_000)
    for name, spec in list(counted().items())[::5]:
        yield in_bulk("statistics", name, spec, ({"stages": 2, "flow": "stream"},), 20_000)
    axis = {"frequency": 100.0, "bus": "axis"}
    yield from sample_in_cocotb("mac_axis", ACCUMULATORS["e4m3_exact_4_lanes"], axis)
