# SPDX-License-Identifier: BSD-2-Clause
"""Projection of exact values to a format: rounding, then overflow, then encoding.

The one place where macaw rounds. IEEE 754-2019 clauses 4.3 and 7, IEEE P3109 4.7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import SpecError, check_whole
from ..formats.choices import Flag, Nan, Overflow, Rounding, Tininess
from ..formats.scalar import Book, Fixed, Float, Format, Posit, Specials, Subnormals
from .books.nearest import nearest
from .exact import INF, INVALID, NAN, ONE, Exact, bit_length, shift_right_jam
from .operands import check_codes
from .posits import codec as posits

_TOP = 63
"""Position above the normalised significand's top bit."""
_STAYS = (Overflow.SATURATE, Overflow.PROPAGATE)
"""Policies under which numbers stay numbers."""
_FRACTION = 62
"""Bits of the fraction that is discarded from a fixed-point result, the last one jammed."""


@dataclass(slots=True)
class Direction:
    """How to round each element: one rounding for all, or ``rm`` codes, or random words.

    Attributes
    ----------
    rounding : Rounding
    modes : ndarray, optional
        Codes of the ``rm`` port, for ``Rounding.DYNAMIC``.
    random : ndarray, optional
        Words of ``random_bits`` bits, for the stochastic directions.
    """

    rounding: Rounding = Rounding.RNE
    modes: np.ndarray | None = None
    random: np.ndarray | None = None
    random_bits: int = 16

    def __getitem__(self, index) -> Direction:
        modes = None if self.modes is None else self.modes[index]
        random = None if self.random is None else self.random[index]
        return Direction(self.rounding, modes, random, self.random_bits)

    def _where(self, wanted: Rounding) -> bool | np.ndarray:
        if self.modes is None:
            return self.rounding is wanted
        return np.array([Rounding.from_code(code) is wanted for code in range(8)])[self.modes]

    @property
    def down(self) -> bool | np.ndarray:
        """Where an exact zero sum is negative."""
        return self._where(Rounding.RDN)

    @property
    def odd(self) -> bool | np.ndarray:
        """Where inexact results take the odd neighbour."""
        return self._where(Rounding.ROD)

    def away(self, negative: np.ndarray) -> bool | np.ndarray:
        """Where any inexact result has the larger magnitude, but for ``rod``'s even neighbours."""
        return (self._where(Rounding.RUP) & ~negative) | (self._where(Rounding.RDN) & negative)

    def addend(
        self, x: np.ndarray, drop: int, odd: np.ndarray, negative: np.ndarray
    ) -> np.ndarray | np.uint64:
        """Return what to add to ``x`` before its last ``drop`` bits are dropped.

        ``odd`` is the last bit kept.
        """
        half, ones = 1 << (drop - 1), (1 << drop) - 1
        if self.modes is None:
            match self.rounding:
                case Rounding.RNE:
                    return odd + np.uint64(half - 1)
                case Rounding.RNA:
                    return np.uint64(half)
                case Rounding.RUP:
                    return np.where(negative, np.uint64(0), np.uint64(ones))
                case Rounding.RDN:
                    return np.where(negative, np.uint64(ones), np.uint64(0))
                case Rounding.SR | Rounding.SRB | Rounding.SRC:
                    return self._stochastic(x, drop - self.random_bits)
            return np.uint64(0)
        constants = {
            Rounding.RNE: (half - 1, half - 1),
            Rounding.RNA: (half, half),
            Rounding.RUP: (ones, 0),
            Rounding.RDN: (0, ones),
        }
        table = [constants.get(Rounding.from_code(code), (0, 0)) for code in range(8)]
        constant = np.array(table, np.uint64)[self.modes, negative.view(np.uint8)]
        return constant + odd * self._where(Rounding.RNE)

    def _stochastic(self, x: np.ndarray, below: int) -> np.ndarray:
        """As :meth:`addend`, where ``below`` bits are dropped under those of the random word."""
        assert self.random is not None
        word = self.random.astype(np.uint64) << np.uint64(below)
        half = np.uint64(1 << (below - 1))
        if self.rounding is Rounding.SRB:
            return word + half
        if self.rounding is Rounding.SRC:
            return word + ((x >> np.uint64(below)) & ONE) + (half - ONE)
        return word

    def overflows_to_infinity(self, negative: np.ndarray) -> bool | np.ndarray:
        """Where IEEE's rule turns an overflow into infinity. IEEE 754-2019 7.4."""
        if self.modes is None:
            match self.rounding:
                case Rounding.RTZ | Rounding.ROD:
                    return False
                case Rounding.RUP:
                    return ~negative
                case Rounding.RDN:
                    return negative
            return True
        pairs = {Rounding.RUP: (1, 0), Rounding.RDN: (0, 1)}
        pairs |= {Rounding.RTZ: (0, 0), Rounding.ROD: (0, 0)}
        table = [pairs.get(Rounding.from_code(code), (1, 1)) for code in range(8)]
        return np.array(table, bool)[self.modes, negative.view(np.uint8)]

    def leaves_upward(self, negative: np.ndarray, odd_stays: bool) -> bool | np.ndarray:
        """Where P3109's rule has infinity or NaN for an overflow. IEEE P3109 v4.0, 4.7.5.

        ``odd_stays`` says that ``rod`` has the largest number.
        """
        beyond = self.overflows_to_infinity(negative)
        return beyond if odd_stays else beyond | self.odd

    @property
    def below_to_zero(self) -> bool | np.ndarray:
        """Where P3109's rule takes negative numbers of an unsigned format to zero."""
        return self._where(Rounding.RTZ) | self._where(Rounding.RUP)


