# SPDX-License-Identifier: BSD-2-Clause
"""Groups whose zero points are floats: HQQ's, and the minimums of ggml and decoupleQ."""

from typing import Any

import numpy as np
import pytest

from macaw.golden import Block, FormatError, SpecError, format, matmul, unit
from macaw.golden.arithmetic.groups import float_zeros
from macaw.golden.tensors.packing import pack
from macaw.sim.proof.outsiders import groups as prove
from macaw.sim.proof.outsiders import units
from macaw.sim.proof.outsiders.check import ProofFailure
from macaw.tensors.quantize import quantize_blocks

HQQ, Q4_1 = "uint4-k4-fp16-zfp16", "uint4-k4-fp16-mfp16"


@pytest.mark.parametrize("name", prove.FLOATS)
def test_names_are_read_back(name):
    block = format(name)
    assert isinstance(block, Block)
    assert block.name == block.spelling == name
    assert format(name.upper()) == block
    assert block.float_zero is not None
    assert block.size is not None
    shared = block.scale.width + block.float_zero.width
    assert block.bits == block.element.width + shared / block.size


def test_names_of_ggml():
    assert format("q4_1").name == "uint4-k32-fp16-mfp16"
    assert format("Q5_1").bits == 6
    with pytest.raises(FormatError, match="eight higher than they are: say int4-k32-fp16"):
        format("q4_0")


# Values of a group of four, and what becomes of them by hand: elements, scale, zero point.
BY_HAND = [
    (HQQ, [1.0, 8.5, 2.0, 2.25], [0, 15, 2, 2], 0.5, -2.0),  # 2 + 0.5 ties to even
    (HQQ, [-7.5, 0.0, -1.0, -7.25], [0, 15, 13, 0], 0.5, 15.0),
    (HQQ, [-0.25, 7.25, 0.0, 1.0], [0, 15, 0, 2], 0.5, 0.5),  # zero is no element's value
    (HQQ, [7.5, 7.5, 7.5, 7.5], [15, 15, 15, 15], 0.5, 0.0),  # one value: zero is an end
    (HQQ, [-7.5, -7.5, -7.5, -7.5], [0, 0, 0, 0], 0.5, 15.0),
    (HQQ, [0.0, -0.0, 0.0, -0.0], [0, 0, 0, 0], 0.0, 0.0),
    (Q4_1, [1.0, 8.5, 2.0, 2.25], [0, 15, 2, 2], 0.5, 1.0),
    (Q4_1, [-7.5, 0.0, -1.0, -7.25], [0, 15, 13, 0], 0.5, -7.5),
    (Q4_1, [5.0, 5.0, 5.0, 5.0], [0, 0, 0, 0], 0.0, 5.0),
    (Q4_1, [-0.0, 0.0, -0.0, 0.0], [0, 0, 0, 0], 0.0, 0.0),
    (Q4_1, [2.0**-24, 0.0, 2.0**-20, 0.0], [1, 0, 15, 0], 2.0**-24, 0.0),  # a subnormal scale
    ("int4-k4-fp16-mfp16", [1.0, 8.5, 2.0, 2.25], [8, 7, 10, 10], 0.5, 5.0),
]


@pytest.mark.parametrize(("name", "values", "elements", "scale", "zero"), BY_HAND)
def test_by_hand(name, values, elements, scale, zero):
    block = format(name)
    q = block.quantize(values)
    assert q.elements.tolist() == elements
    assert block.scale.decode(q.scales).tolist() == [scale]
    assert block.zero_point.decode(q.zeros).tolist() == [zero]
    assert not np.signbit(block.zero_point.decode(q.zeros)).any() or zero < 0
    n = block.element.decode(q.elements)
    wanted = n * scale + zero if block.minimum else (n - zero) * scale
    assert q.dequantize().tolist() == wanted.tolist()


@pytest.mark.parametrize("name", [HQQ, Q4_1])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_lost_with_its_group(name, bad):
    q = format(name).quantize([[1.0, bad, 0.0, 2.0], [1.0, -1.0, 3.0, 2.0]])
    assert q.elements[0].tolist() == [0] * 4
    assert q.zeros is not None
    assert q.zeros[0, 0] == 0
    assert np.isnan(q.dequantize()[0]).all()
    assert np.isfinite(q.dequantize()[1]).all()


def test_a_zero_point_beyond_its_format_has_zero_as_an_end():
    q = format(HQQ).quantize([1000.0, 1000.01, 1000.02, 1000.03])
    assert q.zeros is not None
    assert q.zeros.tolist() == [0]
    assert abs(q.dequantize() - 1000).max() < 1
    assert abs(format(Q4_1).quantize([1000.0, 1000.01, 1000.02, 1000.03]).dequantize()[1]
               - 1000.01) < 1e-3  # fmt: skip


