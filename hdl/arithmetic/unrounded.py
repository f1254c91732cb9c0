# SPDX-License-Identifier: BSD-2-Clause
"""Exact values made ready for rounding: single numbers, fixed-point sums, the sign of a zero."""

from collections.abc import Sequence

from macaw.golden.formats import Fixed, Float, Format, Posit, Subnormals
from macaw.golden.formats.choices import Rounding

from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .number import Number, Special
from .projection import Unrounded
from .rounding import Rounder

__all__ = [
    "extend_top",
    "from_fixed",
    "from_number",
    "headroom",
    "lowest_place",
    "precision",
    "with_headroom",
    "zero_sign",
]


def from_number(p: Scheduler, number: Number, rounder: Rounder) -> Unrounded:
    """A single number or product, as it is."""
    out = rounder.format
    word = number.significand
    # A signed word carries the sign itself.
    sign = p.constant(0, 1) if number.exponent.constant is not None else number.sign
    leading, depth = None, 0
    if isinstance(out, Float) and not number.significand.signed:
        leading, depth = _leading_index(number, out, rounder.fraction_bits, len(word))
    if isinstance(out, Posit) and not number.significand.signed:
        leading = len(word) - 1
        depth = leading - min(index for index, _ in number.lowest)
    return Unrounded(
        word=with_headroom(word, number.quantum, rounder),
        exponent=number.exponent,
        offset=number.offset,
        sticky=p.constant(0, 1),
        sign=sign,
        zero_sign=number.sign,
        special=number.special,
        leading=leading,
        depth=depth,
    )


def _leading_index(number: Number, out: Float, bits: int, width: int) -> tuple[int | None, int]:
    """(the highest place of the leading one, how many places below it have to be looked at).

    A number whose leading one is lower than that has none, or its result is subnormal or less:
    its exponent then follows from the result's range.
    """
    highest = max(index for index, _ in number.lowest)
    # A product of normal significands lies in [1, 4): its leading one is in one of two places.
    if highest != width - 1:
        return None, 0
    tops = [top + highest for index, top in number.lowest if index < highest]
    if out.subnormals is Subnormals.GRADUAL:
        return highest, max([0, *(top - out.emin for top in tops)])
    return (None if any(top >= lowest_place(out) - bits for top in tops) else highest), 0


def from_fixed(
    p: Scheduler, total: Number, rounder: Rounder, special: Special, zero: Wire
) -> Unrounded:
    """An exact fixed-point sum, ready to be rounded."""
    return Unrounded(
        word=with_headroom(total.significand, total.quantum, rounder),
        exponent=total.exponent,
        offset=total.offset,
        sticky=p.constant(0, 1),
        sign=p.constant(0, 1),
        zero_sign=zero,
        special=special,
    )


@scoped("specials")
def zero_sign(p: Scheduler, rounder: Rounder, signs: Sequence[Wire]) -> Wire:
    """Sign of an exact zero: that of its terms if they agree, else minus when rounding down."""
    together = cat(*signs)
    return p.mux(rounder.is_mode(Rounding.RDN), together.any(), together.all())


def headroom(format: Format, quantum: int, width: int, bits: int) -> int:
    """Empty bits above a word of ``width`` bits whose last bit may weigh ``2**quantum``.

    With them the result is reached by shifts to the left alone, also where it is subnormal.
    """
    if not isinstance(format, Float) or format.subnormals is not Subnormals.GRADUAL:
        return 0
    return min(max(format.emin - (quantum + width - 1), 0), format.precision - 1 + bits)


def with_headroom(word: Wire, quantum: int, rounder: Rounder) -> Wire:
    """``word`` extended by :func:`headroom`; its sign is no bit that the rounder shifts."""
    width = len(word) - word.signed
    return extend_top(word, headroom(rounder.format, quantum, width, rounder.fraction_bits))


def extend_top(word: Wire, room: int) -> Wire:
    """``word`` with ``room`` more bits at its top."""
    extended = word.bits(len(word) + room)
    return extended.as_signed() if word.signed else extended


def lowest_place(format: Format) -> int:
    """Exponent of the last place of the smallest results."""
    if isinstance(format, Float) and format.subnormals is not Subnormals.GRADUAL:
        return format.quantum - 1
    return format.quantum


def precision(format: Format) -> int:
    """Digits of the largest results."""
    return format.width if isinstance(format, Fixed) else format.precision
