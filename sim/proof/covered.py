# SPDX-License-Identifier: BSD-2-Clause
"""Bins that the stimulus of listed units never hits: ``python -m macaw.sim.proof.covered``.

Golden alone is asked, so that it takes minutes. A bin that no vector can hit says why; those that
are printed do not.
"""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import click

from macaw.golden.errors import MacawError
from macaw.golden.units import Unit
from macaw.tools.command import FAILED, PASSED, start

from ..stimulus.coverage import Coverage, coverage
from ..stimulus.draw import stimulus
from ..verify import default_vectors
from .cases.case import Case
from .cases.catalogue import cases


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """The coverage of one unit."""

    name: str
    unit: Unit
    coverage: Coverage


def listed() -> dict[Unit, str]:
    """Every listed unit once, and its name: its kind, and what its first case is called."""
    found: dict[Unit, str] = {}
    for case in cases():
        if isinstance(case, Case):
            found.setdefault(case.unit, f"{case.unit.kind}/{case.name.rpartition('/')[2]}")
    return found


def covered(only: str = "*", vectors: int | None = None, seed: int = 1) -> Iterator[Found]:
    """The coverage of the listed units that have bins, by as many vectors as are simulated.

    Without ``vectors``, by as many as Icarus Verilog gets by default.
    """
    for unit, name in listed().items():
        if fnmatch.fnmatch(name, only):
            count = vectors or default_vectors(unit, "icarus")
            found = coverage(unit, stimulus(unit, vectors=count, seed=seed))
            if found.counts:
                yield Found(name=name, unit=unit, coverage=found)


@click.command()
@click.option("--only", default="*", show_default=True, metavar="PATTERN", help="Of unit names.")
@click.option(
    "--vectors", type=click.IntRange(1), help="[default: as of macaw verify in Icarus Verilog]"
)
@click.option("--seed", default=1, show_default=True)
def main(only: str, vectors: int | None, seed: int) -> int:
    """Bins that are never hit, though nothing says that they cannot be. Exit status 1 if any.

    Example: python -m macaw.sim.proof.covered --only 'flex-mac/*'
    """
    if not fnmatch.filter(listed().values(), only):
        raise MacawError(f"--only {only}: no listed unit has such a name, as flex-mac/* has")
    units, left = 0, 0
    bins: Counter[str] = Counter()
    for each in covered(only, vectors, seed):
        found = each.coverage
        units, left = units + 1, left + bool(found.never)
        bins["hit"] += found.hit
        bins["unreachable"] += found.unreachable
        bins["never hit"] += len(found.never)
        if found.never:
            click.echo(f"{each.name}: {'; '.join(count.name for count in found.never)}")
    numbers = ", ".join(f"{bins[word]} {word}" for word in ("hit", "unreachable", "never hit"))
    click.echo(f"{units} units, {left} with bins never hit; bins: {numbers}")
    return FAILED if left else PASSED


if __name__ == "__main__":
    start(main)
