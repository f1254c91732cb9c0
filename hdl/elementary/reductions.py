# SPDX-License-Identifier: BSD-2-Clause
"""What is left of an argument for a polynomial, and what its value is multiplied with.

Each reduction says it twice: in numpy for all operands, from which the coefficients are found, and
in gates. Where the two differ, the module is wrong, and its simulation with all operands finds it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from macaw.golden.formats import Float, Format

from ..arithmetic.number import Number
from ..schedule.scheduler import Scheduler
from ..schedule.table import lookup
from ..schedule.wire import Wire
from .words import Scale

__all__ = [
    "LN_2",
    "Argument",
    "Normalised",
    "Points",
    "Reduction",
    "precision_of",
    "scale_of",
    "times",
]

LN_2 = Fraction(20502116332347055, 29578301560405719)
"""The natural logarithm of 2, to 108 bits."""
_CHUNK = 4
"""Bits of a factor of a constant that cells of logic look up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Points:
    """Operands in numpy; arrays of one length.

    Attributes
    ----------
    place : ndarray of int64
        What the polynomial takes: the number of a region above the fraction.
    scale : Scale
        Of the value's word.
    base : ndarray of int64
        What is added to the polynomial.
    used : ndarray of bool
        False where the word does not matter.
    instead : ndarray of int64, optional
        Words that stand for the values where the polynomial's do not, -1 elsewhere.
    """

    place: np.ndarray
    scale: Scale
    base: np.ndarray
    used: np.ndarray
    instead: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Argument:
    """The same in gates.

    Attributes
    ----------
    place, sticky : Wire
    exponent : Wire
        ``last`` but for the constant ``offset``.
    offset : int
    sign : Wire
        Of the value, beside the word.
    base : Wire, optional
    instead : tuple of two Wires, optional
        Whether another word stands for the value, and that word.
    """

    place: Wire
    exponent: Wire
    offset: int
    sticky: Wire
    sign: Wire
    base: Wire | None = None
    instead: tuple[Wire, Wire] | None = None


@dataclass(frozen=True, kw_only=True)
class Reduction(ABC):
    """How the argument of one function is reduced.

    Attributes
    ----------
    name : str
        The function.
    a : Float
    out : Format
    guard : int
        Bits of a word below those of the result's precision.
    """

    name: str
    a: Float
    out: Format
    guard: int

    @classmethod
    @abstractmethod
    def settings(cls, name: str, a: Float, out: Format) -> Iterator[Reduction]:
        """Yield reductions of more and more digits."""

    @property
    def digits(self) -> int:
        """Bits of a word below the one that weighs 1."""
        return precision_of(self.out) - 1 + self.guard

    @property
    @abstractmethod
    def width(self) -> int:
        """Bits of the fraction."""

    @property
    def bits(self) -> int:
        """Bits of the longest integer that stands for an operand or a value in numpy."""
        return self.digits + 2

    @property
    def regions(self) -> int:
        """How many regions there are."""
        return 1

    @property
    def leading(self) -> tuple[int, int] | None:
        """(index of the leading one of a word, how many places lower it may be)."""
        return self.digits, 0

    @property
    def _below_normal(self) -> bool:
        """Whether results of the operands below the normal ones are none themselves."""
        return isinstance(self.out, Float) and self.out.emin >= self.a.emin

    @abstractmethod
    def points(self, x: Normalised) -> Points:
        """The operands in numpy."""

    @abstractmethod
    def argument(self, p: Scheduler, number: Number) -> Argument:
        """The operand in gates, which is finite and not zero."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Normalised:
    """Finite operands that are not zero, in numpy: ``(-1)**negative * significand * 2**exponent``.

    The top bit of the significands, of the format's precision, is set.
    """

    significand: np.ndarray
    exponent: np.ndarray
    negative: np.ndarray


def scale_of(last: np.ndarray, sticky: np.ndarray, negative: np.ndarray | bool = False) -> Scale:
    """Return the scale of words whose last place weighs ``2**last``, all of one shape."""
    shape = last.shape
    return Scale(
        last=last,
        sticky=np.broadcast_to(sticky, shape).astype(np.int64),
        negative=np.broadcast_to(negative, shape),
    )


def precision_of(fmt: Format) -> int:
    """Bits of the longest significand."""
    return fmt.precision if isinstance(fmt, Float) else fmt.width


def times(p: Scheduler, word: Wire, constant: int) -> Wire:
    """A product with a constant, of a few bits of the other factor at a time."""
    if constant == 1:
        return word
    parts = []
    for first in range(0, len(word), _CHUNK):
        chunk = word[first : first + _CHUNK]
        table = [value * constant for value in range(1 << len(chunk))]
        parts.append(lookup(p, chunk, table).shifted_left(first))
    return p.sum(parts)
