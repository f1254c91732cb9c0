# SPDX-License-Identifier: BSD-2-Clause
"""matmul: each element is one sequence of block-mac, bit for bit."""

from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from macaw import golden
from macaw.golden import Block, CodeError, SpecError, format, matmul, unit
from macaw.golden.formats.block import check_shape, expand_scales, scalar
from macaw.golden.tensors import filtered
from macaw.golden.tensors.quantized import Quantized
from macaw.sim.proof.outsiders import scalars
from macaw.sim.proof.reference.arithmetic import scalar as reference

FP32: Any = format("fp32")


def random_operand(name, shape, axis, rng, specials=False):
    """An operand of random codes: Quantized, or values of a scalar format."""
    fmt: Any = format(name)
    element = scalar(fmt)
    codes = scalars.operands(element, int(np.prod(shape)), rng).reshape(shape)
    if not specials:
        codes = np.where(np.isfinite(element.decode(codes)), codes, element.encode(1.0))
    if not isinstance(fmt, Block):
        return element.decode(codes)
    size = check_shape(fmt, shape, axis)
    scales = scalars.operands(fmt.scale, max(int(np.prod(size)), 1), rng).reshape(size)
    if not specials:
        scales = np.where(np.isfinite(fmt.scale.decode(scales)), scales, fmt.scale.encode(1.0))
    second = None if fmt.second_scale is None else fmt.second_scale.encode(0.375)
    codes, scales = codes.astype(element.code_dtype), scales.astype(fmt.scale.code_dtype)
    zeros = None
    if fmt.zero_point is not None:
        zeros = scalars.operands(fmt.zero_point, max(int(np.prod(size)), 1), rng).reshape(size)
    return Quantized(
        format=fmt, elements=codes, scales=scales, second_scale=second, zeros=zeros, axis=axis
    )


def row_of(operand, name, index, axis):
    """Codes along K of one row or column, and one scale and zero point for each element."""
    fmt = format(name)
    if not isinstance(fmt, Block):
        return scalar(fmt).encode(np.take(operand, index, 1 - axis)), {}
    shared = {"scale": operand.scales} | ({"zero": operand.zeros} if fmt.zero_point else {})
    return np.take(operand.elements, index, 1 - axis), {
        part: np.take(expand_scales(fmt, codes, operand.shape, axis), index, 1 - axis)
        for part, codes in shared.items()
    }


