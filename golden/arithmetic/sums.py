# SPDX-License-Identifier: BSD-2-Clause
"""Exact sums of any number of terms, and the aligned sums of tensor cores.

A sum whose whole range fits in 62 bits is one int64 with a fixed last place. Wider ones are held
in 32-bit limbs, on a last axis of int64: Kulisch's accumulator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..formats.scalar import Book, Fixed, Format, Posit
from .exact import (
    INF,
    INVALID,
    NAN,
    WINDOW,
    Exact,
    add,
    add_fits,
    add_kinds,
    halves,
    multiply,
    shift_right_jam,
    zero_sign,
)
from .projection import Split

_LIMB = np.uint64(0xFFFFFFFF)


def products(x: Exact, y: Exact) -> list[Exact]:
    """Return terms whose sum is ``x * y``: one, or four if the product exceeds 64 bits.

    Only the first carries the kinds; all have the product's sign.
    """
    if x.bits + y.bits <= 64:
        return [multiply(x, y)]
    first, *rest = [multiply(p, q) for p in halves(x) for q in halves(y)]
    kind = multiply(Exact.of_presence(x), Exact.of_presence(y)).kind
    return [replace(first, kind=kind), *rest]


def add_terms(
    product: Sequence[Exact], addend: Exact | None, out: Format, down: bool | np.ndarray
) -> Exact | Split:
    """Return ``sum(product) + addend`` for :func:`macaw.golden.arithmetic.projection.project` to
    ``out``.

    ``product`` is what :func:`products` returns. ``down``: where an exact zero is negative.
    """
    if addend is None and len(product) == 1:
        return product[0]
    if len(product) == 1 and addend is not None:
        first = product[0]
        if _fits([first, addend], 2):
            return _add_fixed(first, addend, down)
        if not isinstance(out, Fixed) and add_fits(first, addend):
            return add(first, addend, down)
    negative = product[0].negative
    if addend is not None:
        # Of the first term: its sign and its kind are those of the product.
        negative = zero_sign(product[0], addend, down)
        kind = add_kinds(product[0], addend, negative)
    else:
        kind = product[0].kind
    columns = [column(term) for term in (*product, *([addend] if addend else []))]
    return Limbs.of(columns, out).take(out, negative, kind)


def add_lanes(
    product: Sequence[Exact], addend: Exact | None, out: Format, down: bool | np.ndarray
) -> Exact | Split:
    """Return ``addend`` plus the sum of all products over their last axis."""
    groups = [*product, *([column(addend)] if addend is not None else [])]
    negative, kind = lane_signs([_whole(product), *groups[len(product) :]], down)
    count = sum(group.shape[-1] for group in groups)
    if _fits(groups, count):
        low = min(group.low for group in groups)
        total = _fixed(groups[0], low).sum(-1)
        for group in groups[1:]:
            total += _fixed(group, low).sum(-1)
        high = max(group.high for group in groups) + count.bit_length()
        return Exact.of_integers(total, low, low=low, high=high, negative=negative, kind=kind)
    return Limbs.of(groups, out).take(out, negative, kind)


def add_aligned(
    product: Exact,
    addend: Exact,
    product_top: int,
    addend_top: int,
    fraction: int,
    out: Format,
    down: bool | np.ndarray,
) -> Exact | Split:
    """Return the sum of terms that were cut off at ``fraction`` bits below the largest exponent.

    The exponent of a term is that of its fields, before any normalisation: ``x.exponent`` plus
    ``product_top`` or ``addend_top`` (:func:`alignment`). Terms of zero have none.
    """
    groups = [product, column(addend)]
    negative, kind = lane_signs(groups, down)
    tops = []
    for group, top in zip(groups, (product_top, addend_top), strict=True):
        exponent = np.broadcast_to(group.exponent + top, group.shape)
        tops.append(np.where(group.significand != 0, exponent, -1 << 20).max(-1, keepdims=True))
    last = np.maximum(*tops) - fraction
    cut = []
    for group in groups:
        up = np.asarray(group.exponent - last)
        right = np.clip(-up, 0, 64).astype(np.uint64)
        cut.append((group.significand >> right, np.maximum(up, 0), group.negative))
    count = product.shape[-1] + 1
    # A product of n factors lies below 2**n times the power of two that its fields have.
    above = max(product.bits - product_top, addend.bits - addend_top)
    low, high = min(product.low, addend.low), max(product.high, addend.high)
    if not isinstance(out, Fixed) and fraction + above + count.bit_length() <= WINDOW:
        total = np.zeros(product.shape[:-1], np.int64)
        for significand, up, sign in cut:
            # A term of infinity or NaN may be shifted out: its sum is not looked at.
            shifted = (significand << up.astype(np.uint64)).view(np.int64)
            total += np.where(sign, -shifted, shifted).sum(-1)
        return Exact.of_integers(
            total,
            last[..., 0],
            low=min(low, out.quantum) - fraction - above,
            high=high + count.bit_length(),
            negative=negative,
            kind=kind,
        )
    terms = []
    for (significand, up, sign), group in zip(cut, groups, strict=True):
        exponent = np.where(significand != 0, last + up, low)
        finite = exponent < high
        exponent = np.where(finite, exponent, low)
        terms.append(
            Exact(
                significand=significand,
                exponent=exponent,
                negative=sign,
                low=low - fraction,
                high=high,
                bits=group.bits,
            )
        )
    return Limbs.of(terms, out).take(out, negative, kind)


def scaled(product: Exact, scale: Exact) -> Exact:
    """Return products of shape (n, K), each times the one of the G scales (n, G) it belongs to."""
    (result,) = scaled_parts(product, scale)
    return result


def scaled_parts(product: Exact, scale: Exact) -> list[Exact]:
    """Return terms whose sum is :func:`scaled`, several where it exceeds 64 bits."""
    count = product.shape[-1]
    return products(product, scale[..., np.arange(count) * scale.shape[-1] // count])


def add_scaled(
    product: Exact, scale: Exact, addend: Exact, out: Format, down: bool | np.ndarray
) -> Exact | Split:
    """Return ``addend`` plus the sum of :func:`scaled` products.

    Where an int64 holds the sum under each scale, the products are added before they are scaled.
    """
    count = product.shape[-1] // scale.shape[-1]
    bits = product.high - product.low + count.bit_length()
    if bits + scale.bits > WINDOW - 2:
        return add_lanes(scaled_parts(product, scale), addend, out, down)
    product = product.reshape((*scale.shape, count))
    presence = multiply(Exact.of_presence(product), Exact.of_presence(column(scale)))
    if isinstance(down, np.ndarray):
        down = down[..., None]
    sign, kind = lane_signs([presence], down)
    total = _signed(product, presence.negative, product.low).sum(-1)
    significand = np.abs(total).view(np.uint64) * scale.significand
    negative = np.where(significand == 0, sign, total < 0)
    if kind is not None:
        significand |= kind != 0
        negative = np.where(kind & INF, sign, negative)
    blocks = Exact(
        significand=significand,
        exponent=scale.exponent + product.low,
        negative=negative,
        kind=kind,
        low=product.low + scale.low,
        high=product.high + scale.high + count.bit_length(),
        bits=bits + scale.bits,
    )
    if isinstance(down, np.ndarray):
        down = down[..., 0]
    if scale.shape[-1] == 1:
        return add_terms([blocks[..., 0]], addend, out, down)
    return add_lanes([blocks], addend, out, down)


def totals(product: Exact, groups: int) -> Exact:
    """Return the sums of fixed-point products (n, K), of each of ``groups`` of them: (n, groups).

    A sum of zero is +0. It must fit in :data:`WINDOW` bits.
    """
    count = product.shape[-1] // groups
    whole = _fixed(product, product.low).reshape((-1, groups, count)).sum(-1)
    high = product.high + count.bit_length()
    total = Exact.of_integers(
        whole,
        product.low,
        low=product.low,
        high=high,
        negative=np.zeros(whole.shape, bool),
        kind=None,
    )
    return replace(total, bits=high - product.low)


def alignment(fmt: Format) -> int:
    """Return what an unpacked exponent lacks to the exponent of the format's fields."""
    if isinstance(fmt, Book):
        return fmt.precision - 1
    if isinstance(fmt, Posit):
        return fmt.fraction
    return fmt.width - 1 if isinstance(fmt, Fixed) else fmt.mantissa


