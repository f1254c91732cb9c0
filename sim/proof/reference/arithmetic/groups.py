# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for groups with a zero point, in fractions, to be checked by eye.

One group at a time; values as in :mod:`macaw.sim.proof.reference.arithmetic.scalar`. GPTQ (arXiv
2210.17323), ONNX DynamicQuantizeLinear; with zero points that are floats HQQ, with minimums ggml
and decoupleQ (arXiv 2404.12759), as docs/quantisation.md has them.
"""

from fractions import Fraction
from types import SimpleNamespace

from .block_scales import (
    block_scale,
    factors,
    fp32,
    largest,
    least_scale,
    scaled,
    scaled_end,
    squared_error,
)
from .scalar import TWO, is_fixed, number, project, round_integer, value

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
    tried = factors(grid) if scale_rule == "mse" else (ONE,)
    if not is_fixed(zero):
        how = SimpleNamespace(
            block=block, rounding=rounding, order=order, least=min_scale, bits=bits
        )
        find = with_minimum if block.minimum else with_float
        tries = [find(exact, words or nothing, factor, how) for factor in tried]
        return min(tries, key=lambda each: each[-1])[:-1]

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

    return min(map(attempt, tried), key=lambda each: each[-1])[:-1]


def spaced(least, most, how):
    """The code of the scale of a group from ``least`` to ``most``, and the scale."""
    block, (low, high) = how.block, ends(how.block.element)
    top = (high - low) / TWO**block.element.fraction
    code = block_scale(fp32(most - least), block, how.order, ONE, ONE, top=top)
    code = least_scale(code, block, how.least)
    return code, value(code, block.scale)


def rounded(steps, words, how):
    """Codes and values of the elements next to some values."""
    element = how.block.element
    codes = [
        project(x, element, how.rounding, "saturate", word, how.bits)[0]
        for x, word in zip(steps, words, strict=True)
    ]
    return codes, [number(value(code, element)) for code in codes]


def stored(x, how):
    """The code of a zero point, and the zero point."""
    code = project(x, how.block.zero_point, "rne", "saturate")[0]
    return code, number(value(code, how.block.zero_point))


def with_minimum(values, words, factor, how):
    """Codes of a group whose zero point is its minimum, and the squared error."""
    least, most = (scaled_end(end(values), factor) for end in (min, max))
    code, s = spaced(least, most, how)
    lowest = Fraction(ends(how.block.element)[0]) / TWO**how.block.element.fraction
    zero, m = stored(fp32(least - fp32(lowest * s)), how)
    if s == 0:
        return [0] * len(values), code, zero, squared_error(values, [m] * len(values))
    steps = [scaled(fp32(x - m), s, how.order, ONE, ONE) for x in values]
    codes, elements = rounded(steps, words, how)
    return codes, code, zero, squared_error(values, [e * s + m for e in elements])


def with_float(values, words, factor, how):
    """Codes of a group whose zero point is a float, and the squared error."""
    lowest = Fraction(ends(how.block.element)[0]) / TWO**how.block.element.fraction
    ends_ = [scaled_end(end(values), factor) for end in (min, max)]

    def found(least, most):
        code, s = spaced(least, most, how)
        least = Fraction(0) if s == 0 else fp32(number(scaled(least, s, how.order, ONE, ONE)))
        return code, s, fp32(lowest - least)

    code, s, point = found(*ends_)
    if s == 0 or abs(point) > largest(how.block.zero_point):
        code, s, point = found(min(ends_[0], Fraction(0)), max(ends_[1], Fraction(0)))
    if s == 0:
        nothing = [0] * len(values)
        return nothing, code, 0, squared_error(values, nothing)
    zero, z = stored(point, how)
    quotients = [fp32(number(scaled(x, s, how.order, ONE, ONE))) for x in values]
    codes, elements = rounded([fp32(q + z) for q in quotients], words, how)
    return codes, code, zero, squared_error(values, [(e - z) * s for e in elements])
