# SPDX-License-Identifier: BSD-2-Clause
"""Rows of floats divided by the root of their mean square, or of their variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exact import INF, NAN, Exact, bit_length, kinds
from ..functions import isqrt
from .beats import Rows
from .constants import Constant
from .sums import STEP, aligned_moments, aligned_sums, framed, shifted


@dataclass(frozen=True, kw_only=True, slots=True)
class Epsilon(Constant):
    """What is added to a mean."""

    @property
    def step(self) -> int:
        """The exponent of the leading one, rounded down to a multiple of 8."""
        return self.highest & -STEP

    @property
    def half_step(self) -> int:
        """Half of that exponent, rounded down to a multiple of 8."""
        return (self.highest >> 1) & -STEP


@dataclass(frozen=True, kw_only=True, slots=True)
class Norm:
    """What norms have in common: a reciprocal root, which each element is multiplied with. Ours.

    With d for the ``bits + 2`` upper bits of a sum v, whose leading one is at the place k, with j
    for that of a count c, and o for 1 where ``h = j - k`` is odd, ``sqrt(c / v)`` is near
    ``q * 2**(floor(h / 2) - bits - 1)``, where::

        q = floor(sqrt(floor(c * 2**(2 bits + 4 - j) / d) * 2**(bits - 1 + o)))

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

    def _normalised(self, x: Exact, live: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (significands of ``precision`` bits, exponents of those); of zeros the least."""
        significand = np.where(live, x.significand, 0)
        exponent = np.where(live, x.exponent, self.emin)
        top = np.maximum(bit_length(significand) + exponent - 1, self.emin)
        last = exponent - (top - self.precision + 1)
        return significand.astype(np.int64) << np.where(live, last, 0), top

    def _root(
        self, d: np.ndarray, count: np.ndarray, h: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (q, its exponent) of each row."""
        bits = self.bits
        j = bit_length(count.astype(np.uint64)) - 1
        ratio = (count << (2 * bits + 4 - j)) // d
        q = isqrt(ratio << (bits - 1 + (h & 1)))
        return q.astype(np.int64), (h >> 1) - bits - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class RmsNorm(Norm):
    """``x[i] / sqrt(mean(x**2) + eps)`` of each row. Ours.

    Each element that is present adds its square to the row's sum s, an integer in units of
    ``2**(N - aligned)``: see :func:`.sums.aligned_sums`, where N begins with the eps's ``step``,
    and n is ``2 t + 1`` of an element with the exponent t, not below ``emin``. With c for the
    number of elements that are present, when the row has ended::

        v = max(s + floor(c * eps * 2**(aligned - N)), 1)

    With the q of :class:`Norm`, where h is ``aligned`` more, each result is the one rounding of the
    exact ``x * q * 2**(floor(h / 2) - N/2 - bits - 1)``.

    What is not present is +0 and nothing of the row. Where a NaN is present, each result of what
    is present is a NaN; else where an infinity is, that of infinities is, and others are zeros of
    their sign.
    """

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
        m, top = self._normalised(x, live)
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
        q, place = self._root(d, count, j - k + self.aligned)
        return q, place - (top >> 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerNorm(Norm):
    """``(x[i] - mean(x)) / sqrt(variance(x) + eps)`` of each row. Ours.

    Each element that is present adds itself, rounded toward zero to a multiple of
    ``2**(N - aligned)``, to the row's sum s, and the square of that to Q: see
    :func:`.sums.aligned_moments`. N begins with half of eps's exponent, rounded down to a multiple
    of 8, and n is the exponent of an element, not below ``emin``. When the row has ended, with c
    for the number of elements that are present, ``c**2`` times the variance and eps is::

        v = max(max(c * Q - s**2, 0) + floor(c**2 * eps * 4**(aligned - N)), 1)

    With x[i] as such a multiple, rounded toward zero, m is ``c * x[i] - s``, rounded toward zero to
    ``bits + 2`` bits, and each result the one rounding of m times the root of 1 / v, that of
    :class:`Norm`.

    What is not present is +0 and nothing of the row. Where m is 0 the result is +0, or -0 where an
    exact zero sum is. Where a NaN or an infinity is present, each result of what is present is a
    NaN.

    Parameters
    ----------
    aligned : int
        ``aligned + 8`` is :data:`.sums.WINDOW` at most.
    down : bool
        Whether an exact zero sum is negative.
    """

    down: bool = False

    def __call__(self, x: Exact, present: np.ndarray, rows: Rows) -> Exact:
        """Return what is to be rounded, as :meth:`RmsNorm.__call__` does."""
        live = present & (kinds(x) == 0) & (x.significand != 0)
        spoilt = (present & (kinds(x) != 0)).any(axis=1)
        spoilt = np.logical_or.reduceat(spoilt, rows.starts)
        count = np.add.reduceat(present.sum(axis=1), rows.starts)
        significand, top = self._normalised(x, live)
        n, width = np.where(live, top, self.eps.half_step), self.precision
        total, squares, last = aligned_moments(
            significand, n, x.negative, rows, width=width, aligned=self.aligned,
            least=self.eps.half_step,
        )  # fmt: skip
        q, place = self._reciprocal(total, squares, last, count)
        total, last, count, q, place, spoilt = (
            rows.spread(each)[:, None] for each in (total, last, count, q, place, spoilt)
        )
        size = framed(significand, n, last, width=width, aligned=self.aligned)
        difference = np.where(present, count * np.where(x.negative, -size, size) - total, 0)
        magnitude = np.abs(difference)
        down = bit_length(magnitude.astype(np.uint64)) - self.bits - 2
        m = (magnitude >> np.maximum(down, 0)) << np.maximum(-down, 0)
        wrong = present & spoilt
        bits = 2 * self.bits + 4
        exponent = np.where(wrong | (difference == 0), 0, down + place)
        return Exact(
            significand=np.where(wrong, 1, m * q).astype(np.uint64),
            exponent=exponent,
            negative=np.where(difference == 0, present & self.down, difference < 0),
            kind=np.where(wrong, NAN, 0).astype(np.uint8),
            low=int(exponent.min()),
            high=int(exponent.max()) + bits,
            bits=bits,
        )

    def _reciprocal(
        self, total: np.ndarray, squares: np.ndarray, top: np.ndarray, count: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (q, its exponent) of each row."""
        bits, least = self.bits, self.eps.half_step
        count, total = count.astype(object), total.astype(object)
        up = self.eps.exponent + 2 * (self.aligned - least)
        more = count * count * self.eps.significand << max(up, 0)
        more = more >> (2 * (top - least) + max(-up, 0)).astype(object)
        v = np.maximum(np.maximum(count * squares - total * total, 0) + more, 1)
        k = np.array([int(each).bit_length() - 1 for each in v])
        d = (v << np.maximum(bits + 1 - k, 0)) >> np.maximum(k - bits - 1, 0)
        return self._root(d.astype(np.int64), np.ones_like(k), -k)
