# SPDX-License-Identifier: BSD-2-Clause
"""Runs checks, each in a process in which one module of macaw has another source.

It is run as a script, so that nothing of macaw is imported before. ``tasks.json`` has, for each
process, the module's file and source and what is to be called; ``N.json`` gets what that returned.
The processes are forked from this one. Where a mutant changes the body of a function, all is
imported before, and the function gets other code; else the module is imported with another source.
The files stay as they are.
"""

import contextlib
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import signal
import sys
import time
import traceback
import types


class Finder(importlib.abc.MetaPathFinder):
    """Finds modules where they are, and gives one of them another source."""

    def __init__(self, file: str, source: str) -> None:
        self.file, self.source = file, source
        self.asking = False

    def find_spec(self, fullname, path=None, target=None):
        """The usual specification, with another loader for the one file."""
        if self.asking or not fullname.startswith("macaw"):
            return None
        self.asking = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self.asking = False
        if spec is not None and spec.origin == self.file:
            spec.loader = Loader(fullname, self.file, self.source)
        return spec


class Loader(importlib.machinery.SourceFileLoader):
    """Compiles another text than that of its file, and keeps nothing of it."""

    def __init__(self, fullname: str, path: str, source: str) -> None:
        super().__init__(fullname, path)
        self.source = source

    def get_code(self, fullname):
        """The code of the other text."""
        return compile(self.source, self.path, "exec", dont_inherit=True)


PACKAGES = ("numpy", "ml_dtypes", "amaranth.hdl", "amaranth.lib.wiring", "amaranth.back.rtlil")


CHECKS = "macaw.sim.proof.mutants.checks"


def prepare(tasks: list[dict]) -> None:
    """Import what no task changes."""
    for name in PACKAGES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if all(task["function"] or not task["file"] for task in tasks):
        importlib.import_module(CHECKS)


def change(file: str, source: str, function: str) -> None:
    """Give a function of a module, wherever it is referred to, the code that a source has of it."""
    importlib.import_module(CHECKS)
    whole = compile(source, file, "exec", dont_inherit=True)
    new = next(code for code in _codes(whole) if code.co_qualname == function)
    found = [
        each
        for each in gc.get_objects()
        if isinstance(each, types.FunctionType)
        and each.__code__.co_filename == file
        and each.__code__.co_qualname == function
    ]
    if not found:
        raise LookupError(f"no function {function} of {file} is imported")
    for each in found:
        each.__code__ = new


def _codes(code: types.CodeType) -> list[types.CodeType]:
    """All code within code, the last definitions of a name first."""
    inner = [each for each in code.co_consts if isinstance(each, types.CodeType)]
    return [each for part in reversed(inner) for each in (part, *_codes(part))]


def judge(task: dict) -> dict:
    """What the task's function returned, with the module as the task has it."""
    try:
        if task["function"]:
            change(task["file"], task["source"], task["function"])
        elif task["file"]:
            sys.meta_path.insert(0, Finder(task["file"], task["source"]))
        module = importlib.import_module(CHECKS)
        return getattr(module, task["call"])(**task["arguments"])
    except Exception as error:
        # A mutant that cannot be imported ends here, as does a check that is wrong itself.
        text = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
        return {"killed": text[:300], "by": "import"}


def main() -> None:
    """Fork a process for each task, one after another; one that hangs is ended."""
    tasks = json.loads(pathlib.Path("tasks.json").read_text(encoding="utf-8"))
    prepare(tasks)
    for number, task in enumerate(tasks):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                answer = json.dumps(judge(task))
                pathlib.Path(f"{number}.json").write_text(answer, encoding="utf-8")
                status = 0
            finally:
                os._exit(status)
        until = time.monotonic() + task["patience"]
        while os.waitpid(child, os.WNOHANG)[0] == 0:
            if time.monotonic() > until:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                break
            time.sleep(0.02)


if __name__ == "__main__":
    main()
