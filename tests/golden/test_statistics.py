# SPDX-License-Identifier: BSD-2-Clause
"""What became of the elements of a tensor: by hand, against the reference, and into a scale."""

from typing import Any

import numpy as np
import pytest

from macaw.golden import CodeError, SpecError, unit
from macaw.golden.formats import FORMATS
from macaw.golden.units import Cast, Unit
from macaw.sim.proof.cases import block_dots, conversions, dots
from macaw.sim.proof.outsiders.check import by_reference
from macaw.sim.stimulus import stimulus

INF, NAN = float("inf"), float("nan")


def cast(**parameters: Any) -> Cast:
    spec = unit("cast", **({"a": "fp32", "out": "e5m2", "statistics": 16} | parameters))
    assert isinstance(spec, Cast)
    return spec


def found(spec: Cast, x: list[float], end: list[int]) -> dict[str, list[float]]:
    results = spec.evaluate(a=spec.a.encode(x), end=end)
    counts = {name: results[name].tolist() for name in ("overflows", "underflows")}
    return counts | {"largest": spec.out.decode(results["largest"]).tolist()}


def test_each_tensor_begins_anew():
    assert found(cast(), [1e-9, 3.0, -40.0, 2.0, 1e6, -0.0], [0, 0, 1, 0, 1, 0]) == {
        "overflows": [0, 0, 0, 0, 1, 0],
        "underflows": [1, 1, 1, 0, 0, 0],
        "largest": [0.0, 3.0, 40.0, 2.0, 2.0, 0.0],
    }


@pytest.mark.parametrize("out", ["e5m2", "e4m3", "e4m3fnuz", "e2m1", "bf16"])
def test_what_is_no_number_counts_as_an_overflow(out: str):
    """Whether the format has such codes or not, and the number beside it is the largest."""
    x = [INF, -INF, NAN, 2.0, 1e39]
    assert found(cast(a="fp64", out=out), x, [0] * 5)["overflows"] == [1, 2, 3, 3, 4]
    assert found(cast(a="fp64", out=out, overflow="saturate"), x, [0] * 5)["overflows"][-1] == 4
    assert found(cast(out=out), [2.0, NAN], [0, 0])["largest"][0] == 2.0


def test_zeros_and_subnormal_results_are_not_lost():
    least = float(unit("cast", a="fp32", out="e5m2").out.min_subnormal)
    x = [0.0, -0.0, least, least / 2, least * 0.51, -least / 4]
    assert found(cast(), x, [0] * 6)["underflows"] == [0, 0, 0, 1, 1, 2]


def test_counts_stay_at_their_largest_value():
    x = [1e9] * 5
    assert found(cast(statistics=2), x, [0] * 5)["overflows"] == [1, 2, 3, 3, 3]


SPECS: list[Unit] = [
    cast(),
    cast(a="bf16", out="e2m1", statistics=3),
    cast(a="fp16", out="e4m3fnuz", rounding="sr", random="lfsr", statistics=2),
    cast(a="int16", out="ue4m3", statistics=1),
    cast(overflow="saturate"),
    cast(out="binary8p3se", overflow="saturate", statistics=2),
    unit("mul", a="e4m3", statistics=8, flags=True),
    unit("fma", a="fp16", out="fp16", statistics=8),
    unit("div", a="e5m2", rounding="dynamic", statistics=8),
    unit("sqrt", a="e4m3", statistics=8),
    unit("relu", a="fp16", out="e5m2", slope="1/8", statistics=5),
    *dots.counted().values(),
    *block_dots.COUNTED.values(),
    *conversions.COUNTED.values(),
]


def test_a_dot_product_is_judged_by_its_last_rounding():
    """2**15 + 2**15 is too large for the fp16 of the first step, and is not where rounded once."""
    fp16, dot = FORMATS["fp16"], {"a": "fp16", "out": "fp16", "lanes": 2, "statistics": 8}
    x = fp16.encode([[256.0, 256.0], [2.0**-14, 0.0], [256.0, 0.0], [1.0, 1.0]])
    y = fp16.encode([[256.0, -256.0], [2.0**-14, 0.0], [256.0, 0.0], [1.0, 1.0]])
    c, end = fp16.encode([3.0, 0.0, 0.0, -2.0]), [0, 0, 0, 1]
    once = unit("dot", **dot).evaluate(a=x, b=y, c=c, end=end)
    assert once["overflows"].tolist() == [0, 0, 1, 1]
    assert once["underflows"].tolist() == [0, 1, 1, 1]
    assert fp16.decode(once["largest"]).tolist() == [3.0] * 4
    twice = unit("dot", **dot, accumulation="sequential").evaluate(a=x, b=y, c=c, end=end)
    assert twice["overflows"].tolist() == [1, 1, 2, 2]
    # The second product of the second one is zero, and so nothing is lost any more.
    assert twice["underflows"].tolist() == [0, 0, 0, 0]


