# SPDX-License-Identifier: BSD-2-Clause
"""Functions of rows of any length, as streams."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from macaw.golden.formats import Fixed, Format
from macaw.golden.units import Unit, unit

from ..rules import formats as random_formats
from ..rules.parameters import Draw, Rule, Rules, within
from .case import (
    BUILDS,
    FEWER,
    STAGES,
    Case,
    Options,
    everywhere,
    in_bulk,
)


def _aligned(draw: Draw) -> int | None:
    bits = draw.get("bits")
    return None if bits is None else draw.maybe(lambda: draw.integer(bits, bits + 16))


def _result(draw: Draw) -> Format:
    return random_formats.scalar(draw.rng, widest=min(draw.widest, 32))


def _scale(draw: Draw) -> Format | None:
    widest = min(draw.widest, 32)
    fmt = draw.maybe(lambda: random_formats.floating(draw.rng, widest=widest), 0.4)
    return fmt if fmt is None or fmt.zero else None


def _sum(draw: Draw) -> Fixed:
    width = draw.integer(1, 62)
    return Fixed(width=width, fraction=draw.integer(0, width), signed=False)


RULES: Rules = {
    ("softmax", "base"): lambda draw: draw.one("e", "e", "2"),
    ("softmax", "bits"): lambda draw: draw.maybe(lambda: draw.integer(4, 20), 0.6),
    ("softmax", "reach"): lambda draw: draw.maybe(lambda: draw.integer(1, 16), 0.4),
    ("softmax", "gamma"): lambda draw: draw.one("0", "0", "-0.03", "-1/64", "-1", "-1/65536"),
    ("softmax", "zeta"): lambda draw: draw.one("1", "1", "1.003", "1.1", "2"),
}
_OF_NORMS: dict[str, Rule] = {
    "eps": lambda draw: draw.one("1e-5", "1e-5", "1e-6", "1/1024", "1e-12", "1", "0.3"),
    "bits": lambda draw: draw.maybe(lambda: draw.integer(8, 20), 0.6),
    "weight": _scale,
}
_OF_FLOATS: dict[str, Rule] = {
    "a": lambda draw: random_formats.floating(draw.rng, widest=min(draw.widest, 32)),
    "out": lambda draw: draw.maybe(lambda: _result(draw), 0.6),
    "row": lambda draw: draw.one(1, 2, 7, 16, 40),
    "aligned": _aligned,
    "rounding": lambda draw: draw.one("rne", "rne", "rtz", "rup", "rdn", "rna", "rod"),
}
OF_FLOATS = ("softmax", "rmsnorm", "layernorm")
RULES |= {(kind, n): rule for kind in OF_FLOATS for n, rule in _OF_FLOATS.items()}
RULES |= {(kind, n): rule for kind in OF_FLOATS[1:] for n, rule in _OF_NORMS.items()}
RULES |= {
    ("layernorm", "bias"): _scale,
    ("int-softmax-rows", "row"): lambda draw: draw.one(1, 2, 7, 16, 40),
    ("int-softmax-rows", "zero_point"): within("out"),
    ("int-softmax-rows", "bits"): lambda draw: draw.integer(4, 31),
    ("int-softmax-rows", "reciprocal"): lambda draw: draw.maybe(lambda: draw.integer(8, 62), 0.5),
}

RULES |= {
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
ROW_CHOICES: tuple[Options, ...] = (
    {"flow": "stream"},
    {"stages": 12},
    {"stages": 9, "flow": "valid"},
    {"frequency": 60.0, "flow": "stream", "ready": "registered"},
    {"frequency": 60.0, "bus": "axis", "table": "ram"},
)


def rows_of_floats() -> Iterator[tuple[str, Unit]]:
    """Formats, directions, lanes that share a row and that have one each, and short memories."""
    softmax: dict[str, Any] = {"lanes": 2, "row": 16}
    for name, parameters in {
        "fp16": {"lanes": 8, "row": 1024},
        "fp16_base2": {"base": "2", "lanes": 3, "row": 20},
        "bf16": {"a": "bf16", "lanes": 4, "row": 64},
        "bf16_fp32_rup": {"a": "bf16", "out": "fp32", "rounding": "rup"},
        "fp32": {"a": "fp32", "row": 6},
        "e5m2": {"a": "e5m2", "lanes": 1, "row": 5},
        "e4m3_rdn": {"a": "e4m3", "rounding": "rdn", "row": 1},
        "e4m3_ufx8.8": {"a": "e4m3", "out": "ufx8.8", "lanes": 1, "row": 1},
        "fp16_uint8_reach": {"out": "uint8", "reach": 3, "bits": 4, "aligned": 5, "row": 2},
        "e2m1_posit8": {"a": "e2m1", "out": "posit8"},
        "fp16_clipped": {"gamma": "-0.03", "zeta": "1.003"},
        "bf16_clipped_above": {"a": "bf16", "zeta": "1.1"},
        "fp32_clipped_below": {"a": "fp32", "gamma": "-1/65536", "row": 6},
        "e4m3_clipped_fp32_rup": {
            "a": "e4m3",
            "out": "fp32",
            "gamma": "-1",
            "zeta": "2",
            "rounding": "rup",
            "lanes": 3,
        },
        "e5m2_clipped_ufx9.8": {
            "a": "e5m2",
            "out": "ufx9.8",
            "zeta": "2",
            "bits": 4,
            "aligned": 5,
            "row": 3,
        },
        # all but subnormal numbers are out of reach
        "e2m6bn16": {"a": "e2m6bn16", "out": "fp16", "row": 8},
    }.items():
        yield f"softmax_{name}", unit("softmax", **({"a": "fp16"} | softmax | parameters))
    for name, parameters in {
        "fp16": {"lanes": 8, "row": 1024},
        "bf16": {"a": "bf16", "lanes": 4, "row": 64, "eps": "1e-6"},
        "bf16_fp32_rup": {"a": "bf16", "out": "fp32", "rounding": "rup", "lanes": 3},
        "fp32": {"a": "fp32", "row": 6, "eps": "1e-12"},
        "e5m2_rdn": {"a": "e5m2", "lanes": 1, "row": 5, "rounding": "rdn"},
        "e4m3": {"a": "e4m3", "row": 1, "eps": "1"},
        "e4m3_fx8.4": {"a": "e4m3", "out": "fx8.4", "lanes": 1, "row": 1},
        "fp16_int8_few": {"out": "int8", "bits": 8, "aligned": 8, "eps": "0.3", "row": 40},
        "e2m1_posit8": {"a": "e2m1", "out": "posit8"},
        "e2m1_beat": {"a": "e2m1", "out": "fp16", "lanes": 3, "row": 2, "eps": "1"},
        "e1m2": {"a": "e1m2", "eps": "1", "row": 9},
    }.items():
        for kind in ("rmsnorm", "layernorm"):
            yield f"{kind}_{name}", unit(kind, **({"a": "fp16"} | softmax | parameters))
    for name, parameters in {
        # No element's bits are all in the sum's, and all of them are.
        "fp32_e4m3": {"a": "fp32", "out": "e4m3", "row": 20},
        "fp16_wide": {"bits": 20, "aligned": 36, "rounding": "rdn"},
    }.items():
        yield f"layernorm_{name}", unit("layernorm", **({"a": "fp16"} | softmax | parameters))
    for name, parameters in {
        "rmsnorm_fp16": {"weight": "fp16", "row": 40},
        "rmsnorm_fp32": {"a": "fp32", "weight": "fp32", "rounding": "rup", "row": 6},
        "layernorm_fp16": {"weight": "fp16", "bias": "fp16", "row": 40},
        "layernorm_bf16_fp32": {"a": "bf16", "weight": "fp32", "bias": "fp32", "row": 5},
        "layernorm_fp32_rdn": {
            "a": "fp32",
            "weight": "fp32",
            "bias": "fp32",
            "rounding": "rdn",
            "lanes": 3,
            "row": 7,
        },
        "layernorm_e4m3_int8": {"a": "e4m3", "weight": "e5m2", "out": "int8", "lanes": 1, "row": 3},
        "layernorm_e5m2_bias": {"a": "e5m2", "bias": "bf16", "rounding": "rdn", "row": 1},
        "rmsnorm_e2m1_posit8": {"a": "e2m1", "weight": "ue4m3", "out": "posit8", "row": 9},
    }.items():
        kind = name.partition("_")[0]
        yield f"{name}_scaled", unit(kind, **({"a": "fp16"} | softmax | parameters))


# as a softmax in one beat is proven, and rows that are longer than these
OF_INTEGERS: dict[str, Unit] = {
    "softmax_fx8.4": unit("int-softmax-rows", x="fx8.4"),
    "softmax_int8_int8": unit("int-softmax-rows", x="int8", scale="0.05", out="int8", row=40),
    "softmax_int16_int16": unit("int-softmax-rows", x="int16", scale="1/2048", out="int16", row=20),
    "softmax_uint8": unit(
        "int-softmax-rows", x="uint8", scale="1/30", out="ufx9.8", lanes=5, row=14, bits=8
    ),
    "softmax_fx5.2_zero": unit(
        "int-softmax-rows", x="fx5.2", out="fx9.7", zero_point=-76, lanes=1, row=3
    ),
    "softmax_fx8.4_beat": unit("int-softmax-rows", x="fx8.4", lanes=3, row=2, reciprocal=24),
}


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
    for name, spec in rows_of_floats():
        yield from everywhere("rows", name, spec, ROW_CHOICES, FEWER)
    for name, spec in OF_INTEGERS.items():
        yield from everywhere("rows", f"int_{name}", spec, ROW_CHOICES, FEWER)
    for kind, build in itertools.product(OF_FLOATS, BUILDS):
        spec = unit(kind, a="e4m3", lanes=2, row=8)
        label = "_".join(build.values())
        yield in_bulk("rows", f"{kind}_e4m3_{label}", spec, ({**build, "flow": "stream"},), 100_000)
    for name, spec in sums():
        choices = SUM_CHOICES if spec.stateful else STAGES
        yield from everywhere("row_sums", name, spec, choices, FEWER)
    for build in BUILDS:
        spec = unit("softmax-sum", a="e4m3", lanes=2, row=8)
        label = "_".join(build.values())
        options = ({**build, "flow": "stream"},)
        yield in_bulk("row_sums", f"sum_e4m3_{label}", spec, options, 100_000)


def sample() -> Iterator[Case]:
    """Each kind, under stalls."""
    for kind in OF_FLOATS:
        spec = unit(kind, a="fp16", lanes=2, row=16)
        yield in_bulk("rows", f"{kind}_fp16", spec, ROW_CHOICES[:3], 20_000)
    yield in_bulk("rows", "int_softmax", OF_INTEGERS["softmax_int8_int8"], ROW_CHOICES[:3], 20_000)
    spec = unit("softmax-sum", a="fp16", lanes=2, row=16)
    yield in_bulk("row_sums", "sum_fp16", spec, SUM_CHOICES[:3], 20_000)
    spec = unit("softmax-merge", a="ufx43.25")
    yield in_bulk("row_sums", "merge", spec, STAGES[:2], 20_000)
