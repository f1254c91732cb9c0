# SPDX-License-Identifier: BSD-2-Clause
"""Compiled sums are the exact ones, rounded to odd; without numba nothing changes but the time."""

import importlib
import math
from fractions import Fraction

import numpy as np
import pytest
from compilers import Failing, absent

from benchmarks.speed import paths
from macaw.golden import format, unit
from macaw.golden.arithmetic.accumulation import hosted
from macaw.golden.arithmetic.binary64 import compiled
from macaw.golden.arithmetic.binary64.compiled import Sums
from macaw.golden.units import dots
from macaw.sim.proof.outsiders.scalars import stimulus

LOW, HIGH = -300, 300


@pytest.fixture
def sums(monkeypatch: pytest.MonkeyPatch) -> Sums:
    """The kernel from the first sum on, in all units."""
    pytest.importorskip("numba")
    monkeypatch.setattr(compiled, "LEAST", 0)
    made = Sums()
    assert made.ready(1)
    monkeypatch.setattr(hosted, "SUMS", made)
    return made


def to_odd(exact: Fraction) -> float:
    """A number cut off after 53 bits, the last one set if anything was."""
    if not exact:
        return 0.0
    shift = 53 - (exact.numerator.bit_length() - exact.denominator.bit_length())
    scaled = abs(exact) * Fraction(2) ** shift
    if scaled >= 1 << 53:
        scaled, shift = scaled / 2, shift - 1
    significand = math.floor(scaled)
    significand |= significand != scaled
    return math.copysign(math.ldexp(significand, -shift), exact)


def numbers(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Significands of any length, over any part of the range."""
    below = rng.integers(LOW, HIGH - 60)
    exponents = rng.integers(below, min(below + rng.integers(1, 500), HIGH - 56), shape)
    significands = rng.integers(-(1 << rng.integers(1, 53)), 1 << 53, shape)
    return np.ldexp(significands.astype(np.float64), exponents)


@pytest.mark.parametrize("seed", range(40))
def test_sums_against_fractions(sums: Sums, seed: int) -> None:
    """Some cancel, but for terms far below, so that the last limb tells."""
    rng = np.random.default_rng(seed)
    terms = numbers(rng, (int(rng.integers(1, 10)), 40))
    if seed % 2:
        terms = np.concatenate([terms, -terms, numbers(rng, (1, 40))])
        terms[rng.integers(0, len(terms))] = math.ldexp(1.0, LOW)
    if seed % 3 == 0:
        terms[rng.random(terms.shape) < 0.2] = -0.0
    found = sums.to_odd([*terms], LOW, HIGH)
    want = [to_odd(sum(map(Fraction, column), Fraction())) for column in terms.T]
    assert found.tolist() == want


@pytest.mark.parametrize("length", range(1, 33))
def test_every_length_of_the_top_limb(sums: Sums, length: int) -> None:
    """With each of the bits below the last one alone, and none; both signs; carries through all."""
    one = math.ldexp(1.0, LOW + 32 * 8 + length - 1)
    below = [0.0, *(math.ldexp(1.0, LOW + place) for place in range(32 * 8))]
    for sign in (1.0, -1.0):
        for other in (1.0, -1.0):
            terms = [np.full(len(below), sign * one), np.array(below) * other]
            want = [to_odd(Fraction(sign * one) + Fraction(other * each)) for each in below]
            assert sums.to_odd(terms, LOW, HIGH).tolist() == want


def test_specials_add_up_as_ieee_754_has_it(sums: Sums) -> None:
    inf, nan = np.inf, np.nan
    cases = [
        ((inf, 1.0, -1.0), inf),
        ((-inf, 2.0**200, 0.0), -inf),
        ((inf, -inf, 1.0), nan),
        ((nan, 1.0, inf), nan),
        ((-0.0, -0.0, -0.0), -0.0),
        ((-0.0, 0.0, -0.0), 0.0),
        ((1.0, -1.0, -0.0), 0.0),
        ((-0.0, 2.0**-200, 0.0), 2.0**-200),  # limbs are as they were
    ]
    found = sums.to_odd([*np.array([terms for terms, _ in cases]).T], LOW, HIGH)
    want = np.array([value for _, value in cases])
    np.testing.assert_array_equal(found, want)
    there = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(found[there]), np.signbit(want[there]))


def test_no_dot_product_differs(sums: Sums) -> None:
    cases = list(paths.differences("dot exact", 3000))
    assert [case for case in cases if case[2]] == []


def test_it_decides_all(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random codes, whose sums cancel and span hundreds of bits; infinities and NaN."""
    spec = unit("dot", a="bf16", out="fp32", lanes=8)
    codes = stimulus(spec, 3000, np.random.default_rng(1))
    want = paths.by_integers(spec, codes)
    spec.plan.found["waits"] = 99
    monkeypatch.setattr(dots.Dot, "_by_integers", None)
    np.testing.assert_array_equal(spec.evaluate(**codes)["r"], want)


def test_few_sums_wait_for_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "LEAST", 100)
    made = []
    monkeypatch.setattr(compiled, "compiled", lambda *source: made.append(1))
    sums = Sums()
    assert [sums.ready(count) for count in (0, 60, 39)] == [False] * 3
    assert not made
    assert not sums.ready(1)
    assert not sums.ready(1000)
    assert made == [1]


class Unkept:
    """A numba that finds no folder to keep what it compiled in."""

    @staticmethod
    def njit(*arguments: object, **options: object):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function


@pytest.mark.parametrize("found", [absent, lambda name: Failing])
def test_without_numba_the_results_are_the_same(found, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = unit("dot", a="fp16", out="fp16", lanes=3)
    codes = stimulus(spec, 500, np.random.default_rng(2))
    monkeypatch.setattr(compiled, "LEAST", 0)
    monkeypatch.setattr(importlib, "import_module", found)
    sums = Sums()
    monkeypatch.setattr(hosted, "SUMS", sums)
    np.testing.assert_array_equal(spec.evaluate(**codes)["r"], paths.by_integers(spec, codes))
    assert sums.asked == 500


def test_it_is_compiled_without_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib, "import_module", lambda name: Unkept)
    assert compiled.compiled(compiled._sum, "") is compiled._sum


def test_zeros_of_aligned_sums() -> None:
    """What is cut off leaves a zero of its sign; beside a number it does not count."""
    spec, fp32 = unit("dot", a="bf16", out="fp32", lanes=2, accumulation="aligned(6)"), "fp32"
    rows = [  # a, b, c, and the sum
        ((1.0, -(2.0**-20)), -1.0, 0x00000000),
        ((-1.0, -(2.0**-20)), 1.0, 0x00000000),
        ((-0.0, -0.0), -0.0, 0x80000000),
        ((-0.0, 0.0), -0.0, 0x00000000),
    ]
    a = format("bf16").encode(np.array([row[0] for row in rows]))
    b = format("bf16").encode(np.ones((len(rows), 2)))
    c = format(fp32).encode(np.array([row[1] for row in rows]))
    assert spec.evaluate(a=a, b=b, c=c)["r"].tolist() == [row[2] for row in rows]
    assert spec._by_integers({"a": a, "b": b, "c": c})["r"].tolist() == [row[2] for row in rows]
