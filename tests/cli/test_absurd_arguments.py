# SPDX-License-Identifier: BSD-2-Clause
"""Every parameter of the public Python functions with values that are none: macaw says so.

Each function is called once as it should be, and then with each of its arguments exchanged for each
of the absurd ones. It works, or raises a MacawError of one line; nothing else comes from the depth.
"""

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import macaw
from macaw.golden import (
    UNITS,
    Block,
    Fixed,
    FlexTensor,
    Float,
    MacawError,
    Rules,
    Specials,
    Subnormals,
    Unit,
    hadamard,
    matmul,
    quantize,
)
from macaw.golden.arithmetic import dyadic
from macaw.golden.arithmetic import functions as integer_functions
from macaw.golden.tensors import flexpoint, integer_layers
from macaw.hdl import Implementation
from macaw.synth.sweep import plan
from macaw.tensors import quantize as files

E4M3, MXFP4, NVFP4, INT8 = (macaw.format(name) for name in ("e4m3", "mxfp4", "nvfp4", "int8"))


class Odd:
    """Nothing that a parameter could be."""


ABSURD = [
    *(None, "", "x", "0.5", "-1", b"x", True, Odd(), object, range(3), Fraction(1, 3)),
    *(-1, 0, -(10**9), 10**30, 2**64, 1.5, -0.0, float("nan"), float("inf"), 1j),
    *([], [1, 2], [[1], [1, 2]], (), {}, {"a": 1}, set(), E4M3, MXFP4),
    *(np.float32(2), np.int8(-3), np.ones((3, 5)), np.array(["a"]), np.array([None]), np.zeros(0)),
    *(np.array(5, dtype=">i4"), np.ones((2, 32), np.float16), np.full((2, 32), np.nan)),
]

ROWS = np.ones((2, 32))
BYTES = np.ones((2, 32), np.int8)
IMAGE, KERNEL = np.ones((1, 4, 4, 2), np.int8), np.ones((3, 3, 3, 2), np.int8)
HALF = 1 << 30


def layer(x: Any, **fields: Any) -> Any:
    return integer_layers.Layer(**fields)(x)


MATRIX = {"weight": np.ones((3, 32), np.int8), "multiplier": HALF, "shift": 0}
WINDOW = {"stride": 1, "padding": 0}
SUMS = {"bias": 0, "x_zero": 0, "weight_zero": 0, "acc": "int32", "overflow": "wrap"}
RANDOM = {"rounding": "sr", "random": np.ones((2, 32), np.uint16), "random_bits": 16}

SPACE = {
    "formats": ["e2m1"],
    "targets": ["asic"],
    "liberty": None,
    "accumulator": None,
    "most": 10,
    "unit": "auto",
    "lanes": 1,
    "stages": 0,
    "clock": None,
    "optimise": "balanced",
    "multiplier": "lut",
    "vectors": 10,
    "seed": 1,
    "seeds": 1,
    "timeout": 10.0,
    "operands": "gaussian",
}

CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "format": (macaw.format, {"name": "e4m3"}),
    "plan": (plan, SPACE),
    "Float": (
        Float,
        {
            "exponent": 4,
            "mantissa": 3,
            "bias": 7,
            "signed": True,
            "zero": True,
            "subnormals": Subnormals.GRADUAL,
            "specials": Specials.IEEE,
        },
    ),
    "Fixed": (Fixed, {"width": 8, "fraction": 0, "signed": True, "symmetric": False}),
    "Block": (
        Block,
        {
            "element": E4M3,
            "scale": macaw.format("e8m0"),
            "size": 32,
            "tile": 1,
            "second_scale": None,
        },
    ),
    "encode": (E4M3.encode, {"values": ROWS, "rounding": "rne", "overflow": None}),
    "encode sr": (E4M3.encode, {"values": ROWS, **RANDOM}),
    "encode wrap": (INT8.encode, {"values": ROWS, "overflow": "wrap"}),
    "encode_exact": (E4M3.encode_exact, {"significand": [1], "exponent": [0]}),
    "decode": (E4M3.decode, {"codes": [1]}),
    "to_numpy": (E4M3.to_numpy, {"codes": np.ones(3, np.uint8)}),
    "Rules": (
        Rules,
        {
            "rounding": "rne",
            "scale_rule": "floor",
            "order": "paper",
            "min_scale": "none",
            "te_zero_codes": False,
            "random_bits": None,
        },
    ),
    "quantize": (
        quantize,
        {
            "block": MXFP4,
            "values": ROWS,
            "axis": -1,
            "rounding": "rne",
            "random": None,
            "scale_rule": "floor",
            "nonfinite": None,
            "second_scale": None,
        },
    ),
    "quantize nvfp4": (
        NVFP4.quantize,
        {
            "values": ROWS,
            "axis": -1,
            "second_scale": None,
            "order": "te",
            "min_scale": "none",
            "te_zero_codes": True,
            "nonfinite": "nan",
        },
    ),
    "hadamard": (hadamard, {"values": ROWS, "size": 4, "signs": [1, 1, 1, 1], "axis": -1}),
    "matmul": (
        matmul,
        {
            "a": ROWS,
            "b": ROWS.T.copy(),
            "format_a": "mxfp4",
            "format_b": "mxfp4",
            "acc": "fp32",
            "out": "fp32",
            "accumulation": "exact",
            "lanes": None,
            "rounding": "rne",
            "overflow": None,
        },
    ),
    "files.quantize": (
        files.quantize,
        {
            "values": ROWS,
            "fmt": E4M3,
            "rounding": "rne",
            "overflow": None,
            "scale": 1.0,
            "seed": 0,
        },
    ),
    "files.dequantize": (files.dequantize, {"codes": [1], "fmt": E4M3, "scale": 1.0}),
    "files.quantize_blocks": (
        files.quantize_blocks,
        {"values": ROWS, "block": MXFP4, "axis": -1, "rotation": 0, "seed": 0, "rounding": "sr"},
    ),
    "files.dequantize_blocks": (
        files.dequantize_blocks,
        {"q": MXFP4.quantize(ROWS), "rotation": 0},
    ),
    "FlexTensor": (
        FlexTensor,
        {"mantissas": np.ones(3, np.int16), "exponent": -3, "format": "flex16+5"},
    ),
    "rescale": (
        flexpoint.rescale,
        {
            "integers": [3],
            "from_exponent": -3,
            "exponent": -2,
            "format": "flex16+5",
            "rounding": "rne",
            "random": None,
            "random_bits": 16,
        },
    ),
    "aligned_sum": (
        flexpoint.aligned_sum,
        {"integers": ([3], [4]), "from_exponents": (-3, -2), "exponent": -2, "rounding": "rne"},
    ),
    "Dyadic": (dyadic.Dyadic, {"multiplier": 3, "shift": 0, "bits": 31}),
    "dyadic": (dyadic.dyadic, {"scale": 0.5, "bits": 31, "choice": "tflite"}),
    "multipliers": (dyadic.multipliers, {"scales": [0.5], "bits": 31, "choice": "tflite"}),
    "common_shift": (dyadic.common_shift, {"scales": [0.5, 0.25], "bits": 31}),
    "reciprocal": (dyadic.reciprocal, {"count": 3, "bits": 31}),
    "requantize": (
        dyadic.requantize,
        {
            "x": [3],
            "multiplier": HALF,
            "shift": 0,
            "profile": "tflite_single",
            "out": "int8",
            "zero_point": 0,
            "bits": 31,
        },
    ),
    "requantize_real": (
        dyadic.requantize_real,
        {"x": [3], "scale": 0.5, "out": "int8", "zero_point": 0},
    ),
    "fully_connected": (
        integer_layers.fully_connected,
        {"x": BYTES, "weight": MATRIX["weight"], **SUMS},
    ),
    "conv2d": (
        integer_layers.conv2d,
        {"x": IMAGE, "weight": KERNEL, **SUMS, **WINDOW, "dilation": 1, "groups": 1},
    ),
    "residual_add": (
        integer_layers.residual_add,
        {
            "a": BYTES,
            "b": BYTES,
            "multiplier": (HALF, HALF),
            "shift": (0, 0),
            "bits": 31,
            "a_zero": 0,
            "b_zero": 0,
            "zero_point": 0,
            "form": "separate",
            "profile": None,
            "out": "int8",
            "branch": None,
        },
    ),
    "average_pool2d": (
        integer_layers.average_pool2d,
        {"x": IMAGE, "size": 2, **WINDOW, "profile": "half_away", "out": "int8", "bits": 31},
    ),
    "max_pool2d": (integer_layers.max_pool2d, {"x": IMAGE, "size": 2, **WINDOW}),
    "fold_batch_norm": (
        integer_layers.fold_batch_norm,
        {
            "weight": np.ones((2, 3)),
            **{name: np.ones(2) for name in ("bias", "gamma", "beta", "mean", "variance")},
            "epsilon": 1e-5,
        },
    ),
    "export_layer": (
        integer_layers.export_layer,
        {
            "x_scale": 0.5,
            "weight_scale": [0.1, 0.1],
            "out_scale": 0.1,
            "bias": [0.0, 1.0],
            "choice": "tflite",
            "bits": 31,
        },
    ),
    "export_residual": (
        integer_layers.export_residual,
        {
            "a_scale": 0.1,
            "b_scale": 0.1,
            "out_scale": 0.1,
            "form": "separate",
            "out": "int8",
            "bits": 31,
        },
    ),
    "Layer": (
        layer,
        {
            "x": BYTES,
            **MATRIX,
            **SUMS,
            **WINDOW,
            "dilation": 1,
            "groups": 1,
            "bits": 31,
            "profile": "tflite_single",
            "out": "int8",
            "zero_point": 0,
            "low": 0,
            "high": 9,
        },
    ),
    "clamp": (integer_layers.clamp, {"x": BYTES, "low": 0, "high": 6}),
    "isqrt": (integer_functions.isqrt, {"x": [9]}),
    "gelu": (integer_functions.gelu, {"x": [9], "scale": 0.1, "shift": None}),
    "exponential": (integer_functions.exponential, {"x": [-9], "scale": 0.1, "bits": 16}),
    "softmax": (
        integer_functions.softmax,
        {"x": [[1, 2]], "scale": 0.1, "out": "ufx8.8", "bits": 16, "reciprocal": 32},
    ),
    "layer_norm": (
        integer_functions.layer_norm,
        {"x": [[1, 2]], "shift": 0, "reciprocal": 31, "fraction": 30},
    ),
    "Implementation": (
        Implementation,
        {
            field.name: getattr(Implementation(), field.name)
            for field in dataclasses.fields(Implementation)
        },
    ),
    "generate": (macaw.generate, {"unit": macaw.unit("mul", a="e2m1", out="e2m1"), "name": "x"}),
}

