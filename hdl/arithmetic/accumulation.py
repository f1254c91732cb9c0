# SPDX-License-Identifier: BSD-2-Clause
"""Gates for golden's accumulation profiles: how scaled products join an addend."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from macaw.golden.arithmetic.accumulation import Accumulation
from macaw.golden.arithmetic.factors import Factors
from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.formats.block import Block, scalar
from macaw.golden.formats.choices import Overflow, Rounding

from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .integers import wrap
from .number import Number, combine_special, multiplied, multiply, unpack
from .projection import Unrounded
from .rounding import Rounder
from .shift import shift_right
from .sums import Sum, fixed_point, join, sum_products
from .tree import largest
from .unrounded import with_headroom

__all__ = ["Group", "Products", "accumulate", "products", "truncated_terms"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Products that share a scale, and that scale; None where there is none."""

    products: Sequence[Number]
    scale: Number | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Products:
    """What is added up.

    Attributes
    ----------
    groups : list of Group
    point : int
        Bits of a product's significand below its point, as its fields have it.
    scale_point : int
        The same of a scale.
    widest : int
        Bits of the widest exact sum that may be built.
    """

    groups: Sequence[Group]
    point: int
    scale_point: int
    widest: int

    @property
    def all(self) -> list[Number]:
        """The products of all groups, not scaled."""
        return [product for group in self.groups for product in group.products]

    @property
    def scaled(self) -> list[Number]:
        """The products of all groups, each times its scale."""
        return [
            product if group.scale is None else scale_product(product, group.scale)
            for group in self.groups
            for product in group.products
        ]

    def parts(self, count: int) -> "list[Products]":
        """Pieces of ``count`` products, each with its scale."""
        return [
            replace(
                self,
                groups=[Group(products=group.products[i : i + count], scale=group.scale)],
            )
            for group in self.groups
            for i in range(0, len(group.products), count)
        ]


