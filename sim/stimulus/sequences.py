# SPDX-License-Identifier: BSD-2-Clause
"""Sequences of beats whose sum lies on a midpoint of two results, at an end of them, or a hair
beside it.

The first beats bring a number of the accumulator, or of the result where that is exact; the last
ones what makes it a tie. Each lane takes as many of the leading digits that are left as its first
factor has; the second one is a power of two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from macaw.golden.formats import Fixed, Float, Format
from macaw.golden.units import Operand

from ..bench.interface import Codes
from .ends import WIDEST, ends
from .ties import last_places, results, span

_Rng = np.random.Generator
LONGEST = 24
"""Beats of such a sequence."""
_TOP = 1021
"""Exponent of the largest numbers: sums with them are ones of float64."""


class TiedSequences:
    """Draws sequences for a unit that adds up products.

    Parameters
    ----------
    numbers : dict of str to Operand
        The factors: two, and scales.
    factors : sequence of str
    kept : Format
        What sums are rounded to: that of the accumulator, of an exact one the result's.
    exact : bool
        Whether the accumulator is exact: then a tie may take more than one beat.
    longest : int
        Most beats of a sequence.
    """

    def __init__(
        self,
        numbers: dict[str, Operand],
        factors: Sequence[str],
        kept: Float | Fixed,
        *,
        exact: bool,
        longest: int,
    ) -> None:
        self.numbers, self.kept = numbers, kept
        self.first, self.second, *self.scales = factors
        self.lanes = numbers[self.first].lanes or 1
        spans = {name: span(numbers[name].format) for name in factors}
        self.spans = spans
        self.low = sum(low for low, _ in spans.values())
        self.high = sum(high for _, high in spans.values())
        wide = sum(spans[n][1] - spans[n][0] for n in (self.first, self.second)) + 1
        digits = kept.width if isinstance(kept, Fixed) else kept.precision
        own = _digits(numbers[self.first].format)
        a_beat = min(own * self.lanes, wide) if self.scales else own * self.lanes
        self.before = -(-digits // max(a_beat, 1))
        self.far = False
        if isinstance(kept, Fixed):
            # A beat has powers of two for its second factors.
            beat = self.lanes * numbers[self.first].format.max
            beat *= 2.0 ** sum(spans[n][1] for n in factors[1:])
            needed = math.ceil(kept.max / beat) if beat > 0 else self.before
            self.far = needed > LONGEST - 2
            self.before = max(self.before, 0 if self.far else needed)
        elif isinstance(kept, Float) and self.high < self.low + kept.precision + 1:
            # One product is never rounded: so many are added up that their sum is.
            beat = self.lanes * numbers[self.first].format.max
            beat *= 2.0 ** sum(spans[n][1] for n in factors[1:])
            needed = math.ceil(2.0 ** (self.low + kept.precision + 1) / beat)
            if needed <= LONGEST - 2:
                self.before = max(self.before, needed)
                self.high = max(self.high, math.frexp(self.before * beat)[1] - 1)
        self.after = 1 + exact
        self.possible = self.beats <= min(longest, LONGEST)

    @staticmethod
    def fits(numbers: dict[str, Operand], factors: Sequence[str], *kept: Format) -> bool:
        """Whether a unit is one that this can draw for: of pairs, not of weights in parts."""
        formats = [*(operand.format for operand in numbers.values()), *kept]
        narrow = all(isinstance(fmt, Float | Fixed) and fmt.width <= WIDEST for fmt in formats)
        if len(factors) < 2 or set(numbers) != set(factors):
            return False
        return narrow and numbers[factors[0]].lanes == numbers[factors[1]].lanes

    @property
    def beats(self) -> int:
        """Of each sequence."""
        return self.before + self.after

    def draw(self, rng: _Rng, count: int, classed: int = 0) -> Codes:
        """``count`` sequences, one behind the other. ``classed`` of them, the first ones, bring a
        zero, a small or any number with all but the last beat.
        """
        whole, rest = self.values(rng, count)
        signs = rng.choice([-1.0, 1.0], count)
        nearest = rng.random(count) < 0.3
        if classed and isinstance(self.kept, Float):
            least = np.array(self.kept.min_code, self.kept.code_dtype)
            some = rng.choice([0, 1, 1, 2], classed)
            small = max(float(self.kept.decode(least)), 2.0**self.low) * rng.integers(1, 4, classed)
            whole[:classed] = np.choose(some, (0.0 * small, small, whole[:classed]))
        # Of some what makes a tie comes first, and the number with the last beat.
        turned = (rng.random(count) < 1 / 4) & isinstance(self.kept, Float)
        turned[:classed] = False
        if turned.any():
            whole = np.where(turned, np.ldexp(1.0, np.frexp(whole)[1] - 1), whole)
        first, last = np.where(turned, rest, whole), np.where(turned, whole, rest)
        left, made = first * signs, []
        for beat in range(self.beats):
            if beat == self.before:
                left = np.where(turned, 0.0, left) + last * signs
            codes, left = self.beat(rng, left, nearest)
            made.append(codes)
        # Of some all is zero, and all products have one sign.
        none = rng.random(count) < 1 / 16
        for codes in made:
            for name in (self.first, self.second):
                fmt, column = self.numbers[name].format, codes[name]
                zero = fmt.encode(0.0)
                if isinstance(fmt, Float) and fmt.negative_zero and name == self.first:
                    zero = fmt.encode(-0.0)
                column[none] = zero
        found = {name: np.stack([codes[name] for codes in made], 1) for name in made[0]}
        return {
            name: column.reshape(count * self.beats, *column.shape[2:])
            for name, column in found.items()
        }

    def values(self, rng: _Rng, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of what sums are rounded to, and what is to be added to make them ties."""
        return self._floats(rng, count) if isinstance(self.kept, Float) else self._ends(rng, count)

    def _floats(self, rng: _Rng, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the float, and half of their last places or a bit more or less."""
        fmt = self.kept
        assert isinstance(fmt, Float)
        code = results(rng, fmt, count)
        # Most of them where sums can be and have all their digits.
        low = max(fmt.emin, min(self.low + fmt.mantissa, self.high))
        top = min(fmt.emax, self.high)
        field = rng.integers(min(low, top), top + 1, count)
        near = np.maximum(top - rng.integers(0, 4, count), min(low, top))
        kind = rng.integers(0, 20, count)
        just, carry, lowest = kind < 3, (kind >= 3) & (kind < 7), (kind >= 7) & (kind < 10)
        near = np.where(carry, np.maximum(near, top - 1), near)
        field = np.where(just | carry | (rng.random(count) < 0.3), near, field) + fmt.bias
        fraction = rng.integers(0, 1 << fmt.mantissa, count)
        ones = carry | (rng.random(count) < 0.15)
        highest = np.maximum((1 << fmt.mantissa) - 1 - rng.integers(0, 2, count) * ~carry, 0)
        fraction = np.where(ones, highest, fraction)
        some = just | carry | (rng.random(count) < 0.5)
        code = np.where(some, (np.maximum(field, 0) << fmt.mantissa) | fraction, code)
        small = np.maximum(rng.integers(-2, 4, count), 0)
        small += rng.choice([0, max((1 << fmt.mantissa) - 2, 0)], count)
        code = np.where(lowest, small, code)
        code = np.where(kind >= 18, fmt.max_code, code)
        most = min(fmt.max_code, ((_TOP + 1 + fmt.bias) << fmt.mantissa) - 1)
        code = np.clip(code, 0 if fmt.zero else fmt.min_code, most)
        place = last_places(fmt, code) - 1
        value = fmt.decode(code.astype(fmt.code_dtype))
        # A part of a tie beside it: any, or so small a one that only sticky bits tell it.
        parts = np.where(
            rng.random(count) < 0.5, rng.integers(1, 4, count), rng.integers(1, 14, count)
        )
        parts = np.where(just, rng.choice([8, 8, 8, 9, 10], count), parts)
        sign = np.where(just, rng.choice([-1.0, 1.0], count), rng.choice([-1.0, 0, 0, 1.0], count))
        turn = np.where(just | carry, 1.0, rng.choice([1.0, 1.0, -1.0, 0.0, 2.0], count))
        tail = np.ldexp(1.0 + np.ldexp(sign, -parts), place) * turn
        # Of some nearly all is taken back.
        single = np.ldexp(1.0, np.clip(np.frexp(value)[1] - 1, self.low, self.high))
        least = np.maximum(
            np.ldexp(1.0, np.frexp(single)[1] - rng.integers(2, 50, count)), 2.0**self.low
        )
        back = rng.random(count) < 1 / 8
        return np.where(back, single, value), np.where(back, least - single, tail)

    def _ends(self, rng: _Rng, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Integers of the fixed point, and what is beyond them."""
        fmt = self.kept
        assert isinstance(fmt, Fixed)
        last = 2.0**-fmt.fraction
        value = np.abs(rng.choice(ends(fmt), count))
        tie = rng.integers(0, fmt.max_integer + 1, count) * last + last / 2
        value = np.where(rng.random(count) < 0.6, value, tie)
        whole = np.minimum(np.floor(value / last), fmt.max_integer) * last
        return whole, value - whole

    def beat(self, rng: _Rng, left: np.ndarray, nearest: np.ndarray) -> tuple[Codes, np.ndarray]:
        """A beat of as many digits as it takes, and what it leaves."""
        count, lanes = len(left), self.lanes
        first, second = (self.numbers[name].format for name in (self.first, self.second))
        made: Codes = {}
        top = self.spans[self.first][1] + self.spans[self.second][1]
        # Fewer than there are lanes, so that the largest products add up.
        power = np.frexp(left)[1] - 1 - top - rng.integers(0, lanes.bit_length(), count)
        moved = np.zeros(count, np.int64)
        for position, name in enumerate(self.scales):
            behind = [self.spans[n] for n in self.scales[position + 1 :]]
            least, most = self.spans[name]
            bottom = np.clip(power - moved - sum(high for _, high in behind), least, most)
            high = np.clip(power - moved - sum(low for low, _ in behind), least, most)
            chosen = rng.integers(bottom, np.maximum(bottom, high) + 1)
            moved += chosen
            operand = self.numbers[name]
            code = operand.format.encode(np.ldexp(1.0, chosen))
            wide = operand.lanes is not None
            made[name] = np.repeat(code[:, None], operand.lanes or 1, axis=1) if wide else code
        columns: dict[str, list[np.ndarray]] = {self.first: [], self.second: []}
        least, most = self.spans[self.second]
        for _ in range(lanes):
            length = np.frexp(left)[1] - 1 - moved
            low = np.clip(length - self.spans[self.first][1], least, most)
            high = np.clip(length - self.spans[self.first][0] - _digits(first) + 1, least, most)
            chosen = rng.integers(low, np.maximum(low, high) + 1)
            weight = np.ldexp(1.0, chosen)
            if second.signed and _digits(second) > 1:
                weight = weight * rng.choice([-1.0, 1.0], count)
            code = second.encode(weight)
            weight = np.ldexp(np.asarray(second.decode(code)), moved)
            with np.errstate(all="ignore"):
                wanted = np.nan_to_num(left / weight, posinf=0.0, neginf=0.0)
            # Cut, no part of the sum is beyond it; rounded, powers of two cancel.
            cut = first.encode(wanted, rounding="rtz")
            other = np.where(nearest, first.encode(wanted), cut).astype(cut.dtype)
            left = left - np.asarray(first.decode(other)) * weight
            columns[self.first].append(other)
            columns[self.second].append(code)
        order = rng.permuted(np.tile(np.arange(lanes), (count, 1)), axis=1)
        for name, found in columns.items():
            together = np.take_along_axis(np.stack(found, 1), order, 1)
            made[name] = together if self.numbers[name].lanes is not None else together[:, 0]
        return made, left


class LedSequences:
    """Draws long sequences that end at an end of a fixed point's range, or just beyond it.

    The largest factors lead, and what is then missing follows: so it is where the end is too far
    for :class:`TiedSequences`.

    Parameters
    ----------
    tied : TiedSequences
        Of two factors in fixed point and without scales, and of such a result.
    """

    BEYOND = (0, 1, 2)
    """Last places."""

    def __init__(self, tied: TiedSequences) -> None:
        self.tied = tied
        assert isinstance(tied.kept, Fixed)
        self.kept = tied.kept
        formats = [tied.numbers[name].format for name in (tied.first, tied.second)]
        self.largest = [fmt.max for fmt in formats]
        self.turned = next((n for n, fmt in enumerate(formats) if fmt.signed), None)
        both = self.kept.signed and self.turned is not None
        self.signs = (1.0, -1.0) if both else (1.0,)
        beat = tied.lanes * self.largest[0] * self.largest[1]
        self.lead = int(self.kept.max / beat)
        digits = sum(_digits(fmt) for fmt in formats)
        self.beats = self.lead + 3 + -(-digits // _digits(formats[0]))
        self.left = self.kept.max_integer * 2.0**-self.kept.fraction - self.lead * beat

    @classmethod
    def of(cls, tied: TiedSequences, longest: int) -> LedSequences | None:
        """Those of a unit, if it needs them and may have so long ones."""
        formats = [operand.format for operand in tied.numbers.values()]
        if tied.scales or not all(isinstance(fmt, Fixed) for fmt in (*formats, tied.kept)):
            return None
        if any(fmt.max <= 0 for fmt in formats):
            return None
        made = cls(tied)
        return made if tied.far and made.beats <= longest else None

    def draw(self, rng: _Rng) -> Codes:
        """One for each end and distance, one behind the other."""
        tied, lanes = self.tied, self.tied.lanes
        signs = np.repeat(self.signs, len(self.BEYOND))
        least = self.kept.min_integer * 2.0**-self.kept.fraction
        beyond = np.tile(self.BEYOND, len(self.signs)) * 2.0**-self.kept.fraction
        left = self.left + beyond + np.where(signs < 0, -least - self.kept.max, 0.0)
        left, count, made = left * signs, len(signs), []
        for _ in range(self.beats - self.lead):
            codes, left = tied.beat(rng, left, np.zeros(count, bool))
            made.append(codes)
        found = {}
        for number, name in enumerate((tied.first, tied.second)):
            operand = tied.numbers[name]
            turns = signs if number == self.turned else np.ones(count)
            code = operand.format.encode(self.largest[number] * turns)
            shape = (count, self.lead) if operand.lanes is None else (count, self.lead, lanes)
            ahead = np.broadcast_to(code.reshape(-1, *[1] * (len(shape) - 1)), shape)
            column = np.concatenate([ahead, np.stack([each[name] for each in made], 1)], 1)
            found[name] = column.reshape(count * self.beats, *column.shape[2:])
        return found


def tied_lanes(
    numbers: dict[str, Operand], factors: Sequence[str], result: Format
) -> Callable[[_Rng, int], Codes] | None:
    """What draws lanes whose sum makes a tie of the addend, or is one nearly alone; None where
    there are no lanes, or no addend beside them."""
    last = list(numbers)[-1]
    products = {name: numbers[name] for name in factors}
    if last in products or set(numbers) != {*products, last} or not isinstance(result, Float):
        return None
    fmt = numbers[last].format
    if numbers[last].lanes is not None or all(o.lanes is None for o in products.values()):
        return None
    if not TiedSequences.fits(products, factors, result, fmt):
        return None
    tied = TiedSequences(products, factors, result, exact=False, longest=1)

    def draw(rng: _Rng, count: int) -> Codes:
        signs = rng.choice([-1.0, 1.0], count)
        whole, rest = tied.values(rng, count)
        with np.errstate(all="ignore"):
            # Of some the addend has all that is not cut off.
            short = np.nan_to_num(fmt.decode(fmt.encode(whole)), posinf=0.0, neginf=0.0)
        only = rng.random(count) < 0.5
        whole = np.where(only, short, whole)
        total = whole + rest
        power = np.ldexp(1.0, np.frexp(total)[1])
        parts = np.stack([whole, rest, total - power, np.zeros(count)])
        which = rng.integers(0, 4, count) * (~only | (rng.random(count) < 0.3))
        part = parts[which, np.arange(count)]
        with np.errstate(all="ignore"):
            addend = fmt.encode(part * signs)
            left = total * signs - np.nan_to_num(fmt.decode(addend), posinf=0.0, neginf=0.0)
        codes, _ = tied.beat(rng, left, rng.random(count) < 0.3)
        return codes | {last: addend}

    return draw


def _digits(fmt: Format) -> int:
    """Digits of the significands of a format."""
    return fmt.width - fmt.signed if isinstance(fmt, Fixed) else fmt.precision
