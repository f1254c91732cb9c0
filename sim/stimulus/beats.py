# SPDX-License-Identifier: BSD-2-Clause
"""Beats of units that add up: where sequences end, and which of them have sums that matter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.units import Operand, Unit

from ..bench.interface import Codes
from .boundaries import sequences
from .codes import negate, nudge, positive
from .corners import ends
from .middles import short_ties
from .sequences import LedSequences, TiedSequences
from .ties import products

LONGEST = 400
"""Beats of a sequence that is not a full one, unless the unit allows fewer."""

_Rng = np.random.Generator
_Draw = Callable[[_Rng, int], Codes]


class Beats:
    """Draws where sequences end, and changes some of them.

    Parameters
    ----------
    unit : Unit
    numbers : dict of str to Operand
        Its operands.
    result : Format
    crossed, opposite : function
        What draw operands of each class with others, and lanes that cancel.
    """

    def __init__(
        self,
        unit: Unit,
        numbers: dict[str, Operand],
        result: Format,
        crossed: _Draw,
        opposite: _Draw,
    ) -> None:
        self.numbers, self.result = numbers, result
        self.crossed, self.opposite = crossed, opposite
        self.names = list(numbers)
        self.factors = [name for name in unit.multiplied if name in numbers]
        self.flex = "r_scale" in unit.ports.inputs
        self.channels: int = getattr(unit, "channels", 0)
        self.takes_back = unit.accumulates
        lanes = max((o.lanes or 1 for o in numbers.values()), default=1)
        terms = getattr(unit, "terms", None)
        self.longest, self.full = LONGEST, 0
        if isinstance(terms, int):
            self.longest = max(1, min(self.longest, terms // lanes))
            if getattr(unit, "contexts", 1) == 1 and not self.channels:
                self.full = terms // lanes
        self.led: LedSequences | None = None
        self.tied_product: _Draw | None = None
        self.tied = self._sequences(unit) if unit.accumulates else None

    def draw(self, rng: _Rng, codes: Codes, count: int) -> np.ndarray:
        """``last`` of ``count`` beats, of whose operands some are changed in ``codes``."""
        last = sequences(rng, count, self.longest)
        if self.takes_back:
            self._take_back(rng, codes, last)
        if self.tied is not None:
            self._tie(rng, self.tied, codes, last)
        taken = 0 if self.led is None else self._lead(rng, self.led, codes, last)
        if not self.flex:
            self._grow(rng, codes, last, taken)
        if 0 < self.full <= count // 4:
            self._fill(rng, codes, last, taken)
        return last

    def _take_back(self, rng: _Rng, codes: Codes, last: np.ndarray) -> None:
        """Some beats are the one before with the other sign, more of them behind the first one of
        a sequence.
        """
        first, count = self.names[0], len(last)
        fmt = self.numbers[first].format
        if count < 2 or not fmt.signed:
            return
        share = np.full(count - 1, 0.1)
        share[1:][last[: count - 2] == 1] = 0.2
        beats = 1 + np.flatnonzero(rng.random(count - 1) < share)
        for name in self.names:
            codes[name][beats] = codes[name][beats - 1]
        back = negate(codes[first][beats], fmt)
        codes[first][beats] = np.where(rng.random(back.shape) < 0.5, back, nudge(rng, back, fmt))
        ended = beats[rng.random(len(beats)) < 0.2]
        if not self.flex and not self.channels:
            last[ended[(ended > 1) & (last[ended - 2] == 1)]] = 1

    def _sequences(self, unit: Unit) -> TiedSequences | None:
        """What draws sequences with ties; None for units of other sums."""
        acc = getattr(unit, "acc", None)
        if getattr(unit, "contexts", 1) > 1 or getattr(unit, "beats", 1) > 1:
            return None
        kept = acc if isinstance(acc, Float | Fixed) else self.result
        if not isinstance(kept, Float | Fixed):
            return None
        if not TiedSequences.fits(self.numbers, self.factors, kept):
            return None
        exact = not isinstance(acc, Float | Fixed)
        made = TiedSequences(self.numbers, self.factors, kept, exact=exact, longest=self.longest)
        self.led = LedSequences.of(made, self.full)
        operands = self.numbers, self.factors, kept
        self.tied_product = short_ties(*operands) or products(*operands)
        return made if made.possible else None

    def _tie(self, rng: _Rng, tied: TiedSequences, codes: Codes, last: np.ndarray) -> None:
        """Some sequences, of a third of the beats, have a sum that is tied."""
        count, beats = len(last), tied.beats
        if 5 * beats > count:
            return
        places = rng.permutation(count // beats)[: count // (3 * beats)] * beats
        rows = (places[:, None] + np.arange(beats)).ravel()
        classed = len(places) // 5
        for name, column in tied.draw(rng, len(places), classed).items():
            codes[name][rows] = column
        if classed:
            # What is in the accumulator then meets operands of every class, or a product that is
            # a tie without it.
            made = self.crossed(rng, classed)
            if self.tied_product is not None:
                half = classed // 2
                for name, column in self.tied_product(rng, half).items():
                    made[name][:half] = column
            elif any(self.numbers[name].lanes is not None for name in self.factors):
                third = classed // 3
                for name, column in self.opposite(rng, third).items():
                    made[name][:third] = column
            for name, column in made.items():
                codes[name][places[:classed] + beats - 1] = column
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
                table = ends(fmt)
                codes[name][beats] = rng.choice(table[np.asarray(fmt.decode(table)) != 0])

    def _grow(self, rng: _Rng, codes: Codes, last: np.ndarray, first: int) -> None:
        """A quarter of the longer sequences from ``first`` on have products of one sign, most of
        them large: their sums grow, and small products come to them then.
        """
        stops = np.flatnonzero(last)
        starts = np.concatenate([[0], stops[:-1] + 1])
        long = (stops - starts >= 8) & (starts >= first) & (rng.random(stops.size) < 0.25)
        beats = np.zeros(len(last) + 1, np.int64)
        beats[starts[long]] += 1
        beats[stops[long] + 1] -= 1
        rows = np.flatnonzero(np.cumsum(beats[:-1]))
        for name in self.factors:
            fmt = self.numbers[name].format
            if not isinstance(fmt, Float | Fixed) or fmt.width > 60:
                return
            column = codes[name][rows]
            largest = np.asarray(fmt.encode(fmt.max), column.dtype)
            some = rng.random(len(rows)) < 0.8
            large = np.where(some[:, None] if column.ndim > 1 else some, largest, column)
            codes[name][rows] = positive(large, fmt)
