# SPDX-License-Identifier: BSD-2-Clause
"""Rows of numbers, and what units of rows make of them."""

import numpy as np

from macaw.golden.formats import Float
from macaw.golden.units import FloatRows

__all__ = ["last_places", "results", "streamed"]


def results(spec: FloatRows, rows: list[list[float]]) -> list[list[float]]:
    """Of rows, each as many beats as it needs; what is missing in the last one is not kept."""
    lanes = spec.lanes
    values, keep, end = [], [], []
    for row in rows:
        beats = max(-(-len(row) // lanes), 1)
        values += row + [1.0] * (beats * lanes - len(row))
        keep += [1] * len(row) + [0] * (beats * lanes - len(row))
        end += [0] * (beats - 1) + [1]
    a = spec.a.encode(np.array(values)).reshape(-1, lanes)
    got = spec.evaluate(a=a, keep=np.array(keep).reshape(-1, lanes), end=np.array(end))
    assert got["end"].tolist() == end
    assert not got["r"].ravel()[np.array(keep) == 0].any()
    flat = iter(np.split(spec.out.decode(got["r"]), np.flatnonzero(end)[:-1] + 1))
    return [next(flat).ravel()[: len(row)].tolist() for row in rows]


def streamed(spec: FloatRows, x: np.ndarray) -> np.ndarray:
    """Of rows of one length, whole beats of the format's own numbers."""
    rows, length = x.shape
    end = np.tile(np.arange(length // spec.lanes) == length // spec.lanes - 1, rows)
    a = spec.a.encode(x).reshape(-1, spec.lanes)
    r = spec.evaluate(a=a, keep=np.ones_like(a), end=end.astype(int))["r"]
    return spec.out.decode(r).reshape(x.shape)


def last_places(exact: np.ndarray, fmt: Float) -> np.ndarray:
    """What a last place of each number's results is worth."""
    return np.exp2(np.maximum(np.frexp(exact)[1] - 1, fmt.emin) - fmt.mantissa)
