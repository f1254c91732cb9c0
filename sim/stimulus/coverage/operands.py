# SPDX-License-Identifier: BSD-2-Clause
"""Bins of operands: their classes, crossed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from macaw.golden.units import Operand

from ...bench.interface import Codes
from .bins import Bin
from .values import CLASSES, classes, lacks


def classed(numbers: Mapping[str, Operand], codes: Codes) -> dict[str, np.ndarray]:
    """The classes of operands, each of shape (n, lanes)."""
    return {
        name: classes(codes[name], o.format).reshape(len(codes[name]), -1)
        for name, o in numbers.items()
    }


def crosses(
    numbers: Mapping[str, Operand],
    lanes: int,
    lacking: Callable[[str, str], str] | None = None,
) -> Iterator[Bin]:
    """Each class of each operand with each of the others', two at a time.

    Hits are asked of what has ``classes``, by operand of shape (n, lanes). ``lacking`` says why an
    operand is not of a class; by default its format does.
    """
    lacking = lacking or (lambda name, wanted: lacks(numbers[name].format, wanted))
    names = list(numbers)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]] or [(names[0],) * 2]
    for a, b in pairs:
        for first in CLASSES:
            for second in CLASSES if a != b else (first,):
                found = (lacking(a, first), lacking(b, second))
                what = f"{a} {first}, {b} {second}" if a != b else f"{a} {first}"
                yield Bin(
                    name=f"operands/{what}",
                    meaning="in one of the lanes" if lanes > 1 else "at once",
                    hits=_crossing(a, b, CLASSES.index(first), CLASSES.index(second)),
                    reason=found[0] or found[1],
                )


def _crossing(a: str, b: str, first: int, second: int) -> Callable[[Any], np.ndarray]:
    def hits(facts: Any) -> np.ndarray:
        x, y = facts.classes[a] == first, facts.classes[b] == second
        if x.shape[1] != y.shape[1] and min(x.shape[1], y.shape[1]) > 1:
            # a scale, and the elements of its block
            few, many = sorted((x, y), key=lambda each: each.shape[1])
            times = many.shape[1] // few.shape[1]
            return (np.repeat(few, times, axis=1) & many).any(1)
        return (x & y).any(1)

    return hits
