# SPDX-License-Identifier: BSD-2-Clause
"""The claims: all that is said to be proven for all inputs, and what is tried and open as yet."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Any

from macaw.golden.arithmetic.dyadic import Profile
from macaw.golden.formats.choices import Rounding
from macaw.golden.formats.scalar import FORMATS, POWERS
from macaw.golden.units import Unit, unit

from ...formal.prove import LIMIT
from .claim import Claim, Options

WIDTH = 8
SMALL = [name for name, fmt in (FORMATS | POWERS).items() if fmt.width <= WIDTH]
BOOKS = ["posit8", "nf4", "fp4bnb"]
FLOATS = [name for name in SMALL if name in FORMATS and "int" not in name and name != "ternary"]
IEEE = ["rne", "rna", "rtz", "rup", "rdn"]
"""Roundings of IEEE 754."""
ROUNDINGS = [*IEEE, "rod"]
STAGES: tuple[Options, ...] = ({"stages": 1}, {"stages": 3}, {"frequency": 100.0})
FLOWS: tuple[Options, ...] = (
    {"stages": 1, "flow": "valid"},
    {"stages": 0, "flow": "stream"},
    {"stages": 3, "flow": "stream"},
)
BUSES: tuple[Options, ...] = (
    {"stages": 0, "flow": "stream", "ready": "registered"},
    {"stages": 2, "flow": "stream", "ready": "registered"},
    {"stages": 2, "bus": "axis"},
    {"stages": 1, "bus": "axis", "tlast": "on", "ready": "registered"},
)
NETLISTS: tuple[Options, ...] = ({"netlist": "asic"}, {"netlist": "ecp5"})
SHORT = 60.0
"""Seconds for what is known to be open."""
LONG = 7200.0
"""The same for what is decided in a thousand cases."""


@functools.cache
def claims(*, sample: bool = False) -> tuple[Claim, ...]:
    """All claims, or a sample of them that takes minutes; those that take long are last."""
    groups = (_pairs, _casts, _pipelines, _sums, _triples, _modes, _tests, _netlists, _wide)
    found = [claim for group in groups for claim in group()]
    return tuple(claim for claim in found if not sample or "e2m1" in claim.name.split("/"))


def _all(kind: str, roundings: list[str], **parameters: Any) -> tuple[Unit, ...]:
    """A unit in all roundings; posits have one."""
    out = parameters.get("out", parameters["a"])
    roundings = ["rne"] if out.startswith("posit") else roundings
    return tuple(unit(kind, **parameters, rounding=word) for word in roundings)


def _pairs() -> Iterator[Claim]:
    """Two operands of up to eight bits, of every registered format, in all roundings."""
    for kind in ("mul", "add"):
        for name in (*SMALL, *BOOKS):
            yield Claim(name=f"formal/{kind}/{name}", units=_all(kind, ROUNDINGS, a=name))
    for name in FLOATS:
        units = [unit("add", a=name, subtract=True, rounding=word) for word in ROUNDINGS]
        yield Claim(name=f"formal/subtract/{name}", units=tuple(units))
    for name in ("e5m2", "e4m3", "e3m2", "e2m1"):
        units = [unit(k, a=name, flags=True, rounding=r) for k in ("mul", "add") for r in ROUNDINGS]
        yield Claim(name=f"formal/flags/{name}", units=tuple(units))


def _casts() -> Iterator[Claim]:
    """From small floats and integers, and floats of 16 bits, to small ones."""
    small = [*FLOATS, "int4", "int8", "posit8"]
    for name in (*small, "fp16", "bf16", "dlfloat16"):
        units = [spec for out in small for spec in _all("cast", ROUNDINGS, a=name, out=out)]
        yield Claim(name=f"formal/cast/{name}", units=tuple(units))


def _pipelines() -> Iterator[Claim]:
    """In stages, and as streams under all stalls."""
    for kind, name in (("mul", "e2m1"), ("mul", "e4m3"), ("add", "e3m2"), ("add", "e5m2")):
        yield Claim(
            name=f"formal/stages/{kind}/{name}",
            units=(unit(kind, a=name),),
            implementations=STAGES + FLOWS,
        )
    yield Claim(
        name="formal/stages/cast",
        units=(unit("cast", a="fp16", out="e4m3"), unit("cast", a="e4m3", out="bf16")),
        implementations=STAGES + FLOWS,
    )
    for name in ("e2m1", "e4m3"):
        yield Claim(
            name=f"formal/stages/fma/{name}",
            units=(unit("fma", a=name, out=name),),
            implementations=STAGES + FLOWS,
        )
    groups = {
        "dot": [unit("dot", a="e2m1", c="e2m1", out="e4m3", lanes=2)],
        "others": [
            unit("mul", a="int8"),
            unit("mul", a="e4m3fnuz", flags=True),
            unit("add", a="posit8"),
            unit("add", a="e4m3", subtract=True, rounding=Rounding.DYNAMIC),
            unit("fma", a="int4", out="int8"),
            unit("requantize", x="int8", bits=8),
        ],
        "functions": [
            unit("div", a="e4m3ieee", flags=True),
            unit("sqrt", a="e5m2"),
            unit("table", a="e4m3", function="tanh"),
        ],
        "order": [
            unit("compare", a="fp16", flags=True),
            unit("minimum", a="bf16", number=True),
            unit("classify", a="fp16"),
        ],
    }
    for name, units in groups.items():
        yield Claim(
            name=f"formal/stages/{name}", units=tuple(units), implementations=STAGES + FLOWS
        )
    groups = {
        "e2m1": [unit("mul", a="e2m1")],
        "others": [
            unit("add", a="e5m2"),
            unit("cast", a="e4m3", out="int5"),
            unit("fma", a="e3m2", out="e3m2", flags=True),
            unit("dot", a="e2m1", c="e2m1", out="e4m3", lanes=2),
            unit("div", a="e4m3ieee", flags=True),
            unit("classify", a="bf16"),
        ],
    }
    for name, units in groups.items():
        yield Claim(name=f"formal/buses/{name}", units=tuple(units), implementations=BUSES)


def _sums() -> Iterator[Claim]:
    """Dot products, and integers."""
    yield Claim(
        name="formal/integers/fma",
        units=(unit("fma", a="int4", out="int16"), unit("fma", a="int8", out="int32")),
        method="plain",
    )
    for lanes in (2, 4, 8, 32):
        specs = [unit("dot", a=name, out="int32", lanes=lanes) for name in ("int2", "int4", "int8")]
        yield Claim(name=f"formal/dot/integers_{lanes}", units=tuple(specs), method="plain")
    for name in ("e2m1", "e4m3"):
        for lanes in (2, 4, 8):
            specs = [unit("dot", a=name, out=out, lanes=lanes) for out in ("fp16", "bf16", "fp32")]
            yield Claim(
                name=f"formal/dot/{name}_{lanes}", units=tuple(specs), method="plain", limit=LONG
            )
    specs = [unit("dot", a="e5m2", out="fp16", lanes=4), unit("dot", a="e2m3", out="fp16", lanes=8)]
    yield Claim(name="formal/dot/others", units=tuple(specs), method="plain", limit=LONG)
    for profile in Profile:
        how: dict[str, Any] = {"bits": 8, "profile": profile}
        specs = [
            unit("requantize", x="int8", **how),
            unit("requantize", x="int16", shift=-3, **how),
        ]
        yield Claim(name=f"formal/requantize/{profile}", units=tuple(specs))
    rules = ("floor", "ceil", "rceil", "even")
    for a in ("bf16", "fp16", "fp32"):
        specs = [_quantize(a, "mxfp4", scale_rule=rule) for rule in rules]
        yield Claim(name=f"formal/quantize/mxfp4/{a}", units=tuple(specs), method="plain")
    words = [word for word in ROUNDINGS if word != "rne"]
    specs = [_quantize("bf16", "mxfp4", rounding=word) for word in words]
    yield Claim(name="formal/quantize/roundings", units=tuple(specs), method="plain")
    names = ("mxfp8-e4m3", "mxfp8-e5m2", "mxfp6-e3m2", "mxfp6-e2m3")
    specs = [_quantize("bf16", name) for name in names]
    yield Claim(name="formal/quantize/others", units=tuple(specs), method="plain")
    specs = [_quantize("bf16", "nvfp4", rounding=word) for word in ("rne", "rtz")]
    yield Claim(name="formal/quantize/nvfp4/bf16", units=tuple(specs), method="plain", limit=LONG)
    specs = [_quantize("bf16", "ue5m3fp4", order=order) for order in ("paper", "te", "torchao")]
    yield Claim(name="formal/quantize/ue5m3fp4", units=tuple(specs), method="plain", limit=LONG)
    specs = [
        *(unit("flex-mac", a="flex16+5", rounding=word) for word in ROUNDINGS),
        *(unit("flex-mac", a="flex16+5", lanes=lanes) for lanes in (2, 4)),
        unit("flex-mac", a="flex8+3", out="flex16+5", lanes=2),
    ]
    yield Claim(name="formal/state/flex-mac", units=tuple(specs))
    specs = [
        *(unit("int-mac", lanes=lanes) for lanes in (1, 2, 4)),
        unit("int-mac", a="uint8", b="int8", a_zero=True),
        unit("int-mac", a="int4", lanes=8, wrap=True),
    ]
    yield Claim(name="formal/state/int-mac", units=tuple(specs))
    specs = [unit("flex-mul", a="flex16+5", lanes=2), unit("flex-add", a="flex8+3")]
    yield Claim(name="formal/state/flex", units=tuple(specs))


def _quantize(a: str, out: str, **parameters: Any) -> Unit:
    return unit("block-quantize", a=a, out=out, size=4, **parameters)


def _triples() -> Iterator[Claim]:
    """Three operands of up to eight bits."""
    for name in sorted((*SMALL, *BOOKS), key=_bits):
        yield Claim(name=f"formal/fma/{name}", units=_all("fma", ROUNDINGS, a=name, out=name))


def _tests() -> Iterator[Claim]:
    """What rounds nothing: order and class."""
    for name in ("fp16", "bf16", "fp32"):
        units = [unit("compare", a=name, flags=True, signaling=word) for word in (False, True)]
        for kind in ("minimum", "maximum"):
            units += [unit(kind, a=name, flags=True, number=word) for word in (False, True)]
        units.append(unit("classify", a=name))
        yield Claim(name=f"formal/order/{name}", units=tuple(units), method="symfpu")


def _netlists() -> Iterator[Claim]:
    """What synthesis makes of units without registers."""
    small = ("e2m1", "e3m2", "e4m3", "e5m2", "e4m3fnuz", "int8")
    groups = {
        "mul": [unit("mul", a=name) for name in small],
        "add": [unit("add", a=name) for name in (*small[:-1], "posit8")],
        "fma": [unit("fma", a=name, out=name) for name in ("e2m1", "e3m2", "int4")],
        "cast": [
            *(unit("cast", a="fp16", out=name) for name in small[:4]),
            unit("cast", a="e4m3", out="bf16", rounding="rup"),
            unit("cast", a="int8", out="e5m2", rounding="rod"),
        ],
        "functions": [
            unit("div", a="e4m3ieee", flags=True),
            unit("sqrt", a="e4m3ieee"),
            unit("table", a="e4m3", function="tanh"),
        ],
        "order": [
            unit("compare", a="fp16", flags=True),
            unit("minimum", a="bf16", number=True),
            unit("classify", a="fp16"),
        ],
        "others": [
            unit("dot", a="e2m1", c="e2m1", out="e4m3", lanes=2),
            unit("requantize", x="int8", bits=8),
            unit("add", a="bf16", rounding="rtz"),
        ],
    }
    for name, units in groups.items():
        yield Claim(name=f"formal/netlist/{name}", units=tuple(units), implementations=NETLISTS)


def _bits(name: str) -> int:
    return unit("mul", a=name).ports.outputs["r"].format.width


def _modes() -> Iterator[Claim]:
    """The rounding as an operand."""
    for kind in ("mul", "add"):
        units = [unit(kind, a=name, rounding=Rounding.DYNAMIC) for name in FLOATS]
        yield Claim(name=f"formal/dynamic/{kind}", units=tuple(units))
    for name in ("e4m3", "e5m2"):
        spec = unit("fma", a=name, out=name, rounding=Rounding.DYNAMIC)
        yield Claim(name=f"formal/dynamic/fma/{name}", units=(spec,), largest=27)


def _symfpu(kind: str, roundings: list[str], limit: float = LIMIT, **parameters: Any) -> Claim:
    more = "/flags" if parameters.get("flags") else ""
    return Claim(
        name=f"formal/symfpu/{kind}/{parameters['a']}{more}",
        units=_all(kind, roundings, **parameters),
        method="symfpu",
        limit=limit,
    )


def _wide() -> Iterator[Claim]:
    """By a second description, or by that of others."""
    for kind in ("mul", "add", "div", "sqrt"):
        yield _symfpu(kind, IEEE, a="e4m3ieee")
    for name in ("fp16", "bf16"):
        for kind in ("add", "mul"):
            yield _symfpu(kind, IEEE, a=name)
    yield _symfpu("mul", IEEE, a="fp32")
    units = [spec for out in FLOATS for spec in _all("cast", ROUNDINGS, a="fp32", out=out)]
    yield Claim(name="formal/cast/fp32", units=tuple(units), method="plain")
    for kind, names in (("add", ("fp16", "bf16")), ("mul", ("fp16", "bf16", "fp32"))):
        for name in names:
            yield _symfpu(kind, IEEE, a=name, flags=True)
    for kind, name in itertools.product(("mul", "add"), ("fp16", "bf16")):
        words = ("rod", Rounding.DYNAMIC)
        units = [unit(kind, a=name, rounding=word, flags=True) for word in words]
        where = f"formal/symfpu/directions/{kind}/{name}"
        yield Claim(name=where, units=tuple(units), method="symfpu", limit=LONG)
    for name in ("bf16", "fp16"):
        yield _symfpu("fma", ["rne"], limit=LONG, a=name, out=name)
    yield _symfpu("add", ["rne"], limit=LONG, a="fp32")
    yield _symfpu("fma", ["rne"], limit=SHORT, a="fp32", out="fp32")
    for name, size, out in (
        *itertools.product(("mxfp4",), (8, 32), ("bf16", "fp16", "fp32")),
        ("mxfp8-e4m3", 8, "bf16"),
        ("mxint8", 8, "bf16"),
        *itertools.product(("nvfp4",), (8, 16), ("bf16", "fp16", "fp32")),
    ):
        spec = unit("block-dot", a=name, out=out, size=size)
        where = f"formal/blocks/{name}_{size}/{out}"
        yield Claim(name=where, units=(spec,), method="plain", limit=LONG)