def products(
    p: Scheduler, factors: Factors, operands: dict[str, Wire], count: int, widest: int
) -> Products:
    """The first ``count`` products of ``factors``, from wires named as golden's inputs."""
    first, second = scalar(factors.a), scalar(factors.b)
    pairs = []
    codes = operands["a"].lanes(first.width), operands["b"].lanes(second.width)
    for lane, (a, b) in enumerate(zip(*codes, strict=True)):
        with p.scope(f"lane{lane}") if count > 1 else nullcontext():
            pair = unpack(p, a, first), unpack(p, b, second)
            pairs.append(multiplied(p, factors.product, *pair))
    groups = factors.groups
    scales: list[Number | None] = [None] * groups
    for name, number in factors.scales.items():
        format = getattr(factors, name).scale
        with p.scope("scale"):
            words = operands[f"{name}_scale"].lanes(format.width)
            own = [unpack(p, code, format) for code in words]
            for i, scale in enumerate(scales):
                mine = own[i * number // groups]
                scales[i] = mine if scale is None else multiply(p, scale, mine)
    size = count // groups
    return Products(
        groups=[
            Group(products=pairs[i * size : (i + 1) * size], scale=scale)
            for i, scale in enumerate(scales)
        ],
        point=(
            sum(_point(scalar(format)) for format in (factors.a, factors.b))
            if factors.product is None
            else factors.product.mantissa
        ),
        scale_point=sum(
            _point(format.scale) for format in (factors.a, factors.b) if isinstance(format, Block)
        ),
        widest=widest,
    )


def _point(format: Format) -> int:
    return format.mantissa if isinstance(format, Float) else format.width - 1


def accumulate(
    p: Scheduler,
    profile: Accumulation,
    terms: Products,
    addend: Wire,
    format: Format,
    rounder: Rounder,
) -> Wire:
    """The code of ``addend``, a code in ``format``, plus the products, by ``profile``."""
    value = unpack(p, addend, format)
    if profile.kind == "exact":
        return rounder.project(exact(p, terms, value, rounder)).code
    if profile.kind == "aligned":
        code, count = addend, profile.count or len(terms.all)
        parts = terms.parts(count) if profile.count else [terms]
        for number, part in enumerate(parts):
            with _step(p, number, len(parts)):
                total = _aligned(p, part, unpack(p, code, format), format, profile.bits, rounder)
                code, format = rounder.project(total).code, rounder.format
        return code
    code = addend
    parts = terms.parts(profile.count or 1)
    for number, part in enumerate(parts):
        (group,) = part.groups
        with _step(p, number, len(parts)):
            if profile.kind == "chunk":
                total = _chunk(p, profile, group, rounder, terms.widest)
            else:
                (total,) = group.products
            scaled = total if group.scale is None else scale_product(total, group.scale)
            held = unpack(p, code, format)
            joined = sum_products(p, [scaled], held, rounder, terms.widest)
            code, format = rounder.project(joined).code, rounder.format
    return code


def _step(p: Scheduler, number: int, count: int) -> AbstractContextManager[None]:
    """The part that one of several steps is written in, each of which rounds."""
    return p.scope(f"step{number}") if count > 1 else nullcontext()


def scale_product(product: Number, scale: Number) -> Number:
    """A product, or a sum of some, times the scale of its group."""
    p = product.pipeline
    with p.scope("scale"):
        return multiply(p, product, scale)


def exact(p: Scheduler, terms: Products, addend: Number, rounder: Rounder) -> Unrounded:
    """``addend`` plus the exact sum of the scaled products."""
    if all(group.scale is None for group in terms.groups):
        return sum_products(p, terms.all, addend, rounder, terms.widest)
    sums = [Sum.of(p, group.products, terms.widest).scaled(group.scale) for group in terms.groups]
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
    terms = [(number, point) for number in numbers] + [(addend, _point(format))]
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


def align_truncated(
    p: Scheduler, terms: Sequence[tuple[Number, int]], fraction: int, rounder: Rounder
) -> tuple[Wire, Wire, int]:
    """Terms aligned to the largest exponent and truncated to ``fraction`` bits, summed exactly.

    ``terms`` as of :func:`truncated_terms`. Returns the signed sum, the wire with the largest
    exponent, and the offset: the value is ``sum * 2**(exponent + offset)``.
    """
    words, exponent, offset = truncated_terms(p, terms, fraction)
    signs = [term.sign for term, _ in terms]
    with p.scope("add"):
        total = p.name("total", p.sum(words, signs))
    return with_headroom(total, offset, rounder), exponent, offset


@scoped("align")
def truncated_terms(
    p: Scheduler, terms: Sequence[tuple[Number, int]], fraction: int
) -> tuple[list[Wire], Wire, int]:
    """Terms aligned to the largest exponent and truncated to ``fraction`` bits, signed.

    ``terms`` come with the count of their significand's bits below the point, so that the
    significand is in [0, 2) or, for a product, [0, 4). A negative word lacks the 1 that makes
    its complement two's. Returns the words, the wire with the largest exponent, and the offset:
    the value of a word is ``word * 2**(exponent + offset)``.
    """
    offset = min(t.offset + bits for t, bits in terms)
    biased = []
    for term, bits in terms:
        exponent = term.exponent + (term.offset + bits - offset)
        biased.append((exponent.bits(len(exponent)) & ~term.zero).within(0, exponent.high))
    top = p.name("largest", largest(p, biased))
    words = []
    for (term, bits), exponent in zip(terms, biased, strict=True):
        magnitude = term.magnitude
        distance = (top - exponent).within(0, top.high)
        width = fraction + len(magnitude) - bits
        if width > len(magnitude):
            shifted, _ = shift_right(p, magnitude, distance, width)
        else:
            shifted, _ = shift_right(p, magnitude[len(magnitude) - width :], distance, width)
        words.append(cat(shifted ^ term.sign, term.sign).as_signed())
    return words, top, offset - fraction


def zero_sign_truncated(p: Scheduler, rounder: Rounder, terms: Sequence[Number]) -> Wire:
    """Sign of a zero sum of truncated terms: one that is cut to nothing was not a zero."""
    minus = cat(*(term.zero & term.sign for term in terms)).all()
    plus = cat(*(term.zero & ~term.sign for term in terms)).all()
    return p.mux(rounder.is_mode(Rounding.RDN), ~plus, minus)
