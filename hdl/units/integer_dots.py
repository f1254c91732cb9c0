# SPDX-License-Identifier: BSD-2-Clause
"""Gates for the units that add products of integers: multipliers where a format needs them."""

from dataclasses import dataclass

from macaw.golden import units
from macaw.golden.formats import Fixed, Float, Format

from ..arithmetic.integers import integer, running, saturate, wrap, zero_point
from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .datapath import Datapath

__all__ = ["DATAPATHS", "IntDotDatapath", "IntMacDatapath"]

_FEW = 4
"""Lanes from which on a zero point is multiplied by the sum of narrow weights."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """``word``, or ``-word`` where ``flip``."""

    word: Wire
    flip: Wire

    def times(self, p: Scheduler, code: Wire, format: Float) -> "Term":
        """The product with a power of two: a choice of shifts, and a sign."""
        word, field = self.word, code[: format.exponent]
        for level in range(format.exponent):
            word = p.mux(field[level], word.shifted_left(1 << level), word)
        low, high = word.low, word.high
        if format.zero:
            some = field.any()
            word = p.mux(some, word, 0)
        # The field is not below 1 where there is a zero: what it shifted in can go.
        down = max(format.bias, 0)
        part = word[down:] if down < len(word) else p.constant(0, 1)
        word = (part.as_signed() if word.signed else part).within(low >> down, high >> down)
        return Term(word=word.shifted_left(max(-format.bias, 0)), flip=self.flip ^ code[-1])


class IntegerSumDatapath(Datapath):
    """Gates that add products of integers with zero points."""

    spec: units.IntDot | units.IntMac
    floats = False

    def beat(self, p: Scheduler, a: Wire, b: Wire, zeros: dict[str, Wire], *more: Wire) -> Wire:
        """The exact sum of the products of one beat, and of ``more``."""
        spec = self.spec
        a_zero = _factor(p, zeros["a_zero"], spec.a).word if spec.a_zero else None
        left, right = a.lanes(spec.a.width), b.lanes(spec.b.width * spec.parts)
        weights = [self._weight(p, code, zeros) for code in p.lanes(right)]
        terms, shared = [], None
        if a_zero is not None and self._shares(weights):
            total = _total(p, [term for weight in weights for term in weight])
            shared, a_zero = p.multiply(a_zero, total), None
        for code, codes, weight in p.lanes(zip(left, right, weights, strict=True)):
            if isinstance(spec.a, Float) and isinstance(spec.b, Fixed):
                terms.append(weight[0].times(p, code, spec.a))
                continue
            one = _factor(p, code, spec.a)
            if a_zero is not None:
                one = Term(word=one.word - a_zero, flip=one.flip)
            if isinstance(spec.b, Float):
                parts = codes.lanes(spec.b.width)
                terms += [one.times(p, part, spec.b) for part in parts]
            else:
                terms.append(_product(p, one.word, weight[0].word))
        extra = list(more)
        if shared is not None:
            extra.append(0 - shared)
        return _total(p, terms, *extra)

    def _weight(self, p: Scheduler, code: Wire, zeros: dict[str, Wire]) -> list[Term]:
        """A weight as integers that are added."""
        spec = self.spec
        terms = [_factor(p, part, spec.b) for part in code.lanes(spec.b.width)]
        if isinstance(spec.b, Float):
            return terms
        assert isinstance(spec.b, Fixed)
        total = p.sum([term.word for term in terms])
        word = total - zero_point(p, zeros, "b_zero", spec.b)
        return [Term(word=word, flip=p.constant(0, 1))]

    def _shares(self, weights: list[list[Term]]) -> bool:
        """Whether ``a_zero * sum(b)`` costs less than a subtraction in each lane."""
        spec = self.spec
        if isinstance(spec.b, Float):
            width = spec.b.emax + 1
        else:
            width = len(weights[0][0].word)
        return spec.lanes >= _FEW and width < spec.a.width


class IntDotDatapath(IntegerSumDatapath):
    """Gates for :class:`macaw.golden.units.IntDot`. One result a clock."""

    spec: units.IntDot

    def build(self, p: Scheduler, *, a: Wire, b: Wire, **rest: Wire) -> dict[str, Wire]:
        bias = [integer(rest["bias"], self.spec.acc)] if self.spec.bias else []
        return {"r": _store(p, self.beat(p, a, b, rest, *bias), self.spec)}


class IntMacDatapath(IntegerSumDatapath):
    """Gates for :class:`macaw.golden.units.IntMac`. One beat a clock."""

    spec: units.IntMac

    def build(self, p: Scheduler, *, a: Wire, b: Wire, last: Wire, **rest: Wire) -> dict[str, Wire]:
        spec = self.spec
        beat = self.beat(p, a, b, rest)
        beats = -(-spec.terms // spec.lanes)
        total = running(p, beat, last, beats, most=spec.acc.width if spec.wrap else None)
        if spec.bias:
            total = p.add(total, integer(rest["bias"], spec.acc))
        return {"r": _store(p, total, spec), "done": last}


def _store(p: Scheduler, total: Wire, spec: units.IntDot | units.IntMac) -> Wire:
    if spec.wrap:
        return wrap(total, spec.acc)
    return saturate(p, total, spec.acc)


def _product(p: Scheduler, a: Wire, b: Wire) -> Term:
    """The product of two integers."""
    if len(b) == 2 and b.signed and b.constant is None:
        # -2, -1, 0, 1: one of two shifts, or none, and a sign.
        word = p.mux(b[0], a, p.mux(b[1], a.shifted_left(1), 0))
        return Term(word=word, flip=b[1])
    return Term(word=p.multiply(a, b), flip=p.constant(0, 1))


def _factor(p: Scheduler, code: Wire, format: Format) -> Term:
    if isinstance(format, Fixed):
        return Term(word=integer(code, format), flip=p.constant(0, 1))
    assert isinstance(format, Float)
    return Term(word=p.constant(1), flip=p.constant(0, 1)).times(p, code, format)


@scoped("add")
def _total(p: Scheduler, terms: list[Term], *more: Wire) -> Wire:
    """The exact sum: a negative word is complemented, and its one a carry into some adder."""
    words, carries, low, high = list(more), [], 0, 0
    low, high = sum(word.low for word in more), sum(word.high for word in more)
    signs = [term.flip for term in terms if term.word.constant == 1]
    if signs:
        # Each is 1 or -1: count the bits.
        words.append(len(signs) - p.sum(signs[0::2], signs[1::2]).shifted_left(1))
        low, high = low - len(signs), high + len(signs)
    for term in terms:
        word, flip = term.word, term.flip
        if word.constant == 1:
            continue
        if flip.constant is not None:
            words.append(0 - word if flip.constant else word)
            low, high = low + words[-1].low, high + words[-1].high
            continue
        bound = max(-word.low, word.high)
        low, high = low - bound, high + bound
        pattern = word.bits(len(word)) ^ flip
        words.append((pattern if word.signed else cat(pattern, flip)).as_signed())
        carries.append(flip)
    return p.name("total", p.sum(words, carries).within(low, high))


DATAPATHS = {
    units.IntDot: IntDotDatapath,
    units.IntMac: IntMacDatapath,
}