@pytest.mark.parametrize("name", [HQQ, Q4_1])
@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0,), (3, 5), (2, 3, 7)])
def test_shapes(name, shape):
    values = np.random.default_rng(1).standard_normal(shape).astype(">f4")
    for axis in range(len(shape)):
        q = format(name).quantize(values, axis=axis)
        assert q.zeros is not None
        assert q.zeros.shape == q.scales.shape
        assert q.dequantize().shape == shape
        if values.size:
            assert np.abs(q.dequantize() - values).max() < 0.3


@pytest.mark.parametrize("name", prove.FLOATS)
def test_outsiders(name):
    assert prove.by_float32(name, 300) == 300
    for options in [*prove.options_of()][:: 2 if format(name).size in (8, 16) else 4]:
        prove.by_fractions(name, 7, **options)


def test_a_wrong_zero_point_is_found(monkeypatch):
    right = float_zeros._stored
    monkeypatch.setattr(
        float_zeros, "_stored", lambda zeros, block: (right(zeros, block)[0] ^ 1, zeros)
    )
    with pytest.raises(ProofFailure, match=r"zero: .* differ, first of group"):
        prove.by_float32("uint4-k32-fp16-mfp16", 70)


# ------------------------------------------------------------------------------- sums of products

INF, NAN = float("inf"), float("nan")


def dot(name, a, b, *, c=0.0, zero=2.5, scale=0.5, other="int8", **parameters):
    """The value that block-dot gives for elements ``a`` with one zero point and one scale."""
    block, fmt = format(name), format(other)
    spec = unit("block-dot", **{"a": name, "b": other, "out": "fp32"} | parameters)
    result = spec.evaluate(
        a=a,
        b=fmt.encode(np.array(b, float)),
        a_zero=block.zero_point.encode(zero),
        a_scale=block.scale.encode(scale),
        c=format("fp32").encode(c),
    )["r"]
    return float(format("fp32").decode(result))


@pytest.mark.parametrize(
    ("parameters", "hqq", "q4_1"),
    [
        ({}, 0.5 * (-2.5 - 250 - 25 + 13.5) + 1, 0.5 * (21 - 30) + 2.5 * 102 + 1),
        ({"zero": NAN}, NAN, NAN),
        ({"scale": NAN}, NAN, NAN),
        ({"zero": INF}, NAN, NAN),  # times numbers of both signs
        ({"zero": INF, "b": [1, 100, 2, 3]}, -INF, INF),
        ({"zero": INF, "b": [1, 100, 0, 3]}, NAN, NAN),  # times zero
        ({"zero": -INF, "b": [1, 100, 2, 3], "scale": -1.0}, -INF, -INF),
        ({"scale": 0.0, "b": [1, 100, 2, 3]}, 1.0, 2.5 * 106 + 1),
        ({"scale": INF, "a": [1, 1, 1, 1], "b": [1, 1, 1, 1], "zero": -1.0}, INF, INF),
        ({"scale": INF, "a": [1, 1, 1, 1], "b": [1, 1, 1, 1], "zero": 1.0}, NAN, INF),
    ],
)
def test_a_dot_product_by_hand(parameters, hqq, q4_1):
    for name, want in ((HQQ, hqq), (Q4_1, q4_1)):
        given = {"a": [0, 0, 15, 7], "b": [1, 100, -2, 3], "c": 1.0} | parameters
        assert np.array_equal(dot(name, **given), want, equal_nan=True)


@pytest.mark.parametrize(
    ("name", "a", "zero", "scale", "rounding", "negative"),
    [
        # Terms of zero that have both signs, as any sum of IEEE 754.
        (HQQ, [0, 0, 0, 0], 0.0, 0.5, "rne", False),
        (HQQ, [0, 0, 0, 0], -0.0, -0.5, "rne", True),
        (HQQ, [1, 1, 1, 1], 1.0, 0.5, "rdn", True),
        (Q4_1, [0, 0, 0, 0], -0.0, -0.5, "rne", True),
        (Q4_1, [0, 0, 0, 0], -0.0, 0.5, "rne", False),
        (Q4_1, [1, 1, 1, 1], -0.5, 0.5, "rdn", True),
    ],
)
def test_zero_sums_are_those_of_terms(name, a, zero, scale, rounding, negative):
    result = dot(name, a, [1, 1, 1, 1], c=-0.0, zero=zero, scale=scale, rounding=rounding)
    assert result == 0
    assert np.signbit(result) == negative


