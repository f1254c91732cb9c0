# SPDX-License-Identifier: BSD-2-Clause
"""Arrays to block formats and back: where the blocks lie, and what the tensor shares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arithmetic.block_rules import MinScale, Order, Rules, ScaleRule, in_fp32
from ..arithmetic.block_scales import (
    FP32,
    LARGEST,
    PIECE,
    largest_magnitudes,
    magnitudes,
    pieces,
    quantize_blocks,
)
from ..arithmetic.codec import as_codes
from ..arithmetic.exact import unpack
from ..arithmetic.groups.zero_points import quantize_groups
from ..arithmetic.operands import check_codes
from ..arithmetic.projection import random_words
from ..arrays import numbers, positive
from ..errors import CodeError, SpecError
from ..formats.block import Block, check_shape, expand_scales, row_axis
from ..formats.choices import Overflow
from ..formats.scalar import Float, Format

__all__ = ["MinScale", "Order", "Quantized", "Rules", "ScaleRule", "quantize", "quantize_blocks"]

_ONE = np.float32(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Quantized:
    """An array in a block format, as codes of the smallest unsigned dtypes.

    Attributes
    ----------
    format : Block
    elements : ndarray
        In the shape of the values.
    scales : ndarray
        In that shape, but one for each block along ``axis`` (and tile); shape () for one a tensor.
    second_scale : ndarray or None
        Of shape (): a value is ``element * scale * second_scale``.
    zeros : ndarray or None
        Zero points, in the shape of the scales: a value is ``(element - zero) * scale``, or with
        a minimum ``element * scale + zero``.
    axis : int
        Along which the blocks lie.
    """

    format: Block
    elements: np.ndarray
    scales: np.ndarray
    second_scale: np.ndarray | None = None
    zeros: np.ndarray | None = None
    axis: int = -1

    def __post_init__(self) -> None:
        for name, fmt in (("elements", self.format.element), ("scales", self.format.scale)):
            object.__setattr__(self, name, check_codes(name, getattr(self, name), fmt))
        zero = self.format.zero_point
        if (zero is None) is not (self.zeros is None):
            wanted = "no zero points" if zero is None else "zero points"
            raise CodeError(f"zeros: {self.format.name} has {wanted}")
        if zero is not None:
            object.__setattr__(self, "zeros", check_codes("zeros", self.zeros, zero))
        shape = check_shape(self.format, self.elements.shape, self.axis)
        for name, array in (("scales", self.scales), ("zeros", self.zeros)):
            if array is not None and array.shape != shape:
                raise CodeError(
                    f"{name}: shape {array.shape}: {self.format.name} elements of shape "
                    f"{self.elements.shape} have {name} of shape {shape}"
                )
        second = self.format.second_scale
        if (second is None) is not (self.second_scale is None):
            wanted = "no second scale" if second is None else "a second scale"
            raise CodeError(f"second_scale: {self.format.name} has {wanted}")
        if second is not None:
            code = check_codes("second_scale", self.second_scale, second)
            if code.shape:
                raise CodeError(f"second_scale: shape {code.shape}: one for the tensor, shape ()")
            object.__setattr__(self, "second_scale", code)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return self.elements.shape

    def dequantize(self) -> np.ndarray:
        """Return the values as float64, NaN in blocks of NaN scale.

        Exact where an element times its scale times the second scale has 53 bits or fewer and
        lies in the range of float64, as in every registered format.
        """
        fmt = self.format
        factors = fmt.scale.decode(self.scales)
        if fmt.second_scale is not None:
            factors = factors * fmt.second_scale.decode(self.second_scale)
        values = fmt.element.decode(self.elements)
        if not values.size:
            return values
        if fmt.zero_point is not None and self.zeros is not None:
            zeros = fmt.zero_point.decode(self.zeros)
            if fmt.float_zero is not None:
                return self._with_term(values, factors, zeros)
            values -= expand_scales(fmt, zeros, self.shape, self.axis)
        if fmt.size is None:
            return values * factors
        axis = self.axis % values.ndim
        if fmt.tile > 1 or self.shape[axis] % fmt.size:
            return values * expand_scales(fmt, factors, self.shape, axis)
        split = (*self.shape[:axis], -1, fmt.size, *self.shape[axis + 1 :])
        blocks = values.reshape(split)
        blocks *= np.expand_dims(factors, axis + 1)
        return values

    def _with_term(self, values: np.ndarray, scales: np.ndarray, zeros: np.ndarray) -> np.ndarray:
        """Return elements times scales, and the terms of zero points that are floats."""
        fmt = self.format
        with np.errstate(all="ignore"):
            terms = zeros if fmt.minimum else -zeros * scales
            scales, terms = (
                expand_scales(fmt, each, self.shape, self.axis) for each in (scales, terms)
            )
            return values * scales + terms


def quantize(
    block: Block,
    values: Any,
    *,
    axis: int = -1,
    rounding: Any = "rne",
    scale_rule: Any = "floor",
    grid: Any = None,
    centred: bool = False,
    order: Any = "paper",
    min_scale: Any = "none",
    te_zero_codes: bool = False,
    nonfinite: str | None = None,
    random: Any = None,
    random_bits: int | None = None,
    second_scale: Any = None,
) -> Quantized:
    """Quantise ``values`` to ``block``.

    Parameters
    ----------
    values : array_like
        float64, float32, float16, integers or an ml_dtypes array; each element is taken as the
        exact number that it is where scales are powers of two. For other scales it is rounded to
        fp32 first, to nearest even: all implementations start there.
    axis : int
        Along which the blocks lie. The last one is filled up with zeros. A tile extends over the
        last of the other axes too, and a whole-tensor block over all of them.
    rounding, scale_rule, grid, centred, order, min_scale, te_zero_codes, random_bits
        See :class:`~macaw.golden.arithmetic.block_rules.Rules`.
    nonfinite : {"nan", "error"}, optional
        ``nan``: a block with a NaN or an infinity has a NaN scale and elements 0, and the second
        scale is that of the finite values. ``error``: CodeError. By default ``error`` for formats
        with a second scale, else ``nan``.
    random : array_like of unsigned int, optional
        With stochastic rounding only: one word for each element of ``values``.
    second_scale : float, optional
        Of the tensor, if it was chosen before; the format's RNE of it is taken.

    Raises
    ------
    CodeError for arrays of the wrong dtype or shape, FormatError for an axis that is not there,
    SpecError for an option.
    """
    if not isinstance(block, Block):
        raise SpecError(f"block={block!s}: must be a block format, as format('mxfp4') makes it")
    rules = Rules(
        rounding=rounding,
        scale_rule=scale_rule,
        grid=grid,
        centred=centred,
        order=order,
        min_scale=min_scale,
        te_zero_codes=te_zero_codes,
        random_bits=random_bits,
    )
    rules.check(block)
    array = numbers("values", values)
    codes, source = as_codes("values", array)
    if not (block.power_of_two and (isinstance(source, Float) or not in_fp32(source))):
        with np.errstate(all="ignore"):
            codes, source = array.astype(np.float32).view(np.uint32), FP32
    shape = check_shape(block, codes.shape, axis)
    if rules.scale_rule.typical:
        _check_whole(block, codes.shape, axis, rules)
    words = _words(random, rules, block, codes.shape)
    if nonfinite is None:
        nonfinite = "nan" if block.second_scale is None else "error"
    if not isinstance(nonfinite, str) or nonfinite not in ("nan", "error"):
        raise SpecError(f"nonfinite={nonfinite!s}: must be nan or error")

    finite = _largest_finite(codes, source, nonfinite == "error", block.second_scale is not None)
    second = tensor = None
    if block.second_scale is not None:
        second, tensor = _second_scale(block, rules, finite, second_scale)
    elif second_scale is not None:
        raise SpecError(f"second_scale={second_scale}: {block.name} has none")
    blocks = _blocks(codes, block, axis)
    arranged = None if words is None else _blocks(words, block, axis)
    zero_codes = None
    if block.zero_point is not None:
        groups = quantize_groups(blocks, source, block, rules, random=arranged)
        element_codes, scale_codes, zero_codes = groups.elements, groups.scales, groups.zeros
    else:
        element_codes, scale_codes = quantize_blocks(
            blocks, source, block, rules, tensor=tensor, random=arranged
        )

    def one_a_block(each: np.ndarray) -> np.ndarray:
        return _scale_array(each, block, codes.shape, axis).reshape(shape)

    return Quantized(
        format=block,
        elements=_unblock(element_codes, block, codes.shape, axis),
        scales=one_a_block(scale_codes),
        second_scale=second,
        zeros=None if zero_codes is None else one_a_block(zero_codes),
        axis=axis,
    )


def _largest_finite(codes: np.ndarray, source: Format, refuse: bool, wanted: bool) -> np.float32:
    """Return the largest finite magnitude of fp32 codes; CodeError if others are refused."""
    largest = np.float32(0)
    if not (refuse or wanted):
        return largest
    flat = codes.reshape(-1)
    for piece in pieces(flat.size, PIECE):
        part = flat[piece][None]
        amax, special = largest_magnitudes(part, source)
        if special.any():
            exact = unpack(part[0], source)
            assert exact.kind is not None
            odd = (exact.kind != 0).nonzero()[0]
            if refuse:
                raise CodeError(
                    f"values: element {piece.start + odd[0]} is a NaN or an infinity (or beyond "
                    'fp32); nonfinite="nan" marks its block'
                )
            amax = magnitudes(part[0][exact.kind == 0], source).max(initial=0)[None]
        if wanted:
            largest = max(largest, amax.astype(np.uint32).view(np.float32)[0])
    return largest


def _second_scale(
    block: Block, rules: Rules, amax: np.float32, given: Any
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return the code of the second scale, and the tensor's encoding and decoding scale."""
    second = block.second_scale
    assert second is not None
    largest = np.float32(block.element.max * block.scale.max)
    with np.errstate(all="ignore"):
        if given is not None:
            decode = np.float32(positive("second_scale", given))
            if not 0 < decode < np.inf:
                raise SpecError(f"second_scale={given}: must be a positive fp32 number")
            encode = min(_ONE / decode, LARGEST)
        elif amax == 0:
            encode = decode = _ONE
        elif rules.order is Order.TORCHAO:
            decode = amax / largest or _ONE
            encode = min(_ONE / decode, LARGEST)
        else:
            encode = min(largest / amax, LARGEST)
            decode = _ONE / encode
        code = second.encode(decode, overflow=Overflow.SATURATE)
        stored = np.float32(second.decode(code))
        if stored == 0:
            code = np.asarray(second.min_code, second.code_dtype)
            stored = np.float32(second.decode(code))
        if stored != decode:
            decode, encode = stored, min(_ONE / stored, LARGEST)
    return code, (
        np.asarray(encode, np.float32).view(np.uint32),
        np.asarray(decode, np.float32).view(np.uint32),
    )


