# SPDX-License-Identifier: BSD-2-Clause
"""Gates for integer-only functions: square root, power of two, GELU, and of a row in one beat."""

from collections.abc import Sequence

from macaw.golden import units
from macaw.golden.arithmetic.exp2 import Exp2, LogarithmOfE
from macaw.golden.arithmetic.functions import Exponential

from ..arithmetic.divide import floor_divide
from ..arithmetic.integers import ascending, at_most, integer, integers, moved, wrap
from ..arithmetic.number import Number, Special
from ..arithmetic.shift import at_least, floored, largest
from ..arithmetic.unrounded import from_number
from ..arithmetic.words.square_root import square_root, squared
from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.table import lookup
from ..schedule.wire import Wire, cat
from .conversions import Lanewise
from .datapath import Datapath
from .elementwise import Rounded

__all__ = [
    "DATAPATHS",
    "IntegerExp2Datapath",
    "IntegerGeluDatapath",
    "IntegerLayerNormDatapath",
    "IntegerSoftmaxDatapath",
    "IntegerSquareRootDatapath",
    "exponential",
    "floored",
    "nearest",
    "power_of_two",
    "probability",
    "squared",
]

_TABLE = 64
"""Places of a table that is smaller than the products that it stands for."""


class IntegerSquareRootDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.IntegerSquareRoot`. One root a clock."""

    spec: units.IntegerSquareRoot

    def build(self, p: Scheduler, *, x: Wire) -> dict[str, Wire]:
        root, _ = square_root(p, x)
        return {"r": root}


class IntegerExp2Datapath(Rounded):
    """Gates for :class:`macaw.golden.units.IntegerExp2`. One power a clock."""

    spec: units.IntegerExp2
    wraps = True

    def build(self, p: Scheduler, *, x: Wire, **control: Wire) -> dict[str, Wire]:
        spec = self.spec
        word = integer(x, spec.x)
        if spec.logarithm is not None:
            word = _times_logarithm(p, word, spec.logarithm)
        significand, exponent = power_of_two(p, word, spec.power)
        exponent = exponent.within(*spec.exponents)
        if spec.out is None:
            width = spec.ports.outputs["exponent"].width
            return {"r": significand, "exponent": exponent.bits(width)}
        never, precision, low = p.constant(0, 1), spec.power.precision, exponent.low
        number = Number(
            pipeline=p,
            sign=never,
            zero=never,
            significand=significand,
            exponent=exponent - low,
            offset=low - precision,
            lowest=((precision, exponent.high - precision),),
            special=Special(nan=never, infinite=never, negative=never, invalid=never),
        )
        rounder = self.rounder(p, **control)
        return self.results(rounder.project(from_number(p, number, rounder)))


def _times_logarithm(p: Scheduler, x: Wire, logarithm: LogarithmOfE) -> Wire:
    """``RNE(x * log2(e))`` with the fraction bits that the power takes."""
    return nearest(p, p.multiply(x, p.constant(logarithm.factor)), logarithm.cut)


def nearest(p: Scheduler, word: Wire, cut: int) -> Wire:
    """``word * 2**-cut`` to the nearest integer, ties to even."""
    up = word[cut - 1]
    if cut > 1:
        up = up & (word[cut] | word[: cut - 1].any())
    else:
        up = up & word[cut]
    return p.add(floored(word, cut), up)


@scoped("power")
def power_of_two(p: Scheduler, x: Wire, power: Exp2) -> tuple[Wire, Wire]:
    """(significand, exponent) of ``2**x``: :class:`~macaw.golden.arithmetic.exp2.Exp2`'s steps."""
    precision, low = power.precision, power.low_bits
    if len(x) <= power.fraction:
        x = x.bits(power.fraction + 1).as_signed() if x.signed else x.bits(power.fraction)
    fraction = x[: power.fraction]
    exponent = floored(x, power.fraction) if len(x) > power.fraction else p.constant(0)
    m = lookup(p, fraction[low:], power.table)
    if not power.direct:
        high = power.table_bits
        if power.tabulated:
            g = lookup(p, fraction[:low], power.steps)
        else:
            d = cat(fraction[: low - 1], ~fraction[low - 1]).as_signed()
            slope = p.add(floored(p.multiply(d, p.constant(power.quadratic)), low), power.linear)
            g = floored(p.multiply(d, slope), low)
        step = floored(p.multiply(floored(m, high), g), power.guarded - high)
        # The sum of a table's place and its step stays within one and two.
        whole = p.add(m, step).within(0, 2 << power.guarded)
        m = nearest(p, whole, power.guarded - precision)
    m = m.within(1 << precision, 2 << precision)
    if m.high >> (precision + 1):
        over = m[precision + 1]
        m = cat(m[:precision], m[precision] | over)
        exponent = p.add(exponent, over)
    return m, exponent


class IntegerGeluDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.IntegerGelu`. One result a clock.

    With u the distance of ``|x|`` from the polynomial's end, 0 beyond it, the result is x times
    ``one - floor(sign(x) (u**2 - ceiling) / 2**shift)``. For positive x the inner floor is that of
    ``(ceiling - 1 - u**2) / 2**shift`` with all bits turned, so that neither sign is a carry chain.
    """

    spec: units.IntegerGelu

    def build(self, p: Scheduler, *, x: Wire) -> dict[str, Wire]:
        g = self.spec.constants
        value = integer(x, self.spec.x)
        negative = value.negative
        # x with its sign made negative, but for the 1 that a change of sign adds.
        turned = (value.bits(len(x)) ^ ~negative).as_signed().within(value.low, -1)
        inner = p.add(p.constant(g.bound), turned, ~negative)
        if inner.low < 0:
            inner = p.mux(inner.negative, 0, inner)
        inner = inner.within(0, g.bound)
        base = p.mux(negative, g.ceiling, g.ceiling - 1)
        erf = p.subtract(base, squared(p, inner)).within(g.ceiling - g.bound**2 - 1, g.ceiling)
        erf = floored(erf, g.shift)
        size = len(erf) + (not erf.signed)
        other = erf.bits(size) ^ negative
        bound = max(erf.high + 1, -erf.low)
        factor = p.add(other.as_signed().within(-bound, bound), g.one + 1)
        most = g.one + 1 + (g.ceiling >> g.shift)
        factor = factor.within(0, most)
        out = self.spec.ports.outputs["r"]
        return {"r": p.multiply(value, factor).bits(out.width)}


class IntegerSoftmaxDatapath(Lanewise):
    """Gates for :class:`macaw.golden.units.IntegerSoftmax`. One row a clock.

    Folded, the products with the reciprocal are made in ``fold`` turns.
    """

    spec: units.IntegerSoftmax
    folds = True

    def build(self, p: Scheduler, *, x: Wire) -> dict[str, Wire]:
        spec, constants = self.spec, self.spec.constants
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
        results = [probability(p, e, factor, spec) for e in p.lanes(fold.take(exponentials))]
        return {"r": cat(*fold.collect(results))}


def probability(p: Scheduler, e: Wire, factor: Wire, spec: units.IntegerSoftmax) -> Wire:
    """The code of an exponential times the reciprocal of their sum."""
    result = spec.result
    product = p.multiply(e, factor).within(0, 1 << spec.reciprocal)
    steps = floored(product, spec.reciprocal - result.fraction)
    steps = at_most(steps, result.largest, spec.out.width)
    return moved(p, steps, result.zero_point)


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
    units.IntegerSquareRoot: IntegerSquareRootDatapath,
    units.IntegerExp2: IntegerExp2Datapath,
    units.IntegerGelu: IntegerGeluDatapath,
    units.IntegerSoftmax: IntegerSoftmaxDatapath,
    units.IntegerLayerNorm: IntegerLayerNormDatapath,
}
