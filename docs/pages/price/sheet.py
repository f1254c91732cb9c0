# SPDX-License-Identifier: BSD-2-Clause
"""What pages of comparisons share: rows by format, ratios, and a plot a target."""

from collections.abc import Callable, Sequence
from typing import Any

from macaw.synth.page import charts

Row = dict[str, Any]
PLACES = {"asic": "`asic`", "process": "IHP 130 nm", "ecp5": "`ecp5`", "gowin": "`gowin`"}
"""Targets as pages name them."""


def rows(made: dict[str, Any], target: str) -> dict[str, Row]:
    """The rows of a target that have figures, by format."""
    found = made.get(target, {}).get("rows", [])
    return {row["format"]: row for row in found if "error" not in row}


def refused(made: dict[str, Any]) -> str:
    """What could not be built and why, as a list; empty where all could."""
    found = {
        row["format"]: row["error"]
        for target in made.values()
        for row in target["rows"]
        if "error" in row
    }
    return "\n".join(f"- `{name}`: {why}" for name, why in found.items())


def area(row: Row) -> float:
    """Of a multiply-accumulate a clock, in the target's unit."""
    return row["cost"] / row["macs"]


def energy(row: Row) -> float:
    """Of a multiply-accumulate, glitches counted."""
    return row["energy_per_mac"]


def ratio(found: dict[str, Row], figure: Callable[[Row], float], one: str, other: str) -> float:
    """A figure of one format as a share of that of another."""
    return figure(found[one]) / figure(found[other])


def library(made: dict[str, Any]) -> str:
    """Name and digest of the process's library."""
    row = next(iter(rows(made, "process").values()))
    return f"`{row['library']}`, SHA-256 {row['library_digest'][:16]}…"


def front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Which points no other one beats: no more of the first, no less of the second figure."""
    return [not any(x <= a and y >= b and (x, y) != (a, b) for x, y in points) for a, b in points]


def plot(
    head: str, found: dict[str, Row], figure: Callable[[Row], float], unit: str, **how: Any
) -> charts.Plot:
    """Signal-to-noise over a figure: dB of normal data, and beside it of heavy-tailed."""
    best = front([(figure(row), row["sqnr"]["gaussian"]) for row in found.values()])
    points = [
        charts.Point(
            x=figure(row),
            y=row["sqnr"]["gaussian"],
            second=row["sqnr"]["heavy-tailed"],
            name=name,
            best=on,
        )
        for (name, row), on in zip(found.items(), best, strict=True)
    ]
    return charts.Plot(
        head=head,
        points=points,
        x_title=f"{unit} (left is less)",
        y_title="SQNR of a dot product, dB",
        x_log=True,
        legend=("normal data", "heavy-tailed (Student t, 3)"),
        **how,
    )


def drawing(made: dict[str, Any], targets: Sequence[str]) -> str:
    """Signal-to-noise over energy, a plot a target."""
    units = {"asic": "inv per multiply-accumulate", "process": "pJ per multiply-accumulate"}
    plots = [
        plot(PLACES[name].strip("`"), rows(made, name), energy, units[name]) for name in targets
    ]
    return charts.picture([charts.chart(each) for each in plots])