def random_words(rounding: Rounding, random: Any, bits: int) -> np.ndarray | None:
    """Return the words that stochastic rounding takes, checked to have ``bits`` bits.

    None for the other directions; SpecError if those get words, or these none.
    """
    if not rounding.stochastic:
        if random is not None:
            raise SpecError(
                f"random: rounding={rounding} takes no random words, only sr, srb and src do"
            )
        return None
    if random is None:
        raise SpecError(f"random: rounding={rounding} needs an array of random words")
    check_whole("random_bits", bits, 1, 32)
    return check_codes("random", random, Fixed(width=bits, signed=False))


@dataclass(slots=True)
class Split:
    """Magnitudes divided at the last place of a fixed-point format.

    Attributes
    ----------
    integer : ndarray of uint64
        The part above, modulo 2**64.
    beyond : ndarray of bool
        Where the modulus took something away.
    fraction : ndarray of uint64
        The part below, in 62 bits, the last one jammed.
    negative, kind
        As in :class:`Exact`.
    """

    integer: np.ndarray
    beyond: np.ndarray
    fraction: np.ndarray
    negative: np.ndarray
    kind: np.ndarray | None


def resolve_overflow(overflow: Overflow | None, fmt: Format) -> Overflow | None:
    """Return the policy that holds for results in ``fmt``; None is IEEE's rule.

    SpecError for ``wrap`` to a float, for ``nonfinite`` and ``directed`` to a format of finite
    values only, and for all but ``saturate`` to a posit.
    """
    if isinstance(fmt, Posit):
        if overflow not in (None, *_STAYS):
            raise SpecError(f"overflow={overflow}: {fmt.name}, a posit, saturates")
        return Overflow.SATURATE
    if overflow is None and isinstance(fmt, Float) and fmt.specials is Specials.EXTENDED:
        return Overflow.DIRECTED
    if overflow is None or overflow is Overflow.PROPAGATE:
        return overflow if fmt.has_inf else Overflow.SATURATE
    if overflow is Overflow.WRAP and not isinstance(fmt, Fixed):
        raise SpecError(f"overflow=wrap: only fixed point wraps, not {fmt.name}")
    beyond = overflow in (Overflow.NONFINITE, Overflow.DIRECTED)
    if beyond and not (fmt.has_inf or fmt.has_nan):
        raise SpecError(f"overflow={overflow}: {fmt.name} has neither infinity nor NaN")
    return overflow


