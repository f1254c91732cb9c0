# SPDX-License-Identifier: BSD-2-Clause
"""Units in golden against their scalar references, on the stimulus that their gates get.

Kinds whose every result another module of this folder judges are not here: the units of one
operation and sums of products in :mod:`macaw.sim.proof.outsiders.scalars`, Flexpoint in
:mod:`macaw.sim.proof.outsiders.flex`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from macaw.golden.units import UNITS, Unit

from ...stimulus.draw import stimulus
from ..cases.case import Case
from ..cases.catalogue import cases
from .check import Check, by_reference
from .scalars import random_specs

ELSEWHERE = frozenset(
    {
        *("mul", "add", "fma", "cast", "div", "sqrt", "dot", "mac", "block-dot", "block-mac"),
        *("flex-mac", "flex-matmul", "flex-add", "flex-mul"),
    }
)
KINDS = tuple(kind for kind in UNITS if kind not in ELSEWHERE)
"""The kinds that are judged here, with those that are added."""
RESULTS = 60_000
"""Numbers that a check compares at most, lanes counted."""


def listed(spec: Unit, vectors: int, seed: int = 0) -> int:
    """A unit with ``vectors`` operations, or beats; returns the number of results."""
    return sum(
        by_reference(spec, codes, f", seed {seed}")
        for codes in stimulus(spec, vectors=vectors, seed=seed)
    )


def drawn(kind: str, specs: int, vectors: int, seed: int = 0) -> int:
    """Units of one kind with formats and options drawn at random."""
    return sum(listed(spec, vectors, i) for i, spec in enumerate(random_specs([kind], specs, seed)))


def catalogue() -> dict[str, Unit]:
    """The listed units of :data:`KINDS`, by the name of their first case."""
    found: dict[Unit, str] = {}
    for case in cases():
        if isinstance(case, Case) and case.unit.kind in KINDS:
            found.setdefault(case.unit, case.name.rpartition("/")[2])
    return {f"{spec.kind}/{name}": spec for spec, name in found.items()}


def checks() -> Iterator[Check]:
    """Every unit of the catalogue, and as many again at random."""
    for name, spec in catalogue().items():
        ports = (spec.ports.inputs | spec.ports.outputs).values()
        vectors = RESULTS // (8 * max(port.lanes or 1 for port in ports)) + 2_000
        run = functools.partial(listed, spec, vectors)
        yield Check(name=f"units/{name}", run=run, kind=spec.kind)
    for kind in KINDS:
        for part in range(4):
            run = functools.partial(drawn, kind, 200, 100, 100 * part)
            yield Check(name=f"units/{kind}/drawn-{part}", run=run, kind=kind)
