# SPDX-License-Identifier: BSD-2-Clause
"""Multipliers, shifts and what they scale, so that the results lie about the result's range.

Three kinds, mixed: products of every length with a shift that brings them to the range or beside
it; products that are ties after the shift, of both signs; and operands whose product rounds to a
tie by the first of two roundings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from macaw.golden.formats import Fixed
from macaw.golden.units import Unit
from macaw.sim.interface import Codes

_Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class _Scaling:
    """Names of a value and of its multiplier and shift; those that are no ports are fixed."""

    value: str
    multiplier: str
    shift: str


def scalings(unit: Unit) -> list[_Scaling]:
    """What a unit scales by multiplier and shift; empty where both are fixed or there are none."""
    inputs = unit.ports.inputs
    found = []
    for prefix in ("", "a_", "b_"):
        multiplier, shift = f"{prefix}multiplier", f"{prefix}shift"
        if not hasattr(unit, multiplier):
            continue
        if getattr(unit, "form", "") == "single":
            shift = "shift"
        value = prefix[:1] or next(iter(inputs))
        if {multiplier, shift} & inputs.keys() and inputs[value].lanes is None:
            found.append(_Scaling(value, multiplier, shift))
    return found


def scaled(rng: _Rng, unit: Unit, scaling: _Scaling, count: int) -> Codes:
    """Codes of those of value, multiplier and shift that are operands."""
    inputs = unit.ports.inputs
    value_format = inputs[scaling.value].format
    assert isinstance(value_format, Fixed)
    bits: int = getattr(unit, "bits")  # noqa: B009
    width = value_format.width - value_format.signed
    result = next(iter(unit.ports.outputs.values())).format
    kind = rng.integers(0, 3, count)

    # Multipliers with the top bit and few others, or all of them, or corners.
    few = rng.integers(1, min(bits, 6) + 1, count)
    length = np.where(rng.random(count) < 0.5, few, bits)
    odd = rng.integers(0, 1 << bits, count) >> (bits - length) | 1 | 1 << (length - 1)
    multiplier = odd << (bits - length)
    ends = rng.choice([1 << (bits - 1), (1 << bits) - 1, 0, 1], count)
    multiplier = np.where(rng.random(count) < 0.1, ends, multiplier)
    fixed = getattr(unit, scaling.multiplier)
    if fixed is not None:
        multiplier = np.full(count, fixed)
        odd = multiplier // (multiplier & -multiplier if fixed else 1)
        length = np.array([int(odd[0]).bit_length()] * count)

    # Values of every length, and a shift that makes results of about the range's length.
    most = rng.integers(0, width + 1, count)
    value = rng.integers(0, 1 << width, count) >> (width - most)
    target = rng.integers(-3, result.width + 3, count)
    shift = target - most

    # Ties: odd * odd * 2**(zeros - length + shift), half of an odd number.
    short = np.minimum(rng.integers(1, min(width, result.width) + 1, count), width)
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

    fixed = getattr(unit, scaling.shift)
    made = {
        scaling.value: (value, value_format),
        scaling.multiplier: (multiplier, Fixed(width=bits, signed=False)),
        scaling.shift: (np.clip(shift, -128, 127), Fixed(width=8)),
    }
    return {
        name: (integers & ((1 << fmt.width) - 1)).astype(fmt.code_dtype)
        for name, (integers, fmt) in made.items()
        if name in inputs
    }
