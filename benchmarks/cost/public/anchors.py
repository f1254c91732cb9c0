# SPDX-License-Identifier: BSD-2-Clause
"""Public units beside macaw's of the same function: one flow, one run, the better options of each.

Each project's own checkout is named as NAME=FOLDER: cvfpu and common_cells (OpenHW Group's FPU and
what it needs), hardfloat and basejump_stl (HardFloat as Bespoke Silicon Group keeps it),
mx-for-fpga, mx-dotp, xtramac, nvdla (nv_small), precision-scalable-mx (KU Leuven). Of an archive
whose folder's name ends with a commit, that is the revision. Plain Verilog needs none.
Units whose checkouts are not named are left out, and what was recorded of them stays. First 20,000
vectors of macaw's golden model have to give the public unit's results, where the function is the
same. Figures go through macaw's cache. Exit status 1 if a unit could not be measured, or differs.

Example: python -m benchmarks.cost.public.anchors cvfpu=../cvfpu common_cells=../common_cells
"""

import argparse
import fnmatch
import functools
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from macaw.golden.errors import MacawError, SpecError
from macaw.golden.units import Unit
from macaw.hdl import Design, generate
from macaw.sim.bench import bulk
from macaw.sim.bench.interface import Interface
from macaw.sim.stimulus import stimulus
from macaw.sim.verify import at_least
from macaw.synth import Result, jobs, run
from macaw.synth.flow import Source
from macaw.synth.mapping import targets

from ... import positive, results, start
from ...__main__ import MISSING
from ...stopwatch import stopwatch
from ..measure import OSU018, parse
from . import units as public

VECTORS = 20_000
SEEDS = 3
ECP5 = {"ecp5": "balanced", "ecp5 area": "area"}
"""For what each side is mapped on ecp5, with wide LUTs and without: it gets the better."""
OPTIMISED = ("area", "delay")
NO_FUNCTION = "function not compared"
_STYLE = ("WIDTH", "UNOPTFLAT", "CASEINCOMPLETE", "CASEOVERLAP", "LATCH", "CMPCONST", "UNSIGNED",
          "ASCRANGE", "UNUSED", "UNDRIVEN", "PINMISSING", "SELRANGE", "IMPLICIT")  # fmt: skip
QUIET = "".join(f"/* verilator lint_off {word} */\n" for word in _STYLE)
"""Of Verilog that others wrote, style is not judged."""


Made = Callable[..., Source | Design]
"""Gives the design for a target's delay model, and for what it is optimised."""


def figures(
    made: Made, *, seeds: int, liberty: str | None = None, progress: Any = None
) -> dict[str, Any]:
    """What a design costs on each target, mapped each way; with ``liberty``, of a process too."""
    found: dict[str, Any] = {}
    for name, optimise in ECP5.items():
        design = made(target="ecp5", optimise=optimise)
        result = run(design, "ecp5", optimise=optimise, seeds=seeds, progress=progress)
        found[name] = result.to_json()
    libraries: dict[str, Any] = {"asic": None} | ({"osu018": OSU018} if OSU018.exists() else {})
    libraries |= {"process": liberty} if liberty else {}
    model = targets.target("asic").model
    for label, library in libraries.items():
        for optimise in OPTIMISED:
            design = made(target=model, optimise=optimise)
            result = run(design, "asic", liberty=library, optimise=optimise, progress=progress)
            found[f"{label} {optimise}"] = result.to_json()
    return found


def measure(
    unit: public.Public, checkouts: dict[str, Path], progress: Any = None, **options: Any
) -> dict[str, Any]:
    """A public unit and macaw's: that they are one function, and what both cost."""
    read = public.source(unit, checkouts)
    spec, _ = parse(unit.unit)
    row: dict[str, Any] = {
        "project": unit.project, "name": unit.name, "unit": unit.unit, "stages": unit.stages,
        "note": unit.note, "revisions": {n: revision(checkouts[n]) for n in unit.files},
    }  # fmt: skip
    own = generate(spec, stages=unit.stages)
    if unit.note:
        metadata = public.metadata(read)
        row["function"] = NO_FUNCTION
    else:
        metadata = {**own.metadata, "name": read.name}
        row["function"] = f"{equal(spec, read.verilog, metadata)} vectors equal"
    there = Source(name=read.name, verilog=read.verilog, metadata=metadata)
    row["public"] = figures(lambda **_: there, progress=progress, **options)
    ours = functools.partial(generate, spec, stages=unit.stages)
    row["macaw"] = figures(ours, progress=progress, **options)
    return row


