# SPDX-License-Identifier: BSD-2-Clause
"""Matrix products in float64: that they are taken, and where tiles and slices meet.

Their bits are compared in test_binary64.py.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from compilers import absent

from benchmarks.speed.compiled import from_the_first
from macaw.golden import format, matmul
from macaw.golden.arithmetic.binary64 import stepwise
from macaw.golden.arithmetic.binary64.slices import MOST, Slices, add_up, width
from macaw.golden.tensors import hosted, threads
from macaw.golden.tensors import matmul as module


@pytest.fixture(params=["numpy", "compiled"])
def steps(request: pytest.FixtureRequest) -> Iterator[str]:
    """By what steps are added up, from the first one on."""
    if request.param == "numpy":
        yield request.param
        return
    pytest.importorskip("numba")
    with from_the_first():
        yield request.param


@pytest.mark.parametrize("accumulation", ["exact", "sequential"])
@pytest.mark.parametrize("name", ["fp16", "bf16", "fp32", "e4m3", "int8", "mxfp8-e4m3"])
def test_numbers_take_the_fast_path(
    name: str, accumulation: str, steps: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the borders of tiles too: by integers, a row and a column have the same codes."""
    rng = np.random.default_rng(1)
    made = []
    if steps == "compiled" and accumulation == "exact":
        add = hosted.STEPWISE.add
        monkeypatch.setattr(hosted.STEPWISE, "add", lambda *given: made.append(add(*given)))
        tile = hosted._COMPILED_TILE
    else:
        tile = hosted._WIDER if accumulation == "exact" else hosted._TILE
    a = rng.standard_normal((tile[0] + 3, 70)) * 8
    b = rng.standard_normal((70, tile[1] + 5)) * 8
    rows, columns = [0, 77, tile[0], tile[0] + 2], [0, tile[1] + 1]
    if name.startswith("mx"):
        a, b = (format(name).quantize(x, axis=axis) for x, axis in ((a, 1), (b, 0)))
        want = None
    else:
        with monkeypatch.context() as patch:
            patch.setattr(module.hosted, "product", lambda *_: None)
            want = matmul(a[rows], b[:, columns], name, accumulation=accumulation)
    monkeypatch.setattr(module, "_streamed", None)
    monkeypatch.setattr(module._Fast, "of", None)
    got = matmul(a, b, name, accumulation=accumulation)
    assert got.dtype == np.uint32
    if want is not None:
        np.testing.assert_array_equal(got[np.ix_(rows, columns)], want)
    assert bool(made) == (steps == "compiled" and accumulation == "exact")


def test_slices_add_up_to_the_vectors() -> None:
    rng = np.random.default_rng(2)
    vectors = np.ldexp(rng.integers(-(1 << 24), 1 << 24, (40, 3, 9)), rng.integers(-20, 20, 9))
    vectors[5] = 0
    cut = Slices.of(vectors)
    assert cut.whole.all()
    assert len(cut.parts) > 1
    np.testing.assert_array_equal(sum(cut.parts), vectors)
    for part, some in zip(cut.parts, cut.some, strict=True):
        largest = np.frexp(np.abs(part).max(-1))[1]
        integers = np.ldexp(part, width(9) - largest[..., None])
        np.testing.assert_array_equal(integers, np.rint(integers))
        np.testing.assert_array_equal(some, (part != 0).any(-1))


def test_what_does_not_fit_in_slices_is_told() -> None:
    apart = 2.0 ** (-(width(MOST + 1) + 5) * np.arange(MOST + 1))
    near = np.array([1.0, 0.5, 0.25, 0.0])
    cut = Slices.of(np.array([apart, near, 2.0**500 * near, 0 * near]))
    assert cut.whole.tolist() == [False, True, False, True]


def test_sums_that_two_floats_do_not_hold_are_told() -> None:
    held = np.array([1.0, 1.0, 0.0])
    terms = np.array([[2.0**-60, 2.0**-60, 0.0], [2.0**-100, 2.0**-120, 0.0]])
    total, lost = add_up(held, terms)
    assert lost is not None
    assert lost.tolist() == [False, True, False]
    assert total.tolist()[::2] == [1 + 2.0**-52, 0.0]
    assert add_up(held, terms[:0])[1] is None


