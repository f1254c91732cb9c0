# SPDX-License-Identifier: BSD-2-Clause
"""What a format keeps: signal-to-quantisation-noise ratio of dot products.

Vectors are drawn, quantised to the unit's operand formats, multiplied and accumulated exactly as
the unit does (through its ``evaluate``), and compared with the dot product in float64 of what was
drawn. The noise therefore holds the rounding of operands and of the accumulation, and overflow.

Scaling: a tensor in a scalar format is multiplied by one power of two, the largest for which its
greatest magnitude still fits the operand format, and for which a sum of ``length`` products of
greatest magnitudes still fits the accumulator. So every format uses its range, and no scale adds
rounding. Weights that need no multiplier (a sign and a power of two, ternary) have hardly a range:
theirs is the power of two that loses least, in squares, of those from there on. Block formats scale
themselves: blocks lie along the axis that is summed over, and what the tensor shares beside
(NVFP4's second scale) is applied to the result, in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from macaw.golden.arrays import numbers
from macaw.golden.errors import CodeError, SpecError
from macaw.tools import store

from . import source
from .energy.operands import DISTRIBUTIONS as DISTRIBUTIONS
from .energy.operands import draw, quantized
from .energy.operands import scale_of as scale_of

if TYPE_CHECKING:
    from macaw.golden.units import Unit


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """Size of the experiment: ``pairs`` dot products of ``length`` elements, drawn by ``seed``."""

    pairs: int = 256
    length: int = 1024
    seed: int = 1

    def __post_init__(self) -> None:
        if self.pairs < 1 or self.length < 1:
            raise SpecError(f"trial: {self.pairs} pairs of length {self.length} is empty")


def dot_products(spec: Unit, a: np.ndarray, b: np.ndarray, **scales: np.ndarray) -> np.ndarray:
    """Dot products over the last axis by ``spec``: codes of shape (pairs, length) to values.

    ``scales`` are ``a_scale`` and ``b_scale`` of block operands, and ``a_zero`` and ``b_zero``,
    one code for each element. Lanes that the vectors leave empty are zeros of one of them at least,
    of one without zero points. ``fma`` and the dot products
    feed their result back as the addend, from zero on; ``mac`` and ``int-mac`` accumulate.

    Raises SpecError where there are such lanes, and neither format has a zero.
    """
    pairs, length = a.shape
    lanes = spec.macs
    beats = -(-length // lanes)
    out: Any = spec.ports.outputs["r"].format
    codes: dict[str, np.ndarray] = {}
    blank = length == beats * lanes
    for name, array in {"a": a, "b": b, **scales}.items():
        port = spec.ports.inputs[name]
        count = port.lanes or 1
        if name in "ab":
            zero = np.asarray(port.format.encode(0.0))
            blank |= not float(port.format.decode(zero)) and f"{name}_zero" not in scales
            array = np.pad(array, ((0, 0), (0, beats * lanes - length)), constant_values=zero)
        else:
            array = np.pad(array, ((0, 0), (0, beats * lanes - length)), "edge")
            array = array[:, :: lanes // count]
        codes[name] = array.reshape(pairs, beats, count) if port.lanes else array
    if not blank:
        raise SpecError(f"{spec.name}: {length} is no multiple of {lanes}, and nothing is zero")
    addend = "bias" if "bias" in spec.ports.inputs else "c"
    if spec.accumulates:
        # One long stream: the first axis is the beat, sequences behind one another.
        last = np.zeros((pairs, beats), np.uint8)
        last[:, -1] = 1
        stream = {name: x.reshape(pairs * beats, *x.shape[2:]) for name, x in codes.items()}
        extra = {"last": last.reshape(-1)}
        if addend in spec.ports.inputs:
            extra[addend] = np.zeros(pairs * beats, out.code_dtype)
        return out.decode(spec.evaluate(**stream, **extra)["r"])
    total = out.encode(np.zeros(pairs))
    for beat in range(beats):
        beats_of = {name: x[:, beat] for name, x in codes.items()}
        total = spec.evaluate(**beats_of, **{addend: total})["r"]
    return out.decode(total)


def ratio(exact: np.ndarray, found: np.ndarray) -> float:
    """Signal-to-noise ratio in dB of ``found``, which should be ``exact``.

    Infinite for no noise at all; NaN when something found is not a number.
    """
    power = float(np.sum((found - exact) ** 2))
    if power == 0.0:
        return float("inf")
    return float(10 * np.log10(np.sum(exact**2) / power))


def sqnr_of(spec: Unit, a: np.ndarray, b: np.ndarray) -> float:
    """Signal-to-quantisation-noise ratio in dB of the dot products of two arrays' rows.

    Of shape (pairs, length) both, floats or integers. CodeError for other arrays.
    """
    a, b = (np.ascontiguousarray(numbers(*each), np.float64) for each in (("a", a), ("b", b)))
    if a.ndim != 2 or a.shape != b.shape or not a.size:
        raise CodeError(f"a, b: shapes {a.shape}, {b.shape}: must both be (pairs, length)")
    codes: dict[str, np.ndarray] = {}
    scale = 1.0
    for name, values in (("a", a), ("b", b)):
        made, factor = quantized(spec, name, values)
        codes |= made
        scale *= factor
    return ratio(np.sum(a * b, axis=-1), dot_products(spec, **codes) / scale)


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
    if cache and (stored := store.get(name, lambda value: float(value["db"]))) is not None:
        return stored
    value = _sqnr(spec, distribution, trial)
    if cache:
        store.put(name, {"db": str(value)})
    return value


def _sqnr(spec: Unit, distribution: str, trial: Trial) -> float:
    random = np.random.default_rng(trial.seed)
    shape = (trial.pairs, trial.length)
    return sqnr_of(spec, draw(distribution, shape, random), draw(distribution, shape, random))
