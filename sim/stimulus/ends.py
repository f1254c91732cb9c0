# SPDX-License-Identifier: BSD-2-Clause
"""Operands whose exact result lies at an end of a fixed point's range, or a part of a last place
beside it.

Of sums the addend is as near to that as it can be, and a product makes up for what is missing. Of
products two factors are looked for.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np

from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.units import Operand

from ..bench.interface import Codes
from .ties import span

_Rng = np.random.Generator
_Draw = Callable[[_Rng, int], Codes]
WIDEST = 48
"""Bits of results that float64 tells apart to quarters."""
ALL = 16
"""Bits of a factor of which every code is tried."""
_TRIED = 1 << 14
_KEPT = 32


def thresholds(
    numbers: dict[str, Operand], factors: Sequence[str], result: Format, *, subtract: bool = False
) -> _Draw | None:
    """What draws factors, and the addend where there is one; None for other units.

    With ``subtract`` the addend is taken from the product.
    """
    formats = [operand.format for operand in numbers.values()]
    if not isinstance(result, Fixed) or result.width > WIDEST or not factors:
        return None
    if not all(isinstance(fmt, Float | Fixed) and fmt.width <= WIDEST for fmt in formats):
        return None
    last = list(numbers)[-1]
    sums = last not in factors
    if set(numbers) != {*factors, *([last] if sums else [])} or numbers[last].lanes is not None:
        return None
    wanted = ends(result)
    if not sums and len(factors) == 2:
        x, y = (numbers[name].format for name in factors)
        pairs = _pairs(x, y, result)
        return None if not len(pairs) else lambda rng, count: _chosen(rng, pairs, factors, count)

    def draw(rng: _Rng, count: int) -> Codes:
        value = rng.choice(wanted, count)
        made: Codes = {}
        if sums:
            fmt = numbers[last].format
            near = value + rng.choice([0.0, 0.0, 1.0, -1.0, 0.5], count) * rng.integers(0, 4, count)
            near = near * (rng.random(count) < 0.9)
            made[last] = fmt.encode(-near if subtract else near)
            addend = np.nan_to_num(fmt.decode(made[last]), posinf=0.0, neginf=0.0)
            value = value + addend if subtract else value - addend
        return made | _factors(rng, numbers, factors, value)

    return draw


def ends(result: Fixed, finer: int = 4) -> np.ndarray:
    """Return both ends of the range, and what is up to two last places beside them, in parts."""
    beside = np.arange(-2 * finer, 2 * finer + 1) / finer
    both = [result.max_integer, result.min_integer]
    return np.concatenate([end + beside for end in both]) * 2.0**-result.fraction


def _factors(
    rng: _Rng, numbers: dict[str, Operand], factors: Sequence[str], value: np.ndarray
) -> Codes:
    """Factors whose product is ``value``, as near as may be: all but the first powers of two.

    Of vectors all lanes but one are zeros.
    """
    count, made = len(value), {}
    first = numbers[factors[0]].format
    for name in factors[1:]:
        low, high = span(numbers[name].format)
        length = np.frexp(value)[1] - 1
        least, most = span(first)
        power = rng.integers(
            np.clip(length - most, low, high), np.clip(length - least, low, high) + 1
        )
        made[name] = numbers[name].format.encode(np.ldexp(1.0, power))
        value = np.ldexp(value, -power)
    made[factors[0]] = first.encode(value)
    for name in factors:
        lanes, code = numbers[name].lanes, made[name]
        if lanes is not None:
            code = np.repeat(code[:, None], lanes, axis=1)
            if name == factors[0]:
                one = np.arange(lanes) == rng.integers(0, lanes, (count, 1))
                code = np.where(one, code, first.encode(0.0)).astype(code.dtype)
        made[name] = code
    return made


def _chosen(rng: _Rng, pairs: list[np.ndarray], factors: Sequence[str], count: int) -> Codes:
    """Pairs of codes, of every value as many."""
    which = rng.integers(0, len(pairs), count)
    number = rng.integers(0, 1 << 30, count) % np.array([len(each) for each in pairs])[which]
    starts = np.cumsum([0, *(len(each) for each in pairs)])[which]
    every = np.concatenate(pairs)
    return {name: every[starts + number, n] for n, name in enumerate(factors)}


@functools.lru_cache(maxsize=64)
def _pairs(x: Format, y: Format, result: Fixed) -> list[np.ndarray]:
    """For each value at the ends that is a product, codes of some factors."""
    rng = np.random.default_rng(0)
    found = []
    for wanted in ends(result, finer=16):
        pairs = factored(x, y, wanted)
        if len(pairs):
            found.append(rng.permutation(pairs)[:_KEPT])
    return found


def factored(x: Format, y: Format, product: float) -> np.ndarray:
    """Codes of two formats whose numbers have a product, shape (n, 2).

    All there are, if ``y`` has at most 16 bits; else some.
    """
    codes, values = _numbers(y)
    with np.errstate(all="ignore"):
        other = product / values
        places = np.ldexp(other, -x.quantum)
        some = np.flatnonzero((np.abs(other) <= _largest(x)) & (places == np.floor(places)))
        found = x.encode(other[some])
        exact = np.asarray(x.decode(found)) * values[some] == product
    return np.stack([found[exact], codes[some][exact]], 1)


def _largest(fmt: Format) -> float:
    return float(max(abs(fmt.max), abs(fmt.min)))


@functools.lru_cache(maxsize=8)
def _numbers(fmt: Format) -> tuple[np.ndarray, np.ndarray]:
    """Codes and values of the numbers of a format that are not zero, of a wide one some."""
    if fmt.width <= ALL:
        codes = np.arange(1 << fmt.width, dtype=fmt.code_dtype)
    else:
        rng = np.random.default_rng(0)
        few = rng.integers(0, 1 << fmt.width, _TRIED, np.uint64)
        codes = np.union1d(few, np.arange(_TRIED, dtype=np.uint64)).astype(fmt.code_dtype)
    values = np.asarray(fmt.decode(codes))
    there = np.isfinite(values) & (values != 0)
    return codes[there], values[there]
