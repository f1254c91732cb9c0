# SPDX-License-Identifier: BSD-2-Clause
"""One format on one target: how it is measured, and what is found.

What ``compare`` puts side by side, and ``sweep`` runs in numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from macaw.golden.errors import MacawError, SpecError, check_whole
from macaw.golden.formats import Fixed
from macaw.golden.units import Unit
from macaw.tools.yosys import Notify

from . import accuracy, source, work
from .breakdown import breakdown
from .clock import Clock, clock
from .energy.operands import kind_of
from .flow import TIMEOUT, Result, check_seeds, run
from .mapping.targets import OPTIMISE, Target
from .search import Pipelines
from .work import Pair

MULTIPLIERS = ("auto", "dsp", "lut")
MOST_REGISTERS = 64
"""Stages that a unit may have: :class:`macaw.hdl.Implementation`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How a comparison is made; part of its JSON.

    ``multiplier="lut"`` by default: hard multipliers have no price in logic cells, and a
    comparison needs one. ``lanes=None``: :func:`macaw.synth.work.lanes_of`. With ``breakdown``
    each unit's area and slowest path are told by its parts, too; with ``energy``, on libraries,
    what a multiply-accumulate costs on a stream of ``operands``, by simulation of the netlist.
    ``optimise`` is what all units are mapped for: ``balanced``, ``area`` or ``delay``. With
    ``clock`` (:func:`macaw.synth.clock.clock`) each unit has the fewest stages that reach it, with
    ``stages`` so many, in place of the pipeline that serves it best. With several ``seeds`` each
    clock is the median of place and route with ``seed`` and those after it, also where a pipeline
    is chosen by it. With ``retime`` registers are moved by what is measured
    (:func:`macaw.synth.retimed`): of a pipeline of ``stages``, or of one that nearly reaches the
    ``clock``.
    """

    unit: str = "auto"
    lanes: int | None = None
    reference: str = ""
    multiplier: str = "lut"
    vectors: int = 1_000_000
    proof: bool = True
    trial: accuracy.Trial = field(default_factory=accuracy.Trial)
    seed: int = 1
    seeds: int = 1
    timeout: float = TIMEOUT
    cache: bool = True
    breakdown: bool = False
    energy: bool = False
    operands: str = "gaussian"
    optimise: str = "balanced"
    clock: str | None = None
    stages: int | None = None
    retime: bool = False

    def __post_init__(self) -> None:
        kind_of(self.operands)
        if self.stages is not None:
            check_whole("stages", self.stages, 0, MOST_REGISTERS)
            if self.clock is not None:
                raise SpecError(f"stages={self.stages}: clock={self.clock} decides the stages")
        if self.clock is not None:
            object.__setattr__(self, "clock", str(clock(self.clock)))
        if self.retime and self.clock is None and not self.stages:
            raise SpecError("retime: needs stages from 1 on, or a clock")
        words = (("optimise", OPTIMISE), ("unit", work.KINDS), ("multiplier", MULTIPLIERS))
        for name, known in words:
            value = getattr(self, name)
            if not isinstance(value, str) or value not in known:
                raise SpecError(f"{name}={value!s:.60}: must be one of {', '.join(known)}")
        if self.lanes is not None:
            check_whole("lanes", self.lanes, 1, 1 << 20)
        check_whole("vectors", self.vectors, 1, 10**12)
        check_whole("seed", self.seed, 0, 2**31 - 1)
        check_seeds(self.seed, self.seeds)
        seconds = self.timeout
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not seconds > 0:
            raise SpecError(f"timeout={seconds!s:.60}: must be a positive number of seconds")

    @property
    def asked(self) -> Clock | None:
        """The clock that is to be reached."""
        return None if self.clock is None else clock(self.clock)

    def settle(self, fmt: Pair) -> Unit:
        """The unit that ``fmt`` is priced as, once its kind and lanes are decided."""
        return work.settle(fmt, self.unit, self.lanes or 1, cache=self.cache, timeout=self.timeout)

    def keeps(self, fmt: Pair, distribution: str) -> float:
        """Signal-to-quantisation-noise ratio of that unit in dB; SpecError where there is none."""
        return accuracy.sqnr(self.settle(fmt), distribution, self.trial, cache=self.cache)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One format on one target.

    Attributes
    ----------
    bits : float
        Storage per element (of the weight), its share of a block's scale included.
    cost : float
        Of the unit, in ``cost_unit``; see :attr:`macaw.synth.Result.cost`.
    rate : float
        Multiply-accumulates per microsecond; per 1000 FO4 for ``asic``. At the clock that was
        asked for, if one was and it is reached.
    cost_per_mac, cost_per_rate : float
        Relative to the reference format: area per multiply-accumulate and clock, and area per
        multiply-accumulate and second.
    rate_least, rate_most, cost_per_rate_least, cost_per_rate_most : float or None
        Their ranges with several seeds of place and route, of which the others are the medians.
    cost_differs, clock_differs : bool or None
        With several seeds: whether the cost per rate, and the clock, are apart from the reference's
        wherever in their ranges both are.
    proven : int
        Vectors that went through the simulated gates without a difference; 0: not simulated.
    sqnr : dict
        Distribution -> signal-to-quantisation-noise ratio in dB.
    energy_per_mac, energy_unit : float and str, or None
        With glitches; the rest of it is in ``result``.
    clock, reached : str and bool, or None
        The clock that was asked for, and whether it is reached; if not, the row is the fastest
        pipeline that was found.
    implementation : dict
        Options of the gates besides ``stages``, as ``macaw synth`` takes them: with ``retime`` the
        ``budgets`` too, where others than the delay model's are faster.
    breakdown : dict
        The JSON form of a :class:`~macaw.synth.breakdown.Breakdown`; empty unless asked for.
    error : str or None
        Why there are no figures.
    """

    format: str
    target: str
    bits: float
    unit: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    implementation: dict[str, str] = field(default_factory=dict)
    stages: int = 0
    latency: int = 0
    macs: int = 1
    cost: float = 0.0
    cost_unit: str = ""
    fmax_mhz: float | None = None
    period_fo4: float | None = None
    clock: str | None = None
    reached: bool | None = None
    rate: float = 0.0
    rate_least: float | None = None
    rate_most: float | None = None
    cost_per_mac: float | None = None
    cost_per_rate: float | None = None
    cost_per_rate_least: float | None = None
    cost_per_rate_most: float | None = None
    cost_differs: bool | None = None
    clock_differs: bool | None = None
    energy_per_mac: float | None = None
    energy_unit: str | None = None
    proven: int = 0
    sqnr: dict[str, float] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    breakdown: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


