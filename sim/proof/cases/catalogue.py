# SPDX-License-Identifier: BSD-2-Clause
"""Everything that is proven of the gates: all families' cases, and units drawn at random.

The families are the modules here that have a family's name. Such a module has ``cases()``, all that
is proven of the family's kinds, and may have ``sample()``, a part of it that takes minutes;
without, a sample has those that are drawn at random. Where parameters need rules of their own to be
drawn there are ``RULES``; where parameters one by one make no unit there is
``draw(rng, widest, draw_unit)``.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from macaw.golden.units import UNITS, Unit

from .case import ORDER, RANDOM, Case, RandomCase

_PACKAGE = __name__.rpartition(".")[0]


def family_of(kind: str) -> str:
    """The name of a kind's family: of the module that specifies it."""
    return UNITS[kind].__module__.rpartition(".")[2]


@functools.cache
def families() -> dict[str, ModuleType]:
    """The modules of families by name, in the order in which the registry has their kinds."""
    package = importlib.import_module(_PACKAGE)
    here = {module.name for module in pkgutil.iter_modules(package.__path__)}
    names = dict.fromkeys(map(family_of, UNITS))
    return {name: importlib.import_module(f"{_PACKAGE}.{name}") for name in names if name in here}


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
