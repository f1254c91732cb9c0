# SPDX-License-Identifier: BSD-2-Clause
"""How a block finds its scale and divides by it: the choices in which implementations differ."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction

import numpy as np

from ..errors import SpecError, check_whole
from ..formats.block import Block
from ..formats.choices import Rounding, _Named
from ..formats.scalar import Book, Fixed, Format
from .projection import check_random
from .search.grid import Grid

GRID = Grid.parse("linear(1,0.21,79)")
"""Of ``scale_rule=mse``, if none is given: GPTQ's."""


class ScaleRule(_Named):
    """Exponent of a power-of-two scale, from the largest magnitude of the block.

    With emax the exponent of the largest power of two among the elements: ``floor`` is
    ``floor(log2 amax) - emax`` (OCP MX 1.0, 6.3), which can saturate elements; ``ceil`` is
    ``ceil(log2 amax) - emax``; ``rceil`` the least e with ``amax <= max * 2**e``, so that nothing
    saturates; ``even`` is ``floor`` after half an ulp of the element is added to amax. Blackwell
    and torchao have ``rceil``, torchao all four.

    Of scales with a mantissa ``floor`` says nothing, and the scale follows from amax by an
    :class:`Order`; or it is the ``mean`` or the ``median`` of the magnitudes over the square root
    of the largest element. Of ternary, binary and uint1 elements that root is 1: BitNet b1.58's
    absmean (arXiv 2402.17764), XNOR-Net's and BiBERT's scale of signs; of seven it is BitNet
    a4.8's for int4 (arXiv 2411.04965). See
    :func:`macaw.golden.arithmetic.block_scales.typical_scales`.

    ``mse`` tries what follows from amax times each factor of a
    :class:`~macaw.golden.arithmetic.search.grid.Grid`, of a group with a zero point from both of
    its ends, and keeps the least squared error: GPTQ's, llm-compressor's and LLM-FP4's searches.
    See :func:`macaw.golden.arithmetic.search.least_squares.least_squares`.
    """

    FLOOR = "floor"
    CEIL = "ceil"
    RCEIL = "rceil"
    EVEN = "even"
    MEAN = "mean"
    MEDIAN = "median"
    MSE = "mse"

    @property
    def typical(self) -> bool:
        """Whether the scale follows from all magnitudes and not from the largest."""
        return self in (ScaleRule.MEAN, ScaleRule.MEDIAN)

    @property
    def by_largest(self) -> bool:
        """Whether the scale follows from the largest magnitude alone."""
        return not (self.typical or self is ScaleRule.MSE)


class Order(_Named):
    """Steps between amax and the elements where scales have a mantissa; each rounds to fp32.

    ``paper``: NVFP4 pretraining, arXiv 2509.25149, appendix B. ``te``: Transformer Engine.
    ``torchao``, ``ct``: torchao and compressed-tensors (vLLM). ``exact``: nothing is rounded but
    the scale and the elements. Their formulas stand in :mod:`macaw.golden.tensors.quantized`.
    """

    PAPER = "paper"
    TE = "te"
    TORCHAO = "torchao"
    CT = "ct"
    EXACT = "exact"


class MinScale(_Named):
    """Least scale, where scales have a mantissa.

    ``none``: zero, and then the elements are zero. ``modelopt``: at least 2**-9. ``torchao``: at
    least 2**-6. ``ct``: 0.125 in the place of zero.
    """

    NONE = "none"
    MODELOPT = "modelopt"
    TORCHAO = "torchao"
    CT = "ct"


