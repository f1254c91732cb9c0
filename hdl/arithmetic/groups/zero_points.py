# SPDX-License-Identifier: BSD-2-Clause
"""Zero points of groups: found, subtracted from elements, and in sums of products of differences.

With integers everywhere the zero points need not be subtracted in each lane:
``sum((a - y) * (b - z)) = sum(a * b) - y * sum(b) - z * (sum(a) - K * y)`` exactly, which takes a
sum and a multiplication for each zero point instead of K subtractions and wider multipliers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from macaw.golden.arithmetic.block_rules import Rules
from macaw.golden.arithmetic.factors import Factors
from macaw.golden.errors import SpecError
from macaw.golden.formats import Fixed, Float
from macaw.golden.formats.block import AnyFormat, Block, factor, scalar
from macaw.golden.formats.choices import Overflow, Rounding

from ...schedule.scheduler import Scheduler
from ...schedule.wire import Wire, cat
from ..integers import integer, saturate
from ..number import Number, from_integer, unpack
from ..rounding import Rounder
from ..sums import Sum, fixed_point, sum_products
from ..window_sums import add_pair
from .block_scales import ThroughFp32

__all__ = ["Group", "Integers", "comes_late", "difference", "element"]


def comes_late(factors: Factors, name: str) -> bool:
    """Whether a zero point behind the sums costs less gates than one in each lane.

    The sum that it is multiplied by is of the other operand: that should not be the wider one.
    """
    own, other = (scalar(getattr(factors, n)) for n in (name, "ba"["ab".index(name)]))
    return other.width <= own.width


def element(p: Scheduler, code: Wire, zero: Wire | None, format: AnyFormat) -> Number:
    """An element, less its group's zero point if it has one, and that is an integer."""
    if zero is None or not isinstance(format, Block) or format.float_zero is not None:
        return unpack(p, code, scalar(format))
    with p.scope("zero_point"):
        fixed = format.factor
        assert isinstance(fixed, Fixed)
        return from_integer(p, difference(p, code, zero, format), -fixed.fraction)


def difference(p: Scheduler, code: Wire, zero: Wire, format: Block) -> Wire:
    """The integer of a code less the zero point."""
    assert isinstance(format.element, Fixed)
    assert isinstance(format.zero_point, Fixed)
    return p.subtract(integer(code, format.element), integer(zero, format.zero_point))


class Group(ThroughFp32):
    """The scale and the zero point of a group, and values divided by the scale, on that point.

    The scale is that of a block whose largest magnitude is the distance of the ends of the values,
    and whose largest element is that of the ends of the elements.

    Attributes
    ----------
    zero : Wire
        Code of the zero point; 0 where the scale is zero.
    """

    def __init__(
        self,
        p: Scheduler,
        codes: Sequence[Wire],
        source: Float,
        block: Block,
        rules: Rules,
        widest: int,
    ):
        assert isinstance(block.element, Fixed)
        assert isinstance(block.zero_point, Fixed)
        self.group, self.element, self.widest = block, block.element, widest
        spread = replace(block.element, signed=False)
        spaced = replace(block, element=spread, zero_point=None)
        super().__init__(p, codes, source, spaced, rules, None)
        with p.scope("zero_point"):
            low = self.low.negated()
            rounder = Rounder(p, self.steps, Rounding.RNE, Overflow.SATURATE)
            (steps,) = self._steps([low], [rounder])
            point = saturate(p, p.subtract(block.element.min_integer, steps), block.zero_point)
            self.zero = p.name("zero", point & ~self.empty)
        self.point = integer(self.zero, block.zero_point)

    def _extent(self, codes: Sequence[Wire]) -> Number:
        """The distance of the ends of the values, zero among them, in fp32."""
        p = self.p
        high, self.low = (self._end(codes, negative) for negative in (False, True))
        rounder = self._rounder(Overflow.SATURATE)
        total = add_pair(p, high, self.low, rounder)
        if total is None:
            total = sum_products(p, [high], self.low, rounder, self.widest)
        return self._fp32(total, rounder, "span")

    def _end(self, codes: Sequence[Wire], negative: bool) -> Number:
        """The largest magnitude of one sign, or zero."""
        p, source = self.p, self.source
        kept = []
        for code in codes:
            sign = code[-1] if source.signed else p.constant(0, 1)
            kept.append(sign if negative else ~sign)
        words = [code[: self._bits] & keep for code, keep in zip(codes, kept, strict=True)]
        end = self.greatest(words)
        # A format without a zero reads it as another number.
        return end if source.zero else _zeroed(end, ~cat(*kept).any())

    @property
    def steps(self) -> Fixed:
        """Of quotients: what it saturates at saturates an element too, whatever is added."""
        assert self.group.zero_point is not None
        width = max(self.element.width, self.group.zero_point.width) + 3
        return Fixed(width=width, fraction=self.element.fraction)

    def project(self, codes: Sequence[Wire], rounders: Sequence[Rounder]) -> list[Wire]:
        """The elements: the values divided by the scale, rounded to :attr:`steps`, and the zero
        point added."""
        p = self.p
        values = [unpack(p, code, self.source) for code in codes]
        elements = []
        for lane, steps in enumerate(self._steps(values, rounders)):
            with p.scope(f"lane{lane}"):
                elements.append(saturate(p, p.add(steps, self.point), self.element))
        return elements

    def _steps(self, values: Sequence[Number], rounders: Sequence[Rounder]) -> list[Wire]:
        """The values divided by the scale, as integers."""
        quotients = self.quotients(values, rounders)
        found = []
        for lane, (rounder, exact) in enumerate(zip(rounders, quotients, strict=True)):
            with self.p.scope(f"lane{lane}"):
                found.append(integer(rounder.project(exact).code, self.steps))
        return found


