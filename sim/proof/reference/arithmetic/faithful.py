# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for functions of wide floats: one operand at a time, in fractions."""

import functools
import importlib
from fractions import Fraction
from math import floor
from typing import Any

from .scalar import floor_log2

gmpy2: Any = importlib.import_module("gmpy2")  # its stubs leave out what this needs
PRECISION = 400
BENDS = {  # half of the second derivative, and the third one: no more than that
    "power": (Fraction(1, 2), Fraction(2, 3)),
    "reciprocal": (Fraction(1), Fraction(6)),
    "root": (Fraction(3, 8), Fraction(15, 8)),
    "log": (Fraction(1, 3), Fraction(3, 2)),
    "log2": (Fraction(1, 2), Fraction(13, 6)),
    "tangent": (Fraction(1, 12), Fraction(1, 5)),
    "sine": (Fraction(2, 25), Fraction(1, 35)),
}


def nearest(x):
    """The nearest integer to an mpfr number."""
    return int(gmpy2.rint(x))


def derivatives(curve, region, f):
    """(value, first derivative, second derivative) at an mpfr fraction."""
    if curve == "power":
        ln2 = gmpy2.log(gmpy2.mpfr(2))
        return tuple(gmpy2.exp2(f) * ln2**order for order in range(3))
    if curve == "reciprocal":
        return 1 / (1 + f), -1 / (1 + f) ** 2, 2 / (1 + f) ** 3
    if curve == "root":
        scale = 1 / gmpy2.sqrt(gmpy2.mpfr(2) ** region)
        u = 1 / gmpy2.sqrt(1 + f)
        return scale * u, -scale * u**3 / 2, 3 * scale * u**5 / 4
    if curve == "tangent":
        # g(x) = tanh(x) / x, and x = f / 2
        x = f / 2
        t, s = gmpy2.tanh(x), gmpy2.sech(x) ** 2
        return t / x, (s * x - t) / x**2 / 2, (2 * t - 2 * s * x - 2 * t * s * x**2) / x**3 / 4
    if curve == "sine":
        # sin(c y) / y, and f = y**2
        y, c = gmpy2.sqrt(f), gmpy2.const_pi() / 2
        s, k = gmpy2.sin(c * y), c * y * gmpy2.cos(c * y)
        return s / y, (k - s) / y**3 / 2, (3 * s - 3 * k - c**2 * f * s) / y**5 / 4
    # h(m) = log(m) / (m - 1)
    half = gmpy2.mpfr(1) if f < gmpy2.mpfr(1) / 2 else gmpy2.mpfr(1) / 2
    m = (1 + f) * half
    d, ln = m - 1, gmpy2.log(m)
    scale = 1 if curve == "log" else 1 / gmpy2.log(gmpy2.mpfr(2))
    first = (d / m - ln) / d**2
    second = (2 * ln - 2 * d / m - d**2 / m**2) / d**3
    return scale * ln / d, scale * first * half, scale * second * half**2


@functools.cache
def shape(curve, bits, width):
    """(bits of the piece's number, cut)."""
    bend, third = BENDS[curve]
    pieces = 1
    while third * Fraction(2) ** (bits - 3 * pieces) / 48 > Fraction(1, 4):
        pieces += 1
    pieces = min(pieces, width)
    rest, cut = width - pieces, 0
    while cut < rest and bend * Fraction(2) ** (bits - 2 * width + rest + cut + 1) <= Fraction(
        1, 8
    ):
        cut += 1
    return pieces, cut


@functools.cache
def coefficients(curve, bits, width, region, piece, less):
    """(c0, c1, c2)."""
    pieces, _ = shape(curve, bits, width)
    rest = width - pieces
    shift = rest + 3
    with gmpy2.context(precision=PRECISION):
        middle = gmpy2.mpfr(2 * piece + 1) / 2 ** (pieces + 1)
        a, b, c = derivatives(curve, region, middle)
        step = gmpy2.mpfr(2) ** -width
        a, b, c = (x * gmpy2.mpfr(2) ** bits for x in (a, b * step, c * step * step / 2))
        t = gmpy2.mpfr(2) ** rest / 2
        one = gmpy2.mpfr(2) ** shift
        c0 = nearest((a - b * t + c * t * t + gmpy2.mpfr(1) / 2 - less) * one)
        return c0, nearest((b - 2 * c * t) * one), nearest(c * one * gmpy2.mpfr(2) ** rest)


def kernel(curve, bits, width, place, region=0, less=0):
    """A curve of ``place / 2**width``, in units of ``2**-bits``."""
    pieces, cut = shape(curve, bits, width)
    rest = width - pieces
    piece, t = divmod(place, 2**rest)
    c0, c1, c2 = coefficients(curve, bits, width, region, piece, less)
    slope = c1 + floor(Fraction(c2 * floor(Fraction(t, 2**cut)), 2 ** (rest - cut)))
    return floor(Fraction(c0 + slope * t, 2 ** (rest + 3)))


def ln2(factor, places):
    """The nearest multiple of ``2**-places`` to ``factor * ln 2``, or to ``factor / ln 2``."""
    with gmpy2.context(precision=PRECISION):
        ln = gmpy2.log(gmpy2.mpfr(2))
        return nearest((factor * ln if factor > 0 else -factor / ln) * gmpy2.mpfr(2) ** places)


