# SPDX-License-Identifier: BSD-2-Clause
"""Many runs at once: on this machine, or on a Dask cluster.

The work is in tools' processes, so threads are enough to keep the cores busy here. On a cluster
the same functions and arguments are pickled.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from macaw.golden.errors import SpecError, ToolError
from macaw.tools import processes

EXECUTORS = ("local", "dask")


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A call to make: a function of a module, its arguments, and a name for progress."""

    name: str
    function: Callable[..., Any]
    arguments: dict[str, Any] = field(default_factory=dict)


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def executor(
    kind: str = "local", *, workers: int | None = None, scheduler: str | None = None
) -> Iterator[Executor]:
    """A place to run jobs: ``workers`` threads here, or the Dask cluster at ``scheduler``.

    Raises :class:`SpecError` for another kind, :class:`ToolError` when Dask is not installed or
    its scheduler does not answer.
    """
    if kind not in EXECUTORS:
        raise SpecError(f"executor: {kind!r} is none of {', '.join(EXECUTORS)}")
    if workers is not None and workers < 1:
        raise SpecError(f"jobs: {workers} is less than 1")
    if kind == "local":
        if scheduler is not None:
            raise SpecError("scheduler: goes with executor=dask only")
        with ThreadPoolExecutor(workers or cores()) as pool:
            yield pool
        return
    try:
        from distributed import Client  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ToolError("executor dask: `pip install macaw[dask]` brings what it needs") from None
    if scheduler is None:
        raise SpecError("scheduler: executor=dask needs its address, as tcp://host:8786")
    try:
        client = Client(scheduler, timeout=20)
    except (OSError, ValueError) as error:
        raise ToolError(f"scheduler {scheduler} does not answer: {error}") from error
    with client:
        yield client.get_executor()


def run(
    jobs: Sequence[Job],
    *,
    kind: str = "local",
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Callable[..., None] | None = None,
) -> list[Any]:
    """Results of ``jobs`` in their order. The first failure stops what is under way.

    ``progress`` gets the number done, the number of all, and after each job a line of text.
    """
    results: list[Any] = [None] * len(jobs)
    with executor(kind, workers=workers, scheduler=scheduler) as pool:
        futures: dict[Future[Any], int] = {
            pool.submit(job.function, **job.arguments): index for index, job in enumerate(jobs)
        }
        try:
            for done, future in enumerate(as_completed(futures), 1):
                index = futures[future]
                results[index] = future.result()
                if progress is not None:
                    progress(f"{done} of {len(jobs)}: {jobs[index].name}")
        except BaseException:
            _abandon(list(futures))
            raise
    return results


def _abandon(futures: list[Future[Any]]) -> None:
    """Start none of ``futures`` any more, and end the tools of those that run."""
    for future in futures:
        future.cancel()
    while not all(future.done() for future in futures):
        processes.stop_all()
        time.sleep(0.1)
