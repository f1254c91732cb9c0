# SPDX-License-Identifier: BSD-2-Clause
"""The digits' network in integers: quantised, run in golden, and in simulated gates.

Conventions of TensorFlow Lite: weights symmetric with a scale per output; activations int8 with
one scale and zero point a tensor, from the range that calibration images give; biases int32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, cast

import numpy as np

from macaw.golden import Format
from macaw.golden import format as format_of
from macaw.golden.arithmetic.dyadic import requantize_real
from macaw.golden.tensors.integer_layers import (
    Layer,
    average_pool2d,
    clamp,
    export_layer,
    export_residual,
    residual_add,
)
from macaw.sim.layers import Residual

from .digits_network import CONVOLUTIONS, SHAPES, Arrays, Network

INPUTS = {"conv1": "image", "conv2": "conv1", "conv3": "pool1", "conv4": "conv3", "dense": "pool2"}
"""The tensor that each layer takes. ``residual`` adds conv2 and conv1."""
POOLS = {"pool1": ("residual", 2), "pool2": ("conv4", 4)}
SAME = {"pool1": "residual", "pool2": "conv4"}
"""Means have the scale of what they are means of."""
REAL = "onnx"
"""The profile with real-valued scales, which has no gates."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """How a runtime rounds: profiles of convolutions, of the dense layer and of means, and the
    form of the residual sum."""

    convolution: str
    dense: str
    residual: str
    mean: str

    @property
    def in_gates(self) -> Deployment:
        """The same with single rounding in place of real-valued scales."""
        gates = [
            "tflite_single" if profile == REAL else profile
            for profile in (self.convolution, self.dense)
        ]
        return Deployment(
            convolution=gates[0], dense=gates[1], residual=self.residual, mean=self.mean
        )


def _same(profile: str, residual: str, mean: str) -> Deployment:
    return Deployment(convolution=profile, dense=profile, residual=residual, mean=mean)


DEPLOYMENTS = {
    "tflite": Deployment(
        convolution="tflite_double", dense="tflite_single", residual="tflite", mean="half_away"
    ),
    "tflite, single rounding": _same("tflite_single", "tflite", "half_away"),
    "onnxruntime": _same(REAL, "single", "hawq"),
    "xnnpack": _same(REAL, "single", "half_away"),
    "hawq": _same("hawq", "separate", "hawq"),
}
"""``tflite`` is what the reference kernels of LiteRT 2 do, ``xnnpack`` its default on CPUs."""


class Engine(Protocol):
    """What computes layers: golden, or gates."""

    def layer(
        self,
        name: str,
        layer: Layer,
        x: np.ndarray,
        other: np.ndarray | None = None,
        residual: Residual | None = None,
    ) -> np.ndarray:
        """A layer of (batch, ...); with ``other`` the residual sum of its result and this."""
        ...

    def mean(self, x: np.ndarray, size: int, profile: str) -> np.ndarray:
        """Means over windows of size by size."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """What an integer tensor stands for: ``scale * (q - zero)``."""

    scale: float
    zero: int

    def quantise(self, values: np.ndarray) -> np.ndarray:
        return np.clip(np.rint(values / self.scale) + self.zero, -128, 127).astype(np.int8)


def calibrate(network: Network, images: np.ndarray) -> dict[str, Scale]:
    """Scales of all tensors: the range that the images give maps to int8's, zero to an integer."""
    found = {}
    for name, values in network.run(images).items():
        if name in SAME:
            found[name] = found[SAME[name]]
            continue
        low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
        scale = float(np.float32((high - low) / 255))
        found[name] = Scale(scale=scale, zero=int(np.rint(-128 - low / scale)))
    return found


def quantise_weights(weight: np.ndarray, fmt: Format) -> tuple[np.ndarray, np.ndarray]:
    """Return (integers, a scale per output), symmetric about zero.

    With 8 bits the largest magnitude of an output maps to the largest integer. With fewer its
    scale is, of 81 from 0.2 to 1 of that, the one with the least squared error. Where all weights
    are zero any scale will do: it is that of the output of the largest magnitude.
    """
    integers, scales = _quantise(weight.astype(np.float64).tobytes(), len(weight), fmt)
    return integers.reshape(weight.shape), scales


@lru_cache(maxsize=256)
def _quantise(weight: bytes, outputs: int, fmt: Format) -> tuple[np.ndarray, np.ndarray]:
    rows = np.frombuffer(weight).reshape(outputs, -1)
    grid = np.unique(fmt.decode(np.arange(1 << fmt.width)))
    grid = grid[np.abs(grid) <= grid.max()]  # integers: without the one that has no opposite
    largest = np.abs(rows).max(axis=1)
    largest[largest == 0] = largest.max() or 1.0
    shares = np.ones(1) if fmt.width >= 8 else np.linspace(1, 0.2, 81)
    scales = (largest[:, None] * shares / grid.max()).astype(np.float32).astype(np.float64)
    wanted = rows[:, None, :] / scales[:, :, None]
    integers = grid[np.searchsorted((grid[1:] + grid[:-1]) / 2, wanted)]
    errors = np.square(integers * scales[:, :, None] - rows[:, None, :]).sum(axis=2)
    best = errors.argmin(axis=1)
    each = np.arange(len(rows))
    return integers[each, best].astype(np.int8), scales[each, best]


def rounded(network: Network, formats: Mapping[str, str]) -> Network:
    """The network with the weights of some layers rounded to formats, everything else real."""
    weights: Arrays = {}
    for name, fmt in formats.items():
        weight = network.layers[name][0]
        integers, scales = quantise_weights(weight, cast(Format, format_of(fmt)))
        weights[name] = integers * scales.reshape(-1, *[1] * (weight.ndim - 1))
    return network.with_weights(weights)


