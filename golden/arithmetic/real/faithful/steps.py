# SPDX-License-Identifier: BSD-2-Clause
"""What functions of wide floats have in common: a word for each operand, and its error."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ....formats.scalar import Float
from ...exact import INF, NAN, Exact, bit_length, kinds, unpack
from ..functions import FUNCTIONS as REAL
from ..tabulate import special

__all__ = ["ROOM", "Faithful", "Word"]

ROOM = 63
"""Bits of products."""
_MORE = 4
"""Bits of a word below those of the result's precision."""
_FEWEST = 8
"""Digits that results are computed for at least."""
_POSITIVE = ("log", "log2", "rsqrt")


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """``(-1)**negative * word * 2**exponent``, before it is rounded: arrays of one length."""

    word: np.ndarray
    exponent: np.ndarray
    negative: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Faithful(ABC):
    """A function whose results are less than a last place from its values. Ours.

    Parameters
    ----------
    name : str
    a, out : Float
    """

    name: str
    a: Float
    out: Float

    @property
    def bits(self) -> int:
        """Fraction bits B of a word from 1 to 2."""
        return max(self.out.precision, _FEWEST) + _MORE

    @property
    def error(self) -> Fraction:
        """In last places of a normal result, and beside the one rounding: no less than it is."""
        # A number below 2**(k + 1) has last places of 2**(k + 1 - precision).
        return self._relative * Fraction(2) ** (self.out.precision - self.bits)

    @property
    @abstractmethod
    def _relative(self) -> Fraction:
        """No less than the relative error of the word, in units of ``2**-bits``."""

    @abstractmethod
    def _word(self, x: Exact) -> Word:
        """The word of finite operands that are not zero, and not outside the domain."""

    @property
    def widest(self) -> int:
        """Bits of the longest integer on the way."""
        return self.a.width + self.bits

    def __call__(self, codes: np.ndarray) -> Exact:
        """Return what is to be rounded, of codes of any shape."""
        function = REAL[self.name]
        x = unpack(codes.ravel(), self.a)
        kind = kinds(x)
        zero = (x.significand == 0) & (kind == 0)
        ordinary = ~zero & (kind == 0)
        # Any number stands for those that are none.
        number = replace(
            x,
            significand=np.where(ordinary, x.significand, 1).astype(np.uint64),
            exponent=np.where(ordinary, x.exponent, 0),
            kind=None,
        )
        found = self._word(number)
        significand, exponent, negative = (
            found.word.astype(np.uint64), found.exponent.astype(np.int64), found.negative,
        )  # fmt: skip
        what = np.zeros(kind.shape, np.uint8)
        low, high = function.limits
        infinite = (kind & INF) != 0
        rows = [(zero, special(function.zero), function.odd)]
        rows += [(infinite & x.negative, special(low), False)]
        rows += [(infinite & ~x.negative, special(high), False)]
        if self.name in _POSITIVE:
            rows.append((ordinary & x.negative, special("nan"), False))
        for chosen, (m, e, sign, code), odd in rows:
            significand = np.where(chosen, np.uint64(m), significand)
            exponent = np.where(chosen, e, exponent)
            negative = np.where(chosen, (x.negative & odd) ^ sign, negative)
            what = np.where(chosen, np.uint8(code), what)
        nan = (kind & NAN) != 0
        what = np.where(nan, kind, what)
        shape = codes.shape
        return Exact(
            significand=significand.reshape(shape),
            exponent=exponent.reshape(shape),
            negative=np.where(nan, x.negative, negative).reshape(shape),
            kind=what.reshape(shape),
            low=int(exponent.min(initial=0)),
            high=int(exponent.max(initial=0)) + ROOM,
            bits=ROOM,
        )

    def _normalised(self, x: Exact) -> tuple[np.ndarray, np.ndarray]:
        """(the fraction behind the leading one, in all its bits, the leading one's exponent)."""
        up = self.a.precision - bit_length(x.significand).astype(np.int64)
        significand = x.significand.astype(np.int64) << up
        return significand & ((1 << self.a.mantissa) - 1), x.exponent - up + self.a.mantissa