def test_elements_of_a_mac_are_what_its_sequences_give():
    mac = unit("mac", a="e4m3", out="e5m2", acc="fp32", statistics=4)
    e4m3 = FORMATS["e4m3"]
    a = e4m3.encode([448.0, 448.0, -1.0, 448.0, 2.0**-9, 2.0**-9, 2.0, 2.0])
    b = e4m3.encode([448.0, -448.0, 3.0, 448.0, 2.0**-9, 2.0**-9, 5.0, 5.0])
    last, end = [0, 0, 1, 1, 1, 0, 1, 0], [1, 0, 0, 1, 0, 1, 1, 1]
    found = mac.evaluate(a=a, b=b, last=last, end=end)
    assert found["overflows"].tolist() == [0, 1, 0, 0]
    assert found["underflows"].tolist() == [0, 0, 1, 1]
    assert FORMATS["e5m2"].decode(found["largest"]).tolist() == [3.0, 3.0, 0.0, 10.0]
    assert found["last"].tolist() == [0, 1, 0, 1]


def test_an_accumulator_in_the_format_of_the_result_is_judged_by_its_last_step():
    mac = unit("mac", a="e4m3", out="e4m3", acc="e4m3", statistics=4)
    a = mac.ports.inputs["a"].format.encode([448.0, 448.0, 1.0, 448.0, 448.0])
    found = mac.evaluate(a=a, b=a, last=[0, 0, 1, 0, 1], end=[0, 0, 0, 0, 1])
    # It saturated in the steps before of both; 448 + 1 is 448 without being too large.
    assert found["overflows"].tolist() == [0, 1]
    infinite = unit("mac", a="e5m2", out="e5m2", acc="e5m2", overflow="saturate", statistics=4)
    found = infinite.evaluate(a=[0x7C, 0x3C], b=[0x3C, 0x3C], last=[1, 1], end=[0, 1])
    assert found["overflows"].tolist() == [1, 1], "an infinity that came in, and a number"
    assert found["r"].tolist() == [0x7B, 0x3C]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_as_the_reference_counts(spec: Unit):
    for codes in stimulus(spec, vectors=400, seed=2):
        by_reference(spec, codes)


def test_results_are_as_without_statistics():
    counted = cast(rounding="dynamic", flags=True)
    plain = unit("cast", a="fp32", out="e5m2", rounding="dynamic", flags=True)
    for codes in stimulus(counted, vectors=2_000, seed=4):
        results = counted.evaluate(**codes)
        codes.pop("end")
        for name, expected in plain.evaluate(**codes).items():
            assert (results[name] == expected).all()


def test_a_cast_feeds_a_scale():
    """Tensors of one element to a hundred, as a training loop in numpy counts them."""
    spec, rng = cast(), np.random.default_rng(7)
    lengths = rng.integers(1, 100, 40)
    x = rng.normal(0, 1, lengths.sum()) * np.repeat(np.exp2(rng.uniform(-20, 18, 40)), lengths)
    end = np.zeros(x.size, int)
    end[np.cumsum(lengths) - 1] = 1
    results = spec.evaluate(a=spec.a.encode(x), end=end)
    scale = unit("loss-scale", rule="largest", a="e5m2", growth_interval=3, running=True)
    beats = {name: results[name] for name in ("overflows", "largest", "last")}
    got = scale.evaluate(**beats, end=np.zeros(x.size, int))
    scaler = getattr(scale, "scaler")  # noqa: B009
    state, exponents = scaler.start, []
    for tensor in np.split(x.astype(np.float32), np.cumsum(lengths)[:-1]):
        r = spec.out.decode(spec.out.encode(tensor.astype(float)))
        finite = np.abs(r[np.isfinite(r)])
        state, _ = scaler.step(state, int((~np.isfinite(r)).sum()), largest=finite.max(initial=0))
        exponents.append(state.exponent)
    assert got["r"].view(np.int8).tolist() == exponents


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"statistics": 33}, "statistics=33: must be an integer from 0 to 32"),
        ({"statistics": -1}, "statistics=-1: must be an integer from 0 to 32"),
        ({"statistics": "many"}, "statistics=many: must be an integer from 0 to 32"),
        ({"out": "int8"}, "statistics=16: int8 is no float; must be 0"),
        ({"out": "posit8"}, "statistics=16: posit8 is no float; must be 0"),
        ({"out": "nf4"}, "statistics=16: nf4 is no float; must be 0"),
    ],
)
def test_refused(parameters: dict[str, Any], message: str):
    with pytest.raises(SpecError) as error:
        cast(**parameters)
    assert str(error.value) == message


