# SPDX-License-Identifier: BSD-2-Clause
"""Tools, their surroundings, and commands that are ended: nothing is left of them."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from macaw.golden.errors import ToolError
from macaw.tools import processes

# A command that has all that can be left: folders, files, tools with children, in two threads.
BUSY = """
import sys, threading
from pathlib import Path
from macaw.tools import files, processes
processes.start()
def work(name):
    while True:
        with processes.temporary_folder() as folder, files.replacing(Path(name)) as draft:
            draft.write_text("half")
            (folder / "made").mkdir()
            processes.run(["sh", "-c", "sleep 0.05 & sleep 0.05; wait"], folder=folder)
threading.Thread(target=work, args=("a",), daemon=True).start()
print("ready", flush=True)
work("b")
"""
SLOW = """
import threading, time
from pathlib import Path
from macaw.tools import processes
processes.start()
made, removed = Path.mkdir, processes._remove
def make(path, *arguments):
    print("ready", flush=True)
    time.sleep(0.3)
    made(path, *arguments)
def remove(path):
    removed(path)
    time.sleep(0.6)
Path.mkdir, processes._remove = make, remove
def work():
    with processes.temporary_folder():
        time.sleep(60)
threading.Thread(target=work, daemon=True).start()
time.sleep(60)
"""
POOL = """
from macaw.tools import processes
def work(_):
    with processes.temporary_folder() as folder:
        processes.run(["sh", "-c", "sleep 300 & sleep 300"], folder=folder)
if __name__ == "__main__":
    processes.start()
    with processes.pool(2) as pool:
        list(pool.map(work, range(4)))
