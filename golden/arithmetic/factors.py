# SPDX-License-Identifier: BSD-2-Clause
"""The two factors of the products that a unit adds up, and the scales of their blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..errors import SpecError
from ..formats.block import AnyFormat, Block, scalar
from ..formats.scalar import Format
from .exact import Exact, multiply, unpack
from .operands import Operand
from .sums import alignment, products


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Factors:
    """``count`` products of ``a`` and ``b``, scalar or block formats.

    A block may reach beyond the products: all of them have its one scale then. Otherwise whole
    blocks lie one behind the other.

    ``parameter`` is what a unit calls ``count``.

    Raises
    ------
    SpecError
        If the blocks do not divide the products, or each other.
    """

    a: AnyFormat
    b: AnyFormat
    count: int
    parameter: str = "size"

    def __post_init__(self) -> None:
        for name in "ab":
            fmt = getattr(self, name)
            if isinstance(fmt, Block) and fmt.zero is not None:
                raise SpecError(f"{name}={fmt.name}: sums of products take no zero points yet")
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
        bits = sum(_precision(fmt) for fmt in (self.a, self.b) if isinstance(fmt, Block))
        bits += sum(scalar(fmt).width for fmt in (self.a, self.b))
        if self.scales and bits > 64:
            raise SpecError(
                f"a={self.a.name}, b={self.b.name}: elements and significands of scales have "
                f"{bits} bits together, and must have at most 64"
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
    def wide(self) -> bool:
        """Whether a product exceeds 64 bits, and is kept in several parts."""
        return scalar(self.a).width + scalar(self.b).width > 64

    def __str__(self) -> str:
        return f"products of {self.a.name} and {self.b.name}"

    @property
    def groups(self) -> int:
        """Groups of products that have one pair of scales."""
        return max(self.scales.values(), default=1)

    def inputs(self, lanes: int | None) -> dict[str, Operand]:
        """Operands: the elements of both, ``lanes`` at a time, and their scales."""
        inputs = {name: Operand(format=scalar(getattr(self, name)), lanes=lanes) for name in "ab"}
        for name, count in self.scales.items():
            fmt = getattr(self, name).scale
            inputs[f"{name}_scale"] = Operand(format=fmt, lanes=None if count == 1 else count)
        return inputs

    def terms(self, codes: dict[str, np.ndarray]) -> Terms:
        """Return products and scales for arrays of codes of the :meth:`inputs`."""
        a, b = scalar(self.a), scalar(self.b)
        product = products(unpack(codes["a"], a), unpack(codes["b"], b))
        top = alignment(a) + alignment(b)
        scale: Exact | None = None
        scale_top = 0
        for name, count in self.scales.items():
            fmt: Format = getattr(self, name).scale
            one = unpack(codes[f"{name}_scale"].reshape(-1, count), fmt)
            if count != self.groups:
                one = one[:, np.arange(self.groups) * count // self.groups]
            scale = one if scale is None else multiply(scale, one)
            scale_top += alignment(fmt)
        return Terms(products=product, scale=scale, top=top, scale_top=scale_top)


def _precision(fmt: Block) -> int:
    return fmt.scale.precision


def default_size(a: AnyFormat, b: AnyFormat) -> int:
    """Return the least number of products that whole blocks of both operands fill.

    Elements of a whole-tensor format count as blocks of 32.
    """
    sizes = [fmt.size or 32 for fmt in (a, b) if isinstance(fmt, Block)]
    return math.lcm(*sizes) if sizes else 32
