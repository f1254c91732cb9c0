# SPDX-License-Identifier: BSD-2-Clause
"""Softmax of rows of floats, in significands and exponents that nothing bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..exact import NAN, Exact, bit_length
from ..real.powers import Power
from .beats import Rows
from .clip import Clip
from .powers import PowerSum


@dataclass(frozen=True, kw_only=True, slots=True)
class Softmax:
    """``base**x[i] / sum(base**x)`` of each row. Ours.

    Each element that is present and not -inf has its :class:`Power`, ``m * 2**(n - bits)``. The
    sum s of a row, that of :class:`PowerSum`, is an integer in units of ``2**(N - aligned)``, where
    N is the largest n so far, rounded down to a multiple of 8. A beat takes N to the larger of it
    and its own; s goes down by as many places as N goes up, and what falls out is lost, as it is of
    each m that is added::

        s = (s >> (N' - N)) + sum((m << (aligned - bits + 7)) >> (N' + 7 - n))

    With k the place of the leading one of s, its ``bits + 2`` upper bits are ``d = floor(s *
    2**(bits + 1 - k))``, their reciprocal ``q = floor(2**(2 bits + 3) / d)``, and each result is
    the one rounding of the exact ``m * q * 2**(n - N + aligned - k - 2 bits - 2)``.

    With a ``clip`` the dividend is the factor times ``2**(2 bits + 3 - up)``, the exponent ``up``
    more, and to that product gamma is added, exactly. What is then less than 0 is +0, what is more
    than 1 is 1, and that is rounded once. NaNs stay.

    What is not present is +0 and nothing of the row. -inf is +0, unless nothing else is present:
    then, and where a NaN or +inf is, each result of what is present is a NaN.

    Parameters
    ----------
    power : Power
    aligned : int
        Fraction bits of the sum; not less than ``power.bits``.
    clip : Clip, optional
    """

    power: Power
    aligned: int
    clip: Clip | None = None

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
        bits, sums = self.power.bits, PowerSum(power=self.power, aligned=self.aligned)
        elements = sums.elements(x, present)
        m, n, live = elements.m, elements.n, elements.live
        running = sums.running(elements, rows)
        total, top = running.s[rows.ends], running.exponent[rows.ends]
        spoilt = running.nan[rows.ends] | (total == 0)
        k = np.maximum(bit_length(total.astype(np.uint64)) - 1, 0)
        down = np.maximum(k - bits - 1, 0)
        d = np.maximum((total >> down) << np.maximum(bits + 1 - k, 0), 1)
        q = self.dividend // d
        exponent = self.aligned - k - 2 * bits - 2 - top
        q, exponent, spoilt = (rows.spread(each)[:, None] for each in (q, exponent, spoilt))
        product, exponent = np.where(spoilt, 0, m * q), np.where(live, n + exponent, 0)
        places = 2 * bits + 4
        if self.clip is not None:
            product, exponent = self.clip(product, exponent + self.clip.up)
            places = self.clip.places
        product = product.astype(np.uint64)
        span = (2 << self.power.whole) + self.aligned + 2 * bits + 64
        return Exact(
            significand=np.where(spoilt & present, 1, product),
            exponent=exponent,
            negative=np.zeros(live.shape, bool),
            kind=np.where(spoilt & present, NAN, 0).astype(np.uint8),
            low=-span,
            high=2,
            bits=places,
        )

    @property
    def dividend(self) -> int:
        """What the sum's upper bits divide."""
        return 1 << (2 * self.power.bits + 3) if self.clip is None else self.clip.dividend
