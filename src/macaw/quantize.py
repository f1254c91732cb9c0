# SPDX-License-Identifier: BSD-2-Clause
"""Arrays of numbers to codes of a format and back, with the error that this makes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from macaw.golden.blocks import AnyFormat, Block, check_shape, expand_scales
from macaw.golden.errors import CodeError, FormatError, SpecError
from macaw.golden.formats import Fixed, Format
from macaw.golden.hadamard import hadamard
from macaw.golden.quantize import Quantized, Rules
from macaw.golden.rounding import Rounding

_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """What quantisation did to one tensor.

    Attributes
    ----------
    elements : int
    scale : float
        Power of two that the values were divided by before they were encoded; of a block format
        its second scale, 1 if it has none.
    sqnr_db : float or None
        ``10 log10(sum(x**2) / sum((x - q)**2))`` over the elements where both are finite; None
        if nothing was lost, or there was nothing to lose.
    max_abs_error, max_rel_error : float
        The relative error is of the elements that are not zero.
    saturated : int
        Finite inputs outside the range of the format, or of their block's scale.
    underflowed : int
        Inputs that are not zero and became zero.
    nonfinite : int
        Infinities and NaNs among the inputs.
    """

    elements: int
    scale: float
    sqnr_db: float | None
    max_abs_error: float
    max_rel_error: float
    saturated: int
    underflowed: int
    nonfinite: int

    def to_json(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


def quantize(
    values: np.ndarray,
    fmt: Format,
    *,
    rounding: str = "rne",
    overflow: str | None = None,
    scale: float | str = 1.0,
    seed: int = 0,
) -> tuple[np.ndarray, Loss]:
    """Encode ``values`` and measure the loss.

    Parameters
    ----------
    values : ndarray of floats or integers, not empty
    scale : float or "max"
        A power of two, so that dividing by it is exact; ``"max"`` takes the smallest one that
        brings the largest magnitude into the range of ``fmt``.
    seed : int
        Of the 16-bit random words for stochastic rounding.

    Returns
    -------
    codes : ndarray of ``fmt.code_dtype``, shaped as ``values``
    Loss

    Raises
    ------
    CodeError for an empty array or one that is not of real numbers, SpecError for an option.
    """
    _check_values(values)
    stochastic = Rounding.parse(rounding, "rounding").stochastic
    if rounding == "dynamic":
        raise SpecError("rounding=dynamic: is for hardware; choose one direction")
    flat = values.reshape(-1)
    largest = _largest(flat)
    factor = _scale(scale, fmt, largest)
    rng = np.random.default_rng(seed)
    codes = np.empty(flat.shape, fmt.code_dtype)
    tally = _Tally(fmt, factor, largest)
    for start in range(0, flat.size, _CHUNK):
        part = np.asarray(flat[start : start + _CHUNK])
        scaled = part if factor == 1.0 else part.astype(np.float64) / factor
        random = rng.integers(1 << 16, size=part.size) if stochastic else None
        code = fmt.encode(scaled, rounding=rounding, overflow=overflow, random=random)
        codes[start : start + _CHUNK] = code
        tally.add(part.astype(np.float64), fmt.decode(code) * factor)
    return codes.reshape(values.shape), tally.loss(flat.size)


def dequantize(codes: np.ndarray, fmt: Format, *, scale: float | str = 1.0) -> np.ndarray:
    """Return the values of ``codes``: float32 if it holds every value of ``fmt``, else float64."""
    factor = _scale(scale, fmt, 1.0)
    if isinstance(fmt, Fixed):
        narrow = fmt.width <= 24 and fmt.fraction <= 126
    else:
        narrow = fmt.precision <= 24 and fmt.emax <= 127 and fmt.quantum >= -149
    narrow = narrow and factor == 1.0
    return (fmt.decode(codes) * factor).astype(np.float32 if narrow else np.float64)


def quantize_blocks(
    values: np.ndarray,
    block: Block,
    *,
    axis: int = -1,
    rotation: int = 0,
    seed: int = 0,
    **options: Any,
) -> tuple[Quantized, Loss]:
    """Quantise ``values`` to a block format and measure the loss.

    Parameters
    ----------
    values : ndarray of floats or integers, not empty
    rotation : int
        Size of the Hadamard rotation along ``axis`` before it, 0 for none. The loss is of the
        values that are rotated back.
    seed : int
        Of the random words for stochastic rounding.
    options
        Of :class:`macaw.golden.quantize.Rules`. A block that is not finite has a NaN scale.

    Raises
    ------
    CodeError for an empty array or one that is not of real numbers, SpecError for an option.
    """
    _check_values(values)
    check_shape(block, values.shape, axis)
    rules = Rules(**options)
    words = None
    if rules.rounding.stochastic:
        words = np.random.default_rng(seed).integers(1 << rules.word_bits(block), size=values.shape)
    rotated = hadamard(values, rotation, axis=axis) if rotation else values
    q = block.quantize(rotated, axis=axis, random=words, nonfinite="nan", **options)
    back = dequantize_blocks(q, rotation=rotation)
    x = np.asarray(values).astype(np.float64)
    factors = block.scale.decode(q.scales)
    second = 1.0
    if q.second_scale is not None and block.second_scale is not None:
        second = float(block.second_scale.decode(q.second_scale))
    factor = expand_scales(block, factors * second, x.shape, axis)
    tally = _Tally(block.element, 1.0, _largest(x.reshape(-1)))
    tally.add(x.reshape(-1), back.reshape(-1))
    inside = rotated.astype(np.float64) if rotation else x
    with np.errstate(invalid="ignore"):
        beyond = (inside > block.element.max * factor) | (inside < block.element.min * factor)
    tally.saturated = int((beyond & np.isfinite(inside)).sum())
    tally.factor = second
    return q, tally.loss(x.size)


def dequantize_blocks(q: Quantized, *, rotation: int = 0) -> np.ndarray:
    """Return the values of ``q`` as float64, rotated back if they were rotated."""
    values = q.dequantize()
    return hadamard(values, rotation, axis=q.axis, inverse=True) if rotation else values


def arrays_of(name: str, q: Quantized) -> dict[str, np.ndarray]:
    """Return the codes of ``q`` as named arrays, as files hold them."""
    arrays = {f"{name}.elements": q.elements, f"{name}.scales": q.scales}
    if q.second_scale is not None:
        arrays[f"{name}.second_scale"] = q.second_scale
    return arrays


def quantized(
    arrays: Iterable[tuple[str, np.ndarray]], block: Block, *, axis: int = -1
) -> Iterator[tuple[str, Quantized]]:
    """Put together what :func:`arrays_of` made; CodeError if a part is missing or too much."""
    parts = dict(arrays)
    names = [name.removesuffix(".elements") for name in parts if name.endswith(".elements")]
    second = [".second_scale"] if block.second_scale else []
    for name in names:
        wanted = [".elements", ".scales", *second]
        for part in wanted:
            if name + part not in parts:
                raise CodeError(f"{name}{part}: is missing beside {name}.elements")
        codes = [np.asarray(parts.pop(name + part)) for part in wanted]
        fields = dict(zip(("elements", "scales", "second_scale"), codes))
        yield name, Quantized(format=block, axis=axis, **fields)
    if parts:
        raise CodeError(f"{next(iter(parts))}: is no part of an array in {block.name}")


def decoded(
    file: str,
    arrays: Iterable[tuple[str, np.ndarray]],
    fmt: AnyFormat,
    *,
    scale: float | str = 1.0,
    axis: int = -1,
    rotation: int = 0,
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the values of the codes that ``file`` holds; errors name it and the array."""
    name = ""
    try:
        if isinstance(fmt, Block):
            for name, q in quantized(arrays, fmt, axis=axis):
                yield name, dequantize_blocks(q, rotation=rotation)
        else:
            for name, codes in arrays:
                yield name, dequantize(codes, fmt, scale=scale)
    except (CodeError, FormatError, SpecError) as error:
        raise type(error)(": ".join(filter(None, (file, name, str(error))))) from None


