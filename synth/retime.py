# SPDX-License-Identifier: BSD-2-Clause
"""Registers moved by what is measured: what the delay model misjudged, the slowest stage tells."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .result import Result

TRIES = 8
"""Pipelines that are measured after the first, at most."""
LESS, LEAST = 0.98, 0.4
"""What the slowest stage is left of its time, at once and at last."""

Budgets = tuple[float, ...]


def balanced(
    stages: int,
    design: Callable[[Budgets], Any],
    measure: Callable[[Any], Result],
    better: Callable[[Result], float],
    enough: float | None = None,
) -> Result:
    """Give the slowest stage less and less time, and return the best of what is measured.

    Parameters
    ----------
    stages : int
        Register stages.
    design : callable
        From what each stage has of the clock's period to a design.
    measure : callable
        From a design to its result, which tells its ``slowest_stage``.
    better : callable
        From a result to what is to be largest.
    enough : float, optional
        Of ``better``: nothing more is tried.
    """
    budgets = [1.0] * (stages + 1)
    known: set[str] = set()
    best: Result | None = None
    for _ in range(TRIES + 1):
        made = design(tuple(budgets))
        result = measure(made)
        known.add(gates(made))
        if best is None or better(result) > better(best):
            best = result
        slowest = result.slowest_stage
        if slowest is None or slowest > stages or (enough is not None and better(best) >= enough):
            break
        # Less time than makes a difference to some register.
        while gates(made) in known and budgets[slowest] > LEAST:
            budgets[slowest] = round(budgets[slowest] * LESS, 4)
            made = design(tuple(budgets))
        if gates(made) in known:
            break
    assert best is not None
    return best


def gates(design: Any) -> str:
    """A design's Verilog without what it is called, and how it was made."""
    return re.sub(r"^//.*\n", "", design.verilog, flags=re.MULTILINE).replace(design.name, "")
