# SPDX-License-Identifier: BSD-2-Clause
"""Products of small floats in hard multipliers, which take far more bits than they have.

Two pairs of factors, each as two digits of a number, are four products in one multiplier, and
those wanted stand apart: ``(a + c * base) * (b + d * base)`` has ``a * b`` at its bottom and
``c * d`` at its top, and ``(a + c * base) * (d + b * base)`` their sum in the middle. Or a
multiplier moves a product to its place, where the factors are moved first: each of them by other
bits of the amount, which is few cells of logic as long as they are narrow.

For a small area where a target has multipliers, which are not counted (``optimise=area``).
"""

from collections.abc import Sequence
from dataclasses import replace

from amaranth.hdl import Cat, Const, Value

from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat, shape_of
from .number import Number

__all__ = ["MOVED", "moved_product", "paired"]

_NARROW = 3
"""Bits of a factor from which on logic cells for a product are more than a multiplier's share."""

MOVED = 4
"""Bits of the amount that a multiplier moves its product by."""


def paired(p: Scheduler, terms: Sequence[Number]) -> list[Number]:
    """``terms`` of a sum, where two that come next to each other share a multiplier if they can.

    They are one term then, or two that are not multiplied again.
    """
    terms = list(terms)
    if not p.shares:
        return terms
    made = []
    while terms:
        first = terms.pop(0)
        found = _shared(p, first, terms[0]) if terms else None
        if found is not None:
            terms.pop(0)
        made += found or [first]
    return made


def _factors(p: Scheduler, term: Number) -> tuple[Number, Number] | None:
    """What a term is the product of, if it is one that logic cells would make."""
    if term.factors is None or term.exponent.constant is not None:
        return None
    a, b = (x.significand for x in term.factors)
    if a.signed or b.signed or p.hard(len(a), len(b)):
        return None
    return term.factors


def _moves(term: Number) -> int:
    """Bits of the amount that a term is shifted by."""
    return (term.exponent.high - term.exponent.low).bit_length()


@scoped("multiply")
def _shared(p: Scheduler, first: Number, second: Number) -> list[Number] | None:
    pairs = _factors(p, first), _factors(p, second)
    if pairs[0] is None or pairs[1] is None:
        return None
    total = _together(p, first, second, pairs[0], pairs[1])
    if total is not None:
        return [total]
    if max(_moves(first), _moves(second)) >= MOVED:
        return None
    words = [x.significand for pair in pairs for x in pair or ()]
    if min(map(len, words)) < _NARROW:
        return None
    found = _apart(p, *words)
    if found is None:
        return None
    return [
        replace(term, significand=word, factors=None)
        for term, word in zip((first, second), found, strict=True)
    ]


def _apart(p: Scheduler, a: Wire, b: Wire, c: Wire, d: Wire) -> tuple[Wire, Wire] | None:
    """``a * b`` and ``c * d``: the outer digits, which the middle one does not reach."""
    base = max((a.high * d.high + c.high * b.high).bit_length(), (a.high * b.high).bit_length())
    if not p.holds(base + max(len(c), len(d))):
        return None
    whole = p.multiply(cat(a.bits(base), c), cat(b.bits(base), d))
    low, high = whole[:base], whole[2 * base :]
    return low.within(0, a.high * b.high), high.within(0, c.high * d.high)


def _together(
    p: Scheduler,
    first: Number,
    second: Number,
    left: tuple[Number, Number],
    right: tuple[Number, Number],
) -> Number | None:
    """The sum of two products of narrow fixed-point numbers: the middle digit.

    The signs are those of the upper digits, so that nothing is borrowed from below.
    """
    factors = [*left, *right]
    quantum = left[0].quantum + left[1].quantum
    if quantum != right[0].quantum + right[1].quantum:
        return None
    m, n, o, q = (x.significand.high << (x.exponent.high - x.exponent.low) for x in factors)
    bound = m * n + o * q
    base = max(shape_of(-bound, bound).width, (m * q).bit_length())
    if not p.holds(base + max(n, o).bit_length() + 1):
        return None
    a, b, c, d = (_integer(p, x) for x in factors)
    above = _signed(p, c, second.sign), _signed(p, b, first.sign)
    whole = p.multiply(
        cat(a.bits(base), above[0]).as_signed(), cat(d.bits(base), above[1]).as_signed()
    )
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


def moved_product(p: Scheduler, term: Number, amount: Wire) -> Wire | None:
    """A product shifted up by the last :data:`MOVED` bits of ``amount``; None for other terms.

    Each factor is moved by two of them, such that no bit of it comes from more than two.
    """
    factors = _factors(p, term) if p.shares else None
    if factors is None or len(amount) < MOVED:
        return None
    a, b = (x.significand for x in factors)
    if not p.holds(max(len(a) + 9, len(b) + 6)):
        return None
    with p.scope("multiply"):
        for level in (0, 3):
            a = p.mux(amount[level], a.shifted_left(1 << level), a, "shifted")
        for level in (1, 2):
            b = p.mux(amount[level], b.shifted_left(1 << level), b, "shifted")
        return p.multiply(a, b)
