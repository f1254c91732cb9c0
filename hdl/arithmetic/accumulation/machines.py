# SPDX-License-Identifier: BSD-2-Clause
"""Gates for sums as machines make them (golden's :mod:`machine_sums`): one step of one."""

from collections.abc import Sequence
from dataclasses import replace

from macaw.golden.arithmetic.accumulation import MachineSum, Scheme
from macaw.golden.formats import Float
from macaw.golden.formats import format as scalar_format
from macaw.golden.formats.choices import Overflow, Rounding

from ...schedule.scheduler import Scheduler
from ...schedule.wire import Wire, cat
from ..number import Number, Special, combine_special, unpack
from ..projection import Projection, Unrounded
from ..rounding import Rounder
from ..shift import at_least, largest, shift_right
from ..sums import fixed_point, scale_number, sum_products
from ..unrounded import with_headroom
from .aligned import cut_terms
from .terms import Group, Products, point_of

__all__ = ["machine_step"]

_SUM, _ADDEND, _IGNORED, _GROUP = 31, 24, 25, 16
"""As in golden: fraction bits of sum and addend in CDNA3, how far an addend counts in FP8, and the
products that FP4 adds exactly."""

Exponent = tuple[Wire, int]
"""A wire and what is to be added to it."""


def machine_step(
    p: Scheduler,
    rule: MachineSum,
    bits: int,
    terms: Products,
    addend: Wire,
    format: Float,
    flags: bool,
) -> Projection:
    """The code of ``addend``, a code in ``format``, plus the products of one step.

    ``bits`` are the fraction bits of an aligned term. The flags, if they are wanted, are those of
    the last rounding.
    """
    value = unpack(p, addend, format)
    if rule.scheme is Scheme.BULK:
        return _bulk(p, bits, terms, value, format, flags)
    with p.scope("align"):
        own = _addend(p, value, point_of(format), format.emin - rule.below)
    if rule.scheme in (Scheme.APART, Scheme.HALVES):
        total = _apart(p, bits, terms, value, own, rule.scheme is Scheme.HALVES)
        return _rounder(p, format, Rounding.RNE, flags).project(total)
    total = _joined(p, rule, bits, terms, value, own, point_of(format))
    kept = format
    if rule.kept and format.name == "fp32":
        kept = scalar_format(f"e8m{rule.kept}")
        assert isinstance(kept, Float)
    # A NaN is not the format's own: the rounder does not see it.
    nan, special = total.special.nan, replace(total.special, nan=p.constant(0, 1))
    rounder = _rounder(p, kept, rule.rounding(format), flags)
    found = rounder.project(replace(total, special=special))
    code = found.code
    with p.scope("pack"):
        body, sign = code[:-1], code[-1]
        code = cat(p.constant(0, format.width - kept.width), body, sign & body.any())
        code = p.mux(nan, p.constant((1 << (format.width - 1)) - 1, format.width), code)
        return Projection(code=code, flags=found.flags, special=total.special)


def _rounder(p: Scheduler, format: Float, rounding: Rounding, flags: bool = False) -> Rounder:
    return Rounder(p, format, rounding, Overflow.NONFINITE, flags=flags)


def _addend(p: Scheduler, number: Number, point: int, least: int) -> Exponent:
    """The exponent of the fields of the addend, ``least`` of a zero."""
    exponent, offset = number.exponent, number.offset + point
    if exponent.low + offset <= least:
        # A zero has the exponent of the least normal number anyway.
        return exponent, offset
    raised = exponent + (offset - least)
    return (raised.bits(len(raised)) & ~number.zero).within(0, raised.high), least


def _level(
    exponents: Sequence[Exponent], zeros: Sequence[Wire], *others: Exponent
) -> tuple[list[Wire], int]:
    """Exponents above the same offset, and that; 0 where a number is zero and has none."""
    every = [*exponents, *others]
    lowest = min(offset + exponent.low for exponent, offset in every)
    level = [exponent + (offset - lowest) for exponent, offset in every]
    for i, zero in enumerate(zeros):
        level[i] = (level[i].bits(len(level[i])) & ~zero).within(0, level[i].high)
    return level, lowest


def _exponents(numbers: Sequence[Number], point: int) -> list[Exponent]:
    """The exponents of their fields."""
    return [(number.exponent, number.offset + point) for number in numbers]


def _total(p: Scheduler, words: Sequence[Wire], numbers: Sequence[Number]) -> Wire:
    with p.scope("add"):
        return p.name("total", p.sum(words, [number.sign for number in numbers]))


def _unrounded(
    p: Scheduler, word: Wire, top: Wire, offset: int, special: Special, rounder_format: Float
) -> Unrounded:
    """A sum of that exponent; a zero is positive."""
    never = p.constant(0, 1)
    rounder = _rounder(p, rounder_format, Rounding.RNE)
    return Unrounded(
        word=with_headroom(word, top.low + offset, rounder),
        exponent=top,
        offset=offset,
        sticky=never,
        sign=never,
        zero_sign=never,
        special=special,
    )


