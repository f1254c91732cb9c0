# SPDX-License-Identifier: BSD-2-Clause
"""Norms of rows of floats: values, signs of zeros, specials, cancellation, how near results are."""

from typing import Any

import numpy as np
import pytest
from rows import last_places, results, streamed

from macaw.golden import SpecError, unit
from macaw.golden.units.row_functions import LayerNorm, RmsNorm
from macaw.sim.proof.outsiders.check import by_reference
from macaw.sim.stimulus.draw import stimulus

INF, NAN = np.inf, np.nan


def rmsnorm(**parameters: Any) -> RmsNorm:
    spec = unit("rmsnorm", **({"a": "fp16", "lanes": 2} | parameters))
    assert isinstance(spec, RmsNorm)
    return spec


def layernorm(**parameters: Any) -> LayerNorm:
    spec = unit("layernorm", **({"a": "fp16", "lanes": 2} | parameters))
    assert isinstance(spec, LayerNorm)
    return spec


def same(got: list[float], want: list[float]) -> bool:
    """Equal numbers, and zeros of equal signs; NaNs are equal."""
    signs = [(np.signbit(x), np.signbit(y)) for x, y in zip(got, want, strict=True) if x == x]
    return np.array_equal(got, want, equal_nan=True) and all(x == y for x, y in signs)


@pytest.mark.parametrize(
    ("row", "want"),
    [
        ([4.0, -4.0, 4.0], [1.0, -1.0, 1.0]),
        ([60000.0] * 5, [1.0] * 5),
        ([0.0, -0.0, 0.0], [0.0, -0.0, 0.0]),
        ([512.0, 0.0, -0.0, 0.0], [2.0, 0.0, -0.0, 0.0]),
        ([-512.0] + [0.0] * 15, [-4.0] + [0.0] * 15),
        ([INF, 1.0, -2.0, 0.0, -INF], [NAN, 0.0, -0.0, 0.0, NAN]),
        ([INF, NAN, 2.0], [NAN] * 3),
        ([NAN], [NAN]),
        ([], []),
    ],
)
def test_values_of_rmsnorm(row: list[float], want: list[float]):
    (got,) = results(rmsnorm(), [row])
    assert same(got, want)


ROOT_2 = 1.4140625
"""In fp16."""


@pytest.mark.parametrize(
    ("row", "want"),
    [
        ([4.0, -4.0], [1.0, -1.0]),
        ([0.0, 8.0, 8.0, 0.0], [-1.0, 1.0, 1.0, -1.0]),
        ([2.0, 2.0, 5.0], [-ROOT_2 / 2, -ROOT_2 / 2, ROOT_2]),
        ([65504.0, -65504.0], [1.0, -1.0]),
        ([2048.0, 2050.0], [-1.0, 1.0]),
        ([-2048.0, -2046.0, -2048.0, -2046.0], [-1.0, 1.0, -1.0, 1.0]),
        ([3.0], [0.0]),
        ([-3.0], [0.0]),
        ([-0.0], [0.0]),
        ([60000.0] * 5, [0.0] * 5),
        ([0.1] * 7, [0.0] * 7),
        ([-0.0, -0.0], [0.0, 0.0]),
        ([2.0**-24] * 3, [0.0] * 3),
        ([-512.0] + [0.0] * 16, [-4.0] + [0.25] * 16),
        ([1.0, INF, 2.0], [NAN] * 3),
        ([-INF, 1.0], [NAN] * 2),
        ([NAN, 1.0, 1.0], [NAN] * 3),
        ([], []),
    ],
)
def test_values_of_layernorm(row: list[float], want: list[float]):
    (got,) = results(layernorm(), [row])
    assert same(got, want)


def test_an_exact_zero_is_negative_where_rounding_down():
    """As an exact zero sum is; what is not kept is +0."""
    spec = layernorm(rounding="rdn", lanes=4)
    a = spec.a.encode([[7.0, 7.0, 100.0, 7.0]])
    r = spec.evaluate(a=a, keep=[[1, 1, 0, 1]], end=[1])["r"]
    assert same(spec.out.decode(r)[0].tolist(), [-0.0, -0.0, 0.0, -0.0])
    assert results(spec, [[2.0, 2.0, 5.0]])[0][:2] == [-0.70751953125] * 2


