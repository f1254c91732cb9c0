# SPDX-License-Identifier: BSD-2-Clause
"""The catalogue of datapaths: which gates belong to which unit specification.

The gates of a family are in the module here of its name, which says in ``DATAPATHS`` of which units
they are.
"""

import importlib
import pkgutil

from macaw.golden.units import UNITS, Unit

from .component import Component
from .datapath import Datapath
from .implementation import Implementation

__all__ = ["DATAPATHS", "build", "limits"]


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
    """What golden evaluates and :func:`build` refuses of a kind of unit, in words."""
    return DATAPATHS[kind].limits(kind)


def build(spec: Unit, implementation: Implementation | None = None) -> Component:
    """The module of a specification, with its ports, latency and clock decided.

    Raises
    ------
    SpecError
        If the gates do not offer what the specification asks for, or the frequency is too high.
    """
    datapath = DATAPATHS[type(spec)]
    datapath.check(spec)
    return Component(datapath(spec, implementation or Implementation()))
