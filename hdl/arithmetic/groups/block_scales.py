# SPDX-License-Identifier: BSD-2-Clause
"""Scales of blocks, powers of two and others, and the values of a block divided by its scale.

A :class:`PowerOfTwo` comes from the largest magnitude, and takes no division. Scales with a
mantissa go :class:`ThroughFp32`: each step is an exact operation and one rounding.
"""

import functools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from macaw.golden.arithmetic.block_rules import MinScale, Order, Rules, ScaleRule, largest_power
from macaw.golden.formats import FORMATS, Float, Subnormals
from macaw.golden.formats.block import Block
from macaw.golden.formats.choices import Overflow, Rounding

from ...schedule.scheduler import Scheduler
from ...schedule.wire import Wire, cat
from ..divide import constant, normalised, quotient
from ..number import Number, Special, multiply, unpack
from ..projection import Unrounded
from ..rounding import Rounder
from ..shift import at_least, largest, leading_zeros, shift_left
from ..unrounded import from_number, headroom

__all__ = ["PowerOfTwo", "ThroughFp32", "nonfinite"]

FP32 = FORMATS["fp32"]
assert isinstance(FP32, Float)
LEAST = {MinScale.MODELOPT: 2.0**-9, MinScale.TORCHAO: 2.0**-6, MinScale.CT: 0.125}


def nonfinite(p: Scheduler, codes: Sequence[Wire], format: Float) -> Wire:
    """1 if one of the codes is a NaN or an infinity."""
    special = [unpack(p, code, format).special for code in codes]
    return cat(*(s.nan | s.infinite for s in special)).any()


