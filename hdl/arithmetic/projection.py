# SPDX-License-Identifier: BSD-2-Clause
"""What rounding takes, an exact value, and what it gives, a code with its flags."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from macaw.golden.formats import Format
from macaw.golden.formats.choices import Nan, Overflow

from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire
from .direction import Direction
from .number import Special

__all__ = ["Projection", "Projector", "Unrounded"]

AnyFormat = TypeVar("AnyFormat", bound=Format)


@dataclass(frozen=True, kw_only=True)
class Projector(Generic[AnyFormat]):
    """Projects exact values to a format; what it is told is what a :class:`~.rounding.Rounder` is.

    Attributes
    ----------
    format : Float or Fixed
    direction : Direction
    overflow : Overflow or None
    nan : Nan or None
    """

    format: AnyFormat
    direction: Direction
    overflow: Overflow | None
    nan: Nan | None

    @property
    def p(self) -> Scheduler:
        """The scheduler of all signals."""
        return self.direction.p

    def project(self, exact: "Unrounded") -> "Projection":
        """The code of the value, and its flags."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True, slots=True)
class Unrounded:
    """An exact sum before rounding.

    The value is ``(-1)**sign * (word + fraction) * 2**(exponent + offset)``, where ``word`` is a
    two's complement integer (its sign flips the value's sign once more) and ``fraction``, in
    [0, 1), is zero iff ``sticky`` is 0.

    Attributes
    ----------
    word : Wire
        Signed or unsigned.
    exponent : Wire
        Constant where the sum has a fixed point.
    offset : int
    sticky, sign : Wire
    zero_sign : Wire
        Sign of the result when the value is exactly zero.
    leading : int or None
        Index of the leading one of an unsigned ``word``, or ``depth`` places below; numbers in
        which it is still lower have a result that is subnormal, or zero. None if it can be
        anywhere.
    depth : int
    bound : int or None
        The value is known to be below ``2**bound``.
    words : tuple of Wire or None
        Two words and a carry, whose sum ``word`` is, but for bits above that repeat its sign. They
        have a bit more than its magnitude, and are given where its digits are to be anticipated.
    instead : tuple of Wire and Unrounded, or None
        Where that wire is set, the sum is the other one, of which nothing is rounded. Of floats.
    special : Special
    """

    word: Wire
    exponent: Wire
    offset: int
    sticky: Wire
    sign: Wire
    zero_sign: Wire
    special: Special
    leading: int | None = None
    depth: int = 0
    bound: int | None = None
    words: tuple[Wire, Wire, Wire] | None = None
    instead: tuple[Wire, "Unrounded"] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Projection:
    """The code of the result, and the exception flags in golden's order of bits.

    Of a float with flags also what was special of the value.
    """

    code: Wire
    flags: Wire
    special: Special | None = None

    @property
    def wrong(self) -> Wire:
        """Whether the value was no finite number, or the flags say that it had no result."""
        bad, special = self.flags[2:].any(), self.special
        return bad if special is None else bad | special.nan | special.infinite
