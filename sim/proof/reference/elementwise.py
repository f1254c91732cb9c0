# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for the units of one operation: ``mul``, ``add``, ``fma``, ``cast``.

IEEE 754-2019; what macaw adds to it is in docs/arithmetic.md.
"""

from .arithmetic.scalar import direction, multiplied, opposite, project, total, value

KINDS = ("mul", "add", "fma", "cast")


def operation(spec, **codes):
    """Code and flags of one operation."""
    rounding, word = direction(spec, codes)
    down, invalid = rounding == "rdn", False
    a = value(codes["a"], spec.a)
    if spec.kind == "cast":
        x = a
    elif spec.kind == "mul":
        x, invalid, _ = multiplied(a, value(codes["b"], spec.b), spec)
    elif spec.kind == "add":
        b = value(codes["b"], spec.b)
        x, invalid = total([a, opposite(b) if spec.subtract else b], down)
    else:
        x, bad, _ = multiplied(a, value(codes["b"], spec.b), spec)
        x, invalid = total([x, value(codes["c"], spec.c)], down)
        invalid |= bad
    overflow = spec.overflow and str(spec.overflow)
    return project(x, spec.out, rounding, overflow, word, spec.random_bits, invalid, spec.nan)


def evaluate(spec, beats):
    """The results of each beat, by name."""
    pairs = [operation(spec, **beat) for beat in beats]
    return [{"r": r, "flags": flags} if spec.flags else {"r": r} for r, flags in pairs]
