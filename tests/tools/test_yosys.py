# SPDX-License-Identifier: BSD-2-Clause
import subprocess
import sys
import time
from pathlib import Path

import pytest

from macaw.golden.errors import ToolError
from macaw.synth import jobs
from macaw.synth.jobs import Job
from macaw.tools import yosys as tools
from macaw.tools.yosys import Tool, ToolFailure, ToolTimeout


def python(text):
    return Tool("python", (sys.executable, "-c", text), "3")


def test_what_a_tool_prints_is_returned(tmp_path):
    assert tools.call(python("print(6 * 7)"), (), folder=tmp_path, timeout=30) == "42\n"


def test_a_tool_that_does_not_finish_is_stopped_with_its_children(tmp_path):
    child = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', "
        + repr("import time, pathlib; time.sleep(2); pathlib.Path('late').write_text('alive')")
        + "])"
    )
    started = time.monotonic()
    with pytest.raises(ToolTimeout, match=r"python: area of x did not finish within 0\.5 s"):
        tools.call(python(child), (), folder=tmp_path, timeout=0.5, what="area of x")
    assert time.monotonic() - started < 5
    time.sleep(2.5)
    assert not (tmp_path / "late").exists()


def test_a_failure_carries_the_tools_own_error_line(tmp_path):
    text = "import sys; print('ERROR: no such cell'); print('bye'); sys.exit(1)"
    with pytest.raises(ToolFailure, match="no such cell"):
        tools.call(python(text), (), folder=tmp_path, timeout=30)


def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(ToolError, match="cannot be started"):
        tools.call(Tool("frob", ("/no/such/frob",), "1"), (), folder=tmp_path, timeout=5)


def test_a_missing_tool_says_how_to_install_it():
    with pytest.raises(ToolError, match="pip install yowasp-nextpnr-frob"):
        tools.find("nextpnr-frob")


def test_an_unknown_preference(monkeypatch):
    monkeypatch.setenv("MACAW_YOSYS", "frob")
    with pytest.raises(ToolError, match="MACAW_YOSYS"):
        tools.find("yosys")


def test_an_old_native_yosys_is_passed_over(monkeypatch):
    monkeypatch.delenv("MACAW_YOSYS", raising=False)
    monkeypatch.setattr(
        tools, "_native", lambda program: Tool(program, ("/usr/bin/yosys",), "0.23")
    )
    assert tools.find("yosys").name != "yosys"
    with pytest.raises(ToolError, match=r"0\.40 is needed"):
        tools.find("yosys", "native")


def test_a_newer_native_yosys_is_used(monkeypatch):
    monkeypatch.delenv("MACAW_YOSYS", raising=False)
    monkeypatch.setattr(tools, "_native", lambda program: Tool(program, ("/y",), "9.1+2"))
    assert tools.find("yosys").command == ("/y",)


def test_jobs_keep_their_order():
    work = [Job(name=str(n), function=pow, arguments={"base": n, "exp": 2}) for n in range(20)]
    news = []
    assert jobs.run(work, workers=3, progress=news.append) == [n * n for n in range(20)]
    assert len(news) == 20


def test_a_failing_job_stops_the_others(tmp_path):
    def sleep():
        tools.call(python("import time; time.sleep(60)"), (), folder=tmp_path, timeout=90)

    def fail():
        raise ToolError("broken")

    started = time.monotonic()
    with pytest.raises(ToolError):
        jobs.run([Job(name="a", function=sleep), Job(name="b", function=fail)], workers=2)
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "slurm"}, "executor"),
        ({"workers": 0}, "workers"),
        ({"scheduler": "tcp://x:1"}, "dask"),
    ],
)
def test_bad_executors(options, message):
    with pytest.raises(ValueError, match=message):
        jobs.run([], **options)


def test_dask_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ToolError, match=r"macaw\[dask\]"):
        jobs.run([], kind="dask", scheduler="tcp://localhost:1")


def test_no_file_is_left_behind(tmp_path):
    tools.call(python("pass"), (), folder=tmp_path, timeout=30)
    assert [path.name for path in Path(tmp_path).iterdir()] == ["python.log"]


@pytest.mark.skipif(sys.platform != "linux", reason="prctl")
def test_tools_end_with_a_macaw_that_is_killed(tmp_path):
    started = subprocess.Popen(
        [sys.executable, "-c", f"""
import pathlib
from macaw.tools import yosys as tools
text = tools._END_WITH_PARENT + (
    "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
)
slow = tools.Tool("python", ({sys.executable!r}, "-c", text), "3")
tools.call(slow, (), folder=pathlib.Path({str(tmp_path)!r}), timeout=90)
"""],
    )  # fmt: skip
    for _ in range(200):
        time.sleep(0.1)
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
            break
    pid = int((tmp_path / "pid").read_text())
    started.kill()
    started.wait()
    time.sleep(1)
    stat = Path(f"/proc/{pid}/stat")
    assert not stat.exists() or stat.read_text().split()[2] == "Z"


def test_a_native_tool_starts_others_and_is_watched_by_the_clock(tmp_path):
    busy = Tool("sleeper", ("sleep", "60"), "1")
    with pytest.raises(ToolTimeout, match=r"sleeper did not finish within 0\.2 s and was stopped$"):
        tools.call(busy, (), folder=tmp_path, timeout=60, processor=0.2)
    with pytest.raises(ToolTimeout, match=r"within 0\.3 s and .* \(a longer time-out can be given"):
        tools.call(busy, (), folder=tmp_path, timeout=0.3, processor=60)
