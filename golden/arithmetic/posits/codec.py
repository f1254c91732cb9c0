# SPDX-License-Identifier: BSD-2-Clause
"""Codes of posits to numbers, and numbers rounded to codes. Posit Standard (2022), 3 and 4."""

from __future__ import annotations

import numpy as np

from ...formats.posits import Posit
from ..exact import NAN, ONE, Exact, bit_length, shift_right_jam

_TAIL = 60
"""Bits in which exponent and fraction stand before they are rounded."""


def unpack(codes: np.ndarray, fmt: Posit) -> Exact:
    """Return the values of ``codes``; NaR is a quiet NaN."""
    codes = codes.astype(np.uint64)
    width = np.uint64(fmt.width)
    negative = codes >> (width - ONE) != 0
    mask = np.uint64((1 << fmt.width) - 1)
    magnitude = np.where(negative, (~codes + ONE) & mask, codes)
    body = magnitude << (np.uint64(65) - width)
    ones = body >> np.uint64(63) != 0
    # The run of equal bits: of what is above the first one that differs.
    differs = np.where(ones, ~body, body)
    run = 63 - bit_length(differs >> ONE)
    none = magnitude & (mask >> ONE) == 0
    run = np.where(none, 1, run)
    rest = body << (run + 1).view(np.uint64)
    size = np.uint64(fmt.exponent)
    field = (rest >> (np.uint64(64) - size)).view(np.int64) if fmt.exponent else 0
    fraction = (rest << size) >> np.uint64(64 - fmt.fraction) if fmt.fraction else np.uint64(0)
    scale = (np.where(ones, run - 1, -run) << fmt.exponent) + field
    zero = codes == 0
    return Exact(
        significand=np.where(zero, np.uint64(0), fraction | np.uint64(1 << fmt.fraction)),
        exponent=np.where(none, 0, scale) - fmt.fraction,
        negative=negative & ~none,
        kind=(none & negative) * NAN,
        low=-fmt.emax - fmt.fraction,
        high=fmt.emax + 1,
        bits=fmt.precision,
    )


def pack(
    significand: np.ndarray, exponent: np.ndarray, negative: np.ndarray, fmt: Posit
) -> np.ndarray:
    """Return the codes of numbers rounded to nearest, ties to even.

    ``significand`` (uint64) has its top bit at place 62, its last bit jammed, or is 0;
    ``exponent`` (int64) is that of the top bit.
    """
    most = fmt.emax
    scale = np.clip(exponent, -most, most - 1)
    regime = scale >> fmt.exponent
    up = regime >= 0
    length = np.where(up, regime + 2, 1 - regime)
    run = np.where(up, (np.int64(1) << (np.where(up, regime, 0) + 2)) - 2, 1).view(np.uint64)
    # Exponent and fraction as one string, of which the regime leaves ``room`` bits.
    field = (scale & ((1 << fmt.exponent) - 1)).view(np.uint64)
    fraction = significand & np.uint64((1 << 62) - 1)
    kept = _TAIL - fmt.exponent
    tail = shift_right_jam(fraction, np.full(fraction.shape, 62 - kept, np.uint64))
    tail |= field << np.uint64(kept)
    room = (fmt.width - 1 - length).view(np.uint64)
    lost = np.uint64(_TAIL) - room
    code = (run << room) | (tail >> lost)
    rest = tail & ((ONE << lost) - ONE)
    half = ONE << (lost - ONE)
    code += (rest > half) | ((rest == half) & (code & ONE != 0))
    code = np.where(exponent >= most, np.uint64(fmt.nar - 1), code)
    code = np.where(exponent < -most, ONE, code)
    code = np.where(significand == 0, np.uint64(0), code)
    mask = np.uint64((1 << fmt.width) - 1)
    return np.where(negative, (~code + ONE) & mask, code)
