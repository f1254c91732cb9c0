# SPDX-License-Identifier: BSD-2-Clause
"""Groups with zero points: the grammar, quantisation by hand, and the outsiders' samples."""

import numpy as np
import pytest

from macaw.golden import Block, CodeError, FormatError, Quantized, SpecError, format, matmul, unit
from macaw.golden.arithmetic.groups import zero_points
from macaw.sim.proof.outsiders import groups as prove
from macaw.sim.proof.outsiders import units
from macaw.sim.proof.outsiders.check import ProofFailure

GPTQ = "uint4-k128-fp16-zuint4"


@pytest.mark.parametrize("name", prove.NAMES)
def test_names_are_read_back(name):
    block = format(name)
    assert block.name == block.spelling == name
    assert format(name.upper()) == block


def test_zero_points_take_room():
    assert format(GPTQ).bits == 4 + (16 + 4) / 128
    assert format("uint4-k32x4-fp16-zuint8").bits == 4 + 24 / 128


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("e2m1-k32-fp16-zuint4", "element=e2m1: with a zero point it must be fixed point of at"),
        ("int4sym-k32-fp16-zint4", "element=int4sym: .* all codes of which are in use"),
        ("uint17-k32-fp16-zuint4", "element=uint17: .* at most 16 bits"),
        (
            "uint4-k32-fp16-zufx4.1",
            "zero_point=ufx4.1: .* the last place of the elements, as uint4",
        ),
        ("uint4-k32-fp16-zint17", "zero_point=int17: must be fixed point of at most 16 bits"),
        ("uint4-k32-fp16-zue4m3", "zero_point=ue4m3: .* or a float with a sign and a zero, as"),
        ("uint4-k32-fp16-muint4", "minimum=uint4: must be a float with a sign and a zero, as fp16"),
        ("e2m1-k32-fp16-mfp16", "element=e2m1: with a zero point it must be fixed point of at"),
        ("uint4-k32-e8m0-mfp16", "scale=e8m0: with a zero point it must have a mantissa, as fp16"),
        ("uint4-k32-e8m0-zuint4", "scale=e8m0: with a zero point it must have a mantissa, as fp16"),
        ("uint4-k32-fp16-fp32-zuint4", "second_scale=fp32: a format with a zero point has none"),
        ("uint4-k32-fp16-z4", "unknown format '4'"),
    ],
)
def test_what_does_not_go_together(name, message):
    with pytest.raises(FormatError, match=message):
        format(name)


# Values of a group of four, and what becomes of them by hand: elements, scale, zero point.
BY_HAND = [
    ([-1.0, 2.0, 0.0, 0.5], [0, 15, 5, 8], 0.199951171875, 5),  # 3 / 15 in fp16; 2.5 / 15 ties
    ([1.0, 2.0, 3.0, 7.5], [2, 4, 6, 15], 0.5, 0),  # of one sign: from zero on
    ([-7.5, -0.5, 0.0, -1.0], [0, 14, 15, 13], 0.5, 15),
    ([0.0, -0.0, 0.0, 0.0], [0, 0, 0, 0], 0.0, 0),
    ([15.0, 0.5, 1.5, 2.5], [15, 0, 2, 2], 1.0, 0),  # ties to even before the zero point
    ([-1.0, 14.0, 0.5, 1.5], [0, 15, 1, 3], 1.0, 1),  # and so 0.5 is 0 + 1, 1.5 is 2 + 1
]


@pytest.mark.parametrize(("values", "elements", "scale", "zero"), BY_HAND)
def test_by_hand(values, elements, scale, zero):
    q = format("uint4-k4-fp16-zuint4").quantize(values)
    assert q.zeros is not None
    assert (q.elements.tolist(), q.zeros.tolist()) == (elements, [zero])
    assert format("fp16").decode(q.scales).tolist() == [scale]
    assert q.dequantize().tolist() == [(e - zero) * scale for e in elements]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_lost_with_its_group(bad):
    q = format("int8-k2-fp16-zint8").quantize([[1.0, bad], [1.0, -1.0]])
    assert q.elements[0].tolist() == [0, 0]
    assert np.isnan(q.dequantize()[0]).all()
    assert np.isfinite(q.dequantize()[1]).all()
    assert q.zeros is not None
    assert q.zeros[0, 0] == 0


