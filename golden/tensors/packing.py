# SPDX-License-Identifier: BSD-2-Clause
"""Weights of few bits in words, as deployments store them: which code lies where, and back.

All of these orders are one thing: codes are permuted within a period, and follow each other from
the low bits of each word on.

====================  =======================================================================
``gptq``              AutoGPTQ's checkpoints: W.qweight (K / codes a word, N) and W.qzeros
                      (groups, N / codes a word), int32, the first code in the low bits; zero
                      points are stored less one, modulo their width; W.scales (groups, N);
                      W.g_idx (K,) int32, the group of each input. 2, 3, 4 and 8 bits
``gptq_v2``           GPTQModel's: the same, with zero points as they are
``awq``               AutoAWQ's GEMM kernels: W.qweight (K, N / 8) and W.qzeros (groups, N / 8),
                      along the outputs, a word holding those of places 0 2 4 6 1 3 5 7 from its
                      low bits on; W.scales (groups, N). 4 bits
``i2_s``              BitNet's ternary weights: W.i2_s uint8 (N, K / 4), -1 0 1 as 0 1 2. Byte j of
                      the 32 of 128 weights has those of places j, 32 + j, 64 + j, 96 + j, the
                      first in its bits 7:6; 3 is read as 0. W.scale, of the tensor
``bnb4``              bitsandbytes: W.weight uint8 (elements / 2, 1), the first of two in the high
                      bits; W.absmax, float32, of each block
====================  =======================================================================

Weights are (N, K): outputs, then inputs, along which the groups lie; those of the first three are
stored transposed. Scales are in the numpy dtype of their format. Where ``gptq`` or ``awq`` store
signed elements without a zero point (symmetric quantisation), half of their range is added to them,
and is their zero point. As far as is stated, these are facts of those projects' sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arithmetic.operands import check_codes
from ..errors import CodeError, FormatError, SpecError, did_you_mean
from ..formats.block import Block, check_shape
from ..formats.scalar import Fixed
from .quantized import Quantized

__all__ = ["PACKINGS", "Packing", "pack", "packing", "unpack"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Packing:
    """An order of codes, and what is stored beside them.

    Attributes
    ----------
    name : str
    parts : tuple of str
        What is stored of an array, behind its name.
    order : tuple of int
        The places of a period of codes, from the low bits of the first word on.
    word : dtype
        Of the words.
    bits : tuple of int
        Widths of codes that can be stored so.
    along_outputs : bool
        Whether the words of weights lie along the outputs.
    less_one : bool
        Whether zero points are stored less one.
    """

    name: str
    parts: tuple[str, ...]
    order: tuple[int, ...] = (0,)
    word: str = "<u4"
    bits: tuple[int, ...] = (4,)
    along_outputs: bool = False
    less_one: bool = False

    @property
    def grouped(self) -> bool:
        """Whether groups along the inputs have scales and zero points of their own."""
        return "qzeros" in self.parts


_GPTQ: dict[str, Any] = {
    "parts": ("qweight", "qzeros", "scales", "g_idx"),
    "bits": (2, 3, 4, 8),
}
PACKINGS: dict[str, Packing] = {
    each.name: each
    for each in (
        Packing(name="gptq", less_one=True, **_GPTQ),
        Packing(name="gptq_v2", **_GPTQ),
        Packing(
            name="awq",
            parts=("qweight", "qzeros", "scales"),
            order=(0, 2, 4, 6, 1, 3, 5, 7),
            along_outputs=True,
        ),
        Packing(
            name="i2_s",
            parts=("i2_s", "scale"),
            order=tuple(32 * group + byte for byte in range(32) for group in (3, 2, 1, 0)),
            word="u1",
            bits=(2,),
        ),
        Packing(name="bnb4", parts=("weight", "absmax"), order=(1, 0), word="u1"),
    )
}
"""The packings by name."""


def packing(name: Any) -> Packing:
    """Return the packing called ``name``; SpecError for any other name."""
    if isinstance(name, Packing):
        return name
    found = PACKINGS.get(str(name).lower())
    if found is None:
        hint = did_you_mean(str(name), PACKINGS, f"must be one of {', '.join(PACKINGS)}")
        raise SpecError(f"packing={name!s}: {hint}")
    return found


# ------------------------------------------------------------------------------ codes and words


def words_of(codes: np.ndarray, width: int, how: Packing) -> np.ndarray:
    """Return the words of codes (..., n) of ``width`` bits; CodeError unless n fills words."""
    period, size = len(how.order), np.dtype(how.word).itemsize * 8
    count = codes.shape[-1]
    if count % period or count * width % size:
        unit = int(np.lcm(period, np.lcm(width, size) // width))
        raise CodeError(f"{how.name}: an axis of {count} is not a multiple of {unit}, as words are")
    permuted = codes.reshape(*codes.shape[:-1], -1, period)[..., list(how.order)]
    places = permuted[..., None] >> np.arange(width, dtype=codes.dtype) & codes.dtype.type(1)
    flat = places.reshape(*codes.shape[:-1], count * width).astype(np.uint8)
    return np.packbits(flat, axis=-1, bitorder="little").view(how.word)


def codes_of(words: np.ndarray, width: int, how: Packing) -> np.ndarray:
    """Undo :func:`words_of`: codes (..., n), uint8; CodeError unless words are filled."""
    period = len(how.order)
    raw = np.ascontiguousarray(words.astype(how.word, copy=False)).view(np.uint8)
    count = raw.shape[-1] * 8 // width
    if raw.shape[-1] * 8 % width or count % period:
        raise CodeError(f"{how.name}: {words.shape[-1]} words are not whole codes of {width} bits")
    places = np.unpackbits(raw, axis=-1, bitorder="little").reshape(*raw.shape[:-1], count, width)
    permuted = np.packbits(places, axis=-1, bitorder="little")
    permuted = permuted.reshape(*raw.shape[:-1], -1, period)
    codes = np.empty_like(permuted)
    codes[..., list(how.order)] = permuted
    return codes.reshape(*raw.shape[:-1], count)


# --------------------------------------------------------------------------- arrays and weights


def pack(q: Quantized, how: Any) -> dict[str, np.ndarray]:
    """Return the arrays in which a deployment stores ``q``, by the names of :class:`Packing`.

    Raises
    ------
    SpecError for a packing that does not exist, FormatError for a format that it does not store,
    CodeError for weights that are not a matrix or do not fill words.
    """
    if not isinstance(q, Quantized):
        raise CodeError(f"q: a {type(q).__name__}: must be what quantize returned")
    how = packing(how)
    fmt = _check(q.format, how)
    width = fmt.element.width
    scales = _values(q.scales, fmt)
    if how.name == "bnb4":
        words = words_of(_in_rows(q).reshape(-1), width, how)
        return {"weight": words.reshape(-1, 1), "absmax": scales.reshape(-1)}
    elements = _in_rows(q)
    if elements.ndim != 2:
        raise CodeError(f"{how.name}: takes a matrix, not elements of shape {elements.shape}")
    if how.name == "i2_s":
        stored = (elements + 1) & elements.dtype.type(3)
        return {"i2_s": words_of(stored, width, how), "scale": scales}
    middle = elements.dtype.type(_middle(fmt))
    elements = elements ^ middle
    zeros = np.full_like(q.scales, middle, elements.dtype) if q.zeros is None else q.zeros
    zeros = (zeros - how.less_one) & elements.dtype.type((1 << width) - 1)
    if how.along_outputs:
        weights = words_of(elements.T, width, how)
    else:
        weights = words_of(elements, width, how).T
    arrays = {
        "qweight": weights.view("<i4"),
        "qzeros": words_of(zeros.T, width, how).view("<i4"),
        "scales": scales.T,
        "g_idx": _groups(elements.shape[1], fmt),
    }
    return {part: np.ascontiguousarray(arrays[part]) for part in how.parts}


def unpack(arrays: Mapping[str, Any], how: Any, fmt: Any, *, shape: Any = None) -> Quantized:
    """Undo :func:`pack`: the weights in the block format ``fmt``.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        The parts of the packing. Words may be of either sign; scales of any dtype of floats whose
        values the format has. A g_idx must be that of groups in their order.
    fmt : Block
    shape : tuple of int, optional
        Of the weights, which ``bnb4`` does not store; default one axis.

    Raises
    ------
    SpecError, FormatError as :func:`pack`; CodeError for parts that are missing, or of shapes and
    values that do not go together.
    """
    how = packing(how)
    fmt = _check(fmt, how)
    width, parts = fmt.element.width, {}
    for part in how.parts:
        if part not in arrays:
            raise CodeError(f"{part}: is missing: {how.name} has {', '.join(how.parts)}")
        parts[part] = np.asarray(arrays[part])
    if how.name == "bnb4":
        elements = codes_of(_words(parts, "weight", how).reshape(-1), width, how)
        try:
            elements = elements.reshape(elements.shape if shape is None else shape)
        except (TypeError, ValueError):
            raise CodeError(f"shape={shape}: there are {elements.size} elements") from None
        scales = _scales(parts["absmax"], "absmax", fmt)
        wanted = check_shape(fmt, elements.shape, -1)
        if scales.size != np.prod(wanted, dtype=int):
            raise CodeError(f"absmax: {scales.size} of them; {fmt.name} has scales of {wanted}")
        return Quantized(format=fmt, elements=elements, scales=scales.reshape(wanted))
    if how.name == "i2_s":
        stored = codes_of(_words(parts, "i2_s", how), width, how)
        elements = np.where(stored == 3, 0, stored - 1 & 3).astype(np.uint8)
        return Quantized(
            format=fmt, elements=elements, scales=_scales(parts["scale"], "scale", fmt)
        )
    weights = _words(parts, "qweight", how)
    if weights.ndim != 2:
        raise CodeError(f"qweight: shape {weights.shape}: must have two axes")
    if how.along_outputs:
        elements = codes_of(weights, width, how).T
    else:
        elements = codes_of(np.ascontiguousarray(weights.T), width, how)
    groups = _groups(elements.shape[1], fmt)
    if "g_idx" in parts and not np.array_equal(parts["g_idx"], groups):
        raise CodeError(f"g_idx: must be that of groups of {fmt.size} in their order")
    zeros = codes_of(_words(parts, "qzeros", how), width, how).T + np.uint8(how.less_one)
    zeros = zeros & np.uint8((1 << width) - 1)
    middle = _middle(fmt)
    if fmt.zero_point is None and not (zeros == middle).all():
        raise CodeError(f"qzeros: are not all {middle}, and {fmt.name} has no zero point")
    return Quantized(
        format=fmt,
        elements=elements ^ np.uint8(middle),
        scales=_scales(parts["scales"].T, "scales", fmt),
        zeros=None if fmt.zero_point is None else zeros,
    )


def _check(fmt: Any, how: Packing) -> Block:
    """FormatError unless the packing stores the format."""
    if not isinstance(fmt, Block):
        raise FormatError(
            f"fmt={fmt!s}: must be a block format, as format('uint4-k128-fp16-zuint4')"
        )
    element, zero = fmt.element, fmt.zero_point
    if element.width not in how.bits:
        widths = ", ".join(map(str, how.bits))
        raise FormatError(
            f"{how.name}: {element.name} has {element.width} bits; it stores {widths}"
        )
    if fmt.scale.dtype is None or fmt.tile > 1 or fmt.second_scale is not None:
        raise FormatError(f"{how.name}: {fmt.name} has scales that it does not store")
    if how.name == "i2_s" and not (
        fmt.size is None and isinstance(element, Fixed) and element.symmetric and zero is None
    ):
        raise FormatError(f"i2_s: stores ternary-tensor-fp32 and the like, not {fmt.name}")
    if how.name == "bnb4" and (fmt.size is None or zero is not None):
        raise FormatError(f"bnb4: stores nf4-k64-fp32 and the like, not {fmt.name}")
    if how.grouped:
        integers = isinstance(element, Fixed) and element.fraction == 0 and fmt.size is not None
        same = integers and (element.signed if zero is None else zero == element)
        if not (same and (zero is None or not zero.signed)):
            raise FormatError(
                f"{how.name}: stores groups as uint4-k128-fp16-zuint4 or int4-k128-fp16, not "
                f"{fmt.name}"
            )
    return fmt


def _middle(fmt: Block) -> int:
    """What is added to signed elements, which have no zero point."""
    return 0 if fmt.zero_point is not None else 1 << (fmt.element.width - 1)


def _in_rows(q: Quantized) -> np.ndarray:
    """The elements; CodeError unless their blocks lie along the last axis."""
    if q.format.size is not None and q.axis % q.elements.ndim != q.elements.ndim - 1:
        raise CodeError(f"axis={q.axis}: blocks must lie along the last axis, that of the inputs")
    return q.elements


def _groups(inputs: int, fmt: Block) -> np.ndarray:
    assert fmt.size is not None
    return np.arange(inputs, dtype=np.int32) // np.int32(fmt.size)


def _values(scales: np.ndarray, fmt: Block) -> np.ndarray:
    """Scales in the dtype that has the values of their format."""
    assert fmt.scale.dtype is not None
    return scales.view(fmt.scale.dtype)


def _scales(values: np.ndarray, name: str, fmt: Block) -> np.ndarray:
    """Codes of scales; CodeError where the format does not have a value."""
    codes = fmt.scale.encode(values)
    same = fmt.scale.decode(codes) == values.astype(np.float64)
    if not (same | np.isnan(values.astype(np.float64))).all():
        raise CodeError(f"{name}: {fmt.scale.name} has not all of these values")
    return check_codes(name, codes, fmt.scale)


def _words(parts: Mapping[str, np.ndarray], name: str, how: Packing) -> np.ndarray:
    """Words as unsigned; CodeError for another dtype."""
    words, dtype = parts[name], np.dtype(how.word)
    if words.dtype.kind not in "iu" or words.dtype.itemsize != dtype.itemsize or not words.ndim:
        raise CodeError(f"{name}: dtype {words.dtype}: must be words of {dtype.itemsize * 8} bits")
    little = words.astype(words.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(little).view(dtype)
