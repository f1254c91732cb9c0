# SPDX-License-Identifier: BSD-2-Clause
"""Mutants of macaw's own sources, and whether anything notices: ``make mutate``.

The listed ones are each judged by what is said to kill them. With ``--draw`` there are others, for
which that is looked for. What is known is kept in a ledger, so that a run that was interrupted goes
on where it was.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from macaw.golden.errors import MacawError
from macaw.tools import files
from macaw.tools.command import FAILED, PASSED, start
from macaw.tools.sources import closure, digest

from . import listed as lists
from .judge import EQUIVALENT, KILLED, SURVIVED, Bench, Entry, Verdict, sampled
from .mutations import ROOT, drawn, mutation, sources
from .used import used

Tell = Callable[[str], None]

TOGETHER = 10
"""Mutants for which what they have in common is imported once."""


class Ledger:
    """Verdicts by a digest of all that they depend on; kept in one JSON file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.verdicts = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.verdicts = {}  # not there, or damaged: they are judged again

    def find(self, key: str) -> Verdict | None:
        """The verdict that was reached with the same content."""
        stored = self.verdicts.get(key)
        if stored is None:
            return None
        fields = {name: stored[name] for name in ("verdict", "by", "how", "seconds")}
        return Verdict(mutation=mutation(stored), **fields)

    def add(self, key: str, verdict: Verdict) -> None:
        """Write a verdict; the file is whole at every moment."""
        self.verdicts[key] = verdict.to_json()
        files.write(self.path, json.dumps(self.verdicts, indent=1))


def key_of(entry: Entry, bench: Bench) -> str:
    """Digest of a mutation, of what is said of it, and of macaw."""
    own = closure("macaw.sim.proof.mutants.checks") + digest("macaw.golden", "macaw.hdl")
    if not entry.known:
        own += f"{bench.units_of(entry.mutation)}{bench.quick}"
    if entry.test:
        own += (ROOT / entry.test.partition("::")[0]).read_text(encoding="utf-8")
    return hashlib.sha256(f"{own}{entry!r}{bench.vectors}".encode()).hexdigest()[:32]


def verdicts(
    entries: Sequence[Entry], bench: Bench, ledger: Ledger, *, jobs: int, again: bool
) -> Iterator[Verdict]:
    """Verdicts as they become known, those of the ledger first."""
    waiting: list[Entry] = []
    keys = {entry.mutation: key_of(entry, bench) for entry in entries}
    for entry in entries:
        kept = None if again else ledger.find(keys[entry.mutation])
        if kept is not None:
            yield kept
        else:
            waiting.append(entry)
    # Those of functions are forked when all is imported; a class or a module is imported anew.
    inner = {entry.mutation: bool(function(entry)) for entry in waiting}
    groups = [[e for e in waiting if inner[e.mutation] is each] for each in (True, False)]
    parts = [g[n : n + TOGETHER] for g in groups for n in range(0, len(g), TOGETHER)]
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for future in as_completed([pool.submit(bench.judge, part) for part in parts]):
                for verdict in future.result():
                    ledger.add(keys[verdict.mutation], verdict)
                    yield verdict
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def function(entry: Entry) -> str:
    """The function whose code a mutant changes; empty if it is not one function's, or stale."""
    try:
        return entry.mutation.function()
    except (LookupError, OSError):
        return ""


def table(found: Sequence[Verdict]) -> str:
    """How many mutants of each file were killed, are equivalent, and survived; and which did."""
    groups: dict[str, Counter[str]] = {}
    for each in sorted(found, key=lambda each: each.mutation):
        groups.setdefault(each.mutation.file, Counter())[each.verdict] += 1
    groups["in all"] = sum(groups.values(), Counter())
    words = (KILLED, EQUIVALENT, SURVIVED)
    lines = [f"{'':52}" + "".join(f"{word:>12}" for word in words)]
    lines += [f"{file:52}" + "".join(f"{n[w]:12}" for w in words) for file, n in groups.items()]
    for word, said in ((EQUIVALENT, "by"), (SURVIVED, "how")):
        for each in found:
            if each.verdict == word:
                how = f" ({each.how})" if said == "by" else ""
                lines.append(f"{word}: {each.mutation.name}\n  {getattr(each, said)}{how}")
    return "\n".join(lines)


