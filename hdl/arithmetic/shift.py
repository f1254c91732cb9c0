# SPDX-License-Identifier: BSD-2-Clause
"""Shifters, the leading-zero counter, comparisons: wide pieces that many units share."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Value

from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat

__all__ = [
    "DIGITS",
    "anticipated",
    "at_least",
    "floored",
    "largest",
    "leading_zeros",
    "marked",
    "shift_down",
    "shift_left",
    "shift_right",
    "shift_to_digits",
    "trailing_zeros",
    "window",
]

DIGITS = 8
"""Digits that coarse shifts look at together."""


@scoped("count_zeros")
def leading_zeros(p: Scheduler, word: Wire) -> Wire:
    """Number of zeros above the leading one; without a one, the width or one less.

    A tree of logarithmic depth: each node says whether its half is empty, and how many zeros lead.
    """
    width = len(word)
    size = 1 << (width - 1).bit_length()
    if size > width:
        word = cat(p.constant((1 << (size - width)) - 1, size - width), word)
    _, count = _leading(p, word)
    return p.constant(0) if count is None else count.within(0, width)


def _leading(p: Scheduler, word: Wire) -> tuple[Wire, Wire | None]:
    """(no bit set, zeros above the leading one modulo the width)."""
    width = len(word)
    if width == 1:
        return ~word, None
    if word.constant is not None:
        value = word.constant
        count = width - value.bit_length()
        bits = width.bit_length() - 1
        return p.constant(int(value == 0), 1), p.constant(count & ((1 << bits) - 1), bits)
    high_empty, high = _leading(p, word[width // 2 :])
    low_empty, low = _leading(p, word[: width // 2])
    empty = high_empty & low_empty
    if high is None or low is None:
        return empty, high_empty
    return empty, cat(p.mux(high_empty, low, high, "zeros"), high_empty)


def anticipated(p: Scheduler, a: Wire, b: Wire, carry: Wire) -> Wire:
    """Ones: where the highest is, or a place below, the digits of ``a + b + carry`` begin.

    Nothing is carried, so that they are there before the sum, which wraps within the width of both
    words and may be negative. One bit less than that: a digit differs from the one above it. Where
    none does, there are no ones. Schmookler and Nowka, "Leading zero anticipation and detection"
    (ARITH 2001).
    """
    width = len(a)

    def ones(a: Value, b: Value, carry: Value) -> Value:
        differ, both, none = a ^ b, a & b, ~(a | b)
        # What the place below says of the carry out of it.
        one, zero = Cat(carry, both[:-1]), Cat(~carry, none[:-1])
        follows = (both & ~zero) | (none & ~one)
        turns = (none & ~zero) | (both & ~one)
        above = differ[1:]
        found = (above & follows[:-1]) | (~above & turns[:-1])
        # No place above the sign's could tell of the first digit.
        return found | Cat(Const(0, width - 2), differ[width - 2] & ~differ[width - 1])

    return p.op(ones, a.bits(width), b.bits(width), carry, delay=4 * p.delays.gate, name="ones")


def trailing_zeros(p: Scheduler, word: Wire) -> Wire:
    """Number of zeros below the last one; without a one, the width or one less."""
    if not len(word):
        return p.constant(0)  # the zero that a sum begins with
    return leading_zeros(p, cat(*(word[place] for place in reversed(range(len(word))))))


def marked(p: Scheduler, word: Wire, place: Wire) -> Wire:
    """``word`` with a one at ``place``, counted from its top, if that is a place of it.

    A negative place is none. It is decoded while the word is waited for, in the same stage: its
    bits are few, and what they are decoded into is as long as the word.
    """
    width = len(word)
    cut = min((width - 1).bit_length(), len(place)) // 2

    def decoded(word: Value, place: Value) -> Value:
        fine = [place[:cut] == n for n in range(1 << cut)]
        coarse = [place[cut:] == n for n in range(-(-width >> cut))]
        ones = [fine[n % len(fine)] & coarse[n >> cut] for n in range(width)]
        return word | Cat(*reversed(ones))

    decode = p.delays.reduction(len(place)) + p.delays.gate
    ahead = word.time - place.time if word.stage == place.stage else 0.0
    wait = 0.0 if word.stage > place.stage else max(decode - max(ahead, 0.0), 0.0)
    delay = p.delays.gate + wait
    return p.op(decoded, word.bits(width), place, delay=delay, name="marked")


def shift_left(p: Scheduler, word: Wire, amount: Wire, keep: int) -> tuple[Wire, Wire]:
    """(the ``keep`` top bits of ``word << amount`` within its width, OR of all bits below them).

    Coarse shifts first, so that the bits that can no longer reach the top leave early.
    """
    word = _filled(p, word, keep)
    lost: Wire = p.constant(0, 1)
    for level in reversed(range(len(amount))):
        word, lost = _moved_left(p, word, lost, level, amount[level], keep, amount.high)
    return _upper(word, lost, keep)


def _filled(p: Scheduler, word: Wire, size: int) -> Wire:
    return cat(p.constant(0, size - len(word)), word) if size > len(word) else word


def _moved_left(
    p: Scheduler, word: Wire, lost: Wire, level: int, select: Wire, keep: int, high: int
) -> tuple[Wire, Wire]:
    """(``word`` moved by ``1 << level`` or not, without the bits that no finer shift brings up,
    ``lost`` or some of those that left it)."""
    step = 1 << level
    needed = min(len(word), keep + min(step - 1, max(high, 0)))
    dropped = len(word) - needed
    if dropped:
        stay = word[:dropped].any()
        gone = word[: dropped - step].any() if dropped > step else p.constant(0, 1)
        lost = lost | p.mux(select, gone, stay)
    moved = p.constant(0, needed)
    if step < len(word):
        moved = word.shifted_left(step)[dropped : dropped + needed]
    return p.mux(select, moved, word[dropped:], "shifted"), lost


def _upper(word: Wire, lost: Wire, keep: int) -> tuple[Wire, Wire]:
    dropped = len(word) - keep
    if dropped > 0:
        lost = lost | word[:dropped].any()
        word = word[dropped:]
    return word.bits(keep), lost


def shift_to_digits(
    p: Scheduler, word: Wire, negative: Wire, most: Wire, keep: int
) -> tuple[Wire, Wire, Wire, Wire]:
    """As :func:`shift_left`, by the zeros above the leading digit, but by no more than ``most``.

    Digits are the bits, or if ``negative`` their complements. Also returns by how much, and
    whether there is any digit. Nothing is counted: each shift is done unless a digit is in its way,
    which takes few gates, one behind the other. For the coarse shifts digits are brought together
    by eight, and these signs of theirs move with the word. What comes in below is zeros, which are
    digits if ``negative``: where no bit is one, as of -1, they stop the shift.
    """
    width, never = len(word), p.constant(0, 1)
    levels = min((width - 1).bit_length(), most.high.bit_length())
    high = (1 << levels) - 1
    some = [
        p.name("some", (word[max(end - DIGITS, 0) : end] ^ negative).any())
        for end in range(width, 0, -DIGITS)
    ]
    found = cat(*some).any()
    if width % DIGITS:
        some[-1] = some[-1] | negative
    word = _filled(p, word, keep)
    lost, amount = never, []
    # Whether no finer shift is beyond ``most``.
    free = most[levels:].any() if len(most) > levels else never
    for level in reversed(range(levels)):
        step, count = 1 << level, (1 << level) // DIGITS
        if count:
            above = cat(*some[:count]).any()
        else:
            above = (word[max(len(word) - step, 0) :] ^ negative).any()
        select = p.name("moves", (free | most[level]) & ~above)
        free = free | (most[level] & above)
        amount.append(select)
        if count:
            moved = [*some[count:], *[negative] * count]
            # Finer shifts look at fewer.
            pairs = list(zip(moved, some, strict=False))[:count]
            some = [p.mux(select, there, here) for there, here in pairs]
        word, lost = _moved_left(p, word, lost, level, select, keep, high)
    shifted, below = _upper(word, lost, keep)
    return shifted, below, cat(*reversed(amount)).within(0, min(high, most.high)), found


def shift_down(p: Scheduler, word: Wire, amount: Wire, width: int) -> Wire:
    """``word`` at the top of ``width`` bits and shifted right, unsigned; what falls out is lost.

    Fine shifts first, so that the word grows only as far as it has moved.
    """
    for level in range(len(amount)):
        step = 1 << level
        grown = min(len(word) + step, width)
        gone = len(word) + step - grown
        here = cat(p.constant(0, grown - len(word)), word)
        moved = word[gone:].bits(grown) if gone < len(word) else p.constant(0, grown)
        word = p.mux(amount[level], moved, here, "shifted")
    return cat(p.constant(0, width - len(word)), word) if len(word) < width else word


def shift_right(
    p: Scheduler, word: Wire, amount: Wire, width: int, *, late: bool = False
) -> tuple[Wire, Wire]:
    """(``word`` at the top of ``width`` bits and shifted right, OR of the bits that fell out).

    The sign of a signed word is repeated: the pattern is that of the quotient rounded down.
    ``amount`` may be anything from 0 to its range's end. Fine shifts first, so that the word
    grows only as far as it has moved. What falls out leaves at once, or ``late``: then all of it
    is looked at together, which is smaller where the word is much narrower than its way.
    """
    some, signed = word.any(), word.signed
    fill = word.negative
    word = word.bits(len(word))

    def extended(part: Wire, size: int) -> Wire:
        return part.as_signed().bits(size) if signed else part.bits(size)

    room = min(len(word) + amount.high, width + len(word)) if late else width
    if amount.high > width:
        far = at_least(p, amount, width + 1)
        amount = amount.bits(width.bit_length())
    else:
        far = p.constant(0, 1)
    fell = p.constant(0, 1)
    if len(word) > room:
        cut = len(word) - room
        fell, word = word[:cut].any(), word[cut:]
    for level in range(len(amount)):
        step, select = 1 << level, amount[level]
        grown = min(len(word) + step, room)
        gone = len(word) + step - grown
        here = cat(p.constant(0, grown - len(word)), word)
        moved = extended(word[gone:], grown) if gone < len(word) else p.repeat(fill, grown)
        if gone and not late:
            fell = fell | (select & word[:gone].any())
        word = p.mux(select, moved, here, "shifted")
    if len(word) < width:
        word = cat(p.constant(0, width - len(word)), word)
    if len(word) > width:
        cut = len(word) - width
        fell, word = fell | word[:cut].any(), word[cut:]
    if far.constant is None:
        word = (word & ~far) | (fill & far)
        fell = p.mux(far, some, fell)
    return word, fell


def window(p: Scheduler, word: Wire, amount: Wire, keep: int) -> tuple[Wire, Wire, Wire]:
    """(the ``keep`` low bits of ``word >> amount``, OR of the bits that fell out, overflow).

    ``word`` is signed, and its quotient rounded down; overflow is that what is kept, read as
    signed, is not all of it. Coarse shifts first: what no finer one can bring down leaves early.
    """
    sign, never = word.negative, p.constant(0, 1)
    # Beyond a shift that leaves the sign alone nothing changes.
    levels = max(word.high, -word.low).bit_length().bit_length()
    if len(amount) > levels:
        amount = amount[:levels] | amount[levels:].any()
    fell, beyond = never, never
    word = word.bits(len(word))

    def extended(part: Wire, size: int) -> Wire:
        return cat(part, p.repeat(sign, size - len(part))) if size > len(part) else part[:size]

    def differs(part: Wire) -> Wire:
        return (part ^ sign).any() if len(part) else never

    for level in reversed(range(len(amount))):
        step, select = 1 << level, amount[level]
        need = keep + min(step - 1, amount.high)
        fell = fell | (select & word[:step].any())
        beyond = (
            beyond | differs(word[step + need :]) | (~select & differs(word[need : step + need]))
        )
        size = min(need, max(len(word), keep))
        word = p.mux(select, extended(word[step:], size), extended(word, size), "shifted")
    word = extended(word, max(len(word), keep))
    beyond = beyond | differs(word[keep - 1 :])
    return word[:keep], fell, beyond


def floored(word: Wire, cut: int) -> Wire:
    """``floor(word / 2**cut)``: the bits above."""
    if cut >= len(word):
        return word.negative if not word.signed else word[len(word) - 1 :].as_signed()
    part = word[cut:]
    part = part.as_signed() if word.signed else part
    return part.within(word.low >> cut, word.high >> cut)


def at_least(p: Scheduler, word: Wire, bound: int) -> Wire:
    """``word >= bound`` for a constant, from gates instead of a carry chain."""
    if bound <= word.low:
        return p.constant(1, 1)
    if bound > word.high:
        return p.constant(0, 1)
    if word.signed:
        negative = word[-1]
        if bound <= 0:
            # Offset binary: flip the sign bit and compare as unsigned.
            flipped = cat(word[:-1], ~negative)
            return at_least(p, flipped, bound + (1 << (len(word) - 1)))
        return at_least(p, word[:-1], bound) & ~negative
    result: Wire | None = None
    position = 0
    while position < len(word):
        bit = (bound >> position) & 1
        end = position
        while end < len(word) and (bound >> end) & 1 == bit:
            end += 1
        run = word[position:end]
        if bit:
            result = run.all() if result is None else run.all() & result
        elif result is not None:
            result = run.any() | result
        position = end
    assert result is not None
    return result


@scoped("largest")
def largest(p: Scheduler, words: Sequence[Wire]) -> Wire:
    """The largest of unsigned words: a tree of comparisons."""
    level = list(words)
    while len(level) > 1:
        pairs = [
            p.mux(x < y, y, x, "larger") for x, y in zip(level[0::2], level[1::2], strict=False)
        ]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]
