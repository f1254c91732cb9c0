# SPDX-License-Identifier: BSD-2-Clause
"""Which recorded figures are of gates that macaw no longer makes.

Each result in benchmarks/results says what generates its module, and the SHA-256 of the Verilog
then: all are generated again. Older results do not say it and are counted apart; how a target maps
and the versions of its tools are not looked at. Exit status 1 where a figure is out of date.

Example: python -m benchmarks.stale --only "fma" --json
"""

import argparse
import fnmatch
import json
import shlex
from collections.abc import Iterator
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track

from macaw.cli.generate import generate
from macaw.cli.options import unit_and_implementation
from macaw.golden.errors import MacawError
from macaw.synth import source
from macaw.tools import processes

from . import positive, results, start

OF_RESULT = {"target", "latency", "tools", "seconds"}
"""What a measured result has, whatever else."""
TRACE = {"generated_by", "hash"}
"""What is kept of one at least, where not all is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file of results: commands that generate what was measured, by the Verilog's SHA-256."""

    name: str
    told: tuple[tuple[str, str], ...]
    untold: int
    stale: dict[str, str] = field(default_factory=dict)
    """By command, what became of it: other gates, or why there are none."""


def found(value: Any) -> Iterator[dict[str, Any]]:
    """All measured results in what a file holds."""
    if isinstance(value, dict):
        if value.keys() >= OF_RESULT or value.keys() >= TRACE:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from found(each)


def read(name: str, folder: Path) -> File:
    """The results of one file."""
    every = list(found(results.read(name, folder)))
    told = {(each["generated_by"], each["hash"]) for each in every if each.get("hash")}
    untold = sum(not each.get("hash") for each in every)
    return File(name=name, told=tuple(sorted(told)), untold=untold)


def hash_of(command: str) -> str:
    """SHA-256 of the Verilog that a command makes today; MacawError if it makes none."""
    words = shlex.split(command)[2:]
    given = generate.make_context("generate", words).params
    del given["output"], given["as_json"]
    spec, how = unit_and_implementation(given.pop("unit"), given.pop("parameters"), given)
    return source.generate(spec, **how).metadata["hash"]


def judged(command: str, recorded: str) -> str | None:
    """What is wrong with a figure of a command, in words; None if its gates are the same."""
    try:
        return None if hash_of(command) == recorded else "other gates now"
    except MacawError as error:
        return " ".join(str(error).split())
    except click.ClickException as error:  # of an option that there is no more
        return " ".join(error.format_message().split())


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="*", help="files, as a pattern")
    parser.add_argument("--jobs", type=positive, default=processes.cores())
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--folder", type=Path, default=results.FOLDER, help="of the JSON files")
    options = parser.parse_args()
    names = sorted(path.stem for path in options.folder.glob("*.json"))
    chosen = fnmatch.filter(names, options.only)
    if not chosen:
        parser.error(f"--only {options.only}: no file matches; there are {', '.join(names)}")
    files = [read(name, options.folder) for name in chosen]
    files = [file for file in files if file.told or file.untold]
    todo = sorted({pair for file in files for pair in file.told})
    wrong: dict[tuple[str, str], str] = {}
    pool = processes.pool(options.jobs)
    try:
        waiting = {pool.submit(judged, *pair): pair for pair in todo}
        ended = track(as_completed(waiting), "generating", len(todo), console=Console(stderr=True))
        for done in ended:
            if said := done.result():
                wrong[waiting[done]] = said
    finally:
        processes.end(pool)
    for file in files:
        file.stale.update({pair[0]: wrong[pair] for pair in file.told if pair in wrong})
    if options.json:
        print(json.dumps([asdict(file) for file in files], indent=1))
        return bool(wrong)
    for file in files:
        said = f"{len(file.told)} modules, {len(file.stale)} out of date"
        said += f"; {file.untold} results do not tell" if file.untold else ""
        print(f"{file.name}: {said}")
        for command, why in file.stale.items():
            print(f"  {command}: {why}")
    return bool(wrong)


if __name__ == "__main__":
    start(main)
