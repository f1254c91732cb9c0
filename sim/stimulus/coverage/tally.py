# SPDX-License-Identifier: BSD-2-Clause
"""Counting hits: :func:`coverage`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from macaw.golden.errors import SpecError
from macaw.golden.formats.choices import Rounding
from macaw.golden.units import Unit

from ...bench.interface import Codes
from ..exhaustive import exhaustive, exhaustive_bits
from .bins import Bin, Count, Coverage
from .floats import Floats, ToFixed
from .integers import FlexMacs, Requantizations
from .operations import Operations
from .streams import Streams

SEARCHED = 20
"""Bits of operands of which every vector is tried before a bin is said to be never hit."""
ROWS = 1 << 14


class Family(Protocol):
    """What a file of bins has for a unit."""

    bins: tuple[Bin, ...]

    def facts(self, codes: Codes, results: Codes) -> Any:
        """What the bins are asked about, for vectors and golden's results of them."""
        ...


FAMILIES = (Floats, ToFixed, Requantizations, FlexMacs, Streams, Operations)


class Tally:
    """Hits of the bins of a unit, counted as vectors pass by."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit
        self.family: Family | None = next((f(unit) for f in FAMILIES if f.take(unit)), None)
        self.bins = self.family.bins if self.family else ()
        self.hits = [0] * len(self.bins)
        self.operations = 0
        self.vectors = 0

    def add(self, codes: Codes) -> None:
        """Count the operations of some vectors."""
        if self.family is None:
            return
        results = self.unit.evaluate(**codes)
        count = len(next(iter(codes.values())))
        step = count if self.unit.stateful else ROWS
        for start in range(0, count, step):
            piece = slice(start, start + step)
            whole = self.unit.stateful
            given = codes if whole else {n: column[piece] for n, column in codes.items()}
            made = results if whole else {n: column[piece] for n, column in results.items()}
            facts = self.family.facts(given, made)
            for number, each in enumerate(self.bins):
                self.hits[number] += int(np.count_nonzero(each.hits(facts)))
        self.vectors += count
        self.operations += len(next(iter(results.values())))

    def watch(self, chunks: Iterable[Codes]) -> Iterator[Codes]:
        """The same chunks, counted."""
        for codes in chunks:
            self.add(codes)
            yield codes

    def _why(self, each: Bin, hits: int) -> str:
        """Why the unit, or so short a run, has none of a bin's vectors."""
        if hits or each.reason:
            return "" if hits else each.reason
        if self.vectors >= 4 * each.beats:
            return ""
        return f"one takes {each.beats} beats, and the run has {self.vectors}"

    def coverage(self, *, search: bool = True) -> Coverage:
        """The bins and their hits.

        With ``search``, of a unit whose vectors are few all are tried for what was never hit.
        """
        counts = [
            Count(name=b.name, meaning=b.meaning, hits=n, reason=self._why(b, n))
            for b, n in zip(self.bins, self.hits, strict=True)
        ]
        if search and any(count.never for count in counts):
            units = (
                self.family.units() if isinstance(self.family, Operations) else [("", self.unit)]
            )
            for prefix, unit in units:
                counts = _searched(counts, prefix, unit)
        return Coverage(unit=self.unit.name, operations=self.operations, counts=tuple(counts))


OF_ROUNDING = ("carry", "to normal")
"""Bins that ask where a result is rounded to; but for those of results, others do not."""


def _plain(unit: Unit) -> Unit:
    """A unit of as few operands as may be that has the same exact values."""
    stochastic = getattr(getattr(unit, "rounding", None), "stochastic", False)
    if not stochastic or exhaustive_bits(unit) <= SEARCHED:
        return unit
    try:
        return replace(unit, rounding=Rounding.RNE)  # type: ignore[call-arg]
    except SpecError:
        return unit


def _searched(counts: list[Count], prefix: str, unit: Unit) -> list[Count]:
    """The counts, with a reason for bins of a unit of few vectors that none of these hits."""
    searched = _plain(unit)
    bits = exhaustive_bits(searched)
    never = any(count.never and count.name.startswith(prefix) for count in counts)
    if unit.stateful or bits > SEARCHED or not never:
        return counts
    every = Tally(searched)
    for codes in exhaustive(searched):
        every.add(codes)
    none = {
        f"{prefix}{b.name}"
        for b, n in zip(every.bins, every.hits, strict=True)
        if not n and (searched is unit or not b.name.startswith("result/"))
    }
    if searched is not unit:
        none = {name for name in none if name.rpartition("/")[2] not in OF_ROUNDING}
    why = f"none of all 2^{bits} vectors"
    return [replace(c, reason=why) if c.never and c.name in none else c for c in counts]


def coverage(unit: Unit, chunks: Iterable[Codes], *, search: bool = True) -> Coverage:
    """Return how often the vectors of ``chunks`` hit each bin of a unit.

    Parameters
    ----------
    unit : Unit
    chunks : iterable of dict of name to codes
        As :func:`macaw.sim.stimulus.stimulus` draws them.
    search : bool
        Of a unit of at most 20 bits of operands, try all vectors before a bin counts as never
        hit.

    Raises
    ------
    CodeError for codes that the unit does not take.
    """
    tally = Tally(unit)
    for codes in chunks:
        tally.add(codes)
    return tally.coverage(search=search)
