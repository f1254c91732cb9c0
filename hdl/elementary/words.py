# SPDX-License-Identifier: BSD-2-Clause
"""Which words may stand for a value: all that are rounded to the same result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from macaw.golden.arithmetic.exact import Exact
from macaw.golden.arithmetic.projection import Direction, project
from macaw.golden.formats import Format
from macaw.golden.formats.choices import Overflow, Rounding

_FLOOR = -62
"""Exponents of values are seen no lower than this below a word's last bit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """What words mean: ``(-1)**negative * (word + something below one if sticky) * 2**last``.

    Attributes
    ----------
    last : ndarray of int64
    sticky : ndarray of int64
    negative : ndarray of bool
        Of values whose words are magnitudes.
    """

    last: np.ndarray
    sticky: np.ndarray
    negative: np.ndarray

    def __getitem__(self, index: np.ndarray) -> Scale:
        return Scale(
            last=self.last[index], sticky=self.sticky[index], negative=self.negative[index]
        )


@dataclass(frozen=True, slots=True)
class Result:
    """How values become results.

    Attributes
    ----------
    out : Format
    rounding : Rounding
    overflow : Overflow or None
        As the unit has resolved it.
    """

    out: Format
    rounding: Rounding
    overflow: Overflow | None

    def codes(self, words: np.ndarray, scale: Scale) -> np.ndarray:
        """Return the codes that words have."""
        twice, last = 2 * words + scale.sticky, scale.last
        exact = Exact(
            significand=np.abs(twice).astype(np.uint64),
            exponent=last - 1,
            negative=(twice < 0) ^ scale.negative,
            kind=None,
            low=int(last.min()) - 1,
            high=int(last.max()) + 64,
            bits=63,
        )
        return project(exact, self.out, Direction(self.rounding), self.overflow)[0]


def floors(values: Exact, scale: Scale) -> np.ndarray:
    """Return the words of values, rounded down: int64."""
    drop = np.clip(scale.last - values.exponent, _FLOOR, 63)
    significands = values.significand.astype(np.int64)
    shifted = significands >> np.maximum(drop, 0)
    lost = significands & ((np.int64(1) << np.maximum(drop, 0)) - 1)
    shifted <<= np.maximum(-drop, 0)
    return np.where(values.negative ^ scale.negative, -shifted - (lost != 0), shifted)


def allowed(
    values: Exact, codes: np.ndarray, scale: Scale, result: Result, bits: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the least and the greatest word for each value; None if the words are too coarse.

    Parameters
    ----------
    values : Exact
    codes : ndarray
        Their results.
    scale : Scale
    bits : int
        No interval goes further than ``2**bits`` to either side.
    """
    word = floors(values, scale)
    if (result.codes(word, scale) != codes).any():
        return None
    low, high = word.copy(), word
    # Rounding is monotone: what has the same result on both sides has it in between.
    for step in (1 << bit for bit in reversed(range(bits))):
        low = np.where(result.codes(low - step, scale) == codes, low - step, low)
        high = np.where(result.codes(high + step, scale) == codes, high + step, high)
    return low, high
