# SPDX-License-Identifier: BSD-2-Clause
"""Every combination of operand codes, in bulk: for a unit without registers that is a proof."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from macaw.golden.units import Unit
from macaw.tools import simulators, store
from macaw.tools.sources import closure, digest

from ..bench import bulk
from ..mismatch import Mismatch
from ..stimulus.exhaustive import exhaustive, exhaustive_bits
from ..verify import bulk_mismatch

PART = 22
"""Bits of the combinations that are stored as done at once."""
FEW = 16
"""Bits of operands up to which modules are built together: building takes longer than running."""
TOGETHER = 24
BENCH = ("macaw.sim.bench.bulk", "macaw.sim.stimulus.exhaustive")
"""Modules that, with what they import, decide what is enumerated, and how."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """How far an enumeration came: vectors, seconds they took, and what is wrong, if anything."""

    vectors: int
    total: int
    seconds: float
    mismatch: Mismatch | None = None


def run(
    design: Any,
    *,
    largest: int,
    until: float,
    command: str,
    progress: Progress,
    cache: bool = True,
) -> Run:
    """Compare a design without registers with its golden model, until ``time.monotonic()`` says.

    Parts that passed before are not run again.
    """
    unit: Unit = design.spec
    bits = exhaustive_bits(unit)
    total, size = 1 << bits, 1 << min(bits, PART)
    known = _key(design)
    vectors, seconds = 0, 0.0
    model: bulk.Model | None = None
    try:
        for start in range(0, total, size):
            key = store.key(**known, part=[start, size])
            before = store.get(key, lambda stored: float(stored["seconds"])) if cache else None
            if before is None:
                if time.monotonic() >= until:
                    break
                model = model or bulk.Model.of(design)
                tally = bulk.compare(
                    unit,
                    [model],
                    exhaustive(unit, largest=largest, part=range(start, start + size)),
                    stalls=False,
                    progress=lambda done, base=vectors: progress(base + done, total),
                )
                if failure := tally.failures.get(0):
                    failure.first += vectors
                    found = bulk_mismatch(unit, failure, seed=1, replay=command)
                    return Run(
                        vectors=vectors,
                        total=total,
                        seconds=seconds + tally.seconds,
                        mismatch=found,
                    )
                before = tally.seconds
                if cache:
                    store.put(key, {"seconds": before})
            vectors += size
            seconds += before
            progress(vectors, total)
    finally:
        if model is not None:
            model.close()
    return Run(vectors=vectors, total=total, seconds=seconds)


def ahead(designs: Sequence[Any]) -> None:
    """Run designs of few operands, built together, so that :func:`run` finds those that passed."""
    waiting = {}
    for design in designs:
        unit: Unit = design.spec
        if not unit.stateful and (bits := exhaustive_bits(unit)) <= FEW:
            key = store.key(**_key(design), part=[0, 1 << bits])
            if store.get(key, lambda stored: float(stored["seconds"])) is None:
                waiting[key] = design
    keys = list(waiting)
    for first in range(0, len(keys), TOGETHER):
        batch = keys[first : first + TOGETHER]
        for key, model in zip(batch, bulk.Model.of_many([waiting[k] for k in batch]), strict=True):
            with model:
                unit = waiting[key].spec
                tally = bulk.compare(unit, [model], exhaustive(unit), stalls=False)
            if not tally.failures:
                store.put(key, {"seconds": tally.seconds})


def _key(design: Any) -> dict[str, Any]:
    """What decides whether a part passes."""
    return {
        "formal": "exhaustive",
        "verilog": design.verilog,
        "unit": repr(design.spec),
        "golden": digest("macaw.golden"),
        "bench": closure(
            "macaw.sim.bench.bulk", "macaw.sim.stimulus.exhaustive", within="macaw.sim"
        ),
        "tools": [simulators.verilator().version, simulators.compiler_version()],
    }
