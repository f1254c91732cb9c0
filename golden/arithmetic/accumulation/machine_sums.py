# SPDX-License-Identifier: BSD-2-Clause
"""The sums of :mod:`.machines`: one step, from codes of the addend to codes of the result.

An aligned term is an int64 in units of a last place that is so many bits below the largest
exponent. Terms have at most 24 bits and move up by at most 35, so that nothing is lost there.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...formats.choices import Overflow, Rounding
from ...formats.scalar import Float, Format
from ...formats.scalar import format as scalar_format
from ..exact import INF, NAN, Exact, bit_length, unpack
from ..factors import Terms
from ..projection import Direction, project
from ..running.statistics import marked
from ..sums import add_terms, alignment, column, lane_signs, scaled
from .machines import MachineSum, Scheme

_NEVER = -1 << 20
"""Exponent of a product that takes no part in the maximum."""
_FARTHEST = 1 << 12
"""Nothing has an exponent beyond that."""
_SUM, _ADDEND = 31, 24
"""Fraction bits of the sum of products, and of the addend, where they meet in CDNA3."""
_IGNORED = 25
"""An addend whose exponent is farther than that below the sum's is left out by HALVES."""
_GROUP = 16
"""Products of an exact sum of BLOCKS."""


def machine_step(
    rule: MachineSum,
    bits: int,
    terms: Terms,
    addend: np.ndarray,
    out: Format,
    marks: bool,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the codes in ``out`` of ``addend`` (codes of ``out``) plus the products.

    And what is to be counted of the last rounding, if ``marks`` are wanted. ``bits`` are the
    fraction bits of an aligned term.
    """
    assert isinstance(out, Float)
    value = unpack(addend, out)
    top = np.where(value.significand == 0, out.emin - rule.below, value.exponent + alignment(out))
    match rule.scheme:
        case Scheme.BULK:
            return _bulk(bits, terms, value, out, marks)
        case Scheme.APART | Scheme.HALVES:
            total = _apart(bits, terms, value, top, rule.scheme is Scheme.HALVES)
        case _:
            total = _joined(rule, bits, terms, value, top)
    kept = scalar_format(f"e8m{rule.kept}") if rule.kept and out.name == "fp32" else out
    direction = Direction(rule.rounding(out))
    codes, flags = project(total, kept, direction, Overflow.NONFINITE, marks)
    codes = codes.astype(out.code_dtype) << (out.width - kept.width)
    if rule.ones:
        sign = 1 << (out.width - 1)
        codes[codes == sign] = 0
        if total.kind is not None:
            codes[(total.kind & NAN) != 0] = sign - 1
    return codes, None if flags is None else marked(total.special, codes, flags, out)


def _tops(x: Exact, lacking: int) -> np.ndarray:
    """Return the exponents of the fields, :data:`_NEVER` for a zero."""
    return np.where(x.significand == 0, _NEVER, x.exponent + lacking)


def _repeated(groups: np.ndarray, count: int) -> np.ndarray:
    return groups[..., np.arange(count) * groups.shape[-1] // count]


def _cut(x: Exact, last: np.ndarray) -> np.ndarray:
    """Return the terms with their signs in units of ``2**last``, truncated toward zero."""
    up = np.asarray(x.exponent - last)
    down = np.clip(-up, 0, 63).astype(np.uint64)
    significand = (x.significand >> down) << np.clip(up, 0, 63).astype(np.uint64)
    signed = significand.view(np.int64)
    return np.where(x.negative, -signed, signed)


def _floor(total: np.ndarray, up: np.ndarray | int) -> np.ndarray:
    """Return integers times ``2**up``, rounded down."""
    return (total << np.clip(up, 0, 63)) >> np.clip(-np.asarray(up), 0, 63)


def _sum(
    total: np.ndarray, exponent: np.ndarray, negative: np.ndarray, kind: np.ndarray | None
) -> Exact:
    """Return the value of integers of that exponent; a zero is positive."""
    if kind is not None:
        negative = negative & ((kind & INF) != 0)
    else:
        negative = np.zeros_like(negative)
    return Exact.of_integers(
        total, exponent, low=-_FARTHEST, high=_FARTHEST, negative=negative, kind=kind
    )


def _joined(
    rule: MachineSum, bits: int, terms: Terms, addend: Exact, addend_top: np.ndarray
) -> Exact:
    """Return the sum of the addend and the products, or exact groups of them, truncated."""
    if rule.scheme is Scheme.BLOCKS:
        product, tops = _groups(terms)
    else:
        product, lacking = terms.one, terms.top
        if terms.scale is not None:
            product, lacking = scaled(product, terms.scale), lacking + terms.scale_top
        tops = _tops(product, lacking)
    last = np.maximum(tops.max(-1), addend_top) - bits
    total = _cut(product, last[:, None]).sum(-1) + _cut(addend, last)
    return _sum(total, last, *lane_signs([product, column(addend)], False))


def _groups(terms: Terms) -> tuple[Exact, np.ndarray]:
    """Return exact sums of 16 products each times the scale they share, and its exponent."""
    assert terms.scale is not None
    product = terms.one
    count = product.shape[-1] // _GROUP
    product = product.reshape((*product.shape[:-1], count, _GROUP))
    place = np.asarray(product.exponent - product.low, np.uint64)
    units = (product.significand << place).view(np.int64)
    total = np.where(product.negative, -units, units).sum(-1)
    scale = terms.scale.arranged(lambda array: _repeated(array, count))
    groups = Exact(
        significand=np.abs(total).view(np.uint64) * scale.significand,
        exponent=scale.exponent + product.low,
        negative=total < 0,
        kind=scale.kind,
        low=-_FARTHEST,
        high=_FARTHEST,
        bits=62,
    )
    there = (product.significand != 0).any(-1) & (scale.significand != 0)
    return groups, np.where(there, scale.exponent + terms.scale_top, _NEVER)


def _apart(bits: int, terms: Terms, addend: Exact, addend_top: np.ndarray, halves: bool) -> Exact:
    """Return what CDNA3 rounds: the sum of the products, and then the addend, rounded down."""
    product = _beyond(terms.one)
    tops = _tops(product, terms.top)
    negative, kind = lane_signs([product, column(addend)], False)
    ways = [slice(0, None, 2), slice(1, None, 2)] if halves else [slice(None)]
    ways = ways[: product.shape[-1]]
    each = [tops[:, way].max(-1) for way in ways]
    sums = [
        _cut(product[:, way], (top - bits)[:, None]).sum(-1)
        for way, top in zip(ways, each, strict=True)
    ]
    top = np.maximum.reduce(each)
    total = sum(_floor(x, own - top) for x, own in zip(sums, each, strict=True))
    most = np.maximum(top, addend_top)
    total = _floor(np.asarray(total), _SUM - bits + top - most)
    other = _floor(_cut(addend, addend_top - _ADDEND), addend_top - most)
    if halves:
        other = np.where(addend_top >= most - _IGNORED, other, 0)
    return _sum(total + (other << (_SUM - _ADDEND)), most - _SUM, negative, kind)


def _beyond(product: Exact) -> Exact:
    """Return the products, infinite where fp32 cannot hold them."""
    if product.high <= 128:
        return product
    huge = product.exponent + bit_length(product.significand) > 128
    kind = np.zeros(huge.shape, np.uint8) if product.kind is None else product.kind
    return replace(product, kind=np.where(huge & (kind == 0), INF, kind))


def _bulk(
    bits: int, terms: Terms, addend: Exact, out: Float, marks: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the codes of RISC-V's bulk-normalised sum, added to the addend, and its marks."""
    product = terms.one
    direction = Direction(Rounding.ROD)
    tops = _tops(product, terms.top)
    last = np.maximum(tops.max(-1), -_FARTHEST) - bits
    up = np.asarray(product.exponent - last[:, None])
    down = np.clip(-up, 0, 63).astype(np.uint64)
    kept = product.significand >> down
    odd = ((kept << down) != product.significand).astype(np.uint64)
    cut = replace(product, significand=kept | odd, exponent=np.maximum(up, 0))
    total = _sum(_cut(cut, np.zeros_like(up)).sum(-1), last, *lane_signs([product], False))
    codes = project(total, out, direction, Overflow.NONFINITE)[0]
    joined = add_terms([unpack(codes, out)], addend, out, False)
    assert isinstance(joined, Exact)
    codes, flags = project(joined, out, direction, Overflow.NONFINITE, marks)
    return codes, None if flags is None else marked(joined.special, codes, flags, out)
