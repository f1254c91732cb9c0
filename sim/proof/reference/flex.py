# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for the units of Flexpoint, in fractions.

As in :mod:`macaw.sim.proof.reference.arithmetic.scalar`, nothing is shared with the vectorised
model but the fields of formats and units. A beat is a dict of the codes of a unit's operands; those
with lanes are lists. docs/flexpoint.md.
"""

from fractions import Fraction

from .arithmetic.scalar import TWO, integer, project_fixed

KINDS = ("flex-mac", "flex-matmul", "flex-add", "flex-mul")


def factor(beat, name, fmt):
    """The power of two that an operand's or the result's integers are multiplied by."""
    return TWO ** (beat[f"{name}_scale"] - (2**fmt.scale.exponent - 1))


def lanes(x):
    """Lanes as a list, also of one."""
    return x if isinstance(x, list) else [x]


def products(spec, beat):
    """What a beat adds to each result, in units of both factors."""
    a, b = (
        [integer(code, fmt.element) for code in lanes(beat[name])]
        for name, fmt in (("a", spec.a), ("b", spec.b))
    )
    if spec.kind == "flex-matmul":
        return [x * y for x in a for y in b]
    if spec.kind == "flex-mac":
        return [sum(x * y for x, y in zip(a, b, strict=True))]
    return [x * y for x, y in zip(a, b, strict=True)]


def exact(spec, group):
    """The results of some beats, before rounding, as fractions."""
    last = group[-1]
    ea, eb = factor(last, "a", spec.a), factor(last, "b", spec.b)
    if spec.kind == "flex-add":
        return [
            integer(x, spec.a.element) * ea + integer(y, spec.b.element) * eb
            for x, y in zip(lanes(last["a"]), lanes(last["b"]), strict=True)
        ]
    columns = zip(*(products(spec, beat) for beat in group), strict=True)
    return [sum(column) * ea * eb for column in columns]


def evaluate(spec, beats):
    """The results of a list of beats, by name."""
    width = spec.out.element.width
    results, group, largest = [], [], 0
    for beat in beats:
        group.append(beat)
        if not beat.get("last", 1):
            continue
        words = lanes(beat.get("random", 0))
        values = exact(spec, group)
        words = words if len(words) == len(values) else words * len(values)
        codes = [
            project_fixed(
                Fraction(x) / factor(beat, "r", spec.out), spec.out.element, str(spec.rounding),
                "saturate", word, spec.random_bits, False,
            )[0]
            for x, word in zip(values, words, strict=True)
        ]  # fmt: skip
        largest = max([largest, *(abs(integer(code, spec.out.element)) for code in codes)])
        r = codes[0] if spec.ports.outputs["r"].lanes is None else codes
        over = int(largest >= 2 ** (width - 1) - 1)
        results.append({"r": r, "maximum": largest, "overflow": over})
        group = []
        if beat["end"]:
            largest = 0
    return results
