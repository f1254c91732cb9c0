# SPDX-License-Identifier: BSD-2-Clause
"""Exact quotients and roots: digits from rows of subtract-and-select, and what is left."""

from dataclasses import dataclass

from macaw.golden.formats import Float, Subnormals

from ..schedule.fold import Fold
from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .number import Number, Special
from .projection import Unrounded
from .rounding import Rounder
from .shift import leading_zeros, shift_left
from .unrounded import precision, with_headroom
from .words.square_root import square_root, square_root_in_turns

__all__ = [
    "constant",
    "divide",
    "doubled",
    "floor_divide",
    "halved",
    "in_turns",
    "normalised",
    "quotient",
    "quotient_digits",
    "root",
    "root_digits",
]


@scoped("divide")
def divide(
    p: Scheduler, dividend: Wire, divisor: Wire, digits: int, fold: Fold | None = None
) -> tuple[Wire, Wire]:
    """(digits of the quotient, 1 if there is a remainder).

    The divisor's top bit is set. The first digit weighs ``2**(len(dividend) - len(divisor))``.
    Each digit is a row: it subtracts the divisor from what is left and keeps the difference if
    that is not negative. Of a ``fold``, all turns but the last find as many of them each.
    """
    if fold is not None and fold.count > 1:
        return _divide_in_turns(p, dividend, divisor, digits, fold)
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


def _divide_in_turns(
    p: Scheduler, dividend: Wire, divisor: Wire, digits: int, fold: Fold
) -> tuple[Wire, Wire]:
    size, count = len(divisor), digits // (fold.count - 1)
    below = max(len(dividend) - size, 0)
    # Bits of the dividend leave above, and digits of the quotient enter below.
    width = max(digits, below)
    zeros = p.constant(0, max(size - len(dividend), 0))
    trial = cat(zeros, dividend[below:]).bits(size + 1)
    pending = cat(p.constant(0, width - below), dividend[:below]) if below else width

    def step(trial: Wire, pending: Wire) -> tuple[Wire, Wire]:
        for _ in range(count):
            digit, rest = _row(p, trial.within(0, 2 * divisor.high - 1), divisor)
            following = pending[-1] if below else p.constant(0, 1)
            trial = cat(following, rest.bits(size))
            pending = cat(digit, pending[: width - 1])
        return trial, pending

    trial, found = fold.iterate((trial, pending), step)
    left = trial.any()
    if width > digits:
        left = left | found[digits:].any()
    return found[:digits], left


@scoped("divide")
def _divide_to_place(
    p: Scheduler, dividend: Wire, divisor: Wire, digits: int, places: Wire, fold: Fold
) -> tuple[Wire, Wire, Wire]:
    """(digits, 1 if there is a remainder, what is left of ``places``), a digit a turn.

    No more digits are found than there are places, and none behind the one that makes ``digits``
    of them. So the quotient ends at its last place, and there is nothing to shift.
    """
    size = len(divisor)
    below = max(len(dividend) - size, 0)
    zeros = p.constant(0, max(size - len(dividend), 0))
    trial = cat(zeros, dividend[below:]).bits(size + 1)
    pending = [dividend[:below]] if below else []

    zero = p.constant(0, 1)

    def step(going: Wire, places: Wire, word: Wire, trial: Wire, *pending: Wire) -> list[Wire]:
        digit, rest = _row(p, trial.within(0, 2 * divisor.high - 1), divisor)
        # Whether there is a step after this one is decided a clock ahead.
        more = places[1:-1].any() & ~(places[-1] | word[-2])
        return [
            more,
            p.subtract(places, 1).bits(len(places)),
            cat(digit, word[:-1]),
            cat(pending[0][-1] if pending else zero, rest.bits(size)),
            *(cat(zero, bits[:-1]) for bits in pending),
        ]

    # With a bit for the sign: there may be none, and then the first step is one too many.
    places = places.bits(len(places) + (places.low >= 0))
    start = p.constant(1, 1), places, p.constant(0, digits), trial, *pending
    _, places, word, *rest = fold.iterate(start, step, lambda going, *_: going)
    none = places[-1]
    return word & ~none, cat(*rest).any() | none, places[:-1] & ~none