# ---------------------------------------------------------------------------- arrays and blocks


def _check_whole(block: Block, shape: tuple[int, ...], axis: int, rules: Rules) -> None:
    """CodeError if a block is filled up with zeros, which a mean or a median would count."""
    if not math.prod(shape):
        raise CodeError(f"values: of an empty array of shape {shape} there is no mean or median")
    if block.size is None:
        return
    order, multiples = _grid(block, shape, axis)
    for n, multiple in zip(order, multiples):
        if shape[n] % multiple:
            raise CodeError(
                f"values: axis {n} of {shape[n]} is not whole blocks of {multiple}, over which "
                f"scale_rule={rules.scale_rule} is taken"
            )


def _words(random: Any, rules: Rules, block: Block, shape: tuple[int, ...]) -> np.ndarray | None:
    words = random_words(rules.rounding, random, rules.word_bits(block))
    if words is None:
        return None
    try:
        return np.broadcast_to(words, shape)
    except ValueError:
        raise CodeError(f"random: shape {words.shape} where the values have {shape}") from None


def _grid(block: Block, shape: tuple[int, ...], axis: int) -> tuple[list[int], list[int]]:
    """Return the axes in the order in which blocks have them, and the multiples they fill."""
    axis %= len(shape)
    tiled = [row_axis(len(shape), axis)] if block.tile > 1 else []
    rest = [n for n in range(len(shape)) if n != axis and n not in tiled]
    assert block.size is not None
    multiples = [1] * len(rest) + [block.tile] * len(tiled) + [block.size]
    return rest + tiled + [axis], multiples


