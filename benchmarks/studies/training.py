# SPDX-License-Identifier: BSD-2-Clause
"""Small networks, and the arithmetics that they are trained in: the parts of a training study.

The networks know tensors by name only. An arithmetic says what a tensor is and does the work:
``FloatArithmetic`` keeps fp32 and quantises what enters a matrix product, ``FlexArithmetic``
keeps every tensor in Flexpoint, weights and momenta too, with an Autoflex manager each. Matrix
products are macaw's golden model, bit for bit; so is all arithmetic in Flexpoint.

``python -m benchmarks.studies.training`` trains the perceptron for an epoch in fp32 and in
flex16+5; flexpoint_training.py makes a study of it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from macaw.golden import Autoflex, FlexTensor, matmul
from macaw.golden import format as format_of

Rearrange = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How a network is trained: formats of the operands, and the options that go with them.

    Attributes
    ----------
    forward, backward : str
        Formats of activations and weights, and of gradients.
    weights : str
        Where tensors are in Flexpoint, the format of weights and momenta.
    scale : int
        Loss scaling: gradients of floats are ``2**scale`` times as large.
    stochastic : bool
        Gradients, and all tensors in Flexpoint, are rounded stochastically.
    profile : str
        Of Autoflex.
    """

    forward: str
    backward: str = ""
    weights: str = ""
    scale: int = 0
    stochastic: bool = False
    profile: str = "paper"

    @property
    def flex(self) -> bool:
        return self.forward.startswith("flex")


RECIPES = {
    "fp32": Recipe(forward="fp32"),
    "flex16+5": Recipe(forward="flex16+5"),
    "flex16+5, ngraph's Autoflex": Recipe(forward="flex16+5", profile="ngraph"),
    "flex8+5": Recipe(forward="flex8+5"),
    "flex8+5, stochastic": Recipe(forward="flex8+5", stochastic=True),
    "flex8+5, weights flex16+5": Recipe(forward="flex8+5", weights="flex16+5"),
    "bf16": Recipe(forward="bf16"),
    "fp8": Recipe(forward="e4m3", backward="e5m2"),
    "fp8, stochastic": Recipe(forward="e4m3", backward="e5m2", stochastic=True),
    "fp8, loss scaled": Recipe(forward="e4m3", backward="e5m2", scale=12),
    "fp8, loss scaled, stochastic": Recipe(
        forward="e4m3", backward="e5m2", scale=12, stochastic=True
    ),
    "mxfp8": Recipe(forward="mxfp8-e4m3"),
    "mxint8": Recipe(forward="mxint8"),
    "dfp16": Recipe(forward="dfp16"),
    "hbfp8": Recipe(forward="hbfp8"),
}


# ---------------------------------------------------------------------------------- arithmetics


