# SPDX-License-Identifier: BSD-2-Clause
"""Code books: formats that are a list of values, one for each code."""

from __future__ import annotations

import hashlib
import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import PurePath

from ..errors import FormatError
from .codes import Codec

WIDEST = 8
"""Bits of the widest book."""
_NAME = re.compile(r"[a-z][a-z0-9]*(?:\.\d+[a-z]*)?")
OWN = re.compile(
    r"(?P<stem>(?P<file>[\w./\\~+-]+\.(?i:json))|[a-z][a-z0-9]*)(?:@(?P<digest>[0-9a-f]{8}))?",
    re.ASCII,
)
"""Names of the user's own books, with and without a digest."""
_PLACES = 32
"""Values that span so many binary places are taken as fixed point."""
_DIGITS = 56
"""Significant bits of a midpoint: sums and quotients are known to more, the rest is jammed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Book(Codec):
    """A code book: ``value = values[code]``.

    A number between two values becomes the nearest one, or in a direction the neighbour on that
    side; beyond both ends it becomes the end. Of two that are equally near ``rne`` takes the even
    code, and ``rod`` the odd code of any two neighbours; where both are even, or both odd, they
    take the one nearer to zero. ``rna`` takes the greater magnitude of two that are equally near.
    A value that stands twice has its lowest code as result; -0.0 is a negative zero. Where zero is
    no value, ``rtz`` keeps the sign, and a zero is the least number of its sign. There are no
    stochastic roundings.

    Parameters
    ----------
    name : str
        Small letters and digits: it stands in names of modules. Or that of a user's own book,
        which ends in a digest (:func:`own_name`). Those of :data:`BOOKS`, of powers
        (:mod:`~.power_books`), of files and registered ones (:mod:`~.book_files`) are found by
        their name.
    values : tuple of float
        Finite, 2 to 256 of them, as many as codes of some width; two at least are not equal.
    """

    name: str
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        name = self.name if isinstance(self.name, str) else ""
        own = OWN.fullmatch(name)
        if not (_NAME.fullmatch(name) or (own and own["digest"])):
            raise FormatError(f"name={self.name!s}: must be a small letter, then these and digits")
        try:
            values = tuple(float(value) for value in self.values)
        except (TypeError, ValueError, OverflowError):
            raise FormatError(f"{self.name}: values must be a sequence of numbers") from None
        object.__setattr__(self, "values", values)
        count = len(self.values)
        if count not in [1 << n for n in range(1, WIDEST + 1)]:
            raise FormatError(
                f"{self.name}: {count} values: must be a power of two from 2 to {1 << WIDEST}"
            )
        for code, value in enumerate(self.values):
            if not math.isfinite(value):
                raise FormatError(f"{self.name}: value {value} of code {code} must be finite")
        if own and own["digest"] and self.name != own_name(own["stem"], self.values):
            raise FormatError(f"name={self.name}: is not the digest of these values")
        ordered = self.ordered
        if len(ordered) < 2:
            raise FormatError(f"{self.name}: all values are {self.max}: two must differ")
        for low, high in pairwise(ordered):
            if _digits((Fraction(low) + Fraction(high)) / 2) > _DIGITS:
                raise FormatError(
                    f"{self.name}: half way between {low} and {high} has more than {_DIGITS} "
                    "significant bits: give values of fewer"
                )

    @property
    def width(self) -> int:
        """Bits of a code."""
        return (len(self.values) - 1).bit_length()

    @property
    def word(self) -> str:
        """The name as a part of an identifier: of a file its own, without those of folders."""
        own = OWN.fullmatch(self.name)
        if not own or not own["digest"]:
            return self.name.replace(".", "p")
        stem = PurePath(own["stem"].replace("\\", "/")).name
        stem = re.sub(r"\.json$", "", stem.lower())
        return re.sub(r"\W", "_", f"{stem}_{own['digest']}", flags=re.ASCII)

    @property
    def ordered(self) -> tuple[float, ...]:
        """The distinct values, the least first; both zeros are one."""
        return tuple(sorted(set(self.values)))

    @property
    def signed(self) -> bool:
        """Whether some value is negative."""
        return self.min < 0 or self.negative_zero

    @property
    def zero(self) -> bool:
        """Whether some code is a zero."""
        return 0.0 in self.values

    @property
    def negative_zero(self) -> bool:
        """Whether zero has two codes."""
        return len({math.copysign(1.0, value) for value in self.values if value == 0}) == 2

    @property
    def zero_code(self) -> int:
        """Code of zero, or of what is nearest to it, the positive of two."""
        return self.code(min(self.ordered, key=lambda value: (abs(value), value < 0)))

    def code(self, value: float, *, negative: bool = False) -> int:
        """Return the code that a result of one of the values has.

        Of a zero that is ``negative`` it is that of -0.0, if there is one.
        """
        codes = [code for code, each in enumerate(self.values) if each == value]
        alike = [code for code in codes if math.copysign(1.0, self.values[code]) < 0]
        if value == 0 and alike and len(alike) < len(codes):
            codes = alike if negative else [code for code in codes if code not in alike]
        return codes[0]

    @property
    def max(self) -> float:
        """The largest value."""
        return max(self.values)

    @property
    def min(self) -> float:
        """The lowest value."""
        return min(self.values)

    @property
    def min_subnormal(self) -> float:
        """The smallest positive value; the smallest magnitude, if none is positive."""
        positive = [value for value in self.values if value > 0]
        return min(positive or [abs(value) for value in self.values])

    @property
    def epsilon(self) -> float:
        """The smallest distance between two values."""
        return min(high - low for low, high in pairwise(self.ordered))

    @property
    def finite_values(self) -> int:
        """Count of distinct values; the two zeros are one."""
        return len(self.ordered)

    @property
    def emax(self) -> int:
        """Exponent of the top bit of the largest magnitude."""
        return math.frexp(max(self.max, -self.min))[1] - 1

    @property
    def quantum(self) -> int:
        """Exponent of the least significant bit of the smallest values."""
        if self.uniform:
            return self._last
        return min(math.frexp(value)[1] for value in self.values if value) - self.precision

    @property
    def _last(self) -> int:
        """Exponent of the last place that some value needs."""
        return min(_lowest(Fraction(value)) for value in self.values if value)

    @property
    def uniform(self) -> bool:
        """Whether values are taken as fixed point: integers of one last place.

        Where their exponents lie too far apart for that each has an exponent of its own. Results
        do not depend on it, but for sums that are aligned: the exponent that counts there is that
        of the code's field, and a fixed point has one for all.
        """
        return self.emax - self._last < _PLACES

    @property
    def precision(self) -> int:
        """Bits of a significand: of the largest integer, or of the longest value."""
        if self.uniform:
            return self.emax - self._last + 1
        return max(_digits(Fraction(value)) for value in self.values)


def own_name(stem: str, values: Sequence[float]) -> str:
    """The name of a user's own book: what it is called, ``@``, and a digest of its values."""
    content = struct.pack(f"<{len(values)}d", *values)
    return f"{stem}@{hashlib.sha256(content).hexdigest()[:8]}"


def _lowest(value: Fraction) -> int:
    """Exponent of the last place of a dyadic number that is not zero."""
    last = value.numerator & -value.numerator
    return last.bit_length() - value.denominator.bit_length()


def _digits(value: Fraction) -> int:
    """Significant bits of a dyadic number."""
    last = value.numerator & -value.numerator
    return (abs(value.numerator) // last).bit_length() if last else 0


def _single(value: float) -> float:
    """The nearest float32."""
    return struct.unpack("f", struct.pack("f", value))[0]


_NF4 = (
    *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453),
    *(-0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0),
    *(0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224),
    *(0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
)
_FP4 = tuple(_single(value) for value in (0, 1 / 192, 2 / 3, 1, 1 / 3, 1 / 2, 1 / 6, 1 / 4))

BOOKS: dict[str, Book] = {
    book.name: book
    for book in (
        Book(name="nf4", values=_NF4),
        Book(name="fp4bnb", values=(*_FP4, *(-value for value in _FP4))),
    )
}
"""The registered code books, by name: NF4 (QLoRA, arXiv 2305.14314), and FP4 of bitsandbytes.

Their values are float32, as bitsandbytes and onnxruntime have them.
"""
