# SPDX-License-Identifier: BSD-2-Clause
"""Curves by the plotting library, on a logarithmic ordinate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from macaw.synth.page import charts


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """Points of a curve; ``steps``: constant between them; ``width`` in pixels."""

    x: Sequence[float]
    y: Sequence[float]
    colour: str
    name: str
    steps: bool = False
    width: float = 1.6


def panel(
    head: str,
    lines: Sequence[Line],
    y_title: str,
    ticks: Mapping[float, str],
    x_title: str = "step",
) -> Any:
    """A chart of curves, the last one on top; the ticks of the ordinate also bound it.

    The abscissa begins at zero.
    """
    import altair as alt

    right = max(max(line.x) for line in lines)
    labels = " : ".join(f"datum.value == {value!r} ? '{text}'" for value, text in ticks.items())
    x = alt.X("x:Q", title=x_title, scale=alt.Scale(domain=[0, right]), axis=alt.Axis(tickCount=6))
    y = alt.Y(
        "y:Q",
        title=y_title,
        scale=alt.Scale(type="log", domain=[min(ticks), max(ticks)], clamp=True),
        axis=alt.Axis(values=[*ticks], labelExpr=f"{labels} : ''"),
    )
    names = {line.name: line.colour for line in lines}
    colour = alt.Color(
        "name:N", scale=alt.Scale(domain=[*names], range=[*names.values()]), title=None
    )
    layers = [
        alt.Chart(
            alt.InlineData(
                values=[{"x": x, "y": y, "name": line.name} for x, y in zip(line.x, line.y)]
            )
        )
        .mark_line(strokeWidth=line.width, interpolate="step-after" if line.steps else "linear")
        .encode(x=x, y=y, color=colour)
        for line in lines
    ]
    return alt.layer(*layers).properties(width=charts.WIDTH, height=charts.HEIGHT, title=head)
