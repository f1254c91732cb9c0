# SPDX-License-Identifier: BSD-2-Clause
"""Small networks, trained in an arithmetic: the parts of a training study.

The networks know tensors by name only; what a tensor is, and the work on it, is an arithmetic's
(training_arithmetics.py).

``python -m benchmarks.studies.training`` trains the perceptron for an epoch in fp32 and in
flex16+5; flexpoint_training.py makes a study of it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from .training_arithmetics import (
    RECIPES,
    FlexArithmetic,
    FloatArithmetic,
    Product,
    Recipe,
    Trace,
)


def patches(images: np.ndarray, stride: int) -> np.ndarray:
    """im2col: 3 by 3 neighbourhoods of images (B, H, W, C), as rows of 9 C values."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    windows = windows[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)
    return windows.reshape(-1, 9 * images.shape[3])


@dataclass(frozen=True, kw_only=True, slots=True)
class Dense:
    """``y = x w + b`` of rows (B, inputs)."""

    inputs: int
    outputs: int

    @property
    def rows(self) -> int:
        return self.inputs

    def columns(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(-1, self.inputs)

    def shaped(self, y: np.ndarray) -> np.ndarray:
        return y

    def spread(self, dy: np.ndarray) -> np.ndarray:
        return dy

    def turned(self, w: np.ndarray) -> np.ndarray:
        return w.T


@dataclass(frozen=True, kw_only=True, slots=True)
class Conv:
    """A convolution, 3 by 3, of images (B, side, side, inputs), zeros around them."""

    side: int
    inputs: int
    outputs: int
    stride: int = 1

    @property
    def rows(self) -> int:
        return 9 * self.inputs

    def columns(self, x: np.ndarray) -> np.ndarray:
        return patches(x.reshape(-1, self.side, self.side, self.inputs), self.stride)

    def shaped(self, y: np.ndarray) -> np.ndarray:
        side = self.side // self.stride
        return y.reshape(-1, side, side, self.outputs)

    def spread(self, dy: np.ndarray) -> np.ndarray:
        """Rows whose product with :meth:`turned` weights is the gradient of ``x`` (stride 1)."""
        return patches(self.shaped(dy), 1)

    def turned(self, w: np.ndarray) -> np.ndarray:
        kernels = w.reshape(3, 3, self.inputs, self.outputs)[::-1, ::-1]
        return kernels.transpose(0, 1, 3, 2).reshape(-1, self.inputs)


NETWORKS: dict[str, tuple[Dense | Conv, ...]] = {
    "mlp": (
        Dense(inputs=64, outputs=64),
        Dense(inputs=64, outputs=32),
        Dense(inputs=32, outputs=10),
    ),
    "conv": (
        Conv(side=8, inputs=1, outputs=8, stride=2),
        Conv(side=4, inputs=8, outputs=16),
        Dense(inputs=256, outputs=10),
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Hyperparameters, the same for all arithmetics."""

    epochs: int = 6
    batch: int = 32
    rate: float = 0.03
    momentum: float = 0.9
    tested: int = 447


class Network:
    """Layers with weights, biases and momenta as tensors of an arithmetic; ReLU between them."""

    def __init__(self, kind: str, arithmetic: Any, settings: Settings, seed: int) -> None:
        self.layers = NETWORKS[kind]
        self.arithmetic = arithmetic
        self.settings = settings
        random = np.random.default_rng([seed, 1])
        self.tensors: dict[str, Any] = {}
        for n, layer in enumerate(self.layers):
            w = random.normal(0, (2 / layer.rows) ** 0.5, (layer.rows, layer.outputs))
            self.tensors[f"{n}.w"] = arithmetic.load(f"{n}.w", w)
            # Small and not zero: an exponent has nothing to go by in a tensor of zeros.
            b = random.normal(0, 0.01, (1, layer.outputs))
            self.tensors[f"{n}.b"] = arithmetic.load(f"{n}.b", b)

    def forward(self, images: np.ndarray) -> tuple[np.ndarray, list[tuple[Any, np.ndarray]]]:
        """Return the logits, and for each layer its operand and where its ReLU was open."""
        do = self.arithmetic
        x, kept = do.load("x", images), []
        for n, layer in enumerate(self.layers):
            columns = do.rearrange(x, layer.columns)
            z = do.matmul(f"{n}.z", columns, self.tensors[f"{n}.w"])
            y = do.add(f"{n}.y", z, self.tensors[f"{n}.b"])
            opened = np.ones(y.shape, bool)
            if n + 1 < len(self.layers):
                opened = do.values(y) > 0
            kept.append((columns, opened))
            x = do.rearrange(y, lambda v, o=opened, shaped=layer.shaped: shaped(v * o))
        return do.values(x), kept

    def step(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Train on a batch; return its loss before the update."""
        do = self.arithmetic
        logits, kept = self.forward(images)
        loss, gradient = cross_entropy(logits, labels)
        dy = do.gradient("loss", gradient)
        for n in reversed(range(len(self.layers))):
            layer, (columns, opened) = self.layers[n], kept[n]
            dy = do.rearrange(dy, lambda v, o=opened: v.reshape(o.shape) * o)
            gradients = {
                "w": do.matmul(f"{n}.dw", do.rearrange(columns, np.transpose), dy, "b"),
                "b": do.matmul(f"{n}.db", do.ones(len(opened)), dy, "b"),
            }
            if n:
                turned = do.rearrange(self.tensors[f"{n}.w"], layer.turned)
                dy = do.matmul(f"{n}.dx", do.rearrange(dy, layer.spread), turned, "a")
            for name, value in gradients.items():
                self._update(f"{n}.{name}", do.unscaled(value))
        return loss

    def _update(self, name: str, gradient: Any) -> None:
        """``v = momentum * v + gradient; w = w - rate * v``."""
        do, settings = self.arithmetic, self.settings
        v = self.tensors.get(f"{name}.v")
        if v is not None:
            gradient = do.add(f"{name}.v", do.times(f"{name}.mu", v, settings.momentum), gradient)
        self.tensors[f"{name}.v"] = gradient
        change = do.times(f"{name}.step", gradient, -settings.rate)
        self.tensors[name] = do.add(name, self.tensors[name], change)


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean loss of a batch, and its gradient."""
    shifted = logits - logits.max(1, keepdims=True)
    exponentials = np.exp(shifted)
    shares = exponentials / exponentials.sum(1, keepdims=True)
    rows = np.arange(len(labels))
    loss = -(shifted[rows, labels] - np.log(exponentials.sum(1))).mean()
    shares[rows, labels] -= 1
    return float(loss), shares / len(labels)


CURVE = 12
"""Steps whose losses are one point of a curve."""


def digits(seed: int, tested: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images from 0 to 1 and labels: of training, then of the test."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng([seed, 2]).permutation(len(images))
    images, labels = images[order] / 16, labels[order]
    return images[tested:], labels[tested:], images[:tested], labels[:tested]


def batches(count: int, settings: Settings, seed: int) -> Iterator[np.ndarray]:
    """Yield the indices of every batch of a training."""
    random = np.random.default_rng([seed, 3])
    for _ in range(settings.epochs):
        order = random.permutation(count)
        for start in range(0, count - settings.batch + 1, settings.batch):
            yield order[start : start + settings.batch]


def train(
    recipe: Recipe, kind: str, seed: int, settings: Settings, trace: Trace | None = None
) -> dict[str, Any]:
    """Train once; return the losses of the steps, and the accuracy on the test images."""
    images, labels, test_images, test_labels = digits(seed, settings.tested)
    arithmetic: Any = (
        FlexArithmetic(recipe, seed, trace) if recipe.flex else FloatArithmetic(recipe, seed)
    )
    network = Network(kind, arithmetic, settings, seed)
    losses: list[float] = []
    for step, rows in enumerate(batches(len(images), settings, seed)):
        arithmetic.step = step
        losses.append(network.step(images[rows], labels[rows]))
        if not np.isfinite(losses[-1]):
            break
    arithmetic.training = False
    answers = network.forward(test_images)[0].argmax(1)
    result = {"accuracy": float((answers == test_labels).mean()), "losses": losses}
    if recipe.flex:
        result |= {"writes": arithmetic.writes, "overflows": arithmetic.overflows}
    return result


def run(name: str, kind: str, seed: int, settings: Settings) -> dict[str, Any]:
    """Train once; what is kept of it, JSON-able."""
    started = time.process_time()
    made = train(RECIPES[name], kind, seed, settings)
    losses = made.pop("losses")
    steps = len(losses) // settings.epochs
    usable = losses[: len(losses) // CURVE * CURVE]
    curve = np.mean(np.reshape(usable, (-1, CURVE)), axis=1)
    return {
        "network": kind,
        "name": name,
        "seed": seed,
        **made,
        "loss": round(float(np.mean(losses[-steps:])), 5),
        "steps": len(losses),
        "curve": [round(float(value), 5) for value in curve],
        "seconds": round(time.process_time() - started, 1),
    }


def record(kind: str = "mlp", steps: int = 2, seed: int = 0, batch: int = 8) -> list[Product]:
    """Return every matrix product of the first steps of a training in flex16+5."""
    settings = Settings(batch=batch, epochs=1)
    trace = Trace(products=[])
    arithmetic = FlexArithmetic(RECIPES["flex16+5"], seed, trace)
    images, labels, *_ = digits(seed, settings.tested)
    network = Network(kind, arithmetic, settings, seed)
    for step, rows in zip(range(steps), batches(len(images), settings, seed)):
        arithmetic.step = step
        network.step(images[rows], labels[rows])
    assert trace.products is not None
    return trace.products


def main() -> None:
    argparse.ArgumentParser(description="Train the perceptron for an epoch.").parse_args()
    for name in ("fp32", "flex16+5"):
        result = train(RECIPES[name], "mlp", 0, Settings(epochs=1))
        print(f"{name}: loss of the first ten steps and the last ten")
        print(f"  {np.mean(result['losses'][:10]):.4f} {np.mean(result['losses'][-10:]):.4f}")
        print(f"  {100 * result['accuracy']:.1f} % of the test images are right")


if __name__ == "__main__":
    main()
