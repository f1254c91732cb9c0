# SPDX-License-Identifier: BSD-2-Clause
"""Quantisation to blocks: the specifications' own cases, then properties."""

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from macaw.golden import (
    BLOCKS,
    TE_SIGNS,
    CodeError,
    FormatError,
    Quantized,
    Rules,
    SpecError,
    format,
    hadamard,
    quantize,
    unit,
)
from macaw.golden.arithmetic.block_scales import quantize_blocks

NAMES = tuple(BLOCKS)
MX = tuple(name for name, block in BLOCKS.items() if block.scale.name == "e8m0" and block.size)


def one(name, values, **options):
    """Element codes and scale code of one block; the rest of it is zeros."""
    q = format(name).quantize(np.array(values, np.float32), **options)
    return q.elements.tolist(), int(q.scales.reshape(-1)[0])


# Format, scale rule, values, element codes, scale exponent. OCP MX 1.0, 6.3: the exponent of the
# largest power of two in amax, less emax of the element (5.3: 2, 4, 2, 8, 15, 0); what is beyond
# the largest element is clamped.
MX_CASES = [
    ("mxfp4", "floor", [6.0, -1.0, 0.5, 0.25, -0.0], [0x7, 0xA, 0x1, 0x0, 0x8], 0),
    ("mxfp4", "floor", [7.9, 2.4, 2.5, 2.6], [0x7, 0x4, 0x4, 0x5], 0),  # 7.9 clamps, 2.5 ties
    ("mxfp4", "floor", [8.0, 1.0], [0x6, 0x1], 1),
    ("mxfp4", "ceil", [4.0, 1.0], [0x6, 0x2], 0),
    ("mxfp4", "ceil", [4.5, 7.0], [0x4, 0x6], 1),  # 2.25, and 3.5, a tie
    ("mxfp4", "rceil", [6.0], [0x7], 0),
    ("mxfp4", "rceil", [6.0000005], [0x5], 1),
    ("mxfp4", "even", [6.9999995], [0x7], 0),
    ("mxfp4", "even", [7.0], [0x6], 1),  # 7 + half an ulp of 1 at 4 is 8
    ("mxfp6-e2m3", "floor", [7.5, 0.125], [0x1F, 0x01], 0),
    ("mxfp6-e2m3", "even", [7.75], [0x10 + 0x8], 1),  # 3.875 rounds to 4
    ("mxfp6-e3m2", "floor", [28.0, 31.0, 0.0625], [0x1F, 0x1F, 0x01], 0),
    ("mxfp8-e4m3", "floor", [448.0, 500.0, 2.0**-9], [0x7E, 0x7E, 0x01], 0),
    ("mxfp8-e4m3", "rceil", [449.0], [0x76], 1),
    ("mxfp8-e5m2", "floor", [57344.0, 65535.0, 2.0**-16], [0x7B, 0x7B, 0x01], 0),
    ("mxint8", "floor", [1.0, -1.0, 2.0**-6, 1.984375], [0x40, 0xC0, 0x01, 0x7F], 0),
    ("mxint8", "floor", [1.9999, -1.9999], [0x7F, 0x81], 0),  # -128 is left out
    ("mxint8", "floor", [-2.0, 2.0**-6], [0xC0, 0x00], 1),  # half an ulp, to even
    ("mxint8", "rceil", [1.984375], [0x7F], 0),
    ("mxint8", "rceil", [1.9843751], [0x40], 1),
    ("mxint4", "floor", [7.0, -7.9, -1.0], [0x7, 0x9, 0xF], 0),
    ("mxint4", "floor", [-8.0], [0xC], 1),
    ("hbfp8", "floor", [1.0, -0.5], [0x40, 0xE0], 1),  # exponent floor(log2 amax) + 1
    ("hbfp8", "floor", [0.999, -0.999], [0x7F, 0x81], 0),
    ("dfp16", "floor", [32767.0, -1.0], [0x7FFF, 0xFFFF], 0),
    ("dfp16", "floor", [1.0, 2.0**-14], [0x4000, 0x0001], -14),
]


