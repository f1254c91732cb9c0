# SPDX-License-Identifier: BSD-2-Clause
"""A clock that is asked for: its unit, which targets have it, and whether a result reaches it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from macaw.golden.errors import SpecError

from .mapping import targets
from .mapping.measurement import library_of
from .mapping.targets import Target

if TYPE_CHECKING:
    from .flow import Result

UNITS = ("MHz", "FO4", "ps")
SMALLEST, LARGEST = 1e-3, 1e9

_SPELLING = re.compile(r"([-+]?[0-9.]+(?:e[-+]?[0-9]+)?)\s*([a-z][a-z0-9]*)?", re.I | re.A)


@dataclass(frozen=True, slots=True)
class Clock:
    """A frequency in ``MHz``, or a period in ``FO4`` or ``ps``.

    FPGAs have no FO4, and macaw's own library ``asic`` nothing else, since it stands for no
    process; a Liberty file has all three.
    """

    value: float
    unit: str

    def __str__(self) -> str:
        return f"{self.value:.12g} {self.unit}"

    def check(self, place: Target) -> None:
        """SpecError for a target that has no clock, or none in this unit."""
        taken = units_of(place)
        if not taken:
            raise SpecError(f"clock={self}: target {place.name} gives area only, no clock")
        if self.unit not in taken:
            raise SpecError(f"clock={self}: target {place.name} takes {' or '.join(taken)}")

    def measured(self, result: Result) -> float | None:
        """The clock of a result, in this unit; None where it has none."""
        if self.unit == "MHz":
            return result.fmax_mhz
        if self.unit == "FO4":
            return result.delay_fo4
        if result.delay_ps is None and result.fmax_mhz:
            return 1e6 / result.fmax_mhz
        return result.delay_ps

    def speed(self, result: Result) -> float:
        """How many times as fast as this clock a result is: from 1 on it is reached."""
        measured = self.measured(result)
        if measured is None:
            return 0.0
        if self.unit == "MHz":
            return measured / self.value
        return self.value / measured if measured else math.inf

    def frequency(self, place: Target) -> float:
        """MHz that the delay model of ``place`` is to be asked for; its FO4 are not a library's."""
        if not place.liberty:
            return self.value if self.unit == "MHz" else 1e6 / self.value
        from macaw.hdl.schedule.delays import FO4

        period = 1e6 / self.value if self.unit == "MHz" else self.value
        fo4 = self.value if self.unit == "FO4" else period / library_of(place.liberty).fo4_ps
        return 1e3 / (fo4 * FO4)


def clock(given: Any) -> Clock:
    """The clock that ``given`` means: a number of MHz, ``200MHz``, ``50FO4``, ``5000ps``.

    SpecError for anything else, and for numbers that are not from 0.001 to 1e9.
    """
    if isinstance(given, Clock):
        return given
    found = None if isinstance(given, bool) else _SPELLING.fullmatch(str(given).strip())
    unit = {name.lower(): name for name in UNITS}.get(((found and found[2]) or "MHz").lower())
    try:
        value = float(found[1]) if found and unit else math.nan
    except ValueError:
        value = math.nan
    if unit is None or math.isnan(value):
        raise SpecError(
            f"clock={given!s:.60}: must be MHz (200 or 200MHz), FO4 (50FO4) or ps (5000ps)"
        )
    if not SMALLEST <= value <= LARGEST:
        raise SpecError(f"clock={given!s:.60}: must be from {SMALLEST:g} to {LARGEST:g}")
    return Clock(value, unit)


def units_of(place: Target) -> tuple[str, ...]:
    """Units of a clock that ``place`` has figures in; none where it gives area only."""
    if place.liberty:
        return ("FO4",) if place.name == targets.ASIC.name else UNITS
    return ("MHz", "ps") if place.nextpnr else ()
