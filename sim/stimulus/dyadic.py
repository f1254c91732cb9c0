# SPDX-License-Identifier: BSD-2-Clause
"""Multipliers, shifts and what they scale, so that the results lie about the result's range.

Three kinds, mixed: products of every length with a shift that brings them to the range or beside
it; products that are ties after the shift, of both signs; and operands whose product rounds to a
tie by the first of two roundings. Sums that are rounded once more (:func:`summed`) likewise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from macaw.golden.arithmetic.integers import codes_of, reach
from macaw.golden.formats import Fixed
from macaw.golden.units import ResidualAdd, Unit
from macaw.golden.units.requantize import SHIFT

from ..bench.interface import Codes

_Rng = np.random.Generator
_Draw = Callable[[_Rng, int], Codes]


@dataclass(frozen=True, slots=True)
class _Scaling:
    """Names of a value and of its multiplier and shift; those that are no ports are fixed."""

    value: str
    multiplier: str
    shift: str


def scalings(unit: Unit) -> list[_Draw]:
    """What draws codes of operands that a unit scales by multiplier and shift, and of these; empty
    where there are none."""
    inputs = unit.ports.inputs
    residual = isinstance(unit, ResidualAdd)
    if residual and unit.form == "tflite":
        return [partial(summed, unit)]
    found: list[_Draw] = []
    for prefix in ("a_", "b_") if residual else ("",):
        multiplier, shift = f"{prefix}multiplier", f"{prefix}shift"
        if not hasattr(unit, multiplier):
            continue
        if residual and unit.form == "single":
            shift = "shift"
        value = prefix[:1] or next(iter(inputs))
        if inputs[value].lanes is not None:
            continue
        scaling = _Scaling(value, multiplier, shift)
        given = {multiplier, shift} & inputs.keys()
        found.append(partial(scaled if given else solved, unit, scaling))
    return found


def _multipliers(
    rng: _Rng, bits: int, fixed: int | None, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Multipliers with the top bit and few others, or all of them, or corners; and how many bits
    are left of each without the zeros at its end."""
    if fixed is not None:
        odd = fixed // (fixed & -fixed if fixed else 1)
        return np.full(count, fixed), np.full(count, odd.bit_length())
    few = rng.integers(1, min(bits, 6) + 1, count)
    length = np.where(rng.random(count) < 0.5, few, bits)
    odd = rng.integers(0, 1 << bits, count) >> (bits - length) | 1 | 1 << (length - 1)
    ends = rng.choice([1 << (bits - 1), (1 << bits) - 1, 0, 1], count)
    return np.where(rng.random(count) < 0.1, ends, odd << (bits - length)), length


def scaled(unit: Unit, scaling: _Scaling, rng: _Rng, count: int) -> Codes:
    """Codes of those of value, multiplier and shift that are operands."""
    inputs = unit.ports.inputs
    value_format = inputs[scaling.value].format
    assert isinstance(value_format, Fixed)
    bits: int = getattr(unit, "bits")  # noqa: B009
    width = value_format.width - value_format.signed
    result = next(iter(unit.ports.outputs.values())).format
    assert isinstance(result, Fixed)
    kind = rng.integers(0, 3, count)
    multiplier, length = _multipliers(rng, bits, getattr(unit, scaling.multiplier), count)

    # Values of every length, and a shift that makes results of about the range's length.
    most = rng.integers(0, width + 1, count)
    value = rng.integers(0, 1 << width, count) >> (width - most)
    target = rng.integers(-3, result.width + 3, count)
    shift = target - most

    # Ties: odd * odd * 2**(zeros - length + shift), half of an odd number.
    short = np.minimum(rng.integers(1, max(min(width, result.width), 1) + 1, count), width)
    zeros = rng.integers(0, width - short + 1)
    tie = (rng.integers(0, 1 << width, count) >> (width - short) | 1) << zeros
    value = np.where(kind == 1, tie, value)
    shift = np.where(kind == 1, length - zeros - 1, shift)

    # What the first of two roundings makes a tie of the second.
    down = rng.integers(1, max(width - 2, 2), count)
    half = (2 * rng.integers(0, 1 << min(result.width, 12), count) + 1) << (down - 1)
    twice = np.rint(np.ldexp(half / np.maximum(multiplier, 1), bits)).astype(np.float64)
    fits = (kind == 2) & (twice < float(1 << width)) & (multiplier >> (bits - 1) == 1)
    value = np.where(fits, np.where(fits, twice, 0).astype(np.int64), value)
    shift = np.where(fits, -down, shift)
    if value_format.signed:
        value = np.where(rng.random(count) < 0.5, -value, value)

    # An end of the range, or one or two beyond: a power of two takes it there.
    low, high = reach(result)
    ends = rng.choice([high, high + 1, high + 2, low, low - 1, low - 2], count)
    least = value_format.min_integer
    fits = (rng.random(count) < 0.1) & (ends <= value_format.max_integer) & (ends >= least)
    if getattr(unit, scaling.multiplier) is None:
        value = np.where(fits, ends, value)
        given = getattr(unit, scaling.shift)
        up = 1 if given is None else min(max(given, 1), bits)
        multiplier = np.where(fits, 1 << (bits - up), multiplier)
        shift = np.where(fits, up, shift)

    made = {
        scaling.value: (value, value_format),
        scaling.multiplier: (multiplier, Fixed(width=bits, signed=False)),
        scaling.shift: (np.clip(shift, -128, 127), SHIFT),
    }
    return _codes(unit, made)


