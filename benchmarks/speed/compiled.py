# SPDX-License-Identifier: BSD-2-Clause
"""Compiled passes of bf16 from the first number on, where a program has them after many."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from macaw.golden.arithmetic.binary64 import float32, passes

_PASSES = passes.Passes()


@contextmanager
def from_the_first() -> Iterator[None]:
    """Compiled passes are taken at once, if numba is found."""
    with (
        mock.patch.object(float32, "PASSES", _PASSES),
        mock.patch.multiple(passes, LEAST=0, LEAST_BESIDE_SUMS=0),
    ):
        yield
