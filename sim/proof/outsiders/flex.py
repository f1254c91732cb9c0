# SPDX-License-Identifier: BSD-2-Clause
"""The units of Flexpoint in golden against fractions, on the stimulus that their gates get."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from macaw.golden.units import unit
from macaw.golden.units.flex import Flex

from ...stimulus.draw import stimulus
from .check import Check, by_reference

ROUNDINGS = ("rne", "rna", "rtz", "rup", "rdn", "rod", "sr", "srb", "src")
FORMATS: tuple[dict[str, str], ...] = (
    {"a": "flex16+5"},
    {"a": "flex8+5"},
    {"a": "flex12+5", "b": "flex5+3", "out": "flex16+5"},
    {"a": "flex2+1", "b": "flex3+2", "out": "flex4+8"},
    {"a": "flex32+8"},
    {"a": "flex29+6", "out": "flex32+5"},
    {"a": "flex24+8", "b": "flex32+1", "out": "flex8+8"},
)
SHAPES: tuple[dict[str, Any], ...] = (
    {"kind": "flex-add"},
    {"kind": "flex-add", "lanes": 3},
    {"kind": "flex-mul"},
    {"kind": "flex-mul", "lanes": 2},
    {"kind": "flex-mac"},
    {"kind": "flex-mac", "lanes": 5},
    {"kind": "flex-mac", "terms": 1 << 30},
    {"kind": "flex-matmul", "rows": 2, "columns": 3},
)


def fractions(spec: Flex, beats: int, seed: int = 0) -> int:
    """All results of ``beats`` beats; ProofFailure names the first that differs."""
    return sum(
        by_reference(spec, codes, f", seed {seed}")
        for codes in stimulus(spec, vectors=beats, seed=seed)
    )


def checks() -> list[Check]:
    """Every shape, format and rounding."""
    result = []
    for formats in FORMATS:
        for shape in SHAPES:
            for rounding in ROUNDINGS:
                spec = unit(**shape, **formats, rounding=rounding)
                assert isinstance(spec, Flex)
                run = functools.partial(fractions, spec, 20_000)
                result.append(Check(name=f"flex-units/{spec.name}", run=run, kind=spec.kind))
    return result


def some(beats: int, seed: int) -> int:
    """A few beats of every combination."""
    rng = np.random.default_rng(seed)
    return sum(
        fractions(check.run.args[0], beats, int(rng.integers(1 << 30))) for check in checks()
    )  # type: ignore[attr-defined]
