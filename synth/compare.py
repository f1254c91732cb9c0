# SPDX-License-Identifier: BSD-2-Clause
"""What number formats cost and keep, at equal work.

Equal work means: one multiply-accumulate per clock and lane, with operands in the format and the
sum in the accumulator that belongs to it, in the unit that :mod:`macaw.synth.work` says; every unit
with the pipeline that serves it best on the target; proven against its golden model before it is
priced. Where one of the formats has blocks, all are compared as dot products of about 32 lanes.
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from macaw.golden.errors import MacawError, SpecError
from macaw.golden.formats import Fixed
from macaw.golden.formats.block import AnyFormat
from macaw.golden.units import Unit
from macaw.tools import files
from macaw.tools.yosys import Notify

from . import accuracy, jobs, report, source, work
from .breakdown import breakdown
from .clock import Clock, clock, units_of
from .energy.operands import kind_of
from .flow import TIMEOUT, Result, run
from .jobs import Job
from .mapping import targets
from .mapping.targets import OPTIMISE, Target
from .search import Pipelines
from .work import Pair

DEFAULT_FORMATS = ("fp32", "bf16", "fp16", "e4m3", "e5m2", "e2m1", "int8", "int4")
DEFAULT_TARGETS = ("ecp5", "asic")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How a comparison is made; part of its JSON.

    ``multiplier="lut"`` by default: hard multipliers have no price in logic cells, and a
    comparison needs one. ``lanes=None``: :func:`macaw.synth.work.lanes_of`. With ``breakdown``
    each unit's area and slowest path are told by its parts, too; with ``energy``, on libraries,
    what a multiply-accumulate costs on a stream of ``operands``, by simulation of the netlist.
    ``optimise`` is what all units are mapped for: ``balanced``, ``area`` or ``delay``. With
    ``clock`` (:func:`macaw.synth.clock.clock`) each unit has the fewest stages that reach it, in
    place of the pipeline that serves it best.
    """

    unit: str = "auto"
    lanes: int | None = None
    reference: str = ""
    multiplier: str = "lut"
    vectors: int = 1_000_000
    proof: bool = True
    trial: accuracy.Trial = field(default_factory=accuracy.Trial)
    seed: int = 1
    timeout: float = TIMEOUT
    cache: bool = True
    breakdown: bool = False
    energy: bool = False
    operands: str = "gaussian"
    optimise: str = "balanced"
    clock: str | None = None

    def __post_init__(self) -> None:
        kind_of(self.operands)
        if self.clock is not None:
            object.__setattr__(self, "clock", str(clock(self.clock)))
        if self.optimise not in OPTIMISE:
            raise SpecError(f"optimise={self.optimise}: must be one of {', '.join(OPTIMISE)}")
        if self.unit not in work.KINDS:
            raise SpecError(f"unit: {self.unit!r} is none of {', '.join(work.KINDS)}")
        if self.lanes is not None and self.lanes < 1:
            raise SpecError(f"lanes: {self.lanes} is less than 1")
        if self.vectors < 1:
            raise SpecError(f"vectors: {self.vectors} is less than 1")

    @property
    def asked(self) -> Clock | None:
        """The clock that is to be reached."""
        return None if self.clock is None else clock(self.clock)


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
    proven : int
        Vectors that went through the simulated gates without a difference; 0: not simulated.
    sqnr : dict
        Distribution -> signal-to-quantisation-noise ratio in dB.
    energy_per_mac, energy_unit : float and str, or None
        With glitches; the rest of it is in ``result``.
    clock, reached : str and bool, or None
        The clock that was asked for, and whether it is reached; if not, the row is the fastest
        pipeline that was found.
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
    cost_per_mac: float | None = None
    cost_per_rate: float | None = None
    energy_per_mac: float | None = None
    energy_unit: str | None = None
    proven: int = 0
    sqnr: dict[str, float] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    breakdown: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Rows by target and format, relative to the reference format."""

    rows: tuple[Row, ...]
    settings: Settings
    command: str = ""

    @property
    def passed(self) -> bool:
        """Whether each unit was built, priced and, unless told not to, proven."""
        return all(row.error is None for row in self.rows)

    @property
    def targets(self) -> tuple[str, ...]:
        """Target names, in order."""
        return tuple(dict.fromkeys(row.target for row in self.rows))

    def on(self, target: str) -> tuple[Row, ...]:
        """Rows of one target."""
        return tuple(row for row in self.rows if row.target == target)

    def to_json(self) -> dict[str, Any]:
        """All figures as what ``json.dumps`` takes; infinite and missing ratios are None.

        ``clock`` and ``reached`` are there only where a clock was asked for.
        """
        kept = asdict(self.settings), [asdict(row) for row in self.rows]
        if self.settings.clock is None:
            for each in (kept[0], *kept[1]):
                for name in ("clock", "reached"):
                    each.pop(name, None)
        return _finite(
            {
                "macaw": importlib.metadata.version("macaw"),
                "command": self.command,
                "settings": kept[0],
                "rows": kept[1],
            }
        )

    def table(self) -> str:
        """The table as plain text."""
        return report.table(self)

    def html(self) -> str:
        """A self-contained page: tables, plots, and how they were made."""
        return report.html(self)

    def svg(self) -> str:
        """The plot, cost against accuracy, as a picture of its own."""
        return report.svg(self)

    def write(self, folder: str | Path) -> list[Path]:
        """Write ``compare.json``, ``compare.html`` and ``compare.svg``; ToolError if it cannot."""
        texts = {
            "compare.json": json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n",
            "compare.html": self.html(),
            "compare.svg": self.svg(),
        }
        paths = [Path(folder) / name for name in texts]
        for path, text in zip(paths, texts.values()):
            files.write(path, text)
        return paths


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value


def compare(
    formats: Iterable[str | AnyFormat | Pair] = (),
    targets: Iterable[str | Target] = (),
    *,
    liberty: str | Path | None = None,
    reference: str | None = None,
    workers: int | None = None,
    executor: str = "local",
    scheduler: str | None = None,
    progress: Notify | None = None,
    command: str = "",
    **settings: Any,
) -> Comparison:
    """Price ``formats`` at equal work on ``targets``, with what accuracy they keep.

    Parameters
    ----------
    formats, targets : iterables
        Empty: :data:`DEFAULT_FORMATS`, :data:`DEFAULT_TARGETS`, of these the targets that have the
        unit of ``clock`` if one is asked for. A format may be a pair,
        ``weight:activation``; alone it is both, and :func:`macaw.synth.work.pair` says when not.
        Of one that is written ``weight*activation`` and that no unit takes, the row says why.
    liberty : path, optional
        A Liberty file as one more target.
    reference : str, optional
        Format that others are relative to; it is added if missing. Default: fp32 if it is among
        ``formats``, otherwise the first.
    workers, executor, scheduler
        Parallel jobs (default: one per core), ``local`` or ``dask``, and Dask's address.
    progress : callable, optional
        Gets lines of text.
    **settings
        Fields of :class:`Settings`: ``unit``, ``lanes``, ``multiplier``, ``vectors``, ``proof`` …

    Raises
    ------
    MacawError
        Unknown name or setting. What goes wrong with one format on one target, a difference from
        the golden model above all, is in that row's ``error``; ``passed`` is False then.
    """
    unknown = set(settings) - {f.name for f in fields(Settings)}
    if unknown:
        raise SpecError(f"compare has no setting {sorted(unknown)[0]!r}")
    formats = list(formats)
    asked = {work.pair(f) for f in formats if isinstance(f, str) and "*" in f}
    wanted = list(dict.fromkeys(work.pair(f) for f in formats)) or [
        work.pair(name) for name in DEFAULT_FORMATS
    ]
    known = [fmt.name for fmt in wanted]
    chosen = work.pair(reference).name if reference else "fp32" if "fp32" in known else known[0]
    if chosen not in known:
        wanted.insert(0, work.pair(chosen))
    how = Settings(reference=chosen, **settings)
    places = [_target(t) for t in targets] + ([_target("asic", liberty)] if liberty else [])
    places = _in_unit(
        places or [_target(name) for name in DEFAULT_TARGETS], how.asked, bool(places)
    )
    for fmt in wanted:
        alone = _settled(fmt, wanted, how)
        if fmt not in asked:  # whether a product can be built at all may be the question
            work.candidates(fmt, alone.unit, alone.lanes or 1)

    listed = _schedule(wanted, places, how)
    # On a cluster the jobs are pickled, and cannot call back.
    if executor == "local" and progress is not None:
        for job in listed:
            job.arguments["progress"] = progress
    found = jobs.run(listed, kind=executor, workers=workers, scheduler=scheduler, progress=progress)
    keep: dict[str, dict[str, float]] = {}
    rows: dict[tuple[str, str], Row] = {}
    for item in found:
        if isinstance(item, Row):
            rows[item.target, item.format] = item
        else:
            keep.setdefault(item[0], {})[item[1]] = item[2]
    ordered = [rows[place.name, fmt.name] for place in places for fmt in wanted]
    return Comparison(rows=tuple(_relative(ordered, keep, chosen)), settings=how, command=command)


def _target(name: str | Target, liberty: str | Path | None = None) -> Target:
    place = targets.target(name, liberty)
    if not place.nextpnr and not place.liberty:
        raise SpecError(f"compare: target {place.name} gives area only, no clock")
    return place


def _in_unit(places: list[Target], asked: Clock | None, named: bool) -> list[Target]:
    """``places`` that have the unit of the clock; SpecError for one without it that was named."""
    if asked is None:
        return places
    if named:
        for place in places:
            asked.check(place)
    return [place for place in places if asked.unit in units_of(place)]


def _settled(fmt: Pair, wanted: Sequence[Pair], how: Settings) -> Settings:
    """``how`` with the kind of unit and the lanes of one format in a comparison of several."""
    lanes = work.lanes_of(fmt, wanted, how.unit) if how.lanes is None else how.lanes
    return replace(how, unit=work.kind_of(wanted, how.unit), lanes=lanes)


def _schedule(wanted: Sequence[Pair], places: Sequence[Target], how: Settings) -> list[Job]:
    """All jobs, the longest first, so that the last to finish is a short one."""
    wide = sorted(wanted, key=lambda fmt: -fmt.bits)
    settled = {fmt: _settled(fmt, wanted, how) for fmt in wanted}
    listed = [
        Job(
            name=f"{fmt.name} on {place.name}",
            function=measure,
            arguments={"fmt": fmt, "place": place, "how": settled[fmt]},
        )
        for place in sorted(places, key=lambda place: bool(place.liberty))
        for fmt in wide
    ]
    return listed + [
        Job(
            name=f"accuracy of {fmt.name}, {distribution}",
            function=keeps,
            arguments={"fmt": fmt, "distribution": distribution, "how": settled[fmt]},
        )
        for fmt in wide
        for distribution in accuracy.DISTRIBUTIONS
    ]


def _unit(fmt: Pair, how: Settings) -> Unit:
    return work.settle(fmt, how.unit, how.lanes or 1, cache=how.cache, timeout=how.timeout)


def measure(fmt: Pair, place: Target, how: Settings, progress: Notify | None = None) -> Row:
    """Best pipeline of the format's unit on a target, proven and priced."""
    base = {"format": fmt.name, "target": place.name, "bits": fmt.bits}
    try:
        spec = _unit(fmt, how)
        implementation = {"multiplier": how.multiplier} if place.nextpnr else {}
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
                "timeout": how.timeout,
                "multiplier": how.multiplier,
            },
            implementation,
            progress,
        )
        start = 2 if isinstance(work.accumulator(fmt), Fixed) else 8 if place.nextpnr else 4
        asked, reached = how.asked, None
        if asked is None:
            stages, result = pipelines.best(lambda r: (r.rate or 0.0) / max(r.cost, 1.0), start)
        else:
            stages, result, reached = pipelines.reaching(asked, start)
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
                **pipelines.implementation,
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
                **pipelines.implementation,
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
                **pipelines.implementation,
            ).to_json()
    except MacawError as error:  # the other formats are worth having all the same
        return Row(**base, error=" ".join(str(error).split()))
    row = _row(base, spec, place, stages, result, proven)
    if asked is not None:
        slower = max(asked.speed(result), 1.0)
        row = replace(row, clock=how.clock, reached=reached, rate=row.rate / slower)
    return replace(row, breakdown=parts)


