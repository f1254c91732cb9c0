# SPDX-License-Identifier: BSD-2-Clause
"""Random vectors of a unit, in kinds: see :mod:`macaw.sim.stimulus.draw`."""

from __future__ import annotations

import numpy as np

from macaw.golden.formats import Book, Fixed, Float, Posit
from macaw.golden.formats.block import Block
from macaw.golden.formats.posits import WIDEST
from macaw.golden.units import Chain, Div, ExponentPredictor, Fpu, LossScale, Operand, RowUnit, Unit

from ..bench.interface import Codes
from .block import blocks, tensor_scales
from .boundaries import BOUNDARIES, LONGEST_TENSOR, sequences, writes
from .boundaries import tensors as tensor_ends
from .codes import compose, edges, empty, exponents, far, negate, nudge, shape_of, uniform
from .corners import classed, corners_of, ends, zeros_of
from .dyadic import scalings
from .ends import thresholds
from .flex import fit_scales
from .fpu import Operations
from .predictor import tensors
from .rows import rows
from .sequences import LedSequences, TiedSequences
from .ties import midpoints, products, quotients, sums

MEMORY = ("channel", "write")  # inputs of a pipeline's memory
CONTROL = (*BOUNDARIES, *MEMORY, "rm", "random")  # inputs that are not numbers to be computed with
LONGEST_SEQUENCE = 400  # beats of an accumulation, unless the unit allows fewer

_Rng = np.random.Generator


