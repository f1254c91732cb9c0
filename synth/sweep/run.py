# SPDX-License-Identifier: BSD-2-Clause
"""A design space, measured point by point: what is finished is kept, and never done again."""

from __future__ import annotations

import importlib.metadata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from macaw.golden.errors import ToolError
from macaw.golden.formats.block import AnyFormat
from macaw.tools import files

from .. import jobs
from ..columns import COLUMNS, DONE, FAILED, PARETO, REFUSED, figure
from ..jobs import Job
from ..mapping.targets import Target
from ..page import page, pareto
from ..page.sheet import LESS, MORE, Column, Sheet
from ..work import Pair
from . import table
from .points import MOST, Point, measure, plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """A row a point, each a dict by :data:`macaw.synth.columns.COLUMNS`; None is no figure.

    ``judged`` are the two figures whose Pareto front the column ``pareto`` marks, if any.
    """

    rows: tuple[dict[str, Any], ...]
    command: str = ""
    judged: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The table's columns."""
        return (*COLUMNS, PARETO) if self.judged else COLUMNS

    @property
    def passed(self) -> bool:
        """Whether no tool and no proof failed; a point that cannot be built is no failure."""
        return all(row["status"] != FAILED for row in self.rows)

    def count(self, status: str) -> int:
        """How many points are ``done``, ``refused`` or ``failed``."""
        return sum(row["status"] == status for row in self.rows)

    def pareto(self, first: str, second: str) -> Sweep:
        """The same with the front of two figures marked, on each target apart.

        On it is what no other point of the target beats: no worse in both figures and better in
        one. Points without one of them are not. SpecError for what is no figure.
        """
        judged = figure(first), figure(second)
        on = set()
        for target in {row["target"] for row in self.rows}:
            here = [index for index, row in enumerate(self.rows) if row["target"] == target]
            points = [_signed(self.rows[index], judged) for index in here]
            on |= {here[found] for found in pareto.front(points)}
        rows = ({**row, PARETO.name: index in on} for index, row in enumerate(self.rows))
        return replace(self, rows=tuple(rows), judged=(first, second))

    def front(self) -> list[dict[str, Any]]:
        """The rows that are marked, by target and then from the best of the first figure on."""
        judged = [figure(name) for name in self.judged]
        marked = [row for row in self.rows if row.get(PARETO.name)]
        return sorted(marked, key=lambda row: (row["target"], _signed(row, judged)))

    def to_json(self) -> dict[str, Any]:
        """All of it as what ``json.dumps`` takes."""
        return {
            "macaw": importlib.metadata.version("macaw"),
            "command": self.command,
            "columns": [{**asdict(c), "kind": c.kind.__name__} for c in self.columns],
            "pareto": list(self.judged),
            "points": {status: self.count(status) for status in (DONE, REFUSED, FAILED)},
            "rows": list(self.rows),
        }

    def sheet(self) -> Sheet:
        """What a page and plots of it show."""
        return sheet(self)

    def write(self, path: str | Path) -> Path:
        """Write the table, whole or not at all: ``.csv``, ``.parquet``, or a page, ``.html``.

        A page comes with its plots as :func:`macaw.synth.page.page.write` says. Raises
        :class:`SpecError` for another ending, :class:`ToolError` where it cannot be written.
        """
        path = table.check(path)
        if path.suffix == table.PAGE:
            page.write(self.sheet(), path)
        else:
            files.write(path, table.encoded(path, self.columns, self.rows))
        return path


SHOWN = (
    "format", "accumulator", "bits", "target", "optimise", "lanes", "clock", "reached", "unit",
    "stages", "cost", "fmax_mhz", "period_fo4", "rate", "area_per_mac", "area_per_rate",
    "energy_per_mac", "sqnr_gaussian", "proven", "status", "error", "pareto",
)  # fmt: skip
"""Columns that a page shows at first: those of them with something in them."""

AXES = ("area_per_rate", "sqnr_gaussian")
"""Figures that its plots show at first, unless a front is asked for."""


def sheet(made: Sweep) -> Sheet:
    """A sweep as a page shows it."""
    there = [c for c in made.columns if any(row[c.name] is not None for row in made.rows)]
    figures = {column.name for column in there if column.better}
    wanted = [name for name in (*made.judged, *AXES, *figures) if name in figures]
    first, second, *_ = (*dict.fromkeys(wanted), *AXES)
    found = [c for c in made.columns if c in there or c.name in (first, second)]
    names = {column.name for column in found}
    return Sheet(
        title="A design space",
        about=f"{len(made.rows):,} points: {counted(made.rows)}. Each is a unit of its own, with"
        " one format for weights and one for activations, on one target.",
        columns=found,
        rows=made.rows,
        shown=[name for name in SHOWN if name in names],
        axes=(first, second),
        command=made.command,
        data=made.to_json(),
    )