def _blocks(array: np.ndarray, block: Block, axis: int) -> np.ndarray:
    """Return the elements of each block as a row; short blocks are filled with zeros."""
    if block.size is None:
        return array.reshape(1, -1)
    order, multiples = _grid(block, array.shape, axis)
    array = array.transpose(order)
    gaps = [-length % m for length, m in zip(array.shape, multiples)]
    if any(gaps):
        array = np.pad(array, [(0, gap) for gap in gaps])
    if block.tile == 1:
        return array.reshape(-1, block.size)
    *rest, rows, columns = array.shape
    tiles = array.reshape(*rest, rows // block.tile, block.tile, columns // block.size, block.size)
    return tiles.swapaxes(-3, -2).reshape(-1, block.tile * block.size)


def _unblock(blocks: np.ndarray, block: Block, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """Undo :func:`_blocks` for an array of ``shape``."""
    if block.size is None:
        return blocks.reshape(shape)
    order, multiples = _grid(block, shape, axis)
    lengths = [shape[n] for n in order]
    full = [length + -length % m for length, m in zip(lengths, multiples)]
    if block.tile == 1:
        array = blocks.reshape(full)
    else:
        *rest, rows, columns = full
        tiles = blocks.reshape(
            *rest, rows // block.tile, columns // block.size, block.tile, block.size
        )
        array = tiles.swapaxes(-3, -2).reshape(full)
    array = array[tuple(slice(length) for length in lengths)]
    return np.ascontiguousarray(array.transpose(np.argsort(order)))


def _scale_array(scales: np.ndarray, block: Block, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """Return the scales of the rows of :func:`_blocks` along the axes of the array."""
    if block.size is None:
        return scales
    order, multiples = _grid(block, shape, axis)
    counts = [-(-shape[n] // m) for n, m in zip(order, multiples)]
    return np.ascontiguousarray(scales.reshape(counts).transpose(np.argsort(order)))
