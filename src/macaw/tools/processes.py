# SPDX-License-Identifier: BSD-2-Clause
"""Children, temporary folders, and the end of a command: one place, so that nothing is left.

Whatever macaw starts or makes for a while is registered here *before* anything can come between:
a tool with all its children is a process group, a temporary folder a path. Code that is left by
an exception tidies up as usual. A command that is ended by a signal
(:func:`end_on_signals`) does not rely on that: wherever its threads are just then, a thread that
does nothing else ends the groups, removes the paths and leaves with the conventional exit code.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import functools
import math
import os
import re
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from macaw.golden.errors import ToolError

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

ENDINGS = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "hung up"}
"""Signals that end a command, and what it says then."""

_LONGEST = 1e6  # seconds that poll can be asked to wait, and more than any tool takes
_PATIENCE = 10.0  # seconds for a thread that is starting a child, and for worker processes

# What an outer regression, make or test run has set for its own children and not for ours: it
# would choose other tests, another Verilator, other options, or measure the coverage of our runs.
_FOREIGN = re.compile(
    r"(COCOTB|GPI|PYGPI|COVERAGE|COV_CORE|VERILATOR|PYTEST)(_.*)?"
    r"|(GNU)?MAKEFLAGS|MAKE(FLAGS|LEVEL|FILES|OVERRIDES|_.*)|MFLAGS"
    r"|TOPLEVEL(_LANG)?|MODULE|TESTCASE|TEST_.*|RANDOM_SEED|LIBPYTHON_LOC|WAVES|GUI"
    r"|SIM|SIM_.*|(COMPILE|EXTRA|RUN|PLUS)_?ARGS|HDL_.*|USER_COVERAGE"
    r"|PYTHON(PATH|WARNINGS|INSPECT|STARTUP|IOENCODING|UTF8|COERCECLOCALE|DEVMODE|OPTIMIZE|VERBOSE"
    r"|PROFILEIMPORTTIME|TRACEMALLOC|ASYNCIODEBUG|WARNDEFAULTENCODING|BREAKPOINT|SAFEPATH)"
)


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def search_path() -> str:
    """Where programs are looked for: ``PATH``, or the system's own where that says nothing."""
    return os.environ.get("PATH") or os.defpath


def which(program: str) -> str | None:
    """Absolute path of ``program``, or None."""
    found = shutil.which(program, path=search_path())
    return found and str(Path(found).absolute())  # children run in other folders


def environment(**changes: str) -> dict[str, str]:
    """What a child sees: this process's variables without those of an outer run.

    Python in it finds what this Python finds and speaks UTF-8. Temporary files go to the folder
    that it is started in, which ends with it; the name has no space in it whatever the folder's.
    """
    kept = {name: text for name, text in os.environ.items() if not _FOREIGN.fullmatch(name)}
    modules = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    ours = {"PATH": search_path(), "PYTHONPATH": modules, "PYTHONUTF8": "1", "TMPDIR": "."}
    return {**kept, **ours, **changes}


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """A child that has ended: its exit status and what it said."""

    status: int
    output: str
    errors: str


def run(
    command: Sequence[str],
    *,
    folder: Path | None = None,
    env: dict[str, str] | None = None,
    timeout: float | None = None,
    processor: float | None = None,
    log: Path | None = None,
) -> Finished:
    """Run ``command`` to its end; it has a process group of its own, which ends with it.

    Parameters
    ----------
    folder : Path, optional
        Where it runs and has its temporary files. Default: a temporary one.
    env : dict, optional
        Default: :func:`environment`.
    timeout : float, optional
        In seconds.
    processor : float, optional
        Seconds of a processor's time that it may take itself, so that other work on the machine
        does not count. Only Linux is asked to watch them; elsewhere they are of the clock.
    log : Path, optional
        File that gets what it says; ``output`` is all of it then.

    Raises
    ------
    OSError
        It cannot be started.
    subprocess.TimeoutExpired
        It was stopped after its time.
    """
    if folder is None:
        with temporary_folder() as made:
            return run(command, folder=made, env=env, timeout=timeout, processor=processor, log=log)
    watched = processor is not None and sys.platform == "linux"
    if processor is not None and not watched:
        timeout = min(processor, processor if timeout is None else timeout)
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(log.open("wb")) if log is not None else subprocess.PIPE
        with _registering():
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment() if env is None else env,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                stdout=file,
                stderr=subprocess.PIPE if log is None else subprocess.STDOUT,
            )
            _children.add(process)
        try:
            if processor is not None and watched:
                _limit(process, processor)
            left = timeout
            if log is not None and timeout is not None:
                left = _await(process, timeout)
            output, errors = process.communicate(timeout=left)
        except subprocess.TimeoutExpired:
            raise subprocess.TimeoutExpired(command, timeout or 0.0) from None
        finally:
            _stop(process)
    if processor is not None and watched and process.returncode == -signal.SIGXCPU:
        raise subprocess.TimeoutExpired(command, processor)
    return Finished(
        status=process.returncode,
        output=text_of(log) if log is not None else output.decode(errors="replace"),
        errors="" if log is not None else errors.decode(errors="replace"),
    )


