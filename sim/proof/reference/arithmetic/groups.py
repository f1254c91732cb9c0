# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for groups with a zero point, in fractions, to be checked by eye.

One group at a time; values as in :mod:`macaw.sim.proof.reference.arithmetic.scalar`. GPTQ (arXiv
2210.17323), ONNX DynamicQuantizeLinear.
"""

from fractions import Fraction

from .block_scales import block_scale, fp32, least_scale, scaled
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
    return (-high - 1 if fmt.signed else 0), high


def between(n, fmt):
    """The integer of a format that is next to ``n``."""
    low, high = ends(fmt)
    return min(max(n, low), high)


def quantize(
    values, block, *, rounding="rne", order="paper", min_scale="none", words=None, bits=16
):
    """Codes of the elements, of the scale and of the zero point of one group."""
    element, zero = block.element, block.zero_point
    nothing = [0] * len(values)
    if any(isinstance(x, str) and x != "-0" for x in values):
        return nothing, project("nan", block.scale, "rne", "nonfinite")[0], 0
    low, high = ends(element)
    place = TWO**-element.fraction
    least = min(0, *map(number, values))
    span = fp32(max(0, *map(number, values)) - least)
    code = block_scale(span, block, order, ONE, ONE, top=(high - low) * place)
    code = least_scale(code, block, min_scale)
    s = value(code, block.scale)
    if s == 0:
        return nothing, code, 0
    steps = number(scaled(Fraction(least), s, order, ONE, ONE)) / place
    point = between(low - whole(steps), zero)
    elements = []
    for x, word in zip(values, words or nothing, strict=True):
        quotient = number(scaled(x, s, order, ONE, ONE)) / place
        n = between(whole(quotient, rounding, word, bits) + point, element)
        elements.append(n % 2**element.width)
    return elements, code, point % 2**zero.width
