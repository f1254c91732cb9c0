# SPDX-License-Identifier: BSD-2-Clause
"""Work on as many threads as the library of matrix products takes, where threadpoolctl is found.

numpy and compiled code let others run while they compute, so that parts of a result that do not
touch each other may be made at the same time. Each of them multiplies small matrices, which the
library does no faster with threads of its own: meanwhile it has one (the extra ``fast`` brings
threadpoolctl, which tells it so). How many threads it has, OPENBLAS_NUM_THREADS and its kin say.
"""

from __future__ import annotations

import functools
import importlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_Item = TypeVar("_Item")
_BUSY = threading.Lock()
"""Held by who has taken its threads from the library: another caller has none to take."""


def each(call: Callable[[_Item], object], items: Sequence[_Item]) -> None:
    """Call with each of ``items``, in no order; what is raised first is raised here."""
    if len(items) < 2 or not _BUSY.acquire(blocking=False):
        _one_by_one(call, items)
        return
    try:
        library = _library()
        count = 1 if library is None else min(_threads(library), len(items))
        if library is None or count == 1:
            _one_by_one(call, items)
            return
        with library.limit(limits=1):
            _at_once(call, items, count)
    finally:
        _BUSY.release()


def _one_by_one(call: Callable[[_Item], object], items: Sequence[_Item]) -> None:
    for item in items:
        call(item)


def _at_once(call: Callable[[_Item], object], items: Sequence[_Item], count: int) -> None:
    pool = ThreadPoolExecutor(count, thread_name_prefix="macaw")
    try:
        for _ in pool.map(call, items):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


@functools.cache
def _library() -> Any:
    """Return what tells the library how many threads to take; None where nothing does."""
    try:
        found: Any = importlib.import_module("threadpoolctl")
        return found.ThreadpoolController().select(user_api="blas")
    except Exception:
        return None


def _threads(library: Any) -> int:
    return max((each["num_threads"] for each in library.info()), default=1)
