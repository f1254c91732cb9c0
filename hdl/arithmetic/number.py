# SPDX-License-Identifier: BSD-2-Clause
"""Unpacking and products: codes to sign, significand and exponent, once for every unit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from macaw.golden.arithmetic.factors import Product
from macaw.golden.formats import Book, Fixed, Float, Format, Posit, Specials, Subnormals

from ..schedule.labels import scoped
from ..schedule.scheduler import Scheduler
from ..schedule.table import lookup
from ..schedule.wire import Wire, cat
from .integers import integer
from .shift import leading_zeros, shift_left

__all__ = [
    "Number",
    "Special",
    "combine_special",
    "from_integer",
    "multiplied",
    "multiply",
    "unpack",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Special:
    """NaN and infinity beside the arithmetic; all wires are single bits."""

    nan: Wire
    infinite: Wire
    negative: Wire
    invalid: Wire


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    """``(-1)**sign * significand * 2**(exponent + offset)`` in gates.

    Attributes
    ----------
    sign, zero : Wire
        Single bits. ``zero`` means that the significand is zero.
    significand : Wire
        Unsigned for a float. For fixed point the signed integer itself: :meth:`magnitude`
        gives its absolute value.
    exponent : Wire
        Never negative; constant for fixed point.
    offset : int
        The constant part of the exponent of the significand's last bit.
    lowest : list of (int, int)
        Bounds for the alignment of sums, one pair for each kind of operand: the index of the
        leading one is at least the first, while the exponent of the last bit is at most the
        second.
    special : Special
    multiple : int, optional
        Every value is a multiple of ``2**multiple``, where that is more than :attr:`quantum`.
    factors : pair of Number, optional
        What it is the exact product of, where a sum may multiply them in another way.
    """

    pipeline: Scheduler
    sign: Wire
    zero: Wire
    significand: Wire
    exponent: Wire
    offset: int
    lowest: tuple[tuple[int, int], ...]
    special: Special
    multiple: int | None = None
    factors: "tuple[Number, Number] | None" = None

    @property
    def quantum(self) -> int:
        """Smallest exponent of the last bit."""
        return self.exponent.low + self.offset

    @property
    def last(self) -> int:
        """Exponent of the last place that every value needs."""
        return self.quantum if self.multiple is None else self.multiple

    @property
    def top(self) -> int:
        """Largest exponent of the last bit."""
        return self.exponent.high + self.offset

    def negated(self) -> "Number":
        """The number with the opposite sign."""
        p, special = self.pipeline, self.special
        significand = self.significand
        if self.exponent.constant is not None:
            significand = p.subtract(0, significand)
        special = replace(special, negative=~special.negative)
        return replace(self, sign=~self.sign, significand=significand, special=special)

    @property
    def magnitude(self) -> Wire:
        """Absolute value of the significand."""
        if not self.significand.signed:
            return self.significand
        width = len(self.significand)
        flipped = self.significand.bits(width) ^ self.sign
        bound = max(-self.significand.low, self.significand.high)
        return self.pipeline.add(flipped, self.sign).within(0, bound)

    @property
    def signed(self) -> Wire:
        """The significand as a signed integer."""
        if self.significand.signed or self.sign.constant == 0:
            return self.significand
        flipped = (self.significand.bits(len(self.significand) + 1) ^ self.sign).as_signed()
        bound = self.significand.high
        return self.pipeline.add(flipped, self.sign).within(-bound, bound)


def from_integer(p: Scheduler, word: Wire, quantum: int) -> Number:
    """An integer in units of ``2**quantum``."""
    never = p.constant(0, 1)
    return Number(
        pipeline=p,
        sign=word.negative,
        zero=~word.any(),
        significand=word,
        exponent=p.constant(0),
        offset=quantum,
        lowest=((0, quantum),),
        special=Special(nan=never, infinite=never, negative=never, invalid=never),
    )


def unpack(p: Scheduler, code: Wire, format: Format) -> Number:
    """Split a code of ``format`` into its fields (golden's ``unpack``)."""
    with p.scope(f"unpack_{code.name}" if code.name in p.inputs else "unpack"):
        if isinstance(format, Fixed):
            return _unpack_fixed(p, code, format)
        if isinstance(format, Book):
            return _unpack_book(p, code, format)
        if isinstance(format, Posit):
            return _unpack_posit(p, code, format)
        return _unpack_float(p, code, format)


def _unpack_fixed(p: Scheduler, code: Wire, format: Fixed) -> Number:
    never = p.constant(0, 1)
    word = integer(code, format)
    sign = code[-1] if format.signed else never
    return Number(
        pipeline=p,
        sign=sign,
        zero=~code.any(),
        significand=word,
        exponent=p.constant(0),
        offset=-format.fraction,
        lowest=((0, -format.fraction),),
        special=Special(nan=never, infinite=never, negative=sign, invalid=never),
    )


def _unpack_float(p: Scheduler, code: Wire, format: Float) -> Number:
    never, always = p.constant(0, 1), p.constant(1, 1)
    fraction = code[: format.mantissa]
    field = code[format.mantissa : format.mantissa + format.exponent]
    sign = p.name("sign", code[-1]) if format.signed else never
    low = ~field.any()
    empty = ~fraction.any() if format.mantissa else always
    zero = (low & empty) if format.zero else never
    if format.nan_for_negative_zero:
        zero = zero & ~sign

    if format.subnormals is Subnormals.NONE:
        hidden, exponent, least = ~zero if format.zero else always, field, 0
        zeroed = fraction
    else:
        hidden, least = ~low, 1
        exponent = (cat(field[0] | low, field[1:]) if len(field) > 1 else field[0] | low).within(
            1, (1 << format.exponent) - 1
        )
        zeroed = fraction
        if format.subnormals is Subnormals.FLUSH:
            zero, zeroed = low, fraction & hidden
            if format.nan_for_negative_zero:
                # The sign bit alone is no zero, but NaN.
                zero = zero & ~(sign & empty)
    significand = p.name("significand", cat(zeroed, hidden))
    zero = p.name("zero", zero)
    exponent = p.name("exponent", exponent)

    highest = (1 << format.exponent) - 1 - (format.specials is Specials.IEEE)
    offset = -format.bias - format.mantissa
    normal = (format.mantissa, highest + offset)
    subnormal = (0, least + offset)
    gradual = format.subnormals is Subnormals.GRADUAL
    return Number(
        pipeline=p,
        sign=sign,
        zero=zero,
        significand=significand,
        exponent=exponent.within(0, highest),
        offset=offset,
        lowest=(normal, subnormal) if gradual and format.mantissa else (normal,),
        special=_classify(p, code, field, fraction, sign, format),
    )


def _classify(
    p: Scheduler, code: Wire, field: Wire, fraction: Wire, sign: Wire, format: Float
) -> Special:
    never = p.constant(0, 1)
    nan, infinite, signalling = never, never, never
    if format.specials is Specials.IEEE:
        high, some = field.all(), fraction.any()
        nan, infinite = high & some, high & ~some
        signalling = nan & ~fraction[-1]
    elif format.specials is Specials.FN:
        nan = code[: format.mantissa + format.exponent].all()
    elif format.nan_for_negative_zero:
        nan = code[-1] & ~code[:-1].any()
        if format.has_inf:
            infinite = code[:-1].all()
    elif format.specials is Specials.EXTENDED:
        high = code[1:].all()
        nan, infinite = high & code[0], high & ~code[0]
    nan, infinite = p.name("nan", nan), p.name("infinite", infinite)
    return Special(nan=nan, infinite=infinite, negative=sign, invalid=signalling)


def _unpack_book(p: Scheduler, code: Wire, format: Book) -> Number:
    never = p.constant(0, 1)
    places = [math.frexp(value)[1] - format.precision for value in format.values]
    if format.uniform:
        places = [format.quantum] * len(places)
    pairs = zip(format.values, places, strict=True)
    words = [int(Fraction(value) / Fraction(2) ** place) for value, place in pairs]
    # Where it has an exponent of its own, a significand has no sign.
    word = lookup(p, code, words if format.uniform else [abs(word) for word in words])
    raised = [
        place - format.quantum if word else 0 for word, place in zip(words, places, strict=True)
    ]
    sign = _flag(p, code, [math.copysign(1.0, value) < 0 for value in format.values])
    least = min(abs(word).bit_length() for word in words if word)
    return Number(
        pipeline=p,
        sign=p.name("sign", sign),
        zero=p.name("zero", _flag(p, code, [not word for word in words])),
        significand=p.name("significand", word),
        exponent=p.name("exponent", lookup(p, code, raised)),
        offset=format.quantum,
        lowest=((least - 1, format.quantum + max(raised)),),
        special=Special(nan=never, infinite=never, negative=sign, invalid=never),
    )


def _unpack_posit(p: Scheduler, code: Wire, format: Posit) -> Number:
    never, size = p.constant(0, 1), format.width
    none = ~code[:-1].any()
    zero, nar = p.name("zero", none & ~code[-1]), p.name("nar", none & code[-1])
    sign = p.name("sign", code[-1])
    body = p.name("body", p.add(code[:-1] ^ sign, sign).bits(size - 1))
    # Bits that repeat the first one are counted. A run of zeros ends where the code does at last,
    # so that zero and NaR have the exponent of the least number.
    first = body[-1]
    below = body[:-1] ^ first
    marked = cat(p.constant(1, 1), below[0] | ~first, below[1:])
    run = leading_zeros(p, marked).within(0, size - 2)
    with p.scope("shift"):
        bits = format.exponent + format.fraction
        rest = p.constant(0, bits)
        if size > 3:
            rest, _ = shift_left(p, body[: size - 3], run, bits)
    fraction, field = rest[: format.fraction], rest[format.fraction :]
    # The regime is the count, or its complement below one: an offset leaves out the sign.
    regime = cat(run ^ ~first, first)
    one = 1 << (len(run) + format.exponent)
    exponent = cat(field, regime).within(one - format.emax, one + format.emax)
    return Number(
        pipeline=p,
        sign=sign,
        zero=zero,
        significand=p.name("significand", cat(fraction, ~none)),
        exponent=p.name("exponent", exponent),
        offset=-one - format.fraction,
        lowest=((format.fraction, format.emax - format.fraction),),
        multiple=format.quantum,
        special=Special(nan=nar, infinite=never, negative=sign, invalid=never),
    )


def _flag(p: Scheduler, code: Wire, holds: Sequence[bool]) -> Wire:
    """Whether what is asked holds for the code: one bit."""
    return lookup(p, code, [int(each) for each in holds]).bits(1)


def multiplied(
    p: Scheduler, product: Product | None, a: Number, b: Number, *, summed: bool = False
) -> Number:
    """The product as a unit has it: None is the exact one, which may be one word of a sum."""
    if product is not None:
        return _add_fractions(p, product, a, b)
    return multiply(p, a, b, summed=summed)


@scoped("multiply")
def _add_fractions(p: Scheduler, product: Product, a: Number, b: Number) -> Number:
    """L-Mul: fractions and an offset are added; zero is what has no hidden bit."""
    bits = product.mantissa
    formats = product.a, product.b
    hidden = [x.significand[f.mantissa] for x, f in zip((a, b), formats, strict=True)]
    fractions = [
        [p.constant(0, bits - f.mantissa), x.significand[: f.mantissa]]
        for x, f in zip((a, b), formats, strict=True)
    ]
    shown = p.name("nonzero", hidden[0] & hidden[1])
    offset = p.constant((1 << (bits - product.offset)) if product.offset else 0)
    if product.carry == "literal" and bits:
        total = p.name("fraction", p.sum([*(cat(*parts) for parts in fractions), offset]))
        exponent = a.exponent + b.exponent
        significand = cat(total[:bits], p.add(total[bits:], 1)) & shown
    else:
        # One adder: what the fractions carry goes on into the exponents.
        words = [
            cat(*parts, x.exponent).within(
                x.exponent.low << bits, ((x.exponent.high + 1) << bits) - 1
            )
            for parts, x in zip(fractions, (a, b), strict=True)
        ]
        total = p.name("total", p.sum([*words, offset]))
        exponent = total[bits:].within(total.low >> bits, total.high >> bits)
        significand = cat(total[:bits] & shown, shown) if bits else shown
    exponent = p.name("exponent", exponent)
    place = a.offset + b.offset + sum(f.mantissa for f in formats) - bits
    kinds = _classify_product(p, a, b, (~hidden[0], ~hidden[1]))
    return Number(
        pipeline=p,
        sign=kinds[0],
        zero=p.name("zero", ~shown),
        significand=p.name("product", significand),
        exponent=exponent,
        offset=place,
        lowest=((bits, exponent.high + place),),
        special=_special_product(a, b, *kinds),
    )


@scoped("multiply")
def multiply(p: Scheduler, a: Number, b: Number, *, summed: bool = False) -> Number:
    """The exact product. Zero times infinity is an invalid NaN."""
    kinds = _classify_product(p, a, b, (a.zero, b.zero))
    if a.exponent.constant is not None and b.exponent.constant is not None:
        significand = p.multiply(a.significand, b.significand)
    else:
        significand = p.multiply(a.magnitude, b.magnitude, summed=summed)
    significand = p.name("product", significand)
    lowest = tuple(
        (index_a + index_b, top_a + top_b)
        for index_a, top_a in a.lowest
        for index_b, top_b in b.lowest
    )
    return Number(
        pipeline=p,
        sign=kinds[0],
        zero=p.name("zero", a.zero | b.zero),
        significand=significand,
        exponent=_exponent(p, a, b),
        offset=a.offset + b.offset,
        lowest=lowest,
        multiple=None if a.multiple is None and b.multiple is None else a.last + b.last,
        special=_special_product(a, b, *kinds),
    )


def _exponent(p: Scheduler, a: Number, b: Number) -> Wire:
    """Of a product: a sum, of which a longer one takes the words where time is short."""
    exponent = a.exponent + b.exponent
    if p.delays.hurry and a.exponent.constant is None and b.exponent.constant is None:
        exponent.rows = (a.exponent, b.exponent)
    return p.name("exponent", exponent)


def _classify_product(p: Scheduler, a: Number, b: Number, zeros: Sequence[Wire]) -> Sequence[Wire]:
    """Sign of a product, whether it is NaN, and whether an infinity meets a zero."""
    sign = p.name("sign", a.sign ^ b.sign)
    bad = (a.special.infinite & zeros[1]) | (b.special.infinite & zeros[0])
    return sign, a.special.nan | b.special.nan | bad, bad


def _special_product(a: Number, b: Number, sign: Wire, nan: Wire, bad: Wire) -> Special:
    return Special(
        nan=nan,
        infinite=a.special.infinite | b.special.infinite,
        negative=sign,
        invalid=a.special.invalid | b.special.invalid | bad,
    )


@scoped("specials")
def combine_special(p: Scheduler, terms: Sequence[Special]) -> Special:
    """NaN and infinities of a sum: opposite infinities are an invalid NaN."""
    nan = cat(*(term.nan for term in terms)).any()
    invalid = cat(*(term.invalid for term in terms)).any()
    infinite = [term.infinite & ~term.nan for term in terms]
    plus = cat(*(x & ~term.negative for x, term in zip(infinite, terms, strict=True))).any()
    minus = cat(*(x & term.negative for x, term in zip(infinite, terms, strict=True))).any()
    clash = plus & minus
    return Special(nan=nan | clash, infinite=plus | minus, negative=minus, invalid=invalid | clash)
