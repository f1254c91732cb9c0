# SPDX-License-Identifier: BSD-2-Clause
"""Number formats as data: floats of any field widths, integers and fixed point, by any name."""

from __future__ import annotations

import enum
import math
import re
from dataclasses import dataclass
from typing import Any

from ..errors import FormatError, check_whole
from .aliases import canonical, unknown
from .book_files import own_book
from .books import BOOKS, Book
from .codes import Codec
from .posits import POSITS, Posit, posit
from .power_books import power_book
from .texts import whole

_FARTHEST_BIAS = 4096
"""Beyond any whose values lie within those of fp64."""


class _Choice(enum.Enum):
    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


class Specials(_Choice):
    """Which codes of a float are not numbers.

    ``ieee``: exponent all ones is infinity (mantissa 0) or NaN. ``fn``: no infinity, all ones
    is NaN, once per sign. ``fnuz``: no infinity, no negative zero, whose code is the only NaN.
    ``ext``: the extended domain of IEEE P3109, ``fnuz`` whose largest codes are infinities; the
    NaN of an unsigned format is its last code, and infinity the one before. ``finite``: every
    code is a number.
    """

    IEEE = "ieee"
    FN = "fn"
    FNUZ = "fnuz"
    EXTENDED = "ext"
    FINITE = "finite"


class Subnormals(_Choice):
    """What exponent field 0 means.

    ``gradual``: IEEE 754 subnormals. ``ftz``: subnormal operands and results are zero of their
    sign. ``none``: an ordinary binade (DLFloat, E8M0), whose lowest code is zero if the format
    has a zero.
    """

    GRADUAL = "gradual"
    FLUSH = "ftz"
    NONE = "none"


def _check_flags(fmt: Any, *names: str) -> None:
    for name in names:
        value = getattr(fmt, name)
        if type(value) is not bool:
            raise FormatError(f"{name}={value!s}: must be True or False")


