# SPDX-License-Identifier: BSD-2-Clause
"""Random vectors of a unit, in kinds: see :mod:`macaw.sim.stimulus.draw`."""

from __future__ import annotations

import math

import numpy as np

from macaw.golden.formats import Book, Float, Format, Posit
from macaw.golden.formats.block import Block
from macaw.golden.formats.posits import WIDEST
from macaw.golden.units import (
    Chain,
    Div,
    ExponentPredictor,
    Fpu,
    LossScale,
    Operand,
    RowUnit,
    Sqrt,
    Unit,
)

from ..bench.interface import Codes
from .beats import Beats
from .block import blocks, tensor_scales
from .boundaries import BOUNDARIES, LONGEST_TENSOR, sequences, writes
from .boundaries import tensors as tensor_ends
from .codes import compose, edges, empty, exponents, far, negate, nudge, shape_of, uniform
from .corners import classed, corners_of, ends, zeros_of
from .dyadic import scalings
from .ends import thresholds
from .flex import fit_scales
from .fpu import Operations
from .middles import roots, tied_products, tied_quotients
from .predictor import tensors
from .rows import rows
from .sequences import tied_lanes
from .ties import midpoints, products, sums

MEMORY = ("channel", "write")  # inputs of a pipeline's memory
CONTROL = (*BOUNDARIES, *MEMORY, "rm", "random")  # inputs that are not numbers to be computed with

_Rng = np.random.Generator


def _has_zero(fmt: Format) -> bool:
    return not isinstance(fmt, Float) or fmt.zero


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
        self.beats = Beats(unit, self.numbers, self.result, self._crossed, self._opposite)
        self.subtracts: bool = getattr(first, "subtract", False)
        self.channels: int = getattr(unit, "channels", 0)
        formats = [self.result, *(o.format for o in self.numbers.values())]
        floats = any(isinstance(fmt, Float | Posit) for fmt in formats)
        self.classed = {n: classed(table, inputs[n].format) for n, table in self.corners.items()}
        self.ties = None
        if floats and self.flex is None:
            self.kinds += [self._cancelling, self._halfway]
            operands = self.numbers, self.factors, self.result
            if isinstance(first, Div):
                self.ties = tied_quotients(self.numbers, self.factors, first.out)
            elif isinstance(first, Sqrt):
                self.ties = roots(self.numbers, first.out)
            else:
                self.ties = sums(*operands) or products(*operands) or tied_products(*operands)
            if self.ties:
                self.kinds.append(self._tied)
        if self.flex is None and self.ties is None and unit.multiplied:
            operands = self.numbers, self.factors, self.result
            self.ties = thresholds(*operands, subtract=self.subtracts)
            if self.ties:
                self.kinds.append(self._tied)
        if any(o.lanes is not None for o in self.numbers.values()):
            self.kinds.append(self._sparse)
        self.lanes = None
        if not unit.stateful:
            self.lanes = tied_lanes(self.numbers, self.factors, self.result)
        if self.lanes is not None:
            self.kinds.append(self.lanes)
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
        if self.tensor is not None:
            values = self.numbers["a"].format.decode(out["a"])
            amax = np.abs(np.where(np.isfinite(values), values, 0.0)).max(axis=1)
            out["encode"], out["decode"] = tensor_scales(rng, amax, self.tensor)
        for name, operand in self.control.items():
            if name == "last":
                out[name] = self.beats.draw(rng, out, count)
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
        # Of some rows zeros come of negative numbers in all lanes, and a scale or the other factor.
        signed = (kind == 3) & (rng.random((count, 1)) < (0.3 if len(self.factors) > 1 else 0.0))
        scaled = any(_has_zero(self.numbers[name].format) for name in self.factors[2:])
        for name, value in zip(
            self.factors[:2], (-math.inf, math.inf if scaled else 0.0), strict=False
        ):
            fmt = self.numbers[name].format
            code = fmt.encode(value, overflow="saturate")
            here = signed if codes[name].ndim > 1 else signed[:, 0]
            codes[name][...] = np.where(here, code, codes[name])
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
            zero = (kind == 3) & ~(signed & (name in self.factors[:2]))
            # Zeros of one sign, or of any in each lane.
            alike = zeros_of(rng, operand.format, (count, 1))
            each = zeros_of(rng, operand.format, column.shape)
            zeros = np.where(rng.random((count, 1)) < 0.5, alike, each)
            column[...] = np.where(zero, zeros, column)
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
        """Corners; of two thirds first a class is chosen, so that few-coded ones meet: any two
        operands in turn have every class of both.
        """
        found, some = {}, count // 3
        most = max(len(table) for table in self.classed.values())
        turn = rng.integers(0, most * most) + np.arange(count - some)
        first, second, number = turn % most, turn // most, 0
        for n, o in self.numbers.items():
            codes = self.corners[n][rng.integers(0, len(self.corners[n]), shape_of(o, count))]
            table, shape = self.classed[n], codes[some:].shape
            columns = rng.integers(0, table.shape[1], shape)
            rows = (second if number == 1 else first + second * max(number - 1, 0)) % len(table)
            number += len(table) > 1
            if o.lanes is not None:
                # One lane has the class in turn, the others any.
                one = np.arange(o.lanes) == rng.integers(0, o.lanes, (len(rows), 1))
                rows = np.where(one, rows[:, None], rng.integers(0, len(table), shape))
            codes[some:] = table[rows, columns]
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
        for name, column in self._uniform(rng, count // 4).items():
            fmt = self.numbers[name].format
            if isinstance(fmt, Float):
                column = column | fmt.code_dtype.type((1 << fmt.mantissa) - 1)
            codes[name][count // 4 : 2 * (count // 4)] = column
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
            total = np.nan_to_num(total)
            close = fmt.encode(total if self.subtracts else -total)
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
            codes[last][some:] = self._codes(rng, last, operand, count - some)
            few = some + (count - some) // 2
            for name, column in self._opposite(rng, count - few).items():
                codes[name][few:] = column
        return codes

    def _tied(self, rng: _Rng, count: int) -> Codes:
        """Exact results on a midpoint of two results, or a hair beside it."""
        assert self.ties is not None
        return self._steered(rng, count) | self.ties(rng, count)

    def _opposite(self, rng: _Rng, count: int) -> Codes:
        """Factors whose largest products cancel one another."""
        codes = {}
        for name in self.factors:
            operand = self.numbers[name]
            largest = rng.choice(ends(operand.format), shape_of(operand, count)[:1])
            shape = shape_of(operand, count)
            column = largest.reshape(-1, *[1] * (len(shape) - 1))
            codes[name] = np.broadcast_to(column, shape).copy()
        vectors = [n for n in self.factors if self.numbers[n].lanes is not None]
        return self._opposite_lanes(codes, vectors)

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
