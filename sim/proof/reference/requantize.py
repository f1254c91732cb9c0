# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for the units that scale integers by dyadic numbers, and clamps.

The steps are those of docs/dyadic.md, in Python's integers and fractions. A beat is a dict of the
codes of a unit's operands; those with lanes are lists.
"""

from types import SimpleNamespace

from .arithmetic import dyadic
from .arithmetic.scalar import code, integer

KINDS = ("requantize", "residual-add", "average-pool", "clamp")
INT8 = SimpleNamespace(width=8, signed=True)


def factor(spec, beat, name):
    """A multiplier or shift: fixed, or an operand, an unsigned integer or int8."""
    fixed = getattr(spec, name)
    if fixed is not None:
        return fixed
    return integer(beat[name], INT8) if "shift" in name else beat[name]


def zero_point(beat, name, fmt):
    """A zero point, or 0 where there is no such operand."""
    return integer(beat[name], fmt) if name in beat else 0


def scaled(spec, x, shift):
    """A product, times ``2**(shift - bits)``, rounded by the unit's profile."""
    return dyadic.scaled(x, 1, shift, str(spec.profile), spec.bits)


def below_one(shift):
    """The nearest shift that TensorFlow Lite's sums have."""
    return min(max(shift, -31), 0)


def requantize(spec, beat):
    """One element."""
    x = integer(beat["x"], spec.x) * factor(spec, beat, "multiplier")
    return scaled(spec, x, factor(spec, beat, "shift")) + zero_point(beat, "zero_point", spec.out)


def residual_add(spec, beat):
    """The sum of two branches, in the three forms of the page."""
    branches = {}
    for name, fmt in (("a", spec.a), ("b", spec.b)):
        x = integer(beat[name], fmt) - zero_point(beat, f"{name}_zero", fmt)
        branches[name] = x * factor(spec, beat, f"{name}_multiplier")
    if spec.form == "single":
        total = scaled(spec, sum(branches.values()), factor(spec, beat, "shift"))
    elif spec.form == "separate":
        total = sum(
            dyadic.saturated(scaled(spec, x, factor(spec, beat, f"{name}_shift")), spec.branch)
            for name, x in branches.items()
        )
    else:
        left = 20 if spec.out.width <= 8 else 15
        total = sum(
            scaled(spec, x * 2**left, below_one(factor(spec, beat, f"{name}_shift")))
            for name, x in branches.items()
        )
        total *= factor(spec, beat, "multiplier")
        total = scaled(spec, total, below_one(factor(spec, beat, "shift")))
    return total + zero_point(beat, "zero_point", spec.out)


def reciprocal(count, bits):
    """(multiplier, shift) of 1 / count, rounded up, with as many bits as there are."""
    for shift in range(-32, 2):
        multiplier = -(-(2 ** (bits - shift)) // count)
        if multiplier < 2**bits:
            return multiplier, shift
    raise AssertionError(count)


def means(spec, beats):
    """The mean of each sequence of beats."""
    total = 0
    for beat in beats:
        lanes = beat["a"] if isinstance(beat["a"], list) else [beat["a"]]
        total += sum(integer(x, spec.a) for x in lanes)
        if beat["last"]:
            if spec.count is None:
                multiplier, shift = beat["multiplier"], integer(beat["shift"], INT8)
            else:
                multiplier, shift = reciprocal(spec.count, spec.bits)
            yield scaled(spec, total * multiplier, shift)
            total = 0


def clamp(spec, beat):
    """The upper limit wins."""
    low, high = (
        integer(beat[name], spec.out) if getattr(spec, name) is None else getattr(spec, name)
        for name in ("low", "high")
    )
    return min(max(integer(beat["a"], spec.a), low), high)


def evaluate(spec, beats):
    """The results of a list of beats, by name."""
    if spec.kind == "clamp":
        return [{"r": code(clamp(spec, beat), spec.out)} for beat in beats]
    if spec.kind == "average-pool":
        values = list(means(spec, beats))
    else:
        unit = requantize if spec.kind == "requantize" else residual_add
        values = [unit(spec, beat) for beat in beats]
    return [{"r": code(dyadic.saturated(r, spec.out), spec.out)} for r in values]
