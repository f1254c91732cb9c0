# SPDX-License-Identifier: BSD-2-Clause
"""What the profiles compute: products join an addend, step by step."""

from contextlib import AbstractContextManager, nullcontext

from macaw.golden.arithmetic.accumulation import Accumulation
from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.formats.choices import Overflow

from ...schedule.scheduler import Scheduler
from ...schedule.wire import Wire
from ..integers import wrap
from ..number import Number, combine_special, unpack
from ..projection import Projection, Unrounded
from ..rounding import Rounder
from ..sums import fixed_point, join, sum_products
from .aligned import align_truncated, zero_sign_truncated
from .machines import machine_step
from .terms import Group, Products, point_of, scale_product

__all__ = ["accumulate"]


def accumulate(
    p: Scheduler,
    profile: Accumulation,
    terms: Products,
    addend: Wire,
    format: Format,
    rounder: Rounder,
) -> Projection:
    """The code of ``addend``, a code in ``format``, plus the products, by ``profile``.

    The flags are those of the last rounding.
    """
    if profile.sum is not None:
        return machine(p, profile, terms, addend, rounder)
    value = unpack(p, addend, format)
    if profile.kind == "exact":
        return rounder.project(exact(p, terms, value, rounder))
    if profile.kind == "aligned":
        count = profile.count or len(terms.all)
        parts = terms.parts(count) if profile.count else [terms]
        result = Projection(code=addend, flags=p.constant(0, 4))
        for number, part in enumerate(parts):
            with _step(p, number, len(parts)):
                held = unpack(p, result.code, format)
                total = _aligned(p, part, held, format, profile.bits, rounder)
                result, format = rounder.project(total), rounder.coded
        return result
    result = Projection(code=addend, flags=p.constant(0, 4))
    parts = terms.parts(profile.count or 1)
    for number, part in enumerate(parts):
        (group,) = part.groups
        with _step(p, number, len(parts)):
            if profile.kind == "chunk":
                total = _chunk(p, profile, group, rounder, terms.widest)
            else:
                (total,) = group.products
            scaled = total if group.scale is None else scale_product(total, group.scale)
            held = unpack(p, result.code, format)
            joined = sum_products(p, [scaled], held, rounder, terms.widest)
            result, format = rounder.project(joined), rounder.coded
    return result


def _step(p: Scheduler, number: int, count: int) -> AbstractContextManager[None]:
    """The part that one of several steps is written in, each of which rounds."""
    return p.scope(f"step{number}") if count > 1 else nullcontext()


def machine(
    p: Scheduler, profile: Accumulation, terms: Products, addend: Wire, rounder: Rounder
) -> Projection:
    """The code of ``addend``, a code in ``format``, plus the products, as a machine has it."""
    rule, format, flags = profile.sum, rounder.format, rounder.direction.flags
    assert rule is not None
    assert isinstance(format, Float)
    result = Projection(code=addend, flags=p.constant(0, 4))
    steps = terms.steps(profile.count or len(terms.all))
    for number, step in enumerate(steps):
        with _step(p, number, len(steps)):
            result = machine_step(p, rule, profile.bits, step, result.code, format, flags)
    return result


def exact(p: Scheduler, terms: Products, addend: Number, rounder: Rounder) -> Unrounded:
    """``addend`` plus the exact sum of the scaled products."""
    if all(group.scale is None for group in terms.groups):
        return sum_products(p, terms.all, addend, rounder, terms.widest)
    sums = []
    for group in terms.groups:
        sums += group.scaled(p, group.sum(p, terms.widest), terms.widest)
    return join(p, sums, addend, rounder, terms.widest)


def _chunk(
    p: Scheduler, profile: Accumulation, group: Group, rounder: Rounder, widest: int
) -> Number:
    """The sum of a chunk, from zero, rounded to the inner format at each product."""
    inner = profile.format
    assert inner is not None
    terms = group.products
    fixed = isinstance(inner, Fixed) and all(t.exponent.constant is not None for t in terms)
    if fixed and isinstance(inner, Fixed) and min(t.quantum for t in terms) >= inner.quantum:
        total = fixed_point(p, terms)
        shift = total.quantum - inner.quantum
        low, high = total.significand.low << shift, total.significand.high << shift
        if inner.min_integer <= low and high <= inner.max_integer:
            return total
        if profile.overflow is Overflow.WRAP:
            # Steps that wrap, and one wrap of the whole, agree modulo the width.
            return unpack(p, wrap(total.significand.shifted_left(shift), inner), inner)
    store = Rounder(p, inner, rounder.direction.rounding, profile.overflow)
    code: Wire = p.constant(0, inner.width)
    for number, term in enumerate(terms):
        with _step(p, number, len(terms)):
            total = sum_products(p, [term], unpack(p, code, inner), store, widest)
            code = store.project(total).code
    return unpack(p, code, inner)


def _aligned(
    p: Scheduler, part: Products, addend: Number, format: Format, bits: int, rounder: Rounder
) -> Unrounded:
    scaled = any(group.scale is not None for group in part.groups)
    point = part.point + part.scale_point if scaled else part.point
    numbers = part.scaled
    terms = [(number, point) for number in numbers] + [(addend, point_of(format))]
    word, exponent, offset = align_truncated(p, terms, bits, rounder)
    return Unrounded(
        word=word,
        exponent=exponent,
        offset=offset,
        sticky=p.constant(0, 1),
        sign=p.constant(0, 1),
        zero_sign=zero_sign_truncated(p, rounder, [term for term, _ in terms]),
        special=combine_special(p, [term.special for term, _ in terms]),
    )
