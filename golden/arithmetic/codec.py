# SPDX-License-Identifier: BSD-2-Clause
"""Encoding of numbers as codes of a format, and back."""

from __future__ import annotations

import functools
import importlib
import numbers as abstract
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from ..arrays import common_shape, integers, numbers, plain
from ..errors import CodeError, FormatError, SpecError
from ..formats.choices import Nan, Overflow, Rounding
from ..formats.scalar import FORMATS, Book, Fixed, Float, Format, Posit, Subnormals
from ..formats.scalar import format as format_of
from ..tables import Shelf
from .binary64.float32 import Decode, upper_part
from .binary64.host import Kernel, cast, host_dtype, in_pieces
from .binary64.rounding import Target, gradual
from .binary64.scratch import FEW
from .binary64.sums import Term
from .exact import INF, NAN, Exact, unpack
from .operands import CHUNK, check_codes
from .projection import (
    Direction,
    check_random,
    check_rounding,
    nan_code,
    project,
    random_words,
    resolve_nan,
    resolve_overflow,
)

_DTYPES = {
    "fp64": "float64",
    "fp32": "float32",
    "fp16": "float16",
    "bf16": "bfloat16",
    "e5m2": "float8_e5m2",
    "e4m3": "float8_e4m3fn",
    "e4m3ieee": "float8_e4m3",
    "e3m4": "float8_e3m4",
    "e5m2fnuz": "float8_e5m2fnuz",
    "e4m3fnuz": "float8_e4m3fnuz",
    "e4m3b11fnuz": "float8_e4m3b11fnuz",
    "e3m2": "float6_e3m2fn",
    "e2m3": "float6_e2m3fn",
    "e2m1": "float4_e2m1fn",
    "e8m0": "float8_e8m0fnu",
    "int2": "int2",
    "int4": "int4",
    "uint2": "uint2",
    "uint4": "uint4",
    **{f"{u}int{n}": f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)},
}
_SOURCES = {dtype: name for name, dtype in _DTYPES.items()}
_FARTHEST = 1 << 16
"""Exponents beyond this are taken as this: all formats end far nearer."""


@functools.lru_cache(maxsize=128)
def value_dtype(fmt: Format) -> np.dtype | None:
    """Return the numpy or ml_dtypes dtype that has the same codes, or None."""
    name = _DTYPES.get(fmt.name)
    if name is None:
        return None
    if hasattr(np, name):
        return np.dtype(name)
    try:
        return np.dtype(getattr(importlib.import_module("ml_dtypes"), name))
    except (ImportError, AttributeError):
        return None


def to_numpy(fmt: Format, codes: Any) -> np.ndarray:
    """See :meth:`macaw.golden.formats.Float.to_numpy`."""
    dtype = value_dtype(fmt)
    codes = check_codes("codes", codes, fmt)
    if dtype is None:
        raise FormatError(f"{fmt.name}: neither numpy nor ml_dtypes has a dtype of its codes")
    if isinstance(fmt, Fixed) and fmt.width < 8:
        sign = (fmt.width - 1) if fmt.signed else 8
        return (codes.astype(np.int8) - ((codes >> sign).astype(np.int8) << fmt.width)).astype(
            dtype
        )
    return codes.view(dtype)


def encode(
    fmt: Format,
    values: Any,
    *,
    rounding: Any,
    overflow: Any,
    nan: Any,
    random: Any,
    random_bits: int | None,
) -> np.ndarray:
    """See :meth:`macaw.golden.formats.Float.encode`."""
    usual = random is None and random_bits is None and {type(rounding), type(overflow)} <= _WORDS
    if usual and type(values) is np.ndarray and type(nan) in _WORDS:
        known = fmt.remembered.get((values.dtype, rounding, overflow, nan))
        if known is not None:
            return known.encode(values)
    direction, policy = _options(fmt, rounding, overflow, random, random_bits)
    becomes = resolve_nan(nan, fmt)
    array = plain("values", values)
    if array.dtype == object:
        significand, exponent = _from_objects(array, fmt)
        return _encode(fmt, (significand, exponent), direction, policy)
    codes, source = as_codes("values", array)
    if direction.random is not None:
        return _encode(fmt, codes, direction, policy, source, becomes)
    encoder = Encoder(fmt, source, direction, policy, becomes)
    if usual and type(nan) in _WORDS:
        fmt.remembered[array.dtype, rounding, overflow, nan] = encoder
    return encoder.encode(array)


_WORDS = {str, type(None)}


