# SPDX-License-Identifier: BSD-2-Clause
"""How a unit evaluates arrays: what is found out once, and the way of plain arrays.

Arrays of the operands' own code dtypes and of one shape need no more than a look at those: few
elements would else wait longer for their check than for their results.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...arithmetic.binary64.host import Kernel, in_pieces
from ...arithmetic.binary64.quiet import quietly
from ...arithmetic.binary64.rounding import gradual
from ...arithmetic.binary64.scratch import FEW
from ...arithmetic.operands import CHUNK, Operand, Operands
from ...tables import Shelf

_INDEX = 16
"""Bits of all operands of a unit whose results are looked up."""
_LEAST = 256
"""Results for which a table is made at least."""
_TABLES = Shelf(32)
_Few = tuple[Callable[..., np.ndarray], str, str, str, np.dtype]
"""What gives few results of two operands, the names of these and of the result, its dtype."""


class Planned(Protocol):
    """What a plan asks of a unit."""

    @property
    def ports(self) -> Any:
        """Operands as ``inputs``, results as ``outputs``."""
        ...

    @property
    def stateful(self) -> bool:
        """Whether something outlives a beat."""
        ...

    @property
    def _given(self) -> dict[str, Operand]: ...

    @property
    def _plain(self) -> bool: ...

    def _kernel(self) -> Kernel | None: ...

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]: ...

    def _by_integers(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]: ...


class Plan:
    """What evaluating a unit takes.

    Attributes
    ----------
    inputs, given : dict of Operand
        Operands, and what is computed of them.
    widest : int
        Lanes of the widest of all.
    bits : int
        Of all operands, if their results may be looked up; else 0.
    kernel : Kernel or None
        What gives the one result, of the operands in their order, where the host has subnormals.
    found : dict
        What the unit itself has found out, by its own names.
    """

    __slots__ = (
        "_computed",
        "_count",
        "_few",
        "_looked_up",
        "_operands",
        "_result",
        "_spec",
        "bits",
        "found",
        "given",
        "inputs",
        "kernel",
        "widest",
    )

    def __init__(self, spec: Planned) -> None:
        ports = spec.ports
        every = (*ports.inputs.values(), *ports.outputs.values())
        self._spec = spec
        self.inputs, self.given = ports.inputs, spec._given
        self.widest = max(port.lanes or 1 for port in every)
        bits = sum(port.width for port in ports.inputs.values())
        scalar = all(port.lanes is None for port in every)
        self.bits = bits if scalar and bits <= _INDEX and not spec.stateful else 0
        self.kernel: Kernel | None = spec._kernel()
        self._operands = [_plain(name, port) for name, port in self.inputs.items()]
        self._count = len(self.inputs) if spec._plain else -1
        self._result: tuple[str, np.dtype] | None = None
        if self.kernel is not None:
            ((name, port),) = self.given.items()
            self._result = name, port.format.code_dtype
        self._few: _Few | None = None
        if (few := getattr(self.kernel, "few", None)) is not None:
            first, second = self.inputs
            self._few = few, first, second, *self._result  # type: ignore[misc]
        self.found: dict[str, Any] = {}
        self._looked_up: Tables | None = None
        self._computed = 0

    def drop(self) -> None:
        """Forget the tables."""
        self._looked_up, self._computed = None, 0

    def tables(self, count: int) -> Tables | None:
        """Return tables, which are paid for when they have as many results as were computed.

        None where there are none; ``count`` results are to be computed then.
        """
        if self._looked_up is None and self.bits:
            self._computed += count
            if self._computed >= max(_LEAST, 1 << self.bits):
                made = _tables(self._spec, self.inputs, self.bits)
                self._looked_up = made
                _TABLES.put(self)
                return made
        return self._looked_up

    def evaluate(self, codes: dict[str, Any]) -> dict[str, np.ndarray] | None:
        """Return the results of plain arrays; None if these are not, or want pieces."""
        if len(codes) != self._count:
            return None
        if self._few is not None and (made := self._of_few(self._few, codes)) is not None:
            return made
        arrays, shape = [], None
        for name, dtype, lanes, top in self._operands:
            array = codes.get(name)
            if type(array) is not np.ndarray or array.dtype is not dtype:
                return None
            its = array.shape
            if lanes is not None:
                if not its or its[-1] != lanes:
                    return None
                its = its[:-1]
            if shape is None:
                shape = its
            elif its != shape:
                return None
            if top is not None and np.count_nonzero(array > top):
                return None
            arrays.append(array)
        if not shape or not arrays[0].size:
            return None
        if (found := self._looked_up) is not None and arrays[0].size <= CHUNK:
            return found.taken(arrays)
        if self._result is not None and gradual():
            return {self._result[0]: in_pieces(self.kernel, self._result[1], *arrays)}  # type: ignore[arg-type]
        if self.bits or math.prod(shape) * self.widest > CHUNK:
            return None
        return self._computed_at_once(arrays, shape)

    def _of_few(self, given: _Few, codes: dict[str, Any]) -> dict[str, np.ndarray] | None:
        """Return the results of few operands, all of one format."""
        few, first, second, name, dtype = given
        a, b = codes.get(first), codes.get(second)
        if (
            type(a) is np.ndarray
            and type(b) is np.ndarray
            and a.dtype is b.dtype is dtype
            and a.shape == b.shape
            and a.ndim == 1
            and 0 < a.size <= FEW
            and gradual()
        ):
            return {name: quietly(few, a, b)}
        return None

    def _computed_at_once(
        self, arrays: list[np.ndarray], shape: tuple[int, ...]
    ) -> dict[str, np.ndarray]:
        count = math.prod(shape)
        chunk = {
            name: array.reshape((count, *port.tail))
            for (name, port), array in zip(self.inputs.items(), arrays, strict=True)
        }
        made, results = self._spec._compute(chunk), {}
        for name, port in self.given.items():
            results[name] = np.empty((count, *port.tail), port.format.code_dtype)
            results[name][...] = made[name]
            results[name] = results[name].reshape(shape + port.tail)
        return results


def _plain(name: str, port: Operand) -> tuple[str, np.dtype, int | None, np.ndarray | None]:
    """Return what an operand's plain array has: dtype, lanes, greatest code if that is less."""
    dtype, width = port.format.code_dtype, port.format.width
    whole = dtype.itemsize * 8 == width
    return name, dtype, port.lanes, None if whole else np.array((1 << width) - 1, dtype)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tables:
    """The results of all operands, the first of which has the upper bits of the index.

    Attributes
    ----------
    results : dict of ndarray
    offsets : list of ndarray
        For each operand but the last, where its codes stand in the index.
    """

    results: dict[str, np.ndarray]
    offsets: list[np.ndarray]
    widths: dict[str, int]

    def taken(self, arrays: list[np.ndarray]) -> dict[str, np.ndarray]:
        """Return the results of few operands, in their order."""
        index = arrays[-1]
        for offsets, array in zip(self.offsets, arrays, strict=False):
            index = offsets.take(array) + index
        return {name: table.take(index) for name, table in self.results.items()}

    def look_up(self, operands: Operands) -> dict[str, np.ndarray]:
        """Return the results of operands, piece by piece."""
        results = {n: np.empty(operands.count, table.dtype) for n, table in self.results.items()}
        for piece, chunk in operands.chunks(1):
            index = np.zeros(len(next(iter(chunk.values()))), np.uint16)
            for name, width in self.widths.items():
                index <<= np.uint16(width % 16)
                index |= chunk[name]
            for name, table in self.results.items():
                table.take(index, out=results[name][piece], mode="clip")
        return {name: array.reshape(operands.shape) for name, array in results.items()}


def _tables(spec: Planned, inputs: dict[str, Operand], bits: int) -> Tables:
    every = np.arange(1 << bits)
    chunk: dict[str, np.ndarray] = {}
    offsets: list[np.ndarray] = []
    below = 0
    for name, port in reversed(inputs.items()):
        width, dtype = port.width, port.format.code_dtype
        chunk[name] = (every >> below & ((1 << width) - 1)).astype(dtype)
        if below:
            offsets.insert(0, np.arange(1 << width) << below)
        below += width
    pieces = [
        spec._by_integers({name: array[start : start + CHUNK] for name, array in chunk.items()})
        for start in range(0, every.size, CHUNK)
    ]
    return Tables(
        results={name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]},
        offsets=offsets,
        widths={name: port.width for name, port in inputs.items()},
    )
