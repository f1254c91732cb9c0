# SPDX-License-Identifier: BSD-2-Clause
"""Plots of two figures, and bars of parts, as Vega-Lite describes them; as SVG and PNG.

Altair and vl-convert, which draw them, are imported when something is drawn.
"""

from __future__ import annotations

import base64
import importlib.metadata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from macaw.tools import store

from .axes import Axis, labels

WIDTH, HEIGHT, BAR = 470, 310, 26
FIRST, FAINT, SECOND, SPAN, NAME = "#1667b7", "#8fb4da", "#c4521b", "#aab4be", "#12202e"

NAMED = 40
"""So many points have all their names beside them; of more, those on the front only."""

KINDS = ("y", "second")
"""Of marks, where there is no legend."""

GROUND: dict[str, Any] = {
    "font": "Liberation Sans, Arial, Helvetica, sans-serif",
    "background": "white",
    "axis": {
        "labelColor": "#3c4650", "titleColor": "#3c4650", "titleFontWeight": "normal",
        "labelFontSize": 12, "titleFontSize": 12, "titlePadding": 8, "labelOverlap": "greedy",
        "gridColor": "#e3e7eb", "domainColor": "#aab4be", "tickColor": "#aab4be",
    },
    "legend": {
        "labelColor": "#3c4650", "titleColor": "#3c4650", "labelFontSize": 12, "labelLimit": 260,
        "orient": "top", "title": None, "columns": 4,
    },
    "title": {"color": "#3c4650", "fontSize": 15, "anchor": "start", "offset": 6},
    "view": {"stroke": "#d5d9de"},
}  # fmt: skip
"""Colours and sizes on paper."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A point of a plot, with what stands beside it and what is said of it.

    ``second`` is another value on the upright axis. ``best`` ones are on the front.
    """

    x: float
    y: float
    second: float | None = None
    name: str = ""
    text: str = ""
    best: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Plot:
    """One plot.

    ``steps`` joins the points of the front: ``step-after`` each the line goes on to the next one's
    x, ``step-before`` it goes up or down first; empty: no line. ``legend`` names ``y`` and
    ``second``, where there are both.
    """

    head: str
    points: Sequence[Point]
    x_title: str
    y_title: str
    x_log: bool = False
    y_log: bool = False
    x_zero: bool = False
    steps: Literal["", "step-after", "step-before"] = ""
    legend: tuple[str, str] | None = None


def logarithmic(values: Iterable[float]) -> bool:
    """Whether an axis is better so: all values above zero, the largest ten times the least."""
    values = list(values)
    return bool(values) and min(values) > 0 and max(values) >= 10 * min(values)


def chart(plot: Plot) -> Any:
    """The plot as Altair has it: its front, spans, second marks, points, and names as layers.

    Fields of its data: ``x``, ``y``, ``second``, ``best``, ``faint``, ``text``, and ``kind`` and
    ``other``, what the legend calls both marks.
    """
    import altair as alt

    levels = [p.y for p in plot.points] + [p.second for p in plot.points if p.second is not None]
    across = Axis.of([p.x for p in plot.points], WIDTH, log=plot.x_log, zero=plot.x_zero)
    up = Axis.of(levels, HEIGHT, log=plot.y_log)
    x = alt.X("x:Q", title=plot.x_title, scale=_scale(across), axis=_ticks(plot.x_log))
    y, above = (
        alt.Y(f"{field}:Q", title=plot.y_title, scale=_scale(up), axis=_ticks(plot.y_log))
        for field in ("y", "second")
    )
    colours = alt.Scale(domain=list(plot.legend or KINDS), range=[FIRST, SECOND])
    first, second = (
        alt.Color(f"{field}:N", scale=colours, legend=alt.Legend() if plot.legend else None)
        for field in ("kind", "other")
    )
    base = alt.Chart(alt.InlineData(values=_values(plot, up)))
    both = base.transform_filter("isValid(datum.second)")
    layers = [
        both.mark_rule(color=SPAN, aria=False)
        .encode(x=x, y=y, y2="second:Q")
        .properties(name="spans"),
        both.mark_point(size=60, strokeWidth=2, opacity=1, aria=False)
        .encode(x=x, y=above, color=second)
        .properties(name="seconds"),
        base.mark_circle(size=80, opacity=1)
        .encode(
            x=x,
            y=y,
            color=alt.condition("datum.faint", alt.value(FAINT), first),
            description="text:N",
        )
        .properties(name="points"),
    ]
    if plot.steps:
        line = base.transform_filter("datum.best").mark_line(
            opacity=0.45, aria=False, interpolate=plot.steps, color=FIRST
        )
        layers.insert(0, line.encode(x=x, y=y, order="x:Q").properties(name="front"))
    made = alt.layer(*layers, *_names(plot, across, up))
    return made.properties(width=WIDTH, height=HEIGHT, title=plot.head)


