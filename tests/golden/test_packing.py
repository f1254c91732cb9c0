# SPDX-License-Identifier: BSD-2-Clause
"""Codes in the words of deployments, against shifts and sums written out, and back."""

import numpy as np
import pytest

from macaw.golden import CodeError, FormatError, SpecError, format
from macaw.golden.tensors.packing import PACKINGS, pack, packing, unpack

FORMATS = {
    "gptq": ["uint4-k16-fp16-zuint4", "uint2-k32-fp32-zuint2", "uint3-k32-fp16-zuint3",
             "uint8-k8-fp16-zuint8", "int4-k16-fp16", "int4sym-k16-fp16"],
    "gptq_v2": ["uint4-k16-bf16-zuint4"],
    "awq": ["uint4-k16-fp16-zuint4", "int4-k16-fp16"],
    "i2_s": ["ternary-tensor-fp32"],
    "bnb4": ["nf4-k64-fp32", "fp4bnb-k64-fp32"],
}  # fmt: skip
EVERY = [(how, name) for how, names in FORMATS.items() for name in names]


def weights(shape=(32, 256), name="uint4-k16-fp16-zuint4", seed=0):
    values = np.random.default_rng(seed).standard_normal(shape)
    return format(name).quantize(values)


@pytest.mark.parametrize(("how", "name"), EVERY)
def test_packed_weights_come_back(how, name):
    q = weights(name=name)
    arrays = pack(q, how)
    assert tuple(arrays) == PACKINGS[how].parts
    back = unpack(arrays, how, q.format, shape=q.shape if how == "bnb4" else None)
    assert np.array_equal(back.elements, q.elements)
    assert np.array_equal(back.scales, q.scales)
    assert np.array_equal(back.dequantize(), q.dequantize())
    assert (back.zeros is None) is (q.zeros is None)
    assert q.zeros is None or np.array_equal(back.zeros, q.zeros)


def test_every_packing_is_tested():
    assert FORMATS.keys() == PACKINGS.keys()


