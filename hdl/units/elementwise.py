# SPDX-License-Identifier: BSD-2-Clause
"""Gates for the units with one result per element."""

from dataclasses import replace
from fractions import Fraction

from macaw.golden import units
from macaw.golden.arithmetic.projection import resolve_or_default
from macaw.golden.formats import Book, Float
from macaw.golden.formats.choices import Rounding, Tininess
from macaw.golden.formats.power_books import logarithm_fraction

from ..arithmetic.divide import in_turns, normalised, quotient, quotient_digits, root, root_digits
from ..arithmetic.number import Number, multiplied, unpack
from ..arithmetic.projection import Projection, Unrounded
from ..arithmetic.rounding import Rounder
from ..arithmetic.shift import at_least
from ..arithmetic.statistics import marked
from ..arithmetic.sums import sum_products
from ..arithmetic.unrounded import from_number
from ..arithmetic.window_sums import add_pair
from ..schedule.fold import Fold
from ..schedule.scheduler import Scheduler
from ..schedule.table import lookup
from ..schedule.wire import Wire, cat
from .datapath import Datapath

__all__ = [
    "DATAPATHS",
    "AddDatapath",
    "CastDatapath",
    "DivDatapath",
    "FmaDatapath",
    "MulDatapath",
    "ReluDatapath",
    "Rounded",
    "SqrtDatapath",
    "counts",
    "marks",
]


def counts(spec: units.Unit) -> bool:
    """Whether what becomes of the results is counted."""
    return getattr(spec, "statistics", 0) > 0


def marks(projection: Projection, spec: units.Unit) -> dict[str, Wire]:
    """What is counted of a result; nothing without statistics."""
    out = spec.ports.outputs["r"].format
    return marked(projection, out) if counts(spec) and isinstance(out, Float) else {}


class Rounded(Datapath):
    """A datapath whose result is one projection of an exact value."""

    def rounder(self, p: Scheduler, **control: Wire) -> Rounder:
        """A rounder to the result's format; ``control`` are the ports ``rm`` and ``random``."""
        out = self.spec.ports.outputs["r"].format
        return Rounder(
            p,
            out,
            self.spec.rounding,
            resolve_or_default(self.spec.overflow, out),
            mode=control.get("rm"),
            random=control.get("random"),
            flags=getattr(self.spec, "flags", False) or counts(self.spec),
            tininess=getattr(self.spec, "tininess", Tininess.AFTER),
            nan=getattr(self.spec, "nan", None),
        )

    def rounded(
        self, p: Scheduler, exact: Unrounded, fold: Fold, rounder: Rounder, **control: Wire
    ) -> dict[str, Wire]:
        """What there is in the last turn of a ``fold``, projected by what is held until then."""
        if fold.count > 1:
            control = {name: fold.later(wire) for name, wire in control.items()}
            rounder = self.rounder(p, **control)
        return self.results(rounder.project(exact))

    def results(self, projection: Projection) -> dict[str, Wire]:
        """The result, and its flags or marks if the specification has them."""
        found = {"r": projection.code}
        if getattr(self.spec, "flags", False):
            found["flags"] = projection.flags
        return found | marks(projection, self.spec)


class MulDatapath(Rounded):
    """Gates for :class:`macaw.golden.units.Mul`. One result a clock."""

    spec: units.Mul
    wraps = True

    def build(self, p: Scheduler, *, a: Wire, b: Wire, **control: Wire) -> dict[str, Wire]:
        if (logarithms := self._logarithms) is not None:
            return {"r": add_logarithms(p, a, b, *logarithms)}
        rounder = self.rounder(p, **control)
        factors = unpack(p, a, self.spec.a), unpack(p, b, self.spec.b)
        product = multiplied(p, self.spec.multiplication, *factors)
        return self.results(rounder.project(from_number(p, product, rounder)))

    @property
    def _logarithms(self) -> tuple[Book, int] | None:
        """The format and the bits of its fraction, where a sum of logarithms gives the result."""
        spec, book = self.spec, self.spec.out
        nearest = spec.rounding is Rounding.RNE and not spec.flags and spec.product is None
        if not (nearest and isinstance(book, Book) and spec.a == spec.b == book):
            return None
        fraction = logarithm_fraction(book)
        return None if fraction is None else (book, fraction)


def add_logarithms(p: Scheduler, a: Wire, b: Wire, book: Book, fraction: int) -> Wire:
    """The product of two logarithmic numbers, to nearest: an integer sum of their codes.

    The values are rounded, each by less than a thousandth of a step of the grid, so what is nearest
    to a product is the sum of the logarithms. Below the least value, half of it is a tie where the
    values are powers of two; elsewhere they say on which side of it their product is.
    """
    half = len(a) - 1
    most, least = (1 << half) - 1, int(book.zero)
    one = ((1 << (half - fraction - 1)) - 1) << fraction
    left, right = a[:half], b[:half]
    with p.scope("add"):
        total = p.name("logarithm", p.add(p.add(left, -one), right))
    with p.scope("pack"):
        beyond = p.name("beyond", at_least(p, total, most + 1))
        below = p.name("below", ~at_least(p, total, least))
        field = p.mux(beyond, p.constant(most, half), total.bits(half))
        if book.zero:
            tie = one + 1 - (1 << fraction)
            rises = lookup(p, left[:fraction], _rises(book, fraction, tie))
            nearer = at_least(p, total, tie - one + 1) | (total.equals(tie - one) & rises.bits(1))
            field = p.mux(below, nearer.bits(half), field)
            field = p.mux(left.any() & right.any(), field, p.constant(0, half))
        else:
            field = p.mux(below, p.constant(0, half), field)
        return cat(field, p.name("sign", a[half] ^ b[half]))