@pytest.mark.parametrize(
    "parameters",
    [
        {"a": HQQ, "b": "int8"},
        {"a": "e4m3", "b": "fx5.2-k4-e4m3-ze4m3", "size": 8, "rounding": "rdn", "out": "bf16"},
        {"a": HQQ, "b": "fp16-k8-ue4m3", "lanes": 2, "size": 4},
        {"a": "int8-k8-fp16", "b": Q4_1, "size": 8},
        {"a": "fx5.2-k2-e4m3-me5m2", "b": "e5m2-k4-e4m3", "rounding": "rdn", "out": "fp16"},
        {"a": "int8-k4-fp16", "b": Q4_1, "lanes": 1},
    ],
)
def test_dot_products_by_fractions(parameters):
    assert units.listed(unit("block-dot", **{"out": "fp32"} | parameters), 300) > 0


@pytest.mark.parametrize(
    "parameters",
    [
        {"a": HQQ, "b": "int8", "lanes": 2},
        {"a": Q4_1, "b": "e4m3", "lanes": 8, "acc": "exact"},
        {"a": "int4", "b": Q4_1, "acc": "bf16", "contexts": 2, "rounding": "rdn"},
        {"a": "int4-k4-fp16", "b": Q4_1, "lanes": 2, "acc": "exact"},
    ],
)
def test_sequences_by_fractions(parameters):
    assert units.listed(unit("block-mac", **{"out": "fp32"} | parameters), 600) > 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"a": HQQ, "b": HQQ}, "with a zero point that is a float the other operand has none"),
        ({"a": HQQ, "b": "uint4-k4-fp16-zuint4"}, "with a zero point that is a float the other"),
        (
            {"a": HQQ, "b": "int8", "accumulation": "aligned(24)"},
            "must be exact with uint4-k4",
        ),
        ({"a": "uint4-k4-fp16-zfp32", "b": "int44"}, "elements, a zero point and significands of "),
    ],
)
def test_what_sums_refuse(parameters, message):
    with pytest.raises(SpecError, match=message):
        unit("block-dot", **{"out": "fp32"} | parameters)


def test_a_unit_does_not_find_floats():
    with pytest.raises(SpecError, match="finds zero points that are integers only; quantize finds"):
        unit("block-quantize", a="bf16", out=HQQ)
    with pytest.raises(SpecError, match="a zero point times its scale has more than 64 bits"):
        unit("block-dequantize", a="uint4-k4-fp32-zfp64", out="fp32")
    with pytest.raises(FormatError, match="stores groups as uint4-k128-fp16-zuint4"):
        pack(format(HQQ).quantize(np.ones((8, 8))), "gptq")


@pytest.mark.parametrize(
    ("name", "out"),
    [
        (HQQ, "fp32"),
        (Q4_1, "fp16"),
        ("fx6.2-k4-e4m3-ze4m3", "int6"),
        ("int4-k2-bf16-mbf16", "bf16"),
    ],
)
def test_values_of_a_group(name, out):
    assert units.listed(unit("block-dequantize", a=name, out=out, rounding="rdn"), 300) == 300
    block = format(name)
    assert isinstance(block, Block)
    assert block.size is not None
    whole = unit("block-dequantize", a=name, out="fp32")
    q = block.quantize(np.random.default_rng(4).standard_normal((50, block.size)))
    r = whole.evaluate(a=q.elements, a_scale=q.scales[:, 0], a_zero=q.zeros[:, 0])["r"]
    assert np.array_equal(format("fp32").decode(r), q.dequantize().astype(np.float32))


@pytest.mark.parametrize("name", [HQQ, Q4_1])
@pytest.mark.parametrize("width", [8, 5])
def test_matrices(name, width):
    rng = np.random.default_rng(3)
    q, x = format(name).quantize(rng.standard_normal((3, width))), rng.integers(-9, 9, (width, 2))
    for acc in ("exact", "fp32"):
        found = matmul(q, x.astype(float), format_b="bf16", out="fp32", acc=acc)
        wanted = (q.dequantize() @ x).astype(np.float32)
        assert np.abs(format("fp32").decode(found) - wanted).max() < 1e-5


def test_what_is_saturated_is_counted():
    values = np.array([[0.0, 15.0, 3.0, 1.0]])
    for name in (HQQ, Q4_1):
        options: Any = {"block": format(name), "axis": -1}
        _, loss = quantize_blocks(values, **options)
        assert loss.saturated == 0
        _, loss = quantize_blocks(values + np.array([[0, 1e6, 0, 0]]), **options)
        assert loss.saturated == 1
