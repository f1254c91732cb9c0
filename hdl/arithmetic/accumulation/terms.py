# SPDX-License-Identifier: BSD-2-Clause
"""What is added up: products of operands, and the scales of their groups."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from macaw.golden.arithmetic.factors import Factors
from macaw.golden.errors import SpecError
from macaw.golden.formats import Book, Float, Format, Posit
from macaw.golden.formats.block import Block, factor, scalar

from ...schedule.scheduler import Scheduler
from ...schedule.wire import Wire
from ..groups.zero_points import Integers, comes_late, element
from ..number import Number, multiplied, multiply, unpack
from ..sums import Sum, together

__all__ = ["Group", "Products", "point_of", "products", "scale_product"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Behind:
    """What a zero point that is a float adds to the products of a group.

    Attributes
    ----------
    others : Sequence of Number
        The elements of the operand that has no zero point.
    zero : Number
        What their sum is multiplied by: the zero point, its sign changed, or a minimum times the
        scale of that operand.
    minimum : bool
        Whether the scale of the products is left out.
    """

    others: Sequence[Number]
    zero: Number
    minimum: bool

    def joined(
        self, p: Scheduler, total: Sum, others: Sum, scale: Number | None, widest: int
    ) -> list[Sum]:
        """The sum of the products and that of the other elements, scaled."""
        with p.scope("zero_point"):
            rest = others.scaled(self.zero)
        if self.minimum:
            return [total.scaled(scale), rest]
        return [together(p, [total, rest], widest).scaled(scale)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Products that share a scale, and that scale; None where there is none.

    And the factors of the products, and of the scale. With ``integers`` the products are of
    elements whose zero points are still to be subtracted; with ``behind`` a zero point is a float.
    """

    products: Sequence[Number]
    scale: Number | None
    factors: Sequence[tuple[Number, Number]] = ()
    scales: Sequence[Number] = ()
    integers: Integers | None = None
    behind: Behind | None = None

    def scaled(self, p: Scheduler, total: Sum, widest: int) -> list[Sum]:
        """The sum of the products, scaled, and what else the group adds."""
        if self.behind is None:
            return [total.scaled(self.scale)]
        with p.scope("zero_point"):
            others = Sum.of(p, self.behind.others, widest)
        return self.behind.joined(p, total, others, self.scale, widest)

    def sum(self, p: Scheduler, widest: int) -> Sum:
        """The exact sum of the products, not scaled."""
        if self.integers is not None:
            return self.integers.sum(p)
        return Sum.of(p, self.products, widest)

    def part(self, start: int, count: int) -> "Group":
        """``count`` of the products, and the scale."""
        piece = slice(start, start + count)
        return replace(self, products=self.products[piece], factors=self.factors[piece])


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
            replace(self, groups=[group.part(i, count)])
            for group in self.groups
            for i in range(0, len(group.products), count)
        ]

    def steps(self, count: int) -> "list[Products]":
        """Pieces of ``count`` products, which may be of several groups."""
        size = len(self.groups[0].products)
        if count <= size:
            return self.parts(count)
        groups = count // size
        return [
            replace(self, groups=self.groups[i : i + groups])
            for i in range(0, len(self.groups), groups)
        ]


def products(
    p: Scheduler,
    factors: Factors,
    operands: dict[str, Wire],
    count: int,
    widest: int,
    *,
    totals: bool = False,
) -> Products:
    """The first ``count`` products of ``factors``, from wires named as golden's inputs.

    With ``totals`` those of a group are added as integers, and its zero points come in behind.
    """
    first, second = scalar(factors.a), scalar(factors.b)
    groups = factors.groups
    size = count // groups
    pairs, both = [], []
    codes = operands["a"].lanes(first.width), operands["b"].lanes(second.width)
    zeros = {name: _zero_points(factors, operands, name) for name in "ab"}
    several = count < factors.count  # beats, of which the last one brings the zero points
    floating = factors.floating
    if several and not totals and factors.zeros and not floating:
        raise SpecError(
            f"lanes={count}: gates take a block of several beats with zero points only where both "
            "operands are fixed point and accumulation=exact"
        )
    late = {n: n == floating or (totals and (several or comes_late(factors, n))) for n in "ab"}
    for lane, (a, b) in enumerate(zip(*codes, strict=True)):
        early = {n: None if late[n] else zeros[n][lane // size] for n in "ab"}
        with p.scope(f"lane{lane}") if count > 1 else nullcontext():
            one = element(p, a, early["a"], factors.a)
            both.append((one, element(p, b, early["b"], factors.b)))
            made = multiplied(p, factors.product, *both[-1])
            pairs.append(replace(made, factors=both[-1] if factors.product is None else None))
    scales: list[Number | None] = [None] * groups
    each: list[list[Number]] = [[] for _ in range(groups)]
    for name, number in factors.scales.items():
        format = getattr(factors, name).scale
        with p.scope("scale"):
            words = operands[f"{name}_scale"].lanes(format.width)
            own = [unpack(p, code, format) for code in words]
            for i, scale in enumerate(scales):
                mine = own[i * number // groups]
                each[i].append(mine)
                scales[i] = mine if scale is None else multiply(p, scale, mine)
    points = [point_of(factor(format)) for format in (factors.a, factors.b)]
    blocks = [format for format in (factors.a, factors.b) if isinstance(format, Block)]
    made = []
    for i, scale in enumerate(scales):
        mine = slice(i * size, (i + 1) * size)
        group = Group(products=pairs[mine], scale=scale, factors=both[mine], scales=each[i])
        if totals:
            behind = [zeros[n][i] if late[n] else None for n in "ab"]
            words = [[number.significand for number in side] for side in zip(*both[mine])]
            integers = Integers.of(p, (factors.a, factors.b), group.products, words, behind)
            group = replace(group, integers=integers)
        if floating:
            group = replace(group, behind=_behind(p, factors, group, zeros[floating][i]))
        made.append(group)
    return Products(
        groups=made,
        point=sum(points) if factors.product is None else factors.product.mantissa,
        scale_point=sum(point_of(format.scale) for format in blocks),
        widest=widest,
    )


def _zero_points(factors: Factors, operands: dict[str, Wire], name: str) -> list[Wire | None]:
    """The zero point of each group of an operand; None where it has none."""
    groups = factors.groups
    if name not in factors.zeros:
        return [None] * groups
    words = operands[f"{name}_zero"].lanes(getattr(factors, name).zero_point.width)
    return [words[i * len(words) // groups] for i in range(groups)]


def _behind(p: Scheduler, factors: Factors, group: Group, code: Wire | None) -> Behind:
    """What the code of a zero point that is a float adds to a group."""
    format, side = getattr(factors, factors.floating), "ab".index(factors.floating)
    assert code is not None
    with p.scope("zero_point"):
        zero = unpack(p, code, format.float_zero)
        if not format.minimum:
            zero = zero.negated()
        elif len(group.scales) > 1:
            zero = multiply(p, zero, group.scales[1 - side])
    others = [pair[1 - side] for pair in group.factors]
    return Behind(others=others, zero=zero, minimum=format.minimum)


def point_of(format: Format) -> int:
    """Bits of a significand below its point."""
    if isinstance(format, Book):
        return format.precision - 1
    if isinstance(format, Posit):
        return format.fraction
    return format.mantissa if isinstance(format, Float) else format.width - 1


def scale_product(product: Number, scale: Number) -> Number:
    """A product, or a sum of some, times the scale of its group."""
    p = product.pipeline
    with p.scope("scale"):
        return multiply(p, product, scale)