def resolve_or_default(overflow: Overflow | None, fmt: Format) -> Overflow | None:
    """Return the policy like :func:`resolve_overflow`, the default where ``fmt`` cannot have it."""
    try:
        return resolve_overflow(overflow, fmt)
    except SpecError:
        return resolve_overflow(None, fmt)


def resolve_nan(nan: Any, fmt: Format) -> Nan | None:
    """Return what a NaN becomes in ``fmt``; None where that is the default, or a NaN.

    SpecError for a choice that ``fmt`` does not have.
    """
    if nan is None:
        return None
    nan = Nan.parse(nan, "nan")
    if fmt.has_nan:
        raise SpecError(f"nan={nan}: {fmt.name} has a NaN; this is for formats without one")
    zero = isinstance(fmt, Fixed) or fmt.zero
    if (nan is Nan.ZERO and not zero) or (nan is Nan.NEGATIVE_ZERO and not fmt.negative_zero):
        allowed = ", ".join(["largest"] + ["zero"] * zero + ["negative_zero"] * fmt.negative_zero)
        raise SpecError(f"nan={nan}: {fmt.name} has no such value; must be one of {allowed}")
    return None if nan is Nan.LARGEST else nan


def nan_code(fmt: Format, nan: Nan | None) -> int:
    """Return the code of a NaN in ``fmt``, or of what it becomes there (:func:`resolve_nan`)."""
    if isinstance(fmt, Book):
        value = 0.0 if nan is Nan.ZERO or nan is Nan.NEGATIVE_ZERO else fmt.max
        return fmt.code(value, negative=nan is Nan.NEGATIVE_ZERO)
    if nan is Nan.ZERO:
        return 0
    if nan is Nan.NEGATIVE_ZERO:
        return 1 << (fmt.width - 1)
    if isinstance(fmt, Fixed):
        return fmt.max_integer
    return fmt.max_code if fmt.nan_code is None else fmt.nan_code


def check_tininess(fmt: Format, tininess: Tininess, flags: bool) -> None:
    """SpecError for ``before`` if nothing tells of it, or there are no subnormal numbers."""
    if tininess is Tininess.AFTER:
        return
    if not flags:
        raise SpecError("tininess=before: without flags=true nothing tells of it")
    if not isinstance(fmt, Float) or fmt.subnormals is not Subnormals.GRADUAL:
        raise SpecError(f"tininess=before: {fmt.name} has no subnormal numbers")


def check_rounding(fmt: Format, rounding: Rounding) -> None:
    """SpecError if numbers are not rounded to ``fmt`` in this way."""
    if isinstance(fmt, Posit) and rounding is not Rounding.RNE:
        raise SpecError(f"rounding={rounding}: {fmt.name}, a posit, is rounded by rne alone")


def check_random(fmt: Format, bits: int) -> None:
    """SpecError if random words of ``bits`` bits would reach below the digits that are kept."""
    if isinstance(fmt, Book):
        raise SpecError(f"rounding: {fmt.name} is a code book, which has no stochastic rounding")
    # A sum of two terms has 60 digits before the jammed one (exact.add).
    if isinstance(fmt, Float) and fmt.precision + bits >= 60:
        most = 59 - fmt.precision
        raise SpecError(f"random_bits={bits}: must be at most {most} for {fmt.name}")


