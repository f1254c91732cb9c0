# SPDX-License-Identifier: BSD-2-Clause
"""The digits' quantised network in two runtimes: every tensor's integers, as they compute them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from .digits_network import Arrays
from .quantised_network import INPUTS, POOLS, QuantisedNetwork

TENSORS = ("conv1", "conv2", "residual", "pool1", "conv3", "conv4", "pool2", "logits")


def onnxruntime_tensors(network: QuantisedNetwork, images: np.ndarray) -> Arrays:
    """Every tensor by name, by onnxruntime's kernels: QLinearConv, QLinearAdd, QGemm and others."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        onnx_model(network), options, providers=["CPUExecutionProvider"]
    )
    image = network.scales["image"].quantise(images)
    results = session.run(list(TENSORS), {"image": image.transpose(0, 3, 1, 2)})
    found: Arrays = {"image": image}
    for name, result in zip(TENSORS, results, strict=True):
        array = np.asarray(result)
        found[name] = array.transpose(0, 2, 3, 1) if array.ndim == 4 else array
    return found


def onnx_model(network: QuantisedNetwork) -> bytes:
    """The network as an ONNX file."""
    from onnx import TensorProto, helper, numpy_helper

    constants: dict[str, Any] = {}
    nodes = []

    def constant(name: str, value: Any) -> str:
        constants[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def scale(tensor: str) -> list[str]:
        found = network.scales[tensor]
        return [
            constant(f"{tensor}.scale", np.float32(found.scale)),
            constant(f"{tensor}.zero", np.int8(found.zero)),
        ]

    def weights(name: str) -> list[str]:
        weight = network.layers[name].weight
        if weight.ndim == 4:
            weight = weight.transpose(0, 3, 1, 2)
        return [
            constant(f"{name}.weight", weight),
            constant(f"{name}.weight.scale", network.weight_scales[name].astype(np.float32)),
            constant(f"{name}.weight.zero", np.zeros(len(weight), np.int8)),
        ]

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        domain = "" if kind in ("QLinearConv", "Flatten") else "com.microsoft"
        nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))

    def convolution(name: str) -> None:
        taken = INPUTS[name]
        bias = constant(f"{name}.bias", network.layers[name].bias)
        inputs = [taken, *scale(taken), *weights(name), *scale(name), bias]
        node("QLinearConv", inputs, name, pads=[1, 1, 1, 1])

    def mean(name: str) -> None:
        taken, size = POOLS[name]
        inputs = [taken, *scale(taken), *scale(name)]
        node("QLinearAveragePool", inputs, name, kernel_shape=[size] * 2, strides=[size] * 2)

    convolution("conv1")
    convolution("conv2")
    # What is rectified has the lowest integer for zero, so that saturation rectifies it.
    branches = ["conv2", *scale("conv2"), "conv1", *scale("conv1")]
    node("QLinearAdd", [*branches, *scale("residual")], "residual")
    mean("pool1")
    convolution("conv3")
    convolution("conv4")
    mean("pool2")
    node("Flatten", ["pool2"], "features")
    bias = constant("dense.bias", network.layers["dense"].bias)
    inputs = ["features", *scale("pool2"), *weights("dense"), bias, *scale("logits")]
    node("QGemm", inputs, "logits", transB=1)

    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.INT8, [None, 1, 8, 8])],
        [helper.make_tensor_value_info(name, TensorProto.INT8, None) for name in TENSORS],
        list(constants.values()),
    )
    operators = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=operators, ir_version=9).SerializeToString()