class Encoder:
    """Encodes arrays of one dtype in one way, and looks results up where that pays.

    A table has been paid for when a quarter as many results were computed as it has.
    """

    __slots__ = ("_cast", "_computed", "_kept", "_look_up", "given")

    def __init__(
        self,
        fmt: Format,
        source: Format,
        direction: Direction,
        policy: Overflow | None,
        becomes: Nan | None,
    ) -> None:
        self.given = fmt, source, direction, policy, becomes
        self._cast, self._look_up, self._computed = None, None, 0
        self._kept = _kept_bits(source, fmt, policy)
        usual = direction.rounding is Rounding.RNE and policy is None
        if usual and isinstance(source, Float) and (dtype := host_dtype(source)):
            self._cast = cast(fmt, dtype)

    def drop(self) -> None:
        """Forget the table."""
        self._look_up, self._computed = None, 0

    def encode(self, array: np.ndarray) -> np.ndarray:
        """Return codes."""
        fmt, source, direction, policy, becomes = self.given
        if self._cast is not None and gradual():
            return in_pieces(self._cast, fmt.code_dtype, array)
        if self._look_up is None and self._kept is not None:
            self._computed += array.size
            if self._computed >= 1 << (self._kept - 2):
                index = _distinct(source, self._kept)
                table = _encode(fmt, index, direction, policy, source, becomes)
                self._look_up = _looking_up(table, source, self._kept)
                _TABLES.put(self)
        if (look_up := self._look_up) is not None:
            return in_pieces(look_up, fmt.code_dtype, array.view(source.code_dtype))
        codes = as_codes("values", array)[0]
        return _encode(fmt, codes, direction, policy, source, becomes)


_TABLES = Shelf(16)


def as_codes(name: str, values: Any) -> tuple[np.ndarray, Format]:
    """Return the codes of an array of numbers, and the format that its dtype is.

    CodeError for what is no array of numbers, and for a dtype that is no format.
    """
    array = numbers(name, values)
    known = _SOURCES.get(array.dtype.name)
    if known is None:
        raise CodeError(f"{name}: dtype {array.dtype} is not a number that can be encoded")
    source = format_of(known)
    if isinstance(source, Fixed):
        array = array.astype(np.int8 if source.width < 8 and source.signed else array.dtype)
        if source.width < 8:
            array = array.astype(np.int8)
            source = Fixed(width=8)
    array = np.ascontiguousarray(array).reshape(array.shape)
    return array.view(source.code_dtype), source


def encode_exact(
    fmt: Format,
    significand: Any,
    exponent: Any,
    *,
    rounding: Any,
    overflow: Any,
    random: Any,
    random_bits: int | None,
) -> np.ndarray:
    """See :meth:`macaw.golden.formats.Float.encode_exact`."""
    direction, policy = _options(fmt, rounding, overflow, random, random_bits)
    significand = _integers_of_any_size("significand", significand)
    exponent = _integers_of_any_size("exponent", exponent)
    if object in (significand.dtype, exponent.dtype):
        shape = common_shape(significand.shape, exponent.shape)
        pairs = zip(
            np.broadcast_to(significand, shape).ravel(),
            np.broadcast_to(exponent, shape).ravel(),
            strict=True,
        )
        scaled = []
        for s, e in pairs:
            far = _FARTHEST + int(s).bit_length()
            scaled.append(int(s) * Fraction(2) ** min(max(int(e), -far), far))
        values = np.array([*scaled, None], object)[:-1].reshape(shape)
        return _encode(fmt, _from_objects(values, fmt), direction, policy)
    exponent = np.clip(exponent, -_FARTHEST, _FARTHEST).astype(np.int64)
    return _encode(fmt, (significand, exponent), direction, policy)


def _integers_of_any_size(name: str, values: Any) -> np.ndarray:
    array = plain(name, values)
    if array.dtype != object:
        return integers(name, array)
    for value in array.ravel():
        if isinstance(value, bool) or not isinstance(value, abstract.Integral):
            raise CodeError(f"{name}: a {type(value).__name__} where integers are wanted")
    return array


def _options(
    fmt: Format, rounding: Any, overflow: Any, random: Any, random_bits: int | None
) -> tuple[Direction, Overflow | None]:
    rounding = Rounding.parse(rounding, "rounding")
    if rounding is Rounding.DYNAMIC:
        raise SpecError("rounding=dynamic: encode takes one direction")
    if overflow is not None:
        overflow = Overflow.parse(overflow, "overflow")
    policy = resolve_overflow(overflow, fmt)
    check_rounding(fmt, rounding)
    bits = 16 if random_bits is None else random_bits
    words = random_words(rounding, random, bits)
    if words is None:
        return Direction(rounding), policy
    check_random(fmt, bits)
    return Direction(rounding, random=words, random_bits=bits), policy