class Draw:
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
        self.corners = {n: corners_of(unit, n, o) for n, o in inputs.items()}
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
        self.led: LedSequences | None = None
        self.sequences = self._sequences(unit) if unit.accumulates else None
        self.edges = edges([self.result, *(o.format for o in self.numbers.values())])
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
        formats = [self.result, *(o.format for o in self.numbers.values())]
        floats = any(isinstance(fmt, Float | Posit) for fmt in formats)
        self.classed = {n: classed(table, inputs[n].format) for n, table in self.corners.items()}
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
        if self.flex is None and self.ties is None and unit.multiplied:
            operands = self.numbers, self.factors, self.result
            self.ties = thresholds(*operands, subtract=getattr(first, "subtract", False))
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
            self.operations = Operations(first, lambda part: Draw(part).vectors)
            self.kinds = [self._uniform, self._crossed]
        block = getattr(first, "out", None)
        self.tensor = None
        if isinstance(block, Block) and block.second_scale is not None:
            self.tensor = block.element.max * block.scale.max

    def vectors(self, rng: _Rng, count: int) -> Codes:
        """``count`` vectors, of all kinds."""
        out = {n: empty(o, count) for n, o in self.numbers.items()}
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
                out[name] = sequences(rng, count, self.longest)
                if self.sequences is not None:
                    self._tie(rng, self.sequences, out, out[name])
                taken = 0 if self.led is None else self._lead(rng, self.led, out, out[name])
                if 0 < self.full <= count // 4:
                    self._fill(rng, out, out[name], taken)
            elif name == "reseed":
                out[name] = sequences(rng, count, 40 * LONGEST_TENSOR)
            elif name == "end":
                out[name] = tensor_ends(rng, count, out.get("last"))
            elif name == "channel":
                out["channel"], out["write"] = writes(rng, count, self.channels, operand)
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
        codes[first][beats] = negate(codes[first][beats], fmt)

    def _sequences(self, unit: Unit) -> TiedSequences | None:
        """What draws sequences with ties; None for units of other sums."""
        factors = [n for n in unit.multiplied if n in self.numbers]
        acc = getattr(unit, "acc", None)
        if getattr(unit, "contexts", 1) > 1 or getattr(unit, "beats", 1) > 1:
            return None
        kept = acc if isinstance(acc, Float | Fixed) else self.result
        if not isinstance(kept, Float | Fixed):
            return None
        if not TiedSequences.fits(self.numbers, factors, kept):
            return None
        exact = not isinstance(acc, Float | Fixed)
        made = TiedSequences(self.numbers, factors, kept, exact=exact, longest=self.longest)
        self.led = LedSequences.of(made, self.full)
        return made if made.possible else None

    def _tie(self, rng: _Rng, tied: TiedSequences, codes: Codes, last: np.ndarray) -> None:
        """Some sequences, of a fifth of the beats, have a sum that is tied."""
        count, beats = len(last), tied.beats
        if 5 * beats > count:
            return
        places = rng.permutation(count // beats)[: count // (5 * beats)] * beats
        rows = (places[:, None] + np.arange(beats)).ravel()
        for name, column in tied.draw(rng, len(places)).items():
            codes[name][rows] = column
        last[rows] = 0
        last[places + beats - 1] = 1
        last[places[places > 0] - 1] = 1

    def _lead(self, rng: _Rng, led: LedSequences, codes: Codes, last: np.ndarray) -> int:
        """The first sequences come to the ends of the range; how many beats they have."""
        found = led.draw(rng)
        rows = len(found[self.factors[0]])
        if 2 * rows > len(last):
            return 0
        for name, column in found.items():
            codes[name][:rows] = column
        last[:rows] = 0
        last[led.beats - 1 : rows : led.beats] = 1
        return rows

    def _fill(self, rng: _Rng, codes: Codes, last: np.ndarray, first: int = 0) -> None:
        """Some sequences from ``first`` on have as many beats as they may, and the largest factors
        in all of them.
        """
        count, length = len(last), self.full
        number = max(1, min(16, count // (16 * length)))
        for start in rng.integers(first, count - length + 1, number):
            beats = slice(start, start + length)
            if start:
                last[start - 1] = 1
            last[beats] = 0
            last[start + length - 1] = 1
            for name in self.factors:
                fmt = self.numbers[name].format
                table = np.array(ends(fmt), fmt.code_dtype)
                codes[name][beats] = rng.choice(table[np.asarray(fmt.decode(table)) != 0])

    def _sparse(self, rng: _Rng, count: int) -> Codes:
        """All lanes alike, some at an end of their format, or zero but for a few; what is not a
        vector is steered.

        Of a quarter all is zero, of one sign in each operand, and the addend zero or a corner.
        """
        codes = self._steered(rng, count)
        kind = rng.integers(0, 4, (count, 1))
        apart = rng.random((count, 1)) < 0.2
        lanes_of = [o.lanes for o in self.numbers.values() if o.lanes is not None]
        few_lanes = rng.integers(0, max(lanes_of), (count, 2))
        largest = rng.random((count, 1)) < 0.25
        for name, operand in self.numbers.items():
            column = codes[name]
            if operand.lanes is None:
                if name not in self.factors:
                    zeros = zeros_of(rng, operand.format, (count,))
                    edges = rng.choice(self.corners[name], count)
                    zeros = np.where(rng.random(count) < 0.5, edges, zeros)
                    column[...] = np.where(kind[:, 0] == 3, zeros, column)
                continue
            lanes = np.arange(operand.lanes)
            pick = rng.integers(0, operand.lanes, (count, 2))
            few = (lanes == pick[:, :1]) | (lanes == pick[:, 1:])
            column[...] = np.where(kind == 3, zeros_of(rng, operand.format, (count, 1)), column)
            column[...] = np.where(kind == 0, column[:, :1], column)
            end = rng.choice(ends(operand.format), (count, 1))
            column[...] = np.where((kind == 0) & largest, end, column)
            column[...] = np.where((kind == 1) & ~few, 0, column)
            if isinstance(operand.format, Float) and operand.lanes == max(lanes_of):
                # one lane the largest, another the least: products as far apart as there are
                fmt = operand.format
                for lane, code in zip(few_lanes.T, (fmt.max_code, fmt.min_code), strict=True):
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
        codes = uniform(rng, operand, count)
        some = codes[::16]
        codes[::16] = rng.choice(self.corners[name], some.shape)
        return codes

    def _uniform(self, rng: _Rng, count: int) -> Codes:
        return {n: uniform(rng, o, count) for n, o in self.numbers.items()}

    def _crossed(self, rng: _Rng, count: int) -> Codes:
        """Corners; of the second half first a class is chosen, so that few-coded ones meet."""
        found, half = {}, count // 2
        for n, o in self.numbers.items():
            codes = self.corners[n][rng.integers(0, len(self.corners[n]), shape_of(o, count))]
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
            low, high = exponents(self.numbers[name].format)
            after = [exponents(self.numbers[n].format) for n in self.factors[position + 1 :]]
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
            shape = shape_of(operand, count)
            centre = centres[name]
            if len(shape) == 2:
                centre = centre[:, None]
            # a few terms far away, most of them near: alignment by every distance
            width = spread if spread == 0 or name in self.factors else far(self.result)
            exponent = centre + (rng.integers(-width, width + 1, shape) if width else 0)
            codes[name] = compose(rng, operand.format, exponent, shape, ones=ones)
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
        codes[last] = nudge(rng, close, fmt)
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
            codes[last][some:] = uniform(rng, operand, count - some)
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
        first[:, half : 2 * half] = negate(first[:, half : 2 * half], fmt)
        return codes

    def _halfway(self, rng: _Rng, count: int) -> Codes:
        """The last operand on or next to a midpoint of two neighbouring results."""
        codes = self._crossed(rng, count)
        for name, column in self._uniform(rng, count // 2).items():
            codes[name][: count // 2] = column
        last = self.names[-1]
        operand = self.numbers[last]
        result = self.result
        if isinstance(result, Float) and result.precision < 53 and operand.lanes is None:
            close = operand.format.encode(midpoints(rng, result, count))
            codes[last] = nudge(rng, close, operand.format)
            return codes
        top = (1 << result.width) - 1
        if isinstance(result, Book):
            top = result.finite_values - 1
        low = rng.integers(0, top, shape_of(operand, count), dtype=np.uint64)
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
        codes[last] = nudge(rng, close, operand.format)
        return codes