def test_a_special_row_leaves_its_neighbours_alone():
    got = results(layernorm(), [[1.0, 3.0], [NAN, 0.0], [INF], [], [3.0, 1.0]])
    assert [got[0], got[4]] == [[-1.0, 1.0], [1.0, -1.0]]
    assert np.isnan([*got[1], *got[2]]).all()


def test_what_is_added_to_the_mean():
    """``x / sqrt(x**2 + eps)``; the formats' own numbers have no part in what eps is."""
    assert results(rmsnorm(eps="1"), [[0.0], [2.0**-24]]) == [[0.0], [2.0**-24]]
    assert results(rmsnorm(eps="1/4"), [[2.0**-12, -(2.0**-12)]]) == [[2.0**-11, -(2.0**-11)]]
    (row,) = results(rmsnorm(out="fp32", eps="0.75"), [[0.5, 0.5]])
    assert row == [0.5, 0.5]
    assert rmsnorm(eps="1e-5") == rmsnorm(eps=1e-5) == rmsnorm(eps="1/100000") == rmsnorm()


def test_what_is_added_to_the_variance():
    assert results(layernorm(eps="1"), [[2.0**-12, -(2.0**-12)]]) == [[2.0**-12, -(2.0**-12)]]
    assert results(layernorm(eps="1/4"), [[1.0 + 2.0**-8, 1.0 - 2.0**-8]]) == [
        [2.0**-7, -(2.0**-7)]
    ]
    assert results(layernorm(out="fp32", eps="0.75"), [[0.5, -0.5]]) == [[0.5, -0.5]]


@pytest.mark.parametrize(("eps", "want"), [("1e-5", 2.0), ("1", 1.0)])
def test_a_variance_below_zero_is_none(eps: str, want: float):
    """Sums that have lost bits where a row rose: ``2 * 131070 - 512**2`` is -4.

    In units of 1/256 the first element is 65535; the second one makes that -256 of a unit of 1, and
    its square 65534.
    """
    spec = layernorm(a="fp32", lanes=1, aligned=8, bits=8, eps=eps)
    assert results(spec, [[-65535 / 256, -256.0]]) == [[want, 0.0]]


@pytest.mark.parametrize("kind", [rmsnorm, layernorm])
def test_what_is_not_kept_is_not_counted(kind: Any):
    spec = kind(lanes=4)
    a = spec.a.encode([[8.0, 100.0, -8.0, INF]])
    got = spec.evaluate(a=a, keep=[[1, 0, 1, 0]], end=[1])["r"]
    assert spec.out.decode(got).tolist() == [[1.0, 0.0, -1.0, 0.0]]


def scaled(spec: RmsNorm | LayerNorm, x: list[float], **beside: list[float]) -> list[float]:
    """Results of a row of one beat that is all there."""
    given = {"a": x} | beside
    codes: Any = {n: spec.ports.inputs[n].format.encode([row]) for n, row in given.items()}
    return spec.out.decode(spec.evaluate(**codes, keep=[[1] * len(x)], end=[1])["r"])[0].tolist()


def test_weights_and_biases():
    """A product and a sum that are rounded once: 1 + 2**-12 is no number of fp16."""
    spec = layernorm(weight="fp32", bias="fp32", lanes=2)
    assert list(spec.ports.inputs) == ["a", "weight", "bias", "keep", "end"]
    assert scaled(spec, [4.0, -4.0], weight=[3.0, 0.5], bias=[1.0, -2.0]) == [4.0, -2.5]
    near = scaled(spec, [4.0, 4.0], weight=[7.0, 9.0], bias=[1 + 2.0**-11, 1 + 2.0**-11 + 2.0**-20])
    assert near == [1.0, 1 + 2.0**-10]
    spec = rmsnorm(weight="bf16")
    assert scaled(spec, [4.0, -4.0], weight=[3.0, 0.5]) == [3.0, -0.5]
    spec = layernorm(bias="e4m3")
    assert scaled(spec, [4.0, -4.0], bias=[1.0, 448.0]) == [2.0, 447.0]


