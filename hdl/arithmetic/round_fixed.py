# SPDX-License-Identifier: BSD-2-Clause
"""From an exact value to fixed point: shift, round, and saturate or wrap.

Signed words whose flags nobody asks for go in two's complement from end to end: no magnitude is
taken. The shifted word is the quotient rounded down, so that rounding to nearest even looks the
same on both sides of zero, and the other directions only have to look at the sign.
"""

from dataclasses import dataclass

from macaw.golden.arithmetic.projection import nan_code
from macaw.golden.formats import Fixed
from macaw.golden.formats.choices import Overflow

from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .integers import ends, wrap
from .number import Special
from .projection import Projection, Projector, Unrounded
from .shift import at_least, shift_right, window

__all__ = ["Frame", "ToFixed", "framed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A magnitude cut at the last place of a fixed point: ``whole``, and ``fraction`` below it.

    Something is below both iff ``below``. Where ``too_high`` the value is beyond all that
    ``whole`` has, unless it is zero: not ``nonzero``.
    """

    sign: Wire
    whole: Wire
    fraction: Wire
    below: Wire
    too_high: Wire
    nonzero: Wire


def framed(
    p: Scheduler, exact: Unrounded, format: Fixed, keep: int, highest: int | None = None
) -> Frame:
    """``exact`` at the last place of ``format``, with ``keep`` bits of its fraction.

    Words whose last bit weighs more than ``2**highest`` last places are all beyond the format.
    """
    scale = exact.exponent + (exact.offset + format.fraction)
    with p.scope("shift"):
        negative = exact.word[-1] if exact.word.signed else p.constant(0, 1)
        sign = p.name("sign", exact.sign ^ negative)
        width = len(exact.word)
        magnitude = exact.word.bits(width) ^ negative
        if exact.word.signed:
            # With a fraction below, the complement is already the magnitude rounded down.
            magnitude = p.add(magnitude, negative & ~exact.sticky).bits(width)
        magnitude = p.name("magnitude", magnitude)
        # The frame ends `keep` bits below the result's last place. It begins where the largest
        # number does, unless that is above all results.
        most = max(min(scale.high, format.width if highest is None else highest), -width)
        top = most - exact.offset - format.fraction
        amount = p.add(exact.exponent.complement, top + 1)
        too_high = p.name("too_high", amount.negative)
        amount = (amount.bits(len(amount)) & ~too_high).within(0, max(amount.high, 0))
        frame, fell = shift_right(p, magnitude, amount, width + most + keep)
        nonzero = magnitude.any() | exact.sticky
        below = p.name("below", fell | exact.sticky)
        if exact.bound is not None:
            frame = frame[: max(keep + exact.bound + format.fraction, 0)]
        frame = frame.bits(max(len(frame), keep + 1))
        fraction, whole = p.name("fraction", frame[:keep]), p.name("whole", frame[keep:])
    return Frame(
        sign=sign,
        whole=whole,
        fraction=fraction,
        below=below,
        too_high=too_high,
        nonzero=nonzero,
    )


class ToFixed(Projector[Fixed]):
    """Projects exact values to a fixed-point format."""

    def project(self, exact: Unrounded) -> Projection:
        p, format, direction = self.p, self.format, self.direction
        special = exact.special
        scale = exact.exponent + (exact.offset + format.fraction)
        exact_integer = (
            scale.constant is not None and scale.constant >= 0 and exact.sticky.constant == 0
        )
        if exact_integer and exact.sign.constant == 0:
            assert scale.constant is not None
            integer = exact.word.shifted_left(scale.constant)
            inexact = p.constant(0, 1)
            with p.scope("pack"):
                return self._saturated(integer, inexact, p.constant(0, 1), special)

        if exact.word.signed and exact.sign.constant == 0 and format.signed and not direction.flags:
            rounded = self._rounded_signed(exact)
            with p.scope("pack"):
                code = self._with_special(rounded, special)
            return Projection(code=code, flags=p.constant(0, 4))

        frame, integer, inexact = self.rounded(exact)
        with p.scope("pack"):
            beyond = frame.too_high & frame.nonzero
            return self._saturated(integer, inexact, beyond, special, frame.sign)

    def rounded(self, exact: Unrounded, highest: int | None = None) -> tuple[Frame, Wire, Wire]:
        """(``exact`` as it is :func:`framed`, the integer that it is rounded to, it is another)."""
        p, format, direction = self.p, self.format, self.direction
        frame = framed(p, exact, format, direction.fraction_bits, highest)
        sign, whole, fraction, below = frame.sign, frame.whole, frame.fraction, frame.below
        with p.scope("round"):
            up, inexact, _ = direction.increment(sign, whole[0], fraction, below, p.constant(0, 1))
            largest = format.max_integer
            # Where nothing but rounding can leave the range, it stops at the largest integer.
            stops = self.overflow is Overflow.SATURATE and format.signed and whole.high <= largest
            if stops and not direction.flags:
                stop = whole.equals(largest)
                up = up & ~(stop if -format.min_integer == largest else stop & ~sign)
            up = p.name("up", up)
            # -(whole + up) is ~whole + (not up): one adder does both.
            room = len(whole) + 1
            flipped = (whole.bits(room) ^ sign).bits(room).as_signed()
            integer = p.add(flipped, p.constant(0), sign ^ up)
            if stops and not direction.flags:
                integer = integer.within(format.min_integer, largest)
            return frame, p.name("integer", integer), inexact

    def _saturated(
        self,
        integer: Wire,
        inexact: Wire,
        beyond: Wire,
        special: Special,
        sign: Wire | None = None,
    ) -> Projection:
        """``integer`` in the format's range; ``beyond`` says that its top bits are lost."""
        p, format = self.p, self.format
        low, high = format.min_integer, format.max_integer
        if sign is None:
            sign = integer[-1] if integer.signed else p.constant(0, 1)
        too_big = at_least(p, integer, high + 1) if integer.high > high else p.constant(0, 1)
        too_small = ~at_least(p, integer, low) if integer.low < low else p.constant(0, 1)
        out_of_range = (too_big | too_small | beyond) & ~special.nan & ~special.infinite
        body = wrap(integer, format)
        bottom, top = ends(p, format)
        if self.overflow is not Overflow.WRAP:
            body = p.mux(too_big | (beyond & ~sign), top, body)
            body = p.mux(too_small | (beyond & sign), bottom, body)
        elif beyond.constant is None:
            # Everything that is kept lies below the lost bits, which are multiples of 2**width.
            body = body & ~beyond
        body = self._with_special(body, special)
        flags = p.constant(0, 4)
        if self.direction.flags:
            invalid = out_of_range | special.nan | special.infinite | special.invalid
            rounded = inexact & ~out_of_range & ~special.nan & ~special.infinite
            flags = cat(rounded, p.constant(0, 1), p.constant(0, 1), invalid)
        return Projection(code=body, flags=flags)

    def _rounded_signed(self, exact: Unrounded) -> Wire:
        """The code of a signed word in a signed format; what is special is left out."""
        p, format, direction = self.p, self.format, self.direction
        word, keep, width = exact.word, direction.fraction_bits, format.width
        scale = exact.exponent + (exact.offset + format.fraction)
        # The frame begins where the largest number does, unless that is above all results.
        most = max(min(scale.high, width - 1), -keep)
        with p.scope("shift"):
            amount = p.add(exact.exponent.complement, most + 1 - exact.offset - format.fraction)
            too_high = p.name("too_high", amount.negative)
            amount = (amount.bits(len(amount)) & ~too_high).within(0, max(amount.high, 0))
            kept, lost, beyond = window(p, word.shifted_left(most + keep), amount, width + keep)
            fraction, whole = p.name("fraction", kept[:keep]), p.name("whole", kept[keep:])
            lost, beyond = p.name("below", lost | exact.sticky), p.name("beyond", beyond)
        with p.scope("round"):
            up = p.name("up", direction.above(word.negative, whole[0], fraction, lost))
            if self.overflow is Overflow.WRAP:
                return wrap(p.add(whole, up), format) & ~too_high
            beyond = beyond | (too_high & word.any())
            # Nothing but rounding can leave the range here: it stops at the largest integer.
            up = up & ~whole.equals(format.max_integer)
            integer = p.name("integer", wrap(p.add(whole, up), format))
        with p.scope("pack"):
            limit = cat(p.repeat(~word.negative, width - 1), word.negative)
            code = p.mux(beyond, limit, integer)
            if format.symmetric:
                lowest = code.equals(1 << (width - 1))
                code = cat(code[0] | lowest, code[1:]) if width > 1 else code
            return code

    def _with_special(self, code: Wire, special: Special) -> Wire:
        """``code``, but the end of the range for infinities, and what is said for NaN."""
        p, format, width = self.p, self.format, self.format.width
        bottom, top = ends(p, format)
        code = p.mux(special.infinite, p.mux(special.negative, bottom, top), code)
        return p.mux(special.nan, p.constant(nan_code(format, self.nan), width), code)
