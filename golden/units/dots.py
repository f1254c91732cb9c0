# SPDX-License-Identifier: BSD-2-Clause
"""Units that add up products: dot products, and multiply-accumulate over a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from ..arithmetic.accumulation import Accumulation, accumulate, parse
from ..arithmetic.accumulation.hosted import HostDot
from ..arithmetic.binary64.rounding import gradual
from ..arithmetic.exact import Exact, unpack
from ..arithmetic.factors import Factors, Multiplying, Terms, multiplied
from ..arithmetic.operands import Operand, Operands
from ..arithmetic.projection import (
    Direction,
    Split,
    check_random,
    check_rounding,
    project,
    resolve_or_default,
    resolve_overflow,
)
from ..arithmetic.streams import Stream, accumulate_exact, accumulate_rounded, interleaved
from ..arithmetic.sums import add_lanes, add_terms, column
from ..errors import SpecError
from ..formats.checks import check_format, check_integer
from ..formats.choices import Overflow, Rounding
from ..formats.scalar import Fixed, Format
from .naming import counted, identifier, named, product_words, rounding_words, word
from .specification import ROUNDING, UNSET, Ports, Unit
from .specification.counting import Counting

_LANES = 4096
_WAITS = 15
"""Pieces that go by integers at once after one of which float64 decided less than a half."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SumOfProducts(Counting, Multiplying):
    """Base of the units that add products to an addend by an accumulation profile."""

    dynamic: ClassVar[bool] = False

    product: str | None = None
    accumulation: str = "exact"

    @property
    def factors(self) -> Factors:
        """The operands of the products."""
        raise NotImplementedError

    @property
    def multiplied(self) -> tuple[str, ...]:
        return ("a", "b", *(f"{name}_scale" for name in self.factors.scales))

    @property
    def _settles(self) -> bool:
        """Whether there is one overflow policy, that of the one format that is rounded to."""
        return True

    def _check_profile(self, out: Format) -> None:
        """Settle ``product``, ``accumulation``, and the rounding that it may name."""
        self._check_statistics()
        self._settle_product()
        text = str(self.accumulation).lower().replace(" ", "")
        profile, rounding = parse(text, self.factors, self.overflow, *self._joined)
        self._set("accumulation", str(profile))
        if profile.sum is not None:
            self._check_machine(profile, rounding)
        if rounding is not None:
            self._set("rounding", rounding)
            if not rounding.stochastic:
                self._set("random_bits", 16)
            self._check_source()
        if profile.kind != "exact" and self.factors.wide:
            raise SpecError(
                f"accumulation={profile}: {self.factors} are too wide: must be exact above 64 bits"
            )
        for fmt in (out, profile.format or out):
            check_rounding(fmt, self.rounding)
        if profile.kind != "chunk":
            policy = resolve_overflow(self.overflow, out)
            if self._settles:
                self._set("overflow", policy)
        if self.rounding.stochastic:
            if not profile.single:
                raise SpecError(
                    f"rounding={self.rounding}: accumulation={profile} rounds more than once"
                )
            check_random(out, self.random_bits)

    def _check_machine(self, profile: Accumulation, rounding: Rounding | None) -> None:
        """SpecError if something is given that the machine decides."""
        if self.product is not None:
            raise SpecError(f"product={self.product}: accumulation={profile} multiplies exactly")
        if self.rounding not in (Rounding.RNE, rounding):
            raise SpecError(
                f"rounding={self.rounding}: accumulation={profile} has {rounding}; leave it out"
            )
        if self.overflow is not None and self.overflow is not resolve_overflow(None, self._out):
            raise SpecError(
                f"overflow={self.overflow}: accumulation={profile} overflows to infinity; leave "
                "it out"
            )

    @property
    def _joined(self) -> tuple[Format, Format]:
        """Formats of what the products are added to, and of the result."""
        raise NotImplementedError

    @property
    def profile(self) -> Accumulation:
        """The accumulation profile."""
        return parse(self.accumulation, self.factors, self.overflow, *self._joined)[0]

    def join(
        self,
        terms: Terms,
        addend: np.ndarray,
        fmt: Format,
        out: Format,
        chunk: dict[str, np.ndarray],
    ) -> dict[str, np.ndarray]:
        """Return the codes in ``out`` of ``addend`` (codes of ``fmt``) plus the terms, as ``r``.

        And the marks of these, if they are counted. ``chunk`` has the operands that say how to
        round.
        """
        direction = self._direction(dict(chunk))
        overflow = resolve_or_default(self.overflow, out)
        wanted = self.statistics > 0 and out == self._out
        codes, marks = accumulate(
            self.profile, terms, addend, fmt, out, direction, overflow, wanted
        )
        return {"r": codes} if marks is None else {"r": codes, "marks": marks}


