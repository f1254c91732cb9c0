# SPDX-License-Identifier: BSD-2-Clause
"""What a page shows: rows of figures, and what their columns mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LESS, MORE = "less", "more"

HEADS = {
    "fmax_mhz": "clock",
    "fmax_mhz_least": "least clock",
    "fmax_mhz_most": "most clock",
    "cost_per_rate_least": "least relative area per MAC/s",
    "cost_per_rate_most": "most relative area per MAC/s",
    "cost_differs": "is a difference",
    "clock_differs": "clock is a difference",
    "period_fo4": "period",
    "delay_ps": "period",
    "proven": "proven by",
    "ffs": "flip-flops",
    "luts": "LUTs",
    "lut_equivalents": "LUT equivalents",
    "dsps": "DSPs",
    "macs": "MACs",
    "area_per_mac": "area per MAC",
    "area_per_rate": "area per rate",
    "area_um2": "area",
    "cost_per_mac": "relative area per MAC",
    "cost_per_rate": "relative area per MAC/s",
    "energy_per_mac": "energy per MAC",
    "sqnr_gaussian": "SQNR, normal data",
    "sqnr_heavy_tailed": "SQNR, heavy tails",
}
"""What columns are called on a page, where that is not their name."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, type, meaning and unit, and whether ``less`` or ``more`` is better.

    The unit may name other columns of the row, ``cost_unit/rate_unit``, which have it.
    """

    name: str
    kind: type
    meaning: str
    unit: str = ""
    better: str = ""

    @property
    def head(self) -> str:
        """What the column is called on a page."""
        return HEADS.get(self.name, self.name.replace("_", " "))

    def unit_in(self, row: Mapping[str, Any]) -> str:
        """The unit of this column's value in a row."""
        unit = "/".join(str(row.get(part) or part) for part in self.unit.split("/"))
        return unit.replace("/1/", "·")

    def title(self, row: Mapping[str, Any]) -> str:
        """What an axis of a plot says."""
        unit = self.unit_in(row)
        return f"{self.head}, {unit}" if unit else self.head


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """Rows, and how a page shows them.

    Attributes
    ----------
    title, about : str
        Of the page, and what its rows are.
    columns : sequence of Column
        Those of the rows that may be seen.
    rows : sequence of dict
        Values by column. None is no figure. Each has a ``format`` and a ``target``: targets are
        plotted apart.
    shown : sequence of str
        Columns that are seen at first; the others are hidden.
    axes : tuple of str
        Figures that the plots show at first, the first one across.
    beside : str or None
        A second figure on the upright axis, joined to the first.
    labels : dict
        What points are called where it is not their format, by index of the row.
    breakdowns : dict
        JSON form of a :class:`~macaw.synth.breakdown.Breakdown` by index of its row.
    method : sequence of str
        How it was measured, a paragraph each.
    command : str
        What makes the page again.
    data : object
        All of it, as JSON.
    """

    title: str
    about: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    shown: Sequence[str]
    axes: tuple[str, str]
    beside: str | None = None
    reference: str = ""
    labels: Mapping[int, str] = field(default_factory=dict)
    breakdowns: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    method: Sequence[str] = ()
    command: str = ""
    data: Any = None

    @property
    def figures(self) -> list[Column]:
        """Columns of numbers of which there is at least one."""
        return [
            column
            for column in self.columns
            if column.kind in (int, float)
            and any(row[column.name] is not None for row in self.rows)
        ]

    @property
    def targets(self) -> list[str]:
        """In the order of the rows."""
        return list(dict.fromkeys(row["target"] for row in self.rows))

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)
