# SPDX-License-Identifier: BSD-2-Clause
"""The datapaths: for each unit specification the same steps as its golden ``evaluate``."""

from collections.abc import Sequence

from macaw.golden import units
from macaw.golden.errors import SpecError
from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.rounding import Overflow, Rounding
from macaw.golden.units import Unit

from .component import Datapath, Implementation
from .exact import (
    add_pair,
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
from .rounding import Exact, Projection, Rounder
from .wire import Wire

__all__ = ["DATAPATHS", "build"]


def _lanes(word: Wire, format: Format, lanes: int | None) -> list[Wire]:
    width = format.width
    return [word[i * width : (i + 1) * width] for i in range(lanes or 1)]


class _Rounded(Datapath):
    """A datapath whose result is one projection of an exact value."""

    def rounder(self, p: Pipeline, **control: Wire) -> Rounder:
        return Rounder(
            p,
            self.spec.ports.outputs["r"].format,
            self.spec.rounding,
            self.spec.overflow,
            mode=control.get("rm"),
            random=control.get("random"),
            flags="flags" in self.spec.ports.outputs,
        )

    def results(self, projection: Projection) -> dict[str, Wire]:
        named = {"r": projection.code, "flags": projection.flags}
        return {name: named[name] for name in self.spec.ports.outputs}


class MulDatapath(_Rounded):
    """Gates for :class:`macaw.golden.units.Mul`. One result a clock."""

    spec: units.Mul

    def build(self, p: Pipeline, *, a: Wire, b: Wire, **control: Wire) -> dict[str, Wire]:
        rounder = self.rounder(p, **control)
        product = multiply(p, unpack(p, a, self.spec.a), unpack(p, b, self.spec.b))
        return self.results(rounder.project(from_number(p, product, rounder)))


class AddDatapath(_Rounded):
    """Gates for :class:`macaw.golden.units.Add`. One result a clock."""

    spec: units.Add

    def build(self, p: Pipeline, *, a: Wire, b: Wire, **control: Wire) -> dict[str, Wire]:
        rounder = self.rounder(p, **control)
        left, right = unpack(p, a, self.spec.a), unpack(p, b, self.spec.b)
        if self.spec.subtract:
            right = right.negated()
        total = add_pair(p, left, right, rounder)
        if total is None:
            total = sum_products(p, [left], right, rounder, self.implementation.widest_sum)
        return self.results(rounder.project(total))


class FmaDatapath(_Rounded):
    """Gates for :class:`macaw.golden.units.Fma`. One result a clock."""

    spec: units.Fma

    def build(self, p: Pipeline, *, a: Wire, b: Wire, c: Wire, **control: Wire) -> dict[str, Wire]:
        rounder = self.rounder(p, **control)
        product = multiply(p, unpack(p, a, self.spec.a), unpack(p, b, self.spec.b))
        addend = unpack(p, c, self.spec.c)
        total = sum_products(p, [product], addend, rounder, self.implementation.widest_sum)
        return self.results(rounder.project(total))


class CastDatapath(_Rounded):
    """Gates for :class:`macaw.golden.units.Cast`. One result a clock."""

    spec: units.Cast

    def build(self, p: Pipeline, *, a: Wire, **control: Wire) -> dict[str, Wire]:
        rounder = self.rounder(p, **control)
        return self.results(rounder.project(from_number(p, unpack(p, a, self.spec.a), rounder)))


def _products(p: Pipeline, spec: units.Dot | units.Mac, a: Wire, b: Wire) -> list[Number]:
    lanes = zip(_lanes(a, spec.a, spec.lanes), _lanes(b, spec.b, spec.lanes), strict=True)
    return [multiply(p, unpack(p, x, spec.a), unpack(p, y, spec.b)) for x, y in lanes]


class DotDatapath(_Rounded):
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
        return from_fixed(p, number, special, down)

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
                total = from_fixed(p, fixed_point(p, [product, held]), both, zero)
            else:
                total = window_sum(p, product, held, rounder, both, zero)
            code = rounder.project(total).code
            loop.close(state, code)
        return code


DATAPATHS: dict[type[Unit], type[Datapath]] = {
    units.Mul: MulDatapath,
    units.Add: AddDatapath,
    units.Fma: FmaDatapath,
    units.Cast: CastDatapath,
    units.Dot: DotDatapath,
    units.Mac: MacDatapath,
}


def build(spec: Unit, implementation: Implementation | None = None) -> Datapath:
    """The datapath of a specification, with its ports, latency and clock decided.

    Raises
    ------
    SpecError
        If the gates do not offer what the specification asks for, or the frequency is too high.
    """
    for fmt in {port.format for port in (spec.ports.inputs | spec.ports.outputs).values()}:
        if isinstance(fmt, Float) and fmt.width > 32:
            raise SpecError(f"{fmt.name}: gates take floats of at most 32 bits")
    floats = any(isinstance(port.format, Float) for port in spec.ports.inputs.values())
    if spec.overflow is Overflow.WRAP and floats and not isinstance(spec, units.Cast | units.Mul):
        raise SpecError("overflow=wrap: gates wrap sums of fixed-point operands only")
    return DATAPATHS[type(spec)](spec, implementation or Implementation())
