# SPDX-License-Identifier: BSD-2-Clause
"""How a unit multiplies, the two factors of the products that it adds up, and their scales."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..errors import SpecError
from ..formats.block import AnyFormat, Block, factor, scalar
from ..formats.scalar import Book, Fixed, Float, Format, Posit
from ..formats.texts import whole
from .exact import ONE, WINDOW, Exact, beside, multiply, unpack
from .integers import integers_of
from .operands import Operand
from .sums import alignment, products, totals

_LMUL = re.compile(r"lmul(?:\((mitchell|literal)(?:,(\d+|none))?\))?")
_MEANS = "must be exact, lmul, or lmul(carry[,l]) with a carry of mitchell or literal"


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """How two floats are multiplied, if not exactly: by adding their fractions.

    L-Mul (arXiv 2410.00907): ``(1 + x) * (1 + y)`` is taken as ``1 + s`` with
    ``s = x + y + 2**-l``, where 2**-l stands for the mean of ``x * y``. The paper's formula and
    its addition of whole codes are not the same where s reaches 1:

    - ``mitchell``: s carries into the exponent, as where the codes are added as integers
      (Mitchell 1962, with an offset): ``2**floor(s) * (1 + s - floor(s))``;
    - ``literal``: ``1 + s``, the formula.

    Zeros, and subnormals as zeros, give zeros; infinities and NaNs are those of IEEE 754-2019.
    The product has all its digits and any exponent: rounding, overflow and underflow are the
    unit's. With a result whose subnormals are flushed (``e8m7ftz``) and ``overflow=saturate`` the
    ``mitchell`` product of two formats alike is what an integer adder makes of their codes.

    Attributes
    ----------
    carry : str
    offset : int
        l, from 1 to :attr:`mantissa`; 0 for no offset (l infinite).
    a, b : Float
        Formats of the operands.
    """

    carry: str
    offset: int
    a: Float
    b: Float

    def __str__(self) -> str:
        return f"lmul({self.carry},{self.offset or 'none'})"

    @property
    def mantissa(self) -> int:
        """Bits of the longer fraction, and of s behind its point."""
        return max(self.a.mantissa, self.b.mantissa)

    @property
    def identifier(self) -> str:
        """Part of a module name."""
        return f"lmul{self.offset or 'none'}{'literal' if self.carry == 'literal' else ''}"

    def of(self, x: Exact, y: Exact) -> Exact:
        """Return the products of unpacked operands."""
        bits = self.mantissa
        x, y = _normal(x, self.a), _normal(y, self.b)
        presence = multiply(Exact.of_presence(x), Exact.of_presence(y))
        one = ONE << np.uint64(bits)
        total = (x.significand << np.uint64(bits - self.a.mantissa)) - one
        total = total + (y.significand << np.uint64(bits - self.b.mantissa)) - one
        if self.offset:
            total += ONE << np.uint64(bits - self.offset)
        exponent = x.exponent + y.exponent + (self.a.mantissa + self.b.mantissa - bits)
        if self.carry == "mitchell":
            exponent = exponent + (total >> np.uint64(bits)).view(np.int64)
            total &= one - ONE
        low = x.low + y.low + self.a.mantissa + self.b.mantissa - bits
        # Zeros have exponents of their own, and what is no number a significand.
        finite = presence.significand != 0
        return Exact(
            significand=np.where(finite, total + one, np.uint64(0)),
            exponent=np.where(finite, exponent, low),
            negative=presence.negative,
            kind=presence.kind,
            low=low,
            high=x.high + y.high + 1,
            bits=bits + (1 if self.carry == "mitchell" else 2),
        )


def _normal(x: Exact, fmt: Float) -> Exact:
    """Return the values with zeros in place of subnormals."""
    small = x.significand < np.uint64(1 << fmt.mantissa)
    if x.kind is not None:
        small &= x.kind == 0
    return replace(x, significand=np.where(small, np.uint64(0), x.significand))


@functools.lru_cache(maxsize=256)
def parse_product(text: str | None, a: AnyFormat, b: AnyFormat) -> Product | None:
    """Return how ``text`` says that ``a`` and ``b`` are multiplied; None: exactly.

    The offset's default is the paper's l(m): m up to 3 bits of fraction, 3 for 4, else 4.

    Raises
    ------
    SpecError
        For other words, an offset that is no bit of the fraction, operands that are no floats.
    """
    text = "exact" if text is None else text.lower().replace(" ", "")
    if text == "exact":
        return None
    match = _LMUL.fullmatch(text)
    if not match:
        raise SpecError(f"product={text}: {_MEANS}")
    first, second = scalar(a), scalar(b)
    for name, fmt in (("a", first), ("b", second)):
        if not isinstance(fmt, Float):
            raise SpecError(f"product={text}: {name}={fmt.name} must be a float")
    assert isinstance(first, Float)
    assert isinstance(second, Float)
    bits = max(first.mantissa, second.mantissa)
    offset = min(bits, 3) if bits <= 4 else 4
    if match[2] is not None:
        offset = 0 if match[2] == "none" else whole(match[2])
        if match[2] != "none" and not 1 <= offset <= bits:
            allowed = f"or from 1 to {bits}, the bits of the longer fraction"
            raise SpecError(
                f"product={text}: l={offset} must be none"
                + (f", {allowed}" if bits else ": there is no fraction")
            )
    return Product(carry=match[1] or "mitchell", offset=offset, a=first, b=second)


class Multiplying:
    """What units with the parameter ``product`` share: how ``a`` and ``b`` are multiplied."""

    __slots__ = ()

    a: Any
    b: Any
    product: Any

    @property
    def multiplication(self) -> Product | None:
        """How the operands are multiplied; None exactly."""
        return parse_product(self.product, self.a, self.b)

    def _settle_product(self) -> None:
        """Spell ``product``: None for the exact one."""
        product = parse_product(None if self.product is None else str(self.product), self.a, self.b)
        object.__setattr__(self, "product", None if product is None else str(product))


def multiplied(
    product: Product | None, codes: Mapping[str, np.ndarray], a: Format, b: Format
) -> list[Exact]:
    """Return terms whose sum is the product of the codes ``a`` and ``b``, by ``product``."""
    return times(product, unpack(codes["a"], a), unpack(codes["b"], b))


def times(product: Product | None, x: Exact, y: Exact) -> list[Exact]:
    """Return terms whose sum is the product of unpacked operands, by ``product``."""
    return products(x, y) if product is None else [product.of(x, y)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What is added up in some operations, each a row.

    Attributes
    ----------
    products : list of Exact
        Of shape (n, K); more than one where the products exceed 64 bits
        (:func:`macaw.golden.arithmetic.sums.products`).
    scale : Exact or None
        Of shape (n, G): G scales of K / G products each, one behind the other.
    top, scale_top : int
        What the exponents of products and scales lack to those of their fields
        (:func:`macaw.golden.arithmetic.sums.alignment`).
    """

    products: list[Exact]
    scale: Exact | None = None
    top: int = 0
    scale_top: int = 0

    @property
    def one(self) -> Exact:
        """The products, which must be of one part."""
        (product,) = self.products
        return product

    def totalled(self) -> Terms:
        """The products of integers under each scale as one integer, scaled: +0 if it is zero."""
        groups = 1 if self.scale is None else self.scale.shape[-1]
        total = totals(self.one, groups)
        scaled = [total] if self.scale is None else products(total, self.scale)
        return replace(self, products=scaled, scale=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Factors:
    """``count`` products of ``a`` and ``b``, scalar or block formats.

    A block may reach beyond the products: all of them have its one scale then. Otherwise whole
    blocks lie one behind the other.

    ``parameter`` is what a unit calls ``count``; ``product`` says how elements are multiplied,
    None exactly.

    Raises
    ------
    SpecError
        If the blocks do not divide the products, or each other.
    """

    a: AnyFormat
    b: AnyFormat
    count: int
    parameter: str = "size"
    product: Product | None = None

    def __post_init__(self) -> None:
        for name in "ab":
            fmt = getattr(self, name)
            size = fmt.size if isinstance(fmt, Block) else None
            if size is not None and size < self.count and self.count % size:
                raise SpecError(
                    f"{self._counted}: must be a multiple of the blocks of {size} elements "
                    f"of {name}={fmt.name}, or lie within one"
                )
        if max(self.scales.values(), default=1) % min(self.scales.values(), default=1):
            raise SpecError(
                f"{self._counted}: blocks of a={self.a.name} and b={self.b.name} cross: one size "
                "must be a multiple of the other"
            )
        for what, bits in (("elements", self._elements), ("significands of scales", self._scale)):
            if self.scales and bits > 64:
                raise SpecError(
                    f"a={self.a.name}, b={self.b.name}: {what} have {bits} bits together, and must "
                    "have at most 64"
                )
        if self.floating:
            self._check_floating()
        bits = sum(significand_bits(scalar(fmt)) for fmt in (self.a, self.b)) + self._scale
        if self.zeros and bits > 64:
            raise SpecError(
                f"a={self.a.name}, b={self.b.name}: elements and significands of scales have "
                f"{bits} bits together, and must have at most 64 where there are zero points"
            )
        bits = sum(factor(fmt).width for fmt in (self.a, self.b)) + self.count.bit_length()
        if self.integers and bits > WINDOW:
            raise SpecError(
                f"a={self.a.name}, b={self.b.name}: a sum of {self.count} products has {bits} "
                f"bits, and must have at most {WINDOW} where there are zero points"
            )

    def _check_floating(self) -> None:
        """SpecError where what a zero point that is a float makes of the sum is not exact."""
        if len(self.zeros) > 1:
            raise SpecError(
                f"a={self.a.name}, b={self.b.name}: with a zero point that is a float the other "
                "operand has none"
            )
        fmt = getattr(self, self.floating)
        bits = significand_bits(scalar(getattr(self, self._other))) + self._scale
        bits += fmt.float_zero.precision - fmt.minimum * fmt.scale.precision
        if bits > 64:
            raise SpecError(
                f"a={self.a.name}, b={self.b.name}: elements, a zero point and significands of "
                f"scales have {bits} bits together, and must have at most 64"
            )

    @property
    def _counted(self) -> str:
        return f"{self.parameter}={self.count}"

    @property
    def scales(self) -> dict[str, int]:
        """How many scales each operand that has blocks brings."""
        return {
            name: max(1, self.count // (fmt.size or self.count))
            for name, fmt in (("a", self.a), ("b", self.b))
            if isinstance(fmt, Block)
        }

    @property
    def zeros(self) -> tuple[str, ...]:
        """The operands that have zero points, as many as scales."""
        return tuple(n for n in self.scales if getattr(self, n).zero_point is not None)

    @property
    def floating(self) -> str:
        """The operand whose zero points are floats; empty where none has such."""
        return next((n for n in self.zeros if getattr(self, n).float_zero is not None), "")

    @property
    def _other(self) -> str:
        """The operand beside :attr:`floating`."""
        return "ba"["ab".index(self.floating)]

    @property
    def integers(self) -> bool:
        """Whether there are zero points, and all of it is fixed point."""
        fixed = all(isinstance(scalar(fmt), Fixed) for fmt in (self.a, self.b))
        return bool(self.zeros) and not self.floating and fixed

    @property
    def wide(self) -> bool:
        """Whether a product with its scales exceeds 64 bits, and is kept in several parts.

        Sums with zero points are scaled as a whole, and look to that themselves.
        """
        scale = 0 if self.zeros else self._scale
        return self.product is None and self._elements + scale > 64

    @property
    def _elements(self) -> int:
        """Bits of a product of elements."""
        return significand_bits(factor(self.a)) + significand_bits(factor(self.b))

    @property
    def _scale(self) -> int:
        """Significant bits of a product of scales; 0 where there are none."""
        return sum(fmt.scale.precision for fmt in (self.a, self.b) if isinstance(fmt, Block))

    def __str__(self) -> str:
        return f"products of {self.a.name} and {self.b.name}"

    @property
    def groups(self) -> int:
        """Groups of products that have one pair of scales."""
        return max(self.scales.values(), default=1)

    def inputs(self, lanes: int | None) -> dict[str, Operand]:
        """Operands: the elements of both, ``lanes`` at a time, zero points, and scales."""
        inputs = {name: Operand(format=scalar(getattr(self, name)), lanes=lanes) for name in "ab"}
        for name in self.zeros:
            count, fmt = self.scales[name], getattr(self, name).zero_point
            inputs[f"{name}_zero"] = Operand(format=fmt, lanes=None if count == 1 else count)
        for name, count in self.scales.items():
            fmt = getattr(self, name).scale
            inputs[f"{name}_scale"] = Operand(format=fmt, lanes=None if count == 1 else count)
        return inputs

    def terms(self, codes: dict[str, np.ndarray]) -> Terms:
        """Return products and scales for arrays of codes of the :meth:`inputs`.

        A zero point that is a float brings as many again behind them: the other operand times it.
        """
        factors = self._factor("a", codes), self._factor("b", codes)
        tops = [alignment(factor(self.a)), alignment(factor(self.b))]
        scales = []
        for name, count in self.scales.items():
            fmt: Format = getattr(self, name).scale
            one = unpack(codes[f"{name}_scale"].reshape(-1, count), fmt)
            if count != self.groups:
                one = one[:, np.arange(self.groups) * count // self.groups]
            scales.append(one)
            tops.append(alignment(fmt))
        multiplied = times(self.product, *factors)
        scale = functools.reduce(multiply, scales) if scales else None
        if self.floating:
            assert scale is not None
            rest, its_scale = self._behind(codes, dict(zip("ab", factors)), scale, scales)
            multiplied, scale = [beside(multiplied[0], rest)], beside(scale, its_scale)
        return Terms(
            products=multiplied,
            scale=scale,
            top=sum(tops[:2]) if self.product is None else self.product.mantissa,
            scale_top=sum(tops[2:]),
        )

    def _behind(
        self,
        codes: dict[str, np.ndarray],
        factors: dict[str, Exact],
        scale: Exact,
        scales: Sequence[Exact],
    ) -> tuple[Exact, Exact]:
        """Return the terms of zero points that are floats: products and their scales.

        ``-zero * other`` under the scales; of a minimum the other operand, which it scales in the
        place of its operand's scale.
        """
        fmt, other = getattr(self, self.floating), factors[self._other]
        zeros = codes[f"{self.floating}_zero"].reshape(len(scale.significand), -1)
        zero = unpack(zeros, fmt.float_zero)
        count = zero.shape[-1]

        def spread(over: int) -> Exact:
            return zero[:, np.arange(over) * count // over]

        if not fmt.minimum:
            return multiply(spread(other.shape[-1]).negate(), other), scale
        its_scale = spread(self.groups)
        if self._other in self.scales:
            its_scale = multiply(its_scale, scales[list(self.scales).index(self._other)])
        return other, its_scale

    def _factor(self, name: str, codes: dict[str, np.ndarray]) -> Exact:
        """Return the elements of an operand, less their zero points if those are integers."""
        fmt = getattr(self, name)
        if name not in self.zeros or name == self.floating:
            return unpack(codes[name], scalar(fmt))
        zeros = codes[f"{name}_zero"].reshape(len(codes[name]), -1)
        return less_zero_points(codes[name], zeros, fmt)


def less_zero_points(codes: np.ndarray, zeros: np.ndarray, fmt: Block) -> Exact:
    """Return the values of :func:`differences`, in units of the scale."""
    assert isinstance(fmt.factor, Fixed)
    whole = differences(codes, zeros, fmt)
    return Exact.of_fixed(np.abs(whole).view(np.uint64), whole < 0, fmt.factor)


def differences(codes: np.ndarray, zeros: np.ndarray, fmt: Block) -> np.ndarray:
    """Return elements (..., K) less the zero points (..., G) of their groups: int64."""
    assert isinstance(fmt.element, Fixed)
    assert isinstance(fmt.zero_point, Fixed)
    zero = integers_of(zeros, fmt.zero_point)
    return integers_of(codes, fmt.element) - np.repeat(zero, codes.shape[-1] // zero.shape[-1], -1)


def significand_bits(fmt: Format) -> int:
    """Bits that hold the significand of any number of ``fmt``."""
    return fmt.precision if isinstance(fmt, Book | Posit) else fmt.width


def default_size(a: AnyFormat, b: AnyFormat) -> int:
    """Return the least number of products that whole blocks of both operands fill.

    Elements of a whole-tensor format count as blocks of 32.
    """
    sizes = [fmt.size or 32 for fmt in (a, b) if isinstance(fmt, Block)]
    return math.lcm(*sizes) if sizes else 32