@pytest.mark.parametrize(("name", "rule", "values", "elements", "exponent"), MX_CASES)
def test_powers_of_two(name, rule, values, elements, exponent):
    block = format(name)
    row = np.array([values]) if block.tile > 1 else values
    got, scale = one(name, row, scale_rule=rule)
    assert np.ravel(got).tolist() == elements
    assert scale - block.scale.bias == exponent


# Values, elements, scale code of mxfp4. The specification is silent on all of these but the range
# of E8M0 (5.4.1); a NaN scale makes every value NaN (5.1).
EDGES = [
    ("all zero", [0.0, -0.0], [0, 0], 0x00),
    ("NaN", [1.0, np.nan], [0, 0], 0xFF),
    ("infinity", [1.0, -np.inf], [0, 0], 0xFF),
    ("least fp32", [2.0**-149, -(2.0**-149)], [0x0, 0x8], 0x00),
    ("scale clamped below", [2.0**-127, 1.5 * 2.0**-127], [0x2, 0x3], 0x00),
    ("lowest scale", [2.0**-125, 2.0**-128], [0x6, 0x1], 0x00),
    ("next scale", [2.0**-124, 2.0**-127], [0x6, 0x1], 0x01),
    ("largest fp32", [np.finfo(np.float32).max, 2.0**125], [0x7, 0x2], 0xFC),
]


@pytest.mark.parametrize(("values", "elements", "scale"), [e[1:] for e in EDGES], ids=lambda x: "")
def test_edges_of_mx(values, elements, scale):
    assert one("mxfp4", values) == (elements, scale)


