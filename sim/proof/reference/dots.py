# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for sums of products: ``dot``, ``mac``, ``block-dot``, ``block-mac``.

As in :mod:`macaw.sim.proof.reference.arithmetic.scalar`, all is done in fractions and nothing is
shared with the vectorised model but the fields of formats and units. A beat is a dict of the codes
of a unit's operands; those with lanes are lists.
"""

from collections import namedtuple
from fractions import Fraction
from types import SimpleNamespace

from .arithmetic.groups import ends
from .arithmetic.machines import result as machine_result
from .arithmetic.scalar import (
    TWO,
    direction,
    field_exponent,
    integer,
    is_fixed,
    multiplied,
    number,
    opposite,
    product,
    project,
    total,
    value,
)
from .arithmetic.statistics import element as counted
from .arithmetic.statistics import told

KINDS = ("dot", "mac")
EXACT = SimpleNamespace(kind="exact", count=0)
"""What units without profiles do: ``mac``."""
Lane = namedtuple("Lane", "x scale exponent scale_exponent")
"""A product, its scale, the exponent of the fields of both, and of the scale's alone."""


def element(fmt):
    """Format of the elements of a block format; a scalar one is its own."""
    return getattr(fmt, "element", fmt)


def operand(name, spec, beat, lane, last):
    """Value of an element, less a zero point that is an integer, and the exponent of its fields:
    also of zeros."""
    fmt, code = getattr(spec, name), beat[name][lane]
    zero = getattr(fmt, "zero_point", None)
    if zero is None or not is_fixed(zero):
        return value(code, element(fmt)), field_exponent(code, element(fmt))
    every = last[f"{name}_zero"]
    point = integer(every[lane * len(every) // len(beat[name])], zero)
    n = integer(code, fmt.element) - point
    (low, high), (least, most) = ends(fmt.element), ends(zero)
    # Digits that hold any difference, the sign not among them.
    digits = max((most - low - 1).bit_length(), (high - least).bit_length())
    exponent = digits - fmt.element.fraction
    return n / TWO**fmt.element.fraction, exponent


def whole(spec):
    """Whether products are added as integers before they are scaled."""
    blocks = [getattr(spec, name) for name in "ab"]
    zeros = [getattr(fmt, "zero_point", None) for fmt in blocks]
    points = any(zeros) and all(zero is None or is_fixed(zero) for zero in zeros)
    exact = getattr(spec, "profile", EXACT).kind == "exact"
    return points and exact and all(is_fixed(element(fmt)) for fmt in blocks)


def policy(overflow, fmt):
    """The overflow policy if ``fmt`` can have it, else None for the default."""
    has_nan = hasattr(fmt, "specials") and fmt.specials.value != "finite"
    possible = {"saturate": True, "propagate": True, "wrap": is_fixed(fmt)}
    possible |= {"nonfinite": has_nan, "directed": has_nan}
    return str(overflow) if overflow and possible[str(overflow)] else None


def behind(spec, beat, lane, last, scale):
    """What a zero point that is a float adds for a lane: ``-zero * other`` under the scales, or the
    other element under its own scale and the minimum."""
    for name, other in ("ab", "ba"):
        fmt = getattr(spec, name)
        zero = getattr(fmt, "zero_point", None)
        if zero is None or is_fixed(zero):
            continue
        own, lanes = getattr(spec, other), len(beat[name])
        every = last[f"{name}_zero"]
        z = value(every[lane * len(every) // lanes], zero)
        x = value(beat[other][lane], element(own))
        if not fmt.minimum:
            yield Lane(product(opposite(z), x)[0], scale, None, None)
            continue
        if f"{other}_scale" in beat:
            scales = last[f"{other}_scale"]
            z = product(z, value(scales[lane * len(scales) // lanes], own.scale))[0]
        yield Lane(x, z, None, None)


def terms(spec, group):
    """A Lane for each lane of some beats. Scales and zero points are those of the last beat."""
    result, last = [], group[-1]
    for beat in group:
        lanes = len(beat["a"])
        for lane in range(lanes):
            pair = [operand(name, spec, beat, lane, last) for name in "ab"]
            scales = []
            for name, fmt in (("a_scale", spec.a), ("b_scale", spec.b)):
                if name in beat:
                    every = last[name]
                    scales.append((every[lane * len(every) // lanes], fmt.scale))
            x, _, own = multiplied(pair[0][0], pair[1][0], spec)
            scale = Fraction(1)
            for code, fmt in scales:
                scale = product(scale, value(code, fmt))[0]
            exponent = sum(e for _, e in pair) if own is None else own
            of_scale = sum(field_exponent(code, fmt) for code, fmt in scales)
            result.append(Lane(x, scale, exponent + of_scale, of_scale))
            result += behind(spec, beat, lane, last, scale)
    if not whole(spec):
        return result
    count = len(result) // max(len(last[name]) for name in ("a_scale", "b_scale") if name in last)
    parts = [result[i : i + count] for i in range(0, len(result), count)]
    return [
        part[0]._replace(x=sum((number(lane.x) for lane in part), Fraction(0))) for part in parts
    ]


def scaled(part):
    """The products times their scales."""
    return [product(lane.x, lane.scale)[0] for lane in part]


def aligned(values, exponents, bits, down):
    """Sum of values cut off toward zero at ``bits`` bits below the largest exponent."""
    exact = total(values, down)[0]
    present = [e for x, e in zip(values, exponents) if x not in ("-0", 0)]
    if exact in ("nan", "inf", "-inf") or not present:
        return exact
    last = TWO ** (max(present) - bits)
    x = sum(int(number(x) / last) * last for x in values)
    return "-0" if x == 0 and down else x


def join(spec, lanes, addend, fmt, out, rounding, word):
    """Code in ``out`` of ``addend``, a code of ``fmt``, plus the terms, by the unit's profile.

    Of the last rounding the flags, too, and what it began with.
    """
    profile = getattr(spec, "profile", EXACT)
    kind = profile.kind
    count = 1 if kind == "sequential" else profile.count or len(lanes)
    down = rounding == "rdn"

    def store(x, into):
        overflow = policy(spec.overflow, into)
        return project(x, into, rounding, overflow, word, spec.random_bits)

    flags, x = 0, 0
    for start in range(0, len(lanes), count):
        part = lanes[start : start + count]
        if kind == "machine":
            addend, flags, x = machine_result(profile, part, addend, out)
            continue
        x = value(addend, fmt)
        if kind == "aligned":
            exponents = [*(lane.exponent for lane in part), field_exponent(addend, fmt)]
            x = aligned([*scaled(part), x], exponents, profile.bits, down)
        elif kind == "chunk":
            inner = 0
            for term in part:
                added = total([value(inner, profile.format), term.x], down)[0]
                inner = store(added, profile.format)[0]
            x = total([x, product(value(inner, profile.format), part[0].scale)[0]], down)[0]
        else:
            x = total([x, *scaled(part)], down)[0]
        (addend, flags), fmt = store(x, out), out
    return addend, flags, x


def sequences(beats, contexts):
    """The sequences of a stream as lists of beats, in the order in which they end."""
    running = [[] for _ in range(contexts)]
    for i, beat in enumerate(beats):
        running[i % contexts].append(beat)
        if beat["last"]:
            yield running[i % contexts]
            running[i % contexts] = []


def groups(beats, size):
    """``size`` beats at a time; the last ones may be fewer."""
    return [beats[i : i + size] for i in range(0, len(beats), size)]


def mac(spec, sequence):
    """Result of one sequence of ``mac`` or ``block-mac``, as :func:`join` has it."""
    steps = groups(sequence, getattr(spec, "beats", 1))
    rounding, word = direction(spec, sequence[-1])
    if spec.acc == "exact":
        x = total([x for step in steps for x in scaled(terms(spec, step))])[0]
        if x in ("-0", 0):
            x = "-0" if rounding == "rdn" else Fraction(0)
    else:
        code, flags, x = 0, 0, 0
        for step in steps:
            how = direction(spec, step[-1])
            code, flags, x = join(spec, terms(spec, step), code, spec.acc, spec.acc, *how)
        if spec.acc == spec.out:
            return code, flags, x
        x = value(code, spec.acc)
    overflow = policy(spec.overflow, spec.out)
    return *project(x, spec.out, rounding, overflow, word, spec.random_bits), x


def evaluate(spec, beats):
    """The results of a list of beats, by name."""
    shared = ("a_scale", "b_scale", "a_zero", "b_zero")
    for name in [n for n in ("a", "b", *shared) if n in spec.ports.inputs]:
        if spec.ports.inputs[name].lanes is None:
            beats = [beat | {name: [beat[name]]} for beat in beats]
    parts = [[beat] for beat in beats]
    if spec.accumulates:
        parts = [*sequences(beats, getattr(spec, "contexts", 1))]
    found = []
    for part in parts:
        if spec.kind in ("mac", "block-mac"):
            found.append(mac(spec, part))
            continue
        how = direction(spec, part[-1])
        found.append(join(spec, terms(spec, part), part[-1]["c"], spec.c, spec.out, *how))
    results = [{"r": code} for code, _, _ in found]
    if not spec.statistics:
        return results
    elements = [[counted(spec, *each)] for each in found]
    counts = told(spec, elements, [part[-1]["end"] for part in parts])
    return [result | each for result, each in zip(results, counts, strict=True)]
