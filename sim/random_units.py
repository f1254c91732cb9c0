# SPDX-License-Identifier: BSD-2-Clause
"""Units that nobody thought of: formats, options and implementations drawn at random.

The listed units follow common use; the bugs that are left hide where two rare choices meet
(a stochastic rounding of one bit into a format without mantissa, a NaN that looks like a zero).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from macaw.golden.dyadic import FORMS, Profile
from macaw.golden.errors import MacawError
from macaw.golden.formats import Fixed, format
from macaw.golden.units import Unit, unit
from macaw.hdl import Implementation, build

FORMATS = [
    "e2m1",
    "e3m2",
    "e2m3",
    "e4m3",
    "e5m2",
    "e3m4",
    "e8m0",
    "ue4m3",
    "dlfloat16",
    "fp16",
    "bf16",
    "fp32",
    "tf32",
    "e6m9",
    "e4m3fnuz",
    "e5m2fnuz",
    "e4m3b11fnuz",
    "e3m0",
    "e1m2",
    "e2m1ftz",
    "e3m2ieee",
    "e3m2fn",
    "ue3m2",
    "e2m2ieeeftz",
    "e3m1b5",
    "e6m1ftz",
    "int4",
    "int8",
    "int16",
    "int3sym",
    "uint4",
    "ternary",
    "fx6.3",
    "ufx5.2",
    "fx5.8",
    "fx12.4",
]
MODES = ["rne", "rne", "rne", "rna", "rtz", "rup", "rdn", "rod", "sr", "dynamic"]
KINDS = ["mul", "add", "fma", "fma", "cast", "dot", "dot", "mac", "block-dot", "block-mac", "flex"]
KINDS += ["integer"] * 2
FLEX = ["flex-mac", "flex-mac", "flex-matmul", "flex-add", "flex-mul"]
INTEGER = ["int-dot", "int-mac", "requantize", "requantize", "residual-add", "average-pool"]
INTEGERS = ["int8", "int8", "uint8", "int4", "int5", "uint3", "int12", "int16", "int8sym"]
WEIGHTS = ["ternary", "int2", "uint2", "int3", "binary", "shift2", "shift3", "shift4", "power2",
           "power3", "power4", "e2m0bn1nosubnozero"]  # fmt: skip
SCALES = ["e8m0", "e8m0", "ue4m3", "ue5m3", "fp16", "bf16", "e10m0", "e5m2"]


def random_units(count: int, seed: int) -> Iterator[tuple[str, Unit, dict[str, Any]]]:
    """``count`` times a name, a unit that the gates offer, and implementation options.

    The same seed gives the same units.
    """
    rng = random.Random(seed)
    found = 0
    while found < count:
        try:
            spec = _draw(rng)
            build(spec, Implementation())
        except MacawError:
            continue
        found += 1
        yield spec.name, spec, _draw_options(rng)


def _draw_options(rng: random.Random) -> dict[str, Any]:
    """Any stages, and any handshake with any reset."""
    options: dict[str, Any] = {"stages": rng.choice((0, 0, 1, 2, 5))}
    flow = rng.choice(("none", "valid", "stream", "axis"))
    options |= {"bus": flow} if flow == "axis" else {"flow": flow}
    if flow in ("stream", "axis"):
        options["ready"] = rng.choice(("combinational", "registered"))
    if flow == "axis":
        options["tlast"] = rng.choice(("auto", "on", "off"))
    else:
        options["reset_active"] = rng.choice(("auto", "low"))
    return options | {"reset": rng.choice(("sync", "sync", "async", "none"))}


def _draw(rng: random.Random) -> Unit:
    kind = rng.choice(KINDS)
    if kind.startswith("block"):
        return _draw_block(rng, kind)
    if kind == "flex":
        return _draw_flex(rng)
    if kind == "integer":
        return _draw_integer(rng, rng.choice(INTEGER))
    parameters: dict[str, Any] = {"rounding": rng.choice(MODES)}
    operands = {"cast": "a", "mul": "ab", "add": "ab", "mac": "ab"}.get(kind, "abc")
    for name in (*operands, "out"):
        parameters[name] = rng.choice(FORMATS)
    if kind in ("dot", "mac"):
        parameters["lanes"] = rng.choice((1, 2, 3, 5))
        if parameters["rounding"] == "dynamic":
            parameters["rounding"] = "rdn"
    else:
        parameters["flags"] = rng.random() < 0.5
    if kind == "dot" and rng.random() < 0.4:
        parameters["accumulation"] = f"aligned({rng.choice((4, 7, 12, 24))})"
    if kind == "mac":
        parameters["terms"] = rng.choice((5, 64, 1000))
        if rng.random() < 0.5:
            parameters["acc"] = rng.choice(FORMATS)
            parameters["contexts"] = rng.choice((1, 1, 2, 5))
    if kind == "add":
        parameters["subtract"] = rng.random() < 0.4
    if rng.random() < 0.2:
        parameters["overflow"] = rng.choice(("saturate", "nonfinite", "wrap"))
    if parameters["rounding"] == "sr":
        parameters["random_bits"] = rng.choice((1, 3, 8, 16))
    return unit(kind, **parameters)


def _draw_block(rng: random.Random, kind: str) -> Unit:
    """A dot product, or multiply-accumulate, of small blocks under any profile."""
    size = rng.choice((1, 2, 4, 8))
    parameters: dict[str, Any] = {"rounding": rng.choice(MODES[:-1])}
    for name in "ab":
        element = rng.choice(FORMATS)
        parameters[name] = element
        if rng.random() < 0.8:
            extent = rng.choice((f"k{size}", f"k{size}", f"k{2 * size}", f"k{max(size // 2, 1)}"))
            parameters[name] = f"{element}-{extent}-{rng.choice(SCALES)}"
    parameters["out"] = rng.choice(FORMATS)
    inner = rng.choice(FORMATS)
    count = rng.choice((1, 2, 4))
    profiles = (f"aligned({rng.choice((4, 9, 24))},{count})", f"chunk({count},{inner})")
    if rng.random() < 0.4:
        parameters["accumulation"] = rng.choice(("sequential", *profiles))
    if kind == "block-dot":
        parameters["c"] = rng.choice(FORMATS)
        parameters["size"] = size
        if rng.random() < 0.3:
            parameters["lanes"] = max(size // 2, 1)
    else:
        parameters["acc"] = rng.choice((*FORMATS, *["exact"] * 8))
        parameters["lanes"] = rng.choice((1, 2, size))
        parameters["terms"] = rng.choice((16, 300))
        if rng.random() < 0.2:
            parameters["contexts"] = rng.choice((2, 3))
    if rng.random() < 0.2:
        parameters["overflow"] = rng.choice(("saturate", "nonfinite", "wrap"))
    if parameters["rounding"] == "sr":
        parameters["random_bits"] = rng.choice((1, 3, 8, 16))
    return unit(kind, **parameters)


def _draw_integer(rng: random.Random, kind: str) -> Unit:
    """A unit of integers: odd widths, any weights, what may be fixed now and then fixed."""

    def maybe(low: int, high: int) -> int | None:
        return rng.randint(low, high) if rng.random() < 0.3 else None

    parameters: dict[str, Any]
    if kind.startswith("int-"):
        parameters = {"a": rng.choice(INTEGERS + WEIGHTS), "b": rng.choice(INTEGERS + WEIGHTS)}
        parameters |= {"lanes": rng.choice((1, 2, 3, 4, 7)), "parts": rng.choice((1, 1, 1, 2))}
        parameters["acc"] = rng.choice(("int32", "int16", "int9", "uint12"))
        for name in ("a_zero", "b_zero"):
            fixed = isinstance(format(parameters[name[0]]), Fixed)
            parameters[name] = fixed and rng.random() < 0.5
        parameters |= {"bias": rng.random() < 0.7, "wrap": rng.random() < 0.3}
        if kind == "int-mac":
            parameters["terms"] = rng.choice((7, 100, 1000))
        return unit(kind, **parameters)
    bits = rng.choice((31, 31, 24, 16, 15, 8, 3))
    parameters = {"bits": bits, "profile": rng.choice(list(Profile)), "out": rng.choice(INTEGERS)}
    if kind == "requantize":
        parameters["x"] = rng.choice(("int32", "int32", "int20", "uint17", "int9", "int48"))
        parameters |= {"shift": maybe(-32, 31), "multiplier": maybe(0, (1 << bits) - 1)}
        parameters["zero_point"] = rng.random() < 0.5
    elif kind == "residual-add":
        parameters |= {"a": rng.choice(INTEGERS), "b": rng.choice(INTEGERS)}
        parameters["zero_points"] = rng.random() < 0.5
        parameters["form"] = rng.choice(FORMS)
        parameters["a_multiplier"] = maybe(0, (1 << bits) - 1)
    else:
        parameters |= {"a": rng.choice(INTEGERS), "lanes": rng.choice((1, 2, 5))}
        parameters["count"] = maybe(1, 60)
    return unit(kind, **parameters)


def _draw_flex(rng: random.Random) -> Unit:
    """A unit of Flexpoint of odd widths."""
    kind = rng.choice(FLEX)
    parameters: dict[str, Any] = {"rounding": rng.choice(MODES[:-1])}
    for name in ("a", "b", "out"):
        parameters[name] = f"flex{rng.randint(2, 18)}+{rng.randint(1, 8)}"
    if kind == "flex-matmul":
        parameters |= {"rows": rng.randint(1, 3), "columns": rng.randint(1, 3)}
    else:
        parameters["lanes"] = rng.choice((1, 2, 3, 5))
    if kind in ("flex-mac", "flex-matmul"):
        parameters["terms"] = rng.choice((5, 64, 1000))
    if parameters["rounding"] == "sr":
        parameters["random_bits"] = rng.choice((1, 3, 8, 16))
    return unit(kind, **parameters)
