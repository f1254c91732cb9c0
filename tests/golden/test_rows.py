# SPDX-License-Identifier: BSD-2-Clause
"""Softmax of rows: values, masks, specials, the division into rows, and how near results are."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from rows import last_places, results, streamed

from macaw.golden import CodeError, SpecError, format, unit
from macaw.golden.arithmetic.real.powers import Significand
from macaw.golden.arithmetic.rows.beats import Rows
from macaw.golden.units.row_functions import Softmax
from macaw.sim.proof.outsiders.check import by_reference
from macaw.sim.stimulus.draw import stimulus

INF, NAN = np.inf, np.nan


def softmax(**parameters: Any) -> Softmax:
    spec = unit("softmax", **({"a": "fp16", "lanes": 2} | parameters))
    assert isinstance(spec, Softmax)
    return spec


@pytest.mark.parametrize(
    ("row", "want"),
    [
        ([5.0], [1.0]),
        ([-65504.0], [1.0]),
        ([0.0, 0.0], [0.5, 0.5]),
        ([-0.0, 0.0, 0.0, -0.0], [0.25] * 4),
        ([60000.0, 60000.0], [0.5, 0.5]),
        ([60000.0, 59968.0], [1.0, 0.0]),
        ([65504.0, -65504.0, 65504.0], [0.5, 0.0, 0.5]),
        ([-INF, 3.0, -INF], [0.0, 1.0, 0.0]),
        ([2.0**-24, -(2.0**-24)], [0.5, 0.5]),
        ([-INF, -INF], [NAN, NAN]),
        ([INF, 1.0], [NAN, NAN]),
        ([1.0, NAN, 2.0], [NAN] * 3),
        ([], []),
    ],
)
def test_values(row: list[float], want: list[float]):
    (got,) = results(softmax(), [row])
    assert np.array_equal(got, want, equal_nan=True)


def test_a_special_row_leaves_its_neighbours_alone():
    got = results(softmax(), [[1.0, 1.0], [NAN, 0.0, 0.0], [INF], [], [2.0, 2.0, 2.0, 2.0]])
    assert got[0] == [0.5, 0.5]
    assert got[4] == [0.25] * 4
    assert np.isnan([*got[1], *got[2]]).all()


def test_base_two():
    assert results(softmax(base="2", out="fp32"), [[1.0, 0.0, 0.0]]) == [[0.5, 0.25, 0.25]]


@pytest.mark.parametrize(
    ("gamma", "zeta", "row", "want"),
    [
        ("-1/8", "1", [0.0, 0.0], [7 / 16, 7 / 16]),
        ("-1/8", "1", [5.0], [1.0]),
        ("-1/8", "1", [0.0] * 9, [0.0] * 9),
        ("-1/8", "2", [0.0, -3.0, -INF], [1.0, 0.0, 0.0]),
        ("-1", "2", [0.0] * 3 + [-INF], [0.0] * 4),
        ("-1", "2", [0.0, 0.0], [0.5, 0.5]),
        ("0", "2", [0.0, 0.0], [1.0, 1.0]),
        ("0", "2", [0.0] * 4, [0.5] * 4),
        ("0", "2", [0.0, -5.0], [1.0, 0.0134]),
        ("-1/8", "2", [NAN, 0.0], [NAN, NAN]),
        ("-1/8", "2", [INF, 0.0], [NAN, NAN]),
        ("0", "1.5", [-INF, -INF], [NAN, NAN]),
    ],
)
def test_clipped(gamma: str, zeta: str, row: list[float], want: list[float]):
    (got,) = results(softmax(gamma=gamma, zeta=zeta), [row])
    assert np.round(got, 4).tolist() == pytest.approx(want, abs=0, nan_ok=True)
    assert not np.signbit(got).any()


def clipped(x: np.ndarray, spec: Softmax) -> tuple[np.ndarray, np.ndarray]:
    """(exact results, what these are before gamma is added) of rows."""
    gamma, zeta = float(Fraction(spec.gamma)), float(Fraction(spec.zeta))
    stretched = (zeta - gamma) * exponentials(x)
    return np.clip(stretched + gamma, 0, 1), stretched


@pytest.mark.parametrize(
    ("gamma", "zeta"), [("-0.03", "1.003"), ("-1/300", "1.03"), ("0", "1.1"), ("-1", "2")]
)
@pytest.mark.parametrize("rounding", ["rne", "rdn"])
def test_clipped_is_near_and_has_its_zeros_and_ones(gamma: str, zeta: str, rounding: str):
    """Half a last place of the result, or a whole one, and a tenth of one before the sum."""
    spec = softmax(lanes=8, gamma=gamma, zeta=zeta, rounding=rounding)
    rng = np.random.default_rng(4)
    x = spec.a.decode(spec.a.encode(rng.normal(0, 1, (300, 64)) * rng.uniform(0, 6, (300, 1))))
    got, (exact, before) = streamed(spec, x), clipped(x, spec)
    place = (0.5 if rounding == "rne" else 1) * last_places(exact, spec.out)
    slack = 0.1 * last_places(before, spec.out)
    assert (np.abs(got - exact) <= place + slack).all()
    raw = before + float(Fraction(gamma))
    assert (got[raw < -slack] == 0).all()
    assert (got[raw > 1 + slack] == 1).all()
    assert (exact == 1).any()
    assert (exact == 0).any() or gamma == "0"
    assert not np.signbit(got).any()


def test_a_factor_of_two_doubles_what_it_does_not_clip():
    x = np.log2(np.arange(1, 65)).reshape(4, 16)
    once, twice = (streamed(softmax(lanes=8, zeta=z, out="fp32"), x) for z in ("1", "2"))
    assert (twice == np.minimum(2 * once, 1)).all()


def test_beyond_its_reach_a_number_counts_as_the_bound():
    assert results(softmax(a="bf16"), [[1e30, 2.0**16], [-1e30, -1e38]]) == [[0.5, 0.5]] * 2
    assert results(softmax(reach=3), [[8.0, 60000.0]]) == [[0.5, 0.5]]
    (near,) = results(softmax(reach=3), [[7.0, 60000.0]])
    assert near[0] == pytest.approx(np.exp(-1) / (1 + np.exp(-1)), abs=1e-3)


def test_a_nan_in_a_format_without_one_is_the_largest_value():
    assert results(softmax(out="ufx8.8"), [[NAN, 1.0]]) == [[255 / 256] * 2]


def test_a_row_that_fills_the_memory_ends():
    spec = softmax(row=4)
    a = spec.a.encode(np.zeros((7, 2)))
    got = spec.evaluate(a=a, keep=np.ones((7, 2), int), end=np.array([0, 0, 0, 0, 0, 1, 1]))
    assert got["end"].tolist() == [0, 1, 0, 1, 0, 1, 1]
    assert spec.out.decode(got["r"])[:, 0].tolist() == [0.25] * 6 + [0.5]


def test_arrays_end_a_row():
    spec = softmax()
    a = spec.a.encode(np.zeros((3, 2)))
    got = spec.evaluate(a=a, keep=np.ones((3, 2), int), end=np.array([1, 0, 0]))
    assert got["end"].tolist() == [1, 0, 1]


def test_rows_are_divided():
    rows = Rows.of(np.array([0, 0, 1, 1, 0, 0, 0, 0, 0, 1]), 3)
    assert rows.starts.tolist() == [0, 3, 4, 7]
    assert rows.lengths.tolist() == [3, 1, 3, 3]
    parts = [(beats, part.lengths.tolist()) for beats, part in rows.parts(1 << 20)]
    assert parts == [
        (slice(0, 3), [3]),
        (slice(3, 4), [1]),
        (slice(4, 7), [3]),
        (slice(7, 10), [3]),
    ]


@pytest.mark.parametrize("bits", range(4, 21))
def test_significands_are_within_two_last_places(bits: int):
    """All of them; monotone, from 1 to below 2."""
    fraction = np.arange(1 << bits)
    m = Significand(bits=bits)(fraction)
    assert m[0] == 1 << bits
    assert m[-1] < 2 << bits
    assert (np.diff(m) >= 0).all()
    assert np.abs(m - np.exp2(fraction / 2.0**bits) * 2.0**bits).max() < 1.05


@pytest.mark.parametrize(
    "parameters",
    [
        {"lanes": 4, "row": 40},
        {"a": "bf16", "base": "2", "rounding": "rup", "row": 6},
        {"a": "e4m3", "out": "fp32", "lanes": 1, "row": 3},
        {"a": "fp32", "out": "ufx8.8", "bits": 20, "aligned": 21, "reach": 5},
        {"a": "e5m2", "bits": 4, "rounding": "rod", "lanes": 3, "row": 1},
        {"gamma": "-0.03", "zeta": "1.003", "row": 6},
        {"a": "bf16", "zeta": "1.1", "rounding": "rdn", "row": 6},
        {"a": "fp32", "out": "fx64.63", "bits": 20, "gamma": "-1/65536", "zeta": "2", "row": 6},
        {"a": "e4m3", "bits": 4, "gamma": "-1", "zeta": "2", "lanes": 1, "row": 3},
        {"out": "fp32", "bits": 4, "gamma": "-0.07", "zeta": "1.1", "row": 6},
    ],
    ids=str,
)
def test_bits_are_those_of_fractions(parameters: dict[str, Any]):
    spec = softmax(**parameters)
    for codes in stimulus(spec, vectors=300, seed=5):
        by_reference(spec, codes)


def exponentials(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_fp16_is_within_six_tenths_of_a_last_place():
    """Of rows of 1,024 numbers; docs/rows.md has more of them."""
    spec = softmax(lanes=8)
    x = spec.a.decode(spec.a.encode(np.random.default_rng(4).normal(0, 3, (20, 1024))))
    exact = exponentials(x)
    assert (np.abs(streamed(spec, x) - exact) < 0.6 * last_places(exact, spec.out)).all()


@pytest.mark.parametrize(
    "parameters",
    [
        {"x": "fx8.4", "lanes": 4, "row": 40},
        {"x": "int8", "scale": "0.05", "out": "int8", "lanes": 3, "row": 7},
        {"x": "uint8", "scale": "1/30", "lanes": 1, "row": 5, "bits": 8, "out": "ufx9.8"},
        {"x": "fx5.2", "out": "fx9.7", "zero_point": -76, "row": 1},
    ],
    ids=str,
)
def test_bits_of_integers_are_those_of_fractions(parameters: dict[str, Any]):
    spec = unit("int-softmax-rows", **parameters)
    for codes in stimulus(spec, vectors=300, seed=5):
        by_reference(spec, codes)


def test_rows_of_integers_are_those_of_one_beat():
    x = np.random.default_rng(3).integers(0, 256, (5, 12))
    formats: dict[str, Any] = {"x": "int8", "scale": "0.05", "out": "int8"}
    whole = unit("int-softmax", lanes=12, **formats).evaluate(x=x)["r"]
    end = np.tile([0, 0, 1], 5)
    beats: dict[str, Any] = {"keep": np.ones((15, 4), int), "end": end}
    rows = unit("int-softmax-rows", lanes=4, row=12, **formats)
    assert rows.evaluate(x=x.reshape(15, 4), **beats)["r"].reshape(5, 12).tolist() == whole.tolist()


def test_what_is_not_kept_of_integers_has_the_probability_zero():
    spec = unit("int-softmax-rows", x="int8", scale="1/4", out="int8", lanes=2)
    keep = [[1, 0], [0, 0], [0, 0]]
    r = spec.evaluate(x=[[5, 127], [9, 9], [9, 9]], keep=keep, end=[0, 1, 1])["r"]
    assert spec.out.decode(r).tolist() == [[127.0, -128.0], [-128.0, -128.0], [-128.0, -128.0]]


def test_sums_are_one():
    (row,) = results(softmax(out="fp32", bits=20), [[0.1 * i for i in range(30)]])
    assert abs(sum(map(Fraction, row)) - 1) < Fraction(1, 1 << 18)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"a": "int8"}, "a=int8: must be a float of at most 32 bits"),
        ({"a": "fp64"}, "a=fp64: must be a float of at most 32 bits"),
        ({"base": "10"}, "base=10: must be e or 2"),
        ({"bits": 3}, "bits=3: must be an integer from 4 to 20"),
        ({"bits": 15, "aligned": 14}, "aligned=14: must be an integer from 15 to 44"),
        ({"reach": 17}, "reach=17: must be an integer from 1 to 16"),
        ({"row": 0}, "row=0: must be an integer from 1 to 65536"),
        ({"lanes": 1025}, "lanes=1025: must be an integer from 1 to 1024"),
        (
            {"gamma": "0.03"},
            "gamma=0.03: must be 0, or a number from -1 to -2^-16, as -0.03 or -1/32",
        ),
        (
            {"gamma": "-1e-5"},
            "gamma=-1e-5: must be 0, or a number from -1 to -2^-16, as -0.03 or -1/32",
        ),
        ({"zeta": 0.99}, "zeta=0.99: must be a number from 1 to 2, as 1.03 or 33/32"),
        ({"zeta": "nan"}, "zeta=nan: must be a number from 1 to 2, as 1.03 or 33/32"),
        ({"rounding": "sr"}, "rounding=sr: softmax takes one fixed direction"),
        ({"rounding": "dynamic"}, "rounding=dynamic: softmax takes one fixed direction"),
    ],
)
def test_refused(parameters: dict[str, Any], message: str):
    with pytest.raises(SpecError) as error:
        softmax(**parameters)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"x": "fp16"}, "x=fp16: must be fixed point"),
        ({"row": 0}, "row=0: must be an integer from 1 to 65536"),
        ({"lanes": 1025}, "lanes=1025: must be an integer from 1 to 1024"),
        ({"x": "int8"}, "int-softmax-rows: parameter scale is missing; int8 has none"),
        ({"reciprocal": 20}, "reciprocal=20: must be an integer from 25 to 62"),
    ],
)
def test_rows_of_integers_refused(parameters: dict[str, Any], message: str):
    with pytest.raises(SpecError) as error:
        unit("int-softmax-rows", **({"x": "fx8.4"} | parameters))
    assert str(error.value) == message


def test_what_is_usual():
    spec = softmax(lanes=8)
    assert (spec.bits, spec.aligned, spec.reach, spec.beats) == (15, 25, 16, 128)
    assert softmax(out="fp32").bits == 20
    assert softmax(a="e4m3").reach == 9
    assert softmax(a="e4m3", reach=16) == softmax(a="e4m3")
    assert softmax(row=7, lanes=3).beats == 3
    assert softmax(gamma=-0.0, zeta="2/2") == softmax()
    assert softmax(gamma=-0.03, zeta="6/4").name == "softmax2_fp16_g0p03_z1p5"
    assert unit("softmax", a=format("fp16")).name == "softmax8_fp16"


def test_arrays_of_the_wrong_shape():
    spec = softmax()
    beat: Any = {"keep": [[1, 1]], "end": [1]}
    with pytest.raises(CodeError, match="last axis must have 2 lanes"):
        spec.evaluate(a=[[0, 0, 0]], **beat)
    with pytest.raises(CodeError, match="must have one axis, the beats"):
        spec.evaluate(a=[[[0, 0]]], keep=[[[1, 1]]], end=[[1]])
    with pytest.raises(CodeError, match="code 2 is out of range"):
        spec.evaluate(a=[[0, 0]], keep=[[2, 0]], end=[1])


def test_no_stage_of_a_pipeline_waits_for_a_row():
    with pytest.raises(SpecError, match="stages=softmax: results wait for the end of a row"):
        unit("pipeline", stages="softmax(a=fp16)")