def project(
    x: Exact | Split,
    fmt: Format,
    direction: Direction,
    overflow: Overflow | None,
    flags: bool = False,
    nan: Nan | None = None,
    tininess: Tininess = Tininess.AFTER,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Round ``x`` to ``fmt`` and return codes, and flags (uint8, :class:`Flag`) if wanted.

    ``overflow`` and ``nan`` are resolved (:func:`resolve_overflow`, :func:`resolve_nan`).
    """
    if isinstance(fmt, Fixed):
        parts = x if isinstance(x, Split) else split(x, fmt)
        return _project_fixed(parts, fmt, direction, overflow, flags, nan)
    assert isinstance(x, Exact)
    if isinstance(fmt, Book):
        return _project_book(x, fmt, direction, flags, nan)
    if isinstance(fmt, Posit):
        check_rounding(fmt, direction.rounding)
        return _project_posit(x, fmt, flags)
    return _project_float(x, fmt, direction, overflow, flags, nan, tininess)


@dataclass(slots=True)
class _Rounded:
    """Magnitudes after rounding, before the range of the format is looked at.

    Attributes
    ----------
    code : ndarray of int64
        Code of the magnitude, continued beyond the format's codes in both directions where the
        format has no subnormals, and upward everywhere.
    zero : ndarray of bool
        Where the exact value was zero.
    inexact, tiny : ndarray of bool, or None
        Only if flags are wanted.
    """

    code: np.ndarray
    zero: np.ndarray
    inexact: np.ndarray | None
    tiny: np.ndarray | None


def _normalised(x: Exact) -> tuple[np.ndarray, np.ndarray]:
    """Return significands whose top bit is the one below ``_TOP``, and its exponent."""
    significand, offset = x.significand, x.exponent
    if x.bits > _TOP and int(significand.max(initial=0)) >> _TOP:
        top = significand >> np.uint64(_TOP)
        significand = shift_right_jam(significand, top)
        offset = offset + top.view(np.int64)
    length = bit_length(significand)
    norm = significand << (_TOP - length).view(np.uint64)
    exponent = offset + (length - 1)
    exponent[significand == 0] = -1 << 20
    return norm, exponent


def _round(x: Exact, fmt: Float, direction: Direction, flags: bool, tininess: Tininess) -> _Rounded:
    gradual = fmt.subnormals is Subnormals.GRADUAL
    norm, exponent = _normalised(x)
    zero = norm == 0

    drop = _TOP - fmt.precision
    unbounded = norm
    if gradual and x.low < fmt.emin:
        norm = shift_right_jam(norm, np.clip(fmt.emin - exponent, 0, 63).view(np.uint64))
    # A significand carries its hidden bit, and any carry of rounding, into the exponent field.
    base = np.clip(exponent, fmt.emin if gradual else fmt.emin - 2, fmt.emax + 1)
    base += fmt.bias - 1
    base <<= fmt.mantissa
    kept = (norm >> np.uint64(drop)).view(np.int64)
    odd = ((kept if fmt.mantissa else base + kept) & 1).view(np.uint64)
    code = ((norm + direction.addend(norm, drop, odd, x.negative)) >> np.uint64(drop)).view(
        np.int64
    )
    code += base
    inexact = tiny = None
    if flags or direction.odd is not False:
        inexact = (norm & np.uint64((1 << drop) - 1)) != 0
        code |= inexact & direction.odd
    if flags:
        tiny = (exponent < fmt.emin) & ~zero
        if gradual and tininess is Tininess.AFTER:
            tiny &= ~_reaches_normal(unbounded, exponent, fmt, direction, x.negative)
    return _Rounded(code, zero, inexact, tiny)


def _project_float(
    x: Exact,
    fmt: Float,
    direction: Direction,
    overflow: Overflow | None,
    flags: bool,
    becomes: Nan | None,
    tininess: Tininess,
) -> tuple[np.ndarray, np.ndarray | None]:
    rounded = _round(x, fmt, direction, flags, tininess)
    code, zero, negative = rounded.code, rounded.zero, x.negative
    nan = invalid = flushed = np.False_
    if fmt.subnormals is not Subnormals.GRADUAL:
        flushed = code < fmt.min_code
        code[flushed] = 0
        if fmt.zero:
            flushed &= ~zero
        if fmt.zero and fmt.subnormals is Subnormals.NONE:
            # Between zero and the least value there is a gap, but no flushing: a direction holds.
            code[flushed & (direction.away(negative) | direction.odd)] = fmt.min_code
    over = (code > fmt.max_code) if x.high > fmt.emax else np.False_
    if not fmt.signed:
        # What stays below zero after rounding is out of range at the lower end.
        invalid = negative & ((code != 0) if fmt.zero else ~zero)
        over = over & ~invalid
        flushed = flushed & ~invalid
        code[invalid] = 0
        if overflow is Overflow.DIRECTED:
            nan = invalid & ~np.asarray(direction.below_to_zero)
        elif overflow not in _STAYS:
            nan = invalid
    if np.any(over):
        if overflow is None:
            # The code of infinity is the one after that of the largest number.
            code = np.where(over, fmt.max_code + direction.overflows_to_infinity(negative), code)
        elif overflow in _STAYS:
            code[over] = fmt.max_code
        elif overflow is Overflow.DIRECTED:
            odd_stays = fmt.has_inf and fmt.max_code % 2 == 1
            leaves = over & direction.leaves_upward(negative, odd_stays)
            code[over] = fmt.max_code
            code[leaves] += fmt.has_inf
            nan = nan if fmt.has_inf else nan | leaves
        elif fmt.inf_code is not None:
            code[over] = fmt.inf_code
        else:
            nan = nan | over

    finite = np.True_
    if x.kind is not None and x.kind.any():
        finite = (x.kind & (NAN | INF)) == 0
        infinite, was_nan = (x.kind & INF).astype(bool), (x.kind & NAN).astype(bool)
        below = negative & (not fmt.signed)
        missing = infinite & ((not fmt.has_inf) | below)
        code[infinite] = fmt.max_code if fmt.inf_code is None else fmt.inf_code
        if overflow is Overflow.SATURATE:
            code[infinite] = np.where(below[infinite], 0, fmt.max_code)
            nan = nan | was_nan
        elif overflow is Overflow.PROPAGATE:
            code[infinite & below] = 0
            nan = nan | was_nan
        else:
            nan = nan | was_nan | missing
        invalid = (invalid & finite) | missing | (x.kind & INVALID).astype(bool)
        invalid |= was_nan & (not fmt.has_nan)
    if fmt.signed:
        sign = negative & (code != 0) if fmt.nan_for_negative_zero else negative
        code |= sign.astype(np.int64) << (fmt.exponent + fmt.mantissa)
    if np.any(nan):
        code[nan] = nan_code(fmt, becomes)
    codes = code.astype(fmt.code_dtype)
    if not flags:
        return codes, None

    assert rounded.inexact is not None
    assert rounded.tiny is not None
    in_range = finite & ~np.asarray(invalid)
    inexact = (rounded.inexact | over | flushed) & in_range
    tiny = rounded.tiny if fmt.subnormals is Subnormals.GRADUAL else flushed
    result = inexact * np.uint8(Flag.INEXACT)
    result |= (inexact & tiny) * np.uint8(Flag.UNDERFLOW)
    result |= (over & in_range) * np.uint8(Flag.OVERFLOW)
    result |= np.asarray(invalid) * np.uint8(Flag.INVALID)
    return codes, result


def _reaches_normal(
    norm: np.ndarray,
    exponent: np.ndarray,
    fmt: Float,
    direction: Direction,
    negative: np.ndarray,
) -> np.ndarray:
    """Where rounding with an unbounded exponent carries up to the least normal number."""
    drop = _TOP - fmt.precision
    just_below = exponent == fmt.emin - 1
    if fmt.mantissa:
        odd = (norm >> np.uint64(drop)) & ONE
    else:
        odd = np.zeros_like(norm)  # the code of half the least normal number would be 0
    carried = (norm + direction.addend(norm, drop, odd, negative)) >> np.uint64(_TOP) != 0
    if not fmt.mantissa:
        carried |= direction.odd & ((norm & np.uint64((1 << drop) - 1)) != 0)
    return just_below & carried


def split(x: Exact, fmt: Fixed) -> Split:
    """Divide exact values at the last place of ``fmt``."""
    shift = np.asarray(x.exponent + fmt.fraction)
    significand = x.significand
    if x.low >= -fmt.fraction and x.high <= 64 - fmt.fraction:
        # No fraction, and no more than 64 bits above.
        amount = np.maximum(shift, 0).astype(np.int64).view(np.uint64)
        integer = significand << amount
        still = np.zeros(x.shape, bool)
        return Split(integer, still, np.zeros_like(significand), x.negative, x.kind)
    left = np.clip(shift, 0, 64).astype(np.uint64)
    right = np.clip(-shift, 0, 127).astype(np.uint64)
    integer = (significand << left) >> right
    beyond = ((significand << left) >> left) != significand
    lost = significand - ((significand >> right) << right)
    # The fraction is lost / 2**right: bring its top to bit 61, jam what falls off.
    up = np.clip(_FRACTION + shift, 0, _FRACTION).astype(np.uint64)
    down = np.clip(-shift - _FRACTION, 0, 63).astype(np.uint64)
    fraction = shift_right_jam(lost, down) << up
    return Split(integer, beyond, fraction, x.negative, x.kind)


def _project_fixed(
    x: Split,
    fmt: Fixed,
    direction: Direction,
    overflow: Overflow | None,
    flags: bool,
    becomes: Nan | None,
) -> tuple[np.ndarray, np.ndarray | None]:
    negative = x.negative
    inexact = x.fraction != 0
    addend = direction.addend(x.fraction, _FRACTION, x.integer & ONE, negative)
    magnitude = x.integer + ((x.fraction + addend) >> np.uint64(_FRACTION))
    magnitude |= inexact & direction.odd
    beyond = x.beyond | (magnitude < x.integer)

    highest, lowest = np.uint64(fmt.max_integer), np.uint64(-fmt.min_integer)
    over = beyond | (magnitude > np.where(negative, lowest, highest))
    code = np.where(negative, ~magnitude + ONE, magnitude)
    mask = np.uint64((1 << fmt.width) - 1)
    limit = np.where(negative, np.uint64(fmt.min_integer % (1 << fmt.width)), highest)
    code = code & mask if overflow is Overflow.WRAP else np.where(over, limit, code & mask)
    invalid = over
    if x.kind is not None and x.kind.any():
        special = (x.kind & (NAN | INF)) != 0
        nan = np.uint64(nan_code(fmt, becomes))
        code = np.where(special, np.where(x.kind & NAN, nan, limit), code)
        invalid = over | special
        inexact &= ~special
    codes = code.astype(fmt.code_dtype)
    if not flags:
        return codes, None
    result = invalid * np.uint8(Flag.INVALID)
    result |= (inexact & ~invalid) * np.uint8(Flag.INEXACT)
    return codes, result


def _project_book(
    x: Exact, fmt: Book, direction: Direction, flags: bool, becomes: Nan | None
) -> tuple[np.ndarray, np.ndarray | None]:
    norm, exponent = _normalised(x)
    codes, raised = nearest(fmt, norm, exponent, x.negative, direction.rounding, direction.modes)
    if x.kind is not None and x.kind.any():
        infinite, nan = (x.kind & INF).astype(bool), (x.kind & NAN).astype(bool)
        ends = [fmt.code(end, negative=end == fmt.min) for end in (fmt.max, fmt.min)]
        codes[infinite] = np.array(ends, fmt.code_dtype)[x.negative[infinite].view(np.uint8)]
        codes[nan] = nan_code(fmt, becomes)
        raised[infinite | nan] = Flag.INVALID
        raised[(x.kind & INVALID).astype(bool)] = Flag.INVALID
    return codes, raised if flags else None


def _project_posit(x: Exact, fmt: Posit, flags: bool) -> tuple[np.ndarray, np.ndarray | None]:
    codes, raised = posits.pack(*_normalised(x), x.negative, fmt)
    if x.kind is not None and x.kind.any():
        special = (x.kind & (NAN | INF)) != 0
        codes[special] = fmt.nar
        raised[special] = 0
        raised[(x.kind & (INF | INVALID)) != 0] = Flag.INVALID
    return codes.astype(fmt.code_dtype), raised if flags else None
