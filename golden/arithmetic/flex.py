# SPDX-License-Identifier: BSD-2-Clause
"""Integers that share an exponent: exact sums and products, and the one output stage."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import common_shape, integers, plain
from ..errors import CodeError, SpecError
from ..formats.block import AnyFormat, Block
from ..formats.block import format as format_of
from ..formats.choices import Overflow, Rounding
from ..formats.scalar import Fixed
from .codec import as_codes
from .exact import Exact, unpack
from .integers import integers_of
from .operands import CHUNK
from .projection import Direction, check_random, project, random_words
from .sums import add_terms

_EXACT = 53
"""Bits of the integers that float64 adds and multiplies without rounding."""


_HALF = 16
"""Bits of the lower part of mantissas that are multiplied in two."""


_LIMB = 32


_FARTHEST = 1 << 12
"""Exponents that :func:`rescale` takes lie within this."""


def rescale(
    integers: Any,
    from_exponent: Any,
    exponent: Any,
    format: str | Block = "flex16+5",
    *,
    rounding: Any = "rne",
    random: Any = None,
    random_bits: int = 16,
) -> np.ndarray:
    """Return the mantissas of ``integers * 2**from_exponent`` at ``exponent``.

    The output stage of every Flexpoint unit: the exact value is rounded once to an integer
    multiple of ``2**exponent``, and saturated to ``-2**(N-1)`` and ``2**(N-1) - 1``.

    Parameters
    ----------
    integers : array_like of integers, or pair of them
        A pair of int64 arrays, upper and lower, means ``upper * 2**32 + lower`` with lower from 0
        to ``2**32 - 1``.
    from_exponent, exponent : int or array_like of int
        They broadcast with the integers. The second lies in the range of ``format``.
    format : str or Block
    rounding : Rounding
        Any but ``dynamic``.
    random : array_like of unsigned int
        With stochastic rounding only: a word of ``random_bits`` (1 to 32) bits for each element.

    Returns
    -------
    ndarray in the smallest signed dtype that holds N bits.

    Raises
    ------
    CodeError for arrays that are no integers or empty, or do not broadcast; SpecError for
    exponents and options.
    """
    fmt = check_flex("format", format)
    pair = integers if isinstance(integers, tuple) else (integers,)
    if not 1 <= len(pair) <= 2:
        raise CodeError(f"integers: {len(pair)} arrays: must be one, or a pair")
    parts = [_integers("integers", part) for part in pair]
    if len(parts) == 2 and not 0 <= int(parts[1].min()) <= int(parts[1].max()) < 1 << _LIMB:
        raise CodeError(f"integers: the lower ones must be from 0 to {(1 << _LIMB) - 1}")
    start = _exponents("from_exponent", from_exponent, -_FARTHEST, _FARTHEST)
    target = _exponents("exponent", exponent, -fmt.scale.bias, 0)
    shape = common_shape(*(x.shape for x in parts), start.shape, target.shape)
    direction = _direction(rounding, random, random_bits, shape, fmt)
    codes = [as_codes("integers", part) for part in parts]

    def stage(*chunk: Any) -> np.ndarray:
        *words, shift, now = chunk
        terms = [unpack(word, source) for word, (_, source) in zip(words, codes, strict=True)]
        if len(terms) == 2:
            terms[0] = terms[0].scaled(_LIMB)
        return _project([term.scaled(shift) for term in terms], fmt, now)

    shift = start - target
    arrays = (*(code for code, _ in codes), shift)
    return _each(shape, arrays, direction, stage, fmt)


def aligned_sum(
    integers: tuple[Any, Any],
    from_exponents: tuple[Any, Any],
    exponent: Any,
    format: str | Block = "flex16+5",
    *,
    rounding: Any = "rne",
    random: Any = None,
    random_bits: int = 16,
) -> np.ndarray:
    """Return the mantissas of the sum of two arrays of integers with exponents of their own.

    As :func:`rescale` of the exact sum; every argument broadcasts.
    """
    fmt = check_flex("format", format)
    for name, pair in (("integers", integers), ("from_exponents", from_exponents)):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise SpecError(f"{name}={pair!s:.60}: must be two, one for each array")
    x, y = (_integers("integers", part) for part in integers)
    target = _exponents("exponent", exponent, -fmt.scale.bias, 0)
    shifts = [
        _exponents("from_exponent", start, -_FARTHEST, _FARTHEST) - target
        for start in from_exponents
    ]
    shape = common_shape(x.shape, y.shape, *(shift.shape for shift in shifts))
    direction = _direction(rounding, random, random_bits, shape, fmt)
    (x, source_x), (y, source_y) = as_codes("integers", x), as_codes("integers", y)

    def stage(left: Any, right: Any, up: Any, right_up: Any, now: Direction) -> np.ndarray:
        terms = [unpack(left, source_x).scaled(up), unpack(right, source_y).scaled(right_up)]
        return _project(terms, fmt, now)

    return _each(shape, (x, y, *shifts), direction, stage, fmt)


def exact_matmul(
    a: np.ndarray, b: np.ndarray, format_a: Block, format_b: Block
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Return the exact integers ``a @ b`` of mantissas, as :func:`rescale` takes them.

    Products are those of float64 matrices, which round nothing: every partial sum, in whatever
    order, is an integer of at most 53 bits. Where mantissas of more than 16 bits would exceed
    that they are multiplied in two parts, and where K would, it is cut.
    """
    widths = [_element(fmt).width for fmt in (format_a, format_b)]
    x, y = (_halves(array, width) for array, width in zip((a, b), widths, strict=True))
    # |upper part| <= 2**15 and lower parts < 2**16, so that a product needs 32 bits at most.
    length, step = a.shape[1], 1 << (_EXACT - 2 * _HALF)
    total = np.zeros((3, len(a), b.shape[1]), np.int64)
    for start in range(0, length, step):
        piece = slice(start, start + step)
        for i, left in enumerate(x):
            for j, right in enumerate(y):
                total[i + j] += (left[:, piece] @ right[piece]).astype(np.int64)
    if sum(widths) - 2 + length.bit_length() <= 62:
        return total[0] + (total[1] << _HALF) + (total[2] << 2 * _HALF)
    mask = (1 << _HALF) - 1
    low = total[0] + ((total[1] & mask) << _HALF)
    upper = total[2] + (total[1] >> _HALF) + (low >> _LIMB)
    return upper, low & ((1 << _LIMB) - 1)


