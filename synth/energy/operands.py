# SPDX-License-Identifier: BSD-2-Clause
"""Operands as data has them: drawn, quantised, and in the order in which a unit meets them.

A tensor in a scalar format is multiplied by one power of two, the largest for which its greatest
magnitude still fits the operand format, and for which a sum of its products still fits the
accumulator. So every format uses its range, and no scale adds rounding.

Streams of operands, for energy: dot products, 16 or more of them in turn, as many as a unit has
contexts; a unit with an addend gets its own results back as such. Their vectors are

``gaussian``
    normally distributed;
``heavy``
    by Student's t with 3 degrees of freedom, which has outliers;
``sparse``, ``sparse(SHARE)``
    normally distributed, that share of the activations (``a``) being zero, half of them by default;
``uniform``
    every code as likely as any other, of the addends too, special values among them.

Other operands than ``a``, ``b`` and an addend, or the first of units that have neither, are those
of the proof's random vectors.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from macaw.golden.errors import SpecError
from macaw.golden.formats import POWERS, Float, Posit
from macaw.golden.formats import format as scalar_format
from macaw.golden.formats.block import Block, expand_scales

if TYPE_CHECKING:
    from macaw.golden.formats import Format
    from macaw.golden.units import Unit
    from macaw.sim.bench.interface import Codes

DISTRIBUTIONS = ("gaussian", "heavy-tailed")
"""Standard normal; Student's t with 3 degrees of freedom, whose fourth moment is infinite."""

OPERANDS = ("gaussian", "heavy", "uniform", "sparse")
"""Kinds of streams."""

SUMS = 16
"""Dot products that a stream has in turn, at least."""

BEATS = 64
"""Operations of a sum, in units that accumulate."""

WEIGHTS = frozenset({*POWERS.values(), scalar_format("ternary")})
"""Formats of weights that need no multiplier."""

_DOUBLINGS = 16