def measure(fmt: Pair, place: Target, how: Settings, progress: Notify | None = None) -> Row:
    """What :func:`price` gives, or a row with the reason why it does not."""
    try:
        return price(fmt, place, how, progress)
    except MacawError as error:  # the other formats are worth having all the same
        reason = " ".join(str(error).split())
        return Row(format=fmt.name, target=place.name, bits=fmt.bits, error=reason)


def price(fmt: Pair, place: Target, how: Settings, progress: Notify | None = None) -> Row:
    """The format's unit on a target, proven and priced, with the pipeline that ``how`` asks for.

    Raises :class:`SpecError` where no such unit can be built, :class:`ToolError` where a tool fails
    or the gates differ from the golden model.
    """
    spec = how.settle(fmt)
    place = place.sized() if how.retime and place.liberty else place
    implementation: dict[str, Any] = {"multiplier": how.multiplier} if place.nextpnr else {}
    if how.optimise != "balanced":
        implementation["optimise"] = how.optimise
    if place.liberty and len(work.multipliers(spec, place)) > 1:
        figures = {"cache": how.cache, "timeout": how.timeout, "optimise": how.optimise}
        implementation["multiplier"] = work.price(spec, place, **figures)[1]
    pipelines = Pipelines(
        spec,
        place,
        {
            "cache": how.cache,
            "seed": how.seed,
            **({"seeds": how.seeds} if place.nextpnr else {}),
            "timeout": how.timeout,
            "multiplier": how.multiplier,
        },
        implementation,
        progress,
        how.retime,
    )
    start = 2 if isinstance(work.accumulator(fmt), Fixed) else 8 if place.nextpnr else 4
    asked, reached = how.asked, None
    if how.stages is not None:
        stages, result = how.stages, pipelines.built(how.stages)
    elif asked is None:
        stages, result = pipelines.best(lambda r: (r.rate or 0.0) / max(r.cost, 1.0), start)
    else:
        stages, result, reached = pipelines.reaching(asked, start)
    if result.budgets:
        implementation["budgets"] = ",".join(f"{each:g}" for each in result.budgets)
    proven = 0
    if how.proof:
        if progress is not None:
            progress(f"proving {spec.name}, {stages} stages, with {how.vectors:,} vectors")
        proof = source.prove(
            spec,
            vectors=how.vectors,
            seed=how.seed,
            cache=how.cache,
            stages=stages,
            target=place.model,
            **implementation,
        )
        proven = proof["vectors"]
    if how.energy and place.liberty:
        result = run(
            spec,
            place,
            cache=how.cache,
            timeout=how.timeout,
            energy=True,
            operands=how.operands,
            progress=progress,
            stages=stages,
            **implementation,
        )
    parts: dict[str, Any] = {}
    if how.breakdown:
        if progress is not None:
            progress(f"mapping the parts of {spec.name} one by one")
        parts = breakdown(
            spec,
            place,
            cache=how.cache,
            seed=how.seed,
            timeout=how.timeout,
            stages=stages,
            **implementation,
        ).to_json()
    row = Row(
        format=fmt.name,
        target=place.name,
        bits=fmt.bits,
        unit=spec.name,
        parameters={"kind": spec.kind, **spec.parameters},
        implementation=implementation,
        stages=stages,
        latency=result.latency,
        macs=spec.macs,
        cost=result.cost,
        cost_unit=place.units,
        fmax_mhz=result.fmax_mhz,
        period_fo4=result.delay_fo4,
        rate=_rate(spec, result, asked),
        energy_per_mac=result.energy_per_operation and result.energy_per_operation / spec.macs,
        energy_unit=result.energy_unit,
        proven=proven,
        result=result.to_json(),
        breakdown=parts,
    )
    if asked is not None:
        row = replace(row, clock=how.clock, reached=reached)
    if result.fmax_mhz_by_seed:
        ends = result.fmax_mhz_least, result.fmax_mhz_most
        least, most = (_rate(spec, replace(result, fmax_mhz=end), asked) for end in ends)
        row = replace(row, rate_least=least, rate_most=most)
    return row


def _rate(spec: Unit, result: Result, asked: Clock | None) -> float:
    """Multiply-accumulates in a unit of time; at the clock that was asked for, if it is reached."""
    rate = spec.macs * (result.rate or 0.0)
    return rate if asked is None else rate / max(asked.speed(result), 1.0)