def _whole(terms: Sequence[Exact]) -> Exact:
    """Return one term with the sign and kind of all, that is zero where all are."""
    first = terms[0]
    if len(terms) == 1:
        return first
    significand = np.bitwise_or.reduce([term.significand for term in terms])
    return replace(first, significand=significand, exponent=0)


def column(x: Exact) -> Exact:
    """Return ``x`` with a last axis of one lane."""
    return x[..., None]


def lane_signs(
    groups: Sequence[Exact], down: bool | np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the sign of each sum if it is zero or infinite, and its kind."""
    all_negative = all_positive = None
    for group in groups:
        zero = group.significand == 0
        negative = (zero & group.negative).all(-1)
        positive = (zero & ~group.negative).all(-1)
        all_negative = negative if all_negative is None else all_negative & negative
        all_positive = positive if all_positive is None else all_positive & positive
    assert all_negative is not None
    assert all_positive is not None
    sign = all_negative | (~all_positive & down)
    kinds = [group for group in groups if group.kind is not None]
    if not kinds:
        return sign, None
    either = np.zeros(sign.shape, np.uint8)
    up, under = np.zeros(sign.shape, bool), np.zeros(sign.shape, bool)
    for group in kinds:
        assert group.kind is not None
        either |= np.bitwise_or.reduce(group.kind, -1)
        infinite = (group.kind & INF).astype(bool)
        if infinite.any():
            under |= (infinite & group.negative).any(-1)
            up |= (infinite & ~group.negative).any(-1)
    return np.where(up | under, under, sign), combine_kinds(either, up, under)


def combine_kinds(either: np.ndarray, up: np.ndarray, under: np.ndarray) -> np.ndarray:
    """Return the kind of sums with terms of kinds ``either``, +inf if ``up``, -inf if ``under``."""
    kind = either & ~INF | (up ^ under) * INF
    kind |= (NAN | INVALID) * (up & under)
    return kind & ~((kind & NAN) << np.uint8(1))


def _fits(terms: Sequence[Exact], count: int) -> bool:
    """Whether the sum of ``count`` terms fits in 62 bits at the lowest last place of all."""
    low = min(term.low for term in terms)
    return max(term.high for term in terms) - low + (count - 1).bit_length() <= WINDOW


def _fixed(x: Exact, low: int) -> np.ndarray:
    return _signed(x, x.negative, low)


def _signed(x: Exact, negative: np.ndarray, low: int) -> np.ndarray:
    """Return the magnitudes with signs of their own, in units of ``2**low``."""
    amount = np.asarray(x.exponent, np.int64) - low
    value = (x.significand << amount.view(np.uint64)).view(np.int64)
    return np.where(negative, -value, value)


def _add_fixed(x: Exact, y: Exact, down: bool | np.ndarray) -> Exact:
    low = min(x.low, y.low)
    total = _fixed(x, low) + _fixed(y, low)
    zero = zero_sign(x, y, down)
    kind = add_kinds(x, y, zero)
    high = max(x.high, y.high) + 1
    return Exact.of_integers(total, low, low=low, high=high, negative=zero, kind=kind)


@dataclass(slots=True)
class Limbs:
    """Sums in limbs of 32 bits, not carried: ``sum(limbs[..., i] * 2**(32 * i + low))``.

    Each limb is an int64 that may be negative or exceed 32 bits.
    """

    limbs: np.ndarray
    low: int

    @staticmethod
    def plan(low: int, high: int, out: Format) -> tuple[int, int]:
        """Return the last place and count of limbs for sums of multiples of ``2**low`` below
        ``2**high``; one limb boundary is the last place of a fixed-point ``out``."""
        if isinstance(out, Fixed):
            below = max(0, out.quantum - low + 31) // 32
            low = min(low, out.quantum - 32 * below) if below else out.quantum
        return low, max(high - low, 1) // 32 + 2

    @classmethod
    def of(cls, groups: Sequence[Exact], out: Format, count: int = 0) -> Limbs:
        """Sum terms over their last axis; all kinds are left to the caller.

        There is room for ``count`` terms, or for those that are given.
        """
        count = max(count, sum(group.shape[-1] for group in groups))
        high = max(group.high for group in groups) + count.bit_length()
        low, limbs = cls.plan(min(group.low for group in groups), high, out)
        rows = groups[0].shape[:-1]
        total = np.zeros((*rows, limbs), np.int64)
        for group in groups:
            total += _spread(group, low, limbs)
        return cls(total, low)

    def carry(self) -> tuple[np.ndarray, np.ndarray]:
        """Return magnitudes in limbs of 32 bits (uint64), and where the sums are negative."""
        limbs = self.limbs.copy()
        _propagate(limbs)
        negative = limbs[..., -1] < 0
        if negative.any():
            limbs[negative] = -self.limbs[negative]
            _propagate(limbs)
        return limbs.view(np.uint64), negative

    def carried(self) -> np.ndarray:
        """Return the limbs, all but the top one below 2**32."""
        limbs = self.limbs.copy()
        _propagate(limbs)
        return limbs

    def take(self, out: Format, negative: np.ndarray, kind: np.ndarray | None) -> Exact | Split:
        """Return what rounding to ``out`` needs; ``negative`` holds for zeros and infinities."""
        limbs, sign = self.carry()
        zero = ~limbs.any(-1)
        sign = np.where(zero, negative, sign)
        if kind is not None:
            sign = np.where(kind & INF, negative, sign)
        if isinstance(out, Fixed):
            return self._split(limbs, out, sign, kind)
        count = limbs.shape[-1]
        top = count - 1 - np.argmax(limbs[..., ::-1] != 0, -1)
        padded = np.concatenate([np.zeros((*limbs.shape[:-1], 2), np.uint64), limbs], -1)
        first, second, third = (
            np.take_along_axis(padded, (top + n)[..., None], -1)[..., 0] for n in (2, 1, 0)
        )
        # The limbs below the third only matter as a last, jammed bit; none are below the padding.
        under = np.cumsum(padded != 0, -1)
        rest = np.take_along_axis(under, np.maximum(top - 1, 0)[..., None], -1)[..., 0] != 0
        # 64 bits from the top one on, then 63, the last one jammed.
        up = np.uint64(32) - _length32(first)
        lost = third & ((np.uint64(1) << (np.uint64(32) - up)) - np.uint64(1))
        significand = ((first << np.uint64(32)) | second) << up
        significand |= third >> (np.uint64(32) - up)
        significand |= (lost != 0) | rest
        significand = (significand >> np.uint64(1)) | (significand & np.uint64(1))
        significand[zero] = 0
        return Exact(
            significand=significand,
            exponent=self.low + 32 * (top - 1) - up.view(np.int64) + 1,
            negative=sign,
            kind=kind,
            low=self.low,
            high=self.low + 32 * count,
            bits=63,
        )

    def _split(
        self, limbs: np.ndarray, out: Fixed, negative: np.ndarray, kind: np.ndarray | None
    ) -> Split:
        point = (out.quantum - self.low) // 32
        zeros = np.zeros(limbs.shape[:-1], np.uint64)

        def limb(index: int) -> np.ndarray:
            return limbs[..., index] if 0 <= index < limbs.shape[-1] else zeros

        integer = limb(point) | (limb(point + 1) << np.uint64(32))
        beyond = np.asarray(limbs[..., point + 2 :].any(-1))
        fraction = (limb(point - 1) << np.uint64(32)) | limb(point - 2)
        fraction = shift_right_jam(fraction, np.full(fraction.shape, 2, np.uint64))
        fraction |= limbs[..., : max(point - 2, 0)].any(-1)
        return Split(integer, beyond, fraction, negative, kind)


def _length32(x: np.ndarray) -> np.ndarray:
    return np.frexp(x.astype(np.float64))[1].astype(np.uint64)


def _propagate(limbs: np.ndarray) -> None:
    """Carry in place: all limbs but the top one end below 2**32."""
    for i in range(limbs.shape[-1] - 1):
        limbs[..., i + 1] += limbs[..., i] >> 32
        limbs[..., i] &= 0xFFFFFFFF


def _spread(x: Exact, low: int, limbs: int) -> np.ndarray:
    """Return the sums over the last axis of ``x`` in limbs."""
    rows = int(np.prod(x.shape[:-1], dtype=np.int64))
    significand = x.significand
    if x.kind is not None:
        significand = np.where(x.kind & (NAN | INF), np.uint64(0), significand)
    shift = np.broadcast_to(np.asarray(x.exponent, np.int64) - low, x.shape)
    shift = np.where(significand == 0, 0, shift)
    offset = (shift & 31).astype(np.uint64)
    index = (shift >> 5) + np.arange(rows).reshape(*x.shape[:-1], 1) * limbs
    lower = (significand & _LIMB) << offset
    parts = [lower & _LIMB, lower >> np.uint64(32)]
    if x.bits > 32:
        upper = (significand >> np.uint64(32)) << offset
        parts[1] = parts[1] + (upper & _LIMB)
        parts.append(upper >> np.uint64(32))
    sign = np.where(x.negative, -1.0, 1.0)
    total = np.zeros(rows * limbs + 3)
    for i, part in enumerate(parts):
        weights = (part.view(np.int64).astype(np.float64) * sign).ravel()
        total += np.bincount((index + i).ravel(), weights, rows * limbs + 3)
    return total[: rows * limbs].astype(np.int64).reshape(*x.shape[:-1], limbs)
