# SPDX-License-Identifier: BSD-2-Clause
"""Axes of a plot on paper, and where the names of its points go."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

DECADES = 8
"""That a logarithmic axis spans at most: values further down are drawn at its end."""

WIDE, HIGH, APART = 7.2, 12.0, 8.0
"""Of a letter, of a line, and from a point to its name; in pixels."""


@dataclass(frozen=True, slots=True)
class Axis:
    """From ``low`` to ``high`` on ``length`` pixels, from left to right or from below to above."""

    low: float
    high: float
    length: float
    log: bool = False

    @classmethod
    def of(
        cls,
        values: Sequence[float],
        length: float,
        *,
        log: bool = False,
        zero: bool = False,
        room: float = 20.0,
    ) -> Axis:
        """An axis of these values with ``room`` at its ends; from 0 on if it says so."""
        values = [value for value in values if value > 0 or not log] or [1.0]
        most = max(values)
        if log:
            least = max(min(values), most / 10.0**DECADES)
            factor = (most / least) ** (room / (length - 2 * room)) if most > least else 2.0
            return cls(least / factor, most * factor, length, log)
        least = min([0.0, *values]) if zero else min(values)
        more = (most - least) * room / (length - 2 * room) or abs(most) or 1.0
        return cls(least if zero else least - more, most + more, length)

    def drawn(self, value: float) -> float:
        """The value, or the least that is on a logarithmic axis."""
        return max(value, self.low) if self.log else value

    def at(self, value: float) -> float:
        """Where a value is, in pixels."""
        if self.log:
            return self.length * math.log(self.drawn(value) / self.low, self.high / self.low)
        return self.length * (value - self.low) / (self.high - self.low)

    def value(self, at: float) -> float:
        """What is there: the inverse."""
        share = at / self.length
        if self.log:
            return self.low * (self.high / self.low) ** share
        return self.low + share * (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Label:
    """A name, beside its point ``left`` or ``right``, and where it begins or ends, in pixels."""

    name: str
    side: str
    x: float
    y: float


def labels(
    points: Sequence[tuple[float, float]], names: Sequence[str], width: float, height: float
) -> list[Label]:
    """Where each name goes, in pixels from the lower left corner: it covers no name, no point.

    Empty names go nowhere. One for which there is no such place is right of its point.
    """
    taken = [(x - 5, y - 5, x + 5, y + 5) for x, y in points]
    found = []
    for (x, y), name in sorted(zip(points, names), key=lambda each: (-each[0][1], each[0][0])):
        if not name:
            continue
        wide = WIDE * len(name)
        for shift in (9, 0, -9, 16, -16, 24, -24, 34, -34):
            for side in ("right", "left"):
                start = x + APART if side == "right" else x - APART - wide
                box = (start, y + shift - HIGH / 2, start + wide, y + shift + HIGH / 2)
                inside = box[0] > 0 and box[2] < width and box[1] > 0 and box[3] < height
                if inside and not any(_overlap(box, other) for other in taken):
                    break
            else:
                continue
            break
        else:
            side, shift, box = "right", 0, (x, y, x, y)
        taken.append(box)
        found.append(Label(name, side, x + (APART if side == "right" else -APART), y + shift))
    return found


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
