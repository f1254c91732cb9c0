# SPDX-License-Identifier: BSD-2-Clause
"""Bins of units that add up a stream of beats: of steps or of sums, of carries, of sequences."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from macaw.golden.arithmetic.exact import INF, NAN, Exact, kinds
from macaw.golden.formats import Fixed, Float
from macaw.golden.formats.choices import Rounding
from macaw.golden.units import BlockDot, BlockMac, Dot, Mac, Operand, Unit

from ...bench.interface import Codes
from .bins import Bin
from .fixed import FixedPlace, FixedResults
from .floats import BESIDE, Floats, ToFixed
from .operands import classed, crosses
from .reach import Reach
from .results import Results
from .values import Place

SEGMENT = 8
"""Bits between the places into which carries are counted."""
FAR = 16
"""Bits through which a carry runs, to be called far."""
MANY = 16
_KEPT = 60


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """What the bins of one unit ask of a stream.

    Attributes
    ----------
    inner : object
        What those of the steps, or of the sums, ask.
    classes : dict of ndarray
        Classes of operands, of each beat.
    beats : ndarray of int
        Of each sequence.
    totals : ndarray of object, or None
        Exact sums of sequences, in last places, if none of their operands is special.
    held, added : ndarray of object, or None
        What is in an exact accumulator before each beat, and what that adds.
    some : ndarray of bool
        Which sequences have a beat that is not zero.
    turned : ndarray of bool
        Whose sum changes its sign on the way.
    """

    inner: Any
    classes: dict[str, np.ndarray]
    beats: np.ndarray
    totals: np.ndarray | None = None
    held: np.ndarray | None = None
    added: np.ndarray | None = None
    some: np.ndarray | None = None
    turned: np.ndarray | None = None

    @property
    def place(self) -> Any:
        """Where sums lie among the results."""
        return self.inner.place

    @cached_property
    def carries(self) -> np.ndarray:
        """Words of the carries into each place, as in two's complement."""
        return (self.held + self.added) ^ self.held ^ self.added  # type: ignore[operator]

    @cached_property
    def passing(self) -> np.ndarray:
        """Words of the places at which :data:`FAR` places begin that pass a carry on."""
        word = self.held ^ self.added  # type: ignore[operator]
        for step in (1, 2, 4, 8):
            word = word & (word >> step)
        return word


@dataclass(frozen=True, kw_only=True)
class _Sums:
    place: Any


