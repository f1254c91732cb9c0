# SPDX-License-Identifier: BSD-2-Clause
"""The tables of coverage in docs/verification.md: bins that stimulus hits, and why not others."""

import functools
from collections import Counter

from macaw.golden.units import unit
from macaw.sim.stimulus import stimulus
from macaw.sim.stimulus.coverage import Coverage, coverage

from ..markdown import table

UNITS = {
    "fma fp32": unit("fma", a="fp32", out="fp32"),
    "fma e5m2": unit("fma", a="e5m2", out="e5m2"),
    "block-dot nvfp4": unit("block-dot", a="nvfp4", out="fp32"),
    "requantize": unit("requantize"),
    "flex-mac": unit("flex-mac", a="flex16+5"),
    "mac e5m2": unit("mac", a="e5m2", out="fp16", acc="fp16", lanes=2),
    "mac int8": unit("mac", a="int8", out="int32", lanes=4),
    "mul int8": unit("mul", a="fp16", out="int8"),
}
VECTORS, SEED = 10_000, 1


@functools.cache
def counted() -> dict[str, Coverage]:
    """Coverage of the units by as many vectors as a simulation has by default."""
    return {
        name: coverage(spec, stimulus(spec, vectors=VECTORS, seed=SEED))
        for name, spec in UNITS.items()
    }


def bins() -> str:
    """Bins of each group: hit, of those that the unit has; and those that were never hit."""
    found = counted()
    groups = dict.fromkeys(c.group for each in found.values() for c in each.counts)
    rows = []
    for group in groups:
        cells = []
        for each in found.values():
            here = [c for c in each.counts if c.group == group]
            there = [c for c in here if not c.reason]
            hit = sum(c.hits > 0 for c in there)
            cells.append(f"{hit} of {len(there)}" if here else "")
        rows.append([group, *cells])
    never = ["; ".join(c.name for c in each.never) or "none" for each in found.values()]
    return table(["bins", *found], [*rows, ["never hit", *never]])


def unreachable() -> str:
    """Why units do not have the others."""
    rows = []
    for name, each in counted().items():
        reasons = Counter(c.reason for c in each.counts if c.reason)
        rows += [[name, reason, str(n)] for reason, n in reasons.items()]
    return table(["unit", "why not", "bins"], rows, left=2)
