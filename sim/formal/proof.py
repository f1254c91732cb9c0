# SPDX-License-Identifier: BSD-2-Clause
"""What a proof says: one word, and the steps that it rests on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..mismatch import Mismatch

PROVEN, REFUTED, OPEN = "proven", "refuted", "open"

METHODS = {
    "exhaustive": "every combination of operand codes, simulated and compared with golden",
    "symfpu": "equal to Yosys' model of IEEE 754 operations for all operands, by ABC",
    "plain": "equal to a second, plainly written description for all operands, by ABC",
}
"""How a unit without registers is judged, in the order in which they are tried."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One claim of a proof.

    Attributes
    ----------
    claim : str
        What is equal to what.
    method : str
        How that was judged.
    verdict : str
        ``proven``, ``refuted`` or ``open``.
    covered : str
        Which inputs; of an open step, which of them are proven.
    reason : str
        Why it is open; empty otherwise.
    seconds : float
        Wall time, that of results from the cache included.
    """

    claim: str
    method: str
    verdict: str
    covered: str
    reason: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        reason = f": {self.reason}" if self.reason else ""
        covered = f"; {self.covered}" if self.covered else ""
        return (
            f"  {self.verdict:8}{self.claim}{reason}\n"
            f"          {self.method}{covered}; {self.seconds:.1f} s"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What is known of a module for all inputs.

    Attributes
    ----------
    verdict : str
        ``proven``: every step is. ``refuted``: a step found operands with a wrong result.
        ``open``: neither.
    name : str
        The module.
    steps : tuple of Step
    tools : tuple of str
        With versions.
    seconds : float
        Wall time of this run.
    mismatch : Mismatch or None
        The counterexample, as simulation shows it.
    """

    verdict: str
    name: str
    steps: tuple[Step, ...]
    tools: tuple[str, ...]
    seconds: float
    mismatch: Mismatch | None = None

    @property
    def passed(self) -> bool:
        """Whether all that was claimed is proven."""
        return self.verdict == PROVEN

    def to_json(self) -> dict[str, Any]:
        """The fields as a dictionary that :mod:`json` can write."""
        return {
            "passed": self.passed,
            "verdict": self.verdict,
            "name": self.name,
            "steps": [asdict(step) for step in self.steps],
            "tools": list(self.tools),
            "seconds": round(self.seconds, 3),
            "mismatch": self.mismatch.to_json() if self.mismatch else None,
        }

    def __str__(self) -> str:
        tools = f" ({', '.join(self.tools)})" if self.tools else ""
        lines = [f"{self.name}: {self.verdict} in {self.seconds:.1f} s{tools}"]
        lines += [str(step) for step in self.steps]
        return "\n".join([*lines, str(self.mismatch)] if self.mismatch else lines)
