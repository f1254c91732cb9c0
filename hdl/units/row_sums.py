# SPDX-License-Identifier: BSD-2-Clause
"""Gates for what a softmax divides by: sums of rows in one pass, and of parts of rows."""

from macaw.golden import units
from macaw.golden.arithmetic.rows.sums import STEP

from ..arithmetic.integers import integer
from ..arithmetic.shift import shift_right
from ..rows.powers import power_sum
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .datapath import Datapath

__all__ = ["DATAPATHS", "SoftmaxMergeDatapath", "SoftmaxSumDatapath"]


class SoftmaxSumDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.SoftmaxSum`. One beat a clock, whatever the rows are."""

    spec: units.SoftmaxSum
    floats = False

    def build(self, p: Scheduler, *, a: Wire, keep: Wire, end: Wire) -> dict[str, Wire]:
        end = p.ends(end, self.spec.beats)
        sums = power_sum(p, self.spec, a, keep, end)
        # Steps count from the least one: two's complement has the sign turned.
        width = self.spec.power_sum.power.whole + 1 - (STEP.bit_length() - 1)
        steps = sums.exponent.bits(width)
        exponent = cat(p.constant(0, STEP.bit_length() - 1), steps[:-1], ~steps[-1])
        return {"r": sums.total, "exponent": exponent, "nan": sums.nan, "end": end}


class SoftmaxMergeDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.SoftmaxMerge`. One result a clock."""

    spec: units.SoftmaxMerge

    def build(
        self,
        p: Scheduler,
        *,
        a: Wire,
        a_exponent: Wire,
        a_nan: Wire,
        b: Wire,
        b_exponent: Wire,
        b_nan: Wire,
    ) -> dict[str, Wire]:
        width = self.spec.a.width
        ranks = [integer(code, self.spec.exponent) for code in (a_exponent, b_exponent)]
        with p.scope("top"):
            # Of one of them at most the exponent is below the other's.
            lead = p.subtract(*ranks)
            less = p.name("less", lead.negative)
            exponent = p.mux(less, b_exponent, a_exponent)
            other = p.subtract(ranks[1], ranks[0])
            distance = p.mux(less, other, lead).bits(len(lead) - 1)
        upper, lower = p.mux(less, b, a, "upper"), p.mux(less, a, b, "lower")
        with p.scope("align"):
            lower, _ = shift_right(p, lower, distance, width)
        with p.scope("add"):
            total = p.name("total", p.add(upper, lower))
            r = total[:width] | total[width]
        return {"r": r, "exponent": exponent, "nan": a_nan | b_nan}


DATAPATHS = {
    units.SoftmaxSum: SoftmaxSumDatapath,
    units.SoftmaxMerge: SoftmaxMergeDatapath,
}