def litert_tensors(network: QuantisedNetwork, images: np.ndarray, kernels: str) -> Arrays:
    """Every tensor by name, by LiteRT's kernels: ``reference``, or ``xnnpack``."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = {"reference": OpResolverType.BUILTIN_REF, "xnnpack": OpResolverType.AUTO}[kernels]
    content, places = litert_model(network, len(images))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # keeping all tensors takes memory: that is wanted
        interpreter = Interpreter(
            model_content=content,
            experimental_op_resolver_type=resolver,
            experimental_preserve_all_tensors=True,
            num_threads=1,
        )
    interpreter.allocate_tensors()
    interpreter.set_tensor(places["image"], network.scales["image"].quantise(images))
    interpreter.invoke()
    return {name: interpreter.get_tensor(place) for name, place in places.items()}


class _LitertWriter:
    """A TensorFlow Lite file while it is written, with the classes of the file's schema."""

    def __init__(self) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self.schema: Any = schema
        self.model: Any = schema.ModelT()
        self.model.version, self.model.description = 3, "digits"
        self.model.buffers, self.model.operatorCodes = [schema.BufferT()], []
        self.graph: Any = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]

    def tensor(
        self, name: str, shape: tuple[int, ...], scale: Any, zero: int = 0, data: Any = None
    ) -> int:
        """Add a tensor; with ``data`` a constant, whose first axis has the scales."""
        made = self.schema.TensorT()
        made.name, made.shape, made.buffer = name, list(shape), 0
        wide = data is not None and data.dtype == np.int32
        made.type = self.schema.TensorType.INT32 if wide else self.schema.TensorType.INT8
        if data is not None:
            buffer = self.schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            made.buffer = len(self.model.buffers) - 1
        quantisation = self.schema.QuantizationParametersT()
        quantisation.scale = np.atleast_1d(np.asarray(scale, np.float32))
        quantisation.zeroPoint = np.full(quantisation.scale.shape, zero, np.int64)
        quantisation.quantizedDimension = 0
        made.quantization = quantisation
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def operator(
        self, kind: str, version: int, inputs: list[int], output: int, options: str, **values: Any
    ) -> None:
        """Add an operator and its options."""
        code = self.schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(self.schema.BuiltinOperator, kind)
        code.version = version
        self.model.operatorCodes.append(code)
        made = self.schema.OperatorT()
        made.opcodeIndex = len(self.model.operatorCodes) - 1
        made.inputs, made.outputs = inputs, [output]
        made.builtinOptionsType = getattr(self.schema.BuiltinOptions, options)
        made.builtinOptions = getattr(self.schema, f"{options}T")()
        for name, value in values.items():
            setattr(made.builtinOptions, name, value)
        self.graph.operators.append(made)

    def content(self) -> bytes:
        """The file."""
        import flatbuffers

        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def litert_model(network: QuantisedNetwork, batch: int) -> tuple[bytes, dict[str, int]]:
    """The network as a TensorFlow Lite file, and the number of each tensor in it."""
    writer = _LitertWriter()
    schema = writer.schema
    grids = {"image": (8, 8, 1), "conv1": (8, 8, 8), "conv2": (8, 8, 8), "residual": (8, 8, 8),
             "pool1": (4, 4, 8), "conv3": (4, 4, 16), "conv4": (4, 4, 16), "pool2": (1, 1, 16),
             "logits": (10,)}  # fmt: skip
    places = {
        name: writer.tensor(
            name, (batch, *shape), network.scales[name].scale, network.scales[name].zero
        )
        for name, shape in grids.items()
    }
    plain, rectified = schema.ActivationFunctionType.NONE, schema.ActivationFunctionType.RELU

    def constants(name: str) -> list[int]:
        layer, scales = network.layers[name], network.weight_scales[name].astype(np.float32)
        product = np.float32(network.scales[INPUTS[name]].scale) * scales
        return [
            writer.tensor(f"{name}.weight", layer.weight.shape, scales, data=layer.weight),
            writer.tensor(f"{name}.bias", layer.bias.shape, product, data=layer.bias),
        ]

    def convolution(name: str) -> None:
        writer.operator(
            "CONV_2D",
            3,
            [places[INPUTS[name]], *constants(name)],
            places[name],
            "Conv2DOptions",
            padding=schema.Padding.SAME,
            strideH=1,
            strideW=1,
            dilationHFactor=1,
            dilationWFactor=1,
            fusedActivationFunction=plain if name == "conv2" else rectified,
        )

    def mean(name: str) -> None:
        taken, size = POOLS[name]
        writer.operator(
            "AVERAGE_POOL_2D",
            2,
            [places[taken]],
            places[name],
            "Pool2DOptions",
            padding=schema.Padding.VALID,
            strideH=size,
            strideW=size,
            filterHeight=size,
            filterWidth=size,
            fusedActivationFunction=plain,
        )

    convolution("conv1")
    convolution("conv2")
    branches = [places["conv2"], places["conv1"]]
    activation = {"fusedActivationFunction": rectified}
    writer.operator("ADD", 2, branches, places["residual"], "AddOptions", **activation)
    mean("pool1")
    convolution("conv3")
    convolution("conv4")
    mean("pool2")
    inputs = [places["pool2"], *constants("dense")]
    activation = {"fusedActivationFunction": plain}
    writer.operator(
        "FULLY_CONNECTED", 12, inputs, places["logits"], "FullyConnectedOptions", **activation
    )
    writer.graph.inputs, writer.graph.outputs = [places["image"]], [places["logits"]]
    return writer.content(), places
