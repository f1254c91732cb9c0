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
from ..projection import Unrounded
from ..rounding import Rounder
from ..shift import at_least, largest, shift_right
from ..sums import fixed_point, scale_number, sum_products
from ..unrounded import with_headroom
from .aligned import cut_terms
from .terms import Group, Products, point_of

__all__ = ["machine_step"]

_LEAST = -126
"""Exponent of a zero operand."""
_SUM, _ADDEND, _IGNORED, _GROUP = 31, 24, 25, 16
"""As in golden: fraction bits of sum and addend in CDNA3, how far an addend counts in FP8, and the
products that FP4 adds exactly."""

Exponent = tuple[Wire, int]
"""A wire and what is to be added to it."""


def machine_step(
    p: Scheduler, rule: MachineSum, bits: int, terms: Products, addend: Wire, format: Float
) -> Wire:
    """The code of ``addend``, a code in ``format``, plus the products of one step.

    ``bits`` are the fraction bits of an aligned term.
    """
    value = unpack(p, addend, format)
    if rule.scheme is Scheme.BULK:
        return _bulk(p, bits, terms, value, format)
    with p.scope("align"):
        own = _lowest(p, value, point_of(format))
    if rule.scheme in (Scheme.APART, Scheme.HALVES):
        total = _apart(p, bits, terms, value, own, rule.scheme is Scheme.HALVES)
        return _rounder(p, format, Rounding.RNE).project(total).code
    total = _joined(p, rule, bits, terms, value, own, point_of(format))
    kept = format
    if rule.kept and format.name == "fp32":
        kept = scalar_format(f"e8m{rule.kept}")
        assert isinstance(kept, Float)
    # A NaN is not the format's own: the rounder does not see it.
    nan, special = total.special.nan, replace(total.special, nan=p.constant(0, 1))
    rounder = _rounder(p, kept, rule.rounding(format))
    code = rounder.project(replace(total, special=special)).code
    with p.scope("pack"):
        body, sign = code[:-1], code[-1]
        code = cat(p.constant(0, format.width - kept.width), body, sign & body.any())
        return p.mux(nan, p.constant((1 << (format.width - 1)) - 1, format.width), code)


def _rounder(p: Scheduler, format: Float, rounding: Rounding) -> Rounder:
    return Rounder(p, format, rounding, Overflow.NONFINITE)


def _lowest(p: Scheduler, number: Number, point: int) -> Exponent:
    """The exponent of a number's fields, of a zero :data:`_LEAST`."""
    least = _LEAST - number.offset - point
    exponent = number.exponent
    if number.zero.constant == 0 or (number.exponent.low == least and number.exponent.low == 1):
        # The least exponent of the format, which a zero has anyway.
        return exponent, number.offset + point
    exponent = exponent - least
    return (exponent.bits(len(exponent)) & ~number.zero).within(0, exponent.high), _LEAST


def _added(p: Scheduler, numbers: Sequence[Number], points: Sequence[int]) -> Exponent:
    """The exponent of the product of some numbers."""
    each = [_lowest(p, number, point) for number, point in zip(numbers, points, strict=True)]
    total, offset = each[0]
    for exponent, more in each[1:]:
        total, offset = total + exponent, offset + more
    return total, offset


def _level(exponents: Sequence[Exponent]) -> tuple[list[Wire], int]:
    """Exponents above the same offset, and that."""
    lowest = min(offset + exponent.low for exponent, offset in exponents)
    return [exponent + (offset - lowest) for exponent, offset in exponents], lowest