def test_a_scale_is_clamped_at_both_ends():
    """An element of emax -1 asks for more than E8M0 has."""
    q = format("fx8.7sym-k32-e8m0").quantize(np.array([2.0**127, -(2.0**126)]))
    assert (q.scales.tolist(), q.elements.tolist()) == ([254], [0x7F, 0xC0])
    q = format("mxint8").quantize(np.array([2.0**300, 1.0]))
    assert (q.scales.tolist(), q.elements.tolist()) == ([254], [0x7F, 0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_scales_without_nan(dtype):
    """Flexpoint: 5 is 20480 / 2**12; what is not finite takes no part, and saturates."""
    block = format("flex16+5")
    q = block.quantize(np.array([5.0, -0.25, np.nan, np.inf, -np.inf], dtype))
    assert block.scale.decode(q.scales) == 2.0**-12
    assert q.elements.astype(np.int16).tolist() == [20480, -1024, 32767, 32767, -32768]
    q = block.quantize(np.array([0.0, -0.0, np.nan, -np.inf], dtype))
    assert q.scales == 0
    assert q.elements.astype(np.int16).tolist() == [0, 0, 32767, -32768]


@pytest.mark.parametrize(("value", "scale", "element"), [(3e9, 31, 32767), (1e-20, 0, 0)])
def test_flexpoint_scales_end_at_one(value, scale, element):
    q = format("flex16+5").quantize(np.array([value]))
    assert (q.scales, q.elements.tolist()) == (scale, [element])


@pytest.mark.parametrize("name", ["flex16+5", "flex2+1", "flex32+8", "flex12+6"])
def test_flexpoint_names(name):
    block = format(name)
    assert block.name == name
    assert format(block.spelling) == block
    width, bits = (int(n) for n in name.removeprefix("flex").split("+"))
    assert (block.element.width, block.scale.width) == (width, bits)
    assert block.scale.max == 1.0
    assert block.scale.decode(0) == 2.0 ** -(2**bits - 1)


@pytest.mark.parametrize("name", ["flex1+5", "flex33+5", "flex16+0", "flex16+9"])
def test_flexpoint_widths(name):
    with pytest.raises(FormatError, match="N from 2 to 32 and M from 1 to 8"):
        format(name)


def test_a_nan_scale_decodes_to_nan():
    q = format("mxfp4").quantize(np.array([[1.0, np.inf], [1.0, 2.0]]))
    assert np.isnan(q.dequantize()).tolist() == [[True, True], [False, False]]


# NVFP4, arXiv 2509.25149 appendix B: s_enc = 6 * 448 / amax, so a tensor of amax 2688 has 1.
NV_CASES = [
    ("largest", [2688.0, 1344.0, 448.0], [0x7, 0x5, 0x2], 0x7E),  # 448 times 6, 3, 1
    ("one", [6.0, -0.75, 0.25, -0.0], [0x7, 0xA, 0x0, 0x8], 0x38),  # ties to 1 and to 0
    ("least scale", [6 * 2.0**-9, 2.0**-9], [0x7, 0x2], 0x01),
    ("half of it rounds to zero", [6 * 2.0**-10, -(2.0**-10)], [0, 0], 0x00),
    ("more than half", [6.001 * 2.0**-10, -(2.0**-10)], [0x5, 0x9], 0x01),
    ("zero", [0.0, -0.0], [0, 0], 0x00),
]


@pytest.mark.parametrize(("values", "elements", "scale"), [e[1:] for e in NV_CASES])
@pytest.mark.parametrize("order", ["paper", "te", "torchao", "ct", "exact"])
def test_nvfp4(order, values, elements, scale):
    array = np.zeros((2, 16), np.float32)
    array[0, : len(values)] = values
    array[1, 0] = 2688.0
    q = format("nvfp4").quantize(array, order=order)
    assert format("fp32").decode(q.second_scale) == 1.0
    assert q.elements[0, : len(values)].tolist() == elements
    assert q.scales[:, 0].tolist() == [scale, 0x7E]


def test_the_second_scale():
    block = format("nvfp4")
    amax = np.float32(4.7)
    q = block.quantize(np.array([amax, 1.0]))
    encode = np.float32(2688) / amax
    assert format("fp32").decode(q.second_scale) == np.float32(1) / encode
    assert format("fp32").decode(block.quantize(np.zeros(16)).second_scale) == 1.0
    q = block.quantize(np.array([1.0, -3.0]), second_scale=0.5)
    assert format("fp32").decode(q.second_scale) == 0.5
    assert q.dequantize().tolist() == [1.0, -3.0]  # 3 = 6 * 1 * 0.5
    tiny = block.quantize(np.array([2.0**-149, 0.0]))
    assert np.isfinite(tiny.dequantize()).all()


# amax of the block, amax of the tensor, code by paper, order, code by that order: where fp32
# rounds to the other side of a tie of E4M3. formats: TE multiplies by fl(1/6), torchao divides by
# the decoding scale.
DIFFERENCES = [
    (1.640625, 4.375, 114, "te", 115),
    (2.65625, 4.375, 121, "torchao", 120),
    (1.640625, 4.375, 114, "ct", 114),
    (1.640625, 4.375, 114, "exact", 115),
]


@pytest.mark.parametrize(("amax", "tensor", "paper", "order", "other"), DIFFERENCES)
def test_orders_differ(amax, tensor, paper, order, other):
    x = np.zeros((2, 16), np.float32)
    x[:, 0] = amax, tensor
    block = format("nvfp4")
    assert block.quantize(x).scales[0, 0] == paper
    assert block.quantize(x, order=order).scales[0, 0] == other


def test_te_keeps_elements_of_a_zero_scale():
    """Transformer Engine's multiplier is then the largest fp32."""
    x = np.zeros((2, 16), np.float32)
    x[0, :3], x[1, 0] = (2.0**-12, -(2.0**-13), 0.0), 2688.0
    block = format("nvfp4")
    q = block.quantize(x, order="te", te_zero_codes=True)
    assert q.elements[0, :3].tolist() == [0x7, 0xF, 0x0]
    assert q.scales[0, 0] == 0
    assert not q.dequantize()[0].any()
    assert not block.quantize(x, order="te").elements[0].any()


# Least scale, pre-cast value of the scale times 2**9, code.
LEAST = [
    ("none", 0.4, 0x00),
    ("none", 1.0, 0x01),
    ("modelopt", 0.4, 0x01),  # 2**-9
    ("torchao", 0.4, 0x08),  # 2**-6
    ("torchao", 9.0, 0x09),
    ("ct", 0.4, 0x20),  # 0.125, only in the place of zero
    ("ct", 1.0, 0x01),
]


@pytest.mark.parametrize(("least", "units", "code"), LEAST)
def test_least_scales(least, units, code):
    assert one("e2m1-k16-ue4m3", [6 * units * 2.0**-9], min_scale=least)[1] == code


@pytest.mark.parametrize("name", ["nvfp4", "ue5m3fp4", "e2m1-k16-fp16"])
def test_blocks_that_are_not_finite(name):
    block = format(name)
    x = np.ones((3, 16), np.float32)
    x[0, 3], x[1, 5] = np.nan, -np.inf
    q = block.quantize(x, nonfinite="nan")
    assert q.scales[:2, 0].tolist() == [block.scale.nan_code] * 2
    assert not q.elements[:2].any()
    assert np.isnan(q.dequantize()[:2]).all()
    assert np.allclose(q.dequantize()[2], 1.0, rtol=0.07)
    with pytest.raises(CodeError, match="element 3 is a NaN or an infinity"):
        block.quantize(x, nonfinite="error")
    if block.second_scale is not None:
        with pytest.raises(CodeError, match="NaN or an infinity"):
            block.quantize(x)
        assert q.second_scale == block.quantize(x[2:]).second_scale


# Word of 8 bits, codes of 1.25, -1.25, 1.0 and 1.001 between 1 (code 2) and 1.5 (code 3):
# rounds away iff floor(v * 256) + word >= 256. IEEE P3109 4.7.5, StochasticA.
STOCHASTIC = [
    (0, [0x2, 0xA, 0x2, 0x2]),
    (127, [0x2, 0xA, 0x2, 0x2]),
    (128, [0x3, 0xB, 0x2, 0x2]),
    (255, [0x3, 0xB, 0x2, 0x2]),
]


@pytest.mark.parametrize(("word", "codes"), STOCHASTIC)
@pytest.mark.parametrize("name", ["mxfp4", "e2m1-k32-ue4m3"])
def test_stochastic_rounding(name, word, codes):
    values = [1.25, -1.25, 1.0, 1.001, 6.0]
    got, _ = one(name, values, rounding="sr", random=np.full(5, word, np.uint8))
    assert got == [*codes, 0x7]


def test_random_words_belong_to_elements():
    """In the shape of the values, whatever the axis; by default of 8 bits for 4-bit elements."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((64, 48))
    for name, bits in (("mxfp4", 8), ("mxfp8-e4m3", 16), ("nvfp4", 8), ("e2m1-k16x16-ue4m3", 8)):
        block = format(name)
        words = rng.integers(0, 1 << bits, x.shape)
        down = block.quantize(x, axis=0, rounding="sr", random=words)
        across = block.quantize(x.T, axis=1, rounding="sr", random=words.T)
        assert np.array_equal(down.elements, across.elements.T)
        with pytest.raises(CodeError, match=r"random: code \d+ is out of range"):
            block.quantize(x, rounding="sr", random=words | 1 << bits)


@pytest.mark.parametrize("name", ["int4-k16-ue4m3", "int4sym-k16-ue4m3"])
def test_symmetric_elements_leave_out_the_lowest_code(name):
    """A scale of 1.4 of its least steps is 1, and -amax is beyond -7."""
    block = format(name)
    codes = block.quantize(np.array([-9.8, 9.8]) * 2.0**-9).elements
    assert codes.tolist() == ([0x8, 0x7] if name.startswith("int4-") else [0x9, 0x7])


def test_rounding_directions():
    values = [4.0, 1.25, -1.25, 0.0001, -0.0001, 5.1]
    wanted = {
        "rne": [6, 2, 10, 0, 8, 7],
        "rna": [6, 3, 11, 0, 8, 7],
        "rtz": [6, 2, 10, 0, 8, 6],
        "rup": [6, 3, 10, 1, 8, 7],
        "rdn": [6, 2, 11, 0, 9, 6],
        "rod": [6, 3, 11, 1, 9, 7],
    }
    for rounding, codes in wanted.items():
        assert one("mxfp4", values, rounding=rounding)[0] == codes, rounding


@pytest.mark.parametrize("rounding", ["rup", "rod"])
def test_what_fp32_would_lose_still_counts(rounding):
    """Scaled by 2**-125, the least fp32 is far below fp32; rounding up takes it up."""
    assert one("mxfp4", [2.0**127, 2.0**-149], rounding=rounding) == ([6, 1], 252)


# -------------------------------------------------------------------------------- arrays


def test_axes_and_tiles():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((3, 40, 64)).astype(np.float32)
    for name, shapes in {
        "mxfp4": {2: (3, 40, 2), 1: (3, 2, 64), 0: (1, 40, 64)},
        "e2m1-k16x16-ue4m3-fp32": {2: (3, 3, 4), 1: (3, 3, 4), 0: (1, 40, 4)},
        "e2m1-k16x4-e8m0": {2: (3, 10, 4), 1: (3, 3, 16), 0: (1, 40, 16)},
        "dfp16": {2: (), 0: ()},
    }.items():
        for axis, shape in shapes.items():
            q = format(name).quantize(x, axis=axis)
            assert (q.elements.shape, q.scales.shape) == (x.shape, shape)
            again = format(name).quantize(x, axis=axis - 3)
            assert np.array_equal(again.elements, q.elements)
            assert np.array_equal(again.dequantize(), q.dequantize())


@pytest.mark.parametrize("name", ["mxfp4", "nvfp4", "e2m1-k16x8-ue4m3-fp32", "e3m2-k8x8-e8m0"])
def test_a_tile_is_a_block(name):
    """One by one, each tile gives what the tensor's gives."""
    block = format(name)
    rng = np.random.default_rng(2)
    x = rng.standard_cauchy((24, 48)).astype(np.float32)
    q = block.quantize(x)
    second = None
    if block.second_scale is not None:
        second = block.second_scale.decode(q.second_scale)
    for i, j in np.ndindex(*q.scales.shape):
        part = np.s_[i * block.tile : (i + 1) * block.tile, j * block.size : (j + 1) * block.size]
        alone = block.quantize(x[part], second_scale=second)
        if second is None or alone.scales[0, 0] == q.scales[i, j]:
            assert np.array_equal(alone.elements, q.elements[part])
        assert block.quantize(x[part].copy(), second_scale=second).scales.shape == (1, 1)


@pytest.mark.parametrize("name", NAMES)
def test_short_blocks_are_filled_with_zeros(name):
    block = format(name)
    rng = np.random.default_rng(4)
    x = rng.standard_normal((50, 70)).astype(np.float32)
    full = np.zeros((72, 96), np.float32)
    full[:50, :70] = x
    q, wide = block.quantize(x), block.quantize(full)
    assert np.array_equal(q.elements, wide.elements[:50, :70])
    assert np.array_equal(q.dequantize(), wide.dequantize()[:50, :70])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 32), (2, 0, 5)])
