# SPDX-License-Identifier: BSD-2-Clause
"""Bins of a floating-point unit: those of each operation, and that there is each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from macaw.golden.units import Fpu, Unit

from ...bench.interface import Codes
from .bins import Bin
from .floats import Floats, ToFixed

Facts = dict[str, Any]
"""By operation: where it is, and what its bins ask of it."""


NONE = np.zeros(0, bool)


class Operations:
    """Bins of ``fpu``: an operation that is a unit of its own has the bins of that unit."""

    def __init__(self, unit: Unit) -> None:
        assert isinstance(unit, Fpu)
        self.unit = unit
        self.parts = {word: (unit.operation(word), unit.code(word)) for word in unit.listed}
        self.inner = {
            word: family(part.unit)
            for word, (part, _) in self.parts.items()
            for family in (Floats, ToFixed)
            if family.take(part.unit)
        }
        self.bins = tuple(self._bins())

    @staticmethod
    def take(unit: Unit) -> bool:
        """Whether the unit is one of these."""
        return isinstance(unit, Fpu)

    def facts(self, codes: Codes, results: Codes) -> Facts:
        """What the bins are asked about."""
        found: Facts = {}
        known = np.zeros(len(codes["op"]), bool)
        top = 1 << (self.unit.a.width - 1)
        for word, (part, code) in self.parts.items():
            here = codes["op"] == code
            known |= here
            found[f"is {word}"] = here
            if word not in self.inner or not here.any():
                continue
            given = {}
            for name, port in part.operands.items():
                column = codes[port][here]
                given[name] = column ^ column.dtype.type(top) if port in part.negated else column
            found[word] = self.inner[word].facts(given, part.unit.evaluate(**given))
        return found | {"none": ~known}

    def units(self) -> Iterator[tuple[str, Unit]]:
        """What stands before names of bins, and the unit whose bins they are."""
        for word in self.inner:
            yield f"{word} ", self.parts[word][0].unit

    def _bins(self) -> Iterator[Bin]:
        for word in self.parts:
            yield Bin(
                name=f"operation/{word}",
                meaning=f"code {self.unit.code(word)}",
                hits=lambda facts, word=word: facts[f"is {word}"],
            )
        full = len(self.parts) == 1 << self.unit.ports.inputs["op"].width
        yield Bin(
            name="operation/none",
            meaning="a code that is none",
            hits=lambda facts: facts["none"],
            reason="all codes are operations" if full else "",
        )
        for word, inner in self.inner.items():
            for each in inner.bins:
                yield Bin(
                    name=f"{word} {each.name}",
                    meaning=each.meaning,
                    hits=lambda facts, word=word, hits=each.hits: (
                        hits(facts[word]) if word in facts else NONE
                    ),
                    reason=each.reason,
                )