def _usual_bias(exponent: int, specials: Specials) -> int:
    centred = specials in (Specials.FNUZ, Specials.EXTENDED)
    return (1 << (exponent - 1)) - (not centred) if exponent else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Float(Codec):
    """A binary floating-point format, ``(-1)**s * 2**(E - bias) * 1.M``.

    Parameters
    ----------
    exponent, mantissa : int
        Widths of the fields; 1 to 11 and 0 to 52. Without an exponent, of 0 bits, there is a sign
        and nothing else: the values are ``±2**-bias``.
    bias : int, optional
        Default ``2**(exponent-1) - 1``, in ``fnuz`` and ``ext`` formats ``2**(exponent-1)``, and
        0 without an exponent.
    signed : bool
    subnormals : Subnormals
    specials : Specials
    zero : bool
        False only with ``Subnormals.NONE``: code 0 is then ``2**-bias`` (E8M0).
    """

    exponent: int
    mantissa: int
    bias: int = None  # type: ignore[assignment]
    signed: bool = True
    subnormals: Subnormals = Subnormals.GRADUAL
    specials: Specials = Specials.IEEE
    zero: bool = True

    def __post_init__(self) -> None:
        def check(condition: bool, message: str) -> None:
            if not condition:
                raise FormatError(f"e{self.exponent}m{self.mantissa}: {message}")

        check_whole("exponent", self.exponent, 0, 11, FormatError)
        check(
            self.exponent > 0 or (self.signed and not self.zero and self.mantissa == 0),
            "a format without exponent has a sign and no more: e0m0nosubnozero",
        )
        check_whole("mantissa", self.mantissa, 0, 52, FormatError)
        for name, kind in (("subnormals", Subnormals), ("specials", Specials)):
            value = getattr(self, name)
            try:
                object.__setattr__(self, name, kind(value))
            except ValueError:
                words = ", ".join(member.value for member in kind)
                raise FormatError(f"{name}={value!s}: must be one of {words}") from None
        _check_flags(self, "signed", "zero")
        if self.bias is None:
            bias = _usual_bias(self.exponent, self.specials)
            object.__setattr__(self, "bias", bias)
        check_whole("bias", self.bias, -_FARTHEST_BIAS, _FARTHEST_BIAS, FormatError)
        if self.specials is Specials.IEEE:
            check(self.exponent >= 2, "ieee infinities need an exponent of 2 bits or more")
            check(self.mantissa >= 1, "ieee NaNs need a mantissa; choose fn or finite")
        check(self.signed or self.specials is not Specials.FNUZ, "fnuz needs a sign")
        check(
            self.zero or self.subnormals is Subnormals.NONE,
            "a format without zero cannot have subnormals",
        )
        least = (1 << self.mantissa) - (not self.zero)
        check(self.max_code >= least, "no code is left for a normal number")
        check(
            self.emax <= 1023 and self.quantum >= -1074,
            f"bias={self.bias}: the values must lie within those of fp64",
        )

    @property
    def width(self) -> int:
        """Bits of a code."""
        return self.signed + self.exponent + self.mantissa

    @property
    def precision(self) -> int:
        """Significant bits, the hidden one included."""
        return self.mantissa + 1

    @property
    def name(self) -> str:
        """Registered name, or the spelling that :func:`format` reads back."""
        return _NAMES.get(self) or _spell_float(self)

    @property
    def has_inf(self) -> bool:
        """Whether some code is an infinity."""
        return self.specials in (Specials.IEEE, Specials.EXTENDED)

    @property
    def has_nan(self) -> bool:
        """Whether some code is a NaN."""
        return self.specials is not Specials.FINITE

    @property
    def nan_for_negative_zero(self) -> bool:
        """Whether the sign bit alone is the NaN, and code 0 the zero of both signs."""
        return self.signed and self.specials in (Specials.FNUZ, Specials.EXTENDED)

    @property
    def negative_zero(self) -> bool:
        """Whether zero has two codes."""
        return self.signed and self.zero and not self.nan_for_negative_zero

    @property
    def nan_code(self) -> int | None:
        """The canonical NaN: positive and quiet, or the sign bit alone
        (:attr:`nan_for_negative_zero`)."""
        magnitudes = 1 << (self.exponent + self.mantissa)
        if self.nan_for_negative_zero:
            return magnitudes
        match self.specials:
            case Specials.IEEE:
                return magnitudes - (1 << (self.mantissa - 1))
            case Specials.FN | Specials.EXTENDED:
                return magnitudes - 1
        return None

    @property
    def inf_code(self) -> int | None:
        """Code of positive infinity."""
        return self.max_code + 1 if self.has_inf else None

    @property
    def max_code(self) -> int:
        """Code of the largest finite value."""
        magnitudes = 1 << (self.exponent + self.mantissa)
        match self.specials:
            case Specials.IEEE:
                return magnitudes - (1 << self.mantissa) - 1
            case Specials.FN:
                return magnitudes - 2
            case Specials.EXTENDED:
                return magnitudes - 2 - (not self.signed)
        return magnitudes - 1

    @property
    def min_code(self) -> int:
        """Code of the smallest value above zero that results can have."""
        match self.subnormals:
            case Subnormals.NONE:
                return int(self.zero)
            case Subnormals.FLUSH:
                return 1 << self.mantissa
        return 1

    @property
    def emin(self) -> int:
        """Exponent of the lowest binade of normal numbers."""
        return (0 if self.subnormals is Subnormals.NONE else 1) - self.bias

    @property
    def emax(self) -> int:
        """Exponent of the largest finite value."""
        return (self.max_code >> self.mantissa) - self.bias

    @property
    def quantum(self) -> int:
        """Exponent of the least significant bit of the smallest values."""
        return self.emin - self.mantissa

    def _value(self, code: int) -> float:
        field, fraction = code >> self.mantissa, code & ((1 << self.mantissa) - 1)
        hidden = 1 if field or self.subnormals is Subnormals.NONE else 0
        exponent = max(field - self.bias, self.emin)
        return math.ldexp((hidden << self.mantissa) + fraction, exponent - self.mantissa)

    @property
    def max(self) -> float:
        """The largest finite value."""
        return self._value(self.max_code)

    @property
    def min(self) -> float:
        """The lowest finite value."""
        if self.signed:
            return -self.max
        return 0.0 if self.zero else self._value(0)

    @property
    def min_normal(self) -> float:
        """The smallest positive value of full precision."""
        if self.subnormals is Subnormals.NONE:
            return self._value(self.min_code)
        return math.ldexp(1.0, self.emin)

    @property
    def min_subnormal(self) -> float:
        """The smallest positive value; ``min_normal`` in formats without subnormals."""
        return self._value(self.min_code)

    @property
    def epsilon(self) -> float:
        """Distance from 1 to the next larger value of the same precision, ``2**-mantissa``."""
        return math.ldexp(1.0, -self.mantissa)

    @property
    def finite_values(self) -> int:
        """Count of distinct finite numbers; the two zeros are one."""
        positive = self.max_code - self.min_code + 1
        return positive * (1 + self.signed) + self.zero


