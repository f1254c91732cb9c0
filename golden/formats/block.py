# SPDX-License-Identifier: BSD-2-Clause
"""Block formats as data: elements that share a scale, from 16 neighbours to a whole tensor."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import FormatError, check_axis
from .aliases import canonical, unknown
from .book_files import register
from .books import BOOKS, Book
from .posits import POSITS, Posit
from .scalar import FORMATS, POWERS, Fixed, Float, Format, Specials, Subnormals
from .scalar import format as scalar_format
from .texts import whole

ASYMMETRIC_BITS = 16
"""Bits of the widest elements that have a zero point, and of the widest zero points."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """Elements that share a scale; a value is ``element * scale`` (times the second scale).

    With a zero point, which is one more number of the block, a value is
    ``(element - zero) * scale``: groups of weights of GPTQ (arXiv 2210.17323) and AWQ
    (arXiv 2306.00978), affine quantisation of ONNX and TensorFlow Lite. A zero point that is a
    float (HQQ, torchao) need not be the value of an element; as a ``minimum`` it is not scaled,
    and a value is ``element * scale + zero``: ggml's q4_1, decoupleQ (arXiv 2404.12759). Of a
    float the product with the scale is a term of its own, ``element * scale - zero * scale``: the
    sum of the two is exact, and its sign and specials are those of a sum.

    Parameters
    ----------
    element : Format
        Of each value; decoded as the scalar format of that name.
    scale : Float
        Of the factor that a block shares. Where it has no mantissa (E8M0) the factors are powers
        of two. A block that holds a NaN or an infinity has a NaN scale. Powers of two need not
        have one (Flexpoint): then those values take no part in the choice of the scale, and
        become the elements that :attr:`element` has for them.
    size : int, optional
        Elements along the axis that share one, 1 to 65536; None: all of the tensor.
    second_scale : Float, optional
        Of one more factor, shared by the tensor (NVFP4).
    tile : int
        Rows of a two-dimensional block, which is ``tile`` by ``size`` (NVFP4's weights: 16).
    zero_point : Fixed or Float, optional
        Of the zero point, in units of the element, which is fixed point of at most 16 bits; so is
        the zero point, with the same last place, or it is a float. The scale has a mantissa then,
        and there is no second one.
    minimum : bool
        Whether the zero point, a float, is added behind the scale.
    """

    element: Format
    scale: Float
    size: int | None = 32
    second_scale: Float | None = None
    tile: int = 1
    zero_point: Fixed | Float | None = None
    minimum: bool = False

    def __post_init__(self) -> None:
        for name in ("element", "scale"):
            object.__setattr__(self, name, scalar_format(getattr(self, name)))
        for name in ("second_scale", "zero_point"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, scalar_format(getattr(self, name)))
        if isinstance(self.element, Posit):
            raise FormatError(
                f"element={self.element.name}: a posit, whose precision falls away from one, takes "
                "no scale"
            )
        for name in ("scale", "second_scale"):
            value = getattr(self, name)
            if value is None:
                continue
            powers = name == "scale" and isinstance(value, Float) and value.mantissa == 0
            if not (isinstance(value, Float) and (value.has_nan or powers)):
                raise FormatError(f"{name}={value.name}: must be a float format that has a NaN")
        for name in ("size", "tile"):
            value = getattr(self, name)
            if value is None and name == "size":
                continue
            if type(value) is not int or not 1 <= value <= 1 << 16:
                raise FormatError(f"{name}={value}: must be an integer from 1 to 65536")
        if self.size is None and self.tile != 1:
            raise FormatError(f"tile={self.tile}: a block of a whole tensor has no tile")
        if self.zero_point is not None:
            self._check_zero(self.zero_point)
        elif self.minimum:
            raise FormatError("minimum=true: says how a zero point is added, and there is none")

    def _check_zero(self, zero: Format) -> None:
        """FormatError unless the element, the scale and a zero point go together."""
        element = self.element
        fixed = isinstance(element, Fixed) and not element.symmetric
        if not (fixed and element.width <= ASYMMETRIC_BITS):
            raise FormatError(
                f"element={element.name}: with a zero point it must be fixed point of at most "
                f"{ASYMMETRIC_BITS} bits, all codes of which are in use, as uint4"
            )
        same = zero.quantum == element.quantum and isinstance(zero, Fixed)
        fits = same and zero.width <= ASYMMETRIC_BITS and not self.minimum
        if not (fits or (isinstance(zero, Float) and zero.signed and zero.zero)):
            fixed = (
                f"fixed point of at most {ASYMMETRIC_BITS} bits with the last place of the "
                f"elements, as {element.name}, or "
            )
            raise FormatError(
                f"{'minimum' if self.minimum else 'zero_point'}={zero.name}: must be "
                f"{'' if self.minimum else fixed}a float with a sign and a zero, as fp16"
            )
        if self.scale.mantissa == 0:
            raise FormatError(
                f"scale={self.scale.name}: with a zero point it must have a mantissa, as fp16"
            )
        if self.second_scale is not None:
            raise FormatError(
                f"second_scale={self.second_scale.name}: a format with a zero point has none"
            )

    @property
    def name(self) -> str:
        """Registered name, or the spelling that :func:`format` reads back."""
        return _NAMES.get(self) or _flex_name(self) or self.spelling

    @property
    def spelling(self) -> str:
        """The name that the grammar gives, also where there is a registered one."""
        tile = f"x{self.tile}" if self.tile > 1 else ""
        extent = "tensor" if self.size is None else f"k{self.size}{tile}"
        second = f"-{self.second_scale.name}" if self.second_scale else ""
        return f"{self.element.name}-{extent}-{self.scale.name}{second}{self.zero_words}"

    @property
    def zero_words(self) -> str:
        """The last part of the spelling, of the zero point; empty without one."""
        if self.zero_point is None:
            return ""
        return f"-{'m' if self.minimum else 'z'}{self.zero_point.name}"

    @property
    def bits(self) -> float:
        """Storage per element in bits, its share of the block's scale and zero point included."""
        if self.size is None:
            return float(self.element.width)
        shared = self.scale.width + (self.zero_point.width if self.zero_point else 0)
        return self.element.width + shared / (self.size * self.tile)

    @property
    def power_of_two(self) -> bool:
        """Whether the scales are powers of two, so that scaling rounds nothing."""
        return self.scale.mantissa == 0

    @property
    def float_zero(self) -> Float | None:
        """The format of the zero point if it is a float: then it is a term, and in no factor."""
        return self.zero_point if isinstance(self.zero_point, Float) else None

    @property
    def factor(self) -> Format:
        """What the scale multiplies: the element, or all differences of one and a zero point that
        is an integer."""
        if self.zero_point is None or isinstance(self.zero_point, Float):
            return self.element
        element = self.element
        assert isinstance(element, Fixed)
        low = element.min_integer - self.zero_point.max_integer
        high = element.max_integer + (1 << (self.zero_point.width - 1)) * self.zero_point.signed
        width = 1 + max((-low - 1).bit_length(), high.bit_length())
        return Fixed(width=width, fraction=element.fraction)

    @property
    def element_emax(self) -> int:
        """Exponent of the largest power of two among the elements, emax of OCP MX 6.3."""
        return math.frexp(self.element.max)[1] - 1

    def quantize(self, values: Any, **options: Any) -> Any:
        """See :func:`macaw.golden.tensors.quantized.quantize`."""
        from ..tensors.quantized import quantize

        return quantize(self, values, **options)

    def scales_of(self, length: int) -> int:
        """Scales along an axis of ``length`` elements."""
        return 1 if self.size is None else -(-length // self.size)


def _mx(element: str, **fields: Any) -> Block:
    e8m0 = FORMATS["e8m0"]
    assert isinstance(e8m0, Float)
    return Block(element=scalar_format(element), scale=e8m0, **fields)


def _float(name: str) -> Float:
    fmt = scalar_format(name)
    assert isinstance(fmt, Float)
    return fmt


def _nv(element: str, **fields: Any) -> Block:
    return Block(element=scalar_format(element), scale=_float("ue4m3"), size=16, **fields)


def _hbfp(width: int) -> Block:
    element = Fixed(width=width, fraction=width - 1, symmetric=True)
    return Block(element=element, scale=_float("e10m0"), size=24, tile=24)


_FLEX = re.compile(r"flex(?P<width>\d+)\+(?P<exponent>\d+)")


def _flex(width: int, exponent: int) -> Block:
    """Flexpoint (Koster et al., arXiv 1711.02213): integers and one exponent for a tensor.

    A code c of the scale means ``2**(c - (2**exponent - 1))``: at most 1.
    """
    if not (2 <= width <= 32 and 1 <= exponent <= 8):
        raise FormatError(
            f"flex{width}+{exponent}: must be flex<N>+<M> with N from 2 to 32 and M from 1 to 8"
        )
    scale = Float(
        exponent=exponent,
        mantissa=0,
        bias=(1 << exponent) - 1,
        signed=False,
        subnormals=Subnormals.NONE,
        specials=Specials.FINITE,
        zero=False,
    )
    return Block(element=Fixed(width=width), scale=scale, size=None)


def _flex_name(block: Block) -> str | None:
    width, exponent = block.element.width, block.scale.exponent
    if not (2 <= width <= 32 and 1 <= exponent <= 8) or block != _flex(width, exponent):
        return None
    return f"flex{width}+{exponent}"


BLOCKS: dict[str, Block] = {
    "mxfp8-e4m3": _mx("e4m3"),
    "mxfp8-e5m2": _mx("e5m2"),
    "mxfp6-e3m2": _mx("e3m2"),
    "mxfp6-e2m3": _mx("e2m3"),
    "mxfp4": _mx("e2m1"),
    "mxint8": _mx("fx8.6sym"),
    "mxint4": _mx("int4sym"),
    "nvfp4": _nv("e2m1", second_scale=_float("fp32")),
    "nvint4": _nv("int4sym", second_scale=_float("fp32")),
    "ue5m3fp4": Block(element=_float("e2m1"), scale=_float("ue5m3"), size=16),
    "ue5m3int4": Block(element=scalar_format("int4sym"), scale=_float("ue5m3"), size=16),
    "hbfp8": _hbfp(8),
    "hbfp12": _hbfp(12),
    "dfp16": _mx("int16sym", size=None),
    "flex16+5": _flex(16, 5),
}
"""The registered block formats, by name, in the order in which tables show them."""

_NAMES: dict[Block, str] = {fmt: name for name, fmt in BLOCKS.items()}

_BLOCK = re.compile(
    r"(?P<element>[^-]+|\S+?\.(?i:json)(?:@[^-]+)?)-(?:tensor|k(?P<size>\d+)(?:x(?P<tile>\d+))?)-(?P<scale>[^-]+)"
    r"(?:-(?P<second>[^-zm][^-]*))?(?:-(?P<how>[zm])(?P<zero>[^-]+))?"
)

AnyFormat = Float | Fixed | Book | Posit | Block


def format(name: str | AnyFormat) -> AnyFormat:
    """Return the scalar or block format called ``name``; a format is returned as it is.

    Scalar names are those of :func:`macaw.golden.formats.format`. Block formats are those of
    :data:`BLOCKS`, then the grammar
    ``<element>-k<size>[x<tile>]-<scale>[-<second scale>][-z<zero point>|-m<minimum>]``, with
    ``tensor`` in the place of the size for one scale a tensor: ``e2m1-k16x16-ue4m3-fp32`` is NVFP4
    of weights, ``fx4.2sym-k16-e8m0`` a format like MSFP12, ``int4sym-k128-fp16`` group
    quantisation, ``uint4-k128-fp16-zuint4`` that with zero points (GPTQ, AWQ),
    ``uint4-k64-fp16-zfp16`` with those that are floats (HQQ), and ``uint4-k32-fp16-mfp16`` with a
    minimum (ggml's q4_1). ``flex<N>+<M>`` is Flexpoint:
    signed integers of N bits (2 to 32), and for the tensor a power of two from
    ``2**-(2**M - 1)`` to 1 in M bits (1 to 8). The path of a code book's file may have a ``-``.

    Raises
    ------
    FormatError for any other name, with the closest known ones.
    """
    if isinstance(name, Block):
        return name
    if isinstance(name, str):
        key = canonical(name)
        if key in BLOCKS:
            return BLOCKS[key]
        if match := _FLEX.fullmatch(key):
            return _flex(whole(match["width"]), whole(match["exponent"]))
        if match := _BLOCK.fullmatch(key):
            second, zero = match["second"], match["zero"]
            return Block(
                element=scalar_format(match["element"]),
                scale=scalar_format(match["scale"]),  # type: ignore[arg-type]
                size=whole(match["size"]) if match["size"] else None,
                second_scale=scalar_format(second) if second else None,  # type: ignore[arg-type]
                tile=whole(match["tile"] or "1"),
                zero_point=scalar_format(zero) if zero else None,  # type: ignore[arg-type]
                minimum=match["how"] == "m",
            )
    try:
        return scalar_format(name)
    except FormatError as error:
        if not isinstance(name, str) or not str(error).startswith("unknown"):
            raise
        raise unknown(name, [*BLOCKS, *FORMATS, *POWERS, *BOOKS, *POSITS]) from None


def register_book(name: str, values: Iterable[Any]) -> Book:
    """Return a code book of ``values``, in the order of codes, which ``name`` means from now on.

    ``name`` is a word of small letters and digits that means no other format. The book's own name
    has a digest behind it. Values are numbers or strings, each rounded to 24 significant bits, as
    :func:`macaw.golden.formats.book_files.book_from_file` has them. The same again is no error.

    Raises
    ------
    FormatError for a name that is taken, for values that are no book.
    """
    if not isinstance(name, str) or not re.fullmatch("[a-z][a-z0-9]*", name):
        raise FormatError(f"name={name!s}: must be a small letter, then these and digits")
    try:
        taken = not isinstance(known := format(name), Book) or known.name == name
    except FormatError as error:
        taken = not str(error).startswith("unknown")
    if taken:
        raise FormatError(f"name={name}: is the name of another format, or near to one")
    return register(name, values)


def scalar(fmt: AnyFormat) -> Format:
    """Return the format of the elements: ``fmt`` itself if it is scalar."""
    return fmt.element if isinstance(fmt, Block) else fmt


def factor(fmt: AnyFormat) -> Format:
    """Return the format of what is multiplied: :attr:`Block.factor`, or ``fmt`` if it is scalar."""
    return fmt.factor if isinstance(fmt, Block) else fmt


def check_shape(fmt: Block, shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """Return the shape of the scales of an array of ``shape`` whose blocks lie along ``axis``.

    A whole-tensor format has scales of shape (). FormatError for an axis that does not exist, and
    for a tile on an array of one axis.
    """
    if fmt.size is None:
        return ()
    check_axis(axis, shape, FormatError)
    axis %= len(shape)
    scales = list(shape)
    scales[axis] = -(-shape[axis] // fmt.size)
    if fmt.tile > 1:
        if len(shape) < 2:
            raise FormatError(f"{fmt.name}: a tile of {fmt.tile} rows needs two axes, not {shape}")
        row = row_axis(len(shape), axis)
        scales[row] = -(-shape[row] // fmt.tile)
    return tuple(scales)


def row_axis(axes: int, axis: int) -> int:
    """Return the axis that tiles extend over beside ``axis``: the last one that is not it."""
    return axes - 2 if axis == axes - 1 else axes - 1


def expand_scales(fmt: Block, scales: np.ndarray, shape: tuple[int, ...], axis: int) -> np.ndarray:
    """Return ``scales`` repeated so that they have one entry for each element of ``shape``."""
    check_shape(fmt, shape, axis)
    if fmt.size is None:
        return np.broadcast_to(scales, shape)
    axis %= len(shape)
    spread = np.repeat(scales, fmt.size, axis)
    spread = np.take(spread, range(shape[axis]), axis)
    if fmt.tile > 1:
        row = row_axis(len(shape), axis)
        spread = np.take(np.repeat(spread, fmt.tile, row), range(shape[row]), row)
    return spread
