# SPDX-License-Identifier: BSD-2-Clause
"""A study that is a comparison: its options, its run, and what is kept of its rows."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import macaw
from macaw.synth import TARGETS
from macaw.synth.compare import Comparison
from macaw.synth.row import Row

from ... import positive, results
from ...stopwatch import stopwatch

KEPT = ("format", "bits", "unit", "stages", "macs", "cost", "cost_unit", "fmax_mhz", "period_fo4",
        "clock", "reached", "rate", "energy_per_mac", "energy_unit", "sqnr", "error")  # fmt: skip
"""Fields of a row."""
FIGURES = ("area_um2", "delay_ps", "energy_without_glitches", "energy_of_clock", "leakage_power",
           "operands", "operations", "library", "library_digest", "generated_by",
           "hash")  # fmt: skip
"""Fields of its result."""


def kept(row: Row) -> dict[str, Any]:
    """The figures of a row that there are."""
    found = {name: getattr(row, name) for name in KEPT}
    found |= {name: row.result.get(name) for name in FIGURES}
    return {name: value for name, value in found.items() if value not in (None, {}, "")}


def compared(
    formats: Sequence[str], target: str, workers: int | None = None, **settings: Any
) -> dict[str, Any]:
    """One comparison on one target: its settings, and its rows.

    ``target`` is one by name, or a Liberty file or kit. Units go unproven: what is mapped is
    simulated against the golden model for its energy, and the units are those of the whole proof.
    """
    place = {"targets": [target]} if target in TARGETS else {"liberty": target}
    made: Comparison = macaw.compare(
        formats,
        **place,
        **settings,
        proof=False,
        workers=workers,
        progress=stopwatch(),
    )
    return {"settings": settings, "rows": [kept(row) for row in made.rows]}


def options_of(description: str | None, formats: Sequence[str], targets: Sequence[str]) -> Any:
    """The options of such a study."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--formats", nargs="+", default=list(formats), metavar="FORMAT")
    parser.add_argument(
        "--targets",
        nargs="+",
        default=list(targets),
        metavar="TARGET",
        help="names of targets, Liberty files, or kits below PDK_ROOT",
    )
    parser.add_argument("--workers", type=positive, help="parallel jobs (default: one per core)")
    results.add_output(parser)
    parser.set_defaults(order=tuple(formats))
    return parser.parse_args()


def joined(old: dict[str, Any], new: dict[str, Any], order: Sequence[str]) -> dict[str, Any]:
    """A target's rows with the new ones in place; the new ones alone if they are of other settings.

    What ``reference`` says is no setting here: no figure of a row follows from it.
    """
    before, now = ({**made.get("settings", {}), "reference": None} for made in (old, new))
    rows = {row["format"]: row for row in (old["rows"] if before == now else [])}
    rows |= {row["format"]: row for row in new["rows"]}
    known = [name for name in order if name in rows]
    rows = {name: rows[name] for name in [*known, *rows]}
    return {**new, "rows": list(rows.values())}


def record(name: str, options: Any, measure: Callable[[str], dict[str, Any]]) -> None:
    """Measure each target into the file ``name``; targets and formats not asked for stay.

    A Liberty file has the name ``process`` there.
    """
    found = results.read(name, options.output, {})
    for target in options.targets:
        made = measure(target)
        for row in made["rows"]:
            if "error" in row:
                print(f"{target}: {row['format']}: {row['error']}", flush=True)
        place = target if target in TARGETS else "process"
        found[place] = joined(found.get(place, {}), made, options.order)
        print(results.write(name, found, options.output), target, flush=True)
