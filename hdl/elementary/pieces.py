# SPDX-License-Identifier: BSD-2-Clause
"""Piecewise polynomials of integer coefficients through intervals: an exact search.

A piece is ``(c0 + (c1 + (c2 * (t >> cut) >> drop)) * t) >> shift`` of a whole number t; it must lie
between two bounds at every point.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

_SLOPES = 64
"""Slopes that are tried for one piece."""
_OFFSETS = (0, -1, 1, -2, 2)
"""How far from a least-squares estimate these are looked for."""
_FINEST = 12
"""Bits of coefficients that at most are beyond those of a word."""
_EXACT = 60
"""Bits that products of coefficients may have in integers of 64."""
_MOST_PIECES = 1024
_FEW = 48
"""Places that are looked at before all of them."""
_CURVES = (3, 5, 7, 9, 12)
"""Bits of the coefficients of squares that are tried."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """What a function may be at whole numbers.

    Attributes
    ----------
    at : ndarray of int64
        Rising.
    low, high : ndarray of int64
        The least and the greatest value there.
    near : ndarray of float64
        About what it is, NaN where that does not matter: where a search begins.
    """

    at: np.ndarray
    low: np.ndarray
    high: np.ndarray
    near: np.ndarray

    @classmethod
    def of(
        cls, at: np.ndarray, low: np.ndarray, high: np.ndarray, near: np.ndarray
    ) -> Bounds | None:
        """Bounds at places that may come several times; None if two contradict each other."""
        order = np.argsort(at, kind="stable")
        at, low, high = at[order], low[order], high[order]
        places, first = np.unique(at, return_index=True)
        low, high = np.maximum.reduceat(low, first), np.minimum.reduceat(high, first)
        if (low > high).any():
            return None
        return cls(at=places, low=low, high=high, near=np.fmax.reduceat(near[order], first))

    @property
    def bits(self) -> int:
        """Bits of the longest bound."""
        return max(abs(int(end)).bit_length() for end in (self.low.min(), self.high.max()))

    def long(self) -> Bounds:
        """Return the same in integers of any length."""
        at, low, high = (array.astype(object) for array in (self.at, self.low, self.high))
        return Bounds(at=at, low=low, high=high, near=self.near)

    def part(self, first: int, end: int, width: int) -> Bounds:
        """Return some of them, at places that are the last ``width`` bits."""
        part = slice(first, end)
        t = self.at[part] & ((1 << width) - 1)
        return Bounds(at=t, low=self.low[part], high=self.high[part], near=self.near[part])


@dataclass(frozen=True, kw_only=True, slots=True)
class Pieces:
    """A piecewise polynomial.

    Attributes
    ----------
    width : int
        Bits of ``t``; the bits above are the number of the piece.
    shift : int
    constants, slopes, curves : tuple of int
        ``c0``, ``c1`` and ``c2`` of each piece; ``curves`` is empty for straight ones.
    cut, drop : int
    """

    width: int
    shift: int
    constants: tuple[int, ...]
    slopes: tuple[int, ...]
    curves: tuple[int, ...] = ()
    cut: int = 0
    drop: int = 0

    def values(self, at: np.ndarray) -> np.ndarray:
        """Return the function at whole numbers, an array of int64 or of Python's."""
        piece, t = (at >> self.width).astype(np.int64), at & ((1 << self.width) - 1)
        constants, slopes = (np.array(c, at.dtype) for c in (self.constants, self.slopes))
        slope = slopes[piece]
        if self.curves:
            curve = np.array(self.curves, at.dtype)[piece]
            slope = slope + ((curve * (t >> self.cut)) >> self.drop)
        return (constants[piece] + slope * t) >> self.shift

    @property
    def cost(self) -> float:
        """About the cells of four inputs that it takes, to choose one of two."""
        size = len(self.constants)
        widths = [_bits(words) for words in (self.constants, self.slopes, self.curves) if words]
        table = sum(widths) * max(size / 12, 1)
        curve = widths[2] * (self.width - self.cut) if self.curves else 0
        return table + widths[1] * self.width / 2 + curve


def _bits(words: tuple[int, ...]) -> int:
    """Bits that a table of words needs: those that are not the same in all of them."""
    differ = 0
    for word in words:
        differ |= word ^ words[0]
    return differ.bit_length()


def search(bounds: Bounds, width: int, count: int, deepest: int) -> Iterator[Pieces]:
    """Yield piecewise polynomials through ``bounds``, the first ones of each degree.

    Parameters
    ----------
    bounds : Bounds
        Of whole numbers of ``width`` bits, and above them the number of a region.
    width : int
    count : int
        Regions.
    deepest : int
        Bits of ``t`` that at most number the pieces of a region.
    """
    if bounds.bits + width + _FINEST > _EXACT:
        bounds = bounds.long()
    for degree in (1, 2):
        for deep in range(min(width, deepest) + 1):
            if count << deep > _MOST_PIECES:
                break
            found = _pieces(bounds, width - deep, count << deep, degree)
            if found is not None:
                assert _holds(bounds, found)
                yield found
                break


