# SPDX-License-Identifier: BSD-2-Clause
"""Gates for the units of Flexpoint tensors."""

from collections.abc import Sequence
from dataclasses import replace

from macaw.golden import units
from macaw.golden.errors import SpecError
from macaw.golden.units.flex import Flex, FlexSum

from ..arithmetic.number import Number, multiply, unpack
from ..arithmetic.rounding import Rounder
from ..arithmetic.shift import at_least, largest
from ..arithmetic.sums import fixed_point
from ..arithmetic.unrounded import from_fixed
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .datapath import Datapath

__all__ = [
    "DATAPATHS",
    "FlexAddDatapath",
    "FlexMacDatapath",
    "FlexMatmulDatapath",
    "FlexMulDatapath",
]


class FlexDatapath(Datapath):
    """What the units have in common: the output stage, and the statistics behind it."""

    spec: Flex
    floats = False

    def unpacked(self, p: Scheduler, name: str, code: Wire) -> list[Number]:
        """The integers of an operand, one for each lane."""
        fmt = getattr(self.spec, name).element
        return [unpack(p, lane, fmt) for lane in p.lanes(code.lanes(fmt.width))]

    def stored(
        self, p: Scheduler, values: Sequence[Number], scales: dict[str, Wire], random: Wire | None
    ) -> list[Wire]:
        """Codes of values times the ``scales`` over the result's, each rounded once, saturated."""
        spec = self.spec
        exponent, offset = p.constant(0), spec.out.scale.bias
        with p.scope("scale"):
            for name in [name for name in scales if name != "r"]:
                exponent = exponent + scales[name]
                offset -= getattr(spec, name).scale.bias
            exponent = exponent - scales["r"]
        words = [None] * len(values) if random is None else random.lanes(spec.random_bits)
        codes = []
        for value, word in p.lanes(zip(values, words, strict=True)):
            rounder = Rounder(p, spec.out.element, spec.rounding, spec.overflow, random=word)
            shifted = replace(value, exponent=exponent + value.exponent, offset=offset)
            zero = p.constant(0, 1)
            exact = from_fixed(p, shifted, rounder, value.special, zero)
            codes.append(rounder.project(exact).code)
        return codes

    def results(
        self, p: Scheduler, codes: Sequence[Wire], end: Wire, last: Wire | None = None
    ) -> dict[str, Wire]:
        """Results and statistics; those of the tensor are kept until a result with ``end``."""
        # A negative code's complement is its magnitude less one: its sign, below, makes up for
        # that in the order of the keys, and is added when the largest one is known.
        with p.scope("statistics"):
            keys = [cat(code[-1], code[:-1] ^ code[-1]) for code in codes]
            key = largest(p, keys)
            last = p.constant(1, 1) if last is None else last
            with p.loop(key, end, last) as loop:
                held = loop.state(len(key), "largest", init=0)
                highest = p.mux((held < key) & last, key, held)
                loop.close(held, highest, clear=last & end)
            # |-2**(N - 1)| has a bit more than the other magnitudes.
            maximum = p.add(highest[1:], highest[0])
            return {
                "r": cat(*codes),
                "maximum": maximum.bits(len(codes[0])),
                "overflow": at_least(p, highest, (1 << len(key)) - 3),
            }


class FlexAddDatapath(FlexDatapath):
    """Gates for :class:`macaw.golden.units.FlexAdd`. One beat a clock.

    The operand of the larger exponent moves up, exactly; one window then takes the result out.
    """

    spec: units.FlexAdd

    def build(
        self, p: Scheduler, *, a: Wire, b: Wire, a_scale: Wire, b_scale: Wire, r_scale: Wire,
        end: Wire, random: Wire | None = None,
    ) -> dict[str, Wire]:  # fmt: skip
        apart = self.spec.a.scale.bias - self.spec.b.scale.bias
        with p.scope("order"):
            ahead = (a_scale - b_scale) - apart
            swap = p.name("swap", ahead.negative)
            behind = (b_scale - a_scale) + apart
            distance = p.mux(swap, behind, ahead).within(0, max(behind.high, ahead.high))
            distance = p.name("distance", distance)
            lesser = p.name("lesser", p.mux(swap, a_scale - apart, b_scale))
        numbers = zip(self.unpacked(p, "a", a), self.unpacked(p, "b", b), strict=True)
        totals = []
        for x, y in p.lanes(numbers):
            upper = p.mux(swap, y.significand, x.significand)
            lower = p.mux(swap, x.significand, y.significand)
            moved = replace(y, significand=upper, exponent=distance)
            totals.append(fixed_point(p, [moved, replace(y, significand=lower)]))
        codes = self.stored(p, totals, {"b": lesser, "r": r_scale}, random)
        return self.results(p, codes, end)