def reach(name, spec):
    """Operands of a magnitude of ``2**reach`` and more are as that."""
    need = max(spec.out.emax + 2, 3 - spec.out.quantum)
    bits = 0
    # need * ln 2 is no power of two.
    while (need if name == "exp2" else Fraction(ln2(need, 64), 2**64)) > 2**bits:
        bits += 1
    return min(max(bits, 1), max(spec.a.emax + 1, 1))


def power(name, spec, bits, x):
    """(m, n): the power of x is near ``m * 2**(n - bits)``."""
    up = reach(name, spec)
    cut = bits + up + 2
    factor = Fraction(2**cut if name == "exp2" else ln2(-1, cut), 2**cut)
    y = floor(min(abs(x), Fraction(2**up)) * factor * 2**bits)
    n, f = divmod(-y if x < 0 else y, 2**bits)
    return kernel("power", bits, bits, f), n


def denominator(spec, bits, x):
    """(m, n, p, r) of ``e**-x`` of a positive x."""
    m, n = power("exp", spec, bits, -x)
    p = min(floor(m * Fraction(2) ** n), 2**bits - 1)
    return m, n, p, kernel("reciprocal", bits + 1, bits, p)


@functools.cache
def quarters(exponent, places):
    """``2**exponent`` in quarters of a turn, 4 of which are none: in so many places."""
    with gmpy2.context(precision=2 * PRECISION + max(exponent, 0) + places):
        quarter = gmpy2.mpfr(2) ** (exponent + places + 1) / gmpy2.const_pi()
        return int(gmpy2.floor(quarter)) % 2 ** (places + 2)


def nearest_to_whole(x, end):
    """The least distance from a whole number of 1, 2, … end - 1 times x: a convergent has it."""
    before, denominator, rest = 0, 1, x % 1
    while denominator < end:
        rest = 1 / rest
        before, denominator = denominator, floor(rest) * denominator + before
        rest %= 1
    return abs(before * x - round(before * x))


@functools.cache
def deepest(a, lowest):
    """Zeros at the head of the smallest fraction of a quarter that an operand leaves."""
    quantum = a.emin - a.mantissa
    least = quantum if a.emin >= lowest else lowest
    found = max(-least, 1)
    for exponent in range(max(-a.mantissa, quantum), a.emax - a.mantissa + 1):
        places = 2 * a.precision + 64
        part = Fraction(quarters(exponent, places) % 2**places, 2**places)
        distance = nearest_to_whole(part, 2**a.precision)
        found = max(found, -floor_log2(distance * Fraction(255, 256)) - 1)
    return found


def circular(name, spec, bits, x):
    """The sine or the cosine."""
    a, lowest, kept = spec.a, -(bits // 2), bits + 1
    binade = floor_log2(abs(x))
    sign = -1 if x < 0 and name == "sin" else 1
    if max(binade, a.emin) < lowest:
        near, top = (abs(x), binade) if name == "sin" else (1, 0)
        return sign * (near - Fraction(2) ** (top - 2 * kept))
    exponent = max(binade, a.emin) - a.mantissa
    zeros = deepest(a, lowest)
    places = zeros + a.precision + kept
    product = int(abs(x) / Fraction(2) ** exponent) * quarters(exponent, places)
    quarter, g = divmod(product % 2 ** (places + 2), 2**places)
    quarter += name == "cos"
    if quarter % 2:
        g = 2**places - 1 - g
    zeros = min(places - g.bit_length(), zeros)
    w, y = g >> (places - zeros - kept), g >> (places - kept)
    h = kernel("sine", kept, kept, y * y >> kept, less=2)
    return (-sign if quarter // 2 % 2 else sign) * w * h / Fraction(2) ** (zeros + 2 * kept)


def function(name, spec, x):
    """The word of a finite number that is not zero, and inside the domain: a fraction."""
    bits = max(spec.out.precision, 8) + 4
    one = Fraction(2) ** bits
    if name in ("exp", "exp2"):
        m, n = power(name, spec, bits, x)
        return m * Fraction(2) ** n / one
    if name == "sigmoid":
        m, n, _, r = denominator(spec, bits, abs(x))
        return (m * Fraction(2) ** n / one if x < 0 else 1) * r / (2 * one)
    if name == "tanh":
        if abs(x) < Fraction(1, 2):
            return x * kernel("tangent", bits, bits, floor(2 * abs(x) * one)) / one
        _, _, p, r = denominator(spec, bits, 2 * abs(x))
        return (-1 if x < 0 else 1) * (1 - p / one) * r / (2 * one)
    if name in ("sin", "cos"):
        return circular(name, spec, bits, x)
    e = floor_log2(abs(x))
    width = spec.a.precision - 1
    place = int((abs(x) / Fraction(2) ** e - 1) * 2**width)
    if name == "reciprocal":
        r = kernel("reciprocal", bits + 1, width, place) / (2 * one) / Fraction(2) ** e
        return -r if x < 0 else r
    if name == "rsqrt":
        r = kernel("root", bits + 1, width, place, e % 2) / (2 * one)
        return r / Fraction(2) ** (e // 2)
    m = abs(x) / Fraction(2) ** e
    if m >= Fraction(3, 2):
        m, e = m / 2, e + 1
    places = spec.a.precision + bits
    two = Fraction(2**places if name == "log2" else ln2(1, places), 2**places)
    return e * two + (m - 1) * kernel(name, bits, width, place) / one