@click.command()
@click.option("--only", multiple=True, metavar="PATTERN", help="Mutations whose name matches.")
@click.option("--room", type=click.Choice(lists.ROOMS), help="Only of these sources.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="So many of the listed ones.")
@click.option("--draw", type=click.IntRange(1), metavar="N", help="So many that are not listed.")
@click.option("--seed", default=1, show_default=True, help="Of what is sampled or drawn.")
@click.option("--record", is_flag=True, help="Add to the lists what is drawn and now known.")
@click.option("--vectors", default=20_000, show_default=True, help="Of each unit in simulation.")
@click.option(
    "--jobs", type=click.IntRange(1), default=2, show_default=True, help="Mutants at a time."
)
@click.option("--quick", is_flag=True, help="Few tests, and no compiler or proof.")
@click.option("--again", is_flag=True, help="Also what the ledger has.")
@click.option("--json", "as_json", is_flag=True, help="Results as JSON on standard output.")
@click.option(
    "--folder",
    default="build/mutants",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Of the ledger.",
)
def main(
    only: tuple[str, ...],
    room: str | None,
    sample: int | None,
    draw: int | None,
    seed: int,
    record: bool,
    vectors: int,
    jobs: int,
    quick: bool,
    again: bool,
    as_json: bool,
    folder: Path,
) -> int:
    """Put small faults into the sources, one at a time, and see whether they are noticed.

    Exit status 1 if one survived that is not known to be equivalent. Examples:

    python -m macaw.sim.proof.mutants.run --only round_float

    python -m macaw.sim.proof.mutants.run --room hdl --draw 20 --seed 7
    """
    folder = folder.absolute()
    entries = lists.listed()
    tell: Tell = lambda line: click.echo(line, err=True)  # noqa: E731
    bench = Bench(vectors=vectors, quick=quick)
    if draw is not None:
        known = {entry.mutation for entry in entries}
        rooms = (room,) if room else lists.ROOMS
        every = [m for r in rooms for file in sources(r) for m in drawn(file) if m not in known]
        entries = [Entry(mutation=m) for m in every]
    entries = [entry for entry in entries if _wanted(entry, only, room)]
    if (count := draw or sample) is not None:
        kept = {*sampled([entry.mutation for entry in entries], count, seed)}
        entries = [entry for entry in entries if entry.mutation in kept]
    if not entries:
        raise MacawError("no mutation has such a name")
    if not all(entry.known for entry in entries):
        bench = replace(bench, used=used(folder, jobs, tell))
    ledger = Ledger(folder / "ledger.json")
    console = Console(stderr=True)
    found = []
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("mutants", total=len(entries))
        for verdict in verdicts(entries, bench, ledger, jobs=jobs, again=again):
            found.append(verdict)
            progress.advance(task)
            if not console.is_terminal or verdict.verdict == SURVIVED:
                line = f"[{len(found)}/{len(entries)}] {verdict.verdict:10} {verdict.mutation.name}"
                progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
    if record:
        if draw is not None and room and not only:
            at_that_time = sum(each.mutation.name.startswith(room) for each in lists.listed())
            lists.record_draw(room, seed, found, at_that_time)
        tell(f"{lists.record(found)} added to the lists")
    if as_json:
        click.echo(json.dumps([each.to_json() for each in found], indent=1))
    else:
        click.echo(table(found))
    return FAILED if any(each.verdict == SURVIVED for each in found) else PASSED


def _wanted(entry: Entry, only: tuple[str, ...], room: str | None) -> bool:
    name = entry.mutation.name
    fits = not only or any(fnmatch.fnmatch(name, each) or each in name for each in only)
    return fits and (room is None or name.startswith(f"{room}/"))


if __name__ == "__main__":
    start(main)
