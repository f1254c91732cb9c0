# SPDX-License-Identifier: BSD-2-Clause
"""Gates for the units between single numbers and blocks, and for the rotation before them."""

from dataclasses import replace

from macaw.golden import units
from macaw.golden.errors import SpecError
from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.formats.choices import Rounding

from ..arithmetic.accumulation import point_of, truncated_terms
from ..arithmetic.divide import normalised
from ..arithmetic.groups.block_scales import PowerOfTwo, ThroughFp32, nonfinite
from ..arithmetic.groups.zero_points import Group, element
from ..arithmetic.number import Number, Special, multiply, unpack
from ..arithmetic.projection import Unrounded
from ..arithmetic.rounding import Rounder
from ..arithmetic.sums import shift_up, sum_products
from ..arithmetic.unrounded import from_number, headroom, with_headroom
from ..arithmetic.words.butterfly import butterfly, butterfly_marks
from ..schedule.fold import Fold
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .datapath import Datapath
from .elementwise import counts

__all__ = [
    "DATAPATHS",
    "BlockDequantizeDatapath",
    "BlockQuantizeDatapath",
    "HadamardDatapath",
    "Lanewise",
]


class Lanewise(Datapath):
    """A datapath whose every lane ends in a projection of its own."""

    def fold(self, p: Scheduler, lanes: int) -> Fold:
        """The turns that the lanes take from here on, as the implementation has it."""
        count = self.implementation.fold
        if lanes % count:
            raise SpecError(f"fold={count}: must divide the {lanes} lanes of {self.spec.kind}")
        return Fold(p, count)

    def rounders(
        self,
        p: Scheduler,
        format: Format,
        lanes: int,
        random: Wire | None,
        fold: Fold | None = None,
    ) -> list[Rounder]:
        """A rounder for each lane, with its own random word where there are such."""
        spec = self.spec
        words: list[Wire | None] = [None] * lanes
        if random is not None:
            every = list(random.lanes(spec.random_bits))
            words = list(fold.take(every) if fold else every)
        flags = counts(spec)
        return [
            Rounder(p, format, spec.rounding, spec.overflow, random=word, flags=flags)
            for word in words
        ]


class BlockQuantizeDatapath(Lanewise):
    """Gates for :class:`macaw.golden.units.BlockQuantize`. One block a clock.

    Folded, the scale comes from all values at once, and the elements in ``fold`` turns.
    """

    spec: units.BlockQuantize
    wraps = True
    folds = True

    def build(self, p: Scheduler, *, a: Wire, **operands: Wire) -> dict[str, Wire]:
        spec = self.spec
        block, scale = spec.out, spec.out.scale
        codes = a.lanes(spec.a.width)
        with p.scope("scale"):
            wrong = nonfinite(p, codes, spec.a) if scale.has_nan else p.constant(0, 1)
            if block.power_of_two:
                shared = PowerOfTwo(p, codes, spec.a, block, spec.scale_rule)
            elif block.zero_point is not None:
                widest = self.implementation.widest_sum
                shared = Group(p, codes, spec.a, block, spec.rules, widest)
            else:
                tensor = None
                if block.second_scale is not None:
                    tensor = operands["encode"], operands["decode"]
                    wrong = wrong | ~(self._positive(tensor[0]) & self._positive(tensor[1]))
                shared = ThroughFp32(p, codes, spec.a, block, spec.rules, tensor)
            idle = wrong | shared.empty
        fold = self.fold(p, len(codes))
        codes = fold.take(codes)
        to = shared.steps if isinstance(shared, Group) else block.element
        rounders = self.rounders(p, to, len(codes), operands.get("random"), fold)
        elements = shared.project(codes, rounders)
        if scale.has_nan:
            elements = [self._kept(p, element, ~idle) for element in elements]
        else:
            alone = [nonfinite(p, [code], spec.a) for code in codes]
            pairs = zip(elements, alone, strict=True)
            elements = [self._kept(p, e, special | ~idle) for e, special in pairs]
        kept, elements = elements, fold.collect(elements)
        code = shared.code.bits(scale.width) & ~shared.empty
        nan = p.constant(scale.nan_code or 0, scale.width)
        results = {"r": cat(*elements), "scale": p.mux(wrong, nan, code).bits(scale.width)}
        if isinstance(shared, Group):
            results["zero"] = shared.zero & ~wrong
        if counts(spec):
            marks = self._marks(p, codes, kept, shared.over, idle)
            nonfinite_, over, lost = (cat(*fold.collect(each)) for each in marks)
            with p.scope("statistics"):
                bad = nonfinite_ | wrong | (over & code.equals(scale.max_code))
                results["overflows"] = bad
                results["saturations"] = over & ~bad
                results["underflows"] = lost & ~(bad | over)
        return results

    def _marks(
        self,
        p: Scheduler,
        codes: list[Wire],
        elements: list[Wire],
        over: list[Wire],
        idle: Wire,
    ) -> tuple[list[Wire], list[Wire], list[Wire]]:
        """Of each lane: it is no finite number, its element saturates, or is zero and it is not."""
        spec, found = self.spec, []
        with p.scope("statistics"):
            for code, element, beyond in zip(codes, elements, over, strict=True):
                value, zero = unpack(p, code, spec.a), unpack(p, element, spec.out.element).zero
                special = value.special.nan | value.special.infinite
                found.append((special, beyond & ~idle, zero & ~value.zero & ~special))
        special, beyond, lost = zip(*found, strict=True)
        return list(special), list(beyond), list(lost)

    def sizes(self, r: Wire, operands: dict[str, Wire]) -> Wire:
        """Codes of the values."""
        return operands["a"]

    def _kept(self, p: Scheduler, element: Wire, kept: Wire) -> Wire:
        """``element`` where it is ``kept``, else the code of zero."""
        zero = self.spec.out.element.zero_code
        if zero == 0:
            return element & kept
        return p.mux(kept, element, p.constant(zero, len(element)))

    def _positive(self, code: Wire) -> Wire:
        """Whether an fp32 code is that of a positive finite number."""
        return code.any() & ~code[31] & ~code[23:31].all()


