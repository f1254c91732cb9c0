# SPDX-License-Identifier: BSD-2-Clause
"""Bins of units that scale integers: requantisation, and sums of Flexpoint products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from macaw.golden.arithmetic.dyadic import LARGEST_SHIFT, LEAST_SHIFT, Profile, Ties
from macaw.golden.arithmetic.integers import reach
from macaw.golden.formats import Fixed
from macaw.golden.units import FlexMac, Requantize, Unit
from macaw.golden.units.requantize import SHIFT

from ...bench.interface import Codes
from .bins import Bin
from .values import rounding_of, signed

_Wanted = tuple[str, str, Callable[[Any], np.ndarray], str]
NARROW = 62
"""Bits of the sums that are looked at."""


@dataclass(frozen=True, kw_only=True)
class Rounded:
    """Integers ``total * 2**-right``, rounded to an integer, and saturated.

    Attributes
    ----------
    total, right : ndarray of int64
    floor, compared, exact : ndarray
        As of :func:`macaw.sim.stimulus.coverage.values.rounding_of`.
    result : ndarray of int64
    low, high : int
        Ends of the range of results.
    zero : ndarray of int64, or int
        What is added to what has been rounded, before saturation.
    more : dict of ndarray
        What else a family asks about.
    """

    total: np.ndarray
    right: np.ndarray
    floor: np.ndarray
    compared: np.ndarray
    exact: np.ndarray
    result: np.ndarray
    low: int
    high: int
    zero: np.ndarray | int
    more: dict[str, np.ndarray]

    @property
    def tie(self) -> np.ndarray:
        """Where half of the last place is cut off."""
        return ~self.exact & (self.compared == 0)

    @property
    def near(self) -> np.ndarray:
        """Where the result, before saturation, is one that lies in the range or beside it."""
        whole = self.floor + self.zero
        return (whole >= self.low - 1) & (whole <= self.high) & (self.right > -1)


def _roundings(name: str, why: Callable[[str], str], none: str = "") -> Iterator[Bin]:
    """Where the exact value lies between two integers that are results; ``none`` if it does not."""
    wanted: list[_Wanted] = [
        ("exact", "nothing is cut off", lambda f: f.exact & f.near & (f.right > 0), ""),
        ("below a tie", "less than half", lambda f: (f.compared < 0) & ~f.exact & f.near, ""),
        ("above a tie", "more than half", lambda f: (f.compared > 0) & f.near, ""),
        ("vanishes", "not zero, less than half", lambda f: (f.total != 0) & _small(f), ""),
    ]
    for sign, word in ((1, "positive"), (-1, "negative")):
        for odd, digit in ((0, "even"), (1, "odd")):
            wanted.append(
                (
                    f"tie, {word}, {digit}",
                    f"half, above an {digit} integer",
                    lambda f, sign=sign, odd=odd: (
                        f.tie & f.near & (np.sign(f.total) == sign) & ((f.floor & 1) == odd)
                    ),
                    why(word),
                )
            )
    for which, meaning, hits, reason in wanted:
        yield Bin(name=f"{name}/{which}", meaning=meaning, hits=hits, reason=none or reason)


def _small(f: Rounded) -> np.ndarray:
    below = (f.floor == 0) & (f.compared < 0)
    return (f.right > 0) & ~f.exact & (below | ((f.floor == -1) & (f.compared > 0)))


def _ends(why: Callable[[str], str], bounds: tuple[int, int]) -> Iterator[Bin]:
    """Saturation, on either side of both ends."""
    low, high = bounds
    wanted: list[_Wanted] = [
        ("largest", "the largest result, not saturated", lambda f: _value(f) == f.high, ""),
        ("one above", "saturates by one", lambda f: _value(f) == f.high + 1, ""),
        ("above", "saturates by more", lambda f: _value(f) > f.high + 1, ""),
        ("least", "the least result, not saturated", lambda f: _value(f) == f.low, ""),
        ("one below", "saturates by one", lambda f: _value(f) == f.low - 1, why("negative")),
        ("below", "saturates by more", lambda f: _value(f) < f.low - 1, why("negative")),
    ]
    for which, meaning, hits, reason in wanted:
        named = {"largest": f", {high}", "least": f", {low}"}.get(which, "")
        yield Bin(name=f"range/{which}", meaning=meaning + named, hits=hits, reason=reason)


def _value(f: Rounded) -> np.ndarray:
    """Results before saturation, by ``f.more`` where its last rounding is another one."""
    return f.more["value"]


def _rounded(
    total: np.ndarray, right: np.ndarray, ties: Ties
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return ``total * 2**-right`` by a way of rounding, and :func:`rounding_of` it.

    What leaves 62 bits by a left shift is taken to be far beyond every range.
    """
    floor, compared, exact = rounding_of(total, right)
    left = np.clip(-right, 0, 62)
    far = np.abs(total) >= np.int64(1) << (62 - left)
    floor = np.where(far, np.sign(total) << 62, floor << left)
    tie = (compared == 0) & ~exact
    up = {
        Ties.UP: tie,
        Ties.EVEN: tie & ((floor & 1) == 1),
        Ties.AWAY: tie & (total > 0),
        Ties.DROP: np.zeros_like(tie),
    }[ties]
    more = up | ((compared > 0) & (ties is not Ties.DROP))
    return floor + more, (floor, compared, exact)


