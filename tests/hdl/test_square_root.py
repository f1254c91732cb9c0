# SPDX-License-Identifier: BSD-2-Clause
"""Integer square roots and squares in gates, against Python's integers."""

import math
import random
from typing import Any

import pytest
from simulated import simulated

from macaw.hdl.arithmetic.words.square_root import square, square_root
from macaw.hdl.schedule.scheduler import Scheduler
from macaw.hdl.schedule.wire import Wire, cat


def _root(width: int) -> Any:
    def build(p: Scheduler, word: Wire) -> Wire:
        root, rest = square_root(p, word)
        assert len(root) == (width + 1) // 2
        return cat(root.bits(width), rest.bits(width + 2))

    return build


@pytest.mark.parametrize("period", [float("inf"), 5.0], ids=["combinational", "pipelined"])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 7, 8, 24, 61])
def test_square_root(width: int, period: float):
    """Every radicand of few bits; of many bits random ones, squares, and one less."""
    if width <= 8:
        inputs = list(range(1 << width))
    else:
        draw = random.Random(width)
        roots = [draw.getrandbits(draw.randint(1, width // 2)) | 1 for _ in range(150)]
        inputs = [draw.getrandbits(width) >> draw.randrange(width) for _ in range(100)]
        inputs += [n * n for n in roots] + [n * n - 1 for n in roots] + [(1 << width) - 1]
    got = simulated(_root(width), width, inputs, period)
    for radicand, result in zip(inputs, got, strict=True):
        root = math.isqrt(radicand)
        assert result == root | (radicand - root * root) << width, radicand


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 8, 11])
def test_square(width: int):
    inputs = range(1 << width)
    got = simulated(square, width, inputs)
    assert got == [n * n for n in inputs]
