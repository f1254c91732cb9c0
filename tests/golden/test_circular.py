# SPDX-License-Identifier: BSD-2-Clause
"""Sine and cosine of wide floats: how near operands come to a quarter of a turn, and the ends."""

from fractions import Fraction

import gmpy2
import numpy as np
import pytest

from macaw.golden import format, unit
from macaw.golden.arithmetic.real.faithful import faithful

WORST = 16367173 * 2.0**72
"""The number of single precision that is nearest to a multiple of pi/2, by some 2**-30 of it."""
PRECISION = 320


def steps(a, out="fp32", name="sin"):
    return faithful(name, format(a), format(out))


def fraction(x):
    """What a positive number leaves of a quarter of a turn, to either end: the lesser of both."""
    with gmpy2.context(precision=PRECISION):
        turns = gmpy2.mpfr(x) * 2 / gmpy2.const_pi()
        return abs(turns - gmpy2.rint(turns))


@pytest.mark.parametrize("a", ["e8m8", "e5m14", "e3m14", "e7m9bn20", "e3m14bn9ftz", "e6m10b40"])
def test_no_operand_is_nearer_to_a_quarter_than_the_convergents_say(a):
    found = steps(a)
    codes = np.arange(1 << (found.a.width - 1))
    values = found.a.decode(codes)
    first = 2.0 ** (found.lowest if found.a.emin < found.lowest else found.a.quantum)
    values = values[np.isfinite(values) & (values >= first)]
    nearest = min(fraction(x) for x in values.tolist())
    assert 2.0 ** -(found.deepest + 1) < nearest
    assert nearest < 2.0**-found.deepest


def test_the_hardest_angle_of_single_precision():
    found = steps("fp32")
    nearest = fraction(WORST)
    assert 2.0 ** -(found.deepest + 1) < nearest < 2.0**-found.deepest


@pytest.mark.parametrize("function", ["sin", "cos"])
@pytest.mark.parametrize("rounding", ["rne", "rna", "rtz", "rup", "rdn", "rod"])
def test_single_precision_over_the_whole_range(function, rounding):
    spec = unit("function", a="fp32", function=function, rounding=rounding)
    rng = np.random.default_rng(len(rounding))
    quarters = np.arange(1, 200) * np.pi / 2
    some = np.exp2(rng.uniform(-16, 128, 800)), rng.normal(0, 2, 800), quarters, [WORST, -WORST]
    codes = np.unique(spec.a.encode(np.concatenate(some)))
    got, worst = spec.out.decode(spec.evaluate(a=codes)["r"]), 0.0
    assert np.abs(got).max() <= 1
    with gmpy2.context(precision=PRECISION):
        for x, result in zip(spec.a.decode(codes).tolist(), got.tolist(), strict=True):
            exact = getattr(gmpy2, function)(gmpy2.mpfr(x))
            last = gmpy2.mpfr(2) ** (gmpy2.get_exp(exact) - 24)
            worst = max(worst, float(abs(result - exact) / last))
    assert 0.5 < worst < spec.error < (0.7 if rounding in ("rne", "rna") else 1.2)


@pytest.mark.parametrize("bits", range(12, 29))
def test_no_sine_is_above_one(bits):
    found = steps("fp32", f"e8m{bits - 5}")
    assert found.bits == bits
    kept = bits + 1
    y = np.arange(1 << kept)[-(1 << 12) :] if bits < 20 else (1 << kept) - 1 - np.arange(1 << 16)
    words = y * found.kernel(y * y >> kept)
    assert words.max() <= 1 << 2 * kept
    assert words.min() > 1 << (2 * kept - 1)


@pytest.mark.parametrize("a", ["fp32", "e8m8", "ue8m15"])
@pytest.mark.parametrize("rounding", ["rne", "rtz", "rup", "rdn", "rod"])
@pytest.mark.parametrize("function", ["sin", "cos"])
def test_small_operands_have_the_nearest_results(a, rounding, function):
    spec = unit("function", a=a, out="fp32", function=function, rounding=rounding)
    rng = np.random.default_rng(1)
    small = np.exp2(rng.uniform(spec.a.quantum, -14, 300))
    codes = np.unique(spec.a.encode(np.concatenate([small, -small] if spec.a.signed else [small])))
    values = spec.a.decode(codes)
    codes, values = codes[values != 0], values[values != 0]
    got = spec.out.decode(spec.evaluate(a=codes)["r"])
    # Of a number of 24 digits and less, or of 1, and what is just below its magnitude.
    ends = values if function == "sin" else np.ones_like(values)
    before = np.nextafter(ends.astype(np.float32), np.float32(0)).astype(np.float64)
    odd = spec.out.encode(ends) % 2 == 1
    expected = {
        "rne": ends,
        "rtz": before,
        "rup": np.where(ends > 0, ends, before),
        "rdn": np.where(ends < 0, ends, before),
        "rod": np.where(odd, ends, before),
    }
    assert got.tolist() == expected[rounding].tolist()


def test_zeros_keep_their_signs():
    codes = [0x00000000, 0x80000000]
    assert unit("function", a="fp32", function="sin").evaluate(a=codes)["r"].tolist() == codes
    ones = unit("function", a="fp32", function="cos").evaluate(a=codes)["r"]
    assert ones.tolist() == [0x3F800000] * 2


def hardest():
    """Numbers of single precision near multiples of pi/2: denominators of convergents."""
    found = []
    with gmpy2.context(precision=PRECISION):
        quarter = 2 / gmpy2.const_pi()
        for exponent in range(-20, 104):
            rest = gmpy2.frac(quarter * gmpy2.mpfr(2) ** exponent)
            before, denominator = 0, 1
            while denominator < 1 << 24:
                found.append(denominator * 2.0**exponent)
                rest = 1 / rest
                whole = int(gmpy2.floor(rest))
                before, denominator = denominator, whole * denominator + before
                rest -= whole
    return np.unique(found)


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_words_of_the_hardest_angles_are_within_their_error(name):
    """Also where all but the last places of the fraction are zeros."""
    found = steps("fp32", name=name)
    x = hardest()
    codes = found.a.encode(x)
    assert found.a.decode(codes).tolist() == x.tolist()
    assert WORST in x
    words, worst = found(codes), 0.0
    parts = zip(x.tolist(), words.significand.tolist(), words.exponent.tolist(), strict=True)
    with gmpy2.context(precision=PRECISION):
        for value, word, exponent in parts:
            exact = abs(getattr(gmpy2, name)(gmpy2.mpfr(value)))
            worst = max(worst, float(abs(word * gmpy2.mpfr(2) ** exponent / exact - 1)))
    assert 2.0**-found.bits / 4 < worst < found.error * Fraction(2) ** -found.out.precision
