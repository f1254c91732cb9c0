# SPDX-License-Identifier: BSD-2-Clause
"""Exact sums of products: alignment windows, fixed-point sums, and the aligned profile.

Every function here gives an :class:`~macaw.hdl.arithmetic.rounding.Unrounded`: nothing is rounded,
and what falls out of a window is kept as a sticky bit where the rounding cannot see more than that.
"""

from collections.abc import Sequence

from macaw.golden.errors import SpecError
from macaw.golden.formats import Fixed, Float, Format, Subnormals
from macaw.golden.formats.choices import Rounding

from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .number import Number, Special
from .rounding import Rounder, Unrounded
from .shift import shift_right

__all__ = [
    "add_pair",
    "add_sum",
    "align_truncated",
    "fixed_point",
    "from_number",
    "shift_up",
    "truncated_terms",
    "window_sum",
    "with_headroom",
]


def combine_special(p: Scheduler, terms: Sequence[Special]) -> Special:
    """NaN and infinities of a sum: opposite infinities are an invalid NaN."""
    nan = cat(*(term.nan for term in terms)).any()
    invalid = cat(*(term.invalid for term in terms)).any()
    infinite = [term.infinite & ~term.nan for term in terms]
    plus = cat(*(x & ~term.negative for x, term in zip(infinite, terms, strict=True))).any()
    minus = cat(*(x & term.negative for x, term in zip(infinite, terms, strict=True))).any()
    clash = plus & minus
    return Special(nan=nan | clash, infinite=plus | minus, negative=minus, invalid=invalid | clash)


def zero_sign(p: Scheduler, rounder: Rounder, signs: Sequence[Wire]) -> Wire:
    """Sign of an exact zero: that of its terms if they agree, else minus when rounding down."""
    together = cat(*signs)
    return p.mux(rounder.is_mode(Rounding.RDN), together.any(), together.all())


def zero_sign_truncated(p: Scheduler, rounder: Rounder, terms: Sequence[Number]) -> Wire:
    """Sign of a zero sum of truncated terms: one that is cut to nothing was not a zero."""
    minus = cat(*(term.zero & term.sign for term in terms)).all()
    plus = cat(*(term.zero & ~term.sign for term in terms)).all()
    return p.mux(rounder.is_mode(Rounding.RDN), ~plus, minus)


def _lowest_out(format: Format) -> int:
    """Exponent of the last place of the smallest results."""
    if isinstance(format, Float) and format.subnormals is not Subnormals.GRADUAL:
        return format.quantum - 1
    return format.quantum


def _precision(format: Format) -> int:
    return format.precision if isinstance(format, Float) else format.width


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