class Streams:
    """Bins of ``mac`` and ``block-mac``.

    Where the accumulator is a format each beat is a step: a dot product with the accumulator for
    its addend, and its bins are those. Where it is exact, sums are rounded once.
    """

    def __init__(self, unit: Unit) -> None:
        self.unit: Any = unit
        self.numbers = {n: o for n, o in unit.ports.inputs.items() if n not in BESIDE}
        self.exact = self.unit.acc == "exact"
        if self.exact:
            kind = _FloatSums if isinstance(self.unit.out, Float) else _FixedSums
            self.inner: Any = kind(self.unit, self.numbers)
        else:
            step = _step(self.unit)
            family: Any = Floats if Floats.take(step) else ToFixed
            self.inner = family(step, _accumulated(family(step).product, step, self.unit))
        self.bins = tuple(self._bins())

    @staticmethod
    def take(unit: Any) -> bool:
        """Whether the unit is one of these."""
        if not isinstance(unit, Mac | BlockMac) or unit.contexts > 1 or unit.product is not None:
            return False
        formats = [o.format for o in unit.ports.inputs.values()]
        numbers = all(isinstance(fmt, Float | Fixed) for fmt in [*formats, unit.out])
        blocks = isinstance(unit, BlockMac)
        if blocks and (unit.beats > 1 or unit.factors.zeros or unit.accumulation != "exact"):
            return False
        if unit.acc == "exact":
            return numbers
        steps = isinstance(unit.acc, Float | Fixed) and not unit.rounding.stochastic
        return numbers and steps

    def facts(self, codes: Codes, results: Codes) -> Sequences:
        """What the bins are asked about."""
        ends = np.flatnonzero(codes["last"])
        count = ends[-1] + 1 if ends.size else 0
        codes = {name: column[:count] for name, column in codes.items()}
        begins = np.concatenate([[0], ends[:-1] + 1])
        beats = ends - begins + 1
        seen = classed(self.numbers, codes)
        if not self.exact:
            states, following = _states(self.unit, codes, begins, beats)
            ports = self.inner.unit.ports.inputs
            given = {
                name: codes[name] if ports[name].lanes is None else codes[name].reshape(count, -1)
                for name in self.numbers
            } | {"c": states}
            inner = self.inner.facts(given, {"r": following})
            return Sequences(inner=inner, classes=seen, beats=beats)
        parts = self.unit.products(codes)
        low = min(int(np.min(part.exponent)) for part in parts)
        added = sum((_integers(part, low).sum(1) for part in parts), np.zeros(count, object))
        running = np.add.accumulate(added)
        before = np.concatenate([np.zeros(1, object), running])[begins]
        running = running - np.repeat(before, beats)
        held = running - added
        kind, negative = _kinds(parts, begins)
        place = self.inner.place(_exact(running[ends], low, kind, negative), results["r"])
        turned = (held != 0) & ((held < 0) != (running < 0))
        return Sequences(
            inner=_Sums(place=place),
            classes=seen,
            beats=beats,
            totals=running[ends],
            held=held,
            added=added,
            some=np.logical_or.reduceat(added != 0, begins) if beats.size else np.zeros(0, bool),
            turned=np.logical_or.reduceat(turned, begins) if beats.size else np.zeros(0, bool),
        )

    def _bins(self) -> Iterator[Bin]:
        if self.exact:
            yield from crosses(self.numbers, self.unit.lanes)
            yield from self.inner.rounded()
            yield from self._carries()
        else:
            for each in self.inner.bins:
                yield Bin(
                    name=each.name.replace("c ", "accumulator ", 1)
                    if each.name.startswith("operands/c ")
                    else each.name.replace(", c ", ", accumulator "),
                    meaning=each.meaning,
                    hits=lambda facts, hits=each.hits: hits(facts.inner),
                    reason=each.reason,
                )
        yield from self._sequences()

    def _sequences(self) -> Iterator[Bin]:
        full = self.unit.terms // self.unit.lanes
        few = f"a sum has at most {full} beats"
        wanted: list[tuple[str, str, Callable[[Sequences], np.ndarray], str, int]] = [
            ("one beat", "", lambda f: f.beats == 1, "", 0),
            ("two beats", "", lambda f: f.beats == 2, few if full < 2 else "", 0),
            (
                "many beats",
                f"more than {MANY}",
                lambda f: f.beats > MANY,
                few if full <= MANY else "",
                MANY,
            ),
        ]
        if self.exact:
            signed = any(o.format.signed for o in self.numbers.values())
            none = "" if signed else "no operand has a sign"
            long = none or (few if full < 2 else "")
            wanted += [
                ("full", f"{full} beats, as many as may be", lambda f: f.beats == full, "", full),
                ("turns", "the sum changes its sign on the way", lambda f: f.turned, long, 0),
                (
                    "zero",
                    "of beats that are not",
                    lambda f: f.some & (f.totals == 0),
                    long,
                    0,
                ),
            ]
        for name, meaning, hits, reason, beats in wanted:
            yield Bin(
                name=f"sequence/{name}",
                meaning=meaning or name,
                hits=hits,
                reason=reason,
                beats=beats,
            )

    def _carries(self) -> Iterator[Bin]:
        """Carries into places of the accumulator, which gates may cut there."""
        one, full = self.inner.product, self.unit.terms // self.unit.lanes
        lane = int(one.largest * self.unit.lanes / 2**one.low)
        width = (lane * full).bit_length() + 1
        signed = any(o.format.signed for o in self.numbers.values())
        for bit in range(SEGMENT, width, SEGMENT):
            # Without signs a sum has to come so far.
            beats = 0 if signed else -(-(1 << bit) // lane)
            none = "a sum has one beat" if full < 2 else ""
            yield Bin(
                name=f"carry/into bit {bit}",
                meaning="a beat carries from below",
                hits=lambda f, bit=bit: (f.carries >> bit) & 1 != 0,
                reason=none or ("" if beats <= full else f"sums are below 2^{bit}"),
                beats=full if beats > 1 else 0,
            )
        if width > FAR + 1 and signed and full > 1:
            mask = (1 << (width - FAR)) - 1
            yield Bin(
                name="carry/far",
                meaning=f"one runs through {FAR} places, or more",
                hits=lambda f: f.carries & f.passing & mask != 0,
            )


class _ExactSums:
    """What sums of products reach, without an addend."""

    def __init__(self, unit: Any, numbers: dict[str, Operand]) -> None:
        self.unit, self.numbers, self.out = unit, numbers, unit.out

    @property
    def added(self) -> None:
        """There is no addend."""

    @cached_property
    def product(self) -> Reach:
        """Of one product."""
        formats = {name: Reach.of(o.format) for name, o in self.numbers.items()}
        found = formats["a"] * formats["b"]
        for name in ("a_scale", "b_scale"):
            found = found * formats[name] if name in formats else found
        return found

    @cached_property
    def reach(self) -> Reach:
        """Of sums."""
        return self.product.times(self.unit.terms)


class _FloatSums(_ExactSums, Results):
    begins = True

    def place(self, exact: Exact, codes: np.ndarray) -> Place:
        """Where sums lie."""
        return Place(exact=exact, codes=codes, fmt=self.out)


class _FixedSums(_ExactSums, FixedResults):
    def place(self, exact: Exact, codes: np.ndarray) -> FixedPlace:
        """Where sums lie."""
        return FixedPlace(exact=exact, fmt=self.out)


def _step(unit: Any) -> Unit:
    """The dot product that a beat is, with the accumulator for its addend."""
    rounds = {"rounding": unit.rounding, "overflow": unit.overflow}
    acc: Any = unit.acc
    if isinstance(unit, Mac):
        return Dot(a=unit.a, b=unit.b, c=acc, out=acc, lanes=unit.lanes, **rounds)
    return BlockDot(a=unit.a, b=unit.b, c=acc, out=acc, size=unit.lanes, **rounds)


def _accumulated(product: Reach, step: Any, unit: Any) -> Reach:
    """What an accumulator reaches: so many products, and what rounding adds to them.

    One that is rounded to the nearest stops to grow.
    """
    own, out = Reach.of(step.out), step.out
    least = max(own.least, product.least)
    terms, beats = unit.terms, unit.terms // unit.lanes
    if isinstance(out, Fixed):
        most = terms * product.largest + beats * Fraction(2) ** -out.fraction
    else:
        # Each beat may add a last place.
        grown = math.exp(min(beats * 2.0**-out.mantissa, 300.0))
        most = terms * product.largest + beats * Fraction(2) ** out.quantum
        most *= Fraction(math.ceil(grown * 8), 8)
        if step.rounding in (Rounding.RNE, Rounding.RNA, Rounding.RTZ):
            still = product.largest * step.factors.count * 2 ** (out.precision + 1)
            most = min(most, still)
    largest = min(own.largest, most)
    return Reach(low=max(own.low, product.low), bits=own.bits, least=least, largest=largest)


def _states(
    unit: Any, codes: Codes, begins: np.ndarray, beats: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What is in the accumulator before each beat, and behind it."""
    states = np.zeros(len(codes["last"]), unit.acc.code_dtype)
    following = np.zeros_like(states)
    operands = {name: column for name, column in codes.items() if name != "last"}
    for number in range(int(beats.max(initial=0))):
        rows = begins[beats > number] + number
        if number:
            states[rows] = following[rows - 1]
        made = unit.step(states[rows], {name: column[rows] for name, column in operands.items()})
        following[rows] = made["r"]
    return states, following


def _integers(x: Exact, low: int) -> np.ndarray:
    """Values in units of ``2**low``; zeros for specials."""
    exponent = np.broadcast_to(x.exponent, x.shape)
    word = x.significand.astype(object) << (exponent - low).astype(object)
    word = np.where(x.negative, -word, word)
    return np.where(x.special, 0, word)


def _kinds(parts: list[Exact], begins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Kinds of the sums of sequences, and signs of those that are infinite."""
    if not begins.size:
        return np.zeros(0, np.uint8), np.zeros(0, bool)
    nan = up = down = np.zeros(len(begins), bool)
    for part in parts:
        kind = np.broadcast_to(kinds(part), part.shape)
        infinite = kind & INF != 0

        def any_(which: np.ndarray) -> np.ndarray:
            return np.logical_or.reduceat(which.any(1), begins)

        nan = nan | any_(kind & NAN != 0)
        up, down = up | any_(infinite & ~part.negative), down | any_(infinite & part.negative)
    nan = nan | (up & down)
    return np.where(nan, NAN, np.where(up | down, INF, np.uint8(0))), down


def _exact(totals: np.ndarray, low: int, kind: np.ndarray, down: np.ndarray) -> Exact:
    """Sums as significands, jammed, and exponents."""
    significand = np.zeros(len(totals), np.uint64)
    exponent = np.full(len(totals), low, np.int64)
    for row, total in enumerate(totals):
        size = abs(total)
        more = max(size.bit_length() - _KEPT, 0)
        rest = size & ((1 << more) - 1)
        significand[row] = (size >> more) | (rest != 0)
        exponent[row] = low + more
    negative = np.where(kind & INF != 0, down, (totals < 0).astype(bool))
    return Exact(
        significand=np.where(kind != 0, np.uint64(1), significand),
        exponent=exponent,
        negative=negative,
        kind=kind,
        low=low,
        high=low + _KEPT,
        bits=_KEPT + 1,
    )
