# SPDX-License-Identifier: BSD-2-Clause
"""What a format keeps: signal-to-quantisation-noise ratio of dot products.

Vectors are drawn, quantised to the unit's operand formats, multiplied and accumulated exactly as
the unit does (through its ``evaluate``), and compared with the dot product in float64 of what was
drawn. The noise therefore holds the rounding of operands and of the accumulation, and overflow.

Scaling: each operand tensor is multiplied by one power of two, the largest for which its greatest
magnitude still fits the operand format, and for which a sum of ``length`` products of greatest
magnitudes still fits the accumulator. So every format uses its range, and no scale adds rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from macaw.golden.errors import SpecError

from . import cache as store
from . import source

if TYPE_CHECKING:
    from macaw.golden.formats import Format
    from macaw.golden.units import Unit

DISTRIBUTIONS = ("gaussian", "heavy-tailed")
"""Standard normal; Student's t with 3 degrees of freedom, whose fourth moment is infinite."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """Size of the experiment: ``pairs`` dot products of ``length`` elements, drawn by ``seed``."""

    pairs: int = 256
    length: int = 1024
    seed: int = 1

    def __post_init__(self) -> None:
        if self.pairs < 1 or self.length < 1:
            raise SpecError(f"trial: {self.pairs} pairs of length {self.length} is empty")


def draw(distribution: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Float64 samples; SpecError for a name that is not in :data:`DISTRIBUTIONS`."""
    if distribution == "gaussian":
        return random.standard_normal(shape)
    if distribution == "heavy-tailed":
        return random.standard_t(3, shape)
    raise SpecError(f"distribution: {distribution!r} is none of {', '.join(DISTRIBUTIONS)}")


def scale_of(values: np.ndarray, limit: float) -> float:
    """The largest power of two that keeps every magnitude within ``limit``."""
    greatest = float(np.max(np.abs(values)))
    _, exponent = np.frexp(limit / greatest)
    return float(np.ldexp(1.0, int(exponent) - 1))


def _accumulator(spec: Unit) -> Format:
    acc = getattr(spec, "acc", None)
    return acc if acc is not None and not isinstance(acc, str) else spec.ports.outputs["r"].format


def dot_products(spec: Unit, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Dot products over the last axis by ``spec``: codes of shape (pairs, length) to values.

    ``fma`` and ``dot`` feed their result back as the addend, from zero on; ``mac`` accumulates.
    """
    pairs, length = a.shape
    lanes = spec.macs
    if length % lanes:
        raise SpecError(f"length: {length} is not a multiple of {lanes} lanes")
    out = spec.ports.outputs["r"].format
    beats = length // lanes
    if lanes > 1:
        a, b = a.reshape(pairs, beats, lanes), b.reshape(pairs, beats, lanes)
    if spec.accumulates:
        # One long stream: the first axis is the beat, sequences behind one another.
        last = np.zeros((pairs, beats), np.uint8)
        last[:, -1] = 1
        total = spec.evaluate(
            a=a.reshape(pairs * beats, *a.shape[2:]),
            b=b.reshape(pairs * beats, *b.shape[2:]),
            last=last.reshape(-1),
        )["r"]
        return out.decode(total)
    total = out.encode(np.zeros(pairs))
    for beat in range(beats):
        total = spec.evaluate(a=a[:, beat], b=b[:, beat], c=total)["r"]
    return out.decode(total)


def sqnr(spec: Unit, distribution: str, trial: Trial = Trial(), *, cache: bool = True) -> float:
    """Signal-to-quantisation-noise ratio of ``spec``'s dot products, in dB.

    Infinite for no noise at all; NaN when a result is not a number.
    """
    name = store.key(
        what="sqnr",
        spec={"kind": spec.kind, **spec.parameters},
        distribution=distribution,
        trial=[trial.pairs, trial.length, trial.seed],
        source=[source.digest("golden"), __doc__],
        numpy=np.__version__,
    )
    if cache and (stored := store.get(name)) is not None:
        return float(stored["db"])
    value = _sqnr(spec, distribution, trial)
    if cache:
        store.put(name, {"db": str(value)})
    return value


def _sqnr(spec: Unit, distribution: str, trial: Trial) -> float:
    random = np.random.default_rng(trial.seed)
    accumulator: Any = _accumulator(spec)
    room = float(np.sqrt(accumulator.max / trial.length))
    drawn, codes, scale = [], [], 1.0
    for name in "ab":
        values = draw(distribution, (trial.pairs, trial.length), random)
        fmt: Any = spec.ports.inputs[name].format
        factor = scale_of(values, min(fmt.max, room))
        drawn.append(values)
        codes.append(fmt.encode(values * factor))
        scale *= factor
    exact = np.sum(drawn[0] * drawn[1], axis=-1)
    noise = dot_products(spec, codes[0], codes[1]) / scale - exact
    power = float(np.sum(noise**2))
    if power == 0.0:
        return float("inf")
    return float(10 * np.log10(np.sum(exact**2) / power))
