# SPDX-License-Identifier: BSD-2-Clause
"""Two's complement codes and their integers."""

import numpy as np
import pytest

from macaw.golden.arithmetic.integers import codes_of, integer_dtype, integers_of, reach
from macaw.golden.formats import Fixed

SIGNED = [1, 2, 3, 7, 8, 9, 16, 31, 32, 33, 62, 63, 64]


@pytest.mark.parametrize(
    "fmt",
    [Fixed(width=width) for width in SIGNED if width > 1]
    + [Fixed(width=width, signed=False) for width in SIGNED[:-1]]
    + [Fixed(width=8, symmetric=True), Fixed(width=12, fraction=5)],
    ids=lambda fmt: fmt.name,
)
def test_ends_and_back(fmt: Fixed):
    low, high = reach(fmt)
    assert high - low == (1 << fmt.width) - 1
    integers = sorted({low, low + 1, -1 if low else 0, 0, 1, high - 1, high})
    array = np.array(integers, np.int64)
    codes = codes_of(array, fmt)
    assert codes.dtype == fmt.code_dtype
    assert codes.tolist() == [n % (1 << fmt.width) for n in integers]
    assert integers_of(codes, fmt).dtype == np.int64
    assert integers_of(codes, fmt).tolist() == integers
    assert array.astype(integer_dtype(fmt)).tolist() == integers


def test_codes_are_modulo_the_width():
    assert codes_of(np.array([-129, 128, 300]), Fixed(width=8)).tolist() == [127, 128, 44]


def test_shapes_stay():
    codes = np.zeros((2, 0, 3), np.uint8)
    assert codes_of(integers_of(codes, Fixed(width=4)), Fixed(width=4)).shape == (2, 0, 3)
    assert int(codes_of(-1, Fixed(width=4))) == 15