@dataclass(frozen=True, kw_only=True, slots=True)
class Fixed(Codec):
    """An integer or fixed-point format: two's complement ``code * 2**-fraction``.

    Parameters
    ----------
    width : int
        Bits of a code, 1 to 64.
    fraction : int
        Bits below the point, 0 to 128; may exceed ``width``.
    signed : bool
    symmetric : bool
        Results leave out the most negative code. As an operand it keeps its value.
    """

    width: int
    fraction: int = 0
    signed: bool = True
    symmetric: bool = False

    def __post_init__(self) -> None:
        check_whole("width", self.width, 1, 64, FormatError)
        check_whole("fraction", self.fraction, 0, 128, FormatError)
        _check_flags(self, "signed", "symmetric")
        if self.symmetric and not (self.signed and self.width >= 2):
            raise FormatError(
                f"symmetric=True: needs a signed format of 2 bits or more, not {self.width}"
            )

    @property
    def name(self) -> str:
        """Registered name, or the spelling that :func:`format` reads back."""
        return _NAMES.get(self) or _spell_fixed(self)

    @property
    def negative_zero(self) -> bool:
        """Whether zero has two codes."""
        return False

    @property
    def max_integer(self) -> int:
        """Code of the largest value."""
        return (1 << (self.width - self.signed)) - 1

    @property
    def min_integer(self) -> int:
        """The smallest value in units of the last place; ``-max_integer`` when symmetric."""
        if not self.signed:
            return 0
        return -self.max_integer if self.symmetric else -self.max_integer - 1

    @property
    def quantum(self) -> int:
        """Exponent of the least significant bit."""
        return -self.fraction

    @property
    def max(self) -> float:
        """The largest finite value."""
        return math.ldexp(self.max_integer, -self.fraction)

    @property
    def min(self) -> float:
        """The lowest value that results have."""
        return math.ldexp(self.min_integer, -self.fraction)

    @property
    def epsilon(self) -> float:
        """Distance between neighbouring values, ``2**-fraction``."""
        return math.ldexp(1.0, -self.fraction)

    @property
    def finite_values(self) -> int:
        """Count of distinct values that results have."""
        return self.max_integer - self.min_integer + 1


Format = Float | Fixed | Book | Posit


def _small(exponent: int, mantissa: int, specials: Specials, **fields: Any) -> Float:
    return Float(exponent=exponent, mantissa=mantissa, specials=specials, **fields)