def from_number(p: Scheduler, number: Number, rounder: Rounder) -> Unrounded:
    """A single number or product, as it is."""
    out = rounder.format
    word = number.significand
    # A signed word carries the sign itself.
    sign = p.constant(0, 1) if number.exponent.constant is not None else number.sign
    leading, depth = None, 0
    if isinstance(out, Float) and not number.significand.signed:
        leading, depth = _leading_index(number, out, rounder.fraction_bits, len(word))
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
    return (None if any(top >= _lowest_out(out) - bits for top in tops) else highest), 0


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

    swap = cat(sig_a, exp_a) < cat(sig_b, exp_b)
    large = p.mux(swap, sig_b, sig_a)
    small = p.mux(swap, sig_a, sig_b)
    exponent = p.mux(swap, b.exponent, a.exponent)
    lesser = p.mux(swap, a.exponent, b.exponent)
    distance = (exponent - lesser).within(0, exponent.high)

    out = rounder.format
    keep = rounder.fraction_bits
    below = max(_precision(out) - width, 0) + keep + 1
    exponents = a.exponent, b.exponent
    span = max(e.high for e in exponents) - min(e.low for e in exponents)
    below = min(below, span)
    word, sticky = shift_right(p, small.bits(width), distance, width + below)
    subtract = p.name("subtract", a.sign ^ b.sign)
    word = p.name("aligned", word ^ subtract)
    carry = subtract & ~sticky
    # Never negative: two's complement wraps around into the right place.
    total = p.add(cat(p.constant(0, below), large), word, carry)
    size = width + below
    top = total[size] & ~subtract
    word = cat(total[:size], top)
    word = p.name("total", word)
    return Unrounded(
        word=with_headroom(word, a.quantum - pad_a - below, rounder),
        exponent=exponent,
        offset=base - below,
        sticky=sticky,
        sign=p.mux(swap, b.sign, a.sign),
        zero_sign=zero_sign(p, rounder, (a.sign, b.sign)),
        special=combine_special(p, (a.special, b.special)),
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
    # A zero must not hold the frame up.
    first = p.mux(total.zero, second.low, total.exponent + (total.offset - up - base))

    below = keep + 1 + max(_precision(out) - len(other), 0)
    # Below the last bit of the sum: a result led by it, or what it and the addend leave over.
    below = max(below, max(keep + 1 + _precision(out), len(other)) - up)
    below = max(below, second.low + base - (_lowest_out(out) - keep))

    signed = (word.bits(len(word) + 1) ^ addend.sign).as_signed()
    bound = max(-word.low, word.high)
    ours = p.add(signed, addend.sign).within(-bound, bound).shifted_left(up)
    theirs = other.shifted_left(other_up)
    ahead, behind = first - second, second - first
    swap = behind.negative
    large = p.mux(swap, ours, theirs).bits(size + 1).as_signed()
    small = p.mux(swap, theirs, ours).bits(size + 1).as_signed()
    distance = p.mux(swap, ahead, behind).within(0, max(ahead.high, behind.high))
    exponent = p.mux(swap, first, second).within(second.low, max(first.high, second.high))

    pattern, sticky = shift_right(p, small, distance, size + 1 + below)
    result = p.add(large.shifted_left(below), pattern.as_signed())
    result = p.name("total", result)
    return Unrounded(
        word=with_headroom(result, second.low + base - below, rounder),
        exponent=exponent,
        offset=base - below,
        sticky=sticky,
        sign=addend.sign,
        zero_sign=zero,
        special=special,
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
    precision = _precision(out)
    lowest_out = _lowest_out(out)
    word = product.significand
    whole = addend.magnitude
    size, reach = len(word), len(whole)

    # Bits below the product.
    below = 0
    for index, top in product.lowest:
        wanted = max(precision + keep, reach) - index
        exists = top - min(lowest_out - keep, addend.quantum)
        below = max(below, min(wanted, exists))

    # Bits between the addend's highest position and the product.
    guard = keep + 1
    for index, top in addend.lowest:
        # Last place of a result led by the addend, relative to the addend's last bit.
        finer = precision - index
        finer = min(finer, top - lowest_out) if index < reach - 1 else finer
        guard = max(guard, keep + finer)
    signed = word.signed
    room = headroom(out, addend.quantum, reach, keep)

    # A zero addend does not hold the window up.
    exponent, offset = addend.exponent, addend.offset
    if addend.quantum > lowest_out:
        low = lowest_out - offset
        exponent = p.mux(addend.zero, low, exponent)
    span = size + guard + below
    # Distance of the addend's last bit below its highest position.
    distance = (product.exponent + (product.offset + size + guard - offset)) - exponent
    clamped = (distance < 1) | product.zero if distance.low < 1 else product.zero
    amount = distance.within(0, max(distance.high, 0))
    if distance.low < 0:
        amount = distance.bits(len(distance))[: len(amount)].within(0, max(distance.high, 0))
    amount = (amount.bits(len(amount)) & ~clamped).within(0, amount.high)

    shifted, sticky = shift_right(p, whole, amount, reach + span, late=True)
    negate = addend.sign if signed else product.sign ^ addend.sign
    aligned = p.name("aligned", shifted ^ negate)
    carry = negate & ~sticky
    placed = word.shifted_left(below)
    total_width = reach + span
    high = cat(aligned, negate).as_signed()
    total = p.add(placed, high, carry)
    bound = 1 << total_width
    total = p.name("total", total.within(-bound, bound - 1))

    top = product.exponent + (product.offset - below)
    anchor = exponent + (offset - span)
    last = p.mux(clamped, anchor, top)
    return Unrounded(
        word=extend_top(total, room),
        exponent=last,
        offset=0,
        sticky=sticky,
        sign=p.constant(0, 1) if signed else product.sign,
        zero_sign=zero,
        special=special,
    )


def fixed_point(p: Scheduler, terms: Sequence[Number]) -> Number:
    """The exact sum of numbers as one signed fixed-point number."""
    quantum = min(term.quantum for term in terms)
    words, carries, low, high = [], [], 0, 0
    for term in terms:
        up = term.quantum - quantum
        word = _shift_up(p, term.significand, term)
        if not word.signed and term.sign.constant is None:
            # Shifted before it is complemented: what the shifter moves is narrower.
            low, high = low - (word.high << up), high + (word.high << up)
            word = word.shifted_left(up)
            word = cat(word.bits(len(word)) ^ term.sign, term.sign).as_signed()
            carries.append(term.sign)
        elif word.signed or term.sign.constant == 0:
            low, high = low + (word.low << up), high + (word.high << up)
            word = word.shifted_left(up)
        else:
            word = p.subtract(0, word.shifted_left(up))
            low = low + word.low
        words.append(word)
    total = p.name("sum", p.sum(words, carries).within(low, high))
    never = p.constant(0, 1)
    return Number(
        pipeline=p,
        sign=total.negative,
        zero=~total.any(),
        significand=total,
        exponent=p.constant(0),
        offset=quantum,
        lowest=((0, quantum),),
        special=Special(nan=never, infinite=never, negative=never, invalid=never),
    )


def shift_up(p: Scheduler, term: Number) -> Wire:
    """A float as a signed integer in units of its smallest last place."""
    return _shift_up(p, term.signed, term)


def _shift_up(p: Scheduler, word: Wire, term: Number) -> Wire:
    """``word`` shifted up by the exponent of ``term``, whose significand it is."""
    limit = term.significand.high << (term.exponent.high - term.exponent.low)
    amount = term.exponent - term.exponent.low
    for level in range(len(amount)):
        step = 1 << level
        word = p.mux(amount[level], word.shifted_left(step), word)
    low = -limit if word.signed else 0
    if term.significand.signed:
        low = term.significand.low << (term.exponent.high - term.exponent.low)
    return word.within(low, limit)


def align_truncated(
    p: Scheduler, terms: Sequence[tuple[Number, int]], fraction: int, rounder: Rounder
) -> tuple[Wire, Wire, int]:
    """Terms aligned to the largest exponent and truncated to ``fraction`` bits, summed exactly.

    ``terms`` as of :func:`truncated_terms`. Returns the signed sum, the wire with the largest
    exponent, and the offset: the value is ``sum * 2**(exponent + offset)``.
    """
    words, largest, offset = truncated_terms(p, terms, fraction)
    signs = [term.sign for term, _ in terms]
    total = p.name("sum", p.sum(words, signs))
    return with_headroom(total, offset, rounder), largest, offset


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
    level = list(biased)
    while len(level) > 1:
        pairs = [p.mux(x < y, y, x) for x, y in zip(level[0::2], level[1::2], strict=False)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    largest = p.name("largest", level[0])
    words = []
    for (term, bits), exponent in zip(terms, biased, strict=True):
        magnitude = term.magnitude
        distance = (largest - exponent).within(0, largest.high)
        width = fraction + len(magnitude) - bits
        if width > len(magnitude):
            shifted, _ = shift_right(p, magnitude, distance, width)
        else:
            shifted, _ = shift_right(p, magnitude[len(magnitude) - width :], distance, width)
        words.append(cat(shifted ^ term.sign, term.sign).as_signed())
    return words, largest, offset - fraction


WIDEST_SUM = 128
"""Bits of the widest exact sum that is built without being forced."""


def sum_width(terms: Sequence[Number], count: int = 1) -> int:
    """Width of the exact fixed-point sum of ``count`` times these terms."""
    quantum = min(term.quantum for term in terms)
    bound = sum(_bound(term) << (term.top - quantum) for term in terms)
    return (bound * count).bit_length() + 1


def _bound(term: Number) -> int:
    return max(term.significand.high, -term.significand.low)


def sum_products(
    p: Scheduler, products: Sequence[Number], addend: Number, rounder: Rounder, widest: int
) -> Unrounded:
    """``addend + sum(products)``, by whichever of the schemes above is narrower."""
    terms = [*products, addend]
    special = combine_special(p, [term.special for term in terms])
    zero = zero_sign(p, rounder, [term.sign for term in terms])
    if all(term.exponent.constant is not None for term in terms):
        total = fixed_point(p, terms)
    else:
        if len(products) > 1:
            width = sum_width(products)
            if width > widest:
                raise SpecError(
                    f"accumulation=exact: the sum of the products needs {width} bits, and gates "
                    f"take at most {widest}; use accumulation=aligned(24)"
                )
        product = products[0] if len(products) == 1 else fixed_point(p, products)
        if product.exponent.constant is None or addend.exponent.constant is None:
            return window_sum(p, product, addend, rounder, special, zero)
        total = fixed_point(p, [product, addend])
    return from_fixed(p, total, rounder, special, zero)


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