def test_empty_arrays(name, shape):
    block = format(name)
    if block.tile > 1 and len(shape) == 1:
        with pytest.raises(FormatError, match="needs two axes"):
            block.quantize(np.zeros(shape))
        return
    q = block.quantize(np.zeros(shape))
    assert q.elements.shape == q.dequantize().shape == shape


def test_large_and_small_arrays_agree():
    """Small ones are rounded as they are, large ones by tables."""
    x = np.random.default_rng(6).standard_normal((20_000, 32)).astype(np.float32)
    for name in NAMES:
        if BLOCKS[name].size not in (24, None):
            block = format(name)
            all_of_it = block.quantize(x)
            second = None
            if block.second_scale is not None:
                second = block.second_scale.decode(all_of_it.second_scale)
            few = block.quantize(x[:40])
            if second is None:
                assert np.array_equal(few.elements, all_of_it.elements[:40])


def test_dtypes_are_exact_numbers():
    """What every dtype can hold gives the same codes; float64 and integers are not cut short."""
    x = np.array([[1, -3, 5, 100, -127, 0, 64, 2] * 4])
    for name in NAMES:
        block = format(name)
        wanted = block.quantize(x.astype(np.float64))
        for dtype in (np.float32, np.float16, ml_dtypes.bfloat16, np.int8, np.int16, np.int64):
            q = block.quantize(x.astype(dtype))
            assert np.array_equal(q.elements, wanted.elements), (name, dtype)
            assert np.array_equal(q.scales, wanted.scales), (name, dtype)
    above = np.array([4.0, 1.25 + 2.0**-50])
    assert format("mxfp4").quantize(above).elements.tolist() == [6, 3]
    big = np.array([1 << 62, 1 << 59, (1 << 59) + 1, -(1 << 63)])  # a tie, and just above
    q = format("mxfp4").quantize(big)
    assert (q.scales - 127).tolist() == [61]
    assert q.elements.tolist() == [0x4, 0x0, 0x1, 0x6 | 8]
    huge = format("mxint8").quantize(np.array([(1 << 64) - 1, 1 << 63], np.uint64))
    assert huge.elements.tolist() == [0x7F, 0x40]