def _row(p: Scheduler, trial: Wire, divisor: Wire) -> tuple[Wire, Wire]:
    """(whether the divisor is in what is left, what is then left)."""
    difference = p.subtract(trial, divisor)
    less = difference.negative
    return ~less, p.mux(less, trial, difference, "rest").within(0, divisor.high - 1)


def _rows(p: Scheduler, rest: Wire, bits: list[Wire], divisor: Wire) -> tuple[Wire, Wire]:
    """(a digit for each bit that is brought down, what is left), from a rest below the divisor."""
    result: list[Wire] = []
    for bit in bits:
        digit, rest = _row(p, cat(bit, rest), divisor)
        result.append(digit)
    return cat(*reversed(result)) if result else p.constant(0), rest


@dataclass(frozen=True, kw_only=True, slots=True)
class Normalised(Number):
    """A number with its leading one moved to the top, over ``zeros``, in one of ``before``."""

    before: Number
    zeros: Wire


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
    return Normalised(
        pipeline=p,
        sign=number.sign,
        zero=number.zero,
        special=number.special,
        multiple=number.multiple,
        significand=moved,
        exponent=p.add(exponent, -shift).within(0, number.exponent.high - shift),
        offset=number.offset + shift,
        lowest=((width - 1, number.top),),
        before=number,
        zeros=zeros,
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


def in_turns(p: Scheduler, digits: int, a_turn: int | None) -> Fold:
    """Turns to find so many digits in, ``a_turn`` of them each, and a last one to round them in.

    They begin when all that they start with is there. One turn, where all are found at once.
    """
    return Fold(p, 1 if a_turn is None else -(-digits // a_turn) + 1, waits=True)


def _whole_turns(digits: int, fold: Fold) -> int:
    """No fewer digits, and as many in each turn but the last one."""
    turns = max(fold.count - 1, 1)
    return -(-digits // turns) * turns


def quotient_digits(rounder: Rounder) -> int:
    """Digits of a quotient that the rounder looks at; the first one may be zero."""
    return precision(rounder.format) + rounder.fraction_bits + 1


def quotient(
    p: Scheduler, a: Number, b: Number, rounder: Rounder, fold: Fold | None = None
) -> Unrounded:
    """``a / b`` to the digits that the rounder looks at; specials as IEEE 754-2019 has them.

    Both are :func:`normalised` floats, or constants. What comes of a ``fold`` is there in its last
    turn.
    """
    fold = fold or Fold(p, 1)
    digits = _whole_turns(quotient_digits(rounder), fold)
    # Ahead of turns it might be what they wait for.
    sign = a.sign ^ b.sign if fold.count == 1 else None
    wide, narrow = len(a.significand), len(b.significand)
    depth, exponent = 1, None
    places = _places(a, b, rounder) if fold.count - 1 == digits else None
    if places is not None:
        depth, digits = 0, digits - 1
        word, sticky, exponent = _divide_to_place(
            p, a.significand, b.significand, digits, places, fold
        )
        offset = rounder.format.quantum - rounder.fraction_bits
    else:
        word, sticky = divide(p, a.significand, b.significand, digits, fold)
        offset = a.offset - b.offset + wide - narrow - digits + 1
    nan = a.special.nan | b.special.nan
    none = (a.special.infinite & b.special.infinite) | (a.zero & b.zero)
    invalid = a.special.invalid | b.special.invalid | (none & ~nan)
    nan = nan | none
    gone = fold.later(a.zero | b.special.infinite)
    exponent = exponent or fold.later(a.exponent - b.exponent)
    sign = fold.later(a.sign ^ b.sign if sign is None else sign)
    return Unrounded(
        word=with_headroom(word & ~gone, exponent.low + offset, rounder),
        exponent=exponent,
        offset=offset,
        sticky=sticky & ~gone,
        sign=sign,
        zero_sign=sign,
        special=Special(
            nan=fold.later(nan),
            infinite=fold.later((a.special.infinite | b.zero) & ~nan),
            negative=sign,
            invalid=fold.later(invalid),
        ),
        leading=digits - 1,
        depth=depth,
    )


def _places(a: Number, b: Number, rounder: Rounder) -> Wire | None:
    """Places from the quotient's first digit to the last one that the rounder looks at.

    None where not all results end at their last place: there the rounder finds it.
    """
    p, format = a.pipeline, rounder.format
    none = p.constant(0)
    if not isinstance(format, Float) or format.subnormals is not Subnormals.GRADUAL:
        return None
    # Zeros above the significands are counted while the rest of the exponents is subtracted.
    (above, a), (below, b) = (
        (n.zeros, n.before) if isinstance(n, Normalised) else (none, n) for n in (a, b)
    )
    first = a.offset - b.offset + len(a.significand) - len(b.significand)
    last = format.quantum - rounder.fraction_bits
    places = (a.exponent + (first - last + 1)) - b.exponent + (below - above)
    return places if places.high > 1 else None


def root_digits(a: Number, rounder: Rounder) -> int:
    """Digits of a root that the rounder looks at, no fewer than its integer part has."""
    return max(precision(rounder.format) + rounder.fraction_bits, len(a.significand) // 2 + 1)


def doubled(a: Number, digits: int) -> tuple[Wire, int]:
    """(whether a root's radicand is twice the significand, twice the offset of its exponent)."""
    offset = a.offset - (2 * digits - len(a.significand) - 1)
    last = a.exponent.bits(max(len(a.exponent), 1))[0]
    return ~last if offset % 2 else last, offset


def halved(p: Scheduler, a: Number, offset: int) -> Wire:
    """The exponent of a root, beside half of the offset, rounded down."""
    place = a.exponent.bits(max(len(a.exponent), 1))
    half = place[1:] if len(place) > 1 else p.constant(0)
    return p.add(half, place[0]) if offset % 2 else half


def root(p: Scheduler, a: Number, rounder: Rounder, fold: Fold | None = None) -> Unrounded:
    """The square root of a normalised float, to the digits that the rounder looks at.

    Of a ``fold`` as :func:`quotient` has it.
    """
    fold = fold or Fold(p, 1)
    width = len(a.significand)
    digits = _whole_turns(root_digits(a, rounder), fold)
    # Below the significand there are zeros, so many that with the place that one bit of the
    # exponent may move it by it has two bits for each digit; the first digit is then a one.
    zeros = 2 * digits - width - 1
    moves, offset = doubled(a, digits)
    word = p.mux(moves, cat(p.constant(0, 1), a.significand), a.significand.bits(width + 1))
    if fold.count > 1:
        found, rest = square_root_in_turns(p, word, digits, fold)
    else:
        found, rest = square_root(p, cat(p.constant(0, zeros), word) if zeros else word)
    exponent = fold.later(halved(p, a, offset))
    nan = fold.later(a.special.nan | (a.sign & ~a.zero))
    zero, sign = fold.later(a.zero), fold.later(a.sign)
    return Unrounded(
        word=with_headroom(found & ~zero, exponent.low + (offset >> 1), rounder),
        exponent=exponent,
        offset=offset >> 1,
        sticky=rest.any() & ~zero,
        sign=sign,
        zero_sign=sign,
        special=Special(
            nan=nan,
            infinite=fold.later(a.special.infinite & ~a.sign),
            negative=sign,
            invalid=fold.later(a.special.invalid | (a.sign & ~a.zero & ~a.special.nan)),
        ),
        leading=digits - 1,
    )