def _encode(
    fmt: Format,
    values: np.ndarray | tuple[np.ndarray, np.ndarray],
    direction: Direction,
    policy: Overflow | None,
    source: Format | None = None,
    nan: Nan | None = None,
) -> np.ndarray:
    parts = values if isinstance(values, tuple) else (values,)
    words = [] if direction.random is None else [direction.random]
    try:
        arrays = np.broadcast_arrays(*parts, *words)
    except ValueError:
        shapes = ", ".join(str(array.shape) for array in (*parts, *words))
        raise CodeError(f"values: shapes do not broadcast: {shapes}") from None
    shape = arrays[0].shape
    flat = [array.reshape(-1) for array in arrays]
    result = np.empty(flat[0].size, fmt.code_dtype)
    host = None
    whole = source is not None and (source == FORMATS["fp64"] or Term.of(source).representable)
    if whole and not words and gradual():
        host = host_target(fmt, direction.rounding, policy, nan)
    for start in range(0, result.size, CHUNK):
        piece = slice(start, start + CHUNK)
        if source is not None and host is not None:
            result[piece] = _hosted(flat[0][piece], source, host, direction, policy, nan)
            continue
        if source is None:
            exact = _exact(flat[0][piece], flat[1][piece])
        else:
            exact = unpack(flat[0][piece], source)
        if words:
            now = Direction(direction.rounding, None, flat[-1][piece], direction.random_bits)
        else:
            now = direction
        result[piece] = project(exact, fmt, now, policy, nan=nan)[0]
    return result.reshape(shape)


@functools.lru_cache(maxsize=256)
def host_target(
    fmt: Format, rounding: Rounding, policy: Overflow | None, nan: Nan | None
) -> Target | None:
    """Return ``fmt`` as what float64 values are rounded to; None where integers round to it."""
    if not isinstance(fmt, Float):
        return None
    return Target.of(fmt, rounding, policy, nan_code(fmt, nan))


def _hosted(
    codes: np.ndarray,
    source: Format,
    target: Target,
    direction: Direction,
    policy: Overflow | None,
    nan: Nan | None,
) -> np.ndarray:
    result, left = target.round(values_of(codes, source), direction)
    if left is not None:
        result[left] = project(unpack(codes[left], source), target.fmt, direction, policy, nan=nan)[
            0
        ]
    return result


def _exact(significand: np.ndarray, exponent: np.ndarray) -> Exact:
    negative = significand < 0
    bits = significand.astype(np.int64 if significand.dtype.kind == "i" else np.uint64)
    magnitude = bits.view(np.uint64)
    magnitude = np.where(negative, ~magnitude + np.uint64(1), magnitude)
    far = 2 * _FARTHEST
    return Exact(
        significand=magnitude,
        exponent=exponent.astype(np.int64),
        negative=negative,
        low=-far,
        high=far,
        bits=64,
    )


def _from_objects(values: np.ndarray, fmt: Format) -> tuple[np.ndarray, np.ndarray]:
    """Return significands of up to 62 bits, the last one jammed, and exponents."""
    significands = np.zeros(values.size, np.int64)
    exponents = np.zeros(values.size, np.int64)
    for i, value in enumerate(values.ravel()):
        number = isinstance(value, abstract.Rational | float) and not isinstance(value, bool)
        if not number:
            kind = type(value).__name__
            raise CodeError(f"values: element {i} is a {kind}: must be an integer or a fraction")
        try:
            exact = Fraction(value)
        except (ValueError, OverflowError):
            raise CodeError(f"values: element {i}: {value} among Python integers") from None
        magnitude = abs(exact)
        if isinstance(fmt, Fixed):
            # The low bits decide where the code wraps; those above the code never matter.
            size = Fraction(2) ** (fmt.width - fmt.fraction + 1)
            magnitude = magnitude % size if magnitude >= size else magnitude
            if magnitude != abs(exact):
                magnitude += size
        exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length() - 61
        scaled = magnitude / Fraction(2) ** exponent
        significand = int(scaled)
        significand |= scaled != significand
        significands[i] = -significand if exact < 0 else significand
        exponents[i] = min(max(exponent, -_FARTHEST), _FARTHEST)
    return significands.reshape(values.shape), exponents.reshape(values.shape)


def _kept_bits(source: Format, fmt: Format, policy: Overflow | None) -> int | None:
    """Return how many bits of a float's code decide the result; None if too many.

    The result is constant between neighbouring values and midpoints of ``fmt``. In fp32 and fp64
    all of those are values of ``kept`` leading bits, if the fraction bits among them are one more
    than ``fmt`` has in any binade: one more bit then, that says whether the rest is zero, is
    enough.
    """
    if not isinstance(source, Float):
        return None
    if source.width <= 16:
        return source.width
    if source not in _WIDE or policy is Overflow.WRAP or isinstance(fmt, Book):
        return None
    if isinstance(fmt, Fixed):
        fraction, last = fmt.width + 1, fmt.quantum
    elif isinstance(fmt, Posit):
        fraction, last = fmt.fraction + 1, fmt.quantum
    else:
        fraction, last = fmt.mantissa + 1, fmt.quantum
        if fmt.subnormals is not Subnormals.GRADUAL:
            last -= fmt.mantissa + 1
    if last - 1 < source.emin - fraction:
        return None
    kept = 1 + source.exponent + fraction + 1
    return kept if kept <= _WIDE[source] else None


