# SPDX-License-Identifier: BSD-2-Clause
"""Gates for functions of rows of any length, as streams."""

from collections.abc import Sequence

from macaw.golden import units
from macaw.golden.arithmetic.rows.sums import STEP
from macaw.golden.errors import SpecError
from macaw.golden.formats.choices import Overflow, Rounding

from ..arithmetic.divide import floor_divide
from ..arithmetic.integers import ascending, integer
from ..arithmetic.number import Number, Special, multiply, unpack
from ..arithmetic.projection import Unrounded
from ..arithmetic.rounding import Rounder
from ..arithmetic.shift import at_least, floored, leading_zeros, shift_left, shift_right
from ..arithmetic.sums import sum_products
from ..arithmetic.unrounded import from_number, with_headroom
from ..arithmetic.words.square_root import squared
from ..elementary.reductions import times
from ..rows.clip import clipped, limited
from ..rows.powers import power_sum
from ..rows.roots import normalised, reciprocal_root
from ..rows.sums import added, below, cut, rising, steps_of, total
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .datapath import Datapath
from .elementwise import Rounded
from .functions import exponential, probability

__all__ = [
    "DATAPATHS",
    "FloatRowsDatapath",
    "IntegerSoftmaxRowsDatapath",
    "LayerNormDatapath",
    "NormDatapath",
    "RmsNormDatapath",
    "RowsDatapath",
    "SoftmaxDatapath",
    "SoftmaxMergeDatapath",
    "SoftmaxSumDatapath",
]

_PLACES = STEP.bit_length() - 1
_HALF_PLACES = _PLACES - 1
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
        top, _ = rising(p, words, end)
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
            total = p.accumulate(addend, end, most.bit_length() + 1)
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
        end: Wire,
    ) -> Wire:
        """The sum of a row, so far: golden's :func:`aligned_sums`."""
        width = self._aligned + STEP
        addend = added(p, significands, distances, width, signs=[])
        return total(p, addend, rise, end, width + self.spec.growth)

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
        zero_sign: Wire | None = None,
        leading: int | None = None,
        depth: int = 0,
    ) -> Unrounded:
        """A product, positive without a ``sign``, which zeros have unless they have their own.

        Its leading one is the ``leading`` bit, or ``depth`` below that at most.
        """
        never = p.constant(0, 1)
        sign = never if sign is None else sign
        return Unrounded(
            word=with_headroom(word, exponent.low + offset, rounder),
            exponent=exponent,
            offset=offset,
            sticky=never,
            sign=sign,
            zero_sign=sign if zero_sign is None else zero_sign,
            special=Special(nan=nan, infinite=never, negative=never, invalid=never),
            leading=leading,
            depth=depth,
        )


class SoftmaxDatapath(FloatRowsDatapath):
    """Gates for :class:`macaw.golden.units.Softmax`. One beat a clock, whatever the rows are."""

    spec: units.Softmax

    def build(self, p: Scheduler, *, a: Wire, keep: Wire, end: Wire) -> dict[str, Wire]:
        spec = self.spec
        end = p.ends(end, spec.beats)
        sums = power_sum(p, spec, a, keep, end)
        elements, distances, now = sums.elements, sums.distances, sums.exponent
        spoilt = sums.nan | ~sums.total.any()
        quotient, zeros = self._reciprocal(p, sums.total)

        far = self._far
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
            exact = self._result(p, product, exponent, spoilt & kept, rounder)
            results.append(rounder.project(exact).code)
        return {"r": cat(*results), "end": end}

    @property
    def _far(self) -> int:
        """What is so far below the row's largest is nothing but more than zero, or clipped to 0."""
        clip = self.spec.clip
        up = 0 if clip is None else clip.up
        if clip is None or clip.less is None:
            return max(6 + up - self.spec.out.quantum, 1) + STEP - 1
        return 2 + up - clip.less.highest + STEP - 1

    def _result(
        self, p: Scheduler, product: Wire, exponent: Wire, nan: Wire, rounder: Rounder
    ) -> Unrounded:
        """A product of the sum's reciprocal, and clipped."""
        clip, top = self.spec.clip, self.spec.growth + 2 * self._far
        offset = -top - 2 * self._bits - 2
        leading = len(product) - 1
        if clip is not None:
            offset += clip.up
            if clip.less is not None:
                word = clipped(p, clip, product, exponent, top)
                return self._unrounded(p, word, p.constant(0), clip.last, nan, rounder)
            product, exponent = limited(p, clip, product, exponent, top)
        return self._unrounded(
            p, product, exponent, offset, nan, rounder,
            leading=leading, depth=leading - 2 * self._bits - 1,
        )  # fmt: skip

    def _reciprocal(self, p: Scheduler, total: Wire) -> tuple[Wire, Wire]:
        """(that of the sum's upper bits, zeros above its leading one)."""
        bits = self._bits
        with p.scope("normalise"):
            most = STEP + self.spec.growth - 1
            zeros = leading_zeros(p, total)[: most.bit_length()].within(0, most)
            divisor, _ = shift_left(p, total, zeros, bits + 2)
            divisor = divisor.within(2 << bits, (4 << bits) - 1)
        dividend = self.spec.arithmetic.dividend
        quotient, _ = floor_divide(p, p.constant(dividend), divisor)
        low, high = dividend // divisor.high, dividend // divisor.low
        return p.name("reciprocal", quotient.within(low, high)), zeros


