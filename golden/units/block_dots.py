# SPDX-License-Identifier: BSD-2-Clause
"""Units that add up products of block formats: elements times elements, scaled once a block."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from ..arithmetic.exact import INF, Exact
from ..arithmetic.factors import Factors, Terms, default_size
from ..arithmetic.operands import CHUNK, Operand, Operands
from ..arithmetic.projection import check_random, check_rounding, resolve_or_default
from ..arithmetic.streams import PRESENT, Stream, accumulate_exact, accumulate_rounded, interleaved
from ..arithmetic.sums import scaled_parts
from ..errors import SpecError
from ..formats.block import AnyFormat, Block, factor
from ..formats.checks import check_any_format, check_format, check_integer
from ..formats.choices import Overflow
from ..formats.scalar import Fixed, Format
from .dots import Accumulating, SumOfProducts, sum_words
from .naming import counted, identifier, named, word
from .specification import UNSET, Ports, Unit

_LAST = {"last": Operand(format=Fixed(width=1, signed=False))}


@dataclass(frozen=True, kw_only=True, slots=True)
class _BlockSum(SumOfProducts):
    """What the units of this module share: operands in blocks, taken some lanes at a time."""

    a: AnyFormat = UNSET
    b: AnyFormat = UNSET

    def _operands(self) -> None:
        for name in "ab":
            value = getattr(self, name) if name == "a" or self.b is not None else self.a
            if value is None:
                raise SpecError(f"{self.kind}: parameter {name} is missing")
            self._set(name, check_any_format(name, value))

    @property
    def elements(self) -> int:
        """Products that have one pair of scales, at most."""
        raise NotImplementedError

    @property
    def beats(self) -> int:
        """Most beats that a group of products with one pair of scales is taken in."""
        return max(1, self.elements // self.lanes)  # type: ignore[attr-defined]

    @property
    def macs(self) -> int:
        """Multiply-accumulates per operation, or per beat."""
        return self.lanes  # type: ignore[attr-defined]

    def _stream(self, codes: dict[str, Any]) -> Operands:
        operands = Operands.of(self.ports.inputs, codes, self.kind)
        operands.check_one_axis(self.kind, "the beats must be the only axis")
        return operands

    def _check_beats(self) -> None:
        lanes = self.lanes  # type: ignore[attr-defined]
        check_integer("lanes", lanes, 1, self.elements)
        if self.elements % lanes:
            raise SpecError(f"lanes={lanes}: must divide the {self.elements} products of a block")
        if self.beats > 1:
            if self.factors.groups > 1:
                raise SpecError(
                    f"lanes={lanes}: several beats take the products of one scale only, and these "
                    f"{self.elements} have {self.factors.groups}"
                )
            if self.accumulation != "exact":
                raise SpecError(
                    f"lanes={lanes}: must be {self.elements}, all products of a block, with "
                    f"accumulation={self.accumulation}"
                )

    @property
    def totals(self) -> bool:
        """Whether the products of a pair of scales are added as integers, and scaled as one."""
        return self.factors.integers and self.accumulation == "exact"

    def _check_zeros(self) -> None:
        """SpecError where differences of elements and zero points have too many bits."""
        factors = self.factors
        if factors.floating and self.accumulation != "exact":
            fmt = getattr(factors, factors.floating)
            raise SpecError(
                f"accumulation={self.accumulation}: must be exact with {fmt.name}, whose zero "
                "points are floats"
            )
        bits = sum(factor(fmt).width for fmt in (factors.a, factors.b))
        bits += sum(fmt.scale.precision for fmt in (factors.a, factors.b) if isinstance(fmt, Block))
        if factors.zeros and not self.totals and bits > 64:
            raise SpecError(
                f"a={factors.a.name}, b={factors.b.name}: elements less zero points and "
                f"significands of scales have {bits} bits together, and must have at most 64"
            )

    def _terms(self, chunk: dict[str, np.ndarray]) -> Terms:
        """Return the terms of groups of beats, a row each; of a short group, those that it has."""
        terms = self._present(self.factors.terms(chunk), chunk)
        return terms.totalled() if self.totals else terms

    def _present(self, terms: Terms, chunk: dict[str, np.ndarray]) -> Terms:
        there = chunk.get(PRESENT)
        if there is None or there.all():
            return terms
        # Each kind of term apart: the products, and what a zero point that is a float brings.
        kinds = 2 if self.factors.floating else 1
        valid = np.repeat(there, self.lanes, axis=1)[:, None]  # type: ignore[attr-defined]
        if not self.totals and terms.scale is not None and terms.scale.kind is not None:
            # Times infinity a zero would be invalid; what stands there repeats other products.
            valid = valid | ((terms.scale.kind & INF) != 0).reshape(len(there), kinds, -1)
        products = [_masked(x, valid, kinds) for x in terms.products]
        return replace(terms, products=products)


def _masked(x: Exact, valid: np.ndarray, kinds: int) -> Exact:
    """Return ``x`` with zeros of the sign of the first lane of a kind where it is not ``valid``."""
    shape, x = x.shape, x.reshape((len(x.significand), kinds, -1))
    negative = np.where(valid, x.negative, x.negative[..., :1])
    kind = None if x.kind is None else np.where(valid, x.kind, np.uint8(0))
    significand = np.where(valid, x.significand, np.uint64(0))
    return replace(x, significand=significand, negative=negative, kind=kind).reshape(shape)


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockDot(_BlockSum):
    """Dot product of blocks: ``r = round(c + sum(a_scale * b_scale * sum(a * b)))``, rounded once.

    OCP MX 6.1 and 6.2 with the addend, IEEE P3109 5.3.2 BlockDotProduct. A scale that the whole
    tensor shares (NVFP4's second one) is not in it: it belongs to whoever reads the result.

    Parameters
    ----------
    a, b : Block or Format
        Operand formats, ``b`` defaults to ``a``; a scalar one has no scale. Of one with a zero
        point the products are of ``a - a_zero``. Where both operands are fixed point, ``exact``
        adds these products as integers: a sum of zero under a pair of scales is +0. A zero point
        that is a float, of one operand, comes in terms of its own, each exact: of ``a`` with one
        ``a_scale * b_scale * (sum(a * b) + sum(-a_zero * b))``, and with a minimum
        ``a_scale * b_scale * sum(a * b) + a_zero * b_scale * sum(b)``; for ``exact`` alone.
    c, out : Format
        Of the addend, which defaults to ``out``, and of the result.
    size : int, optional
        Products per result; the default is the least that whole blocks of both operands fill.
        Blocks that are larger have one scale for all of them.
    lanes : int, optional
        Products per beat, by default all. With fewer the unit takes a result's products in
        several beats, up to the one with ``last=1``, whose scales and addend hold.
    product : str, optional
        As of :class:`Mul`, of the elements.
    accumulation : str
        ``exact`` rounds once. ``sequential``, ``chunk(L,format)`` and ``aligned(F[,G])`` are what
        cheaper hardware does, ``tensor-core(machine)``, ``cdna3`` and ``rvbna[(G)]`` what machines
        that exist do, bit for bit: see :mod:`macaw.golden.arithmetic.accumulation`.
    rounding, overflow, random_bits
        As of :class:`Mul`.
    statistics : int
        As of :class:`Dot`; with several beats ``end=1`` counts beside ``last=1``.
    """

    kind: ClassVar[str] = "block-dot"

    c: Format = UNSET
    out: Format = UNSET
    size: int = UNSET
    lanes: int = UNSET

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._operands()
        self._formats(out=None, c="out")
        if self.size is None:
            self._set("size", default_size(self.a, self.b))
        check_integer("size", self.size, 1, 4096)
        if self.lanes is None:
            self._set("lanes", self.size)
        self._check_profile(self.out)
        self._check_beats()
        self._check_zeros()

    @property
    def factors(self) -> Factors:
        return Factors(a=self.a, b=self.b, count=self.size, product=self.multiplication)

    @property
    def _joined(self) -> tuple[Format, Format]:
        return self.c, self.out

    @property
    def elements(self) -> int:
        """Products of a result."""
        return self.size

    @property
    def terms(self) -> int:
        """Most products of a result."""
        return self.size

    @property
    def accumulates(self) -> bool:  # type: ignore[override]
        """Whether a result belongs to several beats."""
        return self.beats > 1

    @property
    def ports(self) -> Ports:
        inputs = self.factors.inputs(self.lanes) | {"c": Operand(format=self.c)}
        last = _LAST if self.accumulates else {}
        return Ports(inputs=inputs | last | self._control(), outputs=self._results())

    def _run(self, **codes: Any) -> dict[str, np.ndarray]:
        """Like :meth:`Unit.evaluate`; with several beats, one result per ``last=1``."""
        if not self.accumulates:
            return Unit._evaluate(self, **codes)
        stream = Stream.of(self._stream(codes))
        stream.check(self.lanes, self.size, self.kind)
        stream = stream.grouped(self.beats)
        count, step = stream.ends.size, max(CHUNK // self.size, 64)
        results = {name: np.empty(count, o.format.code_dtype) for name, o in self._given.items()}
        for start in range(0, count, step):
            piece = slice(start, start + step)
            for name, array in self._compute(stream.take(piece)).items():
                results[name][piece] = array
        return results

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        terms = self._terms(chunk)
        return self.join(terms, chunk["c"], self.c, self.out, chunk)


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockMac(_BlockSum, Accumulating):
    """Multiply-accumulate over a stream of blocks, until ``last``: ``r = round(sum(a * b))``.

    Each beat brings ``lanes`` products with their scales. A block that takes several beats is
    summed exactly, and joins the accumulator in its last beat, with the scales of that beat. The
    beat with ``last=1`` ends a block and the sequence; the next one starts from zero.

    Parameters
    ----------
    a, b : Block or Format
        Operand formats, ``b`` defaults to ``a``.
    out : Format
    acc : "exact" or Format
        The accumulator: each block joins it as in :class:`BlockDot`, with one rounding under
        ``accumulation="exact"``. Exact: no rounding before the read-out.
    lanes : int, optional
        Products per beat: of whole blocks, or a part of one. The default is the least that whole
        blocks of both operands fill.
    terms : int
        Most products of a sequence that ``acc="exact"`` must hold. CodeError for longer ones.
    contexts : int
        As of :class:`Mac`; for blocks that take one beat.
    product, accumulation, rounding, overflow, random_bits
        As of :class:`BlockDot`.
    statistics : int
        As of :class:`Mac`.
    """

    kind: ClassVar[str] = "block-mac"
    accumulates: ClassVar[bool] = True

    out: Format = UNSET
    acc: Literal["exact"] | Format = "fp32"  # type: ignore[assignment]
    lanes: int = UNSET
    terms: int = 4096
    contexts: int = 1

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._operands()
        self._formats(out=None)
        if self.lanes is None:
            self._set("lanes", default_size(self.a, self.b))
        check_integer("lanes", self.lanes, 1, 4096)
        check_integer("terms", self.terms, 1, 1 << 30)
        check_integer("contexts", self.contexts, 1, 64)
        if self.terms < self.elements:
            raise SpecError(f"terms={self.terms}: must be at least the {self.elements} of a block")
        if isinstance(self.acc, str) and self.acc.lower() == "exact":
            self._set("acc", "exact")
            if self.accumulation != "exact":
                raise SpecError(f"accumulation={self.accumulation}: acc=exact rounds nothing")
        else:
            self._set("acc", check_format("acc", self.acc))
        if self.contexts > 1 and (self.acc == "exact" or self.beats > 1):
            raise SpecError(
                f"contexts={self.contexts}: must be 1 with acc=exact, and with blocks of several "
                "beats"
            )
        self._check_profile(self._step_format)
        self._check_beats()
        self._check_zeros()
        check_rounding(self.out, self.rounding)
        if self.rounding.stochastic:
            check_random(self.out, self.random_bits)

    @property
    def _step_format(self) -> Format:
        return self.out if isinstance(self.acc, str) else self.acc

    @property
    def _joined(self) -> tuple[Format, Format]:
        return self._step_format, self._step_format

    @property
    def step_overflow(self) -> Overflow | None:
        """Policy at each step."""
        return resolve_or_default(self.overflow, self._step_format)

    @property
    def _settles(self) -> bool:
        return self.acc == "exact"

    @property
    def elements(self) -> int:
        """Products of a step: those of a beat, or of the block that a beat is a part of."""
        sizes = [fmt.size for fmt in (self.a, self.b) if isinstance(fmt, Block) and fmt.size]
        return min([size for size in sizes if size > self.lanes], default=self.lanes)

    @property
    def factors(self) -> Factors:
        """The operands of the products of a step."""
        return Factors(
            a=self.a,
            b=self.b,
            count=self.elements,
            parameter="lanes",
            product=self.multiplication,
        )

    @property
    def ports(self) -> Ports:
        inputs = self.factors.inputs(self.lanes) | _LAST
        return Ports(inputs=inputs | self._control(), outputs=self._results())

    def _run(self, **codes: Any) -> dict[str, np.ndarray]:
        """Like :meth:`Unit.evaluate`; ``r`` has one element per beat with ``last=1``."""
        operands = self._stream(codes)
        stream = Stream.of(operands)
        if self.acc == "exact":
            stream.check(self.lanes, self.terms, self.kind)
        if self.beats > 1:
            stream = stream.grouped(self.beats)
        if self.acc == "exact":
            return accumulate_exact(stream, self)
        if self.contexts == 1:
            return accumulate_rounded(stream, self)
        return interleaved(operands, self)

    def products(self, chunk: dict[str, np.ndarray]) -> list[Exact]:
        """Return the exact scaled products of each step, one row for each."""
        terms = self._terms(chunk)
        if terms.scale is None:
            return terms.products
        return scaled_parts(terms.one, terms.scale)

    def step(self, codes: np.ndarray, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the accumulators ``codes`` after one more block."""
        acc = self._step_format
        return self.join(self._terms(chunk), codes, acc, acc, chunk)


def _dot_stem(spec: BlockDot) -> str:
    lanes = "" if spec.lanes == spec.size else f"l{spec.lanes}"
    return f"block_dot{spec.size}{lanes}"


def _mac_words(spec: BlockMac) -> list[str]:
    acc = word("acc", "exact" if isinstance(spec.acc, str) else identifier(spec.acc), "fp32")
    return acc + word("t", spec.terms, 4096) + word("x", spec.contexts, 1) + sum_words(spec)


named(BlockDot, stem=_dot_stem)
named(
    BlockMac,
    stem=counted("lanes"),
    words=_mac_words,
    overflow=lambda spec: resolve_or_default(None, spec.out) if spec._settles else None,
)