def solved(unit: Unit, scaling: _Scaling, rng: _Rng, count: int) -> Codes:
    """Codes of values that fixed ones bring to integers of the range or beside it, or to halves."""
    value_format = unit.ports.inputs[scaling.value].format
    result = next(iter(unit.ports.outputs.values())).format
    assert isinstance(value_format, Fixed)
    assert isinstance(result, Fixed)
    low, high = reach(result)
    factor = np.ldexp(float(getattr(unit, scaling.multiplier)), -getattr(unit, "bits"))  # noqa: B009
    factor = np.ldexp(factor, getattr(unit, scaling.shift))
    if not factor:
        return {}
    wanted = rng.integers(low - 2, high + 3, count) + rng.choice([0.0, 0.5], count)
    ends = rng.choice([high, high + 1, high + 2, low, low - 1, low - 2], count)
    wanted = np.where(rng.random(count) < 0.5, ends, wanted)
    value = np.rint(wanted / factor) + rng.integers(-1, 2, count)
    least, most = reach(value_format)
    value = np.clip(value, float(least), float(most)).astype(np.int64)
    return _codes(unit, {scaling.value: (value, value_format)})


def summed(unit: ResidualAdd, rng: _Rng, count: int) -> Codes:
    """Codes of all operands of form tflite: sums that the last shift brings to the range.

    A third have branches that are ties; a third a multiplier of b that brings the sum to where
    the last two roundings have, or nearly have, a tie, half of these beside one in the first
    rounding of a.
    """
    bits, left = unit.bits, unit.left_shift
    kind = rng.integers(0, 3, count)
    made: dict[str, tuple[np.ndarray, Fixed]] = {}
    values, factors, shifts = [], [], []
    for name, fmt in (("a", unit.a), ("b", unit.b), ("out", unit.out)):
        low, high = reach(fmt)
        zero = rng.integers(low, high + 1, count)
        corner = rng.choice([low, high, 0, 1], count)
        zero = np.where(rng.random(count) < 0.5, corner, zero) * unit.zero_points
        prefix = f"{name}_" if name != "out" else ""
        made[f"{prefix}zero" if prefix else "zero_point"] = zero, fmt
        multiplier, length = _multipliers(rng, bits, getattr(unit, f"{prefix}multiplier"), count)
        factors.append(multiplier)
        if name == "out":
            continue
        code = rng.integers(low, high + 1, count)
        code = np.where(rng.random(count) < 0.2, rng.choice([low, high, 0, 1], count), code)
        made[name] = code, fmt
        values.append(code - zero)
        shift = -rng.choice([0, 0, 0, 1, 2, 5, 9, *range(32)], count)
        shift = np.where(kind == 1, np.minimum(length - 1 - left, 0), shift)
        shifts.append(_fixed(unit, f"{prefix}shift", np.where(kind == 2, 0, shift)))

    tie = (kind == 2) & (rng.random(count) < 0.5)
    if unit.a_multiplier is None and bits - left > 1:
        place = bits - left
        odd = factors[0] >> place << place | 1 << (place - 1)
        factors[0] = np.where(tie, odd, factors[0])

    def branch(number: int) -> np.ndarray:
        exact = values[number].astype(float) * factors[number]
        return np.rint(np.ldexp(exact, left + shifts[number] - bits))

    total = branch(0) + branch(1)
    down = np.frexp(total)[1] - rng.integers(-2, unit.out.width + 2, count)
    after = _fixed(unit, "shift", -np.clip(down, -1, 33))
    if unit.b_multiplier is None:
        # The sum for a product that lies half a unit of the result beside an integer, or about.
        down = np.maximum(-after, 1)
        product = np.ldexp(total * factors[2], -bits)
        half = np.ldexp(2 * np.floor(np.ldexp(product, -down)) + 1, down - 1)
        wanted = np.rint(np.ldexp(half / np.maximum(factors[2], 1), bits)) - branch(0)
        wanted += rng.integers(-1, 2, count)
        nonzero = np.where(values[1] == 0, 1, values[1])
        better = np.rint(np.ldexp(wanted / nonzero, bits - left - shifts[1]))
        fits = (kind == 2) & (better >= 0) & (better < float(1 << bits)) & (factors[2] > 0)
        factors[1] = np.where(fits, np.where(fits, better, 0).astype(np.int64), factors[1])
    for prefix, multiplier in zip(("a_", "b_", ""), factors, strict=True):
        made[f"{prefix}multiplier"] = multiplier, Fixed(width=bits, signed=False)
    for prefix, shift in zip(("a_", "b_", ""), (*shifts, after), strict=True):
        far = np.where(shift == 0, rng.choice([0, 0, 0, 1, 40, 127], count), shift)
        made[f"{prefix}shift"] = (
            np.where(shift < -31, rng.choice([-31, -32, -33, -128], count), far),
            SHIFT,
        )
    return _codes(unit, made)


def _fixed(unit: Unit, name: str, values: np.ndarray) -> np.ndarray:
    """What is drawn for a parameter, or what that is fixed to."""
    fixed = getattr(unit, name)
    return values if fixed is None else np.full_like(values, fixed)


def _codes(unit: Unit, made: dict[str, tuple[np.ndarray, Fixed]]) -> Codes:
    """Codes of those integers that are operands."""
    return {
        name: codes_of(integers, fmt)
        for name, (integers, fmt) in made.items()
        if name in unit.ports.inputs
    }