def test_an_unsigned_zero_point_saturates():
    # The span ends in -2.0, but zero points of two bits reach 3 only.
    q = format("uint4-k2-fp16-zuint2").quantize([[-2.0, 1.0]])
    assert q.zeros is not None
    assert q.zeros.tolist() == [[3]]
    assert q.elements.tolist() == [[0, 8]]


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0,)])
def test_nothing_has_no_groups(shape):
    q = format("uint4-k4-fp16-zuint4").quantize(np.zeros(shape))
    assert q.dequantize().shape == shape
    assert q.zeros is not None
    assert q.zeros.shape == q.scales.shape


@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 7), (4,)])
def test_shapes_and_short_groups(shape):
    values = np.random.default_rng(1).standard_normal(shape).astype(">f4")
    block = format("uint4-k4-fp16-zuint4")
    for axis in range(len(shape)):
        q = block.quantize(values, axis=axis)
        assert q.zeros is not None
        assert q.zeros.shape == q.scales.shape
        rows = np.moveaxis(values, axis, -1).reshape(-1, shape[axis])
        back = np.moveaxis(q.dequantize(), axis, -1).reshape(rows.shape)
        for row, got in zip(rows, back):
            for start in range(0, row.size, 4):
                alone = block.quantize(row[start : start + 4])
                assert got[start : start + 4].tolist() == alone.dequantize().tolist()


def test_a_tile_and_a_tensor_have_one():
    values = np.arange(-8.0, 8.0).reshape(4, 4)
    tile = format("uint4-k2x2-fp16-zuint4").quantize(values)
    assert tile.zeros is not None
    assert tile.zeros.shape == (2, 2)
    whole = format("uint4-tensor-fp16-zuint4").quantize(values)
    assert whole.zeros is not None
    assert whole.zeros.shape == ()
    assert np.array_equal(whole.dequantize(), values)


def test_codes_without_zero_points_are_no_array():
    q = format("uint4-k4-fp16-zuint4").quantize(np.ones(4))
    parts = {"format": q.format, "elements": q.elements, "scales": q.scales}
    with pytest.raises(CodeError, match="zeros: uint4-k4-fp16-zuint4 has zero points"):
        Quantized(**parts)
    with pytest.raises(CodeError, match=r"zeros: shape \(4,\): .* have zeros of shape \(1,\)"):
        Quantized(**parts, zeros=np.zeros(4, np.uint8))
    with pytest.raises(CodeError, match="zeros: code 16 is out of range for uint4"):
        Quantized(**parts, zeros=[16])
    with pytest.raises(CodeError, match="zeros: int4-k4-fp16 has no zero points"):
        Quantized(**parts | {"format": format("int4-k4-fp16")}, zeros=[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale_rule": "ceil"}, "scale_rule=ceil: the scales of .* are not powers of two"),
        ({"order": "te", "te_zero_codes": True}, "te_zero_codes=true: .* has a zero point"),
        ({"second_scale": 1.0}, "second_scale=1.0: .* has none"),
    ],
)
def test_options_of_other_formats(options, message):
    with pytest.raises(SpecError, match=message):
        format(GPTQ).quantize(np.ones(128), **options)


@pytest.mark.parametrize("name", prove.NAMES)
def test_outsiders(name):
    for order in prove.ORDERS:
        prove.by_numpy(name, order, 700)
    for options in [*prove.options_of()][:: 3 if format(name).size in (8, 16) else 6]:
        prove.by_fractions(name, 7, **options)


def test_onnxruntime():
    assert prove.by_onnxruntime(90) == 90


def test_a_wrong_zero_point_is_found(monkeypatch):
    """The one beside it, in every group."""
    right = zero_points.fit

    def wrong(values, low, scales, block, rules, words):
        elements, zeros = right(values, low, scales, block, rules, words)
        return elements, np.where(zeros, zeros ^ 1, zeros)

    monkeypatch.setattr(zero_points, "fit", wrong)
    with pytest.raises(ProofFailure, match=r"zero: .* differ, first of group"):
        prove.by_numpy(GPTQ, "paper", 70)


# ------------------------------------------------------------------------------- sums of products

DOT: dict = {"a": "uint4-k4-fp16-zuint4", "b": "int8", "out": "fp32"}


