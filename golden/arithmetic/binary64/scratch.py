# SPDX-License-Identifier: BSD-2-Clause
"""Arrays that kernels work in: float32, and their bits.

A new array comes from the system page by page, which takes longer than what is computed in it; and
of few elements an array and its views take as long to make as to fill. So they are kept, and lent
to one call at a time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

FEW = 1024
"""Elements of which the calls count, and not the passes over them."""
PIECE = 1 << 16
"""Elements of a pass: what they are computed in stays in a core's cache."""
_SIZES = 8
_UPPER = int(sys.byteorder == "little")


class Words:
    """Zeros in float32, ``near``, their ``bits`` (uint32), and the halves of those (uint16)."""

    __slots__ = ("bits", "lower", "near", "upper")

    def __init__(self, size: int) -> None:
        self.bits = np.zeros(size, np.uint32)
        self.near, halves = self.bits.view(np.float32), self.bits.view(np.uint16)
        self.upper, self.lower = halves[_UPPER::2], halves[1 - _UPPER :: 2]


class Pool:
    """Scratch by its size, made where none is free, and as the last call left it.

    Attributes
    ----------
    free : dict
        What is taken from it, by ``free.pop(size, None) or pool.made(size)``, is the caller's until
        it is put back.
    """

    __slots__ = ("_make", "free")

    def __init__(self, make: Callable[[int], tuple[Any, ...]]) -> None:
        self.free: dict[int, tuple[Any, ...]] = {}
        self._make = make

    def made(self, size: int) -> tuple[Any, ...]:
        """Return scratch of a size."""
        if len(self.free) >= _SIZES:
            self.free.clear()
        return self._make(size)

    def use(self, size: int, call: Callable[..., None], *arguments: object) -> None:
        """Call with the arguments and with scratch of ``size``."""
        scratch = self.free.pop(size, None) or self.made(size)
        call(*arguments, *scratch)
        self.free[size] = scratch


def three(size: int) -> tuple[Words, Words, Words]:
    """Return three words."""
    return Words(size), Words(size), Words(size)


def halves(size: int) -> tuple[np.ndarray, ...]:
    """Return what an operation of two codes of 16 bits works in: arrays of three words.

    The upper halves of two that are zero, and those as float32; a third as float32, its bits, its
    upper and lower halves; and as many of 16 bits.
    """
    x, y, r = three(size)
    spare = np.empty(size, np.uint16)
    return x.upper, y.upper, x.near, y.near, r.near, r.bits, r.upper, r.lower, spare
