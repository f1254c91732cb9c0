# SPDX-License-Identifier: BSD-2-Clause
"""Sums of products in float64, by the profiles, as far as it decides them.

Products of short floats are float64. What becomes of their sums:

- ``exact``: a float64 where all of them are multiples of a power of two below 2**53 times that.
  Else a compiled kernel, where there is one, has all of them
  (:mod:`macaw.golden.arithmetic.binary64.compiled`). Without, each addition gives what its rounding
  took away (Knuth's two-sum), and what is taken away is added up in the same way. If nothing is
  taken from *that*, the exact sum is that of two float64, which is rounded to odd
  (:mod:`macaw.golden.arithmetic.binary64.sums`).
- ``sequential`` and ``chunk``: a sum of two terms at each step
  (:class:`~macaw.golden.arithmetic.binary64.sums.HostSum`).
- ``aligned`` and the machines that align all terms together: divided by the power of two at which
  they are cut off, a term loses its fraction; what is left are integers whose sum is below 2**53.

Infinities and NaN come out as IEEE 754 has it. Zeros are left to the integers where they are
rounded down, for their terms decide their signs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...formats.choices import Overflow, Rounding
from ...formats.scalar import Float, Format, Subnormals
from ..binary64.compiled import SUMS
from ..binary64.rounding import DIGITS, Target
from ..binary64.sums import HostSum, Term, add, two_sum
from ..codec import host_target, values_of
from ..operands import CHUNK
from ..projection import Direction
from .machines import Scheme
from .profiles import Accumulation

_NEVER = -1 << 20
"""Exponent of a term that takes no part in the maximum."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HostDot:
    """``round(addend + sum(a * b))`` by a profile, a row of ``a`` and ``b`` for each result.

    Attributes
    ----------
    a, b, addend, out : Format
    profile : Accumulation
    target : Target
        What results are rounded to: ``out``.
    rounding : Rounding
    inner : Target or None
        What the sums of a ``chunk`` are rounded to.
    fits : bool
        Whether every exact sum of products is a float64.
    """

    a: Format
    b: Format
    addend: Format
    out: Format
    profile: Accumulation
    target: Target
    rounding: Rounding
    inner: Target | None
    fits: bool

    @classmethod
    def of(
        cls,
        operands: tuple[Format, Format, Format, Format],
        count: int,
        profile: Accumulation,
        rounding: Rounding,
        overflow: Overflow | None,
    ) -> HostDot | None:
        """Return how to evaluate ``count`` products; None where float64 cannot.

        ``operands`` are the formats of a, b, the addend and the result.
        """
        a, b, addend, out = operands
        if profile.sum is not None:
            if profile.sum.scheme is not Scheme.JOINED or (profile.sum.kept and out.name == "fp32"):
                return None
            rounding, overflow = profile.sum.rounding(out), Overflow.NONFINITE
        target = host_target(out, rounding, overflow, None)
        product = Term.of(a) * Term.of(b)
        if target is None or target.whole:
            return None
        if not product.representable or not Term.of(addend).representable:
            return None
        inner = None
        if profile.kind == "chunk":
            assert profile.format is not None
            inner = host_target(profile.format, rounding, profile.overflow, None)
            if inner is None or inner.whole:
                return None
        if profile.kind in ("aligned", "machine"):
            steps = min(profile.count or count, count)
            # A product lies below four times the power of two of its fields' exponents.
            floats = all(isinstance(fmt, Float) for fmt in operands)
            if not floats or profile.bits + 2 + (steps + 1).bit_length() > DIGITS:
                return None
        fits = product.high - product.low + count.bit_length() <= DIGITS
        return cls(
            a=a,
            b=b,
            addend=addend,
            out=out,
            profile=profile,
            target=target,
            rounding=rounding,
            inner=inner,
            fits=fits,
        )

    def compiled(self, count: int) -> bool:
        """Whether ``count`` results go through the compiled kernel, which decides all of them."""
        return self.profile.kind == "exact" and not self.fits and SUMS.ready(count)

    def evaluate(
        self, a: np.ndarray, b: np.ndarray, addend: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return codes in ``out`` for codes (n, K), (n, K) and (n,), and where they are decided."""
        a, b = np.ascontiguousarray(a.T), np.ascontiguousarray(b.T)
        running = _Running(self, addend)
        with np.errstate(all="ignore"):
            products = values_of(a, self.a) * values_of(b, self.b)
            match self.profile.kind:
                case "exact":
                    self._exact(running, products)
                case "sequential":
                    for product in products:
                        running.add(product, Term.of(self.a) * Term.of(self.b))
                case "chunk":
                    for part in _parts(self.profile.count, products):
                        running.add(self._inner(running, part), Term.of(self.inner.fmt))  # type: ignore[union-attr]
                case _:
                    tops = _tops(a, self.a, products) + _tops(b, self.b, products)
                    count = self.profile.count or len(products)
                    for part, top in zip(_parts(count, products), _parts(count, tops), strict=True):
                        self._aligned(running, part, top)
        return running.codes, running.decided

    def sums(
        self, a: np.ndarray, b: np.ndarray, starts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return codes of the exact sums of sequences of rows, and where they are decided.

        ``starts`` has the first row of each. All sums must be float64 (:attr:`fits`); one of zero
        is +0, but downward.
        """
        beats = np.empty(len(a))
        step = max(CHUNK // (a.size // max(len(a), 1) or 1), 256)
        with np.errstate(all="ignore"):
            for start in range(0, len(a), step):
                piece = slice(start, start + step)
                products = values_of(a[piece], self.a) * values_of(b[piece], self.b)
                beats[piece] = products if products.ndim == 1 else products.sum(-1)
            total = np.add.reduceat(beats, starts) + 0.0 if starts.size else np.zeros(0)
            codes, left = self.target.round(total, Direction(self.rounding))
        decided = total != 0 if self.rounding is Rounding.RDN else np.ones(total.size, bool)
        if left is not None:
            decided[left] = False
        return codes, decided

    def _exact(self, running: _Running, products: np.ndarray) -> None:
        if self.compiled(0):
            terms = Term.of(self.a) * Term.of(self.b), Term.of(self.addend)
            low = min(term.low for term in terms)
            high = max(term.high for term in terms) + len(products).bit_length()
            running.round(SUMS.to_odd([*products, running.values], low, high))
            return
        total, rest = products[0], None
        others = products[1:] if self.fits else [*products[1:], running.values]
        for product in others:
            if self.fits:
                total = total + product
                continue
            total, lost = two_sum(total, product)
            if not np.count_nonzero(lost):
                continue
            lost[lost != lost] = 0.0  # of an infinity, or a NaN, nothing is lost
            if rest is None:
                rest = lost
            else:
                rest, lost = two_sum(rest, lost)
                running.decided &= lost == 0
        if self.fits:
            bits = Term.of(self.a) * Term.of(self.b)
            high = bits.high + len(products).bit_length()
            running.add(total, Term(bits=high - bits.low, low=bits.low, high=high))
        else:
            if rest is not None:
                rest[rest == 0] = -0.0  # which changes no zero
                total = add(total, rest)
            running.round(total)

    def _inner(self, running: _Running, products: np.ndarray) -> np.ndarray:
        """Return the sum of a chunk, from zero, rounded after each product."""
        inner = self.inner
        assert inner is not None
        each = HostSum.of(
            Term.of(self.a) * Term.of(self.b), Term.of(inner.fmt), inner, self.rounding
        )
        assert each is not None
        total = np.zeros(products.shape[1:])
        for product in products:
            codes, left = each.evaluate(product, total, Direction(self.rounding))
            if left is not None:
                running.decided[left] = False
                codes[left] = 0  # what stands there is no code
            total = values_of(codes, inner.fmt)
        return total

    def _aligned(self, running: _Running, products: np.ndarray, tops: np.ndarray) -> None:
        machine = self.profile.sum
        held, fmt = running.values, running.fmt
        own = _tops(running.codes, fmt, held)
        if machine is not None:
            assert isinstance(self.out, Float)
            own = np.where(held == 0, self.out.emin - machine.below, own)
        last = np.maximum(tops.max(0), own) - self.profile.bits
        nothing = last < _NEVER // 2
        last[nothing] = 0
        unit, scale = (((1023 + sign * last) << 52).view(np.float64) for sign in (1, -1))
        total = np.trunc(held * scale)
        for product in products:
            total = total + np.trunc(product * scale)
        if machine is None and np.count_nonzero(zero := total == 0):
            # Terms that are gone have left zeros of their signs; a sum of numbers is +0.
            total[zero & ~nothing] = 0.0
        running.round(total * unit)


class _Running:
    """Results of rows, from one rounding to the next.

    Attributes
    ----------
    codes, values : ndarray
    fmt : Format
        Of the codes: at first that of the addend.
    decided : ndarray of bool
    """

    def __init__(self, spec: HostDot, addend: np.ndarray) -> None:
        self.spec, self.codes, self.fmt = spec, addend, spec.addend
        self.values = values_of(addend, spec.addend)
        self.decided: np.ndarray = np.ones(len(addend), bool)

    def add(self, term: np.ndarray, bounds: Term) -> None:
        """Add one term to each, and round."""
        spec = self.spec
        each = HostSum.of(bounds, Term.of(self.fmt), spec.target, spec.rounding)
        assert each is not None
        codes, left = each.evaluate(term, self.values, Direction(spec.rounding))
        self._take(codes, left, term)

    def round(self, total: np.ndarray) -> None:
        """Take float64 that are exact or rounded to odd, and round them."""
        spec = self.spec
        codes, left = spec.target.round(total, Direction(spec.rounding))
        self._take(codes, left, total)
        if spec.rounding is Rounding.RDN:
            self.decided &= total != 0

    def _take(self, codes: np.ndarray, left: np.ndarray | None, total: np.ndarray) -> None:
        if left is not None:
            self.decided[left] = False
            codes[left] = 0  # what stands there is no code
        if self.spec.profile.sum is not None:
            # Such a machine has no -0, and a NaN of ones.
            sign = 1 << (self.spec.out.width - 1)
            codes[codes == sign] = 0
            codes[total != total] = sign - 1
        self.codes, self.fmt = codes, self.spec.out
        self.values = values_of(codes, self.spec.out)


def _parts(count: int, rows: np.ndarray) -> Iterator[np.ndarray]:
    return (rows[start : start + count] for start in range(0, len(rows), count))


def _tops(codes: np.ndarray, fmt: Format, values: np.ndarray) -> np.ndarray:
    """Return the exponents of the fields of codes, :data:`_NEVER` where ``values`` are zero."""
    assert isinstance(fmt, Float)
    field = codes.astype(np.int64) >> fmt.mantissa
    field &= (1 << fmt.exponent) - 1
    if fmt.subnormals is not Subnormals.NONE:
        np.maximum(field, 1, out=field)
    field -= fmt.bias
    field[values == 0] = _NEVER
    return field
