# SPDX-License-Identifier: BSD-2-Clause
"""Scratch and contexts that are kept: no call sees another one's, whatever its thread or size."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from macaw.golden import format, unit
from macaw.golden.arithmetic.binary64 import quiet
from macaw.golden.arithmetic.binary64.scratch import FEW, PIECE, Pool, halves, three

SIZES = (1, 99, FEW, FEW + 1, PIECE, PIECE + 1)
QUIET = pytest.mark.parametrize("quietly", [quiet._by_context, quiet._by_errstate])


def overflowing(depth: int = 0) -> np.ndarray:
    if depth:
        quiet.quietly(overflowing, depth - 1)
    return np.array([3e38], np.float32) * np.float32(10)


@QUIET
def test_numpy_says_nothing_and_the_caller_is_told_all(quietly) -> None:
    with np.errstate(all="raise"):
        assert np.isinf(quietly(overflowing, 2))
        with pytest.raises(FloatingPointError):
            overflowing()


@QUIET
def test_an_error_comes_through_and_the_next_call_is_quiet(quietly) -> None:
    def fail() -> None:
        raise RuntimeError("inside")

    for _ in range(3):
        with pytest.raises(RuntimeError, match="inside"):
            quietly(fail)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isinf(quietly(overflowing))


def test_a_pool_keeps_few_sizes_and_lends_to_one() -> None:
    pool = Pool(three)
    pool.use(7, lambda *words: pool.use(7, lambda *others: check_apart(words, others)))
    for size in range(1, 100):
        pool.use(size, lambda *words: None)
        assert len(pool.free) < 20


def check_apart(words, others) -> None:
    assert {id(word) for word in words}.isdisjoint({id(word) for word in others})


def test_halves_are_those_of_words() -> None:
    upper_of_a, upper_of_b, x, y, near, bits, upper, lower, _ = halves(3)
    upper_of_a[...], upper_of_b[...], near[...] = 0x3F80, 0xC000, 1 + 2**-20
    assert x.tolist() == [1.0] * 3
    assert y.tolist() == [-2.0] * 3
    assert [bits[0] >> 16, bits[0] & 0xFFFF] == [upper[0], lower[0]] == [0x3F80, 8]


@pytest.mark.parametrize("kind", ["mul", "add", "fma"])
@pytest.mark.parametrize("fmt", ["bf16", "fp16", "fp32"])
def test_threads_do_not_meet(kind: str, fmt: str) -> None:
    spec, rng = unit(kind, a=fmt, out=fmt), np.random.default_rng(1)
    ports = spec.ports.inputs
    values = {size: rng.standard_normal(size) for size in SIZES}
    codes = {size: format(fmt).encode(array) for size, array in values.items()}
    want = {
        size: spec.evaluate(**dict.fromkeys(ports, array))["r"] for size, array in codes.items()
    }

    def work(turn: int) -> bool:
        size = SIZES[turn % len(SIZES)]
        made = format(fmt).encode(values[size])
        found = spec.evaluate(**dict.fromkeys(ports, made))["r"]
        return bool((made == codes[size]).all() and (found == want[size]).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(240)))


@pytest.mark.parametrize("fmt", ["bf16", "fp16", "fp32"])
@pytest.mark.parametrize("size", [1, 100, FEW, FEW + 1])
def test_operands_are_known_by_their_names(fmt: str, size: int) -> None:
    spec = unit("add", a=fmt, subtract=True)
    a, b = (format(fmt).encode(np.full(size, value)) for value in (3.0, 1.0))
    kept = a.copy(), b.copy()
    found = spec.evaluate(b=b, a=a)["r"]
    assert (format(fmt).decode(found) == 2.0).all()
    np.testing.assert_array_equal([a, b], kept)
    again = found.copy()
    spec.evaluate(a=b, b=a)
    np.testing.assert_array_equal(found, again)


@pytest.mark.parametrize("fmt", ["bf16", "fp16", "fp32"])
@pytest.mark.parametrize("size", [1, 3, FEW, FEW + 1])
def test_nan_has_the_code_of_the_format(fmt: str, size: int) -> None:
    spec, form = unit("mul", a=fmt), format(fmt)
    codes = form.encode(np.resize([-np.nan, np.inf, 1.0], size))
    zero = form.encode(np.zeros(size))
    found = spec.evaluate(a=codes, b=zero)["r"]
    assert (found == np.where(np.arange(size) % 3 < 2, form.nan_code or 0, 0)).all()