class BlockDequantizeDatapath(Lanewise):
    """Gates for :class:`macaw.golden.units.BlockDequantize`. One block a clock."""

    spec: units.BlockDequantize
    wraps = True

    def build(self, p: Scheduler, *, a: Wire, a_scale: Wire, **control: Wire) -> dict[str, Wire]:
        spec = self.spec
        codes = a.lanes(spec.a.element.width)
        rounders = self.rounders(p, spec.out, len(codes), control.get("random"))
        scale = unpack(p, a_scale, spec.a.scale)
        factors = []
        for lane, code in enumerate(codes):
            with p.scope(f"lane{lane}"):
                factor = element(p, code, control.get("a_zero"), spec.a)
                # A leading one in its place costs less among the element's few bits.
                float_ = isinstance(spec.a.element, Float)
                factors.append(normalised(p, factor) if float_ else factor)
        if isinstance(spec.a.element, Float):
            with p.scope("scale"):
                scale = self._from_origin(p, factors[0], scale, rounders[0])
        behind = self._behind(p, control.get("a_zero"), scale)
        results = []
        for lane, (factor, rounder) in enumerate(zip(factors, rounders, strict=True)):
            with p.scope(f"lane{lane}"):
                product = multiply(p, factor, scale)
                if behind is None:
                    exact = from_number(p, product, rounder)
                else:
                    widest = self.implementation.widest_sum
                    exact = sum_products(p, [product], behind, rounder, widest)
                results.append(rounder.project(exact).code)
        return {"r": cat(*results)}

    def _behind(self, p: Scheduler, code: Wire | None, scale: Number) -> Number | None:
        """What a zero point that is a float adds to every element times the scale."""
        block = self.spec.a
        if code is None or block.float_zero is None:
            return None
        with p.scope("zero_point"):
            zero = unpack(p, code, block.float_zero)
            return zero if block.minimum else multiply(p, zero.negated(), scale)

    def _from_origin(self, p: Scheduler, factor: Number, scale: Number, rounder: Rounder) -> Number:
        """The scale with what the rounders add to exponents, added once for all lanes."""
        width = len(factor.significand) + len(scale.significand)
        if scale.significand.constant is not None:
            width = len(factor.significand)
        quantum = factor.quantum + scale.quantum
        room = headroom(rounder.format, quantum, width, rounder.fraction_bits)
        high = factor.top + scale.top
        offset = rounder.origin(width + room, high, room) - factor.offset
        shift = scale.offset - offset
        return replace(scale, exponent=p.add(scale.exponent, shift), offset=offset)


