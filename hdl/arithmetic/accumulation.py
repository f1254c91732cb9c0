# SPDX-License-Identifier: BSD-2-Clause
"""Gates for golden's accumulation profiles: how scaled products join an addend."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from macaw.golden.arithmetic.accumulation import Accumulation
from macaw.golden.arithmetic.factors import Factors
from macaw.golden.errors import SpecError
from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.formats.block import Block, scalar
from macaw.golden.formats.choices import Overflow, Rounding

from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .number import Number, Special, multiply, unpack
from .rounding import Rounder, Unrounded
from .unrounded import (
    add_sum,
    align_truncated,
    combine_special,
    fixed_point,
    from_fixed,
    sum_products,
    sum_width,
    window_sum,
    zero_sign_truncated,
)

__all__ = ["Group", "Products", "Sum", "accumulate", "join", "products"]


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
            product if group.scale is None else multiply(product.pipeline, product, group.scale)
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


def lanes(word: Wire, format: Format, count: int | None) -> list[Wire]:
    """The codes of a vector operand, lane 0 first."""
    width = format.width
    return [word[i * width : (i + 1) * width] for i in range(count or 1)]


def products(
    p: Scheduler, factors: Factors, operands: dict[str, Wire], count: int, widest: int
) -> Products:
    """The first ``count`` products of ``factors``, from wires named as golden's inputs."""
    numbers = {}
    for name, format in (("a", factors.a), ("b", factors.b)):
        element = scalar(format)
        codes = lanes(operands[name], element, count)
        numbers[name] = [unpack(p, code, element) for code in codes]
    pairs = [multiply(p, x, y) for x, y in zip(numbers["a"], numbers["b"], strict=True)]
    groups = factors.groups
    scales: list[Number | None] = [None] * groups
    for name, number in factors.scales.items():
        format = getattr(factors, name).scale
        own = [unpack(p, code, format) for code in lanes(operands[f"{name}_scale"], format, number)]
        for i, scale in enumerate(scales):
            mine = own[i * number // groups]
            scales[i] = mine if scale is None else multiply(p, scale, mine)
    size = count // groups
    return Products(
        groups=[
            Group(products=pairs[i * size : (i + 1) * size], scale=scale)
            for i, scale in enumerate(scales)
        ],
        point=sum(_point(scalar(format)) for format in (factors.a, factors.b)),
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
        for part in parts:
            total = _aligned(p, part, unpack(p, code, format), format, profile.bits, rounder)
            code, format = rounder.project(total).code, rounder.format
        return code
    code = addend
    for part in terms.parts(profile.count or 1):
        (group,) = part.groups
        if profile.kind == "chunk":
            total = _chunk(p, profile, group, rounder, terms.widest)
        else:
            (total,) = group.products
        scaled = total if group.scale is None else multiply(p, total, group.scale)
        held = unpack(p, code, format)
        joined = sum_products(p, [scaled], held, rounder, terms.widest)
        code, format = rounder.project(joined).code, rounder.format
    return code


def exact(p: Scheduler, terms: Products, addend: Number, rounder: Rounder) -> Unrounded:
    """``addend`` plus the exact sum of the scaled products."""
    if all(group.scale is None for group in terms.groups):
        return sum_products(p, terms.all, addend, rounder, terms.widest)
    sums = [Sum.of(p, group.products, terms.widest).scaled(group.scale) for group in terms.groups]
    return join(p, sums, addend, rounder, terms.widest)


def join(
    p: Scheduler, sums: "Sequence[Sum]", addend: Number, rounder: Rounder, widest: int
) -> Unrounded:
    """``addend`` plus exact sums."""
    total = add_up(p, [each.number for each in sums], widest)
    every = cat(*(each.every for each in sums), addend.sign).all()
    some = cat(*(each.some for each in sums), addend.sign).any()
    zero = p.mux(rounder.is_mode(Rounding.RDN), some, every)
    special = combine_special(p, [*(each.special for each in sums), addend.special])
    if total.exponent.constant is not None and addend.exponent.constant is not None:
        return from_fixed(p, fixed_point(p, [total, addend]), rounder, special, zero)
    joined = add_sum(p, total, addend, rounder, special, zero)
    return joined or window_sum(p, total, addend, rounder, special, zero)


def add_up(p: Scheduler, terms: Sequence[Number], widest: int) -> Number:
    """The exact sum as one fixed-point number; of one term, the term."""
    if len(terms) == 1:
        return terms[0]
    width = sum_width(terms)
    if width > widest:
        raise SpecError(
            f"accumulation=exact: the sum of the products needs {width} bits, and gates "
            f"take at most {widest}; use accumulation=aligned(24)"
        )
    return fixed_point(p, terms)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sum:
    """An exact sum of products, and what is to be known of them besides.

    Attributes
    ----------
    number : Number
        Its own ``special`` and ``sign`` are not looked at.
    nan, plus, minus, invalid : Wire
        Whether some product is a NaN, +infinity, -infinity, or the result of an invalid operation.
    every, some : Wire
        Whether every, and whether some, product is negative.
    zero : Wire
        Whether some product is zero.
    """

    number: Number
    nan: Wire
    plus: Wire
    minus: Wire
    invalid: Wire
    every: Wire
    some: Wire
    zero: Wire

    @classmethod
    def of(cls, p: Scheduler, terms: Sequence[Number], widest: int) -> "Sum":
        """The sum of some products."""
        special = combine_special(p, [term.special for term in terms])
        signs = cat(*(term.sign for term in terms))
        return cls(
            number=add_up(p, terms, widest),
            nan=special.nan,
            plus=special.infinite & ~special.negative,
            minus=special.infinite & special.negative,
            invalid=special.invalid,
            every=signs.all(),
            some=signs.any(),
            zero=cat(*(term.zero for term in terms)).any(),
        )

    @property
    def special(self) -> Special:
        """NaN and infinities."""
        clash = self.plus & self.minus
        return Special(
            nan=self.nan | clash,
            infinite=self.plus | self.minus,
            negative=self.minus,
            invalid=self.invalid | clash,
        )

    def gathered(self, p: Scheduler, first: Wire, width: int) -> "Sum":
        """The running sum, in ``width`` bits, since the beat marked ``first``."""
        word = p.accumulate(self.number.significand, first, width)
        return Sum(
            number=replace(self.number, significand=word, sign=word.negative, zero=~word.any()),
            nan=p.gather(self.nan, first),
            plus=p.gather(self.plus, first),
            minus=p.gather(self.minus, first),
            invalid=p.gather(self.invalid, first),
            every=~p.gather(~self.every, first),
            some=p.gather(self.some, first),
            zero=p.gather(self.zero, first),
        )

    def scaled(self, scale: Number | None) -> "Sum":
        """The sum times a scale: as if each product had been multiplied by it."""
        if scale is None:
            return self
        p, flip, huge = scale.pipeline, scale.sign, scale.special.infinite
        plus, minus = self.plus, self.minus
        bad = (plus | minus) & scale.zero
        if huge.constant != 0:
            plus, minus = plus | (huge & ~self.every), minus | (huge & self.some)
            bad = bad | (huge & self.zero)
        return Sum(
            number=scale_number(p, self.number, scale),
            nan=self.nan | scale.special.nan | bad,
            plus=p.mux(flip, minus, plus),
            minus=p.mux(flip, plus, minus),
            invalid=self.invalid | bad,
            every=p.mux(flip, ~self.some, self.every),
            some=p.mux(flip, ~self.every, self.some),
            zero=self.zero | scale.zero,
        )


def scale_number(p: Scheduler, total: Number, scale: Number) -> Number:
    """A number times a scale; what is special about it is left to :class:`Sum`."""
    if not total.significand.signed:
        return multiply(p, total, scale)
    word = p.multiply(total.significand, scale.significand)
    if scale.sign.constant is None:
        flipped = (word.bits(len(word) + 1) ^ scale.sign).as_signed()
        bound = max(-word.low, word.high)
        word = p.add(flipped, scale.sign).within(-bound, bound)
    lowest = tuple(
        (index + other, top + above) for index, top in total.lowest for other, above in scale.lowest
    )
    return replace(
        total,
        sign=word.negative,
        zero=total.zero | scale.zero,
        significand=word,
        exponent=total.exponent + scale.exponent,
        offset=total.offset + scale.offset,
        lowest=lowest,
    )


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
            return unpack(p, total.significand.shifted_left(shift).bits(inner.width), inner)
    store = Rounder(p, inner, rounder.rounding, profile.overflow)
    code: Wire = p.constant(0, inner.width)
    for term in terms:
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
