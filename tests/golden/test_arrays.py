# SPDX-License-Identifier: BSD-2-Clause
"""Every function and unit that takes arrays, with arrays of every byte order, layout and kind."""

import dataclasses
import importlib
import inspect
import pkgutil
import warnings
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import macaw.golden
from macaw import matmul
from macaw.golden import (
    UNITS,
    FlexTensor,
    MacawError,
    Quantized,
    Unit,
    arrays,
    format,
    hadamard,
    unit,
)
from macaw.golden.arithmetic import dyadic, functions, predictor
from macaw.golden.arithmetic.exp2 import exp2
from macaw.golden.tensors import flexpoint as flex
from macaw.golden.tensors import integer_layers as layers
from macaw.golden.tensors.multipoint import multipoint
from macaw.sim.stimulus import stimulus
from macaw.synth import accuracy
from macaw.tensors import quantize

Arrays = dict[str, np.ndarray]

RNG = np.random.default_rng(4)
REALS = RNG.standard_normal((4, 32)) * 8
WORDS = RNG.integers(0, 1 << 16, (4, 32)).astype(np.uint16)
INT8 = RNG.integers(-128, 128, (4, 8)).astype(np.int8)
INT16 = RNG.integers(-999, 999, (4, 8)).astype(np.int16)
INT32 = RNG.integers(-(1 << 20), 1 << 20, (4, 8)).astype(np.int32)
IMAGE = RNG.integers(-999, 999, (2, 5, 4, 2)).astype(np.int16)
KERNEL = RNG.integers(-99, 99, (3, 2, 2, 2)).astype(np.int16)
SCALES = RNG.uniform(0.01, 0.5, 8).astype(np.float32)
SHIFTS = RNG.integers(-12, 0, 8).astype(np.int16)
MULTIPLIERS = RNG.integers(1 << 30, (1 << 31) - 1, 8).astype(np.uint32)
PAIR = np.array([1 << 30, 3 << 28], np.int64)

FP16, FX, MXFP4, NVFP4 = (format(name) for name in ("fp16", "fx12.4", "mxfp4", "nvfp4"))
HALF = FP16.encode(REALS)
BLOCKS: Quantized = NVFP4.quantize(REALS)
FLEX = FlexTensor.of(REALS)
PREDICTOR = predictor.Predictor(format="flex16+5")  # type: ignore[arg-type]
HISTORY = np.arange(1, 2 * 16 + 1, dtype=np.uint16).reshape(2, 16)

