# SPDX-License-Identifier: BSD-2-Clause
"""Numbers to groups with a zero point: ``value = (element - zero) * scale``.

With low the least value of a group or zero, high the largest or zero, Q the distance of the lowest
and the highest element, and the steps of an :class:`~macaw.golden.arithmetic.block_rules.Order`:

- the span ``high - low`` is rounded to fp32, and at most the largest fp32;
- the scale s is what the order makes of the span in the place of amax, and of Q in that of the
  largest element: for ``paper`` ``scale(span / Q)``;
- the zero point is ``lowest element - round(low / s)``, to nearest even, saturating;
- an element is ``round(x / s) + zero``, saturating. The division is that of the order, and its
  quotient is rounded before the zero point is added.

With ``scale_rule=mse`` low and high are multiplied by each factor of the grid, and rounded to fp32.

So zero is always an element's value, and a group of one sign has its zero point at an end. This is
what GPTQ does (arXiv 2210.17323; its ``find_params`` and ``quantize``), AWQ for groups of both
signs, ONNX's DynamicQuantizeLinear and PyTorch's ``fake_quantize`` (``order=ct`` where they
divide); they take the elements by a scale that was not rounded yet, and round it when it is stored.
Here the elements belong to the stored scale. A group whose scale is zero has elements and zero
point 0, and one with a NaN or an infinity has a NaN scale besides.

Zero points that are floats: :mod:`~macaw.golden.arithmetic.groups.float_zeros`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...errors import SpecError
from ...formats.block import Block
from ...formats.choices import Rounding
from ...formats.scalar import Fixed, Float, Format
from ..block_rules import Rules, in_fp32
from ..block_scales import PIECE, divide, floats, nonfinite, pieces, times
from ..integers import codes_of, integers_of
from ..search.least_squares import fitted
from .float_zeros import choose
from .spans import scales_of

_ONE = np.float32(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Groups:
    """Codes of groups as rows: elements (n, K), scales (n,), zero points (n,)."""

    elements: np.ndarray
    scales: np.ndarray
    zeros: np.ndarray


def quantize_groups(
    codes: np.ndarray,
    source: Format,
    block: Block,
    rules: Rules,
    *,
    random: np.ndarray | None = None,
) -> Groups:
    """Quantise rows of numbers, a group each, to a format with a zero point.

    Parameters
    ----------
    codes : ndarray of ``source.code_dtype``, shape (n, K)
    source : Float
        What the codes mean: numbers that fp32 has.
    random : ndarray, shape (n, K)
        For stochastic rounding of the elements.

    Raises
    ------
    SpecError for options and sources that the format does not take.
    """
    rules.check(block)
    if not (isinstance(source, Float) and in_fp32(source)):
        raise SpecError(f"{source.name}: {block.name} takes floats that fp32 has")
    assert block.zero_point is not None
    count, size = codes.shape
    made = Groups(
        elements=np.zeros((count, size), block.element.code_dtype),
        scales=np.zeros(count, block.scale.code_dtype),
        zeros=np.zeros(count, block.zero_point.code_dtype),
    )
    for rows in pieces(count, max(PIECE // max(size, 1), 1)):
        special = np.asarray(nonfinite(codes[rows], source).any(-1))
        values = floats(np.where(special[:, None], codes.dtype.type(0), codes[rows]), source)
        words = None if random is None else random[rows]
        of_kind = choose if block.float_zero is not None else _choose
        scales, elements, zeros = of_kind(values, block, rules, words)
        scales[special], elements[special], zeros[special] = block.scale.nan_code, 0, 0
        made.elements[rows], made.scales[rows], made.zeros[rows] = elements, scales, zeros
    return made


def _choose(
    values: np.ndarray, block: Block, rules: Rules, words: np.ndarray | None
) -> tuple[np.ndarray, ...]:
    """Return the codes of scales, elements and zero points of finite rows."""
    low, high = (end(values, axis=-1, initial=0) for end in (np.min, np.max))

    def attempt(factor: np.float32) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        shrunk = times(low, factor)
        scales = scales_of(times(high, factor), shrunk, block, rules)
        elements, zeros = fit(values, shrunk, scales, block, rules, words)
        assert block.zero_point is not None
        steps = block.element.decode(elements) - block.zero_point.decode(zeros)[:, None]
        return (scales, elements, zeros), steps * block.scale.decode(scales)[:, None]

    return fitted(values, None if rules.grid is None else rules.grid.factors, attempt)


def fit(
    values: np.ndarray,
    low: np.ndarray,
    scales: np.ndarray,
    block: Block,
    rules: Rules,
    words: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of elements and zero points of finite rows, of which the lowest element is
    for ``low``, by the codes of their scales."""
    element, zero = block.element, block.zero_point
    assert isinstance(element, Fixed)
    assert isinstance(zero, Fixed)
    # Whatever it saturates at saturates the element too, with any zero point added.
    wide = Fixed(width=max(element.width, zero.width) + 3, fraction=element.fraction)
    factors = block.scale.decode(scales).astype(np.float32)
    idle = factors == 0
    factors = np.where(idle, _ONE, factors)

    def quotients(of: np.ndarray, how: Rules, random: np.ndarray | None) -> np.ndarray:
        result = np.empty(of.shape, wide.code_dtype)
        ones = np.ones(len(of), np.float32)
        into = replace(block, element=wide, zero_point=None)
        divide(of, factors, into, how, ones, ones, random, result)
        return integers_of(result, wide)

    nearest = replace(rules, rounding=Rounding.RNE, random_bits=None)
    point = element.min_integer - quotients(low[:, None], nearest, None)[:, 0]
    point = np.clip(point, zero.min_integer, zero.max_integer)
    if rules.rounding.stochastic:
        rules = replace(rules, random_bits=rules.word_bits(block))
    whole = quotients(values, rules, words) + point[:, None]
    whole = np.clip(whole, element.min_integer, element.max_integer)
    whole[idle], point[idle] = 0, 0
    return codes_of(whole, element), codes_of(point, zero)
