# SPDX-License-Identifier: BSD-2-Clause
"""The catalogue of datapaths: which gates belong to which unit specification.

The gates of a family are in the module here of its name, which says in ``DATAPATHS`` of which units
they are.
"""

import importlib
import pkgutil

from macaw.golden.units import UNITS, Unit

from .datapath import Datapath

__all__ = ["DATAPATHS", "limits"]


def _collected() -> dict[type[Unit], type[Datapath]]:
    package = __name__.rpartition(".")[0]
    here = {
        module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__)
    }
    families = dict.fromkeys(cls.__module__.rpartition(".")[2] for cls in UNITS.values())
    found: dict[type[Unit], type[Datapath]] = {}
    for family in families:
        if family in here:
            found |= importlib.import_module(f"{package}.{family}").DATAPATHS
    return {cls: found[cls] for cls in UNITS.values() if cls in found}


DATAPATHS = _collected()


def limits(kind: type[Unit]) -> list[str]:
    """What golden evaluates and gates refuse of a kind of unit, in words."""
    return DATAPATHS[kind].limits(kind)
