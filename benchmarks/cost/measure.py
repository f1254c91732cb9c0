# SPDX-License-Identifier: BSD-2-Clause
"""How a unit is priced: the figures that several scripts take of it."""

import argparse
import fnmatch
import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from macaw.golden.errors import MacawError
from macaw.golden.units import Unit, unit
from macaw.synth import run, source, stages_for
from macaw.synth.mapping import targets

from .. import results

OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
MEGAHERTZ = 100.0
"""What the fewest stages are sought for, on ecp5."""
CLOCK = 165.0
"""What the delay model is asked for in rows of the command line."""
FIGURES = ("ecp5", "ecp5-lut", "asic", "clock")
"""Of a row of the command line: see :func:`price`."""


def digest(spec: Unit) -> str:
    """Of a unit's gates: whether figures are still of the same ones."""
    return digest_of(source.generate(spec, stages=0, target="ecp5").verilog)


def digest_of(verilog: str) -> str:
    return hashlib.sha256(verilog.encode()).hexdigest()[:16]


def area(name: str, spec: Unit, stages: int = 0, progress: Any = None) -> dict[str, Any]:
    """All areas of a unit and its delay on libraries; the clock on ecp5 is left out."""
    ecp5, asic = targets.target("ecp5"), targets.target("asic")
    row: dict[str, Any] = {"case": name, "unit": spec.name, "lanes": spec.macs, "stages": stages}
    row |= {"kind": spec.kind, **{f"parameter {k}": v for k, v in spec.parameters.items()}}
    for label, multiplier in (("ecp5", "auto"), ("ecp5-lut", "lut")):
        design = source.generate(spec, stages=stages, target=ecp5.model, multiplier=multiplier)
        made = run(design, ecp5, multiplier=multiplier, area_only=True, progress=progress)
        row[label] = made.to_json()
    design = source.generate(spec, stages=stages, target=asic.model)
    row["asic"] = run(design, asic, progress=progress).to_json()
    if OSU018.exists():
        row["osu018"] = run(design, "asic", liberty=OSU018, progress=progress).to_json()
    return row


def clock(name: str, spec: Unit, progress: Any = None) -> dict[str, Any]:
    """Figures with the fewest stages that reach MEGAHERTZ on ecp5, and the clock without any."""
    ecp5 = targets.target("ecp5")
    alone = run(source.generate(spec, stages=0, target=ecp5.model), ecp5, progress=progress)
    stages, routed = stages_for(spec, ecp5, MEGAHERTZ, progress=progress)
    return area(name, spec, stages, progress) | {
        "routed": routed.to_json(),
        "alone": alone.to_json(),
    }


def parse(row: str) -> tuple[Unit, dict[str, Any]]:
    """(the unit, options of turns) of a row as the command line has it, as ``--fold 8``."""
    words, *options = row.split(" --")
    kind, *parameters = words.split()
    spec = unit(kind, **dict(word.split("=", 1) for word in parameters))
    turns = {name: int(value) for name, value in map(str.split, options)}
    flow = "stream" if spec.kind == "fpu" else "valid"  # of which each operation has its own time
    return spec, {**turns, "flow": flow} if turns else {}


def price(row: str, what: str) -> dict[str, Any]:
    """Figures of one row: ``ecp5``, ``ecp5-lut`` and ``asic`` without registers, ``clock`` with.

    ``ecp5-lut`` has no hard multipliers.
    """
    spec, options = parse(row)
    target = targets.target({"asic": "asic", "clock": "ecp5dsp"}.get(what, "ecp5"))
    speed: dict[str, Any] = {"frequency": CLOCK} if what == "clock" else {"stages": 0}
    multiplier = "lut" if what == "ecp5-lut" else "auto"
    design = source.generate(spec, target=target.model, multiplier=multiplier, **speed, **options)
    area_only = what in ("ecp5", "ecp5-lut")
    result = run(design, target, multiplier=multiplier, area_only=area_only).to_json()
    return {"design": digest_of(design.verilog), "result": result}


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Options of a script that measures rows."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--only", default="*", help="rows, as a pattern")
    results.add_output(parser)
    return parser


def record(
    name: str,
    rows: Sequence[str],
    options: argparse.Namespace,
    figures: Callable[[str], Mapping[str, Callable[[], dict[str, Any]]]],
) -> None:
    """Measure the ``figures`` of rows into the file ``name``; those that are not asked for stay."""
    chosen = fnmatch.filter(rows, options.only)
    if not chosen:
        print(f"--only {options.only}: no row matches; the first is {rows[0]}", file=sys.stderr)
        sys.exit(2)
    found = results.read(name, options.output, {})
    found = {row: found[row] for row in rows if row in found}
    for row in chosen:
        for each, measure in figures(row).items():
            try:
                found.setdefault(row, {})[each] = measure()
            except MacawError as error:
                print(f"{row}: {each}: {error}", flush=True)
                continue
            print(row, each, flush=True)
            results.write(name, found, options.output)


def price_rows(name: str, rows: Sequence[str], what: str, description: str | None) -> None:
    """A script that prices rows into the file ``name``; figures that are not asked for stay."""
    parser = arguments(description)
    parser.add_argument("--what", default=what, help="of " + ", ".join(FIGURES))
    options = parser.parse_args()
    chosen = options.what.split(",")
    if wrong := [each for each in chosen if each not in FIGURES]:
        parser.error(f"--what {','.join(wrong)}: must be of {', '.join(FIGURES)}")
    record(name, rows, options, lambda row: {each: partial(price, row, each) for each in chosen})