class Requantizations:
    """Bins of ``requantize``."""

    def __init__(self, unit: Unit) -> None:
        assert isinstance(unit, Requantize)
        self.unit = unit
        self.twice = unit.profile is Profile.TFLITE_DOUBLE
        self.bins = tuple(self._bins())

    @staticmethod
    def take(unit: Unit) -> bool:
        """Whether the unit is one of these."""
        return isinstance(unit, Requantize)

    def facts(self, codes: Codes, results: Codes) -> Rounded:
        """What the bins are asked about."""
        unit = self.unit
        x = signed(codes["x"], unit.x)
        multiplier = self._operand(codes, "multiplier", Fixed(width=unit.bits, signed=False))
        given = self._operand(codes, "shift", SHIFT)
        shift = np.clip(given, LEAST_SHIFT, LARGEST_SHIFT)
        multiplier, given, shift = (np.broadcast_to(v, x.shape) for v in (multiplier, given, shift))
        zero = signed(codes["zero_point"], unit.out) if unit.zero_point else 0
        product = x * multiplier
        total, right = product, unit.bits - shift
        more = {"x": x, "multiplier": multiplier, "shift": given}
        if self.twice:
            first = np.maximum(unit.bits - np.maximum(shift, 0), 0)
            total, (_, compared, exact) = _rounded(product, first, Ties.UP)
            more |= {"first": (compared == 0) & ~exact, "inexact": ~exact}
            left = np.maximum(shift - unit.bits, 0)
            right = np.where(left > 0, -left, np.maximum(-shift, 0))
        value, (floor, compared, exact) = _rounded(total, right, unit.profile.ties)
        low, high = reach(unit.out)
        more["value"] = value + zero
        return Rounded(
            total=total,
            right=right,
            floor=floor,
            compared=compared,
            exact=exact,
            result=signed(results["r"], unit.out),
            low=low,
            high=high,
            zero=zero,
            more=more,
        )

    def _operand(self, codes: Codes, name: str, fmt: Fixed) -> np.ndarray:
        fixed = getattr(self.unit, name)
        return np.array(fixed, np.int64) if fixed is not None else signed(codes[name], fmt)

    def _bins(self) -> Iterator[Bin]:
        unit = self.unit
        bits = unit.bits
        low, high = reach(unit.x)
        factor = "" if unit.multiplier is None else f"multiplier={unit.multiplier} is fixed"
        fixed = "" if unit.shift is None else f"shift={unit.shift} is fixed"
        wanted: list[_Wanted] = [
            ("zero", "", lambda f: f.more["x"] == 0, ""),
            ("least", str(low), lambda f: f.more["x"] == low, ""),
            ("largest", str(high), lambda f: f.more["x"] == high, ""),
        ]
        yield from _made("x", wanted)
        wanted = [
            ("zero", "", lambda f: f.more["multiplier"] == 0, factor),
            ("short", "top bit not set", lambda f: f.more["multiplier"] >> (bits - 1) == 0, factor),
            ("power", "top bit alone", lambda f: f.more["multiplier"] == 1 << (bits - 1), factor),
            ("largest", "", lambda f: f.more["multiplier"] == (1 << bits) - 1, factor),
        ]
        yield from _made("multiplier", wanted)
        limits = f"{LEAST_SHIFT} and {LARGEST_SHIFT}"
        wanted = [
            ("left", "above 0", lambda f: f.more["shift"] > 0, fixed),
            ("none", "0", lambda f: f.more["shift"] == 0, fixed),
            ("right", "below 0", lambda f: f.more["shift"] < 0, fixed),
            ("least", str(LEAST_SHIFT), lambda f: f.more["shift"] == LEAST_SHIFT, fixed),
            ("largest", str(LARGEST_SHIFT), lambda f: f.more["shift"] == LARGEST_SHIFT, fixed),
            ("beyond least", f"limited to {limits}", lambda f: f.more["shift"] < -32, fixed),
            ("beyond largest", f"limited to {limits}", lambda f: f.more["shift"] > 31, fixed),
            (
                "whole",
                "nothing is cut off, as the shift is that of the multiplier",
                lambda f: (f.more["shift"] >= bits) & (f.total != 0),
                fixed,
            ),
        ]
        yield from _made("shift", wanted)
        yield from _roundings("rounding", self._no_tie, self._whole())
        if self.twice:
            wanted = [
                ("first tie", "a tie of the first rounding", lambda f: f.more["first"], ""),
                (
                    "tie by the first",
                    "a tie of the second that the first rounding made",
                    lambda f: f.tie & f.more["inexact"],
                    self._whole(),
                ),
            ]
            yield from _made("twice", wanted)
        yield from _ends(self._lacks, reach(unit.out))
        if unit.zero_point:
            least, most = reach(unit.out)
            wanted = [
                ("zero", "", lambda f: f.zero == 0, ""),
                ("least", str(least), lambda f: f.zero == least, ""),
                ("largest", str(most), lambda f: f.zero == most, ""),
                ("saturates", "by the zero point alone", _by_zero, ""),
            ]
            yield from _made("zero point", wanted)

    def _right(self) -> int:
        """How far a fixed shift takes what is rounded last to the right."""
        shift = min(max(self.unit.shift or 0, LEAST_SHIFT), LARGEST_SHIFT)
        return -shift if self.twice else self.unit.bits - shift

    def _whole(self) -> str:
        """Why nothing is cut off."""
        fixed = self.unit.shift is not None and self._right() <= 0
        return f"shift={self.unit.shift} is fixed, and cuts nothing off" if fixed else ""

    def _no_tie(self, wanted: str) -> str:
        """Why products of such a sign are no ties."""
        unit = self.unit
        if unit.shift is None or not unit.multiplier or self.twice:
            return self._lacks(wanted)
        zeros = (unit.multiplier & -unit.multiplier).bit_length() - 1
        needed = self._right() - 1 - zeros
        none = f"a tie takes a multiple of 2^{needed}" if needed >= unit.x.width else ""
        return self._lacks(wanted) or none

    def _lacks(self, wanted: str) -> str:
        unit = self.unit
        if wanted == "negative" and not unit.x.signed:
            return f"{unit.x.name} has no negative integers"
        return ""


