# SPDX-License-Identifier: BSD-2-Clause
"""Words of a linear-feedback shift register: its polynomial, its states, and what is read of them.

A polynomial over GF(2) is an integer, bit j the coefficient of ``x**j``. With d its degree, the
register has d bits, and one step is, by its form,

- ``fibonacci``: up by one place, and the lowest bit becomes the exclusive or of the bits j - 1 for
  every ``x**j`` of the polynomial but the constant;
- ``galois``: times x, modulo the polynomial.

With a primitive polynomial both forms take all states but zero in turn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import SpecError

__all__ = ["FORMS", "PRIMITIVE", "Register", "parse", "spell"]

FORMS = ("fibonacci", "galois")

_TAPS = {
    2: (1,), 3: (1,), 4: (1,), 5: (2,), 6: (1,), 7: (1,), 8: (4, 3, 2), 9: (4,), 10: (3,),
    11: (2,), 12: (6, 4, 1), 13: (4, 3, 1), 14: (5, 3, 1), 15: (14,), 16: (5, 3, 2), 17: (3,),
    18: (7,), 19: (5, 2, 1), 20: (3,), 21: (2,), 22: (1,), 23: (18,), 24: (4, 3, 1), 25: (3,),
    26: (6, 2, 1), 27: (5, 2, 1), 28: (3,), 29: (2,), 30: (6, 4, 1), 31: (28,),
    32: (22, 2, 1), 33: (13,), 34: (8, 4, 3), 35: (2,), 36: (11,), 37: (6, 4, 1),
    38: (6, 5, 1), 39: (4,), 40: (5, 4, 3), 41: (3,), 42: (7, 4, 3), 43: (6, 4, 3),
    44: (6, 5, 2), 45: (4, 3, 1), 46: (8, 7, 6), 47: (5,), 48: (9, 7, 4), 49: (9,),
    50: (4, 3, 2), 51: (6, 3, 1), 52: (3,), 53: (6, 2, 1), 54: (8, 6, 3), 55: (24,),
    56: (7, 4, 2), 57: (7,), 58: (19,), 59: (7, 4, 2), 60: (1,), 61: (5, 2, 1),
    62: (6, 5, 3), 63: (62,), 64: (63, 61, 60),
}  # fmt: skip

PRIMITIVE: dict[int, int] = {
    degree: 1 << degree | sum(1 << tap for tap in taps) | 1 for degree, taps in _TAPS.items()
}
"""A primitive polynomial of each degree from 2 to 64."""

_TERM = re.compile(r"x\^?(\d{1,2})|(x)|(1)")
_BLOCK = 1 << 18
"""States computed at a time."""


def parse(name: str, value: Any) -> int:
    """Return the polynomial that ``value`` means: a degree, or powers as ``x16+x5+x3+x2+1``.

    SpecError, which names the parameter ``name``, if it means none.
    """
    text = str(value).lower().replace(" ", "")
    if re.fullmatch(r"\d{1,2}", text) and int(text) in PRIMITIVE:
        return PRIMITIVE[int(text)]
    found = [_TERM.fullmatch(term) for term in text[:1000].split("+")]
    powers = [int(m[1] or (1 if m[2] else 0)) for m in found if m]
    good = len(powers) == len(found) == len(set(powers))
    if isinstance(value, bool) or not (good and 2 <= max(powers) <= 64 and 0 in powers):
        raise SpecError(
            f"{name}={value!s:.60}: must be a degree from 2 to 64, or different powers of x with "
            "1 among them, as x16+x5+x3+x2+1"
        )
    return sum(1 << power for power in powers)


def spell(polynomial: int) -> str:
    """Return the text that :func:`parse` reads back."""
    powers = [j for j in reversed(range(polynomial.bit_length())) if polynomial >> j & 1]
    return "+".join("1" if j == 0 else "x" if j == 1 else f"x{j}" for j in powers)


@dataclass(frozen=True, kw_only=True, slots=True)
class Register:
    """A shift register as a source of words.

    Attributes
    ----------
    polynomial : int
    form : str
        One of :data:`FORMS`.
    seed : int
        The first state.
    steps : int
        From a word to the next.
    width : int
        Bits of a word: the lowest ones of a state.
    """

    polynomial: int
    form: str
    seed: int
    steps: int
    width: int

    @property
    def degree(self) -> int:
        """Bits of the state."""
        return self.polynomial.bit_length() - 1

    def step(self, state: int) -> int:
        """Return the state after this one."""
        up = state << 1
        if self.form == "galois":
            return up ^ self.polynomial if up >> self.degree else up
        fresh = (state & self.polynomial >> 1).bit_count() & 1
        return up & ~(1 << self.degree) | fresh

    def words(self, count: int) -> np.ndarray:
        """Return the first ``count`` words, uint64."""
        # Each 2**k-th state follows from those before it as each state does: f(x)**2 = f(x**2).
        stride = self.steps & -self.steps
        every = self.steps // stride
        taken = np.empty(count, np.uint64)
        state, done, offset = self.seed, 0, 0
        while done < count:
            size = min(_BLOCK, offset + (count - 1 - done) * every + 1)
            states, state = self._states(state, stride, size)
            block = states[offset::every]
            taken[done : done + block.size] = block
            done += block.size
            offset += block.size * every - size
        return taken & np.uint64((1 << self.width) - 1)

    def drawn(self, reseed: np.ndarray, lanes: int) -> np.ndarray:
        """Return the words of each beat, uint64 of shape (beats, lanes).

        They begin anew with the beat after each that has ``reseed``.
        """
        beats = np.arange(reseed.size)
        starts = np.zeros(reseed.size, np.int64)
        starts[1:] = np.where(reseed[:-1] != 0, beats[1:], 0)
        beats -= np.maximum.accumulate(starts)
        return self.words((int(beats.max()) + 1) * lanes).reshape(-1, lanes)[beats]

    def _states(self, state: int, stride: int, count: int) -> tuple[np.ndarray, int]:
        """(``count`` states from ``state`` on, ``stride`` steps apart; the one behind them)."""
        degree = self.degree
        states = np.empty(max(count + 1, degree), np.uint64)
        for index in range(degree):
            states[index] = state
            for _ in range(stride):
                state = self.step(state)
        powers = [j for j in range(degree + 1) if self.polynomial >> j & 1]
        back = powers[1:] if self.form == "fibonacci" else [degree - j for j in powers[:-1]]
        there = degree
        while there < states.size:
            scale = 1 << ((there // degree).bit_length() - 1)
            size = min(min(back) * scale, states.size - there)
            total = np.zeros(size, np.uint64)
            for lag in back:
                start = there - lag * scale
                total ^= states[start : start + size]
            states[there : there + size] = total
            there += size
        return states[:count], int(states[count]) if count < states.size else state
