# SPDX-License-Identifier: BSD-2-Clause
"""Exact quotients and roots: digits from rows of subtract-and-select, and what is left."""

from dataclasses import replace

from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .number import Number, Special
from .projection import Unrounded
from .rounding import Rounder
from .shift import leading_zeros, shift_left
from .unrounded import precision, with_headroom
from .words.square_root import square_root

__all__ = ["constant", "divide", "floor_divide", "normalised", "quotient", "root"]


@scoped("divide")
def divide(p: Scheduler, dividend: Wire, divisor: Wire, digits: int) -> tuple[Wire, Wire]:
    """(digits of the quotient, 1 if there is a remainder).

    The divisor's top bit is set. The first digit weighs ``2**(len(dividend) - len(divisor))``.
    Each digit is a row: it subtracts the divisor from what is left and keeps the difference if
    that is not negative.
    """
    size = len(divisor)
    skipped = size - 1
    bits = [dividend[i] for i in reversed(range(len(dividend)))]
    bits += [p.constant(0, 1)] * (skipped + digits - len(bits))
    # Fewer bits than the divisor has are less than it.
    rest = cat(*reversed(bits[:skipped])) if skipped else p.constant(0)
    result, rest = _rows(p, rest, bits[skipped : skipped + digits], divisor)
    left = [part for part in (rest, *bits[skipped + digits :]) if len(part)]
    return result, cat(*left).any() if left else p.constant(0, 1)


@scoped("divide")
def floor_divide(p: Scheduler, dividend: Wire, divisor: Wire) -> tuple[Wire, Wire]:
    """(floor of the quotient, remainder) of integers that are not negative.

    The divisor's range begins above 0; the less it spans, the fewer rows there are. A divisor of
    0 gives nothing that means anything.
    """
    if divisor.constant is not None and divisor.constant % 2 == 0:
        # The bits below the divisor's last one are of the remainder, whatever it is.
        cut = (divisor.constant & -divisor.constant).bit_length() - 1
        high = p.constant(divisor.constant >> cut)
        result, rest = floor_divide(p, dividend[cut:].within(0, dividend.high >> cut), high)
        rest = cat(dividend[:cut], rest) if len(rest) else dividend[:cut]
        return result, rest.within(0, divisor.high - 1)
    if divisor.constant == 1:
        return dividend, p.constant(0)
    known = divisor.low.bit_length() - 1
    width = max(len(dividend), known)
    bits = dividend.bits(width).lanes(1)[::-1]
    rest = cat(*reversed(bits[:known])) if known else p.constant(0)
    result, rest = _rows(p, rest, bits[known:], divisor)
    return result.within(0, dividend.high // divisor.low), rest.within(0, divisor.high - 1)


def _rows(p: Scheduler, rest: Wire, bits: list[Wire], divisor: Wire) -> tuple[Wire, Wire]:
    """(a digit for each bit that is brought down, what is left), from a rest below the divisor."""
    result: list[Wire] = []
    for bit in bits:
        trial = cat(bit, rest)
        difference = p.subtract(trial, divisor)
        less = difference.negative
        result.append(~less)
        rest = p.mux(less, trial, difference, "rest").within(0, divisor.high - 1)
    return cat(*reversed(result)) if result else p.constant(0), rest


@scoped("normalise")
def normalised(p: Scheduler, number: Number) -> Number:
    """The same number with the leading one in the top bit of its significand."""
    if all(index == len(number.significand) - 1 for index, _ in number.lowest):
        return number
    width = len(number.significand)
    zeros = leading_zeros(p, number.significand).within(0, width - 1)
    moved, _ = shift_left(p, number.significand, zeros, width)
    exponent = number.exponent - zeros
    # Exponents are never negative.
    shift = min(exponent.low, 0)
    return replace(
        number,
        significand=moved,
        exponent=p.add(exponent, -shift).within(0, number.exponent.high - shift),
        offset=number.offset + shift,
        lowest=((width - 1, number.top),),
    )


def constant(p: Scheduler, significand: int, exponent: int) -> Number:
    """A positive number; the significand is not zero."""
    never = p.constant(0, 1)
    return Number(
        pipeline=p,
        sign=never,
        zero=never,
        significand=p.constant(significand, significand.bit_length()),
        exponent=p.constant(0),
        offset=exponent,
        lowest=((significand.bit_length() - 1, exponent),),
        special=Special(nan=never, infinite=never, negative=never, invalid=never),
    )


def quotient(p: Scheduler, a: Number, b: Number, rounder: Rounder) -> Unrounded:
    """``a / b`` to the digits that the rounder looks at; specials as IEEE 754-2019 has them.

    Both are :func:`normalised` floats, or constants.
    """
    format = rounder.format
    digits = precision(format)
    digits += rounder.fraction_bits
    sign = a.sign ^ b.sign
    wide, narrow = len(a.significand), len(b.significand)
    # The first digit may be zero.
    word, sticky = divide(p, a.significand, b.significand, digits + 1)
    offset = a.offset - b.offset + wide - narrow - digits
    nan = a.special.nan | b.special.nan
    none = (a.special.infinite & b.special.infinite) | (a.zero & b.zero)
    invalid = a.special.invalid | b.special.invalid | (none & ~nan)
    nan = nan | none
    gone = a.zero | b.special.infinite
    exponent = a.exponent - b.exponent
    return Unrounded(
        word=with_headroom(word & ~gone, exponent.low + offset, rounder),
        exponent=exponent,
        offset=offset,
        sticky=sticky & ~gone,
        sign=sign,
        zero_sign=sign,
        special=Special(
            nan=nan,
            infinite=(a.special.infinite | b.zero) & ~nan,
            negative=sign,
            invalid=invalid,
        ),
        leading=digits,
        depth=1,
    )


def root(p: Scheduler, a: Number, rounder: Rounder) -> Unrounded:
    """The square root of a normalised float, to the digits that the rounder looks at."""
    width = len(a.significand)
    digits = max(precision(rounder.format) + rounder.fraction_bits, width // 2 + 1)
    # Below the significand there are zeros, so many that with the place that one bit of the
    # exponent may move it by it has two bits for each digit; the first digit is then a one.
    zeros = 2 * digits - width - 1
    offset = a.offset - zeros
    place = a.exponent.bits(max(len(a.exponent), 1))
    last = place[0]
    moves = ~last if offset % 2 else last
    word = p.mux(moves, cat(p.constant(0, 1), a.significand), a.significand.bits(width + 1))
    found, rest = square_root(p, cat(p.constant(0, zeros), word) if zeros else word)
    half = place[1:] if len(place) > 1 else p.constant(0)
    exponent = p.add(half, last) if offset % 2 else half
    nan = a.special.nan | (a.sign & ~a.zero)
    return Unrounded(
        word=with_headroom(found & ~a.zero, exponent.low + (offset >> 1), rounder),
        exponent=exponent,
        offset=offset >> 1,
        sticky=rest.any() & ~a.zero,
        sign=a.sign,
        zero_sign=a.sign,
        special=Special(
            nan=nan,
            infinite=a.special.infinite & ~a.sign,
            negative=a.sign,
            invalid=a.special.invalid | (a.sign & ~a.zero & ~a.special.nan),
        ),
        leading=digits - 1,
    )