FITTING: list[dict[str, Any]] = [
    *({}, {"a": "e4m3"}, {"a": "int8"}, {"a": "mxfp4"}, {"a": "flex16+5"}, {"out": "flex16+5"}),
    *({"a": "e4m3", "out": "fp16"}, {"a": "fp16", "out": "mxfp4"}, {"a": "int8", "lanes": 4}),
    *({"a": "int8", "scale": "0.1"}, {"a": "bf16", "size": 16}, {"x": "int16", "out": "int8"}),
    *({"x": "int8", "scale": "0.1"}, {"x": "int8"}, {"x": "int8", "lanes": 4, "scale": "0.1"}),
    *({"x": "fx16.8", "out": "fx16.8"}, {"a": "mxfp4", "out": "fp16"}, {"x": "int8", "lanes": 4}),
    *(
        {"x": "int8", "out": "int8", "lanes": 4},
        {"x": "uint16"},
        {"a": "uint8"},
        {"stages": "int-dot,a=int8,lanes=4/clamp"},
        {"a": "e4m3", "function": "tanh"},
        {"a": "fp16"},
    ),
]


def fitting(kind: str) -> tuple[dict[str, Any], Unit]:
    """The first parameters that the unit takes."""
    for parameters in FITTING:
        try:
            return parameters, macaw.unit(kind, **parameters)
        except MacawError:
            continue
    raise AssertionError(f"no parameters for {kind}")


def complaint(call: Callable[..., Any], arguments: dict[str, Any]) -> str | None:
    try:
        call(**arguments)
    except MacawError as error:
        return str(error)
    return None


def only_macaw_complains(call: Callable[..., Any], arguments: dict[str, Any], names: Any) -> None:
    assert complaint(call, arguments) is None
    for name in names:
        for value in ABSURD:
            try:
                said = complaint(call, {**arguments, name: value})
            except Exception as error:
                error.add_note(f"{name}={value!r}")
                raise
            assert said != ""
            assert said is None or "\n" not in said


@pytest.mark.parametrize("name", CALLS)
def test_functions(name: str) -> None:
    call, arguments = CALLS[name]
    only_macaw_complains(call, arguments, arguments)


@pytest.mark.parametrize("kind", [kind for kind in UNITS if kind != "pipeline"])
def test_units(kind: str) -> None:
    parameters, unit = fitting(kind)
    names = [field.name for field in dataclasses.fields(UNITS[kind])]
    only_macaw_complains(lambda **given: macaw.unit(kind, **given), parameters, names)
    codes = {
        name: np.zeros((2, *port.tail), port.format.code_dtype)
        for name, port in unit.ports.inputs.items()
    }
    only_macaw_complains(unit.evaluate, codes, codes)


@pytest.mark.parametrize("value", ABSURD, ids=lambda _: "")
def test_what_is_no_unit(value: Any) -> None:
    for call in (macaw.generate, macaw.verify, macaw.synthesize):
        with pytest.raises(MacawError):
            call(value)


@pytest.mark.parametrize("name", ["simulator", "vectors", "seed", "waves"])
def test_options_of_verify_and_synthesize(name: str) -> None:
    unit = macaw.unit("mul", a="e2m1", out="e2m1")
    for value in ABSURD:
        file = name == "waves" and isinstance(value, str)
        zero = name == "seed" and type(value) is int and value == 0
        if value is not None and not (file or zero):  # these are good
            with pytest.raises(MacawError):
                macaw.verify(unit, **{name: value})
    for value in ABSURD:
        with pytest.raises(MacawError):
            macaw.synthesize(unit, value)


def test_words_for_specials_mean_what_they_say() -> None:
    """As texts they were taken, and made a format with neither infinities nor their NaNs."""
    fields = {"exponent": 4, "mantissa": 3}
    assert Float(**fields, specials="fnuz") == Float(**fields, specials=Specials.FNUZ)
    assert Float(**fields, subnormals="ftz") == Float(**fields, subnormals=Subnormals.FLUSH)