FORMATS: dict[str, Format] = {
    "fp64": Float(exponent=11, mantissa=52),
    "fp32": Float(exponent=8, mantissa=23),
    "tf32": Float(exponent=8, mantissa=10),
    "fp16": Float(exponent=5, mantissa=10),
    "bf16": Float(exponent=8, mantissa=7),
    "dlfloat16": _small(6, 9, Specials.FN, subnormals=Subnormals.NONE),
    "e5m2": Float(exponent=5, mantissa=2),
    "e4m3": _small(4, 3, Specials.FN),
    "e3m4": Float(exponent=3, mantissa=4),
    "e5m2fnuz": _small(5, 2, Specials.FNUZ),
    "e4m3fnuz": _small(4, 3, Specials.FNUZ),
    "e4m3b11fnuz": _small(4, 3, Specials.FNUZ, bias=11),
    "binary8p3se": _small(5, 2, Specials.EXTENDED),
    "binary8p4se": _small(4, 3, Specials.EXTENDED),
    "binary8p3ue": _small(6, 2, Specials.EXTENDED, signed=False),
    "e3m2": _small(3, 2, Specials.FINITE),
    "e2m3": _small(2, 3, Specials.FINITE),
    "e2m1": _small(2, 1, Specials.FINITE),
    "e8m0": _small(8, 0, Specials.FN, signed=False, subnormals=Subnormals.NONE, zero=False),
    "e10m0": _small(10, 0, Specials.FN, signed=False, subnormals=Subnormals.NONE, zero=False),
    "ue4m3": _small(4, 3, Specials.FN, signed=False),
    "ue5m3": _small(5, 3, Specials.FN, signed=False),
    "ternary": Fixed(width=2, symmetric=True),
    **{f"int{n}": Fixed(width=n) for n in (2, 4, 8, 16, 32)},
    **{f"uint{n}": Fixed(width=n, signed=False) for n in (2, 4, 8, 16, 32)},
}
"""The registered formats, by name, in the order in which tables show them."""

POWERS: dict[str, Format] = {
    "binary": Float(
        exponent=0, mantissa=0, specials=Specials.FINITE, subnormals=Subnormals.NONE, zero=False
    ),
    **{
        f"shift{n}": _small(
            n - 1, 0, Specials.FINITE, bias=0, subnormals=Subnormals.NONE, zero=False
        )
        for n in (2, 3, 4)
    },
    **{
        f"power{n}": _small(n - 1, 0, Specials.FINITE, bias=1, subnormals=Subnormals.NONE)
        for n in (2, 3, 4)
    },
}
"""Formats of weights that need no multiplier, of n bits: a sign, and n - 1 bits of a power of two.

``binary`` is 1 and -1 (code 1; the bit of XNOR networks is its complement). ``shift<n>``
(DenseShift) is ``±2**p``, p from 0 on, and has no zero. ``power<n>`` has zero, in place of its
lowest exponent, and ``±2**p``; the sum of K of them is a weight of K powers of two (QFX).
"""

_NAMES: dict[Format, str] = {fmt: name for name, fmt in (FORMATS | POWERS).items()}

_FLOAT = re.compile(
    r"(?P<unsigned>u?)e(?P<exponent>\d+)m(?P<mantissa>\d+)(?:b(?P<below>n?)(?P<bias>\d+))?"
    r"(?P<specials>ieee|fnuz|fn|ext|finite)?(?P<subnormals>ftz|nosub)?(?P<zero>nozero)?"
)
_FIXED = re.compile(
    r"(?P<unsigned>u?)(?:int(?P<integer>\d+)|fx(?P<width>\d+)\.(?P<fraction>\d+))(?P<sym>sym)?"
)


def _default_specials(stem: str, width: int) -> Specials:
    known = FORMATS.get(stem)
    if isinstance(known, Float):
        return known.specials
    return Specials.IEEE if width >= 8 else Specials.FINITE


