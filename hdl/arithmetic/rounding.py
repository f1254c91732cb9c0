# SPDX-License-Identifier: BSD-2-Clause
"""Normalise, round and pack: the one place in the gates where a value is rounded."""

from dataclasses import dataclass

from macaw.golden.arithmetic.projection import nan_code
from macaw.golden.formats import Fixed, Float, Format, Specials, Subnormals
from macaw.golden.formats.choices import Nan, Overflow, Rounding

from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .number import Special
from .shift import at_least, leading_zeros, shift_left, shift_right
from .signed_rounding import round_signed, with_special

__all__ = ["Projection", "Rounder", "Unrounded"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unrounded:
    """An exact sum before rounding.

    The value is ``(-1)**sign * (word + fraction) * 2**(exponent + offset)``, where ``word`` is a
    two's complement integer (its sign flips the value's sign once more) and ``fraction``, in
    [0, 1), is zero iff ``sticky`` is 0.

    Attributes
    ----------
    word : Wire
        Signed or unsigned.
    exponent : Wire
        Constant where the sum has a fixed point.
    offset : int
    sticky, sign : Wire
    zero_sign : Wire
        Sign of the result when the value is exactly zero.
    leading : int or None
        Index of the leading one of an unsigned ``word``, or ``depth`` places below; numbers in
        which it is still lower have a result that is subnormal, or zero. None if it can be
        anywhere.
    depth : int
    bound : int or None
        The value is known to be below ``2**bound``.
    special : Special
    """

    word: Wire
    exponent: Wire
    offset: int
    sticky: Wire
    sign: Wire
    zero_sign: Wire
    special: Special
    leading: int | None = None
    depth: int = 0
    bound: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Projection:
    """The code of the result, and the exception flags in golden's order of bits."""

    code: Wire
    flags: Wire


class Rounder:
    """Projects exact values to a format: rounding, then overflow, then encoding.

    Parameters
    ----------
    p : Scheduler
    format : Float or Fixed
    rounding : Rounding
    overflow : Overflow or None
        None is IEEE 754's rule for formats with infinities, and saturation for the others.
    mode : Wire, optional
        The ``rm`` port of dynamic rounding.
    random : Wire, optional
        The random word of stochastic rounding.
    flags : bool
        Whether the exception flags are wanted.
    nan : Nan, optional
        What a NaN becomes in a format without one; None is the largest value.
    """

    def __init__(
        self,
        p: Scheduler,
        format: Format,
        rounding: Rounding,
        overflow: Overflow | None,
        *,
        mode: Wire | None = None,
        random: Wire | None = None,
        flags: bool = False,
        nan: Nan | None = None,
    ):
        self.p = p
        self.format = format
        self.rounding = rounding
        self.overflow = overflow
        self.flags = flags
        self.nan = nan
        self.random = random
        self.mode = mode
        self.modes: dict[Rounding, Wire] = {}
        if rounding is Rounding.DYNAMIC:
            assert mode is not None
            codes = (Rounding.RTZ, Rounding.RDN, Rounding.RUP, Rounding.RNA, Rounding.ROD)
            self.modes = {member: mode.equals(member.code) for member in codes}

    @property
    def fraction_bits(self) -> int:
        """Bits below the result's last place that must be exact, the rest may be sticky."""
        return fraction_bits(self.rounding, self.random, self.flags)

    def origin(self, width: int, high: int, zeros: int = 0) -> int:
        """The offset at which nothing has to be added to the exponent of an :class:`Unrounded`.

        ``width`` is that of its word, unsigned, ``high`` the largest exponent of its last bit,
        and ``zeros`` the number of bits above its leading one, if it is known.
        """
        if isinstance(self.format, Fixed):
            return max(min(high + self.format.fraction, self.format.width), -width) + (
                1 - self.format.fraction
            )
        return self.format.emin + 1 - width + zeros

    def project(self, exact: Unrounded) -> Projection:
        """The code of the value in the result format, and its flags."""
        if isinstance(self.format, Fixed):
            return self._project_fixed(exact, self.format)
        return self._project_float(exact, self.format)

    # Rounding decisions.

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

    def _away(self, sign: Wire, odd: Wire, guard: Wire, tail: Wire) -> Wire:
        """Whether the magnitude is rounded up. Not for stochastic rounding."""
        nearest = guard & (tail | odd | self.is_mode(Rounding.RNA))
        directed = (guard | tail) & (
            (self.is_mode(Rounding.RUP) & ~sign)
            | (self.is_mode(Rounding.RDN) & sign)
            | (self.is_mode(Rounding.ROD) & ~odd)
        )
        return (self.is_mode(Rounding.RNE, Rounding.RNA) & nearest) | directed

    def _increment(
        self, sign: Wire, last: Wire, fraction: Wire, tail: Wire, carry: Wire
    ) -> tuple[Wire, Wire, Wire]:
        """(round up, result is inexact, the fraction with the carry added).

        The magnitude is ``(last . fraction) + carry`` in units of the fraction's last bit, and
        a remainder below it iff ``tail``. ``carry`` excludes ``tail``.
        """
        p = self.p
        width = len(fraction)
        if self.rounding in (Rounding.SR, Rounding.SRB):
            up = self._by_chance(fraction, tail, carry)
            inexact = self._changed(fraction, carry) | tail
            pattern = p.add(fraction, carry).bits(width) if self.flags else fraction
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
            up = self._by_chance(pattern, tail, p.constant(0, 1))
        else:
            up = self._away(sign, last, guard, rest)
        return up | overflow, inexact, pattern

    def _by_chance(self, fraction: Wire, tail: Wire, carry: Wire) -> Wire:
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

    def _changed(self, fraction: Wire, carry: Wire) -> Wire:
        if carry.constant == 0:
            return fraction.any()
        return self.p.mux(carry, ~fraction.all(), fraction.any())

    # Floating point.

    def _project_float(self, exact: Unrounded, format: Float) -> Projection:
        p = self.p
        negative = exact.word[-1] if exact.word.signed else p.constant(0, 1)
        sign = exact.sign ^ negative
        word = exact.word
        # A negative word is complemented; the one that is then missing is added in the rounding.
        bits = word[: len(word) - 1] if word.signed else word.bits(len(word))
        width = len(bits)
        # Exponents are counted from the lowest binade of normal numbers.
        top = exact.exponent + (exact.offset + width - 1 - format.emin)
        gradual = format.subnormals is Subnormals.GRADUAL
        plain = bits ^ negative
        depth = width - 1 - (exact.leading or 0) + exact.depth
        if exact.leading is not None and exact.depth == 0:
            zeros = p.constant(depth)
        elif exact.leading is not None and depth < width:
            zeros = leading_zeros(p, cat(p.constant(1, 1), plain[width - depth :]))
            zeros = zeros.within(depth - exact.depth, depth)
        elif gradual and top.constant is not None and 0 <= top.constant < width:
            # Nothing moves beyond the lowest binade: there the count of zeros stops.
            zeros = leading_zeros(p, cat(p.constant(1, 1), plain[width - top.constant :]))
            zeros = zeros.within(0, top.constant)
        else:
            zeros = leading_zeros(p, plain)
        zeros = p.name("leading", zeros)
        empty = ~(bits.any() | exact.sticky | negative)

        need = format.precision + self.fraction_bits
        if gradual and zeros.constant is not None and top.constant is None:
            rest = exact.exponent + (exact.offset + width - 1 - format.emin - zeros.constant)
            shift, field, under = self._capped_constant(zeros.constant, rest)
        elif gradual:
            shift, field, under = self._capped(zeros, top)
        else:
            shift, field, under = zeros, top - zeros, p.constant(0, 1)
            if format.subnormals is Subnormals.NONE:
                field = field - 1

        kept, below = shift_left(p, bits, shift, need)
        kept, below = kept ^ negative, below | exact.sticky
        if under.constant != 0:
            below = p.mux(under, ~empty, below)
            kept = kept & ~under
        carry = negative & ~below
        significand = p.name("significand", kept[self.fraction_bits :])
        fraction = kept[: self.fraction_bits]
        # Last bit of the code: without a mantissa that is the exponent's.
        odd = significand[0] ^ field.bits(1) if format.mantissa == 0 else significand[0]
        up, inexact, pattern = self._increment(sign, odd, fraction, below, carry)

        packed = p.add(field.shifted_left(format.mantissa), significand, up)
        return self._pack_float(
            format, exact, sign, packed, empty, inexact,
            tiny=lambda: self._tiny(sign, significand, pattern, below, format),
        )  # fmt: skip

    def _capped(self, zeros: Wire, top: Wire) -> tuple[Wire, Wire, Wire]:
        """(shift, exponent field - 1, everything is below the last place).

        The shift stops where the exponent reaches the lowest binade: subnormal results need no
        second shifter.
        """
        p = self.p
        never = p.constant(0, 1)
        if top.low >= zeros.high:
            return zeros, top - zeros, never
        if top.high < 0:
            return zeros, p.constant(0), p.constant(1, 1)
        # Where the exponent is below the lowest binade nothing is kept, and its bits do not matter.
        under = top.negative
        whole = top.bits(top.high.bit_length()).within(0, top.high)
        difference = whole - zeros
        capped = difference.negative
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
        self,
        sign: Wire,
        significand: Wire,
        pattern: Wire,
        below: Wire,
        format: Float,
    ) -> Wire:
        """Tininess after rounding: below the least normal number with unbounded exponent."""
        p = self.p
        if format.subnormals is not Subnormals.GRADUAL:
            raise AssertionError("formats without subnormals decide on the packed code")
        subnormal = ~significand[-1]
        # Rounded to the full precision, one place further down, it may reach the normal range.
        guard = pattern[-1]
        ones = guard if format.mantissa == 0 else significand[:-1].all() & guard
        if self.rounding.stochastic:
            reach = self._by_chance(pattern[:-1], below, p.constant(0, 1))
        else:
            half = pattern[-2]
            rest = below if len(pattern) == 2 else pattern[:-2].any() | below
            # Without a mantissa, the code below that of the least normal number is even.
            odd = guard if format.mantissa else p.constant(0, 1)
            reach = self._away(sign, odd, half, rest)
        return subnormal & ~(ones & reach)

    def _pack_float(
        self, format: Float, exact: Unrounded, sign: Wire, packed: Wire, empty: Wire,
        inexact: Wire, *, tiny,
    ) -> Projection:  # fmt: skip
        p = self.p
        special = exact.special
        finite_width = format.exponent + format.mantissa
        over = at_least(p, packed, format.max_code + 1)
        gradual = format.subnormals is Subnormals.GRADUAL
        lowest = 0 if gradual or not format.zero else format.min_code
        under = p.constant(0, 1) if gradual else ~at_least(p, packed, lowest)
        zero = empty | under
        over = over & ~empty

        # Where subnormals are none, there is a gap beside zero, in which a direction holds.
        least = p.constant(0, 1)
        if format.zero and format.subnormals is Subnormals.NONE:
            away = self.is_mode(Rounding.ROD) | (
                (self.is_mode(Rounding.RUP) & ~sign) | (self.is_mode(Rounding.RDN) & sign)
            )
            least = under & ~empty & away

        negative_range = p.constant(0, 1)
        sign = p.mux(special.infinite, special.negative, sign)
        if not format.signed:
            # A negative value is beyond the lower end, unless it has been rounded to zero.
            nonzero = (~zero & packed.any()) | least if format.zero else ~empty
            negative_range = (nonzero | special.infinite) & sign & ~special.nan
        bounded = (special.infinite | over) & ~negative_range

        # Infinity where the format has one and the policy asks for it, else the largest value.
        if self.overflow is Overflow.SATURATE or (self.overflow is None and not format.has_inf):
            to_largest = bounded
        elif self.overflow is Overflow.NONFINITE:
            to_largest = p.constant(0, 1)
        else:
            inward = self.is_mode(Rounding.RTZ, Rounding.ROD) | (
                (self.is_mode(Rounding.RUP) & sign) | (self.is_mode(Rounding.RDN) & ~sign)
            )
            to_largest = over & inward & ~special.infinite
        beyond = bounded & ~to_largest
        nan = special.nan

        body = packed.bits(finite_width)
        body = body & ~zero
        if least.constant != 0:
            body = cat(body[0] | least, body[1:])
        body = p.mux(to_largest, p.constant(format.max_code, finite_width), body)
        if not format.signed:
            if self.overflow is not Overflow.SATURATE:
                nan = nan | negative_range
            else:
                body = body & ~negative_range
        if format.inf_code is not None:
            body = p.mux(beyond, p.constant(format.inf_code, finite_width), body)
        elif format.has_nan:
            nan = nan | beyond
        sign = p.mux(empty & ~special.infinite, exact.zero_sign, sign)
        nan_body = nan_code(format, self.nan) & ((1 << finite_width) - 1)
        body = p.mux(nan, p.constant(nan_body, finite_width), body)

        if format.signed:
            if format.specials is Specials.FNUZ:
                # The sign bit alone is NaN, so code 0 has none.
                sign = (sign & body.any() & ~nan) | nan
            elif self.nan is Nan.NEGATIVE_ZERO:
                sign = sign | nan
            else:
                sign = sign & ~nan
            code = cat(body, sign)
        else:
            code = body

        flags = p.constant(0, 4)
        if self.flags:
            finite = ~special.nan & ~special.infinite
            unheld = p.constant(0, 1)
            if not format.has_nan:
                unheld = unheld | special.nan
            if not format.has_inf:
                unheld = unheld | (special.infinite & ~special.nan)
            invalid = special.invalid | unheld | negative_range
            # A format without zero turns it into its smallest value.
            exact_zero = empty if format.zero else p.constant(0, 1)
            below = (tiny() if gradual else zero) & ~exact_zero
            inexact = inexact | over if gradual else inexact | over | below
            inexact = inexact & finite & ~exact_zero & ~negative_range
            overflow = over & finite & ~negative_range
            flags = cat(inexact, below & inexact, overflow, invalid)
        return Projection(code=code, flags=flags)

    # Fixed point.

    def _project_fixed(self, exact: Unrounded, format: Fixed) -> Projection:
        p = self.p
        special = exact.special
        scale = exact.exponent + (exact.offset + format.fraction)
        keep = self.fraction_bits
        exact_integer = (
            scale.constant is not None and scale.constant >= 0 and exact.sticky.constant == 0
        )
        if exact_integer and exact.sign.constant == 0:
            assert scale.constant is not None
            integer = exact.word.shifted_left(scale.constant)
            inexact = p.constant(0, 1)
            return self._saturate(format, integer, inexact, p.constant(0, 1), special)

        if exact.word.signed and exact.sign.constant == 0 and format.signed and not self.flags:
            code = with_special(p, format, round_signed(self, exact, format), special, self.nan)
            return Projection(code=code, flags=p.constant(0, 4))

        negative = exact.word[-1] if exact.word.signed else p.constant(0, 1)
        sign = exact.sign ^ negative
        width = len(exact.word)
        magnitude = exact.word.bits(width) ^ negative
        if exact.word.signed:
            # With a fraction below, the complement is already the magnitude rounded down.
            magnitude = p.add(magnitude, negative & ~exact.sticky).bits(width)
        # The frame ends `keep` bits below the result's last place. It begins where the largest
        # number does, unless that is above all results.
        most = max(min(scale.high, format.width), -width)
        top = most - exact.offset - format.fraction
        amount = p.add(exact.exponent.complement, top + 1)
        too_high = amount.negative
        amount = (amount.bits(len(amount)) & ~too_high).within(0, max(amount.high, 0))
        frame, fell = shift_right(p, magnitude, amount, width + most + keep)
        nonzero = magnitude.any() | exact.sticky
        below = fell | exact.sticky
        if exact.bound is not None:
            frame = frame[: max(keep + exact.bound + format.fraction, 0)]
        frame = frame.bits(max(len(frame), keep + 1))
        fraction, whole = frame[:keep], frame[keep:]
        up, inexact, _ = self._increment(sign, whole[0], fraction, below, p.constant(0, 1))
        largest = format.max_integer
        # Where nothing but rounding can leave the range, it stops at the largest integer.
        stops = self.overflow is Overflow.SATURATE and format.signed and whole.high <= largest
        if stops and not self.flags:
            stop = whole.equals(largest)
            up = up & ~(stop if -format.min_integer == largest else stop & ~sign)
        # -(whole + up) is ~whole + (not up): one adder does both.
        room = len(whole) + 1
        integer = p.add((whole.bits(room) ^ sign).bits(room).as_signed(), p.constant(0), sign ^ up)
        if stops and not self.flags:
            integer = integer.within(format.min_integer, largest)
        beyond = too_high & nonzero
        return self._saturate(format, integer, inexact, beyond, special, sign)

    def _saturate(
        self,
        format: Fixed,
        integer: Wire,
        inexact: Wire,
        beyond: Wire,
        special: Special,
        sign: Wire | None = None,
    ) -> Projection:
        """``integer`` in the format's range; ``beyond`` says that its top bits are lost."""
        p = self.p
        low, high = format.min_integer, format.max_integer
        if sign is None:
            sign = integer[-1] if integer.signed else p.constant(0, 1)
        too_big = at_least(p, integer, high + 1) if integer.high > high else p.constant(0, 1)
        too_small = ~at_least(p, integer, low) if integer.low < low else p.constant(0, 1)
        out_of_range = (too_big | too_small | beyond) & ~special.nan & ~special.infinite
        body = integer.bits(format.width)
        top, bottom = (
            p.constant(high, format.width),
            p.constant(low & ((1 << format.width) - 1), format.width),
        )
        if self.overflow is not Overflow.WRAP:
            body = p.mux(too_big | (beyond & ~sign), top, body)
            body = p.mux(too_small | (beyond & sign), bottom, body)
        elif beyond.constant is None:
            # Everything that is kept lies below the lost bits, which are multiples of 2**width.
            body = body & ~beyond
        body = with_special(p, format, body, special, self.nan)
        flags = p.constant(0, 4)
        if self.flags:
            invalid = out_of_range | special.nan | special.infinite | special.invalid
            rounded = inexact & ~out_of_range & ~special.nan & ~special.infinite
            flags = cat(rounded, p.constant(0, 1), p.constant(0, 1), invalid)
        return Projection(code=body, flags=flags)


def fraction_bits(rounding: Rounding, random: Wire | None, flags: bool) -> int:
    """Exact bits below the last place: a guard, another to see tininess, or the random word's."""
    if rounding.stochastic:
        assert random is not None
        return len(random) + (rounding is not Rounding.SR) + flags
    return 2 if flags else 1
