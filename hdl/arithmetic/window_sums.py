# SPDX-License-Identifier: BSD-2-Clause
"""Sums of two numbers in a window: one is shifted against the other, and a sticky bit left.

What falls out of the window is kept as a sticky bit where the rounding cannot see more than that.
The schemes differ in which of the two moves: the smaller one (:func:`add_pair`, which may make sums
of near and of far numbers apart), the one of lesser exponent (:func:`add_sum`), or always the
addend (:func:`window_sum`).
"""

from collections.abc import Sequence
from math import isfinite

from macaw.golden.formats import Fixed, Float, Subnormals

from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .number import Number, Special, combine_special
from .projection import Unrounded
from .rounding import Rounder
from .shift import at_least, shift_down, shift_right, trailing_zeros
from .unrounded import extend_top, headroom, lowest_place, precision, with_headroom, zero_sign

__all__ = ["add_pair", "add_sum", "window_sum"]


def add_pair(p: Scheduler, a: Number, b: Number, rounder: Rounder) -> Unrounded | None:
    """``a + b`` of two floats whose exponents begin alike: the larger first, the smaller shifted.

    None where the operands do not fit this scheme (:func:`window_sum` takes them).
    """
    if isinstance(rounder.format, Fixed) or a.significand.signed or b.significand.signed:
        return None
    if a.exponent.constant is not None or b.exponent.constant is not None:
        return None
    width = max(len(a.significand), len(b.significand))
    pad_a, pad_b = width - len(a.significand), width - len(b.significand)
    if a.quantum - pad_a != b.quantum - pad_b:
        return None
    base = a.offset - pad_a
    exponent_width = max(len(a.exponent), len(b.exponent))
    shift_b = (b.offset - pad_b) - base
    if shift_b:
        return None
    sig_a, sig_b = a.significand.shifted_left(pad_a), b.significand.shifted_left(pad_b)
    exp_a, exp_b = a.exponent.bits(exponent_width), b.exponent.bits(exponent_width)

    out = rounder.format
    keep = rounder.fraction_bits
    below = max(precision(out) - width, 0) + keep + 1
    exponents = a.exponent, b.exponent
    span = max(e.high for e in exponents) - min(e.low for e in exponents)
    below = min(below, span)
    if _apart(p, a, b, base, width, rounder):
        return _near_or_far(p, (a, b), (sig_a, sig_b), base, below, rounder)
    with p.scope("order"):
        swap = p.name("swap", cat(sig_a, exp_a) < cat(sig_b, exp_b))
        large = p.name("large", p.mux(swap, sig_b, sig_a))
        small = p.name("small", p.mux(swap, sig_a, sig_b))
        exponent = p.name("exponent", p.mux(swap, b.exponent, a.exponent))
        lesser = p.mux(swap, a.exponent, b.exponent)
        distance = p.name("distance", (exponent - lesser).within(0, exponent.high))

    word, sticky, words = _shifted_sum(p, (a, b), large, small.bits(width), distance, below)
    return Unrounded(
        word=with_headroom(word, a.quantum - pad_a - below, rounder),
        exponent=exponent,
        offset=base - below,
        sticky=sticky,
        sign=p.mux(swap, b.sign, a.sign),
        zero_sign=zero_sign(p, rounder, (a.sign, b.sign)),
        special=combine_special(p, (a.special, b.special)),
        words=_words(p, words, width + below + 2),
    )


def _shifted_sum(
    p: Scheduler, terms: tuple[Number, Number], large: Wire, small: Wire, distance: Wire, below: int
) -> tuple[Wire, Wire, tuple[Wire, Wire, Wire]]:
    """(the magnitude of the sum of ``terms``, something is below it, words whose sum it is).

    ``large`` and ``small`` are their significands, of one width; the second is shifted right by
    ``distance``, and ``below`` bits are kept below the first.
    """
    a, b = terms
    size = len(small) + below
    with p.scope("align"):
        word, sticky = shift_right(p, small, distance, size)
        word, sticky = p.name("shifted", word), p.name("sticky", sticky)
    with p.scope("add"):
        subtract = p.name("subtract", a.sign ^ b.sign)
        shifted = word ^ subtract
        carry = subtract & ~sticky
        # Never negative: two's complement wraps around into the right place.
        total = p.add(cat(p.constant(0, below), large), shifted, carry)
        top = total[size] & ~subtract
        word = p.name("total", cat(total[:size], top))
        signs = p.repeat(subtract, 2)
        return word, sticky, (cat(p.constant(0, below), large), cat(shifted, signs), carry)


