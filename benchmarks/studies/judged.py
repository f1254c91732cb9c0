# SPDX-License-Identifier: BSD-2-Clause
"""By whom the golden model of each kind of unit was judged, and its gates: how many results.

The checks are those of ``python -m macaw.sim.proof.prove``; what its ledger has, of the same
sources, is not run again. A kind that is not chosen keeps what was recorded of it.

Example: python -m benchmarks.studies.judged --only "copy-*" --ledger build/prove/ledger.json
"""

import argparse
import fnmatch
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from macaw.golden.units import UNITS, Unit
from macaw.sim.proof.cases.case import Case
from macaw.sim.proof.cases.catalogue import cases
from macaw.sim.proof.ledger import Entry, Ledger
from macaw.sim.proof.prove import golden_checks, key_of_golden, missing_outsiders, prove
from macaw.sim.stimulus import exhaustive_bits

from .. import positive, results, start

COMMAND = "python -m benchmarks.studies.judged"
REFERENCE = "reference"
"""The judge that is a scalar reference of the project's own, in fractions and integers."""
JUDGES = {"mpfr": "MPFR", "softfloat": "SoftFloat"}
"""Outsiders, by the name of what compares with them."""
BY_MPFR = ("table", "function")
"""Kinds whose reference takes its results of MPFR, of operands of up to :data:`BITS` bits."""
BITS = 16


def judge_of(check: Any) -> str:
    """Who judges in a comparison of the golden model."""
    first = (*getattr(check.run, "args", ()), None)[0]
    if check.kind in BY_MPFR and isinstance(first, Unit) and exhaustive_bits(first) <= BITS:
        return "MPFR"
    return JUDGES.get(getattr(check.run, "func", check.run).__name__, REFERENCE)


def gates_of(case: Case) -> str:
    """What a check of gates is: all operands, or many in compiled code or a testbench."""
    return "exhaustive" if case.vectors is None else case.simulator


def tally(entries: Iterable[Entry], groups: dict[str, str]) -> dict[str, list[int]]:
    """(checks, results) by group, of entries whose names are in ``groups``."""
    found: dict[str, list[int]] = {}
    for entry in entries:
        counts = found.setdefault(groups[entry.name], [0, 0])
        counts[0] += 1
        counts[1] += entry.vectors
    return dict(sorted(found.items()))


def record(kind: str, ledger: Ledger, jobs: int) -> dict[str, Any]:
    """All checks of one kind: by judge, by what simulates, and how many failed."""
    golden = {f"golden/{check.name}": check for check in golden_checks() if check.kind == kind}
    gates = {case.name: case for case in cases() if isinstance(case, Case)
             and case.unit.kind == kind and case.simulator != "lint"}  # fmt: skip
    keys = {check.name: key_of_golden(check) for check in golden.values()}
    entries = list(prove(list(gates.values()), keys, ledger, jobs=jobs, again=False))
    judges = {name: judge_of(check) for name, check in golden.items()}
    simulated = {name: gates_of(case) for name, case in gates.items()}
    passed = [entry for entry in entries if not entry.failed]
    return {
        "golden": tally((each for each in passed if each.name in judges), judges),
        "gates": tally((each for each in passed if each.name in simulated), simulated),
        "units": len({case.unit for case in gates.values()}),
        "failed": len(entries) - len(passed),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="PATTERN", default="*", help="kinds of units")
    parser.add_argument("--jobs", type=positive, default=2, help="processes")
    parser.add_argument("--ledger", type=Path, default=Path("build/prove/ledger.json"))
    results.add_output(parser)
    options = parser.parse_args()
    chosen = fnmatch.filter(UNITS, options.only)
    if not chosen:
        parser.error(
            f"--only {options.only}: no kind has such a name; there are {', '.join(UNITS)}"
        )
    if absent := missing_outsiders():
        parser.error(f"needs {', '.join(absent)}: pip install 'macaw[dev]'")
    found = results.read("judged", options.output, {"kinds": {}})["kinds"]
    failed = 0
    for kind in chosen:
        found[kind] = record(kind, Ledger(options.ledger), options.jobs)
        failed += found[kind]["failed"]
        made = {each: found[each] for each in UNITS if each in found}
        print(results.write("judged", {"kinds": made}, options.output), kind, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    start(main)
