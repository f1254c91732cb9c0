# SPDX-License-Identifier: BSD-2-Clause
"""Exponents for Flexpoint operands: so that results saturate, barely do not, tie, or vanish.

Mantissas come as they are; drawn apart from them, nearly all exponents would leave nothing of a
result but its end of the range, or zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from macaw.golden.arithmetic.integers import integers_of
from macaw.golden.units import Unit

from ..bench.interface import Codes


def fit_scales(rng: np.random.Generator, unit: Unit, codes: Codes) -> None:
    """Change the exponents of most beats that give results, in place: all those of some tensors,
    which then do not overflow, and three quarters in the others."""
    spec: Any = unit
    last = codes.get("last")
    beats = np.flatnonzero(last) if last is not None else np.arange(len(codes["end"]))
    top, bottom = _positions(spec, codes, beats)
    width = spec.out.element.width
    ends = codes["end"][beats] != 0
    calm = (rng.random(beats.size) < 0.5)[np.cumsum(ends) - ends]
    kind = rng.integers(0, 8, beats.size)
    # The leading bit at the edge of the range, anywhere, or the last one just below the result.
    place = np.where(kind < 3, width - 1, rng.integers(-1, width + 3, beats.size))
    near = rng.integers(-1, 3, beats.size) * (kind < 3)
    places = np.where(kind < 5, top - place + near, bottom + 1)
    places = np.where(calm, np.maximum(places, top - (width - 1)), places)
    biases = {n: getattr(spec, n).scale.bias for n in ("a", "b", "out")}
    chosen = ((kind < 6) | calm) & (top > -4096)
    rows = beats[chosen]
    if spec.kind == "flex-add":
        wanted = places[chosen] + biases["out"]
        codes["r_scale"][rows] = np.clip(wanted, 0, biases["out"])
        return
    # Any exponent of the result, then what the operands' must add up to.
    result = rng.integers(0, biases["out"] + 1, rows.size)
    both = result - biases["out"] - places[chosen] + biases["a"] + biases["b"]
    both = np.clip(both, 0, biases["a"] + biases["b"])
    first = rng.integers(
        np.maximum(both - biases["b"], 0), np.minimum(both, biases["a"]) + 1, rows.size
    )
    codes["r_scale"][rows] = result
    codes["a_scale"][rows], codes["b_scale"][rows] = first, both - first


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
