# SPDX-License-Identifier: BSD-2-Clause
"""The exponent predictor of Autoflex."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from macaw.golden.units import ExponentPredictor, Unit, unit

from ..rules.parameters import Draw, Rules
from .case import BLOCK_CHOICES, BULK, FEWER, STREAM_CHOICES, Case, everywhere, folds, in_bulk

RULES: Rules = {
    "out": Draw.flex,
    "profile": lambda draw: draw.one("paper", "ngraph"),
    "precision": lambda draw: draw.integer(6, 20),
    "length": lambda draw: draw.integer(2, 8),
    "alpha": lambda draw: draw.maybe(lambda: draw.integer(1, 16)),
    "beta": lambda draw: draw.integer(0, 14),
    "gamma": lambda draw: draw.maybe(lambda: draw.integer(0, 1 << 18) / 65536),
}

# with ten million beats at every choice
LARGE: dict[str, Unit] = {"autoflex_flex16": unit("autoflex", out="flex16+5")}


def _predictors() -> Iterator[tuple[str, Unit]]:
    """Widths, contexts, lengths, and both profiles."""
    predictor: Any = {"out": "flex16+5"}
    for name, parameters in {
        "flex16_4_contexts": {"contexts": 4},
        "flex16_ngraph": {"profile": "ngraph", "precision": 8, "contexts": 3},
        "flex16_exact": {"precision": 20, "length": 6, "alpha": 5, "beta": 14},
        "flex12": {"out": "flex12+5", "length": 11, "alpha": 1, "gamma": 0.5},
        "flex8": {"out": "flex8+5", "precision": 6, "length": 32},
        "flex32": {"out": "flex32+8", "length": 2, "beta": 0},
        "flex2": {"out": "flex2+1", "length": 3, "profile": "ngraph"},
    }.items():
        yield f"autoflex_{name}", unit("autoflex", **(predictor | parameters))


def cases() -> Iterator[Case]:
    """All of them, combinational and under stalls, and with their history in turns."""
    for name, spec in LARGE.items():
        yield from everywhere("flex", name, spec, STREAM_CHOICES, BULK)
    for name, spec in _predictors():
        yield from everywhere("flex", name, spec, BLOCK_CHOICES, FEWER)
    for name, spec in (*LARGE.items(), *_predictors()):
        assert isinstance(spec, ExponentPredictor)
        yield from everywhere("fold", name, spec, folds(spec.length), FEWER)


def sample() -> Iterator[Case]:
    """One of exact arithmetic."""
    spec = dict(_predictors())["autoflex_flex16_exact"]
    yield in_bulk("flex", "autoflex_flex16_exact", spec, ({"stages": 0},), 30_000)