def _limit(process: subprocess.Popen[bytes], processor: float) -> None:
    """Have the system end a child after so much of a processor's time."""
    import resource

    most = resource.getrlimit(resource.RLIMIT_CPU)[1]
    seconds = math.ceil(processor)
    if most == resource.RLIM_INFINITY or seconds < most:
        with contextlib.suppress(ProcessLookupError):  # it has ended already
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (seconds, most))


def _await(process: subprocess.Popen[bytes], timeout: float) -> float:
    """Wait until a child ends or its time is up, where the system tells; the time that is left.

    Popen.wait with a time-out looks every 50 ms; Yosys takes 300 for a small module.
    """
    until = time.monotonic() + timeout
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # an old kernel, or one that allows no such call
            end = os.pidfd_open(process.pid)
            try:
                ended = select.poll()
                ended.register(end, select.POLLIN)
                ended.poll(min(timeout, _LONGEST) * 1000)
            finally:
                os.close(end)
    return max(0.0, until - time.monotonic())


def text_of(log: Path) -> str:
    """What a tool wrote, whatever bytes it put between."""
    return log.read_text(encoding="utf-8", errors="replace")


_children: set[subprocess.Popen[bytes]] = set()
_leftovers: set[Path] = set()


def _stop(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    _children.discard(process)


def stop_all() -> None:
    """End every child that any thread of this process runs."""
    for process in tuple(_children):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


# --- what is there for a while


@contextlib.contextmanager
def leftover(path: Path, *, folder: bool = False) -> Iterator[Path]:
    """Have ``path``, which is yet to be made, removed when this is left in whatever way.

    A ``folder`` is made here: a signal comes before it is registered, or after it is there.
    """
    try:
        with _registering():
            _leftovers.add(path)
            if folder:
                path.mkdir()
        yield path
    finally:
        _remove(path)
        _leftovers.discard(path)


@contextlib.contextmanager
def temporary_folder(parent: Path | None = None, prefix: str = "macaw-") -> Iterator[Path]:
    """An empty folder in ``parent``, or where temporary files go, for as long as this lasts.

    Raises
    ------
    ToolError
        Without ``parent``: there is no such place, or its disk is full.
    """
    if parent is not None:
        path = parent / f"{prefix}{secrets.token_hex(6)}"
        with leftover(path, folder=True) as folder:
            yield folder
        return
    try:
        with _registering():  # the first time a file there is tried, and removed
            place = Path(tempfile.gettempdir())
        with temporary_folder(place, prefix) as folder:
            yield folder
    except OSError as error:
        raise _no_room(error) from error


def _no_room(error: OSError) -> OSError | ToolError:
    """What to say where temporary files cannot be written."""
    where = error.filename and os.fsdecode(error.filename)
    try:
        place = tempfile.gettempdir()
    except OSError:
        place, where = "there is no place where", None
    else:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
        if not full or (where and not Path(where).is_relative_to(place)):
            return error
    return ToolError(
        f"{where or place}: temporary files cannot be written"
        f" ({error.strerror}); TMPDIR=FOLDER puts them elsewhere"
    )


@functools.cache
def session_folder() -> Path:
    """A temporary folder that lasts as long as this process."""
    stack = contextlib.ExitStack()
    folder = stack.enter_context(temporary_folder())
    atexit.register(stack.close)
    return folder


def _remove(path: Path) -> None:
    for _ in range(50):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
        if not os.path.lexists(path):
            return
        time.sleep(0.01)  # a thread that writes there is about to notice


# --- how a command ends

_lock = threading.RLock()
_ending = False  # a signal has arrived
_main_is_registering = False


@contextlib.contextmanager
def _registering() -> Iterator[None]:
    """Make and register something: the end of a command comes before or after, not between."""
    global _main_is_registering
    main = threading.current_thread() is threading.main_thread()
    if main:
        _main_is_registering = True
    try:
        with _lock:
            if not _ending:
                yield
    finally:
        if main:
            _main_is_registering = False
    if _ending:
        _park()


def _park() -> NoReturn:
    """Wait for the end of this process, which is at hand."""
    while True:
        time.sleep(60)


def _arrived(number: int, frame: FrameType | None) -> None:
    """Keep the main thread from complaining about what the end does to its tools."""
    global _ending
    _ending = True
    if not _main_is_registering:
        _park()


def _end(number: int, quiet: bool) -> NoReturn:
    global _ending
    _ending = True
    threading.excepthook = lambda _: None  # of threads whose folder goes
    try:
        _lock.acquire(timeout=_PATIENCE)
        _stop_workers()
        stop_all()
        for process in tuple(_children):
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
        for path in tuple(_leftovers):
            _remove(path)
        if not quiet:
            # A terminal's line of progress goes first. Python's own streams may be locked just now.
            clear = "\r\x1b[K" if os.isatty(2) else ""
            os.write(2, f"{clear}macaw: {ENDINGS[signal.Signals(number).name]}\n".encode())
    finally:
        os._exit(128 + number)


def _stop_workers() -> None:
    """Have worker processes tidy up after themselves, and wait for them."""
    if "multiprocessing" not in sys.modules:
        return
    import multiprocessing

    workers = multiprocessing.active_children()
    for worker in workers:
        worker.terminate()
    until = time.monotonic() + _PATIENCE
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))
        if worker.is_alive():
            worker.kill()


