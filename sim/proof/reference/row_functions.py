# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for the units of integer functions of a row: docs/integer-functions.md."""

from .arithmetic.functions import layer_norm, softmax
from .arithmetic.scalar import code, integer

KINDS = ("int-softmax", "int-layernorm")


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
        return layer_norm(x, spec.shift, spec.reciprocal, spec.out.width - 2)
    zero = spec.zero_point
    bits = probability_bits(spec.out, zero)
    return softmax(x, spec.scale, spec.out, spec.bits, spec.reciprocal, bits, zero)


def evaluate(spec, beats):
    """The results of each beat, by name."""
    return [{"r": [code(r, spec.out) for r in row(spec, beat)]} for beat in beats]
