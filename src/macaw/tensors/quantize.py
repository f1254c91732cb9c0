# SPDX-License-Identifier: BSD-2-Clause
"""Arrays of numbers to codes of a format and back, with the error that this makes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from macaw.golden.arithmetic.block_rules import in_fp32
from macaw.golden.arrays import numbers
from macaw.golden.errors import CodeError, FormatError, SpecError
from macaw.golden.formats import Book, Fixed, Float, Format, Posit
from macaw.golden.formats.block import AnyFormat, Block, check_shape, expand_scales
from macaw.golden.formats.choices import Rounding
from macaw.golden.tensors.packing import pack, unpack
from macaw.golden.tensors.packing import packing as find_packing
from macaw.golden.tensors.quantized import Quantized, Rules
from macaw.golden.tensors.rotation import hadamard

_CHUNK = 1 << 20
_PARTS = ("elements", "scales", "second_scale", "zeros")
"""Of an array in a block format: what files have behind its name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """What quantisation did to one tensor: its values beside those that its codes stand for.

    Attributes
    ----------
    elements : int
    exact : bool
        Whether the codes stand for the very values; a NaN for a NaN.
    scale : float
        Power of two that the values were divided by before they were encoded; of a block format
        its second scale, 1 if it has none.
    sqnr_db : float or None
        ``10 log10(sum(x**2) / sum((x - q)**2))`` over the elements where both are finite; None
        if these are equal, or there are none.
    max_abs_error, max_rel_error : float
        Of the same elements; the relative error of those that are not zero.
    saturated : int
        Finite inputs outside the range of the format, or of their block's scale, for which there
        is a finite number.
    underflowed : int
        Inputs that are not zero and became zero, but for those that saturated.
    lost : int
        Finite inputs for which there is a NaN or an infinity: their own, or their block's.
    nonfinite : int
        Infinities and NaNs among the inputs.
    replaced : int
        Those of them for which there is something else: a finite number, or a NaN for an infinity.
    """

    elements: int
    exact: bool
    scale: float
    sqnr_db: float | None
    max_abs_error: float
    max_rel_error: float
    saturated: int
    underflowed: int
    lost: int
    nonfinite: int
    replaced: int

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
    fmt = _scalar(fmt)
    values = _values(values)
    stochastic = Rounding.parse(rounding, "rounding").stochastic
    if rounding == "dynamic":
        raise SpecError("rounding=dynamic: is for hardware; choose one direction")
    flat = values.reshape(-1)
    factor = _scale(scale, fmt, flat)
    rng = _generator(seed)
    codes = np.empty(flat.shape, fmt.code_dtype)
    tally = _Tally()
    for start in range(0, flat.size, _CHUNK):
        part = flat[start : start + _CHUNK]
        with np.errstate(all="ignore"):
            scaled = part if factor == 1.0 else _float64(part) / factor
        random = rng.integers(1 << 16, size=part.size) if stochastic else None
        code = fmt.encode(scaled, rounding=rounding, overflow=overflow, random=random)
        codes[start : start + _CHUNK] = code
        x = _float64(part)
        with np.errstate(all="ignore"):
            q = fmt.decode(code) * factor
            beyond = (x > fmt.max * factor) | (x < fmt.min * factor)
        error = _errors(part, q, code, fmt, factor)
        tally.add(x, q, error, beyond)
    return codes.reshape(values.shape), tally.loss(flat.size, factor)