def dot(a, b, *, c=0.0, zero=5, scale=0.5, **parameters):
    """The value that block-dot gives for elements ``a`` with one zero point and one scale."""
    spec = unit("block-dot", **DOT | parameters)
    codes = {
        "a": a,
        "b": format("int8").encode(np.array(b, float)),
        "a_zero": zero,
        "a_scale": format("fp16").encode(scale),
        "c": format("fp32").encode(c),
    }
    return float(format("fp32").decode(spec.evaluate(**codes)["r"]))


def test_a_dot_product_by_hand():
    assert dot([0, 5, 15, 6], [1, 100, -2, 3], c=1.0) == 0.5 * (-5 + 0 - 20 + 3) + 1.0


@pytest.mark.parametrize(
    ("a", "scale", "c", "rounding", "negative"),
    [
        ([5, 5, 5, 5], 0.5, -0.0, "rne", False),  # an integer of zero is +0, whatever b's signs
        ([5, 5, 5, 5], -0.5, -0.0, "rne", True),
        ([5, 5, 5, 5], 0.5, 0.0, "rdn", False),
        ([5, 5, 5, 5], 0.5, -0.0, "rdn", True),
        ([4, 4, 6, 6], 0.5, 0.0, "rdn", False),  # -1 - 1 + 1 + 1 is that integer too
        ([4, 5, 5, 5], 0.0, -0.0, "rne", True),  # a negative one times a scale of zero
    ],
)
def test_zero_sums_have_the_sign_of_an_integer(a, scale, c, rounding, negative):
    result = dot(a, [1, 1, 1, 1], c=c, scale=scale, rounding=rounding)
    assert result == 0
    assert np.signbit(result) == negative


@pytest.mark.parametrize(
    ("parameters", "vectors"),
    [
        (DOT, 300),
        ({"a": "uint4-k4-fp16-zint5", "out": "fp32", "size": 8, "rounding": "rdn"}, 300),
        ({"a": "uint4-k8-fp32-zuint4", "b": "int8-k8-fp32-zint8", "lanes": 2, "out": "bf16"}, 400),
        ({"a": "uint4-k4-fp16-zuint4", "b": "e4m3", "out": "fp16"}, 300),
        ({"a": "uint4-k4-fp16-zuint4", "out": "fp32", "accumulation": "aligned(8)"}, 300),
        ({"a": "fx5.2-k4-e4m3-zfx7.2", "b": "int4", "accumulation": "chunk(2,fx9.2)"}, 300),
    ],
)
def test_dot_products_by_fractions(parameters, vectors):
    assert units.listed(unit("block-dot", **{"out": "fp32"} | parameters), vectors) > 0


@pytest.mark.parametrize(
    "parameters",
    [
        {"a": "uint4-k4-fp16-zuint4", "b": "int8", "lanes": 2},
        {"a": "uint4-k4-fp16-zuint4", "lanes": 8, "acc": "exact"},
        {"a": "uint4-k4-fp16-zuint4", "b": "e4m3", "acc": "bf16", "contexts": 2},
    ],
)
def test_sequences_by_fractions(parameters):
    assert units.listed(unit("block-mac", **{"out": "fp32"} | parameters), 600) > 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"a": "uint16-k4-e4m3-zuint16", "b": "int44"},
            "a sum of 4 products has 64 bits, and must have at most 62 where there are zero points",
        ),
        (
            {"a": "uint8-k4-fp32-zuint8", "b": None, "accumulation": "sequential"},
            "elements less zero points and significands of scales have 66 bits together",
        ),
    ],
)
def test_sums_that_are_too_wide(parameters, message):
    with pytest.raises(SpecError, match=message):
        unit("block-dot", **DOT | parameters)
    if "accumulation" in parameters:
        assert unit("block-dot", a="uint8-k4-fp32-zuint8", out="fp32").totals


def test_zero_points_are_operands():
    spec = unit("block-dot", a="uint4-k4-fp16-zuint4", b="int8-k2-fp16-zint8", out="fp32")
    lanes = {name: port.lanes for name, port in spec.ports.inputs.items()}
    assert lanes == {
        "a": 4, "b": 4, "a_zero": None, "b_zero": 2, "a_scale": None, "b_scale": 2, "c": None
    }  # fmt: skip
    assert unit("block-dot", **spec.parameters) == spec
    assert spec.name == "block_dot4_uint4_k4_fp16zuint4_int8_k2_fp16zint8_fp32"


