# SPDX-License-Identifier: BSD-2-Clause
"""Gates for functions of wide floats: the steps of :mod:`macaw.golden.arithmetic.real.faithful`."""

from dataclasses import dataclass

from macaw.golden.arithmetic.real import faithful as golden
from macaw.golden.arithmetic.real.faithful import functions as steps
from macaw.golden.arithmetic.real.faithful.circular import Circular

from ..arithmetic.divide import normalised
from ..arithmetic.number import Number, Special
from ..arithmetic.projection import Unrounded
from ..arithmetic.rounding import Rounder
from ..arithmetic.shift import at_least, floored, leading_zeros, shift_left, shift_right
from ..arithmetic.unrounded import with_headroom
from ..arithmetic.words.square_root import squared
from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .polynomial import kernel
from .powers import scaled
from .reductions import times
from .turns import window_of_two_over_pi

__all__ = ["unrounded"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """``(-1)**sign * word * 2**(exponent + offset)``; ``leading`` and ``depth`` as rounded."""

    word: Wire
    exponent: Wire
    offset: int
    sign: Wire
    leading: int | None = None
    depth: int = 0


def unrounded(p: Scheduler, spec: golden.Faithful, number: Number, rounder: Rounder) -> Unrounded:
    """The word of a finite operand that is not zero and not outside the domain, to be rounded."""
    found = _STEPS[type(spec)](p, spec, number)
    never = p.constant(0, 1)
    word = p.name("word", found.word)
    return Unrounded(
        word=with_headroom(word, found.exponent.low + found.offset, rounder),
        exponent=p.name("exponent", found.exponent),
        offset=found.offset,
        sticky=never,
        sign=found.sign,
        zero_sign=never,
        special=Special(nan=never, infinite=never, negative=never, invalid=never),
        leading=found.leading,
        depth=found.depth,
    )


@scoped("power")
def _power(
    p: Scheduler, spec: steps.OfPowers, sign: Wire, number: Number, twice: bool = False
) -> tuple[Wire, Wire]:
    """(m, n) of the power of an operand's magnitude, or of twice that, with a sign."""
    power, bits = spec.power, spec.bits
    y = scaled(p, sign, number, power, up=int(twice))
    place = y[:bits].bits(bits)
    return kernel(p, spec.significand, place, 1 << bits, (2 << bits) - 1), floored(y, bits)


def _exponential(p: Scheduler, spec: steps.Exponential, number: Number) -> Word:
    m, n = _power(p, spec, number.sign, number)
    return Word(
        word=m, exponent=n, offset=-spec.bits, sign=p.constant(0, 1), leading=spec.bits
    )  # fmt: skip


@scoped("denominator")
def _denominator(p: Scheduler, spec: steps.Sigmoid, m: Wire, n: Wire) -> tuple[Wire, Wire]:
    """(p in B bits, r) of a power that is at most 1."""
    bits = spec.bits
    amount = p.subtract(0, n).within(0, -n.low)
    fixed, _ = shift_right(p, m, amount, bits + 1)
    below = p.name("power", fixed[:bits] | fixed[bits])
    return below, kernel(p, spec.reciprocal, below, 1 << bits, 2 << bits)


def _sigmoid(p: Scheduler, spec: steps.Sigmoid, number: Number) -> Word:
    bits = spec.bits
    m, n = _power(p, spec, p.constant(1, 1), number)
    n = n.within(n.low, 0)
    _, r = _denominator(p, spec, m, n)
    factor = p.mux(number.sign, m, 1 << bits)
    return Word(
        word=p.multiply(factor, r),
        exponent=p.mux(number.sign, n, 0),
        offset=-2 * bits - 1,
        sign=p.constant(0, 1),
        leading=2 * bits + 1,
        depth=1,
    )


def _tanh(p: Scheduler, spec: steps.Tanh, number: Number) -> Word:
    bits, digits = spec.bits, spec.a.precision
    tiny = number
    if spec.out.emin < spec.a.emin or spec.a.emin > -2:
        tiny = normalised(p, number)
    highest = -1 - digits - tiny.offset
    small = ~at_least(p, tiny.exponent, highest + 1)
    with p.scope("small"):
        amount = p.subtract(p.constant(highest), tiny.exponent)
        most = max(highest - tiny.exponent.low, 0)
        amount = amount.bits(max(most.bit_length(), 1)).within(0, most)
        place, _ = shift_right(p, tiny.significand, amount, bits)
        h = kernel(p, spec.tangent, place, 1 << (bits - 1), 1 << bits)
    m, n = _power(p, spec, p.constant(1, 1), number, twice=True)
    below, r = _denominator(p, spec, m, n.within(n.low, 0))
    less = p.subtract(1 << bits, below).within(1, 1 << bits)
    # Both pairs of factors with their leading ones at the same places.
    width = max(digits, bits + 1)
    significand = tiny.significand.shifted_left(width - digits)
    first = p.mux(small, significand, less.shifted_left(width - 1 - bits))
    second = p.mux(small, h.shifted_left(1), r)
    exponent = p.add(tiny.exponent, tiny.offset + digits - 1)
    return Word(
        word=p.multiply(first, second),
        exponent=p.mux(small, exponent, 0),
        offset=-width - bits,
        sign=number.sign,
        leading=width + bits,
        depth=2,
    )


def _reciprocal(p: Scheduler, spec: steps.Reciprocal, number: Number) -> Word:
    bits, number = spec.bits, normalised(p, number)
    place = number.significand[: spec.a.mantissa]
    return Word(
        word=kernel(p, spec.kernel, place, 1 << bits, 2 << bits),
        exponent=p.subtract(0, number.exponent),
        offset=-number.offset - spec.a.mantissa - bits - 1,
        sign=number.sign,
        leading=bits + 1,
        depth=1,
    )


def _reciprocal_root(p: Scheduler, spec: steps.ReciprocalRoot, number: Number) -> Word:
    bits, number = spec.bits, normalised(p, number)
    bias = number.offset + spec.a.mantissa
    field = p.add(number.exponent, bias & 1)
    odd, half = field[0], field[1:] if len(field) > 1 else p.constant(0)
    place = cat(number.significand[: spec.a.mantissa], odd)
    return Word(
        word=kernel(p, spec.kernel, place, 1 << bits, 2 << bits),
        exponent=p.subtract(0, half),
        offset=-(bias >> 1) - bits - 1,
        sign=p.constant(0, 1),
        leading=bits + 1,
        depth=1,
    )


def _logarithm(p: Scheduler, spec: steps.Logarithm, number: Number) -> Word:
    number = normalised(p, number)
    width = spec.a.mantissa
    place = number.significand[:width]
    upper = place[width - 1]
    exponent = p.add(number.exponent, number.offset + width, upper)
    d = p.mux(upper, cat(place, p.constant(1, 1)).as_signed(), place.shifted_left(1))
    d = d.within(-1 << (width - 1), (1 << width) - 2 if width > 1 else 0)
    g = kernel(p, spec.kernel, place, 3 << (spec.bits - 2), 2 << spec.bits)
    if spec.name == "log2":
        base = exponent.shifted_left(spec.places)
    else:
        bias = exponent.low
        raised = p.subtract(exponent, bias).within(0, exponent.high - bias)
        base = p.add(times(p, raised, spec.two), bias * spec.two)
    return Word(
        word=p.add(p.name("base", base), p.multiply(g, d)),
        exponent=p.constant(0),
        offset=-spec.places,
        sign=p.constant(0, 1),
    )


def _circular(p: Scheduler, spec: Circular, number: Number) -> Word:
    sine = spec.name == "sin"
    bits, places, digits = spec.bits, spec.places, spec.a.precision
    least, kept = spec.lowest - spec.a.mantissa, bits + 1
    low = ~at_least(p, number.exponent, least - number.offset)
    with p.scope("turn"):
        factor = window_of_two_over_pi(p, number.exponent, number.offset, least, places)
        product = p.multiply(factor, number.significand).bits(places + 2)
        odd, half = product[places], product[places + 1]
        if not sine:
            odd, half = ~odd, half ^ odd
        fraction = p.name("fraction", product[places - spec.deepest - kept : places] ^ odd)
    with p.scope("fraction"):
        zeros = leading_zeros(p, fraction[kept - 1 :]).within(0, spec.deepest)
        w, _ = shift_left(p, fraction, zeros, kept)
    with p.scope("sine"):
        y = fraction[spec.deepest :]
        square = floored(squared(p, y), kept).bits(kept)
        h = kernel(p, spec.kernel, square, (1 << kept) - 4, (11 << kept) // 7)
    word = p.multiply(w, h)
    negative = half & ~low
    if sine:
        tiny = number
        if spec.a.emin < spec.lowest and spec.out.emin < spec.a.emin:
            # Of others, those below the normal ones are as their results.
            tiny = normalised(p, number)
        negative = negative ^ number.sign
        up = spec.leading + 1 - digits
        below = p.subtract(tiny.significand, 1).bits(digits)
        near = cat(p.constant((1 << up) - 1, up), below)
        last = p.add(tiny.exponent, tiny.offset - up + 2 * kept)
    else:
        near, last = p.constant((1 << spec.leading) - 1), p.constant(0)
    return Word(
        word=p.mux(low, near, word),
        exponent=p.mux(low, last, p.subtract(0, zeros)),
        offset=-2 * kept,
        sign=negative,
        leading=spec.leading,
        depth=1,
    )


_STEPS = {
    Circular: _circular,
    steps.Exponential: _exponential,
    steps.Sigmoid: _sigmoid,
    steps.Tanh: _tanh,
    steps.Reciprocal: _reciprocal,
    steps.ReciprocalRoot: _reciprocal_root,
    steps.Logarithm: _logarithm,
}
