# SPDX-License-Identifier: BSD-2-Clause
"""The sum of a row's powers in one pass, and of two parts of a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exact import INF, Exact, kinds
from ..real.powers import Power
from .beats import Rows
from .sums import STEP, running_sums, shifted

__all__ = ["Elements", "PowerSum", "Sum", "merged"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Elements:
    """Powers ``m * 2**(n - bits)`` of a row's elements, m of 0 where an element has none.

    Attributes
    ----------
    m, n : ndarray of int64
        Shape (beats, lanes).
    live : ndarray of bool
        Which have a power: what is present and finite.
    spoilt : ndarray of bool
        Which make NaNs of what comes of the row: NaNs and +inf that are present.
    """

    m: np.ndarray
    n: np.ndarray
    live: np.ndarray
    spoilt: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class Sum:
    """Sums of powers ``s * 2**(exponent - aligned)``, and whether they are NaNs.

    Attributes
    ----------
    s, exponent : ndarray of int64
    nan : ndarray of bool
    """

    s: np.ndarray
    exponent: np.ndarray
    nan: np.ndarray


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerSum:
    """The sum of ``base**x[i]`` of each row so far, in one pass.

    Milakov, Gimelshein 2018 (arXiv 1805.02867), their m and d: but that m is the largest n of the
    elements' :class:`Power`, rounded down to a multiple of 8, so that d goes down by a shift where
    m goes up. :func:`.sums.running_sums` has the steps; -inf is nothing of the sum.

    Parameters
    ----------
    power : Power
    aligned : int
        Fraction bits of the sum; not less than ``power.bits``.
    """

    power: Power
    aligned: int

    @property
    def least(self) -> int:
        """The exponent of what is nothing."""
        return -1 << self.power.whole

    def places(self, growth: int) -> int:
        """Bits of a sum of up to ``2**growth`` elements."""
        return self.aligned + STEP + growth

    def elements(self, x: Exact, present: np.ndarray) -> Elements:
        """Return the powers of elements, shape (beats, lanes)."""
        kind = kinds(x)
        live = present & (kind == 0)
        m, n = self.power(x)
        return Elements(
            m=np.where(live, m, 0),
            n=np.where(live, n, self.least),
            live=live,
            spoilt=present & (kind != 0) & ~(((kind & INF) != 0) & x.negative),
        )

    def running(self, elements: Elements, rows: Rows) -> Sum:
        """Return the sums of each row up to each of its beats."""
        s, exponent = running_sums(
            elements.m,
            elements.n,
            rows,
            width=self.power.bits + 1,
            aligned=self.aligned,
            least=self.least,
        )
        count = np.cumsum(elements.spoilt.any(axis=1))
        before = np.concatenate([[0], count])[rows.starts]
        return Sum(s=s, exponent=exponent, nan=count > rows.spread(before))


def merged(a: Sum, b: Sum, most: int) -> Sum:
    """Return the sums of two parts of rows, which are ``most`` where they are more. Ours.

    The exponent is the larger of both. Each s goes down by as many places as its own exponent is
    below that, and what falls out is lost.
    """
    exponent = np.maximum(a.exponent, b.exponent)
    s = shifted(a.s, exponent - a.exponent) + shifted(b.s, exponent - b.exponent)
    return Sum(s=np.minimum(s, most), exponent=exponent, nan=a.nan | b.nan)
