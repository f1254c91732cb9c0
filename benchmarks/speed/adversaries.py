# SPDX-License-Identifier: BSD-2-Clause
"""Operands built to break a theorem at its edge: next to ties, about subnormals, far apart."""

from typing import Any

import numpy as np

from macaw.golden.formats.block import AnyFormat, Block, scalar
from macaw.golden.formats.scalar import Float, Format
from macaw.sim.proof.outsiders.scalars import operands


@np.errstate(over="ignore", under="ignore")
def near_midpoints(fmt: Float, count: int, rng: np.random.Generator) -> np.ndarray:
    """Float64 at the values of a format and the midpoints between them, and next to those."""
    codes = rng.integers(0, fmt.max_code + 1, count)
    lower, upper = (fmt.decode(np.minimum(codes + n, fmt.max_code)) for n in (0, 1))
    past = upper == lower
    middle = lower + (upper - lower) / 2
    middle[past] = fmt.max + (fmt.max - fmt.decode(fmt.max_code - 1)) / 2
    values = np.where(rng.random(count) < 0.25, lower, middle)
    side = rng.integers(0, 3, count)
    for n, towards in ((1, -np.inf), (2, np.inf)):
        values[side == n] = np.nextafter(values[side == n], towards)
    special = rng.choice([0.0, np.inf, np.nan, 5e-324, fmt.min_subnormal, 1e308], count)
    values = np.where(rng.random(count) < 0.05, special, values)
    return np.where(rng.random(count) < 0.5, -values, values)


def near_halves(count: int, rng: np.random.Generator) -> np.ndarray:
    """Float64 at whole numbers and halves, and next to those."""
    values = rng.integers(-40, 41, count) / 2
    side = rng.integers(0, 3, count)
    return np.where(side == 0, values, np.nextafter(values, np.where(side == 1, np.inf, -np.inf)))


