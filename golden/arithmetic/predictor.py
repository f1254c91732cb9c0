# SPDX-License-Identifier: BSD-2-Clause
"""The exponent predictor of Autoflex in fixed point: what gates compute, step by step.

A step gets the largest magnitude G of the tensor that was just written, and the code c of the
scale it was written with, ``2**(c - bias)``. In units of the smallest scale that tensor's largest
value is the integer ``f = G << c``; where G has overflowed (``G >= 2**(N-1) - 1``), twice that, and
what came before is forgotten. With the newest n values of f, at most ``length`` of them:

1. R is the bit length of the largest of all f and of ``gamma << c``, at least 0, and
   ``u = 2**(R - B)`` for B = ``precision``. All terms are put into units of u, rounded down:
   ``g = floor(f / u)`` has B bits, and so have ``M = max(g)`` and ``K = floor((gamma << c) / u)``.
2. ``S = isqrt(n * sum(g**2) - sum(g)**2)``: n times their population standard deviation, in
   units of u, rounded down. Under the root stands an integer of 2B + 2 log2(length) - 2 bits.
3. ``T = n * (M + K) + beta * S``: n / u times the largest value to be expected. It is compared
   with n times powers of two; nothing is divided.
4. The new code is ``R - B + ceil(log2(alpha * T / n)) - (N - 1)`` (profile ``paper``) or
   ``R - B + floor(log2(alpha * T / n)) - (N - 2)`` (``ngraph``), clamped to the scale's codes.

How far this is from real numbers: let ``X = max(f) + beta * std(f) + (gamma << c)``. Rounding
down takes less than u from the first and the last term. It changes the standard deviation by less
than u / 2: that of a sum is at most the sum of them, and numbers in an interval of length u have
at most u / 2. The root loses less than u / n, and nothing if n is 1, when it is 0. With
``X >= 2**(R - 1)`` the predicted value T u / n is thus within

    -(2 + beta) * 2**(1 - B)  <  T u / (n X) - 1  <  beta * 2**-B

and for 2 + beta <= 2**(B - 2) the code is that of exact arithmetic, or next to it; the latter only
where alpha X is as close as that to a power of two. (Where the least R is not reached, X is below
1/2, and the code 0 both ways.) The predictor of :class:`macaw.golden.tensors.autoflex.Autoflex` has
errors of float64 beside that, some ``2**-50``.

Initialisation is that of :class:`macaw.golden.tensors.autoflex.Autoflex`, and exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import common_shape, integers, truths
from ..errors import CodeError, SpecError
from ..formats.block import Block
from ..formats.checks import check_integer
from .flex import check_flex

PROFILES = ("paper", "ngraph")


@dataclass(frozen=True, kw_only=True, slots=True)
class Predictor:
    """The predictor in fixed point, for whole arrays of windows.

    Parameters
    ----------
    format : Block
        A Flexpoint format: N is the width of its elements.
    profile : str
        ``paper`` (Koster et al., arXiv 1711.02213) or ``ngraph`` (the code of ngraph-python).
    length : int
        Values in the history, the newest one included; 2 to 64.
    alpha, beta : int
        Factors of the prediction and of the standard deviation, 1 to 16 (and at most
        ``2**(N - 1)``) and 0 to 14; ``alpha`` is 2 by default, 1 for ``ngraph``.
    gamma : float, optional
        Last places of headroom, a multiple of 2**-16 above 0 and up to 2**24. The default is
        ``100 * 2**(N - 16)``.
    precision : int
        B, 6 to 20: bits of the terms.

    Raises
    ------
    SpecError
        Naming the parameter, its value, and what is allowed.
    """

    format: Block
    profile: str = "paper"
    length: int = 16
    alpha: int | None = None
    beta: int = 3
    gamma: float | None = None
    precision: int = 12

    def __post_init__(self) -> None:
        _set(self, "format", check_flex("format", self.format))
        if self.profile not in PROFILES:
            raise SpecError(f"profile={self.profile}: must be one of {', '.join(PROFILES)}")
        if self.alpha is None:
            _set(self, "alpha", 2 if self.profile == "paper" else 1)
        if self.gamma is None:
            _set(self, "gamma", math.ldexp(100.0, self.width - 16))
        _set(self, "gamma", _dyadic("gamma", self.gamma))
        check_integer("length", self.length, 2, 64)
        check_integer("alpha", self.alpha, 1, min(16, 1 << (self.width - 1)))
        check_integer("beta", self.beta, 0, 14)
        check_integer("precision", self.precision, 6, 20)

    @property
    def width(self) -> int:
        """N, bits of an element."""
        return self.format.element.width

    @property
    def overflow(self) -> int:
        """The least maximum that counts as overflow."""
        return (1 << (self.width - 1)) - 1

    @property
    def coarse(self) -> int:
        """Steps of the scale by which initialisation leaves an overflow behind."""
        return (self.width - 1) // 2

    @property
    def enough(self) -> int:
        """The least maximum with which initialisation is over."""
        least = math.floor(2.0 ** (self.coarse - 2)) + 1
        if self.profile == "ngraph":
            least = 1 << max(self.coarse - 2, 0)
        return min(least, 1 << (self.width - 2))

    @property
    def largest_code(self) -> int:
        """Of the scale; its value is 1."""
        return (1 << self.format.scale.exponent) - 1

    @property
    def factors(self) -> tuple[int, int]:
        """``alpha``, and ``gamma`` times 2**16."""
        assert self.alpha is not None
        assert self.gamma is not None
        return self.alpha, int(math.ldexp(self.gamma, FRACTION))

    @property
    def bound(self) -> tuple[float, float]:
        """Relative error of the predicted value: above the first number, below the second."""
        ulp = 2.0 ** (1 - self.precision)
        return -(2 + self.beta) * ulp, self.beta * ulp / 2

    def expected(
        self, maximum: np.ndarray, scale: np.ndarray, count: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (T of step 3, the power of two that u is): a tensor's next maximum, times n.

        Parameters
        ----------
        maximum, scale : ndarray of integers, shape (..., length)
            Largest magnitudes and codes of scales, the newest one first.
        count : ndarray of integers, shape (...)
            How many of them there are, 1 to ``length``: the others are not looked at.

        Returns
        -------
        tuple of ndarray of int64, shape (...)
            The power is that of multiples of the smallest scale.
        """
        maximum, scale, count = self._checked(maximum, scale, count)
        there = np.arange(self.length) < count[..., None]
        doubled = self._doubled(np.where(there, maximum, 0))
        newest = scale[..., 0]
        lengths = np.where(doubled > 0, bit_length(doubled) + scale, 0)
        _, gamma = self.factors
        headroom = newest + gamma.bit_length() - FRACTION
        unit = np.maximum(np.maximum(lengths.max(-1), headroom), 0) - self.precision

        values = _shifted(doubled, scale - unit[..., None])
        constant = _shifted(np.int64(gamma), newest - unit - FRACTION)
        total, squares = values.sum(-1), (values * values).sum(-1)
        root = integer_root(count * squares - total * total)
        return count * (values.max(-1) + constant) + self.beta * root, unit

    def predict(self, maximum: np.ndarray, scale: np.ndarray, count: np.ndarray) -> np.ndarray:
        """Return the codes that follow from histories; parameters as of :meth:`expected`."""
        maximum, scale, count = self._checked(maximum, scale, count)
        expected, unit = self.expected(maximum, scale, count)
        scaled = self.factors[0] * expected
        if self.profile == "paper":
            power = bit_length(-(-scaled // count) - 1) - (self.width - 1)
        else:
            power = bit_length(scaled // count) - 1 - (self.width - 2)
        return np.clip(unit + power, 0, self.largest_code)

    def initial(
        self, maximum: np.ndarray, scale: np.ndarray, last: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the results of steps of initialisation.

        Parameters
        ----------
        maximum, scale : ndarray of integers
        last : ndarray of bool
            Whether this is the last try that there is (``ngraph``; without meaning in ``paper``).

        Returns
        -------
        tuple of ndarray
            The codes to try next, and whether the tensor is well scaled with them.
        """
        maximum = integers("maximum", maximum).astype(np.int64)
        scale, last = integers("scale", scale).astype(np.int64), truths("last", last)
        common_shape(maximum.shape, scale.shape, last.shape)
        over = maximum >= self.overflow
        small = maximum < 1 << (self.width - 2)
        paper = self.profile == "paper"
        # The least power of two that is not below it, or that is above it.
        power = bit_length(np.maximum(maximum, 1) - 1) + 1 if paper else bit_length(maximum)
        step = np.where(over, self.coarse, np.where(small, power - (self.width - 1), 0))
        code = np.clip(scale + step, 0, self.largest_code)
        done = ~over & (maximum >= self.enough)
        if paper:
            return code, done | (code == scale)
        return np.where(last & ~done, self.largest_code, code), done | last

    def _checked(self, maximum: Any, scale: Any, count: Any) -> tuple[np.ndarray, ...]:
        """Return histories as int64; CodeError unless their shapes fit."""
        named = {"maximum": maximum, "scale": scale, "count": count}
        maximum, scale, count = (integers(*each).astype(np.int64) for each in named.items())
        if maximum.shape != scale.shape or maximum.shape != (*count.shape, self.length):
            shapes = f"{maximum.shape}, {scale.shape}, {count.shape}"
            raise CodeError(
                f"maximum, scale, count: shapes {shapes}: must be (..., {self.length}) twice, (...)"
            )
        return maximum, scale, count

    def _doubled(self, maximum: np.ndarray) -> np.ndarray:
        maximum = maximum.astype(np.int64)
        return np.where(maximum >= self.overflow, 2 * maximum, maximum)

    def follow(self, maximum: np.ndarray, scale: np.ndarray, first: np.ndarray) -> np.ndarray:
        """Return the codes after each step of a sequence: :meth:`predict` of its histories.

        All arrays have one axis, time. ``first`` is 1 in the first step after reset, or after the
        history was forgotten for another reason than an overflow.
        """
        maximum, scale = integers("maximum", maximum), integers("scale", scale)
        first = truths("first", first)
        if maximum.ndim != 1 or not maximum.shape == scale.shape == first.shape:
            shapes = f"{maximum.shape}, {scale.shape}, {first.shape}"
            raise CodeError(f"maximum, scale, first: shapes {shapes}: must be one axis of time")
        steps = np.arange(maximum.size)
        starts = first | (maximum >= self.overflow)
        starts[:1] = True
        count = steps - np.maximum.accumulate(np.where(starts, steps, 0)) + 1
        back = np.maximum(steps[:, None] - np.arange(self.length), 0)
        result = np.empty(maximum.size, np.int64)
        for begin in range(0, maximum.size, _PIECE):
            piece = slice(begin, begin + _PIECE)
            some = np.minimum(count[piece], self.length)
            result[piece] = self.predict(maximum[back[piece]], scale[back[piece]], some)
        return result


TRIES = 10
"""Steps of initialisation, without success, in the profile ``ngraph``."""

FRACTION = 16
"""Bits of ``gamma`` below its point."""

_PIECE = 1 << 14


def _set(owner: Any, name: str, value: Any) -> None:
    object.__setattr__(owner, name, value)


def _dyadic(name: str, value: Any) -> float:
    """Return a factor in the form that is stored; SpecError if it has too many digits."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not (
        0 < number <= 1 << 24 and (math.ldexp(number, FRACTION)).is_integer()
    ):
        raise SpecError(f"{name}={value!s}: must be a multiple of 2**-16 above 0, up to 2**24")
    return number


def _shifted(values: np.ndarray | np.int64, amount: np.ndarray) -> np.ndarray:
    """``floor(values * 2**amount)``."""
    left, right = np.clip(amount, 0, 62), np.clip(-amount, 0, 62)
    return np.left_shift(values, left) >> right


def bit_length(values: np.ndarray) -> np.ndarray:
    """Return the bit lengths of non-negative integers below 2**53."""
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)


def integer_root(radicand: np.ndarray) -> np.ndarray:
    """Return the floor of the square roots of non-negative integers below 2**62.

    That of float64 is at least the root of the largest square in ``radicand``: it has 31 bits,
    and the square is rounded by less than half a unit in the last place of its root.
    """
    root = np.sqrt(radicand.astype(np.float64)).astype(np.int64)
    return root - (root * root > radicand)