class FlexMulDatapath(FlexDatapath):
    """Gates for :class:`macaw.golden.units.FlexMul`. One beat a clock."""

    spec: units.FlexMul

    def build(
        self, p: Scheduler, *, a: Wire, b: Wire, a_scale: Wire, b_scale: Wire, r_scale: Wire,
        end: Wire, random: Wire | None = None,
    ) -> dict[str, Wire]:  # fmt: skip
        numbers = zip(self.unpacked(p, "a", a), self.unpacked(p, "b", b), strict=True)
        products = [multiply(p, x, y) for x, y in p.lanes(numbers)]
        codes = self.stored(p, products, {"a": a_scale, "b": b_scale, "r": r_scale}, random)
        return self.results(p, codes, end)


class SumsDatapath(FlexDatapath):
    """FlexSum of products until ``last``, each exact in a register as wide as it can become."""

    sums = True

    spec: FlexSum

    def build(
        self, p: Scheduler, *, a: Wire, b: Wire, a_scale: Wire, b_scale: Wire, r_scale: Wire,
        last: Wire, end: Wire, random: Wire | None = None,
    ) -> dict[str, Wire]:  # fmt: skip
        left, right = self.unpacked(p, "a", a), self.unpacked(p, "b", b)
        beats = [fixed_point(p, products) for products in self.products(p, left, right)]
        totals = [self._running(p, beat, last) for beat in beats]
        codes = self.stored(p, totals, {"a": a_scale, "b": b_scale, "r": r_scale}, random)
        return self.results(p, codes, end, last) | {"done": last}

    def products(self, p: Scheduler, left: list[Number], right: list[Number]) -> list[list[Number]]:
        """The products of a beat that each of the sums takes."""
        raise NotImplementedError

    def _running(self, p: Scheduler, beat: Number, last: Wire) -> Number:
        bound = max(-beat.significand.low, beat.significand.high)
        bound *= -(-self.spec.terms // self.spec.per_beat)
        width, widest = bound.bit_length() + 1, self.implementation.widest_sum
        if width > widest:
            raise SpecError(
                f"terms={self.spec.terms}: the sum needs {width} bits, and gates take at most "
                f"{widest}; use fewer, or allow it with widest_sum"
            )
        word = p.accumulate(beat.significand, last, width).within(-bound, bound)
        return replace(beat, significand=word, sign=word.negative)


class FlexMacDatapath(SumsDatapath):
    """Gates for :class:`macaw.golden.units.FlexMac`. One beat a clock."""

    spec: units.FlexMac

    def products(self, p: Scheduler, left: list[Number], right: list[Number]) -> list[list[Number]]:
        return [[multiply(p, x, y) for x, y in p.lanes(zip(left, right, strict=True))]]


class FlexMatmulDatapath(SumsDatapath):
    """Gates for :class:`macaw.golden.units.FlexMatmul`. One beat a clock.

    A tile may end with each beat, so that each of its sums has an output stage of its own.
    """

    spec: units.FlexMatmul

    def products(self, p: Scheduler, left: list[Number], right: list[Number]) -> list[list[Number]]:
        return [[multiply(p, x, y)] for x in left for y in right]


DATAPATHS = {
    units.FlexMac: FlexMacDatapath,
    units.FlexMatmul: FlexMatmulDatapath,
    units.FlexAdd: FlexAddDatapath,
    units.FlexMul: FlexMulDatapath,
}
