# SPDX-License-Identifier: BSD-2-Clause
"""Reciprocal roots of what rows come to."""

from ..arithmetic.divide import floor_divide
from ..arithmetic.shift import leading_zeros, shift_left
from ..arithmetic.words.square_root import square_root
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat

__all__ = ["normalised", "reciprocal_root"]


def normalised(p: Scheduler, word: Wire, bits: int) -> tuple[Wire, Wire]:
    """(the ``bits + 2`` upper bits of a word, or of 1 where it is 0; the zeros above them)."""
    width = len(word)
    with p.scope("epsilon"):
        word = p.name("mean", cat(word[0] | ~word.any(), word[1:]))
    with p.scope("normalise"):
        zeros = leading_zeros(p, word).within(0, width - 1)
        upper, _ = shift_left(p, word, zeros, bits + 2)
        return upper.within(2 << bits, (4 << bits) - 1), zeros


def reciprocal_root(p: Scheduler, count: Wire, divisor: Wire, odd: Wire, bits: int) -> Wire:
    """The steps of golden's :class:`Norm`: of a count that has its leading one on top."""
    dividend = count.shifted_left(2 * bits + 5 - len(count))
    ratio, _ = floor_divide(p, dividend, divisor)
    ratio = p.mux(odd, ratio.shifted_left(1), ratio)
    root, _ = square_root(p, ratio.shifted_left(bits - 1))
    return p.name("root", root[: bits + 2].within(0, (4 << bits) - 1))
