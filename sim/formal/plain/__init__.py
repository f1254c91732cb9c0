# SPDX-License-Identifier: BSD-2-Clause
"""Second descriptions of units, in the plainest Verilog, as references for gates.

They share nothing with :mod:`macaw.hdl`; what they mean is that of docs/arithmetic.md and
docs/dyadic.md, and tests hold them against the golden model.
"""

from __future__ import annotations

from typing import Any

from macaw.golden.units import Unit

from . import dividing, quantising, scaling, sums
from .module import MODULE, Words

__all__ = ["MODULE", "Words", "reference", "refuses", "words"]


_ROOMS = {kind: room for room in (quantising, scaling) for kind in room.KINDS}


def refuses(unit: Unit) -> str:
    """Why there is no such description; empty if there is."""
    return _ROOMS.get(unit.kind, sums).refuses(unit)


def reference(unit: Unit) -> str:
    """The Verilog of :data:`MODULE`, with the ports of a unit that :func:`refuses` lets pass."""
    return _ROOMS.get(unit.kind, sums).reference(unit)


def words(unit: Unit) -> Words:
    """What the description of a unit has between its operands and results, if there is much."""
    spec: Any = unit
    if unit.kind in quantising.KINDS and not spec.out.power_of_two:
        return dividing.words(unit)
    return Words()
