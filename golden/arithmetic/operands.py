# SPDX-License-Identifier: BSD-2-Clause
"""Arrays of codes: their check, and their way through a computation in pieces."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import NARROW, plain
from ..errors import CodeError
from ..formats.scalar import Fixed, Format

CHUNK = 8192
"""Elements computed at a time, so that intermediate arrays stay in a core's cache."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Operand:
    """An operand or result: its format, and its number of lanes (the last axis of its arrays).

    ``lanes=None`` is a scalar: an array of any shape, one element per operation.
    """

    format: Format
    lanes: int | None = None

    @property
    def width(self) -> int:
        """Bits of all lanes."""
        return self.format.width * (self.lanes or 1)

    @property
    def tail(self) -> tuple[int, ...]:
        """Axes that the lanes add to an array."""
        return () if self.lanes is None else (self.lanes,)


def rows(array: np.ndarray) -> np.ndarray:
    """Return an array with its first axis and one for all others, also where it has no elements."""
    return array.reshape(len(array), math.prod(array.shape[1:]))


def check_codes(name: str, codes: Any, fmt: Format) -> np.ndarray:
    """Return ``codes`` in the format's code dtype; CodeError if they are not its codes.

    Integers of any dtype are codes if they are in range; booleans are those of one bit.
    """
    dtype = fmt.code_dtype
    whole = dtype.itemsize * 8 == fmt.width
    if whole and type(codes) is np.ndarray and codes.dtype is dtype:
        return codes
    array = plain(name, codes)
    if whole and array.dtype == dtype:
        return array
    array = array.astype(NARROW.get(array.dtype.name, array.dtype), copy=False)
    bits = array.dtype.kind == "b" and fmt.width == 1 and isinstance(fmt, Fixed)
    if array.dtype.kind not in "ui" and not bits:
        raise CodeError(
            f"{name}: dtype {array.dtype} where unsigned integer codes are wanted, as "
            f"{fmt.name}'s encode makes them"
        )
    if whole and array.dtype == dtype:
        return array
    if array.size and not bits:
        low, high = int(array.min()), int(array.max())
        if low < 0 or high >> fmt.width:
            bad = low if low < 0 else high
            raise CodeError(f"{name}: code {bad} is out of range for {fmt.name}, {fmt.width} bits")
    return array.astype(dtype)


@dataclass(slots=True)
class Operands:
    """Checked operands of ``count`` operations: flat arrays, lanes on a second axis."""

    arrays: dict[str, np.ndarray]
    shape: tuple[int, ...]
    count: int

    def every(self, step: int, start: int) -> Operands:
        """Return each ``step``-th operation from ``start`` on."""
        arrays = {name: array[start::step] for name, array in self.arrays.items()}
        count = len(range(start, self.count, step))
        return Operands(arrays, (count,), count)

    @classmethod
    def of(cls, ports: dict[str, Operand], codes: dict[str, Any], kind: str) -> Operands:
        """Check and broadcast ``codes``; CodeError says which operand is wrong, and how."""
        for name in ports:
            if name not in codes:
                raise CodeError(f"{kind}: operand {name} is missing")
        for name in codes:
            if name not in ports:
                raise CodeError(f"{kind}: no operand {name}; it has {', '.join(ports)}")
        arrays: dict[str, np.ndarray] = {}
        shapes: dict[str, tuple[int, ...]] = {}
        for name, port in ports.items():
            array = check_codes(name, codes[name], port.format)
            if array.size == 0:
                raise CodeError(f"{name}: empty array")
            if port.lanes is not None and (not array.ndim or array.shape[-1] != port.lanes):
                raise CodeError(
                    f"{name}: shape {array.shape}: the last axis must have {port.lanes} lanes"
                )
            arrays[name] = array
            shapes[name] = array.shape if port.lanes is None else array.shape[:-1]
        if len(set(shapes.values())) == 1:
            shape = shapes[next(iter(shapes))]
        else:
            try:
                shape = np.broadcast_shapes(*shapes.values())
            except ValueError:
                listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
                raise CodeError(f"{kind}: shapes do not broadcast: {listed}") from None
        count = math.prod(shape)
        for name, port in ports.items():
            array = arrays[name]
            if shapes[name] != shape:
                array = np.broadcast_to(array, shape + port.tail)
            arrays[name] = array.reshape((count, *port.tail))
        return cls(arrays, shape, count)

    def check_one_axis(self, kind: str, said: str) -> None:
        """CodeError with what is ``said`` of the axis, unless there is one alone."""
        if len(self.shape) != 1:
            raise CodeError(f"{kind}: shape {self.shape}: {said}")

    def chunks(self, lanes: int) -> Iterator[tuple[slice, dict[str, np.ndarray]]]:
        """Yield pieces of about :data:`CHUNK` elements."""
        step = max(CHUNK // lanes, 256)
        for start in range(0, self.count, step):
            piece = slice(start, min(start + step, self.count))
            yield piece, {name: array[piece] for name, array in self.arrays.items()}
