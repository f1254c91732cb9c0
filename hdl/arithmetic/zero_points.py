# SPDX-License-Identifier: BSD-2-Clause
"""Zero points of groups: elements less a zero point, and sums of products of such differences.

With integers everywhere the zero points need not be subtracted in each lane:
``sum((a - y) * (b - z)) = sum(a * b) - y * sum(b) - z * (sum(a) - K * y)`` exactly, which takes a
sum and a multiplication for each zero point instead of K subtractions and wider multipliers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from macaw.golden.arithmetic.factors import Factors
from macaw.golden.errors import SpecError
from macaw.golden.formats import Fixed
from macaw.golden.formats.block import AnyFormat, Block, factor, scalar

from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire
from .integers import integer
from .number import Number, from_integer, unpack
from .sums import Sum, fixed_point

__all__ = ["Integers", "comes_late", "difference", "element"]


def comes_late(factors: Factors, name: str) -> bool:
    """Whether a zero point behind the sums costs less gates than one in each lane.

    The sum that it is multiplied by is of the other operand: that should not be the wider one.
    """
    own, other = (scalar(getattr(factors, n)) for n in (name, "ba"["ab".index(name)]))
    return other.width <= own.width


def element(p: Scheduler, code: Wire, zero: Wire | None, format: AnyFormat) -> Number:
    """An element, less its group's zero point if it has one."""
    if zero is None or not isinstance(format, Block):
        return unpack(p, code, scalar(format))
    with p.scope("zero_point"):
        fixed = format.factor
        assert isinstance(fixed, Fixed)
        return from_integer(p, difference(p, code, zero, format), -fixed.fraction)


def difference(p: Scheduler, code: Wire, zero: Wire, format: Block) -> Wire:
    """The integer of a code less the zero point."""
    assert isinstance(format.element, Fixed)
    assert format.zero_point is not None
    return p.subtract(integer(code, format.element), integer(zero, format.zero_point))


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
        The largest magnitude of a product of differences.
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
            if zero is not None and isinstance(fmt, Block) and fmt.zero_point is not None:
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

    def gathered(self, p: Scheduler, first: Wire, beats: int, widest: int) -> "Integers":
        """The running sums since the beat marked ``first``, of at most ``beats`` beats."""

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
            return p.accumulate(word, first, width).within(low, high)

        return replace(
            self,
            product=running(self.product),
            a=running(self.a),
            b=running(self.b),
            count=running(self.count) if self.both else self.count,
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
