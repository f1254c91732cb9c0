# SPDX-License-Identifier: BSD-2-Clause
"""Bins that the stimulus of listed units never hits: ``python -m macaw.sim.proof.covered``.

Golden alone is asked, so that it takes minutes. A bin that no vector can hit says why; those that
are printed do not.
"""

from __future__ import annotations

import fnmatch
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

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

    def to_json(self) -> dict[str, Any]:
        """What :mod:`json` can write of it."""
        unit = {"unit": self.unit.kind, **self.unit.parameters}
        return {"name": self.name, "unit": unit, **self.coverage.to_json()}


def listed() -> dict[Unit, str]:
    """Every listed unit once, and its name: its kind, and what its first case is called."""
    found: dict[Unit, str] = {}
    for case in cases():
        if isinstance(case, Case):
            found.setdefault(case.unit, f"{case.unit.kind}/{case.name.rpartition('/')[2]}")
    return found


def chosen(only: str) -> dict[Unit, str]:
    """Those of :func:`listed` whose names match; MacawError if there is none."""
    found = {unit: name for unit, name in listed().items() if fnmatch.fnmatch(name, only)}
    if not found:
        raise MacawError(f"--only {only}: no listed unit has such a name, as flex-mac/* has")
    return found


def covered(
    units: Mapping[Unit, str], vectors: int | None = None, seed: int = 1
) -> Iterator[Found | None]:
    """The coverage of each unit by as many vectors as are simulated, or None if it has no bins.

    Without ``vectors``, by as many as Icarus Verilog gets by default.
    """
    for unit, name in units.items():
        count = vectors or default_vectors(unit, "icarus")
        found = coverage(unit, stimulus(unit, vectors=count, seed=seed))
        yield Found(name=name, unit=unit, coverage=found) if found.counts else None


@click.command()
@click.option("--only", default="*", show_default=True, metavar="PATTERN", help="Of unit names.")
@click.option(
    "--vectors", type=click.IntRange(1), help="[default: as of macaw verify in Icarus Verilog]"
)
@click.option("--seed", default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Results as JSON on standard output.")
def main(only: str, vectors: int | None, seed: int, as_json: bool) -> int:
    """Bins that are never hit, though nothing says that they cannot be. Exit status 1 if any.

    Example: python -m macaw.sim.proof.covered --only 'flex-mac/*'
    """
    asked, found = chosen(only), []
    bins: Counter[str] = Counter()
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        for each in progress.track(covered(asked, vectors, seed), total=len(asked)):
            if each is None:
                continue
            found.append(each)
            never = [count.name for count in each.coverage.never]
            bins["hit"] += each.coverage.hit
            bins["unreachable"] += each.coverage.unreachable
            bins["never hit"] += len(never)
            if never and not as_json:
                click.echo(f"{each.name}: {'; '.join(never)}")
    left = sum(bool(each.coverage.never) for each in found)
    if as_json:
        click.echo(json.dumps([each.to_json() for each in found], indent=1))
    else:
        numbers = ", ".join(f"{bins[word]} {word}" for word in ("hit", "unreachable", "never hit"))
        click.echo(f"{len(found)} units, {left} with bins never hit; bins: {numbers}")
    return FAILED if left else PASSED


if __name__ == "__main__":
    start(main)
