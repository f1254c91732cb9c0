# SPDX-License-Identifier: BSD-2-Clause
"""Quotients and roots by one recurrence: the rows of a digit are there once, for both."""

from ..schedule.labels import scoped
from ..schedule.pause import repeated
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .divide import doubled, halved, quotient_digits, root_digits
from .number import Number, Special
from .projection import Unrounded
from .rounding import Rounder
from .unrounded import with_headroom

__all__ = ["quotient_or_root"]


def quotient_or_root(
    p: Scheduler, a: Number, b: Number, rounder: Rounder, roots: Wire, starts: Wire, a_turn: int
) -> Unrounded:
    """The square root of a where ``roots`` is 1, else ``a / b``, ``a_turn`` digits a clock.

    Both are normalised floats of one format. Where ``starts`` is 0 it is nothing that means
    anything, and takes no time (:func:`macaw.hdl.schedule.pause.repeated`).
    """
    digits = max(quotient_digits(rounder), root_digits(a, rounder))
    turns = -(-digits // a_turn)
    digits = turns * a_turn
    twice, offset = doubled(a, digits)
    half = halved(p, a, offset)
    width = len(a.significand)
    shifted = cat(p.constant(0, 1), a.significand)
    radicand = p.mux(twice & roots, shifted, a.significand.bits(width + 1))
    word, sticky = _digits(p, radicand, b.significand, roots, starts, digits, turns)
    with p.scope("exponent"):
        own = a.offset - b.offset - digits + 1
        exponent = p.mux(roots, half + ((offset >> 1) - own), a.exponent - b.exponent)
    with p.scope("special"):
        x, y = a.special, b.special
        nan = x.nan | p.mux(roots, a.sign & ~a.zero, y.nan)
        none = ((x.infinite & y.infinite) | (a.zero & b.zero)) & ~roots
        wrong = p.mux(roots, a.sign & ~a.zero & ~x.nan, y.invalid | (none & ~nan))
        nan = nan | none
        sign = a.sign ^ (b.sign & ~roots)
        infinite = p.mux(roots, x.infinite & ~a.sign, x.infinite | b.zero) & ~nan
        gone = a.zero | (y.infinite & ~roots)
    return Unrounded(
        word=with_headroom(word & ~gone, exponent.low + own, rounder),
        exponent=exponent,
        offset=own,
        sticky=sticky & ~gone,
        sign=sign,
        zero_sign=sign,
        special=Special(nan=nan, infinite=infinite, negative=sign, invalid=x.invalid | wrong),
        leading=digits - 1,
        depth=1,
    )


@scoped("digits")
def _digits(
    p: Scheduler, top: Wire, divisor: Wire, roots: Wire, starts: Wire, digits: int, turns: int
) -> tuple[Wire, Wire]:
    """(digits of the quotient or the root, whether something is left).

    All words have the place of 1 at ``digits - 1``. What is left is doubled for each digit; then
    the divisor, or twice the root so far and the place of the next digit, is subtracted where it
    is in there: for both less than 4, from less than 8.
    """
    below = digits - 1 - (len(divisor) - 1)
    count = digits // turns
    trial = cat(p.constant(0, below), top) if below else top
    size = digits + 2
    place = p.constant(1 << (digits - 1), digits)
    start = trial.bits(size), p.constant(0, digits), place

    def step(trial: Wire, found: Wire, place: Wire) -> tuple[Wire, Wire, Wire]:
        for _ in range(count):
            root = cat(place, p.constant(0, 1)) | cat(p.constant(0, 1), found)
            other = cat(p.constant(0, below), divisor) if below else divisor
            term = p.mux(roots, root, other.bits(digits + 1))
            difference = p.subtract(trial, term)
            less = difference.negative
            rest = p.mux(less, trial[:size], difference.bits(size + 1)[:size], "rest")
            trial = cat(p.constant(0, 1), rest[: size - 1])
            found = found | (place & ~less)
            place = cat(place[1:], p.constant(0, 1))
        return trial, found, place

    def last(trial: Wire, found: Wire, place: Wire) -> Wire:
        return place[count - 1]

    trial, found, _ = repeated(p, starts, start, step, last, turns, (divisor, roots))
    return found, trial.any()
