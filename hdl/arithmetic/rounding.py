# SPDX-License-Identifier: BSD-2-Clause
"""Normalise, round and pack: the one place in the gates where a value is rounded.

A value is a :class:`~.projection.Unrounded`, a result a :class:`~.projection.Projection`. Whether
it is rounded up says :class:`~.direction.Direction`; what is around that differs between floats
(:mod:`~.round_float`), fixed point (:mod:`~.round_fixed`), code books (:mod:`~.round_book`) and
posits (:mod:`~.round_posit`).
"""

from macaw.golden.formats import Book, Fixed, Format, Posit
from macaw.golden.formats.choices import Nan, Overflow, Rounding, Tininess

from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire
from .direction import Direction
from .projection import Projection, Unrounded
from .round_book import ToBook, fixed_point_of
from .round_fixed import ToFixed
from .round_float import ToFloat
from .round_posit import ToPosit

__all__ = ["Rounder"]


class Rounder:
    """Projects exact values to a format: rounding, then overflow, then encoding.

    Parameters
    ----------
    p : Scheduler
    format : Float, Fixed, Book or Posit
    rounding : Rounding
    overflow : Overflow or None
        None is IEEE 754's rule for formats with infinities, and saturation for the others.
    mode : Wire, optional
        The ``rm`` port of dynamic rounding.
    random : Wire, optional
        The random word of stochastic rounding.
    flags : bool
        Whether the exception flags are wanted.
    tininess : Tininess
        When a result counts as tiny, for the flag of underflow.
    nan : Nan, optional
        What a NaN becomes in a format without one; None is the largest value.

    Attributes
    ----------
    coded : Float, Fixed, Book or Posit
        What the codes are of.
    format : Float, Fixed or Posit
        What values are prepared for.
    """

    def __init__(
        self,
        p: Scheduler,
        format: Format,
        rounding: Rounding,
        overflow: Overflow | None,
        *,
        mode: Wire | None = None,
        random: Wire | None = None,
        flags: bool = False,
        tininess: Tininess = Tininess.AFTER,
        nan: Nan | None = None,
    ):
        self.coded = format
        # Of a book, what a value is prepared for is the fixed point in which it is looked up.
        self.format = fixed_point_of(format) if isinstance(format, Book) else format
        self.direction = Direction(
            p, rounding, mode=mode, random=random, flags=flags, tininess=tininess
        )
        self._projector: ToFixed | ToFloat | ToBook | ToPosit
        if isinstance(format, Fixed):
            self._projector = ToFixed(
                format=format, direction=self.direction, overflow=overflow, nan=nan
            )
        elif isinstance(format, Book):
            self._projector = ToBook(
                format=format, direction=self.direction, overflow=overflow, nan=nan
            )
        elif isinstance(format, Posit):
            self._projector = ToPosit(
                format=format, direction=self.direction, overflow=overflow, nan=nan
            )
        else:
            self._projector = ToFloat(
                format=format, direction=self.direction, overflow=overflow, nan=nan
            )

    @property
    def fraction_bits(self) -> int:
        """Bits below the result's last place that must be exact, the rest may be sticky."""
        return self.direction.fraction_bits

    def origin(self, width: int, high: int, zeros: int = 0) -> int:
        """The offset at which nothing has to be added to the exponent of an :class:`Unrounded`.

        ``width`` is that of its word, unsigned, ``high`` the largest exponent of its last bit,
        and ``zeros`` the number of bits above its leading one, if it is known.
        """
        if isinstance(self.format, Fixed):
            return max(min(high + self.format.fraction, self.format.width), -width) + (
                1 - self.format.fraction
            )
        lowest = 0 if isinstance(self.format, Posit) else self.format.emin
        return lowest + 1 - width + zeros

    def project(self, exact: Unrounded) -> Projection:
        """The code of the value in the result format, and its flags."""
        return self._projector.project(exact)

    def is_mode(self, *members: Rounding) -> Wire:
        """Whether the direction is one of ``members``; a constant unless it is dynamic."""
        return self.direction.is_mode(*members)
