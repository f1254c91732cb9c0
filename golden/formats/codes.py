# SPDX-License-Identifier: BSD-2-Clause
"""What every format of one number can do: ``encode`` and ``decode``.

A format has no behaviour of its own besides properties that follow from its fields: this goes
through :mod:`macaw.golden.arithmetic.codec`.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np

_BYTES = [*map(np.dtype, ("u1", "u2", "u4", "u4", "u8", "u8", "u8", "u8"))]
"""Dtypes of codes, by their bytes less one."""


@functools.cache
def _arithmetic() -> Any:
    """Return the module that does it, which needs the formats first."""
    return importlib.import_module("..arithmetic.codec", __package__)


class Codec:
    """``encode`` and ``decode``, the same for every kind of format.

    A format remembers what follows from its fields and is asked for at every call
    (:attr:`remembered`); that is no part of its value.
    """

    __slots__ = ("_remembered",)

    @property
    def remembered(self) -> dict[Any, Any]:
        """What was found out about this format, by names of those who ask."""
        try:
            return self._remembered  # type: ignore[no-any-return]
        except AttributeError:
            object.__setattr__(self, "_remembered", {})
            return self._remembered

    @property
    def code_dtype(self) -> np.dtype:
        """Smallest unsigned numpy dtype that holds a code."""
        return _BYTES[(self.width - 1) >> 3]  # type: ignore[attr-defined]

    @property
    def has_inf(self) -> bool:
        """Whether some code is an infinity."""
        return False

    @property
    def has_nan(self) -> bool:
        """Whether some code is a NaN."""
        return False

    @property
    def zero_code(self) -> int:
        """Code of zero; of formats without one, that of their least positive value."""
        return 0

    @property
    def dtype(self) -> np.dtype | None:
        """numpy or ml_dtypes dtype of the same values, or None (also without ml_dtypes)."""
        return _arithmetic().value_dtype(self)

    def encode(
        self,
        values: Any,
        *,
        rounding: Any = "rne",
        overflow: Any = None,
        nan: Any = None,
        random: Any = None,
        random_bits: int | None = None,
    ) -> np.ndarray:
        """Round ``values`` once to this format and return their codes.

        Parameters
        ----------
        values : array_like
            float64, float32, float16, integers of any width, or an ml_dtypes array; each element
            is taken as the exact number that it is.
        rounding, overflow : str, Rounding, Overflow or None
            Overflow None is IEEE's rule for formats with infinities (of P3109, its own), and
            saturation for others.
        nan : str, Nan or None
            What a NaN becomes in a format without one (:class:`macaw.golden.formats.choices.Nan`).
        random : array_like of unsigned int, optional
            With stochastic rounding (``sr srb src``) only: one word of ``random_bits`` (default 16)
            bits per element.

        Returns
        -------
        ndarray of ``code_dtype``, in the shape of ``values`` broadcast with ``random``

        Raises
        ------
        CodeError for a dtype that is not numeric, SpecError for an option.
        """
        return _arithmetic().encode(
            self,
            values,
            rounding=rounding,
            overflow=overflow,
            nan=nan,
            random=random,
            random_bits=random_bits,
        )

    def encode_exact(
        self,
        significand: Any,
        exponent: Any,
        *,
        rounding: Any = "rne",
        overflow: Any = None,
        random: Any = None,
        random_bits: int | None = None,
    ) -> np.ndarray:
        """Like :meth:`encode`, of the values ``significand * 2**exponent`` (integer arrays)."""
        return _arithmetic().encode_exact(
            self,
            significand,
            exponent,
            rounding=rounding,
            overflow=overflow,
            random=random,
            random_bits=random_bits,
        )

    def decode(self, codes: Any) -> np.ndarray:
        """Return the values of ``codes`` as float64: exact, but for fixed point above 53 bits,
        which rounds to nearest. CodeError for codes out of range."""
        return _arithmetic().decode(self, codes)

    def to_numpy(self, codes: Any) -> np.ndarray:
        """Return ``codes`` as an array of :attr:`dtype`; FormatError if there is none."""
        return _arithmetic().to_numpy(self, codes)