@dataclass(frozen=True, kw_only=True, slots=True)
class Dot(SumOfProducts):
    """Dot product with addend: ``r = round(c + sum(a[i] * b[i]))``, rounded once.

    Parameters
    ----------
    a, b, c, out : Format
        Operand formats and the result's; ``b`` defaults to ``a``, ``c`` to ``out``.
    lanes : int
        Products per result, 1 to 4096.
    product : str, optional
        As of :class:`Mul`.
    accumulation : str
        ``exact`` rounds once. ``sequential``, ``chunk(L,format)`` and ``aligned(F[,G])`` are what
        cheaper hardware does, ``tensor-core(machine)``, ``cdna3`` and ``rvbna[(G)]`` what machines
        that exist do, bit for bit: see :mod:`macaw.golden.arithmetic.accumulation`.
    rounding, overflow, random_bits, statistics
        As of :class:`Mul`. Of a result that is rounded several times, statistics are of the last.
    """

    kind: ClassVar[str] = "dot"

    a: Format = UNSET
    b: Format = UNSET
    c: Format = UNSET
    out: Format = UNSET
    lanes: int = 4

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, b="a", out=None, c="out")
        check_integer("lanes", self.lanes, 1, _LANES)
        self._check_profile(self.out)

    @property
    def factors(self) -> Factors:
        return Factors(
            a=self.a,
            b=self.b,
            count=self.lanes,
            parameter="lanes",
            product=self.multiplication,
        )

    @property
    def _joined(self) -> tuple[Format, Format]:
        return self.c, self.out

    @property
    def macs(self) -> int:
        return self.lanes

    @property
    def ports(self) -> Ports:
        inputs = self.factors.inputs(self.lanes) | {"c": Operand(format=self.c)}
        return Ports(inputs=inputs | self._control(), outputs=self._results())

    def _host(self) -> HostDot | None:
        """Return how float64 does this; None if it cannot."""
        if self.statistics or self.multiplication is not None:
            return None
        formats = self.a, self.b, self.c, self.out
        policy = resolve_or_default(self.overflow, self.out)
        return HostDot.of(formats, self.lanes, self.profile, self.rounding, policy)

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        found = self.plan.found
        if "host" not in found:
            found["host"] = self._host()
        host: HostDot | None = found["host"]
        waits = found.get("waits", 0)
        if host is not None and host.compiled(len(chunk["c"])):
            waits = 0
        if host is None or waits or not gradual():
            found["waits"] = max(waits - 1, 0)
            return self._by_integers(chunk)
        codes, decided = host.evaluate(chunk["a"], chunk["b"], chunk["c"])
        if 2 * np.count_nonzero(decided) < decided.size:
            found["waits"] = _WAITS
        if np.count_nonzero(decided) < decided.size:
            left = np.flatnonzero(~decided)
            rest = {name: array[left] for name, array in chunk.items()}
            codes[left] = self._by_integers(rest)["r"]
        return {"r": codes}

    def _by_integers(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        terms = self.factors.terms(chunk)
        return self.join(terms, chunk["c"], self.c, self.out, chunk)


@dataclass(frozen=True, kw_only=True, slots=True)
class Accumulating(Counting):
    """Base of the units that add up a stream of beats, and read out a result at each ``last``."""

    @property
    def out_overflow(self) -> Overflow | None:
        """Policy at the read-out: the same, or the default of ``out`` if that cannot have it."""
        return resolve_or_default(self.overflow, self._out)

    def given(self, count: int) -> dict[str, np.ndarray]:
        """Return arrays for so many results, and for what is counted of them."""
        return {name: np.empty(count, o.format.code_dtype) for name, o in self._given.items()}

    def direction(self, chunk: dict[str, np.ndarray]) -> Direction:
        """Return how the results of the steps ``chunk`` are rounded."""
        return self._direction(dict(chunk))

    def read_out(self, exact: Exact | Split, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the results of what the accumulators hold after the steps ``chunk``."""
        return self._projected(exact, self.direction(chunk), self.out_overflow)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mac(Accumulating, Multiplying):
    """Multiply-accumulate over a stream of beats, until ``last``: ``r = round(sum(a * b))``.

    Each beat adds ``lanes`` products. The beat with ``last=1`` gives a result and the next one
    starts from zero. The first axis of every array is the beat; a sequence that the arrays leave
    unfinished gives nothing.

    Parameters
    ----------
    a, b, out : Format
        Operand formats and the result's; ``b`` defaults to ``a``.
    lanes : int
        Products per beat, 1 to 4096. With one lane ``a`` and ``b`` are scalars.
    acc : "exact" or Format
        Exact: no rounding before the read-out. A format: the exact sum of the accumulator and
        the beat's products is rounded to it at each beat, and at the read-out to ``out``.
    terms : int
        Most products of a sequence that ``acc="exact"`` must hold. CodeError for longer ones.
    contexts : int
        Independent accumulations, 1 to 64, that take the beats in turn: beat i belongs to
        context ``i % contexts``, and its ``last`` ends the sequence of that context alone. Gates
        can then spread the rounded step of an accumulator format over as many clocks.
    product : str, optional
        As of :class:`Mul`.
    rounding, overflow, random_bits
        As of :class:`Mul`. They hold for each step and for the read-out, which takes the random
        word of the last beat; see :attr:`acc_overflow` and :attr:`out_overflow`.
    statistics : int
        As of :class:`Mul`, of the results: an element is what a sequence gives, and ``end=1``
        beside ``last=1`` marks a tensor's last one. Of an accumulator in the format ``out`` the
        last step counts, else the read-out.
    """

    kind: ClassVar[str] = "mac"
    accumulates: ClassVar[bool] = True
    dynamic: ClassVar[bool] = False

    a: Format = UNSET
    b: Format = UNSET
    out: Format = UNSET
    lanes: int = 1
    acc: Literal["exact"] | Format = "exact"
    terms: int = 1024
    contexts: int = 1
    product: str | None = None

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, b="a", out=None)
        self._settle_product()
        check_integer("lanes", self.lanes, 1, _LANES)
        check_integer("terms", self.terms, 1, 1 << 30)
        if self.terms < self.lanes:
            raise SpecError(f"terms={self.terms}: must be at least lanes={self.lanes}")
        check_integer("contexts", self.contexts, 1, 64)
        self._check_statistics()
        if isinstance(self.acc, str) and self.acc.lower() == "exact":
            self._set("acc", "exact")
            if self.contexts != 1:
                raise SpecError(f"contexts={self.contexts}: acc=exact takes a beat a clock with 1")
            self._check_result()
            return
        acc = check_format("acc", self.acc)
        self._set("acc", acc)
        resolve_overflow(self.overflow, acc)
        for fmt in (acc, self.out):
            check_rounding(fmt, self.rounding)
        if self.rounding.stochastic:
            check_random(acc, self.random_bits)
            check_random(self.out, self.random_bits)

    @property
    def acc_overflow(self) -> Overflow | None:
        """Policy at each step, if ``acc`` is a format."""
        return resolve_overflow(self.overflow, self.out if isinstance(self.acc, str) else self.acc)

    @property
    def macs(self) -> int:
        return self.lanes

    @property
    def ports(self) -> Ports:
        lanes = None if self.lanes == 1 else self.lanes
        inputs = {
            "a": Operand(format=self.a, lanes=lanes),
            "b": Operand(format=self.b, lanes=lanes),
            "last": Operand(format=Fixed(width=1, signed=False)),
        }
        return Ports(inputs=inputs | self._control(), outputs=self._results())

    def _run(self, **codes: Any) -> dict[str, np.ndarray]:
        """Like :meth:`Unit.evaluate`; ``r`` has one element per beat with ``last=1``."""
        operands = Operands.of(self.ports.inputs, codes, self.kind)
        operands.check_one_axis("mac", "the beats must be the only axis")
        stream = Stream.of(operands)
        if self.acc == "exact":
            stream.check(self.lanes, self.terms)
            host = self._host(self.out, self.terms)
            if host is None or not host.fits:
                return accumulate_exact(stream, self)
            return self._hosted(stream, host)
        if self.contexts == 1:
            return accumulate_rounded(stream, self)
        return interleaved(operands, self)

    def _host(self, acc: Format, count: int) -> HostDot | None:
        """Return how float64 adds ``count`` products to ``acc``; None if it cannot."""
        found, key = self.plan.found, f"host {count}"
        if key not in found:
            told = self.statistics or self.multiplication is not None
            formats, policy = (self.a, self.b, acc, acc), self.acc_overflow
            found[key] = (
                None if told else HostDot.of(formats, count, Accumulation(), self.rounding, policy)
            )
        return found[key] if gradual() else None

    def _hosted(self, stream: Stream, host: HostDot) -> dict[str, np.ndarray]:
        """Return the sums that float64 holds, and by integers what it does not decide."""
        arrays, starts = stream.arrays, stream.starts
        codes, decided = host.sums(arrays["a"], arrays["b"], starts)
        left = ~decided
        if left.any():
            lengths = stream.ends - starts + 1
            beats = np.repeat(left, lengths)
            rest = {name: array[beats] for name, array in arrays.items()}
            part = Stream(rest, np.cumsum(lengths[left]) - 1)
            codes[left] = accumulate_exact(part, self)["r"]
        return {"r": codes}

    def products(self, chunk: dict[str, np.ndarray]) -> list[Exact]:
        """Return the exact products of each beat, one row for each, lanes on the last axis."""
        result = multiplied(self.multiplication, chunk, self.a, self.b)
        return [column(term) for term in result] if self.lanes == 1 else result

    def step(self, codes: np.ndarray, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the accumulators ``codes`` after one more beat."""
        acc = self.acc
        assert not isinstance(acc, str)
        if (host := self._host(acc, self.lanes)) is None:
            return self._step(codes, chunk, acc)
        a, b = (chunk[name].reshape(len(codes), -1) for name in "ab")
        made, decided = host.evaluate(a, b, codes)
        if np.count_nonzero(decided) < decided.size:
            left = np.flatnonzero(~decided)
            rest = {name: array[left] for name, array in chunk.items()}
            made[left] = self._step(codes[left], rest, acc)["r"]
        return {"r": made}

    def _step(
        self, codes: np.ndarray, chunk: dict[str, np.ndarray], acc: Format
    ) -> dict[str, np.ndarray]:
        """Return what integers make of a beat."""
        direction = self.direction(chunk)
        value, terms = unpack(codes, acc), self.products(chunk)
        if self.lanes == 1:
            total = add_terms([term[:, 0] for term in terms], value, acc, direction.down)
        else:
            total = add_lanes(terms, value, acc, direction.down)
        if acc == self.out:
            return self._projected(total, direction, self.acc_overflow)
        return {"r": project(total, acc, direction, self.acc_overflow)[0]}


def sum_words(spec: SumOfProducts) -> list[str]:
    """Return the words of a name for the products, the accumulation profile and the rounding."""
    if spec.profile.sum is not None:
        words = spec.profile.identifier  # which says how it multiplies and rounds
    else:
        words = product_words(spec) + spec.profile.identifier + rounding_words(spec)
    return words + word("stat", spec.statistics, 0)


def _mac_words(spec: Mac) -> list[str]:
    acc = [] if isinstance(spec.acc, str) else [f"acc{identifier(spec.acc)}"]
    beats = word("t", spec.terms, 1024) + word("x", spec.contexts, 1)
    words = acc + beats + product_words(spec) + rounding_words(spec)
    return words + word("stat", spec.statistics, 0)


def _usual_overflow(spec: SumOfProducts) -> Overflow | None:
    # A policy that is given holds for the inner sums of ``chunk`` too: it is not the default.
    return None if spec.profile.kind == "chunk" else resolve_or_default(None, spec._out)


named(
    SumOfProducts,
    words=sum_words,
    overflow=_usual_overflow,
    last=("product", "accumulation", *ROUNDING, "statistics"),
)
named(Dot, stem=counted("lanes"))
named(
    Mac,
    stem=counted("lanes", but=1),
    words=_mac_words,
    overflow=lambda spec: resolve_overflow(None, spec.out) if spec.acc == "exact" else None,
)
