# SPDX-License-Identifier: BSD-2-Clause
"""One operation, rounded once: products, sums, fused ones, casts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from macaw.golden.formats import BOOKS, FORMATS, POWERS, Float
from macaw.golden.formats import format as format_of
from macaw.golden.units import Unit, unit

from ...stimulus.exhaustive import exhaustive_bits
from ..rules.formats import NAMED_BOOKS
from ..rules.parameters import Draw, Rules
from .case import (
    BLOCK_CHOICES,
    BULK,
    COCOTB,
    FEWER,
    MAPPED,
    ROUNDINGS,
    STAGES,
    Case,
    Options,
    everywhere,
    in_bulk,
    in_every_build,
    in_every_flow,
    sample_in_cocotb,
)

# Every name that gates take, those of weights without a multiplier included; fp64 is too wide.
REGISTERED: tuple[str, ...] = tuple(
    name for name, fmt in (FORMATS | POWERS | BOOKS).items() if fmt.width <= 32
)
FLOATS_8: tuple[str, ...] = tuple(
    name for name in REGISTERED if isinstance(fmt := format_of(name), Float) and fmt.width <= 8
)
FORMATS_8: tuple[str, ...] = tuple(name for name in REGISTERED if format_of(name).width <= 8)

LOGARITHMIC: tuple[str, ...] = (
    *(f"lns{width}.{fraction}" for width in range(2, 9) for fraction in range(width - 1)),
    *(f"lns{width}.{width // 2 - 1}nozero" for width in range(2, 9)),
)

# of IEEE P3109: precisions 1, 3, 4 and all bits, one binade, each signedness and domain
P3109: tuple[str, ...] = (
    *(f"binary8p{p}se" for p in (1, 3, 4, 7)),
    *(f"binary8p{p}ue" for p in (1, 3, 4, 8)),
    *("binary8p1sf", "binary8p4sf", "binary8p4uf", "binary8p8uf"),
    *("binary3p1se", "binary3p2se", "binary3p3ue", "binary4p1ue", "binary5p2se", "binary6p3ue"),
)

# with ten million vectors at every choice of stages
LARGE: dict[str, Unit] = {
    "fma_fp32": unit("fma", a="fp32", out="fp32"),
    "fma_fp16": unit("fma", a="fp16", out="fp16"),
    "fma_bf16": unit("fma", a="bf16", out="bf16"),
    "fma_e4m3_e5m2_fp32": unit("fma", a="e4m3", b="e5m2", out="fp32"),
    **{f"{kind}_posit16": unit(kind, a="posit16", out="posit16") for kind in ("mul", "add", "fma")},
}

# the standard's, those of no and of one exponent bit, and those of almost nothing else
POSITS_8: tuple[str, ...] = (
    *(f"posit8{es}" for es in ("", "es0", "es1", "es3", "es4")),
    *("posit3es0", "posit3es4", "posit4es1", "posit5es3", "posit6", "posit7es1"),
)


def _slope(draw: Draw) -> str:
    return draw.one("0", "1/8", "1", f"{draw.integer(1, 255)}/{256 << draw.integer(0, 12)}")


RULES: Rules = {
    ("relu", "slope"): _slope,
}


def _directed() -> Iterator[tuple[str, Unit]]:
    """Rounding modes, overflow policies, flags and odd formats."""
    both: dict[str, Any] = {"rounding": "dynamic", "flags": True}
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
            yield (
                f"{kind}_{name}_before",
                unit(kind, a=name, out=name, **both, tininess="before"),
            )
    for name in ("fp16", "bf16", "fp32"):
        yield f"div_{name}_before", unit("div", a=name, **both, tininess="before")
        yield f"div_{name}_dynamic_flags", unit("div", a=name, **both)
    yield "sqrt_fp32_dynamic_flags", unit("sqrt", a="fp32", **both)
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
    for name in (*BOOKS, *NAMED_BOOKS):
        for rounding in ("rne", "rna", "rtz", "rup", "rdn", "rod"):
            yield (
                f"cast_fp32_{name}_{rounding}",
                unit("cast", a="fp32", out=name, rounding=rounding),
            )
        yield f"cast_fp32_{name}_dynamic_flags", unit("cast", a="fp32", out=name, **both)
        yield f"mul_{name}_bf16_dynamic_flags", unit("mul", a=name, b="bf16", out="fp16", **both)
        yield f"fma_{name}_bf16", unit("fma", a=name, b="bf16", out="fp32")
        yield f"fma_{name}", unit("fma", a=name, out=name)
        yield f"mul_{name}_fx12.7_wrap", unit("mul", a=name, out="fx12.7", overflow="wrap")
    yield "cast_fp16_nf4_zero", unit("cast", a="fp16", out="nf4", nan="zero", flags=True)
    yield (
        "cast_fp16_fp4bnb_negative_zero",
        unit("cast", a="fp16", out="fp4bnb", nan="negative_zero", flags=True),
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
    for name in (*REGISTERED, *NAMED_BOOKS):
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


def p3109() -> dict[str, Unit]:
    """IEEE P3109's formats through the gates, all with all codes.

    Casts from fp16, to fp32 and fp16, and products; every saturation mode under every direction,
    with flags, and the stochastic roundings.
    """
    found: dict[str, Unit] = {}
    dynamic: dict[str, Any] = {"rounding": "dynamic", "flags": True}
    for name in P3109:
        for policy in ("saturate", "propagate", "directed"):
            found[f"cast_fp16_{name}_{policy}"] = unit(
                "cast", a="fp16", out=name, overflow=policy, **dynamic
            )
        for rounding in ("sr", "srb", "src"):
            found[f"cast_fp16_{name}_{rounding}"] = unit(
                "cast", a="fp16", out=name, rounding=rounding, random_bits=4
            )
        found[f"cast_bf16_{name}"] = unit("cast", a="bf16", out=name)
        for out in ("fp32", "fp16"):
            found[f"cast_{name}_{out}"] = unit("cast", a=name, out=out, flags=True)
        found[f"mul_{name}"] = unit("mul", a=name, out=name, flags=True)
        found[f"mul_{name}_e4m3_directed"] = unit("mul", a=name, b="e4m3", out=name, **dynamic)
        found[f"add_{name}"] = unit("add", a=name, out=name)
    return found


def looked_up() -> Iterator[tuple[str, Unit]]:
    """Products that are sums of codes, with every kind of tie below the least value; tables."""
    for name in LOGARITHMIC:
        yield f"mul_{name}", unit("mul", a=name)
    for a, b in (("nf4", "fp4bnb"), ("lns4.1", "nupes4a1.5"), ("lns5.2", "lns3.1")):
        yield f"mul_{a}_{b}_fp32", unit("mul", a=a, b=b, out="fp32")


def quotients() -> Iterator[tuple[str, Unit]]:
    """Quotients of 8 bits, roots of 16, in every direction and with flags: all with all codes."""
    dynamic: dict[str, Any] = {"rounding": "dynamic", "flags": True}
    for name in FLOATS_8:
        yield f"div_{name}", unit("div", a=name, flags=True)
        yield f"sqrt_{name}", unit("sqrt", a=name, **dynamic)
    for name, rounding in (("e5m2", "dynamic"), ("e4m3", "src"), ("e1m4", "rne"), ("e4m0", "rod")):
        before: dict[str, Any] = {"flags": True, "tininess": "before", "rounding": rounding}
        before |= {"random_bits": 4} if rounding == "src" else {}
        yield f"mul_{name}_before", unit("mul", a="e4m3", out=name, **before)
        yield f"cast_{name}_before", unit("cast", a="fp16", out=name, **before)
    for name in ("e4m3", "e5m2", "e4m3fnuz", "binary8p3se"):
        yield f"div_{name}_dynamic_flags", unit("div", a=name, **dynamic)
    for name in ("fp16", "bf16", "dlfloat16"):
        yield f"sqrt_{name}_dynamic_flags", unit("sqrt", a=name, **dynamic)
        yield f"sqrt_{name}_e4m3", unit("sqrt", a=name, out="e4m3", flags=True)
    yield "div_e4m3_e5m2_fp16", unit("div", a="e4m3", b="e5m2", out="fp16", **dynamic)
    yield "div_ue4m3_e2m1_bf16", unit("div", a="ue4m3", b="e2m1", out="bf16", flags=True)
    yield "div_e4m3_sr", unit("div", a="e4m3", rounding="sr", random_bits=4)
    yield "sqrt_e5m2_fp32", unit("sqrt", a="e5m2", out="fp32", flags=True)


# digits one after another: a digit a clock, two in a pipeline under stalls, some that do not divide
# the number of digits
IN_TURNS = ("div", "sqrt")
TURNS: tuple[Options, ...] = (
    {"digits": 1, "flow": "valid"},
    {"digits": 2, "frequency": 50.0, "flow": "stream"},
    {"digits": 3, "bus": "axis", "ready": "registered", "reset": "none"},
    {"digits": 3, "stages": 24, "flow": "stream"},
)


COUNTED: tuple[Options, ...] = (
    {"stages": 0},
    {"stages": 3, "flow": "stream"},
    {"stages": 2, "flow": "valid"},
    {"frequency": 60.0, "bus": "axis"},
)


def in_turns() -> Iterator[tuple[str, Unit]]:
    """Quotients and roots of operands and results of unlike widths, in every direction."""
    dynamic: dict[str, Any] = {"rounding": "dynamic", "flags": True}
    for name in ("fp32", "fp16", "bf16"):
        yield f"div_{name}", unit("div", a=name, **dynamic)
        yield f"sqrt_{name}", unit("sqrt", a=name, **dynamic, tininess="before")
    yield "div_fp32_fp16_bf16", unit("div", a="fp32", b="fp16", out="bf16", **dynamic)
    yield "div_bf16_fp32_fp16", unit("div", a="bf16", b="fp32", out="fp16", **dynamic)
    yield "sqrt_fp32_e2m1", unit("sqrt", a="fp32", out="e2m1", **dynamic)
    yield "div_fp16_e4m3ftz_sr", unit("div", a="fp16", out="e4m3ftz", rounding="sr", random_bits=5)


def rectifiers() -> Iterator[tuple[str, Unit]]:
    """Without a slope and with one, of one digit and of many, into narrow and wide formats."""
    dynamic: dict[str, Any] = {"rounding": "dynamic", "flags": True}
    for name in (*FLOATS_8, "bf16", "fp16"):
        for slope in ("0", "1/8", "41/4096"):
            spec = unit("relu", a=name, slope=slope, flags=True)
            yield spec.name, spec
    for slope in ("0", "205/1024"):
        for a, out in (("bf16", "e4m3"), ("fp16", "bf16"), ("e5m2", "fp32"), ("fp16", "int8")):
            spec = unit("relu", a=a, out=out, slope=slope, **dynamic)
            yield spec.name, spec


def approximate() -> Iterator[tuple[str, Unit]]:
    """Products by L-Mul: every carry and offset, operands of two formats, results of each kind."""
    for name in (
        "e4m3",
        "e5m2",
        "e3m4",
        "e4m3ftz",
        "e4m3fnuz",
        "e2m1",
        "e3m2ieee",
        "ue4m3",
    ):
        for product in ("lmul", "lmul(literal)", "lmul(mitchell,none)"):
            spec = unit("mul", a=name, out=name, product=product)
            yield spec.name, spec
    for offset in (1, 2):
        spec = unit("mul", a="e4m3", out="e4m3", product=f"lmul(mitchell,{offset})")
        yield spec.name, spec
    yield "mul_e4m3_e5m2_fp32", unit("mul", a="e4m3", b="e5m2", out="fp32", product="lmul")
    yield "mul_e8m0", unit("mul", a="e8m0", out="e8m0", product="lmul")
    # a format of one sign and no other bit
    yield "mul_binary_e8m0", unit("mul", a="binary", b="e8m0", out="e4m3", product="lmul")
    yield "mul_e8m0_e4m3", unit("mul", a="e8m0", b="e4m3", out="bf16", product="lmul(literal)")
    yield "mul_e2m1_e4m3", unit("mul", a="e2m1", b="e4m3", out="e4m3", product="lmul(literal,1)")
    ftz: dict[str, Any] = {"out": "e4m3ftz", "overflow": "saturate"}
    yield "mul_e4m3_adder", unit("mul", a="e4m3ftz", product="lmul", **ftz)


def approximate_wide() -> Iterator[tuple[str, Unit]]:
    """Those that are too wide for all codes."""
    for name in ("bf16", "fp16", "fp32"):
        for carry in ("mitchell", "literal"):
            spec = unit("mul", a=name, out=name, product=f"lmul({carry})")
            yield spec.name, spec
    dynamic: dict[str, Any] = {"rounding": "dynamic", "flags": True}
    yield "mul_bf16_e4m3", unit("mul", a="bf16", out="e4m3", product="lmul", **dynamic)
    yield "mul_bf16_int8", unit("mul", a="bf16", out="int8", product="lmul(literal,2)", **dynamic)
    for name, carry in (("bf16", "mitchell"), ("e4m3", "literal"), ("e5m2", "mitchell")):
        for out in (name, "fp32"):
            spec = unit("fma", a=name, out=out, product=f"lmul({carry})", **dynamic)
            yield spec.name, spec


def posits() -> Iterator[tuple[str, Unit]]:
    """Posits of up to 8 bits with all codes, casts of up to 16 bits both ways, and wide ones."""
    for name in POSITS_8:
        for kind in ("mul", "add"):
            yield f"{kind}_{name}", unit(kind, a=name, flags=True)
    for name in ("posit8", "posit8es0", "posit6es1"):
        yield f"fma_{name}", unit("fma", a=name, out=name)
    for name in (*POSITS_8, "posit11es3", "posit16", "posit16es1", "posit32", "posit32es4"):
        for other in ("fp16", "bf16", "e5m2", "e4m3", "int8", "uint8", "fx12.7", "nf4"):
            yield f"cast_{other}_{name}", unit("cast", a=other, out=name, flags=True)
            yield f"cast_{name}_{other}", unit("cast", a=name, out=other, flags=True)
        for other in ("posit8", "posit16", "posit13es0", "posit32"):
            yield f"cast_{name}_{other}", unit("cast", a=name, out=other, flags=True)
        yield f"cast_{name}_fp32", unit("cast", a=name, out="fp32", flags=True)
        yield f"cast_fp32_{name}", unit("cast", a="fp32", out=name)
        yield f"cast_int32_{name}", unit("cast", a="int32", out=name)
    yield (
        "mul_posit8_e4m3_fp16_dynamic",
        unit("mul", a="posit8", b="e4m3", out="fp16", rounding="dynamic", flags=True),
    )
    yield "mul_posit8_fx12.7_wrap", unit("mul", a="posit8", out="fx12.7", overflow="wrap")
    yield "sub_posit8_posit16", unit("add", a="posit8", b="posit8es1", out="posit16", subtract=True)
    yield "mul_int8_posit8", unit("mul", a="int8", b="posit8", out="posit16", flags=True)
    yield "fma_posit8_posit16", unit("fma", a="posit8", out="posit16", flags=True)
    yield "fma_posit16_fp32", unit("fma", a="posit16", out="fp32", rounding="rdn")
    yield "fma_fp16_posit16", unit("fma", a="fp16", c="fp32", out="posit16", flags=True)
    yield "fma_e5m2_posit5", unit("fma", a="e5m2", c="e5m2", out="posit5", flags=True)
    yield "fma_int8_posit8", unit("fma", a="int8", c="posit8", out="posit8")
    for name in ("posit16es1", "posit32"):
        for kind in ("mul", "add", "fma"):
            yield f"{kind}_{name}", unit(kind, a=name, out=name, flags=True)


def counted() -> Iterator[tuple[str, Unit]]:
    """With statistics: every operation, all kinds of floats, counts that are soon full."""
    for a, out, bits in (
        ("fp32", "e5m2", 16),
        ("fp32", "e4m3", 4),
        ("bf16", "e2m1", 3),
        ("fp32", "bf16", 32),
        ("fp16", "ue4m3", 8),
    ):
        yield f"cast_{a}_{out}", unit("cast", a=a, out=out, statistics=bits)
    for out in ("e5m2", "bf16", "binary8p3se"):
        spec = unit("cast", a="fp32", out=out, overflow="saturate", statistics=8)
        yield f"cast_fp32_{out}_saturate", spec
    random: dict[str, Any] = {"rounding": "sr", "random": "lfsr", "statistics": 2}
    yield "cast_fp16_e4m3fnuz", unit("cast", a="fp16", out="e4m3fnuz", **random)
    both: dict[str, Any] = {"rounding": "dynamic", "flags": True, "statistics": 8}
    for kind in ("mul", "add", "fma", "div", "sqrt"):
        for name in ("e4m3", "fp16"):
            result: dict[str, Any] = {"out": name} if kind == "fma" else {}
            yield f"{kind}_{name}", unit(kind, a=name, **result, **both)
    yield "relu_bf16_e5m2", unit("relu", a="bf16", out="e5m2", slope="1/8", statistics=16)


def mapped() -> Iterator[Unit]:
    """For area and for delay: sums and products of all small floats, wide ones with everything."""
    both: dict[str, Any] = {"rounding": "dynamic", "flags": True}
    for name in FLOATS_8:
        for kind in ("add", "mul"):
            yield unit(kind, a=name, **both)
    for name in ("fp32", "fp16", "bf16", "tf32", "dlfloat16"):
        for kind in ("add", "mul", "fma"):
            result: dict[str, Any] = {"out": name} if kind == "fma" else {}
            yield unit(kind, a=name, **result, **both)
    for name in ("fp32", "fp16", "e3m2ieee"):
        yield unit("add", a=name, **both, tininess="before")
    for rounding in ("sr", "srb", "src"):
        random: dict[str, Any] = {"rounding": rounding, "random_bits": 4, "flags": True}
        yield unit("add", a="bf16", **random)
        yield unit("fma", a="e5m2", out="e5m2", **random)
    yield unit("add", a="e3m2ieee", subtract=True, **both)
    for b, out in (("e4m3", "fp16"), ("e5m2", "fp16"), ("e5m2", "e4m10"), ("e5m1", "e5m2")):
        yield unit("add", a="e5m2", b=b, out=out, **both)
    yield unit("fma", a="e5m2", out="e5m2", **both)
    yield unit("fma", a="e4m3", b="e5m2", out="fp32", **both)
    for a, out in (("fp32", "fp16"), ("fp32", "e4m3"), ("int32", "fp32"), ("fp32", "int16")):
        yield unit("cast", a=a, out=out, **both)


def exhaustible(spec: Unit, bits: int) -> bool:
    """Whether all combinations of operand codes are no more than ``2**bits``."""
    return exhaustive_bits(spec) <= bits


def cases() -> Iterator[Case]:
    """Formats of up to 8 bits exhaustively, every format, every option, every implementation."""
    for name, spec in _pairs(FORMATS_8):
        yield in_bulk("exhaustive", name, spec, STAGES, None)
        for number, simulator in enumerate(COCOTB):
            yield Case(
                name=f"rtl/exhaustive/{simulator}/{name}",
                unit=spec,
                implementations=(STAGES[2 * number],),
                vectors=None,
                simulator=simulator,
                stalls=False,
            )
    for name, spec in registered().items():
        vectors = None if exhaustible(spec, 20) else FEWER
        yield in_bulk("registered", name, spec, BLOCK_CHOICES, vectors)
    for name, spec in looked_up():
        yield in_bulk("books", name, spec, BLOCK_CHOICES, None)
    for name, spec in p3109().items():
        yield in_bulk("p3109", name, spec, BLOCK_CHOICES, None)
    for name, spec in posits():
        vectors = None if exhaustible(spec, 24) else FEWER
        yield in_bulk("posits", name, spec, BLOCK_CHOICES, vectors)
    for name, spec in quotients():
        yield in_bulk("quotients", name, spec, BLOCK_CHOICES, None)
        if spec.kind in IN_TURNS:
            yield in_bulk("turns", name, spec, TURNS, None)
    for name, spec in in_turns():
        yield from everywhere("turns", name, spec, TURNS, FEWER)
    for name, spec in rectifiers():
        yield in_bulk("relu", name, spec, BLOCK_CHOICES, None)
    for name, spec in approximate():
        yield in_bulk("lmul", name, spec, BLOCK_CHOICES, None)
    for name, spec in approximate_wide():
        yield in_bulk("lmul", name, spec, BLOCK_CHOICES, BULK)
    for name, spec in counted():
        yield from everywhere("statistics", name, spec, COUNTED, FEWER // 2)
        if spec.kind in IN_TURNS:
            yield in_bulk("statistics", f"{name}_turns", spec, TURNS, FEWER // 2)
    for name, spec in LARGE.items():
        yield from everywhere("large", name, spec, STAGES, BULK)
    for name, spec in _directed():
        yield from everywhere("options", name, spec, STAGES, FEWER)
    for spec in mapped():
        vectors = None if exhaustible(spec, 19) else BULK // 2
        yield in_bulk("mapped", spec.name, spec, MAPPED, vectors)
    for name in ("fma_fp16", "fma_e4m3_e5m2_fp32", "fma_posit16"):
        yield from in_every_flow("flow", name, LARGE[name], STAGES)
    yield from in_every_build("fma_fp16", LARGE["fma_fp16"])


def sample() -> Iterator[Case]:
    """Few formats exhaustively, every fourth option, the large ones with few vectors."""
    for name, spec in _pairs(("e4m3", "e5m2", "e3m2", "e2m1", "int4", "e4m3fnuz", "e8m0")):
        yield in_bulk("exhaustive", name, spec, ({"stages": 1},), None)
    for name, spec in LARGE.items():
        yield in_bulk("large", name, spec, ({"stages": 0}, {"frequency": 100.0}), 200_000)
    for number, (name, spec) in enumerate(_directed()):
        if number % 4 == 0:
            yield in_bulk("options", name, spec, ({"stages": number % 3},), 100_000)
    for number, (name, spec) in enumerate(posits()):
        if number % 25 == 0:
            vectors = None if exhaustible(spec, 16) else 20_000
            yield in_bulk("posits", name, spec, ({"stages": number % 3},), vectors)
    for name, spec in list(quotients())[:4]:
        yield in_bulk("quotients", name, spec, ({"stages": 1},), None)
        if spec.kind in IN_TURNS:
            yield in_bulk("turns", name, spec, ({"digits": 1, "flow": "stream"},), None)
    for name, spec in list(rectifiers())[:3]:
        yield in_bulk("relu", name, spec, ({"stages": 1},), None)
    for name, spec in list(approximate())[:4]:
        yield in_bulk("lmul", name, spec, ({"stages": 1},), None)
    for name, spec in list(counted())[:3]:
        yield in_bulk("statistics", name, spec, COUNTED[:2], 20_000)
    stream = {"stages": 3, "flow": "stream"}
    yield from sample_in_cocotb("fma_fp16_stream", LARGE["fma_fp16"], stream)
    yield from sample_in_cocotb("fma_bf16_none", LARGE["fma_bf16"], {"stages": 0})
