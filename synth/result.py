# SPDX-License-Identifier: BSD-2-Clause
"""What is measured of one module on one target."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, get_args, get_origin, get_type_hints


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """Area and timing of one module on one target.

    A figure that the target does not have is None. ``fmax_mhz``, ``delay_fo4`` and ``delay_ps``
    are register to register: the unit between registers of the same technology. The energies,
    in ``energy_unit``, are those of :class:`macaw.synth.energy.Energy`; leakage is in nanowatts.
    """

    name: str
    generated_by: str | None = None
    """The command that generates the module's Verilog; None if macaw did not."""
    hash: str | None = None
    """SHA-256 of that Verilog, as in the module's JSON file."""
    target: str
    device: str | None = None
    latency: int = 0
    budgets: tuple[float, ...] = ()
    """What each stage has of the clock's period, where not all have the same."""
    sizing: bool | None = None
    """True where registers were copied and cells sized after mapping."""
    initiation_interval: int = 1
    luts: int | None = None
    carries: int | None = None
    lut_equivalents: float | None = None
    ffs: int | None = None
    dsps: int | None = None
    brams: int | None = None
    gate_equivalents: float | None = None
    area_um2: float | None = None
    library: str | None = None
    library_digest: str | None = None
    """SHA-256 of the Liberty file."""
    fmax_mhz: float | None = None
    fmax_mhz_least: float | None = None
    fmax_mhz_most: float | None = None
    fmax_mhz_by_seed: tuple[float, ...] = ()
    """With several seeds of place and route, whose median ``fmax_mhz`` is: the range, and all."""
    delay_fo4: float | None = None
    delay_ps: float | None = None
    logic_fo4: float | None = None
    """Without clock-to-output and setup of the registers."""
    logic_ps: float | None = None
    leakage_power: float | None = None
    energy_per_operation: float | None = None
    energy_without_glitches: float | None = None
    energy_of_clock: float | None = None
    energy_unit: str | None = None
    operands: str | None = None
    operations: int | None = None
    critical_path: tuple[str, ...] = ()
    slowest_stage: int | None = None
    """Pipeline stage of that path, from the operands' 0 on; None where its ends do not tell."""
    stage_fo4: tuple[float, ...] = ()
    """Of pipelines on libraries: the slowest path that begins in each stage."""
    notes: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    seconds: float = 0.0
    cached: bool = field(default=False, compare=False)

    @property
    def cost(self) -> float:
        """In the target's unit of area.

        Gate equivalents; on FPGAs logic cells: a cell holds one LUT and one flip-flop, so the
        larger of their numbers.
        """
        if self.gate_equivalents is not None:
            return self.gate_equivalents
        return max(self.lut_equivalents or 0, self.ffs or 0)

    @property
    def rate(self) -> float | None:
        """Operations per microsecond; per 1000 FO4 where a library has no picoseconds."""
        if self.fmax_mhz is not None:
            clock = self.fmax_mhz
        elif self.delay_fo4:
            clock = 1000 / self.delay_fo4
        else:
            return None
        return clock / self.initiation_interval

    def to_json(self) -> dict[str, Any]:
        """The figures as what ``json.dumps`` takes."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Result:
        """Inverse of :meth:`to_json`; unknown names are left out.

        TypeError for a value that is not of its field's type, or a missing one.
        """
        hints = get_type_hints(cls)
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in data.items()
            if name in hints
        }
        for name, value in values.items():
            hint = hints[name]
            kinds = tuple(get_origin(kind) or kind for kind in get_args(hint) or (hint,))
            kinds = (tuple,) if get_origin(hint) is tuple else kinds
            if not isinstance(value, (*kinds, int) if float in kinds else kinds):
                raise TypeError(f"{name}: {value!r}")
        return cls(**values)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A module that macaw did not generate: name, Verilog text, and its ports as metadata."""

    name: str
    verilog: str
    metadata: dict[str, Any]


def median(results: Sequence[Result]) -> Result:
    """One of several that differ by the seed of place and route: with the median of the clock.

    All else, the slowest path above all, is of the result whose clock is the median, or the next
    below it. It is the first where there is only one, or one without a clock.
    """
    clocks = [result.fmax_mhz for result in results if result.fmax_mhz is not None]
    if len(results) == 1 or len(clocks) < len(results):
        return results[0]
    middle = statistics.median_low(clocks)
    return replace(
        results[clocks.index(middle)],
        fmax_mhz=round(statistics.median(clocks), 2),
        fmax_mhz_least=min(clocks),
        fmax_mhz_most=max(clocks),
        fmax_mhz_by_seed=tuple(clocks),
        seconds=round(sum(result.seconds for result in results), 2),
        cached=all(result.cached for result in results),
    )