# Each function, and native arrays that it takes: names as of its parameters, or of this test.
ENTRANCES: dict[str, tuple[Callable[..., Any], Arrays]] = {
    "encode": (lambda values: FP16.encode(values), {"values": REALS}),
    "encode float32": (lambda values: FX.encode(values), {"values": REALS.astype(np.float32)}),
    "encode float16": (lambda values: FX.encode(values), {"values": REALS.astype(np.float16)}),
    "encode int32": (lambda values: FX.encode(values), {"values": INT32}),
    "encode uint16": (lambda values: FX.encode(values), {"values": WORDS}),
    "encode random": (
        lambda values, random: FP16.encode(values, rounding="sr", random=random),
        {"values": REALS, "random": WORDS},
    ),
    "encode_exact": (
        lambda significand, exponent: FP16.encode_exact(significand, exponent),
        {"significand": INT32, "exponent": SHIFTS},
    ),
    "decode": (lambda codes: FP16.decode(codes), {"codes": HALF}),
    "to_numpy": (lambda codes: FP16.to_numpy(codes), {"codes": HALF}),
    "quantize": (lambda values: MXFP4.quantize(values), {"values": REALS.astype(np.float32)}),
    "quantize to two scales": (lambda values: NVFP4.quantize(values), {"values": REALS}),
    "quantize integers": (lambda values: MXFP4.quantize(values), {"values": INT32}),
    "multipoint": (lambda values: multipoint(values, MXFP4, 2), {"values": REALS}),
    "quantize random": (
        lambda values, random: MXFP4.quantize(values, rounding="sr", random=random),
        {"values": REALS, "random": WORDS & 0xFF},
    ),
    "Quantized": (
        lambda **codes: Quantized(format=NVFP4, **codes).dequantize(),
        {
            "elements": BLOCKS.elements,
            "scales": BLOCKS.scales,
            "second_scale": np.asarray(BLOCKS.second_scale),
        },
    ),
    "matmul": (
        lambda a, b: matmul(a, b, "fp16", "fp16"),
        {"a": REALS, "b": REALS.T.astype(np.float32)},
    ),
    "matmul of codes": (lambda a, b: matmul(a, b, "fp16"), {"a": HALF, "b": HALF.T}),
    "matmul of blocks": (
        lambda a, b: matmul(a, b, "mxfp4", out="fp16"),
        {"a": REALS, "b": REALS.T.astype(np.float16)},
    ),
    "hadamard": (
        lambda values, signs: hadamard(values, 8, signs=signs),
        {"values": REALS, "signs": np.array([1, -1] * 4, np.int16)},
    ),
    "FlexTensor": (
        lambda mantissas: FlexTensor(mantissas=mantissas, exponent=-3),
        {"mantissas": INT16},
    ),
    "FlexTensor.of": (
        lambda values, random: FlexTensor.of(values, -10, rounding="sr", random=random),
        {"values": REALS.astype(np.float32), "random": WORDS},
    ),
    "FlexTensor.from_codes": (
        lambda codes, scale: FlexTensor.from_codes(codes, scale),
        {"codes": WORDS, "scale": np.array(9, np.uint8)},
    ),
    "FlexTensor.with_mantissas": (FLEX.with_mantissas, {"mantissas": INT16}),
    "rescale": (
        lambda integers, from_exponent, exponent, random: flex.rescale(
            integers, from_exponent, exponent, rounding="sr", random=random
        ),
        {
            "integers": INT32,
            "from_exponent": SHIFTS,
            "exponent": SHIFTS // 2,
            "random": WORDS[:, :8],
        },
    ),
    "rescale of two parts": (
        lambda upper, lower: flex.rescale((upper, lower), -40, -9),
        {"upper": INT32.astype(np.int64), "lower": np.abs(INT32).astype(np.int64)},
    ),
    "aligned_sum": (
        lambda x, y, start, other, exponent: flex.aligned_sum((x, y), (start, other), exponent),
        {"x": INT32, "y": INT16, "start": SHIFTS, "other": SHIFTS, "exponent": SHIFTS // 2},
    ),
    "Predictor.predict": (
        PREDICTOR.predict,
        {"maximum": HISTORY, "scale": HISTORY % 31, "count": np.array([16, 3], np.int16)},
    ),
    "Predictor.initial": (
        PREDICTOR.initial,
        {"maximum": HISTORY, "scale": HISTORY % 31, "last": HISTORY % 2},
    ),
    "Predictor.follow": (
        PREDICTOR.follow,
        {"maximum": HISTORY[0], "scale": HISTORY[0] % 31, "first": HISTORY[0] % 5 // 4},
    ),
    "multipliers": (dyadic.multipliers, {"scales": SCALES}),
    "requantize": (
        dyadic.requantize,
        {
            "x": INT32,
            "multiplier": MULTIPLIERS,
            "shift": SHIFTS,
            "zero_point": np.arange(8, dtype=np.int16),
        },
    ),
    "requantize_real": (dyadic.requantize_real, {"x": INT32, "scale": SCALES}),
    "fully_connected": (
        layers.fully_connected,
        {
            "x": INT16,
            "weight": INT16[:3],
            "bias": INT32[0, :3],
            "weight_zero": INT16[0, :3],
            "x_zero": np.array(9, np.int16),
        },
    ),
    "conv2d": (
        layers.conv2d,
        {"x": IMAGE, "weight": KERNEL, "bias": INT32[0, :3], "weight_zero": INT16[0, :3]},
    ),
    "residual_add": (
        layers.residual_add,
        {
            "a": INT16,
            "b": INT16[0],
            "multiplier": PAIR,
            "shift": np.array([-3, -4], np.int16),
            "zero_point": np.array(3, np.int16),
        },
    ),
    "average_pool2d": (lambda x: layers.average_pool2d(x, 2, out="int16"), {"x": IMAGE}),
    "max_pool2d": (lambda x: layers.max_pool2d(x, 2), {"x": IMAGE}),
    "clamp": (lambda x: layers.clamp(x, -100, 100), {"x": INT16}),
    "Layer": (
        lambda x, weight, multiplier, shift: layers.Layer(
            weight=weight, multiplier=multiplier, shift=shift
        )(x),
        {"x": INT16, "weight": INT16, "multiplier": MULTIPLIERS[:4], "shift": SHIFTS[:4]},
    ),
    "fold_batch_norm": (
        layers.fold_batch_norm,
        {
            "weight": REALS[:, :8].T.astype(np.float32),
            "bias": REALS[0, :8],
            "gamma": SCALES,
            "beta": REALS[1, :8],
            "mean": SCALES,
            "variance": SCALES,
        },
    ),
    "export_layer": (
        lambda weight_scale, bias: layers.export_layer(
            x_scale=0.02, weight_scale=weight_scale, out_scale=0.3, bias=bias
        ),
        {"weight_scale": SCALES, "bias": REALS[0, :8]},
    ),
    "isqrt": (functions.isqrt, {"x": WORDS}),
    "gelu": (lambda x: functions.gelu(x, "0.01"), {"x": INT16}),
    "exponential": (lambda x: functions.exponential(x, "0.01"), {"x": -np.abs(INT16)}),
    "softmax": (lambda x: functions.softmax(x, "0.01"), {"x": INT16}),
    "layer_norm": (functions.layer_norm, {"x": INT16}),
    "exp2": (lambda x: exp2(x, fraction=7), {"x": INT16}),
    "quantize command": (lambda values: quantize.quantize(values, FP16), {"values": REALS}),
    "quantize command, blocks": (
        lambda values: quantize.quantize_blocks(values, MXFP4, rotation=16),
        {"values": REALS.astype(np.float32)},
    ),
    "dequantize command": (lambda codes: quantize.dequantize(codes, FP16), {"codes": HALF}),
    "accuracy": (
        lambda a, b: accuracy.sqnr_of(unit("dot", a="e4m3", out="fp16"), a, b),
        {"a": REALS, "b": REALS.astype(np.float32)},
    ),
}  # fmt: skip

KINDS: dict[str, dict[str, Any]] = {
    "mul": {"a": "fp16"},
    "add": {"a": "bf16", "out": "fp32"},
    "div": {"a": "bf16"},
    "sqrt": {"a": "bf16"},
    "relu": {"a": "bf16", "slope": "1/8"},
    "compare": {"a": "bf16"},
    "minimum": {"a": "bf16"},
    "maximum": {"a": "bf16"},
    "classify": {"a": "bf16"},
    "copy-sign": {"a": "bf16"},
    "fpu": {"a": "bf16"},
    "fma": {"a": "e4m3", "out": "fp16", "rounding": "sr"},
    "cast": {"a": "fp32", "out": "fp16"},
    "dot": {"a": "fp16", "out": "fp32", "lanes": 4},
    "mac": {"a": "e4m3", "out": "fp16", "acc": "fp32"},
    "block-dot": {"a": "mxfp4", "out": "fp32"},
    "block-mac": {"a": "mxfp4", "acc": "fp32", "out": "fp16"},
    "block-quantize": {"a": "fp16", "out": "mxfp4"},
    "block-dequantize": {"a": "mxfp4", "out": "fp16"},
    "hadamard": {"a": "fp16", "size": 4},
    "flex-mac": {"a": "flex16+5"},
    "flex-matmul": {"a": "flex16+5", "rows": 2, "columns": 2},
    "flex-add": {"a": "flex16+5"},
    "flex-mul": {"a": "flex16+5"},
    "autoflex": {"out": "flex16+5"},
    "loss-scale": {"rule": "largest", "a": "fp16"},
    "lfsr": {"lanes": 2},
    "isqrt": {"x": "uint16"},
    "int-exp2": {"x": "fx16.8"},
    "int-gelu": {"x": "int16", "scale": "0.01"},
    "table": {"a": "e4m3", "function": "tanh"},
    "function": {"a": "e4m3", "function": "tanh"},
    "softmax": {"a": "fp16", "lanes": 4},
    "softmax-sum": {"a": "fp16", "lanes": 4},
    "softmax-merge": {"a": "ufx20.9"},
    "rmsnorm": {"a": "fp16", "lanes": 4},
    "layernorm": {"a": "fp16", "lanes": 4},
    "int-softmax-rows": {"x": "int16", "scale": "0.01", "lanes": 4},
    "int-softmax": {"x": "int16", "scale": "0.01", "lanes": 4},
    "int-layernorm": {"x": "int16", "lanes": 4},
    "int-dot": {"a": "int16", "lanes": 2, "acc": "int32"},
    "int-mac": {"a": "int16", "acc": "int32"},
    "requantize": {"x": "int32", "zero_point": True},
    "residual-add": {"a": "int16"},
    "average-pool": {"a": "int16"},
    "clamp": {"a": "int16"},
    "pipeline": {"stages": "add(a=int32) | requantize(x=int32)"},
}


def operands(spec: Unit) -> Arrays:
    """Codes of some operations, or of one stream, that ends."""
    codes = next(iter(stimulus(spec, vectors=64, seed=1)))
    return {name: np.array(array) for name, array in codes.items()}


def entrance(name: str) -> tuple[Callable[..., Any], Arrays]:
    if name in ENTRANCES:
        return ENTRANCES[name]
    spec = unit(name, **KINDS[name])
    return spec.evaluate, operands(spec)


NAMES = [*ENTRANCES, *KINDS]
LAYOUTS: dict[str, Callable[[np.ndarray], Any]] = {
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "little-endian": lambda x: x.astype(x.dtype.newbyteorder("<")),
    "big-endian, reversed": lambda x: x[..., ::-1].astype(x.dtype.newbyteorder(">"))[..., ::-1],
    "columns first": np.asfortranarray,
    "backwards": lambda x: x[::-1].copy()[::-1],
    "every third": lambda x: np.repeat(x, 3, -1)[..., ::3],
    "turned": lambda x: x.T.copy().T,
    "read-only": lambda x: _flagged(x.copy()),
    "unaligned": lambda x: _unaligned(x),
    "masked array without masks": lambda x: np.ma.masked_array(x, np.zeros(x.shape, bool)),
    "subclass": lambda x: np.matrix(x) if x.ndim == 2 else x.view(_Named),
}


class _Named(np.ndarray):
    """A subclass without anything."""


def _flagged(x: np.ndarray) -> np.ndarray:
    x.flags.writeable = False
    return x


def _unaligned(x: np.ndarray) -> np.ndarray:
    """The array one byte beside where its elements should begin."""
    room = np.empty(x.nbytes + 1, np.uint8)
    view = room[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def parts(result: Any) -> list[Any]:
    """All arrays and numbers that a result is made of, and its types."""
    if isinstance(result, np.ndarray):
        # A result is native, whatever came in.
        assert result.dtype.isnative
        return [type(result), result.dtype.str, result.shape, result.tobytes()]
    if isinstance(result, dict):
        return [part for name in result for part in (name, *parts(result[name]))]
    if isinstance(result, tuple):
        return [part for each in result for part in parts(each)]
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        fields = dataclasses.fields(result)
        return [part for each in fields for part in parts(getattr(result, each.name))]
    return [result]


@pytest.mark.parametrize("name", NAMES)
def test_byte_order_and_layout_change_nothing(name: str, tmp_path):
    function, native = entrance(name)
    native = {key: np.ascontiguousarray(x).reshape(x.shape) for key, x in native.items()}
    want = parts(function(**native))

    def mapped(x: np.ndarray) -> np.ndarray:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        x.astype(x.dtype.newbyteorder(">")).tofile(path)
        return np.memmap(path, x.dtype.newbyteorder(">"), "r", shape=x.shape)

    for layout, change in {**LAYOUTS, "big-endian memmap": mapped}.items():
        for each in (*native, None):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", PendingDeprecationWarning)  # of numpy.matrix
                given = {
                    key: change(x) if x.ndim and each in (key, None) else x.copy()
                    for key, x in native.items()
                }
            before = [x.tobytes() for x in given.values()]
            assert parts(function(**given)) == want, (layout, each)
            assert [x.tobytes() for x in given.values()] == before, (layout, each)


def masked(x: np.ndarray) -> np.ndarray:
    return np.ma.masked_array(x, np.arange(x.size).reshape(x.shape) == 0)


WRONG: dict[str, Callable[[np.ndarray], Any]] = {
    "complex": lambda x: x.astype(np.complex128),
    "text": lambda x: np.full(x.shape, "1"),
    "bytes": lambda x: np.full(x.shape, b"1"),
    "time": lambda x: np.full(x.shape, np.datetime64("2020-01-01")),
    "duration": lambda x: np.full(x.shape, np.timedelta64(1, "s")),
    "objects": lambda x: np.full(x.shape, object(), object),
    "records": lambda x: np.zeros(x.shape, [("real", "f4"), ("imaginary", "f4")]),
    "extended floats": lambda x: x.astype(np.longdouble),
    "booleans": lambda x: np.ones(x.shape, bool),
    "ragged": lambda x: [[1, 2], [3]],
    "nothing": lambda x: None,
    "masked": masked,
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_wrong_arrays_are_one_line(name: str):
    function, native = entrance(name)
    for kind, change in WRONG.items():
        for each, x in native.items():
            bits = kind == "booleans" and (each in ("last", "first") or x.max(initial=0) <= 1)
            if bits or (kind == "nothing" and each in OPTIONAL):
                continue
            with pytest.raises(MacawError) as caught:
                function(**native | {each: change(x)})
            assert "\n" not in str(caught.value), (kind, each)


OPTIONAL = ("signs", "second_scale", "random")


@pytest.mark.parametrize("name", NAMES)
def test_empty_arrays_and_numbers_have_a_result_or_an_error(name: str):
    """Arrays without elements, and of no axes, in the place of each one: no other exception."""
    function, native = entrance(name)
    for each, x in native.items():
        for change in (x.reshape(-1)[:0], x[..., :0] if x.ndim else x, x.reshape(-1)[0], []):
            assert "\n" not in outcome(function, native | {each: change}), each


def outcome(function: Callable[..., Any], given: Arrays) -> str:
    try:
        return "a result" if parts(function(**given)) else ""
    except MacawError as error:
        return str(error)


def test_every_kind_of_unit_is_here():
    assert set(KINDS) == set(UNITS)


def test_every_function_of_arrays_is_here():
    """What documents an array_like parameter in golden is above, by its name."""
    found = set()
    for module in pkgutil.walk_packages(macaw.golden.__path__, "macaw.golden."):
        path = module.name
        for name, member in vars(importlib.import_module(path)).items():
            if getattr(member, "__module__", None) != path:
                continue
            documented = [(name, member)]
            if inspect.isclass(member):
                # The methods of every kind of scalar format are in one base.
                owner = "" if name == "Codec" else f"{name}."
                documented += [(owner + key, value) for key, value in vars(member).items()]
            for key, value in documented:
                if "array_like" in (getattr(value, "__doc__", None) or ""):
                    found.add(key)
    assert found > {"encode", "matmul", "requantize", "FlexTensor", "Unit.evaluate"}
    assert found - {"Unit.evaluate"} <= set(ENTRANCES)


def test_masked_arrays_say_how_many():
    x = np.ma.masked_array(np.array([1.0, 2.0, 3.0]), np.array([True, False, True]))
    with pytest.raises(
        MacawError, match=r"values: 2 of its elements are masked: \.filled\(0\) gives"
    ):
        FP16.encode(x)
    assert FP16.encode(x.filled(0)).tolist() == FP16.encode([0, 2, 0]).tolist()


@pytest.mark.parametrize("dtype", ["int2", "int4", "uint2", "uint4"])
def test_narrow_integers_of_ml_dtypes_are_integers(dtype: str):
    x = np.array([1, 0, 1]).astype(getattr(ml_dtypes, dtype))
    assert arrays.integers("x", x).tolist() == [1, 0, 1]
    assert dyadic.requantize(x, 1 << 30, 1).tolist() == [1, 0, 1]
    assert FX.encode(x).tolist() == [16, 0, 16]


def test_known_values_of_big_endian_arrays():
    """By hand: 1, 2, 3 are 0x38, 0x40, 0x44 in E4M3, and 16, 32, 48 with four fraction bits."""
    for dtype in (">f2", ">f4", ">f8", ">i2", ">i4", ">i8", ">u2"):
        x = np.array([1, 2, 3], dtype)
        assert format("e4m3").encode(x).tolist() == [0x38, 0x40, 0x44], dtype
        assert FX.encode(x).tolist() == [16, 32, 48], dtype
    values = np.array([[1, 2, 3]], ">f4")
    assert format("fp32").decode(matmul(values, values.T, "fp16")).tolist() == [[14]]
    assert FlexTensor.of(values).to_float().tolist() == [[1, 2, 3]]
    assert MXFP4.quantize(values).dequantize().tolist() == [[1, 2, 3]]
    assert flex.rescale(np.array([5, 6], ">i4"), -3, -3).tolist() == [5, 6]
