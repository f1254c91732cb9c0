# SPDX-License-Identifier: BSD-2-Clause
"""A sweep on a Dask cluster whose workers and scheduler die."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from macaw.golden.errors import ToolError
from macaw.synth import jobs
from macaw.synth.jobs import Job
from macaw.synth.sweep import sweep

pytest.importorskip("distributed")

SPACE = {"formats": ["int<2-4>", "e1m1"], "lanes": 2, "stages": "0-2"}
DIE = "__import__('os').kill(__import__('os').getpid(), 9)"


class Cluster:
    """A scheduler and two workers with a thread each, all of them processes, on this machine.

    Each worker has a cache of its own, as on machines that share no disk.
    """

    def __init__(self, folder, **environment):
        self.folder = folder
        self.processes = []
        file = folder / "scheduler.json"
        self.scheduler = self._start(
            "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file),
            **environment,
        )  # fmt: skip
        self.workers = [
            self._start(
                "dask_worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny",
                "--local-directory", str(folder / f"worker{number}"),
                MACAW_CACHE=str(folder / f"cache{number}"),
            )
            for number in (1, 2)
        ]  # fmt: skip
        until = time.monotonic() + 60
        while not file.exists() and time.monotonic() < until:
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]

    def _start(self, program, *arguments, **environment):
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{program}", "--no-dashboard", *arguments],
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def wait(self):
        """Until both workers are there."""
        from distributed import Client

        with Client(self.address) as client:
            client.wait_for_workers(2, timeout=60)

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path / "cache"))
    made = Cluster(tmp_path)
    try:
        made.wait()
        yield made
    finally:
        made.end()


def kept(folder):
    """The finished points in a cache, and since when."""
    return {
        path: path.stat().st_mtime_ns
        for path in folder.rglob("*.json")
        if '"status": "done"' in path.read_text()
    }


@pytest.mark.slow
def test_a_worker_that_is_killed_takes_nothing_with_it(cluster, tmp_path, monkeypatch):
    first, second = cluster.workers
    seen = []

    def progress(*news):
        seen.append(news)
        if news == (3, 12):
            assert len(kept(tmp_path / "cache")) == 3
            first.send_signal(signal.SIGKILL)

    made = sweep(**SPACE, executor="dask", scheduler=cluster.address, progress=progress)
    assert first.wait(10) == -signal.SIGKILL
    assert second.poll() is None
    assert seen == [("12 points",), *((done, 12) for done in range(1, 13))]
    assert [row["status"] for row in made.rows] == ["done"] * 12
    assert len({(row["format"], row["stages"]) for row in made.rows}) == 12
    assert len(kept(tmp_path / "cache")) == 12
    # It had worked, on its own; and what came of it is what one process finds by itself.
    assert any((tmp_path / "cache1").rglob("*.json"))
    monkeypatch.setenv("MACAW_CACHE", str(tmp_path / "alone"))
    assert sweep(**SPACE, workers=1).rows == made.rows


@pytest.mark.slow
def test_after_a_scheduler_that_is_killed_the_rest_is_measured(cluster, tmp_path):
    def progress(*news):
        if news == (3, 12):
            cluster.scheduler.send_signal(signal.SIGKILL)

    with pytest.raises(ToolError, match=r"scheduler has gone away; .* of 12 points are kept"):
        sweep(**SPACE, executor="dask", scheduler=cluster.address, progress=progress)
    before = kept(tmp_path / "cache")
    assert 3 <= len(before) < 12
    news = []
    made = sweep(**SPACE, workers=1, progress=lambda *told: news.append(told))
    assert news[0] == (f"12 points, {len(before)} of them kept from before",)
    assert len(news) == 1 + 12 - len(before)
    assert before.items() <= kept(tmp_path / "cache").items()
    assert [row["status"] for row in made.rows] == ["done"] * 12


def test_a_job_that_kills_its_workers_is_an_error(tmp_path):
    made = Cluster(tmp_path, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    try:
        made.wait()
        where = {"kind": "dask", "scheduler": made.address}
        deadly = Job(name="deadly", function=partial(eval, DIE))
        ((index, error),) = jobs.each([deadly], **where)
        assert index == 0
        assert isinstance(error, ToolError)
        assert "its worker died, 1 time;" in str(error)
        listed = [Job(name="square", function=partial(eval, f"{n} ** 2")) for n in range(5)]
        assert sorted(jobs.each(listed, **where)) == [(n, n * n) for n in range(5)]
    finally:
        made.end()


def test_a_scheduler_without_workers_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "WORKERS_WITHIN", 0.3)
    made = Cluster(tmp_path)
    try:
        made.wait()
        for worker in made.workers:
            worker.kill()
            worker.wait()
        with pytest.raises(ToolError, match=f"scheduler {made.address} has no workers"):
            list(jobs.each([Job(name="1", function=int)], kind="dask", scheduler=made.address))
    finally:
        made.end()


def test_a_scheduler_that_is_not_there():
    with pytest.raises(ToolError, match="does not answer"):
        list(jobs.each([], kind="dask", scheduler="nonsense://127.0.0.1:1"))
