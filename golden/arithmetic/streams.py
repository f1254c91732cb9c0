# SPDX-License-Identifier: BSD-2-Clause
"""Accumulation over streams of beats, divided into sequences by ``last``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..errors import CodeError
from ..formats.scalar import Format
from .exact import INF, INVALID, NAN, Exact, unpack
from .operands import CHUNK, Operands, rows
from .projection import Direction, Split
from .sums import Limbs, combine_kinds

PRESENT = "present"
"""Name of the array that says which beats of a group there are: (groups, beats) of bool."""

_UP, _UNDER = np.uint8(16), np.uint8(32)
"""State of a sequence beside NAN and INVALID: it had a term of +inf, of -inf."""


class Accumulator(Protocol):
    """What the functions of this module ask of a unit."""

    @property
    def out(self) -> Format:
        """Format of the results."""
        ...

    @property
    def acc(self) -> str | Format:
        """Format of the accumulator, or ``exact``."""
        ...

    @property
    def lanes(self) -> int:
        """Products per beat."""
        ...

    @property
    def terms(self) -> int:
        """Most products of an exact accumulator."""
        ...

    @property
    def contexts(self) -> int:
        """Accumulations that take the beats in turn."""
        ...

    def given(self, count: int) -> dict[str, np.ndarray]:
        """Arrays for so many results, by name."""
        ...

    def read_out(self, exact: Exact | Split, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Results of sums, or of accumulators, whose last beats are ``chunk``."""
        ...

    def products(self, chunk: dict[str, np.ndarray]) -> list[Exact]:
        """Exact terms of each step, a row for each."""
        ...

    def step(self, codes: np.ndarray, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Accumulators after one more step, as ``r``, and what else a result has."""
        ...

    def direction(self, chunk: dict[str, np.ndarray]) -> Direction:
        """How results are rounded."""
        ...


@dataclass(slots=True)
class Stream:
    """Beats up to the last one with ``last=1``.

    Attributes
    ----------
    arrays : dict of ndarray
        Operands without ``last``; the first axis is the beat.
    ends : ndarray of int64
        Index of the last beat of each sequence.
    """

    arrays: dict[str, np.ndarray]
    ends: np.ndarray

    @classmethod
    def of(cls, operands: Operands) -> Stream:
        """Cut the operands at ``last``."""
        ends = np.flatnonzero(operands.arrays["last"])
        beats = int(ends[-1]) + 1 if ends.size else 0
        rest = {name: array for name, array in operands.arrays.items() if name != "last"}
        return cls({name: array[:beats] for name, array in rest.items()}, ends)

    @property
    def starts(self) -> np.ndarray:
        """Index of the first beat of each sequence."""
        return np.concatenate([[0], self.ends[:-1] + 1]).astype(np.int64)[: self.ends.size]

    def check(self, lanes: int, terms: int, kind: str = "mac") -> None:
        """CodeError if a sequence has more than ``terms`` products."""
        if self.ends.size:
            longest = int((self.ends - self.starts).max() + 1) * lanes
            if longest > terms:
                raise CodeError(f"{kind}: a sequence of {longest} products exceeds terms={terms}")

    def grouped(self, beats: int) -> Stream:
        """Return a stream of groups of ``beats`` beats; the last of a sequence may have fewer.

        The elements of a group lie side by side; those that are missing repeat others, and
        :data:`PRESENT` says which beats are there. Other operands are those of its last beat.
        """
        lengths = self.ends - self.starts + 1
        counts = -(-lengths // beats)
        last = np.cumsum(counts) - 1
        sequence = np.repeat(np.arange(counts.size), counts)
        number = np.arange(sequence.size) - np.repeat(last - counts + 1, counts)
        start = self.starts[sequence] + number * beats
        end = np.minimum(start + beats - 1, self.ends[sequence])
        index = start[:, None] + np.arange(beats)
        there = index <= end[:, None]
        index = np.minimum(index, end[:, None])
        arrays = {
            name: rows(array[index]) if name in ("a", "b") else array[end]
            for name, array in self.arrays.items()
        }
        return Stream(arrays | {PRESENT: there}, last)

    def take(self, index: np.ndarray | slice) -> dict[str, np.ndarray]:
        """Return the operands of some beats."""
        return {name: array[index] for name, array in self.arrays.items()}


def accumulate_exact(stream: Stream, spec: Accumulator) -> dict[str, np.ndarray]:
    """Return the rounded sum of each sequence, rounded once, at its end."""
    out: Format = spec.out
    results = spec.given(stream.ends.size)
    step = max(CHUNK // spec.lanes, 64)
    done, carried, state = 0, None, np.uint8(0)
    beats = int(stream.ends[-1]) + 1 if stream.ends.size else 0
    for start in range(0, beats, step):
        stop = min(start + step, beats)
        chunk = stream.take(slice(start, stop))
        terms = spec.products(chunk)
        sums = Limbs.of(terms, out, spec.terms)
        after = int(np.searchsorted(stream.ends, stop))
        first = np.maximum(stream.starts[done : after + 1], start) - start
        first = first[first < stop - start]
        total = np.add.reduceat(sums.limbs, first, axis=0)
        states = np.bitwise_or.reduceat(_states(terms), first)
        if carried is not None:
            total[0] += carried
        states[0] |= state
        complete = after - done
        carried, state = None, np.uint8(0)
        if len(first) > complete:
            carried, state = Limbs(total[-1:], sums.low).carried()[0], states[-1]
            total, states = total[:-1], states[:-1]
        if complete:
            chunk = stream.take(stream.ends[done:after])
            up, under = (states & _UP).astype(bool), (states & _UNDER).astype(bool)
            kind = combine_kinds(states & (NAN | INVALID), up, under)
            negative = np.where(up | under, under, spec.direction(chunk).down)
            exact = Limbs(total, sums.low).take(out, negative, kind)
            for name, array in spec.read_out(exact, chunk).items():
                results[name][done:after] = array
        done = after
    return results


def _states(terms: list[Exact]) -> np.ndarray:
    kind, negative = terms[0].kind, terms[0].negative
    if kind is None:
        return np.zeros(negative.shape[0], np.uint8)
    infinite = (kind & INF) != 0
    state = kind & ~INF
    state = state | (infinite & ~negative) * _UP | (infinite & negative) * _UNDER
    return np.bitwise_or.reduce(state, -1)


def accumulate_rounded(stream: Stream, spec: Accumulator) -> dict[str, np.ndarray]:
    """Return the result of each sequence, rounded to ``spec.acc`` at every beat.

    The sequences of a batch advance together, beat by beat.
    """
    acc, out = spec.acc, spec.out
    assert not isinstance(acc, str)
    results = spec.given(stream.ends.size)
    starts, lengths = stream.starts, stream.ends - stream.starts + 1
    order = np.argsort(-lengths, kind="stable")
    step = max(CHUNK // spec.lanes, 256)
    for begin in range(0, order.size, step):
        batch = order[begin : begin + step]
        length = lengths[batch]
        held = spec.given(batch.size) | {"r": np.zeros(batch.size, acc.code_dtype)}
        for beat in range(int(length[0])):
            active = int(np.searchsorted(-length, -beat))
            chunk = stream.take(starts[batch[:active]] + beat)
            for name, array in spec.step(held["r"][:active], chunk).items():
                held[name][:active] = array
        if acc != out:
            # Else nothing is rounded once more, and a NaN stays the one that it is.
            held = spec.read_out(unpack(held["r"], acc), stream.take(stream.ends[batch]))
        for name, array in held.items():
            results[name][batch] = array
    return results


def interleaved(operands: Operands, spec: Accumulator) -> dict[str, np.ndarray]:
    """Return the results where the beats belong to ``spec.contexts`` accumulations in turn."""
    context = np.flatnonzero(operands.arrays["last"]) % spec.contexts
    results = spec.given(context.size)
    for number in range(spec.contexts):
        turns = operands.every(spec.contexts, number)
        for name, array in accumulate_rounded(Stream.of(turns), spec).items():
            results[name][context == number] = array
    return results