def _spell_float(f: Float) -> str:
    usual = f.bias == _usual_bias(f.exponent, f.specials)
    if f.specials is Specials.EXTENDED and usual and f.subnormals is Subnormals.GRADUAL:
        return f"binary{f.width}p{f.precision}{'s' if f.signed else 'u'}e"
    stem = name = f"{'' if f.signed else 'u'}e{f.exponent}m{f.mantissa}"
    if not usual:
        name += f"b{'n' if f.bias < 0 else ''}{abs(f.bias)}"
    suffix = {Subnormals.GRADUAL: "", Subnormals.FLUSH: "ftz", Subnormals.NONE: "nosub"}
    suffix = suffix[f.subnormals] + ("" if f.zero else "nozero")
    if f.specials is not _default_specials(stem, f.width) or name + suffix in FORMATS:
        name += f.specials.value
    return name + suffix


def _spell_fixed(f: Fixed) -> str:
    name = f"fx{f.width}.{f.fraction}" if f.fraction else f"int{f.width}"
    return ("" if f.signed else "u") + name + ("sym" if f.symmetric else "")


def format(name: str | Format) -> Format:
    """Return the format called ``name``; a format is returned as it is.

    Names are those of :data:`FORMATS`, :data:`POWERS` and
    :data:`~macaw.golden.formats.books.BOOKS`, what others call these
    (:data:`macaw.golden.formats.aliases.ALIASES`), those of IEEE P3109, then the grammar: floats
    ``[u]e<E>m<M>[b<bias>][ieee|fn|fnuz|ext|finite][ftz|nosub][nozero]``, where
    a negative bias is spelled ``bn<bias>``; specials that are not spelled are those of the
    registered format of these fields (``e4m3ftz`` is OCP's e4m3 without subnormals), else ``ieee``
    from 8 bits on and ``finite`` below; fixed point ``[u]int<width>[sym]`` and
    ``[u]fx<width>.<fraction>[sym]``; posits ``posit<width>[es<exponent>]``, of the standard's
    exponent of 2 bits where none is spelled; code books ``lns<width>.<fraction>[nozero]`` and
    ``nupes<width>a<power>`` (:func:`macaw.golden.formats.power_books.power_book`); and one's own,
    ``<path>.json`` or a registered name (:func:`macaw.golden.formats.book_files.own_book`).

    Raises
    ------
    FormatError for any other name, with the closest known ones, or what it may mean
    (:data:`macaw.golden.formats.aliases.LEADS`).
    """
    if isinstance(name, Float | Fixed | Book | Posit):
        return name
    if not isinstance(name, str):
        raise FormatError(f"format {name!r}: must be a name or a format")
    key = name.strip().lower()
    key = key if key in FORMATS else canonical(name)
    if known := FORMATS.get(key) or POWERS.get(key) or BOOKS.get(key) or POSITS.get(key):
        return known
    if found := posit(key):
        return found
    if match := _FLOAT.fullmatch(key):
        bias = whole(match["bias"]) if match["bias"] else None
        exponent, mantissa = whole(match["exponent"]), whole(match["mantissa"])
        signed = not match["unsigned"]
        stem = f"{match['unsigned']}e{exponent}m{mantissa}"
        specials = match["specials"]
        subnormals = {"ftz": Subnormals.FLUSH, "nosub": Subnormals.NONE}
        return Float(
            exponent=exponent,
            mantissa=mantissa,
            bias=-bias if bias is not None and match["below"] else bias,  # type: ignore[arg-type]
            signed=signed,
            subnormals=subnormals.get(match["subnormals"], Subnormals.GRADUAL),
            specials=Specials(specials)
            if specials
            else _default_specials(stem, signed + exponent + mantissa),
            zero=not match["zero"],
        )
    if match := _FIXED.fullmatch(key):
        return Fixed(
            width=whole(match["integer"] or match["width"]),
            fraction=whole(match["fraction"] or "0"),
            signed=not match["unsigned"],
            symmetric=bool(match["sym"]),
        )
    if book := power_book(key) or own_book(key):
        return book
    raise unknown(name, [*FORMATS, *POWERS, *BOOKS, *POSITS])