def test_sources_with_a_nan_in_the_place_of_minus_zero():
    values = np.array([1.0, np.nan, 2.0], np.float32).astype(ml_dtypes.float8_e4m3fnuz)
    assert format("mxfp4").quantize(values).scales.tolist() == [0xFF]


def test_the_core_takes_rows_of_any_float():
    rng = np.random.default_rng(8)
    for source in ("fp16", "bf16", "e5m2", "fp32"):
        fmt = format(source)
        codes = fmt.encode(rng.standard_normal((30, 16)))
        for name in ("nvfp4", "mxfp4", "ue5m3int4"):
            block = format(name)
            elements, scales = quantize_blocks(codes, fmt, block, Rules())
            want = quantize_blocks(
                fmt.decode(codes).astype(np.float32).view(np.uint32), format("fp32"), block, Rules()
            )
            assert np.array_equal(elements, want[0])
            assert np.array_equal(scales, want[1])


def test_a_tensor_scale_for_each_row():
    fp32, block = format("fp32"), format("nvfp4")
    rng = np.random.default_rng(9)
    codes = fp32.encode(rng.standard_normal((4, 16)))
    encode, decode = fp32.encode([1.0, 2.0, 64.0, 0.25]), fp32.encode([1.0, 0.5, 1 / 64, 4.0])
    elements, scales = quantize_blocks(codes, fp32, block, Rules(), tensor=(encode, decode))
    for i in range(4):
        pair = (encode[i], decode[i])
        alone = quantize_blocks(codes[i : i + 1], fp32, block, Rules(), tensor=pair)
        assert np.array_equal(elements[i], alone[0][0])
        assert scales[i] == alone[1][0]


