# SPDX-License-Identifier: BSD-2-Clause
"""Designs and proofs by content: what was generated or verified once is not done again.

Both follow from macaw's own Python source, so its digest is part of the key.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from macaw.golden.errors import ToolError
from macaw.hdl import tools

from . import cache as store
from .flow import Source

if TYPE_CHECKING:
    from macaw.golden.units import Unit


@cache
def digest(*parts: str) -> str:
    """SHA-256 of the Python text of parts of macaw: 'golden', 'hdl', 'sim'."""
    total = hashlib.sha256()
    for part in parts:
        found = importlib.util.find_spec(f"macaw.{part}")
        for folder in (found and found.submodule_search_locations) or ():
            for path in sorted(Path(folder).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


# Elaboration is Python through and through: more than one at a time gains nothing.
_elaborating = threading.Lock()


def _identity(spec: Unit) -> dict[str, Any]:
    return {"kind": spec.kind, **spec.parameters}


def generate(spec: Unit, *, cache: bool = True, **implementation: Any) -> Source:
    """As :func:`macaw.hdl.generate`, from the store where it is there."""
    name = store.key(
        what="design",
        spec=_identity(spec),
        implementation={k: str(v) for k, v in implementation.items()},
        source=digest("golden", "hdl"),
        tools=[importlib.metadata.version("amaranth"), str(tools.find("yosys"))],
    )
    if cache and (stored := store.get(name)) is not None:
        return Source(**stored)
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
        source=digest("golden", "hdl", "sim"),
    )
    if cache and (stored := store.get(name)) is not None:
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
