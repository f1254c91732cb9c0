# SPDX-License-Identifier: BSD-2-Clause
"""Sums of rows in units that follow the largest exponent so far, in steps of 8 places.

Exponents are counted from the least one that a row's unit has.
"""

from macaw.golden.arithmetic.rows.sums import STEP

from ..arithmetic.shift import at_least, floored, largest, shift_right
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat

__all__ = ["added", "below", "cut", "rising", "steps_of", "total"]


def steps_of(place: Wire, word: Wire, places: int) -> Wire:
    """Whole steps of an exponent, of ``2**places``; 0 below the first, and where a word is zero."""
    steps = floored(place, places)
    some = word.any() & ~steps.negative if steps.signed else word.any()
    high = max(steps.high, 0)
    return steps.bits(len(steps))[: high.bit_length()].within(0, high) & some


def below(p: Scheduler, now: Wire, place: Wire, places: int) -> Wire:
    """How far an exponent is below the last one of the steps ``now``."""
    steps = floored(place, places)
    distance = p.subtract(now, steps).within(0, now.high - min(steps.low, 0))
    return cat(~place.bits(max(len(place), places))[:places], distance)


def rising(p: Scheduler, steps: list[Wire], end: Wire) -> tuple[Wire, Wire]:
    """(the most steps of a row so far, how many more these are now)."""
    here = largest(p, steps)
    if here.constant is not None:
        # Nothing is above the least.
        return here, here
    with p.scope("top"), p.loop(here, end) as loop:
        now, before = loop.largest(here, end, "largest")
    return now, p.subtract(now, before).within(0, now.high)


def cut(p: Scheduler, word: Wire, distance: Wire, width: int) -> Wire:
    """A word without what falls out where :func:`shift_right` moves it within ``width`` bits."""
    gone = (at_least(p, distance, width - len(word) + i + 1) for i in range(len(word)))
    return cat(*(word[i] & ~lost for i, lost in enumerate(gone)))


def added(
    p: Scheduler, words: list[Wire], distances: list[Wire], width: int, *, signs: list[Wire]
) -> Wire:
    """The sum of a beat's words, each at the top of ``width`` bits, moved right, and negated."""
    terms = []
    for number, (word, distance) in enumerate(p.lanes(list(zip(words, distances, strict=True)))):
        with p.scope("align"):
            term, _ = shift_right(p, word, distance, width)
            terms.append((term.bits(width + 1) ^ signs[number]).as_signed() if signs else term)
    most = ((1 << width) - 1) * len(words)
    with p.scope("add"):
        return p.name("addend", p.sum(terms, signs).within(-most if signs else 0, most))


def total(p: Scheduler, addend: Wire, rise: Wire, end: Wire, width: int, step: int = STEP) -> Wire:
    """The sum of a row, so far, of ``width`` bits; it goes down ``step`` places at each step."""
    moves = (width - 1) // step
    with p.scope("sum"):
        if addend.signed:
            # As many levels as leave the sign alone, all of them where it goes further.
            levels = (-((1 - width) // step)).bit_length()
            lost, amount = None, rise[:levels] | at_least(p, rise, 1 << levels)
        else:
            lost = p.name("lost", at_least(p, rise, moves + 1))
            amount = rise[: moves.bit_length()]
        with p.loop(addend, amount, end, *([] if lost is None else [lost])) as loop:
            state = loop.state(width, "accumulator", init=0)
            kept = state if lost is None else state & ~lost
            for level in range(len(amount)):
                if addend.signed:
                    moved = kept[min(step << level, width - 1) :].as_signed().bits(width)
                else:
                    moved = kept[step << level :].bits(width)
                kept = p.mux(amount[level], moved, kept, "kept")
            if addend.signed:
                found = p.add(kept, addend.bits(width)).bits(width)
            else:
                found = p.add(kept, addend).within(0, (1 << width) - 1)
            loop.close(state, found, clear=end)
    return p.name("total", found.as_signed() if addend.signed else found)