def _joined(
    p: Scheduler,
    rule: MachineSum,
    bits: int,
    terms: Products,
    addend: Number,
    own: Exponent,
    addend_point: int,
) -> Unrounded:
    """Addend and products, or exact sums of some, truncated together."""
    if rule.scheme is Scheme.BLOCKS:
        numbers, exponents, zeros, points = _groups(p, terms)
    else:
        numbers, point = terms.scaled, terms.point
        if terms.groups[0].scale is not None:
            point += terms.scale_point
        points = [point] * len(numbers)
        exponents, zeros = _exponents(numbers, point), [number.zero for number in numbers]
    numbers, points = [*numbers, addend], [*points, addend_point]
    with p.scope("align"):
        level, offset = _level(exponents, zeros, own)
        top = p.name("largest", largest(p, level))
        # The addend has one, also where it is zero.
        top = top.within(max(top.low, level[-1].low), top.high)
        pairs = list(zip(numbers, points, strict=True))
        words = cut_terms(p, pairs, level, top, bits)
    special = combine_special(p, [number.special for number in numbers])
    word = _total(p, words, numbers)
    format = scalar_format("fp32") if addend_point == 23 else scalar_format("fp16")
    assert isinstance(format, Float)
    return _unrounded(p, word, top, offset - bits, special, format)


def _groups(
    p: Scheduler, terms: Products
) -> tuple[list[Number], list[Exponent], list[Wire], list[int]]:
    """Exact sums of 16 products times their scale; the exponents are those of the scales.

    And whether a scale or all products of a group are zero, and bits below the point.
    """
    numbers, exponents, zeros, points = [], [], [], []
    for group in terms.groups:
        assert group.scale is not None
        (exponent,) = _exponents([group.scale], terms.scale_point)
        for start in range(0, len(group.products), _GROUP):
            part: Group = group.part(start, _GROUP)
            total = fixed_point(p, part.products)
            with p.scope("scale"):
                number = scale_number(p, total, group.scale)
            numbers.append(replace(number, special=group.scale.special))
            exponents.append(exponent)
            with p.scope("align"):
                zeros.append(cat(*(x.zero for x in part.products)).all() | group.scale.zero)
            points.append(terms.scale_point - total.offset)
    return numbers, exponents, zeros, points


def _apart(
    p: Scheduler, bits: int, terms: Products, addend: Number, own: Exponent, halves: bool
) -> Unrounded:
    """CDNA3: the sum of the products, and the addend, rounded down where they meet."""
    numbers = terms.all
    with p.scope("specials"):
        each = [_beyond(p, number) for number in numbers]
        special = combine_special(p, [*each, addend.special])
    with p.scope("align"):
        zeros = [number.zero for number in numbers]
        level, offset = _level(_exponents(numbers, terms.point), zeros, own)
    level, own_level = level[:-1], level[-1]
    ways = [slice(0, None, 2), slice(1, None, 2)] if halves else [slice(None)]
    tops, sums = [], []
    for way in ways[: len(numbers)]:
        with p.scope("align"):
            tops.append(p.name("largest", largest(p, level[way])))
            pairs = [(number, terms.point) for number in numbers[way]]
            words = cut_terms(p, pairs, level[way], tops[-1], bits)
        sums.append(_total(p, words, numbers[way]))
    with p.scope("join"):
        top = largest(p, tops)
        if len(sums) > 1:
            sums = [_down(p, x, top - each, len(x)) for x, each in zip(sums, tops, strict=True)]
        word = sums[0] if len(sums) == 1 else p.add(*sums)
        most = largest(p, [top, own_level])
        word = _down(p, word, most - top, len(word) + _SUM - bits)
        other, distance = addend.signed, most - own_level
        other = _down(p, other, distance, len(other) + _ADDEND - 23)
        if halves:
            counts = ~at_least(p, distance.within(0, distance.high), _IGNORED + 1)
            other = (other.bits(len(other)) & counts).as_signed()
        total = p.name("total", p.add(word, other.shifted_left(_SUM - _ADDEND)))
    format = scalar_format("fp32")
    assert isinstance(format, Float)
    return _unrounded(
        p, total, most.within(own_level.low, most.high), offset - _SUM, special, format
    )


def _down(p: Scheduler, word: Wire, distance: Wire, width: int) -> Wire:
    """A signed word at the top of ``width`` bits, shifted right and rounded down."""
    pattern, _ = shift_right(p, word, distance.within(0, max(distance.high, 0)), width)
    return pattern.as_signed()


def _beyond(p: Scheduler, number: Number) -> Special:
    """What is special of a product, which is infinite where fp32 cannot hold it."""
    exponent = number.exponent + (number.offset + len(number.significand))
    if exponent.high <= 128:
        return number.special
    # Of a normal product the leading one is in one of the two top places.
    huge = at_least(p, exponent, 130) | (at_least(p, exponent, 129) & number.significand[-1])
    huge = huge & ~number.zero
    return replace(number.special, infinite=number.special.infinite | huge, negative=number.sign)


def _bulk(
    p: Scheduler, bits: int, terms: Products, addend: Number, format: Float, flags: bool
) -> Projection:
    """RISC-V: products rounded to odd, their sum rounded to odd, and its sum with the addend."""
    numbers = terms.all
    rounder = _rounder(p, format, Rounding.ROD)
    with p.scope("align"):
        zeros = [number.zero for number in numbers]
        level, offset = _level(_exponents(numbers, terms.point), zeros)
        top = p.name("largest", largest(p, level))
        pairs = [(number, terms.point) for number in numbers]
        words = cut_terms(p, pairs, level, top, bits, odd=True)
    special = combine_special(p, [number.special for number in numbers])
    total = _unrounded(p, _total(p, words, numbers), top, offset - bits, special, format)
    code = rounder.project(total).code
    with p.scope("accumulate"):
        rounder = _rounder(p, format, Rounding.ROD, flags)
        joined = sum_products(p, [unpack(p, code, format)], addend, rounder, terms.widest)
        return rounder.project(joined)