class HadamardDatapath(Lanewise):
    """Gates for :class:`macaw.golden.units.Hadamard`. One transform a clock."""

    sums = True

    spec: units.Hadamard

    def build(self, p: Scheduler, *, a: Wire, **control: Wire) -> dict[str, Wire]:
        spec = self.spec
        terms = [
            number.negated() if spec.signs >> lane & 1 else number
            for lane, number in enumerate(unpack(p, code, spec.a) for code in a.lanes(spec.a.width))
        ]
        if spec.aligned_bits is None:
            words, exponent, offset = self._fixed_point(p, terms)
        else:
            words, exponent, offset = self._aligned(p, terms, spec.aligned_bits)
        sums = butterfly(p, words)
        specials = self._specials(p, terms)
        results = []
        rounders = self.rounders(p, spec.out, spec.size, control.get("random"))
        zeros = self._zero_signs(p, terms, rounders[0])
        for lane, rounder in enumerate(rounders):
            exact = Unrounded(
                word=with_headroom(sums[lane], offset + exponent.low - spec.shift, rounder),
                exponent=exponent,
                offset=offset - spec.shift,
                sticky=p.constant(0, 1),
                sign=p.constant(0, 1),
                zero_sign=zeros[lane],
                special=specials[lane],
            )
            with p.scope(f"lane{lane}"):
                results.append(rounder.project(exact).code)
        return {"r": cat(*results)}

    def _fixed_point(self, p: Scheduler, terms: list[Number]) -> tuple[list[Wire], Wire, int]:
        """The numbers as integers in units of the smallest last place."""
        first = terms[0]
        if first.exponent.constant is not None:
            words = [term.significand for term in terms]
        else:
            width = len(first.significand) + first.top - first.quantum
            width += self.spec.size.bit_length()
            widest = self.implementation.widest_sum
            if width > widest:
                raise SpecError(
                    f"accumulation=exact: the sums need {width} bits, and gates take at most "
                    f"{widest}; use accumulation=aligned(24)"
                )
            words = [shift_up(p, term) for term in terms]
        return words, p.constant(0), first.quantum

    def _aligned(
        self, p: Scheduler, terms: list[Number], bits: int
    ) -> tuple[list[Wire], Wire, int]:
        point = point_of(self.spec.a)
        words, largest, offset = truncated_terms(p, [(term, point) for term in terms], bits)
        whole = [p.add(word, term.sign) for word, term in zip(words, terms, strict=True)]
        return whole, largest, offset

    def _specials(self, p: Scheduler, terms: list[Number]) -> list[Special]:
        """NaN and infinities of the sums: opposite infinities make a NaN."""
        never = p.constant(0, 1)
        nan = never
        for term in terms:
            nan = nan | term.special.nan
        infinite = [term.special.infinite & ~term.special.nan for term in terms]
        negative = [term.special.negative for term in terms]
        plus = [i & ~n for i, n in zip(infinite, negative, strict=True)]
        minus = [i & n for i, n in zip(infinite, negative, strict=True)]
        return [
            Special(nan=nan | (up & down), infinite=up | down, negative=down, invalid=never)
            for up, down in butterfly_marks(plus, minus)
        ]

    def _zero_signs(self, p: Scheduler, terms: list[Number], rounder: Rounder) -> list[Wire]:
        """Signs of the sums where they are zero: minus if no term is anything but -0."""
        out = self.spec.out
        never = p.constant(0, 1)
        unsigned_zero = isinstance(out, Fixed) or (out.zero and not out.negative_zero)
        if unsigned_zero or not out.signed:
            # A zero has no sign there. In formats without one it has.
            return [never] * len(terms)
        plus = [~(term.zero & ~term.sign) for term in terms]
        minus = [~(term.zero & term.sign) for term in terms]
        down = rounder.is_mode(Rounding.RDN)
        return [
            p.mux(down, some_plus, ~some_minus)
            for some_plus, some_minus in butterfly_marks(plus, minus)
        ]


DATAPATHS = {
    units.BlockQuantize: BlockQuantizeDatapath,
    units.BlockDequantize: BlockDequantizeDatapath,
    units.Hadamard: HadamardDatapath,
}
