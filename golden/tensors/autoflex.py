# SPDX-License-Identifier: BSD-2-Clause
"""Autoflex: the exponent of a Flexpoint tensor, predicted from what its maxima were.

Koster et al., arXiv 1711.02213, section 3 and algorithms 1 and 2; the second profile is what its
implementation in ngraph did. For a format ``flex<N>+<M>``, with Gamma the largest magnitude among
the mantissas that were just written, kappa the scale that they were written with, and k the
integer part of (N-1)/2:

=====================  ===========================================  ==============================
step                   ``paper``                                    ``ngraph``
=====================  ===========================================  ==============================
initialise: overflow   kappa * 2**k                                 as paper
initialise: too small  Gamma < 2**(N-2):                            Gamma < 2**(N-2): kappa *
                       kappa * 2**(ceil(log2 max(Gamma,1)) - N+2)   2**(bit_length(Gamma) - N+1)
… and done             if Gamma > 2**(k-2)                          if Gamma >= 2**max(k-2, 0)
initialise: else       done                                         done
never done             done if kappa is at a bound that stops it    10th try: kappa = 1, done
update: overflow       the history is cleared, and Gamma doubled    as paper
update: history        f = the last ``length`` values Gamma*kappa   as paper
update: prediction     chi = alpha*(max(f) + beta*std(f) +          as paper; alpha = 1
                       gamma*kappa); alpha = 2
update: scale          2**(ceil(log2 chi) - N+1)                    2**(floor(log2 chi) - N+2)
bounds                 kappa from 2**-(2**M - 1) to 1               as paper
=====================  ===========================================  ==============================

An overflow is Gamma >= 2**(N-1) - 1. Predicted maxima come to lie in (2**(N-3), 2**(N-2)] in the
paper's profile, without its factor alpha in (2**(N-2), 2**(N-1)].

**Arithmetic.** Gamma*kappa and the maximum are exact. The rest is float64, to nearest even, in
this order: mean = (sum of f from the oldest to the newest) / n; variance = (sum of (f - mean)**2
in that order) / n, the population's; chi = alpha * ((max + beta * sqrt(variance)) + gamma *
kappa). Exponents are taken from the float's own, never by a logarithm. No step underflows, as the
values lie between 2**-255 and 2**33. A chi of 0 (gamma = 0 and a history of zeros) gives kappa 1.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np

from ..arithmetic.flex import check_exponent, check_flex
from ..arithmetic.predictor import PROFILES
from ..errors import CodeError, SpecError
from ..formats.block import Block
from ..formats.checks import check_integer

_TRIES = 10


class Autoflex:
    """Manages the exponent of one tensor: its state is mutable, its every step deterministic.

    Parameters
    ----------
    format : str or Block
        ``flex<N>+<M>``.
    profile : {"paper", "ngraph"}
    length : int
        Of the history, 1 to 1024.
    alpha : float, optional
        Factor of the prediction; default 2 in the paper's profile, 1 in ngraph's.
    beta : float
        Standard deviations of headroom.
    gamma : float, optional
        Last places of headroom. The default is the paper's 100 of 16 bits in proportion,
        ``100 * 2**(N-16)``: as many would, with 8 bits, let kappa grow at every step.
    exponent : int, optional
        To begin with; default 0, or in ngraph's profile -8 if the format has it.

    Attributes
    ----------
    exponent : int
        To write the tensor with next; kappa is ``2**exponent``.

    Raises
    ------
    SpecError for parameters out of range.
    """

    def __init__(
        self,
        format: str | Block = "flex16+5",
        profile: str = "paper",
        *,
        length: int = 16,
        alpha: float | None = None,
        beta: float = 3.0,
        gamma: float | None = None,
        exponent: int | None = None,
    ) -> None:
        self.format = check_flex("format", format)
        if profile not in PROFILES:
            raise SpecError(f"profile={profile!s}: must be one of {', '.join(PROFILES)}")
        self.profile = profile
        check_integer("length", length, 1, 1024)
        self.length = length
        width = self.format.element.width
        if alpha is None:
            alpha = 2.0 if profile == "paper" else 1.0
        if gamma is None:
            gamma = math.ldexp(100.0, width - 16)
        self.alpha = _factor("alpha", alpha, 2.0**-16)
        self.beta = _factor("beta", beta, 0.0)
        self.gamma = _factor("gamma", gamma, 0.0, max(2.0**16, 2.0 ** (width - 1)))
        if exponent is None:
            exponent = 0 if profile == "paper" else max(-8, -self.format.scale.bias)
        check_exponent("exponent", exponent, self.format)
        self.exponent = int(exponent)
        self._history: deque[tuple[int, int]] = deque(maxlen=length)
        self._tries = 0
        self._count = 0

    def __repr__(self) -> str:
        return (
            f"Autoflex({self.format.name!r}, {self.profile!r}, length={self.length}, "
            f"alpha={self.alpha}, beta={self.beta}, gamma={self.gamma}, exponent={self.exponent})"
        )

    @property
    def scale(self) -> int:
        """Code of the exponent."""
        return self.exponent + self.format.scale.bias

    @property
    def history(self) -> tuple[tuple[int, int], ...]:
        """(Gamma, exponent) of the last writes, the oldest first; after an overflow 2 Gamma."""
        return tuple(self._history)

    def initialise(self, maximum: int) -> bool:
        """Take one step of the initialisation; clear the history.

        ``maximum`` is that of the tensor as written with :attr:`exponent`. True: the exponent,
        which this step may have moved, is good. False: write the tensor again with it.
        """
        maximum = self._check(maximum)
        self._history.clear()
        self._count = 0
        self._tries += 1
        width, before = self.format.element.width, self.exponent
        coarse, done = (width - 1) // 2, True
        if self._overflows(maximum):
            self._move(before + coarse)
            done = False
        elif maximum < 1 << (width - 2):
            if self.profile == "paper":
                self._move(before + _ceil_log2(max(maximum, 1)) - (width - 2))
                done = maximum > math.ldexp(1.0, coarse - 2)
            else:
                self._move(before + maximum.bit_length() - (width - 1))
                done = maximum >= 1 << max(coarse - 2, 0)
        if self.profile == "paper":
            done = done or self.exponent == before
        elif not done and self._tries >= _TRIES:
            self.exponent, done = 0, True
        if done:
            self._tries = 0
        return done

    def update(self, maximum: int, *, age: int = 0) -> int:
        """Take note of a tensor that was written with :attr:`exponent`; return the next one.

        Parameters
        ----------
        maximum : int
            Largest magnitude among its mantissas, 0 to ``2**(N-1)``.
        age : int
            ngraph's profile only: steps of the program since the tensor was initialised. One that
            was written in a sixteenth of them or fewer is predicted from its last two values,
            ``chi = max + 2**12 * kappa``.
        """
        maximum = self._check(maximum)
        check_integer("age", age, 0, 1 << 62)
        if age and self.profile != "ngraph":
            raise SpecError(f"age={age}: is for profile=ngraph, not {self.profile}")
        if self._overflows(maximum):
            self._history.clear()
            maximum *= 2
        self._history.append((maximum, self.exponent))
        self._count += 1
        width = self.format.element.width
        chi = self._prediction(rarely=self._count <= age >> 4)
        if chi == 0:
            self.exponent = 0
            return 0
        fraction, exponent = math.frexp(chi)
        if self.profile == "paper":
            self._move(exponent - (fraction == 0.5) - (width - 1))
        else:
            self._move(exponent - 1 - (width - 2))
        return self.exponent

    def forget(self) -> None:
        """Clear the history, and keep the exponent."""
        self._history.clear()
        self._count = 0

    def state(self) -> dict[str, Any]:
        """Return all that :meth:`restore` needs, of types that JSON has."""
        return {
            "format": self.format.name,
            "profile": self.profile,
            "length": self.length,
            "alpha": self.alpha,
            "beta": self.beta,
            "gamma": self.gamma,
            "exponent": self.exponent,
            "history": [list(pair) for pair in self._history],
            "tries": self._tries,
            "count": self._count,
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Autoflex:
        """Return a manager that goes on from :meth:`state`; SpecError for what is none."""
        try:
            settings = dict(state)
            history, tries, count = (settings.pop(n) for n in ("history", "tries", "count"))
            result = cls(**settings)
            pairs = [(maximum, exponent) for maximum, exponent in history]
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, SpecError):
                raise
            raise SpecError(f"state: is not that of an Autoflex: {error}") from None
        check_integer("state: tries", tries, 0, _TRIES)
        check_integer("state: count", count, len(pairs), 1 << 62)
        check_integer("state: length of the history", len(pairs), 0, result.length)
        for maximum, exponent in pairs:
            check_integer("state: maximum", maximum, 0, 1 << result.format.element.width)
            check_exponent("state: exponent", exponent, result.format)
        result._history.extend(pairs)
        result._tries, result._count = tries, count
        return result

    def _check(self, maximum: Any) -> int:
        most = 1 << (self.format.element.width - 1)
        integer = isinstance(maximum, int | np.integer) and not isinstance(maximum, bool)
        if not integer or not 0 <= maximum <= most:
            raise CodeError(f"maximum={maximum!s}: must be an integer from 0 to {most}")
        return int(maximum)

    def _overflows(self, maximum: int) -> bool:
        return maximum >= (1 << (self.format.element.width - 1)) - 1

    def _move(self, exponent: int) -> None:
        self.exponent = min(max(exponent, -self.format.scale.bias), 0)

    def _prediction(self, rarely: bool) -> float:
        values = [math.ldexp(maximum, exponent) for maximum, exponent in self._history]
        kappa = math.ldexp(1.0, self.exponent)
        if rarely:
            return max(values[-2:]) + math.ldexp(kappa, 12)
        total = 0.0
        for value in values:
            total += value
        mean = total / len(values)
        squares = 0.0
        for value in values:
            squares += (value - mean) * (value - mean)
        deviation = math.sqrt(squares / len(values))
        return self.alpha * ((max(values) + self.beta * deviation) + self.gamma * kappa)


def _factor(name: str, value: Any, least: float, most: float = 2.0**16) -> float:
    number = isinstance(value, int | float | np.floating) and not isinstance(value, bool)
    if not number or not least <= value <= most:
        raise SpecError(f"{name}={value!s}: must be a number from {least:g} to {most:.0f}")
    return float(value)


def _ceil_log2(value: int) -> int:
    return (value - 1).bit_length()
