# SPDX-License-Identifier: BSD-2-Clause
"""Stimulus from the formats of a unit's ports alone: every code, crossed corners, weighted random.

Random vectors come in kinds that are interleaved, so that each chunk has all of them and
neighbours in time differ in kind:

- uniform codes;
- corners of every operand crossed at random;
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
- *full* sequences, as long as they may be, of the largest factors: nothing sums up to more;
- *sparse*: vectors of zeros, of one code, and of zeros but for one or two lanes;
- *halfway*: the last operand on or beside the midpoint of two results, the others negligible,
  corners or uniform;
- *tied*: sums and products on or beside a midpoint, the threshold of overflow among them
  (:mod:`macaw.sim.stimulus.ties`).

Everything follows from one seed; chunk k does not depend on how many chunks are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from macaw.golden.arithmetic.integers import codes_of
from macaw.golden.errors import SpecError
from macaw.golden.formats import Book, Fixed, Float, Format, Posit, Specials
from macaw.golden.formats.block import Block
from macaw.golden.formats.posits import WIDEST
from macaw.golden.units import Chain, Div, ExponentPredictor, Fpu, LossScale, Operand, RowUnit, Unit

from ..bench.interface import Codes
from .block import blocks, tensor_scales
from .dyadic import scalings
from .flex import fit_scales
from .fpu import Operations
from .predictor import tensors
from .rows import rows
from .ties import midpoints, products, quotients, sums

CHUNK = 1 << 17
LARGEST_EXHAUSTIVE = 26  # bits of all inputs together
LARGEST_CROSSING = 1 << 17
BOUNDARIES = ("last", "end", "reseed")  # inputs that end a sequence, and what is kept of others
MEMORY = ("channel", "write")  # inputs of a pipeline's memory
CONTROL = (*BOUNDARIES, *MEMORY, "rm", "random")  # inputs that are not numbers to be computed with
LONGEST_SEQUENCE = 400  # beats of an accumulation, unless the unit allows fewer
LONGEST_TENSOR = 100  # results

_Rng = np.random.Generator


def corners(fmt: Format) -> np.ndarray:
    """The codes of a format where arithmetic goes wrong; all codes of a format of up to 5 bits.

    Zeros, ones and their neighbours, both ends of the subnormals and of the normals, infinities,
    quiet and signalling NaNs, single bits and alternating bits.
    """
    span = 1 << fmt.width
    if fmt.width <= 5:
        return np.arange(span, dtype=fmt.code_dtype)
    half = span >> 1
    alternating = [span // 3, span * 2 // 3]
    if isinstance(fmt, Fixed):
        one = 1 << fmt.fraction if 0 <= fmt.fraction < fmt.width else 1
        near = [0, 1, 2, 3, one, one - 1, one + 1, half, half - 1, half + 1, half >> 1]
        codes = {c % span for n in near for c in (n, -n)} | set(alternating)
        return np.array(sorted(codes), fmt.code_dtype)
    if isinstance(fmt, Book):
        ordered = fmt.ordered
        middle = int(np.searchsorted(ordered, 0.0))
        near = {*range(3), *range(middle - 2, middle + 3), *range(len(ordered) - 3, len(ordered))}
        values = [ordered[i] for i in near if 0 <= i < len(ordered)]
        signs = (False, True)
        codes = {fmt.code(value, negative=negative) for value in values for negative in signs}
        return np.array(sorted(codes | {0, half, span - 1, *alternating}), fmt.code_dtype)
    if isinstance(fmt, Posit):
        one = half >> 1
        near = [0, 1, 2, 3, one - 1, one, one + 1, one >> 1, one + (one >> 1)]
        near += [half - 3, half - 2, half - 1, half, half - one // 4]
        codes = {c % span for n in near for c in (n, -n)} | set(alternating)
        return np.array(sorted(codes), fmt.code_dtype)
    one = min(max(fmt.bias, 0), (1 << fmt.exponent) - 1) << fmt.mantissa
    normal = 1 << fmt.mantissa
    largest = fmt.max_code
    magnitudes = {0, 1, 2, 3, normal >> 1, normal - 2, normal - 1, normal, normal + 1, 2 * normal}
    magnitudes |= {one - 1, one, one + 1, one + (normal >> 1), 2 * normal - 1, one + normal}
    magnitudes |= {largest - 1, largest, largest + 1, largest + 2, largest - normal}
    positive = half if fmt.signed else span
    magnitudes |= {positive - 1, positive - 2, *alternating}
    if fmt.specials is Specials.IEEE:
        magnitudes.add(largest + 1 + (normal >> 1))  # the quiet NaN beside the signalling one
    codes = {m % positive for m in magnitudes}
    if fmt.signed:
        codes |= {c + half for c in codes}
    return np.array(sorted(codes), fmt.code_dtype)


def _corners(unit: Unit, name: str, operand: Operand) -> np.ndarray:
    """The corners of an operand's format, with those of the unit and their neighbours."""
    table = corners(operand.format)
    integers = unit.samples.get(name)
    if integers is None:
        return table
    near = integers.astype(np.uint64)[:, None] + np.array([-1, 0, 1], np.int64).view(np.uint64)
    codes = (near.ravel() & _mask(operand.format)).astype(table.dtype)
    return np.union1d(table, codes)


