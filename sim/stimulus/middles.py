# SPDX-License-Identifier: BSD-2-Clause
"""Operands whose quotient, root or product is a midpoint of two results, or the next to it.

The midpoint comes first, and from it the operand that makes it: times a divisor of few digits,
squared, or divided by each number of the shorter factor.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np

from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.units import Operand

from ..bench.interface import Codes
from .codes import nudge
from .ends import ALL, WIDEST, factored
from .ties import midpoints, quotients, results, span

_Rng = np.random.Generator
_Draw = Callable[[_Rng, int], Codes]
_KEPT = 16


def tied_quotients(numbers: dict[str, Operand], factors: Sequence[str], result: Float) -> _Draw:
    """What draws dividends and divisors: those of :func:`.ties.quotients`, and as many whose
    quotient is a midpoint, as far as the dividend has its digits."""
    x, y = (numbers[name].format for name in factors)
    assert isinstance(x, Float)
    assert isinstance(y, Float)
    others = quotients(numbers, factors, result)

    def draw(rng: _Rng, count: int) -> Codes:
        made, some = others(rng, count), count // 2
        middle = midpoints(rng, result, some)
        # Of some it is a result, beside which others are rounded to it, up or down.
        number = np.asarray(result.decode(results(rng, result, some).astype(result.code_dtype)))
        middle = np.where(rng.random(some) < 0.3, number, middle)
        power = np.frexp(middle)[1] - 1
        digits = rng.choice([1.0, 1.0, 1.5, 1.25, 1.75], some)
        # The dividend as the product with a divisor of few digits; or the other way round.
        turned = rng.random(some) < 0.5
        low, high = span(y)
        least, most = span(x)
        bottom = np.where(turned, power + low, least - power)
        top = np.where(turned, power + high, most - power)
        own = np.where(turned, least, low), np.where(turned, most, high)
        places = rng.integers(np.clip(bottom, *own), np.clip(top, *own) + 1)
        few = np.ldexp(digits, places)
        with np.errstate(all="ignore"):
            a = np.where(turned, few, middle * np.asarray(y.decode(y.encode(few))))
            b = np.where(turned, np.asarray(x.decode(x.encode(few))) / middle, few)
        for name, fmt, value in ((factors[0], x, a), (factors[1], y, b)):
            made[name][:some] = fmt.encode(np.nan_to_num(value, posinf=0.0, neginf=0.0))
        for name, fmt, which in ((factors[0], x, ~turned), (factors[1], y, turned)):
            column = made[name][:some]
            column[which] = nudge(rng, column[which], fmt)
        return made

    return draw


def roots(numbers: dict[str, Operand], result: Float) -> _Draw:
    """What draws squares of midpoints, and the next to them."""
    ((name, operand),) = numbers.items()

    def draw(rng: _Rng, count: int) -> Codes:
        middle = midpoints(rng, result, count)
        with np.errstate(all="ignore"):
            square = np.nan_to_num(middle * middle, posinf=0.0)
        return {name: nudge(rng, operand.format.encode(square), operand.format)}

    return draw


def tied_products(
    numbers: dict[str, Operand], factors: Sequence[str], result: Format
) -> _Draw | None:
    """What draws two factors, one an integer, whose product is at the threshold of overflow of a
    float, or is rounded to a power of two; None for other units, or where there are none."""
    if len(factors) != 2 or set(numbers) != set(factors) or not isinstance(result, Float):
        return None
    formats = [numbers[name].format for name in factors]
    if any(numbers[name].lanes is not None for name in factors):
        return None
    if not any(isinstance(fmt, Fixed) for fmt in formats):
        return None
    if not all(isinstance(fmt, Fixed | Float) and fmt.width <= WIDEST for fmt in formats):
        return None
    # Of the shorter one every number is tried.
    order = sorted(range(2), key=lambda n: -formats[n].width)
    if formats[order[1]].width > ALL:
        return None
    pairs = _pairs(formats[order[0]], formats[order[1]], result)
    if not pairs:
        return None

    def draw(rng: _Rng, count: int) -> Codes:
        which = rng.integers(0, len(pairs), count)
        rows = [pairs[n][i % len(pairs[n])] for n, i in zip(which, rng.integers(0, _KEPT, count))]
        return {
            factors[n]: np.array([row[place] for row in rows], formats[n].code_dtype)
            for place, n in enumerate(order)
        }

    return draw


@functools.lru_cache(maxsize=64)
def _pairs(x: Format, y: Format, result: Float) -> list[np.ndarray]:
    """Codes of factors of each number that is looked for and that is a product."""
    rng = np.random.default_rng(0)
    last = 2.0 ** (result.emax - result.mantissa)
    wanted = [result.max + last * part / 4 for part in range(1, 9)]
    # Digits of a product behind the last one of results, of which half a last place is one.
    quantum = x.quantum + y.quantum
    low = max(result.emin, quantum + result.precision + 1)
    high = min(result.emax, span(x)[1] + span(y)[1] + 1)
    for power in range(low, high + 1)[:: max((high - low) // 64, 1)]:
        half = 2 ** min(power - result.precision - 1 - quantum, 10)
        steps = sorted({-(-half * part // 32) for part in range(1, 33)})
        beside = 2.0 ** (power - result.precision - 1) / half
        wanted += [2.0**power - step * beside for step in steps]
    found = (factored(x, y, value) for value in wanted)
    return [rng.permutation(each)[:_KEPT] for each in found if len(each)]


@functools.lru_cache(maxsize=64)
def _short_ties(x: Format, y: Format, result: Float) -> np.ndarray:
    """All pairs of codes of two short formats whose product is a tie among the larger results."""
    codes = [np.arange(1 << fmt.width, dtype=fmt.code_dtype) for fmt in (x, y)]
    with np.errstate(all="ignore"):
        values = np.multiply.outer(*(fmt.decode(c) for fmt, c in zip((x, y), codes, strict=True)))
    upper = np.arange(result.max_code // 2, result.max_code)
    numbers = np.asarray(result.decode(upper.astype(result.code_dtype)))
    middles = numbers[:-1] / 2 + numbers[1:] / 2
    first, second = np.nonzero(np.isin(np.abs(values), middles))
    return np.stack([codes[0][first], codes[1][second]], 1)


def short_ties(numbers: dict[str, Operand], factors: Sequence[str], result: Format) -> _Draw | None:
    """What draws pairs of short factors whose product is a tie; None for others."""
    if len(factors) != 2 or not isinstance(result, Float) or result.width > ALL:
        return None
    formats = [numbers[name].format for name in factors]
    if any(numbers[name].lanes is not None for name in factors):
        return None
    if not all(isinstance(fmt, Fixed | Float) and fmt.width <= 8 for fmt in formats):
        return None
    pairs = _short_ties(*formats, result)
    if not len(pairs):
        return None

    def draw(rng: _Rng, count: int) -> Codes:
        rows = pairs[rng.integers(0, len(pairs), count)]
        return {name: rows[:, n].astype(formats[n].code_dtype) for n, name in enumerate(factors)}

    return draw
