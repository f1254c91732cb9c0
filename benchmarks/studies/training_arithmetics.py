# SPDX-License-Identifier: BSD-2-Clause
"""The arithmetics of the training study: what a tensor is, and what is done with tensors.

``FloatArithmetic`` keeps fp32 and quantises what enters a matrix product, ``FlexArithmetic`` keeps
every tensor in Flexpoint, weights and momenta too, with an Autoflex manager each. Matrix products
are macaw's golden model, bit for bit; so is all arithmetic in Flexpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

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