def _scale(axis: Axis) -> Any:
    import altair as alt

    shown: dict[str, Any] = {"type": "log"} if axis.log else {"type": "linear", "zero": False}
    return alt.Scale(domain=[axis.low, axis.high], nice=False, **shown)


def _ticks(log: bool) -> Any:
    """Of a logarithmic axis with many decades only these have one."""
    import altair as alt

    return alt.Axis(tickCount=6) if log else alt.Axis()


def _values(plot: Plot, up: Axis) -> list[dict[str, Any]]:
    """The points as fields."""
    front = any(point.best for point in plot.points)
    kind, other = plot.legend or KINDS
    return [
        {
            "x": point.x,
            "y": up.drawn(point.y),
            "second": None if point.second is None else up.drawn(point.second),
            "best": point.best,
            "faint": front and not point.best,
            "text": point.text,
            "kind": kind,
            "other": other,
        }
        for point in plot.points
    ]


def _names(plot: Plot, across: Axis, up: Axis) -> list[Any]:
    """Layers with the names of points: those right of them, and those left."""
    import altair as alt

    crowded = len(plot.points) > NAMED
    names = [point.name if point.best or not crowded else "" for point in plot.points]
    seen = [(across.at(p.x), up.at(p.second)) for p in plot.points if p.second is not None]
    points = [(across.at(p.x), up.at(p.y)) for p in plot.points] + seen
    placed = labels(points, [*names, *("" for _ in seen)], WIDTH, HEIGHT)
    layers = []
    sides: dict[str, Literal["left", "right"]] = {"right": "left", "left": "right"}
    for side, align in sides.items():
        values = [
            {"x": across.value(label.x), "y": up.value(label.y), "name": label.name}
            for label in placed
            if label.side == side
        ]
        if values:
            text = alt.Chart(alt.InlineData(values=values)).mark_text(
                align=align, baseline="middle", color=NAME, fontSize=12, fontWeight="bold"
            )
            layers.append(text.encode(x="x:Q", y="y:Q", text="name:N"))
    return layers


@dataclass(frozen=True, kw_only=True, slots=True)
class Bars:
    """Wholes by their parts, one bar each: by its name the shares of its parts, in their order."""

    head: str
    wholes: Mapping[str, Mapping[str, float]]
    x_title: str


def merged(listed: Iterable[Iterable[str]]) -> list[str]:
    """All names once, what is new to a list behind what stands before it there."""
    order: list[str] = []
    for names in listed:
        at = 0
        for name in names:
            if name not in order:
                order.insert(at, name)
            at = order.index(name) + 1
    return order


def bars(made: Bars) -> Any:
    """The bars as Altair has them; fields of the data: ``bar``, ``part``, ``value``, ``order``."""
    import altair as alt

    order = merged(made.wholes.values())
    values = [
        {"bar": bar, "part": part, "value": value, "order": order.index(part)}
        for bar, shares in made.wholes.items()
        for part, value in shares.items()
    ]
    return (
        alt.Chart(alt.InlineData(values=values))
        .mark_bar()
        .encode(
            x=alt.X("value:Q", title=made.x_title, stack="zero", axis=alt.Axis(tickCount=5)),
            y=alt.Y("bar:N", title=None, sort=list(made.wholes)),
            color=alt.Color("part:N", sort=order, scale=alt.Scale(scheme="tableau20")),
            order="order:Q",
        )
        .properties(width=WIDTH, height=BAR * max(len(made.wholes), 1), title=made.head)
    )


def _beside(charts: Sequence[Any], columns: int) -> dict[str, Any]:
    import altair as alt

    made = alt.concat(*charts, columns=columns).resolve_scale(color="independent")
    return {**made.to_dict(), "config": GROUND}


def picture(charts: Sequence[Any], columns: int = 2) -> str:
    """SVG of charts side by side, ``columns`` in a row."""
    drawn = _beside(charts, columns)

    def draw() -> str:
        import vl_convert

        return vl_convert.vegalite_to_svg(drawn) + "\n"

    return stored(draw, what="picture", of=drawn)


def stored(make: Callable[[], str], **parts: Any) -> str:
    """What vl-convert makes, from the store where it is there: it takes seconds to start.

    ``parts`` are what it is made of, besides vl-convert itself.
    """
    name = store.key(tools=[importlib.metadata.version("vl-convert-python")], **parts)
    text = store.get(name, _text)
    if text is None:
        text = make()
        store.put(name, {"text": text})
    return text


def _text(kept: dict[str, Any]) -> str:
    if not isinstance(kept["text"], str):
        raise TypeError("not a text")
    return kept["text"]


def pixels(charts: Sequence[Any], columns: int = 2) -> bytes:
    """The same as PNG, twice the size."""
    drawn = _beside(charts, columns)

    def draw() -> str:
        import vl_convert

        return base64.b64encode(vl_convert.vegalite_to_png(drawn, scale=2)).decode()

    return base64.b64decode(stored(draw, what="pixels", of=drawn))
