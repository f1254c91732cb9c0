# SPDX-License-Identifier: BSD-2-Clause
"""Gates for powers of e and of two: a significand, and an exponent that nothing bounds."""

from macaw.golden.arithmetic.real.powers import Power, Significand

from ..arithmetic.divide import normalised
from ..arithmetic.number import Number
from ..arithmetic.shift import at_least, floored, shift_right
from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire
from .pieces import Pieces
from .polynomial import polynomial
from .reductions import times

__all__ = ["power_of", "scaled"]


def scaled(p: Scheduler, sign: Wire, number: Number, power: Power, *, up: int = 0) -> Wire:
    """y of a number, times ``2**up`` and with a sign: the steps of golden's :class:`Power`."""
    large = number.quantum + len(number.significand) - 1 + up >= power.reach
    if large:
        # Only zero is within reach, and subnormal numbers by their leading one.
        number = normalised(p, number)
    significand, exponent, offset = number.significand, number.exponent, number.offset + up
    precision, width = len(significand), power.bits + power.reach + 1
    highest = power.reach - precision - offset
    beyond = at_least(p, exponent, highest + 1)
    if large:
        beyond = beyond & ~number.zero
    product = times(p, significand, power.factor).bits(precision + power.cut + 1)
    amount = p.subtract(p.constant(highest), exponent)
    most = highest - exponent.low
    amount = amount.bits(max(most.bit_length(), 1)).within(0, max(most, 0))
    word, _ = shift_right(p, product, amount, width)
    word = p.name("magnitude", p.mux(beyond, p.constant(power.most, width), word))
    flipped = (word.bits(width + 1) ^ sign).as_signed()
    return p.name("logarithm", p.add(flipped, sign).within(-power.most, power.most))


@scoped("power")
def power_of(p: Scheduler, number: Number, power: Power) -> tuple[Wire, Wire]:
    """(m, the bits of n) of a finite number: the steps of golden's :class:`Power`."""
    y = scaled(p, number.sign, number, power)
    n = floored(y, power.bits).bits(power.whole + 1)
    whole = Significand(bits=power.bits)
    c0, c1, c2 = zip(*whole.coefficients, strict=True)
    pieces = Pieces(
        width=whole.width, shift=whole.shift, constants=c0, slopes=c1, curves=c2,
        cut=whole.cut, drop=whole.drop,
    )  # fmt: skip
    m = polynomial(p, pieces, y[: power.bits].bits(power.bits))
    return m.within(1 << power.bits, (2 << power.bits) - 1), n
