# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for functions of rows: docs/rows.md."""

import functools
from fractions import Fraction
from math import floor, isqrt

from . import functions as integers
from .arithmetic.functions import ln2, nearest
from .arithmetic.scalar import (
    TWO,
    code,
    floor_log2,
    integer,
    negative,
    number,
    product,
    project,
    total,
    value,
)

KINDS = (
    *("softmax", "rmsnorm", "layernorm", "int-softmax-rows"),
    *("softmax-sum", "softmax-merge"),
)
SPOILT = ("inf", "nan", "snan")
STEP = 8


@functools.cache
def root(power):
    """2**(1/2**power) to 300 bits, by bisection."""
    if power == 0:
        return Fraction(2)
    square, low = root(power - 1), 0
    for bit in reversed(range(302)):
        if Fraction(low | 1 << bit, 2**300) ** 2 <= square:
            low |= 1 << bit
    return Fraction(low, 2**300)


@functools.cache
def polynomial(bits, piece):
    """(c0, c1, c2) of a piece, and how t and the polynomial are cut."""
    h = max(-((3 - bits) // 3), 1)
    width = bits - h
    shift, cut = width + 3, max(width - 9, 0)
    drop = h + 7 - cut
    middle = Fraction(1)
    for place in range(h + 1):
        if (2 * piece + 1) >> place & 1:
            middle *= root(h + 1 - place)
    a = middle * 2**bits
    b, c, half = a * ln2() / 2**bits, a * (ln2() / 2**bits) ** 2 / 2, 2 ** (width - 1)
    c0 = nearest((a - b * half + c * half**2 + Fraction(1, 2)) * 2**shift)
    c1, c2 = nearest((b - 2 * c * half) * 2**shift), nearest(c * 2 ** (shift + cut + drop))
    return c0, c1, c2, width, shift, cut, drop


def logarithm(spec):
    """log2(base), as it is rounded."""
    cut = spec.bits + spec.reach + 2
    return Fraction(nearest(2**cut / ln2() if spec.base == "e" else 2**cut), 2**cut)


def power(x, spec):
    """(m, n): base**x is near m * 2**(n - bits)."""
    bits = spec.bits
    size = min(abs(number(x)), Fraction(2**spec.reach))
    y = floor(size * logarithm(spec) * 2**bits)
    n, f = divmod(-y if negative(x) else y, 2**bits)
    piece, t = divmod(f, 2 ** polynomial(bits, 0)[3])
    c0, c1, c2, _, shift, cut, drop = polynomial(bits, piece)
    slope = c1 + floor(Fraction(c2 * floor(Fraction(t, 2**cut)), 2**drop))
    return floor(Fraction(c0 + slope * t, 2**shift)), n


def few(x, bits):
    """x rounded to ``bits + 2`` bits."""
    place = floor_log2(x) - bits - 1
    return nearest(x / TWO**place) * TWO**place


def sums(spec, powers):
    """(s, its exponent or None) after each beat of powers, None what has none."""
    bits, aligned, s, top = spec.bits, spec.aligned, 0, None
    found = []
    for beat in powers:
        here = [each for each in beat if each is not None]
        if here:
            now = max(n // STEP * STEP for _, n in here)
            now = now if top is None else max(now, top)
            # In units of 2**(now - aligned).
            s = floor(s * TWO ** ((now if top is None else top) - now))
            s += sum(floor(m * TWO ** (n - bits - now + aligned)) for m, n in here)
            top = now
        found.append((s, top))
    return found


def softmax(spec, row):
    """The exact results of a row of beats of values, None what is not there."""
    every = [x for beat in row for x in beat if x is not None]
    finite = [x for x in every if x not in ("inf", "-inf", "nan", "snan")]
    if not finite or len(finite) + every.count("-inf") < len(every):
        return [[Fraction(0) if x is None else "nan" for x in beat] for beat in row]
    bits, aligned = spec.bits, spec.aligned
    powers = [[None if x in (None, "-inf") else power(x, spec) for x in beat] for beat in row]
    s, top = sums(spec, powers)[-1]
    k = floor_log2(Fraction(s))
    d = floor(s * TWO ** (bits + 1 - k))
    gamma, zeta = Fraction(spec.gamma), Fraction(spec.zeta)
    up = floor_log2(zeta - gamma)
    q = floor((zeta - gamma) * 2 ** (2 * bits + 3 - up) / d)
    place = aligned - k - 2 * bits - 2 - top + up
    less = few(-gamma, bits) if gamma else 0

    def result(each):
        if each is None:
            return Fraction(0)
        return min(max(each[0] * q * TWO ** (each[1] + place) - less, Fraction(0)), Fraction(1))

    return [[result(each) for each in beat] for beat in powers]


def epsilon(spec):
    """(eps as it is rounded, the exponent of its leading one before that)."""
    eps = Fraction(spec.eps)
    return few(eps, spec.bits), floor_log2(eps)


def reciprocal_root(count, v, up, bits):
    """sqrt(count / v * 2**up) with few bits."""
    k, j = floor_log2(Fraction(v)), floor_log2(Fraction(count))
    d = floor(v * TWO ** (bits + 1 - k))
    half, odd = divmod(j - k + up, 2)
    radicand = floor(count * TWO ** (2 * bits + 4 - j) / d) * 2 ** (bits - 1 + odd)
    return isqrt(radicand) * TWO ** (half - bits - 1)


def rmsnorm(spec, row):
    """The exact results of a row of beats of values, None what is not there."""
    every = [x for beat in row for x in beat if x is not None]
    if any(x in ("nan", "snan") for x in every):
        return [[Fraction(0) if x is None else "nan" for x in beat] for beat in row]
    endless = ("inf", "-inf")
    bits, aligned = spec.bits, spec.aligned
    eps, first = epsilon(spec)
    s, top = 0, first // STEP * STEP
    for beat in row:
        here = [abs(number(x)) for x in beat if x is not None and x not in endless]
        tops = [2 * max(floor_log2(x), spec.a.emin) + 1 for x in here if x]
        now = max([top, *(n // STEP * STEP for n in tops)])
        # In units of 2**(now - aligned).
        s = floor(s * TWO ** (top - now)) + sum(floor(x**2 * TWO ** (aligned - now)) for x in here)
        top = now
    count = len(every)
    v = max(s + floor(count * eps * TWO ** (aligned - top)), 1)
    q = reciprocal_root(max(count, 1), v, aligned, bits) * TWO ** (-top // 2)

    def result(x):
        if x is None:
            return Fraction(0)
        if x in endless:
            return "nan"
        zero = "-0" if negative(x) else Fraction(0)
        if any(each in endless for each in every) or not number(x):
            return zero
        return number(x) * q

    return [[result(x) for x in beat] for beat in row]


def toward_zero(x, place):
    """The integer of x in units of 2**place."""
    x = x / TWO**place
    return floor(x) if x >= 0 else -floor(-x)


def layernorm(spec, row):
    """The exact results of a row of beats of values, None what is not there."""
    every = [x for beat in row for x in beat if x is not None]
    if any(x in ("inf", "-inf", "nan", "snan") for x in every):
        return [[Fraction(0) if x is None else "nan" for x in beat] for beat in row]
    bits, aligned, count = spec.bits, spec.aligned, len(every)
    eps, first = epsilon(spec)
    s, squares, top = 0, 0, first // 2 // STEP * STEP
    for beat in row:
        here = [number(x) for x in beat if x is not None]
        tops = [max(floor_log2(abs(x)), spec.a.emin) // STEP * STEP for x in here if x]
        now = max([top, *tops])
        # In units of 2**(now - aligned), and of the square of that.
        words = [toward_zero(x, now - aligned) for x in here]
        s = floor(s * TWO ** (top - now)) + sum(words)
        squares = floor(squares * TWO ** (2 * (top - now))) + sum(word**2 for word in words)
        top = now
    v = max(count * squares - s**2, 0)
    v = max(v + floor(count**2 * eps * TWO ** (2 * (aligned - top))), 1)
    q = reciprocal_root(1, v, 0, bits)
    nothing = "-0" if str(spec.rounding) == "rdn" else Fraction(0)

    def result(x):
        if x is None:
            return Fraction(0)
        difference = count * toward_zero(number(x), top - aligned) - s
        if not difference:
            return nothing
        place = floor_log2(Fraction(abs(difference))) - bits - 1
        return toward_zero(Fraction(difference), place) * TWO**place * q

    return [[result(x) for x in beat] for beat in row]


EXACT = {"softmax": softmax, "rmsnorm": rmsnorm, "layernorm": layernorm}


def rounded(spec, row):
    """The codes of a row of beats."""
    values = [
        [value(a, spec.a) if there else None for a, there in zip(each["a"], each["keep"])]
        for each in row
    ]
    overflow = spec.overflow and str(spec.overflow)
    return [
        [
            project(scaled(spec, x, beat, lane), spec.out, str(spec.rounding), overflow)[0]
            for lane, x in enumerate(each)
        ]
        for each, beat in zip(EXACT[spec.kind](spec, values), row)
    ]


def scaled(spec, x, beat, lane):
    """A value times its weight, and with its bias; 0 where no element is."""
    if beat["keep"][lane] and "weight" in beat:
        x = product(x, value(beat["weight"][lane], spec.weight))[0]
    if beat["keep"][lane] and "bias" in beat:
        terms = [x, value(beat["bias"][lane], spec.bias)]
        x = total(terms, str(spec.rounding) == "rdn")[0]
    return x


def of_integers(spec, row):
    """The codes of a row of beats: the softmax of what is kept, 0 of what is not."""
    keep = [there for each in row for there in each["keep"]]
    x = [a for each in row for a in each["x"]]
    present = [a for a, there in zip(x, keep) if there]
    kept = iter(integers.row(spec, {"x": present}) if present else [])
    codes = [code(next(kept) if there else spec.zero_point, spec.out) for there in keep]
    return [codes[i : i + spec.lanes] for i in range(0, len(codes), spec.lanes)]


def rows_of(spec, beats):
    """The beats of each row."""
    held, longest = [], -(-spec.row // spec.lanes)
    for place, beat in enumerate(beats):
        held.append(beat)
        if beat["end"] or len(held) == longest or place == len(beats) - 1:
            yield held
            held = []


def merge(spec, beat):
    """The sum of two parts."""
    a, b = integer(beat["a_exponent"], spec.exponent), integer(beat["b_exponent"], spec.exponent)
    top, most = max(a, b), 2**spec.a.width - 1
    # 64 places down nothing is left.
    a, b = max(a, top - 64), max(b, top - 64)
    s = floor(beat["a"] * TWO ** (a - top)) + floor(beat["b"] * TWO ** (b - top))
    exponent, nan = code(top, spec.exponent), beat["a_nan"] | beat["b_nan"]
    return {"r": min(s, most), "exponent": exponent, "nan": nan}


def running(spec, row):
    """The sums of a row, after each of its beats."""
    values = [
        [value(a, spec.a) for a, there in zip(each["a"], each["keep"]) if there] for each in row
    ]
    nothing = ("-inf", *SPOILT)
    powers = [[power(x, spec) for x in beat if x not in nothing] for beat in values]
    least = -(2 ** max(floor(Fraction(2**spec.reach) * logarithm(spec)).bit_length(), 3))
    exponent = spec.ports.outputs["exponent"].format
    nan, results = 0, []
    for beat, (s, top) in zip(values, sums(spec, powers)):
        nan |= any(x in SPOILT for x in beat)
        top = least if top is None else top
        results.append({"r": s, "exponent": code(top, exponent), "nan": int(nan), "end": 0})
    results[-1]["end"] = 1
    return results


def evaluate(spec, beats):
    """The results of each beat, by name."""
    if spec.kind == "softmax-merge":
        return [merge(spec, beat) for beat in beats]
    if spec.kind == "softmax-sum":
        return [result for row in rows_of(spec, beats) for result in running(spec, row)]
    results = []
    for row in rows_of(spec, beats):
        codes = of_integers(spec, row) if "x" in row[0] else rounded(spec, row)
        ends = [*[0] * (len(row) - 1), 1]
        results += [{"r": r, "end": end} for r, end in zip(codes, ends)]
    return results
