# SPDX-License-Identifier: BSD-2-Clause
"""Curves by the plotting library: a colour a name, beside the points that they go through."""

from collections.abc import Mapping, Sequence
from typing import Any

from macaw.synth.page import charts


def lines(
    head: str,
    curves: Mapping[str, Sequence[tuple[float, float]]],
    x_title: str,
    y_title: str,
    *,
    log: bool = False,
) -> Any:
    """A chart of curves, each by the points (x, y) in order; ``log``: both axes logarithmic."""
    import altair as alt

    values = [{"name": name, "x": x, "y": y} for name, points in curves.items() for x, y in points]
    scale: dict[str, Any] = {"scale": alt.Scale(type="log", nice=False, padding=12)} if log else {}
    return (
        alt.Chart(alt.InlineData(values=values))
        .mark_line(point=True)
        .encode(
            x=alt.X("x:Q", title=x_title, axis=alt.Axis(tickCount=6), **scale),
            y=alt.Y("y:Q", title=y_title, axis=alt.Axis(tickCount=6), **scale),
            color=alt.Color(
                "name:N", sort=list(curves), scale=alt.Scale(scheme="tableau10"), title=None
            ),
        )
        .properties(width=charts.WIDTH, height=charts.HEIGHT, title=head)
    )
