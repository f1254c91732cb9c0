# SPDX-License-Identifier: BSD-2-Clause
"""Many runs at once: on this machine, or on a Dask cluster.

The work of a few long jobs (:func:`run`) is in tools' processes, so threads are enough to keep the
cores busy here; many short ones (:func:`each`) have processes of their own. There, and on a
cluster, functions and arguments are pickled.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ThreadPoolExecutor,
    as_completed,
    wait,
)
from dataclasses import dataclass, field
from typing import Any

from macaw.golden.errors import SpecError, ToolError
from macaw.tools import processes
from macaw.tools.processes import cores

EXECUTORS = ("local", "dask")

WORKERS_WITHIN = 60.0
"""Seconds that a Dask scheduler may take to have a worker."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A call to make: a function of a module, its arguments, and a name for progress."""

    name: str
    function: Callable[..., Any]
    arguments: dict[str, Any] = field(default_factory=dict)


def check(kind: str = "local", workers: int | None = None, scheduler: str | None = None) -> None:
    """SpecError for what :func:`executor` does not take."""
    if kind not in EXECUTORS:
        raise SpecError(f"executor: {kind!r} is none of {', '.join(EXECUTORS)}")
    if workers is not None and workers < 1:
        raise SpecError(f"workers: {workers} is less than 1")
    if kind == "local" and scheduler is not None:
        raise SpecError(f"scheduler={scheduler}: goes with executor=dask only")
    if kind == "dask" and scheduler is None:
        raise SpecError("scheduler: executor=dask needs its address, as tcp://host:8786")


@contextlib.contextmanager
def executor(
    kind: str = "local", *, workers: int | None = None, scheduler: str | None = None
) -> Iterator[Executor]:
    """A place to run jobs: ``workers`` threads here, or the Dask cluster at ``scheduler``.

    Raises :class:`SpecError` for another kind, :class:`ToolError` when Dask is not installed or
    its scheduler does not answer.
    """
    check(kind, workers, scheduler)
    if kind == "local":
        with ThreadPoolExecutor(workers or cores()) as pool:
            yield pool
        return
    try:
        from distributed import Client  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ToolError("executor dask: `pip install macaw[dask]` brings what it needs") from None
    try:
        client = Client(scheduler, timeout=20)
    except (OSError, ValueError) as error:
        raise ToolError(f"scheduler {scheduler} does not answer: {error}") from error
    with client, _quiet("distributed.client"):
        try:
            client.wait_for_workers(1, timeout=WORKERS_WITHIN)
        except TimeoutError:
            raise ToolError(f"scheduler {scheduler} has no workers") from None
        yield client.get_executor()


@contextlib.contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Without what a logger says of errors that are raised as well."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


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


ATTEMPTS = 3
"""Workers that a job may take with it."""


def each(
    jobs: Sequence[Job],
    *,
    kind: str = "local",
    workers: int | None = None,
    scheduler: str | None = None,
) -> Iterator[tuple[int, Any]]:
    """Number and result of each job as soon as it is done.

    ``workers`` processes here, for one this process itself; or Dask's. What a worker that dies was
    doing is done again. A job that has taken :data:`ATTEMPTS` workers with it is done no more, and
    has a :class:`ToolError` for a result. What a job raises ends all.
    """
    check(kind, workers, scheduler)
    if kind == "dask":
        with executor(kind, scheduler=scheduler) as pool:
            yield from _on_cluster(jobs, pool)
        return
    workers = workers or min(cores(), len(jobs))
    if workers > 1:
        yield from _in_processes(jobs, workers)
        return
    for index, job in enumerate(jobs):
        yield index, _call(job)


def _in_processes(jobs: Sequence[Job], workers: int) -> Iterator[tuple[int, Any]]:
    """No more jobs at a time than workers, so that it is known which were with a dead one."""
    waiting, doubtful = deque(range(len(jobs))), deque[int]()
    deaths = Counter[int]()
    while waiting or doubtful:
        with _workers(workers) as pool:
            under_way: dict[Future[Any], int] = {}
            while under_way or waiting or doubtful:
                # What was under way when a worker died is tried alone.
                while not under_way if doubtful else waiting and len(under_way) < workers:
                    index = (doubtful or waiting)[0]
                    try:
                        future = pool.submit(_call, jobs[index])
                    except BrokenExecutor:
                        break
                    under_way[future] = (doubtful or waiting).popleft()
                done = wait(under_way, return_when=FIRST_COMPLETED).done
                if dead := not done or any(_died(future) for future in done):
                    done = wait(under_way).done  # all the others, too, find that out
                for future in done:
                    index = under_way.pop(future)
                    if not _died(future):
                        yield index, future.result()
                        continue
                    deaths[index] += 1
                    if deaths[index] < ATTEMPTS:
                        doubtful.append(index)
                    else:
                        yield index, _deadly(ATTEMPTS)
                if dead:
                    break


def _died(future: Future[Any]) -> bool:
    return isinstance(future.exception(), BrokenExecutor)


def _deadly(times: int) -> ToolError:
    return ToolError(
        f"its worker died, {times} time{'s' * (times != 1)}; of too little memory, perhaps"
    )


@contextlib.contextmanager
def _workers(count: int) -> Iterator[Executor]:
    """Worker processes, which end at once when this is left early."""
    pool = processes.pool(count)
    try:
        try:
            pool.submit(os.getpid).result()
        except BrokenExecutor:
            raise ToolError(
                "workers: no process can be started; a script that uses several must do so under"
                " `if __name__ == '__main__':`"
            ) from None
        yield pool
    except BaseException:
        processes.end(pool)
        raise
    finally:
        pool.shutdown()


def _on_cluster(jobs: Sequence[Job], pool: Executor) -> Iterator[tuple[int, Any]]:
    """Dask does again what was lost with a worker, and gives up by itself."""
    from distributed.scheduler import KilledWorker  # pyright: ignore[reportMissingImports]

    futures = {pool.submit(_call, job): index for index, job in enumerate(jobs)}
    try:
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except KilledWorker as error:
                yield futures[future], _deadly(error.allowed_failures + 1)
            except CancelledError:
                raise ToolError("executor dask: the scheduler has gone away") from None
    finally:
        for future in futures:
            future.cancel()


def _call(job: Job) -> Any:
    return job.function(**job.arguments)


def _abandon(futures: list[Future[Any]]) -> None:
    """Start none of ``futures`` any more, and end the tools of those that run."""
    for future in futures:
        future.cancel()
    while not all(future.done() for future in futures):
        processes.stop_all()
        time.sleep(0.1)
