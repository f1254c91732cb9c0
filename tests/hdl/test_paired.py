# SPDX-License-Identifier: BSD-2-Clause
"""Products of small floats that share hard multipliers, or are moved by them."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from macaw.golden import unit
from macaw.golden.units import Unit
from macaw.hdl import generate
from macaw.sim.bench import bulk
from macaw.sim.bench.interface import Codes
from macaw.sim.stimulus import stimulus
from macaw.tools import simulators
from tests.in_bulk import differing

AREA: dict[str, Any] = {"target": "ecp5", "optimise": "area"}

# Widths of the factors of each multiplier, and of how many products.
SHARED = [
    # The sum of two products, of 12 units each at most: digits of 10 bits, signed ones above.
    (unit("dot", a="e2m1", lanes=4, out="fp32"), [[15, 15]] * 2),
    (unit("dot", a="e2m1", lanes=5, out="fp32"), [[15, 15]] * 2),
    (unit("block-dot", a="nvfp4", out="fp32"), [[15, 15]] * 8),
    # Two products of 225 at most: what is between them has 9 bits.
    (unit("dot", a="e2m3", lanes=4, out="fp32"), [[13, 13]] * 2),
    # One is moved: factors of 4 bits, by 1 and 8, and by 2 and 4.
    (unit("dot", a="e4m3", lanes=3, out="fp32"), [[13, 10]] * 3),
    (unit("dot", a="e5m2", lanes=2, out="fp32"), [[12, 9]] * 2),
    (unit("dot", a="e3m2", b="e4m3", lanes=2, out="fp32"), [[12, 10]] * 2),
]


def multipliers(spec: Unit, **implementation: Any) -> list[list[int]]:
    found = generate(spec, **implementation).metadata["multipliers"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(("spec", "widths"), SHARED, ids=str)
def test_multipliers_are_shared_where_a_small_area_is_asked_for(
    spec: Unit, widths: list[list[int]]
):
    assert [w for w in multipliers(spec, **AREA) if w in widths] == widths
    for other in (
        {"target": "ecp5"},
        {"target": "ecp5", "optimise": "delay"},
        {"target": "ice40", "optimise": "area"},
        {"target": "asic", "optimise": "area"},
        AREA | {"multiplier": "lut"},
    ):
        assert not [w for w in multipliers(spec, **other) if w in widths]


@pytest.mark.parametrize("target", ["ecp5", "ecp5dsp", "xilinx7"])
def test_no_factor_is_wider_than_a_multiplier(target: str):
    for spec, widths in SHARED:
        found = multipliers(spec, target=target, optimise="area")
        assert len(found) >= len(widths)
        assert max(max(pair) for pair in found) <= 17


UNITS = (
    *(spec for spec, _ in SHARED),
    unit("block-dot", a="mxfp4", out="bf16", rounding="rdn", lanes=8),
    unit("block-dot", a="mxfp6-e3m2", b="mxfp4", out="fp32", lanes=4),
    unit("block-mac", a="mxfp8-e4m3", acc="fp32", out="fp32", lanes=4),
    unit("mac", a="e4m3", acc="exact", out="fp16", lanes=3),
    unit("dot", a="e2m1", lanes=4, out="e5m2", accumulation="chunk(2, fx12.4)"),
    unit("dot", a="e3m0", b="e4m3", lanes=3, out="fp16"),
    unit("dot", a="ue2m1", b="e2m1", lanes=4, out="bf16"),
    unit("dot", a="e4m3fnuz", b="e2m1", lanes=4, out="bf16", rounding="rup"),
)


@pytest.mark.parametrize(("target", "stages"), [("ecp5", 3), ("xilinx7", 0)])
def test_results_are_the_same(target: str, stages: int):
    assert not differing(UNITS, bits=0, target=target, optimise="area", stages=stages)


def extremes(spec: Unit, vectors: int) -> Iterator[Codes]:
    """Elements of the least and the largest codes of both signs, mixed; the rest as usual."""
    random = np.random.default_rng(5)
    for chunk in stimulus(spec, vectors=vectors, seed=5):
        for name in "ab":
            half = 1 << (spec.ports.inputs[name].format.width - 1)
            ends = np.array([0, 1, half - 2, half - 1, half, half + 1, 2 * half - 2, 2 * half - 1])
            codes = chunk[name]
            chunk[name] = random.choice(ends, codes.shape).astype(codes.dtype)
        yield chunk


def test_extreme_operands():
    if "bulk" not in simulators.available():
        pytest.skip("verilator is missing")
    models = bulk.Model.of_many([generate(spec, **AREA) for spec in UNITS])
    for spec, model in zip(UNITS, models, strict=True):
        tally = bulk.compare(spec, [model], extremes(spec, 5_000))
        model.close()
        assert tally.vectors == 5_000
        assert not tally.failures
