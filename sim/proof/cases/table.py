# SPDX-License-Identifier: BSD-2-Clause
"""Functions of few bits, from a table."""

from __future__ import annotations

from collections.abc import Iterator

from macaw.golden.arithmetic.real import FUNCTIONS
from macaw.golden.units import Unit, unit

from ..rules import formats as random_formats
from ..rules.parameters import Draw, Rules
from .case import FUNCTION_CHOICES, Case, Options, every_code, in_bulk, in_cocotb

CHOICES: tuple[Options, ...] = (
    *FUNCTION_CHOICES,
    {"table": "ram"},
    {"table": "ram", "stages": 3, "flow": "stream"},
)
POWERS = ("power(3/2)", "power(-1/3)", "power(43/100)", "power(2)", "power(-7/2)")


def _function(draw: Draw) -> str:
    return draw.one(*FUNCTIONS, *POWERS)


RULES: Rules = {
    ("table", "a"): lambda draw: random_formats.scalar(draw.rng, widest=min(draw.widest, 10)),
    ("table", "function"): _function,
    ("table", "rounding"): lambda draw: draw.one("rne", "rtz", "rup", "rdn", "rna", "rod"),
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


def cases() -> Iterator[Case]:
    """All of them exhaustively, some of them in cocotb too."""
    for name, spec in LISTED.items():
        yield every_code("table", name, spec, CHOICES)
        if not name.endswith("e4m3"):
            yield from in_cocotb("table", name, spec, CHOICES[-2:])


def sample() -> Iterator[Case]:
    """Two of them under stalls."""
    for name in ("gelu_e4m3", "tanh_fx10.7_fp16"):
        options = {"stages": 2, "flow": "stream"}
        yield in_bulk("table", name, LISTED[name], (options, options | {"table": "ram"}), 3_000)
