# SPDX-License-Identifier: BSD-2-Clause
"""Gates for the units that add up products."""

from collections.abc import Sequence

from macaw.golden import units
from macaw.golden.errors import SpecError
from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.rounding import Rounding

from .component import Datapath
from .elementwise import Rounded
from .exact import (
    align_truncated,
    combine_special,
    fixed_point,
    from_fixed,
    from_number,
    sum_products,
    sum_width,
    window_sum,
    zero_sign_truncated,
)
from .number import Number, Special, multiply, unpack
from .pipeline import Pipeline
from .rounding import Exact, Rounder
from .wire import Wire

__all__ = ["DotDatapath", "MacDatapath"]


def _lanes(word: Wire, format: Format, lanes: int | None) -> list[Wire]:
    width = format.width
    return [word[i * width : (i + 1) * width] for i in range(lanes or 1)]


def _products(p: Pipeline, spec: units.Dot | units.Mac, a: Wire, b: Wire) -> list[Number]:
    lanes = zip(_lanes(a, spec.a, spec.lanes), _lanes(b, spec.b, spec.lanes), strict=True)
    return [multiply(p, unpack(p, x, spec.a), unpack(p, y, spec.b)) for x, y in lanes]


class DotDatapath(Rounded):
    """Gates for :class:`macaw.golden.units.Dot`. One result a clock."""

    spec: units.Dot

    def build(self, p: Pipeline, *, a: Wire, b: Wire, c: Wire, **control: Wire) -> dict[str, Wire]:
        rounder = self.rounder(p, **control)
        products = _products(p, self.spec, a, b)
        addend = unpack(p, c, self.spec.c)
        if self.spec.aligned_bits is None:
            total = sum_products(p, products, addend, rounder, self.implementation.widest_sum)
        else:
            total = self._aligned(p, products, addend, rounder, self.spec.aligned_bits)
        return self.results(rounder.project(total))

    def _aligned(
        self, p: Pipeline, products: Sequence[Number], addend: Number, rounder: Rounder, bits: int
    ) -> Exact:
        def point(format: Format) -> int:
            return format.mantissa if isinstance(format, Float) else format.width - 1

        terms = [(product, point(self.spec.a) + point(self.spec.b)) for product in products]
        terms.append((addend, point(self.spec.c)))
        word, exponent, offset = align_truncated(p, terms, bits, rounder)
        return Exact(
            word=word,
            exponent=exponent,
            offset=offset,
            sticky=p.constant(0, 1),
            sign=p.constant(0, 1),
            zero_sign=zero_sign_truncated(p, rounder, [term for term, _ in terms]),
            special=combine_special(p, [term.special for term, _ in terms]),
        )


class MacDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.Mac`. One beat a clock.

    With an exact accumulator the sum is kept in segments with a carry register between them, so
    that its width does not limit the clock. With an accumulator format the rounding is inside
    the loop, and the whole step takes at most as many clocks as there are contexts.
    """

    spec: units.Mac

    def build(self, p: Pipeline, *, a: Wire, b: Wire, last: Wire, **control: Wire):
        products = _products(p, self.spec, a, b)
        random = control.get("random")
        out = Rounder(p, self.spec.out, self.spec.rounding, self.spec.out_overflow, random=random)
        if isinstance(self.spec.acc, str):
            total = self._exact(p, products, last)
            code = out.project(self._readout(p, total, out)).code
        else:
            code = self._rounded(p, products, last, random)
            if self.spec.acc != self.spec.out:
                number = unpack(p, code, self.spec.acc)
                code = out.project(from_number(p, number, out)).code
        return {"r": code, "done": last}

    def _exact(self, p: Pipeline, products: Sequence[Number], last: Wire):
        beats = -(-self.spec.terms // self.spec.lanes)
        width = sum_width(products, beats)
        widest = self.implementation.widest_sum
        if width > widest:
            raise SpecError(
                f"acc=exact: the sum needs {width} bits, and gates take at most {widest}; "
                "use acc=fp32, or allow it with widest_sum"
            )
        beat = fixed_point(p, products)
        first = p.first(last, beat.significand)
        total = p.accumulate(beat.significand, first, width)
        special = combine_special(p, [product.special for product in products])
        never = p.constant(0, 1)
        plus = p.gather(special.infinite & ~special.negative, first)
        minus = p.gather(special.infinite & special.negative, first)
        special = Special(
            nan=p.gather(special.nan, first) | (plus & minus),
            infinite=plus | minus,
            negative=minus,
            invalid=never,
        )
        return total, beat.quantum, special

    def _readout(self, p: Pipeline, total: tuple[Wire, int, Special], out: Rounder) -> Exact:
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
        self, p: Pipeline, products: Sequence[Number], last: Wire, random: Wire | None
    ) -> Wire:
        acc = self.spec.acc
        assert isinstance(acc, Float | Fixed)
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
            first = loop.first(last)
            state = loop.state(acc.width, "accumulator")
            held = unpack(p, state & ~first, acc)
            rounder = Rounder(p, acc, self.spec.rounding, self.spec.acc_overflow, random=random)
            both = combine_special(p, [special, held.special])
            zero = p.mux(rounder.is_mode(Rounding.RDN), some | held.sign, every & held.sign)
            if fixed:
                total = from_fixed(p, fixed_point(p, [product, held]), rounder, both, zero)
            else:
                total = window_sum(p, product, held, rounder, both, zero)
            code = rounder.project(total).code
            loop.close(state, code)
        return code
