# SPDX-License-Identifier: BSD-2-Clause
"""Terms aligned to the largest exponent among them, and cut there."""

from collections.abc import Sequence

from macaw.golden.formats.choices import Rounding

from ...schedule.labels import scoped
from ...schedule.scheduler import Scheduler
from ...schedule.wire import Wire, cat
from ..number import Number
from ..rounding import Rounder
from ..shift import largest, shift_right
from ..unrounded import with_headroom

__all__ = ["align_truncated", "cut_terms", "truncated_terms", "zero_sign_truncated"]


def align_truncated(
    p: Scheduler, terms: Sequence[tuple[Number, int]], fraction: int, rounder: Rounder
) -> tuple[Wire, Wire, int]:
    """Terms aligned to the largest exponent and truncated to ``fraction`` bits, summed exactly.

    ``terms`` as of :func:`truncated_terms`. Returns the signed sum, the wire with the largest
    exponent, and the offset: the value is ``sum * 2**(exponent + offset)``.
    """
    words, exponent, offset = truncated_terms(p, terms, fraction)
    signs = [term.sign for term, _ in terms]
    with p.scope("add"):
        total = p.name("total", p.sum(words, signs))
    return with_headroom(total, offset, rounder), exponent, offset


@scoped("align")
def truncated_terms(
    p: Scheduler, terms: Sequence[tuple[Number, int]], fraction: int
) -> tuple[list[Wire], Wire, int]:
    """Terms aligned to the largest exponent and truncated to ``fraction`` bits, signed.

    ``terms`` come with the count of their significand's bits below the point, so that the
    significand is in [0, 2) or, for a product, [0, 4). A negative word lacks the 1 that makes
    its complement two's. Returns the words, the wire with the largest exponent, and the offset:
    the value of a word is ``word * 2**(exponent + offset)``.
    """
    offset = min(t.offset + bits for t, bits in terms)
    biased = []
    for term, bits in terms:
        exponent = term.exponent + (term.offset + bits - offset)
        biased.append((exponent.bits(len(exponent)) & ~term.zero).within(0, exponent.high))
    top = p.name("largest", largest(p, biased))
    return cut_terms(p, terms, biased, top, fraction), top, offset - fraction


def cut_terms(
    p: Scheduler,
    terms: Sequence[tuple[Number, int]],
    exponents: Sequence[Wire],
    top: Wire,
    fraction: int,
    *,
    odd: bool = False,
) -> list[Wire]:
    """Terms with these exponents, truncated at ``fraction`` bits below ``top``, or rounded to odd.

    The words of :func:`truncated_terms`.
    """
    words = []
    for (term, bits), exponent in zip(terms, exponents, strict=True):
        magnitude = term.magnitude
        distance = (top - exponent).within(0, top.high)
        width = fraction + len(magnitude) - bits
        if width > len(magnitude) or odd:
            shifted, fell = shift_right(p, magnitude, distance, width)
            if odd:
                shifted = cat(shifted[0] | fell, shifted[1:])
        else:
            shifted, _ = shift_right(p, magnitude[len(magnitude) - width :], distance, width)
        words.append(cat(shifted ^ term.sign, term.sign).as_signed())
    return words


def zero_sign_truncated(p: Scheduler, rounder: Rounder, terms: Sequence[Number]) -> Wire:
    """Sign of a zero sum of truncated terms: one that is cut to nothing was not a zero."""
    minus = cat(*(term.zero & term.sign for term in terms)).all()
    plus = cat(*(term.zero & ~term.sign for term in terms)).all()
    return p.mux(rounder.is_mode(Rounding.RDN), ~plus, minus)
