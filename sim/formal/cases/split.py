# SPDX-License-Identifier: BSD-2-Clause
"""What a question is that is asked in cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from .graph import Circuit, Graph
from .numbers import Case, Operands


class Split(Protocol):
    """How a miter without what was taken out of both sides is asked about, case by case."""

    def cases(self) -> Sequence[Case]:
        """The cases, in their order."""
        ...

    def uncovered(self, cases: Sequence[Case]) -> Iterator[tuple[Graph, int]]:
        """What must never be if they are all operands, as literals of graphs."""
        ...

    def part(self, circuit: Circuit, case: Case) -> tuple[Graph, int, Operands]:
        """The literal that must be false in a case, and its operands."""
        ...