def sums(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """What is held, in fp32, and terms: that cancel, are next to midpoints, or far below."""
    bits = rng.integers(0, 0x7F800001, shape[1:], np.uint32)
    bits[rng.random(shape[1:]) < 0.1] = 0
    bits |= rng.integers(0, 2, shape[1:], np.uint32) << np.uint32(31)
    held = bits.view(np.float32).astype(np.float64)
    size = np.where(np.isfinite(held), held, 1.0)
    kinds = (
        -size,
        size * 2.0**-24,
        size * 2.0**-25 * rng.choice([1, 1 + 2.0**-52], shape[1:]),
        size * 2.0 ** rng.integers(-90, 2, shape[1:]),
        np.ldexp(rng.standard_normal(shape[1:]), rng.integers(-170, 130, shape[1:])),
        np.full(shape[1:], 2.0**-150),
        np.zeros(shape[1:]),
    )
    terms = np.empty(shape)
    for term in terms:
        term[...] = np.choose(rng.integers(0, len(kinds), shape[1:]), kinds)
        term *= rng.choice([-1, 1], shape[1:])
    return held, terms


@pytest.mark.parametrize("count", range(1, 10))
def test_a_compiled_step_is_that_of_numpy(count: int) -> None:
    """What is decided is equal, and is told alike."""
    pytest.importorskip("numba")
    rng = np.random.default_rng(count)
    fp32 = format("fp32")
    with from_the_first():
        assert hosted.STEPWISE.ready(1)
        for _ in range(20):
            held, terms = sums(rng, (count, int(rng.integers(1, 40)), int(rng.integers(1, 70))))
            decided = rng.random(held.shape) < 0.9
            with np.errstate(all="ignore"):
                total, lost = add_up(held, terms)
                want = fp32.decode(fp32.encode(total))
            there = decided & ~((held == 0) & np.signbit(held))
            there &= ~lost if lost is not None else True
            hosted.STEPWISE.add(held, terms, decided)
            np.testing.assert_array_equal(decided, there)
            np.testing.assert_array_equal(held.view(np.int64)[there], want.view(np.int64)[there])
            assert there.any()


def test_few_steps_wait_for_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepwise, "LEAST", 1 << 20)
    monkeypatch.setattr(stepwise, "LEAST_BESIDE_SUMS", 1 << 20)
    monkeypatch.setattr(hosted, "STEPWISE", stepwise.Stepwise())
    a = np.ones((20, 70))
    matmul(a, a.T, "e4m3")
    assert hosted.STEPWISE.asked == 20 * 20 * 3
    assert hosted.STEPWISE.made is None


@pytest.mark.parametrize(
    ("name", "acc", "zero"), [("e5m2", "e5m2", 0x80), ("bf16", "fp32", 1 << 31)]
)
def test_a_negative_zero_that_is_held(name: str, acc: str, zero: int, steps: str) -> None:
    """An accumulator at -0 and products that are -0: their sum is."""
    fmt = format(name)
    a = fmt.encode(np.array([[-fmt.min_subnormal, -0.0], [-fmt.min_subnormal, 0.0]]))
    b = fmt.encode(np.array([[fmt.min_subnormal], [1.0]]))
    for accumulation in ("exact", "sequential"):
        codes = matmul(a, b, name, acc=acc, lanes=1, accumulation=accumulation)
        assert codes[:, 0].tolist() == [zero, 0]


class Library:
    """A library of matrix products with so many threads, and how many it was limited to."""

    def __init__(self, count: int) -> None:
        self.count, self.limits = count, []

    def info(self) -> list[dict[str, Any]]:
        return [{"num_threads": self.count}]

    @contextmanager
    def limit(self, limits: int) -> Iterator[None]:
        self.limits.append(limits)
        try:
            yield
        finally:
            self.limits.append(None)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library(2)
    monkeypatch.setattr(threads, "_library", lambda: made)
    return made


def test_threads_work_at_the_same_time(library: Library) -> None:
    both = threading.Barrier(2, timeout=30)
    names = set()

    def call(item: int) -> None:
        names.add(threading.current_thread().name)
        both.wait()

    threads.each(call, range(4))
    assert len(names) == 2
    assert library.limits == [1, None]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_what_one_thread_does(count: int, library: Library) -> None:
    """Of nothing, of one thing, and with one thread alone."""
    done = []

    def call(item: int) -> None:
        assert threading.current_thread() is threading.main_thread()
        done.append(item)

    library.count = 1 if count == 2 else 2
    threads.each(call, range(count))
    assert done == list(range(count))
    assert library.limits == []


def test_while_others_have_the_threads(library: Library) -> None:
    inner = []

    def call(item: int) -> None:
        threads.each(inner.append, [item, item])

    threads.each(call, range(3))
    assert sorted(inner) == [0, 0, 1, 1, 2, 2]
    assert library.limits == [1, None]


def test_what_a_thread_raises(library: Library) -> None:
    def call(item: int) -> None:
        if item == 1:
            raise MemoryError("of one")

    with pytest.raises(MemoryError, match="of one"):
        threads.each(call, range(1000))
    assert library.limits == [1, None]
    threads.each(call, [2, 3])
    assert library.limits == [1, None] * 2


def test_without_threadpoolctl(monkeypatch: pytest.MonkeyPatch) -> None:
    threads._library.cache_clear()
    monkeypatch.setattr(threads.importlib, "import_module", absent)
    done = []
    try:
        threads.each(done.append, [1, 2, 3])
    finally:
        threads._library.cache_clear()
    assert done == [1, 2, 3]


@pytest.mark.parametrize("accumulation", ["exact", "sequential"])
def test_threads_make_the_same_codes(
    accumulation: str, steps: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of small tiles, infinities and NaN too; the library has its threads again."""
    controller = pytest.importorskip("threadpoolctl").ThreadpoolController()
    monkeypatch.setattr(hosted, "_WIDER", (16, 32))
    monkeypatch.setattr(hosted, "_COMPILED_TILE", (16, 32))
    monkeypatch.setattr(hosted._Sequential, "tile", (16, 32))
    rng = np.random.default_rng(5)
    fmt = format("bf16")
    a, b = (fmt.encode(rng.standard_normal(shape) * 2.0**60) for shape in ((90, 70), (70, 100)))
    a[5, 3], b[7, 9], b[8, 9] = fmt.encode(np.array([np.nan, np.inf, -np.inf]))
    with controller.limit(limits=1):
        want = matmul(a, b, "bf16", accumulation=accumulation)
    with controller.limit(limits=2):
        before = controller.info()
        for _ in range(20):
            np.testing.assert_array_equal(matmul(a, b, "bf16", accumulation=accumulation), want)
        assert controller.info() == before
