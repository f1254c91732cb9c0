# SPDX-License-Identifier: BSD-2-Clause
"""From an exact value to a posit: normalise, build the regime by a shift, round the code, negate.

Exponent and fraction stand behind the two bits that every regime ends with, and are shifted right
behind a run of the upper one. What is kept is a code and a guard bit, and to round it to nearest
is to round the value, wherever the code has been cut.
"""

from macaw.golden.formats import Posit

from ..schedule.wire import Wire, cat
from .projection import Projection, Projector, Unrounded
from .shift import at_least, leading_zeros, shift_left, shift_right

__all__ = ["ToPosit"]


class ToPosit(Projector[Posit]):
    """Projects exact values to a posit."""

    def project(self, exact: Unrounded) -> Projection:
        p, format = self.p, self.format
        with p.scope("count_zeros"):
            sign, magnitude = self._magnitude(exact)
            width = len(magnitude)
            zeros = p.name("zeros", self._leading_zeros(exact, magnitude))
            empty = p.name("empty", ~(magnitude.any() | exact.sticky))
        with p.scope("normalise"):
            kept, below = shift_left(p, magnitude, zeros, format.precision + 1)
            below = p.name("below", below | exact.sticky)
            significand = p.name("significand", kept)
            scale = p.name("exponent", exact.exponent + (exact.offset + width - 1) - zeros)
            # What has no leading one is less than anything that is looked at.
            over = p.name("over", at_least(p, scale, format.emax) & kept[-1])
            under = p.name("under", ~(at_least(p, scale, -format.emax) & kept[-1]))
        with p.scope("regime"):
            code, guard, tail = self._string(scale, significand, below)
        with p.scope("round"):
            up = p.name("up", guard & (tail | code[0]))
            # -(code + up) is ~code + (not up): one adder does both.
            flipped = cat(code, p.constant(0, 1)) ^ sign
            result = p.name("rounded", p.add(flipped, up ^ sign).bits(format.width))
        with p.scope("pack"):
            end = cat(p.constant(1, 1), p.repeat(over ^ sign, format.width - 2), sign)
            result = p.mux(over | under, end, result) & ~empty
            nan = exact.special.nan | exact.special.infinite
            result = p.mux(nan, p.constant(format.nar, format.width), result)
            flags = p.constant(0, 4)
            if self.direction.flags:
                beyond = at_least(p, scale, format.emax + 1) | significand[:-1].any() | below
                over_largest = over & beyond
                inexact = p.mux(over, beyond, under | guard | tail)
                lost = exact.special.infinite & ~exact.special.nan
                invalid = lost | exact.special.invalid
                number = ~empty & ~nan
                flags = cat(inexact & number, under & number, over_largest & number, invalid)
        return Projection(code=result, flags=flags)

    def _magnitude(self, exact: Unrounded) -> tuple[Wire, Wire]:
        """(sign, magnitude rounded down) of a word."""
        p, word = self.p, exact.word
        if not word.signed:
            return exact.sign, word
        negative = word[-1]
        bound = max(-word.low, word.high)
        flipped = word.bits(bound.bit_length()) ^ negative
        # With a fraction below, the complement is already the magnitude rounded down.
        magnitude = p.add(flipped, negative & ~exact.sticky).bits(len(flipped))
        return p.name("sign", exact.sign ^ negative), p.name("magnitude", magnitude)

    def _leading_zeros(self, exact: Unrounded, magnitude: Wire) -> Wire:
        """Zeros above the leading one, as far down as it can be."""
        p, width = self.p, len(magnitude)
        if exact.leading is None:
            return leading_zeros(p, magnitude)
        depth = width - 1 - exact.leading + exact.depth
        if depth == 0:
            return p.constant(0)
        return leading_zeros(p, cat(p.constant(1, 1), magnitude[width - depth :]))

    def _string(self, scale: Wire, significand: Wire, below: Wire) -> tuple[Wire, Wire, Wire]:
        """(code of the magnitude, the bit below its last one, whether something is below that)."""
        p, format = self.p, self.format
        # Beyond the ends anything may come: the end stands in its place.
        size = (format.width - 2).bit_length()
        scale = scale.bits(format.exponent + size + 1)
        regime = scale[format.exponent :]
        small = regime[-1]
        amount = (regime[:-1] ^ small).within(0, max(format.width - 3, 0))
        parts = cat(significand[:-1], scale[: format.exponent], small, ~small).as_signed()
        pattern, fell = shift_right(p, parts, amount, format.width)
        pattern = p.name("pattern", pattern)
        return pattern[1:], pattern[0], p.name("tail", fell | below)