# -------------------------------------------------------------------------------- errors

WRONG = [
    ("mxfp4", {"scale_rule": "round"}, SpecError, "scale_rule=round: must be one of floor, ceil"),
    ("mxfp4", {"order": "te"}, SpecError, "order=te: the scales of mxfp4 are powers of two"),
    ("mxfp4", {"min_scale": "ct"}, SpecError, "min_scale=ct"),
    ("nvfp4", {"scale_rule": "ceil"}, SpecError, "scale_rule=ceil: .* choose an order"),
    ("nvfp4", {"order": "trt"}, SpecError, "order=trt: must be one of paper, te"),
    ("nvfp4", {"te_zero_codes": True}, SpecError, "te_zero_codes=true: is for order=te"),
    ("nvfp4", {"nonfinite": "inf"}, SpecError, "nonfinite=inf: must be nan or error"),
    ("nvfp4", {"second_scale": 0.0}, SpecError, "second_scale=0.0: must be a positive"),
    ("mxfp4", {"second_scale": 1.0}, SpecError, "second_scale=1.0: mxfp4 has none"),
    ("mxfp4", {"rounding": "dynamic"}, SpecError, "rounding=dynamic"),
    ("mxfp4", {"rounding": "sr"}, SpecError, "random: rounding=sr needs"),
    ("mxfp4", {"random": np.zeros(32, int)}, SpecError, "takes no random words"),
    ("mxfp4", {"random_bits": 40}, SpecError, "random_bits=40: must be an integer from 1 to 32"),
    ("mxfp4", {"rounding": "sr", "random": np.zeros(5, int)}, CodeError, "random: shape"),
    ("mxfp4", {"axis": 1}, FormatError, "axis=1"),
    ("int32-k16-ue4m3", {}, SpecError, "int32 has numbers that fp32 has not"),
    ("e2m1-k16-fp64", {}, SpecError, "fp64 has numbers that fp32 has not"),
    ("e2m1-k16-bf16-fp32", {}, SpecError, "nothing for a second scale"),
    ("e2m1-k16-e8m0-fp32", {}, SpecError, "a second scale is for scales that have a mantissa"),
    ("hbfp8", {}, FormatError, "needs two axes"),
]


