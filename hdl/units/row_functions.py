# SPDX-License-Identifier: BSD-2-Clause
"""Gates for functions of rows of any length, as streams."""

from dataclasses import dataclass

from macaw.golden import units
from macaw.golden.arithmetic.rows.powers import Power, Significand
from macaw.golden.arithmetic.rows.sums import STEP

from ..arithmetic.divide import floor_divide
from ..arithmetic.integers import ascending
from ..arithmetic.number import Special, unpack
from ..arithmetic.projection import Unrounded
from ..arithmetic.rounding import Rounder
from ..arithmetic.shift import at_least, largest, leading_zeros, shift_left, shift_right
from ..arithmetic.unrounded import with_headroom
from ..arithmetic.words.square_root import square_root
from ..elementary.pieces import Pieces
from ..elementary.reductions import times
from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .datapath import Datapath
from .elementwise import Rounded
from .functions import exponential, floored, probability, squared
from .table import polynomial

__all__ = [
    "DATAPATHS",
    "FloatRowsDatapath",
    "IntegerSoftmaxRowsDatapath",
    "RmsNormDatapath",
    "RowsDatapath",
    "SoftmaxDatapath",
]

_PLACES = STEP.bit_length() - 1
_SQUARE_PLACES = _PLACES - 1
"""Those of an exponent that is doubled."""


class RowsDatapath(Datapath):
    """Gates for a :class:`macaw.golden.units.RowUnit`. One beat a clock.

    What comes in is brought into a memory; what follows of it comes out when the row has ended,
    while the next one comes in.
    """

    spec: units.RowUnit

    def waiting(
        self, p: Scheduler, beat: list[Wire], row: list[Wire], end: Wire, part: str = ""
    ) -> tuple[list[Wire], list[Wire], Wire]:
        """A beat's words and its row's, and whether it is the last, when the row has ended."""
        fixed = self.implementation.flow == "none"
        return p.queue(beat, row, end, self.spec.beats, fixed=fixed, part=part)

    def _top(self, p: Scheduler, steps: list[Wire], end: Wire) -> tuple[Wire, Wire, Wire]:
        """(whether a row begins, the most steps of it so far, how many more these are now)."""
        here = largest(p, steps)
        if here.constant is not None:
            # Nothing is above the least.
            return end if end.constant else p.first(end), here, here
        with p.scope("top"), p.loop(here, end) as loop:
            first = loop.first(end)
            now, before = loop.largest(here, first, "largest")
        return first, now, p.subtract(now, before).within(0, now.high)


class IntegerSoftmaxRowsDatapath(RowsDatapath):
    """Gates for :class:`macaw.golden.units.IntegerSoftmaxRows`. One beat a clock.

    A row waits twice: for its largest value, and for the sum.
    """

    spec: units.IntegerSoftmaxRows

    def build(self, p: Scheduler, *, x: Wire, keep: Wire, end: Wire) -> dict[str, Wire]:
        spec, constants = self.spec, self.spec.constants
        end = p.ends(end, spec.beats)
        # What is not present is as the least of all.
        words = [x & there for x, there in zip(ascending(x, spec.x), keep.lanes(1), strict=True)]
        _, top, _ = self._top(p, words, end)
        beat, (top,), end = self.waiting(p, [*words, *keep.lanes(1)], [top], end)
        exponentials = []
        with p.scope("second"):
            pairs = list(zip(beat[: spec.lanes], beat[spec.lanes :], strict=True))
            for word, there in p.lanes(pairs):
                distance = p.subtract(top, word).within(0, top.high)
                exponentials.append(exponential(p, distance, constants) & there)
            with p.scope("add"):
                addend = p.sum(exponentials).within(0, constants.largest * spec.lanes)
            most = constants.largest * spec.elements
            total = p.accumulate(addend, p.first(end, addend), most.bit_length() + 1)
            total = total[:-1].within(0, most)
            held, (total,), end = self.waiting(p, exponentials, [total], end, "second_")
        # A row of which nothing is there has a sum of zero, and nothing times anything as results.
        total = cat(total[0] | ~total.any(), total[1:]).within(1, total.high)
        factor, _ = floor_divide(p, p.constant(1 << spec.reciprocal), total)
        factor = p.name("factor", factor)
        results = [probability(p, e, factor, spec) for e in p.lanes(held)]
        return {"r": cat(*results), "end": end}


