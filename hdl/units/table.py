# SPDX-License-Identifier: BSD-2-Clause
"""Gates for functions of one operand: a table, in logic or in a memory, or a polynomial."""

from macaw.golden import units
from macaw.golden.formats import Subnormals

from ..arithmetic.number import Number, Special, unpack
from ..arithmetic.projection import Unrounded
from ..arithmetic.rounding import Rounder
from ..arithmetic.unrounded import with_headroom
from ..elementary.faithful import unrounded
from ..elementary.plan import plan
from ..elementary.polynomial import polynomial
from ..schedule.scheduler import Scheduler
from ..schedule.table import lookup
from ..schedule.wire import Wire
from .datapath import Datapath
from .elementwise import Rounded

__all__ = ["DATAPATHS", "FunctionDatapath", "TableDatapath"]


class TableDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.Table`. One result a clock."""

    spec: units.Table
    wraps = True

    def build(self, p: Scheduler, *, a: Wire) -> dict[str, Wire]:
        return {"r": lookup(p, a, self.spec.contents.tolist()).bits(self.spec.out.width)}


class FunctionDatapath(Rounded):
    """Gates for :class:`macaw.golden.units.Function`. One result a clock."""

    spec: units.Function
    wraps = True

    @classmethod
    def limits(cls, kind: type[units.Unit]) -> list[str]:
        return [
            "of 16 bits and less, formats for which no polynomial of the second degree is found"
        ]

    def build(self, p: Scheduler, *, a: Wire) -> dict[str, Wire]:
        spec = self.spec
        rounder = self.rounder(p)
        number = unpack(p, a, spec.a)
        steps = spec.steps
        exact = (
            self._planned(p, number, rounder)
            if steps is None
            else unrounded(p, steps, number, rounder)
        )
        return {"r": self._special(p, number, rounder.project(exact).code)}

    def _planned(self, p: Scheduler, number: Number, rounder: Rounder) -> Unrounded:
        """The value, so near that it is rounded right."""
        found = plan(self.spec)
        reduction = found.reduction
        argument = reduction.argument(p, number)
        word = polynomial(p, found.pieces, argument.place)
        if argument.base is not None:
            word = p.add(argument.base, word)
        leading, depth = None, 0
        if reduction.leading is not None:
            leading, depth = reduction.leading
            word = word.bits(leading + 1)
        if argument.instead is not None:
            other, near = argument.instead
            word = p.mux(other, near, word)
        never = p.constant(0, 1)
        word = p.name("word", word)
        return Unrounded(
            word=with_headroom(word, argument.exponent.low + argument.offset, rounder),
            exponent=argument.exponent,
            offset=argument.offset,
            sticky=argument.sticky,
            sign=argument.sign,
            zero_sign=never,
            special=Special(nan=never, infinite=never, negative=never, invalid=never),
            leading=leading,
            depth=depth,
        )

    def _special(self, p: Scheduler, number: Number, code: Wire) -> Wire:
        """The code, or where the operand is no number, or zero, that which golden has there."""
        spec, special = self.spec, number.special
        a = spec.a
        top = 1 << (a.width - 1) if a.signed else 0
        chosen: dict[int, Wire] = {}

        def choose(wire: Wire, place: int) -> None:
            if wire.constant != 0:
                result = int(spec.evaluate(a=[place])["r"][0])
                chosen[result] = chosen[result] | wire if result in chosen else wire

        negative = number.sign
        if a.nan_code is not None:
            choose(special.nan, a.nan_code)
        if a.inf_code is not None:
            choose(special.infinite & ~negative, a.inf_code)
            choose(special.infinite & negative, a.inf_code | top)
        if a.zero:
            choose(number.zero & ~negative, 0)
            minus = 0 if a.nan_for_negative_zero else top
            if a.nan_for_negative_zero and a.subnormals is Subnormals.FLUSH:
                # Only what is flushed is a negative zero.
                minus = top | 1
            choose(number.zero & negative, minus)
        if spec.function in ("log", "log2", "rsqrt"):
            below = negative & ~number.zero & ~special.nan & ~special.infinite
            choose(below, top | a.max_code)
        with p.scope("specials"):
            other = p.constant(0, 1)
            pattern = p.constant(0, spec.out.width)
            for result, wire in chosen.items():
                other = other | wire
                pattern = pattern | (p.constant(result, spec.out.width) & wire)
            return (code & ~other) | pattern


DATAPATHS = {units.Table: TableDatapath, units.Function: FunctionDatapath}
