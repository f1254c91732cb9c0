# SPDX-License-Identifier: BSD-2-Clause
"""Stimulus from the formats of a unit's ports alone: every code, crossed corners, weighted random.

Random vectors come in kinds that are interleaved, so that each chunk has all of them and
neighbours in time differ in kind:

- uniform codes;
- corners of every operand crossed at random, of most by classes: each of one operand with each of
  another in few vectors;
- corners of some operands, uniform codes in the others;
- *steered*: exponents chosen so that the product of the factors, and the other operands, fall
  near one another or near an edge of the result's range; dense and sparse significands, the latter
  because they make ties and exact results;
- the same with equal exponents and long runs of ones, for carries;
- *cancelling*: the last operand is close to minus the product (or minus the first operand); in an
  accumulation a beat takes back what the one before it brought;
- *blocks*: one outlier, equal magnitudes, largest magnitudes beside a power of two, NaN
  (:mod:`macaw.sim.stimulus.block`); the scales of a tensor fit its blocks, and those of Flexpoint
  its results (:mod:`macaw.sim.stimulus.flex`);
- *scaled*: multipliers and shifts that bring what they scale to the result's range, and ties
  (:mod:`macaw.sim.stimulus.dyadic`);
- *operations* of a unit that has several, each with operands that are drawn for it
  (:mod:`macaw.sim.stimulus.fpu`);
- *rows* as networks have them (:mod:`macaw.sim.stimulus.rows`);
- *tied* sequences, whose sum is a midpoint or an end (:mod:`macaw.sim.stimulus.sequences`);
- *growing* sequences, of products of one sign, and *full* ones, as long as they may be, of the
  largest factors: nothing sums up to more (:mod:`macaw.sim.stimulus.beats`);
- *sparse*: vectors of zeros, of one code, and of zeros but for one or two lanes;
- *halfway*: the last operand on or beside the midpoint of two results, the others negligible,
  corners or uniform;
- *tied*: sums and products on or beside a midpoint, the threshold of overflow among them
  (:mod:`macaw.sim.stimulus.ties`), of a fixed point at the ends of its range
  (:mod:`macaw.sim.stimulus.ends`); quotients and roots too (:mod:`macaw.sim.stimulus.middles`).

Everything follows from one seed; chunk k does not depend on how many chunks are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from macaw.golden.units import Unit

from ..bench.interface import Codes
from .boundaries import BOUNDARIES
from .corners import corners_of
from .exhaustive import CHUNK
from .kinds import Draw

LARGEST_CROSSING = 1 << 17


def crossing(unit: Unit) -> Codes | None:
    """All corners of all scalar operands crossed; None where that is too many or has lanes."""
    tables = {}
    for name, operand in unit.ports.inputs.items():
        if operand.lanes is not None:
            return None
        tables[name] = corners_of(unit, name, operand)
    if math.prod(map(len, tables.values())) > LARGEST_CROSSING or unit.stateful:
        return None
    grids = np.meshgrid(*tables.values(), indexing="ij")
    return {name: grid.ravel() for name, grid in zip(tables, grids, strict=True)}


def stimulus(unit: Unit, *, vectors: int, seed: int, chunk: int = CHUNK) -> Iterator[Codes]:
    """``vectors`` input vectors in chunks: all corners crossed where few enough, then random.

    Parameters
    ----------
    unit : Unit
        Only its ports (and, for an accumulating unit, how long a sum may be) are looked at.
    vectors : int
        Vectors in all; beats for a unit with state, whose every chunk ends a sequence and a
        tensor.
    seed : int
        The same seed gives the same vectors on every machine.

    Yields
    ------
    dict of name to codes, shape (n,) or (n, lanes), n at most ``chunk``.
    """
    crossed = crossing(unit) if vectors >= 4 else None
    left = vectors
    # every chunk begins with the first context and ends the sequences of all
    contexts = getattr(unit, "contexts", 1)
    chunk -= chunk % contexts
    if crossed is not None:
        size = len(next(iter(crossed.values())))
        if 4 * size <= vectors:
            order = np.random.default_rng([seed, 0]).permutation(size)
            for start in range(0, size, chunk):
                part = order[start : start + chunk]
                yield {name: codes[part] for name, codes in crossed.items()}
            left -= size
    draw = Draw(unit)
    for number in range(1, -(-left // chunk) + 1):
        count = min(chunk, left - (number - 1) * chunk)
        # whole chunks are drawn and cut, so that a shorter run is the start of a longer one
        full = chunk if vectors >= chunk else count
        codes = draw.vectors(np.random.default_rng([seed, number]), full)
        if count < full:
            codes = {name: column[:count] for name, column in codes.items()}
        for name in BOUNDARIES:
            if name in codes:
                codes[name][-contexts:] = 1
        yield codes
