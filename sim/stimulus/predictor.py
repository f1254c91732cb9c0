# SPDX-License-Identifier: BSD-2-Clause
"""Steps for the exponent predictor, as training gives them: its scales are those it predicted.

Tensors whose magnitudes stay, grow, shrink, wander, spike, vanish or alternate are written with
the scale that golden predicts from what was written before, so that what the gates see is what
they will see in use. Steps with arbitrary operands are drawn beside these, not here.
"""

from __future__ import annotations

import numpy as np

from macaw.golden.arithmetic.predictor import Predictor
from macaw.golden.units import ExponentPredictor

from ..bench.interface import Codes

STEPS = 128
"""Of a tensor, before the next one takes its place."""

_Rng = np.random.Generator


def tensors(rng: _Rng, unit: ExponentPredictor, count: int) -> Codes:
    """``count`` beats: for each context one tensor after another."""
    contexts = unit.contexts
    turns = -(-count // contexts)
    codes = {name: np.empty((turns, contexts), np.int64) for name in unit.ports.inputs}
    rows = -(-turns // STEPS)
    made = _written(rng, unit.predictor, rows * contexts, contexts)
    for name, values in made.items():
        for context in range(contexts):
            codes[name][:, context] = values[context::contexts].ravel()[:turns]
    dtypes = {name: port.format.code_dtype for name, port in unit.ports.inputs.items()}
    return {name: values.ravel()[:count].astype(dtypes[name]) for name, values in codes.items()}


def _written(rng: _Rng, predictor: Predictor, rows: int, first: int) -> dict[str, np.ndarray]:
    """Operands of :data:`STEPS` steps of ``rows`` tensors, shape (rows, STEPS).

    The ``first`` of them, which may come behind a reset, fit their scales and are not initialised:
    then what is left of other tensors would be seen.
    """
    magnitudes = _magnitudes(rng, predictor, rows)
    made = {name: np.zeros((rows, STEPS), np.int64) for name in ("maximum", "scale", "init")}
    made["end"] = (rng.random((rows, STEPS)) < 1 / 100).astype(np.int64)
    made["end"][:, -1] = 1
    # Some are written with a scale next to the one predicted, some with any.
    loose = rng.choice([0.0, 0.1, 1.0], rows, p=[0.6, 0.3, 0.1])
    starting = rng.random(rows) < 0.7
    maxima = np.zeros((rows, predictor.length), np.int64)
    scales, counts = maxima.copy(), np.zeros(rows, np.int64)
    code = rng.integers(0, predictor.largest_code + 1, rows)
    starting[:first] = False
    fits = np.ceil(np.log2(np.maximum(magnitudes[:first, 0], 1.0))) - (predictor.width - 2)
    code[:first] = np.clip(fits, 0, predictor.largest_code).astype(np.int64)
    top = 1 << (predictor.width - 1)
    for step in range(STEPS):
        change = rng.integers(-2, 3, rows) * (rng.random(rows) < loose)
        scale = np.clip(code + change, 0, predictor.largest_code)
        value = np.rint(np.ldexp(magnitudes[:, step], -scale))
        clipped = np.minimum(value, top - rng.integers(0, 2, rows)).astype(np.int64)
        made["maximum"][:, step], made["scale"][:, step] = clipped, scale
        made["init"][:, step] = starting

        counts = np.where(clipped >= predictor.overflow, 0, counts)
        maxima = np.concatenate([clipped[:, None], maxima[:, :-1]], axis=1)
        scales = np.concatenate([scale[:, None], scales[:, :-1]], axis=1)
        counts = np.minimum(counts + 1, predictor.length)
        tried, settled = predictor.initial(clipped, scale, np.zeros(rows, bool))
        code = np.where(starting, tried, predictor.predict(maxima, scales, counts))
        counts[starting | (made["end"][:, step] == 1)] = 0
        starting = starting & ~settled
    return made


def _magnitudes(rng: _Rng, predictor: Predictor, rows: int) -> np.ndarray:
    """Largest values of tensors in units of the smallest scale, shape (rows, STEPS)."""
    time = np.arange(STEPS)
    shape = (rows, STEPS)
    level = rng.uniform(-4, predictor.largest_code, (rows, 1)) + predictor.width
    noise = np.exp2(rng.uniform(-10, 0, (rows, 1))) * rng.standard_normal(shape)
    other = rng.uniform(-12, 12, (rows, 1))
    powers = [
        level + np.zeros(shape),
        level + noise,
        level + rng.uniform(-0.5, 0.5, (rows, 1)) * time,
        level + np.cumsum(noise, axis=1),
        level + noise + other * (rng.random(shape) < 1 / 30),
        level + other * (time % rng.integers(2, 30, (rows, 1)) == 0),
        level + other * (time >= rng.integers(0, STEPS, (rows, 1))),
    ]
    kind = rng.integers(0, len(powers) + 2, rows)
    power = np.choose(np.minimum(kind, len(powers) - 1)[:, None], powers)
    values = np.exp2(np.clip(power, -20, predictor.width + predictor.largest_code + 4))
    # What is left of a power of two when gamma scales are added: the predictor meets its limits.
    limit = rng.integers(1, max(predictor.width, 2), rows)
    scale = np.rint(np.clip(level[:, 0] - limit, 0, predictor.largest_code))
    exact = np.ldexp(np.exp2(limit) - predictor.factors[1] * 2.0**-16, scale.astype(int))
    values[kind == len(powers)] = np.maximum(exact, 0)[kind == len(powers), None]
    values[rng.random(shape) < 0.02 * (kind == len(powers) + 1)[:, None]] = 0
    return values
