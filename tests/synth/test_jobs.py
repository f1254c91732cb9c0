# SPDX-License-Identifier: BSD-2-Clause
"""Many jobs by worker processes, which may die."""

from functools import partial

import pytest

from macaw.golden.errors import ToolError
from macaw.synth import jobs
from macaw.synth.jobs import Job

DIE = "__import__('os').kill(__import__('os').getpid(), 9)"


def job(expression):
    return Job(name=expression, function=partial(eval, expression))


@pytest.mark.parametrize("workers", [1, 2])
def test_each_is_done_once(workers):
    found = list(jobs.each([job(f"{n} ** 2") for n in range(9)], workers=workers))
    assert sorted(found) == [(n, n * n) for n in range(9)]


def test_several_workers_are_other_processes():
    here = __import__("os").getpid()
    asked = "(__import__('time').sleep(0.3), __import__('os').getpid())[1]"
    found = {pid for _, pid in jobs.each([job(asked)] * 4, workers=2)}
    assert len(found) == 2
    assert here not in found


def test_workers_have_the_environment_of_now(monkeypatch):
    for value in "12":
        monkeypatch.setenv("MACAW_CACHE", value)
        listed = [job("__import__('os').environ['MACAW_CACHE']")] * 2
        assert list(dict(jobs.each(listed, workers=2)).values()) == [value, value]


def test_what_a_dead_worker_was_doing_is_done_again(tmp_path):
    """Also what ran beside it, and what waited."""
    once = f"__import__('os').path.exists({str(tmp_path / 'died')!r}) and 'done'"
    once += f" or (open({str(tmp_path / 'died')!r}, 'w').close(), {DIE})"
    slow = "__import__('time').sleep(0.5) or 'slept'"
    listed = [job(slow), job(once), job("3"), job("4")]
    assert dict(jobs.each(listed, workers=2)) == {0: "slept", 1: "done", 2: 3, 3: 4}


def test_a_job_that_kills_every_worker_is_an_error_and_the_others_are_done():
    slow = "__import__('time').sleep(0.2) or 'slept'"
    found = dict(jobs.each([job(slow), job(DIE), *[job(slow)] * 4], workers=2))
    error = found.pop(1)
    assert isinstance(error, ToolError)
    assert "its worker died, 3 times" in str(error)
    assert found == dict.fromkeys((0, 2, 3, 4, 5), "slept")


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_ends_all(workers):
    with pytest.raises(ZeroDivisionError):
        list(jobs.each([job("1 / 0"), job("1")], workers=workers))


def test_a_reader_that_leaves_ends_the_workers(tmp_path):
    late = f"__import__('time').sleep(3) or open({str(tmp_path / 'late')!r}, 'w').close()"
    found = jobs.each([job("1"), job(late), job(late)], workers=2)
    assert next(found) == (0, 1)
    found.close()
    assert not (tmp_path / "late").exists()


@pytest.mark.parametrize(
    ("options", "fragment"),
    [
        ({"kind": "slurm"}, "'slurm' is none of local, dask"),
        ({"workers": 0}, "workers: 0 is less than 1"),
        ({"kind": "dask"}, "scheduler: executor=dask needs its address"),
        ({"scheduler": "tcp://x:1"}, "scheduler=tcp://x:1: goes with executor=dask only"),
    ],
)
def test_bad_executors(options, fragment):
    with pytest.raises(ValueError, match=fragment):
        list(jobs.each([job("1")], **options))
