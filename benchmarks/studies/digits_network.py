# SPDX-License-Identifier: BSD-2-Clause
"""A small residual network for scikit-learn's digits, trained in numpy: what others quantise.

``python -m benchmarks.studies.digits_network`` trains it in seconds and prints its accuracy.
Images are (batch, 8, 8, 1) in [0, 1]:

    conv1 3x3, 8     normalised, rectified
    conv2 3x3, 8     normalised, plus what conv2 takes, rectified: the residual connection
    mean of 2x2
    conv3 3x3, 16    normalised, rectified
    conv4 3x3, 16    normalised, rectified
    mean of 4x4
    dense 10
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field

import numpy as np

from macaw.golden.tensors.integer_layers import fold_batch_norm

Arrays = dict[str, np.ndarray]
SHAPES = {"conv1": (8, 3, 3, 1), "conv2": (8, 3, 3, 8), "conv3": (16, 3, 3, 8),
          "conv4": (16, 3, 3, 16), "dense": (10, 16)}  # fmt: skip
"""Shapes of the weights; outputs are the first axis."""
CONVOLUTIONS = ("conv1", "conv2", "conv3", "conv4")
EPSILON = 1e-5


@dataclass(frozen=True, kw_only=True, slots=True)
class Digits:
    """Images (n, 8, 8, 1), float32 in [0, 1], and labels, to train on and to test on."""

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def load(seed: int = 1, tested: int = 497) -> Digits:
    """Return scikit-learn's digits, shuffled and divided."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = np.asarray(images, np.float32).reshape(-1, 8, 8, 1) / 16
    order = np.random.default_rng(seed).permutation(len(images))
    train, test = order[:-tested], order[-tested:]
    labels = np.asarray(labels)
    return Digits(
        images=images[train],
        labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
    )


def patches(x: np.ndarray) -> np.ndarray:
    """Windows of 3x3 round every pixel, zeros outside: (batch * height * width, 9 * channels)."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(x.shape[0] * x.shape[1] * x.shape[2], -1)


def convolve(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Convolution with stride 1, and zeros outside."""
    return (patches(x) @ weight.reshape(len(weight), -1).T).reshape(*x.shape[:3], len(weight))


def pool(x: np.ndarray, size: int) -> np.ndarray:
    """Means over windows of size by size, which do not overlap."""
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // size, size, width // size, size, channels).mean(axis=(2, 4))


def spread(gradient: np.ndarray, size: int) -> np.ndarray:
    """Gradient of :func:`pool`."""
    return np.repeat(np.repeat(gradient, size, 1), size, 2) / np.float32(size * size)


