# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for the units of integer functions of a number: docs/integer-functions.md."""

from .arithmetic import functions as steps
from .arithmetic.scalar import TWO, code, direction, integer, project

KINDS = ("isqrt", "int-exp2", "int-gelu")
FAR = 2**15
"""Exponents that no format of floats reaches; the powers beyond are rounded as this one is."""


def power(spec, x):
    """(significand, exponent) of 2**x, or of e**x: to base two with four more bits."""
    if spec.base == "2":
        return steps.exp2(x, spec.x.fraction, spec.precision)
    whole = max(spec.x.width - spec.x.fraction - spec.x.signed, 0)
    y = steps.times_log2e(x, spec.x.fraction, whole, spec.precision)
    return steps.exp2(y, spec.precision + 4, spec.precision)


def operation(spec, beat):
    """The results of a beat, by name."""
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
