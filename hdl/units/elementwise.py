# SPDX-License-Identifier: BSD-2-Clause
"""Gates for the units with one result per element."""

from macaw.golden import units
from macaw.golden.arithmetic.projection import resolve_or_default

from ..arithmetic.number import multiplied, unpack
from ..arithmetic.projection import Projection
from ..arithmetic.rounding import Rounder
from ..arithmetic.sums import sum_products
from ..arithmetic.unrounded import from_number
from ..arithmetic.window_sums import add_pair
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire
from .datapath import Datapath

__all__ = ["DATAPATHS", "AddDatapath", "CastDatapath", "FmaDatapath", "MulDatapath", "Rounded"]


class Rounded(Datapath):
    """A datapath whose result is one projection of an exact value."""

    def rounder(self, p: Scheduler, **control: Wire) -> Rounder:
        """A rounder to the result's format; ``control`` are the ports ``rm`` and ``random``."""
        out = self.spec.ports.outputs["r"].format
        return Rounder(
            p,
            out,
            self.spec.rounding,
            resolve_or_default(self.spec.overflow, out),
            mode=control.get("rm"),
            random=control.get("random"),
            flags="flags" in self.spec.ports.outputs,
            nan=getattr(self.spec, "nan", None),
        )

    def results(self, projection: Projection) -> dict[str, Wire]:
        """The result, and its flags if the specification has them."""
        named = {"r": projection.code, "flags": projection.flags}
        return {name: named[name] for name in self.spec.ports.outputs}


class MulDatapath(Rounded):
    """Gates for :class:`macaw.golden.units.Mul`. One result a clock."""

    spec: units.Mul
    wraps = True

    def build(self, p: Scheduler, *, a: Wire, b: Wire, **control: Wire) -> dict[str, Wire]:
        rounder = self.rounder(p, **control)
        factors = unpack(p, a, self.spec.a), unpack(p, b, self.spec.b)
        product = multiplied(p, self.spec.multiplication, *factors)
        return self.results(rounder.project(from_number(p, product, rounder)))


class AddDatapath(Rounded):
    """Gates for :class:`macaw.golden.units.Add`. One result a clock."""

    spec: units.Add

    def build(self, p: Scheduler, *, a: Wire, b: Wire, **control: Wire) -> dict[str, Wire]:
        rounder = self.rounder(p, **control)
        left, right = unpack(p, a, self.spec.a), unpack(p, b, self.spec.b)
        if self.spec.subtract:
            right = right.negated()
        total = add_pair(p, left, right, rounder)
        if total is None:
            total = sum_products(p, [left], right, rounder, self.implementation.widest_sum)
        return self.results(rounder.project(total))


class FmaDatapath(Rounded):
    """Gates for :class:`macaw.golden.units.Fma`. One result a clock."""

    spec: units.Fma

    def build(self, p: Scheduler, *, a: Wire, b: Wire, c: Wire, **control: Wire) -> dict[str, Wire]:
        rounder = self.rounder(p, **control)
        factors = unpack(p, a, self.spec.a), unpack(p, b, self.spec.b)
        product = multiplied(p, self.spec.multiplication, *factors)
        addend = unpack(p, c, self.spec.c)
        total = sum_products(p, [product], addend, rounder, self.implementation.widest_sum)
        return self.results(rounder.project(total))


class CastDatapath(Rounded):
    """Gates for :class:`macaw.golden.units.Cast`. One result a clock."""

    spec: units.Cast
    wraps = True

    def build(self, p: Scheduler, *, a: Wire, **control: Wire) -> dict[str, Wire]:
        rounder = self.rounder(p, **control)
        return self.results(rounder.project(from_number(p, unpack(p, a, self.spec.a), rounder)))


DATAPATHS = {
    units.Mul: MulDatapath,
    units.Add: AddDatapath,
    units.Fma: FmaDatapath,
    units.Cast: CastDatapath,
}