def test_products_are_rounded_once():
    """Within 0.6 of a last place, which products of rounded results are not."""
    spec = rmsnorm(weight="fp16", lanes=64)
    x, weight = spec.a.decode(spec.a.encode(np.random.default_rng(2).normal(0, 1, (2, 64))))
    exact = x / np.sqrt((x**2).mean() + 1e-5) * weight
    places = last_places(exact, spec.out)
    once = np.array(scaled(spec, x.tolist(), weight=weight.tolist()))
    twice = spec.out.encode(np.array(scaled(rmsnorm(lanes=64), x.tolist())) * weight)
    assert (np.abs(once - exact) < 0.6 * places).all()
    assert (np.abs(spec.out.decode(twice) - exact) > 0.6 * places).any()


def test_specials_of_weights_and_biases():
    spec = layernorm(weight="fp16", bias="fp16", lanes=4)
    x = [4.0, -4.0, 0.0, 0.0]
    got = scaled(spec, x, weight=[INF, -INF, INF, 1.0], bias=[1.0, 1.0, 1.0, -INF])
    assert same(got, [INF, INF, NAN, -INF])
    got = scaled(spec, x, weight=[INF, NAN, -1.0, 1.0], bias=[-INF, 1.0, -0.0, -0.0])
    assert same(got, [NAN, NAN, -0.0, 0.0])
    assert same(scaled(layernorm(weight="fp16"), [1.0, INF], weight=[1.0, 0.0]), [NAN, NAN])
    got = scaled(rmsnorm(weight="fp16"), [INF, -1.0], weight=[2.0, -2.0])
    assert same(got, [NAN, 0.0])


@pytest.mark.parametrize("kind", [rmsnorm, layernorm])
def test_weights_of_what_is_not_kept_are_nothing(kind: Any):
    spec = kind(weight="fp16", lanes=4)
    a = spec.a.encode([[8.0, 1.0, -8.0, 1.0]])
    weight = spec.weight.encode([[2.0, NAN, 2.0, -INF]])
    r = spec.evaluate(a=a, weight=weight, keep=[[1, 0, 1, 0]], end=[1])["r"]
    assert same(spec.out.decode(r)[0].tolist(), [2.0, 0.0, -2.0, 0.0])


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (rmsnorm, {"weight": "fp16", "row": 9}),
        (rmsnorm, {"a": "fp32", "weight": "fp32", "rounding": "rup", "row": 6}),
        (layernorm, {"weight": "fp16", "bias": "fp16", "row": 9, "lanes": 3}),
        (layernorm, {"a": "fp32", "weight": "fp32", "bias": "fp32", "rounding": "rdn", "row": 6}),
        (layernorm, {"a": "bf16", "bias": "e4m3", "out": "int8", "row": 1}),
    ],
    ids=lambda each: each.__name__ if callable(each) else str(each),
)
def test_bits_of_scaled_results_are_those_of_fractions(kind: Any, parameters: dict[str, Any]):
    spec = kind(**parameters)
    for codes in stimulus(spec, vectors=300, seed=5):
        by_reference(spec, codes)


def drawn(spec: RmsNorm | LayerNorm, means: Any, deviations: Any) -> np.ndarray:
    """Rows of 1,024 numbers of the unit's format."""
    x = np.random.default_rng(4).normal(0, 1, (len(deviations) * 4, 1024))
    x = x * np.tile(deviations, 4)[:, None] + np.tile(means, 4)[:, None]
    return spec.a.decode(spec.a.encode(x))


def test_rmsnorm_of_fp16_is_within_six_tenths_of_a_last_place():
    """docs/rows.md has more of them."""
    spec = rmsnorm(lanes=8)
    x = drawn(spec, [0, 0, 0], [3, 0.01, 2.0**-9])
    exact = x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-5)
    assert (np.abs(streamed(spec, x) - exact) < 0.6 * last_places(exact, spec.out)).all()


