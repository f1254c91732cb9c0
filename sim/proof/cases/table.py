# SPDX-License-Identifier: BSD-2-Clause
"""Functions of one operand: of few bits, from a table, and of floats, every one with all codes."""

from __future__ import annotations

from collections.abc import Iterator

from macaw.golden.arithmetic.real import FUNCTIONS
from macaw.golden.arithmetic.real.faithful import FUNCTIONS as WITH_STEPS
from macaw.golden.formats import Float, Format
from macaw.golden.formats.checks import check_format
from macaw.golden.units import Unit, unit
from macaw.golden.units.table import ELEMENTARY

from ..rules import formats as random_formats
from ..rules.parameters import Draw, Rules
from .case import BLOCK_CHOICES, FUNCTION_CHOICES, Case, Options, every_code, in_bulk, in_cocotb

CHOICES: tuple[Options, ...] = (
    *FUNCTION_CHOICES,
    {"table": "ram"},
    {"table": "ram", "stages": 3, "flow": "stream"},
)
WIDE, SHARE, LONGEST = 17, 0.3, 24
POWERS = ("power(3/2)", "power(-1/3)", "power(43/100)", "power(2)", "power(-7/2)")


def _function(draw: Draw) -> str:
    return draw.one(*FUNCTIONS, *POWERS)


def _operand(draw: Draw) -> Float:
    """A float of few bits, so that a search over all of them is short; or one that has steps."""
    wide = draw.widest >= WIDE and draw.rng.random() < SHARE
    while True:
        fmt = random_formats.floating(draw.rng, widest=min(draw.widest, 32 if wide else 10))
        if fmt.mantissa and (not wide or (fmt.width >= WIDE and fmt.precision <= LONGEST)):
            return fmt


def _wide(draw: Draw) -> bool:
    """Whether the operand has steps; it is text where a stage before gives it."""
    return check_format("a", draw.chosen["a"]).width >= WIDE


def _result(draw: Draw) -> Format:
    if _wide(draw):
        # Of few digits, so that tables are short.
        return random_formats.floating(draw.rng, widest=16)
    widest = min(draw.widest, 16)
    pick = draw.one(random_formats.floating, random_formats.fixed)
    return pick(draw.rng, widest=widest)


def _elementary(draw: Draw) -> str:
    return draw.one(*(WITH_STEPS if _wide(draw) else ELEMENTARY))


RULES: Rules = {
    ("table", "a"): lambda draw: random_formats.scalar(draw.rng, widest=min(draw.widest, 10)),
    ("table", "function"): _function,
    ("table", "rounding"): lambda draw: draw.one("rne", "rtz", "rup", "rdn", "rna", "rod"),
    ("function", "a"): _operand,
    ("function", "out"): _result,
    ("function", "function"): _elementary,
    ("function", "rounding"): lambda draw: draw.one("rne", "rtz", "rup", "rdn", "rna", "rod"),
}

# every code of every function, and of each kind of format
LISTED: dict[str, Unit] = {
    **{f"{name}_e4m3": unit("table", a="e4m3", function=name) for name in (*FUNCTIONS, *POWERS)},
    "sigmoid_int8_ufx8.8": unit("table", a="fx8.4", out="ufx8.8", function="sigmoid"),
    "tanh_fx10.7_fp16": unit("table", a="fx10.7", out="fp16", function="tanh"),
    "gelu_e5m2_bf16_rtz": unit("table", a="e5m2", out="bf16", function="gelu", rounding="rtz"),
    "exp_e5m4_fp32": unit("table", a="e5m4", out="fp32", function="exp"),
    "silu_nf4_e2m1": unit("table", a="nf4", out="e2m1", function="silu"),
    "log2_binary8p3ue": unit("table", a="binary8p3ue", function="log2"),
    "codes_int4_e2m1": unit("table", a="int4", out="e2m1", function=list(range(16))),
}


