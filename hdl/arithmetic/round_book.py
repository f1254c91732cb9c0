# SPDX-License-Identifier: BSD-2-Clause
"""From an exact value to the code of a book: comparisons with constants, all at once.

The value is brought to a fixed point in which lie all values of the book, and the points half way
between two of them. From each value to the next one there is a step, up from some constant: which
one, and whether already on it, is what the roundings differ in.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from macaw.golden.arithmetic.projection import nan_code
from macaw.golden.errors import SpecError
from macaw.golden.formats import Book, Fixed
from macaw.golden.formats.choices import Rounding

from ..schedule.wire import Wire, cat
from .projection import Projection, Projector, Unrounded
from .round_fixed import framed
from .shift import at_least

__all__ = ["ToBook", "fixed_point_of"]

_MODES = (Rounding.RNE, Rounding.RTZ, Rounding.RDN, Rounding.RUP, Rounding.RNA, Rounding.ROD)

Step = tuple[Fraction, bool] | None
"""From where on the upper of two values is the result: a bound, and whether it belongs to the upper
one; None where the sign alone decides."""


def fixed_point_of(book: Book) -> Fixed:
    """The fixed point that has all values of ``book``, and all half way between neighbours."""
    values = [Fraction(value) for value in book.ordered]
    marks = [*values, *((low + high) / 2 for low, high in pairwise(values))]
    fraction = max(mark.denominator.bit_length() - 1 for mark in marks)
    signed = values[0] < 0
    width = (max(abs(mark) for mark in marks).__ceil__() << fraction).bit_length() + signed
    if width > 64 or fraction > 128:
        raise SpecError(
            f"{book.name}: as results gates take books whose values, and those half way between "
            f"two of them, fit in 64 bits of fixed point, not {width}"
        )
    return Fixed(width=width, fraction=fraction, signed=signed)


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a value lies: its sign, and twice its magnitude with what is below as a last bit."""

    sign: Wire
    twice: Wire
    zero: Wire
    beyond: Wire
    point: int
    compared: dict[int, Wire] = field(default_factory=dict)

    def reaches(self, bound: Fraction, included: bool) -> Wire:
        """Whether the value is above ``bound``, or on it if that is ``included``."""
        if bound == 0:
            return (~self.sign | self.zero) if included else (~self.sign & ~self.zero)
        scaled = int(abs(bound) * 2**self.point) * 2
        if bound > 0:
            return ~self.sign & self._at_least(scaled + (not included))
        return ~(self.sign & self._at_least(scaled + included))

    def _at_least(self, least: int) -> Wire:
        if least not in self.compared:
            reached = at_least(self.sign.pipeline, self.twice, least)
            self.compared[least] = reached | self.beyond
        return self.compared[least]


class ToBook(Projector[Book]):
    """Projects exact values to a code book."""

    def project(self, exact: Unrounded) -> Projection:
        p, format, special = self.p, self.format, exact.special
        point = fixed_point_of(format)
        frame = framed(p, exact, point, self.direction.fraction_bits)
        with p.scope("compare"):
            below = p.name("below_point", frame.fraction.any() | frame.below)
            twice = cat(below, frame.whole)
            beyond = p.name("beyond", frame.too_high & frame.nonzero)
            zero = p.name("zero", ~(twice.any() | beyond))
            sign = p.name("signed", p.mux(zero, exact.zero_sign, frame.sign))
            place = _Place(sign=sign, twice=twice, zero=zero, beyond=beyond, point=point.fraction)
            steps = [self._step(place, low, high) for low, high in pairwise(self._values)]
        with p.scope("pack"):
            always = p.constant(1, 1)
            hot = [
                above & ~step
                for above, step in zip([always, *steps], [*steps, ~always], strict=True)
            ]
            code = self._code(hot, sign)
            low, high = (
                p.constant(format.code(end, negative=end == format.min), format.width)
                for end in (format.min, format.max)
            )
            code = p.mux(special.infinite, p.mux(special.negative, low, high), code)
            nan = p.constant(nan_code(format, self.nan), format.width)
            code = p.mux(special.nan, nan, code)
            flags = p.constant(0, 4)
            if self.direction.flags:
                flags = self._flags(place, exact)
        return Projection(code=code, flags=flags)

    @property
    def _values(self) -> list[Fraction]:
        return [Fraction(value) for value in self.format.ordered]

    def _step(self, place: _Place, low: Fraction, high: Fraction) -> Wire:
        """Whether the result is not ``low`` or less, of neighbours ``low`` and ``high``."""
        result = self.p.constant(0, 1)
        groups: dict[Step, list[Rounding]] = {}
        for mode in _MODES:
            if self.direction.is_mode(mode).constant != 0:
                groups.setdefault(self._bound(mode, low, high), []).append(mode)
        for bound, modes in groups.items():
            passed = ~place.sign if bound is None else place.reaches(*bound)
            result = result | (self.direction.is_mode(*modes) & passed)
        return result

    def _bound(self, rounding: Rounding, low: Fraction, high: Fraction) -> Step:
        from_high, after_low, middle = (high, True), (low, False), (low + high) / 2
        odd_low = self.format.code(float(low)) % 2
        odd_high = self.format.code(float(high), negative=high == 0) % 2
        # Of two neighbours of which neither is to be preferred, the one nearer to zero.
        outward = abs(high) > abs(low)
        match rounding:
            case Rounding.RUP:
                return after_low
            case Rounding.RDN:
                return from_high
            case Rounding.RTZ if low < 0 < high:
                return None
            case Rounding.RTZ:
                return from_high if outward else after_low
            case Rounding.ROD if odd_low != odd_high:
                return after_low if odd_high else from_high
            case Rounding.ROD if low == -high:
                return None
            case Rounding.ROD:
                return from_high if outward else after_low
        if middle == 0:
            return None
        if rounding is Rounding.RNA:
            return middle, outward
        return middle, (odd_low > odd_high if odd_low != odd_high else not outward)

    def _code(self, hot: list[Wire], sign: Wire) -> Wire:
        """The code of the one value that is ``hot``."""
        format = self.format
        chosen: list[tuple[Wire, int]] = []
        for value, wire in zip(format.ordered, hot, strict=True):
            plus, minus = format.code(value), format.code(value, negative=True)
            if plus == minus:
                chosen.append((wire, plus))
            else:
                chosen += [(wire & ~sign, plus), (wire & sign, minus)]
        bits = []
        for bit in range(format.width):
            wires = [wire for wire, code in chosen if code >> bit & 1]
            bits.append(cat(*wires).any() if wires else self.p.constant(0, 1))
        return cat(*bits)

    def _flags(self, place: _Place, exact: Unrounded) -> Wire:
        """Inexact, underflow, overflow and invalid, in golden's order of bits."""
        p, special = self.p, exact.special
        finite = ~special.nan & ~special.infinite
        values = self._values
        is_value = [place.reaches(x, True) & ~place.reaches(x, False) for x in values]
        over = place.reaches(values[-1], False) | ~place.reaches(values[0], True)
        inexact = ~cat(*is_value).any()
        clean = finite & ~special.invalid
        invalid = special.nan | special.infinite | special.invalid
        return cat(inexact & clean, p.constant(0, 1), over & clean, invalid)
