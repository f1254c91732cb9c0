# SPDX-License-Identifier: BSD-2-Clause
"""One unit and one price for a format: compare, choose and the benchmarks agree."""

import pytest

from benchmarks.cost import dyadic
from macaw.golden.errors import FormatError, MacawError
from macaw.golden.formats.block import format as format_of
from macaw.golden.units import Unit, unit
from macaw.synth import accuracy, chooser, compare, work
from macaw.synth.mapping import targets

WEIGHTS = ("int8", "int4", "int2", "ternary", "binary", "shift2", "shift3", "shift4", "power2",
           "power3", "power4")  # fmt: skip


def compared(name: str, others: tuple[str, ...]) -> Unit:
    """The unit of a format in a comparison of several, as compare settles it."""
    lanes, kind = work.lanes_of(name, others), work.kind_of(others)
    return work.settle(name, kind, lanes)


@pytest.mark.parametrize("weight", WEIGHTS)
def test_compare_choose_and_the_benchmark_have_one_unit(weight):
    others = tuple(f"{name}:int8" for name in WEIGHTS)
    expected = unit("int-mac", a="int8", b=weight, lanes=8)
    assert compared(f"{weight}:int8", others) == expected
    assert chooser.mac_unit(weight) == expected
    if weight in dyadic.WEIGHTS:
        assert dyadic.macs()[weight] == expected


def test_weights_that_need_no_multiplier_have_int8_activations():
    for weight in WEIGHTS[3:]:
        assert work.pair(weight) == work.pair(weight, "int8") == work.pair(f"{weight}:int8")
        assert work.pair(f"{weight}:int8").name == weight
    assert work.pair("int4").name == work.pair("int4:int4").name == "int4"
    assert work.pair("int4").activation == format_of("int4")
    assert work.pair("int4:int8").name == "int4:int8"
    assert work.pair("binary:binary").name == "binary:binary"
    assert work.pair("FLOAT8E4M3FN:half").name == "e4m3:fp16"


@pytest.mark.parametrize(
    ("name", "others", "kind", "macs"),
    [
        ("int8", ("fp32", "int8"), "fma", 1),
        ("int8", ("int8", "binary"), "int-mac", 8),
        ("int8", ("int8", "binary", "mxfp4"), "dot", 32),
        ("binary", ("int8", "binary", "mxfp4"), "int-dot", 32),
        ("binary:fp16", ("binary:fp16",), "mac", 8),
        ("e2m1", ("e2m1", "ternary"), "mac", 8),
        ("bf16", ("bf16", "ternary"), "dot", 8),
        ("int4:fp16", ("int4:fp16",), "fma", 1),
        ("mxfp4:mxfp8-e4m3", ("mxfp4:mxfp8-e4m3",), "block-dot", 32),
        ("int16", ("int16", "binary"), "mac", 8),
    ],
)
def test_the_unit_that_a_designer_would_take(name, others, kind, macs):
    spec = work.candidates(name, work.kind_of(others), work.lanes_of(name, others))[0]
    if kind == "dot" and name == "bf16":  # its exact sum is too wide for gates
        spec = compared(name, others)
    assert (spec.kind, spec.macs) == (kind, macs)


def test_one_lane_of_a_weight_is_an_int_mac_too():
    for weight in WEIGHTS[3:]:
        specs = work.candidates(weight, "auto", 1)
        assert specs == [unit("int-mac", a="int8", b=weight)]
    assert [spec.kind for spec in work.candidates("int8", "auto", 1)] == ["fma"]
    assert [spec.kind for spec in work.candidates("e4m3", "auto", 1)] == ["fma", "mac"]


@pytest.mark.slow
def test_compare_choose_and_the_benchmark_have_one_price(tmp_path, monkeypatch):
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path))
    weights = ["binary"]
    prices = chooser.mac_costs(weights)
    for name in weights:
        row = dyadic.price(f"mac {name}", dyadic.macs()[name], "asic")
        assert row["asic"]["gate_equivalents"] / 8 == prices[name]
    made = compare(
        weights, ["asic"], proof=False, trial=accuracy.Trial(pairs=4, length=64), workers=1
    )
    for row in made.rows:
        expected = {"kind": "int-mac", **chooser.mac_unit(row.format).parameters}
        assert (row.error, row.parameters) == (None, expected)
        bare = work.price(chooser.mac_unit(row.format), targets.target("asic"))[0].cost
        # The pipeline that serves best adds its registers, and no more.
        assert bare <= row.cost < bare + 10 * row.result["ffs"]


def test_accuracy_of_weights_without_zero():
    # The binary weight of a normal variable keeps 2 / pi of its power, at the best scale; at the
    # best power of two a little less. Two of them halve what one loses at most.
    trial = accuracy.Trial(pairs=64, length=256)
    one, two, three = (
        accuracy.sqnr(work.candidates(name, lanes=8)[0], "gaussian", trial, cache=False)
        for name in ("binary:binary", "binary", "ternary")
    )
    assert 0 < one < two < three
    assert two < 4.4  # 10 log10(1 / (1 - 2 / pi))
    odd = accuracy.Trial(pairs=2, length=9)
    with pytest.raises(MacawError, match="9 is no multiple of 8"):
        accuracy.sqnr(work.candidates("binary:binary", lanes=8)[0], "gaussian", odd, cache=False)
    accuracy.sqnr(work.candidates("binary", lanes=8)[0], "gaussian", odd, cache=False)


@pytest.mark.parametrize(
    ("text", "name", "sums"),
    [
        ("int4*int8", "int4:int8", "int32"),
        ("e2m1*e4m3", "e2m1:e4m3", "fp32"),
        ("int8*int8->int16", "int8->int16", "int16"),
        ("ternary*int8->int24", "ternary->int24", "int24"),
        ("int2:fp16->fp16", "int2:fp16->fp16", "fp16"),
        ("e4m3->bf16", "e4m3->bf16", "bf16"),
    ],
)
def test_a_product_and_what_it_is_summed_in(text, name, sums):
    both = work.pair(text)
    assert both.name == name
    assert work.pair(both.name) == both
    assert work.accumulator(both) == format_of(sums)
    assert work.candidates(both)[0].ports.outputs["r"].format == format_of(sums)


@pytest.mark.parametrize("text", ["*int8", "int8*", "int8->", "int8*->int16"])
def test_half_a_product_is_refused(text):
    with pytest.raises(FormatError, match="must be weight:activation, or with ->sums"):
        work.pair(text)
