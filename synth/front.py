# SPDX-License-Identifier: BSD-2-Clause
"""Assignments of formats as a plot: what they cost against what they lose."""

from __future__ import annotations

from collections.abc import Sequence

from .chooser import LOSS, Assignment, Chooser
from .page.charts import Plot, Point


def plot(chooser: Chooser, front: Sequence[Assignment], cost: str, head: str) -> Plot:
    """The front, and the assignments that give every layer the same format, in ``LOSS``."""
    largest = chooser.largest(cost) or 1.0
    points = [_point(each, cost, largest, True, "") for each in front]
    points += [_point(each, cost, largest, False, name) for name, each in uniform(chooser).items()]
    return Plot(
        head=head,
        points=points,
        x_title=f"{cost}, % of the dearest assignment",
        y_title=f"{LOSS}, sum over the layers",
        x_zero=True,
        y_log=any(point.y > 0 for point in points),
        steps="step-after",
    )


def uniform(chooser: Chooser) -> dict[str, Assignment]:
    """Assignments of one format to all layers, by format, where every layer may have it."""
    shared = [
        fmt
        for fmt in next(iter(chooser.layers.values()))
        if all(fmt in formats for formats in chooser.layers.values())
    ]
    return {fmt: chooser.assignment(dict.fromkeys(chooser.layers, fmt)) for fmt in shared}


def _point(found: Assignment, cost: str, largest: float, best: bool, name: str) -> Point:
    share = 100 * found.totals[cost] / largest
    formats = ", ".join(f"{layer} {fmt}" for layer, fmt in found.formats.items())
    text = f"{formats}: {cost} {share:.1f} %, {LOSS} {found.totals[LOSS]:.3g}"
    return Point(x=share, y=found.totals[LOSS], text=text, best=best, name=name)
