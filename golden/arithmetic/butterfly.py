# SPDX-License-Identifier: BSD-2-Clause
"""The Hadamard transform of exact values: additions and subtractions in a butterfly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..formats.scalar import Format
from .exact import INF, WINDOW, Exact
from .projection import Split
from .sums import Limbs, alignment, column, combine_kinds

TE_SIGNS = (1, 1, 1, -1, 1, -1, -1, -1, -1, -1, -1, 1, -1, 1, -1, -1)
"""The fixed signs of NVIDIA's Transformer Engine for groups of 16."""


Pair = tuple[np.ndarray, np.ndarray]


def transform_lanes(
    x: Exact, fmt: Format, fraction: int | None, out: Format, down: bool | np.ndarray
) -> Exact | Split:
    """Return the sums ``sum_j (-1)**popcount(i & j) * x_j`` over the last axis of ``x``, (n, K).

    Parameters
    ----------
    x : Exact
    fmt : Format
        From which ``x`` was unpacked.
    fraction : int, optional
        If given, the terms are aligned to the largest exponent of the fields and truncated to so
        many bits below it, toward zero, and the sums of that are exact.
    out : Format
        To which the sums will be rounded.
    down : bool or ndarray
        Where an exact zero sum is negative.
    """
    negative, kind = _signs(x, down)
    count = x.shape[-1]
    room = (count - 1).bit_length()
    if fraction is None and x.high - x.low + room > WINDOW:
        sums = Limbs.of([column(x)], out, count)
        return Limbs(_butterfly(sums.limbs, np.subtract), sums.low).take(out, negative, kind)
    exponent = np.broadcast_to(np.asarray(x.exponent), x.shape)
    if fraction is None:
        last, low = np.full((x.shape[0], 1), x.low), x.low
    else:
        exponents = np.where(x.significand != 0, exponent + alignment(fmt), x.low)
        last, low = exponents.max(-1, keepdims=True) - fraction, x.low - fraction
    up = np.where(x.significand != 0, exponent - last, 0)
    words = x.significand >> np.clip(-up, 0, 63).astype(np.uint64)
    words = words << np.clip(up, 0, 63).astype(np.uint64)
    signed = np.where(x.negative, -words.view(np.int64), words.view(np.int64))
    total = _butterfly(signed[..., None], np.subtract)[..., 0]
    last = np.broadcast_to(last, total.shape)
    high = x.high + room + 1
    return Exact.of_integers(total, last, low=low, high=high, negative=negative, kind=kind)


def _butterfly(
    values: np.ndarray, subtract: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Return the transform over the axis before the last one, of any values that are added."""
    shape, size = values.shape, values.shape[-2]
    step = 1
    while step < size:
        halves = values.reshape(*shape[:-2], size // (2 * step), 2, step, shape[-1])
        x, y = halves[..., 0, :, :], halves[..., 1, :, :]
        values = np.stack([x + y, subtract(x, y)], -3).reshape(shape)
        step *= 2
    return values


def _signs(x: Exact, down: bool | np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the sign of each sum if it is zero or infinite, and its kind."""
    zero = x.significand == 0
    # Terms that are not zeros of the one sign, of the other: a sum counts both.
    minus, plus = _both(~(zero & x.negative), ~(zero & ~x.negative))
    sign = (minus == 0) | ((plus != 0) & down)
    if x.kind is None:
        return sign, None
    infinite = (x.kind & INF).astype(bool)
    up, under = (total != 0 for total in _both(infinite & ~x.negative, infinite & x.negative))
    either = np.broadcast_to(np.bitwise_or.reduce(x.kind, -1, keepdims=True), x.shape)
    return np.where(up | under, under, sign), combine_kinds(either, up, under)


def _both(plus: np.ndarray, minus: np.ndarray) -> Pair:
    """Return how many terms of each sum are marked, those that it subtracts as the other mark."""
    pair = np.stack([plus, minus], -1).astype(np.int64)
    both = _butterfly(pair, lambda x, y: x + y[..., ::-1])
    return both[..., 0], both[..., 1]
