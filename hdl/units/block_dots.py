# SPDX-License-Identifier: BSD-2-Clause
"""Gates for the units that add up products of block formats."""

from collections.abc import Sequence
from dataclasses import replace

from macaw.golden import units
from macaw.golden.errors import SpecError
from macaw.golden.formats import Fixed, Float, Posit
from macaw.golden.formats.choices import Rounding

from ..arithmetic.accumulation import Products, accumulate, products
from ..arithmetic.number import Number, unpack
from ..arithmetic.projection import Projection
from ..arithmetic.rounding import Rounder
from ..arithmetic.sums import Sum, fixed_point, join, sum_width, together
from ..arithmetic.unrounded import from_fixed, from_number
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire
from .datapath import Datapath
from .dots import read_out
from .elementwise import Rounded, counts, marks

__all__ = ["DATAPATHS", "BlockDotDatapath", "BlockMacDatapath"]


def _block(p: Scheduler, terms: Products, end: Wire, beats: int) -> list[Sum]:
    """The running sums of the products of a block, of up to ``beats`` beats, scaled."""
    (group,) = terms.groups
    if group.integers is not None:
        sums = group.integers.gathered(p, end, beats, terms.widest)
        return [sums.sum(p).scaled(group.scale)]
    total = _gathered(p, group.products, end, beats, terms.widest)
    if group.behind is None:
        return [total.scaled(group.scale)]
    others = _gathered(p, group.behind.others, end, beats, terms.widest)
    return group.behind.joined(p, total, others, group.scale, terms.widest)


def _gathered(p: Scheduler, numbers: Sequence[Number], end: Wire, beats: int, widest: int) -> Sum:
    """The running sum of numbers since the beat behind ``end``."""
    beat = Sum.of(p, numbers, widest)
    if beat.number.exponent.constant is None:
        beat = replace(beat, number=fixed_point(p, [beat.number]))
    width = sum_width(numbers, beats)
    if width > widest:
        raise SpecError(
            f"accumulation=exact: the sum of a block's products needs {width} bits, and gates "
            f"take at most {widest}"
        )
    return beat.gathered(p, end, width)


class _Blocks(Datapath):
    """What gates of blocks refuse."""

    @classmethod
    def limits(cls, kind: type[units.Unit]) -> list[str]:
        found = super().limits(kind)
        return [
            *found,
            "integer zero points of blocks of several beats, but for exact sums of fixed point",
        ]


class BlockDotDatapath(_Blocks, Rounded):
    """Gates for :class:`macaw.golden.units.BlockDot`. One result, or beat, a clock."""

    sums = True

    spec: units.BlockDot

    def build(self, p: Scheduler, *, c: Wire, **operands: Wire) -> dict[str, Wire]:
        spec, widest = self.spec, self.implementation.widest_sum
        rounder = self.rounder(p, **operands)
        terms = products(p, spec.factors, operands, spec.lanes, widest, totals=spec.totals)
        if not spec.accumulates:
            return self.results(accumulate(p, spec.profile, terms, c, spec.c, rounder))
        last = operands["last"]
        totals = _block(p, terms, last, spec.beats)
        joined = join(p, totals, unpack(p, c, spec.c), rounder, widest)
        return self.results(rounder.project(joined)) | {"done": last}


class BlockMacDatapath(_Blocks):
    """Gates for :class:`macaw.golden.units.BlockMac`. One beat a clock.

    A block that takes several beats is summed in a fixed-point register. The accumulator of a
    format has its rounding inside the loop: the step takes one clock, or as many as there are
    contexts. An exact one is kept in segments, and does not limit the clock.
    """

    sums = True

    spec: units.BlockMac

    def build(self, p: Scheduler, *, last: Wire, **operands: Wire) -> dict[str, Wire]:
        spec, widest = self.spec, self.implementation.widest_sum
        random = operands.get("random")
        out = read_out(p, spec, random)
        terms = products(p, spec.factors, operands, spec.lanes, widest, totals=spec.totals)
        end = p.ends(last, spec.beats)
        if spec.acc == "exact":
            found = self._exact(p, terms, last, end, out)
        else:
            found = self._rounded(p, terms, last, end, random)
            if spec.acc != spec.out:
                assert isinstance(spec.acc, Float | Fixed | Posit)
                number = unpack(p, found.code, spec.acc)
                found = out.project(from_number(p, number, out))
        return {"r": found.code, "done": last} | marks(found, spec)

    def _steps(self, p: Scheduler, terms: Products, end: Wire) -> list[Sum]:
        """What joins the accumulator in the last beat of a block."""
        if self.spec.beats > 1:
            return _block(p, terms, end, self.spec.beats)
        totals = [group.sum(p, terms.widest) for group in terms.groups]
        steps = []
        for group, total in zip(terms.groups, totals, strict=True):
            steps += group.scaled(p, total, terms.widest)
        return steps

    def _exact(
        self, p: Scheduler, terms: Products, last: Wire, end: Wire, out: Rounder
    ) -> Projection:
        steps = self._steps(p, terms, end)
        numbers = [step.number for step in steps]
        count = -(-self.spec.terms // self.spec.elements)
        width = sum_width(numbers, count)
        if width > terms.widest:
            raise SpecError(
                f"acc=exact: the sum needs {width} bits, and gates take at most {terms.widest}; "
                "use acc=fp32, or allow it with widest_sum"
            )
        step = together(p, steps, terms.widest)
        number = step.number
        if number.exponent.constant is None:
            number = fixed_point(p, [number])
        word = number.significand
        if end.constant is None:
            word = (word.bits(len(word)) & end).as_signed()
        step = replace(
            step,
            number=replace(number, significand=word),
            nan=step.nan & end,
            plus=step.plus & end,
            minus=step.minus & end,
        )
        total = step.gathered(p, last, width)
        down = p.constant(int(self.spec.rounding is Rounding.RDN), 1)
        return out.project(from_fixed(p, total.number, out, total.special, down))

    def _rounded(
        self, p: Scheduler, terms: Products, last: Wire, end: Wire, random: Wire | None
    ) -> Projection:
        spec, acc = self.spec, self.spec.acc
        assert isinstance(acc, Float | Fixed | Posit)
        exact = spec.profile.kind == "exact"
        steps = self._steps(p, terms, end) if exact else []
        operands = [last, end, *([random] if random is not None else [])]
        if len(steps) > 1:
            steps = [together(p, steps, terms.widest)]
        for step in steps:
            number = step.number
            operands += [number.significand, number.exponent, number.zero, step.nan, step.plus]
            operands += [step.minus, step.every, step.some]
        if not exact:
            for product in terms.scaled:
                operands += [product.significand, product.exponent, product.zero]
        with p.loop(*operands, contexts=spec.contexts) as loop:
            held = loop.state(acc.width, "accumulator", init=0)
            wanted = counts(spec) and acc == spec.out
            rounder = Rounder(
                p, acc, spec.rounding, spec.step_overflow, random=random, flags=wanted
            )
            if exact:
                total = join(p, steps, unpack(p, held, acc), rounder, terms.widest)
                found = rounder.project(total)
            else:
                found = accumulate(p, spec.profile, terms, held, acc, rounder)
            found = replace(found, code=p.mux(end, found.code, held))
            loop.close(held, found.code, clear=last)
        return found


DATAPATHS = {
    units.BlockDot: BlockDotDatapath,
    units.BlockMac: BlockMacDatapath,
}