def _row(
    base: dict[str, Any], spec: Unit, place: Target, stages: int, result: Result, proven: int
) -> Row:
    return Row(
        **base,
        unit=spec.name,
        parameters={"kind": spec.kind, **spec.parameters},
        stages=stages,
        latency=result.latency,
        macs=spec.macs,
        cost=result.cost,
        cost_unit=place.units,
        fmax_mhz=result.fmax_mhz,
        period_fo4=result.delay_fo4,
        rate=spec.macs * (result.rate or 0.0),
        energy_per_mac=result.energy_per_operation and result.energy_per_operation / spec.macs,
        energy_unit=result.energy_unit,
        proven=proven,
        result=result.to_json(),
    )


def keeps(
    fmt: Pair, distribution: str, how: Settings, progress: Notify | None = None
) -> tuple[str, str, float]:
    """Accuracy of the format's unit: format, distribution, dB (NaN when there is no unit)."""
    try:
        value = accuracy.sqnr(_unit(fmt, how), distribution, how.trial, cache=how.cache)
    except SpecError:
        value = float("nan")
    return fmt.name, distribution, value


def _relative(
    rows: Sequence[Row], keep: dict[str, dict[str, float]], reference: str
) -> Iterable[Row]:
    base = {row.target: row for row in rows if row.format == reference and row.error is None}
    for row in rows:
        kept = replace(row, sqnr=keep.get(row.format, {}))
        against = base.get(row.target)
        if against is not None and row.error is None:
            interval = row.result.get("initiation_interval", 1) / row.macs
            other = against.result.get("initiation_interval", 1) / against.macs
            kept = replace(kept, cost_per_mac=row.cost * interval / (against.cost * other))
            if row.rate and against.rate:
                ratio = row.cost / row.rate / (against.cost / against.rate)
                kept = replace(kept, cost_per_rate=ratio)
        yield kept