ROUNDINGS = ("rtz", "rup", "rdn", "rna", "rod")
NARROW = ("e4m3", "e5m2", "e3m4ieee", "e4m3fnuz", "e5m10ftz", "binary8p3se")


def elementary() -> Iterator[tuple[str, Unit]]:
    """Formats of 16 bits, every direction, results of other formats, floats of few bits."""
    for function in ELEMENTARY:
        yield f"{function}_bf16", unit("function", a="bf16", function=function)
        if function != "sigmoid":
            yield f"{function}_fp16", unit("function", a="fp16", function=function)
        for rounding in ROUNDINGS:
            spec = unit("function", a="bf16", function=function, rounding=rounding)
            yield f"{function}_bf16_{rounding}", spec
        for name in NARROW:
            if (function, name) != ("sigmoid", "e5m10ftz"):
                yield f"{function}_{name}", unit("function", a=name, function=function)
        for out in ("bf16", "fp16", "fx12.6", "e2m1"):
            spec = unit("function", a="e4m3", function=function, out=out)
            yield f"{function}_e4m3_{out}", spec
        # all but subnormal numbers are out of range
        yield f"{function}_e2m6bn8", unit("function", a="e2m6bn8", out="bf16", function=function)
        yield f"{function}_bf16_e4m3", unit("function", a="bf16", out="e4m3", function=function)


def wide() -> Iterator[tuple[str, Unit]]:
    """Single precision, its narrower kin, into other formats, in every direction."""
    for function in WITH_STEPS:
        for a, out in (("fp32", "fp32"), ("tf32", "tf32"), ("fp32", "bf16"), ("e8m8", "fp32")):
            name = f"{function}_{a}" + (f"_{out}" if a != out else "")
            yield name, unit("function", a=a, out=out, function=function)
        for rounding in ROUNDINGS:
            spec = unit("function", a="tf32", function=function, rounding=rounding)
            yield f"{function}_tf32_{rounding}", spec
    for function in ("sin", "cos"):
        # angles far beyond single precision; small ones that no small binade is taken from
        for a, out in (("e11m20", "fp32"), ("e5m14", "fp32"), ("e4m12bn3ftz", "bf16")):
            yield f"{function}_{a}_{out}", unit("function", a=a, out=out, function=function)


def cases() -> Iterator[Case]:
    """Those of up to 16 bits exhaustively, others in bulk, some of them in cocotb too."""
    for name, spec in LISTED.items():
        yield every_code("table", name, spec, CHOICES)
        if not name.endswith("e4m3"):
            yield from in_cocotb("table", name, spec, CHOICES[-2:])
    for name, spec in elementary():
        choices = FUNCTION_CHOICES if name.endswith("_bf16") else BLOCK_CHOICES
        yield every_code("elementary", name, spec, choices)
    for name, spec in wide():
        choices = FUNCTION_CHOICES if name.endswith("_tf32") else BLOCK_CHOICES
        yield in_bulk("faithful", name, spec, choices, 1_000_000)
    for function in ELEMENTARY:
        spec = unit("function", a="bf16", function=function)
        yield from in_cocotb("elementary", f"{function}_bf16", spec, BLOCK_CHOICES[1:])


def sample() -> Iterator[Case]:
    """Two of them under stalls."""
    for name in ("gelu_e4m3", "tanh_fx10.7_fp16"):
        options = {"stages": 2, "flow": "stream"}
        yield in_bulk("table", name, LISTED[name], (options, options | {"table": "ram"}), 3_000)
    for function in ("exp", "tanh"):
        spec = unit("function", a="bf16", function=function)
        yield in_bulk("elementary", f"{function}_bf16", spec, ({"stages": 1},), None)
    spec = unit("function", a="e4m3", out="bf16", function="log")
    options = {"stages": 2, "flow": "stream"}
    yield in_bulk("elementary", "log_e4m3_bf16", spec, (options,), 3_000)
