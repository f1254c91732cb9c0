# SPDX-License-Identifier: BSD-2-Clause
"""Gates for units that round nothing: order, lesser and greater, class, sign."""

from dataclasses import dataclass

from macaw.golden import units
from macaw.golden.formats import Fixed, Float, Format, Subnormals

from ..arithmetic.integers import integer
from ..arithmetic.number import Number, unpack
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .datapath import Datapath

__all__ = [
    "DATAPATHS",
    "ClassifyDatapath",
    "CompareDatapath",
    "CopySignDatapath",
    "MinimumDatapath",
    "Side",
    "classes",
    "invalid",
    "order",
    "side",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """An operand: its own code, magnitude, and what it is; all but the first two single bits."""

    code: Wire
    magnitude: Wire
    sign: Wire
    zero: Wire
    nan: Wire
    signalling: Wire


def side(p: Scheduler, code: Wire, format: Format, number: Number | None = None) -> Side:
    """An operand made ready for a comparison; of a float that is unpacked, with its ``number``."""
    never = p.constant(0, 1)
    if isinstance(format, Fixed):
        return Side(
            code=code,
            magnitude=integer(code, format),
            sign=never,
            zero=never,
            nan=never,
            signalling=never,
        )
    assert isinstance(format, Float)
    number = unpack(p, code, format) if number is None else number
    magnitude, own = code[: format.exponent + format.mantissa], code
    if format.subnormals is Subnormals.FLUSH:
        magnitude = magnitude & ~number.zero
        own = magnitude
        if format.signed:
            kept = number.sign & ~number.zero if format.nan_for_negative_zero else number.sign
            own = cat(magnitude, kept)
    return Side(
        code=own,
        magnitude=magnitude,
        sign=number.sign,
        zero=number.zero,
        nan=number.special.nan,
        signalling=number.special.invalid,
    )


def order(p: Scheduler, a: Side, b: Side) -> tuple[Wire, Wire]:
    """(a before b, with -0 before +0; the codes' numbers are the same, signs included)."""
    with p.scope("compare"):
        if not len(a.magnitude):
            less, same = p.constant(0, 1), p.constant(1, 1)
        else:
            less, same = a.magnitude < b.magnitude, a.magnitude.equals(b.magnitude)
        alike = ~(a.sign ^ b.sign)
        within = p.mux(a.sign, ~(less | same), less)
        return (a.sign & ~b.sign) | (alike & within), same & alike


def invalid(p: Scheduler, where: Wire) -> Wire:
    """Flags of what can be invalid, and no more."""
    return cat(p.constant(0, 3), where)


class CompareDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.Compare`. One result a clock."""

    spec: units.Compare

    def build(self, p: Scheduler, *, a: Wire, b: Wire) -> dict[str, Wire]:
        x, y = side(p, a, self.spec.a), side(p, b, self.spec.a)
        before, same = order(p, x, y)
        zeros, unordered = x.zero & y.zero, x.nan | y.nan
        found = {
            "less": before & ~zeros & ~unordered,
            "equal": (same | zeros) & ~unordered,
            "unordered": unordered,
        }
        if self.spec.flags:
            wrong = unordered if self.spec.signaling else x.signalling | y.signalling
            found["flags"] = invalid(p, wrong)
        return found


class MinimumDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.Minimum` and the greater of two. One result a clock."""

    spec: units.Minimum

    def build(self, p: Scheduler, *, a: Wire, b: Wire) -> dict[str, Wire]:
        fmt = self.spec.a
        x, y = side(p, a, fmt), side(p, b, fmt)
        before, _ = order(p, x, y)
        first = ~before if self.spec.greater else before
        if self.spec.number:
            first = (first | y.nan) & ~x.nan
        result = p.mux(first, x.code, y.code)
        if isinstance(fmt, Float) and fmt.nan_code is not None:
            nothing = x.nan & y.nan if self.spec.number else x.nan | y.nan
            result = p.mux(nothing, p.constant(fmt.nan_code, fmt.width), result)
        found = {"r": result.bits(fmt.width)}
        if self.spec.flags:
            found["flags"] = invalid(p, x.signalling | y.signalling)
        return found


class ClassifyDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.Classify`. One result a clock."""

    spec: units.Classify

    def build(self, p: Scheduler, *, a: Wire) -> dict[str, Wire]:
        fmt = self.spec.a
        assert isinstance(fmt, Float)
        return {"r": classes(p, a, unpack(p, a, fmt), fmt)}


def classes(p: Scheduler, code: Wire, number: Number, format: Float) -> Wire:
    """One of ten bits for the class of a number, and its code."""
    special, never = number.special, p.constant(0, 1)
    tiny = never
    if format.subnormals is Subnormals.GRADUAL:
        field = code[format.mantissa : format.mantissa + format.exponent]
        tiny = ~field.any() & ~number.zero & ~special.nan & ~special.infinite
    usual = ~(tiny | number.zero | special.nan | special.infinite)
    kinds = (special.infinite, usual, tiny, number.zero & ~special.nan)
    with p.scope("classify"):
        low = [kind & number.sign for kind in kinds]
        high = [kind & ~number.sign for kind in reversed(kinds)]
        quiet = special.nan & ~special.invalid
        return cat(*low, *high, special.nan & special.invalid, quiet)


class CopySignDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.CopySign`. One result a clock."""

    spec: units.CopySign

    def build(self, p: Scheduler, *, a: Wire, b: Wire) -> dict[str, Wire]:
        sign = {"copy": b[-1], "negate": ~b[-1], "xor": a[-1] ^ b[-1]}[self.spec.operation]
        return {"r": cat(a[:-1], sign) if len(a) > 1 else sign}


DATAPATHS = {
    units.Compare: CompareDatapath,
    units.Minimum: MinimumDatapath,
    units.Maximum: MinimumDatapath,
    units.Classify: ClassifyDatapath,
    units.CopySign: CopySignDatapath,
}
