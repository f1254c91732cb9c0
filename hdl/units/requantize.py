# SPDX-License-Identifier: BSD-2-Clause
"""Gates for the units that scale integers by dyadic numbers, and for the clamp."""

from dataclasses import dataclass

from macaw.golden import units
from macaw.golden.arithmetic.dyadic import BITS, LARGEST_SHIFT, Profile, Ties
from macaw.golden.formats import Fixed

from ..arithmetic.integers import integer, integers, running, saturate, wrap, zero_point
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat, shape_of
from .datapath import Datapath

__all__ = [
    "DATAPATHS",
    "AveragePoolDatapath",
    "ClampDatapath",
    "RequantizeDatapath",
    "ResidualAddDatapath",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class ScaledProduct:
    """A scaled product: ``word + carry``, unless it is ``over`` what the word can hold.

    Attributes
    ----------
    word : Wire
        The integer part, rounded down.
    carry : Wire
        1 where it is rounded up.
    over : Wire
        The integer part has more bits than the word; ``negative`` is then its sign.
    """

    word: Wire
    carry: Wire
    over: Wire
    negative: Wire


class ScaledDatapath(Datapath):
    """Gates of units with multipliers and shifts, each an operand or fixed."""

    spec: units.Requantize | units.ResidualAdd | units.AveragePool
    floats = False

    def factor(self, p: Scheduler, name: str, operands: dict[str, Wire]) -> Wire:
        """A multiplier, or the code of a shift."""
        fixed = getattr(self.spec, name)
        if fixed is None:
            return operands[name]
        return p.constant(fixed & 255, 8) if "shift" in name else p.constant(fixed)

    def scaled(
        self, p: Scheduler, product: Wire, shift: Wire, low: int, high: int, less: bool = False
    ) -> ScaledProduct:
        """``product * 2**(shift - bits)``; the word holds integers from ``low`` to ``high``.

        With ``less`` that is less than the product: shifts are limited to -31 and 0.
        """
        spec = self.spec
        word = product.shifted_left(BITS - spec.bits)
        width = shape_of(min(low, -1), high).width
        with p.scope("shift"):
            distance = _further(p, shift) if less else _distance(p, shift)
            return _window(p, word, distance, width, spec.profile)

    def stored(
        self,
        p: Scheduler,
        product: Wire,
        shift: Wire,
        format: Fixed,
        zero: Wire | None = None,
        *,
        less: bool = False,
    ) -> Wire:
        """The code of the scaled product plus a zero point, if there is one, saturated."""
        low, high = format.min_integer, format.max_integer
        if zero is not None:
            low, high = low - zero.high, high - zero.low
        rounded = self.scaled(p, product, shift, low, high, less=less)
        with p.scope("round"):
            if zero is None:
                total = p.add(rounded.word, rounded.carry)
            else:
                total = p.add(rounded.word, zero, rounded.carry)
        return saturate(p, total, format, rounded.over, rounded.negative)


class RequantizeDatapath(ScaledDatapath):
    """Gates for :class:`macaw.golden.units.Requantize`. One result a clock."""

    spec: units.Requantize

    def build(self, p: Scheduler, *, x: Wire, **operands: Wire) -> dict[str, Wire]:
        spec = self.spec
        product = p.multiply(integer(x, spec.x), self.factor(p, "multiplier", operands))
        shift = self.factor(p, "shift", operands)
        zero = zero_point(p, operands, "zero_point", spec.out)
        return {"r": self.stored(p, product, shift, spec.out, zero)}


class ResidualAddDatapath(ScaledDatapath):
    """Gates for :class:`macaw.golden.units.ResidualAdd`. One result a clock."""

    spec: units.ResidualAdd

    def build(self, p: Scheduler, *, a: Wire, b: Wire, **operands: Wire) -> dict[str, Wire]:
        spec = self.spec
        products, limits = [], []
        for name, code, fmt in (("a", a, spec.a), ("b", b, spec.b)):
            value = integer(code, fmt) - zero_point(p, operands, f"{name}_zero", fmt)
            products.append(p.multiply(value, self.factor(p, f"{name}_multiplier", operands)))
            limits.append((value.low, value.high))
        zero = zero_point(p, operands, "zero_point", spec.out)
        if spec.branch is None:
            shift, less = self.factor(p, "shift", operands), spec.form == "tflite"
            if less:
                total = self._total(p, products, limits, operands)
                product = p.multiply(total, self.factor(p, "multiplier", operands))
            else:
                product = p.add(*products)
            return {"r": self.stored(p, product, shift, spec.out, zero, less=less)}
        branches = []
        for product, name in zip(products, ("a_shift", "b_shift"), strict=True):
            code = self.stored(p, product, self.factor(p, name, operands), spec.branch)
            branches.append(integer(code, spec.branch))
        return {"r": saturate(p, p.sum([*branches, zero]), spec.out)}

    def _total(
        self,
        p: Scheduler,
        products: list[Wire],
        limits: list[tuple[int, int]],
        operands: dict[str, Wire],
    ) -> Wire:
        """The sum of branches, each shifted left (wiring only), scaled below one, and rounded."""
        left = self.spec.left_shift
        branches = []
        for product, (low, high), name in zip(
            products, limits, ("a_shift", "b_shift"), strict=True
        ):
            shift = self.factor(p, name, operands)
            word = product.shifted_left(left)
            branches.append(self.scaled(p, word, shift, low << left, high << left, less=True))
        words, carries = ([getattr(each, n) for each in branches] for n in ("word", "carry"))
        (a_low, a_high), (b_low, b_high) = limits
        return p.sum(words, carries).within((a_low + b_low) << left, (a_high + b_high) << left)


class AveragePoolDatapath(ScaledDatapath):
    """Gates for :class:`macaw.golden.units.AveragePool`. One beat a clock."""

    spec: units.AveragePool

    def build(self, p: Scheduler, *, a: Wire, last: Wire, **operands: Wire) -> dict[str, Wire]:
        spec = self.spec
        beat = p.sum(integers(a, spec.a))
        total = running(p, beat, last, -(-spec.terms // spec.lanes))
        product = p.multiply(total, self.factor(p, "multiplier", operands))
        shift = self.factor(p, "shift", operands)
        return {"r": self.stored(p, product, shift, spec.out), "done": last}


class ClampDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.Clamp`. One result a clock."""

    spec: units.Clamp
    floats = False

    def build(self, p: Scheduler, *, a: Wire, **limits: Wire) -> dict[str, Wire]:
        value = integer(a, self.spec.a)
        low, high = (
            p.constant(fixed) if fixed is not None else integer(limits[name], self.spec.out)
            for name, fixed in (("low", self.spec.low), ("high", self.spec.high))
        )
        if value.low < low.high:
            value = p.mux(value < low, low, value)
        if value.high > high.low:
            value = p.mux(value > high, high, value)
        return {"r": wrap(value, self.spec.out)}


def _distance(p: Scheduler, shift: Wire) -> Wire:
    """``31 - shift`` in 6 bits, of a shift limited to -32 and 31: inverters and a choice."""
    if shift.constant is not None:
        return p.constant(LARGEST_SHIFT - ((shift.constant + 128) % 256 - 128), 6)
    negative = shift[7]
    far = (shift[5] ^ negative) | (shift[6] ^ negative)
    return cat(p.mux(far, p.repeat(negative, 5), ~shift[:5]), negative)


def _further(p: Scheduler, shift: Wire) -> Wire:
    """``-shift`` in 5 bits, of a shift limited to -31 and 0: what goes beyond a distance of 31."""
    if shift.constant is not None:
        return p.constant(-((shift.constant + 128) % 256 - 128), 5)
    low = shift[:5]
    near = shift[5:].all() & low.any()
    return p.mux(near, (0 - low).bits(5), p.repeat(shift[7], 5))


def _window(
    p: Scheduler, word: Wire, distance: Wire, width: int, profile: Profile
) -> ScaledProduct:
    """``word * 2**-distance``, of which ``width`` bits are kept.

    Coarse shifts first: bits that can no longer reach the window leave early, those above it
    into a test that they repeat the sign, those below it into one that the rounding asks for.
    A distance in 5 bits, which profiles of TensorFlow Lite may have, is less 31: as many bits
    leave at once.
    """
    negative = word.negative
    double = profile is Profile.TFLITE_DOUBLE
    sticky = profile.ties in (Ties.EVEN, Ties.AWAY)
    # Ties away from zero after a first rounding: what counts below is whether all bits are as
    # the first carry needs them to go on, none for negative numbers and each for others.
    turned = ~negative if double else p.constant(0, 1)
    rest = cat(p.constant(0, 1), word.bits(len(word)))
    if len(rest) <= BITS:
        rest = cat(rest, p.repeat(negative, BITS + 1 - len(rest)))
    first = rest[BITS]
    less = len(distance) < 6
    if less:
        rest = rest[BITS:]
    above, below = [], []
    for level in reversed(range(len(distance))):
        step, select = 1 << level, distance[level]
        keep = width + step
        if len(rest) < keep + step:
            rest = cat(rest, p.repeat(negative, keep + step - len(rest)))
        # With less, the first carry may be among these: it is as itself needs it.
        if sticky and not (double and level == 5):
            below.append(select & (rest[:step] ^ turned).any())
        if len(rest) > keep + step:
            above.append((rest[keep + step :] ^ negative).any())
        above.append((rest[keep : keep + step] ^ negative).any() & ~select)
        rest = p.mux(select, rest[step : keep + step], rest[:keep], "shifted")
    guard, kept = rest[0], rest[1:].as_signed()
    above.append(rest[-1] ^ negative)
    tail = cat(*below).any() if below else p.constant(0, 1)
    if double:
        twice = distance.any() if less else distance[-1]
        up = ~(twice & negative & ~first & ~tail)
        carry = p.mux(guard, up, twice & ~negative & first & ~tail)
    else:
        carry = {
            Ties.UP: guard,
            Ties.DROP: p.constant(0, 1),
            Ties.EVEN: guard & (tail | rest[1]),
            Ties.AWAY: guard & (tail | ~negative),
        }[profile.ties]
    return ScaledProduct(word=kept, carry=carry, over=cat(*above).any(), negative=negative)


DATAPATHS = {
    units.Requantize: RequantizeDatapath,
    units.ResidualAdd: ResidualAddDatapath,
    units.AveragePool: AveragePoolDatapath,
    units.Clamp: ClampDatapath,
}
