# SPDX-License-Identifier: BSD-2-Clause
"""From an exact value to a float: normalise, round, pack; overflow, underflow and specials."""

from collections.abc import Callable
from typing import NamedTuple

from macaw.golden.arithmetic.projection import nan_code
from macaw.golden.formats import Float, Subnormals
from macaw.golden.formats.choices import Nan, Overflow, Rounding

from ..schedule.wire import Wire, cat
from .number import Special
from .projection import Projection, Projector, Unrounded
from .shift import DIGITS, anticipated, at_least, leading_zeros, marked, shift_left, shift_to_digits

__all__ = ["ToFloat"]


class Digits(NamedTuple):
    """What is rounded: the leading digits of an exact value.

    Attributes
    ----------
    sign, negative : Wire
        Of the result; and whether ``kept`` lacks a 1, which is added in the rounding.
    kept, below : Wire
        Significand and fraction; whether something is below them.
    field : Wire
        Exponent field - 1.
    subnormal, empty : Wire
        Below the normal numbers; exactly zero.
    """

    sign: Wire
    negative: Wire
    kept: Wire
    below: Wire
    field: Wire
    subnormal: Wire
    empty: Wire


class ToFloat(Projector[Float]):
    """Projects exact values to a float format."""

    def project(self, exact: Unrounded) -> Projection:
        p, format, direction = self.p, self.format, self.direction
        digits = self._digits(exact)
        sign, below, field, empty = digits.sign, digits.below, digits.field, digits.empty
        subnormal = digits.subnormal
        with p.scope("round"):
            carry = digits.negative & ~below
            significand = digits.kept[direction.fraction_bits :]
            fraction = digits.kept[: direction.fraction_bits]
            # Last bit of the code: without a mantissa that is the exponent's.
            odd = significand[0] ^ field.bits(1) if format.mantissa == 0 else significand[0]
            up, inexact, pattern = direction.increment(sign, odd, fraction, below, carry)
            up = p.name("up", up)
            packed = p.add(field.shifted_left(format.mantissa), significand, up)
            packed = p.name("packed", packed)
        if exact.instead is not None:
            choice, other = exact.instead
            there = self._digits(other)
            with p.scope("round"):
                kept = there.kept[direction.fraction_bits :]
                kept = p.add(there.field.shifted_left(format.mantissa), kept)
                packed = p.name("packed", p.mux(choice, kept, packed))
                sign, empty = p.mux(choice, there.sign, sign), p.mux(choice, there.empty, empty)
                # The digits of the first one mean nothing then.
                inexact, subnormal = inexact & ~choice, subnormal & ~choice
        with p.scope("pack"):
            return self._packed(
                exact, sign, packed, empty, inexact,
                tiny=lambda: self._tiny(sign, significand, subnormal, pattern, below),
            )  # fmt: skip

    def _digits(self, exact: Unrounded) -> Digits:
        """The leading digits of a sum."""
        p = self.p
        word = exact.word
        with p.scope("count_zeros"):
            negative = word[-1] if word.signed else p.constant(0, 1)
            sign = p.name("sign", exact.sign ^ negative)
            # A negative word is complemented; the 1 that is then missing is added in the rounding.
            bits = word[: len(word) - 1] if word.signed else word.bits(len(word))
            width = len(bits)
            # Exponents are counted from the lowest binade of normal numbers.
            top = exact.exponent + (exact.offset + width - 1 - self.format.emin)
        normalised = self._in_steps if self._takes_steps(exact, top) else self._counted
        return Digits(sign, negative, *normalised(exact, bits, negative, top))

    def _counted(
        self, exact: Unrounded, bits: Wire, negative: Wire, top: Wire
    ) -> tuple[Wire, Wire, Wire, Wire, Wire]:
        """(significand and fraction, something is below them, exponent field - 1, subnormal, zero).

        The zeros above the leading digit are counted, and that is how far it moves.
        """
        p, format = self.p, self.format
        width = len(bits)
        with p.scope("count_zeros"):
            stops = self._stops(exact, width, top)
            plain = bits ^ negative
            if (words := self._anticipated(exact, stops)) is not None:
                plain = anticipated(p, *words)
                # Where the sum is narrower than its words, the place above may tell of its highest.
                if len(plain) > width:
                    plain = cat(plain[: width - 1], plain[width - 1 :].any())
                plain = plain.bits(width)
            plain = marked(p, plain, top) if stops else plain
            zeros = p.name("zeros", self._leading_zeros(exact, plain, top, stops))
            empty = p.name("empty", ~(bits.any() | exact.sticky | negative))
        with p.scope("normalise"):
            gradual = format.subnormals is Subnormals.GRADUAL
            if gradual and zeros.constant is not None and top.constant is None:
                rest = exact.exponent + (exact.offset + width - 1 - format.emin - zeros.constant)
                shift, field, under = self._capped_constant(zeros.constant, rest)
            else:
                shift, field, under = self._capped(zeros, top, stops)
            kept, below = shift_left(p, bits, shift, self._need + (words is not None))
            subnormal = ~(kept[-1] ^ negative)
            if words is not None:
                kept, below, subnormal = self._corrected(kept, below, negative, zeros, top)
            kept, below = self._kept(exact, kept, below, negative, under, empty)
            return kept, below, p.name("exponent", field), subnormal | under, empty

    def _in_steps(
        self, exact: Unrounded, bits: Wire, negative: Wire, top: Wire
    ) -> tuple[Wire, Wire, Wire, Wire, Wire]:
        """As :meth:`_counted`; each shift looks for itself whether digits are in its way."""
        p = self.p
        most = p.constant((1 << len(bits)) - 1)
        if self.format.subnormals is Subnormals.GRADUAL:
            # Below the lowest binade nothing is kept: how far it moves does not matter.
            most = top.bits(top.high.bit_length()).within(0, top.high)
        with p.scope("normalise"):
            kept, below, zeros, found = shift_to_digits(p, bits, negative, most, self._need)
            empty = p.name("empty", ~(found | exact.sticky | negative))
            _, field, under = self._capped(zeros, top, True)
            subnormal = ~(kept[-1] ^ negative)
            kept, below = self._kept(exact, kept, below, negative, under, empty)
            return kept, below, p.name("exponent", field), subnormal | under, empty

    def _takes_steps(self, exact: Unrounded, top: Wire) -> bool:
        """Whether steps spare the count: for area, where the digit can be anywhere in many.

        Of a product or an integer in more than of a sum, whose count would stop at a decoded place.
        """
        many = DIGITS if exact.sticky.constant is None else 2 * DIGITS - 2
        anywhere = exact.leading is None and len(exact.word) - exact.word.signed > many
        return self.p.delays.sparing and anywhere and top.high >= 0

    @property
    def _need(self) -> int:
        return self.format.precision + self.direction.fraction_bits

    def _kept(
        self, exact: Unrounded, kept: Wire, below: Wire, negative: Wire, under: Wire, empty: Wire
    ) -> tuple[Wire, Wire]:
        """The magnitude of what is kept, and whether something is below; all is if ``under``."""
        p = self.p
        kept, below = kept ^ negative, below | exact.sticky
        if under.constant != 0:
            below = p.mux(under, ~empty, below)
            kept = kept & ~under
        return p.name("significand", kept), p.name("below", below)

    def _anticipated(self, exact: Unrounded, stops: bool) -> tuple[Wire, Wire, Wire] | None:
        """Words in whose sum zeros are counted before it is there: one more may be found later."""
        return exact.words if stops and self.format.mantissa > 0 else None

    def _corrected(
        self, kept: Wire, below: Wire, negative: Wire, zeros: Wire, top: Wire
    ) -> tuple[Wire, Wire, Wire]:
        """(``kept`` without its last bit, something is below that, the result is subnormal).

        Digits that were anticipated may begin a place further down. The exponent is one less then,
        and the place where they do not begin stays in the significand: it is 0, and so says that.
        """
        p = self.p
        # Nothing moves beyond the lowest binade.
        place = top.bits(top.high.bit_length()) if top.signed else top
        late, stopped = ~(kept[-1] ^ negative), p.name("stopped", zeros.equals(place))
        further = p.name("further", late & ~stopped)
        below = below | (kept[0] & ~further)
        kept = cat(p.mux(further, kept[:-2], kept[1:-1], "corrected"), kept[-1])
        return kept, below, late & stopped

    def _stops(self, exact: Unrounded, width: int, top: Wire) -> bool:
        """Whether a one in the place of the lowest binade is to stop the count of zeros.

        Nothing has to be compared with the count then, but it takes a decoder: worth it beside a
        sum, whose exponent is there early, of anything else only if it is to be fast.
        """
        if self.format.subnormals is not Subnormals.GRADUAL or top.constant is not None:
            return False
        if top.low >= width - 1 or top.high < 0:
            return False
        if self.p.delays.hurry:
            return exact.leading is None or exact.depth > 0
        return exact.leading is None and exact.sticky.constant is None

    def _leading_zeros(self, exact: Unrounded, plain: Wire, top: Wire, stops: bool) -> Wire:
        """Zeros above the leading one of ``plain``, as far as it can be low and that matters."""
        p, width = self.p, len(plain)
        gradual = self.format.subnormals is Subnormals.GRADUAL
        depth = width - 1 - (exact.leading or 0) + exact.depth
        if exact.leading is not None and exact.depth == 0:
            return p.constant(depth)
        if exact.leading is not None and depth < width:
            zeros = leading_zeros(p, cat(p.constant(1, 1), plain[width - depth :]))
            return zeros.within(0 if stops else depth - exact.depth, depth)
        if gradual and top.constant is not None and 0 <= top.constant < width:
            # Nothing moves beyond the lowest binade: there the count of zeros stops.
            zeros = leading_zeros(p, cat(p.constant(1, 1), plain[width - top.constant :]))
            return zeros.within(0, top.constant)
        return leading_zeros(p, plain)

    def _capped(self, zeros: Wire, top: Wire, stopped: bool) -> tuple[Wire, Wire, Wire]:
        """(shift, exponent field - 1, everything is below the last place).

        The shift stops where the exponent reaches the lowest binade, unless the count of zeros
        has ``stopped`` there: subnormal results need no second shifter.
        """
        p = self.p
        never = p.constant(0, 1)
        if self.format.subnormals is not Subnormals.GRADUAL:
            none = self.format.subnormals is Subnormals.NONE
            return zeros, top - zeros - int(none), never
        if top.low >= zeros.high:
            return zeros, top - zeros, never
        if top.high < 0:
            return zeros, p.constant(0), p.constant(1, 1)
        # Where the exponent is below the lowest binade nothing is kept, and its bits do not matter.
        under = top.negative
        whole = top.bits(top.high.bit_length()).within(0, top.high)
        difference = whole - zeros
        capped = p.constant(0, 1) if stopped else difference.negative
        field = (difference.bits(len(difference)) & ~(capped | under)).within(0, top.high)
        return p.mux(capped, whole.within(0, zeros.high), zeros), field, under

    def _capped_constant(self, zeros: int, field: Wire) -> tuple[Wire, Wire, Wire]:
        """As :meth:`_capped` where the zeros are known, from the field that they leave."""
        p = self.p
        never = p.constant(0, 1)
        if field.low >= 0:
            return p.constant(zeros), field, never
        if field.high + zeros < 0:
            return p.constant(zeros), p.constant(0), p.constant(1, 1)
        capped = field.negative
        under = ~at_least(p, field, -zeros)
        count = zeros.bit_length()
        limit = p.add(field.bits(count), zeros).bits(count).within(0, zeros)
        kept = (field.bits(len(field)) & ~capped).within(0, max(field.high, 0))
        return p.mux(capped, limit, zeros), kept, under

    def _tiny(
        self, sign: Wire, significand: Wire, subnormal: Wire, pattern: Wire, below: Wire
    ) -> Wire:
        """Below the least normal number: as it is, or after rounding with unbounded exponent."""
        p, format, direction = self.p, self.format, self.direction
        if format.subnormals is not Subnormals.GRADUAL:
            raise AssertionError("formats without subnormals decide on the packed code")
        if not direction.after:
            # Where a carry still to come makes it normal, the result is exact.
            return subnormal
        # Rounded to the full precision, one place further down, it may reach the normal range.
        guard = pattern[-1]
        ones = guard if format.mantissa == 0 else significand[:-1].all() & guard
        if direction.rounding.stochastic:
            reach = direction.by_chance(pattern[:-1], below, p.constant(0, 1))
        else:
            half = pattern[-2]
            rest = below if len(pattern) == 2 else pattern[:-2].any() | below
            # Without a mantissa, the code below that of the least normal number is even.
            odd = guard if format.mantissa else p.constant(0, 1)
            reach = direction.away(sign, odd, half, rest)
        return subnormal & ~(ones & reach)

    def _packed(
        self, exact: Unrounded, sign: Wire, packed: Wire, empty: Wire, inexact: Wire,
        *, tiny: Callable[[], Wire],
    ) -> Projection:  # fmt: skip
        """The result of a rounded magnitude, ``packed`` as if no exponent were too high or low.

        ``empty`` says that the value is exactly zero, ``tiny`` that it is below normal numbers.
        """
        p, format, special = self.p, self.format, exact.special
        over, zero, least = self._outside(sign, packed, empty)
        below_range = p.constant(0, 1)
        sign = p.mux(special.infinite, special.negative, sign)
        if not format.signed:
            # A negative value is beyond the lower end, unless it has been rounded to zero.
            nonzero = (~zero & packed.any()) | least if format.zero else ~empty
            below_range = (nonzero | special.infinite) & sign & ~special.nan
        bounded = (special.infinite | over) & ~below_range
        to_largest = self._to_largest(sign, bounded, over, special)
        beyond = bounded & ~to_largest
        nan = special.nan

        finite_width = format.exponent + format.mantissa
        body = packed.bits(finite_width)
        body = body & ~zero
        if least.constant != 0:
            body = cat(body[0] | least, body[1:])
        body = p.mux(to_largest, p.constant(format.max_code, finite_width), body)
        if not format.signed:
            if self.overflow is Overflow.DIRECTED:
                to_zero = self.direction.is_mode(Rounding.RTZ, Rounding.RUP) & ~special.infinite
                nan = nan | (below_range & ~to_zero)
                body = body & ~below_range
            elif self.overflow in (Overflow.SATURATE, Overflow.PROPAGATE):
                body = body & ~below_range
            else:
                nan = nan | below_range
        if format.inf_code is not None:
            body = p.mux(beyond, p.constant(format.inf_code, finite_width), body)
        elif format.has_nan:
            nan = nan | beyond
        sign = p.mux(empty & ~special.infinite, exact.zero_sign, sign)
        nan_body = nan_code(format, self.nan) & ((1 << finite_width) - 1)
        body = p.mux(nan, p.constant(nan_body, finite_width), body)
        code = self._with_sign(body, sign, nan)
        if not self.direction.flags:
            return Projection(code=code, flags=p.constant(0, 4))
        flags = self._flags(special, over, zero, empty, inexact, below_range, tiny)
        return Projection(code=code, flags=flags, special=special)

    def _outside(self, sign: Wire, packed: Wire, empty: Wire) -> tuple[Wire, Wire, Wire]:
        """(above the largest number, zero or rounded to it, the least number instead of zero)."""
        p, format, direction = self.p, self.format, self.direction
        over = at_least(p, packed, format.max_code + 1)
        gradual = format.subnormals is Subnormals.GRADUAL
        lowest = 0 if gradual or not format.zero else format.min_code
        under = p.constant(0, 1) if gradual else ~at_least(p, packed, lowest)
        zero = empty | under
        over = over & ~empty
        # Where subnormals are none, there is a gap beside zero, in which a direction holds.
        least = p.constant(0, 1)
        if format.zero and format.subnormals is Subnormals.NONE:
            away = direction.is_mode(Rounding.ROD) | direction.outward(sign)
            least = under & ~empty & away
        return over, zero, least

    def _to_largest(self, sign: Wire, bounded: Wire, over: Wire, special: Special) -> Wire:
        """Whether overflow gives the largest number, and not infinity or NaN."""
        direction = self.direction
        # Infinity where the format has one and the policy asks for it, else the largest value.
        if self.overflow is Overflow.SATURATE or (
            self.overflow is None and not self.format.has_inf
        ):
            return bounded
        if self.overflow is Overflow.NONFINITE:
            return self.p.constant(0, 1)
        if self.overflow is Overflow.PROPAGATE:
            return over & ~special.infinite
        odd_stays = self.overflow is None or (self.format.has_inf and self.format.max_code % 2 == 1)
        toward_zero = (Rounding.RTZ, Rounding.ROD) if odd_stays else (Rounding.RTZ,)
        inward = direction.is_mode(*toward_zero) | (
            (direction.is_mode(Rounding.RUP) & sign) | (direction.is_mode(Rounding.RDN) & ~sign)
        )
        return over & inward & ~special.infinite

    def _with_sign(self, body: Wire, sign: Wire, nan: Wire) -> Wire:
        """The code of a magnitude's ``body``: a NaN's sign, and that of zero, are the format's."""
        if not self.format.signed:
            return body
        if self.format.nan_for_negative_zero:
            # The sign bit alone is NaN, so code 0 has none.
            sign = (sign & body.any() & ~nan) | nan
        elif self.nan is Nan.NEGATIVE_ZERO:
            sign = sign | nan
        else:
            sign = sign & ~nan
        return cat(body, sign)

    def _flags(
        self, special: Special, over: Wire, zero: Wire, empty: Wire, inexact: Wire,
        below_range: Wire, tiny: Callable[[], Wire],
    ) -> Wire:  # fmt: skip
        """Inexact, underflow, overflow and invalid, in golden's order of bits."""
        p, format = self.p, self.format
        gradual = format.subnormals is Subnormals.GRADUAL
        finite = ~special.nan & ~special.infinite
        unheld = p.constant(0, 1)
        if not format.has_nan:
            unheld = unheld | special.nan
        if not format.has_inf:
            unheld = unheld | (special.infinite & ~special.nan)
        invalid = special.invalid | unheld | below_range
        # A format without zero turns it into its smallest value.
        exact_zero = empty if format.zero else p.constant(0, 1)
        below = (tiny() if gradual else zero) & ~exact_zero
        inexact = inexact | over if gradual else inexact | over | below
        inexact = inexact & finite & ~exact_zero & ~below_range
        overflow = over & finite & ~below_range
        return cat(inexact, below & inexact, overflow, invalid)