def test_a_tensor_has_one_axis():
    with pytest.raises(CodeError, match="must have one axis, the elements of tensors"):
        cast().evaluate(a=[[0, 0]], end=[[0, 1]])


def quantised(out: str, blocks: list[list[float]], **more: Any) -> dict[str, list[float]]:
    spec = unit("block-quantize", a="fp32", out=out, size=4, statistics=8, **more)
    a = spec.ports.inputs["a"].format
    codes: dict[str, Any] = {"a": a.encode(blocks), "end": [0] * len(blocks)}
    if "encode" in spec.ports.inputs:
        codes |= dict.fromkeys(("encode", "decode"), a.encode(1.0))
    results = spec.evaluate(**codes)
    counts = {name: results[name].tolist() for name in spec.counts}
    return counts | {"largest": a.decode(results["largest"]).tolist()}


def test_what_a_rule_for_scales_clips_is_no_overflow():
    """OCP MX's floor has 500 under 2**0, whose largest element is 448; rceil has it under 2**1."""
    blocks = [[500.0, -470.0, 460.0, 1e-4], [1.0, 0.0, -2.0, 3e-30]]
    assert quantised("mxfp8-e4m3", blocks) == {
        "overflows": [0, 0],
        "saturations": [2, 2],
        "underflows": [1, 2],
        "largest": [500.0, 500.0],
    }
    assert quantised("mxfp8-e4m3", blocks, scale_rule="rceil")["saturations"] == [0, 0]


def test_a_block_with_a_scale_that_is_a_nan_has_overflowed_as_a_whole():
    blocks = [[1.0, NAN, 0.0, 3.0], [-INF, 7.0, 0.0, 0.0]]
    assert quantised("mxfp8-e4m3", blocks) == {
        "overflows": [4, 8],
        "saturations": [0, 0],
        "underflows": [0, 0],
        "largest": [3.0, 7.0],
    }


def test_what_saturates_under_the_largest_scale_has_overflowed():
    """448 times 6 is the most that NVFP4 has; a block whose scale is zero loses all."""
    assert quantised("nvfp4", [[2688.0, 1.0, 4000.0, -1e9], [1e-9, 0.0, -1e-9, 1e-9]]) == {
        "overflows": [2, 2],
        "saturations": [0, 0],
        "underflows": [1, 4],
        "largest": [1e9, 1e9],
    }


def test_formats_with_a_zero_point_are_not_counted():
    with pytest.raises(SpecError, match=r"^statistics=8: \S+ has a zero point; must be 0$"):
        unit("block-quantize", a="fp32", out="uint4-k32-fp16-zuint4", statistics=8)


@pytest.mark.parametrize("kind", ["dot", "mac", "block-dot", "block-mac"])
def test_sums_that_are_no_floats_are_not_counted(kind: str):
    parameters: dict[str, Any] = {"a": "int8", "out": "int32", "statistics": 8}
    with pytest.raises(SpecError, match=r"^statistics=8: int32 is no float; must be 0$"):
        unit(kind, **parameters)


def test_without_statistics_nothing_is_as_it_was_not():
    plain = unit("cast", a="fp32", out="e5m2", statistics=0)
    assert plain == unit("cast", a="fp32", out="e5m2")
    assert plain.name == "cast_fp32_e5m2"
    assert "statistics" not in plain.parameters
    assert list(plain.ports.outputs) == ["r"]


def test_no_stage_of_a_pipeline_has_statistics():
    for stages in ("cast(a=fp32, out=e5m2, statistics=8) | add(b=e5m2)",
                   "mul(a=e5m2) | cast(out=e4m3, statistics=8)"):  # fmt: skip
        with pytest.raises(SpecError, match=r"^stages=cast: statistics=8: must be 0, the results"):
            unit("pipeline", stages=stages)
