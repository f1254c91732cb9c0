# SPDX-License-Identifier: BSD-2-Clause
"""A claim: units that are proven for all inputs together, since one run builds them all."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import macaw
from macaw.golden.units import Unit
from macaw.hdl import generate
from macaw.hdl.emit import write_bodies
from macaw.sim.formal import exhaustive
from macaw.sim.formal.proof import OPEN, PROVEN, REFUTED, Proof
from macaw.sim.formal.prove import LARGEST, LIMIT, prove
from macaw.tools.sources import closure, digest

Options = dict[str, Any]
"""Of an implementation; or ``netlist``, a target whose netlist is proven to equal the gates."""
TOOLS = ("macaw.tools.simulators", "macaw.tools.yosys")
"""Modules that build, simulate and map, with what these import."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """Units, each in every one of the implementations, that are said to be right for all inputs.

    Attributes
    ----------
    name : str
        ``formal/GROUP/…``.
    method : str or None
        How, or as fits.
    largest : int
        Bits of operands up to which they are enumerated.
    limit : float
        Seconds for each proof, after which it is open.
    """

    name: str
    units: tuple[Unit, ...]
    implementations: tuple[Options, ...] = ({},)
    method: str | None = None
    largest: int = LARGEST
    limit: float = LIMIT
    simulator: str = "bulk"

    @property
    def group(self) -> str:
        """Claims that stand in one table."""
        return self.name.split("/")[1]


def tried(
    claim: Claim, *, limit: float | None = None, jobs: int = 1
) -> Iterator[tuple[Unit, Options, Proof]]:
    """The proof of each unit in each implementation; what was proven before is not run again.

    ``limit`` is in place of the claim's own where it is less, and ``jobs`` as :func:`prove` has it.
    """
    wanted = [(spec, how) for spec in claim.units for how in claim.implementations]
    seconds = min(claim.limit, limit or claim.limit)
    options: Options = {"method": claim.method, "largest": claim.largest, "limit": seconds}
    mapped = [(spec, how) for spec, how in wanted if "netlist" in how]
    for spec, how in mapped:
        yield spec, how, macaw.prove(spec, **how, **options, jobs=jobs)
    generated = [(spec, how) for spec, how in wanted if "netlist" not in how]
    designs = [generate(spec, **how) for spec, how in generated]
    write_bodies(designs)
    if claim.method in (None, "exhaustive"):
        exhaustive.ahead([d for d in designs if d.metadata["latency"] == 0])
    for (spec, how), design in zip(generated, designs, strict=True):
        yield spec, how, prove(design, **options, jobs=jobs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """A claim in one word, how many proofs it has, and what is to be read of it."""

    verdict: str
    proofs: int
    seconds: float
    detail: str


def outcome(claim: Claim) -> Outcome:
    """Try a claim until something is refuted."""
    started = time.perf_counter()
    proofs: list[Proof] = []
    for _, _, proof in tried(claim):
        proofs.append(proof)
        if proof.verdict == REFUTED:
            break
    verdicts = [proof.verdict for proof in proofs]
    verdict = next((word for word in (REFUTED, OPEN) if word in verdicts), PROVEN)
    return Outcome(
        verdict=verdict,
        proofs=verdicts.count(PROVEN),
        seconds=time.perf_counter() - started,
        detail="\n".join(str(proof) for proof in proofs if proof.verdict == verdict),
    )


def sources_of(claim: Claim, tools: str) -> str:
    """Digest of a claim, of the tools, and of all Python that modules and proofs come from."""
    own = closure(__name__, within="macaw.sim") + closure(*TOOLS, within="macaw.tools")
    mapped = any("netlist" in how for how in claim.implementations)
    rooms = ("macaw.golden", "macaw.hdl", *(("macaw.synth",) if mapped else ()))
    text = digest(*rooms) + own + repr(claim) + tools
    return hashlib.sha256(text.encode()).hexdigest()