def exhaustive_bits(unit: Unit) -> int:
    """Bits of all inputs together: there are 2**bits different vectors."""
    return sum(operand.width for operand in unit.ports.inputs.values())


def exhaustive(
    unit: Unit,
    *,
    chunk: int = CHUNK,
    largest: int = LARGEST_EXHAUSTIVE,
    part: range | None = None,
) -> Iterator[Codes]:
    """Every combination of input codes once, in an order that changes all inputs at each step.

    ``part`` takes those whose number in that order is in a range of step 1.

    Raises
    ------
    SpecError
        The unit has state, or more than ``2**largest`` combinations.
    """
    bits = exhaustive_bits(unit)
    if unit.stateful:
        raise SpecError(f"exhaustive: {unit.kind} has state, its inputs have no end")
    if bits > largest:
        raise SpecError(
            f"exhaustive: {unit.name} has 2**{bits} input combinations, "
            f"at most 2**{largest} are run"
        )
    part = range(1 << bits) if part is None else part
    for start in part[::chunk]:
        count = np.arange(start, min(start + chunk, part.stop), dtype=np.uint64)
        index = (count * np.uint64(0x9E3779B1)) & np.uint64((1 << bits) - 1)  # odd: a permutation
        codes = {}
        for name, operand in unit.ports.inputs.items():
            width, lanes = operand.format.width, operand.lanes or 1
            columns = np.empty((len(index), lanes), operand.format.code_dtype)
            for lane in range(lanes):
                columns[:, lane] = index & np.uint64((1 << width) - 1)
                index = index >> np.uint64(width)
            codes[name] = columns[:, 0] if operand.lanes is None else columns
        yield codes


def crossing(unit: Unit) -> Codes | None:
    """All corners of all scalar operands crossed; None where that is too many or has lanes."""
    tables = {}
    for name, operand in unit.ports.inputs.items():
        if operand.lanes is not None:
            return None
        tables[name] = _corners(unit, name, operand)
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
    draw = _Draw(unit)
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