def dequantize(codes: np.ndarray, fmt: Format, *, scale: float | str = 1.0) -> np.ndarray:
    """Return the values of ``codes``: float32 if it holds every value of ``fmt``, else float64."""
    fmt = _scalar(fmt)
    factor = _scale(scale, fmt, np.ones(1))
    if isinstance(fmt, Fixed):
        narrow = fmt.width <= 24 and fmt.fraction <= 126
    elif isinstance(fmt, Book):
        narrow = in_fp32(fmt)
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
        Of :class:`macaw.golden.tensors.quantized.Rules`. A block that is not finite has a NaN
        scale.

    Raises
    ------
    CodeError for an empty array or one that is not of real numbers, SpecError for an option.
    """
    if not isinstance(block, Block):
        raise FormatError(f"block={block!s}: must be a block format")
    values = _values(values)
    check_shape(block, values.shape, axis)
    rules = Rules(**options)
    words = None
    if rules.rounding.stochastic:
        words = _generator(seed).integers(1 << rules.word_bits(block), size=values.shape)
    _check_rotation(rotation)
    with np.errstate(all="ignore"):
        # Integers of a file are values, also where they are unsigned.
        rotated = hadamard(values.astype(np.float64), rotation, axis=axis) if rotation else values
    q = block.quantize(rotated, axis=axis, random=words, nonfinite="nan", **options)
    second = 1.0
    if q.second_scale is not None and block.second_scale is not None:
        second = float(block.second_scale.decode(q.second_scale))
    x = _float64(values)
    with np.errstate(all="ignore"):
        back = dequantize_blocks(q, rotation=rotation)
        factor = expand_scales(block, block.scale.decode(q.scales) * second, x.shape, axis)
        inside = _float64(rotated)
        least, most = block.element.min * factor, block.element.max * factor
        if block.zero_point is not None and q.zeros is not None:
            zeros = expand_scales(block, block.zero_point.decode(q.zeros), x.shape, axis)
            zeros = zeros if block.minimum else -zeros * factor
            least, most = least + zeros, most + zeros
        beyond = (inside > most) | (inside < least)
    # Where the scale itself became zero all is lost below the range and not beyond it.
    beyond &= (factor > 0) & np.isfinite(inside)
    tally = _Tally()
    error = _errors(values, back)
    tally.add(x.reshape(-1), back.reshape(-1), error.reshape(-1), beyond.reshape(-1))
    return q, tally.loss(x.size, second)


def dequantize_blocks(q: Quantized, *, rotation: int = 0) -> np.ndarray:
    """Return the values of ``q`` as float64, rotated back if they were rotated."""
    if not isinstance(q, Quantized):
        raise CodeError(f"q: a {type(q).__name__}: must be what quantize_blocks returned")
    _check_rotation(rotation)
    values = q.dequantize()
    return hadamard(values, rotation, axis=q.axis, inverse=True) if rotation else values


def arrays_of(name: str, q: Quantized, packing: str | None = None) -> dict[str, np.ndarray]:
    """Return the codes of ``q`` as named arrays, as files hold them.

    With a ``packing`` they are those of :func:`macaw.golden.tensors.packing.pack`, by the name of
    the layer: that of its weight, without ``.weight``.
    """
    if packing is not None:
        layer = name.removesuffix(".weight")
        return {f"{layer}.{part}": array for part, array in pack(q, packing).items()}
    arrays = {f"{name}.elements": q.elements, f"{name}.scales": q.scales}
    if q.second_scale is not None:
        arrays[f"{name}.second_scale"] = q.second_scale
    if q.zeros is not None:
        arrays[f"{name}.zeros"] = q.zeros
    return arrays


def array_of(part: str, fmt: AnyFormat, packing: str | None = None) -> str:
    """Return the name of the array that a part from :func:`arrays_of` belongs to."""
    parts = _PARTS if packing is None else find_packing(packing).parts
    for end in map(".".__add__, parts) if isinstance(fmt, Block) else ():
        if part.endswith(end):
            return part.removesuffix(end)
    return part


def quantized(
    arrays: Iterable[tuple[str, np.ndarray]],
    block: Block,
    *,
    axis: int = -1,
    packing: str | None = None,
) -> Iterator[tuple[str, Quantized]]:
    """Put together what :func:`arrays_of` made; CodeError if a part is missing or too much."""
    parts = dict(arrays)
    there = {"second_scale": block.second_scale, "zeros": block.zero_point}
    wanted = [part for part in _PARTS if there.get(part, block) is not None]
    if packing is not None:
        wanted = list(find_packing(packing).parts)
    first = wanted[0]
    names = [name.removesuffix(f".{first}") for name in parts if name.endswith(f".{first}")]
    for name in names:
        for part in wanted:
            if f"{name}.{part}" not in parts:
                raise CodeError(f"{name}.{part}: is missing beside {name}.{first}")
        fields = {part: parts.pop(f"{name}.{part}") for part in wanted}
        if packing is not None:
            yield name, unpack(fields, packing, block)
        else:
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
    packing: str | None = None,
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the values of the codes that ``file`` holds; errors name it and the array."""
    name = ""
    try:
        if isinstance(fmt, Block):
            for name, q in quantized(arrays, fmt, axis=axis, packing=packing):
                yield name, dequantize_blocks(q, rotation=rotation)
        else:
            for name, codes in arrays:
                yield name, dequantize(codes, fmt, scale=scale)
    except (CodeError, FormatError, SpecError) as error:
        raise type(error)(": ".join(filter(None, (file, name, str(error))))) from None


def _scalar(fmt: Any) -> Format:
    if not isinstance(fmt, Fixed | Float | Book | Posit):
        raise FormatError(f"fmt={fmt!s}: must be a scalar format, as format('e4m3') makes it")
    return fmt


def _check_rotation(rotation: Any) -> None:
    if type(rotation) is not int:
        raise SpecError(f"rotation={rotation!s}: must be a power of two, or 0 for none")


def _values(values: Any) -> np.ndarray:
    values = numbers("values", values)
    if values.size == 0:
        raise CodeError(f"empty array of shape {values.shape}")
    return values


