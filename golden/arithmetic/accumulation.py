# SPDX-License-Identifier: BSD-2-Clause
"""Accumulation profiles: how a unit that adds up products rounds on the way.

``exact``
    One rounding: the scaled exact sum of the products joins the addend, and is rounded.
``sequential``
    The products, each scaled, are added to the addend in the order of the lanes, with a rounding
    to the result's format at each.
``chunk(L, format)``
    Two levels (HFP8's and DLFloat's chunked sums): L products at a time are added, from zero,
    in ``format``, with a rounding at each; the sum of a chunk, scaled, joins the running result.
    With an integer format the inner level is an integer accumulator that wraps or saturates by
    the unit's ``overflow``, and ``chunk(auto, int32)`` takes the most products that cannot leave
    it and divide those of a scale: what Das et al. (arXiv 1802.00930) do with int16 pairs.
``aligned(F[, G])``
    Tensor cores: G products at a time (default: all) and the running result are aligned to the
    largest exponent among them, truncated toward zero to F fraction bits, added exactly, and
    rounded. The exponent of a term is that of its fields, before any normalisation.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import SpecError
from ..formats.block import scalar
from ..formats.choices import Overflow, Rounding
from ..formats.scalar import Fixed, Format
from ..formats.scalar import format as scalar_format
from .exact import Exact, unpack
from .factors import Factors, Terms
from .projection import Direction, Split, project, resolve_overflow
from .sums import add_aligned, add_lanes, add_scaled, add_terms, alignment, products, scaled

_NAME = re.compile(r"(exact|sequential|chunk|aligned)(?:\(([^()]*)\))?")
_MEANS = "must be exact, sequential, chunk(L,format) or aligned(F[,G[,rounding]])"


@dataclass(frozen=True, kw_only=True, slots=True)
class Accumulation:
    """One of the profiles, with its parameters.

    Attributes
    ----------
    kind : str
    bits : int
        F of ``aligned``, 4 to 256.
    count : int
        Products in a group of ``aligned`` or a chunk of ``chunk``; 0: all of them.
    format : Format or None
        Of the inner sums of ``chunk``.
    overflow: Overflow or None
        Their policy.
    """

    kind: str = "exact"
    bits: int = 0
    count: int = 0
    format: Format | None = None
    overflow: Overflow | None = None

    def __str__(self) -> str:
        match self.kind:
            case "chunk":
                assert self.format is not None
                return f"chunk({self.count},{self.format.name})"
            case "aligned":
                return f"aligned({self.bits}{f',{self.count}' if self.count else ''})"
        return self.kind

    @property
    def identifier(self) -> list[str]:
        """Parts of a module name."""
        match self.kind:
            case "exact":
                return []
            case "chunk":
                assert self.format is not None
                return [f"chunk{self.count}{self.format.name.replace('.', 'p')}"]
            case "aligned":
                return [f"aligned{self.bits}{f'g{self.count}' if self.count else ''}"]
        return [self.kind]

    @property
    def single(self) -> bool:
        """Whether there is one rounding only, whatever the number of products."""
        return self.kind == "exact" or (self.kind == "aligned" and not self.count)


@functools.lru_cache(maxsize=256)
def parse(
    text: str, factors: Factors, overflow: Overflow | None
) -> tuple[Accumulation, Rounding | None]:
    """Return the profile that ``text`` names for sums of products of ``factors``.

    And the rounding, if it names one. SpecError for anything else.
    """
    lanes = factors.count // factors.groups

    def fail(why: str) -> SpecError:
        return SpecError(f"accumulation={text}: {why}")

    match = _NAME.fullmatch(text)
    words = match[2].split(",") if match and match[2] else []
    kind = match[1] if match else ""
    plain = kind in ("exact", "sequential")
    if not match or plain != (match[2] is None):
        raise fail(_MEANS)
    if kind == "chunk":
        if len(words) != 2:
            raise fail("must be chunk(L,format)")
        try:
            fmt = scalar_format(words[1])
        except ValueError as error:
            raise fail(str(error)) from None
        policy = resolve_overflow(overflow, fmt)
        count = _fitting(factors, fmt, lanes) if words[0] == "auto" else _integer(words[0])
        if count is None or not 1 <= count <= lanes:
            raise fail(
                f"L must be an integer from 1 to {lanes}, or auto with an integer format that has "
                f"the last place of {factors}"
            )
        if lanes % count:
            raise fail(f"L={count} must divide the {lanes} products of a scale")
        return Accumulation(kind=kind, count=count, format=fmt, overflow=policy), None
    rounding = None
    if kind == "aligned":
        bits = _integer(words[0]) if words else None
        count = _integer(words[1]) if len(words) > 1 else 0
        if len(words) not in (1, 2, 3) or bits is None or not 4 <= bits <= 256:
            raise fail("must be aligned(F[,G[,rounding]]), F from 4 to 256")
        if count is None or not 0 <= count <= lanes or (count and lanes % count):
            raise fail(f"G={words[1]} must be 0, or divide the {lanes} products of a scale")
        if len(words) == 3:
            try:
                rounding = Rounding.parse(words[2], "rounding")
            except SpecError as error:
                raise fail(str(error)) from None
            if rounding is Rounding.DYNAMIC:
                raise fail("takes one fixed direction")
        count = 0 if count == factors.count else count
        return Accumulation(kind=kind, bits=bits, count=count), rounding
    return Accumulation(kind=kind), None


def _integer(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d+", text) else None


def _fitting(factors: Factors, fmt: Format, lanes: int) -> int | None:
    """Return the most products that an integer accumulator cannot overflow on, at least 1.

    They divide ``lanes``.
    """
    a, b = scalar(factors.a), scalar(factors.b)
    if not (isinstance(fmt, Fixed) and isinstance(a, Fixed) and isinstance(b, Fixed)):
        return None
    if a.fraction + b.fraction != fmt.fraction:
        return None
    largest = max(abs(x * y) for x in _ends(a) for y in _ends(b))
    most = fmt.max_integer // max(largest, 1)
    return next((n for n in range(min(most, lanes), 1, -1) if lanes % n == 0), 1)


def _ends(fmt: Fixed) -> tuple[int, int]:
    return fmt.min_integer, fmt.max_integer


def exact(terms: Terms, addend: Exact, out: Format, down: Any) -> Exact | Split:
    """Return the exact sum of the scaled products and ``addend``."""
    if terms.scale is None:
        return add_lanes(terms.products, addend, out, down)
    return add_scaled(terms.one, terms.scale, addend, out, down)


def aligned(
    terms: Terms, addend: Exact, addend_format: Format, bits: int, out: Format, down: Any
) -> Exact | Split:
    """Return the sum of the scaled products and ``addend``, aligned and cut to ``bits`` bits."""
    product, top = terms.one, terms.top
    if terms.scale is not None:
        product, top = scaled(product, terms.scale), top + terms.scale_top
    return add_aligned(product, addend, top, alignment(addend_format), bits, out, down)


def accumulate(
    profile: Accumulation,
    terms: Terms,
    addend: np.ndarray,
    addend_format: Format,
    out: Format,
    direction: Direction,
    overflow: Overflow | None,
) -> np.ndarray:
    """Return the codes in ``out`` of ``addend`` (codes) plus the products, by ``profile``."""
    down = direction.down

    def store(value: Exact | Split, fmt: Format = out, policy: Any = overflow) -> np.ndarray:
        return project(value, fmt, direction, policy)[0]

    value = unpack(addend, addend_format)
    if profile.kind == "exact":
        return store(exact(terms, value, out, down))
    if profile.kind == "aligned" and not profile.count:
        return store(aligned(terms, value, addend_format, profile.bits, out, down))

    def aligned_step(value: Exact, fmt: Format, part: Terms) -> Exact | Split:
        return aligned(part, value, fmt, profile.bits, out, down)

    def sequential_step(value: Exact, fmt: Format, part: Terms) -> Exact | Split:
        return add_terms(_scaled(part, [x[:, 0] for x in part.products]), value, out, down)

    def chunk_step(value: Exact, fmt: Format, part: Terms) -> Exact | Split:
        inner = profile.format
        assert inner is not None
        total = np.zeros(addend.shape, inner.code_dtype)
        for lane in range(part.products[0].shape[-1]):
            product, held = [x[:, lane] for x in part.products], unpack(total, inner)
            total = store(add_terms(product, held, inner, down), inner, profile.overflow)
        return add_terms(_scaled(part, [unpack(total, inner)]), value, out, down)

    step: Callable[[Exact, Format, Terms], Exact | Split] = {
        "aligned": aligned_step,
        "sequential": sequential_step,
        "chunk": chunk_step,
    }[profile.kind]
    codes = addend
    for part in _parts(terms, profile.count or 1):
        fmt = addend_format if codes is addend else out
        codes = store(step(unpack(codes, fmt), fmt, part))
    return codes


def _scaled(part: Terms, sums: list[Exact]) -> list[Exact]:
    """Return sums of shape (n,) times the scale that all of ``part`` has."""
    return sums if part.scale is None else products(sums[0], part.scale[:, 0])


def _parts(terms: Terms, count: int) -> list[Terms]:
    """Cut the lanes into pieces of ``count`` products, each with its scale."""
    lanes = terms.products[0].shape[-1]
    result = []
    for start in range(0, lanes, count):
        scale = None
        if terms.scale is not None:
            group = start * terms.scale.shape[-1] // lanes
            scale = terms.scale[:, group : group + 1]
        pieces = [x[:, start : start + count] for x in terms.products]
        result.append(Terms(products=pieces, scale=scale, top=terms.top, scale_top=terms.scale_top))
    return result