def _watch(names: Sequence[str], *, quiet: bool) -> None:
    """From now on the signals of these names end this process, unless they are ignored."""
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    heeded = [n for n in numbers if signal.getsignal(n) is not signal.SIG_IGN]  # nohup, `&`
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def wait() -> None:
        while byte := os.read(reader, 1):
            if byte[0] in heeded:
                _end(byte[0], quiet)

    threading.Thread(target=wait, name="macaw-end", daemon=True).start()
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in heeded:
        signal.signal(number, _arrived)

    def forget() -> None:
        """A fork has neither that thread nor any right to what its parent made."""
        signal.set_wakeup_fd(-1)
        for number in heeded:
            signal.signal(number, signal.SIG_DFL)
        _children.clear()
        _leftovers.clear()

    os.register_at_fork(after_in_child=forget)


def end_on_signals() -> None:
    """Have SIGINT, SIGTERM and SIGHUP end this process: one line, exit code 128 + number.

    For a command's main thread, before anything else. Signals that are ignored stay so.
    """
    _watch(tuple(ENDINGS), quiet=False)


def pool(count: int) -> ProcessPoolExecutor:
    """So many worker processes that end as this process ends.

    They are forked from a server, so that compiled models and the WebAssembly engine of this
    process stay here. Their environment is what this process has now.
    """
    import multiprocessing
    import multiprocessing.util
    from concurrent.futures import ProcessPoolExecutor

    with _registering():
        _leftovers.add(Path(multiprocessing.util.get_temp_dir()))
    # Semaphores that are left at the end are the resource tracker's to remove: no news.
    os.environ["PYTHONWARNINGS"] = "ignore:resource_tracker:UserWarning"
    return ProcessPoolExecutor(
        count, multiprocessing.get_context("forkserver"), _end_with_parent, (dict(os.environ),)
    )


def end(pool: ProcessPoolExecutor) -> None:
    """Have the workers of a pool tidy up and end, whatever they do."""
    pool.shutdown(wait=False, cancel_futures=True)
    # Executor.terminate_workers came with Python 3.14.
    for worker in tuple((pool._processes or {}).values()):
        worker.terminate()


def _end_with_parent(environment: dict[str, str]) -> None:
    """What ends a command, for its workers: they leave line and keyboard to their parent."""
    os.environ.clear()  # the server has its own, from when it was started
    os.environ.update(environment)
    for name in ("SIGINT", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _watch(("SIGTERM",), quiet=True)
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:  # it may be killed, too

        def orphaned() -> None:
            parent.join()
            _end(signal.SIGTERM, quiet=True)

        threading.Thread(target=orphaned, name="macaw-orphan", daemon=True).start()


def start() -> None:
    """Make the surroundings of a command what the rest of macaw takes for granted.

    Closed standard streams become the null device: else the next file that is opened would be
    taken for them. What an encoding lacks is replaced on output. An empty HOME counts as none.
    """
    for number, mode in enumerate("rww"):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if mode == "r" else os.O_WRONLY)  # the lowest free
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8", closefd=False))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace" if name == "stdout" else "backslashreplace")
    if os.environ.get("HOME") == "":
        del os.environ["HOME"]
    if threading.current_thread() is threading.main_thread():
        end_on_signals()