class NormDatapath(FloatRowsDatapath):
    """Gates for a :class:`macaw.golden.units.Norm`. One beat a clock, whatever the rows are."""

    spec: units.Norm

    def _elements(
        self, p: Scheduler, a: Wire, keep: Wire
    ) -> tuple[list[Number], list[Wire], list[Wire]]:
        """(the numbers, their significands or 0 of what is nothing of the sum, what is there)."""
        numbers, live, present = [], [], keep.lanes(1)
        for code, there in p.lanes(list(zip(a.lanes(self.spec.a.width), present, strict=True))):
            number = unpack(p, code, self.spec.a)
            some = p.name("live", there & ~(number.special.nan | number.special.infinite))
            numbers.append(number)
            live.append(number.significand & some)
        return numbers, live, present

    def _place(self, p: Scheduler, exponent: Wire, least: int) -> Wire:
        """The exponent of an element's leading one, counted from the ``least``."""
        return p.name("place", p.add(exponent, -self.spec.a.bias - least))

    def _count(self, p: Scheduler, present: list[Wire], end: Wire) -> Wire:
        """How many elements there are."""
        growth = self.spec.growth
        # A running sum is signed.
        count = p.accumulate(p.sum(present), end, growth + 2)[:-1]
        return count.within(0, 1 << growth)

    def _number(
        self,
        p: Scheduler,
        product: Wire,
        exponent: Wire,
        offset: int,
        lowest: tuple[tuple[int, int], ...],
        sign: Wire,
        zero: Wire,
        nan: Wire,
    ) -> Number:
        """An unrounded result, to be calculated with."""
        never = p.constant(0, 1)
        return Number(
            pipeline=p,
            sign=sign,
            zero=zero,
            significand=product,
            exponent=exponent,
            offset=offset,
            lowest=lowest,
            special=Special(nan=nan, infinite=never, negative=sign, invalid=never),
        )

    def _held(self, operands: dict[str, Wire], present: list[Wire]) -> list[Wire]:
        """Codes of what comes beside the elements, 0 where these are not there."""
        found = []
        for name in self.spec.beside:
            codes = operands[name].lanes(getattr(self.spec, name).width)
            found += [code & there for code, there in zip(codes, present, strict=True)]
        return found

    def _scaled(self, p: Scheduler, value: Number, codes: Sequence[Wire], rounder: Rounder) -> Wire:
        """The code of a value times its weight, and with its bias."""
        spec = self.spec
        beside = {
            name: unpack(p, code, getattr(spec, name))
            for name, code in zip(spec.beside, codes, strict=True)
        }
        if "weight" in beside:
            value = multiply(p, value, beside["weight"])
        if "bias" not in beside:
            return rounder.project(from_number(p, value, rounder)).code
        widest = self.implementation.widest_sum
        exact = sum_products(p, [value], beside["bias"], rounder, widest)
        return rounder.project(exact).code

    def _seen(self, p: Scheduler, end: Wire, words: list[Wire], present: list[Wire]) -> Wire:
        """Whether any has been there."""
        return p.gather(cat(*(x & y for x, y in zip(words, present, strict=True))).any(), end)