def check_flex(name: str, value: str | AnyFormat) -> Block:
    """Return the Flexpoint format that ``value`` means; SpecError if it is another one."""
    try:
        fmt = format_of(value)
    except ValueError as error:
        raise SpecError(f"{name}={value!s}: {error}") from None
    if not isinstance(fmt, Block) or not fmt.name.startswith("flex"):
        raise SpecError(f"{name}={fmt.name}: must be a Flexpoint format, flex<N>+<M>")
    return fmt


def check_exponent(name: str, value: Any, fmt: Block) -> None:
    """SpecError unless ``value`` is an exponent of ``fmt``."""
    lowest = -fmt.scale.bias
    integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not integer or not lowest <= value <= 0:
        raise SpecError(f"{name}={value!s}: must be an integer from {lowest} to 0 for {fmt.name}")


def mantissa_dtype(fmt: Block) -> np.dtype:
    """Return the smallest signed dtype of N bits."""
    return np.dtype(f"int{max(8, 1 << (fmt.element.width - 1).bit_length())}")


def _element(fmt: Block) -> Fixed:
    assert isinstance(fmt.element, Fixed)
    return fmt.element


def _integers(name: str, values: Any) -> np.ndarray:
    array = integers(name, values)
    if not array.size:
        raise CodeError(f"{name}: shape {array.shape}: a tensor has an element at least")
    return array


def _exponents(name: str, values: Any, low: int, high: int) -> np.ndarray:
    array = plain(name, values)
    if array.dtype.kind not in "iu" or not array.size:
        what = f"={values!s}" if array.ndim == 0 else f": shape {array.shape}, dtype {array.dtype}"
        raise SpecError(f"{name}{what}: must be an integer from {low} to {high}")
    for value in (int(array.min()), int(array.max())):
        if not low <= value <= high:
            raise SpecError(f"{name}={value}: must be an integer from {low} to {high}")
    return array.astype(np.int64)


def _halves(array: np.ndarray, width: int) -> list[np.ndarray]:
    """Return the lower parts, of 16 bits and without sign, and the upper ones, as float64."""
    if width <= _HALF:
        return [array.astype(np.float64)]
    wide = array.astype(np.int64)
    return [(wide & ((1 << _HALF) - 1)).astype(np.float64), (wide >> _HALF).astype(np.float64)]


def _direction(
    rounding: Any, random: Any, bits: int, shape: tuple[int, ...], fmt: Block
) -> Direction:
    rounding = Rounding.parse(rounding, "rounding")
    if rounding is Rounding.DYNAMIC:
        raise SpecError("rounding=dynamic: a tensor takes one direction")
    words = random_words(rounding, random, bits)
    if words is None:
        return Direction(rounding)
    check_random(fmt.element, bits)
    try:
        words = np.broadcast_to(words, shape)
    except ValueError:
        raise CodeError(f"random: shape {words.shape} where the result has {shape}") from None
    return Direction(rounding, random=words.reshape(-1), random_bits=bits)


def _each(
    shape: tuple[int, ...],
    arrays: tuple[np.ndarray, ...],
    direction: Direction,
    stage: Any,
    fmt: Block,
) -> np.ndarray:
    """Return the mantissas that ``stage`` makes of pieces of the broadcast arrays."""
    flat = [np.broadcast_to(array, shape).reshape(-1) for array in arrays]
    result = np.empty(flat[0].size, mantissa_dtype(fmt))
    for start in range(0, result.size, CHUNK):
        piece = slice(start, start + CHUNK)
        result[piece] = stage(*(array[piece] for array in flat), direction[piece])
    return result.reshape(shape)


def _project(terms: list[Exact], fmt: Block, direction: Direction) -> np.ndarray:
    """Return the mantissas nearest to the sum of one or two terms."""
    first, *rest = terms
    element = _element(fmt)
    value = add_terms([first], rest[0] if rest else None, element, False)
    return integers_of(project(value, element, direction, Overflow.SATURATE)[0], element)
