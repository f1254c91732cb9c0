# SPDX-License-Identifier: BSD-2-Clause
"""Names of rounding directions, overflow policies and exception flags."""

from __future__ import annotations

import enum
from typing import Any

from ..errors import SpecError


class _Named(enum.StrEnum):
    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"

    @classmethod
    def parse(cls, value: Any, parameter: str = ""):
        """Return the member that ``value`` (a member or its name) means, or raise SpecError."""
        try:
            return cls(value.lower() if isinstance(value, str) else value)
        except ValueError:
            allowed = ", ".join(cls)
            name = parameter or cls.__name__.lower()
            raise SpecError(f"{name}={value!s}: must be one of {allowed}") from None


class Rounding(_Named):
    """Rounding directions: IEEE 754-2019 4.3, to odd and stochastic from IEEE P3109.

    The stochastic ones are P3109's StochasticA, B and C. With v the discarded fraction of an ulp
    of the result and R the random word of N bits, they round away from zero iff

    - ``sr``: ``floor(v * 2**N) + R >= 2**N``. One adder, and on average up to ``2**-N`` ulp too
      near zero;
    - ``srb``: ``floor(v * 2**(N+1)) + 2 * R + 1 >= 2**(N+1)``, one more bit of v;
    - ``src``: ``rne(v * 2**N) + R >= 2**N``, v rounded to the nearest N bits, ties to even.

    ``dynamic`` is no direction: it makes the direction an input (:meth:`from_code`).
    """

    RNE = "rne"
    RNA = "rna"
    RTZ = "rtz"
    RUP = "rup"
    RDN = "rdn"
    ROD = "rod"
    SR = "sr"
    SRB = "srb"
    SRC = "src"
    DYNAMIC = "dynamic"

    @property
    def stochastic(self) -> bool:
        """Whether each result takes a random word."""
        return self in (Rounding.SR, Rounding.SRB, Rounding.SRC)

    @property
    def code(self) -> int:
        """Value of the ``rm`` port that selects this direction (RISC-V's, and 5 for ``rod``)."""
        if self.stochastic or self is Rounding.DYNAMIC:
            raise SpecError(f"rounding={self}: has no code on the rm port")
        return DYNAMIC_CODES.index(self)

    @staticmethod
    def from_code(code: int) -> Rounding:
        """Direction that a 3-bit ``rm`` value selects; 6 and 7 behave as ``rne``."""
        if not 0 <= code <= 7:
            raise SpecError(f"rm={code}: must be 0 to 7")
        return DYNAMIC_CODES[code] if code < len(DYNAMIC_CODES) else Rounding.RNE


DYNAMIC_CODES = (
    Rounding.RNE,
    Rounding.RTZ,
    Rounding.RDN,
    Rounding.RUP,
    Rounding.RNA,
    Rounding.ROD,
)


class Overflow(_Named):
    """What becomes of a rounded value that the result format cannot hold.

    In place of a member, None means IEEE 754-2019 7.4: infinity or the largest finite value, by
    rounding direction. It is the default of IEEE's formats with infinities; those of IEEE P3109
    have ``directed``, and the others saturate.

    ``saturate``, ``propagate`` and ``directed`` are P3109's SatFinite, SatPropagate and SatNone
    (OvfInf in its drafts; v4.0, 4.7.5). ``propagate`` keeps infinities that come in, where there
    are any, and is ``saturate`` else. ``directed`` is as None, but for NaN in place of infinities
    that are not there; for ``rod``, which takes infinity where the largest number has an even code
    (P3109's signed formats); and for negative values in unsigned formats, which ``rtz`` and
    ``rup`` take to zero.
    """

    SATURATE = "saturate"
    PROPAGATE = "propagate"
    DIRECTED = "directed"
    NONFINITE = "nonfinite"
    WRAP = "wrap"


class Nan(_Named):
    """What a NaN becomes in a format that has none.

    ``largest``: the largest positive value, as NVIDIA's ``cvt.satfinite`` and RISC-V's conversions
    to integers have it. ``zero``: +0, as Arm's conversions to integers and WebAssembly's saturating
    ones. ``negative_zero``: -0, as ml_dtypes and ONNX for FP4 and FP6, in formats that have it.
    """

    LARGEST = "largest"
    ZERO = "zero"
    NEGATIVE_ZERO = "negative_zero"


class Tininess(_Named):
    """When a result counts as tiny, for the flag of underflow. IEEE 754-2019 7.5.

    ``after``: if it would be below the least normal number when rounded with unbounded exponent,
    as RISC-V and x86 have it. ``before``: if the exact value is, as Arm and IBM's POWER.
    """

    AFTER = "after"
    BEFORE = "before"


class Flag(enum.IntFlag):
    """Bits of the result ``flags``. IEEE 754-2019 clause 7.

    It has four of them, and of units that divide five.
    """

    INEXACT = 1
    UNDERFLOW = 2
    OVERFLOW = 4
    INVALID = 8
    DIVIDE_BY_ZERO = 16