class FloatRowsDatapath(RowsDatapath, Rounded):
    """Gates for a :class:`macaw.golden.units.FloatRows`: results are rounded."""

    spec: units.FloatRows
    wraps = True

    @property
    def _bits(self) -> int:
        bits = getattr(self.spec, "bits")  # noqa: B009
        assert isinstance(bits, int)
        return bits

    @property
    def _aligned(self) -> int:
        """Fraction bits of the sum."""
        aligned = getattr(self.spec, "aligned")  # noqa: B009
        assert isinstance(aligned, int)
        return aligned

    def _sum(
        self,
        p: Scheduler,
        significands: list[Wire],
        distances: list[Wire],
        rise: Wire,
        first: Wire,
    ) -> Wire:
        """The sum of a row, so far: golden's :func:`aligned_sums`."""
        spec, aligned = self.spec, self._aligned
        width = aligned + STEP + spec.growth
        terms = []
        pairs = list(zip(significands, distances, strict=True))
        for significand, distance in p.lanes(pairs):
            with p.scope("align"):
                term, _ = shift_right(p, significand, distance, aligned + STEP)
                terms.append(term)
        most = (1 << (aligned + STEP)) - 1
        with p.scope("add"):
            addend = p.name("addend", p.sum(terms).within(0, most * spec.lanes))
        with p.scope("sum"):
            steps = (width - 1) // STEP
            lost = p.name("lost", first | at_least(p, rise, steps + 1))
            amount = rise[: steps.bit_length()]
            with p.loop(addend, amount, lost) as loop:
                state = loop.state(width, "accumulator")
                kept = state & ~lost
                for level in range(len(amount)):
                    moved = kept[STEP << level :].bits(width)
                    kept = p.mux(amount[level], moved, kept, "kept")
                total = p.add(kept, addend).within(0, (1 << width) - 1)
                loop.close(state, total)
        return p.name("total", total)

    def _unrounded(
        self,
        p: Scheduler,
        word: Wire,
        exponent: Wire,
        offset: int,
        nan: Wire,
        rounder: Rounder,
        *,
        sign: Wire | None = None,
        leading: int | None = None,
    ) -> Unrounded:
        """A product, positive without a ``sign``, with its ``leading`` one or one below it."""
        never = p.constant(0, 1)
        return Unrounded(
            word=with_headroom(word, exponent.low + offset, rounder),
            exponent=exponent,
            offset=offset,
            sticky=never,
            sign=never if sign is None else sign,
            zero_sign=never if sign is None else sign,
            special=Special(nan=nan, infinite=never, negative=never, invalid=never),
            leading=leading,
            depth=0 if leading is None else 1,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    """An element of a row in gates: its power, as golden's :class:`Power` has it.

    Attributes
    ----------
    significand : Wire
        0 where it is nothing of the sum.
    exponent, rest : Wire
        Its steps above the least exponent, 0 of what is nothing of the sum; what is above those.
    present, live, spoilt : Wire
        Whether it is there, has a power, and makes NaNs of the row's results.
    """

    significand: Wire
    exponent: Wire
    rest: Wire
    present: Wire
    live: Wire
    spoilt: Wire


class SoftmaxDatapath(FloatRowsDatapath):
    """Gates for :class:`macaw.golden.units.Softmax`. One beat a clock, whatever the rows are."""

    spec: units.Softmax

    def build(self, p: Scheduler, *, a: Wire, keep: Wire, end: Wire) -> dict[str, Wire]:
        spec = self.spec
        end = p.ends(end, spec.beats)
        codes, present = a.lanes(spec.a.width), keep.lanes(1)
        pairs = p.lanes(list(zip(codes, present, strict=True)))
        elements = [self._element(p, code, there) for code, there in pairs]
        first, now, rise = self._top(p, [element.exponent for element in elements], end)
        distances = [
            cat(~x.rest, p.subtract(now, x.exponent).within(0, now.high)) for x in elements
        ]
        significands = [element.significand for element in elements]
        total = self._sum(p, significands, distances, rise, first)
        spoilt = p.gather(cat(*(x.spoilt for x in elements)).any(), first)
        spoilt = spoilt | ~total.any()
        quotient, zeros = self._reciprocal(p, total)

        # What is so far below the row's largest is nothing but more than zero.
        far = max(6 - spec.out.quantum, 1) + STEP - 1
        near = [_at_most(p, distance, far) for distance in distances]
        held = [x.significand[: self._bits] for x in elements]
        marks = [x.live for x in elements] + [x.present for x in elements]
        beat = [*held, *near, *marks, now]
        beat, row, end = self.waiting(p, beat, [quotient, zeros, spoilt, now], end)
        count = spec.lanes
        held, near, live, there = (beat[i * count : (i + 1) * count] for i in range(4))
        quotient, zeros, spoilt, top = row
        with p.scope("rescale"):
            steps = p.subtract(top, beat[-1]).within(0, top.high)
            moved = _at_most(p, steps.shifted_left(_PLACES), far)
            place = p.subtract(p.add(zeros, 2 * far), moved)
        results = []
        rounder = self.rounder(p)
        for fraction, distance, some, kept in p.lanes(
            list(zip(held, near, live, there, strict=True))
        ):
            significand = cat(fraction, some)
            product = p.name("product", p.multiply(significand, quotient))
            exponent = p.subtract(place, distance).within(0, zeros.high + 2 * far)
            offset = -self.spec.growth - 2 * self._bits - 2 - 2 * far
            exact = self._unrounded(
                p, product, exponent, offset, spoilt & kept, rounder, leading=2 * self._bits + 2
            )
            results.append(rounder.project(exact).code)
        return {"r": cat(*results), "end": end}

    def _element(self, p: Scheduler, code: Wire, present: Wire) -> Element:
        power = self.spec.arithmetic.power
        number = unpack(p, code, self.spec.a)
        special = number.special
        other = special.nan | special.infinite
        live = p.name("live", present & ~other)
        m, n = power_of(p, number.sign, number.significand, number.exponent, number.offset, power)
        # The sign turned, it counts from the least one.
        steps = cat(n[_PLACES:-1], ~n[-1])
        return Element(
            significand=cat(m[: power.bits] & live, live),
            exponent=steps & live,
            rest=n[:_PLACES],
            present=present,
            live=live,
            spoilt=present & other & ~(special.infinite & number.sign),
        )

    def _reciprocal(self, p: Scheduler, total: Wire) -> tuple[Wire, Wire]:
        """(that of the sum's upper bits, zeros above its leading one)."""
        bits = self._bits
        with p.scope("normalise"):
            most = STEP + self.spec.growth - 1
            zeros = leading_zeros(p, total)[: most.bit_length()].within(0, most)
            divisor, _ = shift_left(p, total, zeros, bits + 2)
            divisor = divisor.within(2 << bits, (4 << bits) - 1)
        quotient, _ = floor_divide(p, p.constant(1 << (2 * bits + 3)), divisor)
        return p.name("reciprocal", quotient.within(2 << bits, 4 << bits)), zeros


class RmsNormDatapath(FloatRowsDatapath):
    """Gates for :class:`macaw.golden.units.RmsNorm`. One beat a clock, whatever the rows are."""

    spec: units.RmsNorm

    def build(self, p: Scheduler, *, a: Wire, keep: Wire, end: Wire) -> dict[str, Wire]:
        spec, eps = self.spec, self.spec.arithmetic.eps
        end = p.ends(end, spec.beats)
        codes, present = a.lanes(spec.a.width), keep.lanes(1)
        numbers, live, squares, places = [], [], [], []
        for code, there in p.lanes(list(zip(codes, present, strict=True))):
            number = unpack(p, code, spec.a)
            some = p.name("live", there & ~(number.special.nan | number.special.infinite))
            numbers.append(number)
            live.append(number.significand & some)
            squares.append(squared(p, number.significand).bits(2 * spec.a.precision) & some)
            # From the eps's step on: half of the places of the square's leading one.
            above = number.offset + spec.a.precision - 1 - eps.step // 2
            places.append(p.name("place", p.add(number.exponent, above)))
        steps = [self._steps(p, place, word) for place, word in zip(places, live, strict=True)]
        first, now, rise = self._top(p, steps, end)
        distances = [self._distance(p, now, place) for place in places]
        total = self._sum(p, squares, distances, rise, first)
        # A running sum is signed.
        count = p.accumulate(p.sum(present), first, spec.growth + 2)[:-1]
        root, place = self._reciprocal(p, total, count.within(0, 1 << spec.growth), now)

        def seen(words: list[Wire]) -> Wire:
            return p.gather(cat(*(x & y for x, y in zip(words, present, strict=True))).any(), first)

        nan = seen([number.special.nan for number in numbers])
        infinite = [number.special.infinite for number in numbers]
        root = root & ~(nan | seen(infinite))
        lanes = list(zip(numbers, present, infinite, strict=True))
        beat = [number.exponent for number in numbers] + live
        beat += [number.sign & there for number, there, _ in lanes]
        beat += [there & beyond for _, there, beyond in lanes] + present
        beat, row, end = self.waiting(p, beat, [root, place, nan], end)
        held = [beat[i * spec.lanes : (i + 1) * spec.lanes] for i in range(5)]
        root, place, nan = row
        results = []
        rounder = self.rounder(p)
        offset = numbers[0].offset + self._offset(now.high)
        for exponent, word, sign, beyond, there in p.lanes(list(zip(*held, strict=True))):
            product = p.name("product", p.multiply(word, root))
            wrong = beyond | (nan & there)
            exact = self._unrounded(
                p, product, p.add(exponent, place), offset, wrong, rounder, sign=sign & ~wrong
            )
            results.append(rounder.project(exact).code)
        return {"r": cat(*results), "end": end}

    def _steps(self, p: Scheduler, place: Wire, word: Wire) -> Wire:
        """An element's steps above the eps's; 0 below, and of what is nothing of the sum."""
        steps = floored(place, _SQUARE_PLACES)
        some = word.any() & ~steps.negative if steps.signed else word.any()
        high = max(steps.high, 0)
        return steps.bits(len(steps))[: high.bit_length()].within(0, high) & some

    def _distance(self, p: Scheduler, now: Wire, place: Wire) -> Wire:
        """How far a square is below the top of its row's sum."""
        steps = floored(place, _SQUARE_PLACES)
        below = p.subtract(now, steps).within(0, now.high - min(steps.low, 0))
        rest = place.bits(max(len(place), _SQUARE_PLACES))[:_SQUARE_PLACES]
        return cat(p.constant(0, 1), ~rest, below)

    @property
    def _even(self) -> int:
        """The growth of a row's sum, or one more where that is odd."""
        return self.spec.growth + self.spec.growth % 2

    def _offset(self, steps: int) -> int:
        """What the exponents of roots are above."""
        eps = self.spec.arithmetic.eps
        return -4 * steps - self._even // 2 - STEP // 2 - eps.step // 2 - self._bits - 1

    def _reciprocal(self, p: Scheduler, total: Wire, count: Wire, steps: Wire) -> tuple[Wire, Wire]:
        """(that of the root, its exponent)."""
        bits, growth = self._bits, self.spec.growth
        eps = self.spec.arithmetic.eps
        width = self._aligned + STEP + growth + 1
        with p.scope("epsilon"):
            more = times(p, count, eps.significand)
            up = eps.exponent + self._aligned - eps.step
            more = more.shifted_left(up) if up >= 0 else floored(more, -up)
            more, _ = shift_right(p, more, cat(p.constant(0, _PLACES), steps), len(more))
            # Of its width where a row is a beat, too: zeros are counted from there.
            total = p.add(total, more).bits(width)
            total = p.name("mean", cat(total[0] | ~total.any(), total[1:]))
        with p.scope("normalise"):
            zeros = leading_zeros(p, total).within(0, width - 1)
            divisor, _ = shift_left(p, total, zeros, bits + 2)
            divisor = divisor.within(2 << bits, (4 << bits) - 1)
            above = leading_zeros(p, count.bits(growth + 1)).within(0, growth)
            count, _ = shift_left(p, count.bits(growth + 1), above, growth + 1)
        ratio, _ = floor_divide(p, count.shifted_left(2 * bits + 4 - growth), divisor)
        half = p.add(p.subtract(zeros, above), self._even)
        half = half.within(0, width - 1 + self._even)
        ratio = p.mux(half[0], ratio.shifted_left(1), ratio)
        root, _ = square_root(p, ratio.shifted_left(bits - 1))
        left = p.subtract(p.constant(steps.high), steps).within(0, steps.high)
        place = p.add(half[1:], left.shifted_left(_PLACES - 1))
        return p.name("root", root[: bits + 2].within(0, (4 << bits) - 1)), place


def _at_most(p: Scheduler, word: Wire, bound: int) -> Wire:
    """The smaller of a word and a constant."""
    if word.high <= bound:
        return word
    near = word[: bound.bit_length()]
    return p.mux(at_least(p, word, bound), bound, near).within(0, bound)


@scoped("power")
def power_of(
    p: Scheduler, sign: Wire, significand: Wire, exponent: Wire, offset: int, power: Power
) -> tuple[Wire, Wire]:
    """(m, the bits of n) of a finite number: the steps of golden's :class:`Power`."""
    precision, width = len(significand), power.bits + power.reach + 1
    highest = power.reach - precision - offset
    beyond = at_least(p, exponent, highest + 1)
    product = times(p, significand, power.factor).bits(precision + power.cut + 1)
    amount = p.subtract(p.constant(highest), exponent)
    most = highest - exponent.low
    amount = amount.bits(max(most.bit_length(), 1)).within(0, max(most, 0))
    word, _ = shift_right(p, product, amount, width)
    word = p.name("magnitude", p.mux(beyond, p.constant(power.most, width), word))
    flipped = (word.bits(width + 1) ^ sign).as_signed()
    y = p.name("logarithm", p.add(flipped, sign).within(-power.most, power.most))
    n = floored(y, power.bits).bits(power.whole + 1)
    whole = Significand(bits=power.bits)
    c0, c1, c2 = zip(*whole.coefficients, strict=True)
    pieces = Pieces(
        width=whole.width, shift=whole.shift, constants=c0, slopes=c1, curves=c2,
        cut=whole.cut, drop=whole.drop,
    )  # fmt: skip
    m = polynomial(p, pieces, y[: power.bits].bits(power.bits))
    return m.within(1 << power.bits, (2 << power.bits) - 1), n


DATAPATHS = {
    units.Softmax: SoftmaxDatapath,
    units.RmsNorm: RmsNormDatapath,
    units.IntegerSoftmaxRows: IntegerSoftmaxRowsDatapath,
}