@pytest.mark.parametrize("less", [0, 1])
def test_gptq_by_shifts(less):
    """Eight along the inputs in a word, zero points along the outputs, less one."""
    q = weights()
    arrays = pack(q, "gptq" if less else "gptq_v2")
    w, z = q.elements.T.astype(np.uint32), (q.zeros.T.astype(np.uint32) - less) % 16
    assert arrays["qweight"].dtype == np.int32
    assert np.array_equal(
        arrays["qweight"].view(np.uint32), sum(w[i::8] << np.uint32(4 * i) for i in range(8))
    )
    assert np.array_equal(
        arrays["qzeros"].view(np.uint32), sum(z[:, i::8] << np.uint32(4 * i) for i in range(8))
    )
    assert np.array_equal(arrays["scales"], format("fp16").decode(q.scales).T.astype(np.float16))
    assert arrays["scales"].dtype == np.float16
    assert np.array_equal(arrays["g_idx"], np.arange(256) // 16)
    assert arrays["g_idx"].dtype == np.int32


def test_gptqs_values_by_its_own_formula():
    """What its kernels compute: ``scales * (weight - (zeros + 1))``, of shape (K, N)."""
    q = weights()
    arrays = pack(q, "gptq")
    shifts = np.arange(8) * 4
    w = (arrays["qweight"][:, None, :] >> shifts[:, None] & 15).reshape(256, 32)
    z = ((arrays["qzeros"][:, :, None] >> shifts & 15) + 1 & 15).reshape(16, 32)
    g = arrays["g_idx"]
    assert np.array_equal((arrays["scales"].astype(float)[g] * (w - z[g])).T, q.dequantize())


def test_three_bits_straddle_words():
    q = weights(name="uint3-k32-fp16-zuint3")
    stored = pack(q, "gptq")["qweight"].view(np.uint32)
    for column, row in zip(stored.T, q.elements.tolist()):
        whole = sum(code << 3 * i for i, code in enumerate(row))
        assert column.tolist() == [whole >> 32 * i & 0xFFFFFFFF for i in range(len(column))]


def test_awq_by_shifts():
    """``qweight[:, c] |= w[:, 8 c + order[i]] << 4 i``, along the outputs."""
    q = weights()
    arrays = pack(q, "awq")
    w, z = q.elements.T.astype(np.uint32), q.zeros.T.astype(np.uint32)
    for part, codes in (("qweight", w), ("qzeros", z)):
        wanted = np.zeros((len(codes), 4), np.uint32)
        for i, place in enumerate([0, 2, 4, 6, 1, 3, 5, 7]):
            wanted |= codes[:, place::8] << np.uint32(4 * i)
        assert np.array_equal(arrays[part].view(np.uint32), wanted)
    assert "g_idx" not in arrays


def test_i2_s_by_shifts():
    """Four groups of 32 in 128, the first in bits 7:6."""
    q = weights(name="ternary-tensor-fp32")
    plus = (format("ternary").decode(q.elements).astype(int) + 1).reshape(32, 2, 4, 32)
    wanted = sum(plus[:, :, i] << (6 - 2 * i) for i in range(4)).reshape(32, 64)
    arrays = pack(q, "i2_s")
    assert np.array_equal(arrays["i2_s"], wanted)
    assert (arrays["i2_s"].dtype, arrays["scale"].dtype) == (np.uint8, np.float32)
    assert arrays["scale"].shape == ()
    three = unpack({"i2_s": np.full((1, 32), 255, np.uint8), "scale": 1.0}, "i2_s", q.format)
    assert three.dequantize().tolist() == [[0.0] * 128]


def test_bnb4_by_shifts():
    q = weights(name="nf4-k64-fp32")
    flat = q.elements.reshape(-1)
    arrays = pack(q, "bnb4")
    assert arrays["weight"].shape == (32 * 256 // 2, 1)
    assert np.array_equal(arrays["weight"][:, 0], flat[::2] << 4 | flat[1::2])
    assert np.array_equal(arrays["absmax"], q.scales.view(np.float32).reshape(-1))


def test_symmetric_weights_have_their_point_in_the_middle():
    q = weights(name="int4-k16-fp16")
    arrays = pack(q, "gptq")
    assert set(arrays["qzeros"].view(np.uint32).ravel().tolist()) == {0x77777777}
    assert arrays["qweight"][0, 0] & 15 == format("int4").decode(q.elements)[0, 0] + 8
    with pytest.raises(CodeError, match="qzeros: are not all 8, and int4-k16-fp16 has no zero"):
        unpack(pack(weights(), "gptq"), "gptq", q.format)


def test_words_of_either_byte_order_and_sign():
    q = weights()
    arrays = pack(q, "gptq")
    swapped = {name: array.astype(array.dtype.newbyteorder(">")) for name, array in arrays.items()}
    swapped["qweight"] = arrays["qweight"].view(np.uint32)
    assert np.array_equal(unpack(swapped, "gptq", q.format).elements, q.elements)


@pytest.mark.parametrize(
    ("how", "name", "error", "message"),
    [
        ("marlin", "int4-k16-fp16", SpecError, "packing=marlin: must be one of gptq, gptq_v2, awq"),
        ("gptqv2", "int4-k16-fp16", SpecError, "packing=gptqv2: did you mean gptq_v2"),
        ("gptq", "e2m1-k16-fp16", FormatError, "gptq: stores groups as uint4-k128-fp16-zuint4 or"),
        ("gptq", "uint4-k16-fp16-zuint8", FormatError, "gptq: stores groups as"),
        ("gptq", "uint5-k32-fp16-zuint5", FormatError, "gptq: uint5 has 5 bits; it stores 2, 3, 4"),
        ("awq", "uint8-k16-fp16-zuint8", FormatError, "awq: uint8 has 8 bits; it stores 4"),
        ("awq", "int4-k16-ue4m3", FormatError, "awq: int4-k16-ue4m3 has scales that it does not"),
        ("i2_s", "ternary-k32-fp32", FormatError, "i2_s: stores ternary-tensor-fp32"),
        ("bnb4", "uint4-k16-fp16-zuint4", FormatError, "bnb4: stores nf4-k64-fp32"),
    ],
)
def test_what_is_not_stored(how, name, error, message):
    with pytest.raises(error, match=message):
        pack(weights(name=name), how)


def test_shapes_that_do_not_fill_words():
    with pytest.raises(CodeError, match="gptq: an axis of 20 is not a multiple of 8, as words are"):
        pack(weights((8, 20)), "gptq")
    with pytest.raises(CodeError, match="awq: an axis of 12 is not a multiple of 8"):
        pack(weights((12, 16)), "awq")
    with pytest.raises(CodeError, match="i2_s: an axis of 64 is not a multiple of 128"):
        pack(weights((4, 64), "ternary-tensor-fp32"), "i2_s")
    with pytest.raises(CodeError, match=r"gptq: takes a matrix, not elements of shape \(64,\)"):
        pack(weights((64,)), "gptq")
    q = format("uint4-k16-fp16-zuint4").quantize(np.ones((32, 32)), axis=0)
    with pytest.raises(CodeError, match="axis=0: blocks must lie along the last axis"):
        pack(q, "gptq")
    with pytest.raises(CodeError, match="q: a ndarray: must be what quantize returned"):
        pack(np.ones(3), "gptq")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"qzeros": None}, "qzeros: is missing: gptq has qweight, qzeros, scales, g_idx"),
        ({"qweight": np.zeros((32, 32))}, "qweight: dtype float64: must be words of 32 bits"),
        ({"qweight": np.zeros(32, np.int32)}, r"qweight: shape \(32,\): must have two axes"),
        ({"g_idx": np.zeros(256, np.int32)}, "g_idx: must be that of groups of 16 in their order"),
        ({"scales": np.full((16, 32), 0.1)}, "scales: fp16 has not all of these values"),
        ({"scales": np.ones((15, 32))}, "scales: shape .* have scales of shape"),
        ({"qzeros": np.zeros((16, 3), np.int32)}, "zeros: shape .* have zeros of shape"),
    ],
)
def test_parts_that_do_not_go_together(change, message):
    arrays = {k: v for k, v in (pack(weights(), "gptq") | change).items() if v is not None}
    with pytest.raises(CodeError, match=message):
        unpack(arrays, "gptq", format("uint4-k16-fp16-zuint4"))


def test_blocks_of_bnb4_go_together():
    q = weights(name="nf4-k64-fp32")
    arrays = pack(q, "bnb4")
    assert unpack(arrays, "bnb4", q.format).shape == (32 * 256,)
    with pytest.raises(CodeError, match=r"shape=\(3, 5\): there are 8192 elements"):
        unpack(arrays, "bnb4", q.format, shape=(3, 5))
    with pytest.raises(CodeError, match="absmax: 3 of them; nf4-k64-fp32 has scales of"):
        unpack(arrays | {"absmax": np.ones(3)}, "bnb4", q.format)


def test_a_packing_is_its_own_name():
    assert packing(packing("AWQ")) is PACKINGS["awq"]
