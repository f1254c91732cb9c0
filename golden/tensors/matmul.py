# SPDX-License-Identifier: BSD-2-Clause
"""Matrix products of quantised operands, bit for bit what ``block-mac`` accumulates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..arithmetic.block_scales import nonfinite
from ..arithmetic.exact import WINDOW, Exact, multiply, unpack
from ..arithmetic.factors import differences
from ..arithmetic.integers import codes_of, integers_of, reach
from ..arithmetic.operands import CHUNK, check_codes
from ..arithmetic.projection import Direction, project, resolve_or_default
from ..arithmetic.sums import add_lanes, add_terms, products
from ..arrays import is_float, plain
from ..errors import CodeError, SpecError
from ..formats.block import AnyFormat, Block, expand_scales, factor, scalar
from ..formats.block import format as format_of
from ..formats.checks import check_format
from ..formats.choices import Rounding
from ..formats.scalar import Fixed, Float, Format
from ..units.block_dots import BlockMac
from . import filtered, hosted
from .quantized import Quantized

_MOST = 0.98
"""Share of results that float64 must decide, so that the others are summed one by one."""
_FLOAT = 53
"""Bits of the integers that float64 adds and multiplies without rounding."""


def matmul(
    a: Any,
    b: Any,
    format_a: str | AnyFormat | None = None,
    format_b: str | AnyFormat | None = None,
    *,
    acc: str | Format = "fp32",
    out: str | Format | None = None,
    product: str | None = None,
    accumulation: str = "exact",
    lanes: int | None = None,
    rounding: Any = "rne",
    overflow: Any = None,
) -> np.ndarray:
    """Return the codes in ``out`` of the matrix product ``a @ b`` of quantised operands.

    Each element is what ``BlockMac(a=format_a, b=format_b, acc=acc, …)`` gives for a row of ``a``
    and a column of ``b``: the accumulator starts from zero, and the blocks of K join it in order,
    by the accumulation profile. K is filled up with zeros to whole steps. Second scales (NVFP4)
    multiply the accumulator at the end, and that product is rounded once.

    Parameters
    ----------
    a : array_like or Quantized
        Of shape (…, M, K). Floats are values: quantised along K by the defaults of the format's
        ``quantize``, or for a scalar format encoded as they are (a scalar format with a scale for
        the tensor is a block format: ``int8sym-tensor-fp32``). Unsigned integers are codes of a
        scalar format, as its ``encode`` returns them; those of a block format come as Quantized.
        Other arrays are refused, as they could be either.
    b : array_like or Quantized
        Of shape (K, N), with its blocks along K.
    format_a, format_b : str or format, optional
        ``format_a`` may be left out where ``a`` is Quantized; ``format_b`` defaults to the
        format of ``b`` if that is Quantized, else to ``format_a``.
    acc, product, accumulation, lanes, rounding, overflow
        As of :class:`macaw.golden.units.block_dots.BlockMac`; ``lanes`` are the products of a step,
        or the part of a block that takes several beats there, which changes no bit.
    out : str or Format, optional
        Defaults to ``acc``, or fp32 if that is exact.

    Returns
    -------
    ndarray of unsigned codes, of shape (…, M, N); ``macaw.format(out).decode`` gives values.

    Raises
    ------
    CodeError for arrays that are neither values nor codes, shapes that do not fit and blocks that
    do not lie along K. SpecError for parameters that ``block-mac`` does not have,
    stochastic rounding, and ``acc="exact"`` with second scales.
    """
    if Rounding.parse(rounding, "rounding").stochastic:
        raise SpecError(f"rounding={rounding}: matmul takes no random words")
    left = _Matrix.of("a", a, format_a, -1)
    right = _Matrix.of("b", b, left.format if format_b is None else format_b, 0)
    if left.codes.shape[-1] != right.codes.shape[-1]:
        raise CodeError(
            f"b: {right.codes.shape[-1]} rows where a has K={left.codes.shape[-1]} columns"
        )
    exact = isinstance(acc, str) and acc.lower() == "exact"
    result = check_format("out", ("fp32" if exact else acc) if out is None else out)
    seconds = [x for x in (left.second_scale, right.second_scale) if x is not None]
    if seconds and exact:
        raise SpecError("acc=exact: second scales multiply an accumulator of a format")
    spec = BlockMac(
        a=left.format,
        b=right.format,
        acc=acc,  # type: ignore[arg-type]
        out=check_format("acc", acc) if seconds else result,
        product=product,
        accumulation=accumulation,
        lanes=lanes,  # type: ignore[arg-type]
        terms=max(4096, left.codes.shape[-1] + 4096),
        rounding=rounding,
        overflow=overflow,
    )
    codes = _product(spec, left, right)
    if seconds:
        codes = _rescaled(codes, spec, seconds, result)
    return codes.reshape(*left.shape, -1)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Matrix:
    """An operand: rows of codes along K, and the codes of the scales of their blocks.

    Attributes
    ----------
    format : Float, Fixed or Block
    codes : ndarray
        Of shape (rows, K): the rows of ``a``, the columns of ``b``.
    scales, zeros : ndarray or None
        Of shape (rows, blocks): scales, and zero points.
    second_scale : Exact or None
    shape : tuple of int
        Of the axes of ``a`` before K.
    """

    format: AnyFormat
    codes: np.ndarray
    scales: np.ndarray | None
    zeros: np.ndarray | None
    second_scale: Exact | None
    shape: tuple[int, ...]

    @classmethod
    def of(cls, name: str, values: Any, fmt: str | AnyFormat | None, axis: int) -> _Matrix:
        """Quantise ``values``, unless they are, and bring K to the last axis."""
        if isinstance(values, Quantized):
            if fmt is not None and name == "a" and format_of(fmt) != values.format:
                raise CodeError(f"a: is in {values.format.name}, not in {format_of(fmt).name}")
            fmt, array = values.format, values.elements
        elif fmt is None:
            raise SpecError("matmul: parameter format_a is missing")
        else:
            fmt, array = format_of(fmt), plain(name, values)
        if array.ndim < 2 or (name == "b" and array.ndim != 2) or not array.size:
            wanted = "(…, M, K)" if name == "a" else "(K, N)"
            raise CodeError(f"{name}: shape {array.shape} where {wanted} is wanted")
        if not isinstance(fmt, Block):
            codes = _codes(name, array, fmt)
            return cls._turned(fmt, codes, None, None, axis)
        if not isinstance(values, Quantized):
            if not is_float(array.dtype):
                raise CodeError(
                    f"{name}: dtype {array.dtype}: pass values as floats, or codes as what "
                    f"quantize of {fmt.name} returned: they come with scales"
                )
            values = fmt.quantize(array, axis=axis)
        if fmt.size is not None and values.axis % array.ndim != axis % array.ndim:
            raise CodeError(f"{name}: blocks lie along axis {values.axis}, not along K")
        second = None
        if fmt.second_scale is not None:
            second = unpack(np.asarray(values.second_scale).reshape(1), fmt.second_scale)
        scales = _block_scales(values, values.scales, axis)
        zeros = None if values.zeros is None else _block_scales(values, values.zeros, axis)
        return cls._turned(fmt, values.elements, scales, second, axis, zeros)

    @classmethod
    def _turned(
        cls,
        fmt: AnyFormat,
        codes: np.ndarray,
        scales: np.ndarray | None,
        second: Exact | None,
        axis: int,
        zeros: np.ndarray | None = None,
    ) -> _Matrix:
        if axis == 0:
            codes = codes.T
            scales, zeros = (None if x is None else x.T for x in (scales, zeros))
        shape = codes.shape[:-1]
        codes = codes.reshape(-1, codes.shape[-1])
        scales, zeros = (None if x is None else x.reshape(len(codes), -1) for x in (scales, zeros))
        return cls(
            format=fmt, codes=codes, scales=scales, zeros=zeros, second_scale=second, shape=shape
        )

    def steps(
        self, name: str, spec: BlockMac
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Return elements (rows, steps, elements), scales and zero points (rows, steps, scales).

        Elements that fill up the last step are worth zero.
        """
        size, element = spec.elements, scalar(self.format)
        rows, length = self.codes.shape
        count = -(-length // size)
        zero = element.encode(0.0)
        if count * size > length and element.decode(zero) != 0:
            raise SpecError(f"{element.name} has no zero to fill K={length} up to {count * size}")
        codes = np.full((rows, count * size), zero, element.code_dtype)
        codes[:, :length] = self.codes
        codes = codes.reshape(rows, count, size)
        if self.scales is None:
            return codes, None, None
        assert isinstance(self.format, Block)
        number = spec.factors.scales[name]
        first = np.arange(count * number) * (size // number)
        block = first // (self.format.size or count * size)
        there = block < self.scales.shape[1]
        scales, zeros = (
            None
            if each is None
            else np.where(there, each[:, np.where(there, block, 0)], each.dtype.type(0))
            for each in (self.scales, self.zeros)
        )
        assert scales is not None
        scales = scales.reshape(rows, count, number)
        if zeros is None:
            return codes, scales, None
        zeros = zeros.reshape(rows, count, number)
        if self.format.float_zero is None:
            self._fill(codes, zeros, length)
        return codes, scales, zeros

    def _fill(self, codes: np.ndarray, zeros: np.ndarray, length: int) -> None:
        """Set elements behind ``length`` to their zero points; SpecError if they have not those."""
        fmt = self.format
        assert isinstance(fmt, Block)
        element, zero = fmt.element, fmt.zero_point
        assert isinstance(element, Fixed)
        assert isinstance(zero, Fixed)
        flat = codes.reshape(len(codes), -1)
        points = integers_of(zeros, zero).reshape(len(codes), -1)
        rest = np.repeat(points, flat.shape[1] // points.shape[1], -1)[:, length:]
        low, high = reach(element)
        if ((rest < low) | (rest > high)).any():
            raise SpecError(
                f"{fmt.name}: K={length} is filled up to {flat.shape[1]}, and {element.name} has "
                "not all of the zero points"
            )
        flat[:, length:] = codes_of(rest, element)


def _codes(name: str, array: np.ndarray, fmt: Format) -> np.ndarray:
    """Return the codes of a scalar format that an array is, or that its values have."""
    if array.dtype.kind == "u":
        return check_codes(name, array, fmt)
    if not is_float(array.dtype):
        raise CodeError(
            f"{name}: dtype {array.dtype}: pass values as floats, or codes of {fmt.name} as "
            "unsigned integers: its encode makes them"
        )
    return fmt.encode(array)


def _block_scales(values: Quantized, scales: np.ndarray, axis: int) -> np.ndarray:
    """Return what blocks have one of, of each row along ``axis``, of a tile for all its rows."""
    fmt, shape = values.format, list(values.elements.shape)
    if fmt.size is None:
        shape[axis] = 1
        return np.broadcast_to(scales, shape)
    every = expand_scales(fmt, scales, values.elements.shape, axis)
    return np.take(every, np.arange(0, shape[axis], fmt.size), axis)


def _product(spec: BlockMac, left: _Matrix, right: _Matrix) -> np.ndarray:
    """Return the codes of all results, (rows of a, columns of b)."""
    result = np.empty((len(left.codes), len(right.codes)), spec.out.code_dtype)
    x = _Steps.of("a", left, spec)
    y = _Steps.of("b", right, spec)
    done = _decided(spec, x, y, result)
    if done.mean() <= _MOST:
        a, b = (
            hosted.Operand.of(s.factors, s.scales, s.finite, s.element, s.scale) for s in (x, y)
        )
        found = hosted.product(spec, a, b, result)
        done = done if found is None else found
    fast = None if done.mean() > _MOST else _Fast.of(spec, x, y)
    if fast is not None:
        each = x.codes.shape[1] * spec.factors.groups if spec.acc == "exact" else 1
        rows = max(CHUNK // (len(right.codes) * each), 1)
        for start in range(0, len(result), rows):
            piece = slice(start, start + rows)
            result[piece] = fast.evaluate(piece)
        done = x.finite[:, None] & y.finite
    rows, columns = np.nonzero(~done)
    most = max(4 * CHUNK // (spec.elements * x.codes.shape[1]), 16)
    for start in range(0, rows.size, most):
        piece = slice(start, start + most)
        result[rows[piece], columns[piece]] = _streamed(spec, x, y, rows[piece], columns[piece])
    return result


def _decided(spec: BlockMac, x: _Steps, y: _Steps, result: np.ndarray) -> np.ndarray:
    """Set the results that float64 decides, where all is rounded once; return which they are."""
    none = np.zeros(result.shape, bool)
    if spec.acc != "exact" or spec.rounding is Rounding.RDN or spec.multiplication is not None:
        return none
    if sum(filtered.significant_bits(steps.element, steps.scale) for steps in (x, y)) > _FLOAT:
        return none
    a, b = (filtered.values(s.factors, s.scales, s.finite, s.element, s.scale) for s in (x, y))
    found = filtered.product(a, b, spec.out, spec.rounding, spec.out_overflow)
    if found is None:
        return none
    result[...] = found[0]
    return found[1] & x.finite[:, None] & y.finite


@dataclass(frozen=True, kw_only=True, slots=True)
class _Steps:
    """An operand cut into the steps of a unit; ``finite`` are the rows without NaN, infinity.

    ``factors`` are codes of ``element``: what is multiplied, less any zero point.
    """

    codes: np.ndarray
    scales: np.ndarray | None
    zeros: np.ndarray | None
    factors: np.ndarray
    finite: np.ndarray
    element: Format
    scale: Format | None

    @classmethod
    def of(cls, name: str, matrix: _Matrix, spec: BlockMac) -> _Steps:
        codes, scales, zeros = matrix.steps(name, spec)
        fmt, factors = matrix.format, codes
        element, scale = factor(fmt), fmt.scale if isinstance(fmt, Block) else None
        floating = isinstance(fmt, Block) and fmt.float_zero is not None
        if isinstance(fmt, Block) and zeros is not None and not floating:
            assert isinstance(element, Fixed)
            factors = codes_of(differences(codes, zeros, fmt), element)
        # What has more terms than products is left to the unit.
        finite = np.full(len(codes), False) if floating else _finite(factors, element)
        if scales is not None and scale is not None:
            finite &= _finite(scales, scale)
        return cls(
            codes=codes,
            scales=scales,
            zeros=zeros,
            factors=factors,
            finite=finite,
            element=element,
            scale=scale,
        )


def _finite(codes: np.ndarray, fmt: Format) -> np.ndarray:
    return np.logical_not(nonfinite(codes.reshape(len(codes), -1), fmt).any(-1))


def _streamed(
    spec: BlockMac, x: _Steps, y: _Steps, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Return some results by the unit itself: a stream with one sequence for each."""
    steps, beats = x.codes.shape[1], spec.beats
    codes: dict[str, np.ndarray] = {}
    for name, operand, index in (("a", x, rows), ("b", y, columns)):
        codes[name] = operand.codes[index].reshape(-1, spec.lanes)
        if operand.scales is not None:
            scales = operand.scales[index].reshape(rows.size * steps, -1).repeat(beats, 0)
            codes[f"{name}_scale"] = scales if scales.shape[1] > 1 else scales[:, 0]
        if operand.zeros is not None:
            zeros = operand.zeros[index].reshape(rows.size * steps, -1).repeat(beats, 0)
            codes[f"{name}_zero"] = zeros if zeros.shape[1] > 1 else zeros[:, 0]
    last = np.zeros((rows.size, steps * beats), np.uint8)
    last[:, -1] = 1
    return spec.evaluate(**codes, last=last.ravel())["r"]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fast:
    """Sums of products as matrix products of integers in float64, where those are exact.

    Arrays have rows, then steps, then groups of one pair of scales.

    Attributes
    ----------
    parts : list of ndarray
        The elements of ``a``: one, or the upper and the lower where their sums would exceed
        float64, divided at ``half`` bits.
    columns : ndarray
        The elements of ``b``.
    signs : tuple of ndarray
        1 and -1, of both.
    scales : list of Exact or None
    low, bits : int
        Sums are multiples of ``2**low``, less than ``2**(low + bits)``.
    cut : int
        If not 0, sums go on in two parts, divided at so many bits.
    """

    spec: BlockMac
    parts: list[np.ndarray]
    half: int
    columns: np.ndarray
    signs: tuple[np.ndarray, np.ndarray]
    scales: list[Exact | None]
    low: int
    bits: int
    cut: int

    @classmethod
    def of(cls, spec: BlockMac, x: _Steps, y: _Steps) -> _Fast | None:
        """Return what the unit takes; None if it is not exact, or has too many bits."""
        if spec.multiplication is not None:
            return None
        groups = spec.factors.groups
        each = spec.elements // groups
        (xl, xh), (yl, yh) = (_range(operand.element) for operand in (x, y))
        bits, half = xh - xl + yh - yl + (each - 1).bit_length(), 0
        if bits > _FLOAT:
            half = (xh - xl) // 2
        scale_bits = sum(
            operand.scale.precision for operand in (x, y) if isinstance(operand.scale, Float)
        )
        cut = 0
        if bits + scale_bits > WINDOW - 2:
            cut = half or bits // 2
        widest = max(cut, bits - cut + 1) + scale_bits
        if spec.profile.kind != "exact" or bits - half > _FLOAT or widest > 64:
            return None

        def grouped(array: np.ndarray) -> np.ndarray:
            return array.reshape(len(array), x.codes.shape[1], groups, each)

        parts = [_integers(x, xl)]
        if half:
            upper = np.floor(np.ldexp(parts[0], -half))
            parts = [upper, parts[0] - np.ldexp(upper, half)]
        scales = []
        for name, operand in (("a", x), ("b", y)):
            scale = None
            if operand.scales is not None and operand.scale is not None:
                index = np.arange(groups) * spec.factors.scales[name] // groups
                scale = replace(unpack(operand.scales[..., index], operand.scale), kind=None)
            scales.append(scale)
        left, right = (
            1 - 2 * unpack(operand.factors, operand.element).negative.astype(np.float32)
            for operand in (x, y)
        )
        return cls(
            spec=spec,
            parts=[grouped(part) for part in parts],
            half=half,
            columns=grouped(_integers(y, yl)),
            signs=(grouped(left), grouped(right)),
            scales=scales,
            low=xl + yl,
            bits=bits,
            cut=cut,
        )

    def evaluate(self, rows: slice) -> np.ndarray:
        """Return the results of some rows of ``a``, for all of ``b``."""
        spec = self.spec
        direction = Direction(spec.rounding)
        down = bool(direction.down)
        shape = (len(self.signs[0][rows]), len(self.columns))
        if spec.acc == "exact":
            terms = [_joined(every) for every in zip(*self.steps(rows, down), strict=True)]
            # The sum starts from a zero of this sign, and no zero changes it.
            zero = np.bitwise_or.reduce([term.significand for term in terms]) == 0
            first = replace(terms[0], negative=np.where(zero, down, terms[0].negative))
            value = add_lanes([first, *terms[1:]], None, spec.out, down)
            return project(value, spec.out, direction, spec.out_overflow)[0].reshape(shape)
        acc = spec.acc
        assert not isinstance(acc, str)
        codes = np.zeros(shape[0] * shape[1], acc.code_dtype)
        for terms in self.steps(rows, down):
            held = unpack(codes, acc)
            if terms[0].shape[-1] == 1:
                total = add_terms([term[:, 0] for term in terms], held, acc, down)
            else:
                total = add_lanes(terms, held, acc, down)
            codes = project(total, acc, direction, spec.step_overflow)[0]
        if spec.out != acc:
            codes = project(unpack(codes, acc), spec.out, direction, spec.out_overflow)[0]
        return codes.reshape(shape)

    def steps(self, rows: slice, down: bool) -> Iterator[list[Exact]]:
        """Yield the scaled sums of each step in their parts, of shape (results, groups).

        The first part has the sign of the whole.
        """
        count, groups, each = self.columns.shape[1:]
        for step in range(count):
            pairs = [self._sums(rows, step, group) for group in range(groups)]
            totals = [np.stack(part, -1) for part in zip(*pairs, strict=True)]
            scale = self._scale(rows, step)
            flip = False if scale is None else scale.negative
            negative = totals[0] < 0
            zero = ~np.bitwise_or.reduce(totals).astype(bool)
            if scale is not None:
                zero |= scale.significand == 0
            if zero.any() and not self.spec.totals:
                signs = np.stack([self._signs(rows, step, group) for group in range(groups)], -1)
                alike = np.abs(signs) == each
                negative = np.where(zero, np.where(alike, signs < 0, flip ^ down), negative)
            result = []
            for total, low, high in zip(totals, *self._places, strict=True):
                value = Exact(
                    significand=np.abs(total).view(np.uint64),
                    exponent=low,
                    negative=negative,
                    low=low,
                    high=high,
                    bits=high - low,
                )
                # The lower part is not negative, though what it is part of may be.
                negative = np.zeros_like(negative)
                if scale is not None:
                    value = multiply(value, scale)
                    value = replace(value, exponent=np.broadcast_to(value.exponent, total.shape))
                result.append(value.reshape((-1, groups)))
            yield result

    @property
    def _places(self) -> tuple[list[int], list[int]]:
        """Last places of the parts of a sum, and their bounds."""
        top, cut = self.low + self.bits, self.cut
        if not cut:
            return [self.low], [top]
        return [self.low + cut, self.low], [top + 1, self.low + cut]

    def _sums(self, rows: slice, step: int, group: int) -> list[np.ndarray]:
        columns = self.columns[:, step, group].T
        sums = [(part[rows, step, group] @ columns).astype(np.int64) for part in self.parts]
        if not self.cut:
            return sums if not self.half else [(sums[0] << self.half) + sums[1]]
        lower = sums[-1]
        upper = lower >> self.cut
        if self.half:
            upper += sums[0]
        return [upper, lower & ((1 << self.cut) - 1)]

    def _signs(self, rows: slice, step: int, group: int) -> np.ndarray:
        x, y = self.signs
        return x[rows, step, group] @ y[:, step, group].T

    def _scale(self, rows: slice, step: int) -> Exact | None:
        x, y = self.scales
        left = None if x is None else x[rows, step][:, None]
        right = None if y is None else y[:, step][None]
        if left is None or right is None:
            return left if right is None else right
        return multiply(left, right)


def _range(fmt: Format) -> tuple[int, int]:
    """Return ``low`` and ``high``: values are multiples of 2**low, less than 2**high."""
    if isinstance(fmt, Fixed):
        return -fmt.fraction, fmt.width - fmt.fraction
    return fmt.quantum, fmt.emax + 1


def _integers(operand: _Steps, low: int) -> np.ndarray:
    values = np.ldexp(operand.element.decode(operand.factors), -low)
    return np.where(np.isfinite(values), values, 0.0)


def _joined(blocks: tuple[Exact, ...]) -> Exact:
    """Return the blocks side by side."""
    first = blocks[0]
    exponents = [np.broadcast_to(np.asarray(x.exponent), x.shape) for x in blocks]
    return replace(
        first,
        significand=np.concatenate([x.significand for x in blocks], -1),
        exponent=np.concatenate(exponents, -1),
        negative=np.concatenate([x.negative for x in blocks], -1),
        kind=None,
    )


def _rescaled(codes: np.ndarray, spec: BlockMac, seconds: list[Exact], out: Format) -> np.ndarray:
    """Return accumulators times the second scales, rounded once to ``out``."""
    acc = spec.acc
    assert not isinstance(acc, str)
    scale = seconds[0] if len(seconds) == 1 else multiply(*seconds)
    direction = Direction(spec.rounding)
    flat, result = codes.reshape(-1), np.empty(codes.size, out.code_dtype)
    for start in range(0, flat.size, CHUNK):
        piece = slice(start, start + CHUNK)
        every = scale[np.zeros(flat[piece].size, np.intp)]
        terms = products(unpack(flat[piece], acc), every)
        value = add_terms(terms, None, out, bool(direction.down))
        result[piece] = project(value, out, direction, resolve_or_default(spec.overflow, out))[0]
    return result