"""


def started(text: str, folder: Path, **more) -> subprocess.Popen[str]:
    (folder / "temporary").mkdir()
    (folder / "command.py").write_text(text)
    env = {**os.environ, "TMPDIR": str(folder / "temporary"), "MACAW_TEST_RUN": str(folder)}
    return subprocess.Popen(
        [sys.executable, str(folder / "command.py")],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **more,
    )


def heeding_the_keyboard() -> None:
    """A shell that runs the tests in the background has it ignored, and nohup what hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def running(folder: Path) -> list[bytes]:
    """Command lines of all that runs for the command of ``folder``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            marked = f"MACAW_TEST_RUN={folder}".encode() in (process / "environ").read_bytes()
            if marked and (process / "cmdline").read_bytes():  # a zombie has none
                found.append((process / "cmdline").read_bytes())
        except OSError:
            continue
    return found


def until(condition, seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_a_folder_that_a_thread_is_about_to_make_is_not_left(tmp_path):
    command = started(SLOW, tmp_path, preexec_fn=heeding_the_keyboard)
    assert command.stdout.readline() == "ready\n"
    command.send_signal(signal.SIGTERM)
    command.communicate(timeout=30)
    assert command.returncode == 128 + signal.SIGTERM
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize("moment", [0.0, 0.013, 0.031, 0.107])
@pytest.mark.parametrize(
    ("name", "said"),
    [("SIGINT", "interrupted"), ("SIGTERM", "terminated"), ("SIGHUP", "hung up")],
)
def test_a_command_that_is_ended_leaves_nothing(tmp_path, name, said, moment):
    number = getattr(signal, name)
    command = started(BUSY, tmp_path, preexec_fn=heeding_the_keyboard)
    assert command.stdout.readline() == "ready\n"
    time.sleep(moment)
    command.send_signal(number)
    out, err = command.communicate(timeout=30)
    assert (command.returncode, out, err) == (128 + number, "", f"macaw: {said}\n")
    assert running(tmp_path) == []
    assert list((tmp_path / "temporary").iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} <= {"temporary", "command.py", "a", "b"}


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_worker_processes_end_with_the_command(name):
    # Workers are reached through sockets, and those have short paths only.
    with tempfile.TemporaryDirectory() as short:
        folder = Path(short)
        command = started(POOL, folder)
        assert until(lambda: sum(b"sleep 300 &" in line for line in running(folder)) == 2)
        command.send_signal(getattr(signal, name))
        _, err = command.communicate(timeout=30)
        assert until(lambda: not running(folder))
        left = [path.name for path in (folder / "temporary").iterdir()]
        if name == "SIGTERM":
            assert (command.returncode, err, left) == (143, "macaw: terminated\n", [])
        else:  # nobody was there to remove what belongs to the command itself
            assert [name for name in left if not name.startswith("pymp-")] == []


def test_a_signal_that_is_ignored_stays_so(tmp_path):
    text = "from macaw.tools import processes\nprocesses.start()\nimport time\n"
    text += "print('ready', flush=True)\ntime.sleep(0.5)\nprint('done')\n"
    ignoring = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)  # noqa: E731 nohup does it
    command = started(text, tmp_path, preexec_fn=ignoring)
    assert command.stdout.readline() == "ready\n"
    command.send_signal(signal.SIGHUP)
    assert command.communicate(timeout=30) == ("done\n", "")
    assert command.returncode == 0


def test_an_exception_ends_the_tool_and_its_children(tmp_path):
    with pytest.raises(subprocess.TimeoutExpired):
        processes.run(
            ["sh", "-c", "(sleep 1; touch late) & sleep 60"], folder=tmp_path, timeout=0.3
        )
    time.sleep(1.2)
    assert list(tmp_path.iterdir()) == []


FOREIGN = {
    "COCOTB_TEST_MODULES": "outer",
    "COCOTB_TESTCASE": "outer_case",
    "COCOTB_TOPLEVEL": "outer_top",
    "COCOTB_LOG_LEVEL": "ERROR",
    "COCOTB_RANDOM_SEED": "7",
    "COCOTB_RESULTS_FILE": "/nowhere/results.xml",
    "COCOTB_USER_COVERAGE": "1",
    "COCOTB_PDB_ON_EXCEPTION": "1",
    "COCOTB_LIST_TESTS": "1",
    "COVERAGE": "1",
    "COVERAGE_PROCESS_START": "/nowhere",
    "GPI_EXTRA": "/nowhere/lib.so:start",
    "GPI_USERS": "/nowhere/lib.so",
    "PYGPI_USERS": "nowhere:nobody",
    "PYGPI_PYTHON_BIN": "/nowhere/python",
    "LIBPYTHON_LOC": "/nowhere/libpython.so",
    "MAKEFLAGS": "n -- VM_TRACE=1",
    "MFLAGS": "-n",
    "MAKELEVEL": "3",
    "MODULE": "outer",
    "TESTCASE": "outer",
    "TOPLEVEL": "outer",
    "TOPLEVEL_LANG": "vhdl",
    "RANDOM_SEED": "7",
    "SIM": "questa",
    "WAVES": "1",
    "GUI": "1",
    "PYTEST_ADDOPTS": "--nothing",
    "PYTHONPATH": "/nowhere",
    "PYTHONWARNINGS": "error",
    "PYTHONIOENCODING": "ascii",
    "PYTHONUTF8": "0",
    "VERILATOR_ROOT": "/nowhere",
    "VERILATOR_BIN": "nothing",
}


@pytest.fixture
def foreign(monkeypatch):
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)


def test_the_end_of_a_tool_is_not_looked_for_now_and_then(tmp_path, monkeypatch):
    """On Linux, where the kernel tells; elsewhere the time has to be watched."""
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    log = tmp_path / "log"
    for timeout in (20.0, 1e12):
        done = processes.run(["sh", "-c", "sleep 0.2; echo x"], timeout=timeout, log=log)
        assert (done.status, done.output) == (0, "x\n")
    with pytest.raises(subprocess.TimeoutExpired):
        processes.run(["sleep", "60"], timeout=0.1, log=log)
    assert not slept or sys.platform != "linux"


def test_a_tool_ends_in_its_time_where_the_kernel_does_not_tell(tmp_path, monkeypatch):
    def refused(pid):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refused, raising=False)
    log = tmp_path / "log"
    assert processes.run(["sh", "-c", "echo x"], timeout=20.0, log=log).output == "x\n"
    with pytest.raises(subprocess.TimeoutExpired):
        processes.run(["sleep", "60"], timeout=0.1, log=log)


@pytest.mark.parametrize("logged", [False, True])
def test_the_time_of_a_processor_is_that_of_the_tool_alone(tmp_path, logged):
    log = tmp_path / "log" if logged else None
    with pytest.raises(subprocess.TimeoutExpired) as late:
        processes.run(["sh", "-c", "while :; do :; done"], timeout=60, processor=0.7, log=log)
    assert late.value.timeout == 0.7
    if sys.platform == "linux":  # elsewhere they are of the clock
        done = processes.run(["sh", "-c", "sleep 1.3; echo x"], processor=1, log=log)
        assert (done.status, done.output) == (0, "x\n")


def test_without_a_system_that_watches_it_is_the_clocks(monkeypatch):
    monkeypatch.setattr(sys, "platform", "other")
    for timeout in (None, 60):
        with pytest.raises(subprocess.TimeoutExpired):
            processes.run(["sleep", "60"], timeout=timeout, processor=0.2)


def test_an_outer_run_does_not_reach_our_tools(foreign, monkeypatch):
    monkeypatch.setenv("LM_LICENSE_FILE", "kept")
    seen = processes.run(["env"]).output.splitlines()
    inherited = {line for line in seen if line in {f"{k}={v}" for k, v in FOREIGN.items()}}
    assert inherited == set()
    assert "LM_LICENSE_FILE=kept" in seen
    assert f"PATH={os.environ['PATH']}" in seen


@pytest.mark.parametrize("path", [None, ""])
def test_without_a_path_there_is_the_systems(monkeypatch, path):
    if path is None:
        monkeypatch.delenv("PATH")
    else:
        monkeypatch.setenv("PATH", path)
    assert processes.which("sh") in ("/bin/sh", "/usr/bin/sh")
    assert processes.environment()["PATH"] == os.defpath


def test_python_in_a_tool_is_this_python(tmp_path):
    text = "import sys, macaw; print(sys.path); print(sys.flags.utf8_mode)"
    said = processes.run([sys.executable, "-c", text], folder=tmp_path)
    assert said.status == 0, said.errors
    assert said.output.splitlines()[-1] == "1"


def test_no_place_for_temporary_files(monkeypatch, tmp_path):
    monkeypatch.setattr(processes.tempfile, "tempdir", str(tmp_path / "none" / "such"))
    with pytest.raises((ToolError, OSError), match="none"), processes.temporary_folder():
        pass
    monkeypatch.setattr(processes.tempfile, "tempdir", str(tmp_path))
    full = OSError(28, "No space left on device")
    with (
        pytest.raises(ToolError, match=rf"{tmp_path}: .*No space left.*TMPDIR=FOLDER"),
        processes.temporary_folder(),
    ):
        raise full
    assert list(tmp_path.iterdir()) == []
