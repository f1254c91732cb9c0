# SPDX-License-Identifier: BSD-2-Clause
"""What units are mapped to, run against golden: a unit of every kind, and listed ones if asked for.

Each on ``asic`` and ``ecp5``, without registers and as a stream of three stages under pauses: all
operand codes where these are few, else so many vectors. Listed units are those of the proof, the
same number of each kind, evenly taken. What has passed and is as it was is not run again.

Example: python -m benchmarks.errors.netlists --only "fma*"
"""

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

from macaw.golden.errors import MacawError
from macaw.golden.units import Unit, unit
from macaw.hdl.options.naming import command
from macaw.sim import verify
from macaw.sim.proof.covered import listed
from macaw.sim.stimulus.exhaustive import exhaustive_bits
from macaw.synth import mapped, source

from .. import positive, results
from ..cost.kinds import ROWS as KINDS
from ..cost.measure import arguments, digest_of, parse, record
from .delay_errors import units

TARGETS = ("asic", "ecp5")
WAYS: dict[str, dict[str, Any]] = {
    "": {"stages": 0},
    " stream": {"stages": 3, "flow": "stream"},
}
"""How a unit is built, by what is said of it behind the target."""
FEW = 16
"""Bits of operands all of whose codes are tried."""
VECTORS = 20_000
PIPELINE = "mul(a=e5m2, out=fp16) | add(b=fp16) | cast(out=e5m2)"
"""A unit of the kind that is made of others."""
SEED = 1
TIMEOUT = 900.0
"""Seconds that a tool may take."""

Row = tuple[Unit, dict[str, dict[str, Any]]]
"""A unit, and how it is built by what is said of it."""


def of_every_kind() -> dict[str, Row]:
    """A unit of every kind, those whose operations take turns too, and those of several formats."""
    found: dict[str, Row] = {row: (parse(row)[0], WAYS) for row in units()}
    for row in KINDS:
        spec, turns = parse(row)
        if turns:
            found[row] = spec, {"": turns}
    chain = unit("pipeline", stages=PIPELINE)
    return {**found, _words(chain): (chain, WAYS)}


def of_the_proof() -> dict[str, dict[str, Row]]:
    """Listed units by kind, each by what the command has of it."""
    found: dict[str, dict[str, Row]] = {}
    for spec in listed():
        found.setdefault(spec.kind, {})[_words(spec)] = spec, WAYS
    return found


def _words(spec: Unit) -> str:
    """A unit as the command line has it."""
    return command("verify", spec, None).removeprefix("macaw verify ")


def evenly(names: list[str], most: int) -> list[str]:
    """So many of the names at most, as far from each other as they can be; the first is one."""
    count = min(most, len(names))
    return [names[i * len(names) // count] for i in range(count)]


def measured(
    spec: Unit, target: str, how: dict[str, Any], vectors: int, kept: dict[str, Any]
) -> dict[str, Any]:
    """What a unit is mapped to, run: vectors, mismatches and cells; or why it is not.

    ``kept`` is what was recorded of it; it stands where it was of the same gates.
    """
    try:
        design = source.generate(spec, target=target, **how)
        same = {"design": digest_of(design.verilog), "asked": vectors}
        if kept.get("mismatches") == 0 and {**kept, **same} == kept:
            return kept
        gates: Any = mapped(spec, target, timeout=TIMEOUT, **how)
        few = not spec.stateful and exhaustive_bits(spec) <= FEW
        asked: dict[str, Any] = {"exhaustive": True} if few else {"vectors": vectors}
        report = verify(gates, simulator="bulk", seed=SEED, **asked)
    except MacawError as error:
        return {"refused": _line(error)[:200]}
    found = {**same, "vectors": report.vectors, "all": few, "cells": sum(gates.cells.values())}
    if report.passed:
        return {**found, "mismatches": 0}
    return {**found, "mismatches": 1, "first": _line(report.mismatch)}


def _line(said: object) -> str:
    return " ".join(str(said).split())


def main() -> None:
    parser = arguments(__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--vectors", type=positive, default=VECTORS, help=f"of a run (default: {VECTORS:,})"
    )
    parser.add_argument(
        "--listed", type=int, default=0, help="so many units of each kind besides (default: none)"
    )
    options = parser.parse_args()
    rows, by_kind = of_every_kind(), of_the_proof()
    chosen = {*rows}
    for of_kind in by_kind.values():
        chosen |= {*evenly([*of_kind], options.listed)}
        rows |= {name: row for name, row in of_kind.items() if name not in rows}
    before = results.read("netlists", options.output, {})

    def figures(row: str, way: str) -> dict[str, Callable[[], dict[str, Any]]]:
        spec, ways = rows[row]
        if row not in chosen or way not in ways:
            return {}
        return {
            f"{target}{way}": partial(
                measured, spec, target, ways[way], options.vectors, kept(row, f"{target}{way}")
            )
            for target in TARGETS
        }

    def kept(row: str, name: str) -> dict[str, Any]:
        return before.get(row, {}).get(name, {})

    for way in WAYS:  # a unit of every kind comes first
        record("netlists", tuple(rows), options, partial(figures, way=way))


if __name__ == "__main__":
    main()