_WIDE = {FORMATS["fp32"]: 21, FORMATS["fp64"]: 18}
"""Sources of which some bits are looked at, and how many at most."""


def _looking_up(table: np.ndarray, source: Format, kept: int) -> Kernel:
    """Return what looks up the results of codes, of which the ``kept`` upper bits decide."""
    if kept == source.width:
        return lambda codes, result: table.take(codes, out=result, mode="clip")
    lost = source.width - kept
    by, below = (np.array(n, source.code_dtype) for n in (lost, (1 << lost) - 1))

    def by_upper_bits(codes: np.ndarray, result: np.ndarray) -> None:
        # Whatever is below the last bit carries into it, and what the bit was is joined to that.
        index = np.bitwise_and(codes, below)
        np.add(index, below, index)
        np.bitwise_or(index, codes, index)
        np.right_shift(index, by, index)
        table.take(index.view(f"i{index.itemsize}"), out=result, mode="clip")

    return by_upper_bits


def _distinct(source: Format, kept: int) -> np.ndarray:
    """Return a code for each case that the ``kept`` upper bits and the sticky one make."""
    index = np.arange(1 << kept, dtype=source.code_dtype)
    if kept < source.width:
        one = index.dtype.type(1)
        index = ((index >> one) << index.dtype.type(source.width - kept + 1)) | (index & one)
    return index


def decode(fmt: Format, codes: Any) -> np.ndarray:
    """See :meth:`macaw.golden.formats.Float.decode`."""
    return values_of(check_codes("codes", codes, fmt), fmt)


def values_of(codes: np.ndarray, fmt: Format) -> np.ndarray:
    """Return the float64 values of checked ``codes``; of more than 53 bits, the nearest ones."""
    found = fmt.remembered
    if "values_of" not in found:
        found["values_of"] = _reader(fmt)
    return found["values_of"](codes)  # type: ignore[no-any-return]


def _reader(fmt: Format) -> Callable[[np.ndarray], np.ndarray]:
    """Return what gives the values of codes, arrays of any shape."""
    if fmt == FORMATS["fp64"]:
        return lambda codes: codes.view(np.float64)
    if fmt == FORMATS["fp32"]:
        return lambda codes: in_pieces(_single, _DOUBLE, codes)
    if isinstance(fmt, Float) and upper_part(fmt):
        kernel = Decode(fmt)
        every = np.arange(1 << fmt.width, dtype=fmt.code_dtype) if fmt.width <= 16 else None
        table = None if every is None else in_pieces(kernel, _DOUBLE, every)
        by_numpy = _by_table_or(kernel, table)

        def read(codes: np.ndarray) -> np.ndarray:
            values = kernel.at_once(codes) if codes.size > FEW else None
            return by_numpy(codes) if values is None else values

        return read
    if fmt.width <= 16:
        table = _values(fmt)

        def look_up(codes: np.ndarray, values: np.ndarray) -> None:
            table.take(codes, out=values, mode="clip")

        return _by_table_or(look_up, table)
    return lambda codes: in_pieces(functools.partial(_whole, fmt=fmt), _DOUBLE, codes)


_DOUBLE = np.dtype(np.float64)


def _by_table_or(kernel: Kernel, table: np.ndarray | None) -> Callable[[np.ndarray], np.ndarray]:
    """Return what looks few values up, and has the kernel for many."""

    def read(codes: np.ndarray) -> np.ndarray:
        if table is None or codes.size > FEW:
            return in_pieces(kernel, _DOUBLE, codes)
        return table.take(codes)

    return read


def _single(codes: np.ndarray, values: np.ndarray) -> None:
    values[...] = codes.view(np.float32)


def _whole(codes: np.ndarray, values: np.ndarray, fmt: Format) -> None:
    values[...] = _decode(codes, fmt)


@functools.lru_cache(maxsize=64)
def _values(fmt: Format) -> np.ndarray:
    return _decode(np.arange(1 << fmt.width, dtype=fmt.code_dtype), fmt)


def _decode(codes: np.ndarray, fmt: Format) -> np.ndarray:
    x = unpack(codes, fmt)
    significand = x.significand.astype(np.float64)
    if x.kind is not None:
        significand[x.kind != 0] = 0.0
    values = np.ldexp(significand, x.exponent)
    if x.kind is not None:
        values[(x.kind & INF).astype(bool)] = np.inf
    np.negative(values, out=values, where=x.negative)
    if x.kind is not None:
        values[(x.kind & NAN).astype(bool)] = np.nan
    return values