def draw(distribution: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Float64 samples; SpecError for a name that is not in :data:`DISTRIBUTIONS`."""
    if distribution == "gaussian":
        return random.standard_normal(shape)
    if distribution == "heavy-tailed":
        return random.standard_t(3, shape)
    raise SpecError(f"distribution: {distribution!r} is none of {', '.join(DISTRIBUTIONS)}")


def scale_of(values: np.ndarray, limit: float) -> float:
    """The largest power of two that keeps every magnitude within ``limit``; 1 of zeros."""
    greatest = float(np.max(np.abs(values)))
    if greatest == 0.0:
        return 1.0
    _, exponent = np.frexp(limit / greatest)
    return float(np.ldexp(1.0, int(exponent) - 1))


def least_loss(values: np.ndarray, fmt: Format) -> float:
    """The power of two that ``values`` are multiplied by for the least sum of squared errors.

    From where the greatest reaches the greatest of ``fmt`` on; of posits, where it reaches one.
    """
    first = scale_of(values, 1.0 if isinstance(fmt, Posit) else fmt.max)
    factors = [math.ldexp(first, doublings) for doublings in range(_DOUBLINGS)]
    losses = [np.sum((fmt.decode(fmt.encode(values * f)) / f - values) ** 2) for f in factors]
    return factors[int(np.argmin(losses))]


def accumulator(spec: Unit) -> Format:
    """The format that a unit's sums are kept in, or its results."""
    acc = getattr(spec, "acc", None)
    return acc if acc is not None and not isinstance(acc, str) else spec.ports.outputs["r"].format


def quantized(spec: Unit, name: str, values: np.ndarray) -> tuple[dict[str, np.ndarray], float]:
    """Codes for operand ``name`` of a unit of dot products, and what they are multiplied by.

    ``values`` have shape (pairs, length). Raises :class:`CodeError` for what is not finite.
    """
    fmt: Any = getattr(spec, name)
    if isinstance(fmt, Block):
        made = fmt.quantize(values)
        scales = expand_scales(fmt, made.scales, values.shape, -1)
        second = fmt.second_scale
        factor = 1.0 if second is None else 1.0 / float(second.decode(made.second_scale))
        codes = {name: made.elements, f"{name}_scale": scales}
        if made.zeros is not None:
            codes[f"{name}_zero"] = expand_scales(fmt, made.zeros, values.shape, -1)
        return codes, factor
    total: Any = accumulator(spec)
    room = float(np.sqrt(total.max / values.shape[-1]))
    factor = scale_of(values, min(fmt.max, room))
    if fmt in WEIGHTS or isinstance(fmt, Posit):
        factor = least_loss(values, fmt)
    return {name: fmt.encode(values * factor)}, factor


def kind_of(operands: str) -> tuple[str, float]:
    """The kind of stream that ``operands`` means, and its share of zeros; SpecError for another."""
    match = re.fullmatch(r"(\w+)(?:\((0?\.\d+|0|1|1\.0*)\))?", str(operands))
    if match is None or match[1] not in OPERANDS or (match[2] and match[1] != "sparse"):
        raise SpecError(
            f"operands: {operands!r} is none of {', '.join(OPERANDS)}, or sparse(SHARE) with a"
            " share of zeros from 0 to 1"
        )
    return match[1], float(match[2] or 0.5) if match[1] == "sparse" else 0.0


def stream(spec: Unit, operands: str, count: int, seed: int = 1) -> Codes:
    """About ``count`` rows of operand codes for ``spec``, in the order of time.

    SpecError for an unknown kind of stream.
    """
    kind, zeros = kind_of(operands)
    random = np.random.default_rng(seed)
    contexts = getattr(spec, "contexts", 1)
    sums = contexts * -(-SUMS // contexts)
    beats = max(1, -(-count // sums))
    codes = others(spec, sums * beats, seed)
    names = [name for name in "ab" if name in codes] or [next(iter(codes))]
    for operand in names:
        made = _drawn(spec, operand, kind, zeros, (sums, beats), random)
        for name, array in made.items():
            codes[name] = _in_turn(array, contexts if spec.accumulates else sums)
    ports = spec.ports
    addend = next((name for name in ("bias", "c") if name in ports.inputs), None)
    if addend is None:
        return codes
    port, result = ports.inputs[addend], ports.outputs.get("r")
    if kind == "uniform":
        codes[addend] = _uniform(port, len(codes[addend]), random)
    elif spec.accumulates or result is None or result.format != port.format or port.lanes:
        codes[addend] = np.zeros_like(codes[addend])
    else:
        total = np.full(sums, port.format.encode(0.0), port.format.code_dtype)
        for beat in range(beats):
            rows = slice(beat * sums, (beat + 1) * sums)
            codes[addend][rows] = total
            total = spec.evaluate(**{name: array[rows] for name, array in codes.items()})["r"]
    return codes


def others(spec: Unit, count: int, seed: int) -> Codes:
    """Random vectors of all operands, sums of equal length, one direction of rounding.

    Sums are of :data:`BEATS` operations, or of as many as the unit takes.
    """
    from macaw.sim.stimulus.draw import stimulus

    chunks = list(stimulus(spec, vectors=max(count, 4), seed=seed))
    codes = {name: np.concatenate([c[name] for c in chunks])[:count] for name in chunks[0]}
    contexts = getattr(spec, "contexts", 1)
    terms = getattr(spec, "terms", None)
    beats = BEATS
    if isinstance(terms, int):
        beats = max(1, min(beats, terms // max(1, spec.macs)))
    ends = (np.arange(count) // contexts) % beats == beats - 1
    ends[-contexts:] = True
    for name in ("last", "end"):
        if name in codes:
            codes[name] = ends.astype(codes[name].dtype)
    if "rm" in codes:
        codes["rm"] = np.zeros_like(codes["rm"])
    return codes


def _uniform(port: Any, count: int, random: np.random.Generator) -> np.ndarray:
    shape = (count,) if port.lanes is None else (count, port.lanes)
    return random.integers(0, 1 << port.format.width, shape, np.uint64).astype(
        port.format.code_dtype
    )


def _drawn(
    spec: Unit,
    name: str,
    kind: str,
    zeros: float,
    shape: tuple[int, int],
    random: np.random.Generator,
) -> Codes:
    """Codes of an operand, and of its block's scales: shape (sums, beats) or (…, lanes)."""
    sums, beats = shape
    ports = spec.ports.inputs
    lanes = ports[name].lanes or 1
    block = isinstance(getattr(spec, name, None), Block)
    if kind == "uniform":
        names = [n for n in ports if n == name or (block and n.startswith(f"{name}_"))]
        drawn = {n: _uniform(ports[n], sums * beats, random) for n in names}
        return {n: array.reshape(sums, beats, *array.shape[1:]) for n, array in drawn.items()}
    values = draw("heavy-tailed" if kind == "heavy" else "gaussian", (sums, beats * lanes), random)
    if zeros and name != "b":
        values[random.random(values.shape) < zeros] = 0.0
    summed = spec.accumulates or {"c", "bias"} & set(ports)
    if block or (summed and name in spec.multiplied):
        made, _ = quantized(spec, name, values)
    else:
        fmt: Any = ports[name].format
        out: Any = next(iter(spec.ports.outputs.values())).format
        limit = fmt.max
        if isinstance(fmt, Float):  # and what comes of it stays within the result's format
            limit = min(limit, math.sqrt(out.max) if isinstance(out, Float) else max(out.max, 1.0))
        made = {name: fmt.encode(values * scale_of(values, limit))}
    codes: Codes = {}
    for each, array in made.items():
        port = ports[each]
        count = port.lanes or 1
        array = array.reshape(sums, beats, lanes)[:, :, :: lanes // count]
        codes[each] = array if port.lanes else array[:, :, 0]
    return codes


def _in_turn(array: np.ndarray, together: int) -> np.ndarray:
    """Shape (sums, beats, …) as rows: so many sums in turn, and then the next ones."""
    sums, beats, *rest = array.shape
    groups = array.reshape(sums // together, together, beats, *rest)
    return np.ascontiguousarray(np.swapaxes(groups, 1, 2)).reshape(sums * beats, *rest)
