# SPDX-License-Identifier: BSD-2-Clause
"""A sheet as one file of HTML that needs no network, and as the plots on it."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from macaw.tools import files

from . import charts, pareto
from .charts import Bars, Plot, Point
from .sheet import MORE, Column, Sheet

DARK: dict[str, Any] = {
    "axis": {
        "labelColor": "#a3afba", "titleColor": "#a3afba", "gridColor": "#2a333d",
        "domainColor": "#4c5964", "tickColor": "#4c5964",
    },
    "legend": {"labelColor": "#a3afba", "titleColor": "#a3afba"},
    "title": {"color": "#e4e9ee"},
    "view": {"stroke": "#2a333d"},
}  # fmt: skip
"""What is another colour on a dark ground."""


def html(sheet: Sheet) -> str:
    """The page: its data, its script and all that this needs are in it."""
    folder = resources.files("macaw.synth.page")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string((folder / "page.html.j2").read_text(encoding="utf-8"))
    return template.render(
        sheet=sheet,
        picture=charts.picture(plots(sheet)) if sheet.rows else "",
        style=(folder / "page.css").read_text(encoding="utf-8"),
        script=(folder / "page.js").read_text(encoding="utf-8"),
        library=_library() if sheet.rows else "",
        told=_embedded(_told(sheet)),
        data=_embedded(sheet.data),
    )


def svg(sheet: Sheet) -> str:
    """The plots of all targets side by side, as one picture."""
    return charts.picture(plots(sheet))


def png(sheet: Sheet) -> bytes:
    """The same picture in pixels."""
    return charts.pixels(plots(sheet))


def check(path: Path, *, breakdown: bool = False) -> None:
    """ToolError where the page, or a plot beside it, cannot be written; before it is made."""
    files.check(path)
    for stem in (path.stem, f"{path.stem}-parts") if breakdown else (path.stem,):
        for ending in (".svg", ".png"):
            files.check(path.with_name(stem + ending))


def write(sheet: Sheet, path: Path) -> list[Path]:
    """Write the page, and beside it each plot as SVG and PNG; ToolError where it cannot.

    ``compare.html`` comes with ``compare.svg`` and ``compare.png``, and with breakdowns with
    ``compare-parts.svg`` and ``compare-parts.png``.
    """
    made: dict[Path, str | bytes] = {path: html(sheet)}
    shown = {path.stem: plots(sheet), f"{path.stem}-parts": parts(sheet)}
    for stem, found in shown.items():
        if found:
            made[path.with_name(f"{stem}.svg")] = charts.picture(found)
            made[path.with_name(f"{stem}.png")] = charts.pixels(found)
    for each, content in made.items():
        files.write(each, content)
    return list(made)


def plots(sheet: Sheet) -> list[Any]:
    """The plot of each target, with the axes that the page shows at first."""
    return [charts.chart(_plot(sheet, target)) for target in sheet.targets]


def parts(sheet: Sheet) -> list[Any]:
    """Bars of area by parts, those of a target in a plot; none without breakdowns."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    units = {}
    for index, told in sheet.breakdowns.items():
        row = sheet.rows[index]
        shares = {share["part"]: share["cost"] for share in told["shares"] if share["cost"]}
        found.setdefault(row["target"], {})[sheet.labels.get(index, row["format"])] = shares
        units[row["target"]] = told["cost_unit"]
    return [
        charts.bars(Bars(head=f"{target}: area", wholes=wholes, x_title=f"area, {units[target]}"))
        for target, wholes in found.items()
    ]