@np.errstate(all="ignore")
def beside_ties(
    codes: dict[str, np.ndarray], factors: dict[str, Format], c: Format, out: Format
) -> dict[str, np.ndarray]:
    """Operands whose product is all but half the last place of the addend, or the rest of one.

    A third of the addends are midpoints of the result's format, if theirs has them, with products
    near them or far below.
    """
    count = codes["c"].size
    rng = np.random.default_rng(count)
    made = dict(codes)
    third = rng.random(count) < 0.3
    if isinstance(out, Float):
        middle = c.encode(near_midpoints(out, count, rng), overflow="saturate")
        made["c"] = np.where(third, middle, codes["c"])
    addend = np.abs(c.decode(made["c"]))
    addend[~np.isfinite(addend) | (addend == 0)] = 1.0
    precision = out.precision if isinstance(out, Float) else out.width
    least = out.quantum if isinstance(out, Float) else -1
    place = np.maximum(np.frexp(addend)[1] - precision, least) - 1
    place -= rng.choice([0, 0, 30, 45, 60], count) * third
    share = [place] if len(factors) == 1 else [place // 2, place - place // 2]
    for (name, fmt), exponent in zip(factors.items(), share, strict=True):
        last = 2.0 ** (1 - fmt.precision) if isinstance(fmt, Float) else 0.0
        mantissa = 1 + last * rng.choice([-1, -0.5, 0, 1], count) * (rng.random(count) < 0.7)
        sign = np.where(rng.random(count) < 0.5, -1.0, 1.0)
        near = fmt.encode(np.ldexp(sign * mantissa, exponent), overflow="saturate")
        made[name] = np.where(third | (rng.random(count) < 0.4), near, codes[name])
    return made


@np.errstate(all="ignore")
def small_products(
    codes: dict[str, np.ndarray], a: Format, b: Format, out: Format
) -> dict[str, np.ndarray]:
    """Operands of which a half have products about the least normal number, of few or many bits."""
    if not (isinstance(a, Float) and isinstance(b, Float) and isinstance(out, Float)):
        return codes
    count = codes["a"].size
    rng = np.random.default_rng(count)
    place = out.emin - rng.integers(-3, out.mantissa + 5, count)
    share = np.clip(place // 2 + rng.integers(-3, 4, count), a.emin, a.emax)
    made = {}
    for name, fmt, exponent in (("a", a, share), ("b", b, place - share)):
        bits = rng.integers(0, fmt.mantissa + 1, count)
        ones = 1 + rng.integers(0, 1 << bits) / (1 << bits)
        sign = np.where(rng.random(count) < 0.5, -1.0, 1.0)
        made[name] = fmt.encode(np.ldexp(sign * ones, exponent), overflow="saturate")
    # Of some the product is next to a midpoint of subnormal numbers.
    middle = np.ldexp(rng.integers(0, 8, count) + 0.5, out.quantum) / np.abs(a.decode(made["a"]))
    near = b.encode(middle, overflow="saturate")
    made["b"] = np.where(rng.random(count) < 0.5, near, made["b"])
    half = rng.random(count) < 0.5
    return codes | {name: np.where(half, made[name], codes[name]) for name in made}


@np.errstate(all="ignore")
def sum_rows(
    codes: dict[str, np.ndarray], formats: dict[str, Format], out: Format, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Operands of sums: some as they are, some that cancel or span many bits, some beside ties."""
    count, lanes = codes["a"].shape
    made = {
        name: matrix(fmt, (count, lanes), rng) if isinstance(fmt, Float) else codes[name]
        for name, fmt in formats.items()
        if name != "c"
    }
    values = {name: formats[name].decode(made[name]) for name in "ab"}
    total = np.nan_to_num((values["a"] * values["b"]).sum(-1), posinf=1.0, neginf=-1.0)
    cancelling = formats["c"].encode(-total, overflow="saturate")
    # One product of half a last place of the addend, and one of next to nothing.
    first = {"a": codes["a"][:, 0], "b": codes["b"][:, 0], "c": codes["c"]}
    ties = beside_ties(first, {name: formats[name] for name in "ab"}, formats["c"], out)
    few = {name: np.zeros_like(codes[name]) for name in "ab"}
    for name in "ab":
        few[name][:, 0] = ties[name]
        if lanes > 1:
            sign = rng.choice([-1.0, 0.0, 1.0], count)
            least = getattr(formats[name], "min_subnormal", 1.0)
            few[name][:, -1] = formats[name].encode(sign * least, overflow="saturate")
    # Half of the least number of the result and a little, added to zero.
    least = {name: np.zeros_like(codes[name]) for name in "ab"}
    half = np.full(count, getattr(out, "quantum", 0) - 1)
    for lane, place in ((0, half), (-1, half - rng.integers(10, 30, count))):
        for name, exponent in (("a", place // 2), ("b", place - place // 2)):
            values = np.ldexp(rng.choice([1.0, 1.0, 1.5, -1.0], count), exponent)
            least[name][:, lane] = formats[name].encode(values, overflow="saturate")
    which = rng.integers(0, 5, count)
    result = {
        name: np.choose(
            which[:, None], [codes[name], made[name], made[name], few[name], least[name]]
        )
        for name in "ab"
    }
    zero = np.full(count, formats["c"].zero_code, codes["c"].dtype)
    addends = [codes["c"], codes["c"], cancelling, ties["c"], zero]
    return result | {"c": np.choose(which, addends)}


def matrix(fmt: AnyFormat, shape: tuple[int, int], rng: np.random.Generator) -> Any:
    """Rows whose sums of products cancel, tie and span more bits than float64 has.

    Elements are powers of two, some with the last bit of the format set, times signs; in some rows
    any code may be, NaN and infinities too.
    """
    element = scalar(fmt)
    if isinstance(fmt, Block) or not isinstance(element, Float):
        return rng.standard_normal(shape) * 2.0 ** rng.integers(-3, 4, (shape[0], 1))
    middle = (element.emin + element.emax) // 2
    reach = rng.choice([2, 6, 13, 26, max((element.emax - element.emin) // 3, 2)])
    exponent = middle + rng.integers(-reach, reach + 1, shape)
    ones = 1 + (rng.random(shape) < 0.4) * element.epsilon
    sign = np.where(rng.random(shape) < 0.5, -1.0, 1.0)
    ones *= rng.random(shape) < 0.9
    codes = element.encode(np.ldexp(sign * ones, exponent), overflow="saturate")
    every = operands(element, codes.size, rng).reshape(shape)
    codes = np.where(rng.random((shape[0], 1)) < 0.2, every, codes)
    # A sum that rounds to a zero, of either sign, and zeros from there on.
    last = rng.random((shape[0], 1)) < 0.2
    first = element.encode(sign * np.where(np.arange(shape[1]) == 0, element.min_subnormal, 0.0))
    return np.where(last, first, codes)
