# SPDX-License-Identifier: BSD-2-Clause
"""The families of units that are proven: the modules here that have a family's name.

Such a module has ``cases()``, all that is proven of the family's kinds, and may have ``sample()``,
a part of it that takes minutes; without, a sample has those that are drawn at random. Where
parameters need rules of their own to be drawn there are ``RULES``; where parameters one by one make
no unit there is ``draw(rng, widest, draw_unit)``.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from types import ModuleType

from macaw.golden.units import UNITS

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
