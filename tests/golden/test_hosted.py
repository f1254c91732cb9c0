# SPDX-License-Identifier: BSD-2-Clause
"""Matrix products in float64: that they are taken, and where tiles and slices meet.

Their bits are compared in test_binary64.py.
"""

import numpy as np
import pytest

from macaw.golden import format, matmul
from macaw.golden.arithmetic.binary64.slices import MOST, Slices, add_up, width
from macaw.golden.tensors import hosted
from macaw.golden.tensors import matmul as module


@pytest.mark.parametrize("accumulation", ["exact", "sequential"])
@pytest.mark.parametrize("name", ["fp16", "bf16", "fp32", "e4m3", "int8", "mxfp8-e4m3"])
def test_numbers_take_the_fast_path(
    name: str, accumulation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the borders of tiles too: by integers, a row and a column have the same codes."""
    rng = np.random.default_rng(1)
    a = rng.standard_normal((hosted._ROWS + 3, 70)) * 8
    b = rng.standard_normal((70, hosted._COLUMNS + 5)) * 8
    rows, columns = [0, 77, hosted._ROWS, hosted._ROWS + 2], [0, hosted._COLUMNS + 1]
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
    terms = [np.array([2.0**-60, 2.0**-60, 0.0]), np.array([2.0**-100, 2.0**-120, 0.0])]
    total, lost = add_up(held, terms)
    assert lost is not None
    assert lost.tolist() == [False, True, False]
    assert total.tolist()[::2] == [1 + 2.0**-52, 0.0]
    assert add_up(held, [])[1] is None


def test_a_negative_zero_that_is_held() -> None:
    """An accumulator at -0 and products that are -0: their sum is."""
    fmt = format("e5m2")
    a = fmt.encode(np.array([[-fmt.min_subnormal, -0.0], [-fmt.min_subnormal, 0.0]]))
    b = fmt.encode(np.array([[fmt.min_subnormal], [1.0]]))
    for accumulation in ("exact", "sequential"):
        codes = matmul(a, b, "e5m2", acc="e5m2", lanes=1, accumulation=accumulation)
        assert codes[:, 0].tolist() == [0x80, 0]
