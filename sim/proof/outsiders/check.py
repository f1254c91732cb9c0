# SPDX-License-Identifier: BSD-2-Clause
"""What a comparison of the golden model is, and that of a unit with its scalar reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from macaw.golden.units import Unit

from ..reference import units as reference


class ProofFailure(AssertionError):
    """The golden model and an outsider disagree."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One comparison: its name, and what runs it and returns the number of cases.

    ``kind`` is that of the units whose ``evaluate`` is compared, if there is one.
    """

    name: str
    run: Callable[[], int]
    kind: str | None = None


def agree(what: str, got: np.ndarray, want: np.ndarray, same: np.ndarray, **operands: Any) -> int:
    """The number of cases; ProofFailure with the first where ``same`` is false."""
    if same.all():
        return same.size
    at = int(np.flatnonzero(~same.ravel())[0])
    shown = ", ".join(f"{k}={np.asarray(v).ravel()[at]!r}" for k, v in operands.items())
    raise ProofFailure(
        f"{what}: {int((~same).sum())} of {same.size} differ, first at {shown}: "
        f"golden {got.ravel()[at]!r}, expected {want.ravel()[at]!r}"
    )


def same_values(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Equal numbers with equal signs of zero, or both NaN."""
    return (np.isnan(x) & np.isnan(y)) | ((x == y) & (np.signbit(x) == np.signbit(y)))


def as_value(x: float) -> Any:
    """A number as the scalar reference takes it."""
    if x != x:
        return "nan"
    if x in (np.inf, -np.inf):
        return "inf" if x > 0 else "-inf"
    return "-0" if x == 0 and np.signbit(x) else Fraction(x)


def by_reference(spec: Unit, codes: dict[str, np.ndarray], note: str = "") -> int:
    """All results of a unit for arrays of operands against its scalar reference: how many.

    Raises
    ------
    ProofFailure
        With the first result that differs, and ``note``.
    """
    beats = _rows(codes)
    want, have = reference.evaluate(spec, beats), _rows(spec.evaluate(**codes))
    if have != want:
        pairs = enumerate(zip(have, want))
        at = next((i for i, (x, y) in pairs if x != y), min(len(have), len(want)))
        operands = "" if spec.stateful else f", operands {beats[at]}"
        raise ProofFailure(
            f"{spec!r}: result {at} of {len(want)}{note}{operands}: golden {have[at : at + 1]}, "
            f"expected {want[at : at + 1]}"
        )
    return len(want)


def _rows(columns: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    lists = [array.tolist() for array in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]