@dataclass(frozen=True, kw_only=True, slots=True)
class QuantisedNetwork:
    """The network in integers.

    Attributes
    ----------
    formats : dict
        Weight format of each layer.
    deployment : Deployment
    scales, weight_scales : dict
        Of tensors, and of weights per output.
    layers : dict of Layer
    residual : Residual
    """

    formats: dict[str, str]
    deployment: Deployment
    scales: dict[str, Scale]
    weight_scales: dict[str, np.ndarray]
    layers: dict[str, Layer]
    residual: Residual

    @classmethod
    def of(
        cls,
        network: Network,
        scales: Mapping[str, Scale],
        formats: Mapping[str, str],
        deployment: Deployment = DEPLOYMENTS["tflite"],
    ) -> QuantisedNetwork:
        """Quantise a network: layers that ``formats`` does not name have int8 weights."""
        gates = deployment.in_gates
        chosen = {name: formats.get(name, "int8") for name in SHAPES}
        layers, weight_scales = {}, {}
        for name, source in INPUTS.items():
            weight, bias = network.layers[name]
            taken, given = scales[source], scales["logits" if name == "dense" else name]
            integers, per_output = quantise_weights(weight, cast(Format, format_of(chosen[name])))
            made = export_layer(
                x_scale=taken.scale,
                weight_scale=per_output,
                out_scale=given.scale,
                bias=bias,
                choice="hawq" if gates.convolution == "hawq" else "tflite",
            )
            # Rectified tensors have the lowest integer for zero: they need no clamp.
            layers[name] = Layer(
                weight=integers,
                bias=made.bias,
                multiplier=made.multiplier,
                shift=made.shift,
                x_zero=taken.zero,
                zero_point=given.zero,
                profile=gates.dense if name == "dense" else gates.convolution,
                padding="same" if name in CONVOLUTIONS else 0,
                low=given.zero if name in ("conv1", "conv3", "conv4") else None,
            )
            weight_scales[name] = per_output
        a, b, total = (scales[name] for name in ("conv2", "conv1", "residual"))
        multiplier, shift = export_residual(a.scale, b.scale, total.scale, form=deployment.residual)
        residual = Residual(
            multiplier=multiplier,
            shift=shift,
            a_zero=a.zero,
            b_zero=b.zero,
            zero_point=total.zero,
            low=total.zero,
        )
        return cls(
            formats=chosen,
            deployment=deployment,
            scales=dict(scales),
            weight_scales=weight_scales,
            layers=layers,
            residual=residual,
        )

    def run(self, images: np.ndarray, engine: Engine | None = None) -> Arrays:
        """Return every tensor by name, int8; ``images`` are real. The engine is golden's."""
        by = engine or self
        found: Arrays = {"image": self.scales["image"].quantise(images)}
        for name in ("conv1", "residual", "pool1", "conv3", "conv4", "pool2"):
            if name == "residual":
                x, conv2 = found["conv1"], self.layers["conv2"]
                found[name] = by.layer("conv2", conv2, x, x, self.residual)
                if engine is None:  # gates do the convolution and the sum in one go
                    found["conv2"] = by.layer("conv2", conv2, x)
            elif name in POOLS:
                source, size = POOLS[name]
                found[name] = by.mean(found[source], size, self.deployment.mean)
            else:
                found[name] = by.layer(name, self.layers[name], found[INPUTS[name]])
        flat = found["pool2"].reshape(len(images), -1)
        found["logits"] = by.layer("dense", self.layers["dense"], flat)
        return found

    def layer(
        self,
        name: str,
        layer: Layer,
        x: np.ndarray,
        other: np.ndarray | None = None,
        residual: Residual | None = None,
    ) -> np.ndarray:
        """A layer by :mod:`macaw.golden.tensors.integer_layers`."""
        kind = self.deployment.dense if name == "dense" else self.deployment.convolution
        if kind == REAL:
            scale, sums = self.real_scale(name), layer.accumulate(x)
            result = requantize_real(sums, scale, zero_point=layer.zero_point)
            result = clamp(result, layer.low, layer.high)
        else:
            result = layer(x)
        return result if residual is None else self.add(result, other, residual)

    def mean(self, x: np.ndarray, size: int, profile: str) -> np.ndarray:
        """Means by :mod:`macaw.golden.tensors.integer_layers`."""
        return average_pool2d(x, size, profile=profile)

    def add(self, a: np.ndarray, b: Any, residual: Residual) -> np.ndarray:
        """The residual sum by :mod:`macaw.golden.tensors.integer_layers`."""
        total = residual_add(
            a,
            b,
            residual.multiplier,
            residual.shift,
            a_zero=residual.a_zero,
            b_zero=residual.b_zero,
            zero_point=residual.zero_point,
            form=self.deployment.residual,
            profile=self.deployment.in_gates.convolution,
        )
        return clamp(total, residual.low, residual.high)

    def real_scale(self, name: str) -> np.ndarray:
        """Scale of a layer's sums in units of its result, in fp32 as ONNX runtimes compute it."""
        taken = np.float32(self.scales[INPUTS[name]].scale)
        given = np.float32(self.scales["logits" if name == "dense" else name].scale)
        return taken * self.weight_scales[name].astype(np.float32) / given

    def macs(self) -> dict[str, int]:
        """Multiply-accumulates of each layer for an image."""
        pixels = {"conv1": 64, "conv2": 64, "conv3": 16, "conv4": 16, "dense": 1}
        return {name: self.layers[name].weight.size * count for name, count in pixels.items()}