class PowerOfTwo:
    """The scale of a block by one of the rules for powers of two, and values divided by it.

    Attributes
    ----------
    code : Wire
        Of the scale, where the block has neither only zeros nor a NaN or an infinity.
    empty : Wire
        1 if all values are zero.
    over : list of Wire
        Whether the elements of :meth:`project` saturate, if its rounders have flags.
    """

    def __init__(
        self, p: Scheduler, codes: Sequence[Wire], source: Float, block: Block, rule: ScaleRule
    ):
        self.p = p
        self.source = source
        self.block = block
        self.rule = rule
        self.over: list[Wire] = []
        magnitudes = [code[: source.mantissa + source.exponent] for code in codes]
        if not block.scale.has_nan and source.has_nan:
            magnitudes = [
                word & ~nonfinite(p, [code], source)
                for word, code in zip(magnitudes, codes, strict=True)
            ]
        fields = [word[source.mantissa :] for word in magnitudes]
        fractions = [word[: source.mantissa] for word in magnitudes]
        some = self._nonzero(magnitudes, fields)
        self.empty = ~some
        if not self._subnormals_matter:
            exponent, up = self._by_field(fields, fractions)
        elif rule is ScaleRule.FLOOR:
            together = [cat(*(word[i] for word in fractions)).any() for i in range(source.mantissa)]
            exponent, up = self._normalised(cat(*together), largest(p, fields))
        else:
            amax = largest(p, magnitudes)
            exponent, up = self._normalised(amax[: source.mantissa], amax[source.mantissa :])
        # Infinities and NaNs lie above; their blocks have another scale.
        exponent = exponent.within(exponent.low, source.max_code >> source.mantissa)
        scale = block.scale
        code = p.add(exponent, scale.bias - block.element_emax - source.bias, up)
        lowest = int(scale.zero)
        self.bounded = code.high <= scale.max_code
        if not self.bounded:
            code = p.mux(code > scale.max_code, scale.max_code, code)
        if code.low < lowest:
            code = p.mux(code.negative if lowest == 0 else code < lowest, lowest, code)
        self.code = p.name("scale", code.within(lowest, scale.max_code))

    @property
    def _subnormals_matter(self) -> bool:
        """Whether a block of subnormal numbers may have a scale that is not the least one."""
        source, scale = self.source, self.block.scale
        if source.subnormals is not Subnormals.GRADUAL or source.mantissa == 0:
            return False
        exponent = source.emin - 1 + (self.rule is not ScaleRule.FLOOR) - self.block.element_emax
        return exponent > int(scale.zero) - scale.bias

    def _nonzero(self, magnitudes: Sequence[Wire], fields: Sequence[Wire]) -> Wire:
        if not self.source.zero:
            return self.p.constant(1, 1)
        if self.source.subnormals is Subnormals.FLUSH:
            return cat(*fields).any()
        return cat(*magnitudes).any()

    def _by_field(self, fields: Sequence[Wire], fractions: Sequence[Wire]) -> tuple[Wire, Wire]:
        """(largest exponent field, the rule adds one), where fields tell it all."""
        p = self.p
        if self.rule is ScaleRule.FLOOR:
            return largest(p, fields), p.constant(0, 1)
        marked = [
            cat(self._rounds_up(fraction), field)
            for field, fraction in zip(fields, fractions, strict=True)
        ]
        both = largest(p, marked)
        return both[1:], both[0]

    def _normalised(self, fraction: Wire, field: Wire) -> tuple[Wire, Wire]:
        """(exponent as that of a normal number, the rule adds one) of one number."""
        p = self.p
        normal = field.any()
        significand = cat(fraction, normal)
        zeros = leading_zeros(p, significand)
        moved, _ = shift_left(p, significand, zeros, len(significand))
        least = cat(field[0] | ~normal, field[1:])
        return least - zeros, self._rounds_up(moved[:-1])

    def _rounds_up(self, fraction: Wire) -> Wire:
        """Whether the rule takes the next power of two after that below ``1.fraction``."""
        span, element = 1 << self.source.mantissa, self.block.element
        match self.rule:
            case ScaleRule.CEIL:
                return at_least(self.p, fraction, 1)
            case ScaleRule.RCEIL:
                odd, _ = largest_power(self.block)
                one = 1 << (odd.bit_length() - 1)
                return at_least(self.p, fraction, (odd - one) * span // one + 1)
            case ScaleRule.EVEN:
                below = element.mantissa if isinstance(element, Float) else element.width - 2
                parts = 1 << (max(below, 0) + 1)
                return at_least(self.p, fraction, -(-(parts - 1) * span // parts))
        return self.p.constant(0, 1)

    def project(self, codes: Sequence[Wire], rounders: Sequence[Rounder]) -> list[Wire]:
        """The elements: the values divided by the scale, rounded."""
        p, scale, source = self.p, self.block.scale, self.source
        first = unpack(p, codes[0], source)
        least, most = int(scale.zero) - scale.bias, scale.max_code - scale.bias
        # Exponents of a quotient's last bit, by the place of the leading one.
        tops = {index: top - least for index, top in first.lowest}
        bound = None
        if self.bounded:
            bound = self.block.element_emax + 1
            # No quotient is above the binade of the largest element.
            tops = {i: min(top, self.block.element_emax - i) for i, top in tops.items()}
        low, high = first.quantum - most, max(tops.values())
        bits = rounders[0].fraction_bits
        width = len(first.significand)
        width += headroom(rounders[0].format, low, width, bits)
        offset = rounders[0].origin(width, high)
        base = p.name("base", self.code + (offset - first.offset - scale.bias))
        never = p.constant(0, 1)
        results = []
        for lane, (code, rounder) in enumerate(zip(codes, rounders, strict=True)):
            with p.scope(f"lane{lane}"):
                number = unpack(p, code, source)
                special = Special(nan=never, infinite=never, negative=never, invalid=never)
                if not scale.has_nan:
                    special = number.special
                quotient = replace(
                    number,
                    exponent=(number.exponent - base).within(low - offset, high - offset),
                    offset=offset,
                    lowest=tuple(tops.items()),
                    special=special,
                )
                exact = from_number(p, quotient, rounder)
                found = rounder.project(replace(exact, bound=bound))
                results.append(found.code)
                self.over.append(found.wrong)
        return results


class ThroughFp32:
    """The scale of a block by one of the orders, and values divided by it.

    Parameters
    ----------
    codes : sequence of Wire
        Of the values.
    tensor : pair of Wire, optional
        fp32 codes of the tensor's encoding and decoding scale.

    Attributes
    ----------
    code : Wire
        Of the scale, where no value is a NaN or an infinity.
    empty : Wire
        1 if the scale is zero, and so all elements.
    over : list of Wire
        Whether the elements of :meth:`project` saturate, if its rounders have flags.
    """

    def __init__(
        self,
        p: Scheduler,
        codes: Sequence[Wire],
        source: Float,
        block: Block,
        rules: Rules,
        tensor: tuple[Wire, Wire] | None,
    ):
        self.p = p
        self.source = source
        self.block = block
        self.order = rules.order
        self.over: list[Wire] = []
        self.encode = self.decode = None
        if tensor is not None:
            self.encode, self.decode = (unpack(p, code, FP32) for code in tensor)
        amax = self._extent(codes)
        to_scale = Rounder(p, block.scale, Rounding.RNE, Overflow.SATURATE)
        wanted = self._wanted(amax, to_scale)
        code = to_scale.project(wanted).code.bits(block.scale.width)
        self.code = p.name("scale", self._at_least(code, rules.min_scale))
        self.scale = unpack(p, self.code, block.scale)
        self.empty = self.scale.zero

    def _extent(self, codes: Sequence[Wire]) -> Number:
        """What the largest element is for: the largest magnitude."""
        return self.greatest([code[: self._bits] for code in codes])

    @property
    def _bits(self) -> int:
        """Of a magnitude."""
        return self.source.exponent + self.source.mantissa

    def greatest(self, magnitudes: Sequence[Wire]) -> Number:
        """The largest of the codes of magnitudes."""
        p, source = self.p, self.source
        amax = p.name("amax", largest(p, magnitudes))
        return unpack(p, cat(amax, p.constant(0, int(source.signed))), source)

    # Operations: exact, then rounded to fp32. Their results are named: proofs go from one to the
    # next (macaw.sim.formal.chain).

    def _rounder(self, overflow: Overflow | None = None) -> Rounder:
        return Rounder(self.p, FP32, Rounding.RNE, overflow)

    def _fp32(self, exact: Unrounded, rounder: Rounder, name: str) -> Number:
        p, code = self.p, rounder.project(exact).code
        magnitude, sign = p.name(name, code[:31]), p.name(f"{name}_sign", code[31])
        return unpack(p, cat(magnitude, sign), FP32)

    def _times(self, a: Number, b: Number, name: str) -> Number:
        rounder = self._rounder()
        return self._fp32(from_number(self.p, multiply(self.p, a, b), rounder), rounder, name)

    def _over(self, a: Number, b: Number, name: str, overflow: Overflow | None = None) -> Number:
        p, rounder = self.p, self._rounder(overflow)
        exact = quotient(p, normalised(p, a), normalised(p, b), rounder)
        return self._fp32(exact, rounder, name)

    def _constant(self, value: float) -> Number:
        numerator, denominator = float(value).as_integer_ratio()
        twos = (numerator & -numerator).bit_length() - 1
        return constant(self.p, numerator >> twos, twos + 1 - denominator.bit_length())

    # The steps.

    def _wanted(self, amax: Number, rounder: Rounder) -> Unrounded:
        """The block's scale before it is rounded to its format."""
        p = self.p
        odd, exponent = largest_power(self.block)
        top = constant(p, odd, exponent)
        encode, decode = self.encode, self.decode
        if self.order is Order.EXACT:
            product = amax if encode is None else multiply(p, amax, encode)
            return quotient(p, normalised(p, product), top, rounder)
        if self.order is Order.TE:
            inverse = self._constant(float(np.float32(1) / np.float32(self.block.element.max)))
            factor = inverse if encode is None else self._times(encode, inverse, "share")
            wanted = self._times(amax, factor, "wanted")
        else:
            wanted = self._over(amax, top, "share")
            if self.order is Order.TORCHAO and decode is not None:
                wanted = self._over(wanted, decode, "wanted")
            elif encode is not None:
                wanted = self._times(wanted, encode, "wanted")
        return from_number(p, wanted, rounder)

    def _at_least(self, code: Wire, least: MinScale) -> Wire:
        """The scale's code, raised to the least one. Codes of positive numbers keep order."""
        p = self.p
        if least is MinScale.NONE:
            return code
        scale = self.block.scale
        value = np.float32(LEAST[least])
        floor = int(scale.encode(value, overflow=Overflow.SATURATE))
        low = ~code.any() if least is MinScale.CT else ~at_least(p, code, floor)
        return p.mux(low, p.constant(floor, scale.width), code).bits(scale.width)

    def project(self, codes: Sequence[Wire], rounders: Sequence[Rounder]) -> list[Wire]:
        """The elements: the values divided by the scales, rounded."""
        p = self.p
        values = [unpack(p, code, self.source) for code in codes]
        results = self.quotients(values, rounders)
        elements = []
        for lane, (rounder, exact) in enumerate(zip(rounders, results, strict=True)):
            with p.scope(f"lane{lane}"):
                found = rounder.project(exact)
                elements.append(found.code.bits(self.block.element.width))
                self.over.append(found.wrong)
        return elements

    def quotients(self, values: Sequence[Number], rounders: Sequence[Rounder]) -> list[Unrounded]:
        """The values divided by the scales, to be rounded."""
        p, by = self.p, self._divisor
        results = []
        for lane, (value, rounder) in enumerate(zip(values, rounders, strict=True)):
            with p.scope(f"lane{lane}"):
                match self.order:
                    case Order.EXACT:
                        results.append(quotient(p, normalised(p, value), by, rounder))
                    case Order.CT:
                        # 0 / 0 is only where the scale is zero: there no element is looked at.
                        results.append(from_number(p, self._over(value, by, "ratio"), rounder))
                    case _:
                        results.append(from_number(p, self._times(value, by, "ratio"), rounder))
        return results

    @functools.cached_property
    def _divisor(self) -> Number:
        """What values are divided by; of the orders that multiply, its reciprocal."""
        p, encode, decode, scale = self.p, self.encode, self.decode, self.scale
        one = self._constant(1.0)
        match self.order:
            case Order.EXACT:
                return normalised(p, scale if decode is None else multiply(p, scale, decode))
            case Order.CT:
                return scale if encode is None else self._over(scale, encode, "factor")
            case Order.TORCHAO:
                return self._over(encode or one, scale, "reciprocal", Overflow.SATURATE)
        product = scale if decode is None else self._times(scale, decode, "factor")
        return self._over(one, product, "reciprocal", Overflow.SATURATE)