@dataclass(kw_only=True, slots=True)
class Training:
    """The network with batch normalisation, while it is trained: forward, backward, Adam."""

    parameters: Arrays
    running: Arrays
    moments: dict[str, list[np.ndarray]] = field(default_factory=dict)
    steps: int = 0

    @classmethod
    def start(cls, random: np.random.Generator) -> Training:
        parameters: Arrays = {}
        running: Arrays = {}
        for name, shape in SHAPES.items():
            deviation = np.sqrt(2 / np.prod(shape[1:]))
            parameters[name] = (random.normal(size=shape) * deviation).astype(np.float32)
            parameters[f"{name}.beta"] = np.zeros(shape[0], np.float32)
            if name in CONVOLUTIONS:
                parameters[f"{name}.gamma"] = np.ones(shape[0], np.float32)
                running[f"{name}.mean"] = np.zeros(shape[0], np.float32)
                running[f"{name}.variance"] = np.ones(shape[0], np.float32)
        return cls(parameters=parameters, running=running)

    def step(self, images: np.ndarray, labels: np.ndarray, rate: float) -> float:
        """One step on a batch; returns the loss (cross entropy)."""
        kept: dict[str, tuple[np.ndarray, ...]] = {}
        first = np.maximum(self._normal("conv1", images, kept), 0)
        second = np.maximum(self._normal("conv2", first, kept) + first, 0)
        third = np.maximum(self._normal("conv3", pool(second, 2), kept), 0)
        fourth = np.maximum(self._normal("conv4", third, kept), 0)
        features = pool(fourth, 4).reshape(len(images), -1)
        weight = self.parameters["dense"]
        chance = softmax(features @ weight.T + self.parameters["dense.beta"])
        loss = -np.log(chance[np.arange(len(labels)), labels] + 1e-12).mean()

        error = chance
        error[np.arange(len(labels)), labels] -= 1
        error /= len(labels)
        found: Arrays = {"dense": error.T @ features, "dense.beta": error.sum(0)}
        back = spread((error @ weight).reshape(len(images), 1, 1, -1), 4) * (fourth > 0)
        back = self._back("conv4", back, kept, found) * (third > 0)
        back = spread(self._back("conv3", back, kept, found), 2) * (second > 0)
        back = (back + self._back("conv2", back, kept, found)) * (first > 0)
        self._back("conv1", back, kept, found)
        self._adam(found, rate)
        return float(loss)

    def _normal(self, name: str, x: np.ndarray, kept: dict) -> np.ndarray:
        """Convolution and batch normalisation; keeps what the way back needs."""
        rows = patches(x)
        weight = self.parameters[name]
        y = rows @ weight.reshape(len(weight), -1).T
        mean, variance = y.mean(0), y.var(0)
        for key, value in (("mean", mean), ("variance", variance)):
            self.running[f"{name}.{key}"] += np.float32(0.1) * (
                value - self.running[f"{name}.{key}"]
            )
        inverse = 1 / np.sqrt(variance + np.float32(EPSILON))
        normal = (y - mean) * inverse
        kept[name] = (rows, normal, inverse, np.array(x.shape))
        scaled = normal * self.parameters[f"{name}.gamma"] + self.parameters[f"{name}.beta"]
        return scaled.reshape(*x.shape[:3], -1)

    def _back(self, name: str, error: np.ndarray, kept: dict, found: Arrays) -> np.ndarray:
        rows, normal, inverse, shape = kept[name]
        weight = self.parameters[name]
        error = error.reshape(len(rows), -1)
        found[f"{name}.beta"] = error.sum(0)
        found[f"{name}.gamma"] = (error * normal).sum(0)
        error = error * self.parameters[f"{name}.gamma"]
        error = (error - error.mean(0) - normal * (error * normal).mean(0)) * inverse
        found[name] = (error.T @ rows).reshape(weight.shape)
        # The gradient of the input is a convolution with the kernel turned round.
        turned = weight[:, ::-1, ::-1, :].transpose(3, 1, 2, 0)
        return convolve(error.reshape(*shape[:3], -1), turned)

    def _adam(self, found: Arrays, rate: float) -> None:
        self.steps += 1
        for name, gradient in found.items():
            first, second = self.moments.setdefault(
                name, [np.zeros_like(gradient), np.zeros_like(gradient)]
            )
            first += np.float32(0.1) * (gradient - first)
            second += np.float32(0.001) * (gradient * gradient - second)
            ahead = first / np.float32(1 - 0.9**self.steps)
            size = np.sqrt(second / np.float32(1 - 0.999**self.steps)) + np.float32(1e-8)
            self.parameters[name] -= np.float32(rate) * ahead / size

    def folded(self) -> Network:
        """The network with its normalisations folded into weights and biases."""
        layers = {}
        for name in SHAPES:
            weight, beta = self.parameters[name], self.parameters[f"{name}.beta"]
            if name in CONVOLUTIONS:
                layers[name] = fold_batch_norm(
                    weight,
                    0.0,
                    gamma=self.parameters[f"{name}.gamma"],
                    beta=beta,
                    mean=self.running[f"{name}.mean"],
                    variance=self.running[f"{name}.variance"],
                    epsilon=EPSILON,
                )
            else:
                layers[name] = weight.astype(np.float64), beta.astype(np.float64)
        return Network(layers=layers)


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """The trained network: real weights and biases by layer, float64."""

    layers: dict[str, tuple[np.ndarray, np.ndarray]]

    def run(self, images: np.ndarray) -> Arrays:
        """Return every tensor by name; ``logits`` are (batch, 10)."""

        def layer(name: str, x: np.ndarray) -> np.ndarray:
            weight, bias = self.layers[name]
            return (convolve(x, weight) if name in CONVOLUTIONS else x @ weight.T) + bias

        found: Arrays = {"image": images.astype(np.float64)}
        found["conv1"] = np.maximum(layer("conv1", found["image"]), 0)
        found["conv2"] = layer("conv2", found["conv1"])
        found["residual"] = np.maximum(found["conv2"] + found["conv1"], 0)
        found["pool1"] = pool(found["residual"], 2)
        found["conv3"] = np.maximum(layer("conv3", found["pool1"]), 0)
        found["conv4"] = np.maximum(layer("conv4", found["conv3"]), 0)
        found["pool2"] = pool(found["conv4"], 4)
        found["logits"] = layer("dense", found["pool2"].reshape(len(images), -1))
        return found

    def with_weights(self, weights: Arrays) -> Network:
        """The network with other weights for the layers that ``weights`` names."""
        return Network(
            layers={n: (weights.get(n, w), bias) for n, (w, bias) in self.layers.items()}
        )


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities along the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def train(digits: Digits, *, epochs: int = 40, seed: int = 1, batch: int = 64) -> Network:
    """Train by Adam, the rate falling to zero by a cosine."""
    from threadpoolctl import threadpool_limits

    random = np.random.default_rng(seed)
    training = Training.start(random)
    steps = epochs * (len(digits.labels) // batch)
    with threadpool_limits(1):  # the matrices are too small to be divided
        for _ in range(epochs):
            order = random.permutation(len(digits.labels))
            for start in range(0, len(order) - batch + 1, batch):
                chosen = order[start : start + batch]
                rate = 0.01 * 0.5 * (1 + np.cos(np.pi * training.steps / steps))
                training.step(digits.images[chosen], digits.labels[chosen], rate)
    return training.folded()


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Share of the labels that the largest logits name."""
    return float((logits.argmax(axis=1) == labels).mean())


def main() -> None:
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    digits = load()
    network = train(digits)
    for name, images, labels in (
        ("trained on", digits.images, digits.labels),
        ("not seen", digits.test_images, digits.test_labels),
    ):
        print(f"{name:10} {accuracy(network.run(images)['logits'], labels):.2%} of {len(labels)}")


if __name__ == "__main__":
    main()
