# SPDX-License-Identifier: BSD-2-Clause
"""Exact sums: as one fixed-point number, or in a window, by whichever is narrower.

Sums of products that share a scale are scaled as a whole (:class:`Sum`).

Nothing is rounded here: every function gives a :class:`~macaw.hdl.arithmetic.number.Number`, or a
:class:`~macaw.hdl.arithmetic.projection.Unrounded`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from macaw.golden.errors import SpecError
from macaw.golden.formats.choices import Rounding

from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.wire import Wire, cat
from .number import Number, Special, combine_special, from_integer, multiply
from .paired import MOVED, moved_product, paired
from .projection import Unrounded
from .rounding import Rounder
from .unrounded import from_fixed, zero_sign
from .window_sums import add_sum, window_sum

__all__ = [
    "Sum",
    "add_up",
    "fixed_point",
    "join",
    "shift_up",
    "sum_products",
    "sum_width",
    "together",
]


def sum_products(
    p: Scheduler, products: Sequence[Number], addend: Number, rounder: Rounder, widest: int
) -> Unrounded:
    """``addend + sum(products)``, by whichever of the schemes is narrower."""
    terms = [*products, addend]
    special = combine_special(p, [term.special for term in terms])
    zero = zero_sign(p, rounder, [term.sign for term in terms])
    if all(term.exponent.constant is not None for term in terms):
        total = fixed_point(p, terms)
    else:
        if len(products) > 1:
            width = sum_width(products)
            if width > widest:
                raise SpecError(
                    f"accumulation=exact: the sum of the products needs {width} bits, and gates "
                    f"take at most {widest}; use accumulation=aligned(24)"
                )
        product = products[0] if len(products) == 1 else fixed_point(p, products)
        if product.exponent.constant is None or addend.exponent.constant is None:
            return window_sum(p, product, addend, rounder, special, zero)
        total = fixed_point(p, [product, addend])
    return from_fixed(p, total, rounder, special, zero)


def fixed_point(p: Scheduler, terms: Sequence[Number]) -> Number:
    """The exact sum of numbers as one signed fixed-point number."""
    terms = paired(p, terms)
    quantum = min(term.last for term in terms)
    words, carries, low, high = [], [], 0, 0
    with p.scope("align"):
        for term in terms:
            up = term.quantum - quantum
            word = _shift_up(p, term.significand, term)
            if up < 0:
                # Nothing but zeros, of which the shifter knew nothing.
                word, up = _without_last(word, -up), 0
            if not word.signed and term.sign.constant is None:
                # Shifted before it is complemented: what the shifter moves is narrower.
                low, high = low - (word.high << up), high + (word.high << up)
                word = word.shifted_left(up)
                word = cat(word.bits(len(word)) ^ term.sign, term.sign).as_signed()
                carries.append(term.sign)
            elif word.signed or term.sign.constant == 0:
                low, high = low + (word.low << up), high + (word.high << up)
                word = word.shifted_left(up)
            else:
                word = p.subtract(0, word.shifted_left(up))
                low = low + word.low
            words.append(word)
    return _total(p, words, carries, (low, high), quantum)


def _without_last(word: Wire, count: int) -> Wire:
    """``word`` without its last ``count`` bits, all zeros."""
    low, high = word.low >> count, word.high >> count
    kept = word[count:]
    return (kept.as_signed() if word.signed else kept).within(low, high)


@scoped("add")
def _total(
    p: Scheduler,
    words: Sequence[Wire],
    carries: Sequence[Wire],
    bounds: tuple[int, int],
    quantum: int,
) -> Number:
    """The sum of words in units of ``2**quantum``, which lies within ``bounds``."""
    total = p.name("total", p.sum(words, carries).within(*bounds))
    return from_integer(p, total, quantum)


def shift_up(p: Scheduler, term: Number) -> Wire:
    """A float as a signed integer in units of its smallest last place."""
    return _shift_up(p, term.signed, term)


@scoped("align")
def _shift_up(p: Scheduler, word: Wire, term: Number) -> Wire:
    """``word`` shifted up by the exponent of ``term``, whose significand it is."""
    limit = term.significand.high << (term.exponent.high - term.exponent.low)
    amount, spare = term.exponent, term.exponent.low
    if not p.shares or len(amount) > (amount.high - spare).bit_length():
        amount, spare = amount - spare, 0
    moved = None if word.signed else moved_product(p, term, amount)
    first = 0 if moved is None else MOVED
    word = word if moved is None else moved
    for level in range(first, len(amount)):
        step = 1 << level
        word = p.mux(amount[level], word.shifted_left(step), word, "shifted")
    if spare:
        # Zeros, which are cheaper than a subtraction.
        word = _without_last(word, spare)
    low = -limit if word.signed else 0
    if term.significand.signed:
        low = term.significand.low << (term.exponent.high - term.exponent.low)
    return word.within(low, limit)


def sum_width(terms: Sequence[Number], count: int = 1) -> int:
    """Width of the exact fixed-point sum of ``count`` times these terms."""
    quantum = min(term.last for term in terms)
    bound = sum(_bound(term) << max(term.top - quantum, 0) for term in terms)
    return (bound * count).bit_length() + 1


def _bound(term: Number) -> int:
    return max(term.significand.high, -term.significand.low)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sum:
    """An exact sum of products, and what is to be known of them besides.

    Attributes
    ----------
    number : Number
        Its own ``special`` and ``sign`` are not looked at.
    nan, plus, minus, invalid : Wire
        Whether some product is a NaN, +infinity, -infinity, or the result of an invalid operation.
    every, some : Wire
        Whether every, and whether some, product is negative.
    zero : Wire
        Whether some product is zero.
    """

    number: Number
    nan: Wire
    plus: Wire
    minus: Wire
    invalid: Wire
    every: Wire
    some: Wire
    zero: Wire

    @classmethod
    def of(cls, p: Scheduler, terms: Sequence[Number], widest: int) -> "Sum":
        """The sum of some products."""
        number = add_up(p, terms, widest)
        special = combine_special(p, [term.special for term in terms])
        with p.scope("specials"):
            signs = cat(*(term.sign for term in terms))
            return cls(
                number=number,
                nan=special.nan,
                plus=special.infinite & ~special.negative,
                minus=special.infinite & special.negative,
                invalid=special.invalid,
                every=signs.all(),
                some=signs.any(),
                zero=cat(*(term.zero for term in terms)).any(),
            )

    @property
    def special(self) -> Special:
        """NaN and infinities."""
        clash = self.plus & self.minus
        return Special(
            nan=self.nan | clash,
            infinite=self.plus | self.minus,
            negative=self.minus,
            invalid=self.invalid | clash,
        )

    def gathered(self, p: Scheduler, last: Wire, width: int) -> "Sum":
        """The running sum, in ``width`` bits, which begins anew behind the beat ``last``."""
        word = p.accumulate(self.number.significand, last, width)
        return Sum(
            number=replace(self.number, significand=word, sign=word.negative, zero=~word.any()),
            nan=p.gather(self.nan, last),
            plus=p.gather(self.plus, last),
            minus=p.gather(self.minus, last),
            invalid=p.gather(self.invalid, last),
            every=~p.gather(~self.every, last),
            some=p.gather(self.some, last),
            zero=p.gather(self.zero, last),
        )

    def scaled(self, scale: Number | None) -> "Sum":
        """The sum times a scale: as if each product had been multiplied by it."""
        if scale is None:
            return self
        with scale.pipeline.scope("scale"):
            return self._scaled(scale.pipeline, scale)

    def _scaled(self, p: Scheduler, scale: Number) -> "Sum":
        flip, huge = scale.sign, scale.special.infinite
        plus, minus = self.plus, self.minus
        bad = (plus | minus) & scale.zero
        if huge.constant != 0:
            plus, minus = plus | (huge & ~self.every), minus | (huge & self.some)
            bad = bad | (huge & self.zero)
        return Sum(
            number=scale_number(p, self.number, scale),
            nan=self.nan | scale.special.nan | bad,
            plus=p.mux(flip, minus, plus),
            minus=p.mux(flip, plus, minus),
            invalid=self.invalid | bad,
            every=p.mux(flip, ~self.some, self.every),
            some=p.mux(flip, ~self.every, self.some),
            zero=self.zero | scale.zero,
        )


def together(p: Scheduler, sums: list[Sum], widest: int) -> Sum:
    """One sum of several."""
    if len(sums) == 1:
        return sums[0]

    def some(name: str) -> Wire:
        return cat(*(getattr(each, name) for each in sums)).any()

    return Sum(
        number=add_up(p, [each.number for each in sums], widest),
        every=cat(*(each.every for each in sums)).all(),
        **{name: some(name) for name in ("nan", "plus", "minus", "invalid", "some", "zero")},
    )


def add_up(p: Scheduler, terms: Sequence[Number], widest: int) -> Number:
    """The exact sum as one fixed-point number; of one term, the term."""
    if len(terms) == 1:
        return terms[0]
    width = sum_width(terms)
    if width > widest:
        raise SpecError(
            f"accumulation=exact: the sum of the products needs {width} bits, and gates "
            f"take at most {widest}; use accumulation=aligned(24)"
        )
    return fixed_point(p, terms)


@scoped("scale")
def scale_number(p: Scheduler, total: Number, scale: Number) -> Number:
    """A number times a scale; what is special about it is left to :class:`Sum`."""
    if not total.significand.signed:
        return multiply(p, total, scale)
    word = p.multiply(total.significand, scale.significand)
    if scale.sign.constant is None:
        flipped = (word.bits(len(word) + 1) ^ scale.sign).as_signed()
        bound = max(-word.low, word.high)
        word = p.add(flipped, scale.sign).within(-bound, bound)
    lowest = tuple(
        (index + other, top + above) for index, top in total.lowest for other, above in scale.lowest
    )
    return replace(
        total,
        sign=word.negative,
        zero=total.zero | scale.zero,
        significand=word,
        exponent=total.exponent + scale.exponent,
        offset=total.offset + scale.offset,
        lowest=lowest,
    )


def join(
    p: Scheduler, sums: Sequence[Sum], addend: Number, rounder: Rounder, widest: int
) -> Unrounded:
    """``addend`` plus exact sums."""
    total = add_up(p, [each.number for each in sums], widest)
    with p.scope("specials"):
        every = cat(*(each.every for each in sums), addend.sign).all()
        some = cat(*(each.some for each in sums), addend.sign).any()
        zero = p.mux(rounder.is_mode(Rounding.RDN), some, every)
        special = combine_special(p, [*(each.special for each in sums), addend.special])
    if total.exponent.constant is not None and addend.exponent.constant is not None:
        return from_fixed(p, fixed_point(p, [total, addend]), rounder, special, zero)
    joined = None
    if not p.delays.hurry or p.looping is not None:
        joined = add_sum(p, total, addend, rounder, special, zero)
    # Where time is short, the sum stays where it is: the addend is moved while it is made. Not in a
    # loop, whose addend comes last.
    return joined or window_sum(p, total, addend, rounder, special, zero)
