# SPDX-License-Identifier: BSD-2-Clause
"""The scale of a loss, or of one layer's gradients, from what became of them in each step.

Scales are powers of two, ``2**exponent``. A step is *bad* if one of its values overflowed, or was
no finite number: it is to be left out, the exponent falls by ``backoff``, and counting begins
anew. In a good step, by the rule:

``dynamic``
    After ``interval`` good steps in a row the exponent rises by ``growth``. PyTorch's GradScaler,
    and Micikevicius et al., Mixed Precision Training (arXiv 1710.03740), section 3.2.
``underflow``
    The same, but only steps with more than ``allowed`` underflows count; another one begins anew.
    So the scale rises for as long as values are lost. Ours, to the aim of Zhao et al., Adaptive
    Loss Scaling for Mixed Precision Training (arXiv 1910.12385): a layer's own scale, by underflow.
``largest``
    Each step has a candidate: the largest exponent at which its largest magnitude would have been
    finite, less ``margin``. If that is lower than the exponent, it is the next one at once; else
    the least candidate of ``interval`` steps in a row is. Of a tensor of zeros it is the highest.
    Ours, after the scaling by largest magnitudes of NVIDIA's Transformer Engine.

Exponents stay from ``low`` to ``high``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...formats.scalar import Float

__all__ = ["RULES", "LossScaler", "State", "rooms"]

RULES = ("dynamic", "underflow", "largest")

ENDLESS = 1 << 20
"""More than any exponent: the room of zero."""


class State(NamedTuple):
    """What a step leaves to the next.

    Attributes
    ----------
    exponent : int
        Of the scale.
    good : int
        Steps that count, since counting began.
    candidate : int
        The least candidate of these, for ``rule=largest``.
    """

    exponent: int
    good: int = 0
    candidate: int = 0


def rooms(values: np.ndarray, largest: float) -> np.ndarray:
    """Return by which power of two magnitudes could grow up to ``largest``, both finite.

    Parameters
    ----------
    values : ndarray of float64
        That of zero is :data:`ENDLESS`.
    """
    fraction, exponent = np.frexp(np.abs(values))
    top, most = np.frexp(largest)
    return np.where(values == 0, ENDLESS, most - exponent - (fraction > top)).astype(np.int64)


@dataclass(frozen=True, kw_only=True, slots=True)
class LossScaler:
    """A rule with its numbers, as of :class:`macaw.golden.units.LossScale`; exponents are of two.

    Attributes
    ----------
    rule : str
        One of :data:`RULES`.
    interval, growth, backoff, allowed, margin, init, low, high : int
    format : Float or None
        Of largest magnitudes, for ``rule=largest``.
    """

    rule: str
    interval: int
    growth: int
    backoff: int
    allowed: int
    margin: int
    init: int
    low: int
    high: int
    format: Float | None

    @property
    def start(self) -> State:
        """The state before the first step."""
        return State(self.init)

    def step(
        self, state: State, overflows: int, underflows: int = 0, largest: float = 0.0
    ) -> tuple[State, bool]:
        """Return the state after a step, and whether the step was bad.

        ``overflows`` and ``underflows`` are counts, ``largest`` is a magnitude.
        """
        room = 0
        if self.format is not None and np.isfinite(largest):
            room = int(rooms(np.asarray(largest, np.float64), self.format.max))
        bad = bool(overflows) or not np.isfinite(largest)
        return self.after(state, bad, underflows, room), bad

    def after(self, state: State, bad: bool, underflows: int, room: int) -> State:
        """Return the state after a step whose largest magnitude could grow by ``2**room``."""
        exponent, good, candidate = state
        if bad:
            return State(max(exponent - self.backoff, self.low))
        if self.rule == "underflow" and underflows <= self.allowed:
            return State(exponent)
        good += 1
        if self.rule == "largest":
            now = min(max(exponent + room - self.margin, self.low), self.high)
            candidate = now if good == 1 else min(now, candidate)
            if candidate < exponent or good == self.interval:
                return State(candidate)
        elif good == self.interval:
            return State(min(exponent + self.growth, self.high))
        return State(exponent, good, candidate)