class FloatArithmetic:
    """fp32 tensors; operands of matrix products are quantised, their exact sums rounded once."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        self.recipe = recipe
        self.random = np.random.default_rng([seed, 7])
        self.scale = np.float32(2.0**recipe.scale)

    def load(self, name: str, values: np.ndarray) -> np.ndarray:
        return values.astype(np.float32)

    def ones(self, count: int) -> np.ndarray:
        return np.ones((1, count), np.float32)

    def values(self, tensor: np.ndarray) -> np.ndarray:
        return tensor.astype(np.float64)

    def rearrange(self, tensor: np.ndarray, change: Rearrange) -> np.ndarray:
        return change(tensor)

    def matmul(self, name: str, a: Any, b: Any, gradient: str = "") -> np.ndarray:
        """``a @ b``; ``gradient`` names the operand that is one."""
        recipe = self.recipe
        formats = dict.fromkeys("ab", recipe.forward)
        operands = {"a": a, "b": b}
        if gradient and recipe.backward:
            formats[gradient] = recipe.backward
            if recipe.stochastic:
                operands[gradient] = self._stochastic(operands[gradient], recipe.backward)
        codes = matmul(*operands.values(), *formats.values(), acc="exact", out="fp32")
        return codes.view(np.float32)

    def _stochastic(self, values: np.ndarray, name: str) -> np.ndarray:
        words = self.random.integers(0, 1 << 16, values.shape)
        fmt: Any = format_of(name)
        return fmt.decode(fmt.encode(values, rounding="sr", overflow="saturate", random=words))

    def add(self, name: str, a: Any, b: Any) -> np.ndarray:
        return a + b

    def times(self, name: str, tensor: np.ndarray, factor: float) -> np.ndarray:
        return tensor * np.float32(factor)

    def gradient(self, name: str, values: np.ndarray) -> np.ndarray:
        """Load the gradient of the loss, scaled."""
        return values.astype(np.float32) * self.scale

    def unscaled(self, tensor: np.ndarray) -> np.ndarray:
        return tensor / self.scale


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """A matrix product in Flexpoint as it was computed: what hardware has to repeat.

    ``result`` is ``a @ b`` at the exponent that Autoflex had predicted for it.
    """

    name: str
    step: int
    a: FlexTensor
    b: FlexTensor
    result: FlexTensor


@dataclass
class Trace:
    """What became of each tensor: step, exponent, largest mantissa, true largest magnitude."""

    products: list[Product] | None = None
    tensors: dict[str, list[tuple[int, int, int, float]]] = field(default_factory=dict)


class FlexArithmetic:
    """Flexpoint tensors, each name with a manager of its exponent.

    A first write initialises the exponent: the operation is repeated until it is good.
    """

    def __init__(self, recipe: Recipe, seed: int, trace: Trace | None = None) -> None:
        self.recipe = recipe
        self.random = np.random.default_rng([seed, 7])
        self.managers: dict[str, Autoflex] = {}
        self.trace = trace
        self.step = 0
        self.training = True
        self.overflows = 0
        self.writes = 0

    def _format(self, name: str) -> str:
        kept = name.endswith((".w", ".b", ".v", ".mu", ".step"))
        return self.recipe.weights if kept and self.recipe.weights else self.recipe.forward

    def _write(
        self, name: str, produce: Callable[..., FlexTensor], true: Callable[[], np.ndarray]
    ) -> FlexTensor:
        fmt = self._format(name)
        manager = self.managers.get(name)
        if manager is None:
            manager = self.managers[name] = Autoflex(fmt, self.recipe.profile)
            while not manager.initialise(produce(manager.exponent, fmt).maximum):
                pass
        result = produce(manager.exponent, fmt)
        if self.training:
            self.writes += 1
            self.overflows += result.overflow
            manager.update(result.maximum)
            if self.trace is not None:
                entry = (self.step, result.exponent, result.maximum, float(np.abs(true()).max()))
                self.trace.tensors.setdefault(name, []).append(entry)
        return result

    def _stage(self, shape: tuple[int, ...]) -> dict[str, Any]:
        if not self.recipe.stochastic:
            return {}
        return {"rounding": "sr", "random": self.random.integers(0, 1 << 16, shape)}

    def load(self, name: str, values: np.ndarray) -> FlexTensor:
        return self._write(
            name,
            lambda e, f: FlexTensor.of(values, e, f, **self._stage(values.shape)),
            lambda: values,
        )

    gradient = load

    def ones(self, count: int) -> FlexTensor:
        return FlexTensor.of(np.ones((1, count)), 0, self.recipe.forward)

    def values(self, tensor: FlexTensor) -> np.ndarray:
        return tensor.to_float()

    def rearrange(self, tensor: FlexTensor, change: Rearrange) -> FlexTensor:
        return tensor.with_mantissas(change(tensor.mantissas))

    def matmul(self, name: str, a: Any, b: Any, gradient: str = "") -> FlexTensor:
        shape = (*a.shape[:-1], b.shape[1])
        result = self._write(
            name,
            lambda e, f: a.matmul(b, e, format=f, **self._stage(shape)),
            lambda: a.to_float() @ b.to_float(),
        )
        if self.trace is not None and self.trace.products is not None:
            product = Product(name=name, step=self.step, a=a, b=b, result=result)
            self.trace.products.append(product)
        return result

    def add(self, name: str, a: FlexTensor, b: FlexTensor) -> FlexTensor:
        shape = np.broadcast_shapes(a.shape, b.shape)
        return self._write(
            name,
            lambda e, f: a.add(b, e, format=f, **self._stage(shape)),
            lambda: a.to_float() + b.to_float(),
        )

    def times(self, name: str, tensor: FlexTensor, factor: float) -> FlexTensor:
        scalar = FlexTensor.of([factor])
        return self._write(
            name,
            lambda e, f: tensor.multiply(scalar, e, format=f, **self._stage(tensor.shape)),
            lambda: tensor.to_float() * factor,
        )

    def unscaled(self, tensor: FlexTensor) -> FlexTensor:
        return tensor


# ------------------------------------------------------------------------------------- networks


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


# --------------------------------------------------------------------------------------- training

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