def _zeroed(number: Number, zero: Wire) -> Number:
    """A magnitude, or zero."""
    return replace(number, zero=number.zero | zero, significand=number.significand & ~zero)


@dataclass(frozen=True, kw_only=True, slots=True)
class Integers:
    """Elements of one pair of scales, and the zero points that are still to be subtracted.

    Attributes
    ----------
    product : Wire
        The sum of the products of elements, in last places.
    a, b : Wire
        The sums of elements; constant 0 where the other operand has no zero point to subtract.
    a_zero, b_zero : Wire
        Zero points; constant 0 for an operand that has none, or of which it is subtracted.
    count : Wire
        How many pairs of elements there are.
    fraction : int
        Bits of a product below its point.
    bound : int
        The largest magnitude of a product of differences, or of what ``count`` counts once.
    """

    product: Wire
    a: Wire
    b: Wire
    a_zero: Wire
    b_zero: Wire
    count: Wire
    fraction: int
    bound: int

    @classmethod
    def of(
        cls,
        p: Scheduler,
        formats: Sequence[AnyFormat],
        products: Sequence[Number],
        factors: Sequence[Sequence[Wire]],
        zeros: Sequence[Wire | None],
    ) -> "Integers":
        """Of the formats of both operands, what the products are of, and zero points, or None."""
        points, reach = [], []
        for fmt, zero in zip(formats, zeros, strict=True):
            kind = factor(fmt)
            assert isinstance(kind, Fixed)
            reach.append(max(kind.max_integer, 1 << (kind.width - 1)))
            points.append(p.constant(0))
            if zero is not None and isinstance(fmt, Block) and isinstance(fmt.zero_point, Fixed):
                points[-1] = integer(zero, fmt.zero_point)
        with p.scope("add"):
            sums = [
                p.sum(words) if other.constant != 0 else p.constant(0)
                for words, other in zip(factors, reversed(points), strict=True)
            ]
        product = fixed_point(p, products)
        return cls(
            product=product.significand,
            a=sums[0],
            b=sums[1],
            a_zero=points[0],
            b_zero=points[1],
            count=p.constant(len(products)),
            fraction=-product.offset,
            bound=reach[0] * reach[1],
        )

    @property
    def both(self) -> bool:
        """Whether both operands have a zero point that is still to be subtracted."""
        return self.a_zero.constant != 0 and self.b_zero.constant != 0

    def gathered(self, p: Scheduler, last: Wire, beats: int, widest: int) -> "Integers":
        """The running sums behind the beat ``last``, of at most ``beats`` beats."""

        def running(word: Wire) -> Wire:
            if word.constant == 0:
                return word
            low, high = min(word.low * beats, -1), word.high * beats
            width = 1 + max(high.bit_length(), (-low - 1).bit_length())
            if width > widest:
                raise SpecError(
                    f"accumulation=exact: the sum of a block's products needs {width} bits, and "
                    f"gates take at most {widest}"
                )
            return p.accumulate(word, last, width).within(low, high)

        return replace(
            self,
            product=running(self.product),
            a=running(self.a),
            b=running(self.b),
            count=running(self.count) if self.both else self.count,
            bound=self.bound if self.both else self.bound * beats,
        )

    def sum(self, p: Scheduler) -> Sum:
        """The sum of the products of differences: exact, one integer."""
        with p.scope("zero_point"):
            return self._sum(p)

    def _sum(self, p: Scheduler) -> Sum:
        total, left = self.product, self.a
        if self.both:
            left = p.subtract(left, p.multiply(self.count, self.a_zero))
        for zero, others in ((self.a_zero, self.b), (self.b_zero, left)):
            if zero.constant != 0:
                total = p.subtract(total, p.multiply(zero, others))
        bound = self.bound * self.count.high
        total = p.name("total", total.within(max(total.low, -bound), min(total.high, bound)))
        never, negative = p.constant(0, 1), total.negative
        return Sum(
            number=from_integer(p, total, -self.fraction),
            nan=never,
            plus=never,
            minus=never,
            invalid=never,
            every=negative,
            some=negative,
            zero=~total.any(),
        )
