# SPDX-License-Identifier: BSD-2-Clause
"""Scalar reference for the exponent predictor of Autoflex and for random words, in integers.

Koster et al., arXiv 1711.02213, section 3, with terms of few bits: docs/flexpoint-hardware.md. A
beat is a dict of the codes of a unit's operands.
"""

from fractions import Fraction
from math import floor

from .arithmetic.flexpoint import ceil_log2
from .arithmetic.functions import isqrt
from .arithmetic.lfsr import polynomial, words
from .arithmetic.scalar import TWO, floor_log2, value

KINDS = ("autoflex", "loss-scale", "lfsr")
TRIES = 10
"""Steps of initialisation after which ngraph gives up."""


def initial(spec, maximum, scale, tries):
    """(code to try next, whether the tensor is well scaled) of a step of initialisation."""
    width, top = spec.out.element.width, 2**spec.out.scale.exponent - 1
    coarse, paper = (width - 1) // 2, spec.profile == "paper"
    step, done = 0, True
    if maximum >= 2 ** (width - 1) - 1:
        step, done = coarse, False
    elif maximum < 2 ** (width - 2) and paper:
        step = ceil_log2(Fraction(max(maximum, 1))) - (width - 2)
        done = maximum > TWO ** (coarse - 2)
    elif maximum < 2 ** (width - 2):
        step = maximum.bit_length() - (width - 1)
        done = maximum >= 2 ** max(coarse - 2, 0)
    code = min(max(scale + step, 0), top)
    if paper:
        return code, done or code == scale
    return (code, done) if done or tries < TRIES else (top, True)


def predicted(spec, history):
    """Code after a history of pairs (maximum, code), before it is clamped; the newest is last.

    Values are in units of the smallest scale; those of the sum, rounded down to units of u.
    """
    width = spec.out.element.width
    values = [maximum * 2**scale for maximum, scale in history]
    headroom = Fraction(spec.gamma) * 2 ** history[-1][1]
    lengths = [floor_log2(Fraction(x)) + 1 for x in (max(values), headroom) if x]
    exponent = max(0, *lengths) - spec.precision
    terms = [floor(x / TWO**exponent) for x in values]
    n = len(terms)
    root = isqrt(n * sum(x * x for x in terms) - sum(terms) ** 2)
    total = n * (max(terms) + floor(headroom / TWO**exponent)) + spec.beta * root
    if total == 0:
        return 0
    chi = Fraction(spec.alpha * total, n)
    if spec.profile == "paper":
        return exponent + ceil_log2(chi) - (width - 1)
    return exponent + floor_log2(chi) - (width - 2)


def tensor(spec, beats):
    """The results of the steps of one tensor."""
    overflow, top = 2 ** (spec.out.element.width - 1) - 1, 2**spec.out.scale.exponent - 1
    history, tries = [], 0
    for beat in beats:
        maximum, scale = beat["maximum"], beat["scale"]
        if beat["init"]:
            history, tries = [], tries + 1
            code, settled = initial(spec, maximum, scale, tries)
            tries = 0 if settled else tries
        else:
            if maximum >= overflow:
                history, maximum = [], 2 * maximum
            history = [*history, (maximum, scale)][-spec.length :]
            code, settled = min(max(predicted(spec, history), 0), top), True
        if beat["end"]:
            history, tries = [], 0
        yield {"r": code, "settled": int(settled)}


def power(text):
    """k of ``2^k``."""
    return int(text.removeprefix("2^"))


def scales(spec, beats):
    """The results of the steps of one scale: exponents as codes of eight bits."""
    low, high = power(spec.lowest_scale), power(spec.highest_scale)
    exponent, run = power(spec.init_scale), []
    for beat in beats:
        magnitude, wanted = 0, high
        if spec.rule == "largest":
            magnitude = value(beat["largest"], spec.a)
            magnitude = 0 if magnitude == "-0" else magnitude
        bad = beat["overflows"] > 0 or isinstance(magnitude, str)
        if not bad and magnitude:
            # The largest power of two by which it may grow.
            room = floor_log2(Fraction(spec.a.max) / abs(Fraction(magnitude)))
            wanted = min(max(exponent + room - spec.margin, low), high)
        counts = spec.rule != "underflow" or beat["underflows"] > spec.allowed
        if bad:
            exponent, run = max(exponent + power(spec.backoff), low), []
        elif not counts:
            run = []
        else:
            run = [*run, wanted]
            full = len(run) == spec.growth_interval
            if spec.rule == "largest" and (full or min(run) < exponent):
                exponent, run = min(run), []
            elif spec.rule != "largest" and full:
                exponent, run = min(exponent + power(spec.growth), high), []
        yield {"r": exponent % 256, "skip": int(bad)}
        if beat["end"]:
            exponent, run = power(spec.init_scale), []


def drawn(spec, beats):
    """The random words of each beat."""
    modulus, reseeds = polynomial(spec.polynomial), [beat["reseed"] for beat in beats]
    made = words(spec.form, modulus, spec.seed, spec.steps, spec.width, spec.lanes, reseeds)
    return [{"r": word[0] if spec.lanes == 1 else word} for word in made]


def evaluate(spec, beats):
    """The results of each beat, by name; contexts come in turn."""
    if spec.kind == "lfsr":
        return drawn(spec, beats)
    if spec.kind == "loss-scale" and spec.running:
        beats = [beat for beat in beats if beat["last"]]
    n = spec.contexts
    steps = scales if spec.kind == "loss-scale" else tensor
    turns = [list(steps(spec, beats[context::n])) for context in range(n)]
    return [turns[i % n][i // n] for i in range(len(beats))]