def _products(p: Scheduler, terms: Products) -> list[Exponent]:
    """The exponents of the products, scales included."""
    found = []
    for group in terms.groups:
        scale = _added(p, group.scales, terms.points[2:]) if group.scales else None
        for pair in group.factors:
            exponent, offset = _added(p, pair, terms.points[:2])
            if scale is not None:
                exponent, offset = exponent + scale[0], offset + scale[1]
            found.append((exponent, offset))
    return found


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
        numbers, exponents, points = _groups(p, terms)
    else:
        numbers, point = terms.scaled, terms.point
        if terms.groups[0].scale is not None:
            point += terms.scale_point
        points = [point] * len(numbers)
        with p.scope("align"):
            exponents = _products(p, terms)
    numbers, points = [*numbers, addend], [*points, addend_point]
    with p.scope("align"):
        level, offset = _level([*exponents, own])
        top = p.name("largest", largest(p, level))
        # The addend's exponent is not below that of the least normal number.
        top = top.within(max(top.low, level[-1].low), top.high)
        pairs = list(zip(numbers, points, strict=True))
        words = cut_terms(p, pairs, level, top, bits)
    special = combine_special(p, [number.special for number in numbers])
    word = _total(p, words, numbers)
    format = scalar_format("fp32") if addend_point == 23 else scalar_format("fp16")
    assert isinstance(format, Float)
    return _unrounded(p, word, top, offset - bits, special, format)


def _groups(p: Scheduler, terms: Products) -> tuple[list[Number], list[Exponent], list[int]]:
    """Exact sums of 16 products times their scale; the exponents are those of the scales."""
    numbers, exponents, points = [], [], []
    for group in terms.groups:
        assert group.scale is not None
        with p.scope("align"):
            exponent = _added(p, group.scales, terms.points[2:])
        for start in range(0, len(group.products), _GROUP):
            part: Group = group.part(start, _GROUP)
            total = fixed_point(p, part.products)
            with p.scope("scale"):
                number = scale_number(p, total, group.scale)
            numbers.append(replace(number, special=group.scale.special))
            exponents.append(exponent)
            points.append(terms.scale_point - total.offset)
    return numbers, exponents, points


def _apart(
    p: Scheduler, bits: int, terms: Products, addend: Number, own: Exponent, halves: bool
) -> Unrounded:
    """CDNA3: the sum of the products, and the addend, rounded down where they meet."""
    numbers = terms.all
    special = _beyond(p, numbers, combine_special(p, [x.special for x in [*numbers, addend]]))
    with p.scope("align"):
        level, offset = _level([*_products(p, terms), own])
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


def _beyond(p: Scheduler, numbers: Sequence[Number], special: Special) -> Special:
    """Finite products of ``2**128`` or more are infinite, where nothing else is special."""
    up = under = p.constant(0, 1)
    with p.scope("specials"):
        for number in numbers:
            size = len(number.significand)
            exponent = number.exponent + (number.offset + size)
            if exponent.high <= 128:
                continue
            # Of a normal product the leading one is in one of the two top places.
            huge = at_least(p, exponent, 130) | (
                at_least(p, exponent, 129) & number.significand[-1]
            )
            huge = huge & ~number.zero
            up, under = up | (huge & ~number.sign), under | (huge & number.sign)
        there = special.nan | special.infinite
        return Special(
            nan=special.nan | (~there & up & under),
            infinite=special.infinite | (~there & (up ^ under)),
            negative=p.mux(there, special.negative, under),
            invalid=special.invalid,
        )


def _bulk(p: Scheduler, bits: int, terms: Products, addend: Number, format: Float) -> Wire:
    """RISC-V: products rounded to odd, their sum rounded to odd, and its sum with the addend."""
    numbers = terms.all
    rounder = _rounder(p, format, Rounding.ROD)
    with p.scope("align"):
        level, offset = _level([(x.exponent, x.offset + terms.point) for x in numbers])
        level = [
            (exponent.bits(len(exponent)) & ~x.zero).within(0, exponent.high)
            for exponent, x in zip(level, numbers, strict=True)
        ]
        top = p.name("largest", largest(p, level))
        pairs = [(number, terms.point) for number in numbers]
        words = cut_terms(p, pairs, level, top, bits, odd=True)
    special = combine_special(p, [number.special for number in numbers])
    total = _unrounded(p, _total(p, words, numbers), top, offset - bits, special, format)
    code = rounder.project(total).code
    with p.scope("accumulate"):
        joined = sum_products(p, [unpack(p, code, format)], addend, rounder, terms.widest)
        return rounder.project(joined).code