def tried(**arguments: Any) -> dict[str, Any]:
    """What :func:`measure` gives, or why it does not, so that the others go on."""
    try:
        return measure(**arguments)
    except MacawError as error:
        return {"error": str(error)}


def equal(spec: Unit, verilog: str, metadata: dict[str, Any]) -> int:
    """How many vectors gave golden's bits; MacawError at the first that did not.

    Of rounding modes those that both sides have: macaw's units have one more, to odd.
    """
    interface = Interface.of(metadata, spec.ports)
    library = bulk.build_many([(QUIET + verilog, interface)])
    try:
        with bulk.Model(library, interface, seed=1, number=0) as model:
            patterns = len(bulk.traffic_for(interface, stalls=True))
            chunks = (
                codes | ({"rm": codes["rm"] % 5} if "rm" in codes else {})
                for codes in stimulus(spec, vectors=VECTORS, seed=1, chunk=VECTORS // 4)
            )
            tally = bulk.compare(spec, [model], at_least(patterns, chunks), seed=1)
    finally:
        shutil.rmtree(library.parent, ignore_errors=True)
    if tally.failures:
        failure = tally.failures[0]
        raise MacawError(f"{spec.name}: {failure.problem or f'result {failure.row}'} differs")
    return VECTORS


def best(found: dict[str, Any]) -> Result:
    """Of all ways to map on ecp5 the one with fewest LUTs."""
    ways = [Result.from_json(found[name]) for name in found if name.startswith("ecp5")]
    return min(ways, key=lambda r: r.lut_equivalents or 0)


def revision(checkout: Path) -> str:
    """The commit of a checkout or of an archive, whose folder is named so; or that none is told."""
    archive = re.search(r"-([0-9a-f]{40})$", checkout.resolve().name)
    if archive and not (checkout / ".git").exists():
        return archive[1]
    command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "no commit"
    return done.stdout.strip() or "no commit"


def checkouts_of(words: list[str]) -> dict[str, Path]:
    """Folders by name; SpecError for a name that is not known, or no such folder."""
    known = sorted({name for unit in public.UNITS for name in unit.files})
    found = {}
    for word in words:
        name, _, folder = word.partition("=")
        if name not in known:
            raise SpecError(f"{word!s:.60}: must be NAME=FOLDER, NAME of {', '.join(known)}")
        if not Path(folder).is_dir() or not folder:
            raise SpecError(f"{word!s:.60}: no such folder")
        found[name] = Path(folder)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkouts", nargs="*", metavar="NAME=FOLDER")
    parser.add_argument("--only", default="*", help="rows, as a pattern")
    parser.add_argument("--seeds", type=positive, default=SEEDS, help="of place and route")
    parser.add_argument("--liberty", help="a process besides: a file, or the name of a kit")
    parser.add_argument("--jobs", type=positive)
    results.add_output(parser)
    options = parser.parse_args()
    if not options.checkouts and options.only == "*":
        print("no checkout of a public project is named", file=sys.stderr)
        return MISSING
    checkouts = checkouts_of(options.checkouts)
    rows = {public.row(unit): unit for unit in public.UNITS}
    wanted = {name: rows[name] for name in fnmatch.filter(rows, options.only)}
    if not wanted:
        raise SpecError(f"--only {options.only}: no row matches; the first is {next(iter(rows))}")
    chosen = {n: unit for n, unit in wanted.items() if unit.files.keys() <= checkouts.keys()}
    if not chosen:
        missing = sorted({n for u in wanted.values() for n in u.files} - checkouts.keys())
        raise SpecError(f"no unit is chosen: checkouts of {', '.join(missing)} are not named")
    if options.liberty:
        targets.target("asic", options.liberty)  # said before anything is measured
    progress = stopwatch()

    def one(name: str) -> bool:
        """Measure a unit and keep its row; whether that was possible."""
        made = tried(
            unit=chosen[name], checkouts=checkouts, progress=progress,
            seeds=options.seeds, liberty=options.liberty,
        )  # fmt: skip
        if "error" in made:
            print(f"{name}: {made['error']}", file=sys.stderr, flush=True)
            return False

        def placed(old: dict[str, Any]) -> dict[str, Any]:
            kept = old["rows"] | {name: made}
            return {"rows": {row: kept[row] for row in rows if row in kept}}

        results.change("anchors", placed, options.output, {"rows": {}})
        return True

    work = [jobs.Job(name=name, function=one, arguments={"name": name}) for name in chosen]
    return int(not all(jobs.run(work, workers=options.jobs, progress=progress)))


if __name__ == "__main__":
    start(main)
