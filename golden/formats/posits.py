# SPDX-License-Identifier: BSD-2-Clause
"""Posits: a sign, a run of equal bits that counts powers of 2**2**es, exponent and fraction."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..errors import FormatError, check_whole
from .codes import Codec
from .texts import whole

NARROWEST, WIDEST = 3, 32
"""Bits of a posit."""
MOST_EXPONENT = 4
"""Bits of an exponent: beyond them values leave the range of fp64."""
STANDARD = 2
"""Bits of the exponent in the Posit Standard (2022)."""
_NAME = re.compile(r"posit(\d+)(?:es(\d+))?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Posit(Codec):
    """A posit of ``width`` bits, of which at most ``exponent`` are the exponent's.

    Posit Standard (2022), with any number of exponent bits (there it is 2): a negative code is the
    two's complement of its absolute value, a code of nothing but the sign is NaR, the one that is
    no number, and a NaN here. A result is rounded to nearest as a bit string is, ties to the even
    code: half way between two codes is the posit of one bit more between them. No number becomes
    zero or NaR: beyond the ends it becomes the end, but infinity becomes NaR. There is no other
    rounding, and no other overflow than saturation.

    Parameters
    ----------
    width : int
        3 to 32.
    exponent : int
        0 to 4; by default 2.
    """

    width: int
    exponent: int = STANDARD

    def __post_init__(self) -> None:
        check_whole("width", self.width, NARROWEST, WIDEST, FormatError)
        check_whole("exponent", self.exponent, 0, MOST_EXPONENT, FormatError)

    @property
    def name(self) -> str:
        """``posit16``, or ``posit16es1`` where the exponent is not the standard's."""
        return f"posit{self.width}" + (f"es{self.exponent}" * (self.exponent != STANDARD))

    @property
    def fraction(self) -> int:
        """Bits of the longest fraction."""
        return max(self.width - 3 - self.exponent, 0)

    @property
    def precision(self) -> int:
        """Bits of the longest significand."""
        return self.fraction + 1

    @property
    def emax(self) -> int:
        """Exponent of the largest value; of the smallest positive one it is the negative of it."""
        return (self.width - 2) << self.exponent

    @property
    def quantum(self) -> int:
        """Exponent of the smallest positive value, of which every value is a multiple."""
        return -self.emax

    @property
    def nar(self) -> int:
        """Code of NaR."""
        return 1 << (self.width - 1)

    @property
    def signed(self) -> bool:
        """Whether some value is negative."""
        return True

    @property
    def zero(self) -> bool:
        """Whether some code is a zero."""
        return True

    @property
    def negative_zero(self) -> bool:
        """Whether zero has two codes."""
        return False

    @property
    def has_nan(self) -> bool:
        """Whether some code is a NaN."""
        return True

    @property
    def nan_code(self) -> int:
        """Code of the NaN, which is NaR."""
        return self.nar

    @property
    def max_code(self) -> int:
        """Code of the largest value."""
        return self.nar - 1

    @property
    def max(self) -> float:
        """The largest value."""
        return math.ldexp(1.0, self.emax)

    @property
    def min(self) -> float:
        """The lowest value."""
        return -self.max

    @property
    def min_subnormal(self) -> float:
        """The smallest positive value."""
        return math.ldexp(1.0, -self.emax)

    @property
    def epsilon(self) -> float:
        """Distance from 1 to the next larger value."""
        room = self.width - 3
        if room >= self.exponent:
            return math.ldexp(1.0, self.exponent - room)
        return math.ldexp(1.0, 1 << (self.exponent - room)) - 1.0

    @property
    def finite_values(self) -> int:
        """Count of distinct values that are numbers."""
        return (1 << self.width) - 1


def posit(text: str) -> Posit | None:
    """Return the posit of a name; None if it is no posit's. FormatError for one out of range."""
    found = _NAME.fullmatch(text)
    if not found:
        return None
    return Posit(width=whole(found[1]), exponent=whole(found[2]) if found[2] else STANDARD)


POSITS: dict[str, Posit] = {fmt.name: fmt for fmt in (Posit(width=n) for n in (8, 16, 32))}
"""The posits that tables show, by name: those of the standard."""
