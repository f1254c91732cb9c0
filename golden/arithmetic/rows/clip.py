# SPDX-License-Identifier: BSD-2-Clause
"""Clipped softmax: a row's quotients, stretched about 0 and 1, and clipped to these."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..exact import bit_length
from .constants import Constant


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """``clip((zeta - gamma) * p + gamma, 0, 1)`` of a softmax p.

    Bondarenko, Nagel, Blankevoort 2023 (arXiv 2306.12929), 4.1. The factor ``zeta - gamma`` is part
    of the dividend whose quotient p's reciprocal is, and as exact as that; gamma is the
    :class:`Constant` of ``bits + 2`` bits.

    Parameters
    ----------
    gamma, zeta : Fraction
        0, or from -1 to ``-2**-16``; and from 1 to 2.
    bits : int
        Of the softmax.
    """

    gamma: Fraction
    zeta: Fraction
    bits: int

    @property
    def up(self) -> int:
        """The exponent of the factor's leading one: 0 or 1."""
        return int(self.zeta - self.gamma >= 2)

    @property
    def dividend(self) -> int:
        """The factor times ``2**(2 bits + 3 - up)``, rounded down, which no quotient sees."""
        scaled = (self.zeta - self.gamma) * 2 ** (2 * self.bits + 3 - self.up)
        return scaled.numerator // scaled.denominator

    @property
    def less(self) -> Constant | None:
        """-gamma, as it is rounded; None where it is 0."""
        return Constant(value=-self.gamma, bits=self.bits) if self.gamma else None

    @property
    def last(self) -> int:
        """The exponent of the last place of any result that is more than 0.

        A product of ``2 bits + 4`` bits that has bits below it is less than -gamma.
        """
        assert self.less is not None
        return self.less.highest - 2 * self.bits - 3

    @property
    def places(self) -> int:
        """Bits of significands that are clipped."""
        return 2 * self.bits + 4 if self.less is None else 1 - self.last

    def __call__(self, product: np.ndarray, exponent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return significands and exponents of ``clip(product * 2**exponent + gamma, 0, 1)``.

        Parameters
        ----------
        product : ndarray of int64
            The softmax times the factor; up to ``2**(2 bits + 4) - 1``.
        exponent : ndarray of int64
            Of products that are not 0: ``up - 2 bits - 2`` at most.
        """
        if self.less is None:
            above = bit_length(product.astype(np.uint64)) + exponent > 0
            return np.where(above, 1, product), np.where(above, 0, exponent)
        place = exponent - self.last
        most = self.up - 2 * self.bits - 2 - self.last
        word = np.where(place < 0, 0, product) << np.clip(place, 0, most)
        word -= self.less.significand << (self.less.exponent - self.last)
        return np.clip(word, 0, 1 << -self.last), np.full_like(exponent, self.last)
