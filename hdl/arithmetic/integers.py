# SPDX-License-Identifier: BSD-2-Clause
"""Integers of operands and results: codes read as integers, integers kept within a format.

What is here takes and gives whole numbers of last places. Values with a fraction, or with an
exponent, are projected by a :class:`~.rounding.Rounder`.
"""

from macaw.golden.formats import Fixed

from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat, shape_of

__all__ = [
    "ascending",
    "at_most",
    "ends",
    "integer",
    "integers",
    "moved",
    "running",
    "saturate",
    "wrap",
    "zero_point",
]


# From codes.


def integer(code: Wire, format: Fixed) -> Wire:
    """The integer, in last places, that a code means."""
    return code.as_signed() if format.signed else code


def integers(codes: Wire, format: Fixed) -> list[Wire]:
    """The integers of a vector operand, lane 0 first."""
    return [integer(code, format) for code in codes.lanes(format.width)]


def ascending(codes: Wire, format: Fixed) -> list[Wire]:
    """The lanes as unsigned words that have the order and the differences of the integers.

    Those of signed formats are in offset binary.
    """
    words = codes.lanes(format.width)
    if format.signed:
        words = [cat(word[:-1], ~word[-1]) for word in words]
    return words


def zero_point(p: Scheduler, operands: dict[str, Wire], name: str, format: Fixed) -> Wire:
    """A zero point; 0 for units that have no such operand."""
    return integer(operands[name], format) if name in operands else p.constant(0)


# On the way.


def running(p: Scheduler, beat: Wire, last: Wire, beats: int, *, most: int | None = None) -> Wire:
    """The sum of ``beat`` and of those since the one that was ``last``, ``beats`` in all at most.

    With ``most`` it wraps to so many bits, if it has more.
    """
    # One more place for the sign of unsigned values: accumulators are signed.
    width = shape_of(min(beat.low, -1) * beats, beat.high * beats).width
    if most is not None:
        width = min(width, most)
    return p.accumulate(beat, last, width)


# To codes.


def wrap(total: Wire, format: Fixed) -> Wire:
    """The code of ``total`` modulo ``2**width``: its own, where it is within the format."""
    return total.bits(format.width)


def ends(p: Scheduler, format: Fixed) -> tuple[Wire, Wire]:
    """The codes of the least and of the largest integer."""
    least = format.min_integer & ((1 << format.width) - 1)
    return p.constant(least, format.width), p.constant(format.max_integer, format.width)


@scoped("saturate")
def saturate(
    p: Scheduler,
    total: Wire,
    format: Fixed,
    over: Wire | None = None,
    negative: Wire | None = None,
) -> Wire:
    """The code of ``total``, or of the nearest integer that the format has.

    Where ``over``, the total is beyond all of them, on the side that ``negative`` says.
    """
    never = p.constant(0, 1)
    over = never if over is None else over
    negative = never if negative is None else negative
    width, below = format.width, total.negative
    # With a sign on top, which a total of what is never negative has not.
    beyond = total.bits(max(len(total) + (not total.signed), width + 1))[width - format.signed :]
    wrong = (beyond[:-1] ^ below).any() if format.signed else beyond.any()
    wrong = wrong | over
    sign = p.mux(over, negative, below)
    end = p.repeat(~sign, width - format.signed)
    if format.signed:
        end = cat(end, sign)
    code = p.mux(wrong, end, wrap(total, format))
    if format.symmetric:
        lowest = code[-1] & ~code[:-1].any()
        code = cat(code[0] | lowest, code[1:])
    return code


def at_most(word: Wire, most: int, width: int) -> Wire:
    """``min(word, most)`` in ``width`` bits; a word may reach the power of two above ``most``."""
    if word.high <= most:
        return word.bits(width)
    assert word.high == most + 1
    # All bits below the one that is too high are then zero.
    over = word[len(word) - 1]
    return (word[: len(word) - 1] | over).bits(width)


def moved(p: Scheduler, code: Wire, zero_point: int) -> Wire:
    """``code + zero_point`` modulo its width; zeros at the end of the constant need no adder."""
    if not zero_point:
        return code
    cut = (zero_point & -zero_point).bit_length() - 1
    if cut == len(code) - 1:
        return cat(code[:cut], ~code[cut])
    upper = p.add(code[cut:], zero_point >> cut).bits(len(code) - cut)
    return cat(code[:cut], upper) if cut else upper
