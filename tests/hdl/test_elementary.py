# SPDX-License-Identifier: BSD-2-Clause
"""The search for polynomials: what it finds goes through all bounds, and what there is not."""

import numpy as np
import pytest

from macaw.golden import unit
from macaw.golden.errors import SpecError
from macaw.hdl.elementary.pieces import Bounds, search
from macaw.hdl.elementary.plan import plan
from macaw.sim.verify import verify


def curve(width, room, power):
    """Bounds around a power of a whole number, ``room`` to either side."""
    at = np.arange(1 << width)
    near = 1000.0 * (1 + at / len(at)) ** power
    return Bounds.of(at, np.floor(near - room).astype(int), np.ceil(near + room).astype(int), near)


@pytest.mark.parametrize("power", [-2, 0.5, 3])
@pytest.mark.parametrize("room", [0, 1, 5])
def test_pieces_stay_within_their_bounds(power, room):
    bounds = curve(8, room, power)
    found = list(search(bounds, 8, 1, 8))
    assert found
    for pieces in found:
        values = pieces.values(bounds.at)
        assert (bounds.low <= values).all()
        assert (values <= bounds.high).all()


def test_a_second_degree_takes_fewer_pieces():
    line, parabola = search(curve(8, 1, 3), 8, 1, 8)
    assert not line.curves
    assert len(parabola.constants) < len(line.constants)


def test_bounds_that_contradict_one_another_are_none():
    at = np.array([3, 3])
    low, high = np.array([0, 5]), np.array([4, 9])
    assert Bounds.of(at, low, high, np.array([1.0, 6.0])) is None


def test_no_polynomial_no_module():
    spec = unit("function", a="fp16", out="fp32", function="tanh")
    with pytest.raises(SpecError, match=r"function=tanh: gates have no polynomial"):
        plan(spec)


@pytest.mark.parametrize("function", ["exp2", "log", "sigmoid", "tanh", "reciprocal", "rsqrt"])
@pytest.mark.parametrize(
    ("a", "out"), [("e3m2ieee", "fp16"), ("e4m3", "bf16"), ("e4m3", "fx12.6"), ("e3m6", "e3m6")]
)
def test_every_operand_is_rounded_right(function, a, out):
    spec = unit("function", a=a, out=out, function=function, rounding="rup")
    assert verify(spec, exhaustive=True, simulator="bulk", stages=1).passed
