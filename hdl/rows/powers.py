# SPDX-License-Identifier: BSD-2-Clause
"""Gates for the powers of a row's elements, and their sum in one pass."""

from dataclasses import dataclass

from macaw.golden import units
from macaw.golden.arithmetic.real.powers import Power
from macaw.golden.arithmetic.rows.sums import STEP
from macaw.golden.formats import Float

from ..arithmetic.number import unpack
from ..elementary.powers import power_of
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .sums import added, rising, total

__all__ = ["Element", "PowerSum", "power_sum"]

_PLACES = STEP.bit_length() - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    """An element of a row in gates: its power, as golden's :class:`Power` has it.

    Attributes
    ----------
    significand : Wire
        0 where it is nothing of the sum.
    exponent, rest : Wire
        Its steps above the least exponent, 0 of what is nothing of the sum; what is above those.
    present, live, spoilt : Wire
        Whether it is there, has a power, and makes NaNs of the row's results.
    """

    significand: Wire
    exponent: Wire
    rest: Wire
    present: Wire
    live: Wire
    spoilt: Wire


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerSum:
    """The sum of a row so far: golden's :class:`PowerSum`.

    Attributes
    ----------
    elements : list of Element
        Of this beat.
    distances : list of Wire
        How far each is below the last exponent of the sum's step.
    total, exponent, nan : Wire
        The sum; its exponent, in steps above the least one; whether a NaN has been there.
    """

    elements: list[Element]
    distances: list[Wire]
    total: Wire
    exponent: Wire
    nan: Wire


def power_sum(p: Scheduler, spec: units.PowerRows, a: Wire, keep: Wire, end: Wire) -> PowerSum:
    """The steps of golden's :class:`PowerSum`."""
    steps = spec.power_sum
    fmt = spec.ports.inputs["a"].format
    assert isinstance(fmt, Float)
    pairs = p.lanes(list(zip(a.lanes(fmt.width), keep.lanes(1), strict=True)))
    elements = [_element(p, code, there, fmt, steps.power) for code, there in pairs]
    now, rise = rising(p, [element.exponent for element in elements], end)
    distances = [cat(~x.rest, p.subtract(now, x.exponent).within(0, now.high)) for x in elements]
    width = steps.places(0)
    addend = added(p, [x.significand for x in elements], distances, width, signs=[])
    return PowerSum(
        elements=elements,
        distances=distances,
        total=total(p, addend, rise, end, width + spec.growth),
        exponent=now,
        nan=p.gather(cat(*(x.spoilt for x in elements)).any(), end),
    )


def _element(p: Scheduler, code: Wire, present: Wire, fmt: Float, power: Power) -> Element:
    number = unpack(p, code, fmt)
    special = number.special
    other = special.nan | special.infinite
    live = p.name("live", present & ~other)
    m, n = power_of(p, number, power)
    # The sign turned, it counts from the least one.
    steps = cat(n[_PLACES:-1], ~n[-1])
    return Element(
        significand=cat(m[: power.bits] & live, live),
        exponent=steps & live,
        rest=n[:_PLACES],
        present=present,
        live=live,
        spoilt=present & other & ~(special.infinite & number.sign),
    )