def in_fp32(fmt: Format) -> bool:
    """Whether fp32 has every number of ``fmt``."""
    if isinstance(fmt, Fixed):
        return fmt.width <= 24 and fmt.fraction <= 149
    if isinstance(fmt, Book):
        return bool(np.all(np.array(fmt.values, np.float32) == fmt.values))
    return fmt.precision <= 24 and fmt.emax <= 127 and fmt.quantum >= -149


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """The options of quantisation to blocks that hardware shares with the golden model.

    Parameters
    ----------
    rounding : Rounding
        Of the elements. Scales round to nearest even.
    scale_rule : ScaleRule
        Where scales are powers of two the first four; elsewhere ``floor``, ``mean``, ``median``,
        ``mse``.
    grid : Grid, optional
        With ``scale_rule=mse``; default :data:`GRID`.
    order : Order
    min_scale : MinScale
        These two where scales have a mantissa; elsewhere they stay ``paper`` and ``none``.
    te_zero_codes : bool
        With ``order=te``, a block whose scale rounds to zero keeps the elements that Transformer
        Engine gives it, the largest of their sign where they are not zero. They mean zero.
    centred : bool
        With ``scale_rule=mean|median``: elements are of the values less the mean of their block,
        and the scale is of the values as they are. BiBERT's signs of weights (arXiv 2203.06390),
        which are not moved back.
    random_bits : int, optional
        Of the words for stochastic rounding; default 8 for elements of up to 4 bits, else 16.
    """

    rounding: Rounding = Rounding.RNE
    scale_rule: ScaleRule = ScaleRule.FLOOR
    order: Order = Order.PAPER
    min_scale: MinScale = MinScale.NONE
    te_zero_codes: bool = False
    random_bits: int | None = None
    grid: Grid | None = None
    centred: bool = False

    def __post_init__(self) -> None:
        kinds = {"rounding": Rounding, "scale_rule": ScaleRule, "order": Order}
        for name, kind in (kinds | {"min_scale": MinScale}).items():
            object.__setattr__(self, name, kind.parse(getattr(self, name), name))
        if self.grid is not None:
            object.__setattr__(self, "grid", Grid.parse(self.grid))
        if self.scale_rule is ScaleRule.MSE:
            object.__setattr__(self, "grid", self.grid or GRID)
        elif self.grid is not None:
            raise SpecError(f"grid={self.grid}: is for scale_rule=mse, not {self.scale_rule}")
        if self.rounding is Rounding.DYNAMIC:
            raise SpecError("rounding=dynamic: blocks take one fixed direction")
        for name in ("te_zero_codes", "centred"):
            if type(getattr(self, name)) is not bool:
                raise SpecError(f"{name}={getattr(self, name)!s}: must be true or false")
        if self.centred and not self.scale_rule.typical:
            raise SpecError(
                f"centred=true: is for scale_rule=mean or median, not {self.scale_rule}"
            )
        if self.te_zero_codes and self.order is not Order.TE:
            raise SpecError(f"te_zero_codes=true: is for order=te, not order={self.order}")
        if self.random_bits is not None:
            check_whole("random_bits", self.random_bits, 1, 32)

    def check(self, block: Block) -> None:
        """SpecError if an option says nothing about ``block``, or no scale follows from a maximum.

        None does where no element is above zero, and where the steps leave fp32.
        """
        if largest_element(block) == 0:
            raise SpecError(
                f"{block.name}: {block.element.name} has no number above zero, and it is from the "
                "largest that the scale of a block follows"
            )
        if self.scale_rule is ScaleRule.EVEN and isinstance(block.element, Book):
            raise SpecError(f"scale_rule=even: {block.element.name}, a code book, has no ulp")
        if block.power_of_two:
            if not self.scale_rule.by_largest:
                raise SpecError(
                    f"scale_rule={self.scale_rule}: the scales of {block.name} are powers of two; "
                    "choose floor, ceil, rceil or even"
                )
            for item in fields(self):
                value = getattr(self, item.name)
                if item.name in ("order", "min_scale") and value != item.default:
                    raise SpecError(
                        f"{item.name}={value}: the scales of {block.name} are powers of two; "
                        "choose a scale_rule"
                    )
            if self.te_zero_codes:
                raise SpecError(f"te_zero_codes=true: {block.name} has no scale of zero")
            if block.second_scale is not None:
                raise SpecError(f"{block.name}: a second scale is for scales that have a mantissa")
        else:
            if self.scale_rule.by_largest and self.scale_rule is not ScaleRule.FLOOR:
                raise SpecError(
                    f"scale_rule={self.scale_rule}: the scales of {block.name} are not powers of "
                    "two; choose an order"
                )
            for name in ("second_scale", "zero_point") if self.scale_rule.typical else ():
                if getattr(block, name) is not None:
                    raise SpecError(
                        f"scale_rule={self.scale_rule}: {block.name} has a "
                        f"{name.replace('_', ' ')}, which follows from the largest values"
                    )
            for part in (block.element, block.scale, block.float_zero):
                if part is not None and not in_fp32(part):
                    raise SpecError(f"{block.name}: {part.name} has numbers that fp32 has not")
            if block.second_scale is not None and block.element.max * block.scale.max >= 2.0**128:
                raise SpecError(
                    f"{block.name}: an element times its scale exceeds fp32, which leaves nothing "
                    "for a second scale"
                )
            if self.te_zero_codes and block.zero_point is not None:
                raise SpecError(f"te_zero_codes=true: {block.name} has a zero point")
        if self.rounding.stochastic:
            check_random(block.element, self.word_bits(block))

    def word_bits(self, block: Block) -> int:
        """Width in bits of the random words."""
        if self.random_bits is not None:
            return self.random_bits
        return 8 if block.element.width <= 4 else 16


def largest_element(block: Block) -> Fraction:
    """Value of the largest element."""
    element = block.element
    if isinstance(element, Fixed):
        return Fraction(element.max_integer, 1 << element.fraction)
    return Fraction(element.max)


def largest_power(block: Block) -> tuple[int, int]:
    """Return the largest element as ``significand * 2**exponent``, the significand odd."""
    numerator, denominator = largest_element(block).as_integer_ratio()
    odd = numerator // (numerator & -numerator)
    return odd, (numerator // odd).bit_length() - denominator.bit_length()
