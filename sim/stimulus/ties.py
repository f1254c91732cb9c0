# SPDX-License-Identifier: BSD-2-Clause
"""Operands whose exact result lies on a midpoint of two results, or a hair beside it.

Of sums: the addend is a result and the product half of its last place, or a bit more or less; both
at the ends of the range, where a tie is the threshold of overflow or of zero. Of products:
significands that multiply to a tie, or to a number as near to one as there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from macaw.golden.arithmetic.integers import codes_of
from macaw.golden.formats import Fixed, Float, Format, Subnormals
from macaw.golden.units import Operand

from ..bench.interface import Codes

_Rng = np.random.Generator
_Draw = Callable[[_Rng, int], Codes]
_TRIED = 1 << 13
"""Factors of thresholds that are tried."""


def results(rng: _Rng, fmt: Float, count: int) -> np.ndarray:
    """Codes of magnitudes: any, a quarter of them the largest, others about the subnormals."""
    code = rng.integers(0, fmt.max_code + 1, count)
    kind = rng.integers(0, 16, count)
    code = np.where(kind < 4, fmt.max_code, code)
    least = 0 if fmt.zero else fmt.min_code
    code = np.where(kind == 4, rng.choice([least, fmt.min_code], count), code)
    small = rng.integers(least, max((1 << fmt.mantissa) - 1, least), count, endpoint=True)
    code = np.where(kind == 5, small, code)
    edge = np.maximum((1 << fmt.mantissa) - rng.integers(0, 2, count), least)
    code = np.where(kind == 7, edge, code)
    return np.where(kind == 6, rng.integers(0, 1 << fmt.exponent, count) << fmt.mantissa, code)


def last_places(fmt: Float, codes: np.ndarray) -> np.ndarray:
    """The exponents of the last places of magnitudes."""
    normal = 0 if fmt.subnormals is Subnormals.NONE else 1
    return np.maximum(codes >> fmt.mantissa, normal) - fmt.bias - fmt.mantissa


def midpoints(rng: _Rng, fmt: Float, count: int) -> np.ndarray:
    """Midpoints of neighbouring results of either sign, also half of the least and the threshold.

    They are float64: exact for formats of up to 52 digits.
    """
    codes = results(rng, fmt, count)
    with np.errstate(all="ignore"):
        values = fmt.decode(codes.astype(fmt.code_dtype))
        values = values + np.ldexp(0.5, last_places(fmt, codes))
    sign = rng.choice([-1.0, 1.0], count) if fmt.signed else 1.0
    return np.nan_to_num(values * sign, posinf=0.0, neginf=0.0)


def sums(numbers: dict[str, Operand], factors: Sequence[str], result: Format) -> _Draw | None:
    """What draws factors and addend of a sum; None where there is no float addend of its own."""
    last = list(numbers)[-1]
    if last in factors or not isinstance(result, Float) or numbers[last].lanes is not None:
        return None
    if set(numbers) != {*factors, last}:
        return None
    formats = [numbers[name].format for name in numbers]
    if not all(isinstance(fmt, Float | Fixed) for fmt in formats):
        return None
    addend = numbers[last].format
    spans = [span(numbers[name].format) for name in factors]
    most = min(max(sum(high for _, high in spans), result.emin), result.emax)
    least = min(max(sum(low for low, _ in spans), result.emin), most)

    def draw(rng: _Rng, count: int) -> Codes:
        code = results(rng, result, count)
        place = last_places(result, code) - 1
        value = result.decode(code.astype(result.code_dtype))
        # Of a third the product is a power of two, and the addend half of its last place, or so.
        turned = rng.integers(0, 3, count) == 0
        power = rng.integers(least, most + 1, count)
        beside = np.ldexp(rng.choice([-1.0, 0.0, 1.0], count), -rng.integers(1, 24, count))
        half = np.ldexp(1.0 + beside, power - result.precision)
        value = np.where(turned, half, value) * rng.choice([-1.0, 1.0], count)
        with np.errstate(all="ignore"):
            made = {last: addend.encode(np.nan_to_num(value))}
        return made | _powers(rng, numbers, factors, np.where(turned, power, place), count)

    return draw


def _powers(
    rng: _Rng, numbers: dict[str, Operand], factors: Sequence[str], power: np.ndarray, count: int
) -> Codes:
    """Factors whose product is ``2**power``, half of the time; or one code beside that.

    Of vectors all lanes but one are zeros, if the format has them.
    """
    spans = {name: span(numbers[name].format) for name in factors}
    beside = rng.integers(0, 6, count) - 2
    beside = np.where(np.abs(beside) == 1, beside, 0)
    left, made = power.copy(), {}
    for position, name in enumerate(factors):
        fmt, lanes = numbers[name].format, numbers[name].lanes
        after = [spans[n] for n in factors[position + 1 :]]
        low = np.clip(left - sum(high for _, high in after), *spans[name])
        high = np.clip(left - sum(low for low, _ in after), *spans[name])
        chosen = rng.integers(np.minimum(low, high), np.maximum(low, high) + 1)
        left = left - chosen
        value = np.ldexp(1.0, chosen)
        if fmt.signed and not (isinstance(fmt, Fixed) and fmt.width < 3):
            value = value * rng.choice([-1.0, 1.0], count)
        code = fmt.encode(value).astype(np.int64)
        if position == 0 and isinstance(fmt, Float) and fmt.mantissa:
            code = np.where((code & fmt.max_code) > 1, code + beside, code)
        if position == 0 and isinstance(fmt, Fixed) and fmt.width > 3:
            number = value * 2.0**fmt.fraction
            near = np.where(np.abs(number) > 2, number + np.sign(number) * beside, number)
            inside = (near >= fmt.min_integer) & (near <= fmt.max_integer)
            code = codes_of(np.where(inside, near, number).astype(np.int64), fmt).astype(np.int64)
        code = code.astype(fmt.code_dtype)
        if lanes is not None:
            code = np.repeat(code[:, None], lanes, axis=1)
            if isinstance(fmt, Fixed) or fmt.zero:
                one = np.arange(lanes) == rng.integers(0, lanes, (count, 1))
                first = name == factors[0]
                code = np.where(one | (not first), code, 0).astype(fmt.code_dtype)
        made[name] = code
    return made


def span(fmt: Format) -> tuple[int, int]:
    """Return the exponents of the least and the largest power of two of a format."""
    if isinstance(fmt, Fixed):
        return -fmt.fraction, max(fmt.width - 1 - fmt.signed, 0) - fmt.fraction
    assert isinstance(fmt, Float)
    return fmt.quantum if fmt.subnormals is Subnormals.GRADUAL else fmt.emin, fmt.emax


def products(numbers: dict[str, Operand], factors: Sequence[str], result: Format) -> _Draw | None:
    """What draws two floats whose product is on a midpoint or beside it; None for other units."""
    if len(factors) != 2 or set(numbers) != set(factors) or not isinstance(result, Float):
        return None
    x, y = (numbers[name].format for name in factors)
    vectors = any(numbers[name].lanes is not None for name in factors)
    if vectors or not (isinstance(x, Float) and isinstance(y, Float)):
        return None
    drop = x.precision + y.precision - 1 - result.precision
    pairs = _thresholds(x, y, result)
    if not pairs.size and not 2 <= drop < min(y.precision, 60):
        return None

    def draw(rng: _Rng, count: int) -> Codes:
        first = rng.integers(0, 1 << x.mantissa, count) | 1 << x.mantissa
        second = rng.integers(0, 1 << y.mantissa, count) | 1 << y.mantissa
        if 2 <= drop < min(y.precision, 60):
            # first * second is 2**(drop - 1), or one beside it, modulo 2**drop
            first |= 1
            wanted = (1 << (drop - 1)) + rng.choice([-1, 0, 1], count)
            tail = (_inverse(first) * wanted.astype(np.uint64)) & np.uint64((1 << drop) - 1)
            second = (second >> drop << drop) | tail.view(np.int64) | 1 << y.mantissa
        field = rng.integers(1, max(1 << x.exponent, 2), count) - x.bias
        power = rng.integers(result.emin - 2, result.emax + 2, count)
        if pairs.size:
            some = rng.random(count) < 0.25
            chosen = pairs[rng.integers(0, len(pairs), count)]
            first = np.where(some, chosen[:, 0], first)
            second = np.where(some, chosen[:, 1], second)
            power = np.where(some & (rng.random(count) < 0.7), result.emax, power)
        field = np.clip(
            field, np.maximum(x.emin, power - y.emax), np.minimum(x.emax, power - y.emin)
        )
        field = np.clip(field, x.emin, x.emax)
        # The product of significands from 1 to 2 may have one binade more.
        carry = (first.astype(float) * second) >= 2.0 ** (x.mantissa + y.mantissa + 1)
        other = np.clip(power - field - carry, y.emin, y.emax)
        made = {}
        for name, fmt, significand, exponent in zip(
            factors, (x, y), (first, second), (field, other), strict=True
        ):
            code = ((exponent + fmt.bias) << fmt.mantissa) | (
                significand & ((1 << fmt.mantissa) - 1)
            )
            code = np.minimum(code, fmt.max_code)
            if fmt.signed:
                code |= rng.integers(0, 2, count) << (fmt.width - 1)
            made[name] = code.astype(fmt.code_dtype)
        # Of some the second is a power of two, and the first what makes a midpoint, or nearly.
        some = rng.random(count) < 0.2
        middle = midpoints(rng, result, count)
        exponent = np.frexp(middle)[1] - 1
        places = rng.integers(
            np.clip(exponent - x.emax, y.emin, y.emax),
            np.clip(exponent - x.emin, y.emin, y.emax) + 1,
        )
        with np.errstate(all="ignore"):
            codes = (
                x.encode(np.nan_to_num(np.ldexp(middle, -places))),
                y.encode(np.ldexp(1.0, places)),
            )
        for name, code in zip(factors, codes, strict=True):
            made[name] = np.where(some, code, made[name])
        return made

    return draw


def quotients(numbers: dict[str, Operand], factors: Sequence[str], result: Format) -> _Draw:
    """What draws dividends and divisors of quotients at both ends of the range of ``result``.

    Half of the divisors are powers of two, under which the dividend's digits stay.
    """
    x, y = (numbers[name].format for name in factors)
    assert isinstance(x, Float)
    assert isinstance(y, Float)
    assert isinstance(result, Float)

    def draw(rng: _Rng, count: int) -> Codes:
        down = rng.integers(0, result.mantissa + 3, count)
        power = np.where(rng.random(count) < 0.3, result.emax, result.emin - down)
        # Of the least numbers all digits may have to go, or all but one.
        ones = (1 << x.mantissa) - 1
        few = ones >> rng.integers(0, x.mantissa + 1, count)
        few = np.where(rng.random(count) < 0.5, rng.choice([0, ones], count), few)
        fraction = rng.integers(0, ones + 1, count)
        fraction = np.where(rng.random(count) < 0.5, ones ^ few, fraction)
        divisor = rng.integers(0, 1 << y.mantissa, count) * (rng.random(count) < 0.5)
        low, high = np.maximum(x.emin, power + y.emin), np.minimum(x.emax, power + y.emax)
        above = rng.integers(np.minimum(low, high), high + 1)
        above = np.clip(above, x.emin, x.emax)
        below = np.clip(above - power, y.emin, y.emax)
        made = {}
        for name, fmt, exponent, part in zip(
            factors, (x, y), (above, below), (fraction, divisor), strict=True
        ):
            code = np.minimum(((exponent + fmt.bias) << fmt.mantissa) | part, fmt.max_code)
            if fmt.signed:
                code |= rng.integers(0, 2, count) << (fmt.width - 1)
            made[name] = code.astype(fmt.code_dtype)
        return made

    return draw


def _inverse(odd: np.ndarray) -> np.ndarray:
    """Inverses modulo 2**64."""
    number = odd.astype(np.uint64)
    found = number.copy()
    for _ in range(6):
        found = found * (np.uint64(2) - number * found)
    return found


def _thresholds(x: Float, y: Float, result: Float) -> np.ndarray:
    """Pairs of significands whose product is above the largest number by half of its last place,
    or by a bit less or more."""
    largest = (result.max_code & ((1 << result.mantissa) - 1)) | 1 << result.mantissa
    found = []
    trial = np.arange(1, min(_TRIED, 1 << x.precision))
    for more in range(1, min(x.precision + y.precision - result.precision, 5) + 1):
        for part in range(1, (1 << more)):
            number = (largest << more) + part
            if number >= 1 << 62:
                continue
            divisors = trial[number % trial == 0]
            divisors = divisors[number // divisors < 1 << y.precision]
            found += [(int(each), number // int(each)) for each in divisors[:8]]
    aligned = [
        (a << (x.precision - a.bit_length()), b << (y.precision - b.bit_length())) for a, b in found
    ]
    return np.array(sorted(set(aligned)), np.int64).reshape(-1, 2)