def _rises(book: Book, fraction: int, total: int) -> list[int]:
    """Whether a product whose fields sum up to ``total`` is above half of the least value.

    By the fraction of one of the two: whatever its whole part is, the digits are the same.
    """
    values = [Fraction(value) for value in book.values[: len(book.values) // 2]]
    found = [0] * (1 << fraction)
    for field in range(1, min(total, len(values))):
        if total - field < len(values):
            product = values[field] * values[total - field]
            found[field % len(found)] = int(product > values[1] / 2)
    return found


class AddDatapath(Rounded):
    """Gates for :class:`macaw.golden.units.Add`. One result a clock."""

    spec: units.Add

    def build(self, p: Scheduler, *, a: Wire, b: Wire, **control: Wire) -> dict[str, Wire]:
        rounder = self.rounder(p, **control)
        left, right = unpack(p, a, self.spec.a), unpack(p, b, self.spec.b)
        if self.spec.subtract:
            right = right.negated()
        total = add_pair(p, left, right, rounder)
        if total is None:
            total = sum_products(p, [left], right, rounder, self.implementation.widest_sum)
        return self.results(rounder.project(total))


class FmaDatapath(Rounded):
    """Gates for :class:`macaw.golden.units.Fma`. One result a clock."""

    spec: units.Fma

    def build(self, p: Scheduler, *, a: Wire, b: Wire, c: Wire, **control: Wire) -> dict[str, Wire]:
        rounder = self.rounder(p, **control)
        factors = unpack(p, a, self.spec.a), unpack(p, b, self.spec.b)
        product = multiplied(p, self.spec.multiplication, *factors, summed=True)
        addend = unpack(p, c, self.spec.c)
        total = sum_products(p, [product], addend, rounder, self.implementation.widest_sum)
        return self.results(rounder.project(total))


class CastDatapath(Rounded):
    """Gates for :class:`macaw.golden.units.Cast`. One result a clock."""

    spec: units.Cast
    wraps = True

    def build(self, p: Scheduler, *, a: Wire, **control: Wire) -> dict[str, Wire]:
        rounder = self.rounder(p, **control)
        return self.results(rounder.project(from_number(p, unpack(p, a, self.spec.a), rounder)))


class DivDatapath(Rounded):
    """Gates for :class:`macaw.golden.units.Div`. One result a clock: a row for each digit.

    With ``digits=`` there are rows for so many, and the next operation waits for all turns.
    """

    spec: units.Div
    wraps = True
    iterates = True

    def build(self, p: Scheduler, *, a: Wire, b: Wire, **control: Wire) -> dict[str, Wire]:
        rounder = self.rounder(p, **control)
        top, bottom = unpack(p, a, self.spec.a), unpack(p, b, self.spec.b)
        pole = bottom.zero & ~(top.zero | top.special.infinite | top.special.nan)
        top, bottom = normalised(p, top), normalised(p, bottom)
        fold = in_turns(p, quotient_digits(rounder), self.implementation.digits)
        exact = quotient(p, top, bottom, rounder, fold)
        results = self.rounded(p, exact, fold, rounder, **control)
        if self.spec.flags:
            results["flags"] = cat(results["flags"], fold.later(pole))
        return results


class SqrtDatapath(Rounded):
    """Gates for :class:`macaw.golden.units.Sqrt`. One result a clock: a row for each digit.

    With ``digits=`` as :class:`DivDatapath`.
    """

    spec: units.Sqrt
    wraps = True
    iterates = True

    def build(self, p: Scheduler, *, a: Wire, **control: Wire) -> dict[str, Wire]:
        rounder = self.rounder(p, **control)
        number = normalised(p, unpack(p, a, self.spec.a))
        fold = in_turns(p, root_digits(number, rounder), self.implementation.digits)
        return self.rounded(p, root(p, number, rounder, fold), fold, rounder, **control)


class ReluDatapath(Rounded):
    """Gates for :class:`macaw.golden.units.Relu`. One result a clock."""

    spec: units.Relu
    wraps = True

    def build(self, p: Scheduler, *, a: Wire, **control: Wire) -> dict[str, Wire]:
        rounder = self.rounder(p, **control)
        number = unpack(p, a, self.spec.a)
        with p.scope("rectify"):
            number = rectified(p, number, *self.spec.factor)
        return self.results(rounder.project(from_number(p, number, rounder)))


def rectified(p: Scheduler, number: Number, slope: int, digits: int) -> Number:
    """A float, below zero times ``slope * 2**-digits``."""
    sign, special = number.sign, number.special
    if not slope:
        never = p.constant(0, 1)
        infinite = special.infinite & ~sign
        return replace(
            number,
            sign=never,
            zero=number.zero | sign,
            significand=number.significand & ~sign,
            special=replace(special, infinite=infinite, negative=never),
        )
    # The leading ones of both are in one place, but for a carry of the product.
    up = slope.bit_length() - 1
    product = p.multiply(number.significand, p.constant(slope))
    significand = p.mux(sign, product, number.significand.shifted_left(up))
    more = p.mux(sign, p.constant(0), p.constant(digits - up))
    return replace(
        number,
        significand=significand,
        exponent=number.exponent + more,
        offset=number.offset - digits,
        lowest=tuple(
            (index + up, top - less) for index, top in number.lowest for less in (up, digits)
        ),
    )


DATAPATHS = {
    units.Mul: MulDatapath,
    units.Add: AddDatapath,
    units.Fma: FmaDatapath,
    units.Cast: CastDatapath,
    units.Div: DivDatapath,
    units.Sqrt: SqrtDatapath,
    units.Relu: ReluDatapath,
}
