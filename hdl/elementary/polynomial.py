# SPDX-License-Identifier: BSD-2-Clause
"""Gates for piecewise polynomials."""

from macaw.golden.arithmetic.real.faithful.kernels import Kernel

from ..arithmetic.shift import floored
from ..schedule.scheduler import Scheduler
from ..schedule.table import lookup
from ..schedule.wire import Wire
from .pieces import Pieces

__all__ = ["kernel", "polynomial"]


def polynomial(p: Scheduler, pieces: Pieces, place: Wire) -> Wire:
    """A piecewise polynomial of a place, an unsigned word."""
    with p.scope("polynomial"):
        if pieces.width == 0:
            return lookup(p, place, pieces.constants)
        if pieces.width >= len(place):
            number, t = p.constant(0), place
        else:
            number, t = place[pieces.width :], place[: pieces.width]
        constant = lookup(p, number, pieces.constants)
        slope = lookup(p, number, pieces.slopes)
        if pieces.curves:
            curve = lookup(p, number, pieces.curves)
            bend = floored(p.multiply(curve, t[pieces.cut :]), pieces.drop)
            slope = p.name("slope", p.add(slope, bend))
        total = p.add(constant, p.multiply(slope, t))
        return floored(total, pieces.shift)


def kernel(p: Scheduler, spec: Kernel, place: Wire, low: int, high: int) -> Wire:
    """A :class:`Kernel` of a fraction, whose results are between two bounds."""
    c0, c1, c2 = zip(*spec.coefficients, strict=True)
    if not spec.rest:
        # Each place is a piece.
        c0 = tuple(each >> spec.shift for each in c0)
    pieces = Pieces(
        width=spec.rest, shift=spec.shift, constants=c0, slopes=c1, curves=c2,
        cut=spec.cut, drop=spec.drop,
    )  # fmt: skip
    return polynomial(p, pieces, place).within(low, high)
