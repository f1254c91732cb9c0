# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for groups with a zero point, in fractions, to be checked by eye.

One group at a time; values as in :mod:`macaw.sim.proof.reference.arithmetic.scalar`. GPTQ (arXiv
2210.17323), ONNX DynamicQuantizeLinear.
"""

from fractions import Fraction

from .block_scales import (
    block_scale,
    factors,
    fp32,
    least_scale,
    scaled,
    scaled_end,
    squared_error,
)
from .scalar import TWO, number, project, round_integer, value

ONE = Fraction(1)


def whole(x, rounding="rne", word=0, bits=16):
    """The integer that a value is rounded to."""
    x = number(x)
    n = round_integer(abs(x), lambda n: n % 2, x < 0, rounding, word, bits)
    return -n if x < 0 else n


def ends(fmt):
    """The lowest and the highest integer of a fixed-point format."""
    high = 2 ** (fmt.width - fmt.signed) - 1
    low = -high if fmt.symmetric else -high - 1
    return (low if fmt.signed else 0), high


def between(n, fmt):
    """The integer of a format that is next to ``n``."""
    low, high = ends(fmt)
    return min(max(n, low), high)


def quantize(
    values,
    block,
    *,
    rounding="rne",
    order="paper",
    min_scale="none",
    scale_rule="floor",
    grid=None,
    words=None,
    bits=16,
):
    """Codes of the elements, of the scale and of the zero point of one group."""
    element, zero = block.element, block.zero_point
    nothing = [0] * len(values)
    if any(isinstance(x, str) and x != "-0" for x in values):
        return nothing, project("nan", block.scale, "rne", "nonfinite")[0], 0
    low, high = ends(element)
    place = TWO**-element.fraction
    exact = [number(x) for x in values]

    def attempt(factor):
        least, most = (scaled_end(end(0, *exact), factor) for end in (min, max))
        code = block_scale(fp32(most - least), block, order, ONE, ONE, top=(high - low) * place)
        code = least_scale(code, block, min_scale)
        s = value(code, block.scale)
        if s == 0:
            return nothing, code, 0, squared_error(exact, nothing)
        steps = number(scaled(Fraction(least), s, order, ONE, ONE)) / place
        point = between(low - whole(steps), zero)
        elements = []
        for x, word in zip(values, words or nothing, strict=True):
            quotient = number(scaled(x, s, order, ONE, ONE)) / place
            elements.append(between(whole(quotient, rounding, word, bits) + point, element))
        found = squared_error(exact, [(n - point) * place * s for n in elements])
        codes = [n % 2**element.width for n in elements]
        return codes, code, point % 2**zero.width, found

    tries = map(attempt, factors(grid) if scale_rule == "mse" else (ONE,))
    return min(tries, key=lambda each: each[-1])[:-1]
