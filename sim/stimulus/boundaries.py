# SPDX-License-Identifier: BSD-2-Clause
"""Where sequences and tensors end, and what is written to a memory when."""

from __future__ import annotations

import numpy as np

from macaw.golden.units import Operand

BOUNDARIES = ("last", "end", "reseed")
"""Inputs that end a sequence, and what is kept of others."""
LONGEST_TENSOR = 100
"""Results."""

_Rng = np.random.Generator


def sequences(rng: _Rng, count: int, longest: int) -> np.ndarray:
    """``last`` bits: sequence lengths of 1, of a few, and up to ``longest``."""
    last = np.zeros(count, np.uint8)
    number = max(16, count // 4)
    few = rng.integers(1, min(longest, 6) + 1, number)
    many = rng.integers(1, longest + 1, number)
    lengths = np.where(rng.random(number) < 0.9, few, many)
    ends = np.cumsum(lengths)
    while ends[-1] < count:
        ends = np.concatenate([ends, ends[-1] + np.cumsum(lengths)])
    last[ends[ends <= count] - 1] = 1
    last[-1] = 1
    return last


def writes(rng: _Rng, count: int, channels: int, operand: Operand) -> tuple[np.ndarray, np.ndarray]:
    """``channel`` and ``write``: first every channel is written, later one now and then."""
    written = min(count, channels)
    channel = rng.integers(0, written, count).astype(operand.format.code_dtype)
    write = (rng.random(count) < 0.1).astype(np.uint8)
    channel[:written], write[:written] = np.arange(written), 1
    return channel, write


def tensors(rng: _Rng, count: int, last: np.ndarray | None) -> np.ndarray:
    """``end`` bits: tensors of one result, of a few, and up to :data:`LONGEST_TENSOR`.

    Where results come with ``last``, beats without it have ``end`` too: it means nothing there.
    """
    if last is None:
        return sequences(rng, count, LONGEST_TENSOR)
    end = (rng.random(count) < 0.2).astype(np.uint8)
    results = np.flatnonzero(last)
    end[results] = sequences(rng, results.size, LONGEST_TENSOR)
    return end
