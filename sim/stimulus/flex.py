# SPDX-License-Identifier: BSD-2-Clause
"""Exponents for Flexpoint operands: so that results saturate, barely do not, tie, or vanish.

Mantissas come as they are; drawn apart from them, nearly all exponents would leave nothing of a
result but its end of the range, or zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from macaw.golden.arithmetic.integers import codes_of, integers_of
from macaw.golden.units import Unit

from ..bench.interface import Codes


def fit_scales(rng: np.random.Generator, unit: Unit, codes: Codes) -> None:
    """Change the exponents of most beats that give results, in place: all those of some tensors,
    which then do not overflow, and three quarters in the others."""
    spec: Any = unit
    last = codes.get("last")
    beats = np.flatnonzero(last) if last is not None else np.arange(len(codes["end"]))
    edges = _edges(rng, spec, codes, beats) if spec.kind == "flex-mac" else None
    top, bottom = _positions(spec, codes, beats)
    width = spec.out.element.width
    ends = codes["end"][beats] != 0
    calm = (rng.random(beats.size) < 0.5)[np.cumsum(ends) - ends]
    kind = rng.integers(0, 8, beats.size)
    # The leading bit at the edge of the range, anywhere, or the last one just below the result.
    place = np.where(kind < 3, width - 1, rng.integers(-1, width + 3, beats.size))
    near = rng.integers(-1, 3, beats.size) * (kind < 3)
    places = np.where(kind < 5, top - place + near, bottom + 1)
    if edges is not None:
        # The last bit of the factor of two is that of the result, or a half of it.
        on, place = edges
        kind, places = np.where(on, 0, kind), np.where(on, place, places)
        calm = calm & ~on
    places = np.where(calm, np.maximum(places, top - (width - 1)), places)
    biases = {n: getattr(spec, n).scale.bias for n in ("a", "b", "out")}
    far = ~calm & (rng.random(beats.size) < 1 / 16)
    chosen = ((kind < 6) | calm) & (top > -4096) & ~far
    rows = beats[chosen]
    if spec.kind == "flex-add":
        wanted = places[chosen] + biases["out"]
        codes["r_scale"][rows] = np.clip(wanted, 0, biases["out"])
        return
    # A few sums lie below all results.
    for name, code in (("a_scale", 0), ("b_scale", 0), ("r_scale", biases["out"])):
        codes[name][beats[far]] = code
    # Any exponent of the result, then what the operands' must add up to.
    result = rng.integers(0, biases["out"] + 1, rows.size)
    both = result - biases["out"] - places[chosen] + biases["a"] + biases["b"]
    both = np.clip(both, 0, biases["a"] + biases["b"])
    first = rng.integers(
        np.maximum(both - biases["b"], 0), np.minimum(both, biases["a"]) + 1, rows.size
    )
    codes["r_scale"][rows] = result
    codes["a_scale"][rows], codes["b_scale"][rows] = first, both - first


def _edges(
    rng: np.random.Generator, spec: Any, codes: Codes, beats: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Make half of the sums of one product or two what lies at an end of the range, beside it, or
    at a tie. Return which, and the places of the last bits of their results."""
    first, second, out = spec.elements
    a, b = (codes[name].reshape(len(codes[name]), -1) for name in "ab")
    begin = np.concatenate([[0], beats[:-1] + 1])
    short = beats - begin < 2
    on = short & (rng.random(beats.size) < 0.5)
    sums = beats[on]
    for rows in (sums, np.maximum(sums - 1, begin[on])):
        a[rows] = 0
    # Ends of the range, one and two beyond, and halves: twice a small number and one.
    high, low = out.max_integer, out.min_integer
    size = sums.size
    ends = np.array([2 * high + 1, 2 * high - 1, high, high + 1, high + 2, low, low - 1, low - 2])
    which = rng.integers(0, len(ends), size)
    tie = rng.random(size) < 0.3
    chosen = np.where(tie, rng.integers(-(1 << 7), 1 << 7, size) * 2 + 1, ends[which])
    half = tie | (which < 2)
    # A factor of few bits, times the rest, with zeros behind both.
    small, large = np.abs(chosen), np.ones(size, np.int64)
    for number in range(2, 256):
        better = (small % number == 0) & (small >= second.max_integer >> 1)
        small, large = (
            np.where(better, small // number, small),
            np.where(better, large * number, large),
        )
    fits = (small <= second.max_integer) & (large <= first.max_integer)
    room = np.maximum(first.width - 2 - np.frexp(large * 1.0)[1], 0)
    zeros = rng.integers(0, room + 1)
    large = np.where(fits, large << zeros, 0)
    lane = rng.integers(0, a.shape[1], size)
    a[sums, lane] = codes_of(np.where(chosen < 0, -large, large), first)
    b[sums, lane] = codes_of(np.where(fits, small, 1), second)
    if a.shape[1] > 1:
        # Of a few another lane takes all of it back.
        some = rng.random(size) < 0.12
        other = (lane + 1) % a.shape[1]
        taken = codes_of(np.where(chosen < 0, large, -large), first)
        a[sums, other] = np.where(some, taken, a[sums, other])
        b[sums, other] = np.where(some, b[sums, lane], b[sums, other])
    codes["a"][...], codes["b"][...] = a.reshape(codes["a"].shape), b.reshape(codes["b"].shape)
    place = np.zeros(beats.size, np.int64)
    place[on] = zeros + half
    on[on] = fits
    return on, place


def _positions(spec: Any, codes: Codes, beats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bit lengths and places of the last bits of results, before the operands' exponents; of sums
    of operands with them. -8192 where the result is zero."""
    a, b = (
        integers_of(codes[name], getattr(spec, name).element).reshape(len(codes[name]), -1)
        for name in "ab"
    )
    if spec.kind == "flex-add":
        found = []
        for name, x in (("a", a), ("b", b)):
            top, bottom = _ends(x)
            exponent = codes[f"{name}_scale"].astype(np.int64) - getattr(spec, name).scale.bias
            found.append((top + exponent, bottom + exponent))
        (top_a, low_a), (top_b, low_b) = found
        low = np.where(top_a < -4096, low_b, np.where(top_b < -4096, low_a, 0))
        return np.maximum(top_a, top_b), np.where(low, low, np.minimum(low_a, low_b))
    if spec.kind == "flex-matmul":
        products = (a[:, :, None] * b[:, None, :]).reshape(len(a), -1)
    else:
        products = a * b
    if spec.kind == "flex-mac":
        products = products.sum(1, keepdims=True)
    if "last" in codes:
        starts = np.concatenate([[0], beats[:-1] + 1])
        # Modulo 2**64, where the operands are wide: which exponents come then matters little.
        products = np.add.reduceat(products[: beats[-1] + 1], starts, axis=0)
    return _ends(products)


def _ends(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bit length of the largest magnitude in each row, and the place of the last bit of one."""
    largest = np.abs(rows).max(1)
    some = rows[:, 0]
    length = np.frexp(largest.astype(np.float64))[1].astype(np.int64)
    last = np.frexp((some & -some).astype(np.float64))[1].astype(np.int64) - 1
    return np.where(largest == 0, -8192, length), np.where(some == 0, length, last)
