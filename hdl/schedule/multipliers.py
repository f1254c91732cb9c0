# SPDX-License-Identifier: BSD-2-Clause
"""Products of a pipeline's wires: in hard multipliers, as a library has them, or in logic cells."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amaranth.hdl import Cat, Value

from .labels import scoped
from .table import lookup
from .wire import Wire, cat

if TYPE_CHECKING:
    from .scheduler import Scheduler

__all__ = ["hard", "holds", "multiply", "shares"]

_TABLE = 8
"""Bits of the index of the largest table of products."""
_FEW = 48
"""Results of a table that is smaller than what is beside hard multipliers."""


@scoped("multiply")
def multiply(p: "Scheduler", a: Wire, b: Wire, *, summed: bool = False) -> Wire:
    """``a * b``, exact; split into tiles where one multiplier would be too slow or wide.

    What is ``summed`` is a word of a sum, which takes its ``rows`` where it has some.
    """
    corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    low, high = min(corners), max(corners)
    if low == high:
        return p.constant(low)
    if min(len(a), len(b)) == 1:
        bit, word = (a, b) if len(a) == 1 else (b, a)
        if not bit.signed:
            return p.mux(bit, word, 0)
    for x, y in ((a, b), (b, a)):
        if x.constant is not None and x.constant > 0 and x.constant.bit_count() == 1:
            return y.shifted_left(x.constant.bit_length() - 1)
    if (table := _looked_up(p, a, b)) is not None:
        return table
    if len(a) < len(b):
        a, b = b, a
    if _soft(p, len(a), len(b)):
        return _multiply_soft(p, a, b, low, high)
    tile = p.delays.tile
    limit = max(tile) - (a.signed or b.signed) if tile else None
    delay = p.delays.product(len(a), len(b))
    too_wide = limit is not None and (len(a) > limit or len(b) > limit)
    too_slow = tile is None and len(a) > 2 and p.late(p.delays.register + delay)
    if (too_slow or (summed and tile is None)) and p.delays.compress is not None:
        return _multiply_soft(p, a, b, low, high)
    if too_wide or too_slow:
        cut = limit if too_wide and limit is not None else (len(a) + 1) // 2
        return _multiply_split(p, a, b, cut).within(low, high)
    p.products.append((len(a), len(b)))
    wire = p.op(lambda x, y: x * y, a, b, delay=delay, low=low, high=high, name="product")
    if p.delays.product_registers and p.looping is None and p.period < float("inf"):
        wire.time = p.period
        p.follows_period()
    return wire


def _looked_up(p: "Scheduler", a: Wire, b: Wire) -> Wire | None:
    """The product as one table of both indices, where that has fewer entries than a multiplier has
    partial products: of two long constants that are looked up.

    Hard multipliers are better than logic cells, but for few results.
    """
    if (a.entries is None and b.entries is None) or p.table == "ram":
        return None
    (i, left), (j, right) = _entries(a), _entries(b)
    bits = len(i) + len(j)
    if bits > _TABLE or len(a) * len(b) <= 1 << bits:
        return None
    products = [x * y for y in right for x in left]
    if hard(p, len(a), len(b)) and len(set(products)) > _FEW:
        return None
    return lookup(p, cat(i, j), products)


def _entries(w: Wire) -> tuple[Wire, Sequence[int]]:
    """An index, and the value for each of its patterns: of what is not looked up, its own bits."""
    if w.entries is not None:
        return w.entries
    width = len(w)
    if width > _TABLE:
        return w, ()
    half = 1 << (width - 1) if w.signed else 0
    return w.bits(width), [(n + half) % (1 << width) - half for n in range(1 << width)]


def _multiply_split(p: "Scheduler", a: Wire, b: Wire, cut: int) -> Wire:
    """The wider one, ``a``, cut at ``cut``, and ``b`` where it is wider than that.

    low*low and high*high do not overlap, the rest is added.
    """

    def split(w: Wire) -> tuple[Wire, Wire]:
        top = w[cut:]
        return w[:cut], top.as_signed() if w.signed else top

    a_low, a_high = split(a)
    if len(b) <= cut:
        outer, inner = p.multiply(a_low, b), p.multiply(a_high, b)
    else:
        b_low, b_high = split(b)
        top = p.multiply(a_high, b_high)
        outer = cat(p.multiply(a_low, b_low).bits(2 * cut), top)
        outer = outer.as_signed() if top.signed else outer
        inner = p.sum([p.multiply(a_high, b_low), p.multiply(a_low, b_high)])
    if outer.low >= 0:
        upper = p.add(outer[cut:], inner)
        result = cat(outer[:cut], upper)
        return result.as_signed() if upper.signed else result
    return p.add(outer, inner.shifted_left(cut))


def hard(p: "Scheduler", wa: int, wb: int) -> bool:
    """Whether a product of such widths goes to multipliers that the target has."""
    return p.delays.tile is not None and not _soft(p, wa, wb)


def shares(p: "Scheduler") -> bool:
    """Whether small products are to share multipliers that the target has."""
    return p.delays.sparing and p.delays.tile is not None and p.multiplier != "lut"


def holds(p: "Scheduler", width: int) -> bool:
    """Whether factors of ``width`` bits, their signs among them, fit one multiplier."""
    return p.delays.tile is not None and width <= min(p.delays.tile)


def _soft(p: "Scheduler", wa: int, wb: int) -> bool:
    if p.multiplier == "dsp":
        return False
    if p.multiplier == "lut":
        return True
    return p.delays.tile is not None and wa * wb < p.delays.soft_limit


def _multiply_soft(p: "Scheduler", a: Wire, b: Wire, low: int, high: int) -> Wire:
    """Partial products of logic cells, so that no tool puts them into a hard multiplier."""
    if len(a) == len(b) == 2 and low >= 0:
        return p.op(_product, a, b, delay=p.delays.gate, low=low, high=high, name="product")
    rows = []
    for i in range(len(b)):
        row = p.mux(b[i], a, 0, "row").shifted_left(i)
        if not b.signed or i < len(b) - 1:
            rows.append(row)
        elif p.delays.compress is not None:
            rows += [row.complement, p.constant(1)]
        else:
            rows.append(0 - row)
    return p.sum(rows, balanced=True).within(low, high)


def _product(a: Value, b: Value) -> Value:
    """The product of two patterns of 2 bits, each bit a function of four."""
    both = a[0] & b[0]
    cross = (a[1] & b[0]) ^ (a[0] & b[1])
    return Cat(both, cross, a[1] & b[1] & ~both, a[1] & b[1] & both)