def _apart(p: Scheduler, a: Number, b: Number, base: int, width: int, rounder: Rounder) -> bool:
    """Whether sums of near and of far numbers are made apart: where time is short, of like floats.

    Their significands have ``width`` bits, the last of which weighs ``2**(base + exponent)``.
    Pipelines do not: registers would have to keep both, and are no further apart than without.
    """
    out = rounder.format
    if not p.delays.hurry or isfinite(p.period) or not isinstance(out, Float):
        return False
    if out.subnormals is not Subnormals.GRADUAL or out.precision < width:
        return False
    last = base + min(a.exponent.low, b.exponent.low)
    # A number without a leading one has a result that is subnormal too, and loses nothing there.
    return out.quantum <= last and last + width - 1 <= out.emin


def _near_or_far(
    p: Scheduler,
    terms: tuple[Number, Number],
    significands: tuple[Wire, Wire],
    base: int,
    below: int,
    rounder: Rounder,
) -> Unrounded:
    """As :func:`add_pair`; no long shift, and no rounding, is behind another long shift.

    Of numbers whose exponents differ by at most one, a difference may lose many digits, but then it
    is exact, and the last bits of the exponents say which of them moves by a place. All other sums
    have their leading digit in one of three places, and whose exponent is larger is enough for
    them. Farmwald, "On the design of high performance digital arithmetic units" (1981).
    """
    a, b = terms
    sig_a, sig_b = significands
    width = len(sig_a)
    signs = zero_sign(p, rounder, (a.sign, b.sign))
    special = combine_special(p, (a.special, b.special))
    with p.scope("order"):
        ahead, behind = a.exponent - b.exponent, b.exponent - a.exponent
        swap = p.name("swap", ahead.negative)
        distance = p.mux(swap, behind, ahead).within(0, max(ahead.high, behind.high))
        distance = p.name("distance", distance)
        exponent = p.name("exponent", p.mux(swap, b.exponent, a.exponent))
    with p.scope("near"):
        close = (a.sign ^ b.sign) & ~distance[1:].any()
        last = p.subtract(a.exponent[:2], b.exponent[:2]).bits(2)
        moved, second = last[0], last.all()
        turned = p.name("turned", second | (~moved & (sig_a < sig_b)))
        more, less = p.mux(turned, sig_b, sig_a), p.mux(turned, sig_a, sig_b)
        more, less = more.shifted_left(1), p.mux(moved, less, less.shifted_left(1))
        difference = p.name("difference", p.subtract(more, less).bits(width + 2)[:-1])
        # Where the leading digit stays in the highest place, there may be something to round.
        near = p.name("near", close & ~(moved & difference[-1]))
    there = Unrounded(
        word=with_headroom(difference, base + exponent.low - 1, rounder),
        exponent=p.mux(second, b.exponent, a.exponent),
        offset=base - 1,
        sticky=p.constant(0, 1),
        sign=p.mux(turned, b.sign, a.sign),
        zero_sign=signs,
        special=special,
        words=(more.bits(width + 2), ~less.bits(width + 2), p.constant(1, 1)),
    )
    with p.scope("order"):
        large, small = p.mux(swap, sig_b, sig_a), p.mux(swap, sig_a, sig_b)
    word, sticky, _ = _shifted_sum(p, terms, large, small.bits(width), distance, below)
    return Unrounded(
        word=with_headroom(word, base + exponent.low - below, rounder),
        exponent=exponent,
        offset=base - below,
        sticky=sticky,
        sign=p.mux(swap, b.sign, a.sign),
        zero_sign=signs,
        special=special,
        leading=width + below,
        depth=2,
        instead=(near, there),
    )


