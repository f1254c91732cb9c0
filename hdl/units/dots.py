# SPDX-License-Identifier: BSD-2-Clause
"""Gates for the units that add up products."""

from collections.abc import Sequence

from macaw.golden import units
from macaw.golden.arithmetic.factors import Factors
from macaw.golden.errors import SpecError
from macaw.golden.formats import Fixed, Float, Posit
from macaw.golden.formats.choices import Rounding
from macaw.golden.units.dots import Accumulating

from ..arithmetic.accumulation import accumulate, products
from ..arithmetic.number import Number, Special, combine_special, unpack
from ..arithmetic.projection import Projection, Unrounded
from ..arithmetic.rounding import Rounder
from ..arithmetic.sums import fixed_point, sum_width
from ..arithmetic.unrounded import from_fixed, from_number
from ..arithmetic.window_sums import window_sum
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire
from .datapath import Datapath
from .elementwise import Rounded, counts, marks

__all__ = ["DATAPATHS", "DotDatapath", "MacDatapath", "read_out"]


def read_out(p: Scheduler, spec: Accumulating, random: Wire | None) -> Rounder:
    """The rounder of what an accumulator holds to the result."""
    out = spec.ports.outputs["r"].format
    return Rounder(p, out, spec.rounding, spec.out_overflow, random=random, flags=counts(spec))


class DotDatapath(Rounded):
    """Gates for :class:`macaw.golden.units.Dot`. One result a clock."""

    sums = True

    spec: units.Dot

    def build(self, p: Scheduler, *, c: Wire, **operands: Wire) -> dict[str, Wire]:
        spec, widest = self.spec, self.implementation.widest_sum
        rounder = self.rounder(p, **operands)
        terms = products(p, spec.factors, operands, spec.lanes, widest)
        return self.results(accumulate(p, spec.profile, terms, c, spec.c, rounder))


class MacDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.Mac`. One beat a clock.

    With an exact accumulator the sum is kept in segments with a carry register between them, so
    that its width does not limit the clock. With an accumulator format the rounding is inside
    the loop, and the whole step takes at most as many clocks as there are contexts.
    """

    sums = True

    spec: units.Mac

    def build(self, p: Scheduler, *, a: Wire, b: Wire, last: Wire, **control: Wire):
        factors = Factors(
            a=self.spec.a,
            b=self.spec.b,
            count=self.spec.lanes,
            product=self.spec.multiplication,
        )
        widest = self.implementation.widest_sum
        terms = products(p, factors, {"a": a, "b": b}, self.spec.lanes, widest).all
        random = control.get("random")
        out = read_out(p, self.spec, random)
        if isinstance(self.spec.acc, str):
            total = self._exact(p, terms, last)
            found = out.project(self._readout(p, total, out))
        else:
            found = self._rounded(p, terms, last, random)
            if self.spec.acc != self.spec.out:
                number = unpack(p, found.code, self.spec.acc)
                found = out.project(from_number(p, number, out))
        return {"r": found.code, "done": last} | marks(found, self.spec)

    def _exact(self, p: Scheduler, products: Sequence[Number], last: Wire):
        beats = -(-self.spec.terms // self.spec.lanes)
        width = sum_width(products, beats)
        widest = self.implementation.widest_sum
        if width > widest:
            raise SpecError(
                f"acc=exact: the sum needs {width} bits, and gates take at most {widest}; "
                "use acc=fp32, or allow it with widest_sum"
            )
        beat = fixed_point(p, products)
        total = p.accumulate(beat.significand, last, width)
        special = combine_special(p, [product.special for product in products])
        never = p.constant(0, 1)
        plus = p.gather(special.infinite & ~special.negative, last)
        minus = p.gather(special.infinite & special.negative, last)
        special = Special(
            nan=p.gather(special.nan, last) | (plus & minus),
            infinite=plus | minus,
            negative=minus,
            invalid=never,
        )
        return total, beat.quantum, special

    def _readout(self, p: Scheduler, total: tuple[Wire, int, Special], out: Rounder) -> Unrounded:
        word, quantum, special = total
        never = p.constant(0, 1)
        number = Number(
            pipeline=p,
            sign=never,
            zero=never,
            significand=word,
            exponent=p.constant(0),
            offset=quantum,
            lowest=((0, quantum),),
            special=special,
        )
        down = p.constant(int(self.spec.rounding is Rounding.RDN), 1)
        return from_fixed(p, number, out, special, down)

    def _rounded(
        self, p: Scheduler, products: Sequence[Number], last: Wire, random: Wire | None
    ) -> Projection:
        acc = self.spec.acc
        assert isinstance(acc, Float | Fixed | Posit)
        fixed = all(x.exponent.constant is not None for x in products) and isinstance(acc, Fixed)
        product = products[0]
        if len(products) > 1:
            width = sum_width(products)
            if width > self.implementation.widest_sum:
                raise SpecError(
                    f"acc={acc.name}: the exact sum of {len(products)} products needs {width} "
                    f"bits, and gates take at most {self.implementation.widest_sum}; use fewer "
                    "lanes"
                )
            product = fixed_point(p, products)
        special = combine_special(p, [x.special for x in products])
        every, some = p.constant(1, 1), p.constant(0, 1)
        for x in products:
            every, some = every & x.sign, some | x.sign
        operands = [product.significand, product.exponent, product.zero, every, some, last]
        operands += [special.nan, special.infinite, special.negative]
        operands += [random] if random is not None else []
        with p.loop(*operands, contexts=self.spec.contexts) as loop:
            state = loop.state(acc.width, "accumulator", init=0)
            held = unpack(p, state, acc)
            rounder = Rounder(
                p,
                acc,
                self.spec.rounding,
                self.spec.acc_overflow,
                random=random,
                flags=counts(self.spec) and acc == self.spec.out,
            )
            both = combine_special(p, [special, held.special])
            zero = p.mux(rounder.is_mode(Rounding.RDN), some | held.sign, every & held.sign)
            if fixed:
                total = from_fixed(p, fixed_point(p, [product, held]), rounder, both, zero)
            else:
                total = window_sum(p, product, held, rounder, both, zero)
            found = rounder.project(total)
            loop.close(state, found.code, clear=last)
        return found


DATAPATHS = {
    units.Dot: DotDatapath,
    units.Mac: MacDatapath,
}
