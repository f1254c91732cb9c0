# SPDX-License-Identifier: BSD-2-Clause
"""Gates for integer-only functions of a row: softmax and layer normalisation."""

from collections.abc import Sequence

from macaw.golden import units
from macaw.golden.arithmetic.functions import Exponential

from ..arithmetic.divide import floor_divide
from ..arithmetic.integers import ascending, at_most, integers, moved, wrap
from ..arithmetic.shift import at_least, largest
from ..arithmetic.words.square_root import square_root
from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.table import lookup
from ..schedule.wire import Wire, cat
from .conversions import Lanewise
from .functions import floored, nearest, squared

__all__ = ["DATAPATHS", "IntegerLayerNormDatapath", "IntegerSoftmaxDatapath"]

_TABLE = 64
"""Places of a table that is smaller than the products that it stands for."""


class IntegerSoftmaxDatapath(Lanewise):
    """Gates for :class:`macaw.golden.units.IntegerSoftmax`. One row a clock.

    Folded, the products with the reciprocal are made in ``fold`` turns.
    """

    spec: units.IntegerSoftmax
    folds = True

    def build(self, p: Scheduler, *, x: Wire) -> dict[str, Wire]:
        spec = self.spec
        constants, result = spec.constants, spec.result
        words = ascending(x, spec.x)
        top = p.name("largest", largest(p, words))
        exponentials = [
            exponential(p, p.subtract(top, word).within(0, top.high), constants)
            for word in p.lanes(words)
        ]
        with p.scope("add"):
            total = p.sum(exponentials).within(constants.largest, constants.largest * len(words))
            total = p.name("total", total)
        factor, _ = floor_divide(p, p.constant(1 << spec.reciprocal), total)
        factor = p.name("factor", factor)
        fold = self.fold(p, len(words))
        results = []
        for e in p.lanes(fold.take(exponentials)):
            product = p.multiply(e, factor).within(0, 1 << spec.reciprocal)
            steps = floored(product, spec.reciprocal - result.fraction)
            steps = at_most(p, steps, result.largest, spec.out.width)
            results.append(moved(p, steps, result.zero_point))
        return {"r": cat(*fold.collect(results))}


@scoped("exponential")
def exponential(p: Scheduler, distance: Wire, constants: Exponential) -> Wire:
    """exp of minus the distance: the steps of golden's :class:`Exponential`."""
    period, most = constants.period, constants.largest
    # So many halvings leave nothing.
    gone = at_least(p, distance, most.bit_length() * period)
    near = min(distance.high, most.bit_length() * period - 1)
    distance = distance[: near.bit_length()] if near < distance.high else distance
    halvings, rest = floor_divide(p, distance.within(0, near), p.constant(period))
    places = range(period)
    if period <= _TABLE:
        table = [r * (r - constants.linear) + constants.constant for r in places]
        word = lookup(p, rest, table)
    else:
        below = p.subtract(p.constant(constants.linear), rest)
        word = p.subtract(p.constant(constants.constant), p.multiply(rest, below))
    word = word.within(0, constants.constant)
    up = constants.shift
    word = word.shifted_left(up) if up >= 0 else floored(word, -up)
    for level in range(len(halvings)):
        step = 1 << level
        word = p.mux(halvings[level], floored(word, step), word)
    return word.bits(len(word)) & ~gone


class IntegerLayerNormDatapath(Lanewise):
    """Gates for :class:`macaw.golden.units.IntegerLayerNorm`. One row a clock.

    Folded, the products with the reciprocal are made in ``fold`` turns.
    """

    spec: units.IntegerLayerNorm
    folds = True

    def build(self, p: Scheduler, *, x: Wire) -> dict[str, Wire]:
        spec = self.spec
        shift, reciprocal = spec.shift, spec.reciprocal
        assert shift is not None
        assert reciprocal is not None
        words = integers(x, spec.x)
        with p.scope("mean"):
            mean = p.name("mean", _mean(p, words))
        span = (1 << spec.x.width) - 1
        centred = [p.subtract(word, mean).within(-span, span) for word in p.lanes(words)]
        squares = [squared(p, floored(y, shift)) for y in p.lanes(centred)]
        with p.scope("add"):
            total = p.name("squares", p.sum(squares))
        root, _ = square_root(p, total)
        if shift:
            root = cat(root[0] | ~root.any(), root[1:])
        # Without a shift a root of zero is that of equal values, which are nothing times anything.
        root = root.within(1, root.high)
        dividend = p.constant((1 << reciprocal) >> shift)
        factor = p.name("factor", floor_divide(p, dividend, root)[0])
        most = 2 << spec.fraction
        fold = self.fold(p, len(words))
        results = []
        for y in p.lanes(fold.take(centred)):
            r = floored(p.multiply(y, factor), reciprocal - spec.fraction).within(-most, most - 1)
            results.append(wrap(r, spec.out))
        return {"r": cat(*fold.collect(results))}


def _mean(p: Scheduler, words: Sequence[Wire]) -> Wire:
    """The mean to the nearest integer, ties to even."""
    count, low, high = len(words), words[0].low, words[0].high
    total = p.sum(words)
    if count.bit_count() == 1:
        cut = count.bit_length() - 1
        return nearest(p, total, cut).within(low, high) if cut else total
    # Divided from the least value up, so that nothing is negative.
    quotient, rest = floor_divide(p, p.add(total, -low * count), p.constant(count))
    up = at_least(p, rest, count // 2 + 1)
    if count % 2 == 0:
        odd = quotient[0] if low % 2 == 0 else ~quotient[0]
        up = up | (rest.equals(count // 2) & odd)
    return p.add(p.add(quotient, low), up).within(low, high)


DATAPATHS = {
    units.IntegerSoftmax: IntegerSoftmaxDatapath,
    units.IntegerLayerNorm: IntegerLayerNormDatapath,
}