@pytest.mark.parametrize(("name", "options", "error", "message"), WRONG)
def test_wrong_options(name, options, error, message):
    with pytest.raises(error, match=message):
        format(name).quantize(np.ones(32, np.float32), **options)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array(["1"]), "dtype <U1: must be floats or integers"),
        (np.array([1j]), "dtype complex128: must be floats or integers"),
        (np.array([object()]), "dtype object"),
        ([[1.0], [1.0, 2.0]], "not an array"),
    ],
)
def test_wrong_values(values, message):
    with pytest.raises(CodeError, match=message):
        format("mxfp4").quantize(values)


def test_a_quantized_array_is_checked():
    block = format("nvfp4")
    q = block.quantize(np.ones((2, 32)))
    parts = {"elements": q.elements, "scales": q.scales, "second_scale": q.second_scale}
    assert np.array_equal(Quantized(format=block, axis=-1, **parts).dequantize(), q.dequantize())
    for change, message in [
        ({"scales": q.scales[:, :1]}, r"scales: shape \(2, 1\): .* have scales of shape \(2, 2\)"),
        ({"second_scale": None}, "nvfp4 has a second scale"),
        ({"second_scale": q.scales}, "second_scale: shape"),
        ({"elements": q.elements | 16}, "elements: code 23 is out of range"),
    ]:
        with pytest.raises(CodeError, match=message):
            Quantized(format=block, **(parts | change))


# ---------------------------------------------------------------------------- properties

VALUES = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 3), st.integers(1, 70)),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)
RULES = st.sampled_from(["floor", "ceil", "rceil", "even"])


@settings(deadline=None, max_examples=60)
@given(VALUES, st.sampled_from(MX), RULES)
def test_quantised_values_stay_under_the_floor_rule(values, name, rule):
    """What a block holds is one of its own numbers: quantising again changes nothing."""
    block = format(name)
    once = block.quantize(values, scale_rule="floor")
    again = block.quantize(once.dequantize(), scale_rule="floor")
    assert np.array_equal(again.dequantize(), once.dequantize())
    twice = block.quantize(values, scale_rule=rule)
    shown = block.quantize(twice.dequantize(), scale_rule="rceil").dequantize()
    if rule == "rceil":
        assert np.array_equal(shown, twice.dequantize())


@settings(deadline=None, max_examples=60)
@given(VALUES, st.sampled_from(MX))
def test_rceil_never_saturates(values, name):
    block = format(name)
    q = block.quantize(values, scale_rule="rceil")
    scale = np.repeat(block.scale.decode(q.scales), 32, 1)[:, : values.shape[1]]
    inside = np.abs(values.astype(np.float64)) <= block.element.max * scale
    assert (inside | (scale == block.scale.max)).all()
    finer = block.quantize(values, scale_rule="floor")
    assert (finer.scales <= q.scales).all()


