# SPDX-License-Identifier: BSD-2-Clause
"""Flexpoint tensors: integers that share one exponent, and arithmetic between them.

Koster et al., *Flexpoint: An Adaptive Numerical Format for Efficient Training of Deep Neural
Networks*, NeurIPS 2017 (arXiv 1711.02213). Sums and products are exact integers; whoever asks for
one names the exponent of the result, and :func:`rescale`, the one output stage, brings the exact
integers there: an arithmetic shift, one rounding, saturation. What the shift must be is
:class:`~macaw.golden.autoflex.Autoflex`'s to say, from :attr:`FlexTensor.maximum`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import common_shape, integer, integers, numbers_not_codes, plain
from .blocks import AnyFormat, Block
from .blocks import format as format_of
from .codec import as_codes
from .errors import CodeError, SpecError
from .exact import Exact, unpack
from .formats import Fixed
from .operands import CHUNK, check_codes
from .project import Direction, check_random, project, random_words
from .rounding import Overflow, Rounding
from .scaling import nonfinite
from .sums import add_terms

_EXACT = 53
"""Bits of the integers that float64 adds and multiplies without rounding."""
_HALF = 16
"""Bits of the lower part of mantissas that are multiplied in two."""
_LIMB = 32
_FARTHEST = 1 << 12
"""Exponents that :func:`rescale` takes lie within this."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FlexTensor:
    """A tensor of values ``mantissas * 2**exponent``.

    Parameters
    ----------
    mantissas : array_like of integers
        Two's complement integers of N bits, at least one of them; kept in the smallest signed
        dtype.
    exponent : int
        From ``-(2**M - 1)`` to 0.
    format : Block or str
        ``flex<N>+<M>``.

    Raises
    ------
    CodeError for arrays that are empty, no integers or out of range. SpecError for an exponent or
    a format that is none of Flexpoint's.
    """

    mantissas: np.ndarray
    exponent: int
    format: Block = "flex16+5"  # type: ignore[assignment]

    def __post_init__(self) -> None:
        fmt = check_flex("format", self.format)
        object.__setattr__(self, "format", fmt)
        check_exponent("exponent", self.exponent, fmt)
        object.__setattr__(self, "exponent", int(self.exponent))
        array = _integers("mantissas", self.mantissas)
        element = _element(fmt)
        low, high = int(array.min()), int(array.max())
        if low < element.min_integer or high > element.max_integer:
            bad = low if low < element.min_integer else high
            raise CodeError(f"mantissas: {bad} is out of range for {fmt.name}")
        object.__setattr__(self, "mantissas", array.astype(mantissa_dtype(fmt)))

    @classmethod
    def of(
        cls,
        values: Any,
        exponent: int | None = None,
        format: str | Block = "flex16+5",
        *,
        rounding: Any = "rne",
        random: Any = None,
        random_bits: int = 16,
    ) -> FlexTensor:
        """Return the tensor nearest to ``values``: each rounded once, and saturated.

        Parameters
        ----------
        values : array_like
            Floats of any dtype that numpy or ml_dtypes has, or signed integers, each taken as the
            exact number that it is. Unsigned integers are codes, which :meth:`from_codes` takes.
        exponent : int, optional
            By default the one that gives the largest magnitude all bits, or of a tensor of zeros
            the least one.
        rounding, random, random_bits
            As of :func:`rescale`.

        Raises
        ------
        CodeError for unsigned integers, NaN and infinities, and as in the constructor.
        """
        fmt = check_flex("format", format)
        codes, source = as_codes(
            "values", numbers_not_codes("values", values, "FlexTensor.from_codes")
        )
        if not codes.size:
            raise CodeError(f"values: shape {codes.shape}: a tensor has an element at least")
        beyond = nonfinite(codes, source)
        if beyond.any():
            at = int(beyond.reshape(-1).argmax())
            raise CodeError(f"values: element {at} is a NaN or an infinity")
        if exponent is None:
            exponent = int(fmt.quantize(values).scales) - fmt.scale.bias
        check_exponent("exponent", exponent, fmt)
        direction = _direction(rounding, random, random_bits, codes.shape, fmt)
        mantissas = _each(
            codes.shape,
            (codes,),
            direction,
            lambda part, now: _project([unpack(part, source)], np.int64(-exponent), fmt, now),
            fmt,
        )
        return cls(mantissas=mantissas, exponent=exponent, format=fmt)

    @classmethod
    def from_codes(cls, codes: Any, scale: int, format: str | Block = "flex16+5") -> FlexTensor:
        """Return the tensor of codes of the elements and the code of the scale."""
        fmt = check_flex("format", format)
        element = _element(fmt)
        array = check_codes("codes", codes, element)
        code = integer("scale", check_codes("scale", scale, fmt.scale))
        sign = np.int64(1 << (element.width - 1))
        mantissas = (array.astype(np.int64) ^ sign) - sign
        return cls(mantissas=mantissas, exponent=code - fmt.scale.bias, format=fmt)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values."""
        return self.mantissas.shape

    @property
    def maximum(self) -> int:
        """Largest magnitude of a mantissa, 0 to ``2**(N-1)``: the paper's Gamma."""
        return max(int(self.mantissas.max()), -int(self.mantissas.min()))

    @property
    def overflow(self) -> bool:
        """Whether values may have been saturated: ``maximum >= 2**(N-1) - 1``."""
        return self.maximum >= _element(self.format).max_integer

    @property
    def scale(self) -> int:
        """Code of the exponent in :attr:`Block.scale` of the format."""
        return self.exponent + self.format.scale.bias

    @property
    def codes(self) -> np.ndarray:
        """Codes of the elements, in the smallest unsigned dtype."""
        element = _element(self.format)
        mask = (1 << element.width) - 1
        return (self.mantissas.astype(np.int64) & mask).astype(element.code_dtype)

    @property
    def T(self) -> FlexTensor:
        """The tensor with its axes in the opposite order."""
        return self.with_mantissas(self.mantissas.T)

    def reshape(self, *shape: int) -> FlexTensor:
        """Return the tensor with other axes."""
        return self.with_mantissas(self.mantissas.reshape(*shape))

    def with_mantissas(self, mantissas: np.ndarray) -> FlexTensor:
        """Return a tensor of the same exponent and format: a part, or other axes."""
        return FlexTensor(mantissas=mantissas, exponent=self.exponent, format=self.format)

    def to_float(self) -> np.ndarray:
        """Return the values as float64, exactly."""
        return np.ldexp(self.mantissas.astype(np.float64), self.exponent)

    def matmul(
        self,
        other: FlexTensor,
        exponent: int,
        *,
        format: str | Block | None = None,
        **stage: Any,
    ) -> FlexTensor:
        """Return ``self @ other`` at ``exponent``: exact sums of products, each rounded once.

        ``self`` is of shape (…, M, K) and ``other`` of (K, N). Their formats may differ; that of
        the result defaults to that of ``self``. ``stage``: rounding, random and random_bits of
        :func:`rescale`. CodeError for shapes that do not fit.
        """
        shape, rows = self.shape, other.shape[0] if other.shape else 0
        if len(shape) < 2 or len(other.shape) != 2 or shape[-1] != rows:
            raise CodeError(
                f"other: shape {other.shape} where self has {shape}: must be (K, N) and (…, M, K)"
            )
        left = self.mantissas.reshape(-1, rows)
        sums = exact_matmul(left, other.mantissas, self.format, other.format)
        parts = sums if isinstance(sums, tuple) else (sums,)
        parts = tuple(part.reshape(*shape[:-1], -1) for part in parts)
        sums = parts if len(parts) == 2 else parts[0]
        return self._result(rescale, sums, self.exponent + other.exponent, exponent, format, stage)

    def multiply(
        self,
        other: FlexTensor,
        exponent: int,
        *,
        format: str | Block | None = None,
        **stage: Any,
    ) -> FlexTensor:
        """Return ``self * other`` at ``exponent``, element by element, each rounded once.

        Shapes broadcast like numpy; the rest is as in :meth:`matmul`.
        """
        common_shape(self.shape, other.shape)
        product = self.mantissas.astype(np.int64) * other.mantissas
        start = self.exponent + other.exponent
        return self._result(rescale, product, start, exponent, format, stage)

    def add(
        self,
        other: FlexTensor,
        exponent: int,
        *,
        format: str | Block | None = None,
        **stage: Any,
    ) -> FlexTensor:
        """Return ``self + other`` at ``exponent``: the exact sums, each rounded once.

        Shapes broadcast like numpy; the rest is as in :meth:`matmul`.
        """
        integers = self.mantissas, other.mantissas
        start = self.exponent, other.exponent
        return self._result(aligned_sum, integers, start, exponent, format, stage)

    def _result(
        self,
        function: Callable[..., np.ndarray],
        integers: Any,
        start: Any,
        exponent: int,
        format: str | Block | None,
        stage: dict[str, Any],
    ) -> FlexTensor:
        fmt = self.format if format is None else check_flex("format", format)
        check_exponent("exponent", exponent, fmt)
        mantissas = function(integers, start, exponent, fmt, **stage)
        return FlexTensor(mantissas=mantissas, exponent=exponent, format=fmt)


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
            terms[0] = _shifted(terms[0], np.int64(_LIMB))
        return _project(terms, shift, fmt, now)

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
        terms = [_shifted(unpack(left, source_x), up), _shifted(unpack(right, source_y), right_up)]
        return _project(terms, np.int64(0), fmt, now)

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


# -------------------------------------------------------------------------------------- formats


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


# --------------------------------------------------------------------------------------- arrays


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


def _shifted(x: Exact, shift: np.ndarray | np.int64) -> Exact:
    """Return ``x * 2**shift``."""
    exponent = np.broadcast_to(np.asarray(x.exponent + shift, np.int64), x.shape)
    low, high = x.low + int(np.min(shift)), x.high + int(np.max(shift))
    return Exact(x.significand, exponent, x.negative, x.kind, low, high, x.bits)


def _project(
    terms: list[Exact], shift: np.ndarray | np.int64, fmt: Block, direction: Direction
) -> np.ndarray:
    """Return the mantissas nearest to the sum of one or two terms times ``2**shift``."""
    first, *rest = [_shifted(term, shift) for term in terms]
    first.kind = None
    element = _element(fmt)
    value = add_terms([first], rest[0] if rest else None, element, False)
    codes = project(value, element, direction, Overflow.SATURATE)[0].astype(np.int64)
    sign = np.int64(1 << (element.width - 1))
    return (codes ^ sign) - sign