def _check_values(values: np.ndarray) -> None:
    if values.dtype.kind not in "fiu":
        raise CodeError(f"dtype {values.dtype}: must be floats or integers")
    if values.size == 0:
        raise CodeError(f"empty array of shape {values.shape}")


def _largest(flat: np.ndarray) -> float:
    largest = 0.0
    for start in range(0, flat.size, _CHUNK):
        part = np.abs(flat[start : start + _CHUNK].astype(np.float64))
        largest = max(largest, float(part[np.isfinite(part)].max(initial=0.0)))
    return largest


def _scale(scale: float | str, fmt: Format, largest: float) -> float:
    if scale == "max":
        if largest == 0.0:
            return 1.0
        exponent = math.frexp(largest)[1] - math.frexp(fmt.max)[1]
        return math.ldexp(1.0, exponent + (math.ldexp(largest, -exponent) > fmt.max))
    try:
        factor = float(scale)
    except ValueError:
        factor = 0.0
    if not (0.0 < factor < math.inf and math.frexp(factor)[0] == 0.5):
        raise SpecError(f"scale={scale}: must be max or a power of two")
    return factor


class _Tally:
    def __init__(self, fmt: Format, factor: float, largest: float) -> None:
        self.factor = factor
        self.high = fmt.max * factor
        signed_low = fmt.min if isinstance(fmt, Fixed) else -fmt.max
        self.low = (signed_low if fmt.signed else 0.0) * factor
        self.unit = largest or 1.0  # squares are of ratios to this, so they do not overflow
        self.signal = self.noise = self.max_abs = self.max_rel = 0.0
        self.saturated = self.underflowed = self.nonfinite = 0

    def add(self, x: np.ndarray, q: np.ndarray) -> None:
        finite = np.isfinite(x)
        self.nonfinite += int(x.size - finite.sum())
        self.saturated += int((finite & ((x > self.high) | (x < self.low))).sum())
        self.underflowed += int(((x != 0) & (q == 0)).sum())
        both = finite & np.isfinite(q)
        x, error = x[both], np.abs(x[both] - q[both])
        self.signal += float(np.square(x / self.unit).sum())
        self.noise += float(np.square(error / self.unit).sum())
        self.max_abs = max(self.max_abs, float(error.max(initial=0.0)))
        there = x != 0
        relative = error[there] / np.abs(x[there])
        self.max_rel = max(self.max_rel, float(relative.max(initial=0.0)))

    def loss(self, elements: int) -> Loss:
        lost = self.noise > 0 and self.signal > 0
        return Loss(
            elements=elements,
            scale=self.factor,
            sqnr_db=10 * math.log10(self.signal / self.noise) if lost else None,
            max_abs_error=self.max_abs,
            max_rel_error=self.max_rel,
            saturated=self.saturated,
            underflowed=self.underflowed,
            nonfinite=self.nonfinite,
        )
