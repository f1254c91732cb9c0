# SPDX-License-Identifier: BSD-2-Clause
"""Compiled passes of bf16 and steps of matrix products from the first number on, where a program
has them after many."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from macaw.golden.arithmetic.binary64 import float32, passes, stepwise
from macaw.golden.tensors import hosted

_PASSES, _STEPWISE = passes.Passes(), stepwise.Stepwise()


@contextmanager
def from_the_first() -> Iterator[None]:
    """Compiled passes are taken at once, if numba is found."""
    with (
        mock.patch.object(float32, "PASSES", _PASSES),
        mock.patch.object(hosted, "STEPWISE", _STEPWISE),
        mock.patch.multiple(passes, LEAST=0, LEAST_BESIDE_SUMS=0),
        mock.patch.multiple(stepwise, LEAST=0, LEAST_BESIDE_SUMS=0),
    ):
        yield
