# SPDX-License-Identifier: BSD-2-Clause
"""Two products from one hard multiplier, and words of a sum placed with few cells of logic.

A multiplier takes far more bits than the significands of small floats have. Two pairs of them,
each as two digits of a number, give four products in one, and those wanted stand apart:
``(a + c * base) * (b + d * base)`` has ``a * b`` at its bottom and ``c * d`` at its top, and
``(a + c * base) * (d + b * base)`` their sum in the middle.

For a small area where a target has multipliers, which are not counted (``optimise=area``).
"""

from collections.abc import Sequence
from dataclasses import replace

from amaranth.hdl import Cat, Const, Value

from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat, shape_of
from .number import Number

__all__ = ["paired_products", "paired_terms", "placed"]

_NARROW = 3
"""Bits of a factor from which on logic cells for a product are more than a multiplier's share."""


def paired_products(p: Scheduler, pairs: Sequence[tuple[Number, Number]]) -> list[Wire | None]:
    """The products of the significands, two from one multiplier; None for one that gets no part."""
    found: list[Wire | None] = [None] * len(pairs)
    if not p.shares:
        return found
    for lane in range(0, len(pairs) - 1, 2):
        first, second = (
            tuple(number.significand for number in pair) for pair in pairs[lane : lane + 2]
        )
        if any(w.signed or len(w) < _NARROW or w.constant is not None for w in first + second):
            continue
        with p.scope(f"lane{lane}"):
            found[lane : lane + 2] = _apart(p, first, second) or (None, None)
    return found


@scoped("multiply")
def _apart(
    p: Scheduler, first: tuple[Wire, ...], second: tuple[Wire, ...]
) -> tuple[Wire, Wire] | None:
    """``a * b`` and ``c * d``: the outer digits, which the middle one does not reach."""
    (a, b), (c, d) = first, second
    base = max((a.high * d.high + c.high * b.high).bit_length(), (a.high * b.high).bit_length())
    if not p.shared(base + max(len(c), len(d))):
        return None
    whole = p.multiply(cat(a.bits(base), c), cat(b.bits(base), d))
    low, high = whole[:base], whole[2 * base :]
    return low.within(0, a.high * b.high), high.within(0, c.high * d.high)


def paired_terms(p: Scheduler, terms: Sequence[Number]) -> list[Number]:
    """``terms``, with the sums of two products in place of them where one multiplier has those."""
    terms = list(terms)
    if not p.shares:
        return terms
    made = []
    while terms:
        first = terms.pop(0)
        joined = _together(p, first, terms[0]) if terms else None
        if joined is not None:
            terms.pop(0)
        made.append(joined or first)
    return made


@scoped("multiply")
def _together(p: Scheduler, first: Number, second: Number) -> Number | None:
    """The sum of two products, of which the factors are known and narrow: the middle digit.

    The signs are those of the upper digits, so that nothing is borrowed from below.
    """
    if first.factors is None or second.factors is None:
        return None
    factors = [*first.factors, *second.factors]
    if any(x.significand.signed or x.exponent.constant is not None for x in factors):
        return None
    if any(x.significand.high << (x.exponent.high - x.exponent.low) > 1 << 8 for x in factors):
        return None  # no multiplier takes two of them
    quantum = first.factors[0].quantum + first.factors[1].quantum
    if quantum != second.factors[0].quantum + second.factors[1].quantum:
        return None
    a, b, c, d = (_integer(p, x) for x in factors)
    bound = a.high * b.high + c.high * d.high
    base = max(shape_of(-bound, bound).width, (a.high * d.high).bit_length())
    if not p.shared(base + max(len(b), len(c)) + 1):
        return None
    upper = _signed(p, c, second.sign), _signed(p, b, first.sign)
    left, right = (cat(w.bits(base), x).as_signed() for w, x in zip((a, d), upper, strict=True))
    whole = p.multiply(left, right)
    total = p.name("product", whole[base : 2 * base].as_signed().within(-bound, bound))
    return replace(
        first,
        significand=total,
        sign=total.negative,
        exponent=p.constant(0),
        offset=quantum,
        lowest=((0, quantum),),
        multiple=None,
        factors=None,
    )


def _integer(p: Scheduler, number: Number) -> Wire:
    """The magnitude in units of the least last place."""
    word, amount = number.significand, number.exponent - number.exponent.low
    limit = word.high << amount.high
    for level in range(len(amount)):
        word = p.mux(amount[level], word.shifted_left(1 << level), word, "shifted")
    return word.within(0, limit)


def _signed(p: Scheduler, word: Wire, sign: Wire) -> Wire:
    """``-word if sign else word``, without a chain of carries: each bit is a cell of logic."""

    def negated(word: Value, sign: Value) -> Value:
        bits, some = [], Const(0, 1)
        for bit in word:
            bits.append(bit ^ (sign[0] & some))
            some = some | bit
        return Cat(*bits, sign[0] & some).as_signed()

    delay = p.delays.reduction(len(word)) + p.delays.gate
    return p.op(negated, word, sign, delay=delay, low=-word.high, high=word.high, name="signed")


def placed(p: Scheduler, word: Wire, amount: Wire, sign: Wire) -> Wire | None:
    """``word << amount``, all bits complemented if ``sign``, above the least amount there is.

    Small steps first, and the last two at once: where a word is not wider than two of the smaller
    step, each bit of the result comes from one of two bits or is the sign, and one cell of logic
    has those two and which of the four it is. None where it is wider, or the steps are few.
    """
    levels = len(amount)
    if levels < _NARROW:
        return None
    step = 1 << (levels - 2)
    if len(word) + step - 1 > 2 * step:
        return None
    word = word ^ sign
    for level in range(levels - 2):
        fill = p.repeat(sign, 1 << level)
        word = p.mux(amount[level], cat(fill, word), cat(word, fill), "shifted")
    select = amount[levels - 2 :]
    last = amount.high >> (levels - 2)
    parts = word[:step], word[step:]
    regions = []
    for region in range(last + 2):
        here, above = (select.equals(n) if 0 <= n <= last else None for n in (region, region - 1))
        regions.append(_chosen(p, parts, here, above, sign))
    whole = cat(*regions)
    return whole[amount.low :]


def _chosen(
    p: Scheduler, parts: tuple[Wire, Wire], here: Wire | None, above: Wire | None, sign: Wire
) -> Wire:
    """The lower part if ``here``, the upper one if ``above``, else the sign."""
    lower, upper = parts
    if here is None or above is None:
        chosen, part = (here, lower) if above is None else (above, upper)
        assert chosen is not None
        return p.mux(chosen, part, p.repeat(sign, len(part)))
    width = len(lower)
    upper = cat(upper, p.repeat(sign, width - len(upper)))
    some = p.name("some", here | above)
    which = p.name("which", p.mux(some, above, sign))
    return p.mux(some, p.mux(which, upper, lower), p.repeat(which, width), "placed")
