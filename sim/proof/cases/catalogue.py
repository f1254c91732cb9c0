# SPDX-License-Identifier: BSD-2-Clause
"""Everything that is proven of the gates: all families' cases, and units drawn at random."""

from __future__ import annotations

from collections.abc import Iterator

from macaw.golden.units import Unit

from .case import ORDER, RANDOM, Case, RandomCase
from .families import families


def cases(*, sample: bool = False) -> list[Case | RandomCase]:
    """All checks of the RTL, or a sample of them that takes minutes."""
    found: list[Case | RandomCase] = []
    for family in families().values():
        found += getattr(family, "sample", tuple)() if sample else family.cases()
    if sample:
        return [*found, *(RandomCase(number=n, vectors=4_000) for n in range(len(ORDER)))]
    return [*found, *(RandomCase(number=n) for n in range(RANDOM)), *_lint(found)]


def _lint(found: list[Case | RandomCase]) -> Iterator[Case]:
    """Each listed unit once, in all implementations in which it is simulated."""
    simulated: dict[Unit, list[Case]] = {}
    for case in found:
        if isinstance(case, Case):
            simulated.setdefault(case.unit, []).append(case)
    for spec, of_unit in simulated.items():
        choices = [options for case in of_unit for options in case.implementations]
        yield Case(
            name=of_unit[0].name.replace("rtl/", "lint/", 1),
            unit=spec,
            implementations=tuple(c for i, c in enumerate(choices) if c not in choices[:i]),
            vectors=None,
            simulator="lint",
        )
