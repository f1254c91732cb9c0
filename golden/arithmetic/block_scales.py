# SPDX-License-Identifier: BSD-2-Clause
"""Numbers to blocks: a scale for each block, elements rounded once, and back.

Scales that are powers of two come from the exponent of the block's largest magnitude amax by a
:class:`~macaw.golden.arithmetic.block_rules.ScaleRule` (OCP MX 1.0, 6.3), clamped to the scale's
range; an element is its value divided by the scale, which is exact, rounded once, saturating.

Other scales go through fp32 by an :class:`~macaw.golden.arithmetic.block_rules.Order`. Every
operation rounds to nearest even; ``Q`` is the largest element, ``S`` the largest scale, ``scale()``
rounds to the scale's format and saturates, and a multiplier or an encoding scale is at most the
largest fp32:

====================  ========================  ===================  ====================
step                  paper                     te                   torchao, ct
====================  ========================  ===================  ====================
tensor, 1 if amax=0   enc = Q S / amax          as paper             dec = amax / (Q S);
                      dec = 1 / enc                                  ct: as paper
block                 s = scale((amax/Q) enc)   s = scale(amax       s = scale((amax/Q)
                                                (enc (1/Q)))         / dec); ct: as paper
element               r = 1 / (s dec); x r      as paper             r = enc / s; x r;
                                                                     ct: x / (s / enc)
====================  ========================  ===================  ====================

Without a second scale enc = dec = 1. With it torchao's enc is 1 / dec. ``order=exact`` takes
paper's enc and dec and rounds ``amax enc / Q`` to s and ``x / (s dec)`` to the element, each once.
A block whose scale is zero has elements 0, and one with a NaN or an infinity has a NaN scale and
elements 0, in every order and rule. Where the scale has no NaN, they take no part in amax (if there
is nothing else, it is the least magnitude of the source: 0 if it has a zero), and the elements are
what a saturating conversion makes of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..errors import SpecError
from ..formats.block import Block
from ..formats.choices import Overflow, Rounding
from ..formats.scalar import FORMATS, Book, Fixed, Float, Format
from .block_rules import MinScale, Order, Rules, ScaleRule, in_fp32, largest_power
from .exact import Exact, bit_length, shift_right_jam, unpack
from .operands import CHUNK
from .projection import Direction, project
from .running.statistics import wrong
from .search.least_squares import least_squares, tree_sum

FP32 = FORMATS["fp32"]
LARGEST = np.finfo(np.float32).max
PIECE = 1 << 18
"""Elements at a time: enough for the tables of :mod:`codec`, few enough for a cache."""
_FAR = 127
"""Exponents of scales that have a reciprocal in fp32 end here."""
_ONE = np.float32(1)


def quantize_blocks(
    codes: np.ndarray,
    source: Format,
    block: Block,
    rules: Rules,
    *,
    tensor: tuple[np.ndarray, np.ndarray] | None = None,
    random: np.ndarray | None = None,
    over: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Quantise rows of numbers, one block each: the core of :func:`quantize` and of hardware.

    Parameters
    ----------
    codes : ndarray of ``source.code_dtype``, shape (n, K)
    source : Format
        What the codes mean. Where scales have a mantissa fp32 must have all of its numbers.
    tensor : pair of ndarray of uint32, shape () or (n,), optional
        fp32 codes of the encoding and the decoding scale of the tensor; default 1 and 1.
    random : ndarray, shape (n, K)
        For stochastic rounding.
    over : ndarray of bool, shape (n, K), optional
        Is set to where elements saturate, in the blocks that have a scale.

    Returns
    -------
    elements : ndarray of ``block.element.code_dtype``, shape (n, K)
    scales : ndarray of ``block.scale.code_dtype``, shape (n,)
    """
    rules.check(block)
    if block.zero_point is not None:
        raise SpecError(f"{block.name}: has a zero point, which quantize_groups finds")
    if not block.power_of_two and not (isinstance(source, Float) and in_fp32(source)):
        raise SpecError(f"{source.name}: {block.name} takes floats that fp32 has")
    count, size = codes.shape
    elements = np.empty((count, size), block.element.code_dtype)
    scales = np.empty(count, block.scale.code_dtype)
    ones = np.ones((), np.float32).view(np.uint32)
    encode, decode = (
        np.broadcast_to(np.asarray(code, np.uint32).reshape(-1).view(np.float32), (count,))
        for code in tensor or (ones, ones)
    )
    divide = _power_of_two if block.power_of_two else _through_fp32
    for rows in pieces(count, max(PIECE // max(size, 1), 1)):
        part = codes[rows]
        words = None if random is None else random[rows]
        beyond = None
        if block.scale.has_nan:
            amax, special = largest_magnitudes(part, source)
        else:
            beyond = nonfinite(part, source)
            amax, _ = largest_magnitudes(np.where(beyond, part.dtype.type(0), part), source)
            special = np.zeros(amax.shape, bool)
        zero_or_nan, scales[rows] = divide(
            part,
            source,
            block,
            rules,
            amax,
            special,
            (encode[rows], decode[rows]),
            words,
            elements[rows],
            None if over is None else over[rows],
        )
        if zero_or_nan.any():
            nothing = zero_or_nan if beyond is None else zero_or_nan[:, None] & ~beyond
            elements[rows][nothing] = block.element.zero_code
            if over is not None:
                over[rows][nothing] = False
        if special.any():
            assert block.scale.nan_code is not None
            scales[rows][special] = block.scale.nan_code
    return elements, scales


def pieces(count: int, step: int) -> Iterator[slice]:
    """Yield slices of ``step`` that cover ``count``."""
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


# ------------------------------------------------------------------------ largest magnitudes


def magnitudes(codes: np.ndarray, source: Format) -> np.ndarray:
    """Return unsigned integers that grow with the magnitudes."""
    if isinstance(source, Float):
        return codes & codes.dtype.type((1 << (source.exponent + source.mantissa)) - 1)
    return unpack(codes, source).significand


def _special(codes: np.ndarray, magnitudes: np.ndarray, source: Format) -> np.ndarray:
    """Where there is a NaN or an infinity; of IEEE formats and the like a maximum tells."""
    if not isinstance(source, Float) or not source.has_nan:
        return np.zeros(magnitudes.shape, bool)
    return magnitudes > magnitudes.dtype.type(source.max_code)


def nonfinite(codes: np.ndarray, source: Format) -> np.ndarray:
    """Where there is a NaN or an infinity."""
    if not isinstance(source, Float) or not source.has_nan:
        return np.zeros(codes.shape, bool)
    special = _special(codes, magnitudes(codes, source), source)
    return special | (codes == source.nan_code) if source.nan_for_negative_zero else special


def largest_magnitudes(codes: np.ndarray, source: Format) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest magnitude of each row (as :func:`magnitudes`), and which are special."""
    count, size = codes.shape
    if size == 0:
        return np.zeros(count, codes.dtype), np.zeros(count, bool)
    flat = np.ascontiguousarray(magnitudes(codes, source)).reshape(-1)
    # Over a contiguous array reduceat is several times as fast as max(axis=1).
    amax = np.maximum.reduceat(flat, np.arange(0, flat.size, size)) if count else flat
    special = _special(codes, amax, source)
    if isinstance(source, Float) and source.nan_for_negative_zero:
        special |= (codes == source.nan_code).any(axis=1)
    return amax, special


# --------------------------------------------------------------------- powers of two as scales


def _power_of_two(
    codes: np.ndarray,
    source: Format,
    block: Block,
    rules: Rules,
    amax: np.ndarray,
    special: np.ndarray,
    tensor: tuple[np.ndarray, np.ndarray],
    words: np.ndarray | None,
    elements: np.ndarray,
    over: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(source, Float):
        largest = unpack(amax.astype(source.code_dtype), source)
    else:
        assert isinstance(source, Fixed)
        none = np.zeros(amax.shape, bool)
        largest = Exact.of_fixed(amax, none, source)
    idle = (largest.significand == 0) | special
    scale = block.scale
    code = _exponents(largest, block, rules.scale_rule) + scale.bias
    code = np.clip(code, int(scale.zero), scale.max_code)
    code[idle] = 0
    exponent = np.where(idle, 0, code - scale.bias)

    near = np.zeros(exponent.shape, bool)
    if in_fp32(source) and block.element.quantum >= -100:
        near = np.abs(exponent) <= _FAR
    if near.all():
        factor = np.ldexp(_ONE, -exponent.astype(np.int32))
        _multiply(floats(codes, source), factor, block, rules, words, elements, over)
    else:
        _shift(codes, source, exponent, block, rules, words, elements, over)
    return idle, code.astype(scale.code_dtype)


def _exponents(amax: Exact, block: Block, rule: ScaleRule) -> np.ndarray:
    """Return the exponents of the scales before they are clamped; any where amax is zero."""
    over = amax.significand >> np.uint64(63)
    significand = shift_right_jam(amax.significand, over)
    length = bit_length(significand)
    fraction = significand << (63 - length).view(np.uint64)  # 2**62 is 1.0
    exponent = amax.exponent + over.view(np.int64) + (length - 1) - block.element_emax
    match rule:
        case ScaleRule.CEIL:
            exponent += fraction > np.uint64(1 << 62)
        case ScaleRule.RCEIL:
            odd, _ = largest_power(block)
            exponent += fraction > np.uint64(odd << (63 - odd.bit_length()))
        case ScaleRule.EVEN:
            element = block.element
            assert not isinstance(element, Book)
            below = (
                element.mantissa
                if isinstance(element, Float)
                else element.width - element.signed - 1
            )
            exponent += fraction >= np.uint64((1 << 63) - (1 << (61 - max(below, 0))))
    return exponent


def floats(codes: np.ndarray, source: Format) -> np.ndarray:
    """Return the numbers as float32, which has them."""
    if source == FP32:
        return codes.view(np.float32)
    return source.decode(codes).astype(np.float32)


def _multiply(
    values: np.ndarray,
    factor: np.ndarray,
    block: Block,
    rules: Rules,
    words: np.ndarray | None,
    elements: np.ndarray,
    over: np.ndarray | None,
) -> None:
    """Encode values times powers of two. Products that leave fp32 below are far below half of
    the least element: it matters only that they are not zero."""
    with np.errstate(all="ignore"):
        product = values * factor[:, None]
    if rules.rounding in (Rounding.RUP, Rounding.RDN, Rounding.ROD):
        lost = (product == 0) & (values != 0)
        if lost.any():
            product[lost] = np.copysign(np.float32(1e-45), values[lost])
    _encode(product, block, rules, words, elements, over)


def _encode(
    values: np.ndarray,
    block: Block,
    rules: Rules,
    words: np.ndarray | None,
    elements: np.ndarray,
    over: np.ndarray | None,
) -> None:
    if over is not None:
        flat = np.ascontiguousarray(values).view(np.uint32).reshape(-1)
        random = None if words is None else words.reshape(-1)
        found = np.empty(flat.shape, elements.dtype), np.empty(flat.shape, bool)
        for piece in pieces(flat.size, CHUNK):
            word = None if random is None else random[piece]
            _project(unpack(flat[piece], FP32), block, rules, word, piece, *found)
        elements[...], over[...] = (each.reshape(elements.shape) for each in found)
        return
    bits = rules.word_bits(block) if rules.rounding.stochastic else None
    elements[...] = block.element.encode(
        values,
        rounding=rules.rounding,
        overflow=Overflow.SATURATE,
        random=words,
        random_bits=bits,
    )


def _shift(
    codes: np.ndarray,
    source: Format,
    exponent: np.ndarray,
    block: Block,
    rules: Rules,
    words: np.ndarray | None,
    elements: np.ndarray,
    over: np.ndarray | None,
) -> None:
    """Encode numbers divided by powers of two, from their exponents."""
    size = codes.shape[1]
    each = np.repeat(exponent, size) if exponent.size > 1 else exponent
    flat, result = codes.reshape(-1), elements.reshape(-1)
    beyond = None if over is None else over.reshape(-1)
    random = None if words is None else words.reshape(-1)
    for piece in pieces(flat.size, CHUNK):
        shift = each[piece] if each.size > 1 else each
        exact = unpack(flat[piece], source).scaled(-shift)
        if block.scale.has_nan:
            exact = replace(exact, kind=None)
        word = None if random is None else random[piece]
        _project(exact, block, rules, word, piece, result, beyond)
    elements[...] = result.reshape(elements.shape)
    if over is not None and beyond is not None:
        over[...] = beyond.reshape(over.shape)


def _project(
    exact: Exact,
    block: Block,
    rules: Rules,
    words: np.ndarray | None,
    where: slice,
    elements: np.ndarray,
    over: np.ndarray | None,
) -> None:
    """Round to the elements at ``where``."""
    direction = Direction(rules.rounding, None, words, rules.word_bits(block))
    wanted = over is not None
    codes, flags = project(exact, block.element, direction, Overflow.SATURATE, wanted)
    elements[where] = codes
    if over is not None and flags is not None:
        over[where] = wrong(exact.special, flags)


# ------------------------------------------------------------------------ scales with a mantissa


def _through_fp32(
    codes: np.ndarray,
    source: Format,
    block: Block,
    rules: Rules,
    amax: np.ndarray,
    special: np.ndarray,
    tensor: tuple[np.ndarray, np.ndarray],
    words: np.ndarray | None,
    elements: np.ndarray,
    over: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    encode, decode = tensor
    largest = floats(np.where(special, 0, amax).astype(codes.dtype), source)
    some = values = floats(codes, source)
    if not rules.scale_rule.by_largest:
        some = np.where(special[:, None], np.float32(0), values)

    def fit(
        scales: np.ndarray, numbers: np.ndarray, into: np.ndarray, over: np.ndarray | None = None
    ) -> np.ndarray:
        """Set ``into`` to the elements, where the scale is not zero, and return the scales."""
        factors = block.scale.decode(scales).astype(np.float32)
        by = factors if rules.te_zero_codes else np.where(factors == 0, _ONE, factors)
        divide(numbers, by, block, rules, encode, decode, words, into, over)
        return factors

    def attempt(factor: np.float32) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        scales = fitting_scales(times(largest, factor), block, rules, encode, decode)
        tried = np.empty_like(elements)
        factors = fit(scales, some, tried).astype(np.float64)[:, None]
        return (scales, tried), block.element.decode(tried) * factors * decode[:, None]

    if rules.grid is not None:
        scales, _ = least_squares(some.astype(np.float64), rules.grid.factors, attempt)
    elif rules.scale_rule.typical:
        scales = _least_scale(typical_scales(some, block, rules), block, rules.min_scale)
    else:
        scales = fitting_scales(largest, block, rules, encode, decode)
    if rules.centred:
        values = less_mean(values, some)
    zero = fit(scales, values, elements, over) == 0
    return special if rules.te_zero_codes else special | zero, scales


def less_mean(values: np.ndarray, finite: np.ndarray) -> np.ndarray:
    """Return fp32 rows less their means, each rounded to fp32, at most the largest one.

    A mean is the :func:`tree_sum` over the count, of ``finite`` in the place of other rows.
    """
    mean = (tree_sum(finite.astype(np.float64)) / values.shape[1]).astype(np.float32)
    with np.errstate(all="ignore"):
        return np.clip(values - mean[:, None], -LARGEST, LARGEST)


def times(ends: np.ndarray, factor: np.float32) -> np.ndarray:
    """Return fp32 numbers times a factor, rounded to fp32, at most the largest one."""
    with np.errstate(over="ignore"):
        return np.clip(ends * factor, -LARGEST, LARGEST)


def fitting_scales(
    largest: np.ndarray, block: Block, rules: Rules, encode: np.ndarray, decode: np.ndarray
) -> np.ndarray:
    """Return the codes of the scales that take fp32 magnitudes to the largest element."""
    top = np.float32(block.element.max)
    with np.errstate(all="ignore"):
        match rules.order:
            case Order.EXACT:
                return _least_scale(_exact_scales(largest, encode, block), block, rules.min_scale)
            case Order.TE:
                wanted = largest * (encode * (_ONE / top))
            case Order.TORCHAO:
                wanted = (largest / top) / decode
            case _:
                wanted = (largest / top) * encode
    codes = block.scale.encode(wanted, overflow=Overflow.SATURATE)
    return _least_scale(codes, block, rules.min_scale)


def typical_scales(values: np.ndarray, block: Block, rules: Rules) -> np.ndarray:
    """Return the codes of scales that follow from all magnitudes of finite fp32 rows.

    The mean or the median of the magnitudes, over the square root of the largest element, rounded
    to the scale. The sum is a :func:`~.search.least_squares.tree_sum`. The sum over the count, and
    of an even count the sum of the two in the middle over two, are rounded to float64 and then to
    fp32; the root is that of float64, rounded to fp32, and the quotient is rounded to fp32.
    """
    magnitudes = np.abs(values).astype(np.float64)
    count = values.shape[1]
    if rules.scale_rule is ScaleRule.MEDIAN:
        ordered = np.sort(magnitudes, axis=1)
        typical = (ordered[:, (count - 1) // 2] + ordered[:, count // 2]) / 2
    else:
        typical = tree_sum(magnitudes) / count
    root = np.float32(np.sqrt(np.float64(block.element.max)))
    wanted = typical.astype(np.float32) / root
    return block.scale.encode(wanted, overflow=Overflow.SATURATE)


def divide(
    values: np.ndarray,
    scale: np.ndarray,
    block: Block,
    rules: Rules,
    encode: np.ndarray,
    decode: np.ndarray,
    words: np.ndarray | None,
    elements: np.ndarray,
    over: np.ndarray | None = None,
) -> None:
    """Set ``elements`` to fp32 ``values`` over their fp32 scales (n,), by the order."""
    with np.errstate(all="ignore"):
        match rules.order:
            case Order.EXACT:
                _divide_exactly(values, scale, decode, block, rules, words, elements, over)
                return
            case Order.CT:
                step = scale / encode
                product = values / step[:, None]
                product[np.isnan(product)] = 0  # 0 / 0, where s / enc underflows
            case Order.TORCHAO:
                product = values * np.minimum(encode / scale, LARGEST)[:, None]
            case _:
                product = values * np.minimum(_ONE / (scale * decode), LARGEST)[:, None]
    _encode(product, block, rules, words, elements, over)


def _least_scale(codes: np.ndarray, block: Block, least: MinScale) -> np.ndarray:
    """Raise scales to the least one. Rounding keeps order, so codes may be compared."""
    limit = {MinScale.MODELOPT: 2.0**-9, MinScale.TORCHAO: 2.0**-6, MinScale.CT: 0.125}
    if least is MinScale.NONE:
        return codes
    floor = block.scale.encode(np.float32(limit[least]), overflow=Overflow.SATURATE)
    if least is MinScale.CT:
        return np.where(codes == 0, floor, codes)
    return np.maximum(codes, floor)


def _exact_scales(amax: np.ndarray, encode: np.ndarray, block: Block) -> np.ndarray:
    """Round ``amax * encode / Q`` once."""
    odd, exponent = largest_power(block)
    x = unpack(amax.view(np.uint32), FP32)
    y = unpack(np.ascontiguousarray(encode).view(np.uint32), FP32)
    divisor = np.full(amax.shape, odd, np.uint64)
    quotient = _quotient(
        x.significand * y.significand,
        np.asarray(x.exponent + y.exponent - exponent),
        divisor,
        x.negative,
        block.scale.precision,
    )
    return project(quotient, block.scale, Direction(), Overflow.SATURATE)[0]


def _divide_exactly(
    values: np.ndarray,
    scale: np.ndarray,
    decode: np.ndarray,
    block: Block,
    rules: Rules,
    words: np.ndarray | None,
    elements: np.ndarray,
    over: np.ndarray | None,
) -> None:
    """Round ``x / (scale * decode)`` once."""
    s = unpack(np.ascontiguousarray(scale).view(np.uint32), FP32)
    d = unpack(np.ascontiguousarray(decode).view(np.uint32), FP32)
    divisor, exponent = s.significand * d.significand, np.asarray(s.exponent + d.exponent)
    element = block.element
    digits = element.width if isinstance(element, Fixed) else element.precision
    if rules.rounding.stochastic:
        digits += rules.word_bits(block)
    for row in pieces(len(scale), max(CHUNK // max(values.shape[1], 1), 1)):
        x = unpack(values[row].view(np.uint32), FP32)
        below = np.broadcast_to(divisor[row][:, None], x.shape)
        quotient = _quotient(
            x.significand, x.exponent - exponent[row][:, None], below, x.negative, digits
        )
        word = None if words is None else words[row]
        _project(quotient, block, rules, word, row, elements, over)


def _quotient(
    dividend: np.ndarray,
    exponent: np.ndarray,
    divisor: np.ndarray,
    negative: np.ndarray,
    digits: int,
) -> Exact:
    """Return quotients with two digits more than ``digits``, and a last one that is jammed.

    The divisor has at most 48 bits and is not zero.
    """
    shift = np.where(dividend == 0, 0, 62 - bit_length(dividend))
    rest = dividend << shift.astype(np.uint64)
    widen = 48 - bit_length(divisor)
    divisor = divisor << widen.astype(np.uint64)
    exponent = exponent - shift + widen
    result = rest // divisor
    rest = rest - result * divisor
    step = 15
    have = 62 - 48
    while have < digits + 3:
        rest <<= np.uint64(step)
        digit = rest // divisor
        rest -= digit * divisor
        result = (result << np.uint64(step)) | digit
        exponent = exponent - step
        have += step
    result |= rest != 0
    return Exact(
        significand=result, exponent=exponent, negative=negative, low=-4096, high=4096, bits=64
    )