def test_short_products_are_filled_up_with_zero_points():
    values = np.random.default_rng(3).standard_normal((2, 5))
    with pytest.raises(SpecError, match="K=5 is filled up to 8, and uint4 has not all of the zero"):
        matmul(
            Quantized(
                format=format("uint4-k4-fp16-zint6"),
                elements=np.zeros((2, 5), np.uint8),
                scales=np.zeros((2, 2), np.uint16),
                zeros=np.full((2, 2), 63, np.uint8),
            ),
            values.T,
            format_b="bf16",
        )
    q = format("uint4-k4-fp16-zuint4").quantize(values)
    ones = matmul(q, np.ones((5, 1)), format_b="bf16")
    assert format("fp32").decode(ones)[:, 0].tolist() == [sum(row) for row in q.dequantize()]


@pytest.mark.parametrize(
    ("name", "out"),
    [
        ("uint4-k4-fp16-zuint4", "fp32"),
        ("fx6.2-k4-e4m3-zfx9.2", "e5m2"),
        ("uint2-k4-bf16-zint3", "int8"),
    ],
)
def test_values_of_a_group(name, out):
    block = format(name)
    assert units.listed(unit("block-dequantize", a=name, out=out, rounding="rup"), 300) == 300
    q = block.quantize(np.random.default_rng(4).standard_normal((50, 4)))
    whole = unit("block-dequantize", a=name, out="fp32")
    assert list(whole.ports.inputs) == ["a", "a_scale", "a_zero"]
    r = whole.evaluate(a=q.elements, a_scale=q.scales[:, 0], a_zero=q.zeros[:, 0])["r"]
    assert np.array_equal(format("fp32").decode(r), q.dequantize())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (GPTQ, {}),
        ("uint4-k4-fp16-zuint4", {"order": "ct"}),
        ("int8-k8-fp32-zint8", {"order": "exact", "rounding": "rdn"}),
        ("uint3-k4x2-e4m3-zint8", {"order": "te", "min_scale": "torchao"}),
    ],
)
def test_a_unit_finds_what_quantize_finds(name, options):
    block, values = format(name), np.random.default_rng(8).standard_normal((60, 128))
    assert isinstance(block, Block)
    assert block.size is not None
    size = block.size * block.tile
    spec = unit("block-quantize", a="bf16", out=name, size=size, **options)
    assert list(spec.ports.outputs) == ["r", "scale", "zero"]
    codes = format("bf16").encode(values.reshape(-1, size))
    rows = format("bf16").decode(codes).reshape(-1, block.tile, block.size)
    q = [block.quantize(row, **options) for row in rows]
    found = spec.evaluate(a=codes)
    assert found["r"].tolist() == [each.elements.ravel().tolist() for each in q]
    assert found["scale"].tolist() == [each.scales.item() for each in q]
    assert found["zero"].tolist() == [np.asarray(each.zeros).item() for each in q]


@pytest.mark.parametrize(
    ("parameters", "vectors"),
    [
        ({"a": "bf16", "out": "uint4-k4-fp16-zuint4"}, 150),
        ({"a": "fp16", "out": "int8-k2-fp32-zint8", "order": "ct", "rounding": "sr"}, 150),
        ({"a": "ue5m3", "out": "fx6.2-k2-ue5m3-zfx9.2", "order": "torchao"}, 150),
        ({"a": "e6m1finitenosubnozero", "out": "uint4-k4-fp16-zuint4", "order": "exact"}, 150),
        ({"a": "fp32", "out": "uint8-k2-fp32-zuint4", "order": "te", "rounding": "rdn"}, 150),
    ],
)
def test_quantisers_by_fractions(parameters, vectors):
    assert units.listed(unit("block-quantize", **parameters), vectors) > 0


def test_quantised_zero_points_are_taken_back():
    block = format("uint4-k4-fp16-zuint4")
    values = format("bf16").encode(np.random.default_rng(9).standard_normal((40, 4)))
    found = unit("block-quantize", a="bf16", out=block).evaluate(a=values)
    back = unit("block-dequantize", a=block, out="fp32").evaluate(
        a=found["r"], a_scale=found["scale"], a_zero=found["zero"]
    )["r"]
    wanted = block.quantize(format("bf16").decode(values)).dequantize()
    assert np.array_equal(format("fp32").decode(back), wanted)
