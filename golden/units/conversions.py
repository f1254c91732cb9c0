# SPDX-License-Identifier: BSD-2-Clause
"""Units between formats of single numbers and formats of blocks, and the rotation before them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.block_rules import MinScale, Order, Rules, ScaleRule, in_fp32
from ..arithmetic.block_scales import quantize_blocks
from ..arithmetic.butterfly import TE_SIGNS, transform_lanes
from ..arithmetic.exact import Exact, multiply, unpack
from ..arithmetic.factors import less_zero_points, significand_bits
from ..arithmetic.groups.zero_points import quantize_groups
from ..arithmetic.operands import Operand
from ..arithmetic.projection import Split
from ..arithmetic.running.statistics import quantised
from ..arithmetic.sums import add_terms, products
from ..errors import SpecError
from ..formats.block import Block
from ..formats.checks import check_any_format, check_integer
from ..formats.choices import Overflow
from ..formats.scalar import FORMATS, Float, Format
from .naming import counted, named, rounding_words, word
from .specification import UNSET, Ports, Unit
from .specification.counting import Counting

LARGEST_BLOCK = 4096
"""Values that a unit takes side by side."""

SIGNS: dict[str, int] = {
    "none": 0,
    "te": sum(1 << j for j, sign in enumerate(TE_SIGNS) if sign < 0),
}
"""Named sign vectors of :class:`Hadamard`: bit j is set where value j is negated."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Conversion(Unit):
    """Units with a result in each of their lanes, rounded on its own."""

    dynamic: ClassVar[bool] = False

    @property
    def macs(self) -> int:
        return 0

    @property
    def _lanes(self) -> int:
        raise NotImplementedError

    def _control(self) -> dict[str, Operand]:
        return self._random(self._lanes)

    def _results(self) -> dict[str, Operand]:
        return {"r": Operand(format=self._out, lanes=self._lanes)}

    def _block(self, name: str) -> Block:
        """The block format that the parameter ``name`` means; SpecError if it means none."""
        value = getattr(self, name)
        if value is None:
            raise SpecError(f"{self.kind}: parameter {name} is missing")
        fmt = check_any_format(name, value)
        if not isinstance(fmt, Block):
            raise SpecError(f"{name}={fmt.name}: must be a block format, not a scalar one")
        self._set(name, fmt)
        return fmt


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockQuantize(Counting, _Conversion):
    """Quantisation of one block: its scale, and ``r[i]``, the elements, rounded and saturating.

    The bits are those of :func:`macaw.golden.tensors.quantized.quantize`. A NaN or an infinity
    among the values makes the scale a NaN and the elements zero. A format with a zero point has it
    as the result ``zero``. A format with a second scale takes the tensor's encoding and decoding
    scale as the fp32 operands ``encode`` and ``decode``; where one of them is no positive finite
    number, the scale is a NaN and the elements are zero.

    Parameters
    ----------
    a : Float
        Of the values.
    out : Block
    size : int, optional
        Values that share the scale, 1 to 4096; by default the block's along its axis, 32 where
        a whole tensor is one block. The tile of a two-dimensional block has its rows times that.
    scale_rule : ScaleRule
        For scales that are powers of two: ``floor``, ``ceil``, ``rceil``, ``even``.
    order : Order
        For other scales, the steps in fp32: ``paper``, ``te``, ``torchao``, ``ct``, ``exact``.
    min_scale : MinScale
        For other scales: ``none``, ``modelopt``, ``torchao``, ``ct``.
    rounding, random_bits
        Of the elements. ``random`` has a word for each of them; the width is by default 8 for
        elements of up to 4 bits, else 16.
    overflow
        Elements saturate; there is no choice.
    statistics : int
        Bits of counts of elements of a tensor, whose last block has ``end=1``: of overflows,
        saturations and underflows, with the largest magnitude of its values; 0 is none. See
        :mod:`macaw.golden.arithmetic.running.statistics`. Not of formats with a zero point.
    """

    kind: ClassVar[str] = "block-quantize"
    counts: ClassVar[tuple[str, ...]] = ("overflows", "saturations", "underflows")

    random_bits: int = UNSET
    a: Float = UNSET
    out: Block = UNSET
    size: int | None = None
    scale_rule: ScaleRule = ScaleRule.FLOOR
    order: Order = Order.PAPER
    min_scale: MinScale = MinScale.NONE

    def __post_init__(self) -> None:
        block = self._block("out")
        for name, kind in (("scale_rule", ScaleRule), ("order", Order), ("min_scale", MinScale)):
            self._set(name, kind.parse(getattr(self, name), name))
        if not self.scale_rule.by_largest:
            raise SpecError(
                f"scale_rule={self.scale_rule}: {self.kind} has floor, ceil, rceil, even only"
            )
        if self.random_bits is None:
            self._set("random_bits", Rules().word_bits(block))
        Unit.__post_init__(self)
        self._formats(a=None)
        if not isinstance(self.a, Float):
            raise SpecError(f"a={self.a.name}: must be a float format")
        if block.float_zero is not None:
            raise SpecError(
                f"out={block.name}: {self.kind} finds zero points that are integers only; quantize "
                "finds floats"
            )
        if self.overflow not in (None, Overflow.SATURATE):
            raise SpecError(f"overflow={self.overflow}: must be saturate")
        self._set("overflow", Overflow.SATURATE)
        self._check_statistics()
        if self.statistics and block.zero_point is not None:
            raise SpecError(
                f"statistics={self.statistics}: {block.name} has a zero point; must be 0"
            )
        if self.size is None:
            self._set("size", default_size(block))
        check_integer("size", self.size, 1, LARGEST_BLOCK)
        self.rules.check(block)
        if not block.power_of_two and not in_fp32(self.a):
            raise SpecError(f"a={self.a.name}: {block.name} takes numbers that fp32 has")

    @property
    def rules(self) -> Rules:
        """The options in the form that :mod:`macaw.golden.tensors.quantized` takes."""
        return Rules(
            rounding=self.rounding,
            scale_rule=self.scale_rule,
            order=self.order,
            min_scale=self.min_scale,
            random_bits=self.random_bits if self.rounding.stochastic else None,
        )

    @property
    def parameters(self) -> dict[str, str | int | bool]:
        """Those that say something about the format, JSON-able."""
        silent = {"order", "min_scale"} if self.out.power_of_two else {"scale_rule"}
        every = Counting.parameters.fget(self)  # type: ignore[attr-defined]
        return {n: v for n, v in every.items() if n not in silent | {"overflow"}}

    @property
    def _out(self) -> Format:
        return self.out.element

    @property
    def _lanes(self) -> int:
        assert self.size is not None
        return self.size

    @property
    def ports(self) -> Ports:
        inputs = {"a": Operand(format=self.a, lanes=self.size)}
        if self.out.second_scale is not None:
            inputs |= {name: Operand(format=FORMATS["fp32"]) for name in ("encode", "decode")}
        outputs = _Conversion._results(self) | {"scale": Operand(format=self.out.scale)}
        if self.out.zero_point is not None:
            outputs["zero"] = Operand(format=self.out.zero_point)
        return Ports(inputs=inputs | self._control(), outputs=outputs | self._told)

    @property
    def _measured(self) -> Format:
        return self.a

    def _sizes(self, r: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
        return arrays["a"]

    def _compute(self, chunk: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        if self.out.zero_point is not None:
            groups = quantize_groups(
                chunk["a"], self.a, self.out, self.rules, random=chunk.get("random")
            )
            return {"r": groups.elements, "scale": groups.scales, "zero": groups.zeros}
        tensor, wrong = None, None
        if self.out.second_scale is not None:
            encode, decode = chunk["encode"], chunk["decode"]
            wrong = ~(_positive(encode) & _positive(decode))
            one = np.float32(1).view(np.uint32)
            tensor = np.where(wrong, one, encode), np.where(wrong, one, decode)
        codes, random = chunk["a"], chunk.get("random")
        over = np.zeros(codes.shape, bool) if self.statistics else None
        elements, scales = quantize_blocks(
            codes, self.a, self.out, self.rules, tensor=tensor, random=random, over=over
        )
        if wrong is not None:
            elements[wrong] = 0
            scales[wrong] = self.out.scale.nan_code
        found = {"r": elements, "scale": scales}
        if over is not None:
            values, scale = self.a.decode(codes), self.out.scale
            beyond = ~np.isfinite(values)
            if scale.nan_code is not None:
                beyond |= (scales == scale.nan_code)[:, None]
            lost = (values != 0) & (self.out.element.decode(elements) == 0)
            found["marks"] = quantised(beyond, lost, over, scales == scale.max_code)
        return found


def _positive(codes: np.ndarray) -> np.ndarray:
    """Where fp32 codes are positive finite numbers."""
    infinity = np.float32(np.inf).view(np.uint32)
    return (codes != 0) & (codes < infinity)


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockDequantize(_Conversion):
    """Values of a block: ``r[i] = round(a[i] * a_scale)``, each rounded once.

    Of a format with a zero point ``round((a[i] - a_zero) * a_scale)``: ONNX DequantizeLinear.
    Where that is a float it is ``round(a[i] * a_scale - a_zero * a_scale)``, and with a minimum
    ``round(a[i] * a_scale + a_zero)``: sums, with the specials and signs of zero of IEEE 754's
    fusedMultiplyAdd.

    The second scale of a tensor (NVFP4) is not applied: its owner multiplies by it where it costs
    least. A NaN scale makes every result a NaN. OCP MX 1.0, 5.

    Parameters
    ----------
    a : Block
    out : Format
    size : int, optional
        Elements that share the scale, 1 to 4096; by default the block's along its axis, 32 where
        a whole tensor is one block.
    rounding, overflow, random_bits
        As of :class:`Mul`; ``random`` has a word for each element.
    """

    kind: ClassVar[str] = "block-dequantize"

    a: Block = UNSET
    out: Format = UNSET
    size: int | None = None

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        block = self._block("a")
        self._formats(out=None)
        if self.size is None:
            self._set("size", default_size(block))
        check_integer("size", self.size, 1, LARGEST_BLOCK)
        if significand_bits(block.factor) + block.scale.precision > 64:
            raise SpecError(f"a={block.name}: an element times its scale has more than 64 bits")
        zero = block.float_zero
        if zero is not None and zero.precision + block.scale.precision > 64:
            raise SpecError(f"a={block.name}: a zero point times its scale has more than 64 bits")
        self._check_result()

    @property
    def _lanes(self) -> int:
        assert self.size is not None
        return self.size

    @property
    def ports(self) -> Ports:
        inputs = {
            "a": Operand(format=self.a.element, lanes=self.size),
            "a_scale": Operand(format=self.a.scale),
        }
        if self.a.zero_point is not None:
            inputs["a_zero"] = Operand(format=self.a.zero_point)
        return Ports(inputs=inputs | self._control(), outputs=self._results())

    def _exact(self, down: bool | np.ndarray, **codes: np.ndarray) -> Exact | Split:
        scales = np.broadcast_to(codes["a_scale"][:, None], codes["a"].shape)
        scale, zero = unpack(scales, self.a.scale), self.a.float_zero
        if "a_zero" in codes and zero is None:
            factor = less_zero_points(codes["a"], codes["a_zero"][:, None], self.a)
        else:
            factor = unpack(codes["a"], self.a.element)
        behind = None
        if zero is not None:
            behind = unpack(np.broadcast_to(codes["a_zero"][:, None], codes["a"].shape), zero)
            behind = behind if self.a.minimum else multiply(behind.negate(), scale)
        return add_terms(products(factor, scale), behind, self.out, down)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hadamard(_Conversion):
    """Hadamard transform: ``r = round(2**-floor(log2(size) / 2) * H (signs * a))``.

    H has Sylvester's order: its entry (i, j) is -1 to the number of ones in ``i & j``. For sizes
    4, 16, 64 the transform is orthogonal. For 2, 8, 32, 128 it is so but for a factor of the
    square root of 2, which is left to a scale. With signs drawn at random it is the random
    Hadamard transform that spreads outliers over a block before it is quantised.

    Parameters
    ----------
    a, out : Format
        ``out`` defaults to ``a``.
    size : int
        A power of two, 2 to 128.
    signs : int or str
        Bit j negates ``a[j]``. ``none``, and for size 16 ``te``, the fixed signs of NVIDIA's
        Transformer Engine.
    accumulation : str
        ``exact``, or ``aligned(F)``: the values are aligned to the largest exponent among them
        and truncated toward zero to F fraction bits (4 to 48) before the exact sums.
    rounding, overflow, random_bits
        As of :class:`Mul`; ``random`` has a word for each result.
    """

    kind: ClassVar[str] = "hadamard"

    a: Format = UNSET
    out: Format = UNSET
    size: int = 16
    signs: int = 0
    accumulation: str = "exact"

    def __post_init__(self) -> None:
        Unit.__post_init__(self)
        self._formats(a=None, out="a")
        check_integer("size", self.size, 2, 128)
        if self.size.bit_count() != 1:
            raise SpecError(f"size={self.size}: must be a power of two")
        self._set("signs", self._parse_signs())
        self._set("accumulation", str(self.accumulation).lower().replace(" ", ""))
        bits = self.aligned_bits
        if self.accumulation != "exact" and not (bits is not None and 4 <= bits <= 48):
            raise SpecError(
                f"accumulation={self.accumulation}: must be exact or aligned(F), F from 4 to 48"
            )
        self._check_result()

    def _parse_signs(self) -> int:
        value: Any = self.signs
        if isinstance(value, str):
            if value.lower() not in SIGNS:
                names = ", ".join(SIGNS)
                raise SpecError(f"signs={value}: must be one of {names}, or an integer of bits")
            if value.lower() == "te" and self.size != 16:
                raise SpecError(f"signs=te: these are the signs of 16 values, not {self.size}")
            value = SIGNS[value.lower()]
        check_integer("signs", value, 0, (1 << self.size) - 1)
        return value

    @property
    def aligned_bits(self) -> int | None:
        """F of ``aligned(F)``; None if the sums are exact."""
        text = self.accumulation.removeprefix("aligned(").removesuffix(")")
        return int(text) if text.isdecimal() else None

    @property
    def shift(self) -> int:
        """The results are the sums times ``2**-shift``."""
        return (self.size.bit_length() - 1) // 2

    @property
    def _lanes(self) -> int:
        return self.size

    @property
    def ports(self) -> Ports:
        inputs = {"a": Operand(format=self.a, lanes=self.size)}
        return Ports(inputs=inputs | self._control(), outputs=self._results())

    def _exact(self, down: bool | np.ndarray, **codes: np.ndarray) -> Exact | Split:
        x = unpack(codes["a"], self.a)
        signs = np.array([self.signs >> j & 1 for j in range(self.size)], bool)
        x = replace(x, negative=x.negative ^ signs).scaled(-self.shift)
        return transform_lanes(x, self.a, self.aligned_bits, self.out, down)


def default_size(block: Block) -> int:
    """Values along the axis that share a scale; 32 where a whole tensor does."""
    return 32 if block.size is None else block.size


def _quantize_words(spec: BlockQuantize) -> list[str]:
    words = word("k", spec.size, default_size(spec.out))
    words += word("", spec.scale_rule.value, ScaleRule.FLOOR.value)
    words += word("", spec.order.value, Order.PAPER.value)
    words += word("min_", spec.min_scale.value, MinScale.NONE.value)
    return words + rounding_words(spec) + word("stat", spec.statistics, 0)


def _hadamard_words(spec: Hadamard) -> list[str]:
    signs = [f"s{spec.signs:x}"] if spec.signs else []
    return signs + word("aligned", spec.aligned_bits, None) + rounding_words(spec)


named(BlockQuantize, words=_quantize_words, overflow=lambda spec: Overflow.SATURATE)
named(
    BlockDequantize,
    words=lambda spec: word("k", spec.size, default_size(spec.a)) + rounding_words(spec),
)
named(Hadamard, stem=counted("size"), words=_hadamard_words)
