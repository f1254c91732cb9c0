# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for what a softmax divides by: docs/rows.md."""

from fractions import Fraction
from math import floor

from . import row_functions as rows
from .arithmetic.scalar import TWO, code, integer, value

KINDS = ("softmax-sum", "softmax-merge")
SPOILT = ("inf", "nan", "snan")


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
    powers = [[rows.power(x, spec) for x in beat if x not in nothing] for beat in values]
    least = -(2 ** max(floor(Fraction(2**spec.reach) * rows.logarithm(spec)).bit_length(), 3))
    exponent = spec.ports.outputs["exponent"].format
    nan, results = 0, []
    for beat, (s, top) in zip(values, rows.sums(spec, powers)):
        nan |= any(x in SPOILT for x in beat)
        top = least if top is None else top
        results.append({"r": s, "exponent": code(top, exponent), "nan": int(nan), "end": 0})
    results[-1]["end"] = 1
    return results


def evaluate(spec, beats):
    """The results of each beat, by name."""
    if spec.kind == "softmax-merge":
        return [merge(spec, beat) for beat in beats]
    return [result for row in rows.rows_of(spec, beats) for result in running(spec, row)]
