# SPDX-License-Identifier: BSD-2-Clause
"""What the profiles compute: products join an addend, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...formats.choices import Overflow
from ...formats.scalar import Float, Format
from ..exact import Exact, unpack
from ..factors import Terms
from ..projection import Direction, Split, project
from ..running.statistics import marked
from ..sums import add_aligned, add_lanes, add_scaled, add_terms, alignment, products, scaled
from .machine_sums import machine_step
from .profiles import Accumulation


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
    marks: bool = False,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the codes in ``out`` of ``addend`` (codes) plus the products, by ``profile``.

    And what is to be counted of the last rounding, if ``marks`` are wanted: see
    :func:`macaw.golden.arithmetic.running.statistics.marked`.
    """
    down = direction.down

    def store(value: Exact | Split) -> tuple[np.ndarray, np.ndarray | None]:
        codes, flags = project(value, out, direction, overflow, marks)
        if flags is None:
            return codes, None
        assert isinstance(value, Exact)
        assert isinstance(out, Float)
        return codes, marked(value.special, codes, flags, out)

    if profile.sum is not None:
        return machine(profile, terms, addend, out, marks)
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
            added = add_terms(product, held, inner, down)
            total = project(added, inner, direction, profile.overflow)[0]
        return add_terms(_scaled(part, [unpack(total, inner)]), value, out, down)

    step: Callable[[Exact, Format, Terms], Exact | Split] = {
        "aligned": aligned_step,
        "sequential": sequential_step,
        "chunk": chunk_step,
    }[profile.kind]
    codes, found = addend, None
    for part in _parts(terms, profile.count or 1):
        fmt = addend_format if codes is addend else out
        codes, found = store(step(unpack(codes, fmt), fmt, part))
    return codes, found


def machine(
    profile: Accumulation, terms: Terms, addend: np.ndarray, out: Format, marks: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the codes in ``out`` of ``addend`` (codes) plus the products, as a machine has it."""
    assert profile.sum is not None
    codes, found = addend, None
    for part in _parts(terms, profile.count or terms.products[0].shape[-1]):
        codes, found = machine_step(profile.sum, profile.bits, part, codes, out, marks)
    return codes, found


def _scaled(part: Terms, sums: list[Exact]) -> list[Exact]:
    """Return sums of shape (n,) times the scale that all of ``part`` has."""
    return sums if part.scale is None else products(sums[0], part.scale[:, 0])


def _parts(terms: Terms, count: int) -> list[Terms]:
    """Cut the lanes into pieces of ``count`` products, each with its scales."""
    lanes = terms.products[0].shape[-1]
    result = []
    for start in range(0, lanes, count):
        lane, group = slice(start, start + count), slice(None)
        if terms.scale is not None:
            groups = terms.scale.shape[-1]
            group = slice(start * groups // lanes, (start + count - 1) * groups // lanes + 1)
        result.append(
            replace(
                terms,
                products=[x[:, lane] for x in terms.products],
                scale=None if terms.scale is None else terms.scale[:, group],
            )
        )
    return result
