# SPDX-License-Identifier: BSD-2-Clause
"""Calls in which numpy says nothing of overflow, underflow and what is invalid.

``numpy.errstate`` sets that anew each time, which takes as long as three sums of a hundred numbers.
From numpy 2 on it is a variable of the context (:mod:`contextvars`), so that a context of our own
has it set for good. A context is entered by one call at a time; whoever finds none makes one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVar

import numpy as np

_Result = TypeVar("_Result")
_FREE: list[Callable[..., Any]] = []


def _by_context(call: Callable[..., _Result], *arguments: object) -> _Result:
    try:
        run = _FREE.pop()
    except IndexError:
        run = Context().run
        run(np.seterr, all="ignore")
    try:
        return run(call, *arguments)
    finally:
        _FREE.append(run)


def _by_errstate(call: Callable[..., _Result], *arguments: object) -> _Result:
    with np.errstate(all="ignore"):
        return call(*arguments)


quietly = _by_context if int(np.__version__.split(".")[0]) >= 2 else _by_errstate
"""Return what the first argument makes of the others."""
