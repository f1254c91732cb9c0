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
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from macaw.golden.errors import SpecError
from macaw.golden.formats.block import AnyFormat
from macaw.tools import files
from macaw.tools.yosys import Notify

from . import accuracy, jobs, report, work
from .clock import Clock, units_of
from .jobs import Job
from .mapping import targets
from .mapping.targets import Target
from .page import page
from .page.sheet import Sheet
from .row import Row as Row
from .row import Settings as Settings
from .row import measure
from .work import Pair

DEFAULT_FORMATS = ("fp32", "bf16", "fp16", "e4m3", "e5m2", "e2m1", "int8", "int4")
DEFAULT_TARGETS = ("ecp5", "asic")

_TABLE, _PAGE = "compare.json", "compare.html"
SPREAD = ("rate_least", "rate_most", "cost_per_rate_least", "cost_per_rate_most", "cost_differs",
          "clock_differs")  # fmt: skip
"""Fields of rows with several seeds."""


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

        ``clock`` and ``reached`` are there only where a clock was asked for, ``stages`` and
        ``retime`` of the settings only where they were, and what is told of several ``seeds`` only
        with these.
        """
        kept = asdict(self.settings), [asdict(row) for row in self.rows]
        if self.settings.stages is None:
            kept[0].pop("stages")
        if not self.settings.retime:
            kept[0].pop("retime")
        if self.settings.seeds == 1:
            kept[0].pop("seeds")
            for each in kept[1]:
                for name in SPREAD:
                    each.pop(name)
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

    def sheet(self) -> Sheet:
        """What a page and plots of it show."""
        return report.sheet(self)

    def html(self) -> str:
        """A page that one works with, in one file: plots, the table, and how they were made."""
        return page.html(self.sheet())

    def svg(self) -> str:
        """The plot, cost against accuracy, as a picture of its own."""
        return page.svg(self.sheet())

    @staticmethod
    def check(folder: str | Path, *, breakdown: bool = False) -> None:
        """Make the folder before there is a comparison; ToolError where it could not be written."""
        files.check(Path(folder) / _TABLE)
        page.check(Path(folder) / _PAGE, breakdown=breakdown)

    def write(self, folder: str | Path) -> list[Path]:
        """Write ``compare.json`` and the page with its plots; ToolError if that cannot be."""
        path = Path(folder) / _TABLE
        files.write(path, json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n")
        return [path, *page.write(self.sheet(), Path(folder) / _PAGE)]


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
    places = [place_of(t) for t in targets] + ([place_of("asic", liberty)] if liberty else [])
    places = _in_unit(
        places or [place_of(name) for name in DEFAULT_TARGETS], how.asked, bool(places)
    )
    check_routed(how.seeds, places)
    for fmt in wanted:
        alone = settled(fmt, wanted, how)
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


def place_of(name: str | Target, liberty: str | Path | None = None) -> Target:
    """The target that ``name`` means; SpecError for one that has no clock."""
    place = targets.target(name, liberty)
    if not place.nextpnr and not place.liberty:
        raise SpecError(f"target {place.name} gives area only, no clock")
    return place


def _in_unit(places: list[Target], asked: Clock | None, named: bool) -> list[Target]:
    """``places`` that have the unit of the clock; SpecError for one without it that was named."""
    if asked is None:
        return places
    if named:
        for place in places:
            asked.check(place)
    return [place for place in places if asked.unit in units_of(place)]


def check_routed(seeds: int, places: Iterable[Target]) -> None:
    """SpecError for several seeds where none of ``places`` has place and route."""
    if seeds > 1 and not any(place.nextpnr for place in places):
        raise SpecError(f"seeds={seeds}: no target among these has place and route")


def settled(fmt: Pair, wanted: Sequence[Pair], how: Settings) -> Settings:
    """``how`` with the kind of unit and the lanes of one format in a comparison of several."""
    lanes = work.lanes_of(fmt, wanted, how.unit) if how.lanes is None else how.lanes
    return replace(how, unit=work.kind_of(wanted, how.unit), lanes=lanes)


def _schedule(wanted: Sequence[Pair], places: Sequence[Target], how: Settings) -> list[Job]:
    """All jobs, the longest first, so that the last to finish is a short one."""
    wide = sorted(wanted, key=lambda fmt: -fmt.bits)
    settings = {fmt: settled(fmt, wanted, how) for fmt in wanted}
    listed = [
        Job(
            name=f"{fmt.name} on {place.name}",
            function=measure,
            arguments={"fmt": fmt, "place": place, "how": settings[fmt]},
        )
        for place in sorted(places, key=lambda place: bool(place.liberty))
        for fmt in wide
    ]
    return listed + [
        Job(
            name=f"accuracy of {fmt.name}, {distribution}",
            function=keeps,
            arguments={"fmt": fmt, "distribution": distribution, "how": settings[fmt]},
        )
        for fmt in wide
        for distribution in accuracy.DISTRIBUTIONS
    ]


def keeps(
    fmt: Pair, distribution: str, how: Settings, progress: Notify | None = None
) -> tuple[str, str, float]:
    """Accuracy of the format's unit: format, distribution, dB (NaN when there is no unit)."""
    try:
        value = how.keeps(fmt, distribution)
    except SpecError:
        value = float("nan")
    return fmt.name, distribution, value


def _spread(row: Row, against: Row) -> dict[str, Any]:
    """The range of the relative cost per rate, whether 1 is outside of it, and of the clock."""
    ends = row.rate_least, row.rate_most, against.rate_least, against.rate_most
    if row.format == against.format or not all(ends):
        return {}
    slow, fast, other_slow, other_fast = map(float, filter(None, ends))
    least = row.cost / fast / (against.cost / other_slow)
    most = row.cost / slow / (against.cost / other_fast)
    mine, other = (
        [float(each.result[f"fmax_mhz_{end}"]) for end in ("least", "most")]
        for each in (row, against)
    )
    return {
        "cost_per_rate_least": least,
        "cost_per_rate_most": most,
        "cost_differs": not least <= 1 <= most,
        "clock_differs": mine[1] < other[0] or other[1] < mine[0],
    }


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
                kept = replace(kept, cost_per_rate=ratio, **_spread(row, against))
        yield kept
