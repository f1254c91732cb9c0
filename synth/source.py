# SPDX-License-Identifier: BSD-2-Clause
"""Designs and proofs by content: what was generated or verified once is not done again.

Both follow from macaw's own Python source, so its digest is part of the key.
"""

from __future__ import annotations

import importlib.metadata
import threading
from typing import TYPE_CHECKING, Any

from macaw.golden.errors import SpecError, ToolError
from macaw.tools import store
from macaw.tools import yosys as tools
from macaw.tools.sources import digest

from .result import Source

if TYPE_CHECKING:
    from macaw.golden.units import Unit


# Elaboration is Python through and through: more than one at a time gains nothing.
_elaborating = threading.Lock()


def _identity(spec: Unit) -> dict[str, Any]:
    return {"kind": spec.kind, **spec.parameters}


def _source(stored: dict[str, Any]) -> Source:
    found = Source(**stored)
    if not (isinstance(found.verilog, str) and isinstance(found.metadata, dict)):
        raise TypeError("not a design")
    return found


def _proof(stored: dict[str, Any]) -> dict[str, Any]:
    kinds = {"vectors": int, "simulator": str, "seconds": int | float}
    if not all(isinstance(stored[name], kind) for name, kind in kinds.items()):
        raise TypeError("not a proof")
    return stored


def generate(spec: Unit, *, cache: bool = True, **implementation: Any) -> Source:
    """As :func:`macaw.hdl.generate`, from the store where it is there."""
    name = store.key(
        what="design",
        spec=_identity(spec),
        implementation={k: str(v) for k, v in implementation.items()},
        source=digest("macaw.golden", "macaw.hdl"),
        tools=[importlib.metadata.version("amaranth"), str(tools.find("yosys"))],
    )
    if cache and (stored := store.get(name, _source)) is not None:
        return stored
    from macaw import hdl

    tools.prepare(tools.find("yosys"))
    with _elaborating:
        design = hdl.generate(spec, **implementation)
    source = Source(name=design.name, verilog=design.verilog, metadata=dict(design.metadata))
    if cache:
        store.put(
            name,
            {"name": source.name, "verilog": source.verilog, "metadata": source.metadata},
        )
    return source


def _stages(stored: dict[str, Any]) -> int | None:
    stages = stored["stages"]
    if stages is not None and not isinstance(stages, int):
        raise TypeError("not a number of stages")
    return stages


def depth(spec: Unit, *, cache: bool = True, **implementation: Any) -> int | None:
    """Stages that the delay model takes for the ``frequency`` among the options; None if it cannot.

    Kept as designs are: that there is no such pipeline takes as long to find out.
    """
    name = store.key(
        what="depth",
        spec=_identity(spec),
        implementation={k: str(v) for k, v in implementation.items()},
        source=digest("macaw.golden", "macaw.hdl"),
    )
    found = store.get(name, lambda stored: (_stages(stored),)) if cache else None
    if found is not None:
        return found[0]
    try:
        stages = int(generate(spec, cache=cache, **implementation).metadata["latency"])
    except SpecError:
        stages = None
    if cache:
        store.put(name, {"stages": stages})
    return stages


def prove(
    spec: Unit, *, vectors: int, seed: int, cache: bool = True, **implementation: Any
) -> dict[str, Any]:
    """Simulate ``spec``'s gates against its golden model; see :func:`macaw.sim.verify`.

    Returns ``vectors``, ``simulator`` and ``seconds``. Raises :class:`ToolError` that shows the
    first difference: a unit that is wrong has no price.
    """
    name = store.key(
        what="proof",
        spec=_identity(spec),
        implementation={k: str(v) for k, v in implementation.items()},
        vectors=vectors,
        seed=seed,
        source=digest("macaw.golden", "macaw.hdl", "macaw.sim"),
    )
    if cache and (stored := store.get(name, _proof)) is not None:
        return stored
    from macaw import sim

    report = sim.verify(spec, simulator="bulk", vectors=vectors, seed=seed, **implementation)
    if not report.passed:
        raise ToolError(f"{spec.name} differs from its golden model: {report.mismatch}")
    result = {
        "vectors": report.vectors,
        "simulator": report.simulator,
        "seconds": round(report.seconds, 2),
    }
    if cache:
        store.put(name, result)
    return result
