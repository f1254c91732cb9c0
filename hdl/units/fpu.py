# SPDX-License-Identifier: BSD-2-Clause
"""Gates for the floating-point unit: what its operations have in common is there once.

Seven operations are one multiply-add, of operands that are chosen before it; its sum, a quotient, a
root and an integer are rounded in one place.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from macaw.golden import units
from macaw.golden.errors import SpecError
from macaw.golden.formats import Float
from macaw.golden.formats.choices import Overflow
from macaw.golden.units.fpu import FROM_INTEGER, FUSED, TO_INTEGER

from ..arithmetic.direction import Direction
from ..arithmetic.divide import normalised, quotient, root
from ..arithmetic.number import Number, Special, from_integer, multiply, unpack
from ..arithmetic.projection import Unrounded
from ..arithmetic.recurrence import quotient_or_root
from ..arithmetic.round_fixed import ToFixed
from ..arithmetic.rounding import Rounder
from ..arithmetic.sums import sum_products
from ..arithmetic.unrounded import from_number
from ..arithmetic.window_sums import add_pair
from ..options.implementation import Implementation
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .comparison import Side, classes, invalid, order, side
from .datapath import Datapath

__all__ = ["DATAPATHS", "FpuDatapath"]

SUMS = ("add", "sub")
EXTREMES = ("min", "max")
SIGNS = ("sgnj", "sgnjn", "sgnjx")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Results:
    """What some operations give: a code or an integer, and flags, 0 for all the others."""

    code: Wire
    flags: Wire


class FpuDatapath(Datapath):
    """Gates for :class:`macaw.golden.units.Fpu`. One result a clock, of all operations as late.

    With ``digits=`` quotients and roots take a clock for so many digits, in which no other
    operation moves, by one recurrence.
    """

    spec: units.Fpu
    floats = False
    iterates = True

    def __post_init__(self) -> None:
        Datapath.__post_init__(self)
        option = self.implementation
        if option.digits is None:
            return
        if not {"div", "sqrt"} & {*self.spec.listed}:
            raise SpecError(
                f"digits={option.digits}: operations={self.spec.operations} has no div or sqrt"
            )
        if option.flow != "stream":
            raise SpecError(
                f"flow={option.flow}: with digits= of fpu how late a result is depends on its "
                "operation; must be stream, or bus=axis"
            )

    def build(self, p: Scheduler, *, op: Wire, **operands: Wire) -> dict[str, Wire]:
        shared = _Shared(p, self.spec, op, operands)
        numbers = [*shared.rounded(self.implementation), *shared.moved()]
        integers = [*shared.compared(), *shared.classified(), *shared.converted()]
        found = {}
        for name, results in (("r", numbers), ("rx", integers)):
            if results:
                width = self.spec.ports.outputs[name].format.width
                found[name] = _any(p, [each.code.bits(width) for each in results])
        found["flags"] = _any(p, [each.flags for each in numbers + integers])
        return found


class _Shared:
    """The operands of one operation, unpacked once, and which operation it is."""

    def __init__(self, p: Scheduler, spec: units.Fpu, op: Wire, operands: dict[str, Wire]):
        self.p = p
        self.spec = spec
        self.operands = operands
        self.control = operands.get("rm")
        with p.scope("decode"):
            self.chosen = {
                word: p.name(word.replace("-", "_"), op.equals(spec.code(word)))
                for word in spec.listed
            }
        self.numbers = {
            name: unpack(p, operands[name], spec.a) for name in "abc" if name in operands
        }

    def some(self, *words: str) -> Wire:
        """Whether the operation is one of these."""
        chosen = [self.chosen[word] for word in words if word in self.chosen]
        return cat(*chosen).any() if chosen else self.p.constant(0, 1)

    def has(self, *words: str) -> bool:
        """Whether there is one of these operations."""
        return any(word in self.chosen for word in words)

    # What is rounded to a float.

    def rounded(self, option: Implementation) -> list[_Results]:
        """Sums, products, quotients, roots and integers as floats."""
        p, spec = self.p, self.spec
        if not self.has(*FROM_INTEGER, *SUMS, "mul", *FUSED, "div", "sqrt"):
            return []
        rounder = Rounder(
            p,
            spec.a,
            spec.rounding,
            None,
            mode=self.control,
            flags=True,
            tininess=spec.tininess,
        )
        values: list[tuple[Wire, Unrounded]] = []
        pole = p.constant(0, 1)
        if self.has(*FROM_INTEGER):
            values.append((self.some(*FROM_INTEGER), self._integer(rounder)))
        if self.has(*SUMS, "mul", *FUSED):
            values.append(
                (self.some(*SUMS, "mul", *FUSED), self._total(rounder, option.widest_sum))
            )
        if self.has("div", "sqrt"):
            if self.has("div"):
                top, bottom = self.numbers["a"], self.numbers["b"]
                pole = bottom.zero & ~(top.zero | top.special.infinite | top.special.nan)
                pole = pole & self.chosen["div"]
            values += self._quotients(rounder, option.digits)
        used = cat(*(select for select, _ in values)).any()
        found = rounder.project(_together(p, values))
        flags = cat(found.flags & used, pole)
        return [_Results(code=found.code & used, flags=flags)]

    def _quotients(self, rounder: Rounder, digits: int | None) -> list[tuple[Wire, Unrounded]]:
        """A quotient and a root, each with its rows, or what a recurrence for both has found."""
        p = self.p
        a, b = normalised(p, self.numbers["a"]), None
        if self.has("div"):
            b = normalised(p, self.numbers["b"])
        if digits is not None:
            chosen, roots = self.some("div", "sqrt"), self.some("sqrt")
            if b is None:
                b, roots = a, p.constant(1, 1)
            found = quotient_or_root(p, a, b, rounder, roots, chosen, digits)
            return [(chosen, found)]
        values: list[tuple[Wire, Unrounded]] = []
        if self.has("sqrt"):
            values.append((self.chosen["sqrt"], root(p, a, rounder)))
        if b is not None:
            values.append((self.chosen["div"], quotient(p, a, b, rounder)))
        return values

    def _integer(self, rounder: Rounder) -> Unrounded:
        x = self.operands["x"]
        sign = x[-1] & self.some("from-int")
        word = cat(x, sign).as_signed()
        return from_number(self.p, from_integer(self.p, word, 0), rounder)

    def _total(self, rounder: Rounder, widest: int) -> Unrounded:
        """``±a * b ± c``: of a product c is a zero of its sign, of a sum b is 1 and c is b."""
        p, spec = self.p, self.spec
        a, b = self.numbers["a"], self.numbers["b"]
        fused, sums, mul = self.has(*FUSED), self.has(*SUMS), self.has("mul")
        adds = self.some(*SUMS)
        with p.scope("choose"):
            addend, factor = b, b
            if fused:
                addend = _either(p, adds, b, self.numbers["c"])
            turned = self.some("sub", "msub", "nmadd")
            addend = _signed(addend, addend.sign ^ turned)
            if sums and (fused or mul):
                factor = _either(p, adds, _one(p, b, spec.a), b)
            if fused:
                a = _signed(a, a.sign ^ self.some("nmsub", "nmadd"))
            if mul:
                zero = _signed(_zero(p, addend), a.sign ^ b.sign)
                addend = _either(p, self.chosen["mul"], zero, addend)
        if not fused and not mul:
            total = add_pair(p, a, addend, rounder)
            assert total is not None
            return total
        product = multiply(p, a, factor, summed=fused or sums)
        if not fused and not sums:
            return from_number(p, product, rounder)
        return sum_products(p, [product], addend, rounder, widest)

    # What is not rounded.

    @functools.cached_property
    def _sides(self) -> tuple[Side, Side]:
        a, b = (side(self.p, self.operands[n], self.spec.a, self.numbers[n]) for n in "ab")
        return a, b

    def moved(self) -> list[_Results]:
        """The lesser or greater number, and a with a sign from b."""
        p, fmt = self.p, self.spec.a
        if not self.has(*EXTREMES, *SIGNS):
            return []
        a, b = self._sides
        picks = self.some(*EXTREMES)
        never = p.constant(0, 1)
        second, nothing, wrong = never, never, never
        if self.has(*EXTREMES):
            before, _ = self._order
            with p.scope("extreme"):
                second = (before ^ self.some("min")) & ~b.nan | a.nan
                second = p.name("second", second & picks)
                nothing = a.nan & b.nan & picks
                wrong = (a.signalling | b.signalling) & picks
        with p.scope("sign"):
            flipped = self.some("sgnjn") | (self.some("sgnjx") & a.sign)
            sign = p.mux(picks, p.mux(second, b.sign, a.sign), b.sign ^ flipped)
            body = p.mux(second, b.magnitude, a.magnitude)
            code = cat(body, sign)
            assert fmt.nan_code is not None
            code = p.mux(nothing, p.constant(fmt.nan_code, fmt.width), code)
        used = self.some(*EXTREMES, *SIGNS)
        flags = cat(invalid(p, wrong), never)
        return [_Results(code=code.bits(fmt.width) & used, flags=flags)]

    @functools.cached_property
    def _order(self) -> tuple[Wire, Wire]:
        return order(self.p, *self._sides)

    def compared(self) -> list[_Results]:
        """Whether a is less than b, or equal to it."""
        p = self.p
        if not self.has("eq", "lt", "le"):
            return []
        a, b = self._sides
        before, same = self._order
        zeros, unordered = a.zero & b.zero, a.nan | b.nan
        less = before & ~zeros & self.some("lt", "le")
        equal = (same | zeros) & self.some("eq", "le")
        wrong = unordered & self.some("lt", "le")
        wrong = wrong | ((a.signalling | b.signalling) & self.some("eq"))
        flags = cat(invalid(p, wrong), p.constant(0, 1))
        return [_Results(code=(less | equal) & ~unordered, flags=flags)]

    def classified(self) -> list[_Results]:
        """The class of a."""
        p = self.p
        if not self.has("class"):
            return []
        found = classes(p, self.operands["a"], self.numbers["a"], self.spec.a)
        return [_Results(code=found & self.chosen["class"], flags=p.constant(0, 5))]

    def converted(self) -> list[_Results]:
        """a as an integer: its magnitude is rounded alike, and what it saturates to is chosen."""
        p, spec, number = self.p, self.spec, self.numbers.get("a")
        if not self.has(*TO_INTEGER) or number is None:
            return []
        width, special = spec.integer.width, number.special
        direction = Direction(p, spec.rounding, mode=self.control)
        never = p.constant(0, 1)
        with p.scope("integer"):
            exact = Unrounded(
                word=number.significand,
                exponent=number.exponent,
                offset=number.offset,
                sticky=never,
                sign=number.sign,
                zero_sign=never,
                special=special,
            )
            fixed = ToFixed(
                format=spec.unsigned, direction=direction, overflow=Overflow.SATURATE, nan=None
            )
            frame, integer, inexact = fixed.rounded(exact, width - spec.a.precision)
            with p.scope("pack"):
                return [self._packed(number, frame.too_high, integer, inexact, width)]

    def _packed(
        self, number: Number, too_high: Wire, integer: Wire, inexact: Wire, width: int
    ) -> _Results:
        p, special = self.p, number.special
        never, used = p.constant(0, 1), self.some(*TO_INTEGER)
        signed = self.some("to-int")
        # With a sign above it, whatever the integer's range is.
        word = integer.bits(max(len(integer), width + 1))
        below = word[-1]
        high = word[width - 1 :]
        outside = p.mux(signed, (high ^ below).any(), high[1:].any())
        wrong = p.name("wrong", outside | too_high | special.nan | special.infinite)
        above = special.nan | ~number.sign
        end = cat(p.repeat(above, width - 1), above ^ signed)
        code = p.mux(wrong, end, word[:width])
        flags = cat(inexact & ~wrong & used, p.constant(0, 2), wrong & used, never)
        return _Results(code=code & used, flags=flags)


def _any(p: Scheduler, words: Sequence[Wire]) -> Wire:
    """All of some words, of which all but one are 0."""
    total = words[0]
    for word in words[1:]:
        total = total | word
    return total


def _either(p: Scheduler, select: Wire, then: Number, other: Number) -> Number:
    """One of two numbers of one format."""

    def pick(part: Callable[[Number], Wire]) -> Wire:
        return p.mux(select, part(then), part(other))

    return replace(
        other,
        sign=pick(lambda x: x.sign),
        zero=pick(lambda x: x.zero),
        significand=pick(lambda x: x.significand),
        exponent=pick(lambda x: x.exponent),
        special=_special(p, select, then.special, other.special),
    )


def _special(p: Scheduler, select: Wire, then: Special, other: Special) -> Special:
    return Special(
        nan=p.mux(select, then.nan, other.nan),
        infinite=p.mux(select, then.infinite, other.infinite),
        negative=p.mux(select, then.negative, other.negative),
        invalid=p.mux(select, then.invalid, other.invalid),
    )


def _signed(number: Number, sign: Wire) -> Number:
    return replace(number, sign=sign, special=replace(number.special, negative=sign))


def _ordinary(p: Scheduler, like: Number, significand: int, exponent: int) -> Number:
    """A positive number of the format of another one."""
    never = p.constant(0, 1)
    return replace(
        like,
        sign=never,
        zero=p.constant(int(not significand), 1),
        significand=p.constant(significand, len(like.significand)),
        exponent=p.constant(exponent),
        special=Special(nan=never, infinite=never, negative=never, invalid=never),
    )


def _zero(p: Scheduler, like: Number) -> Number:
    return _ordinary(p, like, 0, like.exponent.low)


def _one(p: Scheduler, like: Number, format: Float) -> Number:
    return _ordinary(p, like, 1 << format.mantissa, format.bias)


def _together(p: Scheduler, values: Sequence[tuple[Wire, Unrounded]]) -> Unrounded:
    """That of the values that is chosen, in one frame: their words begin at its top.

    What is below the last place of a word is below that of the frame too, as if it were jammed.
    """
    if len(values) == 1:
        return values[0][1]
    width = max(len(value.word) - value.word.signed for _, value in values)

    def up(value: Unrounded) -> int:
        return width - (len(value.word) - value.word.signed)

    widest = next(value for _, value in values if not up(value))
    found: Unrounded | None = None
    with p.scope("choose"):
        for select, value in values:
            word = value.word.shifted_left(up(value)).bits(width + 1)
            exponent = value.exponent + (value.offset - up(value) - widest.offset)
            value = replace(
                value,
                word=word,
                exponent=exponent,
                offset=widest.offset,
                leading=None,
                depth=0,
                bound=None,
                words=_anticipating(value, word, width + 1),
            )
            if found is None:
                found = value
                continue
            other = found
            found = Unrounded(
                word=p.mux(select, value.word, other.word),
                exponent=p.mux(select, value.exponent, other.exponent),
                offset=widest.offset,
                sticky=p.mux(select, value.sticky, other.sticky),
                sign=p.mux(select, value.sign, other.sign),
                zero_sign=p.mux(select, value.zero_sign, other.zero_sign),
                special=_special(p, select, value.special, other.special),
                words=_either_words(p, select, value.words, other.words),
            )
        assert found is not None
        return replace(found, word=found.word.as_signed())


_Words = tuple[Wire, Wire, Wire]


def _anticipating(value: Unrounded, word: Wire, width: int) -> _Words | None:
    """Words whose sum ``word`` is: those of its own, unless it begins further up, or itself."""
    p = word.pipeline
    if not p.delays.hurry:
        return None
    if value.words is None:
        return word, p.constant(0, width), p.constant(0, 1)
    return value.words if len(value.words[0]) == width else None


def _either_words(
    p: Scheduler, select: Wire, then: _Words | None, other: _Words | None
) -> _Words | None:
    if then is None or other is None:
        return None
    a, b, carry = (p.mux(select, x, y) for x, y in zip(then, other, strict=True))
    return a, b, carry


DATAPATHS = {units.Fpu: FpuDatapath}
