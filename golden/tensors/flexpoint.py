# SPDX-License-Identifier: BSD-2-Clause
"""Flexpoint tensors: integers that share one exponent, and arithmetic between them.

Koster et al., *Flexpoint: An Adaptive Numerical Format for Efficient Training of Deep Neural
Networks*, NeurIPS 2017 (arXiv 1711.02213). Sums and products are exact integers; whoever asks for
one names the exponent of the result, and :func:`rescale`, the one output stage, brings the exact
integers there: an arithmetic shift, one rounding, saturation. What the shift must be is
:class:`~macaw.golden.tensors.autoflex.Autoflex`'s to say, from :attr:`FlexTensor.maximum`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arithmetic.block_scales import nonfinite
from ..arithmetic.codec import as_codes
from ..arithmetic.exact import unpack
from ..arithmetic.flex import (
    _direction,
    _each,
    _element,
    _integers,
    _project,
    aligned_sum,
    check_exponent,
    check_flex,
    exact_matmul,
    mantissa_dtype,
    rescale,
)
from ..arithmetic.integers import codes_of, integers_of
from ..arithmetic.operands import check_codes
from ..arrays import common_shape, integer, numbers_not_codes
from ..errors import CodeError
from ..formats.block import Block


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
            lambda part, now: _project([unpack(part, source).scaled(-exponent)], fmt, now),
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
        return cls(
            mantissas=integers_of(array, element), exponent=code - fmt.scale.bias, format=fmt
        )

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
        return codes_of(self.mantissas, _element(self.format))

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


# -------------------------------------------------------------------------------------- formats


# --------------------------------------------------------------------------------------- arrays