def _by_zero(f: Rounded) -> np.ndarray:
    value, rounded = _value(f), _value(f) - f.zero
    return ((value > f.high) | (value < f.low)) & (rounded <= f.high) & (rounded >= f.low)


def _made(group: str, wanted: list[_Wanted]) -> Iterator[Bin]:
    for name, meaning, hits, reason in wanted:
        yield Bin(name=f"{group}/{name}", meaning=meaning or name, hits=hits, reason=reason)


class FlexMacs:
    """Bins of ``flex-mac``: of each result, of the sums on the way to it, and of tensors."""

    def __init__(self, unit: Unit) -> None:
        assert isinstance(unit, FlexMac)
        self.unit = unit
        self.bins = tuple(self._bins())

    @staticmethod
    def take(unit: Unit) -> bool:
        """Whether the unit is one of these."""
        return isinstance(unit, FlexMac) and unit.sum_bits <= NARROW

    def facts(self, codes: Codes, results: Codes) -> Rounded:
        """What the bins are asked about."""
        unit = self.unit
        first, second, out = unit.elements
        count = len(codes["last"])
        a, b = (signed(codes[n], f).reshape(count, -1) for n, f in (("a", first), ("b", second)))
        products = a * b
        beats = products.sum(1)
        last = np.flatnonzero(codes["last"])
        begin = np.concatenate([[0], last[:-1] + 1])
        running = np.cumsum(beats)
        number = np.cumsum(codes["last"]) - codes["last"]
        running -= np.concatenate([[0], running[last[:-1]], [0]])[np.minimum(number, last.size)]
        total = running[last]
        exponents = {
            n: codes[p].astype(np.int64)[last] - getattr(unit, n).scale.bias
            for n, p in (("a", "a_scale"), ("b", "b_scale"), ("out", "r_scale"))
        }
        shift = exponents["a"] + exponents["b"] - exponents["out"]
        before = np.where(np.isin(np.arange(count), begin), 0, running - beats)
        turned = (before != 0) & ((before < 0) != (running < 0)) & (number < last.size)
        after = last[-1:] + 1
        found = np.concatenate([begin, after[after < count]])
        value, (floor, compared, exact) = _rounded(total, -shift, Ties.EVEN)
        ends = codes["end"][last] != 0
        over = results["overflow"] != 0
        opened = np.concatenate([[True], ends[:-1]])
        more = {
            "value": value,
            "shift": shift,
            "beats": last - begin + 1,
            "products": (last - begin + 1) * a.shape[1],
            "turned": np.add.reduceat(turned, found)[: last.size] > 0,
            "some": np.add.reduceat((products != 0).any(1), found)[: last.size] > 0,
            "most": np.maximum.reduceat(np.abs(running), found)[: last.size],
            "overflow": over,
            "grown": over & ~opened & ~np.concatenate([[False], over[:-1]]),
            "cleared": opened & ~over & np.concatenate([[False], over[:-1]]),
            "alone": opened & ends,
            "inside": ~opened & ~ends,
        }
        low, high = reach(out)
        return Rounded(
            total=total,
            right=-shift,
            floor=floor,
            compared=compared,
            exact=exact,
            result=signed(results["r"], out),
            low=low,
            high=high,
            zero=0,
            more=more,
        )

    def _bins(self) -> Iterator[Bin]:
        unit = self.unit
        a, b, out = unit.elements
        lanes = unit.lane_counts[0] or 1
        full = unit.terms // lanes
        yield from _roundings("rounding", lambda word: "")
        yield from _ends(lambda word: "", reach(out))
        largest = unit.out.scale.bias
        wanted: list[_Wanted] = [
            ("left", "the sum is shifted left", lambda f: f.more["shift"] > 0, ""),
            ("none", "exponents add up to the result's", lambda f: f.more["shift"] == 0, ""),
            ("right", "the sum is shifted right", lambda f: f.more["shift"] < 0, ""),
            (
                "far right",
                "by more than the sum has bits",
                lambda f: (-f.more["shift"] > unit.sum_bits) & (f.total != 0),
                "" if 2 * largest > unit.sum_bits else f"exponents reach {-2 * largest} at most",
            ),
        ]
        yield from _made("shift", wanted)
        wanted = [
            ("one beat", "", lambda f: f.more["beats"] == 1, ""),
            ("two beats", "", lambda f: f.more["beats"] == 2, ""),
            ("many beats", "more than 16", lambda f: f.more["beats"] > 16, _few(full, 17)),
            ("turns", "the sum changes its sign on the way", lambda f: f.more["turned"], ""),
            ("zero", "of products that are not", lambda f: f.more["some"] & (f.total == 0), ""),
        ]
        yield from _made("sum", wanted)
        yield Bin(
            name="sum/full",
            meaning=f"{full} beats, as many as may be",
            hits=lambda f: f.more["beats"] == full,
            beats=full,
        )
        products = a.min_integer * b.min_integer
        for bits in range(8, unit.sum_bits + 1, 8):
            most = (products * lanes * full).bit_length()
            yield Bin(
                name=f"carry/bit {bits}",
                meaning=f"sums reach {bits} bits, and stay below {bits + 8}",
                hits=lambda f, bits=bits: (
                    (f.more["most"] >> bits == 0) & (f.more["most"] >> max(bits - 8, 0) != 0)
                ),
                reason="" if most >= bits else f"sums have at most {most} bits",
            )
        wanted = [
            ("one result", "a tensor of one", lambda f: f.more["alone"], ""),
            ("more results", "neither the first nor the last", lambda f: f.more["inside"], ""),
            (
                "overflow",
                "its maximum reaches the end of the range",
                lambda f: f.more["overflow"],
                "",
            ),
            ("overflows late", "not by its first result", lambda f: f.more["grown"], ""),
            ("cleared", "no overflow, behind a tensor with it", lambda f: f.more["cleared"], ""),
        ]
        yield from _made("tensor", wanted)


def _few(most: int, wanted: int) -> str:
    return f"a sum has at most {most} beats" if most < wanted else ""