def _plot(sheet: Sheet, target: str) -> Plot:
    x, y = (sheet.column(name) for name in sheet.axes)
    second = sheet.column(sheet.beside) if sheet.beside else None
    rows = {
        index: row
        for index, row in enumerate(sheet.rows)
        if row["target"] == target and None not in (row.get(x.name), row.get(y.name))
    }
    on = _front(rows, x, y)
    points = [
        Point(
            x=row[x.name],
            y=row[y.name],
            second=row.get(second.name) if second else None,
            name=sheet.labels.get(index, row["format"]),
            text=_sentence(row, *(column for column in (x, y, second) if column)),
            best=index in on,
        )
        for index, row in rows.items()
    ]
    first = next(iter(rows.values()), {})
    return Plot(
        head=target if points else f"{target}: nothing to show, no row has both figures",
        points=points,
        x_title=x.title(first),
        y_title=y.title(first) if second is None else _shared(y, second, first),
        x_log=x.unit != "dB" and charts.logarithmic(point.x for point in points),
        y_log=y.unit != "dB" and charts.logarithmic(point.y for point in points),
        steps="step-before" if x.better == MORE else "step-after",
        legend=(y.head, second.head) if second else None,
    )


def _front(rows: Mapping[int, Mapping[str, Any]], x: Column, y: Column) -> set[int]:
    """Which rows no other beats in two figures; none where one has no better."""
    if not x.better or not y.better:
        return set()
    signs = [-1 if column.better == MORE else 1 for column in (x, y)]
    points = [(signs[0] * row[x.name], signs[1] * row[y.name]) for row in rows.values()]
    indices = list(rows)
    return {indices[found] for found in pareto.front(points)}


def _shared(y: Column, second: Column, row: Mapping[str, Any]) -> str:
    """Title of an axis with two figures: what their names begin with, where it is the same."""
    heads = dict.fromkeys(column.head.split(", ")[0] for column in (y, second))
    unit = y.unit_in(row)
    return ", ".join(filter(None, ["; ".join(heads), unit]))


def _sentence(row: Mapping[str, Any], *columns: Column) -> str:
    figures = [
        f"{column.head} {row[column.name]:.4g} {column.unit_in(row)}".strip()
        for column in columns
        if row.get(column.name) is not None
    ]
    return f"{row['format']}: {'; '.join(figures)}"


def _told(sheet: Sheet) -> dict[str, Any]:
    """What the script is told."""
    empty = Plot(head="", points=(), x_title="", y_title="", steps="step-after")
    ground = {**charts.GROUND, "background": None, "font": "system-ui, sans-serif"}
    dark = ground | {key: {**ground[key], **more} for key, more in DARK.items()}
    return {
        "columns": [
            {
                "name": column.name,
                "head": column.head,
                "kind": column.kind.__name__,
                "meaning": column.meaning,
                "unit": column.unit,
                "better": column.better,
            }
            for column in sheet.columns
        ],
        "rows": [
            {column.name: row[column.name] for column in sheet.columns
             if row.get(column.name) is not None}
            for row in sheet.rows
        ],
        "shown": list(sheet.shown),
        "axes": list(sheet.axes),
        "beside": sheet.beside,
        "reference": sheet.reference,
        "labels": dict(sheet.labels),
        "breakdowns": dict(sheet.breakdowns),
        "plot": charts.chart(empty).to_dict(),
        "bars": charts.bars(Bars(head="", wholes={}, x_title="")).to_dict(),
        "width": charts.WIDTH,
        "bar": charts.BAR,
        "named": charts.NAMED,
        "ground": {
            "light": {"name": charts.NAME, "first": charts.FIRST, "faint": charts.FAINT,
                      "second": charts.SECOND, "config": ground},
            "dark": {"name": "#e4e9ee", "first": "#6fb1f0", "faint": "#41617f",
                     "second": "#f0935f", "config": dark},
        },
    }  # fmt: skip


def _embedded(data: Any) -> str:
    """JSON inside of a script element: nothing in it ends that; what is not finite is null."""
    text = json.dumps(_finite(data), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@functools.cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as a script; nothing in it ends the element it stands in."""
    script = "window.vegaEmbed = vegaEmbed;"

    def bundle() -> str:
        import vl_convert

        return vl_convert.javascript_bundle(script)

    return charts.stored(bundle, what="library", of=script).replace("</script", "<\\/script")