def _pieces(bounds: Bounds, width: int, count: int, degree: int) -> Pieces | None:
    edges = np.searchsorted(bounds.at, np.arange(count + 1) << width)
    pairs = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    parts = [bounds.part(first, end, width) for first, end in pairs]
    # Those with the most places come first, so that a shape that is too coarse fails soon.
    order = sorted(range(count), key=lambda i: -len(parts[i].at))
    if degree == 1:
        if _through(parts, order, lambda part: _straight(part, width + _FINEST)) is None:
            return None
        for shift in range(width + _FINEST + 1):
            found = _through(parts, order, lambda part, shift=shift: _straight(part, shift))
            if found is not None:
                constants, slopes = zip(*found, strict=True)
                return Pieces(width=width, shift=shift, constants=constants, slopes=slopes)
        return None
    bends = {id(part): _bend(part) for part in parts}
    most = max(map(abs, bends.values()))
    finest = width + _FINEST

    def through(shift: int, cut: int, drop: int) -> list[tuple[int, ...]] | None:
        return _through(parts, order, lambda part: _curved(part, shift, cut, drop, bends[id(part)]))

    if through(finest, 0, max(_CURVES[-1] - math.frexp(most)[1] - finest, 0)) is None:
        return None
    for shift in range(width, finest + 1, 2):
        for bits in _CURVES:
            drop = max(bits - math.frexp(most)[1] - shift, 0)
            cut = min(max(width - bits - 1, 0), drop)
            curved = through(shift, cut, drop - cut)
            if curved is not None:
                constants, slopes, curves = zip(*curved, strict=True)
                return Pieces(
                    width=width, shift=shift, cut=cut, drop=drop - cut,
                    constants=constants, slopes=slopes, curves=curves,
                )  # fmt: skip
    return None


def _through(
    parts: list[Bounds], order: list[int], piece: Callable[[Bounds], tuple[int, ...] | None]
) -> list[tuple[int, ...]] | None:
    """The coefficients of all pieces; None if one has none."""
    found: dict[int, tuple[int, ...]] = {}
    for number in order:
        coefficients = piece(parts[number])
        if coefficients is None:
            return None
        found[number] = coefficients
    return [found[number] for number in range(len(parts))]


def _bend(bounds: Bounds) -> float:
    """About the coefficient of the square."""
    known = ~np.isnan(bounds.near)
    t, near = bounds.at[known].astype(np.float64), bounds.near[known]
    if len(t) < 3:
        return 0.0
    span = t[-1] - t[0]
    return float(np.polyfit((t - t[0]) / span, near, 2)[0]) / span**2


def _scaled(bounds: Bounds, shift: int) -> tuple[np.ndarray, np.ndarray]:
    return bounds.low << shift, ((bounds.high + 1) << shift) - 1


def _holds(bounds: Bounds, pieces: Pieces) -> bool:
    """Whether pieces are within bounds everywhere."""
    values = pieces.values(bounds.at)
    return bool((bounds.low <= values).all() and (values <= bounds.high).all())


def _straight(bounds: Bounds, shift: int) -> tuple[int, int] | None:
    """(c0, c1) of one piece."""
    return _line(bounds.at, *_scaled(bounds, shift))


def _curved(
    bounds: Bounds, shift: int, cut: int, drop: int, bend: float
) -> tuple[int, int, int] | None:
    """(c0, c1, c2) of one piece."""
    t = bounds.at
    low, high = _scaled(bounds, shift)
    about = round(math.ldexp(bend, shift + cut + drop))
    for curve in (about + offset for offset in _OFFSETS):
        bent = ((curve * (t >> cut)) >> drop) * t
        line = _line(t, low - bent, high - bent)
        if line is not None:
            return *line, curve
    return None


def _line(t: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[int, int] | None:
    """(c0, c1) of a line between the bounds, the slope with the most zeros at its end."""
    if not len(t):
        return 0, 0
    if len(t) == 1:
        return _roundest(int(low[0]), int(high[0])), 0
    if len(t) > 2 * _FEW:
        # Most lines fail at the tightest places.
        tight = np.sort(np.argpartition((high - low).astype(np.float64), _FEW)[:_FEW])
        if _line(t[tight], low[tight], high[tight]) is None:
            return None
    floor, ceiling = _hull(t, low, 1), _hull(t, high, -1)
    # Both have the first place and the last one as corners.
    pairs = [(x - u, y - v) for x, y in floor for u, v in ceiling]
    first = math.ceil(max(Fraction(rise, run) for run, rise in pairs if run > 0))
    last = math.floor(min(Fraction(rise, run) for run, rise in pairs if run < 0))
    best: tuple[int, int, int] | None = None
    for slope in range(first, min(last, first + _SLOPES) + 1):
        under = max(y - slope * x for x, y in floor)
        over = min(y - slope * x for x, y in ceiling)
        if under > over:
            continue
        zeros = (slope & -slope).bit_length() if slope else 64
        if best is None or zeros > best[0]:
            best = zeros, _roundest(under, over), slope
    return None if best is None else best[1:]


def _hull(t: np.ndarray, y: np.ndarray, side: int) -> list[tuple[int, int]]:
    """The corners of the points' hull, above them for a ``side`` of 1, below for -1."""
    corners: list[tuple[int, int]] = []
    for point in zip(t.tolist(), (side * y).tolist(), strict=True):
        while len(corners) > 1:
            (a, b), (c, d) = corners[-2:]
            if (d - b) * (point[0] - a) > (point[1] - b) * (c - a):
                break
            corners.pop()
        corners.append(point)
    return [(x, side * value) for x, value in corners]


def _roundest(low: int, high: int) -> int:
    """The whole number from ``low`` to ``high`` with the most zeros at its end."""
    if low <= 0 <= high:
        return 0
    bits = (low ^ high).bit_length()
    while bits:
        found = (high >> bits) << bits
        if found >= low:
            return found
        bits -= 1
    return high
