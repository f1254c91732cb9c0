# SPDX-License-Identifier: BSD-2-Clause
"""The search for polynomials: what it finds goes through all bounds, and what there is not."""

import numpy as np
import pytest

from macaw.golden import unit
from macaw.golden.arithmetic.real.faithful import FUNCTIONS
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


@pytest.mark.parametrize("bits", [50, 57, 61])
def test_long_words_are_no_less_exact(bits):
    at = np.arange(16)
    near = 2.0**bits * np.random.default_rng(1).random(len(at))
    exact = near.astype(int)
    for pieces in search(Bounds.of(at, exact, exact + 3, near), 4, 1, 4):
        values = pieces.values(at.astype(object))
        assert all(0 <= value - low <= 3 for value, low in zip(values, exact.tolist(), strict=True))


def test_a_second_degree_takes_fewer_pieces():
    line, parabola = search(curve(8, 1, 3), 8, 1, 8)
    assert not line.curves
    assert len(parabola.constants) < len(line.constants)


def test_bounds_that_contradict_one_another_are_none():
    at = np.array([3, 3])
    low, high = np.array([0, 5]), np.array([4, 9])
    assert Bounds.of(at, low, high, np.array([1.0, 6.0])) is None


@pytest.mark.parametrize(
    ("a", "out", "function"),
    [
        ("fp16", "fp32", "tanh"),
        ("bf16", "fx60.30", "exp"),
        ("bf16", "fx60.30", "log"),
        ("bf16", "fx60.0", "reciprocal"),
        ("e5m2", "fx60.58", "sigmoid"),
    ],
)
def test_no_polynomial_no_module(a, out, function):
    spec = unit("function", a=a, out=out, function=function)
    with pytest.raises(SpecError, match=f"function={function}: gates have no polynomial"):
        plan(spec)


@pytest.mark.parametrize(
    "function", ["exp2", "log", "sin", "cos", "sigmoid", "tanh", "reciprocal", "rsqrt"]
)
@pytest.mark.parametrize(
    ("a", "out"), [("e3m2ieee", "fp16"), ("e4m3", "bf16"), ("e4m3", "fx12.6"), ("e3m6", "e3m6")]
)
def test_every_operand_is_rounded_right(function, a, out):
    spec = unit("function", a=a, out=out, function=function, rounding="rup")
    assert verify(spec, exhaustive=True, simulator="bulk", stages=1).passed


@pytest.mark.parametrize("function", ["sin", "tanh", "reciprocal"])
@pytest.mark.parametrize("a", ["e4m3fnuzftz", "e3m1bn7extftz"])
def test_a_flushed_operand_keeps_its_sign_where_no_code_is_a_negative_zero(function, a):
    spec = unit("function", a=a, out="e4m3", function=function)
    assert verify(spec, exhaustive=True, simulator="bulk").passed


@pytest.mark.parametrize("function", ["exp", "exp2", "sigmoid"])
@pytest.mark.parametrize("a", ["e2m6bn8", "e2m5bn6"])
def test_only_subnormal_operands_have_results_within_the_range(function, a):
    spec = unit("function", a=a, out="bf16", function=function)
    assert verify(spec, exhaustive=True, simulator="bulk").passed


@pytest.mark.parametrize("function", ["sin", "cos", "tanh"])
def test_operands_all_so_small_that_no_polynomial_is_asked(function):
    spec = unit("function", a="e3m2b40", out="e4m6b20", function=function)
    assert verify(spec, exhaustive=True, simulator="bulk").passed


@pytest.mark.parametrize(
    ("function", "a", "out", "options"),
    [
        *((function, "tf32", "fp16", {"stages": 0}) for function in FUNCTIONS),
        *(
            (function, "e9m8bn200", "e5m4", {"stages": 2, "flow": "stream"})
            for function in ("exp", "tanh", "sin")
        ),
        *(
            (function, "e4m12bn3ftz", "e5m9", {"stages": 1, "table": "ram", "flow": "valid"})
            for function in ("log", "sigmoid", "rsqrt", "cos")
        ),
        # All operands are small; only the subnormal ones are; none is.
        *(
            (function, a, out, {"stages": 1})
            for function in ("sin", "cos")
            for a, out in (("e3m14b40", "e5m9b20"), ("e5m14", "e4m11"), ("e3m14bn9", "bf16"))
        ),
        *((function, "e11m8", "e5m4", {"stages": 0}) for function in ("sin", "cos")),
        ("sin", "e8m10", "e9m11", {"stages": 0}),
    ],
)
def test_wide_operands_end_in_golden_s_bits(function, a, out, options):
    spec = unit("function", a=a, out=out, function=function, rounding="rna")
    assert verify(spec, vectors=30_000, simulator="bulk", **options).passed
