# SPDX-License-Identifier: BSD-2-Clause
import numpy as np
import pytest

from macaw.golden.errors import SpecError
from macaw.golden.formats import format as scalar
from macaw.golden.units import unit
from macaw.synth.energy.operands import SUMS, kind_of, stream

FMA = unit("fma", a="e4m3", out="fp16")


@pytest.mark.parametrize("operands", ["gaussian", "heavy", "uniform", "sparse", "sparse(0.25)"])
@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("fma", {"a": "int8", "out": "int32"}),
        ("fma", {"a": "posit8", "out": "posit8"}),
        ("dot", {"a": "e2m1", "out": "fp16", "lanes": 3}),
        ("block-dot", {"a": "nvfp4", "out": "fp32", "size": 16}),
        ("int-mac", {"a": "int8", "b": "ternary"}),
        ("mac", {"a": "fp16", "acc": "fp16", "out": "fp16", "contexts": 3}),
        ("sqrt", {"a": "fp16", "out": "fp16"}),
        ("cast", {"a": "fp32", "out": "int8"}),
        ("requantize", {}),
    ],
)
def test_streams_are_operands(kind, parameters, operands):
    spec = unit(kind, **parameters)
    codes = stream(spec, operands, 200)
    assert set(codes) == set(spec.ports.inputs)
    (rows,) = {len(column) for column in codes.values()}
    assert 200 <= rows < 200 + 3 * SUMS
    spec.evaluate(**codes)  # which refuses what is no code
    again = stream(spec, operands, 200)
    assert all(np.array_equal(codes[name], again[name]) for name in codes)


def test_sums_go_on_with_what_they_gave():
    codes = stream(FMA, "gaussian", 200)
    results = FMA.evaluate(**codes)["r"]
    assert not codes["c"][:SUMS].any()
    assert np.array_equal(codes["c"][SUMS:], results[:-SUMS])


def test_the_share_of_zeros_is_that_of_activations():
    for operands, share in (("gaussian", 0.0), ("sparse", 0.5), ("sparse(0.9)", 0.9)):
        codes = stream(unit("mul", a="fp16", out="fp16"), operands, 4000)
        assert abs(np.mean(codes["a"] == 0) - share) < 0.03
        assert np.mean(codes["b"] == 0) < 0.01


def test_uniform_codes_are_all_codes():
    codes = stream(FMA, "uniform", 20000)
    assert len(np.unique(codes["a"])) == 256
    assert len(np.unique(codes["c"])) > 10000


def test_integers_use_their_range_and_floats_stay_in_the_result_s():
    codes = stream(unit("add", a="int8", out="int9"), "gaussian", 2000)
    assert 64 <= np.abs(scalar("int8").decode(codes["a"])).max() <= 127
    spec = unit("mul", a="fp16", out="fp16")
    results = spec.evaluate(**stream(spec, "heavy", 2000))["r"]
    assert np.isfinite(scalar("fp16").decode(results)).all()


@pytest.mark.parametrize("operands", ["", "normal", "sparse()", "sparse(2)", "sparse(-1)", None])
def test_other_words_are_refused(operands):
    with pytest.raises(SpecError, match="none of gaussian, heavy, uniform, sparse"):
        kind_of(operands)
