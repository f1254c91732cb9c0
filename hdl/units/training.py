# SPDX-License-Identifier: BSD-2-Clause
"""Gates for what training has beside its sums: the next scale of a tensor, and random words."""

from collections.abc import Sequence
from dataclasses import dataclass

from macaw.golden import units
from macaw.golden.arithmetic.predictor import FRACTION, TRIES
from macaw.golden.errors import SpecError
from macaw.golden.formats import Float

from ..arithmetic.divide import normalised
from ..arithmetic.number import unpack
from ..arithmetic.shift import at_least, largest, leading_zeros, shift_left, shift_right
from ..arithmetic.words.lfsr import random_words
from ..arithmetic.words.square_root import square, square_root
from ..schedule.fold import Fold
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .datapath import Datapath

__all__ = ["DATAPATHS", "ExponentPredictorDatapath", "LfsrDatapath", "LossScaleDatapath"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """``significand * 2**(length - B)``, with B bits of the significand and the top one set.

    ``length`` is the bit length of the value. Zero has neither length nor significand.
    """

    length: Wire
    significand: Wire


class ExponentPredictorDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.ExponentPredictor`. One step a clock.

    A history of short floating-point numbers that moves on by one at each step; sums over all of
    it. Only the moving is a loop, so the rest takes as many stages as it is given. Folded, the
    values of the history are aligned, squared and added up in ``fold`` turns.
    """

    folds = True
    spec: units.ExponentPredictor
    floats = False

    def __post_init__(self) -> None:
        super().__post_init__()
        fold, length = self.implementation.fold, self.spec.length
        if length % fold:
            raise SpecError(f"fold={fold}: must divide length={length}")

    def build(
        self, p: Scheduler, *, maximum: Wire, scale: Wire, init: Wire, end: Wire
    ) -> dict[str, Wire]:
        predictor = self.spec.predictor
        paper = predictor.profile == "paper"
        overflow = at_least(p, maximum, predictor.overflow)
        # Those of 0 are those of 1, at any width.
        zeros = leading_zeros(p, cat(p.constant(1, 1), maximum[1:]))
        significand, rest = shift_left(p, maximum, zeros, self.spec.precision)
        there = significand[-1]
        # In the paper's profile a maximum of 0 is initialised as one of 1.
        length = p.add(scale, predictor.width - 1, None if paper else there)
        length = p.subtract(p.add(length, 1) if paper else length, zeros)
        doubled = p.add(length, overflow).within(0, length.high + 1)
        newest = Term(length=doubled & there, significand=significand)

        small = ~at_least(p, maximum, 1 << (predictor.width - 2))
        odd = (significand[:-1].any() | rest) & small if paper else None
        tried = p.add(length, p.constant(-(predictor.width - 1)), odd)
        tried = p.mux(overflow, p.add(scale, predictor.coarse), tried)
        good = at_least(p, maximum, predictor.enough) & ~overflow
        last = p.constant(0, 1) if paper else self._last_try(p, good, init, end)

        with p.scope("history"):
            values, before = self._history(p, newest, overflow, init | end)
        fold = Fold(p, self.implementation.fold)
        with p.scope("predict"):
            code = self._predicted(p, fold, values, before, scale)
        init, tried, scale, good, last = (fold.later(w) for w in (init, tried, scale, good, last))
        code = p.mux(init, tried, code)
        code = p.mux(code > predictor.largest_code, predictor.largest_code, code)
        code = p.mux(code.negative, 0, code).bits(len(scale))
        if paper:
            return {"r": code, "settled": ~init | good | code.equals(scale)}
        code = code | (last & init & ~good)
        return {"r": code, "settled": ~init | good | last}

    def _last_try(self, p: Scheduler, good: Wire, init: Wire, end: Wire) -> Wire:
        """1 if initialisation is over with this step in any case."""
        with p.loop(good, init, end, contexts=self.spec.contexts) as loop:
            tries = loop.state((TRIES - 1).bit_length(), "tries", init=0)
            last = tries.equals(TRIES - 1)
            following = p.mux(init, p.add(tries, 1).bits(len(tries)), tries)
            over = end | (init & (good | last))
            loop.close(tries, following & ~over)
        return last

    def _history(
        self, p: Scheduler, newest: Term, overflow: Wire, closed: Wire
    ) -> tuple[list[Term], Wire]:
        """(the newest value and those before, zero where there are none, how many are before)."""
        bits, length = self.spec.precision, self.spec.length
        word = cat(newest.significand, newest.length)
        size = (length - 1).bit_length()
        with p.loop(word, overflow, closed, contexts=self.spec.contexts) as loop:
            keep = ~(overflow | loop.first(closed))
            # In turns all values are taken from the state, else the newest one is beside it.
            kept = length if self.implementation.fold > 1 else length - 1
            state = loop.state(size + len(word) * kept, "history")
            previous = p.mux(keep, state[: size + len(word) * (length - 1)], 0)
            count, words = previous[:size], [word, *previous[size:].lanes(len(word))]
            count = p.add(count, keep & ~count.equals(length - 1)).bits(size)
            if self.implementation.fold > 1:
                values = loop.closed(state, cat(count, *words))
                count, words = values[:size], values[size:].lanes(len(word))
            else:
                loop.close(state, cat(count, *words[:-1]))
        high = newest.length.high
        values = [Term(length=w[bits:].within(0, high), significand=w[:bits]) for w in words]
        return values, count.within(0, length - 1)

    def _predicted(
        self, p: Scheduler, fold: Fold, values: Sequence[Term], before: Wire, scale: Wire
    ) -> Wire:
        """The code, not clamped, from the newest value and the ``before`` ones in the history."""
        predictor = self.spec.predictor
        bits = predictor.precision
        constant = self._constant(p, scale)
        lengths = [value.length for value in (*values, constant)]
        reference = largest(p, [p.mux(w.negative, 0, w).within(0, w.high) for w in lengths])

        words = fold.choose([cat(value.significand, value.length) for value in values])
        high = values[0].length.high
        turn = [Term(length=w[bits:].within(0, high), significand=w[:bits]) for w in words]
        terms = [self._aligned(p, term, reference) for term in turn]
        top = fold.largest(largest(p, terms))
        total = fold.total(p.sum(terms))
        squares = fold.total(p.sum([square(p, term) for term in terms]))
        top = p.add(top, fold.later(self._aligned(p, constant, reference)))
        count = p.add(fold.later(before), 1)

        variance = p.subtract(_times(p, squares, count), square(p, total))
        deviation = (self.spec.length * ((1 << bits) - 1)) ** 2 // 4
        root, _ = square_root(p, variance.within(0, deviation))
        spread = _times(p, root, p.constant(predictor.beta))
        expected = p.add(_times(p, top, count), spread)
        return p.add(fold.later(reference), self._power(p, expected, count))

    def _constant(self, p: Scheduler, scale: Wire) -> Term:
        """``gamma`` in units of the newest scale."""
        bits = self.spec.precision
        _, gamma = self.spec.predictor.factors
        size = gamma.bit_length()
        length = p.add(scale, size - FRACTION)
        return Term(length=length, significand=p.constant(gamma << bits >> size, bits))

    def _aligned(self, p: Scheduler, term: Term, reference: Wire) -> Wire:
        """The term in units of ``2**(reference - B)``, rounded down."""
        bits = self.spec.precision
        distance = p.subtract(reference, term.length).within(0, reference.high - term.length.low)
        near = distance[: (bits - 1).bit_length()]
        far = distance[len(near) :].any()
        word, _ = shift_right(p, term.significand, near, bits)
        return word & ~far

    def _power(self, p: Scheduler, expected: Wire, count: Wire) -> Wire:
        """What is added to the reference: from comparisons with multiples of ``count``."""
        predictor = self.spec.predictor
        bits, alpha, beta = predictor.precision, predictor.alpha, predictor.beta
        assert alpha is not None
        paper = predictor.profile == "paper"
        scaled = _times(p, expected, p.constant(alpha))
        # Of scaled / count: the largest term has B bits.
        least, most = alpha << (bits - 1), alpha * ((2 << bits) + (beta << bits) // 2)
        first = (least - 1).bit_length() if paper else least.bit_length() - 1
        last = (most - 1).bit_length() if paper else most.bit_length() - 1
        steps = []
        for power in range(first, last) if paper else range(first + 1, last + 1):
            bound = count.shifted_left(power)
            steps.append(scaled > bound if paper else scaled >= bound)
        offset = first - bits - (predictor.width - (1 if paper else 2))
        return p.add(p.sum(steps), offset)


def _times(p: Scheduler, word: Wire, factor: Wire) -> Wire:
    """A product with a factor of few bits, from logic cells."""
    rows = [
        p.mux(factor[i], word.shifted_left(i), 0)
        for i in range(len(factor))
        if factor.constant is None or factor.constant >> i & 1
    ]
    return p.sum(rows).within(0, word.high * factor.high) if rows else p.constant(0)


class LossScaleDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.LossScale`. One step a clock."""

    spec: units.LossScale

    def build(self, p: Scheduler, *, overflows: Wire, end: Wire, **operands: Wire):
        scaler, contexts = self.spec.scaler, self.spec.contexts
        if self.spec.running:
            p.valid_where(operands["last"])
        bad, counts = overflows.any(), p.constant(1, 1)
        span, room = scaler.high - scaler.low, p.constant(0, 1)
        if scaler.format is not None:
            with p.scope("largest"):
                special, room = self._room(p, operands["largest"], scaler.format, span)
            bad = bad | special
        if scaler.rule == "underflow":
            counts = at_least(p, operands["underflows"], scaler.allowed + 1)
        size, width = span.bit_length(), (scaler.interval - 1).bit_length()
        top, begin = p.constant(span), p.constant(scaler.init - scaler.low, size)
        rise = p.mux(room.negative, 0, room).within(0, span)
        with p.loop(bad, counts, room, rise, end, contexts=contexts) as loop:
            # Beside the exponent, above the lowest one: steps that count, and their candidate with
            # how far it is above the exponent, so that two need not be found to be compared.
            follows, held = scaler.format is not None, scaler.interval > 1
            start = cat(begin, p.constant(0, width + 2 * size * (follows and held)))
            state = loop.state(len(start), "scale", init=start.constant)
            exponent, good = state[:size].within(0, span), state[size : size + width]
            full = good.equals(scaler.interval - 1)
            lower = p.subtract(exponent, scaler.backoff)
            lower = p.mux(lower.negative, 0, lower).within(0, span)
            if follows:
                now = p.add(exponent, room)
                now = p.mux(at_least(p, now, span + 1), top, now)
                now = p.mux(now.negative, 0, now).within(0, span)
                moves = full | (room.negative & exponent.any())
                moved, beside = now, p.constant(0, 0)
                # Where each step counts there is no candidate of others.
                if held:
                    least, above = (w.within(0, span) for w in state[size + width :].lanes(size))
                    less = good.any() & (above < rise)
                    moved = p.mux(less, least, now).within(0, span)
                    beside = cat(moved.bits(size), p.mux(less, above, rise).bits(size))
            else:
                moved = p.add(exponent, scaler.growth)
                moved = p.mux(moved > span, top, moved).within(0, span)
                moves, beside = full & counts, p.constant(0, 0)
            following = p.mux(bad, lower, p.mux(moves, moved, exponent))
            following = p.name("next", following.within(0, span))
            count = p.add(good, 1).bits(width) & ~(bad | moves | ~counts)
            kept = cat(following.bits(size), count, beside)
            loop.close(state, p.mux(end, start, kept))
        return {"r": p.add(following, scaler.low).bits(8), "skip": bad}

    def _room(self, p: Scheduler, code: Wire, fmt: Float, span: int) -> tuple[Wire, Wire]:
        """(no finite number, by which power of two it could grow, less the margin; within span)."""
        if fmt.signed:
            code = cat(code[:-1], p.constant(0, 1))
        number = normalised(p, unpack(p, code, fmt))
        limit = unpack(p, p.constant(fmt.max_code, len(code)), fmt)
        assert limit.significand.constant is not None
        assert limit.exponent.constant is not None
        exponent = limit.exponent.constant + limit.offset - number.offset - self.spec.margin
        more = p.constant(0, 1)
        if limit.significand.constant.bit_length() == len(number.significand):
            more = number.significand > limit.significand.constant
        room = p.subtract(p.subtract(exponent, number.exponent), more)
        room = p.mux(number.zero | (room > span), p.constant(span), room)
        room = p.mux(room < -span, p.constant(-span), room).within(-span, span)
        return number.special.nan | number.special.infinite, room


class LfsrDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.Lfsr`. One beat a clock, whatever its lanes."""

    spec: units.Lfsr

    def build(self, p: Scheduler, *, reseed: Wire) -> dict[str, Wire]:
        return {"r": cat(*random_words(p, reseed, self.spec.register, self.spec.lanes))}


DATAPATHS = {
    units.ExponentPredictor: ExponentPredictorDatapath,
    units.LossScale: LossScaleDatapath,
    units.Lfsr: LfsrDatapath,
}
