# SPDX-License-Identifier: BSD-2-Clause
"""bf16 from float64 and float32, and back, in one compiled pass each, where numba is found.

numpy takes three to nine passes for what :mod:`.float32` says; these have the same results. They
are taken for plain arrays that may be written to, of :data:`.scratch.FEW` numbers and more: the
rest goes by numpy. To load the compiler takes half a second, and a pass saves about half a
nanosecond a number: so it is asked when so many were encoded and decoded that it pays, or far
earlier when it is there already, as sums are compiled (:mod:`.compiled`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import compiled

LEAST, LEAST_BESIDE_SUMS = 1 << 30, 1 << 25
"""Numbers before the passes are made, and where sums are compiled."""
_TYPES = {  # of encoding, by the character of the values' dtype
    "d": "void(f8[::1], u2[::1], u2)",
    "f": "void(f4[::1], u2[::1], u2)",
    "decode": "void(u2[::1], f8[::1])",
}


class Passes:
    """The compiled passes, made when enough numbers were asked for.

    Attributes
    ----------
    asked : int
        Numbers so far.
    """

    __slots__ = ("_made", "_tried", "asked")

    def __init__(self) -> None:
        self.asked, self._tried = 0, False
        self._made: dict[str, Callable[..., None]] = {}

    def encode(self, values: np.ndarray, codes: np.ndarray, nan: int) -> bool:
        """Set codes of bf16 to nearest even, of float32 or float64; False if it is not done."""
        return self._pass(values.dtype.char, values, codes, np.uint16(nan))

    def decode(self, codes: np.ndarray, values: np.ndarray) -> bool:
        """Set float64 values to those of codes of bf16; False if it is not done."""
        return self._pass("decode", codes, values)

    def decoded(self, codes: np.ndarray) -> np.ndarray | None:
        """Return the float64 values of codes along one axis, if the pass is there already."""
        kernel = self._made.get("decode")
        if kernel is None or codes.ndim != 1 or not _plain(codes):
            return None
        values = np.empty(codes.size)
        kernel(codes, values)
        return values

    def _pass(self, name: str, given: np.ndarray, result: np.ndarray, *more: object) -> bool:
        if not self._tried:
            self.asked += result.size
            if self.asked >= (LEAST_BESIDE_SUMS if compiled.SUMS.made else LEAST):
                self._tried, self._made = True, _all()
        kernel = self._made.get(name)
        if kernel is None or not _plain(given) or not _plain(result):
            return False
        kernel(given, result, *more)
        return True


def _plain(array: np.ndarray) -> bool:
    return type(array) is np.ndarray and array.flags.carray and array.dtype.isnative


def _all() -> dict[str, Callable[..., None]]:
    """Return all passes; none where one does not compile."""
    found = {
        name: compiled.compiled(function, _TYPES[name]) for name, function in _FUNCTIONS.items()
    }
    return {name: each for name, each in found.items() if each} if all(found.values()) else {}


def _encode_float64(values: Any, codes: Any, nan: Any) -> None:
    """By the float32 next to each: of a midpoint, the value itself tells the side."""
    one, half, last = np.uint32(1), np.uint32(0x7FFF), np.uint32(16)
    middle, lower = np.uint32(0x8000), np.uint32(0xFFFF)
    for i in range(values.size):
        value = values[i]
        near = np.float32(value)
        bits = near.view(np.uint32)
        wide, exact = abs(np.float64(near)), abs(value)
        side = np.uint32(exact > wide) - np.uint32(exact < wide)
        bits = np.uint32(bits + side) if (bits & lower) == middle else bits
        code = np.uint32(bits + half + ((bits >> last) & one)) >> last
        codes[i] = np.uint16(code) if value == value else nan


def _encode_float32(values: Any, codes: Any, nan: Any) -> None:
    one, half, last = np.uint32(1), np.uint32(0x7FFF), np.uint32(16)
    for i in range(values.size):
        value = values[i]
        bits = np.float32(value).view(np.uint32)
        code = np.uint32(bits + half + ((bits >> last) & one)) >> last
        codes[i] = np.uint16(code) if value == value else nan


def _decode(codes: Any, values: Any) -> None:
    for i in range(codes.size):
        values[i] = np.uint32(np.uint32(codes[i]) << np.uint32(16)).view(np.float32)


_FUNCTIONS: dict[str, Callable[..., None]] = {
    "d": _encode_float64,
    "f": _encode_float32,
    "decode": _decode,
}
PASSES = Passes()