@settings(deadline=None, max_examples=60)
@given(VALUES, st.sampled_from([n for n in NAMES if BLOCKS[n].tile == 1 and n != "flex16+5"]))
def test_signs_and_order_do_not_matter(values, name):
    """Of symmetric elements, which all but Flexpoint's are, -x gives -q; order does not count."""
    block = format(name)
    size = block.size or values.shape[1]
    values = values[:, : max(values.shape[1] // size, 1) * size]
    q, minus = block.quantize(values), block.quantize(-values)
    assert np.array_equal(minus.dequantize(), -q.dequantize())
    assert np.array_equal(minus.scales, q.scales)
    back = block.quantize(values[:, :size][:, ::-1])
    if block.second_scale is None and block.size:
        assert np.array_equal(back.elements, q.elements[:, :size][:, ::-1])


@settings(deadline=None, max_examples=60)
@given(VALUES, st.sampled_from(MX), RULES, st.integers(-20, 20))
def test_a_power_of_two_moves_the_scale_only(values, name, rule, shift):
    block = format(name)
    values = np.where(np.abs(values) < 1e-20, 0, np.clip(values, -1e20, 1e20))
    q = block.quantize(values, scale_rule=rule)
    moved = block.quantize(values.astype(np.float64) * 2.0**shift, scale_rule=rule)
    assert np.array_equal(moved.elements, q.elements)
    some = (values != 0).any(1) & (values.shape[1] <= 32)
    assert np.array_equal(moved.scales[some].astype(int), q.scales[some].astype(int) + shift)


# ------------------------------------------------------------------------------- hadamard


def sylvester(size):
    index = np.arange(size)
    return np.array([[(-1) ** int(i & j).bit_count() for j in index] for i in index])


@pytest.mark.parametrize("size", [2, 4, 16, 32, 64, 128])
def test_hadamard(size):
    """Sylvester's matrix over the square root of its size: exact for 4, 16 and 64."""
    rng = np.random.default_rng(size)
    x = rng.integers(-1000, 1000, (5, 2 * size))
    signs = rng.choice([-1, 1], size)
    sums = (x.reshape(-1, size) * signs) @ sylvester(size)
    got = hadamard(x, size, signs=signs)
    assert np.array_equal(got, (sums * size**-0.5).reshape(x.shape)) or size in (2, 32, 128)
    assert np.allclose(got, (sums / np.sqrt(size)).reshape(x.shape), rtol=1e-15, atol=0)
    back = hadamard(got, size, signs=signs, inverse=True)
    assert np.allclose(back, x, rtol=0, atol=1e-10)
    if size in (4, 16, 64):
        assert np.array_equal(back, x)
    down = hadamard(x.T, size, signs=signs, axis=0)
    assert np.array_equal(down, got.T)


def test_transformer_engines_signs():
    assert TE_SIGNS[:5] == (1, 1, 1, -1, 1)
    x = np.zeros(16)
    x[3] = 1.0
    assert hadamard(x, 16, signs=TE_SIGNS).tolist() == (sylvester(16)[3] / -4).tolist()


def test_a_rotation_spreads_an_outlier():
    """One value of 64 in 16 becomes sixteen of magnitude 16, which NVFP4 keeps."""
    x = np.zeros(16)
    x[5] = 64.0
    y = hadamard(x, 16)
    assert np.array_equal(np.abs(y), np.full(16, 16.0))
    kept = format("e2m1-k16-e8m0").quantize(y).dequantize()
    assert np.array_equal(hadamard(kept, 16, inverse=True), x)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"size": 12}, SpecError, "size=12: must be a power of two"),
        ({"size": 16, "signs": [1] * 8}, SpecError, r"signs: shape \(8,\)"),
        ({"size": 16, "signs": [2] * 16}, SpecError, "signs: must be 1 and -1"),
        ({"size": 64}, CodeError, "axis -1 of length 32: 64 must divide it"),
        ({"size": 16, "axis": 2}, CodeError, "axis=2"),
    ],
)
def test_wrong_hadamard(arguments, error, message):
    with pytest.raises(error, match=message):
        hadamard(np.ones(32), **arguments)


def test_public_names():
    assert quantize(format("mxfp4"), np.ones(4)).scales.tolist() == [125]


@pytest.mark.parametrize("block", ["int1-k8-e8m0", "int1-k8-e5m2"])
def test_elements_without_a_number_above_zero_make_no_scale(block: str):
    with pytest.raises(SpecError, match="has no number above zero"):
        format(block).quantize(np.ones(8, np.float32))
    with pytest.raises(SpecError, match="has no number above zero"):
        unit("block-quantize", a="fp16", out=block)
