# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for sums of products of integers, in Python's integers: docs/dyadic.md.

A beat is a dict of the codes of a unit's operands; those with lanes are lists.
"""

from .arithmetic.dyadic import saturated
from .arithmetic.scalar import integer, value

KINDS = ("int-dot", "int-mac")


def numbers(codes, fmt):
    """What a code means, or each of some lanes: all of them integers."""
    return [int(value(code, fmt)) for code in (codes if isinstance(codes, list) else [codes])]


def products(spec, beat):
    """The sum of the products of a beat; ``parts`` neighbours of b are one weight."""
    a, b = numbers(beat["a"], spec.a), numbers(beat["b"], spec.b)
    b = [sum(b[i : i + spec.parts]) for i in range(0, len(b), spec.parts)]
    if spec.a_zero:
        a = [x - int(value(beat["a_zero"], spec.a)) for x in a]
    if spec.b_zero:
        b = [w - int(value(beat["b_zero"], spec.b)) for w in b]
    return sum(x * w for x, w in zip(a, b, strict=True))


def evaluate(spec, beats):
    """The results of a list of beats, by name; the last beat of a sequence brings the bias."""
    results, total = [], 0
    for beat in beats:
        total += products(spec, beat)
        if not beat.get("last", 1):
            continue
        total += integer(beat["bias"], spec.acc) if spec.bias else 0
        total = total if spec.wrap else saturated(total, spec.acc)
        results.append({"r": total % 2**spec.acc.width})
        total = 0
    return results
