# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for the sums of machines: one step of tensor cores, CDNA3, RISC-V's RVBNA.

In fractions, from the sources that the golden model names: every term that is cut is a multiple of
a power of two afterwards.
"""

from fractions import Fraction
from math import floor
from types import SimpleNamespace

from .scalar import TWO, field_exponent, number, product, project, total, value

NONE = -1000
"""Exponent of what has none: products of zero."""


def cut(x, last):
    """A value as a multiple of ``2**last``, the rest left out."""
    return int(number(x) / TWO**last) * TWO**last


def floored(x, last):
    """The same, rounded down."""
    return floor(number(x) / TWO**last) * TWO**last


def to_odd(x, last):
    """The same, with an odd multiple where something was left out."""
    whole, sign = abs(number(x)) / TWO**last, -1 if number(x) < 0 else 1
    units = int(whole)
    return sign * (units | (whole != units)) * TWO**last


def result(profile, lanes, addend, out):
    """Code in ``out`` of ``addend``, a code of it too, plus the products of one step.

    Of the last rounding the flags, too, and what it began with.
    """
    scheme, x = str(profile.sum.scheme), value(addend, out)
    scaled = [product(lane.x, lane.scale)[0] for lane in lanes]
    if scheme == "bulk":
        return bulk(lanes, scaled, x, out)
    if scheme == "apart":
        scaled = [beyond(term) for term in scaled]
    special = total([x, *scaled])[0]
    if special not in ("nan", "inf", "-inf"):
        exponent = field_exponent(addend, out)
        if number(x) == 0:
            exponent -= profile.sum.below
        how = {"joined": joined, "blocks": blocks, "apart": apart, "halves": halves}[scheme]
        special = how(profile.bits, lanes, scaled, x, exponent)
    if scheme in ("apart", "halves"):
        return *project(special, out, "rne", "nonfinite"), special
    if special == "nan":
        return 2 ** (out.width - 1) - 1, 0, special
    single = out.mantissa == 23
    fewer = out.mantissa - profile.sum.kept if single and profile.sum.kept else 0
    kept = SimpleNamespace(
        exponent=out.exponent,
        mantissa=out.mantissa - fewer,
        bias=out.bias,
        width=out.width - fewer,
        signed=True,
        zero=True,
        specials=out.specials,
        subnormals=out.subnormals,
    )
    code, flags = project(special, kept, "rtz" if single else "rne", "nonfinite")
    code *= 2**fewer
    return 0 if code == 2 ** (out.width - 1) else code, flags, special


def joined(bits, lanes, scaled, x, exponent):
    """Products and addend, truncated at so many bits below the largest exponent."""
    exponents = [lane.exponent for lane, term in zip(lanes, scaled) if number(term) != 0]
    last = max([exponent, *exponents]) - bits
    return sum(cut(term, last) for term in [*scaled, x])


def blocks(bits, lanes, scaled, x, exponent):
    """The same with exact sums of 16 products, whose exponent is that of their scales."""
    groups = [slice(i, i + 16) for i in range(0, len(lanes), 16)]
    exponents = [
        lanes[group][0].scale_exponent
        for group in groups
        if any(number(term) != 0 for term in scaled[group])
    ]
    last = max([exponent, *exponents]) - bits
    sums = [sum(number(term) for term in scaled[group]) for group in groups]
    return sum(cut(term, last) for term in [*sums, x])


def group_sum(bits, lanes):
    """Products truncated at so many bits below the largest exponent of all; that exponent."""
    exponents = [lane.exponent for lane in lanes if number(lane.x) != 0]
    exponent = max(exponents, default=NONE)
    return sum(cut(lane.x, exponent - bits) for lane in lanes), exponent


def beyond(x):
    """A product, infinite where fp32 cannot hold it."""
    if x in ("nan", "inf", "-inf") or abs(number(x)) < TWO**128:
        return x
    return "-inf" if number(x) < 0 else "inf"


def apart(bits, lanes, scaled, x, exponent):
    """CDNA3: the sum of products rounded down to 31 bits, the addend to 24."""
    whole, top = group_sum(bits, lanes)
    most = max(top, exponent)
    return floored(whole, most - 31) + floored(x, most - 24)


def halves(bits, lanes, scaled, x, exponent):
    """CDNA3's FP8: two sums, of even and of odd products, rounded down where they meet."""
    parts = [group_sum(bits, part) for part in (lanes[0::2], lanes[1::2]) if part]
    top = max(own for _, own in parts)
    whole = sum(floored(part, top - bits) for part, _ in parts)
    most = max(top, exponent)
    other = floored(x, most - 24) if exponent >= most - 25 else Fraction(0)
    return floored(whole, most - 31) + other


def bulk(lanes, scaled, x, out):
    """RISC-V: products rounded to odd, their sum rounded to odd, and its sum with the addend."""
    special = total(scaled)[0]
    if special not in ("nan", "inf", "-inf"):
        exponents = [lane.exponent for lane in lanes if number(lane.x) != 0]
        last = max(exponents, default=0) - out.mantissa - (len(lanes) - 1).bit_length()
        special = sum(to_odd(term, last) for term in scaled)
    code = project(special, out, "rod", "nonfinite")[0]
    added = total([value(code, out), x])[0]
    return *project(added, out, "rod", "nonfinite"), added
