# SPDX-License-Identifier: BSD-2-Clause
"""Compiled passes of bf16 against the integers; without numba nothing changes but the time."""

import importlib

import numpy as np
import pytest
from compilers import Failing, absent

from benchmarks.speed.adversaries import near_midpoints
from macaw.golden import format
from macaw.golden.arithmetic.binary64 import compiled, float32, passes
from macaw.golden.arithmetic.binary64.passes import Passes
from macaw.golden.arithmetic.binary64.scratch import FEW
from macaw.golden.arithmetic.codec import _decode
from macaw.golden.arithmetic.exact import unpack
from macaw.golden.arithmetic.projection import Direction, project, resolve_overflow
from macaw.golden.formats.choices import Overflow, Rounding
from macaw.golden.formats.scalar import FORMATS, Float

BF16 = format("bf16")
assert isinstance(BF16, Float)
COUNT = 20 * FEW
FLOATS = {"fp32": np.float32, "fp64": np.float64}


@pytest.fixture(params=["compiled", "absent", "failing"])
def made(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Passes:
    """What all take from the first number on: passes, or none for want of a compiler."""
    monkeypatch.setattr(passes, "LEAST", 0)
    monkeypatch.setattr(passes, "LEAST_BESIDE_SUMS", 0)
    if request.param == "compiled":
        pytest.importorskip("numba")
    else:
        found = {"absent": absent, "failing": lambda name: Failing}[request.param]
        monkeypatch.setattr(importlib, "import_module", found)
    fresh = Passes()
    monkeypatch.setattr(float32, "PASSES", fresh)
    codes, values = np.zeros(1, np.uint16), np.zeros(1)
    assert fresh.decode(codes, values) == (request.param == "compiled")
    return fresh


def by_integers(
    values: np.ndarray, source: str, rounding: str = "rne", overflow: str | None = None
) -> np.ndarray:
    wide = FORMATS[source]
    policy = resolve_overflow(None if overflow is None else Overflow.parse(overflow), BF16)
    exact = unpack(values.view(wide.code_dtype), wide)
    return project(exact, BF16, Direction(Rounding.parse(rounding)), policy)[0]


def numbers(source: str, seed: int) -> np.ndarray:
    """Midpoints of any size, float32 next to them, neighbours of all; and what is special."""
    rng, floats = np.random.default_rng(seed), FLOATS[source]
    middles = np.arange(1 << 15, dtype=np.uint32) << 16 | 0x8000
    middles = rng.choice(middles[:0x7F80], 2000)
    middles += rng.integers(-1, 2, len(middles)).astype(np.uint32)  # and those next to them
    middles = middles.view(np.float32).astype(floats)
    middles *= rng.choice([-1, 1], len(middles))
    beside = [np.nextafter(middles, floats(end), dtype=floats) for end in (0, np.inf, -np.inf)]
    limits = np.array([2.0**128 * (1 - 2.0**-9), 2.0**-134, 2.0**-133 * 1.5], floats)
    around = [np.nextafter(limits, floats(end), dtype=floats) for end in (0, np.inf)]
    specials = np.array([0.0, np.inf, np.nan, np.finfo(floats).smallest_subnormal], floats)
    patterns = np.array([0x7F800001, 0x7FC00000, 0x7FFFFFFF], np.uint32).view(np.float32)
    with np.errstate(all="ignore"):
        near = near_midpoints(BF16, COUNT, rng).astype(floats)
        parts = [near, middles, *beside, limits, *around, specials, patterns.astype(floats)]
        random = rng.integers(0, 1 << FORMATS[source].width, COUNT, np.uint64)
    codes = random.astype(FORMATS[source].code_dtype).view(floats)
    every = np.concatenate([*parts, codes])
    return np.concatenate([every, -every])


@pytest.mark.parametrize("source", FLOATS)
@pytest.mark.parametrize("seed", range(5))
def test_codes_are_those_of_integers(made: Passes, source: str, seed: int) -> None:
    values = numbers(source, seed)
    want = by_integers(values, source)
    np.testing.assert_array_equal(BF16.encode(values), want)
    np.testing.assert_array_equal(BF16.encode(values[:FEW]), want[:FEW])


def test_every_code_is_decoded(made: Passes) -> None:
    codes = np.arange(1 << 16, dtype=np.uint16)
    got, want = BF16.decode(codes), _decode(codes, BF16)
    nan = np.isnan(want)
    np.testing.assert_array_equal(np.isnan(got), nan)
    np.testing.assert_array_equal(got[~nan].view(np.uint64), want[~nan].view(np.uint64))
    few = np.concatenate([BF16.decode(piece) for piece in codes.reshape(-1, FEW)])
    np.testing.assert_array_equal(few.view(np.uint64), got.view(np.uint64))


@pytest.mark.parametrize("source", FLOATS)
def test_arrays_of_any_kind(made: Passes, source: str) -> None:
    values = numbers(source, 9)[: 8 * FEW]
    want = by_integers(values, source)
    fixed = values.copy()
    fixed.flags.writeable = False
    for given in (fixed, values.astype(values.dtype.newbyteorder(">")), np.repeat(values, 2)[::2]):
        np.testing.assert_array_equal(BF16.encode(given), want)
    np.testing.assert_array_equal(BF16.encode(values[::-1]), want[::-1])
    turned = values.reshape(8, FEW).T
    np.testing.assert_array_equal(BF16.encode(turned), want.reshape(8, FEW).T)
    assert BF16.encode(values[:0]).shape == (0,)
    there = _decode(want, BF16)
    fixed_codes = want.copy()
    fixed_codes.flags.writeable = False
    for codes in (fixed_codes, want.astype(">u2"), np.repeat(want, 2)[::2]):
        np.testing.assert_array_equal(BF16.decode(codes), there)
    np.testing.assert_array_equal(BF16.decode(want.reshape(8, FEW).T), there.reshape(8, FEW).T)
    assert BF16.decode(want[:0]).shape == (0,)


@pytest.mark.parametrize("source", FLOATS)
@pytest.mark.parametrize(
    ("rounding", "overflow"), [("rtz", None), ("rod", None), ("rna", None), ("rne", "saturate")]
)
def test_other_directions_go_another_way(
    made: Passes, source: str, rounding: str, overflow: str | None
) -> None:
    values = numbers(source, 3)
    got = BF16.encode(values, rounding=rounding, overflow=overflow)
    np.testing.assert_array_equal(got, by_integers(values, source, rounding, overflow))


def test_few_numbers_wait_for_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(passes, "LEAST", 3 * FEW)
    monkeypatch.setattr(passes, "LEAST_BESIDE_SUMS", 2 * FEW)
    monkeypatch.setattr(compiled, "SUMS", compiled.Sums())
    monkeypatch.setattr(passes, "_all", lambda: asked.append(1) or {})
    fresh = Passes()
    values, codes = np.ones(FEW), np.empty(FEW, np.uint16)
    assert [fresh.encode(values, codes, 0) for _ in range(2)] == [False] * 2
    assert not asked
    assert not fresh.decode(codes, values)
    assert not fresh.decode(codes, values)
    assert asked == [1]
    assert fresh.asked == 3 * FEW


def test_beside_compiled_sums_they_wait_less(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    sums = compiled.Sums()
    monkeypatch.setattr(compiled, "LEAST", 0)
    assert sums.ready(1)
    assert sums.made
    monkeypatch.setattr(compiled, "SUMS", sums)
    monkeypatch.setattr(passes, "LEAST_BESIDE_SUMS", 1)
    assert Passes().encode(np.ones(1), np.empty(1, np.uint16), 0)
