# SPDX-License-Identifier: BSD-2-Clause
"""Units whose gates are held against golden, all in one library of models."""

import math
from collections.abc import Sequence
from typing import Any

import pytest

from macaw.golden.units import Unit
from macaw.hdl import generate
from macaw.hdl.emit import write_bodies
from macaw.sim.bench import bulk
from macaw.sim.proof.cases.elementwise import exhaustible
from macaw.sim.stimulus import exhaustive, stimulus
from macaw.tools import simulators

__all__ = ["differing"]


def differing(
    specs: Sequence[Unit],
    *,
    bits: int = 16,
    vectors: int = 5_000,
    seed: int = 3,
    **implementation: Any,
) -> list[Unit]:
    """The units whose gates give another result than golden, without registers if not asked for.

    All combinations of operand codes are tried of units without a state if they are at most
    ``2**bits``, else ``vectors`` operations. Skips the test where Verilator is missing.
    """
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    designs = [generate(spec, **implementation) for spec in specs]
    write_bodies(designs)
    models = bulk.Model.of_many(designs)
    wrong = []
    try:
        for spec, model in zip(specs, models, strict=True):
            every = not spec.stateful and exhaustible(spec, bits)
            chunks = exhaustive(spec) if every else stimulus(spec, vectors=vectors, seed=seed)
            tally = bulk.compare(spec, [model], chunks)
            expected = math.prod(1 << port.width for port in spec.ports.inputs.values())
            assert tally.failures or tally.vectors == (expected if every else vectors)
            if tally.failures:
                wrong.append(spec)
    finally:
        for model in models:
            model.close()
    return wrong