def by_block_mac(a, b, names, **parameters):
    """The product, one ``block-mac`` stream for each element, K filled up with zeros."""
    spec: Any = unit("block-mac", a=names[0], b=names[1], **parameters)
    ports = spec.ports.inputs
    shapes = [x.shape for x in (a, b)]
    result = np.empty((shapes[0][0], shapes[1][1]), spec.out.code_dtype)
    length = shapes[0][1]
    full = -(-length // spec.elements) * spec.elements
    for i, j in np.ndindex(*result.shape):
        codes = {}
        for operand, name, index, axis, port in (
            (a, names[0], i, 1, "a"),
            (b, names[1], j, 0, "b"),
        ):
            elements, shared = row_of(operand, name, index, axis)
            codes[port] = np.pad(elements, (0, full - length)).reshape(-1, spec.lanes)
            for part, each in shared.items():
                count = ports[f"{port}_{part}"].lanes or 1
                rows = np.pad(each, (0, full - length)).reshape(-1, spec.elements)
                if part == "zero":
                    # What is filled up is worth zero, in a block that has begun too.
                    points = rows[:, :: spec.elements // count].repeat(spec.elements // count, 1)
                    codes[port].reshape(-1)[length:] = points.reshape(-1)[length:]
                rows = rows[:, :: spec.elements // count].repeat(spec.beats, 0)
                codes[f"{port}_{part}"] = rows if count > 1 else rows[:, 0]
        last = np.arange(full // spec.lanes) == full // spec.lanes - 1
        (result[i, j],) = spec.evaluate(**codes, last=last)["r"]
    return result


NAMES = ("mxfp4", "mxfp8-e4m3", "mxfp8-e5m2", "mxfp6-e2m3", "mxint8", "mxint4", "hbfp8", "dfp16")
OTHERS = ("e4m3", "int8", "fp16", "e2m1-k16-ue4m3", "int4sym-k8-fp16", "int8-k16-bf16")
OTHERS += ("int8sym-tensor-fp32", "e4m3fnuz-k8x2-e5m2", "bf16-k8-e8m0", "e5m2-k4-e8m0")
OTHERS += ("uint4-k8-fp16-zuint4", "int8-k16-bf16-zint8", "uint8-tensor-fp32-zuint8")


def random_cases(count, seed):
    """Formats, parameters and operands that block-mac takes."""
    rng = np.random.default_rng(seed)

    def pick(options):
        return options[int(rng.integers(len(options)))]

    while count:
        names = pick(NAMES + OTHERS), pick(NAMES + OTHERS)
        parameters = {
            "acc": pick(("fp32", "fp32", "exact", "fp16", "int32", "e4m3")),
            "out": pick(("fp32", "fp16", "bf16", "int16")),
            "rounding": pick(("rne", "rne", "rdn", "rtz", "rod")),
            "overflow": pick((None, None, "saturate")),
            "accumulation": pick(("exact", "exact", "exact", "sequential", "aligned(24)")),
            "lanes": pick((None, None, 4, 48)),
        }
        try:
            unit("block-mac", a=names[0], b=names[1], **parameters)
        except SpecError:
            continue
        k = int(rng.integers(1, 100))
        specials = rng.random() < 0.3
        a = random_operand(names[0], (3, k), 1, rng, specials)
        b = random_operand(names[1], (k, 4), 0, rng, specials)
        if rng.random() < 0.3:
            zero = np.zeros_like(b.elements if isinstance(b, Quantized) else b)
            b = (
                Quantized(format=b.format, elements=zero, scales=b.scales, zeros=b.zeros, axis=0)
                if isinstance(b, Quantized)
                else -zero
            )
        count -= 1
        yield names, parameters, a, b


@pytest.mark.parametrize("seed", range(3))
def test_every_element_is_a_sequence_of_block_mac(seed):
    for names, parameters, a, b in random_cases(30, seed):
        got = matmul(a, b, *names, **parameters)
        want = by_block_mac(a, b, names, **parameters)
        assert got.dtype == want.dtype
        assert np.array_equal(got, want), (names, parameters)


WIDE = [
    ("mxfp8-e5m2", "mxfp8-e5m2"),  # 69 bits within a block
    ("mxfp8-e5m2", "e5m2-k32-e5m2"),  # and a scale with a sign
    ("int8sym-tensor-fp32", "int8sym-tensor-fp32"),  # 48 bits of scales
    ("int8-k8-fp16", "e5m2"),  # 52 bits, in groups of 8
    ("int8-k8-bf16", "int8-k16-fp16"),  # two scales with signs, of different blocks
]


@pytest.mark.parametrize("acc", ["fp32", "fp16", "exact"])
@pytest.mark.parametrize("names", WIDE)
def test_wide_sums(names, acc):
    rng = np.random.default_rng(1)
    a, b = random_operand(names[0], (4, 70), 1, rng), random_operand(names[1], (70, 5), 0, rng)
    for rounding in ("rne", "rdn"):
        options = {"out": "fp32", "acc": acc, "rounding": rounding}
        got = matmul(a, b, *names, **options)
        assert np.array_equal(got, by_block_mac(a, b, names, **options))


@pytest.mark.parametrize("name", ["mxfp4", "mxfp8-e4m3", "mxfp8-e5m2", "mxint8", "hbfp12", "int8"])
def test_values_are_quantised_along_k(name):
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((2, 5, 70)), rng.standard_normal((70, 6))
    fmt = format(name)
    got = matmul(x, y, name)
    assert got.shape == (2, 5, 6)
    assert got.dtype == np.uint32
    if isinstance(fmt, Block):
        x, y = fmt.quantize(x, axis=-1), fmt.quantize(y, axis=0)
        assert np.array_equal(got, matmul(x, y))
        values = x.dequantize() @ y.dequantize()
    else:
        values = fmt.decode(fmt.encode(x)) @ fmt.decode(fmt.encode(y))
    # Three steps of at most half an ulp each, of partial sums below 32.
    assert np.abs(FP32.decode(got) - values).max() <= 3 * 2.0**-20


def test_a_product_by_hand():
    """1*4 + 2*3 = 10 and 2*4 + 0.5*3 = 9.5, blocks of two under scales 1 and 2."""
    fmt = format("e2m1-k2-e8m0")
    a = Quantized(
        format=fmt,  # type: ignore[arg-type]
        elements=format("e2m1").encode([[1.0, 2.0], [2.0, 0.5]]),  # type: ignore[union-attr]
        scales=np.array([[127], [128]], np.uint8),
    )
    got = matmul(a, [[4.0], [3.0]], format_b="e2m1")
    assert FP32.decode(got).tolist() == [[10.0], [19.0]]


@pytest.mark.parametrize("out", ["fp32", "bf16", "int16"])
@pytest.mark.parametrize("rounding", ["rne", "rtz"])
def test_second_scales_multiply_the_accumulator_once(out, rounding):
    """Against the product in fractions of accumulator and both scales."""
    rng = np.random.default_rng(8)
    fmt: Any = format("nvfp4")
    a, b = fmt.quantize(rng.standard_normal((6, 40))), None
    b = fmt.quantize(40 * rng.standard_normal((40, 5)), axis=0)
    got = matmul(a, b, out=out, rounding=rounding)
    plain = format("e2m1-k16-ue4m3")
    bare = [
        Quantized(format=plain, elements=x.elements, scales=x.scales, axis=x.axis)  # type: ignore[arg-type]
        for x in (a, b)
    ]
    acc = FP32.decode(matmul(*bare, rounding=rounding))
    seconds = [Fraction(float(FP32.decode(x.second_scale))) for x in (a, b)]
    for index, value in np.ndenumerate(acc):
        exact = Fraction(float(value)) * seconds[0] * seconds[1]
        assert got[index] == reference.project(exact, format(out), rounding)[0]


def test_tiles_share_scales_across_rows():
    rng = np.random.default_rng(4)
    fmt: Any = format("e2m1-k16x16-ue4m3-fp32")
    b = fmt.quantize(rng.standard_normal((48, 20)), axis=0)
    a = np.eye(48)
    got = FP32.decode(matmul(a, b, "int2"))
    assert np.array_equal(got, b.dequantize().astype(np.float32))


def test_nan_blocks_spread_along_their_row_and_column():
    x, y = np.ones((3, 64)), np.ones((64, 4))
    x[1, 40], y[3, 2] = np.nan, np.inf
    got = FP32.decode(matmul(x, y, "mxfp8-e4m3"))
    want = np.full((3, 4), 64.0)
    want[1], want[:, 2] = np.nan, np.nan
    assert np.array_equal(got, want, equal_nan=True)


def test_size_of_a_piece_of_work_changes_nothing():
    rng = np.random.default_rng(6)
    x, y = rng.standard_normal((70, 64)), rng.standard_normal((64, 300))
    whole = matmul(x, y, "mxfp8-e5m2", "mxfp4")
    parts = [matmul(x[i : i + 7], y, "mxfp8-e5m2", "mxfp4") for i in range(0, 70, 7)]
    assert np.array_equal(whole, np.concatenate(parts))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((np.ones((2, 3)), np.ones((4, 2)), "e4m3"), {}, CodeError, "b: 4 rows where a has K=3"),
        ((np.ones(3), np.ones((3, 2)), "e4m3"), {}, CodeError, r"a: shape \(3,\) where"),
        ((np.ones((2, 3)), np.ones(3), "e4m3"), {}, CodeError, r"b: shape \(3,\) where \(K, N\)"),
        ((np.ones((2, 3)), np.ones((3, 2))), {}, SpecError, "format_a is missing"),
        ((np.eye(2), np.eye(2), "e4m3"), {"rounding": "sr"}, SpecError, "no random words"),
        ((np.eye(2), np.eye(2), "nvfp4"), {"acc": "exact"}, SpecError, "acc=exact: second scales"),
        ((np.eye(2), np.eye(2), "e4m3"), {"acc": "mxfp4"}, SpecError, "must be a scalar format"),
        ((np.eye(2), np.eye(2), "e4m3"), {"out": "wide"}, SpecError, "out=wide: unknown"),
        ((np.eye(2), np.eye(2), "e4m3"), {"accumulation": "tree"}, SpecError, "must be exact, seq"),
        ((np.eye(2), np.eye(2), "mxfp5"), {}, golden.FormatError, "unknown format 'mxfp5'"),
    ],
)
def test_errors_are_one_line(arguments, options, error, message):
    with pytest.raises(error, match=message) as caught:
        matmul(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_blocks_must_lie_along_k():
    fmt: Any = format("mxfp4")
    x = fmt.quantize(np.ones((64, 64)), axis=0)
    with pytest.raises(CodeError, match="a: blocks lie along axis 0, not along K"):
        matmul(x, np.ones((64, 2)), format_b="mxfp4")
    with pytest.raises(CodeError, match="a: is in mxfp4, not in mxfp8-e4m3"):
        matmul(fmt.quantize(np.ones((2, 64))), np.ones((64, 2)), "mxfp8-e4m3")


CODES_OR_VALUES = [
    ("fp16", [[1.5, 2.5]], [[3.0], [11.0]], 32.0),
    ("e4m3", [[1.5, -2.5]], [[3.0], [1.0]], 2.0),
    ("int8", [[-3.0, 100.0]], [[5.0], [2.0]], 185.0),
    ("fx8.4", [[-0.5, 1.25]], [[2.0], [4.0]], 4.0),
]


@pytest.mark.parametrize(("name", "a", "b", "product"), CODES_OR_VALUES)
def test_codes_are_codes_and_floats_are_values(name, a, b, product):
    """Whichever of both the operands are, the product is that of their values."""
    fmt: Any = format(name)
    for left in (a, np.array(a, np.float32), fmt.encode(a), fmt.encode(a).astype(np.uint64)):
        for right in (b, np.array(b, np.float16), fmt.encode(b)):
            assert FP32.decode(matmul(left, right, name)) == product
    if fmt.dtype is not None and fmt.dtype.kind != "i":
        assert FP32.decode(matmul(fmt.to_numpy(fmt.encode(a)), b, name)) == product


@pytest.mark.parametrize("dtype", ["int8", "int64", "bool", "object", "int4", "uint4"])
def test_what_could_be_codes_or_values_is_neither(dtype):
    a = np.ones((2, 32)).astype(getattr(ml_dtypes, dtype, dtype))
    values = np.ones((32, 2))
    remedy = "pass values as floats, or codes of int8 as unsigned integers: its encode makes them"
    with pytest.raises(CodeError, match=f"a: dtype {dtype}: {remedy}"):
        matmul(a, values, "int8")
    with pytest.raises(CodeError, match=f"b: dtype {dtype}: {remedy}"):
        matmul(values.T, a.T, "int8")
    with pytest.raises(CodeError, match=f"a: dtype {dtype}: pass values as floats, or codes as"):
        matmul(a, values, "mxfp4")


def test_codes_of_blocks_come_with_their_scales():
    with pytest.raises(CodeError, match="a: dtype uint8: pass values as floats, or codes as what"):
        matmul(np.ones((2, 32), np.uint8), np.ones((32, 2)), "mxfp4")
    with pytest.raises(CodeError, match="a: code 300 is out of range for e4m3"):
        matmul(np.full((2, 2), 300, np.uint16), np.ones((2, 2)), "e4m3")


def test_rotations_and_flexpoint_refuse_codes():
    codes = format("fp16").encode([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(CodeError, match="values: dtype uint16: unsigned integers are codes, for a"):
        golden.hadamard(codes, 4)
    with pytest.raises(
        CodeError, match=r"are codes, for FlexTensor\.from_codes; values are floats"
    ):
        golden.FlexTensor.of(codes)


FILTERED = ("fp32", "bf16", "e5m2", "e4m3fnuz", "int8", "mxint8", "mxfp8-e5m2", "hbfp8", "dfp16")


@pytest.mark.parametrize("name", FILTERED)
@pytest.mark.parametrize("out", ["fp32", "fp16", "e4m3", "int8"])
def test_what_float64_decides_is_the_exact_sum(name, out, monkeypatch):
    """Sums that cancel, ties, zeros and subnormal results: with the filter and without."""
    rng = np.random.default_rng([FILTERED.index(name), len(out)])
    a, b = random_operand(name, (6, 48), 1, rng), random_operand(name, (48, 7), 0, rng)
    cancelling = np.concatenate([rng.normal(size=(6, 24))] * 2, 1)
    mixed = np.concatenate([c := rng.normal(size=(24, 5)), -c * (1 + 2.0**-20)])
    integers = (
        rng.integers(-3, 4, (6, 48)) * rng.integers(0, 2, (6, 1)).astype(float),
        rng.integers(-3, 4, (48, 7)).astype(float),
    )
    pairs = [(a, b), (cancelling, mixed), integers, (cancelling * 2.0**-9, mixed * 2.0**-9)]
    for rounding in ("rne", "rna", "rtz", "rup", "rdn", "rod"):
        for left, right in pairs:
            options = {"acc": "exact", "out": out, "rounding": rounding}
            names = (name,)
            with monkeypatch.context() as patch:
                got = matmul(left, right, *names, **options)
                patch.setattr(filtered, "product", lambda *_: None)
                assert np.array_equal(got, matmul(left, right, *names, **options)), rounding