def _signed(row: dict[str, Any], judged: Sequence[Column]) -> tuple[Any, Any]:
    """Both figures, of which less is better."""
    signs = {LESS: 1, MORE: -1}
    first, second = (None if row[c.name] is None else signs[c.better] * row[c.name] for c in judged)
    return first, second


def sweep(
    formats: Iterable[str | AnyFormat | Pair],
    targets: Iterable[str | Target] = ("asic",),
    *,
    liberty: str | Path | None = None,
    accumulator: Any = None,
    accuracy: bool = True,
    most: int = MOST,
    workers: int | None = None,
    executor: str = "local",
    scheduler: str | None = None,
    progress: Callable[..., None] | None = None,
    command: str = "",
    **settings: Any,
) -> Sweep:
    """Measure every point of a design space.

    A point is what :func:`macaw.synth.compare` says of a format on a target with these settings.
    Each is kept at once, among macaw's results (``MACAW_CACHE``); the same call after an
    interruption measures what is left.

    Parameters
    ----------
    formats : iterable of str
        As ``compare`` takes them, with ranges: ``e<2-5>m<1-4>``, ``int<2-8>*int8``,
        ``e2m1-k<16,32>-<e8m0,ue4m3>``. A name in a range that is no format has a row that says so.
    targets, liberty
        As of ``compare``.
    accumulator : str or several, optional
        Of formats that name none: ``fp32,fp16``. Default: what belongs to the format.
    accuracy : bool
        Signal-to-noise ratios, too.
    most : int
        Points that a sweep may have.
    workers, executor, scheduler
        Processes here (default: one per core; 1: none but this one), or ``dask`` and its address.
        A script that calls this with several does so under ``if __name__ == "__main__":``, since
        the processes import it.
    progress : callable, optional
        Gets lines of text, and then numbers: of points that are done, and of all.
    **settings
        Fields of :class:`macaw.synth.Settings`. ``unit``, ``lanes``, ``stages``, ``clock`` and
        ``optimise`` may have several values: ``lanes="1-4,8"``, ``clock=["30FO4", "40FO4"]``.
        ``proof`` is False unless it is given.

    Raises
    ------
    MacawError
        Unknown names and settings, more than ``most`` points; a point that cannot be kept. What
        goes wrong with one point is in its row: ``refused``, ``failed``, and ``error``.
    """
    points = plan(
        formats, targets, liberty=liberty, accumulator=accumulator, accuracy=accuracy, most=most,
        **settings,
    )  # fmt: skip
    where = {"kind": executor, "workers": workers, "scheduler": scheduler}
    rows = measured(points, progress=progress, **where)
    return Sweep(rows=tuple(rows), command=command)


def measured(
    points: Sequence[Point], *, progress: Callable[..., None] | None = None, **where: Any
) -> list[dict[str, Any]]:
    """The rows of ``points``, in their order; ``where`` goes to :func:`macaw.synth.jobs.each`.

    ToolError when a finished one cannot be kept: those before it are.
    """
    jobs.check(**where)
    rows = [point.kept() if point.how.cache else None for point in points]
    left = [index for index, row in enumerate(rows) if row is None]
    done = len(points) - len(left)
    if progress is not None:
        kept = f", {done:,} of them kept from before" if done else ""
        progress(f"{len(points):,} point{'s' * (len(points) != 1)}{kept}")
    todo = [
        Job(
            name=f"{points[index].name} on {points[index].place.name}",
            function=measure,
            arguments={"point": points[index], "identity": points[index].identity},
        )
        for index in left
    ]
    try:
        for number, outcome in jobs.each(todo, **where):
            point = points[left[number]]
            row = outcome
            if isinstance(outcome, Exception):  # what killed its worker, again and again
                row = point.without(FAILED, outcome)
            if point.how.cache:
                point.keep(row)
            rows[left[number]] = row
            done += 1
            if progress is not None:
                progress(done, len(points))
    except ToolError as error:
        if not done or not points[0].how.cache:
            raise
        raise ToolError(
            f"{error}; {done:,} of {len(points):,} points are kept, and the same command goes on"
            " from there"
        ) from error
    return [row for row in rows if row is not None]


def counted(rows: Iterable[dict[str, Any]]) -> str:
    """How many points are done, refused, failed."""
    found = Counter(row["status"] for row in rows)
    return ", ".join(f"{found[status]:,} {status}" for status in (DONE, REFUSED, FAILED))
