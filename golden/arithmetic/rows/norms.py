# SPDX-License-Identifier: BSD-2-Clause
"""Rows of floats divided by the root of their mean square."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..exact import INF, NAN, Exact, bit_length, kinds
from ..functions import isqrt
from .beats import Rows
from .sums import STEP, aligned_sums, shifted


@dataclass(frozen=True, kw_only=True, slots=True)
class Epsilon:
    """What is added to a mean: the nearest ``significand * 2**exponent``, ties to even. Ours.

    Parameters
    ----------
    value : Fraction
        Above zero.
    bits : int
        The significand has 2 more.
    """

    value: Fraction
    bits: int

    @property
    def exponent(self) -> int:
        """Of the last place."""
        return self.highest - self.bits - 1

    @property
    def highest(self) -> int:
        """The exponent of the leading one."""
        n, d = self.value.numerator, self.value.denominator
        guess = n.bit_length() - d.bit_length()
        return guess if self.value >= Fraction(2) ** guess else guess - 1

    @property
    def significand(self) -> int:
        """From ``2**(bits + 1)`` to ``2**(bits + 2)``."""
        return round(self.value / Fraction(2) ** self.exponent)

    @property
    def step(self) -> int:
        """The exponent of the leading one, rounded down to a multiple of 8."""
        return self.highest & -STEP


@dataclass(frozen=True, kw_only=True, slots=True)
class RmsNorm:
    """``x[i] / sqrt(mean(x**2) + eps)`` of each row. Ours.

    Each element that is present adds its square to the row's sum s, an integer in units of
    ``2**(N - aligned)``: see :func:`.sums.aligned_sums`, where N begins with the eps's ``step``,
    and n is ``2 t + 1`` of an element with the exponent t, not below ``emin``. With c for the
    number of elements that are present, when the row has ended::

        v = max(s + floor(c * eps * 2**(aligned - N)), 1)

    With k and j for the places of the leading ones of v and c, ``h = j - k + aligned``, and o for
    1 where h is odd, the reciprocal root is q times a power of two::

        d = floor(v * 2**(bits + 1 - k))
        q = floor(sqrt(floor(c * 2**(2 bits + 4 - j) / d) * 2**(bits - 1 + o)))

    and each result the one rounding of the exact ``x * q * 2**(floor(h / 2) - N/2 - bits - 1)``.

    What is not present is +0 and nothing of the row. Where a NaN is present, each result of what
    is present is a NaN; else where an infinity is, that of infinities is, and others are zeros of
    their sign.

    Parameters
    ----------
    eps : Epsilon
    bits : int
        8 to 20.
    aligned : int
        Fraction bits of the sum; not less than ``bits``.
    precision, emin : int
        Of the elements.
    """

    eps: Epsilon
    bits: int
    aligned: int
    precision: int
    emin: int

    def __call__(self, x: Exact, present: np.ndarray, rows: Rows) -> Exact:
        """Return what is to be rounded.

        Parameters
        ----------
        x : Exact
            Shape (beats, lanes).
        present : ndarray of bool
            Of the same shape.
        rows : Rows
            That the beats are divided into.
        """
        kind = kinds(x)
        live = present & (kind == 0) & (x.significand != 0)
        infinite = present & ((kind & INF) != 0)
        nan = (present & ((kind & NAN) != 0)).any(axis=1)
        nan, beyond = (np.logical_or.reduceat(e, rows.starts) for e in (nan, infinite.any(axis=1)))
        count = np.add.reduceat(present.sum(axis=1), rows.starts)
        q, place = self._reciprocal(*self._sums(x, live, rows), count)
        q = np.where(nan | beyond, 0, q)
        q, place, nan = (rows.spread(each)[:, None] for each in (q, place, nan))
        wrong = present & (nan | infinite)
        product = np.where(live, x.significand, 0) * q.astype(np.uint64)
        bits = self.precision + self.bits + 2
        exponent = np.where(live, x.exponent + place, 0)
        return Exact(
            significand=np.where(wrong, 1, product).astype(np.uint64),
            exponent=exponent,
            negative=present & x.negative,
            kind=np.where(wrong, NAN, 0).astype(np.uint8),
            low=int(exponent.min()),
            high=int(exponent.max()) + bits,
            bits=bits,
        )

    def _sums(self, x: Exact, live: np.ndarray, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
        """Return s and N of each row."""
        significand = np.where(live, x.significand, 0)
        exponent = np.where(live, x.exponent, self.emin)
        top = np.maximum(bit_length(significand) + exponent - 1, self.emin)
        last = exponent - (top - self.precision + 1)
        m = significand.astype(np.int64) << np.where(live, last, 0)
        n = np.where(live, 2 * top + 1, 2 * self.emin + 1)
        least, width = self.eps.step, 2 * self.precision
        return aligned_sums(
            m * m, np.where(live, n, least), rows, width=width, aligned=self.aligned, least=least
        )

    def _reciprocal(
        self, total: np.ndarray, top: np.ndarray, count: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (q, its exponent) of each row."""
        bits, least = self.bits, self.eps.step
        up = self.eps.exponent + self.aligned - least
        more = count * self.eps.significand << max(up, 0)
        v = np.maximum(total + shifted(more, top - least + max(-up, 0)), 1)
        k = bit_length(v.astype(np.uint64)) - 1
        count = np.maximum(count, 1)
        j = bit_length(count.astype(np.uint64)) - 1
        d = (v >> np.maximum(k - bits - 1, 0)) << np.maximum(bits + 1 - k, 0)
        h = j - k + self.aligned
        ratio = (count << (2 * bits + 4 - j)) // d
        q = isqrt(ratio << (bits - 1 + (h & 1)))
        return q.astype(np.int64), (h >> 1) - (top >> 1) - bits - 1