def _float64(values: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # of signalling NaNs
        return values.astype(np.float64)


def _generator(seed: int) -> np.random.Generator:
    if not isinstance(seed, int) or seed < 0:
        raise SpecError(f"seed={seed}: must be an integer from 0 on")
    return np.random.default_rng(seed)


def _largest(flat: np.ndarray) -> float:
    largest = 0.0
    for start in range(0, flat.size, _CHUNK):
        part = np.abs(_float64(flat[start : start + _CHUNK]))
        largest = max(largest, float(part[np.isfinite(part)].max(initial=0.0)))
    return largest


def _scale(scale: float | str, fmt: Format, flat: np.ndarray) -> float:
    if isinstance(scale, str) and scale == "max":
        largest = _largest(flat)
        if largest == 0.0:
            return 1.0
        fraction, exponent = math.frexp(largest)
        most, end = math.frexp(fmt.max)
        return math.ldexp(1.0, min(max(exponent - end + (fraction > most), -1022), 1023))
    try:
        factor = float(scale)
    except (TypeError, ValueError, OverflowError):
        factor = 0.0
    if not (0.0 < factor < math.inf and math.frexp(factor)[0] == 0.5):
        raise SpecError(f"scale={scale}: must be max or a power of two")
    return factor


def _errors(
    values: np.ndarray,
    q: np.ndarray,
    codes: np.ndarray | None = None,
    fmt: Format | None = None,
    factor: float = 1.0,
) -> np.ndarray:
    """Return ``|values - q|``, which is zero only where they are equal.

    float64 has not all integers beyond ``2**53``: these are compared as they are, and so are the
    codes of fixed-point formats that are wider.
    """
    x = _float64(values)
    with np.errstate(all="ignore"):
        error = np.abs(x - q)
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        for i in zip(*((np.abs(x) >= 2.0**53) & np.isfinite(q)).nonzero()):
            there = Fraction(float(q[i]))
            if codes is not None and isinstance(fmt, Fixed) and fmt.width > 53:
                code = int(codes[i])
                code -= fmt.signed * (code >> (fmt.width - 1) << fmt.width)
                there = code * Fraction(factor) / 2**fmt.fraction
            error[i] = float(abs(int(values[i]) - there))
    return error


class _Squares:
    """A sum of squares of any numbers: of their ratios to the largest, or it would leave float64.

    ``log10`` is that of the sum, -infinity of nothing.
    """

    def __init__(self) -> None:
        self.sum, self.largest = 0.0, 0.0

    def add(self, values: np.ndarray) -> None:
        largest = float(np.abs(values).max(initial=0.0))
        if largest > self.largest:
            self.sum *= (self.largest / largest) ** 2
            self.largest = largest
        if self.largest:
            self.sum += float(np.square(values / self.largest).sum())

    @property
    def log10(self) -> float:
        return 2 * math.log10(self.largest) + math.log10(self.sum) if self.sum else -math.inf


class _Tally:
    def __init__(self) -> None:
        self.signal, self.noise = _Squares(), _Squares()
        self.max_rel = 0.0
        self.saturated = self.underflowed = self.lost = self.nonfinite = self.replaced = 0

    def add(self, x: np.ndarray, q: np.ndarray, error: np.ndarray, beyond: np.ndarray) -> None:
        """Count values, what became of them, the error, and which were out of range."""
        finite, there = np.isfinite(x), np.isfinite(q)
        same = (x == q) | (np.isnan(x) & np.isnan(q))
        self.nonfinite += int(x.size - finite.sum())
        self.replaced += int((~finite & ~same).sum())
        self.lost += int((finite & ~there).sum())
        clamped = beyond & finite & there
        self.saturated += int(clamped.sum())
        self.underflowed += int(((x != 0) & (q == 0) & ~clamped).sum())
        x, error = x[finite & there], error[finite & there]
        self.signal.add(x)
        self.noise.add(error)
        nonzero = x != 0
        with np.errstate(over="ignore"):
            relative = error[nonzero] / np.abs(x[nonzero])
        self.max_rel = max(self.max_rel, float(relative.max(initial=0.0)))

    def loss(self, elements: int, scale: float) -> Loss:
        sqnr = None
        if self.noise.sum:
            sqnr = 10 * (self.signal.log10 - self.noise.log10)
        return Loss(
            elements=elements,
            exact=not (self.noise.sum or self.lost or self.replaced),
            scale=scale,
            sqnr_db=sqnr,
            max_abs_error=self.noise.largest,
            max_rel_error=self.max_rel,
            saturated=self.saturated,
            underflowed=self.underflowed,
            lost=self.lost,
            nonfinite=self.nonfinite,
            replaced=self.replaced,
        )
