# SPDX-License-Identifier: BSD-2-Clause
"""Every vector of a unit of few bits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from macaw.golden.errors import SpecError
from macaw.golden.units import Unit

from ..bench.interface import Codes

CHUNK = 1 << 17
LARGEST_EXHAUSTIVE = 26  # bits of all inputs together


def exhaustive_bits(unit: Unit) -> int:
    """Bits of all inputs together: there are 2**bits different vectors."""
    return sum(operand.width for operand in unit.ports.inputs.values())


def exhaustive(
    unit: Unit,
    *,
    chunk: int = CHUNK,
    largest: int = LARGEST_EXHAUSTIVE,
    part: range | None = None,
) -> Iterator[Codes]:
    """Every combination of input codes once, in an order that changes all inputs at each step.

    ``part`` takes those whose number in that order is in a range of step 1.

    Raises
    ------
    SpecError
        The unit has state, or more than ``2**largest`` combinations.
    """
    bits = exhaustive_bits(unit)
    if unit.stateful:
        raise SpecError(f"exhaustive: {unit.kind} has state, its inputs have no end")
    if bits > largest:
        raise SpecError(
            f"exhaustive: {unit.name} has 2**{bits} input combinations, "
            f"at most 2**{largest} are run"
        )
    part = range(1 << bits) if part is None else part
    for start in part[::chunk]:
        count = np.arange(start, min(start + chunk, part.stop), dtype=np.uint64)
        index = (count * np.uint64(0x9E3779B1)) & np.uint64((1 << bits) - 1)  # odd: a permutation
        codes = {}
        for name, operand in unit.ports.inputs.items():
            width, lanes = operand.format.width, operand.lanes or 1
            columns = np.empty((len(index), lanes), operand.format.code_dtype)
            for lane in range(lanes):
                columns[:, lane] = index & np.uint64((1 << width) - 1)
                index = index >> np.uint64(width)
            codes[name] = columns[:, 0] if operand.lanes is None else columns
        yield codes