class _Draw:
    """Random vectors for one unit, all kinds interleaved."""

    def __init__(self, unit: Unit) -> None:
        inputs = unit.ports.inputs
        # The first of units in a row has the operands that belong together, by their own names.
        first = unit.chain[0] if isinstance(unit, Chain) else unit
        self.flex = first if "r_scale" in inputs else None
        self.predictor = first if isinstance(first, ExponentPredictor) else None
        self.rows = first if isinstance(first, RowUnit) else None
        self.numbers = {n: o for n, o in inputs.items() if n not in CONTROL}
        self.control = {n: o for n, o in inputs.items() if n in CONTROL}
        self.names = list(self.numbers)
        self.corners = {n: _corners(unit, n, o) for n, o in inputs.items()}
        results = [o.format for n, o in unit.ports.outputs.items() if n != "flags"]
        self.result = results[0]
        lanes = max((o.lanes or 1 for o in self.numbers.values()), default=1)
        terms = getattr(unit, "terms", None)
        self.longest = LONGEST_SEQUENCE
        self.full = 0
        if isinstance(terms, int):
            self.longest = max(1, min(self.longest, terms // lanes))
            if getattr(unit, "contexts", 1) == 1 and not getattr(unit, "channels", 0):
                self.full = terms // lanes
        self.edges = _edges([self.result, *(o.format for o in self.numbers.values())])
        self.kinds = [
            self._uniform,
            self._uniform,
            self._steered,
            self._crossed,
            self._steered,
            self._partly_cornered,
            self._carrying,
            self._steered,
        ]
        self.factors = [n for n in unit.multiplied if n in self.numbers]
        self.takes_back = unit.accumulates
        self.channels: int = getattr(unit, "channels", 0)
        floats = any(isinstance(o.format, Float | Posit) for o in self.numbers.values())
        self.classed = {n: _classed(table, inputs[n].format) for n, table in self.corners.items()}
        self.ties = None
        if floats and self.flex is None:
            self.kinds += [self._cancelling, self._halfway]
            operands = self.numbers, self.factors, self.result
            if isinstance(first, Div):
                self.ties = quotients(*operands)
            else:
                self.ties = sums(*operands) or products(*operands)
            if self.ties:
                self.kinds.append(self._tied)
        if any(o.lanes is not None for o in self.numbers.values()):
            self.kinds.append(self._sparse)
        self.blocks = {
            n: o
            for n, o in self.numbers.items()
            if o.lanes is not None and isinstance(o.format, Float)
        }
        if self.blocks:
            # twice for units that make blocks of what they get
            self.kinds += [self._blocks] * (1 if len(self.names) > 1 else 2)
        self.unit, self.scalings = unit, scalings(first)
        if self.scalings:
            self.kinds += [self._scaled] * 4
        self.operations = None
        if isinstance(first, Fpu):
            self.operations = Operations(first, lambda part: _Draw(part).vectors)
            self.kinds = [self._uniform, self._crossed]
        block = getattr(first, "out", None)
        self.tensor = None
        if isinstance(block, Block) and block.second_scale is not None:
            self.tensor = block.element.max * block.scale.max

    def vectors(self, rng: _Rng, count: int) -> Codes:
        out = {n: _empty(o, count) for n, o in self.numbers.items()}
        step = len(self.kinds)
        for start, kind in enumerate(self.kinds):
            size = len(range(start, count, step))
            if size:
                for name, codes in kind(rng, size).items():
                    out[name][start::step] = codes
        if self.takes_back:
            self._take_back(rng, out, count)
        if self.tensor is not None:
            values = self.numbers["a"].format.decode(out["a"])
            amax = np.abs(np.where(np.isfinite(values), values, 0.0)).max(axis=1)
            out["encode"], out["decode"] = tensor_scales(rng, amax, self.tensor)
        for name, operand in self.control.items():
            if name == "last":
                out[name] = _sequences(rng, count, self.longest)
                if 0 < self.full <= count // 4:
                    self._fill(rng, out, out[name])
            elif name == "reseed":
                out[name] = _sequences(rng, count, 40 * LONGEST_TENSOR)
            elif name == "end":
                out[name] = _tensors(rng, count, out.get("last"))
            elif name == "channel":
                out["channel"], out["write"] = _writes(rng, count, self.channels, operand)
            elif name == "write":
                continue
            else:
                out[name] = self._codes(rng, name, operand, count)
        if self.operations is not None:
            self.operations.draw(rng, out)
        if self.flex is not None:
            fit_scales(rng, self.flex, out)
        if isinstance(self.unit, LossScale):
            # Long runs of steps without overflow, some with it now and then, and some with much.
            shares = rng.choice([0.0, 0.001, 0.05, 0.4], -(-count // 500))
            out["overflows"] *= rng.random(count) < np.repeat(shares, 500)[:count]
        if self.rows is not None and count > 4:
            # Behind arbitrary ones, three times as many as in use.
            used = count * 3 // 4
            for name, codes in rows(rng, self.rows, used).items():
                out[name][-used:] = codes
        if self.predictor is not None:
            # Arbitrary steps, few of them of initialisation, and three times as many as in use.
            out["init"] &= rng.random(count) < 0.1
            used = count * 3 // 4 // self.predictor.contexts * self.predictor.contexts
            if used:
                for name, codes in tensors(rng, self.predictor, used).items():
                    out[name][:used] = codes
        return out

    def _take_back(self, rng: _Rng, codes: Codes, count: int) -> None:
        """Some beats are the one before with the other sign."""
        first = self.names[0]
        fmt = self.numbers[first].format
        if count < 2 or not fmt.signed:
            return
        beats = 1 + np.flatnonzero(rng.random(count - 1) < 0.1)
        for name in self.names:
            codes[name][beats] = codes[name][beats - 1]
        codes[first][beats] = _negate(codes[first][beats], fmt)

    def _fill(self, rng: _Rng, codes: Codes, last: np.ndarray) -> None:
        """Some sequences have as many beats as they may, and the largest factors in all of them."""
        count, length = len(last), self.full
        for start in rng.integers(0, count - length + 1, max(1, min(16, count // (16 * length)))):
            beats = slice(start, start + length)
            if start:
                last[start - 1] = 1
            last[beats] = 0
            last[start + length - 1] = 1
            for name in self.factors:
                codes[name][beats] = rng.choice(_ends(self.numbers[name].format))

    def _sparse(self, rng: _Rng, count: int) -> Codes:
        """All lanes alike, or zero but for a few; what is not a vector is steered.

        Of a quarter all is zero, of one sign in each operand, and the addend zero or a corner.
        """
        codes = self._steered(rng, count)
        kind = rng.integers(0, 4, (count, 1))
        apart = rng.random((count, 1)) < 0.2
        lanes_of = [o.lanes for o in self.numbers.values() if o.lanes is not None]
        ends = rng.integers(0, max(lanes_of), (count, 2))
        for name, operand in self.numbers.items():
            column = codes[name]
            if operand.lanes is None:
                if name not in self.factors:
                    zeros = _zeros(rng, operand.format, (count,))
                    edges = rng.choice(self.corners[name], count)
                    zeros = np.where(rng.random(count) < 0.5, edges, zeros)
                    column[...] = np.where(kind[:, 0] == 3, zeros, column)
                continue
            lanes = np.arange(operand.lanes)
            pick = rng.integers(0, operand.lanes, (count, 2))
            few = (lanes == pick[:, :1]) | (lanes == pick[:, 1:])
            column[...] = np.where(kind == 3, _zeros(rng, operand.format, (count, 1)), column)
            column[...] = np.where(kind == 0, column[:, :1], column)
            column[...] = np.where((kind == 1) & ~few, 0, column)
            if isinstance(operand.format, Float) and operand.lanes == max(lanes_of):
                # one lane the largest, another the least: products as far apart as there are
                fmt = operand.format
                for lane, code in zip(ends.T, (fmt.max_code, fmt.min_code), strict=True):
                    here = (kind == 2) & apart & (lanes == lane[:, None])
                    column[...] = np.where(here, code, column)
            column[...] = np.where((kind == 2) & ~apart & (rng.random((count, 1)) < 0.4), 0, column)
        return codes

    def _blocks(self, rng: _Rng, count: int) -> Codes:
        """Vectors as a quantiser meets them; what is not a vector of floats is steered."""
        made = {name: blocks(rng, operand, count) for name, operand in self.blocks.items()}
        return self._steered(rng, count) | made

    def _scaled(self, rng: _Rng, count: int) -> Codes:
        """Values with multipliers and shifts that fit them; the others uniform, or corners."""
        codes = self._partly_cornered(rng, count)
        for draw in self.scalings:
            codes |= draw(rng, count)
        return codes

    def _codes(self, rng: _Rng, name: str, operand: Operand, count: int) -> np.ndarray:
        """Uniform codes, every sixteenth a corner."""
        codes = _uniform(rng, operand, count)
        some = codes[::16]
        codes[::16] = rng.choice(self.corners[name], some.shape)
        return codes

    def _uniform(self, rng: _Rng, count: int) -> Codes:
        return {n: _uniform(rng, o, count) for n, o in self.numbers.items()}

    def _crossed(self, rng: _Rng, count: int) -> Codes:
        """Corners; of the second half first a class is chosen, so that few-coded ones meet."""
        found, half = {}, count // 2
        for n, o in self.numbers.items():
            codes = self.corners[n][rng.integers(0, len(self.corners[n]), _shape(o, count))]
            table, shape = self.classed[n], codes[half:].shape
            rows, columns = (rng.integers(0, size, shape) for size in table.shape)
            codes[half:] = table[rows, columns]
            found[n] = codes
        return found

    def _partly_cornered(self, rng: _Rng, count: int) -> Codes:
        """One operand in turn from the corners, the others uniform."""
        codes = self._uniform(rng, count)
        for turn, name in enumerate(self.names):
            some = codes[name][turn :: len(self.names)]
            table = self.corners[name]
            some[...] = table[rng.integers(0, len(table), some.shape)]
        return codes

    def _centres(self, rng: _Rng, count: int) -> dict[str, np.ndarray]:
        """Where each operand lies, so that their product and the others meet at one exponent."""
        aim = self.edges[rng.integers(0, len(self.edges), count)] + rng.integers(-4, 5, count)
        centres = {}
        left = aim.copy()
        for position, name in enumerate(self.factors):
            low, high = _range(self.numbers[name].format)
            after = [_range(self.numbers[n].format) for n in self.factors[position + 1 :]]
            if after:
                # what the factors behind this one can make up for
                low = np.clip(left - sum(top for _, top in after), low, high)
                high = np.clip(left - sum(bottom for bottom, _ in after), low, high)
                centres[name] = rng.integers(low, high + 1, count)
            else:
                centres[name] = left
            left = left - centres[name]
        for name in self.names:
            centres.setdefault(name, aim)
        return centres

    def _steered(self, rng: _Rng, count: int, *, spread: int = 3, ones: bool = False) -> Codes:
        centres = self._centres(rng, count)
        codes = {}
        for name, operand in self.numbers.items():
            shape = _shape(operand, count)
            centre = centres[name]
            if len(shape) == 2:
                centre = centre[:, None]
            # a few terms far away, most of them near: alignment by every distance
            width = spread if spread == 0 or name in self.factors else _far(self.result)
            exponent = centre + (rng.integers(-width, width + 1, shape) if width else 0)
            codes[name] = _compose(rng, operand.format, exponent, shape, ones=ones)
        return codes

    def _carrying(self, rng: _Rng, count: int) -> Codes:
        return self._steered(rng, count, spread=0, ones=True)

    def _cancelling(self, rng: _Rng, count: int) -> Codes:
        """Operands that nearly or exactly cancel: c = -(a . b), or b = -a without a third."""
        codes = self._steered(rng, count)
        # Significands beside powers of two: what is left of their product is far below.
        for name, column in self._carrying(rng, count // 4).items():
            codes[name][: count // 4] = column
        last = self.names[-1]
        fmt = self.numbers[last].format
        addend = last not in self.factors
        if not addend:
            vectors = [n for n in self.factors if self.numbers[n].lanes is not None]
            return self._opposite_lanes(codes, vectors) if vectors else codes
        with np.errstate(all="ignore"):
            total = np.ones((count, 1))
            for name in self.factors:
                value = self.numbers[name].format.decode(codes[name])
                value = np.where(np.isfinite(value), value, 0.0).reshape(count, -1)
                zero = f"{name}_zero"
                if zero in codes and f"{name}_scale" in codes:
                    points = self.numbers[zero].format.decode(codes[zero]).reshape(count, -1)
                    value = value - np.repeat(points, value.shape[1] // points.shape[1], axis=1)
                if value.shape[1] > total.shape[1] > 1:
                    total = np.repeat(total, value.shape[1] // total.shape[1], axis=1)
                elif value.shape[1] not in (1, total.shape[1]) and total.shape[1] > 1:
                    value = np.repeat(value, total.shape[1] // value.shape[1], axis=1)
                total = total * value
            if self.numbers[last].lanes is None:
                # opposite lanes leave only what the addend has to cancel
                total = total.sum(axis=1)
            elif total.shape[1] == 1:
                total = np.repeat(total, self.numbers[last].lanes or 1, axis=1)
            close = fmt.encode(-np.nan_to_num(total))
        codes[last] = _nudge(rng, close, fmt)
        vectors = [n for n in self.factors if self.numbers[n].lanes is not None]
        if vectors and len(vectors) == len([n for n in self.factors if n in ("a", "b")]):
            # Of some the lanes cancel one another, and an addend of any exponent is left.
            some = count - count // 3
            rest = {name: codes[name][some:] for name in vectors}
            codes |= {
                name: np.concatenate([codes[name][:some], part])
                for name, part in self._opposite_lanes(rest, vectors).items()
            }
            operand = self.numbers[last]
            codes[last][some:] = _uniform(rng, operand, count - some)
        return codes

    def _tied(self, rng: _Rng, count: int) -> Codes:
        """Exact results on a midpoint of two results, or a hair beside it."""
        assert self.ties is not None
        return self._steered(rng, count) | self.ties(rng, count)

    def _opposite_lanes(self, codes: Codes, names: list[str]) -> Codes:
        """The second half of the lanes repeats the first with one factor's sign turned."""
        for name in names:
            half = codes[name].shape[1] // 2
            codes[name][:, half : 2 * half] = codes[name][:, :half]
        first = codes[names[0]]
        fmt = self.numbers[names[0]].format
        half = first.shape[1] // 2
        first[:, half : 2 * half] = _negate(first[:, half : 2 * half], fmt)
        return codes

    def _halfway(self, rng: _Rng, count: int) -> Codes:
        """The last operand on or next to a midpoint of two neighbouring results."""
        codes = self._crossed(rng, count)
        uniform = self._uniform(rng, count // 2)
        for name, column in uniform.items():
            codes[name][: count // 2] = column
        last = self.names[-1]
        operand = self.numbers[last]
        result = self.result
        if isinstance(result, Float) and result.precision < 53 and operand.lanes is None:
            close = operand.format.encode(midpoints(rng, result, count))
            codes[last] = _nudge(rng, close, operand.format)
            return codes
        top = (1 << result.width) - 1
        if isinstance(result, Book):
            top = result.finite_values - 1
        low = rng.integers(0, top, _shape(operand, count), dtype=np.uint64)
        if isinstance(result, Book):
            # Neighbours in value need not have neighbouring codes.
            ordered = np.array(result.ordered)
            below, above = ordered[low], ordered[low + np.uint64(1)]
        elif isinstance(result, Posit) and result.width < WIDEST:
            # Half way in the code, which is no mean of values where an exponent has been cut.
            wider = Posit(width=result.width + 1, exponent=result.exponent)
            below = above = wider.decode(np.uint64(2) * low + np.uint64(1))
        else:
            below = result.decode(low.astype(result.code_dtype))
            above = result.decode((low + np.uint64(1)).astype(result.code_dtype))
        with np.errstate(all="ignore"):
            middle = np.nan_to_num(below / 2 + above / 2, posinf=0, neginf=0)
            close = operand.format.encode(middle)
        codes[last] = _nudge(rng, close, operand.format)
        return codes


def _shape(operand: Operand, count: int) -> tuple[int, ...]:
    return (count,) if operand.lanes is None else (count, operand.lanes)


def _empty(operand: Operand, count: int) -> np.ndarray:
    return np.empty(_shape(operand, count), operand.format.code_dtype)


def _uniform(rng: _Rng, operand: Operand, count: int) -> np.ndarray:
    dtype = operand.format.code_dtype
    return rng.integers(
        0, (1 << operand.format.width) - 1, _shape(operand, count), dtype, endpoint=True
    )


def _ends(fmt: Format) -> list[int]:
    """The codes of the least and of the largest number."""
    if isinstance(fmt, Fixed):
        return [fmt.min_integer % (1 << fmt.width), fmt.max_integer]
    if isinstance(fmt, Float):
        return [fmt.max_code, fmt.max_code + (1 << (fmt.width - 1) if fmt.signed else 0)]
    table = corners(fmt)
    values = np.nan_to_num(fmt.decode(table), posinf=0.0, neginf=0.0)
    return [int(table[np.argmin(values)]), int(table[np.argmax(values)])]


def _classed(table: np.ndarray, fmt: Format) -> np.ndarray:
    """The codes of a table, a row for each class that it has: zeros, subnormals, normals,
    infinities, NaNs; short rows repeat."""
    if not isinstance(fmt, Float):
        return table[None, :]
    values = fmt.decode(table)
    size = np.abs(values)
    small = (size > 0) & (size < fmt.min_normal)
    kinds = (size == 0, small, (size >= fmt.min_normal) & np.isfinite(size), np.isinf(size))
    rows = [table[kind] for kind in (*kinds, np.isnan(values)) if kind.any()]
    longest = max(map(len, rows))
    return np.array([np.resize(row, longest) for row in rows])


def _zeros(rng: _Rng, fmt: Format, shape: tuple[int, ...]) -> np.ndarray:
    """Zeros, of a float that has them of both signs."""
    both = isinstance(fmt, Float) and fmt.negative_zero
    return (rng.integers(0, 1 + both, shape) << (fmt.width - 1)).astype(fmt.code_dtype)


def _sequences(rng: _Rng, count: int, longest: int) -> np.ndarray:
    """``last`` bits: sequence lengths of 1, of a few, and up to ``longest``."""
    last = np.zeros(count, np.uint8)
    number = max(16, count // 4)
    few = rng.integers(1, min(longest, 6) + 1, number)
    many = rng.integers(1, longest + 1, number)
    lengths = np.where(rng.random(number) < 0.8, few, many)
    ends = np.cumsum(lengths)
    while ends[-1] < count:
        ends = np.concatenate([ends, ends[-1] + np.cumsum(lengths)])
    last[ends[ends <= count] - 1] = 1
    last[-1] = 1
    return last


def _writes(
    rng: _Rng, count: int, channels: int, operand: Operand
) -> tuple[np.ndarray, np.ndarray]:
    """``channel`` and ``write``: first every channel is written, later one now and then."""
    written = min(count, channels)
    channel = rng.integers(0, written, count).astype(operand.format.code_dtype)
    write = (rng.random(count) < 0.1).astype(np.uint8)
    channel[:written], write[:written] = np.arange(written), 1
    return channel, write


def _tensors(rng: _Rng, count: int, last: np.ndarray | None) -> np.ndarray:
    """``end`` bits: tensors of one result, of a few, and up to :data:`LONGEST_TENSOR`.

    Where results come with ``last``, beats without it have ``end`` too: it means nothing there.
    """
    if last is None:
        return _sequences(rng, count, LONGEST_TENSOR)
    end = (rng.random(count) < 0.2).astype(np.uint8)
    results = np.flatnonzero(last)
    end[results] = _sequences(rng, results.size, LONGEST_TENSOR)
    return end


def _range(fmt: Format) -> tuple[int, int]:
    """Exponents of the least and the largest non-zero magnitudes."""
    if isinstance(fmt, Fixed):
        return -fmt.fraction, max(fmt.width - 1 - fmt.signed, 0) - fmt.fraction
    return fmt.quantum, fmt.emax


def _edges(formats: list[Format]) -> np.ndarray:
    """Exponents worth aiming at: the result's ends and its unit, and the addend's range."""
    edges: list[int] = []
    for fmt in formats:
        low, high = _range(fmt)
        edges += [low, high]
        if isinstance(fmt, Float):
            edges += [fmt.emin, high, 0]
        if isinstance(fmt, Posit):
            edges += [0, 0]
    low, high = _range(formats[-1])
    edges += list(np.linspace(low, high, len(edges)).astype(int))
    return np.array(edges)


def _far(fmt: Format) -> int:
    """A distance that leaves the smaller term as a sticky bit only."""
    return (fmt.width if isinstance(fmt, Fixed) else fmt.precision - 1) + 3


def _compose(
    rng: _Rng, fmt: Format, exponent: np.ndarray, shape: tuple[int, ...], *, ones: bool
) -> np.ndarray:
    """Codes whose magnitudes have these exponents (clipped), with dense or sparse significands."""
    bits = rng.integers(0, (1 << 62) - 1, shape, np.int64, endpoint=True)
    if fmt.width > 62:
        drop = np.clip(_range(fmt)[1] - exponent, 0, 60)
        return ((bits >> drop) ^ -((bits >> 61) & 1)).astype(np.uint64) & _mask(fmt)
    if isinstance(fmt, Book):
        magnitude = np.ldexp(1.0 + (bits & ((1 << 52) - 1)) * 2.0**-52, exponent)
        return fmt.encode(np.where((bits >> 61) & 1, -magnitude, magnitude))
    mantissa_bits = fmt.width - 1 if isinstance(fmt, Fixed) else fmt.precision - 1
    fraction = bits & ((1 << mantissa_bits) - 1)
    if mantissa_bits:
        # every other vector keeps only its upper bits, at most those of one random length
        cut = (bits >> 53) & 63
        cut = np.where((bits >> 60) & 1, np.minimum(cut, mantissa_bits), 0)
        fraction = (fraction >> cut) << cut
        if ones:
            fraction = np.where((bits >> 59) & 1, ((1 << mantissa_bits) - 1) ^ (fraction & 3), 0)
    negative = (bits >> 61) & 1
    if isinstance(fmt, Fixed):
        drop = np.clip(_range(fmt)[1] - exponent, 0, max(fmt.width - 1, 0))
        magnitude = ((1 << mantissa_bits) | fraction) >> (drop + fmt.signed)
        code = np.where(negative, -magnitude, magnitude) if fmt.signed else magnitude
        return codes_of(code, fmt)
    if isinstance(fmt, Posit):
        exponent = np.clip(exponent, -fmt.emax - 2, fmt.emax + 2) - mantissa_bits
        magnitude = np.ldexp(((1 << mantissa_bits) | fraction) * 1.0, exponent)
        return fmt.encode(np.where(negative, -magnitude, magnitude))
    field = np.clip(exponent + fmt.bias, 0, (1 << fmt.exponent) - 1)
    code = (field << fmt.mantissa) | fraction
    if fmt.signed:
        code |= negative << (fmt.width - 1)
    return code.astype(fmt.code_dtype)


def _negate(codes: np.ndarray, fmt: Format) -> np.ndarray:
    if isinstance(fmt, Float):
        return codes ^ codes.dtype.type(1 << (fmt.width - 1)) if fmt.signed else codes
    if isinstance(fmt, Book):
        return fmt.encode(-fmt.decode(codes))
    return (~codes.astype(np.uint64) + np.uint64(1) & _mask(fmt)).astype(codes.dtype)


def _nudge(rng: _Rng, codes: np.ndarray, fmt: Format) -> np.ndarray:
    """Half of the codes as they are, the others one or two codes away, or a power of two."""
    shift = rng.integers(0, 8, codes.shape) - 4
    far = np.int64(1) << rng.integers(0, max(min(fmt.width - 2, 62), 1), codes.shape)
    shift = np.where(np.abs(shift) > 2, 0, shift)
    shift = np.where(rng.integers(0, 4, codes.shape) == 0, np.sign(shift) * far, shift)
    shift = shift.astype(np.uint64)
    return ((codes.astype(np.uint64) + shift) & _mask(fmt)).astype(fmt.code_dtype)


def _mask(fmt: Format) -> np.uint64:
    return np.uint64((1 << fmt.width) - 1)
