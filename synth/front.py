# SPDX-License-Identifier: BSD-2-Clause
"""Assignments of formats as a picture: what they cost against what they lose."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources

import jinja2

from .chooser import LOSS, Assignment, Chooser

_WIDTH, _HEIGHT = 560, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 46, 54
_DECADES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A point of a plot; ``best`` ones lie on the front, others are named."""

    x: float
    y: float
    title: str
    best: bool = True
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plot:
    """One plot: x from 0 on, y logarithmic if it says so; ``steps`` joins the front's points."""

    head: str
    marks: tuple[Mark, ...]
    x_title: str
    y_title: str
    logarithmic: bool = True
    steps: bool = True


def plot(chooser: Chooser, front: Sequence[Assignment], cost: str, head: str) -> Plot:
    """The front, and the assignments that give every layer the same format, in ``LOSS``."""
    largest = chooser.largest(cost) or 1.0
    marks = [_mark(each, cost, largest, True, "") for each in front]
    marks += [_mark(each, cost, largest, False, name) for name, each in uniform(chooser).items()]
    return Plot(
        head=head,
        marks=tuple(marks),
        x_title=f"{cost}, % of the dearest assignment",
        y_title=f"{LOSS}, sum over the layers",
    )


def uniform(chooser: Chooser) -> dict[str, Assignment]:
    """Assignments of one format to all layers, by format, where every layer may have it."""
    shared = [
        fmt
        for fmt in next(iter(chooser.layers.values()))
        if all(fmt in formats for formats in chooser.layers.values())
    ]
    return {fmt: chooser.assignment(dict.fromkeys(chooser.layers, fmt)) for fmt in shared}


def _mark(found: Assignment, cost: str, largest: float, best: bool, name: str) -> Mark:
    share = 100 * found.totals[cost] / largest
    formats = ", ".join(f"{layer} {fmt}" for layer, fmt in found.formats.items())
    title = f"{formats}: {cost} {share:.1f} %, {LOSS} {found.totals[LOSS]:.3g}"
    return Mark(x=share, y=found.totals[LOSS], title=title, best=best, name=name)


def picture(plots: Iterable[Plot]) -> str:
    """SVG of plots side by side."""
    template = resources.files("macaw.synth") / "front.svg.j2"
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        panels=[_panel(each) for each in plots],
        width=_WIDTH,
        height=_HEIGHT,
        left=_LEFT,
        right=_RIGHT,
        top=_TOP,
        bottom=_BOTTOM,
    )


def _panel(plot: Plot) -> dict[str, object]:
    right = max((mark.x for mark in plot.marks), default=1.0) * 1.05 or 1.0
    values = [mark.y for mark in plot.marks if mark.y > 0 or not plot.logarithmic]
    if plot.logarithmic:
        high = math.ceil(math.log10(max(values, default=1.0)) + 0.05)
        low = max(math.floor(math.log10(min(values, default=0.1))), high - _DECADES)
        low = min(low, high - 1)
        ticks = [(float(power), f"1e{power}") for power in range(low, high + 1)]
    else:
        step = _step(max(values, default=1.0) - min(values, default=0.0))
        low = math.floor(min(values, default=0.0) / step)
        high = math.ceil(max(values, default=1.0) / step + 0.05)
        ticks = [(float(n), f"{n * step:g}") for n in range(low, high + 1)]
        low, high = float(low), float(high)
        values = [step]

    def x_of(value: float) -> float:
        return round(_LEFT + value / right * (_WIDTH - _LEFT - _RIGHT), 1)

    def y_of(level: float) -> float:
        share = (max(level, low) - low) / (high - low)
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)

    def level(value: float) -> float:
        if not plot.logarithmic:
            return value / values[0]
        return math.log10(value) if value > 0 else float(low)

    points = [
        {
            "x": x_of(mark.x),
            "y": y_of(level(mark.y)),
            "title": mark.title,
            "best": mark.best,
        }
        for mark in plot.marks
    ]
    names = [(x_of(mark.x), y_of(level(mark.y)), mark.name) for mark in plot.marks if mark.name]
    line = sorted((x_of(mark.x), y_of(level(mark.y))) for mark in plot.marks if mark.best)
    path = f"M{line[0][0]} {line[0][1]}" if plot.steps and line else ""
    for x, y in line[1:] if path else []:
        path += f"H{x}V{y}"
    x_step = _step(right)
    return {
        "head": plot.head,
        "points": points,
        "path": path,
        "names": _names(names, [(point["x"], point["y"]) for point in points]),
        "x_ticks": [(x_of(n * x_step), f"{n * x_step:g}") for n in range(int(right / x_step) + 1)],
        "y_ticks": [(y_of(value), label) for value, label in ticks],
        "x_title": plot.x_title,
        "y_title": plot.y_title,
    }


def _names(
    named: list[tuple[float, float, str]], points: list[tuple[float, float]]
) -> list[tuple[float, float, str, str]]:
    """Where each name goes: beside its point, so that it covers no other name, and no point."""
    placed = [(x - 4, y - 4, x + 4, y + 4) for x, y in points]
    found = []
    for x, y, name in named:
        wide = 7.2 * len(name)
        for side, shift in (
            (s, dy) for dy in (-6, 16, 5, -20, 30, -34, 44) for s in ("start", "end")
        ):
            left = x + 9 if side == "start" else x - 9 - wide
            box = (left, y + shift - 11, left + wide, y + shift + 3)
            inside = left > _LEFT and box[2] < _WIDTH - _RIGHT
            inside = inside and box[1] > _TOP and box[3] < _HEIGHT - _BOTTOM
            clear = all(
                box[0] > other[2] or other[0] > box[2] or box[1] > other[3] or other[1] > box[3]
                for other in placed
            )
            if inside and clear:
                break
        else:
            side, shift, box = "start", -6, (x + 9, y - 17, x + 9 + wide, y - 3)
        placed.append(box)
        found.append(
            (round(x + (9 if side == "start" else -9), 1), round(y + shift, 1), side, name)
        )
    return found


def _step(span: float) -> float:
    """A round distance of ticks: five to ten of them."""
    rough = span / 5 if span > 0 else 1.0
    decade = 10.0 ** math.floor(math.log10(rough))
    return next(m * decade for m in (5, 2, 1) if m * decade <= rough * 1.0001)
