# SPDX-License-Identifier: BSD-2-Clause
"""What of the list of claims is proven for all inputs, how, and in which time; and what is open.

What was proven before, of the same gates with the same tools, is not run again. A claim that is not
chosen by ``--only`` keeps what was recorded of it.

Example: python -m benchmarks.studies.proven --only 'formal/mul/*' --limit 60
"""

import argparse
import fnmatch
from pathlib import Path
from typing import Any

from macaw.golden.units import Unit
from macaw.golden.units.naming.words import spelled
from macaw.sim.formal.proof import Proof
from macaw.sim.proof.formal.claim import Claim, Options, tried
from macaw.sim.proof.formal.listed import claims
from macaw.sim.stimulus import exhaustive_bits

from .. import positive, results

COMMAND = "python -m benchmarks.studies.proven"


def row(claim: Claim, spec: Unit, how: Options, proof: Proof | None) -> dict[str, Any]:
    """The record of one proof; without one it was not tried."""
    essential = {name: spelled(value) for name, value in spec.essential.items()}
    rounding = essential.pop("rounding", "rne")
    steps = proof.steps if proof is not None else ()
    return {
        "claim": claim.name,
        "unit": " ".join([spec.kind, *(f"{name}={value}" for name, value in essential.items())]),
        "rounding": rounding,
        "bits": exhaustive_bits(spec),
        "how": " ".join(f"{name}={value}" for name, value in how.items()),
        "verdict": proof.verdict if proof is not None else "open",
        "steps": [[step.method, step.verdict, round(step.seconds, 3)] for step in steps],
        "reason": "; ".join(step.reason for step in steps if step.reason) if proof else "not tried",
    }


def rows(claim: Claim, limit: float | None, jobs: int) -> tuple[list[dict[str, Any]], set[str]]:
    """Records of a claim's proofs, and the tools that made them."""
    found, tools = [], set[str]()
    for spec, how, proof in tried(claim, limit=limit, jobs=jobs):
        found.append(row(claim, spec, how, proof))
        tools |= {*proof.tools}
    return found, tools


def untried(claim: Claim) -> list[dict[str, Any]]:
    """The same of one that was not tried."""
    return [row(claim, spec, how, None) for spec in claim.units for how in claim.implementations]


def _write(made: dict[str, list[dict[str, Any]]], tools: set[str], folder: Path) -> None:
    every = [each for found in made.values() for each in found]
    results.write("proven", {"tools": sorted(tools), "rows": every}, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="PATTERN", default="*", help="claims whose name matches")
    parser.add_argument("--limit", type=float, help="seconds for each proof, at most")
    parser.add_argument("--jobs", type=positive, default=1, help="cases of a proof at a time")
    results.add_output(parser)
    options = parser.parse_args()
    chosen = {claim.name for claim in claims() if fnmatch.fnmatch(claim.name, options.only)}
    if not chosen:
        parser.error(f"--only {options.only}: no claim has such a name, as formal/mul/e4m3")
    before = results.read("proven", options.output, {"tools": [], "rows": []})
    kept: dict[str, list[dict[str, Any]]] = {}
    for old in before["rows"]:
        kept.setdefault(old["claim"], []).append(old)
    tools = {*before["tools"]}
    made = {claim.name: kept.get(claim.name) or untried(claim) for claim in claims()}
    for claim in claims():
        if claim.name in chosen:
            made[claim.name], used = rows(claim, options.limit, options.jobs)
            tools |= used
            proven = sum(each["verdict"] == "proven" for each in made[claim.name])
            print(f"{claim.name}: {proven} of {len(made[claim.name])} proven", flush=True)
            _write(made, tools, options.output)
    _write(made, tools, options.output)


if __name__ == "__main__":
    main()
