# SPDX-License-Identifier: BSD-2-Clause
"""Scales with a mantissa: the steps through fp32, each an exact operation and one rounding."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from macaw.golden.arithmetic.block_rules import MinScale, Order, Rules, largest_power
from macaw.golden.formats import FORMATS, Float
from macaw.golden.formats.block import Block
from macaw.golden.formats.choices import Overflow, Rounding

from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .divide import constant, normalised, quotient
from .number import Number, multiply, unpack
from .projection import Unrounded
from .rounding import Rounder
from .shift import at_least
from .tree import largest
from .unrounded import from_number

__all__ = ["ThroughFp32"]

FP32 = FORMATS["fp32"]
assert isinstance(FP32, Float)
LEAST = {MinScale.MODELOPT: 2.0**-9, MinScale.TORCHAO: 2.0**-6, MinScale.CT: 0.125}


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
        self.encode = self.decode = None
        if tensor is not None:
            self.encode, self.decode = (unpack(p, code, FP32) for code in tensor)
        magnitudes = [code[: source.exponent + source.mantissa] for code in codes]
        amax = cat(largest(p, magnitudes), p.constant(0, int(source.signed)))
        to_scale = Rounder(p, block.scale, Rounding.RNE, Overflow.SATURATE)
        wanted = self._wanted(unpack(p, amax, source), to_scale)
        code = to_scale.project(wanted).code.bits(block.scale.width)
        self.code = p.name("scale", self._at_least(code, rules.min_scale))
        self.scale = unpack(p, self.code, block.scale)
        self.empty = self.scale.zero

    # Operations: exact, then rounded to fp32.

    def _rounder(self, overflow: Overflow | None = None) -> Rounder:
        return Rounder(self.p, FP32, Rounding.RNE, overflow)

    def _fp32(self, exact: Unrounded, rounder: Rounder) -> Number:
        code = rounder.project(exact).code
        return unpack(self.p, code, FP32)

    def _times(self, a: Number, b: Number) -> Number:
        rounder = self._rounder()
        return self._fp32(from_number(self.p, multiply(self.p, a, b), rounder), rounder)

    def _over(self, a: Number, b: Number, overflow: Overflow | None = None) -> Number:
        p, rounder = self.p, self._rounder(overflow)
        exact = quotient(p, normalised(p, a), normalised(p, b), rounder)
        return self._fp32(exact, rounder)

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
            factor = inverse if encode is None else self._times(encode, inverse)
            wanted = self._times(amax, factor)
        else:
            wanted = self._over(amax, top)
            if self.order is Order.TORCHAO and decode is not None:
                wanted = self._over(wanted, decode)
            elif encode is not None:
                wanted = self._times(wanted, encode)
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
        p, encode, decode, scale = self.p, self.encode, self.decode, self.scale
        values = [unpack(p, code, self.source) for code in codes]
        one = self._constant(1.0)
        results: list[Unrounded] = []
        match self.order:
            case Order.EXACT:
                divisor = normalised(p, scale if decode is None else multiply(p, scale, decode))
                results = [
                    quotient(p, normalised(p, value), divisor, rounder)
                    for value, rounder in zip(values, rounders, strict=True)
                ]
            case Order.CT:
                step = scale if encode is None else self._over(scale, encode)
                for value, rounder in zip(values, rounders, strict=True):
                    both = value.zero & step.zero
                    number = self._over(value, step)
                    results.append(from_number(p, self._zeroed(number, both), rounder))
            case _:
                if self.order is Order.TORCHAO:
                    factor = self._over(encode or one, scale, Overflow.SATURATE)
                else:
                    product = scale if decode is None else self._times(scale, decode)
                    factor = self._over(one, product, Overflow.SATURATE)
                for value, rounder in zip(values, rounders, strict=True):
                    results.append(from_number(p, self._times(value, factor), rounder))
        return [
            rounder.project(exact).code.bits(self.block.element.width)
            for rounder, exact in zip(rounders, results, strict=True)
        ]

    def _zeroed(self, number: Number, zero: Wire) -> Number:
        """0 / 0, where the step underflows, counts as +0."""
        significand = number.significand & ~zero
        special = replace(number.special, nan=number.special.nan & ~zero)
        return replace(
            number,
            sign=number.sign & ~zero,
            zero=number.zero | zero,
            significand=significand,
            special=special,
        )
