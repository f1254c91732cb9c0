# SPDX-License-Identifier: BSD-2-Clause
"""Integer layers against the kernels of deployed runtimes, a layer of random integers at a time.

LiteRT (TensorFlow Lite's reference kernels): convolutions round twice (``tflite_double``), fully
connected layers once (``tflite_single``); average pools are rounded divisions; ADD rounds its
branches and their sum (``form="tflite"``), by tflite_PROFILE. onnxruntime:
QLinearConv and QLinearMatMul have real scales (``requantize_real``). Functions return the number
of results, or raise :class:`~macaw.sim.proof.outsiders.check.ProofFailure` with the first
mismatch.

Of softmax both judge the quantisation of the results, not their bits: their exponential is a table
of float values, rounded to nearest, where I-BERT's is a polynomial, rounded down. With steps of the
operand up to 1/100 that is two counts at most.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from macaw.golden.arithmetic.dyadic import requantize_real
from macaw.golden.arithmetic.functions import Probability, softmax
from macaw.golden.tensors.integer_layers import (
    Layer,
    average_pool2d,
    clamp,
    conv2d,
    export_layer,
    export_residual,
    fully_connected,
    max_pool2d,
    residual_add,
)

from .check import Check, ProofFailure

LITERT_PROFILES = {"conv": "tflite_double", "dense": "tflite_single", "add": "tflite_double"}
"""What the reference kernels of LiteRT 2 do."""


class _File:
    """A TensorFlow Lite file of one operator."""

    def __init__(self) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self.schema: Any = schema
        self.buffers: list[Any] = [schema.BufferT()]
        self.tensors: list[Any] = []

    def tensor(
        self, array: np.ndarray | tuple[int, ...], scale: Any, zero: int = 0, kind: str = "int8"
    ) -> int:
        """Add a constant, or by its shape an input or output of integers ``kind``."""
        made, quantisation = self.schema.TensorT(), self.schema.QuantizationParametersT()
        made.name, made.buffer = f"t{len(self.tensors)}", 0
        if isinstance(array, np.ndarray):
            kind = array.dtype.name
            buffer = self.schema.BufferT()
            buffer.data = np.frombuffer(array.tobytes(), np.uint8)
            self.buffers.append(buffer)
            made.buffer = len(self.buffers) - 1
        made.type = getattr(self.schema.TensorType, kind.upper())
        made.shape = list(array.shape if isinstance(array, np.ndarray) else array)
        quantisation.scale = np.atleast_1d(np.asarray(scale, np.float32))
        quantisation.zeroPoint = np.full(quantisation.scale.shape, zero, np.int64)
        quantisation.quantizedDimension = 0
        made.quantization = quantisation
        self.tensors.append(made)
        return len(self.tensors) - 1

    def content(
        self, kind: str, version: int, inputs: list[int], output: int, options: str, **values: Any
    ) -> bytes:
        """The file, with its operator."""
        import flatbuffers

        schema = self.schema
        code, operator = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, kind)
        code.version = version
        operator.opcodeIndex, operator.inputs, operator.outputs = 0, inputs, [output]
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
        operator.builtinOptions = getattr(schema, f"{options}T")()
        for name, value in values.items():
            setattr(operator.builtinOptions, name, value)
        graph, model = schema.SubGraphT(), schema.ModelT()
        graph.tensors, graph.operators = self.tensors, [operator]
        graph.inputs, graph.outputs = inputs[:1], [output]
        model.version, model.buffers = 3, self.buffers
        model.subgraphs, model.operatorCodes = [graph], [code]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def run_litert(content: bytes, x: np.ndarray) -> np.ndarray:
    """The result of a file for its one input, by the reference kernels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        interpreter = Interpreter(
            model_content=content, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
        )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return np.array(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


def run_onnxruntime(kind: str, inputs: dict[str, np.ndarray], **attributes: Any) -> np.ndarray:
    """The result of one operator; the first input is the graph's, the others are constants."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    first, *_ = inputs
    constants = [numpy_helper.from_array(a, n) for n, a in inputs.items() if n != first]
    kinds = {np.dtype(np.int8): TensorProto.INT8, np.dtype(np.uint8): TensorProto.UINT8}
    element = kinds[inputs[first].dtype]
    graph = helper.make_graph(
        [helper.make_node(kind, list(inputs), ["y"], **attributes)],
        "layer",
        [helper.make_tensor_value_info(first, element, inputs[first].shape)],
        [helper.make_tensor_value_info("y", element, None)],
        constants,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)],
        ir_version=9,
    ).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["y"], {first: inputs[first]})[0])


def _int8(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.integers(-128, 128, shape).astype(np.int8)


def _scales(rng: np.random.Generator, outputs: int, depth: int) -> tuple[Any, np.ndarray, Any]:
    """Scales of input, weights and output, so that the results use their range."""
    x_scale = np.float32(rng.uniform(0.01, 0.1))
    weight = rng.uniform(0.001, 0.02, outputs).astype(np.float32)
    spread = float(x_scale) * float(weight.max()) * 74 * 74 * np.sqrt(depth)
    return x_scale, weight, np.float32(spread / rng.uniform(30, 90))


def _same(got: np.ndarray, want: np.ndarray, what: str) -> int:
    wrong = np.argwhere(got != want)
    if got.shape != want.shape or wrong.size:
        place = tuple(int(i) for i in wrong[0]) if wrong.size else got.shape
        raise ProofFailure(
            f"{what}: {len(wrong)} of {got.size} differ, first at {place}: macaw "
            f"{got[place] if wrong.size else got.shape}, outsider "
            f"{want[place] if wrong.size else want.shape}"
        )
    return got.size


def litert_dense(seed: int, profile: str = LITERT_PROFILES["dense"]) -> int:
    """A fully connected layer, per tensor, of random zero points."""
    rng = np.random.default_rng(seed)
    batch, depth, outputs = 64, int(rng.integers(8, 200)), 48
    x, weight = _int8(rng, batch, depth), _int8(rng, outputs, depth)
    bias = rng.integers(-20_000, 20_000, outputs).astype(np.int32)
    x_zero, zero = (int(z) for z in rng.integers(-128, 128, 2))
    x_scale, weights, out_scale = _scales(rng, 1, depth)
    file = _File()
    inputs = [
        file.tensor(x.shape, x_scale, x_zero),
        file.tensor(weight, weights),
        file.tensor(bias, x_scale * weights),
    ]
    output = file.tensor((batch, outputs), out_scale, zero)
    content = file.content("FULLY_CONNECTED", 5, inputs, output, "FullyConnectedOptions")
    made = export_layer(x_scale=x_scale, weight_scale=weights[0], out_scale=out_scale)
    layer = Layer(
        weight=weight, bias=bias, x_zero=x_zero, zero_point=zero, profile=profile,
        multiplier=made.multiplier, shift=made.shift,
    )  # fmt: skip
    return _same(layer(x), run_litert(content, x), f"FULLY_CONNECTED seed {seed}")


def litert_conv(seed: int, profile: str = LITERT_PROFILES["conv"]) -> int:
    """A convolution with per-channel scales, of random padding, stride and dilation; or, of odd
    seeds, a depthwise one."""
    rng = np.random.default_rng(seed)
    depthwise = seed % 2 == 1
    channels, size = int(rng.integers(1, 9)), int(rng.integers(1, 4))
    outputs = channels if depthwise else int(rng.integers(1, 17))
    stride, same = int(rng.integers(1, 3)), bool(rng.integers(0, 2))
    dilation = int(rng.integers(1, 3)) if stride == 1 else 1
    x = _int8(rng, 2, 9, 8, channels)
    weight = _int8(rng, outputs, size, size, 1 if depthwise else channels)
    bias = rng.integers(-5000, 5000, outputs).astype(np.int32)
    x_zero, zero = (int(z) for z in rng.integers(-128, 128, 2))
    x_scale, weights, out_scale = _scales(rng, outputs, weight[0].size)
    padding = "same" if same else "valid"
    made = export_layer(x_scale=x_scale, weight_scale=weights, out_scale=out_scale)
    layer = Layer(
        weight=weight, bias=bias, x_zero=x_zero, zero_point=zero, profile=profile,
        multiplier=made.multiplier, shift=made.shift, stride=stride, dilation=dilation,
        padding=padding, groups=channels if depthwise else 1,
    )  # fmt: skip
    got = layer(x)
    file = _File()
    stored = np.ascontiguousarray(weight.transpose(3, 1, 2, 0)) if depthwise else weight
    inputs = [
        file.tensor(x.shape, x_scale, x_zero),
        file.tensor(stored, weights),
        file.tensor(bias, x_scale * weights),
    ]
    if depthwise:
        file.tensors[inputs[1]].quantization.quantizedDimension = 3
    output = file.tensor(got.shape, out_scale, zero)
    options = {
        "padding": file.schema.Padding.SAME if same else file.schema.Padding.VALID,
        "strideH": stride, "strideW": stride,
        "dilationHFactor": dilation, "dilationWFactor": dilation,
    }  # fmt: skip
    if depthwise:
        options["depthMultiplier"] = 1
        kind, name = "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions"
    else:
        kind, name = "CONV_2D", "Conv2DOptions"
    content = file.content(kind, 3, inputs, output, name, **options)
    return _same(got, run_litert(content, x), f"{kind} seed {seed}")


def litert_pool(seed: int) -> int:
    """An average pool, or of odd seeds a maximum pool."""
    rng = np.random.default_rng(seed)
    x = _int8(rng, 2, 11, 10, 5)
    rows, columns = (int(n) for n in rng.integers(1, 6, 2))
    stride, same = int(rng.integers(1, 3)), bool(rng.integers(0, 2))
    shape: Any = {"stride": stride, "padding": "same" if same else "valid"}
    pool = max_pool2d if seed % 2 else average_pool2d
    got = pool(x, (rows, columns), **shape)
    file = _File()
    taken, output = file.tensor(x.shape, 0.1, 3), file.tensor(got.shape, 0.1, 3)
    content = file.content(
        "MAX_POOL_2D" if seed % 2 else "AVERAGE_POOL_2D", 2, [taken], output, "Pool2DOptions",
        padding=file.schema.Padding.SAME if same else file.schema.Padding.VALID,
        strideH=stride, strideW=stride, filterHeight=rows, filterWidth=columns,
    )  # fmt: skip
    return _same(got, run_litert(content, x), f"pool seed {seed}")


def litert_add(seed: int, profile: str = LITERT_PROFILES["add"]) -> int:
    """A sum of every pair of int8, or of every third seed of random int16, of random scales and
    zero points, which now and then are equal, powers of two, far apart or at the ends."""
    rng = np.random.default_rng(seed)
    kind = "int16" if seed % 3 == 2 else "int8"
    out = np.iinfo(kind)
    left = 15 if kind == "int16" else 20
    if kind == "int8":
        a, b = (each.ravel() for each in np.meshgrid(*[np.arange(-128, 128, dtype=np.int8)] * 2))
    else:
        a, b = rng.integers(out.min, out.max + 1, (2, 1 << 16)).astype(np.int16)
        a[:4], b[:4] = (out.min, out.min, out.max, out.max), (out.min, out.max, out.min, out.max)
    zeros = rng.integers(out.min, out.max + 1, 3)
    zeros = np.where(rng.random(3) < 0.4, rng.choice([out.min, out.max, 0], 3), zeros)
    zeros *= kind == "int8"  # the kernel has none of int16
    scales = np.exp2(rng.uniform(-9, 3, 2)).astype(np.float32)
    if rng.random() < 0.2:
        scales[1] = scales[0] * np.float32(rng.choice([1, 2, 0.25, 2.0**-31, 2.0**-33]))
    # From where the kernel's multiplier of the sum is below one; mostly beside the larger scale.
    last = rng.choice([rng.uniform(-3, 2), rng.uniform(1.01 - left, 14)], p=[0.7, 0.3])
    power = rng.choice([0, 1, 2], p=[0.7, 0.2, 0.1])
    total = np.float32(scales.max() * np.exp2(np.rint(last) + 1 if power else last))
    if power == 2:
        scales = np.exp2(np.rint(np.log2(scales))).astype(np.float32)
        total = np.float32(np.exp2(np.rint(np.log2(total)) + 1))
    rectified = bool(rng.integers(0, 2))
    a_zero, b_zero, zero = (int(each) for each in zeros)
    multiplier, shift = export_residual(
        float(scales[0]), float(scales[1]), float(total), form="tflite", out=kind
    )
    got = residual_add(
        a, b, multiplier, shift, a_zero=a_zero, b_zero=b_zero, zero_point=zero,
        form="tflite", profile=profile, out=kind,
    )  # fmt: skip
    file = _File()
    inputs = [file.tensor(a.shape, scales[0], a_zero, kind), file.tensor(b, scales[1], b_zero)]
    output = file.tensor(a.shape, total, zero, kind)
    activation = file.schema.ActivationFunctionType
    content = file.content(
        "ADD", 3, inputs, output, "AddOptions", potScaleInt16=False,
        fusedActivationFunction=activation.RELU if rectified else activation.NONE,
    )  # fmt: skip
    want = run_litert(content, a)
    return _same(clamp(got, zero if rectified else None), want, f"ADD {kind} seed {seed}")


def onnx_matmul(seed: int) -> int:
    """QLinearMatMul with zero points of both operands."""
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(4, 200))
    x, weight = _int8(rng, 64, depth), _int8(rng, depth, 48)
    x_zero, w_zero, zero = _int8(rng, 3)
    x_scale, weights, out_scale = _scales(rng, 1, depth)
    want = run_onnxruntime(
        "QLinearMatMul",
        {
            "a": x, "a_scale": np.array(x_scale), "a_zero": np.array(x_zero),
            "b": weight, "b_scale": weights[0].reshape(()), "b_zero": np.array(w_zero),
            "y_scale": np.array(out_scale), "y_zero": np.array(zero),
        },
    )  # fmt: skip
    acc = fully_connected(x, weight.T, x_zero=int(x_zero), weight_zero=int(w_zero))
    scale = np.float32(x_scale * weights[0]) / out_scale
    got = requantize_real(acc, scale, zero_point=int(zero))
    return _same(got, want, f"QLinearMatMul seed {seed}")


def onnx_conv(seed: int) -> int:
    """QLinearConv with per-channel scales and a zero point of its input."""
    rng = np.random.default_rng(seed)
    channels, outputs, size = (int(n) for n in (rng.integers(1, 9), rng.integers(1, 17), 3))
    stride, pad = int(rng.integers(1, 3)), int(rng.integers(0, 2))
    x, weight = _int8(rng, 2, 9, 8, channels), _int8(rng, outputs, size, size, channels)
    bias = rng.integers(-5000, 5000, outputs).astype(np.int32)
    x_zero, zero = _int8(rng, 2)
    x_scale, weights, out_scale = _scales(rng, outputs, weight[0].size)
    want = run_onnxruntime(
        "QLinearConv",
        {
            "x": np.ascontiguousarray(x.transpose(0, 3, 1, 2)),
            "x_scale": np.array(x_scale), "x_zero": np.array(x_zero),
            "w": np.ascontiguousarray(weight.transpose(0, 3, 1, 2)),
            "w_scale": weights, "w_zero": np.zeros(outputs, np.int8),
            "y_scale": np.array(out_scale), "y_zero": np.array(zero), "bias": bias,
        },
        pads=[pad] * 4, strides=[stride] * 2, kernel_shape=[size] * 2,
    ).transpose(0, 2, 3, 1)  # fmt: skip
    acc = conv2d(x, weight, bias, x_zero=int(x_zero), stride=stride, padding=pad)
    got = requantize_real(acc, x_scale * weights / out_scale, zero_point=int(zero))
    return _same(got, want, f"QLinearConv seed {seed}")


def _rows(rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """Rows of int8 for softmax, from close together to far apart, and the value of a step."""
    shape = int(rng.integers(2, 200)), int(rng.integers(1, 48))
    x = _int8(rng, *shape) >> rng.integers(0, 7, (shape[0], 1)).astype(np.int8)
    return x, str(rng.choice(["0.01", "0.005", "0.0031"]))


def litert_softmax(seed: int, *, out: str = "int8", zero_point: int | None = None) -> int:
    """SOFTMAX: LiteRT refuses results of another scale or zero point than its own."""
    x, scale = _rows(np.random.default_rng([seed, 7]))
    meant = Probability.of(out, zero_point)
    file = _File()
    source = file.tensor(x.shape, float(scale))
    result = file.tensor(x.shape, 2.0**-meant.fraction, meant.zero_point, out)
    content = file.content("SOFTMAX", 2, [source], result, "SoftmaxOptions", beta=1.0)
    try:
        want = run_litert(content, x)
    except RuntimeError as error:
        refused = str(error).splitlines()[0]
        raise ProofFailure(f"SOFTMAX seed {seed}: {meant}: refused: {refused}") from None
    return _near(softmax(x, scale, out=out, zero_point=zero_point), want, f"SOFTMAX seed {seed}")


def onnx_softmax(seed: int) -> int:
    """QLinearSoftmax, as onnxruntime's quantiser fills it in."""
    x, scale = _rows(np.random.default_rng([seed, 8]))
    out = ("int8", "uint8")[seed % 2]
    meant = Probability.of(out)
    x = x if out == "int8" else (x.astype(np.int16) + 128).astype(np.uint8)
    want = run_onnxruntime(
        "QLinearSoftmax",
        {
            "x": x,
            "x_scale": np.array(float(scale), np.float32),
            "x_zero": np.array(0, out),
            "y_scale": np.array(2.0**-meant.fraction, np.float32),
            "y_zero": np.array(meant.zero_point, out),
        },
        domain="com.microsoft",
        axis=-1,
        opset=13,
    )
    return _near(softmax(x, scale, out=out), want, f"QLinearSoftmax seed {seed}")


def _near(got: np.ndarray, want: np.ndarray, what: str) -> int:
    apart = np.abs(got - want.astype(np.int64))
    if apart.max() > 2:
        at = np.unravel_index(int(apart.argmax()), apart.shape)
        raise ProofFailure(f"{what}: got {got[at]}, expected {want[at]}, at {at}")
    return got.size


JUDGES = (
    litert_dense,
    litert_conv,
    litert_pool,
    litert_add,
    litert_softmax,
    onnx_matmul,
    onnx_conv,
    onnx_softmax,
)


def many(judge: Any, count: int, **options: Any) -> int:
    """A judge with ``count`` seeds."""
    return sum(judge(seed, **options) for seed in range(count))


def checks() -> Iterator[Check]:
    """What ``python -m macaw.sim.proof.prove`` runs of this."""
    for judge in JUDGES:
        yield Check(name=f"layers/{judge.__name__}", run=functools.partial(many, judge, 500))
