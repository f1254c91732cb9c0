# SPDX-License-Identifier: BSD-2-Clause
"""Whether a value is rounded up: to nearest, in a direction, to odd, or by chance."""

from macaw.golden.formats.choices import Rounding, Tininess

from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat

__all__ = ["Direction"]


class Direction:
    """A rounding mode's decisions, from the last place that is kept and what is below it.

    Parameters
    ----------
    p : Scheduler
    rounding : Rounding
    mode : Wire, optional
        The ``rm`` port of dynamic rounding.
    random : Wire, optional
        The random word of stochastic rounding.
    flags : bool
        Whether the exception flags are wanted.
    tininess : Tininess
        Of the flags: after rounding it is decided a place further down.
    """

    def __init__(
        self,
        p: Scheduler,
        rounding: Rounding,
        *,
        mode: Wire | None = None,
        random: Wire | None = None,
        flags: bool = False,
        tininess: Tininess = Tininess.AFTER,
    ):
        self.p = p
        self.rounding = rounding
        self.random = random
        self.flags = flags
        self.after = flags and tininess is Tininess.AFTER
        self.modes: dict[Rounding, Wire] = {}
        if rounding is Rounding.DYNAMIC:
            assert mode is not None
            codes = (Rounding.RTZ, Rounding.RDN, Rounding.RUP, Rounding.RNA, Rounding.ROD)
            self.modes = {member: mode.equals(member.code) for member in codes}

    @property
    def fraction_bits(self) -> int:
        """Bits below the result's last place that must be exact, the rest may be sticky.

        A guard, another to see tininess, or the random word's.
        """
        if self.rounding.stochastic:
            assert self.random is not None
            return len(self.random) + (self.rounding is not Rounding.SR) + self.after
        return 2 if self.after else 1

    def is_mode(self, *members: Rounding) -> Wire:
        """Whether the direction is one of ``members``; a constant unless it is dynamic."""
        if self.rounding is not Rounding.DYNAMIC:
            return self.p.constant(int(self.rounding in members), 1)
        result = self.p.constant(0, 1)
        for member in members:
            if member is Rounding.RNE:
                others = self.p.constant(0, 1)
                for wire in self.modes.values():
                    others = others | wire
                result = result | ~others
            else:
                result = result | self.modes[member]
        return result

    def outward(self, sign: Wire) -> Wire:
        """Whether the direction leads away from zero, of a value with this sign."""
        return (self.is_mode(Rounding.RUP) & ~sign) | (self.is_mode(Rounding.RDN) & sign)

    def away(self, sign: Wire, odd: Wire, guard: Wire, tail: Wire) -> Wire:
        """Whether the magnitude is rounded up. Not for stochastic rounding."""
        nearest = guard & (tail | odd | self.is_mode(Rounding.RNA))
        directed = (guard | tail) & (self.outward(sign) | (self.is_mode(Rounding.ROD) & ~odd))
        return (self.is_mode(Rounding.RNE, Rounding.RNA) & nearest) | directed

    def increment(
        self, sign: Wire, last: Wire, fraction: Wire, tail: Wire, carry: Wire
    ) -> tuple[Wire, Wire, Wire]:
        """(round up, result is inexact, the fraction with the carry added).

        The magnitude is ``(last . fraction) + carry`` in units of the fraction's last bit, and
        a remainder below it iff ``tail``. ``carry`` excludes ``tail``.
        """
        p = self.p
        width = len(fraction)
        if self.rounding in (Rounding.SR, Rounding.SRB):
            up = self.by_chance(fraction, tail, carry)
            inexact = self._changed(fraction, carry) | tail
            pattern = p.add(fraction, carry).bits(width) if self.after else fraction
            return up, inexact, pattern
        if width > 1 and carry.constant is None:
            total = p.add(fraction, carry).bits(width + 1)
            pattern, overflow = total[:width], total[width]
        elif carry.constant is None:
            pattern, overflow = fraction ^ carry, fraction & carry
        else:
            pattern, overflow = fraction, p.constant(0, 1)
        guard = pattern[-1]
        rest = pattern[:-1].any() | tail if width > 1 else tail
        inexact = guard | rest
        if self.rounding is Rounding.SRC:
            up = self.by_chance(pattern, tail, p.constant(0, 1))
        else:
            up = self.away(sign, last, guard, rest)
        return up | overflow, inexact, pattern

    def by_chance(self, fraction: Wire, tail: Wire, carry: Wire) -> Wire:
        """Whether the random word rounds ``fraction + carry`` up, and ``tail`` below it.

        ``src`` takes no carry: what it rounds must be known.
        """
        assert self.random is not None
        word = self.random
        if self.rounding is Rounding.SRB:
            word = cat(self.p.constant(1, 1), word)
        extra = len(fraction) - len(word)
        kept, below = fraction[extra:], fraction[:extra]
        if self.rounding is Rounding.SRC:
            rest = below[:-1].any() | tail if extra > 1 else tail
            carry = below[-1] & (rest | kept[0])
        else:
            carry = carry & below.all()
        return self.p.add(kept, word, carry).bits(len(word) + 1)[-1]

    def above(self, sign: Wire, odd: Wire, fraction: Wire, lost: Wire) -> Wire:
        """Whether a quotient that was rounded down gets one more.

        ``fraction`` has the bits below it, and something is below those iff ``lost``.
        """
        p = self.p
        if self.rounding.stochastic:
            assert self.random is not None
            # Below zero the distance to the magnitude above counts: 1 - fraction.
            word, carry = self.random ^ sign, sign & lost
            if self.rounding is Rounding.SRB:
                word = cat(~sign, word)
            elif self.rounding is Rounding.SRC:
                carry = fraction[0] & (lost | fraction[1])
                fraction = fraction[1:]
            return p.add(fraction, word, carry).bits(len(word) + 1)[-1]
        guard = fraction[-1]
        rest = fraction[:-1].any() | lost if len(fraction) > 1 else lost
        to_even = self.is_mode(Rounding.RNE) & odd
        away = self.is_mode(Rounding.RNA) & ~sign
        nearest = self.is_mode(Rounding.RNE, Rounding.RNA) & guard & (rest | to_even | away)
        directed = (
            self.is_mode(Rounding.RUP)
            | (self.is_mode(Rounding.RTZ) & sign)
            | (self.is_mode(Rounding.ROD) & ~odd)
        )
        return nearest | (directed & (guard | rest))

    def _changed(self, fraction: Wire, carry: Wire) -> Wire:
        if carry.constant == 0:
            return fraction.any()
        return self.p.mux(carry, ~fraction.all(), fraction.any())
