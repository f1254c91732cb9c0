# SPDX-License-Identifier: BSD-2-Clause
"""Numbers to groups whose zero point is a float: ``element * scale - zero * scale``, or with a
minimum ``element * scale + zero``.

With low and high the least and the largest value of a group, zero not among them, L and Q the
lowest element and the distance to the highest, and the steps of an
:class:`~macaw.golden.arithmetic.block_rules.Order`, each rounded to fp32 to nearest even and at
most the largest fp32:

- the scale s is what the order makes of ``high - low``, as
  :mod:`~macaw.golden.arithmetic.groups.zero_points` has it;
- the minimum is ``low - L * s``, rounded to its format, and an element ``(x - minimum) / s``;
- the zero point is ``L - low / s``, rounded to its format, and an element ``x / s + zero``. Where
  the scale is zero, or the zero point beyond its format, zero is one of the ends: so a group of one
  value has that value, and not none.

The last step rounds to the element, saturating: so an element belongs to the scale and the zero
point that are stored. With ``scale_rule=mse`` low and high are multiplied by each factor of the
grid.

With a minimum that is ggml's quantize_row_q4_1_ref, decoupleQ's start (arXiv 2404.12759) and, in
signed elements, torchao's tinygemm; with a zero point HQQ's start (Quantizer.quantize, before it
optimises the zero points). They take the elements by numbers that were not rounded yet, and ggml
rounds halves up.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...formats.block import Block
from ...formats.choices import Overflow, Rounding
from ...formats.scalar import Fixed
from ..block_rules import Rules
from ..block_scales import FP32, LARGEST, divide, times
from ..search.least_squares import fitted
from .spans import scales_of

_ONE = np.float32(1)


def choose(
    values: np.ndarray, block: Block, rules: Rules, words: np.ndarray | None
) -> tuple[np.ndarray, ...]:
    """Return the codes of scales, elements and zero points of finite fp32 rows."""
    if not values.shape[1]:
        values = np.zeros((len(values), 1), np.float32)
    # Of zeros of both signs the least one would be as numpy happens to take it.
    low, high = (end(values, axis=-1) + np.float32(0) for end in (np.min, np.max))
    find = _with_minimum if block.minimum else _with_zero_point
    assert block.float_zero is not None
    if rules.rounding.stochastic:
        rules = replace(rules, random_bits=rules.word_bits(block))

    def attempt(factor: np.float32) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        ends = times(low, factor), times(high, factor)
        codes = find(values, *ends, block, rules, words)
        scales, elements, zeros = codes
        decoded = block.scale.decode(scales)[:, None]
        assert block.float_zero is not None
        terms = block.float_zero.decode(zeros)[:, None]
        terms = terms if block.minimum else -terms * decoded
        return codes, block.element.decode(elements) * decoded + terms

    return fitted(values, None if rules.grid is None else rules.grid.factors, attempt)


def _with_minimum(
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    block: Block,
    rules: Rules,
    words: np.ndarray | None,
) -> tuple[np.ndarray, ...]:
    scales = scales_of(high, low, block, rules)
    factors = block.scale.decode(scales).astype(np.float32)
    with np.errstate(over="ignore"):
        lowest = _within(np.float32(block.element.min) * factors)
        zeros, minimum = _stored(_within(low - lowest), block)
        above = _within(values - minimum[:, None])
    return scales, _divided(above, factors, block, rules, words), zeros


def _with_zero_point(
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    block: Block,
    rules: Rules,
    words: np.ndarray | None,
) -> tuple[np.ndarray, ...]:
    scales, factors, point = _points(low, high, block, rules)
    assert block.float_zero is not None
    lost = (factors == 0) | (np.abs(point) > block.float_zero.max)
    if lost.any():
        least = np.where(lost, np.minimum(low, 0), low)
        most = np.where(lost, np.maximum(high, 0), high)
        scales, factors, point = _points(least, most, block, rules)
    zeros, point = _stored(np.where(factors == 0, np.float32(0), point), block)
    with np.errstate(over="ignore"):
        steps = _within(_quotients(values, factors, block, rules) + point[:, None])
    ones = np.where(factors == 0, factors, _ONE)
    return scales, _divided(steps, ones, block, rules, words), zeros


def _points(
    low: np.ndarray, high: np.ndarray, block: Block, rules: Rules
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the codes of scales, the scales, and zero points before they are rounded."""
    scales = scales_of(high, low, block, rules)
    factors = block.scale.decode(scales).astype(np.float32)
    least = _quotients(low[:, None], factors, block, rules)[:, 0]
    with np.errstate(over="ignore"):
        return scales, factors, _within(np.float32(block.element.min) - least)


def _within(values: np.ndarray) -> np.ndarray:
    """Return fp32 numbers at most the largest one."""
    return np.clip(values, -LARGEST, LARGEST)


def _stored(zeros: np.ndarray, block: Block) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of zero points, and what they are."""
    assert block.float_zero is not None
    codes = block.float_zero.encode(zeros, overflow=Overflow.SATURATE)
    return codes, block.float_zero.decode(codes).astype(np.float32)


def _quotients(values: np.ndarray, factors: np.ndarray, block: Block, rules: Rules) -> np.ndarray:
    """Return fp32 quotients by the order; 0 where the scale is zero."""
    nearest = replace(rules, rounding=Rounding.RNE, random_bits=None)
    into = replace(block, element=FP32, zero_point=None, minimum=False)
    result = np.empty(values.shape, FP32.code_dtype)
    by, ones = np.where(factors == 0, _ONE, factors), np.ones(len(values), np.float32)
    divide(values, by, into, nearest, ones, ones, None, result)
    return np.where((factors == 0)[:, None], np.float32(0), result.view(np.float32))


def _divided(
    values: np.ndarray,
    factors: np.ndarray,
    block: Block,
    rules: Rules,
    words: np.ndarray | None,
) -> np.ndarray:
    """Return the codes of elements; 0 where the scale is zero."""
    assert isinstance(block.element, Fixed)
    result = np.empty(values.shape, block.element.code_dtype)
    by, ones = np.where(factors == 0, _ONE, factors), np.ones(len(values), np.float32)
    into = replace(block, zero_point=None, minimum=False)
    divide(values, by, into, rules, ones, ones, words, result)
    result[factors == 0] = 0
    return result
