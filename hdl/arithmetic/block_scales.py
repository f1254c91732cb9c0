# SPDX-License-Identifier: BSD-2-Clause
"""Scales that are powers of two: the largest magnitude of a block, and its values by that."""

from collections.abc import Sequence
from dataclasses import replace

from macaw.golden.arithmetic.block_rules import ScaleRule, largest_power
from macaw.golden.formats import Float, Subnormals
from macaw.golden.formats.block import Block

from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .number import Special, unpack
from .rounding import Rounder
from .shift import at_least, leading_zeros, shift_left
from .tree import largest
from .unrounded import from_number, headroom

__all__ = ["PowerOfTwo", "nonfinite"]


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
    """

    def __init__(
        self, p: Scheduler, codes: Sequence[Wire], source: Float, block: Block, rule: ScaleRule
    ):
        self.p = p
        self.source = source
        self.block = block
        self.rule = rule
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
        width += headroom(self.block.element, low, width, bits)
        offset = rounders[0].origin(width, high)
        base = p.name("base", self.code + (offset - first.offset - scale.bias))
        never = p.constant(0, 1)
        results = []
        for code, rounder in zip(codes, rounders, strict=True):
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
            results.append(rounder.project(replace(exact, bound=bound)).code)
        return results