def add_sum(
    p: Scheduler, total: Number, addend: Number, rounder: Rounder, special: Special, zero: Wire
) -> Unrounded | None:
    """``total + addend``: a signed word, and a float; the one of lesser exponent is shifted.

    Both are placed at the top of a frame, below which there are as many bits as a result may
    have below the last one of ``total``, whose leading one can be anywhere. None where the
    operands do not fit this scheme (:func:`window_sum` takes them).
    """
    out, keep = rounder.format, rounder.fraction_bits
    word, other = total.significand, addend.significand
    if isinstance(out, Fixed) or not word.signed or other.signed:
        return None
    if total.exponent.constant is not None or addend.exponent.constant is not None:
        return None
    size = max(len(word) - 1, len(other))
    up, other_up = size + 1 - len(word), size - len(other)
    # Exponents of the last bit of the frame's upper part, in units of the addend's.
    base = addend.offset - other_up
    second = addend.exponent
    with p.scope("order"):
        # A zero must not hold the frame up.
        first = p.mux(total.zero, second.low, total.exponent + (total.offset - up - base))

    below = keep + 1 + max(precision(out) - len(other), 0)
    # Below the last bit of the sum: a result led by it, or what it and the addend leave over.
    below = max(below, max(keep + 1 + precision(out), len(other)) - up)
    below = max(below, second.low + base - (lowest_place(out) - keep))

    with p.scope("order"):
        signed = (word.bits(len(word) + 1) ^ addend.sign).as_signed()
        bound = max(-word.low, word.high)
        ours = p.add(signed, addend.sign).within(-bound, bound).shifted_left(up)
        theirs = other.shifted_left(other_up)
        ahead, behind = first - second, second - first
        swap = p.name("swap", behind.negative)
        large = p.name("large", p.mux(swap, ours, theirs).bits(size + 1).as_signed())
        small = p.name("small", p.mux(swap, theirs, ours).bits(size + 1).as_signed())
        distance = p.mux(swap, ahead, behind).within(0, max(ahead.high, behind.high))
        distance = p.name("distance", distance)
        exponent = p.mux(swap, first, second).within(second.low, max(first.high, second.high))
        exponent = p.name("exponent", exponent)
    with p.scope("align"):
        pattern, sticky = shift_right(p, small, distance, size + 1 + below)
        pattern, sticky = p.name("shifted", pattern), p.name("sticky", sticky)
    with p.scope("add"):
        words = large.shifted_left(below), pattern.as_signed(), p.constant(0, 1)
        result = p.name("total", p.add(*words[:2]))
    return Unrounded(
        word=with_headroom(result, second.low + base - below, rounder),
        exponent=exponent,
        offset=base - below,
        sticky=sticky,
        sign=addend.sign,
        zero_sign=zero,
        special=special,
        words=_words(p, words, len(result)),
    )


def window_sum(
    p: Scheduler, product: Number, addend: Number, rounder: Rounder, special: Special, zero: Wire
) -> Unrounded:
    """``product + addend``: the product rests at the bottom of a window, the addend is shifted.

    The window reads, from its top: headroom, the addend's highest position, guard bits, the
    product, and bits below it for results of more precision than the product's leading one
    leaves. Where the addend is so large that it would begin above the window, the window moves
    with it: the product is then too far down for the rounding to see where it lies.

    ``product`` may also be a signed fixed-point sum (a constant exponent).
    """
    out = rounder.format
    keep = rounder.fraction_bits
    digits, lowest = precision(out), lowest_place(out)
    word = product.significand
    whole = addend.magnitude
    size, reach = len(word), len(whole)

    # Bits below the product.
    below = 0
    for index, top in product.lowest:
        wanted = max(digits + keep, reach) - index
        exists = top - min(lowest - keep, addend.quantum)
        below = max(below, min(wanted, exists))

    # Bits between the addend's highest position and the product.
    guard = keep + 1
    for index, top in addend.lowest:
        # Last place of a result led by the addend, relative to the addend's last bit.
        finer = digits - index
        finer = min(finer, top - lowest) if index < reach - 1 else finer
        guard = max(guard, keep + finer)
    signed = word.signed
    room = headroom(out, addend.quantum, reach, keep)

    span = size + guard + below
    with p.scope("align"):
        # A zero addend does not hold the window up.
        exponent, offset = addend.exponent, addend.offset
        if addend.quantum > lowest:
            low = lowest - offset
            exponent = p.mux(addend.zero, low, exponent)
        far = product.offset + size + guard - offset
        place = _placed if p.delays.hurry else _moved
        shifted, sticky, clamped = place(p, product, whole, exponent, far, span)
        shifted, sticky = p.name("shifted", shifted), p.name("sticky", sticky)
    with p.scope("add"):
        negate = p.name("negate", addend.sign if signed else product.sign ^ addend.sign)
        carry = negate & ~sticky
        total_width = reach + span
        high = cat(shifted ^ negate, negate)
        words: tuple[Wire, ...] = ()
        if word.rows:
            # Wraps around: the words are added before any carry is done with.
            rows = [row.shifted_left(below) for row in word.rows]
            total = p.sum([*rows, high], [carry])
            words = (*total.rows, p.constant(0, 1))
            total = total[: total_width + 1].as_signed()
        else:
            total = p.add(word.shifted_left(below), high.as_signed(), carry)
            words = word.shifted_left(below), high, carry
        bound = 1 << total_width
        total = p.name("total", total.within(-bound, bound - 1))
        # Nothing is to be added to the exponent behind the choice.
        start = rounder.origin(
            total_width + room,
            max(product.exponent.high + product.offset - below, exponent.high + offset - span),
        )
        top = product.exponent + (product.offset - below - start)
        anchor = exponent + (offset - span - start)
        last = p.name("exponent", p.mux(clamped, anchor, top))
    return Unrounded(
        word=extend_top(total, room),
        exponent=last,
        offset=start,
        sticky=sticky,
        sign=p.constant(0, 1) if signed else product.sign,
        zero_sign=zero,
        special=special,
        words=_words(p, words, total_width + 1),
    )