class RmsNormDatapath(NormDatapath):
    """Gates for :class:`macaw.golden.units.RmsNorm`. One beat a clock, whatever the rows are."""

    spec: units.RmsNorm

    def build(
        self, p: Scheduler, *, a: Wire, keep: Wire, end: Wire, **beside: Wire
    ) -> dict[str, Wire]:
        spec, eps = self.spec, self.spec.arithmetic.eps
        end = p.ends(end, spec.beats)
        numbers, live, present = self._elements(p, a, keep)
        # From the eps's step on: half of the places of the square's leading one.
        exponents = [number.exponent for number in numbers]
        places = [self._place(p, exponent, eps.step // 2) for exponent in p.lanes(exponents)]
        squares = [squared(p, word).bits(2 * spec.a.precision) for word in p.lanes(live)]
        steps = [steps_of(place, x, _HALF_PLACES) for place, x in zip(places, live, strict=True)]
        now, rise = rising(p, steps, end)
        distances = [cat(p.constant(0, 1), below(p, now, place, _HALF_PLACES)) for place in places]
        total = self._sum(p, squares, distances, rise, end)
        root, place = self._reciprocal(p, total, self._count(p, present, end), now)
        nan = self._seen(p, end, [number.special.nan for number in numbers], present)
        infinite = [number.special.infinite for number in numbers]
        root = root & ~(nan | self._seen(p, end, infinite, present))
        lanes = list(zip(numbers, present, infinite, strict=True))
        beat = exponents + live
        beat += [number.sign & there for number, there, _ in lanes]
        beat += [there & beyond for _, there, beyond in lanes] + present
        beat += self._held(beside, present)
        beat, row, end = self.waiting(p, beat, [root, place, nan], end)
        held = [beat[i : i + spec.lanes] for i in range(0, len(beat), spec.lanes)]
        root, place, nan = row
        results = []
        rounder = self.rounder(p)
        offset = numbers[0].offset + self._offset(now.high)
        for exponent, word, sign, beyond, there, *codes in p.lanes(list(zip(*held, strict=True))):
            product = p.name("product", p.multiply(word, root))
            wrong = beyond | (nan & there)
            exponent = p.add(exponent, place)
            sign = sign & ~wrong
            if codes:
                up = place.high + offset - numbers[0].offset
                lowest = tuple((i + self._bits, top + up) for i, top in numbers[0].lowest)
                zero = ~(word.any() & root.any())
                value = self._number(p, product, exponent, offset, lowest, sign, zero, wrong)
                results.append(self._scaled(p, value, codes, rounder))
                continue
            exact = self._unrounded(p, product, exponent, offset, wrong, rounder, sign=sign)
            results.append(rounder.project(exact).code)
        return {"r": cat(*results), "end": end}

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
        divisor, zeros = normalised(p, total, bits)
        with p.scope("normalise"):
            above = leading_zeros(p, count.bits(growth + 1)).within(0, growth)
            count, _ = shift_left(p, count.bits(growth + 1), above, growth + 1)
        half = p.add(p.subtract(zeros, above), self._even)
        half = half.within(0, width - 1 + self._even)
        root = reciprocal_root(p, count, divisor, half[0], bits)
        left = p.subtract(p.constant(steps.high), steps).within(0, steps.high)
        return root, p.add(half[1:], left.shifted_left(_PLACES - 1))


class LayerNormDatapath(NormDatapath):
    """Gates for :class:`macaw.golden.units.LayerNorm`. One beat a clock, whatever the rows are."""

    spec: units.LayerNorm

    @classmethod
    def limits(cls, kind: type[units.Unit]) -> list[str]:
        return [*super().limits(kind), "overflow=wrap with a bias"]

    @classmethod
    def check(cls, spec: units.Unit) -> None:
        super().check(spec)
        if spec.overflow is Overflow.WRAP and "bias" in spec.ports.inputs:
            raise SpecError("overflow=wrap with a bias: in gates a sum of floats does not wrap")

    @property
    def _least(self) -> int:
        """The exponent that a row's sum begins with."""
        return self.spec.arithmetic.eps.half_step

    def build(
        self, p: Scheduler, *, a: Wire, keep: Wire, end: Wire, **beside: Wire
    ) -> dict[str, Wire]:
        spec, width = self.spec, self._aligned + STEP
        end = p.ends(end, spec.beats)
        numbers, live, present = self._elements(p, a, keep)
        exponents = [number.exponent for number in numbers]
        places = [self._place(p, exponent, self._least) for exponent in p.lanes(exponents)]
        steps = [steps_of(place, word, _PLACES) for place, word in zip(places, live, strict=True)]
        now, rise = rising(p, steps, end)
        distances = [below(p, now, place, _PLACES) for place in places]
        words = [cut(p, x, far, width) for x, far in zip(live, distances, strict=True)]
        signs = [number.sign & there for number, there in zip(numbers, present, strict=True)]
        with p.scope("elements"):
            addend = added(p, words, distances, width, signs=signs)
            sum_ = total(p, addend, rise, end, width + spec.growth + 1)
        with p.scope("squares"):
            squares = [squared(p, x).bits(2 * spec.a.precision) for x in p.lanes(words)]
            twice = [cat(p.constant(0, 1), far) for far in distances]
            addend = added(p, squares, twice, 2 * width, signs=[])
            squares = total(p, addend, rise, end, 2 * width + spec.growth, 2 * STEP)
        count = self._count(p, present, end)
        special = [number.special.nan | number.special.infinite for number in numbers]
        spoilt = self._seen(p, end, special, present)
        root, half = self._reciprocal(p, sum_, squares, count, now)
        beat = exponents + live + signs + present + self._held(beside, present)
        row = [root, half, p.subtract(0, sum_), count, now, spoilt]
        beat, row, end = self.waiting(p, beat, row, end)
        held = [beat[i : i + spec.lanes] for i in range(0, len(beat), spec.lanes)]
        results = [self._result(p, lane, row) for lane in p.lanes(list(zip(*held, strict=True)))]
        return {"r": cat(*results), "end": end}

    def _result(self, p: Scheduler, element: tuple[Wire, ...], row: list[Wire]) -> Wire:
        """The code of an element's result."""
        exponent, word, sign, there, *codes = element
        root, half, less, count, now, spoilt = row
        bits, width, growth = self._bits, self._aligned + STEP, self.spec.growth
        most = (1 << (width + growth + 1)) - 1
        with p.scope("difference"):
            distance = below(p, now, self._place(p, exponent, self._least), _PLACES)
            product = p.multiply(count, cut(p, word, distance, width))
            product = product.bits(len(word) + growth + 1)
            product, _ = shift_right(p, product, distance, width + growth + 1)
            turned = (product.bits(len(product) + 1) ^ sign).as_signed()
            difference = p.add(turned, less, sign).within(-most, most)
            negative = difference.negative
            size = p.add(difference.bits(width + growth + 2) ^ negative, negative)
            size = p.name("size", size.bits(width + growth + 1))
        with p.scope("normalise"):
            zeros = leading_zeros(p, size).within(0, width + growth)
            upper, _ = shift_left(p, size, zeros, bits + 2)
            exponent = p.add(half, p.subtract(width + growth, zeros).within(0, width + growth))
        wrong = spoilt & there
        rounder = self.rounder(p)
        product = p.name("product", p.multiply(upper & there, root))
        offset, sign = -2 * bits - 2 - width - growth, negative & ~wrong
        zero_sign = there & rounder.is_mode(Rounding.RDN)
        if codes:
            lowest = ((2 * bits + 1, exponent.high + offset),)
            zero = ~(upper.any() & there)
            sign = p.mux(zero, zero_sign, sign)
            value = self._number(p, product, exponent, offset, lowest, sign, zero, wrong)
            return self._scaled(p, value, codes, rounder)
        exact = self._unrounded(
            p, product, exponent, offset, wrong, rounder,
            sign=sign, zero_sign=zero_sign, leading=2 * bits + 3, depth=2,
        )  # fmt: skip
        return rounder.project(exact).code

    def _reciprocal(
        self, p: Scheduler, sum_: Wire, squares: Wire, count: Wire, steps: Wire
    ) -> tuple[Wire, Wire]:
        """(that of the root, half of the zeros above what it is of)."""
        eps = self.spec.arithmetic.eps
        most = 1 << (2 * (self._aligned + STEP + self.spec.growth))
        with p.scope("variance"):
            more = times(p, squared(p, count), eps.significand)
            more = more.shifted_left(eps.exponent + 2 * (self._aligned - self._least))
            more, _ = shift_right(p, more, cat(p.constant(0, _PLACES + 1), steps), len(more))
            variance = p.subtract(p.multiply(count, squares), squared(p, sum_))
            size = most.bit_length() - 1
            variance = variance.bits(size) & ~variance.negative
            whole = p.add(variance.within(0, most - 1), more.within(0, most)).bits(size + 1)
        divisor, zeros = normalised(p, whole, self._bits)
        root = reciprocal_root(p, p.constant(1), divisor, zeros[0], self._bits)
        return root, zeros[1:]


class SoftmaxSumDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.SoftmaxSum`. One beat a clock, whatever the rows are."""

    spec: units.SoftmaxSum
    floats = False

    def build(self, p: Scheduler, *, a: Wire, keep: Wire, end: Wire) -> dict[str, Wire]:
        end = p.ends(end, self.spec.beats)
        sums = power_sum(p, self.spec, a, keep, end)
        # Steps count from the least one: two's complement has the sign turned.
        width = self.spec.power_sum.power.whole + 1 - (STEP.bit_length() - 1)
        steps = sums.exponent.bits(width)
        exponent = cat(p.constant(0, STEP.bit_length() - 1), steps[:-1], ~steps[-1])
        return {"r": sums.total, "exponent": exponent, "nan": sums.nan, "end": end}


class SoftmaxMergeDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.SoftmaxMerge`. One result a clock."""

    spec: units.SoftmaxMerge

    def build(
        self,
        p: Scheduler,
        *,
        a: Wire,
        a_exponent: Wire,
        a_nan: Wire,
        b: Wire,
        b_exponent: Wire,
        b_nan: Wire,
    ) -> dict[str, Wire]:
        width = self.spec.a.width
        ranks = [integer(code, self.spec.exponent) for code in (a_exponent, b_exponent)]
        with p.scope("top"):
            # Of one of them at most the exponent is below the other's.
            lead = p.subtract(*ranks)
            less = p.name("less", lead.negative)
            exponent = p.mux(less, b_exponent, a_exponent)
            other = p.subtract(ranks[1], ranks[0])
            distance = p.mux(less, other, lead).bits(len(lead) - 1)
        upper, lower = p.mux(less, b, a, "upper"), p.mux(less, a, b, "lower")
        with p.scope("align"):
            lower, _ = shift_right(p, lower, distance, width)
        with p.scope("add"):
            total = p.name("total", p.add(upper, lower))
            r = total[:width] | total[width]
        return {"r": r, "exponent": exponent, "nan": a_nan | b_nan}


def _at_most(p: Scheduler, word: Wire, bound: int) -> Wire:
    """The smaller of a word and a constant."""
    if word.high <= bound:
        return word
    near = word[: bound.bit_length()]
    return p.mux(at_least(p, word, bound), bound, near).within(0, bound)


DATAPATHS = {
    units.Softmax: SoftmaxDatapath,
    units.SoftmaxSum: SoftmaxSumDatapath,
    units.SoftmaxMerge: SoftmaxMergeDatapath,
    units.RmsNorm: RmsNormDatapath,
    units.LayerNorm: LayerNormDatapath,
    units.IntegerSoftmaxRows: IntegerSoftmaxRowsDatapath,
}
