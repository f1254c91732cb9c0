# SPDX-License-Identifier: BSD-2-Clause
"""Codes of posits to numbers, and numbers rounded to codes. Posit Standard (2022), 3 and 4."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...formats.choices import Flag
from ...formats.posits import Posit

_ONE = np.uint64(1)
_TOP = 62
"""Place of the top bit of a significand that is rounded."""
_TAIL = 60
"""Bits in which exponent and fraction stand before they are rounded, the last one jammed."""


class Fields(NamedTuple):
    """Codes taken apart: ``(-1)**negative * significand * 2**exponent``, or NaR.

    Attributes
    ----------
    significand : ndarray of uint64
        With its leading one at place ``fmt.fraction``; 0 for zero, not for NaR.
    exponent : ndarray of int64
    negative, nar : ndarray of bool
    """

    significand: np.ndarray
    exponent: np.ndarray
    negative: np.ndarray
    nar: np.ndarray


def unpack(codes: np.ndarray, fmt: Posit) -> Fields:
    """Return the fields of ``codes``."""
    codes = codes.astype(np.uint64)
    width, size = np.uint64(fmt.width), np.uint64(fmt.exponent)
    mask = np.uint64((1 << fmt.width) - 1)
    negative = codes >> (width - _ONE) != 0
    magnitude = np.where(negative, (~codes + _ONE) & mask, codes)
    nar = codes == fmt.nar
    # The run of equal bits: of what is above the first one that differs.
    rest = magnitude & (mask >> _ONE)
    ones = rest >> (width - np.uint64(2)) != 0
    differs = np.where(ones, ~rest & (mask >> _ONE), rest)
    run = fmt.width - 1 - np.frexp(differs.astype(np.float64))[1].astype(np.int64)
    run[rest == 0] = 1
    below = (magnitude << (np.uint64(65) - width)) << (run + 1).view(np.uint64)
    field = (below >> (np.uint64(64) - size)).view(np.int64) if fmt.exponent else 0
    fraction = (below << size) >> np.uint64(64 - fmt.fraction) if fmt.fraction else np.uint64(0)
    scale = (np.where(ones, run - 1, -run) << fmt.exponent) + field
    return Fields(
        significand=(fraction | np.uint64(1 << fmt.fraction)) * (codes != 0),
        exponent=np.where(rest == 0, 0, scale) - fmt.fraction,
        negative=negative & ~nar,
        nar=nar,
    )


def pack(
    significand: np.ndarray, exponent: np.ndarray, negative: np.ndarray, fmt: Posit
) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of numbers rounded to nearest, ties to even, and their flags.

    ``significand`` (uint64) has its top bit at place 62, its last bit jammed, or is 0;
    ``exponent`` (int64) is that of the top bit. Of the flags there are INEXACT, OVERFLOW beyond
    the largest number, and UNDERFLOW below the least.
    """
    most = fmt.emax
    scale = np.clip(exponent, -most, most - 1)
    regime = scale >> fmt.exponent
    up = regime >= 0
    length = np.where(up, regime + 2, 1 - regime)
    run = np.where(up, (np.int64(1) << (np.where(up, regime, 0) + 2)) - 2, 1).view(np.uint64)
    # Exponent and fraction as one string, of which the regime leaves ``room`` bits.
    field = (scale & ((1 << fmt.exponent) - 1)).view(np.uint64)
    fraction = significand & np.uint64((1 << _TOP) - 1)
    kept = _TAIL - fmt.exponent
    cut = np.uint64(_TOP - kept)
    tail = (fraction >> cut) | (fraction & ((_ONE << cut) - _ONE) != 0)
    tail |= field << np.uint64(kept)
    room = (fmt.width - 1 - length).view(np.uint64)
    lost = np.uint64(_TAIL) - room
    code = (run << room) | (tail >> lost)
    rest = tail & ((_ONE << lost) - _ONE)
    half = _ONE << (lost - _ONE)
    code += (rest > half) | ((rest == half) & (code & _ONE != 0))

    zero = significand == 0
    top, under = exponent >= most, (exponent < -most) & ~zero
    over = top & ((exponent > most) | (fraction != 0))
    inexact = (np.where(top, over, rest != 0) | under) & ~zero
    code[top] = fmt.max_code
    code[under] = 1
    code[zero] = 0
    flags = inexact * np.uint8(Flag.INEXACT) + under * np.uint8(Flag.UNDERFLOW)
    flags += (over & ~zero) * np.uint8(Flag.OVERFLOW)
    mask = np.uint64((1 << fmt.width) - 1)
    return np.where(negative, (~code + _ONE) & mask, code), flags