def _words(p: Scheduler, words: Sequence[Wire], width: int) -> tuple[Wire, Wire, Wire] | None:
    """Two words and a carry, as :class:`Unrounded` has them where time is short."""
    if not p.delays.hurry or len(words) != 3:
        return None
    first, second, carry = words
    return first.bits(width), second.bits(width), carry


def _moved(
    p: Scheduler, product: Number, whole: Wire, exponent: Wire, far: int, span: int
) -> tuple[Wire, Wire, Wire]:
    """(``whole`` above ``span`` bits and shifted right, whether bits fell out, whether it rests).

    Its last bit is ``product.exponent + far - exponent`` below its highest position.
    """
    # What is known early is brought together first, and whether the distance is less than 1 needs
    # no comparison.
    distance = p.name("distance", product.exponent + p.subtract(far, exponent))
    short = (product.exponent + p.subtract(far - 1, exponent)).negative
    clamped = p.name("clamped", short | product.zero)
    amount = distance.within(0, max(distance.high, 0))
    if distance.low < 0:
        amount = distance.bits(len(distance))[: len(amount)].within(0, max(distance.high, 0))
    amount = p.name("amount", (amount.bits(len(amount)) & ~clamped).within(0, amount.high))
    shifted, sticky = shift_right(p, whole, amount, len(whole) + span, late=True)
    return shifted, sticky, clamped


def _placed(
    p: Scheduler, product: Number, whole: Wire, exponent: Wire, far: int, span: int
) -> tuple[Wire, Wire, Wire]:
    """As :func:`_moved`, and nothing waits for anything that it can do without.

    One sum has all exponents, the shifter does not wait for where it is to rest, and whether bits
    fall out says a second sum, with the zeros below the last one of ``whole``.
    """
    exponents = [*(product.exponent.rows or (product.exponent,)), exponent.complement]
    distance = p.name("distance", p.sum([*exponents, p.constant(far + 1)]))
    short = p.sum([*exponents, p.constant(far)]).negative
    clamped = p.name("clamped", short | product.zero)
    zeros = trailing_zeros(p, whole)
    past = p.sum([*exponents, zeros.complement, p.constant(far + 1 - span)])
    sticky = ~past.negative & whole.any() & ~product.zero
    width = len(whole) + span
    if distance.high <= 0:
        return whole.shifted_left(span).bits(width), sticky, clamped
    beyond = clamped | at_least(p, distance, width + 1)
    size = min(width, distance.high).bit_length()
    shifted = shift_down(p, whole, distance.bits(size), width) & ~beyond
    return shifted | cat(p.constant(0, span), whole & clamped), sticky, clamped
