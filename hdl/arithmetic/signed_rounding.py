# SPDX-License-Identifier: BSD-2-Clause
"""Rounding of signed words to signed fixed point, in two's complement from end to end.

No magnitude is taken: the shifted word is the quotient rounded down, so that rounding to nearest
even looks the same on both sides of zero, and the other directions only have to look at the sign.
"""

from typing import TYPE_CHECKING

from macaw.golden.arithmetic.projection import nan_code
from macaw.golden.formats import Fixed
from macaw.golden.formats.choices import Nan, Overflow, Rounding

from ..schedule.wire import Wire, cat
from .shift import window

if TYPE_CHECKING:
    from ..schedule.scheduler import Scheduler
    from .number import Special
    from .rounding import Rounder, Unrounded

__all__ = ["round_signed", "with_special"]


def round_signed(rounder: "Rounder", exact: "Unrounded", format: Fixed) -> Wire:
    """The code of a signed word in ``format``, which has a sign; what is special is left out."""
    p, word, keep, width = rounder.p, exact.word, rounder.fraction_bits, format.width
    scale = exact.exponent + (exact.offset + format.fraction)
    # The frame begins where the largest number does, unless that is above all results.
    most = max(min(scale.high, width - 1), -keep)
    amount = p.add(exact.exponent.complement, most + 1 - exact.offset - format.fraction)
    too_high = amount.negative
    amount = (amount.bits(len(amount)) & ~too_high).within(0, max(amount.high, 0))
    kept, lost, beyond = window(p, word.shifted_left(most + keep), amount, width + keep)
    fraction, whole = kept[:keep], kept[keep:]
    up = _up(rounder, word.negative, whole[0], fraction, lost | exact.sticky)
    if rounder.overflow is Overflow.WRAP:
        return p.add(whole, up).bits(width) & ~too_high
    beyond = beyond | (too_high & word.any())
    # Nothing but rounding can leave the range here: it stops at the largest integer.
    up = up & ~whole.equals(format.max_integer)
    limit = cat(p.repeat(~word.negative, width - 1), word.negative)
    code = p.mux(beyond, limit, p.add(whole, up).bits(width))
    if format.symmetric:
        lowest = code.equals(1 << (width - 1))
        code = cat(code[0] | lowest, code[1:]) if width > 1 else code
    return code


def _up(rounder: "Rounder", sign: Wire, odd: Wire, fraction: Wire, lost: Wire) -> Wire:
    """Whether a quotient that was rounded down gets one more.

    ``fraction`` has the bits below it, and something is below those iff ``lost``.
    """
    p = rounder.p
    if rounder.rounding.stochastic:
        assert rounder.random is not None
        # Below zero the distance to the magnitude above counts: 1 - fraction.
        word, carry = rounder.random ^ sign, sign & lost
        if rounder.rounding is Rounding.SRB:
            word = cat(~sign, word)
        elif rounder.rounding is Rounding.SRC:
            carry = fraction[0] & (lost | fraction[1])
            fraction = fraction[1:]
        return p.add(fraction, word, carry).bits(len(word) + 1)[-1]
    guard = fraction[-1]
    rest = fraction[:-1].any() | lost if len(fraction) > 1 else lost
    to_even = rounder.is_mode(Rounding.RNE) & odd
    away = rounder.is_mode(Rounding.RNA) & ~sign
    nearest = rounder.is_mode(Rounding.RNE, Rounding.RNA) & guard & (rest | to_even | away)
    directed = (
        rounder.is_mode(Rounding.RUP)
        | (rounder.is_mode(Rounding.RTZ) & sign)
        | (rounder.is_mode(Rounding.ROD) & ~odd)
    )
    return nearest | (directed & (guard | rest))


def with_special(
    p: "Scheduler", format: Fixed, code: Wire, special: "Special", nan: Nan | None = None
) -> Wire:
    """``code``, but the end of the range for infinities, and what ``nan`` says for NaN."""
    width = format.width
    top = p.constant(format.max_integer, width)
    bottom = p.constant(format.min_integer & ((1 << width) - 1), width)
    code = p.mux(special.infinite, p.mux(special.negative, bottom, top), code)
    return p.mux(special.nan, p.constant(nan_code(format, nan), width), code)
