# SPDX-License-Identifier: BSD-2-Clause
"""Bins of stimulus, and how often each was hit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True, kw_only=True, slots=True)
class Bin:
    """Vectors that have something in common.

    Attributes
    ----------
    name : str
        ``group/which``.
    meaning : str
    hits : function
        Of a family's facts about vectors: an array of bool, of each operation.
    reason : str
        Why the unit's specification has no such vector; empty if it has, or nobody knows.
    beats : int
        Of one sequence that hits it; runs of less than four times as many need not have it.
    """

    name: str
    meaning: str
    hits: Callable[[Any], np.ndarray]
    reason: str = ""
    beats: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Count:
    """A bin, and how many operations hit it."""

    name: str
    meaning: str
    hits: int
    reason: str = ""

    @property
    def group(self) -> str:
        """What stands before the stroke."""
        return self.name.partition("/")[0]

    @property
    def never(self) -> bool:
        """Whether it was not hit, and nothing says that it cannot be."""
        return not self.hits and not self.reason

    def to_json(self) -> dict[str, Any]:
        """The fields as a dictionary that :mod:`json` can write."""
        found = {"name": self.name, "meaning": self.meaning, "hits": self.hits}
        return found | ({"unreachable": self.reason} if self.reason else {})


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """The bins of a unit after some operations.

    Attributes
    ----------
    unit : str
        The unit's name.
    operations : int
        Results that were looked at.
    counts : tuple of Count
    """

    unit: str
    operations: int
    counts: tuple[Count, ...]

    def beside(self, counts: Iterable[Count]) -> Coverage:
        """This with other bins behind its own."""
        return replace(self, counts=(*self.counts, *counts))

    @property
    def never(self) -> tuple[Count, ...]:
        """The bins that were never hit, though nothing says that they cannot be."""
        return tuple(count for count in self.counts if count.never)

    @property
    def hit(self) -> int:
        """How many bins were hit."""
        return sum(count.hits > 0 for count in self.counts)

    @property
    def unreachable(self) -> int:
        """How many bins the unit does not have."""
        return sum(not count.hits and bool(count.reason) for count in self.counts)

    def to_json(self) -> dict[str, Any]:
        """The fields as a dictionary that :mod:`json` can write."""
        return {
            "operations": self.operations,
            "hit": self.hit,
            "unreachable": self.unreachable,
            "never": [count.name for count in self.never],
            "bins": [count.to_json() for count in self.counts],
        }

    def __str__(self) -> str:
        if not self.counts:
            return f"coverage: no bins are stated for {self.unit}"
        width = max(len(count.name) for count in self.counts)
        lines = [f"coverage of {self.operations} operations"]
        for count in self.counts:
            hits = "never" if count.never else "-" if not count.hits else str(count.hits)
            why = f"  [{count.reason}]" if count.reason else ""
            lines.append(f"  {count.name:{width}} {hits:>9}  {count.meaning}{why}")
        names = "; ".join(count.name for count in self.never)
        lines.append(
            f"{len(self.counts)} bins: {self.hit} hit, {self.unreachable} unreachable, "
            f"{len(self.never)} never hit{': ' if names else ''}{names}"
        )
        return "\n".join(lines)
