# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for the units of integer functions: docs/integer-functions.md."""

from .arithmetic import functions as steps
from .arithmetic.scalar import TWO, code, direction, integer, project

OF_ROWS = ("int-softmax", "int-layernorm")
KINDS = ("isqrt", "int-exp2", "int-gelu", *OF_ROWS)
FAR = 2**15
"""Exponents that no format of floats reaches; the powers beyond are rounded as this one is."""


def power(spec, x):
    """(significand, exponent) of 2**x, or of e**x: to base two with four more bits."""
    if spec.base == "2":
        return steps.exp2(x, spec.x.fraction, spec.precision)
    whole = max(spec.x.width - spec.x.fraction - spec.x.signed, 0)
    y = steps.times_log2e(x, spec.x.fraction, whole, spec.precision)
    return steps.exp2(y, spec.precision + 4, spec.precision)


def probability_bits(out, zero):
    """Fraction bits of a probability: those of the format, or as many as leave the integers from
    that of zero up for those from 0 to 1."""
    if out.fraction:
        return out.fraction
    return (2 ** (out.width - out.signed) - zero).bit_length() - 1


def row(spec, beat):
    """The results of a row, as integers."""
    x = [integer(each, spec.x) for each in beat["x"]]
    if spec.kind == "int-layernorm":
        return steps.layer_norm(x, spec.shift, spec.reciprocal, spec.out.width - 2)
    zero = spec.zero_point
    bits = probability_bits(spec.out, zero)
    return steps.softmax(x, spec.scale, spec.out, spec.bits, spec.reciprocal, bits, zero)


def operation(spec, beat):
    """The results of a beat, by name."""
    if spec.kind in OF_ROWS:
        return {"r": [code(r, spec.out) for r in row(spec, beat)]}
    outputs = spec.ports.outputs
    x = integer(beat["x"], spec.x)
    if spec.kind == "isqrt":
        return {"r": code(steps.isqrt(x), outputs["r"].format)}
    if spec.kind == "int-gelu":
        return {"r": code(steps.gelu(x, spec.scale, spec.shift)[0], outputs["r"].format)}
    m, n = power(spec, x)
    if spec.out is None:
        return {"r": code(m, outputs["r"].format), "exponent": code(n, outputs["exponent"].format)}
    rounding, word = direction(spec, beat)
    overflow = spec.overflow and str(spec.overflow)
    n = min(max(n, -FAR), FAR)
    exact = m * TWO ** (n - spec.precision)
    return {"r": project(exact, spec.out, rounding, overflow, word, spec.random_bits)[0]}


def evaluate(spec, beats):
    """The results of each beat, by name."""
    return [operation(spec, beat) for beat in beats]
