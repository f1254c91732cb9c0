# SPDX-License-Identifier: BSD-2-Clause
"""Operands of a floating-point unit: each operation gets those of the unit that it is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from macaw.golden.units import Fpu, Unit

from ..bench.interface import Codes

Vectors = Callable[[np.random.Generator, int], Codes]


class Operations:
    """Draws operations of a unit, and for each of them what is drawn for it alone.

    Parameters
    ----------
    unit : Fpu
    draws : function
        What draws vectors for a unit.
    """

    def __init__(self, unit: Fpu, draws: Callable[[Unit], Vectors]) -> None:
        self.unit = unit
        self.parts = {word: (unit.operation(word), unit.code(word)) for word in unit.listed}
        self.vectors = {word: draws(part.unit) for word, (part, _) in self.parts.items()}

    def draw(self, rng: np.random.Generator, codes: Codes) -> None:
        """Write operations and their operands over ``codes``; of some codes there is none."""
        op = codes["op"]
        known = np.array([code for _, code in self.parts.values()], op.dtype)
        some = rng.random(op.size) < 0.98
        op[some] = rng.choice(known, int(some.sum()))
        top = self.unit.a.code_dtype.type(1 << (self.unit.a.width - 1))
        for word, (part, code) in self.parts.items():
            where = np.flatnonzero(op == code)
            if not where.size:
                continue
            drawn = self.vectors[word](rng, where.size)
            for name, port in part.operands.items():
                negated = port in part.negated
                codes[port][where] = drawn[name] ^ top if negated else drawn[name]
