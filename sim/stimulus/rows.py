# SPDX-License-Identifier: BSD-2-Clause
"""Rows as networks have them: few NaNs, magnitudes that compete, masks, all lengths.

Uniform codes make rows in which one number is all, or a NaN; they are drawn beside these, not here.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from macaw.golden.formats import Float, Format
from macaw.golden.units import IntegerSoftmaxRows, Norm, RowUnit

from ..bench.interface import Codes

_Rng = np.random.Generator


def rows(rng: _Rng, unit: RowUnit, count: int) -> Codes:
    """``count`` beats of whole rows: of one beat, of a few, of the longest, and of one more."""
    operand = unit.ports.inputs[unit.operand]
    fmt, lanes = operand.format, operand.lanes or 1
    end = _ends(rng, unit.beats, count)
    number = np.cumsum(end) - end
    total = int(number[-1]) + 1
    shape = (count, lanes)

    def each(values: np.ndarray) -> np.ndarray:
        """What a row has, for its elements."""
        return values[number][:, None]

    spread = np.exp2(rng.uniform(-4, 4, total)) * (rng.random(total) < 0.9)
    largest, step = float(fmt.max), 1.0
    if isinstance(unit, IntegerSoftmaxRows):
        # What the scale makes of the numbers is what competes.
        step = float(Fraction(unit.scale)) * 2.0**unit.x.fraction
    highest = min(max(math.frexp(largest * step)[1] - 1, -3), 12)
    centre = rng.normal(0, 1, total) * np.exp2(rng.uniform(-4, highest, total))
    values = each(centre) + each(spread) * rng.standard_normal(shape)
    # Some rise or fall, so that the largest comes late or first.
    slope = rng.normal(0, 2, total) * (rng.random(total) < 0.4)
    begin = np.flatnonzero(np.concatenate([[1], end[:-1]]))
    values += each(slope) * (np.arange(count) - begin[number])[:, None]
    if isinstance(unit, Norm):
        # Some are so small that what is added to their mean is most of it.
        values *= each(np.exp2(-rng.uniform(0, 24, total) * (rng.random(total) < 0.5)))
    least = -largest if fmt.signed else 0.0
    codes = fmt.encode(np.clip(values / step, least, largest))
    masked = rng.random(shape) < each(rng.choice([0.0, 0.0, 0.3, 0.95], total))
    mask = np.array([fmt.encode(least), *_infinities(fmt)])
    chosen = rng.integers(0, len(mask), total)
    codes = np.where(masked, each(mask[chosen]), codes)
    some = rng.random(shape) < each((rng.random(total) < 0.05) * 0.2)
    codes = np.where(some, rng.integers(0, 1 << fmt.width, shape), codes)
    keep = np.where(rng.random(total) < 0.5, 0.0, rng.choice([0.05, 0.5, 1.0], total))
    gone = rng.random(shape) < each(keep)
    # Of most, the lanes behind the last element alone are empty.
    behind = np.arange(lanes) >= rng.integers(1, lanes + 1, count)[:, None]
    gone = np.where(each(rng.random(total) < 0.6), behind & (end[:, None] == 1), gone)
    beside = {
        name: _scales(rng, port.format, shape)
        for name, port in unit.ports.inputs.items()
        if name not in (unit.operand, "keep", "end")
    }
    return {
        **beside,
        unit.operand: codes.astype(fmt.code_dtype),
        "keep": (~gone).astype(np.uint8),
        "end": end,
    }


def _scales(rng: _Rng, fmt: Format, shape: tuple[int, ...]) -> np.ndarray:
    """About 1, of both signs, some of them any code: of a layer's weights, and biases."""
    largest = float(fmt.max)
    values = rng.normal(1, 1, shape) * np.exp2(rng.choice([0, 0, 0, -6, 6], shape))
    codes = fmt.encode(np.clip(values, -largest if fmt.signed else 0.0, largest))
    any_ = rng.integers(0, 1 << fmt.width, shape)
    return np.where(rng.random(shape) < 0.03, any_, codes).astype(fmt.code_dtype)


def _infinities(fmt: Format) -> list[np.ndarray]:
    endless = isinstance(fmt, Float) and fmt.has_inf and fmt.signed
    return [fmt.encode(-np.inf)] if endless else []


def _ends(rng: _Rng, most: int, count: int) -> np.ndarray:
    """Where rows end."""
    number = max(16, 2 * count // max(most, 2))
    kind = rng.integers(0, 4, number)
    few = rng.integers(1, min(most, 6) + 1, number)
    any_ = rng.integers(1, most + 1, number)
    lengths = np.choose(kind, [np.ones(number, int), few, any_, most + rng.integers(0, 2, number)])
    ends = np.cumsum(lengths)
    while ends[-1] < count:
        ends = np.concatenate([ends, ends[-1] + np.cumsum(lengths)])
    end = np.zeros(count, np.uint8)
    end[ends[ends <= count] - 1] = 1
    end[-1] = 1
    return end
