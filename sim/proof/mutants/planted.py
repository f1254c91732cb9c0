# SPDX-License-Identifier: BSD-2-Clause
"""Bugs that are planted in gates: the method that claims a unit must refute each of them.

They are in ``listed/planted.json``, a record a line: ``unit``, as it follows ``macaw verify``;
``by``, one of :data:`WAYS`; ``from`` and ``to``, texts of the Verilog, the first of which is
replaced. With ``file`` and ``in`` they are texts of a source of macaw instead, as those of
:mod:`.listed` are.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import importlib
import json
import random
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click

from macaw.golden.errors import MacawError
from macaw.hdl import generate
from macaw.tools.command import FAILED, PASSED, start

from ...formal.proof import REFUTED, Proof
from ...formal.prove import prove
from .judge import gates_of
from .mutations import Mutation, mutation
from .spelling import read

LISTED = Path(__file__).parent / "listed" / "planted.json"
LIMIT = 300.0
"""Seconds for each proof."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """How a bug is to be refuted: the method asked for, the step that does it, whether in cases."""

    title: str
    method: str | None
    step: str
    cases: bool = False


WAYS = {
    "exhaustive": Way(title="exhaustive", method="exhaustive", step="exhaustive"),
    "symfpu": Way(title="symfpu", method="symfpu", step="symfpu"),
    "cases": Way(title="symfpu, in cases", method="symfpu", step="symfpu", cases=True),
    "plain": Way(title="plain", method="plain", step="plain"),
    "sums": Way(title="plain, a sum taken out", method="plain", step="plain", cases=True),
    "steps": Way(title="plain, in steps", method="plain", step="plain"),
    "pipelines": Way(title="stages: pipelines", method=None, step="stages"),
    "streams": Way(title="stages: streams", method=None, step="stages"),
    "buses": Way(title="stages: buses", method=None, step="stages"),
    "registered": Way(title="stages: a registered ready", method=None, step="stages"),
    "netlist": Way(title="netlist", method=None, step="netlist"),
}


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Planted:
    """One bug; ``change`` is that of a source, or None."""

    unit: str
    by: str
    old: str
    new: str
    change: Mutation | None = None

    @property
    def name(self) -> str:
        """One line that says it all."""
        if self.change is not None:
            return f"{self.by} {self.unit}: {self.change.name}"
        return (
            f"{self.by} {self.unit}: {' '.join(self.old.split())} => {' '.join(self.new.split())}"
        )

    def design(self) -> Any:
        """The unit with the bug.

        Raises
        ------
        LookupError
            There is no such text any more.
        MacawError
            The unit cannot be built.
        """
        spec, options = read(self.unit)
        target = options.pop("netlist", None)
        if target is not None:
            # A room above this one, as it is for whoever asks for a netlist by name.
            design = importlib.import_module("macaw.synth").mapped(spec, target, **options)
        else:
            design = generate(spec, **options)
        if self.change is not None:
            text = gates_of(self.change, self.unit, design.metadata["name"])
        else:
            if self.old not in design.verilog:
                raise LookupError(f"{self.unit} has no {self.old!r}")
            text = design.verilog.replace(self.old, self.new, 1)
        if target is not None:
            return dataclasses.replace(design, verilog=text)
        how = design.implementation
        return SimpleNamespace(
            spec=spec, implementation=how, metadata=design.metadata, verilog=text
        )

    def prove(self, *, limit: float = LIMIT, jobs: int | None = None) -> Proof:
        """What the method that claims such a unit says of it."""
        how = WAYS[self.by].method
        return prove(self.design(), method=how, limit=limit, jobs=jobs, cache=False)


def refuted(bug: Planted, proof: Proof) -> bool:
    """Whether the step that is to refute a bug did, by operands that simulation shows."""
    way = WAYS[bug.by]
    step = proof.steps[-1]
    return (
        proof.verdict == REFUTED
        and proof.mismatch is not None
        and (step.method, step.verdict) == (way.step, REFUTED)
        and ("cases" in step.covered) is way.cases
    )


def listed() -> list[Planted]:
    """All bugs, in the order of the file."""
    return [_planted(each) for each in json.loads(LISTED.read_text(encoding="utf-8"))]


def _planted(fields: dict[str, Any]) -> Planted:
    change = mutation(fields) if "file" in fields else None
    where = {"unit": fields["unit"], "by": fields["by"]}
    return Planted(**where, old=fields["from"], new=fields["to"], change=change)


def sampled(bugs: Iterable[Planted], count: int, seed: int) -> list[Planted]:
    """So many bugs at most of each way, the same ones for a seed."""
    groups: dict[str, list[Planted]] = {}
    for bug in bugs:
        groups.setdefault(bug.by, []).append(bug)
    rng = random.Random(seed)
    return [bug for group in groups.values() for bug in rng.sample(group, min(count, len(group)))]


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What became of a bug."""

    bug: Planted
    refuted: bool
    seconds: float
    said: str


def tried(bug: Planted, *, limit: float = LIMIT, jobs: int | None = None) -> Found:
    """Ask the method; a bug that is no longer there is not refuted."""
    try:
        proof = bug.prove(limit=limit, jobs=jobs)
    except (LookupError, MacawError) as error:
        return Found(bug=bug, refuted=False, seconds=0.0, said=f"stale: {error!s:.300}")
    # A replay shows more than it needs: one line is kept.
    said = str(proof.mismatch or proof.steps[-1]).strip().splitlines()[0]
    return Found(bug=bug, refuted=refuted(bug, proof), seconds=proof.seconds, said=said)


def table(found: Iterable[Found]) -> str:
    """How many are refuted by each way, and in what time."""
    lines = [f"{'':28}{'planted':>9}{'refuted':>9}{'s':>9}"]
    groups: dict[str, list[Found]] = {}
    for each in found:
        groups.setdefault(WAYS[each.bug.by].title, []).append(each)
    groups["in all"] = [each for group in groups.values() for each in group]
    for title, group in groups.items():
        seconds = sum(each.seconds for each in group)
        count = sum(each.refuted for each in group)
        lines.append(f"{title:28}{len(group):9}{count:9}{seconds:9.1f}")
    return "\n".join(lines)


@click.command()
@click.option("--only", metavar="PATTERN", default="*", help="Bugs whose name matches.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="So many of each way.")
@click.option("--seed", default=1, show_default=True, help="Of what is sampled.")
@click.option("--limit", default=LIMIT, show_default=True, help="Seconds for each.")
@click.option("--jobs", type=click.IntRange(1), help="Cases at a time.  [default: one a core]")
def main(only: str, sample: int | None, seed: int, limit: float, jobs: int | None) -> int:
    """Plant bugs in gates, and see whether proofs refute them: exit status 1 if one does not.

    Example: python -m macaw.sim.proof.mutants.planted --only 'symfpu*'
    """
    bugs = [bug for bug in listed() if fnmatch.fnmatchcase(bug.name, only) or only in bug.name]
    if not bugs:
        raise MacawError(f"only={only}: no bug has such a name")
    if sample is not None:
        bugs = sampled(bugs, sample, seed)
    found = []
    for number, bug in enumerate(bugs, 1):
        each = tried(bug, limit=limit, jobs=jobs)
        found.append(each)
        word = "refuted" if each.refuted else "NOT REFUTED"
        click.echo(f"[{number}/{len(bugs)}] {word} {bug.name} ({each.seconds:.1f} s)", err=True)
        if not each.refuted:
            click.echo(f"  {each.said}", err=True)
    click.echo(table(found))
    return PASSED if all(each.refuted for each in found) else FAILED


if __name__ == "__main__":
    start(main)