@pytest.mark.parametrize(
    "parameters",
    [{}, {"a": "bf16"}, {"a": "fp32", "out": "bf16"}, {"aligned": 25}, {"a": "fp32"}],
    ids=str,
)
def test_layernorm_is_as_near_as_its_sum(parameters: dict[str, Any]):
    """Whatever the means are; two units of the sum are what docs/rows.md says."""
    spec = layernorm(lanes=8, **parameters)
    x = drawn(spec, [0, 0, 0, 1, 30, -30, 2.0**-6], [3, 0.01, 2.0**-9, 1, 1, 4, 2.0**-12])
    apart = x - x.mean(axis=1, keepdims=True)
    root = np.sqrt((apart**2).mean(axis=1, keepdims=True) + 1e-5)
    exact = apart / root
    highest = np.frexp(np.abs(x).max(axis=1, keepdims=True))[1] - 1
    assert spec.aligned is not None
    sum_unit = np.exp2(np.maximum(highest // 8 * 8, -16) - spec.aligned)
    lost = 2.0 ** -(spec.bits or 0) * 3 * np.abs(exact) + 2 * sum_unit / root
    bound = 0.5 * last_places(exact, spec.out) + lost
    assert (np.abs(streamed(spec, x) - exact) < bound).all()


@pytest.mark.parametrize(
    "parameters",
    [
        {"lanes": 4, "row": 40},
        {"a": "bf16", "out": "fp32", "rounding": "rup", "row": 6, "eps": "1e-12"},
        {"a": "fp32", "row": 6, "bits": 20, "aligned": 20},
        {"a": "e4m3", "out": "int8", "bits": 8, "aligned": 8, "eps": "1", "lanes": 1, "row": 3},
        {"a": "e5m2", "rounding": "rdn", "lanes": 3, "row": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", [rmsnorm, layernorm])
def test_bits_are_those_of_fractions(kind: Any, parameters: dict[str, Any]):
    spec = kind(**parameters)
    for codes in stimulus(spec, vectors=300, seed=5):
        by_reference(spec, codes)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"a": "fp64"}, "a=fp64: must be a float of at most 32 bits"),
        ({"eps": "0"}, "eps=0: must be from 2^-64 to 1"),
        ({"eps": "1.5"}, "eps=1.5: must be from 2^-64 to 1"),
        ({"eps": "tiny"}, "eps=tiny: must be a number, as 0.05 or 1/32"),
        ({"bits": 7}, "bits=7: must be an integer from 8 to 20"),
        ({"bits": 15, "aligned": 44}, "aligned=44: must be an integer from 15 to 43"),
        ({"rounding": "sr"}, "rounding=sr: rmsnorm takes one fixed direction"),
    ],
)
def test_refused(parameters: dict[str, Any], message: str):
    with pytest.raises(SpecError) as error:
        rmsnorm(**parameters)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"eps": "0"}, "eps=0: must be from 2^-64 to 1"),
        ({"bits": 21}, "bits=21: must be an integer from 8 to 20"),
        ({"aligned": 14}, "aligned=14: must be an integer from 15 to 36"),
        ({"aligned": 37, "row": 1}, "aligned=37: must be an integer from 15 to 36"),
        ({"rounding": "sr"}, "rounding=sr: layernorm takes one fixed direction"),
        ({"weight": "int8"}, "weight=int8: must be a float of at most 32 bits with 0"),
        ({"weight": "fp64"}, "weight=fp64: must be a float of at most 32 bits with 0"),
        ({"bias": "e8m0"}, "bias=e8m0: must be a float of at most 32 bits with 0"),
    ],
)
def test_refused_of_layernorm(parameters: dict[str, Any], message: str):
    with pytest.raises(SpecError) as error:
        layernorm(**parameters)
    assert str(error.value) == message


def test_what_is_usual_of_norms():
    assert (rmsnorm().bits, rmsnorm().aligned, rmsnorm().eps) == (15, 25, "1/100000")
    assert (rmsnorm(a="e4m3").bits, rmsnorm(out="fp32").bits) == (8, 20)
    assert rmsnorm(eps="1e-6", lanes=8).name == "rmsnorm8_fp16_e1_1000000"


def test_what_is_usual_of_layernorm():
    assert (layernorm().bits, layernorm().aligned) == (15, 20)
    assert (layernorm(row=9).aligned, layernorm(row=1, lanes=1).aligned) == (17, 15)
    assert layernorm(out="fp32", row=65536).aligned == 28
    assert layernorm(lanes=8, eps="1e-6", aligned=25).name == "layernorm8_fp16_e1_1000000_s25"
    assert layernorm(weight="fp16", bias="bf16").name == "layernorm2_fp16_wfp16_bbf16"
